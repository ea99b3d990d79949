"""Gradient descent at one precision in ball arithmetic (python-flint), some steps at a time.

The notes' formulas (N18, N23) on matrices of balls; with midpoints alone it is arithmetic of so many bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_mat

from parity.formats import FORMATS
from parity.oracle import each, matrix, working_precision
from parity.problems.parameters import layered
from parity.rounding import SLOPES
from parity.training import Descent, Params

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
class Run:
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


def joined(parts: list[Run]) -> Run:
    """The stretches one after the other."""

    def join(sums: list[Sum]) -> Sum:
        return Sum(np.concatenate([s.high for s in sums]), np.concatenate([s.low for s in sums]))

    params = {name: join([part.params[name] for part in parts]) for name in parts[0].params}
    width, nearest = np.concatenate([part.width for part in parts]), [x for part in parts for x in part.nearest]
    return Run(params, join([part.costs for part in parts]), width, nearest)


def stretch(descent: Descent, numbers: Numbers, first: int, bits: int, balls: bool) -> tuple[Numbers, Run]:
    """At most `STRETCH` steps from `first` on: the state before each of them, and the balls after the last.

    Raises
    ------
    Indeterminate
        A value is not finite.
    TooFewBits
        A kink is undecided, or J is 0, of which it is always short.
    """
    shapes = {name: p.shape for name, p in start(descent).items()}
    with working_precision(bits):
        params = {name: _from_numbers(numbers[name], shape) for name, shape in shapes.items()}
        states, costs, width, nearest = [], [], [], []
        for step in range(first, min(first + STRETCH, descent.iterations + 1)):
            J, new, near = step_of(descent, step, params)
            states.append(params)
            costs.append(J)
            nearest.append(near)
            width.append(max([width_of([J]), *(width_of(p.entries()) for p in params.values())]))
            params = new if balls else {name: _midpoints(p) for name, p in new.items()}
        history = {name: _sum([x for s in states for x in s[name].entries()], shapes[name]) for name in shapes}
        found = Run(_named(descent, history), _sum(costs, ()), np.array(width), [_parts(x) for x in nearest])
        if not np.all(found.costs.high):
            raise TooFewBits("J is below the range of float64")
        return {name: to_numbers(p) for name, p in params.items()}, found


def step_of(descent: Descent, step: int, params: Mapping[str, arb_mat]) -> tuple[arb, dict[str, arb_mat], arb]:
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


# Numbers -------------------------------------------------------------------------------------------------------------


def start(descent: Descent) -> Params:
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


def number(parts: Parts) -> arb:
    """The ball."""
    m, e, r, f = parts
    return arb(arb(m) * arb(2) ** e, arb(r) * arb(2) ** f)


def to_numbers(matrix: arb_mat) -> list[Parts]:
    """Every ball of a matrix, so that it can travel."""
    return [_parts(x) for x in matrix.entries()]


def _from_numbers(numbers: list[Parts], shape: tuple[int, ...]) -> arb_mat:
    rows, columns = shape
    return arb_mat(rows, columns, [number(parts) for parts in numbers])


def width_of(values: list[arb]) -> float:
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
