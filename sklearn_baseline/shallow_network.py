"""One step of gradient descent by MLPClassifier (slides N18, N23), for any number of hidden layers, none included.

    W[l] := W[l] − α dW[l]        b[l] := b[l] − α db[l]        l = 1..L

MLPClassifier keeps its gradients to itself; what its public interface shows is the step. With solver="sgd", no penalty,
no momentum and one batch of all m examples, `partial_fit` is exactly one such step.

Its `loss_` is not J: it clips the probabilities at ε and 1 − ε, so that a saturated unit costs 36.04 (float64) or 15.94
(float32) where J has |z|. The step is not touched by that, since its backward pass starts from a − y. Hence `loss_` is
compared with nothing. It squares every weight, too, and NumPy warns where that overflows.

scikit-learn has one example a row and W[l] as (n[l−1], n[l]). Shapes here are the notes': W[l] (n[l], n[l−1]),
b[l] (n[l], 1), X (n[0], m), Y (n[L], m).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array
from sklearn.neural_network import MLPClassifier

Params = dict[str, Array]
Activations = tuple[str, ...]

HIDDEN = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "identity": "identity"}


def unsupported(activations: Activations, dtype: np.dtype | type | str = np.float64) -> str | None:
    """Why MLPClassifier cannot take this network, in one line; None if it can."""
    *hidden, output = activations
    if output != "sigmoid":
        return f"MLPClassifier has a sigmoid output for labels 0 and 1, not {output}"
    if len(set(hidden)) > 1:
        return f"MLPClassifier has one activation for all hidden layers, not {', '.join(hidden)}"
    if hidden and hidden[0] not in HIDDEN:
        return f"MLPClassifier has no activation {hidden[0]}, only {', '.join(HIDDEN)}"
    if str(np.dtype(dtype)) not in ("float32", "float64"):
        return f"MLPClassifier computes in float32 and float64, not in {np.dtype(dtype)}"
    return None


def step(
    params: Params,
    X: Float[Array, "n_x m"],
    Y: Float[Array, "n_y m"],
    learning_rate: float,
    activations: Activations = ("tanh", "sigmoid"),
) -> Params:
    """The parameters after one step from `params` (N18, N23).

    n_y > 1 is scikit-learn's multilabel problem: n_y independent sigmoid units, as in the notes.

    The public way to a model with given weights is to let it allocate its own and to replace them. The first
    `partial_fit` does that on inputs that are all 0, so that no data can make it overflow; what it leaves in the
    optimizer is multiplied by the momentum, 0. The update is then 0 − α dW, added to W. It changes the sign of a zero
    in W where dW = 0: −0 becomes +0.

    Raises
    ------
    ValueError
        MLPClassifier cannot take this network (`unsupported`), or the step left the finite numbers.
    """
    if reason := unsupported(activations, X.dtype):
        raise ValueError(reason)
    layers = range(1, len(activations) + 1)
    n_y, m = Y.shape
    model = MLPClassifier(
        hidden_layer_sizes=tuple(params[f"W{l}"].shape[0] for l in layers[:-1]),
        activation=HIDDEN[activations[0]],  # with L = 1 there is no hidden layer, and it is not used
        solver="sgd",
        alpha=0,
        momentum=0,
        nesterovs_momentum=False,
        batch_size=m,
        shuffle=False,
        learning_rate_init=float(learning_rate),
        random_state=0,  # draws the weights that are replaced
    )
    labels, classes = (Y[0], [0, 1]) if n_y == 1 else (Y.T, np.arange(n_y))
    model.partial_fit(np.zeros_like(X.T), labels, classes=classes)
    model.coefs_ = [params[f"W{l}"].T.copy() for l in layers]  # copies: the step is made in place
    model.intercepts_ = [params[f"b{l}"][:, 0].copy() for l in layers]
    model.partial_fit(X.T, labels)
    W = {f"W{l}": coef.T for l, coef in zip(layers, model.coefs_, strict=True)}
    b = {f"b{l}": intercept[:, None] for l, intercept in zip(layers, model.intercepts_, strict=True)}
    return {name: (W | b)[name] for name in params}
