"""A user's own table: CSV or Parquet in; X, Y and the names of the features out.

The table has one example a row, the notes one a column: X (n_x, m) is the table without its target, transposed (N3).
Nothing is guessed. A cell that is no finite number, a label other than 0 and 1, or an integer that float64 would round
is refused in one line that names the column and the row. Rows are counted as an editor or a spreadsheet counts them:
in CSV the header is row 1; Parquet has no header, so its first example is row 1.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import math
import re
import stat
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from parity.errors import BadInput, shorten

if TYPE_CHECKING:
    from pandas import DataFrame, Series

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
SEPARATORS = (",", ";", "\t")
# What pandas takes for missing by default, and the question mark of many public data sets.
MISSING = [
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "None",
]
MISSING += ["n/a", "null", "?"]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LARGEST = 2**53  # up to here float64 holds every integer


@dataclass(frozen=True, eq=False)
class Table:
    """A user's data as it stands in the file, not standardised.

    Attributes
    ----------
    X : (n_x, m)
        The features in the order of the file, one example a column. Read-only.
    Y : (1, m)
        The labels, 0 and 1. Read-only.
    features : n_x names
    source : the path as given
    fingerprint : SHA-256 of the file
    """

    X: Float[np.ndarray, "n_x m"]
    Y: Float[np.ndarray, "1 m"]
    features: tuple[str, ...]
    source: str
    fingerprint: str


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table as pandas read it, with what it takes to find a cell in the file again.

    Attributes
    ----------
    frame : one column a name
    cells : a column's name to its (row as in the file, value as in the file)
    complaint : what is wrong with such a value as a number; None if nothing is
    """

    frame: DataFrame
    cells: Callable[[str], Iterable[tuple[int, object]]]
    complaint: Callable[[object], str | None]


def read(path: str | Path, target: str) -> Table:
    """The table in a .csv, .tsv, .txt, .parquet or .pq file, its column `target` as labels and all others as features.

    Text is UTF-8 with a header, separated by commas, semicolons or tabs: by whichever splits the header most.

    Raises
    ------
    BadInput
        The file, or something in it, cannot be used. The file itself is only ever read.
    """
    path = Path(path)
    try:
        content = read_bytes(path)
        sheet = read_parquet(content) if path.suffix.lower() in PARQUET else read_text(content)
        features = split(sheet.frame, target.strip())
        Y = labels(sheet, target.strip())[None, :]
        X = np.array([numbers(sheet, name) for name in features])
    except BadInput as reason:
        raise BadInput(f"{path}: {reason}") from None
    X.flags.writeable = Y.flags.writeable = False
    return Table(X, Y, features, str(path), hashlib.sha256(content).hexdigest())


# The file ------------------------------------------------------------------------------------------------------------


def read_bytes(path: Path) -> bytes:
    """What is in the file, which has to be a file of a known kind with something in it."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise BadInput("is a directory; name a CSV or Parquet file in it")
        if not stat.S_ISREG(mode):
            raise BadInput("is not a regular file; save the table as CSV or Parquet first")
        if path.suffix.lower() not in TEXT + PARQUET:
            kinds = ", ".join(TEXT + PARQUET)
            raise BadInput(f"unknown kind of file {path.suffix!r}; save the table as one of {kinds}")
        content = path.read_bytes()
    except FileNotFoundError:
        siblings = [sibling.name for sibling in path.parent.glob("*")]
        raise BadInput(f"no such file{nearest(path.name, siblings)}; check the path") from None
    except PermissionError:
        raise BadInput("may not be read; change its permissions (chmod u+r) or copy it") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot be read ({getattr(error, 'strerror', None) or error}); check the path") from None
    if not content:
        raise BadInput("is empty; it needs a header and at least two rows")
    return content


def read_parquet(content: bytes) -> Sheet:
    """A Parquet file. An index that pandas stored in it is no feature."""
    import pandas as pd

    try:
        import pyarrow.parquet as pq

        check_names([name.strip() for name in pq.read_schema(io.BytesIO(content)).names])
        frame = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except ImportError:
        raise BadInput("Parquet needs pyarrow; pip install 'gradient-parity[parquet]', or save it as CSV") from None
    except (ValueError, OSError, NotImplementedError, KeyError, TypeError) as error:
        raise BadInput(f"is no readable Parquet file ({first_line(error)}); if it is text, name it .csv") from None
    frame.columns = pd.Index([str(name).strip() for name in frame.columns])
    return Sheet(frame, lambda name: enumerate(frame[name].tolist(), start=1), complaint_of_value)


def read_text(content: bytes) -> Sheet:
    """A text file with a header."""
    import pandas as pd

    text = decode(content)
    separator = max(SEPARATORS, key=lambda separator: len(header(text, separator)))
    names = header(text, separator)
    check_names(names)
    source = io.StringIO(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                source, sep=separator, header=0, names=names, index_col=False, low_memory=False, na_values=["?"]
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        for row, fields in records(text, separator):
            check_length(row, fields, names)
        raise BadInput(f"is not a table ({first_line(error)}); save it as CSV again") from None

    def cells(name: str) -> Iterator[tuple[int, object]]:
        for row, fields in islice(records(text, separator), 1, None):
            check_length(row, fields[: len(names)], names)  # pandas takes a separator at the end of every row
            yield row, fields[names.index(name)].strip()

    return Sheet(frame, cells, complaint_of_text)


def decode(content: bytes) -> str:
    """The text of the file."""
    if content.startswith(b"PAR1"):
        raise BadInput("holds Parquet, not text; rename it to .parquet")
    if b"\0" in content:
        raise BadInput("is not text (it holds zero bytes: a spreadsheet, an archive, UTF-16?); save it as CSV in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte, line = content[error.start], content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"is not UTF-8 text (byte {byte:#04x} in row {line}); save it as CSV in UTF-8") from None
    if not text.strip():
        raise BadInput("is empty; it needs a header and at least two rows")
    return text


def header(text: str, separator: str) -> list[str]:
    """The names of the columns."""
    _, fields = next(records(text, separator), (1, [""]))
    return [name.strip() for name in fields]


def records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(row, fields) of the header and of each row below it; blank lines are counted, but left out as by pandas."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for fields in reader:
            if len(fields) > 1 or (fields and not fields[0].isspace()):
                yield reader.line_num, fields
    except csv.Error as error:
        raise BadInput(f"is not a table (row {reader.line_num}: {error}); save it as CSV again") from None


# Its columns ---------------------------------------------------------------------------------------------------------


def check_names(names: list[str]) -> None:
    """Refuse a column without a name, and two of the same name."""
    if "" in names:
        column = names.index("") + 1
        raise BadInput(f"column {column} has no name; give it one, or save without the index (to_csv(index=False))")
    if len(set(names)) < len(names):
        name = next(name for name in names if names.count(name) > 1)
        columns = " and ".join(str(i) for i, other in enumerate(names, start=1) if other == name)
        raise BadInput(f"columns {columns} have the same name {show(name)}; rename or drop all but one")


def check_length(row: int, fields: list[str], names: list[str]) -> None:
    """Refuse a row that is shorter or longer than the header."""
    if len(fields) != len(names):
        held = f"{len(fields)} field{'s' * (len(fields) != 1)}"
        raise BadInput(f"row {row} has {held} where the header has {len(names)}; mend or drop the row")


def split(frame: DataFrame, target: str) -> tuple[str, ...]:
    """The names of the features: every column but the target."""
    names = list(frame.columns)
    if target not in names:
        headless = " (is the header missing?)" if names and all(NUMBER.fullmatch(name) for name in names) else ""
        listed = listing([show(name) for name in names])
        raise BadInput(f"no column {show(target)}{nearest(target, names)}; its columns are {listed}{headless}")
    if len(names) == 1:
        raise BadInput(f"has no feature beside the target {show(target)}; add at least one column of numbers")
    if len(frame) < 2:
        rows = "one row" if len(frame) else "a header and no row"
        raise BadInput(f"has {rows}; two classes need at least two rows")
    return tuple(name for name in names if name != target)


def labels(sheet: Sheet, target: str) -> Float[np.ndarray, " m"]:
    """The target as 0.0 and 1.0. Booleans count as 0 and 1; a mapping of anything else is spelled out, not applied."""
    check_present(sheet, target)
    column = f"column {show(target)}"
    values = [value.strip() if isinstance(value, str) else value for value in sheet.frame[target].tolist()]
    try:
        classes = sorted(set(values), key=order)
    except TypeError:
        raise BadInput(f"{column} holds values of type {type(values[0]).__name__}; map them to 0 and 1") from None
    shown = [show(label) for label in classes]
    if len(classes) == 1:
        raise BadInput(f"{column} holds one class, {shown[0]} in every row; add rows of the other class")
    if len(classes) > 2:
        held = f"{len(classes)} classes ({listing(shown, 5)})"
        raise BadInput(f"{column} holds {held}; two are needed: map one to 1 and the others to 0")
    if set(classes) != {0, 1}:
        mapping = f"map {shown[0]} to 0 and {shown[1]} to 1 in the file, or the reverse"
        raise BadInput(f"{column} holds {shown[0]} and {shown[1]}, not 0 and 1; {mapping}")
    return np.array(values, np.float64)


def numbers(sheet: Sheet, name: str) -> Float[np.ndarray, " m"]:
    """A feature as float64."""
    check_present(sheet, name)
    column = sheet.frame[name]
    if not harmless(column):
        for row, cell in sheet.cells(name):
            complaint = sheet.complaint(cell)
            if complaint:
                raise BadInput(f"column {show(name)}, row {row}: {complaint}")
    return np.asarray(column, np.float64)


def check_present(sheet: Sheet, name: str) -> None:
    """Refuse a missing value."""
    if sheet.frame[name].isna().any():
        found = ((f", row {row}", cell) for row, cell in sheet.cells(name) if is_missing(cell))
        row, cell = next(found, ("", None))
        held = f" ({cell})" if isinstance(cell, str) and cell else ""
        raise BadInput(f"column {show(name)}{row}: the value is missing{held}; fill it in or drop the row")


def harmless(column: Series) -> bool:
    """Whether all values are finite numbers, none so large that an integer may have been rounded to it."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "biuf":
        return False
    values = column.to_numpy(np.float64) if column.dtype.kind == "f" else column.to_numpy()
    return bool(np.all((values > -LARGEST) & (values < LARGEST)))


# Its cells -----------------------------------------------------------------------------------------------------------


def is_missing(cell: object) -> bool:
    """Whether a cell holds no value."""
    import pandas as pd

    if isinstance(cell, str):
        return cell in MISSING or cell.lower().lstrip("+-") == "nan"
    if isinstance(cell, float):
        return math.isnan(cell)
    return cell is None or cell is pd.NA or cell is pd.NaT


def complaint_of_text(cell: object) -> str | None:
    """What is wrong with a feature's value in a text file."""
    value = str(cell)
    if value.lower().lstrip("+-") in {"inf", "infinity"}:
        return f"{value} is not finite; correct it or drop the row"
    if not NUMBER.fullmatch(value):
        return f"{show(value)} is text, not a number; encode the column as numbers or drop it"
    if math.isinf(float(value)):
        return f"{shorten(value)} is too large for float64; rescale the column or drop it"
    if value.lstrip("+-").isdigit() and abs(Decimal(value)) > LARGEST:
        return f"{shorten(value)} is beyond 2^53, where float64 rounds integers; rescale the column or drop it"
    return None


def complaint_of_value(cell: object) -> str | None:
    """What is wrong with a feature's value in a Parquet file."""
    if isinstance(cell, str):
        return f"{show(cell)} is text, not a number; encode the column as numbers or drop it"
    if not isinstance(cell, int | float):
        return f"{show(cell)} is of type {type(cell).__name__}, not a number; make the column numbers or drop it"
    if isinstance(cell, float) and math.isinf(cell):
        return f"{cell} is not finite; correct it or drop the row"
    if isinstance(cell, int) and abs(cell) > LARGEST:
        return f"{cell} is beyond 2^53, where float64 rounds integers; rescale the column or drop it"
    return None


# Words ---------------------------------------------------------------------------------------------------------------


def show(value: object) -> str:
    """A value as Python writes it, in one short line."""
    return shorten(repr(value))


def listing(shown: list[str], most: int = 8) -> str:
    """The first few, and how many more there are."""
    return ", ".join(shown[:most]) + (f", … {len(shown) - most} more" if len(shown) > most else "")


def nearest(name: str, names: Iterable[str]) -> str:
    """The names that are meant, most likely."""
    folded = {other.casefold(): other for other in names}
    close = difflib.get_close_matches(name.strip().casefold(), folded, n=3)
    return f" (nearest: {', '.join(show(folded[match]) for match in close)})" if close else ""


def order(label: object) -> tuple[bool, int | float, str]:
    """Numbers by size, before everything else by its text."""
    return (False, label, "") if isinstance(label, int | float) else (True, 0, str(label))


def first_line(error: Exception) -> str:
    """The first line of what a library says."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:; ")
