"""Why last digits differ: what gradient descent makes of the rounding errors of its steps.

A step takes an error e in the parameters to (I − αH) e, H being the Hessian of J, and adds its own rounding error. So
the distance of an implementation from the exact trajectory is, to first order,

    δ ← (I − αH) δ + s        with δ = 0 at the start, and s the rounding error of the step as the witness measured it

and this is compared with the distance itself. A kink of ReLU between θ and θ + δ has no part in H: what g and g' jump
by there is added (`gradient_change`). Where the largest eigenvalue of H is beyond 2/α, or one is negative, some
direction is stretched at every step, and the last digits must part: no implementation is wrong then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from parity.formats import FORMATS
from parity.problems import Problem
from parity.problems.parameters import flat, layered
from parity.rounding import SLOPES
from parity.training import Descent, Params
from parity.training.exact import ExactTrajectory, half_a_unit
from parity.training.trail import Trail


@dataclass(frozen=True, eq=False)
class Distance:
    """How far an implementation is from the exact trajectory before every step of its trail.

    Attributes
    ----------
    implementation : str
    first : int
        The number of the trail's first step.
    params, predicted : (steps,) arrays
        ‖θ − θ*‖ / ‖θ*‖ over all parameters: measured, and what the rounding errors of the steps make to first order;
        nan where they are not known (`measured`).
    cost, predicted_cost : (steps,) arrays
        |J(θ) − J*| / J*: measured, and to first order.
    """

    implementation: str
    first: int
    params: np.ndarray
    predicted: np.ndarray
    cost: np.ndarray
    predicted_cost: np.ndarray

    def digits(self, step: int) -> float:
        """How many digits of J are those of the exact one."""
        with np.errstate(divide="ignore"):
            return float(-np.log10(2 * self.cost[step - self.first]))

    def horizon(self, digits: int) -> int:
        """The last step up to which J has so many digits of the exact one before every step."""
        holds = self.cost <= half_a_unit(digits)
        return self.first + (int(np.argmin(holds)) - 1 if not np.all(holds) else holds.size - 1)


def distance(
    descent: Descent, trail: Trail, exact: ExactTrajectory, advance: Callable[[int], None] = lambda steps: None
) -> Distance:
    """The distance of a whole trail, measured and predicted; where it was resumed, the first is taken as it is.

    `advance` is told how many steps further it is, every hundred steps or fewer.
    """
    found, rate = np.zeros((4, len(trail.share))), float(descent.problem.learning_rate or 0)
    delta = _off(trail.at(0), exact, trail.first)
    for i, value in enumerate(trail.values):
        step = trail.first + i
        problem = descent.at(step, exact.at(step))
        size, J = _norm(problem.params), exact.costs[step]
        found[0, i] = _norm(_off(trail.at(i), exact, step)) / size
        found[1, i] = _norm(delta) / size
        found[2, i] = abs((value - J.high) - J.low) / J.high
        found[3, i] = abs(_slope_along(problem, delta)) / J.high
        change = gradient_change(problem, delta)
        delta = {name: d - rate * change[name] + trail.errors[name][i] for name, d in delta.items()}
        if i % 100 == 99 or i == len(trail.values) - 1:
            advance(i % 100 + 1)
    if not measured(descent.dtype):
        found[1], found[3] = np.nan, np.nan
    return Distance(trail.implementation, trail.first, *found)


def measured(dtype: str) -> bool:
    """Whether the witness sees the rounding errors of the steps: longdouble must have more bits than the format."""
    return bool(np.finfo(np.longdouble).nmant + 1 > FORMATS[dtype].p)


def _off(params: Params, exact: ExactTrajectory, step: int) -> Params:
    """θ − θ*, right where they are nearly the same."""
    truth = {name: value[step] for name, value in exact.params.items()}
    return {name: (params[name].astype(np.float64) - true.high) - true.low for name, true in truth.items()}


def _norm(params: Mapping[str, np.ndarray]) -> float:
    return float(np.sqrt(sum(np.vdot(p, p) for p in params.values())))


def hessian_times(problem: Problem, V: Params) -> Params:
    """H V of the problem's cost at its parameters, by hand (reference)."""
    from reference.curvature import hessian_vector_product

    params, X, Y = problem.inputs("float64")
    if problem.model != "logistic_regression":
        return hessian_vector_product(params, X, Y, V, problem.activations)
    found = hessian_vector_product(layered(params), X, Y, layered(V), problem.activations)
    return flat(found)


def gradient_change(problem: Problem, V: Params) -> Params:
    """∇J(θ + V) − ∇J(θ) to first order in V, or where V carries a pre-activation across a kink: H V and the jumps.

    As `reference.curvature.hessian_vector_product`, with R{Z} for the change of Z. On either side of its kink g is
    linear, and changes by g' R{Z}; across it g changes from one line to the other, and so does g'.
    """
    if not any(name in SLOPES for name in problem.activations):
        return hessian_times(problem, V)
    from reference.activations import sigmoid

    params, X, Y = problem.inputs("float64")
    v, R, slopes, bends = _values_and_changes(params, X, V, problem.activations)
    m, L, found = problem.m, len(problem.activations), {}
    dZ, R_dZ = v[f"A{L}"] - Y, sigmoid(v[f"Z{L}"]) * sigmoid(-v[f"Z{L}"]) * R[f"Z{L}"]
    for l in range(L, 0, -1):
        found[f"W{l}"] = (R_dZ @ v[f"A{l - 1}"].T + dZ @ R[f"A{l - 1}"].T) / m
        found[f"b{l}"] = np.sum(R_dZ, axis=1, keepdims=True) / m
        if l > 1:
            before, after = slopes[l - 1]
            dA, R_dA = params[f"W{l}"].T @ dZ, params[f"W{l}"].T @ R_dZ + V[f"W{l}"].T @ dZ
            dZ, R_dZ = dA * before, R_dA * after + dA * bends[l - 1]
    return {name: found[name] for name in params}


def _values_and_changes(
    params: Params, X: np.ndarray, V: Params, activations: Sequence[str]
) -> tuple[Params, Params, dict[int, tuple[np.ndarray, np.ndarray]], dict[int, np.ndarray]]:
    """A0, Z1, A1, …, the change of each, and of every layer g' before and after, and the change of g'."""
    from reference.activations import ACTIVATIONS, DERIVATIVES
    from reference.curvature import SECOND_DERIVATIVES

    v, R = {"A0": X}, {"A0": np.zeros_like(X)}
    slopes, bends = {}, {}
    for l, g in enumerate(activations, start=1):
        W, A, R_A = params[f"W{l}"], v[f"A{l - 1}"], R[f"A{l - 1}"]
        Z, R_Z = W @ A + params[f"b{l}"], W @ R_A + V[f"W{l}"] @ A + V[f"b{l}"]
        before = after = DERIVATIVES[g](Z)
        if g in SLOPES:  # after · (Z + R{Z}) − before · Z
            after = DERIVATIVES[g](Z + R_Z)
            change, bend = before * R_Z + (after - before) * (Z + R_Z), after - before
        else:
            change, bend = before * R_Z, SECOND_DERIVATIVES[g](Z) * R_Z
        v |= {f"Z{l}": Z, f"A{l}": ACTIVATIONS[g](Z)}
        R |= {f"Z{l}": R_Z, f"A{l}": change}
        slopes[l], bends[l] = (before, after), bend
    return v, R, slopes, bends


def _slope_along(problem: Problem, V: Params) -> float:
    """dJ in the direction V."""
    from importlib import import_module

    module = import_module(f"reference.{problem.model}")
    grads = module.gradients(*problem.inputs("float64"), **problem.options)
    return float(sum(np.vdot(grads[f"d{name}"], v) for name, v in V.items()))


@dataclass(frozen=True)
class Curvature:
    """The ends of the Hessian's spectrum at one step of the exact trajectory, times α.

    α λ above 2, or below 0, stretches an error in the direction of that eigenvector at every step by |1 − α λ|.
    """

    step: int
    smallest: float
    largest: float

    @property
    def stretch(self) -> float:
        """The largest |1 − α λ|."""
        return max(abs(1 - self.smallest), abs(1 - self.largest))


def curvature(descent: Descent, exact: ExactTrajectory, step: int) -> Curvature:
    """By Lanczos's method on products with the Hessian, or from the whole of it where it is small."""
    problem = descent.at(step, exact.at(step))
    rate = float(problem.learning_rate or 0)
    smallest, largest = spectrum_ends(problem)
    return Curvature(step, rate * smallest, rate * largest)


def spectrum_ends(problem: Problem) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of the Hessian at the problem's parameters; nan where none is found."""
    shapes = {name: p.shape for name, p in problem.params.items()}
    n = sum(int(np.prod(shape)) for shape in shapes.values())

    def times(v: np.ndarray) -> np.ndarray:
        return _vector(hessian_times(problem, _unflattened(v, shapes)))

    try:
        if n <= 64:
            H = np.stack([times(e) for e in np.eye(n)])
            values = np.linalg.eigvalsh((H + H.T) / 2)
            return float(values[0]), float(values[-1])
        start = np.random.RandomState(0).standard_normal(n)
        if not np.any(times(start)):  # H = 0, as where every unit is saturated: Lanczos's method has no start there
            return 0.0, 0.0
        H = LinearOperator((n, n), matvec=times, dtype=np.float64)
        smallest, largest = (eigsh(H, 1, which=end, v0=start, return_eigenvectors=False)[0] for end in ("SA", "LA"))
        return float(smallest), float(largest)
    except (ArpackError, np.linalg.LinAlgError):  # it does not converge, or H is not finite
        return np.nan, np.nan


def _vector(params: Params) -> np.ndarray:
    return np.concatenate([np.ravel(p) for p in params.values()])


def _unflattened(v: np.ndarray, shapes: dict[str, tuple[int, ...]]) -> Params:
    found, first = {}, 0
    for name, shape in shapes.items():
        found[name] = v[first : first + int(np.prod(shape))].reshape(shape)
        first += int(np.prod(shape))
    return found


@dataclass(frozen=True)
class Parting:
    """Where two implementations part: the first step before which a bit of J or of a parameter differs, and a digit."""

    pair: tuple[str, str]
    bits: int | None
    digits: int | None


def partings(trails: Sequence[Trail], digits: int) -> list[Parting]:
    """Of every pair; None where they do not part."""
    return [_parting(a, b, digits) for a, b in combinations(trails, 2)]


def _parting(a: Trail, b: Trail, digits: int) -> Parting:
    """Of the steps that both trails have."""
    first, last = max(a.first, b.first), min(a.steps, b.steps)
    same = np.ones(last - first + 1, bool)
    for name in a.params:
        theirs = (t.params[name][first - t.first : last - t.first + 1] for t in (a, b))
        of_a, of_b = (array.reshape(len(same), -1) for array in theirs)
        same &= np.all(of_a == of_b, axis=1)
    J_a, J_b = (t.values[first - t.first : last - t.first] for t in (a, b))
    near = np.abs(J_a - J_b) <= half_a_unit(digits) * np.abs(J_a)
    found = (None if np.all(holds) else first + int(np.argmin(holds)) for holds in (same, near))
    return Parting((a.implementation, b.implementation), *found)
