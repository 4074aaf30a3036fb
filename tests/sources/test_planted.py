"""The planted data look like ChEMBL's, are the same bytes for a seed, and their truth holds."""

import os
import subprocess
import sys
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem, Descriptors
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from relatask.config import RelationsConfig
from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.data.interactions import read_interactions
from relatask.data.relations import relate_tasks
from relatask.sources.planted.folder import plant
from relatask.sources.planted.molecules import AT_NITROGEN, LARGE, SCAFFOLDS, SMALL

FILES = ("molecules.csv", "tasks.csv", "string_links.txt", "truth.json")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Folder of the planted data of the demo."""
    folder = tmp_path_factory.mktemp("planted")
    plant(folder, seed=0, n_molecules=2000)
    return folder


@pytest.fixture(scope="module")
def molecules(planted):
    return pd.read_csv(planted / "molecules.csv")


@pytest.fixture(scope="module")
def bits(molecules):
    """Morgan fingerprints, [2000, 1024]."""
    generator = AllChem.GetMorganGenerator(radius=2, fpSize=1024)
    return np.array([generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(s)) for s in molecules["smiles"]])


@pytest.fixture(scope="module")
def truth(planted):
    return read_json(planted / "truth.json")


def test_molecules_are_drug_like_valid_and_all_different(molecules):
    smiles = molecules["smiles"].tolist()
    parsed = [Chem.MolFromSmiles(text) for text in smiles]
    assert len(set(smiles)) == len(smiles) == 2000
    assert [Chem.MolToSmiles(molecule) for molecule in parsed] == smiles
    weights = np.array([Descriptors.MolWt(molecule) for molecule in parsed])
    assert weights.min() >= 150
    assert weights.max() <= 600
    assert 250 < np.median(weights) < 400
    assert not any("." in text or "*" in text for text in smiles)


def test_every_building_block_is_a_molecule_and_stands_once():
    for pool in (SMALL, LARGE, AT_NITROGEN):
        assert len(set(pool)) == len(pool)
        assert all(Chem.MolFromSmiles(f"C{block}") for block in pool if block != "[H]")
    assert all(Chem.MolFromSmiles(scaffold) for scaffold in SCAFFOLDS.values())


def test_assays_are_sparse_and_imbalanced_as_in_chembl(molecules):
    labels = molecules.drop(columns="smiles")
    assert labels.shape[1] == 48
    assert labels.isna().to_numpy().mean() == pytest.approx(0.6, abs=0.005)
    assert set(np.unique(labels.to_numpy())[:2]) == {0.0, 1.0}
    rates = labels.mean()
    assert rates.between(0.14, 0.61).sum() == 42
    assert rates.between(0.04, 0.11).sum() == 6
    assert labels.notna().any(axis=1).all()
    counts = labels.notna().sum()
    assert counts.between(40, 80).sum() == 15
    assert (counts > 600).sum() == 33


def test_each_task_with_few_labels_has_relatives_with_many(molecules, truth):
    counts = molecules.drop(columns="smiles").notna().sum()
    for family in truth["families"]:
        mine = sorted(counts[counts.index.str.startswith(family)])
        assert mine[1] <= 80
        assert mine[3] > 600


def test_relatives_share_molecules_and_activity_and_strangers_do_not(molecules, truth):
    family = np.array([task["family"] for task in truth["tasks"]])
    protein = np.array([task["string_id"] for task in truth["tasks"]])
    kin = (family[:, None] == family) & (protein[:, None] != protein)
    stranger = family[:, None] != family
    similarity = np.array(truth["task_similarity"])
    assert similarity[kin].mean() > 0.55
    assert abs(similarity[stranger].mean()) < 0.1
    assert similarity[stranger].min() < -0.3
    labels = molecules.drop(columns="smiles")
    measured = labels.notna().to_numpy().astype(float)
    expected = np.outer(measured.mean(axis=0), measured.mean(axis=0)) * len(measured)
    overlap = measured.T @ measured / expected
    assert overlap[kin].mean() > overlap[stranger].mean() + 0.1
    agreement = labels.corr(min_periods=100).to_numpy()
    assert np.nanmean(agreement[kin]) > 0.25
    assert abs(np.nanmean(agreement[stranger])) < 0.1


def test_noise_turns_over_some_labels_and_not_too_many(truth):
    assert 0.08 < truth["noise"]["flipped_labels"] < 0.2


def test_a_forest_learns_something_but_not_everything(molecules, bits):
    test = np.random.default_rng(0).random(len(bits)) < 0.25
    scores = []
    for name in molecules.columns[1::7]:
        column = molecules[name].to_numpy()
        known = ~np.isnan(column)
        forest = RandomForestClassifier(40, min_samples_leaf=2, random_state=0)
        forest.fit(bits[known & ~test], column[known & ~test])
        rows = known & test
        scores.append(roc_auc_score(column[rows], forest.predict_proba(bits[rows])[:, 1]))
    assert 0.65 < np.mean(scores) < 0.87


def test_relatives_know_more_about_a_task_and_strangers_do_not(molecules, bits, truth):
    """Otherwise no method could learn from the relations: shown with forests, which know of none."""
    labels = molecules.drop(columns="smiles").to_numpy()
    train = np.random.default_rng(0).random(len(bits)) < 0.2
    family = np.array([task["family"] for task in truth["tasks"]])
    scores = np.column_stack([_ranked_forest(bits, column, train) for column in labels.T])
    kin = family[:, None] == family
    stranger = np.roll(kin, 8, axis=1)  # the next family, as many
    own = _mean_auc(labels, scores, ~train)
    assert _mean_auc(labels, scores @ kin / kin.sum(0), ~train) > own + 0.03
    assert _mean_auc(labels, scores + scores @ stranger / 8, ~train) < own - 0.02


def _ranked_forest(bits: np.ndarray, column: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Ranks, from 0 to 1, of all molecules in a forest fitted to one task's labels in training."""
    rows = train & ~np.isnan(column)
    forest = RandomForestClassifier(20, min_samples_leaf=2, random_state=0).fit(bits[rows], column[rows])
    return forest.predict_proba(bits)[:, -1].argsort().argsort() / len(bits)


def _mean_auc(labels: np.ndarray, scores: np.ndarray, rows: np.ndarray) -> float:
    cells = [
        (column[known], score[known])
        for column, score in zip(labels.T, scores.T, strict=True)
        for known in [rows & ~np.isnan(column)]
    ]
    return float(np.mean([roc_auc_score(*cell) for cell in cells]))


def test_interactions_are_in_the_form_of_string(planted):
    lines = (planted / "string_links.txt").read_text().splitlines()
    assert lines[0] == (
        "protein1 protein2 neighborhood fusion cooccurence coexpression experimental database textmining "
        "combined_score"
    )
    table = pd.read_csv(planted / "string_links.txt", sep=" ")
    pairs = set(zip(table["protein1"], table["protein2"], strict=True))
    assert pairs == {(b, a) for a, b in pairs}
    assert table["protein1"].str.fullmatch(r"9606\.ENSP\d{11}").all()
    scores = table.iloc[:, 2:]
    assert scores.to_numpy().min() >= 0
    assert scores.to_numpy().max() < 1000
    assert (scores["combined_score"] >= scores.drop(columns="combined_score").max(axis=1) - 1).all()
    assert all(first < second for first, second in pairwise(sorted(pairs)))


def test_interactions_follow_families_but_for_the_errors_that_the_truth_names(planted, truth):
    sheet = pd.read_csv(planted / "tasks.csv")
    assert sheet["uniprot"].str.fullmatch(r"[OPQ][0-9][A-Z0-9]{3}[0-9]").all()
    assert sheet["uniprot"].nunique() == sheet["string_id"].nunique() == 24
    tasks = pd.DataFrame(
        {
            "task_id": sheet["task"],
            "uniprots": [[name] for name in sheet["uniprot"]],
            "string_ids": [[name] for name in sheet["string_id"]],
        }
    )
    table = read_interactions([planted / "string_links.txt"], "experimental")
    relations, report = relate_tasks(tasks, table, RelationsConfig(source="planted"))
    kin = relations["task_i"].str[:2] == relations["task_j"].str[:2]
    assert (kin.sum(), (~kin).sum()) == ((6 * 6 - 4) * 4, 6 * 4)
    assert len(truth["missing_interactions"]) == 4
    assert len(truth["spurious_interactions"]) == 6
    assert relations["score"][kin].mean() > 0.65 > 0.5 > relations["score"][~kin].max()
    assert report["tasks_related"] == 48


def _kin(truth):
    """Mean correlation of the true activities of tasks of different proteins of one family."""
    protein = [task["string_id"] for task in truth["tasks"]]
    family = [task["family"] for task in truth["tasks"]]
    similarity = np.array(truth["task_similarity"])
    pairs = [
        (i, j) for i, j in combinations(range(48), 2) if family[i] == family[j] and protein[i] != protein[j]
    ]
    return np.mean([similarity[pair] for pair in pairs])


def test_the_part_of_families_says_how_alike_related_tasks_are(tmp_path):
    found = [_kin(plant(tmp_path / str(part), 0, 300, family_part=part)) for part in (0.0, 0.3, 0.6, 0.9)]
    assert found == sorted(found)
    assert abs(found[0]) < 0.15
    assert found[-1] > 0.8


def test_wrong_links_join_strangers_and_no_label_changes(tmp_path):
    truths = [plant(tmp_path / str(share), 0, 150, wrong_links=share) for share in (0.0, 0.3)]
    wrong = [(len(truth["missing_interactions"]), len(truth["spurious_interactions"])) for truth in truths]
    assert wrong == [(0, 0), (11, 11)]  # of 36 pairs
    assert len({(tmp_path / share / "molecules.csv").read_bytes() for share in ("0.0", "0.3")}) == 1


def test_the_negative_control_has_links_that_say_nothing_of_labels(tmp_path):
    truth = plant(tmp_path, 0, 300, unrelated=True)
    assert abs(_kin(truth)) < 0.15
    similarity = np.array(truth["task_similarity"])
    np.fill_diagonal(similarity, 0.0)
    assert (similarity.max(1) > 0.7).all()  # there is something to share, with others
    links = pd.read_csv(tmp_path / "string_links.txt", sep=" ")
    assert links["experimental"][links["experimental"] > 600].count() == 2 * (36 - 4)
    with pytest.raises(RelataskError, match=r"--family-part 1.5: a share is from 0 to 1"):
        plant(tmp_path, 0, 150, family_part=1.5)


def test_the_same_seed_gives_the_same_bytes_in_any_process(tmp_path):
    for number, hash_seed in enumerate(("0", "1")):
        command = [sys.executable, "-m", "relatask", "plant_data", "--seed", "3", "--molecules", "150"]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        subprocess.run([*command, "--out-dir", str(tmp_path / str(number))], check=True, env=environment)
    for name in FILES:
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()
    plant(tmp_path / "other", seed=4, n_molecules=150)
    assert all(
        (tmp_path / "other" / name).read_bytes() != (tmp_path / "0" / name).read_bytes()
        for name in FILES
        if name != "tasks.csv"
    )


def test_a_small_set_still_has_both_classes_of_every_task(tmp_path):
    plant(tmp_path, seed=0, n_molecules=100)
    labels = pd.read_csv(tmp_path / "molecules.csv").drop(columns="smiles")
    assert (labels.sum() >= 1).all()
    assert ((1 - labels).sum() >= 1).all()


def test_numbers_that_cannot_be_planted_are_refused(tmp_path, monkeypatch):
    with pytest.raises(RelataskError, match="--molecules 99: the planted assays need at least 100"):
        plant(tmp_path, seed=0, n_molecules=99)
    monkeypatch.setattr("relatask.sources.planted.molecules.SCAFFOLDS", {"only": SCAFFOLDS["hydantoin"]})
    monkeypatch.setattr("relatask.sources.planted.molecules.AT_NITROGEN", ("C",))
    with pytest.raises(RelataskError, match=r"--molecules 100: .* gave only \d+ different"):
        plant(tmp_path, seed=0, n_molecules=100)
    assert not list(tmp_path.iterdir())
