"""A file from its path to what is said of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from parity.grade.findings import Finding, Graded, Note
from parity.grade.once import PARTS, once
from parity.grade.record import Function, Source, Trouble

AUTO = "auto"
UNWRITTEN = "NotImplementedError"
NOTHING = "it has no function that the exercises ask for; `parity grade --template NAME` prints a file to start from"


def run(path: str, exercise: str = AUTO, seconds: float | None = None) -> tuple[Source, Graded]:
    """Read a file, run it in a room of its own and grade it.

    Parameters
    ----------
    exercise : str
        One of `parity.grade.findings.EXERCISES`, all of whose functions have to be there; or `AUTO`: whatever is.
    seconds : float or None
        How long the statements at its top, and each call, may take; None is what the room has by itself.

    Raises
    ------
    BadInput
        The file cannot be read, or it is no Python.
    """
    from parity.grade import grade, names, source
    from parity.grade.room import Contained, Limits

    file, limits = source.read(path), Limits()
    if seconds is not None:
        limits = replace(limits, top=seconds, call=seconds, whole=max(limits.whole, seconds))
    with Contained(file, limits) as room:
        exercises = names.exercises(file, room.inventory) if exercise == AUTO else (exercise,)
        if exercises:
            graded = grade.grade(file, room, exercises)
        else:
            graded = Graded(file.path, (), troubles=room.inventory.troubles, printed=room.inventory.printed)
    return file, settled(graded, exercise, file)


def settled(graded: Graded, exercise: str = AUTO, source: Source | None = None) -> Graded:
    """Nothing is told twice; what is not written is no mistake, and what was asked for and is not there a trouble."""
    failed = [Note("statement_failed", None, trouble.line) for trouble in graded.troubles if _is_of_the_top(trouble)]
    graded = once(_without_unwritten(_placed(graded, source), source, asked=exercise != AUTO), source)
    if exercise == AUTO:
        graded = _without_networks_of_nothing(graded)
    troubles = list(dict.fromkeys(graded.troubles))
    if not graded.exercises and not troubles:
        troubles.append(Trouble("missing", NOTHING))
    if exercise != AUTO and (names := graded.missing.get(exercise)):
        troubles.append(in_vain(exercise, names))
    return replace(graded, troubles=tuple(troubles), notes=(*graded.notes, *failed))


def _is_of_the_top(trouble: Trouble) -> bool:
    return trouble.kind == "error" and trouble.function is None and not trouble.what.startswith(UNWRITTEN)


def in_vain(exercise: str, names: Iterable[str]) -> Trouble:
    """An exercise was asked for, and the file does not hold all of it."""
    return Trouble("missing", f"{exercise} asks for more than was found: {', '.join(names)}")


def _placed(graded: Graded, source: Source | None) -> Graded:
    """An argument that is changed has the line that writes into it, where it is written into by its name."""
    if source is None or not any(finding.mistake == "inputs_mutated" for finding in graded.findings):
        return graded
    from parity.grade.unit_calls import where_changed

    findings = tuple(
        replace(f, line=where_changed(source.tree, Function(f.function, ()), f.quantities[0]))
        if f.mistake == "inputs_mutated" and f.function and f.line is None
        else f
        for f in graded.findings
    )
    return replace(graded, findings=findings)


def _without_networks_of_nothing(graded: Graded) -> Graded:
    """A network of which a file has parameters alone is an exercise of another name."""
    parts = [exercise for exercise in graded.exercises if exercise in PARTS]
    of_findings = {finding.exercise for finding in graded.findings}
    kept = [
        exercise
        for exercise in graded.exercises
        if exercise in (*parts, *of_findings)
        or graded.scores.get(exercise)
        or not {"forward", "backward"} <= set(graded.missing.get(exercise, ()))
    ]
    if not parts:
        return graded
    missing = {exercise: names for exercise, names in graded.missing.items() if exercise in kept}
    return replace(graded, exercises=tuple(kept), missing=missing)


def _without_unwritten(graded: Graded, source: Source | None, asked: bool) -> Graded:
    """Functions that raise NotImplementedError are told once each; their quantities do not count."""
    findings = [f for f in graded.findings if UNWRITTEN not in f.symptom]
    troubles = [t for t in graded.troubles if not t.what.startswith(UNWRITTEN)]
    told = dict(
        [_told(f.symptom, f.function, f.line) for f in graded.findings if f not in findings]
        + [_told(t.what, t.function, t.line) for t in graded.troubles if t not in troubles]
    )
    if not told:
        return graded
    lines = set(told.values())
    told |= {what: line for what, line in _empty(source) if line not in lines}
    scores = _scores_without(graded.scores, [f for f in graded.findings if f not in findings])
    nothing = not any(score is not None for row in scores.values() for score in row.values())
    kind = "missing" if asked or nothing else "error"  # whether part of a file is asked for, or whatever is there
    found = sorted((Trouble(kind, what, line) for what, line in told.items()), key=lambda trouble: trouble.line or 0)
    scores = {exercise: {} for exercise in scores} if nothing else scores
    return replace(graded, findings=tuple(findings), troubles=(*troubles, *found), scores=scores)


def _is_unwritten(last: ast.stmt) -> bool:
    return isinstance(last, ast.Raise) and UNWRITTEN in ast.unparse(last)


def _empty(source: Source | None) -> Iterator[tuple[str, int]]:
    """Functions that do nothing but raise it, and need not have been called: nothing could be given to them."""
    for node in source.tree.body if source else ():
        if isinstance(node, ast.FunctionDef) and len(node.body) <= 2 and _is_unwritten(node.body[-1]):
            yield f"{node.name} is not written yet", node.body[-1].lineno


def _told(what: str, function: str | None, line: int | None) -> tuple[str, int | None]:
    said = what.partition(UNWRITTEN)[2].lstrip(": ")
    return said or f"{function or 'a function'} is not written yet", line


def _scores_without(
    scores: Mapping[str, Mapping[str, bool | None]], unwritten: Iterable[Finding]
) -> dict[str, dict[str, bool | None]]:
    dropped = {(f.exercise, quantity) for f in unwritten for quantity in f.quantities}
    return {
        exercise: {quantity: score for quantity, score in row.items() if (exercise, quantity) not in dropped}
        for exercise, row in scores.items()
    }
