"""Every step is the exact step from the parameters before it, within the bound of rounding: whatever happened before.

The target of a step is J and the new parameters as the notes' formulas make them of the implementation's own
parameters, in longdouble (`parity.local.whole`); the bound is the end-to-end bound of one pass from there
(`parity.rounding`), enlarged by the rounding of the target. On exact training, the bits must be those of the target.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parity import local, rounding
from parity.compare import Worst
from parity.elementary import Unmeasured, ulps
from parity.formats import FORMATS
from parity.problems import Problem
from parity.rounding import Arithmetic, Arrays, Unbounded
from parity.training import Descent, Params


@dataclass(frozen=True, eq=False)
class Witnessed:
    """What became of some steps of one implementation.

    Attributes
    ----------
    first : int
        The number of the first step.
    share : (steps,) array
        The largest share of its bound that the error of J or of a new parameter takes; inf where outside, nan where
        there is no bound.
    values : (steps,) array
        J before each step in float64, as the formulas give it for the implementation's own parameters.
    errors : dict
        (steps, *shape): the rounding error of every step's new parameters, computed − target.
    nearest : Finding or None
        The first step outside its bound, or the one that came nearest.
    outside : int or None
        The first step outside its bound.
    unbounded : str
        Why a step has no bound, in one line; empty where all have one.
    """

    first: int
    share: np.ndarray
    values: np.ndarray
    errors: Params
    nearest: Finding | None
    outside: int | None
    unbounded: str = ""


@dataclass(frozen=True)
class Finding:
    """One quantity of one step: the element nearest to its bound, or farthest outside."""

    step: int
    quantity: str
    worst: Worst


def witness(descent: Descent, framework: str, first: int, params: Params, costs: np.ndarray) -> Witnessed:
    """The verdict on the steps whose parameters are `params`.

    Parameters
    ----------
    framework : str
        Whose elementary functions the bound is for.
    first : int
        The number of the first step.
    params : dict
        (steps + 1, *shape): before the first step, and after each.
    costs : (steps,) array
        J before each, nan where there is none.
    """
    arithmetic, reason = _arithmetic(descent, framework)
    share, values, findings = np.full(len(costs), np.nan), np.zeros(len(costs)), []
    errors = {name: np.zeros(history[1:].shape) for name, history in params.items()}
    for i, J in enumerate(costs):
        problem = descent.at(first + i, {name: history[i] for name, history in params.items()})
        target = local.whole(problem, descent.dtype)
        values[i] = target["J"]
        after = {f"new_{name}": history[i + 1] for name, history in params.items()}
        for name in params:
            errors[name][i] = after[f"new_{name}"] - target[f"new_{name}"]
        if arithmetic:
            try:
                found = after | ({} if np.isnan(J) else {"J": J})
                of_step = [
                    Finding(first + i, *worst) for worst in _compared(descent, problem, arithmetic, found, target)
                ]
            except Unbounded as error:
                reason = f"step {first + i}: {error}"
                continue
            share[i] = max(f.worst.share if f.worst.inside else np.inf for f in of_step)
            findings += of_step
    outside = next((f for f in findings if not f.worst.inside), None)
    nearest = max(findings, key=lambda f: f.worst.share, default=None)
    return Witnessed(first, share, values, errors, outside or nearest, outside.step if outside else None, reason)


def _arithmetic(descent: Descent, framework: str) -> tuple[Arithmetic | None, str]:
    """What the bounds rest on, or why there are none."""
    fmt = FORMATS[descent.dtype]
    if descent.exact:
        return Arithmetic(fmt, ulps("", descent.dtype)), ""
    try:
        return Arithmetic(fmt, ulps(framework, descent.dtype, descent.device)), ""
    except Unmeasured as reason:
        return None, str(reason)


def _compared(
    descent: Descent, problem: Problem, arithmetic: Arithmetic, found: Arrays, target: Arrays
) -> Iterator[tuple[str, Worst]]:
    """Each quantity of a step with its error and bound, at the element where they are nearest.

    Raises
    ------
    Unbounded
        A sum may overflow.
    """
    values = {name: value.astype(np.float64) for name, value in target.items()}
    with np.errstate(over="ignore"):  # near the end of the range a bound is infinite
        bounds = {} if descent.exact else rounding.end_to_end(problem, arithmetic, values)
    for name, value in found.items():
        computed = np.asarray(value, np.float64)
        if descent.exact:
            wrong = computed != target[name].astype(arithmetic.fmt.dtype).astype(np.float64)
            error, bound = np.where(wrong, np.abs(computed - values[name]), 0.0), np.zeros(computed.shape)
        else:
            error, bound = np.abs(computed - target[name]), bounds[name] * local.witness(arithmetic.fmt)
        yield name, Worst.of(computed, values[name], error.astype(np.float64), bound)
