"""Where rows are timed: the processes of a device and a number of threads, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any

from parity.bench import worker
from parity.bench.contrasts import subject
from parity.bench.floor import FLOORS
from parity.errors import FOREIGN, one_line
from parity.processes import Pool
from parity.run import Place


class Failed(Exception):
    """What was asked of an implementation, or of a floor, could not be done.

    Parameters
    ----------
    name : str
        Of which.
    line : str
        Why.
    """

    def __init__(self, name: str, line: str) -> None:
        super().__init__(f"{name}: {line}")
        self.name, self.line = name, line


class Room:
    """One process for all where one thread is wanted on the cpu, or else one for each.

    Parameters
    ----------
    names : iterable of str
        Implementations and floors.
    pool : type
        What starts a process.
    """

    def __init__(self, names: Iterable[str], device: str, threads: int, pool: type[Pool] = Pool) -> None:
        self.device, self.threads, self.stack, self.pool = device, threads, ExitStack(), pool
        self.apart = threads > 1 or device != "cpu"
        self.pools: dict[str, Pool] = {}
        self.names = tuple(names)
        self.places: dict[str, Place] = {}
        self.pinned = ""

    def __enter__(self) -> Room:
        with worker.environment(self.threads):
            for name in self.names:
                if self.apart or not self.pools:
                    pool = self.stack.enter_context(self.pool(1))
                    self.pinned = pool.submit(worker.settle, self.threads).result()
                self.pools[name] = pool
        self.places = {name: self._inspected(name) for name in self.names if name not in FLOORS}
        return self

    def __exit__(self, *error: Any) -> None:
        self.stack.__exit__(*error)

    def submit(self, name: str, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """What a function will return in the process of `name`."""
        try:
            return self.pools[name].submit(function, *arguments)
        except BrokenProcessPool as error:
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed

    def ask(self, name: str, function: Callable[..., Any], *arguments: object) -> Any:
        """What it returns.

        Raises
        ------
        Failed
            It raised, or its process died.
        """
        return self.answer(name, self.submit(name, function, *arguments))

    @staticmethod
    def answer(name: str, future: Future[Any]) -> Any:
        """The same of what was submitted before."""
        try:
            return future.result()
        except BrokenProcessPool:
            raise Failed(name, "its process died") from None
        except FOREIGN as error:
            raise Failed(name, one_line(error)) from error

    def of_all(self, function: Callable[..., Any], *arguments: object) -> dict[str, Future[Any]]:
        """What it will return in every process, by the first name of each."""
        first = {id(pool): name for name, pool in reversed(self.pools.items())}
        return {name: self.submit(name, function, *arguments) for name in first.values()}

    def _inspected(self, name: str) -> Place:
        try:
            found: Place = self.ask(name, worker.inspect, name)
        except Failed:
            found = Place(f"{subject(name).framework}'s process died as it was imported", {})
        return found
