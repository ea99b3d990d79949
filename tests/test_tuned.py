"""The tuned NumPy gives the numbers of the readable one, in arrays of its own, in blocks as in one piece."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from parity.compare import DIFFERS, Standard
from parity.implementations import find
from parity.problems import FLOATS, NETWORKS, Problem, catalogue
from parity.training import Descent
from reference import tuned
from reference.tuned import Step, prepared

Pass = tuple[Any, dict[str, np.ndarray]]

OF_NETWORKS = [p for p in map(catalogue.build, catalogue.NAMES) if p.model in NETWORKS]
EXACT = [p for p in OF_NETWORKS if p.exact and not p.iterations]
TRAINING = [p for p in OF_NETWORKS if p.iterations]

exact = pytest.mark.parametrize("problem", EXACT, ids=lambda p: p.name)
each_float = pytest.mark.parametrize("dtype", FLOATS)


def inputs(
    problem: Problem | str, dtype: str = "float64"
) -> tuple[Step, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """A step that is prepared for a problem, and the problem's params, X and Y, which are read-only."""
    problem = catalogue.build(problem) if isinstance(problem, str) else problem
    params, X, Y = problem.inputs(dtype)
    return prepared(params, X, Y, problem.activations), params, X, Y


def readable(problem: Problem, dtype: str) -> Pass:
    """What the readable NumPy computes."""
    return import_module(f"reference.{problem.model}").cost_and_gradients(*problem.inputs(dtype), **problem.options)


def same(one: Pass, other: Pass) -> bool:
    """Whether J and all gradients have the same names in the same order, shapes, dtypes and bits."""
    pairs = list(zip([one[0], *one[1].values()], [other[0], *other[1].values()], strict=True))
    alike = all(a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)
    return alike and list(one[1]) == list(other[1])


def wide(dtype: str, m: int = 1003) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """784 features in several blocks of which the last is shorter; integers and saturated logits, so nothing rounds."""
    rng = np.random.RandomState(0)
    X, w = rng.randint(-1, 2, (784, m)).astype(dtype), rng.randint(-2, 3, (784, 1)).astype(dtype)
    Y, b = rng.randint(0, 2, (1, m)).astype(dtype), np.array(-2000, dtype)
    return {"w": w, "b": b}, X, Y


@each_float
@exact
def test_every_bit_is_that_of_the_readable_one(problem: Problem, dtype: str) -> None:
    step, params, _, _ = inputs(problem, dtype)
    assert same(step.cost_and_gradients(params), readable(problem, dtype))


@each_float
@exact
def test_so_is_every_bit_of_the_probabilities(problem: Problem, dtype: str) -> None:
    step, params, X, _ = inputs(problem, dtype)
    A, _ = import_module(f"reference.{problem.model}").forward(params, X, **problem.options)
    found = step.forward(params)
    assert (found.dtype, found.shape) == (A.dtype, A.shape)
    assert np.array_equal(found, A)


@pytest.mark.parametrize("problem", TRAINING, ids=lambda p: p.name)
@each_float
def test_training_is_that_of_the_readable_one(problem: Problem, dtype: str) -> None:
    step, params, X, Y = inputs(problem, dtype)
    rate, n = problem.learning_rate, problem.iterations
    expected, costs = import_module(f"reference.{problem.model}").train(params, X, Y, rate, n, **problem.options)
    found, found_costs = step.train(params, rate, n)
    assert same((found_costs, found), (costs, expected))


# Blocks --------------------------------------------------------------------------------------------------------------


@each_float
def test_blocks_give_the_bits_of_one_piece(dtype: str) -> None:
    from reference.logistic_regression import cost_and_gradients

    step = prepared(*wide(dtype))
    assert len({len(X) for X, *_ in step.blocks}) == 2
    assert len(step.blocks) > 2
    assert same(step.cost_and_gradients(wide(dtype)[0]), cost_and_gradients(*wide(dtype)))


@pytest.mark.parametrize("product", [np.vecdot, np.dot])
@pytest.mark.parametrize("size", [16, 100, 568])
@each_float
def test_blocks_of_real_data_are_within_the_bounds(
    dtype: str, size: int, product: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = catalogue.build("breast_cancer_logistic")
    monkeypatch.setattr(tuned, "BLOCK", size * 30 * np.dtype(dtype).itemsize)
    monkeypatch.setattr(tuned, "WIDE", 0 if product is np.vecdot else np.inf)
    step, params, _, _ = inputs(problem, dtype)
    assert len(step.blocks) == -(-569 // size)
    assert step.product is product
    J, grads = step.cost_and_gradients(params)
    found = {"J": np.asarray(J), **grads, "A": step.forward(params)}
    assert [c.quantity for c in Standard.of(problem, dtype, "numpy").compare(found) if c.verdict == DIFFERS] == []


def without_the_last(step: Step) -> None:
    """It keeps what the pass before it left there: the step of other parameters."""
    step.blocks.pop()


def without_its_dw(step: Step) -> None:
    step.one_a_block[-1] = 0


def without_b(step: Step) -> None:
    step.constants = step.constants._replace(half=np.array(0.25, step.dtype))


@pytest.mark.parametrize("plant", [without_the_last, without_its_dw, without_b])
@each_float
def test_a_fault_in_the_blocks_is_seen(plant: Callable[[Step], None], dtype: str) -> None:
    from reference.logistic_regression import cost_and_gradients

    params, X, Y = wide(dtype)
    step = prepared(params, X, Y)
    step.cost_and_gradients({"w": -params["w"], "b": -params["b"]})
    plant(step)
    assert not same(step.cost_and_gradients(params), cost_and_gradients(params, X, Y))


def test_one_example_wider_than_a_block_is_no_block_of_its_own() -> None:
    n_x = tuned.BLOCK // 8 + 1
    params, X, Y = {"w": np.ones((n_x, 1)), "b": np.zeros(())}, np.zeros((n_x, 2 * tuned.FEWEST)), np.zeros((1, 32))
    assert [len(X) for X, *_ in prepared(params, X, Y).blocks] == [tuned.FEWEST] * 2


# Arrays --------------------------------------------------------------------------------------------------------------


ONE_OF_EACH = ("breast_cancer_logistic", "breast_cancer_shallow", "wine_deep")


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_what_was_returned_stays_as_it_was(name: str) -> None:
    step, params, _, _ = inputs(name)
    J, grads = step.cost_and_gradients(params)
    A, copies = step.forward(params), {name: gradient.copy() for name, gradient in grads.items()}
    A_before = A.copy()
    other = {name: p + 1 for name, p in params.items()}
    assert not same(step.cost_and_gradients(other), (J, copies))
    assert not np.array_equal(step.forward(other), A_before)
    step.train(other, 0.5, 2)
    assert same((J, grads), (J, copies))
    assert np.array_equal(A, A_before)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_call_leaves_nothing_behind(name: str) -> None:
    """After other calls, and after those of other steps, the same bits come again."""
    step, params, _, _ = inputs(name)
    others = [inputs(other) for other in ONE_OF_EACH]
    first = step.cost_and_gradients(params)
    for other, of_other, _, _ in others:
        other.train(of_other, 0.5, 2)
        step.train({name: p - 1 for name, p in params.items()}, 0.5, 2)
        other.forward(of_other)
        assert same(step.cost_and_gradients(params), first)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_the_examples_are_copied(name: str) -> None:
    problem = catalogue.build(name)
    params, X, Y = (problem.inputs("float64")[0], *(array.copy() for array in problem.inputs("float64")[1:]))
    step = prepared(params, X, Y, problem.activations)
    first = step.cost_and_gradients(params)
    X[:], Y[:] = 0, 0
    assert same(step.cost_and_gradients(params), first)


@exact
def test_the_layout_of_what_comes_in_is_of_no_account(problem: Problem) -> None:
    _, params, X, Y = inputs(problem)
    params = {name: np.array(p, order="F") for name, p in params.items()}
    step = prepared(params, np.asfortranarray(X), np.asfortranarray(Y), problem.activations)
    assert same(step.cost_and_gradients(params), readable(problem, "float64"))


# Where it breaks, and where it must not ------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", list(tuned.ACTIVATIONS))
@each_float
def test_no_logit_is_too_large(hidden: str, dtype: str) -> None:
    """Warnings are errors here; e^1000 overflows in both formats."""
    X, Y = np.array([[1, -1, 0]], dtype), np.array([[0, 1, 1]], dtype)
    params = {"W1": [[1000]], "b1": [[0]], "W2": [[1000]], "b2": [[0]]}
    step = prepared({name: np.array(p, dtype) for name, p in params.items()}, X, Y, (hidden, "sigmoid"))
    J, grads = step.cost_and_gradients({name: np.array(p, dtype) for name, p in params.items()})
    assert np.isfinite(J)
    assert all(np.all(np.isfinite(gradient)) for gradient in grads.values())


W, B = np.ones((1, 2)), np.zeros((1, 1))
X3, Y3 = np.ones((2, 3)), np.ones((1, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"W1": W, "b1": B}, X3, Y3[0], ("sigmoid",)), r"Y has shape \(3,\), expected .* rank-1 array is no row"),
        (({"W1": W.T, "b1": B}, X3, Y3, ("sigmoid",)), "W1 has shape"),
        (({"W1": W, "b1": B}, X3, Y3, ("relu",)), "expected 1 names with a sigmoid last"),
        (({"W1": W, "b1": B}, X3, Y3, ("relu", "sigmoid")), "expected 1 names with a sigmoid last"),
        (({"W1": W, "b1": B}, X3, Y3, ("swish",)), "activations holds 'swish', expected some of sigmoid"),
        (({"W1": W, "b1": B}, X3, Y3), r"params has no w: expected w \(n_x, 1\) and b \(\)"),
        (({"w": W, "b": np.zeros(())}, X3, Y3), r"w has shape \(1, 2\), expected \(2, 1\)"),
        (({"w": W.T, "b": np.zeros(())}, X3, Y3, ("tanh", "sigmoid")), "expected 1 names with a sigmoid last"),
        (
            ({"w": W.T.astype("f2"), "b": np.zeros((), "f2")}, X3.astype("f2"), Y3.astype("f2")),
            "X has dtype float16, expected float32 or float64",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prepared(*arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W1": np.ones((1, 1))}, r"W1 has shape \(1, 1\) and dtype float64, expected \(1, 2\) and float64"),
        ({"b1": np.zeros(())}, r"b1 has shape \(\)"),
        ({"W1": W.astype("f4")}, r"W1 has shape \(1, 2\) and dtype float32, expected \(1, 2\) and float64"),
    ],
)
def test_parameters_of_another_shape_or_dtype_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    params = {"W1": W, "b1": B}
    step = prepared(params, X3, Y3, ("sigmoid",))
    for call in (step.cost_and_gradients, step.forward, lambda p: step.train(p, 1, 1)):
        with pytest.raises(ValueError, match=message):
            call(params | change)
    with pytest.raises(ValueError, match="b1 is missing, expected"):
        step.forward({"W1": W})


# In the matrix and in training ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logistic_training", "deep_training"])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_step_of_a_descent_is_that_of_the_readable_one(name: str, batch_size: int | None) -> None:
    """Full-batch and on batches, one after the other, one by one and in one go."""
    descent = Descent(catalogue.build(name), 1, "float32", batch_size=batch_size)
    found = []
    for implementation in map(find, ("reference", "reference-tuned")):
        ((stepped, J),) = implementation.train(descent, descent.start, 0, 1)
        params, costs = implementation.train_in_one_go(descent, descent.start)
        assert same((costs[0], params), (J, stepped))
        found.append((J, stepped))
    assert same(*found)


def test_a_stepper_follows_the_examples() -> None:
    """Two batches in one call: it is prepared anew for the second."""
    descent = Descent(catalogue.build("breast_cancer_deep"), 3, batch_size=64)
    costs = [[J for _, J in find(i).train(descent, descent.start, 0, 3)] for i in ("reference", "reference-tuned")]
    assert len(set(map(float, costs[1]))) == 3
    assert np.argsort(costs[0]).tolist() == np.argsort(costs[1]).tolist()


def test_it_says_what_it_does_not_compute() -> None:
    implementation = find("reference-tuned")
    assert "float64 and float32 only" in implementation.refuses(catalogue.build("logistic_exact"), "bfloat16", "cpu")
    assert "networks" in implementation.refuses(catalogue.build("activations"), "float64", "cpu")
