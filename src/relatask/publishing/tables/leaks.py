"""Table `leaks`: test molecules that stand in training too, or nearly, and labels that are repeated."""

import pandas as pd

from relatask.core.layout import study_file
from relatask.core.tables import columns_of, read_table
from relatask.data.leaks import MOST_COMPARED, NEAR
from relatask.publishing.formatting import Table, number
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "What the test fold of each split shares with training: molecules with a near twin there, with an "
        "equal fingerprint, or with the same skeleton (the same molecule but for stereo, tautomer or "
        "protons), how similar the nearest training molecule is in the median, and labels that training "
        "has of the same skeleton. Read a score beside these numbers: where many molecules have a twin, "
        "it says how well known series are filled in, and a method that looks up the nearest neighbour "
        "does well; where few have, it says what to expect of new chemistry. Repeated labels are no "
        "prediction at all; a share above some percent calls for a split by scaffold or by clusters "
        "(butina), or for merging the duplicates."
    ),
    "columns": {
        "dataset": "string",
        "split": "string",
        "seed": "int32",
        "test": "int32",  # molecules
        "compared": "int32",  # of them; their nearest molecule of training was looked for
        "near_twins": "int32",
        "equal_fingerprints": "int32",
        "same_skeleton": "int32",
        "median_similarity": "float64?",
        "test_labels": "int32",
        "repeated_labels": "int32",
    },
    "when": ("molecules",),
    "needs": ("leaks",),
}


def make(inputs: Inputs) -> Table:
    """(Data set, scheme, seed) x what test and training share."""
    inputs.require("leaks")
    columns = list(columns_of("table_leaks"))
    paths = [
        inputs.results / study_file("leaks", inputs.name, dataset=dataset)
        for dataset in inputs.study.datasets
    ]
    parts = [part for path in paths if len(part := read_table("leaks", path))]
    data = inputs.ordered(pd.concat(parts, ignore_index=True)) if parts else pd.DataFrame(columns=columns)
    body = [
        [
            row["dataset"],
            row["split"],
            str(row["seed"]),
            number(row["test"], 0),
            _of(row["near_twins"], row["compared"]),
            _of(row["equal_fingerprints"], row["compared"]),
            _of(row["same_skeleton"], row["test"]),
            number(row["median_similarity"], 2),
            _of(row["repeated_labels"], row["test_labels"]),
        ]
        for row in records(data)
    ]
    header = [
        "data set", "split", "seed", "test", "near twins", "equal bits", "same skeleton", "median similarity",
        "repeated labels",
    ]  # fmt: skip
    notes = [
        f"Test molecules: near twins have a training molecule within Tanimoto {NEAR:g} of ECFP4, equal "
        "bits one of the same fingerprint, same skeleton one with the same first block of the InChIKey. "
        "Median similarity: to the nearest training molecule. Repeated labels: a training molecule of the "
        "same skeleton has the same label of the task.",
    ]
    if (data["compared"] < data["test"]).any():
        notes.append(f"Of more than {MOST_COMPARED:,} test molecules so many were drawn and compared.")
    left_out = [split for split in inputs.study.splits.schemes if split not in set(data["split"])]
    if left_out:
        notes.append(
            f"{', '.join(left_out)}: labels are held out, so each molecule is in training on purpose."
        )
    return Table("leaks", f"{inputs.study.title}: leaks", data[columns], header, body, 3, notes)


def _of(count: int, total: int) -> str:
    """A count with its share of the total."""
    return f"{number(count, 0)} ({100 * count / total:.1f} %)" if total else "–"
