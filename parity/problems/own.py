"""A user's own file as problems: the three models on its standardised features."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from parity.errors import BadInput, printable
from parity.problems import Problem
from parity.problems.data import read
from parity.problems.parameters import standardise
from parity.problems.real import Hidden, Labelled, on

HIDDEN: dict[str, Hidden] = {
    "logistic_regression": (),
    "shallow_network": ((4, "tanh"),),
    "deep_network": ((5, "relu"), (3, "tanh")),
}


def problems(path: str | Path, target: str) -> list[Problem]:
    """One problem a model on the file's table.

    Raises
    ------
    BadInput
        The file cannot be used, or no feature can be standardised.
    """
    table = read(path, target)
    with np.errstate(all="ignore"):
        X, deviation = standardise(table.X), table.X.std(axis=1)
    if not np.all(np.isfinite(deviation)) or not np.all(np.isfinite(X)):
        raise BadInput(f"{path}: the features are too small or too large to be standardised in float64: rescale them")
    if not len(X):
        raise BadInput(f"{path}: every feature is the same in all rows: there is nothing to learn from")
    stem = printable(Path(path).stem[:12]) or "data"
    data = partial(_labelled, X, table.Y, f"{printable(table.source)}, standardised")
    return [on(data, f"{stem}_{model.split('_')[0]}", model, hidden, group="data") for model, hidden in HIDDEN.items()]


def _labelled(X: np.ndarray, Y: np.ndarray, source: str) -> Labelled:
    return X, Y, source
