"""docs/flower.md says what the command says: its costs are computed again, as far as float64 has their digits."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from parity.problems import catalogue
from parity.training import Descent
from parity.training.exact import trajectory

PAGE = (Path(__file__).parent.parent / "docs" / "flower.md").read_text("utf-8")


def rows(alpha: float) -> dict[int, str]:
    """The exact costs of one of its two tables."""
    first, second = PAGE.split("## α = 0.3")
    return {int(k): J for k, J in re.findall(r"^ *(\d+)  (0\.\d{10}) ", first if alpha > 1 else second, re.M)}


@pytest.mark.parametrize("alpha", [1.2, 0.3])
def test_the_tables_have_every_thousandth_cost(alpha: float) -> None:
    assert list(rows(alpha)) == list(range(0, 10000, 1000))
    descent = Descent(replace(catalogue.build("flower"), learning_rate=alpha), 1)
    assert rows(alpha)[0] == trajectory(descent, 12).cost(0, 10)


def test_up_to_the_horizon_numpy_has_these_digits() -> None:
    from reference.shallow_network import train

    of = catalogue.build("flower")
    for alpha in (1.2, 0.3):
        _, costs = train(*of.inputs("float64"), alpha, 7001)
        for step in range(1000, 8000, 1000):
            assert f"{costs[step]:.10f}" == rows(alpha)[step]


def test_the_fingerprint_is_that_of_the_numbers() -> None:
    assert f"`{Descent(catalogue.build('flower'), 10000).fingerprint}`" in PAGE
