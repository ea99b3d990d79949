"""The folder of a site: what is refused, and how a new site takes the place of an old one.

A site has a list of its own files, `MANIFEST`. By that it is known again, and nothing but what is on the list is ever
replaced or removed: whatever else somebody has put into the folder stays.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from parity import files
from parity.errors import BadInput

if sys.platform != "win32":
    import fcntl

MANIFEST = ".parity-study"
"""The list of a site's files."""

STAGED = f"{MANIFEST}-staged-"
"""What the name of a folder begins with in which a site is being written."""


def folder(path: str) -> Path:
    """Where the site goes, made where there is none, once it is sure that it can be written there.

    Raises
    ------
    BadInput
        It is no folder, cannot be written to, or holds something and no site.
    """
    place = files.folder(path)
    if not (place / MANIFEST).is_file() and _others(place):
        raise BadInput(f"{place} holds other files and no site of 'parity study': name an empty folder, or a new one")
    return place


def _others(place: Path) -> list[str]:
    """What lies there and is no remainder of a site that was being written."""
    try:
        return [name for name in os.listdir(place) if not name.startswith(STAGED)]
    except OSError as error:
        raise BadInput(f"{place} cannot be read: {error.strerror}; name another folder") from error


def write(place: Path, site: Mapping[str, str]) -> None:
    """All files of a site: beside the old ones first, then in their place; what the new site has no more is removed.

    Raises
    ------
    BadInput
        The disk is full, or the place has become unwritable; until all files are written the old site is untouched.
    """
    try:
        with _alone(place), _staged(place) as staged:
            before = listed(place)
            for name, content in site.items():
                (staged / name).write_bytes(content.encode())
            # first the list of both: whenever this is interrupted, the folder is known for a site
            files.write_whole(place / MANIFEST, _manifest({*before, *site}))
            for name in site:
                (staged / name).replace(place / name)
            for name in before - set(site):
                (place / name).unlink(missing_ok=True)
            files.write_whole(place / MANIFEST, _manifest(site))
    except OSError as error:
        raise BadInput(f"{place} could not be written: {error.strerror or error}") from error


def listed(place: Path) -> set[str]:
    """The files of the site that is there; names that lead elsewhere are none of it."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        names = json.loads((place / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {name for name in names if re.fullmatch(r"[\w-]+\.\w+", name)}
    return set()


def _manifest(names: Mapping[str, str] | set[str]) -> str:
    return json.dumps({"made by": "parity study", "files": sorted(names)}, indent=1) + "\n"


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """No other build writes there meanwhile; where the system has no such locks, without one."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _staged(place: Path) -> Iterator[Path]:
    """A new folder inside, on the same disk, that is gone in the end; those of runs that were killed go, too."""
    for name in os.listdir(place):
        if name.startswith(STAGED):
            shutil.rmtree(place / name, ignore_errors=True)
    staged = Path(tempfile.mkdtemp(prefix=STAGED, dir=place))
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)
