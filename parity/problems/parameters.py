"""Initial parameters for problems that bring none; logistic regression under the names of a network with L = 1."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

Params = dict[str, np.ndarray]


def draw(model: str, layers: tuple[int, ...], seed: int) -> Params:
    """A point at which every unit is active and no gradient vanishes.

    W[l] is normal with variance 1/n[l−1], b[l] normal with standard deviation 0.1, from NumPy's legacy generator: its
    stream is frozen, so that the numbers stay what they are. The exercise's W = 0.01 · randn (N19) starts so close to
    zero that every activation looks linear, and a mistake in g' hardly shows.
    """
    rng = np.random.RandomState(seed)
    params = {}
    for l, (n_prev, n) in enumerate(pairwise(layers), start=1):
        params[f"W{l}"] = rng.standard_normal((n, n_prev)) / np.sqrt(n_prev)
        params[f"b{l}"] = 0.1 * rng.standard_normal((n, 1))
    if model == "logistic_regression":
        return flat(params)
    return params


def standardise(X: np.ndarray) -> np.ndarray:
    """Every feature with mean 0 and standard deviation 1; a constant one, which has none, is left out."""
    deviation = X.std(axis=1, keepdims=True)
    varies = X.min(axis=1) < X.max(axis=1)  # the deviation of a constant may be a rounding error
    return (X[varies] - X[varies].mean(axis=1, keepdims=True)) / deviation[varies]


def layered(arrays: Params) -> Params:
    """Logistic regression's quantities as those of a network with L = 1: w → W1 (1, n_x), db → db1 (1, 1)."""
    return {
        _layered(name): value.T if name.endswith("w") else value.reshape(1, 1) if name.endswith("b") else value
        for name, value in arrays.items()
    }


def flat(arrays: Params) -> Params:
    """The inverse of `layered`."""
    found = {}
    for name, value in arrays.items():
        prefix, rest = ("new_", name[4:]) if name.startswith("new_") else ("", name)
        own = prefix + rest.removesuffix("1").replace("W", "w")
        found[own] = value.T if own.endswith("w") else value.reshape(()) if own.endswith("b") else value
    return found


def _layered(name: str) -> str:
    if name.startswith("new_"):
        return "new_" + _layered(name[4:])
    return name if name == "J" else name.replace("w", "W") + "1"
