"""What the plan, the step that writes it, merging and `relatask status` cost for 10,000 and 100,000 runs.

    python -m benchmarks.bench_plan [--full]

Each figure is of a fresh process: CPU seconds, which other work disturbs little, wall time and peak memory.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.children import cost_of

IMPORT = "import relatask.plan.plan"
PLAN = """
from pathlib import Path
from relatask.config import read_study
from relatask.plan.plan import make_shards, plan_runs
runs = plan_runs(read_study(Path({study!r})).study, "quick")
print(len(runs), "runs in", len(make_shards(runs, 20.0, 1000)), "shards")
"""
STEP = """
from relatask.__main__ import main
raise SystemExit(main(["plan_runs", "--study", {study!r}, "--shard-minutes", "20", "--out", {out!r}]))
"""
JOURNAL = """
import shutil
from dataclasses import replace
from pathlib import Path
import pandas as pd
from relatask.core.tables import read_table
from relatask.journal.journal import Journal
from relatask.engine.run import RunResult
from relatask.plan.spec import RunSpec
from relatask.core.files import write_json
from relatask.journal.digests import code_of_run, data_of_run, forms_of_run
import json
import relatask.core.atomic
relatask.core.atomic.os.fsync = lambda handle: None  # this only makes the input
plan = read_table("plan", {out!r})
journal = Journal(Path({out!r}).parent)
cells = pd.DataFrame({{"item_id": range({cells}), "fold": "test", "task_id": "a", "label": 1.0}})
cells["score"] = 0.5
epochs = pd.DataFrame({{"epoch": range(10), "train_loss": 0.5, "valid_metric": 0.5, "seconds": 1.0}})
epochs["task_id"], epochs["examples_per_second"] = None, 10.0
measured = {{"seconds": 1.0, "peak_rss_mb": 300.0, "device": "CPU", "host": "Linux"}}
for text in plan["spec"]:
    spec = RunSpec.from_json(json.loads(text))
    result = RunResult(cells.assign(run_id=spec.run_id), epochs.assign(run_id=spec.run_id), None).finished()
    data, split = Path({out!r}).parents[1] / spec.dataset, f"{{spec.split}}-{{spec.seed}}"
    for record in ("dataset.json", "features/features.json", f"splits/{{split}}.json"):
        if not (data / record).exists():
            write_json(data / record, {{"digest": "d", "inputs": {{}}, "files": {{}}}})
    forms = forms_of_run(*spec.names[:2], spec.inputs)
    digests = {{"code": code_of_run(*spec.names), "data": data_of_run(data, split, forms)}}
    journal.enter(spec, digests, result, measured)
"""
MERGE = """
from relatask.__main__ import main
folder = {folder!r}
raise SystemExit(main(["merge_runs", "--plan", {out!r}, "--runs", {runs!r},
      "--out-predictions", folder + "/p.parquet", "--out-history", folder + "/h.parquet",
      "--out-costs", folder + "/c.parquet"]))
"""
STATUS = """
from relatask.__main__ import main
raise SystemExit(main(["status", {folder!r}]))
"""


def big_study(n_runs: int) -> str:
    """The study.json of a study of `n_runs`: 20 methods, many seeds."""
    methods = [
        {"label": f"M{w}", "method": "shared_bottom", "encoder": "gin", "encoder_options": {"width": w}}
        for w in range(16, 36)
    ]
    study = {
        "title": "big",
        "sources": {"planted": {"reader": "planted"}},
        "datasets": {"planted": {"source": "planted"}},
        "methods": methods,
        "baseline": "M16",
        "scales": {"quick": {"seeds": list(range(n_runs // 20))}},
    }
    return json.dumps({"name": "s", "scale": "quick", "study": study})


def report(name: str, code: str) -> None:
    """Print what a process that runs `code` costs."""
    cost = cost_of([sys.executable, "-c", code])
    print(f"{name:40} {cost.cpu:7.2f} CPU-s {cost.wall:7.2f} s {cost.megabytes:7.0f} MB", flush=True)


def main() -> None:
    """Measure, for both sizes, in a folder that is removed afterwards."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--full", action="store_true", help="also merge 100,000 runs, which takes an hour to make"
    )
    full = parser.parse_known_args()[0].full
    report("python alone", "pass")
    report("import relatask.plan.plan", IMPORT)
    for n_runs, cells in ((10_000, 1000), (100_000, 100)):
        with tempfile.TemporaryDirectory() as folder:
            study, out = Path(folder) / "study.json", Path(folder) / "s" / "plan.parquet"
            study.write_text(big_study(n_runs))
            report(f"plan {n_runs:,} runs", PLAN.format(study=str(study)))
            report(f"step plan_runs, {n_runs:,} runs", STEP.format(study=str(study), out=str(out)))
            if n_runs == 10_000 or full:
                cost_of([sys.executable, "-c", JOURNAL.format(out=str(out), cells=cells)])
                names = {"out": str(out), "runs": str(out.parent / "runs"), "folder": folder}
                report(f"step merge_runs, {n_runs:,} runs, 10 M rows", MERGE.format(**names))
                report(f"relatask status, {n_runs:,} runs", STATUS.format(folder=str(out.parent)))


if __name__ == "__main__":
    main()
