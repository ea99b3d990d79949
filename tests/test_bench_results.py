"""What is written is read back; what is anything else is refused in one line that says where."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parity.bench import results as rooms
from parity.bench.results import Group, Key, Peak, Results, Row, as_json, load
from parity.bench.statistics import ratio, summary
from parity.errors import BadInput
from tests.bench_results import small
from tests.shared import refused

FLOOR = Key("logistic-30-1-m569", "step", "float64", "cpu", 1, "floor")
ROWS = (
    Row(FLOOR, "floor", calls=9, samples=(2.0, 4.0, 1.0), bound_by="bytes", peak_share=0.5),
    Row(
        replace(FLOOR, implementation="jax"),
        "rounding",
        share=0.25,
        calls=3,
        steps=10,
        samples=(3.0, 8.0, 5.0),
        first=0.5,
        transfer=0.0,
        cold={"import": 1.5, "first": 2.0},
        pays_after=math.inf,
        peak_memory=4096,
    ),
    Row(replace(FLOOR, implementation="wrong"), "differs", fault="dW1[3, 2] is 1, exact 2"),
    Row(replace(FLOOR, device="cuda"), skipped="no CUDA device"),
    Row(replace(FLOOR, implementation="of somebody else"), "bits"),
)
RESULTS = Results(
    made="2026-01-01T00:00:00+00:00",
    command=("--quick",),
    machine={"cpu": "6502", "caches": {"L1d": 32}, "usable": [0, 1], "odd": math.nan},
    libraries=({"user_api": "blas", "version": None},),
    versions={"numpy": "2.4.6", "torch": None},
    flags={"OMP_NUM_THREADS": "1"},
    switches={"x64": True},
    commit="unknown",
    seed=1,
    peaks=(Peak("flops", "float64", "cpu", 1, 1e10, "dgemm"),),
    groups=(Group("floor", (1.0, 1.0, 1.5), 0.4, ROWS), Group("", (), 0.0, ())),
    notes=("a note",),
)


VALID = json.dumps(as_json(RESULTS), allow_nan=False)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[object], Path]:
    """Writes a document, or bytes as they are."""

    def write(document: object) -> Path:
        path = tmp_path / "old.json"
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return path

    return write


Written = Callable[[object], Path]


def document() -> dict[str, Any]:
    """The JSON of a valid run, to be damaged."""
    return json.loads(VALID)


def test_what_is_written_is_read_back(written: Written) -> None:
    """Only what JSON has no name for is null."""
    assert load(written(document())) == replace(RESULTS, machine=RESULTS.machine | {"odd": None})


def test_the_first_line_says_what_it_is() -> None:
    assert list(as_json(RESULTS).items())[:2] == [("schema", "parity.bench"), ("schema_version", 1)]


def test_figures_for_other_programs() -> None:
    group = document()["groups"][0]
    assert group["noisy"] is True
    derived = group["rows"][1]["derived"]
    figures, beside = summary((3, 8, 5)), ratio((3, 8, 5), (2, 4, 1))
    assert [derived[name] for name in ("min", "median", "q1", "q3", "iqr")] == [
        3,
        5,
        figures.q1,
        figures.q3,
        figures.iqr,
    ]
    assert derived["ratio"] == {"median": 2, "low": 1.5, "high": 5, "coverage": beside.coverage}
    assert [row["derived"] for row in group["rows"][2:]] == [None, None, None]


def test_no_ratio_without_a_floor() -> None:
    group = replace(RESULTS.groups[0], rows=ROWS[1:])
    assert as_json(replace(RESULTS, groups=(group,)))["groups"][0]["rows"][0]["derived"]["ratio"] is None


def test_never_is_infinity_there_and_back(written: Written) -> None:
    told = document()
    assert told["groups"][0]["rows"][1]["pays_after"] == "never"
    told["groups"][0]["rows"][1]["share"] = "never"
    assert "groups[0].rows[1].share is not a finite number" in refused(load, written(told))


def test_what_is_derived_is_not_read(written: Written) -> None:
    told = document()
    told["groups"][0]["rows"][1]["derived"] = "nonsense"
    del told["groups"][0]["noisy"]
    told["of a later parity"] = told["groups"][0]["rows"][0]["key"]["also"] = [1]
    assert load(written(told)).groups == RESULTS.groups


def test_bytes_that_are_no_text_are_escaped(written: Written) -> None:
    """As those of a file's name on the command line are."""
    found = load(written(as_json(replace(RESULTS, command=("--json", "\udcff.json")))))
    assert found.command == ("--json", r"\udcff.json")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"{", "is no JSON, or is damaged: Expecting"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "is no JSON, or is damaged"),
        (b"\xff\xfe\x00", "is no JSON, or is damaged"),
        (b"NaN", "NaN is no number in JSON"),
        (b"1" * 5000, "is no JSON, or is damaged"),
        (b"[" * 100_000, "is no JSON, or is damaged: maximum recursion depth"),
        (b'{"a":' * 100_000, "is no JSON, or is damaged: maximum recursion depth"),
        (b"[]", "is the JSON of something else, not of parity.bench"),
        (b"null", "is the JSON of something else"),
        (b"{}", "is the JSON of something else"),
        (b'{"schema": ["parity.bench"]}', "is the JSON of something else"),
        (b'{"schema": "parity.run", "schema_version": 1}', "is the JSON of parity.run, not of parity.bench: name one"),
        (b'{"schema": "parity\\n.run"}', r"is the JSON of parity\n.run"),
        (b'{"schema": "parity.bench"}', "has version null of its schema, and this parity reads 1"),
        (
            b'{"schema": "parity.bench", "schema_version": 0}',
            "has version 0 of its schema, and this parity reads 1: run",
        ),
        (
            b'{"schema": "parity.bench", "schema_version": 2}',
            "this parity reads 1: read it with the parity that wrote it",
        ),
        (b'{"schema": "parity.bench", "schema_version": true}', "has version true"),
        (b'{"schema": "parity.bench", "schema_version": "1"}', 'has version "1"'),
        (b'{"schema": "parity.bench", "schema_version": 1}', "is damaged: made is missing; take another copy"),
    ],
)
def test_what_is_no_run(content: bytes, line: str, written: Written) -> None:
    path = written(content)
    message = refused(load, path)
    assert message.startswith(f"{path} ")
    assert line in message


def test_one_that_ends_too_early(written: Written) -> None:
    whole = VALID.encode()
    for end in range(0, len(whole) - 1, 29):
        assert "is no JSON, or is damaged" in refused(load, written(whole[:end]))


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "No such file or directory; name the JSON" in refused(load, tmp_path / "missing.json")
    assert "is a folder" in refused(load, tmp_path)
    assert ". is a folder" in refused(load, "")
    os.mkfifo(tmp_path / "pipe")
    assert "is no regular file" in refused(load, tmp_path / "pipe")


def test_one_that_cannot_be_read(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(document())

    def denied(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert refused(load, path) == f"{path} cannot be read: Permission denied; name the JSON of a run"


def test_one_that_is_too_large(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(document())
    monkeypatch.setattr(rooms, "LARGEST", path.stat().st_size - 1)
    assert "and no run more than" in refused(load, path)
    monkeypatch.setattr(rooms, "LARGEST", path.stat().st_size)
    load(path)


def at(told: dict[str, Any], *path: str | int) -> Any:
    for part in path:
        told = told[part]
    return told


ROW = ("groups", 0, "rows", 1)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("groups", 0, "sentinel", 1), -1.0, "groups[0].sentinel has a time that is not positive"),
        ((*ROW, "samples", 0), 0, "groups[0].rows[1].samples has a time that is not positive"),
        ((*ROW, "samples", 0), None, "groups[0].rows[1].samples[0] is not a finite number"),
        ((*ROW, "samples", 0), True, "groups[0].rows[1].samples[0] is not a finite number"),
        ((*ROW, "samples", 0), "1", "groups[0].rows[1].samples[0] is not a finite number"),
        ((*ROW, "samples", 0), 10**400, "groups[0].rows[1].samples[0] is not a finite number"),
        (
            (*ROW, "samples"),
            [1.0, 2.0],
            "groups[0].rows[1].samples has 2 rounds, and what comes before it in its group 3",
        ),
        (("groups", 0, "sentinel"), [], "groups[0].sentinel has 0 rounds, and what comes before it in its group 3"),
        ((*ROW, "samples"), {"0": 1.0}, "groups[0].rows[1].samples is not a list"),
        ((*ROW, "key", "implementation"), "floor", "groups[0].rows[1].key is that of another row"),
        ((*ROW, "key", "threads"), 1.0, "groups[0].rows[1].key.threads is not an integer"),
        ((*ROW, "key", "threads"), False, "groups[0].rows[1].key.threads is not an integer"),
        ((*ROW, "key"), None, "groups[0].rows[1].key is not an object"),
        ((*ROW, "verdict"), "good", "groups[0].rows[1].verdict is none of rounding, bits, differs, floor"),
        ((*ROW, "cold"), {"import\n": "now"}, r"groups[0].rows[1].cold.import\n is not a finite number"),
        (("versions", "numpy"), 2, "versions.numpy is not a text"),
        (("machine",), [], "machine is not an object"),
        (("peaks", 0, "rate"), None, "peaks[0].rate is not a finite number"),
    ],
)
def test_what_is_damaged_inside(path: tuple[str | int, ...], value: object, line: str, written: Written) -> None:
    told = document()
    at(told, *path[:-1])[path[-1]] = value
    assert f"is damaged: {line}; take another copy, or run again" in refused(load, written(told))


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, of in items:
        yield (*path, name)
        yield from places(of, (*path, name))


PLACES = list(places(document()))
FREE = ("derived", "noisy", "odd", "busy")


def test_whatever_is_missing_is_named(written: Written) -> None:
    """But for what is derived or was added later, and what a list or an object of any length holds."""
    keys = [path for path in PLACES if isinstance(path[-1], str) and not {*FREE, "schema", "schema_version"} & {*path}]
    assert len(keys) > 100
    for path in keys:
        told = document()
        del at(told, *path[:-1])[path[-1]]
        if path[-2:-1] and path[-2] in ("machine", "caches", "libraries", "versions", "flags", "switches", "cold"):
            load(written(told))
        elif path[0] != "libraries":
            assert str(path[-1]) in refused(load, written(told))


OTHERS = (None, True, -1, 0, 2, math.pi, "", "never", "a\n\x1b[31m", "\ud800", [], {}, [[1]], {"a": {}}, 10**400, 1e999)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_replaced_is_read_or_refused_in_one_line(path: tuple[str | int, ...], written: Written) -> None:
    """1e999, an infinity, is written by Python's json as no number of JSON."""
    for other in OTHERS:
        told = document()
        at(told, *path[:-1])[path[-1]] = other
        read_or_refused(written(told))


def read_or_refused(path: Path) -> None:
    try:
        load(path)
    except BadInput as error:
        line = str(error)
        assert line.isprintable()
        assert len(line) < len(str(path)) + 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_whatever_is_damaged_in_several_places(written: Written, data: st.DataObject) -> None:
    told = document()
    for path in data.draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4)):
        try:
            inside = at(told, *path[:-1])
            inside[path[-1]] = data.draw(JSON)
        except (KeyError, IndexError, TypeError):  # what was replaced before is no more
            continue
    read_or_refused(written(told))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.integers(min_value=0), st.binary(max_size=4))
def test_whatever_bytes_are_overwritten(written: Written, where: int, what: bytes) -> None:
    whole = VALID.encode()
    where %= len(whole)
    read_or_refused(written(whole[:where] + what + whole[where + len(what) :]))


def test_a_file_from_before_a_key_was_added_is_read(tmp_path: Path) -> None:
    written = as_json(small())
    for group in written["groups"]:
        del group["busy"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(written), encoding="utf-8")
    assert load(path) == replace(small(), groups=tuple(replace(group, busy=0.0) for group in small().groups))


def test_the_results_that_are_kept_are_read() -> None:
    kept = sorted((Path(__file__).parents[1] / "results").glob("*.json"))
    assert kept
    assert all(row.verdict for path in kept for group in load(path).groups for row in group.rows if row.samples)
