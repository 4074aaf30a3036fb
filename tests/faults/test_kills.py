"""A study that is killed again and again, in each of its steps, ends with the bytes of one left alone.

Not part of `make test`, as it takes minutes; `make test-faults` runs it.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.kills import run_with_kills
from tests.helpers.service import Service, activity, running, target
from tests.helpers.workflow import TINY, run_snakemake, write_study

STUDY = TINY | {
    "sources": TINY["sources"]
    | {
        "mine": {
            "reader": "chembl_activities",
            "targets": ["CHEMBL1", "CHEMBL2"],
            "active": {"at_least": 6.5},
        }
    },
    "datasets": TINY["datasets"]
    | {"live": {"source": "mine", "relations": {"source": "string_live", "channel": "experimental"}}},
    "training": {"epochs": 60, "learning_rate": 0.003},
    "scales": {"quick": TINY["scales"]["quick"] | {"seeds": [0]}},
}
STEPS = {
    *("query_activities", "plant_data", "prepare_items", "query_string", "relate_tasks"),
    *("densify_dataset", "split_items", "featurise_items", "plan_runs", "train_shard", "merge_runs"),
    *(
        "evaluate_runs",
        "compare_methods",
        "resample_items",
        "check_leaks",
        "write_tables",
        "draw_figures",
        "publish_study",
    ),
    "write_manifest",
}
KILLS = int(os.environ.get("RELATASK_KILLS", "5"))  # of each step
MEASURED = ("costs", "history")  # hold seconds


@pytest.fixture
def service() -> Iterator[Service]:
    with running() as service:
        service.records["targets"] = [target(f"CHEMBL{number}", f"P{number}") for number in (1, 2)]
        service.records["activities"] = [
            activity(
                1000 * t + m, f"CHEMBL1{m:02}", f"CHEMBL{t}", "8.1" if (m + t) % 3 else "5.2", "C" * (m + 4)
            )
            for t in (1, 2)
            for m in range(40)
        ]
        service.names = {f"P{number}": (f"9606.ENSP{number}", f"G{number}") for number in (1, 2)}
        service.link("9606.ENSP1", "9606.ENSP2", score="0.9", escore="0.6")
        yield service


def outcome(folder: Path) -> dict[str, bytes]:
    """Data sets, splits, features, predictions, metrics, and tables of a finished study."""
    results = folder / "results"
    places = ("tiny/data/**/*", "tiny/*.parquet", "tiny/tables/*", "tiny/figures/*.parquet")
    found = {
        str(path.relative_to(results)): path.read_bytes()
        for place in places
        for path in results.glob(place)
        if path.is_file() and path.stem not in MEASURED and "learning_curves" not in path.name
    }
    assert not [name for name in found if "/." in name], "a temporary file was left behind"
    return found


def durations(folder: Path) -> dict[str, float]:
    """Step -> seconds of its fastest job, as Snakemake measured them."""
    found: dict[str, float] = {}
    for path in (folder / "results" / "benchmarks").rglob("*.tsv"):
        seconds = float(path.read_text().splitlines()[1].split("\t")[0])
        found[path.parent.name] = min(seconds, found.get(path.parent.name, seconds))
    return found


@pytest.mark.skipif(KILLS == 0, reason="RELATASK_KILLS=0 leaves the kills out, which take minutes")
def test_killed_in_each_step_it_ends_with_the_same_bytes(tmp_path: Path, service: Service) -> None:
    folders = [tmp_path / name for name in ("left alone", "killed")]
    address = {"chembl": service.chembl, "string": service.string, "requests_per_second": 1000}
    for folder in folders:
        folder.mkdir()
    settings = [
        [
            *("all", "publish", "--config", f"study={write_study(folder, STUDY)}"),
            *(f"services={json.dumps(address)}", "shard_minutes=0.01", "--cores", "1"),
        ]
        for folder in folders
    ]
    run_snakemake(folders[0], *settings[0])
    kills = run_with_kills(folders[1], settings[1], durations(folders[0]), each=KILLS)
    run_snakemake(folders[1], *settings[1])
    told = "\n".join(map(str, kills))
    print(f"{len(kills)} kills:\n{told}")
    assert len(kills) >= 10 * KILLS, told
    assert {kill.step for kill in kills if kill.inside} == STEPS, told
    wanted, found = map(outcome, folders)
    assert sorted(found) == sorted(wanted)
    assert [name for name in wanted if found[name] != wanted[name]] == []
    assert "tiny/tables/main.md" in wanted
