"""How often equal methods are told apart: trainings of one network that differ in random numbers alone.

    python -m benchmarks.null_calibration [--folder FOLDER] [--restarts 8] [--repeats 5] [kiba toxcast]

One network is trained several times on each of five times five folds of the real data (KIBA at tau = 100 and
ToxCast at tau = 150 with the networks of `kiba_string` and `toxcast_string` at quick scale). Given the split,
a restart's random numbers say nothing of another's, so in each fold any two trainings may stand for two
methods: many A/A studies are drawn from them, each with one training of each fold for each of its rows, and
compared as tables do. Nominal is 5 %: of a study of two rows that it calls them better or worse, of a study
of five rows that it does so of any pair.

Also shown: the test that tables had before (Wilcoxon over tasks, means over three folds as seeds), folds
taken for independent (which tells whether the interval itself is right), and the corrected interval that
verdicts rest on, which is wider, since it speaks of other molecules too and twins do not differ there.
"""

import argparse
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import wilcoxon

import relatask
from benchmarks.bench_prepare import MIRROR
from benchmarks.common import kept_or_scratch
from relatask.core.processes import usable_cores
from relatask.evaluation.aggregate import runs_of, trainings
from relatask.evaluation.fold_test import Family, interval

ROOT = Path(relatask.__file__).parents[2]
FOLDS = 5
TEST_TO_TRAIN = 1 / 3  # of five folds, of which one validates
DATA = {"kiba": ("kiba_string", "kiba_t100"), "toxcast": ("toxcast_string", "toxcast_t150")}
STUDIES = 4000  # that are drawn
ROWS = (2, 5)


def study_of(name: str, restarts: int, repeats: int) -> dict[str, object]:
    """The study file of one data set: the network `MTL` of its published study, and nothing else."""
    published, dataset = DATA[name]
    whole = yaml.safe_load((ROOT / "config" / "studies" / f"{published}.yaml").read_text())
    quick = whole["scales"]["quick"]
    return {
        "title": f"A/A trainings on {dataset}",
        "sources": whole["sources"],
        "datasets": {dataset: whole["datasets"][dataset]},
        "splits": {"schemes": ["cross_validation"], "n_folds": FOLDS, "by": "labels"},
        "training": whole["training"],
        "methods": [row for row in whole["methods"] if row["label"] == "MTL"],
        "baseline": "MTL",
        "metrics": ["roc_auc"],
        "csv_predictions": False,
        "scales": {
            "quick": {
                "seeds": list(range(FOLDS * repeats)),
                "restarts": restarts,
                "training": quick.get("training", {}),
                "encoders": {"fingerprint_mlp": quick.get("encoders", {}).get("fingerprint_mlp", {})},
            }
        },
    }


def trained(folder: Path, name: str, restarts: int, repeats: int) -> np.ndarray:
    """Test ROC-AUC [folds, restarts, tasks], NaN where undefined, of a study that is run if it was not."""
    study = folder / f"null_{name}.yaml"
    study.write_text(yaml.safe_dump(study_of(name, restarts, repeats), sort_keys=False))
    config = [f"study={study}", f"mirror={MIRROR}"]
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--cores", str(usable_cores()), f"results/null_{name}/metrics.parquet", "--config", *config]
    subprocess.run(list(map(str, command)), cwd=folder, check=True)
    results = folder / "results" / f"null_{name}"
    plan = runs_of(pd.read_parquet(results / "plan.parquet"), None)
    cells = trainings(plan, pd.read_parquet(results / "metrics.parquet"))
    cells = cells[cells["fold"].astype(str) == "test"]
    table = cells.pivot_table(
        index=["seed", "restart"], columns="task_id", values="value", observed=True, dropna=False
    )
    return table.to_numpy().reshape(FOLDS * repeats, restarts, -1)


def drawn(values: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Values [folds, rows, tasks] of a study whose rows are different trainings of each fold."""
    order = rng.random(values.shape[:2]).argsort(1)[:, :rows]
    return np.take_along_axis(values, order[:, :, None], 1)


def told_apart(values: np.ndarray, test_to_train: float) -> bool:
    """Whether any pair of rows has an interval of one sign."""
    means = np.nanmean(values, axis=2)
    family = Family.of(means)
    ends = [
        interval(means[:, a] - means[:, b], family, test_to_train)
        for a, b in combinations(range(means.shape[1]), 2)
    ]
    return any(low > 0 or high < 0 for low, high in ends)


def over_tasks(values: np.ndarray) -> bool:
    """Whether a signed-rank test over tasks tells two rows apart, of three folds as seeds."""
    difference = np.nanmean(values[:3, 0] - values[:3, 1], axis=0)
    return bool(wilcoxon(difference[~np.isnan(difference)]).pvalue < 0.05)


def main() -> None:
    """Train, draw studies, count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", default=list(DATA))
    parser.add_argument("--folder", type=Path, help="keeps trainings for the next time")
    parser.add_argument("--restarts", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if not MIRROR.is_dir():
        print(f"skipped: {MIRROR} is not there")
        return
    with kept_or_scratch(arguments.folder) as folder:
        for name in arguments.data:
            values = trained(folder, name, arguments.restarts, arguments.repeats)
            spread = np.nanmean(values, axis=2).std(1, ddof=1).mean()
            n_folds, n_restarts, n_tasks = values.shape
            print(
                f"{name}: {n_folds} folds, {n_restarts} trainings of each, {n_tasks} tasks; the mean ROC-AUC "
                f"of a fold deviates by {100 * spread:.2f} points between trainings. Told apart at 5 %:"
            )
            rng = np.random.default_rng(0)
            studies = [drawn(values, 2, rng) for _ in range(STUDIES)]
            shares = {"signed ranks over tasks, three folds": np.mean([over_tasks(one) for one in studies])}
            for rows in ROWS:
                studies = [drawn(values, rows, rng) for _ in range(STUDIES)]
                for what, ratio in (("independent folds", 0.0), ("overlap corrected", TEST_TO_TRAIN)):
                    found = np.mean([told_apart(one, ratio) for one in studies])
                    shares[f"{rows} rows, {n_folds} folds, {what}"] = found
            for what, share in shares.items():
                print(f"  {what:44} {100 * share:5.1f} %", flush=True)


if __name__ == "__main__":
    main()
