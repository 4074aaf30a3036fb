"""Assays lead to human proteins, and activities on targets to labelled molecules."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from relatask.data.replicates import merge_labels
from relatask.sources.active import ActiveRule
from relatask.sources.chembl.activities import read_activities
from relatask.sources.chembl.assay_targets import find_assay_targets, read_assay_ids
from relatask.sources.chembl.target_activities import collect_activities
from relatask.sources.services.chembl import BATCH, Chembl, uniprots_of
from relatask.sources.services.http import Client
from tests.helpers.clients import chembl_of, many
from tests.helpers.data_tables import source_of
from tests.helpers.service import Fault, Service, activity, assay, target


def test_assays_are_asked_for_in_batches_and_lead_to_accessions(service: Service, tmp_path: Path) -> None:
    names = many(service, 120)
    table = find_assay_targets(chembl_of(service, tmp_path), names)
    assert table.assay_id.tolist() == names
    assert table.uniprots.tolist() == [[f"P{i // 3:05}"] for i in range(120)]
    assert table.reason.isna().all()
    batches = [len(asked.parameters["assay_chembl_id__in"].split(",")) for asked in service.asked[:3]]
    assert batches == [BATCH, BATCH, 20]
    assert len(service.asked) == 4  # and one for the 40 targets


def test_pages_are_followed_to_the_end(service: Service, tmp_path: Path) -> None:
    names = many(service, 23)
    service.page = 5
    found, unknown = chembl_of(service, tmp_path).assays(names)
    assert sorted(found) == sorted(names)
    assert unknown == []
    assert [asked.parameters.get("offset") for asked in service.asked] == [None, "5", "10", "15", "20"]


def page_of(records: list[dict[str, Any]], plural: str = "assays", **meta: Any) -> tuple[bytes, None]:
    """An answer with records, the only page if `meta` does not say otherwise."""
    said = {"next": None, "total_count": len(records), **meta}
    return json.dumps({plural: records, "page_meta": said}).encode(), None


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        ({}, "no page_meta"),
        ({"paging": {"next": None, "total_count": 2500}}, "no page_meta"),
        ({"page_meta": {"following": None, "total_count": 1}}, "no page_meta"),
        ({"page_meta": {"next": 7, "total_count": 1}}, "no page_meta"),
        ({"page_meta": {"next": None, "count": 1}}, "does not count"),
        ({"page_meta": {"next": None, "total_count": "1"}}, "does not count"),
        ({"page_meta": {"next": None, "total_count": True}}, "does not count"),
        ({"page_meta": {"next": None, "total_count": -1}}, "does not count"),
    ],
)
def test_a_page_that_does_not_say_whether_it_is_all_is_refused(
    service: Service, tmp_path: Path, meta: dict[str, Any], reason: str
) -> None:
    """Else the first 1,000 of 2,500 records pass for all of them."""
    body = json.dumps({"assays": [assay("CHEMBL1", "CHEMBL10")], **meta}).encode()
    service.files["/data/assay.json"] = (body, None)
    chembl = Chembl(chembl_of(service, tmp_path).client, f"{service.root}/data")
    with pytest.raises(RelataskError, match=reason):
        chembl.assays(["CHEMBL1"])


class EndlessPages:
    """Stands for a client: an answer to every address, each with an address of a next page."""

    service, answers = "ChEMBL", Path("answers")

    def __init__(self, records: Callable[[int], list[dict[str, Any]]], count: Callable[[int], int]):
        self.records, self.count, self.asked = records, count, 0

    def ask(self, url: str, parameters: dict[str, str], parse: Callable[[bytes], Any], **_: Any) -> Any:
        """Return the next page."""
        self.asked += 1
        assert self.asked < 100, "it goes on for ever"
        following = f"/data/assay.json?offset={1000 * self.asked}"
        return parse(page_of(self.records(self.asked), next=following, total_count=self.count(self.asked))[0])


@pytest.mark.parametrize(
    ("records", "count"),
    [
        (lambda page: [assay("CHEMBL1", None)], lambda page: 3),
        (lambda page: [], lambda page: 3),
        (lambda page: [assay("CHEMBL1", None)], lambda page: page),
        (lambda page: [assay(f"CHEMBL{page}", None)], lambda page: page + 1),
        (lambda page: [assay(f"CHEMBL{page}", None)], lambda page: 3),
    ],
    ids=["the same record", "empty pages", "a count that grows", "both grow", "more than counted"],
)
def test_pages_without_end_end(
    records: Callable[[int], list[dict[str, Any]]], count: Callable[[int], int]
) -> None:
    client = EndlessPages(records, count)
    chembl = Chembl(cast(Client, client), "http://127.0.0.1/data")
    with pytest.raises(RelataskError, match="its data may have changed meanwhile: delete answers"):
        chembl.assays([f"CHEMBL{number}" for number in range(1, 50)])
    assert client.asked <= 4


def test_an_empty_last_page_loses_nothing() -> None:
    client = EndlessPages(lambda page: [assay("CHEMBL1", None)] if page == 1 else [], lambda page: 1)
    chembl = Chembl(cast(Client, client), "http://127.0.0.1/data")
    assert list(chembl.assays(["CHEMBL1"])[0]) == ["CHEMBL1"]


def test_every_assay_without_a_human_protein_says_why(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service.records["assays"] = [
        assay("CHEMBL1", "CHEMBL10"),
        assay("CHEMBL2", "CHEMBL20"),
        assay("CHEMBL3", "CHEMBL30"),
        assay("CHEMBL4", "CHEMBL40"),
        assay("CHEMBL5", None),
        assay("CHEMBL6", "CHEMBL60"),
    ]
    service.records["targets"] = [
        target("CHEMBL10", "Q9Y5X4", "A0A024R1R8", "P00001"),
        target("CHEMBL20", "P00002", tax_id=10116),
        target("CHEMBL30", tax_id=None),
        target("CHEMBL60", "P00006", tax_id=None),
    ]
    wanted = ["CHEMBL6", "CHEMBL5", "CHEMBL4", "CHEMBL3", "CHEMBL2", "CHEMBL1", "CHEMBL77", "egfr", "CHEMBL6"]
    table = find_assay_targets(chembl_of(service, tmp_path), wanted).set_index("assay_id")
    assert list(table.index) == wanted[:-1]
    assert table.uniprots.to_dict() == {name: [] for name in wanted} | {
        "CHEMBL1": ["A0A024R1R8", "P00001", "Q9Y5X4"]
    }
    assert table.reason.dropna().to_dict() == {
        "CHEMBL77": "ChEMBL does not know the assay",
        "egfr": "ChEMBL does not know the assay",
        "CHEMBL5": "ChEMBL names no target",
        "CHEMBL4": "ChEMBL does not know the target",
        "CHEMBL2": "the target is not human but Rattus norvegicus (10116)",
        "CHEMBL3": "the target names no protein",
        "CHEMBL6": "the target has no organism",
    }
    assert "ChEMBL does not know 2 of 8 assays: CHEMBL77, egfr" in caplog.text
    assert "ChEMBL does not know 1 of 5 targets: CHEMBL40" in caplog.text
    sent = [value for asked in service.asked for value in asked.parameters.values()]
    assert not any("egfr" in value for value in sent)  # it cannot be an id


def test_an_id_that_no_batch_brings_is_asked_for_by_itself(service: Service, tmp_path: Path) -> None:
    service.records["assays"] = [assay("CHEMBL1", "CHEMBL10")]
    body = json.dumps(assay("CHEMBL2", "CHEMBL20")).encode()
    service.files["/data/assay/CHEMBL2.json"] = (body, None)
    service.files["/data/assay.json"] = page_of(service.records["assays"])
    service.files["/data/assay/CHEMBL3.json"] = (b'{"assay_chembl_id": "CHEMBL3"', None)
    chembl = Chembl(chembl_of(service, tmp_path).client, f"{service.root}/data")
    found, unknown = chembl.assays(["CHEMBL1", "CHEMBL2", "CHEMBL4"])
    assert (sorted(found), unknown) == (["CHEMBL1", "CHEMBL2"], ["CHEMBL4"])
    with pytest.raises(RelataskError, match="it is no JSON"):
        chembl.assays(["CHEMBL1", "CHEMBL3"])


def test_a_query_survives_every_kind_of_failure(service: Service, tmp_path: Path) -> None:
    names = many(service, 150)
    service.page = 40
    expected = find_assay_targets(chembl_of(service, tmp_path / "calm"), names)
    calm = len(service.asked)
    kinds = ["truncated", "cut", "html", "reset", "status", "status"]
    service.faults = [Fault(kind, 429) if n % 2 else None for n, kind in enumerate(kinds * 3)]
    stormy = find_assay_targets(chembl_of(service, tmp_path / "storm"), names)
    assert stormy.equals(expected)
    assert len(service.asked) - calm > calm


def test_pages_that_do_not_fit_together_are_refused(service: Service, tmp_path: Path) -> None:
    service.files["/data/assay.json"] = page_of([assay("CHEMBL1", None)], total_count=3)
    chembl = Chembl(chembl_of(service, tmp_path).client, f"{service.root}/data")
    with pytest.raises(RelataskError, match=r"counts 3 assays .* but sent 1; its data may have changed"):
        chembl.assays(["CHEMBL1"])


def test_a_next_page_elsewhere_is_refused(service: Service, tmp_path: Path) -> None:
    following = "https://elsewhere.example/next"
    service.files["/data/assay.json"] = page_of([assay("CHEMBL1", None)], next=following, total_count=2)
    chembl = Chembl(chembl_of(service, tmp_path).client, f"{service.root}/data")
    with pytest.raises(RelataskError, match="not to a next page"):
        chembl.assays(["CHEMBL1"])


def test_no_known_assay_at_all_is_a_mistake(service: Service, tmp_path: Path) -> None:
    with pytest.raises(RelataskError, match="knows none of the 2 assays, such as 'foo'"):
        find_assay_targets(chembl_of(service, tmp_path), ["foo", "CHEMBL1"])


def test_assay_ids_are_read_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "assays.txt"
    path.write_text("CHEMBL2\nCHEMBL1\n\nCHEMBL2\n")
    assert read_assay_ids(path) == ["CHEMBL2", "CHEMBL1"]
    path.write_text("\n")
    with pytest.raises(RelataskError, match="is empty"):
        read_assay_ids(path)
    with pytest.raises(RelataskError, match="there is no file"):
        read_assay_ids(tmp_path / "absent.txt")


ACTIVITIES = [
    activity(4, "CHEMBL101", "CHEMBL10", "6.40", "CCCO"),
    activity(1, "CHEMBL101", "CHEMBL10", "6.60", "CCCO"),  # median 6.5: active
    activity(2, "CHEMBL101", "CHEMBL20", "5.00", "CCCO"),
    activity(3, "CHEMBL102", "CHEMBL10", "9.90", "CCCN"),
    activity(5, "CHEMBL102", "CHEMBL10", "5.00", "CCCN"),
    activity(6, "CHEMBL102", "CHEMBL10", "5.20", "CCCN"),  # median 5.2: inactive, though the mean is 6.7
    activity(7, "CHEMBL103", "CHEMBL10", None, "CCC"),
    activity(8, "CHEMBL104", "CHEMBL20", "8.00", None),
    activity(9, "CHEMBL101", "CHEMBL20", "5.00", "CCCO"),
]


@pytest.fixture
def collected(service: Service, tmp_path: Path) -> Path:
    service.records["targets"] = [target("CHEMBL10", "P1", "P2"), target("CHEMBL20", "P3", tax_id=10116)]
    service.records["activities"] = ACTIVITIES
    service.page = 2
    block = {"reader": "chembl_activities", "targets": ["CHEMBL20", "CHEMBL10", "CHEMBL99"]}
    step = ["query_activities", "--source-config", json.dumps(block), "--service-url", service.chembl]
    step += ["--requests-per-second", "1000", "--answers", str(tmp_path / "answers")]
    assert main([*step, "--out", str(tmp_path / "activities.json")]) == 0
    return tmp_path


def read(folder: Path, targets: list[str], at_least: float = 6.5):
    active = ActiveRule(at_least=at_least, at_most=None)
    return read_activities(source_of(reader="chembl_activities", targets=targets, active=active), folder)


def test_activities_are_values_whose_median_makes_the_labels(collected: Path) -> None:
    table = read(collected, ["CHEMBL10", "CHEMBL20"])
    assert table.tasks.source_id.tolist() == ["CHEMBL10", "CHEMBL20"]
    assert table.tasks.name.tolist() == ["Protein of CHEMBL10", "Protein of CHEMBL20"]
    assert table.tasks.uniprots.tolist() == [["P1", "P2"], ["P3"]]
    assert len(table.labels) == 8
    assert table.tasks.at_least.tolist() == [6.5, 6.5]
    merged = merge_labels(table.labels, np.arange(3), table.tasks).labels
    cells = {(table.source_ids[row.item_id], row.task): row.value for row in merged.itertuples()}
    assert cells == {("CHEMBL101", 0): 1, ("CHEMBL102", 0): 0, ("CHEMBL101", 1): 0, ("CHEMBL104", 1): 1}
    smiles = dict(zip(table.source_ids, table.smiles, strict=True))
    assert smiles == {"CHEMBL101": "CCCO", "CHEMBL102": "CCCN", "CHEMBL104": None}


def test_what_is_left_out_or_conflicts_is_counted_by_reason(collected: Path) -> None:
    assert read(collected, []).notes == {
        "activities": 9,
        "activities_of_other_targets": 0,
        "activities_without_molecule": 0,
        "activities_without_pchembl": 1,
        "activities_without_smiles": 1,
        "unknown_targets": 1,
        "cells": 4,
        "cells_measured_again": 3,
        "cells_with_different_values": 2,
        "cells_with_values_on_both_sides": 2,
    }
    assert read(collected, ["CHEMBL20"]).notes["activities_of_other_targets"] == 6


def test_activities_are_standardised_and_what_is_lost_is_counted(collected: Path) -> None:
    block = {"reader": "chembl_activities", "targets": [], "active": {"at_least": 6.5}}
    step = ["prepare_items", "--source-config", json.dumps(block), "--name", "egfr"]
    assert main([*step, "--raw", str(collected), "--out-dir", str(collected / "out")]) == 0
    molecules = read_table("items", collected / "out" / "items.parquet")
    assert molecules.source_id.tolist() == ["CHEMBL101", "CHEMBL102"]
    rejected = read_table("rejected", collected / "out" / "rejected.parquet")
    assert rejected[["row", "source_id", "reason"]].to_numpy().tolist() == [[2, "CHEMBL104", "no SMILES"]]
    assert read_table("tasks", collected / "out" / "tasks.parquet").uniprots.map(list).tolist() == [
        ["P3"],
        ["P1", "P2"],
    ]
    counts = json.loads((collected / "out" / "counts.json").read_text())
    assert counts["notes"]["activities_without_pchembl"] == 1


def test_unknown_targets_are_named_and_stay_in_the_file(
    collected: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = json.loads((collected / "activities.json").read_text())
    assert content["unknown_targets"] == ["CHEMBL99"]
    assert [record["activity_id"] for record in content["activities"]] == [2, 8, 9, 1, 3, 4, 5, 6, 7]
    read(collected, ["CHEMBL10", "CHEMBL99"])
    assert "targets that ChEMBL does not know: CHEMBL99" in caplog.text


def test_targets_of_other_organisms_are_kept_and_named(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    service.records["targets"] = [target("CHEMBL20", "P3", tax_id=10116)]
    content = collect_activities(chembl_of(service, tmp_path), ["CHEMBL20"])
    assert [one["target_id"] for one in content["targets"]] == ["CHEMBL20"]
    assert "CHEMBL20 is not human but of Rattus norvegicus" in caplog.text


def test_the_mistakes_of_a_user_are_one_sentence_each(
    service: Service, collected: Path, tmp_path: Path
) -> None:
    with pytest.raises(RelataskError, match=r"needs `active`, such as \{at_least: 6.5\}"):
        read_activities(source_of(reader="chembl_activities"), collected)
    with pytest.raises(RelataskError, match="holds nothing of the target CHEMBL11; run query_activities"):
        read(collected, ["CHEMBL11"])
    with pytest.raises(RelataskError, match=r"targets is empty; list ChEMBL target ids"):
        collect_activities(chembl_of(service, tmp_path), [])
    with pytest.raises(RelataskError, match="knows none of the targets CHEMBL5, egfr; correct `targets`"):
        collect_activities(chembl_of(service, tmp_path), ["CHEMBL5", "egfr"])
    for broken in ("[]", '{"targets": [], "unknown_targets": []}', '{"targets'):
        (tmp_path / "activities.json").write_text(broken)
        with pytest.raises(RelataskError, match=r"activities\.json"):
            read(tmp_path, [])


def test_a_pchembl_that_is_no_number_is_named(collected: Path) -> None:
    path = collected / "activities.json"
    path.write_text(path.read_text().replace('"9.90"', '"high"'))
    with pytest.raises(RelataskError, match="activity 3 has the pChEMBL 'high', expected a number"):
        read(collected, [])


def test_the_recorded_answers_are_read(service: Service, tmp_path: Path, mirror: Path) -> None:
    samples = mirror / "api_samples"
    target_file = samples / "chembl_target_CHEMBL2321613.json"
    assays_file = json.loads((samples / "chembl_assay_4records.json").read_text())  # without its page_meta
    records = json.loads((samples / "chembl_activity_P9WFV1.json").read_text())
    service.files = {
        "/data/assay.json": page_of(assays_file["assays"]),
        "/data/target/CHEMBL2321613.json": (target_file.read_bytes(), None),
        "/data/target.json": page_of([], "targets"),
        "/data/activity.json": page_of(records, "activities"),
    }
    chembl = Chembl(chembl_of(service, tmp_path).client, f"{service.root}/data")
    assays, _ = chembl.assays(["CHEMBL884521", "CHEMBL615148", "CHEMBL615199", "CHEMBL883800"])
    assert assays["CHEMBL883800"]["target_chembl_id"] == "CHEMBL340"
    targets, _ = chembl.targets(["CHEMBL2321613"])
    assert uniprots_of(targets["CHEMBL2321613"]) == ["O14649"]
    (tmp_path / "activities.json").write_text(
        json.dumps(
            {
                "targets": [{"target_id": "CHEMBL4105844", "name": "Leucine--tRNA ligase", "uniprots": []}],
                "unknown_targets": [],
                "activities": chembl.activities("CHEMBL4105844"),
            }
        )
    )
    table = read(tmp_path, ["CHEMBL4105844"])
    with_value = {one["molecule_chembl_id"] for one in records if one["pchembl_value"]}
    assert table.notes["activities"] == len(records) == 54
    assert table.labels.row_position.nunique() == len(with_value) == 53
    assert len(table.labels) == 54
    assert table.notes["cells_with_different_values"] == 1
    assert 0 < (table.labels.value >= 6.5).sum() < len(table.labels)
