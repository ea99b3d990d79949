"""The exact values of large problems against the oracle's on small ones, and against what may not be left out."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from parity import local
from parity.bench import exact as of_bench
from parity.bench.exact import BITS, BLOCK, exact, product
from parity.formats import FORMATS
from parity.oracle import Exact, Undecided
from parity.problems import FLOATS, Problem, catalogue
from tests.shared import standard
from tests.test_local import WIDE, exactly, gamma

REAL = ("wine_logistic", "wine_shallow", "wine_deep", "wine_cultivars", "breast_cancer_deep")


def furthest(found: dict[str, Exact], true: dict[str, Exact], dtype: str) -> float:
    """The largest distance from the oracle's values as a share of the radii of both."""
    shares = []
    for quantity, value in found.items():
        fmt, other = FORMATS[dtype], true[quantity]
        distance = np.abs((value.high - other.high) + (value.low - other.low))
        radius = value.certified(fmt) + other.certified(fmt)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares.append(np.max(np.where(distance == 0, 0, distance / radius)))
    return float(max(shares))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", REAL)
def test_agrees_with_the_oracle(name: str, dtype: str) -> None:
    true = standard(name, dtype).exact
    found = exact(catalogue.build(name), dtype)
    assert list(found) == list(true)
    assert furthest(found, true, dtype) <= 1


@pytest.mark.parametrize("name", ["wine_logistic", "wine_deep"])
def test_a_slice_that_is_dropped_is_outside(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = of_bench._cut

    def without_the_last(M: np.ndarray, axis: int) -> tuple[list[np.ndarray], np.ndarray]:
        slices, scale = cut(M, axis)
        return [*slices[:2], np.zeros_like(slices[2])], scale

    monkeypatch.setattr(of_bench, "_cut", without_the_last)
    assert furthest(exact(catalogue.build(name), "float64"), standard(name, "float64").exact, "float64") > 1


@pytest.mark.parametrize("name", REAL)
def test_the_radius_is_a_small_part_of_the_bound(name: str) -> None:
    """By as much as longdouble is wider than float64, but for a larger K'."""
    judge, found = standard(name, "float64"), exact(catalogue.build(name), "float64")
    share = 2.0 ** (53 - WIDE.nmant) * of_bench.ULPS["loss"]
    for quantity, bound in judge.bounds.items():
        assert np.sum(found[quantity].certified(judge.fmt)) <= share * np.sum(bound), quantity


@pytest.mark.parametrize("k", [1, 3, BLOCK, BLOCK + 1])
def test_a_product_is_within_what_is_stated(k: int) -> None:
    """Of numbers of very different size, of all the bits of longdouble."""
    rng = np.random.RandomState(k)
    X, Y = (
        np.ldexp(rng.standard_normal(shape).astype(np.longdouble), rng.randint(-30, 30, shape))
        + rng.standard_normal(shape) * np.finfo(np.longdouble).eps
        for shape in ((2, k), (k, 3))
    )
    found = product(X, Y)
    with mpmath.workdps(80):
        for i, j in np.ndindex(found.shape):
            terms = [exactly(x) * exactly(y) for x, y in zip(X[i], Y[:, j], strict=True)]
            scales = mpf(float(np.abs(X[i]).max())) * mpf(float(np.abs(Y[:, j]).max()))
            allowed = 8 * mpf(2) ** (-3 * BITS) * k * scales + gamma(k + 1) * mp.fsum(map(abs, terms))
            assert abs(exactly(found[i, j]) - mp.fsum(terms)) <= allowed


def test_slices_are_integers_whose_products_fit() -> None:
    rng = np.random.RandomState(0)
    slices, scale = of_bench._cut(rng.standard_normal((3, BLOCK)).astype(np.longdouble) / 3, axis=1)
    assert 2 * BITS + (BLOCK - 1).bit_length() == FORMATS["float64"].p
    for t, part in enumerate(slices, start=1):
        whole = np.ldexp(part, t * BITS)
        assert np.array_equal(whole, np.rint(whole))
        assert np.max(np.abs(whole)) <= 2 ** (BITS if t == 1 else BITS - 1)
    assert np.all(scale > 0)


def test_the_functions_of_the_c_library_are_as_accurate_as_assumed() -> None:
    """e^−z and log(1 + e), of which the others are made, at 60 digits."""
    points = np.concatenate([np.linspace(-40, 40, 401), np.ldexp(1.0, np.arange(-60, 6))])
    small = np.exp(-np.abs(points))
    with mpmath.workdps(60):
        for kind in (np.longdouble, np.float64):
            unit = mpf(2) ** -np.finfo(kind).nmant
            for g, true, at in ((np.exp, mp.exp, points), (np.log1p, mp.log1p, small), (np.tanh, mp.tanh, points)):
                for z, value in zip(at.tolist(), g(at.astype(kind)), strict=True):
                    assert abs(exactly(np.longdouble(value)) - true(mpf(z))) <= local.WIDE_ULPS * unit * abs(
                        true(mpf(z))
                    )


def test_a_kink_that_is_not_told_from_is_reported() -> None:
    X = np.array([[1.0, 2.0, -1.0]])
    params = {"W1": np.array([[0.1]]), "b1": np.array([[-0.1]]), "W2": np.array([[1.0]]), "b2": np.array([[0.5]])}
    tie = Problem("tie", "shallow_network", "edge", X, np.array([[0, 1, 0]]), params, ("relu", "sigmoid"))
    with pytest.raises(Undecided, match="Z1 has an element that is not told from 0, where relu has a kink"):
        exact(tie, "float64")
    assert exact(replace(tie, params=params | {"b1": np.array([[-0.3]])}), "float64")
