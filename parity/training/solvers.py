"""Gradient descent and Newton's method for logistic regression in any implementation, until rounding ends them.

descent     α = 1/L, which descends at every step       Newton      the step halved until ‖∇F‖ falls
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import numpy as np

from parity.formats import FORMATS
from parity.implementations import Mirrored, find
from parity.training import Params
from parity.training.certificate import Case, norm

ROUNDING, STALLED, LIMIT = "rounding", "stalled", "limit"
NEWTON_STEPS, CHECK_EVERY = 100, 100
FLOAT64 = FORMATS["float64"]


@dataclass(frozen=True, eq=False)
class Tools:
    """An implementation's functions of params under one penalty, in its framework."""

    adapter: Mirrored
    start: Any
    cost: Callable[[Any], Any]
    gradients: Callable[[Any], Any]
    newton: Callable[[Any], Any]
    descent: Callable[[Any], Any]

    def home(self, params: Any) -> Params:
        """In NumPy."""
        return {name: self.adapter.to_numpy(p) for name, p in params.items()}

    def away(self, params: Params) -> Any:
        """In the framework."""
        return {name: self.adapter.to_framework(p, "cpu") for name, p in params.items()}

    def slope(self, params: Any) -> np.ndarray:
        """(n_x + 1,): dw and db in one vector, in NumPy."""
        grads = self.home(self.gradients(params))
        return np.append(grads["dw"], grads["db"])


def tools(name: str, case: Case, learning_rate: float) -> Tools:
    """The functions of an implementation, from w = 0 and b = 0; JAX's are jitted."""
    adapter = cast(Mirrored, find(name))
    module, logistic = (import_module(f"{adapter.package}.{m}") for m in ("curvature", "logistic_regression"))
    compiled = import_module("jax").jit if adapter.framework == "jax" else lambda f: f
    X, Y = (adapter.to_framework(array, "cpu") for array in (case.problem.X, case.problem.Y))
    cost, gradients, newton = map(compiled, (module.penalised_cost, module.penalised_gradients, module.newton_step))

    def step(params: Any, X: Any, Y: Any) -> Any:
        return logistic.update(params, module.penalised_gradients(params, X, Y, case.l2), learning_rate)

    step = compiled(step)
    zero = {name: adapter.to_framework(np.zeros_like(p), "cpu") for name, p in case.problem.params.items()}
    return Tools(
        adapter,
        zero,
        lambda params: cost(params, X, Y, case.l2),
        lambda params: gradients(params, X, Y, case.l2),
        lambda params: newton(params, X, Y, case.l2),
        lambda params: step(params, X, Y),
    )


def switches(name: str) -> AbstractContextManager[object]:
    """Those of the implementation: float64 in JAX."""
    return cast(Mirrored, find(name)).switches()


def largest_rate(case: Case) -> float:
    """α = 1/L, L being the largest eigenvalue of X̃X̃ᵀ/(4m) + λI: no curvature is larger, so every step descends.

    Any α below 2/L descends: the rounding of L does not matter.
    """
    n = len(case.X_tilde)
    bound = case.X_tilde @ case.X_tilde.T / (4 * case.problem.m) + case.l2 * np.diag(np.arange(n) < n - 1)
    return float(1 / np.linalg.eigvalsh(bound)[-1])


@dataclass(frozen=True, eq=False)
class Ended:
    """Where a solver ended and why.

    `how`: its gradient is within rounding, falls no more, or the limit of iterations is reached.
    """

    params: Any
    steps: int
    how: str


def descend(use: Tools, bound: np.ndarray, limit: int, told: Callable[[], object]) -> Ended:
    """Gradient descent, the gradient being looked at every hundred steps."""
    params, before = use.start, np.inf
    for step in range(0, limit, CHECK_EVERY):
        slope = use.slope(params)
        if np.all(np.abs(slope) <= bound):
            return Ended(params, step, ROUNDING)
        if not norm(slope) < before:
            return Ended(params, step, STALLED)
        before = norm(slope)
        for _ in range(min(CHECK_EVERY, limit - step)):
            params = use.descent(params)
        told()
    return Ended(params, limit, LIMIT)


def newton(use: Tools, bound: np.ndarray, limit: int = NEWTON_STEPS) -> Ended:
    """Newton's method, a step being halved until ‖g‖ falls, as in Newton's direction it does."""
    params, slope = use.start, use.slope(use.start)
    for step in range(limit):
        if np.all(np.abs(slope) <= bound):
            return Ended(params, step, ROUNDING)
        found = _shortened(use, params, norm(slope))
        if found is None:
            return Ended(params, step, STALLED)
        params, slope = found
    return Ended(params, limit, LIMIT)


def _shortened(use: Tools, params: Any, size: float) -> tuple[Any, np.ndarray] | None:
    """The first of the whole step, its half, its quarter, … after which ‖g‖ is below `size`; None if none is."""
    try:
        target = use.newton(params)
    except (np.linalg.LinAlgError, RuntimeError):  # singular in NumPy, in PyTorch; in JAX it is not finite
        return None
    for halvings in range(FLOAT64.p):
        t = 2.0**-halvings
        trial = {name: p + t * (target[name] - p) for name, p in params.items()} if halvings else target
        slope = use.slope(trial)
        if norm(slope) < size:
            return trial, slope
    return None
