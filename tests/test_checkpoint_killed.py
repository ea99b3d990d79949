"""Checkpoints: killed at any moment, the last one loads; nobody sees a save that is not finished."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from parity.files import write_whole
from parity.training import checkpoint
from tests.checkpoints import kept
from tests.saving import DESCENT, content, so_far

ROOT = Path(__file__).parent.parent
KILLS = 20


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return kept(tmp_path / "run")


def printed(*arguments: object) -> list[object]:
    """What `tests.saving` prints, in a process of its own."""
    command = [sys.executable, "-m", "tests.saving", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
def test_killed_at_random_moments(tmp_path: Path) -> None:
    """The last complete checkpoint loads, or the one that was being committed; nothing that is half of each."""
    folder = tmp_path / "run"
    found = printed("kills", folder, KILLS)
    assert len(found) == KILLS
    for finished, loaded, _ in found:
        assert loaded in (finished, finished + 1) or (not finished and "holds no checkpoint" in loaded)
    assert any(finished for finished, _, _ in found)
    assert any(files > 2 for _, _, files in found), "no kill came in the midst of a save"
    checkpoint.save(folder, DESCENT, so_far(1000))
    assert len(content(folder)) == 2


def after_every_moment(folder: Path, before: int = 4, fault: str = "none") -> list[object]:
    """What loads after a save of step 5 was killed before its first dealing with files, its second, …"""
    return printed("moments", folder, before, fault)


@needs_fork
@pytest.mark.parametrize("before", [4, 0])
def test_killed_before_every_dealing_with_files(tmp_path: Path, before: int) -> None:
    found = ["none" if "holds no checkpoint" in str(what) else what for what in after_every_moment(tmp_path, before)]
    commit = found.index(5)
    assert commit > 10
    assert found == [before or "none"] * commit + [5] * (len(found) - commit)


@needs_fork
@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("in place", "is damaged"),
        ("committed first", "it is not there"),
        ("removed first", "it is not there"),
        ("never removed", "leftovers"),
    ],
)
def test_a_save_in_the_wrong_order_is_caught(tmp_path: Path, fault: str, line: str) -> None:
    assert any(line in str(what) for what in after_every_moment(tmp_path, fault=fault))


def test_on_the_disk_before_it_is_renamed(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes a commit outlast the power: file, name, folder; first the arrays, then what names them."""
    done: list[str] = []
    fsync, rename = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renamed(old: Path, new: Path) -> None:
        done.append(Path(new).suffix)
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    checkpoint.save(saved, DESCENT, so_far(7))
    assert done == ["file", ".npz", "folder", "file", ".json", "folder"]


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")
@pytest.mark.parametrize("other", [checkpoint.load, lambda *of: checkpoint.save(*of, so_far(8))])
def test_nobody_loads_or_saves_in_the_midst_of_a_save(
    saved: Path, monkeypatch: pytest.MonkeyPatch, other: Callable[..., object]
) -> None:
    """Otherwise the arrays of one would be removed by the other."""
    waited = []
    meanwhile = threading.Thread(target=other, args=(saved, DESCENT))

    def write(target: Path, content: str | bytes) -> None:
        if not waited:
            meanwhile.start()
            meanwhile.join(0.1)
            waited.append(meanwhile.is_alive())
        write_whole(target, content)

    monkeypatch.setattr(checkpoint, "write_whole", write)
    checkpoint.save(saved, DESCENT, so_far(7))
    meanwhile.join()
    assert waited == [True]
    assert checkpoint.load(saved, DESCENT)["reference"].steps in (7, 8)
