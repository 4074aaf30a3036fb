"""Two studies or published copies compared: reruns agree or differ, and rows are ahead or not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.core.tables import write_table
from relatask.evaluation.aggregate import published_cells

GAIN = {"MTL": 0.0, "Better": 0.05, "Noisy": 0.0}


def copy(folder: Path, shift: float = 0.0, noise: float = 0.0, digest: str = "d") -> Path:
    """A published copy of three rows on five folds of four tasks."""
    rng = np.random.default_rng(int(1e6 * (shift + noise)))
    rows = [
        {
            **{"dataset": "toy", "split": "random", "method": method, "metric": "roc_auc", "task_id": task},
            **{"seed": seed, "restart": 0, "fold": "test"},
            "value": 0.7 + 0.01 * seed + GAIN[method] + shift + noise * rng.standard_normal(),
        }
        for method in GAIN
        for seed in range(5)
        for task in "abcd"
    ]
    folder.mkdir()
    write_table("cells", published_cells(pd.DataFrame(rows)), folder / "cells.parquet")
    splits = {"dataset": "toy", "split": "random", "train": 60, "test": 20, "digest": digest}
    pd.DataFrame([{**splits, "seed": seed} for seed in range(5)]).to_csv(folder / "splits.csv", index=False)
    return folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "same"),
        ({"shift": 1e-8}, "same"),
        ({"noise": 0.01}, "agrees"),
        ({"shift": 0.004}, "agrees"),  # by the same in every cell, but within the margin
        ({"shift": 0.02}, "differs"),
        ({"digest": "e"}, "other splits"),
    ],
)
def test_a_rerun_agrees_or_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict, said: str
) -> None:
    one, other = copy(tmp_path / "one"), copy(tmp_path / "other", **changes)
    assert main(["compare", str(one), str(other)]) == 0
    lines = capsys.readouterr().out.splitlines()[4:]
    assert [line.split()[2] for line in lines] == ["Better", "MTL", "Noisy"]
    assert all(line.endswith(said) for line in lines)


def test_rows_are_compared_as_tables_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(copy(tmp_path / "one", noise=0.001))
    assert main(["compare", folder, folder, "--rows", "Better", "MTL"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("better")
    assert main(["compare", folder, folder, "--rows", "Noisy", "MTL"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("equal")


def test_what_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(copy(tmp_path / "one"))
    for more, said in (
        ([folder, "--rows", "MLT", "MTL"], "has no row 'MLT'. Did you mean 'MTL'?"),
        ([folder, "--metric", "roc"], "has no metric 'roc'. Did you mean 'roc_auc'?"),
        (["nothing"], "neither nothing nor results/nothing holds cells.parquet; run the study"),
    ):
        assert main(["compare", folder, *more]) == 2
        assert said in capsys.readouterr().err
