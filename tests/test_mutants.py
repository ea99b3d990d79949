"""Faults planted in the source, one at a time: `parity` catches every one, and `parity trace` says where it begins."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from types import ModuleType

import pytest

from parity.compare import Comparison, Standard
from parity.implementations import find
from parity.names import BUILT_IN
from parity.problems import MODELS, Problem, catalogue
from parity.run import Plan, matrix
from parity.trace import trace
from tests.mutants import MUTANTS
from tests.mutants.planting import Mutant, planted
from tests.shared import place, standard, work_out

PACKAGES = ("reference", "torch_impl", "jax_impl", "sklearn_baseline")
ENOUGH = 60
"""How many faults the catalogue holds at least."""

each = pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{m.implementation}: {m.name}" for m in MUTANTS])


@cache
def worked_out(problem: Problem, dtype: str, framework: str = "", device: str = "cpu") -> Standard:
    """The standard; of a problem of the catalogue with the exact values that other modules have asked for."""
    if problem.name in catalogue.NAMES and catalogue.build(problem.name) is problem:
        return standard(problem.name, dtype).seen_by(framework, device)
    return work_out(problem, dtype, framework, device)


@pytest.fixture(autouse=True)
def _standards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every standard is worked out once, not once a fault."""
    monkeypatch.setattr(Standard, "of", staticmethod(worked_out))


def needs(implementation: str) -> None:
    """Skip where the implementation cannot run."""
    if place(implementation).missing:
        pytest.skip(str(place(implementation).missing))


@contextmanager
def fault(mutant: Mutant) -> Iterator[ModuleType]:
    """The mutant in place; a fault may warn as it likes."""
    with planted(mutant) as module, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield module


def first_difference(problem: str, implementation: str, dtype: str) -> Comparison | None:
    """The first quantity that `parity trace` finds different."""
    return trace(catalogue.build(problem), implementation, dtype, "cpu").first_difference


without_fault = cache(first_difference)


@cache
def problems_of(model: str) -> tuple[Problem, ...]:
    """The model's part of the catalogue."""
    return tuple(p for p in map(catalogue.build, catalogue.NAMES) if p.model == model)


def plan(mutant: Mutant) -> Plan:
    """The catalogue with the mutant's own problem first, to be quick; a slow variant gets what it gets by default."""
    own = catalogue.build(mutant.problem)
    problems = problems_of(own.model)
    if not find(mutant.implementation).slow:
        problems = (own, *(p for p in problems if p is not own))
    return Plan(problems, (mutant.implementation,), (mutant.dtype,))


@each
def test_the_fault_is_caught_and_named(mutant: Mutant) -> None:
    """`parity trace` names the quantity whose formula was changed, `parity` finds a difference; without it, neither."""
    needs(mutant.implementation)
    assert without_fault(mutant.problem, mutant.implementation, mutant.dtype) is None
    with fault(mutant):
        first = first_difference(mutant.problem, mutant.implementation, mutant.dtype)
        caught = any(cell.first_difference for cell in matrix(plan(mutant), processes=False))
    assert first is not None
    assert first.quantity == mutant.first
    assert not mutant.looks_like or mutant.looks_like in first.looks_like.split(" or ")
    assert caught


# The catalogue -------------------------------------------------------------------------------------------------------


def test_the_catalogue_is_large_enough_and_no_name_comes_twice() -> None:
    assert len(MUTANTS) >= ENOUGH
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_every_changed_source_is_python() -> None:
    """Also where the framework is missing."""
    for mutant in MUTANTS:
        compile(mutant.source, mutant.path, "exec")


def test_every_package_model_and_implementation_has_a_fault() -> None:
    assert {mutant.package for mutant in MUTANTS} == set(PACKAGES)
    assert {catalogue.build(mutant.problem).model for mutant in MUTANTS} == set(MODELS)
    assert {mutant.implementation for mutant in MUTANTS} == set(BUILT_IN)


def test_every_framework_has_a_fault_in_every_model_that_it_computes() -> None:
    planted_in = {(m.package, catalogue.build(m.problem).model) for m in MUTANTS}
    expected = {(package, model) for package in PACKAGES[:3] for model in MODELS}
    networks = {("sklearn_baseline", model) for model in ("logistic_regression", "shallow_network", "deep_network")}
    assert planted_in == expected | networks


# The planting --------------------------------------------------------------------------------------------------------


def a_mutant(**changes: object) -> Mutant:
    """One that needs NumPy only."""
    mutant = next(m for m in MUTANTS if m.name == "dW1 without 1/m")
    return replace(mutant, **changes)  # type: ignore[arg-type]


def test_the_very_same_modules_are_back() -> None:
    import reference.shallow_network
    from reference.activations import sigmoid

    package, module, finders = reference, reference.shallow_network, list(sys.meta_path)
    with planted(a_mutant()) as changed:
        assert changed is importlib.import_module("reference.shallow_network")
        assert changed is not module
        assert changed.__file__ == module.__file__
        assert importlib.import_module("reference") is not package
        assert importlib.import_module("reference.activations").sigmoid is not sigmoid
    assert importlib.import_module("reference") is package
    assert importlib.import_module("reference.shallow_network") is module
    assert package.shallow_network is module
    assert importlib.import_module("reference.activations").sigmoid is sigmoid
    assert sys.meta_path == finders


def test_they_are_back_after_an_exception() -> None:
    module = importlib.import_module("reference.shallow_network")
    with pytest.raises(ZeroDivisionError), planted(a_mutant()):
        raise ZeroDivisionError
    assert importlib.import_module("reference.shallow_network") is module


def test_they_are_back_where_the_changed_source_cannot_be_imported() -> None:
    module = importlib.import_module("reference.shallow_network")
    with (
        pytest.raises(ModuleNotFoundError, match="no_such_module"),
        planted(a_mutant(helper="\nimport no_such_module\n")),
    ):
        pass
    assert importlib.import_module("reference.shallow_network") is module


def test_a_package_that_was_not_imported_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "reference"]:
        monkeypatch.delitem(sys.modules, name)
    with planted(a_mutant()):
        assert "reference.shallow_network" in sys.modules
    assert not [name for name in sys.modules if name.partition(".")[0] == "reference"]


def test_modules_that_import_the_changed_one_have_the_fault() -> None:
    """deep_network takes its table of derivatives from activations."""
    mutant = next(m for m in MUTANTS if m.name == "relu'(0) = 1")
    right = importlib.import_module("reference.deep_network").DERIVATIVES["relu"]
    with planted(mutant) as activations:
        wrong = importlib.import_module("reference.deep_network").DERIVATIVES["relu"]
        assert wrong is activations.relu_derivative
        assert wrong is not right


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"old": "no such formula"}, "holds 0 times, not 1: no such formula"),
        ({"old": "np.sum("}, "holds 2 times, not 1: "),
        ({"old": "np.sum(", "new": "np.mean(", "count": 3}, "holds 2 times, not 3: "),
        ({"new": "dW1 = np.dot(dZ1, X.T) / m"}, "nothing is replaced"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(changes: dict[str, object], why: str) -> None:
    module, finders = importlib.import_module("reference.shallow_network"), list(sys.meta_path)
    with pytest.raises(ValueError, match=why), planted(a_mutant(**changes)):
        pass
    assert importlib.import_module("reference.shallow_network") is module
    assert sys.meta_path == finders


def test_a_text_may_stand_as_often_as_stated() -> None:
    assert a_mutant(old="np.sum(", new="np.mean(", count=2).source.count("np.mean(") == 2


@pytest.mark.parametrize("implementation", ["reference", "torch-eager", "torch-vmap", "jax-jit", "sklearn-loss"])
def test_nothing_that_was_compiled_before_is_used_again(implementation: str) -> None:
    """With the fault, without it, and with it again."""
    needs(implementation)
    mutant = next(m for m in MUTANTS if m.implementation == implementation and m.dtype == "float64")
    found = []
    for _ in range(2):
        with fault(mutant):
            found.append(first_difference(mutant.problem, implementation, mutant.dtype))
        assert first_difference(mutant.problem, implementation, mutant.dtype) is None
    assert [first.quantity for first in found if first] == [mutant.first] * 2
