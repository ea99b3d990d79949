"""What the answers of `parity.study.traps` are held against: exact values, and how far rounding may be from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from parity.elementary import ulps
from parity.formats import FORMATS
from parity.oracle import FIRST_PRECISION, working_precision
from parity.rounding import Arithmetic, size
from parity.study.trapped import Answer

RIGHT, ROUNDING, WRONG, REFUSED, FREE = "right", "rounding", "wrong", "refused", "free"
"""The exact value, rounded to nearest; within the bound of rounding; neither; an error instead of an answer; nothing
that an answer could be held against."""

FEW = 100
"""Units in the last place that are told to two digits."""

Number = bool | int | float | arb


@dataclass(frozen=True, eq=False)
class Truth:
    """What an answer ought to be; one may be that of several questions.

    Attributes
    ----------
    shape : tuple of int
    values : tuple of arb
    bound : function of an Arithmetic
        How far rounding may take each element from there; by default nowhere but to the nearest number of the format.
    dtype : str
        What the answer's dtype ought to be, where that is part of the question.
    boolean : bool
        Whether the values are yes or no.
    """

    shape: tuple[int, ...]
    values: tuple[arb, ...]
    bound: Callable[[Arithmetic], float] = lambda arithmetic: 0.0
    dtype: str = ""
    boolean: bool = False


Exact = Mapping[str, Truth | None]
"""The exact value of every question that has one; None where only an error would be right."""


def _is(*values: Number, shape: tuple[int, ...] | None = None, **more: Any) -> Truth:
    """A number, or a rank-1 array, or what a shape says."""
    found = tuple(value if isinstance(value, arb) else arb(value) for value in values)
    shape = shape if shape is not None else () if len(found) == 1 else (len(found),)
    return Truth(shape, found, boolean=isinstance(values[0], bool), **more)


def _sigmoid(z: float) -> arb:
    return 1 / (1 + arb(-z).exp())


def _loss(z: float) -> arb:
    return arb(z).exp().log1p()


def _of_loss(z: float) -> Callable[[Arithmetic], float]:
    """The error of a loss at the logit z."""
    return lambda of: of.relative("loss") * float(size("loss", np.array(z)))


def _of_slope(z: float) -> Callable[[Arithmetic], float]:
    """The error of a − y at the logit z."""
    return lambda of: of.relative("output") * float(size("output", np.array(z)))


def _nudge() -> Exact:
    h = arb(2) ** -25
    tenth = _is(arb(1) / 10, shape=(1,), dtype="float64")
    handed_in = dict.fromkeys(("np.array([0.1]), handed in", "[0.1], handed in"), tenth)
    return {**handed_in, "((a + h)² − a²) / h": _is(4 + h), "here: slope of a²": _is(4)}


def _promotion() -> Exact:
    narrow, wide = (_is(arb(1) / 10, shape=(1,), dtype=dtype) for dtype in ("float32", "float64"))
    products = dict.fromkeys(("float32 × 0.1", "float32 × np.float64(0.1)"), narrow)
    return {**products, "float64 × float32 0.1": wide, "here: float32 X, float64 w": None}


def _rank_1() -> Exact:
    nothing = {"mean of (A − Y)²": _is(0), "binary_cross_entropy": _is(0)}
    return {"A − Y": _is(0, 0, 0, shape=(3, 1)), **nothing, "here: Y of rank 1": None}


def _integers() -> Exact:
    added = dict.fromkeys(("dw[0] += 0.75", "dw[0] = dw[0] + 0.75"), _is(3 / 4, 0))
    return {**added, "pixels 3 − 5": _is(-2, shape=(1,)), "here: integer X": None}


def _mean_of_all() -> Exact:
    log_2 = arb(2).log()

    def bound(of: Arithmetic) -> float:
        return 3 * float(log_2) * (of.relative("loss") + of.gamma(7) * (1 + of.relative("loss")))

    return dict.fromkeys(("mean of the losses", "here: J"), _is(3 * log_2, bound=bound))


def _deviation() -> Exact:
    x = [2, 4, 4, 4, 5, 5, 7, 9]
    mean = arb(sum(x)) / len(x)
    std = (sum(((value - mean) ** 2 for value in x), arb(0)) / len(x)).sqrt()
    here = _is(*((value - mean) / std for value in x[:2]))
    return {"std": _is(std), "std, correction=0": _is(std), "here: (x − 5) / 2": here}


def _confident(z: float, losses: tuple[str, ...], slopes: tuple[str, ...]) -> Exact:
    J, dZ = _is(_loss(z), bound=_of_loss(z)), _is(_sigmoid(z), bound=_of_slope(z))
    return dict.fromkeys((*losses, "here: J"), J) | dict.fromkeys((*slopes, "here: dZ"), dZ)


def _twice() -> Exact:
    J, slope = _is(_loss(-4.0), bound=_of_loss(4.0)), _is(-_sigmoid(-4.0), bound=_of_slope(4.0))
    return dict.fromkeys(("loss of σ(z)", "here: J"), J) | dict.fromkeys(("its slope", "here: dZ"), slope)


def _branch() -> Exact:
    z = (-200.0, 0.0, 200.0)
    slopes = _is(*(_sigmoid(x) * _sigmoid(-x) for x in z))
    return {"σ(z)": _is(*map(_sigmoid, z)), "its slope": slopes, "here: σ'(z)": slopes}


def _threshold() -> Exact:
    return dict.fromkeys(("softplus", "here: J"), _is(_loss(20.5), bound=_of_loss(20.5)))


def _zero_logit() -> Exact:
    return dict.fromkeys(("a − y", "with maximum", "with relu", "with clamp", "here: dZ"), _is(_sigmoid(0.0) - 0))


def _kinks() -> Exact:
    left, leaky = _is(0), _is(arb(1) / 100)
    relu = ("relu", "relu: maximum(z, 0)", "relu: clip(z, 0)", "relu: z > 0", "relu: z >= 0", "here: relu")
    return dict.fromkeys(relu, left) | dict.fromkeys(("leaky_relu", "leaky_relu: z >= 0", "here: leaky_relu"), leaky)


def _order() -> Exact:
    n = 2**20
    total = arb(float(np.float32(0.1))) * n
    sums = ("X.sum(axis=0)[0]", "X.T as an array of its own", "cumsum")
    return dict.fromkeys(sums, _is(total, bound=lambda of: of.gamma(n - 1) * float(total)))


def _subnormal() -> Exact:
    return {"2 x": _is(2 * arb(float(np.float32(1e-40))), shape=(1,)), "x == 0": _is(False, shape=(1,))}


def _accumulation() -> Exact:
    return dict.fromkeys(("dw, the second time", "here: the second time"), _is(3 * _sigmoid(0.0), shape=(1, 1)))


def _seed() -> Exact:
    return {"here: seed 1": _is(float(np.random.RandomState(1).standard_normal()))}


TRUTHS: dict[str, Callable[[], Exact]] = {
    "nudge": _nudge,
    "promotion": _promotion,
    "rank_1": _rank_1,
    "integers": _integers,
    "mean_of_all": _mean_of_all,
    "deviation": _deviation,
    "seed": _seed,
    "key": lambda: dict.fromkeys(("W1 == W2", "here: W1 == W2"), _is(False, False)),
    "kinks": _kinks,
    "zero_logit": _zero_logit,
    "saturation": lambda: _confident(17.0, ("−log(1 − σ(z))", "BCELoss"), ("its slope", "slope of BCELoss")),
    "overflow": lambda: _confident(100.0, ("log(1 + e^z)",), ("its slope",)),
    "twice": _twice,
    "branch": _branch,
    "threshold": _threshold,
    "accumulation": _accumulation,
    "alias": lambda: {"before": _is(1, 2), "here: w before": _is(1, shape=(1,))},
    "constant": lambda: dict.fromkeys(("4 − ¼ · 2", "here: w"), _is(7 / 2)),
    "out_of_bounds": lambda: dict.fromkeys(("x[7]", "x.take(7)", "x.at[7].set(9)")),
    "order": _order,
    "counting": lambda: dict.fromkeys(("sum", "a loop"), _is(300)),
    "subnormal": _subnormal,
}
"""The exact values of each trap."""


def truths(trap: str) -> Exact:
    """The exact values of a trap, in more digits than any format has."""
    with working_precision(FIRST_PRECISION):
        return TRUTHS[trap]()


def mark(answer: Answer, exact: Exact, framework: str) -> str:
    """RIGHT, ROUNDING, WRONG, REFUSED or FREE."""
    if answer.refused:
        return REFUSED
    if answer.asked not in exact:
        return FREE
    truth = exact[answer.asked]
    if truth is None or answer.shape != truth.shape or (truth.dtype and answer.dtype != truth.dtype):
        return WRONG
    if answer.numbers == _nearest(truth, answer.dtype):
        return RIGHT
    return ROUNDING if _within(answer, truth, framework) else WRONG


def _nearest(truth: Truth, dtype: str) -> tuple[float, ...]:
    """The numbers of the format next to the true ones; of an integer or a bool, the true ones."""
    values = [float(value.mid()) for value in truth.values]
    fmt = FORMATS.get(dtype)
    return tuple(float(fmt.dtype.type(value)) for value in values) if fmt else tuple(values)


def _within(answer: Answer, truth: Truth, framework: str) -> bool:
    fmt = FORMATS.get(answer.dtype)
    if fmt is None or not np.all(np.isfinite(answer.numbers)):
        return False
    bound = truth.bound(Arithmetic(fmt, ulps(framework, fmt.name)))
    with working_precision(FIRST_PRECISION):
        return all(bool(abs(arb(x) - value) <= bound) for x, value in zip(answer.numbers, truth.values, strict=True))


def off(answer: Answer, truth: Truth | None) -> str:
    """How far a single finite number is from the truth: in units in the last place, or as a share; or another dtype."""
    fmt = FORMATS.get(answer.dtype)
    if truth is not None and truth.dtype not in ("", answer.dtype):
        return f"{answer.dtype} for {truth.dtype}"
    if truth is None or fmt is None or len(answer.numbers) != 1 or not np.isfinite(answer.numbers[0]):
        return ""
    true = float(truth.values[0].mid())
    if not true:
        return ""
    with working_precision(FIRST_PRECISION):
        error = abs(float((arb(answer.numbers[0]) - truth.values[0]).mid()))
    units, share = error / float(fmt.ulp(np.array(true))), 100 * error / abs(true)
    return f"{share:,.0f} % off" if share >= 1 else f"{units:,.2g} ulp off" if units < FEW else f"{units:,.0f} ulp off"
