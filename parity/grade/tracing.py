"""Every local name of a learner's functions, with the lines that bound it, while they run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, FrameType
from typing import Any

from parity.grade.record import Binding, Frame, Value
from parity.grade.values import Budget, freeze

FRAMES = 512
"""Runs of functions that are recorded, of one call."""

BINDINGS = 4096
"""Of one name, in one run: the first ones, and the last."""

SUSPENDED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
"""Functions that return more than once."""


@dataclass
class Run:
    """One run of a function, so far.

    Attributes
    ----------
    line : int
        The one that is running.
    seen, own : dict
        What each name, and each attribute of self, was when it was last looked at.
    items : dict
        Likewise what each dict held, by what it is called, with the dict.
    bound : dict
        By name, lines and objects.
    """

    function: str
    depth: int
    arguments: Mapping[str, Value]
    line: int
    owner: Any = None
    seen: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    items: dict[str, tuple[dict[Any, Any], dict[Any, Any]]] = field(default_factory=dict)
    bound: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)


class Recorder:
    """Records the runs of the functions of one file.

    Parameters
    ----------
    filename : str
        Of the learner's code.
    names : mapping
        What the file calls a function whose own name says nothing: a lambda.
    """

    def __init__(self, filename: str, names: Mapping[CodeType, str], budget: Budget) -> None:
        self.filename, self.names, self.budget = filename, names, budget
        self.runs: list[Run] = []
        self.frames: list[Frame | None] = []
        self.depth = 0

    def record(self, function: Callable[[], Any]) -> Any:
        """Call the function."""
        before = sys.gettrace()
        sys.settrace(self.enter)
        try:
            return function()
        finally:
            sys.settrace(before)

    def result(self) -> tuple[Frame, ...]:
        """The runs in the order in which they were entered; those that were cut off as far as they came."""
        for number, run in enumerate(self.runs):
            if self.frames[number] is None:
                self.frames[number] = self.frozen(run, None, None)
        return tuple(frame for frame in self.frames if frame is not None)

    def enter(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        """A function is called."""
        code = frame.f_code
        if code.co_filename != self.filename or code.co_flags & SUSPENDED or len(self.runs) >= FRAMES:
            return None
        if code.co_name[0] == "<" and code.co_name != "<lambda>":  # a comprehension, a class's body
            return None
        number, run = len(self.runs), self.begun(frame)
        self.runs.append(run)
        self.frames.append(None)
        self.depth += 1

        def step(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
            if event == "line":
                look(run, frame.f_locals)
                run.line = frame.f_lineno
            elif event == "return":
                look(run, frame.f_locals)
                self.depth -= 1
                # after an exception, too, and then with None
                self.frames[number] = self.frozen(run, argument, frame.f_lineno)
            return step

        return step

    def begun(self, frame: FrameType) -> Run:
        """A run at its first line: what it is given."""
        code, local = frame.f_code, dict(frame.f_locals)
        gathered = bool(code.co_flags & CO_VARARGS) + bool(code.co_flags & CO_VARKEYWORDS)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + gathered]
        owner = local.get("self") if names[:1] == ("self",) else None
        given = {name: local[name] for name in names if name in local and not (name == "self" and owner is not None)}
        arguments = {name: freeze(value, self.budget) for name, value in given.items()}
        run = Run(called(code, self.names), self.depth, arguments, frame.f_lineno, owner, local)
        run.own = dict(attributes(owner))
        for name, value in [*local.items(), *((f"self.{name}", value) for name, value in run.own.items())]:
            if type(value) is dict:
                run.items[name] = value, dict(value)
        return run

    def frozen(self, run: Run, returned: object, line: int | None) -> Frame:
        """A run at its end."""
        known: dict[int, Value] = {}

        def value(thing: object) -> Value:
            kind = type(thing)
            if kind is int or kind is float:
                return thing
            if id(thing) not in known:
                known[id(thing)] = freeze(thing, self.budget)
            return known[id(thing)]

        bindings = {name: tuple(Binding(at, value(thing)) for at, thing in bound) for name, bound in run.bound.items()}
        return Frame(run.function, run.depth, run.arguments, bindings, value(returned), line)


def called(code: CodeType, names: Mapping[CodeType, str]) -> str:
    """As in `Function.name`; "outer.inner" where one is defined in the other."""
    return names.get(code) or code.co_qualname.replace(".<locals>", "")


def attributes(owner: object) -> dict[str, Any]:
    """Those of an object."""
    found = getattr(owner, "__dict__", None)
    return found if type(found) is dict else {}


def look(run: Run, local: Mapping[str, Any]) -> None:
    """Note what has been bound since the last look, on the line that ran."""
    seen = run.seen
    for name, value in local.items():
        if seen.get(name, run) is not value:  # a run is no local name of its own
            seen[name] = value
            note(run, name, value)
    if run.owner is not None:
        own = run.own
        for name, value in attributes(run.owner).items():
            if name not in own or own[name] is not value:
                own[name] = value
                note(run, f"self.{name}", value)
    for name, (whole, items) in run.items.items() if run.items else ():
        for key, value in whole.items():
            if key not in items or items[key] is not value:
                items[key] = value
                add(run, f"{name}[{key!r}]", value)


def note(run: Run, name: str, value: Any) -> None:
    """A name is bound; of a dict, what it holds from now on is watched."""
    add(run, name, value)
    if type(value) is dict:
        run.items[name] = value, dict(value)


def add(run: Run, name: str, value: Any) -> None:
    """One binding more; beyond the limit in place of the last."""
    bound = run.bound.setdefault(name, [])
    if len(bound) < BINDINGS:
        bound.append((run.line, value))
    else:
        bound[-1] = run.line, value
