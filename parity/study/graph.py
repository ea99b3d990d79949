"""Computation graphs: numbers forward above every edge, derivatives backward below it (N7, N8).

The numbers are those of reference/ (NumPy) on the problems of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from parity.problems import Problem, catalogue
from parity.study.svg import BACKWARD, FORWARD, INK, Drawing, Point, number
from reference import computation_graph as graph_of_j
from reference import logistic_regression

APART = 3.0
"""Half the distance of the two arrows of an edge."""

HEIGHT = 36.0
"""Of a box."""

LEVEL, STEEPEST = 122.0, 45.0
"""How far an edge runs level, and how much room it keeps for going up or down."""

ENTERS = 0.12
"""Edges end at a box in the order in which they begin, so much of their distance apart."""


@dataclass(frozen=True)
class Node:
    """A quantity of a graph.

    Attributes
    ----------
    name, formula : str
        Its symbol; how it is written, "u = b c", or its name alone where it is given.
    x, y, width : float
        Its middle, and how wide it is.
    value : float
        What it is.
    slope : tuple of (str, float) or None
        The name of the derivative with respect to it, and what that is; None where none is asked for.
    """

    name: str
    formula: str
    x: float
    y: float
    width: float
    value: float
    slope: tuple[str, float] | None


Graph = dict[str, tuple[Node, str]]
"""Every quantity by its symbol, and the symbol that is computed from it; "" at the end."""


def computation_graph(problem: Problem | None = None) -> Markup:
    """J = 3(a + bc) at the slide's a, b and c: J from left to right, its derivatives from right to left (N7)."""
    at = (problem or catalogue.build("computation_graph")).params
    found = {name: float(value) for name, value in {**at, **graph_of_j.quantities(**at)}.items()}
    places: dict[str, tuple[str, float, float, float, str]] = {
        "a": ("a", 30, 60, 44, "v"),
        "b": ("b", 30, 165, 44, "u"),
        "c": ("c", 30, 270, 44, "u"),
        "u": ("u = b c", 265, 218, 92, "v"),
        "v": ("v = a + u", 495, 139, 104, "J"),
        "J": ("J = 3 v", 705, 139, 92, ""),
    }
    graph: Graph = {}
    for name, (formula, x, y, width, to) in places.items():
        slope = (f"d{name}", found[f"d{name}"]) if to else None
        graph[name] = (Node(name, formula, x, y, width, found[name], slope), to)
    return _drawn(graph, (760, 310), "The computation graph of J = 3(a + bc)")


def one_example(problem: Problem | None = None) -> Markup:
    """Logistic regression on one example with two features: z, a and L, and what comes back (N8)."""
    problem = problem or catalogue.build("one_example")
    values, slopes = _of_one_example(problem)
    places: dict[str, tuple[str, float, float, float, str]] = {
        **{name: (_index(name), 28, 45 + 70 * i, 40, "z") for i, name in enumerate(("x1", "w1", "x2", "w2", "b"))},
        "z": ("z = w_1x_1 + w_2x_2 + b", 348, 185, 180, "a"),
        "a": ("a = σ(z)", 597, 185, 78, "L"),
        "L": ("L(a, y)", 792, 185, 70, ""),
        "y": ("y", 792, 300, 40, "L"),
    }
    graph: Graph = {}
    for name, (formula, x, y, width, to) in places.items():
        slope = (f"d{name}", slopes[f"d{name}"]) if f"d{name}" in slopes else None
        graph[name] = (Node(name, formula, x, y, width, values[name], slope), to)
    return _drawn(graph, (832, 350), "The computation graph of logistic regression on one example")


def _of_one_example(problem: Problem) -> tuple[dict[str, float], dict[str, float]]:
    """The values of x1 to L, and the derivatives, by reference/."""
    params, x, y = problem.inputs("float64")
    found = logistic_regression.quantities(params, x, y)
    slopes = logistic_regression.derivatives_of_one_example(params["w"], params["b"], x, y[0, 0])
    dw = slopes.pop("dw")
    values = {"x1": x[0, 0], "w1": params["w"][0, 0], "x2": x[1, 0], "w2": params["w"][1, 0], "b": params["b"]}
    values |= {"z": found["Z"][0, 0], "a": found["A"][0, 0], "L": found["J"], "y": y[0, 0]}
    slopes |= {"dw1": dw[0, 0], "dw2": dw[1, 0]}
    return {name: float(v) for name, v in values.items()}, {name: float(v) for name, v in slopes.items()}


def _drawn(graph: Graph, size: tuple[float, float], title: str) -> Markup:
    drawing = Drawing(*size, title, _said(graph))
    for node, to in graph.values():
        if to:
            _edge(drawing, node, graph[to][0])
    for node, to in graph.values():
        drawing.box((node.x, node.y), node.width, HEIGHT)
        drawing.text((node.x, node.y + 5), node.formula, INK, symbol=node.name)
        if not to:
            drawing.text((node.x, node.y - 26), f"{node.name} = {number(node.value)}", FORWARD, symbol=node.name)
    drawing.legend((size[0] - 215, 24))
    return drawing.svg()


def _said(graph: Graph) -> str:
    forward = [f"{node.name} = {number(node.value)}" for node, _ in graph.values()]
    backward = [f"{n.slope[0]} = {number(n.slope[1])}" for n, _ in reversed(graph.values()) if n.slope]
    return f"Forward: {', '.join(forward)}. Backward: {', '.join(backward)}."


def _edge(drawing: Drawing, node: Node, to: Node) -> None:
    """Both ways, or forward alone where there is no derivative; the numbers stand on the level stretch."""
    way = _way(node, to)
    at = ((way[0][0] + way[1][0]) / 2, node.y - 10) if node.x != to.x else (node.x + 14, (node.y + to.y) / 2 + 5)
    drawing.text(at, number(node.value), FORWARD, symbol=node.name)
    if node.slope is None:
        drawing.arrow(way, FORWARD)
        return
    drawing.arrow([(x, y - APART) for x, y in way], FORWARD)
    drawing.arrow([(x, y + APART) for x, y in reversed(way)], BACKWARD)
    text = f"{_index(node.slope[0])} = {number(node.slope[1])}"
    drawing.text((at[0], node.y + 21), text, BACKWARD, symbol=node.slope[0])


def _way(node: Node, to: Node) -> list[Point]:
    """Level as long as its numbers need, then straight to the other; straight up to one that stands above."""
    if node.x == to.x:
        return [(node.x, node.y - HEIGHT / 2 - 4), (to.x, to.y + HEIGHT / 2 + 4)]
    start, end = node.x + node.width / 2 + 4, to.x - to.width / 2 - 4
    if node.y == to.y:
        return [(start, node.y), (end, node.y)]
    return [(start, node.y), (min(start + LEVEL, end - STEEPEST), node.y), (end, to.y + ENTERS * (node.y - to.y))]


def _index(name: str) -> str:
    """w1 with its index below the line."""
    return f"{name[:-1]}_{name[-1]}" if name[-1].isdigit() else name
