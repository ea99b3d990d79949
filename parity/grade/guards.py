"""What is put around a learner's code: limits of time, memory and output, a hook that refuses to write elsewhere.

It contains accidents. It is no sandbox: who means harm finds a way around what runs in one process.
"""

from __future__ import annotations

import builtins
import io
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Self, TypeVar

import numpy as np

if sys.platform != "win32":
    import resource

T = TypeVar("T")

KEPT = 2000
"""Characters of what is printed."""

LARGEST_FILE = 1 << 26
"""In bytes, of a file in the scratch folder."""

AGAIN = 4
"""So often is the exception raised again in code that catches it, before the process ends itself."""


@dataclass(frozen=True)
class Limits:
    """What a learner's file may take.

    Attributes
    ----------
    top : float
        Seconds for all statements at the top of the file together. One that comes later still has a tenth of that;
        once the whole has been taken twice, only definitions and imports are run.
    call : float
        Seconds for a call.
    whole : float
        Seconds for all scenes together; those that are left then are not called.
    start : float
        Seconds for the process and the imports of frameworks, before anything of the file is run.
    grace : float
        Seconds that code has to end, once it has been told to, before its process is killed.
    memory : int
        Bytes beyond what the process takes at its start. (Linux.)
    output : int
        Characters that a statement or a call may print.
    """

    top: float = 10.0
    call: float = 5.0
    whole: float = 60.0
    start: float = 60.0
    grace: float = 1.0
    memory: int = 2 << 30
    output: int = 1 << 20


class OutOfTimeError(BaseException):
    """Raised in code that takes too long."""


class TooMuchOutputError(BaseException):
    """Raised where too much is printed."""


class NoInputError(EOFError):
    """Raised where input is asked for."""


class ForbiddenError(PermissionError):
    """Raised where something outside of the scratch folder is to be changed."""


class Printed(io.TextIOBase):
    """Takes what is printed, keeps the beginning, and counts."""

    encoding = "utf-8"

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept = ""
        self.count = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Count it; the limit is one of characters."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.count += len(text)
        if len(self.kept) < KEPT:
            self.kept += text[: KEPT - len(self.kept)]
        if self.count > self.most:
            raise TooMuchOutputError
        return len(text)

    def reconfigure(self, **options: object) -> None:
        """Nothing to do: it takes all text."""

    @property
    def buffer(self) -> io.BufferedIOBase:
        """Takes bytes."""
        return _Bytes(self)


class _Bytes(io.BufferedIOBase):
    """The bytes of what is printed."""

    def __init__(self, printed: Printed) -> None:
        self.printed = printed

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.printed.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


class NoInput(io.TextIOBase):
    """Standard input that says that there is none."""

    def readline(self, size: int | None = -1, /) -> Any:
        """Refuse."""
        raise NoInputError("there is nobody to answer")

    read = readline


class Alarm:
    """Raises `OutOfTimeError` in code that takes too long, and goes on doing so.

    Parameters
    ----------
    grace : float
        In seconds: code that catches the exception for so long ends the process.
    last_words : callable
        Told where, before that.
    """

    def __init__(self, grace: float, last_words: Callable[[FrameType | None], None]) -> None:
        self.grace, self.last_words = grace, last_words
        self.armed = False
        self.rung = 0

    def within(self, seconds: float, function: Callable[[], T]) -> T:
        """Call the function; where a system has no such timer, without an end."""
        if not hasattr(signal, "setitimer"):
            return function()
        signal.signal(signal.SIGALRM, self.ring)  # the learner's may be there
        try:
            self.armed, self.rung = True, 0
            signal.setitimer(signal.ITIMER_REAL, seconds, self.grace / AGAIN)
            return function()
        finally:
            self.armed = False  # first, so that nothing is raised from here on
            signal.setitimer(signal.ITIMER_REAL, 0)

    def ring(self, number: int, frame: FrameType | None) -> None:
        """Raise, or end the process."""
        if not self.armed:
            return
        self.rung += 1
        if self.rung > AGAIN:
            self.last_words(frame)
            EXIT(1)
        raise OutOfTimeError


EXIT = os._exit


def _exit(status: int = 0) -> None:
    """In place of `os._exit`: what has been computed is still told."""
    raise SystemExit(status)


class Surroundings:
    """Streams, built-in functions and the rest are the learner's inside, and as before afterwards.

    Random numbers begin anew inside.

    Parameters
    ----------
    printed : Printed
        Takes the output.
    home : str
        The current folder at the end; empty: the one that it was.
    """

    def __init__(self, printed: Printed, home: str) -> None:
        self.streams = NoInput(), printed, printed
        self.home = home or os.getcwd()

    def __enter__(self) -> Self:
        self.before = sys.stdin, sys.stdout, sys.stderr
        self.written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        self.path, self.depth, self.trace = list(sys.path), sys.getrecursionlimit(), sys.gettrace()
        self.builtins = dict(vars(builtins))
        self.errors = np.errstate(all="warn")
        self.errors.__enter__()
        random.seed(0)
        np.random.seed(0)
        self.settle()
        return self

    def settle(self) -> None:
        """Whatever the learner's code has changed of it, is as it was at the beginning."""
        vars(builtins).update(self.builtins)
        sys.settrace(self.trace)
        sys.setrecursionlimit(self.depth)
        sys.stdin, sys.stdout, sys.stderr = self.streams
        os._exit = _exit  # type: ignore[assignment]

    def __exit__(self, *error: object) -> None:
        self.settle()
        os._exit = EXIT
        sys.stdin, sys.stdout, sys.stderr = self.before
        sys.path[:] = self.path
        sys.dont_write_bytecode = self.written
        self.errors.__exit__(None, None, None)
        with suppress(OSError):  # the folder is gone
            os.chdir(self.home)


@contextmanager
def randomness_kept() -> Iterator[None]:
    """The random numbers after the block are those that would have come without it."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextmanager
def warned(quiet: str) -> Iterator[list[warnings.WarningMessage]]:
    """All that is warned of inside, but for what the pattern says means nothing."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn"):
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", quiet, RuntimeWarning)
        yield caught


# The process


def limit(memory: int) -> None:
    """So many bytes more than now may be taken, files have a largest size, and no core is dumped.

    Without /proc (macOS, Windows) memory has no limit.
    """
    if sys.platform == "win32":
        return
    sizes = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: LARGEST_FILE}
    with suppress(OSError), open("/proc/self/statm", encoding="ascii") as file:
        sizes[resource.RLIMIT_AS] = int(file.read().split()[0]) * resource.getpagesize() + memory
    for what, size in sizes.items():
        with suppress(ValueError, OSError):  # a lower limit is there already
            resource.setrlimit(what, (size, size))


CHANGES = {
    **dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.utime"), ((0, -1),)),
    **dict.fromkeys(("os.rename", "os.link"), ((0, 2), (1, 3))),
    "os.symlink": ((1, 2),),
    "shutil.rmtree": ((0, 1),),
    **dict.fromkeys(("os.truncate", "os.setxattr", "os.removexattr", "os.chflags", "sqlite3.connect"), ((0, None),)),
}
"""Events that change what a path names: which arguments are paths, and which is the folder that each starts from."""

REFUSED = frozenset(
    f"{module}.{name}"
    for module, names in {
        "os": "system exec fork forkpty posix_spawn spawn startfile kill killpg",
        "socket": "connect bind sendto sendmsg getaddrinfo gethostbyname",
        "subprocess": "Popen",
        "pty": "spawn",
        "webbrowser": "open",
    }.items()
    for name in names.split()
)
"""Events that have no place in a file of formulas."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def forbid(scratch: str) -> None:
    """From now on nothing outside of the folder is written, removed or renamed, and no process is started.

    Such a hook cannot be taken away.
    """
    root = os.path.realpath(scratch)
    realpath, inside = os.path.realpath, (root, os.devnull)

    def is_inside(path: Any, folder: Any = -1) -> bool:
        if isinstance(path, int):  # an open file
            return False
        start = "" if folder in (-1, None) else os.readlink(f"/proc/self/fd/{folder}")
        whole = realpath(os.path.join(start, os.fsdecode(path)))
        return whole in inside or whole.startswith(root + os.sep)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = flags & WRITING if isinstance(flags, int) else set(mode or "") & set("wax+")
            if writes and not isinstance(path, int) and not is_inside(path):
                raise ForbiddenError(f"{path} is not to be written")
        elif event in CHANGES:
            for place, folder in CHANGES[event]:
                if not is_inside(arguments[place], -1 if folder is None else arguments[folder]):
                    raise ForbiddenError(f"{event}: {arguments[place]} is not to be changed")
        elif event in REFUSED:
            raise ForbiddenError(f"{event} is not allowed")

    sys.addaudithook(hook)
