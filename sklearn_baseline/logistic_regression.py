"""Logistic regression (slides N3–N5, N11) as scikit-learn computes it, at two depths.

    `cost_and_gradients`    J, dw and db at any w, b: the loss classes behind LogisticRegression
    `fit`                   the minimum over w and b of J + ‖w‖² / (2 C m), by LogisticRegression; C = ∞: of J alone

LogisticRegression minimises C · Σ loss + ½ ‖w‖²; its Newton and quasi-Newton solvers divide that by C m. At the minimum

    dw + w / (C m) = 0        db = 0

which is where a gradient derived by hand can be held against scikit-learn's optimum (`stationarity`), up to what the
solver promises (`promise`). Without a penalty there is no minimum when a hyperplane separates the classes
(`is_separable`): J falls for ever, and a solver stops where the gradient is small enough.

scikit-learn has one example a row, the notes one a column. Shapes: w (n_x, 1), b (), X (n_x, m), Y (1, m).
"""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array
from scipy.linalg import LinAlgWarning
from scipy.optimize import linprog
from sklearn.linear_model import LogisticRegression

try:  # private: they may move in any release
    from sklearn._loss.loss import HalfBinomialLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss
except ImportError as error:
    _MISSING: str | None = f"scikit-learn's private loss classes are not where they were in 1.9: {error}"
else:
    _MISSING = None

Params = dict[str, Array]


def loss_classes_unavailable() -> str | None:
    """Why `cost_and_gradients` cannot run with the scikit-learn that is installed, in one line; None if it can."""
    return _MISSING


def cost_and_gradients(
    params: Params, X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]
) -> tuple[Float[Array, ""], Params]:
    """J with {"dw": ∂J/∂w (n_x, 1), "db": ∂J/∂b ()} at any w and b (N4, N11), by HalfBinomialLoss in LinearModelLoss.

    float32 stays float32, float64 stays float64; scikit-learn has no other dtype. Within float32 the loss and a − y of
    an example are computed in float64 and rounded; products and sums are float32. a − y is divided by m *before* it is
    multiplied by X and summed, where the notes divide last: the same bits only where m is a power of two. ‖w‖² is
    computed even without a penalty: once it overflows, NumPy warns and J is nan.

    Raises
    ------
    ImportError
        The private loss classes are missing (`loss_classes_unavailable`).
    """
    if reason := loss_classes_unavailable():
        raise ImportError(reason)
    loss = LinearModelLoss(base_loss=HalfBinomialLoss(), fit_intercept=True)
    coef = np.append(params["w"], params["b"])  # the intercept is last
    J, gradient = loss.loss_gradient(coef, X.T, np.ascontiguousarray(Y[0]), l2_reg_strength=0.0, n_threads=1)
    return np.asarray(J, X.dtype), {"dw": gradient[:-1, None], "db": np.asarray(gradient[-1])}


def promise(solver: str, tol: float) -> float:
    """The largest size of any element of `stationarity` at a solution that `fit` returns.

    Each of the three solvers that `fit` accepts stops when no element of the gradient of J + ‖w‖² / (2 C m) is larger
    than tol. Read in scikit-learn 1.9.1:

    newton-cholesky
        `NewtonSolver.check_convergence`: max |gradient| ≤ tol, and half the squared Newton decrement ≤ tol. Every
        other exit warns, but for one: a step that is no descent hands over to lbfgs in silence.
    newton-cg
        `_newton_cg`: max |gradient| ≤ tol. Every other exit warns.
    lbfgs
        gtol = tol, but *also* ftol = 64 ε: stop once a step lowers the objective f by no more than 64 ε max(1, f). That
        exit counts as success and promises nothing about the gradient. With tol = 1e-10 it came first on most real
        data, at gradients between 5e-10 and 3e-6.

    So `fit` evaluates the gradient once more, from LogisticRegression's own probabilities, and refuses what does not
    keep the promise. What remains is rounding: a second evaluation at the same w may differ by what it and this one
    round.

    Raises
    ------
    ValueError
        The solver stops by another rule: sag and saga by the change of the weights, liblinear by a gradient relative to
        the first one, with the intercept penalised.
    """
    if solver not in ("newton-cholesky", "newton-cg", "lbfgs"):
        raise ValueError(f"solver is {solver!r}, which promises nothing about this gradient: use 'newton-cholesky'")
    return tol


def stationarity(params: Params, grads: Params, m: int, C: float) -> Params:
    """{"dw": dw + w / (C m), "db": db}: what vanishes at LogisticRegression's optimum, from grads = {"dw": …, "db": …}.

    The intercept is not penalised.
    """
    return {"dw": grads["dw"] + params["w"] / (float(C) * m), "db": grads["db"]}


def fit(
    X: Float[Array, "n_x m"],
    Y: Float[Array, "1 m"],
    C: float = np.inf,
    solver: str = "newton-cholesky",
    tol: float = 1e-10,
    max_iter: int = 100,
) -> Params:
    """LogisticRegression's optimum: {"w": (n_x, 1), "b": ()} at which no element of `stationarity` exceeds tol.

    float32 stays float32; a tol below what float32 resolves (about 1e-7) is then refused as not converged.

    Raises
    ------
    RuntimeError
        It did not converge: the solver warned, or its own probabilities give a gradient larger than `promise`.
    ValueError
        Y holds one class only, or the solver promises nothing.
    """
    promised = promise(solver, tol)
    model = LogisticRegression(C=C, solver=solver, tol=tol, max_iter=max_iter)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # ConvergenceWarning, and newton-cg's "Line Search failed"
            warnings.simplefilter("error", LinAlgWarning)  # newton-cholesky, before it falls back to lbfgs
            model.fit(X.T, Y[0])
    except (UserWarning, LinAlgWarning) as warning:
        reason = str(warning).splitlines()[0]
        raise RuntimeError(f"LogisticRegression(C={C}, solver={solver!r}) did not converge: {reason}") from warning
    params = {"w": model.coef_.T.copy(), "b": np.asarray(model.intercept_[0])}
    dZ = model.predict_proba(X.T)[:, 1] - Y[0]
    residual = stationarity(params, {"dw": (X @ dZ)[:, None] / dZ.size, "db": dZ.mean()}, dZ.size, C)
    largest = max(np.max(np.abs(element)) for element in residual.values())
    if not largest <= promised:
        reason = f"its largest gradient is {largest:.2g}, above tol = {tol:.2g}"
        raise RuntimeError(f"LogisticRegression(C={C}, solver={solver!r}) did not converge: {reason}")
    return params


def is_separable(X: Float[Array, "n_x m"], Y: Float[Array, "1 m"]) -> bool:
    """Whether J has no minimum without a penalty: some hyperplane has no example on its wrong side, and not all on it.

    That covers complete separation (no example on the hyperplane), quasi-complete separation (some on it) and a single
    class. With s = 1 for y = 1 and −1 for y = 0, the linear program

        maximise Σ d   over w, b   with   0 ≤ d ≤ 1   for each example's d = s (wᵀx + b)

    has the optimum 0 when the classes overlap, and at least 1 when they do not, since w and b can be scaled until the
    largest d is 1: nothing lies between, so ½ decides. Features are first taken relative to the first example and
    scaled by powers of two, neither of which changes the answer. HiGHS lets d be as low as −1e-10, the smallest
    tolerance that it takes: classes that overlap by less than that part of the widest d count as separable.

    Raises
    ------
    RuntimeError
        HiGHS found no optimum.

    References
    ----------
    A. Albert and J. A. Anderson (1984), On the existence of maximum likelihood estimates in logistic regression
    models, Biometrika 71, 1–10. K. Konis (2007), Linear programming algorithms for detecting separated data in binary
    logistic regression models, DPhil thesis, Oxford.
    """
    n_x, m = X.shape
    shifted = X.astype(np.float64) - X[:, :1]
    _, exponents = np.frexp(np.max(np.abs(shifted), axis=1, keepdims=True))
    scaled = np.ldexp(shifted, -exponents)
    D = ((2 * Y - 1) * np.vstack([scaled, np.ones((1, m))])).T  # (m, n_x + 1): d = D [w, b]
    tolerance = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    result = linprog(
        c=-D.sum(axis=0),
        A_ub=np.vstack([-D, D]),
        b_ub=np.repeat([0.0, 1.0], m),
        bounds=(None, None),
        method="highs-ds",
        options=tolerance,
    )
    if result.status != 0:
        raise RuntimeError(f"separability of {n_x} features and {m} examples is undecided: {result.message}")
    return bool(-result.fun > 1 / 2)
