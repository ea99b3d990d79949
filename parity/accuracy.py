"""Which implementation is the most accurate for which quantity: a ranking by share of one and the same bound.

The bound is the worst case end to end with the largest K of any framework, so that nobody's own K is in the measure.
Only problems that round are counted; on exact ones all are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.box import Box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.problems import NETWORKS
from parity.run import Cell

ALL, KINDS = "all", ("Z", "A", "J", "dZ", "dW", "db", "new")
FULL_WIDTH = 100
"""What a table with every kind needs."""

SECTIONS = Box("    \n    \n    \n    \n ── \n    \n    \n    \n")
"""A line between who computes everything and who computes a part, and no other."""

Shares = dict[str, dict[str, list[float]]]
"""By implementation and kind of quantity; under `ALL`, of every quantity."""


def shares(cells: Sequence[Cell], dtype: str) -> Shares:
    """The worst error of every quantity as a share of the bound, for every implementation."""
    found: Shares = {}
    for cell in cells:
        if cell.dtype != dtype or cell.problem.exact or cell.problem.model not in NETWORKS or cell.first_difference:
            continue
        for c in cell.comparisons:
            if c.quantity[:1] in "ZAJdn" and c.end_to_end and " at " not in c.quantity:
                of = found.setdefault(cell.implementation, {})
                of.setdefault(_kind(c.quantity), []).append(c.yardstick)
                of.setdefault(ALL, []).append(c.yardstick)
    return found


def _kind(quantity: str) -> str:
    """dW for dW1 and for logistic regression's dw; new for every updated parameter."""
    return "new" if quantity.startswith("new_") else quantity.rstrip("0123456789").replace("w", "W")


def show(cells: Sequence[Cell], to: Console) -> None:
    """A table a format: who computes everything, the most accurate first, then who computes a part."""
    dtypes = dict.fromkeys(cell.dtype for cell in cells)
    if not any(shares(cells, dtype) for dtype in dtypes):
        to.print("nothing here rounds: there is nothing to rank", style="dim")
        return
    for dtype in dtypes:
        of = shares(cells, dtype)
        if of:
            for kinds in (KINDS,) if to.width >= FULL_WIDTH else (KINDS[:4], KINDS[4:]):
                to.print(_table(dtype, of, (ALL, *kinds)), "")
    to.print(LEGEND, style="dim")


LEGEND = (
    "median and worst share of the bound in percent, over n quantities that round;\n"
    "one bound for all, with the largest K of any framework\n"
    "above the line the smallest median over all is first, and of each kind bold;\n"
    "below the line are those that compute only a part of the quantities"
)


def _table(dtype: str, of: Shares, columns: tuple[str, ...]) -> Table:
    table = Table(
        title=dtype, title_justify="left", title_style="bold", box=SECTIONS, show_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("", no_wrap=True)
    table.add_column("n", justify="right", style="dim")
    for kind in columns:
        table.add_column(kind, justify="right", no_wrap=True)
    most = max(len(kinds[ALL]) for kinds in of.values())
    names = sorted(of, key=lambda name: (len(of[name][ALL]) < most, median(of[name][ALL]), max(of[name][ALL])))
    whole = [name for name in names if len(of[name][ALL]) == most and of[name].keys() == of[names[0]].keys()]
    best = {kind: min(median(of[name][kind]) for name in whole) for kind in columns if kind in of[whole[0]]}
    for name in names:
        texts = [_text(of[name].get(kind, []), best.get(kind) if name in whole else None) for kind in columns]
        table.add_row(name, str(len(of[name][ALL])), *texts, end_section=name == whole[-1])
    return table


def _text(values: list[float], best: float | None) -> Text:
    if not values:
        return Text("")
    return Text(f"{100 * median(values):.2g} {100 * max(values):.2g}", "bold" if median(values) == best else "")
