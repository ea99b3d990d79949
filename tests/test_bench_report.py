"""The terminal report of a run, at 80 and at 100 columns."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from parity.bench import report
from parity.bench.columns import COLUMNS
from parity.bench.results import Results
from tests.bench_results import NO_CUDA, WRONG, group, results


def shown(run: Results, width: int) -> str:
    console = Console(width=width, highlight=False, record=True)
    with console.capture() as captured:
        report.show(run, console)
    return captured.get()


@pytest.fixture(scope="module")
def texts() -> dict[int, str]:
    return {width: shown(results(), width) for width in (80, 100)}


@pytest.mark.parametrize("width", [80, 100])
def test_no_line_is_longer_than_the_terminal_and_nothing_is_cut(texts: dict[int, str], width: int) -> None:
    assert max(map(len, texts[width].splitlines())) <= width
    assert "…" not in texts[width]
    assert " ".join(WRONG.split()) in " ".join(texts[width].split())


def test_a_narrow_terminal_says_which_columns_it_leaves_out(texts: dict[int, str]) -> None:
    assert "no room for first, IQR, memory, cold: --html and --json have it all\n" in texts[80]
    assert "no room for first: --html" in texts[100]
    assert "no room for" not in shown(results(), 140)
    header = next(line for line in texts[80].splitlines() if "× floor" in line)
    assert header.split() == ["bound", "×", "floor", "median", "of", "peak", "pays"]


def test_rows_are_sorted_by_ratio_and_what_differs_is_first(texts: dict[int, str]) -> None:
    table = texts[100].split("\n\n")[1].splitlines()
    assert table[0] == "shallow-2-4-1-m400 · step · float32 · cpu · 1 thread"
    assert table[2].split() == ["planted", "✗", "differs"]
    ratios = [float(line.partition("[")[0].split()[-1]) for line in table[3:]]
    assert len(ratios) == 11
    assert ratios == sorted(ratios)


def test_every_time_stands_beside_a_ratio(texts: dict[int, str]) -> None:
    for line in texts[100].partition("× floor  time over")[0].splitlines():
        if any(f" {unit} " in f"{line} " for unit in ("ns", "µs", "ms", "s")):
            assert "[" in line


def test_noise_stands_beside_its_heading_and_only_there(texts: dict[int, str]) -> None:
    marked = [line for line in texts[100].splitlines() if "NOISY: " in line]
    assert marked == ["logistic-30-1-m569 · step · float64 · cpu · 2 threads  NOISY: drift 8.3 %"]


def test_growth_is_a_table_with_the_crossovers_below(texts: dict[int, str]) -> None:
    growth = texts[100].partition("growth · step · float32 · cpu · 1 thread")[2].partition("\n\n")[0]
    titles = [line.split("  ") for line in growth.splitlines()[1:3]]
    assert [[word.strip() for word in line if word.strip()] for line in titles] == [
        ["n: logistic-n-1,", "L: deep-64×L-1,"], ["m: shallow-2-4-1", "m = 4096", "m = 1024"]
    ]  # fmt: skip
    slopes = next(line.split() for line in growth.splitlines() if line.startswith("reference "))
    assert len(slopes) == 4
    assert "jax-jit beats jax-eager at every size, reference from m ≈ " in " ".join(growth.split())


def test_what_was_skipped_is_counted_by_its_reason(texts: dict[int, str]) -> None:
    assert "   36  trains, and has no single step: sklearn-mlp\n" in texts[100]
    assert f"   24  nothing on cuda: {NO_CUDA}\n" in texts[100]


@pytest.mark.parametrize("width", [80, 100])
def test_the_last_line_counts(texts: dict[int, str], width: int) -> None:
    assert texts[width].splitlines()[-1] == "264 rows timed, 60 skipped, 1 differs"


def test_the_legend_explains_every_column_that_is_shown_each_on_one_line(texts: dict[int, str]) -> None:
    for width, shown_there in ((80, "bound × median of pays"), (100, "bound × median IQR of cold pays memory")):
        legend = texts[width].partition("\nbound    ✓")[2].partition("\nno room")[0].splitlines()
        legend = [f"bound    ✓{legend[0]}", *legend[1:]]
        assert [line.split()[0] for line in legend] == [*shown_there.split(), "p", "NOISY"]
    assert all(len(report.LABEL * " " + column.said) <= 80 and bool(column.said) == bool(column.short)
               for column in COLUMNS)  # fmt: skip
    alone = shown(replace(results(), groups=results().groups[:1]), 80)
    assert "NOISY" not in alone
    assert "\np   " not in alone


def test_a_long_command_is_cut_and_leaves_out_the_files_that_were_written() -> None:
    words = ("bench", "--json", "/a/long/way/x.json", "--filter", "logistic-*/step/*", "--plots", "there")
    first, second = shown(replace(results(), command=words), 80).splitlines()[:2]
    assert first == "parity bench --filter 'logistic-*/step/*'"
    assert second == "Example CPU 9000 @ 2.80 GHz; 2026-11-25 16:15 UTC; commit fcc29e1c0ffe"
    long = shown(replace(results(), command=("bench", "--filter", "x" * 90)), 80).splitlines()
    assert (len(long[0]), long[0][-1], long[1]) == (80, "…", second)


def test_names_from_outside_neither_steer_the_terminal_nor_break_a_table() -> None:
    name = "[red]\x1b[31m" + "long" * 20
    run = results(own=name, fault=f"{name}\nnext", reason="[/red] no\x07")
    run = replace(run, groups=(*run.groups, group("logistic-30-1-m569", "train", "float32", 1)))
    for width in (80, 100):
        text = shown(run, width)
        assert max(map(len, text.splitlines())) <= width
        assert not {"\x1b", "\x07"} & set(text)
        assert "[red]" in text
        assert "[/red] no\\x07" in text
        assert "…" not in text


def test_a_run_of_nothing_is_one_line_that_counts() -> None:
    empty = replace(results(), groups=(), notes=())
    assert shown(empty, 80).splitlines()[-1] == "0 rows timed, 0 skipped, 0 differ"
