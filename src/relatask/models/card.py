"""card.md of a folder of models: what they are and how far to trust them, on a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CARD = "card.md"
SHOWN = 50  # tasks; the others are in calibration.json


@dataclass(frozen=True)
class TaskRow:
    """A task on a card; texts as they are printed, "" where there is none.

    Attributes:
        name: as the source writes it.
        labels: how many it was trained and tested on, e.g. "5,984 (301 of label 1)".
        unit: of its values, with what was done to them.
        metric: mean and spread over splits on the test folds.
        calibration: how well intervals, sets or probabilities hold, or why there are none.
    """

    name: str
    labels: str
    unit: str
    metric: str
    calibration: str


@dataclass(frozen=True)
class Card:
    """What a card says.

    Attributes:
        title: of the study.
        facts: what is it -> in words, in order.
        metric: name of the metric of `tasks`.
        tasks: a row for each.
        errors: similarity, error and labels of each bin, in words.
        limits: sentences on what the model does not do.
    """

    title: str
    facts: Mapping[str, str]
    metric: str
    tasks: Sequence[TaskRow]
    errors: Sequence[tuple[str, str, str]]
    limits: Sequence[str]


def card_text(card: Card) -> str:
    """Return the card as Markdown."""
    lines = [f"# {plain(card.title)}", ""]
    lines += [f"* **{what}**: {plain(said)}" for what, said in card.facts.items() if said]
    lines += ["", "## Tasks", ""]
    header = ["task", "labels", "unit", f"{card.metric} (test folds)", "out of fold"]
    rows = [[row.name, row.labels, row.unit, row.metric, row.calibration] for row in card.tasks[:SHOWN]]
    lines += _table(header, rows)
    if more := len(card.tasks) - SHOWN:
        lines += ["", f"And {more:,} tasks more; calibration.json has all."] if more > 0 else []
    if card.errors:
        lines += ["", "## Error against similarity", ""]
        lines += _table(["similarity to training", "squared error / that of the mean", "labels"], card.errors)
    lines += ["", "## Limits", "", *(f"* {plain(said)}" for said in card.limits)]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    for sign in "\\`*_[]<>|":
        shown = shown.replace(sign, f"\\{sign}")
    return shown


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    body = [[plain(cell) for cell in row] for row in (header, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in body]
    return [lines[0], f"|{'---|' * len(header)}", *lines[1:]]
