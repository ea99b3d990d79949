"""The steps of an implementation, in its framework's process, which imports little else."""

from __future__ import annotations

from parity.run import inspect, why_not
from parity.training import Descent
from parity.training.steps import refusal, take
from parity.training.trail import Stretch


def walked(name: str, asked: list[Descent]) -> list[list[Stretch]] | str:
    """The steps of an implementation on each descent, in this process; or why this machine does not have it."""
    if reason := why_not(name, inspect(name), "cpu"):
        return reason
    return [[] if refusal(name, descent) else _steps_of(name, descent) for descent in asked]


def _steps_of(name: str, descent: Descent) -> list[Stretch]:
    stretches, made, params = [], 0, descent.start
    while made < descent.iterations:
        stretches.append(stretch := take(descent, name, params, made))
        made += stretch.costs.size
        params = {p: history[-1] for p, history in stretch.params.items()}
        if stretch.failed or stretch.diverged:
            break
    return stretches
