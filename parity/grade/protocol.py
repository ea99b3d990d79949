"""Which of a file's functions are called on a probe, in which order, and what was learned of them by calling them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from parity.grade import names
from parity.grade.handing import Forms, Hand, Manner, Unknown
from parity.grade.leaves import GRADIENTS
from parity.grade.probes import Probe
from parity.grade.reading import Text
from parity.grade.record import Call, Function, Inventory, Scene, Trouble, Value

MIXED = {"shallow": ("tanh", "sigmoid"), "deep": ("tanh", "relu", "tanh", "sigmoid")}
"""The activations where a file's functions take them as an argument."""

THREE = ("relu", "relu", "sigmoid")
"""Of a file whose layers are counted out: W1, W2, W3."""

LAYER = {
    **dict.fromkeys(("A", "A_prev", "AL", "X", "A0"), "A1"),
    **dict.fromkeys(("W", "w", "weights"), "W2"),
    **dict.fromkeys(("b", "biases"), "b2"),
    **dict.fromkeys(("Z", "ZL"), "Z2"),
    "dZ": "dZ2",
    "dA": "dA2",
}
"""What the arguments of a single layer's functions are: those of layer 2, a hidden one."""

BLOCKS: tuple[tuple[tuple[str, ...], str | None], ...] = (
    (("linear_forward", "linear_backward"), None),
    (("linear_activation_forward", "linear_activation_backward"), "relu"),
    (("linear_activation_forward", "linear_activation_backward"), "sigmoid"),
    (("sigmoid_backward",), "sigmoid"),
    (("relu_backward",), "relu"),
    (("tanh_backward",), "tanh"),
    (("leaky_relu_backward",), "leaky_relu"),
)
"""The functions of a single layer that are called together, and its activation."""

FOR_BLOCKS = frozenset({"distinct", "square", "single", "zero", "integer"})
"""The probes on which they are called."""

FOR_TWICE = frozenset({"distinct", "square"})
"""The probes on which what has no effects is called once more, to see whether it has one."""


@dataclass(frozen=True)
class Step:
    """What a call of a scene is for.

    Attributes
    ----------
    role : str
        "construct" makes the object.
    again : bool
        It repeats the call before it.
    """

    role: str
    function: Function
    again: bool = False


@dataclass(frozen=True)
class Part:
    """A scene, and what its calls are for."""

    probe: Probe
    manner: Manner
    scene: Scene
    steps: tuple[Step, ...]
    given: Mapping[str, np.ndarray] = field(default_factory=dict)
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    layer: int | None = None


@dataclass
class Planner:
    """Plans the passes of one file over one exercise."""

    inventory: Inventory
    roles: Mapping[str, Function]
    text: Text
    manner: Manner
    forms: Forms

    @property
    def owner(self) -> str | None:
        """The class that plays the roles, if one does."""
        for part in ("forward", "backward", "gradients", "train"):
            if part in self.roles and "." in self.roles[part].name:
                return self.roles[part].name.rpartition(".")[0]
        return None

    def activations(self, exercise: str) -> tuple[str, ...] | None:
        """Mixed ones where the functions take them, None where they have their own."""
        takes = {
            names.kind(name)
            for part in ("forward", "gradients", "cost", "train")
            if part in self.roles
            for name in self.roles[part].arguments
            if not (self.manner.defaults and name in self.roles[part].optional)
        }
        if exercise == "deep" and self._three():
            return THREE
        return MIXED.get(exercise) if "activations" in takes else None

    def _three(self) -> bool:
        """Whether a file's network has three layers, W1 to W3, whatever it is given."""
        said = {word for part in (*names.CORE, *GRADIENTS) if part in self.roles for word in self._words(part)}
        return bool(said & {"W3", "w3", "W_3"}) and not said & {"W4", "w4", "W_4"}

    def _words(self, part: str) -> frozenset[str]:
        return self.text.of(self.roles[part].name).words

    def groups(self) -> list[list[str]]:
        """The roles that are called in one scene: those that build on each other."""
        alone = [
            part for part in ("gradients", "cost", "backward", "update") if part in self.roles and self._alone(part)
        ]
        together = [part for part in ("forward", "cost", "backward", "update") if part in self.roles]
        groups = [[part for part in together if part not in alone], *([part] for part in alone)]
        if "train" in self.roles and (self._takes("train", {"params", "w", "W1", "weights"}) or not self._has_a_pass()):
            groups.append(["train"])
        return [group for group in groups if group]

    def _has_a_pass(self) -> bool:
        return bool({"gradients", "backward"} & set(self.roles))

    def _takes(self, part: str, kinds: set[str]) -> bool:
        return any(names.kind(name) in kinds for name in self.roles[part].arguments)

    def _alone(self, part: str) -> bool:
        """Whether a function makes a pass of its own, from the inputs on."""
        if part == "gradients":
            return True
        if part == "update":  # with given gradients, which are not its own
            return not self.owner or bool(self.forms.gradients)
        if part == "backward" and not self.owner and self._takes(part, {"cache"}) and "forward" in self.roles:
            return "forward" in self.forms.results and "forward" not in self.forms.cache
        if self.owner or not self._takes(part, {"X"}):
            return False
        if part == "backward":
            handed = {names.kind(name) or "" for name in self.roles[part].arguments}
            return not any(kind in {"cache", "activations", "A", "Z"} or kind[0] in "AZ" for kind in handed if kind)
        calls = self.text.calls(self.roles[part].name)
        return "forward" in self.roles and self.roles["forward"].name.rpartition(".")[2] not in calls

    def parts(self, probe: Probe) -> Iterator[Part]:
        """All scenes of a probe."""
        for group in self.groups():
            yield self._scene(probe, group)
        if probe.exercise == "deep" and probe.name in FOR_BLOCKS:
            for block, activation in BLOCKS:
                if set(block) & set(self.roles):
                    yield self._block(probe, block, activation)

    def learning(self, probe: Probe) -> Iterator[Part]:
        """The scenes from which the forms of the file's containers are learned."""
        yield from self.parts(probe)
        if "initialize" in self.roles and not self.owner:
            yield self._scene(probe, ["initialize"])

    def _scene(self, probe: Probe, group: Sequence[str]) -> Part:
        hand = Hand(probe, self.manner, self.forms, spelled=self.text.spelled)
        building = Building(self, hand)
        if self.owner:
            building.construct(self.owner)
        for part in group:
            building.add(part, self.roles[part])
        return building.part("+".join(group))

    def _block(self, probe: Probe, group: Sequence[str], activation: str | None) -> Part:
        if activation:
            kept = probe.activations
            probe = replace(probe, activations=(kept[0], activation, *kept[2:]))
        of_layer = {**LAYER, "activation": f"activation {activation}"}
        building = Building(self, Hand(probe, self.manner, self.forms, alias=of_layer, spelled=self.text.spelled))
        for part in group:
            if part in self.roles:
                building.add(part, self.roles[part])
        building.hand.given |= {name: probe.params[name] for name in ("W2", "b2")}
        return replace(building.part(f"{group[0]} {activation or ''}"), layer=2)


@dataclass
class Building:
    """A scene in the making."""

    planner: Planner
    hand: Hand
    calls: list[Call] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    on: int | None = None
    attributes: dict[str, Value] = field(default_factory=dict)

    def construct(self, owner: str) -> None:
        """Make the object, and have its parameters set before its first method is called."""
        made = self.planner.inventory.classes[owner]
        self.add("construct", made)
        if self.calls:
            self.on = 0
            self.attributes = self._parameters()

    def _parameters(self) -> dict[str, Value]:
        known = self.planner.forms.attributes or {self.hand.spelled(name): name for name in self.hand.probe.params}
        return {
            name: self.hand.array(of)
            if isinstance(of, str)
            else of.filled(lambda q: self.hand.array(q) if q in self.hand.probe.params else None)
            for name, of in known.items()
        }

    def _gradients(self) -> dict[str, Value]:
        """Given gradients for an update that finds them in its object."""
        wanted = {f"d{name}" for name in self.hand.probe.params}
        return {
            name: self.hand.give(of) if isinstance(of, str) else of.filled(lambda q: self.hand.give(q))
            for name, of in self.planner.forms.gradients.items()
            if not isinstance(of, str) or of in wanted
        }

    def add(self, part: str, function: Function) -> None:
        """A call, and the same once more where it should have no effects."""
        try:
            arguments = self.hand.arguments(function, part)
        except Unknown as unknown:
            what = f"nothing is known of the argument {unknown} of {function.name}: give it one of the usual names"
            self.troubles[part] = Trouble("missing", what, function.line, function.name)
            return
        if part == "update" and self.on is not None:
            self.attributes |= self._gradients()
        self.hand.calls[part] = len(self.calls)
        twice = part in (*GRADIENTS, "cost") and self.hand.probe.name in FOR_TWICE
        for again in (False, True)[: 1 + twice]:
            self.calls.append(Call(function.name, arguments, self.on, self.attributes))
            self.steps.append(Step(part, function, again))
            self.attributes = {}

    def part(self, name: str) -> Part:
        """What has been planned."""
        probe, manner = self.hand.probe, self.hand.manner
        scene = Scene(f"{probe.name} {probe.dtype} {name}", tuple(self.calls), manner.arrays)
        return Part(probe, manner, scene, tuple(self.steps), dict(self.hand.given), dict(self.troubles))
