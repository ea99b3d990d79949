"""`parity grade`: the options, and what they ask for. Nothing that computes is imported before it is needed."""

from __future__ import annotations

import argparse
import math
import sys
from difflib import get_close_matches
from pathlib import Path

from parity.cli import OK, json_writer, unknown
from parity.errors import BadInput, shorten
from parity.grade.findings import EXERCISES
from parity.grade.run import AUTO

TEMPLATES = Path(__file__).with_name("templates")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `parity grade`."""
    parser.epilog = (
        "Exit status: 0 all is right, 1 mistakes, 2 something could not be run. FILE runs in a process of its own with "
        "limits, which contains accidents and is no sandbox: see docs/grading.md before grading strangers' files."
    )
    option = parser.add_argument
    option("file", metavar="FILE", nargs="?", help="a .py or .ipynb file in NumPy, PyTorch or JAX")
    option(
        "--exercise", metavar="NAME", default=AUTO, help=f"{', '.join(EXERCISES)}, or auto, the default: what is there"
    )
    option(
        "--hint",
        type=int,
        choices=(1, 2, 3),
        default=1,
        help="1 (the default) the quantity, its line and the symptom; 2 the mistake and the slide's formula, too; "
        "3 the reference's line, too",
    )
    option("--json", metavar="FILE", help="write the report for a program, too")
    option(
        "--seconds",
        metavar="N",
        type=float,
        help="how long the statements at the top of FILE, and each call of a function, may take; 10 and 5 by default",
    )
    option("--template", metavar="NAME", help="print a file to start from: an exercise's functions, yet to be written")
    option("--list", action="store_true", help="the mistakes that are known by name")
    option("--explain", metavar="ID", help="one of them: symptom, formula, why, and the reference's line")


def command(options: argparse.Namespace) -> int:
    """Print a template, the catalogue or an entry, or grade a file; the exit status."""
    if options.template is not None:
        return _template(options.template)
    if options.list:
        return _list()
    if options.explain is not None:
        return _explain(options.explain)
    if options.file is None:
        raise BadInput("grade needs a file: parity grade FILE; --template shallow prints one to start from")
    return _graded(options)


def _graded(options: argparse.Namespace) -> int:
    """Grade, write and show."""
    if options.exercise not in (AUTO, *EXERCISES):
        raise BadInput(unknown("exercise", options.exercise, (AUTO, *EXERCISES)))
    if options.seconds is not None and not 0 < options.seconds < math.inf:
        raise BadInput(f"--seconds is {options.seconds:g}: choose a number above 0")
    write = json_writer(options.json)

    from parity.grade import report, run
    from parity.paper import console, waiting

    with waiting("grading"):
        source, graded = run.run(options.file, options.exercise, options.seconds)
    try:
        write(report.as_json(graded, source))
    finally:
        to = console()
        if to.is_terminal:
            report.show(graded, source, options.hint, to)
        else:
            sys.stdout.write(report.text(graded, source, options.hint))
    return graded.status


def _template(name: str) -> int:
    if name not in EXERCISES:
        raise BadInput(unknown("template", name, EXERCISES))
    sys.stdout.write((TEMPLATES / f"{name}.py").read_text(encoding="utf-8"))
    return OK


def _list() -> int:
    """The catalogue, a line an entry."""
    from parity.grade.catalogue import BY_ID, GROUPS

    width = max(map(len, BY_ID))
    for heading, names in GROUPS.items():
        print(heading)
        for name in names:
            print(f"  {name:{width}}  {BY_ID[name].slide:3}  {BY_ID[name].title}")
    print(f"{len(BY_ID)} mistakes; --explain ID says more of one")
    return OK


def _explain(name: str) -> int:
    """One entry in full."""
    from rich.table import Table

    from parity.grade.catalogue import BY_ID
    from parity.grade.words import line_of
    from parity.paper import console

    if name not in BY_ID:
        near = get_close_matches(name, BY_ID, 3, 0.5)
        also = f"did you mean {' or '.join(near)}?" if near else "see: parity grade --list"
        raise BadInput(f"there is no mistake {shorten(name)!r}; {also}")
    mistake = BY_ID[name]
    line = line_of(mistake.reference)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for what, words in (
        ("symptom", mistake.symptom),
        ("formula", f"{mistake.formula}  ({mistake.slide})"),
        ("why", mistake.why),
        ("reference", f"{line.file}:{line.number}"),
        ("", line.text),
        ("made in", ", ".join(mistake.exercises)),
    ):
        table.add_row(what, words)
    to = console()
    to.print(f"{mistake.id}: {mistake.title}", style="bold")
    to.print(table)
    return OK
