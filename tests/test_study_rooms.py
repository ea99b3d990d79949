"""Processes of frameworks: one each, which end with the process that asked, wherever that was started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from parity.processes import Pool
from parity.study.rooms import ask

LIMIT = 60
"""Seconds until a process that does not end is given up."""


def asked() -> tuple[int, int, int, int]:
    """This process, and which processes answered."""
    return os.getpid(), ask("numpy", os.getpid)(), ask("torch", os.getpid)(), ask("torch", os.getpid)()


def test_a_framework_answers_in_one_process_which_ends_with_who_asked() -> None:
    """In a process of its own, which would wait for ever if it did not end."""
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=LIMIT, check=True)
    here, numpy, torch, again = map(int, done.stdout.split())
    assert numpy == here
    assert torch == again != here
    assert not Path(f"/proc/{torch}").exists()


if __name__ == "__main__":
    with Pool(1) as pool:
        print(*pool.submit(asked).result())
