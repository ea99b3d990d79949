"""The registry of formulas: it holds every row of the notes, and what does not hold together is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity.study import registry
from parity.study.registry import COLUMNS, ROWS, Broken, chapters, read

WHOLE = """
[chapter]
name = "small"
title = "Small"
order = 1
problem = "house_prices"
lead = "One formula."

[symbols]
dZ = { latex = 'dZ', means = "the error", shape = "(1, m)", code = ["dZ"] }
A = { latex = 'A', means = "the probabilities", shape = "(1, m)", code = ["A"] }
Y = { latex = 'Y', means = "the labels", shape = "(1, m)", code = ["Y"] }

[[block]]
name = "dZ"
rows = ["N11"]
title = "The error"
formula = '«dZ» = «A» - «Y»'
gives = "dZ"
uses = ["A", "Y"]
derivation = [{ math = 'a', why = "first" }, { math = 'b', why = "then" }]
live = "dZ"

[block.code]
loop = { none = "it is one line" }
numpy = "logistic_regression.backward: dZ"
torch = ["logistic_regression.quantities: dZ"]
jax = "logistic_regression.quantities: dZ"
sklearn = { none = "it shows no dZ" }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_file_says_is_what_is_read(tmp_path: Path) -> None:
    chapter = read(written(tmp_path, WHOLE))
    (block,) = chapter.blocks
    assert (chapter.name, chapter.rows, block.gives, block.uses) == ("small", ("N11",), "dZ", ("A", "Y"))
    assert [column.key for column in block.columns] == list(COLUMNS)
    assert [column.package for column in block.columns if column.places] == ["reference", "torch_impl", "jax_impl"]
    assert (block.live[0].quantity, block.live[0].problem) == ("dZ", "house_prices")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("«dZ» = «A» - «Y»", "«dZ» = «A» - «y»", "«y» is used and not declared"),
        ("«dZ» = «A» - «Y»", "«dZ» = «A» - Y", "«Y» is not in its formula"),
        ('["A", "Y"]', '["A"]', None),
        ("A = {", "B = { latex = 'B', means = 'b' }\nA = {", "the symbol B is declared and never used"),
        ("jax =", "flax =", "block dZ: there is no column 'flax'"),
        ('jax = "logistic_regression.quantities: dZ"', "", "block dZ: the column 'jax' has no code and no reason"),
        (
            'torch = ["logistic_regression.quantities: dZ"]',
            "torch = []",
            "column 'torch' has no code and no reason",
        ),
        ('"N11"', '"N26"', "block dZ: N26 is no row of the notes"),
        ('["N11"]', "[]", "block dZ: nothing is no row of the notes"),
        (", { math = 'b', why = \"then\" }", "", "a derivation has 2 to 6 steps, not 1"),
        ('live = "dZ"', "", "it has no numbers and no reason why not"),
        ('live = "dZ"', 'live = { quantity = "dZ", none = "none" }', "live names one of quantity, call and none"),
        ('live = "dZ"', 'live = { quantity = "dZ", dtype = "float64" }', "there is no 'dtype'"),
        ('title = "The error"', 'heading = "The error"', "there is no 'heading'"),
        ('title = "The error"', "", "KeyError: 'title'"),
        ("order = 1", "order = ", "TOMLDecodeError"),
    ],
)
def test_what_does_not_hold_together_is_named(tmp_path: Path, before: str, after: str, says: str | None) -> None:
    assert before in WHOLE
    path = written(tmp_path, WHOLE.replace(before, after))
    if says is None:
        read(path)
        return
    with pytest.raises(Broken) as caught:
        read(path)
    assert str(caught.value).startswith("small.toml: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_blocks_of_one_name_are_refused(tmp_path: Path) -> None:
    block = WHOLE[WHOLE.index("[[block]]") :]
    with pytest.raises(Broken, match="block dZ: there are two of that name"):
        read(written(tmp_path, WHOLE + block))


def test_every_row_of_the_notes_has_a_block() -> None:
    assert {row for chapter in chapters() for row in chapter.rows} == set(ROWS)
    assert len(ROWS) == 25


def test_a_row_without_a_block_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, WHOLE)
    monkeypatch.setattr(registry, "FORMULAS", tmp_path)
    with pytest.raises(Broken, match=r"^N1 has no block"):
        chapters.__wrapped__()
