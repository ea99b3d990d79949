"""Slopes of the example functions (slide N6).

    f(a) = 3a       slope 3
    f(a) = a²       slope 2a
    f(a) = a³       slope 3a²
    f(a) = log a    slope 1/a          log is the natural logarithm, written ln or log_e on the slide

The slope is what a nudge shows: move a by 0.001 and f(a) moves by about 0.001 times the slope.

The slopes come from autograd.
Every function works element by element and keeps the shape and the dtype of a. a² and a³ are written as products,
whose rounding IEEE 754 fixes; that of a power is left to each library.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor as Array


def triple(a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """3a (N6)."""
    return 3 * a


def square(a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """a² (N6)."""
    return a * a


def cube(a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """a³ (N6)."""
    return a * a * a


def log(a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The natural logarithm of a > 0 (N6)."""
    return torch.log(a)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "triple": triple,
    "square": square,
    "cube": cube,
    "log": log,
}


def slope(name: str, a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """f'(a) of the function called `name` (N6)."""
    a = a.detach().requires_grad_()
    return torch.autograd.grad(FUNCTIONS[name](a).sum(), a)[0]


def nudge(name: str, a: Float[Array, "*shape"], da: float | Float[Array, ""] = 0.001) -> Float[Array, "*shape"]:
    """(f(a + da) − f(a)) / da: what the slope predicts, measured (N6).

    da is first rounded to the dtype of a. In bfloat16 a nudge of 0.001 is lost at a = 2: a + da rounds to a.

    >>> a = torch.tensor(2.0)
    >>> float(nudge("square", a, da=1 / 1024)), float(slope("square", a))
    (4.0009765625, 4.0)
    """
    f = FUNCTIONS[name]
    da = torch.asarray(da, dtype=a.dtype, device=a.device)
    return (f(a + da) - f(a)) / da
