"""Checkpoints: the parameters and costs of every implementation on disk, to go on from.

A folder holds two files. `descent-<steps>-<digest>.npz` has the arrays, named `<implementation>/params/W1` and
`<implementation>/costs`; bfloat16 by its bits, as uint16. `descent.json` says what they belong to, names that file and
has its SHA-256. The arrays are written first, under a name that their content decides, so that no file is ever changed;
then `descent.json` is written beside and renamed. That rename is the commit: whatever ends a save before it, power
included, leaves the checkpoint before as it was. What is not needed any more is removed afterwards.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from parity import __version__, files
from parity.errors import BadInput, one_line, shorten
from parity.files import write_whole
from parity.formats import FORMATS
from parity.surroundings import version
from parity.training import Descent, Reached

if sys.platform != "win32":
    import fcntl

SCHEMA, SCHEMA_VERSION = "parity.checkpoint", 1

MANIFEST = "descent.json"
ARRAYS = re.compile(r"descent-\d+-[0-9a-f]{16}\.npz")
BESIDE = re.compile(rf"\.({re.escape(MANIFEST)}|{ARRAYS.pattern}|{files.TRIAL})\.\w{{8}}")
"""The names that `write_whole` gives to what is not renamed yet, and `folder` to what it tries."""

LONGEST = 50
"""Characters of what is quoted from a file, which may hold anything."""


@dataclass(frozen=True, eq=False)
class _Manifest:
    """What `descent.json` says, as far as a load needs it.

    Attributes
    ----------
    descent : dict
        What decides the steps, under the names of `_described`.
    steps : dict
        How many each implementation has made.
    arrays, sha256 : str
        The name of the file with the arrays, and what it must hash to.
    """

    descent: dict[str, Any]
    steps: dict[str, int]
    arrays: str
    sha256: str


def writable_folder(path: str | Path, descent: Descent | None = None) -> Path:
    """The folder, made if need be, once it is sure that checkpoints (of `descent`, if it is given) can be kept there.

    Raises
    ------
    BadInput
        It is no folder that can be made or written to, it holds other things and no checkpoint, or a checkpoint that
        is damaged or of another descent. Nothing is deleted.
    """
    folder = files.folder(path)
    manifest = _manifest(folder)
    others = [name for name in _names_in(folder) if not _ours(name)]
    if manifest is None and others:
        raise BadInput(f"{folder} holds {others[0]} and no checkpoint: name a folder that is empty or new")
    if manifest is not None and descent is not None:
        _refuse_another(folder, manifest, descent)
    return folder


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise BadInput(f"{folder} cannot be read: {error.strerror or error}; name another folder") from error


def save(folder: Path, descent: Descent, reached: Mapping[str, Reached]) -> None:
    """Replace the checkpoint in the folder by one of how far each implementation has got.

    Parameters
    ----------
    reached : mapping
        By the name of the implementation; they may have made different numbers of steps.

    Raises
    ------
    BadInput
        It cannot be written, a full disk for example, or the folder holds a checkpoint of another descent. The
        checkpoint that was there still loads.
    """
    archive = _archive(reached)
    sha256 = hashlib.sha256(archive).hexdigest()
    arrays = f"descent-{max((r.steps for r in reached.values()), default=0)}-{sha256[:16]}.npz"
    text = _told(descent, reached, arrays, sha256)
    with _locked(folder, writing=True):
        before = _manifest(folder)
        if before is not None:
            _refuse_another(folder, before, descent)
        kept = {before.arrays} if before is not None else set()
        _remove_all_but(folder, kept)
        try:
            write_whole(folder / arrays, archive)
            write_whole(folder / MANIFEST, text)
        except BaseException:
            now = _manifest(folder)
            _remove_all_but(folder, kept | ({now.arrays} if now is not None else set()))
            raise
        _remove_all_but(folder, {arrays})


def _told(descent: Descent, reached: Mapping[str, Reached], arrays: str, sha256: str) -> str:
    """The text of `descent.json`."""
    content = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "descent": _described(descent),
        "implementations": {name: {"steps": r.steps, "last_cost": _last_cost(r)} for name, r in reached.items()},
        "arrays": {"file": arrays, "sha256": sha256},
        "versions": _versions(),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def load(folder: str | Path, descent: Descent) -> dict[str, Reached]:
    """How far each implementation has got, to the bit as it was saved.

    Raises
    ------
    BadInput
        There is no checkpoint, it cannot be read or is damaged, or it is of another descent or schema version.
    """
    folder = Path(folder)
    with _locked(folder, writing=False):
        manifest = _manifest(folder)
        if manifest is None:
            raise BadInput(f"{folder} holds no checkpoint ({MANIFEST}): name the folder that one was saved in")
        _refuse_another(folder, manifest, descent)
        file = folder / manifest.arrays
        archive = _content(file)
    arrays = _arrays(file, archive, manifest.sha256)
    found = {name: _reached(file, name, arrays, steps, descent) for name, steps in manifest.steps.items()}
    if arrays:
        raise _damaged(file, f"it holds {next(iter(arrays))}, which {MANIFEST} does not know")
    return found


def _arrays(file: Path, archive: bytes | None, sha256: str) -> dict[str, np.ndarray]:
    """The arrays of an archive, by their names in it."""
    if archive is None:
        raise _damaged(file, "it is not there")
    if hashlib.sha256(archive).hexdigest() != sha256:
        raise _damaged(file, f"it is not the file that {MANIFEST} was written with")
    try:
        with np.load(BytesIO(archive), allow_pickle=False) as opened:
            return {name: opened[name] for name in opened.files}
    except Exception as error:  # zip and NumPy raise a dozen kinds on bytes that are no archive of arrays
        raise _damaged(file, one_line(error)) from error


def _described(descent: Descent) -> dict[str, Any]:
    """All that decides the steps of a descent but their number, in JSON's types."""
    problem, batched = descent.problem, descent.batch_size is not None
    return {
        "fingerprint": descent.fingerprint,
        "problem": problem.name,
        "problem_fingerprint": problem.fingerprint,
        "model": problem.model,
        "layers": list(problem.layers),
        "activations": list(problem.activations),
        "learning_rate": problem.learning_rate,
        "dtype": descent.dtype,
        "device": descent.device,
        "batch_size": descent.batch_size,
        "batch_seed": descent.batch_seed if batched else None,
    }


def _refuse_another(folder: Path, manifest: _Manifest, descent: Descent) -> None:
    """Raise BadInput, with all that differs, where the checkpoint is of another descent; a name alone is no difference.

    The fingerprint of a problem depends on some of the rest, and that of the descent on all of it but the device: they
    are told where nothing else differs.
    """
    there, here = manifest.descent, _described(descent)
    different = [key for key in here if key != "problem" and there.get(key) != here[key]]
    plain = [key for key in different if not key.endswith("fingerprint")]
    told = plain or different[-1:]
    if "problem_fingerprint" in different and there.get("problem") != here["problem"]:
        told = ["problem", *plain]
    if told:
        what = ", ".join(f"{_label(key)} {_said(there.get(key))} there, {_said(here[key])} here" for key in told)
        raise BadInput(
            f"{folder} holds a checkpoint of another descent: {what}; give what it was made with, or a new folder"
        )


def _label(key: str) -> str:
    return "α" if key == "learning_rate" else key.replace("_", " ")


def _said(value: object) -> str:
    if isinstance(value, list):
        return shorten(",".join(map(str, value)), LONGEST)
    return "none" if value is None else shorten(str(value), LONGEST)


def _archive(reached: Mapping[str, Reached]) -> bytes:
    """The bytes of the .npz: the same for the same arrays."""
    arrays: dict[str, np.ndarray] = {}
    for name, r in reached.items():
        arrays |= {f"{name}/params/{p}": _by_bits(array) for p, array in r.params.items()}
        arrays[f"{name}/costs"] = _by_bits(r.costs)
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:  # as np.savez does, but without pickling whatever comes
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue()


def _by_bits(array: np.ndarray) -> np.ndarray:
    """The array, or for bfloat16, of which npz does not know, its bits."""
    return array.view(np.uint16) if array.dtype == FORMATS["bfloat16"].dtype else array


def _reached(file: Path, name: str, arrays: dict[str, np.ndarray], steps: int, descent: Descent) -> Reached:
    """Take one implementation's arrays out of all, once they are what this descent has."""
    prefix = f"{name}/params/"
    names = [key for key in arrays if key.startswith(prefix)]
    found = {key.removeprefix(prefix): arrays.pop(key) for key in names}
    costs = arrays.pop(f"{name}/costs", None)
    start = descent.start
    if list(found) != list(start):
        raise _damaged(file, f"{name} has {', '.join(found) or 'no parameters'}, expected {', '.join(start)}")
    if costs is None or costs.shape != (steps,):
        held = "no costs" if costs is None else f"costs of shape {costs.shape}"
        raise _damaged(file, f"{name} has {held}, expected {(steps,)}")
    of = FORMATS[descent.dtype].dtype
    expected = _by_bits(np.empty(0, of)).dtype
    for key, array in {**found, "costs": costs}.items():
        if array.dtype != expected:
            raise _damaged(file, f"{key} of {name} is of {array.dtype}, expected {expected}")
        if key in start and array.shape != start[key].shape:
            raise _damaged(file, f"{key} of {name} has shape {array.shape}, expected {start[key].shape}")
        if key in start and not np.all(np.isfinite(array.view(of))):
            raise _damaged(file, f"{key} of {name} holds a value that is not finite")
    return Reached({key: array.view(of) for key, array in found.items()}, costs.view(of))


def _manifest(folder: Path) -> _Manifest | None:
    """What `descent.json` says; None where there is none.

    Raises
    ------
    BadInput
        It cannot be read, is damaged, of another schema version, or another program's.
    """
    path = folder / MANIFEST
    text = _content(path)
    if text is None:
        return None
    try:
        content = json.loads(text)
        _refuse_another_schema(path, content)
        steps = {name: _count(name, of["steps"]) for name, of in content["implementations"].items()}
        arrays, sha256 = content["arrays"]["file"], content["arrays"]["sha256"]
        if not ARRAYS.fullmatch(arrays):
            raise ValueError(f"it names {arrays}")
        return _Manifest(dict(content["descent"]), steps, arrays, sha256)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, one_line(error)) from error


def _count(name: str, steps: object) -> int:
    """The number of steps, if it is one: JSON's 5.0 and true are equal to some, and not among them."""
    if type(steps) is not int or steps < 0:
        raise ValueError(f"{name} has made {steps!r} steps")
    return steps


def _refuse_another_schema(path: Path, content: dict[str, Any]) -> None:
    """Raise BadInput where it is another program's, or another version's."""
    if content.get("schema") != SCHEMA:
        raise BadInput(f"{path} is no checkpoint ({SCHEMA}): name another folder")
    version, made_with = content.get("schema_version"), content.get("versions", {}).get("parity")
    if type(version) is not int or version != SCHEMA_VERSION:
        raise BadInput(
            f"{path} has schema version {shorten(repr(version))}, and this program reads {SCHEMA_VERSION}: "
            f"use the parity that wrote it ({_said(made_with)}), or name another folder"
        )


def _content(path: Path) -> bytes | None:
    """The bytes of a file; None where there is none."""
    try:
        return path.read_bytes() if path.is_file() else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error


def _damaged(path: Path, why: str) -> BadInput:
    what = shorten(why, 4 * LONGEST)
    return BadInput(f"{path} is damaged ({what}): put a sound copy in its place, or begin anew in another folder")


def _ours(name: str) -> bool:
    return name == MANIFEST or bool(ARRAYS.fullmatch(name) or BESIDE.fullmatch(name))


def _remove_all_but(folder: Path, arrays: set[str]) -> None:
    """What saves left behind, and arrays that are not needed any more; never what a save did not make."""
    with suppress(OSError):  # what cannot be listed cannot be written to, and that is told there
        for name in os.listdir(folder):
            if _ours(name) and name != MANIFEST and name not in arrays:
                with suppress(OSError):  # it is only in the way
                    (folder / name).unlink()


@contextmanager
def _locked(folder: Path, *, writing: bool) -> Iterator[None]:
    """No other save meanwhile, nor a load while writing; where the system has no such locks, without one."""
    if sys.platform == "win32":
        yield
        return
    descriptor = None
    try:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX if writing else fcntl.LOCK_SH)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _last_cost(reached: Reached) -> float | None:
    last = float(reached.costs[-1]) if reached.steps else math.nan
    return last if math.isfinite(last) else None


@cache
def _versions() -> dict[str, str | None]:
    """Of all that the last digits of a step may depend on."""
    libraries = ("numpy", "torch", "jax", "jaxlib", "scikit-learn")
    return {"parity": __version__, "python": platform.python_version()} | {name: version(name) for name in libraries}
