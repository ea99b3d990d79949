"""Faults in functions of one number and in the computation graph: derivatives, computation_graph, activations."""

from __future__ import annotations

from tests.mutants.planting import Mutant, faults_in

_derivatives = faults_in("reference", "derivatives.py", "reference")
_torch_derivatives = faults_in("torch_impl", "derivatives.py", "torch-eager")
_jax_derivatives = faults_in("jax_impl", "derivatives.py", "jax-jit")

_graph = faults_in("reference", "computation_graph.py", "reference")
_torch_graph = faults_in("torch_impl", "computation_graph.py", "torch-eager")
_jax_graph = faults_in("jax_impl", "computation_graph.py", "jax-jit")

_activations = faults_in("reference", "activations.py", "reference")
_torch_activations = faults_in("torch_impl", "activations.py", "torch-eager")
_jax_activations = faults_in("jax_impl", "activations.py", "jax-jit")

DERIVATIVES: tuple[Mutant, ...] = (
    _derivatives("the slope of 3a as 3a", "np.full_like(a, 3)", "np.full_like(a, 3) * a", "slopes", "dtriple"),
    _derivatives(
        "the slope of a^2 as a", "return 2 * a\n", "return a\n", "slopes", "dsquare", looks_like="a factor 1/2"
    ),
    _derivatives("the slope of a^3 as 3a", "3 * (a * a)", "3 * a", "slopes", "dcube"),
    _derivatives("the slope of log a as 1/a^2", "return 1 / a\n", "return 1 / (a * a)\n", "slopes", "dlog", "float32"),
    _derivatives("the logarithm to base 10", "return np.log(a)", "return np.log10(a)", "slopes", "log"),
    _derivatives(
        "a nudge in place of the slope", "return SLOPES[name](a)", "return nudge(name, a, 1e-6)", "slopes", "dtriple"
    ),
    _torch_derivatives(
        "the mean of the points differentiated",
        "(a).sum(), a)[0]",
        "(a).mean(), a)[0]",
        "slopes",
        "dtriple",
        looks_like="a factor 1/2",
    ),
    _torch_derivatives("log(a + 1e-8) against log 0", "torch.log(a)", "torch.log(a + 1e-8)", "slopes", "log"),
    _jax_derivatives("log(1 + a) for log a", "jnp.log(a)", "jnp.log1p(a)", "slopes", "log", "float32"),
)

COMPUTATION_GRAPH: tuple[Mutant, ...] = (
    _graph("u = b + c", "u = b * c\n", "u = b + c\n", "computation_graph", "u"),
    _graph("dc = a du", "dc = du * b", "dc = du * a", "computation_graph", "dc"),
    _graph(
        "db and dc as if u were b + c",
        "db = du * c",
        "db = du",
        "computation_graph",
        "db",
        "bfloat16",
    ),
    _graph(
        "dv in float64 whatever the format is",
        'np.full_like(cache["v"], 3)',
        "np.array(3.0)",
        "computation_graph",
        "dv",
        "float16",
    ),
    _torch_graph("v = a - u", "v = a + u\n    J", "v = a - u\n    J", "computation_graph", "v", "float16"),
    _torch_graph(
        "db and dc exchanged", "dv, du, da, db, dc = torch", "dv, du, da, dc, db = torch", "computation_graph", "db"
    ),
    _jax_graph(
        "J = 3v^2 seen from v",
        "jax.grad(lambda v: 3 * v)",
        "jax.grad(lambda v: 3 * v * v)",
        "computation_graph",
        "dv",
        "bfloat16",
    ),
    _jax_graph(
        "the gradient of v in place of J", "forward(a, b, c)[0]", 'forward(a, b, c)[1]["v"]', "computation_graph", "da"
    ),
)

ACTIVATIONS: tuple[Mutant, ...] = (
    _activations("sigma(-z)", "1 / (1 + np.exp(-Z))", "1 / (1 + np.exp(Z))", "activations", "sigmoid"),
    _activations("sigma' = a (1 + a)", "A * (1 - A)", "A * (1 + A)", "activations", "dsigmoid"),
    _activations("tanh' = 1 - z^2", "1 - tanh(Z) ** 2", "1 - Z**2", "activations", "dtanh"),
    _activations(
        "g for g' in the table of derivatives",
        '"tanh": tanh_derivative',
        '"tanh": tanh',
        "activations",
        "dtanh",
        looks_like="tanh",
    ),
    _activations(
        "tanh by exponentials that overflow",
        "np.tanh(Z)",
        "(np.exp(2 * Z) - 1) / (np.exp(2 * Z) + 1)",
        "activations",
        "tanh",
    ),
    _activations(
        "the identity's derivative is z",
        "np.ones_like(Z)",
        "Z",
        "activations",
        "didentity",
        "float32",
        looks_like="identity",
    ),
    _activations(
        "derivatives rounded to float32",
        "return DERIVATIVES[name](Z)",
        "return DERIVATIVES[name](Z).astype(np.float32).astype(Z.dtype)",
        "activations",
        "dsigmoid",
    ),
    _torch_activations("a slope of 0.1", "leaky_relu(Z, 0.01)", "leaky_relu(Z, 0.1)", "activations", "leaky_relu"),
    _torch_activations(
        "the square of g differentiated",
        "ACTIVATIONS[name](Z).sum()",
        "ACTIVATIONS[name](Z).pow(2).sum()",
        "activations",
        "dsigmoid",
        "float32",
    ),
    _jax_activations(
        "tanh as 2 sigma(2z) - 1, which cancels", "jnp.tanh(Z)", "2 * jax.nn.sigmoid(2 * Z) - 1", "activations", "tanh"
    ),
    _jax_activations(
        "relu' on its own at zero, 1/2",
        "jax.nn.relu(Z)",
        "jnp.maximum(Z, 0)",
        "activations",
        "drelu",
        "float32",
        looks_like="one element alone",
    ),
)
