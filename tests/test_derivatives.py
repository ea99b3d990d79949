"""N6: the example functions, their slopes and the nudge, in the three packages."""

from __future__ import annotations

import importlib
from decimal import Decimal, localcontext
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from parity.elementary import ulps

DTYPES = ["float64", "float32", "float16", "bfloat16"]
NAMES = ["triple", "square", "cube", "log"]


class Package:
    """The module under test, and the arrays that it works on."""

    def __init__(self, name: str) -> None:
        framework = {"reference": "numpy", "torch_impl": "torch", "jax_impl": "jax.numpy"}[name]
        self.xp: ModuleType = pytest.importorskip(framework)
        self.module = importlib.import_module(f"{name}.derivatives")

    def array(self, values: Any, dtype: str = "float64") -> Any:
        if self.xp is not np:
            return self.xp.asarray(values, dtype=getattr(self.xp, dtype))
        array = np.array(values, dtype=numpy_dtype(dtype))
        array.setflags(write=False)
        return array


def numpy_dtype(dtype: str) -> Any:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype)


@pytest.fixture(params=["reference", "torch_impl", "jax_impl"])
def package(request: pytest.FixtureRequest) -> Package:
    return Package(request.param)


def positive_numbers(dtype: str) -> np.ndarray:
    """Sixty numbers between 1/4 and 16 that the dtype represents."""
    numbers = np.random.default_rng(6).uniform(0.25, 16, size=(5, 12))
    return numbers.astype(numpy_dtype(dtype)).astype(np.float64)


@pytest.mark.parametrize("a", [2.0, 5.0, -1.5, 0.0, 0.0078125])
def test_polynomials_are_exact(package: Package, a: float) -> None:
    f = {name: Fraction(package.module.FUNCTIONS[name](package.array(a)).tolist()) for name in NAMES[:3]}
    assert f == {"triple": 3 * Fraction(a), "square": Fraction(a) ** 2, "cube": Fraction(a) ** 3}


@pytest.mark.parametrize("a", [2.0, 5.0, 2.001, 5.001, 0.5, 1e6])
def test_log_is_the_natural_logarithm(package: Package, a: float) -> None:
    """Within K of the framework's logarithm, whose unit is 2u of the value (parity/elementary.py)."""
    K = ulps({"numpy": "numpy", "torch": "torch", "jax.numpy": "jax"}[package.xp.__name__], "float64")["log"]
    with localcontext() as context:
        context.prec = 50
        exact = Decimal(a).ln()
        bound = Decimal(K) * Decimal(float(np.finfo(np.float64).eps)) * abs(exact)
        assert abs(Decimal(package.module.log(package.array(a)).tolist()) - exact) <= bound
        assert abs(Decimal(float(np.float32(float(exact)))) - exact) > bound  # what is rounded to float32 is outside
    assert package.module.log(package.array(1.0)).tolist() == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_slope_has_the_bits_of_the_hand_derivation(package: Package, name: str, dtype: str) -> None:
    """Each slope is rounded once from exact or shared parts: 3, 2a, s + s + s = 3s with s = a·a rounded, and 1/a."""
    hand = Package("reference")
    numbers = positive_numbers(dtype)
    found = package.module.slope(name, package.array(numbers, dtype))
    expected = hand.module.slope(name, hand.array(numbers, dtype))
    assert found.tolist() == expected.tolist()


def test_slopes_of_the_hand_table() -> None:
    """Python's floats are IEEE 754 doubles: the same operations give the same bits."""
    hand = Package("reference").module
    for a in positive_numbers("float64").ravel().tolist():
        found = {name: hand.slope(name, np.array(a)).item() for name in NAMES}
        assert found == {"triple": 3, "square": 2 * a, "cube": 3 * (a * a), "log": 1 / a}


def slope_between(module: ModuleType, name: str, a: Any, a_nudged: Any) -> bool:
    """Whether the nudge lies between the slopes at both ends.

    By the mean value theorem it does, strictly where f' is monotone and not constant. For a² the distance to either
    end is da = 0.001, for the others it is more than 1e-5; rounding moves the nudge by about 1e-16 · f / da < 1e-10.
    """
    low, high = sorted((module.slope(name, a).tolist(), module.slope(name, a_nudged).tolist()))
    return low < module.nudge(name, a).tolist() < high


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize("a", [2.0, 5.0])
def test_nudge_agrees_with_the_slope(package: Package, name: str, a: float) -> None:
    assert slope_between(package.module, name, package.array(a), package.array(a + 0.001))


@pytest.mark.parametrize("wrong", [lambda a: 2 * a * a, lambda a: 3 * a, lambda a: a**3])
def test_a_wrong_slope_is_caught(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Package("reference").module
    monkeypatch.setitem(hand.SLOPES, "cube", wrong)
    assert not slope_between(hand, "cube", np.array(5.0), np.array(5.001))


@pytest.mark.parametrize("a", [2.0, 5.0])
def test_nudge_is_the_difference_quotient(package: Package, a: float) -> None:
    da, nudged = 0.001, a + 0.001
    expected = {
        "triple": (3 * nudged - 3 * a) / da,
        "square": (nudged * nudged - a * a) / da,
        "cube": (nudged * nudged * nudged - a * a * a) / da,
    }
    assert {name: package.module.nudge(name, package.array(a)).tolist() for name in expected} == expected


def test_nudge_by_a_power_of_two_is_exact(package: Package) -> None:
    """At a = 2 and da = 2^-10 every intermediate is a double: 3, 4 + da, 12 + 6 da + da²."""
    da = Fraction(1, 1024)
    found = {name: Fraction(package.module.nudge(name, package.array(2.0), float(da)).tolist()) for name in NAMES[:3]}
    assert found == {"triple": 3, "square": 4 + da, "cube": 12 + 6 * da + da**2}


def test_a_nudge_below_half_a_unit_is_lost(package: Package) -> None:
    assert package.module.nudge("square", package.array(2.0, "bfloat16")).tolist() == 0


@pytest.mark.parametrize(("shape", "dtype"), [((), "float64"), ((3,), "float64"), *(((5, 12), d) for d in DTYPES)])
def test_shape_and_dtype_are_kept(package: Package, shape: tuple[int, ...], dtype: str) -> None:
    a = package.array(np.full(shape, 2.0), dtype)
    for name in NAMES:
        for found in (package.module.FUNCTIONS[name](a), package.module.slope(name, a), package.module.nudge(name, a)):
            assert (tuple(found.shape), found.dtype) == (shape, a.dtype)


def test_every_function_has_its_name(package: Package) -> None:
    assert {name: f.__name__ for name, f in package.module.FUNCTIONS.items()} == {name: name for name in NAMES}
    assert list(Package("reference").module.SLOPES) == NAMES
