"""How a file with one mistake is made: a right one, and texts to exchange in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

BASES = Path(__file__).parent / "bases"
BOTH = ("float64", "float32")
ONLY_64 = ("float64",)

Substitution = tuple[str, str]


@cache
def base(name: str) -> str:
    """A right file: base("shallow_course")."""
    return (BASES / f"{name}.py.txt").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Planted:
    """A file with one mistake.

    Attributes
    ----------
    mistake : str
        Its id in the catalogue.
    quantity : str
        Where it is made, in the notes' names: "dW1"; a function's name where it is no formula.
    base : str
        The right file: "shallow_course", its exercise first and its names last.
    substitutions : tuple of (old text, new text)
        Each old text occurs once.
    note : str
        What has to be known of it.
    dtypes : tuple of str
        Those in which it is seen.
    """

    mistake: str
    quantity: str
    base: str
    substitutions: tuple[Substitution, ...]
    note: str = ""
    dtypes: tuple[str, ...] = BOTH

    @property
    def exercise(self) -> str:
        """The logistic, shallow or deep one."""
        return self.base.split("_")[0]

    @property
    def names(self) -> str:
        """The course's, or own: this project's."""
        return self.base.split("_")[-1]

    @property
    def text(self) -> str:
        """The file.

        Raises
        ------
        ValueError
            An old text does not occur once.
        """
        return substituted(base(self.base), self.substitutions)

    def __str__(self) -> str:
        return f"{self.mistake}-{self.quantity}-{self.base}"


def substituted(text: str, substitutions: Iterable[Substitution]) -> str:
    """The text with each old text exchanged for the new one."""
    for old, new in substitutions:
        if (times := text.count(old)) != 1:
            raise ValueError(f"{old!r} occurs {times} times, expected once")
        text = text.replace(old, new)
    return text


@dataclass(frozen=True)
class Row:
    """A line of a table: a mistake, where it is made, and the texts to exchange: old, new, old, new, …"""

    mistake: str
    quantity: str
    texts: tuple[str, ...]
    note: str = ""
    dtypes: tuple[str, ...] = BOTH


def row(mistake: str, quantity: str, *texts: str, note: str = "", dtypes: tuple[str, ...] = BOTH) -> Row:
    """A line of a table."""
    return Row(mistake, quantity, texts, note, dtypes)


def planted(name: str, *rows: Row) -> tuple[Planted, ...]:
    """What is planted in a base."""
    return tuple(
        Planted(r.mistake, r.quantity, name, tuple(zip(r.texts[::2], r.texts[1::2], strict=True)), r.note, r.dtypes)
        for r in rows
    )


def twice(entries: Iterable[Planted]) -> list[str]:
    """Those whose names are not their own."""
    return [name for name, times in Counter(map(str, entries)).items() if times > 1]
