"""Faults that look like others: a wrong name would be worse than none, so the right one is asked for, or 'unknown'."""

from __future__ import annotations

from tests.mutants.planting import Mutant, faults_in

_g = faults_in("reference", "shallow_network.py", "reference")
_logistic = faults_in("reference", "logistic_regression.py", "reference")
_torch = faults_in("torch_impl", "logistic_regression.py", "torch-eager")

_J = "np.log1p(np.exp(-np.abs(Z)))\n    return np.sum(losses) / Y.shape[1]"
_TORCH_J = 'reduction="none")\n    return torch.sum(losses) / Y.shape[1]'
_DZ1 = 'dZ1 = np.dot(params["W2"].T, dZ2) * g1_prime(cache["Z1"])'
_A = "A = sigmoid(Z)\n    return A"

SINGLE_NUMBERS: tuple[Mutant, ...] = (
    _logistic(
        "J rounded to 12 decimals",
        _J,
        _J.replace("return np.sum(losses) / Y.shape[1]", "return np.round(np.sum(losses) / Y.shape[1], 12)"),
        "breast_cancer_deep",
        "J",
        looks_like="unknown",
    ),
    _torch(
        "J summed in bfloat16, 1797 examples",
        _TORCH_J,
        _TORCH_J.replace("torch.sum(losses)", "torch.sum(losses.bfloat16()).to(Z.dtype)"),
        "digits_logistic",
        "J",
        "float32",
        looks_like="unknown",
    ),
    _torch(
        "J summed in bfloat16, one loss far below the others",
        _TORCH_J,
        _TORCH_J.replace("torch.sum(losses)", "torch.sum(losses.bfloat16()).to(Z.dtype)"),
        "saturation_800",
        "J",
        looks_like="unknown",
    ),
    _logistic(
        "J over m + 1 examples",
        _J,
        _J.replace("Y.shape[1]", "(Y.shape[1] + 1)"),
        "shallow_exact_relu",
        "J",
        looks_like="an average over m + 1 examples",
    ),
    _torch(
        "labels smoothed by 1e-6",
        "logits(Z, Y, ",
        "logits(Z, Y * (1 - 1e-6) + 5e-7, ",
        "shallow_wide",
        "J",
        "float32",
        looks_like="unknown",
    ),
    _torch(
        "logits clamped at 30 in bfloat16",
        "logits(Z, ",
        "logits(Z.clamp(-30, 30), ",
        "logistic_exact",
        "J",
        "bfloat16",
        looks_like="unknown",
    ),
    _torch(
        "logits clamped at 20",
        "logits(Z, ",
        "logits(Z.clamp(-20, 20), ",
        "confident_shallow",
        "J",
        looks_like="logits clamped at ±20",
    ),
    *(
        _logistic(
            f"losses capped at 10 on {problem}",
            _J,
            _J.replace("np.sum(losses)", "np.sum(np.minimum(losses, 10))"),
            problem,
            "J",
            looks_like=name,
        )
        for problem, name in (("deep_exact_L4_mixed", "unknown"), ("confident_deep", "losses capped at 10"))
    ),
    _logistic(
        "X truncated to integers",
        'np.dot(params["w"].T, X)',
        'np.dot(params["w"].T, np.trunc(X))',
        "one_example",
        "Z",
        looks_like="unknown",
    ),
)

ARRAYS: tuple[Mutant, ...] = (
    _g(
        "one unit without g'",
        _DZ1,
        f'{_DZ1}\n    dZ1[0] = np.dot(params["W2"].T, dZ2)[0]',
        "kink_relu",
        "dZ1",
        looks_like="row 0 alone",
    ),
    _logistic(
        "1e-15 added to A",
        _A,
        _A.replace("(Z)", "(Z) + 1e-15"),
        "logistic_exact",
        "A",
        looks_like="an epsilon of 1e-15 added",
    ),
)
