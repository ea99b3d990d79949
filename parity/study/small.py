"""Problems that fit on a page: the small network of the slides, and a few points for functions of one number.

Inputs and parameters are drawn once and rounded to two decimals, so that they can be typed. Hardly any decimal is a
binary number: every product rounds, and what each framework makes of that shows in its last digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from parity.problems import Problem, catalogue
from parity.problems.parameters import draw
from parity.study.registry import Broken

DECIMALS = 2


def three_four_one() -> Problem:
    """The network of N13 and N14, n = (3, 4, 1), on five examples, with an update (N18, N25)."""
    rng = np.random.RandomState(18)
    X, Y = np.round(rng.standard_normal((3, 5)), DECIMALS), rng.randint(0, 2, (1, 5))
    params = {name: np.round(p, DECIMALS) for name, p in draw("shallow_network", (3, 4, 1), seed=18).items()}
    return Problem(
        "three_four_one", "shallow_network", "notes", X, Y, params, ("tanh", "sigmoid"), learning_rate=0.3,
        source="parity/study/small.py, legacy seed 18", note="3 inputs, 4 tanh units, 1 sigmoid unit; 5 examples, α = 0.3",
    )  # fmt: skip


def few_points() -> Problem:
    """Every activation function and its slope where none of them is flat, and none has a kink (N15, N17)."""
    return Problem(
        "few_points", "activations", "notes", np.array([[-1.7, -0.6, 0.3, 1.1, 2.4]]), np.empty((0, 1)),
        source="parity/study/small.py", note="at z = −1.7, −0.6, 0.3, 1.1 and 2.4",
    )  # fmt: skip


PROBLEMS: dict[str, Callable[[], Problem]] = {"three_four_one": three_four_one, "few_points": few_points}


@cache
def problem(name: str) -> Problem:
    """The problem of that name, from here or from the catalogue.

    Raises
    ------
    Broken
        There is none.
    """
    if name in PROBLEMS:
        return PROBLEMS[name]()
    if name not in catalogue.NAMES:
        raise Broken(f"there is no problem {name!r}")
    return catalogue.build(name)
