"""The learners' files by themselves, without the grader: each planted mistake computes something else than its base."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

from parity.grade.catalogue import CATALOGUE
from parity.grade.probes import Probe, probes
from reference import deep_network, logistic_regression
from tests.learners import PLANTED, Planted
from tests.learners.drive import Results, executed, harvested, played, same
from tests.learners.planted import base, substituted, twice
from tests.learners.right import RIGHT, Right


@cache
def right(name: str, probe: int, dtype: str) -> Results:
    return played(base(name), probes(name.split("_")[0], dtype)[probe])


def differs(entry: Planted, dtype: str) -> bool:
    """Whether there is a probe on which the planted file does something else than its base."""
    text = entry.text
    return any(
        not same(played(text, probe), right(entry.base, i, dtype))
        for i, probe in enumerate(probes(entry.exercise, dtype))
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("exercise", ["logistic", "shallow", "deep"])
def test_every_planted_mistake_shows_on_a_probe(exercise: str, dtype: str) -> None:
    entries = [entry for entry in PLANTED if entry.exercise == exercise and dtype in entry.dtypes]
    assert not [str(entry) for entry in entries if not differs(entry, dtype)]


def test_an_exchange_that_changes_nothing_is_no_mistake() -> None:
    assert not differs(Planted("missing_1_over_m", "dW2", "shallow_course", (("A1.T) / m", "A1.T) / (m)"),)), "float64")


def test_every_entry_of_the_catalogue_is_planted_wherever_it_can_be_made() -> None:
    wanted = {(c.id, exercise, names) for c in CATALOGUE for exercise in c.exercises for names in ("course", "own")}
    assert {(entry.mistake, entry.exercise, entry.names) for entry in PLANTED} == wanted


def test_no_two_entries_have_the_same_name_or_text() -> None:
    assert not twice(PLANTED)
    assert len({entry.text for entry in PLANTED}) == len(PLANTED)


def test_a_text_that_does_not_occur_once_is_refused() -> None:
    for text in ("dW = 1", "db = 1, db = 1"):
        with pytest.raises(ValueError, match="occurs"):
            substituted(text, [("db = 1", "db = 2")])


def wanted(probe: Probe, dtype: str, hidden: str) -> dict[str, np.ndarray]:
    """J and the gradients by the reference."""
    params = {name: np.asarray(p, dtype) for name, p in probe.params.items()}
    X, Y = probe.X.astype(dtype), probe.Y.astype(dtype)
    if probe.exercise == "logistic":
        J, grads = logistic_regression.cost_and_gradients(params, X, Y)
    else:
        activations = tuple(hidden or name for name in probe.activations[:-1]) + probe.activations[-1:]
        J, grads = deep_network.cost_and_gradients(params, X, Y, activations)
    return {"J": J, **grads}


def computed(file: Right, text: str, probe: Probe) -> dict[str, np.ndarray]:
    """J and the gradients by a learner's file."""
    if not file.calls:
        return harvested(played(text, probe))
    space = executed(text)
    space |= {"params": dict(probe.params), "X": probe.X, "Y": probe.Y}
    J, grads = eval(file.calls, space)
    found = grads if J is None else {"J": J, **grads}
    return {name: np.asarray(value.detach() if file.framework == "torch" else value) for name, value in found.items()}


def worse_than_float32(file: Right, text: str, probe: Probe) -> list[str]:
    """The quantities in which a float64 file is further from the reference than the reference in float32 is."""
    found, reference, coarse = computed(file, text, probe), *(wanted(probe, d, file.hidden) for d in ACCURACIES)
    assert {"db", "db1"} & set(found), "no gradients were found"
    sizes = {name: np.size(reference[name]) for name in found}
    return [
        name
        for name, value in found.items()
        if np.size(value) != sizes[name]
        or np.max(np.abs(np.reshape(value, -1) - np.reshape(reference[name], -1)))
        > np.max(np.abs(np.reshape(coarse[name], -1) - np.reshape(reference[name], -1)))
    ]


ACCURACIES = ("float64", "float32")


@pytest.mark.parametrize("file", RIGHT, ids=str)
def test_right_files_are_right(file: Right) -> None:
    if find_spec(file.framework) is None:
        pytest.skip(f"{file.framework} is not installed")
    if "float32" in file.notes:
        pytest.skip("computed in float32: as far from the reference as float32 is")
    text = file.text.replace("plt.", "None and plt.")
    for exercise in file.exercises:
        assert not worse_than_float32(file, text, probes(exercise, "float64")[0])
