"""Exact values with a certified error where there are millions: what `parity.oracle` is to small problems.

The formulas are evaluated as they stand, in a wider arithmetic: for narrower formats in float64, for float64 in longdouble,
whose sums and elementary functions are 11 bits finer on x86. A value is certified by the bound of `parity.rounding` itself,
for that arithmetic in place of an implementation: u' of the wider format, and for K' what `_ulps` derives.

A product of float64 or longdouble matrices is made of products in float64 that BLAS computes without any rounding (Ozaki,
Ogita, Oishi, Rump, Numer. Algorithms 59, 2012). Rows of X and columns of Y, scaled to less than 1 by powers of two, are cut
into slices of β bits: integer multiples of 2^−β, 2^−2β, 2^−3β, no larger than 1, 2^−β/2 and 2^−2β/2 (`_slices`). An inner
product of k ≤ `BLOCK` terms of two slices is a sum of integers that stays below 2^(2β) k ≤ 2^53: exact in any order. The six
products of slices s and t with s + t ≤ 4 are added up in longdouble, the smallest first. What is left out is, relative to
the product of the two scales, for each of k terms

    slices (2, 3), (3, 2) and (3, 3)              no more than (1/4 + 1/4) 2^−3β + 2^−4β/4
    the rest behind the third slice of X, of Y    no more than 2^−3β/2 each, twice that with what longdouble had beyond float64
    the sum of the five smaller products          5 u' 2^−β, and u' ≤ 2^−3β 2^10 for β ≥ 21: below 2^−3β

hence less than 4 · 2^−3β, and a scale is no more than twice the largest element of its row or column:

    |P̂ − XY| ≤ 16 · 2^−3β · k · max|X[i, :]| · max|Y[:, j]| + γ' |X||Y|       (`_Split.rest`)

where γ' is for the last of the six sums and one more a block: fewer roundings than γ_n of n = k terms is for. In float64,
a plain product has no rest.

The rules of `parity.rounding` are stated about exact values and are used here about the computed ones. They hold there as
well: each is symmetric in the two but for terms of second order in u', which the factor 1 + 2^−20 covers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from parity import rounding
from parity.formats import FORMATS, Format
from parity.local import WIDE_ULPS
from parity.oracle import Exact, Undecided
from parity.problems import Problem
from parity.problems.parameters import flat, layered
from parity.rounding import Arithmetic, Arrays

BLOCK = 2048
"""Terms of an inner product that are summed in float64."""

SLICES = 3


def exact(problem: Problem, dtype: str) -> dict[str, Exact]:
    """Every quantity of a network or logistic regression, as `parity.oracle.exact` has it, with a radius an element.

    Raises
    ------
    Undecided
        A pre-activation cannot be told from a kink's argument, or a value overflows.
    """
