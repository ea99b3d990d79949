"""Training (slides N5, N11, N18): as many steps as asked for, each p := p − α dp with the gradient at p.

The gradient and the update are the file's own, whatever they are worth: the loop around them is what is judged. Without
an update of its own, a step rounds twice: |computed − (p − α dp)| ≤ γ_2 α |dp| + u |p − α dp|.

iterations_off_by_one    a step more, or a step less
update_order             a step takes the gradient of the step before it, the first one none; or what is returned are
                         the parameters before the last update
accumulators_not_reset   a step takes the sum of all gradients so far
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parity.formats import FORMATS
from parity.grade import names
from parity.grade.probes import Probe, probes
from parity.grade.record import NO_VERDICT, Call, Function, Played, Value
from parity.grade.unit_bounds import arithmetic
from parity.grade.unit_calls import Caller, arguments, worked
from parity.grade.unit_chain import Arrays, Names, Step, costs, first_costs, last_gradient, of_frames
from parity.grade.verdicts import Verdicts
from parity.rounding import OWN_ROUNDING

ITERATIONS = 3

INLINE = {
    "update_plus": ("a step is p + α dp", lambda alpha, m: -alpha),
    "update_without_alpha": ("a step is p − dp", lambda alpha, m: 1.0),
    "update_alpha_over_m": ("a step is p − (α/m) dp", lambda alpha, m: alpha / m),
}
"""Other steps, and what they multiply the gradient by."""


@dataclass(frozen=True)
class Loop:
    """A run of a training function.

    Attributes
    ----------
    alpha : float or None
        None where it is not an argument.
    start : mapping
        The parameters that it was given; empty where it makes its own.
    steps : list of Step
    end : mapping
        The parameters that it returned.
    """

    function: Function
    probe: Probe
    of: Names
    alpha: float | None
    start: Arrays
    steps: list[Step]
    end: Arrays
    dtype: str

    def after(self, i: int) -> Arrays:
        """The parameters after step i."""
        return self.steps[i + 1].params if i + 1 < len(self.steps) else self.end


def steps(caller: Caller, verdicts: Verdicts, roles: Mapping[str, Function], dtypes: Sequence[str]) -> None:
    """Judge the function that trains, in each format."""
    function = roles.get("train")
    if function is None:
        return
    for dtype in dtypes:
        _in_format(caller, verdicts, function, probes(verdicts.exercise, dtype)[0])


def _in_format(caller: Caller, verdicts: Verdicts, function: Function, probe: Probe) -> None:
    kinds = [names.kind(name) for name in function.arguments]
    first: Played | None = None
    for rows in (False, True):
        given = [arguments(function, *_values(probe, k, rows)) for k in (ITERATIONS, 0, 1, 2)]
        if "iterations" not in kinds or None in given or "." in function.name:
            break
        played = caller.one_each([Call(function.name, g) for g in given if g is not None])
        first = first or played[0]
        if played[0] is not None and played[0].trouble is None:
            start = {n: np.asarray(p) for n, p in _params(probe, rows).items()} if _starts(kinds) else {}
            loop = Loop(
                function,
                probe,
                Names(probe.exercise, tuple(probe.params)),
                probe.learning_rate if "learning_rate" in kinds else None,
                start,
                [],
                {},
                probe.dtype,
            )
            _judge(caller, verdicts, loop, played, rows)
            return
    if first is not None and first.trouble is not None:
        inside = first.trouble.function not in (None, function.name)
        if not inside or first.trouble.kind in NO_VERDICT:
            verdicts.raised("update", first, function)
    verdicts.open("update")


def _starts(kinds: Sequence[str | None]) -> bool:
    return bool({"params", "w", "W1"} & set(kinds))


def _params(probe: Probe, rows: bool) -> dict[str, np.ndarray]:
    return {n: p.T.copy() if rows and n not in ("w", "b") else p.copy() for n, p in probe.params.items()}


def _values(probe: Probe, iterations: int, rows: bool) -> tuple[dict[str, Value], dict[str, Value]]:
    """What arguments may mean, and what is given only where it is needed."""
    X, Y = (probe.X.T.copy(), probe.Y.T.copy()) if rows else (probe.X.copy(), probe.Y.copy())
    params = _params(probe, rows)
    params = {n: p.item() if p.ndim == 0 and probe.dtype == "float64" else p for n, p in params.items()}
    layers = [probe.X.shape[0], *(p.shape[0] for n, p in probe.params.items() if n[0] == "W")]
    values: dict[str, Value] = {"X": X, "Y": Y, "X_test": X.copy(), "Y_test": Y.copy(), "params": params, **params}
    values |= {"iterations": iterations, "learning_rate": probe.learning_rate, "verbose": False, "layers": layers}
    values |= {"activations": list(probe.activations), "n_h": layers[1], "n_x": layers[0], "n_y": layers[-1]}
    return values, {"seed": 3, "lambd": 0.0, "L": probe.L, "m": probe.m}


def _judge(caller: Caller, verdicts: Verdicts, loop: Loop, played: Sequence[Played | None], rows: bool) -> None:
    longest = played[0]
    assert longest is not None
    if longest.returned is None:
        line = longest.frames[0].line if longest.frames else None
        verdicts.wrong("update", "not_returned", "nothing is returned", loop.function, line=line)
        return
    like = {n: p.T if rows and n not in ("w", "b") else p for n, p in loop.probe.params.items()}
    end = loop.of.returned(longest.returned, like)
    steps = of_frames(longest, loop.of)
    loop = replace(loop, end=end, steps=steps)
    if end and steps:
        _by_frames(caller, verdicts, loop)
    elif loop.start and loop.alpha is not None and end:
        _by_runs(caller, verdicts, loop, played, rows)
    else:
        verdicts.open("update")
    _costs(verdicts, loop, longest)


def _costs(verdicts: Verdicts, loop: Loop, played: Played) -> None:
    """The first of the costs that are returned is that of the initial parameters."""
    listed, computed = costs(played.returned), first_costs(played)
    if not listed or len(computed) < 2 or len(set(computed[:2])) < 2:
        verdicts.open("costs")
    elif listed[0] == computed[0]:
        verdicts.right("costs")
    elif listed[0] == computed[1]:
        verdicts.wrong("costs", None, "the first cost is that after the first step", loop.function)
    else:
        verdicts.open("costs")


def _by_frames(caller: Caller, verdicts: Verdicts, loop: Loop) -> None:
    """One run shows all: how many steps the parameters that it returns have behind them, and of which kind."""
    loop = _format(caller, loop)
    n = len(loop.steps)
    if any(p.shape != loop.end[name].shape for step in loop.steps for name, p in step.params.items()):
        verdicts.open("update")
    elif all(_right(loop, i) for i in range(n)):
        _count(verdicts, loop, n)
    elif all(_right(loop, i) for i in range(n - 1)) and _same(loop.end, loop.steps[-1].params):
        if n == ITERATIONS:
            symptom = "the parameters that are returned are those before the last update"
            verdicts.wrong("update", "update_order", symptom, loop.function, line=_line(loop))
        else:
            _count(verdicts, loop, n - 1)
    else:
        _other_steps(caller, verdicts, loop)


def _line(loop: Loop) -> int | None:
    updates = [step.update for step in loop.steps if step.update is not None]
    return loop.function.line if not updates else None


def _count(verdicts: Verdicts, loop: Loop, taken: int) -> None:
    """Of right steps."""
    verdicts.right("update")
    rates = {step.update.learning_rate for step in loop.steps if step.update is not None} - {None}
    if loop.alpha is not None and rates and {float(np.float64(r or 0)) for r in rates} != {loop.alpha}:
        symptom = f"the update gets a learning rate of {max(r or 0.0 for r in rates):g}, not of {loop.alpha:g}"
        verdicts.wrong("update", None, symptom, loop.function)
    if taken == ITERATIONS:
        return
    mistake = "iterations_off_by_one" if abs(taken - ITERATIONS) == 1 else None
    verdicts.wrong("costs", mistake, f"{taken} steps are taken for {ITERATIONS} iterations", loop.function)


def _format(caller: Caller, loop: Loop) -> Loop:
    """JAX has no float64 unless it is asked for."""
    narrow = any(p.dtype == np.float32 for p in loop.end.values())
    return replace(loop, dtype="float32") if narrow and not caller.numpy else loop


def _right(loop: Loop, i: int) -> bool:
    return _follows(loop, i, [loop.steps[i].grads])


def _follows(loop: Loop, i: int, grads: Sequence[Arrays], factor: float | None = None) -> bool:
    """Whether step i subtracts α, or a factor, times the sum of these gradients; or the file's own update had them."""
    step, end = loop.steps[i], loop.after(i)
    total = {n: sum((g[n].astype(np.longdouble) for g in grads), np.longdouble(0)) for n in loop.of.of}
    size = {n: sum((np.abs(g[n]).astype(np.longdouble) for g in grads), np.longdouble(0)) for n in loop.of.of}
    if step.update is not None:
        return factor is None and _own_update(loop, step, end, total, size, len(grads))
    alpha = loop.alpha if factor is None else factor
    if alpha is None:
        return False
    return all(
        _near(loop, end[n], step.params[n] - alpha * total[n].reshape(_shape(total[n], step.params[n])),
              abs(alpha) * size[n].reshape(_shape(size[n], step.params[n])), len(grads) + 1)
        for n in loop.of.of
    )  # fmt: skip


def _shape(gradient: np.ndarray, p: np.ndarray) -> tuple[int, ...]:
    """The parameter's where there are as many numbers: db may be (1, 1), b a number."""
    return p.shape if gradient.size == p.size else gradient.shape


def _own_update(loop: Loop, step: Step, end: Arrays, total: Arrays, size: Arrays, terms: int) -> bool:
    """It was called with the parameters and the gradient of this step, and what it made is where the next one is."""
    update = step.update
    assert update is not None
    if update.params and not _same(update.params, step.params):
        return False
    if update.made and not _same(update.made, end):
        return False
    return not update.grads or all(
        update.grads[n].size == total[n].size
        and _near(loop, update.grads[n].reshape(total[n].shape), total[n], size[n], terms - 1)
        for n in loop.of.of
    )


def _near(loop: Loop, value: np.ndarray, target: np.ndarray, size: np.ndarray, roundings: int) -> bool:
    """Within γ of the terms' sizes, and the rounding of the result where there is any."""
    fmt, gamma = FORMATS[loop.dtype], arithmetic(loop.dtype).gamma
    if value.shape != target.shape:
        return False
    bound = gamma(roundings) * size + (fmt.u * np.abs(target) if roundings else 0)
    bound = np.where(bound > 0, (bound + fmt.smallest_normal) * OWN_ROUNDING, 0)
    return bool(np.all(np.abs(value.astype(np.longdouble) - target) <= bound))


def _same(a: Arrays, b: Arrays) -> bool:
    return all(a[n].size == b[n].size and np.array_equal(a[n].reshape(-1), b[n].reshape(-1)) for n in a)


def _other_steps(caller: Caller, verdicts: Verdicts, loop: Loop) -> None:
    """The mistakes that explain every step."""
    n, m = len(loop.steps), loop.probe.m
    gradients = [step.grads for step in loop.steps]
    zero = {name: 0 * g for name, g in gradients[0].items()}
    before = [[zero], *([g] for g in gradients[:-1])]
    wrong = (loop.function, None)
    if n > 1 and all(_follows(loop, i, before[i]) for i in range(n)):
        verdicts.wrong("update", "update_order", "each step takes the gradient of the step before", wrong[0])
    elif n > 1 and all(_follows(loop, i, gradients[: i + 1]) for i in range(n)):
        symptom = "each step takes the sum of all gradients so far"
        verdicts.wrong("update", "accumulators_not_reset", symptom, wrong[0])
    elif (found := _inline(loop, n, m)) is not None:
        verdicts.wrong("update", found, INLINE[found][0], wrong[0])
    elif loop.alpha is None and any(step.update is None for step in loop.steps):
        verdicts.open("update")
    elif _narrow(caller, loop):
        symptom = "the parameters have been rounded to float32"
        verdicts.wrong("update", "float32_arithmetic", symptom, wrong[0])
    else:
        verdicts.wrong("update", None, "the steps are not p − α dp with the gradient at p", wrong[0])


def _inline(loop: Loop, n: int, m: int) -> str | None:
    alpha = loop.alpha
    if alpha is None:
        return None
    factors = {name: factor(alpha, m) for name, (_, factor) in INLINE.items()}
    right = (name for name, c in factors.items() if all(_follows(loop, i, [loop.steps[i].grads], c) for i in range(n)))
    return next(right, None)


def _narrow(caller: Caller, loop: Loop) -> bool:
    """Whether every step is right in float32 and what is returned is float32."""
    narrow = replace(loop, dtype="float32")
    is_float32 = any(p.dtype == np.float32 for p in loop.end.values())
    return loop.dtype == "float64" and is_float32 and all(_right(narrow, i) for i in range(len(loop.steps)))


def _by_runs(caller: Caller, verdicts: Verdicts, loop: Loop, played: Sequence[Played | None], rows: bool) -> None:
    """Runs of 0 to 3 iterations from the same parameters: each is a step further than the one before."""
    runs = [played[1], played[2], played[3], played[0]]
    ends = [loop.of.returned(r.returned, loop.start) if r is not None and worked([r]) else {} for r in runs]
    grads = [last_gradient(r, loop.of) if r is not None and worked([r]) else {} for r in runs]
    if not all(ends[1:]) or not all(grads[2:]):
        verdicts.open("update")
        return
    at = [loop.start, *ends[1:]]  # after 0, 1, 2 and 3 iterations, as they should be
    moved_early = bool(ends[0]) and not _same(ends[0], loop.start)
    late = _same(ends[1], loop.start)
    if late or moved_early or not grads[1]:
        _shifted(caller, verdicts, loop, ends, grads, late)
        return
    steps = [Step(at[k], grads[k + 1]) for k in range(ITERATIONS)]
    loop = replace(loop, steps=steps, end=at[-1])
    if _kept_sums(caller, verdicts, loop, rows):
        return
    _by_frames(caller, verdicts, loop)


def _shifted(
    caller: Caller, verdicts: Verdicts, loop: Loop, ends: Sequence[Arrays], grads: Sequence[Arrays], late: bool
) -> None:
    """A step too many, even without an iteration; or none in the first."""
    first = [Step(ends[k], grads[k + 1]) for k in (1, 2)]
    previous = [Step(ends[k], grads[k]) for k in (1, 2)] if grads[1] else []
    as_it_is = _format(caller, replace(loop, end=ends[3], steps=first))
    earlier = replace(as_it_is, steps=previous)
    if all(_right(as_it_is, i) for i in range(2)):
        taken = ITERATIONS - 1 if late else ITERATIONS + 1
        _count(verdicts, as_it_is, taken)
    elif late and previous and all(_right(earlier, i) for i in range(2)):
        symptom = "the update is a step behind the gradient"
        verdicts.wrong("update", "update_order", symptom, loop.function)
    else:
        verdicts.open("update")


def _kept_sums(caller: Caller, verdicts: Verdicts, loop: Loop, rows: bool) -> bool:
    """Whether the second gradient is that of a fresh run from there, and what was left of the first."""
    second = loop.steps[1]
    values, needed = _values(loop.probe, 1, rows)
    params: dict[str, Value] = {n: p.copy() if p.ndim else p.item() for n, p in second.params.items()}
    given = arguments(loop.function, {**values, "params": params, **params}, needed)
    fresh = caller.one_each([Call(loop.function.name, given)])[0] if given is not None else None
    clean = last_gradient(fresh, loop.of) if fresh is not None and worked([fresh]) else {}
    if not clean or _same(clean, second.grads):
        return False
    for left in (1, loop.probe.m):
        kept = {n: g.astype(np.longdouble) / left for n, g in loop.steps[0].grads.items()}
        sizes = {n: np.abs(clean[n]) + np.abs(kept[n]) for n in clean}
        roundings = loop.probe.m + 2  # a sum over the examples that starts at another number
        if all(_near(loop, second.grads[n], clean[n] + kept[n], sizes[n], roundings) for n in clean):
            symptom = "each gradient is added to those of the steps before"
            verdicts.wrong("update", "accumulators_not_reset", symptom, loop.function)
            return True
    return False
