"""What a learner's file defines: its functions and classes, and how they are called."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import CodeType, FunctionType, ModuleType
from typing import Any

from parity.grade.record import Function
from parity.grade.standins import StandIn

FRAMEWORKS = ("numpy", "torch", "jax")
NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Form:
    """How something is called.

    Attributes
    ----------
    function : Function
    positional : tuple of str
        Those of its parameters that may be given by their place.
    rest : bool
        It takes *args, and no **kwargs: what has no parameter is given by its place.
    """

    function: Function
    positional: tuple[str, ...]
    rest: bool = False

    def arranged(self, arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments by place, as far as there is no gap, and by name: compiled functions prefer places."""
        named = dict(arguments)
        placed = []
        for name in self.positional:
            if name not in named:
                break
            placed.append(named.pop(name))
        if self.rest:
            extra = [name for name in named if name not in self.function.arguments]
            placed += [named.pop(name) for name in extra]
        return placed, named


def form(name: str, thing: Any, line: int | None, bound: bool = False) -> Form:
    """How a function is called, or a class is constructed.

    Parameters
    ----------
    bound : bool
        It is a method: its first parameter, the object, is left out.
    """
    try:
        parameters = list(inspect.signature(thing).parameters.values())[bound:]
    except (ValueError, TypeError):  # written in C, without a signature
        return Form(Function(name, (), line=line, anything=True), (), rest=True)
    named = [parameter for parameter in parameters if parameter.kind in NAMED]
    kinds = {parameter.kind for parameter in parameters}
    takes = inspect.Parameter.VAR_POSITIONAL in kinds, inspect.Parameter.VAR_KEYWORD in kinds
    optional = frozenset(parameter.name for parameter in named if parameter.default is not parameter.empty)
    function = Function(name, tuple(parameter.name for parameter in named), optional, line, any(takes))
    places = tuple(parameter.name for parameter in named if parameter.kind is not parameter.KEYWORD_ONLY)
    return Form(function, places, takes[0] and not takes[1])


@dataclass(frozen=True)
class Defined:
    """All that a file defines, by name; of classes, the methods by their short names."""

    functions: Mapping[str, Form]
    classes: Mapping[str, Form]
    methods: Mapping[str, Mapping[str, Form]]
    names: Mapping[CodeType, str]

    def form(self, name: str) -> Form | None:
        """How "propagate", "Network" or "Network.forward" is called."""
        owner, _, short = name.rpartition(".")
        return self.methods.get(owner, {}).get(short) if owner else self.functions.get(name) or self.classes.get(name)


def defined(module: ModuleType, tree: ast.Module) -> Defined:
    """Look at a module that has been run."""
    lines, assigned = dict(_lines(tree)), set(_assigned(tree))
    written = {node.name: node.args for node in _top(tree) if isinstance(node, ast.FunctionDef)}
    functions, classes, methods, names = {}, {}, {}, {}
    for name, thing in list(vars(module).items()):
        if isinstance(thing, StandIn | ModuleType) or name.startswith("__") or not callable(thing):
            continue
        own = getattr(thing, "__module__", None) == module.__name__
        if isinstance(thing, type):
            if own:
                classes[name] = form(name, thing, lines.get(name))
                methods[name] = _methods(name, thing, module.__name__)
        elif own or name in assigned:
            functions[name] = _as_written(form(name, thing, lines.get(name)), written.get(name))
            code = getattr(inspect.unwrap(thing), "__code__", None)
            if isinstance(code, CodeType) and code.co_name == "<lambda>":
                names[code] = name
    return Defined(functions, classes, methods, names)


def _as_written(called: Form, written: ast.arguments | None) -> Form:
    """A decorator without functools.wraps shows nothing but *args: what it wraps is called as it is written."""
    function = called.function
    if written is None or function.arguments or not function.anything or written.kwonlyargs:
        return called
    names = tuple(argument.arg for argument in (*written.posonlyargs, *written.args))
    if not names:
        return called
    optional = frozenset(names[len(names) - len(written.defaults) :])
    return Form(replace(function, arguments=names, optional=optional, anything=written.vararg is not None), names)


def _methods(owner: str, thing: type, module: str) -> dict[str, Form]:
    """Those that the class and the file's classes above it define."""
    found: dict[str, Form] = {}
    for base in reversed(thing.__mro__):
        for name, method in vars(base).items() if base.__module__ == module else ():
            function = method.__func__ if isinstance(method, staticmethod | classmethod) else method
            if isinstance(function, FunctionType | Callable) and (not name.startswith("__") or name == "__call__"):
                code = getattr(inspect.unwrap(function), "__code__", None)
                line = code.co_firstlineno if code else None
                found[name] = form(f"{owner}.{name}", function, line, not isinstance(method, staticmethod))
    return found


def _lines(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Where the names at the top are bound, in order: later ones count."""
    for node in _top(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def _assigned(tree: ast.Module) -> Iterator[str]:
    for node in _top(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _top(node: ast.AST) -> Iterator[ast.AST]:
    """Everything that is not in a function's or a class's body."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _top(child)


def imports(tree: ast.Module) -> list[str]:
    """The modules that the file names in its imports, wherever these stand."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
    return found


def frameworks(tree: ast.Module) -> frozenset[str]:
    """Those of them that this grader knows."""
    return frozenset(name.partition(".")[0] for name in imports(tree)) & frozenset(FRAMEWORKS)
