"""Numbers with the error that rounding may have given them, so that a formula is written once and has its bound.

A `Bounded` is what a formula gives, in longdouble, with the largest distance from it at which somebody's own evaluation
of that formula may end in arithmetic with unit roundoff u. Every operation adds what its own rounding may do, for any
order of summation, with or without fused multiply-add, and wherever a factor 1/m is applied. docs/grading.md derives:

    x @ y, sums of n terms    γ_(n+2) |x||y|, with γ_k = k u / (1 − k u)
    x + y, x − y, x ∗ y       u of the result
    x / k                     2u: multiplied by 1/k, or divided
    exp, log, power, tanh, …  4 ulp, that is 8u relative: the most that NumPy's own loops allow themselves
    σ(z)                      14u absolute: the largest is (1 + tanh(z/2))/2 by 2σ(z) − 1, (17u + 2u)/2
    tanh z                    26u absolute: the largest is (a − b)/(a + b), a = e^z, b = 1/a, 21u
    a (1 − a)                 2u; and of a − a², 8u of a²
    1 − a²                    9u of a², and 3u: (1 − a)(1 + a)
    tanh'(z)                  besides, 24u: 1/cosh² z has 20u, 4/(e^z + e^−z)² 21u, the quotient's derivative 24u
    log(1 + e^z) − y z        12u (|z| + 1) absolute
    its derivative σ(z) − y   13u (|z| + 1) more than σ's own: e^(z − log(1 + e^z))

Errors of what goes in are carried through exactly, second order included. What cannot be bounded has the error inf, and
whatever was computed there is let through. What is infinite whatever its inputs' errors, as log 0 and 1/0 are, has no
error: nothing else is right there. Numbers near the smallest normal one may be flushed to zero, or read as zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from parity.formats import FORMATS
from parity.local import WIDE_ULPS

EXP, SIGMOID, TANH, LOSS = 8, 14, 26, 12
"""In units of u: see above."""

FLUSHED = 16
"""So many smallest normal numbers may be lost in an operation: m ≤ 8 times one that 1/m had made small, and another."""

Number = int | float


@dataclass(frozen=True)
class Rounding:
    """Arithmetic of a format: u, what underflow may take away in an operation, and from where on all is infinite."""

    u: float
    smallest: float
    largest: float

    def gamma(self, n: int) -> float:
        """γ_n = n u / (1 − n u), infinite once n u ≥ 1."""
        return n * self.u / (1 - n * self.u) if n * self.u < 1 else np.inf


def rounding(dtype: str) -> Rounding:
    """Of float64 or float32; longdouble's own, in which all is evaluated, is added."""
    fmt = FORMATS[dtype]
    wide = 2.0 ** -(np.finfo(np.longdouble).nmant + 1)
    return Rounding(fmt.u + WIDE_ULPS * wide, FLUSHED * fmt.smallest_normal, fmt.largest)


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
        whole = isinstance(error, np.ndarray) and error.shape == self.value.shape
        self.error: np.ndarray = error if whole else np.full(self.value.shape, error, np.longdouble)  # type: ignore[assignment]
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

    def first_row(self) -> Bounded:
        """As a matrix."""
        return Bounded(self.value[:1], self.error[:1], self.of)

    def columns(self, first: int, end: int) -> Bounded:
        """Those from the first to before the end."""
        return Bounded(self.value[:, first:end], self.error[:, first:end], self.of)

    def as_bounded(self, other: Bounded | np.ndarray | Number) -> Bounded:
        """A number or an array that is exact."""
        return other if isinstance(other, Bounded) else Bounded(other, 0, self.of)

    @property
    def certain(self) -> np.ndarray:
        """Where the sign is known, or the value is exactly zero: times this, what is infinite stays so."""
        known: np.ndarray = (self.error == 0) | (np.abs(self.value) > self.error)
        return known

    def _made(self, value: np.ndarray, error: np.ndarray, certain: np.ndarray | np.bool) -> Bounded:
        """With an error, but where the value is infinite: there with none, if that is certain, or without a bound."""
        return Bounded(value, np.where(np.isinf(value), np.where(certain, 0, np.inf), error), self.of)

    def _rounded(self, value: np.ndarray, error: np.ndarray, certain: np.ndarray, roundings: int = 1) -> Bounded:
        reach = np.abs(value) + error
        return self._made(value, error + roundings * self.of.u * reach + self.of.smallest * (reach > 0), certain)

    def __add__(self, other: Bounded | np.ndarray | Number) -> Bounded:
        y = self.as_bounded(other)
        error = self.error + y.error
        return self._rounded(self.value + y.value, error, np.isfinite(error))

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.error, self.of)

    def __sub__(self, other: Bounded | np.ndarray | Number) -> Bounded:
        return self + -self.as_bounded(other)

    def __rsub__(self, other: np.ndarray | Number) -> Bounded:
        return -self + other

    def __mul__(self, other: Bounded | np.ndarray | Number) -> Bounded:
        y = self.as_bounded(other)
        error = self.reach * y.error + self.error * np.abs(y.value)
        return self._rounded(self.value * y.value, error, self.certain & y.certain)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Bounded | Number) -> Bounded:
        y = self.as_bounded(other)
        least = np.abs(y.value) - y.error
        error = (self.error + np.abs(self.value / y.value) * y.error) / np.where(least > 0, least, 0)
        return self._rounded(self.value / y.value, error, self.certain & y.certain, 2)

    def __matmul__(self, other: Bounded) -> Bounded:
        n, x, y = self.shape[-1] + 2, self.reach, other.reach
        total = x @ y
        carried = x @ other.error + self.error @ np.abs(other.value)
        flushed = self.of.smallest * (2 * n + x.sum(-1, keepdims=True) + y.sum(-2, keepdims=True))
        certain = self.certain.all(-1, keepdims=True) & other.certain.all(-2, keepdims=True)
        error = carried + self.of.gamma(n) * total + flushed * (total > 0)
        return self._made(self.value @ other.value, error, certain)

    def sum(self, axis: int | None = None) -> Bounded:
        """Over an axis that stays, or over everything."""
        keep = axis is not None
        n = self.value.size if axis is None else self.shape[axis]
        value, error = self.value.sum(axis, keepdims=keep), self.error.sum(axis, keepdims=keep)
        own = self.of.gamma(n + 2) * self.reach.sum(axis, keepdims=keep)
        return self._made(value, error + own + n * self.of.smallest * (own > 0), np.isfinite(error))

    def where(self, condition: np.ndarray, one: Bounded, other: Bounded) -> Bounded:
        """The one where the condition holds, the other elsewhere, in up to four roundings more."""
        value, error = np.where(condition, one.value, other.value), np.where(condition, one.error, other.error)
        return self._made(value, error + 4 * self.of.u * (np.abs(value) + error), np.isfinite(error))

    def or_nearby(self, other: Bounded) -> Bounded:
        """With room for another right way to the same, where the two agree within their errors."""
        if other.shape != self.shape:
            return self
        apart = np.abs(self.value - other.value)
        agree = (apart <= self.error + other.error) & np.isfinite(other.error)
        return Bounded(self.value, np.where(agree, np.maximum(self.error, apart + other.error), self.error), self.of)

    def square(self) -> Bounded:
        """As a product or a power."""
        found = self * self
        return self._made(found.value, found.error + EXP * self.of.u * np.square(self.reach), self.certain)

    def log(self) -> Bounded:
        """The natural logarithm."""
        least = self.value - self.error
        value = np.log(self.value)
        carried = np.where(self.error > 0, self.error / np.where(least > 0, least, 0), 0)
        return self._made(value, carried + EXP * self.of.u * np.abs(value), self.error == 0)

    def at_least(self, least: float) -> Bounded:
        """Cut off below: rounds nothing."""
        return Bounded(np.maximum(self.value, least), np.where(self.value < least, 0, self.error), self.of)

    def absolute(self, value: np.ndarray, steepest: float, units: int) -> Bounded:
        """A function of this with a slope of no more than `steepest` and an own error of so many u."""
        return Bounded(value, steepest * self.error + units * self.of.u + self.of.smallest, self.of)


def exact(value: np.ndarray | Number, of: Rounding) -> Bounded:
    """A number that carries no error, but may be read as zero where it is subnormal."""
    size = np.abs(np.asarray(value, np.longdouble))
    return Bounded(value, np.where(size < of.smallest, size, 0), of)


def affine(W: Bounded, A: Bounded, b: Bounded) -> Bounded:
    """W A + b, with b in the sum from the beginning or added at the end."""
    product = W @ A
    more = Bounded(b.value, b.error + W.of.gamma(W.shape[-1] + 2) * b.reach, W.of)
    return product + more


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
    own = np.where(Z.value - Z.error < 0, 2 * Z.of.u * (np.abs(value) + Z.error) + Z.of.smallest, 0)
    return Bounded(value, Z.error + own, Z.of)


def identity(Z: Bounded) -> Bounded:
    """The linear "activation"."""
    return Z


def softplus(Z: Bounded) -> Bounded:
    """log(1 + e^z), no steeper than 1, which is the loss of the label 0; that of the label 1 is −z's."""
    return Bounded(np.logaddexp(0, Z.value), Z.error + LOSS * Z.of.u * (Z.reach + 1), Z.of)


def output(Z: Bounded) -> Bounded:
    """σ(z) as the derivative of log(1 + e^z), which may be formed as e^(z − log(1 + e^z))."""
    A = sigmoid(Z)
    return Bounded(A.value, A.error + (LOSS + 1) * Z.of.u * (Z.reach + 1), Z.of)


def sigmoid_slope(A: Bounded) -> Bounded:
    """a (1 − a) or a − a², by A = σ(Z)."""
    found = A * (1 - A)
    return Bounded(found.value, found.error + EXP * A.of.u * np.square(A.reach), A.of)


def tanh_slope(A: Bounded) -> Bounded:
    """1 − a² or (1 − a)(1 + a), by A = tanh Z."""
    found = 1 - A.square()
    return Bounded(found.value, found.error + 2 * A.of.u * found.reach, A.of)


def tanh_slope_of_Z(Z: Bounded) -> Bounded:
    """The same, 1/cosh² z, 4/(e^z + e^−z)², or the derivative of a quotient of these."""
    found = tanh_slope(tanh(Z))
    return Bounded(found.value, found.error + 3 * EXP * Z.of.u * found.reach, Z.of)


def step(Z: Bounded, below: float, at_zero: float) -> Bounded:
    """The slope of a kinked function: 1 above 0; anything where the sign of z is not known."""
    value = np.where(Z.value > 0, 1, np.where(Z.value < 0, below, at_zero))
    return Bounded(value, np.where(Z.certain, Z.of.u * value, 1), Z.of)


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
    return tanh_slope_of_Z(Z) if name == "tanh" else OF_A[name](ACTIVATIONS[name](Z))
