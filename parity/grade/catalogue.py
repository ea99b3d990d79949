"""The mistakes in words, and the conventions that are none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parity.grade.words import WORDS

LOGISTIC, SHALLOW, DEEP = "logistic", "shallow", "deep"
ALL = (LOGISTIC, SHALLOW, DEEP)
NETWORKS = (SHALLOW, DEEP)


@dataclass(frozen=True)
class Mistake:
    """One way to be wrong.

    Attributes
    ----------
    id : str
        What a program reads.
    title : str
        What a person reads, short: "1/m is missing".
    exercises : tuple of str
        Where it can be made and seen.
    of : tuple of str
        The kinds of quantities it is made in: m, Z, A, J, dZ, dA, dW, db, update, W, b (as initialised), costs (of
        training), predictions.
    symptom : str
        What one sees, without the mistake given away.
    formula, slide : str
        The right one, in the notes' symbols, and where it stands (N1–N25).
    why : str
        Why the formula has it so, one sentence.
    reference : (str, str)
        The function of the reference that has the line, and a piece of that line.
    general : bool
        The formula is that of the quantity itself, which `parity.grade.words.rule` has with the layer's number.
    """

    id: str
    title: str
    exercises: tuple[str, ...]
    of: tuple[str, ...]
    symptom: str = ""
    formula: str = ""
    slide: str = ""
    why: str = ""
    reference: tuple[str, str] = ("", "")
    general: bool = False


_MISTAKES: tuple[Mistake, ...] = (
    # the cost
    Mistake("cost_sign", "the cost without its minus", ALL, ("J",)),
    Mistake("cost_dropped_term", "a term of the cost is missing", ALL, ("J",)),
    Mistake("cost_outer_product", "an outer product where a sum belongs", ALL, ("J",)),
    Mistake("log_of_zero", "log(0): labels and probabilities exchanged", ALL, ("J",)),
    Mistake("epsilon_in_log", "an epsilon inside the log, or a clamp", ALL, ("J",)),
    Mistake("other_logarithm", "a logarithm to another base", ALL, ("J",)),
    Mistake("squared_error", "a squared error in place of the cross-entropy", ALL, ("J",)),
    # the mean over the examples
    Mistake("missing_1_over_m", "1/m is missing", ALL, ("J", "dW", "db")),
    Mistake("twice_1_over_m", "1/m twice", ALL, ("J", "dW", "db")),
    Mistake("one_over_n", "1/n in place of 1/m", ALL, ("J", "dW", "db")),
    Mistake("m_from_X_rows", "m is the number of features, X.shape[0]", ALL, ("m",)),
    Mistake("m_from_Y_rows", "m is the number of output units, Y.shape[0]", ALL, ("m",)),
    Mistake("last_example_only", "the last example alone", ALL, ("J", "dW", "db")),
    Mistake("accumulators_not_reset", "accumulators that are not reset", ALL, ("J", "dW", "db")),
    # forward
    Mistake("bias_missing", "the bias is missing", ALL, ("Z",)),
    Mistake("W_transposed", "W transposed in the forward pass", NETWORKS, ("Z",)),
    Mistake("star_for_dot", "∗ in place of a matrix product", ALL, ("Z", "dA", "dZ", "dW")),
    Mistake("exp_overflow", "an overflow of exp", ALL, ("A",)),
    Mistake("sigmoid_without_minus", "the sigmoid without its minus", ALL, ("A",)),
    Mistake("linear_hidden", "a linear hidden layer", NETWORKS, ("A",)),
    Mistake("tanh_at_output", "tanh in place of the sigmoid at the output", ALL, ("A",)),
    # backward, at the output
    Mistake("dZ_sign", "Y − A in place of A − Y", ALL, ("dZ",)),
    Mistake("extra_sigma_prime", "an extra factor σ'(Z)", ALL, ("dZ",)),
    Mistake("dA_for_dZ", "dA in place of dZ", ALL, ("dZ",)),
    Mistake("rank_1_labels", "labels of rank 1: A − Y has m rows", ALL, ("dZ",)),
    # backward, in a hidden layer
    Mistake("missing_g_prime", "g'(Z) is missing", NETWORKS, ("dZ",)),
    Mistake("g_for_g_prime", "g in place of g'", NETWORKS, ("dZ",)),
    Mistake("g_prime_of_A", "g' of A in place of g' of Z", NETWORKS, ("dZ",)),
    Mistake("other_derivative", "another activation's derivative", NETWORKS, ("dZ",)),
    Mistake("output_derivative", "the output's derivative, σ', in a hidden layer", NETWORKS, ("dZ",)),
    Mistake("one_minus_Z_squared", "1 − Z² in place of 1 − A²", NETWORKS, ("dZ",)),
    Mistake("extra_factor_Z", "an extra factor Z", NETWORKS, ("dZ",)),
    Mistake("dW_for_W", "dW in place of W", NETWORKS, ("dZ", "dA")),
    Mistake("updated_W", "W after its update in dZ", NETWORKS, ("dZ", "dA")),
    Mistake("dot_for_star", "a matrix product in place of ∗", NETWORKS, ("dZ",)),
    Mistake("last_dA_reused", "the dA of the layer behind, once more", (DEEP,), ("dZ",)),
    Mistake("caches_reversed", "caches in the reverse order", (DEEP,), ("dZ", "dW")),
    Mistake("off_by_one_layer", "off by one layer", NETWORKS, ("dZ", "dA", "dW")),
    # backward, the parameters
    Mistake("dW_transposed", "dW transposed", ALL, ("dW",)),
    Mistake("db_wrong_axis", "db summed over the units, not over the examples", NETWORKS, ("db",)),
    Mistake("db_sum_of_all", "db summed over everything", NETWORKS, ("db",)),
    Mistake("db_not_summed", "db not summed", ALL, ("db",)),
    Mistake("db_keepdims", "db lost its axis: keepdims", NETWORKS, ("db",)),
    # the update, and training
    Mistake("update_plus", "an update uphill: + in place of −", ALL, ("update",)),
    Mistake("update_without_alpha", "an update without α", ALL, ("update",)),
    Mistake("update_alpha_over_m", "an update with α/m", ALL, ("update",)),
    Mistake("update_order", "updates in the wrong order", ALL, ("update",)),
    Mistake("iterations_off_by_one", "the number of iterations is off by one", ALL, ("costs",)),
    # functions
    Mistake("inputs_mutated", "the function changes what it is given", ALL, ()),
    Mistake("not_returned", "a result is not returned", ALL, ()),
    Mistake("float32_arithmetic", "float32 inside float64", ALL, ("Z", "A", "J", "dZ", "dA", "dW", "db", "update")),
    Mistake(
        "integer_arithmetic", "integers where fractions belong", ALL, ("Z", "A", "J", "dZ", "dA", "dW", "db", "update")
    ),
    Mistake("prediction_threshold", "another threshold than ½ for the prediction", ALL, ("predictions",)),
    # initialisation
    Mistake("rand_for_randn", "rand in place of randn: all weights are positive", NETWORKS, ("W",)),
    Mistake("zero_weights", "zero weights", NETWORKS, ("W",)),
    Mistake("symmetric_weights", "symmetric weights: all units are the same", NETWORKS, ("W",)),
    Mistake("scale_missing", "the factor 0.01 is missing", NETWORKS, ("W",)),
    Mistake("scale_on_b", "random biases", NETWORKS, ("b",)),
)


def _in_words(mistake: Mistake) -> Mistake:
    words = WORDS["mistakes"][mistake.id]
    return replace(mistake, **{**words, "reference": tuple(words["reference"])})


CATALOGUE = tuple(_in_words(mistake) for mistake in _MISTAKES)

BY_ID = {mistake.id: mistake for mistake in CATALOGUE}

CONVENTIONS: dict[str, str] = {
    "dZ_over_m": "dZ already holds 1/m, and dW and db do not divide again",
    "rows": "one example is a row, not a column",
    "kink": "g'(0) of ReLU or leaky ReLU is another slope than that of the left side",
    "cost_from_probabilities": "the cost is computed from probabilities: inf or nan once one of them rounds to 0 or 1",
    "dA_from_probabilities": "dA = −Y/A + (1 − Y)/(1 − A) is inf once an A rounds to 0 or 1",
    "hidden_activation": "another hidden activation than the exercise's",
    "float32": "everything is computed in float32",
    "scalar_db": "db of a single unit is a number, not a (1, 1) array",
    "other_scale": "weights are scaled by 1/√n or √(2/n), not by 0.01",
    "threshold_at_half": "a probability of exactly ½ is predicted as 1",
    "overflow_warning": "exp overflows to inf, with a warning, where the result is right all the same",
    "statement_failed": "a statement at the top of the file failed; what it defines is missing",
}
"""Valid, and different from the notes; or left ungraded."""

VALID: dict[str, str] = WORDS["conventions"]
"""Why each of them is: one sentence."""

GROUPS: dict[str, tuple[str, ...]] = {title: tuple(names) for title, names in WORDS["groups"].items()}
"""The catalogue in order, under headings."""
