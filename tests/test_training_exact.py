"""Gradient descent in arbitrary precision: what it computes, how far its digits can be relied on, and what it says."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from parity.oracle import Exact, matrix
from parity.oracle import exact as oracle
from parity.problems import Problem, catalogue
from parity.problems.parameters import draw
from parity.training import Descent, arbitrary
from parity.training import exact as exactly
from parity.training.arbitrary import Indeterminate, Sum
from parity.training.exact import ExactTrajectory, half_a_unit, trajectory
from tests.inline import inline  # noqa: F401

PROBLEMS = ("flower", "wine_logistic", "wine_deep")


def differs(found: Sum, wanted: Exact, digits: int) -> bool:
    """Whether any element is further off than half a unit of that digit of the largest."""
    off = np.abs((found.high - wanted.high) + (found.low - wanted.low))
    unit = half_a_unit(digits) * np.max(np.abs(wanted.high), initial=0)
    return bool(np.max(off, initial=0) > unit)


@pytest.fixture(scope="module")
def flower() -> ExactTrajectory:
    return trajectory(Descent(catalogue.build("flower"), 60), 25)


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_it_is_the_trajectory_of_the_oracle(problem: str, dtype: str) -> None:
    """The oracle trains by other formulas of its own: softplus for the loss, g' from Z."""
    of = catalogue.build(problem)
    found, wanted = trajectory(Descent(of, 3, dtype), 25), oracle(replace(of, iterations=3), dtype)
    assert found.certified
    costs = wanted.pop("costs")
    assert not differs(found.costs[:3], costs, 25 if dtype == "float64" else 15)  # the oracle has no low half there
    for name, value in wanted.items():
        assert not differs(found.params[name][3], value, 25 if dtype == "float64" else 15)


@pytest.mark.usefixtures("inline")
def test_it_starts_from_the_very_numbers_and_alpha_of_the_format() -> None:
    """Its first step from float32's start is another one than from float64's, and so is that of float32's 0.3."""
    of = catalogue.build("wine_logistic")
    in_64, in_32 = (trajectory(Descent(of, 1, dtype), 10) for dtype in ("float64", "float32"))
    assert np.array_equal(in_32.params["w"].high[0].astype(np.float32), in_32.params["w"].high[0])
    assert not np.array_equal(in_64.params["w"].high[1], in_32.params["w"].high[1])
    rounded = replace(of, learning_rate=float(np.float32(of.learning_rate or 0)))
    other = trajectory(Descent(rounded, 1, "float64"), 10)
    assert not np.array_equal(in_64.params["w"].high[1], other.params["w"].high[1])


def test_balls_prove_the_digits_where_they_stay_narrow(flower: ExactTrajectory) -> None:
    assert flower.certified
    assert flower.digits == 25
    assert flower.steps == 60
    assert flower.cost(0, 12) == "0.693048020124"


def test_two_precisions_agree_where_balls_do_not(flower: ExactTrajectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same digits come out of midpoints alone, and the result says that they are no proof."""
    monkeypatch.setattr(exactly, "MOST_CERTIFIED", 0)
    found = trajectory(Descent(catalogue.build("flower"), 60), 25)
    assert not found.certified
    for name, value in found.params.items():
        assert not differs(value, Exact(flower.params[name].high, flower.params[name].low, 0.0), 25)
    assert not differs(found.costs, Exact(flower.costs.high, flower.costs.low, 0.0), 25)


@pytest.mark.usefixtures("inline")
def test_a_precision_that_does_not_last_says_up_to_which_step_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 16 and 32 bits the digits are lost on the way; 64 and 128 agree in them."""
    monkeypatch.setattr(exactly, "MOST_CERTIFIED", 0)
    monkeypatch.setattr(exactly, "FIRST_PRECISION", 16)
    found = trajectory(Descent(catalogue.build("flower"), 30), 12)
    assert sorted(found.lasted)[:2] == [16, 32]
    assert all(step < 30 for bits, step in found.lasted.items() if bits < 64)
    assert found.precision[0] >= 64


@pytest.mark.usefixtures("inline")
def test_balls_that_turn_out_too_wide_are_not_called_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exactly, "_bits_for_balls", lambda descent, digits: 64)
    assert not trajectory(Descent(catalogue.build("flower"), 30), 15).certified


def test_the_widest_ball_is_reported() -> None:
    descent = Descent(catalogue.build("flower"), 5)
    numbers = {n: exactly.to_numbers(matrix(p)) for n, p in descent.start.items()}
    _, run = exactly.stretch(descent, numbers, 0, 128, True)
    assert run.width[0] < run.width[5] < 1
    _, run = exactly.stretch(descent, numbers, 0, 128, False)
    assert np.all(-np.log2(run.width[run.width > 0]) > 100)


@pytest.mark.usefixtures("inline")
def test_a_stretch_goes_on_where_another_ended() -> None:
    descent = Descent(catalogue.build("flower"), exactly.STRETCH + 10)
    numbers = {n: exactly.to_numbers(matrix(p)) for n, p in descent.start.items()}
    middle, first = exactly.stretch(descent, numbers, 0, 96, False)
    _, second = exactly.stretch(descent, middle, exactly.STRETCH, 96, False)
    assert (len(first.width), len(second.width)) == (exactly.STRETCH, 11)
    (whole,) = [trajectory(descent, 10)]
    assert not differs(
        second.costs, Exact(whole.costs.high[exactly.STRETCH :], whole.costs.low[exactly.STRETCH :], 0.0), 10
    )


@pytest.mark.usefixtures("inline")
def test_batches_are_taken_in_their_order() -> None:
    of = catalogue.build("wine_logistic")
    descent = Descent(of, 4, batch_size=16)
    assert descent.batches is not None
    found = trajectory(descent, 20)
    params = dict(descent.start)
    for step in range(4):
        of_step = oracle(
            replace(of, params=params, X=of.X[:, descent.batches[step]], Y=of.Y[:, descent.batches[step]]), "float64"
        )
        assert not differs(found.costs[step], of_step["J"], 10)
        params = {name: of_step[f"new_{name}"].high for name in params}


@pytest.mark.usefixtures("inline")
def test_a_descent_that_diverges_has_no_exact_trajectory() -> None:
    with pytest.raises(Indeterminate):
        trajectory(Descent(replace(catalogue.build("wine_logistic"), learning_rate=1e308), 6), 10)


def test_an_undecided_kink_is_no_proof() -> None:
    """ReLU networks are trained, too; where a ball straddles a kink, it raises."""
    from flint import arb

    with pytest.raises(Indeterminate, match="kink"):
        arbitrary._positive(arb(0, 1e-3))
    assert arbitrary._positive(arb(1, 1e-3))
    assert not arbitrary._positive(arb(0))


def symmetric() -> Problem:
    """Data in which x₁ and x₂ may change places, x₃ = 1, and so may their weights; w₃ and b are the same.

    The pre-activations of (1, −1, −1) and (−1, 1, −1) are 0, at every step, and in every precision they are noise.
    """
    rng = np.random.RandomState(5)
    x, y, label = *np.round(1000 * rng.standard_normal((2, 4)), 3), rng.random_sample(4) < 1 / 2
    pairs = [np.array([x, y, np.ones(4)]), np.array([y, x, np.ones(4)]), np.array([[1, -1], [-1, 1], [-1, -1]])]
    w, b = rng.random_sample(2)
    params = {"W1": np.array([[w, w, b]]), "b1": np.array([[b]]), "W2": np.ones((1, 1)), "b2": np.full((1, 1), 0.1)}
    labels = np.concatenate([label, label, [1, 1]])[None]
    return Problem("symmetric", "shallow_network", "edge", np.hstack(pairs), labels, params, ("relu", "sigmoid"), 0.5)


def parted() -> bool:
    """Whether an exact trajectory is found in which the two weights differ."""
    try:
        W1 = trajectory(Descent(symmetric(), 6), 10).params["W1"]
    except Indeterminate:
        return False
    return bool(np.any(W1[:, 0, 0].minus(W1[:, 0, 1])))


@pytest.mark.usefixtures("inline")
def test_noise_at_a_kink_is_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a look at the kinks two precisions agree here, both on the wrong side of one."""
    assert not parted()
    monkeypatch.setattr(exactly, "_kink_undecided", lambda lower, upper: [])
    assert parted()


@pytest.mark.usefixtures("inline")
def test_a_kink_that_128_bits_do_not_decide_is_decided_by_more() -> None:
    """Huge pre-activations, of which one is small beside the rounding of the others."""
    wine = catalogue.build("wine_shallow")
    drawn = replace(wine, params=draw(wine.model, (13, 20, 1), 0), activations=("relu", "sigmoid"), learning_rate=1e5)
    found = trajectory(Descent(drawn, 10), 10)
    assert (found.certified, found.precision[0] > exactly.FIRST_PRECISION) == (False, True)


def test_a_cost_below_the_range_of_float64_is_said() -> None:
    params = {"w": np.array([[1.0]]), "b": np.array(2000.0)}
    sure = Problem(
        "sure", "logistic_regression", "edge", np.array([[1.0, 2]]), np.array([[1, 1]]), params, ("sigmoid",)
    )
    with pytest.raises(Indeterminate, match="below the range"):
        trajectory(Descent(sure, 2), 10)


def test_progress_counts_every_step() -> None:
    told: list[tuple[str, int]] = []
    trajectory(Descent(catalogue.build("wine_logistic"), 120), 10, lambda what, steps: told.append((what, steps)))
    assert sum(steps for _, steps in told) == 121
    assert all("bits" in what for what, _ in told)


def _die(*_: object) -> None:
    os._exit(3)


def test_a_process_that_dies_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exactly, "stretch", _die)
    with pytest.raises(Indeterminate, match="died"):
        trajectory(Descent(catalogue.build("flower"), 3))
