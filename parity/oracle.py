"""The exact value of every quantity, in ball arithmetic (python-flint's Arb), with a certified error.

A ball is a midpoint with a radius that provably encloses the true value; matrices of balls evaluate the notes'
formulas on a whole data set. The inputs are those that the implementations get, rounding to their format included.
The precision is raised until every radius is below a thousandth of a unit in the last place of the format under
test. This module imports no framework and shares no code with any implementation: where it can, it computes by another
formula (σ(z) σ(−z) for a (1 − a), softplus(∓z) for the loss), which loses nothing to cancellation.

On an exact problem e^−|z| with |z| ≥ 768, which is zero in every format, is zero here too: its values are then exact
numbers and their radius is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx

from parity.formats import FORMATS, Format
from parity.problems import NETWORKS, Problem
from parity.problems.parameters import layered

SATURATED = 768
"""Below 746, e^−z does not vanish in float64, and where all else cancels its last bit shows."""

FIRST_PRECISION = 192
LAST_PRECISION = 12288
"""Bits. A network of normal numbers is done at the first; the last is for a quantity that no precision can decide."""

Balls = list[arb]


class Undecided(ArithmeticError):
    """No precision tried tells on which side of a kink a pre-activation lies."""


@dataclass(frozen=True)
class Exact:
    """The exact value of a quantity as an unevaluated sum of two float64 arrays, with its certified error.

    Attributes
    ----------
    high, low : array
        The value is high + low, high being the nearest float64; low is 0 where the format is narrower.
    radius : float or array
        No element of the true value is further from high + low than this many ulp of the format under test, or than
        that of u times the largest element, where it is smaller than that.
    """

    high: np.ndarray
    low: np.ndarray
    radius: float | np.ndarray

    def error_of(self, computed: np.ndarray) -> np.ndarray:
        """computed − exact, element by element; computed in float64."""
        with np.errstate(invalid="ignore"):  # inf − inf, where an implementation overflowed
            return (computed - self.high) - self.low

    def certified(self, fmt: Format) -> np.ndarray:
        """The radius of every element as a number."""
        return self.radius * fmt.ulp(np.maximum(np.abs(self.high), _floor(fmt, self.high)))


def exact(problem: Problem, dtype: str) -> dict[str, Exact]:
    """Every quantity of `problem` as its inputs in `dtype` determine it, in the order of computation.

    Raises
    ------
    Undecided
        A pre-activation cannot be told from a kink's argument, or a value overflows float64.
    """
    fmt = FORMATS[dtype]
    precision = FIRST_PRECISION
    while True:
        last = precision >= LAST_PRECISION
        with working_precision(precision):
            try:
                found = {name: _extract(fmt, *value) for name, value in _evaluate(problem, dtype)}
                unsure = [name for name, value in found.items() if not value.radius <= 1 / 1000]
                if not unsure:
                    return found
                if last:
                    raise Undecided(f"no exact value: {unsure[0]} overflows, or cancels beyond {precision} bits")
            except Undecided:
                if last:
                    raise
        precision *= 4


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Bits of all ball arithmetic inside the block."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def _extract(fmt: Format, balls: Balls, shape: tuple[int, ...]) -> Exact:
    """Midpoints as a sum of two float64, the largest radius in ulp of the elements.

    An element that cancels to zero has no relative accuracy: its ulp is at least that of 2^−p times the largest.
    """
    high = np.array([float(x.mid()) for x in balls])
    low = np.zeros_like(high)  # a float64 alone is 29 bits finer than float32
    if fmt.p == FORMATS["float64"].p:
        low = np.array([float((x - arb(h)).mid()) if h else 0.0 for x, h in zip(balls, high.tolist(), strict=True)])
    radius = np.array([float(x.rad()) for x in balls])
    ulps = float(np.max(radius / fmt.ulp(np.maximum(np.abs(high), _floor(fmt, high))), initial=0))
    ulps = ulps if np.all(np.isfinite(high)) else np.inf
    return Exact(high.reshape(shape), low.reshape(shape), ulps)


def _floor(fmt: Format, high: np.ndarray) -> float:
    """What cancels below this has no relative accuracy."""
    return fmt.u * float(np.max(np.abs(high), initial=0))


def _evaluate(problem: Problem, dtype: str) -> Iterator[tuple[str, tuple[Balls, tuple[int, ...]]]]:
    params, X, Y = problem.inputs(dtype)
    if problem.model in NETWORKS:
        rate = None if problem.learning_rate is None else arb(float(FORMATS[dtype].dtype.type(problem.learning_rate)))
        network = _Network(params, X, Y, problem.activations, FORMATS[dtype], problem.exact)
        if rate is not None and problem.iterations:
            yield from network.training(rate, problem.iterations)
        else:
            yield from network.one_pass(rate)
    elif problem.model == "computation_graph":
        yield from _computation_graph(*(arb(float(params[name])) for name in "abc"))
    else:
        functions = _DERIVATIVES if problem.model == "derivatives" else _activations(FORMATS[dtype])
        for name, (g, g_prime) in functions.items():
            points = [arb(float(x)) for x in X.ravel()]
            yield name, ([g(x) for x in points], X.shape)
            yield "d" + name, ([g_prime(x) for x in points], X.shape)


def _computation_graph(a: arb, b: arb, c: arb) -> Iterator[tuple[str, tuple[Balls, tuple[int, ...]]]]:
    """J = 3(a + bc), with the derivatives of its expansion 3a + 3bc (N7)."""
    three = arb(3)
    values = {"u": b * c, "v": a + b * c, "J": three * a + three * b * c}
    slopes = {"dv": three, "du": three, "da": three, "db": three * c, "dc": three * b}
    for name, value in (values | slopes).items():
        yield name, ([value], ())


_DERIVATIVES: dict[str, tuple[Callable[[arb], arb], Callable[[arb], arb]]] = {
    "triple": (lambda a: 3 * a, lambda a: arb(3)),
    "square": (lambda a: a * a, lambda a: a + a),
    "cube": (lambda a: a * a * a, lambda a: 3 * a * a),
    "log": (lambda a: a.log(), lambda a: 1 / a),
}


def _sigmoid(z: arb) -> arb:
    return 1 / (1 + (-z).exp())


def _softplus(z: arb) -> arb:
    return z.exp().log1p()


def _saturating(g: Callable[[arb], arb], below: arb | None, above: arb | None) -> Callable[[arb], arb]:
    """g with its limits in place of its values where |z| ≥ 768; None stands for z itself."""

    def limited(z: arb) -> arb:
        if abs(z) < SATURATED:
            return g(z)
        limit = above if z > 0 else below
        return z if limit is None else limit

    return limited


def _positive(z: arb) -> bool:
    """Whether z > 0; at zero, which only an exact ball can show, it is not: the project's convention at a kink."""
    if z > 0:
        return True
    if z <= 0:
        return False
    raise Undecided(
        "no exact value: no precision tells whether a pre-activation is zero, where its activation has a kink"
    )


def _activations(fmt: Format) -> dict[str, tuple[Callable[[arb], arb], Callable[[arb], arb]]]:
    """g and g' of every activation; the slope 0.01 is what it is in the format."""
    slope = arb(float(np.asarray(0.01, fmt.dtype)))
    quarter = arb(1) / 4
    one, zero = arb(1), arb(0)
    return {
        "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * _sigmoid(-z)),
        "tanh": (arb.tanh, lambda z: z.sech() ** 2),
        "relu": (lambda z: z if _positive(z) else zero, lambda z: one if _positive(z) else zero),
        "leaky_relu": (lambda z: z if _positive(z) else slope * z, lambda z: one if _positive(z) else slope),
        "leaky_relu_exact": (lambda z: z if _positive(z) else z / 4, lambda z: one if _positive(z) else quarter),
        "identity": (lambda z: z, lambda z: one),
    }


def _saturating_activations(fmt: Format) -> dict[str, tuple[Callable[[arb], arb], Callable[[arb], arb]]]:
    """The same on an exact problem."""
    table, one, zero = _activations(fmt), arb(1), arb(0)
    (sigmoid, sigmoid_slope), (tanh, tanh_slope) = table["sigmoid"], table["tanh"]
    return table | {
        "sigmoid": (_saturating(sigmoid, zero, one), _saturating(sigmoid_slope, zero, zero)),
        "tanh": (_saturating(tanh, -one, one), _saturating(tanh_slope, zero, zero)),
    }


class _Network:
    """A network of any depth; logistic regression is L = 1 under other names (N20)."""

    def __init__(
        self,
        params: dict[str, np.ndarray],
        X: np.ndarray,
        Y: np.ndarray,
        activations: tuple[str, ...],
        fmt: Format,
        saturating: bool,
    ) -> None:
        self.logistic = "w" in params
        if self.logistic:
            params = layered(params)
        self.L, self.m = len(activations), X.shape[1]
        self.params = {name: matrix(p) for name, p in params.items()}
        self.A0, self.labels = matrix(X), [bool(y) for y in Y.ravel()]
        table = _saturating_activations(fmt) if saturating else _activations(fmt)
        self.g = [table[name] for name in activations]
        self.sigma = table["sigmoid"][0]
        self.softplus = _saturating(_softplus, arb(0), None) if saturating else _softplus

    def one_pass(self, rate: arb | None) -> Iterator[tuple[str, tuple[Balls, tuple[int, ...]]]]:
        """Forward, cost, backward, and the parameters after one update."""
        found = self._forward_and_backward()
        if rate is not None:
            found |= {f"new_{name}": p - found[f"d{name}"] * rate for name, p in self.params.items()}
        for name, value in found.items():
            yield self._named(name, value)

    def training(self, rate: arb, iterations: int) -> Iterator[tuple[str, tuple[Balls, tuple[int, ...]]]]:
        """The costs before each update and the parameters after the last."""
        costs = []
        for _ in range(iterations):
            found = self._forward_and_backward()
            costs.append(found["J"][0, 0])
            self.params = {name: p - found[f"d{name}"] * rate for name, p in self.params.items()}
        yield "costs", (costs, (iterations,))
        for name, value in self.params.items():
            yield self._named(name, value)

    def _forward_and_backward(self) -> dict[str, arb_mat]:
        found: dict[str, arb_mat] = {}
        A = [self.A0]
        for l in range(1, self.L + 1):
            Z = self.params[f"W{l}"] * A[-1] + _wide(self.params[f"b{l}"], self.m)
            A.append(each(self.g[l - 1][0], Z))
            found |= {f"Z{l}": Z, f"A{l}": A[-1]}
        logits = found[f"Z{self.L}"]
        toward = [z if not y else -z for z, y in zip(logits.entries(), self.labels, strict=True)]
        J = sum((self.softplus(t) for t in toward), arb(0)) / self.m  # log(1 + e^z) − y z with y = 0 or 1
        found["J"] = arb_mat([[J]])
        wrong = [self.sigma(t) if not y else -self.sigma(t) for t, y in zip(toward, self.labels, strict=True)]
        dZ = arb_mat(logits.nrows(), self.m, wrong)  # a − y, without its cancellation
        for l in range(self.L, 0, -1):
            found[f"dZ{l}"] = dZ
            found[f"dW{l}"] = dZ * A[l - 1].transpose() / self.m
            found[f"db{l}"] = dZ * arb_mat(self.m, 1, [1] * self.m) / self.m
            if l > 1:
                slopes = each(self.g[l - 2][1], found[f"Z{l - 1}"])
                dA = self.params[f"W{l}"].transpose() * dZ
                products = [d * s for d, s in zip(dA.entries(), slopes.entries(), strict=True)]
                dZ = arb_mat(dA.nrows(), self.m, products)
        return found

    def _named(self, name: str, value: arb_mat) -> tuple[str, tuple[Balls, tuple[int, ...]]]:
        """The quantity under the problem's names and shapes."""
        if name == "J":
            return name, (value.entries(), ())
        if not self.logistic:
            return name, (value.entries(), (value.nrows(), value.ncols()))
        name = name.removesuffix("1").replace("W", "w")
        if name.endswith("b"):
            return name, (value.entries(), ())
        rows_and_columns = (value.nrows(), value.ncols())
        return name, (value.entries(), rows_and_columns[::-1] if name.endswith("w") else rows_and_columns)


def matrix(array: np.ndarray) -> arb_mat:
    """Exact: every finite float is a ball of radius zero."""
    rows, columns = array.shape
    return arb_mat(rows, columns, array.astype(np.float64).ravel().tolist())


def _wide(b: arb_mat, m: int) -> arb_mat:
    """The column b once for every example."""
    return b * arb_mat(1, m, [1] * m)


def each(g: Callable[[arb], arb], Z: arb_mat) -> arb_mat:
    """g of every element."""
    return arb_mat(Z.nrows(), Z.ncols(), [g(z) for z in Z.entries()])
