"""The local comparison: what each formula makes of the implementation's own inputs to it."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from parity import local
from parity.compare import BEFORE, BITS, DIFFERS, ROUNDING, Comparison, Standard
from parity.elementary import TABLE
from parity.formats import FORMATS
from parity.implementations import find
from parity.problems import Problem, catalogue
from parity.problems.parameters import draw
from tests.shared import standard
from tests.test_oracle import by_mpmath

REAL = ("wine_logistic", "wine_shallow", "wine_deep", "wine_cultivars", "breast_cancer_deep", "digits_deep")


def compared(name: str, dtype: str = "float64", **changes: object) -> dict[str, Comparison]:
    """The verdicts on the reference's quantities, some of them changed."""
    problem = catalogue.build(name)
    found = find("reference").quantities(problem, dtype, "cpu")
    found |= {quantity: change(found[quantity]) for quantity, change in changes.items()}  # type: ignore[operator]
    return {c.quantity: c for c in standard(name, dtype).compare(found, whole=True)}


def moved(relative: float, index: tuple[int, ...]) -> object:
    """A change of one element by a part of itself."""

    def change(value: np.ndarray) -> np.ndarray:
        value = value.copy()
        value[index] *= 1 + relative
        return value

    return change


@pytest.mark.parametrize("name", ["one_example", "house_prices", "four_layers", "equal_sizes", "kink_leaky_relu"])
def test_of_the_exact_values_the_targets_are_the_exact_values(name: str) -> None:
    """With the true inputs rounded to float64, each formula gives what mpmath gives, but for that rounding."""
    problem = catalogue.build(name)
    exact = {quantity: value.high for quantity, value in standard(name, "float64").exact.items()}
    targets = local.targets(problem, "float64", exact)
    assert list(targets) == list(exact)
    for quantity, allowed in standard(name, "float64").locally(exact).items():
        assert np.all(allowed.error_of(exact[quantity]) <= allowed.bound), quantity


WIDE = np.finfo(np.longdouble)


def gamma(n: int) -> mpf:
    """γ_n of longdouble: what n of its roundings may add up to, relative to the sum of the absolute values."""
    u = mpf(2) ** -(WIDE.nmant + 1)
    return n * u / (1 - n * u)


def exactly(x: np.longdouble) -> mpf:
    """The number itself, for mpmath takes no longdouble."""
    whole = mpf(0)
    while x:
        whole, x = whole + mpf(float(x)), x - np.longdouble(float(x))
    return whole


def test_one_formula_against_mpmath() -> None:
    """dZ1 and dW1 of values that no pass has made, at 60 digits, within the rounding of longdouble.

    dZ1 has an inner product, cosh twice, with an error of WIDE_ULPS units of 2u each, its square, a quotient and a
    product; dW1 has an inner product and a quotient. What is rounded to float32 is outside.
    """
    problem = catalogue.build("four_layers")
    own = {quantity: value.high + 1 for quantity, value in standard("four_layers", "float64").exact.items()}
    found = local.targets(problem, "float64", own)
    with mpmath.workdps(60):
        W2, dZ2, Z1, dZ1 = (mp.matrix(a.tolist()) for a in (problem.params["W2"], own["dZ2"], own["Z1"], own["dZ1"]))
        dA = W2.T * dZ2
        of_dZ, of_dW = gamma(W2.rows + 2 * 2 * local.WIDE_ULPS + 3), gamma(problem.m + 1)
        for i, j in np.ndindex(own["dZ1"].shape):
            slope = 1 / mp.cosh(Z1[i, j]) ** 2
            terms = sum(abs(W2[k, i] * dZ2[k, j]) for k in range(W2.rows)) * slope
            assert abs(exactly(found["dZ1"][i, j]) - dA[i, j] * slope) <= of_dZ * terms
            assert abs(float(np.float32(found["dZ1"][i, j])) - dA[i, j] * slope) > of_dZ * terms
        dW = dZ1 * mp.matrix(problem.X.tolist()).T / problem.m
        for i, j in np.ndindex(own["dW1"].shape):
            terms = sum(abs(dZ1[i, k] * problem.X[j, k]) for k in range(problem.m)) / problem.m
            assert abs(exactly(found["dW1"][i, j]) - dW[i, j]) <= of_dW * terms
            assert abs(float(np.float32(found["dW1"][i, j])) - dW[i, j]) > of_dW * terms


@pytest.mark.parametrize("name", REAL)
def test_a_change_by_1e_12_in_one_element_of_dw_is_outside(name: str) -> None:
    """On real data, in the largest element."""
    quantity = "dw" if name.endswith("logistic") else "dW1"
    value = standard(name, "float64").exact[quantity].high
    index = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(value)), value.shape))
    found = compared(name, **{quantity: moved(1e-12, index)})
    assert found[quantity].verdict == DIFFERS
    assert found[quantity].worst is not None
    assert found[quantity].worst.index == index
    assert compared(name)[quantity].verdict != DIFFERS


def test_a_change_by_1e_12_is_outside_on_an_exact_problem() -> None:
    value = standard("shallow_wide", "float64").exact["dW1"].high
    index = tuple(int(i) for i in np.argwhere(value)[0])
    assert compared("shallow_wide", dW1=moved(1e-12, index))["dW1"].verdict == DIFFERS


@pytest.mark.parametrize("name", REAL)
def test_what_is_said_to_be_seen_is_seen_and_no_more(name: str) -> None:
    """From the far edge of the bound, a change by `sees` reaches beyond it, and a slightly smaller one does not."""
    quantity = "dw" if name.endswith("logistic") else "dW1"
    judge = standard(name, "float64")
    true, bound = judge.exact[quantity].high, judge.bounds[quantity]
    seen_from = 2 * bound / np.abs(true)
    sees = next(iter(judge.compare({quantity: true}))).sees
    assert sees == np.median(seen_from)
    index = np.unravel_index(np.argsort(seen_from, axis=None)[seen_from.size // 2], true.shape)
    for part, verdict in ((1 + 2.0**-6, DIFFERS), (1 - 2.0**-6, ROUNDING)):
        moved_value = true.copy()
        moved_value[index] += bound[index] * (2 * part - 1)  # from true − bound, by that part of 2 bound
        assert judge.compare_one(quantity, moved_value).verdict == verdict


@pytest.mark.parametrize("name", ["wine_deep", "breast_cancer_deep", "deep_exact_L4_mixed"])
@pytest.mark.parametrize("factor", [1.5, 1.1])
def test_one_wrong_formula_is_one_finding(name: str, factor: float) -> None:
    """A1 wrong, and all that comes after computed from it: only A1 differs for its own reasons.

    A factor of 1.1 makes what follows round on an exact problem, too.
    """
    problem = catalogue.build(name)
    wrong = find("reference").quantities(problem, "float64", "cpu")
    params, X, Y = problem.inputs("float64")
    from reference.deep_network import ACTIVATIONS, backward, cross_entropy

    cache = {"Z1": wrong["Z1"], "A1": wrong["A1"] * factor}
    for l, g in enumerate(problem.activations[1:], start=2):
        cache[f"Z{l}"] = np.dot(params[f"W{l}"], cache[f"A{l - 1}"]) + params[f"b{l}"]
        cache[f"A{l}"] = ACTIVATIONS[g](cache[f"Z{l}"])
    found = {**cache, "J": cross_entropy(cache[f"Z{len(problem.activations)}"], Y)}
    found |= backward(params, cache, X, Y, problem.activations)
    own = [c for c in standard(name, "float64").compare(found) if c.verdict == DIFFERS and not c.follows]
    assert [c.quantity for c in own] == ["A1"]
    followers = [c for c in standard(name, "float64").compare(found) if c.follows]
    assert followers
    assert {c.looks_like for c in followers} == {BEFORE}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_what_follows_from_nothing_is_a_mistake(dtype: str) -> None:
    """In a half format the local bound is wide; what is within it is still wrong on an exact problem."""
    value = standard("shallow_exact_relu", dtype).exact["dW1"].high
    index = tuple(int(i) for i in np.argwhere(value)[0])
    found = compared("shallow_exact_relu", dtype, dW1=moved(2.0**-6, index))["dW1"]
    assert (found.verdict, found.follows) == (DIFFERS, False)
    assert found.looks_like == "one element alone, off by +1.6e-02 of itself"


def test_an_undecided_kink_hides_nothing_locally() -> None:
    """digits_deep in float32: two pre-activations are within rounding of zero: the bound end to end has the jump."""
    judge = standard("digits_deep", "float32")
    found = find("reference").quantities(judge.problem, "float32", "cpu")
    bounds = judge.bounds["dW1"], judge.locally({k: v.astype(np.float64) for k, v in found.items()})["dW1"].bound
    index = tuple(int(i) for i in np.unravel_index(np.argmin(bounds[1] / bounds[0]), bounds[0].shape))
    between = float(np.sqrt(bounds[0][index] * bounds[1][index]))
    found["dW1"] = found["dW1"].copy()
    found["dW1"][index] += np.float32(between)
    verdict = next(c for c in judge.compare(found) if c.quantity == "dW1")
    assert verdict.verdict == DIFFERS
    assert verdict.end_to_end is not None
    assert verdict.end_to_end.inside


def test_a_missing_quantity_differs() -> None:
    problem = catalogue.build("wine_shallow")
    found = find("reference").quantities(problem, "float64", "cpu")
    del found["db1"]
    verdicts = {c.quantity: c for c in standard("wine_shallow", "float64").compare(found, whole=True)}
    assert (verdicts["db1"].verdict, verdicts["db1"].looks_like) == (DIFFERS, "nothing: it is missing")
    assert all(c.verdict != DIFFERS for name, c in verdicts.items() if name != "db1")
    assert "db1" not in {c.quantity for c in standard("wine_shallow", "float64").compare(found)}


def test_of_a_wrong_shape_nothing_is_computed() -> None:
    """A lost keepdims: db1 has another shape, and what it feeds is compared without it."""
    found = compared("wine_shallow", db1=lambda value: value[:, 0])
    assert found["db1"].looks_like == "shape (5,), not (5, 1)"
    assert found["new_b1"].verdict != DIFFERS
    assert found["new_b1"].local is None


def test_what_is_not_finite_is_no_reason_to_stop() -> None:
    found = compared("wine_shallow", Z1=lambda value: value * np.nan, dZ2=lambda value: value * np.inf)
    assert found["Z1"].looks_like == "not finite"
    assert not found["Z1"].follows


def test_the_witness_is_more_accurate_than_what_it_judges() -> None:
    """Its functions, on the C library of this machine, at 60 digits; and no K in the table is smaller than assumed."""
    points = np.concatenate([np.linspace(-40, 40, 801), np.ldexp(1.0, np.arange(-60, 6))])
    unit = mpf(2) ** -WIDE.nmant  # 2u: one ulp is at most that part of a value
    with mpmath.workdps(60):
        for name, true in (
            ("sigmoid", lambda z: 1 / (1 + mp.exp(-z))),
            ("tanh", mp.tanh),
        ):
            found = local.ACTIVATIONS[name][0](points.astype(np.longdouble))
            for z, value in zip(points.tolist(), found, strict=True):
                expected = true(mpf(z))
                assert abs(exactly(value) - expected) <= local.WIDE_ULPS * unit * abs(expected)
    assert all(entry.ulps >= local.LEAST_ULPS for entry in TABLE)
    assert local.witness(FORMATS["float32"]) < local.witness(FORMATS["float64"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_probable_bound_is_inside_the_worst_case(dtype: str) -> None:
    long, short = standard("generated_logistic", dtype), standard("one_example", dtype)
    for quantity, bound in long.bounds.items():
        assert np.all(long.probable[quantity] <= bound)
    assert np.max(long.probable["dw"]) < np.max(long.bounds["dw"]) / 8  # 20,000 terms: √n is 141
    assert all(np.array_equal(short.probable[quantity], bound) for quantity, bound in short.bounds.items())


def test_rounding_that_conspires_is_unusual() -> None:
    """Every addition rounds down: inside the worst case, outside what is probable."""
    problem = replace(catalogue.build("generated_logistic"), dtypes=("float32",))
    judge = Standard.of(problem, "float32", "numpy")
    found = {name: value.high.astype(np.float32) for name, value in judge.exact.items()}
    assert not any(c.unusual for c in judge.compare(found))
    between = (judge.probable["dw"] + judge.bounds["dw"]) / 2
    found["dw"] = (judge.exact["dw"].high + between).astype(np.float32)
    comparison = next(c for c in judge.compare({"dw": found["dw"]}))
    assert comparison.verdict != DIFFERS
    assert comparison.unusual


def test_bits_are_never_unusual() -> None:
    problem: Problem = catalogue.build("shallow_wide")
    found = find("reference").quantities(problem, "float64", "cpu")
    assert {(c.verdict, c.unusual) for c in standard("shallow_wide", "float64").compare(found)} == {(BITS, False)}


def test_mpmath_and_the_oracle_speak_of_the_same() -> None:
    """What the first test rests on."""
    with mpmath.workdps(60):
        J = by_mpmath(catalogue.build("one_example"))["J"][0][0]
    assert float(J) == standard("one_example", "float64").exact["J"].high


def test_the_oracles_own_error_is_part_of_the_bound() -> None:
    """A value that is right but for what the oracle is unsure of."""
    judge = standard("wine_shallow", "float64")
    true = judge.exact["J"]
    unsure = replace(judge, exact=judge.exact | {"J": replace(true, radius=4.0)})
    beyond = np.asarray(true.high + judge.bounds["J"] + 2 * judge.fmt.ulp(true.high))
    assert judge.compare_one("J", beyond).verdict == DIFFERS
    assert unsure.compare_one("J", beyond).verdict == ROUNDING


def test_layers_beyond_the_ninth_have_names_too() -> None:
    sizes = (3, *[4] * 11, 1)
    X, Y = np.random.RandomState(0).standard_normal((3, 7)), np.array([[0, 1, 0, 1, 1, 0, 1]])
    problem = Problem("d", "deep_network", "edge", X, Y, draw("deep_network", sizes, 0), (*["tanh"] * 11, "sigmoid"))
    judge = Standard.of(problem, "float64", "numpy")
    found = find("reference").quantities(problem, "float64", "cpu")
    assert all(c.verdict != DIFFERS for c in judge.compare(found, whole=True))
    for quantity, change, label in (
        ("dW11", lambda v: v * problem.m, "a factor m"),
        ("dZ10", lambda v: -v, "a sign"),
        ("Z12", lambda v: v - problem.params["b12"], "the bias left out"),
    ):
        first = next(c for c in judge.compare(found | {quantity: change(found[quantity])}) if c.verdict == DIFFERS)
        assert (first.quantity, first.looks_like) == (quantity, label)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["house_prices", "wine_logistic", "wine_shallow", "four_layers"])
def test_noise_and_odd_factors_have_no_name(name: str, dtype: str) -> None:
    """What no known mistake makes is not called one; in float32 a single number meets many mistakes by chance."""
    judge = standard(name, dtype)
    found = find("reference").quantities(judge.problem, dtype, "cpu")
    rng, u = np.random.RandomState(0), judge.fmt.u
    for quantity in [q for q in found if q[0] in "ZAJd"]:
        for size in (2.0**10, 2.0**7):
            noise = 1 + size * u * (1 + rng.random_sample(found[quantity].shape))
            wrong = (found[quantity] * noise).astype(found[quantity].dtype)
            verdict = next(c for c in judge.compare(found | {quantity: wrong}) if c.quantity == quantity)
            named = verdict.looks_like if verdict.verdict == DIFFERS and not verdict.follows else "unknown"
            assert named == "unknown" or " alone" in named, (quantity, named)
