"""Weights that were trained elsewhere, and whether they have seen what a study tests; pure Python."""

from relatask.config import StudyConfig
from relatask.core.errors import RelataskError
from relatask.plan.spec import RunSpec

PRETRAINED_ON = "pretrained_on"  # option of an encoder: names of data sets, separated by commas
UNKNOWN = "unknown"


def pretrained_on(names: str) -> list[str]:
    """Return the names of data sets that an option lists."""
    return [name.strip() for name in names.split(",") if name.strip()]


def refuse_pretrained(spec: RunSpec, study: StudyConfig) -> None:
    """Raise where weights do not say what they have seen, or have seen the data set of a run.

    Names are compared with those of the data set and of its source, whatever their case.
    """
    options = spec.encoder.options if spec.encoder else {}
    if PRETRAINED_ON not in options:
        return
    where, seen = f"methods.{spec.label}.encoder_options", pretrained_on(options[PRETRAINED_ON])
    if bool(options.get("weights")) != bool(seen):
        raise RelataskError(
            f"{where}: `weights` and `{PRETRAINED_ON}` stand together; give both, and as {PRETRAINED_ON} the "
            f"data sets that the weights were trained on, separated by commas, or {UNKNOWN}."
        )
    own = {name.lower() for name in (spec.dataset, study.datasets[spec.dataset].source)}
    if leaked := [name for name in seen if name.lower() in own]:
        raise RelataskError(
            f"{where}: the weights were trained on {leaked[0]!r}, which {spec.dataset!r} would test; "
            "take other weights, or leave the data set out."
        )
