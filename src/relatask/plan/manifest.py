"""The manifest of a shard: the runs that its job trains."""

import reprlib
from collections.abc import Sequence
from dataclasses import is_dataclass
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, read_fields
from relatask.plan.spec import RunSpec


def shard_manifest(specs: Sequence[RunSpec], study: str) -> str:
    """The manifest's text, a line for each run; the specs of a shard share a data set."""
    head = f'"dataset": {canonical_json(specs[0].dataset)}, "study": {canonical_json(study)}'
    runs = ",\n".join(canonical_json(spec.as_dict()) for spec in specs)
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
        if wrong := _wrong_field(spec):
            raise TypeError(f"{wrong} is {reprlib.repr(getattr(spec, wrong))}")
        spec.canonical()
        return spec
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RelataskError(
            f"{path} holds a run that is not as expected ({error}); delete it and run the workflow again."
        ) from None


def _wrong_field(spec: RunSpec) -> str | None:
    """Return the name of the first field that is not of its type, None if all are."""
    for name, kind in _types(RunSpec).items():
        if not _fits(getattr(spec, name), kind):
            return name
    if isinstance(spec.tasks, dict) and not 0 <= spec.tasks["part"] < spec.tasks["of"]:
        return "tasks"
    return None


@lru_cache  # a manifest holds thousands of runs
def _types(owner: Any) -> dict[str, Any]:
    """Return name -> type of the fields of a dataclass or of the keys of a TypedDict."""
    return get_type_hints(owner)


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a type that a field of a spec may have."""
    origin = get_origin(kind)
    if kind is Any:
        return True
    if origin in {Union, UnionType}:
        return any(_fits(value, one) for one in get_args(kind))
    if origin is Literal:
        return value in get_args(kind)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(entry, get_args(kind)[0]) for entry in value)
    if origin is dict:
        return isinstance(value, dict) and all(isinstance(key, str) for key in value)
    of_fields = is_dataclass(kind)
    if of_fields or is_typeddict(kind):
        fits_outside = type(value) is (kind if of_fields else dict)
        held = vars(value) if of_fields and fits_outside else value
        types = _types(kind)
        return (
            fits_outside
            and held.keys() == types.keys()
            and all(_fits(held[name], own) for name, own in types.items())
        )
    return type(value) is kind  # so True is no int
