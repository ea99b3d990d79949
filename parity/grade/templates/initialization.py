"""Initialisation (slides N11, N19).

Write the functions, in any order, and run: parity grade FILE
What is not written yet is not graded.

Shapes: W[l] (n[l], n[l-1]), b[l] (n[l], 1).
"""

import numpy as np


def initialize_with_zeros(dim):
    """The parameters of logistic regression to start from (N11).

    Returns
    -------
    w : (dim, 1)
    b : float
    """
    raise NotImplementedError("initialize_with_zeros is not written yet")


def initialize_parameters(n_x, n_h, n_y):
    """The parameters of the network with one hidden layer to start from (N19).

    Returns
    -------
    parameters : dict
        {"W1": (n_h, n_x), "b1": (n_h, 1), "W2": (n_y, n_h), "b2": (n_y, 1)}
    """
    raise NotImplementedError("initialize_parameters is not written yet")


def initialize_parameters_deep(layer_dims):
    """The parameters of the network with L layers to start from (N19); layer_dims is [n[0], n[1], …, n[L]].

    Returns
    -------
    parameters : dict
        {"W1": (n[1], n[0]), "b1": (n[1], 1), …, "WL": …, "bL": …}
    """
    raise NotImplementedError("initialize_parameters_deep is not written yet")
