"""The bound that rounding alone can reach, element by element, for every quantity: a running error analysis.

It holds for any implementation that sums an inner product in any order, with or without fused multiply-add, whose
elementary functions have an error of no more than K (`parity.elementary`), and that may flush subnormal numbers to
zero. With u = 2^−p and γ_n = n u / (1 − n u), an inner product of n terms is within γ_n |x|ᵀ|y| of the exact one
(Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.1). Each quantity's bound is what the errors of
its inputs become under the formula, plus what its own operations add; second-order terms are kept.

Two bounds come from the same rules. End to end, the inputs of a formula carry the bounds of the formulas before it,
about the exact values. Local, they are the implementation's own values and carry none (`parity.local` has the value
that the formula gives for them): that is tighter, and whatever is outside it is wrong in this very formula.

Beside the worst case stands what is probable, γ_n with √n for n (Higham and Mary, SIAM J. Sci. Comput. 41, 2019).

The gradient may be formed by hand (the 1/m last) or by automatic differentiation (the 1/m first, which is why
underflow is allowed m times over in dZ). docs/method.md derives the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.formats import Format
from parity.problems import NETWORKS, Problem
from parity.problems.parameters import flat, layered

Arrays = dict[str, np.ndarray]

SLOPES = {"relu": 0.0, "leaky_relu": 0.01, "leaky_relu_exact": 0.25}

OWN_ROUNDING = 1 + 2.0**-20
"""The bound is itself computed in float64: this covers the rounding of 2^32 operations of its own."""


class Unbounded(ArithmeticError):
    """No bound can be stated; the message is one line and says why."""


@dataclass(frozen=True)
class Arithmetic:
    """What a bound rests on.

    Attributes
    ----------
    fmt : Format
        The format of every operation.
    ulps : mapping
        K of every elementary function, by its name in `parity.elementary`.
    deviations : float
        λ: an error of n roundings is held to λ √n u where that is less than n u; infinite for the worst case.
    """

    fmt: Format
    ulps: Mapping[str, float]
    deviations: float = np.inf

    def gamma(self, n: int) -> float:
        """γ_n = n u / (1 − n u), infinite once n u ≥ 1; or γ̃_n(λ) = exp(λ √n u + n u² / (1 − u)) − 1 where less."""
        u = self.fmt.u
        worst = n * u / (1 - n * u) if n * u < 1 else np.inf
        exponent = self.deviations * np.sqrt(n) * u + n * u**2 / (1 - u)
        return float(min(worst, np.expm1(exponent))) if exponent < 1 else worst

    def relative(self, function: str) -> float:
        """K ulp as a relative error: one ulp is at most 2u of the value."""
        return 2 * self.ulps[function] * self.fmt.u

    def probable(self, roundings: int) -> Arithmetic:
        """The same with the λ at which no more than one of so many roundings is expected outside (λ = √(2 ln 2N))."""
        return Arithmetic(self.fmt, self.ulps, float(np.sqrt(2 * np.log(2 * roundings)) / (1 - self.fmt.u)))


def size(function: str, z: np.ndarray) -> np.ndarray:
    """What the error of `loss` and `output` is relative to, as a function of the logit z: in units of 2u times this."""
    return np.abs(z) + {"loss": np.log(2), "output": 1}[function]


def end_to_end(problem: Problem, arithmetic: Arithmetic, exact: Arrays) -> Arrays:
    """The largest |computed − exact| that rounding can cause, for every quantity of `exact`.

    Raises
    ------
    Unbounded
        The problem trains for several steps; a sum may overflow on its way; or a logarithm is asked for that of a
        subnormal number.
    """
    fmt = arithmetic.fmt
    if problem.iterations:
        raise Unbounded(f"no bound: over {problem.iterations} steps of training a worst case says nothing")
    if problem.model in NETWORKS:
        return of_network(Network(problem, arithmetic, exact, exact))
    params, X, _ = problem.inputs(fmt.name)
    inputs, X = {name: p.astype(np.float64) for name, p in params.items()}, X.astype(np.float64)
    with np.errstate(invalid="ignore"):  # 0 · ∞
        if problem.model == "activations":
            found = _activations(arithmetic, exact, _flushed(fmt, X))
        elif problem.model == "computation_graph":
            found = _computation_graph(arithmetic, inputs, exact)
        else:
            found = _derivatives(arithmetic, X, exact)
    return _finished(found, list(exact))


def of_network(network: Network) -> Arrays:
    """The bounds end to end, for every result of a network."""
    with np.errstate(invalid="ignore"):  # 0 · ∞
        return _finished(network.end_to_end(), list(network.names))


def local(problem: Problem, arithmetic: Arithmetic, own: Arrays, targets: Arrays) -> Arrays:
    """The largest |computed − target| that rounding can cause in one formula whose inputs are `own`.

    Parameters
    ----------
    own : mapping
        What the implementation computed, in float64.
    targets : mapping
        What the formulas give for these inputs (`parity.local.targets`), in float64.

    Returns
    -------
    dict
        A bound for every quantity of `targets`, the rounding of the targets' own evaluation not included.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return _finished(Network(problem, arithmetic, own, targets).local(), list(targets))


def roundings(problem: Problem) -> int:
    """How many products and sums one forward and backward pass rounds."""
    if problem.model not in NETWORKS:
        return 4 * problem.X.size
    pairs = zip(problem.layers[:-1], problem.layers[1:], strict=True)
    return 2 * problem.m * sum(n * (2 * n_prev + 1) for n_prev, n in pairs)


def _finished(found: Arrays, names: list[str]) -> Arrays:
    """In the order of computation; where 0 · ∞ is no number, no digit is promised."""
    return {name: np.where(np.isnan(found[name]), np.inf, found[name]) * OWN_ROUNDING for name in names}


def _computation_graph(arithmetic: Arithmetic, inputs: Arrays, values: Arrays) -> Arrays:
    """u = bc, v = a + u, J = 3v, and the products of 3 that are its slopes; a and u may cancel."""
    fmt, (a, b, c) = arithmetic.fmt, (np.abs(inputs[name]) for name in "abc")
    lost = {name: _flushed(fmt, inputs[name]) for name in "abc"}
    carried = lost["a"] + lost["b"] * c + b * lost["c"] + lost["b"] * lost["c"]
    common = 3 * (carried + lost["b"] + lost["c"]) + 4 * fmt.smallest_normal
    return {name: arithmetic.gamma(4) * (np.abs(v) + 3 * (a + b * c)) + common for name, v in values.items()}


def _derivatives(arithmetic: Arithmetic, X: np.ndarray, values: Arrays) -> Arrays:
    """3a, a², a³, log a and their slopes, of up to four roundings each."""
    fmt = arithmetic.fmt
    if np.any(_flushed(fmt, X)):
        raise Unbounded(f"no bound: log a and 1/a of a subnormal {fmt.name} may be those of zero")
    found = {name: arithmetic.gamma(4) * np.abs(v) + 3 * fmt.smallest_normal for name, v in values.items()}
    return found | {"log": found["log"] + arithmetic.relative("log") * np.abs(values["log"])}


def _activations(arithmetic: Arithmetic, values: Arrays, E_Z: np.ndarray) -> Arrays:
    """g and g' at points that are given exactly, but for subnormal ones, which may be read as zero: E_Z."""
    found = {}
    for name in [n for n in values if not n.startswith("d")]:
        A, Z = values[name], values["identity"]
        E_A = found[name] = _of_activation(arithmetic, name, Z, A, E_Z)
        found["d" + name] = _of_slope(arithmetic.fmt, name, Z, A, E_Z, E_A) + arithmetic.fmt.smallest_normal
    return found


def _of_activation(arithmetic: Arithmetic, name: str, Z: np.ndarray, A: np.ndarray, E_Z: np.ndarray) -> np.ndarray:
    """The error of A = g(Z), Z being within E_Z: the steepest slope nearby times E_Z, and g's own K ulp."""
    fmt = arithmetic.fmt
    touched = (Z != 0) | (E_Z > 0)
    if name == "sigmoid":
        carried = _steepest(Z, E_Z) * E_Z
        return carried + arithmetic.relative(name) * (A + carried) + fmt.smallest_normal
    if name == "tanh":
        nearest = np.maximum(np.abs(Z) - E_Z, 0)  # tanh is steepest at the point nearest to zero
        carried = (1 - np.tanh(nearest) ** 2 + 4 * 2.0**-53) * E_Z  # the last term: this line's own cancellation
        return carried + touched * (arithmetic.relative(name) * (np.abs(A) + carried) + fmt.smallest_normal)
    if name == "identity":
        return E_Z
    slope = SLOPES[name]
    carried = np.where(Z + E_Z > 0, 1, slope) * E_Z
    own = 2 * fmt.u * (np.abs(A) + carried) + fmt.smallest_normal if slope else 0.0
    return carried + np.where((Z < 0) | (E_Z > 0), own, 0.0)


def _steepest(Z: np.ndarray, E_Z: np.ndarray) -> np.ndarray:
    """The largest σ'(z) within E_Z of Z: at the point nearest to zero."""
    e = np.exp(-np.maximum(np.abs(Z) - E_Z, 0))
    return e / (1 + e) ** 2


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


class Network:
    """One forward and backward pass and one update; logistic regression is L = 1 under other names.

    Every rule bounds the error of one quantity: `v` are the values of the inputs of its formula, `E` their errors,
    `result` the value of the quantity itself.
    """

    def __init__(self, problem: Problem, arithmetic: Arithmetic, inputs: Arrays, results: Arrays) -> None:
        self.arithmetic, self.fmt, self.problem, self.names = arithmetic, arithmetic.fmt, problem, tuple(results)
        self.m, self.L = problem.m, len(problem.activations)
        params, X, Y = problem.inputs(self.fmt.name)
        self.params = {name: p.astype(np.float64) for name, p in params.items()}
        self.Y = Y.astype(np.float64)
        self.logistic = problem.model == "logistic_regression"
        if self.logistic:
            self.params = layered(self.params)
            inputs, results = layered(inputs), layered(results)
        self.v, self.result = inputs | {"A0": X.astype(np.float64, copy=False)}, results
        self.flushed = {name: _flushed(self.fmt, p) for name, p in self.params.items()}
        self.size_of_X = np.abs(self.v["A0"])
        self.E, self.reach_of_X = {"A0": np.broadcast_to(0.0, X.shape)}, self.size_of_X
        if np.any(self.size_of_X[self.size_of_X < self.fmt.smallest_normal]):
            self.E["A0"] = _flushed(self.fmt, self.size_of_X)
            self.reach_of_X = self.size_of_X + self.E["A0"]

    def end_to_end(self) -> Arrays:
        """Every bound, the errors of the inputs being the bounds before it."""
        self._refuse_overflow()
        for name in self._in_order():
            self.E[name] = self._rule(name)
        del self.E["A0"]
        return flat(self.E) if self.logistic else self.E

    def _refuse_overflow(self) -> None:
        """Sums of absolute values before any 1/m, twice as large for what rounding may add, must be in range.

        Raises
        ------
        Unbounded
            One is not.
        """
        logits = np.abs(self.v[f"Z{self.L}"])
        sums = {"J": np.sum(logits + np.log(2))}
        for l in range(1, self.L + 1):
            W, A, dZ = np.abs(self.params[f"W{l}"]), self._size(l - 1), np.abs(self.v[f"dZ{l}"])
            sums |= {f"Z{l}": W @ A + np.abs(self.params[f"b{l}"]), f"dW{l}": dZ @ A.T}
            if l > 1:  # nobody forms dA[0]
                sums[f"dA{l - 1}"] = W.T @ dZ
        for name, total in sums.items():
            if not np.all(2 * total <= self.fmt.largest):
                raise Unbounded(f"no bound: the terms of {name} may overflow {self.fmt.name}")

    def _size(self, l: int) -> np.ndarray:
        """|A[l]|."""
        return np.abs(self.v[f"A{l}"]) if l else self.size_of_X

    def _reach(self, l: int) -> np.ndarray:
        """|A[l]| and its error: no less than what is exact, nor than what was computed."""
        return np.abs(self.v[f"A{l}"]) + self.E[f"A{l}"] if l else self.reach_of_X

    def local(self) -> Arrays:
        """The bound of every result, the inputs being as they are; dZ may have been rounded once more to be shown."""
        for name, value in self.v.items():
            self.E[name] = _flushed(self.fmt, value)
            if name.startswith("dZ"):
                self.E[name] = self.E[name] + self.fmt.u * np.abs(value)
        found = {name: self._rule(name) for name in self._in_order() if name in self.result}
        return flat(found) if self.logistic else found

    def _in_order(self) -> Iterator[str]:
        for l in range(1, self.L + 1):
            yield from (f"Z{l}", f"A{l}")
        yield "J"
        for l in range(self.L, 0, -1):
            yield from (f"dZ{l}", f"dW{l}", f"db{l}")
        if self.problem.learning_rate is not None:
            yield from (f"new_{name}" for name in self.params)

    def _rule(self, name: str) -> np.ndarray:
        if name == "J":
            return self._of_cost()
        if name.startswith("new_"):
            return self._of_update(name.removeprefix("new_"))
        kind, l = name.rstrip("0123456789"), int(name.lstrip("AZWbd"))
        if kind == "dZ" and l == self.L:
            return self._of_output()
        rules = {"Z": self._of_Z, "A": self._of_A, "dZ": self._of_hidden, "dW": self._of_dW, "db": self._of_db}
        return rules[kind](l)

    def _of_Z(self, l: int) -> np.ndarray:
        W, b, E_A = np.abs(self.params[f"W{l}"]), self.params[f"b{l}"], self.E[f"A{l - 1}"]
        A = self._reach(l - 1)
        own = self._inner(W, A, W.shape[1] + 1, np.abs(b))
        return _carried(W, E_A) + own + _carried(self.flushed[f"W{l}"], A) + self.flushed[f"b{l}"]

    def _of_A(self, l: int) -> np.ndarray:
        g = self.problem.activations[l - 1]
        return _of_activation(self.arithmetic, g, self.v[f"Z{l}"], self.result[f"A{l}"], self.E[f"Z{l}"])

    def _of_cost(self) -> np.ndarray:
        """J: the loss has a slope of |a − y| and an error of K units of |z| + log 2, the terms it may be made of."""
        Z, E_Z = self.v[f"Z{self.L}"], self.E[f"Z{self.L}"]
        wrong = np.where(self.Y == 1, -Z, Z)
        loss, slope = np.logaddexp(0, wrong), np.exp(-np.logaddexp(0, -wrong))
        carried = np.minimum(1, slope + E_Z / 4) * E_Z
        E_loss = carried + self.arithmetic.relative("loss") * size("loss", np.abs(Z) + E_Z)
        n = loss.size
        total = E_loss.sum() + self.arithmetic.gamma(n + 1) * (loss + E_loss).sum()
        return np.asarray(total / self.m + n * self.fmt.smallest_normal)

    def _of_output(self) -> np.ndarray:
        """dZ[L] = σ(Z[L]) − Y, K units of 1 + |z|: it may be formed as e^(z − log(1 + e^z)).

        Automatic differentiation rounds 1/m, its products with σ and with Y apart from each other, and m times it all.
        """
        Z, E_Z = self.v[f"Z{self.L}"], self.E[f"Z{self.L}"]
        E = _steepest(Z, E_Z) * E_Z + self.arithmetic.relative("output") * size("output", np.abs(Z) + E_Z)
        own = self.arithmetic.gamma(3) * (np.abs(self.result[f"dZ{self.L}"]) + 2 * self.Y + E)  # σ ≤ |dZ| + Y
        return E + own + 2 * self.m * self.fmt.smallest_normal

    def _of_dW(self, l: int) -> np.ndarray:
        """The terms of dW and db are scaled by 1/m before the sum or after it: two more roundings each."""
        A, E_A = self._reach(l - 1), self.E[f"A{l - 1}"]
        dZ, E_dZ = np.abs(self.v[f"dZ{l}"]), self.E[f"dZ{l}"]
        carried = (E_dZ @ A.T + _carried(dZ, E_A.T)) / self.m
        return carried + self._inner((dZ + E_dZ) / self.m, A.T, self.m + 3)

    def _of_db(self, l: int) -> np.ndarray:
        dZ, E_dZ = np.abs(self.v[f"dZ{l}"]), self.E[f"dZ{l}"]
        total = (dZ + E_dZ).sum(1, keepdims=True)
        found = (E_dZ.sum(1, keepdims=True) + self.arithmetic.gamma(self.m + 3) * total) / self.m
        return found + self.m * self.fmt.smallest_normal * (total > 0)

    def _of_hidden(self, l: int) -> np.ndarray:
        """dZ[l] = dA[l] ∗ g'(Z[l]), |dA| being bounded by |W|ᵀ|dZ|; of its products up to four may be flushed.

        JAX forms d = dA (1 − a) and d + d a for tanh: a flushed d takes 1 + a times itself away.
        """
        W, flushed = np.abs(self.params[f"W{l + 1}"]).T, self.flushed[f"W{l + 1}"].T
        dZ, E_dZ = np.abs(self.v[f"dZ{l + 1}"]), self.E[f"dZ{l + 1}"]
        dA = W @ dZ
        E_dA = W @ E_dZ + self._inner(W, dZ + E_dZ, W.shape[1] + 3) + _carried(flushed, dZ + E_dZ)
        g, Z, E_Z = self.problem.activations[l - 1], self.v[f"Z{l}"], self.E[f"Z{l}"]
        A, slope = _value_and_slope(g, Z)
        E_slope = _of_slope(self.fmt, g, Z, A, E_Z, _of_activation(self.arithmetic, g, Z, A, E_Z))
        found = E_dA * (slope + E_slope) + dA * E_slope
        found = found + self.arithmetic.gamma(2) * (dA + E_dA) * (slope + E_slope)
        return found + 4 * self.m * self.fmt.smallest_normal * touched(W, dZ + E_dZ)

    def _of_update(self, name: str) -> np.ndarray:
        rate = float(self.fmt.dtype.type(self.problem.learning_rate))
        gradient, E_gradient = np.abs(self.v[f"d{name}"]), self.E[f"d{name}"]
        step, E_step = rate * gradient, rate * E_gradient + _flushed(self.fmt, rate) * (gradient + E_gradient)
        own = self.arithmetic.gamma(2) * (step + E_step) + self.fmt.u * np.abs(self.params[name])
        return E_step + own + self.fmt.smallest_normal * (gradient + E_gradient > 0) + self.flushed[name]

    def _inner(self, x: np.ndarray, y: np.ndarray, n: int, start: np.ndarray | float = 0.0) -> np.ndarray:
        """γ_n (start + |x||y|), and one underflow a term where there is anything to round."""
        total = x @ y + start
        return self.arithmetic.gamma(n) * total + n * self.m * self.fmt.smallest_normal * touched(x, y)


def _carried(x: np.ndarray, y: np.ndarray) -> np.ndarray | float:
    """The product of two matrices, one of them errors: mostly there are none."""
    return x @ y if np.any(x) and np.any(y) else 0.0


def touched(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where an inner product of these non-negative numbers has a term that is not zero, however small."""
    if np.all(y):
        return np.broadcast_to(np.any(x, axis=1, keepdims=True), (x.shape[0], y.shape[1]))
    if np.all(x):
        return np.broadcast_to(np.any(y, axis=0), (x.shape[0], y.shape[1]))
    return (x > 0).astype(np.float64) @ (y > 0) > 0


def _value_and_slope(name: str, Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g(Z) in float64, and an upper bound of g'(Z), with room for the rounding of this function's own."""
    if name == "sigmoid":
        return np.exp(-np.logaddexp(0, -Z)), _steepest(Z, np.zeros_like(Z)) * OWN_ROUNDING
    if name == "tanh":
        A = np.tanh(Z)
        return A, np.where(Z == 0, 1.0, 1 - A**2 + 2.0**-50)
    if name == "identity":
        return Z, np.ones_like(Z)
    slope = np.where(Z > 0, 1.0, SLOPES[name])
    return slope * Z, slope


def _flushed(fmt: Format, array: np.ndarray | float) -> np.ndarray:
    """What is lost where an implementation reads a subnormal number as zero."""
    return np.where(np.abs(array) < fmt.smallest_normal, np.abs(array), 0.0)
