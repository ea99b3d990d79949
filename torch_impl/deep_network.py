"""The network with L layers (slides N20, N21, N23, N25).

    forward     Z[l] = W[l] A[l−1] + b[l]         A[l] = g[l](Z[l])        l = 1..L, A[0] = X
    cost        J = −(1/m) Σ (y log a + (1 − y) log(1 − a)), summed over the n_y output units
    backward    autograd of J
    update      W[l] := W[l] − α dW[l]            b[l] := b[l] − α db[l]

L is the number of activations: logistic regression is L = 1, one hidden layer L = 2 (N20). One example is a column of
X. dZ and dA are m · ∂J/∂Z and m · ∂J/∂A: the factor 1/m belongs to dW and db. The cost belongs to a sigmoid output.

Shapes: W[l] (n[l], n[l−1]), b[l] (n[l], 1), Z[l], A[l] (n[l], m), X (n[0], m), Y (n[L], m).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor as Array

from torch_impl.activations import ACTIVATIONS
from torch_impl.logistic_regression import cross_entropy

Params = dict[str, Array]
Activations = tuple[str, ...]


def layer_forward(
    A_prev: Float[Array, "n_prev m"], W: Float[Array, "n n_prev"], b: Float[Array, "n _"], activation: str
) -> tuple[Float[Array, "n m"], Float[Array, "n m"]]:
    """The forward block of a layer (N23): A[l−1] in, A[l] and Z[l] out."""
    Z = W @ A_prev + b
    return ACTIVATIONS[activation](Z), Z


def forward(
    params: Params, X: Float[Array, "n_x m"], activations: Activations
) -> tuple[Float[Array, "n_y m"], dict[str, Array]]:
    """The chain of forward blocks, l = 1..L (N21, N23).

    Returns
    -------
    AL : (n[L], m)
        The probabilities that y = 1.
    cache : dict
        Z1, A1, …, ZL, AL in the order of computation.
    """
    A, cache = X, {}
    for l, activation in enumerate(activations, start=1):
        A, cache[f"Z{l}"] = layer_forward(A, params[f"W{l}"], params[f"b{l}"], activation)
        cache[f"A{l}"] = A
    return A, cache


def cost(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations
) -> Float[Array, ""]:
    """J, the mean loss over the m examples."""
    _, cache = forward(params, X, activations)
    return cross_entropy(cache[f"Z{len(activations)}"], Y)


def cost_and_gradients(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations
) -> tuple[Float[Array, ""], Params]:
    """J with {"dW1": ∂J/∂W1, "db1": …, …, "dbL": …}: what one step of gradient descent needs."""
    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    J = cost(leaves, X, Y, activations)
    grads = torch.autograd.grad(J, list(leaves.values()))
    return J.detach(), {"d" + name: grad for name, grad in zip(leaves, grads, strict=True)}


def gradients(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations) -> Params:
    """{"dW1": (n[1], n[0]), "db1": (n[1], 1), …} (N23, N25)."""
    return cost_and_gradients(params, X, Y, activations)[1]


def gradients_by_example(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations
) -> Params:
    """The same gradients, one example at a time (`vmap`) and averaged (N25)."""
    one_example = torch.func.vmap(torch.func.grad(_loss), in_dims=(None, 1, 1, None))
    grads = one_example(params, X, Y, activations)
    return {"d" + name: grads[name].mean(dim=0) for name in params}


def _loss(
    params: Params, x: Float[Array, " n_x"], y: Float[Array, " n_y"], activations: Activations
) -> Float[Array, ""]:
    """The loss of a single example: the cost with m = 1."""
    return cost(params, x[:, None], y[:, None], activations)


def update(params: Params, grads: Params, learning_rate: float) -> Params:
    """W[l] := W[l] − α dW[l], b[l] := b[l] − α db[l] for every layer (N23)."""
    return {name: p - learning_rate * grads["d" + name] for name, p in params.items()}


def train(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    learning_rate: float,
    iterations: int,
    activations: Activations,
) -> tuple[Params, Float[Array, " iterations"]]:
    """Gradient descent (N23, N24).

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
    activations: Activations,
) -> tuple[Params, Float[Array, " steps"]]:
    """Mini-batch gradient descent, one update a batch (N23, N24); stochastic gradient descent where size is 1.

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
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations
) -> dict[str, Array]:
    """Every named quantity in the order of computation: Z1, A1, …, AL, J, dZL, dWL, dbL, …, dZ1, dW1, db1."""
    m, L = X.shape[1], len(activations)
    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    _, cache = forward(leaves, X, activations)
    dZ = torch.autograd.grad(cross_entropy(cache[f"Z{L}"], Y), [cache[f"Z{l}"] for l in range(1, L + 1)])
    J, grads = cost_and_gradients(params, X, Y, activations)
    found = {name: array.detach() for name, array in cache.items()} | {"J": J}
    for l in range(L, 0, -1):
        found |= {f"dZ{l}": m * dZ[l - 1], f"dW{l}": grads[f"dW{l}"], f"db{l}": grads[f"db{l}"]}
    return found


def check_dimensions(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"]) -> None:
    """Name the first argument whose shape or dtype does not fit (N21, N12).

    Raises
    ------
    ValueError
        With the argument, its shape or dtype and the expected one.
    """
    if len(X.shape) != 2 or 0 in X.shape:
        raise ValueError(f"X has shape {tuple(X.shape)}, expected (n_x, m) with n_x, m ≥ 1: one example a column")
    L = len(params) // 2
    names = [name for l in range(1, L + 1) for name in (f"W{l}", f"b{l}")]
    if sorted(names) != sorted(params) or not names:
        raise ValueError(f"params holds {sorted(params)}, expected W1, b1, …, WL, bL")
    n_prev = X.shape[0]
    for l in range(1, L + 1):
        W, b = params[f"W{l}"], params[f"b{l}"]
        if len(W.shape) != 2 or W.shape[1] != n_prev:
            expected = f"(n[{l}], n[{l - 1}]) with n[{l - 1}] = {n_prev}"
            raise ValueError(f"W{l} has shape {tuple(W.shape)}, expected {expected}")
        if tuple(b.shape) != (W.shape[0], 1):
            raise ValueError(f"b{l} has shape {tuple(b.shape)}, expected (n[{l}], 1) = ({W.shape[0]}, 1)")
        n_prev = W.shape[0]
    if tuple(Y.shape) != (n_prev, X.shape[1]):
        rank_1 = ": a rank-1 array is no row, and A − Y would broadcast to (m, m)" if len(Y.shape) == 1 else ""
        raise ValueError(f"Y has shape {tuple(Y.shape)}, expected (n[{L}], m) = ({n_prev}, {X.shape[1]}){rank_1}")
    for name, array in {"Y": Y, **params}.items():
        if array.dtype != X.dtype:
            raise ValueError(f"{name} has dtype {array.dtype}, expected {X.dtype}, the dtype of X")
    if "float" not in str(X.dtype):
        raise ValueError(f"X has dtype {X.dtype}, expected a floating-point dtype")
