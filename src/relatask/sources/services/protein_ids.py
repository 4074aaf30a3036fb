"""The proteins of tasks as STRING calls them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def identifiers_of(tasks: "pd.DataFrame") -> list[str]:
    """Return what to ask STRING for: the UniProt accessions of the tasks, STRING ids of tasks without one."""
    columns = zip(tasks.uniprots, tasks.string_ids, strict=True)
    return sorted(
        {name for uniprots, strings in columns for name in (uniprots if len(uniprots) else strings)}
    )


def found_ids(proteins: "pd.DataFrame") -> dict[str, list[str]]:
    """Return identifier -> its STRING id, of a table `proteins`; what STRING does not know is left out."""
    known = proteins[proteins.string_id.notna()]
    return {name: [id_] for name, id_ in zip(known.identifier, known.string_id, strict=True)}


def with_string_ids(tasks: "pd.DataFrame", string_ids: Mapping[str, Sequence[str]]) -> "pd.DataFrame":
    """Return `tasks` with the STRING ids of one release, in place of those of the source.

    Args:
        tasks: table `tasks`.
        string_ids: UniProt accession, or STRING id of a task without one -> the ids of its proteins.
    """
    import pandas as pd

    ids = [
        list(
            dict.fromkeys(
                id_ for name in (uniprots if len(uniprots) else strings) for id_ in string_ids.get(name, ())
            )
        )
        for uniprots, strings in zip(tasks.uniprots, tasks.string_ids, strict=True)
    ]
    return tasks.assign(string_ids=pd.Series(ids, index=tasks.index, dtype=object))
