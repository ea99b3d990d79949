"""What differs from its formula, and which mistake of the catalogue explains it.

Quantities are taken in the order of computation. Each is held to its formula over the learner's own values before it,
so that one mistake is one finding. A mistake is named only if it explains every element of the quantity on every probe,
within its bound; where the learner has no name for what comes before, mistakes there are tried as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from parity.grade.bounded import Bounded, rounding
from parity.grade.formulas import HIDDEN, UNEVEN, Pass, split
from parity.grade.mistaken import candidates
from parity.grade.observed import Seen

ROWS = ("Z", "A", "dZ", "dA")
"""With one unit they may be rows without a second axis."""


CLOSEST = {
    ("caches_reversed", "off_by_one_layer"): "off_by_one_layer",  # the reverse order would show in another layer, too
    (
        "db_not_summed",
        "db_wrong_axis",
    ): "db_not_summed",  # of one unit they are the same: the other would show elsewhere
    ("missing_1_over_m", "one_over_n"): "missing_1_over_m",  # n is 1
    ("last_dA_reused", "off_by_one_layer"): "last_dA_reused",  # the last is the next
    ("dA_for_dZ", "missing_g_prime"): "missing_g_prime",  # the same in a layer; at the output it is dA for dZ
}
"""Which of several mistakes that explain a quantity is meant, if nothing else tells."""


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


def aligned(value: np.ndarray, shape: tuple[int, ...], row: bool = False) -> np.ndarray | None:
    """The value in that shape, if it has it: one number has any, a row of one unit may have one axis."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return None
    single = array.size == 1 and int(np.prod(shape)) == 1
    flat = row and len(shape) == 2 and shape[0] == 1 and array.shape == shape[1:]
    return array.reshape(shape).astype(np.longdouble) if array.shape == shape or single or flat else None


def within(value: np.ndarray, target: Bounded, row: bool = False) -> bool:
    """Whether every element is inside its bound; where there is none, or no number is right, all are."""
    found = aligned(value, target.shape, row)
    if found is None:
        return False
    with np.errstate(all="ignore"):
        close = (found == target.value) | (np.abs(found - target.value) <= target.error)
        close |= np.isinf(found) & (np.sign(found) == np.sign(target.value)) & (target.reach >= target.of.largest)
    return bool(np.all(close | ~np.isfinite(target.error) | np.isnan(target.value)))


def explains(target: Bounded, value: np.ndarray) -> bool | None:
    """Whether a mistake's formula gives the value, whatever axes of length 1 there are; None where it says nothing."""
    array = np.asarray(value)
    if np.squeeze(array).shape != np.squeeze(target.value).shape:
        return False
    array = array.reshape(target.shape)
    if not within(array, target) or not np.all(np.isnan(array) | ~np.isnan(target.value)):
        return False
    return True if np.any(np.isfinite(target.error) & ~np.isnan(target.value)) else None


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
    wrong = [p for p in having if not _right(p, name, conventions)]
    if wrong and any(p.assumed for p in wrong) and all(_right(p.without_assumed(), name, conventions) for p in wrong):
        for p in wrong:  # written in place, and rightly here
            p.own = p.without_assumed().own
            p.assumed = set()
            _right(p, name, conventions)
        wrong = []
    if not wrong and _adds(having, name):
        return Verdict(name, False, ("accumulators_not_reset",), name, having[0], conventions)
    if not wrong:
        return Verdict(name, True, conventions=conventions)
    hits, at, open_passes = _explained(having, wrong, name)
    times = _already(having, wrong, name, hits, at)
    if times:
        conventions["dZ_over_m"] = having[0].seen[name]
    for p in having if times else wrong:
        _take(p, name, local(p, name).m if times else 1)
    if not hits and not open_passes:
        return Verdict(name, None)
    return Verdict(name, False, hits, at, (open_passes or wrong)[0], conventions)


def _choose_activation(having: list[Pass], l: int) -> None:
    """The hidden activation that the learner has, if it is one; where exp overflows it may be hard to recognise."""
    if not having[0].free:
        return
    telling = [p for p in having if p.probe.name != "saturated"] or having
    for g in (having[0].g[l - 1], *HIDDEN):
        for p in having:
            p.g[l - 1] = g
        if all(within(p.seen[f"A{l}"].value, p.rights(f"A{l}")[0]) for p in telling):
            return
    for p in having:
        p.g[l - 1] = p.probe.activations[l - 1]
        p.lost.add(l)


def _choose_slope(having: list[Pass], l: int) -> None:
    """Where no activation fits, as in a linear layer, any slope may be meant."""
    if not all(l in p.lost for p in having):
        return
    own = having[0].g[l - 1]
    for g in (own, *HIDDEN):
        for p in having:
            p.g[l - 1] = g
        if all(_right(p, f"dZ{l}", {}) for p in having):
            return
    for p in having:
        p.g[l - 1] = own


def local(p: Pass, name: str) -> Pass:
    """The pass with the m of the function in which the quantity was found."""
    seen = p.seen.get(name)
    own = p.seen.get(f"m@{seen.function}") if seen else None
    if own is None or np.size(own.value) != 1 or not float(np.ravel(own.value)[0]) > 0:
        return p
    there = p.with_own("m", p.exact(0))
    there.m = int(np.ravel(own.value)[0])
    return there


def _right(p: Pass, name: str, conventions: dict[str, Seen]) -> bool:
    """Whether it is what its formula gives; if so it is taken for an own value, and conventions are noted."""
    seen, kind = p.seen[name], split(name)[0]
    at = local(p, name)
    rights = _evaluated(at, name)
    ways = [(scaled, i) for scaled in (False, True)[: 1 + (kind in ("dZ", "dA"))] for i in range(len(rights))]
    for scaled, i in sorted(ways, key=lambda way: not rights[way[1]].bounds_all):  # what bounds nothing shows nothing
        if within(seen.value, rights[i] / at.m if scaled else rights[i], kind in ROWS):
            _take(p, name, at.m if scaled else 1)
            _note(p, name, i, scaled, conventions)
            return True
    if kind == "J" and not np.all(np.isfinite(seen.value)) and np.any(_saturated(at)):
        conventions["cost_from_probabilities"] = seen
        return True
    return name in (f"dA{p.L}", f"dZ{p.L}") and _only_saturated(p, name, rights, conventions)


def _evaluated(p: Pass, name: str) -> list[Bounded]:
    try:
        return p.rights(name)
    except UNEVEN:
        return []


def _note(p: Pass, name: str, which: int, scaled: bool, conventions: dict[str, Seen]) -> None:
    """Which of the right ways it was, where that is worth a word."""
    kind, l = split(name)
    seen = p.seen[name]
    if scaled and p.m > 1:
        conventions["dZ_over_m"] = seen
    if kind == "dA" and l == p.L and not np.all(np.isfinite(seen.value)):
        conventions["dA_from_probabilities"] = seen
    if kind == "dZ" and l < p.L and p.g[l - 1] in ("relu", "leaky_relu") and which in (1, 2):
        conventions["kink"] = seen
    if kind == "db" and np.ndim(seen.value) < 2 and p.probe.exercise != "logistic":
        conventions["scalar_db"] = seen
    if kind == "A" and l < p.L and p.g[l - 1] != p.probe.activations[l - 1]:
        conventions["hidden_activation"] = seen


def _saturated(p: Pass) -> np.ndarray:
    """Where a probability has rounded to 0 or 1, or may have."""
    A = p[f"A{p.L}"]
    one = A.of.u + A.error
    near: np.ndarray = (A.value <= one) | (A.value >= 1 - one)
    return near


def _only_saturated(p: Pass, name: str, rights: list[Bounded], conventions: dict[str, Seen]) -> bool:
    """Whether −y/a + (1 − y)/(1 − a) is right but where it divides by zero."""
    seen = p.seen[name]
    value, bad = np.asarray(seen.value), _saturated(p)
    if not rights or value.shape != bad.shape or not np.any(bad & ~np.isfinite(value)):
        return False
    patched = np.where(bad & ~np.isfinite(value), rights[0].value, value)
    times = next((k for k in (1, p.m) if within(patched, rights[0] / k)), None)
    if times is None:
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
    special = _special(having, wrong, name)
    if special:
        return special, name, wrong
    able = [p for p in wrong if _evaluated(p, name)]
    for at in _chain(wrong[0], name):
        hits, certain = _common([_hits(p, name, at) for p in wrong], [p in able for p in wrong])
        if hits & certain:
            if at != name:
                _assume(wrong, name, at, hits)
            return tuple(sorted(hits & certain)), at, able or wrong
    narrow, far = _in_float32(wrong, name)
    return narrow, name, far if narrow or far != wrong else able


def _in_float32(wrong: list[Pass], name: str) -> tuple[tuple[str, ...], list[Pass]]:
    """What explains it, were it computed in float32; and where that alone does not."""
    far = [p for p in wrong if not _is_float32(p, name)]
    if not far:
        return (() if all(_has_float32(p, p.inputs(name)) for p in wrong) else ("float32_arithmetic",)), far
    if not all(_has_float32(p, p.seen) for p in wrong):
        return (), wrong
    hits, certain = _common([_hits(_narrowed(p), name, name) for p in far], [bool(_evaluated(p, name)) for p in far])
    return tuple(sorted(hits & certain)), far


def _tells(p: Pass, name: str) -> bool:
    """Whether the formula has a bound there: what is infinite before it leaves none."""
    rights = _evaluated(p, name)
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


def _common(each: list[dict[str, bool]], needed: list[bool]) -> tuple[set[str], set[str]]:
    """The mistakes that are possible on every probe, and those that are certain on one."""
    telling = [found for found, need in zip(each, needed, strict=True) if found or need]
    possible = set.intersection(*(set(found) for found in telling)) if telling else set()
    return possible, {mistake for found in each for mistake, certain in found.items() if certain}


def _hits(p: Pass, name: str, at: str) -> dict[str, bool]:
    """The mistakes in the formula of `at` that may give what was seen of `name`, and whether they certainly do."""
    found: dict[str, bool] = {}
    for mistake, _, certain, _ in _matching(p, name, at):
        found[mistake] = found.get(mistake, False) or certain
    return found


def _matching(p: Pass, name: str, at: str) -> Iterator[tuple[str, Bounded, bool, bool]]:
    """Each mistake that may give what was seen, its formula, whether it certainly does, and whether without 1/m."""
    there = local(p, name)
    divisors = (1, there.m) if split(name)[0] in ("dZ", "dA") else (1,)
    try:
        named = list(candidates(there, at))
    except UNEVEN:
        return
    for mistake, value in named:
        if at != name and mistake == "integer_arithmetic":
            continue  # of what was not seen, any number may be cut off
        if mistake == "db_wrong_axis" and np.ndim(p.seen[name].value) == 0:
            continue  # an axis is left
        results = [value] if at == name else _evaluated(there.with_own(at, value), name)
        said = [[explains(result / k, _patched(there, name, result / k)) for result in results] for k in divisors]
        if any(one is not False for each in said for one in each):
            sure = mistake != "integer_arithmetic" or bool(np.any(value.value))  # zero may be cut off from much
            yield mistake, value, sure and any(True in each for each in said), True in said[0]


def _already(having: list[Pass], wrong: list[Pass], name: str, hits: tuple[str, ...], at: str) -> bool:
    """Whether a wrong dZ holds 1/m: the mistake in it says so, or what is made of it."""
    if split(name)[0] not in ("dZ", "dA"):
        return False
    if hits:
        near = [_narrowed(p) if _has_float32(p, p.seen) else p for p in wrong if p.probe.m > 1]
        plain = [[plain for m, *_, plain in _matching(p, name, at) if m in hits] for p in near]
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
    bad = _saturated(p)
    if value.shape == (p.probe.m, p.probe.m):
        bad = bad | bad.T
    if not value.shape == bad.shape == result.shape:
        return value
    return np.where(bad & ~np.isfinite(value), result.value, value)


def _assume(wrong: list[Pass], name: str, at: str, hits: set[str]) -> None:
    """What the learner must have had for a quantity without a name."""
    for p in wrong:
        value = next((value for mistake, value, *_ in _matching(p, name, at) if mistake in hits), None)
        if value is not None:
            p.own[at] = value
            p.assumed = {*p.assumed, at}


def _special(having: list[Pass], wrong: list[Pass], name: str) -> tuple[str, ...]:
    """Mistakes that are no formula."""
    kind, l = split(name)
    if _adds(having, name):
        return ("accumulators_not_reset",)
    if {p.probe.name for p in wrong} == {"integer"} and len(having) > len(wrong):
        return ("integer_arithmetic",)
    if kind == "A" and all(_overflows(p, name, f"Z{l}") for p in wrong):
        return ("exp_overflow",)
    if kind == "J" and all(_infinite(p) for p in having) and any(np.all(np.isinf(p.seen[name].value)) for p in having):
        return ("log_of_zero",)
    if kind == "db" and all(_lost_axis(p, name) for p in wrong):
        return ("db_keepdims",)
    return ()


def _infinite(p: Pass) -> bool:
    """Whether the cost is infinite, as log(0) makes it; of a probability that has rounded to 0 or 1 it is nan."""
    J = np.asarray(p.seen["J"].value)
    return bool(np.all(np.isinf(J)) or (np.any(np.isnan(J)) and np.any(_saturated(p))))


def _adds(having: list[Pass], name: str) -> bool:
    """Whether a second call adds to what the first one gave, wherever that can be told."""
    having = [_narrowed(p) if _has_float32(p, p.seen) else p for p in having]
    twice = [said for p in having if (said := _is_twice(p, name)) is not None]
    return bool(twice) and all(twice)


def _is_twice(p: Pass, name: str) -> bool | None:
    """Whether a second call adds what a first one should have given; None where it cannot be told."""
    if name not in p.again:
        return None
    first, second = (np.asarray(seen.value) for seen in (p.seen[name], p.again[name]))
    rights = [r for r in _evaluated(local(p, name), name) if r.value.size == first.size]
    if first.shape != second.shape or first.dtype.kind not in "fiub" or not np.all(np.isfinite(second)) or not rights:
        return None
    own = 2 * p.of.u * (np.abs(first) + np.abs(second)).astype(np.longdouble)
    more = second.astype(np.longdouble) - first
    added = any(within(more.reshape(r.shape), Bounded(r.value, r.error + own.reshape(r.shape), r.of)) for r in rights)
    return None if added and not np.any(more) else added  # where nothing is to be added, nothing shows


def _overflows(p: Pass, name: str, Z: str) -> bool:
    """Nan or inf where e^|z| may have overflowed or nearly so, and right elsewhere."""
    value, right = np.asarray(p.seen[name].value), p.rights(name)[0]
    if value.shape != right.shape or np.all(np.isfinite(value)):
        return False
    large = np.abs(p[Z].value) > 64  # e^64 squared overflows float32
    bad = ~np.isfinite(value)
    patched = np.where(bad & large, right.value, value)
    return bool(np.all(large[bad])) and within(patched, right)


def _lost_axis(p: Pass, name: str) -> bool:
    value = np.asarray(p.seen[name].value)
    rights = _evaluated(local(p, name), name)
    return (
        value.ndim == 1
        and value.size > 1
        and any(within(value[:, None], r) for r in rights if r.shape[0] == value.size)
    )


def _narrowed(p: Pass) -> Pass:
    """The same pass in float32."""
    narrow = p.with_own("m", p.exact(0))
    narrow.of = rounding("float32")
    narrow.own = {n: Bounded(v.value, v.error, narrow.of) for n, v in p.own.items()}
    narrow.known = {n: Bounded(v.value, v.error, narrow.of) for n, v in p.known.items()}
    return narrow


def _has_float32(p: Pass, names: Iterable[str]) -> bool:
    """Whether one of them is float32: it goes on where it goes in."""
    return any(np.asarray(p.seen[name].value).dtype == np.float32 for name in names if name in p.seen)


def _is_float32(p: Pass, name: str) -> bool:
    """Inside the bound of float32, where float64 is the format."""
    narrow = _narrowed(p)
    rights = _evaluated(local(narrow, name), name)
    divisors = (1, p.m) if split(name)[0] in ("dZ", "dA") else (1,)
    return narrow.of.u > p.of.u and any(within(p.seen[name].value, r / k) for r in rights for k in divisors)


def merged(verdicts: Sequence[Verdict]) -> list[str | None]:
    """One mistake for each, or none: where several explain it, those count that explain its kind elsewhere."""
    wrong = [v for v in verdicts if v.right is False and v.mistakes]
    return [_chosen(v, wrong) if v.mistakes else None for v in verdicts]


def _chosen(v: Verdict, wrong: list[Verdict]) -> str | None:
    alike = [set(w.mistakes) for w in wrong if split(w.at)[0] == split(v.at)[0] and set(w.mistakes) & set(v.mistakes)]
    left = set(v.mistakes).intersection(*alike) or set(v.mistakes)
    for several, one in CLOSEST.items():
        left = {one} if left == set(several) else left
    return next(iter(left)) if len(left) == 1 else None
