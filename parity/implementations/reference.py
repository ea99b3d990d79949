"""NumPy by hand, vectorised and in loops."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from parity.formats import FORMATS
from parity.implementations import Mirrored, Quantities, Task, gradients_by_example, only_gradients, only_one_step
from parity.problems import Problem


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
