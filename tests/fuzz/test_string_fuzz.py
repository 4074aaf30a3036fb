"""Whatever STRING answers, its interactions arrive whole, or one sentence names the service or the file."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relatask.core.files import write_text
from relatask.core.tables import write_table
from relatask.data.interactions import read_interactions
from relatask.sources.services.string_db import String, table_of
from tests.fuzz.answers import ATTEMPTS, BODIES, URL, Session, client_of
from tests.fuzz.cases import cases, result_or_sentence
from tests.helpers.service import NAMES, NETWORK


def table_text(header: list[str], rows: list[list[str]]) -> str:
    return "".join("\t".join(line) + "\n" for line in [header, *rows])


IDS = [
    ["P1", "0", "9606.E1", "9606", "Homo sapiens", "A", "x"],
    ["P2", "1", "9606.E2", "9606", "Homo sapiens", "B", ""],
]
LINKS = [["9606.E1", "9606.E2", "A", "B", "9606", "0.9", "0", "0", "0", "0.1", "0.4", "0", "0.668"]]
CELLS = [
    "",
    " ",
    "x",
    "nan",
    "-1",
    "2",
    "1e999",
    "9606.E1",
    "9606.E3",
    "10090",
    "9" * 6000,
    "²",
    '"',
    "\x00",
    "\r",
    "é",
]
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 12),
        st.sampled_from(["set", "set", "drop", "double"]),
        st.sampled_from(CELLS),
    ),
    max_size=2,
)


def changed(lines: list[list[str]], changes: list[tuple[int, int, str, str]]) -> list[list[str]]:
    lines = [list(line) for line in lines]
    for row, column, how, cell in changes:
        line = lines[row % len(lines)]
        column %= max(1, len(line))
        if how == "set":
            line[column : column + 1] = [cell]
        elif how == "drop":
            del line[column : column + 1]
        else:
            lines.append(line)
    return lines


@cases(1)
@given(
    CHANGES,
    CHANGES,
    st.sampled_from([None] * 12 + BODIES),
    st.sampled_from([None, 5, 40, 150]),
    st.booleans(),
)
def test_interactions_are_read_or_the_service_or_file_is_named(
    folder: Path, of_names: list, of_links: list, body: bytes | None, cut: int | None, echo: bool
) -> None:
    names = [["queryItem", *NAMES], *IDS]
    names = changed([line[0 if echo else 1 :] for line in names], of_names)
    links = changed([NETWORK, *LINKS], of_links)
    texts = {"get_string_ids": table_text(names[0], names[1:]), "network": table_text(links[0], links[1:])}

    def answer(url: str, form: dict) -> tuple[int, bytes]:
        kind = url.rsplit("/", 1)[1]
        return 200, body if body is not None and kind == "network" else texts[kind].encode()[:cut]

    session = Session(answer)

    def found() -> tuple[Any, list, Any]:
        string = String(client_of(folder, session, "STRING"), URL)
        proteins = string.string_ids(["P1", "P2", "P3"])
        rows = string.network(proteins.string_id.dropna())
        write_text(folder / "network.tsv", table_of(rows))
        write_table("proteins", proteins, folder / "proteins.parquet")
        return proteins, rows, read_interactions([folder / "network.tsv"], "experimental")

    result = result_or_sentence(found, ("STRING", "network.tsv"))
    assert session.asked <= 2 * ATTEMPTS
    if result is not None:
        proteins, rows, interactions = result
        assert proteins.identifier.tolist() == ["P1", "P2", "P3"]
        assert len(interactions.score) == len(rows)
        asked = set(proteins.string_id.dropna())
        if body is None and cut is None and not of_links and asked == {"9606.E1", "9606.E2"}:
            assert interactions.score.tolist() == [0.4]
