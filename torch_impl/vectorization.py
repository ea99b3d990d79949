"""Vectorization (slide N10), broadcasting and rank-1 arrays (slide N12).

    dot product     wᵀx = Σ w_i x_i, by a loop and by one call
    broadcasting    (n, m) + (n, 1): the column is added to every column
    rank-1 array    shape (n,): neither a column (n, 1) nor a row (1, n)

A rank-1 array is a trap: its transpose is itself, and labels Y of shape (m,) taken from a column A of shape (m, 1) give
(m, m) where (m, 1) was meant, without any error. The models here refuse rank-1 labels: see `check_dimensions` in
logistic_regression.py and deep_network.py.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor as Array


def dot_loop(w: Float[Array, "n 1"], x: Float[Array, "n 1"]) -> Float[Array, ""]:
    """wᵀx by an explicit loop over i = 1..n (N10): one multiplication and one addition a turn."""
    z = torch.zeros((), dtype=w.dtype, device=w.device)
    for i in range(w.shape[0]):
        z = z + w[i, 0] * x[i, 0]
    return z


def dot(w: Float[Array, "n 1"], x: Float[Array, "n 1"]) -> Float[Array, ""]:
    """wᵀx in one call (N10): the same sum, taken in an order that the library chooses.

    >>> w, x = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[4.0], [5.0], [6.0]])
    >>> float(dot_loop(w, x)), float(dot(w, x))
    (32.0, 32.0)
    """
    return (w.T @ x)[0, 0]


def add_to_every_column(M: Float[Array, "n m"], b: Float[Array, "n 1"]) -> Float[Array, "n m"]:
    """M + b: broadcasting repeats the column b m times (N12), as in Z = WX + b.

    >>> add_to_every_column(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), torch.tensor([[10.0], [20.0]])).tolist()
    [[11.0, 12.0, 13.0], [24.0, 25.0, 26.0]]
    """
    return M + b


def column(v: Float[Array, " n"]) -> Float[Array, "n 1"]:
    """The column that a rank-1 array should have been: shape (n,) to (n, 1) (N12)."""
    return v.reshape(-1, 1)


def transpose(v: Float[Array, "*shape"]) -> Float[Array, "*reversed"]:
    """vᵀ, the axes in reverse order: a rank-1 array has one axis, and comes back as it was (N12).

    torch's `.T` gives a rank-1 tensor back too, but warns that it will be an error one day; `permute` does not.

    >>> v = torch.tensor([1.0, 2.0, 3.0])
    >>> tuple(transpose(v).shape), tuple(transpose(column(v)).shape)
    ((3,), (1, 3))
    """
    return v.permute(*range(v.ndim - 1, -1, -1))


def subtract(A: Float[Array, "rows columns"], Y: Float[Array, "*labels"]) -> Float[Array, "_ _"]:
    """A − Y, which is dZ; what comes of it when Y has lost an axis (N12).

    With Y (m,), a row A (1, m) gives (1, m), by luck, and a column A (m, 1) gives (m, m).
    torch broadcasts both without a word; `binary_cross_entropy_with_logits` refuses them, as its shapes must agree.

    >>> A_row, A_column, Y = torch.ones((1, 3)), torch.ones((3, 1)), torch.ones(3)
    >>> tuple(subtract(A_row, Y).shape), tuple(subtract(A_column, Y).shape)
    ((1, 3), (3, 3))
    """
    return A - Y
