"""What the pages on derivatives, logistic regression and vectorisation say of the frameworks is so."""

from __future__ import annotations

import importlib
import tomllib
import warnings
from typing import Any

import numpy as np
import pytest

from parity.problems.notes import ad_clicks, house_prices
from parity.study.registry import FORMULAS
from reference import derivatives, logistic_regression

BLOCKS: dict[str, dict[str, Any]] = {
    f"{chapter}.{block['name']}": block
    for chapter in ("derivatives", "logistic", "vectorisation")
    for block in tomllib.loads((FORMULAS / f"{chapter}.toml").read_text(encoding="utf-8"))["block"]
}

FRAMEWORKS = {"torch_impl": "torch", "jax_impl": "jax.numpy"}


@pytest.mark.parametrize("package", FRAMEWORKS)
@pytest.mark.parametrize(("z", "y"), [(40.0, 1.0), (40.0, 0.0), (-800.0, 1.0), (-800.0, 0.0)])
def test_dz_through_da_is_nan_where_the_one_by_hand_is_right(package: str, z: float, y: float) -> None:
    """Said in logistic.dz; in float32 a is 0 or 1 there."""
    xp = pytest.importorskip(FRAMEWORKS[package])
    module = importlib.import_module(f"{package}.logistic_regression")
    w, b, x, label = (np.array(value, np.float32) for value in ([[z]], 0, [[1]], y))
    found = module.derivatives_of_one_example(*(xp.asarray(array) for array in (w, b, x, label)))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_hand = logistic_regression.derivatives_of_one_example(w, b, x, label)
    assert np.isnan(float(found["dz"]))
    assert by_hand["dz"] == (z > 0) - y


@pytest.mark.parametrize("problem", [house_prices(), ad_clicks()], ids=["house_prices", "ad_clicks"])
def test_a_line_separates_the_classes_of_both_tables(problem: Any) -> None:
    """Said in logistic.optimum: so there are no numbers, and the weights grow for as long as a solver goes on."""
    baseline = pytest.importorskip("sklearn_baseline.logistic_regression")
    assert baseline.is_separable(problem.X, problem.Y)
    once, far = (baseline.fit(problem.X, problem.Y, tol=tol) for tol in (1e-4, 1e-10))
    assert np.linalg.norm(far["w"]) > np.linalg.norm(once["w"])


def test_scikit_learn_flattens_a_column_of_labels_and_refuses_a_rank_1_table() -> None:
    """Said in vectorisation.column and vectorisation.transpose."""
    model = pytest.importorskip("sklearn.linear_model").LogisticRegression()
    X, Y = np.array([[0.0], [1.0], [0.5], [2.0]]), np.array([[0], [1], [1], [0]])
    with pytest.warns(UserWarning, match="column-vector y"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="Expected 2D array"):
        model.fit(X[:, 0], Y[:, 0])


def test_torch_warns_of_the_transpose_of_a_rank_1_tensor_and_its_dot_refuses_columns() -> None:
    """Said in vectorisation.transpose and vectorisation.dot."""
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")  # torch says it once in a process, unless it is told to repeat itself
        torch.set_warn_always(True)
        try:
            assert tuple(torch.ones(3).T.shape) == (3,)
        finally:
            torch.set_warn_always(False)
    assert any("deprecated" in str(warning.message) for warning in told)
    with pytest.raises(RuntimeError, match="1D tensors expected"):
        torch.dot(torch.ones(3, 1), torch.ones(3, 1))


def test_the_nudges_that_are_shown_miss_the_slope_by_da_and_by_nothing() -> None:
    """Said in derivatives.nudge: by da for the square, by 0 for 3a."""
    for live, miss in zip(BLOCKS["derivatives.nudge"]["live"], (1, 0), strict=True):
        name, a, da = (live["arguments"][key] for key in ("name", "a", "da"))
        points = np.array(a)
        assert np.all(derivatives.nudge(name, points, da) - derivatives.slope(name, points) == miss * da)


def test_db_of_the_trap_is_m_times_too_large() -> None:
    """Said in vectorisation.subtract, whose numbers these are."""
    A, Y = (np.array(BLOCKS["vectorisation.subtract"]["live"][0]["arguments"][name]) for name in "AY")
    m = Y.size
    assert (A - Y).shape == (m, m)
    assert np.sum(A - Y) / m == m * (np.sum(A[:, 0] - Y) / m) != 0
