"""Which human proteins an assay measures: assay -> target -> UniProt accessions (SGNN-EBM, A.2)."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.sources.services.chembl import HUMAN, Chembl, Record, taxon_of, uniprots_of

_TARGET = "target_chembl_id"
log = logging.getLogger(__name__)


def find_assay_targets(chembl: Chembl, assay_ids: Sequence[str]) -> pd.DataFrame:
    """Return the table `assay_targets`: one row per id of `assay_ids`, in their order.

    An assay that ends without accessions keeps its row; `reason` says why: ChEMBL does not know it or its
    target, the target is not human, or it names no protein.

    Raises:
        RelataskError: ChEMBL knows none of the assays.
    """
    assays, _ = chembl.assays(assay_ids)
    if not assays:
        raise RelataskError(
            f"ChEMBL knows none of the {len(assay_ids)} assays, such as {assay_ids[0]!r}; they must be "
            "assay ids like CHEMBL884521."
        )
    targets, _ = chembl.targets([name for assay in assays.values() if (name := assay.get(_TARGET))])
    table = pd.DataFrame([_row(name, assays.get(name), targets) for name in dict.fromkeys(assay_ids)])
    for reason, rows in table[table.reason.notna()].groupby("reason", sort=True):
        log.warning("%d assays without a protein: %s: %s", len(rows), reason, ", ".join(rows.assay_id))
    return table


def _row(assay_id: str, assay: Record | None, targets: dict[str, Record]) -> dict[str, Any]:
    target_id = assay.get(_TARGET) if assay else None
    target = targets.get(target_id) if target_id else None
    uniprots = uniprots_of(target) if target else []
    taxon = taxon_of(target) if target else None
    reason = None
    if assay is None:
        reason = "ChEMBL does not know the assay"
    elif target_id is None:
        reason = "ChEMBL names no target"
    elif target is None:
        reason = "ChEMBL does not know the target"
    elif taxon not in (HUMAN, None):
        reason = f"the target is not human but {target.get('organism')} ({taxon})"
    elif not uniprots:
        reason = "the target names no protein"
    elif taxon is None:
        reason = "the target has no organism"
    return {
        "assay_id": assay_id,
        "target_id": target_id,
        "organism": target.get("organism") if target else None,
        "uniprots": [] if reason else uniprots,
        "reason": reason,
    }


def read_assay_ids(path: Path) -> list[str]:
    """Return assay ids from the labels of LSC (.pckl), or from a text file with one id per line."""
    if path.suffix in {".pckl", ".pkl"}:
        from relatask.sources.lsc.tables import read_assay_names

        return read_assay_names(path)
    try:
        ids = path.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        raise RelataskError(f"there is no file {path}; it lists assay ids, one a line.") from None
    except UnicodeDecodeError:
        raise RelataskError(f"{path} is not UTF-8 text; it lists assay ids, one a line.") from None
    if not ids:
        raise RelataskError(f"{path} is empty; it lists assay ids, one a line.")
    return list(dict.fromkeys(ids))
