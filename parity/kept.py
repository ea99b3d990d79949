"""The last run of the whole matrix, kept for the pages: nobody has to wait twice for the same verdicts.

It is used again only where nothing has changed that a verdict depends on: the code of the implementations and of the
witness, the problems, the libraries as they were installed, the processor, the compiler, and what the environment tells
the frameworks. All that is in a digest, and the file begins with the digest of that and of its own content: what is
damaged, or of another state of things, is not read at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import metadata
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

LIBRARIES = (
    "numpy", "scipy", "scikit-learn", "torch", "jax", "jaxlib", "python-flint", "ml_dtypes", "pandas", "threadpoolctl",
)  # fmt: skip
"""What computes, with all beneath that other versions of it may be installed of."""

TOLD = (
    "ATEN_", "BLIS_", "CUDA_", "CXX", "DNNL_", "FLEXIBLAS", "GLIBC_", "GOMP_", "GOTO_", "JAX_", "KMP_", "LD_", "MKL_",
    "NPY_", "OMP_", "ONEDNN_", "OPENBLAS_", "PYTORCH", "SCIPY_", "SKLEARN_", "TF_", "TORCH", "VECLIB_", "XLA_",
)  # fmt: skip
"""How the environment variables begin that frameworks, and the libraries beneath them, read."""

CPUINFO = Path("/proc/cpuinfo")
KERNELS = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU ")
"""What its lines begin with that say which kernels a library chooses."""

FAILED = "—"
"""The quantity of an implementation that raised, or whose process died."""

LARGEST = 2**26
"""Bytes. What is larger is no report of this program."""


def whole() -> Plan:
    """The matrix of `parity` without options: every problem in every format and implementation, on the CPU."""
    problems = catalogue.in_order([catalogue.build(name) for name in catalogue.NAMES])
    return Plan(tuple(problems), available_names(), tuple(FORMATS))


def keeper(plan: Plan) -> Callable[[Sequence[Cell]], None]:
    """What keeps the run that begins now, once it has ended.

    Only the whole matrix is kept, and only if nothing has changed meanwhile. A run in which an implementation failed,
    or could not compute at all, is not: what that came from may be gone tomorrow, and nothing here would tell. A cache
    that cannot be written to is no fault of the run.
    """
    few = len(plan.problems) < len(catalogue.NAMES)  # known at once: the whole takes seconds to build
    if few or plan != whole() or set(plan.implementations) != set(BUILT_IN):
        return lambda cells: None
    begun = digest()

    def keep(cells: Sequence[Cell]) -> None:
        if digest() == begun and _sound(plan, cells):
            body = json.dumps(report.as_json(cells)).encode()
            with suppress(BadInput, OSError):
                _place().parent.mkdir(parents=True, exist_ok=True)
                write_whole(_place(), _seal(begun, body) + b"\n" + body)

    return keep


def last() -> tuple[str, list[Cell]] | None:
    """When the last whole run was made, and its cells; None where none was kept, or something has changed since."""
    if set(available_names()) != set(BUILT_IN):
        return None
    with suppress(OSError):
        if _place().is_file() and _place().stat().st_size <= LARGEST:
            seal, _, body = _place().read_bytes().partition(b"\n")
            if seal == _seal(digest(), body):
                found = json.loads(body)
                return found["made"], report.cells(found)
    return None


def digest() -> str:
    """Of everything that a verdict depends on, as 64 hexadecimal digits."""
    found = hashlib.sha256()
    told = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(TOLD))
    fingerprints = [problem.fingerprint for problem in whole().problems]
    for what in (versions(), machine(), platform.node(), _processor(), _compiler(), told, fingerprints):
        found.update(repr(what).encode())
    for name in LIBRARIES:
        found.update(f"{name} {_installed(name)}".encode())
    for path in _sources():
        found.update(f"{path.parent.name}/{path.name}".encode() + path.read_bytes())
    return found.hexdigest()


def _sound(plan: Plan, cells: Sequence[Cell]) -> bool:
    """Whether every implementation computed something, and none failed."""
    computed = {cell.implementation for cell in cells if cell.comparisons}
    failed = any(comparison.quantity == FAILED for cell in cells for comparison in cell.comparisons)
    return computed == set(plan.implementations) and not failed


def _seal(of: str, body: bytes) -> bytes:
    return hashlib.sha256(of.encode() + body).hexdigest().encode()


def _sources() -> Iterator[Path]:
    here = Path(__file__).parent
    for folder in (*(here.parent / name for name in PACKAGES), *(here / name for name in ROOMS)):
        yield from sorted(folder.glob("*.py"))


def _installed(name: str) -> str:
    """The list of an installed library's files, with the hash of each; "" where it is not installed."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.distribution(name).read_text("RECORD") or ""
    return ""


def _processor() -> list[object]:
    """How many cores, and what they can; beyond Linux the name of the machine has to do."""
    with suppress(OSError):
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
        return [os.cpu_count(), *sorted({line for line in lines if line.startswith(KERNELS)})]
    return [os.cpu_count()]


def _compiler() -> object:
    """The C++ compiler of `torch.compile`, and when it was installed."""
    path = shutil.which(os.environ.get("CXX", "g++"))
    with suppress(OSError):
        return path and (os.path.realpath(path), os.stat(path).st_size, os.stat(path).st_mtime_ns)
    return path


def _place() -> Path:
    return cache("runs") / "whole.json"
