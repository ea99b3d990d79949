"""K: how far each framework's elementary functions are from the true ones, as measured, and the tool that measures it.

    python -m parity.elementary [--every-float32] [--framework NAME] [--dtype NAME] [--device NAME]

u = 2^−p is the unit roundoff of the format, and the error |computed − true| is taken at the very argument that the
implementation got. K is the largest error in these units:

    sigmoid, tanh, log  2u |true|         an ulp is at most that; |true| below the smallest normal number may be flushed
    loss                2u (|z| + log 2)  of one example as a function of its logit: log(1 + e^z) − y z
    output              2u                its derivative σ(z) − y, however the framework forms it

The logarithm is measured where its argument is a normal number: XLA reads a subnormal one as zero.

There is no K for cuda and mps. NVIDIA says of the errors in its tables that they come from tests and are no guarantee;
torch.compile and XLA have approximations of their own on a GPU (Triton's sigmoid is an `ex2.approx` of a rounded
product), with no documented error. The exact problems need no K.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from flint import arb, ctx

from parity.cli import CANNOT, DIFFERS, OK, Parser, chosen, set_switches
from parity.errors import BadInput
from parity.formats import FORMATS

FUNCTIONS = ("sigmoid", "tanh", "log", "loss", "output")
RELATIVE = ("sigmoid", "tanh", "log")


class Unmeasured(LookupError):
    """There is no K for a format on a device; the message is one line and says so."""


@dataclass(frozen=True)
class Entry:
    """What is known of one function of a framework in a format on a device: K, at how many points, and where from."""

    framework: str
    function: str
    dtype: str
    device: str
    ulps: float
    points: int
    source: str


def ulps(framework: str, dtype: str, device: str = "cpu") -> Mapping[str, float]:
    """K of every function by its name; what is not known of a framework is the largest K of any.

    Raises
    ------
    Unmeasured
        Nothing is known of `dtype` on `device`.
    """
    entries = [entry for entry in TABLE if (entry.dtype, entry.device) == (dtype, device)]
    if not entries:
        raise Unmeasured(f"the error of elementary functions in {dtype} on {device} is not known: no K, no bound")
    own = {entry.function: entry.ulps for entry in entries if entry.framework == framework}
    return {g: own.get(g, max(entry.ulps for entry in entries if entry.function == g)) for g in FUNCTIONS}


def _entries(framework: str, dtype: str, points: int, source: str, **K: float) -> list[Entry]:
    return [Entry(framework, function, dtype, "cpu", value, points, source) for function, value in K.items()]


PROVISIONAL = "provisional"
TABLE: tuple[Entry, ...] = (
    *_entries("numpy", "float64", 2**20, PROVISIONAL, sigmoid=1.5, tanh=1.0, log=1.0, loss=1.0, output=1.0),
    *_entries("numpy", "float32", 2**23, PROVISIONAL, sigmoid=2.2, tanh=1.0, log=2.0, loss=1.4, output=1.0),
    *_entries("numpy", "bfloat16", 2**16, PROVISIONAL, sigmoid=1.1, tanh=0.5, log=0.5, loss=0.7, output=0.7),
    *_entries("numpy", "float16", 2**16, PROVISIONAL, sigmoid=1.1, tanh=0.5, log=0.5, loss=0.9, output=0.8),
    *_entries("torch", "float64", 2**20, PROVISIONAL, sigmoid=1.5, tanh=1.0, log=1.0, loss=1.5, output=1.0),
    *_entries("torch", "float32", 2**23, PROVISIONAL, sigmoid=1.3, tanh=1.0, log=0.6, loss=1.3, output=0.8),
    *_entries("torch", "bfloat16", 2**16, PROVISIONAL, sigmoid=0.5, tanh=0.5, log=0.5, loss=1.1, output=0.8),
    *_entries("torch", "float16", 2**16, PROVISIONAL, sigmoid=0.5, tanh=0.5, log=0.5, loss=1.3, output=0.8),
    *_entries("jax", "float64", 2**20, PROVISIONAL, sigmoid=1.5, tanh=4.0, log=1.0, loss=2.0, output=16.0),
    *_entries("jax", "float32", 2**23, PROVISIONAL, sigmoid=1.3, tanh=2.5, log=1.1, loss=1.6, output=4.3),
    *_entries("jax", "bfloat16", 2**16, PROVISIONAL, sigmoid=1.1, tanh=0.5, log=0.5, loss=1.0, output=2.0),
    *_entries("jax", "float16", 2**16, PROVISIONAL, sigmoid=1.1, tanh=0.5, log=0.5, loss=1.3, output=2.2),
    *_entries("sklearn", "float64", 2**20, PROVISIONAL, sigmoid=1.5, tanh=1.0, loss=1.5, output=1.0),
    *_entries("sklearn", "float32", 2**23, PROVISIONAL, sigmoid=1.3, tanh=1.0, loss=0.5, output=0.8),
)


VARIANTS = {
    "numpy": ("reference",),
    "torch": ("torch-eager", "torch-eager strided", "torch-vmap", "torch-compile", "torch-compile scalar"),
    "jax": ("jax-eager", "jax-jit", "jax-vmap"),
    "sklearn": ("sklearn-loss", "sklearn-mlp"),
}
"""What is measured. What is left over from full vectors runs through other code in PyTorch: strided arrays and a compiler
without vectors show it. reference-loop calls the functions of reference with one number at a time."""

POINTS, SEED, BLOCK = 2**22, 0, 2**16

SWITCHES = (0.0004, 0.25, 0.5, 0.55, 0.625, 1.0, 1.25, 2**0.5, 2.0, 7.90531, 9.0, 9.01, 17.0, 19.0, 20.0, 22.0, 37.0)
"""Where some implementation changes from one formula to another."""

Call = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Truth:
    """The true values of a function at some points, high + low, and the measure of a distance from them.

    An error counts from `allowed` on, in `unit`. All are times `scale`, a power of two that keeps the errors of small
    values of float64 out of the subnormal numbers. `points` is how many of the points the function is measured at.
    """

    high: np.ndarray
    low: np.ndarray | float
    allowed: np.ndarray | float
    unit: np.ndarray | float
    scale: float
    points: int

    def worst(self, found: np.ndarray) -> tuple[float, int]:
        """The largest error in units, and where it is; what is not a number is infinitely wrong."""
        with np.errstate(invalid="ignore", over="ignore"):
            error = found.reshape(-1).astype(np.float64)
            error *= self.scale
            error -= self.high
            error -= self.low
            np.abs(error, out=error)
            error -= self.allowed
            error /= self.unit
        i = int(np.argmax(error))  # the first nan, if there is one
        return (float(max(error[i], 0)) if error[i] == error[i] else np.inf), i


def domain(function: str, Z: np.ndarray) -> np.ndarray:
    """Z, with 1 in place of what the function is not measured at."""
    return np.where(Z >= FORMATS[Z.dtype.name].smallest_normal, Z, np.ones_like(Z)) if function == "log" else Z


def truth(function: str, y: int, Z: np.ndarray) -> Truth:
    """The true values of `function` at the points of its domain among Z, for the label y.

    In float64 they are Arb's. In narrower formats they are NumPy's in float64: each takes at most four operations, none
    of them off by more than 2 units in float64's last place, so it is within 2^−25 of one of float32's.
    """
    fmt = FORMATS[Z.dtype.name]
    narrow, relative = fmt.name != "float64", function in RELATIVE
    z = domain(function, Z).reshape(-1).astype(np.float64)
    scale = 2.0**60 if relative and not narrow else 1.0
    high, low = (_in_float64(function, 1 - 2 * y, z), 0.0) if narrow else _by_arb(function, 1 - 2 * y, z, scale)
    allowed: np.ndarray | float = 0.0
    unit: np.ndarray | float = 2 * fmt.u
    if relative:
        size, smallest = np.abs(high), fmt.smallest_normal * scale
        allowed = np.where(size < smallest, smallest, 0.0)
        unit = np.maximum(unit * size, 2.0**-1074)  # not zero: beyond `allowed` of zero is infinitely wrong
    elif function == "loss":
        unit = unit * (np.abs(z) + np.log(2))
    points = np.count_nonzero(fmt.smallest_normal <= Z) if function == "log" else Z.size
    return Truth(high, low, allowed, unit, scale, points)


def _in_float64(function: str, sign: int, z: np.ndarray) -> np.ndarray:
    """σ(z) − y is s σ(s z) with s = 1 for y = 0, −1 for y = 1; and the loss is log(1 + e^(s z))."""
    if function in ("tanh", "log"):
        return np.tanh(z) if function == "tanh" else np.log(z)
    if function == "loss":
        return np.maximum(sign * z, 0) + np.log1p(np.exp(-np.abs(z)))
    with np.errstate(over="ignore"):
        return sign / (1 + np.exp(-sign * z))


def _by_arb(function: str, sign: int, z: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The same in ball arithmetic; beyond ±2000, σ is 0 or 1 to more digits than are looked at."""
    of: dict[str, Callable[[arb], arb]] = {
        "tanh": arb.tanh,
        "log": arb.log,
        "loss": lambda t: (abs(t) + sign * t) / 2 + (-abs(t)).exp().log1p(),
    }
    g = of.get(function, lambda t: sign / (1 + (-sign * t).exp()))
    before, ctx.prec = ctx.prec, 128
    try:
        balls = [g(arb(t)) * scale for t in (z if function in of else np.clip(z, -2000, 2000)).tolist()]
        high = [float(ball.mid()) for ball in balls]
        low = [float((ball - h).mid()) for ball, h in zip(balls, high, strict=True)]
    finally:
        ctx.prec = before
    return np.array(high), np.array(low)


def functions(variant: str) -> dict[str, Call]:
    """The elementary functions of an implementation, element by element of its arrays Z and Y of shape (N, 1).

    They are the package's own: N output units and one example make `cross_entropy` divide by 1. Its sum over the units
    is left out in NumPy and eager PyTorch, and elsewhere, under vmap, a sum of a single term.
    """
    from parity.implementations import find

    if variant.startswith("sklearn"):
        return _of_sklearn(variant)
    package = find(variant.split()[0]).package  # type: ignore[attr-defined]
    modules = (import_module(f"{package}.{m}") for m in ("activations", "derivatives", "logistic_regression"))
    activations, derivatives, logistic = modules
    table = {**activations.ACTIVATIONS, **derivatives.FUNCTIONS}
    of_z: dict[str, Call] = {g: partial(_of_z, table[g]) for g in RELATIVE}
    return {"reference": _of_numpy, "torch_impl": _of_torch, "jax_impl": _of_jax}[package](variant, of_z, logistic)


def _of_z(g: Callable[[Any], Any], Z: Any, Y: Any) -> Any:
    return g(Z)


def _of_numpy(variant: str, of_z: dict[str, Call], logistic: Any) -> dict[str, Call]:
    class Unsummed(np.ndarray):  # np.sum(x) asks x for its sum
        def sum(self, *arguments: Any, **options: Any) -> Any:
            return self

    def output(Z: np.ndarray, Y: np.ndarray) -> Any:
        A, Y = logistic.sigmoid(Z).T, Y.T
        return logistic.backward({"A": A}, np.empty((0, Y.size), Y.dtype), Y)["dZ"]

    return {**of_z, "loss": lambda Z, Y: logistic.cross_entropy(Z.view(Unsummed), Y), "output": output}


def _of_torch(variant: str, of_z: dict[str, Call], logistic: Any) -> dict[str, Call]:
    import torch
    from torch.overrides import TorchFunctionMode

    class Unsummed(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return args[0] if function is torch.sum else function(*args, **(kwargs or {}))

    def loss(Z: Any, Y: Any) -> Any:
        with Unsummed():
            return logistic.cross_entropy(Z, Y)

    def output(Z: Any, Y: Any) -> Any:
        Z = Z.detach().requires_grad_()
        return torch.autograd.grad(logistic.cross_entropy(Z, Y), Z)[0]

    if variant.startswith("torch-eager"):
        return {**of_z, "loss": loss, "output": output}
    each = torch.func.vmap(logistic.cross_entropy)
    grad_of_each = torch.func.vmap(torch.func.grad(logistic.cross_entropy))
    mapped: dict[str, Call] = {
        "loss": lambda Z, Y: each(Z[..., None], Y[..., None]),
        "output": lambda Z, Y: grad_of_each(Z[..., None], Y[..., None]),
    }
    if variant == "torch-vmap":
        return mapped
    torch.compiler.reset()  # what was compiled for other shapes and formats counts towards a limit
    compiled = {**of_z, "loss": mapped["loss"], "output": torch.func.grad(logistic.cross_entropy)}
    options: dict[str, Any] | None = {"cpp.simdlen": 1} if variant == "torch-compile scalar" else None
    return {g: torch.compile(f, fullgraph=True, dynamic=False, options=options) for g, f in compiled.items()}


def _of_jax(variant: str, of_z: dict[str, Call], logistic: Any) -> dict[str, Call]:
    import jax

    each, grad_of_each = jax.vmap(logistic.cross_entropy), jax.vmap(jax.grad(logistic.cross_entropy))
    loss: Call = lambda Z, Y: each(Z[..., None], Y[..., None])  # noqa: E731
    found: dict[str, Call] = {**of_z, "loss": loss, "output": jax.grad(logistic.cross_entropy)}
    if variant == "jax-vmap":
        found = {"output": lambda Z, Y: grad_of_each(Z[..., None], Y[..., None])}
    return found if variant == "jax-eager" else {g: jax.jit(f) for g, f in found.items()}


def _of_sklearn(variant: str) -> dict[str, Call]:
    """The loss class behind LogisticRegression; MLPClassifier's activations, which work in place, and its a − y."""
    if variant == "sklearn-loss":
        from sklearn._loss.loss import HalfBinomialLoss

        both = HalfBinomialLoss().loss_gradient
        return {"loss": lambda Z, Y: both(Y[:, 0], Z[:, 0])[0], "output": lambda Z, Y: both(Y[:, 0], Z[:, 0])[1]}
    from sklearn.neural_network._base import ACTIVATIONS

    def activation(g: str, A: np.ndarray) -> np.ndarray:
        ACTIVATIONS[g](A)
        return A

    sigmoid: Call = lambda Z, Y: activation("logistic", Z.copy())  # noqa: E731
    tanh: Call = lambda Z, Y: activation("tanh", Z.copy())  # noqa: E731
    return {"sigmoid": sigmoid, "tanh": tanh, "output": lambda Z, Y: sigmoid(Z, Y) - Y}


@dataclass(frozen=True)
class Measured:
    """The largest error of one function of one variant, in the function's unit, with its argument and label."""

    variant: str
    function: str
    dtype: str
    device: str
    ulps: float = -1.0
    z: float = np.nan
    y: int = 0
    points: int = 0


def measure(
    variants: Sequence[str],
    device: str,
    blocks: Iterable[np.ndarray],
    advance: Callable[[str], None] = lambda what: None,
) -> list[Measured]:
    """The largest errors of each variant's functions over all blocks of points, which have one dtype."""
    calls: dict[str, dict[str, Call]] = {}
    found: dict[tuple[str, str], Measured] = {}
    for block in blocks:
        dtype = block.dtype.name
        keys = [(g, y) for g in FUNCTIONS for y in ((0, 1) if g in ("loss", "output") else (0,))]
        truths = {(g, y): truth(g, y, block) for g, y in keys}
        for variant in variants:
            advance(f"{dtype} · {variant}")
            with _float64_in_jax(variant):
                calls[variant] = calls.get(variant) or functions(variant)
                to, back = _ways(variant, device)
                Y = [to(np.full((block.size, 1), y, block.dtype)) for y in (0, 1)]
                Z = {g: to(domain(g, block)[:, None]) for g in ("log", "")}
                for (g, y), true in truths.items():
                    if true.points and g in calls[variant]:
                        ulps, i = true.worst(back(calls[variant][g](Z.get(g, Z[""]), Y[y])))
                        before = found.get((variant, g), Measured(variant, g, dtype, device))
                        after = replace(before, points=before.points + (true.points if y == 0 else 0))
                        at = float(domain(g, block)[i])
                        found[variant, g] = replace(after, ulps=ulps, z=at, y=y) if ulps > before.ulps else after
    return list(found.values())


def _ways(variant: str, device: str) -> tuple[Callable[[np.ndarray], Any], Callable[[Any], np.ndarray]]:
    """From NumPy to the framework, and back."""
    from parity.implementations import Mirrored, find

    implementation = find(variant.split()[0])
    if not isinstance(implementation, Mirrored):
        return np.asarray, np.asarray
    if variant.endswith(" strided"):
        return lambda a: implementation.to_framework(np.repeat(a, 2, 1), device)[:, :1], implementation.to_numpy
    return lambda a: implementation.to_framework(a, device), implementation.to_numpy


def _float64_in_jax(variant: str) -> AbstractContextManager[Any]:
    if not variant.startswith("jax"):
        return nullcontext()
    import jax

    return jax.enable_x64(True)


def sample(dtype: str, points: int = POINTS, seed: int = SEED) -> Iterator[np.ndarray]:
    """Points of all sizes and both signs in blocks, more where functions bend, saturate or switch their formula."""
    fmt, rng = FORMATS[dtype], np.random.default_rng(seed)
    n, limit = points // 8, np.log(fmt.largest)
    parts = [
        np.exp(rng.uniform(np.log(fmt.smallest_normal), limit, n)),
        np.exp(rng.uniform(np.log(fmt.u), np.log(limit), 2 * n)),
        rng.uniform(0, limit, n),
        rng.uniform(0, 20, 2 * n),
        rng.uniform(0, 2, n),
        rng.choice(SWITCHES, n) * (1 + np.ldexp(rng.uniform(-1, 1, n), -rng.integers(0, fmt.p, n))),
    ]
    Z = rng.permutation(np.concatenate(parts) * rng.choice([-1.0, 1.0], 8 * n))
    Z = np.clip(Z, -fmt.largest, fmt.largest).astype(fmt.dtype)
    yield from (Z[i : i + BLOCK] for i in range(0, Z.size, BLOCK))


def every(dtype: str) -> Iterator[np.ndarray]:
    """Every finite value of a format, in blocks."""
    fmt = FORMATS[dtype]
    bits = 8 * fmt.dtype.itemsize
    for first in range(0, 2**bits, BLOCK):
        Z = np.arange(first, first + BLOCK).astype(f"uint{bits}").view(fmt.dtype)
        with np.errstate(invalid="ignore"):  # signalling nans
            Z = Z[np.isfinite(Z)]
        if Z.size:
            yield Z


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status is 1 where an error exceeds its K, 2 where nothing could be measured."""
    top = Parser(prog="python -m parity.elementary", description="The errors of elementary functions beside their K.")
    for option, what in (("--framework", ", ".join(VARIANTS)), ("--dtype", ", ".join(FORMATS))):
        top.add_argument(option, action="append", metavar="NAME", type=lambda text: text.split(","), help=what)
    top.add_argument("--device", metavar="NAME", default="cpu", help="cpu (the default), cuda or mps")
    top.add_argument("--every-float32", action="store_true", help="all 2^32 float32, not a sample: about an hour")
    options = top.parse_args(arguments)
    set_switches()
    try:
        return _report(options.framework, options.dtype, options.device, options.every_float32)
    except BadInput as error:
        print(f"parity: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("parity: stopped", file=sys.stderr)
    return CANNOT


def _report(frameworks: list[list[str]] | None, dtypes: list[list[str]] | None, device: str, everything: bool) -> int:
    from rich.table import Table

    from parity import report
    from parity.implementations import DEVICES

    chosen("device", [[device]], DEVICES)
    framework_of = {v: name for name in chosen("framework", frameworks, VARIANTS) for v in VARIANTS[name]}
    plan = {t: {v: _why_not(v, t, device) for v in framework_of} for t in chosen("dtype", dtypes, FORMATS)}
    todo = {t: [v for v, reason in reasons.items() if not reason] for t, reasons in plan.items()}
    reasons = dict.fromkeys(reason for of_dtype in plan.values() for reason in of_dtype.values() if reason)
    if not any(todo.values()):
        raise BadInput(f"nothing can be measured: {next(iter(reasons))}")
    if everything and not todo.get("float32"):
        raise BadInput("--every-float32 is about float32, which is not measured here")
    whole = {t: "16" in t or (t == "float32" and everything) for t in todo}
    steps = {t: (2 ** (8 * FORMATS[t].dtype.itemsize) if whole[t] else POINTS) // BLOCK for t in todo}
    to, table = report.console(), Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("dtype", "variant", "function", "largest error", "K", "at z", "y", "points"):
        table.add_column(title, justify="left" if title in ("dtype", "variant", "function") else "right", no_wrap=True)
    exceeding = 0
    with report.Progress(sum(len(todo[t]) * steps[t] for t in todo)) as progress:
        for t in todo:
            for m in measure(todo[t], device, every(t) if whole[t] else sample(t), progress.advance):
                try:
                    K = ulps(framework_of[m.variant], t, device)[m.function]
                except Unmeasured:
                    K = np.nan
                exceeding += m.ulps > K
                row = (t, m.variant, m.function, f"{m.ulps:.4f}", f"{K:.1f}", f"{m.z:.9g}", f"{m.y}", f"{m.points}")
                table.add_row(*row, style="bold red" if m.ulps > K else "")
    to.print(table)
    for reason in reasons:
        to.print(f"skipped: {reason}", style="dim", soft_wrap=True)
    to.print(f"{exceeding} exceed their K" if exceeding else "none exceeds its K", style="bold")
    return DIFFERS if exceeding else OK


def _why_not(variant: str, dtype: str, device: str) -> str | None:
    """Why a variant is not measured, or None."""
    from parity.run import inspect, why_not

    name = variant.split()[0]
    if name.startswith("sklearn") and dtype not in ("float64", "float32"):
        return "scikit-learn computes in float64 and float32 only"
    return why_not(name, inspect(name), device) or (
        "Metal has no float64" if (device, dtype) == ("mps", "float64") else None
    )


if __name__ == "__main__":
    sys.exit(main())
