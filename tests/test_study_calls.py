"""Calls of the same function in every package: what is handed over, how results are named, what they are exactly."""

from __future__ import annotations

import re

import numpy as np
import pytest

from parity.compare import BITS, DIFFERS
from parity.implementations import Mirrored, find
from parity.problems import FLOATS
from parity.study import calls
from parity.study.calls import CALLERS, Call, compute, exact, judge, returned_names, shown
from parity.study.digits import NOTHING, Number
from parity.study.registry import Broken

NETWORK = {
    "W1": [[1.0, 2.0], [3.0, -1.0]], "b1": [[0.5], [0.25]], "W2": [[2.0, -1.0]], "b2": [[0.125]],
}  # fmt: skip
LAYER = {"A_prev": [[1.0, 2.0], [0.5, 3.0]], "W": [[1.0, -2.0]], "activation": "relu"}
ONE_EXAMPLE = {"w": [[1.0], [2.0]], "b": -14.0, "x": [[4.0], [5.0]], "y": 1.0}

CALLS = [
    (Call("vectorization.dot_loop", {"w": [[1.0], [2.0]], "x": [[4.0], [5.0]]}), {"dot_loop": 14}),
    (Call("vectorization.dot", {"w": [[1.0], [2.0]], "x": [[4.0], [5.0]]}), {"dot": 14}),
    (
        Call("vectorization.add_to_every_column", {"M": [[1.0, 2.0], [4.0, 5.0]], "b": [[10.0], [20.0]]}),
        {"add_to_every_column": [[11, 12], [24, 25]]},
    ),
    (Call("vectorization.column", {"v": [1.0, 2.0]}), {"column": [[1], [2]]}),
    (Call("vectorization.transpose", {"v": [1.0, 2.0]}), {"transpose": [1, 2]}),
    (Call("vectorization.subtract", {"A": [[1.0], [2.0]], "Y": [1.0, 0.0]}), {"subtract": [[0, 1], [1, 2]]}),
    (
        Call("logistic_regression.derivatives_of_one_example", ONE_EXAMPLE),
        {"da": -2, "dz": -0.5, "dw": [[-2], [-2.5]], "db": -0.5},
    ),
    (Call("derivatives.nudge", {"name": "square", "a": 2.0, "da": 0.0009765625}), {"nudge": 4.0009765625}),
    (Call("derivatives.slope", {"name": "square", "a": [2.0, 5.0]}), {"slope": [4, 10]}),
    (Call("shallow_network.collapse", {"params": NETWORK}), {"W1": [[-1, 5]], "b1": [[0.875]]}),
    (
        Call(
            "shallow_network.forward_unit_by_unit",
            {"params": NETWORK, "x": [[1.0], [-2.0]], "activations": ["relu", "identity"]},
        ),
        {"Z1": [[-2.5], [5.25]], "A1": [[0], [5.25]], "Z2": [[-5.125]], "A2": [[-5.125]]},
    ),
    (Call("deep_network.layer_forward", {**LAYER, "b": [[0.5]]}), {"A": [[0.5, 0]], "Z": [[0.5, -3.5]]}),
    (
        Call("deep_network.layer_backward", {**LAYER, "dA": [[1.0, 2.0]], "Z": [[0.5, -3.5]]}),
        {"dA_prev": [[1, 0], [-2, 0]], "dW": [[0.5, 0.25]], "db": [[0.5]]},
    ),
    (
        Call("initialization.zeros", {"layers": [2, 1]}),
        {"W1": [[0, 0]], "b1": [[0]]},
    ),
    (
        Call("initialization.hidden_units_identical", {"W": [[1.0, 2.0], [1.0, 2.0]]}),
        {"hidden_units_identical": True},
    ),
    (Call("circuits.count_units", {"params": NETWORK}), {"count_units": 2}),
    (Call("circuits.parity_of", {"X": [[0.0, 1.0], [1.0, 1.0]]}), {"parity_of": [[1, 0]]}),
    (Call("circuits.all_inputs", {"n": 2}), {"all_inputs": [[0, 0, 1, 1], [0, 1, 0, 1]]}),
    (
        Call(
            "logistic_regression.update",
            {
                "params": {"w": [[1.0], [2.0]], "b": 0.5}, "grads": {"dw": [[0.5], [0.25]], "db": 1.0},
                "learning_rate": 0.5,
            },
        ),
        {"w": [[0.75], [1.875]], "b": 0},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "values"), CALLS, ids=lambda of: of.function if isinstance(of, Call) else "")
def test_a_call_has_the_exact_result_in_every_package(call: Call, values: dict[str, object]) -> None:
    for dtype in call.dtypes:
        wanted = exact(call, dtype)
        assert {name: value.tolist() for name, value in wanted.items()} == values
        for name in CALLERS:
            implementation = find(name)
            assert isinstance(implementation, Mirrored)
            if call.missing_from(implementation.package) or implementation.unavailable():
                continue
            found = compute(name, call, dtype)
            for quantity, value in wanted.items():
                assert judge(quantity, value, found, shown(value)[0]).verdict == BITS


def test_formats_are_those_of_the_arrays_and_one_where_there_is_none() -> None:
    dot, zeros = CALLS[0][0], Call("initialization.zeros", {"layers": [3, 4, 1]})
    assert (dot.dtypes, zeros.dtypes) == (FLOATS, ("float64",))
    assert exact(dot, "float32")["dot_loop"].dtype == np.float32


def test_arguments_are_arrays_where_they_are_decimal_and_else_what_they_are() -> None:
    given = {"a": 2.0, "v": [1.0, 2], "n": 3, "layers": [3, 4, 1], "names": ["relu"], "yes": True, "p": {"W": [[1.0]]}}
    found = calls._converted(Call("x.y", given), "float32", lambda array: array)
    assert (found["n"], found["layers"], found["names"], found["yes"]) == (3, (3, 4, 1), ("relu",), True)
    assert [(found[k].shape, found[k].dtype) for k in ("a", "v")] == [((), np.float32), ((2,), np.float32)]
    assert found["p"]["W"].shape == (1, 1)


def test_the_parts_of_a_tuple_have_the_names_of_the_code() -> None:
    assert returned_names("reference", "deep_network.layer_backward", 3) == ("dA_prev", "dW", "db")
    assert returned_names("reference", "deep_network.layer_forward", 2) == ("A", "Z")  # as `forward` takes them
    assert returned_names("reference", "circuits.xor_shallow", 2)[0] == "{'W1': W1, 'b1': b1, 'W2': W2, 'b2': b2}"
    assert returned_names("reference", "vectorization.dot", 2) == ("dot[0]", "dot[1]")  # what is no tuple in the code


def test_an_array_that_is_returned_twice_is_shown_once_and_words_are_not() -> None:
    A = np.ones(2)
    forward = Call("shallow_network.forward", {})
    assert list(calls.named(forward, (A, {"Z1": 2 * A, "A2": A}))) == ["Z1", "A2"]
    assert list(calls.named(forward, (A, {"Z1": 2 * A}))) == ["A2", "Z1"]
    assert list(exact(Call("circuits.xor_shallow", {"n": 2}), "float64")) == ["W1", "b1", "W2", "b2"]


def test_a_function_that_a_package_does_not_have_is_said_to_be_missing() -> None:
    call = CALLS[12][0]
    assert call.missing_from("torch_impl") == "torch_impl.deep_network has no layer_backward"
    assert call.missing_from("reference") == ""
    assert Call("tuned.prepared", {}).missing_from("jax_impl") == "jax_impl has no module tuned"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (Call("vectorization.dot", {"w": [[0.1]], "x": [[4.1]]}), "float64 rounds 0.41"),
        (Call("activations.tanh", {"Z": [1.0]}), "0.7615941559557649 is rounded"),
        (Call("activations.leaky_relu", {"Z": [-3.0]}), "float64 rounds -0.03"),
        (Call("vectorization.dot", {"w": [[1.0]], "y": [[4.0]]}), "unexpected keyword argument 'y'"),
        (Call("vectorization.column", {"v": [[1.0], [1.0, 2.0]]}), "inhomogeneous"),
        (Call("vectorization.product", {"v": [1.0]}), "reference.vectorization has no product"),
        (Call("vectors.dot", {"v": [1.0]}), "reference has no module vectors"),
        (Call("circuits.all_inputs", {"n": 1}), "n is 1, expected at least 2"),
        (Call("shallow_network.check_dimensions", {"params": {"a": 1.0}}), "shallow_network has no check_dimensions"),
    ],
)
def test_a_call_without_an_exact_result_is_refused(call: Call, reason: str) -> None:
    with pytest.raises(Broken, match=re.escape(reason)):
        exact(call, "float64")


def test_a_wrong_result_differs_and_a_zero_has_no_sign() -> None:
    wanted = np.array([[0.0, 1.0], [2.0, 4.0]])
    at, texts = shown(wanted)
    assert (at, texts) == ([(0, 1), (1, 0), (1, 1)], ("1.0", "2.0", "4.0"))
    assert judge("A", wanted, {"A": np.array([[-0.0, 1.0], [2.0, 4.0]])}, at).verdict == BITS
    off = judge("A", wanted, {"A": np.array([[0.0, 1.0], [2.0, np.nextafter(4.0, 5.0)]])}, at)
    assert (off.verdict, off.ulps, off.looks_like) == (DIFFERS, 1.0, "unknown")
    assert off.values == (Number("1.0", 3), Number("2.0", 3), Number("4.000000000000001", 16))
    for found, reason in (
        ({"A": wanted.T[:1]}, "shape (1, 2), not (2, 2)"),
        ({"A": wanted.astype(np.float32)}, "dtype float32, not float64"),
        ({"B": wanted}, "nothing: it is missing"),
        ("ValueError: no", "ValueError: no"),
    ):
        off = judge("A", wanted, found, at)
        assert (off.verdict, off.looks_like, off.values) == (DIFFERS, reason, (NOTHING,) * 3)
    assert judge("same", np.array(True), {"same": np.array(False)}, [()]).verdict == DIFFERS


def test_what_a_package_raises_is_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**arguments: object) -> None:
        raise FloatingPointError("planted")

    monkeypatch.setattr(calls, "_function", lambda package, call: fails)
    assert compute("reference", CALLS[0][0], "float64") == "FloatingPointError: planted"
