"""docs/notes.md maps every row of the notes to code: each of N3–N25 has some, and every function named exists.

The implementations are read, not imported: a framework that is missing hides no fault.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from parity.cli import COMMANDS
from parity.problems.catalogue import NAMES

ROOT = Path(__file__).parents[1]
NOTES = (ROOT / "docs" / "notes.md").read_text(encoding="utf-8")
IDS = [f"N{i}" for i in range(1, 26)]
WITHOUT_CODE = ("N1", "N2")  # data and a figure
IMPLEMENTATIONS = ("reference", "torch_impl", "jax_impl")
PACKAGES = (*IMPLEMENTATIONS, "sklearn_baseline", "parity")
COLUMNS = ["id", "slide", *IMPLEMENTATIONS, "sklearn_baseline", "shared problems, elsewhere"]


def table(text: str) -> dict[str, dict[str, str]]:
    """The table's rows by their id: the cells by their column."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in cells] for cells in lines]
    return {cells[0]: dict(zip(COLUMNS, cells, strict=True)) for cells in rows[rows.index(COLUMNS) + 2 :]}


def names_in(cell: str) -> list[str]:
    """The dotted names in backticks that begin with one of the packages."""
    return re.findall(rf"`((?:{'|'.join(PACKAGES)})\.[\w.]+)`", cell)


def problems_in(cell: str) -> list[str]:
    """The plain names in backticks, which in the last column are problems."""
    return re.findall(r"`(\w+)`", cell)


def files_in(cell: str) -> list[str]:
    """The paths in backticks."""
    return re.findall(r"`([\w/]+\.py)`", cell)


def exists(name: str) -> bool:
    """Whether package/module.py itself defines `package.module.function`: what it imports does not count."""
    *module, attribute = name.split(".")
    return attribute in defined_in(ROOT.joinpath(*module).with_suffix(".py"))


@cache
def defined_in(file: Path) -> set[str]:
    """The functions, classes and tables of a module; none if there is no such file."""
    body = ast.parse(file.read_text(encoding="utf-8")).body if file.is_file() else []
    tables: list[ast.expr] = [node.target for node in body if isinstance(node, ast.AnnAssign)]
    tables += [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return names | {ast.unparse(table) for table in tables}


def faults(text: str) -> list[str]:
    """What is wrong with the table."""
    rows = table(text)
    found = [] if list(rows) == IDS else [f"the rows are {', '.join(rows)}"]
    for id_, cells in rows.items():
        found += [f"{id_}: nothing under {column}" for column, cell in cells.items() if not cell]
        for column in IMPLEMENTATIONS:
            if id_ not in WITHOUT_CODE and not names_in(cells[column]):
                found.append(f"{id_} has no code in {column}")
        for column in (*IMPLEMENTATIONS, "sklearn_baseline"):
            for name in names_in(cells[column]):
                if not name.startswith(column + "."):
                    found.append(f"{id_}: {name} stands under {column}")
        everything = " ".join(cells.values())
        found += [f"{id_}: {name} does not exist" for name in names_in(everything) if not exists(name)]
        problems = problems_in(cells[COLUMNS[-1]])
        found += [f"{id_}: no problem is called {name}" for name in problems if name not in NAMES]
        found += [f"{id_}: {path} does not exist" for path in files_in(everything) if not (ROOT / path).is_file()]
    return found


def test_every_row_has_code_that_exists() -> None:
    assert faults(NOTES) == []


def new_faults(text: str) -> list[str]:
    """What is wrong with a changed table and was not before."""
    return [fault for fault in faults(text) if fault not in faults(NOTES)]


def cell_of(id_: str, column: str) -> str:
    return table(NOTES)[id_][column]


@pytest.mark.parametrize("id_", IDS[2:])
@pytest.mark.parametrize("column", IMPLEMENTATIONS)
def test_a_row_without_code_is_caught(id_: str, column: str) -> None:
    line = next(line for line in NOTES.splitlines() if line.startswith(f"| {id_} "))
    without = NOTES.replace(line, line.replace(cell_of(id_, column), "—"))
    assert new_faults(without) == [f"{id_} has no code in {column}"]


@pytest.mark.parametrize("wrong", ["forwards", "Forward", "jnp", "ACTIVATIONS", "forward.Z1"])
def test_a_name_that_does_not_exist_is_caught(wrong: str) -> None:
    misnamed = NOTES.replace("`jax_impl.shallow_network.forward`", f"`jax_impl.shallow_network.{wrong}`")
    assert new_faults(misnamed) == [f"N14: jax_impl.shallow_network.{wrong} does not exist"]


def test_a_module_that_does_not_exist_is_caught() -> None:
    misnamed = NOTES.replace("torch_impl.circuits.xor_deep", "torch_impl.circuit.xor_deep")
    assert new_faults(misnamed) == ["N22: torch_impl.circuit.xor_deep does not exist"]


def test_a_file_that_does_not_exist_is_caught() -> None:
    misnamed = NOTES.replace("`tests/test_initialization.py`", "`tests/test_initialisation.py`")
    assert new_faults(misnamed) == ["N19: tests/test_initialisation.py does not exist"]


def test_a_problem_that_does_not_exist_is_caught() -> None:
    misnamed = NOTES.replace("`logistic_training`", "`logistic_trainings`")
    assert new_faults(misnamed) == ["N5: no problem is called logistic_trainings"]


def test_a_missing_row_is_caught() -> None:
    without = "\n".join(line for line in NOTES.splitlines() if not line.startswith("| N9 "))
    assert new_faults(without) == [f"the rows are {', '.join(id_ for id_ in IDS if id_ != 'N9')}"]


def test_a_name_under_the_wrong_package_is_caught() -> None:
    swapped = NOTES.replace("`torch_impl.circuits.xor_deep`", "`reference.circuits.xor_deep`")
    assert new_faults(swapped) == ["N22: reference.circuits.xor_deep stands under torch_impl"]


def test_an_empty_cell_is_caught() -> None:
    line = next(line for line in NOTES.splitlines() if line.startswith("| N22 "))
    emptied = NOTES.replace(line, line.replace(cell_of("N22", "sklearn_baseline"), ""))
    assert new_faults(emptied) == ["N22: nothing under sklearn_baseline"]


def test_what_exists_is_not_called_planned() -> None:
    planned = [cell for cells in table(NOTES).values() for cell in cells.values() if "planned" in cell]
    assert not {name for cell in planned for name in re.findall(r"`parity (\w+)", cell)} & {*COMMANDS}
