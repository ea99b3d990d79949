"""What a user can get wrong, as an error of its own, and how words from outside are put on one line."""

from __future__ import annotations


class BadInput(Exception):
    """One line: what is wrong, where, and what to do. The command line prints it and exits with status 2."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


FOREIGN = (Exception, SystemExit)
"""What code of a framework or of somebody else may raise and is a finding about it, not the end of this program."""


def printable(text: str) -> str:
    r"""The text with what cannot be printed escaped: a name from outside breaks no line and steers no terminal.

    >>> print(printable("rows\n\x1b[31m"))
    rows\n\x1b[31m
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shorten(text: str, width: int = 32) -> str:
    """The beginning and the last character."""
    return text if len(text) <= width else f"{text[: width - 2]}…{text[-1]}"


def one_line(error: BaseException) -> str:
    """The kind of an error and what it says, in at most 300 printable characters of one line."""
    return printable(f"{type(error).__name__}: {' '.join(str(error).split())}")[:300]
