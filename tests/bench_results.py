"""A run that was never made: several groups and series, rows that were skipped, that differ, and that are noisy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np

from parity.bench.cases import CASES, QUICK
from parity.bench.results import Group, Key, Peak, Results, Row
from parity.compare import DIFFERS, ROUNDING
from parity.formats import FORMATS

# A call takes so many seconds, so many more for each unit of each example, and so many times its matrix products.
COSTS = {
    "reference": (9e-6, 3e-9, 1.05),
    "reference-tuned": (4e-6, 1.2e-9, 0.9),
    "torch-eager": (4e-5, 2e-9, 1.03),
    "torch-compile": (3.1e-5, 1e-9, 1.0),
    "jax-eager": (2.4e-4, 4e-9, 1.3),
    "jax-jit": (2.2e-5, 1.5e-9, 1.05),
    "jax-scan": (1.1e-6, 1.5e-9, 1.05),
    "sklearn-loss": (8e-5, 3e-9, 1.6),
    "autograd": (1.3e-4, 7e-9, 2.4),
}
FLOORS = ("floor", "floor-torch")
ROUNDS = 25
WRONG = "dW1[3, 2] is 1.0000000001, exact 1, bound 2.1e-13; it looks like nothing known"
NO_CUDA = "cuda is not available (torch 2.13.0+cpu)"
PEAKS = {("float64", 1): 47.6e9, ("float64", 2): 92.2e9, ("float32", 1): 95.1e9, ("float32", 2): 183e9}
BANDWIDTH = {1: 11.3e9, 2: 17.9e9}


def floor_time(case: str, work: str, dtype: str, threads: int) -> float:
    """What a machine takes that is bound by whichever limit is nearer."""
    of, itemsize = CASES[case], FORMATS[dtype].dtype.itemsize
    by_flops = of.flops(work) / PEAKS[dtype, threads]
    return 4e-7 + max(by_flops, of.bytes(work, itemsize) / BANDWIDTH[threads])


def took(name: str, case: str, floor: float) -> float:
    call, unit, products = COSTS[name]
    return call + unit * CASES[case].m * sum(CASES[case].layers[1:]) + products * floor


def row(key: Key, t: float, rng: np.random.RandomState, verdict: str = ROUNDING) -> Row:
    samples = t * (1 + 0.01 * rng.random_sample(ROUNDS) + 0.3 * (rng.randint(20, size=ROUNDS) == 0))
    case, itemsize = CASES[key.case], FORMATS[key.dtype].dtype.itemsize
    by_flops = case.flops(key.work) / PEAKS[key.dtype, key.threads] / t
    by_bytes = case.bytes(key.work, itemsize) / BANDWIDTH[key.threads] / t
    compiled = key.implementation in ("torch-compile", "jax-jit", "jax-scan")
    share = None if verdict == "floor" else float(rng.random_sample() / 20)
    return Row(
        key, verdict, share, calls=100, samples=tuple(samples),
        first=3 * t + 2e-4, cold={"import": 0.54, "first": 12.4 if compiled else 3e-3 + t},
        pays_after=(math.inf if key.implementation == "jax-scan" else 4812.0) if compiled else None,
        peak_memory=case.bytes(key.work, itemsize) if verdict != "floor" else None,
        bound_by="flops" if by_flops > by_bytes else "bytes", peak_share=max(by_flops, by_bytes),
    )  # fmt: skip


def group(case: str, work: str, dtype: str, threads: int, names: Iterable[str] = COSTS, drift: float = 0.01) -> Group:
    rng = np.random.RandomState(len(case) + threads)
    floor = floor_time(case, work, dtype, threads)
    keys = {name: Key(case, work, dtype, "cpu", threads, name) for name in (*FLOORS, *names)}
    rows = [row(keys[name], floor * (1 + i / 8), rng, "floor") for i, name in enumerate(FLOORS)]
    rows += [row(keys[name], took(name, case, floor), rng) for name in names]
    rows.append(Row(Key(case, work, dtype, "cpu", threads, "sklearn-mlp"), skipped="trains, and has no single step"))
    return Group(FLOORS[0], tuple(1e-3 * (1 + drift * rng.random_sample(ROUNDS))), drift, tuple(rows))


def on_cuda(case: str, work: str, dtype: str, reason: str = NO_CUDA) -> Group:
    names = ("floor", "torch-eager", "torch-compile", "jax-jit")
    return Group(
        "floor", (), 0.0, tuple(Row(Key(case, work, dtype, "cuda", 1, name), skipped=reason) for name in names)
    )


def with_fault(of: Group, name: str, fault: str = WRONG) -> Group:
    """The group with one more row, which differs."""
    key = of.rows[0].key
    wrong = Key(key.case, key.work, key.dtype, key.device, key.threads, name)
    return Group(of.floor, of.sentinel, of.drift, (*of.rows, Row(wrong, DIFFERS, 812.0, fault)))


@cache
def results(*, own: str = "planted", fault: str = WRONG, reason: str = NO_CUDA) -> Results:
    """A run with everything in it; `own` is the name of a third party's implementation that differs."""
    standing = [name for name, case in CASES.items() if not case.grows]
    groups = [group(case, "step", "float32", 1) for case in standing]
    groups += [group(case, "step", "float64", 2, drift=0.083 if i == 1 else 0.02) for i, case in enumerate(standing)]
    groups += [group(case, "forward", "float32", 1, ("reference", "torch-eager", "jax-jit")) for case in QUICK]
    series = [name for name, case in CASES.items() if case.grows]
    groups += [group(case, "step", "float32", 1) for case in series]
    groups += [group(case, "step", "float64", 1, ("reference", "jax-jit")) for case in series if "shallow" in case]
    groups += [on_cuda(case, "step", "float32", reason) for case in standing]
    groups[0] = with_fault(groups[0], own, fault)
    peaks = [Peak("flops", dtype, "cpu", n, rate, "gemm, SciPy's OpenBLAS") for (dtype, n), rate in PEAKS.items()]
    peaks += [Peak("bytes", "float32", "cpu", n, rate, "sum of an array") for n, rate in BANDWIDTH.items()]
    return Results(
        made="2026-11-25T16:15:00+00:00",
        command=("parity", "bench", "--threads", "1,2"),
        machine={"system": "Linux", "cpu": "Example CPU 9000 @ 2.80 GHz", "cores": 2, "usable": [0, 1],
                 "caches": {"L1d": 32768, "L3": 34603008}, "memory": 16_777_216_000, "virtual": True, "gpus": []},
        libraries=({"user_api": "blas", "internal_api": "openblas", "version": "0.3.29", "num_threads": 1,
                    "file": "libscipy_openblas64_.so"},
                   {"user_api": "openmp", "internal_api": "openmp", "version": None, "num_threads": 1}),
        versions={"parity": "0.1.0", "numpy": "2.4.6", "torch": "2.13.0+cpu", "jax": "0.10.2", "scikit-learn": None},
        flags={"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"},
        switches={"jax_enable_x64": True, "tf32": False},
        commit="fcc29e1c0ffee",
        seed=0,
        peaks=tuple(peaks),
        groups=tuple(groups),
        notes=("cuda: no rows", "blocks of 1 ms"),
    )  # fmt: skip


@cache
def small() -> Results:
    """A run of two groups: one that stands for itself and is noisy, and one of a series."""
    of = [("logistic-30-1-m569", 0.2), ("logistic-16-1-m4096", 0.0)]
    return replace(results(), groups=tuple(group(case, "step", "float32", 1, drift=drift) for case, drift in of))
