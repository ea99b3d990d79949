"""What the reports need of statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np


class Summary(NamedTuple):
    """Of times."""

    min: float
    median: float
    q1: float
    q3: float


class Ratio(NamedTuple):
    """Of times of the same rounds: the median, and an interval that holds it in 95 of 100 runs."""

    median: float
    low: float
    high: float


def summary(samples: Sequence[float]) -> Summary:
    """The least, the median and the quartiles."""
    return Summary(min(samples), *(float(q) for q in np.quantile(samples, (1 / 2, 1 / 4, 3 / 4))))


def ratio(samples: Sequence[float], floor_samples: Sequence[float]) -> Ratio:
    """The median of the ratios of pairs; its interval from order statistics, which assumes no distribution."""
    ratios = sorted(a / b for a, b in zip(samples, floor_samples, strict=True))
    n = len(ratios)
    below = list(accumulate(math.comb(n, k) for k in range(n)))
    cut = sum(40 * total <= 2**n for total in below)
    return Ratio(float(np.median(ratios)), ratios[max(0, cut - 1)], ratios[min(n - 1, n - cut)])


def slope(sizes: Sequence[float], times: Sequence[float]) -> float:
    """The exponent p of the power law size^p that fits best, by least squares of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
