"""Each package imports its own framework and its own files, and nothing else; no import changes a global switch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FORBIDDEN = {
    "reference": {"torch", "jax", "sklearn", "parity", "torch_impl", "jax_impl", "sklearn_baseline"},
    "torch_impl": {"jax", "sklearn", "parity", "reference", "jax_impl", "sklearn_baseline"},
    "jax_impl": {"torch", "sklearn", "parity", "reference", "torch_impl", "sklearn_baseline"},
    "sklearn_baseline": {"torch", "jax", "parity", "reference", "torch_impl", "jax_impl"},
    "parity.cli": {"numpy", "torch", "jax", "sklearn", "rich"},
}
FRAMEWORK = {"torch_impl": "torch", "jax_impl": "jax", "sklearn_baseline": "sklearn"}

IMPORT_ALL = """
import importlib, json, pkgutil, sys

def import_all(name):
    folders = getattr(importlib.import_module(name), "__path__", [])
    return [importlib.import_module(info.name).__name__ for info in pkgutil.walk_packages(folders, name + ".")]
"""
MODULES = """
files = import_all(sys.argv[1])
print(json.dumps([files, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
SWITCHES = """
import os
def switches():
    found = {"environment": sorted(os.environ.items())}
    if "numpy" in sys.modules:
        import numpy as np
        found |= {"errors": np.geterr(), "random": np.random.get_state()[1].tolist()}
    if "torch" in sys.modules:
        import torch
        found |= {"dtype": str(torch.get_default_dtype()), "device": str(torch.get_default_device()),
                  "threads": torch.get_num_threads(), "precision": torch.get_float32_matmul_precision(),
                  "deterministic": torch.are_deterministic_algorithms_enabled(), "grad": torch.is_grad_enabled(),
                  "seed": torch.initial_seed()}
    if "jax" in sys.modules:
        import jax
        names = ("enable_x64", "default_matmul_precision", "numpy_rank_promotion", "numpy_dtype_promotion", "platforms",
                 "disable_jit", "debug_nans")
        found |= {name: str(getattr(jax.config, "jax_" + name)) for name in names}
    return found

importlib.import_module(sys.argv[2])
before = switches()
import_all(sys.argv[1])
after = switches()
print(json.dumps(sorted(name for name in after if after[name] != before[name])))
"""


def run(script: str, *arguments: str, folder: Path = ROOT, **environment: str) -> object:
    """What a script prints in a fresh process that finds the packages of `folder` first."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL + script, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def forbidden_imports(name: str, folder: Path = ROOT) -> list[str]:
    """What importing every file of a package loads, and must not."""
    files, loaded = run(MODULES, name, folder=folder)
    assert files or "." in name, f"{name} has no files"
    return sorted(FORBIDDEN[name] & set(loaded))


def changed_switches(name: str, framework: str, folder: Path = ROOT, **environment: str) -> list[str]:
    """The global switches that importing every file of a package changes, its framework having been imported before."""
    return run(SWITCHES, name, framework, folder=folder, **environment)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_imports(name: str) -> None:
    if name in FRAMEWORK:
        pytest.importorskip(FRAMEWORK[name])
    assert forbidden_imports(name) == []


@pytest.mark.parametrize(
    ("name", "framework", "environment"),
    [
        ("reference", "numpy", {}),
        ("torch_impl", "torch", {}),
        ("jax_impl", "jax", {"JAX_ENABLE_X64": "0"}),
        ("jax_impl", "jax", {"JAX_ENABLE_X64": "1"}),
    ],
)
def test_no_import_changes_a_global_switch(name: str, framework: str, environment: dict[str, str]) -> None:
    pytest.importorskip(framework)
    assert changed_switches(name, framework, **environment) == []


def plant(folder: Path, path: str, source: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / "__init__.py").touch()
    file.write_text(source, encoding="utf-8")


@pytest.mark.parametrize("source", ["import sklearn\n", "from sklearn.deep import cost\n", "import torch_impl.cost\n"])
def test_a_forbidden_import_is_caught(source: str, tmp_path: Path) -> None:
    for path in ("sklearn/deep.py", "torch_impl/cost.py"):
        plant(tmp_path, path, "cost = 1\n")
    plant(tmp_path, "reference/activations.py", "import math\n")
    assert forbidden_imports("reference", tmp_path) == []
    plant(tmp_path, "reference/layers/hidden.py", source)
    assert forbidden_imports("reference", tmp_path) == [source.replace(".", " ").split()[1]]


def test_an_import_that_changes_a_switch_is_caught(tmp_path: Path) -> None:
    plant(tmp_path, "reference/activations.py", 'import numpy as np\nnp.seterr(over="ignore")\n')
    plant(tmp_path, "reference/initialization.py", "import numpy as np\nnp.random.seed(1)\n")
    plant(tmp_path, "reference/circuits.py", 'import os\nos.environ["THREADS"] = "1"\n')
    assert changed_switches("reference", "numpy", tmp_path) == ["environment", "errors", "random"]


def test_an_import_that_turns_x64_on_is_caught(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    plant(tmp_path, "jax_impl/activations.py", 'import jax\njax.config.update("jax_enable_x64", True)\n')
    assert changed_switches("jax_impl", "jax", tmp_path, JAX_ENABLE_X64="0") == ["enable_x64"]


def test_an_import_that_sets_the_default_dtype_is_caught(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plant(tmp_path, "torch_impl/activations.py", "import torch\ntorch.set_default_dtype(torch.float64)\n")
    assert changed_switches("torch_impl", "torch", tmp_path) == ["dtype"]
