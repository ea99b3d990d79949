"""A pool that works in this process, where a test asks what comes out and not who computes it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from parity.training import exact, steps


class Inline:
    """As `parity.processes.Pool`, but that nothing is copied and nothing runs ahead.

    What processes add, and what becomes of those that die, is tested where none of them is replaced.
    """

    def __init__(self, processes: int, given: object = None, *, interruptible: bool = True) -> None:
        self.given = given

    def submit(self, fn: Callable[..., object], *args: object) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args))
        except Exception as error:  # it comes out where the result is asked for
            future.set_exception(error)
        return future

    def submit_given(self, fn: Callable[..., object], *args: object) -> Future[Any]:
        return self.submit(fn, self.given, *args)

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Descents and exact trajectories without a process of their own: the same numbers, and no imports."""
    for module in (exact, steps):
        monkeypatch.setattr(module, "Pool", Inline)
