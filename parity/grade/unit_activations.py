"""Activation functions and their derivatives (slides N15, N17), each on moderate, large, whole and single numbers.

A derivative may take Z, or A = g(Z) where its argument is called so, or (dA, cache) and return dZ = dA ∗ g'(Z).
Loops with `math.exp` make functions of single numbers: these are judged on numbers where arrays are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.grade import names
from parity.grade.record import NO_VERDICT, Call, Function, Value
from parity.grade.unit_bounds import GS, of_function, of_slope, of_slope_from_A
from parity.grade.unit_calls import Caller, line_of, where_changed, without_default
from parity.grade.unit_candidates import bound_to, candidates, explains, fractions_lost, narrow, overflowed
from parity.grade.unit_trials import Subject, Trial, seen, within
from parity.grade.verdicts import Verdicts
from parity.rounding import SLOPES

SLOPE_NAMES = frozenset(["alpha", "slope", "negativeslope", "leak", "leakyslope", "leaky", "eps", "epsilon", "a"])
"""Of an argument for the slope of leaky ReLU, in lower case without underscores."""


def functions(caller: Caller, verdicts: Verdicts, roles: Mapping[str, Function], dtypes: Sequence[str]) -> None:
    """g of the file's activation functions."""
    found = [Subject(g, g, roles[g], "Z", bound_to(of_function, g)) for g in GS if g in roles]
    _judge_all(caller, verdicts, found, dtypes)


def derivatives(caller: Caller, verdicts: Verdicts, roles: Mapping[str, Function], dtypes: Sequence[str]) -> None:
    """g' of the file's derivatives, alone or as a part of dZ = dA ∗ g'(Z)."""
    found = []
    for g in GS:
        for role in (f"{g}_derivative", f"{g}_prime", f"{g}_backward"):
            if role in roles:
                function = roles[role]
                takes = _taken(function)
                formula = bound_to(of_slope_from_A if takes == "A" else of_slope, g)
                kink = (SLOPES[g], 1.0) if g in SLOPES else None
                found.append(Subject(g, f"{g}'", function, takes, formula, kink))
    _judge_all(caller, verdicts, found, dtypes)


def _taken(function: Function) -> str:
    """Z; or A where the first argument is called so, or "output"; or (dA, cache)."""
    if len(without_default(function)) > 1 and any(names.kind(name) == "dA" for name in function.arguments):
        return "dA"
    first = function.arguments[0] if function.arguments else ""
    return "A" if names.quantity(first) in ("A", "AL", "A1", "A2", "A_prev") else "Z"


def _judge_all(caller: Caller, verdicts: Verdicts, subjects: Sequence[Subject], dtypes: Sequence[str]) -> None:
    """One journey to the room for all of them."""
    wanted: list[tuple[Subject, Trial, Call]] = []
    whole = caller.numpy and verdicts.exercise == "activations"  # in a network, no Z is of integers
    for subject in subjects:
        for trial in _trials(subject, dtypes, whole):
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
        elif names.plain(name) in SLOPE_NAMES and (subject.g == "leaky_relu" or name in without_default(function)):
            given[name] = 0.01
        elif Z is not None and name in without_default(function):
            given[name], Z = Z, None
        elif name in without_default(function):
            return None
    return given if Z is None else None


def _trials(subject: Subject, dtypes: Sequence[str], whole: bool) -> Iterator[Trial]:
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
    if whole and not subject.quantity.endswith("'"):  # a slope in the format of Z is as good as one in its own
        yield Trial("integer", "float64", np.array([[-3, -2, -1, 1, 2, 3]]), np.ones((1, 6)))
    for name, numbers in (("number", (0.5, -2.0)), ("large number", (800.0, -800.0))):
        for z in numbers:
            yield Trial(name, "float64", np.array(z), np.ones(()))


def _judge(verdicts: Verdicts, caller: Caller, subject: Subject, trials: list[Trial]) -> None:
    """Raised, nothing returned, or values; and what it did to its arguments."""
    works = [t for t in trials if t.played is not None and t.played.trouble is None]
    _mutations(verdicts, caller, subject, works)
    kept = sorted(works, key=lambda t: t.single)
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
    unclear = subject.takes == "dA" and first is not None and first.trouble is not None
    if first is None or first.trouble is None or (unclear and first.trouble.kind not in NO_VERDICT):
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
    bad = [t for t in trials if not within(subject, t, subject.formula).all()]
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


def _explain(
    verdicts: Verdicts, caller: Caller, subject: Subject, trials: Sequence[Trial], bad: Sequence[Trial]
) -> None:
    """The first mistake that explains every finite number on every input."""
    worst = bad[0]
    if overflowed(subject, bad):
        mistake: str | None = "exp_overflow"
        guess = ""
    elif all(fractions_lost(t) for t in bad):
        mistake, guess = "integer_arithmetic", ""
    elif narrow(subject, bad):
        mistake, guess = "float32_arithmetic", ""
    else:
        found = next((named for *named, f in candidates(subject) if explains(subject, trials, f)), None)
        if found is not None and found[0] == "takes A":
            verdicts.open(subject.quantity)
            return
        mistake, guess = found if found is not None else (None, "")  # type: ignore[assignment]
    symptom, shown = seen(subject, worst)
    verdicts.wrong(
        subject.quantity, mistake, symptom, subject.function, line=_line(worst), shown=shown, guess=guess or ""
    )


def _line(trial: Trial) -> int | None:
    if trial.played is None or not trial.played.frames:
        return None
    return line_of(trial.played.frames[0], trial.value)
