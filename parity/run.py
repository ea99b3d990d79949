"""The matrix: problems × implementations × formats × devices through the stations of the witness.

Every framework computes in a process of its own (unless told otherwise), so that thread pools and global settings of
one cannot disturb another, and two cores are used; exact values, bounds and verdicts are worked out here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from parity.compare import DIFFERS, Comparison, Standard
from parity.elementary import Unmeasured
from parity.errors import FOREIGN, one_line
from parity.implementations import Implementation, Quantities, find
from parity.oracle import Undecided
from parity.problems import Problem
from parity.processes import Pool
from parity.rounding import Unbounded

Found = Quantities | str
"""What an implementation computed, or the one line in which it failed."""


SLOW = "a slow variant: one problem a model and dtype, with --all every one"


@dataclass(frozen=True)
class Cell:
    """What came of one problem in one format on one device in one implementation.

    Attributes
    ----------
    problem, dtype, device, implementation
        Which.
    comparisons : tuple of Comparison
        One a quantity, in the order of computation; empty where skipped.
    skipped : str
        The reason; empty where it ran.
    """

    problem: Problem
    dtype: str
    device: str
    implementation: str
    comparisons: tuple[Comparison, ...] = ()
    skipped: str = ""

    @property
    def first_difference(self) -> Comparison | None:
        """The first quantity, in the order of computation, that differs."""
        return next((c for c in self.comparisons if c.verdict == DIFFERS), None)


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes
    ----------
    problems, implementations, dtypes, devices
        In the order in which they are run; dtypes that a problem is not used for are passed over.
    everything : bool
        Whether slow variants run on every problem, not on one a model and dtype.
    """

    problems: tuple[Problem, ...]
    implementations: tuple[str, ...]
    dtypes: tuple[str, ...]
    devices: tuple[str, ...] = ("cpu",)
    everything: bool = False

    def rows(self) -> list[tuple[Problem, str, str]]:
        """Every (problem, dtype, device)."""
        return [(p, t, d) for p in self.problems for t in self.dtypes if t in p.dtypes for d in self.devices]

    def __len__(self) -> int:
        return len(self.rows()) * len(self.implementations)

    def tasks(self) -> Iterator[tuple[Problem, str, str, str, str | None]]:
        """Every (problem, dtype, device, implementation), with the reason why it is passed over on any machine."""
        seen: set[tuple[str, str, str, str]] = set()
        for problem, dtype, device in self.rows():
            for name in self.implementations:
                implementation = find(name)
                reason = refusal(implementation, problem, dtype, device)
                if implementation.slow and not reason and not self.everything:
                    kind = (name, problem.model, dtype, device)
                    reason = SLOW if kind in seen else None
                    seen.add(kind)
                yield problem, dtype, device, name, reason


@dataclass(frozen=True)
class Place:
    """What an implementation says of the machine: why it cannot run, or why it cannot use a device."""

    missing: str | None
    devices: dict[str, str | None]


class Here:
    """Computes in this process, when the result is asked for."""

    def submit(self, function: Callable[..., Found | Place], *arguments: object) -> Callable[[], Found | Place]:
        """A call of no arguments that computes."""
        return lambda: function(*arguments)


class Elsewhere:
    """Computes in another process, which runs ahead of who asks."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self.pool = pool

    def submit(self, function: Callable[..., Found | Place], *arguments: object) -> Callable[[], Found | Place]:
        """A call of no arguments that waits for the result."""
        future: Future[Found | Place] = self.pool.submit(function, *arguments)
        return future.result


def matrix(plan: Plan, advance: Callable[[str], None] = lambda what: None, *, processes: bool = True) -> Iterator[Cell]:
    """Every cell of the plan, row by row; `advance` is told what begins."""
    with workers(plan.implementations, processes) as worker:
        yield from cells(plan, worker, advance)


def cells(plan: Plan, worker: Mapping[str, Here | Elsewhere], advance: Callable[[str], None]) -> Iterator[Cell]:
    """The same, computed where `worker` says."""
    places = {name: worker[name].submit(inspect, name) for name in plan.implementations}
    waiting = list(_submitted(plan, worker, {name: _place(name, place) for name, place in places.items()}))
    standards = Standards()
    for problem, dtype, device, name, task in waiting:
        advance(f"{problem.name} · {dtype} · {name}")
        if isinstance(task, str):
            yield Cell(problem, dtype, device, name, skipped=task)
            continue
        try:
            standard = standards.of(problem, dtype, find(name).framework, device)
        except (Undecided, Unmeasured, Unbounded) as reason:
            yield Cell(problem, dtype, device, name, skipped=str(reason))
            continue
        yield Cell(problem, dtype, device, name, tuple(verdicts(name, standard, _result(task))))


class Standards:
    """The standards of one problem and format at a time: exact values once, bounds once a framework and device."""

    def __init__(self) -> None:
        self.row: tuple[Problem, str] | None = None
        self.seen: dict[tuple[str, str], Standard | ArithmeticError | LookupError] = {}

    def of(self, problem: Problem, dtype: str, framework: str, device: str) -> Standard:
        """The standard by which this framework is judged on this device.

        Raises
        ------
        Undecided, Unmeasured, Unbounded
            There is no exact value, or no bound.
        """
        if self.row is None or self.row[0] is not problem or self.row[1] != dtype:
            self.row, self.seen = (problem, dtype), {}
        key = (framework, device)
        if key not in self.seen:
            self.seen[key] = self._worked_out(problem, dtype, framework, device)
        found = self.seen[key]
        if isinstance(found, Exception):
            raise found
        return found

    def _worked_out(
        self, problem: Problem, dtype: str, framework: str, device: str
    ) -> Standard | ArithmeticError | LookupError:
        before = next(iter(self.seen.values()), None)
        if isinstance(before, Undecided | Unbounded):
            return before
        try:
            if isinstance(before, Standard):
                return before.seen_by(framework, device)
            return Standard.of(problem, dtype, framework, device)
        except (Undecided, Unmeasured, Unbounded) as reason:
            return reason


@contextmanager
def workers(names: Iterable[str], processes: bool) -> Iterator[dict[str, Here | Elsewhere]]:
    """Where each implementation computes: its framework's process, or here."""
    frameworks = dict.fromkeys(find(name).framework for name in names)
    with ExitStack() as stack:
        rooms: dict[str, Here | Elsewhere] = {}
        for framework in frameworks:
            if processes:
                rooms[framework] = Elsewhere(stack.enter_context(Pool(1)))
            else:
                rooms[framework] = Here()
        yield {name: rooms[find(name).framework] for name in names}


def inspect(name: str) -> Place:
    """What the implementation says of this machine (it imports its framework)."""
    implementation = find(name)
    try:
        missing = implementation.unavailable()
        return Place(missing, {} if missing else dict(implementation.devices()))
    except FOREIGN as error:
        return Place(one_line(error), {})


def compute(name: str, problem: Problem, dtype: str, device: str) -> Found:
    """What the implementation computes; what it raises, in one line."""
    try:
        implementation = find(name)
        if refusal := implementation.refuses(problem, dtype, device):
            raise ValueError(refusal)
        return _checked(implementation.quantities(problem, dtype, device))
    except FOREIGN as error:
        return one_line(error)


def _checked(found: object) -> Quantities:
    """The quantities, if they are some: an implementation that returns nothing must not pass for one that is right."""
    if not isinstance(found, dict) or not found:
        raise TypeError(f"quantities returned {'an empty dict' if found == {} else f'a {type(found).__name__}'}")
    for quantity, value in found.items():
        if not isinstance(quantity, str):
            raise TypeError(f"quantities returned {quantity!r} as a name, not a string")
        if not isinstance(value, np.ndarray | np.generic):
            raise TypeError(f"quantities returned a {type(value).__name__} as {quantity}, not a NumPy array")
        if np.ma.is_masked(value):
            raise TypeError(f"quantities returned {quantity} with masked elements")
    return {quantity: np.asarray(value) for quantity, value in found.items()}


def verdicts(name: str, standard: Standard, found: Found) -> Iterable[Comparison]:
    """The verdict on every quantity; an implementation that failed differs, and what it said is what it looks like."""
    if isinstance(found, str):
        return [Comparison("—", DIFFERS, looks_like=found)]
    try:
        return list(find(name).judge(standard, found))
    except FOREIGN as error:  # somebody else's judge, or a standard that it asks for and that does not exist
        return [Comparison("—", DIFFERS, looks_like=one_line(error))]


def _submitted(
    plan: Plan, worker: Mapping[str, Here | Elsewhere], places: dict[str, Place]
) -> Iterator[tuple[Problem, str, str, str, str | Callable[[], Found | Place]]]:
    """Every cell with its task, or with the reason why it is skipped; all tasks are submitted before any is awaited."""
    for problem, dtype, device, name, reason in plan.tasks():
        reason = why_not(name, places[name], device) or reason
        yield problem, dtype, device, name, reason or worker[name].submit(compute, name, problem, dtype, device)


def refusal(implementation: Implementation, problem: Problem, dtype: str, device: str) -> str | None:
    """Why it does not run, or None; one that cannot say is run, and fails in `compute`."""
    try:
        return implementation.refuses(problem, dtype, device)
    except FOREIGN:
        return None


def why_not(name: str, place: Place, device: str) -> str | None:
    """Why this machine has no such implementation or device, or None."""
    return place.missing or place.devices.get(device, f"{name} knows no device {device}")


def _place(name: str, task: Callable[[], Found | Place]) -> Place:
    try:
        place = task()
    except BrokenProcessPool:
        return Place(f"{find(name).framework}'s process died as it was imported", {})
    assert isinstance(place, Place)
    return place


def _result(task: Callable[[], Found | Place]) -> Found:
    try:
        found = task()
    except BrokenProcessPool:
        return "its process died"
    except Exception as error:  # what it returned cannot be sent between processes
        return one_line(error)
    assert not isinstance(found, Place)
    return found
