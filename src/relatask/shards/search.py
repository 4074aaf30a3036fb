"""The search for the settings of a row: trials one after the other, judged on validation alone.

Each trial is a run of the journal, so a search that was killed asks for the same settings again and finds
what is trained. Settings are proposed by Optuna (Akiba et al., 2019): by a tree-structured Parzen estimator
(Bergstra et al., 2011), or at random.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from relatask.core.errors import DivergedError, RelataskError
from relatask.core.files import canonical_json
from relatask.core.kinds import DEFAULT_METRICS, KINDS, Kind
from relatask.core.search_space import contains
from relatask.evaluation.metrics_table import evaluate
from relatask.plan.spec import RunSpec, Search

if TYPE_CHECKING:
    import optuna

log = logging.getLogger(__name__)
ASKED = 20  # times for settings that were not tried yet: a space may hold few
STARTUP = 5  # random trials before the estimator proposes any; Optuna's 10 would be most of a short search


def _tpe(seed: int) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=seed)


def _random(seed: int) -> "optuna.samplers.BaseSampler":
    import optuna

    return optuna.samplers.RandomSampler(seed=seed)


SAMPLERS: Mapping[str, Callable[[int], "optuna.samplers.BaseSampler"]] = {"tpe": _tpe, "random": _random}


Train = Callable[[RunSpec], tuple[pd.DataFrame, float]]  # trial -> its predictions, and seconds that it took


def search(run: RunSpec, train: Train, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """Return table "trials" of a searched run: what was tried, what came of it, and what is chosen.

    The first trial has the settings that the study gives. Of trials with equal scores the first is chosen.

    Args:
        run: under the split and the seed whose validation fold judges.
        train: trains a trial that may be in the journal already.
        kinds: task_id -> what its labels are.

    Raises:
        RelataskError: no trial has a score.
    """
    assert run.search is not None
    proposals = _Proposals(run.search, run.data_seed("search", run.search["draws"]) % 2**32)
    settings = {name: run.setting(name) for name in run.search["space"]}
    rows: dict[str, dict[str, Any]] = {}  # settings -> what came of them
    table = []
    for number in range(run.search["trials"]):
        for _ in range(ASKED if number else 0):
            settings = proposals.ask()
            if canonical_json(settings) not in rows:
                break
            proposals.tell(settings, rows[canonical_json(settings)]["score"])
        key = canonical_json(settings)
        if key not in rows:
            rows[key] = _tried(run, settings, train, kinds)
            proposals.tell(settings, rows[key]["score"])
        score = rows[key]["score"]
        log.info("trial %d, %s: %s", number, key, rows[key]["reason"] if score is None else f"{score:.4f}")
        table.append({"trial": number, **rows[key]})
    trials = pd.DataFrame(table).astype({"score": float})
    if trials["score"].isna().all():
        where = f"{run.label} on {run.dataset}, {run.split}-{run.seed}"
        raise RelataskError(f"{where}: no trial has a score: {table[0]['reason']}.")
    return trials.assign(chosen=trials.index == trials["score"].idxmax())


class _Proposals:
    """What Optuna proposes, given the scores so far."""

    def __init__(self, chosen: Search, seed: int):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self.optuna = chosen["space"], optuna
        self.study = optuna.create_study(direction="maximize", sampler=SAMPLERS[chosen["sampler"]](seed))
        self.distributions = {name: _distribution(allowed) for name, allowed in self.space.items()}
        self.asked: optuna.Trial | None = None

    def ask(self) -> dict[str, Any]:
        """Return the settings to try next."""
        self.asked = self.study.ask(self.distributions)
        return dict(self.asked.params)

    def tell(self, settings: Mapping[str, Any], score: float | None) -> None:
        """Learn what settings are worth, None where they failed; those of the study may lie outside."""
        if self.asked is not None:
            failed = self.optuna.trial.TrialState.FAIL if score is None else None
            self.study.tell(self.asked, score, state=failed)
        elif score is not None and all(contains(self.space[name], value) for name, value in settings.items()):
            known = self.optuna.trial.create_trial(
                params=dict(settings), distributions=self.distributions, value=score
            )
            self.study.add_trial(known)


def _tried(
    run: RunSpec, settings: Mapping[str, Any], train: Train, kinds: Mapping[str, Kind]
) -> dict[str, Any]:
    """Train a trial and return its row: settings and score, or why it has none."""
    trial = run.as_trial(settings)
    score, seconds, reason = None, None, None
    try:
        predictions, seconds = train(trial)
        score = validation_score(predictions, kinds)
        if score is None:
            reason = "no task of the validation fold can be measured, e.g. as it has one class only"
    except DivergedError as error:
        reason = str(error).rstrip(".")
    return {
        "dataset": run.dataset,
        "label": run.label,
        "split": run.split,
        "seed": run.seed,
        "run_id": trial.run_id,
        "settings": canonical_json(settings),
        "score": score,
        "seconds": seconds,
        "reason": reason,
    }


def validation_score(predictions: pd.DataFrame, kinds: Mapping[str, Kind]) -> float | None:
    """Return the mean over tasks of their measure on the validation fold, None where none has it.

    As in `evaluation.verdict` it is ROC-AUC of labels 0 and 1, accuracy of classes, and of measured values
    R2, which counts at least 0.

    Args:
        predictions: of one run.
        kinds: task_id -> what its labels are.
    """
    own = predictions[predictions["fold"] == "valid"]
    if own.empty:
        return None
    present = {*kinds.values()}
    measures = [DEFAULT_METRICS[kind][0] for kind in KINDS if kind in present]
    values = evaluate(own, measures, {str(own["run_id"].iloc[0]): dict(kinds)})
    found = values.loc[values["fold"] == "valid", "value"].dropna().clip(lower=0.0)
    return float(found.mean()) if len(found) else None


def _distribution(allowed: Mapping[str, Any]) -> "optuna.distributions.BaseDistribution":
    """Return a range or list of values as Optuna calls it."""
    from optuna import distributions

    if "values" in allowed:
        return distributions.CategoricalDistribution(allowed["values"])
    least, greatest, log_scale = allowed["least"], allowed["greatest"], allowed.get("log", False)
    if isinstance(least, int):
        return distributions.IntDistribution(least, greatest, log=log_scale)
    return distributions.FloatDistribution(least, greatest, log=log_scale)
