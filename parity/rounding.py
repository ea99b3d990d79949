"""The bound that rounding alone can reach, element by element, for every quantity: a running error analysis.

It holds for any implementation that sums an inner product in any order, with or without fused multiply-add, whose
elementary functions are within K units in the last place (`ULPS`), and that may flush subnormal numbers to zero. With
u = 2^−p and γ_n = n u / (1 − n u), an inner product of n terms is within γ_n |x|ᵀ|y| of the exact one (Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.1). Each quantity's bound is what its inputs' bounds become
under the formula, plus what its own operations add, computed about the exact values; second-order terms are kept.

The gradient may be formed by hand (the 1/m last) or by automatic differentiation (the 1/m first, which is why
underflow is allowed m times over in dZ).
"""

from __future__ import annotations

import numpy as np

from parity.formats import FORMATS, Format
from parity.oracle import Exact
from parity.problems import NETWORKS, Problem

Arrays = dict[str, np.ndarray]

ULPS = {"sigmoid": 3, "tanh": 7, "softplus": 4, "log": 1}
"""K: the largest error of an elementary function is 2 K u of its result, in NumPy, PyTorch and JAX on the CPU, float32
and float64. Measured against Arb on a sample (for sigmoid and tanh the one that tests/test_rounding.py draws), rounded
up; JAX's tanh is the 7."""

SLOPES = {"relu": 0.0, "leaky_relu": 0.01, "leaky_relu_exact": 0.25}

OWN_ROUNDING = 1 + 2.0**-20
"""The bound is itself computed in float64: this covers the rounding of 2^32 operations of its own."""


def bounds(problem: Problem, dtype: str, exact: dict[str, Exact]) -> Arrays:
    """The largest |computed − exact| that rounding can cause, for every quantity of `exact`.

    Raises
    ------
    ValueError
        The problem trains for several steps: a worst-case bound over a trajectory says nothing.
    """
    fmt, values = FORMATS[dtype], {name: value.high for name, value in exact.items()}
    if problem.iterations:
        raise ValueError(f"{problem.name} trains for {problem.iterations} steps: it has an exact value, but no bound")
    with np.errstate(invalid="ignore"):  # 0 · ∞
        if problem.model in NETWORKS:
            found = _Network(problem, fmt, values).bounds()
        elif problem.model == "activations":
            found = _activations(fmt, values, _subnormal(fmt, problem.inputs(dtype)[1].astype(np.float64)))
        elif problem.model == "computation_graph":
            terms = np.abs(problem.params["a"]) + np.abs(values["u"])  # a and bc may cancel in v and in J
            found = {name: _gamma(fmt, 4) * (np.abs(v) + 3 * terms) + fmt.smallest_normal for name, v in values.items()}
        else:
            found = {name: _gamma(fmt, 4) * np.abs(v) + fmt.smallest_normal for name, v in values.items()}
            found["log"] += _relative(fmt, "log") * np.abs(values["log"])
    unbounded = {name: np.where(np.isnan(e), np.inf, e) for name, e in found.items()}  # 0 · ∞, where n u ≥ 1
    return {name: unbounded[name] * OWN_ROUNDING for name in values}


def _gamma(fmt: Format, n: int) -> float:
    """γ_n = n u / (1 − n u): infinite once n u ≥ 1, where no digit is promised."""
    return n * fmt.u / (1 - n * fmt.u) if n * fmt.u < 1 else np.inf


def _relative(fmt: Format, function: str) -> float:
    """K ulp as a relative error: one ulp is at most 2u of the value."""
    return 2 * ULPS[function] * fmt.u


def _activations(fmt: Format, values: Arrays, E_Z: np.ndarray) -> Arrays:
    """g and g' at points that are given exactly, but for subnormal ones, which may be read as zero: E_Z."""
    found = {}
    for name in [n for n in values if not n.startswith("d")]:
        A, Z = values[name], values["identity"]
        E_A = found[name] = _of_activation(fmt, name, Z, A, E_Z)
        found["d" + name] = _of_slope(fmt, name, Z, A, E_Z, E_A) + fmt.smallest_normal
    return found


def _of_activation(fmt: Format, name: str, Z: np.ndarray, A: np.ndarray, E_Z: np.ndarray) -> np.ndarray:
    """The error of A = g(Z), Z being within E_Z: the steepest slope nearby times E_Z, and g's own K ulp."""
    nearest = np.maximum(np.abs(Z) - E_Z, 0)  # sigmoid and tanh are steepest at the point nearest to zero
    touched = (Z != 0) | (E_Z > 0)
    if name == "sigmoid":
        e = np.exp(-nearest)
        carried = e / (1 + e) ** 2 * E_Z
        return carried + _relative(fmt, name) * (A + carried) + fmt.smallest_normal
    if name == "tanh":
        carried = (1 - np.tanh(nearest) ** 2 + 4 * 2.0**-53) * E_Z  # the last term: this line's own cancellation
        return carried + touched * (_relative(fmt, name) * (np.abs(A) + carried) + fmt.smallest_normal)
    if name == "identity":
        return E_Z
    slope = SLOPES[name]
    carried = np.where(Z + E_Z > 0, 1, slope) * E_Z
    own = 2 * fmt.u * (np.abs(A) + carried) + fmt.smallest_normal if slope else 0.0
    return carried + np.where((Z < 0) | (E_Z > 0), own, 0.0)


def _of_slope(fmt: Format, name: str, Z: np.ndarray, A: np.ndarray, E_Z: np.ndarray, E_A: np.ndarray) -> np.ndarray:
    """The error of g'(Z), formed from A as N17 does; at a kink that E_Z reaches, the whole jump."""
    if name == "sigmoid":
        return (np.abs(1 - 2 * A) + E_A) * E_A + 3 * fmt.u * (A + E_A)
    if name == "tanh":
        return (2 * np.abs(A) + E_A) * E_A + 4 * fmt.u * ((Z != 0) | (E_Z > 0))
    if name == "identity":
        return np.zeros_like(Z)
    undecided = (E_Z > 0) & (np.abs(Z) <= E_Z)
    return np.where(undecided, 1 - SLOPES[name], 2 * fmt.u * SLOPES[name])


class _Network:
    """One forward and backward pass and one update; logistic regression is L = 1 under other names."""

    def __init__(self, problem: Problem, fmt: Format, values: Arrays) -> None:
        self.fmt, self.problem, self.m = fmt, problem, problem.m
        params, X, Y = problem.inputs(fmt.name)
        params = {name: p.astype(np.float64) for name, p in params.items()}
        X, Y = X.astype(np.float64), Y.astype(np.float64)
        self.logistic = problem.model == "logistic_regression"
        if self.logistic:
            params = {"W1": params["w"].T, "b1": params["b"].reshape(1, 1)}
            values = {_layered(name): _layer_shape(name, value) for name, value in values.items()}
        self.params, self.X, self.Y, self.values = params, X, Y, values
        self.flushed = {name: _subnormal(fmt, p) for name, p in (params | {"X": X}).items()}

    def bounds(self) -> Arrays:
        E, v, fmt, m = {"A0": self.flushed["X"]}, self.values | {"A0": self.X}, self.fmt, self.m
        L = len(self.problem.activations)
        for l, g in enumerate(self.problem.activations, start=1):
            W, b, A = self.params[f"W{l}"], self.params[f"b{l}"], np.abs(v[f"A{l - 1}"]) + E[f"A{l - 1}"]
            own = self._inner(np.abs(W), A, W.shape[1] + 1, np.abs(b))
            flushed = self.flushed[f"W{l}"] @ A + self.flushed[f"b{l}"]
            E[f"Z{l}"] = np.abs(W) @ E[f"A{l - 1}"] + own + flushed
            E[f"A{l}"] = _of_activation(fmt, g, v[f"Z{l}"], v[f"A{l}"], E[f"Z{l}"])
        E["J"] = self._of_cost(v, E, L)
        E[f"dZ{L}"] = self._of_output(v, E, L)
        for l in range(L, 0, -1):
            W, A, E_A = self.params[f"W{l}"], np.abs(v[f"A{l - 1}"]), E[f"A{l - 1}"]
            dZ, E_dZ = np.abs(v[f"dZ{l}"]), E[f"dZ{l}"]
            # the terms of dW and db are scaled by 1/m before the sum or after it: two more roundings each
            E[f"dW{l}"] = (E_dZ @ (A + E_A).T + dZ @ E_A.T) / m + self._inner(dZ + E_dZ, (A + E_A).T / m, m + 3)
            E[f"db{l}"] = (E_dZ.sum(1, keepdims=True) + _gamma(fmt, m + 3) * (dZ + E_dZ).sum(1, keepdims=True)) / m
            E[f"db{l}"] += m * fmt.smallest_normal * (E[f"db{l}"] > 0)
            if l > 1:
                dA = np.abs(W).T @ dZ
                E_dA = np.abs(W).T @ E_dZ + self._inner(np.abs(W).T, dZ + E_dZ, W.shape[0] + 3)
                E_dA = E_dA + self.flushed[f"W{l}"].T @ (dZ + E_dZ)
                E[f"dZ{l - 1}"] = self._of_hidden(v, E, l - 1, dA, E_dA)
        for name, p in self.params.items() if self.problem.learning_rate is not None else ():
            step, E_step = self.rate * np.abs(v[f"d{name}"]), self.rate * E[f"d{name}"]
            own = _gamma(fmt, 2) * (step + E_step) + fmt.u * np.abs(p) + fmt.smallest_normal * (step + E_step > 0)
            E[f"new_{name}"] = E_step + own + self.flushed[name]
        del E["A0"]
        return {_flat(name): _flat_shape(name, e) for name, e in E.items()} if self.logistic else E

    @property
    def rate(self) -> float:
        return float(self.fmt.dtype.type(self.problem.learning_rate))

    def _inner(self, x: np.ndarray, y: np.ndarray, n: int, start: np.ndarray | float = 0.0) -> np.ndarray:
        """γ_n (start + |x||y|), and one underflow a term where there is anything to round."""
        total = x @ y + start
        return _gamma(self.fmt, n) * total + n * self.m * self.fmt.smallest_normal * (total > 0)

    def _of_cost(self, v: Arrays, E: Arrays, L: int) -> np.ndarray:
        """J: each loss is a sum of at most four terms, none larger than |z| + log 2, whatever its stable form."""
        Z, E_Z = np.abs(v[f"Z{L}"]), E[f"Z{L}"]
        loss = np.where(self.Y == 1, np.logaddexp(0, -v[f"Z{L}"]), np.logaddexp(0, v[f"Z{L}"]))
        carried = np.minimum(1, np.abs(v[f"dZ{L}"]) + E_Z / 4) * E_Z
        terms = 2 * (Z + E_Z) + np.log(2)
        E_loss = carried + (_relative(self.fmt, "softplus") + _gamma(self.fmt, 4)) * terms
        n = loss.size
        total = E_loss.sum() + _gamma(self.fmt, n + 1) * (loss + E_loss).sum()
        return np.asarray(total / self.m + n * self.fmt.smallest_normal)

    def _of_output(self, v: Arrays, E: Arrays, L: int) -> np.ndarray:
        """dZ[L] = A[L] − Y; automatic differentiation may form A as e^(z − softplus(z)), whose argument is rounded."""
        Z, A, E_A = np.abs(v[f"Z{L}"]) + E[f"Z{L}"], v[f"A{L}"], E[f"A{L}"]
        softplus = np.logaddexp(0, v[f"Z{L}"]) + E[f"Z{L}"]
        as_derivative = (_relative(self.fmt, "softplus") * (1 + softplus) + 2 * self.fmt.u * Z) * (A + E_A)
        # it may also form A − Y from log(1 + e^z) and z, with an error of the size of 1's rounding wherever z is
        subtracted = (_gamma(self.fmt, 4) + _relative(self.fmt, "softplus")) * (1 + E_A + as_derivative)
        return E_A + as_derivative + subtracted + 2 * self.m * self.fmt.smallest_normal

    def _of_hidden(self, v: Arrays, E: Arrays, l: int, dA: np.ndarray, E_dA: np.ndarray) -> np.ndarray:
        """dZ[l] = dA[l] ∗ g'(Z[l]), |dA| being bounded by |W|ᵀ|dZ|."""
        g, Z, A = self.problem.activations[l - 1], v[f"Z{l}"], v[f"A{l}"]
        slope = _slope(g, Z, A)
        E_slope = _of_slope(self.fmt, g, Z, A, E[f"Z{l}"], E[f"A{l}"])
        carried = E_dA * (slope + E_slope) + dA * E_slope
        own = _gamma(self.fmt, 2) * (dA + E_dA) * (slope + E_slope)
        return carried + own + self.m * self.fmt.smallest_normal * (carried + own > 0)


def _slope(name: str, Z: np.ndarray, A: np.ndarray) -> np.ndarray:
    """An upper bound of g'(Z) in float64."""
    if name == "sigmoid":
        return A * (1 - A) + 2.0**-53
    if name == "tanh":
        return np.where(Z == 0, 1.0, 1 - A**2 + 2.0**-52)
    if name == "identity":
        return np.ones_like(Z)
    return np.where(Z > 0, 1.0, SLOPES[name])


def _subnormal(fmt: Format, array: np.ndarray) -> np.ndarray:
    """What is lost where an implementation reads a subnormal input as zero."""
    return np.where(np.abs(array) < fmt.smallest_normal, np.abs(array), 0.0)


def _layered(name: str) -> str:
    """Logistic regression's name of a quantity as that of layer 1: w → W1, db → db1."""
    if name.startswith("new_"):
        return "new_" + _layered(name[4:])
    return name if name == "J" else name.replace("w", "W") + "1"


def _flat(name: str) -> str:
    """The inverse of `_layered`."""
    prefix, rest = ("new_", name[4:]) if name.startswith("new_") else ("", name)
    return prefix + rest.removesuffix("1").replace("W", "w")


def _layer_shape(name: str, value: np.ndarray) -> np.ndarray:
    return value.T if name.endswith("w") else value.reshape(1, 1) if name.endswith("b") else value


def _flat_shape(name: str, value: np.ndarray) -> np.ndarray:
    return value.T if "W" in name else value.reshape(()) if "b" in name else value
