"""The target `predict`: a file scattered over jobs, and joined to what one process writes."""

from pathlib import Path

import pandas as pd

from relatask.__main__ import main
from relatask.predicting.rows import ROWS
from tests.helpers.prepared_dataset import make_spec
from tests.helpers.workflow import run_snakemake
from tests.models.molecule_data import train, write_molecules


def test_a_file_is_predicted_by_several_jobs_as_by_one_process(tmp_path: Path) -> None:
    spec = make_spec("label_mean", None)
    write_molecules(tmp_path / "models" / "small")
    model = train(tmp_path / "models", [spec]) / "runs" / spec.run_id
    file = tmp_path / "new compounds.csv"
    pd.DataFrame({"smiles": ["CCO", "no", "CCN"], "id": [1, 2, 3]}).sample(
        ROWS + 3, replace=True, random_state=0
    ).to_csv(file, index=False)
    known = tmp_path / "known.csv"
    known.write_text("smiles,task1\nCCO,1\n")
    settings = ["--config", f"model={model}", f"input={file}", f"known={known}", "parts=3"]
    done = run_snakemake(tmp_path, "predict", *settings)
    out = tmp_path / "results" / "predictions" / "new_compounds.csv"
    assert f"Done. Predictions: {out.relative_to(tmp_path)}" in done.stdout + done.stderr
    expected = tmp_path / "expected.csv"
    assert main(["predict", str(model), str(file), "-o", str(expected), "--known", str(known)]) == 0
    assert ",1," in expected.read_text()
    assert out.read_bytes() == expected.read_bytes()
    again = run_snakemake(tmp_path, "predict", *settings)
    assert "Nothing to be done" in again.stdout + again.stderr
