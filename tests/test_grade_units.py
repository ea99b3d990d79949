"""The grader on what is no pass through a network: each planted mistake by its own name, right manners by none."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from parity.grade import names, units
from parity.grade.record import Source
from parity.grade.room import Here


def look(exercise: str, text: str, dtypes: tuple[str, ...] = ("float64", "float32")) -> units.Units:
    text = "import numpy as np\n" + dedent(text)
    source = Source("learner.py", text, ast.parse(text))
    with Here(source) as room:
        assert not room.inventory.troubles
        return units.look(room, exercise, names.roles(room.inventory, exercise), dtypes)


def mistakes(found: units.Units) -> set[tuple[str | None, str]]:
    """(mistake, quantity) of every finding."""
    return {(finding.mistake, quantity) for finding in found.findings for quantity in finding.quantities}


RIGHT_FUNCTIONS = {
    "slides": """
        def sigmoid(z): return 1 / (1 + np.exp(-z))
        def tanh(z): return np.tanh(z)
        def relu(z): return np.maximum(0, z)
        def leaky_relu(z): return np.maximum(0.01 * z, z)
        def sigmoid_derivative(z):
            s = sigmoid(z)
            return s * (1 - s)
        def tanh_derivative(z): return 1 - np.tanh(z) ** 2
        def relu_derivative(z): return (z > 0).astype(float)
        def leaky_relu_derivative(z): return np.where(z > 0, 1, 0.01)
        """,
    "stable": """
        def sigmoid(z):
            e = np.exp(-np.abs(z))
            return np.where(z >= 0, 1, e) / (1 + e)
        def tanh(z): return 2 * sigmoid(2 * z) - 1
        def relu(z): return z * (z > 0)
        def leaky_relu(x, alpha=0.2): return np.where(x > 0, x, alpha * x)
        def sigmoid_derivative(z):
            e = np.exp(-np.abs(z))
            return e / (1 + e) ** 2
        def tanh_derivative(z): return 4 * sigmoid_derivative(2 * z)
        def relu_derivative(z): return np.where(z >= 0, 1.0, 0.0)
        def leaky_relu_derivative(z):
            d = np.ones_like(z, dtype=float)
            d[z < 0] = 0.01
            return d
        """,
    "with caches": """
        def sigmoid(Z):
            A = (1 + np.tanh(Z / 2)) / 2
            return A, Z
        def relu(Z):
            A = np.maximum(0, Z)
            return A, Z
        def sigmoid_backward(dA, cache):
            s = 1 / (1 + np.exp(-cache))
            return dA * s * (1 - s)
        def relu_backward(dA, cache):
            dZ = np.array(dA, copy=True)
            dZ[cache <= 0] = 0
            return dZ
        def tanh_derivative(a): return (1 - a) * (1 + a)
        """,
    "of numbers": """
        import math
        def sigmoid(z): return 1 / (1 + math.exp(-z)) if z > 0 else math.exp(z) / (1 + math.exp(z))
        def relu(z): return max(0, z)
        """,
    "half at the kink": """
        def relu_derivative(z): return (np.sign(z) + 1) / 2
        def leaky_relu_derivative(z): return np.where(z > 0, 1, np.where(z < 0, 0.01, 0.505))
        def sigmoid_derivative(x): return x * (1 - x)
        """,
}


@pytest.mark.parametrize("manner", RIGHT_FUNCTIONS)
def test_right_functions_raise_no_alarm(manner: str) -> None:
    found = look("activations", RIGHT_FUNCTIONS[manner])
    assert not found.findings
    assert not found.troubles
    assert found.scores
    assert False not in found.scores.values()


def test_conventions_are_noted() -> None:
    found = look("activations", RIGHT_FUNCTIONS["half at the kink"])
    assert [(n.convention, n.function) for n in found.notes] == [
        ("kink", "relu_derivative"),
        ("kink", "leaky_relu_derivative"),
    ]
    assert found.scores["sigmoid'"] is None  # of z or of a: the name does not say
    overflows = look("activations", "def sigmoid(z): return 1 / (1 + np.exp(-z))")
    assert [n.convention for n in overflows.notes] == ["overflow_warning"]


WRONG_FUNCTIONS = [
    ("exp_overflow", "sigmoid", "def sigmoid(z): return np.exp(z) / (1 + np.exp(z))"),
    ("exp_overflow", "sigmoid", "import math\ndef sigmoid(z): return 1 / (1 + math.exp(-z))"),
    (
        "exp_overflow",
        "tanh",
        "def tanh(z): return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))",
    ),
    ("sigmoid_without_minus", "sigmoid", "def sigmoid(z): return 1 / (1 + np.exp(z))"),
    ("tanh_at_output", "sigmoid", "def sigmoid(z): return np.tanh(z)"),
    ("linear_hidden", "relu", "def relu(z): return 1 * z"),
    ("g_for_g_prime", "tanh'", "def tanh_derivative(z): return np.tanh(z)"),
    ("g_for_g_prime", "relu'", "def relu_backward(dA, cache): return dA * np.maximum(0, cache)"),
    ("g_prime_of_A", "tanh'", "def tanh_derivative(z): return 1 - np.tanh(np.tanh(z)) ** 2"),
    ("other_derivative", "tanh'", "def tanh_derivative(z):\n s = 1 / (1 + np.exp(-z))\n return s * (1 - s)"),
    ("other_derivative", "leaky_relu'", "def leaky_relu_derivative(z): return (z > 0) * 1.0"),
    ("one_minus_Z_squared", "tanh'", "def tanh_derivative(z): return 1 - z ** 2"),
    ("missing_g_prime", "sigmoid'", "def sigmoid_backward(dA, cache): return 1 * dA"),
    ("integer_arithmetic", "sigmoid", "def sigmoid(z): return (1 / (1 + np.exp(-z))).astype(int)"),
    (
        "integer_arithmetic",
        "leaky_relu",
        "def leaky_relu(z):\n A = np.zeros_like(z)\n A[z > 0] = z[z > 0]\n A[z < 0] = 0.01 * z[z < 0]\n return A",
    ),
    ("float32_arithmetic", "tanh", "def tanh(z): return np.tanh(z.astype(np.float32))"),
    ("inputs_mutated", "relu", "def relu(Z):\n Z[Z < 0] = 0\n return Z"),
    ("inputs_mutated", "relu'", "def relu_backward(dA, cache):\n dA[cache <= 0] = 0\n return dA"),
    ("not_returned", "relu", "def relu(z): A = np.maximum(0, z)"),
    (None, "relu", "def relu(z): return -np.maximum(0, z)"),
    (None, "tanh'", "def tanh_derivative(z): return 1 + np.tanh(z) ** 2"),
    (None, "relu", "def relu(z): return np.maximum(0, z).T"),
    (None, "sigmoid", "def sigmoid(z): return undefined(z) + z.nothing if z is None else z.nothing"),
    (None, "sigmoid", "def sigmoid(z): return 1 / (1 + np.exp(-z) + 1e-8)"),
]


@pytest.mark.parametrize(("mistake", "quantity", "text"), WRONG_FUNCTIONS)
def test_a_wrong_function_is_named(mistake: str | None, quantity: str, text: str) -> None:
    found = look("activations", text)
    assert mistakes(found) == {(mistake, quantity)}
    assert found.scores == {quantity: False}


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("def relu(z): return -np.maximum(0, z)", "a sign"),
        ("def tanh(z): return 2 * np.tanh(z)", "a factor 2"),
        ("def tanh(z): return 1 / (1 + np.exp(-z))", "sigmoid in place of tanh"),
        ("def leaky_relu(z): return np.where(z > 0, z, 0.2 * z)", "a slope of 0.2 in place of 0.01"),
    ],
)
def test_what_can_be_said_of_an_unknown_one(text: str, guess: str) -> None:
    (finding,) = look("activations", text).findings
    assert (finding.mistake, finding.guess) == (None, guess)
    assert finding.line == 2
    assert "its formula" in finding.shown


def test_integers_are_given_to_functions_alone_that_are_graded_as_such() -> None:
    of_integers = "def sigmoid(z):\n A = np.zeros_like(z)\n A[:] = 1 / (1 + np.exp(-z))\n return A"
    assert not look("shallow", of_integers).findings
    assert mistakes(look("activations", of_integers)) == {("integer_arithmetic", "sigmoid")}


def test_one_finding_a_mistake_and_function() -> None:
    """float64 and float32 are the same finding; lines are those of the text."""
    (finding,) = look(
        "activations", "def relu(z):\n    A = np.maximum(0, z)\n    A[A > 1] = 1\n    return A\n"
    ).findings
    assert finding.quantities == ("relu",)
    assert finding.line == 3


SHALLOW = """
    def initialize_parameters(n_x, n_h, n_y):
        W1 = {W1}
        b1 = {b1}
        W2 = np.random.randn(n_y, n_h) * 0.01
        b2 = np.zeros((n_y, 1))
        return {{"W1": W1, "b1": b1, "W2": W2, "b2": b2}}
    """


def shallow(W1: str = "np.random.randn(n_h, n_x) * 0.01", b1: str = "np.zeros((n_h, 1))") -> str:
    return SHALLOW.format(W1=W1, b1=b1)


DEEP = """
    def initialize_parameters_deep(layer_dims):
        parameters = {}
        for l in range(1, len(layer_dims)):
            n, n_prev = layer_dims[l], layer_dims[l - 1]
            parameters["W" + str(l)] = np.random.randn(n, n_prev) * SCALE
            parameters["b" + str(l)] = np.zeros((n, 1))
        return parameters
    """


def test_right_initialisation_raises_no_alarm() -> None:
    for seed in range(20):
        found = look("shallow", f"np.random.seed({seed})\n" + dedent(shallow()))
        assert not found.findings
        assert not found.notes
        assert found.scores == dict.fromkeys(("W1", "b1", "W2", "b2"), True)
    assert not look("deep", DEEP.replace("SCALE", "0.01")).findings
    zeros = look("logistic", "def initialize_with_zeros(dim): return np.zeros((dim, 1)), 0.0")
    assert not zeros.findings
    assert zeros.scores == {"w": True, "b": True}
    assert not look("initialization", dedent(shallow()) + dedent(DEEP).replace("SCALE", "0.01")).findings


OWN = """
    def random(layers, rng, scale=0.01):
        params = {}
        for l in range(1, len(layers)):
            params[f"W{l}"] = rng.standard_normal((layers[l], layers[l - 1])) * scale
            params[f"b{l}"] = np.zeros((layers[l], 1))
        return params
    """


def test_a_source_of_random_numbers_is_made() -> None:
    found = look("shallow", OWN)
    assert not found.findings
    assert found.scores["W1"] is True
    assert mistakes(look("shallow", OWN.replace("* scale", ""))) == {("scale_missing", "W1"), ("scale_missing", "W2")}


@pytest.mark.parametrize("scale", ["1 / np.sqrt(n_prev)", "np.sqrt(2 / n_prev)", "0.1"])
def test_another_scale_is_noted(scale: str) -> None:
    found = look("deep", DEEP.replace("SCALE", scale))
    assert not found.findings
    assert [n.convention for n in found.notes] == ["other_scale"]


@pytest.mark.parametrize(
    ("mistake", "W1"),
    [
        ("rand_for_randn", "np.random.rand(n_h, n_x) * 0.01"),
        ("zero_weights", "np.zeros((n_h, n_x))"),
        ("symmetric_weights", "np.ones((n_h, n_x)) * 0.01"),
        ("symmetric_weights", "np.tile(np.random.randn(1, n_x), (n_h, 1))"),
        ("scale_missing", "np.random.randn(n_h, n_x)"),
        (None, "np.random.randn(n_h, n_x) * 10"),
        (None, "np.random.randn(n_x, n_h) * 0.01"),
    ],
)
def test_wrong_weights_are_named(mistake: str | None, W1: str) -> None:
    assert mistakes(look("shallow", shallow(W1))) == {(mistake, "W1")}


def test_a_shape_is_said() -> None:
    (finding,) = look("shallow", shallow("np.random.randn(n_x, n_h) * 0.01")).findings
    assert finding.symptom == "W1 has shape (5, 3), should be (3, 5)"
    assert finding.line == 4


def test_wrong_biases_are_named() -> None:
    assert mistakes(look("shallow", shallow(b1="np.random.randn(n_h, 1) * 0.01"))) == {("scale_on_b", "b1")}
    assert mistakes(look("shallow", shallow(b1="np.ones((n_h, 1))"))) == {(None, "b1")}
    deep = look("deep", DEEP.replace("SCALE", "1"))
    (finding,) = deep.findings
    assert (finding.mistake, finding.quantities) == ("scale_missing", ("W1", "W2", "W3", "W4"))
    returned = "def initialize_parameters(n_x, n_h, n_y): W1 = np.zeros((n_h, n_x))"
    assert mistakes(look("shallow", returned)) == {("not_returned", "W1")}


def test_sizes_of_layers() -> None:
    right = look("shallow", "def layer_sizes(X, Y): return X.shape[0], 4, Y.shape[0]")
    assert not right.findings
    assert right.scores == {"n_x": True, "n_y": True}
    wrong = look("shallow", "def layer_sizes(X, Y):\n n_x = X.shape[1]\n return n_x, 4, Y.shape[0]")
    assert mistakes(wrong) == {(None, "n_x")}
    assert wrong.scores["n_y"] is True
