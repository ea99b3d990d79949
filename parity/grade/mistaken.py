"""What each quantity would be with a mistake of the catalogue in its formula, given the learner's values before it.

Each candidate is a formula like the right one, so it has a bound of its own. A candidate whose shapes do not fit is
none: the learner's code could not have computed it either.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

import numpy as np

from parity.grade.bounded import (
    ACTIVATIONS,
    BELOW,
    OF_A,
    Bounded,
    affine,
    identity,
    sigmoid,
    sigmoid_slope,
    slope,
    tanh,
)
from parity.grade.formulas import UNEVEN, Pass, split
from parity.mistakes import EPSILONS

Named = tuple[str, Bounded]
Lazy = tuple[str, Callable[[], Bounded]]


def candidates(p: Pass, name: str, among: Container[str] | None = None) -> Iterator[Named]:
    """Every mistake that can be made in this quantity's own formula, or those of them that are asked for."""
    kind, l = split(name)
    rules: dict[str, Callable[[Pass, int], Iterator[Lazy]]] = {
        "Z": _of_Z,
        "A": _of_A,
        "J": _of_J,
        "dA": _of_dA,
        "dZ": _of_hidden if l < p.L or f"dA{l}" in p.known else _of_output,
        "dW": _of_dW,
        "db": _of_db,
        "new_W": lambda p, l: _of_update(p, f"W{l}"),
        "new_b": lambda p, l: _of_update(p, f"b{l}"),
    }
    if kind == "dA" and l == p.L:
        rules["dA"] = _of_dA_of_cost
    for mistake, formula in rules[kind](p, l):
        if among is not None and mistake not in among:
            continue
        try:
            yield mistake, formula()
        except UNEVEN:
            continue
    if among is None or "integer_arithmetic" in among:
        yield from _integers(p, name)


def _integers(p: Pass, name: str) -> Iterator[Named]:
    """Cut off, or rounded, to integers."""
    stays = name.startswith("new_") and not np.any(p[name.removeprefix("new_")].value)
    labels = name == f"dZ{p.L}"  # rounded, it would be that of the predictions
    for right in p.rights(name):
        for cut in (np.trunc, np.floor, np.rint)[: 2 if labels else 3]:
            whole = cut(right.value)
            if not np.array_equal(whole, right.value) and (np.any(whole) or not stays):
                yield "integer_arithmetic", p.exact(whole)


def _of_Z(p: Pass, l: int) -> Iterator[Lazy]:
    W, A, b = p[f"W{l}"], p[f"A{l - 1}"], p[f"b{l}"]
    yield "bias_missing", lambda: W @ A
    yield "W_transposed", lambda: W.T @ A + b
    yield "star_for_dot", lambda: W * A + b
    if p.probe.exercise == "logistic":
        yield "star_for_dot", lambda: W.T * A + b


def _of_A(p: Pass, l: int) -> Iterator[Lazy]:
    Z = p[f"Z{l}"]
    if p.g[l - 1] == "sigmoid":
        yield "sigmoid_without_minus", lambda: sigmoid(-Z)
        yield "tanh_at_output", lambda: tanh(Z)
    if l < p.L:
        yield "linear_hidden", lambda: identity(Z)
    if l == p.L:
        A = sigmoid(Z)
        for e in (10.0**-power for power in EPSILONS):
            yield "epsilon_in_log", lambda e=e: A + e  # type: ignore[misc]
            yield "epsilon_in_log", lambda e=e: Bounded(np.clip(A.value, e, 1 - e), A.error + p.of.u, p.of)  # type: ignore[misc]


def _of_J(p: Pass, l: int) -> Iterator[Lazy]:
    A, Y, m = p[f"A{p.L}"], p.Y, p.m
    n_x = p.probe.X.shape[0]
    one, zero = A.log(), (1 - A).log()
    for right in p.rights("J"):
        yield "cost_sign", lambda right=right: -right  # type: ignore[misc]
        yield "missing_1_over_m", lambda right=right: right * m  # type: ignore[misc]
        yield "twice_1_over_m", lambda right=right: right / m  # type: ignore[misc]
        yield "one_over_n", lambda right=right: right * m / n_x  # type: ignore[misc]
        for base in (2, 10):
            yield "other_logarithm", lambda right=right, base=base: right / float(np.log(base))  # type: ignore[misc]
    none = p.exact(np.zeros(A.shape))
    yield "cost_dropped_term", lambda: p.losses(one, none).sum() / m
    yield "cost_dropped_term", lambda: p.losses(none, zero).sum() / m
    yield from _outer(p, one, zero)
    for losses in (p.losses(one, zero), p.losses_of_logits()):
        yield from _of_last_column("J", losses, m)
    square = (A - Y).square()
    yield "squared_error", lambda: square.sum() / m
    yield "squared_error", lambda: square.sum() / m / 2
    yield "squared_error", lambda: square.sum() / 2
    for power in EPSILONS:
        yield from _with_epsilon(p, A, 10.0**-power)


def _outer(p: Pass, one: Bounded, zero: Bounded) -> Iterator[Lazy]:
    """Yᵀ log A and log A Yᵀ of rows: an (m, m) array, summed or not."""
    Y, m = p.Y, p.m
    if p.probe.m == 1 or one.shape[0] != 1:
        return
    outer = -(p.exact(Y).T @ one + p.exact(1 - Y).T @ zero) / m
    for value in (outer, outer.T, outer.sum()):
        yield "cost_outer_product", lambda value=value: value  # type: ignore[misc]
    none = p.exact(np.zeros(one.shape))
    for only, log, rest in ((Y, one, p.losses(none, zero)), (1 - Y, zero, p.losses(one, none))):
        yield "cost_outer_product", lambda o=only, g=log, r=rest: (r.sum() - (p.exact(o).T @ g).sum()) / m  # type: ignore[misc]


def _with_epsilon(p: Pass, A: Bounded, e: float) -> Iterator[Lazy]:
    """log(a + ε) and log(1 − a + ε), or a clamp."""
    m, of = p.m, p.of
    yield "epsilon_in_log", lambda: p.losses((A + e).log(), ((1 - A) + e).log()).sum() / m
    yield "epsilon_in_log", lambda: p.losses((A + e).log(), (1 - (A + e)).log()).sum() / m
    high = 1 - e
    clamped = Bounded(np.clip(A.value, e, high), A.error + of.u, of)
    yield "epsilon_in_log", lambda: p.losses(clamped.log(), (1 - clamped).log()).sum() / m
    above = Bounded(np.maximum(A.value, e), A.error, of)
    below = Bounded(np.maximum(1 - A.value, e), A.error + of.u, of)
    yield "epsilon_in_log", lambda: p.losses(above.log(), below.log()).sum() / m


def _of_dA(p: Pass, l: int) -> Iterator[Lazy]:
    """dA[l] = W[l+1]ᵀ dZ[l+1] with something else for W."""
    k = l + 1
    W, dZ = p[f"W{k}"], p[f"dZ{k}"]
    dW = p[f"dW{k}"]
    yield "dW_for_W", lambda: dW.T @ dZ
    yield "updated_W", lambda: (W - p.alpha * dW).T @ dZ
    yield "star_for_dot", lambda: W.T * dZ
    for other, mistake in _other_layers(p, k):
        yield mistake, lambda other=other: p[f"W{other}"].T @ dZ  # type: ignore[misc]


def _other_layers(p: Pass, l: int) -> Iterator[tuple[int, str]]:
    """The layers whose cache somebody takes for that of layer l."""
    if p.L > 2 and l < p.L and l != p.L - l and p.L - l >= 1:
        yield p.L - l, "caches_reversed"
    if p.L > 2 and l != p.L + 1 - l:
        yield p.L + 1 - l, "caches_reversed"
    for k in (l - 1 or p.L, l + 1):  # caches[−1] is the last one
        if k <= p.L and k != l:
            yield k, "off_by_one_layer"


def _of_dA_of_cost(p: Pass, l: int) -> Iterator[Lazy]:
    yield "dZ_sign", lambda: -p.dA_of_cost()
    m = p.probe.m
    A, Y = p[f"A{p.L}"].T, np.broadcast_to(p.Y, (m, m))
    if m > 1 and A.shape[1] == 1:
        square = Bounded(np.broadcast_to(A.value, Y.shape), A.error, A.of)
        dA = square.where(Y == 1, -(p.exact(1) / square), p.exact(1) / (1 - square))
        yield "rank_1_labels", lambda: dA
        yield "rank_1_labels", lambda: dA.T


def _of_output(p: Pass, l: int) -> Iterator[Lazy]:
    A, Y = p[f"A{l}"], p.Y
    right = A - Y
    yield "dZ_sign", lambda: -right
    for s in p.slopes(l):
        yield "extra_sigma_prime", lambda s=s: right * s  # type: ignore[misc]
    yield "dA_for_dZ", p.dA_of_cost
    if p.has(f"dA{l}"):
        yield "g_prime_of_A", lambda: p[f"dA{l}"] * slope(p.g[l - 1], A)
    if A.shape[1] > 1:
        yield "rank_1_labels", lambda: A.T - Y
        yield "rank_1_labels", lambda: A - Y.T


def _of_hidden(p: Pass, l: int) -> Iterator[Lazy]:
    dA = p[f"dA{l}"]
    A, Z, own = p[f"A{l}"], p[f"Z{l}"], p.g[l - 1]
    yield "missing_g_prime", lambda: dA
    if own == "sigmoid":  # a block that is handed dA does not know whether it is the output's
        yield "dA_for_dZ", lambda: dA
    yield "g_for_g_prime", lambda: dA * A
    yield "g_for_g_prime", lambda: dA * ACTIVATIONS[own](Z)
    if own in OF_A:
        yield "g_prime_of_A", lambda: dA * slope(own, A)
    if own != "sigmoid":
        yield "output_derivative", lambda: dA * sigmoid_slope(A)
        yield "output_derivative", lambda: dA * slope("sigmoid", Z)
    for other in ("tanh", "relu", "leaky_relu", "identity"):
        if other not in (own, "identity"):
            yield "other_derivative", lambda other=other: dA * slope(other, Z)  # type: ignore[misc]
            if other in OF_A:
                yield "other_derivative", lambda other=other: dA * OF_A[other](A)  # type: ignore[misc]
    yield "one_minus_Z_squared", lambda: dA * (1 - Z.square())
    yield "one_minus_Z_squared", lambda: dA * (Z * (1 - Z))
    for s in p.slopes(l):
        if own == "sigmoid":
            yield "extra_sigma_prime", lambda s=s: dA * s * s  # type: ignore[misc]
        if own not in BELOW:  # there it is g for g'
            yield "extra_factor_Z", lambda s=s: dA * s * Z  # type: ignore[misc]
        yield "dot_for_star", lambda s=s: dA @ s  # type: ignore[misc]
        yield "dot_for_star", lambda s=s: dA @ s.T  # type: ignore[misc]
        yield from _of_other_caches(p, l, s)


def _of_other_caches(p: Pass, l: int, s: Bounded) -> Iterator[Lazy]:
    """dA of another layer, or g' of another layer's Z."""
    for k, mistake in ((p.L - 1, "last_dA_reused"), (l + 1, "off_by_one_layer")):
        if l < k < p.L:
            yield mistake, lambda k=k: p[f"dA{k}"] * s  # type: ignore[misc]
    for k, mistake in _other_layers(p, l):
        yield mistake, lambda k=k: p[f"dA{l}"] * slope(p.g[l - 1], p[f"Z{k}"])  # type: ignore[misc]
        if p.g[l - 1] in OF_A:
            yield mistake, lambda k=k: p[f"dA{l}"] * OF_A[p.g[l - 1]](p[f"A{k}"])  # type: ignore[misc]


def _of_dW(p: Pass, l: int) -> Iterator[Lazy]:
    dZ, A, m = p[f"dZ{l}"], p[f"A{l - 1}"], p.m
    right = p.rights(f"dW{l}")[0]
    yield from _of_the_mean(p, right, (A.shape[0], p.probe.X.shape[0], dZ.shape[0]))
    yield "dW_transposed", lambda: right.T
    yield "star_for_dot", lambda: dZ * A.T / m
    yield "star_for_dot", lambda: dZ * A / m
    if p.probe.exercise == "logistic":  # there the sum is X dZᵀ
        yield "star_for_dot", lambda: (dZ * A / m).T
    for k in (l, l - 2):
        if 0 <= k <= p.L:
            yield "off_by_one_layer", lambda k=k: dZ @ p[f"A{k}"].T / m  # type: ignore[misc]
    for k, mistake in _other_layers(p, l):
        yield mistake, lambda k=k: dZ @ p[f"A{k - 1}"].T / m  # type: ignore[misc]
    yield "integer_arithmetic", lambda: _summed_in_integers(p, dZ, A)
    for end in {dZ.shape[1], m}:
        last = dZ.columns(end - 1, end) @ A.columns(end - 1, end).T
        yield "last_example_only", lambda last=last: last  # type: ignore[misc]
        yield "last_example_only", lambda last=last: last / m  # type: ignore[misc]


def _summed_in_integers(p: Pass, dZ: Bounded, A: Bounded) -> Bounded:
    """Σ dZ Aᵀ / m, cut off after every example, as in an array of integers."""
    total = np.zeros((dZ.shape[0], A.shape[0]), np.longdouble)
    for i in range(dZ.shape[1]):
        total = np.trunc(total + np.outer(dZ.value[:, i], A.value[:, i]))
    return p.exact(total) / p.m


def _of_the_mean(p: Pass, right: Bounded, sizes: tuple[int, ...]) -> Iterator[Lazy]:
    m = p.m
    yield "missing_1_over_m", lambda: right * m
    yield "twice_1_over_m", lambda: right / m
    for n in sizes:
        if n != m:
            yield "one_over_n", lambda n=n: right * m / n  # type: ignore[misc]


def _of_db(p: Pass, l: int) -> Iterator[Lazy]:
    dZ, m = p[f"dZ{l}"], p.m
    right = dZ.sum(axis=1) / m
    yield from _of_the_mean(p, right, (p[f"A{l - 1}"].shape[0], p.probe.X.shape[0], dZ.shape[0]))
    yield "db_wrong_axis", lambda: dZ.sum(axis=0) / m
    if dZ.shape[0] > 1:
        for total in (dZ.sum() / m, dZ.sum() / m / dZ.shape[0]):
            yield "db_sum_of_all", lambda total=total: total  # type: ignore[misc]
            yield "db_sum_of_all", lambda total=total: total + p.exact(np.zeros(right.shape))  # type: ignore[misc]
    if p.probe.exercise == "logistic":  # w has taken its step before db is computed
        A = sigmoid(affine(p["new_W1"], p["A0"], p["b1"]))
        yield "update_order", lambda: (A - p.Y).sum() / m
    yield "db_not_summed", lambda: dZ / m
    yield "db_not_summed", lambda: dZ
    yield from _of_last_column("db", dZ, m)


def _of_last_column(what: str, x: Bounded, m: int) -> Iterator[Lazy]:
    """The last example alone, divided by m or not; where m is wrong, the last that a loop comes to."""
    for end in {x.shape[1], m} if x.shape[1] > 1 else ():
        last = x.columns(end - 1, end)
        for value in (last.sum(), last.first_row().sum()) if what == "J" else (last,):
            yield "last_example_only", lambda value=value: value  # type: ignore[misc]
            yield "last_example_only", lambda value=value: value / m  # type: ignore[misc]


def _of_update(p: Pass, parameter: str) -> Iterator[Lazy]:
    value, gradient = p[parameter], p[f"d{parameter}"]
    yield "update_plus", lambda: value + p.alpha * gradient
    yield "update_without_alpha", lambda: value - gradient
    yield "update_alpha_over_m", lambda: value - p.alpha * gradient / p.m
