"""Table `search`: what the search of each row tried and chose, and what that took."""

import json
from typing import Any

import pandas as pd

from relatask.core.kinds import DEFAULT_METRICS, KINDS
from relatask.core.tables import columns_of
from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import NOTHING, Table, number, signed
from relatask.publishing.inputs import Inputs
from relatask.publishing.search_notes import search_notes

TABLE = {
    "caption": (
        "What the search for settings chose for each row, by the validation fold alone: the score of the "
        "settings that the study gives, that of the chosen ones, and the seconds that all trials took. Each "
        "row had the same number of trials. Seconds are measured, so they differ from run to run."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "seed": "int32",
        "method": "string",
        "trials": "int32",
        "failed": "int32",  # trials whose training diverged, or that validation could not measure
        "score": "float64?",  # on validation, of the settings that the study gives
        "chosen_score": "float64",
        "settings": "string",  # that were chosen: JSON, setting as in a study file -> value
        "seconds": "float64",  # of all trials together
    },
    "when": ("searched",),
    "needs": ("trials",),
    "measured": True,
}


def make(inputs: Inputs) -> Table:
    """(Data set, split, seed, row) x scores on validation before and after, settings, seconds."""
    rows, body = [], []
    keys = ["dataset", "split", "seed", "label"]
    for (dataset, split, seed, label), own in inputs.trials.groupby(keys, sort=False):
        best = own[own["chosen"]].iloc[0]
        first = own[own["trial"] == 0].iloc[0]
        row = {
            "dataset": dataset,
            "split": split,
            "seed": seed,
            "method": label,
            "trials": len(own),
            "failed": int(own["score"].isna().sum()),
            "score": first["score"],
            "chosen_score": best["score"],
            "settings": best["settings"],
            "seconds": float(own.drop_duplicates("run_id")["seconds"].sum()),
        }
        rows.append(row)
        said = "those of the study" if best["trial"] == 0 else _settings(best["settings"])
        body.append([dataset, split, str(seed), label, said, *_figures(row)])
    frame = pd.DataFrame(rows, columns=list(columns_of("table_search")))
    order = list(inputs.ordered(frame.assign(place=range(len(frame))))["place"])
    header = ["data set", "split", "seed", "method", "chosen settings", "trials", "of the study"]
    return Table(
        "search",
        f"{inputs.study.title}: search for settings",
        frame.iloc[order].reset_index(drop=True),
        [*header, "chosen", "gain", "seconds"],
        [body[place] for place in order],
        5,
        _notes(inputs, frame),
    )


def _figures(row: dict[str, Any]) -> list[str]:
    scores = row["score"], row["chosen_score"]
    gain = signed(scores[1] - scores[0], 4) if pd.notna(scores[0]) else NOTHING
    return [
        number(row["trials"], 0),
        *(number(score, 4) for score in scores),
        gain,
        number(row["seconds"], 1),
    ]


def _settings(text: str) -> str:
    """Return settings for people, e.g. "encoder_options.width 128"."""
    values = json.loads(text).items()
    said = ((name, f"{value:.3g}" if isinstance(value, float) else str(value)) for name, value in values)
    return ", ".join(f"{name} {value}" for name, value in said)


def _notes(inputs: Inputs, frame: pd.DataFrame) -> list[str]:
    search = inputs.study.search
    assert search is not None  # by `when`
    kinds = [kind for kind in KINDS if kind in inputs.study.kinds]
    measures = [METRICS[DEFAULT_METRICS[kind][0]].label for kind in kinds]
    notes = [
        f"Scores: mean over tasks of {' and '.join(measures)} on the validation fold, the best of all trials "
        "and so a little too good; what the settings are worth on test, which no trial sees, the main table "
        "says.",
        f"Each row had {search.trials} trials; the first has the settings of the study. Sampler: "
        f"{search.sampler}, seed {search.seed}. Seconds: of all trials together, measured.",
        *search_notes(inputs),
    ]
    if failed := int(frame["failed"].sum()):
        notes.append(f"Without a score, as training diverged or nothing could be measured: {failed} trials.")
    return notes
