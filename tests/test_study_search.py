"""The search has every formula by each of its names, every function with its file, every symbol and every page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from parity.study import registry, search

CHAPTER = """
[chapter]
name = "shallow"
title = "The network of «m» examples"
order = 1
problem = "three_four_one"
lead = "Words on «m»."

[symbols]
dZ1 = { latex = 'dZ^{[1]}', means = "$m$ times $∂J/∂Z^{[1]}$", shape = "(n_h, m)", code = ["dZ1", "dz1"] }
W2 = { latex = 'W^{[2]}', means = "weights", code = ["W2"] }
m = { latex = 'm', means = "the number of examples" }

[[block]]
name = "loss"
rows = ["N4"]
title = "The loss"
formula = 'a < «W2»'
derivation = [{ math = 'a', why = "b" }, { math = 'a', why = "b" }]
live = { none = "no numbers" }
[block.code]
numpy = "layer.cost: x"
torch = "layer.cost"
loop = { none = "-" }
jax = { none = "-" }
sklearn = { none = "-" }

[[block]]
name = "error"
rows = ["N18", "N25"]
title = "«dZ1»: the error"
formula = '«dZ1» = «W2»^T'
gives = "dZ1"
uses = ["W2"]
derivation = [{ math = 'a', why = "b" }, { math = 'a', why = "b" }]
live = { none = "no numbers" }
[block.code]
numpy = { none = "-" }
torch = "layer.cost"
loop = { none = "-" }
jax = { none = "-" }
sklearn = { none = "-" }
"""


@pytest.fixture
def found(tmp_path: Path) -> list[search.Entry]:
    for package in ("reference", "torch_impl"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "layer.py").write_text("def cost():\n    x = 1\n    return x\n")
    (tmp_path / "shallow.toml").write_text(CHAPTER, encoding="utf-8")
    return search.entries([registry.read(tmp_path / "shallow.toml")], {"traps": "Traps"}, tmp_path)


def of(found: list[search.Entry], kind: str) -> list[tuple[str, str, str]]:
    return [(entry["title"], entry["text"], entry["href"]) for entry in found if entry["kind"] == kind]


def test_formulas_by_every_name(found: list[search.Entry]) -> None:
    assert of(found, "formula") == [
        ("The loss", "loss, N4: a < W[2]", "shallow.html#loss"),
        (
            "dZ[1]: the error",
            "error, dZ[1], dZ1, dz1, N18, N25: dZ[1] = W[2] transposed",
            "shallow.html#error",
        ),
    ]


def test_symbols_lead_to_the_block_that_gives_them_or_first_writes_them(found: list[search.Entry]) -> None:
    assert of(found, "symbol") == [
        ("dZ[1]", "dZ1, dz1, m times ∂J/∂Z[1], (n_h, m)", "shallow.html#error"),
        ("W[2]", "W2, weights", "shallow.html#loss"),
        ("m", "the number of examples", "shallow.html"),
    ]


def test_functions_once_a_package_with_file_and_lines(found: list[search.Entry]) -> None:
    assert of(found, "function") == [
        ("layer.cost", "reference/layer.py, cost, lines 1–3, NumPy", "shallow.html#loss"),
        ("layer.cost", "torch_impl/layer.py, cost, lines 1–3, PyTorch", "shallow.html#loss"),
    ]


def test_pages(found: list[search.Entry]) -> None:
    assert of(found, "page") == [
        ("The network of m examples", "N4, N18, N25", "shallow.html"),
        ("Traps", "", "traps.html"),
    ]


def test_the_script_holds_the_entries(found: list[search.Entry]) -> None:
    text = search.script(found)
    assert text.startswith("window.SEARCH = [\n")
    assert text.endswith("];\n")
    assert json.loads(text.removeprefix("window.SEARCH = ").removesuffix(";\n")) == found
    assert search.script([]) == "window.SEARCH = [\n\n];\n"
