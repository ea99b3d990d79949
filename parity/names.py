"""The names of the implementations, for whoever must not wait for an import."""

from __future__ import annotations

from functools import cache
from importlib import metadata

DEVICES = ("cpu", "cuda", "mps")

GROUP = "parity.implementations"
"""The entry point group under which other packages register theirs."""

BUILT_IN = {
    "reference": "parity.implementations.reference:Reference",
    "reference-tuned": "parity.implementations.reference:Tuned",
    "reference-loop": "parity.implementations.reference:Loop",
    "torch-eager": "parity.implementations.torch:Eager",
    "torch-compile": "parity.implementations.torch:Compiled",
    "torch-vmap": "parity.implementations.torch:ByExample",
    "jax-eager": "parity.implementations.jax:Eager",
    "jax-jit": "parity.implementations.jax:Jit",
    "jax-vmap": "parity.implementations.jax:ByExample",
    "sklearn-loss": "parity.implementations.sklearn:Loss",
    "sklearn-mlp": "parity.implementations.sklearn:OneStep",
    "sklearn-optimum": "parity.implementations.sklearn:Optimum",
}


@cache
def available_names() -> tuple[str, ...]:
    """The built-in implementations and those that other packages registered, in order."""
    registered = sorted(entry.name for entry in metadata.entry_points(group=GROUP))
    return (*BUILT_IN, *(name for name in registered if name not in BUILT_IN))
