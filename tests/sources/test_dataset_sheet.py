"""The sheet of data sets is checked row by row, and agrees with the files it describes."""

import re
from pathlib import Path

import pytest

from relatask.core.errors import RelataskError
from relatask.core.files import sha256_of
from relatask.sources.dataset_sheet import UNKNOWN, conversion_files, needs_of, read_sheet, retrieval_of
from relatask.sources.originals import conversion_records
from relatask.sources.unpacked import unpacked_sha256

HEADER = "name\tfile\tpath\turl\tsha256\tbytes\tunpacked_sha256\tconversion\tlicence\tcitation\tnote"
ROW = (
    f"tox21\ttox21.csv\tmoleculenet/tox21.csv\thttps://a.example/tox21.csv\t{'0' * 64}\t458635\t-\t-"
    "\tMIT\tWu\t"
)


def sheet(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "datasets.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_files_are_grouped_by_data_set_and_comments_skipped(tmp_path: Path) -> None:
    other = ROW.replace("tox21.csv", "tasks.csv").replace("https://a.example/tasks.csv", UNKNOWN)
    found = read_sheet(sheet(tmp_path, "# a comment", "", HEADER, ROW, "# another", other))
    assert [entry.file for entry in found["tox21"]] == ["tox21.csv", "tasks.csv"]
    assert found["tox21"][1].url == UNKNOWN
    assert set(found["tox21"][0].as_dict()) == {
        "file",
        "path",
        "url",
        "sha256",
        "bytes",
        "unpacked_sha256",
        "conversion",
    }  # what decides the bytes


def test_what_spreadsheets_add_to_a_file_is_no_mistake(tmp_path: Path) -> None:
    path = sheet(tmp_path, "# a comment", HEADER, ROW)
    expected = read_sheet(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_sheet(path) == expected


MISTAKES = {
    "the columns must be name, file, path": (HEADER.replace("sha256", "md5"), ROW),
    "line 3: the row must have as many fields": (HEADER, ROW, ROW.rsplit("\t", 2)[0]),
    "line 2: the row must have as many fields": (HEADER, ROW + "\tmore"),
    "line 2: name 'tox 21' may hold letters": (HEADER, ROW.replace("tox21\t", "tox 21\t", 1)),
    r"line 2: file '\.\./tox21.csv' must be a plain": (HEADER, ROW.replace("\ttox21.csv", "\t../tox21.csv")),
    r"line 2: path '\.\./moleculenet/tox21.csv' must lie": (HEADER, ROW.replace("\tmole", "\t../mole")),
    "line 2: path '/moleculenet/tox21.csv' must lie": (HEADER, ROW.replace("\tmole", "\t/mole")),
    "line 2: url 'file:///a' must begin": (HEADER, ROW.replace("https://a.example/tox21.csv", "file:///a")),
    "line 2: sha256 must be 64 hex digits": (HEADER, ROW.replace("0" * 64, "0" * 63)),
    "line 2: url 'https://\\*\\*\\*@a.example/x' must hold no login": (
        HEADER,
        ROW.replace("https://a.example/tox21.csv", "https://me:pw@a.example/x"),
    ),
    "line 2: unpacked_sha256 must be 64 hex": (HEADER, ROW.replace("\t-\t-", "\t0\t-")),
    "line 2: url 'and' must begin with http": (HEADER, ROW.replace("/tox21.csv\t0", "/tox21.csv and\t0")),
    "line 2: conversion 'kiba' must name a file of sources/originals, in a row without an": (
        HEADER,
        ROW.replace("\t-\t-", "\t-\tkiba"),
    ),
    "line 2: bytes '4 MB' must be the size of the file": (HEADER, ROW.replace("458635", "4 MB")),
    "line 3: tox21 already has a file 'tox21.csv'": (HEADER, ROW, ROW),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, message: str) -> None:
    with pytest.raises(RelataskError, match=message):
        read_sheet(sheet(tmp_path, *MISTAKES[message]))


def test_an_absent_or_foreign_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RelataskError, match="does not exist"):
        read_sheet(tmp_path / "absent.tsv")
    (tmp_path / "datasets.tsv").write_bytes(b"\xff\xfe")
    with pytest.raises(RelataskError, match="is not UTF-8"):
        read_sheet(tmp_path / "datasets.tsv")


def test_every_row_of_the_project_says_where_from_and_on_which_terms(root: Path) -> None:
    found = read_sheet(root / "config" / "datasets.tsv")
    assert {"tox21", "sider", "toxcast", "kiba", "string_v9_1", "lsc", "string_v12_info"} <= set(found)
    for name, entries in found.items():
        for entry in entries:
            assert entry.licence, f"{name}/{entry.file}"
            assert re.search(r"\d{4}|US EPA", entry.citation), f"{name}/{entry.file}"
            assert entry.is_public, f"{name}/{entry.file}"
            for need in needs_of(entry):
                assert retrieval_of(found, *need.split("/"))["path"], need
    assert {entry.conversion for group in found.values() for entry in group} == {
        UNKNOWN,
        *conversion_records(),
    }


def test_docs_data_tells_of_every_data_set(root: Path) -> None:
    text = (root / "docs" / "data.md").read_text()
    sheet = read_sheet(root / "config" / "datasets.tsv")
    used = [name for name, group in sheet.items() if not group[0].path.startswith("originals/")]
    assert [name for name in used if f"`{name}`" not in text] == []


def test_a_row_holds_all_that_it_is_converted_from(root: Path) -> None:
    row = retrieval_of(read_sheet(root / "config" / "datasets.tsv"), "toxcast", "tasks.csv")
    assert set(row["originals"]) == {
        "toxcast_endpoints/end_point_info_invitrodb.csv.gz",
        "string_v9_1_nodes/string_v9.1_human_nodes.tsv.gz",
        "toxcast/toxcast.csv.gz",
    }
    nodes = row["originals"]["string_v9_1_nodes/string_v9.1_human_nodes.tsv.gz"]
    assert list(nodes["originals"]) == ["string_v9_1_graph/org.Hs.string.RData"]


def test_an_edit_of_a_conversion_concerns_what_is_made_with_it(root: Path) -> None:
    sheet = read_sheet(root / "config" / "datasets.tsv")
    files = {
        entry.file: conversion_files(sheet, entry) for name in ("toxcast", "tox21") for entry in sheet[name]
    }
    names = ("string_nodes", "toxcast_endpoints", "toxcast_tasks")
    assert files["tasks.csv"] == [f"sources/originals/{name}.py" for name in names]
    assert files["tox21.csv"] == []


def test_files_of_the_mirror_are_those_of_the_sheet(root: Path, mirror: Path) -> None:
    entries = [entry for group in read_sheet(root / "config" / "datasets.tsv").values() for entry in group]
    there = [entry for entry in entries if (mirror / entry.path).is_file()]
    assert len(there) >= 40
    for entry in there:
        file = mirror / entry.path
        as_served = (sha256_of(file), str(file.stat().st_size)) == (entry.sha256, entry.bytes)
        assert as_served or unpacked_sha256(file) == entry.unpacked_sha256, entry.path
