"""Checkpoints: what is saved is what is loaded, and it goes on with the same bits; another descent's is refused."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity.files import write_whole
from parity.formats import FORMATS
from parity.problems import catalogue
from parity.training import Descent, Params, Reached, checkpoint
from reference import shallow_network
from tests.checkpoints import kept
from tests.saving import DESCENT, PROBLEM, bits, content, same, so_far
from tests.shared import refused
from tests.test_imports import MODULES, run


def params_bits(params: Params) -> list[tuple[object, ...]]:
    return bits(Reached(params, np.empty(0)))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return kept(tmp_path / "run")


# What is saved is what is loaded


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("problem", ["flower", "wine_logistic", "digits_deep"])
def test_every_bit_comes_back(tmp_path: Path, problem: str, dtype: str) -> None:
    descent, of = Descent(catalogue.build(problem), 60, dtype), FORMATS[dtype].dtype
    special = np.array([-0.0, FORMATS[dtype].smallest_normal / 2, 1 / 3, np.inf, -np.nan]).astype(of)
    params = {name: np.resize(special[:3], p.shape) for name, p in descent.start.items()}
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
        file / "run": f"{file} is no folder: make it first",
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
