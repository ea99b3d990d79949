"""What the search of the site looks through: formulas, functions, symbols and pages, with the place of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from parity.study.code import caption
from parity.study.cut import cut
from parity.study.mathml import plain
from parity.study.registry import COLUMNS, SYMBOL, Block, Chapter, Symbol

Entry = dict[str, str]
"""title, text, href, and kind: formula, function, symbol or page."""


def entries(
    chapters: Sequence[Chapter], others: Mapping[str, str] | None = None, root: Path | None = None
) -> list[Entry]:
    """All entries, in the order of the pages.

    Parameters
    ----------
    chapters : sequence of Chapter
    others : mapping, optional
        The titles of the pages that are no chapters, by the name of their file without .html.
    root : Path, optional
        The folder that holds the packages; by default where they are installed.
    """
    found = [entry for chapter in chapters for entry in _of_chapter(chapter)]
    found += _functions(chapters, root)
    return found + [_entry("page", title, "", f"{name}.html") for name, title in (others or {}).items()]


def script(found: Sequence[Entry]) -> str:
    """The entries as a script: a page that is opened as a file can read no other."""
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in found)
    return f"window.SEARCH = [\n{lines}\n];\n"


def _of_chapter(chapter: Chapter) -> Iterator[Entry]:
    symbols = chapter.symbols
    yield _entry("page", plain(chapter.title, symbols), _listed(chapter.rows), f"{chapter.name}.html")
    for block in chapter.blocks:
        names = _names(symbols[block.gives]) if block.gives else []
        text = _listed(dict.fromkeys((block.name, *names, *block.rows))) + ": " + plain(f"${block.formula}$", symbols)
        yield _entry("formula", plain(block.title, symbols), text, _href(block))
    for symbol in symbols.values():
        title, *others = _names(symbol)
        text = _listed([*others, plain(symbol.means, symbols), symbol.shape])
        yield _entry("symbol", title, text, _where(chapter, symbol.name))


def _names(symbol: Symbol) -> list[str]:
    """What a symbol is called, in a formula, in the registry and in code: dZ[1], dZ1, dz1."""
    return list(dict.fromkeys((plain(f"${symbol.latex}$", {}), symbol.name, *symbol.code)))


def _where(chapter: Chapter, symbol: str) -> str:
    """The block that gives a symbol, or the first that writes it, or the page."""
    gives = [block for block in chapter.blocks if block.gives == symbol]
    writes = [block for block in chapter.blocks if symbol in SYMBOL.findall(block.formula)]
    return next((_href(block) for block in gives + writes), f"{chapter.name}.html")


def _functions(chapters: Sequence[Chapter], root: Path | None) -> Iterator[Entry]:
    """Each function once, at the first block that shows it or a part of it."""
    seen = set()
    for block in (block for chapter in chapters for block in chapter.blocks):
        for column in block.columns:
            for place in column.places:
                function = place.split(":")[0]
                if (column.package, function) not in seen:
                    seen.add((column.package, function))
                    where = caption(cut(column.package, function, root))
                    yield _entry("function", function, f"{where}, {COLUMNS[column.key]}", _href(block))


def _href(block: Block) -> str:
    return f"{block.chapter}.html#{block.name}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(word for word in words if word)


def _entry(kind: str, title: str, text: str, href: str) -> Entry:
    return {"title": title, "text": text, "href": href, "kind": kind}
