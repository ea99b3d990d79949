"""Every quantity of an exact problem in float64: where nothing rounds, plain arithmetic gives the exact values.

The limits stand in place of sigmoid, tanh and their derivatives, as they do in every format at pre-activations that are
0 or at least 768 in size. Whether nothing rounds is for `parity.problems.exactness.prove` to say, which takes these
values step by step: of a step that rounds, the inputs are still exact. Arb gives the same values, too slowly where
there are millions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from parity.problems import Problem
from parity.problems.parameters import flat, layered

Arrays = dict[str, np.ndarray]
Function = Callable[[np.ndarray], np.ndarray]

LIMITS: dict[str, tuple[Function, Function]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: z > 0),
    "leaky_relu": (lambda z: z, np.ones_like),
    "leaky_relu_exact": (lambda z: np.maximum(z / 4, z), lambda z: np.where(z > 0, 1, 1 / 4)),
    "identity": (lambda z: z, np.ones_like),
    "tanh": (np.sign, lambda z: z == 0),
    "sigmoid": (lambda z: (np.sign(z) + 1) / 2, lambda z: (z == 0) / 4),
}
"""What an activation and its derivative are on the pre-activations that occur; leaky ReLU's are positive."""


def values(problem: Problem) -> Arrays:
    """One forward and backward pass and one update, under the problem's names and in the order of computation."""
    logistic = problem.model == "logistic_regression"
    params = layered(dict(problem.params)) if logistic else dict(problem.params)
    found = _forward(params, problem)
    found |= _backward(params, found, problem)
    if problem.learning_rate is not None:
        found |= {f"new_{name}": p - problem.learning_rate * found[f"d{name}"] for name, p in params.items()}
    return flat(found) if logistic else found


def _forward(params: Arrays, problem: Problem) -> Arrays:
    """Z and A; J is the mean of |z| over what is decided wrongly, for of all else the loss is 0."""
    found, A = {}, problem.X
    for l, g in enumerate(problem.activations, start=1):
        Z = found[f"Z{l}"] = params[f"W{l}"] @ A + params[f"b{l}"]
        A = found[f"A{l}"] = LIMITS[g][0](Z)
    return found | {"J": np.asarray(np.sum(np.abs(Z * (A - problem.Y))) / problem.m)}


def _backward(params: Arrays, found: Arrays, problem: Problem) -> Arrays:
    m, L, grads = problem.m, len(problem.activations), {}
    dZ = found[f"A{L}"] - problem.Y
    for l in range(L, 0, -1):
        grads[f"dZ{l}"] = dZ
        grads[f"dW{l}"] = dZ @ (found[f"A{l - 1}"] if l > 1 else problem.X).T / m
        grads[f"db{l}"] = dZ.sum(axis=1, keepdims=True) / m
        if l > 1:
            dZ = (params[f"W{l}"].T @ dZ) * LIMITS[problem.activations[l - 2]][1](found[f"Z{l - 1}"])
    return grads
