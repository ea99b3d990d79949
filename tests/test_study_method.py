"""The page of the method: its numbers are worked out, and hold."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

from parity.formats import FORMATS
from parity.oracle import FIRST_PRECISION, exact, working_precision
from parity.study import method, pages, small


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return method.page()


def test_every_sum_of_the_exact_problem_is_exact(page: dict[str, Any]) -> None:
    found = page["exact"]
    assert found["fmt"] is FORMATS["bfloat16"]
    assert all(0 < most <= found["most"] for _, most in found["sums"])
    assert found["bits"] == found["compared"] == 11


def test_a_sum_that_needs_more_is_seen() -> None:
    P, Q = np.array([[255.0, 1.0]]), np.array([[1.0], [1.0]])
    assert method.needed(P, Q) == 2**8
    assert method.needed(P, Q * 3) == 3 * 2**8
    assert method.needed(P / 4, Q) == 2**8
    assert method.needed(np.array([[256.0, 1 / 2]]), Q) == 2**9 + 1


def test_the_ball_encloses_the_oracles_value() -> None:
    problem = small.problem(method.ROUNDED)
    true = exact(problem, "float64")["dW1"]
    for bits in method.PRECISIONS:
        with working_precision(bits):
            ball = method.ball_of_dW1(problem)
        with working_precision(FIRST_PRECISION):
            high, low = float(true.high[0, 0]), float(true.low[0, 0])
            certified = float(true.certified(FORMATS["float64"])[0, 0]) + math.ulp(low)  # low is rounded to float64
            assert abs(arb(high) + arb(low) - ball.mid()) <= ball.rad() + arb(certified)


def test_balls_shrink(page: dict[str, Any]) -> None:
    radii = [float(radius) for _, _, radius in page["balls"]]
    assert radii == sorted(radii, reverse=True)
    assert radii[-1] < radii[0] ** 2


def test_the_element_rounds_and_is_inside(page: dict[str, Any]) -> None:
    found = page["worked"]
    i, j = (int(k) for k in re.findall(r"\d+", found["element"])[1:])
    problem = small.problem(method.ROUNDED)
    true = exact(problem, "float64")["dZ1"]
    assert float(Fraction(found["exact"])) == true.high[i, j]
    assert float(found["computed"]) != true.high[i, j]
    for of in (found["end_to_end"], found["local"]):
        assert 0 < float(of["error"]) <= float(of["bound"])
    assert float(found["local"]["bound"]) < float(found["end_to_end"]["bound"])


def test_no_quantity_of_the_pass_differs(page: dict[str, Any]) -> None:
    verdicts = {verdict for *_, verdict in page["worked"]["verdicts"]}
    assert verdicts == {"bits", "rounding"}


def test_two_orders_differ_and_are_both_inside(page: dict[str, Any]) -> None:
    found = page["sums"]
    assert len({value for _, value, _ in found["found"]}) == 2
    for _, value, error in found["found"]:
        off = float(abs(Fraction(float(value)) - sum(map(Fraction, (0.1, 0.2, 0.3)))))
        printed = f"{off:.2e}"
        assert error == printed
        assert float(error) <= float(found["bound"])


def test_the_template(page: dict[str, Any]) -> None:
    html = (
        pages.environment()
        .get_template("method.html.jinja")
        .render(pages=[], here="method", stamp={"when": "", "versions": {}, "machine": ""}, **page)
    )
    for anchor in ("verdicts", "exact", "oracle", "bound", "order", "limits"):
        assert f'id="{anchor}"' in html
    assert html.count("<math") == len(method.FORMULAS)
    assert page["worked"]["exact"] in html


def test_sizes_are_fenced() -> None:
    assert str(method._formula("|W| E", display=False)).count('fence="true"') == 2
