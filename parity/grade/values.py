"""What a learner's objects are worth as plain values, and the arguments that are made of plain values."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity.grade.record import Opaque, Ref, Value

MOST = 1 << 26
"""In bytes of arrays, of one call: what comes after is `Opaque("too large")`."""

MANY = 1 << 16
"""Objects of one call: likewise."""

DEEPEST = 32
"""So many containers may hold each other."""

DATA = re.compile("[xyazd]|cache|label|input|target", re.I)
"""How names begin that hold data, activations or derivatives, and no parameters."""

SCALARS: tuple[Any, ...] = (bool, int, float, complex, str)


class Budget:
    """What may still be copied."""

    def __init__(self) -> None:
        self.bytes = MOST
        self.objects = MANY


def freeze(value: object, budget: Budget, deep: int = DEEPEST) -> Value:
    """A copy as a plain value: arrays of every framework become NumPy's, what has no place becomes `Opaque`."""
    kind = type(value)
    if kind is np.ndarray:
        return _copied(value, budget)
    if value is None or kind is float or kind is int or kind is str or kind is bool or kind is complex:
        return value
    budget.objects -= 1 + (len(value) if isinstance(value, dict | tuple | list) else 0)
    if budget.objects < 0 or deep == 0:
        return Opaque("too large" if deep else "too deep")
    if isinstance(value, dict):
        return {_key(key): freeze(item, budget, deep - 1) for key, item in list(value.items())}
    if isinstance(value, tuple | list):
        items = [freeze(item, budget, deep - 1) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return value
    return _foreign(value, budget)


def _key(key: object) -> Value:
    if key is None or type(key) in SCALARS:
        return key
    if isinstance(key, tuple):
        return tuple(map(_key, key))
    plain = next((base(key) for base in (int, float, str) if isinstance(key, base)), None)
    return Opaque(type(key).__name__) if plain is None else plain


def _foreign(value: object, budget: Budget) -> Value:
    """Of a class that is not Python's own."""
    try:
        array = _as_numpy(value)
    except Exception:  # a tracer has no values; a sparse array, or somebody's own, has its own errors
        array = None
    if array is not None:
        return _copied(array, budget)
    plain = [base for base in SCALARS if isinstance(value, base)]  # of an enumeration's member, say
    return plain[0](value) if plain else Opaque(type(value).__name__)


def _as_numpy(value: Any) -> np.ndarray | None:
    """An array of any framework, not copied; None is none."""
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch and isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj().resolve_neg()
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    if jax and isinstance(value, jax.Array):
        return np.asarray(value)
    return None


def _copied(array: Any, budget: Budget) -> Value:
    if array.dtype.kind not in "biufc":
        if array.dtype.name == "bfloat16":  # a type of ml_dtypes
            return _copied(array.astype(np.float32), budget)
        return Opaque(f"ndarray of {array.dtype.name}")
    budget.bytes -= array.nbytes
    return Opaque("too large") if budget.bytes < 0 else array.copy()


def differences(before: Value, after: Value, name: str) -> list[str]:
    """The names of the parts that are not the same, bit for bit: "X", "parameters['W1']"."""
    if isinstance(before, np.ndarray | np.generic):
        return [] if _same(before, after) else [name]
    if type(before) is not type(after):
        return [name]
    if isinstance(before, dict):
        if before.keys() != after.keys():
            return [name]
        return [part for key in before for part in differences(before[key], after[key], f"{name}[{key!r}]")]
    if isinstance(before, list | tuple):
        if len(before) != len(after):
            return [name]
        return [p for i, pair in enumerate(zip(before, after, strict=True)) for p in differences(*pair, f"{name}[{i}]")]
    return [] if before == after or before != before else [name]


def _same(before: Any, after: Any) -> bool:
    return (
        type(before) is type(after)
        and before.dtype == after.dtype
        and before.shape == after.shape
        and before.tobytes() == after.tobytes()
    )


class UnreachableError(Exception):
    """A part of an earlier result that is not there."""


def thaw(value: Value, arrays: str, results: Mapping[int, object], name: str = "") -> Any:
    """Arguments of a plain value: new arrays of the framework, and what `Ref`s stand for.

    Parameters
    ----------
    arrays : str
        As in `Scene`.
    results : mapping
        What the earlier calls returned, by their numbers.
    name : str
        The nearest key or parameter: whether an array is a parameter.

    Raises
    ------
    UnreachableError
        There is no such part of a result, or the call failed.
    """
    if isinstance(value, np.ndarray):
        return MAKE[arrays](value, not DATA.match(name))
    if isinstance(value, Ref):
        return _resolved(value, results)
    if isinstance(value, dict):
        return {key: thaw(item, arrays, results, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [thaw(item, arrays, results, name) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def _resolved(ref: Ref, results: Mapping[int, object]) -> object:
    if ref.call not in results:
        raise UnreachableError
    part: Any = results[ref.call]
    for step in ref.path:
        try:
            part = part[step]
        except Exception as error:  # whatever somebody's own class raises
            if not isinstance(step, str) or not hasattr(part, step):
                raise UnreachableError from error
            part = getattr(part, step)
    return part


def _torch(value: np.ndarray, grad: bool) -> Any:
    import torch

    tensor = torch.from_numpy(value.copy())
    return tensor.requires_grad_(grad and tensor.is_floating_point())


def _jax(value: np.ndarray, grad: bool) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(value)


MAKE: dict[str, Callable[[np.ndarray, bool], Any]] = {
    "numpy": lambda value, grad: value.copy(),
    "torch": lambda value, grad: _torch(value, False),
    "torch, grad": _torch,
    "jax": _jax,
}
"""An array of each framework, and whether it is a parameter."""
