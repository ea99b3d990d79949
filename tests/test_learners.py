"""The learners' files by themselves, without the grader: each planted mistake computes something else than its base."""

from __future__ import annotations

from functools import cache

import pytest

from parity.grade.catalogue import CATALOGUE
from parity.grade.probes import probes
from tests.learners import PLANTED, Planted
from tests.learners.drive import Results, played, same
from tests.learners.planted import base, substituted, twice


@cache
def right(name: str, probe: int, dtype: str) -> Results:
    return played(base(name), probes(name.split("_")[0], dtype)[probe])


def differs(entry: Planted, dtype: str) -> bool:
    """Whether there is a probe on which the planted file does something else than its base."""
    text = entry.text
    return any(
        not same(played(text, probe), right(entry.base, i, dtype))
        for i, probe in enumerate(probes(entry.exercise, dtype))
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("exercise", ["logistic", "shallow", "deep"])
def test_every_planted_mistake_shows_on_a_probe(exercise: str, dtype: str) -> None:
    entries = [entry for entry in PLANTED if entry.exercise == exercise and dtype in entry.dtypes]
    assert not [str(entry) for entry in entries if not differs(entry, dtype)]


def test_every_entry_of_the_catalogue_is_planted_wherever_it_can_be_made() -> None:
    wanted = {(c.id, exercise, names) for c in CATALOGUE for exercise in c.exercises for names in ("course", "own")}
    assert {(entry.mistake, entry.exercise, entry.names) for entry in PLANTED} == wanted


def test_no_two_entries_have_the_same_name_or_text() -> None:
    assert not twice(PLANTED)
    assert len({entry.text for entry in PLANTED}) == len(PLANTED)


def test_a_text_that_does_not_occur_once_is_refused() -> None:
    for text in ("dW = 1", "db = 1, db = 1"):
        with pytest.raises(ValueError, match="occurs"):
            substituted(text, [("db = 1", "db = 2")])
