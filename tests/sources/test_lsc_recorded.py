"""Pickles that old libraries wrote themselves are read as well as those of the test's own writer."""

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from relatask.core.errors import RelataskError
from relatask.sources.lsc.tables import LABELS, SMILES, read_lsc
from tests.helpers.data_tables import source_of
from tests.helpers.paths import RECORDED

LSC = source_of(reader="lsc")
FOLDERS = sorted((RECORDED / "lsc").glob("python*"))


def labels_of(folder: Path) -> dict[tuple[int, str], float]:
    table = read_lsc(LSC, folder)
    names = table.tasks.name.tolist()
    return {(row.row_position, names[row.task]): row.value for row in table.labels.itertuples()}


def test_the_recordings_are_there() -> None:
    assert len(FOLDERS) == 6


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_old_libraries_wrote_is_read(folder: Path) -> None:
    # Rows 0, 1, 3, 4 of the matrix are molecules 2, 5, 3, 6; columns 0 to 3 are CHEMBL8, 10, 9, 7.
    table = read_lsc(LSC, folder)
    assert table.smiles == ["C", "CC", None, "CCC", "O", "N", "S"]
    assert table.tasks.name.tolist() == ["CHEMBL8", "CHEMBL10", "CHEMBL9", "CHEMBL7"]
    assert labels_of(folder) == {
        (2, "CHEMBL8"): 1,
        (2, "CHEMBL9"): 0,
        (5, "CHEMBL10"): 1,
        (3, "CHEMBL8"): 0,
        (6, "CHEMBL9"): 1,  # and a stored zero for CHEMBL7, which is no label
    }


@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # a damaged text of protocol 0
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_damaged_byte_ends_in_one_sentence_or_in_no_harm(folder: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    for name in (LABELS, SMILES):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    whole = (folder / LABELS).read_bytes()
    refused: list[str] = []
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / LABELS).write_bytes(damaged)
        try:
            read_lsc(LSC, tmp_path)
        except RelataskError as error:
            refused.append(str(error))
    assert len(refused) > 20
    assert all(str(tmp_path / LABELS) in message for message in refused)


def test_a_forged_size_reserves_no_memory(tmp_path: Path) -> None:
    wide = sparse.csr_matrix(([1.0], ([0], [0])), shape=(1, 10**12))
    samples, columns = pd.Series([0]), pd.Series([0], index=["CHEMBL1"])
    far = pd.Series([0, 10**12], index=["CHEMBL1", "CHEMBL2"])
    pd.to_pickle(["C"], tmp_path / SMILES)
    cases = {
        r"shape \(1, 1000000000000\) of the matrix is not that": (wide, samples, columns),
        "the columns of the assays lie from 0 to 1000000000000": (sparse.csr_matrix([[1]]), samples, far),
    }
    for message, objects in cases.items():
        with (tmp_path / LABELS).open("wb") as handle:
            for one in objects:
                pd.to_pickle(one, handle)
        with pytest.raises(RelataskError, match=message):
            read_lsc(LSC, tmp_path)


def test_pointers_that_wrap_around_are_refused(tmp_path: Path) -> None:
    matrix = sparse.csr_matrix(np.eye(2, dtype=np.int64))
    matrix.indptr = np.array([0, 2, 1], dtype=np.uint64)  # unsigned, 1 - 2 is no negative number
    pd.to_pickle(["C", "N"], tmp_path / SMILES)
    with (tmp_path / LABELS).open("wb") as handle:
        for one in (matrix, pd.Series([0, 1]), pd.Series([0, 1], index=["CHEMBL1", "CHEMBL2"])):
            pd.to_pickle(one, handle)
    with pytest.raises(RelataskError, match="the index pointers of the matrix are wrong"):
        read_lsc(LSC, tmp_path)
