"""The page on training: its numbers are those of the descents, and a wrong step shows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

from parity.study import small, training, walks
from parity.training import Descent
from parity.training.exact import half_a_unit, trajectory
from parity.training.result import Result
from parity.training.trail import Stretch
from reference import shallow_network

pytest.importorskip("matplotlib")

STEPS = 4


@pytest.fixture(scope="module")
def descent() -> Descent:
    return Descent(small.problem("three_four_one"), STEPS)


@pytest.fixture(scope="module")
def result(descent: Descent) -> Result:
    return training.results({"small": descent}, ("reference",))["small"]


def walk(found: list[list[Stretch]] | str | Exception) -> Callable[[], list[list[Stretch]] | str]:
    def result() -> list[list[Stretch]] | str:
        if isinstance(found, Exception):
            raise found
        return found

    return result


def test_the_exact_trajectory_is_that_of_parity_train(descent: Descent) -> None:
    """Here by balls of a fixed width, there as it is found out; and here, too, where that many bits are too few."""
    there = trajectory(descent, training.DIGITS)
    here, short = training.proven(descent), training.proven(descent, bits=40)
    assert here.certified
    assert here.precision == (training.BITS,)
    assert short.precision == there.precision
    for of in (here, short):
        assert [of.cost(i, 20) for i in range(STEPS + 1)] == [there.cost(i, 20) for i in range(STEPS + 1)]


def test_what_the_titles_say_is_so() -> None:
    """Together with one α, and no digit left with the other, by reference/ with a bit of one weight changed."""
    for name, together in (("flower", True), ("parted", False)):
        problem = training.descents()[name].problem
        params, X, Y = problem.inputs("float64")
        nudged = params | {"W1": np.nextafter(params["W1"], 1)}
        rate = problem.learning_rate or 0
        J, other = (shallow_network.train(p, X, Y, rate, training.STEPS)[1][-1] for p in (params, nudged))
        assert (abs(J - other) <= half_a_unit(training.DIGITS if together else 1) * J) == together


def test_the_steps_are_those_of_the_implementation(descent: Descent, result: Result) -> None:
    params, X, Y = descent.problem.inputs("float64")
    ends, costs = shallow_network.train(params, X, Y, descent.problem.learning_rate or 0, STEPS)
    (trail,) = result.trails
    assert trail.costs.tolist() == costs.tolist()
    assert all((trail.at(-1)[name] == p).all() for name, p in ends.items())
    assert trail.right


def test_each_step_is_in_the_table_with_the_exact_cost(result: Result) -> None:
    table = training._steps("small", result)
    assert [row[0] for row in table["rows"]] == [str(step) for step in range(STEPS)]
    assert result.exact is not None
    assert [row[1] for row in table["rows"]] == [result.exact.cost(step) for step in range(STEPS)]
    assert {len(row) for row in table["rows"]} == {len(table["head"])}


def test_the_end_says_how_many_steps_are_right(result: Result) -> None:
    table = training._ends({"small": result})
    (row,) = table["rows"]
    assert len(row) == len(table["head"])
    assert row[1:3] == [repr(float(result.trails[0].values[-1])), f"{STEPS} of {STEPS}"]
    assert "each of 4 steps in 1 implementation is right" in table["words"]


def test_a_step_that_is_off_by_a_billionth_is_counted(descent: Descent) -> None:
    (found,) = walks.walked("reference", [descent])
    (stretch,) = found
    assert isinstance(stretch, Stretch)
    stretch.params["W1"][2] *= 1 + 1e-9
    (trail,) = training._arrived("reference", walk([[stretch]]), [descent])
    assert trail.outside == 1
    result = Result(descent, training.DIGITS, [trail], made="")
    assert training._ends({"small": result})["rows"][0][2] == f"{STEPS - 2} of {STEPS}"


@pytest.mark.parametrize(
    ("found", "reason"),
    [("torch is not installed", "torch is not installed"), (BrokenProcessPool(), "torch's process died")],
)
def test_what_does_not_run_says_why(descent: Descent, found: str | Exception, reason: str) -> None:
    (trail,) = training._arrived("torch-eager", walk(found), [descent])
    result = Result(descent, training.DIGITS, [trail], made="")
    (row,) = training._ends({"small": result})["rows"]
    assert row[:2] == ["The 3-4-1 network: torch-eager", reason]


def test_the_drawings_of_a_descent_are_titled(result: Result) -> None:
    (figure,) = training._figures("small", result)
    assert figure["name"] == "small-divergence"
    assert figure["svg"].startswith('<svg class="plot"')
    assert all(figure[key] for key in ("title", "words"))


def test_every_descent_has_its_words() -> None:
    names = set(training.descents())
    assert names == set(training.SHORT) == set(training.DIVERGENCE)
    assert names == {name for name, kind in training.TITLES if kind == "divergence"}
