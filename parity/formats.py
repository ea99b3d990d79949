"""The binary floating-point formats under test, in the constants that a rounding error analysis needs."""

from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike


@dataclass(frozen=True)
class Format:
    """A binary floating-point format (IEEE 754; bfloat16 as ml_dtypes has it).

    Attributes
    ----------
    name, short : str
        "float64" and "f64".
    dtype : numpy.dtype
        NumPy's dtype of this format.
    p : int
        Bits of the significand, the hidden one included: 53, 24, 8, 11.
    largest : float
        The largest finite number.
    smallest_normal : float
        The smallest number with p significant bits. An implementation may flush what is smaller to zero
        (XLA does on the CPU), so this is also the largest error that underflow can make.
    """

    name: str
    short: str
    dtype: np.dtype
    p: int
    largest: float
    smallest_normal: float

    @property
    def u(self) -> float:
        """The unit roundoff 2^−p: the largest relative error of rounding to nearest."""
        return 2.0**-self.p

    def ulp(self, x: np.ndarray) -> np.ndarray:
        """The unit in the last place of x: the gap from |x| to the next larger number of its binade."""
        _, exponent = np.frexp(np.maximum(np.abs(x), self.smallest_normal))
        return np.ldexp(1.0, exponent - self.p)


def _format(short: str, of: DTypeLike) -> Format:
    dtype = np.dtype(of)
    info = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    return Format(dtype.name, short, dtype, info.nmant + 1, float(info.max), float(info.smallest_normal))


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        _format("f64", np.float64),
        _format("f32", np.float32),
        _format("bf16", ml_dtypes.bfloat16),
        _format("f16", np.float16),
    )
}
"""Every format by its name, widest significand first but for float16, with more bits and less range than bfloat16."""
