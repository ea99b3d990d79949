"""K: how far each framework's elementary functions are from the true ones, as measured, and the tool that measures it.

    python -m parity.elementary [--every-float32] [--framework NAME] [--dtype NAME] [--device NAME]

u = 2^−p is the unit roundoff of the format, and the error |computed − true| is taken at the very argument that the
implementation got. K is the largest error in these units:

    sigmoid, tanh, log  2u |true|         that is one to two ulp; |true| below the smallest normal number may be flushed
    loss                2u (|z| + log 2)  of one example as a function of its logit: log(1 + e^z) − y z
    output              2u (1 + |z|)      its derivative σ(z) − y: JAX forms e^(z − log(1 + e^z)), and rounds there

Libraries choose their code by the processor: PyTorch's logarithm in float32, which is MKL's, was at most 0.7 off on
one machine with AVX-512 and is 0.85 off on another. So the largest error that was found is rounded up to a half in
float32 and float64, and to one at least; in the narrow formats, where the tests try every number, to a tenth.
The entries hold for AVX-512, AVX2 and, but in float64, for SSE4.2 without FMA (there NumPy's tanh is up to 1.37 off in
float32, JAX's 3.44).

There is no K for cuda and mps: what torch.compile and XLA make of these functions there has no documented error, and
NVIDIA says of the errors in its own tables that they come from tests and are no guarantee. Exact problems need no K.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from flint import arb, ctx

from parity.cli import CANNOT, DIFFERS, OK, Parser, chosen, several
from parity.errors import BadInput
from parity.formats import FORMATS
from parity.rounding import size
from parity.switches import set_switches

FUNCTIONS = {"sigmoid": (0,), "tanh": (0,), "log": (0,), "loss": (0, 1), "output": (0, 1)}  # for which labels y
RELATIVE = ("sigmoid", "tanh", "log")


class Unmeasured(LookupError):
    """There is no K for a format on a device; the message is one line and says so."""


@dataclass(frozen=True)
class Entry:
    """K of one function of a framework or variant in a format on a device, from how many points and what source."""

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
        raise Unmeasured(f"no bound: the error of elementary functions in {dtype} on {device} has not been measured")
    own = {entry.function: entry.ulps for entry in entries if entry.framework == framework}
    largest = {entry.function: max(e.ulps for e in entries if e.function == entry.function) for entry in entries}
    return largest | own


SOURCES = {
    "float64": ((2**26, 33550263), "a sample of that size, seeds 0 to 15, against Arb; output: seed 0, 2^22 points"),
    "float32": (
        (4278190080, 2130706432),
        "every float32, against float64; other instruction sets and scalar code: a sample",
    ),
    "bfloat16": ((65280, 32512), "every bfloat16, against float64"),
    "float16": ((63488, 30720), "every float16, against float64"),
}
"""At how many points, and for how many of them the logarithm; what they are."""

LARGEST: dict[tuple[str, str], tuple[float | None, ...]] = {
    ("numpy", "float64"): (1.5, 1.0, 1.0, 1.0, 1.0),
    ("numpy", "float32"): (2.5, 1.5, 2.5, 1.5, 1.0),
    ("numpy", "bfloat16"): (1.1, 0.5, 0.5, 0.7, 0.7),
    ("numpy", "float16"): (1.1, 0.5, 0.5, 0.9, 0.8),
    ("torch", "float64"): (1.5, 1.5, 1.0, 1.5, 1.0),
    ("torch", "float32"): (1.5, 1.5, 1.0, 1.5, 1.0),
    ("torch", "bfloat16"): (0.5, 0.5, 0.5, 1.1, 0.8),
    ("torch", "float16"): (0.5, 0.5, 0.5, 1.3, 0.8),
    ("jax", "float64"): (2.0, 4.0, 1.0, 2.0, 1.0),
    ("jax", "float32"): (1.5, 3.5, 1.5, 2.0, 1.0),
    ("jax", "bfloat16"): (1.1, 0.5, 0.5, 1.0, 0.8),
    ("jax", "float16"): (1.1, 0.5, 0.5, 1.3, 0.8),
    ("sklearn", "float64"): (1.5, 1.0, None, 1.5, 1.0),
    ("sklearn", "float32"): (1.5, 1.5, None, 1.0, 1.0),
}
TABLE = tuple(
    Entry(framework, g, dtype, "cpu", K, SOURCES[dtype][0][g == "log"], SOURCES[dtype][1])
    for (framework, dtype), row in LARGEST.items()
    for g, K in zip(FUNCTIONS, row, strict=True)
    if K is not None
)

VARIANTS = {
    "numpy": ("reference", "reference-tuned"),
    "torch": ("torch-eager", "torch-eager strided", "torch-vmap", "torch-compile", "torch-compile scalar"),
    "jax": ("jax-eager", "jax-jit", "jax-vmap"),
    "sklearn": ("sklearn-loss", "sklearn-mlp"),
}
"""What is measured. What is left over from full vectors runs through other code in PyTorch: strided arrays show it, and
a compiler without vectors. reference-loop calls the functions of reference with one number at a time."""

NO_HALVES = ("sklearn", "reference-tuned")
"""What computes in no format of 16 bits."""

POINTS, SEED, BLOCK = 2**22, 0, 2**16

Call = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Truth:
    """The true values of a function at some points, high + low, and the measure of a distance from them.

    An error counts from `allowed` on, in `unit`. All are times `scale`, which keeps float64's errors normal numbers.
    The function is measured at `points` of the points.
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
            distance = np.abs(found.reshape(-1).astype(np.float64) * self.scale - self.high - self.low)
            error = (distance - self.allowed) / self.unit
        i = int(np.argmax(error))  # the first nan, if there is one
        return (float(max(error[i], 0)) if error[i] == error[i] else np.inf), i


def domain(function: str, Z: np.ndarray) -> np.ndarray:
    """Z, with 1 where the function is not measured: log has no value, or XLA reads a subnormal number as zero."""
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
        value, smallest = np.abs(high), fmt.smallest_normal * scale
        allowed = np.where(value < smallest, smallest, 0.0)
        unit = np.maximum(unit * value, 2.0**-1074)  # not zero: beyond `allowed` of zero is infinitely wrong
    else:
        unit = unit * size(function, z)
    points = int(np.sum(fmt.smallest_normal <= Z)) if function == "log" else Z.size
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
    """The same in ball arithmetic, without an e^z that overflows."""
    of: dict[str, Callable[[arb], arb]] = {
        "tanh": arb.tanh,
        "log": arb.log,
        "loss": lambda t: (abs(t) + sign * t) / 2 + (-abs(t)).exp().log1p(),
    }
    g: Callable[[arb], arb] = of.get(function, lambda t: sign * ((sign * t - abs(t)) / 2).exp() / (1 + (-abs(t)).exp()))
    with ctx.workprec(128):
        balls = [g(arb(t)) * scale for t in z.tolist()]
        high = [float(ball.mid()) for ball in balls]
        low = [float((ball - h).mid()) for ball, h in zip(balls, high, strict=True)]
    return np.array(high), np.array(low)


def functions(variant: str, device: str) -> dict[str, Call]:
    """The elementary functions of an implementation, element by element of NumPy's arrays Z and Y of shape (N, 1).

    They are the package's own: N output units and one example make `cross_entropy` divide by 1. Its sum over the units
    is left out in NumPy and eager PyTorch, and elsewhere, under vmap, a sum of a single term.
    """
    from parity.implementations import Mirrored, find

    implementation = find(variant.split()[0])
    if not isinstance(implementation, Mirrored):
        return _of_sklearn(variant)
    package, strided = implementation.package, variant.endswith(" strided")
    modules = (import_module(f"{package}.{m}") for m in ("activations", "derivatives", "logistic_regression"))
    activations, derivatives, logistic = modules
    table = {**activations.ACTIVATIONS, **derivatives.FUNCTIONS}
    of_z: dict[str, Call] = {g: partial(lambda g, Z, Y: g(Z), table[g]) for g in RELATIVE}
    found = {"reference": _of_numpy, "torch_impl": _of_torch, "jax_impl": _of_jax}[package](variant, of_z, logistic)

    def moved(array: np.ndarray) -> Any:
        return implementation.to_framework(np.repeat(array, 2, 1) if strided else array, device)[:, :1]

    def by_way_of_numpy(f: Call, Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
        with import_module("jax").enable_x64(True) if package == "jax_impl" else nullcontext():
            return implementation.to_numpy(f(moved(Z), moved(Y)))

    return {g: partial(by_way_of_numpy, f) for g, f in found.items()}


def _of_numpy(variant: str, of_z: dict[str, Call], logistic: Any) -> dict[str, Call]:
    if variant == "reference-tuned":
        return _of_tuned()

    class Unsummed(np.ndarray):  # np.sum(x) asks x for its sum
        def sum(self, *arguments: Any, **options: Any) -> Any:
            return self

    return {
        **of_z,
        "loss": lambda Z, Y: logistic.cross_entropy(Z.view(Unsummed), Y),
        "output": lambda Z, Y: logistic.backward({"A": logistic.sigmoid(Z).T}, Y.T[:0], Y.T)["dZ"],
    }


def _of_tuned() -> dict[str, Call]:
    """Its functions fill what they are given, and take h = z/2 and s = 1 − 2y."""
    tuned = import_module("reference.tuned")

    def in_place(g: str, Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
        A = Z.copy()
        tuned.ACTIVATIONS[g][0](A, np.empty_like(A), tuned.constants(A.dtype, 1))
        return A

    def loss(Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return tuned.losses(Z / 2, 1 - 2 * Y, np.empty_like(Z), np.empty_like(Z), tuned.constants(Z.dtype, 1))

    return {
        **{g: partial(in_place, g) for g in ("sigmoid", "tanh")},
        "loss": loss,
        "output": lambda Z, Y: tuned.twice_dZ(Z / 2, 1 - 2 * Y, np.empty_like(Z)) / 2,
    }


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
    each, grad = _by_example(torch.func.vmap(logistic.cross_entropy)), torch.func.grad(logistic.cross_entropy)
    if variant == "torch-vmap":
        return {"loss": each, "output": _by_example(torch.func.vmap(grad))}
    torch.compiler.reset()  # what was compiled for other shapes and formats counts towards a limit
    compiled: dict[str, Call] = {**of_z, "loss": each, "output": grad}
    options: dict[str, Any] | None = {"cpp.simdlen": 1} if variant == "torch-compile scalar" else None
    return {g: torch.compile(f, fullgraph=True, dynamic=False, options=options) for g, f in compiled.items()}


def _by_example(f: Call) -> Call:
    return lambda Z, Y: f(Z[..., None], Y[..., None])


def _of_jax(variant: str, of_z: dict[str, Call], logistic: Any) -> dict[str, Call]:
    import jax

    each, grad = _by_example(jax.vmap(logistic.cross_entropy)), jax.grad(logistic.cross_entropy)
    found = {**of_z, "loss": each, "output": grad}
    if variant == "jax-vmap":
        found = {"loss": each, "output": _by_example(jax.vmap(grad))}
    return found if variant == "jax-eager" else {g: jax.jit(f) for g, f in found.items()}


def _of_sklearn(variant: str) -> dict[str, Call]:
    """The loss class behind LogisticRegression; MLPClassifier's activations, which work in place, and its a − y."""
    if variant == "sklearn-loss":
        from sklearn._loss.loss import HalfBinomialLoss

        both = HalfBinomialLoss().loss_gradient
        return {"loss": lambda Z, Y: both(Y[:, 0], Z[:, 0])[0], "output": lambda Z, Y: both(Y[:, 0], Z[:, 0])[1]}
    from sklearn.neural_network._base import ACTIVATIONS

    def activation(g: str, Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
        A = Z.copy()
        ACTIVATIONS[g](A)
        return A

    sigmoid = partial(activation, "logistic")
    return {"sigmoid": sigmoid, "tanh": partial(activation, "tanh"), "output": lambda Z, Y: sigmoid(Z, Y) - Y}


def measure(
    variants: Sequence[str],
    device: str,
    blocks: Iterable[np.ndarray],
    advance: Callable[[str], object] = lambda what: None,
) -> list[Entry]:
    """The largest error of every function of each variant over all blocks; `advance` is told what begins."""
    calls: dict[str, dict[str, Call]] = {}
    found: dict[tuple[str, str], Entry] = {}
    for block in blocks:
        truths = {(g, y): truth(g, y, block) for g, labels in FUNCTIONS.items() for y in labels}
        for variant in variants:
            advance(f"{block.dtype.name} · {variant}")
            calls[variant] = calls.get(variant) or functions(variant, device)
            for (g, y), true in truths.items():
                if true.points and g in calls[variant]:
                    Z = domain(g, block)
                    error, i = true.worst(calls[variant][g](Z[:, None], np.full_like(Z, y)[:, None]))
                    before = found.get((variant, g), Entry(variant, g, Z.dtype.name, device, -1.0, 0, ""))
                    worse = Entry(variant, g, Z.dtype.name, device, error, 0, f"z = {float(Z[i]):.9g}, y = {y}")
                    points = before.points + (true.points if y == 0 else 0)
                    found[variant, g] = replace(worse if error > before.ulps else before, points=points)
    return list(found.values())


def sample(dtype: str, points: int = POINTS, seed: int = SEED) -> Iterator[np.ndarray]:
    """Points of all sizes and both signs in blocks, more where functions bend, saturate or switch their formula."""
    fmt, rng = FORMATS[dtype], np.random.default_rng(seed)
    n, limit = points // 8, np.log(fmt.largest)
    switches = (0.0004, 0.25, 0.5, 0.55, 0.625, 1, 1.25, 2**0.5, 2, 7.90531, 9, 9.01, 17, 19, 20, 22, 37)
    parts = [
        np.exp(rng.uniform(np.log(fmt.smallest_normal), limit, n)),
        np.exp(rng.uniform(np.log(fmt.u), np.log(limit), 2 * n)),
        rng.uniform(0, limit, n),
        rng.uniform(0, 20, 2 * n),
        rng.uniform(0, 2, n),
        rng.choice(switches, n) * (1 + np.ldexp(rng.uniform(-1, 1, n), -rng.integers(0, fmt.p, n))),
    ]
    Z = rng.permutation(np.concatenate(parts) * rng.choice([-1.0, 1.0], 8 * n))
    Z = np.clip(Z, -fmt.largest, fmt.largest).astype(fmt.dtype)
    yield from (Z[i : i + BLOCK] for i in range(0, Z.size, BLOCK))


def every(dtype: str) -> Iterator[np.ndarray]:
    """Every finite value of a format, in blocks."""
    fmt = FORMATS[dtype]
    unsigned = f"uint{8 * fmt.dtype.itemsize}"
    infinity = int(np.array(np.inf, fmt.dtype).view(unsigned))
    for first in range(0, infinity, BLOCK):
        Z = np.arange(first, min(first + BLOCK, infinity)).astype(unsigned).view(fmt.dtype)
        yield from (Z, -Z)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; exit status 1: an error exceeds its K or has none, 2 where nothing could be measured."""
    top = Parser(prog="python -m parity.elementary", description="The errors of elementary functions beside their K.")
    for option, names in (("--framework", VARIANTS), ("--dtype", FORMATS)):
        top.add_argument(option, action="append", metavar="NAME", type=several, help=", ".join(names))
    top.add_argument("--device", metavar="NAME", default="cpu", help="cpu (the default), cuda or mps")
    top.add_argument("--every-float32", action="store_true", help="all 2^32 float32, not a sample: about an hour")
    options = top.parse_args(arguments)
    set_switches()
    try:
        return _report(**vars(options))
    except BadInput as error:
        print(f"parity: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("parity: stopped", file=sys.stderr)
    return CANNOT


def _report(framework: list[list[str]], dtype: list[list[str]], device: str, every_float32: bool) -> int:
    from rich.table import Table

    from parity import paper
    from parity.names import DEVICES

    chosen("device", [[device]], DEVICES)
    framework_of = {v: name for name in chosen("framework", framework, VARIANTS) for v in VARIANTS[name]}
    plan = {t: {v: _why_not(v, t, device) for v in framework_of} for t in chosen("dtype", dtype, FORMATS)}
    todo = {t: [v for v, reason in of_dtype.items() if not reason] for t, of_dtype in plan.items()}
    reasons = dict.fromkeys(reason for of_dtype in plan.values() for reason in of_dtype.values() if reason)
    if not any(todo.values()):
        raise BadInput(f"nothing can be measured: {next(iter(reasons))}")
    if every_float32 and not todo.get("float32"):
        raise BadInput("--every-float32 is about float32, which is not measured here")
    whole = {t: "16" in t or (t == "float32" and every_float32) for t in todo}
    steps = {t: (2 ** (8 * FORMATS[t].dtype.itemsize) if whole[t] else POINTS) // BLOCK for t in todo}
    known = {(entry.framework, entry.function, entry.dtype, entry.device): entry.ulps for entry in TABLE}
    to, exceeding, unknown = paper.console(), 0, 0
    table = Table("dtype", "variant", "function", "error", "K", "points", "at", box=None, padding=(0, 2, 0, 0))
    with paper.Progress(sum(len(todo[t]) * steps[t] for t in todo)) as progress:
        for t in todo:
            for m in measure(todo[t], device, every(t) if whole[t] else sample(t), progress.advance):
                K = known.get((framework_of[m.framework], m.function, t, device), np.nan)
                row = (t, m.framework, m.function, f"{m.ulps:.4f}", f"{K:.1f}", f"{m.points}", m.source)
                table.add_row(*row, style="bold red" if m.ulps > K else "")
                exceeding += m.ulps > K
                unknown += K != K
    to.print(table)
    for reason in reasons:
        to.print(f"skipped: {reason}", style="dim", soft_wrap=True)
    if unknown:
        to.print(f"{unknown} have no K in the table: no bound rests on them", style="bold")
    to.print(f"{exceeding} exceed their K" if exceeding else "none exceeds its K", style="bold")
    return DIFFERS if exceeding or unknown else OK


def _why_not(variant: str, dtype: str, device: str) -> str | None:
    from parity.run import inspect, why_not

    name = variant.split()[0]
    if name.startswith(NO_HALVES) and "16" in dtype:
        return f"{'scikit-learn' if name.startswith('sklearn') else name} computes in float64 and float32 only"
    return "Metal has no float64" if (device, dtype) == ("mps", "float64") else why_not(name, inspect(name), device)


if __name__ == "__main__":
    sys.exit(main())
