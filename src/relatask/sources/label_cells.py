"""What the cells of a column of labels say: a label, a class, a measured value or its bound, or nothing."""

import logging
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from relatask.core.errors import RelataskError
from relatask.core.kinds import Kind
from relatask.sources.active import ActiveRule
from relatask.sources.cells import MISSING, SHOWN, BadCell, number_of, texts_of
from relatask.sources.units import p_value_of

log = logging.getLogger(__name__)

# Compared in lower case. A class may be called so, and there only `MISSING` is missing.
NOT_MEASURED = MISSING | {
    *("nd", "n.d", "n.d.", "n.a.", "nt", "n.t.", "-", "--", "\N{EN DASH}", "\N{EM DASH}", "missing"),
    *("not determined", "not measured", "not tested", "inconclusive"),
}
# What a label of 1 and what a label of 0 is called; words of one line belong together.
VOCABULARIES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("active",), ("inactive", "not active", "non-active", "nonactive")),
    (("yes", "y"), ("no", "n")),
    (("true", "t"), ("false", "f")),
    (("positive", "pos"), ("negative", "neg")),
    (("hit",), ("no hit", "not a hit", "non-hit", "nonhit", "miss")),
    (("toxic",), ("non-toxic", "nontoxic", "not toxic")),
)
WORDS = {  # word -> which line it stands in, and its label
    word: (line, label)
    for line, (ones, zeros) in enumerate(VOCABULARIES)
    for words, label in ((ones, 1.0), (zeros, 0.0))
    for word in words
}
MEASURED = re.compile(r"(<=|>=|=<|=>|<<|>>|[<>=≤≥~≈]?)\s*([^<>=≤≥~≈\s].*)")
_SIGN = {
    **{"<": -1, "<<": -1, "<=": -2, "=<": -2, "≤": -2},
    **{">": 1, ">>": 1, ">=": 2, "=>": 2, "≥": 2},  # of others 0
}
RELATIONS = frozenset({*_SIGN, "=", "~", "≈"})
_LARGEST = float(np.finfo(np.float32).max)


class Wrong(NamedTuple):
    """What is wrong with a cell, e.g. "is not a number", and what to do."""

    said: str
    way_out: str


_EMPTY = "leave a cell empty where nothing was measured"
_RULE = "give `active` or `thresholds` (at_least or at_most) to make labels of measured values"
_NUMBER = f"write a finite number, with < or > before it where only a bound is known, and {_EMPTY}"
NO_NUMBER = Wrong(
    "is not a number",
    f"{_EMPTY}, or name the label columns in task_columns (and the molecule's name in id_column)",
)
NOT_FINITE = Wrong("is not finite", f"write a finite number of at most 3e38, or {_EMPTY}")
NO_LABEL = Wrong("is neither 0 nor 1", f"{_RULE}, or name the label columns in task_columns")
A_BOUND = Wrong("is a bound, and a label of 0 or 1 has none", _RULE)
NO_VALUE = Wrong("is not a measured value", _NUMBER)
NO_CONCENTRATION = Wrong("is no concentration above 0 and has no p-value", f"correct it, or {_EMPTY}")


@dataclass(frozen=True)
class Found:
    """What a batch of n cells says.

    Attributes:
        values: float64 [n], NaN where nothing was measured or the cell is bad.
        signs: int8 [n], -2 to 2 for the bounds in the order of `raw_table.SIGNS`; 0 for the value itself.
        contents: int64 [n], which content each cell has.
        wrong: content -> what is wrong with it.
    """

    values: np.ndarray
    signs: np.ndarray
    contents: np.ndarray
    wrong: Mapping[int, Wrong]


@dataclass
class LabelColumn:
    """How a column of labels is read, and what was met on the way.

    Attributes:
        name: of the column.
        kind: of the task.
        rule: which measured values of a binary task are label 1; None: its cells are labels.
        concentration: unit of cells of which the p-values are taken; None: values stay as they are.
        words: how often each word was read as a label.
        skipped: how often each text was read as "not measured".
        classes: name of each class -> the number that stands for it in the values, as they were met.
        numbers: how many cells are numbers that a rule or a method reads as measured values.
        others: how many of these are neither 0 nor 1.
    """

    name: str
    kind: Kind = "binary"
    rule: ActiveRule | None = None
    concentration: str | None = None
    words: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    classes: dict[str, int] = field(default_factory=dict)
    numbers: int = 0
    others: int = 0

    def read(self, cells: pa.Array, path: Path) -> Found:
        """Read the cells of a batch; each different content is read once.

        Raises:
            RelataskError: the column of the file `path` holds neither numbers nor texts.
        """
        if self.kind == "class":
            texts, codes = texts_of(cells)
            numbers = [
                math.nan if text is None else float(self.classes.setdefault(text, len(self.classes)))
                for text in texts
            ]
            return Found(np.array(numbers)[codes], np.zeros(len(codes), np.int8), codes, {})
        contents, codes = self._contents(cells, path)
        values, signs = np.full(len(contents), np.nan), np.zeros(len(contents), np.int8)
        wrong: dict[int, Wrong] = {}
        times = np.bincount(codes, minlength=len(contents)).tolist()
        for place, content in enumerate(contents):
            found = self._read_one(content, times[place])
            if isinstance(found, Wrong):
                wrong[place] = found
            else:
                values[place], signs[place] = found
        return Found(values[codes], signs[codes], codes, wrong)

    def _contents(self, cells: pa.Array, path: Path) -> tuple[Sequence[str | float | None], np.ndarray]:
        """Return the different contents of cells, and which one each cell has."""
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        kind = cells.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return texts_of(cells, frozenset())
        if pa.types.is_boolean(kind) or pa.types.is_null(kind):
            cells = cells.cast(pa.int8())
        elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise RelataskError(
                f"{path}, column {self.name!r}: the column holds {kind}, not numbers; list the task columns "
                "in task_columns."
            )
        values = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        contents, codes = np.unique(values, return_inverse=True)
        return contents.tolist(), codes

    def _read_one(self, content: str | float | None, times: int) -> tuple[float, int] | Wrong:
        """Return value and code of the bound that a content of `times` cells says."""
        sign = 0
        number = content
        if isinstance(content, str):
            word = content.lower()
            if word in NOT_MEASURED:
                if word:
                    self.skipped[content] += times
                return math.nan, 0
            if self.kind == "binary" and word in WORDS:
                self.words[word] += times
                return self._of_label(WORDS[word][1])
            found = MEASURED.fullmatch(content)
            number = number_of(found[2]) if found else None
            sign = _SIGN.get(found[1], 0) if found else 0
            if number is None:
                return NO_VALUE if self.kind == "real" else NO_NUMBER
        if number is None or math.isnan(float(number)):  # also -nan, which is in no list of spellings
            return math.nan, 0
        return self._of_number(float(number), sign, times)

    def _of_number(self, number: float, sign: int, times: int) -> tuple[float, int] | Wrong:
        if abs(number) > _LARGEST:
            return NO_VALUE if self.kind == "real" else NOT_FINITE
        if self.kind == "binary" and self.rule is None:
            if sign:
                return A_BOUND
            return (number, 0) if number in (0.0, 1.0) else NO_LABEL
        self.numbers += times
        self.others += times * (bool(sign) or number not in (0.0, 1.0))
        if self.concentration is None:
            return number, sign
        return (p_value_of(number, self.concentration), -sign) if number > 0 else NO_CONCENTRATION

    def _of_label(self, label: float) -> tuple[float, int]:
        """Return a label, or where a rule makes labels of values the bound that the label amounts to."""
        if self.rule is None:
            return label, 0
        if self.rule.at_least is not None:
            return self.rule.at_least, 2 if label else -1
        assert self.rule.at_most is not None  # ActiveRule holds exactly one bound
        return self.rule.at_most, -2 if label else 1


def bad_cells(found: Found, cells: pa.Array, done: int, place: int, name: str) -> tuple[int, list[BadCell]]:
    """Return how many cells of a batch are bad, and the first of them.

    Args:
        found: what was read.
        cells: of the batch.
        done: rows before the batch.
        place: of the column among those that are read.
        name: of the column.
    """
    rows = np.flatnonzero(np.isin(found.contents, list(found.wrong)))
    first = []
    for row in rows[:SHOWN].tolist():
        wrong = found.wrong[int(found.contents[row])]
        first.append(BadCell(done + row, place, name, str(cells[row].as_py()), wrong.said, wrong.way_out))
    return len(rows), first


def said_of(columns: Sequence[LabelColumn], path: Path) -> dict[str, int]:
    """Say in the log which texts were read as labels and as not measured, and return how often each was."""
    words: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    by_words: dict[tuple[str, ...], list[str]] = {}
    for column in columns:
        words.update(column.words)
        skipped.update(column.skipped)
        by_words.setdefault(tuple(sorted(column.words)), []).append(column.name)
        if column.rule is not None and column.numbers and not column.others:
            log.warning(
                "%s: the column %r holds 0 and 1 alone, and its rule of `active` or `thresholds` reads them "
                "as measured values; if they are labels, write `thresholds: {%s: null}`.",
                *(path, column.name, column.name),
            )
    for used, names in by_words.items():
        if len({WORDS[word][0] for word in used}) > 1:
            read = ", ".join(f"{word!r} as {WORDS[word][1]:g}" for word in used)
            log.warning(
                "%s: the column %r mixes words of several kinds, which are read so: %s; check that they mean "
                "the same%s.",
                *(path, names[0], read, f" (so in {len(names)} columns)" if len(names) > 1 else ""),
            )
    if words:
        read = ", ".join(f"{word!r} as {WORDS[word][1]:g} ({n:,} cells)" for word, n in sorted(words.items()))
        log.info("%s: words read as labels: %s.", path, read)
    if skipped:
        read = ", ".join(f"{text!r} ({n:,} cells)" for text, n in skipped.most_common(20))
        log.info("%s: read as not measured: %s.", path, read)
    notes = {f"word: {word}": count for word, count in sorted(words.items())}
    return notes | {f"not measured: {text}": count for text, count in sorted(skipped.items())}
