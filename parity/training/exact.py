"""Gradient descent in arbitrary precision (python-flint): what the steps would give if nothing were rounded.

It starts from the numbers that the implementations get, α included, rounded to the format under test. Two ways lead to
digits that can be relied on, and the result says which of them it is:

certified
    Balls all the way. A ball grows with every step, by 2.5 bits on the flower problem, whatever the numbers do; where
    `MOST_CERTIFIED` bits are enough for all steps, every digit asked for is proven.
agreement
    Midpoints alone, at precisions that are raised until two in a row agree in the digits asked for, at every step, and
    in the pre-activation that is nearest to a kink: where that is noise, both could be on the wrong side of it.
    That is evidence and no proof; it lasts for thousands of steps more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from flint import arb

from parity.oracle import matrix, working_precision
from parity.processes import Pool
from parity.training import Descent, Params
from parity.training.arbitrary import (
    STRETCH,
    Indeterminate,
    Run,
    Sum,
    TooFewBits,
    joined,
    number,
    start,
    step_of,
    stretch,
    to_numbers,
    width_of,
)

FIRST_PRECISION, LAST_PRECISION = 128, 8192
"""Bits of the midpoints."""

MOST_CERTIFIED = 4096
"""Beyond so many bits balls cost more than two precisions that agree."""

SPARE = 64
"""Bits beyond the digits asked for that balls start with."""

IN_VIEW = 100
"""A difference of so many bits and fewer can be seen between sums of two float64."""


@dataclass(frozen=True, eq=False)
class ExactTrajectory:
    """Every step of a descent without rounding.

    Attributes
    ----------
    params : dict of Sum
        Under every parameter's name (steps + 1, *shape), the start included.
    costs : Sum
        (steps + 1,): J at each of them, on all examples of that step; after the last step, those of the last batch.
    precision : tuple of int
        Bits of the balls, or of the two computations that agree; these values come from the last.
    certified : bool
        Whether balls prove the digits; otherwise two precisions agree in them.
    digits : int
        The digits of J and of every parameter's largest element that hold at every step.
    lasted : dict
        For every lower precision that was tried, the last step up to which it had these digits of J.
    """

    params: dict[str, Sum]
    costs: Sum
    precision: tuple[int, ...]
    certified: bool
    digits: int
    lasted: dict[int, int] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """The number of updates."""
        return len(self.costs.high) - 1

    def at(self, step: int) -> Params:
        """The parameters after so many steps, rounded to float64."""
        return {name: value.high[step] for name, value in self.params.items()}

    def cost(self, step: int, digits: int = 10) -> str:
        """J before a step, in decimal."""
        with working_precision(192):
            value = arb(float(self.costs.high[step])) + arb(float(self.costs.low[step]))
            return str(value.str(digits, radius=False))


Advance = Callable[[str, int], None]
"""Told what is computed, and how many steps of it are done since it was told last."""


def _silent(what: str, steps: int) -> None:
    """Tell nobody."""


def trajectory(descent: Descent, digits: int = 10, advance: Advance = _silent) -> ExactTrajectory:
    """The exact trajectory of a descent, to so many digits.

    Raises
    ------
    Indeterminate
        No precision up to `LAST_PRECISION` gives the digits, a value is not finite, or a process died.
    """
    try:
        with Pool(2, descent, interruptible=False) as pool:
            bits = _bits_for_balls(descent, digits)
            if bits <= MOST_CERTIFIED:
                with suppress(Indeterminate):
                    (found,) = _runs(pool, descent, (bits,), True, advance)
                    if np.all(found.width <= half_a_unit(digits)):
                        return ExactTrajectory(found.params, found.costs, (bits,), True, digits)
            return _agreement(pool, descent, digits, advance)
    except BrokenProcessPool:
        raise Indeterminate("a process that computed it died (is memory short?)") from None


def half_a_unit(digits: int) -> float:
    """Of the last digit, relative to the number."""
    return 10.0**-digits / 2


def _agreement(pool: Pool, descent: Descent, digits: int, advance: Advance) -> ExactTrajectory:
    """Midpoints at two precisions at a time, higher and higher, until two in a row agree at every step."""
    tried: dict[int, Run] = {}
    pair, reason = (FIRST_PRECISION, 2 * FIRST_PRECISION), ""
    while pair[1] <= LAST_PRECISION:
        new = tuple(bits for bits in pair if bits not in tried)
        try:
            tried |= dict(zip(new, _runs(pool, descent, new, False, advance), strict=True))
        except TooFewBits as found:
            reason, pair = str(found), (2 * pair[0], 2 * pair[1])
            continue
        lower, upper = (tried[bits] for bits in pair)
        if undecided := _kink_undecided(lower, upper):
            reason = f"{pair[1]} bits do not tell on which side of a kink a pre-activation lies in step {undecided[0]}"
        elif _agree(lower, upper, digits) == descent.iterations:
            lasted = {bits: _agree(run, upper, digits) for bits, run in tried.items() if bits < pair[0]}
            return ExactTrajectory(upper.params, upper.costs, pair, False, digits, lasted)
        enough = max(_bits_in_view(_apart(lower, upper), pair[0], digits), pair[1])
        words = math.ceil(enough / 64)
        pair = (64 * words, 64 * math.ceil(words * 3 / 2))
    raise Indeterminate(
        reason or f"no two precisions up to {LAST_PRECISION} bits agree in {digits} digits at every step"
    )


def _kink_undecided(a: Run, b: Run) -> list[int]:
    """The steps at which the pre-activation nearest to a kink is as far from that of the other precision as from 0."""
    with working_precision(FIRST_PRECISION):
        pairs = [(number(x), number(y)) for x, y in zip(a.nearest, b.nearest, strict=True)]
        return [step for step, (x, y) in enumerate(pairs) if x != y and not abs(x - y) < abs(y)]


def _bits_in_view(apart: np.ndarray, precision: int, digits: int) -> float:
    """How many bits may do for all steps, judging by how fast two precisions part.

    The last steps on which they have something in common tell how many bits are lost, and at what rate.
    """
    with np.errstate(divide="ignore"):
        common = -np.log2(apart)
    seen = np.flatnonzero((common < IN_VIEW) & (common > SPARE // 2))
    if seen.size < 2:
        return 0.0
    lost = precision - common[seen]
    rate = max(float(np.polyfit(seen, lost, 1)[0]), 0.0)
    return float(lost[-1] + rate * (len(apart) - seen[-1]) + digits * np.log2(10) + SPARE)


def _apart(a: Run, b: Run) -> np.ndarray:
    """The largest relative difference of J and of the parameters at every step, those of its largest element."""
    found = np.abs(a.costs.minus(b.costs)) / np.abs(b.costs.high)
    for name, value in b.params.items():
        axes = tuple(range(1, value.high.ndim))
        largest = np.abs(value.high).max(axis=axes, initial=0)
        off = np.abs(a.params[name].minus(value)).max(axis=axes, initial=0)
        found = np.maximum(found, np.divide(off, largest, out=np.zeros_like(off), where=largest > 0))
    return found


def _agree(a: Run, b: Run, digits: int) -> int:
    """The last step up to which J and every parameter agree in so many digits."""
    fits = _apart(a, b) <= half_a_unit(digits)
    return int(np.argmin(fits)) - 1 if not np.all(fits) else len(fits) - 1


def _runs(pool: Pool, descent: Descent, precisions: tuple[int, ...], balls: bool, advance: Advance) -> list[Run]:
    """One run a precision, side by side, stretch by stretch."""
    parts: dict[int, list[Run]] = {bits: [] for bits in precisions}
    numbers = {name: to_numbers(matrix(p)) for name, p in start(descent).items()}
    waiting = {pool.submit_given(stretch, numbers, 0, bits, balls): bits for bits in precisions}
    while waiting:
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            bits = waiting.pop(future)
            numbers, part = future.result()
            parts[bits].append(part)
            advance(f"exact, {bits} bits", len(part.width))
            first = STRETCH * len(parts[bits])
            if first <= descent.iterations:
                waiting[pool.submit_given(stretch, numbers, first, bits, balls)] = bits
    return [joined(parts[bits]) for bits in precisions]


def _bits_for_balls(descent: Descent, digits: int) -> int:
    """How many bits balls need for all steps, from what they lose on the first ones, and a quarter more."""
    probe, bits = min(20, descent.iterations), 1024
    with working_precision(bits):
        params = {name: matrix(p) for name, p in start(descent).items()}
        try:
            for step in range(probe):
                _, params, _ = step_of(descent, step, params)
        except Indeterminate:
            return MOST_CERTIFIED + 1
        width = max(width_of(p.entries()) for p in params.values())
    lost = (bits + np.log2(width)) / probe if width else 0.0
    wanted = digits * np.log2(10) + SPARE + 1.25 * lost * descent.iterations
    return 64 * int(np.ceil(wanted / 64)) if np.isfinite(wanted) else MOST_CERTIFIED + 1
