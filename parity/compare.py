"""Verdicts: what an implementation computed, against the exact value and the bound that rounding alone can reach.

1. bits      every element is the exact value rounded to nearest. Required on exact problems. The sign of a zero is not
             looked at: it says whether a mask multiplied or selected.
2. rounding  every element is within its bound of the exact value. Required on all other problems.
3. differs   neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from parity.formats import FORMATS, Format
from parity.oracle import Exact, exact
from parity.problems import Problem
from parity.rounding import bounds

BITS, ROUNDING, DIFFERS = "bits", "rounding", "differs"


@dataclass(frozen=True)
class Comparison:
    """The verdict on one quantity.

    Attributes
    ----------
    quantity, verdict : str
        Its name in the notes; bits, rounding or differs.
    ulps, element_ulps : float
        The worst error in units in the last place of the quantity's largest element, and of the element itself.
    share : float
        The worst error as a share of its bound; 0 for bits, nan where there is no bound.
    index : tuple of int
        Of the element that is furthest beyond its bound, or nearest to it.
    value, exact, error, bound : float
        Of that element.
    looks_like : str
        For a quantity that differs: what the difference matches, or "unknown".
    """

    quantity: str
    verdict: str
    ulps: float = 0.0
    element_ulps: float = 0.0
    share: float = 0.0
    index: tuple[int, ...] = ()
    value: float = np.nan
    exact: float = np.nan
    error: float = np.nan
    bound: float = np.nan
    looks_like: str = ""


@dataclass(frozen=True)
class Standard:
    """What the quantities of a problem in one format must be: exact values and bounds, worked out once."""

    problem: Problem
    fmt: Format
    exact: dict[str, Exact]
    bounds: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem, dtype: str) -> Standard:
        """The standard of `problem` in `dtype`; an exact problem needs no bounds."""
        values = exact(problem, dtype)
        return cls(problem, FORMATS[dtype], values, {} if problem.exact else bounds(problem, dtype, values))

    def compare(self, found: dict[str, np.ndarray]) -> Iterator[Comparison]:
        """A verdict for every quantity found, in the order of computation."""
        for name in sorted(found, key=lambda name: list(self.exact).index(name) if name in self.exact else -1):
            yield self.compare_one(name, found[name])

    def compare_one(self, name: str, value: np.ndarray) -> Comparison:
        """The verdict on one quantity: its shape and dtype first, then its elements."""
        differs = partial(Comparison, name, DIFFERS, np.inf, np.inf, np.inf)
        if name not in self.exact:
            return differs(looks_like=f"{self.problem.name} has no {name}")
        true = self.exact[name]
        if value.shape != true.high.shape:
            return differs(looks_like=f"shape {value.shape}, not {true.high.shape}")
        if value.dtype != self.fmt.dtype:
            return differs(looks_like=f"dtype {value.dtype}, not {self.fmt.name}")
        computed = value.astype(np.float64)
        return self._verdict(name, computed, true, np.abs(true.error_of(computed)))

    def _verdict(self, name: str, computed: np.ndarray, true: Exact, error: np.ndarray) -> Comparison:
        fmt = self.fmt
        with np.errstate(over="ignore"):
            nearest = true.high.astype(fmt.dtype).astype(np.float64)
        bound = np.zeros_like(error) if self.problem.exact else self.bounds[name]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(error == 0, 0.0, error / bound)  # a nan, wherever it comes from, stays one and is worst
        largest = fmt.ulp(np.max(np.abs(true.high), initial=0))
        worst = int(np.argmax(share)) if share.size else 0
        same = np.array_equal(computed, nearest)
        inside = bool(np.all(np.isfinite(computed) & (error <= bound)))
        verdict = BITS if same else ROUNDING if inside and not self.problem.exact else DIFFERS
        return Comparison(
            name,
            verdict,
            float(np.max(error, initial=0) / largest),
            float(np.max(error / fmt.ulp(true.high), initial=0)),
            0.0 if same else float(share.flat[worst]),
            tuple(int(i) for i in np.unravel_index(worst, share.shape)),
            float(computed.flat[worst]),
            float(true.high.flat[worst]),
            float(error.flat[worst]),
            float(bound.flat[worst]),
            resemblance(self.problem, computed, true.high, bound) if verdict == DIFFERS else "",
        )


def resemblance(problem: Problem, computed: np.ndarray, true: np.ndarray, bound: np.ndarray) -> str:
    """What a wrong value is, if it is a well-known transformation of the right one, within the bound scaled alike."""
    if not np.all(np.isfinite(computed)):
        return "not finite"
    n_x = problem.X.shape[0]
    factors = {
        "a sign": -1.0, "a factor m": float(problem.m), "a factor 1/m": 1 / problem.m, "a factor 2": 2.0,
        "a factor 1/2": 0.5, "a factor m/n_x": problem.m / n_x, "a factor n_x/m": n_x / problem.m, "zero": 0.0,
    }  # fmt: skip
    for what, factor in factors.items():
        if factor != 1 and _within(computed, factor * true, abs(factor) * bound):
            return what
    if true.ndim == 2 and true.shape[0] == true.shape[1] and _within(computed, true.T, bound.T):
        return "a transpose"
    for fmt in FORMATS.values():
        with np.errstate(over="ignore"):
            narrower = np.array_equal(computed, computed.astype(fmt.dtype).astype(np.float64))
        reach = fmt.u * np.max(np.abs(true), initial=0) * problem.X.size  # where a sum of so many terms may end up
        if fmt.p < FORMATS["float64"].p and narrower and _within(computed, true, reach):
            return f"{fmt.name} inside a wider format"
    return "unknown"


def _within(computed: np.ndarray, target: np.ndarray, bound: np.ndarray | float) -> bool:
    """Whether every element is within its bound of the target, the target's own rounding to float64 included."""
    return bool(np.all(np.abs(computed - target) <= bound + FORMATS["float64"].u * 2 * np.abs(target)))
