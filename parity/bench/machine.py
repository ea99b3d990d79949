"""What times depend on beside the code: the machine, its libraries, what steers these, and which code it was.

Nothing here imports a framework: what is said of one is what the process that asks has imported already. No path of
the machine is told.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

from threadpoolctl import threadpool_info

from parity import surroundings
from parity.errors import FOREIGN, printable

PACKAGE = Path(__file__).parents[1]
CPU, CPUINFO = Path("/sys/devices/system/cpu/cpu0"), Path("/proc/cpuinfo")
SECONDS = 10
"""How long another program may take to answer."""

STEERING = re.compile(
    "(OMP|GOMP|OPENBLAS|GOTO|BLIS|MKL|KMP|VECLIB|XLA|JAX|TORCH|TORCHINDUCTOR|PYTORCH|NPY|NUMPY|ATEN)_.*"
    "|CUDA_VISIBLE_DEVICES|NVIDIA_TF32_OVERRIDE"
)
PLACE = re.compile(r"[/\\~]")
OF_PLACES = re.compile(".*(DIR|PATH|FILE|ROOT|HOME|FOLDER|TOKEN|KEY|SECRET)")
SET = "set"
"""What is told of a value that is a path."""

SAME = ("system", "processor", "cpu", "cores", "usable", "caches", "memory", "virtual", "governor", "gpus")
"""What two runs must have in common to be compared; what it runs on the machine may be what is compared."""


def machine() -> dict[str, Any]:
    """The machine as `parity.surroundings` has it, and what decides how fast it is.

    A value is None where the system does not tell.

    Returns
    -------
    dict
        Beside what every report says: "system"; "cpu", its model; "cores", the logical ones, and "usable" by this
        process; "caches", of the first core, bytes by name (L1d, L2, L3); "memory" in bytes; "kernel"; "governor" of
        the frequency; "virtual", whether under a hypervisor; "gpus", those that an imported framework sees.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return surroundings.machine() | {
        "system": platform.system(),
        "cpu": _cpuinfo("(?:model name|CPU part)")
        or _sysctl("machdep.cpu.brand_string")
        or platform.processor()
        or None,
        "cores": os.cpu_count(),
        "usable": sorted(affinity(0)) if affinity else None,
        "caches": caches(),
        "memory": _memory(),
        "kernel": platform.release(),
        "governor": _read(CPU / "cpufreq/scaling_governor"),
        "virtual": _virtual(),
        "gpus": gpus(),
    }


def versions() -> dict[str, str | None]:
    """As `parity.surroundings` has them, and those of what computes and times beneath."""
    return surroundings.versions() | {name: surroundings.version(name) for name in ("jaxlib", "scipy", "threadpoolctl")}


def caches(folder: Path = CPU / "cache") -> dict[str, int]:
    """Bytes of L1d, L2, L3, as far as the system tells."""
    sizes = {}
    for index in sorted(folder.glob("index*")):
        level, kind, size = (_read(index / name) for name in ("level", "type", "size"))
        if level and size and kind != "Instruction":
            sizes[f"L{level}" + ("d" if kind == "Data" else "")] = _bytes(size)
    told = {"L1d": _sysctl("hw.l1dcachesize"), "L2": _sysctl("hw.l2cachesize"), "L3": _sysctl("hw.l3cachesize")}
    return sizes or {name: int(size) for name, size in told.items() if size and size.isdigit()}


def gpus() -> list[str]:
    """The names of those that torch or JAX sees, if this process has imported it."""
    for names in (_of_torch, _of_jax):
        with suppress(*FOREIGN):  # a driver that is broken is no GPU
            if found := list(names()):
                return found
    return []


def libraries() -> tuple[dict[str, Any], ...]:
    """The BLAS and OpenMP libraries of this process, with their threads: to be called where it is computed."""
    found = [{("file" if k == "filepath" else k): _told(k, v) for k, v in one.items()} for one in threadpool_info()]
    return tuple(sorted(found, key=lambda one: (str(one["user_api"]), str(one["file"]))))


def flags() -> dict[str, str]:
    """The environment variables that steer the libraries; of a path only that it is set."""
    return {name: _shown(name, value) for name, value in sorted(os.environ.items()) if STEERING.fullmatch(name)}


def commit(folder: Path = PACKAGE) -> str:
    """The commit of the checkout that a package belongs to, "-dirty" if it was changed since; or "unknown".

    A folder that merely lies inside a checkout, as an environment may, is not of it.
    """
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return "unknown"
    return _git(folder, "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*") or "unknown"


def same_machine(a: dict[str, Any], b: dict[str, Any]) -> str:
    """The first thing that tells two machines apart, in one line; empty where nothing does."""
    for name in SAME:
        one, other = _class(name, a.get(name)), _class(name, b.get(name))
        if one != other:
            return printable(f"{name}: {_words(one)}, and {_words(other)}")
    return ""


def _class(name: str, value: Any) -> Any:
    """What counts of a value: the number of the usable cores, and the memory in GiB, since kernels keep some of it."""
    if name == "usable" and isinstance(value, list):
        return len(value)
    return round(value / 2**30) if name == "memory" and isinstance(value, int) else value


def _words(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name} {of}" for name, of in value.items()]
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _told(name: str, value: Any) -> Any:
    return PurePath(value).name if name == "filepath" else value


def _shown(name: str, value: str) -> str:
    """Its value; XLA's, which is a list of flags, without those that are paths."""
    if value.startswith("--") and not OF_PLACES.fullmatch(name):
        return " ".join(f"{word.partition('=')[0]}={SET}" if PLACE.search(word) else word for word in value.split())
    return SET if PLACE.search(value) or (value and OF_PLACES.fullmatch(name)) else value


def _of_torch() -> Iterator[str]:
    if torch := sys.modules.get("torch"):
        if torch.cuda.is_available():
            yield from (torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
        elif torch.backends.mps.is_available():
            yield "mps"


def _of_jax() -> Iterator[str]:
    if jax := sys.modules.get("jax"):
        yield from (device.device_kind for device in jax.devices() if device.platform != "cpu")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _cpuinfo(name: str) -> str | None:
    """What Linux says of the first core; names differ between architectures."""
    found = re.search(rf"^{name}[ \t]*:(.*)$", _read(CPUINFO) or "", re.MULTILINE)
    return found[1].strip() if found else None


def _bytes(size: str) -> int:
    """48K, as the kernel writes it."""
    units = {"K": 2**10, "M": 2**20, "G": 2**30}
    return int(size.rstrip("KMG")) * units.get(size[-1], 1)


def _memory() -> int | None:
    found = surroundings.memory()
    return None if found == sys.maxsize else found


def _virtual() -> bool | None:
    told = _sysctl("kern.hv_vmm_present")
    if told:
        return told == "1"
    words = _cpuinfo("flags")
    return None if words is None else "hypervisor" in words.split()


def _sysctl(name: str) -> str | None:
    return _answer("sysctl", "-n", name) if sys.platform == "darwin" else None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says of a folder, whatever the environment says of another one; it writes nothing."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return _answer("git", "-C", str(folder), *arguments, env=around | {"GIT_OPTIONAL_LOCKS": "0"})


def _answer(*command: str, env: dict[str, str] | None = None) -> str | None:
    """What a program prints, or None where it is missing, fails or does not end."""
    try:
        done = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()
