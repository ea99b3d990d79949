"""Pictures of a descent, each as SVG and PNG.

cost        J against the iteration, with the horizon
divergence  how far each implementation is from the exact trajectory, and each pair in J, beside the unit roundoff
boundaries  where a = 1/2 at the end, for two features
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import combinations, cycle, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.drawing import (
    COLOURS,
    GREY,
    POINTS,
    VERMILLION,
    colours,
    curve,
    extremes,
    instead,
    largest,
    legend,
    over_iterations,
    own_style,
    save,
    sheet,
    striped,
)  # fmt: skip
from parity.formats import FORMATS
from parity.problems import Problem
from parity.training import Params
from parity.training.exact import half_a_unit
from parity.training.report import heading, lost_at_once
from parity.training.result import Result
from parity.training.trail import Trail

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALE = "#e9e9e9"

BROAD = 3.5
"""Points: lines that others lie on."""

GRID = 300
"""Points on each side of the grid on which a boundary is looked for."""

PIECES = 50
"""So many lengths of a piece of a boundary make a side of the picture."""

NAMED = 6
"""So many pairs get a colour and a name each; of more, the one that parts most does."""

MOST = 2
"""The power of ten at which a relative distance ends: whatever is beyond says that nothing is left in common."""

IN_TURN = "Lines that lie on each other are seen in turn."


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
    with own_style():
        return [path for name, picture in pictures.items() for path in save(picture(result), folder / name)]


def cost(result: Result) -> Figure:
    """J before each step, of every implementation and of the exact trajectory, with the horizon."""
    caption = f"{heading(result.descent)}. {IN_TURN}"
    figure = sheet(f"{result.descent.problem.name}: J against the iteration", caption, 4.6)
    ax = figure.subplots()
    curves = {trail.implementation: costs_of(trail) for trail in result.ran}
    exact = [result.exact.costs.high[: max(1, result.descent.iterations)]] if result.exact else []
    drawn = [*curves.values(), *exact]
    if not any(np.any(np.isfinite(J)) for J in drawn):
        instead(ax, "no step was made")
        return figure
    for (name, J), colour, dashes in zip(curves.items(), colours(len(curves)), striped(len(curves)), strict=True):
        curve(ax, extremes(J), color=colour, linewidth=BROAD, linestyle=dashes)
        ax.plot([], [], color=colour, linewidth=BROAD, label=name)
    for J in exact:  # where there is one; before each step, as the others
        curve(ax, extremes(J), color="black", linewidth=0.8, markersize=3, label="exact")
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
    """A line at the last step up to which the digits asked for are determined, unless that is the end or none is."""
    horizon, end = result.horizon, result.descent.iterations - 1
    if horizon is None or result.descent.exact:
        return
    what = f"{result.digits} digits of J are determined"
    nowhere = lost_at_once(result)
    if nowhere or horizon >= end:
        if named:
            ax.set_title(f"{what} {'at no step' if nowhere else 'to the end'}", fontsize=9, loc="left")
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
    if above.lines and not below.lines:
        above.tick_params(labelbottom=True)  # which it shares with the panel below
    over_iterations(below if below.lines or not above.lines else above)
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
    ax.minorticks_off()
    ax.set_ylim(0, 10.0**top)
    ax.set_xlim(0, max(1, result.descent.iterations))


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
