"""The page of a run: well-formed, on its own, escaped, readable, and no time without a ratio."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from parity.bench import page as pages
from parity.bench.page import page
from parity.bench.results import Results
from tests.bench_results import WRONG, results, small

pytest.importorskip("matplotlib")

VOID = {"meta", "link", "br", "hr", "img", "input"}
TIME = re.compile(r"\d (ns|µs|ms|s)$")
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


class Read(HTMLParser):
    """Every element with its attributes and text; an end that fits no beginning is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[tuple[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append((dict(attrs).get("class") or "", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            kind, text = self.rows[-1][-1]
            self.rows[-1][-1] = (kind, text + data)
        self.words.append(data)


@pytest.fixture(scope="module")
def html() -> str:
    return page(results())


@pytest.fixture(scope="module")
def read(html: str) -> Read:
    return Read(html)


def bare_times(read: Read) -> list[list[tuple[str, str]]]:
    """Rows of a table with a time and no ratio."""
    timed = [row for row in read.rows if any(TIME.search(text) for _, text in row)]
    return [row for row in timed if not any(kind == "ratio" and "[" in text for kind, text in row)]


def repeated(read: Read) -> list[str | None]:
    """Identifiers that more than one element has."""
    counts = Counter(attributes["id"] for _, attributes in read.elements if "id" in attributes)
    return [name for name, n in counts.items() if n > 1]


def test_every_element_is_closed_and_an_open_one_is_noticed(read: Read) -> None:
    assert read.open == []
    assert Read("<p><b>x</b>").open == ["p"]
    with pytest.raises(AssertionError):
        Read("<p><b>x</p></b>")


def test_nothing_is_fetched(html: str, read: Read) -> None:
    assert set(re.findall(r"https?://[^\s\"'<>)]+", html)) == NAMESPACES
    links = [a[name] for _, a in read.elements for name in ("src", "href", "xlink:href") if name in a]
    assert links
    assert all(link and link.startswith("#") for link in links)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in read.elements}
    assert "@import" not in html
    assert re.findall(r"url\([^#]", html) == []


def test_identifiers_are_unique_and_what_is_referred_to_is_there(html: str, read: Read) -> None:
    assert repeated(read) == []
    assert repeated(Read('<p id="a"></p><p id="a"></p>')) == ["a"]
    there = {attributes.get("id") for _, attributes in read.elements}
    labelled = [name for _, a in read.elements for name in (a.get("aria-labelledby") or "").split()]
    used = re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", html)
    assert used
    assert {*labelled, *(name for pair in used for name in pair if name)} <= there


def test_no_time_stands_without_its_ratio(read: Read) -> None:
    assert sum(any(kind == "ratio" for kind, _ in row) for row in read.rows) == 264 + 2 * 36
    assert bare_times(read) == []
    assert bare_times(Read('<tr><th>x</th><td class="ratio">—</td><td>4.21 µs</td></tr>'))


def test_headers_have_a_scope_and_pictures_a_text(read: Read) -> None:
    assert all(a.get("scope") in ("col", "row") for tag, a in read.elements if tag == "th")
    svgs = [a for tag, a in read.elements if tag == "svg"]
    assert len(svgs) == 7
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in svgs)
    headings = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(headings))


def test_what_scrolls_can_be_scrolled_with_the_keyboard(html: str, read: Read) -> None:
    boxes = [a for tag, a in read.elements if a.get("class") == "scroll"]
    tables = sum(tag == "table" for tag, _ in read.elements)
    assert len(boxes) == tables + 7
    assert all(a.get("tabindex") == "0" and a.get("aria-label") for a in boxes)


def test_what_differs_is_first_with_its_fault_and_no_time(read: Read) -> None:
    first = read.rows[1]
    assert [text for _, text in first] == ["planted", f"✗ differs: {WRONG}"]


def test_rows_are_sorted_from_fastest(read: Read) -> None:
    ratios = [float(text.partition(" ")[0]) for row in read.rows[2:13] for kind, text in row if kind == "ratio"]
    assert len(ratios) == 11
    assert ratios == sorted(ratios)


def test_the_page_says_what_was_run_where_and_when(read: Read) -> None:
    words = " ".join(" ".join(read.words).split())
    for said in (
        "264 rows timed, 60 skipped, 1 differs", "Example CPU 9000 @ 2.80 GHz", "2026-11-25 16:15 UTC", "fcc29e1c0ffee",
        "parity bench --threads 1,2", "NOISY: drift 8.3 %", "L1d 32.8 kB; L3 34.6 MB", "16.8 GB", "openblas",
        "2.13.0+cpu",
        "--xla_cpu_multi_thread_eigen=false", "jax_enable_x64", "95.1 GFLOP/s", "17.9 GB/s",
        "24 rows: nothing on cuda: cuda is not",
        "blocks of 1 ms", "jax-jit beats jax-eager at every size, reference from m ≈",
    ):  # fmt: skip
        assert said in words, said


EVIL = "<script>alert('x')</script>\"&\x1b"


def poisoned() -> Results:
    """A run in which everything that comes from outside would be code if it were not escaped."""
    run = results(own=EVIL, fault=EVIL, reason=EVIL)
    rows = tuple(replace(row, key=replace(row.key, implementation=EVIL + row.key.implementation), bound_by=EVIL)
                 for row in run.groups[1].rows)  # fmt: skip
    return replace(
        run,
        groups=(run.groups[0], replace(run.groups[1], rows=rows, floor=EVIL + run.groups[1].floor, drift=1.0)),
        machine={"cpu": EVIL, EVIL: {EVIL: [EVIL]}}, libraries=({EVIL: EVIL},), versions={EVIL: EVIL},
        flags={EVIL: EVIL}, switches={EVIL: EVIL}, commit=EVIL, made=EVIL, command=(EVIL,), notes=(EVIL,),
        peaks=tuple(replace(peak, by=EVIL) for peak in run.peaks),
    )  # fmt: skip


def test_what_comes_from_outside_is_escaped() -> None:
    html = page(poisoned())
    read = Read(html)
    assert read.open == []
    assert "script" not in {tag for tag, _ in read.elements}
    assert html.count("&lt;script&gt;") > 20
    assert "\x1b" not in html
    assert not any(name.startswith("on") for _, attributes in read.elements for name in attributes)


def test_the_same_run_gives_the_same_page() -> None:
    assert page(small()) == page(small())


def test_without_matplotlib_there_are_tables_and_a_word_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "find_spec", lambda name: None)
    html = page(results())
    assert "matplotlib is not installed" in html
    assert "<svg" not in html
    assert Read(html).open == []


def test_a_run_of_nothing_is_a_page() -> None:
    empty = replace(results(), groups=(), peaks=(), machine={}, libraries=(), notes=(), flags={}, command=(), commit="")
    read = Read(page(empty))
    assert read.open == []
    assert "0 rows timed, 0 skipped, 0 differ" in " ".join(read.words)


def luminance(colour: str) -> float:
    """Of sRGB, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c * 1000 <= 40 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_text_has_the_contrast_that_wcag_asks_for_by_day_and_by_night(html: str) -> None:
    """4.5, AA; on the backgrounds on which it stands."""
    schemes = re.findall(r":root \{(.*?)\}", html, re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", scheme))
        pairs = [(text, "back") for text in ("text", "dim", "link", "bad", "noisy")]
        for text, back in (*pairs, ("bad", "bad-back"), ("noisy", "noisy-back")):
            assert 2 * contrast(colours[text], colours[back]) >= 9, (text, back)
    assert 2 * contrast("#7f7f7f", "#ffffff") < 9
