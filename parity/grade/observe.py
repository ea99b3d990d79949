"""What a learner's functions computed on every probe, under the notes' names."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.grade import names
from parity.grade.collect import Reader
from parity.grade.forms import attributes, initial, known, learn_forward, packed
from parity.grade.handing import Forms, Manner
from parity.grade.observed import Observed
from parity.grade.probes import Probe, probes
from parity.grade.protocol import Part, Planner
from parity.grade.reading import Text
from parity.grade.record import NO_VERDICT, Function, Room, Scenery, Source, Trouble
from parity.grade.series import Memory, fits, shapes
from parity.grade.view import View

ROUNDS = 3
"""How often the first probe is played: once to see the forward pass's result, once the backward pass's, once all."""

NARROW = frozenset({"distinct"})
"""The probes of float32 for JAX, which compiles each operation anew for each shape and format: one has to do."""

ARRAYS = {"torch": ("torch", "torch, grad", "numpy"), "jax": ("jax", "numpy")}
"""What is tried, in turn, where a file imports the framework."""


Worth = tuple[int, int]
"""What goes wrong in a forward pass, and what is raised in all: less is better."""


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
        self.kept: Mapping[str, Scenery] = {}

    def settle(self, dtype: str) -> None:
        """Choose the manner in which the first probe raises least."""
        best: Worth | None = None
        for manner in self._manners():
            if best is not None and (best == (0, 0) or (manner.rows and best[0] == 0)):
                continue
            planner, memory = Planner(self.room.inventory, self.roles, self.text, manner, Forms()), Memory()
            worth, final, kept = self._tried(planner, memory, dtype)
            if best is None or (worth < best and (worth[0] == 0 or not manner.rows)):
                best, self.planner, self.memory, self.kept = worth, planner, memory, kept
            if final:
                break
        for probe in probes(self.exercise, dtype)[1:] if best is not None and best[0] else ():
            if "forward" in self.planner.forms.results or "forward" not in self.roles:
                break
            self._tried(self.planner, self.memory, dtype, probe.name)
            self.kept = {}  # it was played before that was known

    def _manners(self) -> Iterator[Manner]:
        """The usual one first; rows, other packings and the functions' own activations where that does not do."""
        frameworks = self.room.inventory.frameworks
        arrays = next((ARRAYS[name] for name in ("torch", "jax") if name in frameworks), ("numpy",))
        yield from (Manner(kind) for kind in arrays)
        kinds = {names.kind(name) for function in self.roles.values() for name in function.arguments}
        if "activations" in kinds:
            yield from (Manner(kind, defaults=True) for kind in arrays[:2])
        for packing in ("own", "dict", "tuple") if kinds & {"params", "grads"} else ("own",):
            for rows, turned in ((False, False), (True, True), (True, False)):
                if (rows or packing != "own") and not (self.exercise == "logistic" and turned):
                    yield from (Manner(kind, rows, turned, packing) for kind in arrays[:2])
            if self.exercise == "logistic":
                yield from (Manner(kind, rows=True, packing=packing, flat=True) for kind in arrays[:2])

    def _tried(
        self, planner: Planner, memory: Memory, dtype: str, name: str = "distinct"
    ) -> tuple[Worth, bool, Mapping[str, Scenery]]:
        """How much goes wrong on a probe: what is raised, and shapes of the forward pass that do not fit.

        With it, whether no manner will do, and what need not be played again.
        """
        every = probes(self.exercise, dtype, planner.activations(self.exercise))
        probe = next(probe for probe in every if probe.name == name)
        before, kept = "", {}
        for _ in range(ROUNDS):
            parts = list(planner.learning(probe))
            sceneries = self.room.play([part.scene for part in parts])
            for part, scenery in zip(parts, sceneries, strict=True):
                self._learn(part, scenery, planner, memory)
            if known(planner.forms) == before:
                kept = {part.scene.name: scenery for part, scenery in zip(parts, sceneries, strict=True)}
                break
            before = known(planner.forms)
        return *self._worth(parts, sceneries, memory), kept

    def _worth(self, parts: Sequence[Part], sceneries: Sequence[Scenery], memory: Memory) -> tuple[Worth, bool]:
        first = second = 0
        for part, scenery in zip(parts, sceneries, strict=True):
            if part.steps and part.steps[-1].role == "initialize":
                continue
            observed = self._observed(part, scenery, memory)[0]
            expected = shapes(part.probe)
            forward = {q: fits(seen.value, expected[q]) for q, seen in observed.seen.items() if q[0] in "ZA"}
            begun = set(observed.troubles) & {"forward", "gradients", "train"} and not forward.get(_output(part))
            first += list(forward.values()).count(False) + bool(begun)
            second += len(observed.troubles)
            if any(t.kind not in {"error", "missing"} for t in observed.troubles.values()):
                return (first, second), True
        return (first, second), False

    def _learn(self, part: Part, scenery: Scenery, planner: Planner, memory: Memory) -> None:
        """The forms of the file's containers, from what its functions returned."""
        reader = self._reader(part, memory)
        for step, played in zip(part.steps, scenery.played, strict=True):
            if played is None or played.trouble or step.again:
                continue
            if step.role in {"backward", "gradients"}:
                reader.learn_dA(played.returned)
            leaves = reader.returned(played, step.role)[1]
            if step.role == "construct":
                planner.forms.attributes |= attributes(played, reader, part.probe)
            elif step.role in {"forward", "linear_forward", "linear_activation_forward"}:
                learn_forward(step.role, played, leaves, reader, planner.forms)
            elif step.role in {"backward", "gradients"}:
                planner.forms.grads = packed(played.returned, leaves, "d") or planner.forms.grads
                planner.forms.gradients |= attributes(played, reader, part.probe, "d")
            elif step.role == "initialize":
                planner.forms.params = initial(played.returned, leaves, part.probe) or planner.forms.params
                memory.params = planner.forms.params

    def _reader(self, part: Part, memory: Memory) -> Reader:
        turned = {q: part.manner.turn(q, np.empty(shape)).shape for q, shape in shapes(part.probe).items()}
        rows, X = part.manner.rows, part.manner.turn("X", part.probe.X)
        return Reader(self.text, part.probe.exercise, part.probe.L, turned, rows, self.parts_of, memory, part.layer, X)

    def observe(self, dtypes: Sequence[str]) -> list[Observed]:
        """All probes, played at once, but for what has been played like that before."""
        played = self._played(dtypes)
        behind = [o for part, scenery in self._behind(played) for o in self._observed(part, scenery, self.memory)]
        found = [observed for part, scenery in played for observed in self._observed(part, scenery, self.memory)]
        return found + [replace(observed, troubles={}) for observed in behind]

    def _played(self, dtypes: Sequence[str]) -> list[tuple[Part, Scenery]]:
        parts = [
            part
            for dtype in dtypes
            for probe in probes(self.exercise, dtype, self.planner.activations(self.exercise))
            if self._is_played(probe)
            for part in self.planner.parts(probe)
        ]
        fresh = iter(self.room.play([part.scene for part in parts if part.scene.name not in self.kept]))
        return [(part, self.kept.get(part.scene.name) or next(fresh)) for part in parts]

    def _behind(self, played: Sequence[tuple[Part, Scenery]]) -> list[tuple[Part, Scenery]]:
        """Where the forward pass raised, or what came after it, the latter with given values in place of its own."""
        if "forward" not in self.roles or self.planner.owner:
            return []
        broken = [part for part, scenery in played if _raised(part, scenery, ("forward", "cost", "backward"))]
        roles = {role: function for role, function in self.roles.items() if role != "forward"}
        ended = {
            trouble.function for _, scenery in played for trouble in _troubles(scenery) if trouble.kind in NO_VERDICT
        }
        cost = roles.get("cost")
        if cost and (cost.name in ended or "X" in {names.kind(name) for name in cost.arguments}):
            del roles["cost"]  # it has no end, and nothing after it is called; or it makes a pass of its own
        planner, known = replace(self.planner, roles=roles), {part.scene.name for part, _ in played}
        behind = [b for part in broken for b in planner.parts(part.probe) if b.scene.name not in known]
        return list(zip(behind, self.room.play([part.scene for part in behind]), strict=True))

    def _is_played(self, probe: Probe) -> bool:
        """Not what a framework refuses; of those that JAX would compile once more, only what may differ."""
        arrays = self.planner.manner.arrays
        if probe.name == "integer":
            return not arrays.startswith("torch")
        return arrays != "jax" or probe.dtype == "float64" or probe.name in NARROW

    def _observed(self, part: Part, scenery: Scenery, memory: Memory) -> list[Observed]:
        view = View(part, self._reader(part, memory), self.rate)
        for step, played in zip(part.steps, scenery.played, strict=True):
            if played is not None:
                view.add(step, played)
        return view.observed()


_ROW = np.empty((1, 2))


def _roles(part: Part) -> list[str]:
    return [step.role for step in part.steps]


def _troubles(scenery: Scenery) -> list[Trouble]:
    return [played.trouble for played in scenery.played if played is not None and played.trouble]


def _raised(part: Part, scenery: Scenery, roles: Sequence[str] = ("forward",)) -> bool:
    """Whether one of these raised after the forward pass was called."""
    each = zip(part.steps, scenery.played, strict=True)
    raised = [p is not None and p.trouble for step, p in each if step.role in roles]
    return "forward" in _roles(part) and any(raised)


def _output(part: Part) -> str:
    return "A" if part.probe.exercise == "logistic" else f"A{part.probe.L}"


def _module_rate(source: Source) -> float | None:
    """The learning rate that a file sets at its top, for an update that takes none."""
    for statement in source.tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            named = {names.kind(target.id) for target in statement.targets if isinstance(target, ast.Name)}
            if "learning_rate" in named and isinstance(statement.value.value, float | int):
                return float(statement.value.value)
    return None
