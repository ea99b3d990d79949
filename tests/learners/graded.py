"""Grades a text in this process: what is planted is known, and needs no process of its own."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from parity.grade import names
from parity.grade.catalogue import BY_ID
from parity.grade.findings import Graded
from parity.grade.grade import DTYPES, grade
from parity.grade.record import Source
from parity.grade.room import Here
from tests.learners.planted import Planted


def graded(text: str, exercise: str | Sequence[str], dtypes: Sequence[str] = DTYPES) -> Graded:
    """What is said of a file with this text."""
    exercises = (exercise,) if isinstance(exercise, str) else tuple(exercise)
    return graded_source(Source("learner.py", text, ast.parse(text)), exercises, dtypes)


def graded_source(source: Source, exercises: Sequence[str] = (), dtypes: Sequence[str] = DTYPES) -> Graded:
    """What is said of a file that has been read; without exercises, of those that it holds."""
    with Here(source) as room:
        return grade(source, room, tuple(exercises) or names.exercises(source, room.inventory), dtypes)


def graded_planted(entry: Planted, dtypes: Sequence[str] = DTYPES) -> Graded:
    """What is said of a planted file: of its exercise, and of its initialisation where the mistake is there."""
    initialised = set(BY_ID[entry.mistake].of) & {"W", "b"}
    return graded(entry.text, (entry.exercise, *(["initialization"] if initialised else [])), dtypes)
