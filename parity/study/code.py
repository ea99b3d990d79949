"""Cut code as coloured HTML, with its line numbers and with the symbols of the formulas in it.

A symbol stands in code where a token is one of the names that it is called: an identifier, the text of a string
("dW1" in grads["dW1"]), the text of an f-string with its braces ("W{l}" in f"W{l}"), or else a part of it outside the
braces ("W" in f"W{l}"). It does not stand in comments or inside longer words. Where two symbols of a chapter are
called the same, the name belongs to the one that is declared first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]
from pygments.token import STANDARD_TYPES, Name, Punctuation, String, Text  # type: ignore[import-untyped]

from parity.study.cut import Cut
from parity.study.registry import Symbol

PLAIN = {"", *(STANDARD_TYPES[kind] for kind in (Text, Text.Whitespace, Name, Punctuation))}
"""Classes of tokens that have the colour of text, and need no element each."""

QUOTES = ('"', "'", '"""', "'''")


class Token(NamedTuple):
    """A token of the code, or the part of it that stands in one line.

    Attributes
    ----------
    kind, text : str
        Pygments' short class; what stands there.
    symbol : str
        The symbol that it belongs to, or "".
    """

    kind: str
    text: str
    symbol: str


def highlighted(cuts: Sequence[Cut], symbols: Mapping[str, Symbol]) -> Markup:
    """The lines of the cuts in order, each once; those that do not follow the line above have the class `gap`.

    The text without the numbers is the code, character by character.
    """
    lines: dict[tuple[str, int], Markup] = {}
    for cut in cuts:
        tokens = _tokens("\n".join(text for _, text in cut.lines), symbols)
        for (number, _), line in zip(cut.lines, _by_line(tokens), strict=True):
            lines.setdefault((cut.file, number), _marked(line))
    body, above = Markup(), None
    for (file, number), code in lines.items():
        kind = "line" if above in (None, (file, number - 1)) else "line gap"
        head = Markup('<span class="{}"><span class="number" aria-hidden="true">{}</span>').format(kind, number)
        body += head + code + Markup("\n</span>")
        above = (file, number)
    return Markup('<pre class="code" tabindex="0"><code>{}</code></pre>').format(body)


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
    found = list(PythonLexer(stripnl=False, ensurenl=False).get_tokens(text))
    owners = [called.get(word, "") if kind in Name or kind in String else "" for kind, word in found]
    for first, end in _strings(found):
        whole = "".join(word for _, word in found[first:end])
        if whole in called:
            owners[first:end] = [called[whole]] * (end - first)
    return [Token(STANDARD_TYPES[kind], word, owner) for (kind, word), owner in zip(found, owners, strict=True)]


def _strings(found: list[tuple[object, str]]) -> Iterator[tuple[int, int]]:
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


def _marked(line: list[Token]) -> Markup:
    """A line in HTML: an element around each token that has a colour, and one around each symbol."""
    marked = Markup()
    for symbol, tokens in groupby(line, key=lambda token: token.symbol):
        words = Markup().join(_coloured(token) for token in tokens if token.text)
        shell = Markup('<span class="symbol" data-symbol="{}">{}</span>') if symbol and words else Markup("{1}")
        marked += shell.format(symbol, words)
    return marked


def _coloured(token: Token) -> Markup:
    if token.kind in PLAIN:
        return Markup.escape(token.text)
    return Markup('<span class="{}">{}</span>').format(token.kind, token.text)
