"""The judge of a run: the problem of the case at hand, its exact twin, and a verdict for every row."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from parity.bench.cases import CASES, Case
from parity.bench.contrasts import subject
from parity.bench.problems import problem, twin
from parity.bench.results import Key
from parity.bench.verify import Standards, Verdict, standards
from parity.compare import DIFFERS
from parity.implementations import Quantities
from parity.oracle import Undecided
from parity.problems import Problem
from parity.problems.exactness import NotExact


@dataclass(frozen=True)
class Judged:
    """A verdict, or why there is none: no exact value, or no exact problem."""

    verdict: Verdict = field(default_factory=lambda: Verdict(""))
    skipped: str = ""

    @property
    def differs(self) -> bool:
        """Whether it must not be timed."""
        return self.verdict.verdict == DIFFERS


class Judge:
    """Judges the rows of one case after the other.

    Parameters
    ----------
    seed : int
        What the problems are drawn from.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.problem = lru_cache(maxsize=1)(self._problem)
        self.twin = lru_cache(maxsize=1)(twin)

    def _problem(self, case: Case) -> Problem:
        return problem(case, self.seed)

    def work_out(self, key: Key) -> None:
        """What every row of its case and format is held against; what cannot be is told when one is judged."""
        case = CASES[key.case]
        with suppress(Undecided, NotExact):
            of_case = standards(self.problem(case), self.twin(case, key.dtype), key.dtype)
            of_case.bounds(subject(key.implementation).framework, key.device)
            assert of_case.bits

    def __call__(self, key: Key, found: Quantities, of_twin: Quantities) -> Judged:
        """The verdict on what a row computed of the problem and of its twin."""
        case, implementation = CASES[key.case], subject(key.implementation)
        try:
            of_case = standards(self.problem(case), self.twin(case, key.dtype), key.dtype)
            where, gives_cost = (implementation.framework, key.device, key.work), implementation.gives_cost
            return Judged(of_case.judge(found, of_twin, *where, gives_cost=gives_cost))
        except (Undecided, NotExact) as reason:
            return Judged(skipped=str(reason))

    def again(self, key: Key, found: Quantities) -> str:
        """What is wrong with a step or a pass whose bits are other ones than those that were judged, by the bound."""
        case, implementation = CASES[key.case], subject(key.implementation)
        of_case = standards(self.problem(case), self.twin(case, key.dtype), key.dtype)
        return of_case.judge_within(found, implementation.framework, key.device, key.work).fault

    def last_step(self, key: Key, first: Judged, before: Quantities, after: Quantities) -> Judged:
        """The verdict on training, whose first step is right: it must have taken the same way, and the last be right.

        Parameters
        ----------
        before, after : dict
            What it came to with one step less, and with all.
        """
        case = CASES[key.case]
        timed = self.problem(case)
        fault = _other_way(before.get("costs"), after.get("costs"), case.steps)
        fault = fault or standards(timed, self.twin(case, key.dtype), key.dtype).unfit(before, key.work)
        if fault:
            return Judged(replace(first.verdict, verdict=DIFFERS, fault=fault))
        params = {name: before[f"new_{name}"].astype(np.float64) for name in timed.params}
        found = {name: value for name, value in after.items() if name != "costs"}
        if "costs" in after:
            found["J"] = after["costs"][-1:].reshape(())
        of_last = Standards(replace(timed, params=params), self.twin(case, key.dtype), key.dtype)
        try:
            verdict = of_last.judge_within(found, subject(key.implementation).framework, key.device, key.work)
        except Undecided as reason:
            return Judged(skipped=str(reason))
        fault = f"after all steps but one: {verdict.fault}" if verdict.fault else ""
        shares = [share for share in (first.verdict.share, verdict.share) if share is not None]
        return Judged(Verdict(verdict.verdict, max(shares, default=None), fault))


def _other_way(before: np.ndarray | None, after: np.ndarray | None, steps: int) -> str:
    """What is wrong with the number of costs; or the first step at which training with one step less had another J."""
    if before is None and after is None:
        return ""
    for costs, of in ((before, steps - 1), (after, steps)):
        shape = None if costs is None else costs.shape
        if shape != (of,):
            return f"costs of {of} steps has shape {shape}, must have ({of},)"
    assert before is not None
    assert after is not None
    if np.array_equal(before, after[:-1]):
        return ""
    i = int(np.argmax(before != after[:-1]))
    return f"J before step {i} is {float(after[i])!r}, with one step less {float(before[i])!r}"
