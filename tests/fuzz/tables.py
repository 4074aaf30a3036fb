"""Tables that users might give: odd cells, names, encodings and types."""

import csv
import io
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

NOTHING = {"", "nan", "na", "n/a", "#n/a", "none", "null", "<na>", "-nan", "+nan"}
# fmt: off
MOLECULES = [
    "CCCO", "OCCC", "CCCN", "c1ccccc1C", "CC(=O)O", "CCCO ",
    "[Na+].[Cl-]", "no molecule", "CC", "", "nan",
]
LABELS = [
    "0", "1", "1.0", "0.0", "1e0", "-0", "", " ",
    "nan", "NaN", "NA", "N/A", "#N/A", "None", "NULL", "<NA>", "-nan",
    "active", "Inactive", "YES", "no", "n.d.", "-", "ND",
]
NAMES = [
    "A", "B", "a", "hERG block", "$(touch x)", "<script>alert(1)</script>", "../../x", "A,B", 'A"B', "A\nB",
    "é", " A", "", " ", "smiles", "SMILES", "nan", "1", "x" * 300, "\ufeffA", "\x00", "受体", "#", "-rf",
]
ODD = [
    *NAMES, "inf", "2", "0,5", "0.5", "1_0", "TRUE", "-", "?", "'1'", '"1"', 'a"b', "\ufeff", "\x85",
    "\u2028", "=1+1", "1\n0", "1\r0", "1\t0", "x" * 3000, "9" * 400, "1e999", "0x1", "١",
]
# fmt: on
KEYS: list[dict[str, Any]] = [
    *({} for _ in range(6)),
    *({"active": {"at_least": 0.5}} for _ in range(4)),
    {"active": {"at_most": 0}},
    {"id_column": "A"},
    {"task_columns": ["A"]},
    {"task_columns": ["A", "zz"]},
    {"task_columns": []},
    {"smiles_column": "A"},
]
SUFFIXES = ["csv", "csv", "csv", "tsv", "csv.gz", "tsv.gz"]
ENCODINGS = ["utf-8"] * 12 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252"]
ARRAYS: list[pa.Array] = [
    pa.array([1, 0, None], pa.int8()),
    pa.array([1, 0, None], pa.uint64()),
    pa.array([1.0, float("nan"), 0.0], pa.float16()),
    pa.array([1.0, float("inf"), None], pa.float32()),
    pa.array([True, None, False]),
    pa.array(["1", None, "0"], pa.large_string()),
    pa.array(["1", None, "0"], pa.string_view()),
    pa.array(["1", "", "0"]).dictionary_encode(),
    pa.array([1, 0, 1]).dictionary_encode(),
    pa.array([None, None, None], pa.null()),
    pa.array([1, 0, None], pa.decimal128(5, 2)),
    pa.array([10**30, 0, None], pa.decimal256(50, 2)),
    pa.array([b"1", b"0", b"\xff"], pa.binary()),
    pa.array([b"1", b"0", b"\xff"], pa.binary()).view(pa.string()),
    pa.array([b"\xe9", b"\xff", b"CCO"], pa.binary()).view(pa.string()).dictionary_encode(),
    pa.array([0, 1, None], pa.date32()),
    pa.array([0, 1, 2], pa.timestamp("us", "UTC")),
    pa.array([0, 1, 2], pa.duration("s")),
    pa.array([[1], None, [0, 1]], pa.list_(pa.int8())),
    pa.array([{"x": 1}, None, {"x": 0}]),
    pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int8())),
    pa.array(["CCCO", "CCCN", None]),
    pa.array(["CCCO", "CCCN", "CC(=O)O"]).dictionary_encode(),
    pa.array([1e300, -1e300, 0.0]),
    pa.array([], pa.int8()),
]


@st.composite
def grids(draw: st.DrawFn) -> list[list[str]]:
    """A header and rows, all of one width, with at most two odd cells or names."""
    names = draw(st.lists(st.sampled_from(NAMES[:6]), min_size=1, max_size=4, unique_by=str.lower))
    row = st.tuples(st.sampled_from(MOLECULES), *[st.sampled_from(LABELS)] * len(names))
    grid = [["smiles", *names], *map(list, draw(st.lists(row, max_size=5)))]
    for number, text in draw(st.lists(st.tuples(st.integers(0, 29), st.sampled_from(ODD)), max_size=2)):
        line = grid[number % len(grid)]
        line[number // len(grid) % len(line)] = text
    return grid


def written(grid: list[list[str]], suffix: str, newline: str, quoting: int) -> str:
    text = io.StringIO(newline="")
    delimiter = "\t" if suffix.startswith("tsv") else ","
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows(grid)  # type: ignore[arg-type]
    return text.getvalue()


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in NOTHING


def is_measured(cell: str) -> bool:
    """Whether a cell of a column of labels holds one, or is no label at all."""
    return not is_missing(cell) and cell.strip() not in {"-", "--", "n.d.", "ND"}
