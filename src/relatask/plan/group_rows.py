"""Rows of a study that learn each task in its chosen group: which choice each run takes.

Pure Python, because the plan is made without numpy.
"""

from relatask.config import GroupsConfig, ScaleConfig, StudyConfig
from relatask.core.errors import RelataskError
from relatask.plan.spec import ChosenGroups

NO_SEED = 0  # of strategies that draw nothing


def groups_by_seed(
    chosen: GroupsConfig, where: str, dataset: str, study: StudyConfig, scale: ScaleConfig
) -> dict[int, ChosenGroups]:
    """Return seed -> which choice of groups a row takes under it, for `RunSpec.groups`.

    The gains of a seed's groups must be of that seed alone: another's validation molecules are test molecules
    here, and choosing by them would be learning from the test fold.

    Raises:
        RelataskError: a seed has no gains of its own, or they are of another data set, split or strategy.
    """
    assert study.grouping is not None  # by StudyConfig
    where = f"{where}.groups"
    if len(study.splits.schemes) > 1:
        raise RelataskError(
            f"{where}: gains are collected on the first split alone; name one in splits.schemes."
        )
    strategy = study.grouping.strategy(chosen.strategy)
    found: dict[int, ChosenGroups] = {}
    for name in chosen.gains:
        gains = study.grouping.gains[name]
        if gains.dataset != dataset:
            raise RelataskError(f"{where}.gains: {name!r} is not of the data set {dataset!r}; name others.")
        if len(gains.seeds) != 1 or gains.seeds[0] in found:
            raise RelataskError(
                f"{where}.gains: {name!r} must have one seed, which no other has: groups must not be "
                "chosen by the validation labels of another seed's split."
            )
        (seed,) = gains.seeds
        rounds = _rounds(chosen, strategy.rounds_for(len(gains.tasks)), where)
        draws = strategy.record.draws
        if draws and gains.asked_by is None and seed not in study.grouping.seeds:
            raise RelataskError(f"{where}: seed {seed} is not in grouping.seeds; add it.")
        found[seed] = {
            "gains": name,
            "strategy": chosen.strategy,
            "rounds": rounds,
            "budget": chosen.budget,
            "seed": seed if draws else NO_SEED,
        }
    if lost := sorted(set(scale.seeds) - set(found)):
        raise RelataskError(f"{where}.gains: none is of seed {lost[0]}; collect gains under it.")
    return found


def _rounds(chosen: GroupsConfig, known: list[int], where: str) -> int | None:
    """The number K that a row takes; the greatest where it names none."""
    if chosen.rounds is None or not known:
        return known[-1] if known else None
    if chosen.rounds not in known:
        raise RelataskError(f"{where}.rounds: {chosen.rounds} is none of the strategy's, {known}.")
    return chosen.rounds
