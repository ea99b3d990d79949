"""What a person reads: the matrix, what differs and why, what was skipped and why, and one line that counts.

On a terminal rich draws it in colour, in a pipe it is plain text; neither is wider than 100 columns. `as_json` says the
same to a program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity import accuracy as ranking
from parity.compare import BITS, DIFFERS, ROUNDING, Comparison, Worst
from parity.formats import FORMATS
from parity.implementations import find
from parity.problems import Problem, catalogue
from parity.resemblance import UNKNOWN
from parity.run import Cell
from parity.surroundings import machine, versions

SCHEMA_VERSION = 2
TITLES = {"numpy": "NumPy", "jax": "JAX", "sklearn": "skl."}
VARIANTS = {"torch-compile": "comp."}
"""Columns are narrow, so that twelve of them fit."""

LABELS, CELL = 31, 4
"""The width of the labels, and of most cells: a narrow terminal gets several tables."""

STYLES = {BITS: "green", ROUNDING: "cyan", DIFFERS: "bold red"}


def show(cells: Sequence[Cell], to: Console, *, accuracy: bool = False) -> None:
    """The whole report, with the ranking by accuracy if wanted; the last line counts."""
    names = list(dict.fromkeys(cell.implementation for cell in cells))
    tables = _tables(names, to.width - LABELS)
    for model, of_model in groupby(cells, key=lambda cell: cell.problem.model):
        rows = list(of_model)
        for at_once in tables:
            to.print(_table(model, rows, at_once), "")
    to.print(legend(), style="dim")
    skips = Counter((cell.implementation, cell.skipped) for cell in cells if cell.skipped)
    if skips:
        to.print("\nskipped")
        for name in names:
            for reason, n in sorted((reason, n) for (skipped, reason), n in skips.items() if skipped == name):
                to.print(f"{n:5d}  {name}: {reason}", style="dim", soft_wrap=True)
    if accuracy:
        to.print("\naccuracy")
        ranking.show(cells, to)
    unusual = [(cell, c) for cell in cells for c in cell.comparisons if c.unusual]
    if unusual:
        to.print("\nunusual: inside the worst case, outside what is probable")
        for cell, c in unusual:
            to.print(
                f"  {cell.problem.name} {cell.dtype} on {cell.device}, {cell.implementation}: {element(c)}", style="dim"
            )
    differing = [cell for cell in cells if cell.first_difference]
    if differing:
        to.print("\ndiffers", style="bold red")
        for cell in differing:
            to.print(f"  {describe(cell)}", soft_wrap=True)
    to.print()
    to.print(totals(cells), style="bold", soft_wrap=True)


def legend() -> str:
    """How to read a cell."""
    return (
        "bits  every bit is that of the exact value, rounded"
        "\n2.5   within the bounds of rounding; worst error in ulp of the largest element"
        "\n2.5?  as that, but outside what is probable: unusual, and no failure"
        "\nzero  a gradient that must vanish, and does within what the solver promises"
        "\n✗ dW1 the first quantity that is neither     ·  skipped, with the reason below"
    )


def totals(cells: Iterable[Cell]) -> str:
    """One line: the comparisons by verdict, and the skipped cells."""
    verdicts: Counter[str] = Counter()
    for cell in cells:
        verdicts.update(c.verdict for c in cell.comparisons)
        verdicts["skipped"] += bool(cell.skipped)
    compared = sum(verdicts[v] for v in (BITS, ROUNDING, DIFFERS))
    return (
        f"{compared} comparisons: {verdicts[BITS]} identical bit for bit, "
        f"{verdicts[ROUNDING]} identical within rounding, {verdicts[DIFFERS]} differ; {verdicts['skipped']} skipped"
    )


def describe(cell: Cell) -> str:
    """Where a cell differs first, by how much, and what that looks like."""
    first = cell.first_difference
    assert first is not None
    where = f"{cell.problem.name} {cell.dtype} on {cell.device}, {cell.implementation}"
    worst = first.worst
    if worst is None:
        return f"{where}: {first.quantity}: {first.looks_like}"
    what = "nothing known" if first.looks_like == UNKNOWN else first.looks_like
    truth = "its own inputs give" if worst is first.local else "exact"
    return (
        f"{where}: {element(first)} is {worst.value:.17g}, {truth} {worst.target:.17g}, bound {worst.bound:.2g}; "
        f"it looks like {what}"
    )


def element(comparison: Comparison) -> str:
    """dW1[3, 2], or J."""
    index = comparison.worst.index if comparison.worst else ()
    return comparison.quantity + (f"[{', '.join(map(str, index))}]" if index else "")


def _table(model: str, cells: list[Cell], names: list[str]) -> Table:
    table = Table(
        title=model.replace("_", " "), title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0)
    )
    table.add_column("", no_wrap=True)
    table.add_column("", no_wrap=True, style="dim")
    for name in names:
        table.add_column(header(name), justify="right", no_wrap=True, min_width=CELL)
    for _, of_problem in groupby(cells, key=lambda cell: (cell.problem.name, cell.device)):
        row = list(of_problem)
        label = row[0].problem.name + ("" if row[0].device == "cpu" else f" {row[0].device}")
        for dtypes, texts in merged(row, names):
            table.add_row(label, formats(dtypes, row[0].problem), *texts)
            label = ""
    return table


def _tables(names: Sequence[str], width: int) -> list[list[str]]:
    """The columns in turn, as many to a table as there is room for."""
    tables: list[list[str]] = [[]]
    left = width
    for name in names:
        own = 1 + max(CELL, *map(len, header(name).split("\n")))
        if own > left and tables[-1]:
            tables.append([])
            left = width
        tables[-1].append(name)
        left -= own
    return tables


def header(name: str) -> str:
    """An implementation's column: framework over variant."""
    implementation = find(name)
    framework = TITLES.get(implementation.framework, implementation.framework)
    return f"{framework}\n{VARIANTS.get(name, implementation.variant)}"


def merged(row: list[Cell], names: list[str]) -> Iterable[tuple[list[str], list[Text]]]:
    """The formats of a problem, those with the same cells on one line."""
    lines: dict[tuple[str, ...], list[str]] = {}
    texts: dict[tuple[str, ...], list[Text]] = {}
    for dtype, of_dtype in groupby(row, key=lambda cell: cell.dtype):
        by_name = {cell.implementation: cell_text(cell) for cell in of_dtype}
        key = tuple(by_name[name].plain for name in names)
        lines.setdefault(key, []).append(dtype)
        texts[key] = [by_name[name] for name in names]
    return [(dtypes, texts[key]) for key, dtypes in lines.items()]


def formats(dtypes: list[str], problem: Problem) -> str:
    """The formats in short: f64 f32, half for both of 16 bits, all where a problem is used in no other."""
    if len(dtypes) > 2 and len(dtypes) == len(problem.dtypes):
        return "all" if len(dtypes) == len(FORMATS) else f"all {len(dtypes)}"
    shorts = [FORMATS[dtype].short for dtype in dtypes]
    return " ".join(shorts).replace("bf16 f16", "half")


def cell_text(cell: Cell) -> Text:
    """What stands in a cell of the matrix, in the colour of its verdict."""
    if cell.skipped:
        return Text("·", "dim")
    first = cell.first_difference
    if first:
        return Text(f"✗ {first.quantity}", STYLES[DIFFERS])
    if all(c.verdict == BITS for c in cell.comparisons):
        return Text(BITS, STYLES[BITS])
    unusual = "?" if any(c.unusual for c in cell.comparisons) else ""
    return Text((short(max(c.ulps for c in cell.comparisons)) or "zero") + unusual, STYLES[ROUNDING])


def short(x: float) -> str:
    """Two digits in at most five characters: 0.97, 7.6, 56, 2e4; nothing for zero."""
    return f"{x:.2g}" if 0 < x < 100 else f"{x:.0e}".replace("e+0", "e") if x else ""


def as_json(cells: Sequence[Cell]) -> dict[str, object]:
    """The report for a program, schema version 2: a key that is added keeps the version, one that changes does not."""
    return {
        "schema": "parity.run",
        "schema_version": SCHEMA_VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "totals": totals(cells),
        "cells": [_cell_json(cell) for cell in cells],
    }


def _cell_json(cell: Cell) -> dict[str, object]:
    return {
        "problem": cell.problem.name,
        "fingerprint": cell.problem.fingerprint,
        "model": cell.problem.model,
        "dtype": cell.dtype,
        "device": cell.device,
        "implementation": cell.implementation,
        "skipped": cell.skipped or None,
        "comparisons": [_comparison_json(c) for c in cell.comparisons],
    }


def _comparison_json(c: Comparison) -> dict[str, object]:
    return {
        "quantity": c.quantity,
        "verdict": c.verdict,
        "unusual": c.unusual,
        "follows": c.follows,
        "looks_like": c.looks_like or None,
        **{name: _finite(getattr(c, name)) for name in ("ulps", "element_ulps", "share", "yardstick")},
        "end_to_end": _worst_json(c.end_to_end),
        "local": _worst_json(c.local),
    }


def _worst_json(worst: Worst | None) -> dict[str, object] | None:
    if worst is None:
        return None
    numbers = {name: _finite(getattr(worst, name)) for name in ("value", "target", "error", "bound", "share")}
    return {"index": list(worst.index), **numbers, "inside": worst.inside}


def cells(found: dict[str, Any]) -> list[Cell]:
    """The cells of what `as_json` gave, but for what it leaves out; a number that JSON has no name for is nan.

    Raises
    ------
    LookupError, TypeError
        It is another kind of report, or one of a problem that is not in the catalogue.
    """
    if (found["schema"], found["schema_version"]) != ("parity.run", SCHEMA_VERSION):
        raise LookupError(f"a report of {found['schema']} version {found['schema_version']}")
    return [
        Cell(
            catalogue.build(of["problem"]), of["dtype"], of["device"], of["implementation"],
            tuple(_comparison(c) for c in of["comparisons"]), of["skipped"] or "",
        )
        for of in found["cells"]
    ]  # fmt: skip


def _comparison(of: dict[str, Any]) -> Comparison:
    given: dict[str, Any] = {name: of[name] for name in ("quantity", "verdict", "unusual", "follows")}
    given |= {name: _number(of[name]) for name in ("ulps", "element_ulps", "yardstick")}
    given |= {name: _worst(of[name]) for name in ("end_to_end", "local")}
    return Comparison(**given, looks_like=of["looks_like"] or "")


def _worst(of: dict[str, Any] | None) -> Worst | None:
    if of is None:
        return None
    numbers = {name: _number(of[name]) for name in ("value", "target", "error", "bound", "share")}
    return Worst(tuple(of["index"]), **numbers, inside=of["inside"])


def _number(x: float | None) -> float:
    return float("nan") if x is None else x


def _finite(x: float) -> float | None:
    """Numbers that JSON has no name for (inf, nan) are null."""
    return x if abs(x) < float("inf") else None
