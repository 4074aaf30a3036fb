"""A data set from today's ChEMBL with relations from STRING, through the workflow and real HTTP."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.helpers.service import Fault, activity, running, target
from tests.helpers.workflow import run_snakemake

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
        services = {"chembl": service.chembl, "string": service.string, "requests_per_second": 1000}
        settings = ["--config", f"study={tmp_path / 'live.yaml'}", f"services={json.dumps(services)}"]
        run_snakemake(tmp_path, "prepare_all", *settings)
        asked = len(service.asked)
        run_snakemake(tmp_path, "prepare_all", *settings)
        assert len(service.asked) == asked == 8  # targets, CHEMBL99, 3 of activities, 1 again, 2 of STRING
    folder = tmp_path / "results" / "ours"
    tasks = pd.read_parquet(folder / "tasks.parquet")
    assert tasks.source_id.tolist() == ["CHEMBL1", "CHEMBL2", "CHEMBL3"]
    assert (tasks.n_pos + tasks.n_neg).tolist() == [40, 40, 40]
    relations = pd.read_parquet(folder / "relations.parquet")
    assert relations[["task_i", "task_j"]].to_numpy().tolist() == [tasks.task_id.tolist()[:2]]
    assert relations.score.tolist() == pytest.approx([0.6])
    content = json.loads((tmp_path / "results" / "raw" / "mine" / "activities.json").read_text())
    assert content["unknown_targets"] == ["CHEMBL99"]
