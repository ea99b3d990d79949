"""The last whole run is kept, comes back as it was, and is not used once anything has changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from parity import kept, report
from parity.compare import DIFFERS
from parity.problems import catalogue
from parity.run import Cell, Plan, matrix


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A whole matrix of two problems, in a cache of its own."""
    small = Plan(tuple(catalogue.build(name) for name in ("house_prices", "xor_deep")), ("reference",), ("float64",))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept, "whole", lambda: small)
    monkeypatch.setattr(kept, "BUILT_IN", {"reference": ""})
    monkeypatch.setattr(kept, "available_names", lambda: ("reference",))
    return small


@pytest.fixture
def cells(plan: Plan) -> list[Cell]:
    """What was found: one verdict is made to differ, and one cell to be skipped."""
    first, second = matrix(plan, processes=False)
    wrong = replace(first.comparisons[0], verdict=DIFFERS, ulps=float("inf"), looks_like="a sign", local=None)
    return [replace(first, comparisons=(wrong, *first.comparisons[1:])), replace(second, comparisons=(), skipped="no")]


def test_what_was_kept_comes_back(plan: Plan, cells: list[Cell]) -> None:
    kept.keep(plan, cells)
    found = kept.last()
    assert found is not None
    assert report.as_json(found[1])["cells"] == report.as_json(cells)["cells"]
    assert report.totals(found[1]) == report.totals(cells)
    assert [report.describe(cell) for cell in found[1] if cell.first_difference] == [report.describe(cells[0])]


def test_a_part_of_the_matrix_is_not_kept(plan: Plan, cells: list[Cell]) -> None:
    kept.keep(replace(plan, problems=plan.problems[:1]), cells[:1])
    assert kept.last() is None


def test_a_run_with_others_implementations_is_not_kept(
    plan: Plan, cells: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.keep(plan, cells)
    monkeypatch.setattr(kept, "available_names", lambda: ("reference", "somebody's"))
    assert kept.last() is None


@pytest.mark.parametrize("what", ["code", "environment", "versions", "damage", "schema", "catalogue"])
def test_it_is_not_used_once_anything_has_changed(
    plan: Plan, cells: list[Cell], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    kept.keep(plan, cells)
    assert kept.last() is not None
    place = kept._place()
    content = json.loads(place.read_text())
    if what == "code":
        sources = list(kept._sources())
        assert {path.name for path in sources} >= {"shallow_network.py", "rounding.py", "exact.py"}
        monkeypatch.setattr(kept, "_sources", lambda: sources[1:])
    elif what == "environment":
        monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=SSE4_2")
    elif what == "versions":
        monkeypatch.setattr(kept, "versions", lambda: {"numpy": "0"})
    elif what == "damage":
        place.write_text(place.read_text()[:-9])
    elif what == "schema":
        content["report"]["schema_version"] += 1
        place.write_text(json.dumps(content))
    else:
        content["report"]["cells"][0]["problem"] = "a problem of yesterday"
        place.write_text(json.dumps(content))
    assert kept.last() is None


def test_a_cache_that_cannot_be_written_to_is_no_fault_of_the_run(
    plan: Plan, cells: list[Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    kept.keep(plan, cells)
    assert kept.last() is None
