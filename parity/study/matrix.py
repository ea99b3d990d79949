"""The parity matrix as the pages show it: the tables of the start page, and what was found of one quantity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from parity.compare import BITS, DIFFERS, ROUNDING
from parity.implementations import find
from parity.kept import FAILED
from parity.report import cell_text, describe, formats, header, merged, short, totals
from parity.run import Cell

SKIPPED = "skipped"


@dataclass(frozen=True)
class Agreement:
    """What the matrix found of one quantity of a model in one framework.

    Attributes
    ----------
    framework : str
        As in `Implementation.framework`.
    problems, bits, rounding, differs : int
        The problems on which it was compared; the comparisons by their verdict.
    """

    framework: str
    problems: int
    bits: int
    rounding: int
    differs: int

    @property
    def verdict(self) -> str:
        """The worst of them."""
        return DIFFERS if self.differs else ROUNDING if self.rounding else BITS

    @property
    def counts(self) -> list[tuple[str, int]]:
        """The verdicts that occur, and how often."""
        found = {BITS: self.bits, ROUNDING: self.rounding, DIFFERS: self.differs}
        return [(verdict, n) for verdict, n in found.items() if n]


def page(cells: Sequence[Cell]) -> dict[str, Any]:
    """The tables, a table a model, with what differs and what was skipped in words."""
    names = list(dict.fromkeys(cell.implementation for cell in cells))
    by_model = groupby(cells, key=lambda cell: cell.problem.model)
    skips = Counter((cell.implementation, cell.skipped) for cell in cells if cell.skipped)
    return {
        "totals": totals(cells),
        "models": [
            {
                "title": model.replace("_", " "),
                "columns": [header(name) for name in names],
                "rows": list(_rows(list(of_model), names)),
            }
            for model, of_model in by_model
        ],
        "differing": [describe(cell) for cell in cells if cell.first_difference],
        "skips": [{"name": name, "reason": reason, "cells": n} for (name, reason), n in sorted(skips.items())],
    }


def _rows(cells: list[Cell], names: list[str]) -> Iterator[dict[str, Any]]:
    for _, of_problem in groupby(cells, key=lambda cell: (cell.problem.name, cell.device)):
        row = list(of_problem)
        problem, of_dtype = row[0].problem, {(cell.dtype, cell.implementation): cell for cell in row}
        device = "" if row[0].device == "cpu" else f" {row[0].device}"
        for dtypes, _ in merged(row, names):
            yield {
                "problem": problem.name + device,
                "note": problem.note or problem.source,
                "dtypes": formats(dtypes, problem),
                "cells": [_cell([of_dtype[dtype, name] for dtype in dtypes]) for name in names],
            }


def _cell(cells: list[Cell]) -> dict[str, str]:
    """One cell for formats in which the same stands."""
    return {"text": cell_text(cells[0]).plain, "kind": _kind(cells[0]), "title": _said(cells)}


def _kind(cell: Cell) -> str:
    verdicts = {comparison.verdict for comparison in cell.comparisons}
    return SKIPPED if cell.skipped else next(v for v in (DIFFERS, ROUNDING, BITS) if v in verdicts)


def _said(cells: list[Cell]) -> str:
    """The same in words."""
    if cells[0].skipped:
        return f"{cells[0].implementation}, skipped: {cells[0].skipped}"
    found = [comparison for cell in cells for comparison in cell.comparisons]
    worst = max(found, key=lambda comparison: comparison.ulps)
    most = f", at most {short(worst.ulps)} ulp in {worst.quantity}" if worst.ulps else ""
    return f"{cells[0].implementation}: {len(found)} comparisons{most}"


def agreement(cells: Sequence[Cell], model: str, quantity: str) -> list[Agreement]:
    """What was found of a quantity, framework by framework; of those that do not compute it, nothing.

    Where an implementation failed, every quantity differs.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for cell in cells:
        if cell.problem.model == model:
            verdicts = [c.verdict for c in cell.comparisons if c.quantity in (quantity, FAILED)]
            of = found.setdefault(find(cell.implementation).framework, [])
            of += [(cell.problem.name, verdict) for verdict in verdicts]
    return [_agreement(framework, of) for framework, of in found.items() if of]


def _agreement(framework: str, found: list[tuple[str, str]]) -> Agreement:
    verdicts = Counter(verdict for _, verdict in found)
    problems = len({problem for problem, _ in found})
    return Agreement(framework, problems, verdicts[BITS], verdicts[ROUNDING], verdicts[DIFFERS])
