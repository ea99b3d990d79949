"""The shapes in the signatures hold at run time: jaxtyping and beartype check every call, in a process of their own.

Elsewhere the annotations are documentation and cost nothing.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from parity.implementations import find
from parity.problems import catalogue
from tests.shared import PACKAGES, place

ROOT = Path(__file__).parent.parent
PROBLEMS = [
    "slopes",
    "computation_graph",
    "activations",
    "one_example",
    "logistic_training",
    "flower",
    "four_layers",
    "deep_training",
]

CHECKED = """
import sys
import numpy
import numpy.random
from importlib import import_module
from jaxtyping import install_import_hook

package, framework, implementation, *problems = sys.argv[1:]
import_module(framework)
ndarray = numpy.ndarray
numpy.ndarray = ndarray | numpy.generic  # NumPy returns a scalar where a 0-d array is meant
with install_import_hook(package, "beartype.beartype"):
    for model in ("derivatives", "computation_graph", "logistic_regression", "shallow_network", "deep_network"):
        import_module(f"{package}.{model}")
    for rest in ("activations", "vectorization", "initialization", "circuits"):
        import_module(f"{package}.{rest}")
    if implementation == "reference-tuned":
        import_module("reference.tuned")
numpy.ndarray = ndarray

from parity.implementations import find
from parity.problems import catalogue

for problem in map(catalogue.build, problems):
    find(implementation).quantities(problem, "float64", "cpu")
print("checked", flush=True)

Z, Y = (find(implementation).to_framework(numpy.zeros((1, m)), "cpu") for m in (4, 3))
import_module(f"{package}.logistic_regression").cross_entropy(Z, Y)
print("not caught")
"""


@cache
def run(package: str, implementation: str, *problems: str) -> subprocess.CompletedProcess[str]:
    """The problems through the package with every signature checked, by that implementation; then what does not fit."""
    framework = find(PACKAGES[package]).framework
    command = [sys.executable, "-c", CHECKED, package, framework, implementation, *problems]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_call_has_the_shapes_of_its_signature(package: str) -> None:
    if place(PACKAGES[package]).missing:
        pytest.skip("not here")
    done = run(package, PACKAGES[package], *PROBLEMS)
    assert done.stdout == "checked\n", done.stderr[-2000:]


def test_so_has_every_call_of_the_tuned_one() -> None:
    done = run("reference", "reference-tuned", *PROBLEMS[3:])
    assert done.stdout == "checked\n", done.stderr[-2000:]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_shape_that_does_not_fit_is_caught(package: str) -> None:
    """Z (1, 4) with Y (1, 3)."""
    if place(PACKAGES[package]).missing:
        pytest.skip("not here")
    done = run(package, PACKAGES[package], *PROBLEMS)
    assert (done.returncode, done.stdout) == (1, "checked\n")
    assert "cross_entropy" in done.stderr
    assert "m=4" in done.stderr.replace("'", "").replace(": ", "=")


def test_the_problems_cover_every_model() -> None:
    assert {catalogue.build(name).model for name in PROBLEMS} == {
        catalogue.build(name).model for name in catalogue.NAMES
    }
