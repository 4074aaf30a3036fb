"""The pickles of LSC are read without running them, from Python 2 as from today's libraries."""

import os
import pickle
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.data.raw_table import RawTable
from relatask.sources.chembl.assay_targets import read_assay_ids
from relatask.sources.lsc.pickles import read_pickles
from relatask.sources.lsc.tables import LABELS, SMILES, TARGETS, read_lsc
from tests.helpers import python2_pickles as old
from tests.helpers.data_tables import source_of

ASSAYS = ["CHEMBL1909150", "CHEMBL1613777", "CHEMBL884521"]
DENSE = np.array([[1, 0, -1], [0, 0, 0], [-1, 1, 0], [0, -1, 1]])
TEXTS = ["CCO", None, "c1ccccc1", "CC(=O)O"]
LSC = source_of(reader="lsc")


def parts(dense: np.ndarray = DENSE, assays: list[str] = ASSAYS) -> tuple[Any, pd.Series, pd.Series]:
    rows, columns = np.arange(dense.shape[0]), np.arange(dense.shape[1])
    return sparse.csr_matrix(dense), pd.Series(rows, index=rows), pd.Series(columns, index=assays)


def write(folder: Path, *objects: Any, smiles: Any = TEXTS, protocol: int = 4) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SMILES).write_bytes(pickle.dumps(smiles, protocol))
    (folder / LABELS).write_bytes(b"".join(pickle.dumps(one, protocol) for one in objects))
    return folder


def dense_of(table: RawTable) -> np.ndarray:
    """The labels as +1, -1 and 0 again."""
    dense = np.zeros((len(table.smiles), len(table.tasks)), dtype=int)
    dense[table.labels.row_position, table.labels.task] = np.where(table.labels.value > 0, 1, -1)
    return dense


def check(table: RawTable) -> None:
    assert table.smiles == TEXTS
    assert table.rows.tolist() == [1, 2, 3, 4]
    assert table.tasks.name.tolist() == table.tasks.source_id.tolist() == ASSAYS
    assert (dense_of(table) == DENSE).all()
    assert table.labels.value.tolist() == [1, 0, 0, 1, 0, 1]
    assert table.labels.dtypes.astype(str).to_dict() == {
        "row_position": "int64",
        "task": "int32",
        "value": "float64",
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "form", ["csr_matrix", "csc_matrix", "coo_matrix", "csr_array", "csc_array", "coo_array"]
)
def test_files_of_todays_libraries_are_read(tmp_path: Path, protocol: int, form: str) -> None:
    _, samples, columns = parts()
    matrix = getattr(sparse, form)(DENSE)
    check(read_lsc(LSC, write(tmp_path, matrix, samples, columns, protocol=protocol)))


@pytest.mark.parametrize(
    "index", [pd.Index(ASSAYS, dtype=object), pd.Index(ASSAYS), pd.Index(ASSAYS, dtype="str")]
)
@pytest.mark.parametrize("samples", [pd.Series(range(4)), pd.Series([3, 2, 1, 0], index=[3, 2, 1, 0])])
def test_every_kind_of_index_is_read(tmp_path: Path, index: pd.Index, samples: pd.Series) -> None:
    check(read_lsc(LSC, write(tmp_path, sparse.csr_matrix(DENSE), samples, pd.Series(range(3), index=index))))


@pytest.mark.parametrize("module", ["pandas.indexes.base", "pandas.core.indexes.base", "pandas.core.index"])
@pytest.mark.parametrize("old_protocol", [False, True])
def test_files_of_python_2_are_read(tmp_path: Path, module: str, old_protocol: bool) -> None:
    matrix = sparse.csr_matrix(DENSE.astype(np.int64))
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    rows = old.series(np.arange(4), old.index(np.arange(4), module))
    assays = np.array([name.encode() for name in ASSAYS], dtype=object)
    columns = old.series(np.arange(3), old.index(assays, module))
    (tmp_path / LABELS).write_bytes(old.dumps(old.csr(matrix, old_protocol), rows, columns))
    texts = [text.encode() if text else None for text in TEXTS]
    (tmp_path / SMILES).write_bytes(old.dumps(texts))
    check(read_lsc(LSC, tmp_path))


@settings(max_examples=25)
@given(
    dense=st.integers(1, 6).flatmap(
        lambda width: st.lists(
            st.lists(st.sampled_from([-1, 0, 1]), min_size=width, max_size=width), min_size=1, max_size=8
        )
    ),
    protocol=st.sampled_from([2, 4]),
)
def test_any_matrix_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, dense: list[list[int]], protocol: int
) -> None:
    matrix = np.array(dense)
    names = [f"CHEMBL{i}" for i in range(matrix.shape[1])]
    folder = write(
        tmp_path_factory.mktemp("lsc"),
        *parts(matrix, names),
        smiles=["C"] * len(matrix),
        protocol=protocol,
    )
    assert (dense_of(read_lsc(LSC, folder)) == matrix).all()


def test_columns_count_from_any_number_in_any_order(tmp_path: Path) -> None:
    matrix, samples, _ = parts()
    columns = pd.Series([9, 7, 8], index=["third", "first", "second"])
    table = read_lsc(LSC, write(tmp_path, matrix, samples, columns))
    assert table.tasks.name.tolist() == ["first", "second", "third"]
    assert (dense_of(table) == DENSE).all()


def test_rows_of_the_matrix_may_be_some_of_the_molecules(tmp_path: Path) -> None:
    _, _, columns = parts()
    samples = pd.Series([0, 1], index=[3, 1])  # molecule 3 is row 0
    table = read_lsc(LSC, write(tmp_path, sparse.csr_matrix(DENSE[:2]), samples, columns))
    assert dense_of(table).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, -1]]


def test_a_stored_zero_is_missing(tmp_path: Path) -> None:
    matrix, samples, columns = parts()
    matrix.data[0] = 0
    table = read_lsc(LSC, write(tmp_path, matrix, samples, columns))
    assert len(table.labels) == 5
    assert dense_of(table)[0].tolist() == [0, 0, -1]


def test_chosen_assays_keep_the_order_of_the_choice(tmp_path: Path) -> None:
    write(tmp_path, *parts())
    config = source_of(reader="lsc", task_columns=[ASSAYS[2], ASSAYS[0]])
    table = read_lsc(config, tmp_path)
    assert table.tasks.name.tolist() == [ASSAYS[2], ASSAYS[0]]
    assert (dense_of(table) == DENSE[:, [2, 0]]).all()
    with pytest.raises(RelataskError, match="has no assay 'CHEMBL0'"):
        read_lsc(source_of(reader="lsc", task_columns=["CHEMBL0"]), tmp_path)


def test_proteins_come_from_the_answers_of_chembl(tmp_path: Path) -> None:
    write(tmp_path, *parts())
    assert read_lsc(LSC, tmp_path).tasks.uniprots.tolist() == [[], [], []]
    table = pd.DataFrame(
        {
            "assay_id": [ASSAYS[2], ASSAYS[0]],
            "target_id": ["CHEMBL3705", None],
            "organism": ["Homo sapiens", None],
            "uniprots": [["P00001", "P00002"], []],
            "reason": [None, "ChEMBL does not know the assay"],
        }
    )
    write_table("assay_targets", table, tmp_path / TARGETS)
    assert read_lsc(LSC, tmp_path).tasks.uniprots.tolist() == [[], [], ["P00001", "P00002"]]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"task,uniprot\n{ASSAYS[1]},P00003\n")
    config = source_of(reader="lsc", task_sheet=str(sheet))
    assert read_lsc(config, tmp_path).tasks.uniprots.tolist() == [[], ["P00003"], []]


def test_lsc_is_standardised_without_its_missing_molecules(tmp_path: Path) -> None:
    write(tmp_path, *parts())
    step = ["prepare_items", "--source-config", '{"reader": "lsc"}', "--name", "lsc"]
    assert main([*step, "--raw", str(tmp_path), "--out-dir", str(tmp_path / "out")]) == 0
    assert read_table("items", tmp_path / "out" / "items.parquet").smiles.tolist() == [
        "c1ccccc1",
        "CC(=O)O",
    ]
    assert read_table("rejected", tmp_path / "out" / "rejected.parquet").row.tolist() == [1, 2]
    assert len(read_table("labels", tmp_path / "out" / "labels.parquet")) == 4
    assert read_table("tasks", tmp_path / "out" / "tasks.parquet").source_id.tolist() == ASSAYS


def test_assay_ids_are_read_from_the_labels(tmp_path: Path) -> None:
    assert read_assay_ids(write(tmp_path, *parts()) / LABELS) == ASSAYS


def test_a_matrix_of_the_real_size_is_never_made_dense(tmp_path: Path) -> None:
    size, n_tasks, entries = 456_331, 1_310, 400_000
    random = np.random.default_rng(0)
    cells = random.choice(size * n_tasks, entries, replace=False)
    values = random.choice([-1, 1], entries)
    matrix = sparse.csr_matrix((values, (cells // n_tasks, cells % n_tasks)), shape=(size, n_tasks))
    rows, columns = (
        pd.Series(range(size)),
        pd.Series(range(n_tasks), index=[f"CHEMBL{i}" for i in range(n_tasks)]),
    )
    write(tmp_path, matrix, rows, columns, smiles=["C"] * size)
    tracemalloc.start()
    table = read_lsc(LSC, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table.labels) == entries
    assert table.labels.value.sum() == (values > 0).sum()
    assert peak < 150e6  # dense, it would be 4.8 GB


class Calls:
    """A pickle that calls a function when it is read."""

    def __init__(self, function: Callable, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.call


HOSTILE = {
    "os.system": lambda flag: Calls(os.system, f"touch {flag}"),
    "subprocess": lambda flag: Calls(subprocess.check_call, ["touch", flag]),
    "eval": lambda flag: Calls(eval, f"open({flag!r}, 'w')"),
    "open": lambda flag: Calls(open, flag, "w"),
    "getattr": lambda flag: Calls(getattr, "text", "upper"),
    "in a list": lambda flag: ["CCO", Calls(os.system, f"touch {flag}")],
    "in an index": lambda flag: pd.Series(
        [1], index=pd.Index([Calls(os.system, f"touch {flag}")], dtype=object)
    ),
    "numpy's own": lambda flag: Calls(np.load, flag),
    "a frame": lambda flag: pd.DataFrame({"a": [1]}),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_hostile_pickle_is_refused_and_does_nothing(tmp_path: Path, name: str, protocol: int) -> None:
    flag = tmp_path / "executed"
    write(tmp_path, *parts(), smiles=HOSTILE[name](str(flag)), protocol=protocol)
    with pytest.raises(RelataskError, match=rf"{SMILES} names \S+, which no file"):
        read_lsc(LSC, tmp_path)
    assert not flag.exists()


def test_the_refusal_names_the_class(tmp_path: Path) -> None:
    write(tmp_path, Calls(os.system, "true"))
    with pytest.raises(RelataskError, match=r"labelsHard\.pckl names (posix|nt)\.system, which no file"):
        read_lsc(LSC, tmp_path)


def test_allowed_names_cannot_be_turned_against_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "attack.pckl"
    int64 = old.Call(old.Global("numpy", "dtype"), (b"i8",))
    function = old.Global("_codecs", "encode")
    cls = old.Global("scipy.sparse.csr", "csr_matrix")
    maker = old.Global("copy_reg", "_reconstructor")
    attacks = {
        "a function cannot be given a state": State(function, (None, {"__code__": 1})),
        "missing 1 required positional argument": State(cls, (None, {"entries": 1})),
        "may make only what the allow-list names": old.Call(
            maker, (old.Global("__builtin__", "object"), None, None)
        ),
        "expected bytes, found int": old.Call(old.Global("__builtin__", "bytearray"), (10**15,)),
        "element type .* is not allowed": old.Call(old.Global("numpy", "dtype"), (b"V8",)),
        "encoding 'zlib' is not allowed": old.Call(function, ("x", "zlib")),
        "must come as a list": old.Call(
            old.Global("numpy.core.multiarray", "_reconstruct"),
            (),
            (1, (1,), old.Call(old.Global("numpy", "dtype"), (b"O8",)), False, b"\x10" * 8),
        ),
        "buffer size must be|cannot reshape": old.Call(
            old.Global("numpy.core.multiarray", "_reconstruct"), (), (1, (10**6,), int64, False, b"\x00" * 8)
        ),
    }
    for message, hostile in attacks.items():
        with pytest.raises(RelataskError, match=message):
            _read(path, hostile)
    check(read_lsc(LSC, write(tmp_path / "later", *parts())))  # nothing of it lasts


class State(old.Call):
    """A state given to what a name stands for itself."""

    def __init__(self, target: old.Global, state: Any) -> None:
        super().__init__(target, (), state)


def _read(path: Path, hostile: old.Call) -> None:
    if isinstance(hostile, State):
        name = hostile.function
        state = pickle.dumps(hostile.state, 2)[2:-1]
        path.write_bytes(b"\x80\x02c" + f"{name.module}\n{name.name}\n".encode() + state + b"b.")
    else:
        path.write_bytes(old.dumps(hostile))
    read_pickles(path, 1)


def test_what_is_not_lsc_is_told_by_file(tmp_path: Path) -> None:
    matrix, samples, columns = parts()
    wrong = matrix.copy()
    wrong.data[0] = 2
    outside = matrix.copy()
    outside.indices[0] = 99
    broken = matrix.copy()
    broken.indptr[1] = 5
    cases: dict[str, tuple] = {
        "a label is 2, expected": (wrong, samples, columns),
        "an index of the sparse matrix lies outside": (outside, samples, columns),
        "index pointers of the matrix are wrong": (broken, samples, columns),
        "expected a sparse matrix, found pandas Series": (samples, samples, columns),
        "expected a pandas Series, found numpy array": (matrix, np.arange(4), columns),
        "leads outside of the 4 rows of the matrix or the 4 entries": (matrix, samples + 1, columns),
        "names a row twice": (matrix, samples * 0, columns),
        "names an assay or a column twice": (matrix, samples, columns * 0),
        "must map assay ids to whole numbers": (matrix, samples, pd.Series([0, 1, 2])),
        "names 4 assays for 3 columns": (matrix, samples, pd.Series(range(4), index=list("abcd"))),
        "is named by no index": (matrix, samples, columns.iloc[:2]),
        r"cut off or of another layout \(EOFError": (matrix, samples),
    }
    for message, objects in cases.items():
        with pytest.raises(RelataskError, match=rf"labelsHard\.pckl.*{message}"):
            read_lsc(LSC, write(tmp_path, *objects))
    good = write(tmp_path, matrix, samples, columns)
    (good / LABELS).write_bytes((good / LABELS).read_bytes()[:-40])
    with pytest.raises(RelataskError, match=r"labelsHard\.pckl cannot be read"):
        read_lsc(LSC, good)
    with pytest.raises(RelataskError, match=r"chembl20Smiles\.pckl: entry 2 is a float"):
        read_lsc(LSC, write(tmp_path, *parts(), smiles=["C", 1.5]))
    with pytest.raises(
        RelataskError, match=r"chembl20Smiles\.pckl must hold a list of SMILES, but holds a dict"
    ):
        read_lsc(LSC, write(tmp_path, *parts(), smiles={"C": 1}))
    with pytest.raises(RelataskError, match=r"there is no file .*chembl20Smiles"):
        read_lsc(LSC, tmp_path / "absent")
