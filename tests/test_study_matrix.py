"""The matrix as the pages show it: the same cells as on the terminal, and nothing that differs is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from parity.compare import BITS, DIFFERS, ROUNDING, Comparison
from parity.kept import FAILED
from parity.problems import catalogue
from parity.report import cell_text
from parity.run import Cell, Plan, matrix
from parity.study.matrix import SKIPPED, agreement, page


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    """Two problems of one model, of which one is exact, in two implementations of NumPy."""
    problems = tuple(catalogue.build(name) for name in ("house_prices", "logistic_exact", "computation_graph"))
    return list(matrix(Plan(problems, ("reference", "sklearn-loss"), ("float64", "float32")), processes=False))


def test_every_cell_stands_as_on_the_terminal(cells: list[Cell]) -> None:
    models = page(cells)["models"]
    texts = [[cell["text"] for cell in row["cells"]] for model in models for row in model["rows"]]
    assert {text for row in texts for text in row} == {cell_text(cell).plain for cell in cells}
    assert [model["title"] for model in models] == ["logistic regression", "computation graph"]
    assert models[0]["columns"] == ["NumPy\nhand", "skl.\nloss"]


def test_a_cell_has_the_kind_of_its_worst_verdict(cells: list[Cell]) -> None:
    logistic, graph = page(cells)["models"]
    assert [cell["kind"] for cell in logistic["rows"][0]["cells"]] == [ROUNDING, ROUNDING]
    assert [cell["kind"] for cell in graph["rows"][0]["cells"]] == [BITS, SKIPPED]
    assert graph["rows"][0]["cells"][1]["title"] == "sklearn-loss, skipped: computes logistic regression only"


def test_what_differs_is_told(cells: list[Cell]) -> None:
    wrong = spoiled(cells)
    found = page(wrong)
    assert found["models"][0]["rows"][0]["cells"][0]["kind"] == DIFFERS
    assert [line.partition(",")[0] for line in found["differing"]] == ["house_prices float64 on cpu"]
    assert page(cells)["differing"] == []


def test_a_quantity_is_counted_by_framework(cells: list[Cell]) -> None:
    hand, sklearn = agreement(cells, "logistic_regression", "dw")
    assert (hand.framework, hand.problems, hand.bits + hand.rounding, hand.differs) == ("numpy", 2, 4, 0)
    assert (sklearn.framework, sklearn.problems, sklearn.bits + sklearn.rounding) == ("sklearn", 2, 4)
    assert [found.framework for found in agreement(cells, "logistic_regression", "dZ")] == ["numpy"]
    assert agreement(cells, "logistic_regression", "dZ1") == []
    assert agreement(spoiled(cells), "logistic_regression", "dw")[0].verdict == DIFFERS
    (graph,) = agreement(cells, "computation_graph", "dv")
    assert (graph.verdict, graph.counts) == (BITS, [(BITS, 2)])


def test_where_an_implementation_failed_every_quantity_differs(cells: list[Cell]) -> None:
    failed = (Comparison(FAILED, DIFFERS, looks_like="its process died"),)
    hand, sklearn = agreement([replace(cells[0], comparisons=failed), *cells[1:]], "logistic_regression", "dw")
    assert (hand.verdict, hand.differs, hand.problems) == (DIFFERS, 1, 2)
    assert sklearn.differs == 0


def spoiled(cells: list[Cell]) -> list[Cell]:
    """The same with a dw that differs in the first cell."""
    comparisons = [replace(c, verdict=DIFFERS) if c.quantity == "dw" else c for c in cells[0].comparisons]
    return [replace(cells[0], comparisons=tuple(comparisons)), *cells[1:]]
