"""sklearn_baseline.logistic_regression against integers, against the hand-derived gradient, and against bad luck."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

import reference.logistic_regression as reference
import sklearn_baseline.logistic_regression as baseline

DTYPES = [np.float32, np.float64]


def frozen(*arrays):
    for array in arrays:
        array.setflags(write=False)
    return arrays


def columns(data, target):
    """X (n_x, m) without constant features, standardised, and Y (1, m): float64, read-only."""
    X = data.T[np.ptp(data, axis=0) > 0]
    X = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
    return frozen(np.ascontiguousarray(X), target[None].astype(np.float64))


def breast_cancer(features=30):
    data, target = load_breast_cancer(return_X_y=True)
    return columns(data[:, :features], target)


def digits():
    data, target = load_digits(return_X_y=True)
    return columns(data, target >= 5)


def wine():
    data, target = load_wine(return_X_y=True)
    return columns(data, target == 0)


def saturated(dtype, m=64):
    """Integers whose logits are odd multiples of 768, so that σ is exactly 0 or 1 and every sum is representable."""
    rng = np.random.default_rng(5)
    w, b = 1536 * np.array([[1], [-2], [3], [0], [-1]]), np.array(768)
    X, Y = rng.integers(-3, 4, (5, m)), rng.integers(0, 2, (1, m))
    return frozen(*(array.astype(dtype) for array in (w, b, X, Y)))


def gamma(n, dtype=np.float64):
    """γ_n = n u / (1 − n u): what n roundings can do (Higham, Accuracy and Stability, lemma 3.1)."""
    nu = n * np.finfo(dtype).eps / 2
    return nu / (1 - nu)


def rounding(params, X, Y, C=np.inf):
    """How far two evaluations of J, dw + w / (C m) and db at the same params can lie apart, in the dtype of X.

    z is a sum of n_x products and b: |δz| ≤ γ_(n_x+1) (|w|ᵀ|x| + |b|). σ has slope at most ¼; exp to 4 ulp (what NumPy
    1.22 states for its vectorised functions), an addition and a division are 10 roundings of a ≤ 1, and a − y one more.
    |a − y| ≤ 1, so that a product, a sum over m and a division add γ_(m+2) |x|, and the penalty γ_3 |w| / (C m).
    A loss has slope at most 1 in z, and is made in at most 24 roundings from parts of size at most 2|z| + 1; its mean
    takes m + 1 more. The bound is doubled for two evaluations, and γ_(4 m) covers its own evaluation in float64.
    """
    (n_x, m), dtype = X.shape, X.dtype
    w, b, X = (np.abs(array.astype(np.float64)) for array in (params["w"], params["b"], X))
    Z = w.T @ X + b
    delta_Z = gamma(n_x + 1, dtype) * Z
    delta_dZ = delta_Z / 4 + gamma(11, dtype) + gamma(m + 2, dtype)
    bound = {
        "J": np.mean(delta_Z + gamma(m + 25, dtype) * (2 * Z + 1)),
        "dw": X @ delta_dZ.T / m + gamma(3, dtype) * (w / (C * m) + X.mean(axis=1, keepdims=True)),
        "db": np.mean(delta_dZ),
    }
    return {name: 2 * size * (1 + gamma(4 * m)) for name, size in bound.items()}


def within(got, expected, bound):
    return bool(np.all(np.abs(np.float64(got) - np.float64(expected)) <= bound))


def patch_loss(monkeypatch, fault):
    class Faulty(baseline.LinearModelLoss):
        def loss_gradient(self, coef, X, *args, **kwargs):
            return fault(*super().loss_gradient(coef, X, *args, **kwargs), len(X))

    monkeypatch.setattr(baseline, "LinearModelLoss", Faulty)


LOSS_FAULTS = {
    "none": lambda J, gradient, m: (J, gradient),
    "J without 1/m": lambda J, gradient, m: (J * m, gradient),
    "gradient without 1/m": lambda J, gradient, m: (J, gradient * m),
    "intercept first": lambda J, gradient, m: (J, gradient[::-1].copy()),
    "sign": lambda J, gradient, m: (J, -gradient),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fault", LOSS_FAULTS)
def test_cost_and_gradients_are_exact_where_arithmetic_is(monkeypatch, dtype, fault):
    w, b, X, Y = saturated(dtype)
    w_, b_, X_, Y_ = (array.astype(int) for array in (w, b, X, Y))
    Z = w_.T @ X_ + b_
    dZ = (Z > 0) - Y_
    expected = {"J": np.sum(np.maximum(Z, 0) - Y_ * Z) / 64, "dw": X_ @ dZ.T / 64, "db": dZ.sum() / 64}
    patch_loss(monkeypatch, LOSS_FAULTS[fault])
    J, grads = baseline.cost_and_gradients({"w": w, "b": b}, X, Y)
    got = {"J": J, **grads}
    assert [(array.shape, array.dtype) for array in got.values()] == [((), dtype), ((5, 1), dtype), ((), dtype)]
    assert all(np.array_equal(got[name], expected[name]) for name in expected) == (fault == "none")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [1, 64])
def test_zero_logits(dtype, m):
    _, _, X, Y = saturated(dtype, m)
    params = {"w": np.zeros((5, 1), dtype), "b": np.zeros((), dtype)}
    _, grads = baseline.cost_and_gradients(params, X, Y)
    assert np.array_equal(grads["dw"], X @ (0.5 - Y).T / m)  # σ(0) = ½: every term is a multiple of ½
    assert np.array_equal(grads["db"], np.sum(0.5 - Y) / m)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fault", LOSS_FAULTS)
def test_cost_and_gradients_on_real_data(monkeypatch, dtype, fault):
    X, Y = frozen(*(array.astype(dtype) for array in breast_cancer()))
    params = {"w": np.linspace(-1, 1, X.shape[0], dtype=dtype)[:, None], "b": np.asarray(0.25, dtype)}
    patch_loss(monkeypatch, LOSS_FAULTS[fault])
    (J, grads), (J_, grads_) = (module.cost_and_gradients(params, X, Y) for module in (baseline, reference))
    bound = rounding(params, X, Y)
    ok = within(J, J_, bound["J"]) and all(within(grads[name], grads_[name], bound[name]) for name in grads)
    assert ok == (fault == "none")


def test_missing_loss_classes_give_the_reason(monkeypatch):
    assert baseline.loss_classes_unavailable() is None
    monkeypatch.setattr(baseline, "_MISSING", "gone")
    w, b, X, Y = saturated(np.float64)
    with pytest.raises(ImportError, match="gone"):
        baseline.cost_and_gradients({"w": w, "b": b}, X, Y)


PROBLEMS = {
    "breast cancer": (breast_cancer, 1.0),
    "digits": (digits, 1.0),
    "wine": (wine, 1.0),
    "digits unpenalised": (digits, np.inf),  # separable: no minimum, but a small gradient
    "wine unpenalised": (wine, np.inf),  # likewise
    "first ten of breast cancer unpenalised": (lambda: breast_cancer(10), np.inf),
}


def kept(params, grads, X, Y, C, tol):
    """Whether the largest element of the residual is within the solver's promise and rounding."""
    bound = rounding(params, X, Y, C)
    return all(within(r, 0, tol + bound[name]) for name, r in baseline.stationarity(params, grads, Y.size, C).items())


@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_hand_derived_gradient_vanishes_at_the_optimum(problem, solver):
    (load, C), tol = PROBLEMS[problem], baseline.promise(solver, 1e-10)
    X, Y = load()
    params = baseline.fit(X, Y, C, solver, tol)
    assert (params["w"].shape, params["b"].shape) == ((X.shape[0], 1), ())
    grads = reference.gradients(params, X, Y)
    assert kept(params, grads, X, Y, C, tol)
    if C == 1:  # the penalty's share makes the hand-derived gradient large at the optimum, and these faults visible
        assert not kept(params, {**grads, "dw": grads["dw"] * Y.size}, X, Y, C, tol)
        assert not kept(params, {**grads, "dw": -grads["dw"]}, X, Y, C, tol)
        assert not kept(params, grads, X, Y, 2 * C, tol)
        assert not kept(params, grads, X, Y, np.inf, tol)
        assert not kept(params, {**grads, "db": grads["db"] + params["b"] / (C * Y.size)}, X, Y, C, tol)
    elsewhere = {**params, "w": params["w"] / 2}
    assert not kept(elsewhere, reference.gradients(elsewhere, X, Y), X, Y, C, tol)


@pytest.mark.parametrize("dtype", DTYPES)
def test_fit_keeps_the_dtype(dtype):
    params = baseline.fit(*frozen(*(array.astype(dtype) for array in wine())), C=1.0, tol=1e-6)
    assert params["w"].dtype == params["b"].dtype == dtype


def wine_twice():
    """Every feature twice: the Hessian is singular without a penalty."""
    X, Y = wine()
    return *frozen(np.vstack([X, X])), Y


@pytest.mark.parametrize(
    ("load", "arguments", "message"),
    [
        (breast_cancer, {"C": 1.0, "max_iter": 1}, "Newton solver did not converge"),
        (breast_cancer, {"C": 1.0, "solver": "newton-cg", "max_iter": 1}, "newton-cg failed to converge"),
        (breast_cancer, {"C": 1.0, "solver": "lbfgs", "max_iter": 1}, "lbfgs failed to converge"),
        (breast_cancer, {"C": 1.0, "solver": "lbfgs"}, "largest gradient is .* above tol"),  # it stopped by ftol
        (wine_twice, {}, "singular or very ill-conditioned Hessian"),
    ],
)
def test_an_unconverged_fit_is_an_error(load, arguments, message):
    X, Y = load()
    with pytest.raises(RuntimeError, match=message) as caught:
        baseline.fit(X, Y, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("solver", ["sag", "saga", "liblinear", "nonsense"])
def test_solvers_that_promise_nothing_are_refused(solver):
    with pytest.raises(ValueError, match=solver):
        baseline.fit(*wine(), C=1.0, solver=solver)


def separable_on_a_line(x, y):
    zeros = [value for value, label in zip(x, y, strict=True) if label == 0]
    ones = [value for value, label in zip(x, y, strict=True) if label == 1]
    return not zeros or not ones or (len(set(x)) > 1 and (max(zeros) <= min(ones) or max(ones) <= min(zeros)))


def test_every_small_problem_on_a_line():
    """Complete and quasi-complete separation, overlap, a single class, a single point."""
    for x, y in product(combinations_with_replacement(range(3), 4), product((0, 1), repeat=4)):
        X, Y = frozen(np.array([x], np.float64), np.array([y], np.float64))
        assert baseline.is_separable(X, Y) == separable_on_a_line(x, y), (x, y)


@pytest.mark.parametrize("fault", [{"bounds": (0, None)}, {"b_ub": np.ones(8)}])
def test_a_wrong_linear_program_is_noticed(monkeypatch, fault):
    """Weights of one sign only; d ≥ −1 instead of d ≥ 0."""
    linprog = baseline.linprog
    monkeypatch.setattr(baseline, "linprog", lambda **arguments: linprog(**{**arguments, **fault}))
    with pytest.raises(AssertionError):
        test_every_small_problem_on_a_line()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("offset", [0, 1e6])
def test_separability_at_any_scale(scale, offset):
    Y = np.array([[0.0, 0, 1, 1]])
    for x, separable in ([0, 1, 1.001, 2], True), ([0, 1.001, 1, 2], False):
        assert baseline.is_separable(scale * (offset + np.array([x])), Y) == separable


def test_separability_of_real_data():
    for X, Y, separable in (*breast_cancer(), True), (*breast_cancer(10), False), (*digits(), True), (*wine(), True):
        assert baseline.is_separable(X, Y) == separable
