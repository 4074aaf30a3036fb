"""Reading sources: what is accepted, what is missing, and the sentence for each mistake."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext
from relatask.sources.containers import delimited
from relatask.sources.molecules import read_source
from tests.helpers.data_tables import source_of

CSV = "smiles,A,B\nCCO,1,0\nCCN,,1.0\nCCC,0.0,nan\n"


def write(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path, **keys):
    return read_source(source_of(reader="table", path=str(path), **keys), "mine")


def cells(table):
    return [tuple(row) for row in table.labels.itertuples(index=False)]


EXPECTED = [(0, 0, 1.0), (0, 1, 0.0), (1, 1, 1.0), (2, 0, 0.0)]


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.tsv", "data.parquet"])
def test_every_form_of_a_table_gives_the_same_labels(tmp_path, name):
    path = tmp_path / name
    frame = pd.DataFrame({"smiles": ["CCO", "CCN", "CCC"], "A": [1, np.nan, 0], "B": [0, 1, np.nan]})
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    table = read(path)
    assert table.smiles == ["CCO", "CCN", "CCC"]
    assert list(table.tasks["name"]) == ["A", "B"]
    assert table.rows.tolist() == [1, 2, 3]
    assert cells(table) == EXPECTED
    assert table.labels.dtypes.astype(str).to_dict() == {
        "row_position": "int64",
        "task": "int32",
        "value": "float64",
    }


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path):
    assert cells(read(write(tmp_path, b"\xef\xbb\xbf" + CSV.encode()))) == EXPECTED


def test_empty_cells_and_spelled_out_nothing_are_missing_never_0(tmp_path):
    spellings = ["", "nan", "NaN", "NA", "n/a", "None", "null", " ", "<NA>"]
    rows = "".join(f"CCO,{spelling},1\n" for spelling in spellings)
    table = read(write(tmp_path, "smiles,A,B\n" + rows))
    assert set(table.labels.task) == {1}
    assert len(table.labels) == len(spellings)


def test_rows_without_smiles_are_kept_for_the_rejected_table(tmp_path):
    table = read(write(tmp_path, "smiles,A\nCCO,1\n,0\nnan,1\n"))
    assert table.smiles == ["CCO", None, None]
    assert len(table.rows) == 3


def test_the_smiles_column_is_found_in_another_case_and_said(tmp_path, caplog):
    with caplog.at_level("INFO"):
        table = read(write(tmp_path, CSV.replace("smiles", "SMILES")))
    assert cells(table) == EXPECTED
    assert "'SMILES' is read as the SMILES" in caplog.text


def test_ids_and_task_columns_come_from_the_config(tmp_path):
    path = write(tmp_path, "name,structure,A,comment,B\nx1,CCO,1,good,0\nx2,CCN,0,bad,\n")
    table = read(path, smiles_column="structure", id_column="name", task_columns=["B", "A"])
    assert table.source_ids == ["x1", "x2"]
    assert list(table.tasks["name"]) == ["B", "A"]
    assert cells(table) == [(0, 0, 0.0), (0, 1, 1.0), (1, 1, 0.0)]


def test_further_columns_are_kept_but_for_those_that_molecules_have(tmp_path):
    path = write(tmp_path, "smiles,A,position,scaffold,level\nC,1,p,x,y\nCCCCO,0,q,x,y\n")
    block = source_of(reader="table", path=str(path), task_columns=["A"], item_columns=["position"])
    tables = load_file(block.record).prepare(block, SourceContext("mine"))
    assert tables.items["position"].tolist() == ["q"]
    for column in ("scaffold", "level", "smiles"):
        with pytest.raises(RelataskError, match=f"cannot keep the column '{column}', as items have one"):
            read(path, task_columns=["A"], item_columns=[column])


def test_an_active_rule_turns_measurements_into_labels_bounds_included(tmp_path):
    path = write(tmp_path, "smiles,A\nCCO,5.9\nCCN,6\nCCC,6.1\nCCCC,\n")
    assert read(path, active={"at_least": 6}).labels.value.tolist() == [0, 1, 1]
    assert read(path, active={"at_most": 6}).labels.value.tolist() == [1, 1, 0]


def test_parquet_of_booleans_and_text_is_read(tmp_path):
    frame = pd.DataFrame({"smiles": ["CCO", "CCN"], "A": [True, False], "B": ["1", None]})
    frame.to_parquet(tmp_path / "x.parquet")
    assert cells(read(tmp_path / "x.parquet")) == [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 0.0)]


@pytest.mark.parametrize(
    ("content", "keys", "said"),
    [
        ("smiles,A\nCCO,1\nCCN,high\n", {}, r"line 3, column 'A': 'high' is not a number.*task_columns"),
        ("smiles,A\n\nCCO,1\n\n\nCCN,x\n", {}, r"line 6, column 'A': 'x' is not a number"),
        ('smiles,A,B\nCCO,"1\n",1\nCCN,x,1\n', {}, r"line 4, column 'A': 'x' is not a number"),
        ("smiles,A\nCCO,inf\n", {}, r"line 2, column 'A': 'inf' is not finite; write a finite number, or"),
        ("smiles,A\nCCO,1e400\n", {"active": {"at_least": 1}}, r"line 2, column 'A': '1e400' is not finite"),
        ("smiles,A\nCCO,1\nCCN,1_0\n", {"active": {"at_least": 1}}, r"line 3.*'1_0' is not a number"),
        ("smiles,A\nCCO,1\nCCN,0.5\n", {}, r"line 3, column 'A': '0.5' is neither 0 nor 1.*`active`"),
        ("smiles,A,B,A\nCCO,1,1,1\n", {}, r"'A' is used twice \(columns 2 and 4\)"),
        ("smiles,A,\nCCO,1,1\n", {}, r"column 3 has no name"),
        ("smile,A\nCCO,1\n", {}, r"no column 'smiles' \(smiles_column\). Did you mean 'smile'"),
        ("smiles;A\nCCO;1;2\n", {}, r"line 2: 3 cells, but the header has 2; correct the row"),
        ("Smiles,SMILES,A\nCCO,CCO,1\n", {}, r"could be any of \['Smiles', 'SMILES'\]"),
        ("smiles,A\nCCO,1\n", {"id_column": "id"}, r"no column 'id' \(id_column\)"),
        ("smiles,A\nCCO,1\n", {"task_columns": ["AA"]}, r"no column 'AA' \(task_columns\). Did you mean 'A'"),
        ("smiles,A\nCCO,1\n", {"task_columns": ["A", "A"]}, r"'A' stands there twice"),
        ("smiles\nCCO\n", {}, r"no task column beside \['smiles'\]"),
        ("", {}, r"is empty; its first row must name the columns"),
        ("smiles,A\n", {}, r"a header but no rows"),
        ("smiles,A\nCCO,1\nCCN,1,0\n", {}, r"line 3: 3 cells, but the header has 2; correct the row"),
        (
            "smiles,A\nCCO\xe9,1\n".encode("latin-1"),
            {"encoding": "utf-8"},
            r"is not text in the encoding utf-8",
        ),
        (b"smiles,A\nCCO\xe9,1\0\n", {}, r"holds bytes that no text has"),
        (b"PK\x03\x04smiles", {}, r"is no text but of another kind; let its name end in \.xlsx or \.ods"),
    ],
)
def test_each_mistake_is_one_sentence_that_says_where(tmp_path, content, keys, said):
    with pytest.raises(RelataskError, match=said) as caught:
        read(write(tmp_path, content), **keys)
    assert "\n" not in str(caught.value)


def test_a_mistake_far_down_names_its_own_row(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK", 4096)  # so that the CSV comes in many batches too
    rows = ["CCO,1"] * 40_000
    rows[33_333] = "CCO,oops"
    frame = pd.DataFrame({"smiles": "CCO", "A": ["1"] * 40_000})
    frame.loc[33_333, "A"] = "oops"
    frame.to_parquet(tmp_path / "x.parquet")  # read in batches of 16,384 rows
    csv = write(tmp_path, "smiles,A\n" + "\n".join(rows))
    for path, place in ((csv, "line 33335"), (tmp_path / "x.parquet", "data row 33334")):
        with pytest.raises(RelataskError, match=f"{place}, column 'A': 'oops'"):
            read(path)


def test_files_that_are_absent_cut_off_or_of_another_kind_are_named(tmp_path):
    with pytest.raises(RelataskError, match=r"there is no file .*absent\.csv"):
        read(tmp_path / "absent.csv")
    with pytest.raises(RelataskError, match=r"x.docx is of no kind known here; save it as one of .csv"):
        read(write(tmp_path, CSV, "x.docx"))
    whole = gzip.compress(("smiles,A\n" + "CCO,1\n" * 5000).encode())
    with pytest.raises(RelataskError, match="cut off or damaged"):
        read(write(tmp_path, whole[: len(whole) // 2], "cut.csv.gz"))
    with pytest.raises(RelataskError, match="cut off or damaged"):
        read(write(tmp_path, b"PAR1 is not all", "cut.parquet"))


def test_a_column_of_lists_is_no_task(tmp_path):
    pd.DataFrame({"smiles": ["CCO"], "A": [[1, 2]]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(RelataskError, match="column 'A': the column holds list"):
        read(tmp_path / "x.parquet")


SHEET = "task,uniprot,string_id,note\nB,P1; P2,9606.X;9606.Y,n\nA,,,\nZ,P9,,\n"


def test_a_task_sheet_is_aligned_with_the_tasks_of_the_data(tmp_path, caplog):
    sheet = write(tmp_path, SHEET, "sheet.csv")
    with caplog.at_level("INFO"):
        tasks = read(write(tmp_path, CSV), task_sheet=str(sheet)).tasks
    assert tasks.uniprots.tolist() == [[], ["P1", "P2"]]
    assert tasks.string_ids.tolist() == [[], ["9606.X", "9606.Y"]]
    assert "1 of 2 tasks have proteins, 0 tasks have no row, 1 rows name no task" in caplog.text


def test_sheets_may_name_tasks_in_assay_and_proteins_in_string_v9_ensp(tmp_path):
    sheet = write(tmp_path, "task,assay,uniprot,string_v9_ensp\n0,A,P1,ENSP1\n1,B,,\n", "sheet.csv")
    tasks = read(write(tmp_path, CSV), task_sheet=str(sheet)).tasks
    assert tasks.string_ids.tolist() == [["ENSP1"], []]


def test_a_task_sheet_may_be_parquet_with_lists(tmp_path):
    pd.DataFrame({"task": ["A"], "uniprot": [["P1", "P2"]]}).to_parquet(tmp_path / "sheet.parquet")
    tasks = read(write(tmp_path, CSV), task_sheet=str(tmp_path / "sheet.parquet")).tasks
    assert tasks.uniprots.tolist() == [["P1", "P2"], []]


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ("name,uniprot\nA,P1\n", "needs the column 'task'"),
        ("task,protein\nA,P1\n", "needs the column 'uniprot' or 'string_id'"),
        ("task,uniprot\nX,P1\n", r"no value of column 'task' is a task of the data, e.g. \['A', 'B'\]"),
        ("task,uniprot\nA,P1\nA,P2\n", "line 3: the task 'A' stands above already"),
    ],
)
def test_each_mistake_in_a_task_sheet_is_one_sentence(tmp_path, sheet, said):
    with pytest.raises(RelataskError, match=said):
        read(write(tmp_path, CSV), task_sheet=str(write(tmp_path, sheet, "sheet.csv")))


def test_a_task_sheet_that_is_absent_is_named(tmp_path):
    with pytest.raises(RelataskError, match=r"task_sheet: there is no file nowhere\.csv"):
        read(write(tmp_path, CSV), task_sheet="nowhere.csv")


def test_a_raw_folder_holds_one_table_and_perhaps_a_sheet(tmp_path):
    write(tmp_path, CSV, "molecules.csv")
    write(tmp_path, "task,uniprot,string_id\nA,P1,S1\nB,P2,S2\n", "tasks.csv")
    table = read_source(source_of(reader="planted"), "planted", tmp_path)
    assert cells(table) == EXPECTED
    assert table.tasks.string_ids.tolist() == [["S1"], ["S2"]]
    write(tmp_path, CSV, "second.csv")
    with pytest.raises(RelataskError, match=r"must hold one .* holds molecules\.csv, second\.csv"):
        read_source(source_of(reader="table"), "x", tmp_path)
    with pytest.raises(RelataskError, match="give `path`, or the folder"):
        read_source(source_of(reader="table"), "x")


def kiba_folder(folder, molecules="chembl_id,smiles\nC1,CCO\nC2,CCN\n"):
    write(folder, "chembl_id,P1,P2\nC1,3.0,3.0001\nC2,,11\nC3,1.5,\n", "kiba_scores_3x2.csv")
    write(folder, molecules, "molecules.csv")
    write(folder, "task,uniprot,symbol,string_v9_ensp\n0,P1,a,E1\n1,P2,b,\n", "tasks.csv")
    return folder


def test_kiba_scores_at_most_3_are_active_by_default(tmp_path):
    table = read_source(source_of(reader="kiba"), "kiba", kiba_folder(tmp_path))
    assert cells(table) == [(0, 0, 1.0), (0, 1, 0.0), (1, 1, 0.0), (2, 0, 1.0)]
    assert table.smiles == ["CCO", "CCN", None]  # C3 has no SMILES: rejected later, not dropped
    assert table.source_ids == ["C1", "C2", "C3"]
    assert table.tasks.string_ids.tolist() == [["E1"], []]
    other = source_of(reader="kiba", active={"at_most": 1.0})
    assert read_source(other, "kiba", tmp_path).labels.value.sum() == 0


def test_kiba_molecules_with_two_structures_are_refused(tmp_path):
    folder = kiba_folder(tmp_path, "chembl_id,smiles\nC1,CCO\nC1,CCN\n")
    with pytest.raises(RelataskError, match="line 3: C1 has another SMILES above"):
        read_source(source_of(reader="kiba"), "kiba", folder)
    with pytest.raises(RelataskError, match="must hold one kiba_scores"):
        read_source(source_of(reader="kiba"), "kiba", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("file", "rows", "tasks", "labels", "positives"),
    [("tox21.csv", 7831, 12, 77946, 5862), ("sider.csv", 1427, 27, 38529, 21868)],
)
def test_moleculenet_files_give_their_known_counts(mirror, file, rows, tasks, labels, positives):
    table = read(mirror / "moleculenet" / file)
    assert (len(table.rows), len(table.tasks), len(table.labels)) == (rows, tasks, labels)
    assert table.labels.value.sum() == positives


def test_toxcast_matches_the_counts_of_its_own_sheet(mirror):
    sheet = mirror / "toxcast_assays" / "tasks.csv"
    table = read(mirror / "moleculenet" / "toxcast.csv.gz", task_sheet=str(sheet))
    counts = pd.read_csv(sheet).set_index("assay").loc[table.tasks["name"]]
    assert np.bincount(table.labels.task).tolist() == counts.n_labels.tolist()
    assert np.bincount(table.labels.task, table.labels.value).tolist() == counts.n_active.tolist()
    assert (table.tasks.string_ids.str.len() > 0).sum() == 395


def test_kiba_matches_the_counts_of_its_own_sheet(mirror):
    table = read_source(source_of(reader="kiba"), "kiba", mirror / "kiba")
    counts = pd.read_csv(mirror / "kiba" / "tasks.csv").set_index("uniprot").loc[table.tasks["name"]]
    assert len(table.rows) == 4075
    assert len(table.labels) == 161_013
    positives = np.bincount(table.labels.task, table.labels.value, minlength=467)
    assert positives.tolist() == counts.n_active_kiba_le_3.tolist()
    assert None not in table.smiles


def test_the_config_of_a_source_survives_json(tmp_path):
    config = source_of(reader="table", path=str(write(tmp_path, CSV)))
    again = source_of(json.loads(config.model_dump_json()))
    assert cells(read_source(again, "mine")) == EXPECTED
