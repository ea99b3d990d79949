"""The same numbers, faster: hand-tuned NumPy for logistic regression (slide N11) and networks (N18, N23).

    step = prepared(params, X, Y)                               logistic regression
    step = prepared(params, X, Y, ("relu", "tanh", "sigmoid"))  a network
    J, grads = step.cost_and_gradients(params)                  as often as wanted

X is copied once into the layout that the step reads it in, and all that a step fills is allocated once; what it returns
is new. The readable forms of the formulas are in logistic_regression.py, shallow_network.py and deep_network.py. What
is done otherwise here, and why it gives the same numbers:

    h = z/2             a scaling by 2 rounds nothing, so that h, 2 dZ and a division by 2m cost no digit
    2 dZ = tanh h + 1 − 2y, for σ(z) = (1 + tanh h)/2: two calls, and e^−z that could overflow is not formed
    loss = |h| + (1 − 2y) h + log(1 + e^−2|h|), which is max(z, 0) − y z + log(1 + e^−|z|)
    b is the weight of one more feature, which is 1: W[l] A[l−1] + b[l] and dW[l], db[l] are a product each
    g' comes from A, in place: 1 − a² without another tanh
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from reference import deep_network, logistic_regression
from reference.activations import sigmoid

Params = dict[str, Array]
Activations = tuple[str, ...]

BLOCK = 7 * 2**17
"""Bytes of X that are read from memory for z and, still in the second-level cache, a second time for dw.

Of 0.1 to 6 MB, 0.9 to 1.1 were the fastest where that cache has 1 MiB; 0.6 and 1.5 take 5 % more. Smaller blocks pay
for calls of NumPy, larger ones are read from memory twice.
"""

FEWEST = 16
"""Examples in a block at least, however wide X is: what is added up at the end, a dw a block, stays small beside X."""

WIDE = 256
"""Bytes of an example from which on z comes from a dot product an example, where X has more than one block.

A matrix-vector product reads memory at half the speed; but a dot product has a cost of its own, some 20 ns.
"""


class Constants(NamedTuple):
    """Numbers as arrays: NumPy converts a Python number anew in every call, which takes as long as adding 500."""

    half: Array
    one: Array
    minus_two: Array
    leak: Array
    quarter: Array
    twice_m: Array
    zeros: Array
    """One an example: NumPy takes a maximum of two rows in vectors, of a row and a number it does not."""


def constants(dtype: np.dtype, m: int) -> Constants:
    """The constants of m examples in a dtype; 2m is the divisor of sums of 2 dZ."""
    half, one, minus_two, leak, quarter, twice_m = (np.array(c, dtype) for c in (0.5, 1, -2, 0.01, 0.25, 2 * m))
    return Constants(half, one, minus_two, leak, quarter, twice_m, np.zeros(m, dtype))


# One function for all elements, in place -----------------------------------------------------------------------------


def losses(H: Array, S: Array, out: Array, spare: Array, c: Constants) -> Array:
    """|h| + s h + log(1 + e^−2|h|) into `out`, with h = z/2 and s = 1 − 2y (N4).

    |h| + s h is 0 or 2|h| where y is 0 or 1: exact, so that a small loss keeps its digits.
    """
    np.abs(H, spare)
    np.multiply(S, H, out)
    np.add(out, spare, out)
    np.multiply(spare, c.minus_two, spare)
    np.exp(spare, spare)
    np.log1p(spare, spare)
    return np.add(out, spare, out)


def twice_dZ(H: Array, S: Array, out: Array) -> Array:
    """2 (σ(z) − y) = tanh h + s into `out`, with h = z/2 and s = 1 − 2y (N11)."""
    np.tanh(H, out)
    return np.add(out, S, out)


def _halve(Z: Array, spare: Array, c: Constants) -> None:
    """h of the output layer, whose a is not needed by a step."""
    np.multiply(Z, c.half, Z)


def _sigmoid(Z: Array, spare: Array, c: Constants) -> None:
    with np.errstate(over="ignore"):  # as in reference.activations
        np.exp(np.negative(Z, Z), Z)
    np.divide(c.one, np.add(Z, c.one, Z), Z)


def _tanh(Z: Array, spare: Array, c: Constants) -> None:
    np.tanh(Z, Z)


def _relu(Z: Array, spare: Array, c: Constants) -> None:
    np.maximum(Z, c.zeros, out=Z)


def _leaky_relu(Z: Array, spare: Array, c: Constants) -> None:
    np.maximum(np.multiply(Z, c.leak, spare), Z, out=Z)


def _leaky_relu_exact(Z: Array, spare: Array, c: Constants) -> None:
    np.maximum(np.multiply(Z, c.quarter, spare), Z, out=Z)


def _nothing(A: Array, spare: Array, c: Constants) -> None:
    """The identity, and the product with its slope."""


def _times_sigmoid_slope(A: Array, dA: Array, c: Constants) -> None:
    np.multiply(dA, A, dA)
    np.multiply(dA, np.subtract(c.one, A, A), dA)


def _times_tanh_slope(A: Array, dA: Array, c: Constants) -> None:
    np.multiply(A, A, A)
    np.multiply(dA, np.subtract(c.one, A, A), dA)


def _times_relu_slope(A: Array, dA: Array, c: Constants) -> None:
    np.multiply(dA, np.greater(A, c.zeros), dA)


def _times_leaky_relu_slope(A: Array, dA: Array, c: Constants) -> None:
    np.multiply(dA, c.leak, dA, where=np.less_equal(A, c.zeros))


def _times_leaky_relu_exact_slope(A: Array, dA: Array, c: Constants) -> None:
    np.multiply(dA, c.quarter, dA, where=np.less_equal(A, c.zeros))


InPlace = Callable[[Array, Array, Constants], None]

ACTIVATIONS: dict[str, tuple[InPlace, InPlace]] = {
    "sigmoid": (_sigmoid, _times_sigmoid_slope),
    "tanh": (_tanh, _times_tanh_slope),
    "relu": (_relu, _times_relu_slope),
    "leaky_relu": (_leaky_relu, _times_leaky_relu_slope),
    "leaky_relu_exact": (_leaky_relu_exact, _times_leaky_relu_exact_slope),
    "identity": (_nothing, _nothing),
}
"""g, which makes A of Z, and the product with g', which makes dZ of dA; the sign of A tells on which side of a kink
z is. A is lost there: dW of the next layer has been formed from it."""


# The steps -----------------------------------------------------------------------------------------------------------


class Step(ABC):
    """Forward, cost and backward on the examples that it was prepared for; one thread at a time may use it."""

    def __init__(self, params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"]) -> None:
        if X.dtype not in (np.float32, np.float64):
            raise ValueError(f"X has dtype {X.dtype}, expected float32 or float64: BLAS multiplies no other")
        self.m, self.dtype = X.shape[1], X.dtype
        self.constants = constants(X.dtype, X.shape[1])
        self.places: list[tuple[str, tuple[int, ...], Array]] = []
        self.S = np.array(1 - 2 * Y, order="C")
        self.H, self.dZ, self.losses, self.spare = (np.empty(Y.shape, X.dtype) for _ in range(4))
        self.flat, self.ones = self.losses.reshape(-1), np.ones(Y.size, X.dtype)

    @abstractmethod
    def cost_and_gradients(self, params: Params) -> tuple[Float[Array, ""], Params]:
        """J and the gradients that `cost_and_gradients` of the model gives, in arrays that are new.

        Raises
        ------
        ValueError
            A shape or a dtype is not that of the parameters that the step was prepared for.
        """

    @abstractmethod
    def _forward(self, params: Params) -> None:
        """H = Z[L]/2."""

    def forward(self, params: Params) -> Float[Array, "n_y m"]:
        """A[L], the probabilities that y = 1, in a new array; it raises what `cost_and_gradients` raises."""
        self._forward(params)
        return sigmoid(2 * self.H)

    def train(
        self, params: Params, learning_rate: float, iterations: int
    ) -> tuple[Params, Float[Array, " iterations"]]:
        """Gradient descent (N5, N18, N23).

        Returns
        -------
        params : dict
            The parameters after the last update; those that came in stay as they were.
        costs : (iterations,)
            J before each update.
        """
        rate, costs = np.array(learning_rate, self.dtype), np.empty(iterations, self.dtype)
        params = {name: np.array(p) for name, p in params.items()}
        for i in range(iterations):
            costs[i], grads = self.cost_and_gradients(params)
            for name, p in params.items():
                gradient = grads["d" + name]
                np.subtract(p, np.multiply(gradient, rate, gradient), p)
        return params, costs

    def _load(self, params: Params) -> None:
        """Put the parameters where the products read them: NumPy would spread out a column and round float64."""
        dtype = self.dtype
        for name, shape, place in self.places:
            p = params.get(name)
            if p is None or p.shape != shape or p.dtype != dtype:
                found = "is missing" if p is None else f"has shape {p.shape} and dtype {p.dtype}"
                raise ValueError(f"{name} {found}, expected {shape} and {dtype}, for which this was prepared")
            place[...] = p

    def _cost(self) -> Float[Array, ""]:
        """J from H (N4)."""
        losses(self.H, self.S, self.losses, self.spare, self.constants)
        return self.flat.dot(self.ones) / self.m


class LogisticRegression(Step):
    """One pass over X, in blocks of examples that stay in the cache between z and dw (N11)."""

    def __init__(self, params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> None:
        logistic_regression.check_dimensions(params, X, Y)
        super().__init__(params, X, Y)
        n_x, m = X.shape
        examples = np.array(X.T, order="C")  # one a row
        size = max(FEWEST, BLOCK // (n_x * X.itemsize))
        parts = [slice(i, i + size) for i in range(0, m, size)]
        self.dw, self.one_a_block = np.empty((len(parts), n_x), X.dtype), np.ones(len(parts), X.dtype)
        rows = (examples, self.H[0], self.S[0], self.dZ[0])
        self.blocks = [(*(array[part] for array in rows), dw) for part, dw in zip(parts, self.dw, strict=True)]
        self.product = np.vecdot if len(parts) > 1 and n_x * X.itemsize >= WIDE else np.dot
        self.w, self.b = np.empty(n_x, X.dtype), np.empty(1, X.dtype)
        self.places = [("w", (n_x, 1), self.w[:, None]), ("b", (), self.b)]

    def cost_and_gradients(self, params: Params) -> tuple[Float[Array, ""], Params]:
        """J, {"dw": (n_x, 1), "db": ()} (N11)."""
        self._load_halves(params)
        product, w, b, add, tanh = self.product, self.w, self.b, np.add, np.tanh
        for X, h, s, dz, dw in self.blocks:
            product(X, w, h)
            add(h, b, h)
            tanh(h, dz)  # the two lines of `twice_dZ`, without the call
            add(dz, s, dz)
            dz.dot(X, dw)
        dw = self.one_a_block.dot(self.dw)
        db = np.array(self.ones.dot(self.dZ[0]))
        np.divide(dw, self.constants.twice_m, dw)
        np.divide(db, self.constants.twice_m, db)
        return self._cost(), {"dw": dw[:, None], "db": db}

    def _forward(self, params: Params) -> None:
        self._load_halves(params)
        for X, h, *_ in self.blocks:
            self.product(X, self.w, h)
        np.add(self.H, self.b, self.H)

    def _load_halves(self, params: Params) -> None:
        self._load(params)
        np.multiply(self.w, self.constants.half, self.w)
        np.multiply(self.b, self.constants.half, self.b)


class Layer(NamedTuple):
    """What a layer reads and what it fills."""

    dW: str
    db: str
    Wb: Array
    """(n[l], n[l−1] + 1): W[l] and, as its last column, b[l]."""
    WT: Array
    """(n[l−1], n[l]): the transpose of W[l], a view of Wb."""
    A_prev: Array
    """(n[l−1] + 1, m): A[l−1] and, as its last row, ones."""
    A_prevT: Array
    """Its transpose, a view."""
    A: Array
    """(n[l], m): Z[l], and in its place A[l], a view of the next layer's A_prev; of the output layer H."""
    dZ: Array
    g: InPlace
    times_slope: InPlace


class Network(Step):
    """Any number of layers, in arrays that every step fills anew (N18, N23)."""

    def __init__(
        self, params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations
    ) -> None:
        deep_network.check_dimensions(params, X, Y)
        _check_activations(activations, len(params) // 2)
        super().__init__(params, X, Y)
        self.names = ["d" + name for name in params]
        self.layers = _layers(params, X, activations, self.H, self.dZ)
        for dW, db, Wb, *_ in self.layers:
            places = ((dW[1:], Wb[:, :-1]), (db[1:], Wb[:, -1:]))
            self.places += [(name, place.shape, place) for name, place in places]
        self.back = list(zip(self.layers[::-1], [*self.layers[-2::-1], None], strict=True))

    def cost_and_gradients(self, params: Params) -> tuple[Float[Array, ""], Params]:
        """J, {"dW1": (n[1], n[0]), "db1": (n[1], 1), …} (N23); dW[l] and db[l] are views of one array."""
        self._forward(params)
        J, constants = self._cost(), self.constants
        twice_dZ(self.H, self.S, self.dZ)
        grads: Params = dict.fromkeys(self.names, self.dZ)  # in this order
        for (dW, db, _, WT, _, A_prevT, _, dZ, _, _), below in self.back:  # unpacked, for speed
            dWb = dZ.dot(A_prevT)
            np.divide(dWb, constants.twice_m, dWb)
            grads[dW], grads[db] = dWb[:, :-1], dWb[:, -1:]
            if below is not None:
                WT.dot(dZ, below.dZ)
                below.times_slope(below.A, below.dZ, constants)
        return J, grads

    def _forward(self, params: Params) -> None:
        self._load(params)
        constants = self.constants
        for _, _, Wb, _, A_prev, _, A, dZ, g, _ in self.layers:
            Wb.dot(A_prev, A)
            g(A, dZ, constants)


def _layers(params: Params, X: Array, activations: Activations, H: Array, dZ: Array) -> list[Layer]:
    """The arrays of all layers; H and dZ are those of the output."""
    A1 = [np.ones((params[f"W{l}"].shape[1] + 1, X.shape[1]), X.dtype) for l in range(1, len(activations) + 1)]
    A1[0][:-1] = X
    A, dA = [rows[:-1] for rows in A1[1:]], [np.empty_like(rows[:-1]) for rows in A1[1:]]
    g = [*(ACTIVATIONS[name] for name in activations[:-1]), (_halve, _nothing)]
    layers = []
    for l, (A_prev, Z, dZ_l, of_l) in enumerate(zip(A1, [*A, H], [*dA, dZ], g, strict=True), start=1):
        Wb = np.empty((len(Z), len(A_prev)), X.dtype)
        layers.append(Layer(f"dW{l}", f"db{l}", Wb, Wb[:, :-1].T, A_prev, A_prev.T, Z, dZ_l, *of_l))
    return layers


def _check_activations(activations: Activations, L: int) -> None:
    unknown = [name for name in activations if name not in ACTIVATIONS]
    if unknown:
        raise ValueError(f"activations holds {unknown[0]!r}, expected some of {', '.join(ACTIVATIONS)}")
    if len(activations) != L or activations[-1] != "sigmoid":
        raise ValueError(f"activations is {activations}, expected {L} names with a sigmoid last")


def prepared(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "n_y m"], activations: Activations | None = None
) -> Step:
    """What takes steps on these examples, for parameters with the shapes of `params`.

    Parameters
    ----------
    activations : tuple of str or None
        One name a layer, the last of them "sigmoid"; None for logistic regression, whose parameters are w and b.

    Raises
    ------
    ValueError
        A shape or a dtype does not fit (`check_dimensions` of the model), or an activation does not.
    """
    if activations is None or "w" in params:
        _check_activations(activations or ("sigmoid",), 1)
        return LogisticRegression(params, X, Y)
    return Network(params, X, Y, activations)
