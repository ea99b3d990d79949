"""The notes' formulas over what a learner computed: what each quantity should be, given the learner's values before it.

Logistic regression is a network with L = 1 here: w is W1 transposed, dw is dW1 transposed, b a (1, 1) array (N20).
Where there are several right ways to a quantity that agree only if what is before them is right (g' by Z or by A), all
of them are right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce

import numpy as np

from parity.grade.bounded import (
    ACTIVATIONS,
    BELOW,
    OF_A,
    Bounded,
    Rounding,
    affine,
    exact,
    output,
    sigmoid,
    slope,
    softplus,
)
from parity.grade.observed import Observed, Seen
from parity.problems.parameters import layered

HIDDEN = ("tanh", "sigmoid", "relu", "leaky_relu")
"""Hidden activations that are a choice, not a mistake."""

LEAST_LOG = -100.0
"""As PyTorch's binary_cross_entropy has it, which lets no logarithm be less."""

UNEVEN = (ValueError, IndexError)
"""What NumPy raises where shapes do not fit."""


def split(name: str) -> tuple[str, int]:
    """The kind of a quantity and its layer: ("dW", 2), ("J", 0), ("new_W", 1)."""
    kind = name.rstrip("0123456789")
    return kind, int(name[len(kind) :] or 0)


def in_words(name: str, exercise: str) -> str:
    """The quantity's name in its exercise: dw for dW1 in logistic regression."""
    if exercise != "logistic":
        return name
    return re.sub("(?<=[AZWb])1$", "", name).replace("W", "w")


class Pass:
    """One pass of a learner's functions over a probe.

    Parameters
    ----------
    observed : Observed
    of : Rounding
        The arithmetic that the learner's file works in.
    """

    def __init__(self, observed: Observed, of: Rounding) -> None:
        probe = observed.probe
        self.observed, self.probe, self.of = observed, probe, of
        self.L, self.m, self.alpha = probe.L, probe.m, probe.learning_rate
        self.g = list(probe.activations)
        self.free = "linear_activation_forward" not in observed.roles  # which is told the name of its activation
        self.Y = np.asarray(probe.Y, np.longdouble)
        logistic = probe.exercise == "logistic"
        params = layered(dict(probe.params)) if logistic else probe.params
        known = {**params, "A0": probe.X, **(_layered_given(observed.given) if logistic else observed.given)}
        self.handed = {name: self.exact(value) for name, value in observed.given.items() if name[0] == "Z"}
        if "linear_activation_forward" in observed.roles and "A2" in observed.seen:
            known.pop("Z2", None)  # which the backward block is handed, and the forward block makes for itself
        self.known = {name: self._handed_over(value) for name, value in known.items()}
        self.seen = _layered(observed.seen) if logistic else dict(observed.seen)
        self.again = _layered(observed.again) if logistic else dict(observed.again)
        self.own: dict[str, Bounded] = {}
        self.lost: set[int] = set()
        self.assumed: set[str] = set()

    def exact(self, value: np.ndarray | float) -> Bounded:
        """What was computed, or given: it carries no error."""
        return exact(value, self.of)

    def _handed_over(self, value: np.ndarray) -> Bounded:
        """What was given: exact, unless the learner's arithmetic is narrower, and rounds it before all else."""
        array = np.asarray(value)
        narrower = array.dtype.kind == "f" and np.finfo(array.dtype).eps < self.of.u
        return Bounded(array, self.of.u * np.abs(array) if narrower else 0, self.of)

    def copied(self) -> Pass:
        """The same pass, whose own values are its own."""
        other = object.__new__(Pass)
        other.__dict__.update(self.__dict__)
        other.own = dict(self.own)
        return other

    def with_own(self, name: str, value: Bounded) -> Pass:
        """The same pass, had the learner got this for that."""
        other = self.copied()
        other.own[name] = value
        return other

    def without_assumed(self) -> Pass:
        """The same pass without what the learner must have had for quantities that have no name."""
        other = self.copied()
        other.own = {name: value for name, value in other.own.items() if name not in self.assumed}
        other.assumed = set()
        return other

    def __getitem__(self, name: str) -> Bounded:
        """The learner's own value, or what was given in its place, or what the formula gives in any right way."""
        for known in (self.own, self.known):
            if name in known:
                return known[name]
        return reduce(Bounded.or_nearby, self.rights(name))

    def has(self, name: str) -> bool:
        """Whether the value is the learner's own, or given."""
        return name in self.own or name in self.known

    def order(self) -> list[str]:
        """Every quantity in the order of computation."""
        names = [f"{kind}{l}" for l in range(1, self.L + 1) for kind in ("Z", "A")] + ["J"]
        names += [f"{kind}{l}" for l in range(self.L, 0, -1) for kind in ("dA", "dZ", "dW", "db")] + ["dA0"]
        return names + [f"new_{kind}{l}" for l in range(1, self.L + 1) for kind in ("W", "b")]

    def inputs(self, name: str) -> list[str]:
        """What the formula of a quantity is about, the nearest first; parameters and X left out."""
        kind, l = split(name)
        last = l == self.L
        table = {
            "Z": [f"A{l - 1}"],
            "A": [f"Z{l}"],
            "J": [f"A{self.L}"],
            "dA": [f"A{l}"] if last else [f"dZ{l + 1}"],
            "dZ": [f"A{l}"] if last else [f"dA{l}", f"A{l}", f"Z{l}"],
            "dW": [f"dZ{l}", f"A{l - 1}"],
            "db": [f"dZ{l}"],
            "new_W": [f"dW{l}"],
            "new_b": [f"db{l}"],
        }
        return [i for i in table[kind] if i != "A0"]

    def rights(self, name: str) -> list[Bounded]:
        """All that the formula of a quantity may give."""
        kind, l = split(name)
        rule: Callable[[int], Iterator[Bounded]] = getattr(self, f"_{kind}")
        return list(rule(l))

    def _Z(self, l: int) -> Iterator[Bounded]:
        yield affine(self[f"W{l}"], self[f"A{l - 1}"], self[f"b{l}"])

    def _A(self, l: int) -> Iterator[Bounded]:
        yield ACTIVATIONS[self.g[l - 1]](self[f"Z{l}"])

    def _J(self, l: int) -> Iterator[Bounded]:
        if self.has(f"A{self.L}") or not self.has(f"Z{self.L}"):
            yield self.cost_of(self[f"A{self.L}"])
            yield self.cost_of(self[f"A{self.L}"], LEAST_LOG)
            if self[f"A{self.L}"].value.size not in (self.m, self.probe.m):  # a mean over an array of another shape
                yield self.cost_of(self[f"A{self.L}"]) * self.m / self[f"A{self.L}"].value.size
        if not (f"A{self.L}" in self.known and f"Z{self.L}" not in self.own):
            yield self.losses_of_logits().sum() / self.m
            if not self.has(f"A{self.L}"):
                yield self.cost_of(sigmoid(self[f"Z{self.L}"]))

    def cost_of(self, A: Bounded, least: float = -np.inf) -> Bounded:
        """−(1/m) Σ (y log a + (1 − y) log(1 − a)); the factor y or 1 − y, 0 or 1, rounds nothing."""
        return self.losses(A.log().at_least(least), (1 - A).log().at_least(least)).sum() / self.m

    def losses(self, log_1: Bounded, log_0: Bounded) -> Bounded:
        """The loss of every example: a term of it is zero."""
        ones = np.broadcast_to(self.Y == 1, log_1.shape)
        return log_1.where(ones, -log_1, -log_0)

    def losses_of_logits(self) -> Bounded:
        """log(1 + e^z) − y z, which is log(1 + e^−z) where y is 1."""
        Z = self[f"Z{self.L}"]
        return softplus(Bounded(np.where(self.Y == 1, -Z.value, Z.value), Z.error, self.of))

    def _dA(self, l: int) -> Iterator[Bounded]:
        if l == self.L:
            yield self.dA_of_cost()
        else:
            yield from (self[f"W{l + 1}"].T @ dZ for dZ in self.every_dZ(l + 1)[: None if l + 1 == self.L else 1])

    def dA_of_cost(self) -> Bounded:
        """−y/a + (1 − y)/(1 − a), one of them zero; two roundings more for (a − y)/(a (1 − a))."""
        A = self[f"A{self.L}"]
        return A.where(self.Y == 1, -(self.exact(1) / A), self.exact(1) / (1 - A))

    def _dZ(self, l: int) -> Iterator[Bounded]:
        if l < self.L:
            dA = self[f"dA{l}"]
            yield from (dA * s for s in self.slopes(l))
            return
        A = self[f"A{l}"]
        if f"dA{l}" not in self.known:  # a block that is handed dA has no labels
            yield A - self.Y
            if f"Z{l}" in self.own:
                yield output(self[f"Z{l}"]) - self.Y
        for dA in [self[f"dA{l}"]] if self.has(f"dA{l}") else [self.dA_of_cost()]:
            yield from (dA * s for s in self.slopes(l))

    def slopes(self, l: int) -> Iterator[Bounded]:
        """g'(Z[l]) by Z and by A, and at a kink by every convention."""
        name, Z = self.g[l - 1], self.handed.get(f"Z{l}") or self[f"Z{l}"]
        yield slope(name, Z)
        if name in OF_A and self.has(f"A{l}"):
            yield OF_A[name](self[f"A{l}"])
        if name in BELOW:
            yield from (slope(name, Z, c) for c in ((1 + BELOW[name]) / 2, 1))
            if self.has(f"A{l}"):  # a kinked function keeps the sign
                yield slope(name, self[f"A{l}"])

    def every_dZ(self, l: int) -> list[Bounded]:
        """The learner's own dZ, or all that it may have been where there is no name for it: by dA, with any slope."""
        name = f"dZ{l}"
        return [self[name]] if self.has(name) else self.rights(name)

    def _dW(self, l: int) -> Iterator[Bounded]:
        yield from (dZ @ self[f"A{l - 1}"].T / self.m for dZ in self.every_dZ(l))

    def _db(self, l: int) -> Iterator[Bounded]:
        for dZ in self.every_dZ(l):
            yield dZ.sum(axis=1) / self.m
            if self.probe.exercise == "logistic":
                yield dZ.sum() / self.m

    def _new_W(self, l: int) -> Iterator[Bounded]:
        yield self[f"W{l}"] - self.alpha * self[f"dW{l}"]

    def _new_b(self, l: int) -> Iterator[Bounded]:
        yield self[f"b{l}"] - self.alpha * self[f"db{l}"]


def _layered_name(name: str) -> str:
    """dw → dW1, m and J as they are."""
    if name.startswith("new_"):
        return "new_" + _layered_name(name[4:])
    return name if name.startswith("m") or name == "J" else name.replace("w", "W") + "1"


def _layered(seen: Mapping[str, Seen]) -> dict[str, Seen]:
    return {_layered_name(name): _layered_seen(name, one) for name, one in seen.items()}


def _layered_seen(name: str, seen: Seen) -> Seen:
    """The column dw as a row."""
    value = np.asarray(seen.value)
    if name in ("dw", "new_w") and value.ndim == 2:
        return Seen(value.T, seen.name, seen.function, seen.line)
    return seen


def _layered_given(given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, value in given.items():
        array = np.asarray(value)
        new = _layered_name(name)
        found[new] = (
            array.T if name.endswith("w") else array.reshape(1, 1) if name.endswith("b") and array.size == 1 else array
        )
    return found
