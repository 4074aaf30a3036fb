"""A data set from today's ChEMBL with relations from STRING, through the workflow and real HTTP."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.helpers.service import Fault, Service, activity, running, target
from tests.helpers.workflow import run_warm

STUDY = {
    "title": "Live",
    "sources": {
        "mine": {
            "reader": "chembl_activities",
            "targets": ["CHEMBL1", "CHEMBL2", "CHEMBL3", "CHEMBL99"],
            "active": {"at_least": 6.5},
        }
    },
    "datasets": {
        "ours": {"source": "mine", "relations": {"source": "string_live", "channel": "experimental"}}
    },
    "methods": [{"label": "RF", "method": "random_forest"}],
    "baseline": "RF",
    "scales": {"quick": {"seeds": [0]}},
}


def settings_of(service: Service, folder: Path) -> list[str]:
    """The config of the workflow, whose addresses hold a login and a token."""
    chembl, string = (
        f"{url.replace('://', '://someone:s3cr3t-pw@')}?api_key=s3cr3t-key"
        for url in (service.chembl, service.string)
    )
    services = {"chembl": chembl, "string": string, "requests_per_second": 1000}
    config = folder.parent / f"{folder.name}.yaml"  # Snakemake prints its command line, so it is not there
    config.write_text(yaml.safe_dump({"study": str(folder / "live.yaml"), "services": services}))
    return ["--configfile", str(config)]


def require_no_secret(folder: Path, said: str) -> None:
    """Neither what was printed nor a file, as of Snakemake's own records, holds the login or the token."""
    assert "s3cr3t" not in said
    for path in folder.rglob("*"):
        assert not path.is_file() or b"s3cr3t" not in path.read_bytes(), path


def test_targets_become_a_data_set_with_relations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "live.yaml").write_text(yaml.safe_dump(STUDY))
    with running() as service:
        service.records["targets"] = [target(f"CHEMBL{number}", f"P{number}") for number in (1, 2, 3)]
        service.records["activities"] = [
            activity(
                1000 * t + m, f"CHEMBL1{m:02}", f"CHEMBL{t}", "8.1" if (m + t) % 3 else "5.2", "C" * (m + 4)
            )
            for t in (1, 2, 3)
            for m in range(40)
        ]
        service.names = {f"P{number}": (f"9606.ENSP{number}", f"G{number}") for number in (1, 2, 3)}
        service.link("9606.ENSP1", "9606.ENSP2", score="0.9", escore="0.6")
        service.faults = [None, None, Fault("cut")]
        settings = settings_of(service, tmp_path)
        done = run_warm(tmp_path, "--printshellcmds", "prepare_all", *settings)
        asked = len(service.asked)
        run_warm(tmp_path, "prepare_all", *settings)
        assert len(service.asked) == asked == 8  # targets, CHEMBL99, 3 of activities, 1 again, 2 of STRING
    assert {asked.query["api_key"] for asked in service.asked} == {"s3cr3t-key"}
    require_no_secret(tmp_path, done.stdout + done.stderr)
    folder = tmp_path / "results" / "live" / "data" / "ours"
    tasks = pd.read_parquet(folder / "tasks.parquet")
    assert tasks.source_id.tolist() == ["CHEMBL1", "CHEMBL2", "CHEMBL3"]
    assert (tasks.n_pos + tasks.n_neg).tolist() == [40, 40, 40]
    relations = pd.read_parquet(folder / "relations.parquet")
    assert relations[["task_i", "task_j"]].to_numpy().tolist() == [tasks.task_id.tolist()[:2]]
    assert relations.score.tolist() == pytest.approx([0.6])
    content = json.loads((tmp_path / "results" / "live" / "queries" / "mine" / "activities.json").read_text())
    assert content["unknown_targets"] == ["CHEMBL99"]


def test_a_service_that_refuses_is_told_without_the_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "live.yaml").write_text(yaml.safe_dump(STUDY))
    with running() as service:
        service.faults = [Fault("status", 403)] * 9
        failed = run_warm(
            tmp_path,
            "results/live/queries/mine/activities.json",
            *settings_of(service, tmp_path),
            check=False,
        )
    assert failed.returncode != 0
    assert "ChEMBL answered 403 to http://127.0.0.1" in failed.stdout + failed.stderr
    require_no_secret(tmp_path, failed.stdout + failed.stderr)
