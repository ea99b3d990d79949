"""How fast `train` is: in each framework beside a bare loop of the same formulas, written out here by hand.

    python -m tests.training_speed

A figure is the median, over rounds, of the ratio of two times of one round, on one thread.

    train / bare loop ≤ 1.1       NumPy, PyTorch (eager), JAX (one jit)
    train / single steps ≤ 0.3    JAX on 2-4-1: a scan inside one jit beside a jitted step that Python calls; in float64
                                  the step itself takes most of the time of such a call
    graph breaks = 0              PyTorch's compiled step; its time beside the eager one is shown

Exit status: 0 every target is met, 1 one is missed or a bare loop computes other bits.
"""

# ruff: noqa: E402 (the switches are read when the frameworks are imported)

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import Any

from parity.cli import DIFFERS, OK
from parity.switches import set_switches

set_switches()
os.environ["JAX_ENABLE_X64"] = "1"
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import jax
import jax.numpy as jnp
import numpy as np
import torch

from parity.implementations import Mirrored, find
from parity.problems import Problem, catalogue

ROUNDS = 51
ITERATIONS = 100
ITERATIONS_OF_A_SCAN = 1000
"""So many that starting it costs nothing."""

Arrays = dict[str, Any]
Trained = tuple[Arrays, Any]


# The bare loops ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Formulas:
    """σ, and tanh' of z and a."""

    sigmoid: Callable[[Any], Any]
    slope: Callable[[Any, Any], Any]


def quiet_sigmoid(Z: Any) -> Any:
    """1 / (1 + e^−z), without a warning where e^−z overflows."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-Z))


SAME = Formulas(quiet_sigmoid, lambda Z, A: 1 - np.tanh(Z) ** 2)
"""Those of `reference`: g'(z) is a function of z (N17), and σ is silent."""

LEANEST = Formulas(lambda Z: 1 / (1 + np.exp(-Z)), lambda Z, A: 1 - A**2)
"""The same bits with a tanh less, and a warning where e^−z overflows."""


def numpy_logistic(params: Arrays, X: Any, Y: Any, rate: float, iterations: int, g: Formulas = SAME) -> Trained:
    """Logistic regression."""
    w, b, m = params["w"], params["b"], X.shape[1]
    costs = np.empty(iterations)
    for i in range(iterations):
        Z = np.dot(w.T, X) + b
        A = g.sigmoid(Z)
        costs[i] = np.sum(np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))) / m
        dZ = A - Y
        w, b = w - rate * (np.dot(X, dZ.T) / m), b - rate * (np.sum(dZ) / m)
    return {"w": w, "b": b}, costs


def numpy_shallow(params: Arrays, X: Any, Y: Any, rate: float, iterations: int, g: Formulas = SAME) -> Trained:
    """tanh, then sigmoid."""
    W1, b1, W2, b2, m = *params.values(), X.shape[1]
    costs = np.empty(iterations)
    for i in range(iterations):
        Z1 = np.dot(W1, X) + b1
        A1 = np.tanh(Z1)
        Z2 = np.dot(W2, A1) + b2
        A2 = g.sigmoid(Z2)
        costs[i] = np.sum(np.maximum(Z2, 0) - Y * Z2 + np.log1p(np.exp(-np.abs(Z2)))) / m
        dZ2 = A2 - Y
        dW2, db2 = np.dot(dZ2, A1.T) / m, np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = np.dot(W2.T, dZ2) * g.slope(Z1, A1)
        dW1, db1 = np.dot(dZ1, X.T) / m, np.sum(dZ1, axis=1, keepdims=True) / m
        W1, b1, W2, b2 = W1 - rate * dW1, b1 - rate * db1, W2 - rate * dW2, b2 - rate * db2
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, costs


def numpy_deep(params: Arrays, X: Any, Y: Any, rate: float, iterations: int, g: Formulas = SAME) -> Trained:
    """tanh, ReLU, then sigmoid."""
    W1, b1, W2, b2, W3, b3, m = *params.values(), X.shape[1]
    costs = np.empty(iterations)
    for i in range(iterations):
        Z1 = np.dot(W1, X) + b1
        A1 = np.tanh(Z1)
        Z2 = np.dot(W2, A1) + b2
        A2 = np.maximum(0, Z2)
        Z3 = np.dot(W3, A2) + b3
        A3 = g.sigmoid(Z3)
        costs[i] = np.sum(np.maximum(Z3, 0) - Y * Z3 + np.log1p(np.exp(-np.abs(Z3)))) / m
        dZ3 = A3 - Y
        dW3, db3 = np.dot(dZ3, A2.T) / m, np.sum(dZ3, axis=1, keepdims=True) / m
        dZ2 = np.dot(W3.T, dZ3) * (Z2 > 0)
        dW2, db2 = np.dot(dZ2, A1.T) / m, np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = np.dot(W2.T, dZ2) * g.slope(Z1, A1)
        dW1, db1 = np.dot(dZ1, X.T) / m, np.sum(dZ1, axis=1, keepdims=True) / m
        W1, b1, W2, b2 = W1 - rate * dW1, b1 - rate * db1, W2 - rate * dW2, b2 - rate * db2
        W3, b3 = W3 - rate * dW3, b3 - rate * db3
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "W3": W3, "b3": b3}, costs


def torch_logits_logistic(X: Any, w: Any, b: Any) -> Any:
    """Z of logistic regression."""
    return w.T @ X + b


def torch_logits_shallow(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """Z2 of the network with one hidden layer."""
    return W2 @ torch.tanh(W1 @ X + b1) + b2


def torch_logits_deep(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Any:
    """Z3 of the network with two."""
    return W3 @ torch.relu(W2 @ torch.tanh(W1 @ X + b1) + b2) + b3


def torch_loop(logits: Callable[..., Any], params: Arrays, X: Any, Y: Any, rate: float, iterations: int) -> Trained:
    """The usual loop, with autograd."""
    values, m = [p.clone().requires_grad_() for p in params.values()], X.shape[1]
    costs = torch.empty(iterations, dtype=X.dtype)
    for i in range(iterations):
        losses = torch.nn.functional.binary_cross_entropy_with_logits(logits(X, *values), Y, reduction="none")
        J = torch.sum(losses) / m
        grads = torch.autograd.grad(J, values)
        costs[i] = J.detach()
        with torch.no_grad():
            values = [(p - rate * grad).requires_grad_() for p, grad in zip(values, grads, strict=True)]
    return {name: p.detach() for name, p in zip(params, values, strict=True)}, costs


def jax_logits_logistic(X: Any, w: Any, b: Any) -> Any:
    """Z of logistic regression."""
    return w.T @ X + b


def jax_logits_shallow(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """Z2 of the network with one hidden layer."""
    return W2 @ jnp.tanh(W1 @ X + b1) + b2


def jax_logits_deep(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Any:
    """Z3 of the network with two."""
    return W3 @ jax.nn.relu(W2 @ jnp.tanh(W1 @ X + b1) + b2) + b3


def jax_step(logits: Callable[..., Any], params: Arrays, X: Any, Y: Any, rate: float) -> tuple[Arrays, Any]:
    """One update, and J before it."""

    def cost(params: Arrays) -> Any:
        Z = logits(X, **params)
        return jnp.sum(jax.nn.softplus(Z) - Y * Z) / X.shape[1]

    J, grads = jax.value_and_grad(cost)(params)
    return {name: p - rate * grads[name] for name, p in params.items()}, J


def jax_loop(logits: Callable[..., Any], params: Arrays, X: Any, Y: Any, rate: float, iterations: int) -> Trained:
    """All steps in one scan."""
    return jax.lax.scan(lambda at, _: jax_step(logits, at, X, Y, rate), params, length=iterations)


# What is timed -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timed:
    """Two runs that do the same, and what the ratio of their times may be at most; None: it is only shown."""

    what: str
    run: Callable[[], Trained]
    beside: Callable[[], Trained]
    wanted: float | None = None

    def ratio(self) -> float:
        """The median over rounds, each of which takes both times, in turns the one or the other first."""
        times: dict[str, list[float]] = {"run": [], "beside": []}
        for i in range(ROUNDS + 1):
            for which in ("run", "beside")[:: 1 if i % 2 else -1]:
                start = perf_counter()
                getattr(self, which)()
                times[which].append(perf_counter() - start)
        pairs = zip(times["run"], times["beside"], strict=True)
        next(pairs)  # compiles
        return median(mine / other for mine, other in pairs)

    def same_bits(self) -> bool:
        """Whether both end in the same parameters and costs."""
        (params, costs), (others, other_costs) = self.run(), self.beside()
        pairs = [(costs, other_costs), *((params[name], others[name]) for name in params)]
        return all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)


BY_HAND: dict[str, tuple[Callable[..., Trained], Callable[..., Any], Callable[..., Any]]] = {
    "flower": (numpy_shallow, torch_logits_shallow, jax_logits_shallow),
    "breast_cancer_deep": (numpy_deep, torch_logits_deep, jax_logits_deep),
    "breast_cancer_logistic": (numpy_logistic, torch_logits_logistic, jax_logits_logistic),
}
"""A problem's bare loop in NumPy, and its logits in PyTorch and JAX; the flower is the 2-4-1 network with m = 400."""


def given(implementation: str, problem: Problem, dtype: str = "float64") -> tuple[Any, ...]:
    """params, X, Y and α as the implementation takes them."""
    adapter = find(implementation)
    assert isinstance(adapter, Mirrored)
    return *adapter.moved(problem, dtype, "cpu"), problem.learning_rate


def trainer(package: str, problem: Problem) -> Callable[..., Trained]:
    """The package's `train`, a function of (params, X, Y, learning_rate, iterations)."""
    return partial(import_module(f"{package}.{problem.model}").train, **problem.options)


def bound(function: Callable[..., Trained], *arguments: Any, iterations: int = ITERATIONS) -> Callable[[], Trained]:
    """The call, until its result is there."""
    return lambda: jax.block_until_ready(function(*arguments, iterations=iterations))


def beside_bare_loops(name: str) -> Iterator[Timed]:
    """`train` of the three packages on one problem."""
    problem, (numpy_loop, torch_logits, jax_logits) = catalogue.build(name), BY_HAND[name]
    inputs = given("reference", problem)
    ours = bound(trainer("reference", problem), *inputs)
    yield Timed("NumPy, train / bare loop", ours, bound(numpy_loop, *inputs), 1.1)
    yield Timed("NumPy, train / the leanest loop", ours, bound(partial(numpy_loop, g=LEANEST), *inputs))
    inputs = given("torch-eager", problem)
    ours, bare = bound(trainer("torch_impl", problem), *inputs), bound(partial(torch_loop, torch_logits), *inputs)
    yield Timed("PyTorch, train / bare loop", ours, bare, 1.1)
    inputs = given("jax-jit", problem)
    ours, bare = bound(jitted_train(problem), *inputs), bound(in_one_jit(partial(jax_loop, jax_logits)), *inputs)
    yield Timed("JAX, train / bare loop", ours, bare, 1.1)


def beside_single_steps(name: str, dtype: str) -> Timed:
    """JAX's `train`, a scan, beside a jitted step that Python calls."""
    problem = catalogue.build(name)
    inputs, step = given("jax-jit", problem, dtype), jax.jit(partial(jax_step, BY_HAND[name][2]))
    ours, stepped = (
        bound(function, *inputs, iterations=ITERATIONS_OF_A_SCAN)
        for function in (jitted_train(problem), partial(step_by_step, step))
    )
    return Timed(f"JAX, train / single steps, {dtype}", ours, stepped, 0.3)


def in_one_jit(function: Callable[..., Trained]) -> Callable[..., Trained]:
    """The whole descent in one jit."""
    compiled: Callable[..., Trained] = jax.jit(function, static_argnames="iterations")
    return compiled


def jitted_train(problem: Problem) -> Callable[..., Trained]:
    """jax_impl's `train` in one jit."""
    return in_one_jit(trainer("jax_impl", problem))


def step_by_step(step: Callable[..., Trained], params: Arrays, X: Any, Y: Any, rate: float, iterations: int) -> Trained:
    """Training, one call of `step` after the other."""
    costs = []
    for _ in range(iterations):
        params, J = step(params, X, Y, rate)
        costs.append(J)
    return params, costs


def torch_step(problem: Problem) -> Callable[..., Trained]:
    """A step of torch_impl that one graph can hold: `grad_and_value` of its cost, and its update."""
    module = import_module(f"torch_impl.{problem.model}")
    options = problem.options

    def step(params: Arrays, X: Any, Y: Any, rate: float) -> Trained:
        grads, J = torch.func.grad_and_value(module.cost)(params, X, Y, **options)
        return module.update(params, {"d" + name: grad for name, grad in grads.items()}, rate), J

    return step


def graph_breaks(problem: Problem) -> int:
    """How often PyTorch leaves the graph of a step; `torch._dynamo.explain` counts none inside `grad_and_value`."""
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    torch.compile(torch_step(problem), dynamic=False)(*given("torch-eager", problem))
    return sum(torch._dynamo.utils.counters["graph_break"].values())


def beside_eager(problem: Problem) -> Timed:
    """PyTorch's step, compiled, beside its `train`."""
    torch.compiler.reset()
    inputs = given("torch-eager", problem)
    stepped = partial(step_by_step, torch.compile(torch_step(problem), fullgraph=True, dynamic=False))
    return Timed(
        "PyTorch, compiled steps / eager train", bound(stepped, *inputs), bound(trainer("torch_impl", problem), *inputs)
    )


def line(what: str, figure: str, target: str = "", fault: str = "") -> bool:
    """Print a figure; whether it misses its target."""
    print(f"  {what:<40} {figure:>7}  {target:<6} {fault}".rstrip(), flush=True)
    return bool(fault)


def timed_line(timed: Timed, *, same_bits: bool = True) -> bool:
    """The same of a ratio."""
    if same_bits and not timed.same_bits():
        return line(timed.what, "", "", "other bits")
    ratio = timed.ratio()
    missed = timed.wanted is not None and ratio > timed.wanted
    target = "" if timed.wanted is None else f"≤ {timed.wanted}"
    return line(timed.what, f"{ratio:.3f}", target, "missed" if missed else "")


def main() -> int:
    """Print every figure; the exit status."""
    torch.set_num_threads(1)
    gc.disable()
    missed = []
    for name in BY_HAND:
        problem = catalogue.build(name)
        print(f"{'-'.join(map(str, problem.layers))}, m = {problem.m}")
        missed += [timed_line(timed) for timed in beside_bare_loops(name)]
        if name == "flower":
            missed += [timed_line(beside_single_steps(name, t), same_bits=False) for t in ("float32", "float64")]
        breaks = graph_breaks(problem)
        missed.append(line("PyTorch, graph breaks in a step", str(breaks), "= 0", "missed" if breaks else ""))
        if not breaks:
            missed.append(timed_line(beside_eager(problem), same_bits=False))
    return DIFFERS if any(missed) else OK


if __name__ == "__main__":
    sys.exit(main())
