"""Random groups: what a choice without any estimate of gains is worth (MTG-Net, section 4.1)."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.grouping.gains import GainTable
from relatask.grouping.random_groups import random_gains
from relatask.grouping.tables import with_rounds
from relatask.plan.group_rows import NO_SEED

ESTIMATOR = {"summary": "groups without estimates", "estimates": False}

DRAWS = 2000  # random groupings of each budget
log = logging.getLogger(__name__)


def choose(gains: GainTable, strategy: str, budgets: Sequence[int], max_size: int | None) -> pd.DataFrame:
    """Return table "groupings" of random groups, the mean over many draws; budgets as in `choose_all`."""
    allowed = gains.sizes <= (max_size or len(gains.tasks))
    gains = replace(gains, sets=gains.sets[allowed], valid=gains.valid[allowed], test=gains.test[allowed])
    rows = []
    for budget in budgets:
        try:
            worth = random_gains(gains, budget, DRAWS, NO_SEED)
        except RelataskError as error:
            log.warning("%s, budget %d is left out: %s", strategy, budget, error)
            continue
        key = {"strategy": strategy, "rounds": None, "seed": NO_SEED, "budget": budget}
        known = {"n_groups": budget, "n_trained": budget, "estimate": None}
        rows.append({**key, **known, "valid_gain": worth.valid.mean(), "test_gain": worth.test.mean()})
    return with_rounds(pd.DataFrame(rows)) if rows else pd.DataFrame()
