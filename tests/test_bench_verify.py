"""What the benchmark lets through, and what it names: planted faults, each in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from parity.bench.cases import CASES
from parity.bench.problems import problem, twin
from parity.bench.verify import Verdict, judge
from parity.compare import BITS, DIFFERS, ROUNDING
from parity.formats import FORMATS
from parity.implementations import find
from parity.problems import FLOATS, Problem
from parity.problems.exactness import NotExact
from tests.bench_twins import LARGEST, check
from tests.shared import place

SHALLOW, DEEP, LOGISTIC = "shallow-64-128-1-m4096", "deep-30-20-7-1-m569", "logistic-30-1-m569"

Arrays = dict[str, np.ndarray]
Fault = Callable[[Arrays, Problem], Mapping[str, np.ndarray]]


@cache
def given(case: str, dtype: str) -> tuple[Problem, Problem]:
    return problem(CASES[case]), twin(CASES[case], dtype)


def step(at: Problem, dtype: str, implementation: str = "reference") -> Arrays:
    """J and the gradients."""
    found = find(implementation).quantities(at, dtype, "cpu")
    return {name: found[name] for name in ("J", *(f"d{p}" for p in at.params))}


@cache
def computed(case: str, dtype: str) -> tuple[Arrays, Arrays]:
    """The reference's step on either problem."""
    found, of_twin = (step(at, dtype) for at in given(case, dtype))
    return found, of_twin


def judged(
    case: str, dtype: str = "float64", fault: Fault | None = None, work: str = "step", on_problem: bool = True
) -> Verdict:
    """The verdict on the reference with a fault, on the exact problem only or on both."""
    found, of_twin = computed(case, dtype)
    if fault:
        at, exact = given(case, dtype)
        found = {**found, **fault(found, at)} if on_problem else found
        of_twin = {**of_twin, **fault(of_twin, exact)}
    return judge(
        *given(case, dtype),
        *({name: value for name, value in a.items() if value is not None} for a in (found, of_twin)),
        dtype, "numpy", "cpu", work=work,
    )  # fmt: skip


def changed(array: np.ndarray, index: tuple[int, ...], factor: float) -> np.ndarray:
    array = array.copy()
    array[index] *= factor
    return array


@pytest.mark.parametrize(("implementation", "framework"),
                         [("reference", "numpy"), ("torch-eager", "torch"), ("jax-jit", "jax")])  # fmt: skip
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", [SHALLOW, DEEP, LOGISTIC])
def test_every_implementation_is_let_through(case: str, dtype: str, implementation: str, framework: str) -> None:
    if reason := place(implementation).missing:
        pytest.skip(reason)
    at, exact = given(case, dtype)
    found, of_twin = (find(implementation).quantities(p, dtype, "cpu") for p in (at, exact))
    for work in ("step", "forward", "train"):
        verdict = judge(at, exact, found, of_twin, dtype, framework, "cpu", work=work)
        assert (verdict.verdict, verdict.fault) == (ROUNDING, "")
        assert verdict.share is not None
        assert 0 < verdict.share < 1


def first_non_zero(array: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(array)[0])


@pytest.mark.parametrize("case", [SHALLOW, DEEP, LOGISTIC])
@pytest.mark.parametrize(("dtype", "factor"), [("float64", 1 + 1e-10), ("float32", 1 + 2.0**-23)])
def test_a_small_fault_in_one_element_is_seen_on_the_exact_problem(case: str, dtype: str, factor: float) -> None:
    """A relative error of 1e-10; in float32 one of a unit in the last place."""
    name = "dw" if case == LOGISTIC else "dW1"
    value = computed(case, dtype)[1][name]
    at, by = first_non_zero(value), np.asarray(factor, value.dtype)
    verdict = judged(case, dtype, lambda found, _: {name: changed(found[name], at, by)}, on_problem=False)
    assert verdict.verdict == DIFFERS
    wrong, right = float(changed(value, at, by)[at]), float(value[at])
    assert verdict.fault == f"{name}[{at[0]}, {at[1]}] of the exact problem is {wrong!r}, must be {right!r}"
    assert verdict.share is not None


def without_the_last(found: Arrays, at: Problem) -> Arrays:
    """The mean is over all examples, the sum is not."""
    params, X, Y = at.inputs(found["J"].dtype.name)
    all_but_one = replace(at, X=X[:, :-1], Y=Y[:, :-1], params=params, exact=False)
    return {n: (v * (at.m - 1) / at.m).astype(v.dtype) for n, v in step(all_but_one, found["J"].dtype.name).items()}


def block_twice(found: Arrays, at: Problem) -> Arrays:
    """Examples 64 to 127 stand in for those behind them."""
    order = np.arange(at.m)
    order[128:192] = order[64:128]
    return step(replace(at, X=at.X[:, order], Y=at.Y[:, order]), found["J"].dtype.name)


FAULTS: dict[str, tuple[str, Fault, str]] = {
    "the last example left out": (SHALLOW, without_the_last, "J is"),
    "a block of examples twice": (SHALLOW, block_twice, "J is"),
    "dW2 transposed": (DEEP, lambda f, _: {"dW2": f["dW2"].T}, "dW2 has shape (20, 7), must have (7, 20)"),
    "a row of dW1 zero": (DEEP, lambda f, _: {"dW1": f["dW1"] * (np.arange(20) != 3)[:, None]}, "dW1[3, "),
    "J missing": (DEEP, lambda f, _: {"J": None}, "J is missing"),
    "db missing": (LOGISTIC, lambda f, _: {"db": None}, "db is missing"),
    "dw missing": (LOGISTIC, lambda f, _: {"dw": None}, "dw is missing"),
    "a wrong dtype": (DEEP, lambda f, _: {"dW3": f["dW3"].astype(np.float32)}, "dW3 has dtype float32, must have "),
    "a lost axis": (LOGISTIC, lambda f, _: {"dw": f["dw"][:, 0]}, "dw has shape (30,), must have (30, 1)"),
    "not a number": (LOGISTIC, lambda f, _: {"db": np.asarray(np.nan)}, "db is nan, must be"),
    "a name of something else": (LOGISTIC, lambda f, _: {"dW1": f["dw"].T}, "dW1: there is no such quantity"),
    "computed in float32": (
        DEEP,
        lambda f, _: {n: v.astype(np.float32).astype(np.float64) for n, v in f.items()},
        "J is",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("on_problem", [True, False])
def test_a_fault_is_named(what: str, on_problem: bool) -> None:
    case, fault, line = FAULTS[what]
    verdict = judged(case, fault=fault, on_problem=on_problem)
    assert verdict.verdict == DIFFERS
    assert "\n" not in verdict.fault
    if on_problem:
        assert verdict.fault.startswith(line)
    else:
        assert verdict.fault.startswith(line.split("[")[0].split()[0].rstrip(":"))
        assert " of the exact problem" in verdict.fault


def test_the_first_in_the_order_of_computation_is_named() -> None:
    def everywhere(found: Arrays, at: Problem) -> Arrays:
        return {name: value * 2 for name, value in found.items() if name != "J"}

    assert judged(DEEP, fault=everywhere).fault.startswith("dW3[")
    assert judged(LOGISTIC, fault=everywhere).fault.startswith("dw[")


def test_what_a_work_gives_must_be_there() -> None:
    assert judged(DEEP, work="forward").fault == "A3 is missing"
    assert judged(LOGISTIC, work="forward").fault == "A is missing"
    assert judged(DEEP, work="train").fault == "new_W1 is missing"
    assert judged(LOGISTIC, work="train").fault == "new_w is missing"


def test_the_first_of_the_costs_is_j() -> None:
    both = given(LOGISTIC, "float64")
    found = [find("reference").quantities(at, "float64", "cpu") for at in both]
    trained = [{n: v for n, v in f.items() if n.startswith("new_")} | {"costs": np.array([f["J"], 0.0])} for f in found]
    assert judge(*both, *trained, "float64", "numpy", "cpu", work="train").verdict == ROUNDING
    trained[0]["costs"] = trained[0]["costs"][::-1]
    assert judge(*both, *trained, "float64", "numpy", "cpu", work="train").fault.startswith("J is 0.0, must be ")


@pytest.mark.parametrize(("dtype", "device"), [("float64", "cuda"), ("float32", "mps"), ("bfloat16", "cpu")])
def test_without_a_bound_the_bits_decide(dtype: str, device: str) -> None:
    both = given(LOGISTIC, dtype)
    found, of_twin = (step(at, dtype) for at in both)
    assert judge(*both, found, of_twin, dtype, "torch", device) == Verdict(BITS)
    of_twin["db"] = (of_twin["db"] * 2).astype(FORMATS[dtype].dtype)
    verdict = judge(*both, found, of_twin, dtype, "torch", device)
    assert (verdict.verdict, verdict.share) == (DIFFERS, None)
    assert verdict.fault.startswith("db of the exact problem is ")


def test_there_is_no_training_to_judge_without_an_exact_update() -> None:
    both = given(LOGISTIC, "bfloat16")
    found = [step(at, "bfloat16") for at in both]
    with pytest.raises(NotExact, match="logistic-30-1-m569-exact has no exact update in bfloat16"):
        judge(*both, *found, "bfloat16", "numpy", "cpu", work="train")


@pytest.mark.slow
@pytest.mark.parametrize("case", LARGEST)
def test_the_largest_have_an_exact_problem_and_a_small_fault_is_not_let_through(case: str) -> None:
    """A relative error of 1e-10 in one element of the exact problem."""
    check(given(case, "float64")[1], CASES[case], "float64")
    name = "dw" if case.startswith("logistic") else "dW1"
    assert judged(case).verdict == ROUNDING
    at = first_non_zero(computed(case, "float64")[1][name])
    verdict = judged(case, fault=lambda found, _: {name: changed(found[name], at, 1 + 1e-10)}, on_problem=False)
    assert verdict.fault.startswith(f"{name}[{at[0]}, {at[1]}] of the exact problem is ")
