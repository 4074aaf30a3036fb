"""What planning, the step that writes the plan, and merging cost for 10,000 and 100,000 runs.

    python -m benchmarks.bench_plan

Each figure is of a fresh process: CPU seconds, which other work disturbs little, and peak memory.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

IMPORT = "import relatask.training.plan"
PLAN = """
import json
from relatask.config import StudyConfig, parse
from relatask.training.plan import make_shards, plan_runs
runs = plan_runs(parse(StudyConfig, json.load(open({study!r})), "study"), "quick")
print(len(runs), "runs in", len(make_shards(runs, 20.0, 1000)), "shards")
"""
STEP = """
from relatask.__main__ import main
main(["plan_runs", "--study", "s", "--study-config", open({study!r}).read(), "--scale", "quick",
      "--shard-minutes", "20", "--out", {out!r}])
"""
JOURNAL = """
import shutil
from dataclasses import replace
from pathlib import Path
import pandas as pd
from relatask.artifacts import read_table
from relatask.training.journal import Journal
from relatask.training.run import RunResult
from relatask.training.spec import RunSpec
import json
import relatask.files
relatask.files.os.fsync = lambda handle: None  # this only makes the input
plan = read_table("plan", {out!r})
journal = Journal(Path({out!r}).parent)
cells = pd.DataFrame({{"item_id": range({cells}), "fold": "test", "task_id": "a", "label": 1.0}})
cells["score"] = 0.5
epochs = pd.DataFrame({{"epoch": range(10), "train_loss": 0.5, "valid_metric": 0.5, "seconds": 1.0}})
epochs["task_id"], epochs["examples_per_second"] = None, 10.0
measured = {{"seconds": 1.0, "peak_rss_mb": 300.0, "device": "CPU", "host": "Linux"}}
for text in plan["spec"]:
    spec = RunSpec.from_json(json.loads(text))
    result = RunResult(cells.assign(run_id=spec.run_id), epochs.assign(run_id=spec.run_id), None)
    journal.enter(spec, {{"code": "c", "data": "d"}}, result, measured)
"""
MERGE = """
from relatask.__main__ import main
main(["merge_runs", "--plan", {out!r}, "--runs", {runs!r}, "--out-predictions", {folder!r} + "/p.parquet",
      "--out-history", {folder!r} + "/h.parquet", "--out-costs", {folder!r} + "/c.parquet"])
"""
MEASURE = """
import resource
usage = resource.getrusage(resource.RUSAGE_SELF)
print("COST", usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def big_study(n_runs: int) -> str:
    """A study of `n_runs`: 20 methods, many seeds."""
    methods = [
        {"label": f"M{w}", "method": "shared_bottom", "encoder": "gin", "encoder_options": {"width": w}}
        for w in range(16, 36)
    ]
    return json.dumps(
        {
            "title": "big",
            "sources": {"planted": {"reader": "planted"}},
            "datasets": {"planted": {"source": "planted"}},
            "methods": methods,
            "baseline": "M16",
            "scales": {"quick": {"seeds": list(range(n_runs // 20))}},
        }
    )


def cost(code: str) -> tuple[float, float]:
    """CPU seconds and peak megabytes of a process that runs `code`."""
    done = subprocess.run([sys.executable, "-c", code + MEASURE], capture_output=True, text=True, check=True)
    seconds, megabytes = done.stdout.rsplit("COST", 1)[1].split()
    return float(seconds), float(megabytes)


def report(name: str, code: str) -> None:
    """Print what a process that runs `code` costs."""
    seconds, megabytes = cost(code)
    print(f"{name:40} {seconds:7.2f} CPU-s {megabytes:7.0f} MB", flush=True)


def main() -> None:
    """Measure, for both sizes, in a folder that is removed afterwards."""
    report("python alone", "pass")
    report("import relatask.training.plan", IMPORT)
    for n_runs in (10_000, 100_000):
        with tempfile.TemporaryDirectory() as folder:
            study, out = Path(folder) / "study.json", Path(folder) / "s" / "plan.parquet"
            study.write_text(big_study(n_runs))
            report(f"plan {n_runs:,} runs", PLAN.format(study=str(study)))
            report(f"step plan_runs, {n_runs:,} runs", STEP.format(study=str(study), out=str(out)))
            if n_runs == 10_000:
                subprocess.run([sys.executable, "-c", JOURNAL.format(out=str(out), cells=1000)], check=True)
                names = {"out": str(out), "runs": str(out.parent / "runs"), "folder": folder}
                report(f"step merge_runs, {n_runs:,} runs, 10 M rows", MERGE.format(**names))


if __name__ == "__main__":
    main()
