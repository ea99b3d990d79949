"""A learner's file is read: what is no Python is refused in one line, what does not parse is left out and told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from parity.grade import wire
from parity.grade.record import Call, Frame, Function, Opaque, Ref, Scene, Trouble
from parity.grade.source import LARGEST, read
from tests.shared import refused


def written(folder: Path, content: str | bytes, name: str = "a.py") -> str:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(file)


def notebook(*cells: str | list[str], kind: str = "code") -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": kind, "source": c, "outputs": [1]} for c in cells]})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", "x = 1", "neither a .py file nor a notebook"),
        ("a.py", b"\xff\xfe\x00", "not text"),
        ("a.py", b"x = '\xe9'\n", "not text"),
        ("a.py", b"# -*- coding: klingon -*-\n", "not text"),
        ("a.py", b"x = 1\0\n", "null bytes"),
        ("a.py", " \n", "is empty"),
        ("a.py", "# nothing\n", "no code in it"),
        ("a.py", "x = = 1\n", "line 1: SyntaxError: invalid syntax"),
        ("a.py", "words that are\nno program at all\n" * 40, "most of the file does not parse"),
        ("a.py", "(" * 3000 + "\n", "nested parentheses"),
        ("a.ipynb", "{", "damaged notebook"),
        ("a.ipynb", "[" * 100_000, "damaged notebook"),
        ("a.ipynb", "[1]", "no notebook"),
        ("a.ipynb", notebook(), "no cells with code"),
        ("a.ipynb", notebook("x = 1", kind="markdown"), "no cells with code"),
        ("a.ipynb", notebook(""), "no cells with code"),
        ("a.ipynb", notebook("!ls", "x = = 1"), "cell 2, line 1: SyntaxError"),
    ],
)
def test_bad_input(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    if words.startswith("cell"):
        content = notebook("x = = 1").replace('"cells": [', '"cells": [{"cell_type": "raw", "source": "?"}, ')
    assert words in refused(read, written(tmp_path, content, name))


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    assert "there is no file" in refused(read, str(tmp_path / "a.py"))
    assert "is a folder" in refused(read, str(tmp_path / "folder.py"))
    assert "no file" in refused(read, "a\0.py") or "cannot be read" in refused(read, "a\0.py")
    large = written(tmp_path, b"#" * (LARGEST[".py"] + 1))
    assert "larger than 2 MiB" in refused(read, large)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x = 1\ndef f(:\n    pass\n\ny = 2\n", [2]),
        ("@g\n@h\ndef f(x:\n    pass\ny = 2\n", [3]),
        ("x = 1\nif x:\n    y = = 2\nelse:\n    y = 3\nz = 3\n", [3]),
        ("x = (1,\n\ny = 2\nz = 3\n", [1]),
        ("def f():\ny = 1\nx = 1\n", [1]),
        ("x = 'a\ny = 2\n", [1]),
    ],
)
def test_what_parses_of_a_script_is_kept(tmp_path: Path, text: str, lines: list[int]) -> None:
    source = read(written(tmp_path, text))
    last = text.rstrip().split("\n")
    assert source.tree.body[-1].lineno == len(last)  # the last statement is there, on its own line
    assert {t.kind for t in source.troubles} == {"syntax"}
    assert source.troubles[0].line in lines


def test_encodings(tmp_path: Path) -> None:
    assert "é" in read(written(tmp_path, "# coding: latin-1\nx = 'é'\n".encode("latin-1"))).text
    assert read(written(tmp_path, b"\xef\xbb\xbfx = 1\r\ny = 2\r")).text == "x = 1\ny = 2\n"


def test_a_notebook_keeps_its_lines(tmp_path: Path) -> None:
    cells = ["%matplotlib inline\nx = 1\n", ["y = 2\n", "z = = 3"], "", "w = (7\n% 4)\nif w:\n    !ls\n%time v = 1\nw?"]
    source = read(written(tmp_path, notebook(*cells, "%%bash\nrm x", "%%time\nu = 1"), "a.ipynb"))
    space: dict[str, int] = {}
    exec(compile(source.tree, "a", "exec"), space)
    assert {name: space.get(name) for name in "xyzwvu"} == {"x": 1, "y": None, "z": None, "w": 3, "v": 1, "u": 1}
    [trouble] = source.troubles
    assert (trouble.kind, source.place(trouble.line)) == ("syntax", "cell 2, line 2")
    assert source.place(source.tree.body[-1].lineno) == "cell 6, line 2"


def test_an_old_notebook(tmp_path: Path) -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}]}
    assert read(written(tmp_path, json.dumps(old), "a.ipynb")).text == "x = 1"


def test_a_script_with_magics(tmp_path: Path) -> None:
    source = read(written(tmp_path, "%matplotlib inline\nx = 1\n"))
    assert (source.text, source.troubles) == ("pass\nx = 1\n", ())


# The wire

VALUES = [
    *(None, True, 0, -(2**62), 2**70, 1.5, float("inf"), 1 - 2j, "é\n\ud800", [], (), {}),
    *([1, (2, [3])], {1: "a", "1": "b", None: 2.5, (1, "x"): 0}, Opaque("object"), Ref(0, (1, "Z1"))),
    Call("f", {"X": np.arange(6.0).reshape(2, 3), "p": {"W": Ref(0)}}, on=1),
    Trouble("error", "x", 3, "f"),
    Function("f", ("a", "b"), frozenset({"b"}), 2, True),
    Scene("s", (Call("f", {}),), "torch, grad", False),
    Frame("f", 1, {}, {}, None),
]
ARRAYS = [
    *(np.array(2.0), np.zeros((0, 3)), np.float32(1.5), np.bool_(True), np.array([True, False]), np.int64(-3)),
    *(np.arange(6, dtype=np.float16).reshape(2, 3).T, np.array([1 + 2j]), np.array([np.nan, -0.0, np.inf])),
    *(np.array([1, 2], np.uint8), np.longdouble(1) / 3),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_arrives(value: object) -> None:
    arrived = wire.decode(wire.encode(value))
    assert repr(arrived) == repr(value)
    assert type(arrived) is type(value)


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_an_array_arrives(value: np.ndarray) -> None:
    arrived = wire.decode(wire.encode(value))
    assert (type(arrived), arrived.dtype, arrived.shape) == (type(value), value.dtype, value.shape)
    assert arrived.tobytes() == value.tobytes()


def test_what_has_no_place() -> None:
    itself: list[object] = []
    itself.append(itself)
    given = [object(), np.array([None]), {1, 2}, "x" * (wire.LONGEST + 1), 1 << (wire.LONGEST + 1), print]
    kinds = [value.kind for value in wire.decode(wire.encode(given))]
    assert kinds == ["object", "ndarray of object", "set", "too large", "too large", "builtin_function_or_method"]
    assert "too deep" in repr(wire.decode(wire.encode(itself)))
    swapped = wire.decode(wire.encode(np.arange(3, dtype=">f8")))
    assert swapped.tolist() == [0, 1, 2]


def test_damage_is_told() -> None:
    """Any byte changed, or the end cut off: a value or `DamagedError`, nothing else."""
    rng = np.random.default_rng(0)
    message = wire.encode([VALUES, ARRAYS])
    refused = 0
    for _ in range(2000):
        damaged = bytearray(message)
        for place in rng.integers(0, len(message), 3):
            damaged[place] = rng.integers(0, 256)
        try:
            wire.decode(bytes(damaged[: rng.integers(0, len(message))] if rng.integers(2) else damaged))
        except wire.DamagedError:
            refused += 1
    assert refused > 1000
