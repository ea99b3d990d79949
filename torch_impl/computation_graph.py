"""The computation graph of J = 3(a + bc) (slide N7).

    forward     u = bc        v = a + u       J = 3v                                   left to right
    backward    autograd of J                                                          right to left

d… is ∂J/∂…, as in the notes. At the slide's a = 5, b = 3, c = 2: J = 33, dv = da = du = 3, db = 6, dc = 9.

Shapes: a, b, c and everything computed from them are scalars, ().
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor as Array


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
    a, b, c = (x.detach().requires_grad_() for x in (a, b, c))
    J, _ = forward(a, b, c)
    da, db, dc = torch.autograd.grad(J, [a, b, c])
    return {"da": da, "db": db, "dc": dc}


def quantities(a: Float[Array, ""], b: Float[Array, ""], c: Float[Array, ""]) -> dict[str, Array]:
    """Every named quantity in the order of computation: u, v, J, dv, du, da, db, dc.

    >>> found = quantities(torch.tensor(5.0), torch.tensor(3.0), torch.tensor(2.0))
    >>> {name: float(value) for name, value in found.items()}
    {'u': 6.0, 'v': 11.0, 'J': 33.0, 'dv': 3.0, 'du': 3.0, 'da': 3.0, 'db': 6.0, 'dc': 9.0}
    """
    a, b, c = (x.detach().requires_grad_() for x in (a, b, c))
    J, cache = forward(a, b, c)
    u, v = cache["u"], cache["v"]
    dv, du, da, db, dc = torch.autograd.grad(J, [v, u, a, b, c])
    found = {"u": u.detach(), "v": v.detach(), "J": J.detach()}
    return {**found, "dv": dv, "du": du, "da": da, "db": db, "dc": dc}
