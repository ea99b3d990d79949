"""Faults in the network with L layers by hand; many need equal sizes, where no shape objects."""

from __future__ import annotations

from tests.mutants.planting import Mutant, faults_in

_vectorised = faults_in("reference", "deep_network.py", "reference")
_loop = faults_in("reference", "deep_network.py", "reference-loop")
_g = faults_in("reference", "activations.py", "reference")

_Z = "Z = np.dot(W, A_prev) + b"
_M = "m, L = X.shape[1], len(activations)"
_A = 'A = [X] + [cache[f"A{l}"] for l in range(1, L + 1)]'
_DW = 'grads[f"dW{l}"] = np.dot(dZ, A[l - 1].T) / m'
_DB = 'grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m'
_DZ = 'np.dot(params[f"W{l}"].T, dZ) * g_prime(cache[f"Z{l - 1}"])'

FORWARD: tuple[Mutant, ...] = (
    _vectorised(
        "W.T in a square shape, forward", _Z, _Z.replace("W,", "W.T,"), "equal_sizes", "Z1", looks_like="W1 transposed"
    ),
    _vectorised(
        "an elementwise product for a matrix product",
        _Z,
        "Z = W * A_prev + b",
        "equal_sizes",
        "Z1",
        looks_like="∗ in place of a matrix product",
    ),
    _vectorised(
        "b along the wrong axis",
        _Z,
        _Z.replace("+ b", "+ b.T"),
        "equal_sizes",
        "Z1",
        "float32",
        looks_like="b1 along the wrong axis",
    ),
    _vectorised(
        "A W for W A", _Z, "Z = np.dot(A_prev, W) + b", "equal_sizes", "Z1", looks_like="X W1 in place of W1 X"
    ),
    _vectorised(
        "b twice",
        _Z,
        _Z.replace("+ b", "+ 2 * b"),
        "deep_exact_L6",
        "Z1",
        "bfloat16",
        looks_like="the bias added twice",
    ),
    _g(
        "leaky_relu_exact with the slide's slope",
        "np.maximum(Z / 4, Z)",
        "np.maximum(Z / 100, Z)",
        "deep_wide",
        "A2",
        "float32",
        looks_like="leaky_relu in place of leaky_relu_exact",
    ),
)

BACKWARD: tuple[Mutant, ...] = (
    _vectorised(
        "dZ[L] = Y - A[L]", "dZ = A[L] - Y", "dZ = Y - A[L]", "deep_exact_m1", "dZ3", "float16", looks_like="a sign"
    ),
    _vectorised(
        "dA[L] multiplied out wrongly",
        "dZ = A[L] - Y",
        "dZ = (A[L] - Y) * A[L] * (1 - A[L])",
        "single_example",
        "dZ3",
        looks_like="an extra factor σ'(Z)",
    ),
    _vectorised(
        "the caches of A in reverse",
        _A,
        'A = [X] + [cache[f"A{l}"] for l in range(L - 1, 0, -1)] + [cache[f"A{L}"]]',
        "equal_sizes",
        "dW3",
        looks_like="A1 in place of A2",
    ),
    _vectorised(
        "the caches of Z in reverse",
        _DZ,
        _DZ.replace("Z{l - 1}", "Z{L - l + 1}"),
        "equal_sizes",
        "dZ2",
        looks_like="g'(Z1) in place of g'(Z2)",
    ),
    _vectorised(
        "A[l] for A[l-1] in dW",
        _DW,
        _DW.replace("A[l - 1]", "A[l]"),
        "equal_sizes",
        "dW3",
        looks_like="A3 in place of A2",
    ),
    _vectorised(
        "dW transposed in a square shape",
        _DW,
        'grads[f"dW{l}"] = np.dot(A[l - 1], dZ.T) / m',
        "equal_sizes",
        "dW3",
        looks_like="a transpose",
    ),
    _vectorised(
        "dZ.T in dW in a square shape",
        _DW,
        _DW.replace("dZ,", "dZ.T,"),
        "equal_sizes",
        "dW3",
        "float32",
        looks_like="dZ3 transposed",
    ),
    _vectorised(
        "W for W.T backward",
        _DZ,
        _DZ.replace('W{l}"].T', 'W{l}"]'),
        "equal_sizes",
        "dZ2",
        looks_like="W3 not transposed",
    ),
    _vectorised("W of the layer below", _DZ, _DZ.replace('W{l}"].T', 'W{l - 1}"].T'), "equal_sizes", "dZ2"),
    _vectorised("the last layer's dZ reused", _DZ, _DZ.replace("dZ)", "A[L] - Y)"), "equal_sizes", "dZ1"),
    _vectorised("g' left out of dZ[l]", _DZ, 'np.dot(params[f"W{l}"].T, dZ)', "wine_deep", "dZ4"),
    _vectorised(
        "g' of the layer above",
        "DERIVATIVES[activations[l - 2]]",
        "DERIVATIVES[activations[l - 1]]",
        "four_layers",
        "dZ2",
        looks_like="the derivative of sigmoid, not of relu",
    ),
    _vectorised(
        "the output's g' in all hidden layers",
        "DERIVATIVES[activations[l - 2]]",
        "DERIVATIVES[activations[-1]]",
        "breast_cancer_deep",
        "dZ2",
        looks_like="the derivative of sigmoid, not of relu",
    ),
    _g(
        "leaky_relu_exact'(0) = 1",
        "np.where(Z > 0, 1, 1 / 4)",
        "np.where(Z >= 0, 1, 1 / 4)",
        "kink_leaky_exact",
        "dZ1",
        "float32",
        looks_like="another convention at the kink, g'(0) = 1",
    ),
    _vectorised(
        "m = X.shape[0], deep", _M, _M.replace("[1]", "[0]"), "four_layers", "dW4", looks_like="a factor m/n_x"
    ),
    _vectorised(
        "m from the wrong axis of Y",
        _M,
        _M.replace("X.shape[1]", "Y.shape[0]"),
        "breast_cancer_deep",
        "dW3",
        looks_like="a factor m",
    ),
    _vectorised(
        "dW without 1/m, deep", _DW, _DW.replace(" / m", ""), "deep_exact_L5", "dW5", "float16", looks_like="a factor m"
    ),
    _vectorised(
        "1/m for each layer passed", _DZ, f"{_DZ} / m", "deep_exact_L3", "dZ2", "float32", looks_like="a factor 1/m"
    ),
    _vectorised("dW doubled", _DW, f"{_DW} * 2", "deep_exact_ny2", "dW3", "bfloat16", looks_like="a factor 2"),
    _vectorised(
        "dW in float64 whatever the format is",
        _DW,
        f'{_DW}\n        grads[f"dW{{l}}"] = grads[f"dW{{l}}"].astype(np.float64)',
        "four_layers",
        "dW4",
        "float32",
    ),
    _vectorised(
        "one element of dW1 changed by 1e-12, deep",
        _DW,
        f'{_DW}\n        grads[f"dW{{l}}"].flat[0] *= 1 + 1e-12 * (l == 1)',
        "four_layers",
        "dW1",
        looks_like="one element alone, off by +1.0e-12 of itself",
    ),
    _vectorised(
        "db over the units in a square shape",
        _DB,
        _DB.replace("np.sum(dZ, axis=1", "np.sum(dZ.T, axis=1"),
        "equal_sizes",
        "db3",
        looks_like="a sum over the units, not over the examples",
    ),
    _vectorised("db without keepdims", _DB, _DB.replace(", keepdims=True", ""), "single_example", "db3"),
    _vectorised(
        "db of the first example alone",
        _DB,
        'grads[f"db{l}"] = dZ[:, :1]',
        "deep_exact_L4_mixed",
        "db4",
        "bfloat16",
        looks_like="zero",
    ),
)

_UPDATE = 'p - learning_rate * grads["d" + name]'

UPDATE: tuple[Mutant, ...] = (
    _vectorised(
        "every layer updated uphill",
        _UPDATE,
        _UPDATE.replace("p -", "p +"),
        "deep_wide",
        "new_W1",
        looks_like="a step uphill: + in place of −",
    ),
    _vectorised(
        "biases not updated",
        _UPDATE,
        f'p if name[0] == "b" else {_UPDATE}',
        "four_layers",
        "new_b1",
        looks_like="no update",
    ),
    _vectorised(
        "the first layer not updated",
        _UPDATE,
        f'p if name == "W1" else {_UPDATE}',
        "wine_deep",
        "new_W1",
        looks_like="no update",
    ),
    _vectorised(
        "a learning rate that decays",
        "update(params, grads, learning_rate)\n    return",
        "update(params, grads, learning_rate / (i + 1))\n    return",
        "deep_training",
        "costs",
        "float32",
    ),
)

_SUMS = "sums = {name: sums[name] + grads[name] for name in sums}"

LOOP: tuple[Mutant, ...] = (
    _loop(
        "an average of the last two examples",
        _SUMS,
        "sums = {name: (sums[name] + grads[name]) / 2 for name in sums}",
        "four_layers",
        "dW4",
    ),
    _loop(
        "the sums of the examples not divided",
        "total / m for",
        "total for",
        "wine_deep",
        "dW5",
        looks_like="a factor m",
    ),
    _loop(
        "1/m in the sums, too",
        _SUMS,
        _SUMS.replace("grads[name] for", "grads[name] / m for"),
        "equal_sizes",
        "dW3",
        "float32",
        looks_like="a factor 1/m",
    ),
    _loop(
        "each example with the next one's label",
        "Y[:, i : i + 1], activations)\n        sums",
        "Y[:, [(i + 1) % m]], activations)\n        sums",
        "four_layers",
        "dW4",
    ),
)
