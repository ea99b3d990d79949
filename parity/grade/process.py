"""The process that runs a learner's file, as the one that started it sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parity.grade import wire
from parity.grade.guards import Limits
from parity.grade.record import Inventory, Played, Scene, Source, Trouble
from parity.switches import PRODUCTS

SAID = "said"
"""The file in the scratch folder that takes what is printed past Python."""

BOOT = """
import json, sys, types
sys.path[:] = json.loads(sys.argv[1])
for name, folder in json.loads(sys.argv[2]).items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
from parity.grade.stage import main
main()
"""
"""What the process begins with: the packages' own `__init__` are not run, which import more than it needs."""


PASSED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""Of this process's environment: what Python needs to start."""


class EndedError(Exception):
    """The process is no more; `trouble` says why, `at` what it was at."""

    def __init__(self, trouble: Trouble, at: int | None) -> None:
        super().__init__(trouble.what)
        self.trouble, self.at = trouble, at


class Process:
    """A process that has been started and told what to run.

    Parameters
    ----------
    skip : mapping
        As in `Stage.load`.
    scratch : str
        The folder that it may write to.
    """

    def __init__(self, source: Source, limits: Limits, skip: Mapping[int, Trouble], scratch: str) -> None:
        self.limits = limits
        self.printed = ""
        self._at: int | None = None
        self._late = False
        self._over = threading.Event()
        self._process = _started(scratch)
        self._wait(limits.start)
        threading.Thread(target=self._watch, daemon=True).start()
        setup = {"path": source.path, "text": source.text, "limits": asdict(limits), "quiet": PRODUCTS}
        folder = os.path.dirname(os.path.abspath(source.path))
        self._send(setup | {"skip": dict(skip), "folder": folder, "scratch": scratch})

    def inventory(self) -> Inventory:
        """What the file holds.

        Raises
        ------
        EndedError
            Here and in `play`: the process has ended.
        """
        found = self._answer("inventory")
        if not isinstance(found, Inventory):
            raise self._ended()
        self._wait(None)
        return found

    def play(self, scene: Scene) -> Iterator[Played | None]:
        """What becomes of each call; what was printed is in `printed` afterwards."""
        self._wait(self.limits.start)
        self._send(scene)
        for _ in scene.calls:
            played = self._answer("played")
            if not isinstance(played, Played | None):
                raise self._ended()
            self._wait(self.limits.start)
            yield played
        self.printed = str(self._answer("done"))
        self._wait(None)

    def kill(self) -> None:
        """End it, whatever it is at."""
        self._over.set()
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what had not been sent cannot be any more
                stream and stream.close()

    def _wait(self, seconds: float | None) -> None:
        """From now on, so long: then the process is killed. None: for ever, for it waits itself."""
        self._deadline = time.monotonic() + seconds + 2 * self.limits.grace if seconds is not None else None

    def _watch(self) -> None:
        while not self._over.wait(self.limits.grace / 4):
            if self._deadline is not None and time.monotonic() > self._deadline:
                self._late = True
                self._process.kill()
                return

    def _send(self, value: object) -> None:
        assert self._process.stdin
        try:
            wire.send(self._process.stdin, value)
        except OSError:
            raise self._ended() from None

    def _answer(self, expected: str) -> Any:
        """The next answer of this kind; until then it tells what it is at."""
        assert self._process.stdout
        while True:
            try:
                kind, *rest = wire.receive(self._process.stdout)
                if kind == "at":
                    self._at = int(rest[0])
                    self._wait(float(rest[1]))
                elif kind == "over" and isinstance(rest[0], Trouble):
                    raise EndedError(rest[0], self._at)
                elif kind == expected:
                    return rest[0]
                else:
                    raise self._ended()
            except (EOFError, OSError, ValueError, TypeError, IndexError, OverflowError):
                raise self._ended() from None

    def _ended(self) -> EndedError:
        """Why there is no answer."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self.limits.grace)
        if self._late:
            return EndedError(Trouble("time", "does not end, and had to be killed"), self._at)
        return EndedError(Trouble("died", f"the process that ran it ended: {_status(self._process.poll())}"), self._at)


def _status(code: int | None) -> str:
    """An exit status in words."""
    if code is None:
        return "what it sent made no sense"
    try:
        return signal.Signals(-code).name if code < 0 else f"status {code}"
    except ValueError:
        return f"signal {-code}"


def _started(scratch: str) -> subprocess.Popen[bytes]:
    """Python with these packages, in the scratch folder, with little of this process's environment."""
    paths = [os.path.abspath(path) for path in sys.path if path]
    folder = Path(__file__).parent
    packages = {"parity": str(folder.parent), "parity.grade": str(folder)}
    with open(Path(scratch, SAID), "wb") as said:
        return subprocess.Popen(
            [sys.executable, "-s", "-S", "-P", "-c", BOOT, json.dumps(paths), json.dumps(packages)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=scratch,
            env=_environment(scratch),
            start_new_session=True,  # Ctrl-C is for the one who asks
        )


def _environment(scratch: str) -> dict[str, str]:
    """One thread, 64 bits, no display, homes in the scratch folder; no secrets."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    homes = ("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    fixed = {"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0"}
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    return passed | dict.fromkeys(threads, "1") | dict.fromkeys(homes, scratch) | fixed | {"PYTHONUTF8": "1"}
