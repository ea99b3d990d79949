"""What stands on a page, prepared for the templates: blocks as markup, numbers and what is counted."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from parity.compare import BITS, DIFFERS, ROUNDING
from parity.report import short
from parity.study import mathml
from parity.study.code import caption, highlighted
from parity.study.cut import Cut, cut
from parity.study.digits import Number, Table
from parity.study.matrix import Agreement
from parity.study.registry import COLUMNS, SYMBOL, Block, Broken, Chapter, Column

if TYPE_CHECKING:
    from parity.study.pages import Site

SIGNS = {BITS: "✓", ROUNDING: "≈", DIFFERS: "✗"}
"""A verdict's sign; it stands beside the word or, where it stands alone, before a hidden one."""

PAIRS = (("{", "}"), (r"\left", r"\right"), (r"\begin", r"\end"))
"""What opens in LaTeX, and what closes it."""

SIGN = re.compile("<m(?:i|n|o|text)[ >]")
LINE = re.compile(r'(<span class="line[^>]*)>( +)')


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
class Group:
    """What was computed on the same inputs: the tables of each format."""

    problem: str
    note: str
    formats: tuple[tuple[str, tuple[Table, ...]], ...]


@dataclass(frozen=True)
class ShownBlock:
    """A block; `short` is its name in lists of links, `length` the size of its widest formula in signs."""

    name: str
    rows: tuple[str, ...]
    title: Markup
    short: str
    formula: tuple[Markup, ...]
    length: int
    symbols: tuple[ShownSymbol, ...]
    say: Markup
    convention: Markup
    columns: tuple[ShownColumn, ...]
    without: tuple[ShownColumn, ...]
    numbers: tuple[Group, ...]
    numberless: tuple[Markup, ...]
    skipped: tuple[tuple[str, str], ...]
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


def shown(chapter: Chapter, site: Site) -> ShownChapter:
    """A chapter as its template shows it."""
    blocks = tuple(_block(chapter, block, site) for block in chapter.blocks)
    keys = frozenset(column.key for block in blocks for column in block.columns)
    blocks = tuple(_told_apart(block, blocks) for block in blocks)
    return ShownChapter(title(chapter), mathml.prose(chapter.lead, chapter.symbols), chapter.rows, keys, blocks)


def _told_apart(block: ShownBlock, blocks: Sequence[ShownBlock]) -> ShownBlock:
    """The block; where several titles begin alike, it is called by the end of its own in lists of links."""
    begin, colon, end = block.short.partition(": ")
    alike = sum(other.short.partition(": ")[0] == begin for other in blocks) > 1
    return replace(block, short=end if colon and alike else begin)


def title(chapter: Chapter) -> str:
    """Its heading without markup."""
    return mathml.plain(chapter.title, chapter.symbols)


def summary(chapter: Chapter) -> Markup:
    """The first sentence of its lead."""
    first = re.split(r"(?<=\.)\s", chapter.lead.strip(), maxsplit=1)[0]
    return mathml.line(first, chapter.symbols)


def _block(chapter: Chapter, block: Block, site: Site) -> ShownBlock:
    symbols, key = chapter.symbols, (block.chapter, block.name)
    columns = [_column(chapter, column, site.root) for column in block.columns]
    formula = tuple(mathml.formula(piece, symbols) for piece in pieces(block.formula))
    return ShownBlock(
        name=block.name,
        rows=block.rows,
        title=mathml.line(block.title, symbols),
        short=mathml.plain(block.title, symbols),
        formula=formula,
        length=max(len(SIGN.findall(piece)) for piece in formula),
        symbols=tuple(_symbols(chapter, block)),
        say=mathml.prose(block.say, symbols),
        convention=mathml.prose(block.convention, symbols),
        columns=tuple(column for column in columns if column.code),
        without=tuple(column for column in columns if not column.code),
        numbers=tuple(grouped(site.tables.get(key, ()))),
        numberless=tuple(mathml.line(live.none, symbols) for live in block.live if live.none),
        skipped=tuple(skipped(site.tables.get(key, ()))),
        agreed=tuple((framework(one.framework), one) for one in site.agreements.get(key, ())),
        steps=tuple(ShownStep(mathml.formula(s.math, symbols), mathml.prose(s.why, symbols)) for s in block.derivation),
        figures=tuple(_figure(block, name, site.figures) for name in block.figures),
    )


def pieces(latex: str) -> list[str]:
    r"""The formulas that stand side by side, which may also stand below one another.

    >>> pieces(r"a = b, \qquad c = \frac{d \qquad e}{f}")
    ['a = b,', 'c = \\frac{d \\qquad e}{f}']
    """
    found: list[str] = []
    for part in latex.split(r"\qquad"):
        if found and any(found[-1].count(a) != found[-1].count(b) for a, b in PAIRS):
            found[-1] += r"\qquad" + part
        else:
            found.append(part)
    return [piece.strip() for piece in found]


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
    indented = r'\1 style="--indent:{}"><span class="indent">\2</span>'
    return Markup(LINE.sub(lambda line: line.expand(indented.format(len(line[2]))), str(code)))


def captions(cuts: Sequence[Cut]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Where the code stands: each file once, and each function in it, with its lines."""
    lines: dict[str, dict[str, dict[int, str]]] = {}
    for one in cuts:
        lines.setdefault(one.file, {}).setdefault(one.function, {}).update(one.lines)
    return tuple((file, tuple(_place(file, *of) for of in found.items())) for file, found in lines.items())


def _place(file: str, function: str, lines: Mapping[int, str]) -> str:
    """The caption's end: "quantities, lines 208–211, 214"."""
    return caption(Cut(file, function, tuple(sorted(lines.items())))).removeprefix(f"{file}, ")


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


def grouped(tables: Sequence[Table]) -> Iterator[Group]:
    """The tables by their inputs, and by format."""
    found: dict[tuple[str, str], dict[str, list[Table]]] = {}
    for table in tables:
        found.setdefault((table.problem, table.note), {}).setdefault(table.dtype, []).append(table)
    for (problem, note), formats in found.items():
        yield Group(problem, note, tuple((dtype, tuple(of)) for dtype, of in formats.items()))


def skipped(tables: Sequence[Table]) -> Iterator[tuple[str, str]]:
    """Every reason why somebody is in none of the tables or in a part of them, with the names of those."""
    found: dict[str, dict[str, None]] = {}
    for table in tables:
        for who, reason in table.skipped:
            found.setdefault(reason, {})[who] = None
    for reason, names in found.items():
        yield ", ".join(names), reason


def bounded(table: Table) -> bool:
    """Whether any of its errors stands against a bound."""
    return any(not math.isnan(row.share) for row in table.rows)


def counted(tables: Sequence[Table]) -> list[tuple[str, int]]:
    """How many rows have each verdict, for those that occur."""
    found = Counter(row.verdict for table in tables for row in table.rows)
    return [(verdict, found[verdict]) for verdict in SIGNS if found[verdict]]


def kinds(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """How many cells of the matrix have each verdict, for those that occur."""
    found = Counter(cell["kind"] for row in rows for cell in row["cells"])
    return [(verdict, found[verdict]) for verdict in SIGNS if found[verdict]]
