"""The oracle against mpmath at 60 digits, straight from the notes' formulas, and against what it must not decide."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from parity.oracle import Exact, Undecided, exact
from parity.problems import Problem, catalogue
from tests.test_run import tie

Matrix = list[list[mpf]]

G = {
    "sigmoid": (lambda z: 1 / (1 + mp.exp(-z)), lambda z: (1 / (1 + mp.exp(-z))) * (1 - 1 / (1 + mp.exp(-z)))),
    "tanh": (mp.tanh, lambda z: 1 - mp.tanh(z) ** 2),
    "relu": (lambda z: max(z, mpf(0)), lambda z: mpf(int(z > 0))),
    "leaky_relu": (lambda z: z if z > 0 else mpf(0.01) * z, lambda z: mpf(1) if z > 0 else mpf(0.01)),
    "leaky_relu_exact": (lambda z: z if z > 0 else z / 4, lambda z: mpf(1) if z > 0 else mpf(0.25)),
    "identity": (lambda z: z, lambda z: mpf(1)),
}


def by_mpmath(problem: Problem) -> dict[str, Matrix]:
    """The notes' formulas, element by element: −(y log a + (1 − y) log(1 − a)), a − y, a (1 − a)."""
    params = {name: [[mpf(float(x)) for x in row] for row in np.atleast_2d(p)] for name, p in problem.params.items()}
    if "w" in params:
        params = {"W1": [[row[0] for row in params["w"]]], "b1": params["b"]}
    A = [[[mpf(float(x)) for x in row] for row in problem.X]]
    Y, m, L = problem.Y.tolist(), problem.m, len(problem.activations)
    found: dict[str, Matrix] = {}
    for l, name in enumerate(problem.activations, start=1):
        W, b = params[f"W{l}"], params[f"b{l}"]
        Z = [
            [mp.fsum(w * a[i] for w, a in zip(row, A[-1], strict=True)) + b[j][0] for i in range(m)]
            for j, row in enumerate(W)
        ]
        A.append([[G[name][0](z) for z in row] for row in Z])
        found |= {f"Z{l}": Z, f"A{l}": A[-1]}
    loss = [
        -(y * mp.log(a) + (1 - y) * mp.log(1 - a))
        for ys, as_ in zip(Y, A[-1], strict=True)
        for y, a in zip(ys, as_, strict=True)
    ]
    found["J"] = [[mp.fsum(loss) / m]]
    dZ = [[a - y for a, y in zip(as_, ys, strict=True)] for as_, ys in zip(A[-1], Y, strict=True)]
    for l in range(L, 0, -1):
        found[f"dZ{l}"] = dZ
        found[f"dW{l}"] = [[mp.fsum(d * a for d, a in zip(ds, as_, strict=True)) / m for as_ in A[l - 1]] for ds in dZ]
        found[f"db{l}"] = [[mp.fsum(ds) / m] for ds in dZ]
        if l > 1:
            W, g_prime, Z = params[f"W{l}"], G[problem.activations[l - 2]][1], found[f"Z{l - 1}"]
            dA = [[mp.fsum(W[k][j] * dZ[k][i] for k in range(len(W))) for i in range(m)] for j in range(len(Z))]
            dZ = [[dA[j][i] * g_prime(Z[j][i]) for i in range(m)] for j in range(len(Z))]
    for name in params:
        rate = mpf(problem.learning_rate)
        found[f"new_{name}"] = [
            [p - rate * d for p, d in zip(ps, ds, strict=True)]
            for ps, ds in zip(params[name], found[f"d{name}"], strict=True)
        ]
    return found


SMALL = [
    "four_layers",
    "one_example",
    "house_prices",
    "equal_sizes",
    "single_example",
    "single_feature",
    "kink_leaky_relu",
    "zero_initialisation",
    "dead_relu",
    "saturation_40",
]


@pytest.mark.parametrize("name", SMALL)
def test_agrees_with_mpmath(name: str) -> None:
    problem = catalogue.build(name)
    found = exact(problem, "float64")
    with mpmath.workdps(60):
        expected = by_mpmath(problem)
        for quantity, value in found.items():
            layered = (
                quantity
                if "W1" in problem.params or quantity == "J"
                else quantity.replace("w", "W").replace("neW", "new") + "1"
            )
            theirs = np.array([[float(x) for x in row] for row in expected[layered]])
            theirs = (theirs.T if quantity.endswith("w") else theirs).reshape(value.high.shape)
            assert np.array_equal(value.high, theirs), quantity  # both are the nearest float64


def test_high_and_low_resolve_far_more_than_float64() -> None:
    value = exact(catalogue.build("one_example"), "float64")["J"]
    with mpmath.workdps(60):
        J = by_mpmath(catalogue.build("one_example"))["J"][0][0]
        assert abs(mpf(float(value.high)) + mpf(float(value.low)) - J) < abs(J) * mpf(2) ** -100
    assert value.radius <= 1 / 1000


def test_the_error_of_a_value_is_resolved_below_its_ulp() -> None:
    value = Exact(np.array(1.0), np.array(2.0**-60), 0.0)
    assert value.error_of(np.array(1.0)) == -(2.0**-60)


def test_the_inputs_are_rounded_first() -> None:
    """float32 has other inputs than float64, and so another exact value."""
    problem = catalogue.build("wine_shallow")
    assert exact(problem, "float32")["J"].high != exact(problem, "float64")["J"].high


def test_the_precision_is_raised_until_the_radius_is_small() -> None:
    """σ'(−800) is 1e-348: its relative accuracy needs no more bits, the cancelled sum of this bias does."""
    problem = Problem(
        "cancels", "logistic_regression", "edge", np.array([[1.0, 1.0]]), np.array([[0, 1]]),
        {"w": np.array([[2.0**-60]]), "b": np.array(2.0**-200)}, ("sigmoid",),
    )  # fmt: skip
    found = exact(problem, "float64")
    with mpmath.workdps(150):
        assert float(by_mpmath(problem)["dW1"][0][0]) == found["dw"].high[0, 0]
    assert found["dw"].radius <= 1 / 1000


def test_a_kink_that_no_precision_decides_is_reported() -> None:
    with pytest.raises(Undecided, match="no exact value"):
        exact(tie(), "float64")
