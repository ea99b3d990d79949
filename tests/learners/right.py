"""Right files in different manners, and what is noted of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.learners.planted import BASES

FOLDER = Path(__file__).parent / "right"

INCIDENTAL = frozenset({"cost_from_probabilities", "dA_from_probabilities", "overflow_warning", "scalar_db"})
"""Notes that most files have: of what happens to them at ±800, and of the functions that they do not have."""


@dataclass(frozen=True)
class Right:
    """A right file.

    Attributes
    ----------
    name : str
        Of the file, which begins with its exercise.
    notes : tuple of str
        Keys of `parity.grade.catalogue.CONVENTIONS` that are said of it, the incidental ones left out.
    framework : str
        numpy, torch or jax.
    calls : str
        How it is called in plain Python, where its functions are not the course's or this project's with their
        arguments: an expression of params, X and Y for (J or None, gradients).
    hidden : str
        The activation of its hidden layers, where it is not the exercise's.
    graded : str
        Quantities that are known to be right, where it is not called in plain Python.
    """

    name: str
    notes: tuple[str, ...] = ()
    framework: str = "numpy"
    calls: str = ""
    hidden: str = ""
    graded: str = ""

    @property
    def path(self) -> Path:
        """Where it is."""
        folder = BASES if (BASES / f"{self.name}.py.txt").exists() else FOLDER
        return folder / f"{self.name}.{'ipynb' if self.name.endswith('notebook') else 'py'}.txt"

    @property
    def text(self) -> str:
        """Its Python; of a notebook, what there is of it without magics."""
        text = self.path.read_text(encoding="utf-8")
        if ".ipynb" not in self.path.suffixes:
            return text
        cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        return "\n".join(line for cell in cells for line in cell.splitlines() if not line.startswith(tuple("%!?")))

    @property
    def exercises(self) -> tuple[str, ...]:
        """What it solves."""
        return tuple(exercise for exercise in ("logistic", "shallow", "deep") if exercise in self.name.split("_"))

    def __str__(self) -> str:
        return self.name


TORCH = "{name: torch.tensor(p) for name, p in params.items()}, torch.tensor(X), torch.tensor(Y)"
STEP = '{"d" + name: params[name] - new[name] for name in params}'
INLINE = f"(lambda new, costs: (costs[0], {STEP}))(*train(params, X, Y, 1.0, 1))"

RIGHT: tuple[Right, ...] = (
    *(Right(f"{exercise}_{names}") for exercise in ("logistic", "shallow", "deep") for names in ("course", "own")),
    Right("logistic_loop_course"),
    Right("logistic_loop_own"),
    Right("logistic_inline_own", calls=INLINE),
    Right(
        "shallow_inline_course",
        calls="(globals().update(initialize_parameters=lambda *_: params), "
        f"(lambda new: (None, {STEP}))(nn_model(X, Y, 1, 1, 1.0)))[1]",
    ),
    Right("shallow_inline_own", calls=INLINE),
    Right("deep_tanh_course", ("hidden_activation",), hidden="tanh"),
    Right("deep_tanh_own", ("hidden_activation",), hidden="tanh"),
    Right(
        "deep_inline_course",
        calls="(globals().update(initialize_parameters_deep=lambda _: dict(params)),"
        f"(lambda new, costs: (costs[0], {STEP}))(*L_layer_model(X, Y, [1] * 5, 1.0, 1)))[1]",
    ),
    Right("deep_inline_own", calls=INLINE),
    Right("logistic_one_expression"),
    Right("logistic_mean"),
    Right("logistic_math"),
    Right("logistic_expit", ("threshold_at_half",)),
    Right(
        "logistic_rows",
        ("rows",),
        calls='propagate(params["w"], params["b"], X.T, Y.T)[::-1]',
    ),
    Right("logistic_float32", ("float32",)),
    Right(
        "logistic_class",
        calls="(lambda net: (net.__dict__.update(params), net.cost(X, Y), net.gradients(X, Y))[1:])"
        "(LogisticRegression(len(X)))",
    ),
    Right("logistic_torch_backward", framework="torch", calls=f"(cost({TORCH}), gradients({TORCH}))"),
    Right("logistic_jax_grad", framework="jax"),
    Right("logistic_and_shallow"),
    Right("logistic_notebook"),
    Right("shallow_einsum"),
    Right("shallow_kept_apart"),
    Right("shallow_tuple_cache"),
    Right("shallow_list_cache"),
    Right(
        "shallow_class",
        calls="(lambda net: (net.__dict__.update(params), net.compute_cost(net.forward(X), Y), net.backward(X, Y),"
        ' {"d" + name: getattr(net, "d" + name) for name in params})[1::2])(ShallowNetwork(1, 1, 1))',
    ),
    Right(
        "shallow_class_params",
        calls="(lambda net: (net.__dict__.update(params=params), net.cost(X, Y), net.gradients(X, Y))[1:])(Net(1, 1))",
    ),
    Right("shallow_one_expression"),
    Right("shallow_float32", ("float32",)),
    Right("shallow_dZ_over_m", ("dZ_over_m",)),
    Right(
        "shallow_rows",
        ("rows",),
        calls="(lambda p: (cost(p, X.T, Y.T), {k: g.T for k, g in backward(p, forward(p, X.T)[1], X.T, Y.T).items()}))"
        "({name: p.T for name, p in params.items()})",
    ),
    Right("shallow_relu", ("hidden_activation",), hidden="relu"),
    Right("shallow_by_example"),
    Right("shallow_stable"),
    Right("shallow_deepcopy"),
    Right(
        "shallow_torch_by_hand",
        framework="torch",
        calls=f"(lambda p, X, Y: (cost(p, X, Y), backward(p, forward(p, X)[1], X, Y)))({TORCH})",
    ),
    Right("shallow_torch_grad", framework="torch", calls=f"(cost({TORCH}), gradients({TORCH}))"),
    Right("shallow_jax_by_hand", framework="jax"),
    Right("shallow_jax_grad", framework="jax"),
    Right("shallow_notebook"),
    Right("deep_relu_half", ("kink",)),
    Right("deep_relu_one", ("kink",)),
    Right(
        "deep_activations",
        calls='(lambda *of: (cost(*of), gradients(*of)))(params, X, Y, ("relu", "relu", "relu", "sigmoid"))',
    ),
    Right("deep_he", ("other_scale",)),
    Right("deep_loops"),
    Right(
        "deep_class",
        calls="(lambda net: (net.__dict__.update(params=params), net.cost(X, Y), net.gradients(X, Y))[1:])"
        "(DeepNetwork([1, 1, 1, 1, 1]))",
    ),
    Right("deep_leaky", ("hidden_activation",), hidden="leaky_relu"),
    Right(
        "deep_torch_by_hand",
        framework="torch",
        calls=f"(lambda p, X, Y: (lambda AL, c: (compute_cost(AL, Y), L_model_backward(AL, Y, c)))"
        f"(*L_model_forward(X, p)))({TORCH})",
    ),
    Right("deep_torch_backward", framework="torch", calls=f"(cost({TORCH}), gradients({TORCH}))"),
    Right("deep_jax_grad", framework="jax"),
)

LOGISTIC, SHALLOW = "m Z A J dw db", "m Z1 A1 Z2 A2 dZ2 dW2 db2 dZ1 dW1 db1"
DEEP = " ".join(f"{kind}{l}" for l in range(1, 5) for kind in ("Z", "A", "dW", "db"))

AS_PUBLISHED: tuple[Right, ...] = (
    Right("logistic_asserts", graded=f"{LOGISTIC} new_w new_b costs predictions"),
    Right("logistic_class_state", graded="m A J dw db new_w new_b"),
    Right("logistic_fit", ("rows",)),
    Right("logistic_keywords", graded=f"{LOGISTIC} update"),
    Right("logistic_masks", graded=LOGISTIC.replace("Z", "Z dZ")),
    Right("logistic_one_axis", ("rows",), graded="m A J dw db update"),
    Right("logistic_batches", ("rows",), graded="m J dw db"),
    Right("shallow_asserts", graded=f"{SHALLOW} J new_W1 new_b1 update"),
    Right("shallow_values", graded=f"{SHALLOW} J new_W1 new_b2"),
    Right("shallow_rows_class", ("rows",), graded=f"{SHALLOW} J"),
    Right("shallow_counted_from_2", ("rows",), graded="A1 A2 J dZ2 dW2 db2 dZ1 dW1 db1 new_W1 new_b2"),
    Right("shallow_small_letters", graded=f"{SHALLOW} J new_W1 new_b2"),
    Right("shallow_named_tuple", graded=SHALLOW),
    Right("shallow_lists", graded="m Z1 A1 Z2 A2 dW2 db2 dW1 db1"),
    Right("shallow_in_place", ("dZ_over_m",), graded="Z1 A1 Z2 A2 dZ2 dW2 db2 dZ1 dW1 db1"),
    Right("shallow_double_star", graded=SHALLOW),
    Right("shallow_torch_module", framework="torch", graded="Z1 A1 Z2 A2 J"),
    Right("softmax", graded="relu relu'"),
    Right("deep_dA_behind", ("hidden_activation",), graded=f"{DEEP} J dA0 dA3 new_W1"),
    Right("deep_no_dZ", graded=f"{DEEP} J dA0 dA3 new_W1 update"),
    Right("deep_three_layers", graded="Z3 A3 J dZ3 dW3 db3 dA2 dZ2 dW2 db2 dA1 dZ1 dW1 db1 new_W3"),
    Right("deep_nabla", ("other_scale",), graded=f"{DEEP} new_W1 new_b4"),
    Right("deep_memory", graded=f"{DEEP} J new_W1 new_b4"),
    Right("deep_rows_class", ("rows", "dZ_over_m"), graded=DEEP),
    Right("deep_torch_logits", framework="torch", graded="Z4 J dW1 db1 dW4 db4 new_W1"),
)
"""In manners of public copies, books and homework that have functions with arguments of their own."""
