"""What goes wrong in a learner's code, in words, and where."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType, TracebackType

from parity.errors import one_line
from parity.grade import guards
from parity.grade.record import Trouble
from parity.grade.tracing import called

FULL = ("allocate memory", "bad_alloc", "RESOURCE_EXHAUSTED", "Out of memory")
"""What other frameworks say in place of a MemoryError."""

KINDS: dict[str, type[BaseException]] = {
    "forbidden": guards.ForbiddenError,
    "import": ImportError,
    "missing": NameError,
    "syntax": SyntaxError,
}


class Told:
    """Tells of exceptions in one file.

    Parameters
    ----------
    path : str
        Of the file, as its code has it.
    names : mapping
        What the file calls its lambdas.
    """

    def __init__(self, path: str, limits: guards.Limits) -> None:
        self.path, self.limits = path, limits
        self.names: Mapping[CodeType, str] = {}

    def trouble(
        self, error: BaseException, seconds: float, line: int | None = None, function: str | None = None
    ) -> Trouble:
        """An exception at the innermost place in the file; the line and function where it has none there."""
        code = None
        for frame, at in _frames(error.__traceback__):
            if frame.f_code.co_filename == self.path:
                code, line = frame.f_code, at
        if isinstance(error, SyntaxError) and error.filename == self.path:
            line = error.lineno or line
        if code is not None and code.co_name != "<module>":
            function = called(code, self.names)
        return Trouble(*_kind_and_words(error, seconds, self.limits), line, function)

    def over(self, frame: FrameType | None) -> Trouble:
        """Where a process is that is about to be ended."""
        while frame is not None and frame.f_code.co_filename != self.path:
            frame = frame.f_back
        what = "does not end, and catches what would end it"
        if frame is None:
            return Trouble("time", what)
        function = called(frame.f_code, self.names)
        return Trouble("time", what, frame.f_lineno, None if function == "<module>" else function)


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def words(error: BaseException) -> str:
    """One line; the exception may be the learner's own, and unable to say what it is."""
    try:
        return one_line(error)
    except Exception:
        return type(error).__name__


def _kind_and_words(error: BaseException, seconds: float, limits: guards.Limits) -> tuple[str, str]:
    said = words(error)
    if isinstance(error, guards.OutOfTimeError):
        return "time", f"does not end within {seconds:.2g} second{'' if seconds == 1 else 's'}"
    if isinstance(error, guards.TooMuchOutputError) or getattr(error, "errno", None) == errno.EFBIG:
        return "output", f"prints more than {limits.output} characters, or writes a file that is too large"
    if isinstance(error, SystemExit):
        return "exit", f"ends the program: SystemExit({error.code!r})"[:200]
    if isinstance(error, guards.NoInputError):
        return "input", "asks for input, and there is nobody to answer"
    if isinstance(error, MemoryError) or any(text in said for text in FULL):
        return "memory", said if len(said) > len("MemoryError: ") else "MemoryError: more than is allowed"
    for kind, classes in KINDS.items():
        if isinstance(error, classes) and not isinstance(error, UnboundLocalError):
            return kind, said
    return "error", said
