"""A run: what is wrong is not timed, what is right is timed in turns, and everything is told."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from parity.bench import run as running
from parity.bench import worker
from parity.bench.cases import CASES
from parity.bench.compare import compare, confirmed, worth_confirming
from parity.bench.floor import FLOORS
from parity.bench.plan import Plan
from parity.bench.results import Group, Key, Results, Row, as_json, load
from parity.bench.run import Run, pays_after, too_much
from parity.elementary import Unmeasured
from parity.implementations import find
from parity.names import BUILT_IN
from tests.bench_faults import FAULTY, InProcess, Mortal, OfImport
from tests.bench_results import results as some_results
from tests.shared import place

CASE = CASES["shallow-2-4-1-m400"]


@pytest.fixture(autouse=True)
def quick_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Blocks of a tenth of a millisecond, a small sentinel, small peaks, and nothing left behind."""
    monkeypatch.setattr(worker, "SENTINEL", 4)
    worker._sentinel.cache_clear()
    monkeypatch.setattr(worker, "LEAST_BLOCK", 1e-4)
    monkeypatch.setattr(worker, "SHARE_OF_CLOCK", 0.1)
    monkeypatch.setattr(running, "SECONDS", {False: 0.0, True: 0.0})
    monkeypatch.setattr("parity.bench.floor.STREAM", 2**16)
    monkeypatch.setattr("parity.bench.floor.SQUARE", 16)
    for name, where in FAULTY.items():
        monkeypatch.setitem(BUILT_IN, name, where)
    find.cache_clear()
    yield
    worker.end()
    worker._ROOM.switches.close()
    worker._ROOM.switched.clear()
    worker._sentinel.cache_clear()
    find.cache_clear()


def plan(*names: str, work: str = "step", dtype: str = "float64", device: str = "cpu", case: str = CASE.name) -> Plan:
    return Plan((CASES[case],), (work,), (dtype,), (device,), (1,), names, quick=True)


def run(*names: str, **options: str) -> Group:
    """The only group of a run in this process."""
    found = Run(plan(*names, **options), pool=InProcess)
    found()
    (group,) = found.results()[1]
    return group


def row(group: Group, name: str) -> Row:
    (found,) = (row for row in group.rows if row.key.implementation == name)
    return found


@pytest.mark.parametrize("case", ["shallow-2-4-1-m400", "logistic-30-1-m569"])
def test_what_is_wrong_is_not_timed(case: str) -> None:
    """A relative error of 1e-10 in dW1."""
    group = run("wrong", "reference", case=case)
    wrong = row(group, "wrong")
    name = "dW1[" if case.startswith("shallow") else "dw["
    assert (wrong.verdict, wrong.samples, wrong.calls) == ("differs", (), 0)
    assert wrong.fault.startswith(name)
    assert "\n" not in wrong.fault
    assert row(group, "reference").verdict == "rounding"
    assert row(group, "reference").samples


def test_training_is_looked_at_to_its_last_step() -> None:
    late = row(run("late", work="train"), "late")
    assert (late.verdict, late.samples) == ("differs", ())
    assert late.fault.startswith("after all steps but one: ")


def test_training_takes_all_steps() -> None:
    fewer = row(run("fewer", work="train"), "fewer")
    assert (fewer.verdict, fewer.samples) == ("differs", ())
    assert (
        fewer.fault
        == f"costs of {CASE.steps - 1} steps has shape ({(CASE.steps - 1) // 2},), must have ({CASE.steps - 1},)"
    )


def test_what_is_wrong_from_the_second_call_on_has_no_time() -> None:
    stale = row(run("stale", "reference"), "stale")
    assert (stale.verdict, stale.samples) == ("differs", ())
    assert stale.fault.startswith("after it was timed: dW2[")


def test_other_bits_are_held_against_the_bound() -> None:
    assert row(run("wandering"), "wandering").samples


def test_what_brings_nothing_home_differs() -> None:
    group = run("nothing", "reference")
    assert row(group, "nothing").fault == "TypeError: home returned a NoneType, not a dict of arrays"
    assert row(group, "reference").samples


def test_what_has_no_bound_is_written_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, where the bits decide alone."""

    def unmeasured(*_: object) -> None:
        raise Unmeasured("nobody knows")

    monkeypatch.setattr("parity.bench.verify.ulps", unmeasured)
    group = run("reference")
    assert (row(group, "reference").verdict, row(group, "reference").share) == ("bits", None)
    assert row(group, "reference").samples
    path = tmp_path / "x.json"
    path.write_text(json.dumps(as_json(replace(some_results(), peaks=(), groups=(group,)))), encoding="utf-8")
    assert load(path).groups == (group,)


def test_what_is_of_no_framework_is_skipped() -> None:
    assert row(run("bare"), "bare").skipped == "AttributeError: 'Bare' object has no attribute 'framework'"


def test_only_who_is_timed_makes_the_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the processes that there are for more than one thread."""
    begun: list[object] = []
    begin = worker.begin
    monkeypatch.setattr(worker, "begin", lambda *given: begun.append(given) or begin(*given))
    of_two = replace(plan("reference", "reference-loop", work="forward"), threads=(2,))
    Run(of_two, pool=InProcess)()
    assert len(begun) == len({"reference", *FLOORS})


def test_a_refusal_is_a_line() -> None:
    assert row(run("talking"), "talking").skipped == r"['never\n']"


@pytest.mark.parametrize("deadly", ["torch-eager", "reference"])
def test_a_process_that_dies_of_an_import_takes_nobody_with_it(monkeypatch: pytest.MonkeyPatch, deadly: str) -> None:
    monkeypatch.setattr(OfImport, "of", deadly)
    found = Run(plan("reference", "torch-eager", "reference-tuned"), pool=OfImport)
    found()
    (group,) = found.results()[1]
    assert row(group, deadly).skipped.endswith("'s process died as it was imported")
    assert row(group, "reference-tuned").samples


@pytest.mark.parametrize("error", [OSError("no such library"), SystemExit(3)])
def test_a_pytorch_that_cannot_be_loaded_is_no_floor(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(self: object) -> str:
        raise error

    monkeypatch.setattr("parity.implementations.torch.Eager.unavailable", broken)
    group = run("reference", "torch-eager")
    assert group.floor == "floor-numpy"
    assert row(group, "reference").samples
    assert row(group, "torch-eager").skipped


def test_what_fails_differs_and_says_why() -> None:
    group = run("failing", "dying", "reference")
    assert row(group, "failing").fault == "ValueError: no such thing"
    assert row(group, "dying").fault == "SystemExit: 3"
    assert row(group, "reference").samples


def test_what_fails_when_it_is_timed_differs_and_the_others_are_timed() -> None:
    group = run("reference", "later", "reference-tuned")
    assert row(group, "later").fault == "ValueError: enough"
    assert row(group, "later").samples == ()
    assert row(group, "reference").samples
    assert row(group, "reference-tuned").samples


def test_who_cannot_say_is_asked_to_do_it() -> None:
    assert row(run("unsure"), "unsure").samples


@pytest.mark.parametrize(
    "names", [("late", "reference"), ("reference", "late"), ("reference", "late", "reference-tuned")]
)
def test_a_process_that_dies_takes_nobody_with_it(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    monkeypatch.setattr(Mortal, "of", "late")
    found = Run(plan(*names), pool=Mortal)
    found()
    (group,) = found.results()[1]
    assert [row.key.implementation for row in group.rows][: len(names)] == list(names)
    for name in names:
        assert bool(row(group, name).samples) == (name != "late")
    assert row(group, "late").fault == "its process died"


def test_where_the_floor_fails_nothing_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mortal, "of", "floor-numpy")
    found = Run(plan("reference", "reference-tuned"), pool=Mortal)
    found()
    (group,) = found.results()[1]
    assert {row.skipped for row in group.rows} == {"floor-numpy: its process died"}


@pytest.mark.parametrize("work", ["step", "train", "forward"])
def test_every_row_is_timed_once_a_round(work: str) -> None:
    group = run("reference", "reference-tuned", work=work)
    timed = [row for row in group.rows if row.samples]
    assert {row.key.implementation for row in timed} > {"reference", "reference-tuned", group.floor}
    assert {len(row.samples) for row in timed} == {len(group.sentinel)}
    assert group.floor in FLOORS
    for row_ in timed:
        assert all(0 < sample < math.inf for sample in row_.samples)
        assert row_.steps == (CASE.steps if work == "train" and row_.verdict != "floor" else 1)
        assert row_.bound_by in ("flops", "bytes")
        assert row_.peak_share is not None
        assert row_.peak_share > 0
        if row_.verdict != "floor":
            assert row_.first is not None
            assert row_.transfer is not None
            assert row_.share is not None
            assert 0 <= row_.share < 1


def test_rounds_go_to_and_fro(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    block = worker.block

    def noted(key: Key, calls: int) -> float:
        order.append(key.implementation)
        return block(key, calls)

    monkeypatch.setattr(worker, "calls_in_a_block", lambda key: (1, 1.0))
    monkeypatch.setattr(worker, "block", noted)
    run("reference", "reference-tuned")
    n = len(set(order))
    rounds = [order[i : i + n] for i in range(0, len(order), n)]
    assert len(rounds) == Plan(()).rounds
    assert all(set(each) == set(order) for each in rounds)
    assert rounds[0] == rounds[1][::-1] == rounds[2]


def test_training_is_told_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "calls_in_a_block", lambda key: (1, 1.0))
    monkeypatch.setattr(worker, "block", lambda key, calls: 3.0)
    group = run("reference", work="train")
    assert set(row(group, "reference").samples) == {3.0 / CASE.steps}
    assert set(row(group, group.floor).samples) == {3.0}


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_here_is_a_skip_with_its_reason(device: str) -> None:
    if device in [name for name, why in place("torch-eager").devices.items() if why is None]:
        pytest.skip(f"{device} is here")
    group = run("reference", "torch-eager", device=device)
    assert row(group, "reference").skipped == f"reference knows no device {device}"
    assert row(group, "torch-eager").skipped
    assert (group.floor, group.sentinel) == ("", ())


def test_advance_is_called_as_often_as_expected() -> None:
    told: list[str] = []
    wanted = plan("reference", "failing", "sklearn-loss", "reference-loop")
    Run(wanted, told.append, InProcess)()
    assert len(told) == running.expected(wanted)


def test_a_slow_one_is_found_and_the_same_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.3 times as long: the whole way from the clock to the verdict, with a clock on which nothing else moves."""
    times = {"reference": 1e-3, "reference-tuned": 5e-4, "floor-numpy": 2e-4, "floor-torch": 3e-4}
    noise = iter(range(10**6))

    def block(key: Key, calls: int) -> float:
        return times[key.implementation] * (1 + (next(noise) * 7919 % 101) / 10_000)

    monkeypatch.setattr(worker, "calls_in_a_block", lambda key: (1, 0.01))
    monkeypatch.setattr(worker, "block", block)

    def timed() -> Results:
        found = Run(replace(plan("reference", "reference-tuned"), rounds=31), pool=InProcess)
        found()
        return replace(some_results(), peaks=(), groups=found.results()[1])

    old, same = timed(), timed()
    assert compare(old, same).regressions == ()
    times["reference"] *= 1.3
    slow = timed()
    first = compare(old, slow)
    assert {key.implementation for key in worth_confirming(first)} == {"reference", *FLOORS}
    found = confirmed(first, compare(old, timed()))
    assert [change.key.implementation for change in found.regressions] == ["reference"]


def key(name: str) -> Key:
    return Key(CASE.name, "step", "float64", "cpu", 1, name)


def test_after_how_many_steps_compiling_pays() -> None:
    tick = 1 / 1024
    compiled = Row(key("torch-compile"), "rounding", samples=(tick,) * 3)
    eager = Row(key("torch-eager"), "rounding", samples=(3 * tick,) * 3)
    assert pays_after(compiled, 10 + tick, eager) == 10 * 512
    assert pays_after(replace(compiled, steps=10), 10 + 10 * tick, eager) == 10 * 512
    assert pays_after(compiled, tick / 2, eager) == 0
    assert pays_after(eager, 10.0, compiled) == math.inf
    assert pays_after(compiled, 10.0, None) is None


@pytest.mark.parametrize(
    ("variant", "case", "words"),
    [
        ("loop", "logistic-784-1-m60000", "a loop of 94 million turns, about 94 s"),
        ("loop", "logistic-30-1-m569", ""),
        ("vmap", "logistic-30-1-m569", ""),
        ("hand", "logistic-784-1-m60000", ""),
    ],
)
def test_what_nobody_would_wait_for(variant: str, case: str, words: str) -> None:
    found = too_much(variant, CASES[case], "float64")
    assert words in (found or "")
    assert bool(found) == bool(words)


def test_gradients_of_every_example_at_once_need_room(monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["deep-784-256-64-1-m10000"]
    monkeypatch.setattr(running, "memory", lambda: 2**36)
    assert too_much("vmap", case, "float32") is None
    monkeypatch.setattr(running, "memory", lambda: 2**34)
    assert "8 GiB or more" in (too_much("vmap", case, "float32") or "")


def test_a_process_with_empty_caches() -> None:
    """It imports, compiles and calls; JAX's first call takes far longer than a later one."""
    if place("jax-jit").missing:
        pytest.skip(place("jax-jit").missing or "")
    found = running.in_a_new_process(key("jax-jit"), 1)
    assert not isinstance(found, str), found
    assert set(found) == {"import", "first"}
    assert min(found.values()) > 0
