"""The report on terminals of several widths."""

from __future__ import annotations

import pytest
from rich.console import Console

from parity import accuracy, paper, report, trace
from parity.compare import DIFFERS, ROUNDING, Comparison
from parity.names import BUILT_IN
from parity.problems import catalogue
from parity.run import Cell


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_tables_fit_the_terminal(width: int) -> None:
    """Fewer columns at once where there is less room; every implementation is there, and none is cut."""
    problem = catalogue.build("breast_cancer_logistic")
    cells = [Cell(problem, "float64", "cpu", name, (Comparison("J", ROUNDING, 0.97),)) for name in BUILT_IN]
    console = Console(width=width, record=True, highlight=False)
    with console.capture() as captured:
        report.show(cells, console)
    table = captured.get().partition("bits  every bit")[0]
    assert max(len(line) for line in table.splitlines()) <= width
    assert table.count("0.97") == len(BUILT_IN)
    assert "…" not in table


@pytest.mark.parametrize(
    ("ulps", "shown"),
    [(0.0, ""), (0.123, "0.12"), (9.96, "10"), (99.4, "99"), (100.0, "1e2"), (2.2e4, "2e4"), (5e18, "5e+18")],
)
def test_two_digits_in_few_characters(ulps: float, shown: str) -> None:
    assert report.short(ulps) == shown


def test_brackets_in_a_message_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Not read as markup: a reason may quote a shape."""
    said = "ValueError: a shape like [n, m], not [/m]"
    wrong = Comparison("—", DIFFERS, looks_like=said)
    cell = Cell(catalogue.build("flower"), "float64", "cpu", "reference", (wrong,))
    report.show([cell, Cell(cell.problem, "float32", "cpu", "reference", skipped=said)], paper.console())
    assert capsys.readouterr().out.count(said) == 2


@pytest.mark.parametrize("legend", [report.legend(), accuracy.LEGEND, trace.LEGEND])
def test_a_legend_fits_80_columns(legend: str) -> None:
    assert max(map(len, legend.splitlines())) <= 80
