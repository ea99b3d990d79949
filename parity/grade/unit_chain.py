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


def in_batches(played: Played, size: int) -> bool:
    """Whether a part of the examples was enough for some gradient, X having so many numbers."""
    arrays = (
        number(value)
        for role, frame in outermost(played.frames[1:])
        if role in ("forward", "gradients", "backward")
        for name, value in frame.arguments.items()
        if names.kind(name) == "X"
    )
    return any(array is not None and array.size != size for array in arrays)


def of_frames(played: Played, of: Names) -> list[Step]:
    """Every step of one run, from the functions that it calls; empty where they do not show all."""
    steps: list[Step] = []
    params: Arrays = {}
    for role, frame in outermost(played.frames[1:]):
        if role == "forward":
            params = of.params(frame.arguments) or params
        elif role in ("gradients", "backward"):
            params = of.params(frame.arguments) or params
            grads = of.grads(frame.returned) or of.params(frame.returned) or of.grads(last_bound(frame))
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
    grads = of.grads(frame.arguments) or _named_like_params(frame.arguments, of)
    return Update(of.params(_without_grads(frame.arguments)), grads, made, alpha, frame.line)


def _without_grads(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if names.kind(name) != "grads"}


def _named_like_params(values: Mapping[str, Value], of: Names) -> Arrays:
    """A gradient in a dict called so, by the parameters' names without a d."""
    found = (of.params(value) for name, value in values.items() if names.kind(name) == "grads")
    return next((grads for grads in found if grads), {})


def last_gradient(played: Played, of: Names) -> Arrays:
    """What the loop's own local names hold in the end."""
    bound = last_bound(played.frames[0]) if played.frames else {}
    return of.grads(bound) or _named_like_params(bound, of) or (_by_shape(played, of) if of.L > 1 else {})


def _by_shape(played: Played, of: Names) -> Arrays:
    """The last dW and db of each layer, bound to these names one after the other: no two layers have one shape."""
    params = of.params(played.returned)
    bindings = played.frames[0].bindings if played.frames else {}
    last = {(n[0], p.shape): n for n, p in params.items()}
    found: Arrays = {}
    for name, history in bindings.items():
        if (kind := names.quantity(name)) in ("dW", "db"):
            arrays = [a for a in (number(b.value) for b in history) if a is not None and (kind[1], a.shape) in last]
            found |= {last[kind[1], a.shape]: a for a in arrays}
    return {n: found[n] for n in of.of} if len(found) == len(last) == len(of.of) else {}


def initial(played: Played, of: Names) -> Arrays:
    """What the file's own initialisation gave inside of a run."""
    made = [frame.returned for frame in played.frames[1:] if names.role(frame.function) == "initialize"]
    return of.params(made[0]) if made else {}


def of_names(played: Played, of: Names) -> list[Step]:
    """Every step of a loop that binds each parameter and each derivative to a name of its own, once a step."""
    bindings = played.frames[0].bindings if played.frames else {}
    history = {n: [number(b.value) for b in bindings.get(n, ())] for name in of.of for n in (name, f"d{name}")}
    n = len(history[f"d{of.of[0]}"])
    due = all(len(history[name]) == n + 1 and len(history[f"d{name}"]) == n for name in of.of)
    if not n or not due or any(value is None for values in history.values() for value in values):
        return []
    at = [{name: history[name][i] for name in history if i < len(history[name])} for i in range(n)]
    return [
        Step({name: a[name] for name in of.of}, {name: a[f"d{name}"] for name in of.of})  # type: ignore[misc]
        for a in at
    ]


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
