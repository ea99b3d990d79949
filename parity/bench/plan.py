"""Which rows a run has, and in what order. Imports nothing that computes, so that `parity bench --list` is quick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby

from parity.bench.cases import WORKS, Case
from parity.bench.results import Key
from parity.names import DEVICES, available_names

DTYPES = ("float64", "float32", "bfloat16", "float16")
NARROW = ("bfloat16", "float16")
CONTRASTS = ("torch-formula", "torch-apart", "jax-stepped")
"""Other ways to call a framework (`parity.bench.contrasts`)."""

Place = tuple[str, int]
"""A device, and the threads that the host has."""


@dataclass(frozen=True)
class Plan:
    """What to time.

    Attributes
    ----------
    cases, works, dtypes, devices, threads, implementations
        In the order in which they are timed.
    patterns : tuple of str
        A row's name must match one of them, as a shell's patterns do; empty: every row.
    wanted : frozenset of Key or None
        The only rows, such as those of an earlier run; None: every one.
    quick : bool
        Whether a minute must do: fewer rounds, and no processes with empty caches.
    rounds : int
        At least so many.
    everything : bool
        Whether series of cases have every work and number of threads; otherwise a step on the fewest threads.
    """

    cases: tuple[Case, ...]
    works: tuple[str, ...] = WORKS
    dtypes: tuple[str, ...] = DTYPES
    devices: tuple[str, ...] = DEVICES
    threads: tuple[int, ...] = (1,)
    implementations: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    wanted: frozenset[Key] | None = None
    quick: bool = False
    rounds: int = 9
    everything: bool = False

    def places(self) -> list[Place]:
        """Every device with every number of threads; what a GPU computes does not depend on them."""
        return [(d, t) for d in self.devices for t in (self.threads if d == "cpu" else self.threads[:1])]

    def groups(self) -> Iterator[tuple[Case, list[Key]]]:
        """The rows that are timed in turns, the groups of a case and dtype following each other."""
        for case in self.cases:
            keys = (key for key in self._keys(case) if self._chosen(key))
            for _, group in groupby(keys, key=lambda key: (key.work, key.dtype, key.device, key.threads)):
                yield case, list(group)

    def _keys(self, case: Case) -> Iterator[Key]:
        grows = bool(case.grows) and not self.everything
        for dtype in self.dtypes:
            for device, threads in self.places():
                if (dtype in NARROW and device == "cpu") or (grows and threads != self.threads[0]):
                    continue
                for work in self.works:
                    if grows and work != "step":
                        continue
                    for name in self.implementations:
                        yield Key(case.name, work, dtype, device, threads, name)

    def _chosen(self, key: Key) -> bool:
        if self.wanted is not None and key not in self.wanted:
            return False
        return not self.patterns or any(fnmatchcase(str(key), pattern) for pattern in self.patterns)


def implementations() -> tuple[str, ...]:
    """The names of everything that is timed: the implementations, and the contrasts."""
    return (*available_names(), *CONTRASTS)
