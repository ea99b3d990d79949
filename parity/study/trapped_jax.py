"""What JAX does at the places of `parity.study.traps`, a function each: {what is asked: what JAX gives}.

x64 is off, as JAX is by itself, but where a function turns it on. A lambda is called by whoever shows the answer,
since it may raise; answers that begin with "here" come from this project's own functions.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jax_impl import activations, derivatives, initialization
from jax_impl import logistic_regression as logistic

Values = dict[str, object]


def slope(g: Callable[[Array], Array], z: float | list[float]) -> Array:
    """g'(z) by automatic differentiation."""
    return jax.grad(lambda z: g(z).sum())(jnp.array(z))


def nudge() -> Values:
    """0.1 as it is handed in, and the slope of a² at 2 by a small nudge."""
    a, h = jnp.array(2.0), 2**-25
    quotient = ((a + h) ** 2 - a**2) / h
    return {
        "np.array([0.1]), handed in": jnp.asarray(np.array([0.1])),
        "[0.1], handed in": jnp.array([0.1]),
        "((a + h)² − a²) / h": quotient,
        "here: slope of a²": derivatives.slope("square", a),
    }


def promotion() -> Values:
    """0.1 in two formats that meet, x64 being on."""
    with jax.enable_x64():
        W32, W64 = jnp.ones(1, jnp.float32), jnp.ones(1)
        return {
            "float32 × 0.1": W32 * 0.1,
            "float32 × np.float64(0.1)": W32 * np.float64(0.1),
            "float64 × float32 0.1": W64 * jnp.array([0.1], jnp.float32),
            "here: float32 X, float64 w": lambda: logistic.check_dimensions(
                {"w": W64[:, None], "b": jnp.zeros(())}, W32[:, None], W32[:, None]
            ),
        }


def rank_1() -> Values:
    """Labels of rank 1 and predictions that are all right."""
    Y = jnp.array([0.0, 1.0, 1.0])
    A = Y.reshape(3, 1)
    w, b = jnp.zeros((1, 1)), jnp.zeros(())
    return {
        "A − Y": A - Y,
        "mean of (A − Y)²": jnp.mean((A - Y) ** 2),
        "here: Y of rank 1": lambda: logistic.train({"w": w, "b": b}, A.T, Y, 0.5, 1),
    }


def integers() -> Values:
    """Integers where fractions belong, and pixels."""
    X = jnp.array([[2104], [3]])
    dw = jnp.zeros_like(X[:, 0])
    p, q = jnp.array([[3], [5]], jnp.uint8)
    params = {"w": jnp.zeros((2, 1)), "b": jnp.zeros(())}
    return {
        "dw[0] += 0.75": lambda: dw.at[0].add(0.75),
        "pixels 3 − 5": p - q,
        "here: integer X": lambda: logistic.train(params, X, jnp.ones((1, 1)), 0.5, 1),
    }


def mean_of_all() -> Values:
    """The cost of three output units on two examples, all logits zero."""
    Z, Y = jnp.zeros((3, 2)), jnp.ones((3, 2))
    losses = jax.nn.softplus(-Z)
    return {"mean of the losses": jnp.mean(losses), "here: J": logistic.cross_entropy(Z, Y)}


def deviation() -> Values:
    """The standard deviation of a feature, which is 2."""
    x = jnp.array([2.0, 4, 4, 4, 5, 5, 7, 9])
    return {"std": jnp.std(x)}


def saturation() -> Values:
    """The loss −log(1 − a) of y = 0 and its slope, at z = 17."""
    z, y = jnp.array([[17.0]]), jnp.zeros((1, 1))
    w = {"w": z, "b": jnp.zeros(())}
    return {
        "−log(1 − σ(z))": -jnp.log(1 - jax.nn.sigmoid(z))[0, 0],
        "its slope": slope(lambda z: -jnp.log(1 - jax.nn.sigmoid(z)), 17.0),
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.quantities(w, jnp.ones((1, 1)), y)["dZ"][0, 0],
    }


def overflow() -> Values:
    """log(1 + e^z) at z = 100, written as it stands."""
    z, y = jnp.array([[100.0]]), jnp.zeros((1, 1))
    w = {"w": z, "b": jnp.zeros(())}
    return {
        "log(1 + e^z)": jnp.log(1 + jnp.exp(z[0, 0])),
        "its slope": slope(lambda z: jnp.log(1 + jnp.exp(z)), 100.0),
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.quantities(w, jnp.ones((1, 1)), y)["dZ"][0, 0],
    }


def twice() -> Values:
    """The loss of y = 1 at z = 4, given the probability in place of the logit."""
    z, y = jnp.array([[4.0]]), jnp.ones((1, 1))
    w = {"w": z, "b": jnp.zeros(())}

    def loss(z: Array) -> Array:
        return -jax.nn.log_sigmoid(jax.nn.sigmoid(z))

    return {
        "loss of σ(z)": loss(z[0, 0]),
        "its slope": slope(loss, 4.0),
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.quantities(w, jnp.ones((1, 1)), y)["dZ"][0, 0],
    }


def branch() -> Values:
    """σ in two branches, each for the side where it does not overflow."""

    def sigmoid(z: Array) -> Array:
        return jnp.where(z >= 0, 1 / (1 + jnp.exp(-z)), jnp.exp(z) / (1 + jnp.exp(z)))

    z = jnp.array([-200.0, 0.0, 200.0])
    return {
        "σ(z)": sigmoid(z),
        "its slope": slope(sigmoid, z.tolist()),
        "here: σ'(z)": activations.derivative("sigmoid", z),
    }


def threshold() -> Values:
    """log(1 + e^z) at z = 20.5 in float64, by the function that the framework has for it."""
    with jax.enable_x64():
        z, y = jnp.array([[20.5]]), jnp.zeros((1, 1))
        return {"softplus": jax.nn.softplus(z[0, 0]), "here: J": logistic.cross_entropy(z, y)}


def zero_logit() -> Values:
    """The slope of a stable loss at z = 0, y = 0: max(z, 0) − y z + log1p(e^−|z|), the maximum in three ways."""

    def rest(z: Array) -> Array:
        return jnp.log1p(jnp.exp(-jnp.abs(z)))

    w = {"w": jnp.zeros((1, 1)), "b": jnp.zeros(())}
    return {
        "with maximum": slope(lambda z: jnp.maximum(z, 0) + rest(z), 0.0),
        "with relu": slope(lambda z: jax.nn.relu(z) + rest(z), 0.0),
        "with clamp": slope(lambda z: jnp.clip(z, 0) + rest(z), 0.0),
        "here: dZ": logistic.quantities(w, jnp.ones((1, 1)), jnp.zeros((1, 1)))["dZ"][0, 0],
    }


def kinks() -> Values:
    """Slopes at z = 0, where there are two."""
    z = jnp.zeros(())
    return {
        "relu": slope(jax.nn.relu, 0.0),
        "relu: maximum(z, 0)": slope(lambda z: jnp.maximum(z, 0), 0.0),
        "relu: clip(z, 0)": slope(lambda z: jnp.clip(z, 0), 0.0),
        "leaky_relu": slope(jax.nn.leaky_relu, 0.0),
        "|z|": slope(jnp.abs, 0.0),
        "hardtanh at 1": slope(jax.nn.hard_tanh, 1.0),
        "‖w‖ at w = 0": slope(jnp.linalg.norm, [0.0, 0.0]),
        "here: relu": activations.derivative("relu", z),
        "here: leaky_relu": activations.derivative("leaky_relu", z),
    }


def order() -> Values:
    """The sum of 2²⁰ numbers 0.1 in float32, one after the other or along an axis."""
    X = jnp.full((2**20, 2), 0.1)
    return {
        "X.sum(axis=0)[0]": X.sum(axis=0)[0],
        "X.T as an array of its own": X.T.sum(axis=1)[0],
        "cumsum": jnp.cumsum(X[:, 0])[-1],
    }


def counting() -> Values:
    """300 ones in bfloat16, added up."""
    x = jnp.ones(300, jnp.bfloat16)
    total = jnp.zeros((), x.dtype)
    for _ in range(300):
        total = total + 1
    return {"sum": x.sum(), "a loop": total}


def subnormal() -> Values:
    """Twice a number below the smallest normal one, 1.2e−38."""
    x = jnp.array([1e-40])
    return {"2 x": 2 * x, "x == 0": x == 0}


def accumulation() -> Values:
    """dw of one example, asked for twice."""
    w, b = jnp.zeros((1, 1)), jnp.zeros(())
    x, y = jnp.array([[3.0]]), jnp.zeros((1, 1))
    for _ in range(2):
        dw = jax.grad(lambda w: logistic.cost({"w": w, "b": b}, x, y))(w)
    again = [logistic.gradients({"w": w, "b": b}, x, y)["dw"] for _ in range(2)]
    return {"dw, the second time": dw, "here: the second time": again[1]}


def alias() -> Values:
    """The weights before an update in place."""
    W = jnp.array([1.0, 2.0])
    before = W
    W -= 0.5
    params = {"w": jnp.array([[1.0]]), "b": jnp.zeros(())}
    logistic.update(params, {"dw": jnp.array([[1.0]]), "db": jnp.ones(())}, 0.5)
    return {"before": before, "here: w before": params["w"][0]}


def out_of_bounds() -> Values:
    """The eighth of five numbers."""
    x = jnp.arange(5.0)
    return {"x[7]": lambda: x[7], "x.take(7)": lambda: x.take(7), "x.at[7].set(9)": lambda: x.at[7].set(9)}


def constant() -> Values:
    """A step whose learning rate is changed after the first call."""
    alpha, w = 0.5, jnp.array(4.0)

    @jax.jit
    def step(w: Array) -> Array:
        return w - alpha * 2

    step(w)
    alpha = 0.25
    params = jax.jit(logistic.update)({"w": w, "b": w}, {"dw": jnp.array(2.0), "db": w}, alpha)
    return {"4 − ¼ · 2": step(w), "here: w": params["w"]}


def key() -> Values:
    """Two draws that ought to be two different ones."""
    rng = jax.random.key(1)
    W1, W2 = jax.random.normal(rng, (2,)), jax.random.normal(rng, (2,))
    params = initialization.random((2, 1, 2), np.random.default_rng(1))
    return {"W1 == W2": W1 == W2, "here: W1 == W2": params["W1"][0] == params["W2"][:, 0]}


def seed() -> Values:
    """The first standard normal number of seed 1."""
    first = jax.random.normal(jax.random.key(1), (1,))
    here = initialization.random((1, 1), np.random.RandomState(1), 1.0)["W1"]
    return {"seed 1": first[0], "here: seed 1": here[0, 0]}
