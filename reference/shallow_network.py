"""The network with one hidden layer (slides N13, N14, N16, N18, N25).

    forward     Z1 = W1 X + b1         A1 = g1(Z1)
                Z2 = W2 A1 + b2        A2 = σ(Z2)
    cost        J = −(1/m) Σ (y log a + (1 − y) log(1 − a)), summed over the n_y output units
    backward    dZ2 = A2 − Y           dW2 = (1/m) dZ2 A1ᵀ    db2 = (1/m) Σ dZ2
                dZ1 = W2ᵀ dZ2 ∗ g1'(Z1) dW1 = (1/m) dZ1 Xᵀ    db1 = (1/m) Σ dZ1
    update      W := W − α dW          b := b − α db

One example is a column of X. dZ is m · ∂J/∂Z: the factor 1/m belongs to dW and db. The cost belongs to a sigmoid
output; the hidden activation is any name in `ACTIVATIONS`.

Shapes: W1 (n_h, n_x), b1 (n_h, 1), W2 (n_y, n_h), b2 (n_y, 1), X (n_x, m), Y (n_y, m),
Z1, A1 (n_h, m), Z2, A2 (n_y, m).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from reference.activations import ACTIVATIONS, DERIVATIVES
from reference.deep_network import check_dimensions
from reference.logistic_regression import cross_entropy

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
    Z1 = np.dot(params["W1"], X) + params["b1"]
    A1 = g1(Z1)
    Z2 = np.dot(params["W2"], A1) + params["b2"]
    A2 = g2(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def forward_unit_by_unit(
    params: Params, x: Float[Array, "n_x 1"], activations: Activations = ("tanh", "sigmoid")
) -> tuple[Float[Array, "n_y 1"], dict[str, Array]]:
    """One example, one unit after the other: z_j = w_jᵀ x + b_j, a_j = g(z_j) (N13)."""
    g1, g2 = (ACTIVATIONS[name] for name in activations)
    z1 = np.stack([np.dot(w_j, x) + b_j for w_j, b_j in zip(params["W1"], params["b1"], strict=True)])
    a1 = g1(z1)
    z2 = np.stack([np.dot(w_j, a1) + b_j for w_j, b_j in zip(params["W2"], params["b2"], strict=True)])
    a2 = g2(z2)
    return a2, {"Z1": z1, "A1": a1, "Z2": z2, "A2": a2}


def forward_by_example(
    params: Params, X: Float[Array, "n_x m"], activations: Activations = ("tanh", "sigmoid")
) -> tuple[Float[Array, "n_y m"], dict[str, Array]]:
    """The loop over i = 1..m whose columns, stacked, are Z1, A1, Z2 and A2 (N14)."""
    columns = [forward_unit_by_unit(params, X[:, i : i + 1], activations)[1] for i in range(X.shape[1])]
    cache = {name: np.concatenate([column[name] for column in columns], axis=1) for name in columns[0]}
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


def backward(
    params: Params,
    cache: dict[str, Array],
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations = ("tanh", "sigmoid"),
) -> dict[str, Array]:
    """The six formulas for m examples (N18, N25): dZ2, dW2, db2, dZ1, dW1, db1."""
    m = X.shape[1]
    g1_prime = DERIVATIVES[activations[0]]
    dZ2 = cache["A2"] - Y
    dW2 = np.dot(dZ2, cache["A1"].T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(params["W2"].T, dZ2) * g1_prime(cache["Z1"])
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dZ1": dZ1, "dW1": dW1, "db1": db1}


def backward_one_example(
    params: Params,
    cache: dict[str, Array],
    x: Float[Array, "n_x 1"],
    y: Float[Array, "n_y 1"],
    activations: Activations = ("tanh", "sigmoid"),
) -> dict[str, Array]:
    """The six formulas for a single example (N25): dz2, dW2, db2, dz1, dW1, db1, without any 1/m."""
    g1_prime = DERIVATIVES[activations[0]]
    dz2 = cache["A2"] - y
    dW2 = np.dot(dz2, cache["A1"].T)
    db2 = dz2
    dz1 = np.dot(params["W2"].T, dz2) * g1_prime(cache["Z1"])
    dW1 = np.dot(dz1, x.T)
    db1 = dz1
    return {"dZ2": dz2, "dW2": dW2, "db2": db2, "dZ1": dz1, "dW1": dW1, "db1": db1}


def cost_and_gradients(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    activations: Activations = ("tanh", "sigmoid"),
) -> tuple[Float[Array, ""], Params]:
    """J with {"dW1": ∂J/∂W1, "db1": …, "dW2": …, "db2": …}: what one step of gradient descent needs (N18)."""
    _, cache = forward(params, X, activations)
    J = cross_entropy(cache["Z2"], Y)
    grads = backward(params, cache, X, Y, activations)
    return J, {"d" + name: grads["d" + name] for name in params}


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
    """The same gradients, accumulated one example at a time and divided by m (N14, N25)."""
    m = X.shape[1]
    sums = {"d" + name: np.zeros_like(p) for name, p in params.items()}
    for i in range(m):
        x, y = X[:, i : i + 1], Y[:, i : i + 1]
        _, cache = forward(params, x, activations)
        grads = backward_one_example(params, cache, x, y, activations)
        sums = {name: sums[name] + grads[name] for name in sums}
    return {name: total / m for name, total in sums.items()}


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
    costs = np.empty(len(batches), X.dtype)
    for t, batch in enumerate(batches):
        X_t, Y_t = np.take(X, batch, axis=1), np.take(Y, batch, axis=1)  # in C order, as X[:, batch] is not
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
    _, cache = forward(params, X, activations)
    J = cost(params, X, Y, activations)
    return {**cache, "J": J, **backward(params, cache, X, Y, activations)}


def collapse(params: Params) -> Params:
    """Why g must not be linear (N16): with g(z) = z both layers are the single map W' = W2 W1, b' = W2 b1 + b2.

    Returns
    -------
    dict
        {"W1": W' (n_y, n_x), "b1": b' (n_y, 1)}: a network of one layer.
    """
    W = np.dot(params["W2"], params["W1"])
    b = np.dot(params["W2"], params["b1"]) + params["b2"]
    return {"W1": W, "b1": b}
