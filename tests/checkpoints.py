"""What the tests of checkpoints have in common: one that is saved, and ways to change what is in its folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from parity.training import checkpoint
from tests.saving import DESCENT, so_far


def kept(folder: Path) -> Path:
    """The folder, with a checkpoint of `DESCENT` after six steps."""
    checkpoint.save(checkpoint.writable_folder(folder), DESCENT, so_far(6))
    return folder


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / checkpoint.MANIFEST).read_text())


def arrays_of(folder: Path) -> Path:
    (found,) = folder.glob("*.npz")
    return found


def edited(folder: Path, **keys: object) -> None:
    (folder / checkpoint.MANIFEST).write_text(json.dumps(manifest_of(folder) | keys))


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def signed(folder: Path, data: bytes) -> None:
    """Other arrays, with the digest that belongs to them."""
    arrays_of(folder).write_bytes(data)
    edited(folder, arrays={"file": arrays_of(folder).name, "sha256": hashlib.sha256(data).hexdigest()})


def other_arrays(folder: Path, name: str, array: np.ndarray | None) -> None:
    """One array of the archive replaced, added, or (None) left out; JSON fits it."""
    path = arrays_of(folder)
    with np.load(path) as arrays:
        held = dict(arrays) | {name: array}
    np.savez(path, **{key: value for key, value in held.items() if value is not None})
    signed(folder, path.read_bytes())
