"""Two runs: which rows are slower, faster or the same.

What is compared are ratios to the floor of the same round: a machine that is slower today, in all or part of a run, is
in both of a pair. The floors' own times are shown, and judge nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median

from rich.console import Console
from rich.table import Table
from rich.text import Text
from scipy.stats import mannwhitneyu

from parity.bench import units
from parity.bench.machine import same_machine
from parity.bench.reading import when
from parity.bench.results import Group, Key, Results, Row, floor_of
from parity.bench.statistics import NOISE, ONE_IN, Interval, holm, is_noisy, quotient, rounds_needed
from parity.errors import BadInput, printable, shorten

SIZE = 3 * NOISE
"""By what share a row must be slower to be told: a choice of what one wants to hear, and no bound on an error.

The same code in two processes differs by what no number of rounds averages out, such as where its memory happens to lie
(Mytkowicz et al., ASPLOS 2009). Twelve rows of NumPy in 30 processes on a shared machine, 20 rounds each, every process
compared with every other: one row or more was slower in 7 % of comparisons at 10 %, in 2 % at 15 %, in 0.5 % at 20 %; a
row whose times were multiplied by 1.3 was found in 96 %, 91 %, 77 %. Timed again in a third process (`confirmed`), 1 %,
0.03 % and 0.01 % were left. So 15 %, and what is slower is timed again.
"""

SLOWER, FASTER, SAME = "slower", "faster", "same"
ONLY_OLD, ONLY_NEW = "only old", "only new"
NOW_DIFFERS, WAS_SKIPPED, NO_FLOOR = "now differs", "was skipped", "no floor"
STYLES = {SLOWER: "bold red", NOW_DIFFERS: "bold red", FASTER: "green", SAME: "dim"}

NAME = 16
"""The width of most names: columns that are as wide in every group stand below each other."""


@dataclass(frozen=True)
class Figures:
    """What a row was, is, and by how much that is more.

    Attributes
    ----------
    old, new : float
        Medians of the ratios to the floor; of seconds, where the row is a floor itself.
    ratio : Interval
        new / old.
    minima : float
        new / old of the least times, each beside its floor's least.
    p : float
        Of Mann and Whitney's test; in a `Comparison` after Holm's correction for all rows.
    """

    old: float
    new: float
    ratio: Interval
    minima: float
    p: float


@dataclass(frozen=True)
class Change:
    """One row of both runs, or of one.

    Attributes
    ----------
    figures : Figures or None
        None where there is nothing to compare.
    floor : bool
        Whether it is a floor itself.
    drift, busy : float
        Those of its group, the larger of the two runs'.
    note : str
        Why there is nothing to compare, in one line.
    """

    key: Key
    verdict: str
    figures: Figures | None = None
    floor: bool = False
    drift: float = 0.0
    busy: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """What has changed, row by row, and what else is different between the two runs, a line each.

    Attributes
    ----------
    made : tuple of str
        When the old run was made, and when the new one.
    """

    size: float
    rows: tuple[Change, ...]
    changed: tuple[str, ...]
    notes: tuple[str, ...]
    made: tuple[str, str]

    @property
    def regressions(self) -> tuple[Change, ...]:
        """What is slower beside its floor, and what was right and is no more."""
        return tuple(row for row in self.rows if row.verdict in (SLOWER, NOW_DIFFERS) and not row.floor)


@dataclass(frozen=True)
class _Timed:
    """The samples to compare: those of a row, or of both rows divided by their floors; and the least time likewise."""

    samples: list[float]
    least: float

    @classmethod
    def of(cls, row: Row, floor: Row | None) -> _Timed:
        if floor is None:
            return cls(list(row.samples), min(row.samples))
        pairs = zip(row.samples, floor.samples, strict=True)
        return cls([time / of_floor for time, of_floor in pairs], min(row.samples) / min(floor.samples))


@dataclass(frozen=True)
class _Place:
    """Where a row stands."""

    group: Group
    row: Row


def compare(old: Results, new: Results, size: float = SIZE, other_machine: bool = False) -> Comparison:
    """The changes from an old run to a new one, in the order of the new.

    A row is slower by more than `size` where all of these say so: the whole interval of the quotient; Mann and
    Whitney's test, with Holm's correction over all rows; the quotient of the least times, which one noisy stretch
    hardly moves. Where a core was shared with others it must be more (`told`). The test has two sides, for a row may
    be faster, which is told by the same three. It takes rounds as independent, which they are not quite: alone it would
    find every difference, however small and whatever its reason.

    Raises
    ------
    BadInput
        The machines differ, unless `other_machine`; no row was timed in both.
    """
    differs = same_machine(old.machine, new.machine)
    if differs and not other_machine:
        raise BadInput(
            f"the runs are of different machines ({differs}): compare runs of one, or say that this is wanted"
        )
    if not set(rows_worth_running(old)) & set(rows_worth_running(new)):
        raise BadInput("no row was timed in both runs: run what the old one did, with the same options")
    before, after = _places(old), _places(new)
    keys = dict.fromkeys([*after, *before])
    rows = _judged([row for key in keys if (row := _change(key, before.get(key), after.get(key)))], size)
    changed = [f"machine: {differs}"] if differs else []
    changed += _surroundings(old, new)
    return Comparison(size, tuple(rows), tuple(changed), tuple(_notes(rows, old, new)), (when(old), when(new)))


def rows_worth_running(old: Results) -> tuple[Key, ...]:
    """What a new run has to time to be compared with an old one: all that was timed then, floors included."""
    return tuple(row.key for group in old.groups for row in group.rows if row.samples)


def worth_confirming(comparison: Comparison) -> tuple[Key, ...]:
    """What a fresh process has to time again before a row is called slower: those that are, and their floors."""
    slower = [row for row in comparison.regressions if row.verdict == SLOWER]
    headings = set(map(_heading, slower))
    floors = [row for row in comparison.rows if row.floor and _heading(row) in headings]
    return tuple(row.key for row in (*floors, *slower))


def confirmed(first: Comparison, again: Comparison) -> Comparison:
    """The first comparison, where only that is slower which is so in both: a second one of the same old run.

    A process may be slow in one row from its beginning to its end, and no statistic of its rounds shows that.
    """
    second = {row.key: row for row in again.rows if row.figures}
    rows = (_confirmed(row, second.get(row.key)) for row in first.rows)
    return replace(first, rows=tuple(rows))


def _confirmed(row: Change, again: Change | None) -> Change:
    if row.floor or row.verdict != SLOWER or again is None or again.verdict == SLOWER:
        return row
    assert row.figures
    assert again.figures
    ratios = (figures.ratio.median for figures in (row.figures, again.figures))
    return replace(row, verdict=SAME, note="{:.2f} at first, {:.2f} when timed again".format(*ratios))


def _places(results: Results) -> dict[Key, _Place]:
    return {row.key: _Place(group, row) for group in results.groups for row in group.rows}


def _change(key: Key, old: _Place | None, new: _Place | None) -> Change | None:
    """A row before it is judged; None where neither run timed it."""
    drift = max(place.group.drift for place in (old, new) if place)
    busy = max(place.group.busy for place in (old, new) if place)
    timed_before, timed_now = bool(old and old.row.samples), bool(new and new.row.samples)
    if old and new and timed_before and timed_now:
        return _beside_floor(Change(key, SAME, drift=drift, busy=busy), old, new)
    if timed_now:
        return Change(key, ONLY_NEW, drift=drift, note=_reason(old))
    if not timed_before:
        return None
    if new and new.row.verdict == "differs":
        return Change(key, NOW_DIFFERS, drift=drift, note=new.row.fault)
    return Change(key, WAS_SKIPPED if new else ONLY_OLD, drift=drift, note=_reason(new))


def _reason(place: _Place | None) -> str:
    return (place.row.fault or place.row.skipped) if place else ""


def _beside_floor(change: Change, old: _Place, new: _Place) -> Change:
    """With its figures; floors stand for themselves. The old run's floor is that of both, if both have timed it."""
    floors = _floors(change.key, old, new)
    if floors is None:
        return replace(change, verdict=NO_FLOOR, note="the two runs have timed no floor in common")
    before, now = (_Timed.of(place.row, floor) for place, floor in zip((old, new), floors, strict=True))
    figures = Figures(
        median(before.samples),
        median(now.samples),
        quotient(now.samples, before.samples),
        now.least / before.least,
        _mann_whitney(now.samples, before.samples),
    )
    return replace(change, figures=figures, floor=None in floors)


def _floors(key: Key, old: _Place, new: _Place) -> tuple[Row | None, Row | None] | None:
    """What a row of both runs is held against; two times None for one that is a floor, None where they share none."""
    if new.row.verdict == "floor":
        return None, None
    for name in (old.group.floor, new.group.floor):
        before, now = floor_of(old.group, key, name), floor_of(new.group, key, name)
        if before and now:
            return before, now
    return None


def _mann_whitney(new: list[float], old: list[float]) -> float:
    """Exact where no two samples are equal: SciPy's own choice from nine on is ten times too large for so few."""
    method = "exact" if len({*new, *old}) == len(new) + len(old) else "asymptotic"
    return float(mannwhitneyu(new, old, alternative="two-sided", method=method).pvalue)


def _judged(rows: Sequence[Change], size: float) -> list[Change]:
    """With the p-values of all rows adjusted, and with verdicts."""
    adjusted = iter(holm([row.figures.p for row in rows if row.figures]))
    found = [row.figures and replace(row.figures, p=next(adjusted)) for row in rows]
    return [
        replace(row, figures=figures, verdict=_verdict(figures, told(size, row.busy))) if figures else row
        for row, figures in zip(rows, found, strict=True)
    ]


def told(size: float, busy: float) -> float:
    """The ratio from which on a row is slower: by `size`, and by what a core costs that does other work as well.

    Who never waits then takes 1 / (1 − busy) of the time, a floor among them; who waits for other threads may not.
    """
    return (1 + size) / (1 - busy) if busy < 1 else float("inf")


def _verdict(figures: Figures, times: float) -> str:
    significant = figures.p * ONE_IN <= 1
    if significant and min(figures.ratio.low, figures.minima) > times:
        return SLOWER
    return FASTER if significant and max(figures.ratio.high, figures.minima) * times < 1 else SAME


def _surroundings(old: Results, new: Results) -> Iterator[str]:
    """What may be the reason of a change."""
    if old.commit != new.commit:
        yield printable(f"commit: {old.commit} → {new.commit}")
    for kind in ("versions", "flags", "switches"):
        before, now = getattr(old, kind), getattr(new, kind)
        for name in dict.fromkeys([*before, *now]):
            if before.get(name) != now.get(name):
                one, other = (shorten(str(of.get(name, "—"))) for of in (before, now))
                yield printable(f"{kind}: {name} {one} → {other}")
    if _libraries(old) != _libraries(new):
        yield f"libraries: {_libraries(old)} → {_libraries(new)}"


def _libraries(results: Results) -> str:
    names = ("internal_api", "version", "architecture", "num_threads")
    return printable("; ".join(" ".join(str(one.get(n) or "?") for n in names) for one in results.libraries) or "none")


def _notes(rows: Sequence[Change], old: Results, new: Results) -> Iterator[str]:
    """What makes the comparison weaker than it looks."""
    judged = [row for row in rows if row.figures]
    rounds = min((len(group.sentinel) for run in (old, new) for group in run.groups if group.sentinel), default=0)
    needed = rounds_needed(len(judged))
    if judged and rounds < needed:
        yield f"{rounds} rounds cannot show a change in one of {len(judged)} rows: time {needed} or more"
    for name in sorted({f"{row.key.device}, {row.key.dtype}" for row in rows if row.verdict == NO_FLOOR}):
        yield f"no floor in common on {name}: its rows are not compared"


def show(comparison: Comparison, to: Console) -> None:
    """When they were made, a table for each group that the new run has, what else has changed, a line that counts."""
    to.print(printable("old: {}; new: {}".format(*comparison.made)), "", style="dim", sep="\n", soft_wrap=True)
    headings = list(dict.fromkeys(map(_heading, comparison.rows)))
    rows = sorted(comparison.rows, key=lambda row: headings.index(_heading(row)))
    for heading, of_heading in groupby(rows, key=_heading):
        of_group = list(of_heading)
        if any(row.verdict != ONLY_OLD for row in of_group):
            _show_group(heading, of_group, to)
    to.print(_legend(comparison.size), style="dim")
    for title, lines in (("different between the runs", comparison.changed), ("note", comparison.notes)):
        if lines:
            to.print("", title, *(f"  {line}" for line in lines), sep="\n", soft_wrap=True)
    to.print()
    to.print(totals(comparison), style="bold", soft_wrap=True)


def totals(comparison: Comparison) -> str:
    """One line: the rows by verdict, floors left out."""
    counts = Counter(row.verdict for row in comparison.rows if not row.floor)
    compared = sum(counts[verdict] for verdict in (SLOWER, FASTER, SAME))
    rest = [f"{counts[verdict]} {verdict}" for verdict in (NOW_DIFFERS, WAS_SKIPPED, ONLY_OLD, ONLY_NEW, NO_FLOOR)]
    noisy = sum(is_noisy(row.drift) for row in comparison.rows if row.figures and not row.floor)
    rows = "row" if compared == 1 else "rows"
    return (
        f"{compared} {rows} compared: {counts[SLOWER]} slower, {counts[FASTER]} faster, {counts[SAME]} the same"
        + "".join(f"; {text}" for text in rest if not text.startswith("0 "))
        + (f"; {noisy} in NOISY groups" if noisy else "")
    )


def _heading(row: Change) -> str:
    key = row.key
    return printable(" · ".join((key.case, key.work, key.dtype, key.device, units.count(key.threads, "thread"))))


def _show_group(heading: str, rows: list[Change], to: Console) -> None:
    drift = max(row.drift for row in rows)
    to.print(
        heading + (f"  NOISY: drift {units.percent(drift)}" if is_noisy(drift) else ""), style="bold", soft_wrap=True
    )
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", min_width=NAME, overflow="fold")
    for title, width in (("old", 8), ("new", 8), ("new / old", 19), ("p", 6), ("verdict", 11)):
        table.add_column(title, min_width=width, justify="left" if title == "verdict" else "right", no_wrap=True)
    for row in rows:
        verdict = Text(row.verdict, "dim" if row.floor else STYLES.get(row.verdict, ""))
        table.add_row(Text(printable(row.key.implementation)), *_shown(row.figures, row.floor), verdict)
    to.print(table)
    for row in rows:
        if row.note:
            to.print(printable(f"  {row.key.implementation}: {row.note}"), style="dim", soft_wrap=True)
    to.print()


def _shown(figures: Figures | None, floor: bool) -> tuple[str, str, str, str]:
    if figures is None:
        return "", "", "", ""
    shown = units.seconds if floor else units.digits
    ratio = figures.ratio
    interval = f"{ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
    return shown(figures.old), shown(figures.new), interval, f"{figures.p:.1g}"


def _legend(size: float) -> str:
    likely = units.percent(1 - 1 / ONE_IN)
    return (
        "old, new   median of the ratios to the floor; of a floor its time, not judged"
        f"\nnew / old  with its {likely} interval; p by Mann and Whitney, corrected for all rows"
        f"\nslower     by more than {units.percent(size)}: the interval, p and the least times all say so"
    )
