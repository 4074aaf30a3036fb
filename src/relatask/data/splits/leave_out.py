"""One group of items is tested, such as a series, a project or a scaffold, and the others train.

Whether a model is of use for a series that it has not seen: each seed leaves out one, seed 0 the largest.
"""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.splits import Fractions, whole_items, with_facts
from relatask.data.splits._groups import groups_of
from relatask.data.splits._validation import TEST, TRAIN, with_validation

SCHEME = {
    "summary": "seed s tests the group of place s by size, by `by`; validation is drawn from the others",
    "options": {
        "by": (
            "",
            "of the schemes cross_validation, leave_out and grouped: what stays together; scaffold, "
            "butina, or a column of the items such as a project; of cross_validation also labels: both "
            "classes of each task in each fold where possible",
        ),
        "cutoff": (0.4, "of clusters: greatest Tanimoto distance of two neighbours"),
        "valid_by": (
            "random",
            "how validation is drawn from training where none is named: random or scaffold",
        ),
    },
    "choices": {"valid_by": ("random", "scaffold")},
    "limits": {"cutoff": (0.0, 0.95)},
    "required": ("by",),
}
STREAM = 7  # of draws; each scheme has its own


def split(
    items: pd.DataFrame,
    labels: pd.DataFrame,
    seed: int,
    fractions: Fractions,
    by: str,
    cutoff: float,
    valid_by: str,
) -> pd.DataFrame:
    """Return table "split"; of groups of one size, that with the first name in the alphabet comes first.

    Raises:
        RelataskError: `by` is missing, or there are fewer groups than the seed asks for.
    """
    if not by:
        raise RelataskError(
            "splits.by: leave_out needs what is left out: scaffold, butina, or a column of the items such "
            "as a series or a project."
        )
    group, names = groups_of(items, by, cutoff, "leave_out")
    if seed >= len(names) or len(names) < 2:
        raise RelataskError(
            f"scales.seeds: leave_out tests one group by {by} for each seed, from 0, and there are "
            f"{len(names)}; seed {seed} has none."
        )
    members = np.bincount(group)
    tested = sorted(range(len(names)), key=lambda place: (-members[place], names[place]))[seed]
    fold = np.where(group == tested, TEST, TRAIN)
    rng = np.random.default_rng([seed, STREAM])
    fold = with_validation(items, fold, fractions, rng, valid_by, "leave_out")
    return with_facts(whole_items(items, fold), tested_group=names[tested], groups=len(names))
