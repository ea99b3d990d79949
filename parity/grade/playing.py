"""Calls of a learner's functions, and what became of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from parity.grade.guards import Limits, Printed, Surroundings, warned
from parity.grade.inventory import Defined
from parity.grade.record import Call, Opaque, Played, Ref, Scene, Trouble, Value
from parity.grade.tracing import Recorder
from parity.grade.troubles import Told, words
from parity.grade.values import Budget, UnreachableError, differences, freeze, thaw

Within = Callable[[float, Callable[[], Any]], Any]
Tell = Callable[[tuple[Any, ...]], None]


class Playing:
    """One scene.

    Parameters
    ----------
    space : dict
        The file's names.
    told, limits, quiet, within, tell, home
        As in `Stage`.
    """

    def __init__(
        self,
        scene: Scene,
        space: dict[str, Any],
        defined: Defined,
        told: Told,
        limits: Limits,
        within: Within,
        tell: Tell,
    ) -> None:
        self.scene, self.space, self.defined, self.told, self.limits = scene, space, defined, told, limits
        self.within, self.tell = within, tell
        self.results: dict[int, object] = {}
        self.printed = Printed(limits.output)

    def calls(self, quiet: str, home: str) -> Iterator[Played | None]:
        """Call one after the other; what is printed is in `printed`."""
        with Surroundings(self.printed, home) as self.around, warned(quiet) as self.caught:
            for number, call in enumerate(self.scene.calls):
                self.caught.clear()
                yield self.played(number, call)

    def played(self, number: int, call: Call) -> Played | None:
        """What became of a call; None where it needs what is not there."""
        try:
            arguments = {name: self.made(value, name) for name, value in call.arguments.items()}
            owner = self.owner(call)
            target, form = self.target(call.function, owner), self.defined.form(call.function)
        except UnreachableError:
            return None
        except Exception as error:  # no such function or framework; an attribute that cannot be set
            return Played((), None, trouble=self.told.trouble(error, self.limits.call, None, call.function))
        placed, named = form.arranged(arguments) if form else (list(arguments.values()), {})
        before = {name: self.before(call.arguments[name], thing) for name, thing in arguments.items()}
        arrays = [found for name, thing in arguments.items() for found in arrays_in(thing, name)]
        recorder = Recorder(self.told.path, self.told.names, Budget())
        returned, trouble = self.run(number, call, lambda: target(*placed, **named), recorder)
        shown = returned if owner is None and call.function in self.defined.classes else owner
        changed = [part for name, was in before.items() for part in changes(was, arguments[name], name)]
        frames, value = recorder.result(), freeze(returned, Budget())
        written = tuple(name for name, array, was in arrays if array.tobytes() != was)
        return Played(frames, value, attributes(shown), tuple(changed), written, trouble, self.warnings())

    def run(
        self, number: int, call: Call, function: Callable[[], object], recorder: Recorder
    ) -> tuple[object, Trouble | None]:
        """Call it within its time; what it returns, or what went wrong."""
        self.tell(("at", number, self.limits.call))
        self.printed.count = 0
        traced = (lambda: recorder.record(function)) if self.scene.trace else function
        try:
            with self.uncompiled():
                self.results[number] = self.within(self.limits.call, traced)
        except BaseException as error:  # whatever a learner's code raises
            return None, self.told.trouble(error, self.limits.call, None, call.function)
        finally:
            self.around.settle()
        return self.results[number], None

    def uncompiled(self) -> AbstractContextManager[None]:
        """Where names are recorded, JAX computes one operation after the other: a tracer has no value to record."""
        if self.scene.trace and self.scene.arrays == "jax" and "jax" in sys.modules:
            return sys.modules["jax"].disable_jit()
        return nullcontext()

    def made(self, value: Value, name: str) -> Any:
        """An argument, or an attribute."""
        return thaw(value, self.scene.arrays, self.results, name)

    def before(self, value: Value, thing: object) -> Value:
        """What an argument is before the call: the very value that it was made of, or a copy."""
        return value if self.scene.arrays == "numpy" and not holds_ref(value) else freeze(thing, Budget())

    def owner(self, call: Call) -> Any:
        """The object whose method is called, with the attributes that it is given."""
        if call.on is None:
            return None
        if call.on not in self.results:
            raise UnreachableError
        owner: Any = self.results[call.on]
        for name, value in call.attributes.items():
            thing = self.made(value, name)
            if name in getattr(owner, "_parameters", ()):
                thing = sys.modules["torch"].nn.Parameter(thing)
            setattr(owner, name, thing)
        return owner

    def target(self, name: str, owner: object) -> Any:
        """What is called."""
        if owner is not None:
            return getattr(owner, name.rpartition(".")[2])
        first, *rest = name.split(".")
        if first not in self.space:
            raise NameError(f"name {first!r} is not defined")
        thing = self.space[first]
        for part in rest:
            thing = getattr(thing, part)
        return thing

    def warnings(self) -> tuple[tuple[int | None, str], ...]:
        """Each once."""
        path = self.told.path
        return tuple(
            {
                (w.lineno if w.filename == path else None, words(w.message)): None
                for w in self.caught
                if isinstance(w.message, Warning)
            }
        )


def holds_ref(value: Value) -> bool:
    """Whether a part of it is made of an earlier result, or is no plain value."""
    if isinstance(value, dict):
        return any(map(holds_ref, value.values()))
    return any(map(holds_ref, value)) if isinstance(value, list | tuple) else isinstance(value, Ref | Opaque)


def arrays_in(thing: object, name: str) -> Iterator[tuple[str, np.ndarray, bytes]]:
    """Every array in an argument, with what is in it."""
    if isinstance(thing, np.ndarray):
        yield name, thing, thing.tobytes()
    elif isinstance(thing, dict):
        for key, item in thing.items():
            yield from arrays_in(item, f"{name}[{key!r}]")
    elif isinstance(thing, list | tuple):
        for i, item in enumerate(thing):
            yield from arrays_in(item, f"{name}[{i}]")


def changes(was: Value, thing: object, name: str) -> list[str]:
    """What a call has changed of an argument."""
    return differences(was, freeze(thing, Budget()), name)


def attributes(owner: Any) -> dict[str, Value]:
    """Of an object, and the parameters of a module of PyTorch's."""
    found = getattr(owner, "__dict__", None)
    if not found:
        return {}
    budget = Budget()
    return {name: freeze(value, budget) for name, value in {**found, **(found.get("_parameters") or {})}.items()}
