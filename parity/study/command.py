"""`parity study`: the options, and what a person is told."""

from __future__ import annotations

import argparse
import webbrowser
from importlib.util import find_spec
from pathlib import Path

from parity.cli import DIFFERS, OK
from parity.errors import BadInput, printable
from parity.files import none_left_empty
from parity.paper import Progress, console

NEEDS = ("jinja2", "latex2mathml", "markdown_it", "matplotlib", "pygments", "sklearn")
"""What is imported on the way, with the data sets; without another framework the pages say that it is missing."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `parity study`."""
    parser.epilog = "Exit status: 0 all identical, 1 something differs (the pages say what), 2 could not run."
    parser.add_argument("--out", metavar="DIR", default="site", help="where the site goes: a new folder, an empty one, "
        "or a site that is replaced (default: site)")  # fmt: skip
    parser.add_argument("--open", action="store_true", help="show the start page in the browser")
    parser.add_argument("--bench", metavar="FILE", help="a run of 'parity bench --json FILE' for the page of the "
        "benchmark (default: the one that a checkout keeps in results/)")  # fmt: skip


def command(options: argparse.Namespace) -> int:
    """Compute everything, and write the site.

    Raises
    ------
    BadInput
        The folder cannot be used, a library is missing, or the code no longer has what the registry names.
    """
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise BadInput(f"the pages need {missing[0]}, which is not installed: pip install 'gradient-parity[study]'")
    from parity.study import output

    with none_left_empty(options.out):
        place = output.folder(options.out)
        status = _built(place, _bench(options.bench))
    if options.open and not webbrowser.open((place / "index.html").resolve().as_uri()):
        console().print("no browser could be started: open the page in one yourself", soft_wrap=True)
    return status


def _built(place: Path, results: Path | None) -> int:
    from parity import kept
    from parity.study import build, output, pages
    from parity.study.registry import Broken

    matrix = build.Matrix.last()
    keep = kept.keeper(matrix.plan)
    try:
        with Progress(build.steps(matrix)) as progress:
            site, cells = build.build(matrix, results, progress.advance)
        files = pages.render(site)
    except Broken as error:
        raise BadInput(f"the pages and the code do not fit: {error}") from error
    if not matrix.made:
        keep(cells)
    output.write(place, files)
    to = console()
    size = sum(len(content.encode()) for content in files.values())
    to.print(printable(f"written {place / 'index.html'}"), style="dim", soft_wrap=True)
    to.print(f"{sum(name.endswith('.html') for name in files)} pages, {size / 1e6:.1f} MB", style="dim")
    if matrix.made:
        made = site.stamp["matrix"]
        to.print(f"the matrix is that of {made}: nothing that decides a verdict has changed since", style="dim")
    to.print(site.matrix["totals"], style="bold", soft_wrap=True)
    return DIFFERS if any(cell.first_difference for cell in cells) else OK


def _bench(path: str | None) -> Path | None:
    """The run of `parity bench` that is named, or the one that the checkout keeps, once it is sure that it is one."""
    from parity.bench.results import load
    from parity.study import build

    results = build.kept_bench() if path is None else Path(path)
    if results is not None:
        load(results)
    return results
