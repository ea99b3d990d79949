"""Mistakes in the network with one hidden layer, in the course's names; those in this project's: shallow_own.py."""

from __future__ import annotations

from tests.learners.planted import ONLY_64, Planted, planted, row
from tests.learners.shallow_own import INLINE_OWN, OWN

LOGPROBS = "logprobs = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)"
J = "cost = -np.sum(logprobs) / m"
Z1, Z2 = "Z1 = np.dot(W1, X) + b1", "Z2 = np.dot(W2, A1) + b2"
A1, A2 = "A1 = np.tanh(Z1)", "A2 = sigmoid(Z2)"
DZ2, DW2, DB2 = "dZ2 = A2 - Y", "dW2 = np.dot(dZ2, A1.T) / m", "db2 = np.sum(dZ2, axis=1, keepdims=True) / m"
DZ1 = "dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))"
DW1, DB1 = "dW1 = np.dot(dZ1, X.T) / m", "db1 = np.sum(dZ1, axis=1, keepdims=True) / m"
DA1 = "dZ1 = np.dot(W2.T, dZ2) * "
STEP_W1, STEP_B1, STEP_W2, STEP_B2 = (
    f'{p} = parameters["{p}"] - learning_rate * grads["d{p}"]' for p in ("W1", "b1", "W2", "b2")
)
INIT_W1, INIT_W2 = "W1 = np.random.randn(n_h, n_x) * 0.01", "W2 = np.random.randn(n_y, n_h) * 0.01"
INIT_B1 = "b1 = np.zeros((n_h, 1))"
GRADS = 'grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}'
LOOP = """        A2, cache = forward_propagation(X, parameters)
        cost = compute_cost(A2, Y)
        grads = backward_propagation(parameters, cache, X, Y)
        parameters = update_parameters(parameters, grads)
"""
LATE = """        parameters = update_parameters(parameters, grads)
        A2, cache = forward_propagation(X, parameters)
        cost = compute_cost(A2, Y)
        grads = backward_propagation(parameters, cache, X, Y)
"""

COURSE = planted(
    "shallow_course",
    # the cost
    row("cost_sign", "J", J, "cost = np.sum(logprobs) / m"),
    row("cost_dropped_term", "J", LOGPROBS, "logprobs = np.multiply(np.log(A2), Y)"),
    row("cost_outer_product", "J", LOGPROBS, "logprobs = np.dot(np.log(A2).T, Y) + np.dot(np.log(1 - A2).T, 1 - Y)"),
    row("log_of_zero", "J", LOGPROBS, "logprobs = np.multiply(np.log(Y), A2) + np.multiply(np.log(1 - Y), 1 - A2)"),
    row("epsilon_in_log", "J", LOGPROBS, LOGPROBS.replace("np.log(A2)", "np.log(A2 + 1e-8)")
        .replace("np.log(1 - A2)", "np.log(1 - A2 + 1e-8)")),
    row("other_logarithm", "J", LOGPROBS, LOGPROBS.replace("np.log", "np.log2")),
    row("squared_error", "J", J, "cost = np.sum((A2 - Y) ** 2) / (2 * m)"),
    row("missing_1_over_m", "J", J, "cost = -np.sum(logprobs)"),
    row("twice_1_over_m", "J", J, "cost = -np.mean(logprobs) / m"),
    row("m_from_Y_rows", "m", "m = Y.shape[1]", "m = Y.shape[0]"),
    row("last_example_only", "J", J, "for i in range(m):\n        cost = -logprobs[0, i] / m"),
    row("accumulators_not_reset", "J", "def compute_cost(A2, Y):", "def compute_cost(A2, Y, total=[0]):",
        J, "total[0] = total[0] - np.sum(logprobs)\n    cost = total[0] / m"),
    # forward
    row("bias_missing", "Z1", Z1, "Z1 = np.dot(W1, X)"),
    row("bias_missing", "Z2", Z2, "Z2 = np.dot(W2, A1)"),
    row("W_transposed", "Z1", Z1, "Z1 = np.dot(W1.T, X) + b1"),
    row("star_for_dot", "Z1", Z1, "Z1 = W1 * X + b1"),
    row("star_for_dot", "Z2", Z2, "Z2 = W2 * A1 + b2"),
    row("exp_overflow", "A2", "return 1 / (1 + np.exp(-z))", "return np.exp(z) / (1 + np.exp(z))"),
    row("exp_overflow", "A1", A1, "A1 = (np.exp(Z1) - np.exp(-Z1)) / (np.exp(Z1) + np.exp(-Z1))"),
    row("sigmoid_without_minus", "A2", "np.exp(-z)", "np.exp(z)"),
    row("linear_hidden", "A1", A1, "A1 = Z1"),
    row("tanh_at_output", "A2", A2, "A2 = np.tanh(Z2)"),
    # backward
    row("m_from_X_rows", "m", "m = X.shape[1]", "m = X.shape[0]"),
    row("dZ_sign", "dZ2", DZ2, "dZ2 = Y - A2"),
    row("extra_sigma_prime", "dZ2", DZ2, "dZ2 = (A2 - Y) * A2 * (1 - A2)"),
    row("dA_for_dZ", "dZ2", DZ2, "dZ2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2))"),
    row("rank_1_labels", "dZ2", DZ2, "dZ2 = A2.T - Y.flatten()"),
    row("missing_1_over_m", "dW2", DW2, "dW2 = np.dot(dZ2, A1.T)"),
    row("missing_1_over_m", "dW1", DW1, "dW1 = np.dot(dZ1, X.T)"),
    row("missing_1_over_m", "db1", DB1, "db1 = np.sum(dZ1, axis=1, keepdims=True)"),
    row("twice_1_over_m", "dW2", DW2, "dW2 = (1 / m) * " + DW2[6:]),
    row("twice_1_over_m", "db1", DB1, "db1 = np.mean(dZ1, axis=1, keepdims=True) / m"),
    row("one_over_n", "dW1", DW1, "dW1 = np.dot(dZ1, X.T) / X.shape[0]"),
    row("one_over_n", "db1", DB1, DB1.replace("/ m", "/ X.shape[0]")),
    row("last_example_only", "dW1", DW1,
        "for i in range(m):\n        dW1 = np.outer(dZ1[:, i], X[:, i])\n    dW1 = dW1 / m"),
    row("last_example_only", "db1", DB1, "for i in range(m):\n        db1 = dZ1[:, [i]]\n    db1 = db1 / m"),
    row("accumulators_not_reset", "dW1", "import numpy as np\n", "import numpy as np\n\ntotal = 0\n",
        DW1, "global total\n    total = total + np.dot(dZ1, X.T)\n    dW1 = total / m",
        note="a call with other sizes raises"),
    row("missing_g_prime", "dZ1", DZ1, "dZ1 = np.dot(W2.T, dZ2)"),
    row("g_for_g_prime", "dZ1", DZ1, DA1 + 'np.tanh(cache["Z1"])'),
    row("g_prime_of_A", "dZ1", DZ1, DA1 + "(1 - np.power(np.tanh(A1), 2))"),
    row("other_derivative", "dZ1", DZ1, DA1 + "(A1 > 0)"),
    row("output_derivative", "dZ1", DZ1, DA1 + "A1 * (1 - A1)"),
    row("one_minus_Z_squared", "dZ1", DZ1, DA1 + '(1 - np.power(cache["Z1"], 2))'),
    row("extra_factor_Z", "dZ1", DZ1, DZ1 + ' * cache["Z1"]'),
    row("dW_for_W", "dZ1", DZ1, DZ1.replace("W2.T", "dW2.T")),
    row("dot_for_star", "dZ1", DZ1, "dZ1 = np.dot(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))"),
    row("star_for_dot", "dW2", DW2, "dW2 = dZ2 * A1.T / m"),
    row("star_for_dot", "dW1", DW1, "dW1 = dZ1 * X.T / m"),
    row("off_by_one_layer", "dW2", DW2, "dW2 = np.dot(dZ2, A2.T) / m"),
    row("off_by_one_layer", "dW1", DW1, "dW1 = np.dot(dZ1, A1.T) / m"),
    row("off_by_one_layer", "dZ1", DZ1, DA1 + "(1 - np.power(A2, 2))"),
    row("dW_transposed", "dW2", DW2, "dW2 = np.dot(A1, dZ2.T) / m"),
    row("dW_transposed", "dW1", DW1, "dW1 = np.dot(X, dZ1.T) / m"),
    row("db_wrong_axis", "db1", DB1, "db1 = np.sum(dZ1, axis=0, keepdims=True) / m"),
    row("db_sum_of_all", "db1", DB1, "db1 = np.sum(dZ1) / m"),
    row("db_not_summed", "db1", DB1, "db1 = dZ1 / m"),
    row("db_not_summed", "db2", DB2, "db2 = dZ2 / m"),
    row("db_keepdims", "db1", DB1, "db1 = np.sum(dZ1, axis=1) / m"),
    # the update, and training
    row("update_plus", "W1", STEP_W1, STEP_W1.replace(" - ", " + ")),
    row("update_plus", "b2", STEP_B2, STEP_B2.replace(" - ", " + ")),
    row("update_without_alpha", "W1", STEP_W1, STEP_W1.replace("learning_rate * ", "")),
    row("update_order", "nn_model", "    for i in range(0",
        '    grads = {"dW1": 0, "db1": 0, "dW2": 0, "db2": 0}\n    for i in range(0', LOOP, LATE,
        note="the update comes before its step's gradients: the first one adds 0, the last ones are not used"),
    row("iterations_off_by_one", "nn_model", "range(0, num_iterations)", "range(1, num_iterations)"),
    # functions
    row("inputs_mutated", "W1", STEP_W1, 'W1 = parameters["W1"]\n    W1 -= learning_rate * grads["dW1"]'),
    row("inputs_mutated", "A2", DZ2, "dZ2 = A2\n    dZ2 -= Y", note="the cache that was handed in holds A2 − Y"),
    row("not_returned", "compute_cost", "    return cost\n", ""),
    row("not_returned", "db1", GRADS, GRADS.replace('"db1": db1, ', "")),
    row("float32_arithmetic", "Z1", Z1, "Z1 = (np.dot(W1, X) + b1).astype(np.float32)", dtypes=ONLY_64),
    row("float32_arithmetic", "A2", A2, "A2 = sigmoid(Z2).astype(np.float32)", dtypes=ONLY_64),
    row("float32_arithmetic", "dW1", DW1, "dW1 = np.dot(dZ1, X.T).astype(np.float32) / m", dtypes=ONLY_64),
    row("float32_arithmetic", "W2", STEP_W2, STEP_W2.replace('parameters["W2"]', 'np.float32(parameters["W2"])')
        .replace('grads["dW2"]', 'np.float32(grads["dW2"])'), dtypes=ONLY_64),
    row("integer_arithmetic", "Z1", Z1, "Z1 = (np.dot(W1, X) + b1).astype(int)"),
    row("integer_arithmetic", "dW1", DW1, "dW1 = np.zeros_like(X, shape=W2.T.shape[:1] + X.shape[:1])\n"
        "    dW1[:] = np.dot(dZ1, X.T) / m", dtypes=ONLY_64, note="X has to be of whole numbers"),
    row("integer_arithmetic", "db2", DB2, "db2 = np.sum(dZ2, axis=1, keepdims=True) // m"),
    row("prediction_threshold", "predict", "A2 > 0.5", "A2 > 0.8"),
    row("prediction_threshold", "predict, of Z", "predictions = A2 > 0.5", 'predictions = cache["Z2"] > 0.5'),
    # initialisation
    row("rand_for_randn", "W1", INIT_W1, INIT_W1.replace("randn", "rand")),
    row("zero_weights", "W1", INIT_W1, "W1 = np.zeros((n_h, n_x))"),
    row("symmetric_weights", "W1", INIT_W1, "W1 = np.ones((n_h, n_x)) * 0.01"),
    row("symmetric_weights", "W1, a row", INIT_W1, "W1 = np.tile(np.random.randn(1, n_x) * 0.01, (n_h, 1))"),
    row("scale_missing", "W1", INIT_W1, "W1 = np.random.randn(n_h, n_x)"),
    row("scale_on_b", "b1", INIT_B1, "b1 = np.random.randn(n_h, 1) * 0.01"),
)  # fmt: skip

INLINE_DZ1 = "        dZ1 = np.dot(W2.T, dZ2) * (1 - A1**2)\n"
INLINE_W2 = "        W2 = W2 - learning_rate * dW2\n"

INLINE_COURSE = planted(
    "shallow_inline_course",
    row("updated_W", "dZ1", INLINE_DZ1, INLINE_W2 + INLINE_DZ1,
        "        W2 = W2 - learning_rate * dW2\n        b2", "        b2"),
    row("update_alpha_over_m", "W1", "W1 = W1 - learning_rate * dW1", "W1 = W1 - learning_rate / m * dW1"),
    row("iterations_off_by_one", "nn_model", "range(num_iterations)", "range(num_iterations - 1)"),
)  # fmt: skip

SHALLOW: tuple[Planted, ...] = COURSE + INLINE_COURSE + OWN + INLINE_OWN
