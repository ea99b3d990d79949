"""Every drawing of the site by its name, each made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from markupsafe import Markup

from parity.study import deep, graph, networks, plots
from parity.study.svg import lean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN: dict[str, Callable[[], Markup]] = {
    "computation_graph": graph.computation_graph,
    "one_example": graph.one_example,
    "shallow_units": networks.shallow_units,
    "shallow_graph": networks.shallow_graph,
    "collapse": networks.collapse,
    "deep_units": deep.deep_units,
    "deep_blocks": deep.deep_blocks,
    "xor_deep": deep.xor_deep,
    "xor_shallow": deep.xor_shallow,
}

_PLOTTED: dict[str, Callable[[], Figure]] = {
    "nudge": plots.nudge,
    "loss": plots.loss,
    "convex": plots.convex,
    **{name: partial(plots.activation, name) for name in plots.FORMULAS},
    "learning_rates": plots.learning_rates,
    "initialisation": plots.initialisation,
    "scale": plots.scale,
}


def _plotted(name: str) -> Markup:
    return lean(plots.drawn(name, _PLOTTED[name]))


FIGURES: dict[str, Callable[[], Markup]] = {
    **{name: cache(draw) for name, draw in _DRAWN.items()},
    **{name: cache(partial(_plotted, name)) for name in _PLOTTED},
}
"""By name, a function that gives the drawing as inline SVG: each is drawn once in a process."""
