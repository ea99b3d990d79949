"""Right files in different manners, as learners write them."""

from __future__ import annotations

LOGISTIC = """
import numpy as np
def sigmoid(z):
    s = 1 / (1 + np.exp(-z))
    return s
def initialize_with_zeros(dim):
    return np.zeros((dim, 1)), 0.0
def propagate(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = np.sum(-(Y * np.log(A) + (1 - Y) * np.log(1 - A))) / m
    dw = np.dot(X, (A - Y).T) / m
    db = np.sum(A - Y) / m
    return {"dw": dw, "db": db}, cost
def optimize(w, b, X, Y, num_iterations, learning_rate, print_cost=False):
    costs = []
    for i in range(num_iterations):
        grads, cost = propagate(w, b, X, Y)
        w = w - learning_rate * grads["dw"]
        b = b - learning_rate * grads["db"]
    return {"w": w, "b": b}, grads, costs
"""

SHALLOW = """
import numpy as np
def initialize_parameters(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h), "b2": np.zeros((n_y, 1))}
def forward_propagation(X, parameters):
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(parameters["W2"], A1) + parameters["b2"]
    A2 = 1 / (1 + np.exp(-Z2))
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache
def compute_cost(A2, Y):
    m = Y.shape[1]
    return np.sum(-(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))) / m
def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    A1 = cache["A1"]
    A2 = cache["A2"]
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(parameters["W2"].T, dZ2)
    dZ1 = dZ1 * (1 - A1**2)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
def update_parameters(parameters, grads, learning_rate=1.2):
    W1 = parameters["W1"] - learning_rate * grads["dW1"]
    b1 = parameters["b1"] - learning_rate * grads["db1"]
    W2 = parameters["W2"] - learning_rate * grads["dW2"]
    b2 = parameters["b2"] - learning_rate * grads["db2"]
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
def nn_model(X, Y, n_h, num_iterations=10000):
    return initialize_parameters(X.shape[0], n_h, 1)
"""

DEEP = """
import numpy as np
def sigmoid(Z):
    return 1 / (1 + np.exp(-Z)), Z
def relu(Z):
    return np.maximum(0, Z), Z
def relu_backward(dA, cache):
    dZ = np.array(dA, copy=True)
    dZ[cache <= 0] = 0
    return dZ
def sigmoid_backward(dA, cache):
    s = 1 / (1 + np.exp(-cache))
    return dA * s * (1 - s)
def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    return Z, (A, W, b)
def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = sigmoid(Z) if activation == "sigmoid" else relu(Z)
    return A, (linear_cache, activation_cache)
def L_model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A_prev = A
        A, cache = linear_activation_forward(A_prev, parameters["W" + str(l)], parameters["b" + str(l)], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters["W" + str(L)], parameters["b" + str(L)], "sigmoid")
    caches.append(cache)
    return AL, caches
def compute_cost(AL, Y):
    cost = np.sum(-(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))) / Y.shape[1]
    return np.squeeze(cost)
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db
def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    dZ = relu_backward(dA, activation_cache) if activation == "relu" else sigmoid_backward(dA, activation_cache)
    dA_prev, dW, db = linear_backward(dZ, linear_cache)
    return dA_prev, dW, db
def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dAL = -Y / AL + (1 - Y) / (1 - AL)
    dA_prev, dW, db = linear_activation_backward(dAL, caches[L - 1], "sigmoid")
    grads["dA" + str(L - 1)], grads["dW" + str(L)], grads["db" + str(L)] = dA_prev, dW, db
    for l in reversed(range(L - 1)):
        dA_prev, dW, db = linear_activation_backward(grads["dA" + str(l + 1)], caches[l], "relu")
        grads["dA" + str(l)] = dA_prev
        grads["dW" + str(l + 1)] = dW
        grads["db" + str(l + 1)] = db
    return grads
def update_parameters(params, grads, learning_rate):
    L = len(params) // 2
    for l in range(L):
        params["W" + str(l + 1)] = params["W" + str(l + 1)] - learning_rate * grads["dW" + str(l + 1)]
        params["b" + str(l + 1)] = params["b" + str(l + 1)] - learning_rate * grads["db" + str(l + 1)]
    return params
"""

OWN_DEEP = """
import numpy as np
G = {"relu": lambda z: np.maximum(0, z), "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}
def slope(name, Z):
    return (Z > 0).astype(Z.dtype) if name == "relu" else 1 - np.tanh(Z) ** 2
def forward(params, X, activations):
    A, cache = X, {}
    for l, g in enumerate(activations, start=1):
        Z = params[f"W{l}"] @ A + params[f"b{l}"]
        A = G[g](Z)
        cache[f"Z{l}"], cache[f"A{l}"] = Z, A
    return A, cache
def cost(params, X, Y, activations):
    Z = forward(params, X, activations)[1][f"Z{len(activations)}"]
    return np.sum(np.maximum(Z, 0) - Y * Z + np.log1p(np.exp(-np.abs(Z)))) / Y.shape[1]
def backward(params, cache, X, Y, activations):
    m, L = X.shape[1], len(activations)
    grads = {}
    dZ = cache[f"A{L}"] - Y
    for l in range(L, 0, -1):
        grads[f"dW{l}"] = dZ @ (X if l == 1 else cache[f"A{l-1}"]).T / m
        grads[f"db{l}"] = dZ.sum(axis=1, keepdims=True) / m
        if l > 1:
            dZ = params[f"W{l}"].T @ dZ
            dZ *= slope(activations[l - 2], cache[f"Z{l-1}"])
    return grads
def update(params, grads, learning_rate):
    return {name: p - learning_rate * grads["d" + name] for name, p in params.items()}
"""

SEPARATE = """
import numpy as np
def fprop(X, W1, b1, W2, b2):
    z1 = W1 @ X + b1
    a1 = np.tanh(z1)
    z2 = W2 @ a1
    z2 += b2
    a2 = 1 / (1 + np.exp(-z2))
    return z1, a1, z2, a2
def loss(a2, Y):
    return np.sum(-(Y * np.log(a2) + (1 - Y) * np.log(1 - a2))) / Y.shape[1]
def bprop(X, Y, z1, a1, z2, a2, W2):
    m = X.shape[1]
    delta2 = a2 - Y
    grad_W2 = delta2 @ a1.T / m
    grad_b2 = delta2.sum(1, keepdims=True) / m
    delta1 = W2.T @ delta2 * (1 - a1 ** 2)
    grad_W1 = delta1 @ X.T / m
    grad_b1 = delta1.sum(1, keepdims=True) / m
    return grad_W1, grad_b1, grad_W2, grad_b2
def step(W1, b1, W2, b2, dW1, db1, dW2, db2, lr):
    return W1 - lr * dW1, b1 - lr * db1, W2 - lr * dW2, b2 - lr * db2
"""

LOOP_LOGISTIC = """
import numpy as np
def cost_and_gradients(w, b, X, Y):
    n, m = X.shape
    J, dw, db = 0.0, np.zeros((n, 1)), 0.0
    for i in range(m):
        z = b
        for j in range(n):
            z = z + w[j, 0] * X[j, i]
        a = 1 / (1 + np.exp(-z))
        J += -(Y[0, i] * np.log(a) + (1 - Y[0, i]) * np.log(1 - a))
        dz = a - Y[0, i]
        for j in range(n):
            dw[j, 0] += X[j, i] * dz
        db += dz
    J /= m
    dw /= m
    db /= m
    return J, dw, db
"""

LOOP_SHALLOW = """
import numpy as np
def gradients(params, X, Y):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    m = X.shape[1]
    dW1, db1, dW2, db2 = (np.zeros_like(p) for p in (W1, b1, W2, b2))
    cost = 0
    for i in range(m):
        x, y = X[:, i:i+1], Y[:, i:i+1]
        z1 = W1 @ x + b1
        a1 = np.tanh(z1)
        z2 = W2 @ a1 + b2
        a2 = 1 / (1 + np.exp(-z2))
        cost += -(y * np.log(a2) + (1 - y) * np.log(1 - a2)).item()
        dz2 = a2 - y
        dW2 += dz2 @ a1.T
        db2 += dz2
        dz1 = W2.T @ dz2 * (1 - a1**2)
        dW1 += dz1 @ x.T
        db1 += dz1
    return {"dW1": dW1 / m, "db1": db1 / m, "dW2": dW2 / m, "db2": db2 / m}, cost / m
"""

CLASS = """
import numpy as np
class Network:
    def __init__(self, layers, lr=0.1):
        self.params, self.lr, self.L = {}, lr, len(layers) - 1
        for l in range(1, len(layers)):
            self.params["W" + str(l)] = np.random.randn(layers[l], layers[l - 1])
            self.params["b" + str(l)] = np.zeros((layers[l], 1))
    def forward(self, X):
        self.cache = {"A0": X}
        A = X
        for l in range(1, self.L + 1):
            Z = self.params["W" + str(l)] @ A + self.params["b" + str(l)]
            A = 1 / (1 + np.exp(-Z)) if l == self.L else np.maximum(0, Z)
            self.cache["Z" + str(l)] = Z
            self.cache["A" + str(l)] = A
        return A
    def backward(self, Y):
        m = Y.shape[1]
        self.grads = {}
        dZ = self.cache["A" + str(self.L)] - Y
        for l in reversed(range(1, self.L + 1)):
            self.grads["dW" + str(l)] = dZ @ self.cache["A" + str(l - 1)].T / m
            self.grads["db" + str(l)] = np.sum(dZ, axis=1, keepdims=True) / m
            if l > 1:
                dA = self.params["W" + str(l)].T @ dZ
                dZ = dA * (self.cache["Z" + str(l - 1)] > 0)
    def update(self):
        for l in range(1, self.L + 1):
            self.params["W" + str(l)] -= self.lr * self.grads["dW" + str(l)]
            self.params["b" + str(l)] -= self.lr * self.grads["db" + str(l)]
"""

ROWS = """
import numpy as np
def forward(X, params):
    Z1 = X @ params["W1"] + params["b1"]
    A1 = np.tanh(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = 1 / (1 + np.exp(-Z2))
    return A2, (Z1, A1, Z2, A2)
def backward(params, cache, X, Y):
    Z1, A1, Z2, A2 = cache
    m = len(X)
    dZ2 = A2 - Y
    dW2 = A1.T @ dZ2 / m
    db2 = dZ2.sum(axis=0) / m
    dZ1 = dZ2 @ params["W2"].T * (1 - A1**2)
    dW1 = X.T @ dZ1 / m
    db1 = dZ1.sum(axis=0) / m
    return dict(dW1=dW1, db1=db1, dW2=dW2, db2=db2)
"""

LISTS = """
import numpy as np
def init_params(sizes):
    return [{"W": np.zeros((n, p)), "b": np.zeros((n, 1))} for p, n in zip(sizes, sizes[1:])]
def forward(params, X):
    activations, zs = [X], []
    for i, layer in enumerate(params):
        z = layer["W"] @ activations[-1] + layer["b"]
        zs.append(z)
        activations.append(1 / (1 + np.exp(-z)) if i == len(params) - 1 else np.maximum(z, 0))
    return activations[-1], (zs, activations)
def backward(params, cache, Y):
    zs, activations = cache
    m, L = Y.shape[1], len(params)
    grads = [None] * L
    delta = activations[-1] - Y
    for l in range(L - 1, -1, -1):
        grads[l] = {"dW": delta @ activations[l].T / m, "db": delta.sum(axis=1, keepdims=True) / m}
        if l > 0:
            delta = (params[l]["W"].T @ delta) * (zs[l - 1] > 0)
    return grads
def update(params, grads, lr):
    return [{"W": p["W"] - lr * g["dW"], "b": p["b"] - lr * g["db"]} for p, g in zip(params, grads)]
"""

TORCH = """
import torch
def forward(params, X):
    Z1 = params["W1"] @ X + params["b1"]
    A1 = torch.tanh(Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    A2 = torch.sigmoid(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2}
def cost(params, X, Y):
    A2, cache = forward(params, X)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(cache["Z2"], Y, reduction="sum")
    return loss / Y.shape[1]
def gradients(params, X, Y):
    J = cost(params, X, Y)
    J.backward()
    return {"d" + name: p.grad for name, p in params.items()}
"""

JAX = """
import jax
import jax.numpy as jnp
def cost(params, X, Y):
    Z = params["w"].T @ X + params["b"]
    return jnp.sum(jnp.logaddexp(0, Z) - Y * Z) / Y.shape[1]
def gradients(params, X, Y):
    return jax.grad(cost)(params, X, Y)
"""

TRAIN = """
import numpy as np
def train(params, X, Y, learning_rate, iterations):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    m = X.shape[1]
    costs = []
    for i in range(iterations):
        Z1 = W1 @ X + b1
        A1 = np.tanh(Z1)
        Z2 = W2 @ A1 + b2
        A2 = 1 / (1 + np.exp(-Z2))
        costs.append(np.sum(-(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))) / m)
        dZ2 = A2 - Y
        dW2 = dZ2 @ A1.T / m
        db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = W2.T @ dZ2 * (1 - A1**2)
        dW1 = dZ1 @ X.T / m
        db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        W1 = W1 - learning_rate * dW1
        b1 = b1 - learning_rate * db1
        W2 = W2 - learning_rate * dW2
        b2 = b2 - learning_rate * db2
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, costs
"""

MODEL = TRAIN.replace(
    "def train(params, X, Y, learning_rate, iterations)", "def nn_model(X, Y, n_h, learning_rate, iterations)"
)
MODEL = MODEL.replace(
    'W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]',
    "W1, b1, W2, b2 = np.ones((n_h, len(X))), np.zeros((n_h, 1)), np.ones((1, n_h)), np.zeros((1, 1))",
)
