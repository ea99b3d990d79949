"""A whole site with a small matrix, computed once for all workers of the tests."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path

from parity.problems import catalogue
from parity.run import Plan
from parity.study import build, output, pages
from parity.study.pages import Site

PROBLEMS = ("house_prices", "shallow_exact_tanh", "computation_graph")
IMPLEMENTATIONS = ("reference", "torch-eager", "jax-jit")
"""Of the matrix."""

PATIENCE = 240
"""Seconds that another worker may take for the site before this one gives up."""


def computed() -> Site:
    """The site as `parity study` computes it, but for the matrix."""
    problems = catalogue.in_order([catalogue.build(name) for name in PROBLEMS])
    plan = Plan(tuple(problems), IMPLEMENTATIONS, ("float64",))
    return build.build(build.Matrix(plan), build.kept_bench(), lambda what: None)[0]


def once(folder: Path, make: Callable[[], Site] = computed) -> tuple[Path, Site]:
    """The folder with the site's files, and what they were made of; the first worker computes, the others wait."""
    place, kept = folder / "site", folder / "site.pickle"
    try:
        descriptor = os.open(folder / "begun", os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        _await(kept)
    else:
        os.close(descriptor)
        site = make()
        place.mkdir()
        output.write(place, pages.render(site))
        beside = kept.with_suffix(".part")
        beside.write_bytes(pickle.dumps(site))
        beside.replace(kept)
    return place, pickle.loads(kept.read_bytes())


def _await(kept: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not kept.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"another worker has made no site in {PATIENCE} s: its own error says why")
        time.sleep(0.05)
