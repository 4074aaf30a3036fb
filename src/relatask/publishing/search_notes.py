"""What tables say of a study whose settings were chosen by a search."""

from relatask.plan.search import searched_rows, unsearched
from relatask.publishing.inputs import Inputs


def search_notes(inputs: Inputs) -> list[str]:
    """Return what a table of results must say of a search: which rows had one, and how it was judged."""
    search = inputs.study.search
    if search is None:
        return []
    scale = inputs.study.scales[inputs.scale]  # type: ignore[index]
    rows = searched_rows(inputs.study, scale)
    others = [f"{label} ({why})" for label, why in unsearched(inputs.study, rows)]
    notes = [
        f"Settings of {', '.join(rows)} were chosen in {search.trials} trials each, on validation.",
        *([f"No search: {', '.join(others)}."] if others else []),
    ]
    several = len(scale.seeds) > 1 or len(inputs.study.splits.schemes) > 1
    if search.validation == "first" and several:
        where = f"{inputs.study.splits.schemes[0]}, seed {scale.seeds[0]}"
        notes.append(
            f"One validation fold ({where}) chose for all splits and seeds; its items may be test items of "
            "others, whose results may then be a little too good."
        )
    return notes
