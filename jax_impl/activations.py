"""Activation functions (slides N15, N16) and their derivatives (N17).

    sigmoid     σ(z) = 1 / (1 + e^−z)     σ'(z) = a (1 − a)
    tanh        a = tanh z                g'(z) = 1 − a²
    ReLU        max(0, z)                 0 for z < 0, 1 for z > 0
    leaky ReLU  max(0.01 z, z)            0.01 for z < 0, 1 for z > 0
    identity    z                         1

At z = 0 the last slides leave a choice. Here, in reference and in torch_impl it is the slope of the left
side: ReLU'(0) = 0 and leaky ReLU'(0) = 0.01. `jax.nn.relu` does that; `jax.nn.leaky_relu` would give 1 at zero,
hence the `where`, and `jnp.maximum(z, 0)` would give ½.

Every function works element by element, keeps the shape and the dtype of Z, and is listed in `ACTIVATIONS`
under the name by which a layer asks for it.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def sigmoid(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """σ(z) = 1 / (1 + e^−z) (N3): 1 as z → ∞, 0 as z → −∞."""
    return jax.nn.sigmoid(Z)


def tanh(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """(e^z − e^−z) / (e^z + e^−z) (N15)."""
    return jnp.tanh(Z)


def relu(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """max(0, z) (N15)."""
    return jax.nn.relu(Z)


def leaky_relu(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """max(0.01 z, z) (N15)."""
    return jnp.where(Z > 0, Z, 0.01 * Z)


def leaky_relu_exact(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """max(z/4, z): leaky ReLU with a slope that every binary floating-point format represents."""
    return jnp.where(Z > 0, Z, Z / 4)


def identity(Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """g(z) = z, the linear "activation" of N16."""
    return Z


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "leaky_relu_exact": leaky_relu_exact,
    "identity": identity,
}


def derivative(name: str, Z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """g'(Z) of the activation called `name` (N17)."""
    return jax.grad(lambda Z: ACTIVATIONS[name](Z).sum())(Z)
