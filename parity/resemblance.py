"""What a wrong value is, where it is a well-known mistake: each is a formula, held against what was computed.

A label is given only where every element is explained within its bound, and 'unknown' where nothing explains all of
them. Where several do, all are named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.formats import Format
from parity.local import ACTIVATIONS, rounded, targets
from parity.problems import NETWORKS, Problem
from parity.problems.parameters import layered

UNKNOWN, KINK = "unknown", "another convention at the kink"
EPSILONS = range(5, 17)
"""Powers of ten that people add or clamp at: 1e-5 … 1e-16."""

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


def resemblance(difference: Difference) -> str:
    """The mistakes that explain every element, joined by 'or'; else what can be said of where it differs."""
    d = difference
    if not np.all(np.isfinite(d.computed)):
        return "not finite"
    with np.errstate(all="ignore"):  # a mistaken formula may do anything
        found = [name for name, candidate in _general(d) if _explains(d, candidate)]
        found = found or _told_apart(d, [(name, candidate) for name, candidate in _of_formula(d)])
        rest = "" if found else _precision(d) or _place(d) or UNKNOWN
    kinks = [name for name in found if name.startswith(KINK)]
    return " or ".join(list(dict.fromkeys(kinks or found))[:3]) or rest


def _explains(d: Difference, candidate: np.ndarray | float) -> bool:
    """Whether every element is within its bound of the candidate's, the bound scaled alike, and the target is not.

    The candidate may have been rounded four times more than the right formula, which is 4u of it.
    """
    candidate = np.asarray(candidate, dtype=np.float64)
    if candidate.shape not in ((), d.computed.shape) or not np.all(np.isfinite(candidate)):
        return False
    of_all = np.max(np.abs(candidate), initial=0) / max(np.max(np.abs(d.target), initial=0), 2.0**-1000)
    of_each = np.where(d.bound == 0, 1, np.abs(candidate) / np.maximum(np.abs(d.target), d.bound))
    slack = d.bound * np.maximum(np.maximum(of_all, of_each), 1) + 4 * d.fmt.u * np.abs(candidate)
    return bool(np.all(np.abs(d.computed - candidate) <= slack)) and bool(np.any(np.abs(d.target - candidate) > slack))


def _told_apart(d: Difference, candidates: list[Named]) -> list[str]:
    """The names of those that explain it; for a single number only if so many would not meet it by chance.

    The mistakes with one example are 4m candidates for it. By chance they cover a share of the range over which they
    spread; it must be less than 1/m.
    """
    found = [(name, candidate) for name, candidate in candidates if _explains(d, candidate)]
    single = [float(np.asarray(c).flat[0]) for name, c in candidates if name.startswith("example")]
    if d.computed.size == 1 and single:
        slack = float(d.bound.flat[0]) + 4 * d.fmt.u * max(map(abs, single))
        covered, spread = 2 * slack * len(single), max(single) - min(single)
        if not covered * d.problem.m < spread:
            found = [(name, candidate) for name, candidate in found if not name.startswith("example")]
    return [name for name, _ in found]


def _general(d: Difference) -> Iterator[Named]:
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


def _of_formula(d: Difference) -> Iterator[Named]:
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
        yield f"a clamp of probabilities at 1e-{power}", np.clip(p.activation(own)(Z), e, 1 - e)


def _of_J(p: Pass) -> Iterator[Named]:
    Z, Y, m = p[f"Z{p.L}"], p.Y, p.m
    yield "the term of y = 1 alone", _losses(Z, Y)[Y == 1].sum() / m
    yield "the term of y = 0 alone", _losses(Z, Y)[Y == 0].sum() / m
    yield "the labels exchanged", _losses(Z, 1 - Y).sum() / m
    yield "a logarithm to base 2", _losses(Z, Y).sum() / m / np.log(np.longdouble(2))
    # in the format itself: 1 − a has lost what these mistakes depend on
    A, Y = p[f"A{p.L}"].astype(p.dtype), Y.astype(p.dtype)
    log_1, log_0 = np.log(A), np.log(1 - A)
    yield "a clamp of log at −100", -(Y * np.maximum(log_1, -100) + (1 - Y) * np.maximum(log_0, -100)).sum() / m
    for power in EPSILONS:
        e = p.dtype.type(10.0**-power)
        yield f"an epsilon of 1e-{power} inside the log", -(Y * np.log(A + e) + (1 - Y) * np.log(1 - A + e)).sum() / m
        a = np.clip(A, e, 1 - e)
        yield f"a clamp of probabilities at 1e-{power}", -(Y * np.log(a) + (1 - Y) * np.log(1 - a)).sum() / m
    yield from _other_examples(_losses(Z, p.Y).sum(axis=0)[None, :], np.ones((1, m), np.longdouble), m)


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
    yield from _other_examples(dZ, A, m)


def _of_db(p: Pass) -> Iterator[Named]:
    dZ, m = p[f"dZ{p.l}"], p.m
    yield "a sum over the units as well", np.broadcast_to(dZ.sum() / m, (dZ.shape[0], 1))
    if dZ.shape[0] == dZ.shape[1]:
        yield "a sum over the units, not over the examples", dZ.sum(axis=0)[:, None] / m
    yield "an average over the units as well", np.broadcast_to(dZ.mean(), (dZ.shape[0], 1))
    yield from _other_examples(dZ, np.ones((1, m), np.longdouble), m)


def _other_examples(left: np.ndarray, right: np.ndarray, m: int) -> Iterator[Named]:
    """(1/m) Σ left rightᵀ over other examples than every one of them once."""
    total = left @ right.T
    yield "a sum that starts at 1", (total + 1) / m
    yield "an average over m − 1 examples", total / max(m - 1, 1)
    for what, i in (("first", 0), ("last", m - 1)):
        one = np.outer(left[:, i], right[:, i])
        yield f"the {what} example alone", one
        yield f"the {what} example alone, divided by m", one / m
    for i in range(m):
        one = np.outer(left[:, i], right[:, i])
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
    yield "no update", value
    yield "α²", value - alpha**2 * gradient
    yield "two steps", value - 2 * alpha * gradient
    yield "half a step", value - alpha * gradient / 2
    yield "the step alone", -alpha * gradient
    if gradient.shape[0] == gradient.shape[1]:
        yield "the gradient transposed", value - alpha * gradient.T


PRECISIONS = {"bfloat16": 8, "TF32/float16": 11, "float32": 24}
"""Bits of the significand, for the narrower arithmetic that may hide inside a wider one; what fits 8 bits fits 11."""


def _precision(d: Difference) -> str:
    """The narrower arithmetic that shows: the result has no more bits, or rounded inputs explain the error.

    What is wrong for another reason is in the way of neither, so both are asked for in all elements. A bias is taken
    off before, and a factor 1/m, since they may be applied in the wide format.
    """
    error = np.abs(d.computed - d.target)
    near = d.bound + 4 * d.fmt.u * np.abs(d.target)
    narrower = {
        name: bits
        for name, bits in PRECISIONS.items()
        if bits < d.fmt.p and np.all(error <= np.ldexp(near, d.fmt.p - bits))
    }
    for name, bits in narrower.items():
        if d.computed.size == 1 and bits < PRECISIONS["float32"]:
            continue  # one number may have few bits by chance
        if any(_has_bits(d, value, bits) for value in _undone(d)):
            return f"{name} inside {d.fmt.name}"
    for name, bits in narrower.items():
        if d.computed.size > 1 and d.problem.model in NETWORKS and not d.problem.iterations:
            of_rounded = targets(d.problem, d.fmt.name, dict(d.inputs), bits).get(d.quantity)
            if of_rounded is not None and _explains(d, of_rounded):
                return f"inputs in {name} inside {d.fmt.name}"
    return ""


def _undone(d: Difference) -> Iterator[np.ndarray]:
    """What was computed, before what may have been done to it in the wide format."""
    yield d.computed
    if d.computed.size > 1:
        yield d.computed * d.problem.m
    if d.quantity.startswith("Z"):
        yield d.computed - np.asarray(d.problem.inputs(d.fmt.name)[0][f"b{d.quantity[1:]}"], np.float64)


def _has_bits(d: Difference, value: np.ndarray, bits: int) -> bool:
    """Whether no element has more bits, but for the rounding that it was undone with, and the targets have."""
    spare = 2 * d.fmt.u * np.maximum(np.abs(value), np.abs(d.computed))
    short = np.abs(value - rounded(value, bits)) <= spare
    return bool(np.all(short)) and not np.array_equal(d.target, rounded(d.target, bits))


def _place(d: Difference) -> str:
    """Where it differs, if that is a part of it: one element, one row, one column."""
    outside = np.abs(d.computed - d.target) > d.bound
    if outside.ndim < 2 or outside.size == 1:
        return ""
    if np.count_nonzero(outside) == 1:
        part = float(((d.computed - d.target) / d.target)[outside][0])
        return "one element alone" + (f", off by {part:+.1e} of itself" if np.isfinite(part) else "")
    for axis, what in ((1, "row"), (0, "column")):
        where = np.flatnonzero(outside.any(axis))
        if len(where) == 1 and outside.shape[1 - axis] > 1:
            return f"{what} {where[0]} alone"
    return ""
