"""The inputs on which a file is graded: between them they tell all mistakes of the catalogue apart.

m is a power of two, so that 1/m rounds nothing. Sizes are all distinct, so that no transpose hides; or all the same, or
all 1, so that mistakes whose shapes do not fit otherwise show their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Probe:
    """What a network is given.

    Attributes
    ----------
    name : str
        "distinct", "equal" (widths), "square", "single" (example), "thin" (one unit a layer), "saturated", "zero",
        "integer".
    exercise : str
        logistic, shallow or deep.
    dtype : str
        float64 or float32: of all arrays, but on "integer", where X and Y are int64.
    params : mapping
        w (n_x, 1), b (); or W1 (n[1], n[0]), b1 (n[1], 1), … .
    X, Y : array
        (n_x, m), (1, m).
    activations : tuple of str
        One a layer.
    learning_rate : float
        A power of two.
    """

    name: str
    exercise: str
    dtype: str
    params: Arrays
    X: np.ndarray
    Y: np.ndarray
    activations: tuple[str, ...]
    learning_rate: float = 0.25

    @property
    def m(self) -> int:
        """The number of examples."""
        return int(self.X.shape[1])

    @property
    def L(self) -> int:
        """The number of layers."""
        return len(self.activations)


LAYERS: dict[str, dict[str, tuple[tuple[int, ...], int]]] = {
    "logistic": {
        "distinct": ((5, 1), 8),
        "square": ((4, 1), 4),
        "single": ((3, 1), 1),
        "thin": ((1, 1), 8),
        "saturated": ((4, 1), 4),
        "zero": ((5, 1), 8),
        "integer": ((4, 1), 4),
    },
    "shallow": {
        "distinct": ((5, 3, 1), 8),
        "square": ((4, 4, 1), 4),
        "single": ((3, 5, 1), 1),
        "thin": ((1, 1, 1), 8),
        "saturated": ((4, 4, 1), 4),
        "zero": ((5, 4, 1), 4),
        "integer": ((4, 4, 1), 4),
    },
    "deep": {
        "distinct": ((6, 5, 4, 3, 1), 8),
        "equal": ((4, 4, 4, 4, 1), 8),
        "square": ((4, 4, 4, 4, 1), 4),
        "single": ((3, 5, 4, 2, 1), 1),
        "thin": ((1, 1, 1, 1, 1), 8),
        "saturated": ((4, 4, 4, 4, 1), 4),
        "zero": ((6, 5, 4, 3, 1), 8),
        "integer": ((4, 4, 4, 4, 1), 4),
    },
}
"""(n[0], …, n[L]) and m of every probe."""

ACTIVATIONS = {
    "logistic": ("sigmoid",),
    "shallow": ("tanh", "sigmoid"),
    "deep": ("relu", "relu", "relu", "sigmoid"),
}
"""The exercises' own."""


def probes(exercise: str, dtype: str, activations: tuple[str, ...] | None = None) -> list[Probe]:
    """All of an exercise, in order: the first shows most.

    Parameters
    ----------
    activations : tuple of str or None
        Where the learner's functions take them as an argument; fewer than the exercise has layers leave out its last
        hidden ones.
    """
    return [
        _probe(exercise, name, dtype, activations or ACTIVATIONS[exercise])
        for name in LAYERS[exercise]
        if name != "integer" or dtype == "float64"
    ]


@cache
def _probe(exercise: str, name: str, dtype: str, activations: tuple[str, ...]) -> Probe:
    layers, m = LAYERS[exercise][name]
    layers = (*layers[: len(activations)], layers[-1])
    rng = np.random.default_rng([sum(map(ord, exercise + name)), *layers, m])
    X = rng.standard_normal((layers[0], m))
    Y = (np.arange(m)[None, :] % 3 != 1).astype(np.float64)
    params: dict[str, np.ndarray] = {}
    for l in range(1, len(layers)):
        params[f"W{l}"] = rng.standard_normal((layers[l], layers[l - 1])) / np.sqrt(layers[l - 1])
        params[f"b{l}"] = rng.standard_normal((layers[l], 1)) / 2
    if name == "integer":
        whole = rng.integers(-3, 4, X.shape)
        return Probe(name, exercise, dtype, _named(exercise, params, dtype), whole, Y.astype(np.int64), activations)
    if name == "zero":  # every pre-activation of the first layer is 0
        params |= {"W1": 0 * params["W1"], "b1": 0 * params["b1"]}
    if name == "single" and layers[1] > 1:  # units on both sides of 0
        params["b1"] -= np.mean(params["W1"] @ X + params["b1"])
    if name == "thin":  # no unit is dead, and no output negative: log(tanh z) is a number as well
        params = {key: np.abs(value) for key, value in params.items()}
        params[f"b{len(layers) - 1}"] += 2
    if name == "saturated":
        params = _saturating(params, len(layers) - 1)
    return Probe(name, exercise, dtype, _named(exercise, params, dtype), X.astype(dtype), Y.astype(dtype), activations)


def _saturating(params: dict[str, np.ndarray], L: int) -> dict[str, np.ndarray]:
    """The first layer's weights so large that its pre-activations are around ±800, and the last layer's as well."""
    scale = 2.0**9
    first = {"W1": scale * params["W1"], "b1": scale * params["b1"]}
    return params | first | ({f"W{L}": scale * params[f"W{L}"]} if L > 1 else {})


def _named(exercise: str, params: dict[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """w and b for logistic regression; every array in the format, and not to be written to."""
    if exercise == "logistic":
        params = {"w": params["W1"].T.copy(), "b": params["b1"][0, 0]}
    return {name: np.asarray(value, dtype) for name, value in params.items()}
