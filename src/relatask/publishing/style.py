"""What all figures share: colours, fonts, the range of a metric, and how a figure becomes files.

Nothing here goes through pyplot: its global list of open figures and its global settings would leak from
one figure into the next.
"""

import math
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relatask.core.atomic import atomic_path
from relatask.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette, told apart with any colour vision; yellow is left out, being faint on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A4FB5")
MARKERS = ("o", "D", "^", "v", "P", "X", "p")
BASELINE_COLOUR, BASELINE_MARKER = "#333333", "s"
GREY, FAINT = "#767676", "#E4E4E4"

RC: Any = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so every machine draws the same
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.markerscale": 1.3,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "figure.facecolor": "white",
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "text.parse_math": False,  # a $ in a task's name is a $, not the start of a formula
    "svg.hashsalt": "relatask",  # the same figure gets the same ids, hence the same bytes
    "svg.fonttype": "none",  # text stays text: it can be searched, selected and edited
}


CHANCE = {"roc_auc": 0.5}  # value of a random guess, where it is the same for every task


@dataclass(frozen=True)
class Look:
    """Colour and marker of one method; both differ, so that print without colour still tells them apart."""

    colour: str
    marker: str


def looks(methods: Sequence[str], baseline: str) -> dict[str, Look]:
    """Return the look of every method; the baseline is the same dark square in every figure."""
    found, index = {}, 0
    for method in methods:
        if method == baseline:
            found[method] = Look(BASELINE_COLOUR, BASELINE_MARKER)
            continue
        turn = index // len(PALETTE)  # after one round the same colours come back with other markers
        found[method] = Look(PALETTE[index % len(PALETTE)], MARKERS[(index + turn) % len(MARKERS)])
        index += 1
    return found


def shorten(name: str, length: int = 34) -> str:
    """Return a name fit for an axis: one line, no control characters, the middle cut out when long.

    The middle, because names of assays often differ only at their ends. Control characters are also not
    allowed in SVG.
    """
    name = "".join(character if character.isprintable() else " " for character in name)
    name = " ".join(name.split())
    if len(name) <= length:
        return name
    tail = length // 3
    return f"{name[: length - tail - 1].rstrip()}…{name[-tail:].lstrip()}"


def counted(number: float, noun: str) -> str:
    """Return e.g. "1 task" or "1,310 tasks"."""
    return f"{int(number):,} {noun}{'' if number == 1 else 's'}"


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the project's style and leave matplotlib's settings as they were."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's own matplotlibrc must not change the bytes
        matplotlib.rcParams.update(RC)
        yield


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure (inches) that lays itself out."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def value_limits(values: Iterable[float], metric: str) -> tuple[float, float]:
    """Return axis limits that hold all values and chance, so that no difference looks larger than it is.

    Where there is no chance level, errors (lower is better) start at 0. Errors of measured values have no
    greatest value, and R² and correlations no least one above -1.
    """
    anchor = CHANCE.get(metric, None if METRICS[metric].higher_is_better else 0.0)
    inside = [value for value in [*values, anchor] if value is not None and math.isfinite(value)]
    low, high = (min(inside), max(inside)) if inside else (0.0, 1.0)
    pad = 0.04 * max(high - low, 0.1)
    real, error = METRICS[metric].of == "real", not METRICS[metric].higher_is_better
    lowest, highest = (-math.inf if real and not error else -0.02), (math.inf if real and error else 1.02)
    return max(low - pad, lowest), min(high + pad, highest)


def mark_chance(axes: "Axes", metric: str, horizontal: bool = False) -> None:
    """Mark the chance level, where the metric has one, with a dashed line and the word at its end."""
    if (level := CHANCE.get(metric)) is None:
        return
    line: dict[str, Any] = {"color": GREY, "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 1.2}
    text: dict[str, Any] = {
        "color": GREY,
        "fontsize": 7,
        "annotation_clip": False,
        "textcoords": "offset points",
    }
    if horizontal:
        axes.axhline(level, **line)
        axes.annotate("chance", (1, level), (-2, 2), xycoords=("axes fraction", "data"), ha="right", **text)
    else:
        axes.axvline(level, **line)
        axes.annotate("chance", (level, 1), (2, -1), xycoords=("data", "axes fraction"), va="bottom", **text)


def heading(figure: "Figure", title: str, note: str, legend: "Mapping[str, Artist] | None" = None) -> None:
    """Give `figure` its title, the legend below it and, at the foot, a note on how to read it.

    Text is wrapped to the width; the room it takes is kept free of axes, whatever the height.
    """
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(title, int(width * 11))
    top = 0.1 + 0.2 * len(lines)
    text = {"x": 0.1 / width, "ha": "left"}
    figure.text(y=1 - 0.08 / height, s="\n".join(lines), va="top", fontsize=11, fontweight="bold", **text)
    if legend:
        columns = min(max(1, int(width // 1.45)), len(legend))
        where = (0.05 / width, 1 - top / height)
        figure.legend(
            legend.values(), legend, loc="upper left", bbox_to_anchor=where, ncols=columns, borderaxespad=0
        )
        top += 0.1 + 0.18 * math.ceil(len(legend) / columns)
    lines = textwrap.wrap(note, int(width * 16.5))
    figure.text(y=0.06 / height, s="\n".join(lines), va="bottom", fontsize=7.5, color="#555555", **text)
    bottom = 0.1 + 0.14 * len(lines)
    figure.set_layout_engine("constrained", rect=(0, bottom / height, 1, 1 - (top + bottom) / height))


def across(figure: "Figure", words: str) -> None:
    """Write `words`, if any, faintly across the whole figure: what nobody shall overlook."""
    if words:
        look: Any = {"ha": "center", "va": "center", "rotation": 15, "color": "#C00000", "alpha": 0.16}
        figure.text(0.5, 0.5, words, fontsize=2 * figure.get_size_inches()[0], zorder=9, **look)


def legend_of(panels: "Iterable[Axes]") -> "dict[str, Artist]":
    """Return label -> handle over all panels, each label once."""
    pairs = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in panels]
    return {label: handle for panel in pairs for handle, label in panel}


def empty(title: str, reason: str) -> "Figure":
    """Return a figure that says why there is nothing to draw; Snakemake expects the file all the same."""
    figure = new_figure(6, 1.2)
    heading(figure, title, reason)
    return figure


def save(figure: "Figure", path: Path) -> None:
    """Write `figure` as `path`.png (150 dpi) and `path`.svg, without dates, whole or not at all."""
    with warnings.catch_warnings():
        # a name in a script that the font lacks: empty boxes in PNG, the right letters in SVG
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
            with atomic_path(path.with_name(f"{path.name}.{suffix}")) as temporary:
                figure.savefig(temporary, format=suffix, dpi=150, metadata=metadata)
