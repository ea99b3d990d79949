"""Slopes of the example functions (slide N6).

    f(a) = 3a       slope 3
    f(a) = a²       slope 2a
    f(a) = a³       slope 3a²
    f(a) = log a    slope 1/a          log is the natural logarithm, written ln or log_e on the slide

The slope is what a nudge shows: move a by 0.001 and f(a) moves by about 0.001 times the slope.

The slopes stand in `SLOPES`, derived by hand.
Every function works element by element and keeps the shape and the dtype of a. a² and a³ are written as products,
whose rounding IEEE 754 fixes; that of a power is left to each library.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array


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
    return np.log(a)


def triple_slope(a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """3, whatever a is (N6)."""
    return np.full_like(a, 3)


def square_slope(a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """2a (N6)."""
    return 2 * a


def cube_slope(a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """3a² (N6)."""
    return 3 * (a * a)


def log_slope(a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1/a (N6)."""
    return 1 / a


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "triple": triple,
    "square": square,
    "cube": cube,
    "log": log,
}

SLOPES: dict[str, Callable[[Array], Array]] = {
    "triple": triple_slope,
    "square": square_slope,
    "cube": cube_slope,
    "log": log_slope,
}


def slope(name: str, a: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """f'(a) of the function called `name` (N6)."""
    return SLOPES[name](a)


def nudge(name: str, a: Float[Array, "*shape"], da: float | Float[Array, ""] = 0.001) -> Float[Array, "*shape"]:
    """(f(a + da) − f(a)) / da: what the slope predicts, measured (N6).

    da is first rounded to the dtype of a. In bfloat16 a nudge of 0.001 is lost at a = 2: a + da rounds to a.

    >>> a = np.array(2.0)
    >>> float(nudge("square", a, da=1 / 1024)), float(slope("square", a))
    (4.0009765625, 4.0)
    """
    f = FUNCTIONS[name]
    da = np.asarray(da, dtype=a.dtype)
    return (f(a + da) - f(a)) / da
