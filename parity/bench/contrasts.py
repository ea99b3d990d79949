"""Other ways to call a framework, timed beside the usual one to show what that gains; each verified like all others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from parity.implementations import Implementation, Task, find, only_one_step, steps_from_python
from parity.implementations.jax import Jit
from parity.implementations.torch import Eager
from parity.problems import Problem


class Formula(Eager):
    """The lines of reference/ in PyTorch, σ and the loss written out, under autograd."""

    name, variant = "torch-formula", "formula"
    about = "PyTorch, autograd through the formulas written out, not through its own σ and loss"

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return only_one_step(work) or super().refuses_work(work, problem, dtype, device)

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        return partial(gradients_of, partial(written_out, problem.activations))


def written_out(activations: tuple[str, ...], params: dict[str, Any], X: Any, Y: Any) -> Any:
    """J as reference/ computes it, A[L] with it."""
    import torch

    from torch_impl.activations import ACTIVATIONS

    if "w" in params:
        params = {"W1": params["w"].T, "b1": params["b"]}
    A = X
    for l, g in enumerate(activations, start=1):
        Z = params[f"W{l}"] @ A + params[f"b{l}"]
        A = 1 / (1 + torch.exp(-Z)) if g == "sigmoid" else ACTIVATIONS[g](Z)
    losses = torch.clamp(Z, min=0) - Y * Z + torch.log1p(torch.exp(-torch.abs(Z)))
    return torch.sum(losses) / Y.shape[1]


def gradients_of(cost: Callable[..., Any], params: dict[str, Any], X: Any, Y: Any) -> tuple[Any, dict[str, Any]]:
    """J and its gradients by `torch.autograd.grad`."""
    import torch

    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    J = cost(leaves, X, Y)
    grads = torch.autograd.grad(J, list(leaves.values()))
    return J.detach(), {"d" + name: grad for name, grad in zip(leaves, grads, strict=True)}


class Apart(Eager):
    """The cost compiled, and differentiated from outside: a graph forward and one backward."""

    name, variant = "torch-apart", "apart"
    about = "PyTorch, torch.compile of the cost alone: its backward graph is called by autograd"

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return only_one_step(work) or super().refuses_work(work, problem, dtype, device)

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        import torch

        cost = partial(import_module(f"torch_impl.{problem.model}").cost, **problem.options)
        return partial(gradients_of, torch.compile(cost, fullgraph=True, dynamic=False))


class Stepped(Jit):
    """A jitted step that Python calls, in place of `lax.scan`."""

    name, variant, eager = "jax-stepped", "stepped", ""
    about = "JAX, training by a jitted step that is called from Python"

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return None if work == "train" else "its step is that of jax-jit"

    def task(self, work: str, problem: Problem, dtype: str, steps: int) -> Task:
        import jax

        module, options = import_module(f"jax_impl.{problem.model}"), problem.options
        rate = self.learning_rate(problem, dtype)

        def step(params: dict[str, Any], X: Any, Y: Any) -> tuple[dict[str, Any], Any]:
            J, grads = module.cost_and_gradients(params, X, Y, **options)
            return module.update(params, grads, rate), J

        return partial(steps_from_python, jax.jit(step), steps)


CONTRASTS: dict[str, type[Implementation]] = {c.name: c for c in (Formula, Apart, Stepped)}


def subject(name: str) -> Implementation:
    """The implementation or the contrast of that name."""
    return CONTRASTS[name]() if name in CONTRASTS else find(name)
