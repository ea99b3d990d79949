"""The shared fixtures: what every implementation is given.

A `Problem` is frozen and holds float64 arrays that cannot be written to. Its `inputs` in another format are rounded
once, here, so that every implementation gets the same bits. The catalogue in `parity.problems.catalogue` finds a
problem by its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from parity.formats import FORMATS

NETWORKS = ("logistic_regression", "shallow_network", "deep_network")
MODELS = ("derivatives", "computation_graph", "activations", *NETWORKS)
"""The models in the order of the notes; the last three have parameters, a cost and labels."""

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "leaky_relu_exact", "identity")
FLOATS = ("float64", "float32")


@dataclass(frozen=True, eq=False)
class Problem:
    """Inputs, parameters and labels of one model, in the notes' names and shapes.

    Attributes
    ----------
    name, model, group : str
        Its name in the catalogue; one of `MODELS`; one of exact, real, notes, edge, data.
    params : mapping
        {"w": (n_x, 1), "b": ()} or {"W1": (n[1], n[0]), "b1": (n[1], 1), …}; {"a": (), "b": (), "c": ()} for the
        computation graph; empty for functions of one number.
    X : (n_x, m)
        One example a column; for functions of one number the points at which they are taken, (1, m).
    Y : (n_y, m)
        Labels, 0 or 1; (0, m) where a model has none.
    activations : tuple of str
        One name a layer; empty for models without layers.
    learning_rate : float or None
        α of the update that follows the gradients; None where no update is compared.
    iterations : int
        0 for one forward and backward pass and one update; else the number of steps of gradient descent.
    dtypes : tuple of str
        The formats in which it is used.
    exact : bool
        Whether every correct implementation must give the same bits (`parity.problems.exact` proves it).
    source, note : str
        Where the numbers come from; what the problem is for, with the convention that holds in it.
    """

    name: str
    model: str
    group: str
    X: np.ndarray
    Y: np.ndarray
    params: Mapping[str, np.ndarray] = field(default_factory=dict)
    activations: tuple[str, ...] = ()
    learning_rate: float | None = 0.5
    iterations: int = 0
    dtypes: tuple[str, ...] = FLOATS
    exact: bool = False
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType({k: _frozen(v) for k, v in self.params.items()}))
        object.__setattr__(self, "X", _frozen(self.X))
        object.__setattr__(self, "Y", _frozen(self.Y))
        check(self)

    def __reduce__(self) -> tuple[Callable[..., Problem], tuple[object, ...]]:
        """Pickled by its fields, for a mapping proxy is not."""
        values = (getattr(self, f.name) for f in fields(self))
        return Problem, tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)

    @property
    def m(self) -> int:
        """The number of examples."""
        return self.X.shape[1]

    @property
    def layers(self) -> tuple[int, ...]:
        """(n[0], …, n[L]) of a network."""
        rows = [p.shape[1 if name == "w" else 0] for name, p in self.params.items() if name[0] in "Ww"]
        return (self.X.shape[0], *rows)

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """What the functions of its model take beside params, X and Y."""
        return {"activations": self.activations} if self.model in ("shallow_network", "deep_network") else {}

    def inputs(self, dtype: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """params, X and Y rounded to nearest in `dtype`, read-only."""
        to = FORMATS[dtype].dtype
        if to == np.float64:
            return dict(self.params), self.X, self.Y  # frozen before
        return {k: _frozen(v, to) for k, v in self.params.items()}, _frozen(self.X, to), _frozen(self.Y, to)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides the values, as 16 hexadecimal digits."""
        digest = hashlib.sha256()
        arrays = {"X": self.X, "Y": self.Y, **self.params}
        for name, array in arrays.items():
            digest.update(f"{name}{array.shape}".encode())
            digest.update(array.data.cast("B") if array.size else b"")
        for f in fields(self):
            if f.name in ("model", "activations", "learning_rate", "iterations"):
                digest.update(f"{f.name}={getattr(self, f.name)!r};".encode())
        return digest.hexdigest()[:16]


def _frozen(array: np.ndarray, dtype: np.dtype | type = np.float64) -> np.ndarray:
    """A read-only copy in C order; an array that is one already, and owns what it holds, as it is."""
    if type(array) is np.ndarray and array.dtype == dtype and _is_frozen(array.flags):
        return array
    copy = np.array(array, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


def _is_frozen(flags: Any) -> bool:
    return bool(flags.owndata and flags.c_contiguous and not flags.writeable)


def check(problem: Problem) -> None:
    """Raise ValueError, naming the argument, where a problem's parts do not fit each other (N12, N21)."""
    if problem.model not in MODELS:
        raise ValueError(f"model is {problem.model!r}, expected one of {', '.join(MODELS)}")
    unknown = [d for d in problem.dtypes if d not in FORMATS]
    if unknown:
        raise ValueError(f"dtypes holds {unknown[0]!r}, expected some of {', '.join(FORMATS)}")
    if problem.X.ndim != 2 or 0 in problem.X.shape:
        raise ValueError(f"X has shape {problem.X.shape}, expected (n_x, m) with n_x, m ≥ 1: one example a column")
    for name, array in {"X": problem.X, "Y": problem.Y, **problem.params}.items():
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{name} holds a value that is not finite")
    if problem.model in NETWORKS:
        _check_network(problem)


def _check_network(problem: Problem) -> None:
    expected: dict[str, tuple[int, ...]]
    if problem.model == "logistic_regression":
        L, expected = 1, {"w": (problem.X.shape[0], 1), "b": ()}
        n_y = 1
    else:
        L = len(problem.params) // 2
        sizes = [problem.X.shape[0]]
        expected = {}
        for l in range(1, L + 1):
            W = problem.params.get(f"W{l}", np.empty(0))
            n = W.shape[0] if W.ndim == 2 else 0
            expected |= {f"W{l}": (n, sizes[-1]), f"b{l}": (n, 1)}
            sizes.append(n)
        n_y = sizes[-1]
    if not L or list(problem.params) != list(expected):
        held, wanted = ", ".join(problem.params) or "nothing", ", ".join(expected) or "W1, b1, …, WL, bL"
        raise ValueError(f"params holds {held}, expected {wanted}")
    for name, shape in expected.items():
        if problem.params[name].shape != shape:
            raise ValueError(f"{name} has shape {problem.params[name].shape}, expected {shape}")
    if problem.Y.shape != (n_y, problem.m):
        why = ": a rank-1 array is no row, and A − Y would broadcast to (m, m)" if problem.Y.ndim == 1 else ""
        raise ValueError(f"Y has shape {problem.Y.shape}, expected {(n_y, problem.m)}{why}")
    if not np.all((problem.Y == 0) | (problem.Y == 1)):
        raise ValueError("Y holds a label other than 0 and 1")
    if len(problem.activations) != L or problem.activations[-1:] != ("sigmoid",):
        raise ValueError(f"activations is {problem.activations}, expected {L} names with a sigmoid last")
    unknown = [g for g in problem.activations if g not in ACTIVATIONS]
    if unknown:
        raise ValueError(f"activations holds {unknown[0]!r}, expected some of {', '.join(ACTIVATIONS)}")
    if problem.model == "shallow_network" and L != 2:
        raise ValueError(f"a shallow network has 2 layers, params holds {L}")
