"""Initialisation (slide N19) and the sizes of layers (N20): shapes, zeros, symmetry, and what statistics tell.

A false alarm has a probability of `ALARM` or less, on weights that are drawn as the slide says:

    all N weights of a layer have one sign                    2 · 2^−N
    their mean square is outside σ² (1 − 2√(x/N)), σ² (1 + 2√(x/N) + 2x/N)     2 e^−x

The second is Laurent and Massart's bound for χ² of N degrees of freedom (Ann. Statist. 28, 2000, lemma 1); uniform
numbers are nearer to their variance than normal ones. Layers are large enough for both, and sizes are all distinct.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import log, log2, sqrt
from typing import Any

import numpy as np

from parity.grade import names
from parity.grade.probes import probes
from parity.grade.record import Call, Function, Played, Ref, Value
from parity.grade.unit_calls import Caller, arguments, leaves, without_default, worked
from parity.grade.verdicts import Verdicts

ALARM = 2.0**-40
"""The probability of a false alarm, for each layer and question."""

SIGNS = 1 + int(-log2(ALARM))
"""So many signs tell: 2 · 2^−N is no more than `ALARM`."""

SMALL = {"logistic": (5, 1), "shallow": (5, 3, 2), "deep": (6, 5, 4, 3, 2)}
LARGE = {"logistic": (80, 1), "shallow": (80, 70, 60), "deep": (80, 70, 60, 50, 40)}
"""n[0], …, n[L], for the shapes and for the statistics: at least 2000 weights a layer."""

GENERATORS = frozenset(["rng", "generator", "gen", "randomgenerator"])
"""Of an argument for a source of random numbers, in lower case without underscores."""

Params = dict[str, np.ndarray]
Roles = Mapping[str, Function]
Wanted = tuple[tuple[int, ...], tuple[Call, ...]]


def parameters(caller: Caller, verdicts: Verdicts, roles: Roles, dtypes: Sequence[str]) -> None:
    """The function that initialises, or each of several where that is the exercise; `dtypes` says nothing here."""
    found = [roles["initialize"]] if "initialize" in roles else []
    if verdicts.exercise == "initialization":
        every = caller.room.inventory.functions.values()
        found = [f for f in every if names.role(f.name) == "initialize"] or found
    for function in found:
        _function(caller, verdicts, function)


def _function(caller: Caller, verdicts: Verdicts, function: Function) -> None:
    wanted: list[Wanted] = []
    for sizes in (SMALL, LARGE):
        for layers in (sizes[verdicts.exercise],) if verdicts.exercise in sizes else sizes.values():
            calls = _calls(caller, function, layers)
            if calls:
                wanted.append((layers, calls))
    if not wanted:
        verdicts.open("w" if verdicts.exercise == "logistic" else "W1")
    found = caller.play([calls for _, calls in wanted])
    if verdicts.exercise not in SMALL and any(map(worked, found)):  # sizes of another exercise may not fit
        wanted, found = _those_that_work(wanted, found)
    for (layers, _), played in zip(wanted, found, strict=True):
        one = played[-1] if played else None
        if one is not None and not _result(verdicts, function, layers, one):
            return


def _those_that_work(wanted: list[Wanted], found: list[list[Played | None]]) -> tuple[list[Wanted], list[Any]]:
    kept = [i for i, played in enumerate(found) if worked(played)]
    return [wanted[i] for i in kept], [found[i] for i in kept]


def _calls(caller: Caller, function: Function, layers: tuple[int, ...]) -> tuple[Call, ...]:
    """The call, after that of a source of random numbers where it asks for one and the file can make it."""
    sources = [name for name in without_default(function) if names.plain(name) in GENERATORS]
    numpy = caller.numpy_name()
    if sources and numpy is None:
        return ()
    given = _given(replace(function, arguments=tuple(n for n in function.arguments if n not in sources)), layers)
    if given is None:
        return ()
    call = Call(function.name, given | {name: Ref(0) for name in sources})
    return (Call(f"{numpy}.random.RandomState", {"seed": 19}), call) if sources else (call,)


def _given(function: Function, layers: tuple[int, ...]) -> dict[str, Value] | None:
    """Arguments, where they speak of so many layers: dim, (n_x, n_h, n_y), or a list of sizes."""
    kinds = [names.kind(name) for name in function.arguments]
    needed: dict[str, Value] = {"seed": 19, "scale": 0.01, "verbose": False}
    if "layers" in kinds:
        return arguments(function, {"layers": list(layers)}, needed) if len(layers) > 2 else None
    if "n_h" in kinds or "n_y" in kinds:
        sizes: dict[str, Value] = {"n_x": layers[0], "n_h": layers[1], "n_y": layers[-1]}
        return arguments(function, sizes, needed) if len(layers) == 3 else None
    return arguments(function, {"n_x": layers[0]}, needed) if len(layers) == 2 else None


def _result(verdicts: Verdicts, function: Function, layers: tuple[int, ...], played: Played) -> bool:
    """Judge one result; whether another is worth a look."""
    if played.trouble is not None:
        verdicts.raised("W1" if len(layers) > 2 else "w", played, function)
        return False
    names_of = _names(layers)
    if played.returned is None:
        line = played.frames[0].line if played.frames else None
        verdicts.wrong(names_of[0], "not_returned", "nothing is returned", function, line=line)
        return False
    params = _params(played.returned, names_of)
    if not params:
        for name in names_of:
            verdicts.open(name)
        return False
    for name in names_of:
        if name not in params:
            verdicts.wrong(name, "not_returned", f"{name} is not returned", function)
    if not _shapes(verdicts, function, layers, params, played):
        return False
    each = [_layer(verdicts, function, layers, name, params[name], played) for name in names_of if name in params]
    return all(each)


def _names(layers: tuple[int, ...]) -> tuple[str, ...]:
    if len(layers) == 2:
        return ("w", "b")
    return tuple(f"{kind}{l}" for l in range(1, len(layers)) for kind in "Wb")


def _params(returned: Value, names_of: tuple[str, ...]) -> Params:
    """By the notes' names, from dicts whichever way they write them, or from a tuple in their order."""
    found = list(leaves(_layer_by_layer(returned)))
    logistic = names_of == ("w", "b")
    by_name: Params = {}
    for key, array in found:
        meant = names.canonical(names.quantity(key), "logistic" if logistic else "deep", len(names_of) // 2)
        if meant in names_of:
            by_name.setdefault(meant, array)
    if by_name:
        return by_name
    return {name: a for name, (_, a) in zip(names_of, found, strict=True)} if len(found) == len(names_of) else {}


def _layer_by_layer(returned: Value) -> Value:
    """A list of weights and one of biases, in a tuple or a dict, as a pair for each layer."""
    both = returned
    if isinstance(returned, dict):
        both = [returned[key] for key in sorted(returned, key=lambda key: names.quantity(str(key)) != "W")]
    lists = isinstance(both, tuple | list) and len(both) == 2 and all(isinstance(part, list) for part in both)
    return list(zip(*both, strict=False)) if lists else returned


def _shapes(verdicts: Verdicts, function: Function, layers: tuple[int, ...], params: Params, played: Played) -> bool:
    """Whether all are as they should be; or all of them transposed, for examples in rows."""
    due = _due(layers)
    if len(layers) > 2 and all(p.shape in (due[name][::-1], due[name][:1]) for name, p in params.items()):
        if any(p.shape != due[name] for name, p in params.items()):
            verdicts.note("rows", function)
            params.update({name: p.T for name, p in params.items() if name[0] == "W"})
        return True
    good = True
    for name, p in params.items():
        if p.shape != due[name] and not (name == "b" and p.size == 1):
            symptom = f"{name} has shape {p.shape}, should be {due[name]}"
            verdicts.wrong(name, None, symptom, function, line=_line(played, name, function))
            good = False
    return good


def _due(layers: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    if len(layers) == 2:
        return {"w": (layers[0], 1), "b": ()}
    due: dict[str, tuple[int, ...]] = {}
    for l, (n_prev, n) in enumerate(pairwise(layers), start=1):
        due |= {f"W{l}": (n, n_prev), f"b{l}": (n, 1)}
    return due


def _layer(
    verdicts: Verdicts, function: Function, layers: tuple[int, ...], name: str, value: np.ndarray, played: Played
) -> bool:
    """The values of one parameter; whether they are right."""
    large, line = layers in LARGE.values(), _line(played, name, function)
    n_prev = layers[int(name[1:]) - 1] if name[1:] else layers[0]
    if name[0] == "b":
        mistake, symptom = _of_b(name, value, large)
    elif name == "w" or "zero" in function.name.lower():
        nonzero = "zero" in function.name.lower() and bool(np.any(value))
        mistake, symptom = None, f"{name} is not zero" if nonzero else ""
    else:
        mistake, symptom = _of_W(name, value, large)
    if symptom:
        shown = f"{name}.flat[0] is {float(value.flat[0]):.6g}"
        verdicts.wrong(name, mistake, symptom, function, line=line, shown=shown)
        return False
    if large and name[0] == "W" and np.any(value) and not _has_variance(value, 0.01**2):
        verdicts.note("other_scale", function, line)
    if large or n_prev == layers[0]:
        verdicts.right(name)
    return True


def _of_b(name: str, value: np.ndarray, large: bool) -> tuple[str | None, str]:
    """Zeros; numbers that are all the same are not random ones."""
    if not np.any(value):
        return None, ""
    if value.size > 1 and np.all(value == value.flat[0]):
        return None, f"{name} is {float(value.flat[0]):.6g}, should be 0"
    return "scale_on_b", f"{name} is not zero"


def _of_W(name: str, W: np.ndarray, large: bool) -> tuple[str | None, str]:
    """What can be seen on any size comes first; the signs and the mean square need many weights."""
    if not np.all(np.isfinite(W)):
        return None, f"{name} is not finite"
    if not np.any(W):
        return "zero_weights", f"{name} is zero"
    if W.shape[0] > 1 and np.all(W == W[:1]):
        return "symmetric_weights", f"all rows of {name} are the same"
    if not large:
        return None, ""
    if SIGNS <= W.size and (np.all(W >= 0) or np.all(W <= 0)):
        return "rand_for_randn", f"all {W.size} numbers of {name} have the same sign"
    if _has_variance(W, 1.0):
        return "scale_missing", f"{name} has a standard deviation of {_std(W):.3g}"
    if _mean_square(W) > _allowed(W.size)[1]:
        return None, f"{name} has a standard deviation of {_std(W):.3g}"
    return None, ""


def _mean_square(W: np.ndarray) -> float:
    return float(np.mean(W.astype(np.float64) ** 2))


def _std(W: np.ndarray) -> float:
    return sqrt(_mean_square(W))


def _has_variance(W: np.ndarray, variance: float) -> bool:
    """Whether the mean square of N normals of this variance may be theirs, but for a probability of `ALARM`."""
    low, high = _allowed(W.size)
    return low * variance <= _mean_square(W) <= high * variance


def _allowed(N: int) -> tuple[float, float]:
    """Laurent and Massart: each side with a probability of e^−x, half of `ALARM`."""
    x = log(2 / ALARM)
    return 1 - 2 * sqrt(x / N), 1 + 2 * sqrt(x / N) + 2 * x / N


def _line(played: Played, name: str, function: Function) -> int | None:
    """Where a name was bound to it; in a loop over the layers, where the function begins."""
    frames = [frame for frame in played.frames if frame.function == function.name]
    for frame in frames:
        for local, bindings in frame.bindings.items():
            if local.lower() == name.lower() and bindings:
                return bindings[-1].line
    return function.line


def sizes(caller: Caller, verdicts: Verdicts, roles: Roles, dtypes: Sequence[str]) -> None:
    """n_x and n_y of `layer_sizes(X, Y)`; n_h is a choice."""
    function = roles.get("layer_sizes")
    if function is None or verdicts.exercise == "logistic":
        return
    X = probes(verdicts.exercise, dtypes[0])[0].X
    Y = X[:2] > 0
    given = arguments(function, {"X": X, "Y": Y.astype(X.dtype)})
    played = caller.one_each([Call(function.name, given)])[0] if given is not None else None
    if played is None or (found := _sizes_of(played)) is None:
        _no_sizes(verdicts, function, played)
        return
    if found == (X.shape[1], Y.shape[1]):
        verdicts.note("rows", function)
        found = (X.shape[0], Y.shape[0])
    for name, value, due in zip(("n_x", "n_y"), found, (X.shape[0], Y.shape[0]), strict=True):
        if value == due:
            verdicts.right(name)
        else:
            line = played.frames[0].bindings.get(name, ())[-1:] if played.frames else ()
            at = line[0].line if line else None
            verdicts.wrong(name, None, f"{name} is {value}, should be {due}", function, line=at)


def _sizes_of(played: Played) -> tuple[int, int] | None:
    """The first and the last of the numbers."""
    numbers = [array for _, array in leaves(played.returned)] if played.trouble is None else []
    if len(numbers) == 1:
        numbers = list(numbers[0].reshape(-1))
    if len(numbers) not in (2, 3) or any(np.size(n) != 1 for n in numbers):
        return None
    return int(np.reshape(numbers[0], ())), int(np.reshape(numbers[-1], ()))


def _no_sizes(verdicts: Verdicts, function: Function, played: Played | None) -> None:
    if played is not None and played.trouble is not None:
        verdicts.raised("n_x", played, function)
    elif played is not None and played.returned is None:
        verdicts.wrong("n_x", "not_returned", "nothing is returned", function)
    else:
        verdicts.open("n_x")
