"""Numbers as a table shows them: the digits that are right, those of the exact value, and which elements are shown.

A computed number is written with as few digits as give its bits back. It is held against the exact value rounded to
nearest, written in the same way: leading characters that are the same agree. Where one of the two has fewer digits,
zeros stand for the rest. Nothing agrees where the sign, the power of ten or the number of digits before the point is
another, or the number is not finite. −0 is 0, as in the verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import takewhile

import numpy as np

from parity.formats import FORMATS, Format
from parity.oracle import Exact

EXACT_DIGITS = {"float64": 20, "float32": 12}
"""How many significant digits of an exact value are written: enough to see on which side of a number it lies."""

SHOWN = 3
"""How many elements of an array stand in a table."""

Index = tuple[int, ...]


@dataclass(frozen=True)
class Number:
    """A number, and how many leading characters of it are those of the exact value rounded to nearest."""

    text: str
    agrees: int


@dataclass(frozen=True)
class Row:
    """What one implementation computed.

    Attributes
    ----------
    name, framework, title : str
        "torch-eager", "torch", "PyTorch eager".
    values : tuple of Number
        One an entry of the table; "—" where there is nothing that could be shown.
    ulps, share : float
        The worst error of the quantity in ulp of its largest element, and as a share of the bound; nan where there is
        no bound.
    verdict, looks_like : str
        bits, rounding or differs; what a difference looks like, else empty.
    """

    name: str
    framework: str
    title: str
    values: tuple[Number, ...]
    ulps: float
    share: float
    verdict: str
    looks_like: str


@dataclass(frozen=True)
class Table:
    """A quantity in one format, as every implementation computes it.

    Attributes
    ----------
    quantity, problem, note, dtype, shape : str
        "dZ1", "three_four_one", what the problem is, "float64", "(4, 5)". Of a call: the function and its arguments.
    entries, exact : tuple of str
        "dZ1[0, 0]", …; the exact value of each as the inputs in this format determine it.
    rows : tuple of Row
    skipped : tuple of (title, reason)
    """

    quantity: str
    problem: str
    note: str
    dtype: str
    shape: str
    entries: tuple[str, ...]
    exact: tuple[str, ...]
    rows: tuple[Row, ...]
    skipped: tuple[tuple[str, str], ...]


NOTHING = Number("—", 0)
"""Stands for a number that is not there."""


def number(value: np.generic, rounded: np.generic) -> Number:
    """The computed value, held against the exact value rounded to nearest in the same format.

    >>> number(np.float64(0.1 + 0.2), np.float64(0.3))
    Number(text='0.30000000000000004', agrees=18)
    >>> number(np.float64(0.3), np.float64(0.1 + 0.2))
    Number(text='0.30000000000000000', agrees=18)
    """
    text, wanted = str(value), str(rounded)
    if value == rounded:
        return Number(text, len(text))
    if not (isinstance(value, np.floating) and np.isfinite(value) and np.isfinite(rounded)):
        return Number(text, 0)
    (whole, digits, power), (whole_wanted, digits_wanted, power_wanted) = _parts(text), _parts(wanted)
    if (len(whole), power) != (len(whole_wanted), power_wanted):
        return Number(text, 0)
    width = max(len(digits), len(digits_wanted))
    shown, right = f"{whole}.{digits:0<{width}}", f"{whole_wanted}.{digits_wanted:0<{width}}"
    same = takewhile(lambda pair: pair[0] == pair[1], zip(shown, right, strict=True))
    return Number(shown + power, len(list(same)))


def exact_text(exact: Exact, at: Index, fmt: Format, *, known: bool) -> str:
    """The exact value in decimal, rounded to as many digits as its ball decides, `EXACT_DIGITS` at most.

    In the notation of the rounded value, so that one can be read above the other. Trailing zeros are digits; a decimal
    that is the value itself, and not only near it, has none. Where the ball does not decide a single digit, as around
    a value that underflows, it is the value rounded to the format.

    Parameters
    ----------
    known : bool
        Whether the value is `exact.high`, as on an exact problem.
    """
    rounded = str(fmt.dtype.type(exact.high[at]))
    value, error = Fraction(float(exact.high[at])) + Fraction(float(exact.low[at])), Fraction(0)
    if not known:
        error = Fraction(float(np.broadcast_to(exact.certified(fmt), exact.high.shape)[at])) + _cut_off(exact, at, fmt)
    return decimal_text(value, error, rounded, EXACT_DIGITS[fmt.name])


def decimal_text(value: Fraction, error: Fraction, rounded: str, most: int) -> str:
    """`value`, known to `error`, to at most so many digits, in the notation of `rounded`.

    >>> decimal_text(Fraction(1, 3), Fraction(1, 10**5), "0.3333333333333333", 25)
    '0.3333'
    """
    power = rounded.partition("e")[2]
    scale = Fraction(10) ** -int(power or 0)
    value, error = value * scale, error * scale
    for places in range(most - _places_before(value), 0, -1):
        low, high = (round(end * 10**places) for end in (value - error, value + error))
        if low == high:
            text = format(Decimal(low).scaleb(-places), "f")
            ended = not error and Fraction(text) == value
            return (_trimmed(text) if ended else text) + ("e" + power if power else "")
    return rounded


def chosen(values: np.ndarray) -> list[Index]:
    """Which elements are shown: the first that are different normal numbers, in order; others where there are too few.

    >>> chosen(np.array([0.0, 0.5, 0.5, 2.0]))
    [(0,), (1,), (3,)]
    """
    flat = values.ravel()
    least = np.finfo(flat.dtype).smallest_normal if flat.dtype.kind == "f" else 1
    worth: dict[float, int] = {}
    for i, value in enumerate(flat.tolist()):
        if least <= abs(value) < np.inf:
            worth.setdefault(value, i)
    first = list(worth.values())[:SHOWN]
    rest = [i for i in range(flat.size) if i not in first][: SHOWN - len(first)]
    return [tuple(map(int, np.unravel_index(i, values.shape))) for i in sorted(first + rest)]


def entry(quantity: str, at: Index) -> str:
    """The name of an element: dZ1[0, 0], or J."""
    return quantity + (f"[{', '.join(map(str, at))}]" if at else "")


def _parts(text: str) -> tuple[str, str, str]:
    """The digits before and after the point, with the sign, and the power of ten: ("-1", "25", "e-05")."""
    mantissa, e, power = text.partition("e")
    whole, _, digits = mantissa.partition(".")
    return whole, digits, e + power


def _cut_off(exact: Exact, at: Index, fmt: Format) -> Fraction:
    """How much of the midpoint may be missing: `low` is rounded to float64, and for a narrower format there is none."""
    last = exact.low[at] if fmt.p == FORMATS["float64"].p else exact.high[at]
    return Fraction(float(abs(last))) * Fraction(FORMATS["float64"].u)


def _places_before(value: Fraction) -> int:
    """How many digits stand before the point; less than 1 where zeros follow it: 12.5 has 2, 0.05 has −1."""
    return Decimal(float(abs(value))).adjusted() + 1 if value else 1


def _trimmed(text: str) -> str:
    """Without the zeros at its end, but for one after the point."""
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits.rstrip('0') or '0'}"
