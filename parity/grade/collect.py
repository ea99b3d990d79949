"""From one call of a learner's function to the quantities in what it returned and in its local names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.grade import names
from parity.grade.observed import Seen
from parity.grade.reading import Text, settled
from parity.grade.record import Binding, Frame, Played, Value
from parity.grade.series import Memory, Shape, array, assembled, by_layer, fits, runs

Path = tuple[int | str, ...]
Found = dict[str, Seen]

UNITS = frozenset({*names.ACTIVATIONS, "predict", "initialize", "layer_sizes"})
"""The roles whose local names say nothing of the pass."""

SUMS = frozenset({"J", "m"})
GRADIENTS = frozenset({"backward", "gradients", "linear_backward", "linear_activation_backward"})


@dataclass(frozen=True)
class Leaf:
    """A part of what was returned.

    Attributes
    ----------
    path : tuple
        As in `Ref`.
    quantity : str or None
    name : str
        What the learner calls it.
    """

    path: Path
    value: Value
    quantity: str | None
    name: str


@dataclass
class Reader:
    """Reads the calls of one pass.

    Attributes
    ----------
    expected : mapping
        The shape of each quantity, as the file's functions have it.
    rows : bool
        Whether one example is a row.
    roles : mapping
        By the name of a function, its role.
    layer : int or None
        The one that all belongs to, where the functions of a single layer are called.
    """

    text: Text
    exercise: str
    L: int
    expected: Mapping[str, Shape]
    rows: bool
    roles: Mapping[str, str]
    memory: Memory
    layer: int | None = None

    def quantity(self, name: str) -> str | None:
        """The exercise's name for what a learner calls so."""
        return names.canonical(names.quantity(name), self.exercise, self.L)

    def returned(self, played: Played, part: str) -> tuple[Found, list[Leaf]]:
        """The quantities in what a call returned, and all its leaves."""
        frame = played.frames[0] if played.frames else None
        called = self.text.of(frame.function).returned(frame.line) if frame else []
        leaves = self.leaves(played.returned, called, frame, part)
        found: Found = {}
        for leaf in leaves:
            for quantity, value in self._expanded(leaf, frame).items():
                found.setdefault(quantity, self._told(value, leaf, frame))
        return found, leaves

    def _expanded(self, leaf: Leaf, frame: Frame | None) -> dict[str, np.ndarray]:
        if leaf.quantity is None:
            return {}
        value = array(leaf.value)
        if value is not None:
            return {leaf.quantity: value}
        return self._listed(leaf.quantity, leaf.value, (frame.function if frame else "", leaf.name))

    def _listed(self, base: str, value: Value, key: tuple[str, str]) -> dict[str, np.ndarray]:
        """The quantities in a list, or in a dict with whole numbers as keys: one a layer."""
        if isinstance(value, dict):
            value = [value[k] for k in sorted(value)] if all(isinstance(k, int) for k in value) else []
        if not isinstance(value, list | tuple):
            return {}
        arrays = [found for found in map(array, value) if found is not None]
        layers = by_layer(key, base, arrays, self.expected, self.L, self.memory) if arrays else None
        stem = base.removesuffix("_prev")
        return {f"{stem}{l}": found for l, found in zip(layers or (), arrays, strict=bool(layers))}

    def leaves(self, value: Value, called: list[str | None], frame: Frame | None, part: str) -> list[Leaf]:
        """The parts of what was returned, with their quantities: by key, by name, by value, by the role's default."""
        top = list(_parts(value, called))
        found = [
            Leaf(path, leaf, self._of_name(key, path, leaf, frame), name or key or "the result")
            for path, leaf, key, name in top
        ]
        return _by_default(found, part, self)

    def _of_name(self, key: str | None, path: Path, value: Value, frame: Frame | None) -> str | None:
        if key is not None and (found := self.quantity(key)) is not None:
            return found
        return self._of_value(value, frame) if len(path) > 1 or key is None else None

    def _of_value(self, value: Value, frame: Frame | None) -> str | None:
        """The quantity of the local name that has this very value."""
        wanted = array(value)
        if wanted is None or frame is None or wanted.size == 1:
            return None
        for name, bindings in frame.bindings.items():
            quantity = self.quantity(name)
            if quantity is not None and any(same(wanted, binding.value) for binding in bindings):
                return quantity
        return None

    def _told(self, value: np.ndarray, leaf: Leaf, frame: Frame | None) -> Seen:
        """With the line of its key, else of the return."""
        key = leaf.path[-1] if leaf.path and isinstance(leaf.path[-1], str) else None
        line = self.text.of(frame.function).key_line(key) if frame and key else None
        return Seen(value, leaf.name, frame.function if frame else "", line or (frame.line if frame else None))

    def local(self, played: Played, part: str) -> dict[str, list[Seen]]:
        """The quantities in the local names of all frames of a call, what is nearer to the caller first."""
        found: dict[str, list[Seen]] = {}
        groups: dict[tuple[str, str], list[list[Binding]]] = {}
        for frame in sorted(played.frames, key=lambda frame: frame.depth):
            if self.roles.get(frame.function) not in UNITS:
                for name, bindings in frame.bindings.items():
                    groups.setdefault((frame.function, name), []).append(list(bindings))
        for (function, name), frames in groups.items():
            for quantity, seen in self._of_group(function, name, frames, part).items():
                found.setdefault(quantity, []).append(seen)
        for quantity, seen in self._of_activations(played).items():
            found.setdefault(quantity, []).append(seen)
        return found

    def _of_activations(self, played: Played) -> Found:
        """Z, as the activation functions were given it."""
        values, callers = [], []
        for at, frame in enumerate(played.frames):
            if self.roles.get(frame.function) in names.FUNCTIONS_G and len(frame.arguments) == 1 and frame.depth:
                value = array(next(iter(frame.arguments.values())))
                caller = next(f for f in reversed(played.frames[:at]) if f.depth == frame.depth - 1)
                if value is not None and self.roles.get(caller.function) not in UNITS:
                    line = self.text.of(caller.function).call_line(frame.function)
                    values.append((value, line))
                    callers.append(caller.function)
        if not values:
            return {}
        if self.exercise == "logistic":
            return {"Z": Seen(values[0][0], "Z", callers[0], values[0][1])} if len(values) == 1 else {}
        return self._by_layer(callers[0], "the activation's argument", "Z", values)

    def _of_group(self, function: str, name: str, frames: list[list[Binding]], part: str) -> Found:
        last = frames[0][-1]
        if isinstance(last.value, dict) and not all(isinstance(key, int) for key in last.value):
            return self._of_dict(function, name, last)
        quantity = self._updated(self.quantity(name), function, frames[0], part)
        if quantity is None or (quantity in SUMS and array(last.value) is None):
            return {}
        if isinstance(last.value, list | tuple | dict):
            listed = self._listed(quantity, last.value, (function, name))
            return {q: Seen(v, name, function, last.line) for q, v in listed.items()}
        reading = self.text.of(function)
        steps = [b for bindings in frames for b in settled(name, bindings, reading)]
        arrays = [(v, b.line) for b in steps if (v := array(b.value)) is not None]
        if not arrays:
            return {}
        if quantity in self.expected:
            return self._indexed(function, name, quantity, arrays, len(frames))
        return self._by_layer(function, name, quantity, arrays)

    def _updated(self, quantity: str | None, function: str, bindings: list[Binding], part: str) -> str | None:
        """A parameter that is bound in an update, or a second time in training, is a new one; else it is none of ours."""
        if quantity is None or quantity.rstrip("0123456789") not in {"W", "b", "w"}:
            return quantity
        role = self.roles.get(function)
        if role == "update" or (role == "train" and part == "train" and len(bindings) > 1):
            return f"new_{quantity}"
        return None

    def _of_dict(self, function: str, name: str, binding: Binding) -> Found:
        found: Found = {}
        reading = self.text.of(function)
        for key, value in binding.value.items():
            quantity = self.quantity(key) if isinstance(key, str) else None
            if quantity is None:
                continue
            leaf = Leaf((key,), value, quantity, f"{name}['{key}']")
            for q, v in self._expanded(leaf, None).items():
                found[q] = Seen(v, leaf.name, function, reading.key_line(key) or binding.line)
        return found

    def _indexed(
        self, function: str, name: str, quantity: str, values: list[tuple[np.ndarray, int]], frames: int
    ) -> Found:
        """A name with an index: its last value, or those of m examples side by side; nothing if it is of one of them."""
        value, line = values[-1]
        shape = self.expected[quantity]
        if quantity in SUMS:
            return {quantity: Seen(value, name, function, line)} if value.size == 1 else {}
        stacked = self._stacked((function, name), shape, values, frames)
        if stacked is None:
            return {}
        return {quantity: Seen(value if stacked is True else stacked, name, function, line)}

    def _stacked(
        self, key: tuple[str, str], shape: Shape, values: list[tuple[np.ndarray, int]], frames: int
    ) -> np.ndarray | bool | None:
        """Of m examples side by side; True where the last value is all there is; None where neither can be said."""
        known = self.memory.stacked.get(key)
        if known is None and len(values) == 1:
            return True
        if known is None:
            repeated = frames > 1 or self.text.of(key[0]).in_loop(values[-1][1])
            if fits(values[-1][0], shape) or not repeated:
                return True
        turns = runs([line for _, line in values], shape[not self.rows]) if len(shape) == 2 else None
        columns = assembled([values[i][0] for i in turns] if turns else [v for v, _ in values], shape, self.rows)
        self.memory.stacked.setdefault(key, columns is not None)
        return columns if known is not False else None

    def _by_layer(self, function: str, name: str, base: str, values: list[tuple[np.ndarray, int]]) -> Found:
        arrays = [value for value, _ in values]
        if self.layer is not None:
            value, line = values[-1]
            return {self.of_layer(base): Seen(value, name, function, line)}
        layers = by_layer((function, name), base, arrays, self.expected, self.L, self.memory)
        if layers is None:
            turns = runs([line for _, line in values], self.L)
            if turns is None or len(turns) == len(values):
                return {}
            values = [values[i] for i in turns]
            layers = by_layer((function, name), base, [v for v, _ in values], self.expected, self.L, self.memory)
        stem = base.removesuffix("_prev")
        return {
            f"{stem}{l}": Seen(value, name, function, line)
            for l, (value, line) in zip(layers or (), values, strict=bool(layers))
        }

    def of_layer(self, base: str) -> str:
        """A name without an index, of the single layer: dA_prev is that of the layer before."""
        stem = base.removesuffix("_prev")
        return f"{stem}{(self.layer or 0) - (stem != base)}"


def same(wanted: np.ndarray, value: Value) -> bool:
    """Whether a value is this array: shape and bits."""
    other = array(value)
    return other is not None and other.shape == wanted.shape and other.tobytes() == wanted.tobytes()


def _parts(value: Value, called: list[str | None]) -> Iterator[tuple[Path, Value, str | None, str | None]]:
    """(path, part, key or name that tells the quantity, what the learner calls it)."""
    if isinstance(value, dict):
        yield from _items((), value, called[0] if len(called) == 1 else None)
    elif isinstance(value, list | tuple):
        known = called if len(called) == len(value) else [None] * len(value)
        for i, (part, name) in enumerate(zip(value, known, strict=True)):
            if isinstance(part, dict):
                yield from _items((i,), part, name)
            elif isinstance(part, tuple) and not (name and names.quantity(name)):
                yield from (((i, j), inner, None, None) for j, inner in enumerate(part))
            else:
                yield (i,), part, name, name
    else:
        name = called[0] if len(called) == 1 else None
        yield (), value, name, name


def _items(path: Path, value: Mapping[Value, Value], name: str | None) -> Iterator[tuple[Path, Value, str, str]]:
    for key, part in value.items():
        if isinstance(key, str):
            yield (*path, key), part, key, f"{name}['{key}']" if name else key


def _by_default(leaves: list[Leaf], part: str, reader: Reader) -> list[Leaf]:
    """What a role's result is where nothing names it."""
    made = [_renamed(leaf, part, reader) for leaf in leaves]
    if part == "forward":
        made = _first_is(f"A{reader.L}" if reader.exercise != "logistic" else "A", made)
    if part == "cost":
        made = _first_is("J", [Leaf(leaf.path, leaf.value, None, leaf.name) for leaf in made])
    if part == "gradients" and all(leaf.quantity != "J" for leaf in made):
        numbers = [i for i, leaf in enumerate(made) if leaf.quantity is None and _is_number(leaf.value)]
        if numbers:
            i = numbers[0]
            made[i] = Leaf(made[i].path, made[i].value, "J", made[i].name)
    if part in {"gradients", "backward", "update"}:
        made = _in_order(made, part, reader)
    if reader.layer is not None:
        made = _of_block(made, part, reader)
    return made


BLOCK_RESULTS = {
    "linear_forward": ("Z",),
    "linear_activation_forward": ("A",),
    "linear_backward": ("dA_prev", "dW", "db"),
    "linear_activation_backward": ("dA_prev", "dW", "db"),
}


def _of_block(leaves: list[Leaf], part: str, reader: Reader) -> list[Leaf]:
    """What the functions of a single layer return: by name, else in the course's order."""
    usual = iter(BLOCK_RESULTS.get(part, ("dZ",)))
    made = []
    for leaf in leaves:
        of = leaf.quantity
        if len(leaf.path) < 2 and array(leaf.value) is not None:
            default = next(usual, None)
            of = default if of is None or len(BLOCK_RESULTS.get(part, "1")) == 1 else of
        made.append(Leaf(leaf.path, leaf.value, of and (of if of[-1].isdigit() else reader.of_layer(of)), leaf.name))
    return made


def _is_number(value: Value) -> bool:
    found = array(value)
    return found is not None and found.size == 1


def _renamed(leaf: Leaf, part: str, reader: Reader) -> Leaf:
    """A leaf called W1 is dW1 as a result of gradients, and new_W1 as one of an update."""
    quantity = leaf.quantity
    stem = (quantity or "").rstrip("0123456789")
    if stem in {"W", "b", "w"}:
        if part in GRADIENTS:
            quantity = f"d{quantity}"
        elif part in {"update", "train"}:
            quantity = f"new_{quantity}"
    if part == "forward" and quantity in {"A", "Z"} and reader.exercise != "logistic" and len(leaf.path) < 2:
        quantity = f"{quantity}{reader.L}" if array(leaf.value) is not None else quantity
    return leaf if quantity == leaf.quantity else Leaf(leaf.path, leaf.value, quantity, leaf.name)


def _first_is(quantity: str, leaves: list[Leaf]) -> list[Leaf]:
    if any(leaf.quantity == quantity for leaf in leaves):
        return leaves
    for i, leaf in enumerate(leaves):
        if array(leaf.value) is not None and (leaf.quantity is None or leaf.path in ((), (0,))):
            return [*leaves[:i], Leaf(leaf.path, leaf.value, quantity, leaf.name), *leaves[i + 1 :]]
    return leaves


def _in_order(leaves: list[Leaf], part: str, reader: Reader) -> list[Leaf]:
    """Unnamed arrays in a tuple that is as long as the parameters are many: in their order."""
    bare = [leaf for leaf in leaves if leaf.quantity is None and array(leaf.value) is not None]
    if reader.exercise == "logistic":
        order = ["w", "b"]
    else:
        order = [f"{name}{l}" for l in range(1, reader.L + 1) for name in ("W", "b")]
    if len(bare) != len(order):
        return leaves
    prefix = "new_" if part == "update" else "d"
    given = {leaf.path: f"{prefix}{name}" for leaf, name in zip(bare, order, strict=True)}
    return [Leaf(f.path, f.value, given.get(f.path, f.quantity), f.name) for f in leaves]
