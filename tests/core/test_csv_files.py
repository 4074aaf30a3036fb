"""CSV is safe to open in a spreadsheet, and holds the same otherwise."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.core.csv_files import write_csv
from tests.helpers.study_tables import HOSTILE

FORMULAS = ["=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1;2)", "\t=1+1", "\n=1+1"]
HARMLESS = ["-0.5", "+3", "-1e-05", "assay =1", "", "'quoted'", "−2", *HOSTILE]


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle))


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_a_text_that_is_a_formula_gets_an_apostrophe(tmp_path: Path, kind: str) -> None:
    texts = pd.Series([*FORMULAS, *HARMLESS], dtype=kind)
    table = pd.DataFrame({"name": texts, "=1+1": -1.5, "@x": texts, "seed": 3})
    write_csv(table, tmp_path / "a.csv")
    header, *rows = cells(tmp_path / "a.csv")
    assert header == ["name", "'=1+1", "'@x", "seed"]
    expected = [*(f"'{text}" for text in FORMULAS), *HARMLESS]
    assert rows == [[text, "-1.5", text, "3"] for text in expected]
    assert table["name"].tolist() == [*FORMULAS, *HARMLESS]


def test_a_line_break_of_any_kind_stays_in_its_cell(tmp_path: Path) -> None:
    texts = ["a\r=1+1", "a\r\n=1+1", "\r=1+1"]
    write_csv(pd.DataFrame({"name": texts}), tmp_path / "a.csv")
    assert cells(tmp_path / "a.csv") == [["name"], ["a\n=1+1"], ["a\n=1+1"], ["'\n=1+1"]]


def test_columns_without_text_are_written_as_pandas_writes_them(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "mean": [0.1 + 0.2, np.nan, -np.inf],
            "n": pd.array([1, None, -3], dtype="Int32"),
            "known": [True, False, True],
            "when": pd.to_datetime(["2026-01-01", "2026-01-02", None]),
            "reason": ["one class", None, np.nan],
        }
    )
    write_csv(table, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == table.to_csv(index=False, lineterminator="\n")


def test_lists_of_one_length_are_cells_like_others(tmp_path: Path) -> None:
    """As columns that list several values; numpy takes such cells for a table of their own."""
    frame = pd.DataFrame({"known": [[0.1, 0.2], [0.3, 0.4]], "name": ["a", "=b"]})
    write_csv(frame, tmp_path / "a.csv")
    assert cells(tmp_path / "a.csv")[1:] == [["[0.1, 0.2]", "a"], ["[0.3, 0.4]", "'=b"]]
