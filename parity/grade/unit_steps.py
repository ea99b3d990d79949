"""The steps of a training loop, held to p := p − α dp: right ones, and those of a known mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parity.formats import FORMATS
from parity.grade.probes import Probe
from parity.grade.record import Function
from parity.grade.unit_bounds import arithmetic
from parity.grade.unit_chain import Arrays, Names, Step
from parity.local import witness
from parity.rounding import OWN_ROUNDING
from reference import deep_network

INLINE: dict[str, tuple[str, Callable[[float, int], float]]] = {
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


def right(loop: Loop, i: int) -> bool:
    """Whether step i is p − α dp, or what the file's own update makes of p and dp."""
    return follows(loop, i, [loop.steps[i].grads])


def follows(loop: Loop, i: int, grads: Sequence[Arrays], factor: float | None = None) -> bool:
    """Whether step i subtracts α, or a factor, times the sum of these gradients; or the file's own update had them."""
    step, end = loop.steps[i], loop.after(i)
    total = {n: _sum([g[n].reshape(_shape(g[n], step.params[n])) for g in grads]) for n in loop.of.of}
    size = {n: _sum([np.abs(g[n]).reshape(_shape(g[n], step.params[n])) for g in grads]) for n in loop.of.of}
    if step.update is not None:
        return factor is None and _own_update(loop, step, end, total, size, len(grads))
    alpha = loop.alpha if factor is None else factor
    if alpha is None:
        return False
    moved = {n: step.params[n] - alpha * total[n] for n in loop.of.of}
    terms = len(grads) + 1
    return all(near(loop, end[n], moved[n], abs(alpha) * size[n], terms) for n in loop.of.of)


def _sum(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.sum([a.astype(np.longdouble) for a in arrays], axis=0)


def _shape(gradient: np.ndarray, p: np.ndarray) -> tuple[int, ...]:
    """The parameter's where there are as many numbers: db may be (1, 1), b a number."""
    return p.shape if gradient.size == p.size else gradient.shape


def _own_update(loop: Loop, step: Step, end: Arrays, total: Arrays, size: Arrays, terms: int) -> bool:
    """It was called with the parameters and the gradient of this step, and what it made is where the next one is."""
    update = step.update
    assert update is not None
    if update.params and not same(update.params, step.params):
        return False
    if update.made and not same(update.made, end):
        return False
    return not update.grads or all(
        update.grads[n].size == total[n].size
        and near(loop, update.grads[n].reshape(total[n].shape), total[n], size[n], terms - 1)
        for n in loop.of.of
    )


def near(loop: Loop, value: np.ndarray, target: np.ndarray, size: np.ndarray, roundings: int) -> bool:
    """Within γ of the terms' sizes, and the rounding of the result where there is any.

    Of p − Σ α dp, a term has the rounding of its product and one a sum, or α/m, rounded, times a sum; the last sum
    rounds what comes of it. The target is rounded as well: `witness`.
    """
    fmt, gamma = FORMATS[loop.dtype], arithmetic(loop.dtype).gamma
    if value.size != target.size:
        return False
    value = value.reshape(target.shape)
    bound = gamma(roundings) * size + fmt.u * np.abs(target) if roundings else np.zeros(target.shape)
    bound = np.where(bound > 0, (bound + fmt.smallest_normal) * OWN_ROUNDING * witness(fmt), 0)
    return bool(np.all(np.abs(value.astype(np.longdouble) - target) <= bound))


def same(a: Arrays, b: Arrays) -> bool:
    """Whether they hold the same numbers, in whatever shapes."""
    return all(a[n].size == b[n].size and np.array_equal(a[n].reshape(-1), b[n].reshape(-1)) for n in a)


def of_wrong_ones(loop: Loop) -> Loop:
    """With those parameters alone that do not take right steps."""
    each = {name: replace(loop, of=replace(loop.of, of=(name,))) for name in loop.of.of}
    wrong = tuple(name for name, one in each.items() if not all(right(one, i) for i in range(len(loop.steps))))
    return replace(loop, of=replace(loop.of, of=wrong))


def without_repeats(steps: Sequence[Step]) -> list[Step]:
    """Without gradients that were asked for again at the same place, for the cost."""
    pairs = zip(steps, [*steps[1:], None], strict=True)
    return [a for a, b in pairs if b is None or a.update is not None or not same(a.params, b.params)]


def partly(loop: Loop, i: int) -> bool:
    """Whether a step is right in some of the parameters and leaves the others as they are."""
    step, end = loop.steps[i], loop.after(i)
    moved = tuple(name for name in loop.of.of if not same({name: step.params[name]}, end))
    part = replace(loop, of=replace(loop.of, of=moved))
    return step.update is None and 0 < len(moved) < len(loop.of.of) and right(part, i)


def inline(loop: Loop, n: int) -> str | None:
    """Which of `INLINE` the first n steps are."""
    alpha, m = loop.alpha, loop.probe.m
    if alpha is None:
        return None
    factors = {name: factor(alpha, m) for name, (_, factor) in INLINE.items()}
    fitting = (name for name, c in factors.items() if all(follows(loop, i, [loop.steps[i].grads], c) for i in range(n)))
    return next(fitting, None)


def narrow(loop: Loop) -> bool:
    """Whether every step is right in float32 and what is returned is float32."""
    in_float32 = replace(loop, dtype="float32")
    is_float32 = any(p.dtype == np.float32 for p in loop.end.values())
    return loop.dtype == "float64" and is_float32 and all(right(in_float32, i) for i in range(len(loop.steps)))


def holds_sums(loop: Loop) -> bool:
    """Whether the first gradient is nearer to m times the true one than to it: then α/m is right."""
    step, probe = loop.steps[0], loop.probe
    params = {n: p if p.shape == probe.params[n].shape else p.T for n, p in step.params.items()}
    if probe.exercise == "logistic":
        params = {"W1": params["w"].reshape(1, -1), "b1": np.reshape(params["b"], (1, 1))}
    true = deep_network.gradients(params, probe.X, probe.Y, probe.activations)
    own = _norm(step.grads)
    return own > (1 + probe.m) / 2 * _norm(true)


def _norm(arrays: Arrays) -> float:
    return float(np.sqrt(sum(np.sum(a.astype(np.float64) ** 2) for a in arrays.values())))
