"""The proof that a problem is exact: nothing in it ever rounds, so every correct implementation gives the same bits.

A sum is exact in any order, with or without fused multiply-add, when all its terms are multiples of one power of two q
and their absolute values add up to no more than 2^p q: every partial sum is then an integer number of q that p bits
hold. The proof checks that for every inner product of the forward and backward pass, with the factor 1/m before the
sum and after it, for the cost and for the update, and that every operand and every result is representable. Elementary
functions are exact because their arguments are 0 or at least 768 in size, where e^−|z| is zero in every format.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.formats import FORMATS, Format
from parity.oracle import SATURATED, exact
from parity.problems import Problem
from parity.problems.parameters import layered

Arrays = dict[str, np.ndarray]


class NotExact(ValueError):
    """A problem that claims to be exact has a step that can round, or is degenerate."""


def narrowest(problem: Problem) -> list[Format]:
    """The format of fewest bits and that of least range: what is exact in both is exact in all that it uses."""
    formats = [FORMATS[name] for name in problem.dtypes]
    extremes = {min(formats, key=lambda f: f.p), min(formats, key=lambda f: f.largest)}
    return sorted(extremes, key=lambda f: f.p)


def prove(problem: Problem, *, may_be_degenerate: bool = False) -> None:
    """Check every step of `problem` in the narrowest of its formats, and that its gradients tell mistakes apart.

    Raises
    ------
    NotExact
        Names the step, the format and what does not fit, or what makes the problem degenerate.
    """
    _check_powers_of_two(problem)
    if not may_be_degenerate:
        _check_sizes(problem)
    for fmt in narrowest(problem):
        if fmt.p == FORMATS["float64"].p:
            raise NotExact(f"{problem.name} is used in float64 only: the proof computes in it, and would prove nothing")
        params = dict(problem.params)
        for step in range(max(problem.iterations, 1)):
            now = Problem(
                problem.name, problem.model, problem.group, problem.X, problem.Y, params, problem.activations,
                problem.learning_rate, dtypes=problem.dtypes, exact=True,
            )  # fmt: skip
            values = {name: value.high for name, value in exact(now, fmt.name).items()}
            for what, ok in _steps(now, fmt, values):
                if not ok:
                    raise NotExact(f"{problem.name} is not exact in {fmt.name}: {what} rounds (step {step})")
            params = {name: values.get(f"new_{name}", p) for name, p in params.items()}
            if not may_be_degenerate:
                _check_gradients(problem, values, alike=step > 0)


def _steps(problem: Problem, fmt: Format, values: Arrays) -> Iterator[tuple[str, bool]]:
    """Every step by name, and whether it is exact."""
    params, X = dict(problem.params), problem.X
    v = dict(values)
    if problem.model == "logistic_regression":
        v = {name + "1": value for name, value in v.items()} | {"J": v["J"], "dW1": v["dw"].T}
        params = layered(params)
    v["A0"], m, L = X, problem.m, len(problem.activations)
    for name, array in ({"X": X} | dict(problem.params)).items():
        yield f"the value of {name}", _fits(array, fmt)
    for l, g in enumerate(problem.activations, start=1):
        Z = v[f"Z{l}"]
        yield f"Z{l} = W{l} A{l - 1} + b{l}", _sums(params[f"W{l}"], v[f"A{l - 1}"], fmt, params[f"b{l}"])
        if g in ("sigmoid", "tanh"):
            at_zero = (Z == 0) & (l < L)
            yield f"A{l} = {g}(Z{l})", bool(np.all(at_zero | (np.abs(Z) >= SATURATED)))
        if g == "leaky_relu":
            yield f"A{l} = leaky_relu(Z{l})", bool(np.all(Z > 0))
    for name, array in values.items():
        yield f"the value of {name}", _fits(array, fmt)
    for scale in (1, m):  # 1/m after the sum, 1/m before it
        losses = np.abs(v[f"Z{L}"] * v[f"dZ{L}"]).reshape(1, -1) / scale  # |z| where a is wrong, 0 where it is right
        yield "J", _sums(losses, np.ones((losses.size, 1)), fmt)
        for l in range(L, 0, -1):
            dZ, A, ones = v[f"dZ{l}"] / scale, v[f"A{l - 1}"], np.ones((m, 1))
            yield f"dZ{l}", _fits(dZ, fmt)
            yield f"dW{l}", _sums(dZ, A.T, fmt)
            yield f"db{l}", _sums(dZ, ones, fmt)
            if l > 1:
                yield f"dA{l - 1}", _sums(params[f"W{l}"].T, dZ, fmt)
    if problem.learning_rate is None:
        return
    rate = np.array([[problem.learning_rate]])
    yield "the learning rate", _fits(rate, fmt)
    for name, p in problem.params.items():
        step = np.abs(values[f"d{name}"]).reshape(1, -1)
        yield f"{name} − α d{name}", _sums(rate, step, fmt, p.reshape(1, -1))


def _fits(array: np.ndarray, fmt: Format) -> bool:
    """Whether every element is a normal number of the format, or zero."""
    with np.errstate(over="ignore"):
        same = array.astype(fmt.dtype).astype(np.float64) == array
    return bool(np.all(same & ((array == 0) | (np.abs(array) >= fmt.smallest_normal))))


def _sums(P: np.ndarray, Q: np.ndarray, fmt: Format, start: np.ndarray | None = None) -> bool:
    """Whether every inner product of P's rows with Q's columns (and `start`) is exact in any order."""
    terms = np.abs(P[:, :, None] * Q[None, :, :])
    if start is not None:
        extra = np.broadcast_to(np.abs(start), (P.shape[0], Q.shape[1]))
        terms = np.concatenate([terms, extra[:, None, :]], axis=1)
    total = terms.sum(axis=1)
    quantum = np.where(terms > 0, lowest_bit(terms), np.inf).min(axis=1)
    finite = np.isfinite(quantum)
    few_bits = total[finite] <= np.ldexp(quantum[finite], fmt.p)
    in_range = (total[finite] <= fmt.largest) & (quantum[finite] >= fmt.smallest_normal)
    return bool(np.all(few_bits & in_range)) and _fits(terms, fmt)


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
