"""Which versions of libraries made the numbers of a study: those that trained, not those installed now."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from relatask.core.files import read_json
from relatask.core.layout import in_dataset
from relatask.core.versions import TRAINING_LIBRARIES

if TYPE_CHECKING:
    import pandas as pd

Versions = dict[str, dict[str, int]]  # library -> version -> number of runs
UNKNOWN = "unknown"


def made_with(
    costs: "Sequence[pd.DataFrame]", plan: "pd.DataFrame | None" = None, records: Sequence[Path] = ()
) -> Versions:
    """Return which versions trained how many runs and, of RDKit, made the features of how many.

    Args:
        costs: tables "costs" of the runs.
        plan: table "plan", which names their data sets; None leaves out the features.
        records: of the data sets; features.json of molecules names the version of RDKit.
    """
    trained = [
        json.loads(text) if isinstance(text, str) else {} for table in costs for text in table["libraries"]
    ]
    found = {
        name: _counted(libraries.get(name, UNKNOWN) for libraries in trained)
        for name in (TRAINING_LIBRARIES if trained else ())
    }
    if plan is not None and (rdkit := _featurised(costs, plan, records)):
        found["rdkit"] = rdkit
    return found


def _featurised(
    costs: "Sequence[pd.DataFrame]", plan: "pd.DataFrame", records: Sequence[Path]
) -> dict[str, int]:
    """Return version of RDKit -> number of runs whose data set has features that it made."""
    file = Path(in_dataset("feature_record"))
    of_dataset = {
        path.parents[len(file.parents) - 1].name: read_json(path).get("rdkit")
        for path in records
        if path.name == file.name
    }
    run_ids = {run_id for table in costs for run_id in table["run_id"]}
    datasets = plan.loc[plan["run_id"].isin(run_ids), "dataset"]
    return _counted(str(of_dataset[dataset]) for dataset in datasets if of_dataset.get(dataset))


def _counted(versions: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(versions).items()))


def mixtures(versions: Mapping[str, Mapping[str, int]], study: Path) -> list[str]:
    """Return a sentence for each library of which several versions took part, with the way to have one.

    Args:
        versions: library -> version -> number of runs.
        study: the study's folder of results.
    """
    sentences = []
    for library, counts in versions.items():
        if len(counts) > 1:
            remedy = f"{study}/runs and {study}/shards/*.done.json"
            if library == "rdkit":
                remedy = f"the folder {Path(in_dataset('feature_record')).parent} of each data set"
            named = ", ".join(f"{version} ({n} run{'s' * (n > 1)})" for version, n in counts.items())
            sentences.append(
                f"Several versions of {library} made these numbers: {named}; delete {remedy} and run again "
                "to have all from one."
            )
    return sentences
