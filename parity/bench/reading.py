"""What is read off a run, for the terminal, the page and the pictures alike: ratios, slopes, crossovers, what is noisy.

A time is only ever had together with its ratio to the floor, as a `Line`; a row without one has no time to show.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from math import exp, log
from typing import NamedTuple

from parity.bench import units
from parity.bench.cases import CASES, SHORT, Case
from parity.bench.results import Group, Key, Peak, Results, Row
from parity.bench.statistics import Interval, Summary, is_noisy, ratio, slope, summary
from parity.compare import DIFFERS
from parity.errors import printable
from parity.formats import FORMATS

FLOOR = "floor"
"""The verdict of rows that are matrix products alone."""

NO_FLOOR = "its floor was not timed, and no time is told without a ratio"

READABLE = "reference"
"""NumPy as the notes write it."""

WRITES = ("--json", "--html", "--plots")
"""Options that name a file, and change nothing that is timed."""

AGAINST = {"torch-compile": ("torch-eager", READABLE), "jax-jit": ("jax-eager", READABLE)}
"""What is compiled, and what it has to beat for compiling to be worth it."""


class Place(NamedTuple):
    """Where rows can be compared across cases."""

    work: str
    dtype: str
    device: str
    threads: int

    def __str__(self) -> str:
        """step · float32 · cpu · 1 thread."""
        return f"{self.work} · {self.where}"

    @property
    def where(self) -> str:
        """float32 · cpu · 1 thread."""
        return f"{self.dtype} · {self.device} · {units.count(self.threads, 'thread')}"


def place(key: Key) -> Place:
    """Where a row was timed."""
    return Place(key.work, key.dtype, key.device, key.threads)


@dataclass(frozen=True)
class Line:
    """A row that was timed, beside its floor."""

    row: Row
    ratio: Interval
    times: Summary

    @property
    def name(self) -> str:
        """The implementation's."""
        return self.row.key.implementation

    @property
    def is_floor(self) -> bool:
        """Whether it is matrix products alone."""
        return self.row.verdict == FLOOR

    @property
    def spread(self) -> float:
        """The interquartile range, as a share of the median."""
        return self.times.iqr / self.times.median

    @property
    def case(self) -> Case | None:
        """What was timed, where it is one that is known here."""
        return CASES.get(self.row.key.case)

    @property
    def intensity(self) -> float | None:
        """Operations for each byte that must be moved."""
        key, case = self.row.key, self.case
        return case.flops(key.work) / case.bytes(key.work, FORMATS[key.dtype].dtype.itemsize) if case else None

    @property
    def rate(self) -> float | None:
        """Operations in a second, at the median."""
        return self.case.flops(self.row.key.work) / self.times.median if self.case else None


@dataclass(frozen=True)
class Reading:
    """A group as it is shown."""

    group: Group

    @property
    def key(self) -> Key:
        """That of its first row: all but the implementation is the same for all."""
        return self.group.rows[0].key

    @property
    def place(self) -> Place:
        """Where its rows were timed."""
        return place(self.key)

    @property
    def heading(self) -> str:
        """shallow-2-4-1-m400 · step · float32 · cpu · 1 thread."""
        return f"{self.key.case} · {self.place}"

    @property
    def noisy(self) -> bool:
        """Whether the machine was at something else, too."""
        return is_noisy(self.group.noise)

    @property
    def of_series(self) -> bool:
        """Whether its case is one of a series."""
        return self.key.case in CASES and bool(CASES[self.key.case].grows)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """What was timed beside a floor, from fastest to slowest."""
        floor = next((row.samples for row in self.group.rows if row.key.implementation == self.group.floor), ())
        timed = [row for row in self.group.rows if row.samples and not row.skipped and row.verdict != DIFFERS]
        lines = [Line(row, ratio(row.samples, floor), summary(row.samples)) for row in timed if floor]
        return tuple(sorted(lines, key=lambda line: line.ratio.median))

    @property
    def differing(self) -> tuple[Row, ...]:
        """What is not right, and was not timed."""
        return tuple(row for row in self.group.rows if row.verdict == DIFFERS)

    @property
    def skipped(self) -> tuple[tuple[Row, str], ...]:
        """What was not run, and why; and what has no floor to be held against."""
        shown = {line.row.key for line in self.lines} | {row.key for row in self.differing}
        return tuple((row, row.skipped or NO_FLOOR) for row in self.group.rows if row.key not in shown)


def readings(results: Results) -> list[Reading]:
    """Every group that has rows."""
    return [Reading(group) for group in results.groups if group.rows]


def lines(results: Results) -> list[Line]:
    """Everything that was timed."""
    return [line for reading in readings(results) for line in reading.lines]


def names(results: Results) -> list[str]:
    """Every implementation that was timed, in the order of the run, floors last."""
    timed = {line.row.key: line.is_floor for line in lines(results)}
    rows = [row.key for group in results.groups for row in group.rows if row.key in timed]
    return list(dict.fromkeys(key.implementation for key in sorted(rows, key=lambda key: timed[key])))


class Totals(NamedTuple):
    """How many rows, floors left out."""

    timed: int
    skipped: int
    differ: int

    def __str__(self) -> str:
        """48 rows timed, 3 skipped, 0 differ."""
        differ = "differs" if self.differ == 1 else "differ"
        return f"{units.count(self.timed, 'row')} timed, {self.skipped:,} skipped, {self.differ:,} {differ}"


def totals(results: Results) -> Totals:
    """The rows by what became of them."""
    read = readings(results)
    return Totals(
        sum(not line.is_floor for r in read for line in r.lines),
        sum(len(r.skipped) for r in read),
        sum(len(r.differing) for r in read),
    )


def peak(results: Results, of: str, where: Place) -> Peak | None:
    """The most that was measured there; of bytes, in whatever format."""
    at = [p for p in results.peaks if (p.what, p.device, p.threads) == (of, where.device, where.threads)]
    own = [p for p in at if p.dtype == where.dtype] or [p for p in at if of == "bytes"]
    return max(own, key=lambda p: p.rate, default=None)


@dataclass(frozen=True)
class Growth:
    """The same shape at several sizes, in one place: each implementation's times, from small to large."""

    axis: str
    shape: str
    place: Place
    by_name: dict[str, tuple[Line, ...]]
    drifts: tuple[float, ...]
    """Of the groups that are noisy."""

    @property
    def letter(self) -> str:
        """The notes' letter of what grows."""
        return "L" if self.axis == "depth" else self.axis

    def slope_text(self, name: str) -> str:
        """Its two decimals; nothing where there is none."""
        slope = self.slope(name) if name in self.by_name else None
        return "" if slope is None else f"{slope:.2f}"

    def slope(self, name: str) -> float | None:
        """The exponent p of time ∝ size^p; None where there is only one size."""
        of = self.by_name[name]
        if len(of) < 2:
            return None
        return slope([size(line) for line in of], [line.times.median for line in of]).overall


def size(line: Line) -> int:
    """What grows, in the case of a series."""
    assert line.case is not None
    return line.case.size


def shape(case: Case) -> str:
    """What the cases of a series have in common: shallow-2-4-1; logistic-n-1, m = 4096; deep-64×L-1, m = 1024."""
    layers = [str(n) for n in case.layers]
    if case.grows == "n":
        layers[0] = "n"
    elif case.grows == "depth":
        layers[:-1] = [f"{case.layers[0]}×L"]
    return "-".join((SHORT[case.model], *layers)) + (f", m = {case.m}" if case.grows != "m" else "")


def growths(results: Results) -> list[Growth]:
    """Every series that was timed, axis by axis, in the order of the run."""
    found: dict[tuple[str, str, Place], list[Reading]] = {}
    for reading in readings(results):
        case = CASES.get(reading.key.case)
        if case and case.grows and reading.lines:
            found.setdefault((case.grows, shape(case), reading.place), []).append(reading)
    return [Growth(*key, _by_name(of), tuple(r.group.drift for r in of if r.noisy)) for key, of in found.items()]


def grown(series: Iterable[Growth]) -> list[str]:
    """What occurs in any of the series, floors last."""
    lines = {name: of[0] for growth in series for name, of in growth.by_name.items()}
    return sorted(lines, key=lambda name: lines[name].is_floor)


def _by_name(of: Iterable[Reading]) -> dict[str, tuple[Line, ...]]:
    every = sorted((line for r in of for line in r.lines), key=lambda line: (line.is_floor, size(line)))
    by_name: dict[str, tuple[Line, ...]] = {}
    for line in every:
        if all(size(line) != size(other) for other in by_name.get(line.name, ())):
            by_name[line.name] = (*by_name.get(line.name, ()), line)
    return by_name


class Crossover(NamedTuple):
    """From which size on one is faster than another: None is never; the smallest size, everywhere."""

    winner: str
    loser: str
    at: float | None
    time: float | None
    everywhere: bool

    def said(self, axis: str) -> str:
        """In words."""
        return f"{self.winner} beats {self.where(axis)}"

    def where(self, axis: str) -> str:
        """The loser, and at which sizes it is one."""
        if self.everywhere:
            return f"{self.loser} at every size"
        return f"{self.loser} {'at no size' if self.at is None else f'from {axis} ≈ {units.about(self.at)}'}"


def crossover(winner: str, loser: str, a: dict[int, float], b: dict[int, float]) -> Crossover | None:
    """Where the times a fall below the times b for good; None where they have fewer than two sizes in common.

    Between two sizes it is where the lines cross in a picture with two logarithmic axes.
    """
    sizes = sorted(a.keys() & b.keys())
    if len(sizes) < 2:
        return None
    ahead = {n: log(b[n] / a[n]) for n in sizes}
    if ahead[sizes[-1]] <= 0:
        return Crossover(winner, loser, None, None, False)
    behind = [n for n in sizes if ahead[n] <= 0]
    if not behind:
        return Crossover(winner, loser, sizes[0], None, True)
    n, after = behind[-1], sizes[sizes.index(behind[-1]) + 1]
    t = -ahead[n] / (ahead[after] - ahead[n])
    return Crossover(winner, loser, _between(n, after, t), _between(a[n], a[after], t), False)


def _between(a: float, b: float, t: float) -> float:
    return exp((1 - t) * log(a) + t * log(b))


def crossovers(growth: Growth, every: Iterable[Growth]) -> list[Crossover]:
    """Where compiling begins to win against not compiling and NumPy; on another device than cpu, where that does."""
    times = {name: {size(line): line.times.median for line in of} for name, of in growth.by_name.items()}
    pairs = [(name, other) for name, others in AGAINST.items() for other in others if {name, other} <= times.keys()]
    found = [crossover(name, other, times[name], times[other]) for name, other in pairs]
    found += [_of_device(growth, on_cpu) for on_cpu in _on_cpu(growth, every)]
    return [c for c in found if c]


def won(growth: Growth, every: Iterable[Growth]) -> str:
    """The crossovers of a series in one line, what has the same winner together."""
    found: dict[str, list[str]] = {}
    for crossed in crossovers(growth, every):
        found.setdefault(crossed.winner, []).append(crossed.where(growth.letter))
    return "; ".join(f"{winner} beats {', '.join(of)}" for winner, of in found.items())


def _on_cpu(growth: Growth, every: Iterable[Growth]) -> list[Growth]:
    """The same on the cpu with the most threads, where the growth is one of another device."""
    same = (growth.axis, growth.shape, growth.place.work, growth.place.dtype)
    of = [g for g in every if (g.axis, g.shape, g.place.work, g.place.dtype) == same and g.place.device == "cpu"]
    of = [g for g in of if READABLE in g.by_name and growth.place.device != "cpu"]
    return sorted(of, key=lambda g: g.place.threads)[-1:]


def _of_device(growth: Growth, on_cpu: Growth) -> Crossover | None:
    """Where the fastest on a device begins to win against NumPy on the cpu; these are no pairs of the same round."""
    fastest: dict[int, float] = {}
    for line in (line for of in growth.by_name.values() for line in of if not line.is_floor):
        fastest[size(line)] = min(fastest.get(size(line), line.times.median), line.times.median)
    numpy = {size(line): line.times.median for line in on_cpu.by_name[READABLE]}
    loser = f"{READABLE} on cpu, {units.count(on_cpu.place.threads, 'thread')}"
    return crossover(f"the fastest on {growth.place.device}", loser, fastest, numpy)


def machine_name(results: Results) -> str:
    """The processor, or what else tells this machine from others, and its GPUs."""
    told = [results.machine.get(name) for name in ("cpu", "processor", "platform")]
    return ", ".join([next((str(name) for name in told if name), "unnamed"), *(results.machine.get("gpus") or ())])


def command(results: Results) -> str:
    """What was typed, to be typed again."""
    return printable(shlex.join(("parity", *results.command[results.command[:1] == ("parity",) :])))


def asked(results: Results) -> str:
    """The same without the files that were to be written: what was timed."""
    words = list(results.command)
    for option in (option for option in WRITES if option in words):
        at = words.index(option)
        del words[at : at + 2]
    return command(replace(results, command=tuple(words)))


def provenance(results: Results) -> str:
    """Where, when and from which commit, in one line."""
    short = re.sub("([0-9a-f]{12})[0-9a-f]*", r"\1", results.commit)
    return printable(f"{machine_name(results)}; {when(results)}; commit {short or 'unknown'}")


def when(results: Results) -> str:
    """2026-11-25 16:15 UTC; as it was written where that is no date."""
    with suppress(ValueError):
        return datetime.fromisoformat(results.made).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return results.made


def noisy(results: Results) -> Iterator[Reading]:
    """The groups that say so."""
    return (reading for reading in readings(results) if reading.noisy)
