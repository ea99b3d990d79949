"""What a learner's functions did is told: results, local names, changes, warnings, troubles."""

from __future__ import annotations

import os
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.grade.record import Call, Opaque, Ref, Trouble
from parity.grade.room import Contained, Here
from parity.grade.source import read
from tests.rooms import X, one, played, result, source

NUMPY = "import numpy as np\n"

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
def bare(g):
    return lambda *args, **kwargs: g(*args, **kwargs)
@bare
def hidden(a, c=2): return a
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
    assert set(found.functions) == {"plain", "double", "half", "deco", "wrapped", "bare", "hidden", "dot", "rest"}
    assert found.functions["plain"].arguments == ("X", "W", "b")
    assert found.functions["plain"].optional == {"b"}
    assert (found.functions["wrapped"].arguments, found.functions["wrapped"].line) == (("a", "c"), 15)
    assert (found.functions["hidden"].arguments, found.functions["hidden"].optional) == (("a", "c"), {"c"})
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
    Call("hidden", {"a": 3}),
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
    assert second.frames[0].bindings["self.Z"][0].line == 32
    assert list(second.frames[0].arguments) == ["X"]
    assert result(found[2]).frames[0].function == "double"
    assert result(found[7]).trouble == Trouble("missing", "NameError: name 'nothing' is not defined", None, "nothing")
    assert "missing 1 required" in result(found[8]).trouble.what
    assert result(found[9]).returned.tolist() == (X @ X.T).tolist()
    assert result(found[10]).returned == 3


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


def test_gathered_arguments(tmp_path: Path) -> None:
    text = "def f(X, *rest, **options): return g(X, 1, b=2)\ndef g(a, *rest, **options): return rest, options\n"
    found = one(tmp_path, text)
    assert list(found.frames[0].arguments) == ["X", "rest", "options"]
    assert (found.frames[1].arguments["rest"], found.frames[1].arguments["options"]) == ((1,), {"b": 2})


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


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[0.5] * 10**6", "too large"),
        ("functools.reduce(lambda a, _: [a, a], range(60), [])", "too deep"),
        ("[[0.5] * 40000, [1.5] * 40000, 1]", "too large"),
    ],
)
def test_what_has_too_many_parts(tmp_path: Path, text: str, kind: str) -> None:
    begin = time.monotonic()
    found = one(tmp_path, f"import functools\ndef f(X):\n    return {text}\n")
    assert kind in repr(found.returned)
    assert time.monotonic() - begin < 2


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


@pytest.mark.parametrize("room", [Here, Contained])
def test_a_module_beside_the_file_is_used(tmp_path: Path, room: type[Here | Contained], monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for value, folder in enumerate(("one", "two")):
        Path(folder).mkdir()
        Path(folder, "dnn_utils.py").write_text(f"value = {value}\n")
        Path(folder, "numpy.py").write_text("never = 1\n")
        Path(folder, "a.py").write_text(
            "import dnn_utils, numpy as np\ndef f(): return dnn_utils.value + np.float64(0)\n"
        )
        with room(read(f"{folder}/a.py")) as made:
            assert result(played(made, Call("f", {}))[0]).returned == value
        assert sorted(os.listdir(folder)) == ["a.py", "dnn_utils.py", "numpy.py"]


def test_streams_are_as_good_as_others(tmp_path: Path) -> None:
    text = "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8')\nprint('é')\n"
    with Contained(
        source(tmp_path, text + "sys.stdout.flush()\nsys.stderr.reconfigure()\nprint('x', file=sys.stderr)")
    ) as room:
        assert room.inventory.troubles == ()
        assert room.inventory.printed == "é\nx\n"


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
        calls = Call("f", {"X": X}), Call("df", {"X": X})
        found, grad = played(room, *calls, arrays="jax")
        compiled = played(room, *calls, arrays="jax", trace=False)
    assert result(found).frames[0].bindings["Z"][0].value.tolist() == (2 * X).tolist()
    assert result(compiled[0]).returned == 30
    assert (result(found).returned, result(found).returned.dtype) == (30, np.float64)
    assert result(grad).returned.tolist() == [[2, 2, 2], [2, 2, 2]]
