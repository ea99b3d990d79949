"""Faults in JAX: the forward pass, conventions at kinks, cut gradients, and the averages of vmap."""

from __future__ import annotations

from tests.mutants.planting import Mutant, faults_in

_g = faults_in("jax_impl", "activations.py", "jax-jit")
_logistic = faults_in("jax_impl", "logistic_regression.py", "jax-jit")
_shallow = faults_in("jax_impl", "shallow_network.py", "jax-jit")
_deep = faults_in("jax_impl", "deep_network.py", "jax-jit")

_logistic_eager = faults_in("jax_impl", "logistic_regression.py", "jax-eager")
_logistic_vmap = faults_in("jax_impl", "logistic_regression.py", "jax-vmap")
_shallow_vmap = faults_in("jax_impl", "shallow_network.py", "jax-vmap")

_LOSSES = "jax.nn.softplus(Z) - Y * Z"
_J = f"{_LOSSES}\n    return jnp.sum(losses) / Y.shape[1]"
_ZL = "Z = W @ A_prev + b"

ACTIVATIONS: tuple[Mutant, ...] = (
    _g(
        "relu as a maximum, whose slope at zero is 1/2",
        "jax.nn.relu(Z)",
        "jnp.maximum(Z, 0)",
        "kink_relu",
        "dZ1",
        "float16",
        looks_like="another convention at the kink, g'(0) = 0.5",
    ),
    _g(
        "JAX's own leaky relu, whose slope at zero is 1",
        "jnp.where(Z > 0, Z, 0.01 * Z)",
        "jax.nn.leaky_relu(Z, 0.01)",
        "kink_leaky_relu",
        "dZ1",
        looks_like="another convention at the kink, g'(0) = 1",
    ),
    _g("sigma that overflows in JAX", "jax.nn.sigmoid(Z)", "jnp.exp(Z) / (1 + jnp.exp(Z))", "saturation_800", "A"),
)

LOGISTIC: tuple[Mutant, ...] = (
    _logistic(
        "the primitive stable cost under grad",
        _LOSSES,
        "jax.nn.relu(Z) - Y * Z + jnp.log1p(jnp.exp(-jnp.abs(Z)))",
        "zero_logits",
        "dZ",
        looks_like="the kink of a cost made of max and |z|, at logit 0",
    ),
    _logistic(
        "the primitive stable cost with a maximum under grad",
        _LOSSES,
        "jnp.maximum(Z, 0) - Y * Z + jnp.log1p(jnp.exp(-jnp.abs(Z)))",
        "zero_logits",
        "dZ",
        looks_like="the kink of a cost made of max and |z|, at logit 0",
    ),
    _logistic(
        "log(a + 1e-8) under grad",
        _LOSSES,
        "-(Y * jnp.log(sigmoid(Z) + 1e-8) + (1 - Y) * jnp.log(1 - sigmoid(Z) + 1e-8))",
        "house_prices",
        "J",
        looks_like="an epsilon of 1e-8 inside the log",
    ),
    _logistic(
        "log clamped at -100 in JAX",
        _LOSSES,
        "-(Y * jnp.maximum(jnp.log(sigmoid(Z)), -100) + (1 - Y) * jnp.maximum(jnp.log(1 - sigmoid(Z)), -100))",
        "saturation_800",
        "J",
        looks_like="a clamp of log at −100",
    ),
    _logistic(
        "the slide's cost in JAX",
        _J,
        "sigmoid(Z)\n    return cross_entropy_of_probabilities(losses, Y)",
        "saturation_800",
        "J",
    ),
    _logistic(
        "J in float32 inside JAX",
        "return jnp.sum(losses) / Y.shape[1]\n\n\ndef cross_entropy_of",
        "return jnp.sum(losses).astype(jnp.float32) / Y.shape[1]\n\n\ndef cross_entropy_of",
        "house_prices",
        "J",
    ),
    _logistic(
        "J after the update in JAX",
        "return update(params, grads, learning_rate), J",
        "new = update(params, grads, learning_rate)\n        return new, cost(new, X, Y)",
        "logistic_training",
        "costs",
    ),
    _logistic_eager(
        "dZ without m in JAX", '"dZ": m * dZ', '"dZ": dZ', "breast_cancer_logistic", "dZ", looks_like="a factor 1/m"
    ),
    _logistic_vmap(
        "vmap's gradients summed in JAX",
        'grads["w"].mean(axis=0)',
        'grads["w"].sum(axis=0)',
        "breast_cancer_logistic",
        "dw",
        looks_like="a factor m",
    ),
)

SHALLOW: tuple[Mutant, ...] = (
    _shallow(
        "stop_gradient on the hidden layer",
        "A1 = g1(Z1)\n    Z2",
        "A1 = jax.lax.stop_gradient(g1(Z1))\n    Z2",
        "single_feature",
        "dZ1",
        looks_like="zero",
    ),
    _shallow(
        "a float32 product in JAX",
        'Z1 = params["W1"] @ X + params["b1"]',
        'Z1 = (params["W1"].astype(jnp.float32) @ X.astype(jnp.float32)).astype(X.dtype) + params["b1"]',
        "single_feature",
        "Z1",
        looks_like="float32 inside float64",
    ),
    _shallow(
        "b1 not updated in JAX",
        'params["b1"] - learning_rate * grads["db1"]',
        'params["b1"]',
        "shallow_wide",
        "new_b1",
        "float32",
        looks_like="no update",
    ),
    _shallow_vmap(
        "vmap over the first example alone",
        "grads[name].mean(axis=0)",
        "grads[name][0]",
        "breast_cancer_shallow",
        "dW2",
        looks_like="the first example alone",
    ),
)

DEEP: tuple[Mutant, ...] = (
    _deep("W.T in a square shape in JAX", _ZL, "Z = W.T @ A_prev + b", "equal_sizes", "Z1", looks_like="W1 transposed"),
    _deep(
        "* for @ in JAX", _ZL, "Z = W * A_prev + b", "equal_sizes", "Z1", looks_like="∗ in place of a matrix product"
    ),
    _deep(
        "TF32 products, emulated in JAX",
        _ZL,
        "Z = jax.lax.reduce_precision(W, 8, 10) @ jax.lax.reduce_precision(A_prev, 8, 10) + b",
        "four_layers",
        "Z1",
        "float32",
        looks_like="inputs in TF32/float16 inside float32",
    ),
    _deep(
        "bfloat16 products in JAX",
        _ZL,
        "Z = (W.astype(jnp.bfloat16) @ A_prev.astype(jnp.bfloat16)).astype(W.dtype) + b",
        "four_layers",
        "Z1",
        "float32",
        looks_like="inputs in bfloat16 inside float32",
    ),
    _deep(
        "stop_gradient between layers",
        _ZL,
        "Z = W @ jax.lax.stop_gradient(A_prev) + b",
        "four_layers",
        "dZ3",
        looks_like="zero",
    ),
    _deep("dZ of the layer above in JAX", 'm * dZ[f"b{l}"]', 'm * dZ[f"b{min(l + 1, L)}"]', "equal_sizes", "dZ2"),
    _deep(
        "alpha squared",
        'p - learning_rate * grads["d" + name]',
        'p - learning_rate**2 * grads["d" + name]',
        "four_layers",
        "new_W1",
    ),
    _deep(
        "one element of dW1 changed by 1e-12 in JAX",
        'return J, {"d" + name: grads[name] for name in params}',
        'return J, {"d" + name: grads[name].at[0, 0].multiply(1 + 1e-12 * (name == "W1")) for name in params}',
        "four_layers",
        "dW1",
        looks_like="one element alone, off by +1.0e-12 of itself",
    ),
)
