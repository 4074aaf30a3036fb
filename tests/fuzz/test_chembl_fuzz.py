"""Whatever ChEMBL answers, its records arrive whole, or one sentence names the service or the file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, write_text
from relatask.core.tables import read_table, write_table
from relatask.sources.active import ActiveRule
from relatask.sources.chembl.activities import read_activities
from relatask.sources.chembl.assay_targets import find_assay_targets
from relatask.sources.chembl.target_activities import collect_activities
from relatask.sources.services.chembl import Chembl
from tests.fuzz.answers import ATTEMPTS, BODIES, URL, Session, client_of
from tests.fuzz.cases import cases, result_or_sentence
from tests.fuzz.nested import change, places
from tests.helpers.data_tables import source_of
from tests.helpers.service import activity, assay, target

PAGES: dict[str, dict[str, Any]] = {
    "assay": {"assays": [assay("CHEMBL1", "CHEMBL10"), assay("CHEMBL2", None)]},
    "target": {"targets": [target("CHEMBL10", "P1", "P2"), target("CHEMBL20", "P3", tax_id=10116)]},
    "activity": {
        "activities": [
            activity(1, "CHEMBL101", "CHEMBL10", "6.40", "CCCO"),
            activity(2, "CHEMBL102", "CHEMBL10", None, "CCCN"),
            activity(3, "CHEMBL103", "CHEMBL10", "8.00", None),
        ]
    },
}
for _page in PAGES.values():
    _page["page_meta"] = {
        "limit": 1000,
        "next": None,
        "offset": 0,
        "total_count": len(next(iter(_page.values()))),
    }
ODD: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        2,
        1e400,
        float("nan"),
        10**30,
        [],
        {},
        [None],
        {"a": 1},
        "",
        " ",
        "x",
        "9606",
        "6.5",
    ),
    *(
        "CHEMBL10",
        "CHEMBL1",
        "CHEMBL10 ",
        "\ud800",
        "\x00",
        "<script>",
        "$(touch x)",
        "http://[",
        "/data/x?y=1",
    ),
    *("http://elsewhere.example/", ["CHEMBL10"], [[]], "a" * 3000, -0.0, "nan", "inf", "1e999"),
]
EDIT = st.tuples(
    st.integers(0, 10_000), st.sampled_from(["set", "set", "drop", "rename"]), st.sampled_from(ODD)
)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, bytes]:
    """The body of each kind of question, one of them odd."""
    bodies = {kind: json.dumps(page).encode() for kind, page in PAGES.items()}
    kind = draw(st.sampled_from(list(PAGES)))
    if draw(st.integers(0, 5)) == 0:
        bodies[kind] = draw(st.one_of(st.sampled_from(BODIES), st.binary(max_size=20)))
    elif draw(st.integers(0, 5)) == 0:
        bodies[kind] = bodies[kind][: draw(st.integers(0, len(bodies[kind])))]
    else:
        page = json.loads(bodies[kind])
        for number, how, odd in draw(st.lists(EDIT, min_size=1, max_size=2)):
            paths = places(page)
            if paths:
                change(page, paths[number % len(paths)], how, odd)
        bodies[kind] = json.dumps(page).encode()
    return bodies


def pages_of(bodies: dict[str, bytes]) -> Callable[[str, dict], tuple[int, bytes]]:
    """A service that has these lists, and no record at an address of its own."""

    def answer(url: str, query: dict) -> tuple[int, bytes]:
        kind = url.removeprefix(f"{URL}/").removesuffix(".json")
        return (200, bodies[kind]) if kind in bodies else (404, b"no such page")

    return answer


@cases(2)
@given(answers())
def test_assays_lead_to_targets_or_the_service_is_named(folder: Path, bodies: dict[str, bytes]) -> None:
    session = Session(pages_of(bodies))
    wanted = ["CHEMBL2", "CHEMBL1", "CHEMBL1", "egfr"]

    def found() -> Any:
        table = find_assay_targets(Chembl(client_of(folder, session, "ChEMBL"), URL), wanted)
        write_table("assay_targets", table, folder / "table.parquet")
        return read_table("assay_targets", folder / "table.parquet")

    table = result_or_sentence(found, ("ChEMBL",))
    assert session.asked <= (2 + 2 + 2) * ATTEMPTS  # a batch and two single ids, for assays and for targets
    if table is not None:
        assert table.assay_id.tolist() == ["CHEMBL2", "CHEMBL1", "egfr"]
        assert all((len(row.uniprots) > 0) != (row.reason is not None) for row in table.itertuples())
        record = next(
            one for one in json.loads(bodies["assay"])["assays"] if one["assay_chembl_id"] == "CHEMBL1"
        )
        assert table.target_id.to_list()[1] == record["target_chembl_id"] or table.target_id.isna()[1]


@cases(2)
@given(answers())
def test_activities_become_labels_or_the_service_or_file_is_named(
    folder: Path, bodies: dict[str, bytes]
) -> None:
    session = Session(pages_of(bodies))

    def found() -> tuple[Any, Any]:
        content = collect_activities(
            Chembl(client_of(folder, session, "ChEMBL"), URL), ["CHEMBL10", "CHEMBL99"]
        )
        write_text(folder / "activities.json", canonical_json(content))
        active = ActiveRule(at_least=6.5, at_most=None)
        return content, read_activities(source_of(reader="chembl_activities", active=active), folder)

    result = result_or_sentence(found, ("ChEMBL", "activities.json"))
    if result is not None:
        content, table = result
        sent = json.loads(bodies["activity"])["activities"]
        assert len(content["activities"]) == len({one["activity_id"] for one in sent})
        notes = table.notes
        left_out = ("of_other_targets", "without_molecule", "without_pchembl")
        measured = notes["activities"] - sum(notes[f"activities_{why}"] for why in left_out)
        assert measured == sum(
            bool(one["pchembl_value"] and one["molecule_chembl_id"]) for one in content["activities"]
        )
        assert len(table.labels) == notes["cells"] > 0


def test_a_service_that_fails_is_asked_no_more_than_it_is_retried(folder: Path) -> None:
    session = Session(lambda url, query: (500, b"no"))
    with pytest.raises(RelataskError, match="ChEMBL gave no answer in 2 attempts: it answered 500"):
        find_assay_targets(Chembl(client_of(folder, session, "ChEMBL"), URL), ["CHEMBL1"])
    assert session.asked == ATTEMPTS
