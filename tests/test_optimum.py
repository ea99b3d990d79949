"""`parity optimum`: the certificates, the solvers, the verdicts, and what the command says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from flint import arb
from rich.console import Console

import reference.curvature
import reference.logistic_regression
from parity.cli import DIFFERS, OK, Parser
from parity.errors import BadInput
from parity.implementations import find
from parity.problems import Problem, catalogue
from parity.training import certificate, optimum, solvers
from parity.training.certificate import Anchor, Case
from parity.training.optimum import DESCENT, GIVEN, INSIDE, NEWTON, Outcome
from tests.shared import place

HERE = tuple(name for name in optimum.IMPLEMENTATIONS if not place(name).missing)
HADAMARD = np.array([[1.0, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])


def problem(X: np.ndarray, Y: np.ndarray) -> Problem:
    params = {"w": np.zeros((X.shape[0], 1)), "b": np.zeros(())}
    return Problem("small", "logistic_regression", "real", X, Y, params, ("sigmoid",))


def overlapping(copies: int = 1) -> Problem:
    """48 examples of three features that no hyperplane separates; each feature so many times."""
    rng = np.random.RandomState(5)
    X = rng.standard_normal((3, 48))
    Y = (rng.random_sample((1, 48)) < 1 / (1 + np.exp(-X[:1] - X[1:2] / 2))).astype(np.float64)
    return problem(np.vstack([X] * copies), Y)


@cache
def outcome(C: float, copies: int = 1, limit: int = optimum.DESCENT_STEPS) -> Outcome:
    return optimum.solved(Case(overlapping(copies), C), HERE, limit, lambda what: None)


@cache
def at(C: float) -> Anchor:
    return certificate.anchor(Case(overlapping(), C))


def printed(what: Outcome) -> str:
    to = Console(file=StringIO(), width=80, highlight=False, markup=False)
    optimum.show(what, to)
    return to.file.getvalue()


# Certificates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "definite"),
    [([[2, 1], [1, 1]], True), ([[1, 1], [1, 1]], False), ([[1, 2], [2, 1]], False), ([[0]], False), ([[1]], True)],
)
def test_positive_definite(matrix: list[list[int]], definite: bool) -> None:
    assert certificate.positive_definite([[arb(x) for x in row] for row in matrix]) == definite
    assert not certificate.positive_definite([[arb(x, 3) for x in row] for row in matrix])


def test_the_smallest_eigenvalue_from_below() -> None:
    """Orthogonal features at w = 0, b = 0: H = diag(¼ + λ, ¼), so μ ≤ ¼; above ⅛, which is the second guess."""
    case = Case(problem(HADAMARD, np.array([[1.0, 0, 1, 1]])), 1.0)
    mu = certificate.smallest_eigenvalue(case, dict(case.problem.params))
    assert 4 * mu <= 1 < 8 * mu
    twice = Case(problem(np.vstack([HADAMARD[:1]] * 2), np.array([[1.0, 0, 1, 1]])), np.inf)
    assert certificate.smallest_eigenvalue(twice, dict(twice.problem.params)) == 0


def test_the_largest_rate_that_is_sure_to_descend() -> None:
    case = Case(problem(HADAMARD, np.array([[1.0, 0, 1, 1]])), 1.0)
    assert solvers.largest_rate(case) == 1 / (1 / 4 + 1 / 4)


def test_the_bounds_hold_at_every_distance() -> None:
    """From next to the solution to far away; with R = 0, as if the Hessian were constant, they do not."""
    case, anchor = Case(overlapping(), np.inf), at(np.inf)
    stiff = Anchor(**{**vars(anchor), "R": 0.0})
    rng, bounded, broken = np.random.RandomState(0), 0, 0
    for exponent in np.repeat(np.arange(-24, 6), 4):
        direction = rng.standard_normal(4)
        v = 2.0**exponent * direction
        params = {"w": anchor.params["w"] + v[:3, None], "b": anchor.params["b"] + v[3]}
        here = certificate.exactly(case, params, certificate.Standard.of(case.at(params), "float64"))
        size, distance = certificate.norm(np.array([float(abs(g).upper()) for g in here.gradient])), certificate.norm(v)
        lowest, highest, furthest = certificate.allowed(anchor, size, distance)
        assert distance <= furthest
        assert lowest <= float(here.cost - anchor.cost) <= highest
        bounded += np.isfinite(furthest)
        broken += not distance <= certificate.allowed(stiff, size, distance)[2]
    assert bounded
    assert broken


def test_what_an_implementation_says_is_held_against_the_exact_values() -> None:
    case, anchor = Case(overlapping(), 1.0), at(1.0)
    here = certificate.exactly(case, anchor.params, anchor.standard)
    arguments = (anchor.params, case.problem.X, case.problem.Y, case.l2)
    cost, grads = reference.curvature.penalised_cost(*arguments), reference.curvature.penalised_gradients(*arguments)
    slope = np.append(grads["dw"], grads["db"])
    assert here.seen(float(cost), slope) == ""
    assert here.seen(float(cost) + 2 * here.cost_bound, slope) == "cost"
    for i in range(4):
        assert here.seen(float(cost), slope + 2 * here.gradient_bound * (np.arange(4) == i)) == "gradient"


def test_the_true_values_are_in_the_balls() -> None:
    """At 512 bits, from the formulas themselves; a double-double alone does not hold them."""
    case, anchor = Case(overlapping(), 1.0), at(1.0)
    here = certificate.exactly(case, anchor.params, anchor.standard)
    w, b = anchor.params["w"].ravel().tolist(), float(anchor.params["b"])
    X, Y = case.problem.X.T.tolist(), case.problem.Y[0].tolist()
    with certificate.working_precision(512):
        Z = [sum((arb(w_i) * x_i for w_i, x_i in zip(w, x, strict=True)), arb(b)) for x in X]
        J = sum(((-z if y else z).exp().log1p() for z, y in zip(Z, Y, strict=True)), arb(0)) / case.problem.m
        cost = J + arb(case.l2) / 2 * sum((arb(w_i) ** 2 for w_i in w), arb(0))
        dZ = [1 / (1 + (-z).exp()) - y for z, y in zip(Z, Y, strict=True)]
        slopes = [sum((d * x[i] for d, x in zip(dZ, X, strict=True)), arb(0)) / case.problem.m for i in range(3)]
        gradient = [s + arb(case.l2) * w_i for s, w_i in zip(slopes, w, strict=True)]
        gradient.append(sum(dZ, arb(0)) / case.problem.m)
        assert here.cost.contains(cost)
        assert all(ball.contains(true) for ball, true in zip(here.gradient, gradient, strict=True))


def test_what_the_oracle_leaves_open_is_in_the_balls() -> None:
    """Its certified radius, in ulp of an element that is no smaller than u times the largest."""
    value = certificate.Exact(np.array([1.0, 2.0**-80]), np.zeros(2), 1 / 1024)
    for ball, ulp in zip(certificate.enclosed(value), (2.0**-52, 2.0**-105), strict=True):
        assert ulp <= 1024 * float(ball.rad()) <= certificate.OWN_ROUNDING**2 * ulp


# Solvers -----------------------------------------------------------------------------------------------------------


def arctangent(start: float) -> solvers.Tools:
    """The gradient arctan w, from where Newton's whole step is too long, and b; α = 1 descends."""

    def gradients(params: dict) -> dict:
        return {"dw": np.arctan(params["w"]), "db": params["b"]}

    def newton(params: dict) -> dict:
        return {"w": params["w"] - (1 + params["w"] ** 2) * np.arctan(params["w"]), "b": params["b"] - params["b"]}

    def descent(params: dict) -> dict:
        return {"w": params["w"] - np.arctan(params["w"]), "b": params["b"] - params["b"]}

    zero = {"w": np.array([[start]]), "b": np.zeros(())}
    return solvers.Tools(find("reference"), zero, lambda params: 0.0, gradients, newton, descent)


def test_newtons_step_is_halved_until_the_gradient_falls() -> None:
    tools, rounding = arctangent(3.0), np.full(2, 2.0**-40)
    ended = solvers.newton(tools, rounding)
    assert ended.how == solvers.ROUNDING
    assert np.abs(tools.gradients(ended.params)["dw"]) <= rounding[0]
    assert solvers.newton(arctangent(3.0), np.full(2, -1.0)).how == solvers.STALLED
    assert solvers.newton(arctangent(3.0), np.full(2, 2.0**-40), limit=1).how == solvers.LIMIT


def test_descent_goes_on_until_rounding_ends_it() -> None:
    told: list[str] = []
    tools, rounding = arctangent(3.0), np.full(2, 2.0**-40)
    ended = solvers.descend(tools, rounding, 1000, lambda: told.append(""))
    assert (ended.how, ended.steps, len(told)) == (solvers.ROUNDING, 100, 1)
    assert np.abs(tools.gradients(ended.params)["dw"]) <= rounding[0]
    assert solvers.descend(arctangent(3.0), np.full(2, -1.0), 1000, lambda: None).how == solvers.STALLED
    short = solvers.descend(arctangent(3.0), np.full(2, 2.0**-40), 1, lambda: None)
    assert (short.how, short.steps, short.params["w"][0, 0]) == (solvers.LIMIT, 1, 3 - np.arctan(3.0))


# Verdicts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_all_solvers_end_where_scikit_learn_does(C: float) -> None:
    found = outcome(C)
    assert [(s.implementation, s.solver) for s in found.solutions] == [
        (name, solver) for name in HERE for solver in (GIVEN, NEWTON, DESCENT)
    ]
    assert {s.verdict for s in found.solutions} == {INSIDE}
    assert {s.how for s in found.solutions} == {"", solvers.ROUNDING}
    assert all(np.isfinite(s.furthest) for s in found.solutions)
    assert found.outside == 0
    assert found.anchor.kept


@pytest.mark.parametrize(
    ("build", "C", "why"),
    [
        (lambda: catalogue.build("wine_logistic"), np.inf, "a hyperplane separates the classes"),
        (lambda: problem(HADAMARD, np.ones((1, 4))), 1.0, "with a single class"),
    ],
)
def test_a_minimum_that_does_not_exist(build: Callable[[], Problem], C: float, why: str) -> None:
    found = optimum.solved(Case(build(), C), HERE, 10, lambda what: None)
    assert found.anchor is None
    assert why in found.reason
    assert found.solutions == []
    assert why in printed(found)


def test_collinear_features() -> None:
    """No single minimum: no Newton step, no distance; the cost is compared all the same."""
    found = outcome(np.inf, copies=2)
    assert found.anchor.mu == 0
    assert {s.solver for s in found.solutions} == {GIVEN, DESCENT}
    assert {(s.verdict, s.furthest) for s in found.solutions} == {(INSIDE, np.inf)}
    assert "the minimum is not unique" in printed(found)


def test_the_limit_is_said() -> None:
    found = outcome(np.inf, limit=100)
    assert {s.how for s in found.solutions if s.solver == DESCENT} == {solvers.LIMIT}
    assert {s.verdict for s in found.solutions} == {INSIDE}
    assert "descent reached its limit of steps in reference" in printed(found)


def patched(monkeypatch: pytest.MonkeyPatch, name: str, fault: Callable) -> list[str]:
    """The verdicts on reference with a fault in one function of its curvature.py."""
    right = getattr(reference.curvature, name)
    monkeypatch.setattr(reference.curvature, name, lambda *arguments: fault(right, *arguments))
    found = optimum.solved(Case(overlapping(), 1.0), ("reference",), 2000, lambda what: None)
    return [s.verdict for s in found.solutions]


@pytest.mark.parametrize(
    ("name", "fault", "verdicts"),
    [
        ("penalised_gradients", lambda f, p, X, Y, l2: f(p, X, Y, 0.0), ["gradient"] * 3),
        ("penalised_gradients", lambda f, p, X, Y, l2: f(p, X, Y, l2 * (1 + 1e-9)), ["gradient"] * 3),
        (
            "penalised_gradients",
            lambda f, p, X, Y, l2: {**f(p, X, Y, l2), "db": f(p, X, Y, l2)["db"] + l2 * p["b"]},
            ["gradient"] * 3,
        ),
        ("penalised_cost", lambda f, p, X, Y, l2: f(p, X, Y, 0.0), ["cost"] * 3),
        (
            "newton_step",
            lambda f, p, X, Y, l2: {n: 2 * p[n] - new for n, new in f(p, X, Y, l2).items()},
            [INSIDE, "stalled", INSIDE],
        ),
    ],
)
def test_a_fault_is_outside(monkeypatch: pytest.MonkeyPatch, name: str, fault: Callable, verdicts: list[str]) -> None:
    """No λ, λ off by 1e-9, a penalised bias; a cost without its penalty; Newton's step the wrong way."""
    assert patched(monkeypatch, name, fault) == verdicts


def test_an_ascent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def up(params: dict, grads: dict, rate: float) -> dict:
        return {name: p + 4 * rate * grads["d" + name] for name, p in params.items()}

    monkeypatch.setattr(reference.logistic_regression, "update", up)
    found = optimum.solved(Case(overlapping(), 1.0), ("reference",), 2000, lambda what: None)
    assert [s.verdict for s in found.solutions] == [INSIDE, INSIDE, "stalled"]


@pytest.mark.parametrize(
    ("name", "fault", "verdicts"),
    [
        ("penalised_gradients", lambda f, p, X, Y, l2: f(p, X, Y, l2 * (1 + 1e-9)), [INSIDE, "distance", "distance"]),
        ("penalised_cost", lambda f, p, X, Y, l2: f(p, X, Y, l2 * (1 + 1e-9)), ["cost"] * 3),
    ],
)
def test_where_a_solver_ends_is_evidence_of_its_own(
    monkeypatch: pytest.MonkeyPatch, name: str, fault: Callable, verdicts: list[str]
) -> None:
    """λ off by 1e-9, what an implementation says of its gradient and cost not being checked."""
    monkeypatch.setattr(certificate.Exactly, "seen", lambda self, cost, gradient: "")
    assert patched(monkeypatch, name, fault) == verdicts


def test_a_broken_promise_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    import sklearn_baseline.logistic_regression as baseline

    fit = baseline.fit
    monkeypatch.setattr(baseline, "fit", lambda *a: {name: p * (1 + 1e-8) for name, p in fit(*a).items()})
    found = optimum.solved(Case(overlapping(), 1.0), ("reference",), 0, lambda what: None)
    assert not found.anchor.kept
    assert found.outside == 1
    assert "above its promise" in printed(found)


# The command -------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> int:
    parser = Parser(prog="parity optimum")
    optimum.add_options(parser)
    return optimum.command(parser.parse_args(arguments))


@pytest.fixture
def table(tmp_path: Path) -> str:
    """A user's file."""
    given = overlapping()
    rows = [f"{','.join(map(repr, x))},{int(y)}" for x, y in zip(given.X.T.tolist(), given.Y[0], strict=True)]
    path = tmp_path / "mine.csv"
    path.write_text("a,b,c,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def test_a_file(table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.json"
    arguments = ("--data", table, "--target", "label", "--implementation", "reference", "--json", str(out))
    assert run(*arguments) == OK
    text = capsys.readouterr().out
    assert text.splitlines()[-1].startswith("6 solutions: 6 inside the bound around scikit-learn's, 0 outside; 0 ")
    found = json.loads(out.read_text(encoding="utf-8"))
    assert (found["schema"], [case["C"] for case in found["cases"]]) == ("parity.optimum", [1.0, None])
    assert [s["verdict"] for case in found["cases"] for s in case["solutions"]] == [INSIDE] * 6


def test_the_exit_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--problem", "wine_logistic", "--implementation", "numpy", "--iterations", "0")
    with pytest.raises(BadInput, match="nothing was solved: no minimum: a hyperplane separates the classes"):
        run(*arguments, "--C", "inf")
    assert "falls for ever" in capsys.readouterr().out
    assert run(*arguments, "--C", "1,inf") == OK
    right = reference.curvature.penalised_cost
    monkeypatch.setattr(reference.curvature, "penalised_cost", lambda *a: 2 * right(*a))
    assert run(*arguments, "--C", "1") == DIFFERS
    assert "✗ cost" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--C", "0"], "--C is 0: give numbers above 0"),
        (["--C", "1,-2"], "--C is -2"),
        (["--C", "nan"], "--C is nan"),
        (["--C", "much"], "--C is much"),
        (["--C", "1e-310"], "--C is 1e-310"),
        (["--C", "1e308"], r"--C is 1e\+308: 1/\(C m\) is 0 in float64 with m = 569; give inf"),
        (["--iterations", "-1"], "--iterations is -1"),
        (["--problem", "flower"], "there is no problem 'flower'"),
        (["--implementation", "torch-vmap"], "there is no implementation 'torch-vmap'"),
        (["--target", "y"], "give the file with --data"),
        (["--data", "mine.csv"], "--data needs --target"),
        (["--json", "/nowhere/report.json"], "/nowhere is no folder"),
    ],
)
def test_bad_options(arguments: list[str], why: str) -> None:
    with pytest.raises(BadInput, match=why) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)


def test_a_missing_framework_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    inspect = optimum.inspect
    gone = optimum.inspect("reference").__class__("jax is not installed", {})
    monkeypatch.setattr(optimum, "inspect", lambda name: gone if name == "jax-jit" else inspect(name))
    assert run("--problem", "wine_logistic", "--C", "1", "--implementation", "numpy,jax", "--iterations", "0") == OK
    assert "skipped: jax-jit: jax is not installed" in capsys.readouterr().out
    monkeypatch.setattr(optimum, "inspect", lambda name: gone)
    with pytest.raises(BadInput, match="scikit-learn's, which is not installed"):
        run("--problem", "wine_logistic")


def test_the_table_fits_80_columns() -> None:
    for found in (outcome(1.0), outcome(np.inf, copies=2), outcome(np.inf, limit=100)):
        text = printed(found)
        assert max(map(len, (line.rstrip() for line in text.splitlines()))) <= 80
        assert text.count(INSIDE) == len(found.solutions)
        assert "…" not in text


def test_a_row_that_is_outside_fits_80_columns() -> None:
    found = outcome(1.0)
    worst = {"implementation": "torch-eager", "solver": DESCENT, "steps": 100000, "verdict": "not finite"}
    numbers = dict.fromkeys(("gradient", "highest", "distance", "furthest"), 1e-99) | {"cost": -1e-99, "lowest": -1e-99}
    text = printed(replace(found, solutions=[replace(found.solutions[0], **worst, **numbers)]))
    assert "✗ not finite" in text
    assert max(map(len, (line.rstrip() for line in text.splitlines()))) <= 80


def test_an_overflow_on_the_way_is_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """scikit-learn's, of a penalty that is far too large: warnings are errors here."""
    with pytest.raises(BadInput, match="nothing was solved: scikit-learn finds no minimum"):
        run("--problem", "wine_logistic", "--implementation", "numpy", "--iterations", "0", "--C", "1e-300")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are others there")
def test_the_json_is_there_although_nobody_reads_the_tables(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    given = ["--problem", "wine_logistic", "--implementation", "numpy", "--iterations", "0", "--C", "1"]
    command = [sys.executable, "-m", "parity", "optimum", *given, "--json", str(tmp_path / "report.json")]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (2, b"")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["schema"] == "parity.optimum"
