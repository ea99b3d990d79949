"""Parity: every problem × implementation × dtype × device, every quantity.

`pytest --device cuda --implementation torch --dtype float32` selects; by default all that this machine has.
"""

from __future__ import annotations

import pytest

from parity.compare import BITS, DIFFERS
from parity.formats import FORMATS
from parity.implementations import find
from parity.names import DEVICES, available_names
from parity.problems import catalogue
from parity.run import Plan, compute, verdicts, why_not
from tests.shared import place, selected, standard


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a cell that runs somewhere; a cell that is passed over on every machine is none."""
    config = metafunc.config
    plan = Plan(
        tuple(catalogue.build(name) for name in catalogue.NAMES),
        selected(config, "implementation", available_names()),
        selected(config, "dtype", tuple(FORMATS)),
        selected(config, "device", DEVICES) if config.getoption("device") else ("cpu", "cuda", "mps"),
    )
    cells = [
        (problem.name, dtype, device, name)
        for problem, dtype, device, name, reason in plan.tasks()
        if reason is None and (device == "cpu" or config.getoption("device") or not why_not(name, place(name), device))
    ]
    metafunc.parametrize(("problem", "dtype", "device", "name"), cells, ids=["-".join(cell) for cell in cells])


def test_every_quantity_is_identical(problem: str, dtype: str, device: str, name: str) -> None:
    reason = why_not(name, place(name), device)
    if reason:
        pytest.skip(reason)
    expected = standard(problem, dtype)
    found = compute(name, expected.problem, dtype, device)
    comparisons = list(verdicts(name, expected, found))
    differing = [c for c in comparisons if c.verdict == DIFFERS]
    assert not differing, differing
    assert comparisons
    if expected.problem.exact:
        assert {c.verdict for c in comparisons} == {BITS}
    if find(name).variant in ("hand", "eager", "jit"):  # the other variants compute some of the quantities
        assert set(found) == set(expected.exact)
