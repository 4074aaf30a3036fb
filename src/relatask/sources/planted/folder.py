"""The planted data: molecules, assays and protein interactions made by the project, with known truth."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.files import write_json, write_text
from relatask.sources.planted.labels import (
    ASSAY_NOISE,
    CLIFF_NOISE,
    FAMILY_PART,
    PlantedLabels,
    make_labels,
)
from relatask.sources.planted.links import (
    Pair,
    draw_links,
    experimental_pairs,
    kin_pairs,
    links_text,
    string_id,
    uniprot_id,
)
from relatask.sources.planted.molecules import PlantedMolecules, make_molecules

LEAST_MOLECULES = 100


def plant(
    folder: Path,
    seed: int,
    n_molecules: int,
    family_part: float = FAMILY_PART,
    wrong_links: float | None = None,
    unrelated: bool = False,
) -> dict[str, Any]:
    """Write molecules.csv, tasks.csv, string_links.txt and truth.json to `folder`; return the truth.

    The same arguments give the same bytes. No method is called here: the truth is drawn first, and
    interactions follow the proteins' true similarity with some pairs missing and some spurious.

    Args:
        folder: of the files.
        seed: of everything drawn. Truths of one seed differ in nothing but the arguments that follow.
        n_molecules: how many molecules.
        family_part: part of the variance of activity that a family's proteins share, see `make_labels`.
        wrong_links: share of the related pairs whose interaction is given to strangers, see `draw_links`.
        unrelated: the negative control: interactions are true of proteins and say nothing of labels.

    Raises:
        RelataskError: too few molecules for the assays, more than the building blocks give, or a share that
            is not from 0 to 1.
    """
    import numpy as np

    if n_molecules < LEAST_MOLECULES:
        raise RelataskError(
            f"--molecules {n_molecules}: the planted assays need at least {LEAST_MOLECULES} molecules."
        )
    for name, share in {"family-part": family_part, "wrong-links": wrong_links}.items():
        if share is not None and not 0 <= share <= 1:
            raise RelataskError(f"--{name} {share}: a share is from 0 to 1.")
    streams = [np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(3)]
    molecules = make_molecules(n_molecules, streams[0])
    planted = make_labels(molecules, streams[1], family_part, unrelated)
    links = draw_links(planted, streams[2], wrong_links, unrelated)
    truth = _truth(planted, links, seed, unrelated)
    write_text(folder / "molecules.csv", _molecules_csv(molecules, planted))
    write_text(folder / "tasks.csv", _tasks_csv(planted))
    write_text(folder / "string_links.txt", links_text(links))
    write_json(folder / "truth.json", truth)
    return truth


def _molecules_csv(molecules: PlantedMolecules, planted: PlantedLabels) -> str:
    """Return SMILES x tasks; an empty cell was not measured."""
    cell = {0.0: "0", 1.0: "1"}
    lines = [",".join(["smiles", *(task.name for task in planted.tasks)])]
    for smiles, row in zip(molecules.smiles, planted.labels.tolist(), strict=True):
        lines.append(",".join([smiles, *(cell.get(value, "") for value in row)]))
    return "\n".join(lines) + "\n"


def _tasks_csv(planted: PlantedLabels) -> str:
    """Return the task sheet: task, accession and STRING id of its protein."""
    rows = [f"{task.name},{uniprot_id(task.protein)},{string_id(task.protein)}" for task in planted.tasks]
    return "\n".join(["task,uniprot,string_id", *rows]) + "\n"


def _truth(
    planted: PlantedLabels, links: dict[Pair, list[int]], seed: int, unrelated: bool
) -> dict[str, Any]:
    """Return what is true: families, rules, noise, similarity of tasks, and where the table is wrong."""
    import numpy as np

    measured = ~np.isnan(planted.labels)
    listed = experimental_pairs(links)
    families: dict[str, list[str]] = {}
    for task in planted.tasks:
        members = families.setdefault(f"F{task.family + 1}", [])
        members += [string_id(task.protein)] * (string_id(task.protein) not in members)
    return {
        "seed": seed,
        "molecules": len(planted.labels),
        "families": families,
        "tasks": [
            {
                "task": task.name,
                "family": f"F{task.family + 1}",
                "string_id": string_id(task.protein),
                "labels": task.labels,
                "positive_rate": task.positive_rate,
            }
            for task in planted.tasks
        ],
        "parts": planted.parts,
        **({"labels_follow_families": False} if unrelated else {}),
        "noise": {
            "family": CLIFF_NOISE,
            "assay": ASSAY_NOISE,
            "flipped_labels": round(float(planted.flipped[measured].mean()), 4),
        },
        "missing_share": round(float(1 - measured.mean()), 4),
        "rules": planted.rules,
        "missing_interactions": _named(kin_pairs() - listed),
        "spurious_interactions": _named(listed - kin_pairs()),
        "task_similarity": np.corrcoef(planted.activity.T).round(4).tolist(),
    }


def _named(pairs: Iterable[Pair]) -> list[list[str]]:
    """Return protein pairs by their STRING ids, sorted."""
    return [[string_id(a), string_id(b)] for a, b in sorted(pairs)]
