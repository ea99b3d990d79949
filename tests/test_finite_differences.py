"""Finite differences of fourth order: a witness that shares nothing with the formulas of the backward pass.

The cost is evaluated exactly (in balls) at p ± h and p ± 2h, so that the only error of

    D(h) = (J(p − 2h) − 8 J(p − h) + 8 J(p + h) − J(p + 2h)) / 12h

is that of truncation, C h⁴. Halving h divides it by 16, so D(h) − D(h/2) is fifteen times the error that D(h/2) has:
no tolerance is needed.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from parity.compare import Standard
from parity.implementations import find
from parity.oracle import exact
from parity.problems import Problem, catalogue

SMOOTH = [
    "one_example",
    "house_prices",
    "zero_logits",
    "zero_initialisation",
    "single_feature",
    "equal_sizes",
    "four_layers",
]
H = Fraction(1, 2**9)


def cost(problem: Problem, name: str, index: tuple[int, ...], step: Fraction) -> Fraction:
    """J with one parameter moved by a step that float64 represents, to 106 bits."""
    params = {key: p.copy() for key, p in problem.params.items()}
    moved = Fraction(float(params[name][index])) + step
    params[name][index] = float(moved)
    assert Fraction(float(params[name][index])) == moved, "the step is not exact: choose parameters with fewer bits"
    J = exact(replace(problem, params=params, learning_rate=None), "float64")["J"]
    return Fraction(float(J.high)) + Fraction(float(J.low))


def slope(problem: Problem, name: str, index: tuple[int, ...], h: Fraction) -> Fraction:
    """D(h)."""
    J = {k: cost(problem, name, index, k * h) for k in (-2, -1, 1, 2)}
    return (J[-2] - 8 * J[-1] + 8 * J[1] - J[2]) / (12 * h)


def coarse(problem: Problem) -> Problem:
    """The problem with parameters of few bits, so that p ± 2h is exact; no pre-activation of a ReLU moves to zero."""
    return replace(problem, params={name: np.round(p * 2**20) / 2**20 for name, p in problem.params.items()})


@pytest.mark.parametrize("name", SMOOTH)
def test_every_gradient_is_the_slope_of_the_cost(name: str) -> None:
    problem = coarse(catalogue.build(name))
    standard = Standard.of(problem, "float64")
    found = find("reference").quantities(problem, "float64", "cpu")
    rng = np.random.RandomState(0)
    for parameter, p in problem.params.items():
        index = tuple(int(rng.randint(n)) for n in p.shape)
        wide, narrow = slope(problem, parameter, index, H), slope(problem, parameter, index, H / 2)
        gradient = Fraction(float(found["d" + parameter][index]))
        rounding = Fraction(float(standard.bounds["d" + parameter][index]))
        assert abs(gradient - narrow) <= abs(wide - narrow) + rounding, (parameter, index)


def test_a_wrong_gradient_is_noticed() -> None:
    """dW1 with 1 − a in place of 1 − a², which is off by less than a tenth here."""
    problem = coarse(catalogue.build("zero_initialisation"))
    problem = replace(problem, params={k: p + (0.5 if k == "W2" else 0.015625) for k, p in problem.params.items()})
    found = find("reference").quantities(problem, "float64", "cpu")
    wrong = np.dot(np.dot(problem.params["W2"].T, found["dZ2"]) * (1 - found["A1"]), problem.X.T) / problem.m
    wide, narrow = (slope(problem, "W1", (0, 0), h) for h in (H, H / 2))
    rounding = Fraction(float(Standard.of(problem, "float64").bounds["dW1"][0, 0]))
    assert abs(Fraction(float(found["dW1"][0, 0])) - narrow) <= abs(wide - narrow) + rounding
    assert abs(Fraction(float(wrong[0, 0])) - narrow) > abs(wide - narrow) + rounding
