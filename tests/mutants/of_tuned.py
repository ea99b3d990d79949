"""Faults in the tuned NumPy; those of its blocks, which no small problem has two of, are in tests/test_tuned.py."""

from __future__ import annotations

from tests.mutants.planting import FAILS, Mutant, faults_in

_tuned = faults_in("reference", "tuned.py", "reference-tuned")

LOGISTIC: tuple[Mutant, ...] = (
    _tuned(
        "tuned: b not halved",
        "np.multiply(self.b, self.constants.half, self.b)",
        "np.multiply(self.b, self.constants.one, self.b)",
        "breast_cancer_logistic",
        "A",
    ),
    _tuned("tuned: dw twice as large", "dw, self.constants.twice_m", "dw, self.m", "logistic_exact", "dw"),
    _tuned("tuned: db twice as large", "db, self.constants.twice_m", "db, self.m", "logistic_exact", "db"),
    _tuned("tuned: 1 − y for 1 − 2y", "1 - 2 * Y", "1 - Y", "logistic_exact", "J", "float32"),
    _tuned(
        "tuned: log(1 + e^−|h|)",
        "np.multiply(spare, c.minus_two, spare)",
        "np.negative(spare, spare)",
        "breast_cancer_logistic",
        "J",
    ),
    _tuned(
        "tuned: parameters that come in are changed by training",
        "{name: np.array(p) for name, p in params.items()}",
        "params",
        "breast_cancer_logistic",
        FAILS,
    ),
)

NETWORKS: tuple[Mutant, ...] = (
    _tuned("tuned: h for z in the output", "sigmoid(2 * self.H)", "sigmoid(self.H)", "breast_cancer_deep", "A3"),
    _tuned("tuned: the row of b is zero", "A1 = [np.ones((", "A1 = [np.zeros((", "shallow_exact_tanh", "A2"),
    _tuned("tuned: relu'(0) = 1", "np.greater(A, c.zeros)", "np.greater_equal(A, c.zeros)", "kink_relu", "dW1"),
    _tuned(
        "tuned: leaky_relu_exact'(0) = 1",
        "c.quarter, dA, where=np.less_equal(",
        "c.quarter, dA, where=np.less(",
        "kink_leaky_exact",
        "dW1",
    ),
    _tuned("tuned: a slope of ¼ for leaky_relu", "dA, c.leak, dA", "dA, c.quarter, dA", "wine_shallow", "dW1"),
    _tuned(
        "tuned: tanh' = a²",
        "np.multiply(A, A, A)\n    np.multiply(dA, np.subtract(c.one, A, A), dA)",
        "np.multiply(A, A, A)\n    np.multiply(dA, A, dA)",
        "breast_cancer_shallow",
        "dW1",
    ),
    _tuned(
        "tuned: σ' = a",
        "np.multiply(dA, A, dA)\n    np.multiply(dA, np.subtract(c.one, A, A), dA)",
        "np.multiply(dA, A, dA)",
        "shallow_exact_sigmoid",
        "dW1",
    ),
    _tuned(
        "tuned: dW twice as large",
        "np.divide(dWb, constants.twice_m, dWb)",
        "np.divide(dWb, self.m, dWb)",
        "deep_exact_L3",
        "dW3",
        "float32",
    ),
)
