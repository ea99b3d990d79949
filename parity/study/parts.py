"""What stands on a page, prepared for the templates: a block's formula, code and numbers as markup, and the start page's
table of quantities.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from markupsafe import Markup

from parity.compare import BITS, DIFFERS, ROUNDING
from parity.report import short
from parity.study import mathml
from parity.study.code import caption, highlighted
from parity.study.cut import Cut, cut
from parity.study.live import Number, Table
from parity.study.matrix import Agreement
from parity.study.registry import COLUMNS, SYMBOL, Block, Broken, Chapter, Column

SIGNS = {BITS: "✓", ROUNDING: "≈", DIFFERS: "✗"}
"""A verdict's sign; it stands beside the word or, where it stands alone, before a hidden one."""

FRAMEWORKS = ("numpy", "torch", "jax")
"""Whose verdicts stand in the table of quantities."""

LINE = re.compile(r'(<span class="line[^"]*")(><span class="number"[^>]*>\d+</span>)( *)')

FORMAT = "float64"
"""The format whose verdicts stand there."""


class Made(Protocol):
    """What of a site is needed here (`parity.study.pages.Site`)."""

    @property
    def chapters(self) -> Sequence[Chapter]: ...
    @property
    def tables(self) -> Mapping[tuple[str, str], Sequence[Table]]: ...
    @property
    def figures(self) -> Mapping[str, Markup]: ...
    @property
    def agreements(self) -> Mapping[tuple[str, str], Sequence[Agreement]]: ...
    @property
    def root(self) -> Path | None: ...


@dataclass(frozen=True)
class ShownSymbol:
    """A symbol's button."""

    name: str
    formula: Markup
    means: Markup
    shape: str


@dataclass(frozen=True)
class ShownColumn:
    """A column: its code with where it stands, or why there is none."""

    key: str
    heading: str
    captions: tuple[tuple[str, tuple[str, ...]], ...]
    code: Markup
    none: Markup


@dataclass(frozen=True)
class ShownStep:
    """A step of a derivation."""

    math: Markup
    why: Markup


@dataclass(frozen=True)
class ShownBlock:
    """A block; `short` is its name in lists of links, `plain` its title without markup."""

    name: str
    rows: tuple[str, ...]
    title: Markup
    plain: str
    short: str
    formula: Markup
    symbols: tuple[ShownSymbol, ...]
    say: Markup
    convention: Markup
    columns: tuple[ShownColumn, ...]
    without: tuple[ShownColumn, ...]
    tables: tuple[Table, ...]
    numberless: tuple[Markup, ...]
    agreed: tuple[tuple[str, Agreement], ...]
    steps: tuple[ShownStep, ...]
    figures: tuple[Markup, ...]


@dataclass(frozen=True)
class ShownChapter:
    """A chapter; `keys` are the columns that any of its blocks has code for."""

    title: str
    lead: Markup
    rows: tuple[str, ...]
    keys: frozenset[str]
    blocks: tuple[ShownBlock, ...]


def shown(chapter: Chapter, site: Made) -> ShownChapter:
    """A chapter as its template shows it."""
    blocks = tuple(_block(chapter, block, site) for block in chapter.blocks)
    keys = frozenset(column.key for block in blocks for column in block.columns)
    return ShownChapter(title(chapter), mathml.prose(chapter.lead, chapter.symbols), chapter.rows, keys, blocks)


def title(chapter: Chapter) -> str:
    """Its heading without markup."""
    return mathml.plain(chapter.title, chapter.symbols)


def summary(chapter: Chapter) -> str:
    """The first sentence of its lead, without markup."""
    words = " ".join(mathml.plain(chapter.lead, chapter.symbols).split())
    return re.split(r"(?<=\.) ", words, maxsplit=1)[0]


def _block(chapter: Chapter, block: Block, site: Made) -> ShownBlock:
    symbols, key = chapter.symbols, (block.chapter, block.name)
    columns = [_column(chapter, column, site.root) for column in block.columns]
    plain = mathml.plain(block.title, symbols)
    return ShownBlock(
        name=block.name,
        rows=block.rows,
        title=mathml.line(block.title, symbols),
        plain=plain,
        short=plain.partition(":")[0],
        formula=mathml.formula(block.formula, symbols),
        symbols=tuple(_symbols(chapter, block)),
        say=mathml.prose(block.say, symbols),
        convention=mathml.prose(block.convention, symbols),
        columns=tuple(column for column in columns if column.code),
        without=tuple(column for column in columns if not column.code),
        tables=tuple(site.tables.get(key, ())),
        numberless=tuple(mathml.line(live.none, symbols) for live in block.live if live.none),
        agreed=tuple((framework(one.framework), one) for one in site.agreements.get(key, ())),
        steps=tuple(ShownStep(mathml.formula(s.math, symbols), mathml.prose(s.why, symbols)) for s in block.derivation),
        figures=tuple(_figure(block, name, site.figures) for name in block.figures),
    )


def _symbols(chapter: Chapter, block: Block) -> Iterator[ShownSymbol]:
    """Those of the formula, in its order."""
    for name in dict.fromkeys(SYMBOL.findall(block.formula)):
        symbol = chapter.symbols[name]
        written = mathml.formula(symbol.latex, {}, display=False)
        yield ShownSymbol(name, written, mathml.line(symbol.means, chapter.symbols), symbol.shape)


def _column(chapter: Chapter, column: Column, root: Path | None) -> ShownColumn:
    cuts = [cut(column.package, place, root) for place in column.places]
    code = hung(highlighted(cuts, chapter.symbols)) if cuts else Markup()
    none = mathml.line(column.none, chapter.symbols)
    return ShownColumn(column.key, _capital(COLUMNS[column.key]), captions(cuts), code, none)


def hung(code: Markup) -> Markup:
    """The code, each line with its indentation: where a line is broken, it goes on further to the right."""
    return Markup(LINE.sub(lambda line: f'{line[1]} style="--indent:{len(line[3])}"{line[2]}{line[3]}', code))


def captions(cuts: Sequence[Cut]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Where the code stands: each file once, with the functions and lines in it."""
    found: dict[str, list[str]] = {}
    for one in cuts:
        file, _, place = caption(one).partition(", ")
        found.setdefault(file, []).append(place)
    return tuple((file, tuple(places)) for file, places in found.items())


def breakable(name: str) -> Markup:
    """A path or a name that may be broken after a slash and before an underscore.

    >>> str(breakable("jax_impl/a.py"))
    'jax<wbr>_impl/<wbr>a.py'
    """
    return Markup.escape(name).replace("/", Markup("/<wbr>")).replace("_", Markup("<wbr>_"))


def _capital(words: str) -> str:
    """With a capital letter where it begins with a word, not with a name that has its own spelling.

    >>> _capital("the slide's loop"), _capital("scikit-learn")
    ("The slide's loop", 'scikit-learn')
    """
    return words[0].upper() + words[1:] if " " in words else words


def _figure(block: Block, name: str, figures: Mapping[str, Markup]) -> Markup:
    if name not in figures:
        raise Broken(f"block {block.name}: there is no figure {name!r}")
    return figures[name]


def framework(name: str) -> str:
    """What a framework is called: "PyTorch" for "torch"."""
    return COLUMNS.get(name, name)


# ---- numbers


def number(of: Number) -> Markup:
    """A number, with the digits marked that are not those of the exact value."""
    same, other = of.text[: of.agrees], of.text[of.agrees :]
    return Markup.escape(same) + (Markup('<span class="off">{}</span>').format(other) if other else "")


def ulps(x: float) -> str:
    """An error in units in the last place, in two digits.

    >>> ulps(0.0), ulps(0.53), ulps(12.0), ulps(float("inf"))
    ('0', '0.53', '12', '∞')
    """
    return "∞" if math.isinf(x) else short(x) or "0"


def share(x: float) -> str:
    """A share of a bound in per cent, in two digits.

    >>> share(0.0), share(0.0312), share(0.000002), share(3.0), share(float("nan"))
    ('0 %', '3.1 %', '<0.01 %', '300 %', '—')
    """
    if math.isnan(x):
        return "—"
    if math.isinf(x):
        return "∞"
    return "<0.01 %" if 0 < 10_000 * x < 1 else f"{short(100 * x) or 0} %" if x < 1 else f"{100 * x:.0f} %"


def counted(table: Table) -> list[tuple[str, int]]:
    """How many rows have each verdict, for those that occur."""
    found = Counter(row.verdict for row in table.rows)
    return [(verdict, found[verdict]) for verdict in SIGNS if found[verdict]]


# ---- the start page's table of quantities


@dataclass(frozen=True)
class Link:
    """A quantity's block; the verdicts are (framework, verdict)."""

    href: str
    name: str
    title: str
    verdicts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Kind:
    """A row: all quantities of a letter, a cell a chapter."""

    title: str
    cells: tuple[tuple[Link, ...], ...]


@dataclass(frozen=True)
class Quantities:
    """The table."""

    chapters: tuple[str, ...]
    rows: tuple[Kind, ...]


def quantities(site: Made) -> Quantities:
    """The blocks that give a quantity with numbers: a row a letter, a column a chapter."""
    links: dict[str, dict[str, list[Link]]] = {}
    for chapter in site.chapters:
        for block in chapter.blocks:
            if block.gives and (verdicts := _verdicts(block, site)):
                of_kind = links.setdefault(letter(block.gives), {})
                of_kind.setdefault(chapter.name, []).append(_link(chapter, block, verdicts))
    held = [one for one in site.chapters if any(one.name in of_kind for of_kind in links.values())]
    rows = [
        Kind(kind, tuple(tuple(of_kind.get(chapter.name, ())) for chapter in held)) for kind, of_kind in links.items()
    ]
    return Quantities(tuple(title(chapter) for chapter in held), tuple(rows))


def letter(name: str) -> str:
    """What a quantity is called without its layer; small and capital letters are one kind.

    >>> letter("dZ1"), letter("dw"), letter("J"), letter("A[l]")
    ('dZ', 'dW', 'J', 'A')
    """
    found = re.match(r"(d?)([^\W\d_]*)", name)
    assert found
    return found[1] + found[2].capitalize() if found[2] else name


def _link(chapter: Chapter, block: Block, verdicts: Mapping[str, str]) -> Link:
    name = mathml.plain(f"«{block.gives}»", chapter.symbols)
    said = ", ".join(f"{who}: {verdict}" for who, verdict in verdicts.items())
    about = f"{mathml.plain(block.title, chapter.symbols)} ({said})"
    return Link(f"{chapter.name}.html#{block.name}", name, about, tuple(verdicts.items()))


def _verdicts(block: Block, site: Made) -> dict[str, str]:
    """The worst verdict on each framework: over the whole matrix where it has the quantity, else over the block's rows."""
    key = (block.chapter, block.name)
    found = {one.framework: one.verdict for one in site.agreements.get(key, ())}
    order = list(SIGNS)
    for table in () if found else site.tables.get(key, ()):
        for row in table.rows if table.dtype == FORMAT else ():
            worst = found.get(row.framework, BITS)
            found[row.framework] = max(worst, row.verdict, key=order.index)
    return {framework(name): found[name] for name in FRAMEWORKS if name in found}
