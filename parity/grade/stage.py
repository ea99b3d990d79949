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
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import FrameType, ModuleType, TracebackType
from typing import Any

from parity.errors import one_line
from parity.grade import guards, wire
from parity.grade.inventory import Defined, defined, frameworks, imports
from parity.grade.record import Call, Inventory, Played, Scene, Trouble, Value
from parity.grade.standins import Importer, StandIn, is_drawn
from parity.grade.tracing import Recorder, called
from parity.grade.values import Budget, UnreachableError, differences, freeze, thaw

NAME = "learner"
"""Of the module; not __main__, so that a file's own main program is not run."""

EARLY = ("numpy", "torch", "jax", "scipy", "sklearn", "pandas")
"""What is imported before there are limits: they are no learner's code, and take memory and time."""

LATER = 10
"""A statement that comes when the time for all has been taken has this part of it."""

ALWAYS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)

FULL = ("allocate memory", "bad_alloc", "RESOURCE_EXHAUSTED", "Out of memory")
"""What other frameworks say in place of a MemoryError."""

Within = Callable[[float, Callable[[], Any]], Any]
Tell = Callable[[tuple[Any, ...]], None]


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
        home: str = "",
    ) -> None:
        self.path, self.text, self.tree, self.limits, self.quiet = path, text, tree, limits, quiet
        self.within, self.tell, self.home = within, tell, home
        self.module = ModuleType(NAME)
        self.printed = guards.Printed(limits.output)
        self.defined = Defined({}, {}, {}, {})
        self.flags = 0
        lines = text.splitlines(keepends=True)
        linecache.cache[path] = len(text), None, lines, path
        own = {"__import__": Importer(tree), "exit": sys.exit, "quit": sys.exit}
        notebook = {"get_ipython": StandIn(), "display": StandIn()}
        vars(self.module).update(__file__=path, __builtins__=notebook | vars(builtins) | own)

    # the top of the file

    def load(self, skip: Mapping[int, Trouble]) -> Inventory:
        """Run the file's statements one by one.

        Parameters
        ----------
        skip : mapping
            Statements that are not run, by number, and why.
        """
        sys.modules[NAME] = self.module
        troubles: list[Trouble] = []
        with guards.surroundings(self.printed, self.home), guards.warned(self.quiet):
            sys.path.append(os.path.dirname(os.path.abspath(self.path)))
            begin = time.monotonic()
            for number, statement in enumerate(self.tree.body):
                trouble = skip.get(number) or self._statement(number, statement, time.monotonic() - begin)
                if trouble:
                    troubles.append(trouble)
        self.defined = defined(self.module, self.tree)
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
            return self._trouble(error, seconds, statement.lineno)
        return None

    def _run(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                self.flags |= getattr(__future__, alias.name).compiler_flag
        code = compile(ast.Module([statement], []), self.path, "exec", self.flags, dont_inherit=True)
        exec(code, vars(self.module))

    # calls

    def play(self, scene: Scene) -> Iterator[Played | None]:
        """What became of each call of a scene; what it printed is in `printed`."""
        sys.modules[NAME] = self.module
        self.printed = guards.Printed(self.limits.output)
        results: dict[int, object] = {}
        for number, call in enumerate(scene.calls):
            with guards.surroundings(self.printed, self.home):
                played = self._played(scene, number, call, results)
            yield played

    def _played(self, scene: Scene, number: int, call: Call, results: dict[int, object]) -> Played | None:
        try:
            arguments = {name: thaw(v, scene.arrays, results, name) for name, v in call.arguments.items()}
            owner = self._owner(call, scene.arrays, results)
            target, form = self._target(call.function, owner), self.defined.form(call.function)
        except UnreachableError:
            return None
        except Exception as error:  # a framework that is not there; an attribute that cannot be set; a missing function
            return Played((), None, trouble=self._trouble(error, self.limits.call, None, call.function))
        placed, named = form.arranged(arguments) if form else (list(arguments.values()), {})
        return self._called(scene.trace, number, call, lambda: target(*placed, **named), arguments, owner, results)

    def _owner(self, call: Call, arrays: str, results: dict[int, object]) -> Any:
        """The object whose method is called, with the attributes that it is given."""
        if call.on is None:
            return None
        if call.on not in results:
            raise UnreachableError
        owner: Any = results[call.on]
        for name, value in call.attributes.items():
            thing = thaw(value, arrays, results, name)
            if name in getattr(owner, "_parameters", ()):
                thing = sys.modules["torch"].nn.Parameter(thing)
            setattr(owner, name, thing)
        return owner

    def _target(self, name: str, owner: object) -> Any:
        if owner is not None:
            return getattr(owner, name.rpartition(".")[2])
        thing: Any = self.module
        for part in name.split("."):
            thing = getattr(thing, part)
        return thing

    def _called(
        self,
        trace: bool,
        number: int,
        call: Call,
        run: Callable[[], object],
        arguments: dict[str, Any],
        owner: Any,
        results: dict[int, object],
    ) -> Played:
        """Call, and look at what it did."""
        recorder = Recorder(self.path, self.defined.names, Budget())
        before = {name: freeze(value, Budget()) for name, value in arguments.items()}
        returned, trouble = None, None
        self.tell(("at", number, self.limits.call))
        self.printed.count = 0
        with guards.warned(self.quiet) as caught:
            try:
                returned = self.within(self.limits.call, (lambda: recorder.record(run)) if trace else run)
                results[number] = returned
            except BaseException as error:  # whatever a learner's code raises
                trouble = self._trouble(error, self.limits.call, None, call.function)
        said = {(w.lineno if w.filename == self.path else None, one_line(_warning(w.message))): None for w in caught}
        mutated = [
            part for name, was in before.items() for part in differences(was, freeze(arguments[name], Budget()), name)
        ]
        kept = _attributes(returned if owner is None and call.function in self.defined.classes else owner)
        return Played(recorder.result(), freeze(returned, Budget()), kept, tuple(mutated), trouble, tuple(said))

    # what goes wrong

    def _trouble(self, error: BaseException, seconds: float, line: int | None, function: str | None = None) -> Trouble:
        """An exception in words, at the last place in the learner's file."""
        code = None
        for frame, at in _frames(error.__traceback__):
            if frame.f_code.co_filename == self.path:
                code, line = frame.f_code, at
        if isinstance(error, SyntaxError) and error.filename == self.path:
            line = error.lineno or line
        if code is not None and code.co_name != "<module>":
            function = called(code, self.defined.names)
        return Trouble(*_kind_and_words(error, seconds, self.limits), line, function)

    def over(self, frame: FrameType | None) -> Trouble:
        """Where a process is that is about to be ended."""
        while frame is not None and frame.f_code.co_filename != self.path:
            frame = frame.f_back
        what = "does not end, and catches what would end it"
        if frame is None:
            return Trouble("time", what)
        function = called(frame.f_code, self.defined.names)
        return Trouble("time", what, frame.f_lineno, None if function == "<module>" else function)


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _warning(message: Warning | str) -> Warning:
    return message if isinstance(message, Warning) else UserWarning(message)


def _attributes(owner: Any) -> dict[str, Value]:
    """Of an object, and the parameters of a module of PyTorch's."""
    found = getattr(owner, "__dict__", {})
    parameters = found.get("_parameters") or {}
    budget = Budget()
    return {name: freeze(value, budget) for name, value in {**found, **parameters}.items()}


def _words(error: BaseException) -> str:
    try:
        return one_line(error)
    except Exception:  # the exception is the learner's own, and cannot say what it is
        return type(error).__name__


def _kind_and_words(error: BaseException, seconds: float, limits: guards.Limits) -> tuple[str, str]:
    words = _words(error)
    if isinstance(error, guards.OutOfTimeError):
        return "time", f"does not end within {seconds:.2g} seconds"
    if isinstance(error, guards.TooMuchOutputError):
        return "output", f"prints more than {limits.output} characters"
    if isinstance(error, SystemExit):
        return "exit", f"ends the program: SystemExit({error.code!r})"[:200]
    if isinstance(error, guards.NoInputError):
        return "input", "asks for input, and there is nobody to answer"
    if isinstance(error, MemoryError) or any(text in words for text in FULL):
        return "memory", words if len(words) > len("MemoryError: ") else "MemoryError: more than is allowed"
    for kind, classes in KINDS.items():
        if isinstance(error, classes) and not isinstance(error, UnboundLocalError):
            return kind, words
    return "error", words


KINDS: dict[str, type[BaseException]] = {
    "forbidden": guards.ForbiddenError,
    "import": ImportError,
    "missing": NameError,
    "syntax": SyntaxError,
}


# The process


def main() -> None:
    """Answer until nobody asks."""
    heard, told = _moved()
    setup = wire.receive(heard)
    limits = guards.Limits(**setup["limits"])

    def tell(message: tuple[Any, ...]) -> None:
        wire.send(told, message)

    tree = ast.parse(setup["text"], setup["path"])
    alarm = guards.Alarm(limits.grace, lambda frame: tell(("over", stage.over(frame))))
    stage = Stage(setup["path"], setup["text"], tree, limits, setup["quiet"], alarm.within, tell, setup["scratch"])
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
