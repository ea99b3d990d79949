"""Pictures of a run, each as SVG and PNG, one of a kind for each work.

ratio     how many times the floor each implementation takes, case by case
time      time against what grows in a series, with the slope, and where compiling or the GPU begins to win
roofline  operations in a second against operations for each byte, under what the machine was measured to do
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import cycle
from math import exp, log
from pathlib import Path
from statistics import mean
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from parity.bench import reading, units
from parity.bench.cases import AXES, CASES, WORKS
from parity.bench.reading import Crossover, Growth, Line, Reading
from parity.bench.results import Results
from parity.drawing import BLUE, COLOURS, GREY, YELLOW, instead, own_style, save, sheet, wrapped
from parity.errors import printable, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

PALE, RULE, WARNING, DIM = "#f6dfd2", "#d9d9d9", "#b03a00", "#595959"

LINES = (*(colour for colour in COLOURS if colour not in (YELLOW, GREY)), "black")
"""Those that are seen on white; grey is the floor's."""

MARKERS, DASHES = "osD^vPX<>", ("-", "--", "-.")

ROW, GAP, HEAD, PANEL, LINE = 0.11, 0.14, 1.1, 2.9, 0.15
"""Inches: of an implementation in a case, between cases, around the panels, of a panel, of a caption's line."""

LONGEST = 28
"""Characters of a name."""

KEYED = 4
"""Names side by side in a legend above the panels."""

FEW = 1000
"""From the least to the most of an axis, where more is written than its decades."""

ABOUT = {"m": "examples m", "n": "features n", "depth": "layers L"}

Style = dict[str, Any]


def of_results(results: Results, folder: Path) -> list[Path]:
    """Draw a run into the folder.

    Returns
    -------
    list of Path
        The files, each written whole.

    Raises
    ------
    BadInput
        A file could not be written.
    """
    with own_style():
        return [path for name, draw in pictures(results).items() for path in save(draw(), folder / name)]


def pictures(results: Results) -> dict[str, Callable[[], Figure]]:
    """Every picture that a run has something to show in, by its file's name; call one in `own_style`."""
    read = [r for r in reading.readings(results) if r.lines]
    series = reading.growths(results)
    found: dict[str, Callable[[], Figure]] = {}
    for work in (w for w in WORKS if any(r.place.work == w for r in read)):
        found[f"ratio-{work}"] = partial(ratios, results, work)
        for axis in AXES:
            if any(g.axis == axis and g.place.work == work for g in series):
                found[f"time-{axis}-{work}"] = partial(times, results, axis, work)
        if any(r.key.case in CASES and r.place.work == work for r in read):
            found[f"roofline-{work}"] = partial(roofline, results, work)
    return found


def styles(results: Results) -> dict[str, Style]:
    """Each implementation's colour and marker, the same in all pictures of a run; floors are grey."""
    names = reading.names(results)
    floors = {line.name for line in reading.lines(results) if line.is_floor}
    markers, dashes = cycle(MARKERS), [dash for dash in DASHES for _ in LINES]
    own = zip((n for n in names if n not in floors), cycle(LINES), cycle(dashes), strict=False)
    found: dict[str, Style] = {n: {"color": c, "marker": next(markers), "linestyle": d} for n, c, d in own}
    return found | {n: {"color": GREY, "marker": "_", "linestyle": ":"} for n in names if n in floors}


# How many times the floor ---------------------------------------------------------------------------------------------


def ratios(results: Results, work: str) -> Figure:
    """One panel a place, cases down, one marker an implementation with its interval."""
    read = _standing([r for r in reading.readings(results) if r.place.work == work and r.lines])
    places, cases = list(dict.fromkeys(r.place for r in read)), list(dict.fromkeys(r.key.case for r in read))
    drawn = {line.name for r in read for line in _own(r)}
    names, look = [name for name in reading.names(results) if name in drawn], styles(results)
    caption = (
        "Median of the ratios to the floor (its matrix products alone) of the same rounds, with its interval; "
        f"{reading.provenance(results)}. Verified first; what differs or was skipped is not drawn."
    )
    rows = -(-len(places) // 2)
    height = rows * (len(cases) * (len(names) * ROW + GAP) + 0.7) + _key_height(names)
    figure = _sheet(f"{work}: times the floor", caption, height)
    key, *panels = _below_a_key(figure, rows, min(2, len(places)))
    _key(key, {name: look[name] for name in names})
    for ax, where in zip(panels, places, strict=False):
        _ratio_panel(ax, [r for r in read if r.place == where], cases, names, look)
    for ax in panels[len(places) :]:
        ax.remove()
    return figure


def _standing(read: list[Reading]) -> list[Reading]:
    """Those whose case stands for itself; if none does, all."""
    return [r for r in read if not r.of_series] or read


def _own(read: Reading) -> list[Line]:
    """All but the floor itself, which is at 1."""
    return [line for line in read.lines if line.name != read.group.floor]


def _ratio_panel(ax: Axes, read: list[Reading], cases: list[str], names: list[str], look: dict[str, Style]) -> None:
    """Case by case, each with a row for every implementation, so that no marker lies on another."""
    band = len(names) + GAP / ROW
    for r in read:
        top = cases.index(r.key.case) * band
        if r.noisy:
            ax.axhspan(top - 0.5, top + len(names) - 0.5, color=PALE, linewidth=0, zorder=0)
        for line in _own(r):
            low, high = line.ratio.median - line.ratio.low, line.ratio.high - line.ratio.median
            style = {**look[line.name], "linestyle": "", "markersize": 5, "elinewidth": 1.2}
            ax.errorbar(line.ratio.median, top + names.index(line.name), xerr=[[low], [high]], **style)
    for i in range(1, len(cases)):
        ax.axhline(i * band - 0.5 - GAP / ROW / 2, color=RULE, linewidth=0.7, zorder=0)
    ax.axvline(1, color=GREY, linewidth=1, zorder=0)
    _ratio_axes(ax, [i * band + (len(names) - 1) / 2 for i in range(len(cases))], cases, len(cases) * band)
    _title(ax, read[0].place.where, [r.group.drift for r in read if r.noisy], " where shaded")


def _ratio_axes(ax: Axes, at: list[float], cases: list[str], end: float) -> None:
    ax.set_xscale("log")
    ax.set_ylim(end - 0.5 - GAP / ROW / 2, -0.5 - GAP / ROW / 2)
    spec = ax.get_subplotspec()
    assert spec is not None
    ax.set_yticks(
        at, [printable(case) for case in cases] if spec.is_first_col() else [""] * len(cases), parse_math=False
    )
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=RULE, linewidth=0.5)
    ax.set_axisbelow(True)
    _decades(ax.xaxis, lambda x: f"{x:,g}")
    ax.set_xlabel("times the floor", fontsize=9)


# Time against size ----------------------------------------------------------------------------------------------------


def times(results: Results, axis: str, work: str) -> Figure:
    """One panel a place: a line an implementation, its slope in the legend, and the crossovers."""
    every = reading.growths(results)
    series = [g for g in every if g.axis == axis and g.place.work == work]
    found = {i: reading.crossovers(g, every) for i, g in enumerate(series)}
    caption = (
        f"Median time of a {'forward pass' if work == 'forward' else 'step'}; beside each name the slope p of "
        f"time ∝ {series[0].letter}^p. A ring is where compiling, or the GPU, begins to win. "
        f"{_without_a_ring(series, found)}{reading.provenance(results)}."
    )
    height = sum(max(PANEL, 0.19 * (len(g.by_name) + len(found[i]) + 3)) for i, g in enumerate(series))
    figure = _sheet(f"{work}: time against {ABOUT[axis]}", caption, height)
    for i, (ax, growth) in enumerate(zip(_panels(figure, len(series)), series, strict=True)):
        _time_panel(ax, growth, [c for c in found[i] if c.time is not None], styles(results))
    return figure


def _without_a_ring(series: list[Growth], found: dict[int, list[Crossover]]) -> str:
    """What wins nowhere or everywhere, panel by panel, as sentences."""
    said = {
        g.place.where: "; ".join(c.said(g.letter) for c in found[i] if c.time is None) for i, g in enumerate(series)
    }
    return "".join(f"{where}: {what}. " for where, what in said.items() if what)


def _time_panel(ax: Axes, growth: Growth, crossed: list[Crossover], look: dict[str, Style]) -> None:
    by_end = sorted(growth.by_name.items(), key=lambda item: -item[1][-1].times.median)  # as they stand on the right
    for name, lines in by_end:
        label = f"{_named(name)} {growth.slope_text(name)}".rstrip()
        x, y = [reading.size(line) for line in lines], [line.times.median for line in lines]
        ax.plot(x, y, markersize=4, linewidth=1.3, label=label, **look[name])
    for i, c in enumerate(crossed):
        style = look.get(c.winner, {"color": BLUE})
        label = f"{_named(c.winner)} beats {_named(c.loser)}\nfrom {growth.letter} ≈ {units.about(c.at or 0)}"
        ring = {"marker": "o", "markersize": 11 + 4 * i, "markerfacecolor": "none", "markeredgewidth": 1.5}
        ax.plot([c.at], [c.time], linestyle="", label=label, markeredgecolor=style["color"], **ring)  # type: ignore[arg-type]
    _time_axes(ax, sorted({reading.size(line) for of in growth.by_name.values() for line in of}), growth)


def _time_axes(ax: Axes, sizes: list[int], growth: Growth) -> None:
    from matplotlib.ticker import NullLocator

    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    _decades(ax.yaxis, _short)
    ax.grid(color=RULE, linewidth=0.5)
    ax.set_xlabel(ABOUT[growth.axis], fontsize=9)
    _title(ax, f"{growth.shape} · {growth.place.where}", growth.drifts)
    _legend(ax, loc="upper left", bbox_to_anchor=(1.01, 1), handlelength=2.6, title="slope", alignment="left")


def _short(t: float) -> str:
    """A time of one digit: 10 µs."""
    value, unit = units.seconds(t).split()
    return f"{float(value.replace(',', '')):,g} {unit}"


# Under the roof -------------------------------------------------------------------------------------------------------


def roofline(results: Results, work: str) -> Figure:
    """One panel a place, a marker a row, under the measured peaks."""
    read = [r for r in reading.readings(results) if r.place.work == work and r.lines and r.key.case in CASES]
    by_place = {where: [r for r in read if r.place == where] for where in dict.fromkeys(r.place for r in read)}
    caption = (
        f"The roof is what this machine was measured to do in this run; {reading.provenance(results)}. "
        "What is above its slope has its numbers in a cache. Small markers are cases of a series."
    )
    drawn = {line.name for r in read for line in r.lines}
    names, look = [name for name in reading.names(results) if name in drawn], styles(results)
    height = sum(max(PANEL, 0.17 * len(_standing(of)) + 0.6) for of in by_place.values()) + _key_height(names)
    figure = _sheet(f"{work}: operations in a second, and what limits them", caption, height)
    key, *panels = _below_a_key(figure, len(by_place), 1)
    _key(key, {name: look[name] for name in names})
    for ax, of in zip(panels, by_place.values(), strict=True):
        _roof_panel(ax, results, of, look)
    return figure


def _roof_panel(ax: Axes, results: Results, read: list[Reading], look: dict[str, Style]) -> None:
    standing = _standing(read)
    for r in read:
        size = 6 if r in standing else 3
        for line in r.lines:
            assert line.rate is not None
            assert line.intensity is not None
            style = {**look[line.name], "markersize": size, "linestyle": "", "alpha": 0.85}
            ax.plot([line.intensity], [line.rate / 1e9], **style)
    ax.set_xscale("log")
    ax.set_yscale("log")
    _roof(ax, results, read)
    _letters(ax, standing)
    _roof_axes(ax)
    _title(ax, read[0].place.where, [r.group.drift for r in read if r.noisy])


def _roof(ax: Axes, results: Results, read: list[Reading]) -> None:
    flops, bandwidth = (reading.peak(results, of, read[0].place) for of in ("flops", "bytes"))
    if flops is None or bandwidth is None:
        ax.text(0.98, 0.04, "no peak was measured here", transform=ax.transAxes, ha="right", color=DIM, fontsize=8)
        return
    ridge = flops.rate / bandwidth.rate
    at = [line.intensity for r in read for line in r.lines if line.intensity]
    least, most = min(*at, ridge) / 2, 4 * max(*at, ridge)  # to the right there is room for a rate
    roof = [(x, min(flops.rate, x * bandwidth.rate) / 1e9) for x in (least, (least * ridge) ** 0.5, ridge, most)]
    ax.plot(*zip(*roof, strict=True), color="black", linewidth=1.2)
    ax.set(xlim=(least, most), ylim=(None, 2 * roof[-1][1]))
    beside: Style = {"textcoords": "offset points", "ha": "right", "fontsize": 8}
    ax.annotate(units.rate(bandwidth.rate, "bytes"), roof[1], (-4, 4), **beside)
    ax.annotate(units.rate(flops.rate, "flops"), roof[-1], (0, 4), **beside)


def _letters(ax: Axes, standing: list[Reading]) -> None:
    """A thin line for every intensity, lettered above; which case a letter is, is said beside the panel."""
    at = sorted((line.intensity, r.key.case) for r in standing for line in r.lines[:1] if line.intensity)
    for intensity, _ in at:
        ax.axvline(intensity, color=RULE, linewidth=0.7, zorder=0)
    near = log(ax.get_xlim()[1] / ax.get_xlim()[0]) / 40
    for of in _clusters([log(intensity) for intensity, _ in at], near):
        letters, middle = " ".join(ascii_lowercase[i] for i in of), exp(mean(log(at[i][0]) for i in of))
        ax.annotate(letters, (middle, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8)
    lines = [f"{ascii_lowercase[i]}  {case}  {units.about(intensity)}" for i, (intensity, case) in enumerate(at)]
    ax.text(1.02, 1, "\n".join(lines), transform=ax.transAxes, va="top", fontsize=8, linespacing=1.5, parse_math=False)


def _clusters(at: list[float], near: float) -> list[list[int]]:
    """The indices of sorted numbers, those together that are nearer than that to the next."""
    found: list[list[int]] = []
    for i, x in enumerate(at):
        if i and x - at[i - 1] < near:
            found[-1].append(i)
        else:
            found.append([i])
    return found


def _roof_axes(ax: Axes) -> None:
    for axis in (ax.xaxis, ax.yaxis):
        _decades(axis, lambda x: f"{x:,g}")
    ax.set_xlabel("operations for each byte", fontsize=9)
    ax.set_ylabel("GFLOP/s", fontsize=9)


# What they share ------------------------------------------------------------------------------------------------------


def _sheet(title: str, caption: str, height: float) -> Figure:
    """A figure whose panels have that height, whatever the length of the caption."""
    return sheet(title, caption, height + HEAD + LINE * len(wrapped(caption)))


def _named(name: str) -> str:
    """A name in a picture: one of a third party may be of any length."""
    return shorten(printable(name), LONGEST)


def _title(ax: Axes, text: str, drifts: Iterable[float], where: str = "") -> None:
    """What a panel shows; NOISY, and by how much, where it is."""
    worst = max(drifts, default=None)
    noisy = f"\nNOISY{where}: drift {units.percent(worst)}" if worst is not None else ""
    ax.set_title(
        printable(text) + noisy, fontsize=9, loc="left", pad=14, color=WARNING if noisy else "black", parse_math=False
    )


def _decades(axis: Axis, text: Callable[[float], str]) -> None:
    """Ticks of a logarithmic axis: every decade, and where there are few 2 and 5 times it, each with its text."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    least, most = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if most < FEW * least else (1,)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda x, _: text(x)))


def _panels(figure: Figure, n: int) -> list[Axes]:
    return list(figure.subplots(n, squeeze=False).flat)


def _below_a_key(figure: Figure, rows: int, columns: int) -> list[Axes]:
    """Axes for a legend, and below it so many panels, row by row."""
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[0.001, *[1] * rows])
    key = figure.add_subplot(grid[0, :])
    key.axis("off")
    return [key, *(figure.add_subplot(grid[i + 1, j]) for i in range(rows) for j in range(columns))]


def _key_height(names: list[str]) -> float:
    return 0.25 * -(-len(names) // KEYED)


def _key(ax: Axes, look: dict[str, Style]) -> None:
    """The legend of the whole picture: markers."""
    if not look:
        instead(ax, "nothing was timed but the floor")
        return
    handles = [ax.plot([], [], label=_named(name), **{**style, "linestyle": ""})[0] for name, style in look.items()]
    _legend(ax, handles=handles, loc="upper left", ncols=min(KEYED, len(look)))


def _legend(ax: Axes, **options: Any) -> None:
    legend = ax.legend(borderaxespad=0, fontsize=8, title_fontsize=8, **options)
    for text in legend.get_texts():
        text.set_parse_math(False)  # the name of a third party may have a $
