"""Graphs and networks: the numbers on them are those of the formulas, each where its symbol is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from parity.problems import Problem, catalogue
from parity.study import deep, graph, networks, small
from parity.study.registry import chapters
from parity.study.svg import Drawing, number, spans, width_of
from reference import circuits, deep_network, shallow_network

SVG = "{http://www.w3.org/2000/svg}"


def said_by_symbol(svg: Markup) -> dict[str, list[str]]:
    """Every text of the drawing under its symbol, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        found[group.attrib["data-symbol"]].append("".join(group.itertext()).replace("\u200b", "").strip())
    return found


def numbers_of(array: np.ndarray, digits: int = 3) -> list[str]:
    return sorted(number(x, digits) for x in np.ravel(array))


def shown(texts: list[str], *names: str) -> list[str]:
    """The numbers among the texts of a symbol: what is left without its names."""
    return sorted(text for text in texts if text not in names)


def test_the_slide_s_graph_has_the_slide_s_numbers() -> None:
    said = said_by_symbol(graph.computation_graph())
    assert said["a"] == ["5", "a"]
    assert said["b"] == ["3", "b"]
    assert said["c"] == ["2", "c"]
    assert said["u"] == ["6", "u = b c"]
    assert said["v"] == ["11", "v = a + u"]
    assert said["J"] == ["J = 3 v", "J = 33"]
    slopes = {name: texts for name, texts in said.items() if name.startswith("d")}
    assert slopes == {name: [f"{name} = {x}"] for name, x in (("da", 3), ("db", 6), ("dc", 9), ("du", 3), ("dv", 3))}


def test_one_example_has_its_logit_its_loss_and_its_slopes() -> None:
    said = said_by_symbol(graph.one_example())
    a = 1 / (1 + np.exp(-0.25))  # z = 0.75 − 2 · 0.5 + 0.5
    assert said["z"][0] == "0.25"
    assert said["a"][0] == number(a)
    assert said["L"] == ["L(a, y)", f"L = {number(-np.log(a))}"]
    assert said["da"] == [f"da = {number(-1 / a)}"]
    assert said["dz"] == [f"dz = {number(a - 1)}"]
    assert said["dw1"] == [f"dw1 = {number(0.75 * (a - 1))}"]
    assert said["dw2"] == [f"dw2 = {number(0.5 * (a - 1))}"]
    assert said["db"] == [f"db = {number(a - 1)}"]
    assert "dx1" not in said
    assert "dy" not in said


def test_every_unit_and_every_edge_has_both_numbers() -> None:
    problem = small.problem("three_four_one")
    params, X, Y = problem.inputs("float64")
    one = shallow_network.quantities(params, X[:, :1], Y[:, :1], ("tanh", "sigmoid"))
    said = said_by_symbol(networks.shallow_units())
    for name in ("W1", "W2"):
        assert sorted(said[name]) == numbers_of(params[name])
        assert sorted(said[f"d{name}"]) == numbers_of(one[f"d{name}"])
    for l in (1, 2):
        assert sorted(said[f"dZ{l}"]) == numbers_of(one[f"dZ{l}"])
        assert said[f"db{l}"] == [f"db = {number(x, 3)}" for x in one[f"db{l}"][:, 0]]
    assert shown(said["A1"], *(f"a[1]{j}" for j in range(1, 5))) == numbers_of(one["A1"])
    assert shown(said["X"], "x1", "x2", "x3") == numbers_of(X[:, :1])


def test_a_matrix_begins_with_its_first_element() -> None:
    problem = small.problem("three_four_one")
    params, X, Y = problem.inputs("float64")
    v = {**params, "X": X, **shallow_network.quantities(params, X, Y, ("tanh", "sigmoid"))}
    said = said_by_symbol(networks.shallow_graph())
    assert set(said) == set(v)
    for name, array in v.items():
        assert number(np.ravel(array)[0], 3) + (" …" if array.size > 1 else "") in said[name]


def test_the_collapsed_network_gives_the_same() -> None:
    params, X, _ = small.problem("three_four_one").inputs("float64")
    z = params["W2"] @ (params["W1"] @ X + params["b1"]) + params["b2"]
    assert said_by_symbol(networks.collapse())["Z2"] == [f"z = {number(z[0, 0])}"] * 2


def test_every_unit_of_a_deep_network_has_both_numbers() -> None:
    problem = catalogue.build("four_layers")
    params, X, Y = problem.inputs("float64")
    v = deep_network.quantities(params, X[:, :1], Y[:, :1], problem.activations)
    said = said_by_symbol(deep.deep_units())
    layers = range(1, 5)
    assert said["nl"] == [f"n[{l}] = {n}" for l, n in enumerate((3, 5, 5, 3, 1))]
    for name in ("A", "dZ"):
        assert said[f"{name}l"] == [number(x, 2) for l in layers for x in v[f"{name}{l}"][:, 0]]


def test_what_passes_between_the_blocks_is_the_chain_rule() -> None:
    problem = catalogue.build("four_layers")
    params, X, Y = problem.inputs("float64")
    v = deep_network.quantities(params, X, Y, problem.activations)
    said = said_by_symbol(deep.deep_blocks())
    slopes = {l: number((params[f"W{l + 1}"].T @ v[f"dZ{l + 1}"])[0, 0], 2) for l in (1, 2, 3)}
    assert said["dAl"][:-2] == [text for l in slopes for text in (f"dA[{l}]", slopes[l])]
    for name, layers in {"A": (1, 2, 3, 4), "dW": (1, 2, 3, 4), "db": (1, 2, 3, 4)}.items():
        assert said[f"{name}l"] == [text for l in layers for text in (f"{name}[{l}]", number(v[f"{name}{l}"][0, 0], 2))]


@pytest.mark.parametrize(
    ("draw", "build", "units"),
    [(deep.xor_deep, circuits.xor_deep, "4 + 2 = 6"), (deep.xor_shallow, circuits.xor_shallow, "8")],
)
def test_a_circuit_has_its_units_its_edges_and_its_answer(
    draw: Callable[[], Markup], build: Callable[[int], tuple[dict[str, np.ndarray], tuple[str, ...]]], units: str
) -> None:
    svg = draw()
    params, g = build(4)
    root = ElementTree.fromstring(svg)
    in_legend = 2
    edges = sum(np.count_nonzero(params[f"W{l}"]) for l in range(1, len(g) + 1))
    assert len(list(root.iter(f"{SVG}polyline"))) == edges + in_legend
    assert f"hidden units: {units}" in {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert said_by_symbol(svg)["P"] == [str(sum(deep.SHOWN_INPUT) % 2)]


def test_what_lights_up_in_a_drawing_is_a_symbol_of_its_chapter() -> None:
    drawn = {name: draw for module in (graph, networks, deep) for name, draw in vars(module).items()}
    alone = {
        (chapter.name, figure, symbol)
        for chapter in chapters()
        for figure in {name for block in chapter.blocks for name in block.figures} & set(drawn)
        for symbol in said_by_symbol(drawn[figure]())
        if symbol not in chapter.symbols
    }
    assert alone == set()


DRAWINGS: list[tuple[Callable[[Problem], Markup], str]] = [
    (graph.computation_graph, "computation_graph"),
    (graph.one_example, "one_example"),
    (networks.shallow_units, "three_four_one"),
    (networks.shallow_graph, "three_four_one"),
    (networks.collapse, "three_four_one"),
    (deep.deep_units, "four_layers"),
    (deep.deep_blocks, "four_layers"),
]


@pytest.mark.parametrize(("draw", "name"), DRAWINGS, ids=lambda value: getattr(value, "__name__", ""))
def test_another_number_is_another_drawing(draw: Callable[[Problem], Markup], name: str) -> None:
    problem = small.problem(name)
    other = replace(problem, params={name: 2 * p for name, p in problem.params.items()}, exact=False)
    assert draw(other) != draw(problem)


def test_what_comes_from_outside_is_escaped() -> None:
    drawing = Drawing(10, 10, "a < b", "b & c")
    drawing.text((1, 2), "<script>", symbol='"><x')
    root = ElementTree.fromstring(drawing.svg())
    assert root.findtext(f"{SVG}title") == "a < b"
    assert root.findtext(f"{SVG}desc") == "b & c"
    assert [group.attrib["data-symbol"] for group in root.iter(f"{SVG}g")] == ['"><x']


@pytest.mark.parametrize(
    ("value", "text"), [(-0.0, "0"), (33.0, "33"), (-1.77879, "−1.779"), (1e-9, "1e−09"), (np.float64(0.5), "0.5")]
)
def test_a_number_is_written_with_a_real_minus(value: float, text: str) -> None:
    assert number(value) == text


def test_an_index_is_moved_and_what_follows_is_back_on_the_line() -> None:
    root = ElementTree.fromstring(f"<text>{spans('W^[2]A', 10)}</text>")
    assert "".join(root.itertext()) == "W[2]A"
    assert sum(float(part.attrib["dy"]) for part in root) == 0
    assert width_of("W^[2]") < width_of("W[2]")
