"""Modules that a learner's file asks for and need not be there: course helpers, and what draws or loads data."""

from __future__ import annotations

import ast
import builtins
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DRAWING = frozenset({"matplotlib", "pylab", "h5py", "PIL", "skimage", "IPython", "seaborn", "plotly", "ipywidgets"})
"""Never imported: they cost time, and nothing that is drawn or loaded is graded."""

COLAB = "google.colab"

HELPERS = re.compile(
    r"(dnn_utils|dnn_app_utils|test_?cases|planar_utils|lr_utils|reg_utils|gc_utils|public_tests|init_utils|test_utils|opt_utils)\w*",
    re.I,
)
"""The courses' own modules; one that lies beside the file is used."""

PLOT_OR_TEST = re.compile(r"(load|plot|print|show|display)_|.*_tests?(_|$)|.*_test_case", re.I)
"""Names that such modules offer."""


class StandIn:
    """An object that takes everything that is done to it, and has no value."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __setattr__(self, name: str, value: object) -> None: ...

    def __iter__(self) -> Iterator[Any]:
        return iter([self] * _wanted(sys._getframe(1)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.zeros((2, 2), dtype)

    def __len__(self) -> int:
        return 2

    def __contains__(self, item: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def __format__(self, spec: str) -> str:
        return "stand-in"

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None: ...

    def __index__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    __int__ = __index__
    __hash__ = object.__hash__
    __setitem__ = __setattr__


def _itself(self: StandIn, *arguments: object, **named: object) -> StandIn:
    return self


OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
for _name in (
    *("call", "getitem", "array_ufunc", "array_function", "deepcopy", "copy", "neg", "pos", "abs", "invert", "round"),
    *("lt", "le", "gt", "ge", "eq", "ne"),
    *(side + operator for operator in OPERATORS for side in ("", "r")),
):
    setattr(StandIn, f"__{_name}__", _itself)
StandIn.__torch_function__ = classmethod(lambda cls, *arguments, **named: cls())  # type: ignore[attr-defined]


def _wanted(frame: types.FrameType) -> int:
    """How many names an iteration fills: those on the left of `X, Y, params = case()`, else 2."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return code[at + 1] if 0 <= at < len(code) - 1 and code[at] == UNPACK else 2


UNPACK = __import__("opcode").opmap["UNPACK_SEQUENCE"]


class Module(types.ModuleType):
    """A module that has everything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn()


def sigmoid(Z: Any) -> Any:
    """σ(Z), without overflow (N15)."""
    e = np.exp(-np.abs(Z))
    return np.where(np.asarray(Z) >= 0, 1 / (1 + e), e / (1 + e))


def relu(Z: Any) -> Any:
    """max(0, Z) (N15)."""
    return np.maximum(0, Z)


def sigmoid_backward(dA: Any, cache: Any) -> Any:
    """DA ∗ σ'(Z) (N17, N23)."""
    A = sigmoid(cache)
    return dA * A * (1 - A)


def relu_backward(dA: Any, cache: Any) -> Any:
    """DA where Z > 0, else 0 (N17, N23)."""
    return np.where(np.asarray(cache) > 0, dA, 0)


def _with_cache(function: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    return lambda Z: (function(Z), Z)


OFFERS: dict[str, dict[str, object]] = {
    "dnn": {
        "sigmoid": _with_cache(sigmoid),
        "relu": _with_cache(relu),
        "sigmoid_backward": sigmoid_backward,
        "relu_backward": relu_backward,
    },
    "planar": {"sigmoid": sigmoid},
    "init": {"sigmoid": sigmoid, "relu": relu},
    "opt": {"sigmoid": sigmoid, "relu": relu},
}
"""By how a module's name begins, the functions that it is known for."""


def is_drawn(name: str) -> bool:
    """Whether a module is one of those that are never imported."""
    return name.partition(".")[0] in DRAWING or name == COLAB or name.startswith(COLAB + ".")


def module(name: str, names: frozenset[str]) -> Module:
    """A stand-in; `names` is what `from … import *` brings beside the functions it is known for."""
    made = Module(name)
    offers = OFFERS.get(name.partition("_")[0].lower(), {})
    vars(made).update({wanted: StandIn() for wanted in names} | offers)
    made.__all__ = sorted(vars(made).keys() & (names | offers.keys()))  # type: ignore[attr-defined]
    return made


def wanted(tree: ast.Module) -> frozenset[str]:
    """What `from testCases import *` has to bring: names that nothing in the file binds.

    Of those in functions only what sounds like a plot or a test: a formula's missing name must stay missing.
    """
    loads = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    top = {n.id for statement in tree.body for n in _outside(statement) if isinstance(n, ast.Name)}
    asked = {name for name in loads if name in top or PLOT_OR_TEST.match(name)}
    return frozenset(asked - set(_bound(tree)) - vars(builtins).keys())


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    """Of a statement, what is not in a function's or a class's body."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _outside(child)


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


class Importer:
    """`__import__` for a learner's file."""

    def __init__(self, tree: ast.Module) -> None:
        self.wanted = wanted(tree)
        self.made: dict[str, Module] = {}
        self.real = builtins.__import__

    def __call__(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        """As the built-in function, with stand-ins."""
        if level == 0 and is_drawn(name):
            return self.stand_in(name if fromlist else name.partition(".")[0])
        try:
            return self.real(name, globals, locals, fromlist, level)
        except ImportError as error:
            root = name.partition(".")[0]
            if HELPERS.fullmatch(root):
                return self.stand_in(name if fromlist else root)
            if root == "tqdm" and error.name == root:
                return _tqdm()
            raise

    def stand_in(self, name: str) -> Module:
        """The same module each time."""
        if name not in self.made:
            self.made[name] = module(name, frozenset() if is_drawn(name) else self.wanted)
        return self.made[name]


def _tqdm() -> Module:
    """A bar that is not drawn around an iteration that is done."""
    made = Module("tqdm")
    made.tqdm = lambda items=(), **options: items  # type: ignore[attr-defined]
    made.trange = lambda *bounds, **options: range(*bounds)  # type: ignore[attr-defined]
    made.auto = made.notebook = made  # type: ignore[attr-defined]
    return made
