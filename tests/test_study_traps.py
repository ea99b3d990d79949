"""The traps: each is sprung by at least one framework, not by this project, and the page says what was answered."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from parity.study import pages, traps
from parity.study.trapped import HERE, Answer, Answers
from parity.study.truths import FREE, REFUSED, RIGHT, ROUNDING, TRUTHS, WRONG, mark, off, truths

NEEDED = ("torch", "jax")
ALL = all(find_spec(framework) for framework in NEEDED)
NAMES = tuple(TRUTHS)

pytestmark = pytest.mark.skipif(not ALL, reason="the traps are those of PyTorch and JAX, and one is not installed")


@pytest.fixture(scope="module")
def found() -> dict[str, Mapping[str, Answers]]:
    of = traps.asked()
    return {framework: answers for framework, answers in of.items() if not isinstance(answers, str)}


def springs(name: str, of: dict[str, Answers]) -> bool:
    """Whether an answer is wrong, or what cannot be wrong is answered in more ways than one."""
    exact, free = truths(name), {}
    for framework, answers in of.items():
        for answer in answers.answers:
            how = mark(answer, exact, framework)
            if how == WRONG and not answer.here:
                return True
            if how in (FREE, ROUNDING, RIGHT) and not answer.here:
                free.setdefault(answer.asked, set()).add(answer.numbers)
    return any(len(numbers) > 1 for numbers in free.values())


@pytest.mark.parametrize("name", NAMES)
def test_some_framework_shows_it(name: str, found: dict[str, Mapping[str, Answers]]) -> None:
    assert springs(name, {framework: of[name] for framework, of in found.items()})


@pytest.mark.parametrize("name", NAMES)
def test_this_project_is_right_there(name: str, found: dict[str, Mapping[str, Answers]]) -> None:
    exact = truths(name)
    for framework, of in found.items():
        for answer in (one for one in of[name].answers if one.here):
            wanted = (REFUSED,) if exact[answer.asked] is None else (RIGHT, ROUNDING)
            assert mark(answer, exact, framework) in wanted, (framework, answer)


def test_where_nothing_is_sprung_it_is_seen() -> None:
    answers = (Answer("W1 == W2", "", "bool", (2,), (0.0, 0.0)), Answer("here: W1 == W2", "", "bool", (2,), (1.0, 1.0)))
    assert not springs("key", dict.fromkeys(traps.FRAMEWORKS, Answers(answers, ())))


def test_every_question_to_the_project_has_an_exact_answer(found: dict[str, Mapping[str, Answers]]) -> None:
    for name in NAMES:
        asked = {one.asked for of in found.values() for one in of[name].answers}
        assert {question for question in asked if question.startswith(HERE)} <= set(truths(name))


@pytest.mark.parametrize("name", NAMES)
def test_no_exact_value_is_left_over(name: str, found: dict[str, Mapping[str, Answers]]) -> None:
    assert set(truths(name)) <= {one.asked for of in found.values() for one in of[name].answers}


def test_the_files_are_mirrored() -> None:
    """Same functions in the same order; each with words."""
    folder = Path(traps.__file__).parent
    found = []
    for framework in traps.FRAMEWORKS:
        body = ast.parse((folder / f"trapped_{framework}.py").read_text(encoding="utf-8")).body
        found.append([f.name for f in body if isinstance(f, ast.FunctionDef) and f.name != "slope"])
    assert found[0] == found[1] == found[2]
    assert set(found[0]) == set(NAMES) == set(traps.words())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer("here: J", "", "float32", (), (17.0,)), RIGHT),
        (Answer("here: J", "", "float32", (), (17.000002,)), ROUNDING),
        (Answer("here: J", "", "float32", (), (17.001,)), WRONG),
        (Answer("here: J", "", "float32", (), (np.inf,)), WRONG),
        (Answer("here: J", "", "float32", (), (np.nan,)), WRONG),
        (Answer("here: J", "", "float32", (1,), (17.0,)), WRONG),
        (Answer("here: J", "", "int64", (), (17.0,)), WRONG),
        (Answer("here: J", "ValueError", refused=True), REFUSED),
        (Answer("no such question", "", "float32", (), (17.0,)), FREE),
    ],
)
def test_marks(answer: Answer, expected: str) -> None:
    assert mark(answer, truths("saturation"), "numpy") == expected


def test_an_answer_where_only_an_error_is_right() -> None:
    assert mark(Answer("x[7]", "", "float64", (), (4.0,)), truths("out_of_bounds"), "numpy") == WRONG


def test_another_dtype_is_wrong_and_told() -> None:
    narrow = truths("promotion")["float32 × 0.1"]
    answers = [Answer("float32 × 0.1", "", dtype, (1,), (float(np.dtype(dtype).type(0.1)),)) for dtype in ("f4", "f8")]
    answers = [replace(answer, dtype=np.dtype(answer.dtype).name) for answer in answers]
    assert [mark(answer, truths("promotion"), "numpy") for answer in answers] == [RIGHT, WRONG]
    assert off(answers[1], narrow) == "float64 for float32"


def test_exact_values_do_not_hang_on_the_precision_outside() -> None:
    assert traps._exactly(truths("threshold")["softplus"]) == repr(float(np.logaddexp(0, np.longdouble(20.5))))
    assert traps._exactly(truths("promotion")["float32 × 0.1"]) == "0.1 in float32"
    assert traps._exactly(truths("key")["W1 == W2"]) == "(False, False)"


def test_how_far_off() -> None:
    exact = truths("mean_of_all")["here: J"]
    assert off(Answer("", "", "float32", (), (float(np.float32(np.log(2))),)), exact) == "67 % off"
    assert off(Answer("", "", "float32", (), (np.inf,)), exact) == ""


def test_the_digits_that_a_text_hides() -> None:
    assert Answer("", "tensor(20.5000, dtype=torch.float64)", "float64", (), (20.500000001250154,)).digits
    assert not Answer("", "tensor(0.5000)", "float32", (), (0.5,)).digits
    assert not Answer("", "tensor([True])", "bool", (1,), (1.0,)).digits


def test_what_is_warned_of_names_no_place_on_the_machine(found: dict[str, Mapping[str, Answers]]) -> None:
    said = [text for of in found.values() for answers in of.values() for text in answers.warned]
    said += [one.text for of in found.values() for answers in of.values() for one in answers.answers]
    assert said
    assert not [text for text in said if "/" in text]


@pytest.mark.parametrize(
    ("error", "reason"),
    [(BrokenProcessPool(), "torch's process died"), (ImportError("no libtorch"), "ImportError: no libtorch")],
)
def test_a_framework_that_does_not_answer_says_why(error: Exception, reason: str) -> None:
    def fails() -> dict[str, Answers]:
        raise error

    assert traps._arrived("torch", fails) == reason


def test_the_page(found: dict[str, Mapping[str, Answers]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The code that stands there is the file's, the answers are those that were given; a lost framework is said."""
    monkeypatch.setattr(traps, "asked", lambda: found | {"jax": "jax is not installed"})
    shown = traps.page()
    html = (
        pages.environment()
        .get_template("traps.html.jinja")
        .render(pages=[], here="traps", stamp={"when": "", "versions": {}, "machine": ""}, **shown)
    )
    for name in NAMES:
        assert f'<article class="block trap" id="{name}"' in html
    assert html.count("jax is not installed") == len(NAMES)
    assert "tensor(100.)" in html
    assert "✗ another slope</span>" in html
    assert [trap["name"] for trap in shown["traps"]] == list(traps.words())
