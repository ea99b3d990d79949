"""What a run found out, and its JSON."""

from __future__ import annotations

import json
import math
import stat
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from parity.bench import statistics
from parity.errors import BadInput, shorten

SCHEMA = "parity.bench"
SCHEMA_VERSION = 1
ADDED = {"busy"}
"""Keys that came after the first file of this version: where one is missing, its default stands."""

VERDICTS = ("rounding", "bits", "differs", "floor", "")
NEVER = "never"
"""What stands in the JSON, which has no infinity, for a compilation that never pays."""

LARGEST = 2**28
"""Bytes: a full run writes some MB."""

NAMES = {float: "a finite number", int: "an integer", str: "a text"}
"""What a JSON calls what a field must be."""


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
        "rounding": inside the derived bound, and bit for bit right on the exact problem of that shape; "bits": the
        latter, where no bound is known; "differs": not, and it was not timed; "floor" for matrix products alone; empty
        where it was skipped.
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
    busy : float
        The share of the sentinel's time in which its core did other work. Who never waits loses that, and who waits for
        other threads does not: ratios are then not what they are on a free core.
    """

    floor: str
    sentinel: tuple[float, ...]
    drift: float
    rows: tuple[Row, ...]
    busy: float = 0.0

    @property
    def noise(self) -> float:
        """The larger of both: from `statistics.NOISE` on its figures are doubtful."""
        return max(self.drift, self.busy)


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


def as_json(results: Results) -> dict[str, Any]:
    """The run for a program, schema version 1: a key that is added keeps the version, one that changes does not.

    What follows from the rest stands there too and is not read back: `noisy` of a group, and of a row that was timed
    `derived`, the summary of its samples and their ratio to the floor of the same rounds.
    """
    found = _plain(asdict(results))
    for group, written in zip(results.groups, found["groups"], strict=True):
        written["noisy"] = statistics.is_noisy(group.noise)
        for row, of_row in zip(group.rows, written["rows"], strict=True):
            of_row["derived"] = _derived(row, floor_of(group, row.key))
    return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION} | found


def load(path: str | Path) -> Results:
    """What `as_json` wrote.

    Raises
    ------
    BadInput
        There is no such file, it cannot be read, it is damaged, or it is something else: which, and where in it.
    """
    path = Path(path)
    try:
        results: Results = _read(Results, _document(_content(path)), "")
        _check(results)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}; name the JSON of a run") from error
    except BadInput as error:
        raise BadInput(f"{path} {error}") from None
    return results


def floor_of(group: Group, key: Key, floor: str | None = None) -> Row | None:
    """The row that one of the group is held against, or one by another name; None where it was not timed."""
    wanted = replace(key, implementation=group.floor if floor is None else floor)
    return next((row for row in group.rows if row.key == wanted and row.samples), None)


def _derived(row: Row, floor: Row | None) -> dict[str, Any] | None:
    if not row.samples:
        return None
    figures = statistics.summary(row.samples)
    beside = statistics.ratio(row.samples, floor.samples) if floor else None
    return asdict(figures) | {"iqr": figures.iqr, "ratio": beside and asdict(beside)}


def _plain(value: Any) -> Any:
    """With lists for tuples, null for numbers that JSON has no name for, and bytes that are no text escaped."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {name: NEVER if name == "pays_after" and of == math.inf else _plain(of) for name, of in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(of) for of in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _content(path: Path) -> bytes:
    about = path.stat()
    if stat.S_ISDIR(about.st_mode):
        raise BadInput("is a folder: name the JSON of a run in it")
    if not stat.S_ISREG(about.st_mode):
        raise BadInput("is no regular file: name the JSON of a run")
    if about.st_size > LARGEST:
        raise BadInput(f"has {about.st_size} bytes, and no run more than {LARGEST}: name the JSON of a run")
    return path.read_bytes()


def _document(content: bytes) -> dict[str, Any]:
    """The object that a JSON of this schema and version is."""
    try:
        document = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        why = "it is empty" if not content.strip() else " ".join(str(error).split())
        raise BadInput(f"is no JSON, or is damaged: {why}; take another copy, or run again") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        what = document.get("schema") if isinstance(document, dict) else None
        of = f"of {shorten(what)}" if isinstance(what, str) else "of something else"
        raise BadInput(f"is the JSON {of}, not of {SCHEMA}: name one that parity bench wrote")
    version = document.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        old = isinstance(version, int) and version < SCHEMA_VERSION
        todo = "run the old code's benchmark again with this parity" if old else "read it with the parity that wrote it"
        which = shorten(json.dumps(version))
        raise BadInput(f"has version {which} of its schema, and this parity reads {SCHEMA_VERSION}: {todo}")
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _read(kind: Any, value: Any, at: str) -> Any:
    """The value as what a field's type says; keys that no field has are let through."""
    origin, of = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is UnionType:  # T | None
        return None if value is None else _read(of[0], value, at)
    if is_dataclass(kind):
        return _read_fields(kind, _is(dict, value, at, "an object"), at)
    if origin is tuple:
        return tuple(_read(of[0], item, f"{at}[{i}]") for i, item in enumerate(_is(list, value, at, "a list")))
    if origin is dict:
        items = _is(dict, value, at, "an object").items()
        return {name: _read(of[1], item, f"{at}.{shorten(name)}") for name, item in items}
    if kind is float:
        return _read_number(value, at)
    return _is(kind, value, at, NAMES[kind])


def _read_fields(kind: Any, value: dict[str, Any], at: str) -> Any:
    types = get_type_hints(kind)
    inside = f"{at}." if at else ""
    names = [one.name for one in fields(kind) if one.name in value or one.name not in ADDED]
    for name in names:
        if name not in value:
            _refuse(inside + name, "is missing")
    return kind(**{name: _read(types[name], value[name], inside + name) for name in names})


def _read_number(value: Any, at: str) -> float:
    if value == NEVER and at.endswith(".pays_after"):
        return math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(at, f"is not {NAMES[float]}")
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf
    return number if math.isfinite(number) else _refuse(at, f"is not {NAMES[float]}")


def _is(kind: type, value: Any, at: str, called: str) -> Any:
    """The value, if it is of this type; true and false are no integers."""
    return value if isinstance(value, kind) and not isinstance(value, bool) else _refuse(at, f"is not {called}")


def _check(results: Results) -> None:
    """What the types leave open: rows twice, and what `_check_times` finds."""
    seen: set[Key] = set()
    for i, group in enumerate(results.groups):
        places = {f"groups[{i}].rows[{j}]": row for j, row in enumerate(group.rows)}
        for at, row in places.items():
            if row.key in seen:
                _refuse(f"{at}.key", "is that of another row")
            if row.verdict not in VERDICTS:
                _refuse(f"{at}.verdict", f"is none of {', '.join(filter(None, VERDICTS))}")
            seen.add(row.key)
        timed = {f"{at}.samples": row.samples for at, row in places.items() if row.samples}
        _check_times(timed | {f"groups[{i}].sentinel": group.sentinel})


def _check_times(times: dict[str, tuple[float, ...]]) -> None:
    """That they are times, and as many for each row of a group and for its sentinel."""
    rounds = len(next(iter(times.values())))
    for at, samples in times.items():
        if not all(sample > 0 for sample in samples):
            _refuse(at, "has a time that is not positive")
        if len(samples) != rounds:
            _refuse(at, f"has {len(samples)} rounds, and what comes before it in its group {rounds}")


def _refuse(at: str, what: str) -> NoReturn:
    raise BadInput(f"is damaged: {at} {what}; take another copy, or run again")
