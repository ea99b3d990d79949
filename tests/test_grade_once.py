"""One mistake is told once: of a function, of what it gives, and of two exercises that both have it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest

from parity.grade.findings import Finding, Graded
from parity.grade.once import once
from parity.grade.record import Source
from parity.grade.run import settled
from tests.learners import PLANTED
from tests.learners.graded import graded_source

TEXT = """def forward(X):
    A2 = sigmoid(Z2)
def back(dA, cache):
    dZ = relu_backward(dA, cache)
"""
SOURCE = Source("net.py", TEXT, ast.parse(TEXT))


def finding(exercise: str, quantity: str, mistake: str | None, function: str, line: int) -> Finding:
    return Finding(exercise, (quantity,), mistake, f"{quantity} is off", function=function, line=line)


VALUE = finding("shallow", "A2", "exp_overflow", "forward", 2)
SIGMOID = finding("shallow", "sigmoid", "exp_overflow", "sigmoid", 9)
SLOPE = finding("activations", "relu'", None, "relu_backward", 8)
DZ = finding("deep", "dZ1", "output_derivative", "back", 4)
INSIDE = finding("deep", "dZ2", "output_derivative", "relu_backward", 9)
W1 = finding("shallow", "W1", "zero_weights", "initialize", 5)


def merged(*findings: Finding) -> Sequence[Finding]:
    return once(Graded("net.py", ("deep", "activations"), findings), SOURCE).findings


def test_a_value_and_the_function_that_gives_it() -> None:
    [told] = merged(VALUE, SIGMOID, finding("activations", "sigmoid", "exp_overflow", "sigmoid", 9))
    assert (told.exercise, told.quantities) == ("shallow", ("A2", "sigmoid"))
    assert (told.function, told.line, told.symptom) == ("sigmoid", 9, "sigmoid is off")


def test_a_derivative_and_the_dZ_that_it_gives() -> None:
    [told] = merged(DZ, INSIDE, SLOPE)
    assert told.mistake == "output_derivative"
    assert set(told.quantities) == {"dZ1", "dZ2", "relu'"}
    assert (told.function, told.line) == ("relu_backward", 8)


def test_a_function_and_the_line_that_calls_it() -> None:
    [told] = merged(
        finding("deep", "dZ3", "g_for_g_prime", "back", 4), finding("deep", "dZ2", "g_for_g_prime", "relu_backward", 9)
    )
    assert (told.quantities, told.function, told.line) == (("dZ3", "dZ2"), "relu_backward", 9)


def test_the_same_of_two_exercises() -> None:
    assert len(merged(W1, finding("initialization", "W1", "zero_weights", "initialize", 5))) == 1


def test_what_is_raised_twice() -> None:
    raised = [Finding("logistic", (name,), None, "raises E", function="optimize", line=3) for name in ("update", "w")]
    assert [told.quantities for told in merged(*raised)] == [("update", "w")]


@pytest.mark.parametrize(
    "pair",
    [
        (VALUE, finding("shallow", "sigmoid", "sigmoid_without_minus", "sigmoid", 9)),
        (DZ, finding("activations", "sigmoid'", None, "sigmoid_backward", 7)),
        (finding("shallow", "dW1", "missing_1_over_m", "back", 4), finding("shallow", "db1", None, "back", 4)),
        (W1, finding("shallow", "W1", "scale_missing", "initialize", 5)),
        (DZ, finding("deep", "dW1", "output_derivative", "relu_backward", 9)),
        (SLOPE, finding("activations", "tanh'", None, "tanh_backward", 8)),
    ],
)
def test_what_is_told_apart(pair: tuple[Finding, Finding]) -> None:
    assert set(merged(*pair)) == set(pair)


def test_a_quantity_counts_once() -> None:
    scores: dict[str, dict[str, bool | None]] = {
        "shallow": {"A2": True, "sigmoid": False, "W1": None},
        "activations": {"sigmoid": True},
        "initialization": {"W1": True},
    }
    found = once(Graded("net.py", tuple(scores), scores=scores)).scores
    assert found == {"shallow": {"A2": True}, "activations": {"sigmoid": False}, "initialization": {"W1": True}}


def first(mistake: str, quantity: str) -> Graded:
    text = next(p.text for p in PLANTED if (p.mistake, p.quantity, p.base) == (mistake, quantity, "shallow_course"))
    source = Source("net.py", text, ast.parse(text))
    return settled(graded_source(source, dtypes=("float64",)), source=source)


def test_a_mistake_in_the_sigmoid_is_one_finding() -> None:
    [told] = first("sigmoid_without_minus", "A2").findings
    assert (told.mistake, told.quantities, told.function) == ("sigmoid_without_minus", ("A2", "sigmoid"), "sigmoid")


def test_what_is_seen_of_a_quantity_without_a_name() -> None:
    """The symptom is of what the learner computed, before anything was assumed that explains it."""
    [told] = first("dW_for_W", "dZ1").findings
    assert told.symptom == "dZ1 differs from its formula in 24 of 24 elements"
