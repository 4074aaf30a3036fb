"""The proteins of tasks as STRING calls them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def identifiers_of(tasks: "pd.DataFrame") -> list[str]:
    """Return what to ask STRING for: the UniProt accessions of the tasks, STRING ids of tasks without one."""
    columns = zip(tasks.uniprots, tasks.string_ids, strict=True)
    return sorted(
        {name for uniprots, strings in columns for name in (uniprots if len(uniprots) else strings)}
    )


def with_string_ids(tasks: "pd.DataFrame", proteins: "pd.DataFrame") -> "pd.DataFrame":
    """Return `tasks` with the STRING ids of the release that was asked, in place of those of the source.

    Args:
        tasks: table `tasks`.
        proteins: table `proteins`.
    """
    import pandas as pd

    known = proteins[proteins.string_id.notna()]
    string_id = dict(zip(known.identifier, known.string_id, strict=True))
    ids = [
        list(
            dict.fromkeys(
                string_id[name] for name in (uniprots if len(uniprots) else strings) if name in string_id
            )
        )
        for uniprots, strings in zip(tasks.uniprots, tasks.string_ids, strict=True)
    ]
    return tasks.assign(string_ids=pd.Series(ids, index=tasks.index, dtype=object))
