"""N19: zero and random initialisation, and what becomes of them, in the three packages."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest

SLIDE_LAYERS = (3, 5, 5, 3, 1)


class Package:
    """The modules under test, and the arrays that they work on."""

    def __init__(self, name: str) -> None:
        framework = {"reference": "numpy", "torch_impl": "torch", "jax_impl": "jax.numpy"}[name]
        self.xp: ModuleType = pytest.importorskip(framework)
        self.module, self.shallow_network, self.activations = (
            importlib.import_module(f"{name}.{file}") for file in ("initialization", "shallow_network", "activations")
        )

    def array(self, values: Any) -> Any:
        return self.xp.asarray(values, dtype=self.xp.float64)


@pytest.fixture(params=["reference", "torch_impl", "jax_impl"])
def package(request: pytest.FixtureRequest) -> Package:
    return Package(request.param)


def lists(params: dict[str, Any]) -> dict[str, list[list[float]]]:
    return {name: array.tolist() for name, array in params.items()}


def test_zeros(package: Package) -> None:
    params = package.module.zeros(SLIDE_LAYERS)
    assert list(params) == ["W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4"]
    shapes = {name: tuple(array.shape) for name, array in params.items() if name[0] == "W"}
    assert shapes == {"W1": (5, 3), "W2": (5, 5), "W3": (3, 5), "W4": (1, 3)}
    for array in params.values():
        assert str(array.dtype).removeprefix("torch.") == "float64"
        assert not array.any()


@pytest.mark.parametrize("seeded", [np.random.default_rng, np.random.RandomState])
@pytest.mark.parametrize("scale", [0.01, 1.0, 3.0])
def test_all_packages_hold_the_numbers_that_numpy_drew(package: Package, seeded: Any, scale: float) -> None:
    params = package.module.random(SLIDE_LAYERS, seeded(19), scale)
    rng = seeded(19)
    for l in range(1, 5):
        n_prev, n = SLIDE_LAYERS[l - 1 : l + 1]
        assert params[f"W{l}"].tolist() == (scale * rng.standard_normal((n, n_prev))).tolist()
        assert params[f"b{l}"].tolist() == [[0.0]] * n
    assert list(params) == list(package.module.zeros(SLIDE_LAYERS))
    assert {str(array.dtype).removeprefix("torch.") for array in params.values()} == {"float64"}


def test_the_legacy_generator_gives_randn(package: Package) -> None:
    """The flower network of the findings: W1, then W2, from legacy seed 2."""
    rng = np.random.RandomState(2)
    W1, W2 = 0.01 * rng.randn(4, 2), 0.01 * rng.randn(1, 4)
    params = package.module.random((2, 4, 1), np.random.RandomState(2))
    assert (params["W1"].tolist(), params["W2"].tolist()) == (W1.tolist(), W2.tolist())


def test_only_the_callers_generator_moves(package: Package) -> None:
    rng, global_state = np.random.default_rng(1), np.random.get_state()[1].tolist()
    first, second = (lists(package.module.random((2, 3, 1), rng)) for _ in range(2))
    assert first["W1"] != second["W1"]
    assert np.random.get_state()[1].tolist() == global_state


def trained(package: Package, params: dict[str, Any], iterations: int = 10) -> dict[str, Any]:
    """Gradient descent from `params` on one example whose features are powers of two.

    With m = 1, n_y = 1 and such features no sum in the network rounds differently from row to row, whatever order a
    library takes: rows that are equal in exact arithmetic are equal to the bit.
    """
    X, Y = package.array([[2.0], [-0.5]]), package.array([[1.0]])
    return package.shallow_network.train(params, X, Y, 0.5, iterations, ("sigmoid", "sigmoid"))[0]


def test_from_zero_the_hidden_units_stay_identical(package: Package) -> None:
    params = trained(package, package.module.zeros((2, 4, 1)))
    assert params["W1"].tolist()[0] != [0.0, 0.0]  # they do learn
    assert package.module.hidden_units_identical(params["W1"])
    assert package.module.hidden_units_identical(params["b1"])
    assert package.module.hidden_units_identical(params["W2"].T)


def test_random_weights_break_the_symmetry(package: Package) -> None:
    params = trained(package, package.module.random((2, 4, 1), np.random.default_rng(3)))
    assert not package.module.hidden_units_identical(params["W1"])
    assert len({tuple(row) for row in params["W1"].tolist()}) == 4


@pytest.mark.parametrize(
    ("W", "identical"),
    [
        ([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]], True),
        ([[1.0, 2.0]], True),
        ([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]], False),
        ([[1.0, 1.0], [2.0, 2.0]], False),  # equal columns are something else
        ([[1.0], [1.0 + 2.0**-52]], False),
    ],
)
def test_hidden_units_identical(package: Package, W: list[list[float]], identical: bool) -> None:
    assert package.module.hidden_units_identical(package.array(W)) is identical


def test_large_weights_saturate(package: Package) -> None:
    """tanh z is 1 to the last bit of float64 from |z| = 19.1 on: there its derivative 1 − a² is zero, and no gradient
    passes. Weights of standard deviation 10,000 send all eight units there, weights of 0.01 none."""
    x = package.array([[2.0], [-0.5]])
    for scale, learns in ((0.01, True), (1e4, False)):
        W1 = package.module.random((2, 8, 1), np.random.default_rng(4), scale)["W1"]
        slopes = [row[0] for row in package.activations.derivative("tanh", W1 @ x).tolist()]
        assert [slope > 1 / 2 for slope in slopes] == [slope != 0 for slope in slopes] == [learns] * 8
