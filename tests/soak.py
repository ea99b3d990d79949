"""Drawn problems on every implementation: all are right, so that whatever differs is a false alarm.

    make soak                                         problems 0 to 499 in float64 and float32
    python -m tests.soak --first 137 --problems 1     problem 137 alone

A problem is its number: number // 5 draws the architecture, which is what compilers pay for, and the number the rest.
Exit status: 0 all identical, 1 something differs, 2 could not run or was stopped.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from parity import paper, report
from parity.cli import CANNOT, OK, Parser, chosen, several
from parity.cli import DIFFERS as SOME_DIFFER
from parity.compare import BITS, DIFFERS, ROUNDING
from parity.errors import BadInput
from parity.files import writable, write_whole
from parity.implementations import by_framework
from parity.names import available_names
from parity.problems import ACTIVATIONS, FLOATS, NETWORKS, Problem
from parity.run import Cell, Plan, matrix
from parity.switches import set_switches

PROBLEMS, DRAWS = 500, 5
"""How many problems, and how many of them an architecture has."""

KINDS = (
    ("logistic_regression", 1), ("shallow_network", 2), ("deep_network", 3), ("deep_network", 6), ("activations", 0),
    ("deep_network", 4), ("logistic_regression", 1), ("deep_network", 5), ("shallow_network", 2), ("derivatives", 0),
    ("deep_network", 6), ("deep_network", 1), ("deep_network", 3), ("logistic_regression", 1), ("deep_network", 2),
    ("deep_network", 4), ("shallow_network", 2), ("deep_network", 6), ("deep_network", 5), ("computation_graph", 0),
)  # fmt: skip
"""Models with their number of layers, one after the other and over again."""

ANY, ONE_EXAMPLE, ONE_FEATURE, EQUAL = "any", "m = 1", "n_x = 1", "equal sizes"
SHAPES = (ANY, ONE_EXAMPLE, ANY, ONE_FEATURE, ANY, EQUAL, ANY)
"""Likewise; 7 and 20 have no common divisor, so that every kind meets every shape."""

LARGEST_SIZE = 64
EXPONENTS = range(-12, 7)
WEIGHTS: dict[str, tuple[Callable[[int], float], float]] = {
    "small": (lambda n: 0.01, 0.0),
    "1/√n": (lambda n: 1 / np.sqrt(n), 0.1),
    "large": (lambda n: 4.0, 4.0),
}
"""The standard deviations of W[l], given n[l−1], and of b[l]."""

POSITIVE = (0.5, 0.5, 0.1, 0.0, 1.0)
"""The probability of a label 1: balanced, unbalanced, one class."""
RATES = (0.0075, 0.5, 1.2)

SEEDS = 2**32
BATCH = 50
"""So many problems are computed by the same processes: every primitive that JAX compiles takes a megabyte for good."""

WITHOUT = ("sklearn-optimum",)
"""It computes data sets only."""


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a problem.

    Attributes
    ----------
    number
        Its seed and its name.
    model, layers, m, activations, learning_rate
        The architecture, (n[0], …, n[L]) for a network.
    exponent, weights, positive
        X is normal times 2^exponent; one of `WEIGHTS`; the probability of a label 1.
    """

    number: int
    model: str
    layers: tuple[int, ...]
    m: int
    activations: tuple[str, ...]
    learning_rate: float
    exponent: int
    weights: str
    positive: float

    @classmethod
    def of(cls, number: int) -> Recipe:
        """The recipe of problem `number`."""
        rng = np.random.RandomState([1, number])
        exponent, weights = int(rng.choice(EXPONENTS)), str(rng.choice(list(WEIGHTS)))
        return cls(number, *_architecture(number // DRAWS), exponent, weights, float(rng.choice(POSITIVE)))

    def __str__(self) -> str:
        network = f"{'-'.join(map(str, self.layers))} {' '.join(self.activations)}, " if self.activations else ""
        numbers = f"X · 2^{self.exponent}"
        if self.activations:
            numbers += f", α = {self.learning_rate}, {self.weights} weights, P(y = 1) = {self.positive}"
        return f"{self.model} {network}m = {self.m}, {numbers}"

    def problem(self) -> Problem:
        """The problem itself."""
        rng = np.random.RandomState([2, self.number])
        X = 2.0**self.exponent * rng.standard_normal((self.layers[0], self.m))
        Y = rng.random_sample((self.layers[-1], self.m)) < self.positive
        params: dict[str, np.ndarray] = {}
        if self.model == "derivatives":
            X = np.abs(X)  # the logarithm's domain
        if self.model == "computation_graph":
            params = dict(zip("abc", 2.0**self.exponent * rng.standard_normal((3,)), strict=True))
        of_W, of_b = WEIGHTS[self.weights]
        for l, (n_prev, n) in enumerate(pairwise(self.layers), start=1):
            params[f"W{l}"] = of_W(n_prev) * rng.standard_normal((n, n_prev))
            params[f"b{l}"] = of_b * rng.standard_normal((n, 1))
        if self.model == "logistic_regression":
            params = {"w": params["W1"].T, "b": params["b1"].reshape(())}
        return Problem(
            f"soak_{self.number}", self.model, "soak", X, Y if self.model in NETWORKS else np.empty((0, self.m)),
            params, self.activations, self.learning_rate, note=str(self),
            source=f"python -m tests.soak --first {self.number} --problems 1",
        )  # fmt: skip


def _architecture(number: int) -> tuple[str, tuple[int, ...], int, tuple[str, ...], float]:
    """Model, layers, m, activations and learning rate; the last is a constant of a compiled graph."""
    rng = np.random.RandomState([0, number])
    (model, L), shape = KINDS[number % len(KINDS)], SHAPES[number % len(SHAPES)]
    *layers, m = (int(np.round(LARGEST_SIZE**p)) for p in rng.random_sample(L + 2))
    alike, n_y_is_one, rate = rng.randint(2), rng.randint(2), float(rng.choice(RATES))
    hidden = [str(name) for name in rng.choice(ACTIVATIONS, L)][1:]
    if shape == EQUAL:
        layers = [m] * len(layers)
    elif n_y_is_one:
        layers[-1] = 1
    if shape == ONE_EXAMPLE or model == "computation_graph":
        m = 1
    if shape == ONE_FEATURE or model not in NETWORKS:
        layers[0] = 1
    if model == "logistic_regression":
        layers[-1] = 1
    if alike:  # the only ones that MLPClassifier takes
        hidden = hidden[:1] * len(hidden)
    return model, tuple(layers), m, (*hidden, "sigmoid") if L else (), rate


@dataclass
class Tally:
    """What came of the cells so far.

    Attributes
    ----------
    problems
        Their names.
    verdicts, skipped
        How many comparisons by verdict, how many cells by implementation and reason.
    largest
        By dtype, implementation and quantity without its layer the largest share of a bound, with the problem and the
        quantity.
    unusual
        How many comparisons are within rounding, but outside what is probable.
    differing
        The cells that differ.
    """

    problems: dict[str, None] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    largest: dict[tuple[str, str, str], tuple[float, str, str]] = field(default_factory=dict)
    unusual: int = 0
    differing: list[Cell] = field(default_factory=list)

    def add(self, cell: Cell) -> None:
        """Count a cell."""
        self.problems[cell.problem.name] = None
        if cell.skipped:
            self.skipped[cell.implementation, cell.skipped] += 1
        if cell.first_difference:
            self.differing.append(cell)
        for c in cell.comparisons:
            self.verdicts[c.verdict] += 1
            if c.verdict == ROUNDING:
                self.unusual += c.unusual
                key = cell.dtype, cell.implementation, _kind(c.quantity)
                found = c.share, cell.problem.name, c.quantity
                self.largest[key] = max(found, self.largest.get(key, found))

    def lines(self) -> Iterator[str]:
        """What a person reads; the last line counts."""
        for (name, reason), n in sorted(self.skipped.items()):
            yield f"{n:5d}  skipped, {name}: {reason}"
        if self.unusual:
            yield f"{self.unusual:5d}  unusual: outside what is probable, inside the bound"
        shares: dict[str, float] = {}
        for (*_, kind), (share, *_) in self.largest.items():
            shares[kind] = max(share, shares.get(kind, 0))
        if shares:
            largest = sorted(shares.items(), key=lambda item: -item[1])[:8]
            yield "largest shares: " + ", ".join(f"{kind} {share:.3g}" for kind, share in largest)
        yield self.last_line()

    def last_line(self) -> str:
        """The line that counts."""
        counted = (
            f"{len(self.problems)} problem{'s' * (len(self.problems) != 1)}: {self.verdicts.total()} comparisons, "
            f"{self.verdicts[BITS]} identical bit for bit, {self.verdicts[ROUNDING]} identical within rounding, "
            f"{self.verdicts[DIFFERS]} differ"
        )
        if not self.largest:
            return counted
        (dtype, name, _), (share, problem, quantity) = max(self.largest.items(), key=lambda item: item[1])
        where = f"{problem.replace('soak_', 'problem ')}, {dtype}, {name}, {quantity}"
        return f"{counted}; largest share of the bound {share:.3g} ({where})"

    def as_json(self) -> dict[str, object]:
        """For a program: the report of what differs, and the rest counted."""
        shares = [
            {"dtype": dtype, "implementation": name, "problem": problem, "quantity": quantity, "share": share}
            for (dtype, name, _), (share, problem, quantity) in self.largest.items()
        ]
        skipped = [{"implementation": name, "reason": reason, "cells": n} for (name, reason), n in self.skipped.items()]
        own = {"schema": "parity.soak", "totals": self.last_line(), "problems": list(self.problems)}
        counts = {"unusual": self.unusual, "skipped": skipped, "largest_shares": shares}
        return report.as_json(self.differing) | own | counts


def _kind(quantity: str) -> str:
    """dW for dW1 and for dW6."""
    return "".join(c for c in quantity if not c.isdigit())


def main(arguments: Sequence[str] | None = None, *, processes: bool = True) -> int:
    """Run the command; the exit status."""
    set_switches()
    options = parser().parse_args(arguments)
    try:
        numbers = range(options.first, options.first + options.problems)
        if options.first < 0 or not 0 < options.problems <= SEEDS - options.first:
            raise BadInput(f"problems are numbered from 0 to {SEEDS - 1}, and at least one is needed")
        names, dtypes = implementations(options.implementation), chosen("dtype", options.dtype, FLOATS)
        target = options.json and writable(options.json)
        tally, stopped = soak(numbers, names, dtypes, processes)
        print(*tally.lines(), sep="\n")
        if target:
            write_whole(target, json.dumps(tally.as_json(), indent=1, ensure_ascii=False) + "\n")
        if stopped:
            print("parity: stopped", file=sys.stderr)
        elif not tally.verdicts:
            raise BadInput(f"nothing was compared: {next(iter(tally.skipped))[1]}")
    except BadInput as error:
        print(f"parity: {error}", file=sys.stderr)
        return CANNOT
    return SOME_DIFFER if tally.differing else CANNOT if stopped else OK


def parser() -> Parser:
    """The options."""
    top = Parser(prog="python -m tests.soak", description="Drawn problems on every implementation: none may differ.")
    top.add_argument("--problems", metavar="N", type=int, default=PROBLEMS, help=f"how many ({PROBLEMS})")
    top.add_argument("--first", metavar="SEED", type=int, default=0, help="the number of the first (0)")
    for option, what in (("--implementation", "or all of a framework"), ("--dtype", " or ".join(FLOATS))):
        top.add_argument(option, action="append", metavar="NAMES", type=several, help=what)
    top.add_argument("--json", metavar="FILE", help="write the result for a program, too")
    return top


def implementations(given: list[list[str]] | None) -> tuple[str, ...]:
    """Those that are named, also by their framework; by default all that compute drawn problems."""
    known = available_names()
    default = [name for name in known if name not in WITHOUT]
    return chosen("implementation", given, known, default=default, groups=by_framework())


def soak(numbers: range, names: tuple[str, ...], dtypes: tuple[str, ...], processes: bool = True) -> tuple[Tally, bool]:
    """Compute the problems, printing what differs at once; what came of them, and whether Ctrl-C stopped it."""
    tally = Tally()
    with paper.Progress(len(numbers) * len(names) * len(dtypes)) as progress:
        try:
            for first in range(0, len(numbers), BATCH):
                problems = tuple(Recipe.of(number).problem() for number in numbers[first : first + BATCH])
                plan = Plan(problems, names, dtypes, everything=True)
                with closing(matrix(plan, progress.advance, processes=processes)) as cells:
                    for cell in cells:
                        tally.add(cell)
                        if cell.first_difference:
                            progress.bar.stop()  # while it is drawn, rich prints in its place
                            print(f"{report.describe(cell)}; {cell.problem.note}; {cell.problem.source}", flush=True)
                            progress.bar.start()
        except KeyboardInterrupt:
            return tally, True
    return tally, False


if __name__ == "__main__":
    sys.exit(main())
