"""The value of every quantity by its own formula from the implementation's own inputs to that formula.

Where the exact value says what a quantity should have been, this says what the implementation should have made of what
it had: dW1 of its own dZ1, A1 of its own Z1. One wrong formula then is one finding, not a cascade.

The formulas are evaluated in NumPy's longdouble, where that is wider than float64 (x86: 64 bits, 11 more); the rounding
that is left belongs to the bound (`witness`). Like the oracle, this module shares no code with any implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from parity.formats import FORMATS, Format
from parity.problems import Problem
from parity.problems.parameters import flat, layered
from parity.rounding import Arrays

Wide = np.ndarray
"""An array of longdouble."""

WIDE_ULPS = 4
"""No function of the C library's that is used here has an error of more ulp of longdouble (tests/test_local.py)."""

LEAST_ULPS = 1 / 2
"""What a correctly rounded function has: no K is smaller."""


def witness(fmt: Format) -> float:
    """By how much a local bound grows because the target is itself rounded: 1 + (K'/K) u'/u.

    Every term of a bound is proportional to u, to K u or to γ_n, and γ_n(u') ≤ γ_n(u) u'/u for u' ≤ u.
    """
    wide_u = 2.0 ** -(np.finfo(np.longdouble).nmant + 1)
    return 1 + WIDE_ULPS / LEAST_ULPS * wide_u / fmt.u


def targets(problem: Problem, dtype: str, own: Arrays, bits: int | None = None) -> Arrays:
    """What the formulas of `problem`, a network or logistic regression, give for the values in `own`.

    Parameters
    ----------
    own : mapping
        What the implementation computed, under the problem's names.
    bits : int or None
        Every input of a formula but the bias is rounded to so many bits first, as TF32 and bfloat16 products do.

    Returns
    -------
    dict
        In longdouble, in the order of computation, every quantity of `own` whose inputs are all known.
    """
    params, X, Y = problem.inputs(dtype)
    if problem.model == "logistic_regression":
        return flat(_targets(problem, dtype, layered(params), X, Y, layered(own), bits))
    return _targets(problem, dtype, params, X, Y, own, bits)


def whole(problem: Problem, dtype: str) -> Arrays:
    """Every quantity of `problem`, each formula's inputs being what the formulas before it gave; in longdouble."""
    params, X, Y = problem.inputs(dtype)
    logistic = problem.model == "logistic_regression"
    layers = layered(params) if logistic else params
    given = {name: value.astype(np.longdouble) for name, value in {**layers, "A0": X}.items()}
    formulas = _formulas(problem, dtype, Y.astype(bool))
    with np.errstate(all="ignore"):
        for name, formula in formulas.items():
            given[name] = formula.of(*(given[i] for i in formula.inputs))
    found = {name: given[name] for name in formulas}
    return flat(found) if logistic else found


def _targets(
    problem: Problem, dtype: str, params: Arrays, X: np.ndarray, Y: np.ndarray, own: Arrays, bits: int | None
) -> Arrays:
    given = {name: value.astype(np.longdouble) for name, value in (own | params | {"A0": X}).items()}
    if bits is not None:
        given = {name: value if name[0] == "b" else rounded(value, bits) for name, value in given.items()}
    with np.errstate(all="ignore"):  # what an implementation computed may be anything
        return {
            name: formula.of(*(given[i] for i in formula.inputs))
            for name, formula in _formulas(problem, dtype, Y.astype(bool)).items()
            if name in own and all(i in given for i in formula.inputs)
        }


def rounded(array: np.ndarray, bits: int) -> np.ndarray:
    """To so many bits of significand, to nearest; the exponent has no limits."""
    fraction, exponent = np.frexp(array)
    return np.ldexp(np.rint(np.ldexp(fraction, bits)), exponent - bits)


class Formula(NamedTuple):
    """One line of the notes: the names of its inputs, and what it makes of them."""

    inputs: tuple[str, ...]
    of: Callable[..., Wide]


def _formulas(problem: Problem, dtype: str, labels: np.ndarray) -> dict[str, Formula]:
    """Every formula of a network in the order of computation (N18, N21, N23)."""
    m, L, to = problem.m, len(problem.activations), FORMATS[dtype].dtype
    table = activations(np.asarray(0.01, to).astype(np.longdouble))
    g = [table[name] for name in problem.activations]
    found = {}
    for l in range(1, L + 1):
        found[f"Z{l}"] = Formula((f"W{l}", f"A{l - 1}", f"b{l}"), lambda W, A, b: W @ A + b)
        found[f"A{l}"] = Formula((f"Z{l}",), g[l - 1][0])
    found["J"] = Formula((f"Z{L}",), lambda Z: np.asarray(_softplus(np.where(labels, -Z, Z)).sum() / m))
    found[f"dZ{L}"] = Formula((f"Z{L}",), lambda Z: np.where(labels, -_sigmoid(-Z), _sigmoid(Z)))
    for l in range(L, 0, -1):
        if l < L:
            found[f"dZ{l}"] = Formula((f"W{l + 1}", f"dZ{l + 1}", f"Z{l}"), partial(_hidden, g[l - 1][1]))
        found[f"dW{l}"] = Formula((f"dZ{l}", f"A{l - 1}"), lambda dZ, A: dZ @ A.T / m)
        found[f"db{l}"] = Formula((f"dZ{l}",), lambda dZ: dZ.sum(axis=1, keepdims=True) / m)
    if problem.learning_rate is not None:
        rate = np.asarray(problem.learning_rate, to).astype(np.longdouble)
        for l in range(1, L + 1):
            for p in (f"W{l}", f"b{l}"):
                found[f"new_{p}"] = Formula((p, f"d{p}"), lambda p, dp: p - rate * dp)
    return found


def _hidden(slope: Callable[[Wide], Wide], W: Wide, dZ: Wide, Z: Wide) -> Wide:
    return (W.T @ dZ) * slope(Z)


def _sigmoid(Z: Wide) -> Wide:
    return 1 / (1 + np.exp(-Z))


def _softplus(Z: Wide) -> Wide:
    return np.maximum(Z, 0) + np.log1p(np.exp(-np.abs(Z)))


def activations(slope: Wide | float = 0.01) -> dict[str, tuple[Callable[[Wide], Wide], Callable[[Wide], Wide]]]:
    """g and g'; at a kink the slope is that of the left side. `slope` is leaky ReLU's 0.01, rounded to the format."""
    return {
        "sigmoid": (_sigmoid, lambda Z: _sigmoid(Z) * _sigmoid(-Z)),
        "tanh": (np.tanh, lambda Z: 1 / np.cosh(Z) ** 2),
        "relu": (lambda Z: np.where(Z > 0, Z, 0), lambda Z: np.where(Z > 0, 1, 0)),
        "leaky_relu": (lambda Z: np.where(Z > 0, Z, slope * Z), lambda Z: np.where(Z > 0, 1, slope)),
        "leaky_relu_exact": (lambda Z: np.where(Z > 0, Z, Z / 4), lambda Z: np.where(Z > 0, 1, 1 / np.longdouble(4))),
        "identity": (lambda Z: Z, np.ones_like),
    }


ACTIVATIONS = activations()
"""With leaky ReLU's slope as it is in float64."""
