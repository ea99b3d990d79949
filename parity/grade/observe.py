"""What a learner's functions computed on every probe, under the notes' names."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.grade import names
from parity.grade.collect import Found, Leaf, Reader, _parts, same
from parity.grade.handing import Forms, Manner, Packing
from parity.grade.observed import Observed, Seen
from parity.grade.probes import Probe, probes
from parity.grade.protocol import GRADIENTS, Part, Planner, Step
from parity.grade.reading import Text
from parity.grade.record import Function, Played, Room, Scenery, Source, Trouble, Value
from parity.grade.series import Memory, array, fits, shapes

ROUNDS = 3
"""How often the first probe is played: once to see the forward pass's result, once the backward pass's, once all."""

ARRAYS = {"torch": ("torch", "torch, grad", "numpy"), "jax": ("jax", "numpy")}
"""What is tried, in turn, where a file imports the framework."""


def passes(room: Room, exercise: str, dtypes: Sequence[str]) -> list[Observed]:
    """Every pass of a file's functions over every probe of an exercise.

    Parameters
    ----------
    exercise : str
        logistic, shallow or deep.
    dtypes : sequence of str
        float64, float32.
    """
    roles = names.roles(room.inventory, exercise, room.source)
    observer = Observer(room, exercise, roles)
    observer.settle(dtypes[0])
    return observer.observe(dtypes)


class Observer:
    """Finds out how a file's functions want to be called, calls them, and reads what they computed."""

    def __init__(self, room: Room, exercise: str, roles: Mapping[str, Function]) -> None:
        self.room, self.exercise, self.roles = room, exercise, roles
        self.text = Text(room.source)
        self.parts_of = {function.name: part for part, function in roles.items()}
        self.parts_of |= {
            name: part for name in room.inventory.functions if (part := names.role(name)) in names.ACTIVATIONS
        }
        self.rate = _module_rate(room.source)
        self.planner = Planner(room.inventory, roles, self.text, Manner(), Forms())
        self.memory = Memory()

    def settle(self, dtype: str) -> None:
        """Choose the manner in which the first probe raises least."""
        best: tuple[int, Planner, Memory] | None = None
        for manner in self._manners():
            if best and (best[0] == 0 or (manner.rows and best[0] < 0)):
                break
            planner, memory = Planner(self.room.inventory, self.roles, self.text, manner, Forms()), Memory()
            worth, final = self._tried(planner, memory, dtype)
            wanted = worth == 0 or not (manner.rows or manner.packed)
            if best is None or (worth < best[0] and wanted):
                best = worth, planner, memory
            if final:
                break
        if best:
            _, self.planner, self.memory = best

    def _manners(self) -> Iterator[Manner]:
        frameworks = self.room.inventory.frameworks
        arrays = next((ARRAYS[name] for name in ("torch", "jax") if name in frameworks), ("numpy",))
        yield from (Manner(kind) for kind in arrays)
        packed = (False, True) if any(self._takes_params(f) for f in self.roles.values()) else (False,)
        for pack in packed:
            for rows, turned in ((False, False), (True, True), (True, False)):
                if (rows or pack) and not (self.exercise == "logistic" and turned):
                    yield from (Manner(kind, rows, turned, pack) for kind in arrays[:2])

    def _takes_params(self, function: Function) -> bool:
        return any(names.kind(name) == "params" for name in function.arguments)

    def _tried(self, planner: Planner, memory: Memory, dtype: str) -> tuple[int, bool]:
        """How much goes wrong on the first probe: what is raised, and shapes of the forward pass that do not fit."""
        probe = probes(self.exercise, dtype, planner.activations(self.exercise))[0]
        before = None
        worth, final = 0, False
        for _ in range(ROUNDS):
            parts = list(planner.learning(probe))
            sceneries = self.room.play([part.scene for part in parts])
            worth, final = self._worth(parts, sceneries, planner, memory)
            for part, scenery in zip(parts, sceneries, strict=True):
                self._learn(part, scenery, planner, memory)
            now = repr((planner.forms.results, planner.forms.cache, *map(_shape_of_forms, _packings(planner.forms))))
            if now == before:
                break
            before = now
        return worth, final

    def _worth(
        self, parts: Sequence[Part], sceneries: Sequence[Scenery], planner: Planner, memory: Memory
    ) -> tuple[int, bool]:
        worth = 0
        for part, scenery in zip(parts, sceneries, strict=True):
            if part.steps and part.steps[-1].role == "initialize":
                continue
            observed = self._observed(part, scenery, memory)
            worth += len(observed.troubles)
            if any(t.kind not in {"error", "missing"} for t in observed.troubles.values()):
                return worth, True
            expected = shapes(part.probe)
            forward = {q: s for q, s in observed.seen.items() if q[0] in "ZA"}
            worth += any(not fits(seen.value, expected[q]) for q, seen in forward.items())
        return worth, False

    def _learn(self, part: Part, scenery: Scenery, planner: Planner, memory: Memory) -> None:
        """The forms of the file's containers, from what its functions returned."""
        reader = self._reader(part, memory)
        for step, played in zip(part.steps, scenery.played, strict=True):
            if played is None or played.trouble or step.again:
                continue
            leaves = reader.returned(played, step.role)[1]
            if step.role == "construct":
                planner.forms.attributes |= _attributes(played, reader, part.probe)
            elif step.role in {"forward", "linear_forward", "linear_activation_forward"}:
                _learn_forward(step.role, played, leaves, reader, planner.forms)
            elif step.role in {"backward", "gradients"}:
                planner.forms.grads = _packed(played.returned, leaves, "d") or planner.forms.grads
                planner.forms.gradients |= _attributes(played, reader, part.probe, "d")
            elif step.role == "initialize":
                planner.forms.params = _initial(played.returned, leaves, part.probe) or planner.forms.params

    def _reader(self, part: Part, memory: Memory) -> Reader:
        turned = {
            q: np.empty(shape).T.shape if part.manner.turn(q, _ROW).shape != _ROW.shape else shape
            for q, shape in shapes(part.probe).items()
        }
        return Reader(
            self.text, part.probe.exercise, part.probe.L, turned, part.manner.rows, self.parts_of, memory, part.layer
        )

    def observe(self, dtypes: Sequence[str]) -> list[Observed]:
        """All probes, played at once."""
        parts = [
            part
            for dtype in dtypes
            for probe in probes(self.exercise, dtype, self.planner.activations(self.exercise))
            if not (probe.name == "integer" and self.planner.manner.arrays.startswith("torch"))
            for part in self.planner.parts(probe)
        ]
        sceneries = self.room.play([part.scene for part in parts])
        return [self._observed(part, scenery, self.memory) for part, scenery in zip(parts, sceneries, strict=True)]

    def _observed(self, part: Part, scenery: Scenery, memory: Memory) -> Observed:
        view = View(part, self._reader(part, memory), self.rate)
        for step, played in zip(part.steps, scenery.played, strict=True):
            if played is not None:
                view.add(step, played)
        return view.observed()


_ROW = np.empty((1, 2))


class View:
    """One scene's quantities, in the making."""

    def __init__(self, part: Part, reader: Reader, rate: float | None) -> None:
        self.part, self.reader, self.probe = part, reader, part.probe
        self.seen: Found = {}
        self.again: Found = {}
        self.troubles: dict[str, Trouble] = dict(part.troubles)
        self.mutated: list[tuple[str, str]] = []
        self.absent: list[tuple[str, str, int | None]] = []
        self.warnings: list[tuple[int | None, str]] = []
        self.rate = rate

    def add(self, step: Step, played: Played) -> None:
        """What one call computed."""
        if played.trouble is not None:
            if not step.again:
                self.troubles.setdefault(step.role, played.trouble)
        if step.role == "construct":
            return
        returned, _ = self.reader.returned(played, step.role) if played.trouble is None else ({}, [])
        candidates = self.reader.local(played, step.role)
        local = {quantity: _deepest(seen[0], seen) for quantity, seen in candidates.items()}
        attributes = self._attributes(played, step)
        into = self.again if step.again else self.seen
        for found in (returned, attributes, local):
            for quantity, seen in found.items():
                if self._belongs(quantity, step):
                    at = _deepest(seen, candidates.get(quantity, []))
                    into.setdefault(quantity, self._back(quantity, replace(at, name=seen.name)))
        if not step.again:
            self._results(step, played, {**attributes, **returned})
            self.mutated += _mutated(step, played)
            self.warnings += [warning for warning in played.warnings if warning not in self.warnings]

    def _attributes(self, played: Played, step: Step) -> Found:
        """The quantities in the object's attributes."""
        found: Found = {}
        frame = played.frames[0] if played.frames else None
        for name, value in played.attributes.items():
            leaf = Leaf((name,), value, self._renamed(self.reader.quantity(name), step.role), f"self.{name}")
            parts = [leaf]
            if isinstance(value, dict):
                parts = [
                    Leaf((name, key), inner, self._renamed(self.reader.quantity(key), step.role), f"self.{name}['{key}']")
                    for key, inner in value.items()
                    if isinstance(key, str)
                ]
            for part in parts:
                found |= {q: self.reader._told(v, part, frame) for q, v in self.reader._expanded(part, frame).items()}
        return found

    def _renamed(self, quantity: str | None, role: str) -> str | None:
        if quantity and quantity[0] in "Wbw":
            return f"new_{quantity}" if role in {"update", "train"} else None
        return quantity

    def _belongs(self, quantity: str, step: Step) -> bool:
        """Whether such a quantity is computed by such a function, not handed to it."""
        if quantity not in self.reader.expected or quantity in self.part.given or quantity == "A0":
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
        return letter in "dm" or (step.role == "gradients" or "X" in kinds) and letter in "ZAJ"

    def _rate_known(self, step: Step) -> bool:
        if any(names.kind(name) == "learning_rate" for name in step.function.arguments) or "." in step.function.name:
            return True
        if self.rate is not None:
            self.probe = replace(self.probe, learning_rate=self.rate)
        return self.rate is not None

    def _back(self, quantity: str, seen: Seen) -> Seen:
        turned = self.part.manner.back(quantity, seen.value)
        return seen if turned is seen.value else replace(seen, value=turned)

    def _results(self, step: Step, played: Played, returned: Found) -> None:
        """What is not returned though it is the function's result."""
        if played.trouble is not None or step.role not in {"forward", "cost", "update", *GRADIENTS}:
            return
        frame = played.frames[0] if played.frames else None
        line = (frame.line if frame else None) or step.function.line
        wanted = self._wanted(step.role)
        if played.returned is None and not wanted & set(returned):
            if not (step.role == "update" and played.mutated):
                self.absent.append((step.function.name, "anything", line))
        elif set(returned):
            lacking = [q for q in self.reader.expected if q in wanted - set(returned)]
            self.absent += [(step.function.name, quantity, line) for quantity in lacking]

    def _wanted(self, role: str) -> frozenset[str]:
        if role == "forward":
            return frozenset({"A" if self.reader.exercise == "logistic" else f"A{self.reader.L}"})
        if role == "cost":
            return frozenset({"J"})
        if role in {"linear_backward", "linear_activation_backward"}:
            return frozenset({"dA1", "dW2", "db2"})
        stem = "new_" if role == "update" else "d"
        return frozenset(f"{stem}{name}" for name in self.probe.params)

    def observed(self) -> Observed:
        """What has been seen."""
        return Observed(
            probe=self.probe,
            seen=self.seen,
            given=self.part.given,
            again=self.again,
            roles={step.role: step.function.name for step in self.part.steps if step.role != "construct"},
            mutated=tuple(dict.fromkeys(self.mutated)),
            absent=tuple(self.absent),
            troubles=self.troubles,
            conventions=frozenset({"rows"} if self.part.manner.rows else ()),
            warnings=tuple(self.warnings),
        )


def _deepest(seen: Seen, candidates: Sequence[Seen]) -> Seen:
    """The same value where it was computed: in the frame that is farthest from the caller."""
    alike = [other for other in candidates if other.line is not None and same(seen.value, other.value)]
    plain = [other for other in alike if "[" not in other.name]  # an item of a dict got its value from a name
    return (plain or alike or [seen])[-1]


def _mutated(step: Step, played: Played) -> list[tuple[str, str]]:
    """What a call changed of what it was given, but for what an update is there to change, and a cache being filled."""
    found = []
    for what in played.mutated:
        argument, _, rest = what.partition("[")
        kind = names.kind(argument)
        if step.role in {"update", "train"} and kind not in {"X", "Y"}:
            continue
        if kind in {"cache", "grads"} and (not rest or rest.strip("]'\"").startswith("d")):
            continue
        found.append((step.function.name, argument))
    return found


def _learn_forward(role: str, played: Played, leaves: list[Leaf], reader: Reader, forms: Forms) -> None:
    forms.results[role] = {leaf.quantity: leaf.path for leaf in reversed(leaves) if leaf.quantity}
    frame = played.frames[0] if played.frames else None
    called = reader.text.of(frame.function).returned(frame.line) if frame else []
    value = played.returned
    if isinstance(value, tuple) and len(called) == len(value):
        forms.results[role] |= {f"name {name}": (i,) for i, name in enumerate(called) if name}
    if isinstance(value, dict | list):
        forms.cache[role] = ()
    elif isinstance(value, tuple) and len(value) > 1:
        holding = [i for i, part in enumerate(value) if isinstance(part, dict | list | tuple)]
        forms.cache[role] = (holding[0],) if holding else (1,) if len(value) == 2 else ()


def _packed(value: Value, leaves: list[Leaf], letter: str) -> Packing | None:
    """The container of gradients in a result: a dict or tuple of its own, or the result itself."""
    known = {leaf.path: leaf.quantity for leaf in leaves if leaf.quantity and leaf.quantity[0] == letter}
    tops = {path[:1] for path in known if len(path) > 1}
    if isinstance(value, tuple) and len(tops) == 1:
        top = next(iter(tops))
        return Packing(value[int(top[0])], {path[1:]: q for path, q in known.items() if path[:1] == top})
    return Packing(value, known) if known and isinstance(value, dict | list | tuple) else None


def _initial(value: Value, leaves: list[Leaf], probe: Probe) -> Packing | None:
    """The container of parameters that an initialisation returned, if it holds them all."""
    known = {leaf.path: leaf.quantity for leaf in leaves if leaf.quantity in probe.params}
    if isinstance(value, list | tuple) and len(value) == probe.L and not known:
        known = {
            (l, key): f"{stem}{l + 1}"
            for l, layer in enumerate(value)
            for key, stem in _of_layer(layer)
        }
    if isinstance(value, dict) and not known:
        known = {(key, l): f"{key}{l + 1}" for key in ("W", "b") for l, _ in enumerate(value.get(key, ()))}
    whole = set(known.values()) == set(probe.params)
    return Packing(value, {path: q for path, q in known.items() if q}) if whole else None


def _of_layer(layer: Value) -> list[tuple[int | str, str]]:
    if isinstance(layer, dict):
        return [(key, names.quantity(key) or "") for key in layer if isinstance(key, str)]
    return [(0, "W"), (1, "b")] if isinstance(layer, list | tuple) and len(layer) == 2 else []


def _attributes(played: Played, reader: Reader, probe: Probe, letter: str = "") -> dict[str, str | Packing]:
    """The attributes of an object that hold parameters, or gradients."""
    held = dict(played.attributes)
    for frame in played.frames[:1]:
        bound = {name: b[-1].value for name, b in frame.bindings.items() if name.startswith("self.")}
        held |= {name.removeprefix("self."): value for name, value in bound.items()} if not held else {}
    wanted = {f"{letter}{name}" for name in probe.params}
    found: dict[str, str | Packing] = {}
    for name, value in held.items():
        quantity = reader.quantity(name)
        if quantity in wanted and array(value) is not None:
            found[name] = str(quantity)
        elif isinstance(value, dict | list):
            inner = [Leaf(path, part, reader.quantity(key) if key else None, name) for path, part, key, _ in _parts(value, [])]
            packing = _initial(value, inner, probe) if not letter else None
            stem = {"W": "W", "b": "b", "weights": "W", "biases": "b"}.get(quantity or name)
            if packing is not None:
                found[name] = packing
            elif stem and not letter and isinstance(value, list) and len(value) == probe.L:
                found[name] = Packing(value, {(l,): f"{stem}{l + 1}" for l in range(probe.L)})
    return found


def _packings(forms: Forms) -> Iterator[Packing | str | None]:
    yield forms.params
    yield forms.grads
    yield from forms.attributes.values()
    yield from forms.gradients.values()


def _shape_of_forms(packing: Packing | str | None) -> object:
    return packing.quantities if isinstance(packing, Packing) else packing


def _module_rate(source: Source) -> float | None:
    """The learning rate that a file sets at its top, for an update that takes none."""
    for statement in source.tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            named = {names.kind(target.id) for target in statement.targets if isinstance(target, ast.Name)}
            if "learning_rate" in named and isinstance(statement.value.value, float | int):
                return float(statement.value.value)
    return None
