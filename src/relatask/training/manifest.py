"""The manifest of a shard: all that its job is told."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from relatask.errors import RelataskError
from relatask.files import read_json
from relatask.training.spec import RunSpec


def shard_manifest(specs: Sequence[RunSpec], study: str) -> str:
    """The manifest's text; the specs of a shard share a data set."""
    content = {"study": study, "dataset": specs[0].dataset, "runs": [asdict(spec) for spec in specs]}
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


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
