"""The ranking: one yardstick for all, and who computes everything apart from who computes a part."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from parity import accuracy, cli
from parity.compare import BITS, DIFFERS, ROUNDING, Comparison, Standard, Worst
from parity.implementations import find
from parity.problems import catalogue
from parity.run import Cell

INSIDE = Worst((0,), 0.0, 0.0, 0.0, 0.0, 0.0, True)


def cell(name: str, problem: str = "wine_shallow", **shares: float) -> Cell:
    """A cell with these shares of the yardstick."""
    comparisons = [Comparison(q, ROUNDING, 1.0, 1.0, share, INSIDE) for q, share in shares.items()]
    return Cell(catalogue.build(problem), "float64", "cpu", name, tuple(comparisons))


def shown(cells: list[Cell], width: int = 100) -> str:
    console = Console(width=width, record=True, highlight=False)
    with console.capture() as captured:
        accuracy.show(cells, console)
    return captured.get()


def test_the_smaller_median_is_first_and_a_part_is_below_the_line() -> None:
    cells = [
        cell("reference", Z1=0.25, dW1=0.5, new_W1=0.125),
        cell("torch-eager", Z1=0.125, dW1=0.25, new_W1=0.0625),
        cell("torch-vmap", dW1=0.03125),
    ]
    names = re.findall(r"^(reference|torch-\S+|─+)", shown(cells), re.MULTILINE)
    assert [name[:10] for name in names] == ["torch-eage", "reference", "─" * 10, "torch-vmap"]
    assert "50 50" in shown(cells)


def test_equal_numbers_of_other_kinds_are_not_ranked_together() -> None:
    """scikit-learn's two depths may compute as many quantities, and none in common."""
    text = shown([cell("sklearn-loss", J=0.5, dW1=0.25), cell("sklearn-mlp", new_W1=0.5, new_b1=0.25)])
    assert text.index("sklearn-mlp") < text.index("─") < text.index("sklearn-loss") or (
        text.index("sklearn-loss") < text.index("─") < text.index("sklearn-mlp")
    )


def test_what_differs_is_not_ranked_and_nothing_is_said_to_be_nothing() -> None:
    wrong = cell("reference", dW1=np.nan)
    wrong = replace(wrong, comparisons=tuple(replace(c, verdict=DIFFERS) for c in wrong.comparisons))
    assert "nothing here rounds" in shown([wrong])
    assert "nothing here rounds" in shown([cell("reference", "shallow_wide", dW1=0.0)])


def test_layers_and_logistic_regression_are_of_one_kind() -> None:
    of = accuracy.shares(
        [cell("reference", dW1=0.5, dW2=0.25), cell("reference", "wine_logistic", dw=0.125)], "float64"
    )
    assert of["reference"]["dW"] == [0.5, 0.25, 0.125]
    assert accuracy.shares([cell("reference", "shallow_wide", dW1=0.0)], "float64") == {}


@pytest.mark.parametrize("width", [80, 100])
def test_the_tables_fit_the_terminal(width: int) -> None:
    shares = dict.fromkeys(("Z1", "A1", "J", "dZ1", "dW1", "db1", "new_W1"), 0.0123)
    text = shown([cell("reference-loop", **shares), cell("torch-eager", **shares)], width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    assert "new" in text


def test_the_yardstick_is_the_same_for_everybody() -> None:
    """The same error is the same share, whatever K the framework has."""
    judge = Standard.of(catalogue.build("wine_shallow"), "float64")
    value = {"A2": judge.exact["A2"].high * (1 + 2.0**-50)}
    shares = {next(judge.seen_by(name).compare(value)).yardstick for name in ("numpy", "jax", "")}
    assert len(shares) == 1
    assert np.isfinite(shares.pop())


def test_bits_are_ranked_by_their_error_too() -> None:
    problem = catalogue.build("wine_shallow")
    found = find("reference").quantities(problem, "float64", "cpu")
    comparisons = list(Standard.of(problem, "float64", "numpy").compare(found))
    of_bits = [c for c in comparisons if c.verdict == BITS]
    assert of_bits
    assert all(c.yardstick > 0 for c in of_bits)
    assert all(c.share == 0 for c in of_bits)


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["--accuracy", "--problem", "house_prices", "--implementation", "reference,sklearn-loss"])
    out = capsys.readouterr().out
    assert status == 0
    assert "\naccuracy\nfloat64" in out
    assert out.rstrip().splitlines()[-1].endswith(" 0 differ; 0 skipped")
