"""Where frameworks do what one does not expect: their own answers, computed anew, beside the exact value.

The words are in traps.toml. Each trap is a function of the same name in trapped_numpy.py, trapped_torch.py and
trapped_jax.py, which runs in a process of its framework; what it answers is judged here against `TRUTHS`.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb

from parity.elementary import ulps
from parity.errors import shorten
from parity.formats import FORMATS
from parity.oracle import FIRST_PRECISION, working_precision
from parity.processes import Pool
from parity.rounding import Arithmetic, size
from parity.study.code import caption, highlighted
from parity.study.cut import cut
from parity.study.mathml import prose

FRAMEWORKS = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX"}

RIGHT, ROUNDING, WRONG, REFUSED, FREE = "right", "rounding", "wrong", "refused", "free"
"""The exact value, rounded to nearest; within the bound of rounding; neither; an error instead of an answer; nothing
that an answer could be held against."""

HERE = "here: "
"""What a question begins with that is put to this project's own functions."""

LONGEST = 150
"""Characters of an error or a warning."""

FEW = 100
"""Units in the last place that are told to two digits."""

Number = int | float | arb


@dataclass(frozen=True)
class Answer:
    """What a framework answered.

    Attributes
    ----------
    asked, text : str
        The question, and the answer as the framework itself writes it.
    dtype : str
        Empty for an error.
    shape : tuple of int
    numbers : tuple of float
        The elements in order.
    refused : bool
        Whether it was an error.
    """

    asked: str
    text: str
    dtype: str = ""
    shape: tuple[int, ...] = ()
    numbers: tuple[float, ...] = ()
    refused: bool = False

    @property
    def digits(self) -> str:
        """All digits of a single number whose text does not show them; or empty."""
        if self.refused or len(self.numbers) != 1:
            return ""
        fmt = FORMATS.get(self.dtype)
        number = self.numbers[0]
        digits = str(fmt.dtype.type(number)) if fmt else f"{number:g}"
        return "" if digits.rstrip("0").rstrip(".") in self.text else digits

    @property
    def shape_text(self) -> str:
        """(), (3,), (1, 3)."""
        return str(self.shape)

    @property
    def here(self) -> bool:
        """Whether this project's own function answered."""
        return self.asked.startswith(HERE)


@dataclass(frozen=True)
class Answers:
    """Those of a framework to one trap, and what it warned of meanwhile."""

    answers: tuple[Answer, ...]
    warned: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Truth:
    """What an answer ought to be; one may be that of several questions.

    Attributes
    ----------
    shape : tuple of int
    values : tuple of arb
    bound : function of an Arithmetic
        How far rounding may take each element from there; by default nowhere but to the nearest number of the format.
    """

    shape: tuple[int, ...]
    values: tuple[arb, ...]
    bound: Callable[[Arithmetic], float] = lambda arithmetic: 0.0


Exact = Mapping[str, Truth | None]
"""The exact value of every question that has one; None where only an error would be right."""


# What is asked, in a process of the framework ------------------------------------------------------------------------


def answered(framework: str, names: tuple[str, ...]) -> dict[str, Answers]:
    """The answers of a framework to these traps; it is imported here."""
    module = import_module(f"parity.study.trapped_{framework}")
    with _as_it_is(framework):
        return {name: _asked(getattr(module, name)) for name in names}


def _as_it_is(framework: str) -> Any:
    """JAX without x64, whatever the surroundings say: a reader's is so, too."""
    return import_module("jax").enable_x64(False) if framework == "jax" else nullcontext()


def _asked(trap: Callable[[], Mapping[str, object]]) -> Answers:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answers = tuple(_answer(asked, value) for asked, value in trap().items())
    said = [f"{w.category.__name__}: {_first_sentence(str(w.message))}" for w in caught]
    return Answers(answers, tuple(dict.fromkeys(said)))


def _answer(asked: str, value: object) -> Answer:
    try:
        value = value() if callable(value) else value
    except Exception as error:  # an error is an answer
        return Answer(asked, f"{type(error).__name__}: {_first_sentence(str(error))}", refused=True)
    array: Any = value
    numbers = tuple(float(x) for x in np.ravel(array.tolist()))
    return Answer(asked, repr(value), str(array.dtype).removeprefix("torch."), tuple(array.shape), numbers)


def _first_sentence(text: str) -> str:
    """Without what follows, which may name a place on the machine."""
    return shorten(text.splitlines()[0].split(". ")[0], LONGEST)


# What it ought to be -------------------------------------------------------------------------------------------------


def _is(
    *values: Number, shape: tuple[int, ...] | None = None, bound: Callable[[Arithmetic], float] | None = None
) -> Truth:
    """A number, or a rank-1 array, or what a shape says."""
    found = tuple(value if isinstance(value, arb) else arb(value) for value in values)
    shape = shape if shape is not None else () if len(found) == 1 else (len(found),)
    return Truth(shape, found, bound) if bound else Truth(shape, found)


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
    return {"((a + h)² − a²) / h": _is(4 + h), "here: slope of a²": _is(4)}


def _promotion() -> Exact:
    tenth = _is(arb(1) / 10, shape=(1,))
    products = ("float32 × 0.1", "float32 × np.float64(0.1)", "float64 × float32 0.1")
    return dict.fromkeys(products, tenth) | {"here: float32 X, float64 w": None}


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


def _confident(z: float, loss: str) -> Exact:
    J, dZ = _is(_loss(z), bound=_of_loss(z)), _is(_sigmoid(z), bound=_of_slope(z))
    return {loss: J, "its slope": dZ, "BCELoss": J, "slope of BCELoss": dZ, "here: J": J, "here: dZ": dZ}


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
    return {"2 x": _is(2 * arb(float(np.float32(1e-40))), shape=(1,)), "x == 0": _is(0, shape=(1,))}


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
    "key": lambda: dict.fromkeys(("W1 == W2", "here: W1 == W2"), _is(0, 0)),
    "kinks": _kinks,
    "zero_logit": _zero_logit,
    "saturation": lambda: _confident(17.0, "−log(1 − σ(z))"),
    "overflow": lambda: _confident(100.0, "log(1 + e^z)"),
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
    if truth is None or answer.shape != truth.shape:
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
    """How far a single finite number is from the truth: in units in the last place, or as a share."""
    fmt = FORMATS.get(answer.dtype)
    if truth is None or fmt is None or len(answer.numbers) != 1 or not np.isfinite(answer.numbers[0]):
        return ""
    true = float(truth.values[0].mid())
    if not true:
        return ""
    with working_precision(FIRST_PRECISION):
        error = abs(float((arb(answer.numbers[0]) - truth.values[0]).mid()))
    units, share = error / float(fmt.ulp(np.array(true))), 100 * error / abs(true)
    return f"{share:,.0f} % off" if share >= 1 else f"{units:,.2g} ulp off" if units < FEW else f"{units:,.0f} ulp off"


# The page ------------------------------------------------------------------------------------------------------------


@cache
def words() -> dict[str, dict[str, Any]]:
    """Those of traps.toml."""
    return tomllib.loads(Path(__file__).with_name("traps.toml").read_text(encoding="utf-8"))


def asked() -> dict[str, dict[str, Answers]]:
    """Every framework that is installed, with its answers; all are asked at the same time."""
    with ExitStack() as stack:
        there = [framework for framework in FRAMEWORKS if find_spec(framework)]
        rooms = {framework: stack.enter_context(Pool(1)) for framework in there}
        waiting = {name: room.submit(answered, name, tuple(TRUTHS)) for name, room in rooms.items()}
        return {name: future.result() for name, future in waiting.items()}


def page() -> dict[str, Any]:
    """What traps.html.jinja shows."""
    found = asked()
    return {
        "traps": [_trap(name, of, found) for name, of in words().items()],
        "slopes": [_column_of(framework, "slope") for framework in ("torch", "jax")],
        "bits": FIRST_PRECISION,
    }


def _trap(name: str, of: Mapping[str, Any], found: Mapping[str, dict[str, Answers]]) -> dict[str, Any]:
    exact = truths(name)
    return {
        "name": name,
        "title": of["title"],
        "rows": of["rows"],
        "wrong": of.get("wrong", WRONG),
        "exact": [(what, _exactly(truth)) for what, truth in _told(exact)],
        "columns": [_column(name, framework, exact, found.get(framework)) for framework in FRAMEWORKS],
        **{key: prose(of[key], {}) for key in ("expect", "why", "instead")},
    }


def _told(exact: Exact) -> Iterator[tuple[str, Truth | None]]:
    """The exact values, each with all questions that it answers, in one string."""
    for truth in dict.fromkeys(exact.values()):
        yield ", ".join(dict.fromkeys(asked for asked in exact if exact[asked] is truth)), truth


def _exactly(truth: Truth | None) -> str:
    """The exact value in as many digits as tell a float64 from its neighbours."""
    if truth is None:
        return "an error"
    numbers = [repr(float(value.mid())).removesuffix(".0") for value in truth.values]
    return numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"


def _column(name: str, framework: str, exact: Exact, found: Mapping[str, Answers] | None) -> dict[str, Any]:
    column = _column_of(framework, name)
    if found is None:
        return column | {"answers": [], "warned": [], "missing": f"{framework} is not installed"}
    answers = [
        {"answer": answer, "mark": (how := mark(answer, exact, framework)),
         "off": off(answer, exact.get(answer.asked)) if how in (ROUNDING, WRONG) else ""}
        for answer in found[name].answers
    ]  # fmt: skip
    return column | {"answers": answers, "warned": found[name].warned, "missing": ""}


def _column_of(framework: str, function: str) -> dict[str, Any]:
    """Its name, and the code of a function of trapped_….py."""
    found = cut("parity/study", f"trapped_{framework}.{function}", Path(__file__).parents[2])
    return {
        "framework": framework,
        "title": FRAMEWORKS[framework],
        "code": highlighted([found], {}),
        "caption": caption(found),
    }
