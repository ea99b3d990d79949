"""Prediction: the label is 1 where the probability is above ½.

The network's two units a layer mirror each other, (g(z), g(−z)), so that with any increasing g the logit is an odd and
increasing function of the first feature, and 0 at 0. Labels are held to the probabilities that the file's own forward
pass gives: what is wrong there is not wrong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from parity.grade.probes import ACTIVATIONS
from parity.grade.record import NO_VERDICT, Call, Function, Played, Value
from parity.grade.unit_calls import Caller, arguments, at_fault, first_array, line_of
from parity.grade.verdicts import Verdicts

FEATURE = np.array([2, 2.0**-12, -0.25, 0, -2, 0.0625, -(2.0**-12), 0.25, -0.0625])
"""Far from 0, near it, between, in no order; the logit is four times this where the units are linear."""

QUANTITY = "predictions"


def labels(caller: Caller, verdicts: Verdicts, roles: Mapping[str, Function], dtypes: Sequence[str]) -> None:
    """Judge `predict`, in columns or, where these do not fit, in rows."""
    function = roles.get("predict")
    if function is None:
        return
    first: Played | None = None
    for rows in (False, True):
        values = _values(verdicts.exercise, dtypes[0], rows)
        given = arguments(function, values)
        if given is None or "." in function.name:
            break
        calls = [Call(function.name, given)]
        forward = roles.get("forward")
        if forward is not None and (also := arguments(forward, values)) is not None:
            calls.append(Call(forward.name, also))
        played, *others = caller.one_each(calls)
        first = first or played
        if played is not None and played.trouble is None:
            _judge(verdicts, function, played, _probabilities(played, others, forward))
            return
    else:
        if first is not None:
            _raised(verdicts, function, first)
            return
    verdicts.open(QUANTITY)


def _raised(verdicts: Verdicts, function: Function, played: Played) -> None:
    """What a function below it raises is said where that one is judged."""
    trouble = played.trouble
    assert trouble is not None
    if trouble.kind in NO_VERDICT or at_fault(played, function):
        verdicts.raised(QUANTITY, played, function)
    else:
        verdicts.open(QUANTITY)


def _values(exercise: str, dtype: str, rows: bool) -> dict[str, Value]:
    """Parameters and X by what arguments may mean; all of them transposed for examples in rows."""
    X = np.concatenate([FEATURE[None, :], np.cos(np.arange(18.0)).reshape(2, 9)]).astype(dtype)
    params = _params(exercise, dtype)
    Y = (X[:1] > 0).astype(dtype)
    if rows:
        X, Y = X.T.copy(), Y.T.copy()
        params = {name: p if name in ("w", "b") else p.T.copy() for name, p in params.items()}
    activations = list(ACTIVATIONS[exercise])
    return {"X": X, "Y": Y, "params": params, "activations": activations, "verbose": False, **params}


def _params(exercise: str, dtype: str) -> dict[str, Value]:
    if exercise == "logistic":
        return {"w": np.array([[4.0], [0.0], [0.0]], dtype), "b": 0.0}
    L = len(ACTIVATIONS[exercise])
    mirrored = np.array([[1.0], [-1.0]], dtype)
    W = [mirrored * np.array([[1, 0, 0]], dtype), *[mirrored * mirrored.T] * (L - 2), 4 * mirrored.T]
    params: dict[str, Value] = {}
    for l in range(1, L + 1):
        params |= {f"W{l}": W[l - 1].copy(), f"b{l}": np.zeros((len(W[l - 1]), 1), dtype)}
    return params


def _probabilities(played: Played, others: Sequence[Played | None], forward: Function | None) -> np.ndarray | None:
    """The file's own, whatever they are worth; those of the right network where there are none to be seen.

    None where the file's own forward pass gives another number of them.
    """
    for other in others:
        if other is not None and other.trouble is None and (A := first_array(other.returned)) is not None:
            return A.reshape(-1) if A.size == FEATURE.size else None
    seen = [A for A in _seen(played, forward) if _likely(A)]
    return seen[-1].reshape(-1) if seen else 1 / (1 + np.exp(-4 * FEATURE))


def _seen(played: Played, forward: Function | None) -> Iterator[np.ndarray]:
    """What its local names were bound to, and what the forward pass gave inside of it."""
    for frame in played.frames:
        for bindings in frame.bindings.values():
            for binding in bindings:
                if (A := first_array(binding.value)) is not None:
                    yield A
    for frame in played.frames:
        if forward is not None and frame.function == forward.name and (A := first_array(frame.returned)) is not None:
            yield A


def _likely(A: np.ndarray | None) -> bool:
    """Whether these are probabilities, one an example, and no labels."""
    if A is None or A.size != FEATURE.size or A.dtype.kind != "f" or not np.all((A >= 0) & (A <= 1)):
        return False
    return bool(np.any((A > 0) & (A < 1)))


def _judge(verdicts: Verdicts, function: Function, played: Played, A: np.ndarray | None) -> None:
    found = first_array(played.returned)
    line = line_of(played.frames[0], found) if played.frames else None
    if played.returned is None:
        verdicts.wrong(QUANTITY, "not_returned", "nothing is returned", function, line=line)
    elif found is None or found.size == 1 or A is None:  # an accuracy, or what cannot be read
        verdicts.open(QUANTITY)
    elif found.size != A.size:
        symptom = f"the predictions have shape {found.shape}, should be {(1, A.size)}"
        verdicts.wrong(QUANTITY, None, symptom, function, line=line)
    else:
        _values_of(verdicts, function, found.reshape(-1), A, line)


def _values_of(verdicts: Verdicts, function: Function, found: np.ndarray, A: np.ndarray, line: int | None) -> None:
    """0 and 1, on the right sides of ½."""
    if not np.all((found == 0) | (found == 1)):
        probabilities = found.dtype.kind == "f" and bool(np.all((found >= 0) & (found <= 1)))
        symptom = "probabilities are returned" if probabilities else "other numbers than 0 and 1 are returned"
        mistake = "prediction_threshold" if probabilities else None
        verdicts.wrong(QUANTITY, mistake, symptom, function, line=line, shown=_shown(found, A, 0))
        return
    ones = found == 1
    wrong = (ones != (2 * A > 1)) & (2 * A != 1)
    if not wrong.any():
        verdicts.right(QUANTITY)
        if ones[2 * A == 1].any():
            verdicts.note("threshold_at_half", function, line)
        return
    mistake, symptom, guess = _cut(ones, A)
    shown = _shown(found, A, int(np.argmax(wrong)))
    verdicts.wrong(QUANTITY, mistake, symptom, function, line=line, shown=shown, guess=guess)


def _cut(ones: np.ndarray, A: np.ndarray) -> tuple[str | None, str, str]:
    """Another threshold, if the ones are all above the zeros."""
    if ones.all() or not ones.any():  # as with a threshold of 0 or 1
        return "prediction_threshold", f"every prediction is {int(ones[0])}", ""
    if A[ones].min() > A[~ones].max():
        symptom = f"probabilities of {A[~ones].max():.4g} and less are predicted as 0, of {A[ones].min():.4g} as 1"
        return "prediction_threshold", symptom, ""
    exchanged = A[~ones].min() > A[ones].max()
    return None, "labels are on the wrong side of ½", "0 and 1 exchanged" if exchanged else ""


def _shown(found: np.ndarray, A: np.ndarray, i: int) -> str:
    return f"example {i} has the probability {A[i]:.6g}, and its prediction is {found[i]:.6g}"
