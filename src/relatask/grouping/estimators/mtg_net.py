"""MTG-Net: a network learns from the gains of sets that it asks for in rounds (algorithm 1)."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from relatask.core.errors import RelataskError
from relatask.grouping.active import SelectionSettings, Snapshot, select_sets
from relatask.grouping.contract import Estimate, Request
from relatask.grouping.mtg_net import MTGNetSettings

ESTIMATOR = {
    "summary": "a network learns from some",
    "keys": ("rounds", "selection", "relations"),
    "draws": True,
    "asks": True,
    "encodes": True,
    # The defaults are the paper's where it has them; grouping/mtg_net.py and grouping/active.py explain them.
    "options": {
        "width": 64,
        "layers": 2,
        "temperature": 0.2,
        "loss": "squared",
        "learning_rate": 0.007,
        "weight_decay": 5e-4,
        "epochs": 100,
        "patience": 50,
        "cross_validated_epochs": 0,  # most; 0: as `epochs` says
        "alpha": 25.0,
        "alpha_unit": "gain",  # or spread, of the predictions, where alpha is about 2
        "know_singles": True,
        "warm": False,
        "relation_weight": 5.0,  # of relations: neighbours
    },
    "choices": {"loss": ("squared", "absolute"), "alpha_unit": ("gain", "spread")},
    "limits": {
        "width": (1, 4096),
        "layers": (0, 64),
        "temperature": (1e-6, 1e6),
        "learning_rate": (0.0, 1e6),
        "weight_decay": (0.0, 1e6),
        "epochs": (0, 1_000_000),
        "patience": (1, 1_000_000),
        "cross_validated_epochs": (0, 100_000),
        "alpha": (0.0, 1e6),
        "relation_weight": (0.0, 1e6),
    },
}


def estimate(request: Request) -> Iterator[Estimate]:
    """Yield what the network predicts after each number of rounds.

    Raises:
        RelataskError: relations are needed and absent.
    """
    for snapshot in snapshots(request):
        trained = np.zeros(len(snapshot.estimate), bool)
        trained[snapshot.chosen] = True
        yield Estimate(snapshot.round, request.seed, snapshot.estimate, trained)


def snapshots(request: Request) -> Iterator[Snapshot]:
    """Yield what is known after each number of rounds, and the network that encodes task sets.

    Raises:
        RelataskError: relations are needed and absent.
    """
    gains, relations, use = request.gains, request.relations, request.relations_as
    if use != "none" and relations is None:
        raise RelataskError(f"strategy {request.label}: the data set has no relation graph; leave it out.")
    chosen = dict(request.options)
    if request.selection == "random":
        chosen["alpha"] = 0.0
    yield from select_sets(
        gains.sets,
        request.answer or (lambda row: gains.valid[row]),
        request.rounds,
        request.seed,
        MTGNetSettings(**_of(MTGNetSettings, chosen)),
        SelectionSettings(**_of(SelectionSettings, chosen)),
        pairs=relations[..., None] if use == "features" and relations is not None else None,
        relations=relations if use == "neighbours" else None,
        held_out=request.held_out,
    )


def _of(settings: type[MTGNetSettings] | type[SelectionSettings], chosen: dict[str, Any]) -> dict[str, Any]:
    """The options that are fields of `settings`."""
    return {entry.name: chosen[entry.name] for entry in fields(settings) if entry.name in chosen}
