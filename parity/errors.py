"""What a user can get wrong, as an error of its own."""

from __future__ import annotations


class BadInput(Exception):
    """One line: what is wrong, where, and what to do. The command line prints it and exits with status 2.

    What cannot be printed is escaped: a name from a user's file neither breaks the line nor steers the terminal.
    """

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in message))


def one_line(error: BaseException) -> str:
    """The kind of an error and what it says, in at most 300 characters of one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
