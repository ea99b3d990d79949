"""Second derivatives of the cost: Hessian-vector products of any network; Newton's method for logistic regression.

    H V         the derivative of ∂J/∂params along V: forward mode over reverse mode, `jvp` of `grad`

    penalised   J + (λ/2) ‖w‖²                  the bias is free; λ is `l2`
    Hessian     `torch.func.hessian`            of the penalised cost as a function of θ = (w, b)
    Newton      θ := θ − H⁻¹ ∂(J + (λ/2) ‖w‖²)/∂θ

A kink has the second derivative 0, as it has on both of its sides. At the output a (1 − a) is right to the last digits
even where a rounds to 1: so autograd differentiates `binary_cross_entropy_with_logits`; jax_impl has 0 there.

B. A. Pearlmutter (1994), Fast exact multiplication by the Hessian, Neural Computation 6, 147–160.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor as Array

from torch_impl import logistic_regression
from torch_impl.deep_network import cost

Params = dict[str, Array]
Activations = tuple[str, ...]


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

    def gradient(params: Params) -> Params:
        return torch.func.grad(cost)(params, X, Y, activations)

    return torch.func.jvp(gradient, (params,), (V,))[1]


def penalised_cost(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], l2: float = 0.0
) -> Float[Array, ""]:
    """J + (λ/2) ‖w‖² of logistic regression, params being {"w": (n_x, 1), "b": ()}."""
    return logistic_regression.cost(params, X, Y) + l2 / 2 * torch.sum(params["w"] ** 2)


def penalised_gradients(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], l2: float = 0.0) -> Params:
    """{"dw": ∂J/∂w + λ w (n_x, 1), "db": ∂J/∂b ()}."""
    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    dw, db = torch.autograd.grad(penalised_cost(leaves, X, Y, l2), [leaves["w"], leaves["b"]])
    return {"dw": dw, "db": db}


def hessian(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], l2: float = 0.0
) -> Float[Array, "n_x+1 n_x+1"]:
    """The Hessian of `penalised_cost`, rows and columns in the order w, b."""

    def cost_of(theta: Array) -> Array:
        return penalised_cost(_params(theta), X, Y, l2)

    return torch.func.hessian(cost_of)(_vector(params["w"], params["b"]))


def newton_step(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], l2: float = 0.0) -> Params:
    """θ − H⁻¹ ∇ of `penalised_cost`, by one solution of a linear system.

    Raises
    ------
    torch.linalg.LinAlgError
        H is singular: without a penalty features may be collinear, or every a be 0 or 1.
    """
    grads = penalised_gradients(params, X, Y, l2)
    step = torch.linalg.solve(hessian(params, X, Y, l2), _vector(grads["dw"], grads["db"]))
    return _params(_vector(params["w"], params["b"]) - step)


def _vector(w: Float[Array, "n_x 1"], b: Float[Array, ""]) -> Float[Array, " n_x+1"]:
    """w and b in one vector θ."""
    return torch.cat([w[:, 0], b[None]])


def _params(theta: Float[Array, " n_theta"]) -> Params:
    """The inverse of `_vector`."""
    return {"w": theta[:-1, None], "b": theta[-1]}
