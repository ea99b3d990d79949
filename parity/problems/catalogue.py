"""Every problem by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from parity.problems import MODELS, Problem, edge, exact, notes, real

GROUPS: dict[str, dict[str, Callable[[], Problem]]] = {
    "real": real.PROBLEMS,
    "exact": exact.PROBLEMS,
    "notes": notes.PROBLEMS,
    "edge": edge.PROBLEMS,
}

NAMES: tuple[str, ...] = tuple(name for group in GROUPS.values() for name in group)


@cache
def build(name: str) -> Problem:
    """The problem called `name`; an exact one proves that it is.

    Raises
    ------
    KeyError
        No problem has that name.
    """
    for group in GROUPS.values():
        if name in group:
            return group[name]()
    raise KeyError(name)


def in_order(problems: list[Problem]) -> list[Problem]:
    """By model as in the notes, then as in the catalogue."""
    return sorted(problems, key=lambda problem: MODELS.index(problem.model))
