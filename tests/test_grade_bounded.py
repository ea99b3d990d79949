"""The grader's bounds: every manner of evaluation is inside, with a library 4 ulp off, too; mistakes are not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit, log_expit
from scipy.stats import chi2

from parity.elementary import TABLE, truth
from parity.formats import FORMATS
from parity.grade import bounded, unit_bounds
from parity.grade.bounded import Bounded, exact, rounding
from parity.grade.formulas import Pass, split
from parity.grade.judge import ROWS, within
from parity.grade.observed import Observed
from parity.grade.probes import probes
from parity.grade.unit_initialization import ALARM, LARGE, SIGNS, _allowed

Array = np.ndarray
Function = Callable[[Array], Array]

pytestmark = pytest.mark.filterwarnings("ignore:(divide by zero|invalid value|overflow):RuntimeWarning")

SHARP = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant <= np.finfo(np.float64).nmant, reason="bounds are five times as wide here"
)
"""What shows that a bound in float64 is no wider than it need be."""

FORMATS_OF_FILES = ("float64", "float32")


class Library:
    """NumPy's functions; `off` moves each result by so many u, half of them up, or as the first argument decides."""

    def __init__(self, off: int = 0) -> None:
        self.off = off
        for name, f in {**{n: getattr(np, n) for n in ("exp", "log", "tanh", "cosh", "log1p")}, "expit": expit}.items():
            setattr(self, name, self._moved(f))

    exp: Function
    log: Function
    tanh: Function
    cosh: Function
    log1p: Function
    expit: Function

    def _moved(self, f: Function) -> Function:
        def moved(z: Array) -> Array:
            value = f(z.astype(np.longdouble) if f is not expit else z)
            sign = np.where(
                np.arange(z.size).reshape(z.shape) % 2, 1, -1
            )  # the same for the same element, as libraries do
            away = (
                sign * np.where(z > 0, 1, -1) * (self.off - 1) * np.longdouble(FORMATS[z.dtype.name].u)
                if self.off
                else 0
            )
            return np.asarray(value * (1 + away)).astype(z.dtype)

        return moved

    def power(self, a: Array) -> Array:
        """a²."""
        return self._moved(np.square)(a)


def of_z(m: Library) -> dict[str, dict[str, Function]]:
    """Manners of what is made of z."""

    def sigmoid(z: Array) -> Array:
        return 1 / (1 + m.exp(-z))

    def tanh(z: Array) -> Array:
        return (m.exp(z) - m.exp(-z)) / (m.exp(z) + m.exp(-z))

    def loss(z: Array) -> Array:
        return np.maximum(z, 0) + m.log1p(m.exp(-np.abs(z)))

    def by_quotient(z: Array) -> Array:
        a, b = m.exp(z), m.exp(-z)
        up, down = 1 / (a + b), -(a - b) / (a + b) ** 2
        return a * (up + down) - b * (-up + down)

    return {
        "sigmoid": {
            "1/(1 + e^-z)": sigmoid,
            "e^z/(1 + e^z)": lambda z: m.exp(z) / (1 + m.exp(z)),
            "cut off": lambda z: 1 / (1 + m.exp(-np.clip(z, -500, 500))),
            "by sign": lambda z: np.where(z >= 0, sigmoid(z), m.exp(z) / (1 + m.exp(z))),
            "expit": m.expit,
            "half of tanh": lambda z: (1 + m.tanh(z / 2)) / 2,
            "half of exps": lambda z: (1 + tanh(z / 2)) / 2,
            "half of 2 sigma - 1": lambda z: (1 + (2 * m.expit(z) - 1)) / 2,
            "e^-log": lambda z: m.exp(-loss(-z)),
        },
        "tanh": {
            "tanh": m.tanh,
            "exps": tanh,
            "1/e^z": lambda z: (m.exp(z) - 1 / m.exp(z)) / (m.exp(z) + 1 / m.exp(z)),
            "e^2z": lambda z: (m.exp(2 * z) - 1) / (m.exp(2 * z) + 1),
            "2 sigma - 1": lambda z: 2 * m.expit(2 * z) - 1,
            "by 1/(1 + e^-2z)": lambda z: 2 * sigmoid(2 * z) - 1,
        },
        "sigmoid'": {
            "a (1 - a)": lambda z: sigmoid(z) * (1 - sigmoid(z)),
            "a - a^2": lambda z: sigmoid(z) - m.power(sigmoid(z)),
            "e^-z/(1 + e^-z)^2": lambda z: m.exp(-z) / (1 + m.exp(-z)) ** 2,
            "1/4 cosh^2": lambda z: 1 / (4 * m.cosh(z / 2) ** 2),
        },
        "tanh'": {
            "1 - a^2": lambda z: 1 - m.power(m.tanh(z)),
            "(1 - a)(1 + a)": lambda z: (1 - m.tanh(z)) * (1 + m.tanh(z)),
            "1/cosh^2": lambda z: 1 / m.cosh(z) ** 2,
            "4/(e^z + e^-z)^2": lambda z: 4 / (m.exp(z) + m.exp(-z)) ** 2,
            "quotient": by_quotient,
        },
        "loss": {
            "log(1 + e^z)": lambda z: m.log(1 + m.exp(z)),
            "by |z|": loss,
            "by label": lambda z: loss(-z) + z,
            "log_expit": lambda z: -log_expit(-z),
        },
        "output": {
            "sigma": sigmoid,
            "e^(z - loss)": lambda z: m.exp(z - loss(z)),
            "e^(z - log)": lambda z: m.exp(z - m.log(1 + m.exp(z))),
        },
    }


def of_a(m: Library) -> dict[str, dict[str, Function]]:
    """Manners of what is made of a."""
    return {
        "sigmoid' of A": {"a (1 - a)": lambda a: a * (1 - a), "a - a^2": lambda a: a - m.power(a)},
        "tanh' of A": {
            "1 - a^2": lambda a: 1 - m.power(a),
            "a a": lambda a: 1 - a * a,
            "(1 - a)(1 + a)": lambda a: (1 - a) * (1 + a),
        },
        "log": {"log": m.log},
        "1/a": {"1/a": lambda a: 1 / a, "(1 - a)/(a (1 - a))": lambda a: (1 - a) / (a * (1 - a))},
    }


TARGETS: dict[str, Callable[[Bounded], Bounded]] = {
    "sigmoid": bounded.sigmoid,
    "tanh": bounded.tanh,
    "sigmoid'": lambda Z: bounded.slope("sigmoid", Z),
    "tanh'": lambda Z: bounded.slope("tanh", Z),
    "loss": bounded.softplus,
    "output": bounded.output,
    "sigmoid' of A": bounded.sigmoid_slope,
    "tanh' of A": bounded.tanh_slope,
    "log": lambda A: A.log(),
    "1/a": lambda A: A.where(np.ones(A.shape, bool), exact(1, A.of) / A, A),
}


def points(quantity: str, dtype: str) -> Array:
    """Of moderate size, near 0, and where exp(z)² is still far from overflowing."""
    rng = np.random.default_rng(14)
    if quantity in ("sigmoid' of A", "log", "1/a", "tanh' of A"):
        a = np.concatenate([rng.uniform(0, 1, 600), expit(8 * rng.standard_normal(600)), rng.uniform(0, 1, 300) / 64])
        return a[(a > 0) & (a.astype(dtype) < 1)].astype(dtype)
    some = [2 * rng.standard_normal(600), rng.uniform(-20, 20, 600), rng.uniform(-1, 1, 300) / 64, np.zeros(2)]
    return np.concatenate(some).astype(dtype)


def share(found: Array, target: Bounded) -> float:
    """The largest part of the bound that is reached."""
    return float(np.max(np.abs(found.astype(np.longdouble) - target.value) / target.error))


def shares(library: Library, quantity: str, dtype: str) -> Mapping[str, float]:
    """By manner."""
    z = points(quantity, dtype)
    with np.errstate(all="ignore"):
        target = TARGETS[quantity](exact(z, rounding(dtype)))
        manners = {**of_z(library), **of_a(library)}[quantity]
        return {name: share(manner(z), target) for name, manner in manners.items()}


@pytest.mark.parametrize("dtype", FORMATS_OF_FILES)
@pytest.mark.parametrize("quantity", TARGETS)
@pytest.mark.parametrize("off", [0, bounded.EXP], ids=["NumPy", "4 ulp off"])
def test_every_manner_is_inside(off: int, quantity: str, dtype: str) -> None:
    found = shares(Library(off), quantity, dtype)
    assert max(found.values()) <= 1, found


SMALLER = {
    "EXP": ("log", "sigmoid' of A", "tanh' of A", "tanh'"),
    "SIGMOID": ("sigmoid",),
    "TANH": ("tanh",),
    "LOSS": ("loss", "output"),
}
"""By constant, what it bounds."""


@SHARP
@pytest.mark.parametrize(("constant", "quantity"), [(c, q) for c, qs in SMALLER.items() for q in qs])
def test_a_bound_of_a_quarter_is_too_small(constant: str, quantity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, constant, getattr(bounded, constant) // 4)
    assert max(shares(Library(8), quantity, "float64").values()) > 1


def test_no_library_is_further_off() -> None:
    assert all(2 * e.ulps <= bounded.EXP for e in TABLE if e.dtype in FORMATS_OF_FILES and e.function != "output")


@pytest.mark.parametrize("dtype", FORMATS_OF_FILES)
@pytest.mark.parametrize("off", [0, bounded.EXP], ids=["NumPy", "4 ulp off"])
def test_activation_functions_alone(off: int, dtype: str) -> None:
    for quantity in ("sigmoid", "tanh", "sigmoid'", "tanh'"):
        z, of = points(quantity, dtype), unit_bounds.of_slope if quantity[-1] == "'" else unit_bounds.of_function
        value, error = of(quantity.removesuffix("'"), z, dtype)
        for name, manner in of_z(Library(off))[quantity].items():
            assert share(manner(z), Bounded(value, error, rounding(dtype))) <= 1, (quantity, name)
    for g in ("sigmoid", "tanh"):
        a = points("sigmoid' of A", dtype)
        value, error = unit_bounds.of_slope_from_A(g, a, dtype)
        for name, manner in of_a(Library(off))[f"{g}' of A"].items():
            assert share(manner(a), Bounded(value, error, rounding(dtype))) <= 1, (g, name)


@pytest.mark.parametrize("function", ["sigmoid", "tanh", "loss"])
def test_the_target_is_known_to_4_ulp_of_longdouble(function: str) -> None:
    z = np.random.default_rng(2).uniform(-20, 20, 300)
    of, true = rounding("float64"), truth(function, 0, z)
    own = TARGETS[function](exact(z, of))
    with np.errstate(all="ignore"):
        away = np.abs(own.value - (true.high.astype(np.longdouble) + true.low) / true.scale)
    assert np.all(away <= own.error * (1 - FORMATS["float64"].u / of.u))


def sums(x: Array, y: Array, m: int, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    """Σ x y / m in any order, with 1/m anywhere."""
    t = x.dtype.type
    order = rng.permutation(x.size)
    one, scaled, fused = t(0), t(0), t(0)
    for i in order:
        one = t(one + t(x[i] * y[i]))
        scaled = t(scaled + t(t(x[i] / t(m)) * y[i]))
        fused = t(np.longdouble(fused) + np.longdouble(x[i]) * np.longdouble(y[i]))
    yield from (("last", t(one / t(m))), ("first", scaled), ("by 1/m", t(one * t(1 / m))), ("fused", t(fused / t(m))))
    yield from (("dot", t(np.dot(x, y) / t(m))), ("pairs", t(np.sum(x * y) / t(m))), ("mean", np.mean(x * y)))


@pytest.mark.parametrize("dtype", FORMATS_OF_FILES)
def test_sums_of_products_in_any_order(dtype: str) -> None:
    rng, of, outside = np.random.default_rng(5), rounding(dtype), 0
    narrow = {"float64": np.float32, "float32": np.float16}[dtype]
    for _ in range(150):
        n = int(rng.integers(3, 12))
        x = (rng.standard_normal(n) * 2.0 ** rng.integers(-8, 8, n)).astype(dtype)
        y = rng.standard_normal(n).astype(dtype)
        x[-1] = -np.sum(x[:-1] * y[:-1]) / y[-1]  # nothing may be left
        target = exact(x[None, :], of) @ exact(y[:, None], of) / n
        for name, found in sums(x, y, n, rng):
            assert share(np.asarray(found)[None, None], target) <= 1, (name, n)
        outside += not within(np.dot(x.astype(narrow), y.astype(narrow))[None, None] / narrow(n), target)
    assert outside > 100  # a sum that cancels may be right in any format


@pytest.mark.parametrize("dtype", FORMATS_OF_FILES)
def test_affine_and_steps(dtype: str) -> None:
    rng, of = np.random.default_rng(6), rounding(dtype)
    W, A, b = (rng.standard_normal(s).astype(dtype) for s in ((40, 3), (3, 40), (40, 1)))
    Z = bounded.affine(exact(W, of), exact(A, of), exact(b, of))
    from_b = b.copy() @ np.ones((1, 40), dtype)
    for k in range(3):
        from_b = from_b + W[:, k : k + 1] * A[k : k + 1]
    column = np.hstack([W, b]) @ np.vstack([A, np.ones((1, 40), dtype)])
    assert [share(found, Z) <= 1 for found in (W @ A + b, from_b, column)] == [True] * 3
    step = exact(W, of) - exact(A.T, of) * (1 / 4)
    assert share(W - A.T / 4, step) <= 1


@SHARP
def test_a_step_reaches_a_quarter_of_its_bound() -> None:
    rng, of = np.random.default_rng(6), rounding("float64")
    W, dW = rng.standard_normal((2, 40, 3))
    step = exact(W, of) - exact(dW, of) / 4
    assert 4 * share(W - dW / 4, step) > 1


def test_what_is_infinite() -> None:
    of = rounding("float64")
    zero, some, unsure = (Bounded(np.array([[v]]), e, of) for v, e in ((0, 0), (2, 1), (1, 1)))
    over = exact(1, of) / zero
    for certain in (zero.log(), over, over * some, over.sum() / 4, -over + unsure, over @ some, over.square()):
        assert certain.bounds_all
        assert within(certain.value, certain)
        assert not within(np.ones(certain.shape), certain)
    for unbounded in (exact(1, of) / unsure, unsure.log(), over * unsure, over @ unsure, zero * over):
        assert not unbounded.bounds_all
        assert within(np.ones((1, 1)), unbounded)
        assert within(np.full((1, 1), np.inf), unbounded)


def test_what_may_be_infinite_has_no_bound() -> None:
    """As where longdouble is no wider than float64 and σ(−800) is 0, of which somebody has e^−500."""
    of = rounding("float64")
    A = Bounded(np.zeros((1, 1)), of.u, of)
    for found in (exact(1, of) / A, A.log()):
        assert within(np.full((1, 1), 500.0), found)


def test_flushed_numbers() -> None:
    of = rounding("float32")
    tiny = np.full((1, 1), FORMATS["float32"].smallest_normal / 3, np.float32)
    for found in (exact(tiny, of) * 1, exact(tiny, of) @ exact(512 * np.ones((1, 1)), of), exact(tiny, of) + tiny):
        assert within(np.zeros((1, 1)), found)
    assert not exact(tiny, of).log().bounds_all


def test_gamma_of_too_many_terms_is_no_bound() -> None:
    of = rounding("float32")
    assert of.gamma(2**24) == np.inf
    assert of.gamma(2**23) < np.inf


def filled(p: Pass) -> Pass:
    """Every quantity is what its formula gives, rounded once."""
    for name in p.order():
        if name not in (f"dA{p.L}", "dA0"):
            p.own[name] = p.exact(p.rights(name)[0].value.astype(p.probe.dtype))
    return p


SEEN = {"float64": 1e-12, "float32": 1e-4}
"""A relative change that is outside, in the largest and in the median element of any quantity."""


@pytest.mark.parametrize("dtype", FORMATS_OF_FILES)
@pytest.mark.parametrize("exercise", ["logistic", "shallow", "deep"])
def test_small_mistakes_are_outside(exercise: str, dtype: str) -> None:
    for probe in probes(exercise, dtype):
        if probe.name in ("saturated", "zero"):
            continue
        p = filled(Pass(Observed(probe, {}), rounding(dtype)))
        for name in p.own:
            value, rights = np.asarray(p.own[name].value), p.rights(name)
            order = np.argsort(np.abs(value), axis=None)
            assert within(value, rights[0], split(name)[0] in ROWS)
            for i in (order[-1], order[value.size // 2]):
                moved = value.copy()
                moved.flat[i] *= 1 + SEEN[dtype]
                assert value.flat[i] == 0 or not any(within(moved, r) for r in rights), (probe.name, name)


@SHARP
def test_a_dZ_that_is_not_seen_may_come_of_the_loss() -> None:
    """dW by e^(z − log(1 + e^z)) − y, A by 1/(1 + e^−z); by A − Y alone, it would be outside."""
    probe = probes("logistic", "float64")[0]
    p, z = Pass(Observed(probe, {}), rounding("float64")), np.linspace(31, 34, 8)[None, :]
    Y = np.ones((1, 8))
    p.Y = Y.astype(np.longdouble)
    p.own |= {"Z1": p.exact(z), "A1": p.exact(1 / (1 + np.exp(-z)))}
    dW = (np.exp(z - (z + np.log1p(np.exp(-z)))) - Y) @ probe.X.T / 8
    narrow = (p["A1"] - p.Y) @ p["A0"].T / 8
    assert any(within(dW, right) for right in p.rights("dW1"))
    assert not within(dW, narrow)


def test_a_right_initialisation_gives_no_alarm() -> None:
    """Exactly, by the χ² distribution; and a scale of twice the right one is outside as surely."""
    assert 2 / 2**SIGNS <= ALARM
    for layers in (LARGE["shallow"], LARGE["deep"]):
        for n_prev, n in pairwise(layers):
            N = n_prev * n
            low, high = _allowed(N)
            assert chi2.cdf(N * low, N) + chi2.sf(N * high, N) <= ALARM
            assert chi2.cdf(N * high / 4, N) <= ALARM
            above = math.sqrt(math.log(2 / ALARM) / (2 * N))  # Hoeffding, of uniform numbers in (−σ, σ)
            assert 3 * low > 1 + 3 * above
