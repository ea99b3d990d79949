"""What differs from its formula, and which mistake of the catalogue explains it.

Quantities are taken in the order of computation. Each is held to its formula over the learner's own values before it,
so that one mistake is one finding. A mistake is named only if it explains every element of the quantity on every probe,
within its bound; where the learner has no name for what comes before, mistakes there are tried as well.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from parity.grade.bounded import Bounded
from parity.grade.formulas import HIDDEN, UNEVEN, Pass, split
from parity.grade.held import ROWS, SCALED, evaluated, explains, local, saturated, within
from parity.grade.mistaken import candidates
from parity.grade.observed import Seen
from parity.grade.unformed import adds, has_float32, is_float32, narrowed, special

CLOSEST = {
    ("caches_reversed", "off_by_one_layer"): "off_by_one_layer",  # the reverse order would show in another layer, too
    ("db_not_summed", "db_wrong_axis"): "db_not_summed",  # the same of one unit: the other would show elsewhere
    ("missing_1_over_m", "one_over_n"): "missing_1_over_m",  # n is 1
    ("last_dA_reused", "off_by_one_layer"): "last_dA_reused",  # the last is the next
}
"""Which of several mistakes that explain a quantity is meant, if the same line tells no more in other layers."""

UNTOLD = ("dA_for_dZ", "missing_g_prime")
"""The same in a layer; at the output it is dA for dZ."""


@dataclass
class Verdict:
    """Of one quantity over all probes.

    Attributes
    ----------
    name : str
        In a network's names, dW1 also for logistic regression.
    right : bool or None
        None: it follows from what is wrong before it.
    mistakes : tuple of str
        The ids of all that explain it.
    at : str
        The quantity in whose formula the mistake is: this one, or one before it that the learner has no name for.
    shown : Pass or None
        Where it is seen best.
    """

    name: str
    right: bool | None
    mistakes: tuple[str, ...] = ()
    at: str = ""
    shown: Pass | None = None
    conventions: dict[str, Seen] = field(default_factory=dict)


def judged(passes: Sequence[Pass]) -> list[Verdict]:
    """Every quantity that was seen, in the order of computation.

    Parameters
    ----------
    passes : sequence of Pass
        Of the same functions of the learner's over all probes. What they find is written into them as own values.
    """
    found = []
    with np.errstate(all="ignore"):
        for name in passes[0].order() if passes else ():
            having = [p for p in passes if name in p.seen]
            if having:
                found.append(_judge(having, name))
    return found


def _judge(having: list[Pass], name: str) -> Verdict:
    kind, l = split(name)
    if kind == "A" and l < having[0].L:
        _choose_activation(having, l)
    if kind == "dZ" and l < having[0].L:
        _choose_slope(having, l)
    conventions: dict[str, Seen] = {}
    wrong = _wrong(having, name, conventions)
    if not wrong and adds(having, name):
        return Verdict(name, False, ("accumulators_not_reset",), name, having[0], conventions)
    if not wrong:
        return Verdict(name, True, conventions=conventions)
    seen = {id(p): p.copied() for p in wrong}  # before anything is assumed that would explain it
    hits, at, open_passes = _explained(having, wrong, name)
    times = _already(having, wrong, name, hits, at)
    if times:
        conventions["dZ_over_m"] = having[0].seen[name]
    for p in having if times else wrong:
        _take(p, name, local(p, name).m if times else 1)
    if not hits and not open_passes:
        return Verdict(name, None)
    return Verdict(name, False, hits, at, seen[id((open_passes or wrong)[0])], conventions)


def _wrong(having: list[Pass], name: str, conventions: dict[str, Seen]) -> list[Pass]:
    """Where it is not what its formula gives; the others take it for their own value."""
    wrong = [p for p in having if not _right(p, name, conventions)]
    if wrong and _rightly_scaled(having, name, conventions):
        return []
    wrong = [p for p in having if not _right(p, name, conventions)] if wrong else []  # what was tried is taken back
    if not (any(p.assumed for p in wrong) and all(_right(p.without_assumed(), name, conventions) for p in wrong)):
        return wrong
    for p in wrong:  # written in place, and rightly here
        p.own = p.without_assumed().own
        p.assumed = set()
        _right(p, name, conventions)
    return []


def _choose_activation(having: list[Pass], l: int) -> None:
    """The hidden activation that the learner has, if it is one; where exp overflows it may be hard to recognise."""
    if not having[0].free:
        return
    telling = [p for p in having if p.probe.name != "saturated"] or having
    if not _choose(having, l, lambda: all(_activated(p, f"A{l}") for p in telling)):
        for p in having:
            p.lost.add(l)


def _choose(having: list[Pass], l: int, fits: Callable[[], bool]) -> bool:
    """Whether one of the hidden activations fits, which is then taken; else the one before stays."""
    before = having[0].g[l - 1]
    for g in (before, *HIDDEN):
        for p in having:
            p.g[l - 1] = g
        if fits():
            return True
    for p in having:
        p.g[l - 1] = before
    return False


def _activated(p: Pass, name: str) -> bool:
    """Whether it is g(Z), in float32 where that is what it is in."""
    p = narrowed(p) if has_float32(p, [name]) else p
    return within(p.seen[name].value, p.rights(name)[0])


def _choose_slope(having: list[Pass], l: int) -> None:
    """Where no activation fits, as in a linear layer, any slope may be meant."""
    name = f"dZ{l}"
    if all(l in p.lost for p in having):
        _choose(having, l, lambda: all(_right(p, name, {}) for p in having) or _rightly_scaled(having, name, {}))


def _right(p: Pass, name: str, conventions: dict[str, Seen], scaled: bool = False) -> bool:
    """Whether it is what its formula gives; if so it is taken for an own value, and conventions are noted.

    Parameters
    ----------
    scaled : bool
        Whether it is 1/m of that.
    """
    seen, at = p.seen[name], local(p, name)
    rights = evaluated(at, name)
    for i in sorted(range(len(rights)), key=lambda i: not rights[i].bounds_all):  # what bounds nothing shows nothing
        if within(seen.value, rights[i] / at.m if scaled else rights[i], split(name)[0] in ROWS):
            _take(p, name, at.m if scaled else 1)
            _note(p, name, i, scaled, conventions)
            return True
    if name == "J" and not np.all(np.isfinite(seen.value)) and np.any(saturated(at)):
        conventions["cost_from_probabilities"] = seen
        return True
    return name in (f"dA{p.L}", f"dZ{p.L}") and _only_saturated(p, name, rights, conventions, at.m if scaled else 1)


def _rightly_scaled(having: list[Pass], name: str, conventions: dict[str, Seen]) -> bool:
    """Whether it is right on all probes but for a factor 1/m; on a single one that may be chance."""
    noted: dict[str, Seen] = {}
    found = split(name)[0] in SCALED and all(_right(p, name, noted, scaled=True) for p in having)
    if found:
        conventions |= noted
    return found


def _note(p: Pass, name: str, which: int, scaled: bool, conventions: dict[str, Seen]) -> None:
    """Which of the right ways it was, where that is worth a word."""
    kind, l = split(name)
    seen = p.seen[name]
    if scaled and p.m > 1:
        conventions["dZ_over_m"] = seen
    if kind == "J" and not np.all(np.isfinite(seen.value)):
        conventions["cost_from_probabilities"] = seen
    if kind == "dA" and l == p.L and not np.all(np.isfinite(seen.value)):
        conventions["dA_from_probabilities"] = seen
    if kind == "dZ" and l < p.L and p.g[l - 1] in ("relu", "leaky_relu") and which in (1, 2):
        conventions["kink"] = seen
    if kind == "db" and np.ndim(seen.value) < 2 and p.probe.exercise != "logistic":
        conventions["scalar_db"] = seen
    if kind == "A" and l < p.L and p.g[l - 1] != p.probe.activations[l - 1]:
        conventions["hidden_activation"] = seen


def _only_saturated(p: Pass, name: str, rights: list[Bounded], conventions: dict[str, Seen], times: int) -> bool:
    """Whether −y/a + (1 − y)/(1 − a) is right but where it divides by zero."""
    seen = p.seen[name]
    value, bad = np.asarray(seen.value), saturated(p)
    if not rights or value.shape != bad.shape or not np.any(bad & ~np.isfinite(value)):
        return False
    patched = np.where(bad & ~np.isfinite(value), rights[0].value, value)
    if not within(patched, rights[0] / times):
        return False
    _take(p, name, times)
    conventions["dA_from_probabilities"] = seen
    return True


def _take(p: Pass, name: str, times: int = 1) -> None:
    """What the learner has goes into the formulas after it: times m where it already holds 1/m."""
    array = np.asarray(p.seen[name].value)
    if array.dtype.kind not in "fiub":
        return
    kind = split(name)[0]
    n, m = (1 if kind in ROWS and array.ndim == 1 else None), p.m
    array = array.reshape(n, m) if n is not None and array.size == m else array
    if array.size == 1 and kind != "J":
        array = array.reshape(1, 1)
    p.own[name] = p.exact(array.astype(np.longdouble) * times)


def _explained(having: list[Pass], wrong: list[Pass], name: str) -> tuple[tuple[str, ...], str, list[Pass]]:
    """The mistakes that explain a quantity wherever it is wrong; in whose formula; and where it could be judged."""
    wrong = [p for p in wrong if _tells(p, name)] or wrong
    unformed = special(having, wrong, name)
    if unformed:
        return unformed, name, wrong
    able = [p for p in wrong if evaluated(p, name)]
    for at in _chain(wrong[0], name):
        hits, certain = _common(wrong, able, name, at)
        if any(p.probe.m == 1 and p not in wrong and np.any(p.seen[name].value) for p in having):
            certain |= hits & {"integer_arithmetic"}  # 1 // m is 0, but of a single example it is 1
        if hits & certain:
            if at != name:
                _assume(wrong, name, at, hits)
            return tuple(sorted(hits & certain)), at, able or wrong
    narrow, at, far = _in_float32(wrong, name)
    return narrow, at, far if narrow or far != wrong else able


def _in_float32(wrong: list[Pass], name: str) -> tuple[tuple[str, ...], str, list[Pass]]:
    """What explains it, were it computed in float32, in whose formula; and where that alone does not."""
    far = [p for p in wrong if not is_float32(p, name)]
    if not far:
        follows = all(has_float32(p, p.inputs(name)) for p in wrong)
        return (() if follows else ("float32_arithmetic",)), name, far
    if not all(has_float32(p, p.seen) for p in wrong):
        return (), name, wrong
    single = [narrowed(p) for p in far]
    for at in _chain(single[0], name):
        hits, certain = _common(single, [p for p in single if evaluated(p, name)], name, at)
        if hits & certain:
            return tuple(sorted(hits & certain)), at, far
    return (), name, far


def _tells(p: Pass, name: str) -> bool:
    """Whether the formula has a bound there: what is infinite before it leaves none."""
    rights = evaluated(p, name)
    return not rights or any(np.any(np.isfinite(r.error) & ~np.isnan(r.value)) for r in rights)


def _chain(p: Pass, name: str) -> Iterator[str]:
    """The quantity, and those before it that the learner has no value for, the nearest first."""
    waiting, done = [name], set()
    while waiting:
        at = waiting.pop(0)
        if at in done:
            continue
        done.add(at)
        yield at
        waiting += [i for i in p.inputs(at) if not p.has(i)]


def _common(wrong: list[Pass], able: list[Pass], name: str, at: str) -> tuple[set[str], set[str]]:
    """The mistakes that are possible on every probe, and those of them that are certain on one."""
    possible: set[str] | None = None
    sure: set[str] = set()
    for p in sorted(wrong, key=lambda p: p not in able):  # what one of these excludes is not looked at again
        found = _hits(p, name, at, possible if p in able else None)
        if found or p in able:
            possible = set(found) if possible is None else possible & set(found)
            sure |= {mistake for mistake, certain in found.items() if certain}
    return possible or set(), sure


def _hits(p: Pass, name: str, at: str, among: set[str] | None = None) -> dict[str, bool]:
    """The mistakes in the formula of `at` that may give what was seen of `name`, and whether they certainly do."""
    found: dict[str, bool] = {}
    for mistake, _, certain, _ in _matching(p, name, at, among):
        found[mistake] = found.get(mistake, False) or certain
    return found


def _matching(
    p: Pass, name: str, at: str, among: Container[str] | None = None
) -> Iterator[tuple[str, Bounded, bool, bool]]:
    """Each mistake that may give what was seen, its formula, whether it certainly does, and whether without 1/m."""
    there = local(p, name)
    divisors = (1, there.m) if split(name)[0] in SCALED else (1,)
    try:
        named = list(candidates(there, at, among))
    except UNEVEN:
        return
    for mistake, value in named:
        if at != name and mistake == "integer_arithmetic":
            continue  # of what was not seen, any number may be cut off
        if mistake == "db_wrong_axis" and np.ndim(p.seen[name].value) == 0:
            continue  # an axis is left
        results = [value] if at == name else evaluated(there.with_own(at, value), name)
        said = [[explains(result / k, _patched(there, name, result / k)) for result in results] for k in divisors]
        if any(one is not False for each in said for one in each):
            whole = np.asarray(p.seen[name].value).dtype.kind in "iu"
            sure = mistake != "integer_arithmetic" or whole or bool(np.any(value.value))  # else zero may mean much
            yield mistake, value, sure and any(True in each for each in said), True in said[0]


def _already(having: list[Pass], wrong: list[Pass], name: str, hits: tuple[str, ...], at: str) -> bool:
    """Whether a wrong dZ holds 1/m: the mistake in it says so, or what is made of it."""
    if split(name)[0] not in SCALED:
        return False
    if hits:
        near = [narrowed(p) if has_float32(p, p.seen) else p for p in wrong if p.probe.m > 1]
        plain = [[plain for m, _, sure, plain in _matching(p, name, at) if m in hits and sure] for p in near]
        return any(each and not any(each) for each in plain)
    l = split(name)[1]
    return split(name)[0] == "dZ" and all(_means(having, name, f"{kind}{l}") for kind in ("dW", "db"))


def _means(having: list[Pass], name: str, of: str) -> bool:
    """Whether dW or db is what dZ gives without a further 1/m."""
    telling = [p for p in having if of in p.seen and p.probe.m > 1]
    there = [(p, p.with_own(name, p.exact(np.asarray(p.seen[name].value) * local(p, of).m))) for p in telling]
    return bool(there) and all(_right(other, of, {}) for _, other in there)


def _patched(p: Pass, name: str, result: Bounded) -> np.ndarray:
    """What was seen, but for the inf and nan of 1/a and 1/(1 − a) where a probability has rounded to 0 or 1."""
    value = np.asarray(p.seen[name].value)
    if name not in (f"dA{p.L}", f"dZ{p.L}") or value.dtype.kind != "f" or np.all(np.isfinite(value)):
        return value
    bad = saturated(p)
    if value.shape == (p.probe.m, p.probe.m):
        bad = bad | bad.T
    if not value.shape == bad.shape == result.shape:
        return value
    return np.where(bad & ~np.isfinite(value), result.value, value)


def _assume(wrong: list[Pass], name: str, at: str, hits: set[str]) -> None:
    """What the learner must have had for a quantity without a name."""
    for p in wrong:
        value = next((value for _, value, *_ in _matching(p, name, at, hits)), None)
        if value is not None:
            p.own[at] = value
            p.assumed = {*p.assumed, at}


def merged(verdicts: Sequence[Verdict]) -> list[str | None]:
    """One mistake for each, or none: where several explain it, those count that explain its kind elsewhere."""
    wrong = [v for v in verdicts if v.right is False and v.mistakes]
    return [_chosen(v, wrong) if v.mistakes else None for v in verdicts]


def _chosen(v: Verdict, wrong: list[Verdict]) -> str | None:
    """What explains the same line in other layers as well; and else, of its kind in other functions."""
    kind = [w for w in wrong if split(w.at)[0] == split(v.at)[0] and set(w.mistakes) & set(v.mistakes)]
    left = _common_to(v, [w for w in kind if _place(w) == _place(v)])
    left = {one for several, one in CLOSEST.items() if left == set(several)} or left
    left = left if len(left) == 1 else _common_to(v, kind)
    left = {UNTOLD[1]} if left == set(UNTOLD) else left
    return next(iter(left)) if len(left) == 1 else None


def _common_to(v: Verdict, others: list[Verdict]) -> set[str]:
    return set(v.mistakes).intersection(*(w.mistakes for w in others)) or set(v.mistakes)


def _place(v: Verdict) -> tuple[str, int | None] | None:
    seen = v.shown.seen[v.name] if v.shown else None
    return (seen.function, seen.line) if seen else None
