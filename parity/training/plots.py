"""Pictures of a descent (matplotlib), each as SVG and PNG.

cost        J against the iteration, with the horizon
divergence  how far each implementation is from the exact trajectory, and each pair in J, beside the unit roundoff
boundaries  where a = 1/2 at the end, for two features

The same result gives the same bytes: no date, and identifiers in the SVG from a fixed salt. Text stays text there.
Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart.
"""

from __future__ import annotations

import os
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from itertools import combinations, cycle, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from parity.errors import BadInput
from parity.files import write_whole
from parity.formats import FORMATS
from parity.problems import Problem
from parity.training import Params
from parity.training.exact import half_a_unit
from parity.training.report import heading
from parity.training.result import Result
from parity.training.steps import Trail

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, GREY = COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7f7f7f",
)  # fmt: skip
PALE = "#e9e9e9"

STYLE: dict[str, Any] = {
    "svg.hashsalt": "parity",
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.constrained_layout.use": True,
}

WIDTH = 8.0
"""Inches: 800 pixels at 100 to the inch, and twice as many in the PNG."""

POINTS = 500
"""Of a curve with more than twice as many steps, so many stretches are drawn by their extremes."""

BROAD = 3.5
"""Points: lines that others lie on."""

STRIPE = 2.5
"""The length of a dash, in widths of its line."""

GRID = 300
"""Points on each side of the grid on which a boundary is looked for."""

PIECES = 50
"""So many lengths of a piece of a boundary make a side of the picture."""

NAMED = 6
"""So many pairs get a colour and a name each; of more, the one that parts most does."""

MOST = 2
"""The power of ten at which a relative distance ends: whatever is beyond says that nothing is left in common."""

IN_TURN = "Lines that lie on each other are seen in turn."

Line = tuple[np.ndarray, np.ndarray]


def writable_folder(path: str) -> Path:
    """The folder, made where there is none, once it is sure that pictures can be drawn and kept there.

    Raises
    ------
    BadInput
        matplotlib is not installed; it is a file, it cannot be made, or it cannot be written to.
    """
    if find_spec("matplotlib") is None:
        raise BadInput("pictures need matplotlib, which is not installed: pip install 'gradient-parity[plots]'")
    folder = Path(path)
    try:
        if not folder.is_dir():
            if folder.exists():
                raise BadInput(f"{folder} is a file: name a folder for the pictures")
            if not folder.parent.is_dir():
                raise BadInput(f"{folder.parent} is no folder: make it first, or name another one")
            folder.mkdir()
    except OSError as error:
        raise BadInput(f"{folder} cannot be made: {error.strerror or error}; name another folder") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput(f"{folder} cannot be written: permission denied; name another folder")
    return folder


def of_result(result: Result, folder: Path) -> list[Path]:
    """Draw what came of a descent into the folder; the boundaries only where there are two features and one output.

    Returns
    -------
    list of Path
        The files, each written whole.

    Raises
    ------
    BadInput
        A file could not be written.
    """
    problem = result.descent.problem
    pictures: dict[str, Callable[[Result], Figure]] = {"cost": cost, "divergence": divergence}
    if problem.X.shape[0] == 2 and problem.Y.shape[0] == 1:
        pictures["boundaries"] = boundaries
    with drawing():
        return [path for name, picture in pictures.items() for path in save(picture(result), folder / name)]


# What all pictures share ---------------------------------------------------------------------------------------------


@contextmanager
def drawing() -> Iterator[None]:
    """matplotlib's own defaults and `STYLE`, whatever the user's settings are; those are back afterwards."""
    import matplotlib.style

    with matplotlib.style.context(["default", STYLE]):
        yield


def sheet(title: str, caption: str, height: float) -> Figure:
    """An empty figure with a title above and a caption below, which are also its title and description in the files."""
    from matplotlib.figure import Figure

    figure = Figure((WIDTH, height))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, parse_math=False)  # a user's file may have a $ in its name
    text = "\n".join(textwrap.wrap(caption.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"), 130))
    figure.supxlabel(text, x=0.01, ha="left", fontsize=8, color="#333333", parse_math=False)
    return figure


def save(figure: Figure, path: Path) -> list[Path]:
    """`path` with .svg and .png, for screen readers too.

    Raises
    ------
    BadInput
        A file could not be written.
    """
    title, caption = figure.get_suptitle(), " ".join(figure.get_supxlabel().split())
    of_svg, of_png = BytesIO(), BytesIO()
    about = {"Title": title, "Description": caption}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # or letters that matplotlib's font has not: they are drawn as boxes
        figure.savefig(of_svg, format="svg", metadata=about | {"Date": None})
        figure.savefig(of_png, format="png", dpi=200, metadata=about)
    svg = of_svg.getvalue().decode().replace("<svg ", '<svg role="img" ', 1)
    svg = svg.replace("</title>", f"</title>\n <desc>{escape(caption)}</desc>", 1)
    contents: dict[Path, str | bytes] = {path.with_suffix(".svg"): svg, path.with_suffix(".png"): of_png.getvalue()}
    for target, content in contents.items():
        write_whole(target, content)
    return list(contents)


def legend(ax: Axes) -> None:
    """Beside the axes, where it covers nothing."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, handlelength=2.6)


def instead(ax: Axes, reason: str) -> None:
    """Say why there is nothing to see."""
    ax.text(0.5, 0.5, reason, transform=ax.transAxes, ha="center", va="center", color=GREY)
    ax.set(yticks=[])
    ax.tick_params(bottom=False, labelbottom=False)


def curve(ax: Axes, line: Line, **style: Any) -> None:
    """A line, or the dot that one step makes."""
    ax.plot(*line, marker="o" if line[0].size == 1 else "", **style)


def over_iterations(ax: Axes) -> None:
    """A horizontal axis with whole numbers."""
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("iteration")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def colours(n: int) -> list[str]:
    """One each, again from the first where there are more."""
    return list(islice(cycle(COLOURS), n))


def striped(n: int) -> list[Any]:
    """Styles of lines that lie on each other: each shows in the gaps of the others."""
    return [(STRIPE * i, (STRIPE, STRIPE * (n - 1))) if n > 1 else "solid" for i in range(n)]


def largest(y: np.ndarray, first: int = 0) -> Line:
    """A curve over the steps from `first` on; of one with very many, the largest of every stretch."""
    return _thinned(y, first, (np.argmax,))


def extremes(y: np.ndarray, first: int = 0) -> Line:
    """The same with the least and the largest."""
    return _thinned(y, first, (np.argmin, np.argmax))


def _thinned(y: np.ndarray, first: int, choices: tuple[Callable[[np.ndarray], Any], ...]) -> Line:
    y = np.asarray(y, np.float64)
    y = np.where(np.isfinite(y), y, np.nan)  # the first nan of a stretch is its least and its largest
    if y.size <= 2 * POINTS:
        return first + np.arange(y.size), y
    cuts = np.linspace(0, y.size, POINTS + 1).astype(int)
    at = np.unique([0, y.size - 1, *(a + int(choice(y[a:b])) for a, b in pairwise(cuts) for choice in choices)])
    return first + at, y[at]


# The pictures --------------------------------------------------------------------------------------------------------


def cost(result: Result) -> Figure:
    """J before each step, of every implementation and of the exact trajectory, with the horizon."""
    caption = f"{heading(result.descent)}. {IN_TURN}"
    figure = sheet(f"{result.descent.problem.name}: J against the iteration", caption, 4.6)
    ax = figure.subplots()
    curves = {trail.implementation: costs_of(trail) for trail in result.ran}
    drawn = list(curves.values()) + ([result.exact.costs.high] if result.exact else [])
    if not any(np.any(np.isfinite(J)) for J in drawn):
        instead(ax, "no step was made")
        return figure
    for (name, J), colour, dashes in zip(curves.items(), colours(len(curves)), striped(len(curves)), strict=True):
        curve(ax, extremes(J), color=colour, linewidth=BROAD, linestyle=dashes)
        ax.plot([], [], color=colour, linewidth=BROAD, label=name)
    if result.exact:
        curve(ax, extremes(result.exact.costs.high), color="black", linewidth=0.8, label="exact")
    seen = np.concatenate([J[np.isfinite(J) & (J > 0)] for J in drawn])
    if seen.size and seen.max() > 10 * seen.min():
        ax.set_yscale("log")
    ax.set_ylabel("J")
    over_iterations(ax)
    mark_horizon(ax, result, named=True)
    legend(ax)
    return figure


def costs_of(trail: Trail) -> np.ndarray:
    """J before each step from the first on; the witness's where the implementation computes none."""
    J = trail.costs.astype(np.float64)
    own = J[trail.first : trail.first + len(trail.values)]
    own[:] = np.where(np.isnan(own), trail.values[: len(own)], own)
    return J


def mark_horizon(ax: Axes, result: Result, *, named: bool = False) -> None:
    """A line at the last step up to which the digits asked for are determined, unless that is the end."""
    horizon, end = result.horizon, result.descent.iterations - 1
    if horizon is None or result.descent.exact:
        return
    what = f"{result.digits} digits of J are determined"
    if horizon >= end:
        if named:
            ax.set_title(f"{what} to the end", fontsize=9, loc="left")
        return
    ax.axvline(horizon, color="black", linewidth=1, linestyle="-.")
    if named:
        ax.set_title(f"horizon: {what} up to step {horizon}", fontsize=9, loc="left")
        late = 2 * horizon > end
        ax.annotate(
            "horizon", (horizon, 1), (-5 if late else 5, -5), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="right" if late else "left", va="top", fontsize=9,
        )  # fmt: skip


def divergence(result: Result) -> Figure:
    """Above, how far each implementation is from the exact trajectory; below, how far each pair is apart in J."""
    caption = f"{heading(result.descent)}. Zero is on the axis: the same bits."
    if result.descent.iterations > 2 * POINTS:
        caption += f" Of every {-(-result.descent.iterations // POINTS)} steps the largest value is drawn."
    figure = sheet(f"{result.descent.problem.name}: where the last digits part", caption, 6.6)
    above, below = figure.subplots(2, sharex=True)
    _from_exact(above, result)
    _between_pairs(below, result)
    over_iterations(below)
    for ax in (above, below):
        if ax.lines:
            _logarithmic(ax, result)
            shade(ax, result)
            mark_horizon(ax, result)
            legend(ax)
    return figure


def _from_exact(ax: Axes, result: Result) -> None:
    ax.set_ylabel("‖θ − θ*‖ / ‖θ*‖")
    ax.set_title("distance from the exact trajectory: measured, and predicted to first order", fontsize=9, loc="left")
    if not any(d.params.size for d in result.distances):
        instead(ax, f"no exact trajectory: {result.no_exact}" if result.no_exact else "no step was made")
        return
    for d, colour in zip(result.distances, colours(len(result.distances)), strict=True):
        curve(ax, largest(d.params, d.first), color=colour, linewidth=3, alpha=0.4, label=d.implementation)
        curve(ax, largest(d.predicted, d.first), color=colour, linewidth=1.5, linestyle=":")
    ax.plot([], [], color=GREY, linewidth=1.5, linestyle=":", label="predicted")


def _between_pairs(ax: Axes, result: Result) -> None:
    ax.set_ylabel("|J − J′| / J")
    ax.set_title("distance between every two implementations", fontsize=9, loc="left")
    apart = {f"{a.implementation} – {b.implementation}": _apart(a, b) for a, b in combinations(result.ran, 2)}
    apart = {pair: (first, y) for pair, (first, y) in apart.items() if y.size}
    if not apart:
        instead(ax, "no two implementations to compare")
        return
    farthest = max(apart, key=lambda pair: float(np.nan_to_num(apart[pair][1]).max()))
    named = dict(zip(apart, COLOURS, strict=False))
    if len(apart) > NAMED:
        named = {farthest: VERMILLION}
    for pair, (first, y) in apart.items():
        if pair not in named:
            curve(ax, largest(y, first), color="#aaaaaa", linewidth=0.7)
    for (pair, colour), dashes in zip(named.items(), cycle(["-", "--", "-."]), strict=False):
        curve(ax, largest(apart[pair][1], apart[pair][0]), color=colour, linewidth=1.3, linestyle=dashes, label=pair)
    if len(apart) > NAMED:
        ax.plot([], [], color="#aaaaaa", linewidth=0.7, label=f"the other {len(apart) - 1} pairs")
    unit = half_a_unit(result.digits)
    if any(np.nan_to_num(y).max() > unit for _, y in apart.values()):
        ax.axhline(unit, color=GREY, linewidth=1, linestyle=(0, (6, 3)), label=f"half a unit of digit {result.digits}")


def _apart(a: Trail, b: Trail) -> tuple[int, np.ndarray]:
    """|J_a − J_b| / J of the steps that both have made, by the witness's J, and the first of these steps."""
    first, last = max(a.first, b.first), min(t.first + len(t.values) for t in (a, b))
    J_a, J_b = (t.values[first - t.first : max(first, last) - t.first] for t in (a, b))
    with np.errstate(all="ignore"):
        return first, np.where(J_a == J_b, 0.0, np.abs(J_a - J_b) / np.abs(J_a))


def shade(ax: Axes, result: Result) -> None:
    """Where α λ max is above 2, around each step at which the spectrum was looked at."""
    steps = [c.step for c in result.curvatures]
    edges = [0.0, *((a + b) / 2 for a, b in pairwise(steps)), float(result.descent.iterations)]
    label = "α λ max > 2"
    for c, left, right in zip(result.curvatures, edges, edges[1:], strict=False):
        if c.largest > 2:
            ax.axvspan(left, right, color=PALE, linewidth=0, zorder=0, label=label)
            label = ""


def _logarithmic(ax: Axes, result: Result) -> None:
    """A logarithmic scale that ends in zero a decade below the unit roundoff, and that unit as a thin line."""
    u = FORMATS[result.descent.dtype].u
    least = 10.0 ** (np.floor(np.log10(u)) - 1)
    most = max(float(np.nan_to_num(np.asarray(line.get_ydata(), np.float64)).max(initial=0)) for line in ax.lines)
    ax.axhline(u, color="black", linewidth=0.7, label=f"unit roundoff of {result.descent.dtype}")
    ax.set_yscale("symlog", linthresh=least, linscale=0.5)
    top = min(int(np.ceil(np.log10(max(most, u)))) + 1, MOST)
    bottom = round(np.log10(least))
    every = max(1, (top - bottom) // 6)
    ax.set_yticks([0.0] + [10.0**k for k in range(bottom + 1, top + 1, every)])
    ax.yaxis.set_minor_locator(_none())
    ax.set_ylim(0, 10.0**top)
    ax.set_xlim(0, max(1, result.descent.iterations))


def _none() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def boundaries(result: Result) -> Figure:
    """The line a = 1/2 of every implementation at the end of its trail, and of the exact one, over the points."""
    problem, iterations = result.descent.problem, result.descent.iterations
    caption = f"{heading(result.descent)}. {IN_TURN}"
    figure = sheet(f"{problem.name}: the decision boundary a = 1/2 after {iterations} steps", caption, 5.8)
    ax = figure.subplots()
    for y, marker, colour, size in ((0, "o", "#b8b8b8", 12), (1, "^", "#6e6e6e", 14)):
        x1, x2 = problem.X[:, problem.Y[0] == y]
        ax.scatter(x1, x2, s=size, c=colour, marker=marker, linewidths=0, label=f"y = {y}", rasterized=problem.m > 2000)
    ax.set(xlabel="x₁", ylabel="x₂", xlim=_margins(problem.X[0]), ylim=_margins(problem.X[1]))
    ran = result.ran
    for i, (trail, colour) in enumerate(zip(ran, colours(len(ran)), strict=True)):
        label = trail.implementation + ("" if trail.steps == iterations else f", step {trail.steps}")
        boundary(ax, problem, trail.at(-1), label, i, len(ran), color=colour, linewidth=BROAD)
    if result.exact:
        boundary(ax, problem, result.exact.at(result.exact.steps), "exact", color="black", linewidth=0.8)
    legend(ax)
    return figure


def _margins(x: np.ndarray) -> tuple[float, float]:
    space = 0.05 * (float(np.ptp(x)) or 1.0)
    return float(x.min()) - space, float(x.max()) + space


def boundary(ax: Axes, problem: Problem, params: Params, label: str, i: int = 0, n: int = 1, **style: Any) -> None:
    """The line z = 0 of the output, the i-th of n that lie on each other; its name alone where none is in sight."""
    from contourpy import contour_generator

    limits = (ax.get_xlim(), ax.get_ylim())
    x1, x2 = (np.linspace(*ends, GRID) for ends in limits)
    lengths = np.ptp(limits, axis=1)
    X = np.stack([x.ravel() for x in np.meshgrid(x1, x2)])
    Z = output(problem, params, X).reshape(GRID, GRID)
    lines = contour_generator(x1, x2, Z).lines(0.0) if np.all(np.isfinite(Z)) else []
    for line in lines:
        ax.plot(*_stripes(np.asarray(line), lengths, i, n).T, solid_capstyle="butt", **style)
    ax.plot([], [], label=label + ("" if lines else ": none in sight"), **style)


def _stripes(line: np.ndarray, lengths: np.ndarray, i: int, n: int) -> np.ndarray:
    """(points, 2): every n-th piece of a line, from the i-th on; between them nan.

    A piece ends at the same coordinates for every line, so that the pieces of lines that lie on each other fit
    together: at the same x₁ where the line moves more along x₁, else at the same x₂.
    """
    if n == 1 or len(line) < 2:
        return line
    steps = np.abs(np.gradient(line, axis=0)) / lengths
    along = np.where(steps[:, 0] >= steps[:, 1], *(line / lengths).T)
    mine = np.floor(PIECES * along) % n == i
    mine[1:] |= mine[:-1]  # up to where the next one begins
    return np.where(mine[:, None], line, np.nan)


def output(problem: Problem, params: Params, X: np.ndarray) -> np.ndarray:
    """(1, m): the logits of the last layer, by reference's formulas in float64."""
    module = import_module(f"reference.{problem.model}")
    with np.errstate(all="ignore"):
        _, cache = module.forward({name: p.astype(np.float64) for name, p in params.items()}, X, **problem.options)
    return np.asarray(cache["Z" if problem.model == "logistic_regression" else f"Z{len(problem.activations)}"])
