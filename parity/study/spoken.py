"""A formula in words, from its MathML: "dZ[1] = W[2] transposed dZ[2] times g[1]'(Z[1])".

A screen reader says it, titles and the search hold it. So the usual signs stay (=, ∂J/∂Z, Z[1], x_i), and words stand
where a sign is drawn rather than written: a raised T, a hat, a sum with its limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import zip_longest
from xml.etree.ElementTree import Element

WORDS = {
    "∗": "times",
    "⋅": "times",
    "·": "times",
    "×": "times",
    "⊙": "times",
    "−": "minus",
    "∣": "given",
    "←": "becomes",
    ":=": "becomes",
    "∑": "the sum of",
    "∏": "the product of",
    "⊤": "T",
    "′": "'",
    "″": "''",
}
"""Signs that are said in words."""

ACCENTS = {"^": "hat", "ˆ": "hat", "―": "bar", "‾": "bar", "~": "tilde", "˜": "tilde"}

BARS = ("|", "‖")
"""Signs that open where they stand first, and close where they stand next."""

NO_ARGUMENT = {"times", "minus", "given", "becomes", "of", "transposed", "over", "to", "if", "for", "and", "or", "mod"}
"""Words that no bracket follows directly."""


def spoken(element: Element) -> str:
    """The words for an element and what is in it."""
    return _SAID.get(element.tag, _row)(element)


def _row(element: Element) -> str:
    said, bars = "", 0
    for child, after in zip_longest(element, element[1:]):
        words = spoken(child)
        if words == "{" and after is not None and after.tag == "mtable":  # cases: no set begins
            continue
        if words == ";" and (not said or said[-1] in ",;"):
            continue
        inside = bars % 2 and (said[-1:] in BARS or words[:1] in BARS)
        said += " " + words if said and words and not inside and _apart(said, words) else words
        bars += sum(words.count(bar) for bar in BARS)
    return said


def _apart(left: str, right: str) -> bool:
    """Whether a space stands between: none inside brackets, before punctuation, in g(z), ∂J, a/b and dZ."""
    last = left.rsplit(" ", 1)[-1].lstrip("(")
    if right[0] in ")]}⌉⌋,.;:!'/" or left[-1] in "([{⌈⌊∂∇/":
        return False
    if right[0] in "([":
        return not (left[-1].isalnum() or left[-1] in "])'") or last in NO_ARGUMENT
    return not (last == "d" and right[0].isalpha() and right not in WORDS.values())


def _leaf(element: Element) -> str:
    text = (element.text or "").replace("\N{NO-BREAK SPACE}", " ").strip()
    return WORDS.get(text, text)


def _space(element: Element) -> str:
    """A wide space parts two formulas."""
    width = (element.get("width") or "").removesuffix("em")
    return ";" if width.isdecimal() else ""


def _grouped(words: str) -> str:
    return f"({words})" if " " in words else words


def _fraction(element: Element) -> str:
    above, below = element
    if element.get("linethickness"):
        return f"{_grouped(spoken(above))} choose {_grouped(spoken(below))}"
    return f"{_grouped(spoken(above))}/{_grouped(spoken(below))}"


def _raised(base: str, exponent: str) -> str:
    """A layer's or an example's number and a prime stand as they are; a T is said."""
    if exponent == "T":
        return f"{base} transposed"
    if layer := re.fullmatch(r"([\[(].*[\])]) ?T", exponent):
        return f"{base}{layer[1]} transposed"
    if exponent[0] in "[('":
        return base + exponent
    return f"{base}^{_grouped(exponent)}"


def _lowered(base: str, index: str) -> str:
    if base.endswith(" of"):
        return f"{base.removesuffix(' of')} over {index} of"
    return f"{base}_{_grouped(index) if set(index.split()) & NO_ARGUMENT else index.replace(' ', '')}"


def _between(base: str, below: str, above: str) -> str:
    if base.endswith(" of"):
        return f"{base.removesuffix(' of')} over {below} to {above} of"
    if above[0] in "[(":  # the number of a layer belongs to the name
        named = _raised(base, above).removesuffix(" transposed")
        return _lowered(named, below) + _raised(base, above).removeprefix(named)
    return _raised(_lowered(base, below), above)


def _accented(element: Element) -> str:
    base, above = map(spoken, element)
    return f"{base} {ACCENTS[above]}" if above in ACCENTS else _raised(base, above)


def _table(element: Element) -> str:
    return "; ".join(", ".join(spoken(cell) for cell in row) for row in element)


_SAID: dict[str, Callable[[Element], str]] = {
    "mi": _leaf,
    "mn": _leaf,
    "mo": _leaf,
    "mtext": _leaf,
    "mspace": _space,
    "mfrac": _fraction,
    "msqrt": lambda element: f"the square root of {_row(element)}",
    "msup": lambda element: _raised(*map(spoken, element)),
    "msub": lambda element: _lowered(*map(spoken, element)),
    "munder": lambda element: _lowered(*map(spoken, element)),
    "msubsup": lambda element: _between(*map(spoken, element)),
    "munderover": lambda element: _between(*map(spoken, element)),
    "mover": _accented,
    "mtable": _table,
}
