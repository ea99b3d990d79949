"""What a training loop did, step by step: the parameters it was at, the gradient it got there, and where it ended.

Where the loop calls functions for gradients and updates, one run shows every step. Where it does all by itself, runs of
0, 1, 2 and 3 iterations from the same parameters do: each adds a step, and ends with its last gradient in a local name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parity.grade import names
from parity.grade.record import Frame, Played, Value
from parity.grade.unit_calls import leaves, number

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Update:
    """A call of the file's own update: what it was given and what it made of it; nothing where that is not seen."""

    params: Arrays
    grads: Arrays
    made: Arrays
    learning_rate: float | None
    line: int | None


@dataclass(frozen=True)
class Step:
    """Where the gradient was asked for, what it was, and the file's own update after it."""

    params: Arrays
    grads: Arrays
    update: Update | None = None


@dataclass(frozen=True)
class Names:
    """The names of an exercise's parameters: w, b or W1, b1, …, bL."""

    exercise: str
    of: tuple[str, ...]

    @property
    def L(self) -> int:
        """The number of layers."""
        return len(self.of) // 2

    def params(self, value: Value) -> Arrays:
        """All parameters in nested values, or none."""
        return self._all(value, self.of)

    def grads(self, value: Value) -> Arrays:
        """The gradient by the parameters' names, or nothing."""
        found = self._all(value, tuple(f"d{name}" for name in self.of))
        return {name.removeprefix("d"): array for name, array in found.items()}

    def _all(self, value: Value, wanted: tuple[str, ...]) -> Arrays:
        found: Arrays = {}
        for key, array in leaves(value):
            name = names.canonical(names.quantity(key), self.exercise, self.L) if key else None
            if name in wanted:
                found.setdefault(name, array)
        return {name: found[name] for name in wanted} if len(found) == len(wanted) else {}

    def returned(self, value: Value, like: Arrays) -> Arrays:
        """The parameters in what was returned: by their keys, or a tuple that begins with all of them."""
        if found := self.params(value):
            return found
        first = [number(part) for part in value[: len(self.of)]] if isinstance(value, tuple | list) else []
        if len(first) != len(self.of):
            return {}
        pairs = dict(zip(self.of, first, strict=True))
        fits = all(a is not None and a.shape == like[name].shape for name, a in pairs.items())
        return {name: a for name, a in pairs.items() if a is not None} if fits else {}


def last_bound(frame: Frame) -> dict[str, Value]:
    """Every local name with what it was bound to in the end."""
    return {name: bindings[-1].value for name, bindings in frame.bindings.items() if bindings}


def outermost(frames: Sequence[Frame]) -> Iterator[tuple[str, Frame]]:
    """The frames that play a part in training, with their roles; not those inside of such a frame."""
    inside: int | None = None
    for frame in frames:
        if inside is not None and frame.depth > inside:
            continue
        role = names.role(frame.function)
        inside = frame.depth if role in ("forward", "cost", "gradients", "backward", "update") else None
        if inside is not None and role is not None:
            yield role, frame


def of_frames(played: Played, of: Names) -> list[Step]:
    """Every step of one run, from the functions that it calls; empty where they do not show all."""
    steps: list[Step] = []
    params: Arrays = {}
    for role, frame in outermost(played.frames[1:]):
        if role == "forward":
            params = of.params(frame.arguments) or params
        elif role in ("gradients", "backward"):
            params = of.params(frame.arguments) or params
            grads = of.grads(frame.returned) or of.grads(last_bound(frame))
            if not params or not grads:
                return []
            steps.append(Step(params, grads))
            params = {}
        elif role == "update" and steps and steps[-1].update is None:
            steps[-1] = Step(steps[-1].params, steps[-1].grads, _update(frame, of))
    return steps


def _update(frame: Frame, of: Names) -> Update:
    rates = [v for name, v in frame.arguments.items() if names.kind(name) == "learning_rate"]
    rate = number(rates[0]) if rates else None
    made = of.params(frame.returned) or (of.params(last_bound(frame)) if frame.returned is None else {})
    alpha = float(rate.reshape(-1)[0]) if rate is not None and rate.size == 1 else None
    return Update(of.params(frame.arguments), of.grads(frame.arguments), made, alpha, frame.line)


def last_gradient(played: Played, of: Names) -> Arrays:
    """What the loop's own local names hold in the end."""
    return of.grads(last_bound(played.frames[0])) if played.frames else {}


def costs(returned: Value) -> list[float]:
    """The list of costs in what was returned; empty where there is none."""
    if isinstance(returned, Mapping):
        for key, value in returned.items():
            if "cost" in str(key).lower() or "loss" in str(key).lower():
                return _numbers(value)
    if isinstance(returned, tuple | list) and returned and not _numbers(returned):
        return _numbers(returned[-1]) or costs(returned[0])
    return []


def _numbers(value: Value) -> list[float]:
    parts = list(value) if isinstance(value, tuple | list) else []
    if isinstance(value, np.ndarray) and value.ndim == 1:
        parts = list(value)
    arrays = [number(part) for part in parts]
    return [float(a.reshape(-1)[0]) for a in arrays if a is not None and a.size == 1] if arrays else []


def first_costs(played: Played) -> list[float]:
    """The costs that its functions gave, in order."""
    found = []
    for role, frame in outermost(played.frames[1:]):
        if role in ("cost", "gradients"):
            single = [a for key, a in leaves(frame.returned) if a.size == 1 and names.quantity(key or "J") == "J"]
            found += [float(a.reshape(-1)[0]) for a in single[:1]]
    return found
