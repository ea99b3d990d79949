"""Where frameworks do what one does not expect: their own answers, computed anew, beside the exact value.

The words are in traps.toml, the questions in trapped_numpy.py, trapped_torch.py and trapped_jax.py; what is answered is
judged by `parity.study.truths`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from parity.errors import FOREIGN, one_line
from parity.oracle import FIRST_PRECISION
from parity.study.code import caption, highlighted
from parity.study.cut import cut
from parity.study.mathml import prose
from parity.study.rooms import ask
from parity.study.trapped import Answers, answered
from parity.study.truths import ROUNDING, TRUTHS, WRONG, Exact, Truth, mark, off, truths

FRAMEWORKS = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX"}

Found = Mapping[str, Answers] | str
"""The answers of a framework by trap; or why there are none."""


@cache
def words() -> dict[str, dict[str, Any]]:
    """Those of traps.toml."""
    return tomllib.loads(Path(__file__).with_name("traps.toml").read_text(encoding="utf-8"))


def asked() -> dict[str, Found]:
    """Every framework, with its answers or the reason why there are none; all are asked at the same time."""
    there = [framework for framework in FRAMEWORKS if find_spec(framework)]
    waiting = {framework: ask(framework, answered, framework, tuple(TRUTHS)) for framework in there}
    missing: dict[str, Found] = {name: f"{name} is not installed" for name in FRAMEWORKS if name not in there}
    return missing | {framework: _arrived(framework, answers) for framework, answers in waiting.items()}


def _arrived(framework: str, answers: Callable[[], dict[str, Answers]]) -> Found:
    try:
        return answers()
    except BrokenProcessPool:
        return f"{framework}'s process died"
    except FOREIGN as error:  # it could not be imported
        return one_line(error)


def page() -> dict[str, Any]:
    """What traps.html.jinja shows."""
    found = asked()
    return {
        "traps": [_trap(name, of, found) for name, of in words().items()],
        "slopes": [_column_of(framework, "slope") for framework in ("torch", "jax")],
        "bits": FIRST_PRECISION,
    }


def _trap(name: str, of: Mapping[str, Any], found: Mapping[str, Found]) -> dict[str, Any]:
    exact = truths(name)
    return {
        "name": name,
        "title": of["title"],
        "rows": of["rows"],
        "wrong": of.get("wrong", WRONG),
        "exact": [(what, _exactly(truth)) for what, truth in _told(exact)],
        "columns": [_column(name, framework, exact, found[framework]) for framework in FRAMEWORKS],
        **{key: prose(of[key], {}) for key in ("expect", "why", "instead")},
    }


def _told(exact: Exact) -> Iterator[tuple[str, Truth | None]]:
    """The exact values, each with all questions that it answers, in one string."""
    for truth in dict.fromkeys(exact.values()):
        yield ", ".join(dict.fromkeys(asked for asked in exact if exact[asked] is truth)), truth


def _exactly(truth: Truth | None) -> str:
    """The exact value in as many digits as tell a float64 from its neighbours."""
    if truth is None:
        return "an error"
    values = [float(value.mid()) for value in truth.values]
    numbers = [str(bool(value)) if truth.boolean else repr(value).removesuffix(".0") for value in values]
    told = numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"
    return f"{told} in {truth.dtype}" if truth.dtype else told


def _column(name: str, framework: str, exact: Exact, found: Found) -> dict[str, Any]:
    column = _column_of(framework, name)
    if isinstance(found, str):
        return column | {"answers": [], "warned": [], "missing": found}
    far = (ROUNDING,) if "wrong" in words()[name] else (ROUNDING, WRONG)  # of a convention there is no how far
    answers = [
        {"answer": answer, "mark": (how := mark(answer, exact, framework)),
         "off": off(answer, exact.get(answer.asked)) if how in far else ""}
        for answer in found[name].answers
    ]  # fmt: skip
    return column | {"answers": answers, "warned": found[name].warned, "missing": ""}


def _column_of(framework: str, function: str) -> dict[str, Any]:
    """Its name, and the code of a function of trapped_….py."""
    found = cut("parity/study", f"trapped_{framework}.{function}", Path(__file__).parents[2])
    return {
        "framework": framework,
        "title": FRAMEWORKS[framework],
        "code": highlighted([found], {}),
        "caption": caption(found),
    }
