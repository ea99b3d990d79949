"""No tolerance was picked: no rtol, atol or approx anywhere, and no float literal in a comparison of sizes."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HABITS = re.compile("^(r" + "tol|a" + "tol|approx|.*(all|is)close|.*almost_equal.*|tolerance)$", re.I)
"""Names of tolerances, and of the functions that take one."""

SOURCES = sorted(
    path
    for folder in ("reference", "torch_impl", "jax_impl", "sklearn_baseline", "parity", "tests", "docs", ".")
    for path in (ROOT.glob("*.py") if folder == "." else (ROOT / folder).rglob("*.py"))
)


def names(source: bytes) -> Iterator[tuple[int, str]]:
    """Every name in the code with its line; comments and strings are not code."""
    for token in tokenize.tokenize(BytesIO(source).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def sizes_compared_with_literals(source: bytes) -> Iterator[int]:
    """The lines on which <, <=, > or >= has a float literal somewhere in what it compares."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops
        ):
            parts = [part for operand in (node.left, *node.comparators) for part in ast.walk(operand)]
            if any(isinstance(part, ast.Constant) and isinstance(part.value, float) for part in parts):
                yield node.lineno


def sizes_compared_with_constants(source: bytes) -> Iterator[int]:
    """The same where the literal has a name: EPS = 1e-9 above, error < EPS below."""
    tree = ast.parse(source)
    constants = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, float)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops
        ):
            parts = [part for operand in (node.left, *node.comparators) for part in ast.walk(operand)]
            if any(isinstance(part, ast.Name) and part.id in constants for part in parts):
                yield node.lineno


ALLOWED = {"sklearn_baseline/logistic_regression.py": {"tolerance"}}
"""That of a linear program, whose optimum is 0 or at least 1."""


def habits(source: bytes, allowed: frozenset[str] | set[str] = frozenset()) -> list[str]:
    """What a source has of these, by line."""
    found = [f"line {line}: {name}" for line, name in names(source) if HABITS.match(name) and name not in allowed]
    lines = {*sizes_compared_with_literals(source), *sizes_compared_with_constants(source)}
    return found + [f"line {line}: a literal in a comparison" for line in sorted(lines)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_tolerance(path: Path) -> None:
    assert habits(path.read_bytes(), ALLOWED.get(path.relative_to(ROOT).as_posix(), set())) == []


def test_all_the_code_is_looked_at() -> None:
    """Every folder of the project with Python in it, but for environments and what was built."""
    tops = {path.relative_to(ROOT).parts[0] for path in SOURCES}
    there = {p.parts[0] for p in (q.relative_to(ROOT) for q in ROOT.rglob("*.py")) if not p.parts[0].startswith(".")}
    assert there - tops <= {"build", "dist"}


@pytest.mark.parametrize(
    "line",
    [
        "np.testing.assert_all" + "close(a, b)",
        "ok = np.is" + "close(a, b)",
        "check(a, b, r" + "tol=x)",
        "assert value == pytest.app" + "rox(1)",
        "assert abs(a - b) < 1e-7",
        "assert 1e-7 * scale >= error",
        "ok = error < bound + 0.5",
        "EPS = 1e-9; ok = error < EPS",
    ],
)
def test_a_planted_tolerance_is_found(line: str) -> None:
    assert len(habits(f"x = 1\n{line}\n".encode())) == 1
