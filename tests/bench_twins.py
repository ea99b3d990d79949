"""What an exact problem of the shape of a case has to be worth: hardly a gradient is zero, and no example is idle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parity.bench.cases import Case
from parity.problems import Problem
from parity.problems.integers import values

LARGEST = ("logistic-784-1-m60000", "deep-784-256-64-1-m10000")
"""Their exact problems take seconds: in float64 each is built once, by the test that also has a step judged by it."""


def zeros(exact: Problem, found: Mapping[str, np.ndarray]) -> int:
    """Of 100 elements of all gradients."""
    elements = np.concatenate([found[f"d{name}"].ravel() for name in exact.params])
    return 100 * np.count_nonzero(elements == 0) // elements.size


def check(exact: Problem, case: Case, dtype: str) -> None:
    """`twin` has proven it; here is what it is worth."""
    found = values(exact)
    assert exact.exact
    assert (exact.layers, exact.activations, exact.dtypes) == (case.layers, case.activations, (dtype,))
    assert case.m <= exact.m < 2 * case.m
    assert exact.m & (exact.m - 1) == 0
    assert exact.learning_rate is not None
    assert zeros(exact, found) < 3
    wrong = np.flatnonzero(np.any(found["dZ" if "w" in exact.params else f"dZ{len(case.activations)}"], axis=0))
    assert {0, exact.m // 2 - 1, exact.m // 2, exact.m - 1} <= set(wrong)
    assert 3 * min(1024, exact.m // 8) == len(wrong)
