"""The command line as a user meets it: what it prints, its exit status, and one line for everything that is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from parity import cli, paper, report
from parity.compare import BITS, ROUNDING, Comparison
from parity.errors import one_line, printable
from parity.files import write_whole
from parity.implementations import find
from parity.implementations.reference import Reference
from parity.names import BUILT_IN
from parity.problems import catalogue, own
from parity.run import Cell

ROOT = Path(__file__).parent.parent
FAST = ["--implementation", "reference,sklearn-loss", "--problem", "one_example,house_prices"]


def parity(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Status, output and errors of a command in this process."""
    try:
        status = cli.main(list(arguments))
    except SystemExit as stop:
        status = int(stop.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a command that must end with status 2 and print nothing else."""
    status, out, err = parity(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("parity: ")
    assert err.count("\n") == 1
    return err.removeprefix("parity: ").rstrip("\n")


Run = tuple[int, str, str, Path]
SEEN: list[Run] = []


@pytest.fixture
def fast(capfd: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Status, output, errors (the computing processes' too) and JSON of one run, for several tests."""
    if not SEEN:
        path = tmp_path_factory.mktemp("fast") / "report.json"
        SEEN.append((*parity(capfd, "run", *FAST, "--json", str(path)), path))
    return SEEN[0]


def test_the_matrix_ends_with_a_line_that_counts(fast: Run) -> None:
    status, out, err, _ = fast
    last = out.rstrip("\n").splitlines()[-1]
    assert (status, err) == (0, "")
    assert last.endswith(" 0 differ; 0 skipped")
    assert "comparisons: " in last
    assert "identical bit for bit, " in last
    assert "identical within rounding, " in last
    assert max(len(line) for line in out.splitlines()) <= 100
    assert "\x1b" not in out


@pytest.mark.parametrize(
    "given",
    [
        ["--implementation", "numpy", "--model", "derivatives"],
        ["--dtype", "float16", "--model", "computation_graph", "--implementation", "reference"],
    ],
)
def test_no_line_is_wider_than_100_columns(capsys: pytest.CaptureFixture[str], given: list[str]) -> None:
    status, out, _ = parity(capsys, *given)
    assert status == 0
    assert max(len(line) for line in out.splitlines()) <= 100


def test_the_whole_matrix_fits_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Every implementation, on the problems with the longest names, with the widest cells."""
    names = sorted(catalogue.NAMES, key=len)[-3:]
    wide = {"float64": (ROUNDING, 0.123), "bfloat16": (ROUNDING, 2.2e4), "float16": (BITS, 0.0)}
    cells = [
        Cell(catalogue.build(problem), dtype, "cpu", name, (Comparison("J", verdict, ulps),))
        for problem in names
        for dtype, (verdict, ulps) in wide.items()
        for name in BUILT_IN
    ]
    report.show(cells, paper.console())
    table = capsys.readouterr().out.partition("\nskipped")[0]
    assert max(len(line) for line in table.splitlines()) <= 100
    assert "…" not in table
    assert "skl." in table
    assert table.count("deep network") == 1  # all columns fit into one table


def plant(monkeypatch: pytest.MonkeyPatch) -> None:
    """dW1 without its 1/m in the reference implementation, in this process."""
    right = Reference.quantities

    def wrong(self: Reference, problem: object, dtype: str, device: str) -> dict[str, np.ndarray]:
        found = right(self, problem, dtype, device)  # type: ignore[arg-type]
        return found | {"dW1": found["dW1"] * problem.m} if "dW1" in found else found  # type: ignore[attr-defined]

    monkeypatch.setattr(Reference, "quantities", wrong)


def test_trace_names_the_fault(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    status, out, _ = parity(capsys, "trace", "wine_deep", "--implementation", "reference")
    assert status == 1
    first = out.rstrip().splitlines()[-1]
    assert "wine_deep float64 on cpu, reference: dW1[" in first
    assert first.endswith("it looks like a factor m")


def test_trace_shows_every_quantity_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = parity(capsys, "trace", "flower", "--implementation", "reference")
    order = ["Z1[", "A1[", "Z2[", "A2[", "J ", "dZ2[", "dW2[", "db2[", "dZ1[", "dW1[", "db1[", "new_W1[", "new_b2["]
    positions = [out.index("\n" + quantity) for quantity in order]
    assert status == 0
    assert positions == sorted(positions)
    assert "nothing differs" in out


def test_a_difference_is_status_1_and_described(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from parity import run
    from parity.run import Here

    plant(monkeypatch)
    monkeypatch.setattr(run, "Elsewhere", lambda pool: Here())
    status, out, _ = parity(capsys, "--problem", "flower", "--implementation", "reference", "--dtype", "float64")
    assert status == 1
    assert "✗ dW1" in out
    assert "it looks like a factor m" in out
    assert out.rstrip().endswith(" 2 differ; 0 skipped")  # dW1, and new_W1, which was made of another dW1


def test_json(fast: Run) -> None:
    status, _, _, path = fast
    assert status == 0
    found = json.loads(path.read_text(encoding="utf-8"))
    assert (found["schema"], found["schema_version"]) == ("parity.run", report.SCHEMA_VERSION)
    assert {"machine", "versions", "totals", "cells", "made"} <= set(found)
    cell = found["cells"][0]
    assert set(cell) == {
        "problem",
        "fingerprint",
        "model",
        "dtype",
        "device",
        "implementation",
        "skipped",
        "comparisons",
    }
    comparison = cell["comparisons"][0]
    assert {"quantity", "verdict", "ulps", "element_ulps", "share", "unusual", "looks_like"} <= set(comparison)
    for which in ("end_to_end", "local"):
        assert {"index", "value", "target", "error", "bound", "share", "inside"} == set(comparison[which])
    assert [p.name for p in path.parent.iterdir()] == ["report.json"]


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = parity(capsys, "list")
    assert status == 0
    for name in ("breast_cancer_logistic", "xor_deep", "kink_relu", "sklearn-optimum", "jax-jit", "bfloat16", "cuda"):
        assert name in out


def test_a_file_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rng = np.random.RandomState(0)
    rows = [f"{a:.6f},{b:.6f},{int(a + rng.standard_normal() > 0)}" for a, b in rng.standard_normal((40, 2))]
    path = tmp_path / "mine.csv"
    path.write_text("age,income,bought\n" + "\n".join(rows) + "\n")
    status, out, _ = parity(capsys, "--data", str(path), "--target", "bought", "--implementation", "reference,sklearn")
    assert status == 0
    for name in ("mine_logistic", "mine_shallow", "mine_deep"):
        assert name in out


UNKNOWN = [
    (["trian"], "there is no command 'trian'; did you mean train"),
    (["--problem", "breast_cancer"], "there is no problem 'breast_cancer'; did you mean breast_cancer_"),
    (["--model", "shalow_network"], "there is no model 'shalow_network'; did you mean shallow_network"),
    (["--implementation", "pytorch"], "there is no implementation 'pytorch'; did you mean torch"),
    (["--dtype", "float8"], "there is no dtype 'float8'; did you mean float"),
    (["--dtype", "quux"], "there is no dtype 'quux'; there are float64, float32, bfloat16, float16"),
    (["--device", "gpu"], "there is no device 'gpu'"),
    (["--problem", "zzz"], "there is no problem 'zzz'; see: parity list"),
    (["trace", "flowre", "--implementation", "reference"], "there is no problem 'flowre'; did you mean flower"),
    (["trace", "flower", "--implementation", "numpie"], "there is no implementation 'numpie'"),
    (["trace", "flower", "--implementation", "reference", "--dtype", "float16"], "flower is not used in float16"),
    (["trace", "flower", "--implementation", "sklearn-loss"],
     "sklearn-loss does not run flower in float64 on cpu: computes logistic regression only"),
    (["trace", "flower", "--implementation", "reference", "--device", "cuda"],
     "reference does not run flower in float64 on cuda: reference knows no device cuda"),
    (["trace", "flower"], "the following arguments are required: --implementation"),
    (["--problem", "flower", "--dtype", "float16"], "no problem is left"),
    (["--bogus"], "unrecognized arguments: --bogus"),
    (["--bo\x1b[31mgus\nline"], r"unrecognized arguments: --bo\x1b[31mgus\nline"),
    (["--target", "y"], "--target names a column of a file: give the file with --data"),
    (["--data", "x.csv"], "--data needs --target"),
    (["--data", "x.csv", "--target", "y", "--problem", "flower"], "--data takes the place of the problems"),
    (["--data", "no_such.csv", "--target", "y"], "no_such.csv: "),
    (["--json", "/no/such/folder/x.json"], "/no/such/folder is no folder"),
    (["--json", "/tmp"], "/tmp is a folder"),
    (["--json", ""], "a name is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "line"), UNKNOWN, ids=[" ".join(given) for given, _ in UNKNOWN])
def test_bad_input_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str], given: list[str], line: str) -> None:
    assert refused(capsys, *given).startswith(line)


def test_nothing_compared_is_status_2_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = parity(capsys, "--problem", "flower", "--implementation", "sklearn-loss")
    assert status == 2
    assert err == "parity: nothing was compared: computes logistic regression only\n"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("1,1\n1,0\n1,1\n", "every feature is the same"),
        ("1e308,1\n-1e308,0\n1e308,1\n", "too small or too large to be standardised"),
        ("1e-320,0\n0,1\n3e-320,1\n", "too small or too large to be standardised"),
        ("1e-200,0\n0,1\n3e-200,1\n", "too small or too large to be standardised"),
    ],
)
def test_a_file_whose_features_say_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, rows: str, line: str
) -> None:
    path = tmp_path / "flat.csv"
    path.write_text("x,y\n" + rows)
    assert line in refused(capsys, "--data", str(path), "--target", "y")


def test_collinear_and_constant_columns_are_no_difference(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A column twice, one that is 0.1 throughout: no single optimum without a penalty, and everything else agrees."""
    rng = np.random.RandomState(0)
    rows = [f"{a:.6f},{a:.6f},0.1,{int(a + rng.standard_normal() > 0)}" for a in rng.standard_normal(1000)]
    path = tmp_path / "twice.csv"
    path.write_text("a,again,tenth,y\n" + "\n".join(rows) + "\n")
    status, out, _ = parity(capsys, "--data", str(path), "--target", "y", "--implementation", "reference,sklearn")
    assert status == 0
    assert " 0 differ; " in out


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(cli.BadInput, match="No space left"):
        write_whole(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_help_and_version_import_no_framework() -> None:
    """What makes them quick."""
    program = (
        "import sys\nfrom parity.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('numpy', 'torch', 'jax', 'sklearn', 'rich', 'flint') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().splitlines()[-1] == "[]"


BRIEF = [sys.executable, "-m", "parity", "--problem", "computation_graph", "--implementation", "reference"]


def test_a_bar_on_a_terminal() -> None:
    """With a pseudo-terminal on standard error the bar shows; without, see the next test, it stays empty."""
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    env = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(BRIEF, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=follower) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                block = os.read(leader, 4096)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            shown += block
    os.close(leader)
    assert process.returncode == 0
    assert b"%" in shown


def test_nothing_in_a_pipe_and_an_encoding_without_greek_letters_is_no_reason_to_fail() -> None:
    """As in a pipe on Windows."""
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(BRIEF, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "?" in done.stdout


def test_every_implementation_says_what_it_is() -> None:
    assert find("jax-vmap").about
    assert report.header("reference") == "NumPy\nhand"


@pytest.mark.parametrize("name", ["red\x1b[31m.csv", "two\nlines.csv", os.fsdecode(b"\xff.csv")])
def test_a_file_with_a_name_that_cannot_be_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    table, to = tmp_path / name, tmp_path / "report.json"
    try:
        table.write_text("a,y\n1,0\n2,1\n4,1\n5,0\n")
    except OSError:
        pytest.skip("this disk has no such names")
    given = ["--data", str(table), "--target", "y", "--implementation", "reference", "--json", str(to)]
    status, out, _ = parity(capsys, *given)
    assert status == 0
    assert all(line.isprintable() for line in out.splitlines())
    told = {cell["problem"] for cell in json.loads(to.read_text(encoding="utf-8"))["cells"]}
    assert told == {f"{printable(table.stem)}_{model}" for model in ("logistic", "shallow", "deep")}
    (problem, *_) = own.problems(table, "y")
    assert problem.source.isprintable()


def test_what_an_error_says_is_one_printable_line() -> None:
    assert one_line(ValueError("red \x1b[31m\n  text")) == r"ValueError: red \x1b[31m text"
    assert len(one_line(ValueError("x" * 1000))) == 300


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (KeyboardInterrupt(), "stopped"),
        (MemoryError("Unable to allocate 8 TiB"), "memory is too short: Unable to allocate 8 TiB"),
        (MemoryError(), "memory is too short: ask for less at once"),
        (OSError(28, "No space left on device"), "input or output failed: [Errno 28] No space left on device"),
        (FileNotFoundError(2, "No such file", "a\x1bb"), r"input or output failed: [Errno 2] No such file: 'a\x1bb'"),
    ],
)
@pytest.mark.parametrize("where", ["set_switches", "parser", "command_list"])
def test_whatever_ends_it_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str, error: BaseException, line: str
) -> None:
    """From the very first: Ctrl-C may come while it begins."""

    def end(*_: object) -> None:
        raise error

    monkeypatch.setattr(cli, where, end)
    assert refused(capsys, "list") == line


def test_ctrl_c_while_a_library_is_loaded(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Some make an ImportError of it; one of its own is a fault of the installation."""

    def loaded(options: object, why: BaseException | None) -> None:
        raise ImportError("initialization failed") from why

    monkeypatch.setattr(cli, "command_list", partial(loaded, why=KeyboardInterrupt()))
    assert refused(capsys, "list") == "stopped"
    monkeypatch.setattr(cli, "command_list", partial(loaded, why=None))
    with pytest.raises(ImportError, match="initialization failed"):
        cli.main(["list"])


def unread(given: list[str]) -> tuple[int, bytes]:
    """Status and errors of a program whose output nobody reads."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = subprocess.run(given, cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(theirs)
    return done.returncode, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are others there")
def test_a_reader_that_went_away_is_no_difference_and_the_json_is_there(tmp_path: Path) -> None:
    """As in `parity --json FILE | head -1`: rich alone would exit with status 1."""
    assert unread([*BRIEF, "--json", str(tmp_path / "report.json")]) == (2, b"")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["schema"] == "parity.run"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("given", [BRIEF, [*BRIEF[:3], "list"], [*BRIEF[:3], "--version"]])
def test_output_that_cannot_be_written_is_one_line(given: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(given, cwd=ROOT, env=environment, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert done.stderr.startswith(b"parity: input or output failed: ")


def test_the_report_is_shown_even_if_the_json_cannot_be_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "fsync", _full)
    given = ["--model", "computation_graph", "--implementation", "reference", "--json", str(tmp_path / "report.json")]
    status, out, err = parity(capsys, *given)
    assert (status, err.count("\n")) == (2, 1)
    assert "No space left on device" in err
    assert out.rstrip().endswith("0 differ; 0 skipped")
