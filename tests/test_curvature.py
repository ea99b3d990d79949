"""curvature.py of the three packages against power series in ball arithmetic, within a bound derived here.

The exact product H V is the coefficient of t in ∂J/∂params at params + t V: the notes' backward pass, in power series.
The bound is a running error analysis: every value is carried with what rounding can have made of it.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from beartype import beartype
from flint import arb, arb_mat, arb_series, ctx
from jaxtyping import TypeCheckError, jaxtyped

import reference.curvature
from parity.elementary import ulps
from parity.formats import FORMATS
from parity.implementations import find
from parity.oracle import FIRST_PRECISION, working_precision
from parity.problems import catalogue
from parity.rounding import OWN_ROUNDING, Arithmetic, _of_activation, _of_slope, _value_and_slope
from parity.training.solvers import switches
from tests.shared import PACKAGES, place

ROOT = Path(__file__).parents[1]
FLOAT64 = FORMATS["float64"]
Params = dict[str, np.ndarray]
NETWORKS = {
    "logistic": ((3, 1), ("sigmoid",)),
    "smooth": ((4, 3, 2, 1), ("tanh", "sigmoid", "sigmoid")),
    "kinks": ((3, 5, 4, 2), ("relu", "leaky_relu", "sigmoid")),
    "mixed": ((5, 4, 3, 2, 1), ("identity", "tanh", "leaky_relu_exact", "sigmoid")),
}


@dataclass(frozen=True)
class Given:
    """A network, its examples and a direction, all read-only."""

    params: Params
    X: np.ndarray
    Y: np.ndarray
    V: Params
    activations: tuple[str, ...]


@cache
def network(name: str, seed: int = 0) -> Given:
    layers, activations = NETWORKS[name]
    rng, m = np.random.RandomState(seed), 7
    shapes = {
        f"{p}{l}": (n, n_prev if p == "W" else 1) for l, (n_prev, n) in enumerate(pairwise(layers), 1) for p in "Wb"
    }
    params, V = ({key: frozen(rng.standard_normal(shape)) for key, shape in shapes.items()} for _ in range(2))
    X, Y = rng.standard_normal((layers[0], m)), rng.randint(0, 2, (layers[-1], m)).astype(np.float64)
    return Given(params, frozen(X), frozen(Y), V, activations)


def frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def call(package: str, function: str, *arguments: object) -> Any:
    """A function of a package's curvature.py, jitted in JAX; NumPy's arrays in and out."""
    if place(PACKAGES[package]).missing:
        pytest.skip("not here")
    adapter = find(PACKAGES[package])
    constants = {i: argument for i, argument in enumerate(arguments) if isinstance(argument, tuple | float)}

    def moved(value: Any, by: Callable) -> Any:
        return {name: by(array) for name, array in value.items()} if isinstance(value, dict) else by(value)

    def compute(*arrays: Any) -> Any:
        rest = iter(arrays)
        given = [constants[i] if i in constants else next(rest) for i in range(len(arguments))]
        return getattr(import_module(f"{package}.curvature"), function)(*given)

    with switches(PACKAGES[package]):
        arrays = [argument for i, argument in enumerate(arguments) if i not in constants]
        there = [moved(argument, lambda array: adapter.to_framework(array, "cpu")) for argument in arrays]
        return moved(compiled(package)(compute)(*there), adapter.to_numpy)


def compiled(package: str) -> Callable[[Callable], Callable]:
    return import_module("jax").jit if package == "jax_impl" else lambda f: f


# The exact product -------------------------------------------------------------------------------------------------

SERIES = {
    "sigmoid": (lambda z: 1 / (1 + (-z).exp()), lambda z: 1 / (1 + (-z).exp()) / (1 + z.exp())),
    "tanh": (lambda z: 1 - 2 / (1 + (2 * z).exp()), lambda z: 4 / (1 + (2 * z).exp()) / (1 + (-2 * z).exp())),
    "identity": (lambda z: z, lambda z: one()),
    "relu": (lambda z: z if z[0] > 0 else 0 * z, lambda z: one() * int(z[0] > 0)),
    "leaky_relu": (lambda z: z if z[0] > 0 else arb(0.01) * z, lambda z: one() if z[0] > 0 else arb(0.01) * one()),
    "leaky_relu_exact": (lambda z: z if z[0] > 0 else z / 4, lambda z: one() if z[0] > 0 else one() / 4),
}


def one() -> arb_series:
    return arb_series([1, 0])


def times(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A matrix product of power series, which NumPy would take for sequences."""
    found = np.empty((A.shape[0], B.shape[1]), object)
    for i, j in np.ndindex(found.shape):
        found[i, j] = sum((a * b for a, b in zip(A[i], B[:, j], strict=True)), 0 * one())
    return found


def exact_product(given: Given) -> Params:
    """H V to far more digits than float64 has, rounded to it."""
    before, ctx.cap = ctx.cap, 2
    with working_precision(FIRST_PRECISION):
        series = {
            name: np.vectorize(lambda p, v: arb_series([p, v]), otypes=[object])(p, given.V[name])
            for name, p in given.params.items()
        }
        g = [[np.vectorize(f, otypes=[object]) for f in SERIES[name]] for name in given.activations]
        A = [np.vectorize(lambda x: arb_series([x, 0]), otypes=[object])(given.X)]
        Z, m = [], given.X.shape[1]
        for l, (value, _) in enumerate(g, 1):
            Z.append(times(series[f"W{l}"], A[-1]) + series[f"b{l}"])
            A.append(value(Z[-1]))
        dZ, found = A[-1] - given.Y, {}
        for l in range(len(g), 0, -1):
            found |= {f"W{l}": times(dZ, A[l - 1].T) / m, f"b{l}": dZ.sum(axis=1, keepdims=True) / m}
            if l > 1:
                dZ = times(series[f"W{l}"].T, dZ) * g[l - 2][1](Z[l - 2])
        product = {name: np.vectorize(lambda s: float(s[1].mid()))(found[name]) for name in given.params}
    ctx.cap = before
    return product


# The bound ---------------------------------------------------------------------------------------------------------

ROUNDINGS = 6
"""Of one product or sum, at most: 1/m may come first, and a derivative be a product of that many factors."""


@dataclass(frozen=True)
class Carried:
    """A value and the largest error that rounding can have made of it."""

    value: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, value: np.ndarray) -> Carried:
        return cls(value, np.zeros_like(value))

    @property
    def T(self) -> Carried:
        return Carried(self.value.T, self.error.T)

    @property
    def size(self) -> np.ndarray:
        return np.abs(self.value) + self.error

    def __add__(self, other: Carried) -> Carried:
        return self._rounded(self.value + other.value, self.error + other.error, self.size + other.size, 1)

    def __mul__(self, other: Carried) -> Carried:
        error = self.error * other.size + np.abs(self.value) * other.error
        return self._rounded(self.value * other.value, error, self.size * other.size, 1)

    def __matmul__(self, other: Carried) -> Carried:
        error = self.error @ other.size + np.abs(self.value) @ other.error
        return self._rounded(self.value @ other.value, error, self.size @ other.size, other.value.shape[0])

    @staticmethod
    def _rounded(value: np.ndarray, error: np.ndarray, size: np.ndarray, terms: int) -> Carried:
        gamma = Arithmetic(FLOAT64, {}).gamma(terms + ROUNDINGS)
        return Carried(value, (error + gamma * size) * OWN_ROUNDING)


def of_second_derivative(name: str, A: np.ndarray, E_A: np.ndarray) -> np.ndarray:
    """The error of g'': |∂g''/∂a| is at most 1 for the sigmoid's cubic in a and 4 for tanh's, no term exceeds 4."""
    if name not in ("sigmoid", "tanh"):
        return np.zeros_like(A)
    steepest, terms = {"sigmoid": (1, 2), "tanh": (4, 4)}[name]
    return steepest * E_A + 6 * E_A**2 + 2 * E_A**3 + Arithmetic(FLOAT64, {}).gamma(8) * terms


def bound(given: Given, framework: str) -> tuple[Params, Params]:
    """The product by the R-operator in float64, and how far any implementation's may be from the exact one."""
    arithmetic = Arithmetic(FLOAT64, ulps(framework, "float64"))
    m, L = given.X.shape[1], len(given.activations)
    W, V = ({name: Carried.of(p) for name, p in d.items()} for d in (given.params, given.V))
    A, R_A, Z, R_Z, slope, bend = [Carried.of(given.X)], [Carried.of(np.zeros_like(given.X))], [], [], [], []
    for l, g in enumerate(given.activations, 1):
        Z.append(W[f"W{l}"] @ A[-1] + W[f"b{l}"])
        R_Z.append(W[f"W{l}"] @ R_A[-1] + (V[f"W{l}"] @ A[-1] + V[f"b{l}"]))
        z, E_Z = Z[-1].value, Z[-1].error
        a, s = _value_and_slope(g, z)
        E_A = _of_activation(arithmetic, g, z, a, E_Z)
        A.append(Carried(a, E_A))
        slope.append(Carried(s, _of_slope(FLOAT64, g, z, a, E_Z, E_A)))
        bends = {"sigmoid": s * (1 - 2 * a), "tanh": -2 * a * s}.get(g, np.zeros_like(a))
        bend.append(Carried(bends, of_second_derivative(g, a, E_A)))
        R_A.append(slope[-1] * R_Z[-1])
    E_output = slope[-1].error + arithmetic.relative("output") * (1 + np.abs(Z[-1].value) + Z[-1].error)
    dZ, slope[-1] = Carried(A[-1].value - given.Y, E_output), Carried(slope[-1].value, 3 * E_output)
    R_dZ, found = slope[-1] * R_Z[-1], {}
    for l in range(L, 0, -1):
        ones = Carried.of(np.ones((m, 1)))
        found |= {f"W{l}": R_dZ @ A[l - 1].T + dZ @ R_A[l - 1].T, f"b{l}": R_dZ @ ones}
        if l > 1:
            dA, R_dA = W[f"W{l}"].T @ dZ, W[f"W{l}"].T @ R_dZ + V[f"W{l}"].T @ dZ
            dZ, R_dZ = dA * slope[l - 2], R_dA * slope[l - 2] + dA * bend[l - 2] * R_Z[l - 2]
    return {n: found[n].value / m for n in given.params}, {n: found[n].error / m for n in given.params}


def outside(given: Given, framework: str, product: Params) -> list[str]:
    """The parameters in which a product is further from the exact one than rounding reaches."""
    exact, (_, bounds) = exact_product(given), bound(given, framework)
    return [name for name in exact if not np.all(np.abs(product[name] - exact[name]) <= bounds[name])]


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("name", NETWORKS)
def test_products_with_the_hessian(package: str, name: str) -> None:
    given = network(name)
    product = call(package, "hessian_vector_product", given.params, given.X, given.Y, given.V, given.activations)
    assert list(product) == (sorted(given.params) if package == "jax_impl" else list(given.params))
    assert {n: p.shape for n, p in product.items()} == {n: p.shape for n, p in given.params.items()}
    assert outside(given, find(PACKAGES[package]).framework, product) == []


FAULTS = {
    "g'' is missing": (' + dA * SECOND_DERIVATIVES[g](Z) * R[f"Z{l - 1}"]', ""),
    "V is missing on the way back": (' + np.dot(V[f"W{l}"].T, dZ)', ""),
    "R{A} is missing in R{dW}": ('np.dot(dZ, R[f"A{l - 1}"].T)', "0"),
    "1/m is missing in R{db}": ("np.sum(R_dZ, axis=1, keepdims=True) / m", "np.sum(R_dZ, axis=1, keepdims=True)"),
    "V's bias is missing": (' + V[f"b{l}"]', ""),
    "the sigmoid's 1 − 2a is 1 − a": ("(1 - 2 * sigmoid(Z))", "(1 - sigmoid(Z))"),
    "tanh's −2a is −a": ("-2 * tanh(Z)", "-tanh(Z)"),
    "the output's slope is off by 1e-12": (
        'sigmoid(-cache[f"Z{L}"]) * R',
        'sigmoid(-cache[f"Z{L}"]) * (1 + 1e-12) * R',
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_formula_is_outside(fault: str) -> None:
    source, (old, new) = (ROOT / "reference" / "curvature.py").read_text(encoding="utf-8"), FAULTS[fault]
    assert source.count(old) == 1
    module, given = types.ModuleType("planted"), network("smooth")
    exec(source.replace(old, new), module.__dict__)
    assert outside(
        given, "numpy", module.hessian_vector_product(given.params, given.X, given.Y, given.V, given.activations)
    )


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("g", ["identity", "relu", "leaky_relu_exact"])
def test_products_are_exact_where_arithmetic_is(package: str, g: str) -> None:
    """W2 = 0 and b2 = 0, so that every output is σ(0) = ½ with the slope ¼; small integers, m = 4; z = 0 at a kink."""
    X, Y = np.array([[1.0, -2, 0, 3], [2, 1, 0, -1]]), np.array([[1.0, 0, 1, 1]])
    params = {
        "W1": np.array([[1.0, 2], [-3, 1]]),
        "b1": np.zeros((2, 1)),
        "W2": np.zeros((1, 2)),
        "b2": np.zeros((1, 1)),
    }
    V = {
        "W1": np.array([[2.0, -1], [1, 4]]),
        "b1": np.array([[1.0], [-2]]),
        "W2": np.array([[3.0, -5]]),
        "b2": np.ones((1, 1)),
    }
    below = {"identity": 1, "relu": 0, "leaky_relu_exact": 1 / 4}[g]
    Z = params["W1"] @ X
    slope = np.where(Z > 0, 1, below)
    A, R_A = slope * Z, slope * (V["W1"] @ X + V["b1"])
    dZ, R_dZ = 1 / 2 - Y, (V["W2"] @ A + V["b2"]) / 4
    R_dZ1 = V["W2"].T @ dZ * slope
    expected = {
        "W1": R_dZ1 @ X.T / 4,
        "b1": R_dZ1.sum(1, keepdims=True) / 4,
        "W2": (R_dZ @ A.T + dZ @ R_A.T) / 4,
        "b2": R_dZ.sum(1, keepdims=True) / 4,
    }
    found = call(package, "hessian_vector_product", params, X, Y, V, (g, "sigmoid"))
    assert {name: p.tolist() for name, p in found.items()} == {name: expected[name].tolist() for name in found}


def dense(package: str, given: Given) -> np.ndarray:
    """The Hessian of a package's own cost, as its framework makes it, in the order of params."""
    module, adapter = import_module(f"{package}.deep_network"), find(PACKAGES[package])
    framework = import_module("torch.func" if package == "torch_impl" else "jax")
    with switches(PACKAGES[package]):
        at = {name: adapter.to_framework(p, "cpu") for name, p in given.params.items()}
        X, Y = (adapter.to_framework(array, "cpu") for array in (given.X, given.Y))
        H = compiled(package)(framework.hessian(lambda p: module.cost(p, X, Y, given.activations)))(at)
        sizes = {name: p.size for name, p in given.params.items()}
        return np.block([[adapter.to_numpy(H[i][j]).reshape(sizes[i], sizes[j]) for j in sizes] for i in sizes])


@pytest.mark.parametrize("package", ["torch_impl", "jax_impl"])
def test_a_whole_hessian_from_products(package: str) -> None:
    """Column by column: products by hand against the framework's Hessian, within both bounds; and it is symmetric."""
    if place(PACKAGES[package]).missing:
        pytest.skip("not here")
    given = network("smooth")
    shapes = {name: p.shape for name, p in given.params.items()}
    columns, reach = [], []
    for e in np.eye(sum(p.size for p in given.params.values())):
        parts = np.split(e, np.cumsum([np.prod(s) for s in shapes.values()])[:-1])
        V = {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
        unit = Given(given.params, given.X, given.Y, V, given.activations)
        product = reference.curvature.hessian_vector_product(given.params, given.X, given.Y, V, given.activations)
        bounds = [bound(unit, framework)[1] for framework in ("numpy", find(PACKAGES[package]).framework)]
        columns.append(np.concatenate([p.ravel() for p in product.values()]))
        reach.append(sum(np.concatenate([b[name].ravel() for name in shapes]) for b in bounds))
    H, E = np.array(columns).T, np.array(reach).T
    assert np.all(np.abs(H - dense(package, given)) <= E)
    assert np.all(np.abs(H - H.T) <= E + E.T)
    assert not np.all(np.abs(np.roll(H, 1, axis=0) - dense(package, given)) <= E)


# Logistic regression -----------------------------------------------------------------------------------------------


def exact_hessian(params: Params, X: np.ndarray, l2: float) -> np.ndarray:
    """(1/m) X̃ diag(a (1 − a)) X̃ᵀ + λ, by another formula for a (1 − a), in 192 bits."""
    with working_precision(FIRST_PRECISION):
        n, m = X.shape[0] + 1, X.shape[1]
        X_tilde = arb_mat(n, m, np.vstack([X, np.ones((1, m))]).ravel().tolist())
        Z = arb_mat(1, n, np.append(params["w"], params["b"]).tolist()) * X_tilde
        slopes = [1 / (2 + z.exp() + (-z).exp()) for z in Z.entries()]
        H = arb_mat(n, m, [x * s for x, s in zip(X_tilde.entries(), slopes * n, strict=True)]) * X_tilde.transpose() / m
        return np.array([[float((H[i, j] + l2 * (i == j < n - 1)).mid()) for j in range(n)] for i in range(n)])


def hessian_bound(params: Params, X: np.ndarray, l2: float, framework: str) -> np.ndarray:
    """γ_(m+6) for products and sums; a (1 − a) by hand is right in its last digits, by autodiff as `output` is.

    By hand the error is relative: z within E moves σ'(z) by no more than the factor e^E, for |σ''| ≤ σ'.
    """
    arithmetic, m = Arithmetic(FLOAT64, ulps(framework, "float64")), X.shape[1]
    X_tilde = np.abs(np.vstack([X, np.ones((1, m))]))
    Z = params["w"].T @ X + params["b"]
    E_Z = arithmetic.gamma(X.shape[0] + 1) * (np.abs(params["w"]).T @ np.abs(X) + np.abs(params["b"]))
    e = np.exp(-np.abs(Z))
    slope = e / (1 + e) ** 2
    if framework == "numpy":
        factor = np.exp(E_Z) * (1 + arithmetic.relative("sigmoid")) ** 2 * (1 + arithmetic.gamma(2))
        E_slope = slope * (factor - 1) + 2.0**-52 * slope
    else:
        E_slope = 3 * (E_Z / 4 + arithmetic.relative("output") * (1 + np.abs(Z) + E_Z)) + arithmetic.gamma(8)
    total = (X_tilde * E_slope) @ X_tilde.T / m + arithmetic.gamma(m + 6) * (
        (X_tilde * (slope + E_slope)) @ X_tilde.T
    ) / m
    return (total + arithmetic.gamma(4) * l2 * np.eye(len(total))) * OWN_ROUNDING


def saturated() -> tuple[Params, np.ndarray, np.ndarray]:
    """Every a is within 1e-17 of 1, or of 0: formed from a, a (1 − a) would be 0 in most places."""
    rng = np.random.RandomState(3)
    X = rng.standard_normal((2, 5))
    return {"w": np.full((2, 1), 0.5), "b": np.array(45.0)}, X, np.ones((1, 5))


def wine() -> tuple[Params, np.ndarray, np.ndarray]:
    return catalogue.build("wine_logistic").inputs("float64")


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("l2", [0.0, 0.375])
@pytest.mark.parametrize("data", [wine, saturated])
def test_the_hessian(package: str, l2: float, data: Callable) -> None:
    params, X, Y = data()
    H = call(package, "hessian", params, X, Y, l2)
    off = np.abs(H - exact_hessian(params, X, l2))
    reach = hessian_bound(params, X, l2, find(PACKAGES[package]).framework)
    assert np.all(off <= reach)
    b_first = np.roll(H, 1, axis=(0, 1))
    penalised_bias = H + (l2 or 1) * np.diag(np.arange(len(H)) == len(H) - 1)
    for wrong in (b_first, penalised_bias, H * X.shape[1]):
        assert data is saturated or not np.all(np.abs(wrong - exact_hessian(params, X, l2)) <= reach)


def test_the_slope_is_not_lost_where_a_is_near_1() -> None:
    """Formed from a = 1 it is 0, which is outside."""
    params, X, Y = saturated()
    exact, reach = exact_hessian(params, X, 0.0)[-1, -1], hessian_bound(params, X, 0.0, "numpy")[-1, -1]
    found = {package: call(package, "hessian", params, X, Y, 0.0)[-1, -1] for package in PACKAGES}
    assert exact > reach
    assert abs(found["reference"] - exact) <= reach
    assert found["torch_impl"] > 0
    assert found["jax_impl"] == 0


HADAMARD = np.array([[1.0, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])


@pytest.mark.parametrize("package", PACKAGES)
def test_newtons_step_is_exact_where_arithmetic_is(package: str) -> None:
    """At w = 0 and b = 0 the slopes are ¼; orthogonal features make H = diag(¼ + λ, ¼), λ = ¼."""
    Y, zero = np.array([[1.0, 0, 1, 1]]), {"w": np.zeros((3, 1)), "b": np.zeros(())}
    dZ = 1 / 2 - Y
    found = call(package, "newton_step", zero, HADAMARD, Y, 0.25)
    assert found["w"].tolist() == (-2 * HADAMARD @ dZ.T / 4).tolist()
    assert found["b"].tolist() == (-4 * dZ.mean()).tolist()
    assert call(package, "hessian", zero, HADAMARD, Y, 0.25).tolist() == np.diag([0.5, 0.5, 0.5, 0.25]).tolist()


@pytest.mark.parametrize("package", PACKAGES)
def test_newtons_step_with_a_full_hessian(package: str) -> None:
    """H = ¼ [[2, 1], [1, 1]], whose inverse is 4 [[1, −1], [−1, 2]]: a transpose or a changed order shows."""
    X, Y = np.array([[0.0, 2]]), np.array([[1.0, 0]])
    dw, db = X @ (1 / 2 - Y).T / 2, (1 / 2 - Y).mean()
    found = call(package, "newton_step", {"w": np.zeros((1, 1)), "b": np.zeros(())}, X, Y, 0.0)
    assert found["w"].tolist() == (-4 * (dw - db)).tolist()
    assert found["b"].tolist() == (4 * (dw[0, 0] - 2 * db)).tolist()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_penalty_is_exact_where_arithmetic_is(package: str) -> None:
    """Logits of 768 and more: a is 0 or 1, and J + (λ/2) ‖w‖², dw + λ w and db are dyadic."""
    X, Y, l2 = HADAMARD, np.array([[1.0, 0, 1, 1]]), 0.25
    params = {"w": 1536 * np.array([[1.0], [2], [4]]), "b": np.array(768.0)}
    Z = params["w"].T @ X + params["b"]
    dZ = (Z > 0) - Y
    J = np.sum(np.maximum(Z, 0) - Y * Z) / 4
    assert call(package, "penalised_cost", params, X, Y, l2) == J + l2 / 2 * np.sum(params["w"] ** 2)
    grads = call(package, "penalised_gradients", params, X, Y, l2)
    assert grads["dw"].tolist() == (X @ dZ.T / 4 + l2 * params["w"]).tolist()
    assert grads["db"].tolist() == dZ.mean().tolist()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_singular_hessian(package: str) -> None:
    """A feature of zeros: NumPy and PyTorch raise, JAX gives what is not finite."""
    X, Y, zero = np.zeros((1, 4)), np.array([[1.0, 0, 1, 1]]), {"w": np.zeros((1, 1)), "b": np.zeros(())}
    if package == "jax_impl":
        assert not np.all(np.isfinite(call(package, "newton_step", zero, X, Y, 0.0)["w"]))
        return
    with pytest.raises((np.linalg.LinAlgError, RuntimeError), match=r"(?i)singular"):
        call(package, "newton_step", zero, X, Y, 0.0)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_shapes_of_the_signatures(package: str) -> None:
    if place(PACKAGES[package]).missing:
        pytest.skip("not here")
    module, adapter = import_module(f"{package}.curvature"), find(PACKAGES[package])
    hessian = jaxtyped(module.hessian, typechecker=beartype)
    with switches(PACKAGES[package]):
        params, X, Y = saturated()
        params = {name: adapter.to_framework(p, "cpu") for name, p in params.items()}
        X, Y = (adapter.to_framework(array, "cpu") for array in (X, Y))
        assert tuple(hessian(params, X, Y).shape) == (3, 3)
        with pytest.raises(TypeCheckError, match="hessian"):
            hessian(params, X, Y[:, 1:])
