"""What is asked of the process that runs a learner's file, and what it tells: plain data, no code."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Value = Any
"""None, bool, int, float, complex, str, a NumPy array, `Opaque`, or a list, tuple or dict of these. Arrays of other
frameworks arrive as NumPy arrays."""

TROUBLES = ("import", "syntax", "missing", "time", "memory", "output", "exit", "input", "error", "died", "forbidden")
"""What may go wrong while a file runs: `missing` is a name that is not defined, `error` any other exception."""

NO_VERDICT = frozenset(TROUBLES) - {"error"}
"""Troubles after which the file could not be run as it is, whatever its formulas are worth."""


@dataclass(frozen=True)
class Opaque:
    """What has no place on the wire: the name of its class."""

    kind: str


@dataclass(frozen=True)
class Trouble:
    """Something that went wrong.

    Attributes
    ----------
    kind : str
        One of `TROUBLES`.
    what : str
        One printable line, without the line's number: "ModuleNotFoundError: No module named 'foo'".
    line : int or None
        Of the learner's file.
    function : str or None
        The learner's function that it happened in; None at the top of the file.
    """

    kind: str
    what: str
    line: int | None = None
    function: str | None = None


@dataclass(frozen=True)
class Function:
    """A function of the file, or a method.

    Attributes
    ----------
    name : str
        "propagate", or "Network.forward".
    arguments : tuple of str
        Their names in order, without self.
    optional : frozenset of str
        Those that have a default.
    line : int or None
        Where it is defined.
    anything : bool
        It takes *args or **kwargs.
    """

    name: str
    arguments: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    line: int | None = None
    anything: bool = False


@dataclass(frozen=True)
class Inventory:
    """What a file holds once it has been run from top to bottom.

    Attributes
    ----------
    functions : mapping
        Every function that the file defines at its top (lambdas, jitted and decorated ones, too), by name.
    classes : mapping
        Every class that the file defines, by name: how it is constructed.
    methods : mapping
        Of each class, its methods by their short names.
    frameworks : frozenset of str
        Those of numpy, torch and jax that the file imports.
    troubles : tuple of Trouble
        What went wrong at the top of the file; what could be run was run.
    printed : str
        The beginning of what it printed.
    """

    functions: Mapping[str, Function]
    classes: Mapping[str, Function] = field(default_factory=dict)
    methods: Mapping[str, Mapping[str, Function]] = field(default_factory=dict)
    frameworks: frozenset[str] = frozenset()
    troubles: tuple[Trouble, ...] = ()
    printed: str = ""


@dataclass(frozen=True)
class Ref:
    """What an earlier call of the same scene returned, or a part of it: `Ref(0, (1, "Z1"))` is result[1]["Z1"]."""

    call: int
    path: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Call:
    """A call of one of the file's functions.

    Attributes
    ----------
    function : str
        "propagate"; "Network" constructs one; "Network.forward" is called on the result of call `on`.
    arguments : mapping
        Values, or `Ref`s, also inside of lists, tuples and dicts, by the names of the parameters.
    on : int or None
        The call of this scene that made the object.
    attributes : mapping
        What is assigned to the object before the call.
    """

    function: str
    arguments: Mapping[str, Value]
    on: int | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """Calls that belong together, in order. What one of them needs of a call that failed is not called.

    Attributes
    ----------
    name : str
        Whatever tells the scenes of a run apart.
    arrays : str
        What arrays are made of before they are handed over: numpy, torch or jax; "torch, grad" for tensors that
        require gradients where they are parameters (in a dict, or not called X, Y, A_prev …).
    trace : bool
        Whether local names are recorded.
    """

    name: str
    calls: tuple[Call, ...]
    arrays: str = "numpy"
    trace: bool = True


class Binding(NamedTuple):
    """A local name got this value on this line; an array has the values it had when its function returned."""

    line: int
    value: Value


@dataclass(frozen=True)
class Frame:
    """One run of one function of the learner's.

    Attributes
    ----------
    function : str
        As in `Function.name`; nested functions as "outer.inner".
    depth : int
        0: called by the grader; 1: called by such a function; …
    arguments : mapping
        What it was given, as it was then, by the names of the parameters (self left out).
    bindings : mapping
        Each local name, and attribute of self as "self.W1", with all that was bound to it, in order.
    returned : Value
        None where it raised.
    line : int or None
        Of the return.
    """

    function: str
    depth: int
    arguments: Mapping[str, Value]
    bindings: Mapping[str, tuple[Binding, ...]]
    returned: Value
    line: int | None = None


@dataclass(frozen=True)
class Played:
    """What became of a call.

    Attributes
    ----------
    frames : tuple of Frame
        Every run of a function of the learner's, in the order in which they were entered: the called one first.
    returned : Value
        What the call returned.
    attributes : mapping
        Those of the object whose method was called, afterwards.
    mutated : tuple of str
        The arguments that the call changed: "X", "parameters['W1']".
    in_place : tuple of str
        Those of them whose arrays were written to; others are items that were replaced.
    trouble : Trouble or None
        Why there is no result; "not called" never happens: such calls are left out of the answer as None.
    warnings : tuple of (line or None, text)
        What NumPy and Python warned of, each once.
    """

    frames: tuple[Frame, ...]
    returned: Value
    attributes: Mapping[str, Value] = field(default_factory=dict)
    mutated: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()
    trouble: Trouble | None = None
    warnings: tuple[tuple[int | None, str], ...] = ()


@dataclass(frozen=True)
class Scenery:
    """What became of a scene: an entry for each of its calls, None where it was not called."""

    scene: Scene
    played: tuple[Played | None, ...]
    printed: str = ""


@dataclass(frozen=True)
class Source:
    """A learner's file.

    Attributes
    ----------
    path : str
        As it was given.
    text : str
        Python, as it is run; of a notebook, its cells of code one after the other.
    tree : ast.Module
        Of the text.
    cells : tuple of (int, int)
        Of a notebook, the first line of each cell in the text, and the cell's number there, from 1.
    troubles : tuple of Trouble
        What could not be parsed and was left out: blank lines stand in its place.
    """

    path: str
    text: str
    tree: ast.Module
    cells: tuple[tuple[int, int], ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def place(self, line: int | None) -> str:
        """As "line 12" or "cell 3, line 2"; an empty string where it is not known."""
        if line is None:
            return ""
        before = [(first, number) for first, number in self.cells if first <= line]
        return f"cell {before[-1][1]}, line {line - before[-1][0] + 1}" if before else f"line {line}"


class Room(Protocol):
    """Where a file is run. `inventory` is what it holds; `play` calls its functions."""

    source: Source
    inventory: Inventory

    def play(self, scenes: Sequence[Scene]) -> list[Scenery]:
        """What became of each scene, in order; a scene that ends the process is told as its trouble."""
