"""The studies of thousands of runs that benchmarks plan are valid, so that `make bench` goes through."""

from pathlib import Path

from benchmarks import bench_plan, bench_workflow
from relatask.config import load_config, read_study
from relatask.plan.plan import plan_runs


def test_the_big_study_of_the_workflow_can_be_planned(root: Path, tmp_path: Path):
    path = bench_workflow.big_study(tmp_path, 1000)
    _, _, study = load_config({"study": str(path)}, root)
    assert len(plan_runs(study, "quick")) == 1000


def test_the_big_study_of_the_plan_can_be_planned(tmp_path: Path):
    path = tmp_path / "study.json"
    path.write_text(bench_plan.big_study(1000))
    assert len(plan_runs(read_study(path).study, "quick")) == 1000
