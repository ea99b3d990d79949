"""N7: J = 3(a + bc), forward and backward, in the three packages."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest

DTYPES = ["float64", "float32", "float16", "bfloat16"]
NAMES = ["u", "v", "J", "dv", "du", "da", "db", "dc"]
SLIDE = (5.0, 3.0, 2.0)
POINTS = [SLIDE, (-1.5, 0.25, 8.0), (0.0, 0.0, 4.0), (7.0, -3.0, 0.5)]


class Package:
    """The module under test, and the arrays that it works on."""

    def __init__(self, name: str) -> None:
        framework = {"reference": "numpy", "torch_impl": "torch", "jax_impl": "jax.numpy"}[name]
        self.xp: ModuleType = pytest.importorskip(framework)
        self.module = importlib.import_module(f"{name}.computation_graph")

    def arrays(self, point: tuple[float, ...], dtype: str = "float64") -> list[Any]:
        if self.xp is not np:
            return [self.xp.asarray(x, dtype=getattr(self.xp, dtype)) for x in point]
        numpy_dtype = pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype
        arrays = [np.array(x, dtype=numpy_dtype) for x in point]
        for array in arrays:
            array.setflags(write=False)
        return arrays


@pytest.fixture(params=["reference", "torch_impl", "jax_impl"])
def package(request: pytest.FixtureRequest) -> Package:
    return Package(request.param)


def floats(found: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in found.items()}


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_slide(package: Package, dtype: str) -> None:
    found = package.module.quantities(*package.arrays(SLIDE, dtype))
    assert list(found) == NAMES
    assert floats(found) == {"u": 6, "v": 11, "J": 33, "dv": 3, "du": 3, "da": 3, "db": 6, "dc": 9}


@pytest.mark.parametrize("point", POINTS)
def test_forward(package: Package, point: tuple[float, ...]) -> None:
    a, b, c = point
    J, cache = package.module.forward(*package.arrays(point))
    assert list(cache) == ["u", "v"]
    assert floats(cache | {"J": J}) == {"u": b * c, "v": a + b * c, "J": 3 * (a + b * c)}


def wrong_derivatives(package: Package, point: tuple[float, ...]) -> list[str]:
    """The names among da, db, dc that differ from the central difference of J with a step of 1.

    J is linear in each of a, b and c, and the points are small dyadic numbers: the difference is the exact derivative.
    """
    found = floats(package.module.gradients(*package.arrays(point)))
    wrong = []
    for i, name in enumerate(["da", "db", "dc"]):
        J_right, J_left = (
            float(package.module.forward(*package.arrays((*point[:i], point[i] + step, *point[i + 1 :])))[0])
            for step in (1.0, -1.0)
        )
        if found[name] != (J_right - J_left) / 2:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("point", POINTS)
def test_gradients_are_finite_differences(package: Package, point: tuple[float, ...]) -> None:
    assert wrong_derivatives(package, point) == []


def test_swapped_derivatives_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    package = Package("reference")
    right = package.module.backward

    def swapped(*arguments: Any) -> dict[str, Any]:
        grads = right(*arguments)
        return grads | {"db": grads["dc"], "dc": grads["db"]}

    monkeypatch.setattr(package.module, "backward", swapped)
    assert wrong_derivatives(package, SLIDE) == ["db", "dc"]


@pytest.mark.parametrize("point", POINTS)
def test_gradients_are_the_last_quantities(package: Package, point: tuple[float, ...]) -> None:
    a, b, c = package.arrays(point)
    grads, found = package.module.gradients(a, b, c), package.module.quantities(a, b, c)
    assert list(grads) == ["da", "db", "dc"]
    assert floats(grads) == {name: float(found[name]) for name in grads}
    assert floats(found)["dv"] == floats(found)["du"] == 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_scalars_keep_their_dtype(package: Package, dtype: str) -> None:
    a, b, c = package.arrays(SLIDE, dtype)
    for value in package.module.quantities(a, b, c).values():
        assert (tuple(value.shape), value.dtype) == ((), a.dtype)
