"""How a verdict comes about, with numbers that are worked out when the page is made; docs/method.md has all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb, arb_mat
from markupsafe import Markup

from parity.compare import Comparison, Standard
from parity.elementary import ulps
from parity.formats import FORMATS, Format
from parity.implementations import find
from parity.oracle import FIRST_PRECISION, each, exact, matrix, working_precision
from parity.problems import Problem, catalogue
from parity.problems.exactness import lowest_bit, narrowest
from parity.rounding import Arithmetic
from parity.study import small
from parity.study.code import caption, highlighted
from parity.study.cut import cut
from parity.study.mathml import formula

Arrays = dict[str, np.ndarray]

ROUNDED, EXACT = "three_four_one", "shallow_exact_relu"
"""The problems of the examples."""

PRECISIONS = (53, 96, FIRST_PRECISION)
"""Bits; the last is where the oracle begins."""

SIZE = re.compile(r"\|([^|]+)\|")

FORMULAS = {
    "gamma": r"\gamma_n = \frac{n u}{1 - n u}",
    "inner": r"|\hat{s} - \sum_{i=1}^{n} x_i y_i| \le \gamma_n \sum_{i=1}^{n} |x_i| |y_i|",
    "elementary": r"|\hat{g}(z) - g(z)| \le 2 K u |g(z)|",
    "exact": r"\sum_{i=1}^{n} |t_i| \le 2^p q",
    "Z": r"E[Z] = |W| E[A] + \gamma_{n+1} (|W| (|A| + E[A]) + |b|)",
    "A": r"E[A] = (1 + 2 K u) \max |g^{\prime}| E[Z] + 2 K u |A|",
    "dA": r"E[dA] = |W|^T E[dZ] + \gamma_{n+3} |W|^T (|dZ| + E[dZ])",
    "dZ": r"E[dZ] = E[dA] (|g^{\prime}| + E[g^{\prime}]) + |dA| E[g^{\prime}]"
    r" + \gamma_2 (|dA| + E[dA]) (|g^{\prime}| + E[g^{\prime}])",
    "dW": r"E[dW] = \frac{1}{m} (E[dZ] (|A| + E[A])^T + |dZ| E[A]^T)"
    r" + \gamma_{m+3} \frac{1}{m} (|dZ| + E[dZ]) (|A| + E[A])^T",
}


def page() -> dict[str, Any]:
    """What method.html.jinja shows."""
    return {
        "formulas": {name: _formula(latex, display=name != "gamma") for name, latex in FORMULAS.items()},
        "formats": [(fmt.name, fmt.p, f"{fmt.u:.2g}") for fmt in FORMATS.values()],
        "exact": exactly(),
        "balls": list(balls()),
        "ball_code": _code("ball_of_dW1"),
        "elementary": _elementary(),
        "worked": worked(),
        "sums": sums(),
        "bits": FIRST_PRECISION,
    }


def _formula(latex: str, display: bool) -> Markup:
    """With |…| as fences: as operators they would stand apart from what is inside."""
    return formula(SIZE.sub(r"\\left|\1\\right|", latex), {}, display)


# Problems in which nothing rounds -------------------------------------------------------------------------------------


def exactly() -> dict[str, Any]:
    """Of one exact problem each kind of sum, with what its partial sums need, and what came of it in that format."""
    problem = catalogue.build(EXACT)
    fmt = narrowest(problem)[0]
    values = {name: value.high for name, value in exact(problem, fmt.name).items()}
    found = find("reference").quantities(problem, fmt.name, "cpu")
    compared = list(Standard.of(problem, fmt.name, "numpy").compare(found))
    return {
        "problem": problem,
        "fmt": fmt,
        "sums": [(name, needed(P, Q)) for name, P, Q in _products(problem, values)],
        "most": 2**fmt.p,
        "bits": sum(comparison.verdict == "bits" for comparison in compared),
        "compared": len(compared),
    }


def _products(problem: Problem, of: Arrays) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The inner products of a pass through one hidden layer, the bias as one more term, 1/m left to the end."""
    ones, W1, W2 = np.ones((1, problem.m)), problem.params["W1"], problem.params["W2"]
    yield "Z1 = W1 X + b1", np.hstack([W1, problem.params["b1"]]), np.vstack([problem.X, ones])
    yield "Z2 = W2 A1 + b2", np.hstack([W2, problem.params["b2"]]), np.vstack([of["A1"], ones])
    yield "dW2 = (1/m) dZ2 A1ᵀ", of["dZ2"], of["A1"].T
    yield "db2 = (1/m) Σ dZ2", of["dZ2"], ones.T
    yield "dA1 = W2ᵀ dZ2", W2.T, of["dZ2"]
    yield "dW1 = (1/m) dZ1 Xᵀ", of["dZ1"], problem.X.T
    yield "db1 = (1/m) Σ dZ1", of["dZ1"], ones.T


def needed(P: np.ndarray, Q: np.ndarray) -> int:
    """The largest Σ |terms| / q of all inner products, q being the lowest bit of the terms."""
    terms = np.abs(P[:, :, None] * Q[None, :, :])
    q = np.where(terms > 0, lowest_bit(terms), np.inf).min(axis=1)
    return int(np.max(terms.sum(axis=1) / q))


# Exact values ---------------------------------------------------------------------------------------------------------


def ball_of_dW1(problem: Problem) -> arb:
    """dW1[0, 0] of a network with tanh units as a ball, a midpoint with a radius that encloses the true value."""
    params, X, Y = problem.inputs("float64")
    W1, b1, W2, b2 = (matrix(params[name]) for name in ("W1", "b1", "W2", "b2"))
    wide = arb_mat(1, problem.m, [1] * problem.m)
    A1 = each(arb.tanh, W1 * matrix(X) + b1 * wide)
    A2 = each(lambda z: 1 / (1 + (-z).exp()), W2 * A1 + b2 * wide)
    dA1 = W2.transpose() * (A2 - matrix(Y))
    dZ1 = [d * (1 - a * a) for d, a in zip(dA1.entries(), A1.entries(), strict=True)]
    dW1 = arb_mat(A1.nrows(), problem.m, dZ1) * matrix(X).transpose() / problem.m
    return dW1[0, 0]


def balls() -> Iterator[tuple[int, str, str]]:
    """The precision in bits, the midpoint and the radius of dW1[0, 0]."""
    problem = small.problem(ROUNDED)
    for bits in PRECISIONS:
        with working_precision(bits):
            ball = ball_of_dW1(problem)
            yield bits, ball.mid().str(int(bits * np.log10(2)), radius=False), ball.rad().str(2, radius=False)


# The bound ------------------------------------------------------------------------------------------------------------


def worked() -> dict[str, Any]:
    """One element of dZ1 that rounds: exact, computed by NumPy, the error, and both bounds."""
    problem, fmt = small.problem(ROUNDED), FORMATS["float64"]
    standard = Standard.of(problem, fmt.name, "numpy")
    own = find("reference").quantities(problem, fmt.name, "cpu")
    true, dZ1 = standard.exact["dZ1"], own["dZ1"]
    error = np.abs(true.error_of(dZ1))
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(error)), error.shape))
    local = standard.locally(own)["dZ1"]
    end_to_end = standard.bounds["dZ1"] + true.certified(fmt)
    return {
        "problem": problem,
        "element": f"dZ1[{i}, {j}]",
        "exact": _digits(true.high[i, j], true.low[i, j]),
        "computed": repr(float(dZ1[i, j])),
        "error": f"{error[i, j]:.2e}",
        "ulp": f"{error[i, j] / fmt.ulp(true.high[i, j]):.2f}",
        "end_to_end": _bounded(error[i, j], end_to_end[i, j]),
        "local": _bounded(local.error_of(dZ1)[i, j], local.bound[i, j]),
        "verdicts": [_verdict(comparison) for comparison in standard.compare(own)],
    }


def _digits(high: float, low: float) -> str:
    """The sum of two float64 in twenty-five digits."""
    with working_precision(FIRST_PRECISION):
        return str((arb(float(high)) + arb(float(low))).str(25, radius=False))


def _bounded(error: float, bound: float) -> dict[str, str]:
    return {"error": f"{error:.2e}", "bound": f"{bound:.2e}", "share": f"{error / bound:.2g}"}


def _verdict(of: Comparison) -> tuple[str, str, str, str]:
    return of.quantity, f"{of.ulps:.2g}", "" if of.verdict == "bits" else f"{of.share:.2g}", of.verdict


def _elementary() -> list[tuple[str, list[str]]]:
    """K of every framework in float64, function by function."""
    of = {framework: ulps(framework, "float64") for framework in ("numpy", "torch", "jax")}
    return [(name, [f"{K[name]:g}" for K in of.values()]) for name in of["numpy"]]


# Why last digits differ -----------------------------------------------------------------------------------------------


def sums() -> dict[str, Any]:
    """0.1 + 0.2 + 0.3 in two orders, the exact sum of the three float64, and the bound of both."""
    x = (0.1, 0.2, 0.3)
    true = sum((Fraction(value) for value in x), Fraction(0))
    fmt: Format = FORMATS["float64"]
    bound = Arithmetic(fmt, {}).gamma(len(x) - 1) * sum(x)
    found = {"(0.1 + 0.2) + 0.3": (x[0] + x[1]) + x[2], "0.1 + (0.2 + 0.3)": x[0] + (x[1] + x[2])}
    errors = [(how, repr(value), f"{float(abs(Fraction(value) - true)):.2e}") for how, value in found.items()]
    with working_precision(FIRST_PRECISION):
        digits = str((arb(true.numerator) / true.denominator).str(25, radius=False))
    return {"exact": digits, "found": errors, "bound": f"{bound:.2e}"}


def _code(function: str) -> dict[str, Any]:
    found = cut("parity/study", f"method.{function}", Path(__file__).parents[2])
    return {"code": highlighted([found], {}), "caption": caption(found)}
