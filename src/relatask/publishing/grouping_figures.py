"""Which figures a study of task groups has, and how all are drawn."""

import logging
from collections.abc import Sequence
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.tables import write_table
from relatask.publishing import figure_encodings, style
from relatask.publishing import figure_gain_histograms as histograms
from relatask.publishing import figure_grouping_performance as performance
from relatask.publishing.grouping_inputs import GroupingInputs

# kind -> (which rows, title); all three are drawn alike
PERFORMANCE: dict[str, tuple[performance.Chosen, str]] = {
    "grouping_performance": (performance.every_strategy, "Gain of the chosen groups on {}"),
    "grouping_rounds": (
        performance.every_round,
        "Gain of the chosen groups on {}, by rounds K of active selection",
    ),
    "grouping_selection": (performance.every_selection, "Active against random selection on {}"),
}


def draw_grouping_figures(inputs: GroupingInputs, names: Sequence[str], out_dir: Path) -> None:
    """Draw each figure of `names` into `out_dir`: png, svg, and the table that was drawn as parquet.

    Raises:
        RelataskError: a name is none of a figure or of a collection.
    """
    collections = {collection.name: collection for collection in inputs.collections}
    for name in names:
        kind, _, of = name.partition("-")
        if of not in collections:
            raise RelataskError(f"--figures: there is no collection {of!r}, only {', '.join(collections)}.")
        collection = collections[of]
        with style.styled():
            if kind in PERFORMANCE:
                chosen, title = PERFORMANCE[kind]
                table = performance.table(collection, chosen)
                figure = performance.draw(table, title.format(of))
                write_table("figure_grouping_performance", table, out_dir / f"{name}.parquet")
            elif kind == "estimation_errors":
                table = histograms.errors_table(collection)
                label, title = "estimated − true gain (%)", f"Errors of estimated gains on {of}"
                figure = histograms.draw(table, "row", "error", label, title)
                write_table("figure_estimation_errors", table, out_dir / f"{name}.parquet")
            elif kind == "gain_distribution":
                table = histograms.gains_table(collection)
                figure = histograms.draw(table, "fold", "gain", "gain (%)", f"Gains of tasks on {of}")
                write_table("figure_gain_distribution", table, out_dir / f"{name}.parquet")
            elif kind == "encodings":
                table = collection.encodings
                figure = figure_encodings.draw(table, of)
                write_table("figure_encodings", table, out_dir / f"{name}.parquet")
            else:
                raise RelataskError(f"--figures: there is no figure {kind!r} of task groups.")
            style.save(figure, out_dir / name)
        logging.info("drew %s", out_dir / f"{name}.svg")
