"""The judge, without any file: a learner who computes by the formulas, rounded to the format, but for one quantity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from parity.grade.bounded import rounding
from parity.grade.formulas import UNEVEN, Pass, split
from parity.grade.judge import Verdict, judged, merged
from parity.grade.mistaken import candidates
from parity.grade.observed import Observed, Seen
from parity.grade.probes import Probe, probes

MIXED = ("tanh", "relu", "tanh", "sigmoid")
FEW = frozenset({"distinct", "square", "single", "zero"})
"""The probes of the sample."""

TINY = 1e-9
"""A relative error that has to be seen in float64."""

EVERY = 29
"""Of the mistakes in all quantities."""


def quantities(p: Pass) -> list[str]:
    """All but dA of the output and of X, which few compute."""
    return [name for name in p.order() if name not in ("dA0", f"dA{p.L}")]


def simulated(probe: Probe, at: str = "", mistake: str = "", factor: float = 1) -> Pass:
    """The quantities in order, up to one that cannot be computed; one has the mistake, or a factor."""
    p = Pass(Observed(probe, {}), rounding(probe.dtype))
    seen = {}
    for name in quantities(p):
        try:
            right = p.rights(name)[0].value * (factor if name == at else 1)
            wrong = [c.value for m, c in candidates(p, name) if m == mistake] if name == at and mistake else []
        except UNEVEN:
            break
        value = np.asarray([*wrong, right][0], np.float64).astype(probe.dtype)
        p.own[name] = p.exact(value)
        seen[name] = Seen(value, name, "f", 1)
    return Pass(Observed(probe, seen), rounding(probe.dtype))


def verdicts(exercise: str, dtype: str, at: str = "", mistake: str = "", factor: float = 1) -> list[Verdict]:
    """What is said of the simulated learner."""
    activations = MIXED if exercise == "deep" else None
    with np.errstate(all="ignore"):
        some = [probe for probe in probes(exercise, dtype, activations) if probe.name in FEW]
        return judged([simulated(probe, at, mistake, factor) for probe in some])


def mistakes(exercise: str) -> Iterator[tuple[str, str]]:
    """Every mistake of every quantity that leaves something on the first probe: zeros have no name."""
    with np.errstate(all="ignore"):
        p = simulated(probes(exercise, "float64", MIXED if exercise == "deep" else None)[0])
        for name in quantities(p):
            for mistake in dict.fromkeys(mistake for mistake, value in candidates(p, name) if np.any(value.value)):
                yield name, mistake


CASES = [(exercise, *case) for exercise in ("shallow", "deep") for case in mistakes(exercise)]


@pytest.mark.parametrize(("exercise", "at", "mistake"), CASES[::EVERY])
def test_the_mistake_is_named_where_it_is(exercise: str, at: str, mistake: str) -> None:
    for dtype in ("float64", "float32"):
        found = verdicts(exercise, dtype, at, mistake)
        assert [v.name for v in found if v.right is False] == [at]
        assert merged(found)[[v.name for v in found].index(at)] == mistake


@pytest.mark.parametrize("exercise", ["shallow", "deep"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_who_is_right_is_not_accused(exercise: str, dtype: str) -> None:
    assert all(verdict.right for verdict in verdicts(exercise, dtype))


@pytest.mark.parametrize("at", ["Z1", "A2", "J", "dZ1", "dW1", "db2", "new_W1"])
def test_a_small_relative_error_is_seen_and_has_no_name(at: str) -> None:
    found = verdicts("shallow", "float64", at, factor=1 + TINY)
    assert [(v.name, v.at) for v in found if v.right is False] == [(at, at)]
    assert set(merged(found)) <= {None, "float32_arithmetic"}


@pytest.mark.parametrize("at", ["J", "dZ2", "dW2", "db1"])
def test_zeros_are_not_what_integers_leave(at: str) -> None:
    found = verdicts("shallow", "float64", at, factor=0)
    assert [v.name for v in found if v.right is False] == [at]
    assert set(merged(found)) == {None}


def test_a_wrong_dZ_that_holds_1_over_m_is_no_missing_1_over_m() -> None:
    def halved(probe: Probe) -> Pass:
        p = simulated(probe, "dZ2", factor=3)
        seen = {n: Seen(s.value / (p.m if split(n)[0] == "dZ" else 1), n, "f", 1) for n, s in p.seen.items()}
        return Pass(Observed(probe, seen), rounding(probe.dtype))

    with np.errstate(all="ignore"):
        found = judged([halved(probe) for probe in probes("shallow", "float64")[:2]])
    assert [v.name for v in found if v.right is False] == ["dZ2"]
    assert set(merged(found)) == {None}
