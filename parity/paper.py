"""Where everything that a person reads is written: a console no wider than 100 columns, and a bar for long work."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, nullcontext

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

WIDTH = 100


class Paper(Console):
    """rich's console, which leaves it to the command line what becomes of a pipe that nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Say so; rich would end the program with status 1, which here means that something differs."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console(*, stderr: bool = False) -> Console:
    """A console no wider than 100 columns, and as wide as that in a pipe."""
    probe = Console(stderr=stderr, highlight=False)
    return Paper(
        stderr=stderr, highlight=False, markup=False, width=min(probe.width, WIDTH) if probe.is_terminal else WIDTH
    )


def waiting(what: str) -> AbstractContextManager[object]:
    """Something that moves on a terminal while one waits, nothing in a pipe."""
    to = console(stderr=True)
    return to.status(what) if to.is_terminal else nullcontext()


class Progress:
    """A bar on a terminal, nothing in a pipe."""

    def __init__(self, total: int) -> None:
        to = console(stderr=True)
        share, what = TextColumn("{task.percentage:3.0f} %"), TextColumn("{task.description}")
        columns = (share, BarColumn(24), TimeElapsedColumn(), what)
        self.bar = rich.progress.Progress(*columns, console=to, transient=True, disable=not to.is_terminal)
        self.task = self.bar.add_task("starting the frameworks", total=total)

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, what: str) -> None:
        """One cell further; `what` is the next."""
        self.bar.update(self.task, advance=1, description=what)
