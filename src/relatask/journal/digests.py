"""What a run was trained by and from: the digests under which an entry of the journal counts.

Read by shards, and by commands that must start without torch.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, source_digest
from relatask.core.layout import in_dataset
from relatask.core.plugins import form_of, input_records
from relatask.core.registry import capabilities, forms_read, loop_file, loop_of
from relatask.core.source_code import PLUMBING, imported_by

# "code", "data" and, where a run starts from another one "prior", from files "initial"
Digests = dict[str, str]


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
    ability = capabilities("encoders", encoder) if encoder else capabilities("methods", method)
    inputs = input_records()
    forms = forms_read(ability, named)
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


def data_of_run(folder: Path, split: str) -> str:
    """Digests of what a run under `split` ("scaffold-0") reads: the data set, its features and the split.

    Raises:
        RelataskError: one of them is absent or has no digest.
    """
    scheme, _, seed = split.rpartition("-")
    record = in_dataset("split_record", scheme=scheme, seed=seed)
    parts = (in_dataset("dataset"), in_dataset("feature_record"), record)
    return "-".join(_digest_in(folder / part)[:16] for part in parts)


def _digest_in(path: Path) -> str:
    value = read_json(path)
    if not isinstance(value, dict) or not isinstance(value.get("digest"), str):
        raise RelataskError(f"{path} has no `digest`; delete it and run the step that writes it again.")
    return value["digest"]
