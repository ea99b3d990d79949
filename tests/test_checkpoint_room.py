"""Checkpoints: a full disk, a permission that is missing or an interrupt leave the one before as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from parity.files import writable, write_whole
from parity.training import checkpoint
from tests.checkpoints import arrays_of, kept
from tests.saving import DESCENT, content, same, so_far
from tests.shared import refused

ROOT = Path(__file__).parent.parent


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return kept(tmp_path / "run")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk does: the system refuses to write on."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100, 4096])
def test_no_room_for_the_arrays(saved: Path, size: int) -> None:
    before = content(saved)
    with files_of_at_most(size):
        line = refused(checkpoint.save, saved, DESCENT, so_far(2000))
    assert line.endswith(".npz could not be written: File too large")
    assert content(saved) == before
    assert same(checkpoint.load(saved, DESCENT), so_far(6))


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_no_room_at_any_time(saved: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """File and folder of the arrays, file and folder of the JSON: the last is after the commit.

    As many steps are saved as were there: only the content tells the arrays apart.
    """
    calls, synced = [0], os.fsync

    def full(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] == at:
            raise OSError(28, "No space left on device")
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    other = {name: replace(r, params=so_far(7)["reference"].params) for name, r in so_far(6).items()}
    assert "could not be written: No space left on device" in refused(checkpoint.save, saved, DESCENT, other)
    committed = at == 4
    assert same(checkpoint.load(saved, DESCENT), other if committed else so_far(6))
    assert len(content(saved)) == (3 if committed else 2), "the arrays before stay until the commit is on the disk"


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """On one with room for no page more, for one, for two, …: arrays and JSON need one each."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare here: nothing can be mounted for this test alone")
    command = [unshare, "--mount", "--map-root-user", sys.executable, "-m", "tests.saving", "full", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.stderr.startswith("unshare:") or done.stdout == "null\n":
        pytest.skip("this user may not mount a small disk")
    assert done.returncode == 0, done.stderr
    full = " No space left on device"
    assert json.loads(done.stdout) == [f".npz{full}", f".json{full}", "saved", "saved"]


def test_an_interrupt_leaves_nothing_behind(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    before = content(saved)
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(saved, DESCENT, so_far(7))
    assert content(saved) == before
    with pytest.raises(KeyboardInterrupt):
        write_whole(saved / "file", "text")
    assert content(saved) == before


@contextmanager
def a_user_who_may_not() -> Iterator[Path]:
    """A folder of an ordinary user's, and for root to be one meanwhile: nothing is denied to root."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        root = hasattr(os, "setresuid") and os.geteuid() == 0
        if root:
            os.chown(name, 65534, -1)
            os.setresuid(65534, 65534, 0)
        try:
            yield Path(name)
        finally:
            if root:
                os.setresuid(0, 0, 0)
            for path in Path(name).rglob("*"):
                path.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_permission_denied() -> None:
    with a_user_who_may_not() as top:
        folder = checkpoint.writable_folder(top / "run")
        checkpoint.save(folder, DESCENT, so_far(6))
        before = content(folder)
        folder.chmod(0o555)
        assert refused(checkpoint.writable_folder, folder).endswith(
            "run cannot be used: Permission denied; name another folder"
        )
        assert refused(writable, folder / "new.json").endswith("Permission denied; name another file")
        assert refused(checkpoint.writable_folder, folder / "in").endswith(
            "in cannot be used: Permission denied; name another folder"
        )
        assert "could not be written: Permission denied" in refused(checkpoint.save, folder, DESCENT, so_far(7))
        assert same(checkpoint.load(folder, DESCENT), so_far(6))
        assert content(folder) == before
        for path in (arrays_of(folder), folder / checkpoint.MANIFEST):
            path.chmod(0)
            assert refused(writable, path) == f"{path} cannot be written: Permission denied; name another file"
            assert refused(checkpoint.load, folder, DESCENT) == f"{path} cannot be read: Permission denied"
        folder.chmod(0)
        assert "cannot be read: Permission denied" in refused(checkpoint.load, folder, DESCENT)
        assert "cannot be used: Permission denied" in refused(checkpoint.writable_folder, folder)
