"""`parity grade` and `check`: options, the catalogue, templates, files, and what is refused in one line."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from parity import cli
from parity.errors import BadInput
from parity.grade import check, command, run
from parity.grade.catalogue import BY_ID, CATALOGUE, CONVENTIONS, GROUPS
from parity.grade.findings import EXERCISES, Finding, Graded
from parity.grade.record import Source, Trouble
from tests.learners.planted import base
from tests.shared import refused

ROOT = Path(__file__).parents[1]
TEXT = "import numpy as np\n\ndef propagate(w, b, X, Y):\n    dw = np.dot(X, (A - Y).T)\n    return dw\n"
DW = Finding("logistic", ("dw",), "missing_1_over_m", "dw is 8 times what its formula gives", "", "propagate", 4)
SCORES: dict[str, dict[str, bool | None]] = {"logistic": {"Z": True, "dw": False, "db": None}}
RIGHT = Graded("x.py", ("logistic",), scores={"logistic": {"Z": True, "dw": True}})
WRONG = Graded("x.py", ("logistic",), (DW,), scores=SCORES)
LATE = Graded("x.py", ("logistic",), (DW,), troubles=(Trouble("time", "it has no end", 3),), scores=SCORES)

Asked = list[tuple[str, str, float | None]]
Says = Callable[[Graded], Asked]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """What is found in any file; a list of what is asked for comes back."""

    def set_to(graded: Graded) -> Asked:
        asked: Asked = []

        def found(path: str, exercise: str = run.AUTO, seconds: float | None = None) -> tuple[Source, Graded]:
            asked.append((path, exercise, seconds))
            return Source("x.py", TEXT, ast.parse(TEXT)), graded

        monkeypatch.setattr(run, "run", found)
        return asked

    return set_to


def parity(*given: str) -> int:
    return cli.main(["grade", *given])


@pytest.mark.parametrize(("graded", "status"), [(RIGHT, 0), (WRONG, 1), (LATE, 2)])
def test_the_exit_status(graded: Graded, status: int, says: Says, capsys: pytest.CaptureFixture[str]) -> None:
    says(graded)
    assert parity("x.py") == status
    out, err = capsys.readouterr()
    assert out.startswith("x.py: logistic regression\n")
    assert "\x1b" not in out
    assert err == ""


def test_the_options_reach_the_grader(says: Says, capsys: pytest.CaptureFixture[str]) -> None:
    asked = says(WRONG)
    parity("x.ipynb", "--exercise", "logistic", "--seconds", "2.5", "--hint", "3")
    parity("y.py")
    assert asked == [("x.ipynb", "logistic", 2.5), ("y.py", "auto", None)]
    assert "reference/logistic_regression.py:" in capsys.readouterr().out


def test_the_report_for_a_program(says: Says, tmp_path: Path) -> None:
    says(WRONG)
    assert parity("x.py", "--json", str(tmp_path / "x.json")) == 1
    read = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert (read["schema"], read["score"], read["status"]) == ("parity.grade", {"right": 1, "total": 3}, 1)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], "grade needs a file: parity grade FILE; --template shallow prints one to start from"),
        (["x.py", "--exercise", "shalow"], "there is no exercise 'shalow'; did you mean shallow?"),
        (["x.py", "--seconds", "0"], "--seconds is 0: choose a number above 0"),
        (["x.py", "--seconds", "nan"], "--seconds is nan: choose a number above 0"),
        (["x.py", "--seconds", "inf"], "--seconds is inf: choose a number above 0"),
        (["x.py", "--json", "nowhere/x.json"], "nowhere is no folder"),
        (["--template", "logistics"], "there is no template 'logistics'; did you mean logistic?"),
        (["--explain", "missing_m"], "there is no mistake 'missing_m'; did you mean missing_"),
        (["--explain", "\x1b[31m"], "there is no mistake '\\x1b[31m'; see: parity grade --list"),
    ],
)
def test_what_is_refused(given: list[str], line: str, says: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = says(RIGHT)
    monkeypatch.chdir(ROOT)
    assert refused(command.command, cli.parser("grade").parse_args(["grade", *given])).startswith(line)
    assert asked == []


def test_another_hint_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parity("x.py", "--hint", "4")
    assert caught.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_catalogue_is_listed_a_line_an_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert parity("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CATALOGUE) + len(GROUPS) + 1
    assert max(map(len, lines)) <= 80
    for mistake, line in zip(CATALOGUE, (line for line in lines if line.startswith("  ")), strict=True):
        assert line.split(None, 2) == [mistake.id, mistake.slide, mistake.title]


def test_the_list_needs_no_numpy() -> None:
    code = "import sys; from parity import cli; cli.main(['grade', '--list']); print('numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert found.stdout.splitlines()[-1] == "False"


def test_a_file_from_end_to_end(tmp_path: Path) -> None:
    """By the command: what it prints, that it imports nothing heavy, and that it leaves nothing behind."""
    path = tmp_path / "a file \x1b[31m.py"
    text = base("logistic_course").replace("dZ = A - Y", "dZ = Y - A")
    path.write_text(f"print('hello')\nimport matplotlib.pyplot\n{text}", encoding="utf-8")
    heavy = ("sklearn", "pandas", "matplotlib", "scipy", "torch", "jax")
    loaded = f"[name for name in {heavy} if name in sys.modules]"
    code = f"import sys; from parity import cli; status = cli.main(['grade', sys.argv[1]]); print(status, {loaded})"
    (tmp_path / "scratch").mkdir()
    found = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, encoding="utf-8", check=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "scratch")},
    )  # fmt: skip
    lines = found.stdout.splitlines()
    assert "dZ  in propagate" in found.stdout
    assert "opposite sign" in found.stdout
    assert lines[-1] == "1 []"
    assert not [line for line in lines if not line.isprintable()]
    assert found.stderr == ""
    assert os.listdir(tmp_path / "scratch") == []


def test_an_entry_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert parity("--explain", "dZ_sign") == 0
    out = capsys.readouterr().out
    assert out.startswith("dZ_sign: Y − A in place of A − Y\n")
    assert "dZ[L] = A[L] − Y  (N18)" in out
    assert 'dZ2 = cache["A2"] - Y' in out


# check


def test_check_returns_what_was_found(says: Says) -> None:
    asked = says(RIGHT)
    assert check(Path("x.py"), "logistic", seconds=3) is RIGHT
    assert asked == [("x.py", "logistic", 3)]


def test_check_fails_with_the_report(says: Says) -> None:
    says(WRONG)
    with pytest.raises(AssertionError, match="dw: 1 of 3 quantities is wrong") as caught:
        check("x.py")
    assert "1/m is missing" not in str(caught.value)
    with pytest.raises(AssertionError, match="1/m is missing"):
        check("x.py", hint=2)


def test_check_says_why_it_could_not_run(says: Says) -> None:
    says(LATE)
    assert refused(check, "x.py") == "x.py: line 3: it has no end"
    assert refused(check, "x.py", "shalow").startswith("there is no exercise 'shalow'")


def check_of(quantities: Iterable[str]) -> Graded:
    return check("x.py", quantities=quantities)


def test_check_is_restricted_to_what_is_asked_about(says: Says) -> None:
    says(LATE)
    assert check_of(["Z"]).status == 0  # though another function has no end
    says(WRONG)
    with pytest.raises(AssertionError, match="dw: 1 of 1 quantities is wrong"):
        check_of(["dw"])
    with pytest.raises(AssertionError, match="dw is 8 times"):  # db hangs on it
        check_of(["db"])
    assert refused(check_of, ["dW9"]) == "x.py: there is no dW9 to be graded; there are Z, dw, db"
    says(Graded("x.py", ("logistic",), scores={"logistic": {"Z": None}}))
    assert refused(check_of, ["Z"]) == "x.py: not all of Z could be judged"


def test_check_asks_about_what_a_nameless_quantity_is_seen_in(says: Says) -> None:
    found = Finding("shallow", ("dA1",), "dW_for_W", "dZ1 differs from its formula", "", "backward", 4)
    says(Graded("x.py", ("shallow",), (found,), scores={"shallow": {"Z1": True, "dZ1": False}}))
    assert check_of(["Z1"]).findings == ()
    with pytest.raises(AssertionError, match="dA1, which has no name, in dZ1  in backward, line 4") as caught:
        check_of(["dZ1"])
    assert str(caught.value).splitlines()[-2] == "dZ1: 1 of 1 quantities is wrong"


def test_check_takes_functions_for_their_file(says: Says) -> None:
    asked = says(RIGHT)
    check(cli)
    check(cli.main)
    check({"main": cli.main, "parser": cli.parser}.values())
    check({"main": cli.main})  # type: ignore[arg-type]
    assert {path for path, *_ in asked} == {cli.__file__}
    assert refused(check, [cli.main, run.settled]) == "these functions are of 2 files: check one at a time"
    assert "has no file of its own" in refused(check, len)


def test_check_stays_a_function_and_costs_nothing_before_it_is_asked_for() -> None:
    code = (
        "import sys, parity.grade; print('rich' in sys.modules, 'parity.grade.checking' in sys.modules); "
        "from parity.grade import check; import parity.grade.checking; from parity.grade import check as again; "
        "print(callable(check), check is again)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert found.stdout.split() == ["False", "False", "True", "True"]
    with pytest.raises(AttributeError, match="has no attribute 'grades'"):
        _ = __import__("parity.grade").grade.grades


# what docs/grading.md states

DOCS = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")


def test_the_documentation_has_the_catalogue() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (N\d+) \|$", DOCS, re.MULTILINE)
    assert rows == [(mistake.id, mistake.title, mistake.formula, mistake.slide) for mistake in CATALOGUE]


def test_the_documentation_has_the_conventions() -> None:
    assert [row for row in CONVENTIONS if f"| {CONVENTIONS[row]} |" not in DOCS] == []


@pytest.mark.parametrize("line", re.findall(r"^\$ parity (grade .*)$", DOCS, re.MULTILINE))
def test_every_command_of_the_documentation_is_understood(line: str) -> None:
    options = cli.parser("grade").parse_args(re.split(" > | #", line)[0].split())
    assert options.exercise in ("auto", *EXERCISES)
    assert options.template in (None, *EXERCISES)
    assert options.explain is None or options.explain in BY_ID


def test_the_documentation_counts_the_mistakes() -> None:
    assert set(re.findall(r"(\d+) (?:named )?mistakes", DOCS)) == {str(len(CATALOGUE))}


def test_the_examples_for_pytest_are_python() -> None:
    examples: list[Any] = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    assert examples
    for example in examples:
        ast.parse(example)


def test_bad_input_is_what_check_raises() -> None:
    assert issubclass(BadInput, Exception)
    assert "parity.errors.BadInput" in DOCS
