"""Code cut out of the implementations' files by name, so that a page shows the lines that the tests run.

    shallow_network.backward                the function, without its docstring
    shallow_network.backward: dZ1           every statement in it that assigns dZ1
    deep_network.backward: dZ{l}            … that assigns the key f"dZ{l}": grads[f"dZ{l}"] = …, found |= {f"dZ{l}": …}
    deep_network.forward: cache#2           the second of the statements that assign cache
    shallow_network.cost: return            its return statements
    activations.DERIVATIVES                 an assignment at the top of the module

A statement is kept whole, with what is said in its lines and in the comment lines directly above it. Nothing is
imported: the files are parsed.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from parity.study.registry import Broken

PLACE = re.compile(r"(?P<module>\w+)\.(?P<function>\w+)(: (?P<name>[^#]+?)(#(?P<which>[1-9]\d*))?)?")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(frozen=True)
class Cut:
    """Lines of a file.

    Attributes
    ----------
    file, function : str
        "torch_impl/shallow_network.py", "quantities"; or the name that is assigned at the top of the module.
    lines : tuple of (int, str)
        The number in the file and the text, dedented.
    """

    file: str
    function: str
    lines: tuple[tuple[int, str], ...]


def cut(package: str, place: str, root: Path | None = None) -> Cut:
    """The lines that stand at a place.

    Parameters
    ----------
    package, place : str
        "torch_impl", "shallow_network.quantities: dZ1".
    root : Path, optional
        The folder that holds the packages; by default where they are installed.

    Raises
    ------
    Broken
        There is no such module, function or assignment, or the place is not written as above.
    """
    found = PLACE.fullmatch(place)
    if not found:
        raise Broken(f'{package}: "{place}" is not written as module.function or module.function: name')
    module, function = found["module"], found["function"]
    path = (root or installed(package)) / package / f"{module}.py"
    text = source(path)
    at = _top(parsed(text, path), function, f"{package}.{module}")
    statements: list[ast.stmt] = [at]
    if found["name"]:
        statements = _inside(at, found["name"], found["which"], f"{package}.{module}.{function}")
    return Cut(f"{package}/{module}.py", function, _lines(text.splitlines(), statements))


def installed(package: str) -> Path:
    """The folder that holds an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Broken(f"there is no package {package}")
    return Path(spec.submodule_search_locations[0]).parent


def source(path: Path) -> str:
    """The text of a module's file.

    Raises
    ------
    Broken
        There is none, or it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Broken(f"{path.parent.name} has no module {path.stem}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Broken(f"{path.parent.name}/{path.name} cannot be read: {error}") from error


def parsed(text: str, path: Path) -> ast.Module:
    """The module that a file's text is.

    Raises
    ------
    Broken
        It is not Python.
    """
    try:
        return _parsed(text)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise Broken(f"{path.parent.name}/{path.name}{line}: {error.msg}") from error
    except ValueError as error:  # a NUL, before Python 3.11.4
        raise Broken(f"{path.parent.name}/{path.name}: {error}") from error


@lru_cache(maxsize=64)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _top(tree: ast.Module, name: str, where: str) -> ast.stmt:
    """The definition or the assignment of a name at the top of a module."""
    for statement in tree.body:
        if name in _assigned(statement):
            return statement
    raise Broken(f"{where} assigns no {name}" if name.isupper() else f"{where} has no function {name}")


def _inside(function: ast.stmt, name: str, which: str | None, where: str) -> list[ast.stmt]:
    """The statements in a function that assign a name, or its return statements."""
    found: list[ast.stmt] = [each for each in _statements(function) if name in _assigned(each)]
    if name == "return":
        found = [each for each in _statements(function, nested=False) if isinstance(each, ast.Return)]
    what = "returns nothing" if name == "return" else f"assigns no {name}"
    if not found:
        raise Broken(f"{where} {what}")
    if which is None:
        return found
    if int(which) > len(found):
        raise Broken(f"{where} {what} #{which}, only {len(found)}")
    return [found[int(which) - 1]]


def _statements(of: ast.AST, nested: bool = True) -> Iterator[ast.stmt]:
    """The statements below a node in the order of the file, those in loops and branches and in nested functions too."""
    for child in ast.iter_child_nodes(of):
        if isinstance(child, ast.stmt):
            yield child
        if nested or not isinstance(child, Definition):
            yield from _statements(child, nested)


def _assigned(statement: ast.stmt) -> Iterator[str]:
    """The names and keys that a statement assigns, and the name that a definition binds."""
    match statement:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from _names(target)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            yield from _names(target)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
    if isinstance(statement, ast.AugAssign) and isinstance(statement.value, ast.Dict):  # found |= {"dZ1": …}
        yield from (key for node in statement.value.keys if node and (key := _key(node)))


def _names(target: ast.expr) -> Iterator[str]:
    """What a target says: X, grads["dW1"] says dW1, costs[i] says costs."""
    match target:
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            for each in targets:
                yield from _names(each)
        case ast.Starred(value=value):
            yield from _names(value)
        case ast.Subscript(value=value, slice=index):
            key = _key(index)
            yield from [key] if key else _names(value)
        case _:
            yield ast.unparse(target)


def _key(node: ast.expr) -> str:
    """The text of a string, with the {…} of an f-string; "" for any other expression."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_key(part) for part in parts)
        case ast.FormattedValue(value=value):
            return "{" + ast.unparse(value) + "}"
    return ""


def _lines(text: list[str], statements: list[ast.stmt]) -> tuple[tuple[int, str], ...]:
    """The statements' lines, each once, moved to the left by what the outermost statement is indented."""
    indent = " " * min(statement.col_offset for statement in statements)
    numbers = sorted({number for statement in statements for number in _numbers(text, statement)})
    return tuple((number, text[number - 1].removeprefix(indent)) for number in numbers)


def _numbers(text: list[str], statement: ast.stmt) -> Iterator[int]:
    """The numbers of a statement's lines with its decorators and the comment above, without a docstring."""
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    skipped = range(0)
    if isinstance(statement, Definition):
        first = min([first, *(decorator.lineno for decorator in statement.decorator_list)])
        skipped = _docstring(text, statement)
    while first > 1 and text[first - 2].lstrip().startswith("#"):
        first -= 1
    return (number for number in range(first, last + 1) if number not in skipped)


def _docstring(text: list[str], of: Definition) -> range:
    """The numbers of the docstring's lines and of the empty ones below it; a function that has no more keeps it."""
    if ast.get_docstring(of, clean=False) is None or len(of.body) == 1:
        return range(0)
    end = of.body[0].end_lineno or 0
    while not text[end].strip():
        end += 1
    return range(of.body[0].lineno, end + 1)
