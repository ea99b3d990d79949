"""The tables and the numbers that are printed on the slides (N1, N6, N7, N8, N17, N20, N22)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from parity.formats import FORMATS
from parity.problems import Problem
from parity.problems.exactness import prove
from parity.problems.parameters import draw, standardise
from reference.circuits import all_inputs, parity_of, xor_deep, xor_shallow

_NO_LABELS = np.empty((0, 1))


def house_prices() -> Problem:
    """The first table of N1, with the label "price above 350 thousand dollars"."""
    size_and_bedrooms = np.array([[2104, 1600, 2400, 3000], [3, 3, 3, 4]])
    price = np.array([[400, 330, 369, 540]])
    params = {"w": np.array([[0.5], [-0.25]]), "b": np.array(0.125)}
    return Problem(
        "house_prices", "logistic_regression", "notes", standardise(size_and_bedrooms), price > 350, params,
        ("sigmoid",), source="N1, first table, standardised", note="house size and bedrooms; 1 is a price above 350",
    )  # fmt: skip


def ad_clicks() -> Problem:
    """The second table of N1: user age and ad id against click."""
    age_and_ad = np.array([[41, 80, 18, 27], [93242, 93287, 87312, 71244]])
    click = np.array([[1, 0, 1, 1]])
    params = {"w": np.array([[0.5], [-0.25]]), "b": np.array(0.125)}
    return Problem(
        "ad_clicks", "logistic_regression", "notes", standardise(age_and_ad), click, params, ("sigmoid",),
        source="N1, second table, standardised", note="user age and ad id; 1 is a click",
    )  # fmt: skip


def slopes() -> Problem:
    """f(a) = 3a, a², a³, log a with their slopes at a = 2 and a = 5 (N6)."""
    points = np.array([[2.0, 5.0]])
    return Problem("slopes", "derivatives", "notes", points, _NO_LABELS, source="N6", note="at a = 2 and a = 5")


def computation_graph() -> Problem:
    """J = 3(a + bc) at a = 5, b = 3, c = 2: J = 33, da = 3, db = 6, dc = 9 (N7)."""
    params = {"a": np.array(5.0), "b": np.array(3.0), "c": np.array(2.0)}
    return Problem(
        "computation_graph", "computation_graph", "notes", np.zeros((1, 1)), _NO_LABELS, params,
        dtypes=tuple(FORMATS), exact=True, source="N7", note="J = 3(a + bc) at a = 5, b = 3, c = 2",
    )  # fmt: skip


def activations_and_slopes() -> Problem:
    """Every activation and its slope on a grid that holds zero, small numbers and saturation (N15, N17)."""
    tiny, sure = 2.0 ** np.array([-100, -40, -20, -7]), [17, 20, 25, 30, 40, 88, 100, 700, 800]
    positive = np.array([*tiny, 0.25, 0.5, 1, 2, 5, 10, *sure])
    grid = np.concatenate([-positive[::-1], [0.0], positive])[None, :]
    return Problem(
        "activations", "activations", "notes", grid, _NO_LABELS, source="N15, N17",
        note="at z = 0 the slope is that of the left side: ReLU'(0) = 0, leaky ReLU'(0) = 0.01",
    )  # fmt: skip


def one_example() -> Problem:
    """A single example with two features (N8)."""
    params = {"w": np.array([[1.0], [-2.0]]), "b": np.array(0.5)}
    return Problem(
        "one_example", "logistic_regression", "notes", np.array([[0.75], [0.5]]), np.ones((1, 1)), params, ("sigmoid",),
        source="N8", note="two features, one example: dz = a − y, dw = x dz",
    )  # fmt: skip


def four_layers() -> Problem:
    """The 4-layer network drawn on N20, n = (3, 5, 5, 3, 1), on eight examples."""
    rng = np.random.RandomState(20)
    X, Y = rng.standard_normal((3, 8)), rng.randint(0, 2, (1, 8))
    return Problem(
        "four_layers", "deep_network", "notes", X, Y, draw("deep_network", (3, 5, 5, 3, 1), seed=20),
        ("tanh", "relu", "sigmoid", "sigmoid"), source="N20, legacy seed 20", note="n = (3, 5, 5, 3, 1)",
    )  # fmt: skip


def xor_by_depth() -> Problem:
    """The parity of four bits by a network of logarithmic depth, on all 16 inputs (N22)."""
    params, activations = xor_deep(4)
    return _xor("xor_deep", "deep_network", params, activations)


def xor_by_width() -> Problem:
    """The parity of four bits by one hidden layer of 2³ units, on all 16 inputs (N22)."""
    params, activations = xor_shallow(4)
    return _xor("xor_shallow", "shallow_network", params, activations)


def _xor(name: str, model: str, params: dict[str, np.ndarray], activations: tuple[str, ...]) -> Problem:
    X = all_inputs(4)
    problem = Problem(
        name, model, "notes", X, parity_of(X), params, activations, learning_rate=None, dtypes=tuple(FORMATS),
        exact=True, source="N22", note="right on all 16 inputs: the cost and every gradient are zero",
    )  # fmt: skip
    prove(problem, may_be_degenerate=True)
    return problem


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "house_prices": house_prices,
    "ad_clicks": ad_clicks,
    "slopes": slopes,
    "computation_graph": computation_graph,
    "activations": activations_and_slopes,
    "one_example": one_example,
    "four_layers": four_layers,
    "xor_deep": xor_by_depth,
    "xor_shallow": xor_by_width,
}
