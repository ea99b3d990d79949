"""The page of mistakes: all of the catalogue, linked with the blocks, and a report that the grader printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from parity.grade.catalogue import BY_ID, CONVENTIONS
from parity.study import mistakes, pages


@dataclass(frozen=True)
class Named:
    name: str
    blocks: tuple[Any, ...] = ()


def chapter(name: str, *blocks: str) -> Named:
    return Named(name, tuple(Named(block) for block in blocks))


CHAPTERS = (
    chapter("logistic", "J", "Z", "A", "dZ", "dw", "db", "update", "train", "da"),
    chapter("shallow", "Z1", "A1", "Z2", "A2", "J", "dZ2", "dW2", "db2", "dZ1", "dW1", "db1", "update", "train"),
    chapter("initialisation", "zeros", "random"),
)


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return mistakes.page(CHAPTERS)  # type: ignore[arg-type]


def test_every_mistake_once(page: dict[str, Any]) -> None:
    shown = [one["mistake"].id for _, group in page["groups"] for one in group]
    assert sorted(shown) == sorted(BY_ID)
    assert page["count"] == len(shown)
    assert [name for name, _, _ in page["conventions"]] == list(CONVENTIONS)


@pytest.mark.parametrize(
    ("mistake", "links"),
    [
        ("cost_sign", [("logistic", ["J"]), ("shallow", ["J"])]),
        ("dW_transposed", [("logistic", ["dw"]), ("shallow", ["dW2", "dW1"])]),
        ("missing_g_prime", [("shallow", ["dZ1"])]),
        ("other_derivative", [("shallow", ["dZ1"])]),
        ("extra_sigma_prime", [("logistic", ["dZ"]), ("shallow", ["dZ2"])]),
        ("linear_hidden", [("shallow", ["A1"])]),
        ("tanh_at_output", [("logistic", ["A"]), ("shallow", ["A2"])]),
        ("bias_missing", [("logistic", ["Z"]), ("shallow", ["Z1", "Z2"])]),
        ("iterations_off_by_one", [("logistic", ["train"]), ("shallow", ["train"])]),
        ("zero_weights", [("initialisation", ["random"])]),
        ("float32_arithmetic", [("logistic", []), ("shallow", [])]),
        ("m_from_X_rows", []),
    ],
)
def test_links(mistake: str, links: list[tuple[str, list[str]]]) -> None:
    assert list(mistakes.links(BY_ID[mistake], CHAPTERS)) == links  # type: ignore[arg-type]


def test_the_report_is_the_graders(page: dict[str, Any]) -> None:
    text = page["graded"]["report"]
    assert text.startswith("shallow.py: ")
    assert "1 − Z² in place of 1 − A²" in text
    assert "1/m is missing" in text
    assert "dZ1, db1: 2 of 13 quantities are wrong" in text
    assert "/tmp" not in text


def test_a_right_file_has_another_report(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = mistakes.tomllib.loads

    def put_right(text: str) -> dict[str, Any]:
        of = loads(text)
        source = (
            of["source"]
            .replace('cache["Z1"] ** 2', 'cache["A1"] ** 2')
            .replace("db1 = np.sum(dZ1, axis=1, keepdims=True)", "db1 = np.sum(dZ1, axis=1, keepdims=True) / m")
        )
        return of | {"source": source}

    monkeypatch.setattr(mistakes.tomllib, "loads", put_right)
    assert "all 13 quantities are right" in mistakes.graded()["report"]


def test_the_template(page: dict[str, Any]) -> None:
    html = (
        pages.environment()
        .get_template("mistakes.html.jinja")
        .render(pages=[], here="mistakes", stamp={"when": "", "versions": {}, "machine": ""}, **page)
    )
    for name in BY_ID:
        assert f'<article class="mistake" id="{name}"' in html
    assert 'href="shallow.html#dZ1"' in html
