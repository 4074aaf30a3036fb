"""The csv of a table is safe to open in a spreadsheet, the Parquet file holds what was given."""

from pathlib import Path

import pandas as pd

from relatask.publishing.table_files import save
from relatask.publishing.tables import per_task as per_task_table
from tests.helpers.study_tables import make_inputs

FORMULA = "=cmd|' /C calc'!A0"


def test_a_task_whose_name_is_a_formula_is_text_in_csv_and_itself_in_parquet(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    table = per_task_table.make(inputs)
    table.data["name"] = FORMULA
    save(table, tmp_path / "out")
    assert set(pd.read_csv(tmp_path / "out" / "per_task.csv")["name"]) == {f"'{FORMULA}"}
    assert set(pd.read_parquet(tmp_path / "out" / "per_task.parquet")["name"]) == {FORMULA}
