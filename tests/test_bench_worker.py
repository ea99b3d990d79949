"""The clock, the switches and the memory of a process that times."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from statistics import median
from time import process_time, sleep, thread_time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from parity.bench import floor, worker
from parity.bench.cases import CASES, Case
from parity.bench.command import cores
from parity.bench.results import Key
from parity.implementations import Call, find
from tests.shared import place

SMALL = Case("shallow_network", (3, 5, 1), 16, ("tanh", "sigmoid"), 4)


def key(implementation: str = "reference", work: str = "step", dtype: str = "float64") -> Key:
    return Key(SMALL.name, work, dtype, "cpu", 1, implementation)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    worker.end()
    worker._ROOM.switches.close()
    worker._ROOM.switched.clear()


class Clock:
    """Time passes only where a call takes some, or the clock is read."""

    def __init__(self, reading: float) -> None:
        self.now, self.reading = 0.0, reading

    def __call__(self) -> float:
        self.now += self.reading
        return self.now

    def spend(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("seconds", [1e-8, 3e-6, 1e-3, 0.5])
@pytest.mark.parametrize("reading", [1e-7, 1e-5])
def test_the_clock_takes_a_ten_thousandth_of_a_block(
    monkeypatch: pytest.MonkeyPatch, seconds: float, reading: float
) -> None:
    time = Clock(reading)
    monkeypatch.setattr(worker, "perf_counter", time)
    worker.clock.cache_clear()
    monkeypatch.setitem(worker._ROOM.calls, key(), Call(lambda: time.spend(seconds), lambda found: {}))
    calls, block = worker.calls_in_a_block(key())
    assert reading <= worker.SHARE_OF_CLOCK * block
    assert block >= worker.LEAST_BLOCK
    assert calls == 1 or calls * seconds < 4 * max(worker.LEAST_BLOCK, reading / worker.SHARE_OF_CLOCK)
    worker.clock.cache_clear()


@pytest.mark.parametrize(("seconds", "calls"), [(0.9, 2), (1.1, 1)])
def test_only_a_long_call_is_a_block(monkeypatch: pytest.MonkeyPatch, seconds: float, calls: int) -> None:
    """The others are made once before, lest one row finds its inputs in a cache and its neighbour does not."""
    time = Clock(0.0)
    monkeypatch.setattr(worker, "perf_counter", time)
    monkeypatch.setattr(worker, "clock", lambda: 1e-7)
    made = Call(lambda: time.spend(seconds * worker.LONG_CALL), lambda found: {})
    monkeypatch.setitem(worker._ROOM.calls, key(), made)
    assert worker.calls_in_a_block(key())[0] == calls


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process cannot be kept on cores here")
@pytest.mark.parametrize(
    ("threads", "kept", "said"),
    [(1, [7], "core 7"), (2, [5, 7], "cores 5, 7"), (4, None, "any core"), (8, None, "any core")],
)
def test_a_process_stays_on_as_many_cores_as_it_has_threads(
    monkeypatch: pytest.MonkeyPatch, threads: int, kept: list[int] | None, said: str
) -> None:
    asked: list[list[int]] = []
    monkeypatch.setattr(worker.gc, "disable", lambda: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 5, 7})
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: asked.append(sorted(cores)))
    assert worker.settle(threads) == said
    assert asked == ([] if kept is None else [kept])


def test_a_block_is_told_per_call(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Clock(0.0)
    monkeypatch.setattr(worker, "perf_counter", time)
    monkeypatch.setitem(worker._ROOM.calls, key(), Call(lambda: time.spend(0.25), lambda found: {}))
    assert worker.block(key(), 8) == 0.25


def test_the_sentinel_tells_how_much_of_its_core_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, cpu = Clock(0.0), Clock(0.0)

    def work() -> None:
        wall.spend(1 / 256)
        cpu.spend(1 / 1024)  # the rest of the time another process has the core

    monkeypatch.setattr(worker, "perf_counter", wall)
    monkeypatch.setattr(worker, "process_time", cpu)
    monkeypatch.setattr(worker, "_sentinel", lambda: work)
    assert worker.sentinel() == (1 / 256, 1 / 4)


def other_threads(work: Callable[[], object]) -> float:
    """Seconds of other threads beside a second of this one's, where NumPy's BLAS may have two: in the middle of 20.

    A thread of a BLAS that has nothing to do looks out for work during the first few, and now and then one stays out.
    """
    found = []
    with threadpool_limits(2):
        for _ in range(20):
            own, every = thread_time(), process_time()
            for _ in range(20):
                work()
            found.append((process_time() - every) / (thread_time() - own) - 1)
            sleep(0.02)
    return median(found)


@pytest.mark.skipif(cores() < 2, reason="one core: no BLAS has a second thread here")
def test_the_sentinel_is_the_work_of_one_thread() -> None:
    """Threads that wait for each other take their time even where nothing else happens."""
    a = np.ones((256, 256))
    assert 4 * other_threads(worker._sentinel()) < other_threads(lambda: np.dot(a, a))


def test_the_environment_is_that_of_the_block_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("XLA_FLAGS", "--xla_of_the_user=1")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    with worker.environment(1, TORCHINDUCTOR_CACHE_DIR="elsewhere"):
        assert {os.environ[f"{name}_NUM_THREADS"] for name in ("OMP", "OPENBLAS", "MKL")} == {"1"}
        assert os.environ["XLA_FLAGS"] == "--xla_of_the_user=1 --xla_cpu_multi_thread_eigen=false"
        assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == "elsewhere"
    assert dict(os.environ) == before
    with worker.environment(2):
        assert os.environ["OMP_NUM_THREADS"] == "2"
        assert os.environ["XLA_FLAGS"] == "--xla_of_the_user=1"
        assert os.environ["OMP_WAIT_POLICY"] == "passive"
    assert dict(os.environ) == before


@pytest.mark.parametrize("name", ["reference", "reference-tuned", "torch-eager", "torch-compile", "jax-jit"])
@pytest.mark.parametrize("work", ["step", "train", "forward"])
def test_what_is_prepared_is_what_it_computed(name: str, work: str) -> None:
    if place(name).missing:
        pytest.skip(place(name).missing or "")
    worker.inspect(name)
    worker.begin(SMALL, 1)
    ready = worker.prepare(key(name, work), SMALL.steps if work == "train" else 1)
    assert not isinstance(ready, str), ready
    params = ("W1", "b1", "W2", "b2")
    wanted = {
        "step": {"J", *(f"d{p}" for p in params)},
        "train": {"costs", *(f"new_{p}" for p in params)},
        "forward": {"Z1", "A1", "Z2", "A2"},
    }[work]
    if (name, work) == ("reference-tuned", "forward"):
        wanted = {"A2"}  # it keeps nothing else
    for found in (ready.found, ready.of_twin):
        assert set(found) == wanted
        assert all(isinstance(value, np.ndarray) and value.dtype == np.float64 for value in found.values())
    assert ready.first > 0 <= ready.transfer
    if work == "train":
        assert ready.found["costs"].shape == (1,)
        before, after = worker.last_step(key(name, work), SMALL.steps)
        assert before["costs"].shape == (SMALL.steps - 1,)
        assert after["costs"].shape == (SMALL.steps,)
    assert worker.block(key(name, work), 2) > 0


def test_jax_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    jax = pytest.importorskip("jax")
    waited = []
    monkeypatch.setattr(jax, "block_until_ready", lambda found: waited.append(found) or found)
    worker.inspect("jax-jit")
    worker.begin(SMALL, 1)
    worker.prepare(key("jax-jit"), 1)
    waited.clear()
    worker.block(key("jax-jit"), 3)
    assert len(waited) == 4  # and one that is not timed
    J, grads = waited[0]
    assert J.shape == ()
    assert set(grads) == {"dW1", "db1", "dW2", "db2"}


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_pytorch_is_waited_for(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    torch = pytest.importorskip("torch")
    order: list[str] = []
    monkeypatch.setattr(getattr(torch, device), "synchronize", lambda: order.append("waited"))
    task = find("torch-eager").finished(lambda *inputs: order.append("called") or "found", device)
    assert task(1, 2, 3) == "found"
    assert order == ["called", "waited"]


@pytest.mark.parametrize("work", ["step", "forward"])
def test_pytorch_s_floor_is_waited_for_like_pytorch(monkeypatch: pytest.MonkeyPatch, work: str) -> None:
    """And its peaks: by the adapter's own waiting."""
    pytest.importorskip("torch")
    waited: list[str] = []

    def finished(self: object, task: Callable[..., object], device: str) -> Callable[..., object]:
        return lambda *inputs: (task(*inputs), waited.append(device))

    monkeypatch.setattr("parity.implementations.torch.Eager.finished", finished)
    monkeypatch.setattr(floor, "SQUARE", 4)
    monkeypatch.setattr(floor, "STREAM", 64)
    floor.floor("floor-torch", SMALL, work, "float32", "cpu")()
    assert waited == ["cpu"]
    for *_, peak in floor.peaks("torch", "float32", "cpu"):
        peak()
    assert waited == ["cpu"] * 3


def test_what_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from parity.names import BUILT_IN
    from tests.bench_faults import FAULTY

    monkeypatch.setitem(BUILT_IN, "failing", FAULTY["failing"])
    monkeypatch.setitem(BUILT_IN, "dying", FAULTY["dying"])
    worker.begin(SMALL, 1)
    assert worker.prepare(key("failing"), 1) == "ValueError: no such thing"
    assert worker.prepare(key("dying"), 1) == "SystemExit: 3"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nobody else resets a process's highest size")
def test_the_memory_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 64 * 2**20
    for part in (1, 4):
        monkeypatch.setitem(worker._ROOM.calls, key(), Call(lambda: np.ones(size // part, np.uint8), lambda found: {}))  # noqa: B023
        found = worker.memory(key())
        assert found is not None
        assert 3 * size // (4 * part) <= found <= 3 * size // (2 * part)  # the kernel counts in batches of pages


@pytest.mark.parametrize("case", ["shallow-2-4-1-m400", "deep-30-20-7-1-m569", "logistic-30-1-m569"])
@pytest.mark.parametrize("work", ["step", "forward"])
def test_the_floor_is_every_product_and_nothing_else(monkeypatch: pytest.MonkeyPatch, case: str, work: str) -> None:
    flops, dot = [], np.dot

    def counted(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> np.ndarray:
        flops.append(2 * a.shape[0] * a.shape[1] * b.shape[1])
        return dot(a, b, out=out)

    products = floor.floor("floor-numpy", CASES[case], work, "float64", "cpu")
    monkeypatch.setattr(np, "dot", counted)
    products()
    assert sum(flops) == CASES[case].flops(work)


def test_both_floors_take_the_same_products() -> None:
    torch = pytest.importorskip("torch")
    case, flops, mm = CASES["deep-30-20-7-1-m569"], [], torch.mm
    with pytest.MonkeyPatch.context() as patch:

        def counted(a: object, b: object, out: object) -> object:
            flops.append(2 * a.shape[0] * a.shape[1] * b.shape[1])
            return mm(a, b, out=out)

        patch.setattr(torch, "mm", counted)
        floor.floor("floor-torch", case, "step", "float32", "cpu")()
    assert sum(flops) == case.flops("step")


def test_a_numpy_floor_is_on_the_cpu_only() -> None:
    assert floor.why_no_floor("floor-numpy", "cpu") is None
    assert floor.why_no_floor("floor-numpy", "cuda") == "NumPy computes on the cpu only"
