"""The manifest of a shard: all that its job is told."""

from collections.abc import Sequence
from pathlib import Path

from relatask.errors import RelataskError
from relatask.files import canonical_json, read_json
from relatask.training.spec import RunSpec


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
    content = read_json(path)
    try:
        return content["dataset"], [RunSpec.from_json(values) for values in content["runs"]]
    except (KeyError, TypeError) as error:
        raise RelataskError(
            f"{path} is not a shard manifest ({error}); run the step plan_runs again."
        ) from None
