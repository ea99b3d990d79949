"""Curves: what they say is what reference/ computes, and another function is another picture."""

from __future__ import annotations

import numpy as np
import pytest

from parity.drawing import own_style, sheet
from parity.study import plots
from parity.study.svg import number
from parity.training import figures
from reference.activations import relu_derivative

pytest.importorskip("matplotlib")


def test_the_kink_has_the_value_of_the_convention_filled_and_the_other_open() -> None:
    with own_style():
        _, right = plots.activation("leaky_relu").axes[:2]
    filled, open_ = (line for line in right.lines if line.get_marker() == "o")
    assert list(filled.get_ydata()) == [0.01]
    assert list(open_.get_ydata()) == [1]
    assert open_.get_markerfacecolor() == plots.PAPER
    assert filled.get_markerfacecolor() != plots.PAPER


def test_another_slope_at_zero_is_drawn_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    right = plots.drawn("relu", lambda: plots.activation("relu"))
    assert "g′(0) = 0," in right.replace("\N{NO-BREAK SPACE}", " ")
    monkeypatch.setitem(plots.DERIVATIVES, "relu", lambda Z: np.where(Z == 0, 1.0, relu_derivative(Z)))
    other = plots.drawn("relu", lambda: plots.activation("relu"))
    assert "g′(0) = 1," in other.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_a_smooth_activation_and_its_derivative_belong_together(name: str) -> None:
    """By the mean value theorem a difference quotient lies between the slopes at its ends, where these are monotone."""
    with own_style():
        left, right = plots.activation(name).axes[:2]
    z, a = left.lines[0].get_data()
    slopes = np.asarray(right.lines[2].get_ydata())  # after the axes
    quotients = np.diff(np.asarray(a)) / np.diff(np.asarray(z))
    rising = np.asarray(z)[1:] <= 0
    assert np.all((slopes[:-1] < quotients)[rising])
    assert np.all((quotients < slopes[1:])[rising])


def test_the_loss_over_a_and_over_z_is_the_same() -> None:
    with own_style():
        left, right = plots.loss().axes[:2]
    for over_a, over_z, y in zip(left.lines, right.lines, (1, 0), strict=True):
        assert np.array_equal(over_a.get_ydata(), over_z.get_ydata())
        direct = -np.log(over_a.get_xdata() if y else 1 - np.asarray(over_a.get_xdata()))
        assert [number(x, 6) for x in direct] == [number(x, 6) for x in np.asarray(over_a.get_ydata())]


def test_descent_on_a_convex_cost_goes_down_and_its_chord_is_above() -> None:
    with own_style():
        J, chord, steps = plots.convex().axes[0].lines
    costs = np.asarray(steps.get_ydata())
    assert np.all(np.diff(costs) < 0)
    (w, w_end), (left, right) = chord.get_data()
    x, y = map(np.asarray, J.get_data())
    inside = (x > w) & (x < w_end)
    assert np.all(y[inside] < (left + (right - left) * (x - w) / (w_end - w))[inside])


def test_a_nudge_says_the_slope_that_is_measured_and_the_derivative() -> None:
    said = plots.drawn("nudge", plots.nudge)
    for text in ("3a at 2: 3, 3", "a² at 5: 10.001, 10", "a³ at 2: 12.006, 12", "log a at 5: 0.19998, 0.2"):
        assert text in said


def test_more_data_is_more_accuracy_in_every_model() -> None:
    """The figure's point, at its ends, for the model that costs least."""
    few, many = (figures.accuracies((), m, plots.DRAWS, plots.RATE, plots.ITERATIONS) for m in (20, 640))
    assert np.mean(many) > np.mean(few)


def test_powers_of_ten_are_text() -> None:
    found = (1e-16, 2e-7, 0.0, 0.1, -5.0, 1e3, 1e4)
    assert [plots._power(x) for x in found] == ["10⁻¹⁶", "2 · 10⁻⁷", "0", "0.1", "−5", "1000", "10⁴"]
    with own_style():
        figure = sheet("x", "x", 2)
        ax = figure.subplots()
        ax.plot([1, 2], [1e-9, 1])
        ax.set_yscale("log")
    assert "10⁻⁹" in plots.drawn("x", lambda: figure)


def test_ink_paper_and_stripes_become_the_page_s_colours() -> None:
    path = '<path d="M 1.23456 -3.04 L 7.0 8.25" style="fill: #fefefe; stroke: #0072b2"/>'
    svg = f'<svg viewBox="0 0 1.23456 2">{path}</svg>'
    found = plots.themed(svg, "x")
    assert 'd="M 1.2 -3 L 7 8.2"' in found
    assert "fill: var(--back); stroke: var(--curve-1, #0072B2)" in found
