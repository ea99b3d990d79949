"""What the site is made of, computed: the matrix, the numbers under the code, the drawings, and the other pages.

What the registry names is looked up before anything is computed. The drawings and the pages that are no chapters are
made in a process of their own, beside the matrix and the numbers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from parity import kept, run
from parity.errors import FOREIGN, one_line
from parity.names import available_names
from parity.processes import Pool
from parity.run import Cell, Plan, workers
from parity.study import complete, live, search, small
from parity.study import matrix as shown
from parity.study.cut import cut, installed
from parity.study.figures import FIGURES
from parity.study.matrix import Agreement
from parity.study.pages import SPECIAL, Site
from parity.study.registry import Block, Broken, Chapter, chapters
from parity.surroundings import machine, versions

GIVES_WAY = 10
"""How nice the process for drawings is, in POSIX's sense."""

Told = Callable[[str], None]
"""Told what begins."""


@dataclass(frozen=True)
class Matrix:
    """The run whose matrix the start page shows: one that is to be made, or the last one.

    Attributes
    ----------
    plan : Plan
    made : str
        When, as ISO 8601 has it; empty for one that is to be made.
    cells : sequence of Cell
    """

    plan: Plan
    made: str = ""
    cells: Sequence[Cell] = ()

    @classmethod
    def last(cls) -> Matrix:
        """The last whole run, if nothing has changed since; else one that is to be made."""
        return cls(kept.whole(), *(kept.last() or ("", ())))


def steps(matrix: Matrix) -> int:
    """How often `build` tells something.

    Raises
    ------
    Broken
        As `check`.
    """
    check(chapters())
    cells = 0 if matrix.made else len(matrix.plan)
    return cells + live.steps(chapters()) + len(_drawings(chapters())) + len(SPECIAL)


def build(matrix: Matrix, results: Path | None, told: Told) -> tuple[Site, Sequence[Cell]]:
    """The site, and the cells of the matrix that is on it.

    Parameters
    ----------
    matrix : Matrix
        It is run, unless it has been.
    results : Path or None
        A kept run of `parity bench`.

    Raises
    ------
    Broken
        The registry names what is not there, or a function is on no page.
    """
    known = chapters()
    check(known)
    with Pool(1) as pool:
        pool.submit(settle)
        drawn = {name: pool.submit(draw, name) for name in _drawings(known)}
        special = {name: pool.submit(page, name, results) for name in SPECIAL}
        with workers(available_names(), processes=True) as worker:
            running = iter(matrix.cells) if matrix.made else run.cells(matrix.plan, worker, told)
            first = list(islice(running, 1))  # who asks for a cell hands out all: the numbers come after, the bar moves
            numbers = live.Work(worker, known)
            cells = [*first, *running]
            tables = numbers.done(told)
        return Site(
            chapters=known,
            tables=tables,
            figures=_collected(drawn, told),
            search=search.entries(known, {name: title for name, (title, _) in SPECIAL.items()}),
            matrix=shown.page(cells),
            special=_collected(special, told),
            stamp=stamp(matrix.made),
            agreements={(block.chapter, block.name): agreements(block, cells) for c in known for block in c.blocks},
        ), cells


def check(known: Sequence[Chapter], root: Path | None = None) -> None:
    """Look up all code, figures and numbers that the registry names, and every function that it should name.

    Raises
    ------
    Broken
        With the name of the first that is not there, or is on no page.
    """
    for chapter in known:
        for block in chapter.blocks:
            for name in block.figures:
                if name not in FIGURES:
                    raise Broken(f"{chapter.name}, block {block.name}: there is no figure {name!r}")
            for column in block.columns:
                for place in column.places:
                    with live.named((chapter.name, block.name)):
                        cut(column.package, place, root)
    for orphan in complete.orphans(known, root):
        raise Broken(orphan)
    live.check(known)


def draw(name: str) -> Any:
    """A drawing, in the process that is for it."""
    return FIGURES[name]()


def page(name: str, results: Path | None) -> dict[str, Any]:
    """What a page that is no chapter shows, in the process that is for it."""
    of = import_module(f"parity.study.{name}").page
    found: dict[str, Any] = of(results) if name == "benchmark" else of()
    return found


def settle(nice: int = GIVES_WAY) -> None:
    """The process for drawings gives way, since the frameworks take longest, and is quiet.

    What matplotlib says on a machine where it has yet to look for fonts would stand amid the bar, or in a pipe.
    """
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    if hasattr(os, "nice"):  # not on Windows
        os.nice(nice)


def kept_bench(root: Path | None = None) -> Path | None:
    """The first of the runs of `parity bench` that a checkout keeps; None where there is none, or no checkout."""
    root = root or installed("parity")
    return min((root / "results").glob("*.json"), default=None) if (root / "pyproject.toml").is_file() else None


def agreements(block: Block, cells: Sequence[Cell]) -> list[Agreement]:
    """What the matrix found of the first quantity that stands under a block."""
    for of in block.live:
        if of.quantity:
            return shown.agreement(cells, small.problem(of.problem).model, of.quantity)
    return []


def stamp(matrix: str = "") -> dict[str, Any]:
    """When, with what, and where: the only thing in which two sites of the same inputs differ."""
    at, now = machine(), datetime.now(UTC)
    return {
        "when": _minute(now),
        "matrix": _minute(datetime.fromisoformat(matrix) if matrix else now),
        "versions": {name: version for name, version in versions().items() if version},
        "machine": f"{at['processor']}, {at['platform']}, Python {at['python']}",
    }


def _minute(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _drawings(known: Iterable[Chapter]) -> list[str]:
    """The drawings that stand on a page, each once."""
    return list(dict.fromkeys(name for chapter in known for block in chapter.blocks for name in block.figures))


def _collected(waited: dict[str, Future[Any]], told: Told) -> dict[str, Any]:
    found = {}
    for name, future in waited.items():
        told(name)
        try:
            found[name] = future.result()
        except FOREIGN as error:  # of a framework or an implementation, or their process died
            raise Broken(f"{name}: {one_line(error)}") from error
    return found
