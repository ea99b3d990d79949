"""What is going to be timed is right: inside the derived bound, and bit for bit on an exact problem of its shape.

A worst-case bound over 60,000 terms is wide, and a small fault would pass it; on the exact problem nothing passes but
the right bits. The exact problem in turn has few numbers, all of them small integers times a constant: the bound says
that other numbers come out right as well. Only what a call returns is judged, so there is no local comparison here.

Where no bound is known (the error of elementary functions on cuda and mps, half formats), the bits decide alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from parity import rounding
from parity.bench.exact import exact
from parity.compare import BITS, DIFFERS, ROUNDING, Worst
from parity.elementary import Unmeasured, ulps
from parity.formats import FORMATS
from parity.oracle import Exact
from parity.problems import FLOATS, Problem
from parity.problems.exactness import NotExact
from parity.problems.integers import values
from parity.rounding import Arithmetic, Arrays, Unbounded


@dataclass(frozen=True)
class Verdict:
    """What came out.

    Attributes
    ----------
    verdict : str
        "rounding"; "bits" where there is no bound and the exact problem alone was looked at; "differs".
    share : float or None
        The largest share of a bound that an element reached; None without a bound, or where nothing could be compared.
    fault : str
        For one that differs: the first difference, in one line.
    """

    verdict: str
    share: float | None = None
    fault: str = ""


def judge(
    problem: Problem,
    twin: Problem,
    found: Arrays,
    found_of_twin: Arrays,
    dtype: str,
    framework: str,
    device: str,
    *,
    work: str = "step",
) -> Verdict:
    """Whether what one call computed of a problem and of its exact twin is right.

    Parameters
    ----------
    found, found_of_twin : mapping
        NumPy arrays under the notes' names, in `dtype`: J and the gradients of a step; A[L] of a forward pass; the
        parameters after one step of training, new_W1, …, with J or costs before it. More is judged where it is given.
    work : str
        Of `parity.bench.cases.WORKS`: what must be there.

    Raises
    ------
    Undecided
        The problem has no exact value.
    NotExact
        Training is asked for, and the exact problem has no update in this format.
    """
    return standards(problem, twin, dtype).judge(found, found_of_twin, framework, device, work)


@lru_cache(maxsize=1)
def standards(problem: Problem, twin: Problem, dtype: str) -> Standards:
    """Those of the case at hand, worked out once for all its implementations."""
    return Standards(problem, twin, dtype)


@dataclass(frozen=True)
class Standards:
    """What must come out in one format: worked out where it is first asked for, and then kept."""

    problem: Problem
    twin: Problem
    dtype: str
    _bounds: dict[tuple[str, str], Arrays | None] = field(default_factory=dict, repr=False)

    @cached_property
    def exact(self) -> dict[str, Exact]:
        """The exact values of the problem."""
        return exact(self.problem, self.dtype)

    @cached_property
    def bits(self) -> Arrays:
        """The only right values of its twin."""
        return {name: value.astype(FORMATS[self.dtype].dtype) for name, value in values(self.twin).items()}

    def bounds(self, framework: str, device: str) -> Arrays | None:
        """How far from the exact value each element may be, the radius of that included; None where it is not known."""
        key = framework, device
        if key not in self._bounds:
            try:
                K = ulps(framework, self.dtype, device) if self.dtype in FLOATS else None
                self._bounds[key] = self._worked_out(Arithmetic(FORMATS[self.dtype], K)) if K else None
            except (Unmeasured, Unbounded):
                self._bounds[key] = None
        return self._bounds[key]

    def _worked_out(self, arithmetic: Arithmetic) -> Arrays:
        bounds = rounding.end_to_end(self.problem, arithmetic, {name: v.high for name, v in self.exact.items()})
        return {name: bounds[name] + value.certified(arithmetic.fmt) for name, value in self.exact.items()}

    def judge(
        self,
        found: Arrays,
        found_of_twin: Arrays,
        framework: str,
        device: str,
        work: str,
        *,
        gives_cost: bool = True,
    ) -> Verdict:
        """As the function of that name; a step of one that gives no cost has gradients alone."""
        if work == "train" and self.twin.learning_rate is None:
            raise NotExact(f"{self.twin.name} has no exact update in {self.dtype}")
        found, found_of_twin = _one_step(found), _one_step(found_of_twin)
        bounds = self.bounds(framework, device)
        required = _required(self.problem, work) - (set() if gives_cost else {"J"})
        share = None
        fault = self._unfit(self.problem, found, required) or self._unfit(self.twin, found_of_twin, required)
        if not fault and bounds is not None:
            share, fault = self._outside(found, bounds)
        fault = fault or self._other_bits(found_of_twin)
        return Verdict(DIFFERS if fault else BITS if bounds is None else ROUNDING, share, fault)

    def unfit(self, found: Arrays, work: str) -> str:
        """What is wrong with the names, shapes and dtypes; empty where nothing is. No work needs J here."""
        return self._unfit(self.problem, _one_step(found), _required(self.problem, work) - {"J"})

    def judge_within(self, found: Arrays, framework: str, device: str, work: str) -> Verdict:
        """By the bound alone: of other parameters than the twin's; without a bound everything passes."""
        fault, share = self.unfit(found, work), None
        bounds = self.bounds(framework, device)
        if not fault and bounds is not None:
            share, fault = self._outside(found, bounds)
        return Verdict(DIFFERS if fault else BITS if bounds is None else ROUNDING, share, fault)

    def _unfit(self, problem: Problem, found: Arrays, required: set[str]) -> str:
        """What is missing, or of another shape or dtype, or not asked for; empty where all is as it must be."""
        whose, dtype = OF_TWIN if problem is self.twin else "", FORMATS[self.dtype].dtype
        for name in [*self.bits, *(name for name in found if name not in self.bits)]:
            if name not in found:
                if name in required:
                    return f"{name}{whose} is missing"
            elif name not in self.bits:
                return f"{name}{whose}: there is no such quantity"
            elif found[name].shape != (shape := self._shape(problem, name)):
                return f"{name}{whose} has shape {found[name].shape}, must have {shape}"
            elif found[name].dtype != dtype:
                return f"{name}{whose} has dtype {found[name].dtype}, must have {dtype}"
        return ""

    def _shape(self, problem: Problem, name: str) -> tuple[int, ...]:
        """That of the twin, but with the problem's m where there is one."""
        shape = self.bits[name].shape
        return (shape[0], problem.m) if name.lstrip("d")[0] in "ZA" else shape

    def _outside(self, found: Arrays, bounds: Arrays) -> tuple[float, str]:
        """The largest share of a bound, and the first quantity that exceeds its own."""
        shares, fault = [0.0], ""
        for name in (name for name in self.exact if name in found):
            computed, true = found[name].astype(np.float64), self.exact[name]
            worst = Worst.of(computed, true.high, np.abs(true.error_of(computed)), bounds[name])
            shares.append(worst.share)
            if not (fault or worst.inside):
                at = _element(name, worst.index)
                fault = f"{at} is {worst.value!r}, must be {worst.target!r} within {worst.bound:.2g}"
        return float(np.max(shares)), fault

    def _other_bits(self, found: Arrays) -> str:
        """The first element of the exact problem that is not what it must be; the sign of a zero is not looked at."""
        for name in (name for name in self.bits if name in found):
            other = found[name] != self.bits[name]
            if np.any(other):
                index = tuple(int(i) for i in np.unravel_index(np.argmax(other), other.shape))
                value, true = float(found[name][index]), float(self.bits[name][index])
                return f"{_element(name, index)}{OF_TWIN} is {value!r}, must be {true!r}"
        return ""


OF_TWIN = " of the exact problem"


def _element(name: str, index: tuple[int, ...]) -> str:
    return f"{name}{list(index)}" if index else name


def _required(problem: Problem, work: str) -> set[str]:
    """What a work gives."""
    if work == "forward":
        return {"A" if problem.model == "logistic_regression" else f"A{len(problem.activations)}"}
    if work == "train":
        return {f"new_{name}" for name in problem.params}
    return {"J", *(f"d{name}" for name in problem.params)}


def _one_step(found: Arrays) -> Arrays:
    """With the first of the costs of a training as J."""
    if "costs" not in found:
        return dict(found)
    rest = {name: value for name, value in found.items() if name != "costs"}
    return rest | {"J": found["costs"].reshape(-1)[:1].reshape(())} if found["costs"].size else rest
