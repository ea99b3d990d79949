"""The inputs of a case: what is timed, and an exact problem of the same shape.

What is timed is drawn: standard normal X, the labels of a random teacher, a tenth of them decided by a coin.

An exact problem (`parity.problems.exactness`) of a given shape is built so that its sums stay in range and hardly an
element of a gradient is zero, whatever the depth:

- X holds small integers ≥ 0, W small integers ≠ 0 in a few places of each row, but in every column.
- Every unit has a sign, and W[k, j] has the product of those of its two units. All paths from a unit to the output
  then have that unit's sign, and no term of dZ cancels another. Half of a row is negative all the same, and b moves
  the median of Z to about 0, so that half of the units are inactive; tanh is 0 there, and saturated elsewhere.
- The output layer is scaled by 1536 with bias ±768, hence |Z[L]| ≥ 768. Labels are the network's own decisions, those
  flipped that stand first and last in a block of examples and one between them at which A[L] = 1: two of three flips,
  on average, have one sign, so that the sums over examples do not vanish either. Blocks begin at powers of two: every
  larger block begins and ends with a flipped label as well, and what leaves an example out there, or takes it twice,
  shows.
- α is a power of two with which the steps of all layers are multiples of numbers of like size.

In float64, X and b are a multiple of a number with as many bits as there is room for; what is computed in float32 on
the way is then found. bfloat16 and float16 hold little: what fits of the recipes in `_RECIPES` is taken, the first the
richest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parity.bench.cases import Case
from parity.formats import FORMATS
from parity.oracle import SATURATED
from parity.problems import Problem
from parity.problems.exactness import NotExact, prove
from parity.problems.integers import LIMITS, values
from parity.problems.parameters import draw, flat

SEED = 1
LEARNING_RATE = 0.125

Arrays = dict[str, np.ndarray]


def problem(case: Case, seed: int = SEED) -> Problem:
    """What is timed."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((case.layers[0], case.m))
    teacher = rng.standard_normal((case.layers[-1], case.layers[0]))
    X.setflags(write=False)
    by_coin = rng.randint(0, 10, (case.layers[-1], case.m)) == 0
    Y = np.where(by_coin, rng.randint(0, 2, by_coin.shape), teacher @ X > 0).astype(np.float64)
    return Problem(
        case.name, case.model, "bench", X, Y, draw(case.model, case.layers, seed), case.activations, LEARNING_RATE,
        dtypes=tuple(FORMATS), source=f"drawn by parity/bench/problems.py, seed {seed}",
    )  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How many bits the sums of an exact problem may need.

    Attributes
    ----------
    largest_x, largest_w : int
        Inputs are integers from 0 to this, weights from 1 to this but for their sign.
    few : int
        How often every row and every column of W has a weight, at least; a single row has one everywhere.
    flips : int
        About how many labels are flipped, at most.
    inputs : int
        How many inputs of an example may be other than zero; 0: all.
    """

    largest_x: int
    largest_w: int
    few: int
    flips: int
    inputs: int = 0


_WIDE = (Recipe(3, 2, 3, 3072), Recipe(3, 1, 3, 3072), Recipe(1, 1, 2, 1536))
_NARROW = (Recipe(1, 1, 2, 24, 4), Recipe(1, 1, 1, 24, 4), Recipe(1, 1, 1, 24, 2), Recipe(1, 1, 1, 6, 2))
_RECIPES = {"float64": _WIDE, "float32": _WIDE, "bfloat16": _NARROW, "float16": _NARROW}

DRAWS = 8
"""So many seeds are tried for one with which no gradient has a zero: of a few examples some cancel."""

ROOM = 27
"""Bits that float64 has beside those of float32, but for one that the proof needs and one of the factor 2^27 + 1."""

SMALL = 2**14
"""Elements of X up to which several seeds are tried."""

UNIT = 512
"""The power of two in 1536."""

BEGINNING = 1024
"""So many examples are enough for a median."""


def twin(case: Case, dtype: str) -> Problem:
    """An exact problem with the layers of `case`, m being the next power of two where it is none, in one format.

    Raises
    ------
    NotExact
        There is none in `dtype`, or none is known.
    """
    m, fmt = 1 << (case.m - 1).bit_length(), FORMATS[dtype]
    if 1 / m < fmt.smallest_normal:
        raise NotExact(f"no problem of the shape {case.name} is exact in {dtype}: 1/{m} is no normal number")
    for recipe in _RECIPES[dtype]:
        for rate in (m / UNIT, None):
            draws = DRAWS if case.layers[0] * m <= SMALL else 1
            found = [p for seed in range(SEED, SEED + draws) if (p := _proven(case, m, dtype, recipe, rate, seed))]
            if found:
                return max(found, key=_share_of_non_zeros)
    raise NotExact(f"no exact problem of the shape {case.name} is known in {dtype}")


def _proven(case: Case, m: int, dtype: str, recipe: Recipe, rate: float | None, seed: int) -> Problem | None:
    """The problem of a recipe, or None where something rounds."""
    found = _built(case, m, dtype, recipe, rate, seed)
    try:
        prove(found, values=values, may_be_alike=True)
    except NotExact:
        return None
    return found


def _share_of_non_zeros(problem: Problem) -> float:
    """Of the elements of all gradients."""
    found = values(problem)
    return float(np.mean(np.concatenate([found[f"d{name}"].ravel() for name in problem.params]) != 0))


def _built(case: Case, m: int, dtype: str, recipe: Recipe, rate: float | None, seed: int) -> Problem:
    """The problem of a recipe, before its proof."""
    rng = np.random.RandomState(seed)
    X = _inputs(rng, (case.layers[0], m), recipe)
    params, A = _network(rng, case, recipe, X)
    Y = _flipped(A, recipe.flips)
    if dtype == "float64":
        _fill(params, X, case.activations)
    return Problem(
        f"{case.name}-exact", case.model, "bench", X, Y,
        flat(params) if case.model == "logistic_regression" else params,
        case.activations, rate, dtypes=(dtype,), exact=True, source=f"built by parity/bench/problems.py, seed {seed}",
    )  # fmt: skip


def _inputs(rng: np.random.RandomState, shape: tuple[int, int], recipe: Recipe) -> np.ndarray:
    if not recipe.inputs:
        return rng.randint(0, recipe.largest_x + 1, shape, dtype=np.int8).astype(np.float64)
    X, examples = np.zeros(shape), np.arange(shape[1])
    for _ in range(recipe.inputs):
        X[rng.randint(0, shape[0], shape[1]), examples] = rng.randint(0, recipe.largest_x + 1, shape[1])
    return X


def _network(rng: np.random.RandomState, case: Case, recipe: Recipe, X: np.ndarray) -> tuple[Arrays, np.ndarray]:
    """W and b, and A[L]."""
    params: Arrays = {}
    A, sign = X, rng.permutation(_alternating(X.shape[0]))
    for l, g in enumerate(case.activations, start=1):
        n, last = case.layers[l], l == len(case.activations)
        of_units = np.ones(n) if last else rng.permutation(_alternating(n))
        W = _weights(rng, (n, len(sign)), recipe) * np.outer(of_units, sign)
        T = W @ A
        b = rng.choice([-1 / 2, 1 / 2], (n, 1)) if last else -np.rint(np.median(T[:, :BEGINNING], 1, keepdims=True))
        unit = 2 * SATURATED if last else 1024 if g in ("tanh", "sigmoid") else 1
        params |= {f"W{l}": W * unit, f"b{l}": b * unit}
        A, sign = LIMITS[g][0](T + b), of_units
    return params, A


def _alternating(n: int) -> np.ndarray:
    return np.where(np.arange(n) % 2, -1.0, 1.0)


def _weights(rng: np.random.RandomState, shape: tuple[int, int], recipe: Recipe) -> np.ndarray:
    """Positive integers, a few in every row and in every column; everywhere in a single row."""
    n, n_prev = shape
    integers = rng.randint(1, recipe.largest_w + 1, shape).astype(np.float64)
    if n == 1:
        return integers
    cells, chosen = np.arange(max(shape)), np.zeros(shape, bool)
    for _ in range(recipe.few):
        chosen[cells % n, rng.permutation(len(cells)) % n_prev] = True
    return integers * chosen


def _flipped(A: np.ndarray, flips: int) -> np.ndarray:
    """The decisions A, three of them flipped in every block of examples."""
    m = A.shape[1]
    blocks = np.arange(m).reshape(-1, min(m, max(8, 1 << (3 * m // flips - 1).bit_length())))
    Y = A.copy()
    for y in Y:
        inner = blocks[:, 1:-1]
        positive = inner[np.arange(len(inner)), np.argmax(y[inner], axis=1)] if inner.size else blocks[:, 0]
        at = np.unique([blocks[:, 0], blocks[:, -1], positive])
        y[at] = 1 - y[at]
    return Y


def _fill(params: Arrays, X: np.ndarray, activations: tuple[str, ...]) -> None:
    """Multiply X and b by a number of many bits, in place; behind a saturated activation, W and b by another."""
    saturated = [g in ("tanh", "sigmoid") for g in activations[:-1]]
    factor = 2.0 ** (ROOM // (1 + sum(saturated))) + 1
    X *= factor
    for l in range(1, len(activations) + 1):
        params[f"b{l}"] *= factor
        if l > 1 and saturated[l - 2]:
            params[f"W{l}"] *= factor
