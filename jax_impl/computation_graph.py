"""The computation graph of J = 3(a + bc) (slide N7).

    forward     u = bc        v = a + u       J = 3v                                   left to right
    backward    grad of J                                                              right to left

d… is ∂J/∂…, as in the notes. At the slide's a = 5, b = 3, c = 2: J = 33, dv = da = du = 3, db = 6, dc = 9.

Shapes: a, b, c and everything computed from them are scalars, ().
"""

from __future__ import annotations

import jax
from jax import Array
from jaxtyping import Float


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


def gradients(a: Float[Array, ""], b: Float[Array, ""], c: Float[Array, ""]) -> dict[str, Array]:
    """{"da": ∂J/∂a, "db": ∂J/∂b, "dc": ∂J/∂c} (N7)."""
    da, db, dc = jax.grad(lambda a, b, c: forward(a, b, c)[0], argnums=(0, 1, 2))(a, b, c)
    return {"da": da, "db": db, "dc": dc}


def quantities(a: Float[Array, ""], b: Float[Array, ""], c: Float[Array, ""]) -> dict[str, Array]:
    """Every named quantity in the order of computation: u, v, J, dv, du, da, db, dc.

    >>> found = quantities(jax.numpy.array(5.0), jax.numpy.array(3.0), jax.numpy.array(2.0))
    >>> {name: float(value) for name, value in found.items()}
    {'u': 6.0, 'v': 11.0, 'J': 33.0, 'dv': 3.0, 'du': 3.0, 'da': 3.0, 'db': 6.0, 'dc': 9.0}
    """
    J, cache = forward(a, b, c)
    dv = jax.grad(lambda v: 3 * v)(cache["v"])  # the rest of the graph, seen from v
    du = jax.grad(lambda u: 3 * (a + u))(cache["u"])  # and from u
    return {**cache, "J": J, "dv": dv, "du": du, **gradients(a, b, c)}
