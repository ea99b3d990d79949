"""Cut code as coloured HTML, with its line numbers and with the symbols of the formulas in it.

A symbol stands in code where a token is one of the names that it is called: an identifier, the text of a string
("dW1" in grads["dW1"]), the text of an f-string with its braces ("W{l}" in f"W{l}"), or else a part of it outside the
braces ("W" in f"W{l}"). It does not stand in comments or inside longer words. Where two symbols of a chapter are
called the same, the name belongs to the one that is declared first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]
from pygments.token import Comment, Keyword, Name, Number, Operator, String  # type: ignore[import-untyped]

from parity.study.cut import Cut
from parity.study.registry import Symbol

COLOURS = {Keyword: "k", Operator.Word: "k", String: "s", Number: "n", Comment: "c"}
"""The classes of what is coloured; all else has the colour of text, and needs no element."""

LEXER = PythonLexer(stripnl=False, ensurenl=False)

QUOTES = ('"', "'", '"""', "'''")


class Token(NamedTuple):
    """A token of the code, or the part of it that stands in one line.

    Attributes
    ----------
    kind, text : str
        Its class in `COLOURS`, or ""; what stands there.
    symbol : str
        The symbol that it belongs to, or "".
    """

    kind: str
    text: str
    symbol: str


def highlighted(cuts: Sequence[Cut], symbols: Mapping[str, Symbol]) -> Markup:
    """The lines of the cuts in order, each once; those that do not follow the line above have the class `gap`.

    The text is the code, character by character: the number of a line is an attribute, which nobody copies or hears.
    """
    lines: dict[tuple[str, int], str] = {}
    for cut in cuts:
        tokens = _tokens("\n".join(text for _, text in cut.lines), symbols)
        for (number, _), line in zip(cut.lines, _by_line(tokens), strict=True):
            lines.setdefault((cut.file, number), _marked(line))
    body, above = "", None
    for (file, number), code in lines.items():
        kind = "line" if above in (None, (file, number - 1)) else "line gap"
        body += f'<span class="{kind}" data-line="{number}">{code}\n</span>'
        above = (file, number)
    return Markup(f'<pre class="code"><code>{body}</code></pre>')


def caption(cut: Cut) -> str:
    """Where the lines stand: "torch_impl/shallow_network.py, quantities, line 191"."""
    ranges: list[list[int]] = []
    for number, _ in cut.lines:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    written = ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges)
    return f"{cut.file}, {cut.function}, line{'s' * (len(cut.lines) > 1)} {written}"


def _tokens(text: str, symbols: Mapping[str, Symbol]) -> list[Token]:
    """The code in tokens, each with the symbol that it is."""
    called = {name: symbol.name for symbol in reversed(list(symbols.values())) for name in symbol.code}
    found = _lexed(text)
    owners = [called.get(word, "") if kind in Name or kind in String else "" for kind, word in found]
    for first, end in _strings(found):
        whole = "".join(word for _, word in found[first:end])
        if whole in called:
            owners[first:end] = [called[whole]] * (end - first)
    return [Token(_colour(kind), word, owner) for (kind, word), owner in zip(found, owners, strict=True)]


@cache
def _lexed(text: str) -> list[tuple[Any, str]]:
    """The tokens; the same lines stand in several blocks."""
    return list(LEXER.get_tokens(text))


@cache
def _colour(kind: Any) -> str:
    return next((colour for of, colour in COLOURS.items() if kind in of), "")


def _strings(found: list[tuple[Any, str]]) -> Iterator[tuple[int, int]]:
    """Where the text of each string begins and ends, between its quotes."""
    opened = None
    for i, (kind, word) in enumerate(found):
        if kind not in String or word not in QUOTES:
            continue
        if opened is None:
            opened = i
        elif word == found[opened][1]:
            yield opened + 1, i
            opened = None


def _by_line(tokens: list[Token]) -> Iterator[list[Token]]:
    line: list[Token] = []
    for token in tokens:
        first, *others = token.text.split("\n")
        line.append(token._replace(text=first))
        for text in others:
            yield line
            line = [token._replace(text=text)]
    yield line


def _marked(line: list[Token]) -> str:
    """A line in HTML: an element around words of one colour, and one around each symbol."""
    marked = ""
    for symbol, tokens in groupby((token for token in line if token.text), key=lambda token: token.symbol):
        words = "".join(_coloured(kind, of) for kind, of in groupby(tokens, key=lambda token: token.kind))
        marked += f'<span class="symbol" data-symbol="{escape(symbol)}">{words}</span>' if symbol else words
    return marked


def _coloured(kind: str, tokens: Iterator[Token]) -> str:
    words = escape("".join(token.text for token in tokens), quote=False)
    return f'<span class="{kind}">{words}</span>' if kind else words
