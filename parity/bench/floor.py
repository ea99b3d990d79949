"""What nothing can be faster than: a case's matrix products alone, and what the machine does at most.

A floor is every product of the pass, W[l] A[l−1] forward and dZ[l] A[l−1]ᵀ and W[l]ᵀ dZ[l] backward, on arrays of the
right shapes whose results go where room is already. It is taken in every BLAS there is (NumPy's, PyTorch's), and the
fastest of them is the floor. Reading X once instead of twice can beat it: a floor is not a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.bench.cases import Case
from parity.errors import FOREIGN, one_line
from parity.formats import FORMATS

if TYPE_CHECKING:
    from parity.implementations.torch import Eager

FLOORS = {"floor-numpy": "numpy", "floor-torch": "torch"}
"""The floor in each library whose BLAS it is."""

STREAM = 2**28
"""Bytes of an array that is read for the peak: many times what any cache holds."""

SQUARE = 1536
"""Rows of the square matrices whose product is the peak of arithmetic: large beside every tile of a BLAS."""

Work = Callable[[], object]


def floor(name: str, case: Case, work: str, dtype: str, device: str) -> Work:
    """Every product of the work, ready to be timed."""
    arrays = [_random((n, case.m), dtype, l) for l, n in enumerate(case.layers)]
    weights = [_random((n, n_prev), dtype, l) for l, (n_prev, n) in enumerate(pairwise(case.layers))]
    if FLOORS[name] == "numpy":
        return _numpy(arrays, weights, work)
    return _torch(arrays, weights, work, device)


def _numpy(A: list[np.ndarray], W: list[np.ndarray], work: str) -> Work:
    Z, dA, dW = [np.empty_like(a) for a in A], [np.empty_like(a) for a in A], [np.empty_like(w) for w in W]
    calls: list[tuple[Any, Any, Any]] = [(w, A[l], Z[l + 1]) for l, w in enumerate(W)]
    if work != "forward":
        for l in range(len(W) - 1, -1, -1):
            calls.append((A[l + 1], A[l].T, dW[l]))
            calls += [(W[l].T, A[l + 1], dA[l])] if l else []

    def products() -> None:
        for left, right, into in calls:
            np.dot(left, right, out=into)

    return products


def _torch(A: list[np.ndarray], W: list[np.ndarray], work: str, device: str) -> Work:
    import torch

    a, w = ([_eager().to_framework(x, device) for x in arrays] for arrays in (A, W))
    calls = [(w[l], a[l], torch.empty_like(a[l + 1])) for l in range(len(w))]
    if work != "forward":
        for l in range(len(w) - 1, -1, -1):
            calls.append((a[l + 1], a[l].T, torch.empty_like(w[l])))
            calls += [(w[l].T, a[l + 1], torch.empty_like(a[l]))] if l else []

    def products() -> None:
        for left, right, into in calls:
            torch.mm(left, right, out=into)

    return _eager().finished(products, device)


def _eager() -> Eager:
    """How PyTorch's arrays are made, and its work waited for."""
    from parity.implementations.torch import Eager

    return Eager()


def _random(shape: tuple[int, int], dtype: str, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32).astype(FORMATS[dtype].dtype)


def peaks(library: str, dtype: str, device: str) -> list[tuple[str, str, float, Work]]:
    """Kernels of a library that may be the peak.

    Returns
    -------
    list
        "flops" or "bytes", the kernel's name, how many of them a call takes, and the call.
    """
    side = _random((SQUARE, SQUARE), dtype, 0)
    n = STREAM // side.itemsize
    return _peaks_of_numpy(side, n) if library == "numpy" else _peaks_of_torch(side, n, device)


def _peaks_of_numpy(side: np.ndarray, n: int) -> list[tuple[str, str, float, Work]]:
    stream, into = np.ones(n, side.dtype), np.empty_like(side)
    return [
        ("flops", "numpy.dot", 2.0 * SQUARE**3, lambda: np.dot(side, side, out=into)),
        ("bytes", "numpy.dot of a vector", float(STREAM), lambda: np.dot(stream, stream)),
        ("bytes", "numpy.max", float(STREAM), lambda: np.max(stream)),
    ]


def _peaks_of_torch(side: np.ndarray, n: int, device: str) -> list[tuple[str, str, float, Work]]:
    import torch

    a = _eager().to_framework(side, device)
    into, stream = torch.empty_like(a), torch.ones(n, dtype=a.dtype, device=device)
    product = _eager().finished(partial(torch.mm, a, a, out=into), device)
    total = _eager().finished(partial(torch.sum, stream), device)
    return [("flops", "torch.mm", 2.0 * SQUARE**3, product), ("bytes", "torch.sum", float(STREAM), total)]


def why_no_floor(name: str, device: str) -> str | None:
    """Why the floor cannot be taken there, or None."""
    if FLOORS[name] == "numpy":
        return None if device == "cpu" else "NumPy computes on the cpu only"
    try:
        return _eager().unavailable() or _eager().devices()[device]
    except FOREIGN as error:  # a library of PyTorch's that cannot be loaded
        return one_line(error)
