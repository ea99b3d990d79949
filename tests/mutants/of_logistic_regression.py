"""Faults in logistic regression by hand: vectorised, and in the slide's loops."""

from __future__ import annotations

from tests.mutants.planting import Mutant, faults_in

_vectorised = faults_in("reference", "logistic_regression.py", "reference")
_loop = faults_in("reference", "logistic_regression.py", "reference-loop")
_sigma = faults_in("reference", "activations.py", "reference")

TF32 = '''

def _tf32(x: Array) -> Array:
    """The float32s with 10 bits of mantissa, rounded to nearest even: what tensor cores read."""
    bits = x.view(np.uint32)
    return ((bits + 0xFFF + ((bits >> 13) & 1)) & 0xFFFFE000).view(np.float32)
'''

_Z = 'np.dot(params["w"].T, X) + params["b"]'
_LOSSES = "np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))"
_J = f"losses = {_LOSSES}\n    return np.sum(losses) / Y.shape[1]"
_OF_PROBABILITIES = "-(Y * np.log(A) + (1 - Y) * np.log(1 - A))\n    return np.sum(losses) / Y.shape[1]"
_BACKWARD = 'm = X.shape[1]\n    dZ = cache["A"] - Y'

FORWARD: tuple[Mutant, ...] = (
    _vectorised("b left out of Z", _Z, 'np.dot(params["w"].T, X)', "house_prices", "Z", looks_like="the bias left out"),
    _vectorised(
        "a float32 product inside float64",
        _Z,
        'np.dot(params["w"].T.astype(np.float32), X.astype(np.float32)).astype(X.dtype) + params["b"]',
        "breast_cancer_logistic",
        "Z",
        looks_like="float32 inside float64",
    ),
    _vectorised(
        "TF32 products, emulated in NumPy",
        _Z,
        'np.dot(_tf32(params["w"].T), _tf32(X)) + params["b"]',
        "breast_cancer_logistic",
        "Z",
        "float32",
        helper=TF32,
        looks_like="inputs in TF32/float16 inside float32",
    ),
    _vectorised(
        "sigma in float32 inside float64",
        "A = sigmoid(Z)\n    return",
        "A = sigmoid(Z.astype(np.float32)).astype(Z.dtype)\n    return",
        "house_prices",
        "A",
        looks_like="float32 inside float64",
    ),
    _sigma(
        "sigma as e^z / (1 + e^z), which overflows",
        "1 / (1 + np.exp(-Z))",
        "np.exp(Z) / (1 + np.exp(Z))",
        "saturation_800",
        "A",
    ),
    _sigma(
        "a clamp of sigma at 1e-7",
        "return 1 / (1 + np.exp(-Z))",
        "return np.clip(1 / (1 + np.exp(-Z)), 1e-7, 1 - 1e-7)",
        "saturation_17",
        "A",
        looks_like="a clamp of probabilities at 1e-7",
    ),
)

COST: tuple[Mutant, ...] = (
    _vectorised("log(1 + e^z) that overflows", _LOSSES, "np.log(1 + np.exp(Z)) - Y * Z", "saturation_800", "J"),
    _vectorised(
        "J without 1/m",
        "return np.sum(losses) / Y.shape[1]",
        "return np.sum(losses)",
        "house_prices",
        "J",
        count=2,
        looks_like="a factor m",
    ),
    _vectorised(
        "J with the labels exchanged",
        _LOSSES,
        _LOSSES.replace("Y * Z", "(1 - Y) * Z"),
        "ad_clicks",
        "J",
        looks_like="the labels exchanged",
    ),
    _vectorised(
        "log(a + 1e-8) in the cost",
        _LOSSES,
        "-(Y * np.log(sigmoid(Z) + 1e-8) + (1 - Y) * np.log(1 - sigmoid(Z) + 1e-8))",
        "wine_logistic",
        "J",
        looks_like="an epsilon of 1e-8 inside the log",
    ),
    _vectorised(
        "probabilities clamped at 1e-7 in the cost",
        f"losses = {_LOSSES}",
        "A = np.clip(sigmoid(Z), 1e-7, 1 - 1e-7)\n    losses = -(Y * np.log(A) + (1 - Y) * np.log(1 - A))",
        "saturation_17",
        "J",
        looks_like="a clamp of probabilities at 1e-7",
    ),
    _vectorised(
        "log clamped at -100",
        f"losses = {_LOSSES}",
        "A = sigmoid(Z)\n    with np.errstate(divide='ignore'):\n        "
        "losses = -(Y * np.maximum(np.log(A), -100) + (1 - Y) * np.maximum(np.log(1 - A), -100))",
        "saturation_800",
        "J",
        looks_like="a clamp of log at −100",
    ),
    _vectorised(
        "the slide's cost, from probabilities",
        _J,
        "return cross_entropy_of_probabilities(sigmoid(Z), Y)",
        "saturation_800",
        "J",
    ),
)

BACKWARD: tuple[Mutant, ...] = (
    _vectorised("dZ = Y - A", 'dZ = cache["A"] - Y', 'dZ = Y - cache["A"]', "one_example", "dZ", looks_like="a sign"),
    _vectorised(
        "sigma' multiplied into dZ",
        'dZ = cache["A"] - Y',
        'dZ = (cache["A"] - Y) * cache["A"] * (1 - cache["A"])',
        "house_prices",
        "dZ",
        looks_like="an extra factor σ'(Z)",
    ),
    _vectorised(
        "dw without 1/m",
        "np.dot(X, dZ.T) / m",
        "np.dot(X, dZ.T)",
        "breast_cancer_logistic",
        "dw",
        looks_like="a factor m",
    ),
    _vectorised(
        "1/m in dw twice",
        "np.dot(X, dZ.T) / m",
        "np.dot(X, dZ.T) / m / m",
        "logistic_exact",
        "dw",
        "bfloat16",
        looks_like="a factor 1/m",
    ),
    _vectorised("db with 1/n_x", "np.sum(dZ) / m", "np.sum(dZ) / X.shape[0]", "ad_clicks", "db"),
    _vectorised("m = X.shape[0]", _BACKWARD, _BACKWARD.replace("X.shape[1]", "X.shape[0]"), "house_prices", "dw"),
    _vectorised(
        "m = Y.shape[0]",
        _BACKWARD,
        _BACKWARD.replace("X.shape[1]", "Y.shape[0]"),
        "logistic_exact",
        "dw",
        "float16",
        looks_like="a factor m",
    ),
    _vectorised(
        "A for dZ in dw",
        "np.dot(X, dZ.T) / m",
        'np.dot(X, cache["A"].T) / m',
        "all_labels_1",
        "dw",
        looks_like="A in place of dZ",
    ),
    _vectorised(
        "bfloat16 products in float32",
        "np.dot(X, dZ.T) / m",
        'np.dot(X.astype("bfloat16").astype(X.dtype), dZ.T.astype("bfloat16").astype(X.dtype)) / m',
        "wine_logistic",
        "dw",
        "float32",
        helper="\nimport ml_dtypes  # registers bfloat16\n",
        looks_like="inputs in bfloat16 inside float32",
    ),
    _vectorised(
        "a change of 1e-12 in dw, exact problem", '"dw": dw,', '"dw": dw * (1 + 1e-12),', "logistic_exact", "dw"
    ),
    faults_in("reference", "logistic_regression.py", "sklearn-optimum")(
        "dw without 1/m at scikit-learn's optimum",
        "np.dot(X, dZ.T) / m",
        "np.dot(X, dZ.T)",
        "wine_logistic",
        "dw at C=1",
    ),
)

UPDATE: tuple[Mutant, ...] = (
    _vectorised(
        "the last update not made",
        "params = update(params, grads, learning_rate)",
        "params = update(params, grads, learning_rate) if i < iterations - 1 else params",
        "logistic_training",
        "w",
        "float16",
    ),
    _vectorised(
        "an update uphill",
        'params["w"] - learning_rate',
        'params["w"] + learning_rate',
        "logistic_wide",
        "new_w",
        looks_like="a step uphill: + in place of −",
    ),
    _vectorised(
        "an update without alpha", 'learning_rate * grads["dw"]', 'grads["dw"]', "house_prices", "new_w", "float32"
    ),
    _vectorised(
        "b not updated",
        'params["b"] - learning_rate * grads["db"]',
        'params["b"]',
        "house_prices",
        "new_b",
        looks_like="no update",
    ),
    _vectorised(
        "alpha/m in gradient descent",
        "params = update(params, grads, learning_rate)",
        "params = update(params, grads, learning_rate / X.shape[1])",
        "logistic_training",
        "costs",
        "bfloat16",
    ),
    _vectorised(
        "J after the update, not before it",
        "params = update(params, grads, learning_rate)",
        "params = update(params, grads, learning_rate)\n        costs[i] = cost(params, X, Y)",
        "logistic_training",
        "costs",
    ),
)

_EXAMPLES = "for i in range(m):\n        z = b\n"

LOOP: tuple[Mutant, ...] = (
    _loop(
        "the last feature skipped in z",
        "for j in range(n_x):\n            z =",
        "for j in range(n_x - 1):\n            z =",
        "wine_logistic",
        "J",
    ),
    _loop("z not reset for each example", _EXAMPLES, "z = b\n    for i in range(m):\n", "house_prices", "J"),
    _loop(
        "the first example dropped",
        _EXAMPLES,
        _EXAMPLES.replace("(m)", "(1, m)"),
        "ad_clicks",
        "J",
        looks_like="example 0 left out",
    ),
    _loop(
        "the first example counted twice",
        _EXAMPLES,
        _EXAMPLES.replace("range(m)", "[0, *range(m)]"),
        "ad_clicks",
        "J",
        "float32",
        looks_like="example 0 counted twice",
    ),
    _loop(
        "J of the last example alone",
        "J = J + np.maximum",
        "J = np.maximum",
        "house_prices",
        "J",
        looks_like="the last example alone, divided by m",
    ),
    _loop(
        "dw of the last example alone",
        "dw[j] += X[j, i] * dz",
        "dw[j] = X[j, i] * dz",
        "logistic_exact",
        "dw",
        "float16",
        looks_like="zero",
    ),
    _loop(
        "dw accumulated from 1",
        "X.dtype.type(0), np.zeros_like(w)",
        "X.dtype.type(0), np.ones_like(w)",
        "wine_logistic",
        "dw",
        looks_like="a sum that starts at 1",
    ),
    _loop(
        "1/m inside the loop and outside",
        "X[j, i] * dz\n",
        "X[j, i] * dz / m\n",
        "breast_cancer_logistic",
        "dw",
        looks_like="a factor 1/m",
    ),
    _loop(
        "db accumulated once a feature",
        "dw[j] += X[j, i] * dz\n        db = db + dz\n",
        "dw[j] += X[j, i] * dz\n            db = db + dz\n",
        "constant_feature",
        "db",
        looks_like="a factor n_x",
    ),
    _loop(
        "dw and db not divided in the loop",
        '{"dw": dw[:, None] / m, "db": db / m}',
        '{"dw": dw[:, None], "db": db}',
        "zero_logits",
        "dw",
        looks_like="a factor m",
    ),
)
