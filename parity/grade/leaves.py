"""The parts of what a learner's function returned, and what they are where only its role tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Packing:
    """A container as the learner's functions made it once, and what its leaves are."""

    value: Value
    quantities: Mapping[Path, str]

    def filled(self, of: Callable[[str], Value | None]) -> Value:
        """The same container with other values; what is unknown is left out of a dict, and 0 in a tuple."""
        return self._filled(self.value, (), of)

    def _filled(self, value: Value, path: Path, of: Callable[[str], Value | None]) -> Value:
        if path in self.quantities:
            return of(self.quantities[path])
        if isinstance(value, dict):
            parts = {key: self._filled(part, (*path, key), of) for key, part in value.items()}
            return {key: part for key, part in parts.items() if part is not None}
        if isinstance(value, list | tuple):
            inner = [self._filled(part, (*path, i), of) for i, part in enumerate(value)]
            return type(value)(0.0 if part is None else part for part in inner)
        return None


def like_params(leaves: list[Leaf], value: Value, params: Packing, prefix: str) -> list[Leaf]:
    """The leaves, and if none is a parameter's those of the part that is built like the parameters, as JAX gives it."""
    stems = {f"{prefix}{name}" for name in params.quantities.values()}
    if any(leaf.quantity in stems for leaf in leaves):
        return leaves
    tops: list[tuple[Path, Value]] = [((), value)]
    tops += [((i,), part) for i, part in enumerate(value)] if isinstance(value, tuple) else []
    for top, part in tops:
        if isinstance(part, dict | list | tuple) and _built(part) == _built(params.value):
            found = {path: _at(part, path) for path in params.quantities}
            made = [Leaf((*top, *p), v, f"{prefix}{params.quantities[p]}", _called(p)) for p, v in found.items()]
            return [*(leaf for leaf in leaves if leaf.path[: len(top)] != top), *made]
    return leaves


def _built(value: Value) -> Value:
    """The containers without what is in them."""
    if isinstance(value, dict):
        return {key: _built(part) for key, part in value.items()}
    return [_built(part) for part in value] if isinstance(value, list | tuple) else None


def _at(value: Value, path: Path) -> Value:
    for step in path:
        value = value[step]
    return value


def _called(path: Path) -> str:
    return "".join(f"[{step!r}]" for step in path)


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


def by_default(
    leaves: list[Leaf], part: str, exercise: str, L: int, layer: int | None, output: str = "A"
) -> list[Leaf]:
    """What a role's result is where nothing names it; a forward pass gives A, or Z to a cost of logits."""
    made = [_renamed(leaf, part, exercise, L) for leaf in leaves]
    if part == "forward":
        made = _first_is(f"{output}{L}" if exercise != "logistic" else output, made)
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
    """Arrays in a tuple that is as long as the parameters are many, and of which none is named otherwise: in order."""
    prefix = "new_" if part == "update" else "d"
    layers = [f"{prefix}{name}{l}" for l in range(1, L + 1) for name in ("W", "b")]
    order = [f"{prefix}w", f"{prefix}b"] if exercise == "logistic" else layers
    bare = [leaf for leaf in leaves if leaf.quantity in {None, *order} and array(leaf.value) is not None]
    if len(bare) != len(order) or any(f.quantity not in {None, q} for f, q in zip(bare, order, strict=True)):
        return leaves
    given = {leaf.path: name for leaf, name in zip(bare, order, strict=True)}
    return [Leaf(f.path, f.value, given.get(f.path, f.quantity), f.name) for f in leaves]
