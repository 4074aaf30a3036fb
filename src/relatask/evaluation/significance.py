"""Is a method better than another? Paired tests, corrected p values and intervals.

The unit is the task. Runs of different seeds share the data set and overlap in their training molecules,
so the differences of one task under three seeds are three looks at one thing: counted as three pairs
they would triple the sample without new information, and the p value would claim far more certainty than
there is (it would speak about these tasks under more seeds, not about tasks). Each task therefore gives
one difference, the mean over its seeds. Tasks are taken as exchangeable; tasks that share molecules or
proteins are not fully independent, so even these p values are best read as a screen.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap, wilcoxon
from statsmodels.stats.multitest import multipletests

from relatask.evaluation.aggregate import differences

MIN_PAIRS = 6  # with 5 pairs the smallest two-sided p value of the signed-rank test is 0.0625
RESAMPLES = 9_999
FAMILY = ["dataset", "split", "metric"]


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval (BCa, Efron 1987) of the mean of `values`, one per task.

    The random stream is fixed, so equal values give equal intervals.
    """
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=max(1, 1_000_000 // len(values)),
        rng=np.random.default_rng(0),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def paired_test(values: np.ndarray) -> dict[str, float | str | None]:
    """Wilcoxon's signed-rank test that the differences `values`, one per task, are symmetric around 0.

    Returns:
        ci_low, ci_high, statistic, p_value and, where there are too few pairs for a test, the reason.
        Zero differences say nothing about the direction and do not count as pairs of the test.
    """
    result: dict[str, float | str | None] = dict.fromkeys(
        ["ci_low", "ci_high", "statistic", "p_value", "reason"]
    )
    if len(values) < MIN_PAIRS:
        return {**result, "reason": f"only {len(values)} tasks, at least {MIN_PAIRS} are needed"}
    result["ci_low"], result["ci_high"] = interval(values)
    if (n_changed := np.count_nonzero(values)) < MIN_PAIRS:
        return {**result, "reason": f"only {n_changed} tasks differ, at least {MIN_PAIRS} are needed"}
    test = wilcoxon(values)
    return {**result, "statistic": float(test.statistic), "p_value": float(test.pvalue)}


def holm(p_values: pd.Series) -> pd.Series:
    """Return Holm-corrected p values (Holm 1979); undefined ones stay undefined and do not count."""
    corrected = pd.Series(np.nan, index=p_values.index)
    defined = p_values.notna()
    if defined.any():
        corrected[defined] = multipletests(p_values[defined], method="holm")[1]
    return corrected


def compare(
    cells: pd.DataFrame, baseline: str, contrasts: Sequence[tuple[str, str]] = (), fold: str = "test"
) -> pd.DataFrame:
    """Return the `comparisons` table: every method against `baseline` on one fold, and the `contrasts`.

    Args:
        cells: as `aggregate.join_plan` returns.
        baseline: label of the method to compare with.
        contrasts: further pairs (method, other).
        fold: the fold to compare on.

    A positive `mean_difference` means a higher value, which is worse for metrics where lower is better.
    Holm's correction runs over all comparisons of one (data set, split, metric).
    """
    chosen = cells[cells["fold"] == fold]
    methods = [name for name in chosen["method"].unique() if name != baseline]
    rows = _against(chosen, baseline, methods)
    for method, other in contrasts:
        rows += _against(chosen, other, [method])
    columns = [*FAMILY, "method", "baseline", "n_pairs", "n_cells", "mean_difference", "ci_low", "ci_high"]
    table = pd.DataFrame(rows, columns=[*columns, "statistic", "p_value", "reason"])
    table["p_value"] = table["p_value"].astype(float)
    table["p_holm"] = table.groupby(FAMILY)["p_value"].transform(holm) if len(table) else []
    order = table["baseline"].map({name: place for place, name in enumerate(table["baseline"].unique())})
    return table.assign(order=order).sort_values([*FAMILY, "order", "method"], ignore_index=True)


def _against(cells: pd.DataFrame, baseline: str, methods: Sequence[str]) -> list[dict[Any, Any]]:
    """Rows of the comparisons of some methods with one."""
    chosen = cells[cells["method"].isin([baseline, *methods])]
    key = [*FAMILY, "method"]
    found = differences(chosen, baseline).reset_index()
    per_task = found.groupby([*key, "task_id"], observed=True)["difference"].agg(["mean", "size"])
    by_method = dict(list(per_task.groupby(key, observed=True)))
    rows: list[dict[Any, Any]] = []
    for names in chosen[key].drop_duplicates().to_dict("records"):
        if names["method"] == baseline:
            continue
        own = by_method.get(tuple(names.values()), per_task.iloc[:0]).sort_index()
        values = own["mean"].to_numpy()
        rows.append(
            {
                **names,
                "baseline": baseline,
                "n_pairs": len(values),
                "n_cells": own["size"].sum(),
                "mean_difference": values.mean() if len(values) else None,
                **paired_test(values),
            }
        )
    return rows
