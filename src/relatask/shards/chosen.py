"""The settings that a search chose, for the runs of its row."""

import json
from dataclasses import replace
from pathlib import Path

from relatask.core.errors import RelataskError
from relatask.core.layout import in_study
from relatask.core.tables import read_table
from relatask.plan.spec import RunSpec


def as_chosen(spec: RunSpec, study: Path) -> RunSpec:
    """Return a run with the settings that its search chose, or as it is where it has none.

    Args:
        spec: a run.
        study: the study's folder of results.

    Raises:
        RelataskError: its search is not there, or is another than the plan's.
    """
    if spec.search is None:
        return spec
    split, seed = spec.search["split"], str(spec.search["seed"])
    path = study / in_study("trials", dataset=spec.dataset, label=spec.label, scheme=split, seed=seed)
    table = read_table("trials", path)
    settings = json.loads(table.loc[table["chosen"], "settings"].item())
    if settings.keys() != spec.search["space"].keys() or len(table) != spec.search["trials"]:
        raise RelataskError(f"{path} is of another search than the plan's; delete it and run again.")
    return replace(spec.with_settings(settings), search=None)
