"""A process that times: its switches, its clock, and the calls that are ready in it.

The functions here run in a process of `parity.processes`, one call of them at a time, and keep what is prepared in
between. Nothing is timed here that was not asked for by `block`: who asks judges first.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import import_module
from itertools import repeat
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from parity.bench import floor, machine
from parity.bench.cases import Case
from parity.bench.contrasts import subject
from parity.bench.problems import problem, twin
from parity.bench.results import Key
from parity.errors import FOREIGN, one_line
from parity.implementations import Call, Quantities
from parity.problems import Problem
from parity.run import Place

SHARE_OF_CLOCK = 1e-4
"""The most that reading the clock may take of a block."""

LEAST_BLOCK = 0.04
"""Seconds: an interruption of the usual kind, tens of microseconds, is then below a thousandth."""

LONG_CALL = 2 * LEAST_BLOCK
"""Seconds: a call that takes so long may be a block, for what it reads that a large cache could hold takes 3 ms."""

SENTINEL = 96
"""Rows of the square matrices whose product is always the same work: it fits a second-level cache."""


@dataclass(frozen=True)
class Ready:
    """What came of preparing a row: what it computed, to be judged, and what preparing took.

    Attributes
    ----------
    found, of_twin : dict
        Its outputs on the problem that is timed, and on the exact one of the same shape.
    first, transfer : float
        Seconds of the first call, and of moving the inputs.
    """

    found: Quantities
    of_twin: Quantities
    first: float
    transfer: float


@dataclass
class _Room:
    """What this process holds."""

    case: Case | None = None
    seed: int = 0
    problems: dict[str, Problem] = field(default_factory=dict)
    calls: dict[Key, Call] = field(default_factory=dict)
    judged: dict[Key, str] = field(default_factory=dict)
    switches: ExitStack = field(default_factory=ExitStack)
    switched: set[str] = field(default_factory=set)


_ROOM = _Room()


@contextmanager
def environment(threads: int, **more: str) -> Iterator[None]:
    """The variables that a process born inside the block has when it imports its first library."""
    libraries = ("OMP", "OPENBLAS", "MKL")
    wanted = {f"{library}_NUM_THREADS": str(threads) for library in libraries}
    wanted |= {"VECLIB_MAXIMUM_THREADS": str(threads), "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        wanted["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    else:
        wanted |= {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"}  # threads that wait leave the cores to others
    wanted |= more
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def settle(threads: int) -> str:
    """Stay on as many cores as there are to be threads, the last that this process may use.

    The first gets most interrupts. XLA has a thread for every core that it may use, whatever the variables say.

    Returns
    -------
    str
        What was done.
    """
    gc.disable()
    if not hasattr(os, "sched_setaffinity"):
        return "any core"
    usable = sorted(os.sched_getaffinity(0))
    if 1 < threads >= len(usable):
        return "any core"
    os.sched_setaffinity(0, usable[-threads:])
    return "core" + "s" * (threads > 1) + " " + ", ".join(map(str, usable[-threads:]))


def inspect(name: str) -> Place:
    """What an implementation says of this machine; its framework is imported, and its switches are set for good."""
    try:
        implementation = subject(name)
        missing = implementation.unavailable()
        if missing:
            return Place(missing, {})
        _switch(name)
        return Place(None, dict(implementation.devices()))
    except FOREIGN as error:
        return Place(one_line(error), {})


def _switch(name: str) -> None:
    implementation = subject(name)
    framework, switches = implementation.framework, getattr(implementation, "switches", None)
    if switches is not None and framework not in _ROOM.switched:
        _ROOM.switched.add(framework)
        _ROOM.switches.enter_context(switches())


def begin(case: Case, seed: int) -> str:
    """Leave the last group; the problem of the next.

    Returns
    -------
    str
        Its fingerprint: every process must have the same.
    """
    end()
    if _ROOM.case != case or _ROOM.seed != seed:
        _ROOM.case, _ROOM.seed = case, seed
        _ROOM.problems = {"": problem(case, seed)}
    return _ROOM.problems[""].fingerprint


def end() -> None:
    """Forget what is prepared, and what was compiled for it."""
    _ROOM.calls.clear()
    _ROOM.judged.clear()
    for framework in _ROOM.switched & {"torch"}:
        import_module(framework).compiler.reset()
    gc.collect()


def prepare(key: Key, steps: int) -> Ready | str:
    """Make a row ready to be timed, and call it once on either problem; or the line in which it failed."""
    try:
        return _prepared(key, steps)
    except FOREIGN as error:
        return one_line(error)


def _prepared(key: Key, steps: int) -> Ready:
    timed, exact = _ROOM.problems[""], _twin(key.dtype)
    if key.work == "train":  # a single step is what can be judged
        of_one = _call(key, timed, 1)
        found = _brought_home(of_one, of_one.run())
    start = perf_counter()
    call = _call(key, timed, steps)
    moved = perf_counter()
    outputs = call.run()
    done = perf_counter()
    if key.work != "train":
        found = _brought_home(call, outputs)
    of_twin = _call(key, exact, 1)
    ready = Ready(found, _brought_home(of_twin, of_twin.run()), done - moved, moved - start)
    _ROOM.calls[key], _ROOM.judged[key] = call, _digest(found)
    return ready


def _brought_home(call: Call, outputs: Any) -> Quantities:
    """The outputs under the notes' names, once it is sure that they are such: who judges looks at nothing else."""
    found: Any = call.home(outputs)
    if not isinstance(found, dict):
        raise TypeError(f"home returned a {type(found).__name__}, not a dict of arrays")
    for name, value in found.items():
        if not isinstance(value, np.ndarray | np.generic) or np.ma.is_masked(value):
            raise TypeError(f"home returned a {type(value).__name__} as {name}, not an array")
    return {str(name): np.asarray(value) for name, value in found.items()}


def _call(key: Key, inputs: Problem, steps: int) -> Call:
    return subject(key.implementation).prepare(key.work, inputs, key.dtype, key.device, steps)


def _twin(dtype: str) -> Problem:
    assert _ROOM.case is not None
    if dtype not in _ROOM.problems:
        _ROOM.problems = {"": _ROOM.problems[""], dtype: twin(_ROOM.case, dtype)}
    return _ROOM.problems[dtype]


def last_step(key: Key, steps: int) -> tuple[Quantities, Quantities]:
    """What training that is ready comes to, and what it comes to with one step less."""
    call, before = _ROOM.calls[key], _call(key, _ROOM.problems[""], steps - 1)
    found = _brought_home(call, call.run())
    _ROOM.judged[key] = _digest(found)
    return _brought_home(before, before.run()), found


def changed(key: Key) -> Quantities | None:
    """What a row computes now, if it is not, bit for bit, what it computed when it was judged."""
    call = _ROOM.calls[key]
    found = _brought_home(call, call.run())
    return None if _digest(found) == _ROOM.judged[key] else found


def _digest(found: Quantities) -> str:
    digest = sha256()
    for name, value in found.items():
        digest.update(f"{name} {value.dtype} {value.shape}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def prepare_floor(key: Key) -> str | None:
    """The matrix products alone, ready to be timed; or why not."""
    assert _ROOM.case is not None
    if reason := floor.why_no_floor(key.implementation, key.device):
        return reason
    run = floor.floor(key.implementation, _ROOM.case, key.work, key.dtype, key.device)
    run()
    _ROOM.calls[key] = Call(run, lambda found: {})
    return None


def calls_in_a_block(key: Key) -> tuple[int, float]:
    """So many calls that the clock takes no more than its share, and how long they took."""
    n, least = 1, max(LEAST_BLOCK, clock() / SHARE_OF_CLOCK)
    while True:
        seconds = n * block(key, n)
        if seconds >= (least if n > 1 else max(least, LONG_CALL)):
            return n, seconds
        n = max(n + 1, int(1.2 * n * least / max(seconds, clock())))


def block(key: Key, calls: int) -> float:
    """Seconds of one call, taken over a block of them.

    A call before it finds what others have left in the caches, and is not timed; where a block is a single call, that
    would double what a round takes to save a fiftieth of it.
    """
    run = _ROOM.calls[key].run
    if calls > 1:
        run()
    return _timed(run, calls)


def _timed(run: Callable[[], object], calls: int) -> float:
    start = perf_counter()
    for _ in repeat(None, calls):
        run()
    return (perf_counter() - start) / calls


@cache
def clock() -> float:
    """Seconds that one reading of the clock takes."""
    return min(_timed(perf_counter, 1000) for _ in range(5))


def sentinel() -> tuple[float, float]:
    """Seconds of work that never changes, and the share of them that this process had."""
    wall, cpu = perf_counter(), process_time()
    seconds = _timed(_sentinel(), 50)
    return seconds, (process_time() - cpu) / (perf_counter() - wall)


@cache
def _sentinel() -> Callable[[], object]:
    """NumPy's own loops: a BLAS with several threads takes as long as they wait for each other, now more, now less."""
    a, into = np.ones((SENTINEL, SENTINEL)), np.empty((SENTINEL, SENTINEL))
    return lambda: np.einsum("ij,jk->ik", a, a, out=into)


def peaks(name: str, dtype: str, device: str, rounds: int) -> list[tuple[str, float, str]]:
    """What the library of a floor does at most: ("flops" or "bytes", so many a second, the kernel)."""
    found = []
    for what, kernel, amount, run in floor.peaks(floor.FLOORS[name], dtype, device):
        run()
        found.append((what, amount / min(_timed(run, 1) for _ in range(rounds)), kernel))
    return found


def memory(key: Key) -> int | None:
    """Bytes that a call takes at its highest point, beyond what was held before it; None where nobody tells.

    Linux resets a process's highest resident size on demand; memory that the C library keeps is given back first.
    """
    run = _ROOM.calls[key].run
    if key.device == "cuda" and subject(key.implementation).framework == "torch":
        torch: Any = import_module("torch")
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return int(torch.cuda.max_memory_allocated() - before)
    if key.device != "cpu" or not Path("/proc/self/clear_refs").exists():
        return None
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        before = _status("VmRSS")
        run()
        return max(0, _status("VmHWM") - before)
    except (OSError, AttributeError):
        return None


def _status(name: str) -> int:
    found = re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return 1024 * int(found[1])


def cold(key: Key, case: Case, seed: int, steps: int) -> dict[str, float] | str:
    """In a process that did nothing yet: seconds of the import, and of the first call."""
    try:
        start = perf_counter()
        subject(key.implementation).unavailable()
        imported = perf_counter()
        _switch(key.implementation)
        call = _call(key, problem(case, seed), steps)
        ready = perf_counter()
        call.run()
        return {"import": imported - start, "first": perf_counter() - ready}
    except FOREIGN as error:
        return one_line(error)


def surroundings() -> dict[str, Any]:
    """What the libraries of this process are, and how they are switched."""
    return {"libraries": machine.libraries(), "flags": machine.flags(), "switches": _switches()}


def _switches() -> dict[str, Any]:
    """x64, and whether float32 products may be made in less."""
    found: dict[str, Any] = {}
    if "jax" in _ROOM.switched:
        config = import_module("jax").config
        found |= {"jax.x64": config.jax_enable_x64, "jax.matmul_precision": config.jax_default_matmul_precision}
    if "torch" in _ROOM.switched:
        torch: Any = import_module("torch")
        found |= {
            "torch.matmul_precision": torch.get_float32_matmul_precision(),
            "torch.tf32": bool(torch.backends.cuda.matmul.allow_tf32),
            "torch.threads": torch.get_num_threads(),
        }
    return found
