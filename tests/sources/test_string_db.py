"""Proteins get STRING's ids, and these an interaction table that relations are made of."""

from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.data.interactions import read_interactions
from relatask.sources.services.protein_ids import found_ids, identifiers_of, with_string_ids
from relatask.sources.services.string_db import COLUMNS, NAMES, String, table_of
from tests.helpers.clients import string_of
from tests.helpers.data_tables import tasks_table
from tests.helpers.service import NETWORK, Service


def tasks_of(uniprots: dict[str, list[str]], strings: dict[str, list[str]] | None = None) -> pd.DataFrame:
    found = [(strings or {}).get(task, []) for task in uniprots]
    return tasks_table(list(uniprots), uniprots=list(uniprots.values()), string_ids=found)


@pytest.mark.parametrize("echo", [True, False])
def test_identifiers_are_mapped_in_batches_and_the_unknown_named(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture, echo: bool
) -> None:
    names = [f"P{number:05}" for number in range(NAMES + 3)]
    service.names = {name: (f"9606.ENSP{name[1:]}", f"GENE{name[1:]}") for name in names if name != "P00007"}
    service.echo = echo  # older answers tell by position which identifier is meant
    table = string_of(service, tmp_path).string_ids(names).set_index("identifier")
    assert [len(asked.parameters["identifiers"].split("\r")) for asked in service.asked] == [NAMES, 3]
    assert all(asked.method == "POST" and asked.parameters["species"] == "9606" for asked in service.asked)
    assert table.string_id["P00502"] == "9606.ENSP00502"
    assert table.preferred_name["P00002"] == "GENE00002"
    assert table.index[table.string_id.isna()].tolist() == ["P00007"]
    assert "STRING does not know 1 of 503: P00007" in caplog.text


@pytest.mark.parametrize("not_found", [True, False])
def test_a_batch_without_any_match_is_an_answer_not_a_failure(
    service: Service, tmp_path: Path, not_found: bool
) -> None:
    service.not_found = not_found
    service.names = {"P1": ("9606.ENSP1", "A")}
    names = [f"X{number}" for number in range(NAMES)] + ["P1"]
    table = string_of(service, tmp_path).string_ids(names)
    assert table.string_id.notna().sum() == 1
    assert len(service.asked) == 2
    with pytest.raises(RelataskError, match=r"STRING knows none of the 2 proteins, such as \['X1', 'X2'\]"):
        string_of(service, tmp_path).string_ids(["X1", "X2"])


def test_a_wrong_address_is_not_taken_for_unknown_proteins(service: Service, tmp_path: Path) -> None:
    string = String(string_of(service, tmp_path).client, f"{service.root}/wrong")
    with pytest.raises(RelataskError, match="STRING answered 404"):
        string.string_ids(["P1"])


@pytest.mark.parametrize(("block", "requests"), [(100, 1), (12, 1), (5, 3), (3, 6), (2, 15)])
def test_no_pair_falls_between_two_batches(
    service: Service, tmp_path: Path, block: int, requests: int
) -> None:
    ids = [f"9606.ENSP{number:02}" for number in range(12)]
    pairs = list(combinations(ids, 2))
    for first, second in pairs:
        service.link(second, first, score="0.7", escore="0.4")
    rows = string_of(service, tmp_path, block).network(reversed(ids))
    assert [(row["stringId_B"], row["stringId_A"]) for row in rows] == pairs
    assert len(service.asked) == requests
    assert all(asked.parameters["add_nodes"] == "0" for asked in service.asked)
    assert not any("required_score" in asked.parameters for asked in service.asked)


def test_the_table_has_the_columns_of_the_service_and_every_channel_is_read(
    service: Service, tmp_path: Path
) -> None:
    service.link("9606.ENSP1", "9606.ENSP2", score="0.913", escore="0.4", tscore="0.08", nscore="0.01")
    rows = string_of(service, tmp_path).network(["9606.ENSP1", "9606.ENSP2"])
    path = tmp_path / "network.tsv"
    path.write_text(table_of(rows))
    assert path.read_text().split("\n")[0].split("\t") == list(COLUMNS) == NETWORK
    channels = {"combined": 0.913, "experimental": 0.4, "textmining": 0.08, "neighborhood": 0.01, "fusion": 0}
    for channel, score in channels.items():
        interactions = read_interactions([path], channel)
        assert interactions.proteins == ["ENSP1", "ENSP2"]
        assert interactions.score.tolist() == [score]


@pytest.mark.parametrize("proteins", [[], ["9606.ENSP1"]])
def test_fewer_than_two_proteins_need_no_question(
    service: Service, tmp_path: Path, proteins: list[str]
) -> None:
    assert string_of(service, tmp_path).network(proteins) == []
    assert service.asked == []


def test_a_last_number_that_is_cut_off_is_noticed(service: Service, tmp_path: Path) -> None:
    service.link("9606.ENSP1", "9606.ENSP2", tscore="0.668")
    rows = string_of(service, tmp_path / "whole").network(["9606.ENSP1", "9606.ENSP2"])
    for cut in (table_of(rows)[:-2], table_of(rows)[:-1]):
        service.files["/bad/tsv/network"] = (cut.encode(), None)
        string = String(string_of(service, tmp_path / "cut").client, f"{service.root}/bad")
        with pytest.raises(RelataskError, match="its last line is cut off"):
            string.network(["9606.ENSP1", "9606.ENSP2"])


def test_proteins_without_accession_are_asked_for_by_their_string_id() -> None:
    tasks = tasks_of({"a": ["P1", "P2"], "b": [], "c": []}, {"a": ["ENSP9"], "b": ["ENSP3"]})
    assert identifiers_of(tasks) == ["ENSP3", "P1", "P2"]
    proteins = pd.DataFrame(
        {"identifier": ["ENSP3", "P1", "P2"], "string_id": ["9606.ENSP3", None, "9606.ENSP2"]}
    )
    assert with_string_ids(tasks, found_ids(proteins)).string_ids.tolist() == [
        ["9606.ENSP2"],
        ["9606.ENSP3"],
        [],
    ]


def test_tasks_are_related_through_the_live_service(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.names = {name: (f"9606.ENSP{name[1:]}", name) for name in ("P1", "P2", "P3", "P5")}
    service.link("9606.ENSP1", "9606.ENSP2", score="0.9", escore="0.7")
    service.link("9606.ENSP1", "9606.ENSP3", score="0.5", escore="0")
    service.link("9606.ENSP2", "9606.ENSP3", score="0.8", escore="0.3")
    tasks = tasks_of({"a": ["P1"], "b": ["P2", "P4"], "c": ["P3"], "d": []})
    write_table("tasks", tasks, tmp_path / "tasks.parquet")
    step = ["query_string", "--tasks", str(tmp_path / "tasks.parquet"), "--service-url", f"{service.string}/"]
    step += ["--requests-per-second", "1000", "--answers", str(tmp_path / "answers")]
    step += ["--out", str(tmp_path / "live.tsv"), "--out-proteins", str(tmp_path / "live.parquet")]
    assert main(step) == 0
    assert "3 interactions; STRING knows 3 of 4 proteins (2 requests" in capsys.readouterr().err
    first = (tmp_path / "live.tsv").read_bytes()
    assert main(step) == 0
    assert (tmp_path / "live.tsv").read_bytes() == first
    assert len(service.asked) == 2
    relate = ["relate_tasks", "--tasks", str(tmp_path / "tasks.parquet")]
    relate += ["--interactions", str(tmp_path / "live.tsv"), "--proteins", str(tmp_path / "live.parquet")]
    relate += ["--relations-config", '{"source": "string_live", "channel": "experimental"}']
    assert main([*relate, "--out", str(tmp_path / "relations.parquet")]) == 0
    relations = read_table("relations", tmp_path / "relations.parquet")
    edges = {(row.task_i, row.task_j): round(row.score, 6) for row in relations.itertuples()}
    assert edges == {("a", "b"): 0.7, ("b", "c"): 0.3}


def test_tasks_without_proteins_are_a_mistake_that_names_the_file(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table("tasks", tasks_of({"a": []}), tmp_path / "tasks.parquet")
    step = ["query_string", "--tasks", str(tmp_path / "tasks.parquet"), "--service-url", service.string]
    step += ["--answers", str(tmp_path / "answers"), "--out", str(tmp_path / "live.tsv")]
    assert main([*step, "--out-proteins", str(tmp_path / "live.parquet")]) == 2
    assert "tasks.parquet: no task has a protein; give the source a `task_sheet`" in capsys.readouterr().err
    assert not (tmp_path / "live.tsv").exists()


def test_the_recorded_answers_are_read(service: Service, tmp_path: Path, mirror: Path) -> None:
    samples = mirror / "api_samples"
    service.files = {
        "/data/tsv/get_string_ids": ((samples / "string_get_string_ids.tsv").read_bytes(), None),
        "/data/tsv/network": ((samples / "string_network_stringx_notebook.tsv").read_bytes(), None),
    }
    string = String(string_of(service, tmp_path).client, f"{service.root}/data")
    table = string.string_ids(["HK3", "HK1", "HK2", "HK9"]).set_index("identifier")
    assert table.string_id.dropna().to_dict() == {
        "HK3": "9606.ENSP00000292432",
        "HK1": "9606.ENSP00000384774",
        "HK2": "9606.ENSP00000290573",
    }
    flies = ["7227.FBpp0074940", "7227.FBpp0085802", "7227.FBpp0082908"]
    rows = string.network(flies)
    assert [row["score"] for row in rows] == ["0.817", "0.518", "0.81"]
    assert list(rows[0]) == list(COLUMNS)
