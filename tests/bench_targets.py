"""What the benchmark is to show, read off runs of it.

    parity bench --json one.json; python -m tests.bench_targets one.json two.json three.json

A figure is a ratio of two rows of one group, the median over pairs of the same round; one column a run. Exit status: 0
every target is met in every run, 1 one is missed or a row is not there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from parity.bench import statistics
from parity.bench.results import Group, Results, Row, load
from parity.cli import DIFFERS, OK
from parity.paper import console

DEEP, LOGISTIC, SMALL = "deep-784-256-64-1-m10000", "logistic-784-1-m60000", "shallow-2-4-1-m400"
FRAMEWORKS = ("torch-eager", "torch-compile", "jax-jit", "sklearn-loss")
FLOOR = ""
DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Target:
    """The time of a row is to be at most so many times that of another of its group.

    Attributes
    ----------
    beside : tuple of str
        Implementations, of which the fastest counts; `FLOOR`: the group's floor.
    """

    case: str
    mine: str
    at_most: float
    beside: tuple[str, ...] = (FLOOR,)
    work: str = "step"

    @property
    def what(self) -> str:
        """In words."""
        other = (
            "floor" if self.beside == (FLOOR,) else "the fastest framework" if len(self.beside) > 1 else self.beside[0]
        )
        return f"{self.case.partition('-')[0]} {self.work}: {self.mine} / {other}"


TARGETS = (
    Target(DEEP, "reference", 1.15),
    Target(DEEP, "reference-tuned", 1.08),
    Target(DEEP, "torch-eager", 1.10),
    Target(DEEP, "torch-compile", 1.07),
    Target(DEEP, "jax-jit", 1.3),
    Target(LOGISTIC, "reference", 1.06),
    Target(LOGISTIC, "reference-tuned", 0.80),
    Target(LOGISTIC, "reference-tuned", 1.0, FRAMEWORKS),
    Target(LOGISTIC, "torch-eager", 1.10),
    Target(LOGISTIC, "torch-compile", 1.05),
    Target(LOGISTIC, "jax-jit", 1.10),
    Target(SMALL, "reference", 1.05, ("jax-jit",)),
    Target(SMALL, "reference-tuned", 0.45, ("jax-jit",)),
    Target(SMALL, "torch-eager", 0.7, ("torch-formula",)),
    Target(SMALL, "torch-compile", 0.5, ("torch-apart",)),
    Target(SMALL, "jax-jit", 0.2, ("jax-stepped",), "train"),
)
BANDWIDTH = 0.70
"""Of one-pass bandwidth, for the tuned logistic regression."""


def group_of(results: Results, case: str, work: str, dtype: str) -> Group | None:
    """The rows on one thread of the cpu."""
    for group in results.groups:
        key = group.rows[0].key
        if (key.case, key.work, key.dtype, key.device, key.threads) == (case, work, dtype, "cpu", 1):
            return group
    return None


def rows_of(group: Group | None) -> dict[str, Row]:
    """Those that were timed."""
    return {row.key.implementation: row for row in group.rows if row.samples} if group else {}


def figure(results: Results, target: Target, dtype: str) -> float | None:
    """The ratio; None where a row is not there."""
    group = group_of(results, target.case, target.work, dtype)
    rows = rows_of(group)
    names = [group.floor if name == FLOOR and group else name for name in target.beside]
    others = [rows[name] for name in names if name in rows]
    if target.mine not in rows or not others:
        return None
    mine = rows[target.mine].samples
    return max(statistics.ratio(mine, other.samples).median for other in others)


def share(results: Results, dtype: str) -> float | None:
    """The share of one-pass bandwidth that the tuned logistic regression reaches."""
    row = rows_of(group_of(results, LOGISTIC, "step", dtype)).get("reference-tuned")
    return row.peak_share if row and row.bound_by == "bytes" else None


def main(paths: Sequence[str]) -> int:
    """Print a table a format; the exit status."""
    runs, missed, to = [load(path) for path in paths], False, console()
    for dtype in DTYPES:
        table = Table(
            dtype, "target", *(f"run {i}" for i in range(1, len(runs) + 1)), "", box=None, padding=(0, 2, 0, 0)
        )
        for target in TARGETS:
            figures = [figure(results, target, dtype) for results in runs]
            ok = all(f is not None and f <= target.at_most for f in figures)
            missed |= not ok and dtype == DTYPES[0]
            table.add_row(target.what, f"≤ {target.at_most}", *map(_shown, figures), "" if ok else "missed")
        figures = [share(results, dtype) for results in runs]
        ok = all(f is not None and f >= BANDWIDTH for f in figures)
        missed |= not ok and dtype == DTYPES[0]
        table.add_row(
            "logistic step: reference-tuned, of bandwidth",
            f"≥ {BANDWIDTH}",
            *map(_shown, figures),
            "" if ok else "missed",
        )
        to.print(table)
    return DIFFERS if missed else OK


def _shown(figure: float | None) -> str:
    return "—" if figure is None else f"{figure:.3f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
