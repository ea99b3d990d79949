"""Numbers with the error that rounding may have given them, so that a formula is written once and has its bound.

A `Bounded` is what a formula gives, in longdouble, with the largest distance from it at which somebody's own evaluation
of that formula may end in arithmetic with unit roundoff u. Every operation adds what its own rounding may do, for any
order of summation, with or without fused multiply-add, and wherever a factor 1/m is applied:

    x @ y, sums of n terms    γ_(n+2) |x||y|, with γ_k = k u / (1 − k u)
    x + y, x − y, x ∗ y       u of the result
    x / k                     2u: multiplied by 1/k, or divided
    exp, log, power           4 ulp, that is 8u relative: the most that NumPy's own loops allow themselves
    σ(z)                      14u absolute, in any of its manners: 1/(1 + e^−z) has 8u + 3u relative, as has
                              e^z/(1 + e^z); (1 + tanh(z/2))/2 has half of tanh's, and u
    tanh z                    26u absolute: 2σ(2z) − 1 has 2 · 12u + 2u, (e^z − e^−z)/(e^z + e^−z) has 2 · 9u + 2u

Errors of what goes in are carried through exactly, second order included. What cannot be bounded has the error inf, and
whatever was computed there is let through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from parity.formats import FORMATS
from parity.local import WIDE_ULPS

EXP, SIGMOID, TANH = 8, 14, 26
"""In units of u: see above."""

Number = int | float


@dataclass(frozen=True)
class Rounding:
    """Arithmetic of a format: u, the largest error of an underflow, and from where on all is infinite."""

    u: float
    smallest: float
    largest: float

    def gamma(self, n: int) -> float:
        """γ_n = n u / (1 − n u)."""
        return n * self.u / (1 - n * self.u)


def rounding(dtype: str) -> Rounding:
    """Of float64 or float32; longdouble's own, in which all is evaluated, is added."""
    fmt = FORMATS[dtype]
    wide = 2.0 ** -(np.finfo(np.longdouble).nmant + 1)
    return Rounding(fmt.u + WIDE_ULPS * wide, fmt.smallest_normal, fmt.largest)


class Bounded:
    """A value and its error, element by element; the operations are those of arrays.

    Parameters
    ----------
    value : array
        Taken to longdouble.
    error : array or float
        What |computed − value| may be at most.
    of : Rounding
    """

    __array_ufunc__ = None  # an array on the left leaves the operation to this class

    def __init__(self, value: np.ndarray | Number, error: np.ndarray | Number, of: Rounding) -> None:
        self.value = np.asarray(value, np.longdouble)
        self.error = np.where(np.isinf(self.value), 0, error)  # what is infinite by its formula rounds nothing
        self.of = of

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the value."""
        return self.value.shape

    @property
    def T(self) -> Bounded:
        """Transposed."""
        return Bounded(self.value.T, self.error.T, self.of)

    @property
    def reach(self) -> np.ndarray:
        """No less than what was computed."""
        return np.abs(self.value) + self.error

    @property
    def bounds_all(self) -> bool:
        """Whether every element has a bound."""
        return bool(np.all(np.isfinite(self.error) & ~np.isnan(self.value)))

    def columns(self, first: int, end: int) -> Bounded:
        """Those from the first to before the end."""
        return Bounded(self.value[:, first:end], self.error[:, first:end], self.of)

    def as_bounded(self, other: Bounded | np.ndarray | Number) -> Bounded:
        """A number or an array that is exact."""
        return other if isinstance(other, Bounded) else Bounded(other, 0, self.of)

    def _rounded(self, value: np.ndarray, error: np.ndarray, roundings: int = 1) -> Bounded:
        own = roundings * self.of.u * (np.abs(value) + error) + self.of.smallest * (np.abs(value) + error > 0)
        return Bounded(value, error + own, self.of)

    def __add__(self, other: Bounded | np.ndarray | Number) -> Bounded:
        y = self.as_bounded(other)
        return self._rounded(self.value + y.value, self.error + y.error)

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.error, self.of)

    def __sub__(self, other: Bounded | np.ndarray | Number) -> Bounded:
        return self + -self.as_bounded(other)

    def __rsub__(self, other: np.ndarray | Number) -> Bounded:
        return -self + other

    def __mul__(self, other: Bounded | np.ndarray | Number) -> Bounded:
        y = self.as_bounded(other)
        error = self.reach * y.error + self.error * np.abs(y.value)
        return self._rounded(self.value * y.value, error)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Bounded | Number) -> Bounded:
        y = self.as_bounded(other)
        least = np.abs(y.value) - y.error
        error = (self.error + np.abs(self.value / y.value) * y.error) / np.where(least > 0, least, 0)
        return self._rounded(self.value / y.value, error, 2)

    def __matmul__(self, other: Bounded) -> Bounded:
        n = self.shape[-1] + 2
        total = self.reach @ other.reach
        carried = self.reach @ other.error + self.error @ np.abs(other.value)
        own = self.of.gamma(n) * total + n * self.of.smallest * (total > 0)
        return Bounded(self.value @ other.value, carried + own, self.of)

    def sum(self, axis: int | None = None) -> Bounded:
        """Over an axis that stays, or over everything."""
        keep = axis is not None
        n = self.value.size if axis is None else self.shape[axis]
        value, error = self.value.sum(axis, keepdims=keep), self.error.sum(axis, keepdims=keep)
        own = self.of.gamma(n + 2) * self.reach.sum(axis, keepdims=keep)
        return Bounded(value, error + own + n * self.of.smallest * (own > 0), self.of)

    def where(self, condition: np.ndarray, one: Bounded, other: Bounded) -> Bounded:
        """The one where the condition holds, the other elsewhere; in two roundings more."""
        value, error = np.where(condition, one.value, other.value), np.where(condition, one.error, other.error)
        return Bounded(value, error + 4 * self.of.u * np.abs(value), self.of)

    def square(self) -> Bounded:
        """As a product or a power."""
        found = self * self
        return Bounded(found.value, found.error + EXP * self.of.u * np.square(self.reach), self.of)

    def log(self) -> Bounded:
        """The natural logarithm."""
        least = self.value - self.error
        value = np.log(self.value)
        carried = np.where(self.error > 0, self.error / np.where(least > 0, least, 0), 0)
        return Bounded(value, carried + EXP * self.of.u * np.abs(value), self.of)

    def absolute(self, value: np.ndarray, steepest: float, units: int) -> Bounded:
        """A function of this with a slope of no more than `steepest` and an own error of so many u."""
        return Bounded(value, steepest * self.error + units * self.of.u + self.of.smallest, self.of)


def affine(W: Bounded, A: Bounded, b: Bounded) -> Bounded:
    """W A + b, with b in the sum from the beginning or added at the end."""
    product = W @ A
    of = W.of
    return Bounded(
        product.value + b.value,
        product.error + b.error + of.gamma(W.shape[-1] + 2) * b.reach + of.u * (product.reach + b.reach),
        of,
    )


def sigmoid(Z: Bounded) -> Bounded:
    """σ(z), no steeper than ¼."""
    return Z.absolute(1 / (1 + np.exp(-Z.value)), 0.25, SIGMOID)


def tanh(Z: Bounded) -> Bounded:
    """Tanh z, no steeper than 1."""
    return Z.absolute(np.tanh(Z.value), 1, TANH)


def relu(Z: Bounded) -> Bounded:
    """max(0, z): rounds nothing."""
    return Bounded(np.maximum(Z.value, 0), Z.error, Z.of)


def leaky_relu(Z: Bounded) -> Bounded:
    """max(0.01 z, z), 0.01 being rounded as well."""
    value = np.where(Z.value > 0, Z.value, Z.value / 100)
    return Bounded(value, Z.error + 2 * Z.of.u * np.abs(value), Z.of)


def identity(Z: Bounded) -> Bounded:
    """The linear "activation"."""
    return Z


def sigmoid_slope(A: Bounded) -> Bounded:
    """a (1 − a), by A = σ(Z)."""
    return A * (1 - A)


def tanh_slope(A: Bounded) -> Bounded:
    """1 − a², by A = tanh Z."""
    return 1 - A.square()


def step(Z: Bounded, below: float, at_zero: float) -> Bounded:
    """The slope of a kinked function: 1 above 0; anything where the sign of z is not known."""
    value = np.where(Z.value > 0, 1, np.where(Z.value < 0, below, at_zero))
    unsure = (np.abs(Z.value) <= Z.error) & (Z.error > 0)
    return Bounded(value, np.where(unsure, 1, Z.of.u * below), Z.of)


ACTIVATIONS: dict[str, Callable[[Bounded], Bounded]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "identity": identity,
}
BELOW = {"relu": 0.0, "leaky_relu": 0.01}
"""The slope on the left of a kink."""
OF_A = {"sigmoid": sigmoid_slope, "tanh": tanh_slope}
"""The slopes that people write in terms of A."""


def slope(name: str, Z: Bounded, at_zero: float | None = None) -> Bounded:
    """g'(Z); at a kink the slope is that of the left side, or `at_zero`."""
    if name in BELOW:
        return step(Z, BELOW[name], BELOW[name] if at_zero is None else at_zero)
    if name == "identity":
        return Bounded(np.ones(Z.shape), 0, Z.of)
    return OF_A[name](ACTIVATIONS[name](Z))
