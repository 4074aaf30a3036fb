"""What embeddings tell of levels that they were not trained for, as a figure."""

from pathlib import Path

import pytest

from relatask.core.outputs import figures
from relatask.core.tables import write_table
from relatask.publishing import style
from relatask.publishing.figures import level_transfer
from tests.helpers.level_study import ROWS, level_inputs, level_value


def test_the_figure_shows_levels_that_a_row_never_trained(tmp_path: Path) -> None:
    inputs = level_inputs(tmp_path, lambda label, _, task: level_value(label, 0, task))
    drawn, figure = level_transfer.draw(inputs.restricted(figures()["level_transfer"]), "toy")
    shown = [f"{row.method}: {row.trained} > {row.level}" for row in drawn.itertuples()]
    assert shown == [
        "Cl_graph: GC > node",
        "Cl_graph: GC > pair",
        "Cl_node: NC > graph",
        "Cl_node: NC > pair",
        "Cl_pair: LP > graph",
        "Cl_pair: LP > node",
        "iSAME_node: NC > graph",
        "iSAME_node: NC > pair",
        "Cl_both: GC+NC > pair",
        "Attributes:  > graph",
        "Attributes:  > node",
        "Attributes:  > pair",
    ]
    change = drawn.set_index(["method", "level"])["mean"]
    assert change["Cl_node", "graph"] == pytest.approx(-100 / 3)
    assert change["Cl_both", "pair"] == pytest.approx(-10)
    assert change["Attributes", "node"] == pytest.approx(-20)
    with style.styled():
        (axes,) = figure.axes
        assert axes.get_yticklabels()[2].get_text() == "Cl_node: NC → GC"
        style.save(figure, tmp_path / "transfer")
    write_table("figure_level_transfer", drawn, tmp_path / "transfer.parquet")


def test_where_nothing_is_left_out_the_figure_says_so(tmp_path: Path) -> None:
    drawn, figure = level_transfer.draw(level_inputs(tmp_path, level_value, ROWS[:1]), "toy")
    assert drawn.empty
    assert not figure.axes
    write_table("figure_level_transfer", drawn, tmp_path / "transfer.parquet")


def test_what_has_no_single_task_row_is_named(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row["label"] != "Cl_pair"]
    drawn, figure = level_transfer.draw(level_inputs(tmp_path, level_value, rows), "toy")
    assert set(drawn["level"]) == {"graph", "node"}
    assert "Cl_graph: links, Cl_node: links, Attributes: links" in " ".join(
        text.get_text().replace("\n", " ") for text in figure.texts
    )
