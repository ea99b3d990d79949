"""The selection on pytest's command line, and the switches that the command line sets for users."""

from __future__ import annotations

import gc
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest
from threadpoolctl import threadpool_limits

os.environ["JAX_ENABLE_X64"] = "1"  # read when JAX is imported; the adapters do not rely on it

from parity.formats import FORMATS
from parity.names import DEVICES, available_names
from parity.switches import set_switches

set_switches()
gc.set_threshold(10_000, 20, 20)  # a learner's file that is graded makes many small objects, and few cycles
threadpool_limits(int(os.environ["OPENBLAS_NUM_THREADS"]), "blas")  # jaxtyping's plugin has imported NumPy by now
hypothesis.settings.register_profile("parity", derandomize=True, deadline=None)
hypothesis.settings.load_profile("parity")

NEEDS = {"torch_impl": "torch", "jax_impl": "jax"}

SEEN, MANY = pytest.StashKey[int](), 50
"""How many modules there were when they were last put aside, and how many more make it worth while."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """--device, --implementation and --dtype; each may be given more than once."""
    for option, known in (("device", DEVICES), ("implementation", None), ("dtype", tuple(FORMATS))):
        parser.addoption(f"--{option}", action="append", choices=known, help=f"test only this {option}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The docstring examples of a package whose framework is missing; its tests say so, and fail where required."""
    package = collection_path.relative_to(config.rootpath).parts[:1]
    return True if package and find_spec(NEEDS.get(package[0], "numpy")) is None else None


def pytest_report_header() -> list[str]:
    """Which implementations are here."""
    return [f"implementations: {', '.join(available_names())}"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a library is made of, once it is imported, is not looked through for garbage time and again.

    With PyTorch and JAX in it, a process takes a fifth of a second for every full collection, and `parity bench` asks
    for one after every group of rows.
    """
    if len(sys.modules) > item.config.stash.get(SEEN, 0) + MANY:
        item.config.stash[SEEN] = len(sys.modules)
        gc.freeze()
