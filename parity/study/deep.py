"""Deep networks as the slides draw them: units with their numbers, the blocks of every layer, and the circuits of XOR.

The numbers are those of reference/ (NumPy) on the problems of the catalogue. A chapter on all layers has one symbol for
what every layer has: dZ^[1] to dZ^[4] are «dZl».
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from markupsafe import Markup

from parity.problems import Problem, catalogue
from parity.study.networks import column, first, listed
from parity.study.svg import BACKWARD, DIM, FORWARD, INK, RULE, SMALL, Drawing, Point, number
from reference import circuits, deep_network

Values = dict[str, np.ndarray]

# ---- units (N20)

UNIT = 27.0
"""The radius of a unit in which two short numbers stand."""


def deep_units(problem: Problem | None = None) -> Markup:
    """The 3-5-5-3-1 network on one example: a in every unit, dz below it, n[l] under every layer (N20)."""
    problem = problem or catalogue.build("four_layers")
    params, X, Y = problem.inputs("float64")
    x, y, g = X[:, :1], Y[:, :1], problem.activations
    v = {"A0": x, **deep_network.quantities(params, x, y, g)}
    sizes = problem.layers
    says = ", ".join(f"n[{l}] = {n}" for l, n in enumerate(sizes))
    numbers = "; ".join(f"a[{l}] = {listed(v[f'A{l}'].T)}" for l in range(len(sizes)))
    errors = "; ".join(f"dz[{l}] = {listed(v[f'dZ{l}'].T)}" for l in range(len(sizes) - 1, 0, -1))
    drawing = Drawing(
        800, 430, f"A network of {len(g)} layers: {'-'.join(map(str, sizes))}", f"{says}. {numbers}. {errors}."
    )
    places = [column(n, 60 + 170 * l, 185, 66) for l, n in enumerate(sizes)]
    for left, right in pairwise(places):
        _all_edges(drawing, left, right)
    for l, layer in enumerate(places):
        for i, at in enumerate(layer):
            _unit(drawing, at, l, v, i)
        _layer_said(drawing, layer[0][0], l, sizes, g)
    drawing.legend((585, 24))
    return drawing.svg()


def _all_edges(drawing: Drawing, left: list[Point], right: list[Point]) -> None:
    for start in left:
        for end in right:
            drawing.line([start, end], RULE, 1.2)


def _unit(drawing: Drawing, at: Point, l: int, v: Values, i: int) -> None:
    x, y = at
    drawing.circle(at, UNIT)
    drawing.text((x, y - 3 if l else y + 4), number(v[f"A{l}"][i, 0], 2), FORWARD, SMALL, symbol="Al" if l else "X")
    if l:
        drawing.text((x, y + 12), number(v[f"dZ{l}"][i, 0], 2), BACKWARD, SMALL, symbol="dZl")


def _layer_said(drawing: Drawing, x: float, l: int, sizes: tuple[int, ...], g: tuple[str, ...]) -> None:
    drawing.text((x, 372), f"n^[{l}] = {sizes[l]}", INK, 14, symbol="nl")
    drawing.text((x, 394), g[l - 1] if l else "x", DIM, SMALL, symbol="gl" if l else "X")
    if l:
        shape = f"W^[{l}] ({sizes[l]}, {sizes[l - 1]})"
        drawing.text((x - 85, 418), shape, DIM, SMALL, symbol="Wl")


# ---- blocks (N23)


def deep_blocks(problem: Problem | None = None) -> Markup:
    """A block forward and a block backward for each layer, what passes between them, and the update (N23)."""
    problem = problem or catalogue.build("four_layers")
    params, X, Y = problem.inputs("float64")
    v = _passed(params, X, Y, problem.activations)
    L = len(problem.activations)
    names = [f"A{l}" for l in range(L + 1)] + [f"dA{l}" for l in range(L, 0, -1)]
    says = ", ".join(f"{name} begins with {number(first(v[name]), 3)}" for name in names)
    drawing = Drawing(800, 440, "The forward and the backward block of every layer", f"{says}. J = {number(v['J'])}.")
    at = [105 + 168 * (l - 1) for l in range(1, L + 1)]
    for l, x in enumerate(at, start=1):
        _forward_block(drawing, x, l, v, problem.activations[l - 1])
        _backward_block(drawing, x, l, v)
    _turn(drawing, at[-1], L, v)
    drawing.legend((580, 22))
    return drawing.svg()


def _passed(params: Values, X: np.ndarray, Y: np.ndarray, g: tuple[str, ...]) -> Values:
    """Everything that passes between the blocks, which dA is (reference's own functions of a layer)."""
    v = {"A0": X, **params, **deep_network.quantities(params, X, Y, g)}
    dA = -Y / v[f"A{len(g)}"] + (1 - Y) / (1 - v[f"A{len(g)}"])
    for l in range(len(g), 0, -1):
        v[f"dA{l}"] = dA
        dA, v[f"dW{l}"], v[f"db{l}"] = deep_network.layer_backward(
            dA, v[f"Z{l}"], v[f"A{l - 1}"], params[f"W{l}"], g[l - 1]
        )
    return v


def _named(drawing: Drawing, at: Point, name: str, v: Values, colour: str) -> None:
    """A name above an arrow, and the first element below it."""
    x, y = at
    letter, l = name[:-1], name[-1]
    symbol = "X" if name == "A0" else f"{letter}l"
    drawing.text((x, y - 8), f"{letter}^[{l}]", colour, 14, symbol=symbol)
    drawing.text((x, y + 17), number(first(v[name]), 2), colour, SMALL, symbol=symbol)


def _beside(drawing: Drawing, at: Point, l: int, left: str, right: str) -> None:
    """The names of two quantities of a layer, each with its own symbol."""
    x, y = at
    drawing.text((x - 3, y), f"{left}^[{l}],", INK, anchor="end", symbol=f"{left}l")
    drawing.text((x + 3, y), f"{right}^[{l}]", INK, anchor="start", symbol=f"{right}l")


def _forward_block(drawing: Drawing, x: float, l: int, v: Values, g: str) -> None:
    drawing.box((x, 110), 104, 72)
    _beside(drawing, (x + 4, 98), l, "W", "b")
    drawing.text((x, 117), f"g(W A^[{l - 1}] + b)", DIM, SMALL)
    drawing.text((x, 136), f"g: {g}", DIM, SMALL, symbol="gl")
    drawing.arrow([(x - 116, 110) if l > 1 else (x - 100, 110), (x - 54, 110)], FORWARD)
    _named(drawing, (x - 82, 110), f"A{l - 1}", v, FORWARD)
    drawing.arrow([(x - 20, 147), (x - 20, 213)], DIM, dashes="4 3")
    drawing.text((x - 14, 176), "cache", DIM, SMALL, "start")
    drawing.text((x - 14, 194), f"Z^[{l}]", FORWARD, 14, "start", symbol="Zl")


def _backward_block(drawing: Drawing, x: float, l: int, v: Values) -> None:
    drawing.box((x, 250), 104, 72)
    _beside(drawing, (x - 1, 238), l, "W", "dZ")
    drawing.text((x, 257), "dZ = dA ∗ g′(Z)", DIM, SMALL)
    drawing.text((x, 276), f"dA^[{l - 1}] = Wᵀ dZ", DIM, SMALL)
    if l > 1:
        drawing.arrow([(x - 54, 250), (x - 116, 250)], BACKWARD)
        _named(drawing, (x - 82, 250), f"dA{l - 1}", v, BACKWARD)
    for name, at in (("dW", x - 30), ("db", x + 30)):
        drawing.arrow([(at, 287), (at, 318)], BACKWARD)
        drawing.text((at, 338), f"{name}^[{l}]", BACKWARD, 14, symbol=f"{name}l")
        drawing.text((at, 356), number(first(v[f"{name}{l}"]), 2), BACKWARD, SMALL, symbol=f"{name}l")
    drawing.box((x, 397), 150, 54, "none")
    drawing.text((x, 391), f"W^[{l}] := W^[{l}] − α dW^[{l}]", INK, SMALL)
    drawing.text((x, 413), f"b^[{l}] := b^[{l}] − α db^[{l}]", INK, SMALL)


def _turn(drawing: Drawing, x: float, L: int, v: Values) -> None:
    """From A[L] to J, and back as dA[L]."""
    end = x + 116
    drawing.line([(x + 54, 110), (end, 110)], FORWARD, 1.4)
    drawing.arrow([(end, 110), (end, 164)], FORWARD)
    drawing.arrow([(end, 196), (end, 250), (x + 54, 250)], BACKWARD)
    drawing.box((end, 180), 84, 30)
    drawing.text((end, 185), f"J = {number(v['J'], 3)}", FORWARD, 14, symbol="J")
    _named(drawing, (x + 84, 110), f"A{L}", v, FORWARD)
    _named(drawing, (x + 84, 250), f"dA{L}", v, BACKWARD)


# ---- XOR (N22)

INPUTS, SHOWN_INPUT = 4, (1, 0, 1, 1)
"""How many inputs the circuits have, and those with which they are drawn."""

HALF = 97.0
"""Half the width of a unit that shows its weights."""


def xor_deep(n: int = INPUTS) -> Markup:
    """XOR by a tree of pairs: the network that reference.circuits builds, and what it makes of one input (N22)."""
    params, g = circuits.xor_deep(n)
    v, says = _circuit(params, g, n)
    layers = len(g)
    drawing = Drawing(800, 340, f"XOR of {n} inputs in {layers - 1} hidden layers", says)
    places = [column(len(v[f"A{l}"]), 60 + 660 * l / layers, 145, 74) for l in range(layers + 1)]
    for l, (left, right) in enumerate(pairwise(places), start=1):
        for j, i in zip(*np.nonzero(params[f"W{l}"]), strict=True):
            _signed(drawing, left[i], right[j], params[f"W{l}"][j, i], labelled=l == layers)
    for l, layer in enumerate(places):
        for i, at in enumerate(layer):
            symbol = "x" if not l else "P" if l == layers else ""
            _switch(drawing, at, v[f"A{l}"][i, 0], symbol, f"x_{i + 1}" if not l else "")
    _circuit_said(drawing, 318, params, g)
    return drawing.svg()


def xor_shallow(n: int = INPUTS) -> Markup:
    """XOR by one hidden layer, a unit for each input of odd parity (N22)."""
    params, g = circuits.xor_shallow(n)
    v, says = _circuit(params, g, n)
    units = len(v["A1"])
    drawing = Drawing(800, 60 + 50 * units, f"XOR of {n} inputs in one hidden layer of {units} units", says)
    middle = 8 + 25 * units
    left, hidden, (end,) = column(n, 60, middle, 104), column(units, 380, middle, 50), column(1, 720, middle, 0)
    for j, at in enumerate(hidden):
        for i, start in enumerate(left):
            _signed(drawing, start, (at[0] - HALF, at[1]), params["W1"][j, i])
        _signed(drawing, (at[0] + HALF, at[1]), end, params["W2"][0, j], labelled=False)
    for j, at in enumerate(hidden):
        _and(drawing, at, params["W1"][j], params["b1"][j, 0], v["A1"][j, 0])
    drawing.chip_of((600, middle), f"each {number(params['W2'][0, 0])}", "c")
    for i, at in enumerate(left):
        _switch(drawing, at, v["A0"][i, 0], "x", f"x_{i + 1}")
    _switch(drawing, end, v["A2"][0, 0], "P", "")
    _circuit_said(drawing, 42 + 50 * units, params, g)
    return drawing.svg()


def _circuit(params: Values, g: tuple[str, ...], n: int) -> tuple[Values, str]:
    """What the units of a circuit are at the input that is shown, and the whole in words."""
    x = np.array([SHOWN_INPUT[:n]], np.float64).T
    _, v = deep_network.forward(params, x, g)
    answer = number(v[f"A{len(g)}"][0, 0])
    weights = "; ".join(f"W[{l}] = {listed(params[f'W{l}'])}, b[{l}] = {listed(params[f'b{l}'].T)}" for l in _layers(g))
    says = f"{circuits.count_units(params)} hidden units. At x = {listed(x.T)} the answer is {answer}. {weights}."
    return {"A0": x, **v}, says


def _layers(g: tuple[str, ...]) -> range:
    return range(1, len(g) + 1)


def _signed(drawing: Drawing, start: Point, end: Point, weight: float, *, labelled: bool = False) -> None:
    """An edge, dashed where its weight is negative; its weight where that is another than its sign."""
    drawing.line([start, end], INK if weight > 0 else DIM, 1.2, "" if weight > 0 else "5 4")
    if labelled:
        drawing.chip_of(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), number(weight), "c")


def _switch(drawing: Drawing, at: Point, a: float, symbol: str, name: str) -> None:
    drawing.circle(at, 20)
    drawing.text((at[0], at[1] + 5), number(a), FORWARD, symbol=symbol)
    if name:
        drawing.text((at[0] - 40, at[1] + 5), name, DIM, symbol=symbol)


def _and(drawing: Drawing, at: Point, w: np.ndarray, b: float, a: float) -> None:
    """A hidden unit with its weights, its bias, and what it is."""
    drawing.box(at, 2 * HALF, 34)
    for i, x in enumerate(w):
        drawing.text((at[0] - 74 + 24 * i, at[1] + 4), number(x), INK, SMALL, "end", symbol="W1")
    drawing.text((at[0] + 16, at[1] + 4), f"b = {number(b)}", DIM, SMALL, "start", symbol="b1")
    drawing.text((at[0] + 80, at[1] + 5), number(a), FORWARD, symbol="A1")


def _circuit_said(drawing: Drawing, y: float, params: Values, g: tuple[str, ...]) -> None:
    """The units counted, how weights are drawn, and the bias of the output."""
    L = len(g)
    drawing.text((720, y), f"output: b = {number(params[f'b{L}'][0, 0])}", DIM, SMALL)
    sizes = " + ".join(str(len(params[f"b{l}"])) for l in range(1, len(g)))
    units = circuits.count_units(params)
    said = f"hidden units: {sizes} = {units}" if len(g) > 2 else f"hidden units: {units}"
    drawing.text((60, y), said, INK, 14, "start")
    for x, text, colour, dashes in ((330, "weight 1", INK, ""), (450, "weight −1", DIM, "5 4")):
        drawing.line([(x, y - 5), (x + 30, y - 5)], colour, 1.2, dashes)
        drawing.text((x + 38, y), text, colour, SMALL, "start")
