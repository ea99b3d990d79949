"""What a kept run of `parity bench` says at a glance: ratios to the floor, growth, which framework for which size.

The machine and the date are those of that run, and part of what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from markupsafe import Markup

from parity.bench import page as bench_page
from parity.bench import plots, reading, units
from parity.bench.reading import Line, Reading
from parity.bench.results import Results, load
from parity.bench.statistics import NOISE, ratio
from parity.drawing import as_svg, own_style

FRAMEWORKS = {"reference": "NumPy", "torch": "PyTorch", "jax": "JAX"}
"""What the names of implementations begin with."""

DRAWN = ("ratio", "time")
"""The kinds of pictures that are shown; `parity bench --html` has all."""


def page(results: Path | None) -> dict[str, Any]:
    """What benchmark.html.jinja shows of a kept run; without one, how to make it."""
    if results is None:
        return {"run": None, "pictures": [], "cases": [], "series": []}
    found = load(results)
    return {
        "run": _run(found, results),
        "pictures": list(pictures(found)),
        "cases": [_case(of) for of in reading.readings(found) if any(not line.is_floor for line in of.lines)],
        "series": _series(found),
        "frameworks": list(FRAMEWORKS.values()),
    }


def _run(results: Results, file: Path) -> dict[str, str]:
    """Where, when and how."""
    return {
        "file": file.name,
        "machine": reading.machine_name(results),
        "when": reading.when(results),
        "command": reading.asked(results),
        "totals": str(reading.totals(results)),
        "noise": units.percent(NOISE),
        "noisy": units.count(sum(1 for _ in reading.noisy(results)), "group"),
    }


def pictures(results: Results) -> Iterator[dict[str, Any]]:
    """Those that are shown, as SVG to stand in a page; none without matplotlib."""
    if find_spec("matplotlib") is None:
        return
    with own_style():
        for name, draw in plots.pictures(results).items():
            if name.startswith(DRAWN):
                figure = draw()
                # matplotlib escaped what it wrote
                yield {"title": figure.get_suptitle(), "svg": Markup(bench_page.inline(as_svg(figure), name))}


def _case(of: Reading) -> dict[str, Any]:
    """The fastest implementation of each framework, and which of them is the fastest of all, if that can be told."""
    fastest = {title: _fastest(of, name) for name, title in FRAMEWORKS.items()}
    timed = [line for line in fastest.values() if line]
    first = min(timed, key=lambda line: line.ratio.median, default=None)
    level = [line for line in timed if first and line is not first and not slower(line, first)]
    return {
        "case": of.key.case,
        "where": str(of.place),
        "noisy": of.noisy,
        "cells": [line and {**_cell(line), "said": _said(line, first, level)} for line in fastest.values()],
    }


def slower(line: Line, than: Line) -> bool:
    """Whether the ratio of the two in the same rounds is above 1 with its whole interval."""
    return ratio(line.row.samples, than.row.samples).low > 1


def _said(line: Line, first: Line | None, level: list[Line]) -> str:
    """Whether it is the fastest, or one of several that the run does not tell apart."""
    if line in level or (line is first and level):
        return "level"
    return "fastest" if line is first else ""


def _fastest(of: Reading, framework: str) -> Line | None:
    """The lines are in the order of their ratios."""
    own = (line for line in of.lines if not line.is_floor and line.name.partition("-")[0] == framework)
    return next(own, None)


def _cell(line: Line) -> dict[str, str]:
    return {
        "name": line.name,
        "ratio": units.digits(line.ratio.median),
        "interval": units.interval(line.ratio.low, line.ratio.high),
        "time": units.seconds(line.times.median),
    }


def _series(results: Results) -> list[dict[str, str]]:
    """Each series, with where one begins to beat another."""
    every = reading.growths(results)
    return [{"shape": g.shape, "where": str(g.place), "won": reading.won(g, every)} for g in every]
