"""Gradient descent side by side: what is trained, and how far each implementation got.

`parity train`: command (the options), result (what is found out), report and plots (what a person sees); steps (every
implementation takes them) and trail (what they lead to), verify (each is the exact step within the derived bound),
arbitrary and exact (the same descent in arbitrary precision), amplification (what becomes of a rounding error),
checkpoint and memory (what is kept). `parity optimum`: optimum, solvers, certificate. `parity figures`: figures.
Both draw with parity.drawing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from parity.problems import Problem

Params = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Descent:
    """Gradient descent on a problem, from the problem's own parameters.

    Attributes
    ----------
    problem : Problem
        The examples, the start, the activations and α; its own number of iterations says for how many an exact one is.
    iterations : int
        How many steps.
    dtype, device : str
        Where and in what format.
    batch_size : int or None
        How many examples a step takes; None: all of them.
    batch_seed : int
        What their order is drawn from.
    """

    problem: Problem
    iterations: int
    dtype: str = "float64"
    device: str = "cpu"
    batch_size: int | None = None
    batch_seed: int = 0

    @property
    def start(self) -> Params:
        """The problem's own parameters in the format."""
        return self.problem.inputs(self.dtype)[0]

    @property
    def exact(self) -> bool:
        """Whether every correct implementation must give the same bits, at every step."""
        return self.problem.exact and self.batch_size is None and self.iterations <= max(1, self.problem.iterations)

    @cached_property
    def batches(self) -> np.ndarray | None:
        """(iterations, batch_size): the examples of every step, as indices of columns of X; None: all of them.

        Without steps there is one batch all the same: that on which J is said.
        """
        if self.batch_size is None:
            return None
        return order_of_examples(self.problem.m, self.batch_size, max(1, self.iterations), self.batch_seed)

    def at(self, step: int, params: Params) -> Problem:
        """The problem that one step solves: from `params`, on the examples of that step."""
        if self.batches is None:
            return replace(self.problem, params=params, iterations=0)
        X, Y = (array[:, self.batches[step]] for array in (self.problem.X, self.problem.Y))
        return replace(self.problem, params=params, X=X, Y=Y, iterations=0)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides the steps but their number, as 16 hexadecimal digits."""
        decisive = (self.problem.fingerprint, self.dtype, self.batch_size, self.batch_size and self.batch_seed)
        return hashlib.sha256(repr(decisive).encode()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Reached:
    """How far one implementation got.

    Attributes
    ----------
    params : dict
        The parameters after as many steps as there are costs.
    costs : (steps,) array
        J before each update, on the examples of that step; nan where an implementation computes none.
    """

    params: Params
    costs: np.ndarray

    @property
    def steps(self) -> int:
        """The number of updates made."""
        return self.costs.size


def order_of_examples(m: int, size: int, steps: int, seed: int = 0) -> np.ndarray:
    """The examples of every step of mini-batch descent, the same for every framework.

    Each pass over the data is a permutation of 0…m−1 from NumPy's legacy generator, whose stream is frozen, cut into
    ⌊m / size⌋ batches; what is left over waits for the next permutation. size = 1 is stochastic gradient descent.

    Returns
    -------
    (steps, size) array of int

    Raises
    ------
    ValueError
        A batch cannot have so many examples.
    """
    if not 1 <= size <= m:
        raise ValueError(f"size is {size}, expected 1 to m = {m}: a batch has so many of the examples")
    rng, per_pass = np.random.RandomState(seed), m // size
    passes = [rng.permutation(m)[: per_pass * size].reshape(per_pass, size) for _ in range(-(-steps // per_pass))]
    return np.concatenate([np.empty((0, size), np.int64), *passes])[:steps]
