"""Verdicts: what an implementation computed, against the exact value and the bound that rounding alone can reach.

1. bits      every element is the exact value rounded to nearest. Required on exact problems. The sign of a zero is not
             looked at: it says whether a mask multiplied or selected.
2. rounding  every element is within its bound of the exact value, and within its local bound of what its formula makes
             of the implementation's own inputs to it. Required on all other problems.
3. differs   neither.

A value outside what is probable, but inside what is possible, is marked unusual; that is no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from parity import local, rounding
from parity.elementary import ulps
from parity.formats import FORMATS, Format
from parity.oracle import Exact, exact
from parity.problems import NETWORKS, Problem
from parity.resemblance import Difference, resemblance
from parity.rounding import Arithmetic, Arrays

BITS, ROUNDING, DIFFERS = "bits", "rounding", "differs"
MISSING, BEFORE = "nothing: it is missing", "what its own inputs give: the mistake is before it"


@dataclass(frozen=True)
class Worst:
    """The element of a quantity that is furthest beyond its bound, or nearest to it.

    Attributes
    ----------
    index : tuple of int
        Where.
    value, target, error, bound : float
        What was computed, what should have been, how far apart they are and may be.
    share : float
        The error as a share of the bound; nan where a nan was computed, 0 where there is no error.
    inside : bool
        Whether every element is finite and within its bound.
    """

    index: tuple[int, ...]
    value: float
    target: float
    error: float
    bound: float
    share: float
    inside: bool

    @classmethod
    def of(cls, computed: np.ndarray, target: np.ndarray, error: np.ndarray, bound: np.ndarray) -> Worst:
        """The worst of the elements of these arrays, which have one shape."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = np.where(error == 0, 0.0, error / bound)  # a nan, wherever it comes from, stays one and is worst
        at = int(np.argmax(share))
        index = tuple(int(i) for i in np.unravel_index(at, share.shape))
        value, wanted, off, reach, part = (float(a.flat[at]) for a in (computed, target, error, bound, share))
        inside = bool(np.all(np.isfinite(computed) & (error <= bound)))
        return cls(index, value, wanted, off, reach, part, inside)


@dataclass(frozen=True)
class Comparison:
    """The verdict on one quantity.

    Attributes
    ----------
    quantity, verdict : str
        Its name in the notes; bits, rounding or differs.
    ulps, element_ulps : float
        The worst error in units in the last place of the quantity's largest element, and of the element itself.
    yardstick : float
        The worst error as a share of one and the same bound for all implementations: that with the largest K.
    end_to_end : Worst or None
        Against the exact value; None where there is nothing to compare.
    local : Worst or None
        Against the formula applied to the implementation's own inputs; None where these are not all known.
    sees : float
        The relative size from which on a change of an element is outside a bound, whatever rounding did: the median
        over the elements; nan where there is none.
    unusual : bool
        Whether an element is outside what is probable, γ_n with √n for n.
    follows : bool
        For a quantity that differs after another one: whether it is right for its own inputs.
    looks_like : str
        For a quantity that differs: what the difference matches, or "unknown".
    """

    quantity: str
    verdict: str
    ulps: float = np.inf
    element_ulps: float = np.inf
    yardstick: float = np.inf
    end_to_end: Worst | None = None
    local: Worst | None = None
    sees: float = np.nan
    unusual: bool = False
    follows: bool = False
    looks_like: str = ""

    @property
    def share(self) -> float:
        """The largest share of either bound; 0 for bits."""
        if self.verdict == BITS:
            return 0.0
        return max((worst.share for worst in (self.end_to_end, self.local) if worst), default=np.inf)

    @property
    def worst(self) -> Worst | None:
        """What the verdict rests on: the local comparison where only that is outside, else the one end to end."""
        if self.local and not self.local.inside and self.end_to_end and self.end_to_end.inside:
            return self.local
        return self.end_to_end


@dataclass(frozen=True)
class Allowed:
    """The value that a quantity should have, and how far rounding may take it from there.

    Attributes
    ----------
    target : Exact or array
        The exact value, or the local target in longdouble.
    bound, probable : array
        The worst case, and what is probable.
    """

    target: Exact | np.ndarray
    bound: np.ndarray
    probable: np.ndarray

    @property
    def value(self) -> np.ndarray:
        """The target in float64."""
        if isinstance(self.target, Exact):
            return self.target.high
        with np.errstate(over="ignore"):
            return self.target.astype(np.float64)

    def at(self, computed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The target, the error of what was computed, and the bound."""
        return self.value, self.error_of(computed), self.bound

    def error_of(self, computed: np.ndarray) -> np.ndarray:
        """|computed − target|."""
        if isinstance(self.target, Exact):
            return np.abs(self.target.error_of(computed))
        with np.errstate(invalid="ignore", over="ignore"):
            return np.abs(computed - self.target).astype(np.float64)


@dataclass(frozen=True)
class Standard:
    """What the quantities of a problem in one format must be: exact values, and the bounds that belong to some K.

    Attributes
    ----------
    exact : dict
        Worked out once, whatever the implementation.
    arithmetic : Arithmetic
        The format, and the K of the implementation that is judged.
    bounds, probable, yardstick : dict
        The worst case end to end, what is probable, and the worst case with the largest K there is; empty on an exact
        problem, which needs none.
    """

    problem: Problem
    exact: dict[str, Exact]
    arithmetic: Arithmetic
    bounds: Arrays = field(default_factory=dict)
    probable: Arrays = field(default_factory=dict)
    yardstick: Arrays = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem, dtype: str, framework: str = "", device: str = "cpu") -> Standard:
        """The standard of `problem` in `dtype`, for a framework's elementary functions; without one, for the worst.

        Raises
        ------
        Undecided
            There is no exact value.
        Unmeasured, Unbounded
            Nothing is known of elementary functions in this format on this device, or a sum may overflow: no bound.
        """
        fmt, values = FORMATS[dtype], exact(problem, dtype)
        if problem.exact:
            return cls(problem, values, Arithmetic(fmt, ulps("", dtype)))  # for what follows from a mistake
        largest = cls(problem, values, Arithmetic(fmt, ulps("", dtype, device)))
        return replace(largest, yardstick=largest._end_to_end(largest.arithmetic)).seen_by(framework, device)

    @property
    def fmt(self) -> Format:
        """The format under test."""
        return self.arithmetic.fmt

    def seen_by(self, framework: str, device: str = "cpu") -> Standard:
        """The same exact values with the bounds that belong to a framework's elementary functions.

        Raises
        ------
        Unmeasured
            As in `of`.
        """
        if self.problem.exact:
            return self
        arithmetic = Arithmetic(self.fmt, ulps(framework, self.fmt.name, device))
        bounds, probable = self._end_to_end(arithmetic), self._end_to_end(self._likely(arithmetic))
        return replace(self, arithmetic=arithmetic, bounds=bounds, probable=probable)

    def compare(self, found: Arrays, *, whole: bool = False) -> Iterator[Comparison]:
        """A verdict for every quantity found, in the order of computation; with `whole`, for what is missing, too."""
        order = {name: i for i, name in enumerate(self.exact)}
        names = set(found) | (set(self.exact) if whole else set())
        unfit = {name: self._unfit(name, found[name]) if name in found else MISSING for name in names}
        own = {name: found[name].astype(np.float64) for name in found if not unfit[name]}
        right = self.problem.exact and all(self._same(own[name], self._globally(name)) for name in own)
        locally = {} if right else self.locally(own)
        mistaken = False
        for name in sorted(names, key=lambda name: (order.get(name, -1), name)):
            if unfit[name]:
                comparison = Comparison(name, DIFFERS, looks_like=unfit[name])
            else:
                comparison = self._compare(name, own, locally.get(name), mistaken)
            mistaken |= comparison.verdict == DIFFERS
            yield comparison

    def compare_one(self, name: str, value: np.ndarray) -> Comparison:
        """The verdict on one quantity whose inputs are not known."""
        return next(self.compare({name: value}))

    def locally(self, own: Arrays) -> dict[str, Allowed]:
        """For every quantity of `own` whose inputs are known: what its formula makes of them, and the local bounds."""
        if self.problem.model not in NETWORKS or self.problem.iterations:
            return {}
        targets = local.targets(self.problem, self.fmt.name, own)
        targets = {name: target for name, target in targets.items() if np.all(np.isfinite(target))}
        with np.errstate(over="ignore"):
            values = {name: target.astype(np.float64) for name, target in targets.items()}
        bounds, probable = (
            rounding.local(self.problem, arithmetic, own, values)
            for arithmetic in (self.arithmetic, self._likely(self.arithmetic))
        )
        grown = local.witness(self.fmt)
        return {name: Allowed(t, bounds[name] * grown, probable[name] * grown) for name, t in targets.items()}

    def _globally(self, name: str) -> Allowed:
        """The exact value, the certified error of the oracle being part of the bound."""
        true = self.exact[name]
        if self.problem.exact:
            return Allowed(true, *self._nothing(true.high))
        certified = true.certified(self.fmt)
        return Allowed(true, self.bounds[name] + certified, self.probable[name] + certified)

    def _end_to_end(self, arithmetic: Arithmetic) -> Arrays:
        return rounding.end_to_end(self.problem, arithmetic, {name: v.high for name, v in self.exact.items()})

    def _likely(self, arithmetic: Arithmetic) -> Arithmetic:
        return arithmetic.probable(rounding.roundings(self.problem))

    @staticmethod
    def _nothing(like: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The bounds on an exact problem."""
        return np.zeros(like.shape), np.zeros(like.shape)

    def _unfit(self, name: str, value: np.ndarray) -> str:
        """Why a value cannot be compared element by element; empty where it can."""
        if name not in self.exact:
            return f"{self.problem.name} has no {name}"
        if value.shape != self.exact[name].high.shape:
            return f"shape {value.shape}, not {self.exact[name].high.shape}"
        return f"dtype {value.dtype}, not {self.fmt.name}" if value.dtype != self.fmt.dtype else ""

    def _compare(self, name: str, own: Arrays, locally: Allowed | None, mistaken: bool) -> Comparison:
        """The verdict on `own[name]`, which has the right shape and dtype; `mistaken`: something before it differs."""
        computed, globally = own[name], self._globally(name)
        error, ulp = globally.error_of(computed), self.fmt.ulp(globally.value)
        with np.errstate(over="ignore"):  # in units of a zero's last place
            ulps, element_ulps = float(np.max(error) / np.max(ulp)), float(np.max(error / ulp))
        end_to_end = Worst.of(computed, globally.value, error, globally.bound)
        found = Comparison(name, BITS, ulps, element_ulps, 0.0, end_to_end)
        same = self._same(computed, globally)
        if self.problem.exact:
            if same:
                return found
            follows = locally is not None and Worst.of(computed, *locally.at(computed)).inside
        else:
            local_error = locally.error_of(computed) if locally else error
            bound, probable = globally.bound, error <= globally.probable
            if locally:
                found = replace(found, local=Worst.of(computed, *locally.at(computed)))
                bound, probable = np.minimum(bound, locally.bound), probable & (local_error <= locally.probable)
            yardstick = Worst.of(computed, globally.value, error, self.yardstick[name]).share
            found = replace(found, yardstick=yardstick, sees=_sees(bound, globally.value))
            if same:
                return found
            if end_to_end.inside and (found.local is None or found.local.inside):
                return replace(found, verdict=ROUNDING, unusual=not np.all(probable))
            follows = found.local is not None and found.local.inside
        if follows and mistaken:
            return replace(found, verdict=DIFFERS, follows=True, looks_like=BEFORE)
        at, inputs = locally or globally, {n: v.high for n, v in self.exact.items()} | own
        bound = np.zeros(computed.shape) if self.problem.exact else at.bound
        looks_like = resemblance(Difference(self.problem, self.fmt, name, computed, at.value, bound, inputs))
        return replace(found, verdict=DIFFERS, looks_like=looks_like)

    def _same(self, computed: np.ndarray, allowed: Allowed) -> bool:
        """Whether every element is the target, rounded to nearest."""
        with np.errstate(over="ignore"):
            return np.array_equal(computed, allowed.value.astype(self.fmt.dtype).astype(np.float64))


def _sees(bound: np.ndarray, value: np.ndarray) -> float:
    """Rounding may have used up the bound to one side, so that a change is sure to be outside from twice that on."""
    known = value != 0
    with np.errstate(over="ignore"):
        return float(np.median(2 * bound[known] / np.abs(value[known]))) if np.any(known) else np.nan
