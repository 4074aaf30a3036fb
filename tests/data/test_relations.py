"""Interaction tables in every form become one graph of tasks."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.config import RelationsConfig
from relatask.core.errors import RelataskError
from relatask.core.files import read_json
from relatask.core.tables import read_table, write_table
from relatask.data.interactions import read_interactions
from relatask.data.relations import relate_tasks
from tests.helpers.data_tables import tasks_table

MIRROR_FORM = (
    "protein1\tprotein2\tneighborhood_score\texperimental_score\tcombined_score\n"
    "ENSP1\tENSP2\t0\t900\t950\nENSP2\tENSP3\t7\t0\t400\nENSP1\tENSP4\t0\t120\t420\n"
)
DETAILED_FORM = (
    "protein1 protein2 neighborhood experimental combined_score\n"
    "9606.ENSP1 9606.ENSP2 0 900 950\n9606.ENSP2 9606.ENSP1 0 900 950\n"
    "9606.ENSP2 9606.ENSP3 7 0 400\n9606.ENSP1 9606.ENSP4 0 120 420\n"
)
SERVICE_FORM = (
    "stringId_A\tstringId_B\tpreferredName_A\tncbiTaxonId\tscore\tnscore\tescore\n"
    "9606.ENSP1\t9606.ENSP2\tA\t9606\t0.95\t0\t0.9\n9606.ENSP2\t9606.ENSP3\tB\t9606\t0.4\t0.007\t0\n"
    "9606.ENSP1\t9606.ENSP4\tA\t9606\t0.42\t0\t0.12\n"
)
FULL_FORM = (
    "protein1 protein2 neighborhood neighborhood_transferred experiments combined_score\n"
    "9606.ENSP1 9606.ENSP2 0 5 900 950\n9606.ENSP2 9606.ENSP3 7 0 0 400\n9606.ENSP1 9606.ENSP4 0 0 120 420\n"
)
FORMS = {"mirror": MIRROR_FORM, "detailed": DETAILED_FORM, "service": SERVICE_FORM, "full": FULL_FORM}


def tasks_of(**proteins: list[str]) -> pd.DataFrame:
    own = [["Q0RT01"]] * len(proteins)
    return tasks_table(list(proteins), uniprots=own, string_ids=list(proteins.values()))


def relate(tmp_path: Path, tasks: pd.DataFrame, text: str = DETAILED_FORM, **config) -> tuple[dict, dict]:
    path = tmp_path / "links.txt"
    path.write_text(text)
    settings = RelationsConfig(source="test", **config)
    relations, report = relate_tasks(tasks, read_interactions([path], settings.channel), settings)
    rows = relations.itertuples(index=False)
    return {(row.task_i, row.task_j): (round(row.score, 6), row.kind) for row in rows}, report


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_table_gives_the_same_edges(tmp_path, form):
    tasks = tasks_of(a=["9606.ENSP1"], b=["ENSP2"], c=["ENSP3"], d=["9606.ENSP4"])
    edges, _ = relate(tmp_path, tasks, FORMS[form])
    assert edges == {("a", "b"): (0.9, "string:experimental"), ("a", "d"): (0.12, "string:experimental")}


@pytest.mark.parametrize("form", FORMS)
def test_the_channel_of_the_config_is_read(tmp_path, form):
    tasks = tasks_of(a=["ENSP1"], b=["ENSP2"], c=["ENSP3"], d=["ENSP4"])
    combined, _ = relate(tmp_path, tasks, FORMS[form], channel="combined")
    assert {pair: score for pair, (score, _) in combined.items()} == {
        ("a", "b"): 0.95,
        ("a", "d"): 0.42,
        ("b", "c"): 0.4,
    }
    neighborhood, _ = relate(tmp_path, tasks, FORMS[form], channel="neighborhood")
    assert neighborhood == {("b", "c"): (0.007, "string:neighborhood")}


def test_a_real_answer_of_the_service_is_read(mirror):
    table = mirror / "api_samples" / "string_network_stringx_notebook.tsv"
    combined = read_interactions([table], "combined")
    assert (combined.proteins[0], combined.score.max().round(3)) == ("FBpp0074940", 0.817)
    assert len(combined.score) == len(pd.read_csv(table, sep="\t"))


def test_gzip_and_several_files_are_one_table(tmp_path):
    first, second = tmp_path / "a.txt.gz", tmp_path / "b.tsv"
    first.write_bytes(gzip.compress(DETAILED_FORM.encode()))
    second.write_text(SERVICE_FORM.replace("ENSP4", "ENSP5"))
    both = read_interactions([first, second], "experimental")
    assert both.proteins == ["ENSP1", "ENSP2", "ENSP3", "ENSP4", "ENSP5"]
    pairs = zip(both.first, both.second, both.score.round(3), strict=True)
    assert [(int(a), int(b), float(s)) for a, b, s in pairs] == [
        (0, 1, 0.9), (1, 0, 0.9), (1, 2, 0.0), (0, 3, 0.12), (0, 1, 0.9), (1, 2, 0.0), (0, 4, 0.12),
    ]  # fmt: skip


def test_the_weight_is_the_best_score_over_pairs_of_proteins(tmp_path):
    edges, _ = relate(tmp_path, tasks_of(z=["ENSP1"], a=["ENSP4", "ENSP2", "ENSP3"]))
    assert edges == {("a", "z"): (0.9, "string:experimental")}


def test_one_protein_gives_no_edge_but_other_pairs_still_count(tmp_path):
    tasks = tasks_of(a=["ENSP1"], b=["ENSP1"], c=["ENSP1", "ENSP4"])
    edges, _ = relate(tmp_path, tasks)
    assert edges == {("a", "c"): (0.12, "string:experimental"), ("b", "c"): (0.12, "string:experimental")}


def test_a_protein_that_interacts_with_itself_gives_no_edge(tmp_path):
    text = DETAILED_FORM + "9606.ENSP1 9606.ENSP1 0 999 999\n"
    edges, _ = relate(tmp_path, tasks_of(a=["ENSP1"], b=["ENSP1"]), text)
    assert edges == {}


def test_one_protein_can_be_an_edge_of_its_own_kind(tmp_path):
    tasks = tasks_of(a=["ENSP1"], b=["ENSP1"], c=["ENSP1", "ENSP4"], d=["ENSP2"])
    edges, report = relate(tmp_path, tasks, same_protein="edge", min_score=0.2)
    same, string = (1.0, "same_protein"), (0.9, "string:experimental")
    assert edges == {
        ("a", "b"): same, ("a", "c"): same, ("b", "c"): same,
        ("a", "d"): string, ("b", "d"): string, ("c", "d"): string,
    }  # fmt: skip
    assert report["edges"] == 6


@pytest.mark.parametrize(("least", "expected"), [(0.0, 2), (0.12, 2), (0.1200001, 1), (0.9, 1), (0.95, 0)])
def test_scores_below_the_least_give_no_edge(tmp_path, least, expected):
    tasks = tasks_of(a=["ENSP1"], b=["ENSP2"], c=["ENSP3"], d=["ENSP4"])
    edges, report = relate(tmp_path, tasks, min_score=least)
    assert len(edges) == expected
    assert report["pairs_below_min_score"] == 2 - expected


def test_tasks_and_proteins_without_part_in_the_graph_are_named(tmp_path):
    tasks = tasks_of(a=["ENSP1"], b=["ENSP2", "ENSP99"], bare=[], mapped=[], strange=["9606.ENSP77"])
    tasks.at[2, "uniprots"] = []
    _, report = relate(tmp_path, tasks)
    assert report == {
        "tasks_without_protein": ["bare"],
        "tasks_without_string_id": ["mapped"],
        "tasks_unknown_to_interactions": ["strange"],
        "proteins_unknown_to_interactions": ["ENSP77", "ENSP99"],
        "edges": 1,
        "pairs_below_min_score": 0,
        "tasks_related": 2,
    }


def test_ids_that_the_table_does_not_know_at_all_are_a_mistake(tmp_path):
    with pytest.raises(RelataskError, match=r"links.txt knows no protein of the 1 tasks such as P04637"):
        relate(tmp_path, tasks_of(a=["P04637"]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b c\n1 2 3\n", "is not an interaction table: its header has neither protein1 and protein2"),
        ("protein1 protein2 combined_score\nA B 5\n", "has no channel 'experimental'; it has ['combined']"),
        ("protein1 protein2 experimental\nA B 1001\n", "row 1 after the header: experimental is 1001"),
        ("protein1 protein2 experimental\nA B 5\nA C\n", "is not a whole interaction table"),
        ("protein1 protein2 experimental\nA B high\n", "invalid value 'high'"),
        ("stringId_A\tstringId_B\tescore\nA\tB\t\n", "escore is nan; expected a score from 0 to 1"),
    ],
)
def test_a_broken_table_is_one_sentence(tmp_path, text, message):
    path = tmp_path / "links.txt"
    path.write_text(text)
    with pytest.raises(RelataskError) as caught:
        read_interactions([path], "experimental")
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_cut_off_download_is_one_sentence(tmp_path):
    path = tmp_path / "links.txt.gz"
    path.write_bytes(gzip.compress((DETAILED_FORM * 500).encode())[:-30])
    with pytest.raises(RelataskError, match=r"links.txt.gz"):
        read_interactions([path], "experimental")
    with pytest.raises(RelataskError, match="does not exist"):
        read_interactions([tmp_path / "none.txt"], "experimental")


def test_a_header_alone_relates_nothing(tmp_path):
    with pytest.raises(RelataskError, match="knows no protein"):
        relate(tmp_path, tasks_of(a=["ENSP1"]), DETAILED_FORM.split("\n")[0] + "\n")


def test_the_step_writes_relations_and_report(tmp_path):
    write_table("tasks", tasks_of(b=["ENSP1"], a=["ENSP2"], c=[]), tmp_path / "tasks.parquet")
    (tmp_path / "links.txt").write_text(DETAILED_FORM)
    arguments = ["relate_tasks", "--tasks", tmp_path / "tasks.parquet", "--out", tmp_path / "out.parquet"]
    arguments += ["--interactions", tmp_path / "links.txt", "--out-report", tmp_path / "report.json"]
    arguments += ["--relations-config", json.dumps({"source": "test", "min_score": 0.5})]
    assert main([str(argument) for argument in arguments]) == 0
    written = read_table("relations", tmp_path / "out.parquet")
    assert written.values.tolist() == [["a", "b", pytest.approx(0.9), "string:experimental"]]
    assert read_json(tmp_path / "report.json")["tasks_without_string_id"] == ["c"]
