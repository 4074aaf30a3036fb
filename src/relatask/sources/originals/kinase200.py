"""kinase200 (Luukkonen et al., 2023): pChEMBL values on 198 kinases, with two splits of the authors."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "values of the two files, which are the same, with the subsets of both",
    "needs": ("kinase_modelling/kinase200_RGES.csv.gz", "kinase_modelling/kinase200_DGBC.csv.gz"),
}
LAST = 2  # columns Subset and MinInterSetTd


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write the rows in their order; the files go side by side, as one InChIKey occurs twice."""
    from relatask.sources.originals._tables import rows_of, write_rows

    random, cluster = (rows_of(files[f"kinase200_{name}.csv.gz"]) for name in ("RGES", "DGBC"))
    header = next(random)
    if header != next(cluster) or header[-LAST:] != ["Subset", "MinInterSetTd"]:
        raise ValueError("the columns of the two files differ")
    rows = ([*_same(a[:-LAST], b[:-LAST]), b[-LAST], a[-LAST]] for a, b in zip(random, cluster, strict=True))
    write_rows(out, [*header[:-LAST], "subset_cluster_DGBC", "subset_random_RGES"], rows)


def _same(first: list[str], second: list[str]) -> list[str]:
    if first != second:
        raise ValueError(f"the two files differ at {first[0]}")
    return first
