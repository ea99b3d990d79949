"""Well-known mistakes, each a formula for a quantity: what it would be if that, and nothing else, were wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.formats import Format
from parity.local import ACTIVATIONS
from parity.problems import NETWORKS, Problem
from parity.problems.parameters import layered

KINK, UNCHANGED = "another convention at the kink", "no update"
EPSILONS = range(5, 17)
"""Powers of ten that people add or clamp at: 1e-5 … 1e-16."""

LOGITS = (10, 20, 30, 50, 100, 500)
"""Where people clamp logits."""

Named = tuple[str, np.ndarray | float]


@dataclass(frozen=True)
class Difference:
    """A quantity that differs, and what it was made of.

    Attributes
    ----------
    quantity : str
        Its name in the notes.
    computed, target, bound : array
        In float64: what was found, what its formula gives, and how far rounding may take it from there.
    inputs : mapping
        Every quantity of the pass by its name, as the implementation has it, or else its exact value.
    """

    problem: Problem
    fmt: Format
    quantity: str
    computed: np.ndarray
    target: np.ndarray
    bound: np.ndarray
    inputs: Mapping[str, np.ndarray]


def slack(d: Difference, candidate: np.ndarray) -> np.ndarray:
    """How far rounding may take an implementation that makes this mistake from the candidate's value."""
    of_all = np.max(np.abs(candidate), initial=0) / max(np.max(np.abs(d.target), initial=0), 2.0**-1000)
    of_each = np.where(d.bound == 0, 1, np.abs(candidate) / np.maximum(np.abs(d.target), d.bound))
    near: np.ndarray = d.bound * np.maximum(np.maximum(of_all, of_each), 1) + 4 * d.fmt.u * np.abs(candidate)
    return near


def general(d: Difference) -> Iterator[Named]:
    """A factor, a sign, a transpose, for any quantity."""
    yield "a sign", -d.target
    yield "zero", 0.0 * d.target
    factors: dict[str, float] = {"2": 2, "1/2": 1 / 2}
    if d.problem.model in NETWORKS:
        m, n_x, n_y = d.problem.m, d.problem.X.shape[0], d.problem.Y.shape[0]
        factors |= {"m": m, "1/m": 1 / m, "m²": m**2, "1/m²": 1 / m**2, "1/n_y": 1 / n_y}
        factors |= {"m/n_x": m / n_x, "n_x/m": n_x / m, "n_x": n_x, "1/n_x": 1 / n_x}
    for name, factor in factors.items():
        if factor != 1:
            yield f"a factor {name}", factor * d.target
    if d.target.ndim == 2 and d.target.shape[0] == d.target.shape[1] > 1:
        yield "a transpose", d.target.T


def of_formula(d: Difference) -> Iterator[Named]:
    """Mistakes in the formula of this very quantity."""
    if d.problem.model == "activations":
        X = d.problem.inputs(d.fmt.name)[1].astype(np.longdouble)
        for name, (g, slope) in ACTIVATIONS.items():
            yield name, g(X)
            yield f"the derivative of {name}", slope(X)
    if d.problem.model not in NETWORKS or d.problem.iterations:
        return
    one = Pass(d)
    rules = {"Z": _of_Z, "A": _of_A, "J": _of_J, "dW": _of_dW, "db": _of_db, "new": _of_update}
    rule = (_of_output if one.l == one.L else _of_hidden) if one.kind == "dZ" else rules[one.kind]
    for name, value in rule(one):
        yield one.in_its_words(name), one.in_its_shape(np.asarray(value))


class Pass:
    """The values of one pass in longdouble under a network's names, by which logistic regression is L = 1."""

    def __init__(self, d: Difference) -> None:
        params, X, Y = d.problem.inputs(d.fmt.name)
        v, name, self.logistic = dict(d.inputs), d.quantity, d.problem.model == "logistic_regression"
        self.transposed = self.logistic and name.endswith("w")
        if self.logistic:
            params = layered(params)
            v, (name,) = layered(v), layered({name: d.computed})
        self.v = {k: np.asarray(a, np.longdouble) for k, a in (v | params | {"A0": X}).items()}
        self.Y, self.m, self.L = Y.astype(np.longdouble), d.problem.m, len(d.problem.activations)
        self.alpha, self.names, self.shape = d.problem.learning_rate, d.problem.activations, d.computed.shape
        self.kind = "new" if name.startswith("new_") else name.rstrip("0123456789")
        self.l = 0 if name == "J" else int(re.sub("[^0-9]", "", name))
        self.parameter, self.dtype = name.removeprefix("new_"), d.fmt.dtype
        self.slack = slack(d, d.target).T if self.transposed else slack(d, d.target)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.v[name]

    def in_its_shape(self, value: np.ndarray) -> np.ndarray:
        """As the problem has it: w a column, b and J without axes."""
        value = value.T if self.transposed else value
        return value.reshape(self.shape) if value.size == np.prod(self.shape, dtype=int) else value

    def in_its_words(self, name: str) -> str:
        """With X for A0, and without layers for logistic regression."""
        name = name.replace("A0", "X")
        return re.sub("(?<=[AZWb])1", "", name).replace("W", "w") if self.logistic else name

    def like(self, *names: str) -> Iterator[tuple[str, np.ndarray]]:
        """Those of the quantities that are there."""
        return ((name, self.v[name]) for name in names if name in self.v)

    def activation(self, name: str) -> Callable[[np.ndarray], np.ndarray]:
        """g by its name."""
        return ACTIVATIONS[name][0]

    def slope(self, name: str) -> Callable[[np.ndarray], np.ndarray]:
        """g' by its name."""
        return ACTIVATIONS[name][1]


def _of_Z(p: Pass) -> Iterator[Named]:
    l = p.l
    W, A, b = p[f"W{l}"], p[f"A{l - 1}"], p[f"b{l}"]
    yield "the bias left out", W @ A
    yield "the bias subtracted", W @ A - b
    yield "the bias added twice", W @ A + 2 * b
    if W.shape[0] == W.shape[1]:
        yield f"W{l} transposed", W.T @ A + b
    if W.shape == A.shape:
        yield "∗ in place of a matrix product", W * A + b
    if W.shape[0] == A.shape[1]:
        yield f"A{l - 1} W{l} in place of W{l} A{l - 1}", A @ W + b if A.shape[0] == W.shape[1] else W @ A + b
        yield f"b{l} along the wrong axis", W @ A + b.T
    for name, other in p.like(f"Z{l - 1}", f"A{l - 2}"):
        if other.shape == A.shape:
            yield f"{name} in place of A{l - 1}", W @ other + b


def _of_A(p: Pass) -> Iterator[Named]:
    Z, own = p[f"Z{p.l}"], p.names[p.l - 1]
    for name in ACTIVATIONS:
        if name != own:
            yield f"{name} in place of {own}", p.activation(name)(Z)
    yield f"{own}(−Z)", p.activation(own)(-Z)
    yield f"the derivative of {own}", p.slope(own)(Z)
    for power in EPSILONS:
        e = 10.0**-power
        yield f"an epsilon of 1e-{power} added", p.activation(own)(Z) + e
        yield f"a clamp of probabilities at 1e-{power}", np.clip(p.activation(own)(Z), e, 1 - e)
    for z in LOGITS:
        yield f"pre-activations clamped at ±{z}", p.activation(own)(np.clip(Z, -z, z))


def _of_J(p: Pass) -> Iterator[Named]:
    Z, Y, m = p[f"Z{p.L}"], p.Y, p.m
    yield "the term of y = 1 alone", _losses(Z, Y)[Y == 1].sum() / m
    yield "the term of y = 0 alone", _losses(Z, Y)[Y == 0].sum() / m
    yield "the labels exchanged", _losses(Z, 1 - Y).sum() / m
    yield "a logarithm to base 2", _losses(Z, Y).sum() / m / np.log(np.longdouble(2))
    for z in LOGITS:
        yield f"logits clamped at ±{z}", _losses(np.clip(Z, -z, z), Y).sum() / m
        yield f"losses capped at {z}", np.minimum(_losses(Z, Y), z).sum() / m
    yield "log(1 + e^z) as z from z = 20 on", np.where(Z > 20, (1 - Y) * Z, _losses(Z, Y)).sum() / m
    # in the format itself: 1 − a has lost what these mistakes depend on
    A, Y = p[f"A{p.L}"].astype(p.dtype), Y.astype(p.dtype)
    log_1, log_0 = np.log(A), np.log(1 - A)
    yield "a clamp of log at −100", -(Y * np.maximum(log_1, -100) + (1 - Y) * np.maximum(log_0, -100)).sum() / m
    for power in EPSILONS:
        e = p.dtype.type(10.0**-power)
        yield f"an epsilon of 1e-{power} inside the log", -(Y * np.log(A + e) + (1 - Y) * np.log(1 - A + e)).sum() / m
        a = np.clip(A, e, 1 - e)
        yield f"a clamp of probabilities at 1e-{power}", -(Y * np.log(a) + (1 - Y) * np.log(1 - a)).sum() / m
    yield from _other_examples(p, _losses(Z, p.Y).sum(axis=0)[None, :], np.ones((1, m), np.longdouble))


def _losses(Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, np.where(Y == 1, -Z, Z))


def _of_output(p: Pass) -> Iterator[Named]:
    L, Y = p.L, p.Y
    Z, A = p[f"Z{L}"], p[f"A{L}"]
    right = p.activation("sigmoid")(Z) - Y
    yield f"A{L} without − Y", A
    yield "the labels exchanged", p.activation("sigmoid")(Z) - (1 - Y)
    yield "an extra factor σ'(Z)", right * p.slope("sigmoid")(Z)
    yield f"dA{L} in place of dZ{L}", -Y / A + (1 - Y) / (1 - A)
    for c in (-1, -0.5, 0.5, 1):
        yield "the kink of a cost made of max and |z|, at logit 0", right + np.where(Z == 0, c, 0)
    for power in EPSILONS:
        e = 10.0**-power
        yield f"a clamp of probabilities at 1e-{power}", np.where((A >= e) & (A <= 1 - e), right, 0)
    yield "a clamp of log at −100", np.where((A > 0) & (A < 1), right, 0)
    for z in LOGITS:
        yield f"logits clamped at ±{z}", np.where(np.abs(Z) < z, right, 0)


def _of_hidden(p: Pass) -> Iterator[Named]:
    l, own = p.l, p.names[p.l - 1]
    W, dZ, Z, A = p[f"W{l + 1}"], p[f"dZ{l + 1}"], p[f"Z{l}"], p[f"A{l}"]
    dA, slope = W.T @ dZ, p.slope(own)(Z)
    left = float(p.slope(own)(np.zeros(1, np.longdouble))[0])
    for at_zero in (0, 0.5, 1, (1 + left) / 2):
        yield f"{KINK}, g'(0) = {at_zero:.3g}", dA * np.where(Z == 0, at_zero, slope)
    yield f"no factor g'(Z{l})", dA
    yield "g in place of g'", dA * p.activation(own)(Z)
    yield f"g' of A{l}", dA * p.slope(own)(A)
    yield f"1 − Z{l}² in place of 1 − A{l}²", dA * (1 - Z**2)
    yield f"an extra factor Z{l}", dA * slope * Z
    yield "g' twice", dA * slope**2
    for name in ACTIVATIONS:
        if name != own:
            yield f"the derivative of {name}, not of {own}", dA * p.slope(name)(Z)
    for name, other in p.like(f"dW{l + 1}"):
        yield f"{name} in place of W{l + 1}", (other.T @ dZ) * slope
        if p.alpha is not None:
            yield f"W{l + 1} after its update", ((W - p.alpha * other).T @ dZ) * slope
    if W.shape[0] == W.shape[1]:
        yield f"W{l + 1} not transposed", (W @ dZ) * slope
        yield f"no W{l + 1}", dZ * slope
    for k in range(1, p.L + 1):
        last = p[f"W{k}"].T @ p[f"dZ{k}"]
        if k != l + 1 and last.shape == Z.shape:
            yield f"dA{k - 1} in place of dA{l}", last * slope
        if k != l and p[f"Z{k}"].shape == Z.shape:
            yield f"g'(Z{k}) in place of g'(Z{l})", dA * p.slope(own)(p[f"Z{k}"])


def _of_dW(p: Pass) -> Iterator[Named]:
    l, m = p.l, p.m
    dZ, A = p[f"dZ{l}"], p[f"A{l - 1}"]
    for k in range(p.L + 1):
        for name, other in p.like(f"A{k}", f"Z{k}"):
            if name != f"A{l - 1}" and other.shape == A.shape:
                yield f"{name} in place of A{l - 1}", dZ @ other.T / m
    for k in range(1, p.L + 1):
        for name, other in p.like(f"A{k}", f"Z{k}", f"dZ{k}"):
            if name != f"dZ{l}" and other.shape == dZ.shape:
                yield f"{name} in place of dZ{l}", other @ A.T / m
    if dZ.shape[0] == dZ.shape[1]:
        yield f"dZ{l} transposed", dZ.T @ A.T / m
    if l < p.L:
        yield f"dA{l} in place of dZ{l}", (p[f"W{l + 1}"].T @ p[f"dZ{l + 1}"]) @ A.T / m
    yield from _other_examples(p, dZ, A)


def _of_db(p: Pass) -> Iterator[Named]:
    dZ, m = p[f"dZ{p.l}"], p.m
    yield "a sum over the units as well", np.broadcast_to(dZ.sum() / m, (dZ.shape[0], 1))
    if dZ.shape[0] == dZ.shape[1]:
        yield "a sum over the units, not over the examples", dZ.sum(axis=0)[:, None] / m
    yield "an average over the units as well", np.broadcast_to(dZ.mean(), (dZ.shape[0], 1))
    yield from _other_examples(p, dZ, np.ones((1, m), np.longdouble))


def _other_examples(p: Pass, left: np.ndarray, right: np.ndarray) -> Iterator[Named]:
    """(1/m) Σ left rightᵀ over other examples than every one of them once; those that add nothing show nothing."""
    m = p.m
    total = left @ right.T
    yield "a sum that starts at 1", (total + 1) / m
    yield "an average over m − 1 examples", total / max(m - 1, 1)
    yield "an average over m + 1 examples", total / (m + 1)
    for what, i in (("first", 0), ("last", m - 1)):
        one = np.outer(left[:, i], right[:, i])
        yield f"the {what} example alone", one
        yield f"the {what} example alone, divided by m", one / m
    for i in range(m):
        one = np.outer(left[:, i], right[:, i])
        if not np.any(np.abs(one) / m > p.slack.reshape(one.shape)):
            continue
        yield f"example {i} left out", (total - one) / m
        yield f"example {i} left out", (total - one) / max(m - 1, 1)
        yield f"example {i} counted twice", (total + one) / m
        yield f"example {i} counted twice", (total + one) / (m + 1)


def _of_update(p: Pass) -> Iterator[Named]:
    value, gradient, alpha = p[p.parameter], p[f"d{p.parameter}"], p.alpha or 0.0
    yield "a step uphill: + in place of −", value + alpha * gradient
    yield "no α", value - gradient
    yield "α/m", value - alpha * gradient / p.m
    yield "α m", value - alpha * gradient * p.m
    yield UNCHANGED, value
    yield "α²", value - alpha**2 * gradient
    yield "two steps", value - 2 * alpha * gradient
    yield "half a step", value - alpha * gradient / 2
    yield "the step alone", -alpha * gradient
    if gradient.shape[0] == gradient.shape[1]:
        yield "the gradient transposed", value - alpha * gradient.T
