"""The tables of a study that groups tasks: what groups gain, how wrong estimates are, how gains lie."""

from typing import Any

import numpy as np
import pandas as pd

from relatask.publishing.formatting import NOTHING, Bold, Table, number, signed
from relatask.publishing.grouping_inputs import Collection, GroupingInputs, name_of, over_seeds
from relatask.publishing.inputs import records

SHOWN_BUDGET = 4  # of table `groups`; its data hold every budget


def grouping_table(inputs: GroupingInputs) -> Table:
    """(Collection, strategy) x budget: mean test gain over tasks in per cent, mean ± std over seeds."""
    data = pd.DataFrame([row for collection in inputs.replayed for row in _worth(collection, inputs)])
    most = int(data["budget"].max())
    body: list[list[str]] = []
    for _, rows in data.groupby(["collection", "row"], sort=False):
        first = rows.iloc[0]
        cells = {row["budget"]: row for row in records(rows)}
        body.append([first["collection"], first["row"], number(first["n_trained"], 0)])
        for budget in range(1, most + 1):
            body[-1].append(_cell(cells.get(budget), data))
    notes = [
        "Mean over tasks of the test gain in per cent, each task served by the group that is estimated best "
        "for it; mean ± population standard deviation over seeds; the best estimate of each column is bold, "
        "the oracle and published numbers aside.",
        "Columns: the budget, the most groups. Groups are chosen on validation gains, so the oracle, which "
        "knows them all, can lose on the test fold. trained: task sets that a strategy pays for.",
        *_published_notes(inputs, data),
        inputs.reduced,
    ]
    header = ["gains", "strategy", "trained", *map(str, range(1, most + 1))]
    title = f"{inputs.study.title}: mean test gain of the chosen groups"
    return Table("grouping", title, data, header, body, 2, notes)


def _worth(collection: Collection, inputs: GroupingInputs) -> list[dict[str, Any]]:
    """Rows of table `grouping` of one collection: ours, each followed by what the paper reports."""
    printed = {
        (value.row, value.column): value.value
        for value in inputs.published
        if value.paper == inputs.study.paper and value.metric == "test_gain_percent"
    }
    names = {strategy.label: strategy.published for strategy in collection.strategies}
    oracles = {strategy.label for strategy in collection.strategies if strategy.estimator == "oracle"}
    found = []
    for row, rows in collection.rows():
        paper = str(names[row[0]]) + ("" if row[1] is None else f" K={row[1]}")
        published = []
        for budget, own in rows.groupby("budget"):
            mean, std = over_seeds(100 * own["test_gain"])
            shared = {"collection": collection.name, "strategy": row[0], "rounds": row[1], "budget": budget}
            cell = {
                "row": name_of(row),
                "source": "oracle" if row[0] in oracles else "ours",
                "mean": mean,
                "std": std,
            }
            valid, _ = over_seeds(100 * own["valid_gain"])
            counts = {"n_seeds": len(own), "n_trained": float(own["n_trained"].mean())}
            found.append({**shared, **cell, "valid_mean": valid, **counts})
            if (value := printed.get((paper, f"{collection.name} {budget}"))) is not None:
                cell = {
                    "row": f"{name_of(row)}, published",
                    "source": "published",
                    "mean": value,
                    "std": None,
                }
                published.append({**shared, **cell, "valid_mean": None, "n_seeds": 1, "n_trained": None})
        found += published
    return found


def _cell(row: dict[str, Any] | None, data: pd.DataFrame) -> str:
    if row is None:
        return NOTHING
    text = signed(row["mean"]) + (f" ± {number(row['std'])}" if pd.notna(row["std"]) else "")
    rivals = data[(data["collection"] == row["collection"]) & (data["budget"] == row["budget"])]
    best = rivals.loc[rivals["source"] == "ours", "mean"].max()
    return Bold(text) if row["source"] == "ours" and row["mean"] > best - 0.005 else text  # equal as printed


def _published_notes(inputs: GroupingInputs, data: pd.DataFrame) -> list[str]:
    if (data["source"] != "published").all():
        return []
    return [
        "published: what the authors' notebooks print or plot (config/published.csv), single seeds. Their "
        "curves of MTG-Net on Taskonomy are clipped to the oracle; their random groups on Taskonomy may keep "
        "a gain of 0 outside a set, which ours may not; their network learns by absolute error and picks the "
        "largest prediction, ours as the paper says: squared error, sets drawn with exp(α|G|).",
    ]


def estimation_errors_table(inputs: GroupingInputs) -> Table:
    """(Collection, strategy): mean absolute error of estimates on sets that were not trained."""
    rows = []
    for collection in inputs.replayed:
        for row, by_seed in collection.estimates.items():
            errors, correlations = [], []
            for estimate in by_seed.values():
                cells = collection.judged(estimate)
                if not cells.any():
                    continue
                said, true = estimate.table[cells], collection.gains.valid[cells]
                errors.append(float(np.abs(said - true).mean()))
                correlations.append(float(np.corrcoef(said, true)[0, 1]))
            if errors:
                mean, std = over_seeds(errors)
                shared = {
                    "collection": collection.name,
                    "strategy": row[0],
                    "rounds": row[1],
                    "row": name_of(row),
                }
                trained = float(np.mean([estimate.trained.sum() for estimate in by_seed.values()]))
                rows.append(
                    {
                        **shared,
                        "n_trained": trained,
                        "mean": mean,
                        "std": std,
                        "correlation": over_seeds(correlations)[0],
                        "n_seeds": len(errors),
                    }
                )
    data = pd.DataFrame(rows)
    body = [
        [
            *(row["collection"], row["row"], number(row["n_trained"], 0)),
            number(row["mean"], 4) + (f" ± {number(row['std'], 4)}" if pd.notna(row["std"]) else ""),
            number(row["correlation"], 3),
        ]
        for row in records(data)
    ]
    notes = [
        "Absolute difference of estimated and true validation gain, mean over the tasks of all sets of two "
        "or more tasks that the strategy did not train; mean ± population standard deviation over seeds. "
        "correlation: Pearson's, of the same cells. TAG's affinities are no gains: only their correlation "
        "says something.",
        inputs.reduced,
    ]
    header = ["gains", "strategy", "trained", "mean absolute error", "correlation"]
    title = f"{inputs.study.title}: how far estimates are from the gains"
    return Table("estimation_errors", title, data, header, body, 2, notes)


def gain_distribution_table(inputs: GroupingInputs) -> Table:
    """Collection: how validation gains are distributed, and what they say of test gains."""
    rows = []
    for collection in inputs.replayed:
        gains = collection.gains
        cells = gains.sets & (gains.sizes > 1)[:, None]
        valid, test = gains.valid[cells], gains.test[cells]
        quantiles = dict(
            zip(
                ("least", "lower", "median", "upper", "greatest"),
                np.quantile(valid, np.linspace(0, 1, 5)),
                strict=True,
            )
        )
        rows.append(
            {
                "collection": collection.name,
                "tasks": len(gains.tasks),
                "task_sets": len(gains.sets),
                "gains": int(cells.sum()),
                "mean": valid.mean(),
                "positive_percent": 100 * (valid > 0).mean(),
                **quantiles,
                "correlation": float(np.corrcoef(valid, test)[0, 1]),
                "test_error": float(np.abs(valid - test).mean()),
            }
        )
    data = pd.DataFrame(rows)
    body = [
        [
            row["collection"],
            *(number(row[name], 0) for name in ("tasks", "task_sets", "gains")),
            *(number(row[name], 4) for name in ("mean",)),
            number(row["positive_percent"], 1),
            *(number(row[name], 3) for name in ("least", "lower", "median", "upper", "greatest")),
            number(row["correlation"], 3),
            number(row["test_error"], 4),
        ]
        for row in records(data)
    ]
    notes = [
        "Validation gains of tasks in sets of two or more; correlation and difference: of the same gains on "
        "the test fold. A gain is a relative improvement over the task alone.",
        inputs.reduced,
    ]
    header = ["gains", "tasks", "task sets", "gains of tasks", "mean", "positive (%)"]
    header += ["least", "lower quartile", "median", "upper quartile", "greatest", "correlation", "difference"]
    return Table("gain_distribution", f"{inputs.study.title}: the gains", data, header, body, 1, notes)


def groups_table(inputs: GroupingInputs) -> Table:
    """(Collection, strategy, group): who is learned with whom, for a budget of 4 and the first seed."""
    data = pd.concat(
        [collection.groups.assign(collection=collection.name) for collection in inputs.collections],
        ignore_index=True,
    )
    first = data.groupby(["collection", "strategy"])["seed"].transform("min")
    data = data[data["seed"] == first].reset_index(drop=True)
    shown = data[data["budget"] == SHOWN_BUDGET]
    body = []
    for _, rows in shown.groupby(["collection", "strategy", "rounds", "group"], sort=False, dropna=False):
        row = rows.iloc[0]
        serves = rows[rows["serves"]]
        rounds = None if pd.isna(row["rounds"]) else int(row["rounds"])
        body.append(
            [
                *(row["collection"], name_of((row["strategy"], rounds)), str(row["group"] + 1)),
                ", ".join(rows["task_id"]),
                ", ".join(serves["task_id"]),
                signed(100 * serves["estimate"].mean()),
                signed(100 * serves["test_gain"].mean()),
            ]
        )
    notes = [
        f"A budget of {SHOWN_BUDGET} groups and the first seed; the other budgets are in the CSV. Gains in "
        f"per cent, means over the tasks that a group serves; {NOTHING}: never trained as a task set.",
        inputs.reduced,
    ]
    header = ["gains", "strategy", "group", "learned together", "served", "estimated gain", "test gain"]
    return Table("groups", f"{inputs.study.title}: the groups", data, header, body, 5, notes)
