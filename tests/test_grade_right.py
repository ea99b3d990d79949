"""Right files, in whatever manner, give no finding; what is a convention is noted."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from parity.grade.source import read
from tests.learners.graded import graded, graded_source
from tests.learners.right import AS_PUBLISHED, INCIDENTAL, RIGHT, Right


@pytest.mark.parametrize("file", [*RIGHT, *AS_PUBLISHED], ids=str)
def test_no_false_alarm(file: Right, tmp_path: Path) -> None:
    if find_spec(file.framework) is None:
        pytest.skip(f"{file.framework} is not installed")
    path = tmp_path / file.path.stem
    path.write_bytes(file.path.read_bytes())
    found = graded_source(read(str(path)))
    assert set(file.exercises) <= set(found.exercises)
    assert not found.findings
    assert found.status == 0
    assert {note.convention for note in found.notes} - INCIDENTAL == set(file.notes)
    right = {quantity for scores in found.scores.values() for quantity, score in scores.items() if score}
    assert set(file.graded.split()) <= right


@pytest.mark.parametrize(("names", "told"), [("shallow_course", True), ("shallow_stable", False)])
def test_a_cost_from_probabilities_is_noted(names: str, told: bool) -> None:
    """It is infinite where one of them has rounded to 0 or 1; by the logits it is not."""
    (file,) = [file for file in RIGHT if file.name == names]
    found = graded(file.path.read_text(encoding="utf-8"), "shallow", ("float64",))
    assert ("cost_from_probabilities" in {note.convention for note in found.notes}) == told
