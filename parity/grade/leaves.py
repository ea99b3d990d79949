"""The parts of what a learner's function returned, and what they are where only its role tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from parity.grade import names
from parity.grade.record import Value
from parity.grade.series import array

Path = tuple[int | str, ...]

GRADIENTS = frozenset({"backward", "gradients", "linear_backward", "linear_activation_backward"})


class Leaf(NamedTuple):
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


def parts(value: Value, called: Sequence[str | None] = ()) -> Iterator[tuple[Path, Value, str | None, str | None]]:
    """(path, part, key or name that tells the quantity, what the learner calls it)."""
    if isinstance(value, dict):
        yield from _items((), value, called[0] if len(called) == 1 else None)
    elif isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        yield from _layers((), value)
    elif isinstance(value, list | tuple):
        known = called if len(called) == len(value) else (None,) * len(value)
        for i, (part, name) in enumerate(zip(value, known, strict=True)):
            if isinstance(part, dict):
                yield from _items((i,), part, name)
            elif isinstance(part, list) and part and all(isinstance(inner, dict) for inner in part):
                yield from _layers((i,), part)
            elif isinstance(part, tuple) and not (name and names.quantity(name)):
                yield from (((i, j), inner, None, None) for j, inner in enumerate(part))
            else:
                yield (i,), part, name, name
    else:
        name = called[0] if len(called) == 1 else None
        yield (), value, name, name


def _layers(path: Path, value: Sequence[Mapping[Value, Value]]) -> Iterator[tuple[Path, Value, str, str]]:
    """Of a list with a dict for each layer: the key W of the first is W1."""
    for l, layer in enumerate(value):
        for key, part in layer.items():
            if isinstance(key, str):
                yield (*path, l, key), part, f"{key}{l + 1}" if not key[-1].isdigit() else key, f"[{l}]['{key}']"


def _items(path: Path, value: Mapping[Value, Value], name: str | None) -> Iterator[tuple[Path, Value, str, str]]:
    for key, part in value.items():
        if isinstance(key, str):
            yield (*path, key), part, key, f"{name}['{key}']" if name else key


def by_default(leaves: list[Leaf], part: str, exercise: str, L: int, layer: int | None) -> list[Leaf]:
    """What a role's result is where nothing names it."""
    made = [_renamed(leaf, part, exercise, L) for leaf in leaves]
    if part == "forward":
        made = _first_is(f"A{L}" if exercise != "logistic" else "A", made)
    if part == "cost":
        made = _first_is("J", [Leaf(leaf.path, leaf.value, None, leaf.name) for leaf in made])
    if part in {"gradients", "backward", "update"}:
        made = _in_order(made, part, exercise, L)
    if part == "gradients" and all(leaf.quantity != "J" for leaf in made):
        made = _in_order(_number_is_J(made), part, exercise, L)
    if layer is not None:
        made = _of_block(made, part, layer)
    return made


def of_layer(base: str, layer: int) -> str:
    """A name without an index, of a single layer: dA_prev is that of the layer before."""
    stem = base.removesuffix("_prev")
    return f"{stem}{layer - (stem != base)}"


BLOCK_RESULTS = {
    "linear_forward": ("Z",),
    "linear_activation_forward": ("A",),
    "linear_backward": ("dA_prev", "dW", "db"),
    "linear_activation_backward": ("dA_prev", "dW", "db"),
}


def _of_block(leaves: list[Leaf], part: str, layer: int) -> list[Leaf]:
    """What the functions of a single layer return: by name, else in the course's order."""
    usual = iter(BLOCK_RESULTS.get(part, ("dZ",)))
    made = []
    for leaf in leaves:
        of = leaf.quantity
        if len(leaf.path) < 2 and array(leaf.value) is not None:
            default = next(usual, None)
            of = default if of is None or len(BLOCK_RESULTS.get(part, "1")) == 1 else of
        made.append(Leaf(leaf.path, leaf.value, of and (of if of[-1].isdigit() else of_layer(of, layer)), leaf.name))
    return made


def _number_is_J(leaves: list[Leaf]) -> list[Leaf]:
    numbers = [leaf.path for leaf in leaves if leaf.quantity is None and _is_number(leaf.value)][:1]
    return [Leaf(f.path, f.value, "J" if f.path in numbers else f.quantity, f.name) for f in leaves]


def _is_number(value: Value) -> bool:
    found = array(value)
    return found is not None and found.size == 1


def _renamed(leaf: Leaf, part: str, exercise: str, L: int) -> Leaf:
    """A leaf called W1 is dW1 as a result of gradients, and new_W1 as one of an update."""
    quantity = leaf.quantity
    stem = (quantity or "").rstrip("0123456789")
    if stem in {"W", "b", "w"}:
        if part in GRADIENTS:
            quantity = f"d{quantity}"
        elif part in {"update", "train"}:
            quantity = f"new_{quantity}"
    if part == "forward" and quantity in {"A", "Z"} and exercise != "logistic" and len(leaf.path) < 2:
        quantity = f"{quantity}{L}" if array(leaf.value) is not None else quantity
    return leaf if quantity == leaf.quantity else Leaf(leaf.path, leaf.value, quantity, leaf.name)


def _first_is(quantity: str, leaves: list[Leaf]) -> list[Leaf]:
    if any(leaf.quantity == quantity for leaf in leaves):
        return leaves
    for i, leaf in enumerate(leaves):
        if array(leaf.value) is not None and (leaf.quantity is None or leaf.path in ((), (0,))):
            return [*leaves[:i], Leaf(leaf.path, leaf.value, quantity, leaf.name), *leaves[i + 1 :]]
    return leaves


def _in_order(leaves: list[Leaf], part: str, exercise: str, L: int) -> list[Leaf]:
    """Unnamed arrays in a tuple that is as long as the parameters are many: in their order."""
    bare = [leaf for leaf in leaves if leaf.quantity is None and array(leaf.value) is not None]
    layers = [f"{name}{l}" for l in range(1, L + 1) for name in ("W", "b")]
    order = ["w", "b"] if exercise == "logistic" else layers
    if len(bare) != len(order):
        return leaves
    prefix = "new_" if part == "update" else "d"
    given = {leaf.path: f"{prefix}{name}" for leaf, name in zip(bare, order, strict=True)}
    return [Leaf(f.path, f.value, given.get(f.path, f.quantity), f.name) for f in leaves]
