"""Which fields ChEMBL's records must have, and of which kind: what else comes is a change of its service."""

import math
from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]
_TEXT, _TEXT_OR_NOTHING = (str,), (str, type(None))
SHAPES: dict[str, dict[str, tuple[type, ...]]] = {
    "assays": {"assay_chembl_id": _TEXT, "target_chembl_id": _TEXT_OR_NOTHING},
    "targets": {
        "target_chembl_id": _TEXT,
        "pref_name": _TEXT_OR_NOTHING,
        "target_type": _TEXT_OR_NOTHING,
        "organism": _TEXT_OR_NOTHING,
        "tax_id": (int, str, type(None)),  # ChEMBL writes it in both ways
        "target_components": (list, type(None)),
    },
    "activities": {
        "activity_id": (int,),
        "molecule_chembl_id": _TEXT_OR_NOTHING,
        "canonical_smiles": _TEXT_OR_NOTHING,
        "target_chembl_id": _TEXT,
        "assay_chembl_id": _TEXT_OR_NOTHING,
        "pchembl_value": (str, int, float, type(None)),
    },
}
_COMPONENT = {"accession": _TEXT_OR_NOTHING, "component_type": _TEXT_OR_NOTHING}


def fields_of(plural: str) -> tuple[str, ...]:
    """The fields that are asked for."""
    return tuple(SHAPES[plural])


def problem_of(record: Record, plural: str) -> str | None:
    """Say which field of a record is absent or of another kind than expected; None where all is well.

    A renamed field must not be taken for one without a value: its records would be left out for a reason
    that is not theirs.
    """
    if problem := _misfit(record, SHAPES[plural]):
        return problem
    taxon: object = record.get("tax_id")
    if isinstance(taxon, str) and taxon and not (taxon.isdecimal() and len(taxon) < 10):
        return f"'tax_id' is {taxon!r}, expected a number"
    for component in record.get("target_components") or []:
        if not isinstance(component, dict):
            return f"'target_components' holds {component!r}, expected records"
        if problem := _misfit(component, _COMPONENT):
            return f"'target_components': {problem}"
    return None


def _misfit(record: Mapping[str, Any], shape: Mapping[str, tuple[type, ...]]) -> str | None:
    for field, kinds in shape.items():
        if field not in record:
            return f"{field!r} is absent"
        value = record[field]
        if type(value) not in kinds or (isinstance(value, float) and not math.isfinite(value)):
            return f"{field!r} is {value!r}"
    return None
