"""What a benchmark says of the machine: what it must, no path, no error, and no framework imported for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parity.bench import machine as described
from parity.bench.machine import caches, commit, flags, gpus, libraries, machine, same_machine, versions

ROOT = Path(__file__).parent.parent


def test_what_is_said_fits_into_json_and_holds_no_path() -> None:
    for told in (machine(), versions(), libraries(), commit()):
        text = json.dumps(told)
        assert str(Path.home()) not in text
        assert str(ROOT) not in text
        assert sys.prefix not in text


def test_the_machine() -> None:
    found = machine()
    assert {*described.SAME, "platform", "python", "kernel"} <= set(found)
    assert found["cores"] >= 1
    if sys.platform == "linux":
        assert found["usable"] == sorted(os.sched_getaffinity(0))
        assert found["memory"] > 2**20
        assert found["cpu"]


def test_the_machine_is_itself() -> None:
    assert same_machine(machine(), json.loads(json.dumps(machine()))) == ""


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("cpu", "Z80\n", r"cpu: 6502, and Z80\n"),
        ("cores", 3, "cores: 2, and 3"),
        ("usable", [1], "usable: 2, and 1"),
        ("caches", {"L1d": 1}, "caches: L1d 32768, L2 1048576, and L1d 1"),
        ("memory", 2**31, "memory: 1, and 2"),
        ("virtual", None, "virtual: True, and None"),
        ("governor", "performance", "governor: None, and performance"),
        ("gpus", ["H100", "H100"], "gpus: none, and H100, H100"),
    ],
)
def test_the_first_difference_is_named(name: str, value: object, line: str) -> None:
    one = {
        "system": "Linux",
        "cpu": "6502",
        "cores": 2,
        "usable": [0, 1],
        "caches": {"L1d": 32768, "L2": 1048576},
        "memory": 2**30,
        "virtual": True,
        "governor": None,
        "gpus": [],
    }
    assert same_machine(one, one | {name: value}) == line
    assert same_machine(one, one | {"usable": [2, 3], "memory": 2**30 + 2**20, "kernel": "7", "python": "4"}) == ""


def plant_cache(folder: Path, index: int, level: str, kind: str, size: str) -> None:
    place = folder / f"index{index}"
    place.mkdir(parents=True)
    for name, text in {"level": level, "type": kind, "size": size}.items():
        (place / name).write_text(f"{text}\n", encoding="utf-8")


def test_caches_as_the_kernel_writes_them(tmp_path: Path) -> None:
    plant_cache(tmp_path, 0, "1", "Data", "48K")
    plant_cache(tmp_path, 1, "1", "Instruction", "64K")
    plant_cache(tmp_path, 2, "2", "Unified", "2048K")
    plant_cache(tmp_path, 3, "3", "Unified", "32M")
    (tmp_path / "index4").mkdir()
    assert caches(tmp_path) == {"L1d": 48 * 2**10, "L2": 2**21, "L3": 2**25}


def test_what_the_processor_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: 6502 @ 1 MHz\nflags\t\t: fpu hypervisor\n\nmodel name\t: another\n")
    monkeypatch.setattr(described, "CPUINFO", info)
    monkeypatch.setattr(sys, "platform", "linux")
    assert (machine()["cpu"], machine()["virtual"]) == ("6502 @ 1 MHz", True)
    info.write_text("flags : fpu hypervisors\n")
    assert machine()["virtual"] is False
    info.unlink()
    assert machine()["virtual"] is None


def test_no_framework_is_imported() -> None:
    calls = "m.machine(), m.libraries(), m.flags(), m.versions(), m.commit()"
    script = f"import sys, parity.bench.machine as m; {calls}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"numpy", "torch", "jax", "sklearn"} & set(done.stdout.split())


def framework(names: list[str]) -> Any:
    cuda = SimpleNamespace(
        is_available=lambda: True, device_count=lambda: len(names), get_device_name=lambda i: names[i]
    )
    return SimpleNamespace(cuda=cuda)


def test_gpus_are_those_that_an_imported_framework_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", framework(["H100", "H100"]))
    assert gpus() == ["H100", "H100"]
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())  # a broken one
    devices = [SimpleNamespace(platform="gpu", device_kind="A100"), SimpleNamespace(platform="cpu", device_kind="cpu")]
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: devices))
    assert gpus() == ["A100"]
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace())
    assert gpus() == []


def test_libraries_are_those_of_this_process() -> None:
    import numpy as np

    assert np.ones((2, 2)) @ np.ones(2) is not None
    found = libraries()
    assert any(one["user_api"] == "blas" for one in found)
    assert all(one["num_threads"] >= 1 and Path(one["file"]).name == one["file"] for one in found)


def test_flags_tell_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in flags():
        monkeypatch.delenv(name)
    given = {
        "OMP_NUM_THREADS": "1",
        "JAX_ENABLE_X64": "1",
        "JAX_COMPILATION_CACHE_DIR": "here",
        "TORCHINDUCTOR_CACHE_DIR": "/home/somebody/cache",
        "TORCH_LOGS_OUT": "~/log",
        "XLA_FLAGS": "--xla_dump_to=/home/somebody/x --xla_cpu_multi_thread_eigen=false",
        "CUDA_VISIBLE_DEVICES": "",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F",
        "HOME": "/home/somebody",
        "TOMP_X": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert flags() == {
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_COMPILATION_CACHE_DIR": "set",
        "JAX_ENABLE_X64": "1",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F",
        "OMP_NUM_THREADS": "1",
        "TORCHINDUCTOR_CACHE_DIR": "set",
        "TORCH_LOGS_OUT": "set",
        "XLA_FLAGS": "--xla_dump_to=set --xla_cpu_multi_thread_eigen=false",
    }


def git(folder: Path, *arguments: str) -> None:
    try:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("git is not here")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in a checkout with one commit and a tag."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    git(tmp_path, "tag", "v1")
    return package


def test_the_commit_and_whether_it_was_changed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = commit(checkout)
    assert len(clean) == 40
    assert int(clean, 16)
    (checkout / "__init__.py").write_text("changed = 1\n")
    assert commit(checkout) == f"{clean}-dirty"
    monkeypatch.setenv("GIT_DIR", str(ROOT / ".git"))
    assert commit(checkout) == f"{clean}-dirty", "whatever the environment says of another"


def test_no_commit_outside_a_checkout_or_without_git(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    inside = checkout.parent / "env" / "package"
    inside.mkdir(parents=True)
    (inside / "__init__.py").write_text("")
    assert commit(inside) == "unknown", "an environment inside a checkout is not of it"
    assert commit(checkout / "missing") == "unknown"
    monkeypatch.setenv("PATH", "")
    assert commit(checkout) == "unknown"
    assert capfd.readouterr() == ("", "")


def test_a_program_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(described, "SECONDS", 0)
    assert described._answer(sys.executable, "-c", "input()") is None
