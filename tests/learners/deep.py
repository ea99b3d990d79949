"""Mistakes in a network of any depth, in the course's names; those in this project's are in deep_own.py."""

from __future__ import annotations

from tests.learners.deep_own import INLINE_OWN, OWN, TANH_OWN
from tests.learners.planted import ONLY_64, Planted, planted, row

J = "cost = (-1 / m) * np.sum(np.multiply(Y, np.log(AL)) + np.multiply(1 - Y, np.log(1 - AL)))"
M_J, M = "m = Y.shape[1]", "m = A_prev.shape[1]"
Z = "Z = np.dot(W, A) + b"
DAL = "dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))"
OUT = "dZ = dA * s * (1 - s)"
RELU = "    dZ = np.array(dA, copy=True)\n    dZ[Z <= 0] = 0\n"
DW, DB = "dW = np.dot(dZ, A_prev.T) / m", "db = np.sum(dZ, axis=1, keepdims=True) / m"
DA = "dA_prev = np.dot(W.T, dZ)"
HIDDEN = 'linear_activation_backward(grads["dA" + str(l + 1)], current_cache, "relu")'
GRAD_DB = '        grads["db" + str(l + 1)] = db_temp\n'
STEP_W, STEP_B = (
    f'parameters["{p}" + str(l + 1)] = params["{p}" + str(l + 1)] - learning_rate * grads["d{p}" + str(l + 1)]'
    for p in "Wb"
)
INIT_W = "np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.01"
INIT_B = 'parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))'
LOOP = """        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
"""
LATE = """        if i > 0:
            parameters = update_parameters(parameters, grads, learning_rate)
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
"""
BACK = "def linear_backward(dZ, cache):"

COURSE = planted(
    "deep_course",
    # the cost
    row("cost_sign", "J", J, J.replace("-1 / m", "1 / m")),
    row("cost_dropped_term", "J", J, "cost = (-1 / m) * np.sum(np.multiply(Y, np.log(AL)))"),
    row("cost_outer_product", "J", J,
        "cost = (-1 / m) * (np.dot(Y.T, np.log(AL)) + np.dot((1 - Y).T, np.log(1 - AL)))"),
    row("log_of_zero", "J", J,
        "cost = (-1 / m) * np.sum(np.multiply(AL, np.log(Y)) + np.multiply(1 - AL, np.log(1 - Y)))"),
    row("epsilon_in_log", "J", J, J.replace("np.log(AL)", "np.log(AL + 1e-8)")
        .replace("np.log(1 - AL)", "np.log(1 - AL + 1e-8)")),
    row("other_logarithm", "J", J, J.replace("np.log", "np.log2")),
    row("squared_error", "J", J, "cost = (1 / m) * np.sum(np.square(Y - AL))"),
    row("missing_1_over_m", "J", J, J.replace("(-1 / m) * ", "-")),
    row("twice_1_over_m", "J", J, J.replace("np.sum", "np.mean")),
    row("m_from_Y_rows", "m", M_J, "m = Y.shape[0]"),
    row("last_example_only", "J", J,
        "for i in range(m):\n        cost = -(Y[0, i] * np.log(AL[0, i]) + (1 - Y[0, i]) * np.log(1 - AL[0, i])) / m"),
    row("accumulators_not_reset", "J", "def compute_cost(AL, Y):",
        "cost = 0\n\n\ndef compute_cost(AL, Y):\n    global cost",
        J, J.replace("(-1 / m)", "cost - (1 / m)")),
    # forward
    row("bias_missing", "Z", Z, "Z = np.dot(W, A)"),
    row("W_transposed", "Z", Z, "Z = np.dot(W.T, A) + b"),
    row("star_for_dot", "Z", Z, "Z = W * A + b"),
    row("exp_overflow", "A", "    A = 1 / (1 + np.exp(-Z))", "    A = np.exp(Z) / (1 + np.exp(Z))"),
    row("sigmoid_without_minus", "A", "    A = 1 / (1 + np.exp(-Z))", "    A = 1 / (1 + np.exp(Z))"),
    row("linear_hidden", "A", "A = np.maximum(0, Z)", "A = Z"),
    row("tanh_at_output", "A", "    A = 1 / (1 + np.exp(-Z))", "    A = np.tanh(Z)"),
    # backward
    row("dZ_sign", "dA", DAL, "dAL = np.divide(Y, AL) - np.divide(1 - Y, 1 - AL)",
        note="this form has no A − Y: the sign is that of dAL"),
    row("dZ_sign", "dZ", "    dA_prev, dW, db = linear_activation_backward(dAL, caches[L - 1], \"sigmoid\")\n",
        "    dA_prev, dW, db = linear_backward(Y - AL, caches[L - 1][0])\n"),
    row("extra_sigma_prime", "dZ", OUT, "dZ = dA * s * (1 - s) * s * (1 - s)"),
    row("dA_for_dZ", "dZ", OUT, "dZ = dA"),
    row("rank_1_labels", "dA", "Y = Y.reshape(AL.shape)", "Y = Y.flatten()", DAL, "AL = AL.T\n    " + DAL,
        note="dAL has m rows"),
    row("missing_g_prime", "dZ", RELU, "    dZ = dA\n"),
    row("g_for_g_prime", "dZ", RELU, "    dZ = dA * np.maximum(0, Z)\n"),
    row("other_derivative", "dZ", RELU, "    dZ = dA * (1 - np.tanh(Z) ** 2)\n"),
    row("output_derivative", "dZ", HIDDEN, HIDDEN.replace("relu", "sigmoid"), note="σ'(Z), where A is not σ(Z)"),
    row("output_derivative", "dZ, of A", RELU, "    A = np.maximum(0, Z)\n    dZ = dA * A * (1 - A)\n"),
    row("dW_for_W", "dA", DA, "dA_prev = np.dot(dW.T, dZ)"),
    row("dot_for_star", "dZ", RELU, "    dZ = np.dot(dA, Z > 0)\n"),
    row("star_for_dot", "dA", DA, "dA_prev = W.T * dZ", note="shapes fit where n = m"),
    row("star_for_dot", "dW", DW, "dW = dZ * A_prev.T / m"),
    row("last_dA_reused", "dZ", HIDDEN, HIDDEN.replace("l + 1", "L - 1")),
    row("caches_reversed", "dZ", "current_cache = caches[l]", "current_cache = caches[L - 2 - l]"),
    row("off_by_one_layer", "dZ", "current_cache = caches[l]", "current_cache = caches[l - 1]"),
    row("m_from_X_rows", "m", M, "m = A_prev.shape[0]", note="the rows of the layer's input"),
    row("missing_1_over_m", "dW", DW, "dW = np.dot(dZ, A_prev.T)"),
    row("missing_1_over_m", "db", DB, "db = np.sum(dZ, axis=1, keepdims=True)"),
    row("twice_1_over_m", "dW", DW, "dW = 1 / m * np.dot(dZ, A_prev.T) / m"),
    row("twice_1_over_m", "db", DB, DB.replace("np.sum", "np.mean")),
    row("one_over_n", "dW", DW, "dW = np.dot(dZ, A_prev.T) / A_prev.shape[0]", note="n[l−1]"),
    row("one_over_n", "db", DB, DB.replace("/ m", "/ A_prev.shape[0]"), note="n[l−1]; n[L] is 1"),
    row("last_example_only", "dW", DW, "for i in range(m):\n        dW = np.outer(dZ[:, i], A_prev[:, i]) / m"),
    row("last_example_only", "db", DB, "for i in range(m):\n        db = dZ[:, [i]] / m"),
    row("accumulators_not_reset", "dW", BACK, "sums = {}\n\n\n" + BACK,
        DW, "sums[W.shape] = sums.get(W.shape, 0) + np.dot(dZ, A_prev.T)\n    dW = sums[W.shape] / m"),
    row("dW_transposed", "dW", DW, "dW = np.dot(A_prev, dZ.T) / m"),
    row("db_wrong_axis", "db", DB, DB.replace("axis=1", "axis=0")),
    row("db_sum_of_all", "db", DB, "db = np.sum(dZ) / m"),
    row("db_not_summed", "db", DB, "db = dZ / m"),
    row("db_keepdims", "db", DB, "db = np.sum(dZ, axis=1) / m"),
    # the update, and training
    row("update_plus", "W", STEP_W, STEP_W.replace(" - ", " + ")),
    row("update_plus", "b", STEP_B, STEP_B.replace(" - ", " + ")),
    row("update_without_alpha", "W", STEP_W, STEP_W.replace("learning_rate * ", "")),
    row("update_order", "L_layer_model", LOOP, LATE,
        note="the update comes before its step's gradients: the first step has none, the last ones are not used"),
    row("iterations_off_by_one", "L_layer_model", "range(0, num_iterations)", "range(1, num_iterations)"),
    # functions
    row("inputs_mutated", "dA", "np.array(dA, copy=True)", "dA"),
    row("inputs_mutated", "W", STEP_W,
        STEP_W[: STEP_W.index(" = ")] + ' -= learning_rate * grads["dW" + str(l + 1)]',
        note="params.copy() shares its arrays"),
    row("not_returned", "compute_cost", "    return cost\n", ""),
    row("not_returned", "db", GRAD_DB, ""),
    row("float32_arithmetic", "Z", Z, "Z = np.dot(W, A).astype(np.float32) + b", dtypes=ONLY_64),
    row("float32_arithmetic", "dW", DW, "dW = np.dot(dZ.astype(np.float32), A_prev.T.astype(np.float32)) / m",
        dtypes=ONLY_64),
    row("float32_arithmetic", "J", J, J.replace("np.log(AL)", "np.log(np.float32(AL))"), dtypes=ONLY_64),
    row("integer_arithmetic", "Z", Z, "Z = (np.dot(W, A) + b).astype(int)"),
    row("integer_arithmetic", "dW", DW, "dW = np.dot(dZ, A_prev.T) // m"),
    row("integer_arithmetic", "J", J,
        "cost = -np.sum(np.multiply(Y, np.log(AL)) + np.multiply(1 - Y, np.log(1 - AL))) // m"),
    row("prediction_threshold", "predict", "probas > 0.5", "probas > 0.1"),
    row("prediction_threshold", "predict, none", "p = (probas > 0.5).astype(int)", "p = probas.astype(int)"),
    # initialisation
    row("rand_for_randn", "W", INIT_W, INIT_W.replace("randn", "rand")),
    row("zero_weights", "W", INIT_W, "np.zeros((layer_dims[l], layer_dims[l - 1]))"),
    row("symmetric_weights", "W", INIT_W, "np.ones((layer_dims[l], layer_dims[l - 1])) * 0.01"),
    row("scale_missing", "W", INIT_W, INIT_W.replace(" * 0.01", "")),
    row("scale_on_b", "b", INIT_B, 'parameters["b" + str(l)] = np.random.randn(layer_dims[l], 1) * 0.01'),
)  # fmt: skip

TANH = "dZ = dA * (1 - A**2)"

TANH_COURSE = planted(
    "deep_tanh_course",
    row("g_prime_of_A", "dZ", TANH, "dZ = dA * (1 - np.tanh(A) ** 2)", note="of ReLU it is g' of Z"),
    row("one_minus_Z_squared", "dZ", TANH, "dZ = dA * (1 - Z**2)"),
    row("extra_factor_Z", "dZ", TANH, "dZ = dA * Z * (1 - A**2)", note="of ReLU it is g for g'"),
    row("g_for_g_prime", "dZ", TANH, "dZ = dA * A"),
    row("exp_overflow", "A", "    A = np.tanh(Z)\n    return A, Z",
        "    A = (np.exp(Z) - np.exp(-Z)) / (np.exp(Z) + np.exp(-Z))\n    return A, Z"),
)  # fmt: skip

INLINE_COURSE = planted(
    "deep_inline_course",
    row("updated_W", "dZ", "dZ = np.dot(W.T, dZ)", 'dZ = np.dot(parameters["W" + str(l)].T, dZ)'),
    row("update_alpha_over_m", "W", "W - learning_rate * dW", "W - learning_rate / m * dW"),
    row("iterations_off_by_one", "L_layer_model", "range(num_iterations)", "range(num_iterations + 1)"),
)  # fmt: skip

DEEP: tuple[Planted, ...] = COURSE + TANH_COURSE + INLINE_COURSE + OWN + TANH_OWN + INLINE_OWN
