"""Which rows there are."""

from __future__ import annotations

from collections import Counter

import pytest

from parity.bench.cases import AXES, CASES, QUICK, WORKS, Case
from parity.bench.plan import CONTRASTS, Plan, implementations
from parity.bench.results import Key

EVERY = Plan(tuple(CASES.values()), threads=(1, 2), implementations=implementations())


def rows(plan: Plan) -> list[Key]:
    return [key for _, keys in plan.groups() for key in keys]


def test_no_row_is_there_twice() -> None:
    assert [key for key, n in Counter(rows(EVERY)).items() if n > 1] == []


def test_everything_is_timed() -> None:
    found = rows(EVERY)
    for name in ("shallow-2-4-1-m400", "logistic-784-1-m60000", "deep-784-256-64-1-m10000"):
        of_case = [key for key in found if key.case == name]
        assert {key.work for key in of_case} == set(WORKS)
        assert {key.implementation for key in of_case} == set(implementations())
        assert {(key.device, key.threads) for key in of_case} == {("cpu", 1), ("cpu", 2), ("cuda", 1), ("mps", 1)}
        on_cpu = {key.dtype for key in of_case if key.device == "cpu"}
        assert on_cpu == {"float64", "float32"}  # the narrow ones are not native there
        assert {key.dtype for key in of_case if key.device == "cuda"} > on_cpu
    assert {case.model for case in CASES.values() if not case.grows} == {
        "logistic_regression", "shallow_network", "deep_network"
    }  # fmt: skip


@pytest.mark.parametrize("axis", AXES)
def test_in_a_series_nothing_else_grows(axis: str) -> None:
    series = [case for case in CASES.values() if case.grows == axis]
    sizes = [case.size for case in series]
    assert len(sizes) > 3
    assert sizes == sorted(set(sizes))
    others = {
        "m": lambda case: (case.layers, case.activations),
        "n": lambda case: (case.layers[1:], case.m),
        "depth": lambda case: (set(case.layers[:-1]), case.m),
    }[axis]
    assert len({str(others(case)) for case in series}) == 1


def test_a_series_is_timed_in_one_manner_unless_it_is_asked_for() -> None:
    series = tuple(case for case in CASES.values() if case.grows)
    plan = Plan(series, threads=(1, 2), implementations=("reference",), devices=("cpu",))
    assert {(key.work, key.threads) for key in rows(plan)} == {("step", 1)}
    asked = Plan(series, threads=(1, 2), implementations=("reference",), devices=("cpu",), everything=True)
    assert {(key.work, key.threads) for key in rows(asked)} == {(work, t) for work in WORKS for t in (1, 2)}


def test_a_group_has_one_case_work_dtype_and_place() -> None:
    for case, keys in EVERY.groups():
        assert {key.case for key in keys} == {case.name}
        assert len({(key.work, key.dtype, key.device, key.threads) for key in keys}) == 1


def test_patterns_choose_rows() -> None:
    plan = Plan(
        EVERY.cases, implementations=("reference", "jax-jit"), patterns=("logistic-*/step/float32/cpu/1/jax-*",)
    )
    found = rows(plan)
    assert found
    assert all(key.implementation == "jax-jit" and key.case.startswith("logistic") for key in found)


def test_only_wanted_rows() -> None:
    wanted = frozenset(rows(EVERY)[5:8])
    plan = Plan(EVERY.cases, threads=(1, 2), implementations=implementations(), wanted=wanted)
    assert set(rows(plan)) == wanted


def test_names() -> None:
    assert set(QUICK) < set(CASES)
    assert all(name == case.name for name, case in CASES.items())
    assert set(CONTRASTS) < set(implementations())


@pytest.mark.parametrize(
    ("case", "forward", "step"),
    [
        # 2 m n[0] n[1] + 2 m n[1] n[2] forward; backward dW as much again, and W2'dZ2
        (Case("shallow_network", (2, 4, 1), 400, ("tanh", "sigmoid"), 1), 2 * 400 * 12, 2 * 400 * (12 + 12 + 4)),
        (Case("logistic_regression", (784, 1), 10, ("sigmoid",), 1), 2 * 10 * 784, 4 * 10 * 784),
    ],
)
def test_the_arithmetic_of_a_case(case: Case, forward: int, step: int) -> None:
    assert (case.flops("forward"), case.flops("step"), case.flops("train")) == (forward, step, step)


def test_the_bytes_of_a_case() -> None:
    case = CASES["logistic-784-1-m60000"]
    X, Y, params = 784 * 60_000, 60_000, 785
    assert case.bytes("step", 4) == 4 * (X + Y + 2 * params)
    assert case.bytes("forward", 8) == 8 * (X + Y + params)
