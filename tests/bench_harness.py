"""The benchmark's clock beside another one: `torch.utils.benchmark` on the very same calls.

    python -m tests.bench_harness

Both take blocks of as many calls, in turns, in one process on one core; the figure is the ratio of the least times.
Exit status: 0 they agree within 5 % on every row, 1 they do not.
"""

# ruff: noqa: E402 (the switches are read when the frameworks are imported)

from __future__ import annotations

import os
import sys

from parity.switches import set_switches

set_switches()
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

from torch.utils.benchmark import Timer

from parity.bench import worker
from parity.bench.cases import CASES
from parity.bench.results import Key
from parity.bench.run import SEED
from parity.bench.units import seconds
from parity.cli import DIFFERS, OK

WITHIN = 0.05
ROUNDS = 25
ROWS = (
    Key("shallow-2-4-1-m400", "step", "float32", "cpu", 1, "reference-tuned"),
    Key("shallow-2-4-1-m400", "train", "float32", "cpu", 1, "jax-jit"),
    Key("logistic-784-1-m60000", "step", "float32", "cpu", 1, "torch-eager"),
    Key("deep-784-256-64-1-m10000", "step", "float32", "cpu", 1, "reference"),
)


def least(key: Key) -> tuple[float, float]:
    """Seconds of a call by either clock, the least of all rounds."""
    worker.inspect(key.implementation)
    worker.begin(CASES[key.case], SEED)
    ready = worker.prepare(key, CASES[key.case].steps if key.work == "train" else 1)
    assert not isinstance(ready, str), ready
    calls, _ = worker.calls_in_a_block(key)
    timer = Timer("run()", globals={"run": worker._ROOM.calls[key].run}, num_threads=1)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(worker.block(key, calls))
        theirs.append(timer.timeit(calls).mean)
    return min(ours), min(theirs)


def main() -> int:
    """Print every row; the exit status."""
    print(worker.settle(1))
    apart = False
    for key in ROWS:
        ours, theirs = least(key)
        off = abs(ours / theirs - 1) > WITHIN
        apart |= off
        figures = f"{seconds(ours):>8}  {seconds(theirs):>8}  ratio {ours / theirs:.4f}"
        print(f"{key!s:<62} {figures}{'  apart' if off else ''}", flush=True)
    worker.end()
    return DIFFERS if apart else OK


if __name__ == "__main__":
    sys.exit(main())
