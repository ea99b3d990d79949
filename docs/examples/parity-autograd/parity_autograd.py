"""HIPS autograd before the witness: forward pass and cost as in the notes; `grad` stands where `backward` stood."""

import autograd.numpy as np
from autograd import grad
from autograd.scipy.special import expit

from parity.implementations import Implementation
from parity.problems import FLOATS, NETWORKS


def kinked(Z, left):
    """z where z > 0, else left · z, and at 0 that slope too; `np.where(Z > 0, Z, left * Z)` makes float32 float64."""
    return Z * np.where(Z > 0, 1, left).astype(Z.dtype)


ACTIVATIONS = {
    "sigmoid": expit, "tanh": np.tanh, "identity": lambda Z: Z, "relu": lambda Z: kinked(Z, 0),
    "leaky_relu": lambda Z: kinked(Z, 0.01), "leaky_relu_exact": lambda Z: kinked(Z, 1 / 4),
}  # fmt: skip


def forward(params, X, activations, zeros):
    """Z1, A1, …, ZL, AL, or Z and A of logistic regression; `zeros` are added to Z so that dZ is their derivative."""
    A, cache = X, {}
    for l, g in enumerate(activations, start=1):
        l, W, b = ("", params["w"].T, params["b"]) if "w" in params else (l, params[f"W{l}"], params[f"b{l}"])
        Z = W @ A + b + zeros.get(f"Z{l}", 0)
        A = ACTIVATIONS[g](Z)
        cache |= {f"Z{l}": Z, f"A{l}": A}
    return cache


def cost(params, X, Y, activations, zeros):
    """J = (1/m) Σ log(1 + e^z) − y z, from the logits; the derivative of `logaddexp` is right at 0 and at ±800."""
    *_, Z, _ = forward(params, X, activations, zeros).values()
    return np.sum(np.logaddexp(0, Z) - Y * Z) / Y.shape[1]


class Autograd(Implementation):
    """The adapter: a problem in, named NumPy arrays out."""

    name, framework, variant, about = "autograd", "autograd", "grad", "HIPS autograd, grad of the cost"

    def refuses(self, problem, dtype, device):
        if problem.model not in NETWORKS or problem.iterations:
            return "computes one pass of logistic regression and networks, and does not train"
        return None if dtype in FLOATS else "computes in float64 and float32 only"

    @np.errstate(over="ignore")  # tanh' is 1 / cosh², and 1 / inf is its limit, 0
    def quantities(self, problem, dtype, device):
        (params, X, Y), g, rate = problem.inputs(dtype), problem.activations, problem.learning_rate
        cache = forward(params, X, g, {})
        zeros = {name: np.zeros_like(Z) for name, Z in cache.items() if name[0] == "Z"}
        grads, dZ = grad(cost, 0)(params, X, Y, g, zeros), grad(cost, 4)(params, X, Y, g, zeros)
        found = {**cache, "J": cost(params, X, Y, g, {}), **{"d" + name: problem.m * d for name, d in dZ.items()}}
        found |= {"d" + name: d for name, d in grads.items()}
        return found | ({} if rate is None else {"new_" + name: p - rate * grads[name] for name, p in params.items()})
