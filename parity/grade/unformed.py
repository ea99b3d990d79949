"""Mistakes that are no formula: sums that are not reset, overflows, lost axes, other arithmetic."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from parity.grade.bounded import Bounded, rounding
from parity.grade.formulas import Pass, split
from parity.grade.held import SCALED, evaluated, local, saturated, within


def special(having: list[Pass], wrong: list[Pass], name: str) -> tuple[str, ...]:
    """Mistakes that are no formula."""
    kind, l = split(name)
    if adds(having, name):
        return ("accumulators_not_reset",)
    if {p.probe.name for p in wrong} == {"integer"} and any(_same_shapes(p, name) for p in having if p not in wrong):
        return ("integer_arithmetic",)
    if kind == "A" and _overflow_alone(wrong, name, f"Z{l}"):
        return ("exp_overflow",)
    if kind == "J" and all(_infinite(p) for p in having) and any(np.all(np.isinf(p.seen[name].value)) for p in having):
        return ("log_of_zero",)
    if kind == "db" and all(_lost_axis(p, name) for p in wrong):
        return ("db_keepdims",)
    return ()


def _same_shapes(p: Pass, name: str) -> bool:
    """Whether a mistake that only the shapes of the whole numbers' probe show would show here as well."""
    return p.probe.name == "square" and bool(np.any(p.seen[name].value))


def _infinite(p: Pass) -> bool:
    """Whether the cost is infinite, as log(0) makes it; of a probability that has rounded to 0 or 1 it is nan."""
    J = np.asarray(p.seen["J"].value)
    return bool(np.all(np.isinf(J)) or (np.any(np.isnan(J)) and np.any(saturated(p))))


def adds(having: list[Pass], name: str) -> bool:
    """Whether a second call adds to what the first one gave, wherever that can be told."""
    having = [narrowed(p) if has_float32(p, p.seen) else p for p in having]
    twice = [said for p in having if (said := _is_twice(p, name)) is not None]
    return bool(twice) and all(twice)


def _is_twice(p: Pass, name: str) -> bool | None:
    """Whether a second call adds what a first one should have given; None where it cannot be told."""
    if name not in p.again:
        return None
    first, second = (np.asarray(seen.value) for seen in (p.seen[name], p.again[name]))
    rights = [r for r in evaluated(local(p, name), name) if r.value.size == first.size]
    if first.shape != second.shape or first.dtype.kind not in "fiub" or not np.all(np.isfinite(second)) or not rights:
        return None
    own = 2 * p.of.u * (np.abs(first) + np.abs(second)).astype(np.longdouble)
    more = second.astype(np.longdouble) - first
    added = any(within(more.reshape(r.shape), Bounded(r.value, r.error + own.reshape(r.shape), r.of)) for r in rights)
    return None if added and not np.any(more) else added  # where nothing is to be added, nothing shows


def _overflow_alone(wrong: list[Pass], name: str, Z: str) -> bool:
    """Whether nothing but an overflow is wrong, in the arithmetic that it was computed in."""
    single = [p for p in wrong if has_float32(p, [name])]
    far = [narrowed(p) if p in single else p for p in wrong if p not in single or not is_float32(p, name)]
    return bool(far) and all(_overflows(p, name, Z) for p in far)


def _overflows(p: Pass, name: str, Z: str) -> bool:
    """Nan or inf where e^|z| may have overflowed or nearly so, and right elsewhere."""
    value, right = np.asarray(p.seen[name].value), p.rights(name)[0]
    if value.shape != right.shape or np.all(np.isfinite(value)):
        return False
    large = np.abs(p[Z].value) > np.log(p.of.largest) / 2  # e^z, or its square, overflows
    bad = ~np.isfinite(value)
    patched = np.where(bad & large, right.value, value)
    return bool(np.all(large[bad])) and within(patched, right)


def _lost_axis(p: Pass, name: str) -> bool:
    value = np.asarray(p.seen[name].value)
    rights = evaluated(local(p, name), name)
    return (
        value.ndim == 1
        and value.size > 1
        and any(within(value[:, None], r) for r in rights if r.shape[0] == value.size)
    )


def narrowed(p: Pass) -> Pass:
    """The same pass in float32."""
    narrow = p.copied()
    narrow.of = rounding("float32")
    narrow.own = {n: Bounded(v.value, v.error, narrow.of) for n, v in p.own.items()}
    narrow.known = {n: Bounded(v.value, v.error, narrow.of) for n, v in p.known.items()}
    return narrow


def has_float32(p: Pass, names: Iterable[str]) -> bool:
    """Whether one of them is float32: it goes on where it goes in."""
    return any(np.asarray(p.seen[name].value).dtype == np.float32 for name in names if name in p.seen)


def is_float32(p: Pass, name: str) -> bool:
    """Inside the bound of float32, where float64 is the format."""
    narrow = narrowed(p)
    rights = evaluated(local(narrow, name), name)
    divisors = (1, p.m) if split(name)[0] in SCALED else (1,)
    return narrow.of.u > p.of.u and any(within(p.seen[name].value, r / k) for r in rights for k in divisors)
