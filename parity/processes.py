"""Processes that work for this one, and end with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from parity.switches import set_switches

P = ParamSpec("P")
T = TypeVar("T")

_GIVEN: list[Any] = []
"""What this process was given when it was born."""


class Pool(ProcessPoolExecutor):
    """A pool whose processes have this one's switches, and end when it ends, be it killed.

    A `with` block that an exception leaves does not wait for what they are at.

    Parameters
    ----------
    given : object
        What every process gets once, for `submit_given`.
    interruptible : bool
        Whether Ctrl-C, which goes to the whole group, ends them, without a word; if not, this process decides what
        becomes of the work. They are born with the interrupt blocked.
    """

    def __init__(self, processes: int, given: object = None, *, interruptible: bool = True) -> None:
        context = get_context("spawn")
        alive, self._keeps_alive = context.Pipe(duplex=False)
        super().__init__(processes, context, _begin, (alive, given, interruptible))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As the base class, which may start a process here."""
        with _blocked():
            return super().submit(fn, *args, **kwargs)

    def submit_given(self, fn: Callable[..., T], /, *args: object) -> Future[T]:
        """`fn` of what the process was given and the arguments."""
        return self.submit(_of_given, fn, *args)

    def abandon(self) -> None:
        """End the processes, whatever they are at."""
        self._keeps_alive.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abandon()
        self.shutdown(wait=True, cancel_futures=kind is not None)


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


def _begin(alive: Connection, given: object, interruptible: bool) -> None:
    set_switches()
    Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_DFL if interruptible else signal.SIG_IGN)
    if interruptible and hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    _GIVEN[:] = [given]


def _end_with_parent(alive: Connection) -> None:
    """Wait for the end of a pipe whose other end the parent alone holds, and nobody writes to.

    Without that a process whose parent was killed would wait for ever: it holds both ends of the queue of its work.
    """
    alive.poll(None)
    os._exit(1)


def _of_given(fn: Callable[..., T], *args: object) -> T:
    return fn(_GIVEN[0], *args)
