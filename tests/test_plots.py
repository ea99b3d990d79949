"""Pictures of a descent: what they hold, whatever came of it, and the same bytes for the same result."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from parity import drawing
from parity.errors import BadInput
from parity.problems import Problem, catalogue
from parity.training import Descent, plots
from parity.training.amplification import Curvature, Distance
from parity.training.arbitrary import Sum
from parity.training.exact import ExactTrajectory
from parity.training.result import Result
from parity.training.trail import Trail
from reference import shallow_network

pytest.importorskip("matplotlib")

STEPS = 12
SVG = "{http://www.w3.org/2000/svg}"


def trail(name: str, problem: Problem, steps: int = STEPS, off: float = 0.0) -> Trail:
    """That of reference, from a W1 that is off by a factor."""
    params, X, Y = problem.inputs("float64")
    passed, costs = [{**params, "W1": params["W1"] * (1 + off)}], []
    for _ in range(steps):
        J, grads = shallow_network.cost_and_gradients(passed[-1], X, Y, problem.activations)
        costs.append(J)
        passed.append(shallow_network.update(passed[-1], grads, 1.2))
    history = {p: np.stack([params[p] for params in passed]) for p in params}
    return Trail(name, 0, history, np.array(costs), {}, np.array(costs), np.zeros(steps))


def result(steps: int = STEPS) -> Result:
    """Three trails on the flower, two of them the same, with an exact trajectory, a horizon and a steep stretch."""
    problem = catalogue.build("flower")
    same, other = trail("reference", problem, steps), trail("jax-jit", problem, steps, 2.0**-20)
    trails = [same, replace(same, implementation="torch-eager"), other]
    end = shallow_network.cost(same.at(-1), *problem.inputs("float64")[1:], problem.activations)
    exact = ExactTrajectory(
        {name: Sum(p, np.zeros_like(p)) for name, p in same.params.items()},
        Sum(np.append(same.costs, end), np.zeros(steps + 1)), 256, False, 10,
    )  # fmt: skip
    far = 10.0 ** -np.linspace(15, 5, steps) if steps else np.empty(0)
    distances = [Distance(t.implementation, 0, far, 2 * far, far, far) for t in trails]
    curvatures = [Curvature(0, -0.1, 1.9), Curvature(4, -0.1, 2.1), Curvature(8, -0.1, 1.8)] if steps else []
    return Result(Descent(problem, steps), 10, trails, "", exact=exact, distances=distances, curvatures=curvatures)


def texts(svg: bytes) -> set[str]:
    return {"".join(text.itertext()).strip() for text in ElementTree.fromstring(svg).iter(f"{SVG}text")}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return plots.of_result(result(), drawing.writable_folder(str(tmp_path_factory.mktemp("pictures") / "new")))


def test_every_picture_is_there_in_both_forms_and_holds_its_labels(files: list[Path]) -> None:
    names = [f"{name}.{form}" for name in ("cost", "divergence", "boundaries") for form in ("svg", "png")]
    assert [path.name for path in files] == names
    assert sorted(path.name for path in files[0].parent.iterdir()) == sorted(names)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files[1::2])
    cost, divergence, boundaries = (texts(path.read_bytes()) for path in files[::2])
    implementations = {"reference", "torch-eager", "jax-jit"}
    assert cost >= implementations | {"exact", "iteration", "J", "horizon"}
    assert "horizon: 10 digits of J are determined up to step 5" in cost
    assert divergence >= implementations | {"predicted", "iteration", "unit roundoff of float64", "α λ max > 2"}
    assert divergence >= {"reference – torch-eager", "reference – jax-jit", "torch-eager – jax-jit"}
    assert boundaries >= implementations | {"exact", "x₁", "x₂", "y = 0", "y = 1"}


def test_a_picture_says_what_it_is_to_a_screen_reader(files: list[Path]) -> None:
    svg = ElementTree.parse(files[0]).getroot()
    assert svg.get("role") == "img"
    assert svg.findtext(f"{SVG}title") == "flower: J against the iteration"
    description = svg.findtext(f"{SVG}desc")
    assert description is not None
    assert "shallow network 2-4-1" in description
    assert "α = 1.2" in description


def test_the_same_result_gives_the_same_bytes_whatever_the_users_settings(files: list[Path], tmp_path: Path) -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 20.0, "svg.hashsalt": None, "axes.facecolor": "black"}):
        again = plots.of_result(result(), tmp_path)
        assert matplotlib.rcParams["axes.facecolor"] == "black"
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in again]
    assert b"dc:date" not in files[0].read_bytes()


def nan_costs(of: Result) -> Result:
    of.trails[0] = replace(of.trails[0], costs=np.full(STEPS, np.nan))
    return of


def diverged(of: Result) -> Result:
    last = {name: np.where(np.arange(STEPS + 1).reshape(-1, *[1] * (p.ndim - 1)) == STEPS, np.nan, p)
            for name, p in of.trails[0].params.items()}  # fmt: skip
    costs = np.append(of.trails[0].costs[:-1], np.inf)
    bad = replace(of.trails[0], params=last, costs=costs, values=costs, diverged="J")
    return replace(of, trails=[bad, *of.trails[1:]], exact=None, distances=[], curvatures=[], no_exact="not to the end")


def resumed(of: Result) -> Result:
    late = of.trails[2]
    params = {name: p[5:] for name, p in late.params.items()}
    of.trails[2] = replace(late, first=5, params=params, values=late.values[5:], share=late.share[5:])
    of.distances[2] = replace(of.distances[2], first=5, **{
        k: getattr(of.distances[2], k)[5:] for k in ("params", "predicted", "cost", "predicted_cost")
    })  # fmt: skip
    return of


def skipped(of: Result) -> Result:
    trails = [replace(t, skipped="no such machine") for t in of.trails]
    return replace(of, trails=trails, exact=None, distances=[], curvatures=[])


def other_names(of: Result) -> Result:
    return replace(of, descent=replace(of.descent, problem=replace(of.descent.problem, name="a$b$ <&> 数")))


VARIANTS: dict[str, Callable[[], Result]] = {
    "no exact trajectory": lambda: replace(result(), exact=None, distances=[], curvatures=[], no_exact="not asked for"),
    "one implementation": lambda: replace(result(), trails=result().trails[:1], distances=result().distances[:1]),
    "only one, and nothing to compare it with": lambda: replace(
        result(), trails=result().trails[:1], distances=[], curvatures=[], exact=None, no_exact="not asked for"
    ),
    "no step": lambda: result(0),
    "one step": lambda: result(1),
    "diverged": lambda: diverged(result()),
    "resumed, without costs of its own, and a name with a meaning elsewhere": lambda: other_names(
        nan_costs(resumed(result()))
    ),
    "all skipped": lambda: skipped(result()),
    "nine implementations": lambda: replace(
        result(), trails=[replace(result().trails[i % 3], implementation=f"i{i}") for i in range(9)]
    ),
}


SAID = {
    ("no exact trajectory", "divergence"): "no exact trajectory: not asked for",
    ("only one, and nothing to compare it with", "divergence"): "no two implementations to compare",
    ("no step", "divergence"): "no two implementations to compare",
    ("all skipped", "cost"): "no step was made",
    ("nine implementations", "divergence"): "the other 35 pairs",
    ("diverged", "boundaries"): "reference: none in sight",
    ("resumed, without costs of its own, and a name with a meaning elsewhere", "cost"): (
        "a$b$ <&> 数: J against the iteration"
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_whatever_came_of_it_is_drawn(variant: str) -> None:
    """Without an error or a warning but for letters that the font has not, and with what is missing said."""
    of = VARIANTS[variant]()
    with drawing.own_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        for name in ("cost", "divergence", "boundaries"):
            svg = BytesIO()
            getattr(plots, name)(of).savefig(svg, format="svg", metadata={"Date": None})
            assert SAID.get((variant, name), f"{of.descent.problem.name}: ") in " ".join(texts(svg.getvalue()))


def test_letters_that_the_font_has_not_are_no_warning(tmp_path: Path) -> None:
    with drawing.own_style():
        drawing.save(drawing.sheet("数", "$x <&>", 1.0), tmp_path / "picture")
    svg = ElementTree.parse(tmp_path / "picture.svg").getroot()
    assert (svg.findtext(f"{SVG}title"), svg.findtext(f"{SVG}desc")) == ("数", "$x <&>")
    assert texts((tmp_path / "picture.svg").read_bytes()) == {"数", "$x <&>"}


def test_one_step_is_a_dot_and_an_iteration_a_whole_number() -> None:
    with drawing.own_style():
        for ax in plots.cost(result(1)).axes + plots.divergence(result(1)).axes:
            dots = [line for line in ax.lines if len(line.get_xdata()) == 1]
            assert len(dots) >= 3
            assert {line.get_marker() for line in dots} == {"o"}
            assert all(x == int(x) for x in ax.get_xticks())


def test_a_panel_without_a_curve_leaves_the_numbers_of_the_other() -> None:
    with drawing.own_style():
        above, below = plots.divergence(VARIANTS["no exact trajectory"]()).axes
        assert below.get_xticks().size > 2
        (alone,) = plots.cost(VARIANTS["all skipped"]()).axes
    for ax in (above, alone):
        assert not ax.get_yticks().size
        assert not ax.xaxis.get_tick_params()["labelbottom"]


def test_only_two_features_and_one_output_have_a_boundary_in_the_plane(tmp_path: Path) -> None:
    wine = catalogue.build("wine_deep")
    drawn = plots.of_result(Result(Descent(wine, 0), 10, [], ""), tmp_path)
    assert [path.stem for path in drawn] == ["cost", "cost", "divergence", "divergence"]


def test_a_cost_that_an_implementation_lacks_is_the_witness_s() -> None:
    whole = result().trails[0]
    lacking = replace(whole, costs=np.where(np.arange(STEPS) == 3, whole.costs, np.nan), values=whole.values + 1)
    assert np.array_equal(plots.costs_of(lacking), np.where(np.arange(STEPS) == 3, whole.costs, whole.costs + 1))
    assert np.isnan(lacking.costs).sum() == STEPS - 1


def test_the_horizon_is_marked_where_it_is_and_not_at_the_end() -> None:
    of = result()
    with drawing.own_style():
        marks = [line for line in plots.cost(of).axes[0].lines if line.get_linestyle() == "-."]
        assert [list(line.get_xdata()) for line in marks] == [[of.horizon, of.horizon]]
        near = [replace(d, cost=np.zeros(STEPS)) for d in of.distances]
        ax = plots.cost(replace(of, distances=near)).axes[0]
    assert all(line.get_linestyle() != "-." for line in ax.lines)
    assert ax.get_title(loc="left") == "10 digits of J are determined to the end"


def test_the_curves_are_those_of_the_result() -> None:
    of = result()
    with drawing.own_style():
        (drawn,) = plots.cost(of).axes
        above, below = plots.divergence(of).axes
    for trail, line in zip(of.trails, drawn.lines[::2], strict=False):
        assert np.array_equal(line.get_ydata(), trail.costs)
    for d, (measured, predicted) in zip(
        of.distances, zip(above.lines[::2], above.lines[1::2], strict=False), strict=False
    ):
        assert np.array_equal(measured.get_ydata(), d.params)
        assert np.array_equal(predicted.get_ydata(), d.predicted)
        assert predicted.get_linestyle() == ":"
    apart = {line.get_label(): np.asarray(line.get_ydata()) for line in below.lines}
    J, other = of.trails[0].values, of.trails[2].values
    assert not apart["reference – torch-eager"].any()
    assert np.array_equal(apart["reference – jax-jit"], np.abs(J - other) / J)
    assert apart["reference – jax-jit"].any()
    assert list(apart["unit roundoff of float64"]) == [2.0**-53] * 2


def test_steps_that_only_one_has_made_are_not_compared() -> None:
    of = resumed(result())
    first, apart = plots._apart(of.trails[0], of.trails[2])
    assert (first, apart.size) == (5, STEPS - 5)
    early = replace(of.trails[0], values=of.trails[0].values[:3])
    assert plots._apart(early, of.trails[2])[1].size == 0


def test_where_an_eigenvalue_is_beyond_two_is_shaded_and_nowhere_else() -> None:
    with drawing.own_style():
        for ax in plots.divergence(result()).axes:
            spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]
            assert spans == [(2.0, 6.0)]


@pytest.mark.parametrize("n", [3, 1000, 1001, 12345])
def test_a_long_curve_keeps_its_ends_and_extremes(n: int) -> None:
    y = np.random.RandomState(0).standard_normal(n)
    y[n // 2] = np.inf
    finite = np.where(np.isfinite(y), y, np.nan)
    for thinned, of in ((drawing.extremes, (np.nanmin, np.nanmax)), (drawing.largest, (np.nanmax,))):
        steps, values = thinned(y, 7)
        assert np.array_equal(values, finite[steps - 7], equal_nan=True)
        assert (steps[0], steps[-1]) == (7, n + 6)
        assert steps.size <= max(1000, 2 * drawing.POINTS + 2)
        assert np.all(np.diff(steps) > 0)
        assert all(f(values) == f(finite) for f in of)


def straight(w: tuple[float, float], b: float) -> Problem:
    X = np.array([[-1.0, 1.0, 0.5, -0.5], [1.0, -1.0, 0.25, 0.5]])
    params = {"w": np.array(w)[:, None], "b": np.array(b)}
    return Problem("line", "logistic_regression", "data", X, np.array([[0.0, 1, 1, 0]]), params, ("sigmoid",))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_boundary_is_where_the_output_is_a_half_and_every_implementation_has_its_share(n: int) -> None:
    """x₁ = 1/4: each of n draws some of the line, and together all of it, from the lower end to the upper."""
    from matplotlib.figure import Figure

    problem, covered = straight((4.0, 0.0), -1.0), []
    for i in range(n):
        ax = Figure().subplots()
        ax.set(xlim=(-1, 1), ylim=(-1, 1))
        plots.boundary(ax, problem, dict(problem.params), "it", i, n)
        x1, x2 = np.asarray(ax.lines[0].get_xydata()).T
        assert set(x1[np.isfinite(x1)]) == {0.25}
        pairs = np.isfinite(x2[1:]) & np.isfinite(x2[:-1])
        assert pairs.any()
        covered += list(np.minimum(x2[1:], x2[:-1])[pairs])
    assert len(covered) == len(set(covered)) == plots.GRID - 1


def test_a_boundary_that_is_out_of_sight_is_said() -> None:
    from matplotlib.figure import Figure

    problem, ax = straight((1.0, 0.0), 100.0), Figure().subplots()
    ax.set(xlim=(-1, 1), ylim=(-1, 1))
    plots.boundary(ax, problem, dict(problem.params), "it")
    assert [line.get_label() for line in ax.lines] == ["it: none in sight"]


def test_a_colour_each_and_stripes_that_leave_no_gap() -> None:
    assert len(set(drawing.colours(8))) == 8
    assert drawing.colours(9)[8] == drawing.colours(1)[0]
    assert drawing.striped(1) == ["solid"]
    for n in (2, 5):
        for i, (offset, (on, off)) in enumerate(drawing.striped(n)):
            assert offset == i * on
            assert on + off == n * on


def test_a_missing_matplotlib_is_one_line_and_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"pip install 'gradient-parity\[plots\]'"):
        drawing.writable_folder(str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_folder_that_goes_away_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="could not be written"):
        plots.of_result(result(1), tmp_path / "gone")


@pytest.mark.parametrize("steps", [1, 2, STEPS])
def test_the_exact_curve_ends_where_the_others_do(steps: int) -> None:
    """It knows J after the last step, too; they do not."""
    of = result(steps)
    with drawing.own_style():
        ax = plots.cost(of).axes[0]
    (exact,) = [line for line in ax.lines if line.get_label() == "exact"]
    assert np.array_equal(exact.get_ydata(), of.exact.costs.high[:steps])
    assert list(exact.get_xdata()) == list(range(steps))


def test_numbers_on_an_axis_are_whole_numbers_not_offsets() -> None:
    """J from 0.6930 to 0.6929 is written so, not as 1e−5 above 6.929e−1."""
    with drawing.own_style():
        figure = plots.cost(result(2))
        figure.draw_without_rendering()
    assert figure.axes[0].yaxis.get_major_formatter().get_offset() == ""


@pytest.mark.parametrize(("variant", "shown"), [("one implementation", 0), ("no exact trajectory", 1)])
def test_the_lowest_panel_with_a_curve_has_the_iterations(variant: str, shown: int) -> None:
    with drawing.own_style():
        figure = plots.divergence(VARIANTS[variant]())
        figure.draw_without_rendering()
    labelled = [ax.xaxis.get_tick_params()["labelbottom"] for ax in figure.axes]
    assert labelled == [panel == shown for panel in (0, 1)]
    assert [ax.get_xlabel() for ax in figure.axes] == ["iteration" * (panel == shown) for panel in (0, 1)]


def test_where_no_digit_is_determined_no_horizon_is_drawn() -> None:
    of = result()
    lost = replace(of, distances=[replace(d, cost=np.ones(STEPS)) for d in of.distances])
    assert lost.horizon == -1
    with drawing.own_style():
        panels = plots.cost(lost).axes + plots.divergence(lost).axes
    assert all(list(line.get_xdata()) != [-1, -1] for ax in panels for line in ax.lines)
    assert panels[0].get_title(loc="left") == "10 digits of J are determined at no step"
    none = np.empty(0)
    ended = [replace(d, first=STEPS, cost=none, params=none, predicted=none) for d in of.distances]
    with drawing.own_style():
        ax = plots.cost(replace(of, distances=ended)).axes[0]
    assert ax.get_title(loc="left") == "10 digits of J are determined to the end"  # they were resumed where it ends


def test_no_word_of_a_caption_stands_alone() -> None:
    for n in (10, 20, 26, 27, 30, 53, 60):
        lines = drawing.wrapped("word " * n)
        assert " ".join(lines).split() == ["word"] * n
        assert max(map(len, lines)) <= drawing.CHARACTERS
        assert len(lines) == -(-n // 26)
        assert len(lines) == 1 or 6 * len(lines[-1]) > drawing.CHARACTERS
    with drawing.own_style():
        caption = drawing.sheet("", "word " * 27, 1).get_supxlabel()
    assert [line.count("word") for line in caption.splitlines()] == [22, 5]
