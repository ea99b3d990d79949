"""Why last digits differ: the rounding of every step, amplified, is the distance from the exact trajectory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from parity.problems import catalogue
from parity.training import Descent, amplification
from parity.training.amplification import (
    Curvature,
    Distance,
    curvature,
    distance,
    gradient_change,
    hessian_times,
    measured,
    partings,
    spectrum_ends,
)
from parity.training.arbitrary import Sum
from parity.training.exact import ExactTrajectory, half_a_unit, trajectory
from parity.training.steps import descend
from parity.training.trail import Trail
from reference.curvature import hessian
from reference.deep_network import gradients
from tests.inline import inline  # noqa: F401

pytestmark = pytest.mark.usefixtures("inline")

AS_PREDICTED = 100
"""How many times the prediction the distance may be: what is asked for; it is 1.0 times it."""


def trail_of(descent: Descent) -> Trail:
    (trail,), _ = descend(("reference",), descent, {})
    return trail


def ratios(descent: Descent, first: int = 0) -> np.ndarray:
    """Distance / prediction at every step at which there is a distance, all steps from `first` on."""
    found = distance(descent, trail_of(descent), trajectory(descent, 10))
    off = found.params > 0
    assert off[first:].all()
    return found.params[off] / found.predicted[off]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("problem", ["wine_logistic", "wine_shallow", "flower"])
def test_the_distance_is_what_the_rounding_of_the_steps_predicts(problem: str, dtype: str) -> None:
    """Inside the stable region; and not only below: without the Hessian the prediction would be another."""
    found = ratios(Descent(replace(catalogue.build(problem), learning_rate=0.3), 60, dtype), first=2)
    assert np.all(found < AS_PREDICTED)
    assert np.all(AS_PREDICTED * found > 1)
    assert f"{np.median(found):.1f}" == "1.0"


def test_a_kink_that_is_crossed_is_in_the_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    """At step 5 a bias is moved so that the pre-activation nearest to 0 ends as far on the other side."""
    of = replace(catalogue.build("wine_shallow"), activations=("relu", "sigmoid"))
    descent, begun = Descent(of, 40), trail_of(Descent(of, 5))
    params = begun.reached.params
    Z1 = params["W1"] @ of.X + params["b1"]
    unit, example = np.unravel_index(np.argmin(np.abs(Z1)), Z1.shape)
    b1 = params["b1"].copy()
    b1[unit] -= 2 * Z1[unit, example]
    (rest,), _ = descend(("reference",), descent, {"reference": replace(begun.reached, params=params | {"b1": b1})})
    exact = trajectory(descent, 20)
    with_jump = distance(descent, rest, exact)
    monkeypatch.setattr(amplification, "gradient_change", hessian_times)
    without = distance(descent, rest, exact)
    off = [np.abs(found.predicted / found.params - 1).max() for found in (with_jump, without)]
    assert 10 * off[0] < off[1]


@pytest.mark.parametrize("first", ["relu", "leaky_relu", "leaky_relu_exact"])
def test_the_change_of_the_gradient_across_a_kink_is_that_of_the_gradient(first: str) -> None:
    """V moves the bias of a unit by twice its pre-activation: the rest of the change is of second order."""
    activations = (first, "tanh", "leaky_relu", "relu", "sigmoid")
    of = replace(catalogue.build("wine_deep"), activations=activations)
    V = {name: np.zeros_like(p) for name, p in of.params.items()}
    params, X, Y = of.inputs("float64")
    Z1 = params["W1"] @ X + params["b1"]
    V["b1"][0] = -2 * Z1[0, np.argmin(np.abs(Z1[0]))]
    moved = {name: p + V[name] for name, p in params.items()}
    there, here = (gradients(p, X, Y, activations) for p in (moved, params))
    off, linear = (
        max(np.abs(there[f"d{name}"] - here[f"d{name}"] - change[name]).max() for name in V)
        for change in (gradient_change(of, V), hessian_times(of, V))
    )
    assert 10 * off < linear


def test_where_longdouble_is_no_wider_nothing_is_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "longdouble", np.float64)
    assert (measured("float64"), measured("float32")) == (False, True)


def test_an_error_at_one_step_is_amplified_to_the_end() -> None:
    """A nudge at step 5 of a trail that is otherwise right: measured and predicted grow alike, to first order in it."""
    of = catalogue.build("flower")
    descent, begun, exact = Descent(of, 40), trail_of(Descent(of, 5)), trajectory(Descent(of, 40), 20)
    off = []
    for nudge in (2.0**-20, 2.0**-30):
        moved = begun.reached.params | {"W1": begun.reached.params["W1"] + nudge}
        (rest,), _ = descend(("reference",), descent, {"reference": replace(begun.reached, params=moved)})
        found = distance(descent, rest, exact)
        assert (found.first, rest.first, len(found.params)) == (5, 5, 35)
        off.append(np.abs(found.params / found.predicted - 1).max())
    assert 100 * off[1] < off[0]


def test_the_digits_and_the_horizon_of_a_known_distance() -> None:
    cost = np.array([0.0, 1e-12, 4e-11, 6e-11, 1e-12, 5e-4])
    found = Distance("somebody's", 10, cost, cost, cost, cost)
    assert found.horizon(10) == 12
    assert found.horizon(2) == 15
    assert found.digits(10) == np.inf
    assert found.digits(15) == 3
    assert half_a_unit(10) == 5e-11


@pytest.mark.parametrize("problem", ["flower", "wine_logistic", "wine_deep", "breast_cancer_logistic"])
def test_the_ends_of_the_spectrum_are_those_of_the_dense_hessian(problem: str) -> None:
    """Lanczos (wine_deep has more than 64 parameters) and the small dense one against autograd's Hessian.

    In the decimals that the report prints.
    """
    torch = pytest.importorskip("torch")
    of = catalogue.build(problem)
    from importlib import import_module

    module = import_module(f"torch_impl.{of.model}")
    params, X, Y = (of.params, torch.tensor(of.X), torch.tensor(of.Y))
    names, shapes = list(params), [params[n].shape for n in params]
    flat = torch.tensor(np.concatenate([np.ravel(params[n]) for n in names]))

    def cost(v: object) -> object:
        parts = torch.split(v, [int(np.prod(s)) for s in shapes])
        return module.cost({n: p.reshape(s) for n, p, s in zip(names, parts, shapes, strict=True)}, X, Y, **of.options)

    eigenvalues = torch.linalg.eigvalsh(torch.func.hessian(cost)(flat)).numpy()
    for found, wanted in zip(spectrum_ends(of), eigenvalues[[0, -1]], strict=True):
        assert f"{found:.3f}" == f"{wanted:.3f}"


def test_products_with_the_hessian_of_logistic_regression_have_its_names() -> None:
    """At w = 0 and b = 0 all a are 1/2, and with small integers in X and V nothing rounds: equal to the bit."""
    of = catalogue.build("logistic_exact")
    of = replace(of, params={name: np.zeros(p.shape) for name, p in of.params.items()}, exact=False)
    rng = np.random.RandomState(0)
    V = {name: rng.randint(-3, 4, p.shape).astype(float) for name, p in of.params.items()}
    found, H = hessian_times(of, V), hessian(*of.inputs("float64"))
    assert {name: p.shape for name, p in found.items()} == {name: p.shape for name, p in V.items()}
    assert np.array_equal(np.append(found["w"], found["b"]), H @ np.append(V["w"], V["b"]))


def test_a_spectrum_beyond_2_stretches() -> None:
    inside = Curvature(0, 0.1, 1.9)
    assert inside.stretch < 1
    assert Curvature(0, 0.1, 2.5).stretch == 1.5
    assert Curvature(0, -0.25, 1.0).stretch == 1.25


def test_alpha_times_the_largest_eigenvalue() -> None:
    of = catalogue.build("wine_logistic")
    descent = Descent(of, 2)
    found = curvature(descent, trajectory(descent, 10), 0)
    smallest, largest = spectrum_ends(of)
    assert (found.smallest, found.largest) == (0.3 * smallest, 0.3 * largest)


def constant(values: list[float], first: int = 0) -> Trail:
    """A trail whose only parameter and whose J are these."""
    history = np.array([*values, 0.0])[:, None]
    trail = Trail("somebody's", first, {"b": history}, np.empty(first + len(values)), {}, np.array(values), np.empty(0))
    return trail


def test_two_trails_part_at_the_first_bit_and_at_the_first_digit() -> None:
    a, b = constant([1, 1, 1, 1]), constant([1, 1 + 2.0**-52, 1 + 1e-5, 1.1])
    (found,) = partings([a, b], 3)
    assert (found.bits, found.digits) == (1, 3)
    (same,) = partings([a, a], 3)
    assert (same.bits, same.digits) == (None, None)
    (later,) = partings([constant([1, 1], first=2), b], 3)
    assert (later.bits, later.digits) == (2, 3)


def test_an_exact_trajectory_may_come_from_anywhere() -> None:
    """The distance is taken to the values that it is given."""
    descent = Descent(catalogue.build("wine_logistic"), 2)
    trail, exact = trail_of(descent), trajectory(descent, 20)
    moved = {name: Sum(value.high + 1.0, value.low) for name, value in exact.params.items()}
    found = distance(descent, trail, ExactTrajectory(moved, exact.costs, (64,), True, 20))
    assert np.all(2 * found.params > 1)
