"""Molecules that stand in a test file and in the one that is trained on: they are tested alone."""

import logging

import pandas as pd

from relatask.data.raw_table import RawTable

log = logging.getLogger(__name__)


def without_tested(
    kept: pd.DataFrame, rejected: pd.DataFrame, table: RawTable
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return kept and rejected rows, of which those to train on are rejected whose molecule is to be tested.

    Args:
        kept: rows with their molecule: position, smiles and others.
        rejected: position, reason and category.
        table: which of its rows are of a file for test.
    """
    if table.tested_from is None or kept.empty:
        return kept, rejected
    tested = kept["position"].to_numpy() >= table.tested_from
    again = kept["smiles"].isin(kept["smiles"][tested]).to_numpy() & ~tested
    if not again.any():
        return kept, rejected
    reason = "its molecule stands in the test file too"
    log.warning(
        "%d rows are not trained on, as the test file has their molecules; rejected.parquet lists them.",
        again.sum(),
    )
    out = pd.DataFrame({"position": kept["position"][again], "reason": reason, "category": reason})
    return kept[~again].reset_index(drop=True), pd.concat([rejected, out], ignore_index=True)
