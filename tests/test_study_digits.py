"""The digits of numbers: which agree, what the exact value is in decimal, and which elements are shown."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import assume, given
from hypothesis import strategies as st

from parity.formats import FORMATS
from parity.oracle import exact, working_precision
from parity.study import small
from parity.study.digits import EXACT_DIGITS, Number, chosen, decimal_text, entry, exact_text, number

F64, F32 = np.float64, np.float32


@pytest.mark.parametrize(
    ("value", "rounded", "text", "agrees"),
    [
        (F64(0.25), F64(0.25), "0.25", 4),
        (F64(-0.0), F64(0.0), "-0.0", 4),
        (F64(0.8414709848078966), F64(0.8414709848078965), "0.8414709848078966", 17),
        (F64(0.30000000000000004), F64(0.3), "0.30000000000000004", 18),
        (F64(0.3), F64(0.30000000000000004), "0.30000000000000000", 18),
        (F64(1.9999999999999998), F64(2.0), "1.9999999999999998", 0),
        (F64(9.5), F64(10.5), "9.5", 0),
        (F64(-1.25), F64(1.25), "-1.25", 0),
        (F64(-1.25), F64(10.25), "-1.25", 0),
        (F64(1.25e-05), F64(1.25e-06), "1.25e-05", 0),
        (F64(1e-05), F64(1.0000000000000002e-05), "1.0000000000000000e-05", 17),
        (F64(0.00012), F64(9.9e-05), "0.00012", 0),
        (F64("nan"), F64(0.5), "nan", 0),
        (F64("inf"), F64(1.7e308), "inf", 0),
        (F64("inf"), F64("inf"), "inf", 3),
        (F32(0.1), F32(0.1), "0.1", 3),
        (F32(0.29131260), F32(0.29131263), "0.29131260", 9),
        (np.bool_(True), np.bool_(True), "True", 4),
        (np.bool_(False), np.bool_(True), "False", 0),
        (np.int64(12), np.int64(12), "12", 2),
        (np.int64(12), np.int64(13), "12", 0),
    ],
)
def test_the_digits_that_agree_are_counted(value: np.generic, rounded: np.generic, text: str, agrees: int) -> None:
    assert number(value, rounded) == Number(text, agrees)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 3), st.sampled_from(["float64", "float32"]))
def test_what_is_shown_is_the_number_and_not_all_of_it_agrees_with_another(x: float, steps: int, dtype: str) -> None:
    kind = FORMATS[dtype].dtype.type
    with np.errstate(over="ignore", under="ignore"):
        rounded = kind(x)
        value = rounded
        for _ in range(steps):
            value = np.nextafter(value, kind(np.inf))
    assume(np.isfinite(value))
    shown = number(value, rounded)
    assert kind(shown.text) == value
    assert shown.agrees < len(shown.text)
    assert number(value, value) == Number(str(value), len(str(value)))


@pytest.mark.parametrize("dtype", EXACT_DIGITS)
def test_the_exact_value_is_that_of_another_evaluation(dtype: str) -> None:
    """tanh of the float nearest to a decimal, by Arb's own printing; rounding there is right within half a digit."""
    problem, fmt = small.problem("few_points"), FORMATS[dtype]
    found = exact(problem, dtype)["tanh"]
    for i in range(problem.m):
        text = exact_text(found, (0, i), fmt, known=False)
        with working_precision(400):
            printed = arb(float(problem.inputs(dtype)[1][0, i])).tanh().str(EXACT_DIGITS[dtype], radius=False)
        assert text.rstrip("0") == printed.rstrip("0")
        assert str(found.high.astype(fmt.dtype)[0, i])[:-1] in text


def test_an_exact_value_that_ends_is_known_to_end_or_has_its_zeros() -> None:
    problem = small.problem("computation_graph")
    J = exact(problem, "float32")["J"]
    assert exact_text(J, (), FORMATS["float32"], known=True) == "33.0"
    assert exact_text(J, (), FORMATS["float32"], known=False) == "33." + "0" * (EXACT_DIGITS["float32"] - 2)
    J = exact(problem, "float64")["J"]
    assert exact_text(J, (), FORMATS["float64"], known=False) == "33.0"  # high is all there is


@pytest.mark.parametrize(
    ("value", "error", "rounded", "text"),
    [
        (Fraction(1, 3), Fraction(0), "0.3333333333333333", "0.3333333333"),
        (Fraction(1, 3), Fraction(1, 10**5), "0.3333333333333333", "0.3333"),
        (Fraction(-2, 3), Fraction(1, 10**5), "-0.6666666666666666", "-0.6667"),
        (Fraction(1, 2), Fraction(0), "0.5", "0.5"),
        (Fraction(1, 2), Fraction(1, 10**5), "0.5", "0.5000"),
        (Fraction(33), Fraction(0), "33.0", "33.0"),
        (Fraction(1, 30000), Fraction(0), "3.3333333333333335e-05", "3.333333333e-05"),
        (Fraction(199999999999, 10**11), Fraction(0), "1.99999999999", "2.000000000"),
        (Fraction(2, 3) * 10**20, Fraction(0), "6.666666666666667e+19", "6.666666667e+19"),
        (Fraction(0), Fraction(0), "0.0", "0.0"),
        (Fraction(0), Fraction(1, 10**5), "0.0", "0.0000"),
        (Fraction(1, 10**9), Fraction(1), "1e-09", "1e-09"),
        (Fraction(996), Fraction(1), "996.0", "996.0"),
        (Fraction(10**12), Fraction(0), "1000000000000.0", "1000000000000.0"),
    ],
)
def test_only_digits_that_the_ball_decides_are_written(
    value: Fraction, error: Fraction, rounded: str, text: str
) -> None:
    assert decimal_text(value, error, rounded, most=10) == text


@given(st.fractions(), st.fractions(min_value=0, max_value=1), st.fractions(min_value=-1, max_value=1))
def test_every_number_of_the_ball_has_the_digits_that_are_written(
    value: Fraction, error: Fraction, where: Fraction
) -> None:
    text = decimal_text(value, error, "none", most=20)
    assume(text != "none")
    places = len(text.partition(".")[2])
    assert abs(Fraction(text) - (value + where * error)) <= Fraction(1, 2 * 10**places)


@pytest.mark.parametrize(
    ("values", "indices"),
    [
        (np.array(3.0), [()]),
        (np.zeros((2, 2)), [(0, 0), (0, 1), (1, 0)]),
        (np.array([[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]]), [(0, 1), (1, 1), (2, 0)]),
        (np.array([1.0, 1.0, 0.0, 1.0, 5.0]), [(0,), (1,), (4,)]),
        (np.array([1e-310, 1.0, np.inf, 2.0, 3.0]), [(1,), (3,), (4,)]),
        (np.array([1e-40, 1.0, 2.0, 3.0], F32), [(1,), (2,), (3,)]),
        (np.array([7.0]), [(0,)]),
        (np.array(True), [()]),
        (np.array(6), [()]),
    ],
)
def test_different_numbers_are_shown_where_there_are_some(values: np.ndarray, indices: list[tuple[int, ...]]) -> None:
    assert chosen(values) == indices


def test_an_entry_is_named_by_its_place() -> None:
    assert [entry("dZ1", (0, 2)), entry("v", (1,)), entry("J", ())] == ["dZ1[0, 2]", "v[1]", "J"]
