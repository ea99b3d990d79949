"""Each mistake of the catalogue, written as a learner's file, is named, and no other.

The suite takes one file of each mistake and exercise, in both kinds of names and both formats by turns;
`python -m tests.grade_matrix` takes them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.grade_matrix import CASES, sample, wrong
from tests.grade_pairs import pairs
from tests.learners import PLANTED, Planted
from tests.learners.right import AS_PUBLISHED, RIGHT


@pytest.mark.parametrize(("entry", "dtype"), sample(CASES), ids=str)
def test_the_mistake_is_named_and_no_other(entry: Planted, dtype: str) -> None:
    assert not wrong(entry, dtype)


def test_the_sample_has_every_mistake_in_each_exercise_and_all_names_and_formats() -> None:
    taken = sample(CASES)
    assert {(e.mistake, e.exercise) for e, _ in taken} == {(e.mistake, e.exercise) for e, _ in CASES}
    assert len({(e.exercise, e.names, dtype) for e, dtype in taken}) == 3 * 2 * 2


def test_a_file_without_its_mistake_is_seen() -> None:
    assert wrong(Planted("missing_1_over_m", "dW2", "shallow_course", ()), "float64")


def test_the_documentation_counts_what_is_planted() -> None:
    text = " ".join((Path(__file__).parents[1] / "docs" / "grading.md").read_text(encoding="utf-8").split())
    files, of_pairs = sum(len(entry.dtypes) for entry in PLANTED), len(pairs())
    assert f"{files} of {files} are given their own name" in text
    assert f"of {of_pairs} files" in text
    assert f"{len(RIGHT) + len(AS_PUBLISHED)} right files" in text
