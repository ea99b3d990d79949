"""The matrix: what runs, what is passed over and why, and what becomes of an implementation that fails."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from parity import run
from parity.compare import DIFFERS, Comparison, Standard
from parity.implementations import Implementation, Quantities, find
from parity.names import available_names
from parity.problems import MODELS, Problem, catalogue
from parity.run import SLOW, Plan, matrix


class Planted(Implementation):
    """The reference with a fault in one quantity."""

    name, framework = "planted", "numpy"
    change: ClassVar[dict[str, object]] = {}

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        found = find("reference").quantities(problem, dtype, device)
        return {q: self.change[q](v, problem) if q in self.change else v for q, v in found.items()}  # type: ignore[operator]


def planted(monkeypatch: pytest.MonkeyPatch, **change: object) -> None:
    """Make `planted` known, with these changes."""
    monkeypatch.setattr(Planted, "change", change)
    monkeypatch.setattr(run, "find", lambda name: Planted() if name == "planted" else find(name))


def first_difference(problem: str, dtype: str = "float64") -> Comparison | None:
    """Of the planted implementation on one problem."""
    plan = Plan((catalogue.build(problem),), ("planted",), (dtype,))
    (cell,) = matrix(plan, processes=False)
    return cell.first_difference


@pytest.mark.parametrize(
    ("change", "looks_like"),
    [
        (lambda v, p: v * p.m, "a factor m"),
        (lambda v, p: v / p.m, "a factor 1/m"),
        (lambda v, p: -v, "a sign"),
        (lambda v, p: v * 2, "a factor 2"),
        (lambda v, p: v / 2, "a factor 1/2"),
        (lambda v, p: v * (p.m / p.X.shape[0]), "a factor m/n_x"),
        (lambda v, p: v * 0, "zero"),
        (lambda v, p: v.astype(np.float32).astype(np.float64), "float32 inside float64"),
        (lambda v, p: v * np.nan, "not finite"),
        (lambda v, p: v + np.eye(*v.shape), "unknown"),
        (
            lambda v, p: np.where(np.arange(v.size).reshape(v.shape) == 7, v * 1.5, v),
            "one element alone, off by +5.0e-01 of itself",
        ),
        (lambda v, p: v * np.where(np.arange(16) == 3, 1.5, 1)[:, None], "row 3 alone"),
        (lambda v, p: v.astype(np.float32), "dtype float32, not float64"),
        (lambda v, p: v.T, "shape (30, 16), not (16, 30)"),
    ],
)
def test_a_planted_fault_is_named(monkeypatch: pytest.MonkeyPatch, change: object, looks_like: str) -> None:
    planted(monkeypatch, dW1=change)
    first = first_difference("breast_cancer_shallow")
    assert first is not None
    assert (first.quantity, first.looks_like) == ("dW1", looks_like)


def test_a_transpose_in_a_square_shape_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, dW2=lambda v, p: v.T.copy())
    first = first_difference("equal_sizes")
    assert first is not None
    assert (first.quantity, first.looks_like) == ("dW2", "a transpose")


def test_the_first_difference_is_first_in_the_order_of_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, dW1=lambda v, p: v * 2, Z2=lambda v, p: v * 2)
    first = first_difference("breast_cancer_shallow")
    assert first is not None
    assert first.quantity == "Z2"


def test_the_sign_of_a_zero_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, dW1=lambda v, p: np.where(v == 0, -v, v))
    assert first_difference("dead_relu") is None


def test_what_an_implementation_raises_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, dW1=lambda v, p: 1 // 0)
    first = first_difference("flower")
    assert first is not None
    assert first.looks_like.startswith("ZeroDivisionError: ")


def test_a_quantity_that_does_not_exist_differs() -> None:
    standard = Standard.of(catalogue.build("flower"), "float64")
    (comparison,) = standard.compare({"dW9": np.zeros(1)})
    assert (comparison.verdict, comparison.looks_like) == (DIFFERS, "flower has no dW9")


def test_a_resemblance_is_none_without_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two elements in two rows and columns, each off by its own factor."""
    planted(monkeypatch, dW1=lambda v, p: v * np.array([[1.25, 1], [1, 1], [1, 1], [1, 0.5]]))
    first = first_difference("flower")
    assert first is not None
    assert (first.quantity, first.looks_like) == ("dW1", "unknown")


def test_processes_give_the_same_cells_as_none() -> None:
    plan = Plan(
        (catalogue.build("four_layers"), catalogue.build("xor_deep")), ("reference", "sklearn-mlp"), ("float64",)
    )
    assert [repr(c) for c in matrix(plan)] == [repr(c) for c in matrix(plan, processes=False)]


def test_a_process_that_dies_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "compute", _die)
    plan = Plan((catalogue.build("flower"),), ("reference",), ("float64",))
    (cell,) = matrix(plan)
    assert cell.first_difference is not None
    assert cell.first_difference.looks_like == "its process died"


def _die(*_: object) -> None:
    os._exit(3)


def test_slow_variants_run_once_a_model_and_dtype_and_everywhere_on_request() -> None:
    problems = tuple(catalogue.build(name) for name in catalogue.NAMES)
    few = [t for t in Plan(problems, ("jax-eager",), ("float64", "float16")).tasks() if t[4] is None]
    kinds = [(problem.model, dtype) for problem, dtype, *_ in few]
    assert len(set(kinds)) == len(kinds)
    assert {model for model, _ in kinds} == set(MODELS)
    plan = Plan(problems, ("jax-eager",), ("float64", "float16"), everything=True)
    assert all(reason is None for *_, reason in plan.tasks())
    assert any(reason == SLOW for *_, reason in Plan(problems, ("jax-eager",), ("float64",)).tasks())


def test_an_unknown_device_and_a_missing_framework_are_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = catalogue.build("flower")
    (cell,) = matrix(Plan((problem,), ("reference",), ("float64",), ("cuda",)), processes=False)
    assert cell.skipped == "reference knows no device cuda"
    monkeypatch.setattr(type(find("torch-eager")), "framework", "no_such_module")
    (cell,) = matrix(Plan((problem,), ("torch-eager",), ("float64",)), processes=False)
    assert cell.skipped.startswith("no_such_module is not installed")
    assert not cell.comparisons


def test_where_no_K_is_known_exact_problems_are_compared_and_others_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device on which nothing has been measured: no bound, but bits are bits."""
    planted(monkeypatch)
    monkeypatch.setattr(Planted, "devices", lambda self: {"cuda": None})
    problems = (catalogue.build("flower"), catalogue.build("shallow_wide"))
    real, exact = matrix(Plan(problems, ("planted",), ("float64",), ("cuda",)), processes=False)
    assert real.skipped.startswith("no bound: ")
    assert "float64 on cuda has not been measured" in real.skipped
    assert exact.comparisons
    assert exact.first_difference is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dW1": lambda v, p: np.ma.masked_less(v, 0)}, "TypeError: quantities returned dW1 with masked elements"),
        ({"dW1": lambda v, p: v.tolist()}, "TypeError: quantities returned a list as dW1, not a NumPy array"),
    ],
)
def test_what_is_no_array_is_a_difference(monkeypatch: pytest.MonkeyPatch, change: dict, said: str) -> None:
    planted(monkeypatch, **change)
    first = first_difference("flower")
    assert first is not None
    assert first.looks_like == said


def test_a_matrix_is_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, dW1=lambda v, p: v.view(np.matrix), dZ1=lambda v, p: v.view(np.matrix))
    assert first_difference("flower") is None


def test_a_name_that_is_no_string_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Planted, "quantities", lambda self, problem, dtype, device: {1: np.zeros(1)})
    monkeypatch.setattr(run, "find", lambda name: Planted())
    first = first_difference("flower")
    assert first is not None
    assert first.looks_like == "TypeError: quantities returned 1 as a name, not a string"


def test_a_judge_that_raises_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch)
    monkeypatch.setattr(Planted, "judge", lambda self, standard, found: 1 // 0)
    first = first_difference("flower")
    assert first is not None
    assert first.looks_like.startswith("ZeroDivisionError: ")


def test_training_that_rounds_is_skipped_with_the_reason() -> None:
    problem = replace(catalogue.build("house_prices"), iterations=3)
    (cell,) = matrix(Plan((problem,), ("reference",), ("float64",)), processes=False)
    assert cell.skipped == "no bound: over 3 steps of training a worst case says nothing"


def test_what_cannot_be_decided_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 12,288 bits, not once more for every implementation."""
    calls = []
    of = Standard.of
    monkeypatch.setattr(Standard, "of", classmethod(lambda cls, *given: (calls.append(given), of(*given))[1]))
    plan = Plan((tie(),), ("reference", "reference-loop"), ("float64",))
    assert [cell.skipped[:14] for cell in matrix(plan, processes=False)] == ["no exact value"] * 2
    assert len(calls) == 1


def tie() -> Problem:
    """ReLU of tanh(1) − tanh(1): zero, but no ball shows it."""
    params = {
        "W1": np.array([[1.0], [1.0]]),
        "b1": np.zeros((2, 1)),
        "W2": np.array([[1.0, -1.0]]),
        "b2": np.zeros((1, 1)),
        "W3": np.ones((1, 1)),
        "b3": np.zeros((1, 1)),
    }
    X, Y = np.ones((1, 2)), np.array([[0, 1]])
    return Problem("tie", "deep_network", "edge", X, Y, params, ("tanh", "relu", "sigmoid"))


def test_a_problem_without_an_exact_value_is_skipped_with_the_reason() -> None:
    plan = Plan((tie(), catalogue.build("flower")), ("reference",), ("float64",))
    undecided, decided = matrix(plan, processes=False)
    assert undecided.skipped.startswith("no exact value")
    assert decided.comparisons


def test_problems_travel_between_processes() -> None:
    for name in catalogue.NAMES:
        problem = catalogue.build(name)
        copy = pickle.loads(pickle.dumps(problem))
        assert copy.fingerprint == problem.fingerprint
        assert not copy.X.flags.writeable


def test_no_implementation_changes_global_switches() -> None:
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    problem = catalogue.build("flower")
    torch.set_float32_matmul_precision("high")
    jax.config.update("jax_enable_x64", False)
    try:
        for name in ("torch-eager", "torch-vmap", "jax-jit"):
            found = find(name).quantities(problem, "float64", "cpu")
            assert all(value.dtype == np.float64 for value in found.values())
        assert torch.get_float32_matmul_precision() == "high"
        assert not jax.config.jax_enable_x64
        assert jax.config.jax_default_matmul_precision is None
        assert torch.get_default_dtype() == torch.float32
    finally:
        torch.set_float32_matmul_precision("highest")
        jax.config.update("jax_enable_x64", True)


@pytest.mark.parametrize("name", available_names())
def test_inputs_are_read_only_and_stay_as_they_are(name: str) -> None:
    """Arrays that cannot be written to go in; the fingerprint afterwards is that from before."""
    implementation = find(name)
    problem = next(p for p in map(catalogue.build, catalogue.NAMES) if not implementation.refuses(p, "float64", "cpu"))
    if implementation.unavailable() or implementation.slow:
        pytest.skip("not here, or covered by its faster variants")
    before = problem.fingerprint
    implementation.quantities(problem, "float64", "cpu")
    assert problem.fingerprint == before


def test_without_a_compiler_torch_compile_is_skipped_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("CXX", "/no/such/compiler")
    plan = Plan((catalogue.build("flower"),), ("torch-compile",), ("float64",))
    (cell,) = matrix(plan, processes=False)
    assert cell.skipped == "torch.compile needs a C++ compiler, and /no/such/compiler is not here"


@pytest.mark.parametrize("method", ["quantities", "unavailable", "devices", "judge"])
def test_who_ends_the_program_is_a_finding(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not the end of it, with a status of somebody else's."""

    def leave(*_: object) -> None:
        raise SystemExit(0)

    planted(monkeypatch)
    monkeypatch.setattr(Planted, method, leave)
    (cell,) = matrix(Plan((catalogue.build("flower"),), ("planted",), ("float64",)), processes=False)
    said = cell.first_difference.looks_like if cell.first_difference else cell.skipped
    assert said == "SystemExit: 0"
