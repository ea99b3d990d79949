"""Every other form of a formula that the slides show gives what the witness's quantities give.

Values are held against the exact value and its bound (`Standard`), never against each other with a tolerance.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from parity.compare import BITS, DIFFERS, Standard
from parity.implementations import find
from parity.implementations.torch import Eager as Torch
from parity.problems import Problem, catalogue
from tests.shared import PACKAGES, place, standard

NETWORKS = [
    "wine_shallow",
    "wine_cultivars",
    "flower",
    "shallow_exact_tanh",
    "equal_sizes",
    "four_layers",
    "deep_exact_L5",
]


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> str:
    """Each of the three mirrored packages whose framework is here."""
    missing = place(PACKAGES[request.param]).missing
    if missing:
        pytest.skip(missing)
    return str(request.param)


def inputs(package: str, problem: Problem, dtype: str = "float64") -> tuple[dict[str, Any], Any, Any]:
    """params, X and Y as the package takes them."""
    to = find(PACKAGES[package]).to_framework  # type: ignore[attr-defined]
    params, X, Y = problem.inputs(dtype)
    return {name: to(p, "cpu") for name, p in params.items()}, to(X, "cpu"), to(Y, "cpu")


def judged(package: str, name: str, found: dict[str, Any]) -> None:
    """Every quantity is within its bound; on an exact problem, identical to the bit."""
    to_numpy = find(PACKAGES[package]).to_numpy  # type: ignore[attr-defined]
    comparisons = list(standard(name, "float64").compare({q: to_numpy(v) for q, v in found.items()}))
    assert comparisons
    assert all(c.verdict == BITS if catalogue.build(name).exact else c.verdict != DIFFERS for c in comparisons), (
        comparisons
    )


@pytest.mark.parametrize("name", [n for n in NETWORKS if catalogue.build(n).model == "shallow_network"])
def test_example_by_example_and_unit_by_unit(package: str, name: str) -> None:
    """N13, N14: the columns, stacked."""
    problem = catalogue.build(name)
    module = import_module(f"{package}.shallow_network")
    params, X, _ = inputs(package, problem)
    first = problem.m and X[:, :1]
    _, cache = module.forward_unit_by_unit(params, first, problem.activations)
    assert {q: tuple(v.shape) for q, v in cache.items()} == {
        q: (v.high.shape[0], 1) for q, v in standard(name, "float64").exact.items() if q in cache
    }
    if problem.m <= 64:  # un-jitted JAX takes its time
        A2, cache = module.forward_by_example(params, X, problem.activations)
        judged(package, name, {**cache, "A2": A2})


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_cost_and_gradients_apart(package: str, name: str) -> None:
    """The functions that a reader calls give what `quantities` gives."""
    problem = catalogue.build(name)
    module = import_module(f"{package}.{problem.model}")
    args = inputs(package, problem)
    _, cache = module.forward(args[0], args[1], problem.activations)
    judged(
        package,
        name,
        {**cache, "J": module.cost(*args, problem.activations), **module.gradients(*args, problem.activations)},
    )


@pytest.mark.parametrize("name", ["wine_logistic", "logistic_exact", "all_labels_0"])
def test_logistic_regression_apart(package: str, name: str) -> None:
    module = import_module(f"{package}.logistic_regression")
    params, X, Y = inputs(package, catalogue.build(name))
    A, cache = module.forward(params, X)
    judged(package, name, {**cache, "A": A, "J": module.cost(params, X, Y), **module.gradients(params, X, Y)})
    judged(package, name, module.gradients_by_example(params, X, Y))


def test_the_slides_blocks() -> None:
    """N23: from dA[L] through the chain of blocks; where a is far from 0 and 1, within the same bound."""
    from reference.deep_network import backward_by_blocks, forward

    for name in ("four_layers", "equal_sizes", "single_example"):
        problem = catalogue.build(name)
        params, X, Y = problem.inputs("float64")
        _, cache = forward(params, X, problem.activations)
        found = backward_by_blocks(params, cache, X, Y, problem.activations)
        judged("reference", name, found)
        assert set(found) == {"d" + p for p in params}


def test_the_slides_cost_and_where_it_breaks(package: str) -> None:
    """N4 from probabilities: right where a is far from 0 and 1, not finite once a rounds to 0 or 1."""
    module = import_module(f"{package}.logistic_regression")
    problem = catalogue.build("one_example")
    params, X, Y = inputs(package, problem)
    A, _ = module.forward(params, X)
    judged(package, "one_example", {"J": module.cross_entropy_of_probabilities(A, Y)})
    params, X, Y = inputs(package, catalogue.build("saturation_40"))
    A, _ = module.forward(params, X)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert not np.isfinite(float(module.cross_entropy_of_probabilities(A, Y)))


def test_one_example_right_to_left(package: str) -> None:
    """N8: da, dz, dw, db of a single example; m = 1, so dw and db are the problem's."""
    module = import_module(f"{package}.logistic_regression")
    problem = catalogue.build("one_example")
    params, X, Y = inputs(package, problem)
    found = module.derivatives_of_one_example(params["w"], params["b"], X, Y[0, 0])
    to_numpy = find(PACKAGES[package]).to_numpy  # type: ignore[attr-defined]
    dz, da = to_numpy(found["dz"]), to_numpy(found["da"])
    judged(package, "one_example", {"dw": found["dw"], "db": found["db"]})
    expected = standard("one_example", "float64")
    a, error = expected.exact["A"].high[0, 0], expected.bounds["A"][0, 0]
    assert abs(dz - expected.exact["dZ"].high[0, 0]) <= expected.bounds["dZ"][0, 0]
    assert abs(da + 1 / a) <= (error / a + 4 * expected.fmt.u) / a  # y = 1: da = −1/a, and |1/â − 1/a| ≤ error / a²


def test_a_linear_network_is_one_linear_map(package: str) -> None:
    """N16: identity activations collapse to W' = W2 W1, b' = W2 b1 + b2; exact, so to the bit."""
    problem = catalogue.build("shallow_exact_identity")
    shallow, deep = import_module(f"{package}.shallow_network"), import_module(f"{package}.deep_network")
    params, X, _ = inputs(package, problem)
    collapsed = shallow.collapse(params)
    assert tuple(collapsed["W1"].shape) == (1, 6)
    _, cache = deep.forward(collapsed, X, ("sigmoid",))
    judged(package, "shallow_exact_identity", {"Z2": cache["Z1"], "A2": cache["A1"]})


def test_logistic_regression_is_a_network_of_one_layer(package: str) -> None:
    """N20: L = 1."""
    deep = import_module(f"{package}.deep_network")
    params, X, Y = inputs(package, catalogue.build("logistic_exact"))
    layered = {"W1": params["w"].T, "b1": params["b"].reshape(1, 1)}
    found = deep.quantities(layered, X, Y, ("sigmoid",))
    judged(
        package,
        "logistic_exact",
        {"Z": found["Z1"], "A": found["A1"], "J": found["J"], "dZ": found["dZ1"], "dw": found["dW1"].T},
    )


def test_zero_initialisation_keeps_the_hidden_units_identical(package: str) -> None:
    """N19, shown by the rows after five steps; random weights tell them apart."""
    module = import_module(f"{package}.shallow_network")
    initialization = import_module(f"{package}.initialization")
    _, X, Y = inputs(package, catalogue.build("zero_initialisation"))
    zeros = initialization.zeros((3, 4, 1))
    trained, _ = module.train(zeros, X, Y, 0.5, 5)
    assert initialization.hidden_units_identical(trained["W1"])
    drawn = initialization.random((3, 4, 1), np.random.RandomState(0))
    trained, costs = module.train(drawn, X, Y, 0.5, 5)
    assert not initialization.hidden_units_identical(trained["W1"])
    assert tuple(costs.shape) == (5,)


MISFITS = [
    ("logistic_regression", "wine_logistic", {"w": (3, 1)}, "w has shape (3, 1), expected (13, 1)"),
    ("logistic_regression", "wine_logistic", {"b": (1, 1)}, "b has shape (1, 1), expected ()"),
    ("logistic_regression", "wine_logistic", {"Y": (178,)}, "a rank-1 array is no row"),
    ("logistic_regression", "wine_logistic", {"X": (13,)}, "X has shape (13,), expected (n_x, m)"),
    ("shallow_network", "wine_shallow", {"W1": (5, 12)}, "W1 has shape (5, 12), expected (n[1], n[0]) with n[0] = 13"),
    ("shallow_network", "wine_shallow", {"b1": (5,)}, "b1 has shape (5,), expected (n[1], 1) = (5, 1)"),
    ("shallow_network", "wine_shallow", {"Y": (178,)}, "a rank-1 array is no row"),
    ("shallow_network", "wine_shallow", {"Y": (178, 1)}, "Y has shape (178, 1), expected (n[2], m) = (1, 178)"),
    ("deep_network", "wine_deep", {"W3": (5, 5)}, "W3 has shape (5, 5), expected (n[3], n[2]) with n[2] = 6"),
    ("deep_network", "wine_deep", {"X": (13, 0)}, "X has shape (13, 0), expected (n_x, m)"),
]


@pytest.mark.parametrize(("model", "name", "wrong", "line"), MISFITS, ids=[f"{m[0]}-{m[3][:12]}" for m in MISFITS])
def test_train_names_the_argument_that_does_not_fit(
    package: str, model: str, name: str, wrong: dict[str, tuple[int, ...]], line: str
) -> None:
    """N12, N21."""
    problem = catalogue.build(name)
    to = find(PACKAGES[package]).to_framework  # type: ignore[attr-defined]
    params, X, Y = inputs(package, problem)
    ((argument, shape),) = wrong.items()
    array = to(np.zeros(shape), "cpu")
    arguments = {"X": X, "Y": Y} | {argument: array}
    params = {k: arguments.pop(k, v) if k == argument else v for k, v in params.items()}
    module = import_module(f"{package}.{model}")
    with pytest.raises(ValueError, match=r"expected|rank-1") as caught:
        module.train(params, arguments["X"], arguments["Y"], 0.5, 1, **problem.options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", ["logistic_regression", "deep_network"])
def test_train_names_a_dtype_that_does_not_fit(package: str, model: str) -> None:
    problem = catalogue.build("wine_logistic" if model == "logistic_regression" else "wine_deep")
    params, X, _ = inputs(package, problem)
    _, _, Y = inputs(package, problem, "float32")
    module = import_module(f"{package}.{model}")
    with pytest.raises(ValueError, match=r"Y has dtype .*float32, expected .*float64, the dtype of X"):
        module.check_dimensions(params, X, Y)
    to = find(PACKAGES[package]).to_framework  # type: ignore[attr-defined]
    whole = {name: to(np.asarray(p).astype(np.int64), "cpu") for name, p in problem.params.items()}
    integers = [to(np.asarray(a).astype(np.int64), "cpu") for a in (problem.X, problem.Y)]
    with pytest.raises(ValueError, match=r"X has dtype .*int64, expected a floating-point dtype"):
        module.check_dimensions(whole, *integers)


def test_params_of_another_network_are_refused(package: str) -> None:
    deep, logistic = import_module(f"{package}.deep_network"), import_module(f"{package}.logistic_regression")
    params, X, Y = inputs(package, catalogue.build("wine_logistic"))
    with pytest.raises(ValueError, match=r"params holds \['b', 'w'\], expected W1, b1"):
        deep.check_dimensions(params, X, Y)
    params, X, Y = inputs(package, catalogue.build("wine_deep"))
    with pytest.raises(ValueError, match="params has no w"):
        logistic.check_dimensions(params, X, Y)


def test_a_problem_names_the_argument_that_does_not_fit() -> None:
    """What any entry of the witness is given is checked by the problem itself."""
    good = catalogue.build("wine_shallow")

    def problem(**changes: Any) -> Problem:
        fields = {
            "name": "p",
            "model": "shallow_network",
            "group": "edge",
            "X": good.X,
            "Y": good.Y,
            "params": dict(good.params),
            "activations": good.activations,
        }
        return Problem(**(fields | changes))

    for changes, line in (
        ({"Y": good.Y[0]}, "a rank-1 array is no row"),
        ({"Y": good.Y + 1}, "Y holds a label other than 0 and 1"),
        ({"X": good.X[:3]}, r"W1 has shape \(5, 13\), expected \(5, 3\)"),
        ({"X": good.X * np.nan}, "X holds a value that is not finite"),
        ({"params": {}}, "params holds"),
        ({"activations": ("tanh",)}, "expected 2 names with a sigmoid last"),
        ({"activations": ("tanh", "tanh")}, "expected 2 names with a sigmoid last"),
        ({"activations": ("softsign", "sigmoid")}, "activations holds 'softsign', expected some of sigmoid"),
        ({"model": "wide_network"}, "model is 'wide_network'"),
        ({"dtypes": ("float8",)}, "dtypes holds 'float8'"),
    ):
        with pytest.raises(ValueError, match=line):
            problem(**changes)


def test_torch_takes_and_gives_back_every_bit() -> None:
    """bfloat16 has no NumPy dtype of torch's own: the bits travel as integers."""
    if place("torch-eager").missing:
        pytest.skip("no torch")
    problem = catalogue.build("shallow_exact_relu")
    for dtype in problem.dtypes:
        _, X, _ = problem.inputs(dtype)
        back = Torch().to_numpy(Torch().to_framework(X, "cpu"))
        assert back.dtype == X.dtype
        assert back.tobytes() == X.tobytes()


def test_the_standard_of_an_exact_problem_has_no_bounds() -> None:
    assert Standard.of(catalogue.build("xor_deep"), "float32").bounds == {}
