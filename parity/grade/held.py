"""A quantity held to a formula: whether it is inside its bound."""

from __future__ import annotations

import numpy as np

from parity.grade.bounded import Bounded
from parity.grade.formulas import UNEVEN, Pass

ROWS = ("Z", "A", "dZ", "dA")
"""With one unit they may be rows without a second axis."""

SCALED = ("dZ", "dA")
"""They may hold 1/m already."""


def aligned(value: np.ndarray, shape: tuple[int, ...], row: bool = False) -> np.ndarray | None:
    """The value in that shape, if it has it: one number has any, a row of one unit may have one axis."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return None
    single = array.size == 1 and int(np.prod(shape)) == 1
    flat = row and len(shape) == 2 and shape[0] == 1 and array.shape == shape[1:]
    return array.reshape(shape).astype(np.longdouble) if array.shape == shape or single or flat else None


def within(value: np.ndarray, target: Bounded, row: bool = False) -> bool:
    """Whether every element is inside its bound; where there is none, or no number is right, all are."""
    found = aligned(value, target.shape, row)
    if found is None:
        return False
    with np.errstate(all="ignore"):
        close = (found == target.value) | (np.abs(found - target.value) <= target.error)
        if close.all():
            return True
        close |= np.isinf(found) & (np.sign(found) == np.sign(target.value)) & (target.reach >= target.of.largest)
    return bool(np.all(close | ~np.isfinite(target.error) | np.isnan(target.value)))


def explains(target: Bounded, value: np.ndarray) -> bool | None:
    """Whether a mistake's formula gives the value, whatever axes of length 1 there are; None where it says nothing."""
    array = np.asarray(value)
    if np.squeeze(array).shape != np.squeeze(target.value).shape:
        return False
    array = array.reshape(target.shape)
    if not within(array, target) or not np.all(np.isnan(array) | ~np.isnan(target.value)):
        return False
    return True if np.any(np.isfinite(target.error) & ~np.isnan(target.value)) else None


def local(p: Pass, name: str) -> Pass:
    """The pass with the m of the function in which the quantity was found."""
    seen = p.seen.get(name)
    own = p.seen.get(f"m@{seen.function}") if seen else None
    if own is None or np.size(own.value) != 1 or not float(np.ravel(own.value)[0]) > 0:
        return p
    there = p.copied()
    there.m = int(np.ravel(own.value)[0])
    return there


def evaluated(p: Pass, name: str) -> list[Bounded]:
    """All that the formula may give; nothing where shapes do not fit."""
    try:
        return p.rights(name)
    except UNEVEN:
        return []


def saturated(p: Pass) -> np.ndarray:
    """Where a probability has rounded to 0 or 1, or may have."""
    A = p[f"A{p.L}"]
    one = A.of.u + A.error
    near: np.ndarray = (A.value <= one) | (A.value >= 1 - one)
    return near
