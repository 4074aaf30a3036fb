"""Whatever files of a graph hold, each edge is counted, or one sentence names the file."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext, SourceTables
from tests.fuzz.cases import cases, result_or_sentence
from tests.fuzz.tables import ODD
from tests.helpers.data_tables import source_of

NUMBER = st.sampled_from([*"01234", "07"])
WORD = st.one_of(*[NUMBER] * 8, st.sampled_from([*ODD, "#", "# 0 1", "²", "0" * 30, "18446744073709551616"]))
EDGES = st.lists(st.lists(NUMBER, min_size=2, max_size=2).map(" ".join), min_size=1, max_size=9)
GROUPS = st.lists(st.lists(NUMBER, max_size=4).map("\t".join), max_size=4)
LINES = st.lists(st.lists(WORD, max_size=3).map("\t".join), max_size=5)
NAME = st.sampled_from([*"xyzuvw"])
CELL = st.one_of(NAME, NAME, st.sampled_from(["0", "1", "", *ODD]))
NODES = st.lists(
    st.tuples(NAME, st.sampled_from(["0", "1", ""])).map(",".join), unique_by=lambda row: row[0], min_size=3
)
ENDS = st.lists(st.lists(NAME, min_size=2, max_size=2).map(",".join), max_size=9)
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=2).map(",".join), max_size=5)


def prepared(names: tuple[str, ...], **keys: Any) -> SourceTables | None:
    block = source_of(keys)
    tables: SourceTables | None = result_or_sentence(
        lambda: load_file(block.record).prepare(block, SourceContext("mine")), names
    )
    return tables


def check_counts(tables: SourceTables | None) -> None:
    """Every edge that was given is one of the graph, or counted by why it is not."""
    if tables is not None:
        counts = dict(tables.counts["edges"])
        assert counts.pop("in") == sum(counts.values())
        assert 2 * counts["out"] == tables.items["neighbours"].map(len).sum()
        assert tables.counts["isolated_nodes"] == (tables.items["neighbours"].map(len) == 0).sum()


@cases(10)
@given(
    st.one_of(*[EDGES] * 4, LINES),
    st.one_of(*[GROUPS] * 4, LINES),
    st.sampled_from([*["utf-8"] * 6, "utf-16", "utf-8-sig"]),
)
def test_lines_of_numbers_are_edges_and_groups(
    folder: Path, edges: list[str], groups: list[str], encoding: str
) -> None:
    for ending, lines in (("ungraph", edges), ("cmty", groups)):
        (folder / f"my.{ending}").write_bytes("\n".join(lines).encode(encoding, "replace"))
    tables = prepared(("my.ungraph", "my.cmty"), reader="snap", path=str(folder))
    check_counts(tables)
    if tables is not None:
        assert len(tables.labels) == len(tables.items) * len(tables.tasks)


@cases(10)
@given(
    st.one_of(*[NODES] * 4, ROWS),
    st.one_of(*[ENDS] * 4, ROWS),
    st.sampled_from([*["node,A"] * 12, "A,node", "node", ""]),
    st.sampled_from([*["a,b"] * 12, "a", ""]),
)
def test_tables_of_nodes_and_edges_are_a_graph(
    folder: Path, nodes: list[str], edges: list[str], header: str, ends: str
) -> None:
    for name, lines in (("nodes.csv", [header, *nodes]), ("edges.csv", [ends, *edges])):
        (folder / name).write_text("\n".join(lines), encoding="utf-8", errors="replace")
    paths = {"path": str(folder / "nodes.csv"), "edges_path": str(folder / "edges.csv")}
    check_counts(prepared(("nodes.csv", "edges.csv"), reader="node_table", **paths))
