"""Runs a learner's file and calls its functions: in a process of its own, which `main` is the whole of, or in this one.

The process hears and tells through what were its standard input and output; the learner's are elsewhere. Before each
statement and each call it tells what comes, so that whoever listens knows what ended it.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import importlib
import linecache
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any

from parity.grade import guards, wire
from parity.grade.inventory import Defined, defined, frameworks, imports
from parity.grade.playing import Playing, Tell, Within
from parity.grade.record import Inventory, Played, Scene, Trouble
from parity.grade.standins import Importer, StandIn, is_drawn
from parity.grade.troubles import Told

NAME = "learner"
"""Of the module; not __main__, so that a file's own main program is not run."""

EARLY = ("numpy", "torch", "jax", "scipy", "sklearn", "pandas")
"""What is imported before there are limits: they are no learner's code, and take memory and time."""

LATER = 10
"""A statement that comes when the time for all has been taken has this part of it."""

ALWAYS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class Stage:
    """A learner's file, run.

    Parameters
    ----------
    path, text, tree
        As in `Source`.
    limits : Limits
    quiet : str
        A pattern of warnings that mean nothing.
    within : callable
        Calls a function and lets it take so many seconds.
    tell : callable
        Told ("at", number, seconds) before each statement or call.
    folder : str
        That of the file, whence it may import.
    home : str
        The current folder; empty: whichever it is.
    """

    def __init__(
        self,
        path: str,
        text: str,
        tree: ast.Module,
        limits: guards.Limits,
        quiet: str,
        within: Within,
        tell: Tell,
        folder: str,
        home: str = "",
    ) -> None:
        self.path, self.tree, self.limits, self.quiet = path, tree, limits, quiet
        self.within, self.tell, self.folder, self.home = within, tell, folder, home
        self.module = ModuleType(NAME)
        self.printed = guards.Printed(limits.output)
        self.told = Told(path, limits)
        self.defined = Defined({}, {}, {}, {})
        self.flags = 0
        lines = text.splitlines(keepends=True)
        linecache.cache[path] = len(text), None, lines, path
        own = {"__import__": Importer(tree), "exit": sys.exit, "quit": sys.exit}
        notebook = {"get_ipython": StandIn(), "display": StandIn()}
        vars(self.module).update(__file__=path, __builtins__=notebook | vars(builtins) | own)

    def load(self, skip: Mapping[int, Trouble]) -> Inventory:
        """Run the file's statements one by one.

        Parameters
        ----------
        skip : mapping
            Statements that are not run, by number, and why.
        """
        sys.modules[NAME] = self.module
        troubles: list[Trouble] = []
        with guards.Surroundings(self.printed, self.home) as around, guards.warned(self.quiet):
            sys.path.append(self.folder)  # at the end: its names hide no others
            begin = time.monotonic()
            for number, statement in enumerate(self.tree.body):
                trouble = skip.get(number) or self._statement(number, statement, time.monotonic() - begin)
                around.settle()
                if trouble:
                    troubles.append(trouble)
        self.defined = defined(self.module, self.tree)
        self.told.names = self.defined.names
        return self._inventory(tuple(troubles))

    def _inventory(self, troubles: tuple[Trouble, ...]) -> Inventory:
        found = self.defined
        return Inventory(
            {name: form.function for name, form in found.functions.items()},
            {name: form.function for name, form in found.classes.items()},
            {name: {n: form.function for n, form in forms.items()} for name, forms in found.methods.items()},
            frameworks(self.tree),
            troubles,
            self.printed.kept,
        )

    def _statement(self, number: int, statement: ast.stmt, taken: float) -> Trouble | None:
        """Run one; what went wrong."""
        top = self.limits.top
        if taken > 2 * top and not isinstance(statement, ALWAYS):
            return Trouble("time", f"not run: the file has taken {taken:.0f} seconds", statement.lineno)
        seconds = max(top - taken, top / LATER)
        self.tell(("at", number, seconds))
        self.printed.count = 0
        try:
            self.within(seconds, lambda: self._run(statement))
        except BaseException as error:  # whatever a learner's code raises
            return self.told.trouble(error, seconds, statement.lineno)
        return None

    def _run(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                self.flags |= getattr(__future__, alias.name).compiler_flag
        # a learner's own assertions are left out: isinstance(cost, float) is not so of a right cost in float32
        code = compile(ast.Module([statement], []), self.path, "exec", self.flags, dont_inherit=True, optimize=1)
        exec(code, vars(self.module))

    def play(self, scene: Scene) -> Iterator[Played | None]:
        """What became of each call of a scene; what it printed is in `printed`."""
        sys.modules[NAME] = self.module
        space = vars(self.module)
        playing = Playing(scene, space, self.defined, self.told, self.limits, self.within, self.tell)
        self.printed = playing.printed
        return playing.calls(self.quiet, self.home)


# The process


def main() -> None:
    """Answer until nobody asks."""
    heard, told = _moved()
    setup = wire.receive(heard)
    limits = guards.Limits(**setup["limits"])

    def tell(message: tuple[Any, ...]) -> None:
        wire.send(told, message)

    tree = ast.parse(setup["text"], setup["path"])
    alarm = guards.Alarm(limits.grace, lambda frame: tell(("over", stage.told.over(frame))))
    stage = Stage(
        *(setup["path"], setup["text"], tree, limits, setup["quiet"], alarm.within, tell),
        *(setup["folder"], setup["scratch"]),
    )
    _prepare(tree, limits, setup["scratch"])
    tell(("inventory", stage.load(setup["skip"])))
    with suppress(EOFError):
        while True:
            for played in stage.play(wire.receive(heard)):
                tell(("played", played))
            tell(("done", stage.printed.kept))
    guards.EXIT(0)  # a learner's threads would keep the process


def _moved() -> tuple[Any, Any]:
    """Standard input and output under other numbers; what was theirs is nothing, and where errors go."""
    heard, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return heard, told


def _prepare(tree: ast.Module, limits: guards.Limits, scratch: str) -> None:
    """Import what has to be there before the limits; then nothing is as free as before."""
    for name in imports(tree):
        if name.partition(".")[0] in EARLY and not is_drawn(name):
            with suppress(Exception):  # the statement itself will tell
                importlib.import_module(name)
    if "jax" in sys.modules:
        with suppress(Exception):
            importlib.import_module("jax.numpy").zeros(()).block_until_ready()  # its threads are started
    for name in [name for name in sys.modules if name.partition(".")[0] == "parity"]:
        del sys.modules[name]  # what a learner imports is never this program's own
    sys.dont_write_bytecode = True
    guards.limit(limits.memory)
    guards.forbid(scratch)
