"""The files to start from: the course's names, shapes and slides, and no solutions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from parity import cli
from parity.grade.command import TEMPLATES
from parity.grade.findings import EXERCISES

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
