"""The whole site, as it is built and in a browser: what must be on it, and that everything on it works."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from parity.study import build, cut, pages
from parity.study.pages import Site
from parity.study.registry import PACKAGES, ROWS, Broken, chapters
from tests import browser as check
from tests.browser import browser, opened  # noqa: F401
from tests.sites import once

PAGES = (*(chapter.name for chapter in chapters()), *pages.SPECIAL, "index")
PLACES = tuple(f"{name}.html" for name in PAGES)

SHALLOW = "shallow.html"
"""The page with everything: formulas, five columns, drawings."""

LARGEST = 5_000_000
"""Bytes, with the whole matrix."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Site]:
    """The folder, and what its pages are made of."""
    base = tmp_path_factory.getbasetemp()
    return once(base.parent if base.name.startswith("popen-") else base)


@pytest.fixture(scope="session")
def site(built: tuple[Path, Site]) -> Path:
    """The folder."""
    return built[0]


# ---- what is on it


def test_every_page_is_there_and_every_row_of_the_notes(site: Path) -> None:
    assert {path.name for path in site.glob("*.html")} == set(PLACES)
    text = "".join((site / f"{chapter.name}.html").read_text(encoding="utf-8") for chapter in chapters())
    badges = set(re.findall(r'<span class="row">(N\d+)</span>', text))
    assert badges == set(ROWS)


def test_it_is_small_enough(site: Path) -> None:
    assert sum(path.stat().st_size for path in site.iterdir()) < LARGEST


def test_all_verdicts_under_the_code_are_right(built: tuple[Path, Site]) -> None:
    """Not one implementation differs in a number that the pages show."""
    rows = [row for tables in built[1].tables.values() for table in tables for row in table.rows]
    assert len(rows) > len(chapters())
    assert {row.verdict for row in rows} == {"bits", "rounding"}


def test_all_links_and_anchors_lead_somewhere(site: Path) -> None:
    assert check.dead_links(site) == []


# ---- it is the code that is tested


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the implementations, to be changed."""
    for package in dict.fromkeys(PACKAGES.values()):
        (tmp_path / package).mkdir()
        for path in (cut.installed(package) / package).glob("*.py"):
            shutil.copy(path, tmp_path / package)
    return tmp_path


def changed(root: Path, file: str, before: str, after: str) -> None:
    """Replace one place in the source."""
    source = (root / file).read_text(encoding="utf-8")
    assert source.count(before) >= 1
    (root / file).write_text(source.replace(before, after, 1), encoding="utf-8")


def test_a_changed_line_changes_its_page_and_no_other(built: tuple[Path, Site], root: Path) -> None:
    folder, site = built[0], replace(built[1], root=root)
    changed(root, "torch_impl/shallow_network.py", 'Z1 = params["W1"] @ X', 'Z1 = params["W1"].mm(X)')
    after = pages.render(site)
    before = {name: (folder / name).read_bytes().decode() for name in after}
    assert [name for name in before if before[name] != after[name]] == [SHALLOW]
    assert "mm" in after[SHALLOW]


def test_a_deleted_function_ends_the_build_with_its_name(root: Path) -> None:
    build.check(chapters(), root)
    changed(root, "jax_impl/deep_network.py", "def layer_forward(", "def layer_forwards(")
    with pytest.raises(Broken, match=r"^deep, block \w+: jax_impl\.deep_network has no function layer_forward$"):
        build.check(chapters(), root)


def test_a_function_that_no_page_shows_ends_the_build_with_its_name(root: Path) -> None:
    with (root / "torch_impl/shallow_network.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef orphan():\n    return 0\n")
    with pytest.raises(Broken, match=r"^torch_impl\.shallow_network\.orphan is in no block"):
        build.check(chapters(), root)


# ---- in a browser


@pytest.mark.parametrize("page", PLACES)
def test_a_page_opens_without_error_and_fits(browser: Chrome, site: Path, page: str) -> None:  # noqa: F811
    opened(browser, site / page)
    complaints = [
        *check.console_errors(browser),
        *check.requests_outside(browser, site),
        *check.formulas_without_a_box(browser),
        *check.headings(browser),
        *check.unlabelled(browser),
        *check.sideways(browser),
    ]
    assert complaints == []


@pytest.mark.parametrize("page", ["index.html", SHALLOW, "traps.html", "benchmark.html"])
def test_contrast_is_enough(browser: Chrome, site: Path, page: str) -> None:  # noqa: F811
    opened(browser, site / page)
    assert check.low_contrast(browser) == []


def test_symbols_light_up_and_columns_stack(browser: Chrome, site: Path) -> None:  # noqa: F811
    opened(browser, site / SHALLOW)
    assert check.not_lit(browser, "dZ1") == []
    assert check.not_stacked(browser) == []


def test_the_search_finds_a_quantity(browser: Chrome, site: Path) -> None:  # noqa: F811
    opened(browser, site / "method.html")
    assert check.search_misses(browser, "dZ1", f"{SHALLOW}#dZ1") == []


def test_where_is_dZ1_in_PyTorch_and_does_it_agree(browser: Chrome, site: Path) -> None:  # noqa: F811
    """One click from the start page."""
    opened(browser, site / "index.html")
    check.click(browser, browser.find_element(By.CSS_SELECTOR, f'main a[href="{SHALLOW}#dZ1"]'))
    block = browser.find_element(By.ID, "dZ1")
    assert 0 <= block.rect["y"] - browser.execute_script("return scrollY") < 200
    torch = block.find_element(By.CSS_SELECTOR, '[data-column="torch"]').text
    assert "torch_impl/shallow_network.py" in torch
    assert "torch.autograd.grad" in torch
    row = next(row.text for row in block.find_elements(By.CSS_SELECTOR, "tbody tr") if "PyTorch" in row.text)
    assert "bits" in row or "rounding" in row
