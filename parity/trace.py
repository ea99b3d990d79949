"""Every quantity of one problem in one implementation, in the order of computation: where it leaves the bound first."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from parity import paper, report
from parity.compare import DIFFERS, Comparison, Standard
from parity.elementary import Unmeasured
from parity.errors import BadInput
from parity.implementations import find
from parity.oracle import Undecided
from parity.problems import Problem
from parity.rounding import Unbounded
from parity.run import Cell, compute, inspect, refusal, verdicts, why_not


def show(problem: Problem, name: str, dtype: str, device: str) -> bool:
    """Print the trace; whether anything differs.

    Raises
    ------
    BadInput
        The implementation does not compute this problem here.
    """
    cell = trace(problem, name, dtype, device)
    console = paper.console()
    console.print(f"{problem.name} · {dtype} · {device} · {name}", style="bold")
    if problem.note:
        console.print(problem.note, style="dim")
    console.print(_table(cell.comparisons, narrow=console.width < paper.WIDTH))
    console.print(LEGEND, style="dim")
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
    reason = why_not(name, inspect(name), device) or refusal(find(name), problem, dtype, device)
    if reason:
        raise BadInput(f"{name} does not run {problem.name} in {dtype} on {device}: {reason}")
    try:
        standard = Standard.of(problem, dtype, find(name).framework, device)
    except (Undecided, Unmeasured, Unbounded) as why:
        raise BadInput(f"{problem.name} in {dtype}: {why}") from None
    found = compute(name, problem, dtype, device)
    return Cell(problem, dtype, device, name, tuple(verdicts(name, standard, found)))


def _table(comparisons: tuple[Comparison, ...], *, narrow: bool) -> Table:
    """End to end against the exact value, and locally against what the formula makes of its own inputs."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("quantity", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for title in _TITLES:
        if not (narrow and title in _LEFT_OUT):
            table.add_column(title, justify="right", no_wrap=True)
    for c in comparisons:
        style = "yellow" if c.follows else report.STYLES[c.verdict]
        verdict = "follows" if c.follows else c.verdict + ("?" if c.unusual else "")
        numbers = [
            text for title, text in zip(_TITLES, _numbers(c), strict=True) if not (narrow and title in _LEFT_OUT)
        ]
        table.add_row(report.element(c), Text(verdict, style), *numbers, style=style if c.verdict == DIFFERS else "")
    return table


_TITLES = ("worst element", "should be", "error", "bound", "local", "its bound", "ulp", "sees")
_LEFT_OUT = ("should be", "ulp")
"""On a narrow terminal."""

LEGEND = (
    "error, bound: end to end; local: against what its own inputs give, at the worst\n"
    "element of that comparison; ulp: of the quantity's largest element\n"
    "sees: a change of an element by this part of itself is outside for sure (median)"
)


def _numbers(c: Comparison) -> list[str]:
    if c.worst is None or c.end_to_end is None:
        return [""] * len(_TITLES)
    local = [f"{c.local.error:.1e}", f"{c.local.bound:.1e}"] if c.local else ["", ""]
    end_to_end = [f"{c.end_to_end.error:.1e}", f"{c.end_to_end.bound:.1e}"]
    sees = f"{c.sees:.0e}" if c.sees == c.sees else ""
    return [f"{c.worst.value:.7g}", f"{c.worst.target:.7g}", *end_to_end, *local, f"{c.ulps:.2g}", sees]
