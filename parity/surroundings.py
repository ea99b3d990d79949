"""What a report says of where it was made: the machine, and the versions of what a result rests on."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata

from parity import __version__


def machine() -> dict[str, str]:
    """What it ran on."""
    return {
        "platform": platform.platform(),
        "processor": platform.machine(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str | None]:
    """Of this project and of what it rests on."""
    libraries = ("numpy", "torch", "jax", "scikit-learn", "python-flint")
    return {"parity": __version__} | {name: version(name) for name in libraries}


def version(distribution: str) -> str | None:
    """The installed version, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def memory() -> int:
    """Bytes of this machine; where the system does not tell, of what can be addressed."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return sys.maxsize
