"""What is certain about a minimum of logistic regression's cost, and about the way there from another point.

    F(θ) = J(w, b) + (λ/2) ‖w‖²        θ = (w, b), λ = 1 / (C m), in float64

θₛ is scikit-learn's solution. Its F, its gradient gₛ and μ > 0, a lower bound of the eigenvalues of ∇²F(θₛ), are
certified in ball arithmetic. No x̃ = (x, 1) is longer than R. Since |σ''| ≤ σ', the Hessian is at least e^(−R‖v‖) μ at
θₛ + v (self-concordance). With g = ∇F(θₛ + v), integrating vᵀ∇²F v from θₛ to θₛ + v gives

    ‖g‖ + ‖gₛ‖ ≥ ‖g − gₛ‖ ≥ μ (1 − e^(−R‖v‖)) / R

so that, wherever μ' = μ − R (‖g‖ + ‖gₛ‖) is positive, θₛ + v and the minimum lie where every eigenvalue is at least μ':

    ‖v‖ ≤ (‖g‖ + ‖gₛ‖) / μ'            0 ≤ F(θₛ + v) − min F ≤ ‖g‖² / (2 μ')

Elsewhere F is still convex: −‖gₛ‖ ‖v‖ ≤ F(θₛ + v) − F(θₛ) ≤ ‖g‖ ‖v‖. Of an implementation ‖g‖ is what it says itself,
plus what rounding can make of that: one whose gradient is wrong ends where these do not hold.

F. Bach (2010), Self-concordant analysis for logistic regression, Electronic Journal of Statistics 4, 384–414.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from flint import arb, arb_mat

from parity.compare import Standard
from parity.errors import BadInput
from parity.formats import FORMATS
from parity.oracle import FIRST_PRECISION, Exact, working_precision
from parity.problems import Problem
from parity.rounding import OWN_ROUNDING
from parity.training import Params

TOL, SKLEARN_SOLVERS = 1e-10, ("newton-cholesky", "newton-cg", "lbfgs")


@dataclass(frozen=True, eq=False)
class Case:
    """A problem under one penalty."""

    problem: Problem
    C: float

    @property
    def l2(self) -> float:
        """λ."""
        return 1 / (self.C * self.problem.m)

    @property
    def label(self) -> str:
        """What the report calls it."""
        return f"{self.problem.name}, C = {self.C:g}"

    @property
    def X_tilde(self) -> np.ndarray:
        """(n_x + 1, m): X above a row of ones, b being the weight of a feature that is 1."""
        return np.vstack([self.problem.X, np.ones((1, self.problem.m))])

    def at(self, params: Params) -> Problem:
        """One pass at these parameters, without an update."""
        return replace(
            self.problem,
            params={name: params[name] for name in ("w", "b")},  # JAX sorts the names
            learning_rate=None,
            iterations=0,
            exact=False,
        )


@dataclass(frozen=True, eq=False)
class Exactly:
    """F and its gradient at one point as balls, with what rounding may make of them in one framework."""

    cost: arb
    gradient: list[arb]
    cost_bound: float
    gradient_bound: np.ndarray

    def seen(self, cost: float, gradient: np.ndarray) -> str:
        """The quantity that is further from its exact value than rounding reaches; empty if neither is."""
        off = np.array([_above(arb(g) - true) for g, true in zip(gradient.tolist(), self.gradient, strict=True)])
        if not np.all(off <= self.gradient_bound):
            return "gradient"
        return "" if _above(arb(cost) - self.cost) <= self.cost_bound else "cost"


def exactly(case: Case, params: Params, standard: Standard) -> Exactly:
    """The oracle's J, dw and db with the penalty's shares; a sum of n squares, two products and an addition round."""
    w, l2, fmt = params["w"].ravel(), case.l2, standard.arithmetic
    J, dw, db = (standard.exact[name] for name in ("J", "dw", "db"))
    with working_precision(FIRST_PRECISION):
        squares = sum((arb(x) * x for x in w.tolist()), arb(0))
        cost = enclosed(J)[0] + arb(l2) / 2 * squares
        slopes = zip(enclosed(dw) + enclosed(db), [*w.tolist(), 0.0], strict=True)
        gradient = [slope + arb(l2) * x for slope, x in slopes]
    penalty, shrink = l2 / 2 * float(w @ w), l2 * np.append(np.abs(w), 0.0)
    E_J, E = float(standard.bounds["J"]), np.append(standard.bounds["dw"], standard.bounds["db"])
    cost_bound = E_J + fmt.gamma(w.size + 4) * (float(J.high) + E_J + penalty)
    gradient_bound = E + fmt.gamma(4) * (np.abs(np.append(dw.high, db.high)) + E + shrink)
    return Exactly(cost, gradient, cost_bound * OWN_ROUNDING, gradient_bound * OWN_ROUNDING)


def enclosed(value: Exact) -> list[arb]:
    """The oracle's elements as balls that hold the true ones: their certified radius, and the rounding of `low`.

    `low` is nearest to what `high` leaves, at most ½ ulp: rounding takes 2^−53 of that. The radius is in ulp of an
    element that is no smaller than u times the largest.
    """
    fmt = FORMATS["float64"]
    high, low = np.ravel(value.high), np.ravel(value.low)
    ulp = fmt.ulp(np.maximum(np.abs(high), fmt.u * np.max(np.abs(high), initial=0)))
    radius = (value.radius + fmt.u / 2) * ulp * OWN_ROUNDING
    return [arb(h) + arb(l, r) for h, l, r in zip(high.tolist(), low.tolist(), radius.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class Anchor:
    """scikit-learn's solution and what is certain about it.

    Attributes
    ----------
    params, solver : dict, str
        w and b, and the solver that found them.
    standard : Standard
        Exact values there, and bounds for any framework.
    cost : arb
        F.
    gradient : float
        An upper bound of ‖gₛ‖.
    largest, promised : float
        The largest element of gₛ, and what the solver promises about it, with the rounding of its own evaluation.
    mu, R : float
        See the module's head; mu is 0 where the Hessian cannot be told from a singular one.
    """

    params: Params
    solver: str
    standard: Standard
    cost: arb
    gradient: float
    largest: float
    promised: float
    mu: float
    R: float

    @property
    def kept(self) -> bool:
        """Whether scikit-learn keeps its promise."""
        return self.largest <= self.promised


def anchor(case: Case) -> Anchor:
    """scikit-learn's solution.

    Raises
    ------
    BadInput
        There is no minimum, or no solver of scikit-learn's finds it.
    """
    from sklearn_baseline.logistic_regression import fit, is_separable, promise

    X, Y = case.problem.X, case.problem.Y
    if np.ptp(Y) == 0:
        raise BadInput("no minimum: with a single class b grows for ever, and it is not penalised")
    if case.l2 == 0 and is_separable(X, Y):
        raise BadInput("no minimum: a hyperplane separates the classes, so that J falls for ever as w grows")
    reasons = []
    for solver in SKLEARN_SOLVERS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # of an overflow on the way: where it ends is judged
                params = fit(X, Y, case.C, solver, TOL)
        except (RuntimeError, ValueError) as error:
            reasons.append(str(error))
            continue
        try:
            standard = Standard.of(case.at(params), "float64", "sklearn")
        except ArithmeticError as error:
            raise BadInput(str(error)) from error
        there = exactly(case, params, standard)
        sizes = np.array([_above(g) for g in there.gradient])
        promised = float(np.max(promise(solver, TOL) + there.gradient_bound))
        R = float(np.sqrt((case.X_tilde**2).sum(axis=0).max())) * OWN_ROUNDING
        mu = smallest_eigenvalue(case, params)
        return Anchor(params, solver, standard, there.cost, norm(sizes), float(sizes.max()), promised, mu, R)
    raise BadInput(f"scikit-learn finds no minimum: {reasons[0]}")


def smallest_eigenvalue(case: Case, params: Params) -> float:
    """A certified lower bound μ of the eigenvalues of ∇²F: ∇²F − μI is positive definite; 0 where none is found.

    NumPy suggests μ. The Hessian is an enclosure in balls, with a (1 − a) = 1 / (2 + e^z + e^−z).
    """
    n, m = case.X_tilde.shape
    with working_precision(FIRST_PRECISION):
        X_tilde = arb_mat(n, m, case.X_tilde.ravel().tolist())
        theta = arb_mat(1, n, np.append(params["w"], params["b"]).tolist())
        slopes = [1 / (2 + z.exp() + (-z).exp()) for z in (theta * X_tilde).entries()]
        scaled = arb_mat(n, m, [x * s for x, s in zip(X_tilde.entries(), slopes * n, strict=True)])
        H = scaled * X_tilde.transpose() / m
        rows = [[H[i, j] + (case.l2 if i == j < n - 1 else 0) for j in range(n)] for i in range(n)]
        suggested = float(np.linalg.eigvalsh(np.array([[float(h.mid()) for h in row] for row in rows]))[0])
        for mu in (suggested * (1 - 2.0**-10), suggested / 2):
            if mu > 0 and positive_definite(
                [[h - mu * (i == j) for j, h in enumerate(row)] for i, row in enumerate(rows)]
            ):
                return mu
    return 0.0


def positive_definite(H: list[list[arb]]) -> bool:
    """Whether elimination in balls meets positive pivots only: every symmetric matrix within is positive definite."""
    rows = [list(row) for row in H]
    for k, pivot in enumerate(rows):
        if not pivot[k] > 0:
            return False
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / pivot[k]
            for j in range(k + 1, i + 1):
                rows[i][j] -= factor * rows[j][k]
    return True


def allowed(at: Anchor, gradient: float, distance: float) -> tuple[float, float, float]:
    """The range of F − F(θₛ) and the largest distance from θₛ, for one whose ‖g‖ is at most `gradient`."""
    mu = at.mu / OWN_ROUNDING - at.R * (gradient + at.gradient) * OWN_ROUNDING
    if not mu > 0:
        return -at.gradient * distance * OWN_ROUNDING, gradient * distance * OWN_ROUNDING, np.inf
    lowest, highest = -(at.gradient**2) / (2 * mu), gradient**2 / (2 * mu)
    return lowest * OWN_ROUNDING, highest * OWN_ROUNDING, (gradient + at.gradient) / mu * OWN_ROUNDING


def norm(v: np.ndarray) -> float:
    """‖v‖ of a vector."""
    return float(np.sqrt(v @ v))


def _above(x: arb) -> float:
    """An upper bound of |x|."""
    return float(abs(x).upper()) * OWN_ROUNDING
