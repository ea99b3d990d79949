"""Thresholds: what is small taken for zero, what is large for a limit. They show where an example is sure or z tiny."""

from __future__ import annotations

from tests.mutants.planting import Mutant, faults_in

_g = faults_in("reference", "activations.py", "reference")
_logistic = faults_in("reference", "logistic_regression.py", "reference")
_logistic_loop = faults_in("reference", "logistic_regression.py", "reference-loop")
_shallow = faults_in("reference", "shallow_network.py", "reference")
_shallow_loop = faults_in("reference", "shallow_network.py", "reference-loop")
_deep = faults_in("reference", "deep_network.py", "reference")
_torch = faults_in("torch_impl", "logistic_regression.py", "torch-eager")
_jax = faults_in("jax_impl", "logistic_regression.py", "jax-jit")

_J = "np.log1p(np.exp(-np.abs(Z)))\n    return np.sum(losses) / Y.shape[1]"
_SUMS = "sums = {name: sums[name] + grads[name] for name in sums}"

KINKS: tuple[Mutant, ...] = (
    _g("relu of z > 1e-8", "np.maximum(0, Z)", "np.maximum(0, Z) * (Z > 1e-8)", "activations", "relu"),
    _g("relu' of z > 1e-7", "return (Z > 0)", "return (Z > 1e-7)", "activations", "drelu", "float32"),
    _g("the leaky slope up to z = 1e-9", "(Z > 0, 1, 0.01)", "(Z > 1e-9, 1, 0.01)", "activations", "dleaky_relu"),
    _g("relu' of z > 1e-7 in a network", "return (Z > 0)", "return (Z > 1e-7)", "confident_shallow", "dZ1"),
    _g("the leaky slope up to 1e-9 in a network", "(Z > 0, 1, 0.01)", "(Z > 1e-9, 1, 0.01)", "confident_deep", "dZ1"),
)

COST: tuple[Mutant, ...] = (
    *(
        _torch(
            f"PyTorch's softplus, which is z from z = 20 on, on {problem}",
            'torch.nn.functional.binary_cross_entropy_with_logits(Z, Y, reduction="none")',
            "torch.nn.functional.softplus(Z) - Y * Z",
            problem,
            "J",
        )
        for problem in ("saturation_30", "confident_shallow", "confident_deep")
    ),
    _logistic(
        "log(1 + e^z) as z from z = 20 on",
        "np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))",
        "np.where(Z > 20, Z, np.log1p(np.exp(np.minimum(Z, 20)))) - Y * Z",
        "saturation_25",
        "J",
        looks_like="log(1 + e^z) as z from z = 20 on",
    ),
    _jax(
        "log(1 + e^z) as z from z = 20 on in JAX",
        "jax.nn.softplus(Z) - Y * Z",
        "jnp.where(Z > 20, Z, jnp.log1p(jnp.exp(jnp.minimum(Z, 20)))) - Y * Z",
        "saturation_25",
        "J",
        looks_like="log(1 + e^z) as z from z = 20 on",
    ),
    _logistic(
        "losses below 1e-9 as zero", _J, _J.replace("(losses)", "(losses[losses >= 1e-9])"), "saturation_30", "J"
    ),
)

BACKWARD: tuple[Mutant, ...] = (
    _logistic_loop(
        "confident examples skipped",
        "dz = a - Y[0, i]\n",
        "dz = a - Y[0, i]\n        if abs(dz) < 1e-8:\n            continue\n",
        "saturation_25",
        "dw",
    ),
    _shallow(
        "dZ2 of confident examples as zero",
        'dZ2 = cache["A2"] - Y',
        'dZ2 = (cache["A2"] - Y) * (np.abs(cache["A2"] - Y) >= 1e-6)',
        "confident_shallow",
        "dZ2",
    ),
    _shallow_loop(
        "confident examples skipped by a shallow network",
        _SUMS,
        f"{_SUMS} if np.max(np.abs(grads['dZ2'])) >= 1e-6 else sums",
        "confident_shallow",
        "dW2",
    ),
    *(
        _deep(
            f"dZ[L] below {least} as zero",
            "dZ = A[L] - Y",
            f"dZ = (A[L] - Y) * (np.abs(A[L] - Y) >= {least})",
            "confident_deep",
            "dZ3",
            dtype,
        )
        for least, dtype in (("1e-2", "float32"), ("1e-4", "float64"))
    ),
    _deep(
        "logits beyond 10 as saturated",
        "dZ = A[L] - Y",
        'dZ = np.where(np.abs(cache[f"Z{L}"]) > 10, np.rint(A[L]), A[L]) - Y',
        "confident_deep",
        "dZ3",
    ),
)
