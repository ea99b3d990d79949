"""The last run of the whole matrix, kept for the pages: nobody has to wait twice for the same verdicts.

It is used again only where nothing has changed that a verdict depends on: the code of the implementations and of the
witness, the versions, the machine, and what the environment tells the frameworks.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from parity import report
from parity.errors import BadInput
from parity.files import cache, write_whole
from parity.formats import FORMATS
from parity.names import BUILT_IN, available_names
from parity.problems import catalogue
from parity.run import Cell, Plan
from parity.surroundings import machine, versions

PACKAGES = ("reference", "torch_impl", "jax_impl", "sklearn_baseline")
ROOMS = ("", "problems", "implementations", "training")
"""Of `parity`: what takes part in a run."""

TOLD = ("ATEN_", "CUDA_", "JAX_", "MKL_", "NPY_", "OMP_", "OPENBLAS_", "TORCH", "XLA_")
"""How the environment variables begin that frameworks read."""


def whole() -> Plan:
    """The matrix of `parity` without options: every problem in every format and implementation, on the CPU."""
    problems = catalogue.in_order([catalogue.build(name) for name in catalogue.NAMES])
    return Plan(tuple(problems), available_names(), tuple(FORMATS))


def keep(plan: Plan, cells: Sequence[Cell]) -> None:
    """Keep the run if it was the whole one; a cache that cannot be written to is no fault of the run."""
    if plan == whole() and set(plan.implementations) == set(BUILT_IN):
        content = {"digest": digest(), "report": report.as_json(cells)}
        with suppress(BadInput, OSError):
            _place().parent.mkdir(parents=True, exist_ok=True)
            write_whole(_place(), json.dumps(content))


def last() -> tuple[str, list[Cell]] | None:
    """When the last whole run was made, and its cells; None where none was kept, or something has changed since."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        content = json.loads(_place().read_text(encoding="utf-8"))
        if content["digest"] == digest() and set(available_names()) == set(BUILT_IN):
            return content["report"]["made"], report.cells(content["report"])
    return None


def digest() -> str:
    """Of everything that a verdict depends on, as 64 hexadecimal digits."""
    found = hashlib.sha256()
    told = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(TOLD))
    for what in (versions(), machine(), platform.node(), os.cpu_count(), told):
        found.update(repr(what).encode())
    for path in _sources():
        found.update(f"{path.parent.name}/{path.name}".encode() + path.read_bytes())
    return found.hexdigest()


def _sources() -> Iterator[Path]:
    here = Path(__file__).parent
    for folder in (*(here.parent / name for name in PACKAGES), *(here / name for name in ROOMS)):
        yield from sorted(folder.glob("*.py"))


def _place() -> Path:
    return cache("runs") / "whole.json"
