"""The grader on prediction and training: the loop is judged by the file's own gradients, whatever these are worth."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.test_grade_units import look, mistakes

FORWARD = dedent("""
    def sigmoid(z): return 1 / (1 + np.exp(-z))
    def forward_propagation(X, parameters):
        A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
        A2 = sigmoid(parameters["W2"] @ A1 + parameters["b2"])
        return A2, {"A1": A1, "A2": A2}
    """)

LOGISTIC = "def predict(w, b, X):\n    A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))\n"
DEEP = dedent("""
    def L_model_forward(X, parameters):
        A, L = X, len(parameters) // 2
        for l in range(1, L + 1):
            Z = parameters[f"W{l}"] @ A + parameters[f"b{l}"]
            A = np.maximum(0, Z) if l < L else 1 / (1 + np.exp(-Z))
        return A, [Z]
    """)

RIGHT_LABELS = {
    "logistic": LOGISTIC + "    return (A > 0.5).astype(float)",
    "booleans": LOGISTIC + "    return A > 0.5",
    "of rank 1": LOGISTIC + "    return np.squeeze(A > 0.5)",
    "rounded": LOGISTIC + "    return np.round(A)",
    "by the logit": "def predict(w, b, X): return np.dot(w.T, X) + b > 0",
    "in place": LOGISTIC + "    A[A > 0.5] = 1\n    A[A <= 0.5] = 0\n    return A",
    "a loop": LOGISTIC + "    return np.array([[1 if a > 0.5 else 0 for a in A[0]]])",
    "rows": "def predict(w, b, X):\n    if X.shape[1] != w.shape[0]: raise ValueError(X.shape)\n"
    "    return 1 / (1 + np.exp(-(X @ w + b))) > 0.5",
}


@pytest.mark.parametrize("manner", RIGHT_LABELS)
def test_right_labels_raise_no_alarm(manner: str) -> None:
    found = look("logistic", RIGHT_LABELS[manner])
    assert not found.findings
    assert not found.notes
    assert found.scores == {"predictions": True}


@pytest.mark.parametrize(
    ("exercise", "text"),
    [
        ("shallow", FORWARD + "def predict(parameters, X): return forward_propagation(X, parameters)[0] > 0.5"),
        ("deep", DEEP + "def predict(X, y, parameters):\n    return np.round(L_model_forward(X, parameters)[0])"),
        # a forward pass that is wrong is no fault of the prediction
        (
            "shallow",
            FORWARD.replace('@ A1 + parameters["b2"]', "@ A1 + 0.7")
            + "def predict(parameters, X):\n    A2, cache = forward_propagation(X, parameters)\n    return A2 > 0.5",
        ),
    ],
)
def test_labels_are_held_to_the_file_s_own_probabilities(exercise: str, text: str) -> None:
    found = look(exercise, text)
    assert not found.findings
    assert found.scores["predictions"] is True


@pytest.mark.parametrize(
    ("mistake", "rest"),
    [
        ("prediction_threshold", "    return A > 0.6"),
        ("prediction_threshold", "    return np.log(A / (1 - A)) > 0.5"),
        ("prediction_threshold", "    return A"),
        ("not_returned", "    Y_prediction = A > 0.5"),
        (None, "    return A < 0.5"),
        ("prediction_threshold", "    return np.zeros(A.shape)"),
        (None, "    return 2 * (A > 0.5) - 1"),
        (None, "    return (A > 0.5)[:, :3]"),
    ],
)
def test_wrong_labels_are_named(mistake: str | None, rest: str) -> None:
    assert mistakes(look("logistic", LOGISTIC + rest)) == {(mistake, "predictions")}


def test_one_half_is_noted() -> None:
    found = look("logistic", LOGISTIC + "    return A >= 0.5")
    assert not found.findings
    assert [n.convention for n in found.notes] == ["threshold_at_half"]


PROPAGATE = """
def propagate(w, b, X, Y):
    m = X.shape[1]
    A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    return {"dw": np.dot(X, (A - Y).T) / m, "db": np.sum(A - Y) / m}, cost

def optimize(w, b, X, Y, num_iterations, learning_rate, print_cost=False):
    costs = []
    for i in range(num_iterations):
        grads, cost = propagate(w, b, X, Y)
        w = w - learning_rate * grads["dw"]
        b = b - learning_rate * grads["db"]
        if i % 100 == 0:
            costs.append(cost)
    return {"w": w, "b": b}, grads, costs
"""

INLINE = """
def optimize(w, b, X, Y, num_iterations, learning_rate, print_cost=False):
    m = X.shape[1]
    costs = []
    for i in range(num_iterations):
        A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
        dw = np.dot(X, (A - Y).T) / m
        db = np.sum(A - Y) / m
        w = w - learning_rate * dw
        b = b - learning_rate * db
    return {"w": w, "b": b}, {"dw": dw, "db": db}, costs
"""

LOOP = """
def optimize(w, b, X, Y, num_iterations, learning_rate):
    m = X.shape[1]
    dw, db = np.zeros_like(w), 0
    for i in range(num_iterations):
        dw, db = np.zeros_like(w), 0
        for k in range(m):
            a = 1 / (1 + np.exp(-(np.sum(w[:, 0] * X[:, k]) + b)))
            dw = dw + X[:, k : k + 1] * (a - Y[0, k])
            db = db + a - Y[0, k]
        dw, db = dw / m, db / m
        w = w - learning_rate * dw
        b = b - learning_rate * db
    return {"w": w, "b": b}
"""

SHALLOW = FORWARD + dedent("""
    def initialize_parameters(n_x, n_h, n_y):
        return {"W1": np.random.randn(n_h, n_x) * 0.01, "b1": np.zeros((n_h, 1)),
                "W2": np.random.randn(n_y, n_h) * 0.01, "b2": np.zeros((n_y, 1))}
    def backward_propagation(parameters, cache, X, Y):
        m = X.shape[1]
        dZ2 = cache["A2"] - Y
        dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
        return {"dW1": dZ1 @ X.T / m, "db1": dZ1.sum(1, keepdims=True) / m,
                "dW2": dZ2 @ cache["A1"].T / m, "db2": dZ2.sum(1, keepdims=True) / m}
    def update_parameters(parameters, grads, learning_rate=1.2):
        return {n: p - learning_rate * grads["d" + n] for n, p in parameters.items()}
    def nn_model(X, Y, n_h, num_iterations=10000, print_cost=False):
        parameters = initialize_parameters(X.shape[0], n_h, Y.shape[0])
        for i in range(num_iterations):
            A2, cache = forward_propagation(X, parameters)
            grads = backward_propagation(parameters, cache, X, Y)
            parameters = update_parameters(parameters, grads)
        return parameters
    """)

OWN_NAMES = """
def forward(params, X):
    Z1 = params["W1"] @ X + params["b1"]
    A1 = np.tanh(Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    return 1 / (1 + np.exp(-Z2)), {"Z1": Z1, "A1": A1, "Z2": Z2}
def cost_and_gradients(params, X, Y):
    m = X.shape[1]
    A2, cache = forward(params, X)
    J = np.sum(np.logaddexp(0, cache["Z2"]) - Y * cache["Z2"]) / m
    dZ2 = A2 - Y
    dZ1 = params["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
    return J, {"dW1": dZ1 @ X.T / m, "db1": dZ1.sum(1, keepdims=True) / m,
               "dW2": dZ2 @ cache["A1"].T / m, "db2": dZ2.sum(1, keepdims=True) / m}
def train(params, X, Y, learning_rate, iterations):
    costs = np.empty(iterations)
    params = {n: p.copy() for n, p in params.items()}
    for i in range(iterations):
        costs[i], grads = cost_and_gradients(params, X, Y)
        for n in params:
            params[n] -= learning_rate * grads["d" + n]
    return params, costs
"""

DEEP_MODEL = """
def initialize_parameters_deep(layer_dims):
    return {k: v for l in range(1, len(layer_dims)) for k, v in (
        (f"W{l}", np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.5), (f"b{l}", np.zeros((layer_dims[l], 1))))}
def L_model_forward(X, parameters):
    A, caches, L = X, [], len(parameters) // 2
    for l in range(1, L + 1):
        W, b = parameters[f"W{l}"], parameters[f"b{l}"]
        Z = W @ A + b
        caches.append((A, W, Z))
        A = np.maximum(0, Z) if l < L else 1 / (1 + np.exp(-Z))
    return A, caches
def L_model_backward(AL, Y, caches):
    grads, L, m = {}, len(caches), Y.shape[1]
    dZ = AL - Y
    for l in range(L, 0, -1):
        A, W, Z = caches[l - 1]
        grads[f"dW{l}"], grads[f"db{l}"] = dZ @ A.T / m, dZ.sum(1, keepdims=True) / m
        if l > 1:
            dZ = W.T @ dZ * (caches[l - 2][2] > 0)
    return grads
def update_parameters(params, grads, learning_rate):
    for n in params:
        params[n] = params[n] - learning_rate * grads["d" + n]
    return params
def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    parameters = initialize_parameters_deep(layers_dims)
    costs = []
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
    return parameters
"""

OF_NAMES = """
def initialize_parameters(n_x, n_h, n_y):
    W1, W2 = 0.01 * np.random.randn(n_h, n_x), 0.01 * np.random.randn(n_y, n_h)
    return W1, np.zeros((n_h, 1)), W2, np.zeros((n_y, 1))
def nn_model(X, Y, n_h, num_iterations=10000, learning_rate=1.2):
    m = X.shape[1]
    W1, b1, W2, b2 = initialize_parameters(X.shape[0], n_h, Y.shape[0])
    for i in range(num_iterations):
        A1 = np.tanh(W1 @ X + b1)
        A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
        dZ2 = A2 - Y
        dZ1 = W2.T @ dZ2 * (1 - A1**2)
        dW1, db1 = dZ1 @ X.T / m, dZ1.sum(1, keepdims=True) / m
        dW2, db2 = dZ2 @ A1.T / m, dZ2.sum(1, keepdims=True) / m
        W1, b1 = W1 - learning_rate * dW1, b1 - learning_rate * db1
        W2, b2 = W2 - learning_rate * dW2, b2 - learning_rate * db2
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
"""

DEEP_INLINE = """
def initialize_parameters_deep(layer_dims):
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.01
        parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters
def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000):
    m, L = X.shape[1], len(layers_dims) - 1
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(num_iterations):
        A, Z = [X], [None]
        for l in range(1, L + 1):
            Z.append(parameters[f"W{l}"] @ A[-1] + parameters[f"b{l}"])
            A.append(np.maximum(0, Z[l]) if l < L else 1 / (1 + np.exp(-Z[l])))
        dZ = A[L] - Y
        for l in range(L, 0, -1):
            W = parameters[f"W{l}"]
            dW, db = dZ @ A[l - 1].T / m, dZ.sum(1, keepdims=True) / m
            parameters[f"W{l}"] = W - learning_rate * dW
            parameters[f"b{l}"] = parameters[f"b{l}"] - learning_rate * db
            if l > 1:
                dZ = W.T @ dZ * (Z[l - 1] > 0)
    return parameters
"""

FILES = {
    "deep inline": ("deep", DEEP_INLINE),
    "of names": ("shallow", OF_NAMES),
    "propagate": ("logistic", PROPAGATE),
    "inline": ("logistic", INLINE),
    "loop": ("logistic", LOOP),
    "shallow": ("shallow", SHALLOW),
    "own names": ("shallow", OWN_NAMES),
    "deep": ("deep", DEEP_MODEL),
}


@pytest.mark.parametrize("name", FILES)
def test_right_training_raises_no_alarm(name: str) -> None:
    exercise, text = FILES[name]
    found = look(exercise, text)
    assert not found.findings
    assert not found.troubles
    assert found.scores["update"] is True


@pytest.mark.parametrize("name", ["propagate", "own names"])
def test_costs_are_seen(name: str) -> None:
    assert look(*FILES[name]).scores["costs"] is True


def changed(name: str, *changes: tuple[str, str]) -> tuple[str, str]:
    exercise, text = FILES[name]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return exercise, text


ACCUMULATED = (
    "grads, cost = propagate(w, b, X, Y)\n",
    "grads, cost = propagate(w, b, X, Y)\n        dw, db = dw + grads['dw'], db + grads['db']\n",
)
WRONG = [
    ("iterations_off_by_one", "costs", "of names", (("range(num_iterations)", "range(1, num_iterations)"),)),
    ("update_plus", "update", "propagate", (("w = w -", "w = w +"),)),
    ("update_order", "update", "inline", (
        ("        b = b", "        db = np.sum(1 / (1 + np.exp(-(np.dot(w.T, X) + b))) - Y) / m\n        b = b"),
    )),
    ("update_alpha_over_m", "update", "deep inline", (("W - learning_rate", "W - learning_rate / m"),)),
    ("iterations_off_by_one", "costs", "deep inline", (("range(num_iterations)", "range(num_iterations + 1)"),)),
    ("integer_arithmetic", "update", "propagate", (
        ('w - learning_rate * grads["dw"]', '(w - learning_rate * grads["dw"]).astype(int)'),
    )),
    ("inputs_mutated", "update", "propagate", (("w = w -", "w -="),)),
    ("update_plus", "update", "of names", (("- learning_rate", "+ learning_rate"),)),
    ("iterations_off_by_one", "costs", "propagate", (("range(num_iterations)", "range(num_iterations + 1)"),)),
    ("iterations_off_by_one", "costs", "propagate", (("range(num_iterations)", "range(1, num_iterations)"),)),
    ("iterations_off_by_one", "costs", "inline", (("range(num_iterations)", "range(num_iterations + 1)"),)),
    ("iterations_off_by_one", "costs", "loop", (("range(num_iterations)", "range(1, num_iterations)"),)),
    ("iterations_off_by_one", "costs", "shallow", (("range(num_iterations)", "range(num_iterations + 1)"),)),
    ("iterations_off_by_one", "costs", "shallow", (("range(num_iterations)", "range(num_iterations - 1)"),)),
    ("iterations_off_by_one", "costs", "own names", (("range(iterations)", "range(iterations - 1)"),)),
    ("iterations_off_by_one", "costs", "deep", (("range(num_iterations)", "range(0, num_iterations + 1)"),)),
    ("update_plus", "update", "propagate", (("- learning_rate", "+ learning_rate"),)),
    ("update_plus", "update", "loop", (("- learning_rate", "+ learning_rate"),)),
    ("update_plus", "update", "own names", (("-= learning_rate", "+= learning_rate"),)),
    ("update_without_alpha", "update", "inline", (("learning_rate * d", "d"),)),
    ("update_without_alpha", "update", "own names", (("learning_rate * grads", "grads"),)),
    ("update_alpha_over_m", "update", "inline", (("- learning_rate", "- learning_rate / m"),)),
    ("update_order", "update", "propagate", (
        ("costs = []", "costs = []\n    grads = {'dw': np.zeros_like(w), 'db': 0.0}"),
        ("        grads, cost = prop", "        old = grads\n        grads, cost = prop"),
        ("rate * grads", "rate * old"),
    )),
    ("update_order", "update", "propagate", (
        ("        w = w -", "        params = {'w': w, 'b': b}\n        w = w -"),
        ('return {"w": w, "b": b}', "return params"),
    )),
    ("update_order", "update", "inline", (
        ("        w = w -", "        params = {'w': w, 'b': b}\n        w = w -"),
        ("costs = []", "costs = []\n    params = {'w': w, 'b': b}"),
        ('return {"w": w, "b": b}', "return params"),
    )),
    ("update_order", "update", "inline", (
        ("costs = []", "costs = []\n    dw, db = np.zeros_like(w), 0.0"),
        ("        A = 1", "        w, b, A = w - learning_rate * dw, b - learning_rate * db, 1"),
        ("        w = w - learning_rate * dw\n        b = b - learning_rate * db\n", ""),
        ("range(num_iterations):\n", "range(num_iterations):\n        w = w + 0 * dw\n"),
    )),
    ("update_order", "update", "shallow", (
        ("n_h, Y.shape[0])", "n_h, Y.shape[0])\n    grads = {'d' + n: 0 * p for n, p in parameters.items()}"),
        ("        grads = back", "        old, grads = grads, back"),
        ("update_parameters(parameters, grads)", "update_parameters(parameters, old)"),
    )),
    ("update_order", "update", "propagate", (
        ("        b = b", "        grads, cost = propagate(w, b, X, Y)\n        b = b"),
    )),
    ("accumulators_not_reset", "update", "propagate", (
        ("costs = []", "costs = []\n    dw, db = 0 * w, 0.0"), ACCUMULATED,
        ('rate * grads["dw"]', "rate * dw"), ('rate * grads["db"]', "rate * db"),
    )),
    ("accumulators_not_reset", "update", "loop", (
        ("(num_iterations):\n        dw, db = np.zeros_like(w), 0\n", "(num_iterations):\n"),
    )),
    ("not_returned", "update", "propagate", (('    return {"w": w, "b": b}, grads, costs', "    pass"),)),
    ("float32_arithmetic", "update", "propagate", (
        ('w - learning_rate * grads["dw"]', '(w - learning_rate * grads["dw"]).astype(np.float32)'),
    )),
    (None, "update", "propagate", (("- learning_rate", "- 3 * learning_rate"),)),
    (None, "update", "deep", (("grads, learning_rate)\n    return", "grads, 0.5)\n    return"),)),
    (None, "costs", "propagate", (("        if i %", "        cost = propagate(w, b, X, Y)[1]\n        if i %"),)),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "quantity", "name", "changes"), WRONG)
def test_wrong_training_is_named(
    mistake: str | None, quantity: str, name: str, changes: tuple[tuple[str, str], ...]
) -> None:
    found = look(*changed(name, *changes))
    assert mistakes(found) == {(mistake, quantity)}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("propagate", ("/ m, ", ", ")),
        ("shallow", ("(1 - cache", "(2 - cache")),
        ("shallow", ("p - learning_rate", "p + learning_rate")),
        ("own names", ("A2 - Y", "Y - A2")),
        ("inline", ("(A - Y).T) / m", "(A - Y).T)")),
        ("deep", (" > 0)", " < 0)")),
        ("own names", ("sum(1, keepdims=True) / m", "sum(1, keepdims=True)")),
    ],
)
def test_wrong_gradients_and_updates_are_no_fault_of_the_loop(name: str, change: tuple[str, str]) -> None:
    found = look(*changed(name, change))
    assert not found.findings
    assert found.scores["update"] is True


def test_alpha_over_m_is_right_where_gradients_are_sums() -> None:
    sums = ((".T) / m", ".T)"), ("(A - Y) / m", "(A - Y)"), ("- learning_rate", "- learning_rate / m"))
    assert not look(*changed("inline", *sums)).findings


def test_batches_are_left_open() -> None:
    step = "        grads, cost = propagate(w, b, X, Y)\n"
    loop = "      for k in (0, 4):\n        grads, cost = propagate(w, b, X[:, k : k + 4], Y[:, k : k + 4])\n"
    found = look(*changed("propagate", (step, loop)))
    assert not found.findings
    assert found.scores["update"] is None


def test_what_is_raised() -> None:
    """A mistake where it is this function's own, a trouble where a name is missing, nothing where it follows."""
    own = look(*changed("propagate", ("costs = []", "costs = [].nothing")))
    assert mistakes(own) == {(None, "update")}
    missing = look(*changed("propagate", ("costs = []", "costs = empty()")))
    assert not missing.findings
    assert [t.kind for t in missing.troubles] == ["missing"]
    follows = look(*changed("propagate", ('"dw": np.dot(X, (A - Y).T) / m, ', "")))
    assert not follows.findings
    assert not follows.troubles
