"""The words of a learner's functions: what they are called, and the names and keys in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from parity.grade.record import Source

FILES = 4
"""Of so many is kept what was read."""


@lru_cache(maxsize=FILES)
def bodies_of(source: Source) -> dict[str, frozenset[str]]:
    """The words of each function: names, attributes, strings, and f-strings as "W{}"."""
    return {name: frozenset(words(node)) for name, node in functions_of(source.tree).items()}


@lru_cache(maxsize=FILES)
def functions_of(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    """Every function of a file, methods and nested ones with the names of those around them."""
    found: dict[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                found[prefix + child.name] = child
            if isinstance(child, ast.Assign) and isinstance(child.value, ast.Lambda):
                found.update({prefix + t.id: child.value for t in child.targets if isinstance(t, ast.Name)})
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            visit(child, f"{prefix}{child.name}." if named else prefix)  # type: ignore[attr-defined]

    visit(tree, "")
    return found


def words(node: ast.AST) -> Iterator[str]:
    """The names and short strings in a piece of code; "W{}" for f"W{l}" and "W" + str(l)."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name | ast.arg | ast.Attribute):
            yield part.id if isinstance(part, ast.Name) else part.arg if isinstance(part, ast.arg) else part.attr
        elif isinstance(part, ast.JoinedStr | ast.BinOp):
            yield from filter(None, [key_text(part)])
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def key_text(node: ast.AST) -> str | None:
    """A key as text, with {} for what is computed: "W{}" for f"W{l}", "W" + str(l) and "W%d" % l."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left = key_text(node.left)
        return None if left is None else left + (key_text(node.right) or "{}")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        left = key_text(node.left)
        return None if left is None else re.sub("%[a-z]", "{}", left)
    return None
