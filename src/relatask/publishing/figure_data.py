"""Plan, metrics and history joined into what figures draw."""

from collections.abc import Mapping, Sequence

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.evaluation.aggregate import join_plan
from relatask.evaluation.spread import spread_by

ROW = ["dataset", "split", "method"]


def methods_of(plan: pd.DataFrame, baseline: str) -> list[str]:
    """Return the methods' labels in the order of the plan, which is that of the config.

    Raises:
        RelataskError: the baseline is not among them.
    """
    methods = list(dict.fromkeys(plan["label"]))
    if baseline not in methods:
        raise RelataskError(
            f"the plan has no method with the label {baseline!r}, only {', '.join(methods)}; plan again."
        )
    return methods


def with_plan(frame: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with the dataset, split, method (label) and seed of each row's run.

    Raises:
        RelataskError: a run is not in the plan.
    """
    runs = plan[["run_id", "dataset", "split", "label", "seed"]].rename(columns={"label": "method"})
    frame = frame.assign(run_id=frame["run_id"].astype(str))
    joined = frame.merge(runs, on="run_id", how="left", validate="many_to_one")
    if (lost := joined["dataset"].isna()).any():
        run = joined.loc[lost, "run_id"].iloc[0]
        raise RelataskError(
            f"run {run!r} has results but is not in the plan; run the workflow again to merge anew."
        )
    return joined


def test_values(plan: pd.DataFrame, metrics: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the defined values of one metric on the test fold.

    Returns:
        Columns dataset, split, method, seed, task_id, value; parts of one row of the tables are together.

    Raises:
        RelataskError: the table has no such metric.
    """
    chosen = metrics[(metrics["metric"] == metric) & (metrics["fold"] == "test")]
    if chosen.empty:
        known = ", ".join(sorted(metrics["metric"].astype(str).unique()))
        raise RelataskError(f"the metrics hold no {metric!r} of a test fold, only {known}; evaluate again.")
    cells = join_plan(plan, chosen)
    cells = cells.loc[cells["value"].notna(), [*ROW, "seed", "task_id", "value"]].reset_index(drop=True)
    return cells.astype(dict.fromkeys([*ROW, "task_id"], str))


def spread(values: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return mean and sample standard deviation (null with one seed) of `value` over seeds, per `by`."""
    table = spread_by(values.set_index(list(by))["value"], by).rename(columns={"count": "n_seeds"})
    return table.reset_index()


def arrange(frame: pd.DataFrame, orders: Mapping[str, Sequence[str] | None]) -> pd.DataFrame:
    """Return `frame` sorted by the columns of `orders`: in the order given, or by value where it is None."""
    places = {
        column: {value: place for place, value in enumerate(order)}
        for column, order in orders.items()
        if order is not None
    }
    return frame.sort_values(
        list(orders),
        key=lambda column: column.map(places[column.name]) if column.name in places else column,
        kind="stable",
        ignore_index=True,
    )
