"""Exact problems: every correct implementation gives the same bits, in any order of summation and on any device.

Inputs and weights are small integers, m and the learning rate powers of two, and the output layer is scaled by 1536
with bias ±768, so that every logit is at least 768 in size, where sigmoid and softplus round to their limits. ReLU
works on integers, leaky ReLU on multiples of four with its slope of 1/4; a hidden tanh or sigmoid is scaled by 1024, so
that its pre-activations are 0 or saturated. The labels are the network's own decisions, some of them flipped: dZ is 0
where the network is right and ±1 where it is wrong.

A recipe names a seed under which the numbers that come out are exact in all its formats and not degenerate, as
`parity.problems.exactness.prove` shows whenever the problem is built. Seeds are of NumPy's legacy generator, whose
stream is frozen. The training of a deep network has no recipe: its numbers stand here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from parity.formats import FORMATS
from parity.oracle import SATURATED
from parity.problems import FLOATS, Problem
from parity.problems.exactness import prove
from parity.problems.integers import LIMITS

EVERY = tuple(FORMATS)
WITHOUT_FLOAT16 = ("float64", "float32", "bfloat16")


@dataclass(frozen=True)
class Recipe:
    """How an exact problem is drawn.

    Attributes
    ----------
    layers : tuple of int
        (n[0], …, n[L]).
    activations : tuple of str
        One a layer.
    seed, m : int
        Of the legacy generator; the number of examples.
    dtypes : tuple of str
        The formats in which it is exact.
    wrong : int
        How many labels are flipped.
    largest : int
        Weights and biases are integers up to this, times their layer's unit.
    density : float
        The share of weights that may be other than zero.
    largest_x : int
        Inputs are integers up to this.
    learning_rate, iterations
        As in `Problem`.
    unit, output_unit
        Of the weights of a hidden layer that does not saturate, and of the last: exact training shares the scale of
        the logits among the layers, so that the steps of all weights are multiples of numbers of like size.
    """

    layers: tuple[int, ...]
    activations: tuple[str, ...]
    seed: int
    m: int = 32
    dtypes: tuple[str, ...] = EVERY
    wrong: int = 8
    largest: int = 1
    density: float = 0.6
    largest_x: int = 1
    learning_rate: float | None = None
    iterations: int = 0
    unit: int = 1
    output_unit: int = 2 * SATURATED


def draw(name: str, model: str, recipe: Recipe, note: str = "") -> Problem:
    """The problem of a recipe, before its proof."""
    rng = np.random.RandomState(recipe.seed)
    params: dict[str, np.ndarray] = {}
    step = 4.0 if recipe.activations[0] == "leaky_relu_exact" else 1.0  # A's numbers are multiples of this
    X = A = _integers(rng, (recipe.layers[0], recipe.m), recipe.largest_x, 0.6) * step
    for l, g in enumerate(recipe.activations, start=1):
        shape, last = (recipe.layers[l], recipe.layers[l - 1]), l == len(recipe.activations)
        unit = recipe.output_unit if last else 1024 if g in ("tanh", "sigmoid") else recipe.unit
        W = _integers(rng, shape, recipe.largest, recipe.density) * (unit * max(1, 1 / step))
        b = rng.choice([-0.5, 0.5], (shape[0], 1)) if last else _integers(rng, (shape[0], 1), recipe.largest, 0.7)
        params |= {f"W{l}": W, f"b{l}": b * unit * max(1, step)}
        Z = np.dot(W, A) + params[f"b{l}"]
        A, step = LIMITS[g][0](Z), _step_of_activation(g, unit * max(1, step))
    Y = (Z > 0).astype(np.float64)
    flipped = rng.permutation(Y.size)[: recipe.wrong]
    Y.flat[flipped] = 1 - Y.flat[flipped]
    if model == "logistic_regression":
        params = {"w": params["W1"].T, "b": params["b1"].reshape(())}
    source = f"drawn by the recipe {name} of parity/problems/exact.py, seed {recipe.seed}"
    return Problem(
        name, model, "exact", X, Y, params, recipe.activations, recipe.learning_rate, recipe.iterations,
        recipe.dtypes, True, source, note,
    )  # fmt: skip


def _integers(rng: np.random.RandomState, shape: tuple[int, int], largest: int, density: float) -> np.ndarray:
    return rng.randint(-largest, largest + 1, shape) * (rng.random_sample(shape) < density).astype(np.float64)


def _step_of_activation(g: str, step_of_Z: float) -> float:
    """The number of which every g(Z) is a multiple where every Z is a multiple of `step_of_Z`."""
    return {"tanh": 1.0, "sigmoid": 1 / 2, "leaky_relu_exact": step_of_Z / 4}.get(g, step_of_Z)


def _proven(name: str, model: str, recipe: Recipe, note: str) -> Problem:
    problem = draw(name, model, recipe, note)
    prove(problem)
    return problem


def _wide(layers: tuple[int, ...], activations: tuple[str, ...], seed: int) -> Recipe:
    """Numbers of many bits, and an update."""
    return Recipe(
        layers, activations, seed, m=64, dtypes=FLOATS, wrong=16, largest=3, density=1.0, largest_x=4, learning_rate=2.0
    )


_R, _L, _I, _T, _S = "relu", "leaky_relu_exact", "identity", "tanh", "sigmoid"

_LOGISTIC = (
    ("logistic_exact", Recipe((5, 1), (_S,), 4), "five features"),
    ("logistic_exact_m1", Recipe((5, 1), (_S,), 0, m=1, wrong=1), "a single example: 1/m is 1"),
    ("logistic_exact_n1", Recipe((1, 1), (_S,), 0, m=16), "a single feature"),
    ("logistic_wide", _wide((7, 1), (_S,), 0), "many bits, and an update"),
    ("logistic_training", Recipe((5, 1), (_S,), 32, m=16, wrong=5, output_unit=2048,
                                 learning_rate=2.0**15, iterations=8), "gradient descent"),
)  # fmt: skip

_SHALLOW = (
    ("shallow_exact_relu", Recipe((6, 5, 1), (_R, _S), 358), ""),
    ("shallow_exact_leaky", Recipe((6, 5, 1), (_L, _S), 27), "a slope of 1/4"),
    ("shallow_exact_tanh", Recipe((6, 5, 1), (_T, _S), 70), "pre-activations 0 or saturated"),
    ("shallow_exact_sigmoid", Recipe((6, 5, 1), (_S, _S), 106), "pre-activations 0 or saturated"),
    ("shallow_exact_identity", Recipe((6, 5, 1), (_I, _S), 853, largest=2), "the linear network of N16"),
    ("shallow_exact_ny3", Recipe((6, 5, 3), (_R, _S), 49), "three output units"),
    ("shallow_exact_m1", Recipe((6, 5, 1), (_R, _S), 1, m=1, wrong=1, density=1.0), "a single example"),
    ("shallow_wide", _wide((6, 5, 1), (_R, _S), 1), "many bits, and an update"),
    ("shallow_wide_tanh", _wide((6, 5, 2), (_T, _S), 90), "many bits, and an update"),
    ("shallow_training", Recipe((3, 4, 2), (_R, _S), 3304, m=16, dtypes=FLOATS, largest=3, unit=128, output_unit=128,
                                learning_rate=4.0, iterations=8), "gradient descent"),
)  # fmt: skip

_DEEP = (
    ("deep_exact_L2", Recipe((6, 5, 1), (_R, _S), 358), ""),
    ("deep_exact_L3", Recipe((6, 5, 4, 1), (_R, _R, _S), 519), ""),
    ("deep_exact_L3_mixed", Recipe((6, 5, 4, 1), (_T, _L, _S), 35), ""),
    ("deep_exact_L4_mixed", Recipe((6, 5, 4, 3, 1), (_T, _R, _L, _S), 435, wrong=6, density=0.8), ""),
    ("deep_exact_saturating", Recipe((6, 5, 4, 3, 1), (_T, _S, _T, _S), 315, wrong=16, dtypes=WITHOUT_FLOAT16), ""),
    ("deep_exact_L5", Recipe((6, 5, 7, 4, 3, 2), (_R, _I, _R, _R, _S), 181, density=0.8), ""),
    ("deep_exact_L6", Recipe((6, 5, 7, 4, 8, 3, 2), (_R, _I, _R, _I, _R, _S), 2655,
                             dtypes=WITHOUT_FLOAT16, density=0.8), ""),
    ("deep_exact_ny2", Recipe((6, 5, 4, 2), (_R, _R, _S), 327), "two output units"),
    ("deep_exact_m1", Recipe((6, 5, 4, 2), (_R, _R, _S), 2, m=1, wrong=1, density=1.0), "a single example"),
    ("deep_wide", _wide((6, 5, 4, 1), (_R, _L, _S), 1), ""),
)  # fmt: skip

RECIPES: dict[str, tuple[str, Recipe, str]] = {
    name: (model, recipe, note)
    for model, rows in (("logistic_regression", _LOGISTIC), ("shallow_network", _SHALLOW), ("deep_network", _DEEP))
    for name, recipe, note in rows
}

_DEEP_TRAINING = {
    "X": "0  0  1  1  0 -1  1 -1  0  0  0 -1  1  1 -1  1 |"
         "1  1  0  1 -1 -1 -1  1  1  0  1  1  0  1 -1 -1 |"
        "-1  1  0  1 -1  1  0  1  1  0  1 -1  0  1  0  1",
    "Y": "1  0  1  1  0  1  0  0  1  1  0  0  1  1  0  0 |"
         "1  1  1  1  1  1  1  1  0  1  1  1  1  1  0  1",
    "W1": "-2 0 1 | -3 0 1 | 0 -1 -1 | -1 -3 2 | -3 3 -3",
    "b1": "3 | -3 | 2 | 1 | -3",
    "W2": "1 1 -1 3 0 | 0 1 -2 -2 3 | -2 1 -2 3 3 | -2 2 1 -2 0",
    "b2": "-1 | -3 | 4 | -2",
    "W3": "-4 -1 -2 0 | -2 1 -2 -1",
    "b3": "-4096 | 4096",
}  # fmt: skip


def deep_training() -> Problem:
    """Gradient descent on a deep network, in integers.

    An update of a layer multiplies the weights of all others, so that its last bit is lost anew in every step, unless
    α/m and all weights are integers; then nothing shrinks but the room above. Of two million seeds none led through
    eight steps before a gradient vanished or a sum outgrew float32. These numbers were searched for: changed one at a
    time from drawn ones, and kept where more steps were exact, or more units had a gradient.
    """
    arrays = {
        name: np.array([row.split() for row in rows.split("|")], np.float64) for name, rows in _DEEP_TRAINING.items()
    }
    X, Y = arrays.pop("X"), arrays.pop("Y")
    problem = Problem(
        "deep_training", "deep_network", "exact", X, Y, arrays, (_R, _R, _S), 16.0, 8, FLOATS, True,
        "written out in parity/problems/exact.py", "gradient descent",
    )  # fmt: skip
    prove(problem)
    return problem


PROBLEMS: dict[str, Callable[[], Problem]] = {
    **{name: partial(_proven, name, model, recipe, note) for name, (model, recipe, note) in RECIPES.items()},
    "deep_training": deep_training,
}
