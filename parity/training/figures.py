"""`parity figures DIR`: the notes' own pictures, computed by running reference/ (NumPy).

learning-rates   N24  J against the iteration for several α
initialisation   N19  the hidden units from zero, small and large weights
scale            N2   test accuracy against the amount of labelled data, for three sizes of network
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from parity.cli import OK, chosen, several
from parity.drawing import COLOURS, legend, own_style, save, sheet, writable_folder
from parity.errors import printable
from parity.files import none_left_empty
from parity.paper import console
from parity.problems import catalogue, real
from parity.problems.parameters import draw
from parity.training import Params
from parity.training.report import Progress
from reference import deep_network, initialization, logistic_regression, shallow_network
from reference.activations import DERIVATIVES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Told = Callable[[str], None]
"""Told what has been trained."""

MARKERS, DASHES = "os^Dv", ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))

# N24 -----------------------------------------------------------------------------------------------------------------

RATES = {0.01: "slow", 1.0: "good", 10.0: "overshoots at first", 100.0: "oscillates", 3000.0: "stays above the start"}
"""α, and what J does with it, on both problems."""

RATED = {"breast_cancer_logistic": "logistic regression", "breast_cancer_shallow": "shallow network"}
RATED_ITERATIONS = 300

# N19 -----------------------------------------------------------------------------------------------------------------

STARTS = {
    "W = 0\nrows equal for ever": 0.0,
    "W = 0.01 · randn\nrows separate": 0.01,
    "W = 10 · randn\nunits saturated": 10.0,
}
"""What becomes of the hidden units, and the factor of the random numbers."""

START_RATE, START_ITERATIONS, START_SEED, UNITS = 0.3, 2000, 2, 4

# N2 ------------------------------------------------------------------------------------------------------------------

SIZES = (20, 40, 80, 160, 320, 640, 1297)
"""Labelled examples; with the 500 of the test set, the last are all there are."""

NETWORKS = {"logistic regression": (), "shallow network": (32,), "deep network": (32, 16)}
"""The hidden layers, ReLU."""

TESTED, DRAWS, SCALE_RATE, SCALE_ITERATIONS = 500, 6, 0.1, 1000


def add_options(parser: argparse.ArgumentParser) -> None:
    """The folder, and which figures."""
    parser.add_argument("folder", metavar="DIR", help="where to write the pictures, each as SVG and PNG")
    parser.add_argument("--only", action="append", metavar="NAME", type=several, help=", ".join(FIGURES))


def command(options: argparse.Namespace) -> int:
    """Compute and draw the figures that are asked for.

    Raises
    ------
    BadInput
        There is no such figure, or the folder cannot be written to.
    """
    names, written = chosen("figure", options.only, FIGURES), []
    with none_left_empty(options.folder):
        folder = writable_folder(options.folder)
        with Progress() as progress, own_style():
            for name in names:
                figure = FIGURES[name][0](partial(progress.told, name, steps=1, total=FIGURES[name][1]))
                written += save(figure, folder / name)
    to = console()
    for path in written:
        to.print(printable(f"written {path}"), style="dim", soft_wrap=True)
    to.print("computed by running reference/ (NumPy)")
    return OK


def learning_rates(told: Told) -> Figure:
    """J against the iteration for several α (N24), for logistic regression and a shallow network."""
    figure = sheet(
        "J against the iteration for several α (N24)",
        "Gradient descent by reference/ (NumPy) on scikit-learn's breast cancer data, standardised: n_x = 30, m = 569. "
        "Logistic regression, and a shallow network with 16 tanh units, from the parameters of "
        f"{' and '.join(RATED)} (legacy seed 0); {RATED_ITERATIONS} iterations on all examples. With a sigmoid output "
        "the gradient is bounded: where α is far too large J does not run to infinity, it stays up.",
        4.6,
    )
    axes = figure.subplots(1, len(RATED), sharey=True)
    for ax, (name, title) in zip(axes, RATED.items(), strict=True):
        for (alpha, what), colour, dashes in zip(RATES.items(), COLOURS, DASHES, strict=False):
            J = costs(name, alpha)
            told(f"{title} · α = {alpha:g}")
            ax.plot(J, color=colour, linestyle=dashes, linewidth=1.6, label=f"α = {alpha:g}:\n{what}")
        ax.set_title(title, fontsize=10)
        ax.set(xlabel="iteration", yscale="log")
    axes[0].set_ylabel("J")
    legend(axes[-1])
    return figure


def costs(name: str, alpha: float) -> np.ndarray:
    """(iterations,): J before each update of a problem of the catalogue."""
    problem = catalogue.build(name)
    params, X, Y = problem.inputs("float64")
    if problem.model == "logistic_regression":
        return logistic_regression.train(params, X, Y, alpha, RATED_ITERATIONS)[1]
    return shallow_network.train(params, X, Y, alpha, RATED_ITERATIONS, problem.activations)[1]


def initialisation(told: Told) -> Figure:
    """The rows of W1 over the iterations, from zero, small and large weights (N19)."""
    figure = sheet(
        "Hidden units under three initialisations (N19)",
        f"A shallow network 2-{UNITS}-1 (tanh, sigmoid) on the flower (m = 400), by reference/ (NumPy): W1 and W2 "
        f"drawn with legacy seed {START_SEED}, b = 0; α = {START_RATE:g}, {START_ITERATIONS} iterations. A colour is a "
        "hidden unit j, a row of W1: solid its first weight, dotted its second. From zero the gradient of every weight "
        "is zero. Large weights start where tanh is flat: g' is its mean slope over all units and examples, at the "
        "start and at the end, as J is.",
        4.6,
    )
    axes = figure.subplots(1, len(STARTS), sharex=True, sharey=True)
    for ax, (title, scale) in zip(axes, STARTS.items(), strict=True):
        W1, J, slope = rows(scale)
        told(title.splitlines()[0])
        for j, colour in zip(range(UNITS), COLOURS, strict=False):
            ax.plot(W1[:, j, 0], color=colour, linewidth=1.5, label=f"j = {j + 1}")
            ax.plot(W1[:, j, 1], color=colour, linewidth=1.5, linestyle=":")
        ax.set_title(f"{title}\nJ: {J[0]:.2f} → {J[1]:.2f}, g': {slope[0]:.2f} → {slope[1]:.2f}", fontsize=9)
        ax.set_xlabel("iteration")
    axes[0].set_ylabel("W1[j, 1], W1[j, 2]")
    legend(axes[-1])
    return figure


def rows(scale: float) -> tuple[np.ndarray, list[float], list[float]]:
    """W1 before each update and after the last, (iterations + 1, n_h, n_x); J and the mean of g'(Z1) at both ends."""
    X, Y, _ = real.flower()
    layers, rng = (X.shape[0], UNITS, Y.shape[0]), np.random.RandomState(START_SEED)
    params: Params = initialization.random(layers, rng, scale) if scale else initialization.zeros(layers)
    W1, ends = [params["W1"]], [params]
    for _ in range(START_ITERATIONS):
        params = shallow_network.update(params, shallow_network.gradients(params, X, Y), START_RATE)
        W1.append(params["W1"])
    ends.append(params)
    J = [float(shallow_network.cost(p, X, Y)) for p in ends]
    slope = [float(np.mean(DERIVATIVES["tanh"](shallow_network.forward(p, X)[1]["Z1"]))) for p in ends]
    return np.stack(W1), J, slope


def scale(told: Told) -> Figure:
    """Test accuracy against the amount of labelled data for three models (N2)."""
    figure = sheet(
        "Test accuracy against the amount of labelled data (N2)",
        "scikit-learn's digits, 0–4 against 5–9, standardised (over all 1797): n_x = 61. Gradient descent by "
        f"reference/ (NumPy) on all of m examples, α = {SCALE_RATE:g}, {SCALE_ITERATIONS} iterations; hidden layers of "
        f"ReLU: 32, and 32 and 16 units. {TESTED} examples for the test, chosen once (legacy seed 0). Lines: the mean "
        f"of {DRAWS} draws of examples and parameters (legacy seeds 0 to {DRAWS - 1}, the same for all three); bands: "
        "from the worst to the best. The two networks differ by less than their draws do.",
        4.8,
    )
    ax = figure.subplots()
    for (name, hidden), colour, marker in zip(NETWORKS.items(), COLOURS, MARKERS, strict=False):
        accuracy = []
        for m in SIZES:
            accuracy.append(accuracies(hidden, m))
            told(f"{name} · m = {m}")
        ax.fill_between(
            SIZES, np.min(accuracy, axis=1), np.max(accuracy, axis=1), color=colour, alpha=0.15, linewidth=0
        )
        ax.plot(SIZES, np.mean(accuracy, axis=1), color=colour, marker=marker, label=name)
    ax.set(xlabel="m, labelled examples", ylabel="test accuracy", xscale="log")
    ax.set_xticks(SIZES, [str(m) for m in SIZES])
    ax.minorticks_off()
    legend(ax)
    return figure


def accuracies(
    hidden: tuple[int, ...], m: int, draws: int = DRAWS, rate: float = SCALE_RATE, iterations: int = SCALE_ITERATIONS
) -> list[float]:
    """Of one network that learned from m examples: the share of the test set that is right, of every draw."""
    X, Y, _ = real.digits()
    order = np.random.RandomState(0).permutation(X.shape[1])
    test, pool = order[:TESTED], order[TESTED:]
    layers, activations = (X.shape[0], *hidden, 1), ("relu",) * len(hidden) + ("sigmoid",)
    found = []
    for seed in range(draws):
        of = np.random.RandomState(seed).permutation(pool)[:m]
        params = draw("deep_network", layers, seed)
        params, _ = deep_network.train(params, X[:, of], Y[:, of], rate, iterations, activations)
        A, _ = deep_network.forward(params, X[:, test], activations)
        found.append(float(np.mean((2 * A > 1) == (Y[:, test] == 1))))
    return found


FIGURES: dict[str, tuple[Callable[[Told], Figure], int]] = {
    "learning-rates": (learning_rates, len(RATED) * len(RATES)),
    "initialisation": (initialisation, len(STARTS)),
    "scale": (scale, len(NETWORKS) * len(SIZES)),
}
"""How each is drawn, and in how many parts it is computed."""
