"""Implementations with a planted fault, and a pool whose work is done in this process, where they can be planted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import chain, repeat
from time import perf_counter
from typing import Any, ClassVar

from parity.bench import worker
from parity.bench.results import Key
from parity.implementations import Call, Implementation, Quantities
from parity.implementations.reference import Reference
from parity.problems import Problem

WRONG_BY = 1e-10
SLOWER_BY = 1.3


class Wrong(Reference):
    """dW1, or dw, of a step has a relative error of 1e-10."""

    name, variant = "wrong", "wrong"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        call = super().prepare(work, problem, dtype, device, steps)

        def home(found: Any) -> Quantities:
            at = call.home(found)
            return {name: g * (1 + WRONG_BY) if name in ("dW1", "dw") else g for name, g in at.items()}

        return replace(call, home=home)


class Late(Reference):
    """Right in the first step of training, and wrong in the last."""

    name, variant = "late", "late"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        call = super().prepare(work, problem, dtype, device, steps)

        def home(found: Any) -> Quantities:
            at = call.home(found)
            return {n: p * (1 + WRONG_BY) if steps > 1 and n.startswith("new_W") else p for n, p in at.items()}

        return replace(call, home=home)


class Slow(Reference):
    """Takes 1.3 times as long."""

    name, variant = "reference", "hand"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        call = super().prepare(work, problem, dtype, device, steps)

        def run() -> Any:
            start = perf_counter()
            found = call.run()
            until = start + SLOWER_BY * (perf_counter() - start)
            while perf_counter() < until:
                pass
            return found

        return replace(call, run=run)


class Failing(Reference):
    """Raises."""

    name, variant = "failing", "failing"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        raise ValueError("no such\nthing")


class Dying(Reference):
    """Ends the program."""

    name, variant = "dying", "dying"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        raise SystemExit(3)


class Later(Reference):
    """Right when it is judged, and raises when it is timed."""

    name, variant = "later", "later"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        call, calls = super().prepare(work, problem, dtype, device, steps), iter(range(2))

        def run() -> Any:
            if next(calls, None) is None:
                raise ValueError("enough")
            return call.run()

        return replace(call, run=run)


class Unsure(Reference):
    """Cannot say whether it refuses."""

    name, variant = "unsure", "unsure"

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        raise KeyError(work)


class Nothing(Reference):
    """Brings nothing home."""

    name, variant = "nothing", "nothing"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        return replace(super().prepare(work, problem, dtype, device, steps), home=lambda found: None)


class Fewer(Reference):
    """Takes half of the steps, all of them right."""

    name, variant = "fewer", "fewer"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        return super().prepare(work, problem, dtype, device, max(1, steps // 2))


class Stale(Reference):
    """Right when it is judged, and wrong by a factor from the second call on."""

    name, variant = "stale", "stale"
    FACTOR: ClassVar[float] = 1.5

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        call, factors = super().prepare(work, problem, dtype, device, steps), chain([1.0], repeat(self.FACTOR))

        def run() -> Any:
            J, grads = call.run()
            factor = next(factors)
            return J, {name: (g * factor).astype(g.dtype) for name, g in grads.items()}

        return replace(call, run=run)


class Wandering(Stale):
    """Other bits in every call, as right as the first."""

    name, variant = "wandering", "wandering"
    FACTOR = 1 + 2**-52


class Talking(Reference):
    """Refuses with what is no text."""

    name, variant = "talking", "talking"

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> Any:
        return ["never\n"]


class Bare(Implementation):
    """Says neither what it is called nor which framework it is of, and would be timed."""

    def unavailable(self) -> str | None:
        return None

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return None

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        return {}


KINDS = (Bare, Wrong, Late, Slow, Failing, Dying, Later, Unsure, Nothing, Fewer, Stale, Wandering, Talking)
FAULTY = {kind.__name__.lower(): f"{__name__}:{kind.__name__}" for kind in KINDS}


class InProcess:
    """Does at once, in this process, what it is asked."""

    def __init__(self, processes: int) -> None:
        pass

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *error: object) -> None:
        worker.end()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """A future that is done."""
        done: Future[Any] = Future()
        try:
            done.set_result("here" if function is worker.settle else function(*arguments))
        except BaseException as error:
            done.set_exception(error)
        return done


class OfImport(InProcess):
    """Dies when an implementation of that name is imported."""

    of = ""
    dead = False

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        self.dead |= function is worker.inspect and arguments == (self.of,)
        if self.dead:
            raise BrokenProcessPool("dead")
        return super().submit(function, *arguments)


class Mortal(InProcess):
    """Dies of what it is asked of the implementation, or the floor, of that name: for good, as a process does."""

    of = ""
    dead = False

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        self.dead |= any(isinstance(a, Key) and a.implementation == self.of for a in arguments)
        if self.dead:
            raise BrokenProcessPool("dead")
        return super().submit(function, *arguments)
