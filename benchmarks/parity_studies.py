"""The studies that parity trains: a function for each, which returns the content of its file.

Together they hold every method, loop, encoder, kind of input and way of composing runs, as small as they can
be. Where a key of study files gets another name, name both in `RENAMED`; where a key gets another meaning,
edit the function that uses it. A row whose method or encoder one of the two sides lacks is left out on both.
"""

import re
from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import Any

from benchmarks.parity_data import ASSAYS, SERIES

Study = dict[str, Any]
RENAMED: dict[str, str] = {}  # key as it stands below -> its later name, used where config/README.md lists it

MLP = {"width": 16, "layers": 1}
GNN = {"width": 16, "layers": 2, "dropout": 0.2}
ENCODERS = {
    **{"fingerprint_mlp": MLP, "gin": GNN, "graphsage": GNN, "resnet": {"depth": 12, "width": 2}},
    "lstm": {"width": 8, "embedding": 8},
}
METHODS = {"random_forest": {"n_estimators": 5}, "gradient_boosting": {"max_iter": 5, "min_samples_leaf": 5}}
TRAINING = {"epochs": 3, "batch_size": 32, "learning_rate": 0.003}
KINASES = ("F1P1", "F1P2", "F1P3", "F1P4", "F3P1", "F3P2", "F6P1", "F6P2")
PLANTED = [f"{name}_binding" for name in KINASES]
TABLE = {"reader": "table", "path": "assays.csv", "active": {"at_least": 6.0}}


def balancing() -> Study:
    """Every strategy of balancing and one more aggregator, on planted molecules."""
    row = {"method": "shared_bottom", "encoder": "fingerprint_mlp"}
    pcgrad = {"balancing": "jacobian", "balancing_options": {"aggregator": "pcgrad"}}
    return _planted(
        "Balancing",
        [
            {"label": "Equal", **row, "balancing": "equal"},
            {"label": "UW", **row, "balancing": "uncertainty"},
            {"label": "GradNorm", **row, "balancing": "gradnorm"},
            {"label": "DWA", **row, "balancing": "dwa"},
            {"label": "LBTW", **row, "balancing": "lbtw"},
            {"label": "UPGrad", **row, "balancing": "jacobian"},
            {"label": "PCGrad", **row, **pcgrad},
            {"label": "GradNorm_GIN", **row, "encoder": "gin", "balancing": "gradnorm"},
            {"label": "DWA_released", **row, "balancing": "dwa", "balancing_options": {"form": "released"}},
            {"label": "LBTW_released", **row, "balancing": "lbtw", "balancing_options": {"form": "released"}},
        ],
    )


def relations() -> Study:
    """Methods that read the relation graph, each noise of the contrast, and those beside them, on graphs."""
    energy = {"method": "sgnn_ebm", "encoder": "fingerprint_mlp"}
    short = {"burn_in": 1, "sweeps": 3}
    adaptive = {
        **short,
        "noise": "adaptive",
        "noise_every": 1,
        "objective": "untilted",
        "imputation": "noise",
    }
    gibbs = {**short, "noise": "gibbs", "imputation": "thresholded", "marginals": "last"}
    uniform = {**short, "gibbs": "released", "marginals": "labels", "paired": False}
    pna = {"model": "PNA", "width": 16, "layers": 2}
    gcn = {"encoder": "gcn", "encoder_options": {"width": 8, "layers": 2}, "training": {"epochs": 1}}
    return _planted(
        "Relations",
        [
            {"label": "STL", "method": "single_task", "encoder": "fingerprint_mlp", "parts": 2},
            {"label": "MTL", "method": "shared_bottom", "encoder": "fingerprint_mlp"},
            {"label": "MTL_GIN", "method": "shared_bottom", "encoder": "gin"},
            {"label": "MTL_SAGE", "method": "shared_bottom", "encoder": "graphsage"},
            {"label": "MTL_PyG", "method": "shared_bottom", "encoder": "pyg", "encoder_options": pna},
            {"label": "MITTEN", "method": "mitten", **gcn},
            {"label": "CrossStitch", "method": "cross_stitch", **gcn},
            {"label": "MMoE", "method": "mmoe", **gcn},
            {"label": "PLE", "method": "cgc", **gcn, "options": {"progressive": True}},
            {"label": "DSelect", "method": "dselect_k", "encoder": "fingerprint_mlp"},
            {"label": "SGNN", "method": "sgnn", "encoder": "fingerprint_mlp"},
            {"label": "SGNN_GIN", "method": "sgnn", "encoder": "gin", "graph": "shuffled"},
            {"label": "EBM_fixed", **energy, "prior": "MTL", "options": {**short, "noise_samples": 2}},
            {"label": "EBM_adaptive", **energy, "prior": "SGNN", "options": adaptive},
            {"label": "EBM_gibbs", **energy, "prior": "MTL", "options": gibbs},
            {"label": "EBM_uniform", **energy, "encoder": "gin", "graph": "shuffled", "options": uniform},
        ],
    )


def table() -> Study:
    """A table of one's own: methods without a network, those that are told labels, and imputation."""
    unseen = {"unseen": 0.4, "shots": 16}
    sage = {"encoder": "graphsage"}
    return {
        **_study("Table", {"mine": TABLE}, {"assays": {"source": "mine"}}, "random"),
        "methods": [
            {"label": "RF", "method": "random_forest"},
            {"label": "GB", "method": "gradient_boosting"},
            {"label": "PairwiseKernel", "method": "pairwise_kernel"},
            {"label": "STL_GIN", "method": "single_task", "encoder": "gin"},
            {"label": "MTL", "method": "shared_bottom", **sage, "training": {"schedule": "cosine"}},
            {"label": "ACS", "method": "acs", "encoder": "gin"},
            {
                "label": "GIN_bf16",
                "method": "shared_bottom",
                "encoder": "gin",
                "training": {"precision": "bf16"},
            },
            {"label": "MetaLink", "method": "metalink", **sage, "options": {"known_ratio": 0.5}},
            {"label": "Standard", "method": "metalink", **sage, "options": {"setting": "standard"}},
            {
                "label": "Meta",
                "method": "metalink",
                **sage,
                "options": {"setting": "meta", **unseen},
            },
            {
                **{"label": "Relational_meta", "method": "metalink", "encoder": "fingerprint_mlp"},
                "options": {"setting": "relational_meta", **unseen, "predictor": "mlp"},
            },
            {"label": "Baseline_pp", "method": "baseline_pp", **sage, "options": unseen},
            {"label": "LabelMean", "method": "label_mean", "options": {"known_ratio": 0.5}},
            {"label": "MF", "method": "matrix_factorisation", "options": {"known_ratio": 0.5, "rank": 4}},
        ],
        "baseline": "MTL",
        "imputation": ["MetaLink", "MTL", "MF"],
        "scales": _scale([0, 1]),
    }


def cells() -> Study:
    """A split of cells instead of molecules, with imputation, and a training that stops early."""
    mlp = {"encoder": "fingerprint_mlp"}
    early = {"epochs": 30, "learning_rate": 0.1, "weight_decay": 0.001, "evaluate_every": 2, "patience": 1}
    return {
        **_study("Cells", {"mine": TABLE}, {"cell_assays": {"source": "mine"}}, "cells"),
        "methods": [
            {"label": "MTL", "method": "shared_bottom", **mlp, "training": early},
            {"label": "RF", "method": "random_forest"},
            {"label": "LabelMean", "method": "label_mean"},
            {"label": "MF", "method": "matrix_factorisation", "options": {"rank": 4}},
            {"label": "MetaLink", "method": "metalink", **mlp, "options": {"known_ratio": 0.5}},
        ],
        "baseline": "MTL",
        "imputation": ["MetaLink", "MF"],
        "scales": _scale([0]),
    }


def groups() -> Study:
    """Task sets side by side, their gains and estimates, rows of chosen groups, and an ensemble."""
    mlp = {"method": "shared_bottom", "encoder": "fingerprint_mlp"}
    tasks = list(ASSAYS[:4])
    dataset = {"source": "mine", "densify": {"tau": 1, "tasks": tasks}}
    sets = {"dataset": "four_assays", "method": "MTL", "tasks": tasks, "task_sets": {"select": "all"}}
    asked = {**sets, "method": "GIN", "task_sets": {"select": "active", "strategy": "MTG"}}
    return {
        **_study("Groups", {"mine": TABLE}, {"four_assays": dataset}, "random"),
        "methods": [
            {"label": "MTL", **mlp},
            {"label": "MTL_of_2", **mlp, "ensemble": 2},
            {"label": "GIN", **mlp, "encoder": "gin"},
            {"label": "Groups", **mlp, "groups": {"gains": ["all_sets"], "budget": 2, "strategy": "Oracle"}},
            {
                **{"label": "Asked", **mlp, "encoder": "gin"},
                "groups": {"gains": ["asked_sets"], "budget": 2, "strategy": "MTG"},
            },
        ],
        "baseline": "MTL",
        "grouping": {
            "gains": {"all_sets": sets, "asked_sets": asked},
            "strategies": [
                {"label": "Oracle", "estimator": "oracle", "gains": ["all_sets"]},
                {"label": "HOA", "estimator": "hoa", "gains": ["all_sets"]},
                {"label": "TAG", "estimator": "tag", "gains": ["all_sets"]},
                {"label": "MTG", "estimator": "mtg_net", "rounds": [1], "options": {"epochs": 20}},
                {"label": "Random", "estimator": "random", "gains": ["all_sets"]},
            ],
            "seeds": [0],
            "budgets": 3,
        },
        "scales": _scale([0]),
    }


def series() -> Study:
    """Forecasts, and gains of sets of series."""
    mlp = {"series": len(SERIES), "window": 12, "width": 16, "layers": 1}
    row = {"method": "forecaster", "encoder": "series_mlp", "encoder_options": mlp, "options": {"horizon": 6}}
    source = {"reader": "series", "path": "series.csv", "first": 500}
    sets = {"dataset": "waves", "method": "MTL", "tasks": list(SERIES), "task_sets": {"select": "all"}}
    return {
        **_study("Series", {"transformer": source}, {"waves": {"source": "transformer"}}, "chronological"),
        "methods": [{"label": "MTL", **row}, {"label": "MTL_of_2", **row, "ensemble": 2}],
        "baseline": "MTL",
        "metrics": ["mae"],
        "grouping": {
            "gains": {"series_sets": sets},
            "strategies": [{"label": "Oracle", "estimator": "oracle"}],
            "budgets": 2,
        },
        "scales": _scale([0]),
    }


def few_shot() -> Study:
    """Unseen classes of drawings, with and without layers over an episode."""
    source = {"reader": "omniglot", "path": "drawings", "image_size": 16}
    episodes = {"ways": 3, "shots": 2, "queries": 3, "evaluated": 20}
    row = {"method": "prototypes", "encoder": "resnet"}
    return {
        **_study(
            "Few-shot", {"drawn": source}, {"few": {"source": "drawn", "episodes": episodes}}, "grouped"
        ),
        "training": {**TRAINING, "epochs": 2, "batch_size": 4},
        "methods": [
            {"label": "Prototypes", **row, "options": {"episodes": 16, "pretraining": 1}},
            {"label": "Layers", **row, "options": {"episodes": 16, "layers": 1}},
        ],
        "baseline": "Prototypes",
        "metrics": ["accuracy"],
        "scales": _scale([0]),
    }


def images() -> Study:
    """Categories of photographs, with random crops and flips."""
    source = {"reader": "coco", "path": "photographs", "image_size": 32}
    row = {"encoder": "resnet"}
    return {
        **_study("Images", {"taken": source}, {"photographs": {"source": "taken"}}, "given"),
        "training": {**TRAINING, "epochs": 2, "augmentation": "crop_flip"},
        "methods": [
            {"label": "MTL", "method": "shared_bottom", **row},
            {"label": "STL", "method": "single_task", **row, "training": {"augmentation": "none"}},
            {"label": "MetaLink", "method": "metalink", **row, "options": {"known_ratio": 0.5}},
        ],
        "baseline": "MTL",
        "scales": _scale([0]),
    }


def texts() -> Study:
    """Short texts, and what their words tell; the vocabulary is of the training texts."""
    source = {"reader": "texts", "path": "reviews.csv"}
    row = {"encoder": "lstm"}
    return {
        **_study("Texts", {"written": source}, {"reviews": {"source": "written"}}, "random"),
        "methods": [
            {"label": "MTL", "method": "shared_bottom", **row},
            {"label": "STL", "method": "single_task", **row, "parts": 2},
            {"label": "MetaLink", "method": "metalink", **row, "options": {"known_ratio": 0.5}},
        ],
        "baseline": "MTL",
        "scales": _scale([0]),
    }


def nodes() -> Study:
    """Nodes of one graph, read whole in each step."""
    source = {"reader": "node_table", "path": "members.csv", "edges_path": "friends.csv"}
    row = {"encoder": "node_gcn", "encoder_options": {"width": 8}, "training": {"batch_size": 80}}
    identity = {"features": "identity", "width": 8}
    return {
        **_study("Nodes", {"club": source}, {"members": {"source": "club"}}, "random"),
        "methods": [
            {"label": "MTL", "method": "shared_bottom", **row},
            {"label": "STL", "method": "single_task", **row, "encoder_options": identity, "parts": 2},
            {"label": "MITTEN", "method": "mitten", **row, "options": {"own": False}},
        ],
        "baseline": "MTL",
        "scales": _scale([0]),
    }


def levels() -> Study:
    """Molecules, their atoms and pairs of atoms: SAME and what it is measured against."""
    source = {**TABLE, "reader": "molecule_parts", "links": 0.3}
    row = {"encoder": "residual_gcn", "encoder_options": {"width": 16}, "training": {"batch_size": 16}}
    return {
        **_study("Levels", {"taken_apart": source}, {"parts": {"source": "taken_apart"}}, "random"),
        "methods": [
            {"label": "iSAME", "method": "same", **row},
            {
                "label": "eSAME",
                "method": "same",
                **row,
                "options": {"adapts": "heads", "trains": "graph_node"},
            },
            {"label": "Joint", "method": "joint", **row, "options": {"finetuning": 0.4}},
            {"label": "Untrained", "method": "untrained", **row},
            {"label": "Attributes", "method": "attributes"},
            {"label": "MTL", "method": "shared_bottom", **row},
        ],
        "baseline": "Joint",
        "metrics": ["accuracy", "roc_auc"],
        "scales": _scale([0]),
    }


STUDIES: tuple[Callable[[], Study], ...] = (
    *(balancing, relations, table, cells),
    *(groups, series, few_shot, images, texts, nodes, levels),
)


def named_in(makes: Collection[Callable[[], Study]]) -> set[str]:
    """Return the names of all methods and encoders of the rows of studies."""
    rows = [row for make in makes for row in make()["methods"]]
    return {row[key] for row in rows for key in ("method", "encoder") if key in row}


def without(make: Callable[[], Study], unknown: Collection[str]) -> Callable[[], Study]:
    """Return a function of the same name: its study has no rows and options of these methods and encoders."""

    @wraps(make)
    def made() -> Study:
        study = make()
        rows = [row for row in study["methods"] if not {row["method"], row.get("encoder")} & {*unknown}]
        scales = {name: _known(scale, unknown) for name, scale in study["scales"].items()}
        return {**study, "methods": rows, "scales": scales}

    return made


def _known(scale: dict[str, Any], unknown: Collection[str]) -> dict[str, Any]:
    """Return a scale without the options of these methods and encoders."""
    kept = {
        kind: {name: options for name, options in scale.get(kind, {}).items() if name not in unknown}
        for kind in ("encoders", "methods")
    }
    return {**scale, **kept}


def in_words_of(root: Path, study: Study) -> Study:
    """Return the study with the names of keys that the source tree `root` knows."""
    known = set(re.findall(r"^\| `(\w+)` \|", (root / "config" / "README.md").read_text(), re.MULTILINE))
    later = {old: new for old, new in RENAMED.items() if new in known}

    def renamed(part: Any) -> Any:
        if isinstance(part, dict):
            return {later.get(key, key): renamed(value) for key, value in part.items()}
        return [renamed(value) for value in part] if isinstance(part, list) else part

    changed: Study = renamed(study)
    return changed


def _study(title: str, sources: Study, datasets: Study, scheme: str) -> Study:
    """Return what every study has; a fifth each is for validation and test."""
    return {
        "title": f"Parity: {title}",
        "sources": sources,
        "datasets": datasets,
        "splits": {"schemes": [scheme], "fractions": [0.6, 0.2, 0.2]},
        "training": TRAINING,
    }


def _planted(title: str, methods: list[Study]) -> Study:
    """Return a study of a few related tasks of the planted data."""
    dataset = {
        "source": "planted",
        "relations": {"source": "planted", "channel": "experimental"},
        "densify": {"tau": 1, "tasks": PLANTED},
    }
    return {
        **_study(title, {"planted": {"reader": "planted"}}, {"planted_few": dataset}, "stratified"),
        "methods": methods,
        "baseline": "MTL" if any(row["label"] == "MTL" for row in methods) else methods[0]["label"],
        "scales": _scale([0]),
    }


def _scale(seeds: list[int]) -> Study:
    """Return the only scale of a study."""
    return {"quick": {"seeds": seeds, "encoders": ENCODERS, "methods": METHODS, "reduced": ["a comparison"]}}
