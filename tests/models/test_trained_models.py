"""Every method is saved as a model that stands alone: elsewhere it predicts what its run predicted."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import relatask
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from tests.models.molecule_data import (
    MTL,
    SPECS,
    ask_elsewhere,
    predictions_of,
    pretend,
    train,
    write_molecules,
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    """Train all, move the models away, and ask them in another process about the test items of their runs."""
    results = tmp_path_factory.mktemp("trained") / "results"
    write_molecules(results / "small")
    study = train(results, [MTL, *(spec for spec in SPECS.values() if spec.run_id != MTL.run_id)])
    items = read_table("items", results / "small" / "items.parquet")
    away = {}
    for number, (name, spec) in enumerate(SPECS.items()):
        entry = study / "runs" / spec.run_id
        folder = tmp_path_factory.mktemp("away") / f"{number:03d}"
        shutil.copytree(entry / "model", folder / "model")
        asked = predictions_of(study, spec)["item_id"].unique()
        chosen = items[items["item_id"].isin(asked)][["item_id", "smiles"]].reset_index(drop=True)
        chosen.to_parquet(folder / "items.parquet")
        for number_of_pass, known in known_by_pass(entry, chosen).items():
            known.to_parquet(folder / f"known-{number_of_pass}.parquet")
        away[name] = folder
    hidden = results.rename(results.with_name("hidden"))
    ask_elsewhere(list(away.values()))
    return hidden / "study", away


def known_by_pass(entry: Path, items: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Pass -> what the run knew of the test items in it, as a user would give it."""
    nothing = pd.DataFrame(np.nan, index=range(len(items)), columns=[f"task{number}" for number in range(3)])
    if not (entry / "known_labels.parquet").exists():
        return {0: nothing}
    cells = read_table("known_labels", entry / "known_labels.parquet").astype({"task_id": str})
    cells = cells[cells["fold"] == "test"]
    labels = read_table("predictions", entry / "predictions.parquet").astype({"task_id": str})
    everything = read_table("labels", entry.parents[2] / "small" / "labels.parquet").astype({"task_id": str})
    value_of = everything.set_index(["item_id", "task_id"])["value"]
    assert len(labels)
    found = {}
    for number in sorted(cells["predicted_in"].unique()):
        if number < 0:
            continue
        known = cells[(cells["known_in"] & (1 << int(number)) != 0) & cells["item_id"].isin(items["item_id"])]
        table = nothing.copy()
        for item, task in zip(known["item_id"], known["task_id"], strict=True):
            place = int(np.flatnonzero(items["item_id"] == item)[0])
            table.loc[place, task] = value_of[item, task]
        found[int(number)] = table
    return found


@pytest.mark.parametrize("name", SPECS)
def test_elsewhere_a_model_predicts_what_its_run_predicted(name: str, answers) -> None:
    study, away = answers
    spec, folder = SPECS[name], away[name]
    expected = predictions_of(study, spec)
    items = pd.read_parquet(folder / "items.parquet")
    path = study / "runs" / spec.run_id / "known_labels.parquet"
    pass_of = pd.Series(0, index=pd.MultiIndex.from_frame(expected[["item_id", "task_id"]]))
    if path.exists():
        cells = read_table("known_labels", path).astype({"task_id": str})
        cells = cells[(cells["fold"] == "test") & (cells["predicted_in"] >= 0)]
        pass_of = cells.set_index(["item_id", "task_id"])["predicted_in"]
    n_compared = 0
    for file in sorted(folder.glob("answer-*.parquet")):
        number = int(file.stem.partition("-")[2])
        answer = pd.read_parquet(file).set_index(items["item_id"])
        assert answer["reason"].isna().all()
        own = [
            pass_of[item, task] == number
            for item, task in zip(expected["item_id"], expected["task_id"], strict=True)
        ]
        rows = expected[own]
        scores = [answer.loc[item, task] for item, task in zip(rows["item_id"], rows["task_id"], strict=True)]
        np.testing.assert_allclose(scores, rows["score"], atol=1e-6)
        n_compared += len(rows)
    assert n_compared == len(expected) > 0


def test_smiles_in_any_form_give_the_prediction_of_the_molecule(answers) -> None:
    model = relatask.load(answers[1]["shared_bottom-gin"] / "model")
    answer = model.predict(["OCC", "CCO", "not a molecule", None, "C(O)C.Cl"])
    assert answer["reason"].isna().tolist() == [True, True, False, False, True]
    scores = answer[model.task_ids].to_numpy()
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[4])
    assert np.isnan(scores[2:4].astype(float)).all()


def test_a_prediction_does_not_depend_on_what_is_asked_with_it(answers) -> None:
    for name in ("metalink relational", "sgnn_ebm with a prior", "random_forest-None"):
        model = relatask.load(answers[1][name] / "model")
        texts = ["CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1"]
        together = model.predict(texts)[model.task_ids].to_numpy()
        alone = np.concatenate([model.predict([text])[model.task_ids].to_numpy() for text in texts])
        np.testing.assert_allclose(together, alone, atol=1e-6)


def test_known_results_change_predictions_of_other_tasks_and_stay_as_they_are(answers) -> None:
    model = relatask.load(answers[1]["metalink relational"] / "model")
    first, *others = model.task_ids
    plain = model.predict(["CCO"])
    scores = {value: model.predict(["CCO"], pd.DataFrame({first: [value]})) for value in (0.0, 1.0)}
    assert [scores[value][first].iloc[0] for value in (0.0, 1.0)] == [0.0, 1.0]
    assert not np.allclose(scores[0.0][others].to_numpy(), scores[1.0][others].to_numpy())
    assert not np.allclose(scores[1.0][others].to_numpy(), plain[others].to_numpy())


def test_the_model_holds_the_items_it_was_trained_on_and_no_other(answers) -> None:
    study, away = answers
    items = pd.read_parquet(away["random_forest-None"] / "model" / "items.parquet")
    split = read_table("split", study.parent / "small" / "splits" / "scaffold-0.parquet")
    assert set(items["item_id"]) == set(split.loc[split["fold"] == "train", "item_id"])
    assert items["smiles"].notna().all()
    assert items["ecfp4"].map(len).eq(256).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, r"model\.json has format 99, and relatask .* reads format 1; load it with relatask"),
        ({"inputs": {"graph": 7}}, "reads version 7 of the input 'graph', and this relatask makes version"),
        ({"tasks": [{"task": 1}]}, r"model\.json is damaged"),
    ],
)
def test_a_model_of_another_time_is_refused_in_one_sentence(tmp_path, changes, message) -> None:
    write_molecules(tmp_path / "small")
    folder = pretend(train(tmp_path, [MTL]), MTL, **changes)
    with pytest.raises(RelataskError, match=message):
        relatask.load(str(folder))


def test_a_damaged_or_incomplete_model_is_refused_by_the_name_of_the_file(answers, tmp_path) -> None:
    folder = Path(shutil.copytree(answers[1]["shared_bottom-gin"] / "model", tmp_path / "model"))
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(bytes(content))
    with pytest.raises(RelataskError, match=r"weights\.safetensors is damaged; copy the model's"):
        relatask.load(str(folder))
    (folder / "weights.safetensors").unlink()
    with pytest.raises(RelataskError, match=r"weights\.safetensors is absent"):
        relatask.load(str(folder))
    with pytest.raises(RelataskError, match=r"there is no folder .*nowhere; name that of a model"):
        relatask.load(str(tmp_path / "nowhere"))


def test_known_results_of_a_task_that_the_model_lacks_are_refused(answers) -> None:
    model = relatask.load(answers[1]["shared_bottom-gin"] / "model")
    with pytest.raises(RelataskError, match=r"known: the model has no task 'tosk1'\. Did you mean 'task1'\?"):
        model.predict(["CCO"], pd.DataFrame({"tosk1": [1.0]}))
    with pytest.raises(RelataskError, match="known has 2 rows for 1 items"):
        model.predict(["CCO"], pd.DataFrame({"task1": [1.0, 0.0]}))
