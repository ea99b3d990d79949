"""A run: every group of rows prepared, judged, and timed in turns.

With one thread all implementations are in one process, on one core, so that they meet the same machine from block to
block. With more, or on a GPU, each has a process of its own, and one of them works at a time. Judging is done here,
while those that time are idle.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from parity.bench import floor, statistics, worker
from parity.bench.cases import CASES, Case
from parity.bench.contrasts import subject
from parity.bench.floor import FLOORS
from parity.bench.judge import Judge, Judged
from parity.bench.plan import Place, Plan
from parity.bench.problems import problem
from parity.bench.results import Group, Key, Peak, Row
from parity.bench.room import DIED, Failed, Room
from parity.compare import DIFFERS
from parity.errors import FOREIGN, printable
from parity.formats import FORMATS
from parity.problems import Problem
from parity.processes import Pool
from parity.run import Place as Found
from parity.run import why_not
from parity.surroundings import memory

SEED = 1
MOST_ROUNDS = 41
"""More tell nothing new."""

SECONDS = {False: 0.5, True: 0.25}
"""Of blocks of one row, all rounds together; a row whose block takes longer still gets the least rounds. By `quick`."""

ROUNDS_OF_PEAK = 3
AN_OPERATION = 1e-6
"""Seconds that Python takes for one turn of a loop over numbers, roughly: what reads them decides what is left out."""

PATIENCE = 2.0
"""Seconds that a single call may take."""

Advance = Callable[[str], None]


class Run:
    """What is under way: the rooms, the problem that is judged, and what was found so far.

    Parameters
    ----------
    advance : callable
        Is told what begins.
    pool : type
        What starts a process.
    """

    def __init__(self, plan: Plan, advance: Advance = lambda what: None, pool: type[Pool] = Pool) -> None:
        self.plan, self.advance, self.pool = plan, advance, pool
        self.groups: list[Group] = []
        self.peaks: dict[tuple[str, str, int], dict[str, Peak]] = {}
        self.surroundings: dict[str, Any] = {}
        self.judge = Judge(SEED)
        self.rooms: dict[Place, Room] = {}
        self.found: dict[str, Found] = {}

    def __call__(self) -> None:
        """Time every group, and after that whatever needs a process with empty caches."""
        with ExitStack() as stack:
            first = stack.enter_context(Room(self._names("cpu"), "cpu", self.plan.threads[0], self.pool))
            self.found, self.rooms["cpu", first.threads] = first.places, first
            self.surroundings = self._surroundings(first)
            for case, keys in self.plan.groups():
                self.groups.append(self._group(stack, case, keys))
        if not self.plan.quick:
            for i, group in enumerate(self.groups):
                self.groups[i] = self._with_cold(group)

    def results(self) -> tuple[tuple[Peak, ...], tuple[Group, ...]]:
        """What was found so far: the peaks, and the groups beside them."""
        groups = (replace(group, rows=tuple(map(self._beside_peak, group.rows))) for group in self.groups)
        return tuple(peak for best in self.peaks.values() for peak in best.values()), tuple(groups)

    def _names(self, device: str) -> tuple[str, ...]:
        """The implementations that may be asked there, and the floors."""
        usable = (name for name in self.plan.implementations if not (self.found and self._why_not(name, device)))
        return (*usable, *FLOORS)

    def _why_not(self, name: str, device: str) -> str | None:
        return why_not(name, self.found[name], device)

    def _surroundings(self, first: Room) -> dict[str, Any]:
        """Of the first place, whose process has everything in it where it has one thread."""
        name = next(name for name in first.names if name not in first.deadly)
        found: dict[str, Any] = first.ask(name, worker.surroundings)
        return found | {"pinned": first.pinned}

    def _group(self, stack: ExitStack, case: Case, keys: list[Key]) -> Group:
        """Once more without a row that fails; who it was is found out one by one where processes are shared."""
        refused = {key: Row(key, skipped=reason) for key in keys if (reason := self._refusal(case, key))}
        for _ in refused:
            self.advance(f"{case.name} · {keys[0].work} · {keys[0].dtype} · {keys[0].device}")
        failed: dict[Key, Row] = {}
        ahead = True
        while todo := [key for key in keys if key not in refused and key not in failed]:
            try:
                group = self._attempt(self._room(stack, todo[0]), case, todo, ahead)
            except Failed as fault:
                self.rooms.pop((todo[0].device, todo[0].threads)).__exit__(None, None, None)
                guilty = {key: Row(key, DIFFERS, fault=fault.line) for key in todo if key.implementation == fault.name}
                if ahead and len(todo) > 1:
                    ahead = False
                else:
                    failed |= guilty or {key: Row(key, skipped=str(fault)) for key in todo}
            else:
                rows = {row.key: row for row in group.rows} | refused | failed
                return replace(group, rows=tuple(rows[key] for key in dict.fromkeys((*keys, *rows))))
        return Group("", (), 0.0, tuple((refused | failed)[key] for key in keys))

    def _attempt(self, room: Room, case: Case, keys: list[Key], ahead: bool) -> Group:
        """Prepare, judge and time; `ahead`: prepare one while another is judged.

        Raises
        ------
        Failed
            One of them does not what it is asked, or a process dies.
        """
        names = dict.fromkeys([*(key.implementation for key in keys), *FLOORS])
        begun = room.of_all(names, worker.begin, case, SEED)  # while the same problem is made here
        here = self.judge.problem(case).fingerprint
        for name, future in begun.items():
            assert room.answer(name, future) == here, "the processes have different problems"
        rows = self._prepared(room, case, keys, ahead)
        floors = [key for key in self._floors(keys[0]) if not room.ask(key.implementation, worker.prepare_floor, key)]
        rows |= {key: Row(key, "floor") for key in floors}
        timed = [key for key, row in rows.items() if not row.skipped and not row.fault]
        group = self._timed(room, rows, timed) if floors else Group("", (), 0.0, tuple(rows.values()))
        for name, future in room.of_all(names, worker.end).items():
            room.answer(name, future)
        return group

    def _room(self, stack: ExitStack, key: Key) -> Room:
        """Where such rows are timed; its processes start when the first of them is."""
        place = (key.device, key.threads)
        if place not in self.rooms:
            self.rooms[place] = stack.enter_context(Room(self._names(key.device), *place, self.pool))
        return self.rooms[place]

    def _floors(self, like: Key) -> list[Key]:
        return [replace(like, implementation=name) for name in FLOORS]

    def _refusal(self, case: Case, key: Key) -> str | None:
        """Why there is nothing to time, or too much, or None; who cannot say fails when it is asked to do it."""
        implementation = subject(key.implementation)
        if reason := self._why_not(key.implementation, key.device):
            return reason
        try:
            refused = implementation.refuses_work(key.work, shape_of(case), key.dtype, key.device)
        except FOREIGN:
            refused = None
        if refused:
            return printable(str(refused))
        return too_much(implementation.variant, case, key.dtype)

    def _prepared(self, room: Room, case: Case, keys: list[Key], ahead: bool) -> dict[Key, Row]:
        """The rows as far as they go without timing."""
        futures: dict[Key, Future[Any]] = {}
        rows = {}
        for key, following in zip(keys, [*keys[1:], None], strict=True):
            self.advance(f"{key.implementation} · {case.name} · {key.work} · {key.dtype} · {key.device}")
            for one in (key, following if ahead else None):
                if one is not None and one not in futures:
                    futures[one] = room.submit(one.implementation, worker.prepare, one, _steps(case, one))
            self.judge.work_out(key)  # meanwhile
            rows[key] = self._judged(room, case, key, room.answer(key.implementation, futures[key]))
        return rows

    def _judged(self, room: Room, case: Case, key: Key, ready: worker.Ready | str) -> Row:
        """Skipped where nothing can be said of it, or differing, or right."""
        if isinstance(ready, str):
            return Row(key, DIFFERS, fault=ready)
        steps = _steps(case, key)
        judged = self.judge(key, ready.found, ready.of_twin)
        if steps > 1 and not (judged.differs or judged.skipped):
            judged = self.judge.last_step(key, judged, *room.ask(key.implementation, worker.last_step, key, steps))
        if judged.skipped:
            return Row(key, skipped=judged.skipped)
        row = Row(key, judged.verdict.verdict, judged.verdict.share, judged.verdict.fault)
        return replace(row, steps=steps, first=ready.first, transfer=ready.transfer)

    def _timed(self, room: Room, rows: dict[Key, Row], keys: list[Key]) -> Group:
        """Blocks in turns, every other round the other way around; the sentinel in between."""
        calls, seconds = {}, {}
        for key in keys:
            calls[key], seconds[key] = room.ask(key.implementation, worker.calls_in_a_block, key)
        rounds = int(np.clip(SECONDS[self.plan.quick] / median(seconds.values()), self.plan.rounds, MOST_ROUNDS))
        samples: dict[Key, list[float]] = {key: [] for key in keys}
        sentinel, shares = [], []
        for i in range(rounds):
            took, share = room.ask(keys[-1].implementation, worker.sentinel)
            sentinel.append(took)
            shares.append(share)
            for key in keys[:: 1 if i % 2 else -1]:
                samples[key].append(room.ask(key.implementation, worker.block, key, calls[key]) / rows[key].steps)
        for key in keys:
            most = room.ask(key.implementation, worker.memory, key)
            rows[key] = replace(rows[key], calls=calls[key], samples=tuple(samples[key]), peak_memory=most)
            if rows[key].verdict != "floor" and (fault := self._fault_by_now(room, key)):
                rows[key] = Row(key, DIFFERS, fault=f"after it was timed: {fault}")
        self._look_for_peaks(room, keys[0].dtype)
        best = min((key for key in keys if key.implementation in FLOORS), key=lambda key: median(samples[key]))
        busy = max(0.0, 1 - median(shares)) if room.threads == 1 else 0.0
        return Group(best.implementation, tuple(sentinel), statistics.drift(sentinel), tuple(rows.values()), busy)

    def _fault_by_now(self, room: Room, key: Key) -> str:
        """What is wrong, now that it was timed, with a call that was right before; its bits may be other ones."""
        found = room.ask(key.implementation, worker.changed, key)
        if found is None:
            return ""
        steps = _steps(CASES[key.case], key)
        if steps == 1:
            return self.judge.again(key, found)
        of_all_steps = room.ask(key.implementation, worker.last_step, key, steps)
        return self.judge.last_step(key, Judged(), *of_all_steps).verdict.fault

    def _look_for_peaks(self, room: Room, dtype: str) -> None:
        """What this place does at most in this format: the best of all groups, for a neighbour may hold one back."""
        at = (dtype, room.device, room.threads)
        best = self.peaks.setdefault(at, {})
        for name in FLOORS:
            if room.ask(name, floor.why_no_floor, name, room.device):
                continue
            for what, rate, kernel in room.ask(name, worker.peaks, name, dtype, room.device, ROUNDS_OF_PEAK):
                if what not in best or rate > best[what].rate:
                    best[what] = Peak(what, *at, rate, kernel)

    def _beside_peak(self, row: Row) -> Row:
        """Which limit is nearer, and the share of it that the row reaches at its best, as the peak was at its own."""
        key = row.key
        peaks = self.peaks.get((key.dtype, key.device, key.threads), {})
        if not row.samples or not peaks:
            return row
        case, itemsize = CASES[key.case], FORMATS[key.dtype].dtype.itemsize
        amounts = {"flops": case.flops(key.work), "bytes": case.bytes(key.work, itemsize)}
        least = {what: amounts[what] / peak.rate for what, peak in peaks.items()}
        bound = max(least, key=lambda what: least[what])
        return replace(row, bound_by=bound, peak_share=least[bound] / min(row.samples))

    def _with_cold(self, group: Group) -> Group:
        """The times of a process with empty caches for what compiles, and after how many steps that has paid."""
        return replace(group, rows=tuple(self._cold(row, group) for row in group.rows))

    def _cold(self, row: Row, group: Group) -> Row:
        key = row.key
        if row.verdict == "floor" or not is_compiled(self.plan, key):
            return row
        self.advance(f"{key.implementation} from nothing · {key.case} · {key.work} · {key.dtype}")
        if not row.samples:
            return row
        found = in_a_new_process(key, row.steps)
        if isinstance(found, str):
            return row
        name = subject(key.implementation).eager
        eager = next((r for r in group.rows if r.key.implementation == name and r.samples), None)
        return replace(row, cold=found, pays_after=pays_after(row, found["first"], eager))


def _steps(case: Case, key: Key) -> int:
    return case.steps if key.work == "train" else 1


@lru_cache(maxsize=1)
def shape_of(case: Case) -> Problem:
    """A problem of the case with a single example: what an implementation refuses does not depend on how many."""
    return problem(replace(case, m=1), SEED)


def is_compiled(plan: Plan, key: Key) -> bool:
    """Whether a row's compilation is timed in a process of its own: once a case, it is alike in other formats."""
    if plan.quick or key.work == "forward" or CASES[key.case].grows or not subject(key.implementation).eager:
        return False
    dtype = "float32" if "float32" in plan.dtypes else plan.dtypes[0]
    return key.device != "cpu" or (key.dtype, key.threads) == (dtype, plan.threads[0])


def in_a_new_process(key: Key, steps: int) -> dict[str, float] | str:
    """What `worker.cold` measures where neither JAX nor Inductor has anything kept."""
    with TemporaryDirectory(prefix="parity-") as empty:
        caches = {"JAX_COMPILATION_CACHE_DIR": f"{empty}/jax", "TORCHINDUCTOR_CACHE_DIR": f"{empty}/torch"}
        with worker.environment(key.threads, **caches), Pool(1) as pool:
            try:
                pool.submit(worker.settle, key.threads).result()
                return pool.submit(worker.cold, key, CASES[key.case], SEED, steps).result()
            except BrokenProcessPool:
                return DIED


def pays_after(row: Row, first: float, eager: Row | None) -> float | None:
    """After how many steps the time that compiling took is made up for; inf: never; None: nothing to compare with."""
    if eager is None:
        return None
    mine, other = median(row.samples), median(eager.samples)
    compiling = max(0.0, first - row.steps * mine)
    return compiling / (other - mine) if other > mine else float("inf")


def too_much(variant: str, case: Case, dtype: str) -> str | None:
    """Why a variant that goes example by example is not for so large a case, or None."""
    if variant == "vmap":
        least = case.m * case.weights * FORMATS[dtype].dtype.itemsize
        if 4 * least > memory():
            return f"would hold the gradients of every example at once, {least / 2**30:.0f} GiB or more"
    if variant == "loop":
        turns = case.m * (2 * case.layers[0] if case.model == "logistic_regression" else sum(case.layers[1:]))
        if turns * AN_OPERATION > PATIENCE:
            return f"would take a loop of {turns / 1e6:.0f} million turns, about {turns * AN_OPERATION:.0f} s"
    return None


def expected(plan: Plan) -> int:
    """How often `advance` is called."""
    return sum(1 + is_compiled(plan, key) for _, keys in plan.groups() for key in keys)
