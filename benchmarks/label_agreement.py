"""Whether the labels of related tasks agree more than those of others: what a relation graph has to offer.

For each pair of tasks that share 30 labelled molecules, the correlation of their labels; then its mean over
related and other pairs, and how often that of a related pair is the higher one (0.5: the graph says nothing).

  python -m benchmarks.label_agreement results/kiba_t50 results/kiba_t100
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

LEAST = 30  # molecules with a label of both tasks


def agreement(folder: Path) -> str:
    """One row of the table, for the data set in a folder."""
    labels = pd.read_parquet(folder / "labels.parquet")
    relations = pd.read_parquet(folder / "relations.parquet")
    table = labels.pivot_table(index="item_id", columns="task_id", values="value", observed=True)
    correlation = table.corr(min_periods=LEAST)
    place = {task: number for number, task in enumerate(correlation.columns)}
    related = np.zeros(correlation.shape, bool)
    ends = [relations[name].map(place).to_numpy() for name in ("task_i", "task_j")]
    related[ends[0], ends[1]] = related[ends[1], ends[0]] = True
    pairs = np.triu_indices(len(place), 1)
    values, is_related = correlation.to_numpy()[pairs], related[pairs]
    known = ~np.isnan(values)
    one, other = values[known & is_related], values[known & ~is_related]
    test = mannwhitneyu(one, other)
    share = test.statistic / (len(one) * len(other))
    means = f"{one.mean():.3f} | {other.mean():.3f}"
    return f"| {folder.name} | {len(one)} | {means} | {share:.3f} | {test.pvalue:.0e} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="of prepared data sets")
    print("| data set | related pairs | their correlation | of others | share higher | p |")
    print("|---|--:|--:|--:|--:|--:|")
    for folder in parser.parse_args().folders:
        print(agreement(folder))


if __name__ == "__main__":
    main()
