"""What was found out is kept in the user's cache, one file an answer, under a key that stands for all that decides it.

A cache must not be missed: where it cannot be written nothing is kept, and what cannot be read is found out again.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import parity
from parity.errors import BadInput
from parity.files import cache, write_whole
from parity.surroundings import version

CODE = ("parity", "reference", "torch_impl", "jax_impl", "sklearn_baseline")
LIBRARIES = ("numpy", "scipy", "torch", "jax", "jaxlib", "scikit-learn", "python-flint")
SWITCHES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "MKL_NUM_THREADS", "XLA_FLAGS", "CXX")

MOST_KEPT = 2**31
"""Bytes; beyond them the answer that was not asked for longest goes first."""


class Answer:
    """The place of an answer.

    Parameters
    ----------
    decisive : iterable of str
        All that decides it.
    """

    def __init__(self, decisive: Iterable[str]) -> None:
        key = hashlib.sha256("\0".join(decisive).encode()).hexdigest()
        self.path = cache("training") / f"{key}.pickle"

    def recalled(self) -> Any:
        """What was kept, or None."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        sha256, pickled = content[:32], content[32:]
        if hashlib.sha256(pickled).digest() != sha256:  # it is damaged
            return None
        found = pickle.loads(pickled)
        with suppress(OSError):
            os.utime(self.path)
        return found

    def keep(self, value: object) -> None:
        """Write it whole, or not at all."""
        with suppress(OSError, BadInput):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
            write_whole(self.path, hashlib.sha256(pickled).digest() + pickled)
            _forget(self.path.parent)


def _forget(folder: Path) -> None:
    """What is beyond `MOST_KEPT`."""
    kept, size = sorted(folder.glob("*.pickle"), key=lambda path: path.stat().st_mtime, reverse=True), 0
    for path in kept:
        size += path.stat().st_size
        if size > MOST_KEPT:
            path.unlink()


def surroundings() -> str:
    """SHA-256 of this project's code, the versions of the libraries, the machine and the switches that decide bits."""
    switches = [f"{name}={os.environ.get(name)}" for name in SWITCHES]
    machine = (sys.version, platform.platform(), platform.node(), *switches)
    return _digest(" ".join(machine), [path for package in CODE for path in _files(package)], LIBRARIES)


def exact_surroundings() -> str:
    """The same of what decides an exact trajectory: python-flint, and `parity` without the other frameworks."""
    return _digest("", _files("parity"), ("python-flint",))


def _files(package: str) -> list[Path]:
    return sorted((Path(parity.__file__).parents[1] / package).rglob("*.py"))


def _digest(text: str, files: Sequence[Path], libraries: Sequence[str]) -> str:
    digest = hashlib.sha256(text.encode())
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    digest.update(" ".join(f"{library} {version(library)}" for library in libraries).encode())
    return digest.hexdigest()
