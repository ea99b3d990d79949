"""Every drawing of the site: well-formed, said in words, in the page's colours, the same bytes twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from parity.study import plots
from parity.study.figures import _PLOTTED, FIGURES
from parity.study.svg import lean, spans
from parity.training import figures

pytest.importorskip("matplotlib")

SVG = "{http://www.w3.org/2000/svg}"

LARGEST, LEAST = 60_000, 11
"""Bytes; and the height of text, in pixels."""

NAMES = (
    "computation_graph", "one_example", "loss", "convex", "shallow_units", "shallow_graph", "sigmoid", "tanh", "relu",
    "leaky_relu", "collapse", "deep_units", "deep_blocks", "learning_rates", "initialisation", "scale", "xor_deep",
    "xor_shallow", "nudge",
)  # fmt: skip
"""What the chapters name."""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few steps that every figure is there at once."""
    monkeypatch.setattr(figures, "RATED_ITERATIONS", 3)
    monkeypatch.setattr(figures, "START_ITERATIONS", 3)
    monkeypatch.setattr(figures, "SIZES", (20, 40))
    monkeypatch.setattr(plots, "ITERATIONS", 2)


def made(name: str) -> Markup:
    """Drawn anew: what is remembered is that of a real run."""
    draw: Callable[[], Markup] = getattr(FIGURES[name], "__wrapped__")  # noqa: B009
    return draw()


def faults(svg: str) -> list[str]:
    """What is wrong with a drawing that is to stand in a page."""
    root = ElementTree.fromstring(svg)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    held = {name for name in re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg) for name in name if name}
    fixed = re.sub(r"var\(--[\w-]+, #[0-9a-fA-F]{6}\)", "", svg)
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
    return [
        fault
        for fault, found in {
            "no role": root.attrib.get("role") != "img",
            "no viewBox": "viewBox" not in root.attrib,
            "no title": not root.findtext(f"{SVG}title"),
            "no description": not re.search(r"\d", root.findtext(f"{SVG}desc") or ""),
            "an identifier twice": len(ids) != len(set(ids)),
            "an identifier that is not there": not held <= set(ids),
            "a fixed colour": re.search(
                r"(?<!&)#[0-9a-fA-F]{3,8}\b", re.sub(r'(id|href)="[^"]*"|url\([^)]*\)', "", fixed)
            ),
            "a style for the page": "<style" in svg,
            "an address": re.search(r'(href|src)="(?!#)', svg),
            "small text": any(size < LEAST for size in sizes),
        }.items()
        if found
    ]


def test_there_is_every_drawing_that_the_chapters_name() -> None:
    assert set(NAMES) == set(FIGURES)


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_may_stand_in_a_page(name: str) -> None:
    svg = made(name)
    assert isinstance(svg, Markup)
    assert faults(svg) == []
    assert len(svg.encode()) < LARGEST


@pytest.mark.parametrize("name", ["computation_graph", "shallow_units", "deep_blocks", "xor_deep", "relu", "loss"])
def test_a_drawing_has_the_same_bytes_twice(name: str) -> None:
    assert made(name) == made(name)


@pytest.mark.parametrize("name", ["loss", "relu", "learning_rates"])
def test_a_lean_drawing_has_the_same_shapes_and_words_in_fewer_bytes(name: str) -> None:
    whole = plots.drawn(name, _PLOTTED[name])
    slim = lean(whole)
    assert faults(slim) == []
    assert len(slim) < len(whole)
    before, after = (ElementTree.fromstring(svg) for svg in (whole, slim))
    for tag in ("path", "use", "text", "tspan", "clipPath"):
        assert len(list(before.iter(SVG + tag))) == len(list(after.iter(SVG + tag)))
    assert [text.strip() for text in before.itertext() if text.strip()] == [
        text.strip() for text in after.itertext() if text.strip()
    ]
    assert [numbers(path) for path in before.iter(f"{SVG}path")] == [numbers(path) for path in after.iter(f"{SVG}path")]


def numbers(path: ElementTree.Element) -> list[str]:
    return re.findall(r"-?[\d.]+|[A-Za-z]", path.attrib["d"])


def test_a_lean_drawing_keeps_what_is_referred_to() -> None:
    svg = """<svg aria-labelledby="t d"><title id="t">a</title><g id="g"><g id="h"/><g id="i">
      <path id="p" d="M 0.04 -1.26
L 2 3
" style="font-family: 'A', serif; fill: none"/>
     </g><use href="#p" clip-path="url(#c)"/><clipPath id="c"/><text style="font-size: 9px; font-family: B">x</text>
    </g></svg>"""
    assert lean(svg) == (
        """<svg aria-labelledby="t d"><title id="t">a</title>\n<path id="p" d="M0 -1.3L2 3" style="fill: none"/>\n"""
        """<use href="#p" clip-path="url(#c)"/><clipPath id="c"/><text style="font-size: 9px">x</text>\n</svg>"""
    )


def test_the_scripts_of_a_name_stand_below_one_another() -> None:
    raised, end, lowered, _ = ElementTree.fromstring(f"<text>{spans('a^[1]_2', 10)}</text>")
    assert (raised.text, end.text, lowered.text) == ("[1]", "\N{ZERO WIDTH SPACE}", "2")
    assert float(lowered.attrib["dx"]) < 0
    assert "dx" not in spans("a^[1] b_2", 10)
    assert "dx" not in spans("W^[2]^T", 10)


def test_a_drawing_is_made_once() -> None:
    assert FIGURES["computation_graph"]() is FIGURES["computation_graph"]()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('role="img"', "", "no role"),
        ("viewBox=", "data-box=", "no viewBox"),
        ("<title>The", "<title/><title>The", "no title"),
        ("<desc>", "<desc/><desc>", "no description"),
        ("</svg>", '<g id="a"/><g id="a"/></svg>', "an identifier twice"),
        ("</svg>", '<g fill="url(#b)"/></svg>', "an identifier that is not there"),
        ("var(--forward)", "#0072B2", "a fixed colour"),
        ("</svg>", "<style>* {}</style></svg>", "a style for the page"),
        ("</svg>", '<image href="https://example.org/"/></svg>', "an address"),
        ('font-size="12"', 'font-size="10"', "small text"),
    ],
)
def test_each_fault_is_found(old: str, new: str, fault: str) -> None:
    assert fault in faults(str(made("computation_graph")).replace(old, new))
