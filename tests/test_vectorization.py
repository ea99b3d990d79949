"""N10 and N12: dot product by loop and by call, broadcasting and rank-1 arrays, in the three packages."""

from __future__ import annotations

import importlib
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

DTYPES = ["float64", "float32", "float16", "bfloat16"]


class Package:
    """The module under test, and the arrays that it works on."""

    def __init__(self, name: str) -> None:
        framework = {"reference": "numpy", "torch_impl": "torch", "jax_impl": "jax.numpy"}[name]
        self.name = name
        self.xp: ModuleType = pytest.importorskip(framework)
        self.module = importlib.import_module(f"{name}.vectorization")

    def array(self, values: Any, dtype: str = "float64") -> Any:
        if self.xp is not np:
            return self.xp.asarray(values, dtype=getattr(self.xp, dtype))
        array = np.array(values, dtype=pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype)
        array.setflags(write=False)
        return array


@pytest.fixture(params=["reference", "torch_impl", "jax_impl"])
def package(request: pytest.FixtureRequest) -> Package:
    return Package(request.param)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dot_of_small_integers_is_exact(package: Package, dtype: str) -> None:
    """Every partial sum is an integer of at most 8 bits, in any order."""
    w, x = package.array([[3], [-2], [5], [7], [1]], dtype), package.array([[4], [6], [-3], [8], [9]], dtype)
    for found in (package.module.dot_loop(w, x), package.module.dot(w, x)):
        assert (float(found), tuple(found.shape), found.dtype) == (12 - 12 - 15 + 56 + 9, (), w.dtype)


def test_a_sum_that_overflows_eight_bits_shows() -> None:
    """The planted fault of the test above: 257 is not a bfloat16."""
    package = Package("reference")
    w, x = package.array([[1.0], [1.0]], "bfloat16"), package.array([[256.0], [1.0]], "bfloat16")
    assert float(package.module.dot_loop(w, x)) != 257


@pytest.mark.parametrize("n", [1, 2, 37])
def test_loop_and_call_are_the_dot_product(package: Package, n: int) -> None:
    """|error| ≤ γ_n |w|ᵀ|x| with γ_n = n u / (1 − n u), u = 2^-53, in any order of summation, with or without FMA
    (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1)."""
    rng = np.random.default_rng(10)
    w, x = rng.standard_normal((n, 1)), rng.standard_normal((n, 1))
    products = [Fraction(w_i) * Fraction(x_i) for w_i, x_i in zip(w.ravel().tolist(), x.ravel().tolist(), strict=True)]
    u = Fraction(1, 2**53)
    bound = n * u / (1 - n * u) * sum(map(abs, products))
    for f in (package.module.dot_loop, package.module.dot):
        found = Fraction(float(f(package.array(w), package.array(x))))
        assert abs(found - sum(products)) <= bound
        assert abs(found * (1 + Fraction(1, 2**40)) - sum(products)) > bound  # a relative error of 1e-12 would show


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_column_is_added_to_every_column(package: Package, dtype: str) -> None:
    M, b = np.arange(12).reshape(3, 4), [[10], [20], [30]]
    found = package.module.add_to_every_column(package.array(M, dtype), package.array(b, dtype))
    assert found.tolist() == [[M[i, j] + b[i][0] for j in range(4)] for i in range(3)]


def test_a_rank_1_array_is_its_own_transpose(package: Package) -> None:
    v = package.array([1.0, 2.0, 3.0])
    assert package.module.transpose(v).tolist() == v.tolist() == [1.0, 2.0, 3.0]


def test_a_column_is_not(package: Package) -> None:
    v = package.module.column(package.array([1.0, 2.0, 3.0]))
    assert v.tolist() == [[1.0], [2.0], [3.0]]
    assert package.module.transpose(v).tolist() == [[1.0, 2.0, 3.0]]
    assert package.module.transpose(package.module.transpose(v)).tolist() == v.tolist()


def test_subtracting_rank_1_labels(package: Package) -> None:
    if package.name == "jax_impl":
        import jax

        with jax.numpy_rank_promotion("allow"):
            check_subtraction(package)
    else:
        check_subtraction(package)


def check_subtraction(package: Package) -> None:
    subtract, Y = package.module.subtract, package.array([1.0, 0.0, 1.0])
    A_row, A_column = package.array([[8.0, 9.0, 10.0]]), package.array([[8.0], [9.0], [10.0]])
    assert subtract(A_row, Y).tolist() == [[7.0, 9.0, 9.0]]
    assert subtract(A_column, Y).tolist() == [[7.0, 8.0, 7.0], [8.0, 9.0, 8.0], [9.0, 10.0, 9.0]]
    assert subtract(A_column, package.module.column(Y)).tolist() == [[7.0], [9.0], [9.0]]


def test_jax_can_refuse_rank_1_labels() -> None:
    """What the docstring of `subtract` says of JAX."""
    package, jax = Package("jax_impl"), pytest.importorskip("jax")
    with jax.numpy_rank_promotion("raise"), pytest.raises(ValueError, match="rank"):
        package.module.subtract(package.array([[8.0, 9.0, 10.0]]), package.array([1.0, 0.0, 1.0]))


def test_torch_losses_refuse_rank_1_labels() -> None:
    """What the docstring of `subtract` says of torch."""
    package, torch = Package("torch_impl"), pytest.importorskip("torch")
    for shape in ((1, 3), (3, 1)):
        with pytest.raises(ValueError, match="size"):
            torch.nn.functional.binary_cross_entropy_with_logits(torch.ones(shape), package.array([1.0, 0.0, 1.0]))


def test_check_dimensions_refuses_rank_1_labels(package: Package) -> None:
    """What the module says of the models: the reason stands in the message."""
    X, Y = package.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), package.array([1.0, 0.0, 1.0])
    w, b = package.array([[1.0], [1.0]]), package.array(0.0)
    logistic, deep = (
        importlib.import_module(f"{package.name}.{name}") for name in ("logistic_regression", "deep_network")
    )
    with pytest.raises(ValueError, match=r"Y has shape \(3,\).*rank-1"):
        logistic.check_dimensions({"w": w, "b": b}, X, Y)
    with pytest.raises(ValueError, match=r"Y has shape \(3,\).*rank-1"):
        deep.check_dimensions({"W1": w.T, "b1": b.reshape(1, 1)}, X, Y)
    logistic.check_dimensions({"w": w, "b": b}, X, Y.reshape(1, 3))
