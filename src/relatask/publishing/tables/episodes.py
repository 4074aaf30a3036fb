"""Table `episodes`: how the accuracy of few-shot learning spreads over the test episodes of each run."""

from typing import Any

import numpy as np
import pandas as pd

from relatask.config import EpisodesConfig
from relatask.core.tables import columns_of
from relatask.evaluation.metrics import METRICS
from relatask.publishing.formatting import (
    Table,
    mean_std,
    number,
    printed_label,
    scale_of,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "Accuracy of each run over its test episodes: the mean with the 95 % interval over episodes "
        "that papers of few-shot learning print, and quartiles. The main table has spreads over "
        "seeds."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "seed": "int32",
        "ways": "int32",  # classes of an episode
        "shots": "int32",  # images of each whose class is given
        "queries": "int32",  # images of each that are asked
        "metric": "string",
        "n_episodes": "int32",
        "mean": "float64",
        "half_interval": "float64?",  # 1.96 standard errors over episodes; null with one
        "least": "float64",
        "lower": "float64",  # quartiles
        "median": "float64",
        "upper": "float64",
        "greatest": "float64",
    },
    "when": ("classes",),
    "needs": ("plan", "metrics", "dataset"),
}
QUANTILES = {"least": 0.0, "lower": 0.25, "median": 0.5, "upper": 0.75, "greatest": 1.0}
NORMAL = 1.96  # standard errors of a 95 % interval


def _spread(values: pd.Series) -> dict[str, Any]:
    """Mean, interval and quantiles of the values of a run's episodes."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    found = {"n_episodes": len(values), "mean": values.mean(), "half_interval": NORMAL * error}
    return {**found, **{name: values.quantile(level) for name, level in QUANTILES.items()}}


def make(inputs: Inputs) -> Table:
    """(Data set, split, method, seed) x mean over test episodes, its interval, and quantiles.

    The interval, 1.96 standard errors over episodes, is what papers of few-shot learning print behind ±.
    """
    metric = METRICS[inputs.metric]
    cells = inputs.test_cells.dropna(subset="value")
    rows = []
    for key, own in cells.groupby(["dataset", "split", "method", "seed"], observed=True):
        form = inputs.study.datasets[str(key[0])].episodes or EpisodesConfig()
        names = dict(zip(("dataset", "split", "method", "seed"), key, strict=True))
        names |= {name: getattr(form, name) for name in ("ways", "shots", "queries")}
        rows.append({**names, "metric": inputs.metric, **_spread(own["value"])})
    data = inputs.ordered(pd.DataFrame(rows, columns=list(columns_of("table_episodes"))))
    factor, digits = scale_of(metric)
    body = []
    for row in records(data):
        words = [row["dataset"], row["split"], row["method"], str(row["seed"])]
        form_of = f"{row['ways']}-way {row['shots']}-shot, {row['queries']} queries"
        cell = mean_std(row["mean"], row["half_interval"], metric)
        quantiles = [number(row[name] * factor, digits) for name in QUANTILES]
        body.append([*words, form_of, number(row["n_episodes"], 0), cell, *quantiles])
    notes = [
        f"Test {printed_label(metric)}: mean over episodes ± 1.96 standard errors "
        "over episodes (a 95 % interval), as papers of few-shot learning print it; then quartiles over "
        "episodes. Spreads of the main table are over seeds instead.",
        "Episodes are drawn by data set, split and seed, so all methods are asked the same; each is in the "
        "metrics of the study, by its number.",
        inputs.reduced,
    ]
    header = ["data set", "split", "method", "seed", "episode", "episodes", metric.label]
    title = f"{inputs.study.title}: spread over test episodes"
    return Table("episodes", title, data, [*header, *QUANTILES], body, 5, notes)
