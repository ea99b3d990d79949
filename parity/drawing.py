"""What all pictures share (matplotlib): the sheet, the colours, the lines, and how a picture is saved as SVG and PNG.

The same numbers give the same bytes: no date, and identifiers in the SVG from a fixed salt. Text stays text there.
Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from parity import files
from parity.errors import BadInput
from parity.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, GREY = COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7f7f7f",
)  # fmt: skip

STYLE: dict[str, Any] = {
    "svg.hashsalt": "parity",
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.constrained_layout.use": True,
}

WIDTH = 8.0
"""Inches: 800 pixels at 100 to the inch, and twice as many in the PNG."""

CHARACTERS = 130
"""On a line of a caption."""

POINTS = 500
"""Of a curve with more than twice as many steps, so many stretches are drawn by their extremes."""

STRIPE = 2.5
"""The length of a dash, in widths of its line."""

Line = tuple[np.ndarray, np.ndarray]


def writable_folder(path: str) -> Path:
    """The folder, made where there is none, once it is sure that pictures can be drawn and kept there.

    Raises
    ------
    BadInput
        matplotlib is not installed, or it is no folder that can be made and written to.
    """
    if find_spec("matplotlib") is None:
        raise BadInput("pictures need matplotlib, which is not installed: pip install 'gradient-parity[plots]'")
    return files.folder(path)


@contextmanager
def own_style() -> Iterator[None]:
    """matplotlib's own defaults and `STYLE`, whatever the user's settings are; those are back afterwards."""
    import matplotlib.style

    with matplotlib.style.context(["default", STYLE]):
        yield


def sheet(title: str, caption: str, height: float) -> Figure:
    """An empty figure with a title above and a caption below, which are also its title and description in the files."""
    from matplotlib.figure import Figure

    figure = Figure((WIDTH, height))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, parse_math=False)  # a user's file may have a $ in its name
    lines = wrapped(caption.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"))
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=8, color="#333333", parse_math=False)
    return figure


def wrapped(text: str) -> list[str]:
    """In as few lines as it takes, narrower where less than a sixth of the last would be filled: no word is alone."""
    lines = narrower = textwrap.wrap(text, CHARACTERS)
    for width in range(CHARACTERS - 1, 0, -1):
        if 6 * len(lines[-1]) > CHARACTERS or len(narrower) > len(lines):
            break
        lines, narrower = narrower, textwrap.wrap(text, width)
    return lines


def save(figure: Figure, path: Path) -> list[Path]:
    """`path` with .svg and .png, for screen readers too.

    Raises
    ------
    BadInput
        A file could not be written.
    """
    svg, png = path.with_suffix(".svg"), path.with_suffix(".png")
    write_whole(svg, as_svg(figure))
    write_whole(png, as_png(figure))
    return [svg, png]


def as_svg(figure: Figure) -> str:
    """The figure as a document of SVG, with its title and its description."""
    title, caption = _said(figure)
    svg = _saved(figure, format="svg", metadata={"Title": title, "Description": caption, "Date": None}).decode()
    svg = svg.replace("<svg ", '<svg role="img" ', 1)
    return svg.replace("</title>", f"</title>\n <desc>{escape(caption)}</desc>", 1)


def as_png(figure: Figure) -> bytes:
    """The figure as a PNG of twice as many pixels as it has on the screen."""
    title, caption = _said(figure)
    return _saved(figure, format="png", dpi=200, metadata={"Title": title, "Description": caption})


def _said(figure: Figure) -> tuple[str, str]:
    """The title and the caption, each in one line."""
    return figure.get_suptitle(), " ".join(figure.get_supxlabel().split())


def _saved(figure: Figure, **options: Any) -> bytes:
    file = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # or letters that matplotlib's font has not: they are drawn as boxes
        figure.savefig(file, **options)
    return file.getvalue()


def legend(ax: Axes) -> None:
    """Beside the axes, where it covers nothing."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, handlelength=2.6)


def instead(ax: Axes, reason: str) -> None:
    """Say why there is nothing to see."""
    ax.text(0.5, 0.5, reason, transform=ax.transAxes, ha="center", va="center", color=GREY)
    ax.set(yticks=[])
    ax.tick_params(bottom=False, labelbottom=False)


def curve(ax: Axes, line: Line, **style: Any) -> None:
    """A line, or the dot that one step makes."""
    ax.plot(*line, marker="o" if line[0].size == 1 else "", **style)


def over_iterations(ax: Axes) -> None:
    """A horizontal axis with whole numbers."""
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("iteration")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def colours(n: int) -> list[str]:
    """One each, again from the first where there are more."""
    return list(islice(cycle(COLOURS), n))


def striped(n: int) -> list[Any]:
    """Styles of lines that lie on each other: each shows in the gaps of the others."""
    return [(STRIPE * i, (STRIPE, STRIPE * (n - 1))) if n > 1 else "solid" for i in range(n)]


def largest(y: np.ndarray, first: int = 0) -> Line:
    """A curve over the steps from `first` on; of one with very many, the largest of every stretch."""
    return _thinned(y, first, (np.argmax,))


def extremes(y: np.ndarray, first: int = 0) -> Line:
    """The same with the least and the largest."""
    return _thinned(y, first, (np.argmin, np.argmax))


def _thinned(y: np.ndarray, first: int, choices: tuple[Callable[[np.ndarray], Any], ...]) -> Line:
    y = np.asarray(y, np.float64)
    y = np.where(np.isfinite(y), y, np.nan)  # the first nan of a stretch is its least and its largest
    if y.size <= 2 * POINTS:
        return first + np.arange(y.size), y
    cuts = np.linspace(0, y.size, POINTS + 1).astype(int)
    at = np.unique([0, y.size - 1, *(a + int(choice(y[a:b])) for a, b in pairwise(cuts) for choice in choices)])
    return first + at, y[at]
