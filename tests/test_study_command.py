"""`parity study`: its options and lines, and that whatever goes wrong costs nobody a file. The build is played."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parity import cli, kept
from parity.compare import BITS, DIFFERS, Comparison
from parity.problems import catalogue
from parity.run import Cell, Plan
from parity.study import build, command, output, pages
from parity.study.registry import Broken
from tests.bench_results import results
from tests.test_bench_command import written

OLD = {"index.html": "old", "gone.html": "gone"}
NEW = {"index.html": "new", "style.css": "p {}"}


@dataclass
class Play:
    """What the played build does, and what came of it."""

    verdict: str = BITS
    made: str = ""
    fails: dict[str, BaseException] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    bench: Path | None = None
    opened: list[str] = field(default_factory=list)

    def at(self, phase: str) -> None:
        """The phase begins; it may fail."""
        self.done.append(phase)
        if phase in self.fails:
            raise self.fails[phase]

    def last(self) -> build.Matrix:
        self.at("last")
        return build.Matrix(Plan((), (), ()), self.made)

    def steps(self, matrix: build.Matrix) -> int:
        self.at("steps")
        return 2

    def build(self, matrix: build.Matrix, bench: Path | None, told: Callable[[str], None]) -> tuple[Any, list[Cell]]:
        self.bench = bench
        told("first")
        self.at("build")
        told("second")
        cell = Cell(catalogue.build("xor_deep"), "float64", "cpu", "reference", (Comparison("J", self.verdict),))
        return SimpleNamespace(matrix={"totals": "1 cell"}, stamp={"matrix": self.made}), [cell]

    def render(self, site: object) -> dict[str, str]:
        self.at("render")
        return NEW

    def keeper(self, plan: Plan) -> Callable[[Sequence[Cell]], None]:
        return lambda cells: self.at("keep")

    def open(self, address: str) -> bool:
        self.at("open")
        self.opened.append(address)
        return True


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Play:
    """The played build, in an empty folder."""
    played, write = Play(), output.write

    def writing(place: Path, files: dict[str, str]) -> None:
        played.at("write")
        write(place, files)

    monkeypatch.setattr(build.Matrix, "last", played.last)
    monkeypatch.setattr(output, "write", writing)
    monkeypatch.setattr(kept, "keeper", played.keeper)
    monkeypatch.setattr(command.webbrowser, "open", played.open)
    monkeypatch.setattr(pages, "render", played.render)
    monkeypatch.setattr(build, "installed", lambda package: tmp_path)  # no checkout, which keeps a run
    for name in ("steps", "build"):
        monkeypatch.setattr(build, name, getattr(played, name))
    monkeypatch.chdir(tmp_path)
    return played


def study(*options: str) -> int:
    return cli.main(["study", *options])


def contents(place: str) -> dict[str, str]:
    """The files by name, but for the list of them."""
    return {path.name: path.read_text() for path in Path(place).iterdir() if path.name != output.MANIFEST}


def old_site(name: str = "site") -> None:
    output.write(output.folder(name), OLD)


def line(captured: pytest.CaptureFixture[str]) -> str:
    """What was said of an error, alone."""
    out, err = captured.readouterr()
    assert out == ""
    assert err.startswith("parity: ")
    assert err.count("\n") == 1
    return err.removeprefix("parity: ").rstrip("\n")


def test_the_site_is_written_and_told_of(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert study() == cli.OK
    assert contents("site") == NEW
    assert play.done == ["last", "steps", "build", "render", "keep", "write"]
    assert capsys.readouterr() == ("written site/index.html\n1 pages, 0.0 MB\n1 cell\n", "")


def test_what_differs_is_the_exit_status_and_no_hindrance(play: Play) -> None:
    play.verdict = DIFFERS
    assert study("--out", "elsewhere") == cli.DIFFERS
    assert contents("elsewhere") == NEW


def test_the_matrix_of_an_earlier_run_is_told_to_be_one_and_not_kept_again(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    play.made = "2001-02-03 04:05 UTC"
    assert study() == cli.OK
    assert "keep" not in play.done
    said = "the matrix is that of 2001-02-03 04:05 UTC: nothing that decides a verdict has changed since"
    assert capsys.readouterr().out.splitlines()[2:] == [said, "1 cell"]


def test_the_page_is_opened_after_it_was_written(play: Play, tmp_path: Path) -> None:
    assert study("--open") == cli.OK
    assert play.done[-2:] == ["write", "open"]
    assert play.opened == [(tmp_path / "site" / "index.html").as_uri()]


@pytest.mark.parametrize("phase", ["build", "write"])
def test_nothing_is_opened_where_nothing_was_written(play: Play, phase: str) -> None:
    play.fails[phase] = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert study("--open") == cli.CANNOT
    assert play.opened == []


def test_a_browser_that_does_not_start_is_told_of(
    play: Play, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command.webbrowser, "open", lambda address: False)
    assert study("--open") == cli.OK
    assert capsys.readouterr().out.endswith("no browser could be started: open the page in one yourself\n")


@pytest.mark.parametrize("name", command.NEEDS)
def test_a_library_that_is_missing_is_named_before_anything_is_computed(
    play: Play, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    there = command.find_spec
    monkeypatch.setattr(command, "find_spec", lambda asked: None if asked == name else there(asked))
    assert study() == cli.CANNOT
    assert line(capsys) == f"the pages need {name}, which is not installed: pip install 'gradient-parity[study]'"
    assert play.done == []
    assert os.listdir() == []


@pytest.mark.parametrize("phase", ["steps", "build", "render"])
def test_what_does_not_fit_is_one_line_and_the_old_site_stays(
    play: Play, capsys: pytest.CaptureFixture[str], phase: str
) -> None:
    play.fails[phase] = Broken("deep, block A: torch_impl.deep_network has no function forward")
    assert study() == cli.CANNOT
    said = "the pages and the code do not fit: deep, block A: torch_impl.deep_network has no function forward"
    assert line(capsys) == said
    assert os.listdir() == []
    old_site()
    assert study() == cli.CANNOT
    assert contents("site") == OLD


@pytest.mark.parametrize("phase", ["last", "steps", "build", "render", "keep", "write"])
def test_Ctrl_C_leaves_nothing_new_and_the_old_site(play: Play, capsys: pytest.CaptureFixture[str], phase: str) -> None:
    old_site("before")
    play.fails[phase] = KeyboardInterrupt()
    assert study() == cli.CANNOT
    assert line(capsys) == "stopped"
    assert os.listdir() == ["before"]
    assert study("--out", "before") == cli.CANNOT
    assert contents("before") == OLD


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("", "a name is empty: name a file or a folder"),
        ("/", "/ holds other files and no site of 'parity study': name an empty folder, or a new one"),
        (".", ". holds other files and no site of 'parity study': name an empty folder, or a new one"),
        ("file", "file is no folder: name one"),
        ("file/site", "file is no folder: make it first, or name another one"),
        ("to_file", "to_file is no folder: name one"),
        ("to_nothing", "to_nothing is no folder: name one"),
        ("no/site", "no is no folder: make it first, or name another one"),
        ("x" * 300, f"{'x' * 300} cannot be used: File name too long; name another folder"),
        ("li\nne/site", "li\\nne is no folder: make it first, or name another one"),
    ],
)
def test_a_place_where_no_site_can_go_is_refused_before_anything_is_computed(
    play: Play, capsys: pytest.CaptureFixture[str], out: str, says: str
) -> None:
    Path("file").write_text("mine")
    Path("to_file").symlink_to("file")
    Path("to_nothing").symlink_to("nothing")
    assert study("--out", out) == cli.CANNOT
    assert line(capsys) == says
    assert play.done == []
    assert sorted(os.listdir()) == ["file", "to_file", "to_nothing"]
    assert Path("file").read_text() == "mine"


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"schema": "parity.run"}'])
def test_a_run_of_the_benchmark_that_is_none_is_refused_before_anything_is_computed(
    play: Play, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content is not None:
        Path("run.json").write_text(content)
    assert study("--bench", "run.json") == cli.CANNOT
    assert line(capsys).startswith("run.json ")
    assert play.done == []
    assert not Path("site").exists()


def test_the_run_of_the_benchmark_that_is_named_is_shown(play: Play, tmp_path: Path) -> None:
    assert study("--bench", written(tmp_path / "run.json", results())) == cli.OK
    assert play.bench == tmp_path / "run.json"


def test_the_run_that_a_checkout_keeps_is_shown_and_a_damaged_one_refused(
    play: Play, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "installed", lambda package: Path("checkout"))
    (run := Path("checkout/results/run.json")).parent.mkdir(parents=True)
    run.write_text("{")
    assert study() == cli.OK
    assert play.bench is None
    Path("checkout/pyproject.toml").write_text("")
    capsys.readouterr()
    play.done.clear()
    assert study() == cli.CANNOT
    assert line(capsys).startswith(f"{run} is no JSON")
    assert play.done == []
    written(run, results())
    assert study() == cli.OK
    assert play.bench == run


def test_matplotlib_says_nothing_of_fonts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It would where no program has drawn before."""
    told = logging.getLogger("matplotlib.font_manager")
    before = told.level
    monkeypatch.setitem(build.FIGURES, "fonts", lambda: told.warning("building the font cache"))
    try:
        build.settle(nice=0)
        build.draw("fonts")
    finally:
        told.setLevel(before)
    assert capsys.readouterr().err == ""


def test_output_that_nobody_reads_is_no_traceback(
    play: Play, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site is there all the same."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cli, "_drop_output", lambda: None)
    monkeypatch.setattr("parity.paper.Paper.print", full)
    assert study() == cli.CANNOT
    assert line(capsys) == "input or output failed: [Errno 28] No space left on device"
    assert contents("site") == NEW
