"""PyTorch: eager, compiled, and per-example gradients by vmap."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

import ml_dtypes
import numpy as np

from parity.implementations import (
    Mirrored,
    Quantities,
    Task,
    aligned,
    gradients_by_example,
    only_gradients,
    only_one_step,
    steps_from_python,
)
from parity.problems import NETWORKS, Problem
from parity.training import Descent


class Eager(Mirrored):
    """torch_impl as it stands."""

    name, framework, variant, package = "torch-eager", "torch", "eager", "torch_impl"
    about = "PyTorch, autograd, eager"

    def devices(self) -> dict[str, str | None]:
        import torch

        cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
        no_cuda = "this PyTorch was built without CUDA" if torch.version.cuda is None else "no CUDA device is visible"
        return {"cpu": None, "cuda": None if cuda else no_cuda, "mps": None if mps else "no Metal device is visible"}

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        return "Metal has no float64" if device == "mps" and dtype == "float64" else None

    def to_framework(self, array: np.ndarray, device: str) -> Any:
        import torch

        if array.dtype == ml_dtypes.bfloat16:  # torch reads no ml_dtypes: hand over the bits
            return torch.from_numpy(aligned(array.view(np.int16))).view(torch.bfloat16).to(device)
        return torch.from_numpy(aligned(array)).to(device)

    def to_numpy(self, array: Any) -> np.ndarray:
        import torch

        array = array.detach().cpu()
        if array.dtype == torch.bfloat16:
            return array.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
        return array.numpy()

    def finished(self, task: Callable[..., Any], device: str) -> Callable[..., Any]:
        import torch

        if device == "cpu":
            return task
        synchronize = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}[device]

        def waited_for(*inputs: Any) -> Any:
            found = task(*inputs)
            synchronize()
            return found

        return waited_for

    @contextmanager
    def switches(self) -> Iterator[None]:
        """float32 products in float32, not in TF32 or bfloat16."""
        import torch

        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)


class Compiled(Eager):
    """`torch.compile` of forward, cost and gradients in one graph."""

    name, variant, slow, eager = "torch-compile", "compile", True, "torch-eager"
    whole = False
    about = "PyTorch, torch.compile of forward, cost and gradients in one graph"

    def devices(self) -> dict[str, str | None]:
        """Where it runs eagerly; for the CPU, Inductor builds with a C++ compiler."""
        compiler = os.environ.get("CXX", {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++"))
        missing = None if shutil.which(compiler) else f"torch.compile needs a C++ compiler, and {compiler} is not here"
        return super().devices() | {"cpu": missing}

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        if problem.model not in NETWORKS:
            return "computes networks and logistic regression only"
        if problem.iterations:
            return "compiles one pass, and does not train"
        return super().refuses(problem, dtype, device)

    def compute(self, problem: Problem, dtype: str) -> Callable[..., dict[str, Any]]:
        """`grad_and_value` of the cost, since a graph may not hold a call of `torch.autograd.grad`."""
        module, options, rate = import_module(f"torch_impl.{problem.model}"), problem.options, problem.learning_rate
        cost_and_gradients = self._one_graph(problem)

        def one_graph(params: dict[str, Any], X: Any, Y: Any) -> dict[str, Any]:
            _, cache = module.forward(params, X, **options)
            J, grads = cost_and_gradients(params, X, Y)
            new = {} if rate is None else module.update(params, grads, rate)
            return {**cache, "J": J, **grads, **{"new_" + name: p for name, p in new.items()}}

        return one_graph

    def run(self, compute: Callable[..., dict[str, Any]], *inputs: Any) -> dict[str, Any]:
        import torch

        torch.compiler.reset()  # every call is a graph of its own, not a recompilation of the last
        return torch.compile(compute, fullgraph=True, dynamic=False)(*inputs)

    def refuses_training(self, descent: Descent) -> str | None:
        return self.refuses(replace(descent.problem, iterations=0), descent.dtype, descent.device)

    def stepper(self, descent: Descent) -> Callable[..., tuple[dict[str, Any], Any]]:
        """Cost, gradients and update in one graph, called from Python."""
        import torch

        torch.compiler.reset()
        return self._compiled_step(descent.problem, descent.dtype)

    def _compiled_step(self, problem: Problem, dtype: str) -> Callable[..., tuple[dict[str, Any], Any]]:
        import torch

        module, cost_and_gradients = import_module(f"torch_impl.{problem.model}"), self._one_graph(problem)
        rate = self.learning_rate(problem, dtype)

        def step(params: dict[str, Any], X: Any, Y: Any) -> tuple[dict[str, Any], Any]:
            J, grads = cost_and_gradients(params, X, Y)
            return module.update(params, grads, rate), J

        return torch.compile(step, fullgraph=True, dynamic=False)

    def _one_graph(self, problem: Problem) -> Task:
        """J and the gradients, by `grad_and_value` of the package's cost."""
        import torch

        module, options = import_module(f"torch_impl.{problem.model}"), problem.options

        def cost_and_gradients(params: dict[str, Any], X: Any, Y: Any) -> tuple[Any, dict[str, Any]]:
            grads, J = torch.func.grad_and_value(module.cost)(params, X, Y, **options)
            return J, {"d" + name: grad for name, grad in grads.items()}

        return cost_and_gradients

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        """Training calls a compiled step from Python: Inductor would unroll the loop."""
        import torch

        if work == "train":
            return partial(steps_from_python, self._compiled_step(problem, dtype), steps)
        whole = self._one_graph(problem) if work == "step" else super().task(work, problem, dtype, steps)
        return torch.compile(whole, fullgraph=True, dynamic=False)

    def train_in_one_go(self, descent: Descent, params: Quantities) -> tuple[Quantities, np.ndarray] | None:
        return None


class ByExample(Eager):
    """Per-example gradients by `torch.func.vmap`, averaged."""

    name, variant = "torch-vmap", "vmap"
    whole = gives_cost = False
    about = "PyTorch, per-example gradients by torch.func.vmap, averaged"

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        return only_gradients(problem) or super().refuses(problem, dtype, device)

    def compute(self, problem: Problem, dtype: str) -> Callable[..., dict[str, Any]]:
        return gradients_by_example(import_module(f"torch_impl.{problem.model}"), problem)

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return only_one_step(work) or super().refuses_work(work, problem, dtype, device)

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        return self.compute(problem, dtype)

    def _named(self, work: str, found: Any) -> Quantities:
        return self._home(found)
