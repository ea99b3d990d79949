"""The grader in somebody's own test suite: `from parity.grade import check`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from os import PathLike, fspath
from types import ModuleType

from parity.errors import BadInput
from parity.grade import report, run
from parity.grade.findings import EXERCISES, Graded
from parity.grade.record import NO_VERDICT, Source

Given = str | PathLike[str] | ModuleType | Callable[..., object] | Iterable[Callable[..., object]]


def check(
    path_or_functions: Given,
    exercise: str = run.AUTO,
    *,
    hint: int = report.ORDINARY,
    seconds: float | None = None,
    quantities: Iterable[str] | None = None,
) -> Graded:
    """Grade a file, and fail where it has mistakes.

    Parameters
    ----------
    path_or_functions : path, module, function, or several functions
        A .py or .ipynb file; or what was imported from one: the file is graded, in a process of its own.
    exercise : str
        logistic, shallow, deep, activations or initialization, all of whose functions have to be there; or auto.
    hint : int
        How much a failure gives away, 1 to 3.
    seconds : float or None
        How long the statements at the top of the file, and each call of a function, may take.
    quantities : iterable of str or None
        All that is asked about, by the notes' names: ("dW1", "db1"). What else is wrong, or missing, does not matter.

    Returns
    -------
    Graded
        What was found; its notes are worth reading even where nothing is wrong.

    Raises
    ------
    AssertionError
        There are mistakes: the message is the report.
    BadInput
        The file could not be run as it is, or a quantity is none of those that it computes: one line.
    """
    __tracebackhide__ = True  # pytest: the report is all there is to read
    if exercise not in (run.AUTO, *EXERCISES):
        raise BadInput(f"there is no exercise {exercise!r}; there are {', '.join(EXERCISES)}")
    source, graded = run.run(_path(path_or_functions), exercise, seconds)
    if quantities is not None:
        quantities = tuple(quantities)
        graded = _restricted(graded, source, quantities)
    if graded.status == 2:
        raise BadInput(_why_not(graded, source))
    if quantities is not None and not graded.findings and None in _judged(graded):
        raise BadInput(f"{graded.file}: not all of {', '.join(quantities)} could be judged")
    if graded.findings:
        raise AssertionError("\n" + report.text(graded, source, hint))
    return graded


def _path(given: Given) -> str:
    if isinstance(given, str | PathLike):
        return fspath(given)
    if isinstance(given, Mapping):
        given = given.values()
    several = [given] if isinstance(given, ModuleType) or callable(given) else list(given)
    files = {_file_of(one) for one in several}
    if len(files) != 1:
        raise BadInput(f"these functions are of {len(files)} files: check one at a time")
    return files.pop()


def _file_of(one: object) -> str:
    try:
        found = inspect.getsourcefile(inspect.unwrap(one) if callable(one) else one)  # type: ignore[arg-type]
    except TypeError:
        found = None
    if found is None or found.startswith("<"):
        raise BadInput(f"{one!r} has no file of its own: give the path of one")
    return found


def _restricted(graded: Graded, source: Source, quantities: tuple[str, ...]) -> Graded:
    """What is said of these quantities alone; that they are right needs nothing else to have run."""
    __tracebackhide__ = True
    scores = {
        exercise: {name: score for name, score in row.items() if name in quantities}
        for exercise, row in graded.scores.items()
    }
    found = {name for row in scores.values() for name in row}
    if absent := [name for name in quantities if name not in found]:
        raise BadInput(f"{graded.file}: there is no {', '.join(absent)} to be graded; {_why_not(graded, source)}")
    findings = tuple(f for f in graded.findings if set(f.about) & set(quantities))
    some = replace(graded, findings=findings, scores=scores, missing={})
    if all(_judged(some)) or (findings and None not in _judged(some)):
        return replace(some, troubles=())
    return some if findings else replace(some, findings=graded.findings)  # what they hang on is wrong


def _judged(graded: Graded) -> list[bool | None]:
    return [score for row in graded.scores.values() for score in row.values()]


def _why_not(graded: Graded, source: Source) -> str:
    """One line: the first of the troubles that leave no verdict, or what there is."""
    for trouble in graded.troubles:
        if trouble.kind in NO_VERDICT:
            place = source.place(trouble.line)
            return ": ".join(filter(None, (graded.file, place, trouble.what)))
    there = [name for row in graded.scores.values() for name in row]
    return f"there are {', '.join(there)}" if there else "nothing was graded"
