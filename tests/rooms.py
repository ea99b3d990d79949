"""Learners' files that are run, for the tests of the grader's rooms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from parity.grade.record import Call, Played, Scene, Source
from parity.grade.room import Contained, Here
from parity.grade.source import read

X = np.arange(6.0).reshape(2, 3)


def source(folder: Path, text: str) -> Source:
    file = folder / "a.py"
    file.write_text(text, encoding="utf-8")
    return read(str(file))


def played(room: Here | Contained, *calls: Call, **options: Any) -> list[Played | None]:
    [scenery] = room.play([Scene("s", calls, **options)])
    assert len(scenery.played) == len(calls)
    return list(scenery.played)


def one(folder: Path, text: str, *arguments: Call, **options: Any) -> Played:
    """What becomes of the last of the calls, or of f(X), here."""
    with Here(source(folder, text)) as room:
        assert not room.inventory.troubles
        result = played(room, *(arguments or (Call("f", {"X": X}),)), **options)[-1]
    assert result is not None
    return result


def result(of: Played | None) -> Played:
    assert of is not None
    return of
