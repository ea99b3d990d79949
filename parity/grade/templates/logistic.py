"""Logistic regression (slides N3-N5, N9, N11).

Write the functions, in any order, and run: parity grade FILE
What is not written yet is not graded.

One example is a column of X; m is the number of examples.
Shapes: w (n_x, 1), b a number, X (n_x, m), Y (1, m), holding 0 and 1.
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


def initialize_with_zeros(dim):
    """The parameters to start from (N11).

    Returns
    -------
    w : (dim, 1)
    b : float
    """
    raise NotImplementedError("initialize_with_zeros is not written yet")


def propagate(w, b, X, Y):
    """The cost (N4) and its gradients (N11) on all examples.

    Returns
    -------
    grads : dict
        {"dw": (n_x, 1), "db": a number}
    cost : float
    """
    raise NotImplementedError("propagate is not written yet")


def optimize(w, b, X, Y, num_iterations, learning_rate, print_cost=False):
    """Gradient descent: num_iterations updates (N5, N11).

    Returns
    -------
    params : dict
        {"w": …, "b": …} after the last update.
    grads : dict
        {"dw": …, "db": …} of the last iteration.
    costs : list
        The cost of every 100th iteration, the first one included.
    """
    raise NotImplementedError("optimize is not written yet")


def predict(w, b, X):
    """The class of every example (N3).

    Returns
    -------
    Y_prediction : (1, m)
        0 or 1.
    """
    raise NotImplementedError("predict is not written yet")


def model(X_train, Y_train, X_test, Y_test, num_iterations=2000, learning_rate=0.5, print_cost=False):
    """All of it: initialise, optimise, predict (N11).

    Returns
    -------
    d : dict
        {"w": …, "b": …, "costs": …, "Y_prediction_train": …, "Y_prediction_test": …}
    """
    raise NotImplementedError("model is not written yet")
