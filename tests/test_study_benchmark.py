"""The page of a kept run: what is fastest, of the run's own file; and what it says where no run is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parity.bench import reading
from parity.bench.results import Results, load
from parity.study import benchmark, pages

KEPT = Path(__file__).parents[1] / "results" / "amd-epyc-2-cores.json"
LIMIT = 400_000
"""Bytes of the page."""


@pytest.fixture(scope="module")
def kept() -> Results:
    return load(KEPT)


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    pytest.importorskip("matplotlib")
    return benchmark.page(KEPT)


def rendered(of: dict[str, Any]) -> str:
    template = pages.environment().get_template("benchmark.html.jinja")
    return template.render(pages=[], here="benchmark", stamp={"when": "", "versions": {}, "machine": ""}, **of)


def test_the_run_says_where_and_when(page: dict[str, Any], kept: Results) -> None:
    html = rendered(page)
    assert len(html.encode()) <= LIMIT
    for text in (reading.machine_name(kept), reading.when(kept), "parity bench --json new.json --html new.html"):
        assert text in html
    assert page["run"]["totals"] == str(reading.totals(kept))


def test_the_fastest_of_every_case(page: dict[str, Any], kept: Results) -> None:
    assert page["cases"]
    by_case = {r.key.case: r for r in reading.readings(kept)}
    for row in page["cases"]:
        first = next(line for line in by_case[row["case"]].lines if not line.is_floor)
        named = [cell["name"] for cell in row["cells"] if cell and cell["said"]]
        assert first.name in named or not first.name.startswith(tuple(benchmark.FRAMEWORKS))
        assert len(named) == 1 or {cell["said"] for cell in row["cells"] if cell} <= {"level", ""}


def test_another_run_has_another_winner(kept: Results) -> None:
    """One that is made ten times as fast comes first."""
    of = next(r for r in reading.readings(kept) if len(r.lines) > 2)
    slowest = of.lines[-1].row
    samples = tuple(min(x for row in of.group.rows for x in row.samples) / 10 for _ in slowest.samples)
    rows = tuple(replace(row, samples=samples) if row is slowest else row for row in of.group.rows)
    cells = benchmark._case(reading.Reading(replace(of.group, rows=rows)))["cells"]
    assert [cell["name"] for cell in cells if cell and cell["said"] == "fastest"] == [slowest.key.implementation]


def test_what_is_as_fast_in_half_of_the_rounds_is_level(kept: Results) -> None:
    of = next(r for r in reading.readings(kept) if sum(not line.is_floor for line in r.lines) > 2)
    first = next(line for line in of.lines if not line.is_floor)
    for slow, expected in ((1.01, True), (1 / 1.01, False)):
        samples = tuple(x * (1.01 if i % 2 else slow) for i, x in enumerate(first.row.samples))
        other = replace(first, row=replace(first.row, samples=samples))
        assert benchmark.slower(other, first) == expected


def test_pictures(page: dict[str, Any]) -> None:
    kinds = [picture["title"].partition(":")[2].split()[0] for picture in page["pictures"]]
    assert kinds == ["times", "time", "time", "time"]
    assert all("<svg" in picture["svg"] and "<desc" in picture["svg"] for picture in page["pictures"])


def test_the_same_bytes(page: dict[str, Any], kept: Results) -> None:
    assert next(benchmark.pictures(kept)) == page["pictures"][0]


def test_no_run() -> None:
    html = rendered(benchmark.page(None))
    assert "No run is kept here" in html
    assert "parity bench --json results/mine.json" in html
