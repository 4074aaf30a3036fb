"""Columns of tables of data sets: what workflow steps make before anything is trained."""

SAMPLE_WEIGHT = "sample_weight"  # of an item, how much its labels count in training; not in all data sets
CELLS = "cells"  # the scheme of splits that holds out labels and not items
LABELS = "labels"  # by which cross-validation may spread items over its folds
SCAFFOLD, CLUSTERS = GROUPINGS = ("scaffold", "butina")  # of molecules, by which a scheme may group them

# Tables that may have further columns, which are kept with their Arrow types.
OPEN = {"items", "rejected", "conflicts"}

DATA: dict[str, dict[str, str]] = {
    "assay_targets": {  # what ChEMBL says an assay measures
        "assay_id": "string",
        "target_id": "string?",
        "organism": "string?",
        "uniprots": "list<string>",  # of human targets only
        "reason": "string?",  # why there are none
    },
    "proteins": {  # how STRING calls the proteins of tasks
        "identifier": "string",  # UniProt accession, or the STRING id of a task without one
        "string_id": "string?",  # null: STRING does not know it
        "preferred_name": "string?",
    },
    # What is predicted about. Further columns are of the kind of item: molecules have smiles (canonical),
    # n_heavy_atoms, mol_weight (Da) and scaffold (Bemis-Murcko SMILES, empty for acyclic molecules); any item
    # may have name, group, class and fold, which some schemes of splits read.
    "items": {
        "item_id": "int32",
        "source_id": "string?",  # the source's own name of the item
        "level": "category",  # molecule, node, graph, pair, text, image, point, ...
        "parent": "int32?",  # item_id of the graph that a node or a pair lies in
    },
    "rejected": {  # and of molecules smiles, as the source writes them
        "row": "int64?",  # of the input file, from 1; null for an item that densification left out
        "source_id": "string?",
        "reason": "string",
    },
    "conflicts": {  # cells that have labels, none of which stays; and of molecules smiles
        "item_id": "int32",
        "source_id": "string?",
        "task_id": "string",
        "reason": "string",
        "rows": "string",  # of the input file, from 1, separated by ;
        "values": "string",  # of these rows in this order, separated by ;
    },
    "rows": {  # of a source, one for each row of its files in their order
        "source_id": "string?",
        "item_id": "int32?",  # null: the row was left out
    },
    "leaks": {  # of a study: what the test fold of each split of molecules shares with training
        "dataset": "string",
        "split": "string",
        "seed": "int32",
        "test": "int32",  # molecules
        "compared": "int32",  # of them; their nearest molecule of training was looked for
        "near_twins": "int32",  # of those, within 0.9 of one of training
        "equal_fingerprints": "int32",  # of those
        "same_skeleton": "int32",  # of all: a molecule of training but for stereo, tautomer or protons
        "median_similarity": "float64?",  # to the nearest molecule of training
        "test_labels": "int32",
        "repeated_labels": "int32",  # whose equal a molecule of the same skeleton has in training
    },
    "similarity": {  # of a study of molecules: how near those of a test fold are to training
        "split": "category",
        "seed": "int32",
        "item_id": "int32",
        "similarity": "float32",  # greatest Tanimoto similarity of ECFP4 to any molecule of training
    },
    "clusters": {"item_id": "int32", "cluster": "int32"},  # of molecules, see `relatask.data.clusters`
    "tasks": {
        "task_id": "string",  # safe in file names, HTML and shells
        "name": "string",  # as the source writes it
        "source_id": "string?",
        "level": "string",  # of the items that have its labels
        "kind": "string",  # binary, real or class
        "unit": "string?",  # of a real task, e.g. "nM"; of the values as they are stored
        "transform": "string?",  # what was done to the values before they were stored
        "n_classes": "int32?",  # of a task of kind class
        "metric": "string",  # that leads its tables
        "uniprots": "list<string>",
        "string_ids": "list<string>",
        "n_labels": "int32",
        "n_pos": "int32",  # labels that are 1, of a binary task; else 0
        "n_neg": "int32",  # labels that are 0, of a binary task; else 0
    },
    "rejected_tasks": {"task_id": "string", "name": "string", "reason": "string"},
    "labels": {
        "item_id": "int32",
        "task_id": "category",
        "value": "float32",  # 0 or 1, a measured value, or the position of a class
        "bound": "category",  # "=": the value; "<" and ">": the true value is below or above it
    },
    "classes": {"task_id": "string", "value": "int32", "name": "string"},  # of tasks of kind class
    "relations": {"task_i": "string", "task_j": "string", "score": "float32", "kind": "string"},
    "split": {
        "item_id": "int32",
        "task_id": "category?",  # null: all labels of the item
        "fold": "category",  # train, valid, test, or hidden: read by nothing
    },
}
