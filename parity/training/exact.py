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
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb, arb_mat

from parity.formats import FORMATS
from parity.oracle import each, matrix, working_precision
from parity.problems.parameters import layered
from parity.processes import Pool
from parity.rounding import SLOPES
from parity.training import Descent, Params

FIRST_PRECISION, LAST_PRECISION = 128, 8192
"""Bits of the midpoints."""

MOST_CERTIFIED = 4096
"""Beyond so many bits balls cost more than two precisions that agree."""

SPARE = 64
"""Bits beyond the digits asked for that balls start with."""

IN_VIEW = 100
"""A difference of so many bits and fewer can be seen between sums of two float64."""

STRETCH = 50
"""Steps between two reports of progress."""

Parts = tuple[int, int, int, int]
"""A ball that can travel: mantissa and exponent of its midpoint, and of its radius."""

Numbers = dict[str, list[Parts]]


class Indeterminate(ArithmeticError):
    """The balls have grown too wide, or no two precisions agreed; the message is one line."""


class TooFewBits(Indeterminate):
    """More may do."""


@dataclass(frozen=True, eq=False)
class Sum:
    """Exact values as an unevaluated sum of two float64 arrays."""

    high: np.ndarray
    low: np.ndarray

    def __getitem__(self, i: Any) -> Sum:
        return Sum(self.high[i], self.low[i])

    def minus(self, other: Sum) -> np.ndarray:
        """The difference in float64, right even where the values are nearly the same."""
        return (self.high - other.high) + (self.low - other.low)


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
    tried: dict[int, _Run] = {}
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


def _kink_undecided(a: _Run, b: _Run) -> list[int]:
    """The steps at which the pre-activation nearest to a kink is as far from that of the other precision as from 0."""
    with working_precision(FIRST_PRECISION):
        pairs = [(_number(x), _number(y)) for x, y in zip(a.nearest, b.nearest, strict=True)]
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


def _apart(a: _Run, b: _Run) -> np.ndarray:
    """The largest relative difference of J and of the parameters at every step, those of its largest element."""
    found = np.abs(a.costs.minus(b.costs)) / np.abs(b.costs.high)
    for name, value in b.params.items():
        axes = tuple(range(1, value.high.ndim))
        largest = np.abs(value.high).max(axis=axes, initial=0)
        off = np.abs(a.params[name].minus(value)).max(axis=axes, initial=0)
        found = np.maximum(found, np.divide(off, largest, out=np.zeros_like(off), where=largest > 0))
    return found


def _agree(a: _Run, b: _Run, digits: int) -> int:
    """The last step up to which J and every parameter agree in so many digits."""
    fits = _apart(a, b) <= half_a_unit(digits)
    return int(np.argmin(fits)) - 1 if not np.all(fits) else len(fits) - 1


# A run at one precision ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Run:
    """What one precision gives.

    Attributes
    ----------
    params, costs : Sum
        The parameters and J at every step.
    width : (steps,) array
        How wide the widest ball is, relatively.
    nearest : list
        The midpoint of the pre-activation that is nearest to a kink; 1 where no unit has one.
    """

    params: dict[str, Sum]
    costs: Sum
    width: np.ndarray
    nearest: list[Parts]


def _runs(pool: Pool, descent: Descent, precisions: tuple[int, ...], balls: bool, advance: Advance) -> list[_Run]:
    """One run a precision, side by side, stretch by stretch."""
    parts: dict[int, list[_Run]] = {bits: [] for bits in precisions}
    numbers = {name: _to_numbers(matrix(p)) for name, p in _start(descent).items()}
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
    return [_joined(parts[bits]) for bits in precisions]


def _joined(parts: list[_Run]) -> _Run:
    def join(sums: list[Sum]) -> Sum:
        return Sum(np.concatenate([s.high for s in sums]), np.concatenate([s.low for s in sums]))

    params = {name: join([part.params[name] for part in parts]) for name in parts[0].params}
    width, nearest = np.concatenate([part.width for part in parts]), [x for part in parts for x in part.nearest]
    return _Run(params, join([part.costs for part in parts]), width, nearest)


def stretch(descent: Descent, numbers: Numbers, first: int, bits: int, balls: bool) -> tuple[Numbers, _Run]:
    """At most `STRETCH` steps from `first` on: the state before each of them, and the balls after the last.

    Raises
    ------
    Indeterminate
        A value is not finite.
    TooFewBits
        A kink is undecided, or J is 0, of which it is always short.
    """
    shapes = {name: p.shape for name, p in _start(descent).items()}
    with working_precision(bits):
        params = {name: _from_numbers(numbers[name], shape) for name, shape in shapes.items()}
        states, costs, width, nearest = [], [], [], []
        for step in range(first, min(first + STRETCH, descent.iterations + 1)):
            J, new, near = _step(descent, step, params)
            states.append(params)
            costs.append(J)
            nearest.append(near)
            width.append(max([_width([J]), *(_width(p.entries()) for p in params.values())]))
            params = new if balls else {name: _midpoints(p) for name, p in new.items()}
        history = {name: _sum([x for s in states for x in s[name].entries()], shapes[name]) for name in shapes}
        found = _Run(_named(descent, history), _sum(costs, ()), np.array(width), [_parts(x) for x in nearest])
        if not np.all(found.costs.high):
            raise TooFewBits("J is below the range of float64")
        return {name: _to_numbers(p) for name, p in params.items()}, found


def _step(descent: Descent, step: int, params: Mapping[str, arb_mat]) -> tuple[arb, dict[str, arb_mat], arb]:
    """J, the next parameters, and the pre-activation nearest to a kink: the notes' formulas (N18, N23) on balls.

    The losses log(1 + e^t) are summed as one logarithm of a product.
    """
    problem, fmt = descent.problem, FORMATS[descent.dtype]
    columns = slice(None) if descent.batches is None else descent.batches[min(step, len(descent.batches) - 1)]
    X = matrix(problem.X[:, columns].astype(fmt.dtype))
    labels = [bool(y) for y in problem.Y[:, columns].ravel()]
    m, L = X.ncols(), len(problem.activations)
    ones = arb_mat(1, m, [1] * m)
    A = [X]
    Z, near = X, arb(1)
    for l in range(1, L + 1):
        Z = params[f"W{l}"] * A[-1] + params[f"b{l}"] * ones
        if problem.activations[l - 1] in SLOPES:
            near = min([near, *(z.mid() for z in Z.entries())], key=abs)
        A.append(each(_activation(problem.activations[l - 1], descent.dtype), Z) if l < L else Z)
    power = [(-z if y else z).exp() for z, y in zip(Z.entries(), labels, strict=True)]
    product = arb(1)
    for e in power:
        product *= 1 + e
    wrong = [-(e / (1 + e)) if y else e / (1 + e) for e, y in zip(power, labels, strict=True)]
    dZ = arb_mat(Z.nrows(), m, wrong)
    rate = arb(float(fmt.dtype.type(problem.learning_rate))) / m
    new = {}
    for l in range(L, 0, -1):
        new[f"W{l}"] = params[f"W{l}"] - dZ * A[l - 1].transpose() * rate
        new[f"b{l}"] = params[f"b{l}"] - dZ * ones.transpose() * rate
        if l > 1:
            slope = _slope(problem.activations[l - 2], descent.dtype)
            dA = params[f"W{l}"].transpose() * dZ
            products = [d * slope(a) for d, a in zip(dA.entries(), A[l - 1].entries(), strict=True)]
            dZ = arb_mat(dA.nrows(), m, products)
    return product.log() / m, {name: new[name] for name in params}, near


def _activation(name: str, dtype: str) -> Callable[[arb], arb]:
    if name == "tanh":
        return arb.tanh
    if name == "sigmoid":
        return lambda z: 1 / (1 + (-z).exp())
    if name == "identity":
        return lambda z: z
    slope = _slope_below(name, dtype)
    return lambda z: z if _positive(z) else slope * z


def _slope(name: str, dtype: str) -> Callable[[arb], arb]:
    """g' from a = g(z) (N17); a ReLU's value has the sign of its argument, but for ReLU itself, whose 0 has slope 0."""
    if name == "tanh":
        return lambda a: 1 - a * a
    if name == "sigmoid":
        return lambda a: a * (1 - a)
    if name == "identity":
        return lambda a: arb(1)
    slope = _slope_below(name, dtype)
    return lambda a: arb(1) if _positive(a) else slope


def _slope_below(name: str, dtype: str) -> arb:
    return arb(float(np.asarray(SLOPES[name], FORMATS[dtype].dtype)))


def _positive(z: arb) -> bool:
    if z > 0:
        return True
    if z <= 0:
        return False
    raise TooFewBits("the balls do not tell on which side of a kink a pre-activation lies")


def _bits_for_balls(descent: Descent, digits: int) -> int:
    """How many bits balls need for all steps, from what they lose on the first ones, and a quarter more."""
    probe, bits = min(20, descent.iterations), 1024
    with working_precision(bits):
        params = {name: matrix(p) for name, p in _start(descent).items()}
        try:
            for step in range(probe):
                _, params, _ = _step(descent, step, params)
        except Indeterminate:
            return MOST_CERTIFIED + 1
        width = max(_width(p.entries()) for p in params.values())
    lost = (bits + np.log2(width)) / probe if width else 0.0
    wanted = digits * np.log2(10) + SPARE + 1.25 * lost * descent.iterations
    return 64 * int(np.ceil(wanted / 64)) if np.isfinite(wanted) else MOST_CERTIFIED + 1


# Numbers -------------------------------------------------------------------------------------------------------------


def _start(descent: Descent) -> Params:
    """The parameters before the first step, under a network's names."""
    return layered(descent.start) if "w" in descent.start else descent.start


def _named(descent: Descent, history: dict[str, Sum]) -> dict[str, Sum]:
    """The parameters' own names and shapes, behind the steps."""
    if "w" not in descent.problem.params:
        return history
    W, b = history["W1"], history["b1"]
    return {"w": Sum(W.high.transpose(0, 2, 1), W.low.transpose(0, 2, 1)), "b": b[:, 0, 0]}


def _midpoints(matrix: arb_mat) -> arb_mat:
    return arb_mat(matrix.nrows(), matrix.ncols(), [x.mid() for x in matrix.entries()])


def _parts(x: arb) -> Parts:
    (m, e), (r, f) = x.mid().man_exp(), x.rad().man_exp()
    return int(m), int(e), int(r), int(f)


def _number(parts: Parts) -> arb:
    m, e, r, f = parts
    return arb(arb(m) * arb(2) ** e, arb(r) * arb(2) ** f)


def _to_numbers(matrix: arb_mat) -> list[Parts]:
    return [_parts(x) for x in matrix.entries()]


def _from_numbers(numbers: list[Parts], shape: tuple[int, ...]) -> arb_mat:
    rows, columns = shape
    return arb_mat(rows, columns, [_number(parts) for parts in numbers])


def _width(values: list[arb]) -> float:
    """The largest radius relative to the largest midpoint; infinite where nothing is known."""
    largest = max(abs(float(x.mid())) for x in values)
    widest = max(x.rad() for x in values)
    if not widest > 0:
        return 0.0
    return float((widest / arb(largest)).mid()) if largest and widest.is_finite() else np.inf


def _sum(values: list[arb], shape: tuple[int, ...]) -> Sum:
    """(steps, *shape) as high + low.

    Raises
    ------
    Indeterminate
        A value is not finite.
    """
    high = np.array([float(x.mid()) for x in values])
    if not np.all(np.isfinite(high)):
        raise Indeterminate("a value is not finite: the descent diverges, or its balls hold nothing any more")
    low = np.array([float((x.mid() - arb(h)).mid()) for x, h in zip(values, high.tolist(), strict=True)])
    return Sum(high.reshape(-1, *shape), low.reshape(-1, *shape))
