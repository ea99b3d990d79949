"""N22: the XOR of n inputs, deep and shallow, in the three packages."""

from __future__ import annotations

import importlib
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest

DTYPES = ["float64", "float32", "float16", "bfloat16"]
INPUTS = [2, 3, 4, 5, 6]
FORMS = ["xor_deep", "xor_shallow"]


class Package:
    """The modules under test, and the dtypes of their framework. JAX's forward pass is jitted: it compiles faster."""

    def __init__(self, name: str) -> None:
        framework = {"reference": "numpy", "torch_impl": "torch", "jax_impl": "jax.numpy"}[name]
        self.xp: ModuleType = pytest.importorskip(framework)
        self.module, self.shallow_network, self.deep_network = (
            importlib.import_module(f"{name}.{file}") for file in ("circuits", "shallow_network", "deep_network")
        )
        self.forward = self.deep_network.forward
        if name == "jax_impl":
            self.forward = importlib.import_module("jax").jit(self.forward, static_argnames="activations")

    def cast(self, array: Any, dtype: str) -> Any:
        if self.xp.__name__ == "torch":
            return array.to(getattr(self.xp, dtype))
        numpy_dtype = pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype
        return self.xp.asarray(np.asarray(array).astype(numpy_dtype))


@pytest.fixture(scope="module", params=["reference", "torch_impl", "jax_impl"])
def package(request: pytest.FixtureRequest) -> Package:
    return Package(request.param)


def expected_parity(n: int) -> list[float]:
    """The right answers, in the order of counting."""
    return [float(bin(k).count("1") % 2) for k in range(2**n)]


def wrong_inputs(package: Package, params: dict[str, Any], activations: tuple[str, ...], dtype: str) -> list[int]:
    """The inputs, as numbers, at which the network's answer is not their parity, or a logit is not ±768."""
    n = params["W1"].shape[1]
    X = package.cast(package.module.all_inputs(n), dtype)
    A, cache = package.forward({name: package.cast(p, dtype) for name, p in params.items()}, X, activations)
    answers, logits, right = A.tolist()[0], cache[f"Z{len(activations)}"].tolist()[0], expected_parity(n)
    return [k for k in range(2**n) if (answers[k], logits[k]) != (right[k], 1536 * right[k] - 768)]


@pytest.mark.parametrize(("n", "dtype"), [(n, "float64") for n in INPUTS] + [(5, dtype) for dtype in DTYPES[1:]])
@pytest.mark.parametrize("form", FORMS)
def test_every_input_gives_its_parity(package: Package, n: int, form: str, dtype: str) -> None:
    params, activations = getattr(package.module, form)(n)
    assert wrong_inputs(package, params, activations, dtype) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_weight_is_caught(package: Package, form: str) -> None:
    params, activations = getattr(package.module, form)(4)
    assert wrong_inputs(package, params | {"W1": 2 * params["W1"]}, activations, "float64") != []
    assert wrong_inputs(package, params | {"b1": params["b1"] + 1}, activations, "float64") != []


@pytest.mark.parametrize("n", INPUTS)
def test_units_are_counted(package: Package, n: int) -> None:
    deep, shallow = (package.module.count_units(getattr(package.module, form)(n)[0]) for form in FORMS)
    assert shallow == 2 ** (n - 1)
    assert deep == {2: 2, 3: 5, 4: 6, 5: 10, 6: 11}[n]
    assert n < 4 or deep < shallow


@pytest.mark.parametrize("n", [*INPUTS, 8, 9, 16])
def test_the_depth_is_the_logarithm(package: Package, n: int) -> None:
    params, activations = package.module.xor_deep(n)
    hidden_layers = (n - 1).bit_length()  # ⌈log2 n⌉
    assert activations == ("relu",) * hidden_layers + ("sigmoid",)
    assert list(params) == [f"{letter}{l}" for l in range(1, hidden_layers + 2) for letter in "Wb"]


@pytest.mark.parametrize("n", INPUTS)
def test_the_networks_fit_the_models(package: Package, n: int) -> None:
    X = package.module.all_inputs(n)
    Y = package.module.parity_of(X)
    for form in FORMS:
        package.deep_network.check_dimensions(getattr(package.module, form)(n)[0], X, Y)
    params, activations = package.module.xor_shallow(n)
    assert package.shallow_network.forward(params, X, activations)[0].tolist() == Y.tolist()


def test_a_hidden_unit_of_the_shallow_network_knows_one_input(package: Package) -> None:
    params, activations = package.module.xor_shallow(5)
    A1 = package.forward(params, package.module.all_inputs(5), activations)[1]["A1"]
    assert A1.tolist() == [[float(k == odd) for k in range(32)] for odd in range(32) if expected_parity(5)[odd]]


@pytest.mark.parametrize("n", INPUTS)
def test_inputs_and_labels(package: Package, n: int) -> None:
    X = package.module.all_inputs(n)
    assert [tuple(x) for x in X.T.tolist()] == list(product((0.0, 1.0), repeat=n))
    assert package.module.parity_of(X).tolist() == [expected_parity(n)]


def test_the_arrays_are_float64(package: Package) -> None:
    arrays = [package.module.all_inputs(3), *package.module.xor_deep(3)[0].values()]
    arrays += [*package.module.xor_shallow(3)[0].values()]
    assert {str(array.dtype).removeprefix("torch.") for array in arrays} == {"float64"}


@pytest.mark.parametrize("n", INPUTS)
@pytest.mark.parametrize("form", FORMS)
def test_the_weights_are_the_same_in_all_packages(package: Package, n: int, form: str) -> None:
    found, expected = (getattr(p.module, form)(n)[0] for p in (package, Package("reference")))
    assert {name: p.tolist() for name, p in found.items()} == {name: p.tolist() for name, p in expected.items()}


def test_the_scale_is_an_argument(package: Package) -> None:
    params, _ = package.module.xor_deep(2, scale=8)
    assert (params["W2"].tolist(), params["b2"].tolist()) == ([[8.0, 8.0]], [[-4.0]])
    params, _ = package.module.xor_shallow(2, scale=8)
    assert (params["W2"].tolist(), params["b2"].tolist()) == ([[8.0, 8.0]], [[-4.0]])


@pytest.mark.parametrize("name", [*FORMS, "all_inputs"])
@pytest.mark.parametrize("n", [1, 0, -3])
def test_fewer_than_two_inputs_are_refused(package: Package, name: str, n: int) -> None:
    with pytest.raises(ValueError, match=rf"^n is {n}, expected at least 2[^\n]*$"):
        getattr(package.module, name)(n)
