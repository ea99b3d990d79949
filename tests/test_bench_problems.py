"""What the benchmark times, and the exact problems of the same shapes: proven, and hardly a gradient is zero."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from parity.bench.cases import CASES, Case
from parity.bench.problems import problem, twin
from parity.implementations import find
from parity.problems import FLOATS
from parity.problems.exactness import NotExact, prove
from parity.problems.integers import values
from tests.bench_twins import LARGEST, check
from tests.shared import place

built = cache(twin)

LARGE = 2**24
"""Of so many elements, X takes seconds."""

SMALL_CASES = [name for name, case in CASES.items() if case.layers[0] * case.m < LARGE / 4]
LARGE_CASES = [
    (name, dtype)
    for name in CASES
    for dtype in FLOATS
    if name not in SMALL_CASES and (name, dtype) not in [(largest, "float64") for largest in LARGEST]
]
"""What is left out here is in test_bench_verify.py."""


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", SMALL_CASES)
def test_every_case_has_an_exact_problem(name: str, dtype: str) -> None:
    check(twin(CASES[name], dtype), CASES[name], dtype)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), LARGE_CASES)
def test_every_large_case_has_an_exact_problem(name: str, dtype: str) -> None:
    check(twin(CASES[name], dtype), CASES[name], dtype)


def test_units_are_told_apart() -> None:
    found = values(twin(CASES["deep-64x5-1-m1024"], "float64"))
    for l in range(1, 5):
        assert len(np.unique(found[f"dW{l}"], axis=0)) == len(np.unique(found[f"dW{l}"].T, axis=0)) == 64


@pytest.mark.parametrize("implementation", ["reference", "torch-eager", "jax-jit"])
@pytest.mark.parametrize(
    "name", ["shallow-2-4-1-m400", "logistic-30-1-m569", "deep-30-20-7-1-m569", "deep-64x9-1-m1024"]
)
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_every_implementation_gives_the_same_bits(name: str, implementation: str, dtype: str) -> None:
    if reason := place(implementation).missing:
        pytest.skip(reason)
    exact = built(CASES[name], dtype)
    found, expected = find(implementation).quantities(exact, dtype, "cpu"), values(exact)
    assert set(found) == set(expected)
    assert all(np.array_equal(found[q].astype(np.float64), value) for q, value in expected.items())


def test_float64_is_made_use_of() -> None:
    """What is computed in float32 on the way is seen: the numbers need more bits."""
    exact = twin(CASES["logistic-30-1-m569"], "float64")
    with pytest.raises(NotExact, match="float32: the value of X rounds"):
        prove(replace(exact, dtypes=("float32",)), values=values, may_be_alike=True)
    dw = values(exact)["dw"]
    assert not np.any(dw.astype(np.float32) == dw)


def test_a_weight_that_does_not_fit_is_refused() -> None:
    exact = twin(CASES["deep-30-20-7-1-m569"], "float32")
    W2 = exact.params["W2"].copy()
    W2[0, 0] += 2.0**-20
    with pytest.raises(NotExact, match=r"Z2 = W2 A1 \+ b2 rounds"):
        prove(replace(exact, params=dict(exact.params) | {"W2": W2}), values=values, may_be_alike=True)


def test_where_there_is_none_it_says_so() -> None:
    with pytest.raises(NotExact, match="exact in float16: 1/65536 is no normal number"):
        twin(CASES["shallow-2-4-1-m65536"], "float16")
    with pytest.raises(NotExact, match="no exact problem of the shape deep-2x40-1-m64 is known in bfloat16"):
        twin(Case("deep_network", (2,) * 40 + (1,), 64, ("relu",) * 39 + ("sigmoid",), 1, "depth"), "bfloat16")


def test_what_is_timed_is_drawn_once_and_for_all() -> None:
    case = CASES["deep-30-20-7-1-m569"]
    drawn = problem(case)
    assert drawn.fingerprint == problem(case).fingerprint != problem(case, seed=2).fingerprint
    assert (drawn.layers, drawn.m, drawn.activations) == (case.layers, case.m, case.activations)
    assert 0 < drawn.Y.mean() < 1
    assert not drawn.exact
