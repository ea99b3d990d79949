"""The third party's example, found by its entry point like any other, and what becomes of one that is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from parity import implementations, names
from parity.cli import main, plan_of
from parity.cli import parser as cli_parser
from parity.compare import BITS, DIFFERS, ROUNDING
from parity.formats import FORMATS
from parity.implementations import find
from parity.problems import NETWORKS, catalogue
from parity.run import Cell, Plan, compute, matrix, verdicts
from tests.shared import standard

pytest.importorskip("autograd", reason="the example needs HIPS autograd: pip install -c constraints.txt autograd")

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "parity-autograd"
FILE = EXAMPLE / "parity_autograd.py"
GUIDE = ROOT / "docs" / "adding-an-implementation.md"
QUOTED = re.findall(r"```(python|toml)\n(.*?)```", GUIDE.read_text(), re.DOTALL)

FAULTS = {
    "without_m": 'found | {"dW1": found["dW1"] * problem.m}',
    "raising": "1 // 0",
    "unknown": 'found | {"dW9": found["dW1"]}',
    "narrow": 'found | {"dW1": found["dW1"].astype("float32")}',
    "transposed": 'found | {"dW1": found["dW1"].T}',
    "empty": "{}",
    "nothing": "None",
    "listing": 'found | {"dW1": found["dW1"].tolist()}',
    "unsendable": 'found | {"dW1": lambda: found}',
}
LINES = {
    "raising": "ZeroDivisionError: ",
    "unknown": "flower has no dW9",
    "narrow": "dtype float32, not float64",
    "transposed": "shape (2, 4), not (4, 2)",
    "empty": "TypeError: quantities returned an empty dict",
    "nothing": "TypeError: quantities returned a NoneType",
    "listing": "TypeError: quantities returned a list as dW1",
    "unsendable": "TypeError: quantities returned a function as dW1",
}
CLASS = """
class {name}(Autograd):
    name = "autograd-{name}"

    def quantities(self, problem, dtype, device):
        found = super().quantities(problem, dtype, device)
        return {result}
"""
UNSURE = {"refusing": "ValueError: no refusal", "homeless": "ValueError: no device"}
REFUSING = """
class refusing(Autograd):
    def refuses(self, problem, dtype, device):
        raise ValueError("no refusal")

class homeless(Autograd):
    def devices(self):
        raise ValueError("no device")

class stranger:
    pass
"""
BROKEN = {
    "autograd-absent": "no_such_module:Absent",
    "autograd-misspelt": "parity_faults:Misspelt",
    "autograd-stranger": "parity_faults:stranger",
}


def declared() -> dict[str, str]:
    """The entry points of the example's pyproject.toml."""
    return tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"][implementations.GROUP]


def distribution(folder: Path, name: str, entry_points: dict[str, str]) -> None:
    """What an installer leaves behind."""
    info = folder / f"{name}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    lines = [f"{key} = {value}" for key, value in entry_points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{implementations.GROUP}]", *lines, ""]))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The example, its faulty kin and what is broken, as the importer sees installed packages.

    What was cached before is forgotten.
    """
    site = tmp_path_factory.mktemp("site-packages")
    distribution(site, "parity_autograd", declared())
    faults = {f"autograd-{name}": f"parity_faults:{name}" for name in (*FAULTS, *UNSURE)}
    distribution(site, "parity_faults", faults)
    distribution(site, "parity_broken", BROKEN)
    classes = [CLASS.format(name=name, result=result) for name, result in FAULTS.items()]
    (site / "parity_faults.py").write_text("\n".join(["from parity_autograd import Autograd", *classes, REFUSING]))
    folders = [str(site), str(EXAMPLE)]
    with pytest.MonkeyPatch.context() as patch:
        for folder in reversed(folders):
            patch.syspath_prepend(folder)
        forget()
        yield folders
    for name in ("parity_autograd", "parity_faults"):
        sys.modules.pop(name, None)
    forget()


def forget() -> None:
    """So that the next question looks at what is installed now."""
    names.available_names.cache_clear()
    implementations.find.cache_clear()


def parity(folders: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, to which only the environment says what is installed."""
    path = os.pathsep.join([*folders, str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-W", "error", "-m", "parity", *arguments]
    environment = os.environ | {"PYTHONPATH": path, "PYTHONWARNINGS": "error"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@cache
def of_faulty(*, processes: bool) -> dict[str, Cell]:
    """All that are faulty on one problem, in one run, and the right one last: none may spoil what comes after it."""
    faulty = tuple(f"autograd-{name}" for name in (*LINES, *UNSURE))
    plan = Plan((catalogue.build("flower"),), (*faulty, "autograd"), ("float64",))
    return {cell.implementation: cell for cell in matrix(plan, processes=processes)}


def test_the_example_is_short() -> None:
    lines = FILE.read_text().splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 120


def test_the_guide_quotes_the_example() -> None:
    source = {"python": FILE.read_text(), "toml": (EXAMPLE / "pyproject.toml").read_text()}
    assert {language for language, _ in QUOTED} == set(source)
    for language, code in QUOTED:
        assert code in source[language] or indent(code, "    ") in source[language], code


def test_the_example_is_listed_and_so_is_what_is_broken(installed: list[str]) -> None:
    assert names.available_names()[: len(names.BUILT_IN)] == tuple(names.BUILT_IN)
    assert "autograd" in names.available_names()
    assert find("autograd").unavailable() is None
    listed = parity(installed, "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert re.search(r"^autograd +cpu +yes +HIPS autograd", listed.stdout, re.MULTILINE)
    assert " ".join(listed.stdout.split()).count("cannot be loaded") == len(BROKEN)
    for name in BROKEN:
        assert re.search(rf"^{name} ", listed.stdout, re.MULTILINE)


def test_nothing_differs_on_the_command_line(installed: list[str], tmp_path: Path) -> None:
    """Whatever else is registered and broken; over all problems, and over those of the shallow network."""
    given = ["--implementation", "autograd", "--model", ",".join(NETWORKS), "--json", str(tmp_path / "cells.json")]
    done = parity(installed, *given)
    assert (done.returncode, done.stderr) == (0, "")
    pattern = (
        r"(\d+) comparisons: (\d+) identical bit for bit, (\d+) identical within rounding, (\d+) differ; (\d+) skipped"
    )
    totals = re.fullmatch(pattern, done.stdout.splitlines()[-1])
    assert totals
    cells = json.loads((tmp_path / "cells.json").read_text())["cells"]
    assert {cell["implementation"] for cell in cells} == {"autograd"}
    assert {cell["model"] for cell in cells} == set(NETWORKS)
    assert tuple(map(int, totals.groups())) == counted(cells)
    shallow = [cell for cell in cells if cell["model"] == "shallow_network"]
    for compared, bits, rounding, differ, skipped in (counted(cells), counted(shallow)):
        assert compared == bits + rounding
        assert min(bits, rounding, skipped) > 0
        assert differ == 0


def counted(cells: list[dict[str, Any]]) -> tuple[int, ...]:
    """What the last line of the report counts."""
    verdicts = [comparison["verdict"] for cell in cells for comparison in cell["comparisons"]]
    each = (verdicts.count(verdict) for verdict in (BITS, ROUNDING, DIFFERS))
    return len(verdicts), *each, sum(bool(cell["skipped"]) for cell in cells)


def test_one_model_of_several_is_chosen(installed: list[str]) -> None:
    given = ["--implementation", "autograd", "--model", "shallow_network"]
    plan = plan_of(cli_parser().parse_args(["run", *given]))
    assert plan.implementations == ("autograd",)
    assert {problem.model for problem in plan.problems} == {"shallow_network"}


@pytest.mark.parametrize("problem", [name for name in catalogue.NAMES if catalogue.build(name).model in NETWORKS])
@pytest.mark.parametrize("dtype", FORMATS)
def test_the_example_computes_every_quantity(installed: list[str], problem: str, dtype: str) -> None:
    built = catalogue.build(problem)
    reason = find("autograd").refuses(built, dtype, "cpu")
    if dtype not in ("float64", "float32") or built.iterations:
        assert reason
        assert "\n" not in reason
        return
    assert reason is None
    if dtype not in built.dtypes:
        return
    expected = standard(problem, dtype)
    comparisons = list(verdicts("autograd", expected, compute("autograd", expected.problem, dtype, "cpu")))
    assert [c.quantity for c in comparisons] == list(expected.exact)
    assert not [c for c in comparisons if c.verdict == DIFFERS]
    if built.exact:
        assert {c.verdict for c in comparisons} == {BITS}


def test_other_models_are_refused(installed: list[str]) -> None:
    others = [p for p in map(catalogue.build, catalogue.NAMES) if p.model not in NETWORKS]
    assert others
    assert all(find("autograd").refuses(problem, "float64", "cpu") for problem in others)


@pytest.mark.parametrize("problem", ["breast_cancer_shallow", "shallow_exact_tanh", "breast_cancer_deep"])
def test_a_planted_fault_is_traced_to_its_quantity(
    installed: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    right = main(["trace", problem, "--implementation", "autograd"])
    assert (right, capsys.readouterr().err) == (0, "")
    wrong, said = main(["trace", problem, "--implementation", "autograd-without_m"]), capsys.readouterr()
    assert (wrong, said.err) == (1, "")
    last = said.out.splitlines()[-1]
    assert re.fullmatch(rf"{problem} float64 on cpu, autograd-without_m: dW1\[.*; it looks like a factor m", last)


def test_a_planted_fault_is_found_by_the_matrix(installed: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    given = ["--implementation", "autograd,autograd-without_m", "--problem", "flower", "--dtype", "float64"]
    status, said = main(given), capfd.readouterr()
    assert (status, said.err) == (1, "")
    assert said.out.splitlines()[-1].endswith(" 2 differ; 0 skipped")
    assert "✗ dW1" in said.out


@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize(("name", "line"), LINES.items())
def test_what_is_no_result_differs_with_a_line(installed: list[str], name: str, line: str, processes: bool) -> None:
    cell = of_faulty(processes=processes)[f"autograd-{name}"]
    assert cell.first_difference is not None
    assert not cell.skipped
    looks_like = cell.first_difference.looks_like
    assert line in looks_like
    assert "\n" not in looks_like


@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize(("name", "line"), UNSURE.items())
def test_what_cannot_say_whether_it_runs_is_no_end_of_the_run(
    installed: list[str], name: str, line: str, processes: bool
) -> None:
    cells = of_faulty(processes=processes)
    faulty, right = cells[f"autograd-{name}"], cells["autograd"]
    assert line in (faulty.first_difference.looks_like if faulty.first_difference else faulty.skipped)
    assert right.comparisons
    assert not right.first_difference


def test_alone_a_broken_registration_is_one_line(installed: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    status, said = main(["--implementation", "autograd-absent", "--problem", "flower"]), capfd.readouterr()
    assert status == 2
    assert re.fullmatch(r"parity: nothing was compared: .*cannot be loaded.*\n", said.err)
