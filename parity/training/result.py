"""Everything that `parity train` finds out of one descent.

What is done is kept in the user's cache under a fingerprint of all that decides it: the numbers, this project's code,
the versions of the libraries and the machine. The same question is then answered at once, and the answer says from when
it is.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joblib import Memory

import parity
from parity.files import cache
from parity.implementations import BUILT_IN
from parity.surroundings import version
from parity.training import Descent, Reached
from parity.training.amplification import Curvature, Distance, Parting, curvature, distance, partings
from parity.training.exact import ExactTrajectory, Indeterminate, trajectory
from parity.training.steps import MOST_BYTES, Trail, descend

CODE = ("parity", "reference", "torch_impl", "jax_impl", "sklearn_baseline")
SWITCHES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "MKL_NUM_THREADS", "XLA_FLAGS", "CXX")
LIBRARIES = ("numpy", "scipy", "torch", "jax", "jaxlib", "scikit-learn", "python-flint")

MOST_KEPT = "2G"
"""In the cache, of which the oldest goes first."""

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
    keep = not start and all(name in BUILT_IN for name in names)
    made, trails, stopped = _remembered(_steps, keep, fresh, (descent, names), told, start, save)
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
        result.exact = _remembered(_exact, True, fresh, (descent, digits), told)
        rest = (descent, names, digits, tuple(sorted(start)))
        result.distances, result.curvatures = _remembered(_explained, keep, fresh, rest, told, trails, result.exact)
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
    key: str,
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


def _exact(key: str, descent: Descent, digits: int, told: Told) -> ExactTrajectory:
    def advance(what: str, steps: int) -> None:
        told(what, "", steps, descent.iterations + 1)

    return trajectory(descent, digits, advance)


def _explained(
    key: str,
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


def _remembered(compute: Callable[..., Any], keep: bool, fresh: bool, decisive: tuple[Any, ...], *others: Any) -> Any:
    """compute(key, *decisive, *others) from the cache, the key standing for all that decides the result."""
    around = exact_surroundings() if compute is _exact else surroundings()
    named = [d.fingerprint + f" {d.iterations} {d.device}" if isinstance(d, Descent) else repr(d) for d in decisive]
    key = hashlib.sha256(" ".join([compute.__name__, *named, around]).encode()).hexdigest()
    try:
        if not keep:
            return compute(key, *decisive, *others)
        parameters = compute.__code__.co_varnames[1 : compute.__code__.co_argcount]
        memory = Memory(cache("training"), verbose=0)
        kept = memory.cache(compute, ignore=list(parameters), cache_validation_callback=lambda made: not fresh)
        found = kept(key, *decisive, *others)
        memory.reduce_size(bytes_limit=MOST_KEPT)
        return found
    except _Interrupted as found:
        return found.value


def surroundings() -> str:
    """SHA-256 of this project's code, the versions of the libraries, the machine and the switches that decide bits."""
    switches = [f"{name}={os.environ.get(name)}" for name in SWITCHES]
    machine = (sys.version, platform.platform(), platform.node(), *switches)
    return _digest(" ".join(machine), [path for package in CODE for path in _files(package)], LIBRARIES)


def exact_surroundings() -> str:
    """The same of what decides an exact trajectory: python-flint, and `parity` without the other frameworks."""
    return _digest("", _files("parity"), ("python-flint",))


def _files(package: str) -> list[Path]:
    return sorted((Path(parity.__file__).parents[1] / package).rglob("*.py"))


def _digest(text: str, files: Sequence[Path], libraries: Sequence[str]) -> str:
    digest = hashlib.sha256(text.encode())
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    digest.update(" ".join(f"{library} {version(library)}" for library in libraries).encode())
    return digest.hexdigest()
