"""Calls a learner's functions on a probe in plain Python, without the grader."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity.grade.probes import Probe

STEPS = 3
"""Of training: enough for a step more, a step less and a late one to show."""

Results = dict[str, Any]


def executed(text: str) -> dict[str, Any]:
    """What a file defines."""
    space: dict[str, Any] = {"__name__": "learner"}
    exec(compile(text, "learner.py", "exec"), space)
    return space


class Played:
    """The calls of a file's functions, and what became of them.

    Attributes
    ----------
    results : dict
        By function: what it returned, or the name of what it raised; "… given": its arguments afterwards.
    """

    def __init__(self, space: Mapping[str, Any]) -> None:
        self.space = space
        self.results: Results = {}

    def __call__(self, function: str, *arguments: Any, twice: bool = False) -> Any:
        """What the function returned; None where it is missing or raised."""
        if not callable(self.space.get(function)):
            return None
        found = None
        for label in (function, f"{function} again")[: 1 + twice]:
            given = copy.deepcopy(arguments)
            found = self._call(label, self.space[function], given)
            self.results[f"{label} given"] = given
        return found

    def _call(self, label: str, function: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        np.random.seed(1)
        try:
            found = function(*given)
        except Exception as error:
            self.results[label] = type(error).__name__
            return None
        self.results[label] = copy.deepcopy(found)
        return found


def played(text: str, probe: Probe) -> Results:
    """Every function of the file that is known, called on the probe."""
    play = Played(executed(text))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # exp overflows on the saturated probe, log(0) is taken
        of_course = {"logistic": _logistic, "shallow": _shallow, "deep": _deep}[probe.exercise]
        of_course(play, probe)
        _own(play, probe)
    return play.results


def _logistic(play: Played, probe: Probe) -> None:
    w, b = probe.params["w"], float(probe.params["b"])
    play("initialize_with_zeros", len(probe.X))
    play("propagate", w, b, probe.X, probe.Y, twice=True)
    play("optimize", w, b, probe.X, probe.Y, STEPS, probe.learning_rate)
    play("predict", *((w, b) if "propagate" in play.space else (dict(probe.params),)), probe.X)


def _shallow(play: Played, probe: Probe) -> None:
    params, X, Y, n_h = dict(probe.params), probe.X, probe.Y, len(probe.params["W1"])
    play("initialize_parameters", len(X), n_h, len(Y))
    A2, cache = _pair(play("forward_propagation", X, params))
    play("compute_cost", A2, Y, twice=True)
    grads = play("backward_propagation", params, cache, X, Y, twice=True)
    play("update_parameters", params, grads, probe.learning_rate)
    play("nn_model", X, Y, n_h, STEPS)
    play("predict", params, X)


def _deep(play: Played, probe: Probe) -> None:
    params, X, Y = dict(probe.params), probe.X, probe.Y
    layers = [len(X)] + [len(params[f"W{l}"]) for l in range(1, probe.L + 1)]
    play("initialize_parameters_deep", layers)
    AL, caches = _pair(play("L_model_forward", X, params))
    play("compute_cost", AL, Y, twice=True)
    grads = play("L_model_backward", AL, Y, caches, twice=True)
    play("relu_backward", np.ones_like(X), X)
    play("update_parameters", params, grads, probe.learning_rate)
    play("L_layer_model", X, Y, layers, probe.learning_rate, STEPS)
    play("predict", *((X, Y, params) if "L_model_forward" in play.space else (params, X)))


def _own(play: Played, probe: Probe) -> None:
    params, X, Y = dict(probe.params), probe.X, probe.Y
    layers = tuple([len(X)] + [len(params[f"W{l}"]) for l in range(1, probe.L + 1) if "W1" in params])
    play("random", layers, np.random.default_rng(1))
    _, cache = _pair(play("forward", params, X))
    play("cost", params, X, Y, twice=True)
    play("backward", *(() if "w" in params else (params,)), cache, X, Y, twice=True)
    grads = play("gradients", params, X, Y, twice=True)
    _, both = _pair(play("cost_and_gradients", params, X, Y, twice=True))
    play("update", params, both if grads is None else grads, probe.learning_rate)
    play("train", params, X, Y, probe.learning_rate, STEPS)


def _pair(found: Any) -> tuple[Any, Any]:
    """The two results of a function, or twice nothing."""
    return found if isinstance(found, tuple) and len(found) == 2 else (None, None)


def same(a: Any, b: Any) -> bool:
    """Whether two results are the same: values, shapes, dtypes and keys; nan is nan."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, str) or isinstance(b, str) or a is None or b is None:
        return type(a) is type(b) and bool(a == b)
    x, y = np.asarray(a), np.asarray(b)
    return x.dtype == y.dtype and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")


def harvested(results: Results) -> dict[str, np.ndarray]:
    """J and the gradients among the results."""
    found: dict[str, Any] = {}
    for label in ("propagate", "cost_and_gradients"):
        if isinstance(results.get(label), tuple):
            J, grads = sorted(results[label], key=lambda part: isinstance(part, dict))
            found |= {"J": J, **grads}
    for label in ("compute_cost", "cost"):
        if label in results:
            found["J"] = results[label]
    for label in ("backward_propagation", "L_model_backward", "backward", "gradients"):
        found |= results[label] if isinstance(results.get(label), dict) else {}
    return {name: value for name, value in found.items() if name == "J" or name.startswith(("dW", "db", "dw"))}
