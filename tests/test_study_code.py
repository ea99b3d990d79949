"""Coloured code says what the file says, and each symbol is marked where it stands and nowhere else."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from markupsafe import Markup

from parity.study.code import caption, highlighted
from parity.study.cut import Cut, cut
from parity.study.registry import Symbol

PACKAGES = ("reference", "torch_impl", "jax_impl", "sklearn_baseline")


def symbols(**code: tuple[str, ...]) -> dict[str, Symbol]:
    return {name: Symbol(name, name, "", "", called) for name, called in code.items()}


def of(*lines: str, first: int = 1) -> Cut:
    return Cut("package/module.py", "function", tuple(enumerate(lines, start=first)))


def text(html: Markup) -> str:
    """What is read."""
    return unescape(re.sub(r"<[^>]*>", "", html))


def marked(html: Markup) -> list[tuple[str, str]]:
    """The symbols in order, each with the text that is marked."""
    found = re.findall(r'<span class="symbol" data-symbol="([^"]*)">((?:<span[^>]*>[^<]*</span>|[^<])*)</span>', html)
    return [(name, text(Markup(inner))) for name, inner in found]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_text_is_the_code_of_every_file(package: str) -> None:
    everything = symbols(W1=("W1", "W{l}"), dZ1=("dZ", "dZ1", "dZ{l}"), m=("m",))
    for path in sorted(Path(package).glob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        html = highlighted([Cut(str(path), "", tuple(enumerate(lines, start=1)))], everything)
        assert text(html) == "".join(line + "\n" for line in lines)
        assert re.findall(r'data-line="(\d+)"', html) == [str(i + 1) for i in range(len(lines))]
        assert html.count("<span") == html.count("</span>")


def test_numbers_are_kept_out_of_what_is_read_aloud_and_copied() -> None:
    html = highlighted([of("x = y", first=107)], {})
    assert html == '<pre class="code"><code><span class="line" data-line="107">x = y\n</span></code></pre>'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('dW1 = np.dot(dZ1, X.T) / m  # dW1 "dW1"', [("dW1", "dW1"), ("m", "m")]),
        ('grads["dW1"], params["W1"]', [("dW1", "dW1"), ("W", "W1")]),
        ('f"W{l}", f"b{l}", f"{m}"', [("W", "W{l}"), ("b", "b"), ("m", "m")]),
        ('f"A{l - 1}" + f"A{l-1}"', [("A", "A{l - 1}")]),
        ('W10, dW, mm, am, m_1, \'m of them\', """m"""', [("m", "m")]),
        ('raise ValueError(f"W1 has shape {W1}")', [("W", "W1")]),
        ("'' + \"\" + W1", [("W", "W1")]),
    ],
)
def test_symbols_are_whole_tokens(line: str, expected: list[tuple[str, str]]) -> None:
    known = symbols(dW1=("dW1",), W=("W1", "W{l}"), m=("m",), b=("b",), A=("A{l - 1}",))
    html = highlighted([of(line)], known)
    assert marked(html) == expected
    assert text(html) == line + "\n"


def test_a_string_over_several_lines() -> None:
    lines = ('x = """', "m", 'W1"""', "y = m")
    html = highlighted([of(*lines)], symbols(all=("\nm\nW1",), m=("m",)))
    assert marked(html) == [("all", "m"), ("all", "W1"), ("m", "m")]
    assert text(html) == "".join(line + "\n" for line in lines)


def test_a_name_that_two_symbols_have_belongs_to_the_first() -> None:
    assert marked(highlighted([of("dZ")], symbols(dZ2=("dZ",), dZ1=("dZ",)))) == [("dZ2", "dZ")]


def test_words_are_coloured_and_escaped() -> None:
    html = highlighted([of('return a < b & c, "<b>"')], {})
    assert '<span class="k">return</span> a &lt; b &amp; c, <span class="s">"&lt;b&gt;"</span>\n' in html
    coloured = re.findall(r'<span class="(\w)">([^<]*)<', highlighted([of('not 1.5, None  # "x"')], {}))
    assert coloured == [("k", "not"), ("n", "1.5"), ("k", "None"), ("c", '# "x"')]


def test_lines_that_do_not_follow_each_other_are_apart_and_none_stands_twice() -> None:
    html = highlighted([of("a", "b", first=3), of("b", "c", first=4), of("d", first=9)], {})
    assert re.findall(r'<span class="(line[^"]*)" data-line="(\d)', html) == [
        ("line", "3"),
        ("line", "4"),
        ("line", "5"),
        ("line gap", "9"),
    ]
    other = Cut("package/other.py", "function", ((4, "x"),))
    assert 'line gap" data-line="4">' in highlighted([of("a", first=3), other], {})


def test_the_caption_names_file_function_and_lines() -> None:
    assert caption(of("a", first=191)) == "package/module.py, function, line 191"
    assert caption(of("a", "b", first=3)) == "package/module.py, function, lines 3–4"
    lines = ((3, "a"), (7, "b"), (8, "c"))
    assert caption(Cut("package/module.py", "function", lines)) == "package/module.py, function, lines 3, 7–8"


def test_real_code() -> None:
    found = cut("reference", "shallow_network.backward: dZ1")
    html = highlighted([found], symbols(dZ1=("dZ1",), W2=("W2",), g1=("g1_prime",), dZ2=("dZ2",)))
    assert marked(html) == [("dZ1", "dZ1"), ("W2", "W2"), ("dZ2", "dZ2"), ("g1", "g1_prime")]
