"""Histograms as step lines: what two figures of task groups share (MTG-Net, figure 2, right columns)."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.publishing import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 41
TAIL = 0.005  # of the values lie beyond each end of an axis, and count in its last bin


def shares(values: dict[str, np.ndarray]) -> pd.DataFrame:
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


def plot(drawn: pd.DataFrame, by: str, value: str, label: str, title: str) -> "Figure":
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
