"""What a person and a program read of a graded file."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from parity import __version__
from parity.errors import printable
from parity.grade.catalogue import BY_ID, CONVENTIONS, VALID, Mistake
from parity.grade.findings import EXERCISES, Finding, Graded, Note
from parity.grade.guards import KEPT
from parity.grade.record import NO_VERDICT, Source, Trouble
from parity.grade.run import in_vain
from parity.grade.words import Rule, line_of, rule
from parity.paper import WIDTH, Paper
from parity.surroundings import version

SCHEMA, SCHEMA_VERSION = "parity.grade", 1
ORDINARY, NAMED, REFERENCE = 1, 2, 3
"""The levels of hints."""

ANYTHING = "anything"
"""What stands for all quantities of a function that returns nothing."""

PASSES = ("logistic", "shallow", "deep")
"""Exercises that are a whole; of the others a file holds what it needs."""

TITLES = {
    "logistic": "logistic regression",
    "shallow": "the network with one hidden layer",
    "deep": "the network with L layers",
    "activations": "activation functions",
    "initialization": "initialisation",
}


def text(graded: Graded, source: Source | None, hint: int = ORDINARY) -> str:
    """The report as plain text, at most 100 columns wide, without blanks at the ends of its lines."""
    written = StringIO()
    show(graded, source, hint, Paper(file=written, width=WIDTH, highlight=False, markup=False, color_system=None))
    return "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())


def show(graded: Graded, source: Source | None, hint: int, to: Console) -> None:
    """Troubles, a block a finding in the order of computation, scores, notes, what was printed, and a line that counts.

    Parameters
    ----------
    hint : int
        1 the quantity, its line and the symptom; 2 the mistake, the formula and why; 3 the reference's line as well.
    """
    what = ", ".join(TITLES.get(exercise, exercise) for exercise in graded.exercises)
    to.print(Text.assemble((printable(graded.file), "bold"), f": {what}" if what else ""))
    if graded.troubles:
        to.print()
        for where, trouble in _troubles(graded.troubles, source):
            to.print(_trouble(where, trouble))
    for finding in in_order(graded):
        to.print()
        to.print(_head(finding, graded, source))
        to.print(Padding(_named(_rows(finding, source, hint)), (0, 0, 0, 2)))
    if any(graded.scores.values()):
        to.print()
        to.print(_scores(graded))
    _show_notes(graded, source, to)
    to.print()
    to.print(_counts(graded), style="bold")
    if more := _more(graded, hint):
        to.print(more, style="dim")


def _more(graded: Graded, hint: int) -> str:
    """What the next hint would show, if anything."""
    if hint == ORDINARY and any(finding.mistake for finding in graded.findings):
        return "hint 2 names the mistake and the slide's formula"
    if not any(formula(finding) for finding in graded.findings):
        return ""
    return {ORDINARY: "hint 2 shows the slide's formula", NAMED: "hint 3 shows the reference's line"}.get(hint, "")


def in_order(graded: Graded) -> list[Finding]:
    """The findings in the order of computation, which is that of the scores; those without a quantity at the end."""

    def place(finding: Finding) -> tuple[int, int]:
        quantities = list(graded.scores.get(finding.exercise, {}))
        first = [quantities.index(name) for name in finding.about if name in quantities]
        exercise = EXERCISES.index(finding.exercise) if finding.exercise in EXERCISES else len(EXERCISES)
        return exercise, first[0] if first else len(quantities)

    return sorted(graded.findings, key=place)


def _where(function: str | None, line: int | None, source: Source | None) -> str:
    place = source.place(line) if source else "" if line is None else f"line {line}"
    return printable(", ".join(part for part in (function, place) if part))


def _troubles(troubles: Iterable[Trouble], source: Source | None) -> list[tuple[str, Trouble]]:
    """Each with its places: what is raised again in one place, of other shapes, is told once; so are equal words."""
    raised: dict[tuple[str, str], Trouble] = {}
    for trouble in troubles:
        where = _where(trouble.function, trouble.line, source)
        raised.setdefault((where, trouble.what.partition(":")[0] if where else trouble.what), trouble)
    places: dict[str, list[str]] = {}
    for (where, _), trouble in raised.items():
        places.setdefault(trouble.what, []).append(where)
    first = {trouble.what: trouble for trouble in reversed(raised.values())}
    return [("; ".join(filter(None, at)), first[what]) for what, at in places.items()]


def _trouble(where: str, trouble: Trouble) -> Text:
    style = "red" if trouble.kind in NO_VERDICT else "yellow"
    return Text.assemble((f"{where}: " if where else "", style), printable(trouble.what))


def _head(finding: Finding, graded: Graded, source: Source | None) -> Text:
    what = ", ".join("a result" if name == ANYTHING else name for name in finding.quantities) or "a mistake"
    row = graded.scores.get(finding.exercise, {})
    if not row.keys() & set(finding.quantities) and finding.about[-1] in row:
        what += f", which has no name, in {finding.about[-1]}"
    where = _where(finding.function, finding.line, source)
    return Text.assemble((printable(what), "bold red"), (f"  in {where}" if where else "", "bold"))


def _named(rows: Iterable[tuple[str, Text]]) -> Table:
    """Words with names on their left."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in rows:
        table.add_row(name, words)
    return table


def _rows(finding: Finding, source: Source | None, hint: int) -> Iterator[tuple[str, Text]]:
    mistake = BY_ID.get(finding.mistake or "")
    if code := _own_line(finding.line, source):
        yield "your line", Text(code, "cyan", no_wrap=True, overflow="ellipsis")
    yield "seen", Text(printable(finding.symptom))
    if finding.shown:
        yield "", Text(printable(finding.shown))
    if mistake is None:
        yield "mistake", Text("unknown" + (f"; what can be said: {printable(finding.guess)}" if finding.guess else ""))
    else:
        yield "symptom", Text(mistake.symptom)
    if hint >= NAMED:
        yield from _answer(finding, mistake, hint)


def _answer(finding: Finding, mistake: Mistake | None, hint: int) -> Iterator[tuple[str, Text]]:
    """The mistake, the formula and why; the reference's line."""
    if mistake is not None:
        yield "mistake", Text(mistake.title, "bold")
    if (right := formula(finding)) is None:
        return
    yield "formula", Text(f"{right.formula}  ({right.slide})")
    if mistake is not None:
        yield "why", Text(mistake.why)
    if hint >= REFERENCE:
        line = line_of(right.reference)
        yield "reference", Text(f"{line.file}:{line.number}")
        yield "", Text(line.text, "green")


def formula(finding: Finding) -> Rule | None:
    """The right one of what is wrong: the mistake's, or the quantity's own where that is all there is to say."""
    mistake = BY_ID.get(finding.mistake or "")
    own = rule(finding.exercise, finding.quantities[0]) if finding.quantities else None
    if mistake is None or (mistake.general and own is not None):
        return own
    return Rule(mistake.formula, mistake.slide, mistake.reference)


def _own_line(line: int | None, source: Source | None) -> str:
    lines = source.text.splitlines() if source else []
    return printable(lines[line - 1].strip()) if line and line <= len(lines) else ""


def _scores(graded: Graded) -> Table:
    """The quantities that are right, that are wrong, and that follow."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for exercise, row in graded.scores.items():
        name = exercise
        for score, what, style in ((True, "right", "green"), (False, "wrong", "red"), (None, "open", "yellow")):
            if of := [quantity for quantity, found in row.items() if found is score]:
                table.add_row(name, Text(what, style), " ".join(of))
                name = ""
    return table


def _show_notes(graded: Graded, source: Source | None, to: Console) -> None:
    if notes := list(_notes(graded, source)):
        to.print()
        to.print(_named(("note", words) for words in notes))


def _notes(graded: Graded, source: Source | None) -> Iterator[Text]:
    """Conventions, each once and with why it is valid; what was not found; what the file printed."""
    for convention, places in _grouped(graded.notes, source).items():
        words = Text(CONVENTIONS.get(convention, convention) + places)
        yield words.append(f". {VALID[convention]}" if convention in VALID else "", "dim")
    for exercise, names in graded.missing.items():
        if names and exercise in PASSES and in_vain(exercise, names) not in graded.troubles:
            yield Text(printable(f"of {exercise} not found, and not graded: {', '.join(names)}"))
    if graded.printed:
        first = next((line for line in graded.printed.splitlines() if line.strip()), "")
        more = " or more" if len(graded.printed) >= KEPT else ""
        yield Text(f"the file printed {len(graded.printed):,} characters{more}, kept apart: {printable(first)[:60]} …")


def _grouped(notes: tuple[Note, ...], source: Source | None) -> dict[str, str]:
    """Each convention once, with all the places where it is followed."""
    places: dict[str, dict[str, None]] = {}
    for note in notes:
        places.setdefault(note.convention, {})[_where(note.function, note.line, source)] = None
    return {name: f" ({'; '.join(filter(None, at))})" if any(at) else "" for name, at in places.items()}


def score(graded: Graded) -> tuple[int, int]:
    """How many quantities are right, of how many."""
    found = [value for row in graded.scores.values() for value in row.values()]
    return sum(value is True for value in found), len(found)


def _counts(graded: Graded) -> str:
    """The line that counts."""
    right, total = score(graded)
    wrong = [name for row in graded.scores.values() for name, value in row.items() if value is False]
    left = total - right - len(wrong)
    if wrong:
        counted = f"{', '.join(wrong)}: {len(wrong)} of {total} quantities {'is' if len(wrong) == 1 else 'are'} wrong"
        if left:
            counted += f"; {left} {'follows' if left == 1 else 'follow'} from that or could not be judged"
    elif left:
        counted = f"{right} of {total} quantities are right; {left} could not be judged"
    else:
        counted = f"all {total} quantities are right" if total else "nothing was graded"
    apart = sum(not set(finding.about) & set(wrong) for finding in graded.findings)
    if apart:
        counted += f"; {apart} {'other mistake' if apart == 1 else 'other mistakes'}"
    return counted + ("; something could not be run, see above" if graded.status == 2 and total else "")


def as_json(graded: Graded, source: Source | None) -> dict[str, object]:
    """The report for a program."""
    right, total = score(graded)
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "file": graded.file,
        "exercises": list(graded.exercises),
        "status": graded.status,
        "score": {"right": right, "total": total},
        "scores": {exercise: dict(row) for exercise, row in graded.scores.items()},
        "findings": [_finding_as_json(finding, source) for finding in in_order(graded)],
        "notes": [
            asdict(note) | {"what": CONVENTIONS.get(note.convention, ""), "why": VALID.get(note.convention, "")}
            for note in graded.notes
        ],
        "troubles": [asdict(t) | {"place": source.place(t.line) if source else ""} for t in graded.troubles],
        "missing": {exercise: list(names) for exercise, names in graded.missing.items()},
        "printed": graded.printed,
        "versions": {
            "parity": __version__,
            "python": platform.python_version(),
            "numpy": version("numpy"),
        },
    }


def _finding_as_json(finding: Finding, source: Source | None) -> dict[str, object]:
    mistake, right = BY_ID.get(finding.mistake or ""), formula(finding)
    return asdict(finding) | {
        "quantities": list(finding.quantities),
        "place": source.place(finding.line) if source else "",
        "title": mistake.title if mistake else None,
        "formula": right.formula if right else None,
        "slide": right.slide if right else None,
        "why": mistake.why if mistake else None,
    }
