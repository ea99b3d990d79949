"""What is read off a run: ratios, crossovers, what is noisy, and that no time is had without its ratio."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from parity.bench import reading, skips, units
from parity.bench.results import Group, Key, Peak, Row
from parity.compare import DIFFERS
from tests.bench_results import group, on_cuda, results, with_fault


def test_rows_are_sorted_by_their_ratio_and_those_of_no_use_are_set_apart() -> None:
    read = reading.Reading(with_fault(group("logistic-30-1-m569", "step", "float32", 1), "planted"))
    ratios = [line.ratio.median for line in read.lines]
    assert ratios == sorted(ratios)
    assert {"floor", "reference", "jax-scan"} <= {line.name for line in read.lines}
    assert [row.key.implementation for row in read.differing] == ["planted"]
    assert [row.key.implementation for row, _ in read.skipped] == ["sklearn-mlp"]


def test_a_row_that_differs_has_no_time_even_if_it_was_given_samples() -> None:
    whole = with_fault(group("logistic-30-1-m569", "step", "float32", 1), "planted")
    timed = replace(whole.rows[-1], samples=whole.rows[0].samples)
    read = reading.Reading(replace(whole, rows=(*whole.rows[:-1], timed)))
    assert "planted" not in {line.name for line in read.lines}


def test_without_a_floor_there_are_no_times() -> None:
    whole = group("logistic-30-1-m569", "step", "float32", 1)
    read = reading.Reading(replace(whole, rows=whole.rows[2:]))
    assert read.lines == ()
    assert {reason for row, reason in read.skipped if row.samples} == {reading.NO_FLOOR}


def test_a_ratio_is_of_pairs_of_the_same_round() -> None:
    """A machine that becomes ten times slower halfway changes no ratio."""
    key = Key("shallow-2-4-1-m400", "step", "float32", "cpu", 1, "floor")
    floor = tuple(float(10 ** (i // 10)) for i in range(20))
    own = tuple(3 * t for t in floor)
    rows = (Row(key, "floor", samples=floor), Row(replace(key, implementation="own"), "rounding", samples=own))
    line = reading.Reading(Group("floor", (), 0.0, rows)).lines[-1]
    assert (line.ratio.low, line.ratio.median, line.ratio.high) == (3, 3, 3)


def test_noisy_is_what_drifts_too_much_and_nothing_else() -> None:
    assert [r.heading for r in reading.noisy(results())] == ["logistic-30-1-m569 · step · float64 · cpu · 2 threads"]


def test_the_totals_leave_the_floors_out() -> None:
    run = replace(results(), groups=(on_cuda("logistic-30-1-m569", "step", "float32"),))
    assert str(reading.totals(run)) == "0 rows timed, 4 skipped, 0 differ"
    run = replace(run, groups=(with_fault(group("logistic-30-1-m569", "step", "float32", 1), "planted"),))
    assert str(reading.totals(run)) == "9 rows timed, 1 skipped, 1 differs"


def test_reasons_are_gathered_by_device_and_without_the_name_they_begin_with() -> None:
    key = Key("logistic-30-1-m569", "step", "float32", "cuda", 1, "reference")
    told = {"reference": "knows no device cuda", "torch-eager": "built without CUDA", "own": "knows no device cuda"}
    rows = [
        Row(replace(key, implementation=name), skipped=f"{name} {why}" if name != "torch-eager" else why)
        for name, why in told.items()
    ]
    run = replace(results(), groups=(Group("", (), 0.0, tuple(rows)),))
    assert [why for why, _ in skips.reasons(run)] == [
        "nothing on cuda: built without CUDA; knows no device cuda: reference, own"
    ]
    timed = replace(rows[1], skipped="", verdict=DIFFERS, fault="no")
    run = replace(run, groups=(Group("", (), 0.0, (rows[0], timed, rows[2])),))
    assert [(why, len(of)) for why, of in skips.reasons(run)] == [("knows no device cuda: reference, own", 2)]


def test_reasons_that_differ_by_their_numbers_are_one_with_the_range() -> None:
    key = Key("logistic-30-1-m569", "step", "float32", "cpu", 1, "loop")
    whys = [f"a loop of {n} million turns, about {n} s (torch 2.{n})" for n in (94, 2, 8)] + ["of torch 2.1", "no"]
    rows = [Row(replace(key, threads=i), skipped=why.replace("(torch 2.94)", "").strip()) for i, why in enumerate(whys)]
    assert [why for why, _ in skips.reasons(replace(results(), groups=(Group("", (), 0.0, tuple(rows)),)))] == [
        "a loop of 94 million turns, about 94 s: loop",
        "a loop of 2 million turns, about 2 s (torch 2.2): loop",
        "a loop of 8 million turns, about 8 s (torch 2.8): loop",
        "of torch 2.1: loop",
        "no: loop",
    ]
    rows = [replace(row, skipped=row.skipped.partition(" (")[0]) for row in rows[:3]]
    (one,) = skips.reasons(replace(results(), groups=(Group("", (), 0.0, tuple(rows)),)))
    assert (one.why, len(one.rows)) == ("a loop of 2 to 94 million turns, about 2 to 94 s: loop", 3)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([3.2, 3.2, 3.2], "a beats b from m ≈ 2.6"),
        ([1, 5, 3], "a beats b from m ≈ 5.2"),
        ([1, 1, 1], "a beats b at every size"),
        ([9, 9, 9], "a beats b at no size"),
        ([1, 1, 9], "a beats b at no size"),
    ],
)
def test_a_crossover_is_where_one_begins_to_win_for_good(times: list[float], said: str) -> None:
    """Against b, which takes 2, 4 and 8 at sizes 1, 4 and 16."""
    found = reading.crossover("a", "b", dict(zip((1, 4, 16), times, strict=True)), {1: 2.0, 4: 4.0, 16: 8.0})
    assert found is not None
    assert found.said("m") == said


def test_a_crossover_is_interpolated() -> None:
    """4 and 4 against 1 and 16: they meet in the middle of the logarithms, at size 2 and time 4."""
    found = reading.crossover("a", "b", {1: 4.0, 4: 4.0}, {1: 1.0, 4: 16.0})
    assert found is not None
    assert math.log2(found.at or 0) == 1
    assert math.log2(found.time or 0) == 2
    assert reading.crossover("a", "b", {1: 4.0}, {1: 1.0, 4: 16.0}) is None


def test_where_a_gpu_begins_to_win_is_told_against_numpy_with_the_most_threads() -> None:
    def series(device: str, threads: int, call: float, each: float) -> list[Group]:
        name = "reference" if device == "cpu" else "torch-eager"
        keys = {m: Key(f"shallow-2-4-1-m{m}", "step", "float32", device, threads, name) for m in (64, 256, 1024)}
        return [
            Group("floor", (), 0.0, tuple(
                Row(replace(key, implementation=n), v, samples=(t, t))
                for n, v, t in (("floor", "floor", 1e-9 * m), (name, "rounding", call + each * m))
            ))
            for m, key in keys.items()
        ]  # fmt: skip

    run = replace(
        results(),
        groups=(*series("cpu", 1, 0.0, 2e-7), *series("cpu", 2, 0.0, 1e-7), *series("cuda", 1, 5e-5, 0.0)),
    )
    every = reading.growths(run)
    said = [c.said("m") for g in every for c in reading.crossovers(g, every)]
    assert said == ["the fastest on cuda beats reference on cpu, 2 threads from m ≈ 500"]


def test_the_slope_is_that_of_the_series() -> None:
    (growth,) = [g for g in reading.growths(results()) if g.axis == "n"]
    assert growth.slope_text("floor") == "0.99"
    assert growth.slope_text("nobody") == ""
    lines = growth.by_name["floor"]
    assert [reading.size(line) for line in lines] == [16, 64, 256, 1024, 4096]
    assert replace(growth, by_name={"floor": lines[:1]}).slope("floor") is None


def test_floors_are_last_whatever_a_series_leaves_out() -> None:
    one, other, *_ = reading.growths(results())
    few = {name: of for name, of in one.by_name.items() if name != "sklearn-loss"}
    names = reading.grown([replace(one, by_name=few), other])
    assert names[-3:] == ["sklearn-loss", "floor", "floor-torch"]


def test_a_peak_of_bytes_holds_in_every_format_and_one_of_operations_in_its_own() -> None:
    where = reading.Place("step", "float64", "cpu", 1)
    peaks = (
        Peak("bytes", "float32", "cpu", 1, 1e9, "sum"),
        Peak("bytes", "float32", "cpu", 1, 2e9, "copy"),
        Peak("flops", "float32", "cpu", 1, 3e9, "gemm"),
    )
    run = replace(results(), peaks=peaks)
    found = reading.peak(run, "bytes", where)
    assert found is not None
    assert found.by == "copy"
    assert reading.peak(run, "flops", where) is None


def test_the_provenance_is_short() -> None:
    run = replace(results(), commit="0123456789abcdef0123-dirty")
    assert reading.provenance(run).endswith("2026-11-25 16:15 UTC; commit 0123456789ab-dirty")
    other = replace(run, commit="", made="some day", machine={"platform": "Linux", "gpus": ["H100"]})
    assert reading.provenance(other) == "Linux, H100; some day; commit unknown"


@pytest.mark.parametrize(
    ("t", "said"),
    [
        (9.996e-7, "1.00 µs"), (9.994e-7, "999 ns"), (0.9996, "1.00 s"), (59.96, "60.0 s"), (12345.0, "12,345 s"),
        (3e-10, "0.300 ns"), (0.0, "0 ns"),
    ],
)  # fmt: skip
def test_a_time_has_three_digits_and_the_unit_of_the_rounded_number(t: float, said: str) -> None:
    assert units.seconds(t) == said


def test_what_is_infinite_has_a_sign_for_it() -> None:
    assert units.seconds(math.inf) == units.digits(math.inf) == "∞"
