"""Every step is held to the exact step from the implementation's own parameters, and faults are seen at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import pytest

from parity.errors import BadInput
from parity.implementations import Implementation, find
from parity.implementations.reference import Reference
from parity.names import BUILT_IN
from parity.problems import catalogue
from parity.training import Descent, Params, steps
from parity.training.steps import descend, take
from parity.training.trail import Stretch, Trail
from parity.training.verify import Witnessed, witness
from tests.inline import inline  # noqa: F401
from tests.shared import place

REAL = ("breast_cancer_logistic", "flower", "wine_deep")
TRAINING = tuple(name for name in catalogue.GROUPS["exact"] if catalogue.build(name).iterations)
TRAINERS = ("reference", "reference-tuned", "torch-eager", "torch-compile", "jax-eager", "jax-jit", "sklearn-mlp")

Update = Callable[[int, Params, Params, float], Params]
"""The next parameters from the step's number, the parameters, the gradients and α."""


def by_hand(descent: Descent, update: Update) -> tuple[Params, np.ndarray]:
    """A trail of reference's costs and gradients with an update of one's own."""
    problem = descent.problem
    module = import_module(f"reference.{problem.model}")
    _, X, Y = problem.inputs(descent.dtype)
    passed, costs = [dict(descent.start)], []
    for step in range(descent.iterations):
        J, grads = module.cost_and_gradients(passed[-1], X, Y, **problem.options)
        passed.append(update(step, passed[-1], grads, X.dtype.type(problem.learning_rate)))
        costs.append(J)
    return {name: np.stack([p[name] for p in passed]) for name in descent.start}, np.array(costs)


def right(step: int, params: Params, grads: Params, alpha: float) -> Params:
    return {name: p - alpha * grads[f"d{name}"] for name, p in params.items()}


def seen(descent: Descent, update: Update) -> Witnessed:
    return witness(descent, "numpy", 0, *by_hand(descent, update))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("problem", REAL)
def test_right_steps_are_inside(problem: str, dtype: str) -> None:
    found = seen(Descent(catalogue.build(problem), 5, dtype), right)
    assert found.outside is None
    assert np.all((found.share > 0) & (found.share < 1))
    assert found.nearest is not None
    assert found.nearest.worst.inside


@pytest.mark.parametrize("problem", REAL)
def test_a_learning_rate_off_by_a_billionth_is_seen_at_its_first_step(problem: str) -> None:
    def off(step: int, params: Params, grads: Params, alpha: float) -> Params:
        return right(step, params, grads, alpha * (1 + 1e-9) if step >= 2 else alpha)

    found = seen(Descent(catalogue.build(problem), 5), off)
    assert found.outside == 2
    assert found.nearest is not None
    assert found.nearest.quantity.startswith("new_")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("problem", REAL)
def test_a_gradient_late_by_one_step_is_seen_at_its_first_step(problem: str, dtype: str) -> None:
    last: list[Params] = []

    def late(step: int, params: Params, grads: Params, alpha: float) -> Params:
        last.append(grads)
        return right(step, params, last[-2] if step >= 1 else grads, alpha)

    assert seen(Descent(catalogue.build(problem), 4, dtype), late).outside == 1


def test_a_cost_that_is_not_that_of_the_parameters_is_seen() -> None:
    descent = Descent(catalogue.build("flower"), 3)
    params, costs = by_hand(descent, right)
    found = witness(descent, "numpy", 0, params, np.roll(costs, 1))
    assert (found.outside, found.nearest and found.nearest.quantity) == (0, "J")


def test_a_step_without_a_cost_is_held_to_its_parameters() -> None:
    descent = Descent(catalogue.build("flower"), 3)
    params, costs = by_hand(descent, right)
    found = witness(descent, "numpy", 0, params, np.full(3, np.nan))
    assert found.outside is None
    assert np.array_equal(found.values.astype(np.float32), costs.astype(np.float32))


def test_the_errors_of_the_steps_are_what_was_rounded() -> None:
    """A known amount, added to one element of one step, is the error of that step and of no other."""
    descent, amount = Descent(catalogue.build("wine_deep"), 3), 2.0**-20

    def nudged(step: int, params: Params, grads: Params, alpha: float) -> Params:
        new = right(step, params, grads, alpha)
        if step == 1:
            new["W2"] = new["W2"].copy()
            new["W2"][1, 2] += amount
        return new

    plain, found = seen(descent, right), seen(descent, nudged)
    difference = found.errors["W2"][1] - plain.errors["W2"][1]
    assert np.round(difference / amount).sum() == 1
    assert np.round(difference[1, 2] / amount) == 1
    assert np.array_equal(found.errors["W2"][0], plain.errors["W2"][0])


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("problem", TRAINING)
def test_exact_training_is_the_very_step_in_every_bit(problem: str, dtype: str) -> None:
    of = catalogue.build(problem)
    if dtype not in of.dtypes:
        pytest.skip("not exact in this format")
    descent = Descent(of, of.iterations, dtype)
    assert descent.exact
    params, costs = by_hand(descent, right)
    assert witness(descent, "numpy", 0, params, costs).outside is None
    name = next(iter(params))
    at = (descent.iterations, *(0,) * (params[name].ndim - 1))
    params[name][at] = np.nextafter(params[name][at], params[name].dtype.type(np.inf))
    assert witness(descent, "numpy", 0, params, costs).outside == descent.iterations - 1


def test_more_steps_than_are_proven_exact_are_held_to_a_bound() -> None:
    of = catalogue.build(TRAINING[0])
    assert Descent(of, of.iterations).exact
    assert not Descent(of, of.iterations + 1).exact
    assert not Descent(of, of.iterations, batch_size=2).exact


@pytest.mark.parametrize("name", TRAINERS)
def test_an_implementation_takes_the_steps(name: str) -> None:
    """One stretch in this process, verified, and the same bits from its own loop over all steps."""
    if reason := place(name).missing:
        pytest.skip(reason)
    descent = Descent(catalogue.build("flower"), 3)
    stretch = take(descent, name, descent.start, 0)
    assert (stretch.failed, stretch.diverged) == ("", "")
    assert 1 <= len(stretch.costs) <= 3
    found = witness(descent, find(name).framework, 0, stretch.params, stretch.costs)
    assert (found.outside, found.unbounded) == (None, "")


@pytest.mark.parametrize("name", TRAINERS)
def test_an_implementation_trains_exactly_to_the_bit(name: str) -> None:
    """Eight steps of the deep network, in the format with the least room."""
    if reason := place(name).missing:
        pytest.skip(reason)
    of = catalogue.build("deep_training")
    descent = Descent(of, of.iterations, "float32")
    trail = Trail.starting(name, descent, None)
    while trail.steps < descent.iterations:
        stretch = take(descent, name, trail.at(-1), trail.steps)
        assert (stretch.failed, stretch.diverged) == ("", "")
        trail.extend(stretch)
    found = witness(descent, find(name).framework, 0, trail.params, trail.costs)
    assert found.outside is None
    assert not np.any(found.share)


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - set(TRAINERS)))
def test_the_others_say_why_they_do_not_train(name: str) -> None:
    reason = find(name).refuses_training(Descent(catalogue.build("flower"), 3))
    assert reason
    assert "\n" not in reason


@pytest.mark.parametrize("batch_size", [None, 32])
def test_all_frameworks_side_by_side(batch_size: int | None) -> None:
    """Processes, stretches and witnesses come together to whole trails; in one go each gives the same bits."""
    names = tuple(n for n in ("reference", "torch-eager", "jax-jit", "sklearn-loss") if not place(n).missing)
    descent = Descent(catalogue.build("breast_cancer_logistic"), 40, batch_size=batch_size)
    trails, stopped = descend(names, descent, {})
    assert not stopped
    for trail in trails:
        if trail.implementation == "sklearn-loss":
            assert trail.skipped
            continue
        assert trail.right
        assert trail.whole
        assert (trail.steps, len(trail.share), trail.one_go) == (40, 40, True)
        assert all(errors.shape == trail.params[name][1:].shape for name, errors in trail.errors.items())


@pytest.mark.usefixtures("inline")
def test_a_trail_goes_on_where_a_checkpoint_has_it() -> None:
    descent = Descent(catalogue.build("flower"), 30)
    (whole,), _ = descend(("reference",), descent, {})
    (begun,), _ = descend(("reference",), Descent(descent.problem, 11), {})
    (resumed,), _ = descend(("reference",), descent, {"reference": begun.reached})
    assert (resumed.first, resumed.steps) == (11, 30)
    assert np.array_equal(resumed.costs, whole.costs)
    assert all(np.array_equal(resumed.params[name][-1], p[-1]) for name, p in whole.params.items())


@pytest.mark.usefixtures("inline")
def test_a_descent_that_diverges_stops_with_what_is_not_finite() -> None:
    descent = Descent(replace(catalogue.build("breast_cancer_deep"), learning_rate=1e10), 50)
    (trail,), _ = descend(("reference",), descent, {})
    assert trail.diverged
    assert not trail.failed
    assert trail.steps < 50
    assert trail.outside is None  # every step up to there was right
    assert len(trail.share) == trail.steps - 1


def test_what_an_implementation_raises_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(*_: object, **__: object) -> None:
        raise RuntimeError("no such\nthing")

    monkeypatch.setattr("reference.shallow_network.train", raising)
    descent = Descent(catalogue.build("flower"), 3)
    assert take(descent, "reference", descent.start, 0).failed == "RuntimeError: no such thing"


def test_verdicts_that_come_in_another_order_are_put_in_theirs() -> None:
    from parity.training.steps import _Run

    descent = Descent(catalogue.build("flower"), 4)
    params, costs = by_hand(descent, right)
    trail = Trail.starting("reference", descent, None)
    trail.extend(Stretch(params, costs))
    run = _Run(descent, {"reference": trail}, {}, None, lambda *_: None)  # type: ignore[arg-type]
    parts = [
        witness(descent, "numpy", i, {n: p[i : i + 3] for n, p in params.items()}, costs[i : i + 2]) for i in (0, 2)
    ]
    run._judged("reference", parts[1])
    assert not trail.whole
    run._judged("reference", parts[0])
    assert trail.whole
    assert np.array_equal(trail.share, np.concatenate([part.share for part in parts]))


def _die(*_: object) -> None:
    os._exit(3)


def test_an_implementation_whose_process_dies_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "take", _die)
    (trail,), stopped = descend(("reference",), Descent(catalogue.build("flower"), 3), {})
    assert (trail.failed, trail.right, stopped) == ("its process died", False, False)


@pytest.mark.parametrize("iterations", [1, 3 * steps.MOST_STEPS])
def test_without_a_witness_there_is_no_report(iterations: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It dies after the last step, or while others are taken."""
    monkeypatch.setattr(steps, "witness", _die)
    with pytest.raises(BadInput, match="a process that verifies steps died"):
        descend(("reference",), Descent(catalogue.build("flower"), iterations), {})


class Planted(Reference):
    """The reference with another `train`, and a loop of its own."""

    name, framework = "planted", "numpy"
    yields: ClassVar[Callable[[Params, np.ndarray], Iterator[object]]]

    def train(self, descent: Descent, params: Params, first: int, steps: int) -> Iterator[Any]:
        for new, J in super().train(descent, params, first, steps):
            yield from type(self).yields(new, J)


def planted(monkeypatch: pytest.MonkeyPatch, implementation: Implementation) -> Trail:
    """The trail of an implementation that is not registered, three steps in this process."""
    monkeypatch.setattr(steps, "find", lambda name: implementation)
    descent = Descent(catalogue.build("breast_cancer_logistic"), 3, "float32")
    stretch = take(descent, "planted", descent.start, 0)
    trail = Trail.starting("planted", descent, None)
    trail.extend(stretch)
    return trail


@pytest.mark.parametrize(
    ("yields", "said"),
    [
        (lambda new, J: iter([]), "train made no step"),
        (lambda new, J: [({"w": new["w"]}, J)], "train yielded w, expected w, b"),
        (lambda new, J: [(None, J)], "train yielded a NoneType, expected w, b"),
        (
            lambda new, J: [(new | {"w": new["w"].T}, J)],
            "train yielded w as float32 of shape (1, 30), expected float32",
        ),
        (lambda new, J: [(new | {"w": new["w"].astype(float)}, J)], "train yielded w as float64 of shape (30, 1)"),
        (lambda new, J: [(new | {"b": 0.5}, J)], "train yielded b as a float, expected float32 of shape ()"),
        (lambda new, J: [(new, J.astype(float))], "train yielded J as float64 of shape ()"),
        (lambda new, J: [(new, J[None])], "train yielded J as float32 of shape (1,)"),
        (lambda new, J: [new], "train yielded a str, expected w, b"),
        (lambda new, J: sys.exit(3), "SystemExit: 3"),
    ],
)
def test_what_a_third_party_yields_is_checked(
    yields: Callable[..., Iterator[object]], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Planted, "yields", yields, raising=False)
    trail = planted(monkeypatch, Planted())
    assert said in trail.failed
    assert (trail.steps, trail.right) == (0, False)


def test_no_more_steps_are_taken_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Planted, "yields", lambda new, J: [(new, J)] * 5, raising=False)
    assert planted(monkeypatch, Planted()).steps == 3


def test_one_that_cannot_say_whether_it_trains_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Confused(Reference):
        def refuses_training(self, descent: Descent) -> str | None:
            raise KeyError("what")

    monkeypatch.setattr(steps, "find", lambda name: Confused())
    assert steps.refusal("confused", Descent(catalogue.build("flower"), 3)) == "KeyError: 'what'"


def with_momentum(descent: Descent, params: Params) -> tuple[Params, np.ndarray]:
    """Right in the first step, as every one that begins anew is."""
    velocity = {name: np.zeros_like(p) for name, p in params.items()}

    def update(step: int, params: Params, grads: Params, alpha: float) -> Params:
        for name in params:
            velocity[name] = velocity[name] / 2 + grads[f"d{name}"]
        return {name: p - alpha * velocity[name] for name, p in params.items()}

    passed, costs = by_hand(replace_start(descent, params), update)
    return {name: p[-1] for name, p in passed.items()}, costs


def late(descent: Descent, params: Params) -> tuple[Params, np.ndarray]:
    """α is halved after 20 steps."""

    def update(step: int, params: Params, grads: Params, alpha: float) -> Params:
        return right(step, params, grads, alpha if step < 20 else alpha / 2)

    passed, costs = by_hand(replace_start(descent, params), update)
    return {name: p[-1] for name, p in passed.items()}, costs


def rounded(descent: Descent, params: Params) -> tuple[Params, np.ndarray]:
    """Other bits, and no fault: a gradient that is added in another order."""

    def update(step: int, params: Params, grads: Params, alpha: float) -> Params:
        return {name: np.nextafter(p - alpha * grads[f"d{name}"], np.inf) for name, p in params.items()}

    passed, costs = by_hand(replace_start(descent, params), update)
    return {name: p[-1] for name, p in passed.items()}, costs


def leaving(descent: Descent, params: Params) -> tuple[Params, np.ndarray]:
    raise SystemExit(0)


def replace_start(descent: Descent, params: Params) -> Descent:
    return replace(descent, problem=replace(descent.problem, params=params))


@pytest.mark.usefixtures("inline")  # no other process knows it
@pytest.mark.parametrize(("loop", "wrong"), [(with_momentum, 1), (late, 32), (rounded, None), (leaving, None)])
def test_a_loop_of_ones_own_is_looked_into_where_its_bits_differ(
    loop: Callable[[Descent, Params], tuple[Params, np.ndarray]], wrong: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Looped(Reference):
        def train_in_one_go(self, descent: Descent, params: Params) -> tuple[Params, np.ndarray] | None:
            return loop(descent, params)

    monkeypatch.setattr(steps, "find", lambda name: Looped())
    (trail,), _ = descend(("reference",), Descent(catalogue.build("wine_logistic"), 40), {})
    assert (trail.one_go, trail.outside) == (None if loop is leaving else False, None)
    assert (trail.wrong_in_one_go.step if trail.wrong_in_one_go else None) == wrong
    assert trail.right == (wrong is None)
