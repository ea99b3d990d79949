"""Every function has its place, and a function without one, or a reason that nothing needs, is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity.study import complete
from parity.study.registry import Block, Broken, Chapter, Column

LAYER = "def forward(): ...\ndef cost(): ...\ndef _loss(): ...\nclass Step:\n    def go(self): ...\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for package in ("reference", "torch_impl", "jax_impl", "sklearn_baseline"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("def ignored(): ...\n")
        (tmp_path / package / "layer.py").write_text(LAYER if package != "sklearn_baseline" else "def fit(): ...\n")
    (tmp_path / "reference" / "tuned.py").write_text("def fast(): ...\n")
    return tmp_path


def chapters(**places: tuple[str, ...]) -> list[Chapter]:
    columns = tuple(Column(key, of, "") for key, of in places.items())
    block = Block("chapter", "block", ("N1",), "", "", "", "", "", (), (), columns, (), ())
    return [Chapter("chapter", "", "", 1, "", {}, (block,))]


BOTH = ("layer.forward: x", "layer.cost")
ALL = chapters(numpy=BOTH, torch=BOTH, jax=BOTH, sklearn=("layer.fit",))


def test_nothing_is_missing(root: Path) -> None:
    assert complete.orphans(ALL, root, {}) == []


def test_public_functions_of_the_mirrored_modules_and_no_others(root: Path) -> None:
    packages = ("reference", "torch_impl", "jax_impl")
    mirrored = [f"{package}.layer.{name}" for package in packages for name in ("forward", "cost")]
    assert complete.public(root) == [*mirrored, "sklearn_baseline.layer.fit"]


def test_a_function_without_a_place_is_named(root: Path) -> None:
    some = chapters(loop=("layer.forward",), torch=BOTH, jax=BOTH, sklearn=("layer.fit",))
    line = "reference.layer.cost is in no block, and elsewhere.toml gives no reason"
    assert complete.orphans(some, root, {}) == [line]
    (root / "torch_impl" / "layer.py").write_text(LAYER + "\n\ndef extra(): ...\n")
    assert [line.split()[0] for line in complete.orphans(ALL, root, {})] == ["torch_impl.layer.extra"]


@pytest.mark.parametrize("key", ["layer.cost", "reference.layer.cost"])
def test_a_reason_is_a_place(root: Path, key: str) -> None:
    some = chapters(loop=("layer.forward",), torch=BOTH, jax=BOTH, sklearn=("layer.fit",))
    assert complete.orphans(some, root, {key: "It has no formula."}) == []


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("layer.cost", "elsewhere.toml: layer.cost is in a block and needs no reason"),
        ("jax_impl.layer.cost", "elsewhere.toml: jax_impl.layer.cost is in a block and needs no reason"),
        ("reference.layer.absent", "elsewhere.toml: there is no function reference.layer.absent"),
        ("tuned.fast", "elsewhere.toml: there is no function tuned.fast"),
        ("cost", "elsewhere.toml: there is no function cost"),
    ],
)
def test_a_reason_that_nothing_needs_is_named(root: Path, key: str, line: str) -> None:
    assert complete.orphans(ALL, root, {key: "It has no formula."}) == [line]


def test_a_reason_has_words(root: Path) -> None:
    some = chapters(numpy=BOTH, torch=BOTH, jax=BOTH)
    assert complete.orphans(some, root, {"layer.fit": " "}) == ["elsewhere.toml: layer.fit has no reason"]


@pytest.mark.parametrize("text", ['"layer.fit" = ', "layer.fit = 'a reason'", '"layer.fit" = 1'])
def test_a_file_that_is_not_understood_ends_the_build(tmp_path: Path, text: str) -> None:
    (tmp_path / "elsewhere.toml").write_text(text)
    with pytest.raises(Broken, match=r"elsewhere\.toml: ") as caught:
        complete.read(tmp_path / "elsewhere.toml")
    assert "\n" not in str(caught.value)


def test_the_reasons_of_this_project_name_functions_that_exist() -> None:
    there = complete.public()
    assert "torch_impl.shallow_network.quantities" in there
    assert not any(name.startswith("reference.tuned") for name in there)
    lines = complete.orphans([], reasons=complete.read())
    assert [line for line in lines if line.startswith("elsewhere.toml")] == []
