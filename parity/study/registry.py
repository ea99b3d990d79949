"""The registry of formulas: what a chapter says, which symbols it has, and where the code of each formula stands.

One file a chapter in formulas/. Everything is checked when it is read: a symbol that is not declared or never used, a
column without code and without a reason, a block without numbers and without a reason end the build with the file and
the block's name.

In formulas and in words «dZ1» is the symbol of that name. In words $…$ is a formula, `…` is code, and
[…](shallow.html#dZ1) is a link.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FORMULAS = Path(__file__).with_name("formulas")

COLUMNS = {
    "loop": "the slide's loop",
    "numpy": "NumPy",
    "torch": "PyTorch",
    "jax": "JAX",
    "sklearn": "scikit-learn",
}
"""The columns in order, and their headings."""

PACKAGES = {
    "loop": "reference",
    "numpy": "reference",
    "torch": "torch_impl",
    "jax": "jax_impl",
    "sklearn": "sklearn_baseline",
}
"""The package whose code stands in a column."""

ROWS = tuple(f"N{i}" for i in range(1, 26))
"""The rows of the notes."""

STEPS = range(2, 7)
"""How many steps a derivation may have."""

SYMBOL = re.compile(r"«([^«»]+)»")


class Broken(Exception):
    """The registry does not hold together, or the code does not have what it names; one line says what and where."""


@dataclass(frozen=True)
class Symbol:
    """A symbol of a chapter.

    Attributes
    ----------
    name, latex : str
        «dZ1» stands for it in formulas; how it is written.
    means, shape : str
        In words, which may hold formulas; "(n_h, m)", or "" where it is no array.
    code : tuple of str
        What it is called in code: names, and keys such as "W1" in params["W1"].
    """

    name: str
    latex: str
    means: str
    shape: str
    code: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A step of a derivation: a formula, and why it follows."""

    math: str
    why: str


@dataclass(frozen=True)
class Column:
    """Where the code of a column stands, or why there is none.

    Attributes
    ----------
    key : str
        One of `COLUMNS`.
    places : tuple of str
        As `parity.study.cut` reads them: "shallow_network.backward: dZ1".
    none : str
        Why there is none; empty where there is some.
    """

    key: str
    places: tuple[str, ...]
    none: str

    @property
    def package(self) -> str:
        """The package that it is cut from."""
        return PACKAGES[self.key]


@dataclass(frozen=True)
class Live:
    """Which numbers stand under the code.

    Attributes
    ----------
    quantity, problem : str
        A quantity of a problem; or empty.
    call : str
        A function that every package has, "vectorization.dot"; or empty.
    arguments : mapping
        What the call is given: nested lists of numbers are float64 arrays, all else is handed on as it is.
    none : str
        Why there are no numbers; or empty.
    """

    quantity: str = ""
    problem: str = ""
    call: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    none: str = ""


@dataclass(frozen=True)
class Block:
    """A formula with everything that belongs to it.

    Attributes
    ----------
    chapter, name : str
        The page, and the anchor on it: "shallow", "dZ1".
    rows : tuple of str
        The rows of the notes, N1–N25.
    title, formula, say, convention : str
        A heading in words; LaTeX with «symbols»; words, or "" each.
    gives, uses : str, tuple of str
        The symbol on the left, or ""; those that it is computed from.
    derivation : tuple of Step
    columns : tuple of Column
        In the order of `COLUMNS`.
    live : tuple of Live
    figures : tuple of str
        Names of drawings that stand with it (`parity.study.figures`).
    """

    chapter: str
    name: str
    rows: tuple[str, ...]
    title: str
    formula: str
    say: str
    convention: str
    gives: str
    uses: tuple[str, ...]
    derivation: tuple[Step, ...]
    columns: tuple[Column, ...]
    live: tuple[Live, ...]
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """A page of formulas.

    Attributes
    ----------
    name, title, lead : str
        The page's file without .html; its heading; words at its head.
    order : int
        Its place in the row of pages.
    problem : str
        The problem whose numbers stand under the code.
    symbols : mapping
        By name.
    blocks : tuple of Block
    """

    name: str
    title: str
    lead: str
    order: int
    problem: str
    symbols: Mapping[str, Symbol]
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows of the notes that it has blocks for, in order."""
        held = {row for block in self.blocks for row in block.rows}
        return tuple(row for row in ROWS if row in held)


@cache
def chapters() -> tuple[Chapter, ...]:
    """All of them in the order of the pages.

    Raises
    ------
    Broken
        A file does not hold together, or a row of the notes has no block.
    """
    found = sorted((read(path) for path in sorted(FORMULAS.glob("*.toml"))), key=lambda chapter: chapter.order)
    held = {row for chapter in found for row in chapter.rows}
    for row in ROWS:
        if row not in held:
            raise Broken(f"{row} has no block: no file in formulas/ names it")
    return tuple(found)


def read(path: Path) -> Chapter:
    """The chapter of a file.

    Raises
    ------
    Broken
        It does not hold together.
    """
    try:
        return _chapter(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise Broken(f"{path.name}: {type(error).__name__}: {error}") from error
    except Broken as error:
        raise Broken(f"{path.name}: {error}") from error


def _chapter(found: dict[str, Any]) -> Chapter:
    head = found["chapter"]
    symbols = {name: _symbol(name, of) for name, of in found.get("symbols", {}).items()}
    blocks = tuple(_block(head, of) for of in found["block"])
    chapter = Chapter(head["name"], head["title"], head["lead"], head["order"], head["problem"], symbols, blocks)
    _check(chapter)
    return chapter


def _symbol(name: str, of: dict[str, Any]) -> Symbol:
    _known("symbol", name, of, {"latex", "means", "shape", "code"})
    return Symbol(name, of["latex"], of["means"], of.get("shape", ""), tuple(of.get("code", ())))


_KEYS = {
    "name", "rows", "title", "formula", "say", "convention", "gives", "uses", "derivation", "code", "live", "figures",
}  # fmt: skip


def _block(head: dict[str, Any], of: dict[str, Any]) -> Block:
    name = of["name"]
    _known("block", name, of, _KEYS)
    for key in of["code"]:
        if key not in COLUMNS:
            raise Broken(f"block {name}: there is no column {key!r}")
    return Block(
        chapter=head["name"],
        name=name,
        rows=tuple(of["rows"]),
        title=of["title"],
        formula=of["formula"],
        say=of.get("say", ""),
        convention=of.get("convention", ""),
        gives=of.get("gives", ""),
        uses=tuple(of.get("uses", ())),
        derivation=tuple(Step(step["math"], step["why"]) for step in of["derivation"]),
        columns=tuple(_column(name, key, of["code"].get(key)) for key in COLUMNS),
        live=tuple(_live(name, head, one) for one in _listed(of.get("live"))),
        figures=tuple(of.get("figures", ())),
    )


def _column(block: str, key: str, of: object) -> Column:
    if isinstance(of, dict):
        _known(f"block {block}, column", key, of, {"none"})
        return Column(key, (), of["none"])
    if not of:
        raise Broken(f"block {block}: the column {key!r} has no code and no reason")
    return Column(key, tuple(_listed(of)), "")


def _live(block: str, head: dict[str, Any], of: object) -> Live:
    if isinstance(of, str):
        return Live(quantity=of, problem=head["problem"])
    assert isinstance(of, dict)
    _known(f"block {block}", "live", of, {"quantity", "problem", "call", "arguments", "none"})
    if sum(key in of for key in ("quantity", "call", "none")) != 1:
        raise Broken(f"block {block}: live names one of quantity, call and none")
    if "quantity" in of:
        return Live(quantity=of["quantity"], problem=of.get("problem", head["problem"]))
    return Live(call=of.get("call", ""), arguments=of.get("arguments", {}), none=of.get("none", ""))


def _listed(of: Any) -> list[Any]:
    return [] if of is None else of if isinstance(of, list) else [of]


def _known(what: str, name: str, of: dict[str, Any], keys: set[str]) -> None:
    for key in of:
        if key not in keys:
            raise Broken(f"{what} {name}: there is no {key!r}, only {', '.join(sorted(keys))}")


# ---- what is checked when a chapter has been read


def _check(chapter: Chapter) -> None:
    names = [block.name for block in chapter.blocks]
    for name in names:
        if names.count(name) > 1:
            raise Broken(f"block {name}: there are two of that name")
    used = {name for text in _texts(chapter) for name in SYMBOL.findall(text)}
    for name in sorted(used - set(chapter.symbols)):
        raise Broken(f"«{name}» is used and not declared under [symbols]")
    for name in sorted(set(chapter.symbols) - used):
        raise Broken(f"the symbol {name} is declared and never used")
    for block in chapter.blocks:
        _check_block(chapter, block)


def _texts(chapter: Chapter) -> Iterator[str]:
    yield chapter.lead
    for block in chapter.blocks:
        yield from (block.title, block.formula, block.say, block.convention)
        yield from (text for step in block.derivation for text in (step.math, step.why))
        yield from (f"«{name}»" for name in (block.gives, *block.uses) if name)


def _check_block(chapter: Chapter, block: Block) -> None:
    if unknown := [row for row in block.rows if row not in ROWS] or ([] if block.rows else ["nothing"]):
        raise Broken(f"block {block.name}: {unknown[0]} is no row of the notes")
    if len(block.derivation) not in STEPS:
        raise Broken(
            f"block {block.name}: a derivation has {STEPS[0]} to {STEPS[-1]} steps, not {len(block.derivation)}"
        )
    if not block.live:
        raise Broken(f"block {block.name}: it has no numbers and no reason why not")
    shown = set(SYMBOL.findall(block.formula))
    for name in (block.gives, *block.uses):
        if name and name not in shown:
            raise Broken(f"block {block.name}: «{name}» is not in its formula")
