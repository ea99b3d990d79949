"""Checkpoints: damage of every kind is refused in one line, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity.training import checkpoint
from tests.checkpoints import arrays_of, edited, flipped, kept, manifest_of, other_arrays, signed
from tests.saving import DESCENT, PROBLEM, content, so_far
from tests.shared import refused

LATER = replace(PROBLEM, params=so_far(1)["reference"].params)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return kept(tmp_path / "run")


JSON_DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_text(""),
    "half": lambda path: path.write_text(path.read_text()[:200]),
    "zeros": lambda path: path.write_bytes(bytes(1000)),
    "a list": lambda path: path.write_text("[1]"),
    "too deep": lambda path: path.write_text("[" * 100_000),
    "latin-1": lambda path: path.write_bytes('{"problem": "Blüte"}'.encode("latin-1")),
    "steps": lambda path: edited(path.parent, implementations=["reference"]),
    "steps as 6.0": lambda path: edited(path.parent, implementations={"reference": {"steps": 6.0}}),
    "steps as true": lambda path: edited(path.parent, implementations={"reference": {"steps": True}}),
    "steps below none": lambda path: edited(path.parent, implementations={"reference": {"steps": -1}}),
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
    for other in ("1", True, 1.0):
        edited(saved, schema_version=other)
        assert f"has schema version {other!r}, and this program reads 1" in refused(checkpoint.load, saved, DESCENT)
    edited(saved, schema="somebody.else")
    assert "is no checkpoint (parity.checkpoint): name another folder" in refused(checkpoint.load, saved, DESCENT)
    assert "is no checkpoint" in refused(checkpoint.save, saved, DESCENT, so_far(7))


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
        ("reference/params/W1", np.full((4, 2), np.nan), "W1 of reference holds a value that is not finite"),
        ("reference/params/b2", np.full((1, 1), -np.inf), "b2 of reference holds a value that is not finite"),
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


@pytest.mark.parametrize("key", ["descent", "schema_version", "implementations", "arrays"])
def test_what_is_quoted_from_a_file_is_short(saved: Path, key: str) -> None:
    """It may hold a megabyte where a word is expected."""
    long = "x" * 10**6
    described = {**manifest_of(saved)["descent"], "model": long, "layers": [1] * 10**5}
    edited(saved, **{
        key: {
            "descent": described, "schema_version": long, "implementations": {long: {"steps": 6}},
            "arrays": {"file": long, "sha256": long},
        }[key]
    })  # fmt: skip
    assert len(refused(checkpoint.load, saved, DESCENT)) < 400 + len(str(saved))
