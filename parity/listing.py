"""What there is: problems, implementations, devices and dtypes, with the reason where any cannot be used here."""

from __future__ import annotations

from rich.table import Table

from parity import paper
from parity.formats import FORMATS
from parity.implementations import find
from parity.names import available_names
from parity.problems import NETWORKS
from parity.problems.catalogue import GROUPS, build
from parity.run import inspect


def show() -> None:
    """Print everything that an option can name."""
    console = paper.console()
    for group, names in GROUPS.items():
        table = _table(f"problems: {group}", "problem", "model", "n[0]-…-n[L]", "m", "dtypes", "note")
        for name in names:
            problem = build(name)
            sizes = "-".join(map(str, problem.layers)) if problem.model in NETWORKS else ""
            used = [FORMATS[dtype].short for dtype in problem.dtypes]
            dtypes = "all" if len(used) == len(FORMATS) else " ".join(used)
            table.add_row(name, problem.model.split("_")[0], sizes, str(problem.m), dtypes, problem.note)
        console.print(table, "")
    table = _table("implementations", "implementation", "device", "here", "what it is")
    for name in available_names():
        place = inspect(name)
        label, about = name, find(name).about
        for device, reason in (place.devices or {"—": place.missing}).items():
            table.add_row(label, device, reason or "yes", about)
            label = about = ""
    console.print(table, "")
    table = _table("dtypes", "dtype", "bits of the significand", "smallest normal", "largest")
    for fmt in FORMATS.values():
        table.add_row(fmt.name, str(fmt.p), f"{fmt.smallest_normal:.3g}", f"{fmt.largest:.5g}")
    console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    for i, column in enumerate(columns):
        table.add_column(column, no_wrap=i == 0)
    return table
