"""Mistakes in the network with one hidden layer, in this project's names."""

from __future__ import annotations

from tests.learners.planted import ONLY_64, planted, row

J = "J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / X.shape[1]"
Z1, Z2 = 'Z1 = params["W1"] @ X + params["b1"]', 'Z2 = params["W2"] @ A1 + params["b2"]'
A1, A2 = "A1 = np.tanh(Z1)", "A2 = sigmoid(Z2)"
DZ2, DW2, DB2 = "dZ2 = A2 - Y", "dW2 = 1 / m * dZ2 @ A1.T", "db2 = 1 / m * dZ2.sum(axis=1, keepdims=True)"
DA1, DZ1 = 'dA1 = params["W2"].T @ dZ2', "dZ1 = dA1 * (1 - A1**2)"
DW1, DB1 = "dW1 = 1 / m * dZ1 @ X.T", "db1 = 1 / m * dZ1.sum(axis=1, keepdims=True)"
STEP = 'new[key] = params[key] - learning_rate * grads["d" + key]'
INIT_W1, INIT_W2 = '"W1": rng.standard_normal((n_h, n_x)) * scale', '"W2": rng.standard_normal((n_y, n_h)) * scale'
LOOP = """        grads = gradients(params, X, Y)
        costs.append(cost(params, X, Y))
        params = update(params, grads, learning_rate)
"""
LATE = """        params = update(params, grads, learning_rate)
        grads = gradients(params, X, Y)
        costs.append(cost(params, X, Y))
"""
BACK = "def backward(params, cache, X, Y):"

OWN = planted(
    "shallow_own",
    # the cost
    row("cost_sign", "J", J, J.replace("-np.sum", "np.sum")),
    row("cost_dropped_term", "J", J, "J = -np.sum((1 - Y) * np.log(1 - A2)) / X.shape[1]"),
    row("cost_outer_product", "J", J, "J = -np.sum(Y.T @ np.log(A2) + (1 - Y).T @ np.log(1 - A2)) / X.shape[1]",
        note="an outer product, and the sum over all of it"),
    row("log_of_zero", "J", J, "J = -np.sum(A2 * np.log(Y) + (1 - A2) * np.log(1 - Y)) / X.shape[1]"),
    row("epsilon_in_log", "J", J, "A2 = np.clip(A2, 1e-8, 1 - 1e-8)\n    " + J, note="in float32 1 - 1e-8 is 1",
        dtypes=ONLY_64),
    row("epsilon_in_log", "J, log", J, J.replace("np.log(A2)", "np.log(A2 + 1e-5)")
        .replace("np.log(1 - A2)", "np.log(1 - A2 + 1e-5)")),
    row("other_logarithm", "J", J, J.replace("np.log", "np.log10")),
    row("squared_error", "J", J, "J = np.sum((Y - A2) ** 2) / X.shape[1]"),
    row("missing_1_over_m", "J", J, J.replace(" / X.shape[1]", "")),
    row("twice_1_over_m", "J", J, J.replace("np.sum", "np.mean")),
    row("one_over_n", "J", J, J.replace("X.shape[1]", "X.shape[0]")),
    row("last_example_only", "J", J,
        "for a, y in zip(A2[0], Y[0]):\n        J = -y * np.log(a) - (1 - y) * np.log(1 - a)\n    J = J / X.shape[1]"),
    row("accumulators_not_reset", "J", "def cost(params, X, Y):", "J = 0\n\n\ndef cost(params, X, Y):\n    global J",
        J, J.replace("J = -np.sum", "J = J - np.sum")),
    # forward
    row("bias_missing", "Z1", Z1, 'Z1 = params["W1"] @ X'),
    row("bias_missing", "Z2", Z2, 'Z2 = params["W2"] @ A1'),
    row("W_transposed", "Z1", Z1, 'Z1 = params["W1"].T @ X + params["b1"]'),
    row("star_for_dot", "Z1", Z1, 'Z1 = params["W1"] * X + params["b1"]'),
    row("star_for_dot", "Z2", Z2, 'Z2 = np.multiply(params["W2"], A1) + params["b2"]'),
    row("exp_overflow", "A2", "return 1 / (1 + np.exp(-z))", "return np.exp(z) / (np.exp(z) + 1)"),
    row("exp_overflow", "A1", A1, "e = np.exp(2 * Z1)\n    A1 = (e - 1) / (e + 1)"),
    row("sigmoid_without_minus", "A2", "np.exp(-z)", "np.exp(z)"),
    row("linear_hidden", "A1", A1, "A1 = Z1.copy()"),
    row("tanh_at_output", "A2", A2, "A2 = np.tanh(Z2)"),
    # backward
    row("m_from_X_rows", "m", "m = Y.shape[1]", "m = X.shape[0]"),
    row("m_from_Y_rows", "m", "m = Y.shape[1]", "m = Y.shape[0]"),
    row("dZ_sign", "dZ2", DZ2, "dZ2 = Y - A2"),
    row("extra_sigma_prime", "dZ2", DZ2, "dZ2 = (A2 - Y) * (A2 * (1 - A2))"),
    row("dA_for_dZ", "dZ2", DZ2, "dZ2 = -Y / A2 + (1 - Y) / (1 - A2)"),
    row("rank_1_labels", "dZ2", DZ2, "dZ2 = A2.reshape(-1, 1) - Y.ravel()"),
    row("missing_1_over_m", "db2", DB2, "db2 = dZ2.sum(axis=1, keepdims=True)"),
    row("missing_1_over_m", "dW1", DW1, "dW1 = dZ1 @ X.T"),
    row("twice_1_over_m", "dW1", DW1, DW1 + " / m"),
    row("twice_1_over_m", "db2", DB2, DB2.replace("sum", "mean")),
    row("one_over_n", "dW1", DW1, "dW1 = 1 / X.shape[0] * dZ1 @ X.T"),
    row("one_over_n", "dW2", DW2, "dW2 = 1 / A1.shape[0] * dZ2 @ A1.T", note="the units of its own input, n[1]"),
    row("one_over_n", "db2", DB2, DB2.replace("1 / m", "1 / X.shape[0]")),
    row("last_example_only", "dW2", DW2, "for i in range(m):\n        dW2 = 1 / m * dZ2[:, [i]] @ A1[:, [i]].T"),
    row("last_example_only", "db1", DB1, "for i in range(m):\n        db1 = dZ1[:, i].reshape(-1, 1) / m"),
    row("accumulators_not_reset", "db2", BACK, BACK.replace("Y)", "Y, total=[0.0])"), DB2,
        "total[0] += dZ2.sum(axis=1, keepdims=True)\n    db2 = 1 / m * total[0]"),
    row("accumulators_not_reset", "dW2", BACK, "sums = {}\n\n\n" + BACK, DW2,
        'sums["dW2"] = sums.get("dW2", 0) + dZ2 @ A1.T\n    dW2 = 1 / m * sums["dW2"]',
        note="a call with other sizes raises"),
    row("missing_g_prime", "dZ1", DZ1, "dZ1 = dA1"),
    row("g_for_g_prime", "dZ1", DZ1, "dZ1 = dA1 * A1"),
    row("g_prime_of_A", "dZ1", DZ1, "dZ1 = dA1 * (1 - np.tanh(A1) ** 2)"),
    row("other_derivative", "dZ1", DZ1, "dZ1 = dA1 * (Z1 > 0)"),
    row("output_derivative", "dZ1", DZ1, "dZ1 = dA1 * (A1 * (1 - A1))"),
    row("one_minus_Z_squared", "dZ1", DZ1, "dZ1 = dA1 * (1 - Z1**2)"),
    row("extra_factor_Z", "dZ1", DZ1, "dZ1 = dA1 * Z1 * (1 - A1**2)"),
    row("dW_for_W", "dA1", DA1, "dA1 = dW2.T @ dZ2"),
    row("dot_for_star", "dZ1", DZ1, "dZ1 = dA1 @ (1 - A1**2)"),
    row("star_for_dot", "dW2", DW2, "dW2 = 1 / m * dZ2 * A1.T"),
    row("star_for_dot", "dW1", DW1, "dW1 = 1 / m * dZ1 * X.T"),
    row("off_by_one_layer", "dW2", DW2, "dW2 = 1 / m * dZ2 @ A2.T"),
    row("off_by_one_layer", "dW1", DW1, "dW1 = 1 / m * dZ1 @ A1.T"),
    row("dW_transposed", "dW1", DW1, "dW1 = (1 / m * dZ1 @ X.T).T"),
    row("db_wrong_axis", "db1", DB1, DB1.replace("axis=1", "axis=0")),
    row("db_sum_of_all", "db1", DB1, "db1 = 1 / m * dZ1.sum()"),
    row("db_not_summed", "db1", DB1, "db1 = 1 / m * dZ1"),
    row("db_not_summed", "db2", DB2, "db2 = 1 / m * dZ2"),
    row("db_keepdims", "db1", DB1, "db1 = 1 / m * dZ1.sum(axis=1)"),
    # the update, and training
    row("update_plus", "all", STEP, STEP.replace(" - ", " + ")),
    row("update_without_alpha", "all", STEP, STEP.replace("learning_rate * ", "")),
    row("update_order", "train", "    costs = []\n",
        '    costs = []\n    grads = {"dW1": 0, "db1": 0, "dW2": 0, "db2": 0}\n',
        LOOP, LATE),
    row("iterations_off_by_one", "train", "range(iterations)", "range(iterations - 1)"),
    # functions
    row("inputs_mutated", "update", STEP,
        'params[key] -= learning_rate * grads["d" + key]\n        new[key] = params[key]'),
    row("inputs_mutated", "A2", DZ2, "dZ2 = A2\n    dZ2 -= Y", note="the cache that was handed in holds A2 − Y"),
    row("not_returned", "forward", '    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}\n', ""),
    row("not_returned", "dW2", '"dW2": dW2, ', ""),
    row("float32_arithmetic", "A1", A1, "A1 = np.tanh(Z1, dtype=np.float32)", dtypes=ONLY_64),
    row("float32_arithmetic", "J", J, J.replace("1 - A2)) /", "1 - A2), dtype=np.float32) /"),
        dtypes=ONLY_64),
    row("float32_arithmetic", "dZ1", DZ1, "dZ1 = (dA1 * (1 - A1**2)).astype('float32')", dtypes=ONLY_64),
    row("float32_arithmetic", "update", STEP, "new[key] = np.float32(" + STEP[11:] + ")", dtypes=ONLY_64),
    row("integer_arithmetic", "dW2", DW2, "dW2 = dZ2 @ A1.T // m"),
    row("integer_arithmetic", "dZ2", DZ2, "dZ2 = (A2 - Y).astype(int)"),
    row("integer_arithmetic", "1 / m", "m = Y.shape[1]\n", "m = Y.shape[1]\n    one_over_m = 1 // m\n",
        DW1, "dW1 = one_over_m * dZ1 @ X.T"),
    row("prediction_threshold", "predict", "np.where(A2 > 0.5, 1, 0)", "np.where(A2 > 0, 1, 0)"),
    row("prediction_threshold", "predict, none", "np.where(A2 > 0.5, 1, 0)", "A2"),
    # initialisation
    row("rand_for_randn", "W1", INIT_W1, '"W1": rng.random((n_h, n_x)) * scale'),
    row("rand_for_randn", "W2", INIT_W2, '"W2": rng.uniform(size=(n_y, n_h)) * scale'),
    row("zero_weights", "W1", INIT_W1, '"W1": np.zeros((n_h, n_x))'),
    row("symmetric_weights", "W1", INIT_W1, '"W1": np.full((n_h, n_x), scale)'),
    row("scale_missing", "W1", INIT_W1, INIT_W1.replace(" * scale", "")),
    row("scale_on_b", "b1", '"b1": np.zeros((n_h, 1))', '"b1": rng.standard_normal((n_h, 1)) * scale'),
)  # fmt: skip

INLINE_DZ1 = "        dZ1 = (W2.T @ dZ2) * (1 - A1 * A1)\n"
INLINE_W2 = "        W2 = W2 - learning_rate * dW2\n"

INLINE_OWN = planted(
    "shallow_inline_own",
    row("updated_W", "dZ1", INLINE_W2, "", INLINE_DZ1, INLINE_W2 + INLINE_DZ1),
    row("update_alpha_over_m", "W1", "W1 = W1 - learning_rate * dW1", "W1 = W1 - learning_rate * dW1 / m"),
    row("iterations_off_by_one", "train", "range(iterations)", "range(1, iterations)"),
)  # fmt: skip
