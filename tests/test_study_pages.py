"""The pages as files: what they hold, that it is escaped, that links lead somewhere, and that nothing else gets in."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from math import nan
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup
from selenium.webdriver import Chrome

from parity.study import pages, parts
from parity.study.digits import Number, Row, Table
from parity.study.matrix import Agreement
from parity.study.quantities import NONE, quantities
from parity.study.registry import Block, Broken, Chapter, Column, Live, Step, Symbol
from tests.browser import browser, opened  # noqa: F401

HOSTILE = "<script>alert('x')</script>"
VOID = {"meta", "link", "input", "wbr", "br", "hr", "img"}
STAMP = {"when": "2026-11-29 05:50 UTC", "versions": {"numpy": "2.3", "torch": None}, "machine": "two cores"}


def block(name: str = "dZ1", **changes: Any) -> Block:
    made = Block(
        chapter="shallow",
        name=name,
        rows=("N18", "N25"),
        title="«dZ1»: the error of the hidden layer",
        formula=r"«dZ1» = «W2»^T «dZ2», \qquad m = 5",
        say="Words.",
        convention="$m$ times the derivative.",
        gives="dZ1",
        uses=("W2", "dZ2"),
        derivation=(Step("«dZ1» = 1", "because"), Step("m = 5", "so it is")),
        columns=(
            Column("loop", (), "the slide has none"),
            Column("numpy", ("shallow_network.backward: dZ1",), ""),
            Column("torch", ("shallow_network.quantities: dZ1", "shallow_network.quantities: layer_1"), ""),
        ),
        live=(Live(quantity="dZ1", problem="three_four_one"),),
        figures=("drawn",),
    )
    return replace(made, **changes)


def chapter(*blocks: Block) -> Chapter:
    symbols = {
        "dZ1": Symbol("dZ1", "dZ^{[1]}", "the error", "(n_h, m)", ("dZ1",)),
        "W2": Symbol("W2", "W^{[2]}", "weights", "(n_y, n_h)", ("W2",)),
        "dZ2": Symbol("dZ2", "dZ^{[2]}", "the error", "", ("dZ2",)),
    }
    return Chapter(
        "shallow", "One hidden layer", "A lead. And more.", 1, "three_four_one", symbols, blocks or (block(),)
    )


def row(verdict: str, text: str = "0.125", agrees: int = 5, framework: str = "numpy", looks_like: str = "") -> Row:
    return Row(framework, framework, framework, (Number(text, agrees),), 0.5, 0.25, verdict, looks_like)


def table(*rows: Row, dtype: str = "float64", note: str = "a note") -> Table:
    skipped = (("scikit-learn", "shows none"),)
    return Table("dZ1", "three_four_one", note, dtype, "(4, 5)", ("dZ1[0, 0]",), ("0.125",), rows, skipped)


def matrix(text: str = "bits") -> dict[str, Any]:
    cell = {"text": text, "kind": "bits", "title": "12 comparisons"}
    rows = [{"problem": "house_prices", "note": "", "dtypes": "f64", "cells": [cell]}]
    models = [{"title": "logistic regression", "columns": ["torch\neager"], "rows": rows}]
    return {"totals": "12 comparisons", "models": models, "differing": [], "skips": []}


def site(*chapters: Chapter, **changes: Any) -> pages.Site:
    made = pages.Site(
        chapters=chapters or (chapter(),),
        tables={("shallow", "dZ1"): (table(row("bits")), table(row("rounding", "0.126", 4), dtype="float32"))},
        figures={"drawn": Markup('<svg role="img"><title>drawn</title></svg>')},
        search=[{"title": "dZ[1]", "text": "N18", "href": "shallow.html#dZ1", "kind": "formula"}],
        matrix=matrix(),
        special={"training": {"lead": "A lead.", "figures": [], "tables": [], "words": ["The end."]}},
        stamp=STAMP,
    )
    return replace(made, **changes)


@cache
def rendered() -> dict[str, str]:
    return pages.render(site())


class Elements(HTMLParser):
    """What begins in a page, in order, and whether it ends where it should."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def values(self, attribute: str) -> list[str]:
        return [value for _, of in self.found if (value := of.get(attribute))]


def html(files: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in files.items() if name.endswith(".html")}


def faults(files: dict[str, str]) -> Iterator[str]:
    """What is wrong with the pages as HTML: elements, headings, names, links."""
    read = {name: Elements(text) for name, text in html(files).items()}
    for name, page in read.items():
        yield from (f"{name}: <{tag}> is not closed" for tag in page.open + page.crossed)
        levels = [int(tag[1]) for tag, _ in page.found if re.fullmatch("h[1-6]", tag)]
        if levels.count(1) != 1:
            yield f"{name}: {levels.count(1)} h1"
        yield from (f"{name}: h{b} after h{a}" for a, b in pairwise(levels) if b > a + 1)
        yield from (f"{name}: two of #{of}" for of, n in Counter(page.values("id")).items() if n > 1)
        for words in page.values("aria-labelledby") + page.values("aria-controls") + page.values("for"):
            yield from (f"{name}: no #{of}" for of in words.split() if of not in page.values("id"))
        for link in page.values("href") + page.values("src"):
            file, _, anchor = link.partition("#")
            if link != "data:," and (file or name) not in files:
                yield f"{name}: no file {link}"
            elif anchor and anchor not in read[file or name].values("id"):
                yield f"{name}: no {link}"


def test_pages_hold_together() -> None:
    assert list(faults(rendered())) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("</h1>", "</h1><h1>another</h1>", "2 h1"),
        ("<h2", "<h4", "h4 after h1"),
        ('id="dZ1"', 'id="dZ_1"', "no #dZ1"),
        ("</article>", "", "is not closed"),
        ('href="style.css"', 'href="https://example.org/style.css"', "no file https://example.org/style.css"),
        ('id="main"', 'id="search"', "two of #search"),
    ],
)
def test_a_fault_in_a_page_is_found(old: str, new: str, fault: str) -> None:
    files = dict(rendered())
    assert old in files["shallow.html"]
    files["shallow.html"] = files["shallow.html"].replace(old, new)
    assert any(fault in one for one in faults(files))


def test_same_inputs_give_same_bytes_and_the_stamp_stands_in_one_element() -> None:
    files, later = rendered(), pages.render(site(stamp={"when": "later", "versions": {}, "machine": ""}))
    assert files == pages.render(site())
    for name, text in files.items():
        assert text.count(STAMP["when"]) == name.endswith(".html")
        assert _unstamped(text) == _unstamped(later[name])


def _unstamped(text: str) -> str:
    return re.sub('<p class="stamp".*?</p>', "", text, flags=re.S)


def test_whatever_is_no_markup_is_escaped() -> None:
    hostile = block(
        title=HOSTILE, say=HOSTILE, derivation=(Step("1", HOSTILE), Step("2", "so")), live=(Live(none=HOSTILE),)
    )
    tables = {("shallow", "dZ1"): (table(row("differs", HOSTILE, 3, looks_like=HOSTILE), note=HOSTILE),)}
    special = {"training": {"lead": HOSTILE, "figures": [], "tables": [], "words": [HOSTILE]}}
    made = site(
        chapter(hostile), tables=tables, special=special, matrix=matrix(HOSTILE), stamp=STAMP | {"machine": HOSTILE}
    )
    files = html(pages.render(made))
    assert set(files) == {"index.html", "shallow.html", "training.html"}
    for text in files.values():
        assert HOSTILE not in text
        assert Markup.escape(HOSTILE) in text


def test_a_block_has_its_formulas_columns_reasons_and_numbers() -> None:
    page = Elements(rendered()["shallow.html"])
    classes = Counter(name for value in page.values("class") for name in value.split())
    assert (classes["formula"], classes["column"], classes["pre"] + classes["code"]) == (1, 2, 2)
    assert page.values("data-column") == ["numpy", "torch", "loop"]  # what has no code stands below the others
    assert page.values("data-toggles") == ["numpy", "torch"]
    assert [of["data-symbol"] for tag, of in page.found if tag == "button" and "data-symbol" in of] == [
        "dZ1",
        "W2",
        "dZ2",
    ]
    opened = ["open" in of for tag, of in page.found if tag == "details" and of.get("class") == "live"]
    assert opened == [True, False]


def test_code_changes_the_page(tmp_path: Any) -> None:
    source = "def backward():\n    dZ1 = {}\n"
    torch = "def quantities():\n    dZ1 = 1\n    layer_1 = 2\n"
    for package, text in (("reference", source), ("torch_impl", torch)):
        (tmp_path / package).mkdir()
        (tmp_path / package / "shallow_network.py").write_text(text.format("first"), encoding="utf-8")
    before = pages.render(site(root=tmp_path))["shallow.html"]
    (tmp_path / "reference" / "shallow_network.py").write_text(source.format("second"), encoding="utf-8")
    after = pages.render(site(root=tmp_path))["shallow.html"]
    assert "first" in before
    assert after == before.replace("first", "second")


def test_digits_that_differ_are_marked() -> None:
    assert parts.number(Number("0.12<", 4)) == '0.12<span class="off">&lt;</span>'
    assert parts.number(Number("0.125", 5)) == "0.125"


def test_the_table_of_quantities_leads_to_the_block_and_says_what_agrees() -> None:
    rows = (
        row("bits"),
        row("rounding", framework="torch"),
        row("bits", framework="torch"),
        row("differs", framework="jax"),
    )
    made = site(tables={("shallow", "dZ1"): (table(*rows), table(row("differs"), dtype="float32"))})
    assert quantities(made).chapters == (("shallow", "One hidden layer"),)
    (kind,) = quantities(made).rows
    assert (kind.title, kind.cells[0][0].name, kind.cells[0][0].href) == ("dZ", "dZ[1]", "shallow.html#dZ1")
    assert kind.cells[0][0].verdicts == (("NumPy", "bits"), ("PyTorch", "rounding"), ("JAX", "differs"))


def test_the_whole_matrix_counts_for_more_than_a_block() -> None:
    made = site(agreements={("shallow", "dZ1"): [Agreement("numpy", 3, 10, 1, 0)]})
    (kind,) = quantities(made).rows
    assert kind.cells[0][0].verdicts == (("NumPy", "rounding"), ("PyTorch", NONE), ("JAX", NONE))
    assert '</i><i class="not compared">·</i>' in pages.render(made)["index.html"]


def test_blocks_of_the_same_quantity_are_told_apart() -> None:
    two = chapter(block(), block("again"))
    both = {("shallow", name): (table(row("bits")),) for name in ("dZ1", "again")}
    (kind,) = quantities(site(two, tables=both)).rows
    assert [link.which for link in kind.cells[0]] == ["", "again"]
    assert [one.short for one in parts.shown(two, site()).blocks] == ["the error of the hidden layer"] * 2
    assert [one.short for one in parts.shown(chapter(), site()).blocks] == ["dZ[1]"]


def test_a_share_without_a_bound_has_no_column() -> None:
    unbounded = replace(row("bits"), share=nan)
    one, other = (pages.render(site(tables={("shallow", "dZ1"): (table(of),)})) for of in (row("bits"), unbounded))
    assert '<th scope="col">bound</th>' in one["shallow.html"]
    assert '<th scope="col">bound</th>' not in other["shallow.html"]


WIDER = """
const boxes = [...document.querySelectorAll(".scroll, .sideways, figure, pre")].filter((box) => box.checkVisibility());
const seen = (box) => [box.scrollWidth > box.clientWidth, box.tabIndex === 0, box.ariaLabel ?? "", box.role ?? ""];
requestAnimationFrame(() => setTimeout(() => arguments[0](boxes.map(seen))));
"""
"""Of each box, once the page has been laid out: whether it scrolls, whether the keyboard reaches it, name, role."""


@pytest.mark.parametrize("width", [320, 1280])
def test_the_keyboard_reaches_what_scrolls_and_nothing_else(browser: Chrome, tmp_path: Path, width: int) -> None:  # noqa: F811
    drawn = Markup('<svg role="img" width="300" height="100"><title>drawn</title></svg>')
    for name, text in pages.render(site(figures={"drawn": drawn})).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    opened(browser, tmp_path / "shallow.html", width)
    found = browser.execute_async_script(WIDER)
    assert [wide for wide, *_ in found] == [reached for _, reached, *_ in found]
    assert [(name, role) for wide, _, name, role in found if wide] == (
        [("dZ1 (4, 5) in float64", "group"), ("drawn", "group")] if width == 320 else []
    )


def test_the_index_of_the_search_is_a_script_that_sets_what_it_was_given() -> None:
    entries = [{"title": 'a "quoted" ∂', "text": "\\", "href": "index.html", "kind": "page"}]
    script = pages.render(site(search=entries))["search-index.js"]
    found = re.fullmatch(r"window\.SEARCH = (\[.*\]);\n", script, flags=re.S)
    assert found
    assert json.loads(found[1]) == entries


def test_a_figure_or_a_name_that_is_missing_ends_the_build() -> None:
    with pytest.raises(Broken, match="dZ1: there is no figure 'drawn'"):
        pages.render(site(figures={}))
    with pytest.raises(UndefinedError, match="lead"):
        pages.render(site(special={"training": {"figures": [], "tables": [], "words": []}}))
