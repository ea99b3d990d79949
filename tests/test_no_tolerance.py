"""No tolerance was picked: none is named, and no number stands for one where sizes are compared or digits cut off.

A number that is no integer is looked for, whichever way it is written: 1e-9, 10**-9, 1 / 10**9, Fraction(1, 10**9), a
default, an entry of a table; so are multiples of a unit roundoff. An integer is a count and is let through, and what is
bound to a name in another file is not followed.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SOURCES = sorted(
    path
    for folder in ("reference", "torch_impl", "jax_impl", "sklearn_baseline", "parity", "tests", "docs", ".")
    for path in (ROOT.glob("*.py") if folder == "." else (ROOT / folder).rglob("*.py"))
)

HABITS = re.compile(
    "(.*_|[ar])tol|.*toler.*|.*approx.*|.*(all|is|assert)_?close|.*almost_?equal.*|.*max_ulp|(grad)+check|check_grads?",
    re.I,
)
"""Names of tolerances, and of the functions that take one."""

ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
ORDERING = re.compile("_*(lt|le|gt|ge)_*|(less|greater)(_equal)?")
CUTTING = {"max", "min", "maximum", "minimum", "fmax", "fmin", "clip", "clamp"}
ROUNDING = {"round", "around", "round_", "quantize"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
UNIT = re.compile("u|.*eps(ilon)?|ulp|spacing|unit_roundoff")
CONVERSIONS = re.compile(
    "b?float[0-9]*|half|single|double|longdouble|Decimal|Fraction|mpf|arb|fmpq|array|asarray|tensor"
)
ARITHMETIC: dict[type[ast.operator], Callable[[Fraction, Fraction], float | Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


def _name(node: ast.AST) -> str:
    """EPS for EPS, self.EPS and an argument EPS."""
    for kind, attribute in ((ast.Name, "id"), (ast.Attribute, "attr"), (ast.arg, "arg")):
        if isinstance(node, kind):
            return str(getattr(node, attribute))
    return ""


def called(node: ast.AST) -> str:
    """The last name of what a call calls: "round" for np.round(x)."""
    return _name(node.func) if isinstance(node, ast.Call) else ""


def folded(node: ast.AST) -> Fraction | None:
    """The value of an expression of numbers; None where it is not one."""
    with suppress(ValueError, OverflowError, ZeroDivisionError, TypeError):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return Fraction(node.value)
        if isinstance(node, ast.UnaryOp) and (value := folded(node.operand)) is not None:
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            left, right = folded(node.left), folded(node.right)
            if left is not None and right is not None:
                return Fraction(ARITHMETIC[type(node.op)](left, right))
        if isinstance(node, ast.Call) and CONVERSIONS.fullmatch(called(node)):
            of = [Fraction(a.value) if _is(a, str) else folded(a) for a in node.args]  # type: ignore[attr-defined]
            return None if None in of else Fraction(*of)
    return None


def _is(node: ast.AST, kind: type) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, kind)


def fraction(node: ast.AST) -> bool:
    """Whether it is a number and no integer."""
    value = folded(node)
    return value is not None and value.denominator > 1


def has_literal(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether a float, an expression that is no integer, or one of these names is in it somewhere."""
    return any(_is(part, float) or fraction(part) or _name(part) in names for part in ast.walk(node))


def multiple_of_a_unit(node: ast.AST) -> bool:
    """Whether a number times a unit roundoff is in it: 8 * u, size * u * 8."""
    for part in ast.walk(node):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
            factors = list(_factors(part))
            if any(folded(f) is not None for f in factors) and any(
                UNIT.fullmatch(_name(f) or called(f)) for f in factors
            ):
                return True
    return False


def _factors(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from (*_factors(node.left), *_factors(node.right))
    else:
        yield node
        if isinstance(node, ast.Call):
            yield from node.args


def scopes(scope: ast.AST, outer: frozenset[str] = frozenset()) -> Iterator[tuple[list[ast.AST], frozenset[str]]]:
    """The nodes of the module and of every function in it, with the names that are bound to a number there."""
    nodes = list(_outside_functions(scope))
    names = outer | {_name(target) for target, value in _bindings(nodes) if _constant(value)} - {""}
    yield nodes, names
    for node in nodes:
        if isinstance(node, FUNCTIONS):
            yield from scopes(node, names)


def _outside_functions(scope: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, FUNCTIONS):
            yield from _outside_functions(node)


def _constant(value: ast.expr) -> bool:
    """Whether it is a number and no integer, a multiple of a unit and nothing else, or a table with one of these."""
    if isinstance(value, ast.Dict):
        return any(map(_constant, value.values))
    if isinstance(value, ast.List | ast.Tuple | ast.Set):
        return any(map(_constant, value.elts))
    factors = list(_factors(value))
    of_units = all(folded(f) is not None or UNIT.fullmatch(_name(f) or called(f)) for f in factors)
    return fraction(value) or (len(factors) > 1 and folded(value) is None and of_units)


def _bindings(nodes: list[ast.AST]) -> Iterator[tuple[ast.AST, ast.expr]]:
    """What is bound to what, in an assignment, by a walrus, as a default."""
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    yield from zip(target.elts, node.value.elts, strict=False)
                yield target, node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
            yield node.target, node.value
        elif isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            yield from zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
            yield from ((arg, value) for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value)


def numbers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every line with a number where sizes are compared or digits cut off, and what is wrong with it."""
    for nodes, names in scopes(tree):
        for node in nodes:
            if isinstance(node, ast.Compare | ast.Call | ast.Assert):
                yield from ((node.lineno, what) for what in _wrong(node, names))


def _wrong(node: ast.Compare | ast.Call | ast.Assert, names: frozenset[str]) -> Iterator[str]:
    orders = isinstance(node, ast.Compare) and any(isinstance(op, ORDERS) for op in node.ops)
    if orders or ORDERING.fullmatch(called(node)):
        if has_literal(node, names):
            yield "a literal in a comparison"
        elif multiple_of_a_unit(node):
            yield "a multiple of a unit in a comparison"
    judged = isinstance(node, ast.Assert) or (isinstance(node, ast.Compare) and not _looks_up(node))
    if judged and any(cut_off(part, names) for part in ast.walk(node)):
        yield "digits cut off in a comparison"


def _looks_up(node: ast.Compare) -> bool:
    """Whether it asks if a text is in another: that shows what is printed."""
    return any(isinstance(op, ast.In | ast.NotIn) for op in node.ops)


def cut_off(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether it rounds to so many digits, compares such a text, or hides what is below a literal."""
    if isinstance(node, ast.Compare) and not _looks_up(node):
        return any(_of_few_digits(operand) for operand in (node.left, *node.comparators))
    if called(node) in ROUNDING:
        assert isinstance(node, ast.Call)
        is_method = isinstance(node.func, ast.Attribute) and _name(node.func.value) not in ("np", "jnp", "torch")
        return len(node.args) + len(node.keywords) + is_method > 1
    return called(node) in CUTTING and has_literal(node, names)


def _of_few_digits(text: ast.expr) -> bool:
    """Whether it is f"{x:.7g}" or format(x, ".7g")."""
    specs = text.args[1:] if isinstance(text, ast.Call) and called(text) == "format" else []
    if isinstance(text, ast.JoinedStr):
        specs = [part.format_spec for part in text.values if isinstance(part, ast.FormattedValue) and part.format_spec]
    return any("." in ast.unparse(spec) for spec in specs)


def habits(source: bytes, allowed: Iterable[str] = ()) -> list[str]:
    """What a source has of these, by line, but for lines with a text that is allowed."""
    tree, lines = ast.parse(source), source.decode().splitlines()
    words = {(line, name) for line, name in _words(tree) if HABITS.fullmatch(name)}
    return [
        f"line {line}: {what}"
        for line, what in sorted(words | set(numbers(tree)))
        if not any(text in lines[line - 1] for text in allowed)
    ]


def _words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name in the code, and every string that could be one, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.arg):
            yield node.lineno, _name(node)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.alias):
            yield node.lineno, node.name.rpartition(".")[2]
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.lineno, node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.lineno, node.value


ALLOWED: dict[str, dict[str, str]] = {
    "parity/bench/run.py": {"turns * AN_OPERATION > PATIENCE": "how long one would wait: it judges no value"},
    "parity/bench/statistics.py": {"drifted > NOISE": "which timings are called noisy: it judges no value"},
    "parity/oracle.py": {"value.radius <= 1 / 1000": "how long to go on: what is left of the radius is in the bound"},
    "parity/problems/exact.py": {"rng.random_sample(shape) < density": "which of the drawn weights are zero"},
    "sklearn_baseline/logistic_regression.py": {
        "tolerance = {": "of a linear program, which is no part of a comparison",
        "options=tolerance": "the same",
        "result.fun > 1 / 2": "its optimum is 0 or at least 1",
    },
    "tests/bench_harness.py": {"> WITHIN": "how far two clocks may be apart"},
    "tests/bench_targets.py": {"f >= BANDWIDTH": "a target of speed"},
    "tests/test_flower.py": {'f"{costs[step]:.10f}" == rows': "ten digits are what the page prints, and its subject"},
    "tests/test_formulas.py": {"4 * expected.fmt.u": "of one quotient each, of their sum and of the test's own"},
    "tests/test_initialization.py": {"slope > 1 / 2": "every slope there is 0 or near 1: which, not how near"},
    "tests/test_oracle.py": {
        "mpf(2) ** -100": "more bits than float64 has, which is all that is claimed",
        ".radius <= 1 / 1000": "what the oracle promises",
    },
    "tests/test_training_amplification.py": {
        ':.1f}" == ': "the digits that docs/training.md claims, and its subject",
        ':.3f}" == ': "the decimals that the report prints",
    },
    "tests/test_training_exact.py": {"rng.random_sample(4) < 1 / 2": "labels, as a coin decides"},
    "tests/test_vectorization.py": {"Fraction(1, 2**40)": "the size of a planted fault, which is outside the bound"},
}
"""Lines with these texts are no tolerances, and why."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_none_was_picked(path: Path) -> None:
    assert habits(path.read_bytes(), ALLOWED.get(path.relative_to(ROOT).as_posix(), ())) == []


def test_nothing_is_allowed_that_is_not_there() -> None:
    for path, texts in ALLOWED.items():
        source = (ROOT / path).read_bytes()
        for text in texts:
            assert habits(source, set(texts) - {text}), (path, text)


def test_all_the_code_is_looked_at() -> None:
    """Every folder of the project with Python in it, but for environments and what was built."""
    tops = {path.relative_to(ROOT).parts[0] for path in SOURCES}
    there = {p.parts[0] for p in (q.relative_to(ROOT) for q in ROOT.rglob("*.py")) if not p.parts[0].startswith(".")}
    assert there - tops <= {"build", "dist"}


NAMED = """
np.testing.assert_allclose(a, b)
ok = np.isclose(a, b)
check(a, b, rtol=x)
check(a, b, **{"atol": x})
assert value == pytest.approx(1)
getattr(np, "allclose")(a, b)
from numpy import allclose as same
self.assertAlmostEqual(a, b)
torch.testing.assert_close(a, b)
chex.assert_trees_all_close(a, b)
np.testing.assert_array_max_ulp(a, b)
np.testing.assert_approx_equal(a, b)
np.testing.assert_array_almost_equal_nulp(a, b)
torch.autograd.gradcheck(f, x)
check_grads(f, x, order=1)
def check(a, b, abs_tol): pass
relative_tolerance = x
"""

COMPARED = """
assert abs(a - b) < 1e-7
assert 1e-7 * scale >= error
ok = error < bound + 0.5
assert abs(a - b) < 10**-7
assert abs(a - b) < 2.0**-30
assert abs(a - b) < 1 / 10**9
assert abs(a - b) < np.float64(1e-9)
assert abs(a - b) < float("1e-9")
assert abs(a - b) < Decimal("1e-9")
assert abs(a - b) < Fraction(1, 10**9)
EPS = 1e-9; ok = error < EPS
EPS: float = 1e-9; ok = error < EPS
EPS = 10 * 1e-9; ok = error < EPS
EPS = 2.0**-30; ok = error < EPS
EPS = np.float64(1e-9); ok = error < EPS
EPS = 100 * np.finfo(float).eps; ok = error < EPS
EPS, n = 1e-9, 2; ok = error < EPS
EPS = {"float64": 1e-9}; ok = error < EPS["float64"]
EPS = (1e-9, 1e-6); ok = error < EPS[0]
def f(error, tol=1e-9): return error < tol
def f(error, *, tol=1e-9): return error < tol
class C: EPS = 1e-9; ok = lambda self, error: error < self.EPS
ok = (EPS := 1e-9) and error < EPS
assert np.less(error, 1e-9).all()
assert error.lt(1e-9).all()
assert operator.lt(error, 1e-9)
"""

OF_UNITS = """
assert error < 100 * np.finfo(float).eps
assert error < sys.float_info.epsilon * 10
assert error <= 40 * u * terms
assert error <= 4 * Decimal(math.ulp(value))
"""

CUT_OFF = """
assert round(a, 7) == round(b, 7)
assert np.round(a - b, 7) == 0
assert not np.any(np.round(a - b, 7))
assert a.round(7) == b.round(7)
assert f"{a:.7g}" == f"{b:.7g}"
assert format(a, ".7g") == format(b, ".7g")
assert max(error, 1e-9) == 1e-9
assert np.maximum(error, 1e-9).max() == 1e-9
"""

FORMS = {
    "a literal in a comparison": COMPARED,
    "a multiple of a unit in a comparison": OF_UNITS,
    "digits cut off in a comparison": CUT_OFF,
}


@pytest.mark.parametrize("line", NAMED.strip().splitlines())
def test_a_name_is_found(line: str) -> None:
    assert len(habits(f"x = 1\n{line}\n".encode())) == 1


@pytest.mark.parametrize(
    ("line", "what"), [(line, what) for what, lines in FORMS.items() for line in lines.strip().splitlines()]
)
def test_a_number_is_found(line: str, what: str) -> None:
    """Under another name than one that is looked for."""
    assert habits(f"x = 1\n{line}\n".encode()) == [f"line 2: {what}"]


@pytest.mark.parametrize(
    "line",
    [
        "ok = n > 3 and z >= -(2**10)",
        "assert error <= bound and error <= u * terms",
        "assert x == 0.5",
        "assert f'{x:.2f}' in text or round(x) == 2",
        "def f(rate=0.5): return 2 * rate",
        "def f(rate=0.5): return rate\ndef g(rate): return rate > 0",
    ],
)
def test_other_numbers_are_let_through(line: str) -> None:
    assert habits(line.encode()) == []
