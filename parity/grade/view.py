"""What one scene showed, as an `Observed`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.grade import names
from parity.grade.collect import Found, Reader, placed, same
from parity.grade.handing import meant_by
from parity.grade.leaves import GRADIENTS, Leaf
from parity.grade.observed import Observed, Seen
from parity.grade.protocol import Part, Step
from parity.grade.record import Opaque, Played, Trouble, Value
from parity.grade.series import array


class View:
    """One scene's quantities, in the making."""

    def __init__(self, part: Part, reader: Reader, rate: float | None) -> None:
        self.part, self.reader, self.probe = part, reader, part.probe
        self.seen: Found = {}
        self.cost: Found = {}
        self.again: Found = {}
        self.troubles: dict[str, Trouble] = dict(part.troubles)
        self.mutated: list[tuple[str, str]] = []
        self.absent: list[tuple[str, str, int | None]] = []
        self.warnings: list[tuple[int | None, str]] = []
        self.rate = rate

    def add(self, step: Step, played: Played) -> None:
        """What one call computed."""
        if played.trouble is not None and not step.again:
            self.troubles.setdefault(step.role, played.trouble)
        if step.role == "construct" or not self._begun(step, played):
            return
        returned, leaves = self.reader.returned(played, step.role) if played.trouble is None else ({}, [])
        candidates = self.reader.local(played, step.role)
        local = {quantity: seen[0] for quantity, seen in candidates.items()}
        attributes = self._attributes(played, step)
        into = self.again if step.again else self.cost if step.role == "cost" else self.seen
        self._count(played, into)
        for found in (returned, attributes, local):
            for quantity, seen in found.items():
                if self._belongs(quantity, step):
                    at = placed(seen, candidates.get(quantity, [])[1:])
                    into.setdefault(quantity, self._back(quantity, at, step))
        if not step.again:
            self._results(step, played, {**attributes, **returned}, leaves)
            self.mutated += _mutated(step, played)
            self.warnings += [warning for warning in played.warnings if warning not in self.warnings]

    def _count(self, played: Played, into: Found) -> None:
        """What each function takes for the number of examples, as "m@backward"."""
        for frame in played.frames:
            for name, bound in frame.bindings.items():
                value = np.asarray(bound[-1].value if names.quantity(name) == "m" else "")
                if value.ndim == 0 and value.dtype.kind in "iuf":
                    into.setdefault(f"m@{frame.function}", Seen(value, name, frame.function, bound[-1].line))

    def _attributes(self, played: Played, step: Step) -> Found:
        """The quantities in the object's attributes."""
        found: Found = {}
        frame = played.frames[0] if played.frames else None
        for name, value in played.attributes.items():
            leaf = Leaf((name,), value, self._renamed(self.reader.quantity(name), step.role), f"self.{name}")
            parts = [leaf]
            if isinstance(value, dict):
                parts = [
                    Leaf(
                        (name, key), inner, self._renamed(self.reader.quantity(key), step.role), f"self.{name}['{key}']"
                    )
                    for key, inner in value.items()
                    if isinstance(key, str)
                ]
            for part in parts:
                found |= {q: self.reader.told(v, part, frame) for q, v in self.reader.expanded(part, frame).items()}
        return found

    def _renamed(self, quantity: str | None, role: str) -> str | None:
        if quantity and quantity[0] in "Wbw":
            return f"new_{quantity}" if role in {"update", "train"} else None
        return quantity

    def _belongs(self, quantity: str, step: Step) -> bool:
        """Whether such a quantity is computed by such a function, not handed to it."""
        block = step.role in {"linear_forward", "linear_activation_forward"} and quantity[0] == "Z"
        given = quantity in self.part.given and not block  # it is at hand for the backward block alone
        if quantity not in self.reader.expected or given or quantity == "A0":
            return False
        kinds = {names.kind(name) for name in step.function.arguments}
        letter = quantity[0]
        if step.role == "update":
            return quantity.startswith("new_") and self._rate_known(step)
        if step.role in {"forward", "linear_forward", "linear_activation_forward"}:
            return letter in "ZA"
        if step.role == "cost":
            return quantity in {"J", "m"} or ("X" in kinds and letter in "ZA")
        if step.role == "train":
            return True
        return letter in "dm" or ((step.role == "gradients" or "X" in kinds) and letter in "ZAJ")

    def _rate_known(self, step: Step) -> bool:
        meant = meant_by(step.function, step.role, self.reader.exercise)
        if "learning_rate" in meant.values() or "." in step.function.name:
            return True
        if self.rate is not None:
            self.probe = replace(self.probe, learning_rate=self.rate)
        return self.rate is not None

    def _back(self, quantity: str, seen: Seen, step: Step) -> Seen:
        """As the notes have it; a function that leaves no frame is known by its name."""
        value = self.part.manner.back(quantity, seen.value)
        return Seen(value, seen.name, seen.function or step.function.name, seen.line or step.function.line)

    def _results(self, step: Step, played: Played, returned: Found, leaves: list[Leaf]) -> None:
        """What is not returned though it is the function's result."""
        if played.trouble is not None or step.role not in {"forward", "cost", "update", *GRADIENTS}:
            return
        frame = played.frames[0] if played.frames else None
        line = (frame.line if frame else None) or step.function.line
        wanted = self._wanted(step.role, step.function.name)
        lacking = [q for q in self.reader.expected if q in wanted - set(returned)]
        if played.returned is None and not wanted & set(returned):
            kept = self.reader.text.of(step.function.name).stores or (step.role == "update" and played.mutated)
            if not kept:
                self.absent.append((step.function.name, "anything", line))
        elif all(leaf.quantity or not _holds(leaf.value) for leaf in leaves):  # else it may be what was not read
            self.absent += [(step.function.name, quantity, line) for quantity in lacking]

    def _wanted(self, role: str, function: str) -> frozenset[str]:
        if role == "forward":
            last = "" if self.reader.exercise == "logistic" else str(self.reader.L)
            logits = self.reader.text.gives_logits(function)
            return frozenset({f"{'Z' if logits else 'A'}{last}"})
        if role == "cost":
            return frozenset({"J"})
        if role in {"linear_backward", "linear_activation_backward"}:
            return frozenset({"dA1", "dW2", "db2"})
        stem = "new_" if role == "update" else "d"
        return frozenset(f"{stem}{name}" for name in self.probe.params)

    def _begun(self, step: Step, played: Played) -> bool:
        """Whether the parameters that training began with are known; those that it made become the probe's."""
        if step.role != "train" or {names.kind(name) for name in step.function.arguments} & BEGIN:
            return True
        params = self._made(played) or self._first(played)
        if set(params) != set(self.probe.params):
            return "." in step.function.name and not params and not self._begins_anew(played)
        turned = {name: self.part.manner.back(name, value) for name, value in params.items()}
        self.probe = replace(self.probe, params=turned)
        return True

    def _made(self, played: Played) -> dict[str, np.ndarray]:
        """The parameters that the file's initialisation returned."""
        for frame in played.frames:
            if self.reader.roles.get(frame.function) == "initialize":
                called = self.reader.text.of(frame.function).returned(frame.line)
                leaves = self.reader.leaves(frame.returned, called, frame, "initialize")
                found = {leaf.quantity: array(leaf.value) for leaf in leaves if leaf.quantity in self.probe.params}
                return {name: value for name, value in found.items() if name and value is not None}
        return {}

    def _begins_anew(self, played: Played) -> bool:
        """Whether an object forgets the parameters that it was given, and makes its own."""
        text = {name for frame in played.frames for name in self.reader.text.of(frame.function).begins}
        held = {name for name in text if names.kind(name) in {"params", "weights", "biases"}}
        return bool(held) or any(self.reader.quantity(name) in self.probe.params for name in text)

    def _first(self, played: Played) -> dict[str, np.ndarray]:
        """The parameters as they were bound first, where they were bound to something else later."""
        found = {}
        for name, bindings in played.frames[0].bindings.items() if played.frames else ():
            quantity, first = self.reader.quantity(name), array(bindings[0].value)
            if quantity in self.probe.params and first is not None and not same(first, bindings[-1].value):
                found[str(quantity)] = first
        return found

    def observed(self) -> list[Observed]:
        """What has been seen; the cost apart, where it counts the examples in a way of its own."""
        whole = Observed(
            probe=self.probe,
            seen={**self.cost, **self.seen},
            given=self.part.given,
            again=self.again,
            roles={step.role: step.function.name for step in self.part.steps if step.role != "construct"},
            mutated=tuple(dict.fromkeys(self.mutated)),
            absent=tuple(self.absent),
            troubles=self.troubles,
            conventions=frozenset({"rows"} if self.part.manner.rows else ()),
            warnings=tuple(self.warnings),
        )
        if "m" in self.cost and "m" in self.seen and self.cost["m"].value != self.seen["m"].value:
            forward = {quantity: seen for quantity, seen in self.seen.items() if quantity[0] in "ZA"}
            roles = {role: name for role, name in whole.roles.items() if role in {"forward", "cost"}}
            apart = Observed(self.probe, {**forward, **self.cost}, self.part.given, roles=roles)
            return [replace(whole, seen=self.seen), replace(apart, conventions=whole.conventions)]
        return [whole]


BEGIN = frozenset({"params", "weights", "w", "W1"})
"""What training may be given to begin with."""


def _holds(value: Value) -> bool:
    return array(value) is not None or isinstance(value, list | tuple | dict | Opaque)


def _mutated(step: Step, played: Played) -> list[tuple[str, str]]:
    """What a call changed of what it was given, but for a cache being filled, and parameters that an update replaces.

    An update that writes into the arrays themselves changes them for everybody.
    """
    found = []
    for what in played.in_place if step.role == "update" else played.mutated:
        argument, _, rest = what.partition("[")
        kind = names.kind(argument)
        if step.role == "train" and kind not in {"X", "Y"}:
            continue
        if kind in {"cache", "grads"} and (not rest or rest.strip("]'\"").startswith("d")):
            continue
        found.append((step.function.name, argument))
    return found
