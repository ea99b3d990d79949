"""What each argument of a learner's function is given on a probe, in the form that the file's own functions use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from parity.grade import names
from parity.grade.leaves import Packing, Path
from parity.grade.probes import Probe
from parity.grade.record import Function, Ref, Value
from parity.grade.series import sizes
from reference import deep_network, logistic_regression


@dataclass(frozen=True)
class Manner:
    """How arrays are handed over.

    Attributes
    ----------
    arrays : str
        As in `Scene.arrays`.
    rows : bool
        One example is a row.
    turned : bool
        Of a network in rows: W[l] is (n[l−1], n[l]).
    packing : str
        How parameters and gradients are packed: "own" as the file's initialisation and gradients are, or if it has none
        as a dict; "dict"; "tuple".
    defaults : bool
        Activations that have a default are not handed over.
    flat : bool
        Of logistic regression in rows: Y and w have one axis.
    """

    arrays: str = "numpy"
    rows: bool = False
    turned: bool = False
    packing: str = "own"
    defaults: bool = False
    flat: bool = False

    def turn(self, quantity: str, value: np.ndarray) -> np.ndarray:
        """A quantity of the notes as the file's functions have it; and back again."""
        stem = quantity.removeprefix("new_").removeprefix("d").rstrip("0123456789")
        if self.flat and value.ndim == 2 and stem != "X":
            return value.ravel()
        turns = {"W": self.turned, "w": False, "b": self.rows and quantity[-1].isdigit()}.get(stem, self.rows)
        return value.T if turns and value.ndim == 2 else value

    def back(self, quantity: str, value: np.ndarray) -> np.ndarray:
        """A quantity of the file's as the notes have it; a bias of rank 1 is a row among rows."""
        if self.flat and value.ndim == 1:
            return value[:, None] if quantity[-1] == "w" else value[None, :]
        if self.rows and value.ndim == 1 and quantity[-1].isdigit() and "b" in quantity:
            return value[:, None]
        return self.turn(quantity, value)


@dataclass
class Forms:
    """What is known of the file's own containers.

    Attributes
    ----------
    params, grads : Packing or None
    results : mapping
        By role, where in its result each quantity is, and each name that its return statement mentions.
    cache : mapping
        By role of a forward function, where its cache is.
    kept : Packing or None
        The cache of the forward pass.
    attributes : mapping
        Of the class, the quantity of each attribute, or how it holds several.
    """

    params: Packing | None = None
    grads: Packing | None = None
    results: dict[str, dict[str, Path]] = field(default_factory=dict)
    cache: dict[str, Path] = field(default_factory=dict)
    kept: Packing | None = None
    attributes: dict[str, str | Packing] = field(default_factory=dict)
    gradients: dict[str, str | Packing] = field(default_factory=dict)


def meant_by(function: Function, part: str, exercise: str) -> dict[str, str | None]:
    """What each argument of a function is to be given, where its role says more than its name: p is no dict in a cost.

    >>> meant_by(Function("cost", ("y", "p")), "cost", "shallow")
    {'y': 'Y', 'p': 'AL'}
    """
    meant = {name: names.kind(name) for name in function.arguments}
    kinds = set(meant.values())
    for name, kind in meant.items():
        if part == "cost" and kind == "params" and not kinds & {"X", "AL", "A", "cache", "ZL", f"A{_last(exercise)}"}:
            meant[name] = "AL"
        if part == "forward" and kind in {None, "A", "activations"} and len(meant) == 1:
            meant[name] = "X"
        if part == "update" and kind is None and "learning_rate" not in kinds and name not in function.optional:
            meant[name] = "learning_rate" if kinds & {"params", "W1", "w", "weights"} else None
        if exercise != "logistic" and kind in {"dW", "dw", "db"} and part == "update":
            meant[name] = f"d{'b' if kind == 'db' else 'W'}s"
        if (
            exercise != "logistic"
            and kind in {"W", "w", "b"}
            and part in {"forward", "backward", "gradients", "update"}
        ):
            meant[name] = "biases" if kind == "b" else "weights"
    return meant


def _last(exercise: str) -> str:
    return {"logistic": "", "shallow": "2"}.get(exercise, "4")


class Unknown(Exception):
    """An argument without which a function cannot be called, and of which nothing is known."""


@dataclass
class Hand:
    """Gives the arguments of the calls of one scene.

    Attributes
    ----------
    calls : dict
        By role, the index of the call that made a result.
    given : dict
        What was handed over in place of an own value, as the notes have it.
    alias : mapping
        Where a block belongs to layer 2: what A_prev, W, b … are.
    spelled : callable
        From a parameter to the key under which the file looks for it.
    """

    probe: Probe
    manner: Manner
    forms: Forms
    calls: dict[str, int] = field(default_factory=dict)
    given: dict[str, np.ndarray] = field(default_factory=dict)
    alias: Mapping[str, str] = field(default_factory=dict)
    spelled: Callable[[str], str] = str

    @cached_property
    def right(self) -> dict[str, np.ndarray]:
        """Every quantity by the reference's formulas."""
        return formulas(self.probe)

    def arguments(self, function: Function, part: str, own: bool = True) -> dict[str, Value]:
        """The arguments of a call, by name.

        Parameters
        ----------
        own : bool
            Whether results of earlier calls may be handed on.
        """
        found: dict[str, Value] = {}
        unknown: list[str] = []
        meant = meant_by(function, part, self.probe.exercise)
        for name in function.arguments:
            value = self._named(name, part) if own else None
            if value is None and not (name in function.optional and self._by_default(name)):
                value = self._of_kind(name, part, own, meant[name])
            if value is not None:
                found[name] = value
            elif name not in function.optional:
                unknown.append(name)
        if (
            function.anything
            and part != "cost"
            and not set(meant.values()) & {"params", "w", "weights", *self.probe.params}
        ):
            found |= {name: self.array(name) for name in self.probe.params}
        if unknown:
            found |= self._left_over(unknown, function, part)
        return found

    def _by_default(self, name: str) -> bool:
        """Whether an activation is left to the function's default: a single one, or as the manner has it."""
        kind = names.kind(name)
        return (kind == "activation" and kind not in self.alias) or (kind == "activations" and self.manner.defaults)

    def _left_over(self, unknown: list[str], function: Function, part: str) -> dict[str, Value]:
        """The one argument with a name of its own: the parameters, where nothing else hands them over."""
        kinds = {names.kind(name) for name in function.arguments}
        if len(unknown) == 1 and not kinds & {"params", "weights", "w", "W1"} and part not in {"cost", "initialize"}:
            return {unknown[0]: self.params()}
        if len(unknown) == 1 and "X" not in kinds and part in {"forward", "gradients", "train"}:
            return {unknown[0]: self.array("X")}
        raise Unknown(unknown[0])

    def _named(self, name: str, part: str) -> Value | None:
        """What the forward pass returned under this very name."""
        if part not in {"backward", "cost"} or names.kind(name) in {"X", "Y"}:
            return None
        path = self.forms.results.get("forward", {}).get(f"name {name}")
        return None if path is None or "forward" not in self.calls else Ref(self.calls["forward"], path)

    def _of_kind(self, name: str, part: str, own: bool, kind: str | None) -> Value | None:
        if kind is None:
            return None
        kind = self.alias.get(kind, kind)
        plain = self._plain(kind)
        if plain is not None:
            return plain
        if kind == "cache":
            return self._cache(name, part, own)
        if kind == "params":
            return self.params()
        if kind in {"weights", "biases"}:
            return self._list_of(kind)
        if kind in {"dWs", "dbs"} and self.probe.exercise != "logistic":
            return [self.give(f"{kind[:2]}{l}") for l in range(1, self.probe.L + 1)]
        if kind == "grads":
            return self.grads()
        return self._quantity(kind, part, own)

    def _plain(self, kind: str) -> Value | None:
        """What is neither a quantity nor a container of some."""
        n, p = sizes(self.probe), self.probe
        if kind.startswith("activation "):
            return kind.partition(" ")[2]
        if kind in {"X", "X_test", "Y", "Y_test"}:
            return self.array(kind[0])
        made: dict[str, Value] = {"n_x": n[0], "n_h": n[1], "n_y": n[-1], "layers": list(n), "m": p.m, "L": p.L}
        made |= {"learning_rate": p.learning_rate, "iterations": 1, "verbose": False, "lambd": 0.0}
        return (made | {"activations": p.activations, "activation": p.activations[0]}).get(kind)

    def array(self, quantity: str) -> np.ndarray:
        """A quantity of the probe, or by the reference's formulas, as the file's functions have it."""
        at_hand = {"X": self.probe.X, "Y": self.probe.Y, "A0": self.probe.X, **self.probe.params}
        value = at_hand[quantity] if quantity in at_hand else self.right[quantity]
        return self.manner.turn(quantity, value)

    def params(self) -> Value:
        """The parameters in the form that the file's initialisation gives them."""
        if self.forms.params is not None and self.manner.packing == "own":
            return self.forms.params.filled(lambda q: self.array(q) if q in self.probe.params else None)
        made = {self.spelled(name): self.array(name) for name in self.probe.params}
        return tuple(made.values()) if self.manner.packing == "tuple" else made

    def grads(self) -> Value:
        """Given gradients, in the form that the file's own have."""
        made = {f"d{name}": self.give(f"d{name}") for name in self.probe.params}
        if self.forms.grads is None or self.manner.packing != "own":
            keyed = {f"d{self.spelled(name)}": made[f"d{name}"] for name in self.probe.params}
            return tuple(made.values()) if self.manner.packing == "tuple" else keyed
        return self.forms.grads.filled(lambda q: made.get(q) if q in made else self._known(q))

    def _known(self, quantity: str) -> np.ndarray | None:
        return self.array(quantity) if quantity in self.right else None

    def give(self, quantity: str) -> np.ndarray:
        """A quantity by the reference's formulas, noted as given."""
        self.given[quantity] = self.right[quantity]
        return self.array(quantity)

    def _list_of(self, kind: str) -> Value | None:
        if self.probe.exercise == "logistic":
            return self.array("w" if kind == "weights" else "b")
        letter = "W" if kind == "weights" else "b"
        return [self.array(f"{letter}{l}") for l in range(1, self.probe.L + 1)]

    def _quantity(self, kind: str, part: str, own: bool) -> Value | None:
        exercise, L = self.probe.exercise, self.probe.L
        if kind in {"A", "Z"} and exercise != "logistic":
            kind = f"{kind}L"
        if kind in {"ZL", "AL"} and part == "forward":
            return None
        quantity = names.canonical("X" if kind == "A0" else kind, exercise, L) if kind != "X" else "X"
        if quantity is None or (quantity not in self.probe.params and quantity not in self.right):
            return None
        path = self.forms.results.get("forward", {}).get(quantity)
        if own and path is not None and "forward" in self.calls and part in {"backward", "cost"}:
            return Ref(self.calls["forward"], path)
        return self.array(quantity) if quantity in self.probe.params else self.give(quantity)

    def _cache(self, name: str, part: str, own: bool) -> Value | None:
        forward = {"backward": "forward", "cost": "forward"}.get(part, part.replace("_backward", "_forward"))
        if own and forward in self.calls and forward in self.forms.cache:
            return Ref(self.calls[forward], self.forms.cache[forward])
        if forward in self.calls and forward == "forward" and self.forms.results.get("forward") is None:
            return Ref(self.calls[forward], (1,))
        if forward == "forward" and self.forms.kept is not None:
            return self.forms.kept.filled(self._of_cache)
        return self._course_cache(name, part)

    def _of_cache(self, quantity: str) -> np.ndarray | None:
        if quantity in {"X", "Y", "A0", *self.probe.params}:
            return self.array(quantity)
        return self.give(quantity) if quantity in self.right else None

    def _course_cache(self, name: str, part: str) -> Value:
        """The course's form of the cache, filled by the reference's formulas."""
        if part == "linear_backward":
            return (self.give("A1"), self.array("W2"), self.array("b2"))
        if part == "linear_activation_backward":
            return ((self.give("A1"), self.array("W2"), self.array("b2")), self.give("Z2"))
        if part.endswith("_backward"):
            return self.give("Z2")
        if self.probe.exercise == "logistic":
            return {"Z": self.give("Z"), "A": self.give("A")}
        layers = range(1, self.probe.L + 1)
        if self.probe.exercise == "shallow" or names.plain(name) == "cache":
            return {f"{stem}{l}": self.give(f"{stem}{l}") for l in layers for stem in ("Z", "A")}
        before = [self.array("X"), *(self.give(f"A{l}") for l in layers)]
        return [((before[l - 1], self.array(f"W{l}"), self.array(f"b{l}")), self.give(f"Z{l}")) for l in layers]


def formulas(probe: Probe) -> dict[str, np.ndarray]:
    """Every quantity of a pass by the reference's formulas, dA among them."""
    with np.errstate(all="ignore"):
        if probe.exercise == "logistic":
            found = logistic_regression.quantities(dict(probe.params), probe.X, probe.Y)
            return found | {"dA": _dA(found["A"], probe.Y)}
        found = deep_network.quantities(dict(probe.params), probe.X, probe.Y, probe.activations)
        L = probe.L
        behind = {f"dA{l}": np.dot(probe.params[f"W{l + 1}"].T, found[f"dZ{l + 1}"]) for l in range(L)}
        return found | behind | {f"dA{L}": _dA(found[f"A{L}"], probe.Y)}


def _dA(A: np.ndarray, Y: np.ndarray) -> np.ndarray:
    found: np.ndarray = -Y / A + (1 - Y) / (1 - A)
    return found
