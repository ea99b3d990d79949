"""A process for each framework, for the pages that ask it something: each is imported once for all of them.

It begins when something is asked of it for the first time, and ends with the process that asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from multiprocessing.util import Finalize
from typing import ParamSpec, TypeVar

from parity.processes import Pool

P = ParamSpec("P")
T = TypeVar("T")

FIRST = 100
"""Of what is done at the end of a process; queues are closed at 10."""


def ask(framework: str, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
    """A call of no arguments that waits for the answer; NumPy answers here, when that is called.

    Raises
    ------
    BrokenProcessPool
        From the call: the framework's process died.
    """
    if framework == "numpy":
        return partial(question, *args, **kwargs)
    return room(framework).submit(question, *args, **kwargs).result


@cache
def room(framework: str) -> Pool:
    """The process of a framework.

    At the end of a process that was itself started by another, multiprocessing closes the queues first, and then waits
    for processes that would be told to end through them: this pool is ended before.
    """
    pool = Pool(1)
    Finalize(pool, pool.shutdown, exitpriority=FIRST)
    return pool
