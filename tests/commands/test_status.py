"""`relatask status` and `relatask calibrate` tell what is true of a study, and the time left from it."""

import json
import subprocess
import sys
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from relatask.__main__ import main
from relatask.commands.status import describe
from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.core.files import write_json
from relatask.core.layout import in_study
from relatask.engine.run import RunResult
from relatask.journal import status as standings
from relatask.journal.digests import code_of_run, data_of_run, forms_of_run
from relatask.journal.heartbeat import Heartbeat
from relatask.journal.journal import Journal
from relatask.journal.status import study_status
from relatask.journal.time_left import time_left
from relatask.plan.plan import make_shards, plan_runs
from relatask.plan.spec import RunSpec
from relatask.shards.shard import Shard, ShardData
from relatask.steps import plan_runs as plan_step
from tests.helpers.prepared_dataset import SMALL, TRAINING, random_labels, write_dataset
from tests.helpers.study_tables import write_study

SEEDS = 4
METHODS = [
    {"label": "RF", "method": "random_forest", "options": {"n_estimators": SMALL["n_estimators"]}},
    {
        "label": "MLP",
        "method": "shared_bottom",
        "encoder": "fingerprint_mlp",
        "encoder_options": {"width": SMALL["width"], "layers": SMALL["layers"]},
        "training": TRAINING,
    },
]
STUDY = {
    "title": "t",
    "sources": {"s": {"reader": "planted"}},
    "datasets": {"small": {"source": "s", "size": {"items": 60, "tasks": 3}}},
    "methods": METHODS,
    "baseline": "RF",
    "scales": {"quick": {"seeds": list(range(SEEDS))}},
}


@dataclass
class Study:
    """A planned study of 8 runs, and what a test does to it."""

    folder: Path
    specs: list[RunSpec]

    def finish(self, spec: RunSpec, seconds: float = 6.0, **digests: str) -> None:
        """Journal the run, by default under the code and the data of now."""
        forms = forms_of_run(*spec.names[:2], spec.inputs)
        data = data_of_run(self.folder / "data" / "small", f"scaffold-{spec.seed}", forms)
        now = {"code": code_of_run(*spec.names), "data": data}
        cells = pd.DataFrame({"item_id": [1], "fold": "test", "task_id": "a", "label": 1.0, "score": 0.5})
        epochs = {"epoch": [1], "train_loss": 0.5, "valid_metric": 0.5, "seconds": 1.0, "task_id": None}
        history = pd.DataFrame({**epochs, "examples_per_second": 1.0, "run_id": spec.run_id})
        result = RunResult(cells.assign(run_id=spec.run_id), history, None).finished()
        Journal(self.folder).enter(spec, {**now, **digests}, result, {"seconds": seconds})

    def states(self) -> list[str]:
        return [run.state for run in study_status(self.folder).runs]

    def say(self, spec: RunSpec, share: float, process: int | None = None) -> Heartbeat:
        """A shard that trains the run; with `process`, one that was killed."""
        heartbeat = Heartbeat(self.folder, "00000")
        heartbeat.run_id, heartbeat.share = spec.run_id, share
        heartbeat._write()
        if process is not None:
            write_json(heartbeat.path, {**json.loads(heartbeat.path.read_text()), "process": process})
        return heartbeat


def make_study(results: Path, **changes: object) -> Study:
    write_dataset(results / "t" / "data" / "small", random_labels(60, 3), seeds=range(SEEDS))
    study = {**STUDY, **changes}
    values = {"study": write_study(results, study, "t"), "shard_minutes": 0.08, "max_shards": 1000}
    plan_step.run(Namespace(**values, out=results / "t" / "plan.parquet"))
    runs = plan_runs(parse(StudyConfig, study, "study"), "quick")
    return Study(results / "t", [run.spec for run in runs])


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "results")


def test_runs_are_done_running_failed_or_pending(study: Study) -> None:
    assert study.states() == ["pending"] * 8
    study.finish(study.specs[0])
    Journal(study.folder).fail(study.specs[1], "it diverged")
    study.say(study.specs[2], 0.5)
    assert study.states() == ["done", "failed", "running", *["pending"] * 5]
    status = study_status(study.folder)
    assert status.runs[1].reason == "it diverged"
    assert (status.runs[2].share, status.runs[0].seconds) == (0.5, 6.0)
    assert (len(status.running), status.killed) == (1, [])


def test_a_failed_run_that_is_tried_again_is_running_and_one_that_succeeded_is_done(study: Study) -> None:
    Journal(study.folder).fail(study.specs[1], "it diverged")
    study.say(study.specs[1], 0.1)
    assert study.states()[1] == "running"
    study.finish(study.specs[1])
    assert study.states()[1] == "done"


def test_a_run_of_a_killed_process_is_pending_and_named(study: Study, capsys) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    study.say(study.specs[2], 0.5, process.pid)
    status = study_status(study.folder)
    assert status.runs[2].state == "pending"
    assert [last.run_id for last in status.killed] == [study.specs[2].run_id]
    assert main(["status", str(study.folder)]) == 0
    said = capsys.readouterr().out
    assert "killed in the middle of a run" in said
    assert f"shard 00000: {study.folder.parent}/logs/train_shard/t-00000.log" in said
    study.finish(study.specs[2])
    assert study_status(study.folder).killed == []


@pytest.mark.parametrize("key", ["code", "data"])
def test_a_run_of_other_code_or_data_will_be_trained_again(study: Study, capsys, key: str) -> None:
    study.finish(study.specs[0], **{key: "another"})
    study.finish(study.specs[1])
    assert study.states()[:2] == ["pending", "done"]
    assert main(["status", str(study.folder)]) == 0
    assert "1 runs were trained under other code or data and will be trained again" in capsys.readouterr().out


def test_while_the_data_set_is_made_again_its_runs_count(study: Study) -> None:
    study.finish(study.specs[0])
    (study.folder / "data" / "small" / "dataset.json").unlink()
    assert study.states()[0] == "done"


@pytest.mark.parametrize("damage", ["no history", "half a record", "another record"])
def test_a_damaged_entry_is_not_done(study: Study, damage: str) -> None:
    study.finish(study.specs[0])
    entry = study.folder / "runs" / study.specs[0].run_id
    if damage == "no history":
        (entry / "history.parquet").unlink()
    else:
        text = (entry / "run.json").read_text()
        (entry / "run.json").write_text(text[: len(text) // 2] if damage == "half a record" else "[1]")
    assert study.states()[0] == "pending"


def test_a_run_of_longer_than_thirty_years_is_not_done(study: Study) -> None:
    """Its clock was broken, and one such number would make all other costs meaningless."""
    study.finish(study.specs[0], seconds=1e308)
    assert study.states()[0] == "pending"


def test_a_run_counts_only_with_the_one_it_starts_from(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = study.specs[0].run_id
    assert standings._prior_in(replace(study.specs[1], prior=first).canonical()) == first
    assert standings._prior_in(study.specs[1].canonical()) is None
    monkeypatch.setattr(standings, "_prior_in", lambda spec: first if '"seed":1' in spec else None)
    study.finish(study.specs[1])
    assert study.states()[:2] == ["pending", "pending"]
    study.finish(study.specs[0])
    assert study.states()[:2] == ["done", "done"]


def test_what_a_shard_trained_is_what_counts_as_done(study: Study) -> None:
    data = ShardData(study.folder / "data" / "small", torch.device("cpu"))
    Shard("00000", study.folder, data, "none").train([study.specs[0], study.specs[-1]])
    assert study.states() == ["done", *["pending"] * 6, "done"]


def test_the_time_left_is_the_prediction_corrected_by_what_was_measured(study: Study) -> None:
    status = study_status(study.folder)
    predicted = [run.expected for run in status.runs]
    left = time_left(status)
    assert (left.work, left.wall, left.measured) == (pytest.approx(sum(predicted)), None, False)
    study.finish(study.specs[0], seconds=3 * predicted[0])
    study.finish(study.specs[1], seconds=5 * predicted[1])
    study.say(study.specs[2], 0.75)
    status = study_status(study.folder)
    left = time_left(status)
    # 4 x for this method; the other one has nothing of its own and takes over the factor of all runs
    work = 4 * (0.25 * predicted[2] + sum(predicted[3:]))
    assert (left.work, left.wall, left.measured) == (pytest.approx(work), pytest.approx(work), True)
    Journal(study.folder).fail(study.specs[3], "no")
    assert time_left(study_status(study.folder)).work == pytest.approx(work - 4 * predicted[3])


def test_the_time_left_is_of_the_prepared_size_and_not_of_the_expected_one(tmp_path: Path) -> None:
    """Who leaves `size` out gets 2,000 x 50, and was told 19 minutes when one was left."""
    found = make_study(tmp_path / "results", datasets={"small": {"source": "s"}})
    runs = study_status(found.folder).runs
    by_label = {run.label: run for run in runs}
    described = found.folder / "data" / "small" / "dataset.json"
    labels = json.loads(described.read_text())["labels"]
    per_item = {label: (run.predicted - 1) for label, run in by_label.items()}
    assert by_label["RF"].expected - 1 == pytest.approx(per_item["RF"] * labels / (2000 * 50), rel=1e-4)
    assert by_label["MLP"].expected - 1 == pytest.approx(per_item["MLP"] * 60 / 2000, rel=1e-4)
    assert time_left(study_status(found.folder)).work == pytest.approx(sum(run.expected for run in runs))
    described.unlink()
    assert all(run.expected == run.predicted for run in study_status(found.folder).runs)


def test_the_longest_shard_bounds_the_time_left_however_many_run(study: Study) -> None:
    for number, spec in enumerate(study.specs[:3]):
        heartbeat = Heartbeat(study.folder, f"0000{number}")
        heartbeat.begin(spec.run_id)
    status = study_status(study.folder)
    by_shard = pd.Series({run.run_id: run.expected for run in status.runs}).groupby(
        {run.run_id: run.shard for run in status.runs}
    )
    left = time_left(status)
    assert left.wall == pytest.approx(max(left.work / 3, by_shard.sum().max()))
    assert by_shard.ngroups >= 2


def test_the_command_says_all_of_it_for_a_name_or_a_folder(study: Study, capsys, monkeypatch) -> None:
    study.finish(study.specs[0])
    Journal(study.folder).fail(study.specs[1], "it diverged")
    Journal(study.folder).fail(study.specs[4], "it diverged")
    study.say(study.specs[2], 0.62)
    monkeypatch.chdir(study.folder.parents[1])
    said = []
    for name in ("t", "results/t", str(study.folder)):
        assert main(["status", name]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    lines = said[0].splitlines()
    assert lines[0] == "t: 8 runs: 1 done, 1 running, 2 failed, 4 pending"
    table = {line.split()[0]: line.split()[1:] for line in lines if line.startswith(("RF ", "MLP "))}
    assert table == {"RF": ["1", "1", "1", "1", "6", "s"], "MLP": ["0", "0", "1", "3"]}
    assert any(line.startswith("left: about ") and "with 1 process as now" in line for line in lines)
    assert "  RF on small, scaffold split, seed 2: 62% (shard 00000)" in lines
    failed = study.specs[1].run_id
    assert f"  2 x it diverged (e.g. {failed}, RF on small, scaffold split, seed 1)" in lines


def test_a_finished_study_has_nothing_left(study: Study, capsys) -> None:
    for spec in study.specs:
        study.finish(spec)
    assert main(["status", str(study.folder)]) == 0
    said = capsys.readouterr().out
    assert "8 done, 0 running, 0 failed, 0 pending" in said
    assert "left: nothing to train" in said


def test_a_study_without_a_plan_is_refused(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["status", "mine"]) == 2
    assert "no plan of the study 'mine' in mine or results/mine; run the workflow" in capsys.readouterr().err


def test_calibrate_prints_the_factors_that_make_the_prediction_what_was_measured(
    tmp_path: Path, capsys
) -> None:
    study = make_study(tmp_path / "results")
    with pytest.raises(RelataskError, match=r"no run of the study .* has finished yet"):
        calibrated(study)
    predicted = {run.label: run.predicted for run in study_status(study.folder).runs}
    for spec in study.specs:
        study.finish(spec, seconds=predicted[spec.label] * {"RF": 2.0, "MLP": 0.5}[spec.label])
    assert main(["calibrate", str(study.folder)]) == 0
    said = capsys.readouterr().out
    assert "datasets:\n  small:\n    cost_factors: {RF: 2, MLP: 0.5}" in said

    factors = {"RF": 2.0, "MLP": 0.5}
    better = make_study(
        tmp_path / "results", datasets={"small": {**STUDY["datasets"]["small"], "cost_factors": factors}}
    )
    assert [spec.run_id for spec in better.specs] == [spec.run_id for spec in study.specs]
    runs = study_status(study.folder).runs
    assert all(run.predicted == pytest.approx(run.seconds, rel=1e-5) for run in runs)
    assert main(["calibrate", str(study.folder)]) == 0  # the factors stay what they are
    assert "cost_factors: {RF: 2, MLP: 0.5}" in capsys.readouterr().out


def calibrated(study: Study) -> list[str]:
    from relatask.commands.calibrate import describe

    return describe("t", study_status(study.folder).runs)


def test_measured_costs_pack_shards_to_the_length_asked_for() -> None:
    """Ten thousand runs of two methods that cost 0.2 and 5 times the prediction."""
    true = {"RF": 0.2, "MLP": 5.0}
    seeds = {"quick": {"seeds": list(range(200))}}

    def shard_lengths(factors: dict[str, float]) -> pd.Series:
        datasets = {"small": {**STUDY["datasets"]["small"], "cost_factors": factors}}
        config = parse(StudyConfig, {**STUDY, "datasets": datasets, "scales": seeds}, "study")
        shards = make_shards(plan_runs(config, "quick"), 2.0, 1000)
        return pd.Series(
            [sum(run.minutes / run.factor * true[run.spec.label] for run in shard.runs) for shard in shards]
        )

    before, after = shard_lengths({}), shard_lengths(true)
    assert before.max() > 9
    assert after.max() <= 2.0
    assert after.iloc[:-1].min() > 1.5


def test_a_factor_of_a_method_that_is_not_there_is_refused() -> None:
    datasets = {"small": {"source": "s", "cost_factors": {"MPL": 2.0}}}
    with pytest.raises(RelataskError, match=r"datasets.small.cost_factors.*'MPL'.*Did you mean 'MLP'"):
        parse(StudyConfig, {**STUDY, "datasets": datasets}, "study")


def test_trials_of_searches_are_counted_with_the_time_that_they_will_take(tmp_path: Path) -> None:
    study = make_study(tmp_path / "results", search={"trials": 3})
    status = study_status(study.folder)
    assert [(search.done, search.trials) for search in status.searches] == [(0, 3)] * 8
    left = time_left(status).work
    assert left > time_left(replace(status, searches=[])).work
    searched = study.specs[0]
    study.finish(searched.as_trial({}), seconds=100.0)
    first, *others = study_status(study.folder).searches
    assert (first.done, first.left) == (1, 200.0)
    assert {search.done for search in others} == {0}
    named = {"dataset": "small", "label": searched.label, "scheme": "scaffold", "seed": "0"}
    (study.folder / in_study("trials", **named)).parent.mkdir(parents=True)
    (study.folder / in_study("trials", **named)).touch()
    status = study_status(study.folder)
    assert status.searches[0].left == 0
    assert "searches for settings: 3 of 24 trials" in describe(study.folder, status)
