"""`parity train`: what the options ask for, checked before anything runs."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from parity.cli import CANNOT, DIFFERS, OK, chosen, json_writer, problems_of_file, several, unknown
from parity.errors import BadInput, printable, shorten
from parity.files import none_left_empty
from parity.formats import FORMATS
from parity.implementations import by_framework, find
from parity.names import DEVICES, available_names
from parity.problems import ACTIVATIONS, FLOATS, NETWORKS, Problem, catalogue
from parity.problems.parameters import draw
from parity.surroundings import memory
from parity.training import Descent, Params, Reached, checkpoint
from parity.training.result import Result, found_out
from parity.training.steps import refusal
from parity.training.trail import Trail

HIDDEN = {"logistic_regression": (), "shallow_network": (4,), "deep_network": (5, 3)}
"""The sizes of hidden layers, all tanh, where a model is asked for and no layers are."""

STEPS, RATE = 1000, 0.3
"""Where neither the problem nor an option says so."""

DIGITS = {"float64": 10, "float32": 4, "bfloat16": 1, "float16": 2}
"""Of J that are asked for: well within the format."""

MOST_DIGITS = 15
"""Of J: an implementation's is a float64, in which no more are sure."""

SAVE_EVERY = 5.0
"""Seconds."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What the options ask for, all of it checked."""

    descent: Descent
    names: tuple[str, ...]
    digits: int
    start: dict[str, Reached]
    keeper: Keeper
    write: Callable[[dict[str, object]], None]
    draw_in: Callable[[Result], list[Path]]


def command(options: argparse.Namespace) -> int:
    """Train, witness, explain, and say so."""
    with none_left_empty(options.save, options.plots):
        asked = asked_for(options)
        result = trained(asked, exactly=options.exact, fresh=options.fresh)
        told(result, asked, options.save)
    if not result.right:
        return DIFFERS
    return CANNOT if result.stopped else OK


def asked_for(options: argparse.Namespace) -> Asked:
    """Everything that can be checked before anything runs, the folders last: they are made.

    Raises
    ------
    BadInput
        An option does not fit the others, the data, or what is on the disk.
    """
    descent = descent_of(options)
    names = implementations_of(options, descent)
    digits = options.digits if options.digits is not None else DIGITS[descent.dtype]
    if not 1 <= digits <= MOST_DIGITS:
        raise BadInput(f"--digits is {digits}: choose 1 to {MOST_DIGITS}, which float64 has of any J")
    refusals = [refusal(name, descent) for name in names]
    if all(refusals):
        raise BadInput(f"nothing is trained: {refusals[0] if refusals else 'no implementation'}")
    start = resumed(options.resume, descent)
    write, draw_in = json_writer(options.json), picture_folder(options.plots)
    keeper = Keeper(options.save, descent, start)
    if keeper.folder is not None and (keeper.folder / checkpoint.MANIFEST).exists() and not _same(options):
        raise BadInput(
            f"{options.save} holds steps of this descent: go on with --resume {options.save}, or name another"
        )
    start = {name: reached for name, reached in start.items() if name in names}
    return Asked(descent, names, digits, start, keeper, write, draw_in)


def trained(asked: Asked, *, exactly: bool, fresh: bool) -> Result:
    """What came of it, with the last checkpoint kept.

    Raises
    ------
    BadInput
        No implementation ran, or the checkpoint could not be written.
    """
    from parity.training import report

    with report.Progress() as progress:
        result = found_out(
            asked.descent, asked.names, asked.digits, asked.start, progress.told, asked.keeper.came,
            exactly=exactly, fresh=fresh,
        )  # fmt: skip
    if not result.ran:
        raise BadInput(f"nothing was trained: {result.trails[0].skipped}")
    asked.keeper.finish(result.ran)
    return result


def told(result: Result, asked: Asked, saved_in: str | None) -> None:
    """Write the files that are asked for; whatever becomes of them, the report is shown."""
    from parity.paper import console
    from parity.training import report

    to = console()
    drawn: list[Path] = []
    try:
        asked.write(report.as_json(result))
        drawn = asked.draw_in(result)
    finally:
        report.show(result, to)
    if asked.keeper.kept:
        to.print(printable(f"saved in {saved_in}: go on from there with --resume {saved_in}"), soft_wrap=True)
    for path in drawn:
        to.print(printable(f"written {path}"), style="dim", soft_wrap=True)


def picture_folder(path: str | None) -> Callable[[Result], list[Path]]:
    """A function that draws a result into a folder; nothing where path is None."""
    if path is None:
        return lambda result: []
    from parity import drawing
    from parity.training import plots

    folder = drawing.writable_folder(path)
    return lambda result: plots.of_result(result, folder)


def resumed(path: str | None, descent: Descent) -> dict[str, Reached]:
    """How far each implementation got in a checkpoint.

    Raises
    ------
    BadInput
        It is of another descent or damaged, or has made more steps than are asked for.
    """
    if path is None:
        return {}
    start = checkpoint.load(Path(path), descent)
    for name, reached in start.items():
        if reached.steps > descent.iterations:
            raise BadInput(
                f"{path}: {shorten(name)} has made {reached.steps} steps, more than the {descent.iterations} asked for"
            )
    return start


def _same(options: argparse.Namespace) -> bool:
    """Whether the checkpoint is kept where it was resumed from."""
    return options.resume is not None and Path(options.resume).resolve() == Path(options.save).resolve()


class Keeper:
    """Saves a checkpoint every few seconds, and at the end; nothing where there is no folder."""

    def __init__(self, folder: str | None, descent: Descent, start: dict[str, Reached]) -> None:
        self.folder = None if folder is None else checkpoint.writable_folder(folder, descent)
        self.descent, self.reached, self.next = descent, dict(start), time.monotonic() + SAVE_EVERY
        self.kept = False

    def came(self, trail: Trail) -> None:
        """A trail has grown."""
        if self.folder is not None and not trail.diverged:
            self.reached[trail.implementation] = trail.reached
            if time.monotonic() > self.next or trail.steps == self.descent.iterations:
                self._save()

    def finish(self, trails: list[Trail]) -> None:
        """The last checkpoint; where a number is not finite any more, there is nothing to go on from."""
        for trail in trails:
            if not trail.diverged:
                self.reached[trail.implementation] = trail.reached
        if self.folder is not None and self.reached and not any(trail.diverged for trail in trails):
            self._save()

    def _save(self) -> None:
        assert self.folder is not None
        checkpoint.save(self.folder, self.descent, self.reached)
        self.kept, self.next = True, time.monotonic() + SAVE_EVERY


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `parity train`."""
    option = parser.add_argument
    option("--problem", metavar="NAME", help="whose examples, and whose start unless another is asked for")
    option("--data", metavar="FILE", help="a CSV or Parquet file of your own, in place of a problem")
    option("--target", metavar="COLUMN", help="the file's column of labels, 0 or 1")
    option("--model", metavar="NAME", help=", ".join(NETWORKS))
    option("--layers", metavar="SIZES", type=several, help="units of every layer after the features: 20,7,1")
    option("--activations", metavar="NAMES", type=several, help="one a layer, the last a sigmoid: tanh,relu,sigmoid")
    option("--seed", metavar="N", type=int, help="draw new parameters to start from")
    option("--learning-rate", metavar="ALPHA", type=float, help="α")
    option("--iterations", metavar="N", type=int, help=f"steps ({STEPS} unless the problem has its own)")
    option("--batch-size", metavar="N", type=int, help="examples a step, in an order that all share; 1: stochastic")
    option("--batch-seed", metavar="N", type=int, default=0, help="what that order is drawn from (0)")
    option(
        "--implementation", action="append", metavar="NAME", type=several, help="one, several, or all of a framework"
    )
    option("--dtype", metavar="NAME", default="float64", help="float64 (the default), float32; others if all is exact")
    option("--device", metavar="NAME", default="cpu", help="cpu (the default), cuda or mps")
    option("--digits", metavar="N", type=int, help=f"digits of J, 1 to {MOST_DIGITS} (10 in float64, 4 in float32)")
    option("--no-exact", dest="exact", action="store_false", help="leave the exact trajectory out")
    option("--fresh", action="store_true", help="compute what is in the cache again")
    option("--save", metavar="DIR", help="keep parameters and costs there, to go on later")
    option("--resume", metavar="DIR", help="go on from there")
    option("--plots", metavar="DIR", help="draw J, the divergence and, for two features, the decision boundaries")
    option("--json", metavar="FILE", help="write the report for a program, too")


def descent_of(options: argparse.Namespace) -> Descent:
    """The descent that the options describe.

    Raises
    ------
    BadInput
        An option does not fit the others, or the data.
    """
    for what, name, known in (("dtype", options.dtype, FORMATS), ("device", options.device, DEVICES)):
        if name not in known:
            raise BadInput(unknown(what, name, tuple(known)))
    problem = _started(options, _examples(options))
    if options.learning_rate is not None:
        problem = replace(problem, learning_rate=options.learning_rate, exact=False)
    elif problem.learning_rate is None:
        problem = replace(problem, learning_rate=RATE, exact=False)
    alpha = problem.learning_rate
    if alpha is None or not (math.isfinite(alpha) and alpha > 0):
        raise BadInput(f"--learning-rate is {alpha:g}: α must be a finite number above 0")
    iterations = options.iterations if options.iterations is not None else problem.iterations or STEPS
    if iterations < 0:
        raise BadInput(f"--iterations is {iterations}: a number of steps is 0 or more")
    if options.batch_size is not None and not 1 <= options.batch_size <= problem.m:
        raise BadInput(f"--batch-size is {options.batch_size}: choose 1 to {problem.m}, the number of examples")
    if not 0 <= options.batch_seed < 2**32:
        raise BadInput(f"--batch-seed is {options.batch_seed}: choose 0 to {2**32 - 1}")
    descent = Descent(problem, iterations, options.dtype, options.device, options.batch_size, options.batch_seed)
    fit = problem.dtypes if descent.exact else FLOATS
    if options.dtype not in fit:
        raise BadInput(f"{problem.name} is not trained in {options.dtype}, only in {', '.join(fit)}")
    with np.errstate(over="ignore"):
        rounded = float(FORMATS[options.dtype].dtype.type(alpha))
    if not (math.isfinite(rounded) and rounded > 0):
        raise BadInput(f"--learning-rate is {alpha:g}, which is {rounded:g} in {options.dtype}")
    return descent


def _examples(options: argparse.Namespace) -> Problem:
    """The problem by its name, or the model wanted on the user's file."""
    of_file = problems_of_file(options)
    if of_file is not None:
        wanted = options.model or _model(options) or "logistic_regression"
        problems = {problem.model: problem for problem in of_file}
        if wanted not in problems:
            raise BadInput(unknown("model", wanted, tuple(problems)))
        return problems[wanted]
    if options.problem is None:
        raise BadInput("nothing to train on: --problem NAME (flower, say; see: parity list), or --data FILE")
    if options.problem not in catalogue.NAMES:
        raise BadInput(unknown("problem", options.problem, catalogue.NAMES))
    problem = catalogue.build(options.problem)
    if problem.model not in NETWORKS:
        raise BadInput(f"{problem.name} is about {problem.model.replace('_', ' ')}: there is nothing to train")
    return problem


def _model(options: argparse.Namespace) -> str | None:
    """The model that so many layers make."""
    if options.layers is None:
        return None
    return NETWORKS[min(len(options.layers), len(NETWORKS)) - 1]


def _started(options: argparse.Namespace, problem: Problem) -> Problem:
    """With other layers, activations or a drawn start where they are asked for."""
    if options.model is not None and options.model not in NETWORKS:
        raise BadInput(unknown("model", options.model, NETWORKS))
    model = options.model or _model(options) or problem.model
    asked = (options.layers, options.activations, options.seed)
    if model == problem.model and all(option is None for option in asked):
        return problem
    seed = options.seed if options.seed is not None else 0
    if not 0 <= seed < 2**32:
        raise BadInput(f"--seed is {seed}: choose 0 to {2**32 - 1}")
    sizes = _sizes(options, problem, model)
    activations = tuple(options.activations or (("tanh",) * (len(sizes) - 1) + ("sigmoid",)))
    if options.activations is None and len(sizes) == len(problem.activations):
        activations = problem.activations
    for name in activations:
        if name not in ACTIVATIONS:
            raise BadInput(unknown("activation", name, ACTIVATIONS))
    if len(activations) != len(sizes) or activations[-1] != "sigmoid":
        raise BadInput(f"--activations has {','.join(activations)}: give one a layer, {len(sizes)}, the last a sigmoid")
    params = _drawn(model, (problem.X.shape[0], *sizes), seed)
    return replace(
        problem, model=model, params=params, activations=activations, exact=False, iterations=0, dtypes=FLOATS
    )


def _drawn(model: str, layers: tuple[int, ...], seed: int) -> Params:
    """Parameters to start from, if there is room for them and for the gradients and the new ones of a step.

    Raises
    ------
    BadInput
        They are too large.
    """
    least = 3 * np.dtype(np.float64).itemsize * sum(n * (n_prev + 1) for n_prev, n in pairwise(layers))
    if least > memory():
        sizes = shorten(",".join(map(str, layers[1:])))
        raise BadInput(f"--layers {sizes} takes {least / 2**30:.3g} GiB or more, and here are {memory() / 2**30:.3g}")
    return draw(model, layers, seed)


def _sizes(options: argparse.Namespace, problem: Problem, model: str) -> tuple[int, ...]:
    """The units of every layer after the features."""
    n_y = problem.Y.shape[0]
    if options.layers is None:
        same = model == problem.model
        return problem.layers[1:] if same else (*HIDDEN[model], n_y)
    try:
        sizes = tuple(int(size) for size in options.layers)
    except ValueError:
        raise BadInput(f"--layers is {shorten(','.join(options.layers))}: give numbers of units, as 20,7,1") from None
    if min(sizes) < 1:
        raise BadInput(f"--layers has {min(sizes)}: a layer has one unit or more")
    if sizes[-1] != n_y:
        raise BadInput(f"--layers ends with {sizes[-1]}: the last layer has one unit a row of labels, here {n_y}")
    layers = {"logistic_regression": len(sizes) == 1, "shallow_network": len(sizes) == 2, "deep_network": True}
    if not layers[model]:
        raise BadInput(f"--layers has {len(sizes)} layers: that is no {model.replace('_', ' ')}")
    if model == "logistic_regression" and n_y != 1:
        raise BadInput(f"logistic regression has one output unit, and these labels have {n_y} rows")
    return sizes


def implementations_of(options: argparse.Namespace, descent: Descent) -> tuple[str, ...]:
    """Those that are named; else all that train, but for those that would take minutes."""
    if options.implementation is not None:
        return chosen("implementation", options.implementation, available_names(), groups=by_framework())
    return tuple(name for name in available_names() if not find(name).trains_by_name and not refusal(name, descent))
