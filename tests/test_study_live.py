"""Live numbers: what is measured, judged, passed over with a reason, and what ends the build; faults are planted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ClassVar

import numpy as np
import pytest

from parity import run
from parity.compare import BITS, DIFFERS, ROUNDING, Standard
from parity.implementations import Implementation, Quantities, find
from parity.names import available_names
from parity.problems import FLOATS, Problem
from parity.study import live, small
from parity.study.digits import NOTHING
from parity.study.live import Row, Table, measured
from parity.study.registry import Block, Broken, Chapter, Live

J = Live(quantity="J", problem="three_four_one")
DZ1 = Live(quantity="dZ1", problem="three_four_one")
DOT = Live(call="vectorization.dot", arguments={"w": [[1.0], [2.0]], "x": [[4.0], [5.0]]})


class Planted(Implementation):
    """The reference with a fault."""

    name, framework, whole = "planted", "numpy", True
    change: ClassVar[Callable[[Quantities], Any]] = staticmethod(lambda found: found)

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        found: Quantities = type(self).change(find("reference").quantities(problem, dtype, device))
        return found


def chapter(*lives: Live) -> Chapter:
    """A chapter with one block."""
    block = Block("shallow", "block", ("N18",), "", "", "", "", "", (), (), (), lives, ())
    return Chapter("shallow", "", "", 1, "three_four_one", {}, (block,))


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let these be all the implementations there are; `planted` is one."""
    monkeypatch.setattr(live, "available_names", lambda: names)
    for module in (run, live):
        monkeypatch.setattr(module, "find", lambda name: Planted() if name == "planted" else find(name))


def tables(*lives: Live) -> tuple[Table, ...]:
    """Those of one block, computed here."""
    return measured([chapter(*lives)], processes=False)["shallow", "block"]


def faulty(monkeypatch: pytest.MonkeyPatch, lives: Live, change: Callable[[Quantities], Any]) -> Row:
    """The planted implementation's row in float64."""
    only(monkeypatch, "reference", "planted")
    monkeypatch.setattr(Planted, "change", staticmethod(change))
    right, row = tables(lives)[0].rows
    assert right.verdict in (BITS, ROUNDING)
    return row


def test_a_table_says_what_everyone_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "reference", "reference-tuned", "sklearn-loss", "torch-compile")
    in_64, in_32 = tables(DZ1)
    problem = small.problem("three_four_one")
    assert (in_64.quantity, in_64.problem, in_64.note) == ("dZ1", "three_four_one", problem.note)
    assert (in_64.dtype, in_32.dtype, in_64.shape) == (*FLOATS, "(4, 5)")
    assert in_64.entries == ("dZ1[0, 0]", "dZ1[0, 1]", "dZ1[0, 2]")
    assert [len(text.lstrip("-0.")) for text in (*in_64.exact, *in_32.exact)] == [20] * 3 + [12] * 3
    assert [(row.name, row.framework, row.title) for row in in_64.rows] == [("reference", "numpy", "NumPy by hand")]
    assert in_64.skipped == (
        ("NumPy tuned", "does not compute dZ1"),
        ("scikit-learn loss", "computes logistic regression only"),
        ("PyTorch compile", live.SLOW),
    )
    for row, dtype in ((in_64.rows[0], "float64"), (in_32.rows[0], "float32")):
        value = find("reference").quantities(problem, dtype, "cpu")["dZ1"]
        (comparison,) = (c for c in Standard.of(problem, dtype, "numpy").compare({"dZ1": value}))
        assert [number.text.rstrip("0") for number in row.values] == [str(x).rstrip("0") for x in value[0, :3]]
        assert row.ulps == comparison.ulps
        assert row.verdict == comparison.verdict


def test_one_ulp_is_rounding_and_costs_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_ulp(found: Quantities) -> Quantities:
        return found | {"J": np.nextafter(exact_J, np.float64(np.inf))}

    exact_J = np.asarray(Standard.of(small.problem("three_four_one"), "float64").exact["J"].high)
    row = faulty(monkeypatch, J, one_ulp)
    (number,) = row.values
    assert (row.verdict, row.looks_like, round(row.ulps)) == (ROUNDING, "", 1)
    assert 0 < row.share < 1
    assert number.agrees == len(number.text) - 1


def test_a_lost_mean_differs_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    row = faulty(
        monkeypatch, Live(quantity="dW1", problem="three_four_one"), lambda found: found | {"dW1": 5 * found["dW1"]}
    )
    assert (row.verdict, row.looks_like) == (DIFFERS, "a factor m")
    assert row.share > 1
    assert all(number.agrees < len(number.text) - 10 for number in row.values)


def test_a_quantity_that_is_missing_is_passed_over_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "reference", "planted")
    monkeypatch.setattr(Planted, "change", staticmethod(lambda found: {q: v for q, v in found.items() if q != "dZ1"}))
    assert tables(DZ1)[0].skipped == (("planted", "does not compute dZ1"),)


@pytest.mark.parametrize(
    ("change", "looks_like"),
    [
        (lambda found: found | {"dZ1": found["dZ1"].T}, "shape (5, 4), not (4, 5)"),
        (lambda found: found | {"dZ1": found["dZ1"].astype(np.float32)}, "dtype float32, not float64"),
        (lambda found: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda found: {}, "TypeError: quantities returned an empty dict"),
    ],
)
def test_what_cannot_be_shown_differs(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Quantities], Any], looks_like: str
) -> None:
    row = faulty(monkeypatch, DZ1, change)
    assert (row.verdict, row.looks_like, row.values) == (DIFFERS, looks_like, (NOTHING,) * 3)


def test_a_nan_agrees_in_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    row = faulty(monkeypatch, DZ1, lambda found: found | {"dZ1": found["dZ1"] * np.nan})
    assert (row.verdict, {(number.text, number.agrees) for number in row.values}) == (DIFFERS, {("nan", 0)})


def test_an_exact_problem_has_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "reference")
    (table, _) = tables(Live(quantity="J", problem="computation_graph"))
    (row,) = table.rows
    assert (table.exact, row.verdict, row.values[0].text) == (("33.0",), BITS, "33.0")
    assert np.isnan(row.share)


def test_a_framework_that_is_not_here_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "reference", "planted")
    monkeypatch.setattr(Planted, "unavailable", lambda self: "numpi is not installed")
    assert tables(J)[0].skipped == (("planted", "numpi is not installed"),)


def test_a_call_has_a_table_for_every_quantity_and_format(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "reference")
    graph = {"name": "square", "a": 2.0, "da": 0.0009765625}
    found = tables(DOT, Live(call="derivatives.nudge", arguments=graph), Live(none="there are none"))
    assert [(t.quantity, t.problem, t.dtype) for t in found] == [
        ("dot", "vectorization.dot", "float64"), ("dot", "vectorization.dot", "float32"),
        ("nudge", "derivatives.nudge", "float64"), ("nudge", "derivatives.nudge", "float32"),
    ]  # fmt: skip
    assert found[2].note == "name = square, a = 2.0, da = 0.0009765625"
    assert (found[2].entries, found[2].exact, found[2].rows[0].verdict) == (("nudge",), ("4.0009765625",), BITS)


ABSENT = [
    (Live(quantity="J", problem="nowhere"), "there is no problem 'nowhere'"),
    (Live(quantity="dZ3", problem="three_four_one"), "three_four_one has no dZ3"),
    (Live(call="vectorization.dots"), "reference.vectorization has no dots"),
    (Live(call="dots"), '"dots" is not written as module.function'),
    (Live(call="circuits.all_inputs", arguments={"n": 1}), "n is 1"),
]
"""What the registry may name and is not there."""


@pytest.mark.parametrize(("lives", "reason"), ABSENT)
def test_what_is_not_there_is_found_out_without_a_framework(
    monkeypatch: pytest.MonkeyPatch, lives: Live, reason: str
) -> None:
    only(monkeypatch)
    live.check([chapter(J, DOT, Live(none="there are none"))])
    with pytest.raises(Broken, match=rf"^shallow, block block: .*{reason}"):
        live.check([chapter(J, DOT, lives)])


@pytest.mark.parametrize(
    ("lives", "reason"),
    [
        *ABSENT,
        (Live(quantity="db1", problem="three_four_one"), "no implementation computes db1 of three_four_one in float64"),
    ],
)
def test_what_is_broken_names_chapter_and_block(monkeypatch: pytest.MonkeyPatch, lives: Live, reason: str) -> None:
    only(monkeypatch, "planted")
    monkeypatch.setattr(Planted, "change", staticmethod(lambda found: {q: v for q, v in found.items() if q != "db1"}))
    with pytest.raises(Broken, match=rf"^shallow, block block: .*{reason}"):
        tables(J, lives)


def test_processes_find_what_this_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "reference", "reference-loop")
    seen: list[str] = []
    found = measured([chapter(DZ1, J, DOT)], seen.append)
    assert len(seen) == live.steps([chapter(DZ1, J, DOT)])
    assert repr(found) == repr(measured([chapter(DZ1, J, DOT)], processes=False))
    assert seen == [
        *(f"three_four_one · {t} · {n}" for t in FLOATS for n in ("reference", "reference-loop")),
        "vectorization.dot · float64", "vectorization.dot · float32",
    ]  # fmt: skip


def test_a_process_that_dies_is_a_finding() -> None:
    def dies() -> Any:
        raise BrokenProcessPool

    def cannot_come_back() -> Any:
        raise TypeError("cannot pickle")

    assert live._awaited(dies) == "its process died"
    assert live._awaited(cannot_come_back) == "TypeError: cannot pickle"


def test_everyone_has_a_title_of_its_own() -> None:
    titles = [live.title(name) for name in available_names()]
    assert len(set(titles)) == len(titles)
    assert titles[:4] == ["NumPy by hand", "NumPy tuned", "NumPy loop", "PyTorch eager"]


# ---- the small problems


def standards() -> Sequence[Standard]:
    """Of the small network, in both formats."""
    return [Standard.of(small.problem("three_four_one"), dtype) for dtype in FLOATS]


def test_the_small_network_can_be_typed_and_is_judged() -> None:
    problem = small.problem("three_four_one")
    assert (problem.layers, problem.m, problem.activations) == ((3, 4, 1), 5, ("tanh", "sigmoid"))
    for array in (problem.X, *problem.params.values()):
        assert all(len(repr(float(x)).lstrip("-")) <= 4 for x in array.ravel())
    assert set(problem.Y.ravel()) == {0.0, 1.0}
    for standard in standards():
        assert all(np.all(np.isfinite(bound)) for bound in standard.bounds.values())
        assert all(np.all(value.high != 0) for value in standard.exact.values())


def test_the_small_network_rounds_differently_in_different_orders() -> None:
    problem = small.problem("three_four_one")
    for standard in standards():
        made = [find(name).quantities(problem, standard.fmt.name, "cpu") for name in ("reference", "reference-loop")]
        assert any(not np.array_equal(made[0][quantity], made[1][quantity]) for quantity in made[1])
        found = {c.verdict for quantities in made for c in standard.compare(quantities)}
        assert found == {BITS, ROUNDING}


def test_a_few_points_have_no_kink_and_no_flat_end() -> None:
    problem = small.problem("few_points")
    for dtype in FLOATS:
        for quantity, value in Standard.of(problem, dtype).exact.items():
            assert np.all(value.high[:, problem.X[0] > 0] != 0), quantity
    assert np.all(problem.X != 0)
