"""scikit-learn at three depths: its loss at any w, one step of its network, the optimum of its solver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from parity.compare import BITS, DIFFERS, ROUNDING, Comparison, Standard, Worst
from parity.implementations import Call, Implementation, Quantities, only_one_step
from parity.problems import FLOATS, Problem
from parity.training import Descent


class Loss(Implementation):
    """Cost and gradient at the problem's own w and b."""

    name, framework, variant = "sklearn-loss", "sklearn", "loss"
    about = "scikit-learn, cost and gradient by the loss classes behind LogisticRegression"

    def unavailable(self) -> str | None:
        reason = super().unavailable()
        if reason:
            return reason
        from sklearn_baseline.logistic_regression import loss_classes_unavailable

        return loss_classes_unavailable()

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        if problem.model != "logistic_regression":
            return "computes logistic regression only"
        if problem.iterations:
            return "the loss classes do not train"
        if dtype not in FLOATS:
            return "scikit-learn computes in float64 and float32 only"
        w = problem.inputs(dtype)[0]["w"]
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.vdot(w, w))
        return None if finite else "scikit-learn computes ‖w‖² even without a penalty, and it overflows"

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        from sklearn_baseline.logistic_regression import cost_and_gradients

        J, grads = cost_and_gradients(*problem.inputs(dtype))
        return {"J": J, **grads}

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return only_one_step(work) or self.refuses(problem, dtype, device)

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        from sklearn_baseline.logistic_regression import cost_and_gradients

        return Call(partial(cost_and_gradients, *problem.inputs(dtype)), lambda found: {"J": found[0], **found[1]})


class OneStep(Implementation):
    """The parameters after one `partial_fit` of MLPClassifier."""

    name, framework, variant = "sklearn-mlp", "sklearn", "MLP"
    about = "scikit-learn, one step of MLPClassifier (its parameters afterwards)"

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        if problem.model not in ("shallow_network", "deep_network"):
            return "computes networks with hidden layers only"
        if problem.learning_rate is None:
            return "shows nothing but an update, and this problem compares none"
        if problem.iterations:
            return "makes one step, and does not train"
        if len(set(problem.activations[:-1])) > 1:
            return "MLPClassifier has one activation for all hidden layers"
        from sklearn_baseline.shallow_network import unsupported

        return unsupported(problem.activations, problem.inputs(dtype)[1].dtype)

    def refuses_training(self, descent: Descent) -> str | None:
        return self.refuses(replace(descent.problem, iterations=0), descent.dtype, descent.device)

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        from sklearn_baseline.shallow_network import step

        assert problem.learning_rate is not None
        new = step(*problem.inputs(dtype), problem.learning_rate, problem.activations)
        return {"new_" + name: p for name, p in new.items()}

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return self.refuses(problem, dtype, device) if work == "train" else "shows nothing but an update"

    def prepare(self, work: str, problem: Problem, dtype: str, device: str, steps: int = 1) -> Call:
        """A model is made anew for every step: no other way to given weights is public."""
        from sklearn_baseline.shallow_network import step

        assert problem.learning_rate is not None
        params, X, Y = problem.inputs(dtype)
        take = partial(step, learning_rate=problem.learning_rate, activations=problem.activations)

        def run() -> Quantities:
            at = params
            for _ in range(steps):
                at = take(at, X, Y)
            return at

        return Call(run, lambda found: {"new_" + name: p for name, p in found.items()})


class Optimum(Implementation):
    """LogisticRegression's optimum: the hand-derived gradient is zero there, to what the solver promises.

    With C = 1 on every problem, and without a penalty (C = ∞) where the classes are not separable and the solver
    finds a single optimum.
    """

    name, framework, variant = "sklearn-optimum", "sklearn", "opt"
    about = "scikit-learn, the hand-derived gradient at LogisticRegression's optimum"

    SOLVER, TOL = "newton-cholesky", 1e-10
    PENALTIES: ClassVar[dict[str, float]] = {"C=1": 1.0, "C=inf": np.inf}

    def refuses(self, problem: Problem, dtype: str, device: str) -> str | None:
        if problem.model != "logistic_regression":
            return "computes logistic regression only"
        if problem.group not in ("real", "data"):
            return "an optimum is looked for on data, not on a problem made for one pass"
        return None if dtype == "float64" else f"{dtype} does not resolve the solver's tol of {self.TOL}"

    def refuses_training(self, descent: Descent) -> str | None:
        return "its solver is Newton's method, not gradient descent"

    def refuses_work(self, work: str, problem: Problem, dtype: str, device: str) -> str | None:
        return "its solver is Newton's method, not gradient descent"

    def quantities(self, problem: Problem, dtype: str, device: str) -> Quantities:
        """The solutions w and b under each penalty."""
        from sklearn_baseline.logistic_regression import fit, is_separable

        _, X, Y = problem.inputs(dtype)
        found: Quantities = {}
        for label, C in self.PENALTIES.items():
            if C == np.inf and is_separable(X, Y):
                continue
            try:
                solution = fit(X, Y, C, self.SOLVER, self.TOL)
            except RuntimeError:  # the solver says that it did not converge, and so promises nothing
                if C != np.inf:
                    raise
                continue  # without a penalty collinear features have no single optimum
            found |= {f"{name} at {label}": p for name, p in solution.items()}
        return found

    def judge(self, standard: Standard, found: Quantities) -> Iterable[Comparison]:
        """dw + w/(C m) and db, hand-derived, against the promise and the rounding of their own evaluation."""
        for label, C in self.PENALTIES.items():
            if f"w at {label}" in found:
                params = {name: found[f"{name} at {label}"] for name in ("w", "b")}
                yield from self._residuals(replace(standard.problem, params=params), standard.fmt.name, label, C)

    def _residuals(self, at_optimum: Problem, dtype: str, label: str, C: float) -> Iterator[Comparison]:
        from reference.logistic_regression import gradients
        from sklearn_baseline.logistic_regression import promise, stationarity

        standard = Standard.of(at_optimum, dtype, "numpy")  # the gradient is the hand-derived one
        params, X, Y = at_optimum.inputs(dtype)
        residual = stationarity(params, gradients(params, X, Y), at_optimum.m, C)
        penalty = {"dw": np.abs(params["w"]) / (C * at_optimum.m), "db": np.zeros(())}
        for name, value in residual.items():
            own = standard.bounds[name] + 4 * standard.fmt.u * (np.abs(standard.exact[name].high) + penalty[name])
            yield _against_zero(f"{name} at {label}", value, promise(self.SOLVER, self.TOL) + 2 * own)


def _against_zero(quantity: str, value: Any, bound: np.ndarray) -> Comparison:
    """The verdict on what should vanish; there are no units in the last place of zero."""
    worst = Worst.of(np.asarray(value, np.float64), np.zeros(np.shape(value)), np.abs(value), bound)
    verdict = BITS if not np.any(value) else ROUNDING if worst.inside else DIFFERS
    looks_like = "not stationary" if verdict == DIFFERS else ""
    return Comparison(quantity, verdict, 0.0, 0.0, 0.0, worst, looks_like=looks_like)
