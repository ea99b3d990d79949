"""Processes that work for this one end with it, also where it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from parity.processes import Pool

WORK = """
import sys, time
from parity.processes import Pool

if __name__ == "__main__":
    pool = Pool(1, interruptible={interruptible})
    pool.submit(abs, -1).result()
    print("at work", flush=True)
    pool.submit(time.sleep, {busy}).result()
    time.sleep(600)
"""


@pytest.mark.parametrize("interruptible", [True, False])
@pytest.mark.parametrize("busy", [0, 600])
def test_a_worker_ends_when_its_parent_is_killed(tmp_path, busy: int, interruptible: bool) -> None:
    """A worker holds its parent's standard output, which ends when the last who holds it does."""
    (tmp_path / "work.py").write_text(WORK.format(busy=busy, interruptible=interruptible))
    with subprocess.Popen([sys.executable, tmp_path / "work.py"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.kill()
        assert process.communicate(timeout=30) == ("", None)


def test_a_block_that_an_exception_leaves_does_not_wait() -> None:
    """Nobody would wait for ten minutes here: the test would."""

    def interrupted() -> None:
        with Pool(1) as pool:
            pool.submit(abs, -1).result()
            pool.submit(time.sleep, 600)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_what_a_process_was_given_comes_first() -> None:
    with Pool(1, 2.0) as pool:
        assert pool.submit_given(pow, 3).result() == 8


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
@pytest.mark.parametrize(("interruptible", "left"), [(True, "gone"), (False, "at work")])
def test_ctrl_c_reaches_those_that_are_interruptible(tmp_path: Path, interruptible: bool, left: str) -> None:
    """Without a word from either, and the parent goes on."""
    (tmp_path / "work.py").write_text(INTERRUPTED.format(interruptible=interruptible))
    with subprocess.Popen(
        [sys.executable, tmp_path / "work.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=30) == (f"{left}\n", None)


INTERRUPTED = """
import signal, time
from concurrent.futures.process import BrokenProcessPool
from parity.processes import Pool

if __name__ == "__main__":
    pool = Pool(1, interruptible={interruptible})
    pool.submit(abs, -1).result()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("at work", flush=True)
    try:
        pool.submit(time.sleep, 3).result()
        print("at work", flush=True)
    except BrokenProcessPool:
        print("gone", flush=True)
    pool.shutdown()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells which signals a process blocks")
def test_processes_are_born_with_the_interrupt_blocked() -> None:
    """Also the first of a program: what starts before it must not unblock the signal."""
    program = (
        "import re, signal\nfrom pathlib import Path\nfrom parity.processes import Pool\n"
        "if __name__ == '__main__':\n"
        "    with Pool(1, interruptible=False) as pool:\n"
        "        text = pool.submit(Path.read_text, Path('/proc/self/status')).result()\n"
        "    mask = int(re.search(r'SigBlk:\\s*(\\w+)', text)[1], 16)\n"
        "    print(mask >> (signal.SIGINT - 1) & 1)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
