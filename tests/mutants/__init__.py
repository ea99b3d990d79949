"""Faults that are planted one at a time in the source under test: the witness must catch every one of them."""

from __future__ import annotations

from tests.mutants import (
    of_deep_network,
    of_functions,
    of_jax,
    of_logistic_regression,
    of_names,
    of_shallow_network,
    of_sklearn,
    of_thresholds,
    of_torch,
    of_tuned,
)
from tests.mutants.planting import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *of_functions.DERIVATIVES,
    *of_functions.COMPUTATION_GRAPH,
    *of_functions.ACTIVATIONS,
    *of_logistic_regression.FORWARD,
    *of_logistic_regression.COST,
    *of_logistic_regression.BACKWARD,
    *of_logistic_regression.UPDATE,
    *of_logistic_regression.LOOP,
    *of_shallow_network.FORWARD,
    *of_shallow_network.COST,
    *of_shallow_network.BACKWARD,
    *of_shallow_network.UPDATE,
    *of_shallow_network.LOOP,
    *of_deep_network.FORWARD,
    *of_deep_network.BACKWARD,
    *of_deep_network.UPDATE,
    *of_deep_network.LOOP,
    *of_tuned.LOGISTIC,
    *of_tuned.NETWORKS,
    *of_torch.ACTIVATIONS,
    *of_torch.LOGISTIC,
    *of_torch.SHALLOW,
    *of_torch.DEEP,
    *of_jax.ACTIVATIONS,
    *of_jax.LOGISTIC,
    *of_jax.SHALLOW,
    *of_jax.DEEP,
    *of_sklearn.LOSS,
    *of_sklearn.OPTIMUM,
    *of_sklearn.STEP,
    *of_thresholds.KINKS,
    *of_thresholds.COST,
    *of_thresholds.BACKWARD,
    *of_names.SINGLE_NUMBERS,
    *of_names.ARRAYS,
)
"""The catalogue, by model and then by package."""
