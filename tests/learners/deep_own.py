"""Mistakes in a network of any depth, in this project's names."""

from __future__ import annotations

from tests.learners.planted import ONLY_64, planted, row

J = "J = -1 / m * (np.sum(Y * np.log(A)) + np.sum((1 - Y) * np.log(1 - A)))"
Z = 'Z = params[f"W{l}"] @ cache[f"A{l - 1}"] + params[f"b{l}"]'
A = "A = relu(Z) if l < L else sigmoid(Z)"
SIGMOID = "return 1 / (1 + np.exp(-Z))"
DZL = 'dZ = cache[f"A{L}"] - Y'
M_J, M = "m = Y.shape[1]", "m = X.shape[1]"
A_PREV = 'A_prev = cache[f"A{l - 1}"]'
DW, DB = "dW = dZ @ A_prev.T / m", "db = dZ.sum(axis=1, keepdims=True) / m"
DA, DZ = 'dA = params[f"W{l}"].T @ dZ', 'dZ = dA * relu_derivative(cache[f"Z{l - 1}"])'
STEP_W, STEP_B = (f'new[f"{p}{{l}}"] = params[f"{p}{{l}}"] - learning_rate * grads[f"d{p}{{l}}"]' for p in "Wb")
INIT_W = "rng.standard_normal((layers[l], layers[l - 1])) * scale"
INIT_B = 'params[f"b{l}"] = np.zeros((layers[l], 1))'
LOOP = """        costs.append(cost(params, X, Y))
        grads = gradients(params, X, Y)
        params = update(params, grads, learning_rate)
"""
LATE = """        params = update(params, grads, learning_rate)
        costs.append(cost(params, X, Y))
        grads = gradients(params, X, Y)
"""

OWN = planted(
    "deep_own",
    # the cost
    row("cost_sign", "J", J, J.replace("-1 / m", "1 / m")),
    row("cost_dropped_term", "J", J, "J = -1 / m * np.sum(Y * np.log(A))"),
    row("cost_outer_product", "J", J, "J = -1 / m * (np.sum(Y.T @ np.log(A)) + np.sum((1 - Y).T @ np.log(1 - A)))"),
    row("log_of_zero", "J", J, "J = -1 / m * (np.sum(A * np.log(Y)) + np.sum((1 - A) * np.log(1 - Y)))"),
    row("epsilon_in_log", "J", J, J.replace("np.log(A)", "np.log(np.maximum(A, 1e-8))")
        .replace("np.log(1 - A)", "np.log(np.maximum(1 - A, 1e-8))")),
    row("other_logarithm", "J", J, J.replace("np.log", "np.log10")),
    row("squared_error", "J", J, "J = 1 / m * np.sum((A - Y) ** 2) / 2"),
    row("missing_1_over_m", "J", J, J.replace("-1 / m * ", "-")),
    row("twice_1_over_m", "J", J, J.replace("np.sum", "np.mean")),
    row("one_over_n", "J", J, J.replace("-1 / m", "-1 / X.shape[0]")),
    row("m_from_Y_rows", "m", M_J, "m = Y.shape[0]"),
    row("last_example_only", "J", J,
        "for i in range(m):\n        J = -1 / m * (Y[0, i] * np.log(A[0, i]) + (1 - Y[0, i]) * np.log(1 - A[0, i]))"),
    row("accumulators_not_reset", "J", "def cost(params, X, Y):", "def cost(params, X, Y, total=[0]):",
        J, J.replace("J = -1 / m * (", "total[0] -= (") + "\n    J = total[0] / m"),
    # forward
    row("bias_missing", "Z", Z, 'Z = params[f"W{l}"] @ cache[f"A{l - 1}"]'),
    row("W_transposed", "Z", Z, Z.replace('{l}"] @', '{l}"].T @')),
    row("star_for_dot", "Z", Z, Z.replace(" @ ", " * ")),
    row("exp_overflow", "A", SIGMOID, "return np.exp(Z) / (np.exp(Z) + 1)"),
    row("sigmoid_without_minus", "A", SIGMOID, "return 1 / (1 + np.exp(Z))"),
    row("linear_hidden", "A", A, "A = Z if l < L else sigmoid(Z)"),
    row("tanh_at_output", "A", A, "A = relu(Z) if l < L else np.tanh(Z)"),
    row("off_by_one_layer", "dW", A_PREV, 'A_prev = cache[f"A{l}"]'),
    # backward
    row("m_from_X_rows", "m", M, "m = X.shape[0]"),
    row("dZ_sign", "dZ", DZL, 'dZ = Y - cache[f"A{L}"]'),
    row("extra_sigma_prime", "dZ", DZL, 'dZ = (cache[f"A{L}"] - Y) * cache[f"A{L}"] * (1 - cache[f"A{L}"])'),
    row("dA_for_dZ", "dZ", DZL, 'dZ = -Y / cache[f"A{L}"] + (1 - Y) / (1 - cache[f"A{L}"])'),
    row("rank_1_labels", "dZ", DZL, 'dZ = cache[f"A{L}"].T - Y.reshape(m)'),
    row("missing_g_prime", "dZ", DZ, "dZ = dA"),
    row("g_for_g_prime", "dZ", DZ, 'dZ = dA * relu(cache[f"Z{l - 1}"])'),
    row("other_derivative", "dZ", DZ, 'dZ = dA * (1 - np.tanh(cache[f"Z{l - 1}"]) ** 2)'),
    row("other_derivative", "dZ, of A", DZ, 'dZ = dA * (1 - A_prev**2)'),
    row("output_derivative", "dZ", DZ, "dZ = dA * A_prev * (1 - A_prev)"),
    row("dW_for_W", "dA", DA, "dA = dW.T @ dZ"),
    row("dot_for_star", "dZ", DZ, DZ.replace(" * ", " @ ")),
    row("star_for_dot", "dW", DW, "dW = dZ * A_prev.T / m"),
    row("last_dA_reused", "dZ", DA, "if l == L:\n                " + DA),
    row("caches_reversed", "dZ", 'relu_derivative(cache[f"Z{l - 1}"])', 'relu_derivative(cache[f"Z{L - l + 1}"])'),
    row("caches_reversed", "dW", A_PREV, 'A_prev = cache[f"A{L - l}"]'),
    row("off_by_one_layer", "dZ", 'relu_derivative(cache[f"Z{l - 1}"])', 'relu_derivative(cache[f"Z{l}"])'),
    row("missing_1_over_m", "dW", DW, "dW = dZ @ A_prev.T"),
    row("missing_1_over_m", "db", DB, "db = dZ.sum(axis=1, keepdims=True)"),
    row("twice_1_over_m", "dW", DW, "dW = dZ @ A_prev.T / m / m"),
    row("twice_1_over_m", "db", DB, DB.replace("sum", "mean")),
    row("one_over_n", "dW", DW, "dW = dZ @ A_prev.T / X.shape[0]"),
    row("one_over_n", "db", DB, DB.replace("/ m", "/ X.shape[0]")),
    row("last_example_only", "dW", DW, "for i in range(m):\n            dW = dZ[:, [i]] @ A_prev[:, [i]].T / m"),
    row("last_example_only", "db", DB, "for i in range(m):\n            db = dZ[:, i : i + 1] / m"),
    row("accumulators_not_reset", "db", "    grads = {}\n", "", "def backward(params, cache, X, Y):",
        "grads = {}\n\n\ndef backward(params, cache, X, Y):",
        DB, 'db = grads.get(f"db{l}", 0) + dZ.sum(axis=1, keepdims=True) / m', note="a call with other sizes raises"),
    row("dW_transposed", "dW", DW, "dW = A_prev @ dZ.T / m"),
    row("db_wrong_axis", "db", DB, DB.replace("axis=1", "axis=0")),
    row("db_sum_of_all", "db", DB, "db = dZ.sum() / m"),
    row("db_not_summed", "db", DB, "db = dZ / m"),
    row("db_keepdims", "db", DB, "db = dZ.sum(axis=1) / m"),
    # the update, and training
    row("update_plus", "W", STEP_W, STEP_W.replace(" - ", " + ")),
    row("update_plus", "b", STEP_B, STEP_B.replace(" - ", " + ")),
    row("update_without_alpha", "W", STEP_W, STEP_W.replace("learning_rate * ", "")),
    row("update_order", "train", "    costs = []\n", '    costs = []\n    grads = {"d" + key: 0 for key in params}\n',
        LOOP, LATE),
    row("iterations_off_by_one", "train", "for i in range(iterations)", "for i in range(iterations + 1)"),
    # functions
    row("inputs_mutated", "A", DZL, 'dZ = cache[f"A{L}"]\n    dZ -= Y'),
    row("inputs_mutated", "W", STEP_W,
        'params[f"W{l}"] -= learning_rate * grads[f"dW{l}"]\n        new[f"W{l}"] = params[f"W{l}"]'),
    row("not_returned", "backward", "    return grads\n", ""),
    row("not_returned", "db", '        grads[f"db{l}"] = db\n', ""),
    row("float32_arithmetic", "A", A, 'A = (relu(Z) if l < L else sigmoid(Z)).astype("float32")', dtypes=ONLY_64),
    row("float32_arithmetic", "dA", DA, DA.replace(".T @ dZ", ".T.astype(np.float32) @ dZ.astype(np.float32)"),
        dtypes=ONLY_64),
    row("float32_arithmetic", "db", DB, "db = dZ.sum(axis=1, keepdims=True, dtype=np.float32) / m", dtypes=ONLY_64),
    row("integer_arithmetic", "A", A, "A = relu(Z).astype(int) if l < L else sigmoid(Z)"),
    row("integer_arithmetic", "dW", DW, "dW = dZ @ A_prev.T // m"),
    row("prediction_threshold", "predict", "(A > 0.5) * 1", "(A > 0) * 1"),
    row("prediction_threshold", "predict, none", "return (A > 0.5) * 1", "return A"),
    # initialisation
    row("rand_for_randn", "W", INIT_W, "rng.random((layers[l], layers[l - 1])) * scale"),
    row("zero_weights", "W", INIT_W, "np.zeros((layers[l], layers[l - 1]))"),
    row("symmetric_weights", "W", INIT_W, "scale * np.ones((layers[l], layers[l - 1]))"),
    row("symmetric_weights", "W, a row", INIT_W,
        "np.repeat(rng.standard_normal((1, layers[l - 1])) * scale, layers[l], axis=0)"),
    row("scale_missing", "W", INIT_W, INIT_W.replace(" * scale", "")),
    row("scale_on_b", "b", INIT_B, 'params[f"b{l}"] = rng.standard_normal((layers[l], 1)) * scale'),
)  # fmt: skip

TANH = 'dZ = dA * (1 - cache[f"A{l - 1}"] ** 2)'

TANH_OWN = planted(
    "deep_tanh_own",
    row("g_prime_of_A", "dZ", TANH, "dZ = dA * (1 - np.tanh(A_prev) ** 2)", note="of ReLU it is g' of Z"),
    row("one_minus_Z_squared", "dZ", TANH, TANH.replace('f"A', 'f"Z')),
    row("extra_factor_Z", "dZ", TANH, TANH + ' * cache[f"Z{l - 1}"]', note="of ReLU it is g for g'"),
    row("g_for_g_prime", "dZ", TANH, 'dZ = dA * np.tanh(cache[f"Z{l - 1}"])'),
    row("other_derivative", "dZ", TANH, 'dZ = dA * (cache[f"Z{l - 1}"] > 0)'),
)  # fmt: skip

INLINE_STEP = "        for key in params:\n            params[key] = params[key] - learning_rate * grads[key]\n"

INLINE_OWN = planted(
    "deep_inline_own",
    row("updated_W", "dZ", INLINE_STEP, "", "            if l > 1:\n",
        '            for key in (f"W{l}", f"b{l}"):\n'
        "                params[key] = params[key] - learning_rate * grads[key]\n            if l > 1:\n"),
    row("update_alpha_over_m", "all", "learning_rate * grads[key]", "learning_rate / m * grads[key]"),
)  # fmt: skip
