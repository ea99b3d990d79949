"""The traps: each is sprung by at least one framework, not by this project, and the page says what was answered."""

from __future__ import annotations

import inspect
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from parity.study import pages, traps
from parity.study.traps import FREE, REFUSED, RIGHT, ROUNDING, WRONG, Answer, Answers, mark, truths

NEEDED = ("torch", "jax")
ALL = all(find_spec(framework) for framework in NEEDED)
NAMES = tuple(traps.TRUTHS)

pytestmark = pytest.mark.skipif(not ALL, reason="the traps are those of PyTorch and JAX, and one is not installed")


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Answers]]:
    return traps.asked()


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
def test_some_framework_shows_it(name: str, found: dict[str, dict[str, Answers]]) -> None:
    assert springs(name, {framework: of[name] for framework, of in found.items()})


@pytest.mark.parametrize("name", NAMES)
def test_this_project_is_right_there(name: str, found: dict[str, dict[str, Answers]]) -> None:
    exact = truths(name)
    for framework, of in found.items():
        for answer in (one for one in of[name].answers if one.here):
            wanted = (REFUSED,) if exact[answer.asked] is None else (RIGHT, ROUNDING)
            assert mark(answer, exact, framework) in wanted, (framework, answer)


def test_where_nothing_is_sprung_it_is_seen() -> None:
    answers = (Answer("W1 == W2", "", "bool", (2,), (0.0, 0.0)), Answer("here: W1 == W2", "", "bool", (2,), (1.0, 1.0)))
    assert not springs("key", dict.fromkeys(traps.FRAMEWORKS, Answers(answers, ())))


def test_every_question_to_the_project_has_an_exact_answer(found: dict[str, dict[str, Answers]]) -> None:
    for name in NAMES:
        asked = {one.asked for of in found.values() for one in of[name].answers}
        assert {question for question in asked if question.startswith(traps.HERE)} <= set(truths(name))


def test_no_exact_value_is_left_over(found: dict[str, dict[str, Answers]]) -> None:
    asked = {one.asked for of in found.values() for answers in of.values() for one in answers.answers}
    assert {question for name in NAMES for question in truths(name)} <= asked


def test_the_files_are_mirrored() -> None:
    """Same functions in the same order; each with words, and short enough to be read in a column."""
    for framework in traps.FRAMEWORKS:
        module = import_module(f"parity.study.trapped_{framework}")
        own = [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == module.__name__]
        names = [f.__name__ for f in own if f.__name__ != "slope"]
        assert set(names) == set(NAMES) == set(traps.words())
        assert names == [
            f.__name__ for f in sorted(own, key=lambda f: f.__code__.co_firstlineno) if f.__name__ in names
        ]


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


def test_exact_values_do_not_hang_on_the_precision_outside() -> None:
    assert traps._exactly(truths("threshold")["softplus"]) == repr(float(np.logaddexp(0, np.longdouble(20.5))))
    assert traps._exactly(truths("promotion")["float32 × 0.1"]) == "0.1"


def test_how_far_off() -> None:
    exact = truths("mean_of_all")["here: J"]
    assert traps.off(Answer("", "", "float32", (), (float(np.float32(np.log(2))),)), exact) == "67 % off"
    assert traps.off(Answer("", "", "float32", (), (np.inf,)), exact) == ""


def test_the_digits_that_a_text_hides() -> None:
    assert Answer("", "tensor(20.5000, dtype=torch.float64)", "float64", (), (20.500000001250154,)).digits
    assert not Answer("", "tensor(0.5000)", "float32", (), (0.5,)).digits


def test_what_is_warned_of_names_no_place_on_the_machine(found: dict[str, dict[str, Answers]]) -> None:
    said = [text for of in found.values() for answers in of.values() for text in answers.warned]
    said += [one.text for of in found.values() for answers in of.values() for one in answers.answers]
    assert said
    assert not [text for text in said if "/" in text]


def test_the_page(found: dict[str, dict[str, Answers]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The code that stands there is the file's, the answers are those that were given; a lost framework is said."""
    monkeypatch.setattr(traps, "asked", lambda: {name: of for name, of in found.items() if name != "jax"})
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
    assert "✗ another slope" in html
    assert [trap["name"] for trap in shown["traps"]] == list(traps.words())
