"""Formulas become well-formed MathML with their symbols marked, and what is not understood ends the build."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring

import pytest
from markupsafe import Markup

from parity.study.mathml import formula, line, plain, prose
from parity.study.registry import Broken, Symbol

SYMBOLS = {
    name: Symbol(name, latex, "", "", ())
    for name, latex in {
        "W2": "W^{[2]}",
        "Z1": "Z^{[1]}",
        "dZ1": "dZ^{[1]}",
        "dZ2": "dZ^{[2]}",
        "g1": "g^{[1]}",
        "m": "m",
        "wj": "w_j",
        "aj": "a^{[1]}_j",
        "yhat": r"\hat{y}",
    }.items()
}
DZ1 = r"«dZ1» = «W2»^T «dZ2» \ast «g1»^{\prime}(«Z1»)"


def tree(latex: str, display: bool = True) -> Element:
    return fromstring(formula(latex, SYMBOLS, display))


def leaves(element: Element) -> list[tuple[str, str]]:
    return [(each.tag, each.text or "") for each in element.iter() if not len(each)]


def symbols(element: Element) -> list[str]:
    return [each.get("data-symbol", "") for each in element.iter() if each.get("class") == "symbol"]


def test_each_symbol_is_an_element_that_scripts_attach_to() -> None:
    found = tree(DZ1)
    assert symbols(found) == ["dZ1", "W2", "dZ2", "g1", "Z1"]
    assert ["".join(each.itertext()) for each in found.iter() if each.get("class")] == [
        "dZ[1]", "W[2]T", "dZ[2]", "g[1]′", "Z[1]",
    ]  # fmt: skip
    assert not re.search("[\ue000-\uf8ff]", formula(DZ1, SYMBOLS))


def test_a_raised_sign_stands_beside_the_number_of_the_layer_and_a_prime_beside_the_letter() -> None:
    assert [each.tag for each in tree("«W2»^T")] == ["msup"]
    assert [each.text for each in tree("«W2»^T")[0][1]] == ["[", "2", "]", "T"]
    assert [each.tag for each in tree("«m»^T")[0]] == ["mi", "mi"]
    for latex in ("g'(z)", r"g^{\prime}(z)"):
        assert [(each.tag, each.text) for each in tree(latex)[0]] == [("mi", "g"), ("mo", "′")]
    assert "".join(tree("«g1»''")[0][1].itertext()) == "[1]″"
    for latex in ("«m»'", "«wj»'"):
        assert [each.get("form") for each in tree(latex)[0]] == [None, "postfix"]


@pytest.mark.parametrize(
    ("latex", "scripts"),
    [
        ("«Z1»_{ki}", ["ki", "[1]"]),
        ("«Z1»^T_{ki}", ["ki", "[1]T"]),
        ("«Z1»^{(i)}_k", ["k", "[1](i)"]),
        ("«wj»^T", ["j", "T"]),
        ("«wj»_i", ["ji"]),
        ("«aj»^{(i)}", ["j", "[1](i)"]),
        ("W^{[2]}_{kj}", ["kj", "[2]"]),
    ],
)
def test_the_scripts_of_a_symbol_and_those_behind_it_stand_below_one_another(latex: str, scripts: list[str]) -> None:
    (only,) = tree(latex)
    assert only.tag == ("msubsup" if len(scripts) == 2 else "msub")
    assert ["".join(script.itertext()) for script in only[1:]] == scripts


def test_the_scripts_of_a_symbol_of_two_letters_are_those_of_the_second() -> None:
    (symbol,) = tree("«dZ1»_{ki}")
    assert [each.tag for each in symbol] == ["mi", "msubsup"]
    assert symbols(tree("«dZ1»_{ki} «Z1»_j")) == ["dZ1", "Z1"]


def test_a_sign_stands_close_to_what_it_belongs_to() -> None:
    forms = [each.get("form") for each in tree("a = -(b - c) - d'-e").iter("mo") if each.text == "−"]
    assert forms == ["prefix", None, None, None]


def test_a_symbol_in_a_fraction_a_table_and_twice() -> None:
    latex = r"\frac{«dZ1»}{«m»} = \begin{cases} «dZ1» & «m» > 1 \\ 0 & \text{else} \end{cases}"
    assert symbols(tree(latex)) == ["dZ1", "m", "dZ1", "m"]


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        (DZ1, "dZ[1] = W[2] transposed dZ[2] times g[1]'(Z[1])"),
        (r"\frac{1}{«m»} \sum_{i=1}^{m} L(a^{(i)}, y^{(i)})", "1/m the sum over i = 1 to m of L(a(i), y(i))"),
        (r"∂J/∂«Z1»", "∂J/∂Z[1]"),
        (r"\frac{∂J}{∂Z^{[1]}}", "∂J/∂Z[1]"),
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"z_k = \sum_j w_{kj} a_j", "z_k = the sum over j of w_kj a_j"),
        (r"w := w - \alpha\, dw", "w becomes w minus α dw"),
        (r"\sigma(z) = \frac{1}{1 + e^{-z}}", "σ(z) = 1/(1 + e^(minus z))"),
        (r"-(y \log \hat{y} + (1-y) \log(1-«yhat»))", "minus (y log y hat + (1 minus y) log(1 minus y hat))"),
        (r"W^{[2]T} X^\top", "W[2] transposed X transposed"),
        (r"g'(z) = \begin{cases} 0 & \text{if } z < 0 \\ 1 & z > 0\end{cases}", "g'(z) = 0, if z < 0; 1, z > 0"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "(1, 2; 3, 4)"),
        (r"\operatorname{diag}(a)^2 \sqrt{n}", "diag(a)^2 the square root of n"),
        (r"\log_2 n \cdot \max(0, z)", "log_2 n times max(0, z)"),
        (r"p(y \mid x)", "p(y given x)"),
        (r"f(a) = 3a, \quad b = \qquad c \, d", "f(a) = 3 a, b =; c d"),
        (r"g \in \{\sigma, \tanh\}", "g ∈ {σ, tanh}"),
        (
            r"a^{[l](i)T} = e^{-|z|} + \|w\|^2 - \left|a\right| \le |b|",
            "a[l](i) transposed = e^(minus |z|) + ‖w‖^2 minus |a| ≤ |b|",
        ),
        (r"⌈\log_2 n⌉ ∇ J \binom{n}{k + 1}", "⌈log_2 n⌉ ∇J(n choose (k + 1))"),
        (r"\lim_{z \to -\infty} w_{kj}", "lim_(z → minus ∞) w_kj"),
        (r"\text{if } (a) \text{ and } b", "if (a) and b"),
        (r"«Z1»^T_{ki} = W^{[2]}_{kj} - «Z1»^{\prime}_k", "Z[1]_ki transposed = W[2]_kj minus Z[1]'_k"),
        (r"w_j^2 - «wj»^T", "w_j^2 minus w_j transposed"),
    ],
)
def test_the_label_says_the_formula(latex: str, words: str) -> None:
    math = tree(latex)
    assert math.get("aria-label") == words


def test_display_and_inline() -> None:
    assert [tree("a", display).get("display") for display in (True, False)] == ["block", None]
    assert tree(r"\sum_{i}^{m} a").find(".//munderover") is not None
    assert tree(r"\sum_{i}^{m} a", display=False).find(".//msubsup") is not None


def test_operators_that_are_typed_are_operators() -> None:
    assert leaves(tree("σ − 1 ∗ ⌈x⌉ · y : ∂z")) == [
        ("mi", "σ"),
        ("mo", "−"),
        ("mn", "1"),
        ("mo", "∗"),
        ("mo", "⌈"),
        ("mi", "x"),
        ("mo", "⌉"),
        ("mo", "·"),
        ("mi", "y"),
        ("mo", ":"),
        ("mi", "∂"),
        ("mi", "z"),
    ]
    assert leaves(tree("a := b"))[1] == ("mo", ":=")


def test_names_of_functions_are_upright_words_apart_from_their_argument() -> None:
    assert leaves(tree(r"\operatorname{diag}(a)"))[0] == ("mi", "diag")
    assert leaves(tree(r"y \log a")) == [("mi", "y"), ("mspace", ""), ("mi", "log"), ("mspace", ""), ("mi", "a")]
    assert leaves(tree(r"(b)\log(a)"))[2:5] == [("mo", ")"), ("mspace", ""), ("mi", "log")]
    assert leaves(tree(r"\max_i a")) == [("mi", "max"), ("mi", "i"), ("mspace", ""), ("mi", "a")]
    assert tree(r"\mathrm{d}z")[0].get("mathvariant") == "normal"
    assert leaves(tree(r"\mathrm{XOR}(x)"))[0] == ("mi", "XOR")


def test_what_browsers_no_longer_know_is_not_in_it() -> None:
    assert leaves(tree(r"\mathbb{1}")) == [("mn", "𝟙")]
    cell = next(tree(r"\begin{cases} 0 & z \end{cases}").iter("mtd"))
    assert (cell.get("columnalign"), cell.get("style")) == (None, "text-align: left")


def test_comparison_signs_are_escaped() -> None:
    assert "&lt;" in formula("a < b", {})
    assert leaves(tree("a < b > c"))[1] == ("mo", "<")


@pytest.mark.parametrize(
    ("latex", "line"),
    [
        (r"\foo x", r'\foo is not known, in "\foo x"'),
        (r"\begin{aligned} a &= b \end{aligned}", "a cell or a line ends outside a table"),
        (r"a & b", "a cell or a line ends outside a table"),
        (r"a \\ b", "a cell or a line ends outside a table"),
        (r"x^{a", 'a brace has no partner in "x^{a"'),
        (r"x}", "a brace has no partner"),
        (r"}{", "a brace has no partner"),
        (r"\frac{1}", "an argument is missing"),
        (r"^2", "an argument is missing"),
        (r"a^", "MissingSuperScriptOrSubscriptError"),
        ("", "NoAvailableTokensError"),
        ("«dZ9»", "«dZ9» is used and not declared"),
        (r"\text{if «m»}", "a symbol stands among words"),
        (r"\operatorname{«m»x}", "an argument is missing"),
    ],
)
def test_what_is_not_understood_ends_the_build_with_one_line(latex: str, line: str) -> None:
    with pytest.raises(Broken, match=re.escape(line)) as caught:
        formula(latex, SYMBOLS)
    assert "\n" not in str(caught.value)


def test_braces_that_are_characters_need_no_partner() -> None:
    assert ("mo", "{") in leaves(tree(r"x \in \{0, 1\}"))


def test_a_fence_may_be_empty() -> None:
    assert leaves(tree(r"\left. a \right|"))[0] == ("mo", "")


def test_words_with_formulas_code_and_links() -> None:
    text = "«dZ1» is $«m» > 1$ & `a<b` in [the `N18` rows](shallow.html#dZ1)."
    html = line(text, SYMBOLS)
    assert html.startswith('<math aria-label="dZ[1]"')
    assert " &amp; <code>a&lt;b</code> in " in html
    assert html.endswith('<a href="shallow.html#dZ1">the <code>N18</code> rows</a>.')
    assert html.count("<math") == 2
    fromstring(f"<p>{html}</p>")


def test_a_formula_and_its_punctuation_stay_together() -> None:
    html = line("a ($m$) of $m$, $m$-th; (`m`) $m$ (a $m$?)", {})
    found = re.findall(r'<span class="kept">([^<]*)<math.*?</math>([^<]*)</span>', html)
    assert found == [("(", ")"), ("", ","), ("", "-"), ("", "?)")]
    assert html.count("<math") == len(found) + 1


def test_paragraphs() -> None:
    assert prose("\none\ntwo\n\n \nthree <\n", {}) == Markup("<p>one\ntwo</p>\n<p>three &lt;</p>")
    assert prose(" \n", {}) == ""


def test_plain_words() -> None:
    text = "«dZ1»: `x`, $∂J/∂«Z1»$ & [more «m»](index.html)"
    assert plain(text, SYMBOLS) == "dZ[1]: x, ∂J/∂Z[1] & more m"
    assert not isinstance(plain(text, SYMBOLS), Markup)


@pytest.mark.parametrize("text", ["a $ b", "`code", "a « b", "b»", "[a $x](b) $", "[](index.html)", "a](b)"])
def test_a_mark_without_its_partner_ends_the_build(text: str) -> None:
    for function in (line, plain):
        with pytest.raises(Broken, match="without its partner"):
            function(text, SYMBOLS)
