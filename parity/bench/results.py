"""What a run found out, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCHEMA = "parity.bench"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Key:
    """What was timed: a row's name."""

    case: str
    work: str
    dtype: str
    device: str
    threads: int
    implementation: str

    def __str__(self) -> str:
        """Its parts, from what is the same for a group of rows to what tells them apart."""
        return f"{self.case}/{self.work}/{self.dtype}/{self.device}/{self.threads}/{self.implementation}"


@dataclass(frozen=True)
class Row:
    """One implementation at one work; times are in seconds, of one call, or of one step where training is timed.

    Attributes
    ----------
    verdict : str
        "rounding": inside the derived bound, and bit for bit right on the exact problem of that shape; "differs": not,
        and it was not timed; "floor" for matrix products alone; empty where it was skipped.
    share : float or None
        The largest share of a bound that an element reached.
    fault : str
        For one that differs: the first difference, in one line.
    skipped : str
        Why it was not run, in one line; empty where it was.
    calls, steps : int
        Calls in a block, of which the clock takes one time; steps in a call.
    samples : tuple of float
        One a round: round i of every row of a group was in turn, so that samples[i] are pairs.
    first, transfer : float or None
        The first call in a process that runs already; moving the inputs to the device, with the layout it wants.
    cold : dict or None
        Of a process of its own with empty caches: "import", "first" (the first call), in seconds.
    pays_after : float or None
        After how many calls compiling has paid, beside the same framework's eager variant; inf: never.
    peak_memory : int or None
        Bytes beyond the inputs, at the highest point of a call; None where the system does not tell.
    bound_by, peak_share
        "flops" or "bytes": which of the machine's limits is nearer; the share of it that was reached.
    """

    key: Key
    verdict: str = ""
    share: float | None = None
    fault: str = ""
    skipped: str = ""
    calls: int = 0
    steps: int = 1
    samples: tuple[float, ...] = ()
    first: float | None = None
    transfer: float | None = None
    cold: dict[str, float] | None = None
    pays_after: float | None = None
    peak_memory: int | None = None
    bound_by: str = ""
    peak_share: float | None = None


@dataclass(frozen=True)
class Peak:
    """What the machine was measured to do at most, in this run."""

    what: str
    dtype: str
    device: str
    threads: int
    rate: float
    by: str
    """flops or bytes; a second; the kernel that did it."""


@dataclass(frozen=True)
class Group:
    """Rows that were timed in turns.

    Attributes
    ----------
    floor : str
        The implementation name of the row that the others are held against.
    sentinel : tuple of float
        One time a round of work that never changes.
    drift : float
        How much the sentinel changed, as a share of its median.
    """

    floor: str
    sentinel: tuple[float, ...]
    drift: float
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Results:
    """A run."""

    made: str
    command: tuple[str, ...]
    machine: dict[str, Any]
    libraries: tuple[dict[str, Any], ...]
    versions: dict[str, str | None]
    flags: dict[str, str]
    switches: dict[str, Any]
    commit: str
    seed: int
    peaks: tuple[Peak, ...] = ()
    groups: tuple[Group, ...] = ()
    notes: tuple[str, ...] = field(default=())
