"""Every trap that was met, with the convention or the right value stated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from parity.formats import FORMATS
from parity.problems import Problem
from parity.problems.exactness import prove
from parity.problems.parameters import draw

_S = "sigmoid"


def _data(n_x: int, m: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal features and labels that alternate."""
    return np.random.RandomState(seed).standard_normal((n_x, m)), (np.arange(m) % 2)[None, :]


def zero_initialisation() -> Problem:
    """All parameters zero: every logit is 0 and every probability ½ (N19)."""
    X, Y = _data(3, 8)
    zeros = {name: np.zeros_like(p) for name, p in draw("shallow_network", (3, 4, 1), 0).items()}
    return Problem(
        "zero_initialisation", "shallow_network", "edge", X, Y, zeros, ("tanh", _S), source="N19",
        note="J = log 2, dZ2 = ½ − y; a stable cost made of max, exp and log1p has a wrong automatic derivative here",
    )  # fmt: skip


def zero_logits() -> Problem:
    """Logistic regression at w = 0, b = 0: dw is −(1/m) X (Y − ½)ᵀ."""
    X, Y = _data(3, 8)
    params = {"w": np.zeros((3, 1)), "b": np.array(0.0)}
    return Problem(
        "zero_logits", "logistic_regression", "edge", X, Y, params, (_S,),
        note="J = log 2, dZ = ½ − y; a stable cost made of max, exp and log1p has a wrong automatic derivative here",
    )  # fmt: skip


def dead_relu() -> Problem:
    """Every hidden unit off for every example: the hidden layer has no gradient, the output bias still has one."""
    X, Y = _data(3, 8)
    params = draw("shallow_network", (3, 4, 1), 0) | {"b1": np.full((4, 1), -64.0), "b2": np.zeros((1, 1))}
    return Problem(
        "dead_relu", "shallow_network", "edge", X, Y, params, ("relu", _S),
        note="A1 = 0, logits 0, dW2 = dW1 = db1 = 0, db2 = mean of ½ − y",
    )  # fmt: skip


def _saturation(z: float) -> Problem:
    X, Y = np.array([[z, z, -z, -z, 1.0]]), np.array([[0, 1, 0, 1, 1]])
    params = {"w": np.array([[1.0]]), "b": np.array(0.0)}
    return Problem(
        f"saturation_{z:.0f}", "logistic_regression", "edge", X, Y, params, (_S,),
        note=f"z = ±{z:.0f} with both labels: the loss of a wrong one is {z:.0f} and its dZ ±1, where log a would be "
        "infinite, or −100 with a clamp",
    )  # fmt: skip


def _confident(name: str, model: str, layers: tuple[int, ...], activations: tuple[str, ...]) -> Problem:
    """Logits near ±6, ±12, ±17, ±25 and ±30 with both labels: sure, and not saturated; others are near 0.

    Two units of every layer carry the positive and the negative part of the first feature to the logit; what the
    others add is an eighth of what is drawn elsewhere. A third unit sees the second feature alone, of size 1e-9: no
    other term hides on which side of the kink it is. Under seed 15 no unit is dead.
    """
    X, Y = _data(layers[0], 32)
    logits = np.array([6.0, 12, 17, 25, 30])
    X[0, :20] = np.repeat([logits, -logits], 2)
    X[1] *= 1e-9
    params = {name: p / 8 for name, p in draw(model, layers, 15).items()}
    L = len(activations)
    for l in range(1, L):
        part = np.eye(1, layers[l - 1]) - (np.eye(1, layers[l - 1], 1) if l > 1 else 0)
        params[f"W{l}"][:2], params[f"b{l}"][:2] = np.vstack([part, -part]), 0
    params["W1"][2], params["b1"][2] = np.eye(1, layers[0], 1), 0
    params[f"W{L}"][0, :2] = 1, -1
    return Problem(
        name, model, "edge", X, Y, params, activations,
        note="logits up to ±30 with both labels: where a − y is e^−30, a cost with a threshold or a gradient without "
        "its small terms differs; pre-activations of size 1e-9, on both sides of the kink",
    )  # fmt: skip


def _kink(name: str, activation: str, model: str, unit: float) -> Problem:
    """Pre-activations at 0 and on both sides of it; the output is saturated, so that everything is exact.

    It is wrong wherever a unit is at the kink, and where that unit is below it: a unit without g' is no convention.
    """
    X = np.array([[1.0, -1, 0, 2], [1, 0, 1, -2]]) * unit
    params = {
        "W1": np.array([[1.0, -1], [1, 1], [2, 2]]),
        "b1": np.array([[0.0], [0], [-2 * unit]]),
        "W2": np.array([[1536.0, -1536, 3072]]),
        "b2": np.array([[768.0]]),
    }
    Y = np.array([[0, 1, 1, 0]])
    dtypes = tuple(FORMATS)
    conventions = {"relu": "ReLU'(0) = 0", "leaky_relu_exact": "the slope at 0 is that of the left side, 1/4"}
    problem = Problem(
        name, model, "edge", X, Y, params, (activation, _S), learning_rate=None, dtypes=dtypes, exact=True,
        source="N17", note=f"pre-activations at the kink: {conventions[activation]}",
    )  # fmt: skip
    prove(problem, may_be_degenerate=True)
    return problem


def kink_of_leaky_relu() -> Problem:
    """leaky ReLU with the slide's slope where Z1 = 0: the slope is 0.01 there, in JAX's own leaky_relu it is 1."""
    X = np.array([[1.0, 2, 0], [1, 1, 1]])
    W1, W2 = np.array([[1.0, -1], [0, 1]]), np.array([[0.5, -1.0]])
    params = {"W1": W1, "b1": np.zeros((2, 1)), "W2": W2, "b2": np.zeros((1, 1))}
    return Problem(
        "kink_leaky_relu", "shallow_network", "edge", X, np.array([[1, 0, 1]]), params, ("leaky_relu", _S),
        source="N17", note="pre-activations at the kink: leaky ReLU'(0) = 0.01",
    )  # fmt: skip


def single_example() -> Problem:
    """m = 1: nothing is averaged."""
    X, Y = _data(3, 1)
    params = draw("deep_network", (3, 4, 2, 1), 1)
    return Problem("single_example", "deep_network", "edge", X, Y, params, ("tanh", "relu", _S), note="m = 1")


def single_feature() -> Problem:
    """n_x = 1: w is one number, and so is dw."""
    X, Y = _data(1, 6)
    params = draw("shallow_network", (1, 3, 1), 1)
    return Problem("single_feature", "shallow_network", "edge", X, Y, params, ("tanh", _S), note="n_x = 1")


def _one_class(label: int) -> Problem:
    X, Y = _data(4, 9)
    params = draw("logistic_regression", (4, 1), 2)
    return Problem(
        f"all_labels_{label}", "logistic_regression", "edge", X, np.full_like(Y, label), params, (_S,),
        note=f"every label is {label}: cost and gradient are as good as with two classes",
    )  # fmt: skip


def constant_feature() -> Problem:
    """One feature is the same for all examples: its weight acts as a second bias."""
    X, Y = _data(4, 9)
    X[2] = 1.0
    return Problem(
        "constant_feature", "logistic_regression", "edge", X, Y, draw("logistic_regression", (4, 1), 3), (_S,),
        note="a feature that is 1 for all: its dw is db",
    )  # fmt: skip


def feature_scales() -> Problem:
    """Features of size 10⁶ and 10⁻⁶ beside each other."""
    X, Y = _data(4, 9)
    X *= np.array([[1e6], [1.0], [1e-6], [1.0]])
    params = draw("shallow_network", (4, 5, 1), 4)
    params["W1"][:, 0] *= 1e-6
    return Problem(
        "feature_scales", "shallow_network", "edge", X, Y, params, ("tanh", _S),
        note="features of size 10⁶ and 10⁻⁶",
    )  # fmt: skip


def _subnormal(dtype: str) -> Problem:
    """Inputs below the smallest normal number of the format: an implementation may read them as zero."""
    X, Y = _data(3, 8)
    X[1] *= FORMATS[dtype].smallest_normal / 64
    params = draw("logistic_regression", (3, 1), 5)
    return Problem(
        f"subnormal_{FORMATS[dtype].short}", "logistic_regression", "edge", X, Y, params, (_S,), dtypes=(dtype,),
        note="a feature below the smallest normal number; flushing it to zero is within the bound",
    )  # fmt: skip


def equal_sizes() -> Problem:
    """n_x = n[1] = n[2] = m: a transposed matrix or a bias along the wrong axis raises no error here."""
    X, Y = _data(5, 5)
    params = draw("deep_network", (5, 5, 5, 5), 6)
    return Problem(
        "equal_sizes", "deep_network", "edge", X, np.tile(Y, (5, 1)) * np.eye(5), params, ("tanh", "tanh", _S),
        note="all sizes 5: shapes do not catch a transpose, values must",
    )  # fmt: skip


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "zero_initialisation": zero_initialisation,
    "zero_logits": zero_logits,
    "dead_relu": dead_relu,
    "saturation_17": lambda: _saturation(17.0),
    "saturation_25": lambda: _saturation(25.0),
    "saturation_30": lambda: _saturation(30.0),
    "saturation_40": lambda: _saturation(40.0),
    "saturation_800": lambda: _saturation(800.0),
    "confident_shallow": lambda: _confident("confident_shallow", "shallow_network", (6, 5, 1), ("relu", _S)),
    "confident_deep": lambda: _confident("confident_deep", "deep_network", (6, 5, 4, 1), ("leaky_relu", "relu", _S)),
    "kink_relu": lambda: _kink("kink_relu", "relu", "shallow_network", 1.0),
    "kink_leaky_exact": lambda: _kink("kink_leaky_exact", "leaky_relu_exact", "deep_network", 4.0),
    "kink_leaky_relu": kink_of_leaky_relu,
    "single_example": single_example,
    "single_feature": single_feature,
    "all_labels_0": lambda: _one_class(0),
    "all_labels_1": lambda: _one_class(1),
    "constant_feature": constant_feature,
    "feature_scales": feature_scales,
    "subnormal_f64": lambda: _subnormal("float64"),
    "subnormal_f32": lambda: _subnormal("float32"),
    "equal_sizes": equal_sizes,
}
