"""Links as SAME's released code measures them, beside links that are held out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.config import table_names
from relatask.config.conditions import released_twins
from relatask.core.layout import study_file
from relatask.core.outputs import tables
from relatask.core.tables import write_table
from relatask.publishing.tables import level_protocol
from tests.helpers.level_study import GCN, level_inputs

TWINS = [
    {"label": "S", "method": "same", **GCN},
    {"label": "S_rel", "method": "same", **GCN, "options": {"protocol": "released"}},
    {"label": "E_rel", "method": "same", **GCN, "options": {"protocol": "released", "adapts": "heads"}},
]


def test_links_as_released_stand_beside_links_held_out(tmp_path: Path) -> None:
    inputs = level_inputs(tmp_path, lambda label, *_: {"S": 0.7, "S_rel": 0.9}.get(label, 0.1), TWINS)
    assert released_twins(inputs.study) == {"S_rel": "S"}
    labels = np.array([0, 0, 1, 1])
    scores = {"S": [0.2, 0.6, 0.5, 0.9], "S_rel": [0.2, 0.3, 0.6, 0.9], "E_rel": [0.9, 0.9, 0.1, 0.1]}
    parts = [
        pd.DataFrame({"label": labels, "score": scores[run.label]}).assign(
            run_id=run.run_id, fold=fold, item_id=range(4), task_id=task
        )
        for run in inputs.plan.itertuples()
        for fold, task in (("test", "l"), ("test", "g"), ("valid", "l"))
    ]
    predictions = pd.concat(parts).sort_values("run_id")
    right = (predictions["fold"] == "test") & (predictions["task_id"] == "l")
    predictions.loc[~right, "score"] = 0.0  # other tasks and folds are not counted
    write_table("predictions", predictions, tmp_path / study_file("predictions", inputs.name))
    table = level_protocol.make(inputs.restricted(tables()["level_protocol"]))
    columns = ["method", "other", "metric", "released", "held_out", "difference", "n_seeds"]
    assert table.data[columns].to_numpy().tolist() == [
        ["S_rel", "S", "roc_auc", *map(pytest.approx, (0.9, 0.7, 0.2)), 3],
        ["S_rel", "S", "accuracy", 1.0, 0.5, 0.5, 3],  # a score of 0.5 is no link
    ]
    assert table.rows[1][4:8] == ["accuracy", "100.00 ± 0.00", "50.00 ± 0.00", "+50.00 ± 0.00"]
    write_table("table_level_protocol", table.data, tmp_path / "protocol.parquet")


def test_only_studies_with_such_rows_have_it(tmp_path: Path) -> None:
    assert "level_protocol" in table_names(level_inputs(tmp_path, lambda *_: 0.5, TWINS).study)
    assert "level_protocol" not in table_names(level_inputs(tmp_path, lambda *_: 0.5, TWINS[1:]).study)
