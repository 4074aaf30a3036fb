"""A panel for each split of a data set, in which each row of the study has its look."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from relatask.publishing import figure_data, style
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SplitPanels:
    """Panels side by side.

    Attributes:
        figure: that holds them.
        axes: of each split, by its name, in the order of the study.
        looks: of each row.
    """

    figure: "Figure"
    axes: "dict[str, Axes]"
    looks: dict[str, style.Look]

    def finish(self, title: str, note: str) -> None:
        """Add titles and the legend."""
        for split, axes in self.axes.items():
            axes.set_title(f"{split} split")
        style.heading(self.figure, title, note, style.legend_of(self.axes.values()))


def split_panels(inputs: Inputs, drawn: pd.DataFrame, height: float, share_y: bool = True) -> SplitPanels:
    """Return empty panels for the splits that a figure's table names, in its order.

    Args:
        inputs: of the figure.
        drawn: its table, with a column `split`.
        height: inches.
        share_y: whether the panels have one scale.
    """
    splits = list(dict.fromkeys(drawn["split"]))
    figure = style.new_figure(1.0 + 3.8 * len(splits), height)
    panels = figure.subplots(1, len(splits), squeeze=False, sharey=share_y)[0]
    looks = style.looks(figure_data.methods_of(inputs.plan, inputs.baseline), inputs.baseline)
    return SplitPanels(figure, dict(zip(splits, panels, strict=True)), looks)


def rows_of(inputs: Inputs) -> "Iterator[tuple[str, str]]":
    """Yield each split with each row of the study, as the tables of these figures have them."""
    for split in inputs.study.splits.schemes:
        for method in inputs.methods:
            yield split, method
