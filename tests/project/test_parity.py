"""The comparing part of benchmarks/parity.py, on studies whose tables are written here."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import parity_studies
from benchmarks.parity import compare_studies
from benchmarks.parity_sides import names_of, resolve
from benchmarks.parity_studies import STUDIES, in_words_of, named_in, relations, without
from relatask.core.plugins import form_of, source_records
from relatask.core.registry import catalogue

SCORES = (0.25, 0.5, 0.75, 1.0)


def write_study(folder: Path, ids: str = "run", item: str = "item_id", labels: str = "AB") -> Path:
    """Tables of two runs, whose ids start with `ids`, and of two task sets."""
    (folder / "gains").mkdir(parents=True)
    runs = [f"{ids}{label}" for label in labels]
    plan = {"run_id": runs, "label": [*labels], "dataset": "d", "split": "random", "seed": 0}
    pd.DataFrame({**plan, "collection": None, "tasks": '"all"'}).to_parquet(folder / "plan.parquet")
    cells = {item: [0, 1, 0, 1], "task_id": ["t", "t", "u", "u"], "fold": "test"}
    cells |= {"label": [0.0, 1.0, 1.0, 0.0], "score": SCORES}
    predictions = pd.concat([pd.DataFrame({"run_id": run, **cells}) for run in runs])
    predictions = predictions.astype({"run_id": "category", "task_id": "category"})
    predictions.to_parquet(folder / "predictions.parquet")
    history = {"task_id": None, "epoch": [0, 1], "train_loss": 1.0, "valid_metric": [None, 0.5], "seconds": 1}
    pd.concat([pd.DataFrame({"run_id": run, **history}) for run in runs]).to_parquet(
        folder / "history.parquet"
    )
    sets = {"task_set_id": [f"{ids}1", f"{ids}1", f"{ids}2"], "task_id": ["t", "u", "t"], "seed": 0}
    sets |= {"fold": "test", "metric": "roc_auc", "alone": 0.5, "together": 0.5, "gain": [0.1, 0.2, None]}
    pd.DataFrame(sets).to_parquet(folder / "gains" / "two.parquet")
    return folder


def change(path: Path, place: int, column: str, value: object) -> None:
    """Set one cell of a table."""
    frame = pd.read_parquet(path)
    frame.iloc[place, frame.columns.get_loc(column)] = value
    frame.to_parquet(path)


def differing(a: Path, b: Path, tolerance: float = 0.0) -> dict[tuple[str, str], tuple[int, float]]:
    """Return (row, table) -> number of differing cells and their largest difference, where there are some."""
    found = compare_studies(a, b, tolerance).query("different > 0")
    return {(one.row, one.table): (one.different, one.largest) for one in found.itertuples()}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "a")


def test_equal_studies_have_no_difference_and_every_cell_counts(study: Path, tmp_path: Path) -> None:
    found = compare_studies(study, write_study(tmp_path / "b"))
    assert not found["different"].any()
    cells = found.groupby("table")["cells"].sum().to_dict()
    assert cells == {"runs": 2, "predictions": 2 * 4 * 2, "history": 2 * 2 * 2, "gains": 3 * 3}


def test_ids_and_names_of_columns_may_be_others(study: Path, tmp_path: Path) -> None:
    assert not differing(study, write_study(tmp_path / "b", ids="other", item="mol_id"))


def test_the_order_of_rows_and_what_was_measured_may_be_others(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "b")
    pd.read_parquet(other / "predictions.parquet").iloc[::-1].to_parquet(other / "predictions.parquet")
    change(other / "history.parquet", 0, "seconds", 7)
    assert not differing(study, other)


def test_one_cell_that_differs_is_found_with_its_row_and_size(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "b")
    change(other / "predictions.parquet", 5, "score", 0.5 + 1e-9)
    assert differing(study, other) == {("B", "predictions"): (1, pytest.approx(1e-9))}
    assert not differing(study, other, tolerance=1e-8)


def test_a_number_in_the_place_of_none_differs(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "b")
    change(other / "gains" / "two.parquet", 2, "gain", 0.0)
    assert differing(study, other, tolerance=1.0) == {("gains/two", "gains"): (1, float("inf"))}


@pytest.mark.parametrize("turned", [False, True])
def test_a_run_on_one_side_alone_differs_in_all_its_cells(study: Path, tmp_path: Path, turned: bool) -> None:
    sides = [study, write_study(tmp_path / "b", labels="A")]
    found = differing(*(reversed(sides) if turned else sides), tolerance=1.0)
    assert {name: number for name, (number, _) in found.items()} == {
        ("B", "runs"): 1,
        ("B", "predictions"): 8,
        ("B", "history"): 4,
    }


def test_a_table_on_one_side_alone_differs(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "b")
    (other / "gains" / "two.parquet").unlink()
    assert differing(study, other) == {("gains/two", "gains"): (9, float("inf"))}
    assert differing(other, study) == {("gains/two", "gains"): (9, float("inf"))}


@pytest.mark.parametrize(("kind", "key"), [("methods", "method"), ("encoders", "encoder")])
def test_every_method_and_encoder_is_trained(kind: str, key: str) -> None:
    rows = [row for make in STUDIES for row in make()["methods"]]
    forms = {form_of(name) for record in source_records().values() for name in record.inputs}
    known = {name for name, one in catalogue(kind).items() if {*one.inputs} & {*forms, "none"}}
    assert {row[key] for row in rows if key in row} == known  # others read what only added sources give


def test_rows_of_what_one_side_lacks_are_left_out_and_no_others() -> None:
    left = without(relations, {"pyg", "sgnn"})
    assert left.__name__ == "relations"
    whole, labels = relations()["methods"], [row["label"] for row in left()["methods"]]
    gone = {"MTL_PyG", "SGNN", "SGNN_GIN"}
    assert labels == [row["label"] for row in whole if row["label"] not in gone]
    assert named_in([relations]) - named_in([left]) == {"pyg", "sgnn"}
    assert "gin" in left()["scales"]["quick"]["encoders"]
    assert "gin" not in without(relations, {"gin"})()["scales"]["quick"]["encoders"]


@pytest.mark.parametrize("kind", ["methods", "encoders"])
def test_names_of_a_commit_and_of_the_working_tree_are_files_of_their_folders(kind: str, root: Path) -> None:
    assert names_of(resolve("."), kind) >= set(catalogue(kind))
    if (root / ".git").exists():
        known = {"methods": {"shared_bottom", "metalink"}, "encoders": {"gin", "fingerprint_mlp"}}
        assert known[kind] <= names_of(resolve("HEAD"), kind)


def test_every_balancing_is_trained() -> None:
    rows = [row for make in STUDIES for row in make()["methods"]]
    files = catalogue("balancing").keys()
    assert {row.get("balancing", "equal") for row in rows} == files


def test_a_side_gets_the_names_of_keys_that_it_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parity_studies.RENAMED, "methods", "rows")
    named = {}
    for side, key in {"old": "methods", "new": "rows"}.items():
        (tmp_path / side / "config").mkdir(parents=True)
        (tmp_path / side / "config" / "README.md").write_text(f"| `{key}` | text | – | rows |\n")
        named[side] = in_words_of(tmp_path / side, {"methods": [{"label": "A"}]})
    assert named == {"old": {"methods": [{"label": "A"}]}, "new": {"rows": [{"label": "A"}]}}
