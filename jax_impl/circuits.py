"""Circuit theory (slide N22): the XOR of n inputs by a deep and by a shallow network.

    deep        x ⊕ y = |x − y| = ReLU(x − y) + ReLU(y − x): a tree of pairs, about log2 n hidden layers,
                n units in the first and half as many in each that follows
    shallow     one hidden layer, a unit for each of the 2^(n−1) inputs whose answer is 1:
                ReLU(Σ ± x_i − (k − 1)) is 1 at the input with ones where the sign is +, k of them, and 0 at all others

The sum of the two units of a pair is linear, so it is part of the next layer's W. The output is one sigmoid unit with
z = scale · (x_1 ⊕ … ⊕ x_n) − scale/2: at scale = 1536, z is 768 or −768, where σ is 1 or 0 in every dtype. The weights
are whole numbers (times scale in the last layer), exact in every dtype down to bfloat16.

The networks are read by `forward` in deep_network.py, the shallow one in shallow_network.py too.

Shapes: W[l] (n[l], n[l−1]), b[l] (n[l], 1), X (n, m), Y (1, m), in float64 where `jax_enable_x64` is on.
"""

from __future__ import annotations

from itertools import product

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

Params = dict[str, Array]
Activations = tuple[str, ...]


def xor_deep(n: int, scale: float = 1536) -> tuple[Params, Activations]:
    """The tree: every hidden layer replaces two neighbours by their XOR, until one is left (N22).

    Returns
    -------
    params : dict
        W1, b1, …, WL, bL with L = ⌈log2 n⌉ + 1.
    activations : tuple of str
        "relu" for each hidden layer, then "sigmoid".

    Raises
    ------
    ValueError
        n is less than 2.
    """
    _check_inputs(n)
    signals = [[float(i == j) for j in range(n)] for i in range(n)]  # a row says how the layer below makes up a signal
    params: Params = {}
    L = 1
    while len(signals) > 1:
        W, signals = _xor_of_neighbours(signals)
        params |= {f"W{L}": _array(W), f"b{L}": _array([[0.0]] * len(W))}
        L += 1
    params |= {f"W{L}": _array(signals) * scale, f"b{L}": _array([[-scale / 2]])}
    return params, ("relu",) * (L - 1) + ("sigmoid",)


def xor_shallow(n: int, scale: float = 1536) -> tuple[Params, Activations]:
    """One hidden layer: a unit for each input of odd parity, which only that input turns on (N22).

    Returns
    -------
    params : dict
        W1 (2^(n−1), n), b1, W2 (1, 2^(n−1)), b2.
    activations : tuple of str
        ("relu", "sigmoid").

    Raises
    ------
    ValueError
        n is less than 2.
    """
    _check_inputs(n)
    odd = [x for x in product((0.0, 1.0), repeat=n) if sum(x) % 2 == 1]
    W1 = _array([[2 * x_i - 1 for x_i in x] for x in odd])
    b1 = _array([[1 - sum(x)] for x in odd])
    W2 = _array([[1.0] * len(odd)]) * scale
    b2 = _array([[-scale / 2]])
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, ("relu", "sigmoid")


def all_inputs(n: int) -> Float[Array, "n m"]:
    """The m = 2^n columns of zeros and ones, in the order of counting.

    Raises
    ------
    ValueError
        n is less than 2.

    Examples
    --------
    >>> all_inputs(2).tolist()
    [[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]
    """
    _check_inputs(n)
    columns = product((0.0, 1.0), repeat=n)
    return _array([list(row) for row in zip(*columns, strict=True)])


def parity_of(X: Float[Array, "n m"]) -> Float[Array, "1 m"]:
    """x_1 ⊕ … ⊕ x_n of every column: 1 where the number of ones is odd (N22).

    >>> parity_of(all_inputs(2)).tolist()
    [[0.0, 1.0, 1.0, 0.0]]
    """
    return jnp.sum(X, axis=0, keepdims=True) % 2


def count_units(params: Params) -> int:
    """The number of hidden units, n[1] + … + n[L−1].

    >>> [(n, count_units(xor_deep(n)[0]), count_units(xor_shallow(n)[0])) for n in (2, 4, 6)]
    [(2, 2, 2), (4, 6, 8), (6, 11, 32)]
    """
    L = len(params) // 2
    return sum(params[f"W{l}"].shape[0] for l in range(1, L))


def _xor_of_neighbours(signals: list[list[float]]) -> tuple[list[list[float]], list[list[float]]]:
    """A layer of the tree: its W, and the signals that its units make up.

    Units 2j and 2j + 1 are ReLU(p − q) and ReLU(q − p) of pair j; a signal without a partner is passed on, ReLU(p) = p.
    """
    W = []
    for p, q in zip(signals[::2], signals[1::2], strict=False):
        W.append([p_i - q_i for p_i, q_i in zip(p, q, strict=True)])
        W.append([q_i - p_i for p_i, q_i in zip(p, q, strict=True)])
    if len(signals) % 2 == 1:
        W.append(signals[-1])
    pairs = range((len(signals) + 1) // 2)
    return W, [[float(unit // 2 == j) for unit in range(len(W))] for j in pairs]


def _array(rows: list[list[float]]) -> Float[Array, "rows columns"]:
    """The rows as a float64 array."""
    return jnp.array(rows, dtype=float)


def _check_inputs(n: int) -> None:
    """Raise ValueError unless there are two inputs or more."""
    if n < 2:
        raise ValueError(f"n is {n}, expected at least 2: XOR needs two inputs or more")
