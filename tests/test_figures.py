"""The notes' own pictures: what they say is what was computed, and those in docs/ are the ones that the code draws."""

from __future__ import annotations

import argparse
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from parity import drawing
from parity.errors import BadInput
from parity.training import figures
from reference import deep_network
from reference.initialization import hidden_units_identical

pytest.importorskip("matplotlib")

SVG = "{http://www.w3.org/2000/svg}"
DOCS = Path(__file__).parent.parent / "docs" / "figures"


def silent(what: str) -> None:
    """Tell nobody."""


def options(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    figures.add_options(parser)
    return parser.parse_args(given)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few numbers that every figure is there at once."""
    monkeypatch.setattr(figures, "RATED_ITERATIONS", 3)
    monkeypatch.setattr(figures, "START_ITERATIONS", 3)
    monkeypatch.setattr(figures, "SCALE_ITERATIONS", 2)
    monkeypatch.setattr(figures, "SIZES", (20, 40))
    monkeypatch.setattr(figures, "DRAWS", 2)


@pytest.mark.usefixtures("short")
def test_the_command_draws_what_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert figures.command(options(str(tmp_path / "new"), "--only", "scale,learning-rates", "--only", "scale")) == 0
    names = ["learning-rates.svg", "learning-rates.png", "scale.svg", "scale.png"]
    out = capsys.readouterr().out.splitlines()
    assert out == [*(f"written {tmp_path / 'new' / name}" for name in names), "computed by running reference/ (NumPy)"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(names)
    svg = ElementTree.parse(tmp_path / "new" / "scale.svg").getroot()
    texts = {"".join(text.itertext()).strip() for text in svg.iter(f"{SVG}text")}
    assert texts >= {*figures.NETWORKS, "m, labelled examples", "test accuracy", "20", "40"}
    caption = svg.findtext(f"{SVG}desc")
    assert caption is not None
    assert "α = 0.1, 2 iterations" in caption


@pytest.mark.usefixtures("short")
def test_without_a_choice_all_are_drawn_and_each_step_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []

    def tell(self: object, what: str, at: str, steps: int, total: int) -> None:
        told.extend([(what, at)] * steps)

    monkeypatch.setattr(figures.Progress, "told", tell)
    monkeypatch.setattr(figures, "save", lambda figure, path: [path])
    assert figures.command(options(str(tmp_path))) == 0
    assert len(told) == 10 + 3 + 3 * 2
    assert told[9:11] == [("learning-rates", "shallow network · α = 3000"), ("initialisation", "W = 0")]
    assert told[-1] == ("scale", "deep network · m = 40")


@pytest.mark.usefixtures("short")
def test_figures_that_cannot_be_written_leave_no_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(figure: object, path: Path) -> None:
        raise BadInput("No space left on device")

    monkeypatch.setattr(figures, "save", full)
    with pytest.raises(BadInput, match="No space"):
        figures.command(options(str(tmp_path / "new")))
    assert not list(tmp_path.iterdir())


def test_the_bar_comes_to_its_end() -> None:
    parts = {name: parts for name, (_, parts) in figures.FIGURES.items()}
    assert parts == {"learning-rates": 10, "initialisation": 3, "scale": 3 * len(figures.SIZES)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("new", "--only", "initialization"), "there is no figure 'initialization'; did you mean initialisation?"),
        (("file",), "file is no folder: name one"),
        (("nowhere/new",), "is no folder: make it first"),
    ],
)
def test_what_a_user_gets_wrong_is_one_line(given: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=said.replace("?", r"\?")):
        figures.command(options(str(tmp_path / given[0]), *given[1:]))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", figures.RATED)
def test_every_learning_rate_does_what_its_label_says(name: str) -> None:
    J = {what: figures.costs(name, alpha) for alpha, what in figures.RATES.items()}
    up = {what: np.flatnonzero(np.diff(costs) > 0) for what, costs in J.items()}
    half = figures.RATED_ITERATIONS // 2
    assert {len(costs) for costs in J.values()} == {figures.RATED_ITERATIONS}
    assert not up["slow"].size
    assert not up["good"].size
    assert J["good"][-1] < J["slow"][-1] < J["slow"][0]
    assert up["overshoots at first"][0] == 0
    assert up["overshoots at first"].max() < half
    assert J["overshoots at first"][-1] < J["good"][-1]
    # which steps rise is decided by rounding, and differs between processors
    assert up["oscillates"].size > up["overshoots at first"].size
    assert up["oscillates"].max() >= half
    assert J["oscillates"].min() < J["oscillates"][0]
    assert J["stays above the start"][1:].min() > J["stays above the start"][0]
    assert np.isfinite(J["stays above the start"]).all()


def test_every_start_does_what_its_title_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "START_ITERATIONS", 500)
    zero, small, large = (figures.rows(scale) for scale in figures.STARTS.values())
    assert all(hidden_units_identical(W1) for W1 in zero[0])
    assert zero[0].shape == (501, figures.UNITS, 2)
    assert zero[1][0] == zero[1][1]
    spread = np.ptp(small[0], axis=1)
    assert np.all(spread[-1] > 10 * spread[0])
    assert small[1][1] < small[1][0]
    assert max(large[2]) < small[2][0] / 10 < zero[2][0]


def test_what_is_tested_was_not_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """The columns that reach `train` and those that reach the test have none in common, and m is what it is called."""
    X, _, _ = figures.real.digits()
    columns = {x.tobytes(): i for i, x in enumerate(X.T)}
    assert len(columns) == X.shape[1]
    learned: list[set[int]] = []
    tested: list[set[int]] = []

    def train(params: dict[str, np.ndarray], X: np.ndarray, *_: object) -> tuple[dict[str, np.ndarray], None]:
        learned.append({columns[np.ascontiguousarray(x).tobytes()] for x in X.T})
        return params, None

    def forward(params: object, X: np.ndarray, activations: object) -> tuple[np.ndarray, None]:
        tested.append({columns[np.ascontiguousarray(x).tobytes()] for x in X.T})
        return np.zeros((1, X.shape[1])), None

    monkeypatch.setattr(deep_network, "train", train)
    monkeypatch.setattr(deep_network, "forward", forward)
    for m in (figures.SIZES[0], figures.SIZES[-1]):
        figures.accuracies((3,), m)
        assert {len(of) for of in learned[-figures.DRAWS :]} == {m}
    assert all(of == tested[0] and len(of) == figures.TESTED for of in tested)
    assert all(not of & tested[0] for of in learned)
    assert len({frozenset(of) for of in learned[: figures.DRAWS]}) == figures.DRAWS
    assert learned[-1] | tested[0] == set(range(X.shape[1]))


def test_more_labelled_data_and_a_hidden_layer_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "DRAWS", 2)
    monkeypatch.setattr(figures, "SCALE_ITERATIONS", 200)
    few, many = figures.accuracies((16,), 20), figures.accuracies((16,), 320)
    assert max(few) < min(many)
    assert max(figures.accuracies((), 320)) < min(many)


@pytest.mark.parametrize("name", figures.FIGURES)
def test_the_picture_in_docs_is_of_these_numbers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its caption is the code's: a changed α, seed or number of iterations asks for `parity figures docs/figures`."""
    monkeypatch.setattr(figures, "costs", lambda name, alpha: np.array([2.0, 1.0]))
    monkeypatch.setattr(figures, "rows", lambda scale: (np.zeros((2, figures.UNITS, 2)), [1.0, 1.0], [1.0, 1.0]))
    monkeypatch.setattr(figures, "accuracies", lambda hidden, m: [0.5, 0.75])
    with drawing.own_style():
        figure = figures.FIGURES[name][0](silent)
    path = DOCS / f"{name}.svg"
    svg = ElementTree.parse(path).getroot()
    assert svg.findtext(f"{SVG}title") == figure.get_suptitle()
    assert svg.findtext(f"{SVG}desc") == " ".join(figure.get_supxlabel().split())
    assert path.stat().st_size < 150_000
