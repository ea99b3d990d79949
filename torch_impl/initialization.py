"""Zero and random initialisation (slide N19).

    zeros       W[l] = 0                            b[l] = 0
    random      W[l] = 0.01 · standard normal       b[l] = 0

From zero weights all units of a layer compute the same, receive the same gradient and stay the same for ever, so that
a layer is worth one unit: the rows of its W stay equal. Random weights break the symmetry; biases may start at zero.
The factor is small because large weights drive tanh and sigmoid to where they are flat and gradients vanish.

NumPy draws the numbers, for reference, here and for jax_impl, and they are converted: all three start from the very
same float64 weights.

Shapes: W[l] (n[l], n[l−1]), b[l] (n[l], 1) for layers = (n[0], n[1], …, n[L]).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor as Array

Params = dict[str, Array]


def zeros(layers: tuple[int, ...]) -> Params:
    """{"W1": (n[1], n[0]), "b1": (n[1], 1), …}, all zero (N19)."""
    params = {}
    for l, (n_prev, n) in enumerate(pairwise(layers), start=1):
        params[f"W{l}"] = torch.zeros((n, n_prev), dtype=torch.float64)
        params[f"b{l}"] = torch.zeros((n, 1), dtype=torch.float64)
    return params


def random(layers: tuple[int, ...], rng: Any, scale: float = 0.01) -> Params:
    """Weights from a normal distribution of standard deviation `scale`, drawn in the order W1, W2, …; b = 0 (N19).

    Parameters
    ----------
    layers : (n[0], n[1], …, n[L])
        The units of every layer, the input features first.
    rng : numpy.random.Generator or numpy.random.RandomState
        The source of the numbers, seeded by the caller; drawing moves it on.
    scale : float
        0.01 on the slide.
    """
    params = {}
    for l, (n_prev, n) in enumerate(pairwise(layers), start=1):
        params[f"W{l}"] = torch.from_numpy(rng.standard_normal((n, n_prev)) * scale)
        params[f"b{l}"] = torch.zeros((n, 1), dtype=torch.float64)
    return params


def hidden_units_identical(W: Float[Array, "n n_prev"]) -> bool:
    """Whether all units of a layer are the same one: all rows of W are equal (N19).

    >>> hidden_units_identical(zeros((3, 4, 1))["W1"])
    True
    """
    return bool((W[:1] == W).all())
