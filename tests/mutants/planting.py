"""A fault in the source of one function, and the importing of a package with that fault in it.

`planted` lets `import_module("reference.shallow_network")` load the changed source, as if the file itself had been
edited; the adapters import the packages when they compute, so that whoever runs inside the `with` meets the fault.
Afterwards the very same modules as before are back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from parity.problems import catalogue as catalogue  # it takes the circuits from the reference: before any is planted

ROOT = Path(__file__).parents[2]

FAILS = "—"
"""What stands for the quantity where an implementation raises in place of computing."""


@dataclass(frozen=True)
class Mutant:
    """A text that is replaced in one file, where that shows, and as what.

    Attributes
    ----------
    name : str
        What is wrong, in a few words; no two mutants have the same.
    package, file : str
        Which source: "reference" and "shallow_network.py".
    old, new : str
        The text that goes and the one that comes.
    implementation, problem, dtype : str
        Where it is met.
    first : str
        The first quantity, in the order of computation, that differs: the one whose formula was changed.
    looks_like : str
        What the report must say that the difference looks like; empty where nothing is asked for.
    count : int
        How many times `old` stands in the file; all are replaced.
    helper : str
        Text that is added to the end of the file.
    """

    name: str
    package: str
    file: str
    old: str
    new: str
    implementation: str
    problem: str
    dtype: str
    first: str
    looks_like: str = ""
    count: int = 1
    helper: str = ""

    @property
    def path(self) -> Path:
        """Of the file."""
        return ROOT / self.package / self.file

    @property
    def module(self) -> str:
        """The file's name to `import`."""
        return f"{self.package}.{Path(self.file).stem}"

    @property
    def source(self) -> str:
        """The file with the fault.

        Raises
        ------
        ValueError
            The text that goes is not there as many times as stated, or nothing changes.
        """
        original = self.path.read_text(encoding="utf-8")
        found = original.count(self.old)
        if found != self.count:
            raise ValueError(
                f"{self.name}: {self.package}/{self.file} holds {found} times, not {self.count}: {self.old}"
            )
        if self.old == self.new:
            raise ValueError(f"{self.name}: nothing is replaced")
        return original.replace(self.old, self.new) + self.helper


def faults_in(package: str, file: str, implementation: str) -> Callable[..., Mutant]:
    """`Mutant` for many faults of one file, met by one implementation; in float64 unless told otherwise."""

    def mutant(name: str, old: str, new: str, problem: str, first: str, dtype: str = "float64", **more: Any) -> Mutant:
        return Mutant(name, package, file, old, new, implementation, problem, dtype, first, **more)

    return mutant


class _Loader(SourceLoader):
    """Compiles the given text under the file's own name; no byte code is read or written."""

    def __init__(self, path: Path, source: str) -> None:
        self.path, self.source = path, source

    def get_filename(self, fullname: str) -> str:
        return str(self.path)

    def get_data(self, path: str | bytes) -> bytes:
        return self.source.encode()


class _Finder(MetaPathFinder):
    """Finds the changed module, and leaves all others to who comes next."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.loader = mutant.module, _Loader(mutant.path, mutant.source)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return spec_from_file_location(fullname, self.loader.path, loader=self.loader)


@contextmanager
def planted(mutant: Mutant) -> Iterator[ModuleType]:
    """The changed module, with its package imported anew around it.

    Raises
    ------
    ValueError
        The text that goes is not there as many times as stated.
    """
    finder = _Finder(mutant)
    before = _modules_of(mutant.package)
    _forget(before)
    sys.meta_path.insert(0, finder)
    try:
        yield import_module(mutant.module)
    finally:
        sys.meta_path.remove(finder)
        _forget(_modules_of(mutant.package))
        sys.modules.update(before)


def _modules_of(package: str) -> dict[str, ModuleType]:
    """What is imported of the package, by its name."""
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == package}


def _forget(modules: dict[str, ModuleType]) -> None:
    for name in modules:
        del sys.modules[name]
