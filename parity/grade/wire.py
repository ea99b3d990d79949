"""How values travel between this process and a learner's: JSON, and the bytes of arrays. Never code.

A message is `MARK`, the lengths of its two parts, the JSON, and the bytes of all arrays. In the JSON, None, bool, int,
finite float and str stand for themselves; everything else is a list that begins with a letter.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import IO, Any

import numpy as np

from parity.grade import record

MARK = b"prty"
HEAD = struct.Struct(">4sQQ")
LARGEST = 1 << 28
"""In bytes, of each part of a message."""

DEEPEST = 64
"""So many containers may hold each other; what is deeper is told as `Opaque`."""

LONGEST = 1 << 16
"""In characters or bits, of a text or an int."""

RECORDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        record.Binding,
        record.Call,
        record.Frame,
        record.Function,
        record.Inventory,
        record.Opaque,
        record.Played,
        record.Ref,
        record.Scene,
        record.Scenery,
        record.Trouble,
    )
}
FIELDS = {
    name: tuple(field.name for field in fields(kind)) if is_dataclass(kind) else kind._fields
    for name, kind in RECORDS.items()
}

DTYPES = {
    np.dtype(name).name: np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "longdouble", "complex64", "complex128", "clongdouble"),
    )
}
"""What an array may hold, by name."""

NAMES = {dtype: name for name, dtype in DTYPES.items()}

PLAIN = frozenset({bool, type(None)})
INT64 = 1 << 63


class DamagedError(ValueError):
    """A message that nobody has sent like this."""


def encode(value: object) -> bytes:
    """A message. What has no place in it is replaced by `Opaque`.

    Parameters
    ----------
    value : Value
        Or one of record's dataclasses, or a frozenset, also inside of it.
    """
    blobs: list[bytes] = []
    header = json.dumps(_node(value, blobs, DEEPEST), separators=(",", ":"), allow_nan=False).encode()
    body = b"".join(blobs)
    if max(len(header), len(body)) > LARGEST:
        return encode(record.Opaque("too large"))
    return HEAD.pack(MARK, len(header), len(body)) + header + body


def decode(message: bytes) -> Any:
    """What was encoded.

    Raises
    ------
    DamagedError
        The bytes are no message.
    """
    if len(message) < HEAD.size:
        raise DamagedError("a message that is cut off")
    header, body = _lengths(message[: HEAD.size])
    if len(message) != HEAD.size + header + body:
        raise DamagedError("a message of another length than it says")
    return _decoded(message[HEAD.size : HEAD.size + header], message[HEAD.size + header :])


def receive(stream: IO[bytes]) -> Any:
    """The next value of a stream.

    Raises
    ------
    EOFError
        There is none.
    DamagedError
        What comes is no message, or ends in the middle.
    """
    head = stream.read(HEAD.size)
    if not head:
        raise EOFError
    header, body = _lengths(head)
    parts = stream.read(header), stream.read(body)
    if (len(parts[0]), len(parts[1])) != (header, body):
        raise DamagedError("a message that is cut off")
    return _decoded(*parts)


def send(stream: IO[bytes], value: object) -> None:
    """Write a value to a stream, at once."""
    stream.write(encode(value))
    stream.flush()


def _lengths(head: bytes) -> tuple[int, int]:
    if len(head) < HEAD.size:
        raise DamagedError("a message that is cut off")
    mark, header, body = HEAD.unpack(head)
    if mark != MARK or max(header, body) > LARGEST:
        raise DamagedError("no message")
    return header, body


def _decoded(header: bytes, body: bytes) -> Any:
    try:
        return _value(json.loads(header), _Reader(body))
    except DamagedError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError, AttributeError) as error:
        raise DamagedError(f"a damaged message: {type(error).__name__}") from error


def _node(value: Any, blobs: list[bytes], deep: int) -> Any:
    """As JSON has it; the bytes of arrays are appended to `blobs`."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else ["f", repr(value)]
    if kind is int:
        return value if -INT64 <= value < INT64 else _long(value)
    if kind is str:
        return value if len(value) <= LONGEST else ["o", "too large"]
    if deep == 0:
        return ["o", "too deep"]
    if kind is np.ndarray or isinstance(value, np.generic):
        return _array(value, blobs)
    name = kind.__name__
    if RECORDS.get(name) is kind:
        return ["r", name, *(_node(getattr(value, field), blobs, deep) for field in FIELDS[name])]
    return _container(value, blobs, deep - 1)


def _long(value: int) -> list[str]:
    return ["i", hex(value)] if value.bit_length() <= LONGEST else ["o", "too large"]


def _array(value: np.ndarray | np.generic, blobs: list[bytes]) -> list[Any]:
    """Its format and shape; where its bytes are is known from the order in which they are read."""
    name = NAMES.get(value.dtype) or value.dtype.name
    if name not in DTYPES:
        return ["o", f"{type(value).__name__} of {name}"]
    blobs.append(value.astype(DTYPES[name], copy=False).tobytes())  # in this machine's order of bytes
    return ["a", name, *value.shape] if isinstance(value, np.ndarray) else ["s", name]


def _container(value: Any, blobs: list[bytes], deep: int) -> Any:
    kind = type(value)
    if kind is complex:
        return ["c", repr(value.real), repr(value.imag)]
    if kind is list or kind is tuple:
        return ["l" if kind is list else "t", *(_node(item, blobs, deep) for item in value)]
    if isinstance(value, Mapping):
        pairs = ([_node(key, blobs, deep), _node(item, blobs, deep)] for key, item in value.items())
        return ["d", *pairs]
    if kind is frozenset:
        return ["z", *sorted(item for item in value if type(item) is str)]
    return ["o", kind.__name__]


class _Reader:
    """The bytes of arrays, which are read in the order in which they were written."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def array(self, name: str, shape: list[int]) -> np.ndarray:
        dtype = DTYPES[name]
        if not all(type(n) is int and n >= 0 for n in shape):
            raise DamagedError("a shape that is none")
        count = math.prod(shape)
        if self.at + count * dtype.itemsize > len(self.body):
            raise DamagedError("an array that is cut off")
        array = np.frombuffer(self.body, dtype, count, self.at) if count else np.empty(0, dtype)
        self.at += count * dtype.itemsize
        return array.reshape(shape).copy()


def _value(node: Any, reader: _Reader) -> Any:
    """What a part of the JSON stands for."""
    if type(node) is not list:
        if type(node) is dict:
            raise DamagedError("an object, which no value is")
        return node
    return READ[node[0]](node[1:], reader)


def _items(rest: list[Any], reader: _Reader) -> list[Any]:
    return [_value(node, reader) for node in rest]


def _dict(rest: list[Any], reader: _Reader) -> dict[Any, Any]:
    return {_value(key, reader): _value(item, reader) for key, item in rest}


def _record(rest: list[Any], reader: _Reader) -> Any:
    name, *given = rest
    return RECORDS[name](**dict(zip(FIELDS[name], _items(given, reader), strict=True)))


READ: dict[str, Callable[[list[Any], _Reader], Any]] = {
    "f": lambda rest, reader: float(rest[0]),
    "i": lambda rest, reader: int(rest[0], 16),
    "c": lambda rest, reader: complex(float(rest[0]), float(rest[1])),
    "a": lambda rest, reader: reader.array(rest[0], rest[1:]),
    "s": lambda rest, reader: reader.array(rest[0], [])[()],
    "o": lambda rest, reader: record.Opaque(str(rest[0])),
    "l": _items,
    "t": lambda rest, reader: tuple(_items(rest, reader)),
    "d": _dict,
    "z": lambda rest, reader: frozenset(map(str, rest)),
    "r": _record,
}
"""How each kind of node is read."""
