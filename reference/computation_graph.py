"""The computation graph of J = 3(a + bc) (slide N7).

    forward     u = bc        v = a + u       J = 3v                                   left to right
    backward    dv = 3        da = dv         du = dv      db = c du      dc = b du    right to left

d… is ∂J/∂…, as in the notes. At the slide's a = 5, b = 3, c = 2: J = 33, dv = da = du = 3, db = 6, dc = 9.

Shapes: a, b, c and everything computed from them are scalars, ().
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array


def forward(a: Float[Array, ""], b: Float[Array, ""], c: Float[Array, ""]) -> tuple[Float[Array, ""], dict[str, Array]]:
    """J = 3(a + bc), one operation at a time (N7).

    Returns
    -------
    J : ()
        The end of the graph.
    cache : dict
        u and v, in the order of computation.
    """
    u = b * c
    v = a + u
    J = 3 * v
    return J, {"u": u, "v": v}


def backward(
    a: Float[Array, ""], b: Float[Array, ""], c: Float[Array, ""], cache: dict[str, Array]
) -> dict[str, Array]:
    """dv, du, da, db and dc, by hand, right to left: each is the one to its right times one local derivative (N7)."""
    dv = np.full_like(cache["v"], 3)  # J = 3v
    du = dv  # v = a + u
    da = dv
    db = du * c  # u = bc
    dc = du * b
    return {"dv": dv, "du": du, "da": da, "db": db, "dc": dc}


def gradients(a: Float[Array, ""], b: Float[Array, ""], c: Float[Array, ""]) -> dict[str, Array]:
    """{"da": ∂J/∂a, "db": ∂J/∂b, "dc": ∂J/∂c} (N7)."""
    _, cache = forward(a, b, c)
    grads = backward(a, b, c, cache)
    return {"da": grads["da"], "db": grads["db"], "dc": grads["dc"]}


def quantities(a: Float[Array, ""], b: Float[Array, ""], c: Float[Array, ""]) -> dict[str, Array]:
    """Every named quantity in the order of computation: u, v, J, dv, du, da, db, dc.

    >>> found = quantities(np.array(5.0), np.array(3.0), np.array(2.0))
    >>> {name: float(value) for name, value in found.items()}
    {'u': 6.0, 'v': 11.0, 'J': 33.0, 'dv': 3.0, 'du': 3.0, 'da': 3.0, 'db': 6.0, 'dc': 9.0}
    """
    J, cache = forward(a, b, c)
    return {**cache, "J": J, **backward(a, b, c, cache)}
