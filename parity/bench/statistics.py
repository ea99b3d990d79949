"""Figures of timings. Nothing here draws random numbers, and no interval assumes a distribution of the noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from math import comb, erf, log, sqrt
from statistics import linear_regression, median, quantiles

NOISE = 0.05
"""A group whose sentinel drifts by more than this share is called NOISY: a choice of what a reader is told."""

ONE_IN = 20
"""An interval misses what it estimates in at most one of so many cases: 95 %."""

EXACT = 5000
"""Up to so many pairs the distribution of Mann and Whitney's U is counted; it is normal for all purposes beyond."""


@dataclass(frozen=True)
class Summary:
    """The least, the middle and the quartiles of samples."""

    min: float
    median: float
    q1: float
    q3: float

    @property
    def iqr(self) -> float:
        """The interquartile range."""
        return self.q3 - self.q1


@dataclass(frozen=True)
class Interval:
    """A middle, the interval around it, and the probability with which that holds the true one.

    The probability is at least 1 − 1/ONE_IN; where samples are too few for that, the interval is all of their range
    and the probability is less: 0.9375 for five.
    """

    median: float
    low: float
    high: float
    coverage: float


@dataclass(frozen=True)
class Slope:
    """The exponent of growth: over all sizes by least squares, and from each size to the next."""

    overall: float
    local: tuple[float, ...]


def summary(samples: Sequence[float]) -> Summary:
    """Quartiles as Hyndman and Fan's type 7, as NumPy has them."""
    q1, middle, q3 = _quantiles(samples, 4)
    return Summary(min(samples), middle, q1, q3)


def ratio(samples: Sequence[float], floor_samples: Sequence[float]) -> Interval:
    """The median ratio of pairs of the same round, between two of the ratios in order.

    The number of ratios below the true median is binomial (n, 1/2), whatever their distribution (Thompson, 1936).
    Whatever slows a whole round is in both of a pair.
    """
    ratios = [sample / floor for sample, floor in zip(samples, floor_samples, strict=True)]
    return _interval(ratios, [comb(len(ratios), below) for below in range(len(ratios) + 1)])


def quotient(new: Sequence[float], old: Sequence[float]) -> Interval:
    """By which factor `new` is larger than `old`: the median of all quotients, between two of them in order.

    The interval is the set of factors that Mann and Whitney's test would not reject at 1/ONE_IN (Hodges and Lehmann,
    1963; Moses, 1965), so that it leaves out 1 where that test is significant. As few as one slow sample in seven of
    either side does not widen it, which would be so with a quotient of the medians' own intervals.
    """
    return _interval([a / b for a in new for b in old], _mann_whitney(*sorted((len(new), len(old)))))


def drift(sentinel: Sequence[float]) -> float:
    """The range of the sentinel without a tenth of the rounds at either end, as a share of its median.

    A jump that lasts for more than a tenth of the rounds shows in full, wherever it is, and so does what comes and
    goes as often; a steady trend shows by 8/10 of its size. Fewer rounds than that move no median, and a shared machine
    has some in every run: to count them (max − min) would call every run noisy. No sentinel, no drift.
    """
    if not sentinel:
        return 0.0
    tenths = _quantiles(sentinel, 10)
    return (tenths[-1] - tenths[0]) / median(sentinel)


def is_noisy(drifted: float) -> bool:
    """Whether a sentinel that drifted so much makes the figures beside it doubtful."""
    return drifted > NOISE


def slope(sizes: Sequence[float], times: Sequence[float]) -> Slope:
    """d log(time) / d log(size); the sizes are distinct and there are two or more."""
    points = [(log(size), log(time)) for size, time in sorted(zip(sizes, times, strict=True))]
    local = tuple((y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points))
    return Slope(linear_regression(*zip(*points, strict=True)).slope, local)


def holm(ps: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number: those below 1/ONE_IN are right all together in 95 % of runs (Holm, 1979).

    Nothing is asked of how the tests depend on each other, and rows of one run do.
    """
    order = sorted(range(len(ps)), key=ps.__getitem__)
    rising = accumulate(((len(ps) - i) * ps[row] for i, row in enumerate(order)), max)
    adjusted = dict(zip(order, rising, strict=True))
    return [min(1, adjusted[i]) for i in range(len(ps))]


def rounds_needed(rows: int) -> int:
    """The least number of rounds with which the smallest p of so many rows can be significant at all after `holm`.

    It is 2 / (2n over n), where every new sample is above every old one.
    """
    n = 1
    while 2 * ONE_IN * rows > comb(2 * n, n):
        n += 1
    return n


def _quantiles(samples: Sequence[float], n: int) -> list[float]:
    return quantiles(samples, n=n, method="inclusive") if len(samples) > 1 else [*samples] * (n - 1)


def _interval(values: Iterable[float], counts: Sequence[int]) -> Interval:
    """Between the k-th value from below and from above; `counts[t]` is how often t of them are below the true one."""
    values, total = sorted(values), sum(counts)
    tails = list(accumulate(counts[: (len(values) + 1) // 2]))
    k = max(1, sum(2 * ONE_IN * tail <= total for tail in tails))
    return Interval(median(values), values[k - 1], values[-k], 1 - 2 * tails[k - 1] / total)


@lru_cache
def _mann_whitney(n_1: int, n_2: int) -> list[int]:
    """How many of the orders of n_1 + n_2 samples have U = 0, 1, …, n_1·n_2 (Mann and Whitney, 1947).

    The coefficients of the product over i ≤ n_1 of (1 − q^(n_2+i)) / (1 − q^i).
    """
    pairs = n_1 * n_2
    if pairs > EXACT:
        return _normal(pairs, sqrt(pairs * (n_1 + n_2 + 1) / 12))
    counts = [1] + [0] * pairs
    for i in range(1, n_1 + 1):
        for u in range(pairs, n_2 + i - 1, -1):
            counts[u] -= counts[u - n_2 - i]
        for u in range(i, pairs + 1):
            counts[u] += counts[u - i]
    return counts


def _normal(largest: int, deviation: float) -> list[int]:
    """What is counted of 2^60 draws from a normal distribution around the middle, rounded to integers."""
    below = [erf((u - (largest + 1) / 2) / (deviation * sqrt(2))) for u in range(largest + 2)]
    return [round((high - low) * 2**59) for low, high in pairwise(below)]
