"""The network with L layers (slides N20, N21, N23, N25).

    forward     Z[l] = W[l] A[l−1] + b[l]         A[l] = g[l](Z[l])        l = 1..L, A[0] = X
    cost        J = −(1/m) Σ (y log a + (1 − y) log(1 − a)), summed over the n_y output units
    backward    dZ[L] = A[L] − Y                  dZ[l] = dA[l] ∗ g[l]'(Z[l])
                dW[l] = (1/m) dZ[l] A[l−1]ᵀ       db[l] = (1/m) Σ dZ[l]
                dA[l−1] = W[l]ᵀ dZ[l]                                       l = L..1
    update      W[l] := W[l] − α dW[l]            b[l] := b[l] − α db[l]

L is the number of activations: logistic regression is L = 1, one hidden layer L = 2 (N20). One example is a column of
X. dZ and dA are m · ∂J/∂Z and m · ∂J/∂A: the factor 1/m belongs to dW and db. The cost belongs to a sigmoid output.

Shapes: W[l] (n[l], n[l−1]), b[l] (n[l], 1), Z[l], A[l] (n[l], m), X (n[0], m), Y (n[L], m).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from reference.activations import ACTIVATIONS, DERIVATIVES
from reference.logistic_regression import cross_entropy

Params = dict[str, Array]
Activations = tuple[str, ...]


def layer_forward(
    A_prev: Float[Array, "n_prev m"], W: Float[Array, "n n_prev"], b: Float[Array, "n _"], activation: str
) -> tuple[Float[Array, "n m"], Float[Array, "n m"]]:
    """The forward block of a layer (N23): A[l−1] in, A[l] and what the backward block needs of it, Z[l], out."""
    Z = np.dot(W, A_prev) + b
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


def layer_backward(
    dA: Float[Array, "n m"],
    Z: Float[Array, "n m"],
    A_prev: Float[Array, "n_prev m"],
    W: Float[Array, "n n_prev"],
    activation: str,
) -> tuple[Float[Array, "n_prev m"], Float[Array, "n n_prev"], Float[Array, "n 1"]]:
    """The backward block of a layer (N23): dA[l] and the cache in, dA[l−1], dW[l] and db[l] out."""
    m = A_prev.shape[1]
    dZ = dA * DERIVATIVES[activation](Z)
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def backward(
    params: Params,
    cache: dict[str, Array],
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations,
) -> dict[str, Array]:
    """The formulas of the module's head, right to left: dZL, dWL, dbL, …, dZ1, dW1, db1 (N23, N25)."""
    m, L = X.shape[1], len(activations)
    A = [X] + [cache[f"A{l}"] for l in range(1, L + 1)]
    grads = {}
    dZ = A[L] - Y  # dA ∗ σ'(Z) multiplied out: dA alone is infinite where a rounds to 0 or 1
    for l in range(L, 0, -1):
        grads[f"dZ{l}"] = dZ
        grads[f"dW{l}"] = np.dot(dZ, A[l - 1].T) / m
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            g_prime = DERIVATIVES[activations[l - 2]]
            dZ = np.dot(params[f"W{l}"].T, dZ) * g_prime(cache[f"Z{l - 1}"])
    return grads


def backward_by_blocks(
    params: Params,
    cache: dict[str, Array],
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations,
) -> Params:
    """The chain of backward blocks as drawn on the slide (N23), from dA[L] = −y/a + (1 − y)/(1 − a) to dW[1], db[1].

    Breaks where a rounds to 0 or 1: dA[L] is infinite there (`backward` is not).
    """
    A = [X] + [cache[f"A{l}"] for l in range(1, len(activations) + 1)]
    dA = -Y / A[-1] + (1 - Y) / (1 - A[-1])
    grads = {}
    for l in range(len(activations), 0, -1):
        dA, grads[f"dW{l}"], grads[f"db{l}"] = layer_backward(
            dA, cache[f"Z{l}"], A[l - 1], params[f"W{l}"], activations[l - 1]
        )
    return grads


def cost_and_gradients(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations
) -> tuple[Float[Array, ""], Params]:
    """J with {"dW1": ∂J/∂W1, "db1": …, …, "dbL": …}: what one step of gradient descent needs."""
    _, cache = forward(params, X, activations)
    J = cross_entropy(cache[f"Z{len(activations)}"], Y)
    grads = backward(params, cache, X, Y, activations)
    return J, {"d" + name: grads["d" + name] for name in params}


def gradients(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations) -> Params:
    """{"dW1": (n[1], n[0]), "db1": (n[1], 1), …} (N23, N25)."""
    return cost_and_gradients(params, X, Y, activations)[1]


def gradients_by_example(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations
) -> Params:
    """The same gradients, accumulated one example at a time and divided by m (N25)."""
    m = X.shape[1]
    sums = {"d" + name: np.zeros_like(p) for name, p in params.items()}
    for i in range(m):
        grads = gradients(params, X[:, i : i + 1], Y[:, i : i + 1], activations)
        sums = {name: sums[name] + grads[name] for name in sums}
    return {name: total / m for name, total in sums.items()}


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
    costs = np.empty(iterations, X.dtype)
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
    costs = np.empty(len(batches), X.dtype)
    for t, batch in enumerate(batches):
        X_t, Y_t = np.take(X, batch, axis=1), np.take(Y, batch, axis=1)  # in C order, as X[:, batch] is not
        costs[t], grads_t = cost_and_gradients(params, X_t, Y_t, activations)
        params = update(params, grads_t, learning_rate)
    return params, costs


def quantities(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations
) -> dict[str, Array]:
    """Every named quantity in the order of computation: Z1, A1, …, AL, J, dZL, dWL, dbL, …, dZ1, dW1, db1."""
    _, cache = forward(params, X, activations)
    J = cost(params, X, Y, activations)
    return {**cache, "J": J, **backward(params, cache, X, Y, activations)}


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
