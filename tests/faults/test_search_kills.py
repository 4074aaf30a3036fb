"""A search that is killed again and again chooses the same settings, and its row has the same numbers.

Not part of `make test`, as it takes minutes; `make test-faults` runs it.
"""

import os
from pathlib import Path

import pytest

from relatask.core.tables import read_table
from tests.faults.kills import run_with_kills
from tests.helpers.workflow import TINY, run_snakemake, write_study

STUDY = TINY | {
    "training": {"epochs": 10, "learning_rate": 0.003},
    "methods": [row for row in TINY["methods"] if row["label"] == "MTL"],
    "baseline": "MTL",
    "search": {"trials": 6},
    "scales": {"quick": TINY["scales"]["quick"] | {"seeds": [0]}},
}
STEP = "search_settings"
PREDICTIONS = "results/tiny/predictions.parquet"  # what comes after is the same for all rows
KILLS = int(os.environ.get("RELATASK_KILLS", "5"))


def outcome(folder: Path) -> dict[str, bytes]:
    """What was tried and chosen, and what the row predicts."""
    study = folder / "results" / "tiny"
    trials = read_table("trials", study / "search" / "tiny_planted" / "MTL" / "scaffold-0.parquet")
    assert (len(trials), trials["settings"].nunique()) == (6, 6)
    return {
        "trials": trials.drop(columns="seconds").to_csv().encode(),
        "predictions": (folder / PREDICTIONS).read_bytes(),
    }


@pytest.mark.skipif(KILLS == 0, reason="RELATASK_KILLS=0 leaves the kills out, which take minutes")
def test_a_search_killed_at_any_moment_chooses_the_same(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("left alone", "killed")]
    for folder in folders:
        folder.mkdir()
    settings = [["--config", f"study={write_study(folder, STUDY)}", "--", PREDICTIONS] for folder in folders]
    run_snakemake(folders[0], *settings[0])
    (measured,) = (folders[0] / "results" / "benchmarks" / STEP).glob("*.tsv")
    seconds = {STEP: float(measured.read_text().splitlines()[1].split("\t")[0])}
    kills = run_with_kills(folders[1], settings[1], seconds, each=KILLS, only=STEP)
    told = "\n".join(map(str, kills))
    assert sum(kill.inside for kill in kills) >= min(KILLS, 3), told
    assert outcome(folders[1]) == outcome(folders[0]), told
