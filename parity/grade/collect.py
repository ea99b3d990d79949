"""From one call of a learner's function to the quantities in what it returned and in its local names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parity.grade import names
from parity.grade.leaves import BLOCK_RESULTS, GRADIENTS, Leaf, Path, by_default, like_params, of_layer, parts
from parity.grade.observed import Seen
from parity.grade.reading import Text, settled
from parity.grade.record import Binding, Frame, Played, Value
from parity.grade.series import Memory, Shape, array, assembled, by_layer, fits, runs

Found = dict[str, Seen]
Lined = tuple[np.ndarray, int | None]

UNITS = frozenset({*names.ACTIVATIONS, "predict", "initialize", "layer_sizes"})
"""The roles whose local names say nothing of the pass."""

SUMS = frozenset({"J", "m"})


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
    X: np.ndarray | None = None

    def quantity(self, name: str) -> str | None:
        """The exercise's name for what a learner calls so."""
        found = names.quantity(name) or ""
        stem = found.rstrip("0123456789")
        if self.exercise == "shallow" and stem in self.text.later(self.L) and stem != found:
            found = f"{stem}{int(found.removeprefix(stem)) - 1}"
        return names.canonical(found or None, self.exercise, self.L)

    def one_before(self, quantity: str | None) -> str | None:
        """What a key of dA means: where dA of layer l is kept under l + 1, with the dW[l + 1] that came with it."""
        if not self.memory.dA_behind or not (quantity or "").startswith("dA") or not str(quantity)[2:].isdigit():
            return quantity
        return f"dA{int(str(quantity)[2:]) - 1}"

    def learn_dA(self, value: Value) -> None:
        """See by the shapes of a dict of gradients whether its dA belong to the layers before."""
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, dict):
                kept = {q: array(v) for k, v in part.items() if isinstance(k, str) and (q := self.quantity(k))}
                at = [(kept.get(f"dA{l}"), l) for l in range(1, self.L + 1)]
                if all(v is not None and fits(v, self.expected[f"dA{l - 1}"]) for v, l in at if self.L > 1):
                    here = [v is not None and fits(v, self.expected[f"dA{l}"]) for v, l in at]
                    self.memory.dA_behind |= self.exercise != "logistic" and not any(here)

    def returned(self, played: Played, part: str) -> tuple[Found, list[Leaf]]:
        """The quantities in what a call returned, and all its leaves."""
        frame = played.frames[0] if played.frames else None
        called = self.text.of(frame.function).returned(frame.line) if frame else []
        leaves = self.leaves(played.returned, called, frame, part)
        found: Found = {}
        for leaf in leaves:
            for quantity, value in self.expanded(leaf, frame).items():
                found.setdefault(quantity, self.told(value, leaf, frame))
        return found, leaves

    def expanded(self, leaf: Leaf, frame: Frame | None) -> dict[str, np.ndarray]:
        """The quantities of a leaf: of a list, one a layer."""
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
        if base in SUMS:
            return {base: arrays[0]} if len(arrays) == 1 else {}
        layers = by_layer(key, base, arrays, self.expected, self.L, self.memory) if arrays else None
        stem = base.removesuffix("_prev")
        return {f"{stem}{l}": found for l, found in zip(layers or (), arrays, strict=bool(layers))}

    def leaves(self, value: Value, called: list[str | None], frame: Frame | None, part: str) -> list[Leaf]:
        """The parts of what was returned, with their quantities: by key, by name, by value, by the role's default."""
        top = list(parts(value, called))
        found = [
            Leaf(path, leaf, self._of_name(key, path, leaf, frame, part), name or key or "the result")
            for path, leaf, key, name in top
        ]
        output = "Z" if part == "forward" and frame and self.text.gives_logits(frame.function) else "A"
        if self.memory.params is not None and part in {*GRADIENTS, "update"}:
            found = like_params(found, value, self.memory.params, "new_" if part == "update" else "d")
        return by_default(found, part, self.exercise, self.L, self.layer, output)

    def _of_name(self, key: str | None, path: Path, value: Value, frame: Frame | None, part: str) -> str | None:
        if key is not None and (found := self.quantity(key)) is not None:
            return self.one_before(found) if path and path[-1] == key else found
        if part in BLOCK_RESULTS and len(path) < 2:  # these have an order, and with one example db is dZ
            return None
        return self._of_value(value, frame) if len(path) > 1 or key is None else None

    def _of_value(self, value: Value, frame: Frame | None) -> str | None:
        """The quantity of the local name that has this very value."""
        wanted = array(value)
        if wanted is None or frame is None or wanted.size == 1:
            return None
        for name, bindings in frame.bindings.items():
            quantity = self.quantity(name)
            single = wanted.ndim == 2 and wanted.shape[not self.rows] == 1  # example: db is dZ
            if single and quantity and quantity.startswith("dZ"):
                continue
            if quantity is not None and any(same(wanted, binding.value) for binding in bindings):
                return quantity
        return None

    def told(self, value: np.ndarray, leaf: Leaf, frame: Frame | None) -> Seen:
        """With the line of its key, else of the return."""
        key = str(leaf.path[-1]) if leaf.path and isinstance(leaf.path[-1], str) else None
        line = self.text.of(frame.function).key_line(key) if frame and key else None
        return Seen(value, leaf.name, frame.function if frame else "", line or (frame.line if frame else None))

    def local(self, played: Played, part: str) -> dict[str, list[Seen]]:
        """The quantities in the local names of all frames of a call, the candidates for each.

        The first is nearest to the caller, with the place where its value was computed; then all, in time.
        """
        found: dict[str, list[tuple[int, bool, Seen]]] = {}
        exits = _exits(played.frames)
        groups: dict[tuple[str, str], list[int]] = {}
        for at in sorted(range(len(played.frames)), key=lambda at: played.frames[at].depth):
            frame = played.frames[at]
            if self.roles.get(frame.function) not in UNITS:
                for name in frame.bindings:
                    groups.setdefault((frame.function, name), []).append(at)
        for (function, name), places in groups.items():
            frames = [list(played.frames[at].bindings[name]) for at in places]
            if self._broken_off(function, name, played, frames[-1]):
                continue
            container = isinstance(frames[0][-1].value, list | dict)
            for quantity, seen in self._of_group(function, name, frames, part).items():
                found.setdefault(quantity, []).append((min(exits[at] for at in places), container, seen))
        for quantity, seen in self._of_activations(played).items():
            found.setdefault(quantity, []).append((len(exits), False, seen))
        return {quantity: _in_time(candidates) for quantity, candidates in found.items()}

    def _broken_off(self, function: str, name: str, played: Played, bindings: list[Binding]) -> bool:
        """Whether a loop that was to compute a single quantity may not have come to its end."""
        if played.trouble is None or played.trouble.function != function or self.quantity(name) not in self.expected:
            return False
        return self.text.of(function).in_loop(bindings[-1].line)

    def _of_activations(self, played: Played) -> Found:
        """Z, as the activation functions were given it."""
        values: list[Lined] = []
        callers: list[str] = []
        for at, frame in enumerate(played.frames):
            if self.roles.get(frame.function) in names.FUNCTIONS_G and len(frame.arguments) == 1 and frame.depth:
                value = array(next(iter(frame.arguments.values())))
                caller = next(f for f in reversed(played.frames[:at]) if f.depth == frame.depth - 1)
                known = value is not None and values and same(value, values[-1][0]) and self._is_whole(value)
                if value is not None and not known and self.roles.get(caller.function) not in UNITS:
                    line = self.text.of(caller.function).call_line(frame.function)
                    values.append((value, line))
                    callers.append(caller.function)
        if not values:
            return {}
        if self.exercise == "logistic":
            whole = len(values) == 1 and fits(values[0][0], self.expected["Z"])
            return {"Z": Seen(values[0][0], "Z", callers[0], values[0][1])} if whole else {}
        found = self._by_layer(callers[0], "the activation's argument", "Z", values)
        return {q: seen for q, seen in found.items() if fits(seen.value, self.expected[q])}

    def _is_X(self, value: np.ndarray) -> bool:
        """In whatever format: JAX makes float32 of float64 unless it is told otherwise."""
        return self.X is not None and same(self.X.astype(value.dtype), value)

    def _is_whole(self, value: np.ndarray) -> bool:
        """Whether it is a layer's Z of all examples: where it comes twice, the pass was called twice."""
        return any(fits(value, shape) for quantity, shape in self.expected.items() if quantity[0] == "Z")

    def _of_group(self, function: str, name: str, frames: list[list[Binding]], part: str) -> Found:
        last = frames[0][-1]
        if isinstance(last.value, dict) and not all(isinstance(key, int) for key in last.value):
            return self._of_dict(function, name, last)
        quantity = self._updated(self.quantity(name), function, frames[0], part)
        if quantity is None:
            return {}
        if quantity.startswith("dA") and self.text.of(function).multiplies(name):
            quantity = f"dZ{quantity.removeprefix('dA')}"
        if isinstance(last.value, list | tuple | dict):
            listed = self._listed(quantity, last.value, (function, name))
            return {q: Seen(v, name, function, last.line) for q, v in listed.items()}
        reading = self.text.of(function)
        steps = [b for bindings in frames for b in settled(name, bindings, reading)]
        arrays: list[Lined] = [(v, b.line) for b in steps if (v := array(b.value)) is not None]
        if not arrays:
            return {}
        if quantity in self.expected:
            return self._indexed(function, name, quantity, arrays, len(frames))
        return self._by_layer(function, name, quantity, arrays)

    def _updated(self, quantity: str | None, function: str, bindings: list[Binding], part: str) -> str | None:
        """A parameter that is bound in an update, or once more in training, is a new one; else it is none of ours."""
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
            quantity = self.one_before(self.quantity(key)) if isinstance(key, str) else None
            if quantity is None:
                continue
            leaf = Leaf((key,), value, quantity, f"{name}['{key}']")
            for q, v in self.expanded(leaf, None).items():
                found[q] = Seen(v, leaf.name, function, reading.key_line(key) or binding.line)
        return found

    def _indexed(self, function: str, name: str, quantity: str, values: list[Lined], frames: int) -> Found:
        """A name with an index: its last value, or those of m examples side by side; nothing if it is of one."""
        value, line = values[-1]
        shape = self.expected[quantity]
        if quantity in SUMS:
            return {quantity: Seen(value, name, function, line)} if value.size == 1 else {}
        found = self._assembled((function, name), shape, values, frames)
        return {} if found is None else {quantity: Seen(found, name, function, line)}

    def _assembled(self, key: tuple[str, str], shape: Shape, values: list[Lined], frames: int) -> np.ndarray | None:
        """The last value, where that is all there is; m of them side by side; None where neither can be said."""
        known, last = self.memory.stacked.get(key), values[-1][0]
        if known is None and (len(values) == 1 or fits(last, shape)):
            return last
        if known is None and frames == 1 and not self.text.of(key[0]).in_loop(values[-1][1]):
            return last
        turns = runs([line for _, line in values], shape[not self.rows]) if len(shape) == 2 else None
        columns = assembled([values[i][0] for i in turns] if turns else [v for v, _ in values], shape, self.rows)
        self.memory.stacked.setdefault(key, columns is not None)
        return columns

    def _by_layer(self, function: str, name: str, base: str, values: list[Lined]) -> Found:
        arrays = [value for value, _ in values]
        if self.layer is not None:
            value, line = values[-1]
            return {of_layer(base, self.layer): Seen(value, name, function, line)}
        if base == "A" and self._is_X(arrays[0]):  # the loop begins with A = X
            return self._by_layer(function, name, base, values[1:]) if values[1:] else {}
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


def _exits(frames: Sequence[Frame]) -> list[int]:
    """The order in which the frames ended, in that in which they were entered."""
    order: list[int] = []
    open_: list[int] = []
    for at, frame in enumerate(frames):
        while open_ and frames[open_[-1]].depth >= frame.depth:
            order.append(open_.pop())
        open_.append(at)
    order += reversed(open_)
    return [rank for _, rank in sorted((at, rank) for rank, at in enumerate(order))]


def _in_time(candidates: list[tuple[int, bool, Seen]]) -> list[Seen]:
    """The first candidate, placed where the same value was computed; then all in the order of time."""
    timed = [seen for *_, seen in sorted(candidates, key=lambda c: (c[0], c[1], "[" in c[2].name))]
    return [placed(candidates[0][2], timed), *timed]


def placed(seen: Seen, timed: Sequence[Seen]) -> Seen:
    """A value with the place of the first candidate that is the same: where it was computed."""
    alike = (other for other in timed if other.line is not None and same(seen.value, other.value))
    first = next(alike, seen)
    return Seen(seen.value, seen.name, first.function, first.line)


def same(wanted: np.ndarray, value: Value) -> bool:
    """Whether a value is this array: shape and bits."""
    if value is wanted:
        return True
    other = array(value)
    return other is not None and other.shape == wanted.shape and other.tobytes() == wanted.tobytes()
