"""The live numbers: what every implementation computes of the quantities that the registry names, judged.

Each framework computes in its own process, as for the matrix, and all work is handed out before any of it is asked for.
Exact values, bounds and verdicts are those of the matrix, worked out here meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np

from parity import oracle
from parity.compare import DIFFERS, Comparison, Standard
from parity.elementary import Unmeasured
from parity.errors import one_line
from parity.implementations import Mirrored, Quantities, find
from parity.names import available_names
from parity.oracle import Undecided
from parity.problems import FLOATS, Problem
from parity.rounding import Unbounded
from parity.run import Elsewhere, Found, Here, Place, Standards, compute, inspect, refusal, verdicts, why_not, workers
from parity.study import calls, small
from parity.study.calls import CALLERS, Call
from parity.study.digits import NOTHING, Index, Number, Row, Table, chosen, entry, exact_text, number
from parity.study.registry import Broken, Chapter, Live

__all__ = ["Number", "Row", "Table", "measured", "title"]

TITLES = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX", "sklearn": "scikit-learn"}
VARIANTS = {"hand": "by hand", "opt": "optimum"}

SLOW = "slow: it compiles anew for every problem, or every operation by itself; see the matrix"

DEVICE = "cpu"

Where = tuple[str, str]
"""A chapter and a block of it."""

Task = Callable[[], Found | Place]


def measured(
    chapters: Iterable[Chapter], advance: Callable[[str], None] = lambda what: None, *, processes: bool = True
) -> dict[Where, tuple[Table, ...]]:
    """The tables of every block, quantity by quantity, float64 before float32; `advance` is told what begins.

    Raises
    ------
    Broken
        A problem, a quantity or a function does not exist, no implementation computes it, or it has no exact value;
        with the chapter and the block.
    """
    with workers(available_names(), processes) as worker:
        return Work(worker, chapters).done(advance)


def steps(chapters: Iterable[Chapter]) -> int:
    """How often `measured` tells what begins."""
    lives = [live for _, live in _lives(chapters)]
    calls = [dtype for live in lives if live.call for dtype in Call(live.call, live.arguments).dtypes]
    problems = {live.problem for live in lives if live.quantity}
    passes = [dtype for name in problems for dtype in _dtypes(small.problem(name))]
    return len(calls) + len(passes) * len(available_names())


def check(chapters: Iterable[Chapter]) -> None:
    """Whether there is everything that the registry wants numbers of; no framework is asked.

    Raises
    ------
    Broken
        A problem, a quantity or a function does not exist, or has no exact value; with the chapter and the block.
    """
    for where, live in _lives(chapters):
        with named(where):
            if live.call:
                call = Call(live.call, live.arguments)
                for dtype in call.dtypes:
                    calls.exact(call, dtype)
            if live.quantity and live.quantity not in _quantities(live.problem):
                raise Broken(f"{live.problem} has no {live.quantity}")


@cache
def _quantities(problem: str) -> tuple[str, ...]:
    """The names of those that have an exact value."""
    found = small.problem(problem)
    try:
        return tuple(oracle.exact(found, _dtypes(found)[0]))
    except Undecided as reason:
        raise Broken(f"{problem}: {reason}") from reason


def _lives(chapters: Iterable[Chapter]) -> list[tuple[Where, Live]]:
    return [((c.name, b.name), live) for c in chapters for b in c.blocks for live in b.live]


def title(name: str) -> str:
    """An implementation as a person calls it: PyTorch eager."""
    implementation = find(name)
    framework, variant = implementation.framework, implementation.variant
    return f"{TITLES.get(framework, framework)} {VARIANTS.get(variant, variant)}" if variant else name


@contextmanager
def named(where: Where) -> Iterator[None]:
    """Whatever is broken inside is said to be so in this chapter and block."""
    try:
        yield
    except Broken as reason:
        raise Broken(f"{where[0]}, block {where[1]}: {reason}") from reason


class Work:
    """What the processes are given, all of it at once, and what has been made of it so far.

    Parameters
    ----------
    worker : mapping
        Where each implementation computes.
    chapters : iterable of Chapter
    """

    def __init__(self, worker: Mapping[str, Here | Elsewhere], chapters: Iterable[Chapter]) -> None:
        self.worker = worker
        self.lives = _lives(chapters)
        self.places = {name: room.submit(inspect, name) for name, room in worker.items()}
        self.passes: dict[tuple[str, str], dict[str, str | Task]] = {}
        self.calls: dict[str, tuple[Quantities, dict[str, str | Task]]] = {}
        self.judged: dict[tuple[str, str], _Pass] = {}
        self.reasons: dict[str, str | None] = {}
        self.standards = Standards()
        for where, live in self.lives:
            with named(where):
                self._hand_out(live)

    def done(self, advance: Callable[[str], None]) -> dict[Where, tuple[Table, ...]]:
        """The tables of every block, as `measured` gives them."""
        tables: dict[Where, tuple[Table, ...]] = {where: () for where, _ in self.lives}
        for where, live in self.lives:
            with named(where):
                tables[where] += tuple(self._tables(live, advance))
        return tables

    def _hand_out(self, live: Live) -> None:
        if live.call:
            call = Call(live.call, live.arguments)
            for dtype in call.dtypes:
                exact = calls.exact(call, dtype)
                tasks = {name: self._called(name, call, dtype) for name in CALLERS if name in self.worker}
                self.calls[_key(call, dtype)] = exact, tasks
        elif live.quantity:
            problem = small.problem(live.problem)
            for dtype in _dtypes(problem):
                if (problem.name, dtype) not in self.passes:
                    self.passes[problem.name, dtype] = {
                        name: self._computed(name, problem, dtype) for name in self.worker
                    }

    def _computed(self, name: str, problem: Problem, dtype: str) -> str | Task:
        """The task, or the reason why it is none."""
        implementation = find(name)
        if reason := refusal(implementation, problem, dtype, DEVICE):
            return reason
        if implementation.slow:
            return SLOW
        return self.worker[name].submit(compute, name, problem, dtype, DEVICE)

    def _called(self, name: str, call: Call, dtype: str) -> str | Task:
        implementation = find(name)
        assert isinstance(implementation, Mirrored)
        return call.missing_from(implementation.package) or self.worker[name].submit(calls.compute, name, call, dtype)

    def _missing(self, name: str) -> str | None:
        """Why this machine does not have the implementation, or None."""
        if name not in self.reasons:
            place = _awaited(self.places[name])
            self.reasons[name] = why_not(name, place, DEVICE) if isinstance(place, Place) else str(place)
        return self.reasons[name]

    def _found(self, name: str, task: str | Task) -> Found | _Skipped:
        if isinstance(task, str):
            return _Skipped(task)
        if reason := self._missing(name):
            return _Skipped(reason)
        found = _awaited(task)
        assert not isinstance(found, Place)
        return found

    def _tables(self, live: Live, advance: Callable[[str], None]) -> Iterator[Table]:
        """The tables of one live: those of its call, or of its quantity in each format."""
        if live.call:
            call = Call(live.call, live.arguments)
            for dtype in call.dtypes:
                advance(f"{call.function} · {dtype}")
                exact, tasks = self.calls[_key(call, dtype)]
                found = {name: self._found(name, task) for name, task in tasks.items()}
                yield from _tables_of_call(call, dtype, exact, found)
        elif live.quantity:
            problem = small.problem(live.problem)
            for dtype in _dtypes(problem):
                if (problem.name, dtype) not in self.judged:
                    self.judged[problem.name, dtype] = self._judge(problem, dtype, advance)
                yield _table(self.judged[problem.name, dtype], live.quantity)

    def _judge(self, problem: Problem, dtype: str, advance: Callable[[str], None]) -> _Pass:
        standard, reason, results = None, "", dict[str, _Judged | _Skipped]()
        for name, task in self.passes[problem.name, dtype].items():
            advance(f"{problem.name} · {dtype} · {name}")
            try:
                standard = self.standards.of(problem, dtype, find(name).framework, DEVICE)
            except (Undecided, Unmeasured, Unbounded) as error:
                reason = str(error)
                results[name] = _Skipped(reason)
                continue
            found = self._found(name, task)
            results[name] = found if isinstance(found, _Skipped) else _Judged.of(name, standard, found)
        if standard is None:
            raise Broken(f"{problem.name} in {dtype}: {reason}")
        return _Pass(problem, standard, results)


@dataclass(frozen=True)
class _Skipped:
    """Nothing was computed, for this reason."""

    reason: str


@dataclass(frozen=True)
class _Judged:
    """What an implementation computed of a problem, and the verdicts; nothing but `failed` where it failed."""

    found: Quantities
    comparisons: dict[str, Comparison]
    failed: str = ""

    @classmethod
    def of(cls, name: str, standard: Standard, found: Found) -> _Judged:
        comparisons = {c.quantity: c for c in verdicts(name, standard, found)}
        if isinstance(found, str) or "—" in comparisons:
            return cls({}, {}, next(iter(comparisons.values())).looks_like)
        return cls(found, comparisons)


@dataclass(frozen=True)
class _Pass:
    """A problem in one format, judged in every implementation."""

    problem: Problem
    standard: Standard
    results: dict[str, _Judged | _Skipped]


def _table(judged: _Pass, quantity: str) -> Table:
    """The table of one quantity."""
    problem, standard = judged.problem, judged.standard
    if quantity not in standard.exact:
        raise Broken(f"{problem.name} has no {quantity}")
    exact, fmt = standard.exact[quantity], standard.fmt
    with np.errstate(over="ignore"):
        rounded = exact.high.astype(fmt.dtype)
    at = chosen(rounded)
    made = {name: _row(name, quantity, result, rounded, at, problem) for name, result in judged.results.items()}
    rows = tuple(row for row in made.values() if isinstance(row, Row))
    if all(row.values[0] == NOTHING for row in rows):
        raise Broken(f"no implementation computes {quantity} of {problem.name} in {fmt.name}")
    return Table(
        quantity, problem.name, problem.note, fmt.name, str(rounded.shape), tuple(entry(quantity, i) for i in at),
        tuple(exact_text(exact, i, fmt, known=problem.exact) for i in at), rows, _skips(made),
    )  # fmt: skip


def _row(
    name: str, quantity: str, result: _Judged | _Skipped, rounded: np.ndarray, at: list[Index], problem: Problem
) -> Row | str:
    """The row of an implementation, or the reason why it has none."""
    if isinstance(result, _Skipped):
        return result.reason
    nothing = (NOTHING,) * len(at)
    if result.failed:
        return _row_of(name, nothing, np.inf, np.nan, DIFFERS, result.failed)
    if quantity not in result.found or quantity not in result.comparisons:
        return f"does not compute {quantity}"
    value, comparison = result.found[quantity], result.comparisons[quantity]
    fits = value.shape == rounded.shape and value.dtype == rounded.dtype
    values = tuple(number(value[i], rounded[i]) for i in at) if fits else nothing
    share = np.nan if problem.exact or not fits else comparison.share
    return _row_of(name, values, comparison.ulps, share, comparison.verdict, comparison.looks_like)


def _row_of(name: str, values: tuple[Number, ...], ulps: float, share: float, verdict: str, looks_like: str) -> Row:
    return Row(name, find(name).framework, title(name), values, ulps, share, verdict, looks_like)


def _tables_of_call(
    call: Call, dtype: str, exact_values: Quantities, found: Mapping[str, Found | _Skipped]
) -> Iterator[Table]:
    """One table for every quantity that the call returns."""
    for quantity, wanted in exact_values.items():
        at, exact = calls.shown(wanted)
        made: dict[str, Row | str] = {}
        for name, result in found.items():
            if isinstance(result, _Skipped):
                made[name] = result.reason
                continue
            v = calls.judge(quantity, wanted, result, at)
            made[name] = _row_of(name, v.values, v.ulps, np.nan, v.verdict, v.looks_like)
        rows = tuple(row for row in made.values() if isinstance(row, Row))
        names = tuple(entry(quantity, i) for i in at)
        shape = str(wanted.shape)
        yield Table(quantity, call.function, call.words, dtype, shape, names, exact, rows, _skips(made))


def _skips(made: Mapping[str, Row | str]) -> tuple[tuple[str, str], ...]:
    """The implementations that have no row, with the reasons."""
    return tuple((title(name), reason) for name, reason in made.items() if isinstance(reason, str))


def _dtypes(problem: Problem) -> list[str]:
    return [dtype for dtype in FLOATS if dtype in problem.dtypes]


def _key(call: Call, dtype: str) -> str:
    return f"{call.function} {call.words} {dtype}"


def _awaited(task: Task) -> Found | Place:
    """What a process found; what it or the way back broke on, in one line."""
    try:
        return task()
    except BrokenProcessPool:
        return "its process died"
    except Exception as error:  # what it returned cannot be sent between processes
        return one_line(error)
