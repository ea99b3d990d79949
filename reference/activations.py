"""Activation functions (slides N15, N16) and their derivatives (N17).

    sigmoid     σ(z) = 1 / (1 + e^−z)     σ'(z) = a (1 − a)
    tanh        a = tanh z                g'(z) = 1 − a²
    ReLU        max(0, z)                 0 for z < 0, 1 for z > 0
    leaky ReLU  max(0.01 z, z)            0.01 for z < 0, 1 for z > 0
    identity    z                         1

At z = 0 the last slides leave a choice. Here, in torch_impl and in jax_impl it is the slope of the left
side: ReLU'(0) = 0 and leaky ReLU'(0) = 0.01.

Every function works element by element, keeps the shape and the dtype of Z, and is listed in `ACTIVATIONS`
under the name by which a layer asks for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array


def sigmoid(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """σ(z) = 1 / (1 + e^−z) (N3): 1 as z → ∞, 0 as z → −∞."""
    with np.errstate(over="ignore"):  # e^−z overflows to inf for very negative z, and 1 / (1 + inf) is the limit, 0
        return 1 / (1 + np.exp(-Z))


def tanh(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """(e^z − e^−z) / (e^z + e^−z) (N15)."""
    return np.tanh(Z)


def relu(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """max(0, z) (N15)."""
    return np.maximum(0, Z)


def leaky_relu(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """max(0.01 z, z) (N15)."""
    return np.maximum(0.01 * Z, Z)


def leaky_relu_exact(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """max(z/4, z): leaky ReLU with a slope that every binary floating-point format represents."""
    return np.maximum(Z / 4, Z)


def identity(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """g(z) = z, the linear "activation" of N16."""
    return Z


def sigmoid_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """a (1 − a), where a = σ(z) (N17)."""
    A = sigmoid(Z)
    return A * (1 - A)


def tanh_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1 − a², where a = tanh z (N17)."""
    return 1 - tanh(Z) ** 2


def relu_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """0 for z ≤ 0, 1 for z > 0 (N17)."""
    return (Z > 0).astype(Z.dtype)


def leaky_relu_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """0.01 for z ≤ 0, 1 for z > 0 (N17)."""
    return np.where(Z > 0, 1, 0.01).astype(Z.dtype)


def leaky_relu_exact_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1/4 for z ≤ 0, 1 for z > 0."""
    return np.where(Z > 0, 1, 1 / 4).astype(Z.dtype)


def identity_derivative(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """g'(z) = 1."""
    return np.ones_like(Z)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "leaky_relu_exact": leaky_relu_exact,
    "identity": identity,
}

DERIVATIVES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": sigmoid_derivative,
    "tanh": tanh_derivative,
    "relu": relu_derivative,
    "leaky_relu": leaky_relu_derivative,
    "leaky_relu_exact": leaky_relu_exact_derivative,
    "identity": identity_derivative,
}


def derivative(name: str, Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """g'(Z) of the activation called `name` (N17)."""
    return DERIVATIVES[name](Z)
