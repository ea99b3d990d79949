"""Activation functions and their derivatives (slides N15, N17), each on moderate, large, whole and single numbers.

A derivative may take Z, or A = g(Z) where its argument is called so, or (dA, cache) and return dZ = dA ∗ g'(Z).
Loops with `math.exp` make functions of single numbers: these are judged on numbers where arrays are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parity.formats import FORMATS
from parity.grade import names
from parity.grade.record import NO_VERDICT, Call, Function, Played, Value
from parity.grade.unit_bounds import GS, Pair, of_function, of_slope, of_slope_from_A
from parity.grade.unit_calls import Caller, first_array, line_of, where_changed, without_default
from parity.grade.verdicts import Verdicts
from parity.rounding import SLOPES

Formula = Callable[[np.ndarray, str], Pair]

FACTORS = (2, 3, 4, 5, 8, 10, 16, 100)
"""What people multiply or divide by."""

SLOPE_NAMES = frozenset("alpha slope negativeslope leak leakyslope leaky eps epsilon a".split())
"""Of an argument for the slope of leaky ReLU, in lower case without underscores."""


@dataclass(frozen=True)
class Trial:
    """A call, what should come of it, and what came.

    Attributes
    ----------
    name : str
        "moderate", "special", "saturated", "integer", "number", "large number".
    Z, dA : array
        What it was given; dA is 1 where it takes none.
    """

    name: str
    dtype: str
    Z: np.ndarray
    dA: np.ndarray
    played: Played | None = None

    @property
    def value(self) -> np.ndarray | None:
        """What was returned, in the shape of Z where it is a single number."""
        found = first_array(self.played.returned) if self.played else None
        return found.reshape(self.Z.shape) if found is not None and found.size == self.Z.size == 1 else found

    @property
    def single(self) -> bool:
        """Whether it is no array."""
        return self.Z.ndim == 0

    def of(self, formula: Formula) -> Pair:
        """Its values at Z times dA, with one rounding more for that product."""
        value, bound = formula(self.Z, self.dtype)
        if np.all(self.dA == 1):
            return value, bound
        dA, fmt = self.dA.astype(np.longdouble), FORMATS[self.dtype]
        E = np.abs(dA) * (bound * (1 + fmt.u) + fmt.u * np.abs(value))
        return dA * value, np.asarray(E, np.float64) + fmt.smallest_normal


@dataclass(frozen=True)
class Subject:
    """A function, the formula that it is held to, and what it would be with a mistake in it.

    Attributes
    ----------
    takes : str
        "Z", "A" or "dA".
    kink : (float, float) or None
        The slopes at 0 that are a convention.
    """

    g: str
    quantity: str
    function: Function
    takes: str
    formula: Formula
    kink: tuple[float, float] | None = None


def functions(caller: Caller, verdicts: Verdicts, roles: Mapping[str, Function], dtypes: Sequence[str]) -> None:
    """g of the file's activation functions."""
    found = [Subject(g, g, roles[g], "Z", _bound_to(of_function, g)) for g in GS if g in roles]
    _judge_all(caller, verdicts, found, dtypes)


def derivatives(caller: Caller, verdicts: Verdicts, roles: Mapping[str, Function], dtypes: Sequence[str]) -> None:
    """g' of the file's derivatives, alone or as a part of dZ = dA ∗ g'(Z)."""
    found = []
    for g in GS:
        for role in (f"{g}_derivative", f"{g}_prime", f"{g}_backward"):
            if role in roles:
                function = roles[role]
                takes = _taken(function)
                formula = _bound_to(of_slope_from_A if takes == "A" else of_slope, g)
                kink = (SLOPES[g], 1.0) if g in SLOPES else None
                found.append(Subject(g, f"{g}'", function, takes, formula, kink))
    _judge_all(caller, verdicts, found, dtypes)


def _bound_to(of: Callable[[str, np.ndarray, str], Pair], g: str) -> Formula:
    return lambda z, dtype: of(g, z, dtype)


def _taken(function: Function) -> str:
    """Z; or A where the first argument is called so, or "output"; or (dA, cache)."""
    if len(without_default(function)) > 1 and any(names.kind(name) == "dA" for name in function.arguments):
        return "dA"
    first = function.arguments[0] if function.arguments else ""
    return "A" if names.quantity(first) in ("A", "AL", "A1", "A2", "A_prev") else "Z"


def _judge_all(caller: Caller, verdicts: Verdicts, subjects: Sequence[Subject], dtypes: Sequence[str]) -> None:
    """One journey to the room for all of them."""
    wanted: list[tuple[Subject, Trial, Call]] = []
    for subject in subjects:
        for trial in _trials(subject, dtypes, caller.numpy):
            values = _given(subject, trial)
            if values is not None:
                wanted.append((subject, trial, Call(subject.function.name, values)))
    played = caller.one_each([call for _, _, call in wanted])
    for subject in subjects:
        done = [replace(t, played=p) for (s, t, _), p in zip(wanted, played, strict=True) if s is subject]
        if done:
            _judge(verdicts, caller, subject, done)
        else:
            verdicts.open(subject.quantity)


def _given(subject: Subject, trial: Trial) -> dict[str, Value] | None:
    """The first argument is Z or A, whatever it is called; 0.01 for a slope, as the slide has it."""
    function, Z = subject.function, trial.Z.item() if trial.single else trial.Z
    given: dict[str, Value] = {}
    for name in function.arguments:
        if subject.takes == "dA" and names.kind(name) == "dA":
            given[name] = trial.dA
        elif names.plain(name) in SLOPE_NAMES:
            given[name] = 0.01
        elif Z is not None and name in without_default(function):
            given[name], Z = Z, None
        elif name in without_default(function):
            return None
    return given if Z is None else None


def _trials(subject: Subject, dtypes: Sequence[str], numpy: bool) -> Iterator[Trial]:
    """On what it is called; A lies where g's values do."""
    rng = np.random.default_rng(15)
    moderate = 1.5 * rng.standard_normal((3, 4))
    arrays = {
        "moderate": moderate,
        "special": np.array([[0.0, 0.5, -2.0, 40.0, -40.0]]),
        "saturated": np.array([[800.0, -800.0]]),
    }
    for dtype in dtypes:
        for name, Z in arrays.items():
            Z = Z.astype(dtype)
            dA = np.ones_like(Z)
            if subject.takes == "A":
                Z = of_function(subject.g, Z, dtype)[0].astype(dtype)
            if subject.takes == "dA":
                dA = rng.standard_normal(Z.shape).astype(dtype)
            yield Trial(name, dtype, Z, dA)
    if subject.takes != "Z":
        return
    if numpy:
        yield Trial("integer", "float64", np.array([[-3, -2, -1, 1, 2, 3]]), np.ones((1, 6)))
    for name, numbers in (("number", (0.5, -2.0)), ("large number", (800.0, -800.0))):
        for z in numbers:
            yield Trial(name, "float64", np.array(z), np.ones(()))


def _judge(verdicts: Verdicts, caller: Caller, subject: Subject, trials: list[Trial]) -> None:
    """Raised, nothing returned, or values; and what it did to its arguments."""
    works = [t for t in trials if t.played is not None and t.played.trouble is None]
    _mutations(verdicts, caller, subject, works)
    kept = [t for t in works if not t.single]
    if not kept and subject.takes == "Z":
        kept = [t for t in works if t.single]
    if not kept or (not kept[0].single and _raised_on_ordinary(trials)):
        _raised(verdicts, subject, trials)
        return
    if _raised_on_large(verdicts, subject, trials, kept[0].single):
        return
    if all(t.played is not None and t.played.returned is None for t in kept):
        line = kept[0].played.frames[0].line if kept[0].played and kept[0].played.frames else None
        verdicts.wrong(subject.quantity, "not_returned", "nothing is returned", subject.function, line=line)
        return
    kept = [t for t in kept if t.value is not None]
    if kept:
        _values(verdicts, caller, subject, kept)
    else:
        verdicts.open(subject.quantity)


def _raised_on_ordinary(trials: Sequence[Trial]) -> bool:
    """Whether an array of moderate numbers is refused, while others were taken."""
    return any(t.name == "moderate" and t.played is not None and t.played.trouble is not None for t in trials)


def _raised(verdicts: Verdicts, subject: Subject, trials: Sequence[Trial]) -> None:
    """A cache of another form than Z is none of the function's faults."""
    first = next((t.played for t in trials if t.played is not None and t.played.trouble is not None), None)
    if first is None or first.trouble is None:
        verdicts.open(subject.quantity)
    elif subject.takes == "dA" and first.trouble.kind not in NO_VERDICT:
        verdicts.open(subject.quantity)
    else:
        verdicts.raised(subject.quantity, first, subject.function)


def _raised_on_large(verdicts: Verdicts, subject: Subject, trials: Sequence[Trial], single: bool) -> bool:
    """Whether ±800 was refused: `math.exp` raises what `numpy.exp` makes an inf."""
    for trial in trials:
        named = trial.name == ("large number" if single else "saturated")
        if named and trial.played is not None and (trouble := trial.played.trouble) is not None:
            if "Overflow" in trouble.what or "FloatingPoint" in trouble.what:
                symptom = f"raises {trouble.what} at z = {trial.Z.flat[0]:g}"
                verdicts.wrong(subject.quantity, "exp_overflow", symptom, subject.function, line=trouble.line)
            else:
                verdicts.raised(subject.quantity, trial.played, subject.function)
            return True
    return False


def _mutations(verdicts: Verdicts, caller: Caller, subject: Subject, trials: Sequence[Trial]) -> None:
    for trial in trials:
        for argument in trial.played.mutated if trial.played else ():
            line = where_changed(caller.room.source.tree, subject.function, argument)
            symptom = f"{argument} is changed by {subject.function.name}"
            verdicts.wrong(subject.quantity, "inputs_mutated", symptom, subject.function, line=line)
            return


def _values(verdicts: Verdicts, caller: Caller, subject: Subject, trials: list[Trial]) -> None:
    """Shapes first, then values, then what explains them."""
    for trial in trials:
        if trial.value is not None and trial.value.shape != trial.Z.shape:
            symptom = f"the result has shape {trial.value.shape}, should be {trial.Z.shape}"
            verdicts.wrong(subject.quantity, None, symptom, subject.function, line=_line(trial))
            return
    if not caller.numpy:  # JAX has no float64 unless it is asked for
        trials = [replace(t, dtype="float32") if _in_float32(t) else t for t in trials]
    bad = [t for t in trials if not _within(subject, t, subject.formula).all()]
    if bad:
        _explain(verdicts, caller, subject, trials, bad)
        return
    verdicts.right(subject.quantity)
    _notes(verdicts, subject, trials)


def _in_float32(trial: Trial) -> bool:
    return trial.value is not None and trial.value.dtype == np.float32


def _notes(verdicts: Verdicts, subject: Subject, trials: Sequence[Trial]) -> None:
    for trial in trials:
        value, played = trial.value, trial.played
        if value is None or played is None:
            continue
        if subject.kink and subject.takes != "A":
            left, at_zero = subject.kink[0] * trial.dA, trial.Z == 0
            if np.any((np.abs(value - left) > np.abs(left))[at_zero]):  # 0 or 0.01, and no more than rounded
                verdicts.note("kink", subject.function)
        for line, text in played.warnings:
            if "overflow" in text:
                verdicts.note("overflow_warning", subject.function, line)


def _within(subject: Subject, trial: Trial, formula: Formula) -> np.ndarray:
    """Where the values are those of a formula; at a kink, any slope between those of its sides."""
    assert trial.value is not None
    value = trial.value.astype(np.longdouble)
    target, bound = trial.of(formula)
    with np.errstate(invalid="ignore"):
        near = np.abs(value - target) <= bound
        if subject.kink and subject.takes != "A":
            low, high = np.sort([subject.kink[0] * trial.dA, subject.kink[1] * trial.dA], axis=0)
            near = np.where(trial.Z == 0, (value >= low - bound) & (value <= high + bound), near)
    return near


def _explain(
    verdicts: Verdicts, caller: Caller, subject: Subject, trials: Sequence[Trial], bad: Sequence[Trial]
) -> None:
    """The first mistake that explains every finite number on every input."""
    worst = bad[0]
    if _overflowed(subject, bad):
        mistake: str | None = "exp_overflow"
        guess = ""
    elif any(_fractions_lost(t) for t in bad) and all(_fractions_lost(t) or t.name != "integer" for t in bad):
        mistake, guess = "integer_arithmetic", ""
        worst = next(t for t in bad if _fractions_lost(t))
    elif _narrow(subject, bad):
        mistake, guess = "float32_arithmetic", ""
    else:
        found = next((named for *named, f in _candidates(subject) if _explains(subject, trials, f)), None)
        if found is not None and found[0] == "takes A":
            verdicts.open(subject.quantity)
            return
        mistake, guess = found if found is not None else (None, "")  # type: ignore[assignment]
    symptom, shown = _seen(subject, worst)
    verdicts.wrong(
        subject.quantity, mistake, symptom, subject.function, line=_line(worst), shown=shown, guess=guess or ""
    )


def _overflowed(subject: Subject, bad: Sequence[Trial]) -> bool:
    """Whether all that is wrong is no number."""
    for trial in bad:
        assert trial.value is not None
        wrong = ~_within(subject, trial, subject.formula)
        if np.any(np.isfinite(trial.value.astype(np.float64)[wrong])):
            return False
    return True


def _fractions_lost(trial: Trial) -> bool:
    return trial.value is not None and trial.value.dtype.kind in "iu"


def _narrow(subject: Subject, bad: Sequence[Trial]) -> bool:
    """Whether all that is wrong in float64 is right in float32, and is or was a float32."""
    for trial in bad:
        assert trial.value is not None
        narrow = replace(trial, dtype="float32")
        if trial.dtype != "float64" or not _within(subject, narrow, subject.formula).all():
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


def _explains(subject: Subject, trials: Sequence[Trial], formula: Formula) -> bool:
    """Whether a formula gives every finite number, but at 0, where slopes are a convention."""
    some = False
    for trial in trials:
        assert trial.value is not None
        looked_at = np.isfinite(trial.value.astype(np.float64)) & ((trial.Z != 0) | (subject.kink is None))
        near = _within(subject, trial, formula)[looked_at]
        if not near.all():
            return False
        some = some or near.size > 0
    return some


def _candidates(subject: Subject) -> Iterator[tuple[str | None, str, Formula]]:
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
    for other in GS:
        if other != g:
            yield None, f"{other} in place of {g}", _bound_to(of_function, other)
    yield None, f"the derivative of {g}", _bound_to(of_slope, g)
    yield None, "Z itself", _identity


def _of_slopes(subject: Subject) -> Iterator[tuple[str | None, str, Formula]]:
    g = subject.g
    if subject.takes == "dA":
        yield "missing_g_prime", "", lambda z, dtype: (np.ones(z.shape, np.longdouble), np.zeros(z.shape))
    if subject.takes == "Z" and g in ("sigmoid", "tanh"):
        yield _taken_for_A(subject)
    yield "g_for_g_prime", "", _bound_to(of_function, g)
    yield "g_prime_of_A", "", lambda z, dtype: _slope_of_A(g, z, dtype)
    for other in GS:
        if other != g:
            yield "other_derivative", "", _bound_to(of_slope, other)
    if g == "tanh":
        yield "one_minus_Z_squared", "", _bound_to(of_slope_from_A, g)
    yield "extra_factor_Z", "", lambda z, dtype: _times_Z(g, z, dtype)


def _taken_for_A(subject: Subject) -> tuple[str | None, str, Formula]:
    """a(1 − a) of z itself: a mistake if it is called z; else it may well be meant for A."""
    called_z = subject.function.arguments[0].lower().startswith("z")
    formula = _bound_to(of_slope_from_A, subject.g)
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


def _seen(subject: Subject, trial: Trial) -> tuple[str, str]:
    """What differs, and an element."""
    assert trial.value is not None
    target, _ = trial.of(subject.formula)
    wrong = ~_within(subject, trial, subject.formula)
    i = tuple(int(k) for k in np.argwhere(wrong)[0])
    value, right = float(trial.value[i]), float(target[i])
    kind = f" of {trial.value.dtype.name}" if trial.value.dtype.kind in "iu" else ""
    symptom = f"{int(wrong.sum())} of {wrong.size} values{kind} are wrong"
    given = "a" if subject.takes == "A" else "z"
    shown = f"at {given} = {float(trial.Z[i]):.6g} it gives {value:.6g}, its formula {right:.6g}"
    if subject.takes == "dA":
        shown = f"at z = {float(trial.Z[i]):.6g}, dA = {float(trial.dA[i]):.6g} it gives {value:.6g}, not {right:.6g}"
    return symptom, shown


def _line(trial: Trial) -> int | None:
    if trial.played is None or not trial.played.frames:
        return None
    return line_of(trial.played.frames[0], trial.value)
