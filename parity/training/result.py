"""Everything that `parity train` finds out of one descent.

What is done is kept in the user's cache under a fingerprint of all that decides it: the numbers, this project's code,
the versions of the libraries and the machine. The same question is then answered at once, and the answer says from when
it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from parity.names import BUILT_IN
from parity.training import Descent, Reached
from parity.training.amplification import Curvature, Distance, Parting, curvature, distance, partings
from parity.training.arbitrary import Indeterminate
from parity.training.exact import ExactTrajectory, trajectory
from parity.training.memory import Answer, exact_surroundings, surroundings
from parity.training.steps import descend
from parity.training.trail import MOST_BYTES, Trail

Told = Callable[[str, str, int, int], None]
"""Told what is being done, where it is, how many steps further, and of how many."""


@dataclass(eq=False)
class Result:
    """What came of a descent.

    Attributes
    ----------
    descent : Descent
    digits : int
        Those of J that are asked for.
    trails : list of Trail
        One an implementation, those that were skipped included.
    made : str
        When the steps were taken, in UTC.
    stopped : bool
        Whether Ctrl-C ended it.
    exact : ExactTrajectory or None
    no_exact : str
        Why there is no exact trajectory; empty where there is.
    distances, curvatures, partings : lists
        Of every trail that is whole; at `marks`; of every pair.
    """

    descent: Descent
    digits: int
    trails: list[Trail]
    made: str
    stopped: bool = False
    exact: ExactTrajectory | None = None
    no_exact: str = ""
    distances: list[Distance] = field(default_factory=list)
    curvatures: list[Curvature] = field(default_factory=list)
    partings: list[Parting] = field(default_factory=list)

    @property
    def ran(self) -> list[Trail]:
        """The trails of what was not skipped."""
        return [trail for trail in self.trails if not trail.skipped]

    @property
    def right(self) -> bool:
        """Whether every step of every implementation is inside its bound, and all are finite."""
        return all(trail.right for trail in self.ran)

    @property
    def horizon(self) -> int | None:
        """The last step up to which every implementation has the digits asked for; None: there is nothing to go by."""
        return min((d.horizon(self.digits) for d in self.distances), default=None)


def marks(descent: Descent) -> list[int]:
    """The steps that a table shows: every tenth part of the way."""
    return list(range(0, max(1, descent.iterations), max(1, descent.iterations // 10)))


def found_out(
    descent: Descent,
    names: tuple[str, ...],
    digits: int,
    start: Mapping[str, Reached],
    told: Told,
    save: Callable[[Trail], None],
    *,
    exactly: bool = True,
    fresh: bool = False,
) -> Result:
    """Take the steps, witness them, and explain where they lead; `save` is called with a trail as it grows."""
    around, keep = surroundings(), not start and all(name in BUILT_IN for name in names)
    made, trails, stopped = _remembered(_steps, keep, fresh, around, (descent, names), told, start, save)
    result = Result(descent, digits, trails, made, stopped)
    if descent.iterations:
        result.partings = partings([trail for trail in result.ran if trail.whole], digits)
    if stopped or not exactly or not result.ran or any(t.diverged or t.failed for t in result.ran):
        result.no_exact = "not asked for" if not exactly else "the steps did not come to their end"
        return result
    if not any(trail.whole for trail in result.ran):
        result.no_exact = f"no trail was kept whole: the parameters of all steps take more than {MOST_BYTES >> 20} MiB"
        return result
    if descent.exact:
        result.no_exact = "on exact training every bit is that of exact arithmetic"
        return result
    try:
        result.exact = _remembered(_exact, True, fresh, exact_surroundings(), (descent, digits), told)
        rest = (descent, names, digits, tuple(sorted(start)))
        result.distances, result.curvatures = _remembered(
            _explained, keep, fresh, around, rest, told, trails, result.exact
        )
    except Indeterminate as reason:
        result.no_exact = str(reason)
    except KeyboardInterrupt:
        result.no_exact, result.stopped = "stopped by Ctrl-C", True
    return result


class _Interrupted(Exception):
    """Carries what must not be kept in the cache past it."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _steps(
    descent: Descent,
    names: tuple[str, ...],
    told: Told,
    start: Mapping[str, Reached],
    save: Callable[[Trail], None],
) -> tuple[str, list[Trail], bool]:
    going_on = {name: reached.steps for name, reached in start.items() if name in names}
    total = len(names) * descent.iterations - sum(going_on.values())

    def came(what: str, trail: Trail, steps: int) -> None:
        if what == "taken":
            save(trail)
        J = f" · J = {trail.costs[-1]:.6g}" if what == "taken" and trail.steps else ""
        told(f"steps {what}", trail.implementation + J, steps, total)

    trails, stopped = descend(names, descent, start, came)
    found = (datetime.now(UTC).isoformat(" ", "minutes").removesuffix("+00:00"), trails, stopped)
    if stopped or not all(trail.right for trail in trails):
        raise _Interrupted(found)
    return found


def _exact(descent: Descent, digits: int, told: Told) -> ExactTrajectory:
    def advance(what: str, steps: int) -> None:
        told(what, "", steps, descent.iterations + 1)

    return trajectory(descent, digits, advance)


def _explained(
    descent: Descent,
    names: tuple[str, ...],
    digits: int,
    resumed: tuple[str, ...],
    told: Told,
    trails: list[Trail],
    exact: ExactTrajectory,
) -> tuple[list[Distance], list[Curvature]]:
    whole = [trail for trail in trails if not trail.skipped and trail.whole]
    total = sum(len(trail.share) for trail in whole)
    distances, curvatures = [], []
    for trail in whole:

        def advance(steps: int, name: str = trail.implementation) -> None:
            told("amplification", name, steps, total)

        distances.append(distance(descent, trail, exact, advance))
    for step in marks(descent):
        curvatures.append(curvature(descent, exact, step))
        told("curvature", f"step {step}", 1, len(marks(descent)))
    return distances, curvatures


def _remembered(
    compute: Callable[..., Any], keep: bool, fresh: bool, around: str, decisive: tuple[Any, ...], *others: Any
) -> Any:
    """compute(*decisive, *others) from the cache, `around` and `decisive` standing for all that decides the result."""
    named = [d.fingerprint + f" {d.iterations} {d.device}" if isinstance(d, Descent) else repr(d) for d in decisive]
    answer = Answer([compute.__name__, *named, around])
    found = answer.recalled() if keep and not fresh else None
    if found is not None:
        return found
    try:
        found = compute(*decisive, *others)
    except _Interrupted as unfinished:
        return unfinished.value
    if keep:
        answer.keep(found)
    return found
