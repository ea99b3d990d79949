"""The folder of a site: nothing that is not a site is written into, and nothing that is not of the site is removed."""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
from pathlib import Path
from threading import Thread

import pytest

from parity.errors import BadInput
from parity.study import output
from tests.shared import refused

SITE = {"index.html": "<p>α", "style.css": "p { color: red }"}


def contents(place: Path) -> dict[str, str]:
    """The files by name, but for the list."""
    return {path.name: path.read_text() for path in place.iterdir() if path.name != output.MANIFEST}


def test_a_new_folder_is_made_and_holds_the_site_and_nothing_else(tmp_path: Path) -> None:
    place = output.folder(str(tmp_path / "site"))
    output.write(place, SITE)
    assert contents(place) == SITE
    assert output.listed(place) == set(SITE)


def test_a_new_site_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    """What the new one has no more is gone; what somebody else has put there stays."""
    place = output.folder(str(tmp_path))
    output.write(place, SITE | {"old.html": "old"})
    (place / "notes.txt").write_text("mine")
    assert output.folder(str(tmp_path)) == place
    output.write(place, {"index.html": "new"})
    assert contents(place) == {"index.html": "new", "notes.txt": "mine"}


def test_a_folder_with_other_files_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    line = refused(output.folder, str(tmp_path))
    assert line == f"{tmp_path} holds other files and no site of 'parity study': name an empty folder, or a new one"
    assert contents(tmp_path) == {"thesis.tex": "years of work"}


def test_a_file_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "site"
    file.write_text("a file")
    assert refused(output.folder, str(file)) == f"{file} is no folder: name one"
    assert file.read_text() == "a file"


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser may write everywhere, so that no permission is taken away: the system's answer is played."""

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", denied)
    line = refused(output.folder, str(tmp_path))
    assert line == f"{tmp_path} cannot be used: Permission denied; name another folder"


def test_a_place_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    assert refused(output.folder, str(tmp_path / "no" / "such" / "site")).startswith(
        f"{tmp_path / 'no' / 'such'} is no"
    )


def test_a_list_that_was_tampered_with_removes_nothing_elsewhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("stays")
    place = output.folder(str(tmp_path / "site"))
    output.write(place, SITE)
    for names in (["../outside", str(outside), "..", "", output.MANIFEST], "index.html", 7, [None]):
        (place / output.MANIFEST).write_text(json.dumps({"files": names}))
        output.write(place, SITE)
        assert outside.read_text() == "stays"
        assert contents(place) == SITE


def test_a_site_that_cannot_be_written_whole_leaves_the_old_one(tmp_path: Path) -> None:
    """A name that is too long stands for a disk that is full: it fails while the files are written beside the old."""
    place = output.folder(str(tmp_path))
    output.write(place, SITE)
    with pytest.raises(BadInput, match="could not be written"):
        output.write(place, {"index.html": "new", "a" * 300: "too long"})
    assert contents(place) == SITE


def test_what_a_killed_run_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f"{output.STAGED}left").mkdir()
    (tmp_path / f"{output.STAGED}left" / "half.html").write_text("half")
    place = output.folder(str(tmp_path))
    output.write(place, SITE)
    assert contents(place) == SITE


def test_a_folder_that_is_only_called_alike_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / f"{output.MANIFEST}-thesis").mkdir()
    assert "holds other files" in refused(output.folder, str(tmp_path))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_two_builds_at_once_are_written_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second begins while the first has its files staged: it would take them for those of a run that was killed."""
    place, second = output.folder(str(tmp_path)), {"index.html": "second"}
    write_whole, threads = output.files.write_whole, list[Thread]()

    def write(target: Path, content: str) -> None:
        if not threads:
            threads.append(Thread(target=output.write, args=(place, second)))
            threads[0].start()
            threads[0].join(0.2)
            assert threads[0].is_alive()
        write_whole(target, content)

    monkeypatch.setattr(output.files, "write_whole", write)
    output.write(place, SITE)
    threads[0].join()
    assert contents(place) == second
