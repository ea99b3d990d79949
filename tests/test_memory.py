"""What was found out is kept, and a cache that fails is not missed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from parity import cli
from parity.training import memory
from parity.training.memory import Answer
from tests.inline import inline  # noqa: F401

ASKED = ("train", "--problem", "flower", "--implementation", "reference", "--iterations", "3", "--digits", "5")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_an_answer_is_that_to_its_question() -> None:
    assert Answer(["a", "b"]).recalled() is None
    Answer(["a", "b"]).keep([1.5])
    assert Answer(["a", "b"]).recalled() == [1.5]
    assert Answer(["a", "c"]).recalled() is None
    assert Answer(["ab"]).recalled() is None


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:50], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_what_is_damaged_is_found_out_again(
    damage: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(ASKED) == 0
    first = capsys.readouterr()
    kept = list(Answer([]).path.parent.glob("*.pickle"))
    assert len(kept) == 3
    for path in kept:
        path.write_bytes(damage(path.read_bytes()))
    assert cli.main(ASKED) == 0
    again = capsys.readouterr()
    assert (again.out.splitlines()[3:], again.err) == (first.out.splitlines()[3:], "")


@pytest.mark.parametrize("home", ["/dev/null", "/proc/self"])
def test_where_nothing_can_be_kept_all_is_as_before(
    home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    assert cli.main(ASKED) == 0
    printed = capsys.readouterr()
    assert ("each of 3 steps in 1 implementation is right" in printed.out, printed.err) == (True, "")


def test_what_was_not_asked_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Answer([name]) for name in "abc"]
    for at, answer in enumerate(answers[:2]):
        answer.keep(bytes(1000))
        os.utime(answer.path, (at, at))
    assert answers[0].recalled() is not None  # and is the newest now
    monkeypatch.setattr(memory, "MOST_KEPT", 2500)
    answers[2].keep(bytes(1000))
    assert [answer.recalled() is not None for answer in answers] == [True, False, True]
