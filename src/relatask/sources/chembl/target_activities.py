"""Asks ChEMBL for all activities on a list of targets, for a data set from today's ChEMBL."""

import logging
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from relatask.core.errors import RelataskError
from relatask.sources.services.chembl import HUMAN, Chembl, Record, taxon_of, uniprots_of

log = logging.getLogger(__name__)


def collect_activities(chembl: Chembl, target_ids: Sequence[str]) -> dict[str, Any]:
    """Return what ChEMBL knows of the targets: {targets, unknown_targets, activities}.

    Targets of every organism are kept, since the user named them; those that are not human are logged.

    Raises:
        RelataskError: ChEMBL knows none of the targets.
    """
    wanted = list(dict.fromkeys(target_ids))
    if not wanted:
        raise RelataskError("sources.*.targets is empty; list ChEMBL target ids such as CHEMBL203.")
    targets, unknown = chembl.targets(wanted)
    if not targets:
        raise RelataskError(f"ChEMBL knows none of the targets {', '.join(wanted)}; correct `targets`.")
    known = [targets[name] for name in wanted if name in targets]
    for target in known:
        if taxon_of(target) != HUMAN:
            log.warning("%s is not human but of %s.", target["target_chembl_id"], target.get("organism"))
    progress = tqdm(known, desc="activities", unit="target", disable=None)
    records = [record for target in progress for record in chembl.activities(target["target_chembl_id"])]
    return {
        "targets": [_target(target) for target in known],
        "unknown_targets": unknown,
        "activities": records,
    }


def _target(target: Record) -> Record:
    return {
        "target_id": target["target_chembl_id"],
        "name": target.get("pref_name") or target["target_chembl_id"],
        "organism": target.get("organism"),
        "uniprots": uniprots_of(target),
    }
