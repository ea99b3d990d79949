"""sklearn_baseline.shallow_network: one step of MLPClassifier is −α times the hand-derived gradient, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import reference.deep_network as reference
import sklearn_baseline.shallow_network as baseline

DTYPES = [np.float32, np.float64]
LEARNING_RATE = 0.125

NETWORKS = {
    "logistic regression": ((6, 1), ("sigmoid",)),
    "relu": ((6, 5, 1), ("relu", "sigmoid")),
    "tanh": ((6, 5, 1), ("tanh", "sigmoid")),
    "sigmoid": ((6, 5, 1), ("sigmoid", "sigmoid")),
    "identity": ((6, 5, 1), ("identity", "sigmoid")),
    "three outputs": ((6, 5, 3), ("relu", "sigmoid")),
    "two outputs": ((6, 5, 2), ("tanh", "sigmoid")),
    "deep": ((6, 5, 4, 3, 1), ("relu", "relu", "relu", "sigmoid")),
    "deep tanh": ((6, 5, 4, 1), ("tanh", "tanh", "sigmoid")),
}


def exact(units, activations, m=64, seed=0):
    """Integers for which a step of gradient descent is representable in float32, as float64.

    Weights into tanh and sigmoid units are multiples of 1536, so that z is 0 (tanh 0 = 0 and σ(0) = ½, with slopes 1
    and ¼) or saturated. The last layer is scaled by 3072 and its bias is 768: a is a multiple of ½, and no |z| is below
    768. The first example has the wrong label, so that the gradient is not 0.
    """
    rng = np.random.default_rng(seed)
    L, params = len(activations), {}
    for l in range(1, L + 1):
        scale = 3072 if l == L else 1536 if activations[l - 1] in ("tanh", "sigmoid") else 1
        params[f"W{l}"] = scale * rng.integers(-1, 2, (units[l], units[l - 1])).astype(np.float64)
        params[f"b{l}"] = np.full((units[l], 1), 768.0 if l == L else 0.0)
    X = rng.integers(-2, 3, (units[0], m)).astype(np.float64)
    Y = rng.integers(0, 2, (units[-1], m)).astype(np.float64)
    Y[:, :1] = 1 - reference.forward(params, X[:, :1], activations)[0]
    return params, X, Y


def cast(dtype, params, X, Y):
    """The same in another dtype, read-only."""
    arrays = {name: array.astype(dtype) for name, array in {**params, "X": X, "Y": Y}.items()}
    for array in arrays.values():
        array.setflags(write=False)
    X, Y = arrays.pop("X"), arrays.pop("Y")
    return arrays, X, Y


def expected_step(params, X, Y, activations):
    """By hand in float64. The gradients must be float32 numbers, so that both dtypes owe the same, and not all 0."""
    grads = reference.gradients(params, X, Y, activations)
    assert all(np.array_equal(grad, grad.astype(np.float32)) for grad in grads.values())
    nonzero = [np.any(grad) for name, grad in grads.items() if X.shape[1] < 64 or name.startswith("dW")]
    assert any(nonzero) if X.shape[1] < 64 else all(nonzero)
    return reference.update(params, grads, LEARNING_RATE)


def same_bits(got, expected, dtype):
    """W − α dW is rounded once, from the same exact number: equal in float32 after one cast."""
    return list(got) == list(expected) and all(
        got[name].dtype == dtype and np.array_equal(got[name], expected[name].astype(dtype)) for name in expected
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [1, 2, 64, 256])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_step_is_minus_alpha_times_the_gradient(network, m, dtype):
    units, activations = NETWORKS[network]
    problem = exact(units, activations, m, seed=1)
    expected = expected_step(*problem, activations)
    assert same_bits(baseline.step(*cast(dtype, *problem), LEARNING_RATE, activations), expected, dtype)


@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("network", ["relu", "three outputs"])
def test_one_class_only(network, label):
    units, activations = NETWORKS[network]
    params, X, Y = exact(units, activations)
    problem = params, X, np.full_like(Y, label)
    assert np.all(reference.forward(params, X, activations)[0] == label, axis=1).sum() == 0
    expected = expected_step(*problem, activations)
    assert same_bits(baseline.step(*cast(np.float64, *problem), LEARNING_RATE, activations), expected, np.float64)


@pytest.mark.parametrize("network", NETWORKS)
def test_no_logit_of_the_output_is_small(network):
    units, activations = NETWORKS[network]
    params, X, _ = exact(units, activations)
    _, cache = reference.forward(params, X, activations)
    assert np.min(np.abs(cache[f"Z{len(activations)}"])) >= 768


def test_a_network_of_zeros_by_hand():
    """x = 2, y = 1: a2 = ½, dz2 = −½, db2 = −½; A1 = 0 and W2 = 0 leave everything else where it is."""
    zeros = {"W1": np.zeros((1, 1)), "b1": np.zeros((1, 1)), "W2": np.zeros((1, 1)), "b2": np.zeros((1, 1))}
    got = baseline.step(zeros, np.array([[2.0]]), np.array([[1.0]]), 0.5)
    assert {name: array.item() for name, array in got.items()} == {"W1": 0, "b1": 0, "W2": 0, "b2": 0.25}


def test_steps_do_not_remember_each_other():
    units, activations = NETWORKS["relu"]
    problem = cast(np.float64, *exact(units, activations))
    first, second = (baseline.step(*problem, LEARNING_RATE, activations) for _ in range(2))
    assert same_bits(second, first, np.float64)


def test_what_goes_in_stays():
    units, activations = NETWORKS["deep"]
    params, X, Y = cast(np.float64, *exact(units, activations))
    got = baseline.step(params, X, Y, LEARNING_RATE, activations)
    again, X_again, Y_again = exact(units, activations)
    assert same_bits({**params, "X": X, "Y": Y}, {**again, "X": X_again, "Y": Y_again}, np.float64)
    assert not any(np.shares_memory(got[name], params[name]) for name in params)
    assert all(array.flags.writeable for array in got.values())


FAULTS = {
    "penalty": {"alpha": 1.0},
    "momentum": {"momentum": 0.5},  # the step that allocates would leak into the next
    "half a batch": {"batch_size": 32},
    "learning rate": {"learning_rate_init": 2 * LEARNING_RATE},
    "activation": {"activation": "tanh"},
    "solver": {"solver": "adam"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(monkeypatch, fault):
    classifier = baseline.MLPClassifier
    monkeypatch.setattr(baseline, "MLPClassifier", lambda **settings: classifier(**{**settings, **FAULTS[fault]}))
    units, activations = NETWORKS["relu"]
    problem = exact(units, activations)
    expected = expected_step(*problem, activations)
    assert not same_bits(baseline.step(*cast(np.float64, *problem), LEARNING_RATE, activations), expected, np.float64)


@pytest.mark.parametrize(
    ("activations", "dtype", "reason"),
    [
        (("sigmoid",), "float64", None),
        (("tanh", "sigmoid"), np.float32, None),
        (("relu", "relu", "sigmoid"), np.dtype("float64"), None),
        (("relu", "tanh"), "float64", "sigmoid output"),
        (("relu", "tanh", "sigmoid"), "float64", "one activation"),
        (("leaky_relu", "sigmoid"), "float64", "leaky_relu"),
        (("tanh", "sigmoid"), np.float16, "float16"),
    ],
)
def test_unsupported_says_why(activations, dtype, reason):
    got = baseline.unsupported(activations, dtype)
    assert got is None if reason is None else reason in got and "\n" not in got


def test_an_unsupported_network_is_refused():
    params, X, Y = exact(*NETWORKS["relu"])
    with pytest.raises(ValueError, match="leaky_relu"):
        baseline.step(params, X, Y, LEARNING_RATE, ("leaky_relu", "sigmoid"))
    with pytest.raises(ValueError, match="float16"):
        baseline.step(*cast(np.float16, params, X, Y), LEARNING_RATE, ("relu", "sigmoid"))
