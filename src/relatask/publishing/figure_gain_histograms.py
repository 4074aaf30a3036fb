"""Figures `estimation_errors` and `gain_distribution`: the right two columns of MTG-Net's figure 2."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.publishing import style
from relatask.publishing.figure_grouping_performance import every_strategy
from relatask.publishing.grouping_inputs import Collection, name_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 41
TAIL = 0.005  # of the values lie beyond each end of an axis, and count in its last bin


def errors_table(collection: Collection) -> pd.DataFrame:
    """Return table `figure_estimation_errors`: shares of estimate - gain on sets that were not trained.

    The oracle has no error, and TAG's affinities have a scale of their own; both are left out.
    """
    strategies = {strategy.label: strategy for strategy in collection.strategies}
    values = {}
    for row, by_seed in collection.estimates.items():
        strategy, rounds = (
            strategies[row[0]],
            sorted(k or 0 for label, k in collection.estimates if label == row[0]),
        )
        if strategy.estimator in {"oracle", "tag"} or not every_strategy(strategy, row, rounds):
            continue
        errors = [
            (estimate.table - collection.gains.valid)[collection.judged(estimate)]
            for estimate in by_seed.values()
        ]
        values[name_of(row)] = np.concatenate(errors)
    return _shares(values).rename(columns={"name": "row", "value": "error"})


def gains_table(collection: Collection) -> pd.DataFrame:
    """Return table `figure_gain_distribution`: shares of gains of tasks in sets of two or more."""
    gains = collection.gains
    cells = gains.sets & (gains.sizes > 1)[:, None]
    values = {"validation": gains.valid[cells], "test": gains.test[cells]}
    return _shares(values).rename(columns={"name": "fold", "value": "gain"})


def _shares(values: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return shares of `values` in common bins: columns name, value (middle of the bin), share."""
    both = np.concatenate(list(values.values()))
    low, high = np.quantile(both, [TAIL, 1 - TAIL])
    edges = np.linspace(low, max(high, low + 1e-6), BINS)
    middle = (edges[1:] + edges[:-1]) / 2
    parts = []
    for name, own in values.items():
        counts, _ = np.histogram(own.clip(edges[0], edges[-1]), edges)
        parts.append(pd.DataFrame({"name": name, "value": middle, "share": counts / max(len(own), 1)}))
    return pd.concat(parts, ignore_index=True)


def draw(drawn: pd.DataFrame, by: str, value: str, label: str, title: str) -> "Figure":
    """Draw a step line per name in column `by` over the values in column `value`."""
    figure = style.new_figure(5.6, 3.6)
    axes = figure.subplots()
    names = list(dict.fromkeys(drawn[by]))
    for name, look in style.looks(names, names[0]).items():
        rows = drawn[drawn[by] == name]
        axes.step(100 * rows[value], 100 * rows["share"], where="mid", color=look.colour, lw=1.3, label=name)
    axes.axvline(0.0, color=style.GREY, lw=0.8, ls=":")
    axes.set_xlabel(label)
    axes.set_ylabel("share (%)")
    axes.grid(axis="y", color=style.FAINT, linewidth=0.7)
    note = "The last bin at either end also holds what lies beyond it, at most one value in a hundred."
    style.heading(figure, title, note, style.legend_of([axes]))
    return figure
