"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from parity.errors import BadInput

TRIAL = "parity"
"""In the name of a file that is made to see whether one can be."""


def folder(path: str | Path) -> Path:
    """The folder, made where there is none, once it is sure that files can be made in it.

    Raises
    ------
    BadInput
        It is no folder, it cannot be made, or nothing can be written there.
    """
    place = _named(path)
    try:
        if not place.parent.is_dir():
            raise BadInput(f"{place.parent} is no folder: make it first, or name another one")
        if not place.is_dir():
            place.mkdir()
        _try_out(place)
    except FileExistsError:
        raise BadInput(f"{place} is no folder: name one") from None
    except OSError as error:
        raise BadInput(f"{place} cannot be used: {_reason(error)}; name another folder") from error
    return place


@contextmanager
def none_left_empty(*paths: str | None) -> Iterator[None]:
    """A folder that is made inside the block and has nothing in it at the end is removed, however the block ends."""
    new = [Path(path) for path in paths if path and not os.path.lexists(path)]
    try:
        yield
    finally:
        for place in new:
            with suppress(OSError):  # it holds something, or was never made
                place.rmdir()


def writable(path: str | Path) -> Path:
    """Where the path leads, symbolic links followed, once it is sure that a file can be made there.

    Raises
    ------
    BadInput
        It is no regular file, or the one that the output goes to; its folder does not exist, or nothing can be
        written there.
    """
    try:
        target = _target(_named(path))
        if target.exists() and _is_output(target):
            raise BadInput(f"{path} is where the output goes: name another file")
        if not target.parent.is_dir():
            raise BadInput(f"{target.parent} is no folder: make it first, or name another file")
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "Permission denied")
        _try_out(target.parent)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {_reason(error)}; name another file") from error
    return target


def write_whole(target: Path, content: str | bytes) -> None:
    """Write beside the target, then rename: whoever reads it finds the old content or the new, never a part.

    Raises
    ------
    BadInput
        The disk is full, or the place has become unwritable; what was there is still there. Or it is no regular file.
    """
    beside = None
    try:
        target = _target(target)
        with _beside(target.parent, target.name) as file:
            beside = Path(file.name)
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o666 & ~_umask())
        beside.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise BadInput(f"{target} could not be written: {_reason(error)}") from error
    finally:
        if beside is not None:
            with suppress(OSError):  # after the rename there is none
                beside.unlink()


def _named(path: str | Path) -> Path:
    """The path; an empty name, which would be that of the current folder, is refused."""
    if not str(path):
        raise BadInput("a name is empty: name a file or a folder")
    return Path(path)


def _target(path: Path) -> Path:
    """Where symbolic links lead; what a rename would replace by a file though it is none is refused."""
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise BadInput(f"{path} is a folder: name a file in it")
        if not stat.S_ISREG(mode):
            raise BadInput(f"{path} is no regular file: name one")
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _is_output(path: Path) -> bool:
    """Whether standard output or standard error goes there: a rename would take the file away from under it."""
    for descriptor in (1, 2):
        with suppress(OSError):  # it is closed
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                return True
    return False


def _beside(folder: Path, name: str) -> IO[bytes]:
    """A new file with so much of a name in its own that there is room for the rest."""
    return tempfile.NamedTemporaryFile("wb", dir=folder, prefix=f".{name[:50]}.", delete=False)


def _try_out(folder: Path) -> None:
    """Make a file and remove it; OSError says why that cannot be."""
    with _beside(folder, TRIAL) as file:
        pass
    os.unlink(file.name)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _sync(folder: Path) -> None:
    """The names in a folder are on the disk, as far as a system lets folders be opened and synchronised."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that may not be listed, and any on Windows
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def cache(name: str) -> Path:
    """A folder of the user's cache (XDG base directories); who writes to it makes it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parity" / name
