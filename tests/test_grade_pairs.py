"""Two mistakes in different quantities of the shallow network: both are named, and no third.

The suite takes some of the pairs; `python -m tests.grade_pairs` takes all of them.
"""

from __future__ import annotations

from tests.grade_pairs import pairs, wrong

EVERY = 41
"""A prime, so that all mistakes come up: of some 2300 pairs, 56."""

PROMISED = 99
"""Of a hundred."""


def test_both_mistakes_of_a_pair_are_named() -> None:
    some = pairs()[::EVERY]
    missed = [
        f"{a.mistake} in {a.quantity} and {b.mistake} in {b.quantity}: {said}"
        for a, b in some
        if (said := wrong((a, b)))
    ]
    assert 100 * len(missed) <= (100 - PROMISED) * len(some), missed


def test_a_pair_of_which_one_is_not_there_is_seen() -> None:
    a, b = next((a, b) for a, b in pairs() if a.mistake == "cost_sign" and b.mistake == "dZ_sign")
    assert wrong((a, a.__class__(b.mistake, b.quantity, b.base, ()))) == "dZ_sign is not named"
