"""The plan is a pure function of the config, and its shards execute every run once."""

import json
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from relatask.config import MethodConfig, StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.core.registry import Capabilities, LoopRecord, capabilities
from relatask.core.tables import COLUMNS, read_table
from relatask.plan import refusals
from relatask.plan.cost import SECONDS_PER_RUN
from relatask.plan.manifest import read_manifest
from relatask.plan.plan import Shard, make_shards, plan_runs
from relatask.plan.spec import TWIN, Component, RunSpec
from relatask.steps import plan_runs as step
from tests.helpers.planned_study import METHODS, MTL, study
from tests.helpers.prepared_dataset import make_spec
from tests.helpers.study_tables import write_study


def planned(**changes: Any):
    return plan_runs(parse(StudyConfig, study(**changes), "study"), "quick")


def test_a_study_is_the_product_of_its_axes():
    runs = [run.spec for run in planned()]
    assert len(runs) == 2 * 2 * 2 * (3 + 1 + 1)  # data sets, schemes, seeds, runs of the methods
    assert len({run.run_id for run in runs}) == len(runs)
    assert {(run.dataset, run.split, run.seed) for run in runs} == {
        (dataset, split, seed) for dataset in "ab" for split in ("scaffold", "random") for seed in (0, 1)
    }
    assert [run.tasks for run in runs[:3]] == [
        {"part": 0, "of": 3},
        {"part": 1, "of": 3},
        {"part": 2, "of": 3},
    ]


def test_the_same_config_gives_the_same_plan_in_another_process():
    code = (
        "import json,sys; from relatask.config import *; from relatask.plan.plan import *;"
        "s = parse(StudyConfig, json.load(sys.stdin), 's');"
        "print(json.dumps([r.spec.run_id for r in plan_runs(s, 'quick')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(study()), capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert json.loads(done.stdout) == [run.spec.run_id for run in planned()]


def test_settings_come_from_the_study_then_the_scale_then_the_method():
    by_label = {run.spec.label: run.spec for run in planned(training={"epochs": 5, "batch_size": 32})}
    assert by_label["STL"].training["epochs"] == 5
    assert by_label["MTL"].training["epochs"] == 9
    assert by_label["MTL"].training["batch_size"] == 32
    assert by_label["MTL"].encoder.options == {"width": 8, "layers": 5, "dropout": 0.2}
    assert by_label["RF"].method.options["n_estimators"] == 7
    assert by_label["RF"].training == {}


def test_a_schedule_is_part_of_a_run_and_a_constant_step_size_keeps_older_names():
    plain, constant, cosine = (
        {run.spec.run_id: run.spec.label for run in planned(training=training)}
        for training in ({}, {"schedule": "constant"}, {"schedule": "cosine"})
    )
    assert plain == constant
    assert {plain[run_id] for run_id in plain.keys() & cosine.keys()} == {"RF"}


def test_a_data_set_has_settings_of_its_own_at_a_scale():
    scales = {
        "quick": {
            "seeds": [0],
            "training": {"batch_size": 16},
            "datasets": {"b": {"batch_size": 8, "epochs": 4}},
        }
    }
    found = {(run.spec.label, run.spec.dataset): run.spec.training for run in planned(scales=scales)}
    assert found["STL", "a"]["batch_size"] == 16
    assert (found["STL", "b"]["batch_size"], found["STL", "b"]["epochs"]) == (8, 4)
    assert found["MTL", "b"]["epochs"] == 9  # the method has the last word
    for datasets, message in (
        ({"c": {}}, "scales.quick.datasets: there is no data set 'c'"),
        ({"b": {"epoch": 3}}, "scales.quick.datasets.b: unknown key 'epoch'"),
    ):
        with pytest.raises(RelataskError, match=message):
            planned(scales={"quick": {"seeds": [0], "datasets": datasets}})


def test_a_setting_of_networks_leaves_the_forests_alone():
    before = {run.spec.run_id for run in planned() if run.spec.label == "RF"}
    after = {run.spec.run_id for run in planned(training={"epochs": 3}) if run.spec.label == "RF"}
    assert before == after


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            {"method": "shared_botom", "encoder": "gin"},
            "no method 'shared_botom'.*Did you mean 'shared_bottom'",
        ),
        ({"method": "shared_bottom", "encoder": "gim"}, "no encoder 'gim'.*Did you mean 'gin'"),
        ({"method": "shared_bottom"}, "methods.X on data set 'a'.*needs an encoder"),
        ({"method": "random_forest", "encoder": "gin"}, "reads ecfp itself; remove `encoder`"),
        ({"method": "random_forest", "options": {"trees": 3}}, "no option 'trees'"),
        ({"method": "random_forest", "options": {"n_estimators": "many"}}, "'n_estimators'.*must be int"),
        ({"method": "shared_bottom", "encoder": "gin", "parts": 2}, "trains them together"),
        ({"method": "single_task", "encoder": "gin", "parts": 51}, "51 parts for 50 tasks"),
        ({"method": "single_task", "encoder": "gin", "training": {"epoch": 3}}, "unknown key 'epoch'"),
        (
            {"method": "single_task", "encoder": "gin", "balancing": "dwa"},
            "methods.X on data set 'a': method 'single_task' trains each task by itself.*remove `balancing`",
        ),
        (
            {"method": "random_forest", "balancing": "uncertainty"},
            "trains no network, so there is nothing to",
        ),
        ({**MTL, "balancing": "gradnrm"}, "no balancing 'gradnrm'.*Did you mean 'gradnorm'"),
        (
            {**MTL, "balancing": "PCGrad"},
            "no balancing 'PCGrad' .* It is 'jacobian' with the option aggregator: pcgrad.",
        ),
        ({**MTL, "balancing_options": {"alpha": 1.0}}, "balancing 'equal' has no option 'alpha'"),
        (
            {**MTL, "balancing": "jacobian", "balancing_options": {"aggregator": "cagrd"}},
            "option 'aggregator' of balancing 'jacobian' cannot be 'cagrd'. Did you mean 'cagrad'",
        ),
        (
            {**MTL, "balancing": "dwa", "balancing_options": {"temperature": 0}},
            "'temperature' of balancing 'dwa' must be from 0.01 to 1000.0, not 0",
        ),
    ],
)
def test_a_combination_that_makes_no_sense_is_refused_by_name(method, message):
    with pytest.raises(RelataskError, match=message):
        planned(methods=[{"label": "X", **method}], baseline="X")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": "fixd"}, "option 'noise' of method 'sgnn_ebm' cannot be 'fixd'. Did you mean 'fixed'"),
        ({"sweeps": 0}, "option 'sweeps' of method 'sgnn_ebm' must be from 1 to 1000000, not 0"),
        (
            {"objective": "nce_unnormalised", "gibbs": "released"},
            "cannot have objective: nce_unnormalised, gibbs: released together: .*take gibbs: paper",
        ),
        (
            {"objective": "pseudo_likelihood", "noise": "gibbs"},
            "noise: gibbs, imputation: sampled together: .*remove the noise, or take imputation: noise",
        ),
    ],
)
def test_what_would_fail_in_a_shard_hours_later_is_refused_when_planning(options, message):
    dataset = {"source": "s", "relations": {"source": "s", "channel": "experimental"}}
    row = {"label": "X", "method": "sgnn_ebm", "encoder": "gin", "options": options}
    with pytest.raises(RelataskError, match=message):
        planned(methods=[row], baseline="X", datasets={"a": dataset})


IMPUTING: dict[str, Any] = {"imputation": ["X"]}
OF_CELLS: dict[str, Any] = {"splits": {"schemes": ["scaffold", "cells"]}}


@pytest.mark.parametrize("by_scale", [False, True])
@pytest.mark.parametrize(
    ("options", "study", "message"),
    [
        ({"support": 0}, IMPUTING, "without a support the score of a molecule depends on those"),
        ({"setting": "relational_meta"}, IMPUTING, "needs one model of all tasks, and its setting holds out"),
        ({"setting": "meta"}, OF_CELLS, "its setting holds out tasks, which a split of cells does not"),
    ],
)
def test_what_options_of_the_row_or_of_the_scale_rule_out_is_refused(by_scale, options, study, message):
    row = {"label": "X", "method": "metalink", "encoder": "gin", "options": {} if by_scale else options}
    scales = {"quick": {"seeds": [0], "methods": {"metalink": options} if by_scale else {}}}
    with pytest.raises(RelataskError, match=rf"methods\.X on data set 'a': .*{message}"):
        planned(methods=[*METHODS, row], scales=scales, **study)


def test_balancing_a_method_with_one_loss_for_all_tasks_is_refused(monkeypatch):
    energy = Capabilities(name="energy", loop="contrastive")
    monkeypatch.setattr(refusals, "capabilities", lambda kind, name: energy)
    monkeypatch.setattr(refusals, "loop_of", lambda method: LoopRecord())
    method = MethodConfig(label="X", method="energy", encoder="gin", balancing="dwa")
    with pytest.raises(RelataskError, match="'energy' has one loss for all tasks together"):
        refusals._refuse_balancing(method, "methods.X")


def test_balancing_is_part_of_a_run():
    rows = [
        {"label": "MTL", **MTL},
        {"label": "DWA", **MTL, "balancing": "dwa", "balancing_options": {"temperature": 1}},
        {"label": "PCGRAD", **MTL, "balancing": "jacobian", "balancing_options": {"aggregator": "pcgrad"}},
    ]
    plain, dwa, pcgrad = (
        next(run for run in planned(methods=rows, baseline="MTL") if run.spec.label == row["label"])
        for row in rows
    )
    assert plain.spec.run_id == planned(methods=rows[:1], baseline="MTL")[0].spec.run_id
    assert plain.spec.balancing == Component("equal")
    assert dwa.spec.balancing == Component("dwa", {"temperature": 1.0, "form": "paper"})
    assert dwa.minutes == plain.minutes
    start = SECONDS_PER_RUN / 60
    steps = 1 + 0.75 * 50  # of the plain run, for 50 tasks
    assert pcgrad.minutes - start == pytest.approx(steps * (plain.minutes - start))


def test_what_a_method_adds_to_its_encoder_is_predicted_per_task():
    minutes = {}
    for name in ("shared_bottom", "sgnn"):
        rows = [{"label": "X", **MTL, "method": name}]
        dataset = {"source": "s", "size": {"items": 1000, "tasks": 40}, "relations": {"source": "s"}}
        run = planned(methods=rows, baseline="X", datasets={"a": dataset})[0]
        minutes[name], epochs = run.minutes, run.spec.training["epochs"]
    added = capabilities("methods", "sgnn").microseconds * 1000 * 40 * epochs / 60e6
    assert minutes["sgnn"] - minutes["shared_bottom"] == pytest.approx(added)
    assert added > 0


def test_two_rows_that_are_the_same_run_are_refused():
    twins = [{"label": label, "method": "random_forest"} for label in ("A", "B")]
    with pytest.raises(RelataskError, match="the same in everything but their label"):
        planned(methods=twins, baseline="A")


@pytest.mark.parametrize("minutes", [0.001, 1.0, 30.0, 1e9])
def test_shards_hold_every_run_once_in_order_and_one_data_set_each(minutes):
    runs = planned()
    shards = make_shards(runs, minutes, 1000)
    assert [run for shard in shards for run in shard.runs] == runs
    assert [shard.name for shard in shards] == [f"{index:05d}" for index in range(len(shards))]
    for shard in shards:
        assert {run.spec.dataset for run in shard.runs} == {shard.dataset}
        assert len(shard.runs) == 1 or shard.minutes <= minutes
    if minutes == 0.001:
        assert len(shards) == len(runs)
    if minutes == 1e9:
        assert [shard.dataset for shard in shards] == ["a", "b"]


@pytest.mark.parametrize("most", [2, 3, 7, 39])
def test_there_are_no_more_shards_than_asked_for_and_they_are_about_equal(most):
    runs = planned()  # 40, of two data sets
    shards = make_shards(runs, 0.001, most)
    assert [run for shard in shards for run in shard.runs] == runs
    assert most / 2 <= len(shards) <= most
    longest, total = max(run.minutes for run in runs), sum(run.minutes for run in runs)
    assert max(shard.minutes for shard in shards) <= max(longest, 2.5 * total / most)
    assert make_shards(runs, 0.001, 40) == make_shards(runs, 0.001, 1000)


def test_each_data_set_has_a_shard_however_few_are_asked_for():
    assert [shard.dataset for shard in make_shards(planned(), 0.001, 1)] == ["a", "b"]


def test_longer_trainings_are_predicted_to_cost_more():
    wide = {"quick": {"seeds": [0]}}
    minutes = {run.spec.label + run.spec.dataset: run.minutes for run in planned(scales=wide)}
    assert minutes["MTLb"] > 4 * minutes["MTLa"]  # 9,000 molecules and 2,000
    settings = {"scales": wide, "training": {"epochs": 300}}
    long = {run.spec.label + run.spec.dataset: run.minutes for run in planned(**settings)}
    assert long["STLa"] > 8 * minutes["STLa"]
    assert long["RFa"] == minutes["RFa"]


@pytest.fixture
def plan(tmp_path: Path):
    def write(minutes: float = 0.001, **changes: Any) -> Path:
        out = tmp_path / "results" / "t" / "plan.parquet"
        sizes = {"shard_minutes": minutes, "max_shards": 1000}
        step.run(Namespace(study=write_study(tmp_path / "results", study(**changes), "t"), out=out, **sizes))
        return out

    return write


def test_the_plan_on_disk_can_be_read_and_its_manifests_hold_its_runs(plan):
    out = plan(minutes=60.0)
    table = read_table("plan", out)
    assert table["run_id"].tolist() == [run.spec.run_id for run in planned()]
    assert [RunSpec.from_json(json.loads(text)).run_id for text in table["spec"]] == table["run_id"].tolist()
    for shard, rows in table.groupby("shard"):
        dataset, specs = read_manifest(out.parent / "shards" / f"{shard:05d}.json")
        assert [spec.run_id for spec in specs] == rows["run_id"].tolist()
        assert [spec.label for spec in specs] == rows["label"].tolist()
        assert {dataset} == set(rows["dataset"])


def test_a_row_of_the_plan_says_all_of_its_run(plan):
    table = read_table("plan", plan(minutes=60.0))
    assert table.columns.tolist() == list(COLUMNS["plan"])
    row = table[table["label"] == "MTL"].iloc[0]
    assert row[["dataset", "method", "encoder", "balancing", "split"]].tolist() == [
        "a", "shared_bottom", "gin", "equal", "scaffold",
    ]  # fmt: skip
    assert (row["seed"], row["tasks"]) == (0, '"all"')
    chosen = json.loads(row["hyperparameters"])
    assert (chosen["encoder"]["width"], chosen["training"]["epochs"]) == (8, 9)
    assert "label" not in json.loads(row["spec"])
    forest = table[table["label"] == "RF"].iloc[0]
    assert pd.isna(forest["encoder"])
    assert json.loads(forest["hyperparameters"])["method"]["n_estimators"] == 7
    minutes = [run.minutes for run in planned()]
    assert table["predicted_minutes"].tolist() == pytest.approx(minutes)


def test_only_manifests_that_change_are_written(plan):
    shards = plan().parent / "shards"
    old = {path.name: path.stat().st_mtime_ns for path in shards.iterdir()}
    assert len(old) == 40
    other = [{**METHODS[0]}, {**METHODS[1], "training": {"epochs": 8}}, {**METHODS[2]}]
    plan(methods=other)
    new = {path.name: path.stat().st_mtime_ns for path in shards.iterdir()}
    assert sum(new[name] != old[name] for name in old) == 8  # the MTL runs


def test_manifests_of_shards_that_are_no_more_are_removed(plan):
    shards = plan().parent / "shards"
    (shards / "00039.done.json").write_text("{}")
    (shards / "note.json").write_text("{}")
    plan(minutes=1e9)
    assert sorted(path.name for path in shards.iterdir()) == ["00000.json", "00001.json", "note.json"]


@pytest.mark.parametrize("text", ["{}", "[]", '{"dataset": "a", "runs": [{"colour": 1}]}', "{"])
def test_what_is_no_manifest_is_refused_by_name(tmp_path, text):
    path = tmp_path / "00000.json"
    path.write_text(text)
    with pytest.raises(RelataskError, match=r"00000\.json"):
        read_manifest(path)


def test_a_shard_knows_its_predicted_minutes():
    runs = tuple(planned()[:3])
    assert Shard(0, "a", runs).minutes == pytest.approx(sum(run.minutes for run in runs))


@pytest.mark.parametrize("key", ["ensemble", "imputation"])
def test_scores_of_classes_are_not_averaged(key: str) -> None:
    """The mean of the numbers of two classes is a third class, or none."""
    row = {**MTL, "label": "MTL"} | ({"ensemble": 2} if key == "ensemble" else {})
    changes = {
        "sources": {"s": {"reader": "table", "path": "a.csv", "values": "class"}},
        "metrics": ["accuracy"],
        "imputation": ["MTL"] if key == "imputation" else [],
    }
    values = study(methods=[row], baseline="MTL", **changes)
    with pytest.raises(RelataskError, match=f"`{key}` averages the scores of several runs"):
        plan_runs(parse(StudyConfig, values, "study"), "quick")


def test_options_that_draws_do_not_depend_on_keep_the_seeds_that_they_ever_had():
    base = make_spec("sgnn_ebm")
    assert base.random_seed("initialisation") == 5188881732828276048  # as before there was a second objective
    for changes in ({"edge_weight": 0.0}, {"objective": "nce_log_z"}, {"degree_normalised": True}):
        other = replace(base, method=base.method.with_options(**changes))
        assert other.run_id != base.run_id
        assert other.random_seed("initialisation") == base.random_seed("initialisation")
    wide = replace(base, method=base.method.with_options(state_width=33))
    assert wide.random_seed("initialisation") != base.random_seed("initialisation")


def test_a_row_without_a_graph_needs_no_relations_and_shuffled_graphs_are_numbered():
    rows = [
        {"label": graph, "method": "sgnn", "encoder": "gin", "graph": graph}
        for graph in ("none", "shuffled_20")
    ]
    assert {run.spec.graph for run in planned(methods=rows[:1], baseline="none")} == {"none"}
    with pytest.raises(RelataskError, match=r"shuffled_20 on data set 'a'.*or `graph: none` to the row"):
        planned(methods=rows, baseline="none")
    for graph in ("shuffled_0", "shuffled_", "nothing"):
        with pytest.raises(RelataskError, match="graph"):
            planned(methods=[rows[0] | {"graph": graph}], baseline="none")


TWO = [{"label": "MTL", **MTL}, {"label": "EBM", "method": "sgnn_ebm", "encoder": "gin", "prior": "MTL"}]
RELATED = {"a": {"source": "s", "relations": {"source": "s", "channel": "experimental"}}}


def test_a_cross_fitted_row_costs_its_priors_and_an_averaged_one_waits_for_its_prior():
    def runs(**changes: Any) -> dict[str, Any]:
        rows = [TWO[0], TWO[1] | changes, {**MTL, "label": "TWO", "prior": "MTL", "average_logits": True}]
        rows[2]["encoder_options"] = {"layers": 2}
        return {run.spec.label: run for run in planned(methods=rows, baseline="MTL", datasets=RELATED)}

    plain, crossed = runs(), runs(cross_fit=4)
    assert crossed["EBM"].minutes == pytest.approx(plain["EBM"].minutes + 4 * plain["MTL"].minutes)
    assert crossed["EBM"].spec.run_id != plain["EBM"].spec.run_id
    assert plain["TWO"].spec.prior == plain["MTL"].spec.run_id
    trial = replace(plain["TWO"].spec, search=None).as_trial({})
    assert trial.prior is None
    assert not trial.averaged


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cross_fit": 1}, "cross_fit: 2 or more parts"),
        ({"cross_fit": 3, "prior": None}, "cross_fit: it is about the prior; name one"),
        ({"average_logits": True}, "'sgnn_ebm' starts from its prior; name another method"),
        ({"average_logits": True, "ensemble": 2}, "average_logits: the row has one network of its own"),
        ({"method": "shared_bottom"}, "'shared_bottom' starts from no other; remove `prior`"),
    ],
)
def test_what_cannot_be_asked_of_a_prior_is_refused(changes, message):
    with pytest.raises(RelataskError, match=message):
        planned(methods=[TWO[0], TWO[1] | changes], baseline="MTL", datasets=RELATED)


def test_a_scale_gives_a_method_its_own_settings_on_a_data_set() -> None:
    own = {"options": {"max_features": "log2"}}
    scales = {
        "quick": {
            "seeds": [0],
            "methods": {"random_forest": {"n_estimators": 3}},
            "settings": {"b": {"random_forest": own, "shared_bottom": {"training": {"epochs": 77}}}},
        }
    }
    found = {(run.spec.dataset, run.spec.label): run.spec for run in planned(scales=scales)}
    assert found["b", "RF"].method.options["max_features"] == "log2"
    assert found["a", "RF"].method.options["max_features"] != "log2"
    assert {found[name, "RF"].method.options["n_estimators"] for name in "ab"} == {7}  # of the row
    assert found["b", "MTL"].training["epochs"] == 9  # of the row
    for wrong, message in (
        ({"c": {}}, "scales.quick.settings.*'c'"),
        (
            {"a": {"random_forest": {"options": {"x": 1}}}},
            r"scales\.quick\.settings\.a\.random_forest: .*'x'",
        ),
        ({"a": {"sgnn": {"training": {"epoch": 1}}}}, r"settings\.a\.sgnn\.training"),
    ):
        with pytest.raises(RelataskError, match=message):
            planned(scales={"quick": {"seeds": [0], "settings": wrong}})


START = {"label": "START", **MTL, "training": {"epochs": 3}}


def test_rows_that_start_from_a_trained_encoder_wait_for_it_and_priors_for_theirs() -> None:
    rows = [{**TWO[1], "encoder_from": "START"}, {**TWO[0], "encoder_from": "START"}, START]
    runs = planned(methods=rows, baseline="MTL", datasets=RELATED)
    spec = {(run.spec.label, run.spec.split, run.spec.seed): run.spec for run in runs}
    for (label, *under), run in spec.items():
        start, prior = spec["START", *under].run_id, spec["MTL", *under].run_id
        assert run.waits_for == {"START": (), "MTL": (start,), "EBM": (prior, start)}[label]
    shards = make_shards(runs, 1e9, 100)
    assert [{run.spec.label for run in shard.runs} for shard in shards] == [{"START"}, {"MTL"}, {"EBM"}]
    without = planned(methods=[TWO[1], TWO[0], START], baseline="MTL", datasets=RELATED)
    assert not {run.spec.run_id for run in runs if run.spec.label != "START"} & {
        run.spec.run_id for run in without
    }


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([START | {"encoder_from": "MTL"}, TWO[0] | {"encoder_from": "START"}], "the row waits for itself"),
        ([START, TWO[0] | {"encoder_from": "START", "encoder_options": {"layers": 2}}], "another encoder"),
        ([{**METHODS[0], "label": "START"}, TWO[0] | {"encoder_from": "START"}], "'START' is no single"),
        (
            [START, TWO[0] | {"encoder_from": "START"}, TWO[1] | {"cross_fit": 2}],
            "saw every training item, so `cross_fit` leaves none out",
        ),
    ],
)
def test_what_no_encoder_can_start_from_is_refused(rows, message):
    with pytest.raises(RelataskError, match=message):
        planned(methods=rows, baseline="MTL", datasets=RELATED)


def test_a_twin_is_its_row_with_other_random_numbers() -> None:
    rows = [*METHODS, {"label": "Again", "twin_of": "MTL"}]
    runs = {run.spec.label: run.spec for run in planned(methods=rows)}
    row, twin = runs["MTL"], runs["Again"]
    assert twin.as_dict() == {**row.as_dict(), "label": "Again", "restart": TWIN}
    assert twin.random_seed("weights") != row.random_seed("weights")
    assert twin.data_seed("mask") == row.data_seed("mask")
    written = json.loads(parse(StudyConfig, study(methods=rows), "study").model_dump_json())
    assert parse(StudyConfig, written, "study") == parse(StudyConfig, study(methods=rows), "study")


@pytest.mark.parametrize(
    ("twin", "said"),
    [
        ({"twin_of": "MTX"}, "no row that is no twin itself has the label 'MTX'"),
        ({"twin_of": "MTL", "encoder_options": {"width": 9}}, "it has its label alone"),
        ({"twin_of": "Kernel"}, "draws no random numbers"),
        ({"twin_of": "Other"}, "no row that is no twin itself has the label 'Other'"),
    ],
)
def test_a_twin_that_says_nothing_is_refused(twin: dict[str, Any], said: str) -> None:
    rows = [*METHODS, {"label": "Kernel", "method": "pairwise_kernel"}, {"label": "Other", "twin_of": "MTL"}]
    with pytest.raises(RelataskError, match=said):
        planned(methods=[*rows, {"label": "Twin", **twin}])


def test_restarts_differ_in_random_numbers_alone() -> None:
    rows = [*METHODS[1:], {"label": "Kernel", "method": "pairwise_kernel"}]
    scale = study()["scales"]["quick"]
    runs = [
        run.spec
        for run in planned(methods=rows, baseline="MTL", scales={"quick": {**scale, "restarts": 3}})
        if (run.spec.dataset, run.spec.split, run.spec.seed) == ("a", "scaffold", 0)
    ]
    assert [(run.label, run.restart) for run in runs] == [
        *(("MTL", number) for number in range(3)),
        *(("RF", number) for number in range(3)),
        ("Kernel", 0),
    ]
    assert len({run.random_seed("weights") for run in runs[:3]}) == 3
    assert RunSpec.from_json(json.loads(runs[1].canonical())).restart == 1
    before = {run.spec.run_id for run in planned(methods=METHODS)}
    assert runs[0].run_id in before  # a first restart is the run that studies without restarts have
