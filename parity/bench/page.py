"""One HTML page of a run that needs nothing else: no script, no font, no picture from elsewhere.

The words and the layout are in page.html.jinja; whatever comes from outside is escaped there.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from parity.bench import plots, reading, skips, units
from parity.bench.columns import filled
from parity.bench.reading import Growth, Place, Reading
from parity.bench.results import Results
from parity.bench.statistics import NOISE
from parity.drawing import as_svg, own_style
from parity.errors import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = "page.html.jinja"

THEME = {
    "fill: #ffffff": "fill: none",
    "#000000": "currentColor",
    "#333333": "currentColor",
    plots.RULE: "var(--rule)",
    plots.PALE: "var(--noisy-back)",
    plots.WARNING: "var(--noisy)",
    plots.DIM: "var(--dim)",
}
"""The colours of paper and ink in a picture, and what they are on the page."""

NOTHING = "—"


def page(results: Results) -> str:
    """The whole page; without matplotlib it has no pictures, and says so."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, finalize=_shown,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["said"] = said
    environment.globals |= {"units": units, "nothing": NOTHING}
    return environment.get_template(TEMPLATE).render(**_found(results), pictures=drawn(results)) + "\n"


def _shown(value: object) -> object:
    """What becomes of every value before it is escaped: nothing in it steers whoever shows the page's source."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _found(results: Results) -> dict[str, Any]:
    """What the template shows."""
    read = reading.readings(results)
    return {
        "results": results,
        "machine": _with_units(results.machine),
        "command": reading.command(results),
        "noise": f"{100 * NOISE:g} %",
        "totals": reading.totals(results),
        "machine_name": reading.machine_name(results),
        "when": reading.when(results),
        "places": _by_place([r for r in read if r.lines or r.differing]),
        "differing": [row for r in read for row in r.differing],
        "noisy": list(reading.noisy(results)),
        "reasons": skips.reasons(results),
        "columns": filled(reading.lines(results), terminal=False),
        "growths": grown(reading.growths(results)),
    }


def _with_units(machine: dict[str, Any]) -> dict[str, Any]:
    """The machine, its memories as sizes."""
    caches, memory = machine.get("caches"), machine.get("memory")
    sizes = {name: units.bytes_(n) for name, n in caches.items()} if isinstance(caches, dict) else caches
    return machine | {"caches": sizes, "memory": units.bytes_(memory) if isinstance(memory, int) else memory}


def _by_place(read: list[Reading]) -> dict[Place, list[Reading]]:
    return {place: [r for r in read if r.place == place] for place in dict.fromkeys(r.place for r in read)}


def grown(every: list[Growth]) -> list[dict[str, Any]]:
    """The series of each place, with the names that occur in them and the crossovers."""
    places = {growth.place: [g for g in every if g.place == growth.place] for growth in every}
    return [
        {
            "place": place,
            "series": series,
            "names": reading.grown(series),
            "crossovers": [(g.shape, said) for g in series if (said := reading.won(g, every))],
            "drift": max((drift for growth in series for drift in growth.drifts), default=None),
        }
        for place, series in places.items()
    ]


def said(value: object) -> str:
    """A value of the surroundings in one line."""
    if isinstance(value, dict):
        value = "; ".join(f"{name} {said(of)}" for name, of in value.items())
    if isinstance(value, list | tuple):
        value = ", ".join(said(of) for of in value)
    return NOTHING if value is None or value == "" else str(value)


def drawn(results: Results) -> list[dict[str, Any]] | None:
    """Every picture as SVG to stand in a page; None where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        return None
    with own_style():
        return [_picture(name, draw()) for name, draw in plots.pictures(results).items()]


def _picture(name: str, figure: Figure) -> dict[str, Any]:
    # matplotlib escaped what it wrote
    svg = Markup(inline(as_svg(figure), name))
    return {"kind": name.partition("-")[0], "title": figure.get_suptitle(), "svg": svg}


def inline(svg: str, name: str) -> str:
    """The element alone, without its style for all elements and its metadata, its identifiers made unique by `name`.

    A page has many pictures: equal identifiers would mix their markers, and a style would be that of the whole page.
    """
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style [^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", svg)
    svg = re.sub(r'style="[^"]*"', _themed, svg)
    svg = svg.replace("<title>", f'<title id="{name}-title">', 1).replace("<desc>", f'<desc id="{name}-desc">', 1)
    return svg.replace("<svg ", f'<svg aria-labelledby="{name}-title {name}-desc" ', 1).strip()


def _themed(style: re.Match[str]) -> str:
    """In the page's colours, which are others at night: a rule of its style would not reach a marker that is used."""
    text = style[0]
    for colour, theirs in THEME.items():
        text = text.replace(colour, theirs)
    return text
