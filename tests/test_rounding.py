"""The bound holds for honest arithmetic, in any order of summation, and does not hold for what is wrong."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.compare import BITS, DIFFERS, ROUNDING, Standard
from parity.formats import FORMATS
from parity.implementations import find
from parity.names import BUILT_IN
from parity.problems import FLOATS, Problem, catalogue
from parity.problems.parameters import draw
from parity.rounding import Unbounded, end_to_end
from parity.run import Plan, matrix

HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu", "leaky_relu_exact", "identity")


@st.composite
def problems(draws: st.DrawFn) -> Problem:
    """Networks of any depth and width with any hidden activations, on data of any scale."""
    depth = draws(st.integers(1, 4))
    layers = tuple(draws(st.lists(st.integers(1, 6), min_size=depth + 1, max_size=depth + 1)))
    m, seed = draws(st.integers(1, 12)), draws(st.integers(0, 2**16))
    activations = (*draws(st.lists(st.sampled_from(HIDDEN), min_size=depth - 1, max_size=depth - 1)), "sigmoid")
    scale = 2.0 ** draws(st.integers(-12, 6))
    rng = np.random.RandomState(seed)
    X, Y = scale * rng.standard_normal((layers[0], m)), rng.randint(0, 2, (layers[-1], m))
    return Problem("drawn", "deep_network", "edge", X, Y, draw("deep_network", layers, seed), activations)


@given(
    problems(), st.sampled_from(FLOATS), st.sampled_from(["reference", "reference-loop", "torch-eager", "torch-vmap"])
)
def test_no_false_alarm(problem: Problem, dtype: str, name: str) -> None:
    implementation = find(name)
    if implementation.unavailable():
        pytest.skip(f"{name} is not here")
    comparisons = list(Standard.of(problem, dtype).compare(implementation.quantities(problem, dtype, "cpu")))
    assert comparisons
    assert all(c.verdict in (BITS, ROUNDING) for c in comparisons), comparisons


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", [name for name in BUILT_IN if not name.startswith("sklearn-opt")])
def test_confident_and_right_is_no_false_alarm(name: str, dtype: str) -> None:
    """σ(−10) alone: under torch.func, A − Y has the rounding error of numbers of size 1, whatever Y is."""
    implementation = find(name)
    if implementation.unavailable():
        pytest.skip(f"{name} is not here")
    params = {"w": np.array([[-10.0], [1.0]]), "b": np.array(0.0)}
    X, Y = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1]]), np.array([[0, 0, 1, 1]])
    problem = Problem("confident", "logistic_regression", "edge", X, Y, params, ("sigmoid",))
    if implementation.refuses(problem, dtype, "cpu"):
        pytest.skip("computes other models")
    comparisons = list(Standard.of(problem, dtype).compare(implementation.quantities(problem, dtype, "cpu")))
    assert all(c.verdict in (BITS, ROUNDING) for c in comparisons), comparisons


def _deep(X: object, Y: object, activations: tuple[str, ...], rate: float | None = 0.5, **params: object) -> Problem:
    """A network given by its numbers."""
    model = "logistic_regression" if "w" in params else "deep_network"
    arrays = {name: np.array(p, np.float64) for name, p in params.items()}
    return Problem("corner", model, "edge", np.array(X), np.array(Y, np.float64), arrays, activations, rate)


_TINY = float(np.finfo(np.float32).tiny)
_FLUSHED = 0.999 * _TINY / (1 - np.tanh(2.65))


def _vanishing() -> Problem:
    """float32: five tanh layers with large weights, so that dZ1 is near the smallest normal number."""
    rng, sizes = np.random.RandomState(2), (4, 5, 5, 5, 5, 5, 1)
    params = {}
    for l, (n_prev, n) in enumerate(pairwise(sizes), start=1):
        params |= {f"W{l}": 4 * rng.standard_normal((n, n_prev)), f"b{l}": 4 * rng.standard_normal((n, 1))}
    X, Y = rng.standard_normal((4, 12)), rng.randint(0, 2, (1, 12))
    return _deep(X, Y, ("tanh",) * 5 + ("sigmoid",), **params | {"W6": 6 * params["W6"]})


CORNERS = {
    "products that underflow at a kink": _deep(
        [[1e-170]], [[0]], ("relu", "sigmoid"), None, W1=[[1e-170]], b1=[[0]], W2=[[1]], b2=[[0]]
    ),
    "a slope that vanishes": _deep(
        [[1]], [[1]], ("sigmoid", "sigmoid"), W1=[[-679.25]], b1=[[0]], W2=[[2e-18]], b2=[[0]]
    ),
    "an inner product below every number": _deep(
        [[1.45e-162]] * 2, [[0]], ("sigmoid",), w=[[1.45e-162]] * 2, b=0
    ),
    "two products of tanh' that are flushed": _deep(
        [[1]], [[0]], ("tanh", "sigmoid"), W1=[[2.65]], b1=[[0]], W2=[[2 * _FLUSHED]], b2=[[0]]
    ),
    "gradients that vanish in five layers": _vanishing(),
    "a learning rate that may be read as zero": _deep([[1e20]], [[0]], ("sigmoid",), 1e-40, w=[[0]], b=0),
    "m = 7 at a logit near zero": _deep([[0.06061801314353943] * 7], [[0] * 7], ("sigmoid",), w=[[1]], b=0),
    "m = 7, the other label": _deep([[0.19105008244514465] * 7], [[1] * 7], ("sigmoid",), w=[[1]], b=0),
    "m = 185": _deep([[-0.0005976000102236867] * 185], [[1] * 185], ("sigmoid",), w=[[1]], b=0),
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("name", ["reference", "torch-eager", "torch-vmap", "jax-jit"])
def test_corners_where_a_bound_was_once_too_small(name: str, corner: str, dtype: str) -> None:
    implementation, problem = find(name), CORNERS[corner]
    if implementation.unavailable():
        pytest.skip(f"{name} is not here")
    judge = Standard.of(problem, dtype, implementation.framework)
    comparisons = list(judge.compare(implementation.quantities(problem, dtype, "cpu")))
    assert comparisons
    assert [c for c in comparisons if c.verdict == DIFFERS] == []


def test_subnormal_arguments_of_other_models_may_be_read_as_zero() -> None:
    for name, problem in {
        "u": Problem("g", "computation_graph", "edge", np.zeros((1, 1)), np.empty((0, 1)),
                     {"a": np.array(0.0), "b": np.array(1e-38), "c": np.array(1e10)}),
        "J": Problem("g", "computation_graph", "edge", np.zeros((1, 1)), np.empty((0, 1)),
                     {"a": np.array(0.0), "b": np.array(1.05e-19), "c": np.array(1.05e-19)}),
    }.items():  # fmt: skip
        judge = Standard.of(problem, "float32")
        assert judge.bounds[name] >= np.abs(judge.exact[name].high)
    subnormal = Problem("log", "derivatives", "edge", np.array([[1e-39]]), np.empty((0, 1)))
    with pytest.raises(Unbounded, match="subnormal float32"):
        Standard.of(subnormal, "float32")
    assert Standard.of(subnormal, "float64").bounds


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("J", _deep([[1] * 8], [[0] * 8], ("sigmoid",), w=[[1e38]], b=0)),
        ("dW1", _deep([[1e38] * 8], [[0] * 8], ("sigmoid",), w=[[0]], b=0)),
        ("dA1", _deep([[0]], [[0]], ("tanh", "sigmoid"), W1=[[0]], b1=[[0]], W2=[[3e38]], b2=[[800]])),
    ],
)
def test_no_bound_where_a_sum_may_overflow_on_its_way(where: str, problem: Problem) -> None:
    """J is 1e38 and finite, but the sum of eight such losses is not: the cell is skipped with the reason."""
    with pytest.raises(Unbounded, match=f"the terms of {where} may overflow float32"):
        Standard.of(problem, "float32")
    (cell,) = matrix(Plan((problem,), ("reference",), ("float32",)), processes=False)
    assert cell.skipped == f"no bound: the terms of {where} may overflow float32"
    assert Standard.of(problem, "float64").bounds


def test_what_is_not_finite_differs_even_where_there_is_no_bound() -> None:
    """bfloat16 with more terms than it counts: dead units have no bound either, and infinity is never right."""
    rng = np.random.RandomState(0)
    X, Y = rng.standard_normal((3, 300)), rng.randint(0, 2, (1, 300))
    params = draw("shallow_network", (3, 4, 1), 0)
    params["b1"][0] = -64
    problem = Problem(
        "many", "shallow_network", "edge", X, Y, params, ("relu", "sigmoid"), dtypes=("bfloat16",)
    )  # fmt: skip
    standard = Standard.of(problem, "bfloat16")
    assert not any(np.any(np.isnan(bound)) for bound in standard.bounds.values())
    true = standard.exact["dW1"].high.astype(FORMATS["bfloat16"].dtype)
    assert standard.compare_one("dW1", true).verdict == BITS
    assert standard.compare_one("dW1", np.full_like(true, np.inf)).verdict == DIFFERS


@given(problems(), st.sampled_from(FLOATS), st.data())
def test_a_value_outside_its_bound_differs(problem: Problem, dtype: str, data: st.DataObject) -> None:
    """The exact value, moved by a little more than the bound in one element."""
    standard, fmt = Standard.of(problem, dtype), FORMATS[dtype]
    quantity = data.draw(st.sampled_from(list(standard.exact)))
    true, bound = standard.exact[quantity].high, standard.bounds[quantity]
    position = data.draw(st.integers(0, true.size - 1))
    moved = true.copy()
    moved.flat[position] += 2 * (bound.flat[position] + fmt.ulp(true.flat[position]))  # beyond where it is rounded to
    assert standard.compare_one(quantity, true.astype(fmt.dtype)).verdict == BITS
    comparison = standard.compare_one(quantity, moved.astype(fmt.dtype))
    assert comparison.verdict == DIFFERS
    assert comparison.end_to_end is not None
    assert comparison.end_to_end.index == tuple(np.unravel_index(position, true.shape))


@pytest.mark.parametrize("name", [name for name in catalogue.GROUPS["real"] if not name.startswith("generated")])
def test_the_bound_is_tight_where_it_matters(name: str) -> None:
    """float64, real data: far below the 1e-7 of common test suites, for every gradient."""
    problem = catalogue.build(name)
    standard = Standard.of(problem, "float64")
    single = FORMATS["float32"].u  # a gradient computed in float32 somewhere is outside
    for quantity, bound in standard.bounds.items():
        if quantity[:2] in ("dW", "db", "dw"):
            largest = np.max(np.abs(standard.exact[quantity].high))
            assert np.max(bound) < single * largest or largest < np.max(np.abs(standard.exact["J"].high)) * single, (
                quantity
            )


def test_the_bound_of_30_20_7_1_is_a_millionth_of_a_millionth() -> None:
    """float64, breast cancer: end to end, for every dW and db, of the quantity's largest element."""
    problem = catalogue.build("breast_cancer_deep")
    assert problem.layers == (30, 20, 7, 1)
    judge = Standard.of(problem, "float64")  # with the largest K of any framework
    for quantity in ("dW1", "db1", "dW2", "db2", "dW3", "db3"):
        assert np.max(judge.bounds[quantity]) * 10**12 <= np.max(np.abs(judge.exact[quantity].high)), quantity


@pytest.mark.parametrize("name", ["breast_cancer_deep", "wine_logistic", "generated_shallow"])
def test_the_order_of_summation_is_covered(name: str) -> None:
    """The examples reversed: other partial sums, the same bound."""
    problem = catalogue.build(name)
    reversed_ = replace(problem, X=problem.X[:, ::-1], Y=problem.Y[:, ::-1])
    found = find("reference").quantities(reversed_, "float32", "cpu")
    per_example = {q for q, v in found.items() if v.ndim == 2 and v.shape[1] == problem.m}
    standard = Standard.of(problem, "float32")
    for quantity, value in found.items():
        comparison = standard.compare_one(quantity, value[:, ::-1] if quantity in per_example else value)
        assert comparison.verdict != DIFFERS, comparison


def test_a_bound_over_a_trajectory_is_refused() -> None:
    problem = catalogue.build("logistic_training")
    with pytest.raises(Unbounded, match="no bound: over 8 steps"):
        end_to_end(problem, Standard.of(problem, "float64").arithmetic, {})


def test_no_digit_is_promised_where_a_sum_is_longer_than_the_format_counts() -> None:
    """300 terms in bfloat16: n u > 1."""
    rng = np.random.RandomState(0)
    X, Y = rng.standard_normal((300, 2)), np.array([[0, 1]])
    problem = Problem(
        "long", "logistic_regression", "edge", X, Y, draw("logistic_regression", (300, 1), 0), ("sigmoid",),
        dtypes=("bfloat16",),
    )  # fmt: skip
    assert np.all(np.isinf(Standard.of(problem, "bfloat16").bounds["Z"]))


def test_a_norm_that_overflows_is_refused_by_scikit_learn() -> None:
    """Its ‖w‖² is computed even without a penalty, and J would be nan."""
    problem = _deep([[1e-20]], [[0]], ("sigmoid",), w=[[1e20]], b=0)
    assert "overflows" in str(find("sklearn-loss").refuses(problem, "float32", "cpu"))
    assert find("sklearn-loss").refuses(problem, "float64", "cpu") is None
