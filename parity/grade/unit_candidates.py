"""What a wrong activation function or derivative may be: the mistakes by name, and what can be said of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from parity.formats import FORMATS
from parity.grade.unit_bounds import GS, Pair, of_function, of_slope, of_slope_from_A
from parity.grade.unit_trials import Formula, Subject, Trial, within

FACTORS = (2, 3, 4, 5, 8, 10, 16, 100)
"""What people multiply or divide by."""


def bound_to(of: Callable[[str, np.ndarray, str], Pair], g: str) -> Formula:
    """`of` of one activation function."""
    return lambda z, dtype: of(g, z, dtype)


def overflowed(subject: Subject, bad: Sequence[Trial]) -> bool:
    """Whether all that is wrong is no number."""
    for trial in bad:
        assert trial.value is not None
        wrong = ~within(subject, trial, subject.formula)
        if np.any(np.isfinite(trial.value.astype(np.float64)[wrong])):
            return False
    return True


def fractions_lost(trial: Trial) -> bool:
    """Whether the result holds integers."""
    return trial.value is not None and trial.value.dtype.kind in "iu"


def narrow(subject: Subject, bad: Sequence[Trial]) -> bool:
    """Whether all that is wrong in float64 is right in float32, and is or was a float32."""
    for trial in bad:
        assert trial.value is not None
        as_float32 = replace(trial, dtype="float32")
        if trial.dtype != "float64" or not within(subject, as_float32, subject.formula).all():
            return False
    return any(_had_float32(t) for t in bad)


def _had_float32(trial: Trial) -> bool:
    value = trial.value
    assert value is not None
    with np.errstate(over="ignore", invalid="ignore"):
        if value.dtype == np.float32 or np.array_equal(value.astype(np.float32).astype(value.dtype), value):
            return True
    return trial.played is not None and any(
        getattr(binding.value, "dtype", None) == np.float32
        for frame in trial.played.frames
        for bindings in frame.bindings.values()
        for binding in bindings
    )


def explains(subject: Subject, trials: Sequence[Trial], formula: Formula) -> bool:
    """Whether a formula gives every finite number, but at 0, where slopes are a convention."""
    some = False
    for trial in trials:
        assert trial.value is not None
        looked_at = np.isfinite(trial.value.astype(np.float64)) & ((trial.Z != 0) | (subject.kink is None))
        near = within(subject, trial, formula)[looked_at]
        if not near.all():
            return False
        some = some or near.size > 0
    return some


def candidates(subject: Subject) -> Iterator[tuple[str | None, str, Formula]]:
    """(mistake, guess, formula): the named ones first."""
    g, derivative = subject.g, subject.quantity.endswith("'")
    yield from _of_slopes(subject) if derivative else _of_functions(g)
    right = subject.formula
    yield None, "a sign", _scaled(right, -1)
    for k in FACTORS:
        yield None, f"a factor {k}", _scaled(right, k)
        yield None, f"a factor 1/{k}", _scaled(right, 1 / k)
    if g == "leaky_relu":
        for slope in (0.001, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3):
            yield None, f"a slope of {slope} in place of 0.01", _leaky(slope, derivative)


def _of_functions(g: str) -> Iterator[tuple[str | None, str, Formula]]:
    if g == "sigmoid":
        yield "sigmoid_without_minus", "", lambda z, dtype: of_function(g, -z, dtype)
        yield "tanh_at_output", "", bound_to(of_function, "tanh")
    else:
        yield "linear_hidden", "", _identity
    for other in GS:
        if other != g:
            yield None, f"{other} in place of {g}", bound_to(of_function, other)
    yield None, f"the derivative of {g}", bound_to(of_slope, g)
    yield None, "Z itself", _identity


def _of_slopes(subject: Subject) -> Iterator[tuple[str | None, str, Formula]]:
    g = subject.g
    if subject.takes == "dA":
        yield "missing_g_prime", "", lambda z, dtype: (np.ones(z.shape, np.longdouble), np.zeros(z.shape))
    if subject.takes == "Z" and g in ("sigmoid", "tanh"):
        yield _taken_for_A(subject)
    yield "g_for_g_prime", "", bound_to(of_function, g)
    yield "g_prime_of_A", "", lambda z, dtype: _slope_of_A(g, z, dtype)
    for other in GS:
        if other != g:
            yield "other_derivative", "", bound_to(of_slope, other)
    if g == "tanh":
        yield "one_minus_Z_squared", "", bound_to(of_slope_from_A, g)
    yield "extra_factor_Z", "", lambda z, dtype: _times_Z(g, z, dtype)


def _taken_for_A(subject: Subject) -> tuple[str | None, str, Formula]:
    """a(1 − a) of z itself: a mistake if it is called z; else it may well be meant for A."""
    called_z = subject.function.arguments[0].lower().startswith("z")
    formula = bound_to(of_slope_from_A, subject.g)
    if not called_z:
        return "takes A", "", formula
    if subject.g == "tanh":
        return "one_minus_Z_squared", "", formula
    return None, "Z(1 − Z) in place of A(1 − A)", formula


def _slope_of_A(g: str, z: np.ndarray, dtype: str) -> Pair:
    """g'(g(z)): |g''| ≤ 1 carries the error of g(z)."""
    a, E = of_function(g, z, dtype)
    slope, bound = of_slope(g, a, dtype)
    return slope, bound + E


def _times_Z(g: str, z: np.ndarray, dtype: str) -> Pair:
    slope, bound = of_slope(g, z, dtype)
    size = np.abs(z).astype(np.float64)
    return slope * z, size * (bound + FORMATS[dtype].u * np.asarray(slope, np.float64))


def _identity(z: np.ndarray, dtype: str) -> Pair:
    return z.astype(np.longdouble), np.zeros(z.shape)


def _scaled(formula: Formula, factor: float) -> Formula:
    """With one rounding for the factor and one for its product."""

    def scaled(z: np.ndarray, dtype: str) -> Pair:
        value, bound = formula(z, dtype)
        size = abs(factor)
        E = size * (bound + 2 * FORMATS[dtype].u * np.abs(np.asarray(value, np.float64)))
        return factor * value, np.where(E > 0, E + FORMATS[dtype].smallest_normal, 0.0)

    return scaled


def _leaky(slope: float, derivative: bool) -> Formula:
    def formula(z: np.ndarray, dtype: str) -> Pair:
        of = np.where(z > 0, np.longdouble(1), np.longdouble(slope))
        value = of if derivative else of * z
        return value, 2 * FORMATS[dtype].u * np.abs(np.asarray(value, np.float64))

    return formula
