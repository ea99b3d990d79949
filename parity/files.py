"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
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


def write_whole(target: Path, text: str) -> None:
    """Write beside the target, then rename: whoever reads it finds the old text or the new, never a part.

    Raises
    ------
    BadInput
        The disk is full, or the place has become unwritable; what was there is still there.
    """
    beside = None
    prefix = f".{target.name}."
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, prefix=prefix, delete=False) as file:
            beside = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o666 & ~_umask())
        beside.replace(target)
    except OSError as error:
        if beside is not None:
            beside.unlink(missing_ok=True)
        raise BadInput(f"{target} could not be written: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
