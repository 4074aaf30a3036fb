"""STRING ids of UniProt accessions are read from STRING's own file of names."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from relatask.__main__ import main
from relatask.config import RelationsConfig
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.data.interactions import read_interactions
from relatask.data.relations import relate_tasks
from relatask.sources.aliases import read_aliases
from tests.helpers.data_tables import tasks_table

HEADER = "#string_protein_id\talias\tsource\n"
ALIASES = (
    f"{HEADER}9606.ENSP1\tP1\tUniProt_AC\n9606.ENSP1\tP1\tEnsembl_UniProt_AC\n9606.ENSP2\tP2\tBLAST_KEGG "
    "Ensembl_UniProt_AC\n9606.ENSP3\tP2\tUniProt_AC\n9606.ENSP4\tP4\tEnsembl_gene\n9606.ENSP5\tTP53\tUniProt_GN\n"
)
LINKS = "protein1 protein2 combined_score\n9606.ENSP1 9606.ENSP3 700\n9606.ENSP1 9606.ENSP9 300\n"
RELATIONS = '{"source": "string_v12", "channel": "combined", "proteins": "uniprot"}'


@pytest.mark.parametrize("name", ["aliases.txt", "aliases.txt.gz"])
def test_rows_of_uniprot_give_the_ids_of_the_accessions_that_are_asked_for(tmp_path: Path, name: str) -> None:
    content = ALIASES.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    found = read_aliases(tmp_path / name, ["P2", "P1", "P4", "P9"])
    assert found == {"P1": ["9606.ENSP1"], "P2": ["9606.ENSP2", "9606.ENSP3"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"protein1 protein2 combined_score\n",
            "line 1: expected the columns #string_protein_id, alias, source",
        ),
        (HEADER.encode() + b"a\tb\n", "line 2: expected the columns"),
        (HEADER.encode() + b"a\tb\tBLAST_KEGG\n", "holds no UniProt accession"),
        (HEADER.encode() + b"\xff\tb\tc\n", "cannot be read"),
        (b"a" * (1 << 20), "line 1: expected the columns"),
        (b"", "holds no UniProt accession"),
    ],
)
def test_another_file_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "aliases.txt").write_bytes(content)
    with pytest.raises(RelataskError, match=rf"aliases\.txt.*{said}"):
        read_aliases(tmp_path / "aliases.txt", ["P1"])
    with pytest.raises(RelataskError, match="does not exist"):
        read_aliases(tmp_path / "absent.txt", ["P1"])


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "aliases.txt.gz"
    path.write_bytes(gzip.compress(bytes(1 << 26)))
    tracemalloc.start()
    with pytest.raises(RelataskError, match="line 1: expected"):
        read_aliases(path, ["P1"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    tasks = tasks_table(
        ["a", "b", "c", "d"], uniprots=[["P1"], ["P2"], ["P7"], []], string_ids=[[], [], [], ["ENSP9"]]
    )
    write_table("tasks", tasks, tmp_path / "tasks.parquet")
    (tmp_path / "links.txt").write_text(LINKS)
    (tmp_path / "aliases.txt").write_text(ALIASES)
    return {
        name: tmp_path / name for name in ("tasks.parquet", "links.txt", "aliases.txt", "relations.parquet")
    }


def test_accessions_in_a_task_sheet_are_enough_for_relations(files: dict[str, Path]) -> None:
    command = ["relate_tasks", "--tasks", files["tasks.parquet"], "--interactions", files["links.txt"]]
    options = [
        "--relations-config",
        RELATIONS,
        "--aliases",
        files["aliases.txt"],
        "--out",
        files["relations.parquet"],
    ]
    assert main([str(part) for part in [*command, *options]]) == 0
    found = read_table("relations", files["relations.parquet"])
    assert found[["task_i", "task_j"]].to_numpy().tolist() == [["a", "b"], ["a", "d"]]
    assert found.score.tolist() == pytest.approx([0.7, 0.3])


def test_accessions_without_a_mapping_get_a_sentence_with_the_way_out(files: dict[str, Path]) -> None:
    tasks = read_table("tasks", files["tasks.parquet"]).iloc[:3]
    links = read_interactions([files["links.txt"]], "combined")
    with pytest.raises(RelataskError) as caught:
        relate_tasks(tasks, links, RelationsConfig(source="string_v12", channel="combined"))
    assert str(caught.value) == (
        f"the tasks have UniProt accessions and no STRING ids, by which {files['links.txt']} names proteins; "
        "write `proteins: uniprot` below `relations`, and the workflow gets string_v12_aliases of "
        "config/datasets.tsv, as `relatask retrieve string_v12_aliases` does for a `mirror`."
    )
