"""Which layers, or which examples, the values belong to that one local name had in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from parity.grade.probes import Probe
from parity.grade.record import Value

if TYPE_CHECKING:
    from parity.grade.leaves import Packing

Shape = tuple[int, ...]


def array(value: Value) -> np.ndarray | None:
    """A number or an array of numbers as an array; None for anything else."""
    if isinstance(value, np.ndarray | np.generic):
        found = np.asarray(value)
        return found if found.dtype.kind in "biufc" else None
    return np.asarray(value) if isinstance(value, bool | int | float | complex) else None


def sizes(probe: Probe) -> tuple[int, ...]:
    """n[0], …, n[L]."""
    weights = [probe.params["w"].T] if probe.exercise == "logistic" else _weights(probe)
    return (int(weights[0].shape[1]), *(int(W.shape[0]) for W in weights))


def _weights(probe: Probe) -> list[np.ndarray]:
    return [probe.params[f"W{l}"] for l in range(1, len(probe.params) // 2 + 1)]


def shapes(probe: Probe) -> dict[str, Shape]:
    """The shape of every quantity of a pass."""
    n, m = sizes(probe), probe.m
    found: dict[str, Shape] = {"J": (), "m": ()}
    if probe.exercise == "logistic":
        row: Shape = (1, m)
        return (
            found
            | dict.fromkeys(("Z", "A", "dZ", "dA"), row)
            | {"dw": (n[0], 1), "db": (), "new_w": (n[0], 1), "new_b": ()}
        )
    for l in range(len(n)):
        found |= {f"{name}{l}": (n[l], m) for name in ("A", "dA")}
        if l:
            found |= {f"{name}{l}": (n[l], m) for name in ("Z", "dZ")}
            found |= {f"dW{l}": (n[l], n[l - 1]), f"db{l}": (n[l], 1)}
            found |= {f"new_W{l}": (n[l], n[l - 1]), f"new_b{l}": (n[l], 1)}
    return found


def fits(value: np.ndarray, shape: Shape) -> bool:
    """Whether it is of this shape; a number may have any axes of length 1."""
    return value.size == 1 if shape == () else value.shape == shape


@dataclass
class Memory:
    """How the names of a file were read on the first probe, whose sizes are all distinct: so they are on the others.

    Attributes
    ----------
    layers : dict
        By function, name and number of values: the first value's layer, and 1 or −1.
    stacked : dict
        By function and name: whether each value is of one example (True), or cannot be assembled (False).
    examples : set
        Functions and names with a value for each example: they have none for each layer where m is L.
    dA_behind : bool
        Whether the gradients' dA1 is that of layer 0, and so on.
    params : Packing or None
        The container that the file's initialisation makes.
    """

    layers: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)
    stacked: dict[tuple[str, str], bool] = field(default_factory=dict)
    examples: set[tuple[str, str]] = field(default_factory=set)
    dA_behind: bool = False
    params: Packing | None = None


def by_layer(
    key: tuple[str, str], base: str, values: Sequence[np.ndarray], expected: Mapping[str, Shape], L: int, memory: Memory
) -> list[int] | None:
    """The layer of each value of a name without an index, by the shapes; else in order where there are L of them.

    Parameters
    ----------
    base : str
        Z, A, dZ, dA, dW, db, or with _prev behind it.
    """
    known = memory.layers.get((*key, len(values)))
    if key in memory.examples:
        return None
    if known is None:
        known = _alignment(base, values, expected, L)
        if known is None:
            if len(values) == max(expected[f"A{L}"] if L > 1 else expected["A"]):
                memory.examples.add(key)
            return None
        memory.layers[(*key, len(values))] = known
    return [known[0] + known[1] * i for i in range(len(values))]


def _alignment(
    base: str, values: Sequence[np.ndarray], expected: Mapping[str, Shape], L: int
) -> tuple[int, int] | None:
    stem, behind = base.removesuffix("_prev"), base.endswith("_prev")
    forwards = 1 if not stem.startswith("d") else -1
    first = (1 if forwards == 1 else L) - behind
    k = len(values)
    if stem == "dA" and not behind and k < L:  # the output's is seldom bound to the same name
        first = L - 1
    starts = sorted(range(L + 1), key=lambda l: (l != first, l))
    if k < L - 1:  # a loop that broke off
        starts = [first, L] if stem == "dA" else [first]
    for step in (forwards, -forwards):
        for start in starts:
            layers = [start + step * i for i in range(k)]
            if all(
                f"{stem}{l}" in expected and fits(v, expected[f"{stem}{l}"])
                for l, v in zip(layers, values, strict=True)
            ):
                return start, step
    return (first, forwards) if k == L else None


def assembled(values: Sequence[np.ndarray], shape: Shape, rows: bool) -> np.ndarray | None:
    """The values of m examples side by side, or below each other; None where they are none."""
    if len(shape) != 2:
        return None
    units, m = shape[::-1] if rows else shape
    if len(values) != m or any(value.size != units for value in values):
        return None
    side_by_side = np.concatenate([value.reshape(units, 1) for value in values], axis=1)
    return side_by_side.T if rows else side_by_side


def runs(lines: Sequence[int | None], times: int) -> list[int] | None:
    """The last index of each turn of a loop that goes round so many times, by the line that a turn begins with."""
    starts = [i for i, line in enumerate(lines) if line == lines[0]]
    return [*(i - 1 for i in starts[1:]), len(lines) - 1] if len(starts) == times else None
