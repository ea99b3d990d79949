"""The network with one hidden layer of tanh units (slides N13, N14, N18, N19).

Write the functions, in any order, and run: parity grade FILE
What is not written yet is not graded.

One example is a column of X; m is the number of examples.
Shapes: W1 (n_h, n_x), b1 (n_h, 1), W2 (n_y, n_h), b2 (n_y, 1), X (n_x, m), Y (1, m), holding 0 and 1.
"""

import numpy as np


def sigmoid(z):
    """The sigmoid of every element (N3).

    Returns
    -------
    array
        Of the shape of z.
    """
    raise NotImplementedError("sigmoid is not written yet")


def layer_sizes(X, Y):
    """The number of inputs, hidden units (4) and outputs (N13).

    Returns
    -------
    n_x, n_h, n_y : int
    """
    raise NotImplementedError("layer_sizes is not written yet")


def initialize_parameters(n_x, n_h, n_y):
    """The parameters to start from (N19).

    Returns
    -------
    parameters : dict
        {"W1": (n_h, n_x), "b1": (n_h, 1), "W2": (n_y, n_h), "b2": (n_y, 1)}
    """
    raise NotImplementedError("initialize_parameters is not written yet")


def forward_propagation(X, parameters):
    """Both layers for all examples at once (N14).

    Returns
    -------
    A2 : (1, m)
        The probability that y = 1, for every example.
    cache : dict
        {"Z1": (n_h, m), "A1": (n_h, m), "Z2": (1, m), "A2": (1, m)}
    """
    raise NotImplementedError("forward_propagation is not written yet")


def compute_cost(A2, Y):
    """The mean loss over the examples (N4).

    Returns
    -------
    cost : float
    """
    raise NotImplementedError("compute_cost is not written yet")


def backward_propagation(parameters, cache, X, Y):
    """The six formulas (N18).

    Returns
    -------
    grads : dict
        {"dW1": …, "db1": …, "dW2": …, "db2": …}, each of the shape of its parameter.
    """
    raise NotImplementedError("backward_propagation is not written yet")


def update_parameters(parameters, grads, learning_rate=1.2):
    """One step of gradient descent (N5, N18).

    Returns
    -------
    parameters : dict
        {"W1": …, "b1": …, "W2": …, "b2": …}, new arrays.
    """
    raise NotImplementedError("update_parameters is not written yet")


def nn_model(X, Y, n_h, num_iterations=10000, print_cost=False):
    """All of it: initialise, then num_iterations updates (N18).

    Returns
    -------
    parameters : dict
    """
    raise NotImplementedError("nn_model is not written yet")


def predict(parameters, X):
    """The class of every example (N3).

    Returns
    -------
    predictions : (1, m)
        0 or 1.
    """
    raise NotImplementedError("predict is not written yet")
