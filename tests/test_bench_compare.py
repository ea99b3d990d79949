"""Two runs compared: what is slower is told, what is only noise is not. No figure here is this machine's speed."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter

import numpy as np
import pytest
from rich.console import Console

from parity.bench.compare import (
    SIZE,
    Change,
    Comparison,
    compare,
    confirmed,
    rows_worth_running,
    show,
    worth_confirming,
)
from parity.bench.results import Group, Key, Results, Row
from parity.bench.statistics import drift
from tests.shared import refused

ROUNDS = 40
NAMES = ("floor", "numpy", "torch", "jax")
EMPTY = Results("", (), {"cpu": "6502"}, (), {"numpy": "2"}, {}, {}, "a" * 40, 0)


def key(case: str, name: str) -> Key:
    return Key(case, "step", "float64", "cpu", 1, name)


def row(case: str, name: str, samples: tuple[float, ...]) -> Row:
    return Row(key(case, name), "floor" if name == "floor" else "rounding", calls=1, samples=samples)


def group(case: str, times: dict[str, tuple[float, ...]], sentinel: tuple[float, ...]) -> Group:
    rows = tuple(row(case, name, samples) for name, samples in times.items())
    return Group("floor", sentinel, drift(sentinel), rows)


def run(*groups: Group) -> Results:
    return replace(EMPTY, groups=groups)


# Simulated runs ------------------------------------------------------------------------------------------------------


def common(rng: np.random.Generator) -> np.ndarray:
    """How slow the machine is, round by round: a level, a trend of up to 30 %, and a jump of up to 30 % somewhere."""
    t = np.arange(ROUNDS) / ROUNDS
    return rng.lognormal(0, 0.1) * (1 + 0.3 * rng.random() * t) * (1 + 0.3 * rng.random() * (t > rng.random()))


def noisy(rng: np.random.Generator, time: float, offset: float) -> np.ndarray:
    """Rounds of a row: an offset of the process, log-normal noise, and one outlier of twice the time in twenty."""
    outliers = 1 + rng.binomial(1, 1 / 20, ROUNDS)
    return time * rng.lognormal(0, offset) * rng.lognormal(0, 0.04, ROUNDS) * outliers


def simulated(seed: int, slow: float = 1, offset: float = 0.015) -> Results:
    """A run of five cases; in one, torch takes `slow` times as long."""
    rng, groups = np.random.default_rng(seed), []
    for i in range(5):
        machine, case = common(rng), f"case-{i}"
        factors = {name: slow if (i, name) == (3, "torch") else 1 for name in NAMES}
        times = {
            name: tuple((machine * noisy(rng, n + 1, offset) * factors[name]).tolist()) for n, name in enumerate(NAMES)
        }
        groups.append(group(case, times, tuple((machine * noisy(rng, 1, 0)).tolist())))
    return run(*groups)


def regressions(comparison: Comparison) -> list[Key]:
    return [change.key for change in comparison.regressions]


def test_the_same_code_ten_times_is_no_regression() -> None:
    """Each run beside each other one, both ways; some say NOISY."""
    runs = [simulated(seed) for seed in range(10)]
    pairs = [(old, new) for old in runs for new in runs if old is not new]
    assert [found for old, new in pairs if (found := regressions(compare(old, new)))] == []
    assert any("NOISY" in shown(compare(runs[0], new)) for new in runs)


def test_a_planted_slow_one_is_found_and_nothing_else() -> None:
    """In nine of ten runs at least, and again in the run that confirms it."""
    torch, found, kept = key("case-3", "torch"), 0, 0
    for seed in range(20):
        old, new, again = simulated(seed), simulated(100 + seed, slow=1.3), simulated(200 + seed, slow=1.3)
        first = compare(old, new)
        both = confirmed(first, compare(old, again))
        assert {*regressions(first), *regressions(both)} <= {torch}
        found, kept = found + bool(first.regressions), kept + bool(both.regressions)
        assert regressions(compare(new, old)) == []
    assert found >= kept >= 18


def test_one_that_has_become_faster_is_told() -> None:
    verdicts = {change.key: change.verdict for change in compare(simulated(101, slow=1.3), simulated(1)).rows}
    assert [of for of, verdict in verdicts.items() if verdict == "faster"] == [key("case-3", "torch")]


def test_a_core_that_did_other_work_proves_nothing() -> None:
    """In the old run another process had it half of the time: all took twice as long but what waits for threads."""
    quiet, groups = simulated(0), []
    for old in simulated(1).groups:
        twice = (replace(row, samples=tuple(2 * t for t in row.samples)) for row in old.rows)
        rows = (slow if slow.key.implementation != "jax" else row for row, slow in zip(old.rows, twice, strict=True))
        groups.append(replace(old, rows=tuple(rows)))
    assert {change.key.implementation for change in compare(run(*groups), quiet).regressions} == {"jax"}
    held_up = run(*(replace(group, busy=0.5) for group in groups))
    assert compare(held_up, quiet).regressions == ()
    assert compare(quiet, held_up).regressions == ()


def test_what_is_slow_in_one_process_alone_is_not_confirmed() -> None:
    """Offsets of 6 % a row and process are more than the size that is told allows for, one by one."""
    olds, news, agains = ([simulated(start + i, offset=0.06) for i in range(10)] for start in (0, 100, 200))
    firsts = [compare(old, new) for old, new in zip(olds, news, strict=True)]
    alone = [change for first in firsts for change in first.regressions]
    both = [confirmed(first, compare(*runs)) for first, *runs in zip(firsts, olds, agains, strict=True)]
    kept = [change for comparison in both for change in comparison.regressions]
    assert len(alone) > 2 * len(kept)
    assert any("when timed again" in shown(comparison) for comparison in both)


# Real runs -----------------------------------------------------------------------------------------------------------


def timed(works: dict[str, Callable[[], object]], rounds: int = 12, calls: int = 20) -> Results:
    """A run of some functions, in turns."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            start = perf_counter()
            for _ in range(calls):
                work()
            times[name].append((perf_counter() - start) / calls)
    sentinel = tuple(times.pop("sentinel"))
    return run(group("real", {name: tuple(samples) for name, samples in times.items()}, sentinel))


def works() -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(0)
    W, X = rng.standard_normal((8, 8)), rng.standard_normal((8, 256))
    return {
        "floor": partial(np.dot, W, X),
        "numpy": lambda: np.tanh(W @ X),
        "torch": lambda: np.maximum(W @ X, 0),
        "jax": lambda: np.exp(-(W @ X)) + 1,
        "sentinel": partial(np.dot, X, X.T),
    }


def test_real_timings_of_the_same_code_are_no_regression() -> None:
    """Ten runs after a first one; what is slower is timed again, as the command does."""
    of = works()
    old = timed(of)
    for _ in range(10):
        first = compare(old, timed(of))
        assert not worth_confirming(first) or not confirmed(first, compare(old, timed(of))).regressions


def test_real_work_that_is_done_thrice_is_found() -> None:
    of = works()

    def thrice() -> None:
        for _ in range(3):
            of["numpy"]()

    assert regressions(compare(timed(of), timed(of | {"numpy": thrice}))) == [key("real", "numpy")]


# What makes a regression, condition by condition ---------------------------------------------------------------------

STEADY = tuple(1 + i / 1000 for i in range(ROUNDS))


def beside(
    new: dict[str, tuple[float, ...]], old: dict[str, tuple[float, ...]] | None = None, **how: object
) -> dict[str, str]:
    """The verdicts on one group of steady rows, of which some are as said."""
    steady = {"floor": STEADY, "numpy": times(2)}
    runs = (run(group("one", steady | (changed or {}), STEADY)) for changed in (old, new))
    return {change.key.implementation: change.verdict for change in compare(*runs, **how).rows}


def times(factor: float) -> tuple[float, ...]:
    return tuple(factor * time for time in STEADY)


def test_nothing_changed() -> None:
    assert beside({}) == {"floor": "same", "numpy": "same"}


def test_a_machine_that_is_slower_as_a_whole_is_no_regression() -> None:
    assert beside({"floor": times(3), "numpy": times(6)}) == {"floor": "slower", "numpy": "same"}


def test_a_floor_is_shown_and_never_a_regression() -> None:
    old, new = (run(group("one", {"floor": times(f), "numpy": times(2 * f)}, STEADY)) for f in (1, 3))
    comparison = compare(old, new)
    assert comparison.regressions == ()
    assert "floor 1.02 s 3.06 s 3.00 [2.99, 3.01]" in " ".join(shown(comparison).split())


def test_slower_and_faster_are_beyond_the_size() -> None:
    assert beside({"numpy": times(2 * (1 + SIZE) + 1 / 50)})["numpy"] == "slower"
    assert beside({"numpy": times(2 * (1 + SIZE) - 1 / 50)})["numpy"] == "same"
    assert beside({"numpy": times(2 / (1 + SIZE) - 1 / 50)})["numpy"] == "faster"
    assert beside({"numpy": times(2 / (1 + SIZE) + 1 / 50)})["numpy"] == "same"
    assert beside({"numpy": times(2.5)}, size=0.3)["numpy"] == "same"


def test_a_noisy_stretch_is_no_regression_for_the_minimum_is_as_before() -> None:
    stretch = tuple(time * (4 if 2 < i else 2) for i, time in enumerate(STEADY))
    assert beside({"numpy": stretch})["numpy"] == "same"


def test_some_slow_rounds_are_no_regression_for_the_interval_says_so() -> None:
    half = tuple(time * (4 if i % 2 else 2 * (1 + 2 * SIZE)) for i, time in enumerate(STEADY))
    wide = tuple(time * (3.9 if i % 2 else 2) for i, time in enumerate(STEADY))
    assert beside({"numpy": half}, {"numpy": wide})["numpy"] == "same"
    mixed = tuple(time * (1.9 if i % 2 else 1.6) for i, time in enumerate(STEADY))
    assert beside({"numpy": mixed})["numpy"] == "same", "nor are some fast rounds what is told as faster"


def test_few_rounds_are_not_significant_among_many_rows() -> None:
    """Four rounds are enough for one row beside its floor, and not for fifty; that is said."""

    def of(factor: float, rows: int) -> Results:
        names = {f"row-{i}": times(2 * (factor if i == 0 else 1))[:4] for i in range(rows)}
        return run(group("one", {"floor": STEADY[:4]} | names, STEADY[:4]))

    assert len(compare(of(1, 1), of(2, 1)).regressions) == 1
    old, new = of(1, 50), of(2, 50)
    found = compare(old, new)
    assert found.regressions == ()
    assert found.notes == ("4 rounds cannot show a change in one of 51 rows: time 7 or more",)


def test_the_same_times_to_the_bit_are_the_same() -> None:
    """A coarse clock: all values tied."""
    tied = {"floor": (1.0,) * ROUNDS, "numpy": (2.0,) * ROUNDS}
    assert beside(tied, tied) == {"floor": "same", "numpy": "same"}


# Rows that one run alone has -----------------------------------------------------------------------------------------


def changed(old: tuple[Row, ...], new: tuple[Row, ...]) -> dict[str, Change]:
    """What a comparison says of rows in addition to one that both have."""
    shared = (row("one", "floor", STEADY), row("one", "numpy", times(2)))
    runs = (run(Group("floor", STEADY, 0.0, shared + rows)) for rows in (old, new))
    comparison = compare(*runs)
    show(comparison, console(100))
    return {change.key.implementation: change for change in comparison.rows[2:]}


TIMED = row("one", "jax", times(3))
WRONG = Row(TIMED.key, "differs", fault="dW1[3, 2] is 1, exact 2")
SKIPPED = Row(TIMED.key, skipped="no JAX here")


@pytest.mark.parametrize(
    ("old", "new", "verdict", "note"),
    [
        ((TIMED,), (), "only old", ""),
        ((), (TIMED,), "only new", ""),
        ((TIMED,), (WRONG,), "now differs", WRONG.fault),
        ((TIMED,), (SKIPPED,), "was skipped", SKIPPED.skipped),
        ((WRONG,), (TIMED,), "only new", WRONG.fault),
        ((SKIPPED,), (TIMED,), "only new", SKIPPED.skipped),
    ],
)
def test_rows_that_were_timed_once(old: tuple[Row, ...], new: tuple[Row, ...], verdict: str, note: str) -> None:
    found = changed(old, new)["jax"]
    assert (found.verdict, found.note, found.figures) == (verdict, note, None)


@pytest.mark.parametrize("rows", [((WRONG,), (WRONG,)), ((SKIPPED,), (SKIPPED,)), ((SKIPPED,), ()), ((), (WRONG,))])
def test_rows_that_were_never_timed_are_left_out(rows: tuple[tuple[Row, ...], tuple[Row, ...]]) -> None:
    assert changed(*rows) == {}


def test_what_now_differs_is_a_regression_that_no_second_run_takes_back() -> None:
    shared = (row("one", "floor", STEADY), row("one", "numpy", times(2)))
    old, new = (run(Group("floor", STEADY, 0.0, (*shared, last))) for last in (TIMED, WRONG))
    first = compare(old, new)
    assert regressions(first) == [TIMED.key]
    assert worth_confirming(first) == ()
    assert regressions(confirmed(first, compare(old, old))) == [TIMED.key]


def test_the_floor_is_one_that_both_have() -> None:
    """The best BLAS may be another one in the new run; the old one's floor is taken if it was timed too."""
    old = Group("floor", STEADY, 0.0, (row("one", "floor", STEADY), row("one", "numpy", times(2))))
    other = Row(key("one", "mkl"), "floor", samples=times(1 / 2))
    new = replace(old, floor="mkl", rows=(other, *old.rows))
    assert {change.verdict for change in compare(run(old), run(new)).rows} == {"same", "only new"}
    without = replace(new, rows=(other, old.rows[1]))
    found = compare(run(old), run(without))
    assert [change.verdict for change in found.rows] == ["only new", "no floor", "only old"]
    assert found.notes[-1] == "no floor in common on cpu, float64: its rows are not compared"


def test_what_has_to_be_timed_again() -> None:
    old = run(Group("floor", STEADY, 0.0, (row("one", "floor", STEADY), TIMED, SKIPPED)))
    assert rows_worth_running(old) == (key("one", "floor"), TIMED.key)
    first = compare(simulated(1), simulated(101, slow=1.3))
    assert worth_confirming(first) == (key("case-3", "floor"), key("case-3", "torch"))


# What is refused, and what is shown ----------------------------------------------------------------------------------


def test_different_machines_are_refused_unless_wanted() -> None:
    old = run(group("one", {"floor": STEADY, "numpy": STEADY}, STEADY))
    new = replace(old, machine={"cpu": "Z80"})
    assert "the runs are of different machines (cpu: 6502, and Z80)" in refused(compare, old, new)
    assert compare(old, new, other_machine=True).changed == ("machine: cpu: 6502, and Z80",)


def test_no_row_in_common_is_refused() -> None:
    runs = [run(group(name, {"floor": STEADY}, STEADY)) for name in ("one", "other")]
    assert "no row was timed in both runs" in refused(compare, *runs)
    assert "no row was timed in both runs" in refused(compare, EMPTY, EMPTY)


def test_what_else_is_different_is_said() -> None:
    old = run(group("one", {"floor": STEADY}, STEADY))
    blas = {"internal_api": "mkl", "version": "1", "architecture": None, "num_threads": 2}
    new = replace(
        old, commit="b" * 40, versions={"numpy": "3"}, flags={"X\n": "1"}, switches={"x64": True}, libraries=(blas,)
    )
    assert compare(old, new).changed == (
        f"commit: {'a' * 40} → {'b' * 40}",
        "versions: numpy 2 → 3",
        r"flags: X\n — → 1",
        "switches: x64 — → True",
        "libraries: none → mkl 1 ? 2",
    )


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, markup=False, highlight=False)


def shown(comparison: Comparison, width: int = 100) -> str:
    to = console(width)
    show(comparison, to)
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_fits(width: int) -> None:
    """Also with a name of a third party's, and with the slowest of floors."""
    names, case = ("floor", "torch-compile-forward-and-gradients", "numpy"), "deep-784-256-64-1-m10000"
    factors = [(1e-7, factor, 1e-12) for factor in (1e3, 2e3)]
    runs = [run(group(case, dict(zip(names, map(times, of), strict=True)), STEADY)) for of in factors]
    text = shown(compare(*runs), width)
    table = text[: text.index("old, new")].splitlines()
    assert max(map(len, table)) <= width
    assert "2.00 [2.00, 2.00]" in text
    assert "slower" in text
    assert text.splitlines()[-1] == "2 rows compared: 1 slower, 0 faster, 1 the same"


def test_groups_that_the_new_run_left_out_are_counted_only() -> None:
    both = group("one", {"floor": STEADY, "numpy": STEADY}, STEADY)
    other = group("two", {"floor": STEADY, "numpy": STEADY}, STEADY)
    text = shown(compare(run(both, other), run(both)))
    assert "two" not in text
    assert text.splitlines()[-1] == "1 row compared: 0 slower, 0 faster, 1 the same; 2 only old"


def test_noise_is_said_beside_the_figures() -> None:
    calm = group("one", {"floor": STEADY, "numpy": STEADY}, STEADY)
    loud = replace(calm, drift=0.12)
    text = shown(compare(run(calm), run(loud)))
    assert text.splitlines()[2] == "one · step · float64 · cpu · 1 thread  NOISY: drift 12 %"
    assert text.splitlines()[-1].endswith("1 in NOISY groups")
    assert "NOISY" not in shown(compare(run(calm), run(calm)))


def test_when_each_run_was_made_is_said() -> None:
    """The old one's date, also where a second run has confirmed the new one's."""
    days = ("2026-11-24T16:15:00+00:00", "2026-11-25T18:15:00+02:00", "2026-11-25T16:20:00+00:00")
    old, new, again = (replace(run(group("one", {"floor": STEADY, "numpy": STEADY}, STEADY)), made=day) for day in days)
    line = "old: 2026-11-24 16:15 UTC; new: 2026-11-25 16:15 UTC"
    assert shown(compare(old, new)).splitlines()[0] == line
    assert shown(confirmed(compare(old, new), compare(old, again))).splitlines()[0] == line


def test_names_from_outside_steer_no_terminal() -> None:
    odd = group("one\x1b[31m", {"floor": STEADY, "numpy\n[red]": STEADY}, STEADY)
    text = shown(compare(run(odd), run(odd)))
    assert "\x1b" not in text
    assert r"numpy\n[red]" in text
