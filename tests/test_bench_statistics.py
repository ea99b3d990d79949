"""The figures of timings, beside other implementations, counts by hand, and the coverage that they promise."""

from __future__ import annotations

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from scipy.stats import binom, mannwhitneyu

from parity.bench import statistics
from parity.bench.statistics import drift, holm, is_noisy, quotient, ratio, rounds_needed, slope, summary

TRIALS = 400
SEED = 7


def test_quartiles_are_those_of_numpy() -> None:
    samples = [3.0, 1.0, 4.0, 1.5, 9.0, 2.5]
    found = summary(samples)
    assert [found.min, found.q1, found.median, found.q3] == np.quantile(samples, [0, 0.25, 0.5, 0.75]).tolist()
    assert found.iqr == found.q3 - found.q1


def test_one_sample_is_all_its_figures() -> None:
    found = summary([2.0])
    assert (found.min, found.median, found.q1, found.q3, found.iqr) == (2, 2, 2, 2, 0)
    one = ratio([2.0], [4.0])
    assert (one.median, one.low, one.high, one.coverage) == (0.5, 0.5, 0.5, 0)


@pytest.mark.parametrize(("n", "k"), [(5, 1), (6, 1), (8, 1), (9, 2), (15, 4), (20, 6), (100, 40)])
def test_the_interval_is_between_the_tabulated_ranks(n: int, k: int) -> None:
    """As in the usual tables of the sign test; five are too few, and their range is called what it is."""
    found = ratio(range(n, 0, -1), [1] * n)
    assert (found.low, found.high) == (k, n + 1 - k)
    assert (found.coverage >= 1 - 1 / statistics.ONE_IN) == (n > 5)
    np.testing.assert_array_equal(np.float32(found.coverage), np.float32(1 - 2 * binom.cdf(k - 1, n, 1 / 2)))


def test_ratios_are_of_pairs_of_the_same_round() -> None:
    """A machine that becomes ten times slower from round to round leaves a ratio of 3 alone."""
    floor = [10.0**i for i in range(8)]
    found = ratio([3 * time for time in floor], floor)
    assert (found.low, found.median, found.high) == (3, 3, 3)
    with pytest.raises(ValueError, match="longer than"):
        ratio(floor[1:], floor)


def test_the_distribution_of_u_is_that_of_all_orders() -> None:
    n_1, n_2 = 3, 5
    orders = combinations(range(n_1 + n_2), n_1)
    by_hand = np.bincount([sum(order) - n_1 * (n_1 - 1) // 2 for order in orders])
    assert statistics._mann_whitney(n_1, n_2) == by_hand.tolist()


def test_the_normal_distribution_takes_over_where_it_is_as_good() -> None:
    """Between the two the interval moves by a few of five thousand quotients."""
    n = 70
    counted = statistics._mann_whitney(n, n)
    normal = statistics._normal(n * n, (n * n * (2 * n + 1) / 12) ** (1 / 2))
    assert len(normal) == len(counted) == n * n + 1 <= statistics.EXACT + 1
    ranks = [int(np.searchsorted(np.cumsum(counts) / sum(counts), 1 / 40)) for counts in (counted, normal)]
    assert abs(ranks[0] - ranks[1]) <= 3
    assert statistics.quotient(range(1, 82), range(1, 82)).median == 1


def test_the_quotient_leaves_out_one_where_the_test_is_significant() -> None:
    rng = np.random.default_rng(SEED)
    seen = set()
    for _ in range(TRIALS):
        old, new = np.exp(rng.normal(0, 0.1, 9)), np.exp(rng.normal(0.1, 0.1, 7))
        found, p = quotient(new, old), mannwhitneyu(new, old, method="exact").pvalue
        assert (found.low > 1 or found.high < 1) == (p * statistics.ONE_IN <= 1)
        seen.add(p * statistics.ONE_IN <= 1)
    assert seen == {True, False}


def test_intervals_hold_the_true_value_as_often_as_they_say() -> None:
    """In 95 % of skewed samples with outliers, or more; the allowance is three deviations of the count."""
    rng = np.random.default_rng(SEED)
    held = np.zeros(2, int)
    for _ in range(TRIALS):
        old, new = (rng.lognormal(0, 0.2, 15) * (1 + rng.binomial(1, 1 / 10, 15)) for _ in range(2))
        pairs, pooled = ratio(new, old), quotient(new * 3, old)
        held += pairs.low <= 1 <= pairs.high, pooled.low <= 3 <= pooled.high
    missed = TRIALS // statistics.ONE_IN
    assert all(TRIALS - held <= missed + 3 * sqrt(missed))


def test_one_outlier_of_seven_does_not_widen_the_quotient() -> None:
    old, new = [100, 101, 102, 103, 104, 105, 106], [130, 131, 132, 133, 134, 135, 500]
    assert quotient(new, old).high < 2


def test_drift_sees_a_trend_and_jumps_and_no_single_outlier() -> None:
    assert drift(range(10, 31)) == 0.8, "eight tenths of a trend by its own median"
    assert drift([1.0] * 30 + [2.0] * 10) == 1
    assert drift([2.0] * 5 + [1.0] * 35) == 1
    assert drift([1.0, 1.0, 1.0, 2.0] * 10) == 1
    assert drift([1.0] * 39 + [9.0]) == 0
    assert drift([]) == drift([3.0]) == 0


def test_noisy_is_beyond_five_per_cent() -> None:
    assert [is_noisy(share) for share in (0.0, 0.04, 0.06, 1.0)] == [False, False, True, True]


def test_the_slope_of_a_power_is_its_exponent() -> None:
    """Sizes in any order."""
    found = slope([4, 1, 16], [4.0**3, 1, 16.0**3])
    np.testing.assert_array_equal(np.float32([found.overall, *found.local]), 3)
    bent = slope([1, 2, 4], [1, 1, 8])
    np.testing.assert_array_equal(np.float32(bent.local), [0, 3])
    assert 0 < bent.overall < 3


def test_holm_by_hand() -> None:
    """The smallest of four times four, the next times three, …; never falling, never above 1."""
    ps = [1 / 64, 1 / 32, 3 / 4, 1 / 128]
    assert holm(ps) == [3 / 64, 2 / 32, 3 / 4, 4 / 128]
    assert holm([1 / 2, 1 / 2]) == [1, 1]
    assert holm([]) == []


@pytest.mark.parametrize("rows", [1, 10, 200])
def test_so_many_rounds_are_needed_and_enough(rows: int) -> None:
    n = rounds_needed(rows)
    p = [mannwhitneyu(range(k), range(-k, 0), method="exact").pvalue for k in (n - 1, n)]
    assert [rows * of * statistics.ONE_IN <= 1 for of in p] == [False, True]
