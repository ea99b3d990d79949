"""The words of words.toml: the mistakes, the formula of every quantity, and the reference's line for each."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))

LAYERS = {"logistic": 1, "shallow": 2, "deep": 4}
"""L of each exercise's probes."""


@dataclass(frozen=True)
class Rule:
    """The right formula of a quantity, its slide, and its line in the reference: a function and a piece of the line."""

    formula: str
    slide: str
    reference: tuple[str, str]


@dataclass(frozen=True)
class Line:
    """A line of the reference's source, as it is installed."""

    file: str
    number: int
    text: str


def rule(exercise: str, quantity: str) -> Rule | None:
    """That of dW1, Z or new_b2; None for what the notes have no formula of.

    >>> rule("deep", "dW1").formula, rule("deep", "dZ4").formula, rule("shallow", "costs")
    ('dW1 = (1/m) dZ1 Xᵀ', 'dZ4 = A4 − Y', None)
    """
    formulas = WORDS["formulas"].get(exercise, {})
    kind, layer = re.fullmatch(r"(.*?)(\d*)", quantity, re.DOTALL).groups()  # type: ignore[union-attr]
    l = int(layer or 0)
    last = kind + "L" if l == LAYERS.get(exercise) and kind + "L" in formulas else kind
    found = formulas.get(quantity, formulas.get(last) if l else None)
    if found is None:
        return None
    formula, slide, *reference = found
    return Rule(_with_layer(formula, l), slide, (reference[0], reference[1]))


def _with_layer(formula: str, l: int) -> str:
    for name, layer in (("{l}", l), ("{k}", l - 1), ("{n}", l + 1)):
        formula = formula.replace(name, str(layer))
    return re.sub(r"\bA0", "X", formula)


@cache
def line_of(reference: tuple[str, str]) -> Line:
    """The line of the reference's source that a function's dotted name and a piece of the line lead to.

    Raises
    ------
    LookupError
        There is none, or more than one.
    """
    module, _, name = reference[0].rpartition(".")
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise LookupError(f"there is no module {module}")
    text = Path(spec.origin).read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            numbers = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
            lines = [(n, text.splitlines()[n - 1]) for n in numbers]
            found = [(n, line.strip()) for n, line in lines if reference[1] in line]
            if len(found) == 1:
                return Line(module.replace(".", "/") + ".py", *found[0])
    raise LookupError(f"{reference[0]} has not exactly one line with {reference[1]!r}")
