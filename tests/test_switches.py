"""Global switches: what a processor's flags say after a matrix product is no finding; a value is."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from parity.processes import Pool
from parity.run import workers
from parity.switches import set_switches

FLAGGED = [
    f"{what} encountered in {how}" for what in ("invalid value", "overflow") for how in ("dot", "vecdot", "matmul")
]
OF_VALUES = "invalid value encountered in multiply"


def heard(message: str) -> bool:
    """Whether a user of this process hears of it."""
    with warnings.catch_warnings(record=True) as found:
        warnings.warn(message, RuntimeWarning, stacklevel=1)
    return bool(found)


@pytest.mark.parametrize("message", FLAGGED)
def test_a_flag_after_a_product_is_no_error_here(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=1)


def test_a_flag_of_anything_else_is_an_error_here() -> None:
    with pytest.raises(RuntimeWarning, match="multiply"):
        np.multiply(np.inf, 0.0)


def test_the_command_line_is_silent_about_products_alone() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        set_switches()
        assert [message for message in (*FLAGGED, OF_VALUES) if heard(message)] == [OF_VALUES]


def test_every_process_is_silent_about_products_alone() -> None:
    with workers(("reference",), processes=True) as worker, Pool(1) as pool:
        for message in (*FLAGGED, OF_VALUES):
            of_matrix, of_training = worker["reference"].submit(heard, message), pool.submit(heard, message).result
            assert (of_matrix(), of_training()) == ((message == OF_VALUES),) * 2


def test_the_products_here_have_as_many_threads_as_they_are_given() -> None:
    """NumPy's BLAS reads the variable when it is imported, and a plugin of pytest's does that before conftest."""
    given = int(os.environ["OPENBLAS_NUM_THREADS"])
    assert {one["num_threads"] for one in threadpool_info() if "numpy" in one["filepath"]} <= {given}
