"""Code is cut out by name, whole and with its numbers, and a name that is not there ends the build."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parity.study.cut import Cut, cut
from parity.study.registry import Broken

MODULE = '''"""A module."""

import functools

TABLE = {
    "one": 1,  # the first
}


# why it is kept
@functools.cache
def forward(x, layers):
    """Say what it does.

    Over several lines.
    """

    def step(a):
        return a + 1

    cache = {}
    for l in range(layers):
        # the layer's own
        # pre-activation
        Z, cache[f"Z{l}"] = step(x), (
            x  # as it is
        )
        if Z:
            cache["A1"] = Z
        with open(x) as file:
            cache = {**cache}  # again
    costs[l], (first, *rest) = 1, (2, 3)
    found |= {f"dZ{l - 1}": 1, **cache}
    J: float = 0
    J += 1
    return (
        J,
        cache,
    )


def _loss(x):
    """Nothing but words."""


def nothing(x):
    x.T = """
# no comment
"""
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text(MODULE, encoding="utf-8")
    return tmp_path


def numbers(found: Cut) -> list[int]:
    return [number for number, _ in found.lines]


def text(found: Cut) -> str:
    return "\n".join(line for _, line in found.lines)


def test_numbers_are_those_of_the_file(root: Path) -> None:
    lines = MODULE.splitlines()
    for place in ("module.forward", "module.TABLE", "module._loss", "module.forward: cache", "module.forward: return"):
        found = cut("package", place, root)
        assert found.file == "package/module.py"
        assert [line.strip() for _, line in found.lines] == [lines[number - 1].strip() for number in numbers(found)]


def test_a_function_stands_with_its_decorator_and_without_its_docstring(root: Path) -> None:
    found = cut("package", "module.forward", root)
    head = "# why it is kept\n@functools.cache\ndef forward(x, layers):\n    def step(a):\n        return a + 1\n\n"
    assert text(found).startswith(head)
    assert text(found).endswith("        cache,\n    )")
    assert found.function == "forward"


def test_a_function_of_nothing_but_a_docstring_keeps_it(root: Path) -> None:
    assert text(cut("package", "module._loss", root)) == 'def _loss(x):\n    """Nothing but words."""'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cache", "cache = {}\n        cache = {**cache}  # again"),
        ("cache#2", "cache = {**cache}  # again"),
        (
            "Z{l}",
            '# the layer\'s own\n# pre-activation\nZ, cache[f"Z{l}"] = step(x), (\n    x  # as it is\n)',
        ),
        ("A1", 'cache["A1"] = Z'),
        ("costs", "costs[l], (first, *rest) = 1, (2, 3)"),
        ("rest", "costs[l], (first, *rest) = 1, (2, 3)"),
        ("dZ{l - 1}", 'found |= {f"dZ{l - 1}": 1, **cache}'),
        ("found", 'found |= {f"dZ{l - 1}": 1, **cache}'),
        ("J", "J: float = 0\nJ += 1"),
        ("step", "def step(a):\n    return a + 1"),
        ("return", "return (\n    J,\n    cache,\n)"),
    ],
)
def test_statements_are_found_by_what_they_assign(root: Path, name: str, expected: str) -> None:
    assert text(cut("package", f"module.forward: {name}", root)) == expected


def test_a_table_at_the_top_of_the_module(root: Path) -> None:
    assert text(cut("package", "module.TABLE", root)) == 'TABLE = {\n    "one": 1,  # the first\n}'


def test_an_attribute_is_assigned_by_its_whole_name(root: Path) -> None:
    assert text(cut("package", "module.nothing: x.T", root)) == 'x.T = """\n# no comment\n"""'


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("absent.forward", "package has no module absent"),
        ("module.quantities", "package.module has no function quantities"),
        ("module.STEPS", "package.module assigns no STEPS"),
        ("module.forward: dZ9", "package.module.forward assigns no dZ9"),
        ("module.forward: cache#3", "package.module.forward assigns no cache #3, only 2"),
        ("module.nothing: return", "package.module.nothing returns nothing"),
        ("module.forward:cache", 'package: "module.forward:cache" is not written as'),
        ("forward", 'package: "forward" is not written as'),
        ("module.forward: cache#0", 'package: "module.forward: cache#0" is not written as'),
    ],
)
def test_what_is_not_there_ends_the_build_with_one_line(root: Path, place: str, line: str) -> None:
    with pytest.raises(Broken, match=re.escape(line)) as caught:
        cut("package", place, root)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"x = 1\ndef f(:\n", "package/module.py, line 2: invalid syntax"),
        (b"x = '\0'\n", "package/module.py: source code string cannot contain null bytes"),
        (b"x = '\xff'\n", "package/module.py cannot be read: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_a_file_that_is_no_python_ends_the_build_with_one_line(root: Path, content: bytes, line: str) -> None:
    (root / "package" / "module.py").write_bytes(content)
    with pytest.raises(Broken, match=re.escape(line)) as caught:
        cut("package", "module.forward", root)
    assert "\n" not in str(caught.value)


def test_a_package_that_is_not_installed() -> None:
    with pytest.raises(Broken, match="there is no package no_such_package"):
        cut("no_such_package", "module.forward")


def test_a_line_that_changes_and_a_function_that_goes_are_seen_at_once(root: Path) -> None:
    path = root / "package" / "module.py"
    path.write_text(MODULE.replace("J += 1", "J += 2"), encoding="utf-8")
    assert text(cut("package", "module.forward: J#2", root)) == "J += 2"
    path.write_text(MODULE.replace("def forward", "def backward"), encoding="utf-8")
    with pytest.raises(Broken, match=r"package\.module has no function forward"):
        cut("package", "module.forward: J", root)


def test_the_installed_packages() -> None:
    found = cut("torch_impl", "shallow_network.quantities: dZ1")
    assert found.file == "torch_impl/shallow_network.py"
    assert [line.split(" = ")[0] for _, line in found.lines] == ["dZ1, dZ2"]
    lines = Path("torch_impl/shallow_network.py").read_text(encoding="utf-8").splitlines()
    assert [lines[number - 1].strip() for number, _ in found.lines] == [line for _, line in found.lines]
    assert text(cut("reference", "shallow_network.backward: dZ1")).startswith("dZ1 = ")
    assert "found |= " in text(cut("jax_impl", "deep_network.quantities: dZ{l}"))
