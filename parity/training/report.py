"""What a person reads of a descent: the steps, where they lead, and why their last digits differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from parity.paper import console
from parity.report import short
from parity.surroundings import machine, versions
from parity.training import Descent
from parity.training.exact import ExactTrajectory
from parity.training.result import Result, marks
from parity.training.trail import Trail
from parity.training.verify import Finding

SCHEMA_VERSION = 1


class Progress:
    """A bar for everything that is being done on a terminal, nothing in a pipe."""

    def __init__(self) -> None:
        to = console(stderr=True)
        columns = (TextColumn("{task.description:18}"), TextColumn("{task.percentage:3.0f} %"), BarColumn(16))
        what = TextColumn("{task.fields[at]}")
        self.bar = rich.progress.Progress(
            *columns, TimeElapsedColumn(), what, console=to, transient=True, disable=not to.is_terminal
        )
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def told(self, what: str, at: str, steps: int, total: int) -> None:
        """So many steps further of `total`."""
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(what, total=total, at=at)
        self.bar.update(self.tasks[what], advance=steps, at=at)


def show(result: Result, to: Console) -> None:
    """The whole report; the last lines say what it comes to."""
    descent = result.descent
    to.print(heading(descent), style="bold", soft_wrap=True)
    to.print(f"it starts from the numbers with the fingerprint {descent.fingerprint}", style="dim", soft_wrap=True)
    to.print(f"steps taken {result.made} UTC\n", style="dim")
    to.print(_steps(result), "")
    for trail in result.trails:
        if trail.skipped:
            to.print(f"skipped  {trail.implementation}: {trail.skipped}", style="dim", soft_wrap=True)
    for reason in dict.fromkeys(trail.unbounded for trail in result.ran if trail.unbounded):
        to.print(f"not held to a bound: {reason}", style="dim", soft_wrap=True)
    if result.exact:
        _show_exact(result, result.exact, to)
    elif result.no_exact and not result.stopped:
        to.print(f"no exact trajectory: {result.no_exact}", style="dim", soft_wrap=True)
    if result.partings:
        to.print("", _partings(result), "")
    for line in conclusion(result):
        to.print(line, soft_wrap=True, style="bold" if result.right else "bold red")


def heading(descent: Descent) -> str:
    """What is trained, and how."""
    problem = descent.problem
    layers = "-".join(map(str, problem.layers))
    examples = f"m = {problem.m}"
    if descent.batch_size is not None:
        examples += f" in batches of {descent.batch_size} (order {descent.batch_seed})"
    steps = "step" if descent.iterations == 1 else "steps"
    return (
        f"{problem.name}: {problem.model.replace('_', ' ')} {layers}, {' '.join(problem.activations)}; {examples}; "
        f"α = {problem.learning_rate:g}; {descent.iterations} {steps} in {descent.dtype} on {descent.device}"
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    return table


def _steps(result: Result) -> Table:
    table = _table("", "steps", "last J", "verified", "of its bound", "in one go")
    digits = 16 if result.descent.dtype == "float64" else 8
    for trail in result.ran:
        last = trail.values[-1] if len(trail.values) else np.nan
        cost = trail.costs[-1] if trail.steps and np.isfinite(trail.costs[-1]) else last
        one_go = {None: "", True: "same bits", False: "other bits"}[trail.one_go]
        table.add_row(
            trail.implementation,
            str(trail.steps),
            f"{float(cost):.{digits}g}" if trail.steps else "",
            str(trail.verified) if trail.verified or not trail.unbounded else "",
            "outside" if trail.outside is not None else _share(trail, result.descent),
            one_go,
            style="" if trail.right else "red",
        )
    return table


def _share(trail: Trail, descent: Descent) -> str:
    if not trail.verified:
        return ""
    return "bits" if descent.exact else f"{100 * float(np.nanmax(trail.share)):.2g} %"


def _show_exact(result: Result, exact: ExactTrajectory, to: Console) -> None:
    to.print(f"\n{provenance(exact)}", soft_wrap=True)
    for bits, step in exact.lasted.items():
        to.print(f"  {bits} bits keep these digits up to step {step}", style="dim")
    table = _table("step", f"J, {exact.digits} digits", "digits", "distance", "predicted", "α λ min", "α λ max")
    for curvature in result.curvatures:
        step = curvature.step
        near = [d for d in result.distances if 0 <= step - d.first < len(d.cost)]
        worst = max(near, key=lambda d: d.params[step - d.first], default=None)
        far = (worst.params[step - worst.first], worst.predicted[step - worst.first]) if worst else ()
        table.add_row(
            str(step),
            exact.cost(step, exact.digits),
            _digits([d.digits(step) for d in near]),
            *([short(float(x)) or "0" for x in far] or ["", ""]),
            *("" if np.isnan(end) else f"{end:.3f}" for end in (curvature.smallest, curvature.largest)),
            style="yellow" if curvature.largest > 2 else "",
        )
    to.print("", table)
    to.print(
        "digits: those of J that all implementations share with the exact one; distance: ‖θ − θ*‖ / ‖θ*‖ of the one "
        "farthest off, and what the rounding of its steps predicts, amplified; λ: the ends of the Hessian's spectrum",
        style="dim",
    )


def provenance(exact: ExactTrajectory) -> str:
    """Which of the two ways led to the exact trajectory."""
    if exact.certified:
        return f"exact trajectory: {exact.digits} digits proven at every step, by balls of {exact.precision[0]} bits"
    return (
        f"exact trajectory: {exact.precision[0]} and {exact.precision[1]} bits agree in {exact.digits} digits at every "
        "step (evidence, no proof)"
    )


def _digits(digits: list[float]) -> str:
    if not digits:
        return ""
    return "all" if min(digits) == np.inf else f"{max(min(digits), 0):.1f}"


def _partings(result: Result) -> Table:
    table = _table("", "a bit differs from step", f"{result.digits} digits of J from")
    for parting in result.partings:
        bits, digits = ("never" if step is None else str(step) for step in (parting.bits, parting.digits))
        table.add_row(" – ".join(parting.pair), bits, digits)
    return table


def conclusion(result: Result) -> list[str]:
    """What it comes to: wrong steps by name; the horizon; and its cause."""
    lines = [line for trail in result.ran for line in _wrong(result.descent, trail)]
    ran = result.ran
    if result.stopped:
        reached = ", ".join(f"{trail.implementation} {trail.steps}" for trail in ran)
        lines.append(f"stopped by Ctrl-C; steps made: {reached or 'none'}")
    bounded = [trail for trail in ran if trail.verified]
    if bounded and result.right:
        steps = sum(trail.verified for trail in bounded)
        what = (
            "is the very step of exact arithmetic" if result.descent.exact else "is right within its bound of rounding"
        )
        lines.append(f"each of {steps} steps in {len(bounded)} implementation{'s' * (len(bounded) > 1)} {what}")
    if result.horizon is not None and result.descent.iterations and not result.descent.exact:
        lines += _horizon(result, result.horizon)
    return lines


def lost_at_once(result: Result) -> bool:
    """Whether the digits asked for are not even there before the first step."""
    if result.horizon is None or result.horizon >= result.descent.iterations - 1:
        return False
    return result.horizon < min(distance.first for distance in result.distances)


def _horizon(result: Result, horizon: int) -> list[str]:
    descent, digits = result.descent, result.digits
    if horizon >= descent.iterations - 1:
        return [f"{digits} digits of J are determined in {descent.dtype} to the end"]
    until = "at no step" if lost_at_once(result) else f"up to step {horizon}, the horizon"
    lines = [f"{digits} digits of J are determined in {descent.dtype} {until}"]
    over = [c for c in result.curvatures if c.largest > 2]
    if over:
        worst, passed = max(over, key=lambda c: c.largest), over[0].step
        before = max((c.step for c in result.curvatures if c.step < passed), default=None)
        where = f"is beyond 2 at step {passed}" if before is None else f"passes 2 between steps {before} and {passed}"
        lines.append(
            f"the cause: α times the largest eigenvalue of the Hessian {where}; at step {worst.step} it is "
            f"{worst.largest:.3g}, and a step stretches a rounding error in that direction {worst.largest - 1:.2f}-fold"
        )
    else:
        stretched = max(result.curvatures, key=lambda c: np.nan_to_num(c.stretch), default=None)
        if stretched is not None and stretched.stretch > 1:
            lines.append(
                f"the cause: at step {stretched.step} the Hessian has the eigenvalue {stretched.smallest:.2g} / α:"
                f" an error in that direction is stretched {stretched.stretch:.4f}-fold by every step"
            )
    return lines


def _wrong(descent: Descent, trail: Trail) -> list[str]:
    lines = []
    if trail.outside is not None and trail.nearest is not None:
        lines.append(f"{trail.implementation}: {describe(trail.nearest)}")
    if trail.wrong_in_one_go is not None:
        lines.append(f"{trail.implementation}, called once for all steps: {describe(trail.wrong_in_one_go)}")
    if trail.failed:
        lines.append(f"{trail.implementation}: step {trail.steps} failed: {trail.failed}")
    if trail.diverged:
        rate = descent.problem.learning_rate
        lines.append(
            f"{trail.implementation}: {trail.diverged} is not finite in step {trail.steps - 1}: the descent diverges; "
            f"α = {rate:g} is too large, try --learning-rate {rate / 10 if rate else 0:g}"
        )
    return lines


def describe(finding: Finding) -> str:
    """The first wrong step: quantity, element, value, what it should be, bound."""
    worst, name = finding.worst, finding.quantity.replace("new_", "the new ")
    index = f"[{', '.join(map(str, worst.index))}]" if worst.index else ""
    return (
        f"step {finding.step} is wrong: {name}{index} is {worst.value:.17g}, its own parameters give "
        f"{worst.target:.17g}, bound {worst.bound:.2g}"
    )


def as_json(result: Result) -> dict[str, object]:
    """The report for a program, schema version 1: a key that is added keeps the version, one that changes does not."""
    descent, exact = result.descent, result.exact
    at = marks(descent)
    return {
        "schema": "parity.train",
        "schema_version": SCHEMA_VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "steps_taken": result.made,
        "machine": machine(),
        "versions": versions(),
        "problem": descent.problem.name,
        "fingerprint": descent.fingerprint,
        "model": descent.problem.model,
        "layers": list(descent.problem.layers),
        "activations": list(descent.problem.activations),
        "learning_rate": descent.problem.learning_rate,
        "iterations": descent.iterations,
        "batch_size": descent.batch_size,
        "batch_seed": descent.batch_seed if descent.batch_size is not None else None,
        "dtype": descent.dtype,
        "device": descent.device,
        "stopped": result.stopped,
        "digits": result.digits,
        "horizon": result.horizon,
        "implementations": [_trail_json(trail) for trail in result.trails],
        "exact": None
        if exact is None
        else {
            "certified": exact.certified,
            "precision": list(exact.precision),
            "lasted": {str(bits): step for bits, step in exact.lasted.items()},
            "costs": {str(step): exact.cost(step, exact.digits) for step in at},
        },
        "distances": [
            {"implementation": d.implementation, "first": d.first}
            | {k: _numbers(getattr(d, k)) for k in ("params", "predicted", "cost", "predicted_cost")}
            for d in result.distances
        ],
        "curvature": [
            {"step": c.step} | dict(zip(("smallest", "largest"), _numbers([c.smallest, c.largest]), strict=True))
            for c in result.curvatures
        ],
        "partings": [{"pair": list(p.pair), "bits": p.bits, "digits": p.digits} for p in result.partings],
    }


def _trail_json(trail: Trail) -> dict[str, object]:
    return {
        "implementation": trail.implementation,
        "skipped": trail.skipped or None,
        "failed": trail.failed or None,
        "diverged": trail.diverged or None,
        "unbounded": trail.unbounded or None,
        "first": trail.first,
        "steps": trail.steps,
        "costs": _numbers(trail.costs),
        "verified": trail.verified,
        "worst_share": float(np.nanmax(trail.share)) if trail.verified and trail.outside is None else None,
        "outside": trail.outside,
        "in_one_go_same_bits": trail.one_go,
        "wrong_in_one_go": None if trail.wrong_in_one_go is None else trail.wrong_in_one_go.step,
    }


def _numbers(values: np.ndarray | Sequence[float]) -> list[float | None]:
    """Numbers that JSON has no name for are null."""
    return [float(x) if np.isfinite(x) else None for x in values]
