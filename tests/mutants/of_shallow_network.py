"""Faults in the network with one hidden layer by hand: vectorised, and unit by unit and example by example."""

from __future__ import annotations

from tests.mutants.planting import Mutant, faults_in

_vectorised = faults_in("reference", "shallow_network.py", "reference")
_loop = faults_in("reference", "shallow_network.py", "reference-loop")
_cost = faults_in("reference", "logistic_regression.py", "reference")
_g = faults_in("reference", "activations.py", "reference")

_Z1 = 'np.dot(params["W1"], X) + params["b1"]'
_A1 = "A1 = g1(Z1)\n    Z2"
_J = "np.log1p(np.exp(-np.abs(Z)))\n    return np.sum(losses) / Y.shape[1]"
_DZ1 = 'dZ1 = np.dot(params["W2"].T, dZ2) * g1_prime(cache["Z1"])'
_DW1 = "dW1 = np.dot(dZ1, X.T) / m"

FORWARD: tuple[Mutant, ...] = (
    _vectorised(
        "b1 left out of Z1",
        _Z1,
        'np.dot(params["W1"], X)',
        "shallow_exact_tanh",
        "Z1",
        "bfloat16",
        looks_like="the bias left out",
    ),
    _vectorised(
        "b2 subtracted",
        '+ params["b2"]\n    A2',
        '- params["b2"]\n    A2',
        "wine_shallow",
        "Z2",
        looks_like="the bias subtracted",
    ),
    _vectorised(
        "tanh for sigmoid at the output",
        "A2 = g2(Z2)",
        "A2 = g1(Z2)",
        "breast_cancer_shallow",
        "A2",
        looks_like="tanh in place of sigmoid",
    ),
    _vectorised(
        "Z1 in place of A1 in the output layer",
        'params["W2"], A1) +',
        'params["W2"], Z1) +',
        "flower",
        "Z2",
        looks_like="Z1 in place of A1",
    ),
    _vectorised(
        "ReLU for the hidden layer's own g",
        _A1,
        _A1.replace("g1(Z1)", 'ACTIVATIONS["relu"](Z1)'),
        "single_feature",
        "A1",
        looks_like="relu in place of tanh",
    ),
    _g(
        "leaky ReLU for ReLU",
        "np.maximum(0, Z)",
        "np.maximum(0.01 * Z, Z)",
        "wine_cultivars",
        "A1",
        looks_like="leaky_relu in place of relu",
    ),
    _g(
        "the leaky slope applied where z > 0",
        "np.maximum(0.01 * Z, Z)",
        "np.minimum(0.01 * Z, Z)",
        "wine_shallow",
        "A1",
    ),
)

COST: tuple[Mutant, ...] = (
    _cost(
        "J divided by n_y m",
        _J,
        _J.replace("np.sum(losses) / Y.shape[1]", "np.mean(losses)"),
        "wine_cultivars",
        "J",
        looks_like="a factor 1/n_y",
    ),
    _cost(
        "J of the first output unit alone",
        _J,
        _J.replace("np.sum(losses)", "np.sum(losses[0])"),
        "shallow_exact_ny3",
        "J",
        "float16",
    ),
)

BACKWARD: tuple[Mutant, ...] = (
    _vectorised(
        "dZ2 = Y - A2",
        'dZ2 = cache["A2"] - Y',
        'dZ2 = Y - cache["A2"]',
        "zero_initialisation",
        "dZ2",
        looks_like="a sign",
    ),
    _vectorised(
        "dZ2 divided by n_y",
        'dZ2 = cache["A2"] - Y',
        'dZ2 = (cache["A2"] - Y) / Y.shape[0]',
        "wine_cultivars",
        "dZ2",
        looks_like="a factor 1/n_y",
    ),
    _vectorised(
        "sigma' multiplied into dZ2",
        'dZ2 = cache["A2"] - Y',
        'dZ2 = (cache["A2"] - Y) * cache["A2"] * (1 - cache["A2"])',
        "flower",
        "dZ2",
        looks_like="an extra factor σ'(Z)",
    ),
    _vectorised(
        "dW2 without 1/m",
        'np.dot(dZ2, cache["A1"].T) / m',
        'np.dot(dZ2, cache["A1"].T)',
        "single_feature",
        "dW2",
        looks_like="a factor m",
    ),
    _vectorised(
        "Z1 for A1 in dW2",
        'np.dot(dZ2, cache["A1"].T) / m',
        'np.dot(dZ2, cache["Z1"].T) / m',
        "shallow_exact_leaky",
        "dW2",
        "bfloat16",
        looks_like="Z1 in place of A1",
    ),
    _vectorised(
        "db2 without keepdims", "np.sum(dZ2, axis=1, keepdims=True)", "np.sum(dZ2, axis=1)", "single_feature", "db2"
    ),
    _vectorised("g' left out of dZ1", _DZ1, 'dZ1 = np.dot(params["W2"].T, dZ2)', "wine_shallow", "dZ1"),
    _vectorised(
        "g for g' in dZ1",
        _DZ1,
        _DZ1.replace('g1_prime(cache["Z1"])', 'cache["A1"]'),
        "single_feature",
        "dZ1",
        looks_like="g in place of g'",
    ),
    _vectorised(
        "g' of A1 for g' of Z1",
        _DZ1,
        _DZ1.replace('cache["Z1"]', 'cache["A1"]'),
        "breast_cancer_shallow",
        "dZ1",
        looks_like="g' of A1",
    ),
    _vectorised(
        "the output's g' in the hidden layer",
        "m = X.shape[1]\n    g1_prime = DERIVATIVES[activations[0]]",
        "m = X.shape[1]\n    g1_prime = DERIVATIVES[activations[1]]",
        "flower",
        "dZ1",
        looks_like="the derivative of sigmoid, not of tanh",
    ),
    _vectorised(
        "dW2 for W2 in dZ1",
        _DZ1,
        _DZ1.replace('params["W2"].T', "dW2.T"),
        "wine_cultivars",
        "dZ1",
        looks_like="dW2 in place of W2",
    ),
    _vectorised(
        "the updated W2 in dZ1",
        _DZ1,
        _DZ1.replace('params["W2"].T', '(params["W2"] - 0.3 * dW2).T'),
        "breast_cancer_shallow",
        "dZ1",
        "float32",
        looks_like="W2 after its update",
    ),
    _g(
        "relu' of the leaky layer",
        '"leaky_relu": leaky_relu_derivative',
        '"leaky_relu": relu_derivative',
        "wine_shallow",
        "dZ1",
        looks_like="the derivative of relu, not of leaky_relu",
    ),
    _g(
        "tanh' = 1 - z^2 in a network",
        "1 - tanh(Z) ** 2",
        "1 - Z**2",
        "breast_cancer_shallow",
        "dZ1",
        looks_like="1 − Z1² in place of 1 − A1²",
    ),
    _g("tanh' = 1 - a", "1 - tanh(Z) ** 2", "1 - tanh(Z)", "feature_scales", "dZ1"),
    _g(
        "relu'(0) = 1",
        "(Z > 0).astype",
        "(Z >= 0).astype",
        "kink_relu",
        "dZ1",
        "bfloat16",
        looks_like="another convention at the kink, g'(0) = 1",
    ),
    _g(
        "leaky relu'(0) = 1",
        "np.where(Z > 0, 1, 0.01)",
        "np.where(Z >= 0, 1, 0.01)",
        "kink_leaky_relu",
        "dZ1",
        looks_like="another convention at the kink, g'(0) = 1",
    ),
    _vectorised(
        "dW1 without 1/m", _DW1, "dW1 = np.dot(dZ1, X.T)", "breast_cancer_shallow", "dW1", looks_like="a factor m"
    ),
    _vectorised("1/m in dW1 twice", _DW1, f"{_DW1} / m", "wine_shallow", "dW1", looks_like="a factor 1/m"),
    _vectorised(
        "1/n_x for 1/m in dW1",
        _DW1,
        "dW1 = np.dot(dZ1, X.T) / X.shape[0]",
        "breast_cancer_shallow",
        "dW1",
        looks_like="a factor m/n_x",
    ),
    _vectorised(
        "dW1 uphill", _DW1, "dW1 = -np.dot(dZ1, X.T) / m", "shallow_wide", "dW1", "float32", looks_like="a sign"
    ),
    _vectorised(
        "one example dropped from dW1",
        _DW1,
        "dW1 = np.dot(dZ1[:, 1:], X[:, 1:].T) / m",
        "breast_cancer_shallow",
        "dW1",
        looks_like="example 0 left out",
    ),
    _vectorised(
        "one example twice in dW1",
        _DW1,
        "dW1 = (np.dot(dZ1, X.T) + np.dot(dZ1[:, :1], X[:, :1].T)) / m",
        "breast_cancer_shallow",
        "dW1",
        looks_like="example 0 counted twice",
    ),
    _vectorised(
        "one element of dW1 changed by 1e-12",
        _DW1,
        f"{_DW1}\n    dW1[0, 0] *= 1 + 1e-12",
        "breast_cancer_shallow",
        "dW1",
        looks_like="one element alone, off by +1.0e-12 of itself",
    ),
    _vectorised(
        "one element of dW1 changed by 1e-12, exact problem",
        _DW1,
        f"{_DW1}\n    dW1[0, 0] *= 1 + 1e-12",
        "shallow_wide",
        "dW1",
        looks_like="one element alone, off by +1.0e-12 of itself",
    ),
    _vectorised(
        "dZ1 is not returned",
        '"dZ1": dZ1, "dW1": dW1, "db1": db1}\n\n\ndef backward_one',
        '"dW1": dW1, "db1": db1}\n\n\ndef backward_one',
        "wine_shallow",
        "dZ1",
    ),
    _vectorised(
        "a float32 product in dW1 alone",
        _DW1,
        "dW1 = np.dot(dZ1.astype(np.float32), X.T.astype(np.float32)).astype(X.dtype) / m",
        "breast_cancer_shallow",
        "dW1",
        looks_like="float32 inside float64",
    ),
    _vectorised(
        "db1 over the units, not the examples",
        "db1 = np.sum(dZ1, axis=1",
        "db1 = np.sum(dZ1, axis=0",
        "wine_shallow",
        "db1",
    ),
    _vectorised(
        "db1 over everything",
        "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
        "db1 = np.full_like(params['b1'], np.sum(dZ1) / m)",
        "shallow_exact_sigmoid",
        "db1",
        "float16",
        looks_like="a sum over the units as well",
    ),
    _vectorised(
        "db1 without 1/m",
        "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
        "db1 = np.sum(dZ1, axis=1, keepdims=True)",
        "shallow_exact_identity",
        "db1",
        "float32",
        looks_like="a factor m",
    ),
)

UPDATE: tuple[Mutant, ...] = (
    _vectorised(
        "alpha rounded to float32",
        'learning_rate * grads["dW1"]',
        'np.float32(learning_rate) * grads["dW1"]',
        "flower",
        "new_W1",
    ),
    _vectorised(
        "W1 updated uphill",
        'params["W1"] - learning_rate',
        'params["W1"] + learning_rate',
        "flower",
        "new_W1",
        looks_like="a step uphill: + in place of −",
    ),
    _vectorised(
        "W2 updated without alpha",
        'learning_rate * grads["dW2"]',
        'grads["dW2"]',
        "shallow_wide_tanh",
        "new_W2",
        "float32",
    ),
    _vectorised(
        "b2 not updated",
        'params["b2"] - learning_rate * grads["db2"]',
        'params["b2"]',
        "single_feature",
        "new_b2",
        looks_like="no update",
    ),
    _vectorised(
        "alpha/m in the training of a shallow network",
        "update(params, grads, learning_rate)\n    return",
        "update(params, grads, learning_rate / X.shape[1])\n    return",
        "shallow_training",
        "costs",
    ),
)

_SUMS = "sums = {name: sums[name] + grads[name] for name in sums}"

LOOP: tuple[Mutant, ...] = (
    _loop(
        "b1 left out unit by unit",
        "np.dot(w_j, x) + b_j",
        "np.dot(w_j, x)",
        "single_feature",
        "Z1",
        looks_like="the bias left out",
    ),
    _loop(
        "the examples stacked in reverse",
        "for i in range(X.shape[1])]",
        "for i in reversed(range(X.shape[1]))]",
        "wine_shallow",
        "Z1",
    ),
    _loop(
        "gradients of the last example alone",
        _SUMS,
        "sums = {name: grads[name] for name in sums}",
        "shallow_exact_ny3",
        "dW2",
        "bfloat16",
        looks_like="zero",
    ),
    _loop(
        "sums that start at 1",
        "np.zeros_like(p)",
        "np.ones_like(p)",
        "wine_shallow",
        "dW2",
        looks_like="a sum that starts at 1",
    ),
    _loop(
        "the last example left out of the sums",
        "for i in range(m):\n        x, y",
        "for i in range(m - 1):\n        x, y",
        "single_feature",
        "dW2",
        looks_like="example 5 left out",
    ),
    _loop(
        "1/n_h in the formulas of one example",
        'dW2 = np.dot(dz2, cache["A1"].T)\n',
        'dW2 = np.dot(dz2, cache["A1"].T) / params["W2"].shape[1]\n',
        "shallow_exact_relu",
        "dW2",
        "float16",
    ),
    _loop("db1 = dz1 without g'", "db1 = dz1", 'db1 = np.dot(params["W2"].T, dz2)', "flower", "db1"),
)
