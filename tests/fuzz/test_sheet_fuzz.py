"""Whatever a sheet of data sets holds, each of its rows is a file or one sentence names what is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relatask.sources.dataset_sheet import UNKNOWN, read_sheet
from tests.fuzz.cases import cases, result_or_sentence

HEADER = [
    *("name", "file", "path", "url", "sha256", "bytes", "unpacked_sha256", "conversion"),
    *("licence", "citation", "note"),
]
ROW = [
    "tox21",
    "tox21.csv",
    "moleculenet/tox21.csv",
    "https://a.example/x.zip#y",
    "0" * 64,
    "7",
    "-",
    "-",
    "MIT",
    "Wu 2018",
    "",
]
ODD = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                " ",
                "-",
                "..",
                "../x",
                "/etc/passwd",
                "a/../../b",
                "$(touch x)",
                "<script>",
                "`x`",
                "a;b",
                "a b",
            ),
            *(
                "tox21",
                "https://",
                "http://[",
                "file:///x",
                "HTTP://a",
                "0" * 64,
                "0" * 63,
                "F" * 64,
                '"',
                '"a',
                "'",
            ),
            *(
                "x" * 300,
                "y" * 999,
                "\x00",
                "\x85",
                "\u2028",
                "\x0b",
                "\r",
                "\ufeff",
                "é",
                "#x",
                "# x",
                "~/x",
            ),
        ]
    ),
    st.text(max_size=8),
)
ROWS = st.tuples(st.integers(0, 9), st.integers(0, 10), ODD)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sheet") / "datasets.tsv"


@cases(2)
@given(
    st.lists(ROWS, max_size=4),
    st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    st.sampled_from(["", "", "# comment\n", "\n\n"]),
)
def test_every_row_of_a_sheet_is_a_file_or_a_sentence(
    path: Path, changes: list[tuple[int, int, str]], end: str, encoding: str, start: str
) -> None:
    table = [list(HEADER)] + [[ROW[0], f"{number}.csv", *ROW[2:]] for number in range(3)]
    for row, column, text in changes:
        cells = table[min(row, 3)]
        cells[column:] = [text, *cells[column + 1 :]]
    text = start + end.join("\t".join(cells) for cells in table) + end
    path.write_bytes(text.encode(encoding, "replace"))
    sheet = result_or_sentence(lambda: read_sheet(path))
    if sheet is None:
        return
    rows = [line for line in text.splitlines()[1:] if line.strip() and line[0] not in "#\ufeff"]
    entries = [entry for group in sheet.values() for entry in group]
    assert len(entries) == len([line for line in rows if line.split("\t") != HEADER])
    for entry in entries:
        assert not {"/", "\\", "\n", " ", "$"} & set(entry.name + entry.file)
        assert ".." not in Path(entry.path).parts
        assert not Path(entry.path).is_absolute()
        assert entry.url == UNKNOWN or entry.url.startswith(("http://", "https://"))
        assert entry.url == UNKNOWN or entry.conversion == UNKNOWN


@cases(2)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_sheet_or_a_sentence(path: Path, body: bytes) -> None:
    path.write_bytes(b"\t".join(name.encode() for name in HEADER) + b"\n" + body)
    result_or_sentence(lambda: read_sheet(path))
