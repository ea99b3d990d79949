"""Whether every function of the implementations has its place: in a block, or in elsewhere.toml with the reason."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from parity.study.cut import installed, parsed, source
from parity.study.registry import PACKAGES, Broken, Chapter

ELSEWHERE = Path(__file__).with_name("elsewhere.toml")
"""Why a function is in no block: "torch_impl.curvature.hessian" in one package, "curvature.hessian" in all."""

MIRRORED = ("reference", "torch_impl", "jax_impl")
"""The packages whose modules answer each other; a module that one of them has alone is no column of a page."""


def orphans(
    chapters: Sequence[Chapter], root: Path | None = None, reasons: Mapping[str, str] | None = None
) -> list[str]:
    """One line for every function without a place, and for every reason that nothing needs; empty where all is well.

    Parameters
    ----------
    chapters : sequence of Chapter
    root : Path, optional
        The folder that holds the packages; by default where they are installed.
    reasons : mapping, optional
        By default those of elsewhere.toml.
    """
    reasons = read() if reasons is None else reasons
    there, shown = public(root), set(_shown(chapters))
    missing = [name for name in there if name not in shown]
    found = [
        f"{name} is in no block, and {ELSEWHERE.name} gives no reason"
        for name in missing
        if not any(_means(key, name) for key in reasons)
    ]
    for key, reason in reasons.items():
        if not reason.strip():
            found.append(f"{ELSEWHERE.name}: {key} has no reason")
        if not any(_means(key, name) for name in there):
            found.append(f"{ELSEWHERE.name}: there is no function {key}")
        elif not any(_means(key, name) for name in missing):
            found.append(f"{ELSEWHERE.name}: {key} is in a block and needs no reason")
    return found


def read(path: Path = ELSEWHERE) -> dict[str, str]:
    """The reasons by function.

    Raises
    ------
    Broken
        The file is not TOML, or holds anything but text.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Broken(f"{path.name}: {error}") from error
    for key, reason in found.items():
        if not isinstance(reason, str):
            raise Broken(f"{path.name}: the reason of {key} is no text; is the name in quotes?")
    return found


def public(root: Path | None = None) -> list[str]:
    """The public functions of the mirrored modules and of scikit-learn's, as "package.module.function"."""
    folders = {package: (root or installed(package)) / package for package in dict.fromkeys(PACKAGES.values())}
    found = []
    for package, folder in folders.items():
        names = _modules(folder)
        if package in MIRRORED:
            others = [_modules(folders[other]) for other in MIRRORED if other != package]
            names = [name for name in names if any(name in other for other in others)]
        found += [f"{package}.{name}.{function}" for name in names for function in _functions(folder / f"{name}.py")]
    return found


def _modules(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def _functions(path: Path) -> Iterator[str]:
    for statement in parsed(source(path), path).body:
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_"):
            yield statement.name


def _shown(chapters: Iterable[Chapter]) -> Iterator[str]:
    for column in (column for chapter in chapters for block in chapter.blocks for column in block.columns):
        yield from (f"{column.package}.{place.split(':')[0]}" for place in column.places)


def _means(key: str, name: str) -> bool:
    """Whether a key of elsewhere.toml stands for a function: by its whole name, or without the package."""
    return key in (name, name.partition(".")[2])
