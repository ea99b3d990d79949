"""Saves that are killed, or find no room: `python -m tests.saving kills FOLDER 20`, and what loads afterwards.

A program of its own, with neither pytest nor a framework in it, for it forks; the children die of SIGKILL.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from parity.errors import BadInput
from parity.files import write_whole
from parity.formats import FORMATS
from parity.problems import Problem
from parity.problems.parameters import draw
from parity.training import Descent, Reached, checkpoint

_rng = np.random.RandomState(0)
PROBLEM = Problem(
    "drawn", "shallow_network", "real", _rng.standard_normal((2, 30)), np.resize([0.0, 1.0], (1, 30)),
    draw("shallow_network", (2, 4, 1), 0), ("tanh", "sigmoid"), 1.2,
)  # fmt: skip
DESCENT = Descent(PROBLEM, 60)

DEALINGS = ("open", "os.", "tempfile.", "fcntl.")
"""How the audit events begin that have to do with files."""


def so_far(k: int, descent: Descent = DESCENT) -> dict[str, Reached]:
    """Something that grows with k: two implementations that have got to different steps."""
    of = FORMATS[descent.dtype].dtype
    params = {name: (p + k).astype(of) for name, p in descent.start.items()}
    return {
        "reference": Reached(params, (np.arange(k) / 8).astype(of)),
        "torch-eager": Reached(descent.start, (np.arange(k // 2) / 4).astype(of)),
    }


def same(left: dict[str, Reached], right: dict[str, Reached]) -> bool:
    """Whether every bit is the same, and the order of the names."""
    return [(name, bits(r)) for name, r in left.items()] == [(name, bits(r)) for name, r in right.items()]


def bits(reached: Reached) -> list[tuple[object, ...]]:
    arrays = {**reached.params, "costs": reached.costs}
    return [(name, array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kills(folder: Path, times: str) -> None:
    """Save one step after the other until killed, so many times, each after the time of none to four saves.

    Prints for each the last save that was finished, what then loads, and the number of files that are left.
    """
    moment, longest, found = random.Random(4), 4 * _seconds_of_a_save(folder.with_name("timed")), []
    loaded: object = 0
    checkpoint.writable_folder(folder)
    for _ in range(int(times)):
        before = loaded if isinstance(loaded, int) else 0
        finished = _saved_until_killed(folder, before, moment.uniform(0, longest))
        longest *= 1 if finished > before else 2  # the machine has more to do now than when it was timed
        loaded = _loaded(checkpoint.writable_folder(folder, DESCENT))
        found.append((finished, loaded, len(content(folder))))
    print(json.dumps(found))


def _seconds_of_a_save(folder: Path) -> float:
    checkpoint.writable_folder(folder)
    start = time.perf_counter()
    for k in range(5):
        checkpoint.save(folder, DESCENT, so_far(k))
    return (time.perf_counter() - start) / 5


def _saved_until_killed(folder: Path, k: int, seconds: float) -> int:
    """Fork, save k + 1, k + 2, … and die; the last save that was finished, or k."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        while True:
            os.write(into, b"%d\n" % k)
            k += 1
            checkpoint.save(folder, DESCENT, so_far(k))
    os.close(into)
    with open(out, "rb") as told:
        lines = [told.readline()]
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            sys.exit("the child had ended before it was killed")
        return int([*lines, *told][-1])


def moments(top: Path, before: str, fault: str) -> None:
    """Print what loads after a save was killed before its first dealing with files, its second, …, and not at all.

    Parameters
    ----------
    before : str
        The step of the checkpoint that the save, of step 5, replaces; 0: there is none.
    """
    os.fsync = lambda descriptor: None  # type: ignore[assignment]  # a kill is no loss of power
    FAULTS[fault]()
    found: list[object] = []
    at, alive = 0, True
    while alive:
        at += 1
        folder = checkpoint.writable_folder(top / str(at))
        if int(before):
            checkpoint.save(folder, DESCENT, so_far(int(before)))
        alive = _killed_in_a_save(folder, at)
        found.append(_loaded(folder))
        try:
            checkpoint.save(checkpoint.writable_folder(folder, DESCENT), DESCENT, so_far(6))
            if len(content(folder)) != 2 or _loaded(folder) != 6:
                found.append("leftovers")
        except BadInput as error:
            found.append(str(error))
    print(json.dumps(found))


def _killed_in_a_save(folder: Path, at: int) -> bool:
    """Fork, save step 5 and die before dealing number `at`; False: there are not so many."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = at

    def dealing(event: str, _: object) -> None:
        nonlocal left
        left -= event.startswith(DEALINGS)
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = lambda descriptor: dealing("os.fsync", None)
    sys.addaudithook(dealing)
    checkpoint.save(folder, DESCENT, so_far(5))
    os._exit(0)


def _loaded(folder: Path) -> object:
    """The step of the checkpoint if it is whole, or why it does not load."""
    try:
        found = checkpoint.load(folder, DESCENT)
    except BadInput as error:
        return str(error)
    k = found["reference"].steps
    return k if same(found, so_far(k)) else "something else"


def full(folder: Path) -> None:
    """Print what becomes of saves on a small disk with room for no page more, for one, for two, …"""
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
        print("null")
        return
    checkpoint.save(folder, DESCENT, so_far(6))
    k, told = 6, []
    for pages in range(4):
        (folder / "filler").write_bytes(b"")
        room = os.statvfs(folder)
        (folder / "filler").write_bytes(bytes((room.f_bavail - pages) * room.f_frsize))
        before = content(folder)
        try:
            checkpoint.save(folder, DESCENT, so_far(k + 1))
            k += 1
            told.append("saved")
        except BadInput as error:
            told.append(Path(str(error).partition(" could not")[0]).suffix + str(error).rpartition(":")[2])
            if content(folder) != before:
                told.append("changed")
        if _loaded(folder) != k:
            told.append("lost")
    print(json.dumps(told))


def _in_place() -> None:
    """The fault of writing over what is there."""

    def write(target: Path, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        with open(target, "wb") as file:
            file.write(data[:9])
            file.flush()
            os.fsync(file.fileno())
            file.write(data[9:])

    checkpoint.write_whole = write


def _committed_first() -> None:
    """The fault of writing `descent.json` before the arrays that it names."""
    arrays: list[tuple[Path, str | bytes]] = []

    def write(target: Path, content: str | bytes) -> None:
        if target.suffix == ".npz":
            arrays.append((target, content))
        else:
            write_whole(target, content)
            write_whole(*arrays.pop())

    checkpoint.write_whole = write


def _removed_first() -> None:
    """The fault of removing the old arrays before the new ones are committed."""

    def write(target: Path, content: str | bytes) -> None:
        for path in target.parent.glob("*.npz") if target.suffix == ".npz" else ():
            path.unlink()
        write_whole(target, content)

    checkpoint.write_whole = write


def _never_removed() -> None:
    """The fault of leaving everything where it is."""
    checkpoint._remove_all_but = lambda folder, arrays: None


FAULTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "in place": _in_place,
    "committed first": _committed_first,
    "removed first": _removed_first,
    "never removed": _never_removed,
}

if __name__ == "__main__":
    {"kills": kills, "moments": moments, "full": full}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
