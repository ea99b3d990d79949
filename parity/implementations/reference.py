"""NumPy by hand, vectorised, in loops, and tuned."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from parity.formats import FORMATS
from parity.implementations import Call, Mirrored, Quantities, Task, gradients_by_example, only_gradients, only_one_step
from parity.problems import FLOATS, NETWORKS, Problem
from parity.training import Descent


class Reference(Mirrored):
    """The hand-derived formulas, vectorised."""

    name, framework, variant, package = "reference", "numpy", "hand", "reference"
    about = "NumPy, derived by hand, vectorised (N11, N18, N23)"

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        if dtype == "bfloat16" and ("leaky_relu" in problem.activations or problem.model == "activations"):
            return "NumPy promotes 0.01 * Z to float32 where Z is ml_dtypes' bfloat16"
        return None

    def to_framework(self, array: np.ndarray, device: str) -> Any:
        return array

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def learning_rate(self, problem: Problem, dtype: str) -> Any:
        """A scalar of the format: with a Python float, NumPy promotes ml_dtypes' bfloat16 to float32."""
        return None if problem.learning_rate is None else FORMATS[dtype].dtype.type(problem.learning_rate)


class Loop(Reference):
    """The slides' loops: over examples and features (N9), unit by unit and example by example (N13, N14, N25)."""

    name, variant = "reference-loop", "loop"
    whole = gives_cost = False
    about = "NumPy, the slides' loops over examples, features and units (N9, N13, N14, N25)"

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        return only_gradients(problem) or super().refuses(problem, dtype, device)

    def compute(self, problem: Problem, dtype: str) -> Callable[..., dict[str, Any]]:
        module = import_module(f"reference.{problem.model}")

        def loops(params: dict[str, Any], X: Any, Y: Any) -> dict[str, Any]:
            if problem.model == "logistic_regression":
                J, grads = module.cost_and_gradients_loop(params, X, Y)
                return {"J": J, **grads}
            cache = {}
            if problem.model == "shallow_network":
                _, cache = module.forward_by_example(params, X, problem.activations)
            return {**cache, **gradients_by_example(module, problem)(params, X, Y)}

        return loops

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return only_one_step(work) or super().refuses_work(work, problem, dtype, device)

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        return self.compute(problem, dtype)

    def _named(self, work: str, found: Any) -> Quantities:
        return self._home(found)


class Tuned(Reference):
    """reference/tuned.py: the same formulas with fewer passes over memory and fewer calls (N11, N18, N23)."""

    name, variant = "reference-tuned", "tuned"
    whole = False
    trains_by_name = True  # its steps are the reference's, rounded otherwise
    about = "NumPy, tuned by hand: blocks that stay in the cache, nothing allocated twice (N11, N18, N23)"

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        if problem.model not in NETWORKS:
            return "computes networks and logistic regression only"
        return None if dtype in FLOATS else "computes in float64 and float32 only, which BLAS multiplies"

    def compute(self, problem: Problem, dtype: str) -> Callable[..., dict[str, Any]]:
        """A[L], J, the gradients and the updated parameters, or what training gives."""
        rate = self.learning_rate(problem, dtype)
        output = _output(problem)

        def one_pass(params: dict[str, Any], X: Any, Y: Any) -> dict[str, Any]:
            step = _prepared(problem, params, X, Y)
            if problem.iterations:
                new, costs = step.train(params, rate, problem.iterations)
                return {"costs": costs, **new}
            J, grads = step.cost_and_gradients(params)
            new = {} if rate is None else step.train(params, rate, 1)[0]
            return {output: step.forward(params), "J": J, **grads, **{"new_" + name: p for name, p in new.items()}}

        return one_pass

    def stepper(self, descent: Descent) -> Callable[..., tuple[dict[str, Any], Any]]:
        """Prepared once, as long as the examples are the same arrays."""
        rate = self.learning_rate(descent.problem, descent.dtype)
        last: tuple[Any, Any] = (None, None)

        def step(params: dict[str, Any], X: Any, Y: Any) -> tuple[dict[str, Any], Any]:
            nonlocal last
            if last[0] is not X:
                last = (X, _prepared(descent.problem, params, X, Y))
            new, costs = last[1].train(params, rate, 1)
            return new, costs[0]

        return step

    def loop(self, descent: Descent) -> Callable[..., tuple[dict[str, Any], Any]]:
        """Its own loop over all examples; over batches, each of which is prepared, the stepper."""
        rate = self.learning_rate(descent.problem, descent.dtype)

        def all_steps(params: dict[str, Any], X: Any, Y: Any, steps: Any) -> tuple[dict[str, Any], Any]:
            if isinstance(steps, int):
                return _prepared(descent.problem, params, X, Y).train(params, rate, steps)
            step, costs = self.stepper(descent), np.empty(len(steps), X.dtype)
            for t, batch in enumerate(steps):
                params, costs[t] = step(params, np.take(X, batch, axis=1), np.take(Y, batch, axis=1))
            return params, costs

        return all_steps

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        """What is copied and allocated once counts as moving the inputs."""
        params, X, Y = problem.inputs(dtype)
        step = _prepared(problem, params, X, Y)
        if work == "forward":
            return Call(partial(step.forward, params), lambda A: {_output(problem): A})
        if work == "step":
            return Call(partial(step.cost_and_gradients, params), partial(self._named, work))
        rate = self.learning_rate(problem, dtype)
        return Call(partial(step.train, params, rate, steps), partial(self._named, work))


def _output(problem: Problem) -> str:
    return "A" if problem.model == "logistic_regression" else f"A{len(problem.activations)}"


def _prepared(problem: Problem, params: dict[str, Any], X: Any, Y: Any) -> Any:
    return import_module("reference.tuned").prepared(params, X, Y, problem.activations)
