"""What a wrong value is, where it is a well-known mistake: each is a formula, held against what was computed.

A label is given only where every element is explained within its bound, and 'unknown' where nothing explains all of
them. Where several do, three are named. A single number meets many mistakes by chance, and a wrong name is worse than
none: there a label also needs that so many mistakes would not have met it anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.local import rounded, targets
from parity.mistakes import KINK, UNCHANGED, Named, general, of_formula, slack
from parity.mistakes import Difference as Difference
from parity.problems import NETWORKS
from parity.problems.exactness import lowest_bit

UNKNOWN = "unknown"


def resemblance(difference: Difference) -> str:
    """The mistakes that explain every element, joined by 'or'; else what can be said of where it differs."""
    d = difference
    if not np.all(np.isfinite(d.computed)):
        return "not finite"
    with np.errstate(all="ignore"):  # a mistaken formula may do anything
        anywhere, here = list(general(d)), list(of_formula(d))
        known = _Values(d, [candidate for _, candidate in (*anywhere, *here)])
        found = known.names(anywhere) or known.names(here)
        rest = "" if found else _precision(d) or _place(d) or UNKNOWN
    kinks = [name for name in found if name.startswith(KINK)]
    names = list(dict.fromkeys(kinks or found))
    return " or ".join(names[:3] + ["others"] * (len(names) > 3)) or rest


def _explains(d: Difference, candidate: np.ndarray | float) -> bool:
    """Whether every element is within its bound of the candidate's, the bound scaled alike, and the target is not.

    The candidate may have been rounded four times more than the right formula, which is 4u of it.
    """
    candidate = np.asarray(candidate, dtype=np.float64)
    if candidate.shape not in ((), d.computed.shape) or not np.all(np.isfinite(candidate)):
        return False
    near = slack(d, candidate)
    return bool(np.all(np.abs(d.computed - candidate) <= near)) and bool(np.any(np.abs(d.target - candidate) > near))


class _Values:
    """What all known mistakes make of a quantity, for the question whether one of them was met by chance.

    Take a number of which nothing is known but its size, or the size of its distance from the target: between half and
    twice the candidate's. It meets some mistake with a chance that is the share of that range which they cover, each
    with its slack. So does one on a coarser grid than the format's, such as the integers, where the cells count in
    which there is a candidate: the grid of a number is its lowest bit. The chance must be less than 1/n for n mistakes.
    """

    def __init__(self, d: Difference, candidates: list[np.ndarray | float]) -> None:
        self.d, self.single = d, d.computed.size == 1
        if self.single:
            values = np.array([np.ravel(c)[0] for c in candidates if np.size(c) == 1], dtype=np.float64)
            self.values = np.unique(values[np.isfinite(values)])
            near = np.array([float(slack(d, np.full(d.computed.shape, v)).flat[0]) for v in self.values])
            self.widths = np.maximum(2 * near, lowest_bit(np.abs(d.computed)).flat[0])

    def names(self, candidates: list[Named]) -> list[str]:
        """Of those that explain the difference, and not by chance; that a parameter comes back as it was is none."""
        found = [(name, c) for name, c in candidates if _explains(self.d, c)]
        return [name for name, c in found if not self.single or name == UNCHANGED or not self._by_chance(c)]

    def _by_chance(self, candidate: np.ndarray | float) -> bool:
        value, target = float(np.asarray(candidate).flat[0]), float(self.d.target.flat[0])
        return value != 0 and any(self._covered(value, origin) for origin in (0.0, target))

    def _covered(self, value: float, origin: float) -> bool:
        size, sizes = abs(value - origin), np.abs(self.values - origin)
        covered = self.widths[(2 * sizes >= size) & (sizes <= 2 * size)].sum()
        return bool(covered * len(self.values) >= 3 * size)  # from −2 to −1/2 and from 1/2 to 2 times the size


PRECISIONS = {"bfloat16": 8, "TF32/float16": 11, "float32": 24}
"""Bits of the significand, for the narrower arithmetic that may hide inside a wider one; what fits 8 bits fits 11."""


def _precision(d: Difference) -> str:
    """The narrower arithmetic that shows: the result has no more bits, or rounded inputs explain the error.

    What is wrong for another reason is in the way of neither, so both are asked for in all elements. A bias is taken
    off before, and a factor 1/m, since they may be applied in the wide format.
    """
    error = np.abs(d.computed - d.target)
    near = d.bound + 4 * d.fmt.u * np.abs(d.target)
    narrower = {
        name: bits
        for name, bits in PRECISIONS.items()
        if bits < d.fmt.p and np.all(error <= np.ldexp(near, d.fmt.p - bits))
    }
    for name, bits in narrower.items():
        if d.computed.size == 1 and bits < PRECISIONS["float32"]:
            continue  # one number may have few bits by chance
        if any(_has_bits(d, value, bits) for value in _undone(d)):
            return f"{name} inside {d.fmt.name}"
    for name, bits in narrower.items():
        if d.computed.size > 1 and d.problem.model in NETWORKS and not d.problem.iterations:
            of_rounded = targets(d.problem, d.fmt.name, dict(d.inputs), bits).get(d.quantity)
            if of_rounded is not None and _explains(d, of_rounded):
                return f"inputs in {name} inside {d.fmt.name}"
    return ""


def _undone(d: Difference) -> Iterator[np.ndarray]:
    """What was computed, before what may have been done to it in the wide format."""
    yield d.computed
    if d.computed.size > 1:
        yield d.computed * d.problem.m
    if d.quantity.startswith("Z"):
        yield d.computed - np.asarray(d.problem.inputs(d.fmt.name)[0][f"b{d.quantity[1:]}"], np.float64)


def _has_bits(d: Difference, value: np.ndarray, bits: int) -> bool:
    """Whether no element has more bits, but for the rounding that it was undone with, and the targets have."""
    spare = 2 * d.fmt.u * np.maximum(np.abs(value), np.abs(d.computed))
    short = np.abs(value - rounded(value, bits)) <= spare
    return bool(np.all(short)) and not np.array_equal(d.target, rounded(d.target, bits))


def _place(d: Difference) -> str:
    """Where it differs, if that is a part of it: one element, one row, one column."""
    outside = np.abs(d.computed - d.target) > d.bound
    if outside.ndim < 2 or outside.size == 1:
        return ""
    if np.count_nonzero(outside) == 1:
        part = float(((d.computed - d.target) / d.target)[outside][0])
        return "one element alone" + (f", off by {part:+.1e} of itself" if np.isfinite(part) else "")
    for axis, what in ((1, "row"), (0, "column")):
        where = np.flatnonzero(outside.any(axis))
        if len(where) == 1 and outside.shape[1 - axis] > 1:
            return f"{what} {where[0]} alone"
    return ""
