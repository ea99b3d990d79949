"""Processes that work for this one, and end with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import ParamSpec, TypeVar

from parity.switches import set_switches

P = ParamSpec("P")
T = TypeVar("T")


class Pool(ProcessPoolExecutor):
    """A pool whose processes have this one's switches, and end when it ends, be it killed.

    Parameters
    ----------
    interruptible : bool
        Whether Ctrl-C, which goes to the whole group, reaches them; if not, this process decides what becomes of the
        work. They are then born with the interrupt blocked, and keep it so.
    """

    def __init__(self, processes: int, *, interruptible: bool = True) -> None:
        super().__init__(processes, get_context("spawn"), _begin, (interruptible,))
        self.interruptible = interruptible

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As the base class, which may start a process here."""
        with nullcontext() if self.interruptible else _blocked():
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


def _begin(interruptible: bool) -> None:
    set_switches()
    Thread(target=_end_with_parent, daemon=True).start()
    if not interruptible:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_with_parent() -> None:
    """A pool's process holds both ends of its queue, and would wait for ever for a parent that was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
