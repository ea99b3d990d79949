"""What an implementation passes through, as far as it is known: parameters, costs, and the verdict on every step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parity.training import Descent, Params, Reached
from parity.training.verify import Finding, Witnessed

MOST_BYTES = 2**28
"""Of parameters in one trail; of a longer one only the end is kept, and it has no global comparison."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some steps of one implementation.

    Attributes
    ----------
    params : dict
        (steps + 1, *shape): the parameters before the first step and after each.
    costs : (steps,) array
        J before each, nan where an implementation computes none.
    diverged : str
        The quantity of the last step that is not finite; empty where all are.
    failed : str
        What it raised in place of another step.
    """

    params: Params
    costs: np.ndarray
    diverged: str = ""
    failed: str = ""


@dataclass(eq=False)
class Trail:
    """What one implementation passed through.

    Attributes
    ----------
    implementation : str
    first : int
        The steps that were made before this trail begins: more than 0 where it was resumed.
    params : dict
        (steps + 1, *shape), the start included; only the end where the whole is larger than `MOST_BYTES`.
    costs : array
        J before each step from the very first on, nan where an implementation computes none.
    errors : dict
        (steps, *shape): the rounding error of each step.
    values : (steps,) array
        J before each step of this trail in float64, evaluated by the witness at the implementation's parameters.
    share : (steps,) array
        The largest share of its bound that a step takes; nan where it has no bound.
    nearest : Finding or None
        The first step outside its bound, or the one that came nearest.
    outside : int or None
        The first step outside its bound.
    unbounded, skipped, failed, diverged : str
        Why steps are held to no bound; why it did not run; what it raised; what is not finite after the last step.
    one_go : bool or None
        Whether `train`, called once for all steps, gives the same bits; None where it was not.
    wrong_in_one_go : Finding or None
        Where it gives others: the first of the steps looked at (`some_of`) that is outside its bound.
    """

    implementation: str
    first: int
    params: Params
    costs: np.ndarray
    errors: Params
    values: np.ndarray
    share: np.ndarray
    nearest: Finding | None = None
    outside: int | None = None
    unbounded: str = ""
    skipped: str = ""
    failed: str = ""
    diverged: str = ""
    one_go: bool | None = None
    wrong_in_one_go: Finding | None = None

    @classmethod
    def starting(cls, implementation: str, descent: Descent, reached: Reached | None) -> Trail:
        """No step yet: at the problem's own parameters, or where a checkpoint has it."""
        params = descent.start if reached is None else reached.params
        costs = np.empty(0, next(iter(params.values())).dtype) if reached is None else reached.costs
        history = {name: p[None] for name, p in params.items()}
        errors = {name: np.empty((0, *p.shape)) for name, p in params.items()}
        return cls(implementation, costs.size, history, costs, errors, np.empty(0), np.empty(0))

    @property
    def steps(self) -> int:
        """How many steps were made in all."""
        return self.costs.size

    def at(self, step: int) -> Params:
        """The parameters after so many steps of this trail."""
        return {name: history[step] for name, history in self.params.items()}

    @property
    def whole(self) -> bool:
        """Whether the parameters of every step of it are there, and all were verified."""
        return len(next(iter(self.params.values()))) == self.steps - self.first + 1 == len(self.share) + 1

    @property
    def right(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.outside is None and self.wrong_in_one_go is None and not self.failed and not self.diverged

    @property
    def verified(self) -> int:
        """How many of its steps were held to a bound."""
        return int(np.count_nonzero(~np.isnan(self.share)))

    @property
    def reached(self) -> Reached:
        """What a checkpoint keeps."""
        return Reached(self.at(-1), self.costs)

    def extend(self, stretch: Stretch) -> None:
        """With the steps of a stretch that begins where the trail ends."""
        self.costs = np.concatenate([self.costs, stretch.costs])
        whole = self._fits()
        for name, history in stretch.params.items():
            self.params[name] = np.concatenate([self.params[name], history[1:]]) if whole else history[-1:]
        self.diverged, self.failed = stretch.diverged, stretch.failed

    def _fits(self) -> bool:
        return sum(p[0].nbytes for p in self.params.values()) * (self.steps - self.first + 1) <= MOST_BYTES

    def judge(self, found: Witnessed) -> None:
        """With the verdict on its next steps."""
        self.share = np.concatenate([self.share, found.share])
        self.values = np.concatenate([self.values, found.values])
        self.unbounded = self.unbounded or found.unbounded
        if self._fits():
            self.errors = {name: np.concatenate([self.errors[name], e]) for name, e in found.errors.items()}
        if self.outside is None and (
            found.outside is not None
            or self.nearest is None
            or (found.nearest is not None and found.nearest.worst.share > self.nearest.worst.share)
        ):
            self.nearest, self.outside = found.nearest, found.outside
