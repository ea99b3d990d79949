"""Formulas as native MathML, in which each «symbol» is an element of its own, and words that hold such formulas.

latex2mathml converts; a private-use character stands for each symbol meanwhile, so that ^T and primes attach to it.
It lets through what it does not know, and writes some things as browsers do not lay them out: the first is refused, the
second is put right.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from html import unescape
from itertools import pairwise
from typing import TypeVar
from xml.etree.ElementTree import Element, tostring

from latex2mathml.converter import Converter
from markupsafe import Markup, escape

from parity.study.registry import SYMBOL, Broken, Symbol
from parity.study.spoken import spoken

Symbols = Mapping[str, Symbol]
Held = tuple[tuple[str, str], ...]
"""Names of symbols, each with its LaTeX."""

T = TypeVar("T", bound=str)

INLINE = re.compile(
    r"(?P<formula>«[^«»]+»)|\$(?P<math>[^$]+)\$|`(?P<code>[^`]+)`|\[(?P<words>[^\[\]]+)\]\((?P<link>[^()\s]+)\)"
)

BESIDE = re.compile(r"\(?<math\b.*?</math>(?:[.,:;!?)]+|-)?", re.DOTALL)
"""A formula with the punctuation that must not be parted from it at the end of a line."""

CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "mroot": 2, "msubsup": 3, "munderover": 3}
"""How many children these must have: fewer is an argument that is missing."""

LETTERS = "∂∇∞∅%#"
"""Characters of the classes of operators and marks that are set as letters."""

DIGITS = {"double-struck": 0x1D7D8, "bold": 0x1D7CE}
"""Where the digits of a style begin: browsers know `mathvariant` no longer."""

CLOSING = (")", "]", "⌉", "⌋", "|", "}", "′", "″", "!", "…")
"""Operators that end what stands before, so that a sign behind them is no prefix."""

PRIMES = ("′", "″", "‴")

SCRIPTS = {"msub": (1, 0), "msup": (0, 1), "msubsup": (1, 2)}
"""Where the lowered and the raised child of these stand, 0 where there is none."""

THIN = "0.1667em"
"""The space between the name of a function and its argument, as TeX sets it."""


def formula(latex: str, symbols: Symbols, display: bool = True) -> Markup:
    """The MathML of a formula, with the formula in words as its label.

    Raises
    ------
    Broken
        A command is unknown, a symbol not declared, a brace or an argument missing.
    """
    return _formula(latex, _held(latex, symbols), display)


def _held(latex: str, symbols: Symbols) -> Held:
    """The symbols that stand in a formula."""
    return tuple((name, symbols[name].latex) for name in dict.fromkeys(SYMBOL.findall(latex)) if name in symbols)


@cache
def _formula(latex: str, symbols: Held, display: bool) -> Markup:
    """Made once: most formulas stand on a page more than once."""
    row = _row(latex, dict(symbols), display)
    math = Element("math", {"display": "block"} if display else {}, **{"aria-label": spoken(row)})
    math.extend(row)
    for element in reversed(list(math.iter())):
        _put_flat(element)
    return Markup(tostring(math, encoding="unicode"))


def prose(text: str, symbols: Symbols) -> Markup:
    """Words in paragraphs, which empty lines separate."""
    paragraphs = [paragraph for paragraph in re.split(r"\n\s*\n", text.strip()) if paragraph]
    return Markup("\n").join(Markup("<p>{}</p>").format(line(paragraph.strip(), symbols)) for paragraph in paragraphs)


def line(text: str, symbols: Symbols) -> Markup:
    """Words with their formulas, code and links, all else escaped."""
    found = Markup().join(_parts(text, escape, lambda kind, of, href: _marked(kind, of, href, symbols)))
    return Markup(BESIDE.sub(_kept, found))


def _kept(formula: re.Match[str]) -> str:
    alone = formula[0].startswith("<") and formula[0].endswith(">")
    return formula[0] if alone else f'<span class="kept">{formula[0]}</span>'


def plain(text: str, symbols: Symbols) -> str:
    """Words without any mark, for titles and the search: "dZ[1]: the error"."""
    return "".join(_parts(text, str, lambda kind, of, href: _unmarked(kind, of, symbols)))


def _marked(kind: str, text: str, href: str, symbols: Symbols) -> Markup:
    match kind:
        case "formula" | "math":
            return formula(text, symbols, display=False)
        case "code":
            return Markup("<code>{}</code>").format(text)
    return Markup('<a href="{}">{}</a>').format(href, line(text, symbols))


def _unmarked(kind: str, text: str, symbols: Symbols) -> str:
    match kind:
        case "formula" | "math":
            return _words(text, _held(text, symbols))
        case "code":
            return text
    return plain(text, symbols)


@cache
def _words(latex: str, symbols: Held) -> str:
    return spoken(_row(latex, dict(symbols), display=False))


def _parts(text: str, word: Callable[[str], T], other: Callable[[str, str, str], T]) -> Iterator[T]:
    """The words between the marks, and what is marked, in order."""
    end = 0
    for found in INLINE.finditer(text):
        yield word(_unpaired(text[end : found.start()], text))
        kind = found.lastgroup or ""
        yield other("words" if kind == "link" else kind, found["words"] or found[kind], found["link"] or "")
        end = found.end()
    yield word(_unpaired(text[end:], text))


def _unpaired(words: str, text: str) -> str:
    if stray := re.search(r"[«»$`]|\]\(", words):
        raise Broken(f'"{stray[0]}" without its partner in "{text.strip()}"')
    return words


# ---- from LaTeX to a tree


def _row(latex: str, symbols: Mapping[str, str], display: bool) -> Element:
    """The formula's elements in one <mrow>."""
    names = SYMBOL.findall(latex)
    for name in names:
        if name not in symbols:
            raise Broken(f'«{name}» is used and not declared, in "{latex}"')
    stand_in = iter(range(0xE000, 0xE000 + len(names)))
    row = _converted(SYMBOL.sub(lambda _: chr(next(stand_in)), latex), latex, display)
    _put_symbols(row, [(name, symbols[name]) for name in names], latex)
    for element in list(row.iter()):
        _put_scripts_right(element)
    return row


def _converted(text: str, latex: str, display: bool) -> Element:
    """What latex2mathml makes of it, checked and put right."""
    if not _balanced(text):
        raise Broken(f'a brace has no partner in "{latex}"')
    named = re.sub(r"\\mathrm\s*\{([^{}\\]*)\}", r"\\operatorname{\1}", text)
    try:
        math = Converter(display="block" if display else "inline").convert_to_element(named)
    except Exception as error:  # it has a dozen errors without a common class, and IndexError and KeyError come through
        raise Broken(f'{type(error).__name__} in "{latex}"') from error
    row = math[0]
    for element in row.iter():
        element.text = unescape(element.text) if element.text else None
        _check(element, latex)
        _put_right(element)
    for element in [*row.iter("mrow"), *row.iter("mtd")]:
        _set_apart(element)
    return row


def _balanced(text: str) -> bool:
    """Whether each brace has its partner; one behind a backslash is a character."""
    depth = 0
    for brace in re.findall(r"[{}]", re.sub(r"\\.", "", text)):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def _check(element: Element, latex: str) -> None:
    text = element.text or ""
    if text.startswith("\\") and text != "\\":
        raise Broken(f'{text} is not known, in "{latex}"')
    if text == "&" or element.get("linebreak"):
        raise Broken(f'a cell or a line ends outside a table, in "{latex}"')
    if len(element) != CHILDREN.get(element.tag, len(element)) or (
        element.tag in ("mi", "mo") and not text and not element.get("fence")
    ):
        raise Broken(f'an argument is missing in "{latex}"')


def _put_right(element: Element) -> None:
    """Write an element as browsers lay it out."""
    text = element.text or ""
    if element.tag == "mi" and len(text) == 1 and _is_operator(text):
        element.tag = "mo"
    elif element.tag == "mo" and text.isalpha() and text.isascii():  # \max, \operatorname{diag}, \mathrm{d}
        element.tag = "mi"
        if len(text) == 1:
            element.set("mathvariant", "normal")
    if text == "*":
        element.text = "∗"
    if element.get("columnalign"):
        element.set("style", f"text-align: {element.attrib.pop('columnalign')}")
    _put_digits_right(element)


def _is_operator(character: str) -> bool:
    return character not in LETTERS and unicodedata.category(character) in ("Sm", "Ps", "Pe", "Po")


def _put_digits_right(element: Element) -> None:
    style = element.get("mathvariant")
    if element.tag == "mn" and style in DIGITS and element.text:
        element.text = "".join(chr(DIGITS[style] + int(digit)) for digit in element.text)
        del element.attrib["mathvariant"]


def _set_apart(row: Element) -> None:
    """Write := as one operator, a sign close to what follows it, a function's name apart from what is beside it."""
    for left, right in list(pairwise(row)):
        opens = left.tag == "mo" and left.text not in CLOSING
        if (left.text, right.text) == (":", "="):
            row.remove(left)
            right.text = ":="
        elif right.text in ("−", "+") and opens:
            right.set("form", "prefix")
        elif not opens and ((right.tag != "mo" and _is_name(left)) or _is_name(right)):
            row.insert(list(row).index(right), Element("mspace", {"width": THIN}))


def _is_name(element: Element) -> bool:
    """Whether it is the name of a function, which may carry an index: log, max_j."""
    first = element[0] if element.tag in ("msub", "msup", "munder") else element
    return first.tag == "mi" and len(first.text or "") > 1


def _put_scripts_right(element: Element) -> None:
    """Set a symbol's scripts and those that follow it in one place, W^[2]T_ij, and a prime beside its letter."""
    if element.tag not in SCRIPTS:
        return
    base = element[0]
    below, above = SCRIPTS[element.tag]
    primes = _primes(element[above]) if above else []
    ends = base[-1].tag if base.get("class") == "symbol" else ""
    if ends in ("msup", "msubsup") or (ends == "msub" and not primes):
        _join(base[-1], element)
        element.tag, element.attrib, element[:] = base.tag, base.attrib, list(base)
    elif primes and not below:  # fonts have raised it
        element.tag = "mrow"
        element[1:] = [_operator(prime.text, "postfix") for prime in primes]


def _primes(raised: Element) -> list[Element]:
    """What is raised, if it is nothing but primes."""
    found = list(raised) if raised.tag == "mrow" else [raised]
    return found if all(prime.text in PRIMES for prime in found) else []


def _join(inner: Element, outer: Element) -> None:
    """Add the outer element's scripts to those of the inner one."""
    held: list[list[Element]] = [[], []]
    for element in (inner, outer):
        for scripts, at in zip(held, SCRIPTS[element.tag], strict=True):
            scripts += [element[at]] if at else []
    below, above = (scripts[0] if len(scripts) == 1 else _in_a_row(*scripts) for scripts in held)
    inner.tag = "msubsup" if all(held) else "msub" if held[0] else "msup"
    inner[1:] = [script for script, there in zip((below, above), held, strict=True) if there]


def _operator(text: str | None, form: str) -> Element:
    operator = Element("mo", {"form": form})
    operator.text = text
    return operator


def _in_a_row(*elements: Element) -> Element:
    row = Element("mrow")
    for element in elements:
        row.extend(element if element.tag == "mrow" and not element.attrib else [element])
    return row


def _put_symbols(row: Element, symbols: list[tuple[str, str]], latex: str) -> None:
    """Each symbol's own elements in place of the character that stands for it."""
    for element in list(row.iter()):
        text = element.text or ""
        if element.tag == "mi" and len(text) == 1 and 0 <= ord(text) - 0xE000 < len(symbols):
            name, written = symbols[ord(text) - 0xE000]
            element.tag, element.text = "mrow", None
            element.attrib = {"class": "symbol", "data-symbol": name}
            element.extend(deepcopy(_symbol(written)))
        elif any(unicodedata.category(character) == "Co" for character in text):
            raise Broken(f'a symbol stands among words in "{latex}"')


@cache
def _symbol(latex: str) -> Element:
    return _converted(latex, latex, display=False)


def _put_flat(element: Element) -> None:
    """A row of one element, which may be a symbol, is that element."""
    for i, row in enumerate(element):
        if row.tag == "mrow" and len(row) == 1 and not ("class" in row.attrib and "class" in row[0].attrib):
            element[i] = row[0]
            row[0].attrib |= row.attrib
