"""A user's own table: everything that can be wrong with it is said in one line, and nothing is guessed."""

from __future__ import annotations

import hashlib
import random
import struct
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from parity.errors import BadInput
from parity.problems.data import SEPARATORS, read

GOOD = "age,weight,y\n30,70.5,0\n41,8e1,1\n52,0.1,1\n"


@pytest.fixture
def write(tmp_path):
    """A file with this content, and the check that nobody changes it."""
    written = {}

    def write(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        written[path] = path.read_bytes(), path.stat().st_mtime_ns
        return path

    yield write
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == written


@pytest.fixture
def parquet(write, tmp_path_factory):
    """A Parquet file with these columns."""
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

    def parquet(columns: dict[str, object] | pd.DataFrame | pa.Table, name: str = "table.parquet") -> Path:
        path = tmp_path_factory.mktemp("parquet") / name
        if isinstance(columns, pd.DataFrame):
            columns.to_parquet(path)
        else:
            pq.write_table(pa.table(columns) if isinstance(columns, dict) else columns, path)
        return write(path.read_bytes(), name)

    return parquet


def complaint(path: str | Path, target: str = "y") -> str:
    """What `read` says about the file, which is one printable line that begins with its name."""
    with pytest.raises(BadInput) as caught:
        read(path, target)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 300 + len(str(path))
    name = str(BadInput(str(path)))
    assert message.startswith(f"{name}: ")
    return message.removeprefix(f"{name}: ")


# What is accepted ----------------------------------------------------------------------------------------------------


def check_good(table, path):
    assert table.features == ("age", "weight")
    np.testing.assert_array_equal(table.X, [[30, 41, 52], [70.5, 80, 0.1]], strict=False)
    np.testing.assert_array_equal(table.Y, [[0, 1, 1]])
    for array, shape in ((table.X, (2, 3)), (table.Y, (1, 3))):
        assert array.shape == shape
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    assert table.source == str(path)
    assert table.fingerprint == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["table.csv", "table.tsv", "table.txt", "TABLE.CSV"])
@pytest.mark.parametrize("separator", SEPARATORS)
def test_text(write, name, separator):
    path = write(GOOD.replace(",", separator), name)
    check_good(read(path, "y"), path)
    check_good(read(str(path), " y "), path)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.rstrip(),
        "\n \n" + GOOD.replace("\n", "\n\n"),
        GOOD.replace(",", " , "),
        GOOD.replace("41", '"41"').replace("weight", '"weight"'),
        GOOD.replace("0\n", "False\n").replace("1\n", "True\n"),
        GOOD.replace("0\n", "0.0\n").replace("1\n", "1.0\n"),
        "y,age,weight\n0,30,70.5\n1,41,80\n1,52,.1\n",
    ],
    ids=[
        "BOM",
        "CRLF",
        "CR",
        "no newline at the end",
        "blank lines",
        "blanks",
        "quotes",
        "booleans",
        "floats",
        "order",
    ],
)
def test_text_in_all_its_forms(write, content):
    path = write(content)
    check_good(read(path, "y"), path)


@pytest.mark.parametrize("label", ["int8", "int64", "uint64", "float32", "bool", "Int64", "boolean", "category"])
def test_parquet(parquet, label):
    weight = np.array([70.5, 80, 0.1])
    path = parquet(pd.DataFrame({"age": [30, 41, 52], "y": pd.array([0, 1, 1]).astype(label), "weight": weight}))
    check_good(read(path, "y"), path)


@pytest.mark.parametrize("name", ["table.pq", "TABLE.PARQUET"])
def test_parquet_by_other_names(parquet, name):
    path = parquet({"age": [30, 41, 52], "weight": [70.5, 80, 0.1], "y": [0, 1, 1]}, name)
    check_good(read(path, "y"), path)


def test_an_index_stored_by_pandas_is_no_feature(parquet):
    columns = {"age": [30, 41, 52], "weight": [70.5, 80, 0.1], "y": [0, 1, 1]}
    path = parquet(pd.DataFrame(columns, index=pd.Index(["a", "b", "c"], name="id")))
    check_good(read(path, "y"), path)


def test_features_of_every_numeric_type_of_parquet(parquet):
    dtypes = ["int8", "uint64", "float16", "float32", "bool", "Int64", "boolean", "Float64"]
    columns = {dtype: pd.array([0, 1]).astype(dtype) for dtype in dtypes}
    table = read(parquet(pd.DataFrame({**columns, "y": [0, 1]})), "y")
    np.testing.assert_array_equal(table.X, [[0, 1]] * len(dtypes))


def test_every_decimal_is_rounded_correctly(write):
    """Each number is the float64 nearest to its decimal, as Python's own: whatever pandas' parser does."""
    draw = random.Random(0)
    bits = [struct.unpack("d", struct.pack("Q", draw.getrandbits(64)))[0] for _ in range(5000)]
    written = [repr(x) for x in bits if np.isfinite(x)]
    written += [f"{draw.random() * 10 ** draw.randint(-5, 5):.{draw.randint(1, 25)}f}" for _ in range(5000)]
    written += [
        "4.9e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "9007199254740993.0",
        "9007199254740992",
    ]
    rows = "\n".join(f"{x},{i % 2}" for i, x in enumerate(written))
    table = read(write(f"x,y\n{rows}\n"), "y")
    np.testing.assert_array_equal(table.X[0], [float(x) for x in written])


# The file ------------------------------------------------------------------------------------------------------------


def test_missing_file(write, tmp_path):
    write(GOOD, "wine.csv")
    assert complaint(tmp_path / "wines.csv") == "no such file (nearest: 'wine.csv'); check the path"
    assert complaint(tmp_path / "nowhere" / "wine.csv") == "no such file; check the path"
    assert complaint(tmp_path / "no\nsuch\x1b.csv") == "no such file; check the path"


def test_directory(tmp_path):
    assert complaint(tmp_path) == "is a directory; name a CSV or Parquet file in it"


def test_no_regular_file():
    assert complaint("/dev/null") == "is not a regular file; save the table as CSV or Parquet first"


def test_path_that_cannot_be(write):
    path = write(GOOD)
    assert complaint(path / "table.csv") == "cannot be read (Not a directory); check the path"
    assert complaint("a\0b.csv") == "cannot be read (embedded null byte); check the path"


def test_permissions(write, monkeypatch):
    path = write(GOOD)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert complaint(path) == "may not be read; change its permissions (chmod u+r) or copy it"


@pytest.mark.parametrize("name", ["table.xlsx", "table.csv.gz", "table"])
def test_unknown_kind(write, name):
    kinds = ".csv, .tsv, .txt, .parquet, .pq"
    assert complaint(write(GOOD, name)) == (
        f"unknown kind of file {Path(name).suffix!r}; save the table as one of {kinds}"
    )


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_empty(write, name):
    assert complaint(write("", name)) == "is empty; it needs a header and at least two rows"


def test_blank(write):
    assert complaint(write(" \n\n\t\n")) == "is empty; it needs a header and at least two rows"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", "is not text (it holds zero bytes: a spreadsheet, an archive, UTF-16?);"),
        (GOOD.encode("utf-16"), "is not text (it holds zero bytes: a spreadsheet, an archive, UTF-16?);"),
        ("größe,y\n1,0\n".encode("latin-1"), "is not UTF-8 text (byte 0xf6 in row 1); save it as CSV in UTF-8"),
        (b"a,y\n1,0\n\xe9,1\n", "is not UTF-8 text (byte 0xe9 in row 3); save it as CSV in UTF-8"),
        (b"PAR1 and more", "holds Parquet, not text; rename it to .parquet"),
        ("<!DOCTYPE html>\n<html>\n", "no column 'y'; its columns are '<!DOCTYPE html>'"),
        ("a,y\n1,0\n" + "x" * 200_000 + ",1\n", "is not a table (row 3: field larger than field limit (131072));"),
        ('a,y\n1,0\n"2,1\n3,0\n', "row 4 has 1 field where the header has 2; mend or drop the row"),
    ],
    ids=["binary", "UTF-16", "Latin-1 header", "Latin-1", "Parquet", "HTML", "huge field", "quote without end"],
)
def test_not_a_text_table(write, content, expected):
    assert complaint(write(content)).startswith(expected)


@pytest.mark.parametrize("content", [GOOD.encode(), b"PAR1", b"PAR1" + b"\xff" * 64 + b"PAR1"])
def test_not_parquet(write, content):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    message = complaint(write(content, "table.parquet"))
    assert message.startswith("is no readable Parquet file (")
    assert message.endswith("; if it is text, name it .csv")


def test_parquet_cut_short_or_garbled(parquet, write):
    content = parquet({"a": [1.0, 2.0, 3.0], "y": [0, 1, 1]}).read_bytes()
    for broken in (content[:-9], content[: len(content) // 2], content[:8] + b"\xff" * 64 + content[72:]):
        assert complaint(write(broken, "table.parquet")).startswith("is no readable Parquet file (")


def test_parquet_without_pyarrow(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert complaint(write(b"PAR1", "table.parquet")) == (
        "Parquet needs pyarrow; pip install 'gradient-parity[parquet]', or save it as CSV"
    )


# Its columns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "row", "held"),
    [
        ("a,b,y\n1,1,0\n2,1\n", 3, "2 fields"),
        ("a,b,y\n1,1,0\n2\n", 3, "1 field"),
        ("a,b,y\n\n1,1,0\n\n2,1\n", 5, "2 fields"),
        ("a,b,y\n1,1,0,9\n2,2,1\n", 2, "4 fields"),
        ("a,b,y\n1,1,0,9\n2,2,1,9\n", 2, "4 fields"),
        ("a,b,y\n1,1,0\n2,2,1,9\n", 3, "4 fields"),
        ("a,b,y\n1,1,0\n2,2,1,\n", 3, "4 fields"),
        ('a,b,y\n1,1,0\n""\n2,2,1\n', 3, "1 field"),
    ],
)
def test_ragged_rows(write, content, row, held):
    assert complaint(write(content)) == f"row {row} has {held} where the header has 3; mend or drop the row"


def test_no_such_column(write):
    assert complaint(write(GOOD), "wieght") == (
        "no column 'wieght' (nearest: 'weight'); its columns are 'age', 'weight', 'y'"
    )
    assert complaint(write(GOOD), "Y") == "no column 'Y' (nearest: 'y'); its columns are 'age', 'weight', 'y'"
    many = ",".join(f"column {i}" for i in range(50))
    assert complaint(write(f"{many}\n"), "label").endswith("'column 7', … 42 more")


def test_no_such_column_in_parquet(parquet):
    assert complaint(parquet({"a": [1, 2], "b": [0, 1]})) == "no column 'y'; its columns are 'a', 'b'"


def test_no_header(write):
    assert complaint(write("1.5,0\n2,1\n")) == "no column 'y'; its columns are '1.5', '0' (is the header missing?)"


def test_only_the_target(write):
    assert complaint(write("y\n0\n1\n")) == "has no feature beside the target 'y'; add at least one column of numbers"


def test_columns_of_the_same_name(write):
    expected = "columns 1 and 3 have the same name 'a'; rename or drop all but one"
    assert complaint(write("a,b,a,y\n1,2,3,0\n1,2,3,1\n")) == expected
    assert complaint(write("a,b, a ,y\n1,2,3,0\n1,2,3,1\n")) == expected


def test_columns_of_the_same_name_in_parquet(parquet):
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    table = pa.Table.from_arrays([pa.array([0, 1])] * 3, names=["y", "a", "a"])
    assert complaint(parquet(table)) == "columns 2 and 3 have the same name 'a'; rename or drop all but one"


def test_column_without_a_name(write):
    expected = "column 1 has no name; give it one, or save without the index (to_csv(index=False))"
    assert complaint(write(",a,y\n0,1,0\n1,2,1\n")) == expected
    assert complaint(write('""\n0\n')) == expected


@pytest.mark.parametrize(("rows", "held"), [("", "a header and no row"), ("1,0\n", "one row")])
def test_too_few_rows(write, rows, held):
    assert complaint(write("a,y\n" + rows)) == f"has {held}; two classes need at least two rows"


# Its labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("label", "shown"), [("1", "1"), ("0.0", "0.0"), ("yes", "'yes'"), ("True", "True")])
def test_one_class(write, label, shown):
    expected = f"column 'y' holds one class, {shown} in every row; add rows of the other class"
    assert complaint(write(f"a,y\n1,{label}\n2,{label}\n")) == expected


@pytest.mark.parametrize(
    ("labels", "held"),
    [
        (["0", "1", "2"], "3 classes (0, 1, 2)"),
        (["red", "green", "blue"], "3 classes ('blue', 'green', 'red')"),
        (["0", "1", "unknown"], "3 classes ('0', '1', 'unknown')"),
        ([str(x / 2) for x in range(12)], "12 classes (0.0, 0.5, 1.0, 1.5, 2.0, … 7 more)"),
    ],
)
def test_more_than_two_classes(write, labels, held):
    rows = "".join(f"{i},{label}\n" for i, label in enumerate(labels))
    expected = f"column 'y' holds {held}; two are needed: map one to 1 and the others to 0"
    assert complaint(write("a,y\n" + rows)) == expected


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (("yes", "no"), ("'no'", "'yes'")),
        (("1", "2"), ("1", "2")),
        (("1", "-1"), ("-1", "1")),
        (("0", "2"), ("0", "2")),
        (("10", "9"), ("9", "10")),
        (("0.5", "1"), ("0.5", "1.0")),
        (("0", "inf"), ("0.0", "inf")),
        (("1", "true"), ("'1'", "'true'")),
        (("x" * 50, "y"), (f"'{'x' * 29}…'", "'y'")),
    ],
)
def test_labels_other_than_0_and_1(write, labels, shown):
    low, high = shown
    expected = f"holds {low} and {high}, not 0 and 1; map {low} to 0 and {high} to 1 in the file, or the reverse"
    assert complaint(write(f"a,y\n1,{labels[0]}\n2,{labels[1]}\n3,{labels[0]}\n")) == f"column 'y' {expected}"


def test_labels_that_are_digits_of_text(parquet):
    expected = "column 'y' holds '0' and '1', not 0 and 1; map '0' to 0 and '1' to 1 in the file, or the reverse"
    assert complaint(parquet({"a": [1, 2], "y": ["0", "1"]})) == expected


def test_labels_that_are_lists(parquet):
    expected = "column 'y' holds values of type ndarray; map them to 0 and 1"
    assert complaint(parquet({"a": [1, 2], "y": [[0], [1]]})) == expected


# Its cells -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["a", "y"])
@pytest.mark.parametrize("cell", ["", "NA", "nan", "NaN", "-nan", "null", "None", "?", "#N/A"])
def test_missing_value(write, column, cell):
    row = f"{cell},1" if column == "a" else f"1,{cell}"
    held = f" ({cell})" if cell else ""
    expected = f"column {column!r}, row 5: the value is missing{held}; fill it in or drop the row"
    assert complaint(write(f"a,y\n1,0\n\n2,1\n{row}\n{row}\n")) == expected


@pytest.mark.parametrize("column", ["a", "y"])
@pytest.mark.parametrize("values", [[1, 0, None], [1.0, 0.0, float("nan")], [True, False, None], ["b", "c", None]])
def test_missing_value_in_parquet(parquet, column, values):
    path = parquet({"a": [1, 2, 3], "y": [0, 1, 1]} | {column: values})
    assert complaint(path) == f"column {column!r}, row 3: the value is missing; fill it in or drop the row"


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "datetime64[ns]"])
def test_missing_value_of_pandas(parquet, dtype):
    path = parquet(pd.DataFrame({"a": pd.array([1, None], dtype=dtype), "y": [0, 1]}))
    assert complaint(path) == "column 'a', row 2: the value is missing; fill it in or drop the row"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("abc", "'abc'"),
        ("1 2", "'1 2'"),
        ("1_000", "'1_000'"),
        ("0x10", "'0x10'"),
        ("1d5", "'1d5'"),
        ("٣", "'٣'"),
        ("True", "'True'"),
        ("2024-01-01", "'2024-01-01'"),
        ("3.5 kg", "'3.5 kg'"),
        ("x" * 100, f"'{'x' * 29}…'"),
        ('"a\nb"', r"'a\nb'"),
        ("\x1b[31m", r"'\x1b[31m'"),
    ],
)
def test_text_in_a_feature(write, cell, shown):
    row = 4 + cell.count("\n")
    expected = f"column 'a', row {row}: {shown} is text, not a number; encode the column as numbers or drop it"
    assert complaint(write(f"b,a,y\n1,1,0\n1,2,1\n1,{cell},1\n1,text,1\n")) == expected


def test_decimal_commas(write):
    expected = "column 'a', row 2: '1,5' is text, not a number; encode the column as numbers or drop it"
    assert complaint(write("a;y\n1,5;0\n2,5;1\n")) == expected


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["a", "b"], "'a' is text, not a number; encode the column as numbers or drop it"),
        (["1", "2"], "'1' is text, not a number; encode the column as numbers or drop it"),
        ([b"1", b"2"], "b'1' is of type bytes, not a number; make the column numbers or drop it"),
        ([Decimal("1.5")] * 2, "Decimal('1.5') is of type Decimal, not a number; make the column numbers or drop it"),
        ([date(2024, 1, 1)] * 2, "datetime.date(2024, 1, 1) is of type date, not a number; make the column numbers"),
        ([[1], [2]], "array([1]) is of type ndarray, not a number; make the column numbers or drop it"),
    ],
)
def test_no_number_in_a_feature_of_parquet(parquet, values, said):
    assert complaint(parquet({"a": values, "y": [0, 1]})).startswith(f"column 'a', row 1: {said}")


def test_categories_of_text_in_parquet(parquet):
    path = parquet(pd.DataFrame({"a": pd.Categorical(["1", "2"]), "y": [0, 1]}))
    assert complaint(path).startswith("column 'a', row 1: '1' is text, not a number;")


@pytest.mark.parametrize("cell", ["inf", "-inf", "Infinity", "+INF"])
def test_infinite_value(write, cell):
    expected = f"column 'a', row 3: {cell} is not finite; correct it or drop the row"
    assert complaint(write(f"a,y\n1,0\n{cell},1\n")) == expected


def test_infinite_value_in_parquet(parquet):
    expected = "column 'a', row 2: -inf is not finite; correct it or drop the row"
    assert complaint(parquet({"a": [1.0, -float("inf")], "y": [0, 1]})) == expected


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("1e309", "1e309"), ("-1e999", "-1e999"), ("9" * 400, "9" * 30 + "…9"), ("9" * 5000, "9" * 30 + "…9")],
    ids=["1e309", "-1e999", "400 digits", "5000 digits"],
)
@pytest.mark.parametrize("other", ["1", "1.5"])
def test_too_large_for_float64(write, cell, shown, other):
    expected = f"column 'a', row 3: {shown} is too large for float64; rescale the column or drop it"
    assert complaint(write(f"a,y\n{other},0\n{cell},1\n")) == expected


@pytest.mark.parametrize("cell", [2**53 + 1, -(2**53) - 1, 2**64 - 1, 2**64, 10**30])
@pytest.mark.parametrize("other", ["1", "-1", "1.5"])
def test_integers_that_would_be_rounded(write, cell, other):
    expected = f"{cell} is beyond 2^53, where float64 rounds integers; rescale the column or drop it"
    assert complaint(write(f"a,y\n{other},0\n{cell},1\n")) == f"column 'a', row 3: {expected}"


@pytest.mark.parametrize(("cell", "dtype"), [(2**53 + 1, "int64"), (-(2**53) - 1, "Int64"), (2**64 - 1, "uint64")])
def test_integers_of_parquet_that_would_be_rounded(parquet, cell, dtype):
    path = parquet(pd.DataFrame({"a": pd.Series([1, cell], dtype=dtype), "y": [0, 1]}))
    expected = f"{cell} is beyond 2^53, where float64 rounds integers; rescale the column or drop it"
    assert complaint(path) == f"column 'a', row 2: {expected}"


def test_large_values_that_are_exact_or_no_integers(write, parquet):
    assert read(write(f"a,y\n{2**53},0\n-{2**53},1\n"), "y").X.tolist() == [[2.0**53, -(2.0**53)]]
    assert read(write("a,y\n1e300,0\n2,1\n"), "y").X.tolist() == [[1e300, 2]]
    assert read(parquet({"a": [1e300, 2.0], "y": [0, 1]}), "y").X.tolist() == [[1e300, 2]]


def test_bad_input_is_always_one_printable_line():
    assert str(BadInput("σ a\nb\r\x1b[31m\u2028\udcff")) == r"σ a\nb\r\x1b[31m\u2028\udcff"
