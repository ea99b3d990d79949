"""The site: every page as HTML, with the style, the script and the index of the search, by file name.

The layout is in templates/, how it looks and behaves in static/. Whatever is no markup is escaped. When, with which
versions and on which machine the numbers were computed stands in the footer of each page, in one element; everything
else follows from what the site is made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from parity.study import mathml, parts
from parity.study.digits import Table
from parity.study.matrix import Agreement
from parity.study.quantities import quantities
from parity.study.registry import COLUMNS, Chapter
from parity.study.svg import lean

STATIC = Path(__file__).with_name("static")

SPECIAL = {
    "traps": ("Framework traps", "Kinks, zero logits, saturation and precision, with what each framework puts out."),
    "training": ("Training", "The same training in each framework, step by step, and the flower."),
    "benchmark": ("Benchmark", "How long each framework takes for values that were verified before they were timed."),
    "mistakes": ("Mistakes", "The mistakes that `parity grade` names, and what each does to the numbers."),
    "method": ("Method", "Where the exact values and the bounds come from, and what the verdicts rest on."),
}
"""The pages that are no chapter, in order: name, title, and what is said of them on the start page."""


@dataclass(frozen=True)
class Site:
    """What a site is made of.

    Attributes
    ----------
    chapters : sequence of Chapter
        In the order of the pages.
    tables : mapping
        What was computed, by (chapter, block): `parity.study.live.measured`.
    figures : mapping
        The drawings that the blocks name.
    search : sequence
        What is found: {"title", "text", "href", "kind"} each.
    matrix : mapping
        `parity.study.matrix.page`.
    special : mapping
        What the template of each page in `SPECIAL` is given, by name; a page that is not there is left out.
    stamp : mapping
        {"when": str, "versions": {name: version}, "machine": str}.
    agreements : mapping
        What the matrix found of a block's quantity, by (chapter, block).
    root : Path, optional
        The folder that holds the packages; by default where they are installed.
    """

    chapters: Sequence[Chapter]
    tables: Mapping[tuple[str, str], Sequence[Table]]
    figures: Mapping[str, Markup]
    search: Sequence[Mapping[str, str]]
    matrix: Mapping[str, Any]
    special: Mapping[str, Mapping[str, Any]]
    stamp: Mapping[str, Any]
    agreements: Mapping[tuple[str, str], Sequence[Agreement]] = field(default_factory=dict)
    root: Path | None = None


@dataclass(frozen=True)
class Page:
    """A link in the row of pages, and a card on the start page."""

    name: str
    short: str
    title: str
    words: Markup
    rows: tuple[str, ...] = ()


def environment() -> Environment:
    """What renders the templates: all is escaped that is no markup, and a name that is not given ends the build."""
    made = Environment(
        loader=PackageLoader("parity.study"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    filters = (
        parts.number,
        parts.ulps,
        parts.share,
        parts.counted,
        parts.kinds,
        parts.bounded,
        parts.breakable,
        parts.hung,
        lean,
    )
    made.filters |= {of.__name__: of for of in filters}
    made.globals |= {"COLUMNS": COLUMNS, "SIGNS": parts.SIGNS}
    return made


def render(site: Site) -> dict[str, str]:
    """All files of the site."""
    listed, made = pages(site), environment()
    start = Page("index", "Start", "", Markup())
    shared = {"pages": [start, *listed], "stamp": site.stamp}
    found = {"index": made.get_template("index.html.jinja").render(**shared, here="index", **_start(site, listed))}
    chapter = made.get_template("chapter.html.jinja")
    for one in site.chapters:
        found[one.name] = chapter.render(**shared, here=one.name, chapter=parts.shown(one, site))
    for name in SPECIAL:
        if name in site.special:
            template = made.get_template(f"{name}.html.jinja")
            found[name] = template.render(**shared, here=name, **site.special[name])
    html = {f"{name}.html": text + "\n" for name, text in found.items()}
    return html | {path.name: path.read_text(encoding="utf-8") for path in sorted(STATIC.iterdir())} | _index(site)


def pages(site: Site) -> list[Page]:
    """Those beside the start page: the chapters, then the others."""
    chapters = [
        Page(one.name, one.name.capitalize(), parts.title(one), parts.summary(one), one.rows) for one in site.chapters
    ]
    return chapters + [
        Page(name, name.capitalize(), title, mathml.line(words, {}))
        for name, (title, words) in SPECIAL.items()
        if name in site.special
    ]


def _start(site: Site, listed: list[Page]) -> dict[str, Any]:
    """What the start page shows."""
    return {"cards": listed, "matrix": site.matrix, "quantities": quantities(site)}


def _index(site: Site) -> dict[str, str]:
    """The index of the search: a script, because a page from a folder may load nothing else."""
    lines = ",\n".join(json.dumps(dict(entry), ensure_ascii=False, sort_keys=True) for entry in site.search)
    return {"search-index.js": f"window.SEARCH = [\n{lines}\n];\n"}
