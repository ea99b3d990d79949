"""Faults in how scikit-learn is called, and in what is made of its answers."""

from __future__ import annotations

from tests.mutants.planting import FAILS, Mutant, faults_in

_loss = faults_in("sklearn_baseline", "logistic_regression.py", "sklearn-loss")
_optimum = faults_in("sklearn_baseline", "logistic_regression.py", "sklearn-optimum")
_step = faults_in("sklearn_baseline", "shallow_network.py", "sklearn-mlp")

LOSS: tuple[Mutant, ...] = (
    _loss(
        "the intercept lost",
        'np.append(params["w"], params["b"])',
        'np.append(params["w"], 0 * params["b"])',
        "house_prices",
        "J",
    ),
    _loss(
        "1/m once more than scikit-learn",
        "gradient[:-1, None]",
        "gradient[:-1, None] / X.shape[1]",
        "wine_logistic",
        "dw",
        looks_like="a factor 1/m",
    ),
    _loss(
        "db from the first feature",
        "np.asarray(gradient[-1])",
        "np.asarray(gradient[0])",
        "house_prices",
        "db",
        "float32",
    ),
    _loss("an L2 penalty of 1", "l2_reg_strength=0.0", "l2_reg_strength=1.0", "house_prices", "J"),
    _loss("an L2 penalty of 1e-10", "l2_reg_strength=0.0", "l2_reg_strength=1e-10", "wine_logistic", "J"),
    _loss(
        "labels exchanged for scikit-learn",
        "np.ascontiguousarray(Y[0])",
        "np.ascontiguousarray(1 - Y[0])",
        "all_labels_0",
        "J",
        looks_like="the labels exchanged",
    ),
    _loss(
        "float32 for scikit-learn's loss",
        "coef, X.T, np.ascontiguousarray(Y[0])",
        "coef.astype('f'), X.T.astype('f'), Y[0].astype('f')",
        "ad_clicks",
        "J",
        looks_like="float32 inside float64",
    ),
)

OPTIMUM: tuple[Mutant, ...] = (
    _optimum("the penalty without 1/m", "(float(C) * m)", "float(C)", "wine_logistic", FAILS),
)

STEP: tuple[Mutant, ...] = (
    _step("scikit-learn's default penalty", "alpha=0,", "alpha=1e-4,", "equal_sizes", "new_W1"),
    _step("scikit-learn's default momentum", "momentum=0,", "momentum=0.9,", "single_feature", "new_b1"),
    _step(
        "the learning rate halved",
        "float(learning_rate)",
        "float(learning_rate) / 2",
        "shallow_wide",
        "new_W1",
        "float32",
    ),
    _step("coefs_ not transposed in a square shape", '"].T.copy()', '"].copy()', "equal_sizes", "new_W1"),
    _step("two batches in place of one", "batch_size=m", "batch_size=(m + 1) // 2", "breast_cancer_shallow", "new_W1"),
    _step("ReLU for tanh in scikit-learn", '"tanh": "tanh"', '"tanh": "relu"', "flower", "new_W1"),
    _step(
        "intercepts in reverse",
        'params[f"b{l}"][:, 0].copy()',
        'params[f"b{l}"][::-1, 0].copy()',
        "single_feature",
        "new_W1",
    ),
)
