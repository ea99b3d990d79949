"""A learner's file, .py or .ipynb, as text that can be run: what does not parse is left out and told."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import warnings
from pathlib import Path
from typing import Any

from parity.errors import BadInput, one_line
from parity.grade.record import Source, Trouble

LARGEST = {".py": 2 << 20, ".ipynb": 64 << 20}
"""In bytes. Notebooks keep the figures that they have drawn."""

ROUNDS = 32
"""So many blocks of a .py file may be left out before it is not taken for Python."""

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What `ast.parse` raises: lone surrogates are a ValueError, deep nesting is one of the rest."""

MAGIC = re.compile(r"^(\s*)([%!?].*|[\w.]+\?{1,2}\s*$|\w+\s*=\s*[%!].*)")
TIMED = re.compile(r"^\s*%(?:time|timeit)\s+(?!-)(?=\S)")
BODILESS = re.compile(r"expected an indented block .* on line (\d+)")
PYTHON_CELLS = ("time", "timeit", "capture", "prun")
"""Cell magics after which Python follows."""

CONTINUING = re.compile(r"[\s)\]}#]|(else|elif|except|finally)\b|$")
"""How a line begins that starts no statement at the top."""


def read(path: str) -> Source:
    """Read a file.

    Parameters
    ----------
    path : str
        Of a .py file, in the encoding that it declares (PEP 263), or of a notebook.

    Raises
    ------
    BadInput
        There is no such file, it is none of the two, it is too large or no text, or nothing in it can be parsed.
    """
    kind = Path(path).suffix.lower()
    if kind not in LARGEST:
        raise BadInput(f"{path} is neither a .py file nor a notebook (.ipynb): name one")
    raw = _bytes(path, LARGEST[kind])
    source = _notebook(path, raw) if kind == ".ipynb" else _script(path, _decoded(path, raw))
    if not source.tree.body:
        raise BadInput(_nothing(source))
    return source


def _nothing(source: Source) -> str:
    """Why there is nothing to run."""
    if not source.troubles:
        return f"{source.path} has no code in it"
    first = source.troubles[0]
    return f"{source.path}, {source.place(first.line)}: {first.what}; nothing else in it can be run"


def _bytes(path: str, most: int) -> bytes:
    file = Path(path)
    try:
        if not file.exists():
            raise BadInput(f"there is no file {path}")
        if not file.is_file():
            raise BadInput(f"{path} is a folder: name a file" if file.is_dir() else f"{path} is no regular file")
        with file.open("rb") as stream:
            raw = stream.read(most + 1)
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        raise BadInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(raw) > most:
        raise BadInput(f"{path} is larger than {most >> 20} MiB, the largest that is read")
    if not raw.strip():
        raise BadInput(f"{path} is empty")
    return raw


def _decoded(path: str, raw: bytes) -> str:
    """Text with line feeds, as `tokenize.open` decodes it."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = raw.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise BadInput(f"{path} is not text: {' '.join(str(error).split())}; save it as UTF-8") from error
    if "\0" in text:
        raise BadInput(f"{path} is not text: it holds null bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parsed(text: str, path: str) -> ast.Module:
    """The tree; what the parser warns of is not this program's to tell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, path)


# Scripts


def _script(path: str, text: str) -> Source:
    """As much of a script as parses: blocks at its top that do not are blanked, one after the other."""
    lines, troubles = text.split("\n"), list[Trouble]()
    for _ in range(ROUNDS):
        try:
            return Source(path, "\n".join(lines), _parsed("\n".join(lines), path), troubles=tuple(troubles))
        except UNPARSABLE as error:
            plain = _without_magics(lines)
            if plain != lines:
                lines = plain
                continue
            line = _line(error, len(lines))
            troubles.append(Trouble("syntax", _what(error), line))
            _blank(lines, line)
    raise BadInput(f"{path}, line {troubles[0].line}: {troubles[0].what}; most of the file does not parse")


def _line(error: BaseException, last: int) -> int:
    """Where the error is: that of a block without a body is where the block begins."""
    begins = BODILESS.search(str(error)) if isinstance(error, IndentationError) else None
    line = int(begins[1]) if begins else getattr(error, "lineno", None) or 1
    return min(max(line, 1), last)


def _what(error: BaseException) -> str:
    """The error without the place, which is told apart."""
    if isinstance(error, SyntaxError):
        return one_line(type(error)(error.msg))
    return one_line(error)


def _blank(lines: list[str], line: int) -> None:
    """Blank the block at the top that holds the line, or the first thing before or after it that is not blank."""
    at = line - 1
    while at >= 0 and (not lines[at].strip() or CONTINUING.match(lines[at])):
        at -= 1
    if at < 0:
        at = next((i for i, text in enumerate(lines) if text.strip()), 0)
    while at > 0 and lines[at - 1].startswith("@"):
        at -= 1
    first = True
    while at < len(lines) and (first or CONTINUING.match(lines[at])):
        first = first and lines[at].startswith("@")
        lines[at] = ""
        at += 1


# Notebooks


def _notebook(path: str, raw: bytes) -> Source:
    """The cells of code, each of which parses or is blank."""
    lines: list[str] = []
    cells: list[tuple[int, int]] = []
    troubles: list[Trouble] = []
    for number, text in _cells(path, raw):
        first = len(lines) + 1
        cells.append((first, number))
        plain = _without_magics(_of_cell(text.split("\n")))
        try:
            _parsed("\n".join(plain), path)
        except UNPARSABLE as error:
            troubles.append(Trouble("syntax", _what(error), first - 1 + _line(error, len(plain))))
            plain = [""] * len(plain)
        lines += plain
    joined = "\n".join(lines)
    return Source(path, joined, _parsed(joined, path), tuple(cells), tuple(troubles))


def _cells(path: str, raw: bytes) -> list[tuple[int, str]]:
    """Of each cell with code its number among all the notebook's cells, and its text."""
    try:
        book = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is a damaged notebook: {' '.join(str(error).split())}") from error
    found = _of_format(book)
    if found is None:
        raise BadInput(f"{path} is no notebook: it is JSON without cells")
    texts = [(number, _text(cell)) for number, cell in enumerate(found, 1)]
    code = [(number, text) for number, text in texts if text.strip()]
    if not code:
        raise BadInput(f"{path} has no cells with code among its {len(found)}")
    return code


def _of_format(book: Any) -> list[Any] | None:
    """All cells, of format 4 or, where there are worksheets, 3."""
    if isinstance(book, dict) and isinstance(book.get("worksheets"), list):
        sheets = [sheet.get("cells") for sheet in book["worksheets"] if isinstance(sheet, dict)]
        return [cell for cells in sheets if isinstance(cells, list) for cell in cells]
    found = book.get("cells") if isinstance(book, dict) else None
    return found if isinstance(found, list) else None


def _text(cell: Any) -> str:
    """The code of a cell; empty of others."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return ""
    text = cell.get("source", cell.get("input", ""))
    if isinstance(text, list):
        text = "".join(part for part in text if isinstance(part, str))
    return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else ""


def _of_cell(lines: list[str]) -> list[str]:
    """The lines of Python: none after %%bash and its like, all but the first after %%time."""
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if not lines[start].startswith("%%"):
        return lines
    if lines[start][2:].split(None, 1)[:1] in [[name] for name in PYTHON_CELLS]:
        return [*lines[:start], "", *lines[start + 1 :]]
    return [""] * len(lines)


def _without_magics(lines: list[str]) -> list[str]:
    """The lines with `%matplotlib inline`, `!ls` and `help?` replaced by `pass`; what %time runs is kept."""
    plain: list[str] = []
    for line in lines:
        magic = MAGIC.match(line)
        if magic and not _goes_on(plain):
            timed = TIMED.match(line)
            line = magic[1] + (line[timed.end() :] if timed else "pass")
        plain.append(line)
    return plain


def _goes_on(lines: list[str]) -> bool:
    """Whether a bracket or a string is open after these lines, so that a % that follows is an operator, or text."""
    if lines and lines[-1].endswith("\\"):
        return True
    try:
        for _ in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            pass
    except tokenize.TokenError as error:
        return "multi-line" in str(error)
    except SyntaxError:  # its indentation: no matter here
        return False
    return False
