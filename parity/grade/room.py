"""Where a learner's file is run: in a process of its own, with limits, or for tests in this one.

This contains accidents: loops without an end, too much memory or output, files written in the wrong place. It is no
sandbox against malice; whoever runs strangers' code puts the whole grader into a container.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from parity.errors import BadInput, printable
from parity.grade.guards import Limits as Limits
from parity.grade.guards import randomness_kept
from parity.grade.process import SAID, EndedError, Process
from parity.grade.record import Inventory, Played, Scene, Scenery, Source, Trouble
from parity.grade.stage import NAME, Stage
from parity.switches import PRODUCTS

LIMITS = Limits()

ENDS = 8
"""So often may a file's statements, and as often its functions, end the process, before no other is started."""


class Here:
    """A file that is run in this process, without limits: for files that are trusted, in tests.

    An interrupt (Ctrl-C) counts as the file's own.

    Parameters
    ----------
    source : Source
    limits : Limits
        Of these only the output counts.
    """

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        self.source = source
        self.inventory = Inventory({})
        self._folder = os.path.dirname(os.path.abspath(source.path))
        self._modules: set[str] = set()
        self._stage = Stage(
            *(source.path, source.text, source.tree, limits, PRODUCTS),
            *(lambda seconds, run: run(), lambda message: None, self._folder),
        )

    def __enter__(self) -> Self:
        self._modules = set(sys.modules)
        with randomness_kept():
            loaded = self._stage.load({})
        self.inventory = replace(loaded, troubles=self.source.troubles + loaded.troubles)
        return self

    def __exit__(self, *error: object) -> None:
        """Forget the file, and what it imported from beside it: another file's modules may have the same names."""
        for name in sys.modules.keys() - self._modules:
            place = getattr(sys.modules[name], "__file__", None)
            if name == NAME or (place and os.path.dirname(place) == self._folder):
                del sys.modules[name]

    def play(self, scenes: Sequence[Scene]) -> list[Scenery]:
        """As in `Room`."""
        with randomness_kept():
            return [Scenery(scene, tuple(self._stage.play(scene)), self._stage.printed.kept) for scene in scenes]


class Contained:
    """A file that is run in a process of its own.

    Parameters
    ----------
    source : Source
    limits : Limits
        On Windows, time is kept by killing the process alone, and memory has no limit; on macOS memory has none.

    Attributes
    ----------
    inventory : Inventory
        Its troubles begin with those of the source.
    """

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        self.source, self.limits = source, limits
        self.inventory = Inventory({})
        self._skip: dict[int, Trouble] = {}
        self._refused: dict[str, Trouble] = {}
        self._process: Process | None = None
        self._ends = 0
        self._left = limits.whole
        self._scratch = ""

    def __enter__(self) -> Self:
        self._scratch = tempfile.mkdtemp(prefix="parity-grade-")
        try:
            loaded = self._load()
        except BaseException:
            self.__exit__()
            raise
        self.inventory = replace(loaded, troubles=self.source.troubles + loaded.troubles)
        return self

    def __exit__(self, *error: object) -> None:
        self._kill()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def play(self, scenes: Sequence[Scene]) -> list[Scenery]:
        """As in `Room`."""
        return [self._scenery(scene) for scene in scenes]

    # the top of the file

    def _load(self) -> Inventory:
        """Start a process; another one that leaves a statement out, where that ends it."""
        while True:
            self._process = Process(self.source, self.limits, self._skip, self._scratch)
            try:
                return self._process.inventory()
            except EndedError as end:
                self._kill()
                self._leave_out(end)

    def _leave_out(self, end: EndedError) -> None:
        if end.at is None or end.at in self._skip:
            raise BadInput(f"{self.source.path} could not be run: {end.trouble.what}{self._said()}") from end
        statement = self.source.tree.body[end.at]
        self._skip[end.at] = replace(end.trouble, line=end.trouble.line or statement.lineno)
        if len(self._skip) > ENDS:
            raise BadInput(f"{self.source.path} ends its process again and again: {end.trouble.what}") from end

    def _said(self) -> str:
        """The last line that went past Python's own streams."""
        with suppress(OSError):
            lines = Path(self._scratch, SAID).read_text("utf-8", "replace").split("\n")
            return "".join(f"; {printable(line)}"[:200] for line in [x for x in lines if x.strip()][-1:])
        return ""

    # scenes

    def _scenery(self, scene: Scene) -> Scenery:
        """Play a scene up to the first call of a function that has ended a process before."""
        told: list[Played | None] = []
        stop, trouble = self._first_refused(scene)
        printed = ""
        begin = time.monotonic()
        if stop:
            try:
                printed = self._play(replace(scene, calls=scene.calls[:stop]), told)
            except EndedError as end:
                self._kill()
                self._ends += 1
                stop, trouble = min(len(told), stop - 1), end.trouble
                del told[stop:]
                self._refused[scene.calls[stop].function] = trouble
        self._left -= time.monotonic() - begin
        if stop < len(scene.calls) and trouble:
            function = trouble.function or scene.calls[stop].function
            told.append(Played((), None, trouble=replace(trouble, function=function)))
        told += [None] * (len(scene.calls) - len(told))
        return Scenery(scene, tuple(told), printed)

    def _first_refused(self, scene: Scene) -> tuple[int, Trouble | None]:
        """The number of the first call that is not to be made, and why."""
        if self._left < 0:
            return 0, Trouble("time", f"not called: its scenes take more than {self.limits.whole:.0f} seconds")
        if self._ends > ENDS:
            return 0, Trouble("died", "not called: its functions end the process again and again")
        for number, call in enumerate(scene.calls):
            if call.function in self._refused:
                return number, self._refused[call.function]
        return len(scene.calls), None

    def _play(self, scene: Scene, told: list[Played | None]) -> str:
        """Append what became of each call; what was printed."""
        if self._process is None:
            self._load()
        assert self._process is not None
        for played in self._process.play(scene):
            told.append(played)
            if played and played.trouble and played.trouble.kind == "time":
                self._refused[scene.calls[len(told) - 1].function] = played.trouble
        return self._process.printed

    def _kill(self) -> None:
        if self._process:
            self._process.kill()
        self._process = None
