"""What a person and a program read of a graded file."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from io import StringIO
from itertools import pairwise

import pytest

from parity.grade import report
from parity.grade.catalogue import BY_ID, CATALOGUE, CONVENTIONS, GROUPS, VALID, Mistake
from parity.grade.findings import Finding, Graded, Note
from parity.grade.record import Source, Trouble
from parity.grade.run import settled
from parity.grade.words import LAYERS, WORDS, line_of, rule
from parity.paper import Paper

LEARNER = """import numpy as np

def backward_propagation(parameters, cache, X, Y):
    dZ2 = cache["A2"] - Y
    dZ1 = 3 * np.dot(parameters["W2"].T, dZ2) * (1 - np.power(cache["A1"], 2))
    dW1 = np.dot(dZ1, X.T)
    return {"dW1": dW1}
"""
SOURCE = Source("planar.py", LEARNER, ast.parse(LEARNER))
DW1 = Finding("shallow", ("dW1",), "missing_1_over_m", "dW1 is 8 times what its formula gives",
              "dW1[0, 2] is 0.5, its formula gives 0.0625", "backward_propagation", 6)  # fmt: skip
DZ1 = Finding(
    "shallow", ("dZ1",), None, "dZ1 is not what its formula gives", "", "backward_propagation", 5, "a factor 3"
)
ORDER = ("Z1", "A1", "Z2", "A2", "J", "dZ2", "dW2", "db2", "dZ1", "dW1", "db1")


def graded(*findings: Finding, **changes: object) -> Graded:
    wrong = {quantity for finding in findings for quantity in finding.quantities}
    scores = {"shallow": {quantity: quantity not in wrong for quantity in ORDER}}
    return replace(Graded("planar.py", ("shallow",), findings, scores=scores), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("found", CATALOGUE, ids=lambda mistake: mistake.id)
def test_every_mistake_has_its_words_and_its_line(found: Mistake) -> None:
    assert all((found.title, found.symptom, found.formula, found.slide, found.why))
    assert found.slide in {f"N{n}" for n in range(1, 26)}
    assert found.why.endswith(".")
    assert not found.symptom.endswith(".")
    assert found.reference[1] in line_of(found.reference).text


def test_every_mistake_stands_under_one_heading_in_order() -> None:
    assert [name for names in GROUPS.values() for name in names] == [mistake.id for mistake in CATALOGUE]
    assert set(WORDS["mistakes"]) == set(BY_ID)


def test_every_convention_says_why_it_is_valid() -> None:
    assert set(VALID) == set(CONVENTIONS)
    assert all(sentence.endswith(".") for sentence in VALID.values())


def quantities(exercise: str) -> list[str]:
    """Those of the exercise's formulas, of every layer where they are general."""
    plain = [name for name in WORDS["formulas"][exercise] if not name.endswith("L")]
    if exercise != "deep":
        return [name if name != "W" else "W1" for name in plain]
    layers = [f"{name}{l}" for name in plain for l in range(1, LAYERS["deep"] + 1)]
    return ["m", "J", *(name for name in layers if name[0] not in "mJ")]


@pytest.mark.parametrize("exercise", WORDS["formulas"])
def test_every_quantity_has_its_formula_and_its_line(exercise: str) -> None:
    for quantity in quantities(exercise):
        found = rule(exercise, quantity)
        assert found is not None
        assert "{" not in found.formula
        assert found.reference[1] in line_of(found.reference).text


def test_the_formulas_of_a_layer_name_it_and_its_neighbours() -> None:
    found = [rule("deep", name) for name in ("Z1", "A4", "dZ3", "dW1", "new_b2")]
    assert [one.formula for one in found if one] == [
        "Z1 = W1 X + b1",
        "A4 = σ(Z4)",
        "dZ3 = dA3 ∗ g3'(Z3), dA3 = W4ᵀ dZ4",
        "dW1 = (1/m) dZ1 Xᵀ",
        "b2 := b2 − α db2",
    ]
    assert rule("shallow", "dW3") is None
    assert rule("shallow", "predictions") is None
    assert rule("deep", "m").formula == "m = X.shape[1]"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "reference",
    [
        ("reference.nowhere.backward", "dZ"),
        ("reference.shallow_network.nothing", "dZ"),
        ("reference.shallow_network.backward", "no such line"),
        ("reference.shallow_network.backward", "np.dot"),  # more than one
    ],
)
def test_a_line_that_is_not_found_exactly_is_told(reference: tuple[str, str]) -> None:
    with pytest.raises(LookupError):
        line_of(reference)


def test_the_first_hint_shows_the_place_and_gives_nothing_away() -> None:
    text = report.text(graded(DW1), SOURCE)
    assert "dW1  in backward_propagation, line 6" in text
    assert "dW1 = np.dot(dZ1, X.T)" in text
    assert "dW1 is 8 times what its formula gives" in text
    assert BY_ID["missing_1_over_m"].title not in text
    assert "(1/m)" not in text
    assert "reference" not in text
    assert "hint 2" in text


def test_the_second_hint_names_the_mistake_and_the_third_shows_the_line() -> None:
    second, third = (report.text(graded(DW1), SOURCE, hint) for hint in (2, 3))
    for text in (second, third):
        assert "1/m is missing" in text
        assert "dW1 = (1/m) dZ1 Xᵀ  (N18)" in text
    line = line_of(("reference.shallow_network.backward", "dW1 = np.dot("))
    assert f"reference/shallow_network.py:{line.number}" in third
    assert line.text in third
    assert line.text not in second
    assert "hint" not in third


def test_an_unknown_mistake_is_never_given_a_name() -> None:
    for hint in (1, 2, 3):
        text = report.text(graded(DZ1), SOURCE, hint)
        assert "unknown; what can be said: a factor 3" in text
        assert not any(mistake.title in text for mistake in CATALOGUE)
    assert "dZ1 = W2ᵀ dZ2 ∗ g1'(Z1)" in report.text(graded(DZ1), SOURCE, 2)


def test_a_function_that_returns_nothing_is_told_in_words() -> None:
    finding = Finding("shallow", ("anything",), "not_returned", "backward does not return anything", "", "backward", 3)
    assert "a result  in backward, line 3" in report.text(graded(finding), SOURCE)


def test_findings_stand_in_the_order_of_computation() -> None:
    assert report.in_order(graded(DW1, DZ1)) == [DZ1, DW1]
    text = report.text(graded(DW1, DZ1), SOURCE)
    assert text.index("dZ1  in") < text.index("dW1  in")


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (graded(), "all 11 quantities are right"),
        (graded(DW1), "dW1: 1 of 11 quantities is wrong"),
        (graded(DW1, DZ1), "dZ1, dW1: 2 of 11 quantities are wrong"),
        (graded(replace(DW1, quantities=())), "all 11 quantities are right; 1 other mistake"),
        (graded(scores={"shallow": {"Z1": True, "A1": None}}), "1 of 2 quantities are right; 1 could not be judged"),
        (graded(DW1, scores={"shallow": {"dW1": False, "db1": None}}), "1 follows from that or could not be judged"),
        (graded(troubles=(Trouble("time", "no end"),)), "something could not be run, see above"),
        (Graded("x.py", ()), "nothing was graded"),
    ],
)
def test_the_last_line_counts(found: Graded, line: str) -> None:
    assert line in report.text(found, SOURCE)


def test_troubles_come_first_and_each_on_one_line() -> None:
    trouble = Trouble("error", "ValueError: two\nlines \x1b[31m", 6, "train")
    lines = report.text(graded(DW1, troubles=(trouble,)), SOURCE).splitlines()
    assert lines[2] == r"train, line 6: ValueError: two\nlines \x1b[31m"


def test_notes_say_why_they_are_valid_and_stand_once() -> None:
    found = graded(
        notes=(Note("kink", "relu_backward", 4), Note("kink", "relu_backward", 4), Note("rows")),
        missing={"shallow": ("predict",)},
        printed="\nCost after iteration 0\nand more",
    )
    text = " ".join(report.text(found, SOURCE).split())
    assert text.count(CONVENTIONS["kink"]) == text.count(VALID["kink"]) == 1
    assert VALID["rows"] in text
    assert "not found, and not graded: predict" in text
    assert "Cost after iteration 0" in text
    assert "and more" not in text


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("hint", [1, 2, 3])
def test_no_line_is_wider_than_the_terminal(width: int, hint: int) -> None:
    every = tuple(Finding("deep", ("dW1",), mistake.id, mistake.symptom, "", "f", 5) for mistake in CATALOGUE)
    to = Paper(file=StringIO(), width=width, highlight=False, markup=False)
    report.show(graded(*every, notes=tuple(map(Note, CONVENTIONS))), SOURCE, hint, to)
    assert isinstance(to.file, StringIO)
    lines = to.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "\x1b" not in to.file.getvalue()


def test_the_text_has_no_blanks_at_the_ends_and_no_two_empty_lines() -> None:
    lines = report.text(graded(DW1, notes=(Note("rows"),)), SOURCE, 3).splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert not any(one == two == "" for one, two in pairwise(lines))


def test_a_notebooks_places_are_cells() -> None:
    source = replace(SOURCE, cells=((1, 2), (3, 5)))
    assert "cell 5, line 4" in report.text(graded(DW1), source)


def test_the_json_says_all_of_it() -> None:
    found = graded(
        DW1, DZ1, notes=(Note("rows"),), troubles=(Trouble("time", "no end", 6),), missing={"shallow": ("f",)}
    )
    read = json.loads(json.dumps(report.as_json(found, SOURCE)))
    assert (read["schema"], read["schema_version"], read["status"]) == ("parity.grade", 1, 2)
    assert read["score"] == {"right": 9, "total": 11}
    assert read["scores"]["shallow"]["dW1"] is False
    assert [one["mistake"] for one in read["findings"]] == [None, "missing_1_over_m"]
    named = read["findings"][1]
    assert (named["title"], named["formula"], named["slide"]) == ("1/m is missing", "dW1 = (1/m) dZ1 Xᵀ", "N18")
    assert (named["quantities"], named["place"], named["line"]) == (["dW1"], "line 6", 6)
    assert read["findings"][0]["title"] is None
    assert read["notes"][0]["why"] == VALID["rows"]
    assert read["troubles"][0]["place"] == "line 6"
    assert read["missing"] == {"shallow": ["f"]}
    assert set(read["versions"]) == {"parity", "python", "numpy"}


UNWRITTEN = Finding("shallow", ("dW1", "db1"), None, "raises NotImplementedError: backward is not written yet",
                    "", "backward_propagation", 3)  # fmt: skip


def test_what_is_not_written_yet_is_no_mistake() -> None:
    found = settled(graded(UNWRITTEN))
    assert found.findings == ()
    assert [trouble.what for trouble in found.troubles] == ["backward is not written yet"]
    assert "dW1" not in found.scores["shallow"]
    assert found.status == 0
    assert settled(graded(UNWRITTEN), "shallow").status == 2


def test_nothing_written_is_told_once_a_function() -> None:
    trouble = Trouble("error", "NotImplementedError", 3, "sigmoid")
    found = settled(Graded("x.py", ("shallow",), (UNWRITTEN, UNWRITTEN), troubles=(trouble, trouble)))
    assert [one.what for one in found.troubles] == ["backward is not written yet", "sigmoid is not written yet"]
    assert found.status == 2


def test_an_exercise_that_is_asked_for_has_to_be_there_as_a_whole() -> None:
    found = graded(missing={"shallow": ("cost",)})
    assert settled(found).status == 0
    assert settled(found, "shallow").status == 2
    assert "shallow asks for more than was found: cost" in report.text(settled(found, "shallow"), SOURCE)


def test_a_file_without_any_exercise_says_so() -> None:
    found = settled(Graded("x.py", ()))
    assert found.status == 2
    assert "--template" in found.troubles[0].what


def test_what_is_raised_again_is_told_once() -> None:
    what = "ValueError: shapes (5,3) and (5,8) not aligned"
    found = graded(
        troubles=(
            Trouble("error", what, 5, "backward_propagation"),
            Trouble("error", "ValueError: shapes (3,5) and (3,1) not aligned", 5, "backward_propagation"),
            Trouble("died", "it ended", None, "propagate"),
            Trouble("died", "it ended", None, "optimize"),
        )
    )
    lines = report.text(found, SOURCE).splitlines()
    assert lines[2:4] == [f"backward_propagation, line 5: {what}", "propagate; optimize: it ended"]


def test_the_next_hint_is_named_where_it_says_more() -> None:
    raised = Finding("shallow", ("back",), None, "raises E", "", "back", 5)
    ends = {
        (DW1, 1): "hint 2 names the mistake and the slide's formula",
        (DW1, 2): "hint 3 shows the reference's line",
        (DZ1, 1): "hint 2 shows the slide's formula",
    }
    for (finding, hint), end in ends.items():
        assert report.text(graded(finding), SOURCE, hint).splitlines()[-1] == end
    for finding, hint in ((DW1, 3), (raised, 1), (raised, 2)):
        assert "hint" not in report.text(graded(finding), SOURCE, hint)


def test_a_changed_argument_has_the_line_that_writes_into_it() -> None:
    text = "def update(params, grads):\n    step = 1\n    params['W1'] -= step\n    return params\n"
    mutated = Finding("shallow", ("params",), "inputs_mutated", "update changes its params", "", "update")
    [placed] = settled(graded(mutated), source=Source("a.py", text, ast.parse(text))).findings
    assert placed.line == 3


def test_a_statement_that_failed_is_a_note_and_no_mistake() -> None:
    troubles = (Trouble("error", "RuntimeError: no data", 2), Trouble("error", "ValueError: v", 5, "f"))
    found = settled(graded(troubles=troubles))
    assert (found.status, found.notes) == (0, (Note("statement_failed", None, 2),))
    assert "What does not depend on that statement was run" in " ".join(report.text(found, SOURCE).split())
    assert "printed 4 characters, kept apart: a b" in report.text(graded(printed="a b\n"), SOURCE)
    assert "printed 2,000 characters or more" in report.text(graded(printed="x" * 2000), SOURCE)
