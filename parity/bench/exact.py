"""Exact values with a certified error where there are millions: what `parity.oracle` is to small problems.

The formulas are evaluated as they stand, in a wider arithmetic: for narrower formats in float64, for float64 in
longdouble, whose sums and elementary functions are 11 bits finer on x86. A value is certified by the bound of
`parity.rounding` itself, for that arithmetic in place of an implementation: with its u', and with a K' that follows
from that of the C library.

A product of longdouble matrices X and Y is made of products in float64 that BLAS computes without any rounding (Ozaki,
Ogita, Oishi, Rump, Numer. Algorithms 59, 2012). Rows of X and columns of Y, scaled to less than 1 by powers of two,
are cut into three slices: integer multiples of 2^−β, 2^−2β and 2^−3β, no larger than 1, 2^−β/2 and 2^−2β/2. An inner
product of k ≤ 2048 terms of two slices is a sum of integers that stays below 2^2β k = 2^53 with β = 21: exact in any
order. The six products of slices s and t with s + t ≤ 4 are added up in longdouble, the smallest first. What is left
out is, in units of 2^−3β k times the two scales,

    slices (2, 3), (3, 2) and (3, 3)                  1/4 + 1/4 + 2^−β/4
    the rests behind the third slices of X and of Y   1/2 + 1/2, and 2^−30 of what float64 cannot hold of such a rest
    the rounding of the five smaller products         5 u' 2^−β 2^3β, with u' ≤ 2^−53 less than 2^−8

together less than 2, and a scale is no more than twice the largest element of its row or column:

    |P − XY| ≤ 8 · 2^−3β k max|X[i, :]| max|Y[:, j]| + γ' |X||Y|

γ' is for the last of the six sums and one more a block of 2048 terms: no more roundings than the γ_n of
`parity.rounding` counts. A product in float64 is BLAS's own, without the first term.

The rules of `parity.rounding` are stated about exact values; here they get the computed ones. They hold for these as
well: each is symmetric in the two but for terms of second order in u', which its factor 1 + 2^−20 covers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from parity import local
from parity.formats import FORMATS, Format
from parity.local import WIDE_ULPS
from parity.oracle import Exact, Undecided
from parity.problems import Problem
from parity.problems.parameters import flat, layered
from parity.rounding import SLOPES, Arithmetic, Arrays, Network, Unbounded, of_network, touched

BITS, BLOCK = 21, 2048
"""β, and the terms of an inner product that are summed in float64: 2 · 21 + 11 bits are 53."""

ULPS = {
    "sigmoid": WIDE_ULPS + 2,
    "output": WIDE_ULPS + 2,
    "tanh": WIDE_ULPS,
    "loss": 2 * WIDE_ULPS + 1,
}
"""K' of what is computed here, in units of 2u' as in `parity.elementary`.

1 / (1 + e^−z) carries the error of e^−z, no more than WIDE_ULPS units, and those of a sum and a quotient, half a unit
each; max(z, 0) + log1p(e^−|z|) that of e^−|z|, for the slope of log1p is less than log1p(e)/e, its own, and half a unit
of a sum. What is added beyond that is for terms of second order.
"""

Wide = type[np.longdouble] | type[np.float64]
Slope = Callable[[np.ndarray, np.ndarray], np.ndarray]
Table = list[tuple[Callable[[np.ndarray], np.ndarray], Slope]]


def exact(problem: Problem, dtype: str) -> dict[str, Exact]:
    """Every quantity of a network or logistic regression, as `parity.oracle.exact` has it, with a radius an element.

    Raises
    ------
    Undecided
        A pre-activation cannot be told from a kink's argument, or a value may overflow.
    """
    wide: Wide = np.longdouble if dtype == "float64" else np.float64
    values = _values(problem, dtype, wide)
    with np.errstate(over="ignore"):
        high = {name: value.astype(np.float64) for name, value in values.items()}
    radius = _certified(problem, dtype, wide, high)
    _refuse_kinks(problem, high, radius)
    return {name: _as_exact(FORMATS[dtype], values[name], high[name], radius[name]) for name in values}


def _certified(problem: Problem, dtype: str, wide: Wide, high: Arrays) -> Arrays:
    """How far the values may be from the true ones."""
    narrow = FORMATS["float64"]
    fmt = replace(
        FORMATS[dtype], p=np.finfo(wide).nmant + 1, largest=narrow.largest, smallest_normal=narrow.smallest_normal
    )
    arithmetic = Arithmetic(fmt, ULPS)
    try:
        return of_network((_Sliced if wide is np.longdouble else Network)(problem, arithmetic, high, high))
    except Unbounded as why:
        raise Undecided(str(why).replace("no bound", "no exact value")) from None


class _Sliced(Network):
    """The bounds of products that are cut into slices: what is left out of them is an error of their own."""

    def _inner(self, x: np.ndarray, y: np.ndarray, n: int, start: np.ndarray | float = 0.0) -> np.ndarray:
        scales = np.max(x, axis=1, keepdims=True) * np.max(y, axis=0, keepdims=True) * touched(x, y)
        return super()._inner(x, y, n, start) + 2.0 ** (3 - 3 * BITS) * x.shape[1] * scales


def _refuse_kinks(problem: Problem, high: Arrays, radius: Arrays) -> None:
    """At a kink that a pre-activation is not told from, the true slope may be the other one."""
    for l, g in enumerate(problem.activations, start=1):
        if g in SLOPES and np.any((np.abs(high[f"Z{l}"]) <= radius[f"Z{l}"]) & (radius[f"Z{l}"] > 0)):
            raise Undecided(f"no exact value: Z{l} has an element that is not told from 0, where {g} has a kink")


def _as_exact(fmt: Format, value: np.ndarray, high: np.ndarray, radius: np.ndarray) -> Exact:
    """As two float64, which hold all of a longdouble, with the radius in ulp."""
    low = (value - high).astype(np.float64)
    return Exact(high, low, radius / Exact(high, low, 1.0).certified(fmt))


def _values(problem: Problem, dtype: str, wide: Wide) -> Arrays:
    """One forward and backward pass and one update, in `wide`."""
    params, X, Y = problem.inputs(dtype)
    logistic = problem.model == "logistic_regression"
    params = layered(params) if logistic else params
    params = {name: p.astype(np.float64) for name, p in params.items()}
    A, table = [X.astype(np.float64, copy=False)], _table(problem.activations, dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        found = _forward(params, A, Y == 1, table, wide)
        found |= _backward(params, A, found, table, wide)
        if problem.learning_rate is not None:
            rate = wide(FORMATS[dtype].dtype.type(problem.learning_rate))
            found |= {f"new_{name}": p - rate * found[f"d{name}"] for name, p in params.items()}
    return flat(found) if logistic else found


def _forward(params: Arrays, A: list[np.ndarray], labels: np.ndarray, table: Table, wide: Wide) -> Arrays:
    """Z, A and J, and dZ[L], without the cancellation of A − Y; A is filled in."""
    found, L = {}, len(table)
    for l, (g, _) in enumerate(table, start=1):
        Z = found[f"Z{l}"] = product(params[f"W{l}"], A[l - 1], wide) + params[f"b{l}"]
        found[f"A{l}"] = g(Z).astype(wide, copy=False)
        A.append(found[f"A{l}"])
    toward = np.where(labels, -Z, Z)
    losses = np.maximum(toward, 0) + np.log1p(np.exp(-np.abs(toward)))
    found["J"] = np.asarray(losses.sum() / labels.shape[1])
    found[f"dZ{L}"] = np.where(labels, -_sigmoid(-Z), _sigmoid(Z))
    return found


def _backward(params: Arrays, A: list[np.ndarray], found: Arrays, table: Table, wide: Wide) -> Arrays:
    L, m, grads = len(table), A[0].shape[1], {}
    dZ = found.pop(f"dZ{L}")
    for l in range(L, 0, -1):
        grads[f"dZ{l}"] = dZ
        grads[f"dW{l}"] = product(dZ, A[l - 1].T, wide) / m
        grads[f"db{l}"] = dZ.sum(axis=1, keepdims=True) / m
        if l > 1:
            slope = table[l - 2][1](found[f"Z{l - 1}"], A[l - 1]).astype(wide, copy=False)
            dZ = product(params[f"W{l}"].T, dZ, wide) * slope
    return grads


def _sigmoid(Z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-Z))


def _table(activations: tuple[str, ...], dtype: str) -> Table:
    """g and g' of every layer; that of sigmoid and tanh is formed from A, as the bound has it (N17)."""
    known = local.activations(np.asarray(0.01, FORMATS[dtype].dtype).astype(np.longdouble))
    of_A: dict[str, Slope] = {"sigmoid": lambda Z, A: A * (1 - A), "tanh": lambda Z, A: 1 - A**2}
    of_Z: dict[str, Slope] = {name: partial(_slope, g_prime) for name, (_, g_prime) in known.items()}
    return [(known[name][0], (of_Z | of_A)[name]) for name in activations]


def _slope(g_prime: Callable[[np.ndarray], np.ndarray], Z: np.ndarray, A: np.ndarray) -> np.ndarray:
    return g_prime(Z)


def product(X: np.ndarray, Y: np.ndarray, wide: Wide = np.longdouble) -> np.ndarray:
    """XY in `wide`, with the error that the head of this file states."""
    if wide is np.float64:
        return X @ Y
    found = np.zeros((X.shape[0], Y.shape[1]), np.longdouble)
    for k in range(0, X.shape[1], BLOCK):
        slices, scale = _cut(X[:, k : k + BLOCK], axis=1)
        stacked = np.concatenate(slices)
        for j in range(0, Y.shape[1], BLOCK):
            of_Y, scale_of_Y = _cut(Y[k : k + BLOCK, j : j + BLOCK], axis=0)
            found[:, j : j + BLOCK] += _product_of_slices(stacked, of_Y) * scale * scale_of_Y
    return found


def _product_of_slices(stacked: np.ndarray, of_Y: list[np.ndarray]) -> np.ndarray:
    """The sum of the products of slices s of X, which stand below each other, and t of Y, with s + t ≤ 4."""
    n, S = len(stacked) // len(of_Y), len(of_Y)
    parts = [(stacked[: n * (S - t)] @ of_Y[t]).reshape(S - t, n, -1) for t in range(S)]
    total = np.zeros(parts[0].shape[1:], np.longdouble)
    for order in range(S - 1, -1, -1):
        for t in range(order + 1):
            total += parts[t][order - t]
    return total


def _cut(M: np.ndarray, axis: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Three slices in float64, and the powers of two that the rows (axis 1) or columns (axis 0) were scaled by."""
    _, exponent = np.frexp(np.max(np.abs(M), axis=axis, keepdims=True).astype(np.float64))
    exponent = np.maximum(exponent, -1000)  # or the unit overflows; what is smaller is below λ
    unit = np.ldexp(1.0, -exponent)
    rest = M.astype(np.float64)
    beyond = (M - rest).astype(np.float64) * unit if M.dtype == np.longdouble else None
    rest, slices = rest * unit, []
    for t in (1, 2, 3):
        if t == 3 and beyond is not None:
            rest = rest + beyond
        shift = 1.5 * 2.0 ** (52 - t * BITS)  # a sum with this has no bits below 2^−tβ
        slices.append((rest + shift) - shift)
        rest = rest - slices[-1]
    return slices, np.ldexp(np.longdouble(1), exponent)
