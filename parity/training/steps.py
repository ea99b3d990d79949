"""Every implementation takes the steps of a descent, in its framework's process, and leaves a trail of parameters.

Each stretch of a trail goes to the witness (`parity.training.verify`) as soon as it is there, in other processes.
"""

from __future__ import annotations

import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from threading import Event
from typing import Any

import numpy as np

from parity.errors import FOREIGN, BadInput, one_line
from parity.implementations import find
from parity.processes import Pool
from parity.run import Place, inspect, why_not
from parity.training import Descent, Params, Reached
from parity.training.trail import Stretch, Trail
from parity.training.verify import Witnessed, witness

AT_ONCE = 0.25
"""Seconds of work between two reports of progress."""

MOST_STEPS = 200
"""In one stretch, so that the witness has work early."""

WITNESSES = 2
"""Processes."""

JUDGED_AT_ONCE = 10
"""Steps: what is begun after Ctrl-C is still judged, and the verdict on a step may take a tenth of a second."""

WITNESS_DIED = "a process that verifies steps died (is memory short?): no report without a verdict on every step"


def take(descent: Descent, name: str, params: Params, first: int) -> Stretch:
    """As many steps as fit into `AT_ONCE` seconds, in this process; no more after one that is not finite."""
    until, diverged, failed = time.monotonic() + AT_ONCE, "", ""
    trail, costs = [params], []
    steps = min(descent.iterations - first, MOST_STEPS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of an overflow, which is looked for below
            for new, J in islice(find(name).train(descent, params, first, steps), steps):
                _check(new, J, params)
                trail.append(new)
                costs.append(np.nan if J is None else float(J))
                diverged = _not_finite(new, J)
                if diverged or time.monotonic() > until:
                    break
    except FOREIGN as error:
        failed = one_line(error)
    if steps and not costs and not failed:
        failed = "train made no step"
    history = {name: np.stack([p[name] for p in trail]) for name in params}
    return Stretch(history, np.array(costs, next(iter(params.values())).dtype), diverged, failed)


def _check(new: object, J: object, before: Params) -> None:
    """Raise TypeError where what `train` yielded is not the parameters after a step, and J before it or None."""
    if not isinstance(new, dict) or set(new) != set(before):
        what = ", ".join(map(str, new)) if isinstance(new, dict) else f"a {type(new).__name__}"
        raise TypeError(f"train yielded {what}, expected {', '.join(before)}")
    of = next(iter(before.values())).dtype
    kinds = {name: (value, f"{of} of shape {before[name].shape}") for name, value in new.items()}
    for name, (value, expected) in (kinds if J is None else kinds | {"J": (J, f"{of} of shape ()")}).items():
        array = isinstance(value, np.ndarray | np.generic)
        kind = f"{value.dtype} of shape {value.shape}" if array else f"a {type(value).__name__}"
        if kind != expected:
            raise TypeError(f"train yielded {name} as {kind}, expected {expected}")


def _not_finite(params: Params, J: Any) -> str:
    if J is not None and not np.isfinite(J):
        return "J"
    return next((name for name, p in params.items() if not np.all(np.isfinite(p))), "")


def in_one_go(descent: Descent, name: str, params: Params) -> tuple[Params, np.ndarray] | None:
    """The end of the descent and its costs by the implementation's own loop, in this process; None: it has no other."""
    try:
        return find(name).train_in_one_go(descent, params)
    except FOREIGN:  # it has shown that it can take the steps: what it cannot do at once is no finding
        return None


def some_of(steps: int) -> list[int]:
    """Steps at which a loop is looked into: the first sixteen, those after 2^k steps, and the last."""
    return sorted({*range(min(16, steps)), *(2**k for k in range(steps.bit_length()) if 2**k < steps), steps - 1})


def one_step_more(descent: Descent, name: str, params: Params, step: int) -> Stretch | None:
    """A step of the implementation's own loop: where it ends when it is called for so many steps, and for one more."""
    there = in_one_go(replace(descent, iterations=step), name, params) if step else (params, np.empty(0))
    beyond = in_one_go(replace(descent, iterations=step + 1), name, params)
    if there is None or beyond is None:
        return None
    return Stretch({p: np.stack([there[0][p], beyond[0][p]]) for p in params}, beyond[1][-1:])


@contextmanager
def rooms(names: tuple[str, ...], descent: Descent) -> Iterator[dict[str, Pool]]:
    """A process for every framework, which has the descent, by the names of its implementations."""
    with ExitStack() as stack:
        of: dict[str, Pool] = {}
        for name in names:
            framework = find(name).framework
            if framework not in of:
                of[framework] = stack.enter_context(Pool(1, descent, interruptible=False))
        yield {name: of[find(name).framework] for name in names}


def refusal(name: str, descent: Descent) -> str | None:
    """Why an implementation does not take the steps, or None; one that cannot say does not."""
    try:
        return find(name).refuses_training(descent)
    except FOREIGN as error:
        return one_line(error)


Told = Callable[[str, Trail, int], None]
"""Told whose steps were "taken" or "verified", and how many."""


def _silent(what: str, trail: Trail, steps: int) -> None:
    """Tell nobody."""


def descend(
    names: tuple[str, ...], descent: Descent, start: Mapping[str, Reached], told: Told = _silent
) -> tuple[list[Trail], bool]:
    """Every implementation's trail, all steps of it witnessed, and whether Ctrl-C ended it early.

    Parameters
    ----------
    start : mapping
        Where an implementation goes on, by its name; the others begin at the problem's own parameters.

    Raises
    ------
    BadInput
        A process that verifies died.
    """
    _ = descent.batches  # drawn once, here: the processes get them with the descent
    trails = {name: Trail.starting(name, descent, start.get(name)) for name in names}
    for name, trail in trails.items():
        trail.skipped = refusal(name, descent) or ""
    active = tuple(name for name in names if not trails[name].skipped)
    with rooms(active, descent) as room, Pool(WITNESSES, descent, interruptible=False) as witnesses:
        run = _Run(descent, trails, room, witnesses, told)
        with interruptible() as stop:
            run.begin(active)
            run.finish(stop)
        if stop.is_set():
            for pool in room.values():
                pool.abandon()
    return list(trails.values()), stop.is_set()


@contextmanager
def interruptible() -> Iterator[Event]:
    """An event that the first Ctrl-C sets, so that work can be ended between two steps; the second one interrupts."""
    stop = Event()

    def on_interrupt(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


class _Run:
    """The futures of one descent: at most one stretch of an implementation is under way, and any number of verdicts."""

    def __init__(
        self,
        descent: Descent,
        trails: dict[str, Trail],
        room: dict[str, Pool],
        witnesses: Pool,
        told: Told,
    ) -> None:
        self.descent, self.trails, self.room, self.witnesses, self.told = descent, trails, room, witnesses, told
        self.waiting: dict[Future[Any], tuple[Callable[[str, Any], None], str]] = {}
        self.verdicts: dict[str, dict[int, Witnessed]] = {name: {} for name in trails}
        self.judged = {name: trail.first for name, trail in trails.items()}

    def begin(self, names: tuple[str, ...]) -> None:
        """Look at the machine, then go to work."""
        for name in names:
            self.waiting[self.room[name].submit(inspect, name)] = (self._inspected, name)

    def _inspected(self, name: str, place: Place) -> None:
        self.trails[name].skipped = why_not(name, place, self.descent.device) or ""
        if not self.trails[name].skipped:
            self._go_on(name)

    def finish(self, stop: Event) -> None:
        """Until nothing is under way any more, or `stop` is set: then only the verdicts that are."""
        while self.waiting and not stop.is_set():
            self._settle(wait(self.waiting, timeout=0.1, return_when=FIRST_COMPLETED).done)
        verdicts = [future for future, (then, _) in self.waiting.items() if then == self._judged]
        self._settle(wait([future for future in verdicts if not future.cancel()]).done)

    def _settle(self, done: Iterable[Future[Any]]) -> None:
        """What came of these."""
        for future in done:
            then, name = self.waiting.pop(future)
            try:
                then(name, future.result())
            except BrokenProcessPool:
                if then in (self._judged, self._judged_in_one_go):
                    raise BadInput(WITNESS_DIED) from None
                if then == self._inspected:
                    self.trails[name].skipped = f"{find(name).framework}'s process died as it was imported"
                else:
                    self.trails[name].failed = "its process died"

    def _go_on(self, name: str) -> None:
        trail = self.trails[name]
        if trail.steps < self.descent.iterations and not trail.failed and not trail.diverged:
            stretch = self.room[name].submit_given(take, name, trail.at(-1), trail.steps)
            self.waiting[stretch] = (self._came, name)
        elif trail.steps > trail.first == 0 and not trail.failed and not trail.diverged:
            go = self.room[name].submit_given(in_one_go, name, self.descent.start)
            self.waiting[go] = (self._at_once, name)

    def _came(self, name: str, stretch: Stretch) -> None:
        trail = self.trails[name]
        first = trail.steps
        trail.extend(stretch)
        if stretch.diverged:  # what is not finite is no step to judge
            params = {name: history[:-1] for name, history in stretch.params.items()}
            stretch = Stretch(params, stretch.costs[:-1])
        for at in range(0, len(stretch.costs), JUDGED_AT_ONCE):
            costs = stretch.costs[at : at + JUDGED_AT_ONCE]
            params = {p: history[at : at + len(costs) + 1] for p, history in stretch.params.items()}
            self._ask(self._judged, name, first + at, Stretch(params, costs))
        self.told("taken", trail, trail.steps - first)
        self._go_on(name)

    def _ask(self, then: Callable[[str, Witnessed], None], name: str, first: int, steps: Stretch) -> None:
        try:
            verdict = self.witnesses.submit_given(witness, find(name).framework, first, steps.params, steps.costs)
        except BrokenProcessPool:
            raise BadInput(WITNESS_DIED) from None
        self.waiting[verdict] = (then, name)

    def _judged(self, name: str, found: Witnessed) -> None:
        """Verdicts may come in another order than the steps."""
        self.verdicts[name][found.first] = found
        while self.judged[name] in self.verdicts[name]:
            of_step = self.verdicts[name].pop(self.judged[name])
            self.judged[name] += len(of_step.share)
            self.trails[name].judge(of_step)
            self.told("verified", self.trails[name], len(of_step.share))

    def _at_once(self, name: str, found: tuple[Params, np.ndarray] | None) -> None:
        trail = self.trails[name]
        if found is not None:
            params, costs = found
            same = all(np.array_equal(params[p], history[-1]) for p, history in trail.params.items())
            trail.one_go = same and np.array_equal(costs, trail.costs, equal_nan=True)
            for step in [] if trail.one_go else some_of(trail.steps):
                more = self.room[name].submit_given(one_step_more, name, self.descent.start, step)
                self.waiting[more] = (partial(self._one_more, step), name)

    def _one_more(self, step: int, name: str, found: Stretch | None) -> None:
        if found is not None:
            self._ask(self._judged_in_one_go, name, step, found)

    def _judged_in_one_go(self, name: str, found: Witnessed) -> None:
        wrong = self.trails[name].wrong_in_one_go
        if found.outside is not None and (wrong is None or found.outside < wrong.step):
            self.trails[name].wrong_in_one_go = found.nearest
