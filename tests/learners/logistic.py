"""Mistakes in logistic regression."""

from __future__ import annotations

from tests.learners.planted import ONLY_64, Planted, planted, row

J = "cost = -(1 / m) * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))"
DW = "dw = (1 / m) * np.dot(X, dZ.T)"
DB = "db = (1 / m) * np.sum(dZ)"
STEP_W = "w = w - learning_rate * dw"
STEP_B = "b = b - learning_rate * db"

COURSE = planted(
    "logistic_course",
    row("cost_sign", "J", J, J.replace("-(1 / m)", "(1 / m)")),
    row("cost_dropped_term", "J", J, "cost = -(1 / m) * np.sum(Y * np.log(A))"),
    row("cost_outer_product", "J", J, "cost = -(np.dot(Y.T, np.log(A)) + np.dot((1 - Y).T, np.log(1 - A))) / m"),
    row("log_of_zero", "J", J, "cost = -(1 / m) * np.sum(A * np.log(Y) + (1 - A) * np.log(1 - Y))"),
    row("epsilon_in_log", "J", J, "cost = -(1 / m) * np.sum(Y * np.log(A + 1e-8) + (1 - Y) * np.log(1 - A + 1e-8))"),
    row("other_logarithm", "J", J, J.replace("np.log", "np.log10")),
    row("squared_error", "J", J, "cost = (1 / m) * np.sum((A - Y) ** 2)"),
    row("missing_1_over_m", "J", J, J.replace("-(1 / m) * ", "-")),
    row("missing_1_over_m", "dw", DW, "dw = np.dot(X, dZ.T)"),
    row("missing_1_over_m", "db", DB, "db = np.sum(dZ)"),
    row("twice_1_over_m", "J", J, J.replace("np.sum", "np.mean")),
    row("twice_1_over_m", "dw", DW, DW + " / m"),
    row("twice_1_over_m", "db", DB, "db = (1 / m) * np.mean(dZ)"),
    row("one_over_n", "J", J, J.replace("(1 / m)", "(1 / X.shape[0])")),
    row("one_over_n", "dw", DW, "dw = (1 / X.shape[0]) * np.dot(X, dZ.T)"),
    row("one_over_n", "db", DB, "db = np.sum(dZ) / X.shape[0]"),
    row("m_from_X_rows", "m", "m = X.shape[1]\n\n", "m = X.shape[0]\n\n"),
    row("m_from_Y_rows", "m", "m = X.shape[1]\n\n", "m = Y.shape[0]\n\n"),
    row("accumulators_not_reset", "J", "import numpy as np\n", "import numpy as np\n\ncost = 0\n",
        "m = X.shape[1]\n\n", "global cost\n    m = X.shape[1]\n\n",
        J, "cost = cost - (1 / m) * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))"),
    row("bias_missing", "Z", "Z = np.dot(w.T, X) + b", "Z = np.dot(w.T, X)"),
    row("star_for_dot", "Z", "Z = np.dot(w.T, X) + b", "Z = w.T * X + b", note="shapes fit where n_x = m"),
    row("star_for_dot", "dw", DW, "dw = (1 / m) * (X * dZ)"),
    row("exp_overflow", "A", "s = 1 / (1 + np.exp(-z))", "s = np.exp(z) / (1 + np.exp(z))"),
    row("sigmoid_without_minus", "A", "np.exp(-z)", "np.exp(z)"),
    row("tanh_at_output", "A", "    A = sigmoid(Z)", "    A = np.tanh(Z)"),
    row("dZ_sign", "dZ", "dZ = A - Y", "dZ = Y - A"),
    row("extra_sigma_prime", "dZ", "dZ = A - Y", "dZ = (A - Y) * A * (1 - A)"),
    row("dA_for_dZ", "dZ", "dZ = A - Y", "dZ = -(Y / A) + (1 - Y) / (1 - A)"),
    row("rank_1_labels", "dZ", "dZ = A - Y", "dZ = A.T - Y.reshape(-1)"),
    row("dW_transposed", "dw", DW, "dw = (1 / m) * np.dot(dZ, X.T)"),
    row("db_not_summed", "db", DB, "db = (1 / m) * dZ"),
    row("update_plus", "w", STEP_W, "w = w + learning_rate * dw"),
    row("update_plus", "w and b", STEP_W, "w = w + learning_rate * dw", STEP_B, "b = b + learning_rate * db"),
    row("update_without_alpha", "w", STEP_W, "w = w - dw"),
    row("update_alpha_over_m", "w", STEP_W, "w = w - learning_rate / X.shape[1] * dw"),
    row("update_order", "w and b",
        "    costs = []\n    for i", "    costs = []\n    dw, db = 0, 0\n    for i",
        "        grads, cost = propagate(w, b, X, Y)\n", "",
        '        dw = grads["dw"]\n        db = grads["db"]\n', "",
        STEP_B + "\n", STEP_B + '\n        grads, cost = propagate(w, b, X, Y)\n'
        '        dw = grads["dw"]\n        db = grads["db"]\n',
        note="the update comes before its step's gradients: the first one adds 0, the last ones are not used"),
    row("update_order", "b", STEP_B, 'grads, cost = propagate(w, b, X, Y)\n        b = b - learning_rate * grads["db"]',
        note="b is updated with a db computed from the updated w"),
    row("iterations_off_by_one", "optimize", "range(num_iterations)", "range(1, num_iterations)"),
    row("iterations_off_by_one", "optimize, + 1", "range(num_iterations)", "range(num_iterations + 1)"),
    row("inputs_mutated", "w", STEP_W, "w -= learning_rate * dw"),
    row("not_returned", "propagate", "    return grads, cost\n\n", "\n"),
    row("not_returned", "db", 'grads = {"dw": dw, "db": db}\n    return grads, cost',
        'grads = {"dw": dw}\n    return grads, cost'),
    row("float32_arithmetic", "Z", "Z = np.dot(w.T, X) + b", "Z = (np.dot(w.T, X) + b).astype(np.float32)",
        dtypes=ONLY_64),
    row("float32_arithmetic", "dw", DW, "dw = (1 / m) * np.dot(X, dZ.T).astype(np.float32)", dtypes=ONLY_64),
    row("integer_arithmetic", "A", "    A = sigmoid(Z)", "    A = sigmoid(Z).astype(int)"),
    row("integer_arithmetic", "dw", DW, "dw = np.dot(X, dZ.T) // m"),
    row("integer_arithmetic", "w", STEP_W, "w = (w - learning_rate * dw).astype(int)"),
    row("prediction_threshold", "predict", "A[0, :] > 0.5", "A[0, :] > 0.9"),
    row("prediction_threshold", "predict, of Z", "    A = sigmoid(np.dot(w.T, X) + b)", "    A = np.dot(w.T, X) + b"),
)  # fmt: skip

LOOP_COURSE = planted(
    "logistic_loop_course",
    row("last_example_only", "J", "J += -(y", "J = -(y"),
    row("last_example_only", "dw", "dw += x * dz", "dw = x * dz"),
    row("last_example_only", "db", "db += dz", "db = dz"),
    row("accumulators_not_reset", "J", "import numpy as np\n", "import numpy as np\n\nJ_sum = 0\n",
        "    J = 0\n", "    global J_sum\n", "J += -(y", "J_sum += -(y", "J = J / m", "J = J_sum / m"),
    row("accumulators_not_reset", "db", "def propagate(w, b, X, Y):", "def propagate(w, b, X, Y, sums=[0]):",
        "db += dz", "sums[0] += dz", "db = db / m", "db = sums[0] / m"),
    row("integer_arithmetic", "dw", "dw = np.zeros(w.shape)", "dw = np.zeros_like(X[:, :1])",
        "dw += x * dz", "dw[:] = dw + x * dz", dtypes=ONLY_64, note="X has to be of whole numbers"),
    row("dZ_sign", "dZ", "dz = a - y", "dz = y - a"),
    row("bias_missing", "Z", "[0, 0] + b\n        a", "[0, 0]\n        a"),
)  # fmt: skip

OWN_J = "losses = -Y * np.log(A) - (1 - Y) * np.log(1 - A)"
OWN_MEAN = "J = np.sum(losses) / m"
OWN_Z = 'Z = params["w"].T @ X + params["b"]'
OWN_DZ = 'dZ = cache["A"] - Y'
OWN_DW = "dw = X @ dZ.T / m"
OWN_DB = "db = np.sum(dZ) / m"
OWN_STEP_W = 'w = params["w"] - learning_rate * grads["dw"]'
OWN_STEP_B = 'b = params["b"] - learning_rate * grads["db"]'
OWN_LOOP = """        costs.append(cost(params, X, Y))
        grads = gradients(params, X, Y)
        params = update(params, grads, learning_rate)
"""

OWN = planted(
    "logistic_own",
    row("cost_sign", "J", OWN_J, "losses = Y * np.log(A) + (1 - Y) * np.log(1 - A)"),
    row("cost_dropped_term", "J", OWN_J, "losses = -(1 - Y) * np.log(1 - A)"),
    row("cost_outer_product", "J", OWN_J, "losses = -Y.T @ np.log(A) - (1 - Y).T @ np.log(1 - A)"),
    row("log_of_zero", "J", OWN_J, "losses = -A * np.log(Y) - (1 - A) * np.log(1 - Y)"),
    row("epsilon_in_log", "J", OWN_J, "A = np.clip(A, 1e-7, 1 - 1e-7)\n    " + OWN_J),
    row("other_logarithm", "J", OWN_J, OWN_J.replace("np.log", "np.log2")),
    row("squared_error", "J", OWN_J, "losses = (Y - A) ** 2 / 2"),
    row("missing_1_over_m", "J", OWN_MEAN, "J = np.sum(losses)"),
    row("missing_1_over_m", "dw", OWN_DW, "dw = X @ dZ.T"),
    row("missing_1_over_m", "db", OWN_DB, "db = np.sum(dZ)"),
    row("twice_1_over_m", "J", OWN_MEAN, "J = np.mean(losses) / m"),
    row("twice_1_over_m", "dw", OWN_DW, "dw = X @ dZ.T / m**2"),
    row("twice_1_over_m", "db", OWN_DB, "db = np.mean(dZ) / m"),
    row("one_over_n", "J", OWN_MEAN, "J = np.sum(losses) / X.shape[0]"),
    row("one_over_n", "db", OWN_DB, "db = np.sum(dZ) / len(X)"),
    row("m_from_X_rows", "m", "m = X.shape[1]", "m = X.shape[0]"),
    row("m_from_X_rows", "m, unpacked", "m = X.shape[1]", "m, n_x = X.shape"),
    row("m_from_Y_rows", "m", "m = Y.shape[1]", "m = Y.shape[0]"),
    row("last_example_only", "J", OWN_J, "for i in range(m):\n        losses = -Y[0, i] * np.log(A[0, i])"
        " - (1 - Y[0, i]) * np.log(1 - A[0, i])"),
    row("last_example_only", "dw", OWN_DW, "for i in range(m):\n        dw = X[:, [i]] * dZ[0, i]\n    dw = dw / m"),
    row("accumulators_not_reset", "J", "def cost(params, X, Y):", "total = []\n\n\ndef cost(params, X, Y):",
        OWN_MEAN, "total.append(np.sum(losses))\n    J = sum(total) / m"),
    row("bias_missing", "Z", OWN_Z, 'Z = params["w"].T @ X'),
    row("star_for_dot", "Z", OWN_Z, 'Z = np.multiply(params["w"].T, X) + params["b"]'),
    row("star_for_dot", "dw", OWN_DW, "dw = X * dZ / m"),
    row("exp_overflow", "A", "return 1.0 / (1.0 + np.exp(-z))", "e = np.exp(z)\n    return e / (e + 1.0)"),
    row("sigmoid_without_minus", "A", "np.exp(-z)", "np.exp(z)"),
    row("tanh_at_output", "A", "A = sigmoid(Z)", "A = np.tanh(Z)"),
    row("dZ_sign", "dZ", OWN_DZ, 'dZ = Y - cache["A"]'),
    row("extra_sigma_prime", "dZ", OWN_DZ, OWN_DZ + '\n    dZ = dZ * cache["A"] * (1 - cache["A"])'),
    row("dA_for_dZ", "dZ", OWN_DZ, 'dZ = (1 - Y) / (1 - cache["A"]) - Y / cache["A"]'),
    row("rank_1_labels", "dZ", OWN_DZ, 'dZ = cache["A"].reshape(-1, 1) - Y.flatten()'),
    row("dW_transposed", "dw", OWN_DW, "dw = dZ @ X.T / m"),
    row("db_not_summed", "db", OWN_DB, "db = dZ / m"),
    row("update_plus", "w", OWN_STEP_W, OWN_STEP_W.replace(" - ", " + ")),
    row("update_without_alpha", "w", OWN_STEP_W, 'w = params["w"] - grads["dw"]'),
    row("update_order", "train", "    costs = []\n", '    costs = []\n    grads = {"dw": 0, "db": 0}\n',
        OWN_LOOP, """        params = update(params, grads, learning_rate)
        costs.append(cost(params, X, Y))
        grads = gradients(params, X, Y)
"""),
    row("iterations_off_by_one", "train", "range(iterations)", "range(1, iterations)"),
    row("inputs_mutated", "w", OWN_STEP_W, 'w = params["w"]\n    w -= learning_rate * grads["dw"]'),
    row("inputs_mutated", "A", OWN_DZ, 'dZ = cache["A"]\n    dZ -= Y', note="the cache that was handed in holds A − Y"),
    row("not_returned", "cost", "    return J\n", ""),
    row("not_returned", "db", 'return {"dw": grads["dw"], "db": grads["db"]}', 'return {"dw": grads["dw"]}'),
    row("float32_arithmetic", "A", "A = sigmoid(Z)", 'A = sigmoid(Z.astype("float32"))', dtypes=ONLY_64),
    row("float32_arithmetic", "dZ", OWN_DZ, 'dZ = np.float32(cache["A"]) - np.float32(Y)', dtypes=ONLY_64),
    row("float32_arithmetic", "J", OWN_MEAN, "J = np.sum(losses, dtype=np.float32) / m", dtypes=ONLY_64),
    row("integer_arithmetic", "dw", OWN_DW, "dw = X @ dZ.T // m"),
    row("prediction_threshold", "predict", "(A > 0.5).astype(int)", "(A > 0).astype(int)"),
    row("prediction_threshold", "predict, none", "(A > 0.5).astype(int)", "A"),
)  # fmt: skip

LOOP_OWN = planted(
    "logistic_loop_own",
    row("last_example_only", "J", "J = J - Y[0, i] * np.log(a)", "J = -Y[0, i] * np.log(a)"),
    row("last_example_only", "dw", "dw[j, 0] = dw[j, 0] + X[j, i] * dz", "dw[j, 0] = X[j, i] * dz"),
    row("last_example_only", "db", "db = db + dz", "db = dz"),
    row("accumulators_not_reset", "J and db", "def cost_and_gradients(params, X, Y):",
        "J = 0.0\ndb = 0.0\n\n\ndef cost_and_gradients(params, X, Y):",
        "    J = 0.0\n", "    global J, db\n", "    db = 0.0\n", ""),
    row("integer_arithmetic", "dw", "dw = np.zeros((n_x, 1))", "dw = np.zeros((n_x, 1), dtype=int)"),
)  # fmt: skip

INLINE_OWN = planted(
    "logistic_inline_own",
    row("update_alpha_over_m", "w", STEP_W, "w = w - learning_rate / m * dw"),
    row("update_order", "b", "        db = np.sum(dZ) / m\n        " + STEP_W + "\n",
        "        " + STEP_W + "\n        db = np.sum(sigmoid(np.dot(w.T, X) + b) - Y) / m\n",
        note="db is computed from the updated w"),
    row("dZ_sign", "dZ", "dZ = A - Y", "dZ = Y - A"),
)  # fmt: skip

LOGISTIC: tuple[Planted, ...] = COURSE + LOOP_COURSE + OWN + LOOP_OWN + INLINE_OWN
