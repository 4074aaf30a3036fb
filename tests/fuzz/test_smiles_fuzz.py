"""Whatever stands in a column of SMILES, it is a molecule with features, or rejected with a reason."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from relatask.data.merge import standardise_source
from relatask.data.raw_table import RawTable
from relatask.data.standardise import Limits, Molecule, Rejection, standardise
from relatask.inputs.features import graph_of
from relatask.sources.task_sheet import tasks_without_sheet
from tests.fuzz.cases import cases, result_or_sentence

ATOMS = [
    *(
        "C",
        "N",
        "O",
        "c",
        "n",
        "o",
        "s",
        "[nH]",
        "Cl",
        "Br",
        "*",
        "[*:1]",
        "[Na+]",
        "[Cl-]",
        "[C@H]",
        "[C@@]",
    ),
    *("[2H]", "[999C]", "[C+99]", "[#119]", "[H]", "[Fe]", "[Xe]", "B", "P", "S", "F", "I", "[R1]", "[CH99]"),
]
BONDS = ["", "", "", "-", "=", "#", "$", ":", "~", "/", "\\", "->", "<-", ".", ">>", " "]
RINGS = ["", "", "", "1", "2", "12", "%10", "%(100)", "%(99999)", "0"]
BRANCHES = ["", "", "", "(", ")", "(C)", "(=O)", "()", "(" * 60, ")" * 60]
TOKENS = st.tuples(*map(st.sampled_from, (BONDS, ATOMS, RINGS, BRANCHES))).map("".join)
ODD = [
    *(
        None,
        "",
        " ",
        "CCCCO ethanol",
        "CCCCO\nCCCCN",
        "CCCCO\tCCCCN",
        "CCCC |c:1|",
        "CCCC |^1:0|",
        "CCCC |",
        "\x00",
    ),
    *(
        "CCCC\x00CCCC",
        "\ud800",
        "C" * 900 + "\x00",
        "С" * 5,
        "InChI=1S/CH4/h1H4",
        "nan",
        "$(touch x)",
        "<script>",
    ),
    *(
        "[Na+].[Cl-]",
        "[Na+].[Cl-].[Na+].[Cl-].O",
        ".",
        "..",
        "C..C",
        "CC>>CO",
        "CCC@TB1",
        "C" * 1001,
        "C1CC1" * 250,
    ),
    *(
        "C" * 20_001,
        "(" * 5000,
        "C(" * 5000,
        "c1ccccc1" * 2600,
        "C1" * 3000,
        "[" * 3000,
        "C." * 1200,
        "%10" * 500,
    ),
]
TEXTS = st.one_of(
    st.lists(TOKENS, min_size=1, max_size=8).map("".join), st.sampled_from(ODD), st.text(max_size=20)
)
ANYTHING = Limits(min_heavy_atoms=1, min_weight=0.0, max_weight=1e9)


@cases(2)
@given(st.lists(TEXTS, min_size=2, max_size=2))
def test_every_text_is_a_molecule_with_features_or_rejected_with_a_reason(texts: list[str | None]) -> None:
    with rdBase.BlockLogs():
        for text in texts:
            result = standardise(text, ANYTHING)
            if isinstance(result, Rejection):
                assert str(result).isprintable()
                assert 5 < len(str(result)) < 400
                continue
            assert len(text.split()) == 1 or text.split()[1].startswith("|")  # no second word was passed over
            assert result.smiles.isprintable()
            again = standardise(result.smiles, ANYTHING)
            assert isinstance(again, Molecule)
            assert again.n_heavy_atoms == result.n_heavy_atoms
            molecule = Chem.MolFromSmiles(result.smiles)
            assert len(graph_of(molecule, result.smiles).atoms) == molecule.GetNumAtoms()


@cases(4)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_rows_are_molecules_duplicates_or_rejected_and_nothing_else(texts: list[str | None]) -> None:
    n = len(texts)
    table = RawTable(
        smiles=texts,
        source_ids=[None] * n,
        rows=np.arange(1, n + 1),
        labels=pd.DataFrame({"row_position": np.arange(n), "task": 0, "value": 1.0}),
        tasks=tasks_without_sheet(["A"]),
    )
    source = result_or_sentence(lambda: standardise_source(table, ANYTHING, "s"))
    if source is None:
        return
    assert len(source.items) + len(source.rejected) == n
    assert all(len(reason) > 5 for reason in source.rejected.reason)
    labels = source.counts["labels"]
    assert labels["in"] == n == sum(labels[key] for key in ("out", "of_rejected_rows", "merged"))


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("C" * 1001, "more than 1000 atoms"),
        ("C1CC1" * 500, "more than 1000 atoms"),
        ("C" * 20_001, "more than 20000 characters"),  # from 20,000 atoms on, RDKit ends the process
        ("C" * 10_000_000, "more than 20000 characters"),
        ("CCCCO\nCCCCN", "text behind the SMILES: 'CCCCN'"),
        ("CCCCO pentanol", "text behind the SMILES: 'pentanol'"),
    ],
)
def test_what_would_take_minutes_or_lose_text_is_rejected_at_once(smiles: str, reason: str) -> None:
    start = time.process_time()
    assert str(standardise(smiles, ANYTHING)) == reason
    assert time.process_time() - start < 1


def test_a_large_molecule_and_cxsmiles_are_still_read() -> None:
    peptide = "N[C@@H](C)C(=O)" * 190 + "O"  # 951 atoms in 2,851 characters
    assert isinstance(standardise(peptide, ANYTHING), Molecule)
    assert isinstance(standardise("CCCCO |$;;;;OH$|", ANYTHING), Molecule)
