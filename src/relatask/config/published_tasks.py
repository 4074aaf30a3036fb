"""The tasks of the gains that MTG-Net's authors collected."""

# Order of the columns. Those of MIMIC-III are inferred from the authors' scripts: the files have no header.
TASKS: dict[str, tuple[str, ...]] = {
    "taskonomy": ("semantic_segmentation", "depth", "surface_normals", "keypoints", "edges"),
    "ettm1": ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"),
    "mimic": (
        *("icd_infection", "icd_neoplasms", "icd_endocrine", "icd_blood", "icd_mental", "icd_nervous"),
        *("icd_circulatory", "icd_respiratory", "icd_digestive", "icd_genitourinary", "icd_pregnancy"),
        *("icd_skin", "icd_musculoskeletal", "icd_congenital", "icd_ill_defined", "icd_injury"),
        *("disch_24h", "disch_48h", "mort_24h", "mort_48h", "long_los", "readmission_30", "final_acuity"),
        *("dnr_24h", "dnr_48h", "cmo_24h", "cmo_48h"),
    ),
}
