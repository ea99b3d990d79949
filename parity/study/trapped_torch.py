"""What PyTorch does at the places of `parity.study.traps`, a function each: {what is asked: what PyTorch gives}.

A lambda is called by whoever shows the answer, since it may raise; answers that begin with "here" come from this
project's own functions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from torch_impl import activations, derivatives, initialization
from torch_impl import logistic_regression as logistic

Values = dict[str, object]


def slope(g: Callable[[Tensor], Tensor], z: float | list[float]) -> Tensor:
    """g'(z) by automatic differentiation."""
    at = torch.tensor(z, requires_grad=True)
    return torch.autograd.grad(g(at).sum(), at)[0]


def nudge() -> Values:
    """0.1 as it is handed in, and the slope of a² at 2 by a small nudge."""
    a, h = torch.tensor(2.0), 2**-25
    quotient = ((a + h) ** 2 - a**2) / h
    return {
        "np.array([0.1]), handed in": torch.tensor(np.array([0.1])),
        "[0.1], handed in": torch.tensor([0.1]),
        "((a + h)² − a²) / h": quotient,
        "here: slope of a²": derivatives.slope("square", a),
    }


def promotion() -> Values:
    """0.1 in two formats that meet."""
    W32, W64 = torch.ones(1), torch.ones(1, dtype=torch.float64)
    return {
        "float32 × 0.1": W32 * 0.1,
        "float32 × np.float64(0.1)": W32 * np.float64(0.1),
        "float64 × float32 0.1": W64 * torch.tensor([0.1]),
        "here: float32 X, float64 w": lambda: logistic.check_dimensions(
            {"w": W64[:, None], "b": torch.zeros(())}, W32[:, None], W32[:, None]
        ),
    }


def rank_1() -> Values:
    """Labels of rank 1 and predictions that are all right."""
    Y = torch.tensor([0.0, 1.0, 1.0])
    A = Y.reshape(3, 1)
    w, b = torch.zeros((1, 1)), torch.zeros(())
    return {
        "A − Y": A - Y,
        "mean of (A − Y)²": F.mse_loss(A, Y),
        "binary_cross_entropy": lambda: F.binary_cross_entropy(A, Y),
        "here: Y of rank 1": lambda: logistic.train({"w": w, "b": b}, A.T, Y, 0.5, 1),
    }


def integers() -> Values:
    """Integers where fractions belong, and pixels."""
    X = torch.tensor([[2104], [3]])
    dw = torch.zeros_like(X[:, 0])

    def add() -> Tensor:
        dw[0] += 0.75
        return dw

    def assign() -> Tensor:
        dw[0] = dw[0] + 0.75
        return dw

    p, q = torch.tensor([[3], [5]], dtype=torch.uint8)
    params = {"w": torch.zeros((2, 1)), "b": torch.zeros(())}
    return {
        "dw[0] += 0.75": add,
        "dw[0] = dw[0] + 0.75": assign,
        "pixels 3 − 5": p - q,
        "here: integer X": lambda: logistic.train(params, X, torch.ones((1, 1)), 0.5, 1),
    }


def mean_of_all() -> Values:
    """The cost of three output units on two examples, all logits zero."""
    Z, Y = torch.zeros((3, 2)), torch.ones((3, 2))
    J = F.binary_cross_entropy_with_logits(Z, Y)
    return {"mean of the losses": J, "here: J": logistic.cross_entropy(Z, Y)}


def deviation() -> Values:
    """The standard deviation of a feature, which is 2."""
    x = torch.tensor([2.0, 4, 4, 4, 5, 5, 7, 9])
    return {"std": torch.std(x), "std, correction=0": torch.std(x, correction=0)}


def saturation() -> Values:
    """The loss −log(1 − a) of y = 0 and its slope, at z = 17."""
    z, y = torch.tensor([[17.0]]), torch.zeros((1, 1))
    w = {"w": z, "b": torch.zeros(())}
    return {
        "−log(1 − σ(z))": -torch.log(1 - torch.sigmoid(z))[0, 0],
        "its slope": slope(lambda z: -torch.log(1 - torch.sigmoid(z)), 17.0),
        "BCELoss": F.binary_cross_entropy(torch.sigmoid(z), y),
        "slope of BCELoss": slope(lambda z: F.binary_cross_entropy(torch.sigmoid(z), y[0, 0]), 17.0),
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.quantities(w, torch.ones((1, 1)), y)["dZ"][0, 0],
    }


def overflow() -> Values:
    """log(1 + e^z) at z = 100, written as it stands."""
    z, y = torch.tensor([[100.0]]), torch.zeros((1, 1))
    w = {"w": z, "b": torch.zeros(())}
    return {
        "log(1 + e^z)": torch.log(1 + torch.exp(z[0, 0])),
        "its slope": slope(lambda z: torch.log(1 + torch.exp(z)), 100.0),
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.quantities(w, torch.ones((1, 1)), y)["dZ"][0, 0],
    }


def twice() -> Values:
    """The loss of y = 1 at z = 4, given the probability in place of the logit."""
    z, y = torch.tensor([[4.0]]), torch.ones((1, 1))
    w = {"w": z, "b": torch.zeros(())}

    def loss(z: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(torch.sigmoid(z), y[0, 0])

    return {
        "loss of σ(z)": loss(z[0, 0]),
        "its slope": slope(loss, 4.0),
        "here: J": logistic.cross_entropy(z, y),
        "here: dZ": logistic.quantities(w, torch.ones((1, 1)), y)["dZ"][0, 0],
    }


def branch() -> Values:
    """σ in two branches, each for the side where it does not overflow."""

    def sigmoid(z: Tensor) -> Tensor:
        return torch.where(z >= 0, 1 / (1 + torch.exp(-z)), torch.exp(z) / (1 + torch.exp(z)))

    z = torch.tensor([-200.0, 0.0, 200.0])
    return {
        "σ(z)": sigmoid(z),
        "its slope": slope(sigmoid, z.tolist()),
        "here: σ'(z)": activations.derivative("sigmoid", z),
    }


def threshold() -> Values:
    """log(1 + e^z) at z = 20.5 in float64, by the function that the framework has for it."""
    z, y = torch.tensor([[20.5]], dtype=torch.float64), torch.zeros((1, 1), dtype=torch.float64)
    return {"softplus": F.softplus(z[0, 0]), "here: J": logistic.cross_entropy(z, y)}


def zero_logit() -> Values:
    """The slope of a stable loss at z = 0, y = 0: max(z, 0) − y z + log1p(e^−|z|), the maximum in three ways."""

    def rest(z: Tensor) -> Tensor:
        return torch.log1p(torch.exp(-torch.abs(z)))

    w = {"w": torch.zeros((1, 1)), "b": torch.zeros(())}
    return {
        "with maximum": slope(lambda z: torch.maximum(z, torch.zeros(())) + rest(z), 0.0),
        "with relu": slope(lambda z: torch.relu(z) + rest(z), 0.0),
        "with clamp": slope(lambda z: torch.clamp(z, min=0) + rest(z), 0.0),
        "here: dZ": logistic.quantities(w, torch.ones((1, 1)), torch.zeros((1, 1)))["dZ"][0, 0],
    }


def kinks() -> Values:
    """Slopes at z = 0, where there are two."""
    z = torch.zeros(())
    return {
        "relu": slope(torch.relu, 0.0),
        "relu: maximum(z, 0)": slope(lambda z: torch.maximum(z, torch.zeros(())), 0.0),
        "relu: clip(z, 0)": slope(lambda z: torch.clip(z, 0), 0.0),
        "leaky_relu": slope(F.leaky_relu, 0.0),
        "|z|": slope(torch.abs, 0.0),
        "hardtanh at 1": slope(F.hardtanh, 1.0),
        "‖w‖ at w = 0": slope(torch.linalg.norm, [0.0, 0.0]),
        "here: relu": activations.derivative("relu", z),
        "here: leaky_relu": activations.derivative("leaky_relu", z),
    }


def order() -> Values:
    """The sum of 2²⁰ numbers 0.1 in float32, one after the other or along an axis."""
    X = torch.full((2**20, 2), 0.1)
    return {
        "X.sum(axis=0)[0]": X.sum(dim=0)[0],
        "X.T as an array of its own": X.T.contiguous().sum(dim=1)[0],
        "cumsum": torch.cumsum(X[:, 0], 0)[-1],
    }


def counting() -> Values:
    """300 ones in bfloat16, added up."""
    x = torch.ones(300, dtype=torch.bfloat16)
    total = torch.zeros((), dtype=x.dtype)
    for _ in range(300):
        total = total + 1
    return {"sum": x.sum(), "a loop": total}


def subnormal() -> Values:
    """Twice a number below the smallest normal one, 1.2e−38."""
    x = torch.tensor([1e-40])
    return {"2 x": 2 * x, "x == 0": x == 0}


def accumulation() -> Values:
    """dw of one example, asked for twice."""
    w, b = torch.zeros((1, 1), requires_grad=True), torch.zeros(())
    x, y = torch.tensor([[3.0]]), torch.zeros((1, 1))
    for _ in range(2):
        J = logistic.cost({"w": w, "b": b}, x, y)
        J.backward()  # type: ignore[no-untyped-call]
    again = [logistic.gradients({"w": w, "b": b}, x, y)["dw"] for _ in range(2)]
    return {"dw, the second time": w.grad, "here: the second time": again[1]}


def alias() -> Values:
    """The weights before an update in place."""
    W = torch.tensor([1.0, 2.0])
    before = W
    W -= 0.5
    params = {"w": torch.tensor([[1.0]]), "b": torch.zeros(())}
    logistic.update(params, {"dw": torch.tensor([[1.0]]), "db": torch.ones(())}, 0.5)
    return {"before": before, "here: w before": params["w"][0]}


def out_of_bounds() -> Values:
    """The eighth of five numbers."""
    x = torch.arange(5.0)
    return {"x[7]": lambda: x[7], "x.take(7)": lambda: x.take(torch.tensor(7))}


def constant() -> Values:
    """A step whose learning rate is changed after the first call."""
    alpha, w = 0.5, torch.tensor(4.0)

    def step(w: Tensor) -> Tensor:
        return w - alpha * 2

    step(w)
    alpha = 0.25
    params = logistic.update({"w": w, "b": w}, {"dw": torch.tensor(2.0), "db": w}, alpha)
    return {"4 − ¼ · 2": step(w), "here: w": params["w"]}


def key() -> Values:
    """Two draws that ought to be two different ones."""
    rng = torch.Generator().manual_seed(1)
    W1, W2 = torch.randn(2, generator=rng), torch.randn(2, generator=rng)
    params = initialization.random((2, 1, 2), np.random.default_rng(1))
    return {"W1 == W2": W1 == W2, "here: W1 == W2": params["W1"][0] == params["W2"][:, 0]}


def seed() -> Values:
    """The first standard normal number of seed 1."""
    first = torch.randn(1, generator=torch.Generator().manual_seed(1))
    here = initialization.random((1, 1), np.random.RandomState(1), 1.0)["W1"]
    return {"seed 1": first[0], "here: seed 1": here[0, 0]}
