"""The start page's table of quantities: where the notes' letters stand, and what agrees."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from parity.compare import BITS
from parity.study import mathml
from parity.study.parts import SIGNS, framework, title
from parity.study.registry import Block, Chapter

if TYPE_CHECKING:
    from parity.study.pages import Site

FRAMEWORKS = ("numpy", "torch", "jax")
"""Whose verdicts stand in the table of quantities."""

PASS = ("z", "a", "j", "da", "dz", "dw", "db", "w")
"""The rows of that table, in the order of a forward and a backward pass."""

NONE = "not compared"
"""Stands there where a framework has no number of a quantity."""

FORMAT = "float64"
"""The format whose verdicts stand there."""


@dataclass(frozen=True)
class Link:
    """A quantity's block; `which` tells blocks of the same quantity apart, the verdicts are (framework, verdict)."""

    href: str
    name: str
    which: str
    title: str
    verdicts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Kind:
    """A row: all quantities of a letter, a cell a chapter."""

    title: str
    cells: tuple[tuple[Link, ...], ...]


@dataclass(frozen=True)
class Quantities:
    """The table, and the links to what is in no row of it, by page; pages are (name, title)."""

    chapters: tuple[tuple[str, str], ...]
    rows: tuple[Kind, ...]
    others: tuple[tuple[str, str, tuple[Link, ...]], ...]


def quantities(site: Site) -> Quantities:
    """The blocks that give a quantity with numbers: a row a letter in the order of `PASS`, a column a page."""
    links = {chapter.name: list(_links(chapter, site)) for chapter in site.chapters}
    held = [chapter for chapter in site.chapters if any(kind(link) in PASS for link in links[chapter.name])]
    found = {
        key: [[link for link in links[chapter.name] if kind(link) == key] for chapter in held] for key in PASS
    }  # fmt: skip
    rows = tuple(_row(cells) for cells in found.values() if any(cells))
    others = (
        (chapter.name, title(chapter), tuple(_distinct([of for of in links[chapter.name] if kind(of) not in PASS])))
        for chapter in site.chapters
    )
    titles = tuple((chapter.name, title(chapter)) for chapter in held)
    return Quantities(titles, rows, tuple(of for of in others if of[2]))


def kind(link: Link) -> str:
    """Of which row it is: small and capital letters are of one."""
    return letter(link.name).casefold()


def letter(name: str) -> str:
    """What a quantity is called without its layer and without marks.

    >>> letter("dZ[1]"), letter("W'"), letter("J"), letter("dA[l minus 1]")
    ('dZ', 'W', 'J', 'dA')
    """
    return re.sub(r"\[.*?\]|'+$", "", name) or name


def _row(cells: list[list[Link]]) -> Kind:
    """A row: what its quantities are called, and the links; of the same name, with the blocks' names."""
    names = dict.fromkeys(letter(link.name) for cell in cells for link in cell)
    return Kind(", ".join(names), tuple(tuple(_distinct(cell)) for cell in cells))


def _distinct(cell: list[Link]) -> Iterator[Link]:
    names = Counter(link.name for link in cell)
    for link in cell:
        yield replace(link, which=apart(link.which, link.name) if names[link.name] > 1 else "")


def apart(block: str, name: str) -> str:
    """What a block's name says beyond its quantity's.

    >>> apart("dw_one_example", "dw"), apart("leaky_relu", "a"), apart("Z1", "Z[1]"), apart("dW", "dW[l]")
    ('one example', 'leaky relu', '', '')
    """
    for own in (re.sub(r"[\[\]]", "", name), letter(name)):
        block = "" if block == own else block.removeprefix(f"{own}_")
    return block.replace("_", " ")


def _links(chapter: Chapter, site: Site) -> Iterator[Link]:
    for block in chapter.blocks:
        if block.gives and (verdicts := _verdicts(block, site)):
            name = mathml.plain(f"«{block.gives}»", chapter.symbols)
            about = mathml.plain(block.title, chapter.symbols)
            yield Link(f"{chapter.name}.html#{block.name}", name, block.name, about, tuple(verdicts.items()))


def _verdicts(block: Block, site: Site) -> dict[str, str]:
    """The worst verdict on each framework: on the whole matrix where it has the quantity, else in the block's rows."""
    key = (block.chapter, block.name)
    found = {one.framework: one.verdict for one in site.agreements.get(key, ())}
    order = list(SIGNS)
    for table in () if found else site.tables.get(key, ()):
        for row in table.rows if table.dtype == FORMAT else ():
            worst = found.get(row.framework, BITS)
            found[row.framework] = max(worst, row.verdict, key=order.index)
    return {framework(name): found.get(name, NONE) for name in FRAMEWORKS} if found else {}
