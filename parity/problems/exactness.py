"""The proof that a problem is exact: nothing in it ever rounds, so every correct implementation gives the same bits.

A sum is exact in any order, with or without fused multiply-add, when all its terms are multiples of one power of two q
and their absolute values add up to no more than 2^p q: every partial sum is then an integer number of q that p bits
hold. The proof checks that for every inner product of the forward and backward pass, with the factor 1/m before the
sum and after it, for the cost and for the update, and that every operand and every result is representable. Elementary
functions are exact because their arguments are 0 or at least 768 in size, where e^−|z| is zero in every format.

The proof itself computes in float64. The sum of absolute values is exact as long as it is no more than 2^53 q; the
first of its partial sums to be more is rounded to no less than 2^53 q, and the rest only adds to it. So one that comes
out as 2^52 q or less is what it should be, and 2^52 is what float64 is held to.

For q stands first the lowest bit of a whole row times that of a whole column, and one matrix product shows all sums of
a quantity; only where that is too coarse, and the problem small, every sum is looked at term by term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from parity.formats import FORMATS, Format
from parity.oracle import SATURATED, exact
from parity.problems import Problem
from parity.problems.parameters import layered

Arrays = dict[str, np.ndarray]

MOST_TERMS = 2**24
"""Of so many terms, and no more, each is looked at by itself: 128 MiB in float64."""

BLOCK = 2**20
"""Larger arrays are read row by row, so that what is made of a row stays in the cache."""


class NotExact(ValueError):
    """A problem that claims to be exact has a step that can round, or is degenerate."""


def narrowest(problem: Problem) -> list[Format]:
    """The format of fewest bits and that of least range: what is exact in both is exact in all that it uses."""
    formats = [FORMATS[name] for name in problem.dtypes]
    extremes = {min(formats, key=lambda f: f.p), min(formats, key=lambda f: f.largest)}
    return sorted(extremes, key=lambda f: f.p)


def prove(
    problem: Problem,
    *,
    values: Callable[[Problem], Arrays] | None = None,
    may_be_degenerate: bool = False,
    may_be_alike: bool = False,
) -> None:
    """Check every step of `problem` in the narrowest of its formats, and that its gradients tell mistakes apart.

    Parameters
    ----------
    values : callable or None
        What gives the exact values of a problem without iterations, if its steps are exact; None for the oracle.
    may_be_degenerate, may_be_alike : bool
        Gradients may be zero; sizes, rows and columns may be equal, as in a problem whose shape is given.

    Raises
    ------
    NotExact
        Names the step, the format and what does not fit, or what makes the problem degenerate.
    """
    _check_powers_of_two(problem)
    if not (may_be_degenerate or may_be_alike):
        _check_sizes(problem)
    for fmt in narrowest(problem):
        now = replace(problem, iterations=0) if problem.iterations else problem
        for step in range(max(problem.iterations, 1)):
            found = values(now) if values else {name: value.high for name, value in exact(now, fmt.name).items()}
            for what, ok in _steps(now, fmt, found):
                if not ok:
                    raise NotExact(f"{problem.name} is not exact in {fmt.name}: {what} rounds (step {step})")
            if not may_be_degenerate:
                _check_gradients(problem, found, alike=may_be_alike or step > 0)
            if problem.iterations:
                now = replace(now, params={name: found.get(f"new_{name}", p) for name, p in now.params.items()})


def _steps(problem: Problem, fmt: Format, values: Arrays) -> Iterator[tuple[str, bool]]:
    """Every step by name, and whether it is exact."""
    params, X = dict(problem.params), problem.X
    v = dict(values)
    if problem.model == "logistic_regression":
        v = {name + "1": value for name, value in v.items()} | {"J": v["J"], "dW1": v["dw"].T}
        params = layered(params)
    v["A0"], m, L = X, problem.m, len(problem.activations)
    A, ones = {l: _Operand(v[f"A{l}"]) for l in range(L)}, _Operand(np.ones((1, m))).T
    for name, array in ({"X": X} | dict(problem.params)).items():
        yield f"the value of {name}", _fits(array, fmt)
    for l, g in enumerate(problem.activations, start=1):
        Z = v[f"Z{l}"]
        yield f"Z{l} = W{l} A{l - 1} + b{l}", _sums(_Operand(params[f"W{l}"]), A[l - 1], fmt, params[f"b{l}"])
        if g in ("sigmoid", "tanh"):
            at_zero = (Z == 0) & (l < L)
            yield f"A{l} = {g}(Z{l})", bool(np.all(at_zero | (np.abs(Z) >= SATURATED)))
        if g == "leaky_relu":
            yield f"A{l} = leaky_relu(Z{l})", bool(np.all(Z > 0))
    for name, array in values.items():
        yield f"the value of {name}", _fits(array, fmt)
    for scale in (1, m):  # 1/m after the sum, 1/m before it
        losses = np.abs(v[f"Z{L}"] * v[f"dZ{L}"]).reshape(1, -1) / scale  # |z| where a is wrong, 0 where it is right
        yield "J", _sums(_Operand(losses), _Operand(np.ones_like(losses)).T, fmt)
        for l in range(L, 0, -1):
            dZ = _Operand(v[f"dZ{l}"] / scale)
            yield f"dZ{l}", _fits(dZ.array, fmt)
            yield f"dW{l}", _sums(dZ, A[l - 1].T, fmt)
            yield f"db{l}", _sums(dZ, ones, fmt)
            if l > 1:
                yield f"dA{l - 1}", _sums(_Operand(params[f"W{l}"]).T, dZ, fmt)
    if problem.learning_rate is None:
        return
    rate = np.array([[problem.learning_rate]])
    yield "the learning rate", _fits(rate, fmt)
    for name, p in problem.params.items():
        step = _Operand(np.abs(values[f"d{name}"]).reshape(1, -1))
        yield f"{name} − α d{name}", _sums(_Operand(rate), step, fmt, p.reshape(1, -1))


def _rows(array: np.ndarray) -> Iterator[np.ndarray]:
    yield from (array if array.size > BLOCK and array.ndim > 1 else [array])


def _fits(array: np.ndarray, fmt: Format) -> bool:
    """Whether every element is a normal number of the format, or zero."""
    with np.errstate(over="ignore"):
        return all(
            np.array_equal(x.astype(fmt.dtype).astype(np.float64), x)
            and bool(np.all((x == 0) | (np.abs(x) >= fmt.smallest_normal)))
            for x in _rows(array)
        )


class _Operand:
    """A factor of a matrix product, with the power of two of which each of its rows and columns is a multiple."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    @cached_property
    def size(self) -> np.ndarray:
        """The absolute values."""
        return self.array if np.min(self.array, initial=0) >= 0 else np.abs(self.array)

    @cached_property
    def rows(self) -> np.ndarray:
        """Of each row its lowest bit, infinite where all of it is zero."""
        return np.array([_lowest(row) for row in self.array])

    @cached_property
    def columns(self) -> np.ndarray:
        """Of each column a lowest bit: that of all rows."""
        return np.full(self.array.shape[1], self.rows.min(initial=np.inf))

    @property
    def T(self) -> _Operand:
        """The transposed matrix, with what is known of this one."""
        found = _Operand(self.array.T)
        found.__dict__ |= {"size": self.size.T, "rows": self.columns, "columns": self.rows}
        return found


def _lowest(row: np.ndarray) -> float:
    """The largest power of two of which all elements are multiples; infinite where all are zero."""
    with np.errstate(invalid="ignore"):
        whole = row.astype(np.int64)
    if np.array_equal(whole, row):
        bits = int(np.bitwise_or.reduce(whole))
        return float(bits & -bits) or np.inf
    return float(lowest_bit(row).min(where=row != 0, initial=np.inf))


def _sums(P: _Operand, Q: _Operand, fmt: Format, start: np.ndarray | None = None) -> bool:
    """Whether every inner product of P's rows with Q's columns (and `start`) is exact in any order."""
    total, quantum = P.size @ Q.size, P.rows[:, None] * Q.columns[None, :]
    if start is not None:
        total = total + np.abs(start)
        quantum = np.minimum(quantum, np.where(start != 0, lowest_bit(start), np.inf))
    if _held(total, quantum, fmt):
        return True
    terms = P.array.shape[0] * Q.array.size
    return terms <= MOST_TERMS and _sums_of_terms(P.array, Q.array, fmt, start)


def _sums_of_terms(P: np.ndarray, Q: np.ndarray, fmt: Format, start: np.ndarray | None) -> bool:
    """The same, with the lowest bit of its own terms for every sum."""
    terms = np.abs(P[:, :, None] * Q[None, :, :])
    if start is not None:
        extra = np.broadcast_to(np.abs(start), (P.shape[0], Q.shape[1]))
        terms = np.concatenate([terms, extra[:, None, :]], axis=1)
    quantum = np.where(terms > 0, lowest_bit(terms), np.inf).min(axis=1)
    return _held(terms.sum(axis=1), quantum, fmt) and _fits(terms, fmt)


def _held(total: np.ndarray, quantum: np.ndarray, fmt: Format) -> bool:
    """Whether all integer numbers of each quantum up to its total are numbers of the format."""
    some = np.isfinite(quantum)
    few_bits = total[some] <= np.ldexp(quantum[some], min(fmt.p, FORMATS["float64"].p - 1))
    return bool(np.all(few_bits & (total[some] <= fmt.largest) & (quantum[some] >= fmt.smallest_normal)))


def lowest_bit(x: np.ndarray) -> np.ndarray:
    """The largest power of two of which x is a multiple: exact, since a float64 is an integer of 53 bits times one."""
    fraction, exponent = np.frexp(x)
    integer = np.ldexp(fraction, 53).astype(np.int64)
    return np.ldexp((integer & -integer).astype(np.float64), exponent - 53)


def _check_powers_of_two(problem: Problem) -> None:
    for what, value in (("m", problem.m), ("the learning rate", problem.learning_rate)):
        if value is not None and np.frexp(value)[0] != 1 / 2:
            raise NotExact(f"{problem.name} is not exact: {what} is {value}, no power of two")


def _check_sizes(problem: Problem) -> None:
    """All different, so that no transposed or broadcast array fits; m = 1 leaves no choice."""
    sizes = [*problem.layers, problem.m]
    if problem.m > 1 and problem.model != "logistic_regression" and len(set(sizes)) < len(sizes):
        raise NotExact(f"{problem.name} is degenerate: the sizes {sizes} (layers, then m) are not all different")


def _check_gradients(problem: Problem, values: Arrays, *, alike: bool) -> None:
    """No gradient is zero; unless `alike`, no two rows or columns are equal: no exchange of units goes unseen."""
    for name in problem.params:
        g = values[f"d{name}"]
        if not np.any(g):
            raise NotExact(f"{problem.name} is degenerate: d{name} is zero")
        if problem.m > 1 and g.ndim == 2 and not alike:
            for rows in (g, g.T):
                if len(np.unique(rows, axis=0)) < len(rows):
                    raise NotExact(f"{problem.name} is degenerate: two rows or columns of d{name} are equal")
