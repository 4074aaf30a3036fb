"""What a study cannot ask of a method, refused before anything is trained; pure Python, as the plan is."""

from collections.abc import Mapping

from relatask.config import DatasetConfig, MethodConfig, StudyConfig
from relatask.core.errors import RelataskError
from relatask.core.plugins import scheme_records
from relatask.core.registry import Capabilities, capabilities, catalogue, loop_of
from relatask.plan.inputs import refuse_inputs
from relatask.plan.pretrained import refuse_pretrained
from relatask.plan.spec import RunSpec
from relatask.plan.weights import refuse_weights


def refuse(method: MethodConfig, name: str, dataset: DatasetConfig, study: StudyConfig) -> None:
    """Raise where a method cannot work on a data set, by name and reason."""
    ability = capabilities("methods", method.method)
    where = f"methods.{method.label} on data set {name!r}"
    _refuse_encoder(method, where)
    _refuse_kind(method, name, where, study)
    refuse_inputs(method, where, study.sources[dataset.source])
    _refuse_second_derivatives(method, where)
    if ability.needs_relations and dataset.relations is None and method.graph != "none":
        raise RelataskError(
            f"{where}: method {method.method!r} needs a relation graph; add `relations` to the data set, or "
            "`graph: none` to the row."
        )
    if method.graph != "true" and not ability.needs_relations:
        raise RelataskError(
            f"{where}: method {method.method!r} reads no relation graph; remove `graph: {method.graph}`."
        )
    if method.balancing != "equal" or method.balancing_options:
        _refuse_balancing(method, where)
    if method.prior is not None:
        _refuse_prior(method, where, study)
    if method.label in study.imputation:
        _refuse_imputation(method, where)
    if method.is_combined:
        _refuse_combined(method, where)
    refuse_weights(method, name, dataset, where)
    if "class" in kinds_of(study, name):
        _refuse_means_of_classes(method, where, study)
    if method.parts > 1 and not ability.per_task:
        raise RelataskError(
            f"{where}: `parts` needs independent tasks, but {method.method!r} trains them together."
        )
    if method.parts > 1 and method.parts > dataset.size.tasks:
        raise RelataskError(f"{where}: {method.parts} parts for {dataset.size.tasks} tasks; use fewer parts.")


def refuse_run(spec: RunSpec, study: StudyConfig) -> None:
    """Raise where a run's options or training, those that the scale sets included, are not for the study."""
    where = f"methods.{spec.label} on data set {spec.dataset!r}"
    refuse_pretrained(spec, study)
    how = spec.training.get("augmentation", "none")
    if how != "none" and study.items != "images":
        raise RelataskError(
            f"{where}: `training.augmentation: {how}` is for images, not for {study.items}; remove it."
        )
    loop = loop_of(spec.method.name)
    holds_out_tasks = loop.is_held_out(spec.method.options)
    of_labels = [name for name in study.splits.used if scheme_records()[name].holds_out == "labels"]
    if of_labels and holds_out_tasks:
        raise RelataskError(
            f"{where}: its setting holds out tasks, which a split of cells does not; remove {of_labels[0]} "
            "from splits.schemes or choose another setting."
        )
    if spec.label in study.imputation and holds_out_tasks:
        raise RelataskError(
            f"{where}: `imputation` needs one model of all tasks, and its setting holds out some; choose "
            "another setting or remove the row from `imputation`."
        )
    if spec.label in study.imputation and loop.is_scored_together(spec.method.options):
        raise RelataskError(
            f"{where}: without a support the score of a molecule depends on those that are scored with it; "
            "remove `support: 0` or the row from `imputation`."
        )


def _refuse_encoder(method: MethodConfig, where: str) -> None:
    """Raise where a method lacks an encoder, or has what no network of its own reads."""
    ability = capabilities("methods", method.method)
    if ability.uses_encoder and method.encoder is None:
        raise RelataskError(f"{where}: method {method.method!r} needs an encoder; add e.g. `encoder: gin`.")
    if method.encoder is not None and ability.form:
        encoder = capabilities("encoders", method.encoder)
        if ability.form not in encoder.inputs:
            others = [one.name for one in catalogue("encoders").values() if ability.form in one.inputs]
            raise RelataskError(
                f"{where}: method {method.method!r} works on {ability.form}, which encoder "
                f"{method.encoder!r} does not read; name {' or '.join(others)}."
            )
    if not ability.uses_encoder and method.encoder is not None:
        raise RelataskError(
            f"{where}: method {method.method!r} reads {ability.inputs[0]} itself; remove `encoder`."
        )
    if not ability.uses_encoder and (method.encoder_options or method.training):
        raise RelataskError(
            f"{where}: method {method.method!r} trains no network; remove `encoder_options` and `training`."
        )


def kinds_of(study: StudyConfig, dataset: str) -> set[str]:
    """Return the kinds of label that the tasks of a data set have: binary, real or class."""
    return set(study.sources[study.datasets[dataset].source].task_kinds())


def _refuse_second_derivatives(method: MethodConfig, where: str) -> None:
    """Raise where a method differentiates through a gradient and its encoder does not allow it."""
    ability = capabilities("methods", method.method)
    if method.encoder is None or not ability.second_derivatives:
        return
    encoder = capabilities("encoders", method.encoder)
    if not encoder.twice_differentiable:
        others = [one.name for one in catalogue("encoders").values() if _can_replace(one, encoder)]
        advice = f"name {' or '.join(others)}" if others else "name another method"
        raise RelataskError(
            f"{where}: method {method.method!r} needs second derivatives, which encoder {encoder.name!r} "
            f"does not have; {advice}."
        )


def _can_replace(one: Capabilities, encoder: Capabilities) -> bool:
    """Whether an encoder reads what another reads and has second derivatives."""
    return one.twice_differentiable and bool({*one.inputs} & {*encoder.inputs})


def _refuse_kind(method: MethodConfig, name: str, where: str, study: StudyConfig) -> None:
    """Raise where a method does not learn from labels as those of a data set."""
    loop, own = loop_of(method.method), capabilities("methods", method.method)
    if loop.forecasts != (study.items == "series") or loop.episodes != study.few_shot:
        items = "images with one class each" if study.few_shot else study.items
        raise RelataskError(f"{where}: method {method.method!r} does not learn from {items}; name another.")
    if strange := sorted(kinds_of(study, name) - {*own.kinds}):
        raise RelataskError(
            f"{where}: method {method.method!r} does not learn labels of kind {strange[0]}, only "
            f"{' and '.join(own.kinds)}; name another method, or leave out tasks of that kind."
        )


def _refuse_balancing(method: MethodConfig, where: str) -> None:
    """Raise where a method has no losses of several tasks that could be weighed."""
    strategy = capabilities("balancing", method.balancing)
    ability = capabilities("methods", method.method)
    reason = ""
    if not ability.uses_encoder:
        reason = "trains no network"
    elif ability.per_task:
        reason = "trains each task by itself"
    elif not loop_of(method.method).balances:
        reason = "has one loss for all tasks together"
    if reason:
        raise RelataskError(
            f"{where}: method {method.method!r} {reason}, so there is nothing to balance; remove `balancing` "
            "and `balancing_options`."
        )
    if strategy.needs_trunk and not ability.has_trunk:
        raise RelataskError(
            f"{where}: balancing {method.balancing!r} reads what all tasks share, and method "
            f"{method.method!r} has no such part (capability `trunk`); choose e.g. uncertainty."
        )


def _refuse_prior(method: MethodConfig, where: str, study: StudyConfig) -> None:
    """Raise where a method cannot start from the predictions of the one it names."""
    if not capabilities("methods", method.method).uses_prior and not method.average_logits:
        raise RelataskError(f"{where}: method {method.method!r} starts from no other; remove `prior`.")
    prior = next(entry for entry in study.methods if entry.label == method.prior)
    ability = capabilities("methods", prior.method)
    if ability.uses_prior or ability.per_task or not ability.uses_encoder or prior.is_combined:
        raise RelataskError(
            f"{where}: `prior: {method.prior}` must be one network that learns all tasks by itself, and "
            f"{prior.method!r} is none; name e.g. a method shared_bottom."
        )
    of_labels = [name for name in study.splits.used if scheme_records()[name].holds_out == "labels"]
    if method.cross_fit and prior.encoder_from:
        raise RelataskError(
            f"{where}: the encoder of {prior.label!r} starts from one that saw every training item, so "
            "`cross_fit` leaves none out; remove it, or `encoder_from` of the prior."
        )
    if method.cross_fit and of_labels:
        raise RelataskError(
            f"{where}: `cross_fit` leaves out items, and the scheme {of_labels[0]} holds out labels of items "
            "that are trained on; remove `cross_fit`."
        )


def refuse_start(method: MethodConfig, name: str, first: Mapping[str, RunSpec], study: StudyConfig) -> None:
    """Raise where a row's encoder cannot start from that of the row that it names.

    Args:
        method: the row.
        name: of the data set.
        first: label -> its first run on the data set.
        study: the study.
    """
    where = f"methods.{method.label}.encoder_from on data set {name!r}"
    source = next(entry for entry in study.methods if entry.label == method.encoder_from)
    for row in (method, source):
        ability = capabilities("methods", row.method)
        several = row is source and ability.per_task
        if not ability.has_trunk or several or row.is_combined or loop_of(row.method).episodes:
            raise RelataskError(
                f"{where}: {row.label!r} is no single network around one encoder; name others, e.g. of "
                "method shared_bottom, or remove `encoder_from`."
            )
    one, other = first[method.label], first[source.label]
    if (one.encoder, one.inputs) != (other.encoder, other.inputs):
        raise RelataskError(
            f"{where}: {source.label!r} has another encoder, or other options or inputs of it; give both "
            "rows the same."
        )
    if study.search is not None and (source.search is not False or method.search is not False):
        raise RelataskError(
            f"{where}: a search may give the two encoders other shapes; set `search: false` in both rows."
        )


def _refuse_imputation(method: MethodConfig, where: str) -> None:
    """Raise where a row cannot score the cells without a label."""
    ability = capabilities("methods", method.method)
    if method.is_combined or ability.per_task or not loop_of(method.method).imputes:
        raise RelataskError(
            f"{where}: `imputation` needs one model of all tasks, and {method.method!r} is none in this row; "
            "name e.g. a method metalink, shared_bottom or matrix_factorisation."
        )


def _refuse_means_of_classes(method: MethodConfig, where: str, study: StudyConfig) -> None:
    """Raise where scores of several runs would be averaged: the mean of numbers of classes is no class."""
    keys = {
        "ensemble": method.ensemble > 1,
        "average_logits": method.average_logits,
        "imputation": method.label in study.imputation,
    }
    for key, wanted in keys.items():
        if wanted:
            raise RelataskError(
                f"{where}: `{key}` averages the scores of several runs, and the score of a class task is the "
                f"number of its class; remove the row's `{key}`."
            )


def _refuse_combined(method: MethodConfig, where: str) -> None:
    """Raise where a combined row is not made of networks that learn tasks by themselves."""
    key = "groups" if method.groups else "average_logits" if method.average_logits else "ensemble"
    ability = capabilities("methods", method.method)
    if ability.per_task or not ability.uses_encoder or loop_of(method.method).episodes:
        raise RelataskError(
            f"{where}.{key}: {method.method!r} is no network that learns tasks together; name e.g. a method "
            "shared_bottom."
        )
    if method.average_logits and ability.uses_prior:
        raise RelataskError(f"{where}.{key}: {method.method!r} starts from its prior; name another method.")
    if method.prior is not None and not method.average_logits:
        raise RelataskError(f"{where}.{key}: a row that starts from another has none; remove `prior`.")
