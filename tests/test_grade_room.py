"""A learner's file is run: whatever it does ends within its limits, is told, and the rest of the file is there."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from parity.grade.record import Call, Inventory, Ref, Scene
from parity.grade.room import Contained, Here, Limits
from tests.rooms import X, played, result, source
from tests.shared import refused

SHORT = Limits(top=0.4, call=0.3, grace=0.2)


# What goes wrong: each thing at the top of a file and in a function, in one process for all of them

WRONG = {
    "import": "import no_such_module",
    "missing": "no_such_name + 1",
    "memory": "bytearray(10 * 2**30)",
    "exit": "__import__('sys').exit(3)",
    "exit 2": "__import__('os')._exit(0)",
    "exit 3": "quit()",
    "input": "input('? ')",
    "output": "print('x' * (50 << 20))",
    "output 3": "while True: __import__('os').write(1, b'x' * 10**6)",
    "output 2": "while True: print('x' * 1000)",
    "time": "while True: pass",
    "error": "raise KeyboardInterrupt",
    "error 2": "class E(BaseException):\n    def __str__(self): 1 / 0\nraise E",
    "error 3": "1 / 0",
    "syntax": "exec('x = = 1')",
    "forbidden": "open('/tmp/parity-elsewhere', 'w')",
    "forbidden 2": "__import__('os').system('true')",
    "forbidden 3": "__import__('subprocess').run(['true'])",
    "forbidden 4": "__import__('shutil').rmtree('/parity-elsewhere')",
    "forbidden 5": "__import__('socket').create_connection(('127.0.0.1', 9))",
    "forbidden 6": "__import__('os').remove('/parity-elsewhere')",
}


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.split("\n"))


def test_each_thing_at_the_top_has_its_trouble(tmp_path: Path) -> None:
    begin = time.monotonic()
    blocks = [f"if True:\n{indented(text)}" for text in WRONG.values()]
    with Contained(source(tmp_path, "\n".join([*blocks, "def f(X): return X + 1"])), SHORT) as room:
        found = [trouble.kind for trouble in room.inventory.troubles]
        assert found == [kind.partition(" ")[0] for kind in WRONG]
        assert all(trouble.line and trouble.function is None for trouble in room.inventory.troubles)
        assert all(trouble.what.isprintable() and len(trouble.what) <= 300 for trouble in room.inventory.troubles)
        assert np.array_equal(result(played(room, Call("f", {"X": X}))[0]).returned, X + 1)
    assert time.monotonic() - begin < 10


def test_each_thing_in_a_function_has_its_trouble(tmp_path: Path) -> None:
    functions = [f"def f{i}(X):\n{indented(text)}" for i, text in enumerate(WRONG.values())]
    scenes = [Scene(str(i), (Call(f"f{i}", {"X": X}), Call("g", {"x": Ref(0)}))) for i in range(len(WRONG))]
    with Contained(source(tmp_path, "\n".join([*functions, "def g(x): return x"])), SHORT) as room:
        assert not room.inventory.troubles
        for i, (kind, scenery) in enumerate(zip(WRONG, room.play(scenes), strict=True)):
            trouble = result(scenery.played[0]).trouble
            assert trouble is not None
            assert (trouble.kind, trouble.function) == (kind.partition(" ")[0], f"f{i}"), trouble
            assert trouble.line is not None
            assert scenery.played[1] is None
        assert len(room.play([Scene("p", (Call("f7", {"X": X}),))])[0].printed) == 2000


DEADLY = {
    "died": "__import__('os').abort()",
    "died 2": "__import__('ctypes').string_at(0)",
    "time": "while True:\n    try:\n        while True: pass\n    except: pass",
    "time 2": "__import__('signal').pthread_sigmask(0, [14])\nwhile True: pass",
    "time 3": "import signal\nsignal.raise_signal(signal.SIGSTOP)",
}


@pytest.mark.skipif(os.name != "posix", reason="there are no signals to die of")
def test_what_ends_the_process_is_told_and_left_out(tmp_path: Path) -> None:
    """At the top, where the rest is run in another process, and in functions, which are not called again."""
    functions = [f"def f{i}(X):\n{indented(text)}" for i, text in enumerate(DEADLY.values())]
    text = "\n".join(["if True:\n" + indented(DEADLY["died"]), "x = 1", *functions, "def g(X): return X + x"])
    calls = [(Call("g", {"X": X}), Call(f"f{i}", {"X": X}), Call("g", {"X": X})) for i in range(len(DEADLY))]
    with Contained(source(tmp_path, text), SHORT) as room:
        [trouble] = room.inventory.troubles
        assert (trouble.kind, trouble.line) == ("died", 1)
        assert "SIGABRT" in trouble.what
        for kind, scenery in zip(DEADLY, room.play([Scene("s", of) for of in calls]), strict=True):
            assert np.array_equal(result(scenery.played[0]).returned, X + 1)
            found = result(scenery.played[1]).trouble
            assert found is not None
            assert found.kind == kind.partition(" ")[0]
        begin = time.monotonic()
        assert [result(p).trouble for p in played(room, Call("f4", {"X": X}))] == [found]
        assert time.monotonic() - begin < SHORT.call


@pytest.mark.skipif(os.name != "posix", reason="there are no signals")
def test_a_loop_that_swallows_everything_at_the_top(tmp_path: Path) -> None:
    text = f"x = 1\nif x:\n{indented(DEADLY['time'])}\ndef f(X): return X + x\n"
    with Contained(source(tmp_path, text), SHORT) as room:
        [trouble] = room.inventory.troubles
        assert (trouble.kind, trouble.line in (3, 4, 5, 6)) == ("time", True)
        assert "f" in room.inventory.functions


def test_all_scenes_together_have_a_limit(tmp_path: Path) -> None:
    text = "import time\ndef f(X): time.sleep(0.1)\n"
    with Contained(source(tmp_path, text), Limits(whole=0.05, grace=0.2)) as room:
        first, second = (result(played(room, Call("f", {"X": X}))[0]).trouble for _ in range(2))
    assert first is None
    assert second is not None
    assert "its scenes take more than" in second.what


def test_a_process_that_does_not_start_in_time_is_bad_input(tmp_path: Path) -> None:
    room = Contained(source(tmp_path, "x = 1"), Limits(start=0, grace=0.01))
    assert "could not be run: does not end" in refused(room.__enter__)
    assert not os.path.exists(room._scratch)


HARM = """
import builtins, os, signal, sys, warnings
import numpy as np
kept = builtins.len
builtins.len = builtins.isinstance = builtins.type = None
sys.stdout = sys.stderr = sys.stdin = None
os.chdir("/")
np.random.seed(1)
np.seterr(all="raise")
warnings.filterwarnings("error")
signal.signal(signal.SIGALRM, signal.SIG_IGN)
sys.settrace(None)
sys.setrecursionlimit(100)
sys.path.clear()
sys.meta_path
def f(X):
    builtins.sorted = builtins.print = None
    sys.stdout.write("printed")
    os.write(1, b"past Python")
    warnings.warn("careful")
    open("mine.txt", "w").close()
    return X / 0
"""


def test_what_a_file_changes_of_its_process_does_no_harm(tmp_path: Path) -> None:
    text = HARM.replace("np.random.seed(1)", "np.dot = np.array = np.asarray = np.zeros = None; os.environ.clear()")
    with Contained(source(tmp_path, text)) as room:
        assert room.inventory.troubles == ()
        [scenery] = room.play([Scene("s", (Call("f", {"X": X}),))])
        [one] = scenery.played
        assert one is not None
        assert one.trouble is None
        assert scenery.printed == "printed"
        assert [line for line, _ in one.warnings] == [20, 22, 22]
        assert "divide by zero" in one.warnings[1][1]
        assert os.listdir(room._scratch).count("mine.txt") == 1


@pytest.mark.skipif(os.name != "posix", reason="there is no /proc")
def test_nothing_is_left_of_a_process(tmp_path: Path) -> None:
    """Neither of its threads, nor of what it does at its exit, nor of its folder."""
    text = """
import atexit, os, threading
def forever():
    while True: pass
atexit.register(forever)
threading.Thread(target=forever).start()
def f(X):
    threading.Thread(target=forever).start()
    return os.getpid()
"""
    with Contained(source(tmp_path, text), SHORT) as room:
        number, scratch = result(played(room, Call("f", {"X": X}))[0]).returned, room._scratch
        os.kill(number, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert not os.path.exists(scratch)


def test_this_project_cannot_be_overwritten(tmp_path: Path) -> None:
    import parity.grade.record as victim

    before = Path(victim.__file__).read_bytes()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    text = f"""
import os, shutil, parity.grade.record as victim
place = {str(outside)!r}
with open(victim.__file__, "w") as file: file.write("")
os.rename(victim.__file__, "mine.py")
os.open(victim.__file__, os.O_RDWR)
shutil.rmtree(place)
os.unlink("kept.txt", dir_fd=os.open(place, os.O_RDONLY))
os.symlink(place, "link"); open("link/kept.txt", "a")
os.chmod(place, 0)
os.mkdir(place + "/new")
os.truncate(place + "/kept.txt", 0)
os.makedirs("a/b"); shutil.rmtree("a"); open("b", "w").close(); os.rename("b", "c"); os.remove("c")
def f(): return os.getcwd(), dict(os.environ)
"""
    os.environ["SECRET_OF_THE_CALLER"] = "1"
    try:
        with Contained(source(tmp_path, text)) as room:
            troubles = room.inventory.troubles
            returned = result(played(room, Call("f", {}))[0]).returned
    finally:
        del os.environ["SECRET_OF_THE_CALLER"]
    assert [(trouble.kind, trouble.line) for trouble in troubles] == [("forbidden", n) for n in range(4, 13)]
    assert Path(victim.__file__).read_bytes() == before
    assert os.listdir(outside) == ["kept.txt"]
    assert (outside / "kept.txt").read_text() == "kept"
    assert not any("SECRET" in name for name in returned[1])
    assert not os.path.exists(returned[0])


def test_nothing_is_left_of_a_file_that_was_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    streams, folder, state = (sys.stdin, sys.stdout), os.getcwd(), np.random.get_state()[1].tolist()
    with Here(source(tmp_path, HARM.replace("sys.meta_path", ""))) as room:
        played(room, Call("f", {"X": X}))
    assert (sys.stdin, sys.stdout) == streams
    assert os.getcwd() == folder
    assert np.random.get_state()[1].tolist() == state
    assert len([1]) == 1
    assert isinstance(room.inventory, Inventory)
