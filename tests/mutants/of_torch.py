"""Faults in PyTorch: the forward pass, what autograd is asked for, and the averages of vmap."""

from __future__ import annotations

from tests.mutants.planting import FAILS, Mutant, faults_in

_g = faults_in("torch_impl", "activations.py", "torch-eager")
_logistic = faults_in("torch_impl", "logistic_regression.py", "torch-eager")
_shallow = faults_in("torch_impl", "shallow_network.py", "torch-eager")
_deep = faults_in("torch_impl", "deep_network.py", "torch-eager")

_logistic_vmap = faults_in("torch_impl", "logistic_regression.py", "torch-vmap")
_shallow_vmap = faults_in("torch_impl", "shallow_network.py", "torch-vmap")
_deep_vmap = faults_in("torch_impl", "deep_network.py", "torch-vmap")

_logistic_compiled = faults_in("torch_impl", "logistic_regression.py", "torch-compile")
_shallow_compiled = faults_in("torch_impl", "shallow_network.py", "torch-compile")

TF32 = '''

def _tf32(x: Array) -> Array:
    """The float32s with 10 bits of mantissa, rounded to nearest even: what tensor cores read."""
    bits = x.detach().view(torch.int32)
    rounded = ((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32)
    return x + (rounded - x.detach())
'''

_LOSSES = 'torch.nn.functional.binary_cross_entropy_with_logits(Z, Y, reduction="none")'
_J = f"{_LOSSES}\n    return torch.sum(losses) / Y.shape[1]"
_Z = 'params["w"].T @ X + params["b"]'
_Z1 = 'params["W1"] @ X + params["b1"]'
_A1 = "A1 = g1(Z1)\n    Z2"
_ZL = "Z = W @ A_prev + b"

ACTIVATIONS: tuple[Mutant, ...] = (
    _g(
        "torch.relu exchanged for leaky ReLU",
        "torch.relu(Z)",
        "torch.nn.functional.leaky_relu(Z, 0.01)",
        "wine_cultivars",
        "A1",
        looks_like="leaky_relu in place of relu",
    ),
    _g(
        "relu as a clamp, whose slope at zero is 1",
        "torch.relu(Z)",
        "torch.clamp(Z, min=0)",
        "kink_relu",
        "dZ1",
        "bfloat16",
        looks_like="another convention at the kink, g'(0) = 1",
    ),
    _g(
        "leaky relu as a maximum, whose slope at zero is in between",
        "torch.nn.functional.leaky_relu(Z, 0.01)",
        "torch.maximum(0.01 * Z, Z)",
        "kink_leaky_relu",
        "dZ1",
        looks_like="another convention at the kink, g'(0) = 0.505",
    ),
    _g(
        "sigma that overflows in PyTorch",
        "torch.sigmoid(Z)",
        "torch.exp(Z) / (1 + torch.exp(Z))",
        "saturation_800",
        "A",
    ),
    _g("tanh by a polynomial", "torch.tanh(Z)", "Z - Z**3 / 3 + 2 * Z**5 / 15", "single_feature", "A1", "float32"),
)

LOGISTIC: tuple[Mutant, ...] = (
    _logistic(
        "a .float() product",
        _Z,
        '(params["w"].T.float() @ X.float()).to(X.dtype) + params["b"]',
        "breast_cancer_logistic",
        "Z",
        looks_like="float32 inside float64",
    ),
    _logistic(
        "TF32 products, emulated in PyTorch",
        _Z,
        '_tf32(params["w"].T) @ _tf32(X) + params["b"]',
        "wine_logistic",
        "Z",
        "float32",
        helper=TF32,
        looks_like="inputs in TF32/float16 inside float32",
    ),
    _logistic(
        "bfloat16 products in PyTorch",
        _Z,
        '(params["w"].T.bfloat16() @ X.bfloat16()).to(X.dtype) + params["b"]',
        "house_prices",
        "Z",
        "float32",
        looks_like="bfloat16 inside float32",
    ),
    _logistic(
        "the primitive stable cost under autograd",
        _LOSSES,
        "torch.clamp(Z, min=0) - Y * Z + torch.log1p(torch.exp(-torch.abs(Z)))",
        "zero_logits",
        "dZ",
        looks_like="the kink of a cost made of max and |z|, at logit 0",
    ),
    _logistic(
        "log clamped at -100 by binary_cross_entropy",
        _LOSSES,
        'torch.nn.functional.binary_cross_entropy(sigmoid(Z), Y, reduction="none")',
        "saturation_800",
        "J",
        looks_like="a clamp of log at −100",
    ),
    _logistic(
        "log(a + 1e-8) under autograd",
        _LOSSES,
        "-(Y * torch.log(sigmoid(Z) + 1e-8) + (1 - Y) * torch.log(1 - sigmoid(Z) + 1e-8))",
        "house_prices",
        "J",
        looks_like="an epsilon of 1e-8 inside the log",
    ),
    _logistic(
        "probabilities clamped at 1e-7 under autograd",
        _J,
        "sigmoid(Z).clamp(1e-7, 1 - 1e-7)\n    return cross_entropy_of_probabilities(losses, Y)",
        "saturation_17",
        "J",
        looks_like="a clamp of probabilities at 1e-7",
    ),
    _logistic("dZ without m", '"dZ": m * dZ', '"dZ": dZ', "ad_clicks", "dZ", looks_like="a factor 1/m"),
    _logistic(
        "gradients of the sum, not of the mean",
        "torch.autograd.grad(J, [leaves",
        "torch.autograd.grad(X.shape[1] * J, [leaves",
        "logistic_exact",
        "dw",
        "float16",
        looks_like="a factor m",
    ),
    _logistic(
        "alpha/m in PyTorch's training",
        "update(params, grads, learning_rate)\n    return",
        "update(params, grads, learning_rate / X.shape[1])\n    return",
        "logistic_training",
        "costs",
        "float32",
    ),
    _logistic(
        "b updated by dw", 'learning_rate * grads["db"]', 'learning_rate * grads["dw"].sum()', "house_prices", "new_b"
    ),
    _logistic_vmap(
        "vmap's gradients summed",
        'grads["w"].mean(dim=0)',
        'grads["w"].sum(dim=0)',
        "house_prices",
        "dw",
        looks_like="a factor m",
    ),
    _logistic_vmap(
        "the first example left out of vmap",
        'grads["b"].mean(dim=0)',
        'grads["b"][1:].mean(dim=0)',
        "ad_clicks",
        "db",
        looks_like="example 0 left out",
    ),
    _logistic_compiled(
        "log(a + 1e-8), compiled",
        _LOSSES,
        "-(Y * torch.log(sigmoid(Z) + 1e-8) + (1 - Y) * torch.log(1 - sigmoid(Z) + 1e-8))",
        "breast_cancer_logistic",
        "J",
        looks_like="an epsilon of 1e-8 inside the log",
    ),
)

SHALLOW: tuple[Mutant, ...] = (
    _shallow(
        "a .float() activation",
        _A1,
        _A1.replace("g1(Z1)", "g1(Z1.float()).to(Z1.dtype)"),
        "breast_cancer_shallow",
        "A1",
        looks_like="float32 inside float64",
    ),
    faults_in("torch_impl", "logistic_regression.py", "torch-eager")(
        "the mean over the units, too",
        _J,
        _J.replace("torch.sum(losses) / Y.shape[1]", "losses.mean()"),
        "wine_cultivars",
        "J",
        looks_like="a factor 1/n_y",
    ),
    _shallow("detach on the hidden layer", _A1, _A1.replace("g1(Z1)", "g1(Z1).detach()"), "single_feature", FAILS),
    _shallow(
        "the first example detached",
        f"Z1 = {_Z1}",
        f"Z1 = {_Z1}\n    Z1 = torch.cat([Z1[:, :1].detach(), Z1[:, 1:]], dim=1)",
        "wine_shallow",
        "dW1",
        looks_like="example 0 left out",
    ),
    _shallow(
        "dZ1 without m",
        '"dZ1": m * dZ1',
        '"dZ1": dZ1',
        "shallow_exact_identity",
        "dZ1",
        "bfloat16",
        looks_like="a factor 1/m",
    ),
    _shallow(
        "a weight decay of 1e-6",
        'params["W1"] - learning_rate',
        '(1 - 1e-6) * params["W1"] - learning_rate',
        "flower",
        "new_W1",
    ),
    _shallow(
        "b1 updated twice",
        'learning_rate * grads["db1"]',
        '2 * learning_rate * grads["db1"]',
        "shallow_wide",
        "new_b1",
        "float32",
    ),
    _shallow_vmap(
        "detach on the hidden layer under vmap",
        _A1,
        _A1.replace("g1(Z1)", "g1(Z1).detach()"),
        "wine_shallow",
        "dW1",
        looks_like="zero",
    ),
    _shallow_vmap(
        "vmap's gradients of all layers summed",
        "grads[name].mean(dim=0)",
        "grads[name].sum(dim=0)",
        "shallow_exact_ny3",
        "dW2",
        "float16",
        looks_like="a factor m",
    ),
    _shallow_compiled(
        "W1 updated without alpha, compiled",
        'learning_rate * grads["dW1"]',
        'grads["dW1"]',
        "breast_cancer_shallow",
        "new_W1",
    ),
)

DEEP: tuple[Mutant, ...] = (
    _deep(
        "W.T in a square shape in PyTorch", _ZL, "Z = W.T @ A_prev + b", "equal_sizes", "Z1", looks_like="W1 transposed"
    ),
    _deep(
        "* for @ in PyTorch",
        _ZL,
        "Z = W * A_prev + b",
        "equal_sizes",
        "Z1",
        "float32",
        looks_like="∗ in place of a matrix product",
    ),
    _deep("b.T in PyTorch", _ZL, "Z = W @ A_prev + b.T", "equal_sizes", "Z1", looks_like="b1 along the wrong axis"),
    _deep(
        "TF32 products in a deep network",
        _ZL,
        "Z = _tf32(W) @ _tf32(A_prev) + b",
        "four_layers",
        "Z1",
        "float32",
        helper=TF32,
        looks_like="inputs in TF32/float16 inside float32",
    ),
    _deep(
        "float16 products in float32",
        _ZL,
        "Z = (W.half() @ A_prev.half()).to(W.dtype) + b",
        "breast_cancer_deep",
        "Z1",
        "float32",
        looks_like="TF32/float16 inside float32",
    ),
    _deep("dZ in reverse", "m * dZ[l - 1]", "m * dZ[L - l]", "equal_sizes", "dZ3"),
    _deep("dZ of the layer below", "m * dZ[l - 1]", "m * dZ[l - 2]", "equal_sizes", "dZ3"),
    _deep(
        "part of a layer detached",
        _ZL,
        "Z = W @ (A_prev / 2 + A_prev.detach() / 2) + b",
        "deep_exact_L3_mixed",
        "dZ2",
        "bfloat16",
        looks_like="a factor 1/2",
    ),
    _deep(
        "an update uphill in PyTorch",
        'p - learning_rate * grads["d" + name]',
        'p + learning_rate * grads["d" + name]',
        "deep_wide",
        "new_W1",
        looks_like="a step uphill: + in place of −",
    ),
    _deep("J returned in float32", "return J.detach(), {", "return J.detach().float(), {", "four_layers", "J"),
    _deep_vmap(
        "vmap averaged over the wrong axis", "grads[name].mean(dim=0)", "grads[name].mean(dim=1)", "equal_sizes", "dW3"
    ),
    _deep_vmap(
        "1/m under vmap, too",
        "grads[name].mean(dim=0)",
        "grads[name].mean(dim=0) / X.shape[1]",
        "deep_exact_saturating",
        "dW4",
        "bfloat16",
        looks_like="a factor 1/m",
    ),
)
