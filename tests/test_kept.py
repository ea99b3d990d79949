"""The last whole run is kept, comes back as it was, and is not used once anything has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from parity import kept, report
from parity.compare import DIFFERS, Comparison
from parity.problems import catalogue
from parity.run import Cell, Plan, matrix


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A whole matrix of two problems, in a cache of its own."""
    names = ("house_prices", "xor_deep")
    small = Plan(tuple(catalogue.build(name) for name in names), ("reference",), ("float64",))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(catalogue, "NAMES", names)
    monkeypatch.setattr(kept, "whole", lambda: small)
    monkeypatch.setattr(kept, "BUILT_IN", {"reference": ""})
    monkeypatch.setattr(kept, "available_names", lambda: ("reference",))
    return small


@pytest.fixture
def cells(plan: Plan) -> list[Cell]:
    """What was found: one verdict is made to differ."""
    first, second = matrix(plan, processes=False)
    wrong = replace(first.comparisons[0], verdict=DIFFERS, ulps=float("inf"), looks_like="a sign", local=None)
    return [replace(first, comparisons=(wrong, *first.comparisons[1:])), second]


@pytest.fixture
def place(plan: Plan, cells: list[Cell]) -> Path:
    """The file of a run that was kept."""
    kept.keeper(plan)(cells)
    assert kept.last() is not None
    return kept._place()


def test_what_was_kept_comes_back(cells: list[Cell], place: Path) -> None:
    found = kept.last()
    assert found is not None
    assert report.as_json(found[1])["cells"] == report.as_json(cells)["cells"]
    assert report.totals(found[1]) == report.totals(cells)
    assert [report.describe(cell) for cell in found[1] if cell.first_difference] == [report.describe(cells[0])]


def test_a_part_of_the_matrix_is_not_kept(plan: Plan, cells: list[Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keeper(replace(plan, dtypes=("float32",)))(cells)
    assert kept.last() is None
    with monkeypatch.context() as patch:
        patch.setattr(kept, "whole", lambda: pytest.fail("it takes seconds, and a part is known for one without"))
        kept.keeper(replace(plan, problems=plan.problems[:1]))(cells[:1])
    assert kept.last() is None


def test_a_run_with_others_implementations_is_neither_kept_nor_used(
    plan: Plan, cells: list[Cell], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("reference", "somebody's")
    monkeypatch.setattr(kept, "available_names", lambda: names)
    monkeypatch.setattr(kept, "whole", lambda: replace(plan, implementations=names))
    assert kept.last() is None
    place.unlink()
    kept.keeper(kept.whole())([*cells, replace(cells[0], implementation="somebody's")])
    assert not place.exists()


@pytest.mark.parametrize("trouble", ["failed", "missing"])
def test_a_run_in_which_an_implementation_did_not_work_is_not_kept(plan: Plan, cells: list[Cell], trouble: str) -> None:
    """It may have been the machine's fault: a process that died, a library that was not found."""
    if trouble == "failed":
        cells[1] = replace(cells[1], comparisons=(Comparison("—", DIFFERS, looks_like="its process died"),))
    else:
        cells = [replace(cell, comparisons=(), skipped="reference's process died") for cell in cells]
    kept.keeper(plan)(cells)
    assert kept.last() is None


def test_a_run_during_which_the_code_changed_is_not_kept(
    plan: Plan, cells: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even for the code as it was before."""
    keep = kept.keeper(plan)
    with monkeypatch.context() as changed:
        changed.setattr(kept, "_sources", list)
        keep(cells)
        assert kept.last() is None
    assert kept.last() is None


def without_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = list(kept._sources())
    assert {path.name for path in sources} >= {"shallow_network.py", "rounding.py", "exact.py"}
    monkeypatch.setattr(kept, "_sources", lambda: sources[1:])


def another_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name, other data."""
    plan = kept.whole()
    changed = replace(plan.problems[0], X=plan.problems[0].X + 1)
    monkeypatch.setattr(kept, "whole", lambda: replace(plan, problems=(changed, *plan.problems[1:])))


def another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name, other instructions."""
    file = Path(os.environ["XDG_CACHE_HOME"]) / "cpuinfo"
    file.write_text("flags\t\t: fpu sse2\n")
    monkeypatch.setattr(kept, "CPUINFO", file)


def another_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(os.environ["XDG_CACHE_HOME"]) / "g++"
    file.write_text("")
    monkeypatch.setattr(kept.shutil, "which", lambda name: str(file))


THERE = kept.metadata.distribution


def another_build(name: str) -> SimpleNamespace:
    """The same version, other files."""
    return SimpleNamespace(version=THERE(name).version, read_text=lambda file: "another")


CHANGES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "code": without_a_source,
    "data": another_problem,
    "processor": another_processor,
    "compiler": another_compiler,
    "machine": lambda patch: patch.setattr(kept, "machine", lambda: {"platform": "another"}),
    "host": lambda patch: patch.setattr(kept.platform, "node", lambda: "another"),
    "versions": lambda patch: patch.setattr(kept, "versions", lambda: {"numpy": "0"}),
    "build of a library": lambda patch: patch.setattr(kept.metadata, "distribution", another_build),
    **{
        name: lambda patch, name=name: patch.setenv(name, "another")  # type: ignore[misc]
        for name in ("XLA_FLAGS", "OPENBLAS_CORETYPE", "MKL_CBWR", "CXX", "LD_PRELOAD", "ATEN_CPU_CAPABILITY")
    },
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_is_not_used_once_anything_has_changed(place: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    CHANGES[what](monkeypatch)
    assert kept.last() is None


def one_bit(content: bytes) -> bytes:
    """Somewhere in a number, so that it is still JSON."""
    at = content.index(b'"ulps": 0.') + len(b'"ulps": ')
    return content[:at] + b"1" + content[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a bit": one_bit,
    "the end": lambda content: content[:-9],
    "the seal": lambda content: b"0" + content[1:],
    "a former layout": lambda content: b'{"digest": "", "report": {}}',
    "not UTF-8": lambda content: b"\xff" + content,
    "all": lambda content: b"",
    "nesting": lambda content: b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_not_used(place: Path, damage: str) -> None:
    content = DAMAGES[damage](place.read_bytes())
    assert content != place.read_bytes()
    place.write_bytes(content)
    assert kept.last() is None


def test_a_file_that_no_report_can_be_is_not_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.open("r+b") as file:
        file.truncate(kept.LARGEST + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    assert kept.last() is None


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_read(place: Path, kind: str) -> None:
    place.unlink()
    os.mkfifo(place) if kind == "pipe" else place.mkdir()
    assert kept.last() is None


def test_a_cache_that_cannot_be_written_to_is_no_fault_of_the_run(
    plan: Plan, cells: list[Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    kept.keeper(plan)(cells)
    assert kept.last() is None
