"""The network with L layers: ReLU in the hidden ones, a sigmoid at the output (slides N20, N21, N23).

Write the functions, in any order, and run: parity grade FILE
What is not written yet is not graded.

One example is a column of X; m is the number of examples. A[0] is X, and n[l] the number of units of layer l.
Shapes: W[l] (n[l], n[l-1]), b[l] (n[l], 1), Z[l] and A[l] (n[l], m), Y (1, m), holding 0 and 1.
"""

import numpy as np


def sigmoid(Z):
    """The sigmoid of every element (N3).

    Returns
    -------
    A : array
        Of the shape of Z.
    activation_cache : array
        Z.
    """
    raise NotImplementedError("sigmoid is not written yet")


def relu(Z):
    """ReLU of every element (N15).

    Returns
    -------
    A : array
        Of the shape of Z.
    activation_cache : array
        Z.
    """
    raise NotImplementedError("relu is not written yet")


def sigmoid_backward(dA, activation_cache):
    """From dA to dZ, through a sigmoid (N17, N23).

    Returns
    -------
    dZ : array
        Of the shape of dA.
    """
    raise NotImplementedError("sigmoid_backward is not written yet")


def relu_backward(dA, activation_cache):
    """From dA to dZ, through ReLU (N17, N23).

    Returns
    -------
    dZ : array
        Of the shape of dA.
    """
    raise NotImplementedError("relu_backward is not written yet")


def initialize_parameters_deep(layer_dims):
    """The parameters to start from (N19); layer_dims is [n[0], n[1], …, n[L]].

    Returns
    -------
    parameters : dict
        {"W1": (n[1], n[0]), "b1": (n[1], 1), …, "WL": …, "bL": …}
    """
    raise NotImplementedError("initialize_parameters_deep is not written yet")


def linear_forward(A, W, b):
    """The linear part of a layer (N21).

    Returns
    -------
    Z : (n[l], m)
    cache : tuple
        (A, W, b)
    """
    raise NotImplementedError("linear_forward is not written yet")


def linear_activation_forward(A_prev, W, b, activation):
    """A layer (N23); activation is "sigmoid" or "relu".

    Returns
    -------
    A : (n[l], m)
    cache : tuple
        (linear_cache, activation_cache)
    """
    raise NotImplementedError("linear_activation_forward is not written yet")


def L_model_forward(X, parameters):
    """The chain of layers, 1 to L (N21, N23).

    Returns
    -------
    AL : (1, m)
        The probability that y = 1, for every example.
    caches : list
        Each layer's cache, layer 1 first.
    """
    raise NotImplementedError("L_model_forward is not written yet")


def compute_cost(AL, Y):
    """The mean loss over the examples (N4).

    Returns
    -------
    cost : float
    """
    raise NotImplementedError("compute_cost is not written yet")


def linear_backward(dZ, cache):
    """The linear part of a layer, backward (N23); cache is (A_prev, W, b).

    Returns
    -------
    dA_prev, dW, db : arrays
        Of the shapes of A_prev, W and b.
    """
    raise NotImplementedError("linear_backward is not written yet")


def linear_activation_backward(dA, cache, activation):
    """A layer, backward (N23); cache is (linear_cache, activation_cache).

    Returns
    -------
    dA_prev, dW, db : arrays
        Of the shapes of A_prev, W and b.
    """
    raise NotImplementedError("linear_activation_backward is not written yet")


def L_model_backward(AL, Y, caches):
    """The chain of layers, backward, L to 1 (N23, N25).

    Returns
    -------
    grads : dict
        {"dA0": …, "dW1": …, "db1": …, …, "dWL": …, "dbL": …}
    """
    raise NotImplementedError("L_model_backward is not written yet")


def update_parameters(parameters, grads, learning_rate):
    """One step of gradient descent (N5, N23).

    Returns
    -------
    parameters : dict
        The same names, new arrays.
    """
    raise NotImplementedError("update_parameters is not written yet")


def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    """All of it: initialise, then num_iterations updates (N23).

    Returns
    -------
    parameters : dict
    costs : list
        The cost of every 100th iteration, the first one included.
    """
    raise NotImplementedError("L_layer_model is not written yet")
