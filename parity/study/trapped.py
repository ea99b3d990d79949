"""The questions of `parity.study.traps`, put to a framework in a process that has it.

Each trap is a function of the same name in trapped_numpy.py, trapped_torch.py and trapped_jax.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from parity.errors import shorten
from parity.formats import FORMATS

HERE = "here: "
"""What a question begins with that is put to this project's own functions."""

LONGEST = 150
"""Characters of an error or a warning."""


@dataclass(frozen=True)
class Answer:
    """What a framework answered.

    Attributes
    ----------
    asked, text : str
        The question, and the answer as the framework itself writes it.
    dtype : str
        Empty for an error.
    shape : tuple of int
    numbers : tuple of float
        The elements in order.
    refused : bool
        Whether it was an error.
    """

    asked: str
    text: str
    dtype: str = ""
    shape: tuple[int, ...] = ()
    numbers: tuple[float, ...] = ()
    refused: bool = False

    @property
    def digits(self) -> str:
        """All digits of a single number whose text does not show them; or empty."""
        if self.refused or self.dtype == "bool" or len(self.numbers) != 1:
            return ""
        fmt = FORMATS.get(self.dtype)
        number = self.numbers[0]
        digits = str(fmt.dtype.type(number)) if fmt else f"{number:g}"
        return "" if digits.rstrip("0").rstrip(".") in self.text else digits

    @property
    def shape_text(self) -> str:
        """(), (3,), (1, 3)."""
        return str(self.shape)

    @property
    def here(self) -> bool:
        """Whether this project's own function answered."""
        return self.asked.startswith(HERE)


@dataclass(frozen=True)
class Answers:
    """Those of a framework to one trap, and what it warned of meanwhile."""

    answers: tuple[Answer, ...]
    warned: tuple[str, ...]


def answered(framework: str, names: tuple[str, ...]) -> dict[str, Answers]:
    """The answers of a framework to these traps; it is imported in this process."""
    module = import_module(f"parity.study.trapped_{framework}")
    with _as_it_is(framework):
        return {name: _asked(getattr(module, name)) for name in names}


def _as_it_is(framework: str) -> Any:
    """JAX without x64, whatever the surroundings say: a reader's is so, too."""
    return import_module("jax").enable_x64(False) if framework == "jax" else nullcontext()


def _asked(trap: Callable[[], Mapping[str, object]]) -> Answers:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answers = tuple(_answer(asked, value) for asked, value in trap().items())
    said = [f"{w.category.__name__}: {_first_sentence(str(w.message))}" for w in caught]
    return Answers(answers, tuple(dict.fromkeys(said)))


def _answer(asked: str, value: object) -> Answer:
    try:
        value = value() if callable(value) else value
    except Exception as error:  # an error is an answer
        return Answer(asked, f"{type(error).__name__}: {_first_sentence(str(error))}", refused=True)
    array: Any = value
    numbers = tuple(float(x) for x in np.ravel(array.tolist()))
    return Answer(asked, repr(value), str(array.dtype).removeprefix("torch."), tuple(array.shape), numbers)


def _first_sentence(text: str) -> str:
    """Without what follows, which may name a place on the machine."""
    return shorten(text.splitlines()[0].split(". ")[0], LONGEST)
