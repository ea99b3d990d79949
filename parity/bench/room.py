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

DIED = "its process died"


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
        self.deadly: set[str] = set()
        self.pinned = ""

    def __enter__(self) -> Room:
        with ExitStack() as unless_ready:
            unless_ready.push(self.__exit__)
            self._start()
            while not self._inspect():
                self.stack.close()
                self._start()
            unless_ready.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self.stack.__exit__(*error)

    def _start(self) -> None:
        self.pools = {}
        with worker.environment(self.threads):
            for name in self.names:
                if self.apart or not self.pools:
                    pool = self.stack.enter_context(self.pool(1))
                    self.pinned = pool.submit(worker.settle, self.threads).result()
                self.pools[name] = pool

    def _inspect(self) -> bool:
        """All but those that a process died of before; whether none has ended the process that it shares now."""
        for name in self.names:
            if name in FLOORS or name in self.deadly:
                continue
            try:
                self.places[name] = self.ask(name, worker.inspect, name)
            except Failed as fault:
                died = f"{subject(name).framework}'s process died as it was imported"
                self.places[name] = Place(died if fault.line == DIED else fault.line, {})
                if fault.line == DIED:
                    self.deadly.add(name)
                    if not self.apart:
                        return False
        return True

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
            raise Failed(name, DIED) from None
        except FOREIGN as error:
            raise Failed(name, one_line(error)) from error

    def of_all(self, names: Iterable[str], function: Callable[..., Any], *arguments: object) -> dict[str, Future[Any]]:
        """What it will return in every process of these names, by the first name of each."""
        first = {id(self.pools[name]): name for name in reversed([*names])}
        return {name: self.submit(name, function, *arguments) for name in first.values()}
