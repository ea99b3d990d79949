"""Every quantity of one problem in one implementation, in the order of computation: where it leaves the bound first."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from parity import report
from parity.compare import DIFFERS, Comparison, Standard
from parity.errors import BadInput
from parity.implementations import find
from parity.oracle import Undecided
from parity.problems import Problem
from parity.run import Cell, compute, inspect, verdicts, why_not


def show(problem: Problem, name: str, dtype: str, device: str) -> bool:
    """Print the trace; whether anything differs.

    Raises
    ------
    BadInput
        The implementation does not compute this problem here.
    """
    cell = trace(problem, name, dtype, device)
    console = report.console()
    console.print(f"{problem.name} · {dtype} · {device} · {name}", style="bold")
    if problem.note:
        console.print(problem.note, style="dim")
    console.print(_table(cell.comparisons))
    first = cell.first_difference
    if first is None:
        console.print(f"nothing differs: {report.totals([cell])}", style="bold", soft_wrap=True)
        return False
    console.print("the first that differs, in the order of computation:", style="bold red")
    console.print(report.describe(cell), soft_wrap=True)
    return True


def trace(problem: Problem, name: str, dtype: str, device: str) -> Cell:
    """The verdicts, with the standard worked out once.

    Raises
    ------
    BadInput
        The implementation does not compute this problem here.
    """
    reason = why_not(name, inspect(name), device) or find(name).refuses(problem, dtype, device)
    if reason:
        raise BadInput(f"{name} does not run {problem.name} in {dtype} on {device}: {reason}")
    try:
        standard = Standard.of(problem, dtype)
    except Undecided as why:
        raise BadInput(f"{problem.name} in {dtype} has {why}") from None
    found = compute(name, problem, dtype, device)
    return Cell(problem, dtype, device, name, tuple(verdicts(name, standard, found)))


def _table(comparisons: tuple[Comparison, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("quantity", "verdict"):
        table.add_column(title, no_wrap=True)
    for title in ("its worst element", "exact value", "error", "bound", "ulp"):
        table.add_column(title, justify="right", no_wrap=True)
    for c in comparisons:
        style = report.STYLES[c.verdict]
        table.add_row(
            report.element(c), Text(c.verdict, style), f"{c.value:.9g}", f"{c.exact:.9g}",
            f"{c.error:.1e}", f"{c.bound:.1e}", f"{c.ulps:.2g}", style=style if c.verdict == DIFFERS else "",
        )  # fmt: skip
    return table
