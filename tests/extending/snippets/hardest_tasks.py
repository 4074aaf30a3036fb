"""Table `hardest_tasks`: the tasks that no method predicts well."""

import pandas as pd

from relatask.evaluation.aggregate import join_plan, per_task
from relatask.publishing.formatting import Table, number
from relatask.publishing.inputs import Inputs

TABLE = {  # a literal: the plan reads it without importing the file
    "caption": "The five tasks of each data set and split whose best method is worst, in ``{metric}``.",
    "columns": {"dataset": "string", "split": "string", "task_id": "string", "best": "float64"},
    "when": ("tasks",),  # words of relatask.config.conditions; all of them must hold for the study
    "needs": ("plan", "metrics"),  # what it is made from; the rule's inputs follow
}


def make(inputs: Inputs) -> Table:
    """(Data set, split, task) x the best mean of any method on the test fold."""
    cells = per_task(join_plan(inputs.plan, inputs.metrics), inputs.metric)
    keys = ["dataset", "split", "task_id"]
    best = cells.groupby(keys, observed=True)["mean"].max().dropna().rename("best").reset_index()
    data = best.sort_values("best").groupby(keys[:2], observed=True).head(5).reset_index(drop=True)
    rows = [[row.dataset, row.split, row.task_id, number(row.best, 3)] for row in data.itertuples()]
    title = f"{inputs.study.title}: the hardest tasks"
    return Table("hardest_tasks", title, pd.DataFrame(data), [*keys, "best"], rows, 3, [inputs.reduced])
