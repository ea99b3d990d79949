"""The columns of a group's table, on the terminal and on the page: how each is called, and what stands in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from parity.bench import units
from parity.bench.reading import Line


@dataclass(frozen=True)
class Column:
    """What is told of every line.

    Attributes
    ----------
    title, short : str
        On the page and on the terminal; nothing where it is not there.
    text : callable
        Of a line; nothing where there is nothing to tell.
    last : int
        On a terminal without room the column with the largest is left out first; one with 0 never is.
    said : str
        What it is, for the terminal's legend; the page has more room for it.
    """

    title: str
    short: str
    text: Callable[[Line], str]
    last: int = 0
    said: str = ""


def of_bound(line: Line) -> str:
    """✓ and the largest share of a bound that was reached."""
    if line.is_floor:
        return "floor"
    return "✓" if line.row.share is None else f"✓ {units.of_bound(line.row.share)}"


def ratio(line: Line) -> str:
    """1.04 [1.02, 1.06]."""
    return f"{units.digits(line.ratio.median)} {units.interval(line.ratio.low, line.ratio.high)}"


def of_peak(line: Line) -> str:
    """81 % flops."""
    return f"{_peak(line)} {line.row.bound_by}" if _peak(line) else ""


def _peak(line: Line) -> str:
    return "" if line.row.peak_share is None else units.percent(line.row.peak_share)


def of_peak_short(line: Line) -> str:
    """81 % F."""
    return f"{_peak(line)} {line.row.bound_by[:1].upper()}".strip()


def _seconds(t: float | None) -> str:
    return "" if t is None else units.seconds(t)


def _first(line: Line) -> str:
    return _seconds(line.row.first)


def cold(what: str) -> Callable[[Line], str]:
    """Of a process of its own with empty caches."""
    return lambda line: _seconds((line.row.cold or {}).get(what))


def _pays(line: Line) -> str:
    return "" if line.row.pays_after is None else units.steps(line.row.pays_after)


def _memory(line: Line) -> str:
    return "" if line.row.peak_memory is None else units.bytes_(line.row.peak_memory)


OF_FLOOR = "time over that of matrix products alone, same rounds [95 % interval]"

COLUMNS = (
    Column(
        "of its bound", "bound", of_bound, 0, "✓ verified: so much of the derived bound was used; ✗ differs: not timed"
    ),
    Column("× floor [interval]", "× floor", ratio, 0, OF_FLOOR),
    Column("median", "median", lambda line: units.seconds(line.times.median), 0, "of a call; of a step in training"),
    Column("least", "", lambda line: units.seconds(line.times.min)),
    Column("IQR", "IQR", lambda line: units.percent(line.spread), 5, "interquartile range, as a share of the median"),
    Column("of peak", "", of_peak),
    Column("", "of peak", of_peak_short, 1, "share of the measured peak, F flops or B bytes: the nearer limit"),
    Column("first call", "first", _first, 6, "first call in a process that runs already"),
    Column("cold import", "", cold("import")),
    Column("cold first call", "cold", cold("first"), 3, "first call in a new process with empty caches; once a case"),
    Column("transfer", "", lambda line: _seconds(line.row.transfer)),
    Column("pays after steps", "pays", _pays, 2, "steps until compiling has paid, beside the same framework without"),
    Column("peak memory", "memory", _memory, 4, "at the highest point of a call, beyond its inputs"),
)
"""In the order in which they stand; the implementation's name is before them."""


def filled(lines: Iterable[Line], *, terminal: bool) -> list[Column]:
    """The columns in which something stands, on a terminal or on the page."""
    every = list(lines)
    there = [column for column in COLUMNS if (column.short if terminal else column.title)]
    return [column for column in there if any(column.text(line) for line in every)]
