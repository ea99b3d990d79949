"""Two mistakes in one file: `python -m tests.grade_pairs` takes all pairs of the shallow network, and prints the share.

A pair is two planted mistakes in different quantities of the course's shallow file, whose lines are different ones.
"""

from __future__ import annotations

import re
import sys
import warnings
from itertools import combinations

from tests.learners import PLANTED
from tests.learners.graded import graded
from tests.learners.planted import Planted, base, substituted

BASE = "shallow_course"
QUANTITY = re.compile(r"J|m|d?[ZA][12]|d?[Wb][12]")
OF_THE_MEAN = {"missing_1_over_m", "twice_1_over_m", "one_over_n"}
"""Where m is wrong, these are other numbers: with m = Y.shape[0] = 1, nothing is left of a missing 1/m."""

UNTOLD: dict[tuple[str, str], str] = {
    (
        "accumulators_not_reset in J",
        "tanh_at_output in A2",
    ): "log of a negative tanh is nan, and nan is all that is added",
    ("linear_hidden in A1", "g_prime_of_A in dZ1"): "A is Z there, and g' of A is right",
    ("linear_hidden in A1", "one_minus_Z_squared in dZ1"): "A is Z there, and 1 − Z² is 1 − A²",
    ("rank_1_labels in dZ2", "dot_for_star in dZ1"): "dZ2 of (m, m) leaves m = 1, where the other raises or is right",
    ("db_wrong_axis in db1", "db_not_summed in db2"): "db2 summed over its single unit is db2 not summed",
}
"""Pairs that no input can tell apart, and why: what is left is one of them, or another pair."""

UPDATES = ("update_plus", "update_without_alpha", "inputs_mutated")

Pair = tuple[Planted, Planted]


def pairs() -> list[Pair]:
    """All of them."""
    entries = [e for e in PLANTED if e.base == BASE and QUANTITY.fullmatch(e.quantity) and "float64" in e.dtypes]
    entries = [e for e in entries if not e.mistake.startswith(("rand_", "zero_", "symmetric_", "scale_"))]
    some = [(a, b) for a, b in combinations(entries, 2) if quantity(a) != quantity(b) and not overlap(a, b)]
    some = [(a, b) for a, b in some if (said(a), said(b)) not in UNTOLD]
    return [(a, b) for a, b in some if not ("m" in (a.quantity, b.quantity) and OF_THE_MEAN & {a.mistake, b.mistake})]


def said(entry: Planted) -> str:
    """A mistake and where it is."""
    return f"{entry.mistake} in {entry.quantity}"


def quantity(entry: Planted) -> str:
    """The one that is wrong: new_W1, where W1 is updated."""
    return f"new_{entry.quantity}" if entry.mistake in UPDATES and entry.quantity[0] in "Wb" else entry.quantity


def overlap(a: Planted, b: Planted) -> bool:
    """Whether they exchange the same characters."""
    text = base(BASE)
    taken = [
        {i for old, _ in entry.substitutions for i in range(text.index(old), text.index(old) + len(old))}
        for entry in (a, b)
    ]
    return bool(taken[0] & taken[1])


def wrong(pair: Pair) -> str:
    """What is said that is not of the pair, and what is not said; empty where both are named and nothing else."""
    a, b = pair
    found = graded(substituted(base(BASE), (*a.substitutions, *b.substitutions)), "shallow", ("float64",))
    wanted = {a.mistake, b.mistake}
    return ", ".join(
        sorted(f"{name} is not named" for name in wanted - found.names)
        + sorted(f"{name} is" for name in map(str, found.names - wanted))
    )


def main(every: int = 1) -> int:
    """Print the pairs that are not named, and their share."""
    some = pairs()[::every]
    bad = 0
    for pair in some:
        try:
            wanting = wrong(pair)
        except Exception as error:  # of the grader
            wanting = f"the grader raised {type(error).__name__}: {error}"
        if wanting:
            bad += 1
            print(" and ".join(map(said, pair)), wanting, sep=": ")
    print(f"{len(some) - bad} of {len(some)} pairs named, {100 * (1 - bad / len(some)):.1f} %")
    return int(bad > 0)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the command does for a learner's file
        sys.exit(main(*map(int, sys.argv[1:2])))
