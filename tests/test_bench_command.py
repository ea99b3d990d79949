"""`parity bench`: options, the list, files, and what is refused in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parity import cli
from parity.bench import command
from parity.bench.cases import CASES, QUICK
from parity.bench.plan import implementations
from parity.bench.results import Results, as_json, load
from tests.bench_results import results, small
from tests.shared import refused

ROOT = Path(__file__).parents[1]


def options(*given: str) -> Any:
    return cli.parser("bench").parse_args(["bench", *given])


def written(path: Path, found: Results) -> str:
    path.write_text(json.dumps(as_json(found)), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--case", "shallow-2-4-1-m500"], "there is no case 'shallow-2-4-1-m500'; did you mean shallow-2-4-1-m400"),
        (["--case", "zzz"], "there is no case 'zzz'; see: parity bench --list"),
        (["--implementation", "zzz"], "there is no implementation 'zzz'; see: parity bench --list"),
        (["--work", "steps"], "there is no work 'steps'; did you mean step?"),
        (["--implementation", "pytorch"], "there is no implementation 'pytorch'; did you mean"),
        (["--dtype", "float80"], "there is no dtype 'float80'; did you mean"),
        (["--device", "tpu"], "there is no device 'tpu'"),
        (["--threads", "many"], "--threads is 'many': give a number, or all"),
        (["--threads", "0"], "--threads is 0: this process may use 1 to"),
        (["--threads", "9" * 5000], "--threads is '999999999999999999999999999999…9': give a number, or all"),
        (["--threads", "4096"], "--threads is 4096: this process may use 1 to"),
        (["--filter", "logistic/*"], "no row matches 'logistic/*'; a row is called logistic-"),
        (["--dtype", "float16", "--device", "cpu"], "no row is left: bfloat16 and float16 are timed on a GPU only"),
        (["--size", "0"], "--size is 0: choose a percentage above 0"),
        (["--size", "nan"], "--size is nan: choose a percentage above 0"),
        (["--with", "new.json"], "--with names the newer of two runs: give the older with --compare"),
        (["--compare", "nowhere.json"], "nowhere.json"),
        (["--json", "nowhere/x.json"], "nowhere is no folder"),
        (["--html", "/"], "/ is a folder: name a file in it"),
        (["--plots", "pyproject.toml"], "pyproject.toml is no folder: name one"),
    ],
)
def test_what_is_refused(given: list[str], line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert refused(command.command, options(*given)).startswith(line)


@pytest.mark.parametrize("given", [["--json", "x"], ["--html", "x"], ["--plots", "x"]])
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_to_write(given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o500)
    monkeypatch.chdir(tmp_path)
    assert "Permission denied" in refused(command.command, options(*given))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"parity.bench"', '"parity.run"'),
        lambda text: text.replace('"schema_version": 1', '"schema_version": 0'),
        lambda text: "[]",
    ],
    ids=["damaged", "foreign", "old", "another"],
)
@pytest.mark.parametrize("which", ["--compare", "--with"])
def test_a_file_that_is_no_run(which: str, change: Callable[[str], str], tmp_path: Path) -> None:
    good = written(tmp_path / "good.json", results())
    bad = tmp_path / "bad.json"
    bad.write_text(change(Path(good).read_text(encoding="utf-8")), encoding="utf-8")
    given = {"--compare": good, "--with": good} | {which: str(bad)}
    line = refused(command.command, options(*(word for pair in given.items() for word in pair)))
    assert "bad.json" in line


def test_another_machine_is_refused_before_anything_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_run", lambda *_: pytest.fail("it was timed"))
    path = written(tmp_path / "old.json", small())
    line = refused(command.command, options("--compare", path))
    assert "is of another machine" in line
    assert "--other-machine" in line


def test_two_runs_are_compared_and_nothing_is_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_run", lambda *_: pytest.fail("it was timed"))
    one = written(tmp_path / "one.json", results())
    assert command.command(options("--compare", one, "--with", one)) == cli.OK
    assert "slower" in capsys.readouterr().out


def test_quick_is_three_cases_and_one_thread() -> None:
    plan = command.plan_of(options("--quick"))
    assert tuple(case.name for case in plan.cases) == QUICK
    assert (plan.works, plan.dtypes, plan.threads, plan.quick) == (("step",), ("float32",), (1,), True)
    assert "torch-compile" in plan.implementations
    assert "jax-eager" not in plan.implementations


def test_what_is_asked_for_comes_before_quick() -> None:
    plan = command.plan_of(options("--quick", "--dtype", "float64", "--implementation", "jax", "--work", "train"))
    assert (plan.dtypes, plan.works) == (("float64",), ("train",))
    assert set(plan.implementations) == {"jax-eager", "jax-jit", "jax-vmap", "jax-stepped"}


def test_an_old_run_is_timed_again_row_by_row() -> None:
    old = results()
    timed = {row.key for group in old.groups for row in group.rows if row.samples and row.verdict != "floor"}
    known = {key for key in timed if key.case in CASES and key.implementation in implementations()}
    for given, threads in (((), command.cores()), (("--threads", "1"), 1)):
        plan = command.plan_of(options(*given), old)
        found = {key for _, keys in plan.groups() for key in keys}
        assert found == {key for key in known if key.threads <= threads}
        assert found
        assert plan.rounds == command.ROUNDS_TO_COMPARE


def test_what_was_found_before_a_stop_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from parity.bench import run as running

    class Stopped(running.Run):
        def __call__(self) -> None:
            self.groups = list(small().groups)
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "Run", Stopped)
    path = tmp_path / "x.json"
    with pytest.raises(KeyboardInterrupt):
        command.command(options("--json", str(path), "--threads", "1"))
    found = load(path)
    assert len(found.groups) == len(small().groups)
    assert found.notes[-1].startswith(f"stopped: {len(found.groups)} of ")


@pytest.mark.parametrize("folder", ["new", None])
def test_a_refused_run_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str | None) -> None:
    def stop(*_: object) -> Results:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_run", stop)
    given = [] if folder is None else ["--plots", str(tmp_path / folder)]
    with pytest.raises(KeyboardInterrupt):
        command.command(options(*given, "--threads", "1"))
    assert list(tmp_path.iterdir()) == []


FRAMEWORKS = ("numpy", "torch", "jax", "sklearn", "scipy", "pandas", "matplotlib")


def test_the_list_imports_no_framework() -> None:
    script = (
        "import sys; from parity.cli import main; status = main(['bench', '--list'])\n"
        f"print(status, [name for name in {FRAMEWORKS} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    *listed, last = done.stdout.splitlines()
    assert last == "0 []"
    assert all(len(line) <= 100 for line in listed)
    assert all(any(line.startswith(name) for line in listed) for name in CASES)


def test_a_run_from_the_command_line(tmp_path: Path) -> None:
    """One row of NumPy's, with everything that can be written."""
    row = "shallow-2-4-1-m64/step/float64/cpu/1/reference"
    given = ["--filter", row, "--quick", "--case", "shallow-2-4-1-m64", "--dtype", "float64", "--threads", "1"]
    files = {"--json": tmp_path / "x.json", "--html": tmp_path / "x.html", "--plots": tmp_path / "plots"}
    given += ["--implementation", "reference"]  # the others are not looked at
    given += [str(word) for pair in files.items() for word in pair]
    done = subprocess.run(
        [sys.executable, "-m", "parity", "bench", *given], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "1 row timed, 0 skipped, 0 differ"
    found = load(files["--json"])
    (group,) = found.groups
    assert str(group.rows[0].key) == row
    assert found.command[0] == "bench"
    assert found.switches["pinned"]
    assert {peak.what for peak in found.peaks} == {"flops", "bytes"}
    assert any(library["user_api"] == "blas" for library in found.libraries)
    assert str(tmp_path) not in files["--html"].read_text(encoding="utf-8").replace(" ".join(found.command), "")
    assert list(files["--plots"].iterdir())
