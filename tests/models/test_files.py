"""Files of models: the same bytes for the same training, and whatever is not what it should be is refused."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save
from skops.io import dumps

import relatask
from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.engine.loops.estimator import packed, unpacked
from relatask.methods.gradient_boosting import build
from relatask.models import loading
from tests.helpers.prepared_dataset import make_spec
from tests.models.molecule_data import train, write_molecules

SPECS = {
    "random_forest": make_spec("random_forest", None),
    "gradient_boosting": make_spec("gradient_boosting", None),
    "single_task": make_spec("single_task", "fingerprint_mlp"),
    "shared_bottom": make_spec(),
    "metalink": make_spec("metalink"),
    "label_mean": make_spec("label_mean", None),
    "ensemble": make_spec(ensemble=2),
}
TRAIN = """
import sys
from pathlib import Path
from tests.models.test_files import SPECS, train
train(Path(sys.argv[1]), list(SPECS.values()))
"""


def files_of(study: Path, name: str) -> dict[str, bytes]:
    folder = study / "runs" / SPECS[name].run_id / "model"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study whose runs are trained."""
    results = tmp_path_factory.mktemp("files")
    write_molecules(results / "small")
    return train(results, list(SPECS.values()))


@pytest.fixture(scope="module")
def again(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, trained on the same data by a process with other addresses, hashes and dates."""
    results = tmp_path_factory.mktemp("again")
    shutil.copytree(study.parent / "small", results / "small")
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", TRAIN, str(results)], check=True, env=environment)
    return results / "study"


@pytest.mark.parametrize("name", SPECS)
def test_two_trainings_write_the_same_bytes(study: Path, again: Path, name: str) -> None:
    first, second = files_of(study, name), files_of(again, name)
    assert first.keys() == second.keys()
    assert [file for file in first if first[file] != second[file]] == []
    assert any(file.endswith((".skops", ".safetensors")) for file in first)


def test_the_page_names_every_file_of_a_model(study: Path, root: Path) -> None:
    page = (root / "docs" / "models.md").read_text(encoding="utf-8")
    for name in SPECS:
        for file in files_of(study, name):
            first = file.split("/")[0] + "/" if file.startswith(("members/", "prior/")) else file
            assert first.replace("00001", "00000").replace("00002", "00000") in page, file


def copied(study: Path, name: str, out: Path) -> Path:
    """A copy of a run's model, to be changed."""
    return Path(shutil.copytree(study / "runs" / SPECS[name].run_id / "model", out / "model"))


def forge(folder: Path, name: str, content: bytes) -> None:
    """Put another file into a model, with its digest in model.json: what a stranger could do."""
    (folder / name).write_bytes(content)
    record = read_json(folder / "model.json")
    files = {**record["files"], name: hashlib.sha256(content).hexdigest()}
    write_json(folder / "model.json", {**record, "files": files})


def naming(name: str) -> bytes:
    """A file of skops that names any object of any module."""
    module, _, own = name.rpartition(".")
    keys = {
        "__class__": "list",
        "__module__": "builtins",
        "__loader__": "ListNode",
        "content": [],
        "__id__": 3,
    }
    state = {
        "__class__": "dict",
        "__module__": "builtins",
        "__loader__": "DictNode",
        "content": {},
        "__id__": 2,
    }
    schema = {"__class__": own, "__module__": module, "__loader__": "ObjectNode", "__id__": 1}
    versions = {"protocol": 2, "_skops_version": "0.11"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        content = {**schema, "content": {**state, "key_types": keys}, **versions}
        archive.writestr("schema.json", json.dumps(content))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            naming("os.system"),
            r"the estimator of .* task task0 holds .*system, which no method makes; do not",
        ),
        (naming("builtins.eval"), r"task task0 holds builtins\.eval, which no method makes; do not trust"),
        (
            naming("relatask.methods.gradient_boosting.build"),
            r"holds relatask\.methods.*build, which no method",
        ),
        (
            dumps([1, 2]),
            r"the estimator of .* task task0 holds a list, which is none; do not trust the model",
        ),
        (b"no archive", r"the estimator of .* task task0 is damaged \(.*\); get the model anew, or train"),
        (b"", r"the estimator of .* task task0 is damaged"),
    ],
)
def test_an_estimator_that_could_run_code_or_is_none_is_refused(
    study: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    folder = copied(study, "random_forest", tmp_path)
    forge(folder, "estimators/00000.skops", content)
    with pytest.raises(RelataskError, match=message):
        relatask.load(str(folder)).predict(["CCO"])


def test_an_estimator_of_a_method_is_read_as_it_was_written() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (40, 30)).astype(np.uint8)
    model = build(0, 5, 0.1, 31, 2).fit(bits, bits[:, 3])
    found = unpacked(packed(model), "the estimator")
    np.testing.assert_array_equal(found.predict_proba(bits), model.predict_proba(bits))


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("shared_bottom", "weights.safetensors", b"\xff" * 64, r"weights\.safetensors holds no tensors"),
        ("shared_bottom", "weights.safetensors", save({"a": torch.ones(2)}), "does not fit its network"),
        (
            "single_task",
            "weights.safetensors",
            save({"x/a": torch.ones(2)}),
            "has weights of 'x', no task of",
        ),
        ("single_task", "weights.safetensors", save({"task0/a": torch.ones(2)}), "does not fit its network"),
        (
            "label_mean",
            "weights.safetensors",
            save({"a": torch.ones(2)}),
            r"the weights of .* lack '\w+'; get",
        ),
        ("metalink", "support.safetensors", save({"a": torch.ones(2)}), r"support\.parquet are damaged"),
        ("metalink", "support.parquet", b"no table", r"support\.parquet are damaged"),
    ],
)
def test_weights_of_something_else_are_refused(
    study: Path, tmp_path: Path, name: str, file: str, content: bytes, message: str
) -> None:
    folder = copied(study, name, tmp_path)
    forge(folder, file, content)
    with pytest.raises(RelataskError, match=message):
        relatask.load(str(folder)).predict(["CCO"])


def test_weights_of_another_size_are_refused(study: Path, tmp_path: Path) -> None:
    folder = copied(study, "shared_bottom", tmp_path)
    found = load_file(folder / "weights.safetensors")
    forge(folder, "weights.safetensors", save({name: one[:1].contiguous() for name, one in found.items()}))
    with pytest.raises(RelataskError, match="does not fit its network"):
        relatask.load(str(folder)).predict(["CCO"])


@pytest.mark.parametrize("name", ["..", "../other", "/tmp", ".", "members/../../x"])
def test_a_model_whose_parts_lie_elsewhere_is_refused(study: Path, tmp_path: Path, name: str) -> None:
    folder = copied(study, "ensemble", tmp_path)
    record = read_json(folder / "model.json")
    write_json(folder / "model.json", {**record, "members": [{"folder": name, "serves": None}]})
    with pytest.raises(RelataskError, match="which is no part of its folder; do not trust it"):
        relatask.load(str(folder))


def test_a_support_of_other_tasks_is_refused(study: Path, tmp_path: Path) -> None:
    folder = copied(study, "metalink", tmp_path)
    found = load_file(folder / "support.safetensors")
    forge(folder, "support.safetensors", save({**found, "labels": found["labels"][:, :2].contiguous()}))
    n_items = len(pd.read_parquet(folder / "support.parquet"))
    with pytest.raises(RelataskError, match=rf"labels \[{n_items}, 2\] for {n_items} items and 3 tasks"):
        relatask.load(str(folder))


def test_a_model_that_lies_in_another_runs_entry_is_refused(study: Path, tmp_path: Path) -> None:
    """As after two folders were swapped: its own files are whole."""
    runs = Path(shutil.copytree(study / "runs", tmp_path / "runs"))
    one, other = (runs / SPECS[name].run_id / "model" for name in ("random_forest", "shared_bottom"))
    relatask.load(one)
    shutil.rmtree(one)
    shutil.copytree(other, one)
    with pytest.raises(RelataskError, match=rf"{one} is not the model that run {one.parent.name} wrote"):
        relatask.load(one.parent)
    assert relatask.load(shutil.copytree(other, tmp_path / "elsewhere"))


def test_code_that_changed_since_the_training_is_told(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = study / "runs" / SPECS["shared_bottom"].run_id
    relatask.load(folder)
    assert caplog.messages == []
    monkeypatch.setattr(loading, "code_of_run", lambda *names: "another")
    relatask.load(folder)
    (said,) = caplog.messages
    assert "the code of shared_bottom changed since the model was trained" in said
