"""What a run was trained by and from: the digests under which an entry of the journal counts.

Read by shards, and by commands that must start without torch.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, read_json, source_digest
from relatask.core.layout import in_dataset
from relatask.core.plugins import form_of, input_records
from relatask.core.registry import capabilities, forms_read, loop_file, loop_of
from relatask.core.source_code import PLUMBING, imported_by

# "code", "data" and, where a run starts from another one "prior", from files "initial"
Digests = dict[str, str]


def forms_of_run(method: str, encoder: str | None, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the forms of the inputs that a run reads, of which its row may name the inputs."""
    ability = capabilities("encoders", encoder) if encoder else capabilities("methods", method)
    return forms_read(ability, named)


@lru_cache
def files_of_run(
    method: str, encoder: str | None, balancing: str = "equal", named: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Files of the package that decide a run's numbers: loop, method, encoder, balancing, what they import.

    `named` are the inputs that its row names. Not the package's plumbing: a new table, declared in columns,
    must not train every run again.
    """
    ability = capabilities("methods", method)
    parts = ["engine/run.py", loop_file(method), ability.file]
    if loop_of(method).balances:
        parts.append(f"balancing/{balancing}.py")
    if ability.stacks and encoder and capabilities("encoders", encoder).side_by_side:
        parts.append(f"encoders/_stacked_{encoder}.py")  # of task sets; the same numbers
    if ability.uses_prior:
        parts.append("models/trained_model.py")
    inputs, forms = input_records(), forms_of_run(method, encoder, named)
    parts += [inputs[name].file for name in inputs if form_of(name) in forms]
    parts += ["inputs/beside.py"] if len(forms) > 1 else []
    files = imported_by(*parts, *([f"encoders/{encoder}.py"] if encoder else []))
    return tuple(file for file in files if file not in PLUMBING)


@lru_cache  # also because the files may change while a shard runs what it imported before
def code_of_run(
    method: str, encoder: str | None, balancing: str = "equal", named: tuple[str, ...] = ()
) -> str:
    """Digest of the code that decides a run's numbers."""
    return source_digest(*files_of_run(method, encoder, balancing, named))


def initial_files(encoder: str | None, options: Mapping[str, Any]) -> list[str]:
    """Return the user's files that the weights of a run's encoder start from."""
    named = capabilities("encoders", encoder).initial if encoder else ()
    return [str(options[name]) for name in named if options.get(name)]


def data_of_run(folder: Path, split: str, forms: tuple[str, ...]) -> str:
    """Digests of what a run under `split` ("scaffold-0") reads: the data set, its inputs and the split.

    Inputs that it does not read do not count: another row may ask for one, and that must not train this one.

    Args:
        folder: of the data set.
        split: scheme and seed.
        forms: of the inputs that the run reads, as `forms_of_run` returns them.

    Raises:
        RelataskError: one of them is absent or has no digest.
    """
    scheme, _, seed = split.rpartition("-")
    record = in_dataset("split_record", scheme=scheme, seed=seed)
    data, own = (_digest_in(folder / part) for part in (in_dataset("dataset"), record))
    return "-".join(digest[:16] for digest in (data, _digest_of_inputs(folder, forms), own))


def _digest_of_inputs(folder: Path, forms: tuple[str, ...]) -> str:
    """Return a digest of the arrays of some inputs of a data set."""
    path = folder / in_dataset("feature_record")
    _digest_in(path)  # which refuses what is no record
    record = read_json(path)
    try:
        own = [one["arrays"] for one in record["inputs"].values() if one["form"] in forms]
        found = {name: record["files"][f"{name}.npy"] for arrays in own for name in arrays}
    except (KeyError, TypeError, AttributeError):
        raise RelataskError(
            f"{path} does not say which arrays are whose; delete it and run the step featurise_items again."
        ) from None
    return hashlib.sha256(canonical_json(found).encode()).hexdigest()


def _digest_in(path: Path) -> str:
    value = read_json(path)
    if not isinstance(value, dict) or not isinstance(value.get("digest"), str):
        raise RelataskError(f"{path} has no `digest`; delete it and run the step that writes it again.")
    return value["digest"]
