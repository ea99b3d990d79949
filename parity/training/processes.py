"""Processes that Ctrl-C does not reach: it goes to the whole group, and the parent decides what becomes of the work."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

from parity.switches import set_switches

P = ParamSpec("P")
T = TypeVar("T")


class Pool(ProcessPoolExecutor):
    """A process pool whose processes are born with the interrupt blocked, and keep it so."""

    def __init__(self, processes: int) -> None:
        super().__init__(processes, get_context("spawn"), _begin)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As the base class, which may start a process here."""
        with _blocked():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def _blocked() -> Iterator[None]:
    """Interrupts wait until the end of the block; a process that is started inside inherits that."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    set_switches()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
