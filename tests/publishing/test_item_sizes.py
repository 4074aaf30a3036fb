"""How large graphs and texts are, beside what the paper prints."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.config import StudyConfig, table_names
from relatask.core.files import write_json
from relatask.core.tables import write_table
from relatask.publishing.inputs import Inputs
from relatask.publishing.published_values import read_published
from relatask.publishing.tables import item_sizes
from tests.helpers.data_tables import items_table, write_records
from tests.helpers.study_tables import make_inputs, study_of


def inputs(folder: Path, root: Path, items: pd.DataFrame, published: str, bonds: int | None = None) -> Inputs:
    study = study_of() | {"paper": "l2t_mitten"}
    study["datasets"]["toy"]["published"] = published
    sheet = read_published(root / "config" / "published.csv")
    found = make_inputs(folder, study=study, published=sheet)
    write_table("items", items, folder / "study" / "data" / "toy" / "items.parquet")
    write_json(
        folder / "study" / "data" / "toy" / "features" / "features.json",
        {} if bonds is None else {"directed_bonds": bonds},
    )
    write_records(folder / "study" / "data" / "toy")
    return found


def cells(table: item_sizes.Table) -> dict[str, str]:
    (row,) = table.rows
    return dict(zip(table.header, row, strict=True))


def test_molecules_have_the_mean_of_their_atoms_and_bonds(tmp_path, root) -> None:
    items = items_table(range(4), n_heavy_atoms=[3, 4, 6, 7])
    table = item_sizes.make(inputs(tmp_path, root, items, "Tox21", bonds=36))
    assert cells(table) == {
        **{"data set": "toy", "molecules": "4", "tasks": "7", "nodes (mean)": "5", "edges": "4.5"},
        **{"published items": "8,014", "published tasks": "12", "published nodes": "18"},
        "published edges": "48",
    }


def test_one_graph_has_all_edges_each_once_whoever_lists_them(tmp_path, root) -> None:
    neighbours = [[1, 2], [0], [2], []]  # 0-1 is listed twice, and 2 is no neighbour of itself
    items = items_table(range(4), "node", neighbours=[np.array(own, np.int32) for own in neighbours])
    found = cells(item_sizes.make(inputs(tmp_path, root, items, "BlogCatalog")))
    assert (found["edges"], found["published edges"], found["published items"]) == ("2", "333,983", "10,312")
    assert "nodes (mean)" not in found


def test_texts_have_the_mean_of_their_words(tmp_path, root) -> None:
    items = items_table(range(2), "text", text=["a man  and\na dog", "rain"])
    found = cells(item_sizes.make(inputs(tmp_path, root, items, "TMDb")))
    assert (found["words (mean)"], found["published words"], found["published items"]) == ("3", "59", "8,014")


def test_a_data_set_without_a_size_that_another_has_leaves_its_cell_empty(tmp_path) -> None:
    found = make_inputs(tmp_path, study=study_of(datasets=["toy", "bare"]) | {"paper": "l2t_mitten"})
    sized = {"toy": items_table(range(2), n_heavy_atoms=[3, 4]), "bare": items_table([0], "x")}
    for name, items in sized.items():
        folder = tmp_path / "study" / "data" / name
        write_table("items", items, folder / "items.parquet")
        write_json(folder / "features" / "features.json", {})
        write_records(folder)
    table = item_sizes.make(found)
    assert [row[table.header.index("nodes (mean)")] for row in table.rows] == ["3.5", "–"]


@pytest.mark.parametrize(("paper", "there"), [("l2t_mitten", True), ("metalink", False), (None, False)])
def test_only_a_study_of_the_paper_that_prints_sizes_has_the_table(paper, there) -> None:
    study = study_of()
    study["methods"] = [{"label": "STL", "method": "single_task", "encoder": "gin"}]
    names = table_names(StudyConfig.model_validate({**study, "paper": paper}))
    assert ("item_sizes" in names) == there
