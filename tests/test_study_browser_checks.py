"""Each check of a page is content with a right page and catches a fault that is planted in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests import browser as checks
from tests.browser import browser

__all__ = ["browser"]

STYLE = """
:root { color-scheme: light; background: #fff; color: #222 }
:root[data-theme=dark] { color-scheme: dark; background: #111; color: #ddd }
.lit { outline: 2px solid #c60 }
.box { overflow-x: auto }
.columns { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr) }
.column { overflow-x: auto }
.dim { color: #595959 }
[data-theme=dark] .dim { color: #a0a0a0 }
.ink { fill: currentColor }
.back { fill: #fff }
[data-theme=dark] .back { fill: #111 }
@media (max-width: 48rem) { .columns { grid-auto-flow: row } }
"""

SCRIPT = """
let lit = null;
function light(name) {
  lit = name === lit ? null : name;
  for (const one of document.querySelectorAll("[data-symbol]")) {
    one.classList.toggle("lit", one.dataset.symbol === lit);
    if (one.matches("button")) one.setAttribute("aria-pressed", one.dataset.symbol === lit);
  }
}
document.addEventListener("click", (event) => {
  const symbol = event.target.closest(".symbol");
  if (symbol) light(symbol.dataset.symbol);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") light(null);
});
document.querySelector("#search").addEventListener("input", (event) => {
  const links = window.SEARCH.filter((entry) => entry.title === event.target.value);
  const item = (entry) => Object.assign(document.createElement("a"), { href: entry.href, textContent: entry.title });
  document.querySelector("#found").replaceChildren(...links.map(item));
});
"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Page</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<script src="search-index.js" defer></script><script src="site.js" defer></script></head>
<body><h1>Page</h1><label>Search <input id="search"></label><div id="found"></div>
<article id="dZ1" aria-labelledby="title"><h2 id="title">A formula</h2>
<p><button class="symbol" data-symbol="dZ1" aria-pressed="false">dZ[1]</button>
<button class="symbol" data-symbol="m" aria-pressed="false">m</button></p>
<math display="block"><mrow><mrow class="symbol" data-symbol="dZ1"><mi>dZ</mi></mrow><mo>=</mo>
<mfrac><mn>1</mn><mrow class="symbol" data-symbol="m"><mi>m</mi></mrow></mfrac></mrow></math>
<div class="columns">
<section class="column" data-column="numpy"><h3>NumPy</h3>
<pre class="code"><span class="symbol" data-symbol="dZ1">dZ1</span> = 1 / m</pre>
</section>
<section class="column" data-column="torch"><h3>PyTorch</h3>
<pre class="code">dZ1 = a_long_name + another_long_name + yet_another_long_name</pre>
</section>
<section class="column" data-column="jax" hidden><h3>JAX</h3><pre class="code">dZ1</pre></section>
</div>
<svg viewBox="0 0 100 20" width="100" role="img"><title>A drawing</title><rect class="back" width="100" height="20"/>
<text class="ink" x="5" y="15"><tspan class="symbol" data-symbol="dZ1">dZ1</tspan></text></svg>
<table><caption>A table</caption><tr><td>1</td></tr></table>
<p class="dim">Words, and a <a href="#dZ1">link</a> and <a href="other.html#there">another</a>.</p>
<div class="box"><table aria-label="A wide table"><tr><td style="min-width: 2000px">1</td></tr></table></div>
</article></body></html>
"""

INDEX = [{"title": "dZ1", "text": "", "href": "page.html#dZ1", "kind": "formula"}]

Site = Callable[..., Path]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Writes the page, in which every `old` is replaced by its `new`, and says where it is."""

    def written(*faults: tuple[str, str]) -> Path:
        files = {
            "page.html": PAGE,
            "style.css": STYLE,
            "site.js": SCRIPT,
            "search-index.js": f"window.SEARCH = {json.dumps(INDEX)};",
            "other.html": '<!DOCTYPE html><title>Other</title><h1 id="there">Other</h1>',
        }
        for old, new in faults:
            assert any(old in text for text in files.values()), old
            files = {name: text.replace(old, new) for name, text in files.items()}
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / "page.html"

    return written


CHECKS: dict[str, Callable[[Chrome, Path], list[str]]] = {
    "console": lambda browser, page: checks.console_errors(browser),
    "requests": lambda browser, page: checks.requests_outside(browser, page.parent),
    "formulas": lambda browser, page: checks.formulas_without_a_box(browser),
    "lit": lambda browser, page: checks.not_lit(browser, "dZ1"),
    "stacked": lambda browser, page: checks.not_stacked(browser),
    "sideways": lambda browser, page: checks.sideways(browser),
    "search": lambda browser, page: checks.search_misses(browser, "dZ1", "page.html#dZ1"),
    "contrast": lambda browser, page: checks.low_contrast(browser),
    "headings": lambda browser, page: checks.headings(browser),
    "unlabelled": lambda browser, page: checks.unlabelled(browser),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_right_page_has_no_complaint(browser: Chrome, site: Site, check: str) -> None:
    page = site()
    checks.opened(browser, page)
    assert CHECKS[check](browser, page) == []


@pytest.mark.parametrize(
    ("check", "old", "new", "complaint"),
    [
        ("console", "let lit = null;", "let lit = null; console.error('oh');", '"oh"'),
        ("console", "let lit = null;", "let lit = null; absent();", "absent is not defined"),
        ("requests", 'href="data:,"', 'href="absent.png"><img src="absent.png" alt="', "absent.png failed"),
        ("requests", "</article>", '<img src="../a.png" alt=""></article>', "/a.png is outside the site"),
        ("requests", "let lit = null;", "let lit = null; fetch('http://127.0.0.1:9/');", "127.0.0.1:9/ is outside"),
        ("requests", "let lit = null;", "let lit = null; fetch('other.html').catch(() => 0);", "other.html failed"),
        ("formulas", ".lit {", "math { display: none } .lit {", "has no box"),
        ("formulas", ".lit {", "math { display: inline-block; height: 0 } .lit {", "has no box"),
        ("formulas", ".lit {", "mfrac, mfrac > * { display: inline-block } .lit {", "than a line"),
        (
            "lit",
            "one.dataset.symbol === lit)",
            "one.dataset.symbol === lit && !one.closest('pre'))",
            "span.symbol is not lit",
        ),
        ("lit", "one.dataset.symbol === lit)", "lit !== null)", "is lit and no dZ1"),
        ("lit", "one.dataset.symbol === lit);\n  }", "false);\n  }", "is not pressed"),
        ("lit", '"Escape"', '"End"', "by Enter, then Escape"),
        ("lit", "name === lit ? null : name", "name", "clicked again in formula"),
        ("lit", 'target.closest(".symbol")', 'target.closest("button, math .symbol")', "clicked in code"),
        ("lit", 'target.closest(".symbol")', 'target.closest("button, pre .symbol")', "clicked in drawing"),
        ("lit", "const symbol =", "const symbol = event.detail === 0 ? null :", "by Space"),
        ("lit", ".lit {", "svg { pointer-events: none } .lit {", "clicked in drawing"),
        ("lit", '<button class="symbol" data-symbol="dZ1"', "<button", "dZ1 has no button"),
        ("stacked", "grid-auto-flow: row", "", "at 400 px article#dZ1 section.column is not below numpy"),
        ("stacked", "grid-auto-flow: column", "", "at 1200 px article#dZ1 section.column is not beside numpy"),
        ("stacked", "<h3>PyTorch</h3>", "<h3>PyTorch<br>eager</h3>", "does not begin where that of numpy does"),
        ("sideways", ".box {", ".bx {", "the page is"),
        ("sideways", ".column { overflow-x: auto }", "", "at 320 px"),
        ("search", '"title": "dZ1"', '"title": "dW1"', "dZ1 is not found"),
        ("search", "page.html#dZ1", "other.html#dZ1", "leads to other.html#dZ1"),
        ("search", 'id="dZ1"', 'id="dz1"', "page.html has no dZ1"),
        ("contrast", "#595959", "#797979", "light: article#dZ1 p.dim"),
        ("contrast", "[data-theme=dark] .dim", "[data-theme=dark] .dm", "dark: article#dZ1 p.dim"),
        ("contrast", '<p class="dim">', '<p class="dim" style="opacity: 0.8">', "light: article#dZ1 p.dim"),
        ("contrast", "[data-theme=dark] .back", "[data-theme=dark] .bck", "dark: article#dZ1 tspan"),
        ("contrast", "background: #111; color", "color: #ddd; background: #fff; color", "dark: h1"),
        ("headings", "<h1>Page</h1>", "<p>Page</p>", "the page has 0 h1"),
        ("headings", "<h2", "<h1>Twice</h1><h2", "the page has 2 h1"),
        ("headings", "h3>", "h4>", 'h4 "NumPy" skips a level'),
        ("headings", ">A formula<", "> <", "h2#title is empty"),
        ("unlabelled", "<label>Search <input", "<label><input", 'input id="search" has no name'),
        ("unlabelled", '">m</button>', '"></button>', "has no name"),
        ("unlabelled", ">link<", "><", 'a href="#dZ1" has no name'),
        ("unlabelled", "<title>A drawing</title>", "", "svg has no name"),
        ("unlabelled", "<caption>A table</caption>", "", "table has no name"),
        ("unlabelled", "<h1>", '<img src="data:,"><h1>', "img has no name"),
    ],
)
def test_a_planted_fault_is_caught(browser: Chrome, site: Site, check: str, old: str, new: str, complaint: str) -> None:
    page = site((old, new))
    checks.opened(browser, page)
    found = CHECKS[check](browser, page)
    assert any(complaint in each for each in found), found


def test_all_links_of_a_right_site_lead_somewhere(site: Site) -> None:
    assert checks.dead_links(site().parent) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("other.html#there", "other.html#here", "page.html: other.html#here leads to no anchor"),
        ('href="#dZ1"', 'href="#dW1"', "page.html: #dW1 leads to no anchor"),
        ("other.html#there", "absent.html", "absent.html leads to no file"),
        ("other.html#there", "https://example.org/", "https://example.org/ is outside the site"),
        ("other.html#there", "//example.org/", "//example.org/ is outside the site"),
        ("other.html#there", "../", "../ is outside the site"),
        ("background: #fff", "background: url('far.png')", "style.css: far.png leads to no file"),
        ("<h1>", "<h1 style='background: url(far.png)'>", "page.html: far.png leads to no file"),
        ("</head>", "<style>@import 'far.css';</style></head>", "page.html: far.css leads to no file"),
        ("<h1>", "<img alt='' srcset='far.png 2x'><h1>", "page.html: far.png leads to no file"),
        ("page.html#dZ1", "page.html#dW1", "search-index.js: page.html#dW1 leads to no anchor"),
        ('aria-labelledby="title"', 'aria-labelledby="titel"', "there is no element titel"),
        ('id="found"', 'id="dZ1"', "two elements are dZ1"),
    ],
)
def test_a_dead_link_is_caught(site: Site, old: str, new: str, complaint: str) -> None:
    found = checks.dead_links(site((old, new)).parent)
    assert any(complaint in each for each in found), found


def test_large_text_needs_less_contrast(browser: Chrome, site: Site) -> None:
    page = site(("#595959", "#797979"), ('class="dim"', 'class="dim" style="font-size: 24px"'))
    checks.opened(browser, page)
    assert checks.low_contrast(browser) == []


def test_what_is_hidden_is_not_looked_at(browser: Chrome, site: Site) -> None:
    page = site(('<p class="dim">', '<p class="dim" hidden>'), ("#595959", "#797979"), ("<math", "<math hidden"))
    page.write_text(page.read_text(encoding="utf-8").replace("<article", '<img hidden src="data:,"><article'))
    checks.opened(browser, page)
    assert checks.low_contrast(browser) == checks.unlabelled(browser) == []


def test_a_browser_that_has_to_be_here_is_no_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PROGRAMS", ("chromium-that-is-nowhere",))
    assert checks.lacking() == ["chromium-that-is-nowhere"]
