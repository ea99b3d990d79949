"""Second derivatives of the cost: Hessian-vector products of any network; Newton's method for logistic regression.

    R{f} is the derivative of f along V, at r = 0 of params + r V (Pearlmutter 1994): H V is R{gradient}, by the rules

    forward     R{Z[l]} = W[l] R{A[l−1]} + V_W[l] A[l−1] + V_b[l]      R{A[l]} = g[l]'(Z[l]) ∗ R{Z[l]},  R{A[0]} = 0
    backward    R{dZ[L]} = a (1 − a) ∗ R{Z[L]}
                R{dA[l]} = W[l+1]ᵀ R{dZ[l+1]} + V_W[l+1]ᵀ dZ[l+1]
                R{dZ[l]} = g[l]'(Z[l]) ∗ R{dA[l]} + g[l]''(Z[l]) ∗ R{Z[l]} ∗ dA[l]
    H V         R{dW[l]} = (1/m) (R{dZ[l]} A[l−1]ᵀ + dZ[l] R{A[l−1]}ᵀ)      R{db[l]} = (1/m) Σ R{dZ[l]}

    sigmoid     g'' = a (1 − a) (1 − 2a)        tanh  g'' = −2a (1 − a²)        piecewise linear  g'' = 0

    penalised   J + (λ/2) ‖w‖²                  the bias is free; λ is `l2`
    Hessian     H = (1/m) X̃ diag(a (1 − a)) X̃ᵀ + λ on the diagonal of w         X̃: X above a row of ones
    Newton      θ := θ − H⁻¹ ∂(J + (λ/2) ‖w‖²)/∂θ                               θ = (w, b)

A kink has the second derivative 0, as it has on both of its sides. At the output a (1 − a) is σ(z) σ(−z), here and in
effect in torch_impl: right to the last digits even where a rounds to 1, and where jax_impl has 0.

B. A. Pearlmutter (1994), Fast exact multiplication by the Hessian, Neural Computation 6, 147–160.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from reference import logistic_regression
from reference.activations import DERIVATIVES, sigmoid, sigmoid_derivative, tanh, tanh_derivative
from reference.deep_network import forward

Params = dict[str, Array]
Activations = tuple[str, ...]


def sigmoid_second_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """a (1 − a) (1 − 2a), where a = σ(z)."""
    return sigmoid_derivative(Z) * (1 - 2 * sigmoid(Z))


def tanh_second_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """−2a (1 − a²), where a = tanh z."""
    return -2 * tanh(Z) * tanh_derivative(Z)


def piecewise_linear_second_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """0, at the kink too."""
    return np.zeros_like(Z)


SECOND_DERIVATIVES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": sigmoid_second_derivative,
    "tanh": tanh_second_derivative,
    "relu": piecewise_linear_second_derivative,
    "leaky_relu": piecewise_linear_second_derivative,
    "leaky_relu_exact": piecewise_linear_second_derivative,
    "identity": piecewise_linear_second_derivative,
}


def hessian_vector_product(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], V: Params, activations: Activations
) -> Params:
    """H V, where H is the Hessian of J with respect to all parameters.

    Parameters
    ----------
    V : dict
        Names and shapes of `params`: W1, b1, …, WL, bL; L = 1 is logistic regression.
    activations : tuple of str
        One name a layer, the last a sigmoid.

    Returns
    -------
    dict
        Names and shapes of `params`.
    """
    m, L = X.shape[1], len(activations)
    cache, R = _forward_along(params, X, V, activations)
    found = {}
    dZ = cache[f"A{L}"] - Y
    R_dZ = sigmoid(cache[f"Z{L}"]) * sigmoid(-cache[f"Z{L}"]) * R[f"Z{L}"]
    for l in range(L, 0, -1):
        found[f"W{l}"] = (np.dot(R_dZ, cache[f"A{l - 1}"].T) + np.dot(dZ, R[f"A{l - 1}"].T)) / m
        found[f"b{l}"] = np.sum(R_dZ, axis=1, keepdims=True) / m
        if l > 1:
            Z, g = cache[f"Z{l - 1}"], activations[l - 2]
            dA = np.dot(params[f"W{l}"].T, dZ)
            R_dA = np.dot(params[f"W{l}"].T, R_dZ) + np.dot(V[f"W{l}"].T, dZ)
            dZ = dA * DERIVATIVES[g](Z)
            R_dZ = R_dA * DERIVATIVES[g](Z) + dA * SECOND_DERIVATIVES[g](Z) * R[f"Z{l - 1}"]
    return {name: found[name] for name in params}


def _forward_along(
    params: Params, X: Float[Array, "n_x m"], V: Params, activations: Activations
) -> tuple[dict[str, Array], dict[str, Array]]:
    """A0, Z1, A1, …, ZL, AL, and R{} of each."""
    _, cache = forward(params, X, activations)
    cache = {"A0": X, **cache}
    R = {"A0": np.zeros_like(X)}
    for l, g in enumerate(activations, start=1):
        R_bias_and_weights = np.dot(V[f"W{l}"], cache[f"A{l - 1}"]) + V[f"b{l}"]
        R[f"Z{l}"] = np.dot(params[f"W{l}"], R[f"A{l - 1}"]) + R_bias_and_weights
        R[f"A{l}"] = DERIVATIVES[g](cache[f"Z{l}"]) * R[f"Z{l}"]
    return cache, R


def penalised_cost(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], l2: float = 0.0
) -> Float[Array, ""]:
    """J + (λ/2) ‖w‖² of logistic regression, params being {"w": (n_x, 1), "b": ()}."""
    return logistic_regression.cost(params, X, Y) + l2 / 2 * np.sum(params["w"] ** 2)


def penalised_gradients(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], l2: float = 0.0) -> Params:
    """{"dw": ∂J/∂w + λ w (n_x, 1), "db": ∂J/∂b ()}."""
    grads = logistic_regression.gradients(params, X, Y)
    return {"dw": grads["dw"] + l2 * params["w"], "db": grads["db"]}


def hessian(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], l2: float = 0.0
) -> Float[Array, "n_x+1 n_x+1"]:
    """The Hessian of `penalised_cost`, rows and columns in the order w, b. By hand it does not depend on Y."""
    m = X.shape[1]
    ones = np.ones_like(X[:1])
    X_tilde = np.concatenate([X, ones])
    _, cache = logistic_regression.forward(params, X)
    slope = sigmoid(cache["Z"]) * sigmoid(-cache["Z"])
    penalty = l2 * np.append(np.ones_like(params["w"]), np.zeros_like(params["b"]))
    return np.dot(X_tilde * slope, X_tilde.T) / m + np.diag(penalty)


def newton_step(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], l2: float = 0.0) -> Params:
    """θ − H⁻¹ ∇ of `penalised_cost`, by one solution of a linear system.

    Raises
    ------
    numpy.linalg.LinAlgError
        H is singular: without a penalty features may be collinear, or every a be 0 or 1.
    """
    grads = penalised_gradients(params, X, Y, l2)
    step = np.linalg.solve(hessian(params, X, Y, l2), _vector(grads["dw"], grads["db"]))
    return _params(_vector(params["w"], params["b"]) - step)


def _vector(w: Float[Array, "n_x 1"], b: Float[Array, ""]) -> Float[Array, " n_x+1"]:
    """w and b in one vector θ."""
    return np.append(w, b)


def _params(theta: Float[Array, " n_theta"]) -> Params:
    """The inverse of `_vector`."""
    return {"w": theta[:-1, None], "b": np.asarray(theta[-1])}
