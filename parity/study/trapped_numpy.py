"""What NumPy does at the places of `parity.study.traps`, a function each: {what is asked: what NumPy gives}.

There is no automatic differentiation: slopes are those that one writes by hand. A lambda is called by whoever shows
the answer, since it may raise; answers that begin with "here" come from this project's own functions.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np

from parity.problems.parameters import standardise
from reference import activations, derivatives, initialization
from reference import logistic_regression as logistic

Values = dict[str, object]


def nudge() -> Values:
    """0.1 as it is handed in, and the slope of a² at 2 by a small nudge."""
    a, h = np.array(2.0), 2**-25
    quotient = ((a + h) ** 2 - a**2) / h
    return {
        "np.array([0.1]), handed in": np.asarray(np.array([0.1])),
        "[0.1], handed in": np.array([0.1]),
        "((a + h)² − a²) / h": quotient,
        "here: slope of a²": derivatives.square_slope(a),
    }


def promotion() -> Values:
    """0.1 in two formats that meet."""
    W32, W64 = np.ones(1, np.float32), np.ones(1)
    return {
        "float32 × 0.1": W32 * 0.1,
        "float32 × np.float64(0.1)": W32 * np.float64(0.1),
        "float64 × float32 0.1": W64 * np.array([0.1], np.float32),
        "here: float32 X, float64 w": lambda: logistic.check_dimensions(
            {"w": W64[:, None], "b": np.zeros(())}, W32[:, None], W32[:, None]
        ),
    }


def rank_1() -> Values:
    """Labels of rank 1 and predictions that are all right."""
    Y = np.array([0.0, 1.0, 1.0])
    A = Y.reshape(3, 1)
    w, b = np.zeros((1, 1)), np.zeros(())
    return {
        "A − Y": A - Y,
        "mean of (A − Y)²": np.mean((A - Y) ** 2),
        "here: Y of rank 1": lambda: logistic.train({"w": w, "b": b}, A.T, Y, 0.5, 1),
    }


def integers() -> Values:
    """Integers where fractions belong, and pixels."""
    X = np.array([[2104], [3]])
    dw = np.zeros_like(X[:, 0])

    def add() -> np.ndarray:
        dw[0] += 0.75
        return dw

    p, q = np.array([3], np.uint8), np.array([5], np.uint8)
    params = {"w": np.zeros((2, 1)), "b": np.zeros(())}
    return {
        "dw[0] += 0.75": add,
        "pixels 3 − 5": p - q,
        "here: integer X": lambda: logistic.train(params, X, np.ones((1, 1)), 0.5, 1),
    }


def mean_of_all() -> Values:
    """The cost of three output units on two examples, all logits zero."""
    Z, Y = np.zeros((3, 2), np.float32), np.ones((3, 2), np.float32)
    losses = np.log1p(np.exp(-Z))
    return {"mean of the losses": np.mean(losses), "here: J": logistic.cross_entropy(Z, Y)}


def deviation() -> Values:
    """The standard deviation of a feature, which is 2."""
    x = np.array([2.0, 4, 4, 4, 5, 5, 7, 9])
    return {"std": np.std(x), "here: (x − 5) / 2": standardise(x[None])[0, :2]}


def saturation() -> Values:
    """The loss −log(1 − a) of y = 0 and its slope, at z = 17."""
    z, y = np.full((1, 1), 17, np.float32), np.zeros((1, 1), np.float32)
    a = activations.sigmoid(z)
    return {
        "−log(1 − σ(z))": -np.log(1 - a)[0, 0],
        "its slope": (1 / (1 - a) * a * (1 - a))[0, 0],
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.backward({"A": a}, z, y)["dZ"][0, 0],
    }


def overflow() -> Values:
    """log(1 + e^z) at z = 100, written as it stands."""
    z, y = np.full((1, 1), 100, np.float32), np.zeros((1, 1), np.float32)
    e = np.exp(z[0, 0])
    return {
        "log(1 + e^z)": np.log(1 + e),
        "its slope": e / (1 + e),
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.backward({"A": activations.sigmoid(z)}, z, y)["dZ"][0, 0],
    }


def twice() -> Values:
    """The loss of y = 1 at z = 4, given the probability in place of the logit."""
    z, y = np.full((1, 1), 4, np.float32), np.ones((1, 1), np.float32)
    a = activations.sigmoid(z)
    return {
        "loss of σ(z)": np.logaddexp(0, -a)[0, 0],
        "its slope": ((activations.sigmoid(a) - y) * a * (1 - a))[0, 0],
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.backward({"A": a}, z, y)["dZ"][0, 0],
    }


def branch() -> Values:
    """σ in two branches, each for the side where it does not overflow."""
    z = np.array([-200, 0, 200], np.float32)
    a = np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))
    return {"σ(z)": a, "its slope": a * (1 - a), "here: σ'(z)": activations.derivative("sigmoid", z)}


def threshold() -> Values:
    """log(1 + e^z) at z = 20.5 in float64, by the function that the framework has for it."""
    z, y = np.array([[20.5]]), np.zeros((1, 1))
    return {"softplus": np.logaddexp(0, z[0, 0]), "here: J": logistic.cross_entropy(z, y)}


def zero_logit() -> Values:
    """The slope of a stable loss at z = 0, y = 0: by hand it is a − y."""
    a = activations.sigmoid(np.zeros((1, 1), np.float32))
    dZ = logistic.backward({"A": a}, a, np.zeros_like(a))["dZ"]
    return {"a − y": a[0, 0] - 0, "here: dZ": dZ[0, 0]}


def kinks() -> Values:
    """Slopes at z = 0, where there are two: masks as one writes them."""
    z = np.zeros((), np.float32)
    return {
        "relu: z > 0": np.float32(z > 0),
        "relu: z >= 0": np.float32(z >= 0),
        "leaky_relu: z >= 0": np.where(z >= 0, np.float32(1), np.float32(0.01))[()],
        "|z|: sign": np.sign(z),
        "‖w‖ at w = 0: w / ‖w‖": np.zeros(2, np.float32) / np.linalg.norm(np.zeros(2, np.float32)),
        "here: relu": activations.derivative("relu", z),
        "here: leaky_relu": activations.derivative("leaky_relu", z),
    }


def order() -> Values:
    """The sum of 2²⁰ numbers 0.1 in float32, one after the other or along an axis."""
    X = np.full((2**20, 2), 0.1, np.float32)
    return {
        "X.sum(axis=0)[0]": X.sum(axis=0)[0],
        "X.T as an array of its own": np.ascontiguousarray(X.T).sum(axis=1)[0],
        "cumsum": np.cumsum(X[:, 0])[-1],
    }


def counting() -> Values:
    """300 ones in bfloat16, added up."""
    x = np.ones(300, ml_dtypes.bfloat16)
    total = np.zeros((), x.dtype)
    for _ in range(300):
        total = total + total.dtype.type(1)
    return {"sum": x.sum(), "a loop": total}


def subnormal() -> Values:
    """Twice a number below the smallest normal one, 1.2e−38."""
    x = np.array([1e-40], np.float32)
    return {"2 x": 2 * x, "x == 0": x == 0}


def accumulation() -> Values:
    """dw of one example, asked for twice."""
    w, b = np.zeros((1, 1), np.float32), np.zeros((), np.float32)
    x, y = np.full((1, 1), 3, np.float32), np.zeros((1, 1), np.float32)
    dw = np.zeros_like(w)
    for _ in range(2):
        dw += logistic.derivatives_of_one_example(w, b, x, y[0, 0])["dw"]
    again = [logistic.gradients({"w": w, "b": b}, x, y)["dw"] for _ in range(2)]
    return {"dw, the second time": dw, "here: the second time": again[1]}


def alias() -> Values:
    """The weights before an update in place."""
    W = np.array([1.0, 2.0])
    before = W
    W -= 0.5
    params = {"w": np.array([[1.0]]), "b": np.zeros(())}
    logistic.update(params, {"dw": np.array([[1.0]]), "db": np.ones(())}, 0.5)
    return {"before": before, "here: w before": params["w"][0]}


def out_of_bounds() -> Values:
    """The eighth of five numbers."""
    x = np.arange(5.0)
    return {"x[7]": lambda: x[7], "x.take(7)": lambda: x.take(7)}


def constant() -> Values:
    """A step whose learning rate is changed after the first call."""
    alpha, w = 0.5, np.array(4.0)

    def step(w: np.ndarray) -> np.ndarray:
        return np.asarray(w - alpha * 2)

    step(w)
    alpha = 0.25
    params = logistic.update({"w": w, "b": w}, {"dw": np.array(2.0), "db": w}, alpha)
    return {"4 − ¼ · 2": step(w), "here: w": params["w"]}


def key() -> Values:
    """Two draws that ought to be two different ones."""
    rng = np.random.default_rng(1)
    W1, W2 = rng.standard_normal(2), rng.standard_normal(2)
    params = initialization.random((2, 1, 2), np.random.default_rng(1))
    return {"W1 == W2": W1 == W2, "here: W1 == W2": params["W1"][0] == params["W2"][:, 0]}


def seed() -> Values:
    """The first standard normal number of seed 1."""
    first = np.random.RandomState(1).standard_normal(1)
    here = initialization.random((1, 1), np.random.RandomState(1), 1.0)["W1"]
    return {"seed 1": first[0], "here: seed 1": here[0, 0]}
