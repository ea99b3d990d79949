"""Logistic regression (slides N3–N5, N8, N9, N11).

    forward     Z = wᵀX + b            A = σ(Z)
    cost        J = −(1/m) Σ (y log a + (1 − y) log(1 − a))
    backward    dZ = A − Y             dw = (1/m) X dZᵀ       db = (1/m) Σ dZ
    update      w := w − α dw          b := b − α db

J is minus the mean log-likelihood: p(y|x) = a^y (1 − a)^(1−y), so minimising J maximises the likelihood (N4).
One example is a column of X. dZ is m · ∂J/∂Z: the factor 1/m belongs to dw and db.

Shapes: w (n_x, 1), b (), X (n_x, m), Y, Z, A, dZ (1, m).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from reference.activations import sigmoid

Params = dict[str, Array]


def forward(params: Params, X: Float[Array, "n_x m"]) -> tuple[Float[Array, "1 m"], dict[str, Array]]:
    """A = σ(wᵀX + b) (N3, N11).

    Returns
    -------
    A : (1, m)
        The probability that y = 1, for every example.
    cache : dict
        Z and A, each (1, m).
    """
    Z = np.dot(params["w"].T, X) + params["b"]
    A = sigmoid(Z)
    return A, {"Z": Z, "A": A}


def cross_entropy(Z: Float[Array, "n_y m"], Y: Float[Array, "n_y m"]) -> Float[Array, ""]:
    """J = −(1/m) Σ (y log a + (1 − y) log(1 − a)) with a = σ(z) (N4), summed over the n_y output units.

    Computed from the logits Z, where a loss is log(1 + e^z) − y z. The slide's form (`cross_entropy_of_probabilities`)
    loses it all once a rounds to 0 or 1.
    max(z, 0) + log1p(e^−|z|) is log(1 + e^z) without overflow.
    """
    losses = np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))
    return np.sum(losses) / Y.shape[1]


def cross_entropy_of_probabilities(A: Float[Array, "n_y m"], Y: Float[Array, "n_y m"]) -> Float[Array, ""]:
    """J = −(1/m) Σ (y log a + (1 − y) log(1 − a)), as N4 writes it.

    Breaks where a rounds to 0 or 1 (from |z| = 17 on in float32, 37 in float64): log 0 is −inf, and 0 · −inf is nan.
    """
    losses = -(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    return np.sum(losses) / Y.shape[1]


def cost(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> Float[Array, ""]:
    """J(w, b), the mean loss over the m examples (N4)."""
    _, cache = forward(params, X)
    return cross_entropy(cache["Z"], Y)


def backward(cache: dict[str, Array], X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> dict[str, Array]:
    """dZ (1, m), dw (n_x, 1) and db (), by hand (N11)."""
    m = X.shape[1]
    dZ = cache["A"] - Y
    dw = np.dot(X, dZ.T) / m
    db = np.sum(dZ) / m
    return {"dZ": dZ, "dw": dw, "db": db}


def cost_and_gradients(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]
) -> tuple[Float[Array, ""], Params]:
    """J with {"dw": ∂J/∂w, "db": ∂J/∂b}: what one step of gradient descent needs (N11)."""
    _, cache = forward(params, X)
    J = cross_entropy(cache["Z"], Y)
    grads = backward(cache, X, Y)
    return J, {"dw": grads["dw"], "db": grads["db"]}


def gradients(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> Params:
    """{"dw": ∂J/∂w (n_x, 1), "db": ∂J/∂b ()} (N5, N11)."""
    return cost_and_gradients(params, X, Y)[1]


def gradients_by_example(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> Params:
    """The same gradients, accumulated one example at a time and divided by m (N9)."""
    m = X.shape[1]
    dw, db = np.zeros_like(params["w"]), np.zeros_like(params["b"])
    for i in range(m):
        x, y = X[:, i : i + 1], Y[:, i : i + 1]
        dz = forward(params, x)[0] - y
        dw = dw + x * dz
        db = db + dz[0, 0]
    return {"dw": dw / m, "db": db / m}


def cost_and_gradients_loop(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]
) -> tuple[Float[Array, ""], Params]:
    """The slide with both loops, over examples and over features (N9).

    The loss is computed from z: the slide's −[y log a + (1 − y) log(1 − a)] is nan once a rounds to 0 or 1.
    """
    n_x, m = X.shape
    w, b = params["w"][:, 0], params["b"]
    J, dw, db = X.dtype.type(0), np.zeros_like(w), np.zeros_like(b)
    for i in range(m):
        z = b
        for j in range(n_x):
            z = z + w[j] * X[j, i]
        a = sigmoid(z)
        J = J + np.maximum(z, 0) - Y[0, i] * z + np.log1p(np.exp(-np.abs(z)))
        dz = a - Y[0, i]
        for j in range(n_x):
            dw[j] += X[j, i] * dz
        db = db + dz
    return J / m, {"dw": dw[:, None] / m, "db": db / m}


def derivatives_of_one_example(
    w: Float[Array, "n_x 1"], b: Float[Array, ""], x: Float[Array, "n_x 1"], y: Float[Array, ""]
) -> dict[str, Array]:
    """da, dz, dw and db of L(a, y) for a single example, right to left through the graph (N8).

    da = −y/a + (1 − y)/(1 − a) is infinite once a rounds to 0 or 1; dz = a − y, its product with a (1 − a), is not.
    """
    a = sigmoid(np.dot(w.T, x)[0, 0] + b)
    da = -y / a + (1 - y) / (1 - a)
    dz = a - y
    return {"da": da, "dz": dz, "dw": x * dz, "db": dz}


def update(params: Params, grads: Params, learning_rate: float) -> Params:
    """w := w − α dw, b := b − α db (N5)."""
    w = params["w"] - learning_rate * grads["dw"]
    b = params["b"] - learning_rate * grads["db"]
    return {"w": w, "b": b}


def train(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"], learning_rate: float, iterations: int
) -> tuple[Params, Float[Array, " iterations"]]:
    """Gradient descent (N5, N11).

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
        costs[i], grads = cost_and_gradients(params, X, Y)
        params = update(params, grads, learning_rate)
    return params, costs


def train_on_batches(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "1 m"],
    learning_rate: float,
    batches: Int[Array, "steps size"],
) -> tuple[Params, Float[Array, " steps"]]:
    """Mini-batch gradient descent, one update a batch (N5, N11); stochastic gradient descent where size is 1.

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
        costs[t], grads_t = cost_and_gradients(params, X_t, Y_t)
        params = update(params, grads_t, learning_rate)
    return params, costs


def quantities(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> dict[str, Array]:
    """Every named quantity in the order of computation: Z, A, J, dZ, dw, db."""
    _, cache = forward(params, X)
    J = cost(params, X, Y)
    return {**cache, "J": J, **backward(cache, X, Y)}


def check_dimensions(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> None:
    """Name the first argument whose shape or dtype does not fit (N21, N12).

    Raises
    ------
    ValueError
        With the argument, its shape or dtype and the expected one.
    """
    for name in ("w", "b"):
        if name not in params:
            raise ValueError(f"params has no {name}: expected w (n_x, 1) and b (), got {sorted(params)}")
    if len(X.shape) != 2 or 0 in X.shape:
        raise ValueError(f"X has shape {tuple(X.shape)}, expected (n_x, m) with n_x, m ≥ 1: one example a column")
    expected = {"Y": (1, X.shape[1]), "w": (X.shape[0], 1), "b": ()}
    for name, array in {"Y": Y, **params}.items():
        shape = tuple(array.shape)
        if name in expected and shape != expected[name]:
            rank_1 = name == "Y" and len(shape) == 1
            why = ": a rank-1 array is no row, and A − Y would broadcast to (m, m)" if rank_1 else ""
            raise ValueError(f"{name} has shape {shape}, expected {expected[name]}{why}")
        if array.dtype != X.dtype:
            raise ValueError(f"{name} has dtype {array.dtype}, expected {X.dtype}, the dtype of X")
    if "float" not in str(X.dtype):
        raise ValueError(f"X has dtype {X.dtype}, expected a floating-point dtype")
