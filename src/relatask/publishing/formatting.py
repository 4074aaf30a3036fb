"""Numbers and tables as text: markdown, LaTeX, and names from data that cannot break out of a cell.

Rounding happens here and nowhere else.
"""

import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tabulate import tabulate

from relatask.evaluation.metrics import Metric

if TYPE_CHECKING:
    import pandas as pd

HUGE = 1e6  # from here on decimals are not written
NOTHING = "–"  # a value that is not defined; never 0
LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "±": r"$\pm$",
    "†": r"$\dagger$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
    "Δ": r"$\Delta$",
    "τ": r"$\tau$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
}


class Bold(str):
    """Text of a cell that stands out, e.g. the best value of a column."""

    __slots__ = ()


@dataclass(frozen=True)
class Table:
    """A table as data and as it is read.

    Attributes:
        name: file name, without ending.
        title: one sentence.
        data: unrounded numbers, one value a column: the parquet and csv files.
        header: names of the columns that are shown.
        rows: cells that are shown, neither escaped nor marked up.
        n_text: how many leading columns are words; the others are set right.
        notes: footnotes.
        kind: name of the table whose columns it has, where it is another.
    """

    name: str
    title: str
    data: "pd.DataFrame"
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    n_text: int = 1
    notes: Sequence[str] = field(default_factory=tuple)
    kind: str = ""


def _undefined(value: float | None) -> bool:
    return value is None or math.isnan(value)


def number(value: float | None, digits: int = 2) -> str:
    """Return `value` with `digits` decimals and thousands separated, a dash where it is not defined.

    Of a million or more decimals say nothing: it is written with three digits and a power of ten.
    """
    return _written(value, f",.{digits}f" if not _is_huge(value, digits) else ".3g")


def signed(value: float | None, digits: int = 2) -> str:
    """Return `value` with its sign, else as `number` without separators."""
    return _written(value, f"+.{digits}f" if not _is_huge(value, digits) else "+.3g")


def _is_huge(value: float | None, digits: int) -> bool:
    return digits > 0 and value is not None and abs(value) >= HUGE


def _written(value: float | None, form: str) -> str:
    return NOTHING if _undefined(value) else f"{value:{form}}".replace("-", "−")


def p_value(value: float | None) -> str:
    """Return a p value with three decimals; a smaller one as a bound."""
    return "<0.001" if not _undefined(value) and value < 0.001 else number(value, 3)  # type: ignore[operator]


def scale_of(metric: Metric) -> tuple[float, int]:
    """Return the factor and the number of decimals that tables use for `metric`."""
    return (100.0, 2) if metric.percent else (1.0, 3)


def printed_label(metric: Metric) -> str:
    """Return what a metric is called where tables print it, e.g. "ROC-AUC × 100"."""
    return f"{metric.label} × 100" if metric.percent else metric.label


def scales_and_directions(metrics: Sequence[Metric]) -> str:
    """Return which of `metrics` are printed times 100 and for which lower is better."""
    percent = " and ".join(metric.label for metric in metrics if metric.percent)
    lower = " and ".join(metric.label for metric in metrics if not metric.higher_is_better)
    notes = [f"{percent} × 100" if percent else "", f"{lower}: lower is better" if lower else ""]
    return "; ".join(note for note in notes if note)


def mean_std(mean: float | None, std: float | None, metric: Metric) -> str:
    """Return "mean ± std", or the mean alone where one seed gives no spread."""
    factor, digits = scale_of(metric)
    if mean is None or _undefined(mean):
        return NOTHING
    text = number(mean * factor, digits)
    return text if std is None or _undefined(std) else f"{text} ± {number(std * factor, digits)}"


def one_line(text: str) -> str:
    """Return `text` without line breaks and other control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def escape_markdown(text: str) -> str:
    """Return `text` so that markdown and the HTML made of it show it as it is, in a table's cell."""
    escaped = html.escape(one_line(text), quote=False)
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", escaped)


def escape_latex(text: str) -> str:
    """Return `text` so that LaTeX prints it as it is."""
    return "".join(LATEX.get(character, character) for character in one_line(text))


def to_markdown(table: Table) -> str:
    """Return the table as GitHub markdown: title, cells, footnotes."""

    def cell(text: str) -> str:
        return f"**{escape_markdown(text)}**" if isinstance(text, Bold) else escape_markdown(text)

    body = tabulate(
        [[cell(text) for text in row] for row in table.rows],
        headers=[cell(text) for text in table.header],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=_alignment(table) if table.rows else None,
    )
    notes = "".join(f"* {escape_markdown(note)}\n" for note in table.notes)
    return f"**{escape_markdown(table.title)}**\n\n{body}\n" + (f"\n{notes}" if notes else "")


def to_latex(table: Table) -> str:
    """Return the table as a LaTeX `table` that needs the package booktabs."""

    def cell(text: str) -> str:
        return rf"\textbf{{{escape_latex(text)}}}" if isinstance(text, Bold) else escape_latex(text)

    columns = "".join(side[0] for side in _alignment(table))
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{escape_latex(table.title)}}}"]
    lines += [rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines += [" & ".join(cell(text) for text in table.header) + r" \\", r"\midrule"]
    lines += [" & ".join(cell(text) for text in row) + r" \\" for row in table.rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par\footnotesize {escape_latex(note)}" for note in table.notes]
    return "\n".join([*lines, r"\end{table}", ""])


def _alignment(table: Table) -> list[str]:
    return ["left" if place < table.n_text else "right" for place in range(len(table.header))]
