"""The annotation of ToxCast's assay endpoints (US EPA, invitrodb 3.1) as the R package toxEval keeps it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import numpy as np

CONVERSION = {
    "summary": "what each of 1,399 assay endpoints measures, 84 columns",
    "needs": ("toxeval/sysdata.rda",),
}


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write all rows and columns in order; a missing value, also the text NA, is an empty cell."""
    from relatask.sources.originals._tables import write_rows
    from relatask.sources.r_workspace import read_r_workspace

    table = read_r_workspace(files["sysdata.rda"])["end_point_info"]
    columns = [_cells(column.values) for column in table.values]
    write_rows(out, table.names, zip(*columns, strict=True))


def _cells(values: "np.ndarray") -> list[str]:
    import numpy as np

    from relatask.sources.r_workspace import NA_INTEGER

    if values.dtype == object:
        return ["" if value in (None, "NA") else value for value in values]
    if values.dtype.kind == "i":
        return ["" if value == NA_INTEGER else str(value) for value in values.tolist()]
    return ["" if np.isnan(value) else repr(value) for value in values.tolist()]
