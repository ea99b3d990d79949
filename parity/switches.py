"""The global switches of a process that computes: set by the command line and by conftest, never on import."""

from __future__ import annotations

import os
import warnings

from parity.files import cache

PRODUCTS = r"(divide by zero|overflow|invalid value) encountered in (dot|vecdot|matmul)"
"""What NumPy says where the processor's flags are up after a matrix product.

They say nothing of the product: a BLAS also computes in lanes that it throws away, on whatever stands there (OpenBLAS
on some processors, Accelerate on the M4). What is wrong with a product is in its values, and these are judged.
"""


def set_switches() -> None:
    """What the frameworks read when they are imported; a variable that is set already stays as it is.

    JAX and PyTorch keep what they compiled, so that the second run is fast. One OpenMP and one BLAS thread a process:
    every framework has its own process, and waiting threads of one would take the cores from the others.
    """
    for name, value in {
        "JAX_COMPILATION_CACHE_DIR": str(cache("jax")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "TORCHINDUCTOR_CACHE_DIR": str(cache("torch")),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
    }.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", PRODUCTS, RuntimeWarning)
