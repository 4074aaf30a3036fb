"""Whether outputs are what would be made now: by the content of files and options, never by dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MISSING = "missing"  # in the place of a digest


@dataclass(frozen=True)
class Making:
    """What made the outputs of a job, or what would make them now; every value is a digest or MISSING."""

    options: Mapping[str, str]  # command and parameters by their names
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def reasons_to_make(made: Making | None, now: Making, retrieved: bool = False) -> list[str]:
    """Return why a job must run, in words; an empty list if its outputs are what it would make.

    An input that is missing gives no reason: the job that makes it has its own.

    Args:
        made: what is on record; None without a record.
        now: options, inputs and outputs as they are.
        retrieved: whether the outputs may be deleted once they were read, as downloads may; the record stays.
    """
    if made is None:
        return ["nothing on record says what made its outputs"]
    options = sorted(made.options.items() ^ now.options.items())
    reasons = _each(dict.fromkeys(name for name, _ in options), "changed")
    strange = [name for name in now.inputs if name not in made.inputs]
    reasons += _each(strange, "was no input of it before")
    reasons += _each([name for name in made.inputs if name not in now.inputs], "is no input of it any more")
    changed = [name for name, digest in now.inputs.items() if digest not in (MISSING, made.inputs.get(name))]
    reasons += _each([name for name in changed if name not in strange], "has other content")
    if not retrieved:
        reasons += _each([name for name, digest in now.outputs.items() if digest == MISSING], "is missing")
    altered = [
        name for name, digest in now.outputs.items() if digest not in (MISSING, made.outputs.get(name))
    ]
    return reasons + _each(altered, "is not as it was made")


def _each(names: Mapping[str, None] | Sequence[str], what: str) -> list[str]:
    """Return one text for several names."""
    found = list(names)
    if not found:
        return []
    others = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [f"{found[0]}{others} {what}"]
