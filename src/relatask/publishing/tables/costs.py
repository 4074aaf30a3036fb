"""Table `costs`: time and memory of the runs."""

import pandas as pd

from relatask.publishing.formatting import (
    NOTHING,
    Table,
    number,
)
from relatask.publishing.inputs import Inputs, records
from relatask.publishing.made_with import made_with, mixtures

TABLE = {
    "caption": (
        "What the runs took: seconds for each seed, and the largest memory of a process. These "
        "figures are measured, so they differ from run to run and from machine to machine."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "n_runs": "int32",
        "seconds": "float64",  # of all runs together
        "seconds_per_seed": "float64",
        "predicted_seconds": "float64",  # of all runs together, on one core
        "peak_rss_mb": "float64",
        "devices": "string",
    },
    "when": ("always",),
    "needs": ("plan", "costs", "dataset", "trials"),
    "measured": True,
}


def make(inputs: Inputs) -> Table:
    """(Data set, split, method) x measured time and memory; not the same from run to run."""
    runs = inputs.plan[["run_id", "dataset", "split", "label", "seed", "predicted_minutes"]].rename(
        columns={"label": "method"}
    )
    joined = runs.merge(inputs.costs, on="run_id")
    grouped = joined.groupby(["dataset", "split", "method"], sort=False)
    frame = pd.DataFrame(
        {
            "n_runs": grouped["run_id"].size(),
            "seconds": grouped["seconds"].sum().astype(float),
            "seconds_per_seed": grouped["seconds"].sum().astype(float) / grouped["seed"].nunique(),
            "predicted_seconds": 60 * grouped["predicted_minutes"].sum().astype(float),
            "peak_rss_mb": grouped["peak_rss_mb"].max().astype(float),
            "devices": grouped["device"].agg(lambda devices: ", ".join(sorted(set(devices)))),
        }
    ).reset_index()
    frame = inputs.ordered(frame)
    body = []
    for row in records(frame):
        figures = [
            number(row["n_runs"], 0),
            number(row["seconds_per_seed"], 1),
            number(row["seconds"] / row["predicted_seconds"], 2),
            number(row["peak_rss_mb"], 0),
        ]
        body.append([row["dataset"], row["split"], row["method"], *figures, row["devices"] or NOTHING])
    header = ["data set", "split", "method", "runs", "seconds per seed", "of predicted", "peak memory (MB)"]
    notes = [
        "Measured: these figures differ from run to run and from machine to machine. of predicted: measured "
        "over predicted time; where it is far from 1, `relatask calibrate` prints what makes shards as long "
        "as they should be.",
        *_trials_note(inputs),
        *mixtures(made_with([inputs.costs]), inputs.results / inputs.name),
        inputs.reduced,
    ]
    return Table("costs", f"{inputs.study.title}: measured costs", frame, [*header, "device"], body, 3, notes)


def _trials_note(inputs: Inputs) -> list[str]:
    """Return what the trials of searches took, which are no runs of the table."""
    if inputs.study.search is None:
        return []
    trials = inputs.trials.drop_duplicates("run_id")
    each = trials.groupby("label", sort=False)["seconds"].sum()
    said = ", ".join(f"{label} {number(seconds, 1)}" for label, seconds in each.items())
    return [f"Not in these figures: seconds of trials, by which settings were chosen (table search): {said}."]
