"""Kinds of files: separators, encodings, decimal commas, workbooks, structures."""

import datetime
import gzip
import math
import re
import resource
import time

import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.sources.containers import structures
from relatask.sources.molecules import read_source
from relatask.sources.table_files import Reading, containers, open_table, read_texts, row_in_file
from tests.helpers.data_tables import source_of
from tests.helpers.workbooks import write_sdf, write_workbook, write_xlsx

HEADER = ["smiles", "hERG (µM)", "B"]
ROWS = [["CCO", 7.25, 5], ["CCN", None, 6.5], ["c1ccccc1", 1e-5, None], [None, 4.0, 3.0]]
BOOKS = (".xlsx", ".ods", ".xls")


def read(path, **keys):
    return read_source(source_of(reader="table", path=str(path), values="real", **keys), "mine")


def cells(table):
    return [tuple(row) for row in table.labels[["row_position", "task", "value"]].itertuples(index=False)]


EXPECTED = [(0, 0, 7.25), (0, 1, 5.0), (1, 1, 6.5), (2, 0, 1e-5), (3, 0, 4.0), (3, 1, 3.0)]


def text_of(separator, decimal, rows=ROWS):
    lines = [
        separator.join(
            "" if cell is None else (cell if isinstance(cell, str) else repr(cell).replace(".", decimal))
            for cell in row
        )
        for row in [HEADER, *rows]
    ]
    return "\n".join(lines) + "\n"


def save(folder, kind):
    """The same table in a kind of file."""
    path = folder / f"data{kind if kind.startswith('.') else '.' + kind.split('-')[-1]}"
    if kind == ".sdf":
        return write_sdf(path, [dict(zip(HEADER, row, strict=True)) for row in ROWS])
    if kind in BOOKS:
        return write_workbook(path, {"Data": [HEADER, *ROWS]})
    if kind == ".parquet":
        pd.DataFrame(ROWS, columns=HEADER).to_parquet(path)
        return path
    separator = {"tab": "\t", "bar": "|", "comma": ","}.get(kind.split("-")[0], ";")
    text = text_of(separator, "." if separator == "," else ",").encode(
        {"utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "latin1": "latin-1"}.get(
            kind.split("-")[0], "utf-8"
        )
    )
    path.write_bytes(gzip.compress(text) if kind.endswith("gz") else text)
    return path


KINDS = [
    *("comma-csv", "semicolon-csv", "tab-tsv", "tab-csv", "bar-txt", "semicolon-csv.gz", "tab-txt.gz"),
    *("utf16-csv", "utf16le-csv", "utf16be-txt", "latin1-csv", ".parquet", ".sdf", *BOOKS),
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_table_in_each_kind_of_file_is_read_the_same(tmp_path, kind):
    table = read(save(tmp_path, kind))
    assert cells(table) == EXPECTED
    assert table.smiles == ["CCO", "CCN", "c1ccccc1", None]
    assert table.tasks["name"].tolist() == HEADER[1:]
    assert table.rows.tolist() == [1, 2, 3, 4]


def test_every_kind_of_file_is_among_those_tested():
    tested = {".smi", *(kind if kind.startswith(".") else "." + kind.split("-")[-1] for kind in KINDS)}
    for record in containers().values():
        assert tested & set(record.suffixes), record.name


def test_lines_of_smiles_have_a_name_behind(tmp_path):
    path = tmp_path / "x.smi"
    path.write_text("CCO ethanol, pure\n\nCCN\n")
    table = open_table(path)
    assert [batch.to_pydict() for batch in table.batches(["name", "smiles"])] == [
        {"name": ["ethanol, pure", ""], "smiles": ["CCO", "CCN"]}
    ]
    assert row_in_file(path, 1) == "line 3"


def test_a_separator_and_decimal_commas_are_told_in_one_line(tmp_path, caplog):
    with caplog.at_level("INFO"):
        read(save(tmp_path, "semicolon-csv"))
    assert "data.csv: columns are separated by semicolons, and numbers have a decimal comma." in caplog.text
    caplog.clear()
    with caplog.at_level("INFO"):
        read(save(tmp_path, "comma-csv"))
    assert not caplog.text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("smiles;IC50 (nM, human);B\nCCO;7,25;1\n", ["smiles", "IC50 (nM, human)", "B"]),
        ("smiles;a,b\nCCO;0,5\n", ["smiles", "a,b"]),
        ('smiles,"a;b;c",B\nCCO,1,2\n', ["smiles", "a;b;c", "B"]),
        ("smiles\nCCO\n", ["smiles"]),
        ("sep=;\nsmiles;A\nCCO;1\n", ["smiles", "A"]),
        ("\n\nsmiles;A\nCCO;1\n", ["smiles", "A"]),
        ("smiles\tA\nCCO |$a$|\t1\n", ["smiles", "A"]),
        ("smiles;A;B;;\nCCO;1;2;;\nCCN;1;2;;\n", ["smiles", "A", "B"]),  # as Excel pads rows
        (",smiles,A\n0,CCO,1\n", ["smiles", "A"]),
        ("Unnamed: 0,smiles,A\n0,CCO,1\n", ["smiles", "A"]),
    ],
)
def test_the_columns_of_a_text_are_found(tmp_path, text, names):
    path = tmp_path / "x.csv"
    path.write_text(text)
    table = open_table(path)
    assert table.names == names
    first = next(table.batches(names)).to_pylist()[0]
    assert first["smiles"].startswith("CCO")
    assert row_in_file(path, 0) == f"line {2 + text.startswith('sep') + 2 * text.startswith(chr(10))}"


def test_an_index_without_a_name_is_left_out_and_told(tmp_path, caplog):
    path = tmp_path / "x.csv"
    pd.DataFrame({"smiles": ["CCO"], "A": [1.5]}, index=["id"]).to_csv(path)
    with caplog.at_level("INFO"):
        assert cells(read(path)) == [(0, 0, 1.5)]
    assert "as an index that pandas writes, are left out: ''. Name" in caplog.text
    path.write_text("Unnamed: 0.1,Unnamed: 0,smiles,A\n0,7,CCO,1\n")
    with caplog.at_level("INFO"):
        assert read(path).tasks["name"].tolist() == ["A"]
    assert "are left out: 'Unnamed: 0.1', 'Unnamed: 0'. Name" in caplog.text
    pd.DataFrame({"smiles": ["CCO"], "A": [1.5]}, index=["id"]).to_parquet(tmp_path / "x.parquet")
    assert open_table(tmp_path / "x.parquet").names == ["smiles", "A"]
    assert open_table(tmp_path / "x.parquet", index=True).names == ["__index_level_0__", "smiles", "A"]
    path.write_text(",,smiles,A,\nx,y,CCO,1,\n")
    assert open_table(path, index=True).names == ["", "smiles", "A"]
    path.write_text("Unnamed: 0,smiles,Unnamed: 0\n0,CCO,1\n")
    with pytest.raises(RelataskError, match=r"'Unnamed: 0' is used twice \(columns 1 and 3\)"):
        open_table(path, index=True)
    path.write_text("smiles,A,\nCCO,1,\nCCN,1,lost\n")
    with pytest.raises(RelataskError, match="column 3 has no name"):
        read(path)


@pytest.mark.parametrize(
    ("rows", "keys", "said"),
    [
        (
            [["CCO", "7,25", None], ["CCN", "1.234,5", None]],
            {},
            "line 3, column 'hERG .*'1.234,5' may have a mark",
        ),
        ([["CCO", "7,25", None], ["CCN", None, "1.234"]], {}, "line 3, column 'B': '1.234' may have a mark"),
        ([["CCO", None, "1,234"]], {}, "line 2, column 'B': '1,234' may be a number with a decimal comma or"),
        ([["CCO", None, "<1,234"]], {}, "'<1,234' may be .* `decimal: ','`"),
    ],
)
def test_numbers_that_may_mean_two_things_are_refused(tmp_path, rows, keys, said):
    path = tmp_path / "x.csv"
    path.write_text(text_of(";", ".", rows))
    with pytest.raises(RelataskError, match=said):
        read(path, **keys)


@pytest.mark.parametrize(
    ("cells_", "keys", "values"),
    [
        (["7,25", "1,234"], {}, [7.25, 1.234]),  # the first shows how the second is meant
        (["0,125", ">1,5"], {}, [0.125, 1.5]),
        (["1,234", "2,5e-3"], {}, [1.234, 0.0025]),
        (["1,234", "2,345"], {"decimal": ","}, [1.234, 2.345]),
        (["7.25", "1.234"], {}, [7.25, 1.234]),
    ],
)
def test_decimal_commas_become_points(tmp_path, cells_, keys, values):
    path = tmp_path / "x.csv"
    path.write_text("smiles;A\n" + "".join(f"CCO;{cell}\n" for cell in cells_))
    assert read(path, **keys).labels["value"].tolist() == values


def test_commas_in_names_and_smiles_stay(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id;smiles;A\n1,5;CCO;7,25\n")
    assert read(path, id_column="id").source_ids == ["1,5"]
    path.write_text("task;uniprot;threshold\nA;P1,P2;6,5\n")
    assert read_texts(path) == {"task": ["A"], "uniprot": ["P1,P2"], "threshold": ["6.5"]}


@pytest.mark.parametrize(
    ("encoding", "name", "word"),
    [("cp1252", "Windows-1252", "Ångström–Größe"), ("latin-1", "Latin-1", "Ångström\x81")],
)
def test_another_encoding_is_assumed_and_told_with_a_word(tmp_path, caplog, encoding, name, word):
    path = tmp_path / "x.csv"
    filler = "CCO,1\n" * 400_000  # so that the word stands in the third block that is read
    path.write_bytes((f"smiles,A\n{filler}CCN,1\n{word},1\n").encode(encoding))
    with caplog.at_level("WARNING"):
        table = open_table(path)
    assert f"is not UTF-8; it is read as {name}, in which {word!r} is one of its words" in caplog.text
    assert "key `encoding`" in caplog.text
    last = [cell for batch in table.batches(["smiles"]) for cell in batch.column(0).to_pylist()][-1]
    assert last == word
    caplog.clear()
    open_table(path, Reading(encoding=encoding))
    assert not caplog.text


def test_a_text_that_ends_within_a_character_was_cut_off_unless_windows_wrote_it(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("smiles,name\nCCO,é\nCCN,ü".encode()[:-1])
    with pytest.raises(RelataskError, match=r"x.csv ends within a character, so it was cut off"):
        open_table(path)
    path.write_bytes("smiles,name\nCCO,e\nCCN,é".encode("cp1252"))
    assert open_table(path).facts()["encoding"] == "cp1252"


def test_an_encoding_that_is_named_is_used_and_an_unknown_one_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("smiles,活性\nCCO,1\n".encode("shift_jis"))
    assert read(path, encoding="Shift-JIS").tasks["name"].tolist() == ["活性"]
    with pytest.raises(RelataskError, match="encoding: there is none called 'klingon'"):
        read(path, encoding="klingon")
    with pytest.raises(RelataskError, match="is not text in the encoding ascii"):
        read(path, encoding="ascii")


def test_a_key_that_no_file_needs_is_refused(tmp_path):
    text, book = save(tmp_path, "comma-csv"), save(tmp_path, ".xlsx")
    for path, key in ((text, {"sheet": "Data"}), (book, {"encoding": "utf-8"})):
        with pytest.raises(
            RelataskError, match=rf"{next(iter(key))}: .*{path.name} has none; remove the key"
        ):
            read(path, **key)
    block = source_of(reader="table", path=[str(text), str(book)], values="real", sheet="Data")
    assert len(read_source(block, "mine").rows) == 8


@pytest.mark.parametrize("kind", BOOKS)
def test_cells_of_a_workbook_are_as_they_are_shown(tmp_path, kind):
    day = datetime.date(2023, 3, 15)
    rows = [
        [],
        ["smiles", "A", "when", "label", None, 2024],
        ["CCO", 5, day, True],
        [],
        ["CCN", 0.1 + 0.2, None, False],
        ['tab\tquote"\nline', 1e300],
    ]
    path = write_workbook(tmp_path / f"x{kind}", {"Empty": [], "Data": rows})
    table = open_table(path)
    assert table.names == ["smiles", "A", "when", "label", "2024"]
    found = next(table.batches(table.names)).to_pydict()
    assert found["smiles"] == ["CCO", "CCN", 'tab\tquote"\nline']
    assert found["A"] == ["5", "0.30000000000000004", "1e+300"]
    assert found["when"] == ["2023-03-15", "", ""]
    assert found["label"] == ["1", "0", ""]
    assert [table.place(number) for number in range(3)] == [f"row {n} of the sheet" for n in (3, 5, 6)]


@pytest.mark.parametrize("kind", BOOKS)
def test_of_several_sheets_one_is_read_and_told_or_named(tmp_path, caplog, kind):
    one, two = [["smiles", "A"], ["CCO", 1]], [["smiles", "A"], ["CCN", 2.5]]
    path = write_workbook(tmp_path / f"x{kind}", {"Leer": [], "Erste": one, "Zweite": two})
    with caplog.at_level("WARNING"):
        assert cells(read(path)) == [(0, 0, 1.0)]
    assert "the sheet 'Erste' is read, the first of ['Erste', 'Zweite']" in caplog.text
    caplog.clear()
    assert cells(read(path, sheet="Zweite")) == [(0, 0, 2.5)]
    assert not caplog.text
    with pytest.raises(RelataskError, match=r"has no sheet 'zweite'\. Did you mean 'Zweite'"):
        read(path, sheet="zweite")
    with pytest.raises(RelataskError, match="is empty; its first row must name"):
        read(path, sheet="Leer")


def test_a_mistake_in_a_workbook_names_the_row_that_excel_shows(tmp_path):
    path = write_workbook(tmp_path / "x.xlsx", {"D": [[], ["smiles", "A"], [], ["CCO", "5 mg"]]})
    with pytest.raises(RelataskError, match=r"x\.xlsx, row 4 of the sheet, column 'A': '5 mg'"):
        read(path)


def test_a_workbook_that_would_fill_the_memory_ends_in_a_sentence(tmp_path):
    path = tmp_path / "bomb.xlsx"
    write_xlsx(path, {"D": [["smiles", "A"]]}, '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RelataskError, match=r"bomb\.xlsx cannot be read \(it needs more memory"):
        open_table(path)
    assert time.process_time() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@pytest.mark.parametrize(
    "content", [b"smiles,A\nCCO,1\n", b"PK\x03\x04 and no more", b"\xd0\xcf\x11\xe0" * 200]
)
def test_a_workbook_that_is_none_is_named(tmp_path, content):
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(RelataskError, match=r"x\.xlsx (is no workbook|cannot be read)"):
        open_table(path)


def test_records_that_rdkit_cannot_read_stay_as_rows_without_smiles(tmp_path):
    rows = [
        {"smiles": "OCC", "A": 1.5},
        {"smiles": None, "A": 2},
        {"smiles": "CCN", "B": "x\ny", "smiles2": 1},
    ]
    path = write_sdf(tmp_path / "x.sdf", rows)
    text = path.read_text().replace("\n     RDKit", "title\n     RDKit", 1).replace("<smiles2>", "<smiles>")
    path.write_text(text.replace("$$$$\n", "$$$$\r\n"))
    table = open_table(path)
    assert table.names == ["smiles", "name", "A", "B", "smiles (property)"]
    found = next(table.batches(table.names)).to_pydict()
    assert found["smiles"] == ["CCO", "", "CCN"]
    assert found["name"] == ["title", "broken" if "broken" in found["name"] else "", ""]
    assert found["A"] == ["1.5", "2", ""]
    assert found["B"] == ["", "", "x\ny"]
    assert found["smiles (property)"] == ["", "", "1"]
    assert row_in_file(path, 1) == "record 2"
    table = read(path, task_columns=["A"])
    assert table.smiles == ["CCO", None, "CCN"]
    assert cells(table) == [(0, 0, 1.5), (1, 0, 2.0)]


def test_an_sdf_without_records_or_with_an_endless_one_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.sdf"
    path.write_text("\n")
    with pytest.raises(RelataskError, match="is empty; it must hold a record"):
        open_table(path)
    monkeypatch.setattr(structures, "_LONGEST", 1 << 20)
    path.write_text("a line\n" * 200_000)
    with pytest.raises(RelataskError, match="has a record of more than 1 MiB"):
        open_table(path)


def test_names_in_capitals_are_known(tmp_path):
    path = tmp_path / "X.CSV"
    path.write_text("smiles,A\nCCO,1\n")
    assert cells(read(path)) == [(0, 0, 1.0)]


def prepared(paths, **keys):
    from relatask.core.plugins import load_file
    from relatask.data.source_tables import SourceContext

    block = source_of(reader="table", path=[str(path) for path in paths], values="real", **keys)
    return load_file(block.record).prepare(block, SourceContext("mine"))


def test_several_files_become_one_matrix_and_rejected_rows_name_theirs(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.xlsx"
    first.write_text("smiles;A;B;c\nCCCO;7,25;>5;x\nnonsense;1;;y\n")
    write_workbook(second, {"D": [["Structure", "B", "C"], ["OCCC", 6, 1], [None, 2, 2], ["CCCN", None, 3]]})
    keys = {"smiles_column": ["smiles", "structure"], "task_columns": ["A", "B", "C"]}
    table = read_source(
        source_of(reader="table", path=[str(first), str(second)], values="real", **keys), "mine"
    )
    assert table.tasks["name"].tolist() == ["A", "B", "C"]
    assert table.smiles == ["CCCO", "nonsense", "OCCC", None, "CCCN"]
    assert [tuple(row) for row in table.labels.itertuples(index=False)] == [
        *((0, 0, 7.25, "="), (0, 1, 5.0, ">"), (1, 0, 1.0, "="), (2, 1, 6.0, "=")),
        *((2, 2, 1.0, "="), (3, 1, 2.0, "="), (3, 2, 2.0, "="), (4, 2, 3.0, "=")),
    ]
    tables = prepared([first, second], **keys)
    rejected = [(row.file, row.row, row.reason) for row in tables.rejected.itertuples()]
    assert [(file, row) for file, row, _ in rejected] == [(str(first), 2), (str(second), 1), (str(second), 2)]
    assert rejected[1][2] == f"duplicate of row 1 of {first}"
    assert len(tables.items) + len(rejected) == 5


def test_conflicts_between_files_and_reasons_with_more_words_name_file_and_row(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("smiles,A,fold of\nCCCN,1,train\nCCCO,1,train\n")
    second.write_text("smiles,A,fold of\nOCCC,0,test\n")
    tables = prepared([first, second], kinds={"A": "binary"}, item_columns=["fold of"])
    (conflict,) = tables.conflicts.itertuples()
    assert conflict.rows == f"2 of {first};1 of {second}"
    (rejected,) = tables.rejected.itertuples()
    assert rejected.reason == f"duplicate of row 2 of {first}, whose fold of is 'train' and not 'test'"
    second.write_text("smiles,A,fold of\nCCCCl,0,test\n")
    none = prepared([first, second], kinds={"A": "binary"}, item_columns=["fold of"])
    assert none.rejected["file"].tolist() == none.conflicts["rows"].tolist() == []


def test_classes_of_several_files_are_one_list(tmp_path):
    for name, classes in (("a.csv", "mb"), ("b.csv", "amz")):
        (tmp_path / name).write_text("smiles,K\n" + "".join(f"CCO,{text}\n" for text in classes))
    paths = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    table = read_source(source_of(reader="table", path=paths, values="class"), "mine")
    assert table.classes == {"K": ["a", "b", "m", "z"]}
    assert [table.classes["K"][int(value)] for value in table.labels["value"]] == list("mbamz")


@pytest.mark.parametrize(
    ("second", "keys", "said"),
    [
        ("smiles,B\nCCO,1\n", {"task_columns": ["A", "Z"]}, "no file has a column 'Z'"),
        ("smile,B\nCCO,1\n", {}, r"b\.csv has no column 'smiles'"),
        ("smiles,B\nCCO,x\n", {}, r"b\.csv, line 2, column 'B'"),
        ("smiles,A\n", {}, r"b\.csv has a header but no rows"),
    ],
)
def test_a_mistake_in_one_of_several_files_names_it(tmp_path, second, keys, said):
    (tmp_path / "a.csv").write_text("smiles,A\nCCO,1\n")
    (tmp_path / "b.csv").write_text(second)
    with pytest.raises(RelataskError, match=said):
        prepared([tmp_path / "a.csv", tmp_path / "b.csv"], **keys)


def test_a_file_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(RelataskError, match=r"is given twice"):
        prepared(["a.csv", "a.csv"])


@pytest.mark.parametrize("kind", ["comma-csv", "semicolon-csv", ".xlsx", ".ods", ".parquet"])
def test_tox21_is_the_same_in_each_kind_of_file(tmp_path, mirror, kind):
    frame = pd.read_csv(mirror / "moleculenet" / "tox21.csv").head(400)
    path = tmp_path / f"x{kind if kind.startswith('.') else '.csv'}"
    if kind in BOOKS:
        rows = [[None if cell != cell else cell for cell in row] for row in frame.to_numpy(object).tolist()]
        write_workbook(path, {"Data": [list(frame), *rows]})
    elif kind == ".parquet":
        frame.to_parquet(path)
    else:
        comma = kind == "comma-csv"
        frame.to_csv(path, index=comma, sep="," if comma else ";", decimal="." if comma else ",")
    original = read(mirror / "moleculenet" / "tox21.csv")
    expected = original.labels[original.labels["row_position"] < 400].reset_index(drop=True)
    table = read(path)
    assert table.smiles == original.smiles[:400]
    pd.testing.assert_frame_equal(table.labels, expected)
    assert not math.isnan(table.labels["value"].sum())
    assert re.fullmatch("NR-AR", table.tasks["name"].iloc[0])
