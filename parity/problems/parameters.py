"""Initial parameters for problems that bring none: a point at which every unit is active and no gradient vanishes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

Params = dict[str, np.ndarray]


def draw(model: str, layers: tuple[int, ...], seed: int) -> Params:
    """W[l] normal with variance 1/n[l−1], b[l] normal with standard deviation 0.1, from NumPy's legacy generator.

    The exercise's W = 0.01 · randn (N19) starts so close to zero that every activation looks linear, and a mistake in
    g' hardly shows; its stream is frozen, so that the numbers stay what they are.
    """
    rng = np.random.RandomState(seed)
    params = {}
    for l, (n_prev, n) in enumerate(pairwise(layers), start=1):
        params[f"W{l}"] = rng.standard_normal((n, n_prev)) / np.sqrt(n_prev)
        params[f"b{l}"] = 0.1 * rng.standard_normal((n, 1))
    if model == "logistic_regression":
        return {"w": params["W1"].T, "b": params["b1"].reshape(())}
    return params


def standardise(X: np.ndarray) -> np.ndarray:
    """Every feature with mean 0 and standard deviation 1; a constant one, which has none, is left out."""
    deviation = X.std(axis=1, keepdims=True)
    varies = X.min(axis=1) < X.max(axis=1)  # the deviation of a constant may be a rounding error
    return (X[varies] - X[varies].mean(axis=1, keepdims=True)) / deviation[varies]
