"""What a reader must know of rows whose weights were trained elsewhere: they may have seen test molecules."""

from dataclasses import replace

from relatask.config import StudyConfig
from relatask.core.registry import complete_options
from relatask.plan.pretrained import PRETRAINED_ON, UNKNOWN, pretrained_on
from relatask.publishing.formatting import Table


def with_pretrained_notes(table: Table, study: StudyConfig, scale: str) -> Table:
    """Return a table with a footnote for each of its rows that starts from weights of elsewhere."""
    cells = {str(cell) for row in table.rows for cell in row}
    notes = [note for label, note in _notes(study, scale).items() if label in cells]
    return replace(table, notes=[*table.notes, *notes]) if notes else table


def _notes(study: StudyConfig, scale: str) -> dict[str, str]:
    """Return label -> what its weights have seen, of rows with such weights."""
    found = {}
    for method in study.methods:
        if method.encoder is None:
            continue
        given = {**study.scales[scale].encoders.get(method.encoder, {}), **method.encoder_options}  # type: ignore[index]
        seen = pretrained_on(str(complete_options("encoders", method.encoder, given).get(PRETRAINED_ON, "")))
        if seen:
            named = "data that is not named" if seen == [UNKNOWN] else ", ".join(seen)
            found[method.label] = (
                f"{method.label} starts from weights trained on {named}; molecules of the test fold "
                "may have been among them."
            )
    return found
