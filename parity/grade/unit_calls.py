"""How single functions of a learner's are called: which argument gets which value, and arrays of which framework."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from parity.grade import names
from parity.grade.record import Call, Frame, Function, Played, Room, Scene, Value


def arguments(
    function: Function, values: Mapping[str, Value], needed: Mapping[str, Value] | None = None
) -> dict[str, Value] | None:
    """A value for each argument whose meaning is known; None where one that is needed is not.

    Parameters
    ----------
    values, needed : mapping
        By keys of `parity.grade.names.KINDS` and quantities; what is in `needed` is left out where there is a default.
    """
    found: dict[str, Value] = {}
    for name in function.arguments:
        kind = names.kind(name) or names.plain(name)
        if kind in values:
            found[name] = values[kind]
        elif name not in function.optional:
            if needed is None or kind not in needed:
                return None
            found[name] = needed[kind]
    return found


def without_default(function: Function) -> tuple[str, ...]:
    """The arguments that must be given."""
    return tuple(name for name in function.arguments if name not in function.optional)


class Caller:
    """Plays calls in a room, with arrays of a framework that the file's functions take."""

    def __init__(self, room: Room) -> None:
        self.room = room
        frameworks = room.inventory.frameworks
        others = [name for name in ("torch", "jax") if name in frameworks]
        first = ["numpy"] if "numpy" in frameworks or not others else []
        self.kinds: list[str] = [*first, *others]
        if others and "numpy" not in self.kinds:
            self.kinds.append("numpy")

    @property
    def numpy(self) -> bool:
        """Whether NumPy is all that the file uses."""
        return self.kinds == ["numpy"]

    def numpy_name(self) -> str | None:
        """As what the file imports NumPy, at its top."""
        imports = (node for node in self.room.source.tree.body if isinstance(node, ast.Import))
        aliases = (alias for node in imports for alias in node.names if alias.name == "numpy")
        return next((alias.asname or alias.name for alias in aliases), None)

    def play(self, calls: Sequence[tuple[Call, ...]]) -> list[list[Played | None]]:
        """What became of each scene; where its last call failed, it is tried again with another framework's arrays."""
        found: list[list[Played | None]] = [[] for _ in calls]
        left = list(range(len(calls)))
        for kind in self.kinds:
            scenes = [Scene(f"unit {i} {kind}", calls[i], arrays=kind) for i in left]
            for i, scenery in zip(left, self.room.play(scenes) if scenes else [], strict=True):
                if not found[i] or worked(scenery.played):
                    found[i] = list(scenery.played)
            left = [i for i in left if not worked(found[i])]
        return found

    def one_each(self, calls: Sequence[Call]) -> list[Played | None]:
        """The same where a scene is a single call."""
        return [played[0] if played else None for played in self.play([(call,) for call in calls])]


def worked(played: Sequence[Played | None]) -> bool:
    """Whether every call of a scene gave a result."""
    return bool(played) and all(one is not None and one.trouble is None for one in played)


def at_fault(played: Played, function: Function) -> bool:
    """Whether what was raised is its own: not a called function's, nor after one that returned nothing."""
    assert played.trouble is not None
    within = played.trouble.function in (None, function.name)
    return within and all(f.returned is not None for f in played.frames[1:] if names.role(f.function) is not None)


def number(value: Value) -> np.ndarray | None:
    """As an array of real numbers; None where it is none."""
    if isinstance(value, bool | int | float | np.ndarray | np.generic):
        array = np.asarray(value)
        return array if array.dtype.kind in "biuf" else None
    return None


def first_array(value: Value) -> np.ndarray | None:
    """The result, or the first of several: (A, cache)."""
    if isinstance(value, tuple | list) and value:
        return first_array(value[0])
    return number(value)


def leaves(value: Value, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array in nested tuples and dicts, with the key that it stands under."""
    array = number(value)
    if array is not None:
        yield name, array
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, str(key))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from leaves(part)


def line_of(frame: Frame, returned: np.ndarray | None = None) -> int | None:
    """Where the value that is returned was last bound to a name; else the line of the return."""
    lines = [
        binding.line
        for bindings in frame.bindings.values()
        for binding in bindings[-1:]
        if returned is not None and _equal(number(binding.value), returned)
    ]
    return max(lines, default=frame.line)


def _equal(a: np.ndarray | None, b: np.ndarray) -> bool:
    return a is not None and a.shape == b.shape and a.dtype == b.dtype and bool(np.array_equal(a, b, equal_nan=True))


def where_changed(tree: ast.Module, function: Function, argument: str) -> int | None:
    """The first line in a function that writes into this argument, by an index or an augmented assignment, if any."""
    short, name = function.name.rpartition(".")[2], argument.partition("[")[0]
    lines = [
        node.lineno
        for scope in ast.walk(tree)
        if isinstance(scope, ast.FunctionDef) and scope.name == short
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign | ast.AugAssign) and any(_writes(t, name, node) for t in _targets(node))
    ]
    return min(lines, default=None)


def _targets(node: Any) -> list[ast.expr]:
    return list(node.targets) if isinstance(node, ast.Assign) else [node.target]


def _writes(target: ast.expr, name: str, node: ast.AST) -> bool:
    inner: ast.expr = target
    while isinstance(inner, ast.Subscript):
        inner = inner.value
    indexed = inner is not target or isinstance(node, ast.AugAssign)
    return indexed and isinstance(inner, ast.Name) and inner.id == name
