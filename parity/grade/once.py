"""What two exercises of one file, or a network and a function that it calls, would both tell is told once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from parity.grade.findings import Finding, Graded
from parity.grade.record import Source

PARTS = ("activations", "initialization")
"""Exercises whose functions the others call: of these they have the say."""


def once(graded: Graded, source: Source | None = None) -> Graded:
    """Of a quantity that a part judges no network speaks; a mistake in a function is no other where that is called."""
    scores = {exercise: dict(row) for exercise, row in graded.scores.items()}
    _move(scores)
    lines = source.text.splitlines() if source else []
    findings: list[Finding] = []
    for finding in graded.findings:
        same = [before for before in findings if _same(before, finding, lines)]
        findings = [before for before in findings if before not in same]
        for before in reversed(same):
            finding = _together(before, finding, lines)
        findings.append(finding)
    return replace(graded, findings=tuple(findings), scores=scores)


def _move(scores: dict[str, dict[str, bool | None]]) -> None:
    """Into a part's row goes what the networks' rows have of it; wrong once is wrong."""
    parts = [scores[exercise] for exercise in PARTS if exercise in scores]
    for row in (row for exercise, row in scores.items() if exercise not in PARTS):
        for part in parts:
            for quantity in row.keys() & part.keys():
                if row.pop(quantity) is False:
                    part[quantity] = False


def _same(one: Finding, other: Finding, lines: Sequence[str]) -> bool:
    """Whether both tell of one mistake: of the same function, or of one that gives a value and of that value."""
    if one.function == other.function:
        if one.mistake == other.mistake:
            return bool(set(one.quantities) & set(other.quantities)) or _is_raised_twice(one, other)
        return None in (one.mistake, other.mistake) and _is_slope(one, other)
    alike = one.mistake == other.mistake or (None in (one.mistake, other.mistake) and _is_slope(one, other))
    return alike and any(_gives(a, b, lines) for a, b in ((one, other), (other, one)))


def _is_raised_twice(one: Finding, other: Finding) -> bool:
    return one.symptom.startswith("raises ") and (one.symptom, one.line) == (other.symptom, other.line)


def _is_slope(one: Finding, other: Finding) -> bool:
    """Whether one is a dZ and the other the derivative in it."""
    slopes = [f for f in (one, other) if f.exercise == "activations" and f.quantities[0].endswith("'")]
    return len(slopes) == 1 and any(_kinds(f) == {"dZ"} for f in (one, other))


def _gives(value: Finding, function: Finding, lines: Sequence[str]) -> bool:
    """Whether the line where the value is wrong calls the function that is; of a value A it may be another line."""
    if value.function is None or function.function is None or value.mistake is function.mistake is None:
        return False
    if _kinds(value) == {"A"} and function.quantities == (function.function,):
        return True
    line = lines[value.line - 1] if value.line and value.line <= len(lines) else ""
    alike = _kinds(value) == _kinds(function) or _is_slope(value, function)
    return alike and bool(re.search(rf"\b{re.escape(function.function)}\(", line))


def _kinds(finding: Finding) -> set[str]:
    return {quantity.rstrip("0123456789") for quantity in finding.quantities if not quantity.endswith("'")}


def _together(before: Finding, after: Finding, lines: Sequence[str]) -> Finding:
    """What is named tells more than what is not; of a value and a function, the function's line is where to look."""
    named = [f for f in (before, after) if f.mistake is not None] or [before]
    inner = [f for f, value in ((before, after), (after, before)) if _gives(value, f, lines) or _is_part(f, value)]
    quantities = tuple(dict.fromkeys((*before.quantities, *after.quantities)))
    place = replace((inner or named)[0], exercise=before.exercise, quantities=quantities, mistake=named[0].mistake)
    return replace(place, guess="") if place.mistake else place


def _is_part(one: Finding, other: Finding) -> bool:
    return one.exercise in PARTS and other.exercise not in PARTS
