"""What a learner's functions computed on a probe, under the notes' names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from parity.grade.probes import Probe
from parity.grade.record import Trouble


class Seen(NamedTuple):
    """A quantity as the learner has it.

    Attributes
    ----------
    value : array
        As it was found (its own shape and dtype), but with one example a column.
    name : str
        What the learner calls it: "dz1", "grads['dW1']".
    function : str
    line : int or None
        Where it got its value.
    """

    value: np.ndarray
    name: str
    function: str
    line: int | None = None


@dataclass(frozen=True)
class Observed:
    """One pass of a learner's functions over a probe, or a part of one.

    Attributes
    ----------
    probe : Probe
    seen : mapping
        By the notes' names: Z1, A1, …, J, dZ2, dA1, dW2, db2, …, new_W1, new_b1, …; for logistic regression Z, A, J,
        dZ, dw, db, new_w, new_b; and m@FUNCTION for each function that has a name for m. Where a quantity was found in
        several places, what the caller gets comes first.
    given : mapping
        What the functions of this pass were handed by the grader in place of an own value, by the same names: the A2
        of `compute_cost(A2, Y)`, the dW1 of `update_parameters`, the caches where the file has no forward pass.
    again : mapping
        What a second call with the same arguments made of the quantities.
    roles : mapping
        The learner's functions that were called, by role: {"forward": "forward_propagation", …}.
    mutated : tuple of (function, argument)
        What they changed of what they were given.
    absent : tuple of (function, what, line)
        Results that were not returned: ("backward_propagation", "dW1", 41), ("forward_propagation", "anything", 20).
    troubles : mapping
        By role, what was raised.
    conventions : frozenset of str
        Such as "rows" (keys of `parity.grade.catalogue.CONVENTIONS`).
    warnings : tuple of (line or None, text)
    """

    probe: Probe
    seen: Mapping[str, Seen]
    given: Mapping[str, np.ndarray] = field(default_factory=dict)
    again: Mapping[str, Seen] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    mutated: tuple[tuple[str, str], ...] = ()
    absent: tuple[tuple[str, str, int | None], ...] = ()
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    conventions: frozenset[str] = frozenset()
    warnings: tuple[tuple[int | None, str], ...] = ()
