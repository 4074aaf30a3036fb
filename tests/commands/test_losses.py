"""What a study lost on the way to its labels is told after training, with the files that list it."""

import json
from pathlib import Path

from relatask.__main__ import main
from relatask.commands._losses import losses_of
from relatask.config import StudyAtScale, StudyConfig, parse
from relatask.core.files import write_text
from relatask.core.layout import dataset_folder, in_study, source_folder
from relatask.data.dataset import write_dataset

CELLS = """smiles,A,B,never
CCCO,active,>5,
CCCN,inactive,4,
not a molecule,active,n.d.,
CCCS,active,3,0
CCCO,inactive,>5,0
"""


def test_what_became_of_rows_cells_and_tasks_is_said_with_the_lists(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CELLS)
    block = {"reader": "table", "path": str(tmp_path / "a.csv"), "kinds": {"B": "real"}, "min_heavy_atoms": 1}
    study = {
        "title": "t",
        "sources": {"s": {**block, "min_weight": 0}},
        "datasets": {"d": {"source": "s"}},
        "splits": {"schemes": ["random"]},
        "methods": [{"label": "RF", "method": "random_forest"}],
        "baseline": "RF",
        "scales": {"quick": {"seeds": [0]}},
    }
    folder = tmp_path / "results" / "t"
    chosen = StudyAtScale("t", "quick", parse(StudyConfig, study, "study"))
    write_text(folder / in_study("study"), chosen.text())
    source = folder / source_folder("s")
    config = json.dumps(study["sources"]["s"])  # type: ignore[index]
    assert main(["prepare_items", "--source-config", config, "--name", "s", "--out-dir", str(source)]) == 0
    out = folder / dataset_folder("d")
    write_dataset(source, None, None, None, out)
    said = list(losses_of(folder))
    assert (
        said[0]
        == "d: cells read: 'n.d.' as not measured (1), 'active' as a label (3), 'inactive' as a label (2)."
    )
    assert said[1].startswith("d: 5 rows -> 3 molecules (1 rejected: 1 x not a valid SMILES; 1 merged with")
    assert "2 in conflict in 1 cells" in said[1]
    lists = ", ".join(str(out / f"{name}.csv") for name in ("rejected", "conflicts", "rejected_tasks"))
    assert said[2].startswith("d: 1 task is left out: never (")
    assert said[-1] == f"d: listed one by one in {lists}; rows count from 1, without a header."
    assert all(Path(path).is_file() for path in lists.split(", "))
