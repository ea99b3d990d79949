"""What several test modules use: the selection, this machine's frameworks, and standards worked out once."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

import pytest

from parity.compare import Standard
from parity.errors import BadInput
from parity.implementations import find
from parity.problems import catalogue
from parity.run import Place, inspect

# The implementation that runs each mirrored package as it stands.
PACKAGES = {"reference": "reference", "torch_impl": "torch-eager", "jax_impl": "jax-eager"}
REQUIRED = {"reference": "numpy"}  # what PARITY_REQUIRE calls the frameworks that must be there


def selected(config: pytest.Config, option: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """What the command line selects of `known`: an implementation also by its framework."""
    given = config.getoption(option)
    if given is None:
        return known
    also = {name: find(name).framework if option == "implementation" else name for name in known}
    unknown = [name for name in given if name not in (*also, *also.values())]
    if unknown:
        raise pytest.UsageError(f"there is no {option} {unknown[0]}; there are {', '.join(known)}")
    return tuple(name for name in known if name in given or also[name] in given)


@cache
def place(name: str) -> Place:
    """What an implementation says of this machine; one that PARITY_REQUIRE names has to be here."""
    found = inspect(name)
    required = [REQUIRED.get(r, r) for r in os.environ.get("PARITY_REQUIRE", "").split(",")]
    if found.missing and find(name).framework in required:
        pytest.fail(f"{name} is required here: {found.missing}")
    return found


work_out = Standard.of
"""The genuine one: a module may put its own in its place."""


@cache
def standard(problem: str, dtype: str) -> Standard:
    """Exact values and bounds, worked out once for all implementations."""
    return work_out(catalogue.build(problem), dtype)


def refused(function: Callable[..., object], *arguments: object) -> str:
    """The one line with which it is refused."""
    with pytest.raises(BadInput) as caught:
        function(*arguments)
    line = str(caught.value)
    assert "\n" not in line
    return line
