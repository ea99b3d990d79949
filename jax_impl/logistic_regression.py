"""Logistic regression (slides N3–N5, N8, N9, N11).

    forward     Z = wᵀX + b            A = σ(Z)
    cost        J = −(1/m) Σ (y log a + (1 − y) log(1 − a))
    backward    grad of J
    update      w := w − α dw          b := b − α db

J is minus the mean log-likelihood: p(y|x) = a^y (1 − a)^(1−y), so minimising J maximises the likelihood (N4).
One example is a column of X. dZ is m · ∂J/∂Z: the factor 1/m belongs to dw and db.

Shapes: w (n_x, 1), b (), X (n_x, m), Y, Z, A, dZ (1, m).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from jax_impl.activations import sigmoid

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
    Z = params["w"].T @ X + params["b"]
    A = sigmoid(Z)
    return A, {"Z": Z, "A": A}


def cross_entropy(Z: Float[Array, "n_y m"], Y: Float[Array, "n_y m"]) -> Float[Array, ""]:
    """J = −(1/m) Σ (y log a + (1 − y) log(1 − a)) with a = σ(z) (N4), summed over the n_y output units.

    Computed from the logits Z, where a loss is log(1 + e^z) − y z. The slide's form (`cross_entropy_of_probabilities`)
    loses it all once a rounds to 0 or 1.
    `softplus` is `logaddexp(z, 0)`; max(z, 0) + log1p(e^−|z|), the same value, has a wrong automatic derivative at 0.
    """
    losses = jax.nn.softplus(Z) - Y * Z
    return jnp.sum(losses) / Y.shape[1]


def cross_entropy_of_probabilities(A: Float[Array, "n_y m"], Y: Float[Array, "n_y m"]) -> Float[Array, ""]:
    """J = −(1/m) Σ (y log a + (1 − y) log(1 − a)), as N4 writes it.

    Breaks where a rounds to 0 or 1 (from |z| = 17 on in float32, 37 in float64): log 0 is −inf, and 0 · −inf is nan.
    """
    losses = -(Y * jnp.log(A) + (1 - Y) * jnp.log(1 - A))
    return jnp.sum(losses) / Y.shape[1]


def cost(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> Float[Array, ""]:
    """J(w, b), the mean loss over the m examples (N4)."""
    _, cache = forward(params, X)
    return cross_entropy(cache["Z"], Y)


def cost_and_gradients(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]
) -> tuple[Float[Array, ""], Params]:
    """J with {"dw": ∂J/∂w, "db": ∂J/∂b}: what one step of gradient descent needs (N11)."""
    J, grads = jax.value_and_grad(cost)(params, X, Y)
    return J, {"dw": grads["w"], "db": grads["b"]}


def gradients(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> Params:
    """{"dw": ∂J/∂w (n_x, 1), "db": ∂J/∂b ()} (N5, N11)."""
    return cost_and_gradients(params, X, Y)[1]


def gradients_by_example(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> Params:
    """The same gradients, one example at a time (`vmap`) and averaged (N9)."""
    one_example = jax.vmap(jax.grad(_loss), in_axes=(None, 1, 1))
    grads = one_example(params, X, Y)
    return {"dw": grads["w"].mean(axis=0), "db": grads["b"].mean(axis=0)}


def _loss(params: Params, x: Float[Array, " n_x"], y: Float[Array, " 1"]) -> Float[Array, ""]:
    """The loss of a single example: the cost with m = 1."""
    return cost(params, x[:, None], y[:, None])


def derivatives_of_one_example(
    w: Float[Array, "n_x 1"], b: Float[Array, ""], x: Float[Array, "n_x 1"], y: Float[Array, ""]
) -> dict[str, Array]:
    """da, dz, dw and db of L(a, y) for a single example, right to left through the graph (N8).

    L is the slide's, a function of a, and infinite once a rounds to 0 or 1.
    """

    def L(a: Array) -> Array:
        return -(y * jnp.log(a) + (1 - y) * jnp.log(1 - a))

    z, dz_to_dw_db = jax.vjp(lambda w, b: (w.T @ x)[0, 0] + b, w, b)
    a, da_to_dz = jax.vjp(sigmoid, z)
    da = jax.grad(L)(a)
    (dz,) = da_to_dz(da)
    dw, db = dz_to_dw_db(dz)
    return {"da": da, "dz": dz, "dw": dw, "db": db}


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

    def step(params: Params, _: None) -> tuple[Params, Array]:
        J, grads = cost_and_gradients(params, X, Y)
        return update(params, grads, learning_rate), J

    return jax.lax.scan(step, params, length=iterations)


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
        The columns of X and Y, 0 to m − 1, that each step takes; JAX takes the last for one beyond it.

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
    """
    check_dimensions(params, X, Y)

    def step(params: Params, batch: Array) -> tuple[Params, Array]:
        # XLA would fuse the choice of columns into the sums, whose bits it changes
        X_t, Y_t = jax.lax.optimization_barrier((X[:, batch], Y[:, batch]))  # type: ignore[no-untyped-call]
        J_t, grads_t = cost_and_gradients(params, X_t, Y_t)
        return update(params, grads_t, learning_rate), J_t

    return jax.lax.scan(step, params, batches)


def quantities(params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> dict[str, Array]:
    """Every named quantity in the order of computation: Z, A, J, dZ, dw, db."""
    m = X.shape[1]
    _, cache = forward(params, X)
    J, grads = cost_and_gradients(params, X, Y)
    zero_added_to_Z = jnp.zeros_like(cache["Z"])
    dZ = jax.grad(lambda zero: cost({**params, "b": params["b"] + zero}, X, Y))(zero_added_to_Z)
    return {**cache, "J": J, "dZ": m * dZ, **grads}


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
