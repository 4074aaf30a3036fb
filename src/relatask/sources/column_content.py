"""What a column of an unknown table holds: labels, measured values, dates, numbers of rows, or text."""

import math
import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from relatask.core.kinds import Kind
from relatask.data.splits._fold_words import KNOWN
from relatask.sources.cells import number_of, texts_of
from relatask.sources.label_cells import MEASURED, NOT_MEASURED, VOCABULARIES

FOLDS = frozenset(KNOWN)
_DATE = re.compile(r"(19|20)\d\d([-/.]\d\d?([-/.]\d\d?([T ]\d\d:\d\d.*)?)?)?|\d\d?[-/.]\d\d?[-/.](19|20)\d\d")
MOST_CLASSES = 20
ENOUGH = 20_000  # cells by which a column is judged
MOST_TEXTS = 20_000  # different texts of a column that are kept
LONGEST = 1000  # characters of a text that are kept


def _measured(text: str) -> float | None:
    """Return the finite number that a text is, also with a sign before it; None: it is none."""
    found = MEASURED.fullmatch(text)
    number = number_of(found[2]) if found else None
    return number if number is not None and math.isfinite(number) else None


@dataclass
class Content:
    """The different texts of a column, with their numbers, until it has enough; missing cells do not count.

    Attributes:
        rows: that were looked at.
        filled: of these, cells that hold something.
        texts: text -> cells, of the first different ones.
        not_measured: texts that say so, and do not count but as names of classes.
    """

    rows: int = 0
    filled: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    not_measured: set[str] = field(default_factory=set)

    def add(self, column: pa.Array, decimal: str | None) -> None:
        """Count the cells of a batch; of a text, `decimal` is its mark of decimals."""
        if self.filled >= ENOUGH:
            return
        self.rows += len(column)
        texts, codes = texts_of(column)
        for text, count in zip(texts, np.bincount(codes, minlength=len(texts)).tolist(), strict=True):
            if text is None:
                continue
            text = text[:LONGEST]
            if text.lower() in NOT_MEASURED:
                self.not_measured.add(text)
                continue
            if decimal != "." and re.fullmatch(r"[^,]*\d,\d+([eE][-+]?\d+)?", text):
                text = text.replace(",", ".")
            self.filled += count
            if text in self.texts or len(self.texts) < MOST_TEXTS:
                self.texts[text] += count

    def numbers(self) -> tuple[int, int]:
        """Return how many cells are numbers, also with a sign before, and how many of them are bounds."""
        numbers = bounds = 0
        for text, count in self.texts.items():
            if _measured(text) is not None:
                numbers += count
                bounds += count * (text[0] in "<>≤≥")
        return numbers, bounds

    def powers_of_ten(self) -> float:
        """Return over how many powers of ten the numbers go, 0 where not all of them are above 0."""
        known = [number for number in map(_measured, self.texts) if number is not None]
        return math.log10(max(known) / min(known)) if known and min(known) > 0 else 0.0

    def odd(self) -> int:
        """Return how many cells are no number, of a column most of whose cells are numbers."""
        numbers, _ = self.numbers()
        return self.filled - numbers if 0.5 * self.filled <= numbers else 0

    def lower(self) -> set[str]:
        """Return the different texts in lower case."""
        return {text.lower() for text in self.texts}

    def are_dates(self, named: bool) -> bool:
        """Whether all cells are dates; plain years are where the column is `named` as one."""
        dates = all(_DATE.fullmatch(text) for text in self.texts)
        return bool(self.texts) and dates and (named or any(not text.isdigit() for text in self.texts))

    def number_rows(self) -> bool:
        """Whether the cells count the rows from 0 or 1."""
        if len(self.texts) < self.filled or len(self.texts) < 3:
            return False
        values = [number_of(text) for text in self.texts]
        first = values[0]
        return first in (0.0, 1.0) and all(value == first + n for n, value in enumerate(values))

    def labels(self) -> tuple[Kind | None, str]:
        """Return which kind of labels the cells can be, and in words what they are; None: and why none.

        Never raises, whatever the cells hold.
        """
        if not self.filled:
            return None, "empty"
        numbers, bounds = self.numbers()
        words = self.lower()
        said = f", {bounds} of them bounds" if bounds else ""
        if numbers >= 0.5 * self.filled:
            odd = [text for text in self.texts if _measured(text) is None]
            labels = {number_of(text) for text in self.texts.keys() - odd} <= {0.0, 1.0}
            found = "labels of 0 and 1" if labels else f"measured values{said}"
            more = f"; {self.filled - numbers} are no number, e.g. {odd[0][:30]!r}" if odd else ""
            return "binary" if labels else "real", f"{found}{more}"
        for ones, zeros in VOCABULARIES:
            if words <= {*ones, *zeros, "0", "1"}:
                return "binary", f"the words {' and '.join(sorted(words))}"
        if 2 <= len(words) <= min(MOST_CLASSES, self.filled // 3):
            names = sorted({*self.texts, *self.not_measured})  # as they are read
            return "class", f"{len(names)} classes: {', '.join(names[:5])[:80]}"
        return None, f"text, e.g. {next(iter(self.texts))[:30]!r}"
