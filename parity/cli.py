"""The command line: `parity` and its commands. It imports no framework until one of them needs it.

Exit status: 0 all identical, 1 something differs, 2 could not run or was stopped, with one line that says why.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from parity.errors import BadInput, printable
from parity.switches import set_switches

if TYPE_CHECKING:
    from parity.problems import Problem
    from parity.run import Plan

OK, DIFFERS, CANNOT = 0, 1, 2
ROOMS = {
    "train": ("training.command", "gradient descent side by side: every step proven, last digits explained"),
    "optimum": ("training.optimum", "Newton's method and descent to scikit-learn's optimum"),
    "figures": ("training.figures", "the notes' own pictures, computed and drawn"),
    "grade": ("grade.command", "grade somebody's own backpropagation, and name the mistakes"),
    "bench": ("bench.command", "time what is proven equal, beside a floor of the same run"),
    "study": ("study.command", "build the pages: every formula beside its code in every framework, with live numbers"),
}
"""Commands with a module of their own in `parity`, which has their options, and what they are for."""

COMMANDS = ("run", "list", "trace", *ROOMS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the console script's entry point.

    Returns
    -------
    int
        The exit status.
    """
    try:
        try:
            return _command(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            if sys.stdout is not None:  # as where the shell closed it
                sys.stdout.flush()  # what cannot be written is told here, not when the interpreter ends
    except BadInput as error:
        return _cannot(str(error))
    except KeyboardInterrupt:
        return _cannot("stopped")
    except MemoryError as error:
        return _cannot(f"memory is too short: {printable(str(error)) or 'ask for less at once'}")
    except BrokenPipeError:  # the reader of a pipe went away, and knows why
        _drop_output()
        return CANNOT
    except OSError as error:  # most likely standard output on a full disk
        _drop_output()
        return _cannot(f"input or output failed: {printable(str(error))}")
    except ImportError as error:  # of a library that was being loaded when Ctrl-C came
        if _interrupted(error):
            return _cannot("stopped")
        raise


def _command(given: list[str]) -> int:
    """What was given, or `run` in front of it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # where α has no place in the encoding, a question mark has
    set_switches()  # before a room is looked into: that imports NumPy
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given = ["run", *given]
    elif not given[0].startswith("-") and given[0] not in COMMANDS:
        raise BadInput(unknown("command", given[0], COMMANDS))
    options = parser(given[0]).parse_args(given)
    return int(options.command(options))


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is what an error comes from."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return error is not None
    return _interrupted(error.__cause__ or error.__context__)


def _cannot(why: str) -> int:
    with suppress(OSError):  # where nobody can be told, the status says it
        print(f"parity: {why}", file=sys.stderr)
    return CANNOT


def _drop_output() -> None:
    """What still waits to be written goes nowhere: the interpreter would try it again at its end."""
    with suppress(OSError, AttributeError):  # where there is no output, or none with a number
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Parser(argparse.ArgumentParser):
    """argparse with errors in one line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where the help is, and exit with status 2."""
        self.exit(CANNOT, f"parity: {printable(message)}; see '{self.prog} --help'\n")


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """All commands with their options; those of `ROOMS` have theirs if `only` is their name, or None."""
    top = Parser(
        prog="parity",
        description="Do NumPy by hand, PyTorch, JAX and scikit-learn compute the same costs and gradients?",
        epilog="Without a command: run. Exit status: 0 all identical, 1 something differs, 2 could not run.",
    )
    top.add_argument("--version", action="version", version=_version())
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="the parity matrix: problems down, implementations across (the default)")
    run.set_defaults(command=command_run)
    for option, what in (
        ("--model", "logistic_regression, shallow_network, deep_network, …"),
        ("--problem", "a problem or a group of them (real, exact, notes, edge)"),
        ("--implementation", "an implementation, or all of a framework"),
        ("--dtype", "float64, float32, bfloat16 or float16"),
        ("--device", "cpu (the default), cuda or mps"),
    ):
        run.add_argument(option, action="append", metavar="NAME", type=several, help=what)
    run.add_argument("--data", metavar="FILE", help="a CSV or Parquet file of your own, in place of the problems")
    run.add_argument("--target", metavar="COLUMN", help="the file's column of labels, 0 or 1")
    run.add_argument("--all", action="store_true", help="slow variants on every problem, not on one a model and dtype")
    run.add_argument(
        "--accuracy", action="store_true", help="rank the implementations by their share of the bound, too"
    )
    run.add_argument("--json", metavar="FILE", help="write the report for a program, too")

    listing = commands.add_parser(
        "list", help="problems, implementations, devices and dtypes, and why any is unavailable"
    )
    listing.set_defaults(command=command_list)

    trace = commands.add_parser("trace", help="every quantity of one problem in order, and the first that differs")
    trace.set_defaults(command=command_trace)
    trace.add_argument("problem", metavar="PROBLEM")
    trace.add_argument("--implementation", metavar="NAME", required=True)
    trace.add_argument("--dtype", metavar="NAME", default="float64")
    trace.add_argument("--device", metavar="NAME", default="cpu")

    for name, (module, what) in ROOMS.items():
        room = commands.add_parser(name, help=what, description=what)
        if only in (None, name):  # its options are not looked up in vain: that takes imports
            found = import_module(f"parity.{module}")
            found.add_options(room)
            room.set_defaults(command=found.command)
    return top


def several(text: str) -> list[str]:
    """One value, or several: an argument's type."""
    return text.split(",")


def _version() -> str:
    from parity import __version__

    return f"parity {__version__}"


def command_run(options: argparse.Namespace) -> int:
    """The matrix, its report and its JSON."""
    from parity import kept, report
    from parity.paper import Progress, console
    from parity.run import matrix

    plan = plan_of(options)
    write, keep = json_writer(options.json), kept.keeper(plan)
    with Progress(len(plan)) as progress:
        cells = list(matrix(plan, progress.advance))
    keep(cells)
    try:
        write(report.as_json(cells))
    finally:  # whoever reads the one may be gone, or the disk of the other full
        report.show(cells, console(), accuracy=options.accuracy)
    if not any(cell.comparisons for cell in cells):
        raise BadInput(f"nothing was compared: {cells[0].skipped if cells else 'no problem is left of this selection'}")
    return DIFFERS if any(cell.first_difference for cell in cells) else OK


def plan_of(options: argparse.Namespace) -> Plan:
    """What the options ask for; every name is checked before anything runs."""
    from parity.formats import FORMATS
    from parity.implementations import by_framework
    from parity.names import DEVICES, available_names
    from parity.problems import MODELS, catalogue
    from parity.run import Plan

    models = chosen("model", options.model, MODELS)
    dtypes = chosen("dtype", options.dtype, FORMATS)
    devices = chosen("device", options.device, DEVICES, default=("cpu",))
    implementations = chosen("implementation", options.implementation, available_names(), groups=by_framework())
    problems = problems_of_file(options)
    if problems is None:
        groups = {group: list(problems) for group, problems in catalogue.GROUPS.items()}
        names = chosen("problem", options.problem, catalogue.NAMES, groups=groups)
        problems = [catalogue.build(name) for name in names]
    problems = [problem for problem in catalogue.in_order(problems) if problem.model in models]
    plan = Plan(tuple(problems), implementations, dtypes, devices, options.all)
    if not plan.rows():
        raise BadInput("no problem is left: no chosen problem is of a chosen model and used in a chosen dtype")
    return plan


def problems_of_file(options: argparse.Namespace) -> list[Problem] | None:
    """The user's file as one problem a model; None where there is no file."""
    if options.data is None:
        if options.target is not None:
            raise BadInput("--target names a column of a file: give the file with --data")
        return None
    from parity.problems import own

    if options.problem is not None:
        raise BadInput("--data takes the place of the problems: leave --problem out")
    if options.target is None:
        raise BadInput(f"--data needs --target: which column of {options.data} holds the labels, 0 or 1?")
    return own.problems(options.data, options.target)


def chosen(
    what: str,
    given: list[list[str]] | None,
    known: Iterable[str],
    *,
    default: Sequence[str] | None = None,
    groups: dict[str, list[str]] | None = None,
    see: str = "parity list",
) -> tuple[str, ...]:
    """The names that were given, a group's name standing for all in it; in the order of `known`, each once.

    `see` is the command that shows what there is.

    Raises
    ------
    BadInput
        A name is not known; the line says which are near.
    """
    names, groups = tuple(known), groups or {}
    if given is None:
        return tuple(default or names)
    wanted: set[str] = set()
    for name in (name for names in given for name in names):
        if name not in names and name not in groups:
            raise BadInput(unknown(what, name, (*names, *groups), see))
        wanted.update([name] if name in names else [])
        wanted.update(groups.get(name, []))
    return tuple(name for name in names if name in wanted)


def unknown(what: str, name: str, known: Sequence[str], see: str = "parity list") -> str:
    """One line: there is no such name, and what it may have meant, or where to look."""
    near = get_close_matches(name, known, 3, 0.5) or [k for k in known if name and name.lower() in k][:3]
    if near:
        return f"there is no {what} {name!r}; did you mean {' or '.join(near)}?"
    return f"there is no {what} {name!r}; {'there are ' + ', '.join(known) if len(known) < 9 else f'see: {see}'}"


def command_list(options: argparse.Namespace) -> int:
    """What there is, and why any of it cannot be used here."""
    from parity import listing

    listing.show()
    return OK


def command_trace(options: argparse.Namespace) -> int:
    """Every quantity in order."""
    from parity import trace
    from parity.formats import FORMATS
    from parity.names import DEVICES, available_names
    from parity.problems import catalogue

    for what, name, known in (
        ("problem", options.problem, catalogue.NAMES),
        ("implementation", options.implementation, available_names()),
        ("dtype", options.dtype, tuple(FORMATS)),
        ("device", options.device, DEVICES),
    ):
        if name not in known:
            raise BadInput(unknown(what, name, known))
    problem = catalogue.build(options.problem)
    if options.dtype not in problem.dtypes:
        raise BadInput(f"{problem.name} is not used in {options.dtype}, only in {', '.join(problem.dtypes)}")
    return DIFFERS if trace.show(problem, options.implementation, options.dtype, options.device) else OK


def json_writer(path: str | None) -> Callable[[dict[str, object]], None]:
    """A function that writes a report to `path`, beside it first and then in one move; nothing where path is None.

    Raises
    ------
    BadInput
        The place cannot be written to: found out before the run, not after.
    """
    if path is None:
        return lambda report: None
    from parity.files import writable, write_whole

    target = writable(path)

    def write(report: dict[str, object]) -> None:
        import json

        write_whole(target, json.dumps(report, indent=1, ensure_ascii=False) + "\n")

    return write


if __name__ == "__main__":
    sys.exit(main())
