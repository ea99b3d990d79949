"""Exact problems are exact, and the proof notices when one is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.compare import BITS, DIFFERS, Standard
from parity.formats import FORMATS
from parity.implementations import find
from parity.oracle import exact
from parity.problems import FLOATS, NETWORKS, Problem, catalogue
from parity.problems.exact import PROBLEMS, RECIPES, draw
from parity.problems.exactness import NotExact, narrowest, prove
from parity.problems.integers import values

EXACT = [name for name in catalogue.NAMES if catalogue.build(name).exact]


def changed(name: str, **arrays: np.ndarray) -> Problem:
    """An exact problem with some of its arrays replaced, not proven."""
    problem = catalogue.build(name)
    params = {k: arrays.get(k, v) for k, v in problem.params.items()}
    return replace(problem, params=params, X=arrays.get("X", problem.X), Y=arrays.get("Y", problem.Y))


@pytest.mark.parametrize("name", EXACT)
def test_the_exact_values_have_no_error_and_are_representable(name: str) -> None:
    problem = catalogue.build(name)
    for dtype in problem.dtypes:
        for value in exact(problem, dtype).values():
            assert value.radius == 0
            assert np.array_equal(value.high.astype(FORMATS[dtype].dtype).astype(np.float64), value.high)
            assert not np.any(value.low)


@pytest.mark.parametrize("name", [name for name in EXACT if not catalogue.build(name).iterations])
def test_plain_arithmetic_gives_the_exact_values(name: str) -> None:
    """In their order, and so does the proof accept them."""
    problem = catalogue.build(name)
    if problem.model in NETWORKS:
        found, expected = values(problem), exact(problem, problem.dtypes[0])
        assert list(found) == list(expected)
        assert all(np.array_equal(found[quantity], value.high) for quantity, value in expected.items())
        prove(problem, values=values, may_be_degenerate=True)


def test_the_proof_refuses_with_plain_values() -> None:
    """The values are wrong where a step before them rounds: that step is named."""
    problem = changed("shallow_wide", W1=catalogue.build("shallow_wide").params["W1"] + 2.0**-23)
    with pytest.raises(NotExact, match="float32: the value of W1"):
        prove(problem, values=values)


def test_there_are_exact_problems_of_every_kind() -> None:
    recipes = [recipe for _, recipe, _ in RECIPES.values()]
    assert {model for model, _, _ in RECIPES.values()} == set(NETWORKS)
    assert {len(r.activations) for r in recipes} == {1, 2, 3, 4, 5, 6}
    assert {r.activations[0] for r in recipes} >= {"relu", "leaky_relu_exact", "tanh", "sigmoid", "identity"}
    assert any(r.layers[-1] > 1 for r in recipes)
    assert any(r.m == 1 for r in recipes)
    assert all(any(dtype in r.dtypes for r in recipes) for dtype in FORMATS)


def test_every_network_trains_exactly_for_eight_steps() -> None:
    training = [problem for problem in map(catalogue.build, PROBLEMS) if problem.iterations]
    assert [problem.model for problem in training] == list(NETWORKS)
    assert all(problem.iterations >= 8 and set(problem.dtypes) >= set(FLOATS) for problem in training)


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_sums_are_exact_in_any_order(name: str) -> None:
    """Examples and features permuted, the narrowest formats: NumPy sums in another order and gives the same bits."""
    problem, rng = catalogue.build(name), np.random.RandomState(0)
    examples, features = rng.permutation(problem.m), rng.permutation(problem.X.shape[0])
    first = "w" if problem.model == "logistic_regression" else "W1"
    axis = 0 if first == "w" else 1
    params = dict(problem.params) | {first: np.take(problem.params[first], features, axis=axis)}
    shuffled = replace(problem, params=params, X=problem.X[features][:, examples], Y=problem.Y[:, examples])
    reference = find("reference")
    for fmt in narrowest(problem):
        before = reference.quantities(problem, fmt.name, "cpu")
        after = reference.quantities(shuffled, fmt.name, "cpu")
        for quantity, value in before.items():
            if quantity[0] not in "ZA" and not quantity.startswith("dZ"):
                moved = (
                    np.take(value, features, axis=axis)
                    if quantity.removeprefix("d").removeprefix("new_") == first
                    else value
                )
                assert np.array_equal(after[quantity], moved), quantity


@pytest.mark.parametrize(
    ("problem", "complaint"),
    [
        (lambda: changed("shallow_exact_relu", X=catalogue.build("shallow_exact_relu").X / 3), "the value of X"),
        (lambda: changed("shallow_exact_relu", b2=np.array([[512.0]])), "A2 = sigmoid(Z2)"),
        (lambda: changed("logistic_exact", w=catalogue.build("logistic_exact").params["w"] * 2.0**9),
         "Z1 = W1 A0 + b1"),
        (lambda: changed("logistic_exact", b=np.array(768.0 + 1)), "the value of b rounds"),
        (lambda: changed("shallow_wide", W1=catalogue.build("shallow_wide").params["W1"] + 2.0**-23), "float32"),
        (lambda: replace(catalogue.build("logistic_wide"), learning_rate=0.3), "the learning rate is 0.3"),
        (lambda: replace(changed("shallow_wide", X=catalogue.build("shallow_wide").X / 3), dtypes=("float64",)),
         "float64: Z1 = W1 A0 + b1 rounds"),
        (lambda: replace(catalogue.build("wine_logistic"), exact=True), "m is 178"),
        (lambda: changed("shallow_exact_relu", W2=np.zeros((1, 5))), "degenerate"),
        (lambda: changed("shallow_exact_relu", X=np.repeat(catalogue.build("shallow_exact_relu").X[:1], 6, axis=0)),
         "degenerate"),
        (lambda: draw("square", "shallow_network", replace(RECIPES["shallow_exact_relu"][1], layers=(5, 5, 1))),
         "not all different"),
        (lambda: replace(catalogue.build("logistic_training"), iterations=2000), "db is zero"),
    ],
)  # fmt: skip
def test_the_proof_refuses(problem: Callable[[], Problem], complaint: str) -> None:
    with pytest.raises(NotExact, match=re.escape(complaint)):
        prove(problem())


@given(st.sampled_from(EXACT), st.data())
def test_a_single_changed_bit_differs(name: str, data: st.DataObject) -> None:
    """One element of one quantity, moved to the next number of the format: never identical."""
    problem = catalogue.build(name)
    dtype = data.draw(st.sampled_from(problem.dtypes))
    fmt, standard = FORMATS[dtype], Standard.of(problem, dtype)
    quantity = data.draw(st.sampled_from(list(standard.exact)))
    value = standard.exact[quantity].high.astype(fmt.dtype)
    assert standard.compare_one(quantity, value).verdict == BITS
    position = data.draw(st.integers(0, value.size - 1))
    value = value.copy()
    bits = value.reshape(-1).view(f"i{fmt.dtype.itemsize}")
    bits[position] += 1 if value.flat[position] != -fmt.largest else -1
    assert standard.compare_one(quantity, value).verdict == DIFFERS
