"""Checkpoints: killed at any moment the last one loads, it goes on with the same bits, and damage is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity.errors import BadInput
from parity.files import write_whole
from parity.formats import FORMATS
from parity.problems import catalogue
from parity.training import Descent, Params, Reached, checkpoint
from reference import shallow_network
from tests.saving import DESCENT, PROBLEM, bits, content, same, so_far
from tests.test_imports import MODULES, run

ROOT = Path(__file__).parent.parent
KILLS = 20


def params_bits(params: Params) -> list[tuple[object, ...]]:
    return bits(Reached(params, np.empty(0)))


def refused(function: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(BadInput) as caught:
        function(*arguments)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a checkpoint of `DESCENT` after six steps."""
    folder = tmp_path / "run"
    checkpoint.save(checkpoint.writable_folder(folder), DESCENT, so_far(6))
    return folder


# What is saved is what is loaded


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("problem", ["flower", "wine_logistic", "digits_deep"])
def test_every_bit_comes_back(tmp_path: Path, problem: str, dtype: str) -> None:
    descent, of = Descent(catalogue.build(problem), 60, dtype), FORMATS[dtype].dtype
    special = np.array([-0.0, np.inf, -np.nan, FORMATS[dtype].smallest_normal / 2, 1 / 3]).astype(of)
    params = {name: np.resize(special, p.shape) for name, p in descent.start.items()}
    reached = {"reference": Reached(params, special), "torch-eager": Reached(descent.start, special[:0])}
    checkpoint.save(tmp_path, descent, reached)
    assert same(checkpoint.load(tmp_path, descent), reached)


def test_the_json_is_for_others_too(saved: Path) -> None:
    text = (saved / checkpoint.MANIFEST).read_text()
    told = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert text.count("\n") > len(told)
    assert (told["schema"], told["schema_version"]) == ("parity.checkpoint", 1)
    assert told["implementations"] == {
        "reference": {"steps": 6, "last_cost": 0.625},
        "torch-eager": {"steps": 3, "last_cost": 0.5},
    }
    assert told["descent"]["fingerprint"] == DESCENT.fingerprint
    assert told["descent"]["learning_rate"] == 1.2
    assert told["versions"]["numpy"] == np.__version__
    archive = saved / told["arrays"]["file"]
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == told["arrays"]["sha256"]
    with np.load(archive, allow_pickle=False) as arrays:
        assert arrays["reference/params/W1"].shape == (4, 2)
        assert arrays["torch-eager/costs"].shape == (3,)


def test_a_cost_that_is_not_finite_is_null_in_json(tmp_path: Path) -> None:
    reached = {
        "sklearn-loss": Reached(DESCENT.start, np.full(3, np.nan)),
        "reference": Reached(DESCENT.start, np.empty(0)),
    }
    checkpoint.save(tmp_path, DESCENT, reached)
    told = json.loads((tmp_path / checkpoint.MANIFEST).read_text())["implementations"]
    assert [of["last_cost"] for of in told.values()] == [None, None]
    assert same(checkpoint.load(tmp_path, DESCENT), reached)


def test_importing_it_imports_no_framework() -> None:
    _, loaded = run(MODULES, "parity.training.checkpoint")
    assert "numpy" in loaded
    assert {"torch", "jax", "sklearn", "scipy", "pandas", "rich", "flint", "reference"} & set(loaded) == set()


# SIGKILL


def printed(*arguments: object) -> list[object]:
    """What `tests.saving` prints, in a process of its own."""
    command = [sys.executable, "-m", "tests.saving", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
def test_killed_at_random_moments(tmp_path: Path) -> None:
    """The last complete checkpoint loads, or the one that was being committed; nothing that is half of each."""
    folder = tmp_path / "run"
    found = printed("kills", folder, KILLS)
    assert len(found) == KILLS
    for finished, loaded, _ in found:
        assert loaded in (finished, finished + 1) or (not finished and "holds no checkpoint" in loaded)
    assert any(finished for finished, _, _ in found)
    assert any(files > 2 for _, _, files in found), "no kill came in the midst of a save"
    checkpoint.save(folder, DESCENT, so_far(1000))
    assert len(content(folder)) == 2


def after_every_moment(folder: Path, before: int = 4, fault: str = "none") -> list[object]:
    """What loads after a save of step 5 was killed before its first dealing with files, its second, …"""
    return printed("moments", folder, before, fault)


@needs_fork
@pytest.mark.parametrize("before", [4, 0])
def test_killed_before_every_dealing_with_files(tmp_path: Path, before: int) -> None:
    found = ["none" if "holds no checkpoint" in str(what) else what for what in after_every_moment(tmp_path, before)]
    commit = found.index(5)
    assert commit > 10
    assert found == [before or "none"] * commit + [5] * (len(found) - commit)


@needs_fork
@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("in place", "is damaged"),
        ("committed first", "it is not there"),
        ("removed first", "it is not there"),
        ("never removed", "leftovers"),
    ],
)
def test_a_save_in_the_wrong_order_is_caught(tmp_path: Path, fault: str, line: str) -> None:
    assert any(line in str(what) for what in after_every_moment(tmp_path, fault=fault))


def test_on_the_disk_before_it_is_renamed(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes a commit outlast the power: file, name, folder; first the arrays, then what names them."""
    done: list[str] = []
    fsync, rename = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renamed(old: Path, new: Path) -> None:
        done.append(Path(new).suffix)
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    checkpoint.save(saved, DESCENT, so_far(7))
    assert done == ["file", ".npz", "folder", "file", ".json", "folder"]


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")
@pytest.mark.parametrize("other", [checkpoint.load, lambda *of: checkpoint.save(*of, so_far(8))])
def test_nobody_loads_or_saves_in_the_midst_of_a_save(
    saved: Path, monkeypatch: pytest.MonkeyPatch, other: Callable[..., object]
) -> None:
    """Otherwise the arrays of one would be removed by the other."""
    waited = []
    meanwhile = threading.Thread(target=other, args=(saved, DESCENT))

    def write(target: Path, content: str | bytes) -> None:
        if not waited:
            meanwhile.start()
            meanwhile.join(0.1)
            waited.append(meanwhile.is_alive())
        write_whole(target, content)

    monkeypatch.setattr(checkpoint, "write_whole", write)
    checkpoint.save(saved, DESCENT, so_far(7))
    meanwhile.join()
    assert waited == [True]
    assert checkpoint.load(saved, DESCENT)["reference"].steps in (7, 8)


# Going on


def trained(descent: Descent, start: Params, first: int, last: int) -> tuple[Params, np.ndarray]:
    """NumPy's steps; with mini-batches one at a time."""
    _, X, Y = descent.problem.inputs(descent.dtype)
    alpha, activations = descent.problem.learning_rate, descent.problem.activations
    assert alpha is not None
    if descent.batches is None:
        return shallow_network.train(start, X, Y, alpha, last - first, activations)
    params, costs = start, []
    for batch in descent.batches[first:last]:
        params, cost = shallow_network.train(params, X[:, batch], Y[:, batch], alpha, 1, activations)
        costs.append(cost)
    return params, np.concatenate(costs)


@pytest.mark.parametrize("batch_size", [None, 64, 1])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_going_on_gives_the_bits_of_going_through(tmp_path: Path, dtype: str, batch_size: int | None) -> None:
    through = Descent(catalogue.build("flower"), 60, dtype, batch_size=batch_size, batch_seed=3)
    params, costs = trained(through, through.start, 0, 60)
    until = replace(through, iterations=25)
    checkpoint.save(tmp_path, until, {"reference": Reached(*trained(until, until.start, 0, 25))})
    half = checkpoint.load(tmp_path, through)["reference"]
    assert half.steps == 25
    rest, more = trained(through, half.params, half.steps, 60)
    whole = Reached(rest, np.concatenate([half.costs, more]))
    assert same({"reference": whole}, {"reference": Reached(params, costs)})


def test_a_checkpoint_with_a_bit_wrong_goes_on_elsewhere(tmp_path: Path) -> None:
    """The test above can fail: the last bit of one weight is seen after 35 steps more."""
    params, costs = trained(DESCENT, DESCENT.start, 0, 25)
    off = params | {"W1": np.nextafter(params["W1"], np.inf)}
    checkpoint.save(tmp_path, DESCENT, {"reference": Reached(off, costs)})
    half = checkpoint.load(tmp_path, DESCENT)["reference"]
    assert params_bits(trained(DESCENT, half.params, 25, 60)[0]) != params_bits(trained(DESCENT, params, 25, 60)[0])


# What is refused

_batched = replace(DESCENT, batch_size=16)


def with_problem(**other: object) -> Descent:
    return replace(DESCENT, problem=replace(PROBLEM, **other))


@pytest.mark.parametrize(
    ("there", "here", "line"),
    [
        (DESCENT, replace(DESCENT, dtype="float32"), "descent: dtype float64 there, float32 here;"),
        (DESCENT, replace(DESCENT, device="cuda"), "descent: device cpu there, cuda here;"),
        (DESCENT, _batched, "descent: batch size none there, 16 here, batch seed none there, 0 here;"),
        (_batched, replace(_batched, batch_size=8), "descent: batch size 16 there, 8 here;"),
        (_batched, replace(_batched, batch_seed=1), "descent: batch seed 0 there, 1 here;"),
        (DESCENT, with_problem(learning_rate=1.2 + 2.0**-52), "descent: α 1.2 there, 1.2000000000000002 here;"),
        (DESCENT, with_problem(activations=("relu", "sigmoid")), "activations tanh,sigmoid there, relu,sigmoid here;"),
        (DESCENT, with_problem(X=PROBLEM.X + 1), f"descent: problem fingerprint {PROBLEM.fingerprint} there, "),
        (DESCENT, with_problem(Y=1 - PROBLEM.Y), f"descent: problem fingerprint {PROBLEM.fingerprint} there, "),
        (DESCENT, with_problem(params=so_far(1)["reference"].params), "descent: problem fingerprint "),
        (
            DESCENT,
            Descent(catalogue.build("wine_shallow"), 60),
            "descent: problem drawn there, wine_shallow here, layers",
        ),
        (DESCENT, Descent(catalogue.build("wine_deep"), 60), "model shallow_network there, deep_network here"),
    ],
)
def test_a_checkpoint_of_another_descent(tmp_path: Path, there: Descent, here: Descent, line: str) -> None:
    checkpoint.save(tmp_path, there, so_far(6, there))
    before = content(tmp_path)
    assert line in refused(checkpoint.load, tmp_path, here)
    assert line in refused(checkpoint.writable_folder, tmp_path, here)
    assert line in refused(checkpoint.save, tmp_path, here, so_far(7, here))
    assert content(tmp_path) == before


def test_more_steps_and_another_name_are_the_same_descent(saved: Path) -> None:
    for descent in (replace(DESCENT, iterations=1000), replace(DESCENT, batch_seed=1), with_problem(name="petals")):
        assert same(checkpoint.load(saved, descent), so_far(6))


def test_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "odd" / checkpoint.MANIFEST).mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "none", tmp_path / "file", tmp_path / "odd"):
        assert refused(checkpoint.load, folder, DESCENT).startswith(
            f"{folder} holds no checkpoint (descent.json): name"
        )


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    (tmp_path / "broken").symlink_to("nowhere")
    for path, line in {
        file: f"{file} is no folder: name one",
        file / "run": f"{file / 'run'} is no folder: name one",
        tmp_path / "broken": "broken is no folder: name one",
        tmp_path / "none" / "run": f"{tmp_path / 'none'} is no folder: make it first",
        tmp_path / ("x" * 300): "cannot be used: File name too long; name another folder",
        tmp_path: f"{tmp_path} holds broken and no checkpoint: name a folder that is empty or new",
    }.items():
        assert line in refused(checkpoint.writable_folder, path)
    assert sorted(os.listdir(tmp_path)) == ["broken", "file"]
    assert file.read_text() == "mine"


def test_only_what_saves_have_left_is_removed(saved: Path) -> None:
    leftovers = ["descent-3-0123456789abcdef.npz", ".descent-3-0123456789abcdef.npz.a1b2c3d_", ".descent.json.a1b2c3d_"]
    mine = [
        "notes.txt",
        "descent.json.old",
        "descent-best.npz",
        "my-descent-3-0123456789abcdef.npz",
        ".descent.json.swp",
    ]
    for name in (*leftovers, *mine):
        (saved / name).write_text(name)
    assert checkpoint.writable_folder(saved, DESCENT) == saved
    assert {*leftovers, *mine} < set(content(saved))
    checkpoint.save(saved, DESCENT, so_far(7))
    after = content(saved)
    assert {name: after[name].decode() for name in mine} == {name: name for name in mine}
    assert len(after) == len(mine) + 2
    assert same(checkpoint.load(saved, DESCENT), so_far(7))


def test_leftovers_make_room_first(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leftover = saved / ".descent-3-0123456789abcdef.npz.a1b2c3d_"
    leftover.touch()

    def write(target: Path, content: str | bytes) -> None:
        assert not leftover.exists()
        write_whole(target, content)

    monkeypatch.setattr(checkpoint, "write_whole", write)
    checkpoint.save(saved, DESCENT, so_far(7))


def test_a_folder_with_nothing_but_leftovers_is_free(tmp_path: Path) -> None:
    (tmp_path / ".descent.json.a1b2c3d_").touch()
    assert checkpoint.writable_folder(tmp_path) == tmp_path


LATER = replace(PROBLEM, params=so_far(1)["reference"].params)


def manifest_of(folder: Path) -> dict[str, object]:
    return json.loads((folder / checkpoint.MANIFEST).read_text())


def arrays_of(folder: Path) -> Path:
    (found,) = folder.glob("*.npz")
    return found


def edited(folder: Path, **keys: object) -> None:
    (folder / checkpoint.MANIFEST).write_text(json.dumps(manifest_of(folder) | keys))


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def signed(folder: Path, data: bytes) -> None:
    """Other arrays, with the digest that belongs to them."""
    arrays_of(folder).write_bytes(data)
    edited(folder, arrays={"file": arrays_of(folder).name, "sha256": hashlib.sha256(data).hexdigest()})


JSON_DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_text(""),
    "half": lambda path: path.write_text(path.read_text()[:200]),
    "zeros": lambda path: path.write_bytes(bytes(1000)),
    "a list": lambda path: path.write_text("[1]"),
    "too deep": lambda path: path.write_text("[" * 100_000),
    "latin-1": lambda path: path.write_bytes('{"problem": "Blüte"}'.encode("latin-1")),
    "steps": lambda path: edited(path.parent, implementations=["reference"]),
    "descent": lambda path: edited(path.parent, descent=None),
    "arrays": lambda path: edited(path.parent, arrays={}),
    "elsewhere": lambda path: edited(path.parent, arrays={"file": "../../secret.npz", "sha256": ""}),
}
ARRAYS_DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "one byte short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "one bit": flipped,
    "another": lambda path: path.write_bytes(checkpoint._archive(so_far(6, replace(DESCENT, problem=LATER)))),
    "no archive": lambda path: signed(path.parent, b"not an archive"),
    "half, signed": lambda path: signed(path.parent, path.read_bytes()[:1000]),
}


@pytest.mark.parametrize("what", JSON_DAMAGE)
def test_damaged_json(saved: Path, what: str) -> None:
    path = saved / checkpoint.MANIFEST
    JSON_DAMAGE[what](path)
    before = content(saved)
    for function, *arguments in (
        (checkpoint.load, DESCENT),
        (checkpoint.writable_folder,),
        (checkpoint.save, DESCENT, so_far(7)),
    ):
        line = refused(function, saved, *arguments)
        assert line.startswith(f"{path} is damaged (")
        assert line.endswith("): put a sound copy in its place, or begin anew in another folder")
    assert content(saved) == before


def test_json_cut_anywhere(saved: Path) -> None:
    path = saved / checkpoint.MANIFEST
    text = path.read_bytes()
    for length in range(0, len(text) - 1, 9):  # without the newline at its end it is whole
        path.write_bytes(text[:length])
        assert "is damaged" in refused(checkpoint.load, saved, DESCENT)


@pytest.mark.parametrize("what", ARRAYS_DAMAGE)
def test_damaged_arrays(saved: Path, what: str) -> None:
    path = arrays_of(saved)
    ARRAYS_DAMAGE[what](path)
    before = content(saved)
    assert refused(checkpoint.load, saved, DESCENT).startswith(f"{path} is damaged (")
    assert content(saved) == before


def test_another_schema(saved: Path) -> None:
    edited(saved, schema_version=2)
    assert "descent.json has schema version 2, and this program reads 1: use the parity" in refused(
        checkpoint.load, saved, DESCENT
    )
    edited(saved, schema="somebody.else")
    assert "is no checkpoint (parity.checkpoint): name another folder" in refused(checkpoint.load, saved, DESCENT)
    assert "is no checkpoint" in refused(checkpoint.save, saved, DESCENT, so_far(7))


def other_arrays(folder: Path, name: str, array: np.ndarray | None) -> None:
    """One array of the archive replaced, added, or (None) left out; JSON fits it."""
    path = arrays_of(folder)
    with np.load(path) as arrays:
        held = dict(arrays) | {name: array}
    np.savez(path, **{key: value for key, value in held.items() if value is not None})
    signed(folder, path.read_bytes())


@pytest.mark.parametrize(
    ("name", "array", "line"),
    [
        ("reference/params/W1", None, "reference has b1, W2, b2, expected W1, b1, W2, b2"),
        ("reference/params/W3", np.ones((4, 2)), "reference has W1, b1, W2, b2, W3, expected W1, b1, W2, b2"),
        ("reference/params/W1", np.ones((2, 4)), "W1 of reference has shape (2, 4), expected (4, 2)"),
        ("reference/params/b2", np.ones(1), "b2 of reference has shape (1,), expected (1, 1)"),
        ("reference/params/W1", np.ones((4, 2), np.float32), "W1 of reference is of float32, expected float64"),
        ("reference/params/W1", np.ones((4, 2), ">f8"), "W1 of reference is of >f8, expected float64"),
        ("reference/params/W1", np.full((4, 2), None), "Object arrays cannot be loaded"),
        ("reference/costs", np.ones(6, np.float32), "costs of reference is of float32, expected float64"),
        ("reference/costs", np.ones(5), "reference has costs of shape (5,), expected (6,)"),
        ("reference/costs", np.ones((6, 1)), "reference has costs of shape (6, 1), expected (6,)"),
        ("reference/costs", None, "reference has no costs, expected (6,)"),
        ("jax-jit/costs", np.ones(6), "it holds jax-jit/costs, which descent.json does not know"),
    ],
)
def test_arrays_that_do_not_belong_there(saved: Path, name: str, array: np.ndarray | None, line: str) -> None:
    other_arrays(saved, name, array)
    assert f".npz is damaged ({line}" in refused(checkpoint.load, saved, DESCENT).replace("ValueError: ", "")


def test_bfloat16_is_told_from_its_neighbours(tmp_path: Path) -> None:
    descent = replace(DESCENT, dtype="bfloat16")
    checkpoint.save(tmp_path, descent, so_far(6, descent))
    other_arrays(tmp_path, "reference/costs", np.ones(6, np.float16))
    assert "costs of reference is of float16, expected uint16" in refused(checkpoint.load, tmp_path, descent)


# A full disk, and permissions


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk does: the system refuses to write on."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100, 4096])
def test_no_room_for_the_arrays(saved: Path, size: int) -> None:
    before = content(saved)
    with files_of_at_most(size):
        line = refused(checkpoint.save, saved, DESCENT, so_far(2000))
    assert line.endswith(".npz could not be written: File too large")
    assert content(saved) == before
    assert same(checkpoint.load(saved, DESCENT), so_far(6))


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_no_room_at_any_time(saved: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """File and folder of the arrays, file and folder of the JSON: the last is after the commit.

    As many steps are saved as were there: only the content tells the arrays apart.
    """
    calls, synced = [0], os.fsync

    def full(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] == at:
            raise OSError(28, "No space left on device")
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    other = {name: replace(r, params=so_far(7)["reference"].params) for name, r in so_far(6).items()}
    assert "could not be written: No space left on device" in refused(checkpoint.save, saved, DESCENT, other)
    committed = at == 4
    assert same(checkpoint.load(saved, DESCENT), other if committed else so_far(6))
    assert len(content(saved)) == (3 if committed else 2), "the arrays before stay until the commit is on the disk"


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """On one with room for no page more, for one, for two, …: arrays and JSON need one each."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare here: nothing can be mounted for this test alone")
    command = [unshare, "--mount", "--map-root-user", sys.executable, "-m", "tests.saving", "full", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.stderr.startswith("unshare:") or done.stdout == "null\n":
        pytest.skip("this user may not mount a small disk")
    assert done.returncode == 0, done.stderr
    full = " No space left on device"
    assert json.loads(done.stdout) == [f".npz{full}", f".json{full}", "saved", "saved"]


def test_an_interrupt_leaves_nothing_behind(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    before = content(saved)
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(saved, DESCENT, so_far(7))
    assert content(saved) == before
    with pytest.raises(KeyboardInterrupt):
        write_whole(saved / "file", "text")
    assert content(saved) == before


@contextmanager
def a_user_who_may_not() -> Iterator[Path]:
    """A folder of an ordinary user's, and for root to be one meanwhile: nothing is denied to root."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        root = hasattr(os, "setresuid") and os.geteuid() == 0
        if root:
            os.chown(name, 65534, -1)
            os.setresuid(65534, 65534, 0)
        try:
            yield Path(name)
        finally:
            if root:
                os.setresuid(0, 0, 0)
            for path in Path(name).rglob("*"):
                path.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_permission_denied() -> None:
    with a_user_who_may_not() as top:
        folder = checkpoint.writable_folder(top / "run")
        checkpoint.save(folder, DESCENT, so_far(6))
        before = content(folder)
        folder.chmod(0o555)
        assert refused(checkpoint.writable_folder, folder).endswith(
            "run cannot be written: permission denied; name another folder"
        )
        assert refused(checkpoint.writable_folder, folder / "in").endswith(
            "in cannot be used: Permission denied; name another folder"
        )
        assert "could not be written: Permission denied" in refused(checkpoint.save, folder, DESCENT, so_far(7))
        assert same(checkpoint.load(folder, DESCENT), so_far(6))
        assert content(folder) == before
        for path in (arrays_of(folder), folder / checkpoint.MANIFEST):
            path.chmod(0)
            assert refused(checkpoint.load, folder, DESCENT) == f"{path} cannot be read: Permission denied"
        folder.chmod(0)
        assert "cannot be read: Permission denied" in refused(checkpoint.load, folder, DESCENT)
        assert "cannot be used: Permission denied" in refused(checkpoint.writable_folder, folder)


# Files


@pytest.mark.parametrize("content", ["γ\r\n", b"\x00\xff\r\n"])
def test_text_and_bytes_are_written_as_they_are(tmp_path: Path, content: str | bytes) -> None:
    target = tmp_path / "file"
    for _ in range(2):
        write_whole(target, content)
    assert target.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [target]
