"""What a wrong quantity looks like, in one line, without the name of a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from parity.grade.bounded import Bounded
from parity.grade.formulas import UNEVEN, Pass, in_words
from parity.grade.held import aligned, local, within

LARGEST_DENOMINATOR = 64
"""Of a factor that is worth being shown: n/m of small sizes."""


def symptom(p: Pass, name: str) -> tuple[str, str, str]:
    """What is seen of a quantity, an element of it, and what can be said of it where no mistake is known.

    Returns
    -------
    symptom, shown, guess : str
        "dW1 is 8 times what its formula gives", "dW1[0, 2] is 4, its formula gives 0.5", "a factor 8"; the last two
        may be empty.
    """
    value, q = np.asarray(p.seen[name].value), in_words(name, p.probe.exercise)
    with np.errstate(all="ignore"):
        try:
            target = local(p, name).rights(name)[0]
        except UNEVEN:
            return f"{q} has shape {value.shape}, which fits nothing before it", "", ""
        found = aligned(value, target.shape, row=True)
        if found is None:
            return _of_another_shape(q, value, target)
        shown = _shown(q, found, target)
        if not np.all(np.isfinite(found)):
            bad = int(np.sum(~np.isfinite(found)))
            return f"{q} is {_first_bad(found)} in {bad} of {found.size} elements", shown, ""
        for guess, words in _guesses(found, target):
            return f"{q} {words}", shown, guess
        off = int(np.sum(~(np.abs(found - target.value) <= target.error)))
    return f"{q} differs from its formula in {off} of {found.size} elements", shown, ""


def _of_another_shape(q: str, value: np.ndarray, target: Bounded) -> tuple[str, str, str]:
    if value.dtype.kind not in "fiub":
        return f"{q} holds {value.dtype}, no real numbers", "", ""
    words = f"{q} has shape {_turned(q, value.shape)}, its formula gives {_turned(q, target.shape)}"
    if value.size == target.value.size and within(value.reshape(target.shape), target):
        return words, "", "the right numbers in another shape"
    if value.T.shape == target.shape and within(value.T, target):
        return words, "", "transposed"
    return words, "", ""


def _turned(q: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Logistic regression's dw is a column."""
    return shape[::-1] if q in ("dw", "new_w") else shape


def _first_bad(found: np.ndarray) -> str:
    return str(float(found[~np.isfinite(found)][0]))


def _shown(q: str, found: np.ndarray, target: Bounded) -> str:
    """The element that is furthest off."""
    distance = np.where(np.isfinite(found), np.abs(found - target.value), np.inf)
    at = np.unravel_index(int(np.nanargmax(distance)), found.shape) if found.size else ()
    place = list(map(int, at[::-1] if q in ("dw", "new_w") else at))
    seen, right = float(found[at]), float(target.value[at])
    digits = 10 if np.float32(seen) == np.float32(right) else 7  # as many as show the difference
    return f"{q}{place or ''} is {seen:.{digits}g}, its formula gives {right:.{digits}g}"


def _guesses(found: np.ndarray, target: Bounded) -> Iterator[tuple[str, str]]:
    """What explains every element within its bound."""
    if found.shape == target.T.shape and within(found, target.T) and not within(found, target):
        yield "transposed", "is the transpose of what its formula gives"
    at = np.unravel_index(int(np.argmax(np.abs(target.value))), target.shape)
    if not target.value[at] or not np.all(np.isfinite(target.value)):
        return
    ratio = Fraction(float(found[at] / target.value[at])).limit_denominator(LARGEST_DENOMINATOR)
    if ratio not in (0, 1) and within(found, target * float(ratio)):
        yield (
            ("a sign", "has the opposite sign")
            if ratio == -1
            else (
                f"a factor {ratio}",
                f"is {ratio} times what its formula gives",
            )
        )
    if not np.any(found):
        yield "zero", "is zero everywhere"
