"""Mini-batch and stochastic descent: one order of the examples for all, and every step a step of `train`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from parity.formats import FORMATS
from parity.implementations import Mirrored, find
from parity.oracle import exact
from parity.problems import FLOATS, Problem, catalogue
from parity.problems.exactness import prove
from parity.training import Descent, order_of_examples
from tests.shared import PACKAGES, place, standard

TRAINING = ("logistic_training", "shallow_training", "deep_training")
REAL = ("breast_cancer_logistic", "generated_shallow", "wine_deep")

Outcome = tuple[dict[str, np.ndarray], np.ndarray]

each_package = pytest.mark.parametrize("package", PACKAGES)


# The order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("m", "size"), [(12, 4), (10, 4), (7, 1), (6, 6), (1, 1)])
def test_every_pass_is_the_beginning_of_a_permutation(m: int, size: int) -> None:
    """What is left over, 2 of 10, is another two in every pass."""
    passes, per_pass = 5, m // size
    order = order_of_examples(m, size, passes * per_pass, seed=3)
    assert order.shape == (passes * per_pass, size)
    assert order.dtype.kind == "i"
    rng = np.random.RandomState(3)
    for taken in order.reshape(passes, per_pass * size):
        permutation = rng.permutation(m)
        assert sorted(permutation) == list(range(m))
        assert taken.tolist() == permutation[: taken.size].tolist()


def test_the_stream_is_frozen() -> None:
    assert order_of_examples(7, 3, 5, seed=1).tolist() == [[6, 2, 1], [0, 4, 3], [2, 3, 4], [1, 6, 0], [6, 3, 0]]


def test_the_seed_matters_and_the_number_of_steps_does_not() -> None:
    order = order_of_examples(20, 4, 11, seed=0)
    assert not np.array_equal(order, order_of_examples(20, 4, 11, seed=1))
    for steps in range(12):
        assert np.array_equal(order_of_examples(20, 4, steps, seed=0), order[:steps])


@pytest.mark.parametrize("size", [0, -1, 8])
def test_a_batch_of_more_examples_than_there_are_or_of_none_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=rf"{size}.*7"):
        order_of_examples(7, size, 3)


# Every framework -----------------------------------------------------------------------------------------------------


class Package:
    """One of the mirrored packages on one problem: NumPy arrays in, NumPy arrays out."""

    def __init__(self, name: str, problem: Problem, dtype: str) -> None:
        if place(PACKAGES[name]).missing:
            pytest.skip(str(place(PACKAGES[name]).missing))
        adapter = find(PACKAGES[name])
        assert isinstance(adapter, Mirrored)
        self.adapter, self.module = adapter, import_module(f"{name}.{problem.model}")
        self.params, self.X, self.Y = adapter.moved(problem, dtype, "cpu")
        self.learning_rate = adapter.learning_rate(problem, dtype)
        self.options = problem.options

    def train(self, iterations: int) -> Outcome:
        return self._home(
            self.module.train(self.params, self.X, self.Y, self.learning_rate, iterations, **self.options)
        )

    def train_on_batches(self, batches: np.ndarray) -> Outcome:
        batches = self.adapter.to_framework(batches, "cpu")
        return self._home(
            self.module.train_on_batches(self.params, self.X, self.Y, self.learning_rate, batches, **self.options)
        )

    def train_batch_by_batch(self, batches: np.ndarray) -> Outcome:
        """One call of `train` a batch, on arrays that hold its examples alone."""
        params, costs = self.params, []
        for batch in batches:
            X, Y = (self.adapter.to_numpy(array)[:, batch].copy("C") for array in (self.X, self.Y))
            X, Y = (self.adapter.to_framework(array, "cpu") for array in (X, Y))
            params, J = self.module.train(params, X, Y, self.learning_rate, 1, **self.options)
            costs.append(self.adapter.to_numpy(J))
        return self._home((params, J))[0], np.concatenate(costs)

    def _home(self, found: tuple[dict[str, Any], Any]) -> Outcome:
        params, costs = found
        return {name: self.adapter.to_numpy(p) for name, p in params.items()}, self.adapter.to_numpy(costs)


def to_the_bit(found: Outcome, expected: Outcome) -> bool:
    """Whether all parameters and costs are equal, in the same format."""
    pairs = [(found[1], expected[1]), *((found[0][name], p) for name, p in expected[0].items())]
    return set(found[0]) == set(expected[0]) and all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)


def in_order(m: int, times: int) -> np.ndarray:
    """All columns in their order, every time."""
    return np.tile(np.arange(m), (times, 1))


@each_package
@pytest.mark.parametrize("name", TRAINING)
def test_all_columns_in_order_are_gradient_descent_on_exact_training(package: str, name: str) -> None:
    """The exact values, which those of `train` are too (tests/test_parity.py)."""
    problem = catalogue.build(name)
    for dtype in problem.dtypes:
        values = {key: v.high.astype(FORMATS[dtype].dtype) for key, v in standard(name, dtype).exact.items()}
        found = Package(package, problem, dtype).train_on_batches(in_order(problem.m, problem.iterations))
        assert to_the_bit(found, ({key: values[key] for key in problem.params}, values["costs"])), dtype


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("dtype", FLOATS)
def test_all_columns_in_order_are_gradient_descent_in_reference(name: str, dtype: str) -> None:
    descent = Package("reference", catalogue.build(name), dtype)
    found = descent.train_on_batches(in_order(descent.X.shape[1], 3))
    assert to_the_bit(found, descent.train(3))


@each_package
@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("size", [1, 16])
def test_a_step_is_one_iteration_of_train_on_its_batch(package: str, name: str, size: int) -> None:
    problem = catalogue.build(name)
    descent = Package(package, problem, "float64")
    batches = order_of_examples(problem.m, size, 3)
    assert to_the_bit(descent.train_on_batches(batches), descent.train_batch_by_batch(batches))


# Exact mini-batch descent --------------------------------------------------------------------------------------------

STEPS = 12
SMALL = tuple(
    Descent(
        replace(problem, learning_rate=problem.learning_rate * size / problem.m), STEPS, batch_size=size, batch_seed=5
    )
    for problem, size in ((catalogue.build("logistic_training"), size) for size in (4, 1))
)
"""An exact problem on 4 examples a step and on 1, with α so much smaller as the batch is."""


@cache
def exact_trajectory(descent: Descent) -> Outcome:
    """The parameters after every step has been proven exact, and J before each."""
    params, costs = dict(descent.problem.params), []
    for step in range(descent.iterations):
        now = descent.at(step, params)
        prove(now, may_be_degenerate=True)
        values = exact(now, "float64")
        costs.append(values["J"].high)
        params = {name: values[f"new_{name}"].high for name in params}
    return params, np.array(costs)


@each_package
@pytest.mark.parametrize("descent", SMALL, ids=lambda descent: f"size {descent.batch_size}")
def test_the_shared_order_makes_all_frameworks_identical(package: str, descent: Descent) -> None:
    """To the bit, to each other and to the exact values, in every format."""
    params, costs = exact_trajectory(descent)
    for dtype in descent.problem.dtypes:
        to = FORMATS[dtype].dtype
        expected = {name: p.astype(to) for name, p in params.items()}, costs.astype(to)
        found = Package(package, descent.problem, dtype).train_on_batches(descent.batches)
        assert to_the_bit(found, expected), dtype


@pytest.mark.parametrize("descent", SMALL, ids=lambda descent: f"size {descent.batch_size}")
def test_another_order_is_another_descent(descent: Descent) -> None:
    """Exact as it is, the order tells: of the batches, and of the seeds."""
    expected = exact_trajectory(descent)
    other = replace(descent, batch_seed=descent.batch_seed + 1)
    for batches in (descent.batches[::-1], other.batches):
        assert not to_the_bit(Package("reference", descent.problem, "float64").train_on_batches(batches), expected)


# What does not fit ---------------------------------------------------------------------------------------------------


@each_package
@pytest.mark.parametrize("name", REAL)
def test_what_train_refuses_is_refused(package: str, name: str) -> None:
    descent = Package(package, catalogue.build(name), "float64")
    descent.Y = descent.Y[0]
    with pytest.raises(ValueError, match="rank-1"):
        descent.train_on_batches(in_order(4, 2))


@pytest.mark.parametrize("package", ["reference", "torch_impl"])
@pytest.mark.parametrize("name", REAL)
def test_a_column_that_is_not_there_is_refused(package: str, name: str) -> None:
    """JAX looks at no index."""
    problem = catalogue.build(name)
    with pytest.raises(IndexError):
        Package(package, problem, "float64").train_on_batches(np.array([[0, problem.m]]))


@each_package
@pytest.mark.parametrize("name", REAL)
def test_no_batch_changes_nothing(package: str, name: str) -> None:
    problem = catalogue.build(name)
    params, costs = Package(package, problem, "float64").train_on_batches(np.empty((0, 4), np.int64))
    assert costs.shape == (0,)
    assert all(np.array_equal(params[name], p) for name, p in problem.params.items())
