"""The mistakes that `parity grade` names, with the blocks of each quantity, and a report as it is printed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from parity.grade import report
from parity.grade.catalogue import BY_ID, CONVENTIONS, GROUPS, VALID, Mistake
from parity.grade.run import run
from parity.grade.words import line_of
from parity.study import registry
from parity.study.code import highlighted
from parity.study.cut import Cut
from parity.study.registry import Chapter

BLOCKS = {"update": "update", "costs": "train"}
"""The blocks of what is no quantity of a pass; the others are called as the quantity, with its layer or without."""

PASS = {"Z", "A", "J", "dZ", "dW", "db"}
"""Quantities of all of a pass."""

DRAWN = ("W", "b")
"""What an initialisation makes."""


def page(chapters: Sequence[Chapter] | None = None) -> dict[str, Any]:
    """What mistakes.html.jinja shows; the blocks that are linked are those of the chapters, by default of all."""
    known = registry.chapters() if chapters is None else chapters
    return {
        "count": len(BY_ID),
        "groups": [(heading, [_mistake(BY_ID[name], known) for name in names]) for heading, names in GROUPS.items()],
        "conventions": [(name, what, VALID.get(name, "")) for name, what in CONVENTIONS.items()],
        "graded": graded(),
    }


def _mistake(mistake: Mistake, chapters: Sequence[Chapter]) -> dict[str, Any]:
    return {"mistake": mistake, "line": line_of(mistake.reference), "links": list(links(mistake, chapters))}


def links(mistake: Mistake, chapters: Sequence[Chapter]) -> Iterator[tuple[str, list[str]]]:
    """The chapters with the blocks of what a mistake is made in: ("shallow", ["dZ2", "dZ1"]).

    Of what is made anywhere in a pass the chapters alone: all of their blocks would be no answer.
    """
    everywhere = set(mistake.of) >= PASS
    for chapter in chapters:
        names = [block.name for block in chapter.blocks]
        found = [name for name in names if any(_is_of(kind, chapter.name, name, mistake) for kind in mistake.of)]
        if found:
            yield chapter.name, [] if everywhere else found


def _is_of(kind: str, chapter: str, block: str, mistake: Mistake) -> bool:
    """Whether a block is that of a kind of quantity, in the layer that the formula is of.

    Logistic regression's W is called w.
    """
    if kind in DRAWN:
        return (chapter, block) == ("initialisation", "random")
    own = kind.replace("W", "w") if chapter == "logistic" else kind
    found = re.fullmatch(rf"{BLOCKS.get(kind, own)}([12L]?)", block)
    if chapter not in mistake.exercises or not found:
        return False
    layer = found[1] or ("L" if chapter == "logistic" else "l")
    return layer in _layers(kind, mistake.formula)


def _layers(kind: str, formula: str) -> str:
    """The layers of a kind of quantity that a formula is of: the output has a dZ, a dA and an A of its own."""
    if formula.startswith(f"{kind}[L]"):
        return "2L" + "l" * (kind == "A")  # A has one block for all layers of a deep network
    return "1l" if kind in ("dZ", "dA") or (formula.startswith(f"{kind}[l]") and kind == "A") else "12Ll"


def graded() -> dict[str, Any]:
    """A file with mistakes, and what `parity grade --hint 3` prints of it."""
    of = tomllib.loads(Path(__file__).with_name("mistaken.toml").read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder:
        path = Path(folder, of["file"])
        path.write_text(of["source"].lstrip(), encoding="utf-8")
        source, found = run(str(path))
    text = report.text(replace(found, file=of["file"]), source, report.REFERENCE)
    lines = tuple(enumerate(of["source"].strip().splitlines(), start=1))
    return {"file": of["file"], "code": highlighted([Cut(of["file"], "", lines)], {}), "report": text}
