"""Files that are written whole, and what is refused before anything is computed for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parity import files
from parity.errors import BadInput
from parity.files import folder, none_left_empty, writable, write_whole
from tests.shared import refused

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("content", ["γ\r\n", b"\x00\xff\r\n"])
def test_text_and_bytes_are_written_as_they_are(tmp_path: Path, content: str | bytes) -> None:
    target = tmp_path / "file"
    for _ in range(2):
        write_whole(target, content)
    assert target.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [target]


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    """Whether it leads to a file or to where one can be made."""
    (tmp_path / "there").write_text("old")
    for name in ("there", "not yet"):
        link = tmp_path / f"to {name}"
        link.symlink_to(name)
        assert writable(link) == (tmp_path / name).resolve()
        write_whole(link, "new")
        assert link.is_symlink()
        assert (tmp_path / name).read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFO")
@pytest.mark.parametrize("name", ["fifo", "to the fifo"])
def test_what_is_no_regular_file_stays_what_it_is(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "to the fifo").symlink_to("fifo")
    assert refused(writable, tmp_path / name) == f"{tmp_path / name} is no regular file: name one"
    assert refused(write_whole, tmp_path / name, "text") == f"{tmp_path / name} is no regular file: name one"
    assert (tmp_path / "fifo").is_fifo()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and devices are others there")
def test_a_device_stays_what_it_is(tmp_path: Path) -> None:
    device = tmp_path / "null"
    try:
        os.mknod(device, 0o020666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this user may make no device")
    assert refused(writable, device) == f"{device} is no regular file: name one"
    assert device.is_char_device()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_where_the_output_goes_is_no_place_for_another(tmp_path: Path, stream: str) -> None:
    """A rename would take the file away from under what is still being written."""
    program = "from parity.files import writable\ntry: writable('out')\nexcept Exception as no: print(no, file=sys.%s)"
    given = [sys.executable, "-c", f"import sys\n{program % stream}"]
    with (tmp_path / "out").open("w") as out:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(given, cwd=tmp_path, env=environment, check=True, **{stream: out})
    assert (tmp_path / "out").read_text() == "out is where the output goes: name another file\n"


def test_a_name_that_no_file_can_have_is_found_out_at_once(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name, line in {
        "x" * 300: "cannot be written: File name too long; name another file",
        "loop": "cannot be written: Too many levels of symbolic links; name another file",
        "none/file": f"{tmp_path / 'none'} is no folder: make it first, or name another file",
    }.items():
        assert line in refused(writable, tmp_path / name)
    assert "name is empty" in refused(writable, "")
    assert os.listdir(tmp_path) == ["loop"]


@pytest.mark.parametrize("name", ["x" * 255, "γ" * 127, "𝛾" * 63])
def test_the_longest_name_that_a_file_can_have(tmp_path: Path, name: str) -> None:
    """What is written beside has a longer one that is cut."""
    try:
        (tmp_path / name).touch()
    except OSError:
        pytest.skip("this disk has shorter names")
    write_whole(writable(tmp_path / name), "text")
    assert (tmp_path / name).read_text() == "text"


def test_a_place_where_no_file_can_be_made_is_found_out_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in /proc, whose permissions say that root may write."""

    def nothing(*given: object, **named: object) -> None:
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(files.tempfile, "NamedTemporaryFile", nothing)
    assert "file cannot be written: No such file" in refused(writable, tmp_path / "file")
    assert "cannot be used: No such file" in refused(folder, tmp_path)


def test_a_folder_is_made_and_has_nothing_in_it(tmp_path: Path) -> None:
    for _ in range(2):
        assert folder(tmp_path / "new") == tmp_path / "new"
        assert os.listdir(tmp_path / "new") == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("file", "file is no folder: name one"),
        ("broken", "broken is no folder: name one"),
        ("nowhere/new", "nowhere is no folder: make it first, or name another one"),
        ("file/new", "file is no folder: make it first, or name another one"),
        ("x" * 300, "cannot be used: File name too long; name another folder"),
    ],
)
def test_a_folder_that_is_none(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "broken").symlink_to("nowhere")
    assert refused(folder, tmp_path / path).endswith(said)
    assert sorted(os.listdir(tmp_path)) == ["broken", "file"]
    assert (tmp_path / "file").read_text() == "kept"


def test_no_name_is_not_that_of_the_current_folder() -> None:
    assert refused(folder, "") == "a name is empty: name a file or a folder"


def test_no_new_folder_is_left_empty(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("old", "full", "empty", "never made")]
    (tmp_path / "old").mkdir()

    def refuse() -> None:
        with none_left_empty(*paths, None, ""):
            for path in paths[1:3]:
                folder(path)
            (tmp_path / "full" / "file").touch()
            raise BadInput("no")

    assert refused(refuse) == "no"
    assert sorted(os.listdir(tmp_path)) == ["full", "old"]
