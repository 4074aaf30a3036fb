"""Task groups through the workflow: gains collected on planted data, and those that others collected."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from relatask.plan.spec import RunSpec
from relatask.plan.task_sets import task_set_id
from tests.helpers.workflow import run_warm

TASKS = ["F1P2_binding", "F1P4_binding", "F3P2_binding", "F6P1_binding"]  # with many labels of both classes


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, tiny_study: dict) -> Path:
    """Results of a study that trains all sets of four planted tasks, under two seeds."""
    folder = tmp_path_factory.mktemp("grouping")
    network = {"method": "shared_bottom", "encoder": "fingerprint_mlp"}
    (dataset,) = tiny_study["datasets"].values()
    collection = {"dataset": "planted4", "method": "MTL", "tasks": TASKS, "task_sets": {"select": "all"}}
    asked = {**collection, "method": "Narrow", "task_sets": {"select": "active", "strategy": "MTG"}}
    groups = {"gains": ["four", "four_1"], "budget": 2}
    study = tiny_study | {
        "datasets": {"planted4": {**dataset, "densify": {"tau": 1, "tasks": TASKS}}},
        "methods": [
            {"label": "MTL", **network},
            {"label": "MTL_of_3", **network, "ensemble": 3},
            {"label": "Groups", **network, "groups": {**groups, "strategy": "Oracle"}},
            {"label": "MTG_groups", **network, "groups": {**groups, "strategy": "MTG"}},
            {"label": "Narrow", **network, "encoder_options": {"width": 8}},
            {
                **{"label": "Asked_groups", **network, "encoder_options": {"width": 8}},
                "groups": {"gains": ["asked", "asked_1"], "budget": 2, "strategy": "MTG"},
            },
        ],
        "baseline": "MTL",
        "contrasts": [],
        "grouping": {
            "gains": {
                "four": {**collection, "single_task_runs": 2},
                "four_1": {**collection, "seeds": [1]},
                **{"asked": asked, "asked_1": {**asked, "seeds": [1]}},
            },
            "strategies": [
                {"label": "Oracle", "estimator": "oracle"},
                {"label": "HOA", "estimator": "hoa"},
                {"label": "TAG", "estimator": "tag"},
                {"label": "MTG", "estimator": "mtg_net", "rounds": [1], "options": {"epochs": 20}},
                {
                    "label": "MTG_STRING",
                    "estimator": "mtg_net",
                    "rounds": [1],
                    "relations": "features",
                    "gains": ["four"],
                },
                {
                    "label": "MTG_first",
                    "estimator": "mtg_net",
                    "rounds": [1],
                    "relations": "neighbours",
                    "gains": ["four"],
                },
                {"label": "Ridge", "estimator": "ridge", "rounds": [1]},
                {"label": "Random", "estimator": "random"},
            ],
            "seeds": [0, 1],
            "held_out": 0.5,
            "max_cost": 8,
            "task_costs": {TASKS[0]: 2},
        },
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(study))
    run_warm(folder, "--config", "study=mine.yaml")
    return folder / "results"


def test_every_set_of_tasks_is_trained_and_its_gains_follow_from_the_predictions(results: Path) -> None:
    gains = pd.read_parquet(results / "mine" / "gains" / "four.parquet")
    plan = pd.read_parquet(results / "mine" / "plan.parquet").query("collection == 'four'")
    predictions = pd.read_parquet(results / "mine" / "collections" / "four" / "predictions.parquet")
    tasks = sorted(set(gains["task_id"]))
    sets = [chosen for size in range(1, 5) for chosen in combinations(tasks, size)]
    assert set(gains["task_set_id"]) == {task_set_id(chosen) for chosen in sets}
    auc = {}
    for chosen in (sets[0], sets[-1]):
        auc[chosen] = []
        for run in plan.loc[plan["tasks"].map(lambda text: tuple(json.loads(text))) == chosen, "run_id"]:
            own = predictions[(predictions["run_id"] == run) & (predictions["fold"] == "test")]
            own = own[own["task_id"] == tasks[0]]
            auc[chosen].append(roc_auc_score(own["label"], own["score"]))
    assert [len(values) for values in auc.values()] == [2, 1]
    expected = auc[sets[-1]][0] / np.mean(auc[sets[0]]) - 1
    found = gains.query("task_id == @tasks[0] and fold == 'test'").set_index("task_set_id")["gain"]
    assert found[task_set_id(sets[-1])] == pytest.approx(expected, rel=1e-6)
    assert found[task_set_id(sets[0])] == 0


def test_all_strategies_are_judged_on_the_same_sets(results: Path) -> None:
    table = pd.read_parquet(results / "mine" / "tables" / "estimation_errors.parquet")
    assert (table["n_judged"] == 2).all()  # half of the sets of three of four tasks
    assert set(table["strategy"]) == {"HOA", "TAG", "MTG", "MTG_STRING", "MTG_first", "Ridge"}
    zero = pd.read_parquet(results / "mine" / "tables" / "gain_distribution.parquet").set_index("collection")
    assert zero["single_task_runs"].to_dict() == {"four": 2, "four_1": 1}
    assert zero.loc["four", "single_task_std"] > 0
    assert np.isnan(zero.loc["four_1", "single_task_std"])


def test_groups_serve_every_task_once_within_the_budget(results: Path) -> None:
    groups = pd.read_parquet(results / "mine" / "groups" / "four.parquet")
    served = groups[groups["serves"]].groupby(["strategy", "seed", "budget"])["task_id"]
    assert (served.nunique() == 4).all()
    assert (served.size() == 4).all()
    assert (groups.groupby(["strategy", "seed", "budget"])["group"].nunique() <= groups["budget"].max()).all()
    worth = pd.read_parquet(results / "mine" / "groupings" / "four.parquet")
    oracle = worth[worth["strategy"] == "Oracle"].set_index("budget")["valid_gain"]
    assert (np.diff(oracle) >= 0).all()
    for strategy in ("HOA", "TAG", "MTG", "MTG_STRING", "MTG_first", "Ridge", "Random"):
        own = worth[worth["strategy"] == strategy].groupby("budget")["valid_gain"].max()
        assert (own <= oracle + 1e-9).all()


def test_runs_of_task_sets_are_no_rows_of_the_tables(results: Path) -> None:
    main = pd.read_parquet(results / "mine" / "tables" / "main.parquet")
    assert set(main["method"]) == {"MTL", "MTL_of_3", "Groups", "MTG_groups", "Narrow", "Asked_groups"}
    predictions = pd.read_parquet(results / "mine" / "predictions.parquet")
    assert predictions["run_id"].nunique() == 6 * 2


def test_a_row_of_groups_predicts_each_task_by_the_network_of_its_group(results: Path) -> None:
    plan = pd.read_parquet(results / "mine" / "plan.parquet")
    cells = ["run_id", "task_id", "fold", "item_id"]
    rows = pd.read_parquet(results / "mine" / "predictions.parquet").set_index(cells)["score"].sort_index()
    for seed, name in ((0, "four"), (1, "four_1")):
        run = plan.loc[(plan["label"] == "Groups") & (plan["seed"] == seed), "run_id"].item()
        groups = pd.read_parquet(results / "mine" / "groups" / f"{name}.parquet")
        groups = groups.query("strategy == 'Oracle' and budget == 2")
        sets = plan[plan["collection"] == name].drop_duplicates("tasks").set_index("tasks")["run_id"]
        folder = results / "mine" / "collections" / name
        collected = pd.read_parquet(folder / "predictions.parquet").set_index(cells)["score"].sort_index()
        for _, group in groups.groupby("group"):
            trained = sets[json.dumps(sorted(group["task_id"]), separators=(",", ":"))]
            for task in group.loc[group["serves"], "task_id"]:
                pd.testing.assert_series_equal(rows.loc[run, task], collected.loc[trained, task])


def test_an_ensemble_averages_networks_of_which_the_first_is_the_plain_row(results: Path) -> None:
    plan = pd.read_parquet(results / "mine" / "plan.parquet").query("seed == 0").set_index("label")
    study, run = results / "mine", plan.loc["MTL_of_3", "run_id"]
    spec = RunSpec.from_json(json.loads(plan.loc["MTL_of_3", "spec"]))
    members = [replace(spec, ensemble=1, member=member).run_id for member in range(3)]
    assert members[0] == plan.loc["MTL", "run_id"]
    scores = [pd.read_parquet(study / "runs" / name / "predictions.parquet")["score"] for name in members]
    found = pd.read_parquet(study / "runs" / run / "predictions.parquet")["score"]
    np.testing.assert_allclose(found, np.mean(scores, 0), rtol=1e-6)
    assert len({tuple(score) for score in scores}) == 3
    costs = pd.read_parquet(study / "costs.parquet").set_index("run_id")["seconds"]
    assert costs[run] > costs[members[0]]


def test_only_the_sets_that_a_strategy_asks_for_are_trained_and_groups_are_chosen_among_all(
    results: Path,
) -> None:
    study = results / "mine"
    plan = pd.read_parquet(study / "selected" / "asked" / "MTG.parquet")
    sets = [tuple(json.loads(text)) for text in plan["tasks"]]
    assert len(set(sets)) == len(sets) == 4 + 1 + 4  # alone, all, and one round
    gains = pd.read_parquet(study / "gains" / "asked.parquet")
    assert set(gains["task_set_id"]) == {task_set_id(tasks) for tasks in sets}
    estimates = pd.read_parquet(study / "estimates" / "asked" / "MTG.parquet")
    assert estimates["task_set_id"].nunique() == 2**4 - 1
    told = estimates[estimates["trained"]].set_index(["task_set_id", "task_id"])["estimate"]
    true = gains[gains["fold"] == "valid"].set_index(["task_set_id", "task_id"])["gain"]
    np.testing.assert_allclose(told, true[told.index])
    assert told.index.get_level_values(0).nunique() == 1 + 4
    groups = pd.read_parquet(study / "groups" / "asked.parquet")
    trained = groups["task_set_id"].isin(set(gains["task_set_id"]))
    assert (groups["valid_gain"].notna() == trained).all()
    assert not (study / "figures" / "grouping_performance-asked.png").exists()
    assert set(pd.read_parquet(study / "tables" / "grouping.parquet")["collection"]) == {"four", "four_1"}


def test_a_second_run_has_nothing_to_do(results: Path) -> None:
    done = run_warm(results.parent, "--config", "study=mine.yaml")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_the_authors_gains_become_tables_and_figures_without_any_training(
    tmp_path: Path, mirror: Path, root: Path
) -> None:
    study = yaml.safe_load((root / "config" / "studies" / "mtg_published.yaml").read_text())
    study["grouping"]["gains"] = {"taskonomy": study["grouping"]["gains"]["taskonomy"]}
    study["grouping"] |= {"seeds": [0], "budgets": 3}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(study))
    run_warm(tmp_path, "publish", "--config", "study=mine.yaml", f"mirror={mirror}")
    table = pd.read_parquet(tmp_path / "results" / "mine" / "tables" / "grouping.parquet")
    hoa = table[table["strategy"] == "HOA"].sort_values("budget")
    ours, published = (
        hoa.loc[hoa["source"] == source, "mean"].to_numpy() for source in ("ours", "published")
    )
    np.testing.assert_allclose(ours, published, atol=5.1e-5)
    assert not (tmp_path / "results" / "mine" / "shards").exists()
    assert (
        tmp_path / "results" / "published" / "mine" / "quick" / "grouping_performance-taskonomy.png"
    ).exists()
