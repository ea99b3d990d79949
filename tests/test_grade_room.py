"""A learner's file is run: whatever it does ends within its limits, is told, and the rest of the file is there."""

from __future__ import annotations

import os
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.grade.record import Call, Inventory, Opaque, Played, Ref, Scene, Trouble
from parity.grade.room import Contained, Here, Limits
from parity.grade.source import read
from tests.shared import refused

SHORT = Limits(top=0.4, call=0.3, grace=0.2)
NUMPY = "import numpy as np\n"
X = np.arange(6.0).reshape(2, 3)


def source(folder: Path, text: str) -> Any:
    file = folder / "a.py"
    file.write_text(text, encoding="utf-8")
    return read(str(file))


def played(room: Here | Contained, *calls: Call, **options: Any) -> list[Played | None]:
    [scenery] = room.play([Scene("s", calls, **options)])
    assert len(scenery.played) == len(calls)
    return list(scenery.played)


def one(folder: Path, text: str, *arguments: Call, **options: Any) -> Played:
    """What becomes of the last of the calls, or of f(X), here."""
    with Here(source(folder, text)) as room:
        assert not room.inventory.troubles
        result = played(room, *(arguments or (Call("f", {"X": X}),)), **options)[-1]
    assert result is not None
    return result


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


def result(of: Played | None) -> Played:
    assert of is not None
    return of


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
        assert [result(p).trouble for p in played(room, Call("f3", {"X": X}))] == [found]
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
    with Contained(source(tmp_path, HARM)) as room:
        assert room.inventory.troubles == ()
        [scenery] = room.play([Scene("s", (Call("f", {"X": X}),))])
        [one] = scenery.played
        assert one is not None
        assert one.trouble is None
        assert scenery.printed == "printed"
        assert [line for line, _ in one.warnings] == [20, 22, 22]
        assert "divide by zero" in one.warnings[1][1]
        assert os.listdir(room._scratch).count("mine.txt") == 1


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


# What is told

NET = """
import numpy as np
from functools import partial, wraps
from dataclasses import dataclass
def plain(X, W, *, b=0):
    return X
double = lambda z: 2 * z
half = partial(plain, W=1)
def deco(g):
    @wraps(g)
    def inner(*args, **kwargs):
        return g(*args, **kwargs)
    return inner
@deco
def wrapped(a, c):
    return a
dot = np.dot
def rest(*args): return len(args)
@dataclass
class Box:
    side: int = 1
class Base:
    def above(self, X): return X
class Net(Base):
    def __init__(self, n, scale=0.01):
        self.W = np.ones((n, n))
    def forward(self, X):
        self.Z = self.W @ X
        return self.Z
    @staticmethod
    def g(z): return z
"""


def test_inventory(tmp_path: Path) -> None:
    with Here(source(tmp_path, NET)) as room:
        found = room.inventory
    assert set(found.functions) == {"plain", "double", "half", "deco", "wrapped", "dot", "rest"}
    assert found.functions["plain"].arguments == ("X", "W", "b")
    assert found.functions["plain"].optional == {"b"}
    assert (found.functions["wrapped"].arguments, found.functions["wrapped"].line) == (("a", "c"), 15)
    assert (found.functions["double"].arguments, found.functions["double"].line) == (("z",), 7)
    assert found.functions["rest"].anything
    assert found.classes["Net"].arguments == ("n", "scale")
    assert found.classes["Box"].arguments == ("side",)
    assert {name: f.arguments for name, f in found.methods["Net"].items()} == {
        "above": ("X",),
        "forward": ("X",),
        "g": ("z",),
    }
    assert found.frameworks == {"numpy"}


CALLS = (
    Call("Net", {"n": 2}),
    Call("Net.forward", {"X": X}, 0, {"W": 2 * np.eye(2)}),
    Call("double", {"z": Ref(1)}),
    Call("plain", {"X": {"a": Ref(2, (0, 1))}, "W": 1, "b": 2}),
    Call("plain", {"X": Ref(3, ("none",)), "W": 1}),
    Call("Net.forward", {"X": X}, 4),
    Call("rest", {"a": 1, "b": 2}),
    Call("nothing", {}),
    Call("plain", {"X": 1}),
    Call("dot", {"a": X, "b": X.T}),
)


@pytest.mark.parametrize("room", [Here, Contained])
def test_calls(tmp_path: Path, room: type[Here | Contained]) -> None:
    with room(source(tmp_path, NET)) as made:
        found = played(made, *CALLS)
    assert [None if p is None else p.returned for p in (found[0], *found[3:9])] == [
        *(Opaque("Net"), {"a": 4.0 * X[0, 1]}, None, None, 2, None, None),
    ]
    first, second = result(found[0]), result(found[1])
    assert (first.frames[0].function, second.frames[0].function) == ("Net.__init__", "Net.forward")
    assert second.attributes["Z"].tolist() == (2 * X).tolist()
    assert second.frames[0].bindings["self.Z"][0].line == 28
    assert list(second.frames[0].arguments) == ["X"]
    assert result(found[2]).frames[0].function == "double"
    assert result(found[7]).trouble == Trouble("missing", "NameError: name 'nothing' is not defined", None, "nothing")
    assert "missing 1 required" in result(found[8]).trouble.what
    assert result(found[9]).returned.tolist() == (X @ X.T).tolist()


TRACED = """
import numpy as np
def g(z):
    return [i * 2 for i in range(2)], z
def f(X, params, rest=None):
    A = X
    A = A + 1
    total = 0
    for i in range(3):
        total += i + 0.5
    grads = {}
    grads["dW1"] = A * 2
    params["W1"] += 1
    params["b1"] = np.zeros(2)
    def inner(q):
        r = q
        return r
    cache = (A,
             inner(A))
    X[0, 0] = 9
    g(1)
    return grads, cache
"""


def test_bindings(tmp_path: Path) -> None:
    call = Call("f", {"X": X, "params": {"W1": np.zeros(2), "b1": np.ones(2)}, "rest": [X]})
    found = one(tmp_path, TRACED, call)
    top, inner, g = found.frames
    assert [(f.function, f.depth) for f in found.frames] == [("f", 0), ("f.inner", 1), ("g", 1)]
    assert top.arguments["X"].tolist() == X.tolist()  # as they were
    assert top.arguments["params"]["W1"].tolist() == [0, 0]
    lines = {name: [b.line for b in bound] for name, bound in top.bindings.items()}
    assert lines["A"] == [6, 7]
    assert [b.value for b in top.bindings["total"]] == [0, 0.5, 2.0, 4.5]
    assert lines["grads"] == [11]
    assert top.bindings["grads"][0].value["dW1"].tolist() == (2 * X + 2).tolist()
    assert (lines["grads['dW1']"], lines["params['b1']"]) == ([12], [14])
    assert "params['W1']" not in lines  # the same array
    assert lines["cache"][0] in (18, 19)
    assert top.bindings["A"][0].value[0, 0] == 9  # X itself, as it was at the end
    assert (top.line, inner.line, g.line) == (22, 17, 4)
    assert found.mutated == ("X", "params['W1']", "params['b1']")
    assert one(tmp_path, TRACED, call, trace=False).frames == ()


def test_an_exception_is_placed(tmp_path: Path) -> None:
    text = NUMPY + "def g(z):\n    return np.dot(z, z)\ndef f(X):\n    A = X\n    return g(A)\n"
    found = one(tmp_path, text)
    assert found.trouble is not None
    assert (found.trouble.kind, found.trouble.line, found.trouble.function) == ("error", 3, "g")
    assert found.trouble.what.startswith("ValueError: shapes")
    assert [frame.returned for frame in found.frames] == [None, None]
    assert list(found.frames[0].bindings) == ["A"]


def test_too_many_bindings_and_frames(tmp_path: Path) -> None:
    text = "def g(i): return i\ndef f(X):\n    for i in range(5000): g(i)\n"
    found = one(tmp_path, text)
    assert len(found.frames) == 512
    assert len(found.frames[0].bindings["i"]) == 4096
    assert found.frames[0].bindings["i"][-1].value == 4999


def test_what_is_too_large(tmp_path: Path) -> None:
    found = one(tmp_path, NUMPY + "def f(X):\n    return np.zeros(1 << 24), 1\n")
    assert found.returned == (Opaque("too large"), 1)


COURSE = """
import numpy as np
import h5py, matplotlib.pyplot as plt
from PIL import Image
from IPython.display import display
from testCases_v2 import *
from dnn_utils import sigmoid, relu, sigmoid_backward, relu_backward
import planar_utils
from planar_utils import plot_decision_boundary, load_planar_dataset
from public_tests import *
plt.rcParams["figure.figsize"] = (5.0, 4.0)
X, Y, params = forward_propagation_test_case()
with h5py.File("train.h5", "r") as data:
    images = np.array(data["x"][:]) / 255.0
for row in plt.subplots(2): row.plot(images, label="x")
def forward(X, W):
    return sigmoid(W @ X)
def uses(X):
    return forgotten(X)
A, cache = forward(X, params["W1"])
print(f"cost {A:.3f} {np.squeeze(A)}", float(A), 2 * A > 1, len(params) // 2)
forward_test(forward)
def f(X):
    plt.plot(X)
    plot_decision_boundary(X)
    return sigmoid(X), relu(X), sigmoid_backward(X, X), relu_backward(X, X - 1), planar_utils.sigmoid(X)
"""


def test_course_files_run_without_their_helpers(tmp_path: Path) -> None:
    with Contained(source(tmp_path, COURSE)) as room:
        assert room.inventory.troubles == ()
        assert set(room.inventory.functions) == {"forward", "uses", "f"}
        found, missing = played(room, Call("f", {"X": X - 2}), Call("uses", {"X": X}))
    assert result(missing).trouble == Trouble("missing", "NameError: name 'forgotten' is not defined", 19, "uses")
    (A, Z), (R, _), dZ, dR, S = result(found).returned
    assert result(found).warnings == ()
    assert Z.tolist() == (X - 2).tolist()
    assert A.tolist() == S.tolist()
    assert ((A > 0) & (A < 1)).all()
    assert A[0, 2] == 0.5
    assert R.tolist() == np.maximum(0, X - 2).tolist()
    assert dZ[0, 2] == 0
    assert dR.tolist() == np.where(X - 2 > 1, X - 2, 0).tolist()


def test_torch_and_jax_are_not_imported_for_numpy(tmp_path: Path) -> None:
    text = NUMPY + "import sys\ndef f(X):\n    return sorted({'torch', 'jax', 'parity', 'rich'} & set(sys.modules))\n"
    with Contained(source(tmp_path, text)) as room:
        assert result(played(room, Call("f", {"X": X}))[0]).returned == []


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not here")
def test_torch(tmp_path: Path) -> None:
    text = """
import torch
def f(X, W):
    Z = W @ X
    Z.sum().backward()
    return Z, W.grad, X.requires_grad, X.dtype is torch.float64
def hold(n): return torch.zeros(10 * 2**28)
"""
    with Contained(source(tmp_path, text)) as room:
        call = Call("f", {"X": X, "W": np.ones((1, 2))})
        found, full = played(room, call, Call("hold", {"n": 1}), arrays="torch, grad")
    Z, dW, requires, double = result(found).returned
    assert Z.tolist() == [[3, 5, 7]]
    assert dW.tolist() == [[3, 12]]
    assert (requires, double) == (False, True)
    assert result(found).frames[0].bindings["Z"][0].value.tolist() == Z.tolist()
    assert result(full).trouble.kind == "memory"


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not here")
def test_jax(tmp_path: Path) -> None:
    text = """
import jax, jax.numpy as jnp
@jax.jit
def f(X):
    Z = X * 2
    return Z.sum()
df = jax.grad(f)
"""
    with Contained(source(tmp_path, text)) as room:
        assert set(room.inventory.functions) == {"f", "df"}
        found, grad = played(room, Call("f", {"X": X}), Call("df", {"X": X}), arrays="jax")
    assert (result(found).returned, result(found).returned.dtype) == (30, np.float64)
    assert result(grad).returned.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_nothing_is_left_of_a_file_that_was_run_here(tmp_path: Path) -> None:
    import sys

    streams, folder, state = (sys.stdin, sys.stdout), os.getcwd(), np.random.get_state()[1].tolist()
    with Here(source(tmp_path, HARM.replace("sys.meta_path", ""))) as room:
        played(room, Call("f", {"X": X}))
    (Path("mine.txt")).unlink(missing_ok=True)
    assert (sys.stdin, sys.stdout) == streams
    assert os.getcwd() == folder
    assert np.random.get_state()[1].tolist() == state
    assert len([1]) == 1
    assert isinstance(room.inventory, Inventory)
