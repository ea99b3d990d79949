"""The files and folders of `parity train`: what is left where it is refused, and what is there though nobody reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from parity import surroundings
from parity.training import command
from tests.test_train_command import QUICK, train


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_machine_that_does_not_say_how_much_memory_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(surroundings.os, "sysconf", nothing, raising=False)
    assert surroundings.memory() == sys.maxsize


def test_a_refused_run_leaves_no_new_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Whatever it is refused for after the folder was made: the other one, or steps that are kept there."""
    for given in (("--save", "/no/such/folder"), ("--save", str(tmp_path / "kept"))):
        (tmp_path / "kept").mkdir(exist_ok=True)
        (tmp_path / "kept" / "notes").touch()
        assert train(capsys, *QUICK, "--plots", str(tmp_path / "plots"), *given)[0] == 2
        assert not (tmp_path / "plots").exists()


def test_a_descent_that_saved_nothing_leaves_no_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SAVE_EVERY", np.inf)
    given = ["--problem", "breast_cancer_deep", "--implementation", "reference", "--save", str(tmp_path / "kept")]
    assert train(capsys, *given, "--learning-rate", "1e10")[0] == 1
    assert not (tmp_path / "kept").exists()


def test_files_are_written_although_nobody_reads_the_report(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    ours, theirs = os.pipe()
    os.close(ours)
    given = [*QUICK, "--json", str(tmp_path / "report.json"), "--plots", str(tmp_path / "plots")]
    done = subprocess.run(
        [sys.executable, "-m", "parity", "train", *given], stdout=theirs, stderr=subprocess.PIPE, check=False
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (2, b"")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["schema"] == "parity.train"
    assert (tmp_path / "plots" / "boundaries.png").exists()


def test_the_report_is_shown_even_if_a_picture_cannot_be_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "divergence.svg").mkdir()
    status, out, err = train(capsys, *QUICK, "--plots", str(tmp_path))
    assert (status, err) == (2, f"parity: {tmp_path / 'divergence.svg'} is a folder: name a file in it\n")
    assert "each of 12 steps in 1 implementation is right" in out


def test_a_table_with_a_name_that_cannot_be_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Neither on the terminal nor in a picture, of which it would make no XML."""
    pytest.importorskip("matplotlib")
    table = tmp_path / "a\x1b[31m\nb.csv"
    try:
        table.write_text("a,b,y\n1,2,0\n2,3,1\n4,1,1\n5,5,0\n", "utf-8")
    except OSError:
        pytest.skip("this disk has no such names")
    given = ["--data", str(table), "--target", "y", "--implementation", "reference", "--iterations", "2", "--no-exact"]
    folder = tmp_path / "plots\x1b[31m"
    status, out, _ = train(capsys, *given, "--plots", str(folder), "--save", str(tmp_path / "kept\x1b"))
    assert status == 0
    assert all(line.isprintable() for line in out.splitlines())
    for name in ("cost", "divergence", "boundaries"):
        assert "\\x1b[31m\\nb_logistic" in ElementTree.parse(folder / f"{name}.svg").getroot()[0].text
