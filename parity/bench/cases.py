"""What is timed: models at the sizes where what limits them changes. This module imports nothing that computes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

WORKS = ("step", "train", "forward")
"""Forward, cost and backward on all examples; the whole loop of gradient descent, per step; the forward pass alone."""

AXES = ("m", "n", "depth")
"""What grows in a series of cases: the examples, the features, the layers."""

SHORT = {"logistic_regression": "logistic", "shallow_network": "shallow", "deep_network": "deep"}


@dataclass(frozen=True)
class Case:
    """A model at a size.

    Attributes
    ----------
    model : str
        As in `parity.problems.NETWORKS`.
    layers : tuple of int
        (n[0], …, n[L]).
    m : int
        Examples.
    activations : tuple of str
        One a layer.
    steps : int
        How many steps of gradient descent are timed together where training is.
    grows : str
        The axis of the series that it belongs to; empty for a case that stands for itself.
    """

    model: str
    layers: tuple[int, ...]
    m: int
    activations: tuple[str, ...]
    steps: int
    grows: str = ""

    @property
    def name(self) -> str:
        """shallow-2-4-1-m400; of a deep network with many layers of one width the first, their number and the last."""
        sizes = [str(n) for n in self.layers]
        if self.grows == "depth":
            sizes = [f"{self.layers[0]}x{len(self.layers) - 1}", sizes[-1]]
        return "-".join((SHORT[self.model], *sizes, f"m{self.m}"))

    @property
    def size(self) -> int:
        """What grows, as a number."""
        return {"m": self.m, "n": self.layers[0], "depth": len(self.layers) - 1}[self.grows]

    @property
    def weights(self) -> int:
        """The number of elements of all W."""
        return sum(n * n_prev for n_prev, n in pairwise(self.layers))

    def flops(self, work: str) -> int:
        """Additions and multiplications of the matrix products of one pass (or step): what no formula can leave out."""
        forward = 2 * self.m * self.weights
        backward = forward + 2 * self.m * (self.weights - self.layers[0] * self.layers[1])  # dW; W'dZ of hidden layers
        return forward if work == "forward" else forward + backward

    def bytes(self, work: str, itemsize: int) -> int:
        """What must be read or written at least once: X, Y and the parameters; their gradients, or A[L]."""
        params = self.weights + sum(self.layers[1:])
        n_y = self.layers[-1]
        outputs = n_y * self.m if work == "forward" else params + n_y * self.m  # Y is read, or A[L] written
        return itemsize * (self.layers[0] * self.m + params + outputs)


def _logistic(n: int, m: int, steps: int, grows: str = "") -> Case:
    return Case("logistic_regression", (n, 1), m, ("sigmoid",), steps, grows)


def _shallow(n_x: int, n_h: int, m: int, steps: int, grows: str = "") -> Case:
    return Case("shallow_network", (n_x, n_h, 1), m, ("tanh", "sigmoid"), steps, grows)


def _deep(layers: tuple[int, ...], m: int, steps: int, grows: str = "") -> Case:
    return Case("deep_network", layers, m, ("relu",) * (len(layers) - 2) + ("sigmoid",), steps, grows)


CASES: dict[str, Case] = {
    case.name: case
    for case in (
        _shallow(2, 4, 400, 200),
        _logistic(30, 569, 200),
        _deep((30, 20, 7, 1), 569, 200),
        _shallow(64, 128, 4096, 20),
        _deep((784, 256, 64, 1), 10_000, 3),
        _logistic(784, 60_000, 10),
        *(_shallow(2, 4, m, 100, "m") for m in (64, 256, 1024, 4096, 16_384, 65_536)),
        *(_logistic(n, 4096, 20, "n") for n in (16, 64, 256, 1024, 4096)),
        *(_deep((64,) * (L - 1) + (64, 1), 1024, 20, "depth") for L in (2, 3, 5, 9)),
    )
}
"""Every case by its name: those that stand for themselves from small to large, then the series."""

QUICK = ("shallow-2-4-1-m400", "logistic-784-1-m60000", "deep-784-256-64-1-m10000")
"""What `--quick` times: one case for each thing that can be the limit, calls, memory and arithmetic."""
