"""Activation functions and their derivatives in longdouble, and how far rounding may take any manner of forming them.

An error of N u is written as N roundings, and γ_N = N u / (1 − N u) holds the products of N factors 1 + δ, |δ| ≤ u.
N = 8, the 4 ulp of `parity.grade.bounded`, stands for any function of a library; none that is measured has more
(`parity.elementary`). docs/grading.md derives:

    sigmoid     1/(1 + e^−z), e^z/(1 + e^z): the error of e^z comes in twice at most, with + and /     γ_(2N+2) σ
                (1 + tanh(z/2))/2                                                                      γ_(N+2)/2
    tanh        (e^z − e^−z)/(e^z + e^−z): N above, N below, −, + and /, and e^−z may be 1/e^z         γ_(2N+5)
                2σ(2z) − 1: twice the error of σ, and that of −
    σ'          σ(1 − σ): |1 − 2σ| ≤ 1 times that of σ, and two products; σ − σ²                      γ_3 σ
                e^−z/(1 + e^−z)²                                                                       γ_(3N+4) σ'
    tanh'       1 − a², (1 − a)(1 + a): 2|a| times that of a                                           γ_3
                1/cosh² z, 4/(e^z + e^−z)²; a quotient's derivative has another 8u                     γ_(2N+4) tanh'

Each bound is the sum of its manners', and of the smallest normal number, which may be flushed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from parity.elementary import ulps
from parity.formats import FORMATS, Format
from parity.grade.bounded import EXP
from parity.local import ACTIVATIONS, witness
from parity.rounding import OWN_ROUNDING, SLOPES, Arithmetic

Pair = tuple[np.ndarray, np.ndarray]
"""Values, and how far rounding may take them."""

GS = ("sigmoid", "tanh", "relu", "leaky_relu")


@cache
def arithmetic(dtype: str) -> Arithmetic:
    """The largest K of any framework on the processor."""
    return Arithmetic(FORMATS[dtype], ulps("any of them", dtype))


def of_function(g: str, z: np.ndarray, dtype: str) -> Pair:
    """g(z) with its bound."""
    with np.errstate(all="ignore"):
        value = ACTIVATIONS[g][0](np.asarray(z, np.longdouble))
        return value, _finished(_error(g, value, dtype), FORMATS[dtype])


def of_slope(g: str, z: np.ndarray, dtype: str) -> Pair:
    """g'(z) with its bound; at a kink, that of the left side."""
    z = np.asarray(z, np.longdouble)
    with np.errstate(all="ignore"):
        value, slope = ACTIVATIONS[g][0](z), ACTIVATIONS[g][1](z)
        E, gamma = _error(g, value, dtype), arithmetic(dtype).gamma
        if g == "sigmoid":
            E = E * (1 + E) + gamma(3) * value + gamma(3 * EXP + 4) * slope
        elif g == "tanh":
            E = (2 * np.abs(value) + E) * E + gamma(3) + gamma(2 * EXP + 12) * slope
        else:
            E = gamma(2) * np.where(z > 0, 0, SLOPES.get(g, 0.0))
        return slope, _finished(E, FORMATS[dtype])


def of_slope_from_A(g: str, a: np.ndarray, dtype: str) -> Pair:
    """a(1 − a), 1 − a²; the slopes of ReLU by the sign of a."""
    a, gamma = np.asarray(a, np.longdouble), arithmetic(dtype).gamma
    formulas: dict[str, Callable[[np.ndarray], np.ndarray]] = {"sigmoid": lambda a: a * (1 - a), "tanh": _one_less}
    if g not in formulas:
        return of_slope(g, a, dtype)
    return formulas[g](a), _finished(gamma(3) * (1 + np.abs(a)) ** 2, FORMATS[dtype])


def _one_less(a: np.ndarray) -> np.ndarray:
    return 1 - a**2


def _error(g: str, value: np.ndarray, dtype: str) -> np.ndarray:
    """The rows of the table above; max(0, z) rounds nothing, and 0.01 and its product are rounded."""
    gamma = arithmetic(dtype).gamma
    exps, half_tanh = gamma(2 * EXP + 2), gamma(EXP + 2) / 2
    if g == "sigmoid":
        return exps * value + half_tanh
    if g == "tanh":
        return np.full(value.shape, gamma(2 * EXP + 5) + 2 * (exps + half_tanh) + gamma(1))
    return gamma(2) * np.where(value < 0, np.abs(value), 0) if SLOPES.get(g) else np.zeros(value.shape)


def _finished(E: np.ndarray, fmt: Format) -> np.ndarray:
    E = np.asarray(E, np.float64)
    return np.where(E > 0, E + fmt.smallest_normal, 0.0) * OWN_ROUNDING * witness(fmt)
