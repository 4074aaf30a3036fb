"""A network on fingerprints as a graph that reads bits alone: it says what `predict` says."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

import relatask
from relatask.core.errors import RelataskError
from relatask.models.ensemble_folder import write_ensemble
from relatask.models.export import export_onnx, graph_of
from tests.helpers.prepared_dataset import make_spec
from tests.models.molecule_data import train, write_molecules

SPECS = {
    "shared_bottom": make_spec(),
    "single_task": make_spec("single_task", "fingerprint_mlp"),
    "mmoe": make_spec("mmoe", "fingerprint_mlp"),
    "gin": make_spec("shared_bottom", "gin"),
    "random_forest": make_spec("random_forest", None),
}
SMILES = ["CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name -> folder of a trained model; `ensemble` has two members."""
    results = tmp_path_factory.mktemp("export")
    write_molecules(results / "small")
    study = train(results, list(SPECS.values()))
    found = {name: study / "runs" / spec.run_id / "model" for name, spec in SPECS.items()}
    found["ensemble"] = results / "ensemble"
    write_ensemble(found["ensemble"], [found["shared_bottom"], found["mmoe"]], {})
    return found


@pytest.fixture(scope="module")
def bits() -> torch.Tensor:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    found = [generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(text)) for text in SMILES]
    return torch.from_numpy(np.array(found, np.float32))


@pytest.mark.parametrize("name", ["shared_bottom", "single_task", "mmoe"])
def test_a_graph_gives_the_predictions(folders: dict[str, Path], bits: torch.Tensor, name: str) -> None:
    model = relatask.load(str(folders[name]))
    expected = model.predict(SMILES)[model.task_ids].to_numpy()
    with torch.no_grad():
        found = graph_of(model).eval()(bits).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_of_an_ensemble_it_gives_mean_and_spread(folders: dict[str, Path], bits: torch.Tensor) -> None:
    model = relatask.load(str(folders["ensemble"]))
    expected = model.predict(SMILES)
    with torch.no_grad():
        mean, spread = (found.numpy() for found in graph_of(model).eval()(bits))
    np.testing.assert_allclose(mean, expected[model.task_ids], atol=1e-6)
    np.testing.assert_allclose(spread, expected[[f"{task}_unc" for task in model.task_ids]], atol=1e-6)
    assert spread.min() > 0


@pytest.mark.parametrize(
    ("name", "message"),
    [("gin", "reads graph, not fingerprints alone"), ("random_forest", "is no network alone")],
)
def test_what_is_no_network_on_fingerprints_is_refused(
    folders: dict[str, Path], tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(RelataskError, match=message):
        export_onnx(relatask.load(str(folders[name])), tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_the_file_is_read_by_onnxruntime(
    folders: dict[str, Path], bits: torch.Tensor, tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript", reason="pip install relatask[onnx]")
    runtime = pytest.importorskip("onnxruntime", reason="pip install relatask[onnx]")
    model = relatask.load(str(folders["ensemble"]))
    export_onnx(model, tmp_path / "out.onnx")
    session = runtime.InferenceSession(str(tmp_path / "out.onnx"))
    mean, spread = session.run(["predictions", "spread"], {"bits": bits.numpy()})
    expected = model.predict(SMILES)
    np.testing.assert_allclose(mean, expected[model.task_ids], atol=1e-5)
    np.testing.assert_allclose(spread, expected[[f"{task}_unc" for task in model.task_ids]], atol=1e-5)
    facts = session.get_modelmeta().custom_metadata_map
    assert [task["task_id"] for task in json.loads(facts["tasks"])] == model.task_ids
    assert json.loads(facts["fingerprint"]) == {"kind": "morgan", "radius": 2, "bits": 2048}
