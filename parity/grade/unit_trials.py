"""A call of an activation function or a derivative, what should come of it, and what came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from parity.formats import FORMATS
from parity.grade.record import Function, Played
from parity.grade.unit_bounds import Pair
from parity.grade.unit_calls import first_array

Formula = Callable[[np.ndarray, str], Pair]


@dataclass(frozen=True)
class Trial:
    """A call, what should come of it, and what came.

    Attributes
    ----------
    name : str
        "moderate", "special", "saturated", "integer", "number", "large number".
    Z, dA : array
        What it was given; dA is 1 where it takes none.
    """

    name: str
    dtype: str
    Z: np.ndarray
    dA: np.ndarray
    played: Played | None = None

    @property
    def value(self) -> np.ndarray | None:
        """What was returned, in the shape of Z where it is a single number."""
        found = first_array(self.played.returned) if self.played else None
        return found.reshape(self.Z.shape) if found is not None and found.size == self.Z.size == 1 else found

    @property
    def single(self) -> bool:
        """Whether it is no array."""
        return self.Z.ndim == 0

    def of(self, formula: Formula) -> Pair:
        """Its values at Z times dA, with one rounding more for that product."""
        value, bound = formula(self.Z, self.dtype)
        if np.all(self.dA == 1):
            return value, bound
        dA, fmt = self.dA.astype(np.longdouble), FORMATS[self.dtype]
        E = np.abs(dA) * (bound * (1 + fmt.u) + fmt.u * np.abs(value))
        return dA * value, np.asarray(E, np.float64) + fmt.smallest_normal


@dataclass(frozen=True)
class Subject:
    """A function, the formula that it is held to, and what it would be with a mistake in it.

    Attributes
    ----------
    takes : str
        "Z", "A" or "dA".
    kink : (float, float) or None
        The slopes at 0 that are a convention.
    """

    g: str
    quantity: str
    function: Function
    takes: str
    formula: Formula
    kink: tuple[float, float] | None = None


def within(subject: Subject, trial: Trial, formula: Formula) -> np.ndarray:
    """Where the values are those of a formula; at a kink, any slope between those of its sides."""
    assert trial.value is not None
    value = trial.value.astype(np.longdouble)
    target, bound = trial.of(formula)
    with np.errstate(invalid="ignore"):
        near = np.abs(value - target) <= bound
        if subject.kink and subject.takes != "A":
            low, high = np.sort([subject.kink[0] * trial.dA, subject.kink[1] * trial.dA], axis=0)
            near = np.where(trial.Z == 0, (value >= low - bound) & (value <= high + bound), near)
    return near


def seen(subject: Subject, trial: Trial) -> tuple[str, str]:
    """What differs, and an element."""
    assert trial.value is not None
    target, _ = trial.of(subject.formula)
    wrong = ~within(subject, trial, subject.formula)
    i = tuple(int(k) for k in np.argwhere(wrong)[0])
    value, right = float(trial.value[i]), float(target[i])
    kind = f" of {trial.value.dtype.name}" if trial.value.dtype.kind in "iu" else ""
    symptom = f"{int(wrong.sum())} of {wrong.size} values{kind} {'is' if wrong.sum() == 1 else 'are'} wrong"
    given = "a" if subject.takes == "A" else "z"
    shown = f"at {given} = {float(trial.Z[i]):.6g} it gives {value:.6g}, its formula {right:.6g}"
    if subject.takes == "dA":
        shown = f"at z = {float(trial.Z[i]):.6g}, dA = {float(trial.dA[i]):.6g} it gives {value:.6g}, not {right:.6g}"
    return symptom, shown
