"""Pictures of a run: what they hold, that nothing overlaps, and the same bytes for the same numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from parity.bench import plots, reading
from parity.bench.results import Group
from parity.drawing import as_svg, own_style
from tests.bench_results import results, small

pytest.importorskip("matplotlib")

from matplotlib.axis import Axis, Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [
    "ratio-step",
    "time-m-step",
    "time-n-step",
    "time-depth-step",
    "roofline-step",
    "ratio-forward",
    "roofline-forward",
]


def texts(svg: str | bytes) -> list[str]:
    return ["".join(text.itertext()).strip() for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    with own_style():
        return {name: draw() for name, draw in plots.pictures(results()).items()}


@pytest.fixture(scope="module")
def svgs(figures: dict[str, Figure]) -> dict[str, str]:
    with own_style():
        return {name: as_svg(figure) for name, figure in figures.items()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The pictures of a small run."""
    return plots.of_results(small(), tmp_path_factory.mktemp("pictures"))


def test_every_kind_of_picture_is_there_for_every_work(figures: dict[str, Figure], files: list[Path]) -> None:
    series = [f"time-{axis}-step" for axis in ("m", "n", "depth")]
    assert list(figures) == ["ratio-step", *series, "roofline-step", "ratio-forward", "roofline-forward"]
    names = [f"{name}.{form}" for name in ("ratio-step", "time-n-step", "roofline-step") for form in ("svg", "png")]
    assert [path.name for path in files] == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files[1::2])


def test_every_picture_says_where_and_when_it_was_made(svgs: dict[str, str]) -> None:
    for svg in svgs.values():
        said = ElementTree.fromstring(svg).findtext(f"{SVG}desc") or ""
        assert "Example CPU 9000 @ 2.80 GHz; 2026-11-25 16:15 UTC; commit fcc29e1c0ffe" in said
        assert any("float32 · cpu · 1 thread" in text for text in texts(svg))


def test_the_ratios_hold_every_case_and_implementation_and_say_what_is_noisy(svgs: dict[str, str]) -> None:
    said = texts(svgs["ratio-step"])
    assert {"reference", "jax-jit", "autograd", "shallow-2-4-1-m400", "logistic-784-1-m60000"} <= set(said)
    assert "float64 · cpu · 2 threads" in said
    assert sum("NOISY" in text for text in said) == 1
    assert not any("m65536" in text for text in said)


def test_the_ratios_are_those_of_the_run() -> None:
    run = small()
    with own_style():
        figure = plots.ratios(run, "step")
    (panel,) = figure.axes[1:]
    drawn = {container.lines[0].get_xdata()[0] for container in panel.containers}
    assert drawn == {line.ratio.median for line in reading.readings(run)[0].lines if line.name != "floor"}
    assert len(panel.patches) == 1  # shaded: it is noisy
    assert panel.get_title(loc="left").endswith("NOISY where shaded: drift 20 %")


def test_no_two_markers_of_a_panel_are_in_one_row(figures: dict[str, Figure]) -> None:
    for panel in figures["ratio-step"].axes[1:]:
        rows = [container.lines[0].get_ydata()[0] for container in panel.containers]
        assert len(rows) == len(set(rows))


def test_the_lines_are_the_medians_and_the_crossovers_are_ringed(figures: dict[str, Figure]) -> None:
    run, panel = results(), figures["time-m-step"].axes[0]
    (growth, _) = [g for g in reading.growths(run) if g.axis == "m"]
    drawn = {line.get_label(): list(line.get_ydata()) for line in panel.lines}
    label = f"jax-jit {growth.slope_text('jax-jit')}"
    assert drawn[label] == [line.times.median for line in growth.by_name["jax-jit"]]
    crossed = [c for c in reading.crossovers(growth, [growth]) if c.time is not None]
    rings = [line for line in panel.lines if line.get_markerfacecolor() == "none"]
    assert [(c.at, c.time) for c in crossed] == [(r.get_xdata()[0], r.get_ydata()[0]) for r in rings]
    assert len(rings) == 2


def test_what_never_wins_is_said_in_the_caption(svgs: dict[str, str]) -> None:
    said = ElementTree.fromstring(svgs["time-m-step"]).findtext(f"{SVG}desc") or ""
    assert "float32 · cpu · 1 thread: torch-compile beats torch-eager at every size" in said
    slow = replace(results(), groups=tuple(map(slowed, results().groups)))
    with own_style():
        caption = " ".join(plots.times(slow, "m", "step").get_supxlabel().split())
    assert "jax-jit beats reference at no size" in caption


def slowed(of: Group) -> Group:
    """The group with a jax-jit that takes a thousand times as long."""
    slow = {row.key: tuple(1000 * t for t in row.samples) for row in of.rows if row.key.implementation == "jax-jit"}
    return replace(of, rows=tuple(replace(row, samples=slow.get(row.key, row.samples)) for row in of.rows))


def test_a_marker_of_the_roofline_is_at_its_row_s_intensity_and_rate_and_under_the_peaks() -> None:
    run = small()
    with own_style():
        panel = plots.roofline(run, "step").axes[1]
    markers = {(line.get_xdata()[0], line.get_ydata()[0]) for line in panel.lines if line.get_linestyle() == "None"}
    assert markers == {(line.intensity, (line.rate or 0) / 1e9) for line in reading.lines(run)}
    (roof,) = [line for line in panel.lines if len(line.get_xdata()) == 4]
    assert max(roof.get_ydata()) == 95.1
    with own_style():
        panel = plots.roofline(replace(run, peaks=()), "step").axes[1]
    assert any(text.get_text() == "no peak was measured here" for text in panel.texts)


def collisions(figure: Figure) -> list[str]:
    """Texts that lie on each other, and those that are cut by the edge."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    outside = {id(tick.label1) for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for tick in out_of_view(axis)}
    seen = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and id(t) not in outside]
    boxes = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in seen]
    edge = figure.bbox
    cut = [said for said, box in boxes if min(box.x0, box.y0) < 0 or box.x1 > edge.width or box.y1 > edge.height]
    pairs = [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.overlaps(b)]
    return cut + [f"{one} on {other}" for one, other in pairs]


def out_of_view(axis: Axis) -> list[Tick]:
    """Ticks that matplotlib keeps, and does not draw."""
    least, most = sorted(axis.get_view_interval())
    return [tick for tick in axis.get_major_ticks() if not least <= tick.get_loc() <= most]


def test_no_text_lies_on_another_and_none_is_cut(figures: dict[str, Figure]) -> None:
    with own_style():
        found = {name: collisions(figure) for name, figure in figures.items()}
    assert found == {name: [] for name in found}


@pytest.mark.parametrize("names", [(), ("reference",), ("reference", "long" * 40)])
def test_a_small_run_has_room_too_whatever_the_length_of_its_names(names: tuple[str, ...]) -> None:
    (one, series) = small().groups
    rows = {name: replace(one.rows[3], key=replace(one.rows[3].key, implementation=name)) for name in names}
    lone = replace(one, rows=(one.rows[0], *rows.values()))
    run = replace(small(), groups=(lone, series), machine={"cpu": "processor " * 60})
    with own_style():
        for draw in plots.pictures(run).values():
            assert collisions(draw()) == []


def test_a_text_on_another_and_one_that_is_cut_are_noticed() -> None:
    figure = Figure((2, 2))
    for x, said in ((0.5, "one"), (0.52, "two"), (0.98, "cut")):
        figure.text(x, 0.5, said)
    assert collisions(figure) == ["cut", "one on two"]


def test_the_same_numbers_give_the_same_bytes(files: list[Path], tmp_path: Path) -> None:
    once = {path.name: path.read_bytes() for path in files}
    assert {path.name: path.read_bytes() for path in plots.of_results(small(), tmp_path)} == once


def test_a_name_with_a_meaning_elsewhere_is_drawn_as_it_is(tmp_path: Path) -> None:
    name = "a$b$ <script>&"
    (one, _) = small().groups
    keys = [replace(row.key, implementation=row.key.implementation.replace("autograd", name)) for row in one.rows]
    rows = tuple(replace(row, key=key) for row, key in zip(one.rows, keys, strict=True))
    for path in plots.of_results(replace(small(), groups=(replace(one, rows=rows),)), tmp_path)[::2]:
        assert name in texts(path.read_bytes())


def test_a_run_in_which_nothing_was_timed_has_no_pictures(tmp_path: Path) -> None:
    run = replace(results(), groups=tuple(g for g in results().groups if g.rows[0].skipped))
    assert run.groups
    assert plots.of_results(run, tmp_path) == []


def test_each_of_many_implementations_has_a_look_of_its_own() -> None:
    looks = [tuple(sorted(style.items())) for name, style in plots.styles(results()).items() if "floor" not in name]
    assert len(looks) == len(set(looks)) == 9
