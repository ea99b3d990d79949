"""`parity bench`: the options, and what they ask for. Nothing that computes is imported before it is needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from parity.bench.cases import CASES, QUICK, WORKS
from parity.bench.plan import CONTRASTS, DTYPES, Plan, implementations
from parity.cli import DIFFERS, OK, chosen, json_writer, several
from parity.errors import BadInput, shorten
from parity.files import none_left_empty
from parity.names import DEVICES, available_names

if TYPE_CHECKING:
    from parity.bench.results import Results
    from parity.bench.run import Run

FAST = ("reference", "reference-tuned", "torch-eager", "torch-compile", "jax-jit", "sklearn-loss")
"""What `--quick` times."""

QUICK_ROUNDS, LEAST_ROUNDS, ROUNDS_TO_COMPARE = 7, 9, 31
"""An interval of a median is no wider than its samples from 6 on; a row that takes 1.3 times as long is found by a
test of 15 rounds in 78 of 100 runs, of 25 in 98 (see `parity.bench.compare`)."""


DIGITS = 10
"""A number of threads has fewer."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `parity bench`."""
    parser.epilog = (
        "A NAME may be several, with commas in between. Exit status: 0 all is well, 1 a row differs or --compare finds "
        "a regression, 2 could not run."
    )
    for name, what in (
        ("--case", "a model at a size (see --list)"),
        ("--work", "step (cost and gradients), train (gradient descent) or forward"),
        ("--implementation", "an implementation, or all of numpy, torch, jax or sklearn"),
        ("--dtype", "float64, float32; on a GPU bfloat16 and float16, too"),
        ("--device", "cpu, cuda or mps; all by default, those that are missing are skipped"),
        ("--threads", "how many, or all; 1 and all by default"),
    ):
        parser.add_argument(name, action="append", metavar="NAME", type=several, help=what)
    option = parser.add_argument
    option(
        "--filter", metavar="PATTERN", action="append", help="rows whose name matches, as 'logistic-*/step/float32/*'"
    )
    option("--quick", action="store_true", help="a minute: three cases, a step in float32 on one thread")
    option("--list", action="store_true", help="show what there is to time, and time nothing")
    option("--json", metavar="FILE", help="write all that was found, every sample included: what --compare reads")
    option("--html", metavar="FILE", help="write a page with tables and pictures, all in one file")
    option("--plots", metavar="DIR", help="write its pictures as SVG and PNG into this folder")
    option("--compare", metavar="OLD", help="the JSON of an earlier run: time its rows again, and say what changed")
    option("--with", metavar="NEW", dest="new", help="compare OLD with this JSON, and time nothing")
    option("--size", metavar="PERCENT", type=float, help="how much slower is a regression: 15 by default")
    option("--other-machine", action="store_true", help="compare with a run of another machine all the same")


def command(options: argparse.Namespace) -> int:
    """List, compare two runs, or time; the exit status."""
    if options.new is not None and options.compare is None:
        raise BadInput("--with names the newer of two runs: give the older with --compare")
    if options.list:
        return _listed(plan_of(options))
    size = size_of(options)
    old = _loaded(options.compare)
    new = _loaded(options.new)
    if old is not None and new is not None:
        return _compared(old, new, size, options)
    plan = plan_of(options, old)
    with none_left_empty(options.plots):
        return _timed(plan, old, size, options)


def size_of(options: argparse.Namespace) -> float:
    """How much slower a row must be to be called a regression, as a share."""
    from parity.bench.compare import SIZE

    if options.size is None:
        return SIZE
    if not 0 < options.size < float("inf"):
        raise BadInput(f"--size is {options.size:g}: choose a percentage above 0")
    return options.size / 100


def _loaded(path: str | None) -> Results | None:
    if path is None:
        return None
    from parity.bench.results import load

    return load(path)


def plan_of(options: argparse.Namespace, old: Results | None = None) -> Plan:
    """What the options ask for; every name is checked before anything runs.

    Raises
    ------
    BadInput
        A name is not known, there are fewer cores than threads, or no row is left.
    """
    quick, named = options.quick, implementations()
    one_of = partial(chosen, see="parity bench --list")
    cases = one_of("case", options.case, CASES, default=QUICK if quick else None)
    plan = Plan(
        cases=tuple(CASES[name] for name in cases),
        works=one_of("work", options.work, WORKS, default=("step",) if quick else None),
        dtypes=one_of("dtype", options.dtype, DTYPES, default=("float32",) if quick else None),
        devices=one_of("device", options.device, DEVICES),
        threads=threads_of(options),
        implementations=one_of(
            "implementation", options.implementation, named, default=_default(quick), groups=_groups()
        ),
        patterns=tuple(options.filter or ()),
        quick=quick,
        rounds=ROUNDS_TO_COMPARE if old is not None else QUICK_ROUNDS if quick else LEAST_ROUNDS,
        everything=options.case is not None,
    )
    if old is not None:
        plan = _again(plan, old, options.threads is not None)
    if not any(True for _ in plan.groups()):
        raise BadInput(_nothing(plan, options))
    return plan


def _default(quick: bool) -> tuple[str, ...]:
    names = implementations()
    return tuple(name for name in names if name in FAST) if quick else names


def _groups() -> dict[str, list[str]]:
    """The implementations of a framework, by the first word of their names."""
    found: dict[str, list[str]] = {}
    for name in (*available_names(), *CONTRASTS):
        found.setdefault("numpy" if name.startswith("reference") else name.partition("-")[0], []).append(name)
    return {framework: names for framework, names in found.items() if framework not in available_names()}


def _again(plan: Plan, old: Results, of_threads: bool) -> Plan:
    """The rows that an earlier run has times of, with any number of threads unless some were asked for."""
    from parity.bench.compare import rows_worth_running

    wanted = frozenset(rows_worth_running(old))
    possible = plan.threads if of_threads else range(1, cores() + 1)
    threads = tuple(sorted({key.threads for key in wanted}.intersection(possible)))
    names = tuple(name for name in plan.implementations if any(key.implementation == name for key in wanted))
    return replace(plan, wanted=wanted, threads=threads or plan.threads, implementations=names, everything=True)


def _nothing(plan: Plan, options: argparse.Namespace) -> str:
    """Why no row is left."""
    if plan.wanted is not None:
        return f"no row of {options.compare} is left to be timed again by these options"
    if not plan.patterns:
        return "no row is left: bfloat16 and float16 are timed on a GPU only"
    every = [str(key) for _, keys in replace(plan, patterns=()).groups() for key in keys]
    near = get_close_matches(plan.patterns[0], every, 1, 0.3) or every[:1]
    return f"no row matches {plan.patterns[0]!r}; a row is called {near[0]}" if near else "no row is left"


def threads_of(options: argparse.Namespace) -> tuple[int, ...]:
    """Numbers of threads, each once, from small to large.

    Raises
    ------
    BadInput
        One is no number, or this process may not use so many cores.
    """
    if options.threads is None:
        return (1,) if options.quick else tuple(sorted({1, cores()}))
    found = set()
    for given in (name for names in options.threads for name in names):
        if given != "all" and not (given.isdecimal() and len(given) < DIGITS):
            raise BadInput(f"--threads is {shorten(given)!r}: give a number, or all")
        threads = cores() if given == "all" else int(given)
        if not 1 <= threads <= cores():
            raise BadInput(f"--threads is {threads}: this process may use 1 to {cores()} cores")
        found.add(threads)
    return tuple(sorted(found))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _listed(plan: Plan) -> int:
    """Every case with what there is of it."""
    from rich.table import Table

    from parity.paper import console

    table = Table("case", "activations", "weights", "rows", box=None, padding=(0, 2, 0, 0))
    table.columns[2].justify = table.columns[3].justify = "right"
    counts: dict[str, int] = {}
    for case, keys in plan.groups():
        counts[case.name] = counts.get(case.name, 0) + len(keys)
    for name, rows in counts.items():
        case = CASES[name]
        of = case.activations
        table.add_row(
            name, " ".join(of) if len(of) < 4 else f"{of[0]} ×{len(of) - 1} {of[-1]}", f"{case.weights:,}", str(rows)
        )
    to = console()
    to.print(table)
    for what, names in (
        ("work", plan.works), ("dtype", plan.dtypes), ("device", plan.devices), ("threads", map(str, plan.threads)),
        ("implementation", plan.implementations),
    ):  # fmt: skip
        to.print(f"{what}: {', '.join(names)}", style="dim")
    to.print(f"{sum(counts.values())} rows; one is called {next(iter(plan.groups()))[1][0]}", style="bold")
    return OK


def _compared(old: Results, new: Results, size: float, options: argparse.Namespace) -> int:
    """Two runs that are there already: what looks slower cannot be confirmed."""
    from parity.bench.compare import compare, show
    from parity.paper import console

    found = compare(old, new, size, other_machine=options.other_machine)
    show(found, console())
    return DIFFERS if found.regressions else OK


def _timed(plan: Plan, old: Results | None, size: float, options: argparse.Namespace) -> int:
    """Run, write and show; what was found until Ctrl-C came is kept."""
    from parity.bench import report
    from parity.paper import console

    if old is not None and not options.other_machine:
        _refuse_another_machine(options.compare, old)
    keep = keeper(options)
    results = _run(plan, keep)
    try:
        keep(results)
    finally:
        report.show(results, console())
    status = DIFFERS if any(row.fault for group in results.groups for row in group.rows) else OK
    if old is None:
        return status
    return max(status, _held_against(old, results, plan, size, options))


def _refuse_another_machine(path: str, old: Results) -> None:
    from parity.bench import machine

    if other := machine.same_machine(old.machine, machine.machine()):
        raise BadInput(f"{path} is of another machine: {other}; --other-machine compares all the same")


def _run(plan: Plan, keep: Callable[[Results], None]) -> Results:
    """Time everything; if that is stopped, what was found is kept."""
    from parity.bench.run import Run, expected
    from parity.paper import Progress

    notes = ("quick: fewer rounds, and no processes with empty caches",) if plan.quick else ()
    groups = sum(1 for _ in plan.groups())
    with Progress(expected(plan)) as progress:
        run = Run(plan, progress.advance)
        try:
            run()
        except BaseException:
            if run.groups:
                keep(results_of(run, (*notes, f"stopped: {len(run.groups)} of {groups} groups were timed")))
            raise
    return results_of(run, notes)


def _held_against(old: Results, new: Results, plan: Plan, size: float, options: argparse.Namespace) -> int:
    """Compare; what looks slower is timed once more, in new processes, before it is called a regression."""
    from parity.bench.compare import compare, confirmed, show, worth_confirming
    from parity.paper import console

    found = compare(old, new, size, other_machine=options.other_machine)
    if again := worth_confirming(found):
        second = _run(replace(plan, wanted=frozenset(again)), lambda results: None)
        found = confirmed(found, compare(old, second, size, other_machine=options.other_machine))
    show(found, console())
    return DIFFERS if found.regressions else OK


def results_of(run: Run, notes: Sequence[str]) -> Results:
    """Everything that a run found, with what it depends on."""
    from parity.bench import machine
    from parity.bench.results import Results
    from parity.bench.run import SEED

    peaks, groups = run.results()
    return Results(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        command=tuple(sys.argv[1:]),
        machine=machine.machine(),
        libraries=tuple(run.surroundings.get("libraries", ())),
        versions=machine.versions(),
        flags=run.surroundings.get("flags", {}),
        switches=run.surroundings.get("switches", {}) | {"pinned": run.surroundings.get("pinned", "")},
        commit=machine.commit(),
        seed=SEED,
        peaks=peaks,
        groups=groups,
        notes=tuple(notes),
    )


def keeper(options: argparse.Namespace) -> Callable[[Results], None]:
    """A function that writes the files that are asked for; whether they can be written is known before the run.

    Raises
    ------
    BadInput
        One cannot.
    """
    from parity.bench import page, plots
    from parity.bench.results import as_json
    from parity.drawing import writable_folder
    from parity.files import writable, write_whole

    write_json = json_writer(options.json)
    html = None if options.html is None else writable(options.html)
    pictures = None if options.plots is None else writable_folder(options.plots)

    def keep(results: Results) -> None:
        write_json(as_json(results))
        if html is not None:
            write_whole(html, page.page(results))
        if pictures is not None:
            plots.of_results(results, pictures)

    return keep
