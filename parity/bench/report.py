"""What a person reads of a run on a terminal: a table a group, growth, what was skipped, what differs, and a count."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.bench import reading, skips, units
from parity.bench.columns import Column, filled
from parity.bench.reading import Growth, Place, Reading
from parity.bench.results import Results, Row
from parity.errors import printable
from parity.report import STYLES

NAME = 24
"""Characters of a name on one line."""

BETWEEN = 2
"""Spaces between two columns."""

WRONG = "✗ differs"

GROWTH = (("p", "of time ∝ size^p: with 1 it is in proportion, near 0 the calls take it"),)
NOISY = (("NOISY", "work that never changes took longer or shorter: mistrust these ratios"),)
"""The last lines of the legend, where there is a series, and where a group is noisy."""

LABEL = 9
"""Characters before what a line of the legend says."""


def show(results: Results, to: Console) -> None:
    """The whole report; the last line counts."""
    read = [r for r in reading.readings(results) if r.lines or r.differing]
    _on_one_line(to, reading.asked(results), "bold")
    _print(to, reading.provenance(results), "dim")
    columns, left_out = fitting(read, to.width)
    for r in read:
        to.print()
        to.print(heading(r))
        to.print(_table(r, columns, _widths(read, columns)))
    has_slopes = _show_growth(results, to)
    _explain(to, columns, left_out, GROWTH * has_slopes + NOISY * any(r.noisy for r in read))
    _show_skipped(results, to)
    _show_differing(read, to)
    to.print()
    for note in results.notes:
        _print(to, note, "dim")
    to.print(Text(str(reading.totals(results)), "bold"))


def heading(read: Reading) -> Text:
    """What was timed where, and NOISY where it was."""
    text = Text(printable(read.heading), "bold")
    if read.noisy:
        text.append(f"  NOISY: drift {units.percent(read.group.drift)}", STYLES["differs"])
    return text


def fitting(read: Iterable[Reading], width: int) -> tuple[list[Column], list[str]]:
    """The columns that there is room for, and what the others are called."""
    columns = filled((line for r in read for line in r.lines), terminal=True)
    left_out: list[str] = []
    while sum(_widths(read, columns)) + BETWEEN * len(columns) > width and any(c.last for c in columns):
        least = max(columns, key=lambda column: column.last)
        columns.remove(least)
        left_out.append(least.short)
    return columns, left_out


def _widths(read: Iterable[Reading], columns: list[Column]) -> list[int]:
    """Of the name and of every column, the same in all tables."""
    lines = [line for r in read for line in r.lines]
    wrong = [row.key.implementation for r in read for row in r.differing]
    names = [cell_len(printable(name)) for name in (*(line.name for line in lines), *wrong)]
    widths = [max([len(c.short), *(cell_len(c.text(line)) for line in lines)]) for c in columns]
    if wrong and widths:
        widths[0] = max(widths[0], len(WRONG))
    return [min(NAME, max(names, default=0)), *widths]


def _table(read: Reading, columns: list[Column], widths: list[int]) -> Table:
    table = Table(box=None, padding=(0, BETWEEN, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", width=widths[0], overflow="fold")
    for column, width in zip(columns, widths[1:], strict=True):
        table.add_column(column.short, width=width, justify="right", no_wrap=True)
    for row in read.differing:
        wrong = [Text(WRONG), *[Text("")] * (len(columns) - 1)] if columns else []
        table.add_row(Text(printable(row.key.implementation)), *wrong, style=STYLES["differs"])
    for line in read.lines:
        cells = [Text(column.text(line)) for column in columns]
        table.add_row(Text(printable(line.name)), *cells, style="dim" if line.is_floor else "")
    return table


def _explain(to: Console, columns: list[Column], left_out: list[str], more: Iterable[tuple[str, str]]) -> None:
    """What the columns that are shown mean, and what else is to be said."""
    to.print()
    for label, what in (*((column.short, column.said) for column in columns), *more):
        _print(to, what, "dim", f"{label:{LABEL}}")
    if left_out:
        _print(to, f"no room for {', '.join(left_out)}: --html and --json have it all", "dim")


def _show_growth(results: Results, to: Console) -> bool:
    """The slopes, place by place, and where compiling or the GPU begins to win; whether there are any."""
    every = reading.growths(results)
    for where in dict.fromkeys(growth.place for growth in every):
        series = [growth for growth in every if growth.place == where]
        to.print()
        to.print(_growth_heading(where, series))
        to.print(_slopes(series))
        for growth in series:
            if won := reading.won(growth, every):
                _print(to, f"{growth.shape}: {won}", "dim")
    return bool(every)


def _growth_heading(where: Place, series: list[Growth]) -> Text:
    text = Text(f"growth · {where}: p of time ∝ size^p", "bold")
    drifts = [drift for growth in series for drift in growth.drifts]
    if drifts:
        text.append(f"  NOISY: drift {units.percent(max(drifts))}", STYLES["differs"])
    return text


def _slopes(series: list[Growth]) -> Table:
    table = Table(box=None, padding=(0, BETWEEN, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", max_width=NAME, overflow="fold")
    for growth in series:
        table.add_column(f"{growth.letter}: {growth.shape}".replace(", ", ",\n"), justify="right", overflow="fold")
    for name in reading.grown(series):
        table.add_row(Text(printable(name)), *(Text(growth.slope_text(name)) for growth in series))
    return table


def _show_skipped(results: Results, to: Console) -> None:
    reasons = skips.reasons(results)
    if reasons:
        to.print("\nskipped")
    for why, rows in reasons:
        _print(to, why, "dim", f"{len(rows):5,d}  ")


def _show_differing(read: Iterable[Reading], to: Console) -> None:
    wrong = [row for r in read for row in r.differing]
    if wrong:
        to.print("\ndiffers", style=STYLES["differs"])
    for row in wrong:
        _print(to, described(row), label="  ✗ ")


def described(row: Row) -> str:
    """What differs, and how."""
    return f"{row.key}: {row.fault}"


def _on_one_line(to: Console, text: str, style: str) -> None:
    """Its end is cut off where there is no room for it."""
    line = Text(text, style)
    line.truncate(to.width, overflow="ellipsis")
    to.print(line)


def _print(to: Console, text: str, style: str = "", label: str = "") -> None:
    """Text of any length, in lines no wider than the terminal, behind a label and below each other."""
    for i, line in enumerate(Text(printable(text)).wrap(to, to.width - len(label))):
        to.print(Text((" " * len(label) if i else label) + line.plain.rstrip(), style))
