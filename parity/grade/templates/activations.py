"""Activation functions and their derivatives (slides N15, N17).

Write the functions, in any order, and run: parity grade FILE
What is not written yet is not graded.

Every function works element by element, on an array of any shape, however large or small its elements are.
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


def sigmoid_derivative(z):
    """The slope of the sigmoid at every element (N17).

    Returns
    -------
    array
        Of the shape of z.
    """
    raise NotImplementedError("sigmoid_derivative is not written yet")


def tanh(z):
    """The hyperbolic tangent of every element (N15).

    Returns
    -------
    array
        Of the shape of z.
    """
    raise NotImplementedError("tanh is not written yet")


def tanh_derivative(z):
    """The slope of the hyperbolic tangent at every element (N17).

    Returns
    -------
    array
        Of the shape of z.
    """
    raise NotImplementedError("tanh_derivative is not written yet")


def relu(z):
    """ReLU of every element (N15).

    Returns
    -------
    array
        Of the shape of z.
    """
    raise NotImplementedError("relu is not written yet")


def relu_derivative(z):
    """The slope of ReLU at every element (N17).

    Returns
    -------
    array
        Of the shape of z.
    """
    raise NotImplementedError("relu_derivative is not written yet")


def leaky_relu(z):
    """Leaky ReLU, whose slope on the left is 0.01, of every element (N15).

    Returns
    -------
    array
        Of the shape of z.
    """
    raise NotImplementedError("leaky_relu is not written yet")


def leaky_relu_derivative(z):
    """The slope of leaky ReLU, whose slope on the left is 0.01, at every element (N17).

    Returns
    -------
    array
        Of the shape of z.
    """
    raise NotImplementedError("leaky_relu_derivative is not written yet")
