"""The manifest of a shard: all that its job is told."""

import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, read_fields
from relatask.plan.spec import RunSpec


def shard_manifest(specs: Sequence[RunSpec], study: str) -> str:
    """The manifest's text, a line for each run; the specs of a shard share a data set."""
    head = f'"dataset": {canonical_json(specs[0].dataset)}, "study": {canonical_json(study)}'
    runs = ",\n".join(canonical_json(vars(spec)) for spec in specs)
    return f'{{{head}, "runs": [\n{runs}\n]}}\n'


def read_manifest(path: Path) -> tuple[str, list[RunSpec]]:
    """Return the data set's name and the specs of a manifest.

    Raises:
        RelataskError: the file is missing, broken, or holds what this version does not know.
    """
    content = read_fields(path, dataset=str, runs=list)
    specs = [spec_of(values, path) for values in content["runs"]]
    if strange := [spec for spec in specs if spec.dataset != content["dataset"]]:
        raise RelataskError(
            f"{path}: run {strange[0].run_id} is of the data set {strange[0].dataset!r}, the shard of "
            f"{content['dataset']!r}; run the step plan_runs again."
        )
    return content["dataset"], specs


def spec_of(values: Any, path: Path) -> RunSpec:
    """Return the spec that a file holds.

    Raises:
        RelataskError: a field is unknown, absent or of another kind.
    """
    try:
        spec = RunSpec.from_json(values)
        wrong = [name for name, value in vars(spec).items() if not _fits(name, value)]
        if wrong:
            raise TypeError(f"{wrong[0]} is {reprlib.repr(vars(spec)[wrong[0]])}")
        spec.canonical()
        return spec
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RelataskError(
            f"{path} holds a run that is not as expected ({error}); delete it and run the workflow again."
        ) from None


def _fits(name: str, value: Any) -> bool:
    """Whether a field of a spec is of its kind."""
    if name in {"seed", "ensemble", "member"}:
        return type(value) is int
    if name == "groups":
        return value is None or isinstance(value, dict)
    if name == "episodes":
        keys = ("ways", "shots", "queries", "evaluated")
        return value is None or (isinstance(value, dict) and all(type(value.get(key)) is int for key in keys))
    if name in {"encoder", "prior"}:
        return value is None or isinstance(value, str)
    if name == "training" or name.endswith("options"):
        return isinstance(value, dict)
    if name == "tasks" and isinstance(value, dict):
        part, of = value.get("part"), value.get("of")
        return set(value) == {"part", "of"} and type(part) is int and type(of) is int and 0 <= part < of
    if name == "tasks" and isinstance(value, tuple):
        return all(isinstance(task, str) for task in value)
    return value == "all" if name == "tasks" else isinstance(value, str)
