"""Series become a data set whose folds follow each other in time and whose scale is that of training."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.tables import read_table
from relatask.data.prepared import PreparedDataset
from relatask.sources.point_series import read_series, series_tables
from tests.helpers.data_tables import prepared_folder, source_of

FRACTIONS = (0.6, 0.2, 0.2)
ROWS = ["date,OT,HUFL", "2016-07-01 00:00,1.5,3", "2016-07-01 00:15,2.5,-1", "2016-07-01 00:30,0.5,2e1"]


def source(**values: object) -> Any:
    return source_of(reader="series", **values)


def write_raw(folder: Path, rows: list[str]) -> Path:
    path = folder / "series.csv.gz"
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


def made(folder: Path, values: np.ndarray, seeds: tuple[int, ...] = (0,)) -> Path:
    times = [str(number) for number in range(len(values))]
    names = [f"s{number}" for number in range(values.shape[1])]
    tables = series_tables(times, names, values, FRACTIONS)
    write_json(folder / "counts.json", tables.counts)
    splits = {"chronological": {"seeds": seeds, "fractions": FRACTIONS}}
    return prepared_folder(folder, tables, ["series"], splits)


def test_a_table_of_series_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = write_raw(tmp_path, ROWS)
    times, names, values = read_series(path, source())
    assert times == ["2016-07-01 00:00", "2016-07-01 00:15", "2016-07-01 00:30"]
    assert names == ["OT", "HUFL"]
    np.testing.assert_array_equal(values, [[1.5, 3], [2.5, -1], [0.5, 20]])
    times, names, values = read_series(path, source(first=2, task_columns=["HUFL"]))
    assert (len(times), names, values.tolist()) == (2, ["HUFL"], [[3], [-1]])
    renamed = write_raw(tmp_path, [ROWS[0].replace("date", "Hour"), *ROWS[1:]])
    assert read_series(renamed, source(id_column="Hour"))[0] == [*times, "2016-07-01 00:30"]


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ([*ROWS[:2], "2016-07-01 00:15,,4"], {}, "line 3, column 'OT': '' is no finite number.*complete"),
        ([*ROWS[:2], "2016-07-01 00:15,high,4"], {}, "line 3, column 'OT': 'high' is no finite number"),
        (ROWS, {"first": 4}, "has 3 points in time, `first` asks for 4; lower it"),
        (ROWS, {"task_columns": ["LUFL"]}, "LUFL"),
        (ROWS, {"id_column": "time"}, "time"),
        (ROWS[:1], {}, "Empty CSV file"),
    ],
)
def test_what_is_no_table_of_series_is_refused(
    rows: list[str], settings: dict, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RelataskError, match=message):
        read_series(write_raw(tmp_path, rows), source(**settings))


def test_folds_follow_each_other_and_the_scale_is_that_of_training(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(5, 3, (50, 2))
    folder = made(tmp_path / "a", values, seeds=(0, 4))
    data = PreparedDataset.load(folder, "chronological-4", inputs="series")
    assert [rows.tolist() for rows in data.folds.values()] == [
        list(range(30)),
        list(range(30, 40)),
        list(range(40, 50)),
    ]
    expected = (values - values[:30].mean(0)) / values[:30].std(0)
    np.testing.assert_allclose(data.labels, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(data.inputs.values, data.labels)  # type: ignore[union-attr]
    counts = read_json(folder / "counts.json")
    np.testing.assert_allclose(list(counts["mean"].values()), values[:30].mean(0))
    np.testing.assert_allclose(list(counts["std"].values()), values[:30].std(0))
    assert read_table("tasks", folder / "tasks.parquet")["name"].tolist() == ["s0", "s1"]


def test_later_values_change_nothing_of_what_training_reads(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(5, 3, (50, 2))
    later = values.copy()
    later[30:] *= 100
    data = [
        PreparedDataset.load(made(tmp_path / name, array), "chronological-0", inputs="series")
        for name, array in (("a", values), ("b", later))
    ]
    np.testing.assert_array_equal(data[0].labels[:30], data[1].labels[:30])
    assert (data[0].labels[30:] != data[1].labels[30:]).all()
    digests = [read_json(tmp_path / name / "dataset.json")["digest"] for name in "ab"]
    assert digests[0] != digests[1]


def test_series_that_cannot_be_scaled_or_split_are_refused(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(RelataskError, match="2 points in time are too few for folds"):
        made(tmp_path, values[:2])
    values[:30, 1] = 7
    with pytest.raises(RelataskError, match="series 's1' is constant in training"):
        made(tmp_path, values)
