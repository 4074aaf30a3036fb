"""What a reader learns of a search: the budget, what was chosen, what it cost, and which rows had none."""

import json
from pathlib import Path

import pandas as pd
import pytest

from relatask.core.layout import study_file
from relatask.core.tables import write_table
from relatask.publishing.inputs import Inputs
from relatask.publishing.tables import costs, main, search
from tests.helpers.study_tables import make_inputs, study_of

ROWS = [{"label": "STL", "method": "random_forest"}, {"label": "MTL", "method": "pairwise_kernel"}]

SCORES = ([0.6, 0.7, 0.65, 0.65], [None, 0.7, 0.6, 0.6])  # of each seed; the last trial repeats the third


def write_trials(inputs: Inputs, seed: int, scores: list[float | None], seconds: float = 2.0) -> None:
    rows = [
        {
            "dataset": "toy",
            "label": "STL",
            "split": "random",
            "seed": seed,
            "trial": number,
            "run_id": f"{seed}{min(number, 2)}",
            "settings": json.dumps({"options.min_samples_leaf": number + 1}),
            "score": score,
            "seconds": None if score is None else seconds,
            "reason": "it diverged" if score is None else None,
            "chosen": score == max(filter(None, scores)),
        }
        for number, score in enumerate(scores)
    ]
    named = {"dataset": "toy", "label": "STL", "scheme": "random", "seed": str(seed)}
    table = pd.DataFrame(rows)
    write_table("trials", table, inputs.results / study_file("trials", inputs.name, **named))


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    made = make_inputs(tmp_path, study=study_of() | {"methods": ROWS, "search": {"trials": 4}})
    for seed, scores in enumerate(SCORES):
        write_trials(made, seed, scores)
    return made


def test_each_search_is_a_row_with_its_gain_and_its_cost(inputs: Inputs) -> None:
    table = search.make(inputs)
    shown = {row[2]: list(row[4:]) for row in table.rows}
    assert shown["0"] == ["options.min_samples_leaf 2", "4", "0.6000", "0.7000", "+0.1000", "6.0"]
    assert shown["1"] == ["options.min_samples_leaf 2", "4", "–", "0.7000", "–", "4.0"]
    assert table.data["failed"].tolist() == [0, 1]
    assert any(note.endswith("nothing could be measured: 1 trials.") for note in table.notes)
    assert "No search: MTL (nothing to choose)." in table.notes


def test_other_tables_say_that_settings_were_chosen_and_what_that_took(inputs: Inputs) -> None:
    said = "Settings of STL were chosen in 4 trials each, on validation."
    assert said in main.make(inputs).notes
    rows = inputs.plan[["run_id"]].assign(seconds=1.0, peak_rss_mb=1.0, device="cpu", libraries=None)
    inputs.known["costs"] = rows
    assert any(note.endswith("(table search): STL 10.0.") for note in costs.make(inputs).notes)
