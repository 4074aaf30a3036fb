"""Test gain by budget, a line for each strategy: what three figures of task groups share."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from relatask.config import StrategyConfig
from relatask.evaluation.spread import over_seeds
from relatask.publishing import style
from relatask.publishing.collection import Collection, Row, name_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Chosen = Callable[
    [StrategyConfig, Row, list[int]], bool
]  # strategy, row, all its rounds -> whether to draw it


def every_strategy(strategy: StrategyConfig, row: Row, rounds: list[int]) -> bool:
    """Strategies of figure 2: MTG-Net with active selection for the least and the greatest K."""
    return row[1] is None or (strategy.selection == "active" and row[1] in {rounds[0], rounds[-1]})


def table(collection: Collection, chosen: Chosen) -> pd.DataFrame:
    """Return what such a figure shows: a row per line and budget."""
    strategies = {strategy.label: strategy for strategy in collection.strategies}
    rows = list(collection.rows())
    rounds: dict[str, list[int]] = {}
    for (label, number), _ in rows:
        rounds.setdefault(label, []).extend([] if number is None else [number])
    found = []
    for row, groupings in rows:
        if not chosen(strategies[row[0]], row, sorted(rounds[row[0]])):
            continue
        for budget, own in groupings.groupby("budget"):
            mean, std = over_seeds(100 * own["test_gain"])
            line = {"row": name_of(row), "budget": budget, "mean": mean, "std": std, "n_seeds": len(own)}
            found.append(line)
    return pd.DataFrame(found)


def plot(drawn: pd.DataFrame, title: str) -> "Figure":
    """Draw a line per strategy, with a band of one standard deviation over seeds."""
    figure = style.new_figure(6.4, 4.2)
    axes = figure.subplots()
    names = list(dict.fromkeys(drawn["row"]))
    for name, look in style.looks(names, names[0]).items():
        rows = drawn[drawn["row"] == name].sort_values("budget")
        axes.plot(
            rows["budget"], rows["mean"], color=look.colour, marker=look.marker, ms=4, lw=1.3, label=name
        )
        spread = rows["std"].fillna(0.0).astype(float)
        if spread.any():
            low, high = rows["mean"] - spread, rows["mean"] + spread
            axes.fill_between(rows["budget"], low, high, color=look.colour, alpha=0.15, linewidth=0)
    axes.axhline(0.0, color=style.GREY, lw=0.8, ls=":")
    axes.set_xlabel("budget: most groups")
    axes.set_ylabel("test gain (%), mean over tasks")
    axes.set_xticks(sorted(set(drawn["budget"])))
    axes.grid(axis="y", color=style.FAINT, linewidth=0.7)
    note = "Lines: mean over seeds; bands: ± one standard deviation over seeds; dotted: each task alone."
    style.heading(figure, title, note, style.legend_of([axes]))
    return figure
