"""Networks as the slides draw them: units or matrices, with the numbers of reference/ (NumPy) on them.

In units and on edges, what goes forward stands above what comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from parity.problems import Problem
from parity.study import small
from parity.study.svg import BACKWARD, DIM, FORWARD, INK, RULE, SIZE, SMALL, Drawing, Point, number
from reference import deep_network, shallow_network

RADIUS = 36.0
"""Of a unit that holds two numbers."""

LAYERS = ((50.0, 150.0), (420.0, 142.0), (725.0, 142.0))
"""Where the layers of the network with one hidden layer stand, and how far apart their units."""

SHARES = (0.76, 0.42)
"""Where on its edge a weight stands, of each layer: where no two are in each other's way."""


def column(n: int, x: float, middle: float, apart: float) -> list[Point]:
    """The places of the units of a layer."""
    return [(x, middle + apart * (i - (n - 1) / 2)) for i in range(n)]


def on(start: Point, end: Point, share: float) -> Point:
    """So far on the way from one to the other."""
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


# ---- one hidden layer, unit by unit (N13)


def shallow_units(problem: Problem | None = None) -> Markup:
    """One example in the 3-4-1 network: a in every unit with dz below it, w on every edge with dw below it (N13)."""
    params, x, y, g = _first_example(problem or small.problem("three_four_one"))
    a2, cache = shallow_network.forward_unit_by_unit(params, x, g)
    grads = shallow_network.backward_one_example(params, cache, x, y, g)
    v = {**params, **cache, **grads, "X": x, "Y": y}
    drawing = Drawing(800, 610, "A 3-4-1 network on one example, unit by unit", _units_said(v))
    places = [column(len(layer), at, 290, apart) for layer, (at, apart) in zip((x, v["A1"], a2), LAYERS, strict=True)]
    for l, share in enumerate(SHARES, start=1):
        _weights(drawing, v, l, places[l - 1], places[l], share)
    for i, at in enumerate(places[0]):
        _unit(drawing, at, f"x_{i + 1}", (v["X"][i, 0], "X"))
    for l in (1, 2):
        for j, at in enumerate(places[l]):
            index = f"_{j + 1}" if len(places[l]) > 1 else ""
            _unit(drawing, at, f"a^[{l}]{index}", (v[f"A{l}"][j, 0], f"A{l}"), (v[f"dZ{l}"][j, 0], f"dZ{l}"))
            _bias(drawing, at, v, l, j)
    _units_legend(drawing, y, g)
    return drawing.svg()


def _first_example(problem: Problem) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, tuple[str, str]]:
    params, X, Y = problem.inputs("float64")
    g1, g2 = problem.activations
    return params, X[:, :1], Y[:, :1], (g1, g2)


def _units_said(v: dict[str, np.ndarray]) -> str:
    forward = ", ".join(f"{name} = {listed(v[of])}" for name, of in (("x", "X"), ("a[1]", "A1"), ("a[2]", "A2")))
    backward = ", ".join(f"{name} = {listed(v[of])}" for name, of in (("dz[2]", "dZ2"), ("dz[1]", "dZ1")))
    weights = ", ".join(f"{name} = {listed(v[name])}" for name in ("W1", "dW1", "W2", "dW2"))
    return f"Forward: {forward}. Backward, with y = {listed(v['Y'])}: {backward}. On the edges: {weights}."


def listed(array: np.ndarray) -> str:
    """All elements, row by row."""
    return "(" + "; ".join(" ".join(number(x, 3) for x in row) for row in np.atleast_2d(array)) + ")"


def _unit(drawing: Drawing, at: Point, name: str, a: tuple[float, str], dz: tuple[float, str] | None = None) -> None:
    x, y = at
    drawing.circle(at, RADIUS)
    drawing.text((x, y - RADIUS - 7), name, DIM, symbol=a[1])
    drawing.text((x, y + 5 if dz is None else y - 4), number(a[0], 3), FORWARD, 14, symbol=a[1])
    if dz:
        drawing.text((x, y + 15), number(dz[0], 3), BACKWARD, 14, symbol=dz[1])


def _bias(drawing: Drawing, at: Point, v: dict[str, np.ndarray], l: int, j: int) -> None:
    """b and db under their unit."""
    x, y = at
    drawing.text((x, y + RADIUS + 14), f"b = {number(v[f'b{l}'][j, 0], 3)}", FORWARD, SMALL, symbol=f"b{l}")
    drawing.text((x, y + RADIUS + 29), f"db = {number(v[f'db{l}'][j, 0], 3)}", BACKWARD, SMALL, symbol=f"db{l}")


def _weights(
    drawing: Drawing, v: dict[str, np.ndarray], l: int, left: list[Point], right: list[Point], share: float
) -> None:
    """The edges between two layers, then their numbers, so that no edge runs through a number."""
    ends = [(i, j, start, end) for j, end in enumerate(right) for i, start in enumerate(left)]
    for _, _, start, end in ends:
        drawing.line([start, end], RULE, 1.4)
    for i, j, start, end in ends:
        w, dw = (number(v[f"{d}W{l}"][j, i], 3) for d in ("", "d"))
        drawing.chip(on(start, end, share), (w, f"W{l}"), (dw, f"dW{l}"))


def _units_legend(drawing: Drawing, y: np.ndarray, g: tuple[str, str]) -> None:
    lines = {"in a unit: a": FORWARD, "below it: dz": BACKWARD, "on an edge: w": FORWARD, "below it: dw": BACKWARD}
    for i, (text, colour) in enumerate({**lines, f"the label: y = {number(y[0, 0])}": DIM}.items()):
        drawing.text((640, 24 + 18 * i), text, colour, SMALL, "start")
    for l, text in enumerate(("the inputs", f"layer 1: {g[0]}", f"layer 2: {g[1]}")):
        drawing.text((LAYERS[l][0], 603), text, DIM, SMALL)


# ---- one hidden layer, as matrices (N14, N18)

SHOWN = {"X": 60.0, "Z1": 205.0, "A1": 345.0, "Z2": 485.0, "A2": 625.0, "J": 745.0}
"""Where the matrices of the way forward stand."""


def shallow_graph(problem: Problem | None = None) -> Markup:
    """X → Z1 → A1 → Z2 → A2 → J with the gradients below, each with its shape and its first element (N14, N18)."""
    problem = problem or small.problem("three_four_one")
    params, X, Y = problem.inputs("float64")
    v = {"X": X, "Y": Y, **params, **shallow_network.quantities(params, X, Y, _two(problem.activations))}
    names = [*SHOWN, "dZ2", "dW2", "db2", "dZ1", "dW1", "db1"]
    says = ", ".join(f"{name} {shape_of(v[name])} begins with {number(first(v[name]), 3)}" for name in names)
    drawing = Drawing(800, 430, "A network with one hidden layer as matrices, forward and backward", f"{says}.")
    _forward_row(drawing, v)
    _backward_rows(drawing, v)
    drawing.legend((580, 24))
    return drawing.svg()


def _two(activations: Sequence[str]) -> tuple[str, str]:
    g1, g2 = activations
    return g1, g2


def first(array: np.ndarray) -> float:
    """Its first element."""
    return float(np.ravel(array)[0])


def shape_of(array: np.ndarray) -> str:
    """Its shape, as the notes write it."""
    return "()" if not np.ndim(array) else f"({array.shape[0]}, {array.shape[1]})"


def superscripted(name: str) -> str:
    """dZ1 as the notes write it."""
    return f"{name[:-1]}^[{name[-1]}]" if name[-1].isdigit() else name


def _matrix(drawing: Drawing, at: Point, name: str, array: np.ndarray, colour: str) -> None:
    """A box with the name, the shape and the first element."""
    x, y = at
    drawing.box(at, 82, 68)
    drawing.text((x, y - 13), superscripted(name), INK, symbol=name)
    drawing.text((x, y + 6), shape_of(array), DIM, SMALL)
    drawing.text((x, y + 25), number(first(array), 3) + (" …" if array.size > 1 else ""), colour, 14, symbol=name)


def _forward_row(drawing: Drawing, v: dict[str, np.ndarray]) -> None:
    for l in (1, 2):
        x = SHOWN[f"Z{l}"]
        for name, at in ((f"W{l}", x - 48), (f"b{l}", x + 48)):
            drawing.arrow([(at, 105), (x + (at - x) / 3, 136)], FORWARD)
            _matrix(drawing, (at, 70), name, v[name], FORWARD)
    for name, then in pairwise(SHOWN):
        drawing.arrow([(SHOWN[name] + 43, 175), (SHOWN[then] - 44, 175)], FORWARD)
    for name, x in SHOWN.items():
        _matrix(drawing, (x, 175), name, v[name], FORWARD)


def _backward_rows(drawing: Drawing, v: dict[str, np.ndarray]) -> None:
    """dZ2 from A2 and Y, dZ1 from dZ2; below each what goes to the parameters."""
    x2, x1 = SHOWN["Z2"], SHOWN["Z1"]
    drawing.arrow([(SHOWN["A2"], 211), (SHOWN["A2"], 275), (x2 + 44, 275)], BACKWARD)
    drawing.text((SHOWN["A2"] + 10, 262), "A^[2] − Y", BACKWARD, 14, "start", symbol="dZ2")
    drawing.arrow([(x2 - 44, 275), (x1 + 44, 275)], BACKWARD)
    middle = (x1 + x2) / 2
    drawing.text((middle, 264), "W^[2]^T dZ^[2] ∗ g^[1]′(Z^[1])", BACKWARD, 14, symbol="dZ1")
    for l, x in ((1, x1), (2, x2)):
        for name, at in ((f"dW{l}", x - 48), (f"db{l}", x + 48)):
            drawing.arrow([(x + (at - x) / 3, 311), (at, 343)], BACKWARD)
            _matrix(drawing, (at, 380), name, v[name], BACKWARD)
        _matrix(drawing, (x, 275), f"dZ{l}", v[f"dZ{l}"], BACKWARD)


# ---- two linear layers (N16)


def collapse(problem: Problem | None = None) -> Markup:
    """With g(z) = z the two layers, and the one that they are: W' = W2 W1, b' = W2 b1 + b2, and the same z (N16)."""
    problem = problem or small.problem("three_four_one")
    params, X, _ = problem.inputs("float64")
    _, two = shallow_network.forward(params, X, ("identity", "identity"))
    one = shallow_network.collapse(params)
    _, z = deep_network.forward(one, X, ("identity",))
    says = (
        f"Two layers without an activation function give z = {number(first(two['Z2']))} for the first example. "
        f"One layer with W' = {listed(one['W1'])} and b' = {listed(one['b1'])} gives z = {number(first(z['Z1']))}."
    )
    drawing = Drawing(760, 300, "Two linear layers are one", says)
    _linear(drawing, 40, [X.shape[0], *(params[f"W{l}"].shape[0] for l in (1, 2))], first(two["Z2"]), "Z2")
    drawing.text((415, 160), "=", INK, 28)
    _linear(drawing, 480, [X.shape[0], one["W1"].shape[0]], first(z["Z1"]), "Z2")
    for x, text in (
        (40, "W^[1], b^[1], then W^[2], b^[2], with g(z) = z"),
        (480, "W′ = W^[2] W^[1], b′ = W^[2] b^[1] + b^[2]"),
    ):
        drawing.text((x - 14, 30), text, INK, 14, "start")
    drawing.text((466, 268), f"W′ = {listed(one['W1'])}", FORWARD, 14, "start")
    drawing.text((466, 290), f"b′ = {listed(one['b1'])}", FORWARD, 14, "start")
    return drawing.svg()


def _linear(drawing: Drawing, x: float, layers: Sequence[int], z: float, symbol: str) -> None:
    """A small network, and its output."""
    places = [column(n, x + 115 * l, 150, 48) for l, n in enumerate(layers)]
    for left, right in pairwise(places):
        for start in left:
            for end in right:
                drawing.line([start, end], RULE, 1.4)
    for at in (at for layer in places for at in layer):
        drawing.circle(at, 13)
    at = places[-1][0]
    drawing.text((at[0] + 22, at[1] + 5), f"z = {number(z)}", FORWARD, SIZE, "start", symbol=symbol)
