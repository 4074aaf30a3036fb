"""What a finished run hands to the journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Finished:
    """What a finished run leaves in its entry: tables by their names, and other files by theirs."""

    tables: "Mapping[str, pd.DataFrame]"
    files: Mapping[str, bytes] = field(default_factory=dict)
    saved: "Mapping[str, pd.DataFrame]" = field(default_factory=dict)  # tables of the method's own
