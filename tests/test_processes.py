"""Processes that work for this one end with it, also where it is killed."""

from __future__ import annotations

import subprocess
import sys
import time

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
