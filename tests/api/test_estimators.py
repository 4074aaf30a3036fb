"""Estimators of scikit-learn: they train, predict, score and travel as its users expect."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

import relatask
from benchmarks.parity_data import smiles
from relatask.api import MoleculeClassifier, MoleculeRegressor
from relatask.core.errors import RelataskError

SMILES = np.array(smiles(), object)
HALOGENS = np.array([any(mark in text for mark in ("F", "Cl", "Br")) for text in SMILES], float)
LENGTHS = np.array([len(text) for text in SMILES], float)
FOREST = {"method": "random_forest", "encoder": None, "options": {"n_estimators": 20}}
NETWORK = {"training": {"epochs": 2}, "encoder_options": {"width": 16, "layers": 1}}


def two_tasks() -> pd.DataFrame:
    """Whether there is a halogen, and whether the text is long, with gaps."""
    labels = pd.DataFrame({"halogen": HALOGENS, "long, or not": (np.median(LENGTHS) < LENGTHS).astype(float)})
    labels.iloc[::5, 0] = np.nan
    return labels


def test_a_classifier_learns_and_predicts_labels_and_probabilities() -> None:
    model = MoleculeClassifier(**FOREST).fit(SMILES, HALOGENS)
    chances = model.predict_proba(SMILES)
    assert chances.shape == (len(SMILES), 2)
    np.testing.assert_allclose(chances.sum(1), 1)
    assert set(model.predict(SMILES)) == {0, 1}
    assert model.score(SMILES, HALOGENS) > 0.9


def test_several_tasks_with_gaps_are_columns() -> None:
    labels = two_tasks()
    model = MoleculeClassifier(**NETWORK).fit(SMILES, labels)
    assert model.tasks_ == list(labels.columns)
    assert model.predict_proba(SMILES[:7]).shape == (7, 2)
    array = MoleculeClassifier(**NETWORK).fit(list(SMILES), labels.to_numpy())
    named = MoleculeClassifier(**NETWORK).fit(SMILES, labels.set_axis(["task0", "task1"], axis=1))
    np.testing.assert_array_equal(array.predict_proba(SMILES), named.predict_proba(SMILES))


def test_a_regressor_gives_values_in_their_unit() -> None:
    model = MoleculeRegressor(**FOREST).fit(SMILES, 100 + LENGTHS)
    found = model.predict(SMILES)
    assert found.shape == SMILES.shape
    assert abs(found.mean() - (100 + LENGTHS).mean()) < 5
    assert model.score(SMILES, 100 + LENGTHS) > 0.5


def test_the_tools_of_scikit_learn_take_it() -> None:
    model = MoleculeClassifier(**FOREST)
    assert clone(model).get_params() == model.get_params()
    assert len(cross_val_score(model, SMILES, HALOGENS, cv=2)) == 2
    search = GridSearchCV(model, {"options": [{"n_estimators": 2}, {"n_estimators": 5}]}, cv=2)
    assert search.fit(SMILES, HALOGENS).best_score_ > 0.5


def test_it_travels_as_a_pickle_and_as_a_folder(tmp_path: Path) -> None:
    model = MoleculeClassifier(**NETWORK).fit(SMILES, two_tasks())
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(SMILES), model.predict_proba(SMILES))
    model.save(tmp_path / "model")
    loaded = relatask.load(str(tmp_path / "model"))
    found = loaded.predict(list(SMILES))[loaded.task_ids].to_numpy()
    np.testing.assert_array_equal(found, model.predict_proba(SMILES))


def test_a_molecule_that_cannot_be_read_has_no_prediction_and_is_told() -> None:
    model = MoleculeClassifier(**FOREST).fit(SMILES, HALOGENS)
    with pytest.warns(UserWarning, match="1 molecules have no prediction, e.g. not a valid SMILES"):
        found = model.predict(["CCO", "no"])
    assert np.isnan(found).tolist() == [False, True]


@pytest.mark.parametrize(
    ("changes", "labels", "message"),
    [
        ({"method": "random_forrest", "encoder": None}, HALOGENS, "Did you mean 'random_forest'"),
        ({"validation": 0.001}, HALOGENS, "validation=0.001 of .* leaves a fold empty"),
        ({}, HALOGENS[:5], "y has 5 rows for"),
    ],
)
def test_what_cannot_be_fitted_is_said(changes: dict, labels: np.ndarray, message: str) -> None:
    with pytest.raises(RelataskError, match=message):
        MoleculeClassifier(**changes).fit(SMILES, labels)


@pytest.mark.slow
def test_a_frame_is_compared_as_by_the_command(tmp_path: Path) -> None:
    frame = pd.DataFrame({"smiles": SMILES, **two_tasks()})
    found = relatask.train(frame, name="mine", folder=tmp_path, options=["--tiny", "--cores", "2"])
    assert " is best: ROC-AUC " in found.sentence
    assert found.study == tmp_path / "mine.yaml"
    assert len(found.table) >= 3
    assert len(found.model.predict(["CCO"])) == 1
