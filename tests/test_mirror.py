"""The same ten files, public names, order and signatures in reference, torch_impl and jax_impl; reference has one more.

The files are read, not imported: what is compared is what a reader of a diff sees.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("reference", "torch_impl", "jax_impl")

REFERENCE_ONLY = {
    "activations": {
        "sigmoid_derivative",
        "tanh_derivative",
        "relu_derivative",
        "leaky_relu_derivative",
        "leaky_relu_exact_derivative",
        "identity_derivative",
        "DERIVATIVES",
    },
    "derivatives": {"triple_slope", "square_slope", "cube_slope", "log_slope", "SLOPES"},
    "computation_graph": {"backward"},
    "logistic_regression": {"backward", "cost_and_gradients_loop"},
    "vectorization": set(),
    "shallow_network": {"backward", "backward_one_example"},
    "deep_network": {"layer_backward", "backward", "backward_by_blocks"},
    "initialization": set(),
    "circuits": set(),
    "curvature": {
        "sigmoid_second_derivative",
        "tanh_second_derivative",
        "piecewise_linear_second_derivative",
        "SECOND_DERIVATIVES",
    },
}
"""The names that only reference has, file by file: derivatives by hand and the slides' loops."""


WITHOUT_MIRROR = {"reference": {"tuned"}}
"""The files that have no counterpart: the same formulas as in the others, faster and less readable."""


def interface(source: str) -> dict[str, str]:
    """Every public name that a module defines, in order: its signature, or the keys of a table."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            result = ast.unparse(node.returns) if node.returns else ""
            found[node.name] = f"({ast.unparse(node.args)}) -> {result}"
        elif isinstance(node, ast.ClassDef):
            found[node.name] = "class"
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            keys = [ast.unparse(key) for key in node.value.keys if key] if isinstance(node.value, ast.Dict) else []
            found |= {ast.unparse(target): f"{{{', '.join(keys)}}}" for target in targets}
    return {name: signature for name, signature in found.items() if not name.startswith("_")}


def faults(sources: dict[str, str], reference_only: set[str]) -> list[str]:
    """What keeps the three files from being mirrors of each other."""
    reference, torch_impl, jax_impl = (interface(sources[package]) for package in PACKAGES)
    found = [f"reference lacks {name}, which is on its list" for name in sorted(reference_only - set(reference))]
    for package, names in (("torch_impl", torch_impl), ("jax_impl", jax_impl)):
        found += [f"{package} has {name}, which is reference's alone" for name in sorted(reference_only & set(names))]
    shared = {name: signature for name, signature in reference.items() if name not in reference_only}
    for other, names in (("torch_impl", torch_impl), ("jax_impl", jax_impl)):
        found += [f"{other} lacks {name}" for name in shared if name not in names]
        found += [f"{other} has the extra name {name}" for name in names if name not in reference]
        differing = [name for name in shared if names.get(name, shared[name]) != shared[name]]
        found += [f"{other}: {name}{names[name]}, not {shared[name]}" for name in differing]
        if set(names) == set(shared) and list(names) != list(shared):
            found.append(f"{other} has the order {', '.join(names)}, not {', '.join(shared)}")
    return found


def sources_of(file: str) -> dict[str, str]:
    return {package: (ROOT / package / f"{file}.py").read_text(encoding="utf-8") for package in PACKAGES}


def files_of(folder: Path) -> set[str]:
    """Every Python file of a package, by its path without the suffix."""
    return {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.py")}


@pytest.mark.parametrize("file", REFERENCE_ONLY)
def test_the_packages_mirror_each_other(file: str) -> None:
    assert faults(sources_of(file), REFERENCE_ONLY[file]) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_hold_the_ten_files(package: str) -> None:
    assert files_of(ROOT / package) == {*REFERENCE_ONLY, "__init__"} | WITHOUT_MIRROR.get(package, set())
    assert interface((ROOT / package / "__init__.py").read_text(encoding="utf-8")) == {}


def test_another_file_is_seen(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "helpers.py").touch()
    assert files_of(tmp_path) == {"more/helpers"}


FUNCTION = "def half(a: float, by: int = 2) -> float:\n    return a / by\n\n\n"
OTHER = "def twice(a: float) -> float:\n    return 2 * a\n\n\n"
TABLE = 'TABLE: dict = {"half": half, "twice": twice}\n'
BY_HAND = "def half_slope(a: float) -> float:\n    return 0.5\n"
MIRRORED = {
    "reference": FUNCTION + OTHER + TABLE + BY_HAND,
    "torch_impl": "import torch\n" + FUNCTION + OTHER + TABLE + "def _private() -> None: ...",
    "jax_impl": "import jax\n" + FUNCTION + OTHER + TABLE,
}


@pytest.mark.parametrize(
    ("package", "source", "expected"),
    [
        ("jax_impl", FUNCTION + OTHER + TABLE, []),
        ("jax_impl", FUNCTION + TABLE, ["jax_impl lacks twice"]),
        ("torch_impl", FUNCTION + TABLE, ["torch_impl lacks twice"]),
        (
            "reference",
            FUNCTION + TABLE + BY_HAND,
            ["torch_impl has the extra name twice", "jax_impl has the extra name twice"],
        ),
        ("jax_impl", FUNCTION + OTHER + TABLE + "def third(): ...", ["jax_impl has the extra name third"]),
        ("torch_impl", FUNCTION + OTHER + TABLE + "LIMIT = 3", ["torch_impl has the extra name LIMIT"]),
        ("reference", MIRRORED["reference"] + "class Half: ...", ["torch_impl lacks Half", "jax_impl lacks Half"]),
        ("torch_impl", FUNCTION + OTHER + TABLE + BY_HAND, ["torch_impl has half_slope, which is reference's alone"]),
        ("reference", FUNCTION + OTHER + TABLE, ["reference lacks half_slope, which is on its list"]),
        (
            "jax_impl",
            FUNCTION.replace("= 2", "= 3") + OTHER + TABLE,
            ["jax_impl: half(a: float, by: int=3) -> float, not (a: float, by: int=2) -> float"],
        ),
        (
            "torch_impl",
            FUNCTION + OTHER.replace("(a: float)", "(b: float)") + TABLE,
            ["torch_impl: twice(b: float) -> float, not (a: float) -> float"],
        ),
        (
            "jax_impl",
            FUNCTION + OTHER + TABLE.replace('"twice": twice', '"double": twice'),
            ["jax_impl: TABLE{'half', 'double'}, not {'half', 'twice'}"],
        ),
        ("jax_impl", OTHER + FUNCTION + TABLE, ["jax_impl has the order twice, half, TABLE, not half, twice, TABLE"]),
    ],
)
def test_what_is_planted_is_reported(package: str, source: str, expected: list[str]) -> None:
    assert faults(MIRRORED | {package: source}, {"half_slope"}) == expected
