"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from parity.errors import BadInput


def writable(path: str | Path) -> Path:
    """The path, once it is sure that a file can be made there.

    Raises
    ------
    BadInput
        It is a folder, its folder does not exist, or permission is missing.
    """
    target = Path(path)
    if target.is_dir():
        raise BadInput(f"{target} is a folder: name a file in it")
    if not target.parent.is_dir():
        raise BadInput(f"{target.parent} is no folder: make it first, or name another file")
    if not os.access(target.parent, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise BadInput(f"{target} cannot be written: permission denied")
    return target


def write_whole(target: Path, content: str | bytes) -> None:
    """Write beside the target, then rename: whoever reads it finds the old content or the new, never a part.

    Raises
    ------
    BadInput
        The disk is full, or the place has become unwritable; what was there is still there.
    """
    beside = None
    prefix = f".{target.name}."
    try:
        with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=prefix, delete=False) as file:
            beside = Path(file.name)
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o666 & ~_umask())
        beside.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise BadInput(f"{target} could not be written: {error.strerror or error}") from error
    finally:
        if beside is not None:
            with suppress(OSError):  # after the rename there is none
                beside.unlink()


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
