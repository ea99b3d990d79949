"""A file is graded: its functions are called, each quantity is judged, and what was found is put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.grade import names, observe, units
from parity.grade.bounded import rounding
from parity.grade.findings import Finding, Graded, Note
from parity.grade.formulas import Pass, in_words
from parity.grade.judge import Verdict, judged, merged
from parity.grade.observed import Observed
from parity.grade.probes import ACTIVATIONS
from parity.grade.record import NO_VERDICT, Function, Room, Source, Trouble
from parity.grade.symptoms import symptom
from parity.grade.verdicts import Found

DTYPES = ("float64", "float32")

BLOCKS = {"linear_forward", "linear_activation_forward", "linear_backward", "linear_activation_backward"}
"""Roles of a part of a layer."""


class Sheet(Found):
    """What is known of an exercise so far."""

    def score(self, quantity: str, right: bool | None) -> None:
        """Wrong once is wrong; not judged once is not judged."""
        before = self.scores.get(quantity, True)
        self.scores[quantity] = False if False in (before, right) else None if None in (before, right) else True


def grade(source: Source, room: Room, exercises: Sequence[str], dtypes: Sequence[str] = DTYPES) -> Graded:
    """Everything that can be said of a file.

    Parameters
    ----------
    source : Source
    room : Room
        Where it has been run.
    exercises : sequence of str
        Some of `parity.grade.findings.EXERCISES`.
    dtypes : sequence of str
        The formats of the probes.
    """
    sheets, missing = [], {}
    for exercise in exercises:
        roles = names.roles(room.inventory, exercise, source)
        missing[exercise] = tuple(names.missing(room.inventory, exercise, source))
        sheets.append(_sheet(room, exercise, roles, dtypes))
    troubles = (*room.inventory.troubles, *(t for sheet in sheets for t in sheet.troubles))
    notes = [note for sheet in sheets for note in sheet.notes]
    return Graded(
        source.path,
        tuple(exercises),
        tuple(finding for sheet in sheets for finding in sheet.findings),
        tuple(dict.fromkeys(notes)),
        tuple(dict.fromkeys(troubles)),
        {sheet.exercise: sheet.scores for sheet in sheets},
        missing,
        room.inventory.printed,
    )


def _sheet(room: Room, exercise: str, roles: Mapping[str, Function], dtypes: Sequence[str]) -> Sheet:
    sheet = Sheet(exercise)
    if exercise in ACTIVATIONS:
        passed = _of_use(observe.passes(room, exercise, dtypes), roles)
        understood = _of_passes(sheet, passed, dtypes)
        numpy = room.inventory.frameworks <= {"numpy"}
        _of_troubles(sheet, [one for one in passed if numpy or one.probe.name != "integer"], understood)
    apart = units.look(room, exercise, roles, dtypes)
    sheet.findings += apart.findings
    sheet.notes += apart.notes
    sheet.troubles += apart.troubles
    for quantity, right in apart.scores.items():
        sheet.score(quantity, right)
    _settle(sheet)
    sheet.notes = _once(sheet.notes)
    return sheet


def _of_passes(sheet: Sheet, passed: list[Observed], dtypes: Sequence[str]) -> bool:
    """What the passes through a network show; whether anything is right."""
    narrow = _all_float32(passed)
    if narrow and "float64" in dtypes:
        sheet.notes.append(Note("float32"))
    groups = [[Pass(one, rounding("float32" if narrow else one.probe.dtype)) for one in g] for g in _groups(passed)]
    sheet.findings += _of_m(sheet, [p for group in groups for p in group])
    for one in passed:
        sheet.findings += _of_calls(one)
        sheet.notes += [Note(convention) for convention in sorted(one.conventions)]
    verdicts = [verdict for group in groups for verdict in judged(group)]
    _of_quantities(sheet, verdicts)
    return any(verdict.right for verdict in verdicts)


def _of_use(passed: list[Observed], roles: Mapping[str, Function]) -> list[Observed]:
    """Training counts where it has the whole pass inside; where it calls functions for that, its updates count."""
    apart = "gradients" in roles or "backward" in roles
    found = []
    for one in passed:
        if set(one.roles) == {"train"} and apart:
            if "update" in roles:
                continue
            steps = {name: seen for name, seen in one.seen.items() if name.startswith("new_")}
            given = {name: seen.value for name, seen in one.seen.items() if name.startswith(("dW", "db", "dw"))}
            one = replace(one, seen=steps, given={**one.given, **given})
        found.append(one)
    return found


def _groups(observed: Iterable[Observed]) -> list[list[Observed]]:
    """The passes of the same functions in the same format over all probes."""
    groups: dict[object, list[Observed]] = defaultdict(list)
    for one in observed:
        key = (one.probe.dtype, tuple(sorted(one.roles.items())), one.probe.activations)
        groups[key].append(one)
    return list(groups.values())


def _of_troubles(sheet: Sheet, passed: list[Observed], understood: bool) -> None:
    """What was raised: a finding, unless it is known why, or the file could not be run, or was given something else.

    Parameters
    ----------
    understood : bool
        Whether anything was right: else its functions may want to be called in another way.
    """
    whole = [one for one in passed if {"forward", "backward"} <= set(one.roles)]
    if whole and not any(one.troubles for one in whole):  # a block may know fewer activations than it is asked for
        passed = [one for one in passed if not set(one.roles) & BLOCKS]
    for trouble in dict.fromkeys(t for one in passed for t in one.troubles.values()):
        if trouble.kind in NO_VERDICT or not understood:
            sheet.troubles.append(trouble)
        else:
            sheet.findings.append(_raised(sheet.exercise, trouble))


def _all_float32(group: list[Observed]) -> bool:
    """Whether the learner works in float32 throughout, whatever comes in."""
    kinds = {
        np.asarray(seen.value).dtype
        for one in group
        if one.probe.dtype == "float64"
        for name, seen in one.seen.items()
        if not name.startswith("m")
    }
    floats = {kind for kind in kinds if kind.kind == "f"}
    return floats == {np.dtype(np.float32)}


def _of_m(sheet: Sheet, passes: list[Pass]) -> list[Finding]:
    """The number of examples, by each function that has a name for it."""
    found = []
    keys = sorted({name for p in passes for name in p.seen if name.startswith("m@")})
    for key in keys:
        wrong = [(p, float(np.ravel(p.seen[key].value)[0])) for p in passes if _wrong_m(p, key)]
        sheet.score("m", not wrong)
        if not wrong:
            continue
        p, value = wrong[0]
        seen = p.seen[key]
        of_Y = all(v == p.probe.Y.shape[0] for p, v in wrong)
        of_X = all(v in {p.probe.X.shape[0], *(p[f"W{l}"].shape[1] for l in range(1, p.L + 1))} for p, v in wrong)
        mistake = "m_from_Y_rows" if of_Y else "m_from_X_rows" if of_X else None
        words = f"m is {value:.7g} where there are {p.m} examples"
        found.append(Finding(sheet.exercise, ("m",), mistake, words, "", seen.function, seen.line))
    return found


def _wrong_m(p: Pass, key: str) -> bool:
    return key in p.seen and np.size(p.seen[key].value) == 1 and float(np.ravel(p.seen[key].value)[0]) != p.m


def _of_quantities(sheet: Sheet, verdicts: list[Verdict]) -> None:
    chosen = merged(verdicts)
    for verdict, mistake in zip(verdicts, chosen, strict=True):
        sheet.score(in_words(verdict.name, sheet.exercise), verdict.right)
        for convention, seen in verdict.conventions.items():
            sheet.notes.append(Note(convention, seen.function, seen.line))
        if verdict.right is False and verdict.shown is not None:
            words, shown, guess = symptom(verdict.shown, verdict.name)
            seen = verdict.shown.seen[verdict.name]
            guess = "" if mistake else guess or " or ".join(verdict.mistakes)
            at = in_words(verdict.at or verdict.name, sheet.exercise)
            sheet.findings.append(
                Finding(sheet.exercise, (at,), mistake, words, shown, seen.function, seen.line, guess)
            )


def _of_calls(one: Observed) -> list[Finding]:
    """What a function did to what it was given, and what it did not give back."""
    exercise = one.probe.exercise
    found = [
        Finding(exercise, (argument,), "inputs_mutated", f"{function} changes its {argument}", "", function)
        for function, argument in one.mutated
    ]
    for function, what, line in one.absent:
        words = f"{function} does not return {what}"
        found.append(Finding(exercise, (what,), "not_returned", words, "", function, line))
    return found


def _raised(exercise: str, trouble: Trouble) -> Finding:
    function = trouble.function or "the file"
    return Finding(exercise, (function,), None, f"raises {trouble.what}", "", trouble.function, trouble.line)


MEANS = ("missing_1_over_m", "one_over_n", "twice_1_over_m")
"""What a wrong m makes of a mean."""

SPREADING = ("accumulators_not_reset", "inputs_mutated", "not_returned")
"""Mistakes after which later calls see something else than they should."""


def _settle(sheet: Sheet) -> None:
    """What follows from another mistake is none of its own."""
    kept = _of_one_cause(sheet.findings)
    known = {f.mistake for f in kept} - {None}
    spread = bool(known.intersection(SPREADING))
    steps = {f.function for f in kept if f.mistake and set(f.quantities) & {"update", "costs"}}
    found = []
    for f in kept:
        raised = f.symptom.startswith("raises ")
        step = f.function in steps or (steps and f.quantities[0].startswith("new_"))
        trained = f.quantities[0] in ("update", "costs")
        if f.mistake is not None or not known or not (raised or spread or step or trained):
            found.append(f)
            continue
        sheet.scores |= {q: None for q in f.quantities if q in sheet.scores}
        if raised:
            sheet.troubles.append(Trouble("error", f.symptom.removeprefix("raises "), f.line, f.function))
    sheet.findings = together(found)


def _of_one_cause(findings: list[Finding]) -> list[Finding]:
    """Without the means that a wrong m makes, and infinity that is added to; zeros beside integers are integers."""
    wrong_m = {f.function for f in findings if f.quantities == ("m",)}
    adding = {f.function for f in findings if f.mistake == "accumulators_not_reset"}
    kept = [f for f in findings if not (f.mistake in MEANS and f.function in wrong_m)]
    kept = [f for f in kept if not (f.mistake == "log_of_zero" and f.function in adding)]
    whole = {f.function for f in kept if f.mistake == "integer_arithmetic"}
    return [
        replace(f, mistake="integer_arithmetic", guess="") if f.guess == "zero" and f.function in whole else f
        for f in kept
    ]


def together(findings: Iterable[Finding]) -> list[Finding]:
    """The same mistake in the same function is one finding; what is unknown is one for each quantity."""
    found: dict[object, Finding] = {}
    for f in findings:
        key: object = (f.mistake, f.function) if f.mistake else (f.quantities, f.function)
        if f.quantities[0][:2] == "dZ":  # seen in a function, and once more in the one that it calls
            alike = (k for k, g in found.items() if (g.mistake, g.symptom, g.shown) == (f.mistake, f.symptom, f.shown))
            key = next(alike, key)
        if key in found:
            before = found[key]
            found[key] = replace(before, quantities=tuple(dict.fromkeys((*before.quantities, *f.quantities))))
        else:
            found[key] = f
    return list(found.values())


def _once(notes: Iterable[Note]) -> list[Note]:
    """Each convention where it was first seen."""
    first: dict[str, Note] = {}
    for note in notes:
        if note.convention not in first or first[note.convention].function is None:
            first[note.convention] = note
    return list(first.values())
