"""Training (slides N5, N11, N18): as many steps as asked for, each p := p − α dp with the gradient at p.

The gradient and the update are the file's own, whatever they are worth: the loop around them is what is judged. Without
an update of its own, a step rounds twice: |computed − (p − α dp)| ≤ γ_2 α |dp| + u |p − α dp|.

iterations_off_by_one    a step more, or a step less
update_order             a step takes the gradient of the step before it, the first one none; or what is returned are
                         the parameters before the last update; or the parameters take their steps one after the other
accumulators_not_reset   a step takes the sum of all gradients so far
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.grade import names
from parity.grade.probes import Probe, probes
from parity.grade.record import NO_VERDICT, Call, Function, Played, Value
from parity.grade.unit_calls import Caller, arguments, at_fault, where_changed, worked
from parity.grade.unit_chain import (
    Arrays,
    Names,
    Step,
    costs,
    first_costs,
    in_batches,
    initial,
    last_gradient,
    of_frames,
    of_names,
    outermost,
)
from parity.grade.unit_steps import (
    INLINE,
    Loop,
    follows,
    holds_sums,
    inline,
    narrow,
    near,
    of_wrong_ones,
    partly,
    right,
    same,
    without_repeats,
)
from parity.grade.verdicts import Verdicts

ITERATIONS = 3


def steps(caller: Caller, verdicts: Verdicts, roles: Mapping[str, Function], dtypes: Sequence[str]) -> None:
    """Judge the function that trains, in each format."""
    function = roles.get("train")
    if function is None:
        return
    for dtype in dtypes:
        _in_format(caller, verdicts, function, probes(verdicts.exercise, dtype)[0])


def _in_format(caller: Caller, verdicts: Verdicts, function: Function, probe: Probe) -> None:
    kinds = [names.kind(name) for name in function.arguments]
    alpha = probe.learning_rate if "learning_rate" in kinds else None
    first: Played | None = None
    for rows in (False, True):
        given = [arguments(function, *_values(probe, k, rows)) for k in (ITERATIONS, 0, 1, 2)]
        if "iterations" not in kinds or None in given or "." in function.name:
            break
        values, needed = _values(probe, 1, rows)
        given.append(arguments(function, {**values, "learning_rate": 0.0}, needed))
        played = _runs(caller, function, [g for g in given if g is not None], _starts(kinds))
        first = first or played[0]
        if played[0] is not None and played[0].trouble is None:
            start = {n: np.asarray(p) for n, p in _params(probe, rows).items()} if _starts(kinds) else {}
            of = Names(probe.exercise, tuple(probe.params))
            _judge(caller, verdicts, Loop(function, probe, of, alpha, start, [], {}, probe.dtype), played, rows)
            return
    if first is not None and first.trouble is not None:
        shown = not any(role in ("gradients", "backward") for role, _ in outermost(first.frames[1:]))
        if first.trouble.kind in NO_VERDICT or (at_fault(first, function) and shown):
            verdicts.raised("update", first, function)
    verdicts.open("update")


def _runs(caller: Caller, function: Function, given: Sequence[dict[str, Value]], starts: bool) -> list[Played | None]:
    """A run with each of these arguments; all draw the same numbers where they begin with random ones."""
    calls = [Call(function.name, g) for g in given]
    numpy = caller.numpy_name()
    if starts or numpy is None:
        return caller.one_each(calls)
    seed = Call(f"{numpy}.random.seed", {"seed": 19})
    return [played[-1] if played else None for played in caller.play([(seed, call) for call in calls])]


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
    layers += [1] if probe.exercise == "logistic" else []
    values: dict[str, Value] = {"X": X, "Y": Y, "X_test": X.copy(), "Y_test": Y.copy(), "params": params, **params}
    values |= {"iterations": iterations, "learning_rate": probe.learning_rate, "verbose": False, "layers": layers}
    values |= {"activations": list(probe.activations), "n_h": layers[1], "n_x": layers[0], "n_y": layers[-1]}
    return values, {"seed": 3, "lambd": 0.0, "L": probe.L, "m": probe.m}


def _judge(caller: Caller, verdicts: Verdicts, loop: Loop, played: Sequence[Played | None], rows: bool) -> None:
    longest = played[0]
    assert longest is not None
    for argument in longest.mutated:
        line = where_changed(caller.room.source.tree, loop.function, argument)
        symptom = f"{argument} is changed by {loop.function.name}"
        if line is not None or len(longest.frames) < 2:  # else by a function that it calls
            verdicts.wrong("update", "inputs_mutated", symptom, loop.function, line=line)
    if longest.returned is None:
        line = longest.frames[0].line if longest.frames else None
        verdicts.wrong("update", "not_returned", "nothing is returned", loop.function, line=line)
        return
    like = {n: p.T if rows and n not in ("w", "b") else p for n, p in loop.probe.params.items()}
    given, start = bool(loop.start), loop.start or initial(longest, loop.of)
    shown = [] if in_batches(longest, loop.probe.X.size) else of_frames(longest, loop.of)
    loop = replace(loop, end=loop.of.returned(longest.returned, like), steps=shown, start=start)
    if loop.end and loop.steps:
        _by_frames(caller, verdicts, loop)
    elif in_batches(longest, loop.probe.X.size):
        verdicts.open("update")
    elif given or not (loop.end and loop.alpha is not None and _by_names(caller, verdicts, loop, longest)):
        _by_runs(caller, verdicts, loop, played, rows)
    _costs(verdicts, loop, longest)


def _costs(verdicts: Verdicts, loop: Loop, played: Played) -> None:
    """The first of the costs that are returned is that of the initial parameters."""
    listed, computed = costs(played.returned), first_costs(played)
    if not listed and verdicts.scores.get("update"):
        return  # parameters alone are returned
    if verdicts.scores.get("update") is False or not listed or len(computed) < 2 or len(set(computed[:2])) < 2:
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
    arrays = [a for step in loop.steps for of in (step.params, step.grads) for a in of.values()]
    fits = all(p.size == loop.end[name].size for step in loop.steps for name, p in step.params.items())
    if not fits or not all(np.all(np.isfinite(a)) for a in arrays):
        verdicts.open("update")
    elif all(right(loop, i) for i in range(n)):
        _count(verdicts, loop, n)
    elif all(right(loop, i) for i in range(n - 1)) and same(loop.end, loop.steps[-1].params):
        if n == ITERATIONS:
            symptom = "the parameters that are returned are those before the last update"
            verdicts.wrong("update", "update_order", symptom, loop.function)
        else:
            _count(verdicts, loop, n - 1)
    else:
        _other_steps(caller, verdicts, loop)


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


def _by_names(caller: Caller, verdicts: Verdicts, loop: Loop, played: Played) -> bool:
    """Whether local names show every step, with which arrays that are written to are not at odds."""
    loop = _format(caller, replace(loop, steps=of_names(played, loop.of)))
    n = len(loop.steps)
    if n and all(right(loop, i) for i in range(n)):
        _count(verdicts, loop, n)
        return True
    return bool(n) and _explained(verdicts, loop) is not None


def _format(caller: Caller, loop: Loop) -> Loop:
    """The format of its arithmetic. JAX has no float64 unless it is asked for, and a float32 gradient makes a step one.

    That a gradient is one is said where it is judged.
    """
    given = [step.grads for step in loop.steps]
    arrays = given if caller.numpy else [*given, loop.end]
    is_narrow = any(array.dtype in (np.float32, np.float16) for of in arrays for array in of.values())
    return replace(loop, dtype="float32") if is_narrow else loop


def _explained(verdicts: Verdicts, loop: Loop) -> str | None:
    """The mistake that explains every step, once it is told."""
    n = len(loop.steps)
    gradients = [step.grads for step in loop.steps]
    zero = {name: 0 * g for name, g in gradients[0].items()}
    before = [[zero], *([g] for g in gradients[:-1])]
    loop = of_wrong_ones(loop)
    mistake, symptom = inline(loop, n), ""
    if n > 1 and all(follows(loop, i, before[i]) for i in range(n)):
        mistake, symptom = "update_order", "each step takes the gradient of the step before"
    elif n > 1 and all(follows(loop, i, gradients[: i + 1]) for i in range(n)):
        mistake, symptom = "accumulators_not_reset", "each step takes the sum of all gradients so far"
    if mistake == "update_alpha_over_m" and holds_sums(loop):
        verdicts.open("update")
    elif mistake is not None:
        verdicts.wrong("update", mistake, symptom or INLINE[mistake][0], loop.function)
    return mistake


def _other_steps(caller: Caller, verdicts: Verdicts, loop: Loop) -> None:
    """What is known, and gradients that are asked for twice; then what can be said of others."""
    n = len(loop.steps)
    if _explained(verdicts, loop) is not None:
        return
    if len(merged := without_repeats(loop.steps)) < n:
        _by_frames(caller, verdicts, replace(loop, steps=merged))
    elif loop.alpha is None and any(step.update is None for step in loop.steps):
        verdicts.open("update")
    elif all(partly(loop, i) for i in range(n)):
        symptom = "the parameters take their steps one after the other, each with a gradient of its own"
        verdicts.wrong("update", "update_order", symptom, loop.function)
    elif narrow(loop):
        symptom = "the parameters have been rounded to float32"
        verdicts.wrong("update", "float32_arithmetic", symptom, loop.function)
    elif any(p.dtype.kind in "iu" for p in loop.end.values()):
        verdicts.wrong("update", "integer_arithmetic", "the parameters have become integers", loop.function)
    else:
        verdicts.wrong("update", None, "the steps are not p − α dp with the gradient at p", loop.function)


def _by_runs(caller: Caller, verdicts: Verdicts, loop: Loop, played: Sequence[Played | None], rows: bool) -> None:
    """Runs of 0 to 3 iterations from the same parameters: each is a step further than the one before."""
    runs = [played[1], played[2], played[3], played[0]]
    ends = [loop.of.returned(r.returned, loop.start) if r is not None and worked([r]) else {} for r in runs]
    grads = [last_gradient(r, loop.of) if r is not None and worked([r]) else {} for r in runs]
    if loop.alpha is None or not loop.start or not all(ends[1:]) or not all(grads[2:]):
        verdicts.open("update")
        return
    at = [loop.start, *ends[1:]]  # after 0, 1, 2 and 3 iterations, as they should be
    moved_early = bool(ends[0]) and not same(ends[0], loop.start)
    late = same(ends[1], loop.start)
    if late or moved_early or not grads[1]:
        _shifted(caller, verdicts, loop, ends, grads, late)
        return
    steps = [Step(at[k], grads[k + 1]) for k in range(ITERATIONS)]
    loop = replace(loop, steps=steps, end=at[-1])
    if _moved_between(verdicts, loop, played[4]) or _kept_sums(caller, verdicts, loop, rows):
        return
    _by_frames(caller, verdicts, loop)


def _moved_between(verdicts: Verdicts, loop: Loop, still: Played | None) -> bool:
    """Whether the first gradient is another one than in a step of length 0, in which no parameter moves.

    In a network that is dZ with an updated W, and said of dZ.
    """
    clean = last_gradient(still, loop.of) if still is not None and worked([still]) else {}
    if loop.of.L > 1 or not clean or same(clean, loop.steps[0].grads):
        return False
    symptom = "a derivative is computed after another parameter has taken its step"
    verdicts.wrong("update", "update_order", symptom, loop.function)
    return True


def _shifted(
    caller: Caller, verdicts: Verdicts, loop: Loop, ends: Sequence[Arrays], grads: Sequence[Arrays], late: bool
) -> None:
    """A step too many, even without an iteration; or none in the first."""
    first = [Step(ends[k], grads[k + 1]) for k in (1, 2)]
    previous = [Step(ends[k], grads[k]) for k in (1, 2)] if grads[1] else []
    as_it_is = _format(caller, replace(loop, end=ends[3], steps=first))
    earlier = replace(as_it_is, steps=previous)
    if all(right(as_it_is, i) for i in range(2)):
        taken = ITERATIONS - 1 if late else ITERATIONS + 1
        _count(verdicts, as_it_is, taken)
    elif late and previous and all(right(earlier, i) for i in range(2)):
        symptom = "the update is a step behind the gradient"
        verdicts.wrong("update", "update_order", symptom, loop.function)
    else:
        verdicts.open("update")


def _kept_sums(caller: Caller, verdicts: Verdicts, loop: Loop, rows: bool) -> bool:
    """Whether the second gradient is that of a fresh run from there, and what was left of the first."""
    second = loop.steps[1]
    values, needed = _values(loop.probe, 1, rows)
    params: dict[str, Value] = {n: p.copy() if p.ndim else p.item() for n, p in second.params.items()}
    starts = _starts([names.kind(name) for name in loop.function.arguments])
    given = arguments(loop.function, {**values, "params": params, **params}, needed) if starts else None
    fresh = caller.one_each([Call(loop.function.name, given)])[0] if given is not None else None
    clean = last_gradient(fresh, loop.of) if fresh is not None and worked([fresh]) else {}
    if not clean or same(clean, second.grads):
        return False
    for left in (1, loop.probe.m):
        kept = {n: g.astype(np.longdouble) / left for n, g in loop.steps[0].grads.items()}
        largest = max(1, np.abs(loop.probe.X).max())  # of the terms at the output, where |dZ| < 1
        sizes = {n: np.abs(clean[n]) + np.abs(kept[n]) + largest for n in clean}
        roundings = loop.probe.m + 2  # a sum over the examples that starts at another number
        if all(near(loop, second.grads[n], clean[n] + kept[n], sizes[n], roundings) for n in clean):
            symptom = "each gradient is added to those of the steps before"
            verdicts.wrong("update", "accumulators_not_reset", symptom, loop.function)
            return True
    return False
