"""What is not a pass through a network: activation functions, initialisation, prediction, training, sizes of layers.

Each function is judged by itself and, where it builds on others of the file, by what those gave: a wrong gradient
is no mistake of the training loop that follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from parity.grade import unit_activations, unit_initialization, unit_prediction, unit_training
from parity.grade.record import Function, Room
from parity.grade.unit_calls import Caller
from parity.grade.verdicts import Units, Verdicts

__all__ = ["Units", "look"]

Roles = Mapping[str, Function]
Looker = Callable[[Caller, Verdicts, Roles, Sequence[str]], None]

NETWORK: tuple[Looker, ...] = (
    unit_activations.functions,
    unit_initialization.parameters,
    unit_initialization.sizes,
    unit_prediction.labels,
    unit_training.steps,
)

LOOKERS: dict[str, tuple[Looker, ...]] = {
    "logistic": NETWORK,
    "shallow": NETWORK,
    "deep": NETWORK,
    "activations": (unit_activations.functions, unit_activations.derivatives),
    "initialization": (unit_initialization.parameters,),
}


def look(room: Room, exercise: str, roles: Roles, dtypes: Sequence[str] = ("float64", "float32")) -> Units:
    """Judge the functions of an exercise that are no forward or backward pass.

    Parameters
    ----------
    room : Room
        Where the file is run.
    exercise : str
        One of `parity.grade.findings.EXERCISES`.
    roles : mapping
        The file's functions by what they are for: "sigmoid", "relu_derivative", "initialize", "layer_sizes",
        "predict", "train", and "forward", "gradients", "backward", "update", "cost", which are taken as they are.
    dtypes : sequence of str
        Of float64 and float32.
    """
    verdicts = Verdicts(exercise)
    caller = Caller(room)
    for looker in LOOKERS[exercise]:
        looker(caller, verdicts, roles, dtypes)
    return verdicts.units()
