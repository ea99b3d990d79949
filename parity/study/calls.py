"""The same call of a function in every package, on inputs whose exact result the format represents.

    live = { call = "vectorization.dot", arguments = { w = [[1.0], [2.0]], x = [[4.0], [5.0]] } }

The exact value comes from the reference's own function on arrays of exact numbers: fractions, and where it takes an
exponential, a logarithm or a hyperbolic tangent, balls, whose radius stays zero as long as nothing rounds (e⁰ = 1).
Where that result has no rounding error to begin with, every implementation must give its bits: there is no verdict
between bits and differs. A function that gets no array makes its numbers itself, all of them exact: there the
reference's are the exact ones.

A decimal number, alone or in nested lists, is an array of the format; 2.0 has shape (). Whole numbers, words, and lists
of them, as layers = [3, 4, 1], are handed on. What comes back is named as the reference's code names it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb

from parity.compare import BITS, DIFFERS
from parity.errors import FOREIGN, one_line
from parity.formats import FORMATS
from parity.implementations import Mirrored, Quantities, find
from parity.oracle import LAST_PRECISION, working_precision
from parity.problems import FLOATS
from parity.run import Found
from parity.study.cut import parsed, source
from parity.study.digits import NOTHING, Index, Number, chosen, number
from parity.study.registry import Broken

CALLERS = ("reference", "torch-eager", "jax-eager")
"""The implementations whose packages are called."""

KINDS = {"bool": "bool", "int": "int64"}
"""The annotations of results that are not arrays, and their dtypes."""


@dataclass(frozen=True)
class Call:
    """A function of the packages, and what it is given.

    Attributes
    ----------
    function : str
        "vectorization.dot".
    arguments : mapping
        As they stand in the registry.
    """

    function: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(self.arguments)})"

    @property
    def words(self) -> str:
        """The arguments, as they stand in the registry."""
        return ", ".join(f"{name} = {value}" for name, value in self.arguments.items())

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The formats in which it is made: one where no argument is an array, for then the format is the function's."""
        return FLOATS if any(map(_holds_array, self.arguments.values())) else FLOATS[:1]

    def missing_from(self, package: str) -> str:
        """Why a package has no such function; empty where it has."""
        module, _, name = self.function.rpartition(".")
        try:
            return "" if _definition(package, self.function) else f"{package}.{module} has no {name}"
        except Broken as reason:
            return str(reason)


def compute(name: str, call: Call, dtype: str) -> Found:
    """What the implementation's package returns, named; what it raises, in one line."""
    try:
        implementation = find(name)
        assert isinstance(implementation, Mirrored)
        with implementation.switches():
            arguments = _converted(call, dtype, partial(implementation.to_framework, device="cpu"))
            result = _function(implementation.package, call)(**arguments)
            return {key: _home(implementation, value) for key, value in named(call, result).items()}
    except FOREIGN as error:
        return one_line(error)


def exact(call: Call, dtype: str) -> Quantities:
    """What the function gives without rounding, in the format; every value is exact.

    Raises
    ------
    Broken
        The reference has no such function, or the format does not represent the result.
    """
    if reason := call.missing_from("reference"):
        raise Broken(reason)
    if call.dtypes != FLOATS:
        found = compute("reference", call, dtype)
        if isinstance(found, str):
            raise Broken(f"{call}: {found}")
        return _some(call, found)
    reasons = []
    for kind in (Fraction, _ball):
        with working_precision(LAST_PRECISION):
            try:
                result = named(call, _function("reference", call)(**_converted(call, dtype, _of_exact_numbers(kind))))
                return _some(call, {key: _rounded(value, call, dtype) for key, value in result.items()})
            except FOREIGN as error:
                reasons.append(one_line(error))
    raise Broken(f"{call} in {dtype}: {reasons[-1]}; choose arguments whose result is exact")


def named(call: Call, result: Any) -> dict[str, Any]:
    """The arrays and numbers of a result under the names that the reference's return statement has for them.

    Parameters
    ----------
    result : dict, tuple or array
        A dict has names; the parts of a tuple are named as they are returned. An array that a dict beside it holds,
        too, is taken once.
    """
    if isinstance(result, Mapping):
        return {key: value for key, value in result.items() if _is_number(value)}
    if not isinstance(result, tuple):
        return {call.function.rpartition(".")[2]: result} if _is_number(result) else {}
    held = [value for part in result if isinstance(part, Mapping) for value in part.values()]
    found: dict[str, Any] = {}
    for name, part in zip(returned_names("reference", call.function, len(result)), result, strict=True):
        if isinstance(part, Mapping):
            found |= named(call, part)
        elif _is_number(part) and not any(part is value for value in held):
            found[name] = part
    return found


@dataclass(frozen=True)
class Verdict:
    """What came of a call in one implementation, for one quantity; as in `parity.study.digits.Row`."""

    values: tuple[Number, ...]
    ulps: float
    verdict: str
    looks_like: str = ""


def judge(quantity: str, wanted: np.ndarray, found: Found, at: list[Index]) -> Verdict:
    """Bits or differs: the same shape, dtype and numbers as the exact value; the sign of a zero is not looked at."""
    nothing = partial(Verdict, (NOTHING,) * len(at), np.inf, DIFFERS)
    if isinstance(found, str):
        return nothing(found)
    if quantity not in found:
        return nothing("nothing: it is missing")
    value = found[quantity]
    if value.shape != wanted.shape:
        return nothing(f"shape {value.shape}, not {wanted.shape}")
    if value.dtype != wanted.dtype:
        return nothing(f"dtype {value.dtype}, not {wanted.dtype}")
    values = tuple(number(value[i], wanted[i]) for i in at)
    if np.array_equal(value, wanted):
        return Verdict(values, 0.0, BITS)
    return Verdict(values, _ulps(value, wanted), DIFFERS, "unknown")


def shown(wanted: np.ndarray) -> tuple[list[Index], tuple[str, ...]]:
    """Which elements are shown, and what they are exactly."""
    at = chosen(wanted)
    return at, tuple(str(wanted[i]) for i in at)


# ---- the functions and the names of what they return


@cache
def _module(package: str, name: str) -> ast.Module:
    """The source of a module, parsed; nothing of a framework is imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise Broken(f"there is no package {package}")
    path = Path(spec.origin).parent / f"{name}.py"
    return parsed(source(path), path)


def _definition(package: str, function: str) -> ast.FunctionDef | None:
    module, _, name = function.rpartition(".")
    if not module:
        raise Broken(f'"{function}" is not written as module.function')
    found = (node for node in _module(package, module).body if isinstance(node, ast.FunctionDef) and node.name == name)
    return next(found, None)


def _function(package: str, call: Call) -> Callable[..., Any]:
    module, _, name = call.function.rpartition(".")
    function: Callable[..., Any] = getattr(import_module(f"{package}.{module}"), name)
    return function


def returned_names(package: str, function: str, parts: int) -> tuple[str, ...]:
    """The names of the parts of the tuple that a function returns, from its last return statement.

    A part that has no name there has that under which the module itself takes it, as A in `A, Z = layer_forward(…)`;
    one that is taken nowhere is called by its expression.
    """
    module, _, name = function.rpartition(".")
    definition = _definition(package, function)
    returns = [node for node in ast.walk(definition) if isinstance(node, ast.Return)] if definition else []
    if not returns or not isinstance(returns[-1].value, ast.Tuple) or len(returns[-1].value.elts) != parts:
        return tuple(f"{name}[{i}]" for i in range(parts))
    taken = next(_taken(_module(package, module), name, parts), [None] * parts)
    return tuple(
        node.id if isinstance(node, ast.Name) else target.id if isinstance(target, ast.Name) else ast.unparse(node)
        for node, target in zip(returns[-1].value.elts, taken, strict=True)
    )


def _taken(module: ast.Module, name: str, parts: int) -> Iterator[list[Any]]:
    """The targets to which the module assigns what the function returns."""
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Tuple):
            called = node.value.func
            if isinstance(called, ast.Name) and called.id == name and len(node.targets[0].elts) == parts:
                yield list(node.targets[0].elts)


# ---- what is handed over, and what comes back


def _holds_array(value: object) -> bool:
    """Whether a number in it is a decimal one."""
    if isinstance(value, Mapping):
        return any(map(_holds_array, value.values()))
    return any(map(_holds_array, value)) if isinstance(value, list) else isinstance(value, float)


def _converted(call: Call, dtype: str, to: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    """The arguments, each array given to `to`."""

    def convert(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: convert(part) for key, part in value.items()}
        if _holds_array(value):
            return to(np.array(value, FORMATS[dtype].dtype))
        return tuple(map(convert, value)) if isinstance(value, list) else value

    return {name: convert(value) for name, value in call.arguments.items()}


def _is_number(value: object) -> bool:
    """Whether a part of a result is something to be shown: an array of any framework, or a number."""
    return not isinstance(value, str | tuple | list | Mapping) and value is not None


def _home(implementation: Mirrored, value: Any) -> np.ndarray:
    return np.asarray(value if isinstance(value, bool | int | float) else implementation.to_numpy(value))


# ---- exact numbers


def _ball(value: float) -> arb:
    return arb(value)


def _of_exact_numbers(kind: Callable[[float], Any]) -> Callable[[np.ndarray], np.ndarray]:
    """The conversion of an array to one of objects."""

    def convert(array: np.ndarray) -> np.ndarray:
        objects = np.empty(array.shape, object)
        objects[...] = np.reshape([kind(float(x)) for x in array.ravel()], array.shape)
        return objects

    return convert


def _rounded(value: Any, call: Call, dtype: str) -> np.ndarray:
    """The exact numbers in the format, which must represent every one."""
    objects = np.asarray(value, object)
    definition = _definition("reference", call.function)
    annotation = definition.returns.id if definition and isinstance(definition.returns, ast.Name) else ""
    to = np.dtype(KINDS.get(annotation, dtype))
    found = np.array([_represented(x, to) for x in objects.ravel()], to)
    return found.reshape(objects.shape)


def _represented(x: object, to: np.dtype) -> Any:
    value = _fraction(x)
    nearest = to.type(float(value))
    if Fraction(float(nearest)) != value:
        raise ValueError(f"{to.name} rounds {float(value)!r}")
    return nearest


def _fraction(x: object) -> Fraction:
    """The value of an exact number; a float in the result of exact numbers has been rounded."""
    if isinstance(x, arb) and x.is_exact() and x.is_finite():
        mantissa, power = x.man_exp()
        return Fraction(int(mantissa)) * Fraction(2) ** int(power)
    if isinstance(x, bool | int | Fraction | np.bool_):
        return Fraction(int(x) if isinstance(x, bool | np.bool_) else x)
    raise ValueError(f"{float(x.mid()) if isinstance(x, arb) else x} is rounded")


def _some(call: Call, found: Quantities) -> Quantities:
    if not found:
        raise Broken(f"{call} returns no numbers")
    return found


def _ulps(value: np.ndarray, wanted: np.ndarray) -> float:
    """The worst error in ulp of the largest element."""
    if wanted.dtype.name not in FORMATS:
        return np.inf
    error = np.abs(value.astype(np.float64) - wanted.astype(np.float64))
    return float(np.max(error) / np.max(FORMATS[wanted.dtype.name].ulp(wanted.astype(np.float64))))
