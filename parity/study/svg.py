"""The sheet that graphs and networks are drawn on: inline SVG in the page's colours, with its numbers in words.

There are no identifiers, so that a drawing may stand twice on a page, and no fixed colours. What belongs to a symbol is
a group, with a rectangle behind it that the page's style fills where the symbol is lit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import hypot
from typing import SupportsFloat

from markupsafe import Markup, escape

INK, DIM, RULE, BACK, RAISED = "var(--text)", "var(--dim)", "var(--rule)", "var(--back)", "var(--raised)"
FORWARD, BACKWARD = "var(--forward)", "var(--backward)"

SIZE, SMALL = 15.0, 12.0
"""Pixels: of a name or a number, and of a remark."""

RAISED_BY, SCRIPT = 0.36, 11.5
"""How far an index is moved, in heights of its text; and its own height."""

CHARACTER = 0.56
"""The mean width of a character, in heights: text is given as much room."""

BRACKETED = 0.45
"""The same of "[1]": brackets are narrow."""

HEAD = 7.0
"""The length of an arrow's head."""

SCRIPTS = re.compile(r"([\^_])(\[[^\]]*\]|.)")

Point = tuple[float, float]

COORDINATES = re.compile(r'( (?:d|x|y|points|transform)=")([^"]*)"')

FONT = re.compile(r"""(; )?font-family: [^;"]*(?(1)|(?:; )?)""")
"""Of matplotlib's, with what parts it from another declaration: a page has a font."""

WITHOUT = re.compile(r' transform="rotate\(-?0 [^"]*"|<defs>\s*</defs>|<g[^>]*/>|<!--.*?-->')
"""What matplotlib writes and nobody sees."""

PLAIN_GROUP = re.compile(r"<g>((?:(?!</?g\b).)*)</g>", re.DOTALL)
"""A group that says nothing, with no group in it."""


def lean(svg: str) -> Markup:
    """A drawing of matplotlib's with the same look in fewer bytes, and with the page's font."""
    found = COORDINATES.sub(lambda held: f'{held[1]}{_near(held[2])}"', WITHOUT.sub("", FONT.sub("", svg)))
    held = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', found))
    held.update(word for names in re.findall(r'aria-labelledby="([^"]*)"', found) for word in names.split())
    found = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in held else "", found)
    while (plain := PLAIN_GROUP.sub(r"\1", found)) != found:
        found = plain
    return Markup(re.sub(r"\s*\n\s*", "\n", found))


def _near(path: str) -> str:
    """Coordinates in tenths, and no more between them than a path needs."""
    tenths = re.sub(r"-?\d+\.\d+", lambda number: _short(float(number[0])), path)
    return re.sub(r"\s*([A-Za-z]|$)\s*", r"\1", tenths)


def number(value: SupportsFloat, digits: int = 4) -> str:
    """In so many digits, with a minus that is as wide as a plus, and without a minus at zero.

    >>> number(-0.0123456), number(33.0), number(1e-9)
    ('−0.01235', '33', '1e−09')
    """
    return f"{float(value) + 0.0:.{digits}g}".replace("-", "−")  # −0 + 0 is 0


def width_of(text: str, size: float = SIZE) -> float:
    """About how wide a text is."""
    marks = SCRIPTS.findall(text)
    scripts = sum(len(script) for _, script in marks)
    return CHARACTER * (size * (len(text) - scripts - len(marks)) + SCRIPT * scripts)


def spans(text: str, size: float) -> str:
    """A text for SVG, in which "dZ^[1]" and "w_1" have their indices above and below the line, both in one place."""
    parts = SCRIPTS.split(text)
    found, above, back = [str(escape(parts[0]))], "", 0.0
    for mark, script, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        by = size * RAISED_BY * (-1 if mark == "^" else 0.7)
        beside = f' dx="{_short(-back)}"' if back and mark != above else ""
        found.append(f'<tspan{beside} dy="{_short(by)}" font-size="{_short(SCRIPT)}">{escape(script)}</tspan>')
        found.append(f'<tspan dy="{_short(-by)}">{escape(rest) or "&#8203;"}</tspan>')
        above, back = mark, 0.0 if rest else BRACKETED * SCRIPT * len(script)
    return "".join(found)


def _short(x: float) -> str:
    """A coordinate in tenths of a pixel."""
    return f"{x:.1f}".removesuffix(".0") if round(x, 1) else "0"


class Drawing:
    """A drawing as it grows, of so many pixels.

    Parameters
    ----------
    title, says : str
        What it is; and, in a sentence or two with its numbers, what is on it.
    """

    def __init__(self, width: float, height: float, title: str, says: str) -> None:
        self.size, self.title, self.says = (width, height), title, says
        self.parts: list[str] = []

    def svg(self) -> Markup:
        """The element."""
        width, height = map(_short, self.size)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="drawing" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="inherit" font-size="{_short(SIZE)}">'
        )
        said = f"<title>{escape(self.title)}</title><desc>{escape(self.says)}</desc>"
        return Markup("\n".join([head, said, *self.parts, "</svg>"]))

    # ---- shapes

    def line(self, points: Iterable[Point], colour: str = DIM, width: float = 1.2, dashes: str = "") -> None:
        """A line through the points."""
        path = " ".join(f"{_short(x)},{_short(y)}" for x, y in points)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{_short(width)}"{dashed}/>'
        )

    def arrow(self, points: Iterable[Point], colour: str = DIM, width: float = 1.4, dashes: str = "") -> None:
        """A line through the points with a head at its end."""
        *before, (x0, y0), (x, y) = points
        length = hypot(x - x0, y - y0)
        u, v = HEAD * (x - x0) / length, HEAD * (y - y0) / length
        self.line([*before, (x0, y0), (x - u, y - v)], colour, width, dashes)
        corners = [(x, y), (x - u - v / 2, y - v + u / 2), (x - u + v / 2, y - v - u / 2)]
        path = " ".join(f"{_short(a)},{_short(b)}" for a, b in corners)
        self.parts.append(f'<polygon points="{path}" fill="{colour}"/>')

    def box(self, centre: Point, width: float, height: float, fill: str = RAISED, edge: str = RULE) -> None:
        """A rectangle with round corners."""
        x, y = centre[0] - width / 2, centre[1] - height / 2
        self.parts.append(
            f'<rect x="{_short(x)}" y="{_short(y)}" width="{_short(width)}" height="{_short(height)}" rx="6" '
            f'fill="{fill}" stroke="{edge}"/>'
        )

    def circle(self, centre: Point, radius: float, fill: str = RAISED, edge: str = DIM) -> None:
        """A unit."""
        x, y = map(_short, centre)
        self.parts.append(
            f'<circle cx="{x}" cy="{y}" r="{_short(radius)}" fill="{fill}" stroke="{edge}" stroke-width="1.2"/>'
        )

    # ---- words

    def text(
        self, at: Point, text: str, colour: str = INK, size: float = SIZE, anchor: str = "middle", symbol: str = ""
    ) -> None:
        """Words or a number on a base line; of a symbol, they are its group."""
        x, y = at
        where = f'x="{_short(x)}" y="{_short(y)}" text-anchor="{anchor}"'
        sized = "" if size == SIZE else f' font-size="{_short(size)}"'
        words = f'<text {where} fill="{colour}"{sized}>{spans(text, size)}</text>'
        self.parts.append(self._lit(at, text, size, anchor, symbol, words) if symbol else words)

    def _lit(self, at: Point, text: str, size: float, anchor: str, symbol: str, words: str) -> str:
        width = width_of(text, size) + 8
        left = at[0] - {"start": 4.0, "middle": width / 2, "end": width - 4}[anchor]
        halo = (
            f'<rect class="halo" x="{_short(left)}" y="{_short(at[1] - size)}" width="{_short(width)}" '
            f'height="{_short(1.25 * size)}" rx="3" fill="transparent"/>'
        )
        return f'<g class="symbol" data-symbol="{escape(symbol)}">{halo}{words}</g>'

    def chip(self, at: Point, forward: tuple[str, str], backward: tuple[str, str], size: float = SMALL) -> None:
        """A weight's two numbers on its edge: (number, symbol) above, and what came back below."""
        x, y = at
        width = max(width_of(forward[0], size), width_of(backward[0], size)) + 6
        self.box(at, width, 2 * size + 6, BACK, "none")
        self.text((x, y - 2), forward[0], FORWARD, size, symbol=forward[1])
        self.text((x, y + size), backward[0], BACKWARD, size, symbol=backward[1])

    def chip_of(self, at: Point, text: str, symbol: str, size: float = SMALL) -> None:
        """One number on an edge."""
        self.box(at, width_of(text, size) + 6, size + 6, BACK, "none")
        self.text((at[0], at[1] + 0.36 * size), text, FORWARD, size, symbol=symbol)

    def legend(self, at: Point) -> None:
        """Which colour is which way."""
        x, y = at
        self.arrow([(x, y - 4), (x + 26, y - 4)], FORWARD)
        self.text((x + 32, y), "forward", FORWARD, SMALL, "start")
        self.arrow([(x + 126, y - 4), (x + 100, y - 4)], BACKWARD)
        self.text((x + 132, y), "backward", BACKWARD, SMALL, "start")
