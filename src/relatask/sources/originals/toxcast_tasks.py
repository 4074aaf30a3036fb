"""The proteins that ToxCast's 617 endpoints of MoleculeNet measure."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

CONVERSION = {
    "summary": "UniProt accessions, genes and proteins of STRING v9.1 of each endpoint, and its counts",
    "needs": (
        "toxcast_endpoints/end_point_info_invitrodb.csv.gz",
        "string_v9_1_nodes/string_v9.1_human_nodes.tsv.gz",
        "toxcast/toxcast.csv.gz",
    ),
}
COLUMNS = {  # of the sheet -> of the annotation
    "gene_symbol": "intended_target_gene_symbol",
    "target_type": "intended_target_type",
    "target_family": "intended_target_family",
    "organism": "organism",
}
# The two TOX21_TR_LUC_GH3 endpoints name 7071, KLF10, where THRA and THRB are meant.
WRONG_GENES = {"7071"}
WITHOUT_PROTEIN = {"BSK_KF3CT_TIMP2_down"}  # its UniProt accession, Q96MC4, is not that of TIMP2


def convert(files: Mapping[str, Path], out: TextIO) -> None:
    """Write a row for each endpoint, in the order of the columns; one without annotation has counts alone."""
    from relatask.sources.originals._tables import protein_of_gene, records_of, rows_of, write_rows

    endpoints = {
        row["assay_component_endpoint_name"]: row
        for row in records_of(files["end_point_info_invitrodb.csv.gz"])
    }
    protein = protein_of_gene(files["string_v9.1_human_nodes.tsv.gz"])
    table = rows_of(files["toxcast.csv.gz"])
    assays = next(table)[1:]
    labels, active = [0] * len(assays), [0] * len(assays)
    for row in table:
        for task, cell in enumerate(row[1:]):
            labels[task] += cell != ""
            active[task] += cell != "" and float(cell) == 1

    rows = []
    for task, assay in enumerate(assays):
        endpoint = endpoints.get(assay, {})
        uniprot = _parts(endpoint.get("intended_target_uniprot_accession_number", ""))
        genes = _parts(endpoint.get("intended_target_entrez_gene_id", ""))
        found = {protein[gene] for gene in genes if gene in protein and gene not in WRONG_GENES}
        rows.append(
            [
                *(task, assay, "|".join(uniprot)),
                *(endpoint.get(column, "") for column in COLUMNS.values()),
                "" if assay in WITHOUT_PROTEIN else "|".join(sorted(found)),
                *(labels[task], active[task]),
            ]
        )
    write_rows(out, ["task", "assay", "uniprot", *COLUMNS, "string_v9_ensp", "n_labels", "n_active"], rows)


def _parts(cell: str) -> list[str]:
    return [part for part in cell.split("|") if part not in ("", "NA")]
