"""`parity train` as a user meets it: what it prints and writes, its exit status, and one line for all that is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity import cli
from parity.problems import catalogue
from parity.training import Descent, command, report
from parity.training.memory import _files as files
from parity.training.memory import exact_surroundings, surroundings
from parity.training.result import Result, marks
from parity.training.trail import Trail
from tests.inline import inline  # noqa: F401

FLOWER = ("--problem", "flower", "--implementation", "reference")
QUICK = (*FLOWER, "--iterations", "12", "--no-exact")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def train(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Status, output and errors of `parity train …` in this process."""
    try:
        status = cli.main(["train", *arguments])
    except SystemExit as stop:
        status = int(stop.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "nothing to train on: --problem NAME"),
        (["--problem", "flowr"], "did you mean flower"),
        (["--problem", "slopes"], "there is nothing to train"),
        (["--problem", "flower", "--target", "y"], "give the file with --data"),
        (["--data", "x.csv"], "--data needs --target"),
        (["--data", "/no/such.csv", "--target", "y"], "no such file"),
        (["--data", "x.csv", "--problem", "flower", "--target", "y"], "leave --problem out"),
        ([*FLOWER, "--model", "deep"], "did you mean deep_network"),
        ([*FLOWER, "--learning-rate", "0"], "α must be a finite number above 0"),
        ([*FLOWER, "--learning-rate", "-1"], "α must be a finite number above 0"),
        ([*FLOWER, "--learning-rate", "inf"], "α must be a finite number above 0"),
        ([*FLOWER, "--learning-rate", "nan"], "α must be a finite number above 0"),
        ([*FLOWER, "--learning-rate", "x"], "invalid float value"),
        ([*FLOWER, "--learning-rate", "1e-60", "--dtype", "float32"], "which is 0 in float32"),
        ([*FLOWER, "--iterations", "-1"], "a number of steps is 0 or more"),
        ([*FLOWER, "--layers", "4,2"], "one unit a row of labels, here 1"),
        ([*FLOWER, "--layers", "a,1"], "give numbers of units"),
        ([*FLOWER, "--layers", "0,1"], "one unit or more"),
        ([*FLOWER, "--layers", "5,4,1", "--model", "shallow_network"], "that is no shallow network"),
        (["--problem", "wine_cultivars", "--layers", "3"], "logistic regression has one output unit"),
        ([*FLOWER, "--activations", "tanh"], "give one a layer, 2, the last a sigmoid"),
        ([*FLOWER, "--activations", "tanh,tanh"], "the last a sigmoid"),
        ([*FLOWER, "--activations", "tnh,sigmoid"], "did you mean tanh"),
        ([*FLOWER, "--seed", "-1"], "choose 0 to 4294967295"),
        ([*FLOWER, "--dtype", "float16"], "only in float64, float32"),
        ([*FLOWER, "--dtype", "double"], "there is no dtype"),
        ([*FLOWER, "--device", "gpu"], "there is no device"),
        ([*FLOWER, "--batch-size", "0"], "choose 1 to 400"),
        ([*FLOWER, "--batch-size", "401"], "choose 1 to 400"),
        ([*FLOWER, "--batch-size", "2", "--batch-seed", "-1"], "choose 0 to 4294967295"),
        ([*FLOWER, "--digits", "0"], "choose 1 to 15"),
        ([*FLOWER, "--digits", "16"], "choose 1 to 15"),
        ([*FLOWER, "--layers", "99999999999999999999999,1"], "--layers 99999999999999999999999,1 takes 8.94e+15 GiB"),
        ([*FLOWER, "--layers", "100000000000,1"], "--layers 100000000000,1 takes 8.94e+03 GiB or more, and here are "),
        ([*FLOWER, "--layers", f"{'9' * 5000},1"], "give numbers of units"),
        ([*QUICK, "--plots", ""], "a name is empty"),
        ([*QUICK, "--save", ""], "a name is empty"),
        (["--problem", "flower", "--implementation", "nump"], "did you mean"),
        (["--problem", "flower", "--implementation", "sklearn-loss", "--no-exact"], "nothing is trained"),
        ([*QUICK, "--json", "/no/such/folder/x.json"], "is no folder"),
        ([*QUICK, "--resume", "/no/such/folder"], "/no/such/folder"),
        ([*QUICK, "--save", "/dev/null"], "/dev/null"),
    ],
)
def test_bad_input_is_one_line_and_status_2(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = train(capsys, *given)
    assert (status, out) == (2, "")
    assert err.startswith("parity: ")
    assert err.count("\n") == 1
    assert said in err


def test_the_report_of_a_short_descent(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    to = tmp_path / "report.json"
    status, out, err = train(capsys, *FLOWER, "--iterations", "12", "--digits", "8", "--json", str(to))
    assert (status, err) == (0, "")
    assert out.startswith("flower: shallow network 2-4-1, tanh sigmoid; m = 400; α = 1.2; 12 steps in float64 on cpu\n")
    assert "each of 12 steps in 1 implementation is right within its bound of rounding" in out
    assert "exact trajectory: 8 digits proven at every step, by balls of " in out
    assert "8 digits of J are determined in float64 to the end" in out
    assert max(map(len, out.splitlines()[1:])) <= 100
    told = json.loads(to.read_text("utf-8"))
    assert (told["schema"], told["schema_version"]) == ("parity.train", 1)
    assert told["fingerprint"] in out
    (reference,) = told["implementations"]
    assert (reference["verified"], reference["in_one_go_same_bits"], len(reference["costs"])) == (12, True, 12)
    assert told["exact"]["costs"]["0"] == "0.69304802"
    assert (told["horizon"], told["stopped"]) == (11, False)


def test_the_same_question_is_answered_from_the_cache(capsys: pytest.CaptureFixture[str]) -> None:
    """The same output, the time of the steps included; --fresh takes them again, and may say another time."""
    first, again = (train(capsys, *FLOWER, "--iterations", "12") for _ in range(2))
    assert first == again
    began = time.monotonic()
    train(capsys, *FLOWER, "--iterations", "12")
    cached = time.monotonic() - began
    status, out, _ = train(capsys, *FLOWER, "--iterations", "12", "--fresh")
    assert status == 0
    assert out.splitlines()[3:] == first[1].splitlines()[3:]
    assert cached < time.monotonic() - began - cached


def test_the_cache_knows_the_code_and_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    flower = catalogue.build("flower")
    one, other = (Descent(replace(flower, learning_rate=a), 10) for a in (1.2, np.nextafter(1.2, 2)))
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint != Descent(replace(flower, learning_rate=1.2), 10, "float32").fingerprint
    assert one.fingerprint == Descent(replace(flower, learning_rate=1.2), 99).fingerprint
    of_batches = {Descent(flower, 9, batch_size=b, batch_seed=s).fingerprint for b in (None, 8, 16) for s in (0, 1)}
    assert len(of_batches) == 5  # without batches their seed does not matter
    before, exact = surroundings(), exact_surroundings()
    with monkeypatch.context() as patch:
        patch.setenv("XLA_FLAGS", "--another")
        assert (before != surroundings(), exact == exact_surroundings()) == (True, True)
    for package, decides in (("parity", True), ("reference", False)):
        with monkeypatch.context() as patch:
            patch.setattr("parity.training.memory._files", lambda of, p=package: [] if of == p else files(of))
            assert (before != surroundings(), exact != exact_surroundings()) == (True, decides)
    monkeypatch.setattr("parity.training.memory.version", lambda library: "another")
    assert before != surroundings()
    assert exact != exact_surroundings()


@pytest.mark.usefixtures("inline")
def test_saved_and_resumed_is_as_if_it_had_never_ended(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = str(tmp_path / "kept")
    status, out, _ = train(capsys, *FLOWER, "--iterations", "7", "--no-exact", "--save", folder)
    assert (status, f"--resume {folder}" in out.replace("\n", " ")) == (0, True)
    to = [str(tmp_path / f"{i}.json") for i in range(2)]
    assert train(capsys, *QUICK, "--resume", folder, "--json", to[0])[0] == 0
    assert train(capsys, *QUICK, "--json", to[1])[0] == 0
    resumed, whole = (json.loads(Path(path).read_text("utf-8"))["implementations"][0] for path in to)
    assert (resumed["first"], whole["first"]) == (7, 0)
    assert resumed["costs"] == whole["costs"]
    status, out, err = train(capsys, *FLOWER, "--iterations", "6", "--resume", folder)
    assert (status, out) == (2, "")
    assert "has made 7 steps, more than the 6 asked for" in err
    assert train(capsys, *QUICK, "--dtype", "float32", "--resume", folder)[0] == 2


@pytest.mark.usefixtures("inline")
def test_steps_that_are_kept_are_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Neither those of this descent by a new start, nor those of other implementations, nor another descent's."""
    folder = tmp_path / "kept"
    assert train(capsys, *QUICK, "--save", str(folder))[0] == 0
    kept = (folder / "descent.json").read_bytes()
    for given in (QUICK, (*QUICK, "--dtype", "float32")):
        status, out, err = train(capsys, *given, "--save", str(folder))
        assert (status, out, err.count("\n")) == (2, "", 1)
    assert (folder / "descent.json").read_bytes() == kept
    other = ("--problem", "flower", "--implementation", "sklearn-mlp", "--iterations", "12", "--no-exact")
    assert train(capsys, *other, "--resume", str(folder), "--save", str(folder))[0] == 0
    told = json.loads((folder / "descent.json").read_text("utf-8"))
    assert set(told["implementations"]) == {"reference", "sklearn-mlp"}


@pytest.mark.usefixtures("inline")
def test_a_descent_that_diverges_says_where_and_saves_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SAVE_EVERY", np.inf)
    folder = tmp_path / "kept"
    given = ["--problem", "breast_cancer_deep", "--implementation", "reference", "--save", str(folder)]
    status, out, err = train(capsys, *given, "--learning-rate", "1e10")
    assert (status, err) == (1, "")
    last = out.splitlines()[-1]
    assert re.fullmatch(
        r"reference: \w+ is not finite in step \d+: the descent diverges; α = 1e\+10 is too large, "
        r"try --learning-rate 1e\+09",
        last,
    )
    assert not list(folder.glob("*"))


@pytest.mark.usefixtures("inline")
def test_a_wrong_step_is_status_1_and_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted fault in the trail that comes back: db1 is left out of the third step."""
    from parity.training import result, steps

    genuine = steps.descend

    def planted(*given: object) -> tuple[list[Trail], bool]:
        from parity.training.verify import witness

        trails, stopped = genuine(*given)  # type: ignore[arg-type]
        trail = trails[0]
        trail.params["b1"][3] = trail.params["b1"][2]
        found = witness(given[1], "numpy", 0, trail.params, trail.costs)  # type: ignore[arg-type]
        trail.share, trail.nearest, trail.outside = found.share, found.nearest, found.outside
        return trails, stopped

    monkeypatch.setattr(result, "descend", planted)
    status, out, _ = train(capsys, *QUICK)
    assert status == 1
    assert "reference: step 2 is wrong: the new b1[" in out.splitlines()[-1]


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    ("given", "times"),
    [(("--problem", "flower"), 1), (("--problem", "breast_cancer_deep", "--learning-rate", "1e10"), 2)],
)
def test_what_went_wrong_is_not_kept_in_the_cache(
    given: tuple[str, ...], times: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A descent that diverged is taken again; one that came to its end is not."""
    from parity.training import result, steps

    genuine, calls = steps.descend, []
    monkeypatch.setattr(result, "descend", lambda *of: calls.append(of) or genuine(*of))
    for _ in range(2):
        train(capsys, *given, "--implementation", "reference", "--iterations", "20", "--no-exact")
    assert len(calls) == times


@pytest.mark.usefixtures("inline")
def test_exact_training_ends_in_the_same_bits(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = train(
        capsys, "--problem", "logistic_training", "--implementation", "reference", "--dtype", "bfloat16"
    )
    assert status == 0
    assert "is the very step of exact arithmetic" in out.splitlines()[-1]


@pytest.mark.usefixtures("inline")
def test_no_step_is_nothing_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    for batches in ((), ("--batch-size", "400")):
        status, out, _ = train(capsys, *FLOWER, "--iterations", "0", *batches)
        assert status == 0
        assert "0.6930480201" in out
        assert "nan" not in out


@pytest.mark.usefixtures("inline")
def test_a_hessian_of_zeros_has_its_place_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    """After a step with a huge α every unit is saturated, and so is the output."""
    given = ["--problem", "breast_cancer_logistic", "--layers", "8,1", "--activations", "tanh,sigmoid"]
    status, out, err = train(
        capsys, *given, "--learning-rate", "1e6", "--iterations", "12", "--implementation", "reference"
    )
    assert (status, err) == (0, "")
    assert re.search(r"^ *11 .* 0\.000 +0\.000 *$", out, re.M)


def test_what_is_wrong_leaves_no_folder_behind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for given in (("--resume", "/no/such/folder"), ("--implementation", "sklearn-loss")):
        places = ["--plots", str(tmp_path / "plots"), "--save", str(tmp_path / "kept")]
        assert train(capsys, "--problem", "flower", *given, *places)[0] == 2
        assert not list(tmp_path.iterdir())


def test_what_came_to_its_end_is_saved_at_once(tmp_path: Path) -> None:
    """Not after the exact trajectory, which may take minutes."""
    descent = Descent(catalogue.build("flower"), 3)
    keeper = command.Keeper(str(tmp_path), descent, {})
    trail = Trail.starting("reference", descent, None)
    for steps in (2, 3):
        trail.costs = np.ones(steps)
        keeper.came(trail)
        assert (tmp_path / "descent.json").exists() == (steps == 3)


@pytest.mark.usefixtures("inline")
def test_without_a_whole_trail_there_is_no_exact_trajectory(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parity.training.trail.MOST_BYTES", 100)
    status, out, _ = train(capsys, *FLOWER, "--iterations", "12", "--fresh")
    assert status == 0
    assert "no exact trajectory: no trail was kept whole" in out
    assert "each of 12 steps in 1 implementation is right" in out


def test_what_was_held_to_no_bound_has_no_share_of_it() -> None:
    trail = Trail("reference", 0, {}, np.ones(2), {}, np.ones(2), np.zeros(2))
    descent = Descent(catalogue.build("flower"), 2)
    (held,), (free,) = (
        report.as_json(Result(descent, 10, [t], ""))["implementations"]
        for t in (trail, replace(trail, unbounded="no K here", share=np.full(2, np.nan)))
    )
    assert (held["verified"], held["worst_share"]) == (2, 0.0)  # type: ignore[index]
    assert (free["verified"], free["worst_share"]) == (0, None)  # type: ignore[index]


def test_the_options_make_another_start() -> None:
    parser = cli.parser()

    def of(*given: str) -> Descent:
        return command.descent_of(parser.parse_args(["train", *given]))

    plain = of("--problem", "flower")
    assert (plain.iterations, plain.problem.learning_rate) == (command.STEPS, 1.2)
    drawn = of("--problem", "flower", "--seed", "3")
    assert not np.array_equal(drawn.problem.params["W1"], plain.problem.params["W1"])
    assert drawn.problem.activations == plain.problem.activations
    deep = of("--problem", "flower", "--layers", "5,4,1", "--activations", "relu,tanh,sigmoid")
    assert (deep.problem.model, deep.problem.layers) == ("deep_network", (2, 5, 4, 1))
    logistic = of("--problem", "flower", "--layers", "1")
    assert (logistic.problem.model, logistic.problem.params["w"].shape) == ("logistic_regression", (2, 1))
    shallow = of("--problem", "breast_cancer_logistic", "--model", "shallow_network")
    assert shallow.problem.layers == (30, 4, 1)
    assert of("--problem", "logistic_training").iterations == catalogue.build("logistic_training").iterations
    assert of("--problem", "flower", "--batch-size", "10", "--iterations", "5").batches is not None


def test_a_file_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    rng = np.random.RandomState(0)
    rows = [f"{a:.6f},{b:.6f},{int(a + c > 0)}" for a, b, c in rng.standard_normal((40, 3))]
    table.write_text("\n".join(["a,b,y", *rows]), "utf-8")
    given = ["--data", str(table), "--target", "y", "--implementation", "reference", "--iterations", "5", "--no-exact"]
    status, out, _ = train(capsys, *given, "--layers", "3,1")
    assert status == 0
    assert "shallow network 2-3-1" in out
    assert train(capsys, *given)[1].startswith("own_logistic: logistic regression 2-1")


def test_ctrl_c_stops_cleanly_and_what_was_reached_is_kept(tmp_path: Path) -> None:
    """On a terminal there is a bar with J; the interrupt reaches the whole group; the checkpoint is complete."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    folder, ours, theirs = tmp_path / "kept", *pty.openpty()
    given = [*FLOWER, "--iterations", "1000000", "--no-exact", "--save", str(folder)]
    with subprocess.Popen(
        [sys.executable, "-m", "parity", "train", *given], stdout=subprocess.PIPE, stderr=theirs, start_new_session=True
    ) as child:
        os.close(theirs)
        seen = b""
        while b"J = " not in seen:
            seen += os.read(ours, 4096)
        os.killpg(child.pid, signal.SIGINT)
        with suppress(OSError):  # the terminal is closed; until then, a full one would hold it up
            while True:
                seen += os.read(ours, 4096)
        assert child.stdout is not None
        out = child.stdout.read().decode()
    os.close(ours)
    assert child.returncode == 2
    assert b"Traceback" not in seen
    (steps,) = re.findall(r"stopped by Ctrl-C; steps made: reference (\d+)", out)
    (verified,) = re.findall(r"each of (\d+) steps in 1 implementation is right", out)
    assert 0 < int(verified) <= int(steps) < 1000000
    told = json.loads((folder / "descent.json").read_text("utf-8"))
    assert told["implementations"]["reference"]["steps"] == int(steps)


def test_a_horizon_and_its_cause_are_told() -> None:
    from parity.training.amplification import Curvature, Distance
    from parity.training.arbitrary import Sum
    from parity.training.exact import ExactTrajectory

    descent = Descent(catalogue.build("flower"), 4)
    cost = np.array([0.0, 1e-12, 1e-9, 1e-9])
    exact = ExactTrajectory({}, Sum(np.ones(5), np.zeros(5)), (128, 256), False, 10, {128: 3})
    trail = Trail("reference", 0, {"b2": np.zeros((5, 1, 1))}, np.ones(4), {}, np.ones(4), np.zeros(4))
    distance = Distance("reference", 0, cost, cost, cost, cost)

    def lines(*curvatures: Curvature) -> list[str]:
        found = Result(descent, 10, [trail], "", exact=exact, distances=[distance], curvatures=list(curvatures))
        return report.conclusion(found)

    assert lines()[1] == "10 digits of J are determined in float64 up to step 1, the horizon"
    assert "is beyond 2 at step 2; at step 2 it is 2.5" in lines(Curvature(2, 0, 2.5))[2]
    passed = lines(Curvature(0, 0, 1.9), Curvature(1, 0, 2.1), Curvature(2, 0, 2.5), Curvature(3, 0, 2.2))[2]
    assert "passes 2 between steps 0 and 1; at step 2 it is 2.5" in passed
    assert passed.endswith("a step stretches a rounding error in that direction 1.50-fold")
    assert "the Hessian has the eigenvalue -0.25 / α" in lines(Curvature(1, -0.25, 1.0))[2]
    assert len(lines(Curvature(1, 0.25, 1.0))) == 2
    assert "128 and 256 bits agree" in report.provenance(exact)
    assert "by balls of 256 bits" in report.provenance(replace(exact, certified=True, precision=(256,)))
    assert marks(Descent(descent.problem, 10000)) == list(range(0, 10000, 1000))


def test_digits_that_are_not_there_at_the_start_are_there_at_no_step() -> None:
    from parity.training.amplification import Distance

    descent, cost = Descent(catalogue.build("flower"), 4), np.full(4, 1e-9)
    trail = Trail("reference", 0, {}, np.ones(4), {}, np.ones(4), np.zeros(4))

    def said(first: int) -> str:
        distance = Distance("reference", first, cost[first:], cost, cost[first:], cost)
        result = Result(descent, 10, [trail], "", distances=[replace(distance, cost=cost[first:])])
        return report.conclusion(result)[1]

    assert said(0) == said(2) == "10 digits of J are determined in float64 at no step"
    assert said(4) == "10 digits of J are determined in float64 to the end"  # it was resumed where it ends
