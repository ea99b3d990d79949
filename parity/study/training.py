"""Gradient descent side by side, computed when the site is built: three short descents, two of which stay together.

Each implementation takes its steps in its framework's process; every step is held to its bound, and the distance from
the exact trajectory is compared with what the rounding of the steps makes of it (`parity.training`). What 10,000 steps
on the flower lead to is told in docs/flower.md.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from markupsafe import Markup

from parity.implementations import find
from parity.oracle import matrix
from parity.problems import catalogue
from parity.study import small
from parity.study.plots import drawn
from parity.study.rooms import ask
from parity.study.walks import walked
from parity.training import Descent, plots
from parity.training.amplification import curvature, distance, partings
from parity.training.arbitrary import STRETCH, joined, start, stretch, to_numbers
from parity.training.exact import ExactTrajectory, half_a_unit, trajectory
from parity.training.report import conclusion, provenance
from parity.training.result import Result, marks
from parity.training.steps import refusal
from parity.training.trail import Stretch, Trail
from parity.training.verify import witness

IMPLEMENTATIONS = ("reference", "torch-eager", "jax-jit")
"""One a framework that has a network of its own to train."""

DIGITS = 10
"""Of J that are asked for."""

STEPS, RATE, TOO_LARGE = 50, 1.2, 40.0
"""Of each descent; on the flower the exercise's α, and one with which α λ max is beyond 2 from the start."""

BITS = 512
"""Of the balls: enough for these descents, as their widths show."""


def descents() -> dict[str, Descent]:
    """The three descents, by the name of their drawings."""
    flower = catalogue.build("flower")
    return {
        "small": Descent(small.problem("three_four_one"), STEPS),
        "flower": Descent(replace(flower, learning_rate=RATE), STEPS),
        "parted": Descent(replace(flower, learning_rate=TOO_LARGE), STEPS),
    }


def page() -> dict[str, Any]:
    """Everything for the page on training.

    Returns
    -------
    dict
        lead : str
        figures : list of dict
            name, title, svg (Markup), words.
        tables : list of dict
            title, words, head (list of str), rows (list of lists of str).
        words : list of str
            Paragraphs, to stand after the rest.
    """
    found = results(descents())
    return {
        "lead": LEAD,
        "figures": [figure for name, result in found.items() for figure in _figures(name, result)],
        "tables": [_ends(found), *(_steps(name, result) for name, result in found.items())],
        "words": list(STORY),
    }


# ---- the steps, and what is found out about them


def results(asked: dict[str, Descent], names: tuple[str, ...] = IMPLEMENTATIONS) -> dict[str, Result]:
    """What came of each descent; each framework takes its steps in its own process, while others compute."""
    descents = list(asked.values())
    walks = {name: ask(find(name).framework, walked, name, descents) for name in names}
    exact = {key: proven(descent) for key, descent in asked.items()}
    trails = {name: _arrived(name, walks[name], descents) for name in names}
    found = {}
    for i, (key, descent) in enumerate(asked.items()):
        result = Result(descent, DIGITS, [trails[name][i] for name in names], made="", exact=exact[key])
        whole = [trail for trail in result.ran if trail.whole]
        result.distances = [distance(descent, trail, exact[key]) for trail in whole]
        result.curvatures = [curvature(descent, exact[key], step) for step in marks(descent)]
        result.partings = partings(whole, DIGITS)
        found[key] = result
    return found


def proven(descent: Descent, bits: int = BITS) -> ExactTrajectory:
    """The exact trajectory by balls of so many bits, in this process; where they are too few, as it is found out."""
    numbers, parts = {name: to_numbers(matrix(p)) for name, p in start(descent).items()}, []
    for first in range(0, descent.iterations + 1, STRETCH):
        numbers, part = stretch(descent, numbers, first, bits, balls=True)
        parts.append(part)
    found = joined(parts)
    if np.all(found.width <= half_a_unit(DIGITS)):
        return ExactTrajectory(found.params, found.costs, (bits,), certified=True, digits=DIGITS)
    return trajectory(descent, DIGITS)


def _arrived(name: str, walk: Callable[[], list[list[Stretch]] | str], asked: list[Descent]) -> list[Trail]:
    """The trail on each descent, every step of it held to its bound."""
    try:
        steps = walk()
    except BrokenProcessPool:
        steps = f"{find(name).framework}'s process died"
    trails = [Trail.starting(name, descent, None) for descent in asked]
    for i, (trail, descent) in enumerate(zip(trails, asked, strict=True)):
        trail.skipped = steps if isinstance(steps, str) else refusal(name, descent) or ""
        if not isinstance(steps, str) and not trail.skipped:
            for stretch in steps[i]:
                trail.extend(stretch)
            if not trail.diverged:
                trail.judge(witness(descent, find(name).framework, 0, trail.params, trail.costs))
    return trails


# ---- what is shown of it


def _figures(name: str, result: Result) -> list[dict[str, Any]]:
    """Where the last digits part; and J, where that differs to the eye."""
    shown = {"divergence": (plots.divergence, DIVERGENCE[name])}
    if name == "parted":
        shown = {"cost": (plots.cost, COST)} | shown
    found = []
    for kind, (draw, words) in shown.items():
        svg: Markup = drawn(f"training-{name}-{kind}", partial(draw, result))
        found.append({"name": f"{name}-{kind}", "title": TITLES[name, kind], "svg": svg, "words": words})
    return found


def _ends(found: dict[str, Result]) -> dict[str, Any]:
    """Each implementation at the end of each descent."""
    rows = [
        [
            f"{SHORT[key]}: {trail.implementation}",
            *([trail.skipped, "", "", "", ""] if trail.skipped else _end(result, trail)),
        ]
        for key, result in found.items()
        for trail in result.trails
    ]
    head = ["descent", "last J", "steps within their bound", "largest share of a bound", "distance", "predicted"]
    words = (
        "A step is right if its new parameters are the exact step from the implementation's own parameters, within the "
        "derived bound of rounding. The distance is ‖θ − θ*‖ / ‖θ*‖ from the exact trajectory before the last step; "
        "the prediction takes the rounding error of every step and amplifies it by the Hessian. "
    )
    said = " ".join(f"{SHORT[key]}: {line}." for key, result in found.items() for line in conclusion(result))
    return {"title": "Every step is right", "words": words + said, "head": head, "rows": rows}


def _end(result: Result, trail: Trail) -> list[str]:
    off = {d.implementation: d for d in result.distances}.get(trail.implementation)
    distances = [f"{off.params[-1]:.2g}", f"{off.predicted[-1]:.2g}"] if off else ["", ""]
    inside = int(np.count_nonzero(trail.share <= 1))
    share = f"{100 * float(np.nanmax(trail.share)):.2g} %" if trail.verified else ""
    return [repr(float(trail.values[-1])), f"{inside} of {len(trail.share)}", share, *distances]


def _steps(name: str, result: Result) -> dict[str, Any]:
    """What happens on the way, at every tenth part of it."""
    assert result.exact is not None
    rows = []
    for at in result.curvatures:
        digits = min((d.digits(at.step) for d in result.distances), default=np.nan)
        far = max(((d.params[at.step], d.predicted[at.step]) for d in result.distances), default=())
        shared = "all" if np.isinf(digits) else "" if np.isnan(digits) else f"{max(digits, 0):.1f}"
        shown = [f"{x:.2g}" for x in far] or ["", ""]
        rows.append([str(at.step), result.exact.cost(at.step, DIGITS), shared, *shown, f"{at.largest:.3f}"])
    return {
        "title": f"{SHORT[name]}, step by step",
        "words": (
            f"J is the exact cost before that many steps ({provenance(result.exact)}). Digits: those of J that all "
            "implementations share with it, −log₁₀ of twice the relative error. Distance and prediction are those of "
            "the implementation farthest off."
        ),
        "head": ["step", f"J, {DIGITS} digits", "digits", "distance", "predicted", "α λ max"],
        "rows": rows,
    }


# ---- the words

SHORT = {
    "small": "The 3-4-1 network",
    "flower": f"The flower, α = {RATE:g}",
    "parted": f"The flower, α = {TOO_LARGE:g}",
}

TITLES = {
    ("small", "divergence"): "The 3-4-1 network: the distance is rounding, and can be predicted",
    ("flower", "divergence"): f"The flower with α = {RATE:g}: together for {STEPS} steps",
    ("parted", "cost"): f"The flower with α = {TOO_LARGE:g}: the costs part",
    ("parted", "divergence"): f"The flower with α = {TOO_LARGE:g}: every step right, and no digit left",
}

LEAD = (
    "The same descent in every framework, from the same numbers. Three things are said of it: every step is right, the "
    "distance between implementations is explained, and so many digits of J are determined in this format."
)

DIVERGENCE = {
    "small": (
        "Above, the distance of each implementation from the exact trajectory, and dotted what the rounding errors of "
        "its steps predict to first order: δ ← (I − αH) δ + s, H being the Hessian of J and s the rounding error of "
        "the step. Below, how far every two are apart in J."
    ),
    "flower": (
        "400 points on noisy petals and a 2-4-1 network with tanh. α λ max, the learning rate times the largest "
        "eigenvalue of the Hessian, stays below 2: an error along that direction shrinks. Where another eigenvalue is "
        "negative, errors along its direction grow, and slowly so."
    ),
    "parted": (
        "The grey stretches are those in which α λ max is beyond 2: there a step turns an error round and stretches it "
        "by α λ − 1. The prediction follows until the distance is as large as the parameters; past that it says that "
        "the digits are gone, not where the trajectory is."
    ),
}

COST = (
    "The same data, the same start, another learning rate. The thin line is the exact trajectory. Past the horizon no "
    "implementation is wrong, and none is right: float64 does not determine these digits."
)

STORY = (
    (
        "The flower is a well-known exercise: α = 1.2, 10,000 iterations. Public copies agree in six digits of the "
        "printed cost up to iteration 7000, and print five different values at 8000 and at 9000."
    ),
    (
        "There, as here with the larger α, nobody's code is wrong: J becomes steeper on the way, and α λ max passes 2 "
        "between steps 7000 and 8000. Ten digits of J are determined in float64 up to step 7749; the true cost at 8000 "
        "is 0.2157338857, which none of the printed values is. These numbers are from docs/flower.md; the command that "
        "finds them out, in some minutes, is parity train --problem flower --iterations 10000."
    ),
    (
        "Different last digits are no sign of a bug while the distance is what rounding predicts; they are one when a "
        "single step is outside its bound. More digits in the arithmetic move the horizon; a smaller α removes it."
    ),
)
