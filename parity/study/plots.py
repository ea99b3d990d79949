"""Curves with matplotlib, drawn for the page: computed by reference/ (NumPy) when the site is built.

Three of them are those of `parity figures`. The colours of curves are variables of the page's style, which have
matplotlib's as what to fall back on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from parity.bench.page import inline
from parity.drawing import BLUE, COLOURS, GREY, VERMILLION, as_svg, legend, own_style, sheet
from parity.problems import catalogue, real
from parity.problems.parameters import draw
from parity.study.svg import number
from parity.training import figures
from parity.training.plots import PALE
from reference import deep_network, derivatives, logistic_regression
from reference.activations import ACTIVATIONS, DERIVATIVES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, PAPER = "#444444", "#fefefe"
"""Text and what is behind it, in the drawings of this module."""

THEME = {INK: "var(--text)", PAPER: "var(--back)", PALE: "var(--rule)", "#aaaaaa": "var(--dim)"}
"""What becomes the page's own colours, beside those of `parity.bench.page`."""

COORDINATE = re.compile(r"-?\d+\.\d+")

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

TENTHS = re.compile(r'( (?:d|x|y|points|transform)=")([^"]*)"')


def drawn(name: str, figure: Callable[[], Figure]) -> Markup:
    """A figure as SVG to stand in a page."""
    with own_style():
        return themed(as_svg(plainly(figure())), name)


def plainly(figure: Figure) -> Figure:
    """The same with powers of ten as text, 10⁻¹⁶, which needs no formula to be laid out."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if "Log" in type(axis.get_major_formatter()).__name__:
                axis.set_major_formatter(_power)
                axis.set_minor_formatter("")
    return figure


def _power(x: float, _: float = 0) -> str:
    """10⁻¹⁶ or 2 · 10⁻¹; ordinary numbers from a thousandth to a thousand."""
    exponent = int(np.floor(np.log10(abs(x)))) if x else 0
    if -4 < exponent < 4:
        return f"{x:g}".replace("-", "\N{MINUS SIGN}")
    digits = f"{x / 10.0**exponent:g}"
    return f"{'' if digits == '1' else f'{digits} · '}10{str(exponent).translate(RAISED)}"


def themed(svg: str, name: str) -> Markup:
    """A saved figure in the page's colours, with identifiers of its own and coordinates in tenths of a point."""
    found = TENTHS.sub(lambda held: f'{held[1]}{COORDINATE.sub(_short, held[2])}"', inline(svg, name))
    for i, colour in enumerate(COLOURS, start=1):
        found = re.sub(colour, f"var(--curve-{i}, {colour})", found, flags=re.IGNORECASE)
    for colour, theirs in THEME.items():
        found = found.replace(colour, theirs)
    found = found.replace("<svg ", '<svg class="plot" ', 1)
    return Markup(re.sub(r"\n\s*", "\n", found))  # matplotlib escaped what it wrote


def _short(held: re.Match[str]) -> str:
    return f"{float(held[0]):.1f}".rstrip("0").rstrip(".")


# ---- activation functions (N15, N17)

REACH = 5.0
"""Activations are drawn from −REACH to REACH."""

FORMULAS = {
    "sigmoid": ("a = 1 / (1 + e⁻ᶻ)", "g′(z) = a (1 − a)"),
    "tanh": ("a = tanh z", "g′(z) = 1 − a²"),
    "relu": ("a = max(0, z)", "g′(z) = 0 for z ≤ 0, 1 for z > 0"),
    "leaky_relu": ("a = max(0.01 z, z)", "g′(z) = 0.01 for z ≤ 0, 1 for z > 0"),
}
"""How each is written, and its derivative."""

NAMES = {"sigmoid": "Sigmoid", "tanh": "tanh", "relu": "ReLU", "leaky_relu": "Leaky ReLU"}


def activation(name: str) -> Figure:
    """An activation function beside its derivative; at a kink the value that the convention takes (N15, N17)."""
    z = np.linspace(-REACH, REACH, 201)
    at_zero, slope = (float(f[name](np.zeros(1))[0]) for f in (ACTIVATIONS, DERIVATIVES))
    ends = (float(f(np.array([end]))[0]) for f in (ACTIVATIONS[name], DERIVATIVES[name]) for end in (-REACH, REACH))
    a, b, c, d = (number(end, 3) for end in ends)
    kinked = "relu" in name
    convention = " The filled dot is the convention at the kink, the slope of the left side." if kinked else ""
    figure = sheet(
        f"{NAMES[name]} and its derivative",
        f"g(−5) = {a}, g(0) = {number(at_zero, 3)}, g(5) = {b}; g′(−5) = {c}, g′(0) = {number(slope, 3)}, "
        f"g′(5) = {d}.{convention}",
        3.3,
    )
    left, right = figure.subplots(1, 2)
    left.plot(z, ACTIVATIONS[name](z), color=BLUE, linewidth=2)
    for ax, title in zip((left, right), FORMULAS[name], strict=True):
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("z")
        ax.axhline(0, color=GREY, linewidth=0.6)
        ax.axvline(0, color=GREY, linewidth=0.6)
    if kinked:
        _stepped(right, z, DERIVATIVES[name])
    else:
        right.plot(z, DERIVATIVES[name](z), color=VERMILLION, linewidth=2)
        right.plot([0], [slope], "o", color=VERMILLION)
    if name == "leaky_relu":
        _near_zero(left)
    return figure


def _stepped(ax: Axes, z: np.ndarray, slope: Callable[[np.ndarray], np.ndarray]) -> None:
    """Either side on its own, the value at zero filled and the one that is not taken open."""
    least = np.array([0.0, np.nextafter(0.0, 1.0)])
    at_zero, above = slope(least)
    for side in (z[z < 0], z[z > 0]):
        ax.plot(np.append(side, 0.0) if side[0] < 0 else np.append(0.0, side), slope(side[:1]).repeat(side.size + 1),
                color=VERMILLION, linewidth=2)  # fmt: skip
    ax.plot([0], [at_zero], "o", color=VERMILLION, zorder=3)
    ax.plot([0], [above], "o", markerfacecolor=PAPER, color=VERMILLION, zorder=3)


def _near_zero(ax: Axes) -> None:
    """The part that looks flat, magnified."""
    z = np.linspace(-REACH, 0.1, 103)
    inset = ax.inset_axes((0.12, 0.52, 0.42, 0.4))
    inset.plot(z, ACTIVATIONS["leaky_relu"](z), color=BLUE, linewidth=1.5)
    inset.tick_params(labelsize=8)
    inset.axhline(0, color=GREY, linewidth=0.6)
    inset.axvline(0, color=GREY, linewidth=0.6)


# ---- the loss, and its convexity (N4, N5)


def loss() -> Figure:
    """The loss of a label 1 and of a label 0, over a and over z (N4)."""
    figure = sheet(
        "The loss of one example",
        "Left: −log a where y = 1, and −log(1 − a) where y = 0; both are log 2 = "
        f"{number(-np.log(0.5))} at a = 1/2. Right: the same over z, with a = σ(z): log(1 + e⁻ᶻ) and log(1 + eᶻ). "
        "A confident wrong answer costs in proportion to z.",
        3.6,
    )
    left, right = figure.subplots(1, 2, sharey=True)
    z = np.linspace(-6, 6, 121)
    a = ACTIVATIONS["sigmoid"](z)
    for y, colour, dashes in ((1.0, BLUE, "-"), (0.0, VERMILLION, "--")):
        losses = [float(logistic_regression.cross_entropy(np.array([[x]]), np.array([[y]]))) for x in z]
        for ax, x in ((left, a), (right, z)):
            ax.plot(x, losses, color=colour, linestyle=dashes, linewidth=2, label=f"y = {y:g}")
    left.set(xlabel="a", ylabel="L(a, y)")
    right.set_xlabel("z")
    legend(right)
    return figure


DESCENT = (-4.0, 2.0, 9)
"""Where the descent on one weight begins, its α, and its steps."""


def convex() -> Figure:
    """J over the first weight of house_prices with the others held, and gradient descent on it (N5)."""
    start, alpha, steps = DESCENT
    path = _path(start, alpha, steps)
    w1 = np.linspace(-5, 8, 131)
    ends = (-3.0, 6.0)
    figure = sheet(
        "J is convex: over one weight",
        "Logistic regression on the four houses of N1, standardised; the other weight and b are held. Gradient descent "
        f"with α = {alpha:g} from w₁ = {number(start)}: J goes from {number(cost_at(path[0]))} to "
        f"{number(cost_at(path[-1]))} at w₁ = {number(path[-1])} in {steps} steps. Every chord lies above the curve.",
        4.0,
    )
    ax = figure.subplots()
    ax.plot(w1, [cost_at(w) for w in w1], color=BLUE, linewidth=2, label="J")
    ax.plot(ends, [cost_at(w) for w in ends], color=GREY, linewidth=1, linestyle="--", label="a chord")
    ax.plot(path, [cost_at(w) for w in path], "o-", color=VERMILLION, linewidth=1, markersize=5, label="steps")
    ax.set(xlabel="w₁", ylabel="J")
    legend(ax)
    return figure


def cost_at(w1: float) -> float:
    """J of house_prices with this first weight."""
    params, X, Y = catalogue.build("house_prices").inputs("float64")
    return float(logistic_regression.cost(params | {"w": np.array([[w1], [params["w"][1, 0]]])}, X, Y))


def _path(w1: float, alpha: float, steps: int) -> list[float]:
    """w1 := w1 − α ∂J/∂w1, so many times, the start included."""
    params, X, Y = catalogue.build("house_prices").inputs("float64")
    path = [w1]
    for _ in range(steps):
        here = params | {"w": np.array([[path[-1]], [params["w"][1, 0]]])}
        path.append(path[-1] - alpha * float(logistic_regression.gradients(here, X, Y)["dw"][0, 0]))
    return path


# ---- slopes (N6)

NUDGE = 0.001

CURVES = {"triple": "3a", "square": "a²", "cube": "a³", "log": "log a"}


def nudge() -> Figure:
    """The four functions with their slopes at a = 2 and a = 5 as triangles, and what a nudge by 0.001 gives (N6)."""
    at = catalogue.build("slopes").X[0]
    said = "; ".join(_nudged(name, a) for name in CURVES for a in at)
    figure = sheet(
        "The slope of f(a): what a nudge of 0.001 does",
        f"(f(a + 0.001) − f(a)) / 0.001, computed in float64, beside the derivative: {said}.",
        6.2,
    )
    for ax, (name, written) in zip(figure.subplots(2, 2).flat, CURVES.items(), strict=True):
        _slopes(ax, name, written, at)
    return figure


def _nudged(name: str, a: float) -> str:
    f = derivatives.FUNCTIONS[name]
    measured = (f(np.array(a + NUDGE)) - f(np.array(a))) / NUDGE
    return f"{CURVES[name]} at {a:g}: {number(measured, 5)}, {number(derivatives.SLOPES[name](np.array(a)), 5)}"


def _slopes(ax: Axes, name: str, written: str, at: np.ndarray) -> None:
    """A curve, and at each point the triangle of its slope: one to the right, and so much up."""
    f, slope = derivatives.FUNCTIONS[name], derivatives.SLOPES[name]
    a = np.linspace(0.5, 7, 131)
    ax.plot(a, f(a), color=BLUE, linewidth=2)
    for here in at:
        height, rise = float(f(np.array(here))), float(slope(np.array(here)))
        ax.plot([here, here + 1, here + 1, here], [height, height, height + rise, height], color=VERMILLION)
        ax.plot([here], [height], "o", color=VERMILLION, markersize=5)
        ax.annotate(f"slope {number(rise)}", (here + 1, height + rise / 2), (5, -3), textcoords="offset points",
                    fontsize=9, color=INK)  # fmt: skip
    ax.set_title(f"f(a) = {written}", fontsize=10)
    ax.set_xlim(0, 8)


# ---- those of `parity figures`, as they are or smaller (N24, N19, N2)


def learning_rates() -> Figure:
    """J against the iteration for several α (N24)."""
    return figures.learning_rates(_nobody)


def initialisation() -> Figure:
    """The rows of W1 from zero, small and large weights (N19)."""
    return figures.initialisation(_nobody)


def _nobody(what: str) -> None:
    """Tell nobody."""


DRAWS, RATE, ITERATIONS, SIZES = 3, 0.5, 60, figures.SIZES[::2]
"""Of the accuracy against the amount of data: a fiftieth of the work of `parity figures`, and the same order."""


def scale() -> Figure:
    """Test accuracy against the amount of labelled data for three models, in fewer steps than `parity figures` (N2)."""
    X, _, _ = real.digits()
    found = {name: [accuracies(hidden, m) for m in SIZES] for name, hidden in figures.NETWORKS.items()}
    means = "; ".join(f"{name} {', '.join(f'{np.mean(a):.3f}' for a in found[name])}" for name in found)
    figure = sheet(
        "Test accuracy against the amount of labelled data",
        f"scikit-learn's digits, 0–4 against 5–9, standardised: n_x = {X.shape[0]}. Gradient descent on all of m "
        f"examples, α = {RATE:g}, {ITERATIONS} iterations; {figures.TESTED} examples for the test. Means of {DRAWS} "
        f"draws for m = {', '.join(map(str, SIZES))}: {means}. Bands: from the worst draw to the best; "
        "the two networks differ by less than their draws do.",
        4.4,
    )
    ax = figure.subplots()
    for (name, of), colour, marker in zip(found.items(), COLOURS, figures.MARKERS, strict=False):
        ax.fill_between(SIZES, np.min(of, axis=1), np.max(of, axis=1), color=colour, alpha=0.15, linewidth=0)
        ax.plot(SIZES, np.mean(of, axis=1), color=colour, marker=marker, label=name)
    ax.set(xlabel="m, labelled examples", ylabel="test accuracy", xscale="log")
    ax.set_xticks(SIZES, [str(m) for m in SIZES])
    ax.minorticks_off()
    legend(ax)
    return figure


def accuracies(hidden: tuple[int, ...], m: int) -> list[float]:
    """Of one network that learned from m examples: the share of the test set that is right, of every draw."""
    X, Y, _ = real.digits()
    order = np.random.RandomState(0).permutation(X.shape[1])
    test, pool = order[: figures.TESTED], order[figures.TESTED :]
    layers, g = (X.shape[0], *hidden, 1), ("relu",) * len(hidden) + ("sigmoid",)
    found = []
    for seed in range(DRAWS):
        of = np.random.RandomState(seed).permutation(pool)[:m]
        start = draw("deep_network", layers, seed)
        params, _ = deep_network.train(start, X[:, of], Y[:, of], RATE, ITERATIONS, g)
        A, _ = deep_network.forward(params, X[:, test], g)
        found.append(float(np.mean((2 * A > 1) == (Y[:, test] == 1))))
    return found
