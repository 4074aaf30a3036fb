"""Columns of tables of data sets: what workflow steps make before anything is trained."""

CELLS = "cells"  # the scheme of splits that holds out labels and not molecules, in table cell_split

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
    "molecules": {
        "item_id": "int32",  # row of the molecule in its source's standardised table
        "smiles": "string",  # canonical
        "source_id": "string?",
        "n_heavy_atoms": "int16",
        "mol_weight": "float32",  # Da
        "scaffold": "string",  # Bemis-Murcko SMILES, empty for acyclic molecules
    },
    "items": {  # of a data set without molecules; `item_id` in its labels and splits is the item
        "item_id": "int32",
        "name": "string",  # a point in time as the source writes it, or an image's file
    },
    "rejected": {
        "row": "int64?",  # of the input file, from 1; null for a molecule that densification left out
        "source_id": "string?",
        "smiles": "string?",
        "reason": "string",
    },
    "tasks": {
        "task_id": "string",  # safe in file names, HTML and shells
        "name": "string",  # as the source writes it
        "source_id": "string?",
        "uniprots": "list<string>",
        "string_ids": "list<string>",
        "n_pos": "int32",  # labels that are 1
        "n_neg": "int32",  # all others; measured values are others
    },
    "rejected_tasks": {"task_id": "string", "name": "string", "reason": "string"},
    "labels": {"item_id": "int32", "task_id": "category", "label": "float32"},
    "classes": {  # in place of labels, where each item has one class out of many: a task is a class
        "item_id": "int32",
        "task_id": "category",  # the item's class; it is of no other
    },
    "relations": {"task_i": "string", "task_j": "string", "score": "float32", "kind": "string"},
    "split": {"item_id": "int32", "fold": "category"},
    "cell_split": {"item_id": "int32", "task_id": "category", "fold": "category"},  # of the scheme CELLS
}
