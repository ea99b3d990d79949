"""The network with one hidden layer (slides N13, N14, N16, N18, N25).

    forward     Z1 = W1 X + b1         A1 = g1(Z1)
                Z2 = W2 A1 + b2        A2 = σ(Z2)
    cost        J = −(1/m) Σ (y log a + (1 − y) log(1 − a)), summed over the n_y output units
    backward    autograd of J
    update      W := W − α dW          b := b − α db

One example is a column of X. dZ is m · ∂J/∂Z: the factor 1/m belongs to dW and db. The cost belongs to a sigmoid
output; the hidden activation is any name in `ACTIVATIONS`.

Shapes: W1 (n_h, n_x), b1 (n_h, 1), W2 (n_y, n_h), b2 (n_y, 1), X (n_x, m), Y (n_y, m),
Z1, A1 (n_h, m), Z2, A2 (n_y, m).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor as Array

from torch_impl.activations import ACTIVATIONS
from torch_impl.deep_network import check_dimensions
from torch_impl.logistic_regression import cross_entropy

Params = dict[str, Array]
Activations = tuple[str, ...]


def forward(
    params: Params, X: Float[Array, "n_x m"], activations: Activations = ("tanh", "sigmoid")
) -> tuple[Float[Array, "n_y m"], dict[str, Array]]:
    """Both layers for all m examples at once (N14, N18).

    Returns
    -------
    A2 : (n_y, m)
        The probabilities that y = 1.
    cache : dict
        Z1, A1 (n_h, m) and Z2, A2 (n_y, m).
    """
    g1, g2 = (ACTIVATIONS[name] for name in activations)
    Z1 = params["W1"] @ X + params["b1"]
    A1 = g1(Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    A2 = g2(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def forward_unit_by_unit(
    params: Params, x: Float[Array, "n_x 1"], activations: Activations = ("tanh", "sigmoid")
) -> tuple[Float[Array, "n_y 1"], dict[str, Array]]:
    """One example, one unit after the other: z_j = w_jᵀ x + b_j, a_j = g(z_j) (N13)."""
    g1, g2 = (ACTIVATIONS[name] for name in activations)
    z1 = torch.stack([w_j @ x + b_j for w_j, b_j in zip(params["W1"], params["b1"], strict=True)])
    a1 = g1(z1)
    z2 = torch.stack([w_j @ a1 + b_j for w_j, b_j in zip(params["W2"], params["b2"], strict=True)])
    a2 = g2(z2)
    return a2, {"Z1": z1, "A1": a1, "Z2": z2, "A2": a2}


def forward_by_example(
    params: Params, X: Float[Array, "n_x m"], activations: Activations = ("tanh", "sigmoid")
) -> tuple[Float[Array, "n_y m"], dict[str, Array]]:
    """The loop over i = 1..m whose columns, stacked, are Z1, A1, Z2 and A2 (N14)."""
    columns = [forward_unit_by_unit(params, X[:, i : i + 1], activations)[1] for i in range(X.shape[1])]
    cache = {name: torch.cat([column[name] for column in columns], dim=1) for name in columns[0]}
    return cache["A2"], cache


def cost(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations = ("tanh", "sigmoid"),
) -> Float[Array, ""]:
    """J, the mean loss over the m examples (N18)."""
    _, cache = forward(params, X, activations)
    return cross_entropy(cache["Z2"], Y)


def cost_and_gradients(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations = ("tanh", "sigmoid"),
) -> tuple[Float[Array, ""], Params]:
    """J with {"dW1": ∂J/∂W1, "db1": …, "dW2": …, "db2": …}: what one step of gradient descent needs (N18)."""
    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    J = cost(leaves, X, Y, activations)
    grads = torch.autograd.grad(J, list(leaves.values()))
    return J.detach(), {"d" + name: grad for name, grad in zip(leaves, grads, strict=True)}


def gradients(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations = ("tanh", "sigmoid"),
) -> Params:
    """{"dW1": (n_h, n_x), "db1": (n_h, 1), "dW2": (n_y, n_h), "db2": (n_y, 1)} (N18)."""
    return cost_and_gradients(params, X, Y, activations)[1]


def gradients_by_example(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations = ("tanh", "sigmoid"),
) -> Params:
    """The same gradients, one example at a time (`vmap`) and averaged (N14, N25)."""
    one_example = torch.func.vmap(torch.func.grad(_loss), in_dims=(None, 1, 1, None))
    grads = one_example(params, X, Y, activations)
    return {"d" + name: grads[name].mean(dim=0) for name in params}


def _loss(
    params: Params, x: Float[Array, " n_x"], y: Float[Array, " n_y"], activations: Activations
) -> Float[Array, ""]:
    """The loss of a single example: the cost with m = 1."""
    return cost(params, x[:, None], y[:, None], activations)


def update(params: Params, grads: Params, learning_rate: float) -> Params:
    """W := W − α dW, b := b − α db for both layers (N18)."""
    W1 = params["W1"] - learning_rate * grads["dW1"]
    b1 = params["b1"] - learning_rate * grads["db1"]
    W2 = params["W2"] - learning_rate * grads["dW2"]
    b2 = params["b2"] - learning_rate * grads["db2"]
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def train(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    learning_rate: float,
    iterations: int,
    activations: Activations = ("tanh", "sigmoid"),
) -> tuple[Params, Float[Array, " iterations"]]:
    """Gradient descent (N18).

    Returns
    -------
    params : dict
        The parameters after the last update.
    costs : (iterations,)
        J before each update.

    Raises
    ------
    ValueError
        A shape or a dtype does not fit (`check_dimensions`).
    """
    check_dimensions(params, X, Y)
    costs = torch.empty(iterations, dtype=X.dtype, device=X.device)
    for i in range(iterations):
        costs[i], grads = cost_and_gradients(params, X, Y, activations)
        params = update(params, grads, learning_rate)
    return params, costs


def train_on_batches(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    learning_rate: float,
    batches: Int[Array, "steps size"],
    activations: Activations = ("tanh", "sigmoid"),
) -> tuple[Params, Float[Array, " steps"]]:
    """Mini-batch gradient descent, one update a batch (N18); stochastic gradient descent where size is 1.

    The order of the examples comes from outside, so that every framework gets the same.

    Parameters
    ----------
    batches : (steps, size)
        The columns of X and Y, 0 to m − 1, that each step takes.

    Returns
    -------
    params : dict
        The parameters after the last update.
    costs : (steps,)
        J on the batch before each update.

    Raises
    ------
    ValueError
        A shape or a dtype does not fit (`check_dimensions`).
    IndexError
        X has no such column.
    """
    check_dimensions(params, X, Y)
    costs = torch.empty(len(batches), dtype=X.dtype, device=X.device)
    for t, batch in enumerate(batches):
        X_t, Y_t = X[:, batch], Y[:, batch]
        costs[t], grads_t = cost_and_gradients(params, X_t, Y_t, activations)
        params = update(params, grads_t, learning_rate)
    return params, costs


def quantities(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations = ("tanh", "sigmoid"),
) -> dict[str, Array]:
    """Every named quantity in the order of computation: Z1, A1, Z2, A2, J, dZ2, dW2, db2, dZ1, dW1, db1."""
    m = X.shape[1]
    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    _, cache = forward(leaves, X, activations)
    dZ1, dZ2 = torch.autograd.grad(cross_entropy(cache["Z2"], Y), [cache["Z1"], cache["Z2"]])
    J, grads = cost_and_gradients(params, X, Y, activations)
    cache = {name: array.detach() for name, array in cache.items()}
    layer_2 = {"dZ2": m * dZ2, "dW2": grads["dW2"], "db2": grads["db2"]}
    layer_1 = {"dZ1": m * dZ1, "dW1": grads["dW1"], "db1": grads["db1"]}
    return {**cache, "J": J, **layer_2, **layer_1}


def collapse(params: Params) -> Params:
    """Why g must not be linear (N16): with g(z) = z both layers are the single map W' = W2 W1, b' = W2 b1 + b2.

    Returns
    -------
    dict
        {"W1": W' (n_y, n_x), "b1": b' (n_y, 1)}: a network of one layer.
    """
    W = params["W2"] @ params["W1"]
    b = params["W2"] @ params["b1"] + params["b2"]
    return {"W1": W, "b1": b}
