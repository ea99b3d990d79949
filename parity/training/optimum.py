"""`parity optimum`: logistic regression's minimum by gradient descent and Newton's method, beside scikit-learn's.

Every implementation starts from w = 0 and b = 0 and goes on until no element of its gradient is larger than what
rounding makes of it at scikit-learn's solution, or until the gradient falls no more. How far it may then be from
scikit-learn's solution follows from the gradients at both ends (certificate.py), in float64.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from flint import arb
from rich.console import Console
from rich.table import Table

from parity import paper, report
from parity.cli import DIFFERS, OK, chosen, json_writer, problems_of_file, several
from parity.compare import Standard
from parity.errors import BadInput
from parity.implementations import find
from parity.problems import Problem, catalogue
from parity.run import inspect
from parity.surroundings import machine, versions
from parity.training import Params
from parity.training.certificate import Anchor, Case, allowed, anchor, exactly, norm
from parity.training.solvers import LIMIT, STALLED, Ended, Tools, descend, largest_rate, newton, switches, tools

IMPLEMENTATIONS = ("reference", "torch-eager", "jax-jit")
GIVEN, DESCENT, NEWTON = "given", "descent", "newton"
DESCENT_STEPS = 100_000
INSIDE = "inside"
SCHEMA_VERSION = 1

Told = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class Solution:
    """What one implementation found by one solver, and the verdict.

    Attributes
    ----------
    implementation, solver, how : str
        `solver` is "given" where cost and gradient are taken at scikit-learn's own solution.
    steps : int
    params : dict
    cost, gradient : float
        F − F(θₛ), and the norm of the gradient, both as the implementation computed them.
    distance : float
        ‖θ − θₛ‖.
    lowest, highest, furthest : float
        What the cost and the distance may be; `furthest` is infinite where μ' is not positive, all are nan where an
        overflow leaves no bound.
    verdict : str
        "inside", or the quantity that is not; "stalled" where the solver gave up on the way.
    """

    implementation: str
    solver: str
    how: str
    steps: int
    params: Params
    cost: float
    gradient: float
    distance: float
    lowest: float
    highest: float
    furthest: float
    verdict: str


def judged(case: Case, at: Anchor, use: Tools, solver: str, ended: Ended) -> Solution:
    """The verdict on a solution; on its own F and gradient, too."""
    name, params = use.adapter.name, use.home(ended.params)
    own, slope = float(use.adapter.to_numpy(use.cost(ended.params))), use.slope(ended.params)
    v = np.append(params["w"] - at.params["w"], params["b"] - at.params["b"])
    numbers, nothing = (ended.how, ended.steps, params), (math.nan, math.nan, math.nan)
    if not all(np.all(np.isfinite(x)) for x in (own, slope, v)):
        return Solution(name, solver, *numbers, math.nan, norm(slope), norm(v), *nothing, "not finite")
    cost = float(arb(own) - at.cost)
    try:
        standard = at.standard if solver == GIVEN else Standard.of(case.at(params), "float64")
    except ArithmeticError:
        return Solution(name, solver, *numbers, cost, norm(slope), norm(v), *nothing, "overflow")
    here = exactly(case, params, standard.seen_by(use.adapter.framework))
    distance, size = norm(v), norm(np.abs(slope) + here.gradient_bound)
    lowest, highest, furthest = allowed(at, size, distance)
    lowest, highest = lowest - here.cost_bound, highest + here.cost_bound
    wrong = here.seen(own, slope)
    if not wrong and not distance <= furthest:
        wrong = "distance"
    if not wrong and not lowest <= cost <= highest:
        wrong = "cost"
    if not wrong and gave_up(at, solver, ended, furthest, here.gradient_bound):
        wrong = "stalled"
    shown = (cost, norm(slope), distance, lowest, highest, furthest)
    return Solution(name, solver, *numbers, *shown, wrong or INSIDE)


def gave_up(at: Anchor, solver: str, ended: Ended, furthest: float, rounding: np.ndarray) -> bool:
    """Whether it stopped where no distance follows from its gradient, though one follows from rounding alone."""
    stopped = ended.how == STALLED or (solver == NEWTON and ended.how == LIMIT)
    return stopped and math.isinf(furthest) and math.isfinite(allowed(at, norm(rounding), 0.0)[2])


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a case: the anchor and the solutions, or the reason why there are none."""

    case: Case
    anchor: Anchor | None = None
    reason: str = ""
    solutions: list[Solution] = field(default_factory=list)

    @property
    def outside(self) -> int:
        """How many solutions are outside their bounds, scikit-learn's own included."""
        broken = self.anchor is not None and not self.anchor.kept
        return broken + sum(solution.verdict != INSIDE for solution in self.solutions)


def solved(case: Case, names: Sequence[str], limit: int, told: Told) -> Outcome:
    """All implementations on one case."""
    try:
        at = anchor(case)
    except BadInput as error:
        return Outcome(case, reason=str(error))
    found: list[Solution] = []
    for name in names:
        with switches(name):
            found += _by(name, case, at, limit, told)
    return Outcome(case, at, solutions=found)


def _by(name: str, case: Case, at: Anchor, limit: int, told: Told) -> Iterator[Solution]:
    use = tools(name, case, largest_rate(case))
    bound = exactly(case, at.params, at.standard.seen_by(use.adapter.framework)).gradient_bound
    yield judged(case, at, use, GIVEN, Ended(use.away(at.params), 0, ""))
    if at.mu > 0:
        told(f"{case.label}: Newton, {name}")
        yield judged(case, at, use, NEWTON, newton(use, bound))
    what = f"{case.label}: descent, {name}"
    yield judged(case, at, use, DESCENT, descend(use, bound, limit, lambda: told(what)))


def show(outcome: Outcome, to: Console) -> None:
    """The table of one case, and what there is to say about it."""
    case, at = outcome.case, outcome.anchor
    if at is None:
        to.print(f"{case.label}: {outcome.reason}", "", soft_wrap=True)
        return
    to.print(f"{case.label}: F = {float(at.cost.mid()):.15g} at scikit-learn's solution ({at.solver})", style="bold")
    promise = "within" if at.kept else "✗ above"
    to.print(f"its largest slope {at.largest:.1e}, {promise} its promise of {at.promised:.1e}; μ ≥ {at.mu:.2e}")
    columns = ("", "", "steps", "‖∇F‖", "F−Fₛ", "from", "to", "‖θ−θₛ‖", "bound", "")
    table = Table(box=None, padding=(0, 1, 0, 0))
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i in (0, 1, 9) else "right", no_wrap=True)
    for s in outcome.solutions:
        numbers = (s.gradient, s.cost, s.lowest, s.highest, s.distance, s.furthest)
        steps = "" if s.solver == GIVEN else str(s.steps)
        verdict = s.verdict if s.verdict == INSIDE else f"✗ {s.verdict}"
        style = report.STYLES["rounding" if s.verdict == INSIDE else "differs"]
        table.add_row(s.implementation, s.solver, steps, *map(_short, numbers), verdict, style=style)
    to.print(table)
    for note in notes(outcome):
        to.print(note, style="dim")
    to.print()


def notes(outcome: Outcome) -> list[str]:
    """What a reader of the table may wonder about."""
    found, solutions = [], outcome.solutions
    limited = [s.implementation for s in solutions if (s.solver, s.how) == (DESCENT, LIMIT)]
    if outcome.anchor and outcome.anchor.mu == 0:
        found.append("the Hessian is singular in float64, as collinear features make it:")
        found.append("the minimum is not unique, there is no Newton step, and only the cost is compared")
    elif any(math.isinf(s.furthest) for s in solutions):
        found.append("— is no bound: the gradient is too large for so little curvature")
    if limited:
        found.append(f"descent reached its limit of steps in {', '.join(limited)}: see --iterations")
    return found


def _short(x: float) -> str:
    return f"{x:.0e}" if math.isfinite(x) else "—"


def totals(outcomes: Sequence[Outcome]) -> str:
    """One line that counts."""
    solutions = [s for outcome in outcomes for s in outcome.solutions]
    inside = sum(s.verdict == INSIDE for s in solutions)
    without = sum(outcome.anchor is None for outcome in outcomes)
    broken = sum(outcome.anchor is not None and not outcome.anchor.kept for outcome in outcomes)
    promises = f"; scikit-learn broke {broken} promises" if broken else ""
    return (
        f"{len(solutions)} solutions: {inside} inside the bound around scikit-learn's, "
        f"{len(solutions) - inside} outside; {without} without a minimum to compare{promises}"
    )


def as_json(outcomes: Sequence[Outcome], skipped: dict[str, str]) -> dict[str, object]:
    """The report for a program."""
    return {
        "schema": "parity.optimum",
        "schema_version": SCHEMA_VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "totals": totals(outcomes),
        "skipped": skipped,
        "cases": [_case_json(outcome) for outcome in outcomes],
    }


def _case_json(outcome: Outcome) -> dict[str, object]:
    case, at = outcome.case, outcome.anchor
    return {
        "problem": case.problem.name,
        "fingerprint": case.problem.fingerprint,
        "C": _number(case.C),
        "l2": case.l2,
        "reason": outcome.reason or None,
        "sklearn": at
        and {
            "solver": at.solver,
            "cost": float(at.cost.mid()),
            "kept": at.kept,
            **{name: getattr(at, name) for name in ("gradient", "largest", "promised", "mu", "R")},
            **{name: at.params[name].ravel().tolist() for name in ("w", "b")},
        },
        "solutions": [_solution_json(s) for s in outcome.solutions],
    }


def _solution_json(s: Solution) -> dict[str, object]:
    numbers = ("cost", "gradient", "distance", "lowest", "highest", "furthest")
    return {
        **{name: getattr(s, name) for name in ("implementation", "solver", "steps", "verdict")},
        "ended": s.how or None,
        **{name: _number(getattr(s, name)) for name in numbers},
        **{name: s.params[name].ravel().tolist() for name in ("w", "b") if np.all(np.isfinite(s.params[name]))},
    }


def _number(x: float) -> float | None:
    """JSON has no inf and no nan."""
    return x if math.isfinite(x) else None


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `parity optimum`."""
    option = parser.add_argument
    option("--problem", action="append", metavar="NAME", type=several, help="logistic regression on real data (all)")
    option("--data", metavar="FILE", help="a CSV or Parquet file of your own, in place of the problems")
    option("--target", metavar="COLUMN", help="the file's column of labels, 0 or 1")
    option(
        "--C", action="append", metavar="C", type=several, help="1/(λ m), as in scikit-learn (1,inf); inf: no penalty"
    )
    option("--implementation", action="append", metavar="NAME", type=several, help=", ".join(IMPLEMENTATIONS))
    option("--iterations", metavar="N", type=int, default=DESCENT_STEPS, help="limit of descent's steps (100000)")
    option("--json", metavar="FILE", help="write the report for a program, too")


def command(options: argparse.Namespace) -> int:
    """Solve, compare, and say so; float64 on the CPU only.

    Raises
    ------
    BadInput
        An option does not fit, or there is no scikit-learn.
    """
    cases = [penalised(problem, C) for problem in problems_of(options) for C in penalties(options.C)]
    frameworks = {find(name).framework: [name] for name in IMPLEMENTATIONS}
    names = chosen("implementation", options.implementation, IMPLEMENTATIONS, groups=frameworks)
    if options.iterations < 0:
        raise BadInput(f"--iterations is {options.iterations}: a number of steps is 0 or more")
    write = json_writer(options.json)
    missing = {name: inspect(name).missing for name in (*names, "sklearn-optimum")}
    if missing.pop("sklearn-optimum"):
        raise BadInput("the optimum is held against scikit-learn's, which is not installed")
    skipped = {name: reason for name, reason in missing.items() if reason}
    here = [name for name in names if name not in skipped]
    to, outcomes = paper.console(), []
    with paper.Progress(len(cases)) as progress:

        def told(what: str) -> None:
            progress.bar.update(progress.task, description=what)

        for case in cases:
            told(f"{case.label}: scikit-learn")
            outcomes.append(solved(case, here, options.iterations, told))
            progress.advance("")
    try:
        write(as_json(outcomes, skipped))
    finally:  # whoever reads the one may be gone, or the disk of the other full
        show_all(outcomes, skipped, to)
    if any(outcome.outside for outcome in outcomes):
        return DIFFERS
    if not any(outcome.solutions for outcome in outcomes):
        reasons = [*(outcome.reason for outcome in outcomes if outcome.reason), *skipped.values()]
        raise BadInput(f"nothing was solved: {reasons[0]}")
    return OK


def show_all(outcomes: Sequence[Outcome], skipped: dict[str, str], to: Console) -> None:
    """The tables, what was skipped and why, and the line that counts."""
    for outcome in outcomes:
        show(outcome, to)
    for name, reason in skipped.items():
        to.print(f"skipped: {name}: {reason}", style="dim", soft_wrap=True)
    to.print(totals(outcomes), style="bold", soft_wrap=True)


def problems_of(options: argparse.Namespace) -> list[Problem]:
    """Logistic regression on the user's file, or on the real data asked for."""
    of_file = problems_of_file(options)
    if of_file is not None:
        return [problem for problem in of_file if problem.model == "logistic_regression"]
    real = catalogue.GROUPS["real"]
    known = [name for name in real if catalogue.build(name).model == "logistic_regression"]
    return [catalogue.build(name) for name in chosen("problem", options.problem, known, groups={"real": known})]


def penalties(given: Sequence[Sequence[str]] | None) -> list[float]:
    """Every C, each once.

    Raises
    ------
    BadInput
        One is no number above 0.
    """
    found: dict[float, None] = {}
    for text in [text for texts in given or [["1", "inf"]] for text in texts]:
        try:
            C = float(text)
        except ValueError:
            C = math.nan
        if not C > 0 or math.isinf(1 / C):
            raise BadInput(f"--C is {text}: give numbers above 0, or inf for no penalty")
        found[C] = None
    return list(found)


def penalised(problem: Problem, C: float) -> Case:
    """The case.

    Raises
    ------
    BadInput
        λ is zero in float64, though a penalty was asked for.
    """
    case = Case(problem, C)
    if case.l2 == 0 and math.isfinite(C):
        raise BadInput(f"--C is {C:g}: 1/(C m) is 0 in float64 with m = {problem.m}; give inf for no penalty")
    return case
