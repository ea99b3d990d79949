"""The README states what is so."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from parity import cli
from parity.grade.catalogue import CATALOGUE
from parity.grade.report import text
from parity.grade.run import run
from tests.learners import PLANTED
from tests.mutants import MUTANTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def differing(one: str, other: str) -> int:
    """The lines that `diff` marks with < or >."""
    if not shutil.which("diff"):
        pytest.skip("there is no diff here")
    found = subprocess.run(["diff", one, other], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return sum(line.startswith(("<", ">")) for line in found.stdout.splitlines())


def test_the_readme_counts_the_planted_faults() -> None:
    """Each of them is a test that it is caught and named (tests/test_mutants.py)."""
    counts = re.findall(r"(\d+) faults|(\d+) of (\d+) are caught", README)
    assert {int(n) for found in counts for n in found if n} == {len(MUTANTS)}
    assert len(counts) == 2
    method = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert re.findall(r"(\d+) faults", method) == [str(len(MUTANTS))]


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "docs/method.md",
        "docs/conventions.md",
        "docs/adding-an-implementation.md",
        "docs/training.md",
        "docs/flower.md",
        "docs/grading.md",
    ],
)
def test_nothing_is_left_to_be_filled_in(path: str) -> None:
    assert re.findall(r"\b[A-Z]+_[A-Z]+\b", re.sub(r"`[^`]*`", "", (ROOT / path).read_text(encoding="utf-8"))) == []


STATED = re.findall(r"\| `diff (\S+) (\S+)` \| (\d+) of (\d+) \|", README)


def test_the_readme_states_the_differing_lines() -> None:
    assert {(one, other.split("/")[0]) for one, other, *_ in STATED} >= {
        ("reference/shallow_network.py", "torch_impl"),
        ("reference/shallow_network.py", "jax_impl"),
    }


@pytest.mark.parametrize(("one", "other", "lines", "whole"), STATED)
def test_the_differing_lines_are_as_stated(one: str, other: str, lines: str, whole: str) -> None:
    total = sum(len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in (one, other))
    assert (differing(one, other), total) == (int(lines), int(whole))


@pytest.mark.parametrize("command", re.findall(r"\| `parity ([^`]*)` \|", README))
def test_every_command_of_the_table_is_understood(command: str) -> None:
    """Its options exist; placeholders are filled in."""
    words = (
        command.replace("FILE", "x.csv")
        .replace("COLUMN", "y")
        .replace("PROBLEM", "flower")
        .replace("NAME", "reference")
        .split()
    )
    options = cli.parser().parse_args(words if words[0] in cli.COMMANDS else ["run", *words])
    assert callable(options.command)


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_readme_counts_the_mistakes() -> None:
    assert re.findall(r"(\d+) mistakes are known", README) == [str(len(CATALOGUE))]


def test_the_graded_file_is_told_as_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (planted,) = [entry for entry in PLANTED if str(entry) == "one_minus_Z_squared-dZ1-shallow_course"]
    (tmp_path / "planar.py").write_text(planted.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    source, graded = run("planar.py")
    assert f"```\n{text(graded, source, 2).strip()}\n```" in README
