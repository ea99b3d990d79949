"""JAX: un-jitted, jitted, and per-example gradients by vmap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from parity.implementations import (
    Mirrored,
    Quantities,
    Task,
    aligned,
    gradients_by_example,
    only_gradients,
    only_one_step,
)
from parity.names import DEVICES
from parity.problems import Problem
from parity.training import Descent


class Eager(Mirrored):
    """jax_impl as it stands: every primitive is dispatched, and for a new shape compiled, by itself."""

    name, framework, variant, package = "jax-eager", "jax", "eager", "jax_impl"
    slow = trains_by_name = True
    about = "JAX, grad, un-jitted"

    def devices(self) -> dict[str, str | None]:
        return {name: _unusable(name) for name in DEVICES}

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        return "Metal has no float64" if device == "mps" and dtype == "float64" else None

    def to_framework(self, array: np.ndarray, device: str) -> Any:
        import jax

        return jax.device_put(aligned(array), jax.devices(device)[0]).block_until_ready()

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def finished(self, task: Task, device: str) -> Task:
        import jax

        return lambda *inputs: jax.block_until_ready(task(*inputs))  # type: ignore[no-untyped-call]

    @contextmanager
    def switches(self) -> Iterator[None]:
        """With x64 on, or float64 would be computed in float32, and without TF32."""
        import jax

        with jax.enable_x64(True), jax.default_matmul_precision("highest"):
            yield


class Jit(Eager):
    """All quantities, and the update, in one `jax.jit`."""

    name, variant, eager = "jax-jit", "jit", "jax-eager"
    slow = trains_by_name = False
    about = "JAX, grad, everything in one jit"

    def run(self, compute: Callable[..., dict[str, Any]], *inputs: Any) -> dict[str, Any]:
        import jax

        return jax.jit(compute)(*inputs)

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        """Training is one jit around `lax.scan`."""
        import jax

        return jax.jit(super().task(work, problem, dtype, steps))

    def stepper(self, descent: Descent) -> Callable[..., tuple[dict[str, Any], Any]]:
        import jax

        return jax.jit(super().stepper(descent))

    def loop(self, descent: Descent) -> Callable[..., tuple[dict[str, Any], Any]]:
        """One jit around `lax.scan`; a number of steps is part of the program."""
        import jax

        return jax.jit(super().loop(descent), static_argnums=3 if descent.batches is None else ())


class ByExample(Jit):
    """Per-example gradients by `jax.vmap`, averaged, jitted."""

    name, variant, slow, eager = "jax-vmap", "vmap", True, ""
    whole = gives_cost = False
    about = "JAX, per-example gradients by vmap, averaged, jitted"

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        return only_gradients(problem) or super().refuses(problem, dtype, device)

    def compute(self, problem: Problem, dtype: str) -> Callable[..., dict[str, Any]]:
        return gradients_by_example(import_module(f"jax_impl.{problem.model}"), problem)

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return only_one_step(work) or super().refuses_work(work, problem, dtype, device)

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        import jax

        return jax.jit(self.compute(problem, dtype))

    def _named(self, work: str, found: Any) -> Quantities:
        return self._home(found)


def _unusable(platform: str) -> str | None:
    import jax

    try:
        jax.devices(platform)
    except RuntimeError:
        return f"this JAX has no {platform} device"
    return None
