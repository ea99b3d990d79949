"""The files to start from: the course's names, shapes and slides, and no solutions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from parity import cli
from parity.grade import grade, names, source
from parity.grade.command import TEMPLATES
from parity.grade.findings import EXERCISES, Graded
from parity.grade.room import Here
from parity.grade.run import settled

NAMES = {
    "logistic": "sigmoid initialize_with_zeros propagate optimize predict model",
    "shallow": "sigmoid layer_sizes initialize_parameters forward_propagation compute_cost backward_propagation "
    "update_parameters nn_model predict",
    "deep": "sigmoid relu sigmoid_backward relu_backward initialize_parameters_deep linear_forward "
    "linear_activation_forward L_model_forward compute_cost linear_backward linear_activation_backward "
    "L_model_backward update_parameters L_layer_model",
    "activations": "sigmoid sigmoid_derivative tanh tanh_derivative relu relu_derivative leaky_relu "
    "leaky_relu_derivative",
    "initialization": "initialize_with_zeros initialize_parameters initialize_parameters_deep",
}


def tree(exercise: str) -> ast.Module:
    return ast.parse((TEMPLATES / f"{exercise}.py").read_text(encoding="utf-8"))


def functions(exercise: str) -> list[ast.FunctionDef]:
    return [node for node in tree(exercise).body if isinstance(node, ast.FunctionDef)]


def test_there_is_one_for_every_exercise() -> None:
    assert sorted(path.stem for path in TEMPLATES.glob("*.py")) == sorted(EXERCISES)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_it_is_printed(exercise: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["grade", "--template", exercise]) == 0
    assert capsys.readouterr().out == (TEMPLATES / f"{exercise}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("exercise", EXERCISES)
def test_its_functions_are_those_of_the_course(exercise: str) -> None:
    assert [function.name for function in functions(exercise)] == NAMES[exercise].split()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_it_imports_numpy_and_holds_no_solution(exercise: str) -> None:
    docstring, imported, *rest = tree(exercise).body
    assert isinstance(docstring, ast.Expr)
    assert ast.unparse(imported) == "import numpy as np"
    assert rest == [node for node in rest if isinstance(node, ast.FunctionDef)]
    for function in functions(exercise):
        words, nothing = function.body
        assert isinstance(words, ast.Expr)
        assert ast.unparse(nothing) == f"raise NotImplementedError('{function.name} is not written yet')"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_function_says_its_slide_and_what_it_returns(exercise: str) -> None:
    for function in functions(exercise):
        words = ast.get_docstring(function) or ""
        slides = re.findall(r"N(\d+)", words)
        assert slides
        assert all(int(n) in range(1, 26) for n in slides)
        assert "Returns\n-------" in words


def test_a_template_is_packed_with_the_rest() -> None:
    """The installed package has them: they and the words are named in pyproject.toml."""
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert '"parity.grade" = ["words.toml", "templates/*.py"]' in project


FORWARD = (
    "A = X\ncaches = []\nL = len(parameters) // 2\nfor l in range(1, L + 1):\n"
    "    W, b, g = parameters[f'W{l}'], parameters[f'b{l}'], 'sigmoid' if l == L else 'relu'\n"
    "    A, cache = linear_activation_forward(A, W, b, g)\n    caches.append(cache)\nreturn A, caches"
)
BACKWARD = (
    "grads = {}\nL = len(caches)\ndA = -Y / AL + (1 - Y) / (1 - AL)\nfor l in range(L, 0, -1):\n"
    "    g = 'sigmoid' if l == L else 'relu'\n    dA, dW, db = linear_activation_backward(dA, caches[l - 1], g)\n"
    "    grads |= {f'dA{l - 1}': dA, f'dW{l}': dW, f'db{l}': db}\nreturn grads"
)
COST = "logprobs = Y * np.log(A) + (1 - Y) * np.log(1 - A)\nreturn float(-np.sum(logprobs) / Y.shape[1])"
STEP = "return {name: p - learning_rate * grads['d' + name] for name, p in parameters.items()}"
WRITTEN = {
    "logistic": {
        "sigmoid": "return 1 / (1 + np.exp(-z))",
        "initialize_with_zeros": "return np.zeros((dim, 1)), 0.0",
        "propagate": "m = X.shape[1]\nA = sigmoid(np.dot(w.T, X) + b)\n"
        "cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m\ndZ = A - Y\ndw = np.dot(X, dZ.T) / m\n"
        "db = np.sum(dZ) / m\nreturn {'dw': dw, 'db': db}, cost",
        "optimize": "costs = []\nfor i in range(num_iterations):\n    grads, cost = propagate(w, b, X, Y)\n"
        "    w = w - learning_rate * grads['dw']\n    b = b - learning_rate * grads['db']\n"
        "    if i % 100 == 0:\n        costs.append(cost)\nreturn {'w': w, 'b': b}, grads, costs",
        "predict": "return (sigmoid(np.dot(w.T, X) + b) > 0.5) * 1.0",
    },
    "shallow": {
        "sigmoid": "return 1 / (1 + np.exp(-z))",
        "layer_sizes": "return X.shape[0], 4, Y.shape[0]",
        "initialize_parameters": "return {'W1': np.random.randn(n_h, n_x) * 0.01, 'b1': np.zeros((n_h, 1)), "
        "'W2': np.random.randn(n_y, n_h) * 0.01, 'b2': np.zeros((n_y, 1))}",
        "forward_propagation": "Z1 = np.dot(parameters['W1'], X) + parameters['b1']\nA1 = np.tanh(Z1)\n"
        "Z2 = np.dot(parameters['W2'], A1) + parameters['b2']\nA2 = sigmoid(Z2)\n"
        "return A2, {'Z1': Z1, 'A1': A1, 'Z2': Z2, 'A2': A2}",
        "compute_cost": "A = A2\n" + COST,
        "backward_propagation": "m = X.shape[1]\nA1, A2 = cache['A1'], cache['A2']\ndZ2 = A2 - Y\n"
        "dW2 = np.dot(dZ2, A1.T) / m\ndb2 = np.sum(dZ2, axis=1, keepdims=True) / m\n"
        "dZ1 = np.dot(parameters['W2'].T, dZ2) * (1 - A1**2)\ndW1 = np.dot(dZ1, X.T) / m\n"
        "db1 = np.sum(dZ1, axis=1, keepdims=True) / m\nreturn {'dW1': dW1, 'db1': db1, 'dW2': dW2, 'db2': db2}",
        "update_parameters": STEP,
        "predict": "return forward_propagation(X, parameters)[0] > 0.5",
    },
    "deep": {
        "sigmoid": "return 1 / (1 + np.exp(-Z)), Z",
        "relu": "return np.maximum(0, Z), Z",
        "sigmoid_backward": "A = 1 / (1 + np.exp(-activation_cache))\nreturn dA * A * (1 - A)",
        "relu_backward": "return np.where(activation_cache > 0, dA, 0)",
        "initialize_parameters_deep": "parameters = {}\nfor l in range(1, len(layer_dims)):\n"
        "    parameters[f'W{l}'] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.01\n"
        "    parameters[f'b{l}'] = np.zeros((layer_dims[l], 1))\nreturn parameters",
        "linear_forward": "return np.dot(W, A) + b, (A, W, b)",
        "linear_activation_forward": "Z, linear_cache = linear_forward(A_prev, W, b)\n"
        "A, activation_cache = sigmoid(Z) if activation == 'sigmoid' else relu(Z)\n"
        "return A, (linear_cache, activation_cache)",
        "L_model_forward": FORWARD,
        "compute_cost": "A = AL\n" + COST,
        "linear_backward": "A_prev, W, b = cache\nm = A_prev.shape[1]\nreturn np.dot(W.T, dZ), "
        "np.dot(dZ, A_prev.T) / m, np.sum(dZ, axis=1, keepdims=True) / m",
        "linear_activation_backward": "linear_cache, activation_cache = cache\n"
        "back = sigmoid_backward if activation == 'sigmoid' else relu_backward\n"
        "return linear_backward(back(dA, activation_cache), linear_cache)",
        "L_model_backward": BACKWARD,
        "update_parameters": STEP,
    },
}


def filled_in(exercise: str, bodies: dict[str, str]) -> str:
    text = (TEMPLATES / f"{exercise}.py").read_text(encoding="utf-8")
    for name, body in bodies.items():
        empty = f'    raise NotImplementedError("{name} is not written yet")'
        assert empty in text
        text = text.replace(empty, "\n".join("    " + line for line in body.splitlines()))
    return text


def graded(exercise: str, text: str, folder: Path) -> Graded:
    path = folder / f"{exercise}.py"
    path.write_text(text, encoding="utf-8")
    file = source.read(str(path))
    with Here(file) as room:
        return settled(grade.grade(file, room, (exercise,), ("float64",)))


@pytest.mark.parametrize("exercise", WRITTEN)
def test_what_is_filled_in_rightly_is_right(exercise: str, tmp_path: Path) -> None:
    found = graded(exercise, filled_in(exercise, WRITTEN[exercise]), tmp_path)
    assert found.findings == ()
    assert found.status == 0
    assert True in found.scores[exercise].values()


def test_a_mistake_in_what_is_filled_in_is_named(tmp_path: Path) -> None:
    text = filled_in("shallow", WRITTEN["shallow"]).replace("np.dot(dZ1, X.T) / m", "np.dot(dZ1, X.T)")
    assert graded("shallow", text, tmp_path).names == {"missing_1_over_m"}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_nothing_is_written_in_a_template(exercise: str, tmp_path: Path) -> None:
    found = graded(exercise, filled_in(exercise, {}), tmp_path)
    said = [trouble.what for trouble in found.troubles]
    assert found.findings == ()
    assert said
    assert set(said) <= {f"{name} is not written yet" for name in NAMES[exercise].split()}
    assert len(said) == len(set(said))
    assert found.status == 2


@pytest.mark.parametrize("exercise", EXERCISES)
def test_whatever_is_in_an_untouched_template_is_told(exercise: str) -> None:
    """Also what cannot be called, for want of what comes before it; and networks of nothing are no exercises."""
    file = source.read(str(TEMPLATES / f"{exercise}.py"))
    with Here(file) as room:
        found = settled(grade.grade(file, room, names.exercises(file, room.inventory), ("float64",)), source=file)
    written = [node.name for node in file.tree.body if isinstance(node, ast.FunctionDef)]
    assert [trouble.what for trouble in found.troubles] == [f"{name} is not written yet" for name in written]
    assert (exercise in found.exercises, found.status) == (True, 2)
    assert not any(found.scores.values())
    if exercise == "initialization":
        assert found.exercises == (exercise,)
