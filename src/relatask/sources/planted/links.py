"""The planted interaction table: STRING's channels for proteins whose true similarity is known."""

from functools import lru_cache
from typing import TYPE_CHECKING

from relatask.sources.planted.labels import FAMILIES, PROTEINS_PER_FAMILY, PlantedLabels

if TYPE_CHECKING:
    import numpy as np

Pair = tuple[int, int]  # protein numbers, the lower first
MISSING_EDGES, SPURIOUS_EDGES = 4, 6  # protein pairs where the interaction table is wrong
ALIKE = (0.7, 0.95)  # similarity of a family's proteins where labels do not tell it
CHANNELS = "neighborhood fusion cooccurence coexpression experimental database textmining".split()  # noqa: SIM905
PRIOR = 0.041  # chance that STRING takes out of each channel before combining them
LEAST_SCORE = 150  # STRING lists no pair with a lower combined score


def uniprot_id(protein: int) -> str:
    """Return an accession of valid form that the planted data use for protein number `protein`."""
    return f"Q0RT{protein + 1:02d}"


def string_id(protein: int) -> str:
    """Return a STRING id of valid form in a range that Ensembl does not use."""
    return f"9606.ENSP09{protein + 1:09d}"


def _protein_similarity(planted: PlantedLabels) -> "np.ndarray":
    """Return the correlation [P, P] of the proteins' true activities."""
    import numpy as np

    owner = np.array([task.protein for task in planted.tasks])
    count = FAMILIES * PROTEINS_PER_FAMILY
    means = np.column_stack([planted.activity[:, owner == protein].mean(axis=1) for protein in range(count)])
    return np.corrcoef(means.T)


def draw_links(
    planted: PlantedLabels,
    rng: "np.random.Generator",
    wrong: float | None = None,
    unrelated: bool = False,
) -> dict[Pair, list[int]]:
    """Draw the scores (0-1000: CHANNELS, then combined) of the protein pairs a < b that the table lists.

    Args:
        planted: the labels and their truth.
        rng: of all draws.
        wrong: share of the related pairs that lose their experimental score to as many unrelated ones, from 0
            to 1; None: `MISSING_EDGES` and `SPURIOUS_EDGES`.
        unrelated: labels do not follow the families; scores are then those of proteins that are alike.
    """
    import numpy as np

    similarity = _protein_similarity(planted)
    count = len(similarity)
    related = sorted(kin_pairs())
    strangers = [(a, b) for a in range(count) for b in range(a + 1, count) if (a, b) not in kin_pairs()]
    moved = None if wrong is None else round(wrong * len(related))
    n_missing, n_spurious = (MISSING_EDGES, SPURIOUS_EDGES) if moved is None else (moved, moved)
    missing = {related[index] for index in rng.choice(len(related), n_missing, replace=False)}
    spurious = {strangers[index] for index in rng.choice(len(strangers), n_spurious, replace=False)}
    if unrelated:
        for pair in related:
            similarity[pair] = rng.uniform(*ALIKE)
    links = {}
    for pair in sorted([*related, *strangers]):
        scores = dict.fromkeys(CHANNELS, 0)
        if pair in kin_pairs():
            scores["textmining"] = int(rng.integers(150, 800))
            scores["coexpression"] = int(rng.integers(0, 250))
            scores["database"] = int(rng.choice([0, 0, 540, 720]))
            expected = 1000 * (0.2 + 0.8 * similarity[pair]) + rng.normal(0, 60)
            scores["experimental"] = 0 if pair in missing else int(np.clip(expected, 300, 990))
        else:
            scores["textmining"] = int(rng.integers(0, 300))
            scores["experimental"] = int(rng.integers(160, 500)) if pair in spurious else 0
        row = list(scores.values())
        if (combined := _combine(row)) >= LEAST_SCORE:
            links[pair] = [*row, combined]
    return links


def _combine(scores: list[int]) -> int:
    """Return STRING's combined score of the channels (von Mering et al. 2005), all 0-1000."""
    unlikely = 1.0
    for score in scores:
        unlikely *= 1 - max(score / 1000 - PRIOR, 0) / (1 - PRIOR)
    return int(1000 * ((1 - unlikely) * (1 - PRIOR) + PRIOR))


@lru_cache
def kin_pairs() -> frozenset[Pair]:
    """Return the protein pairs of one family."""
    proteins = range(FAMILIES * PROTEINS_PER_FAMILY)
    return frozenset(
        (a, b)
        for a in proteins
        for b in proteins
        if a < b and a // PROTEINS_PER_FAMILY == b // PROTEINS_PER_FAMILY
    )


def experimental_pairs(links: dict[Pair, list[int]]) -> set[Pair]:
    """Return the pairs with an experimental score."""
    return {pair for pair, scores in links.items() if scores[CHANNELS.index("experimental")]}


def links_text(links: dict[Pair, list[int]]) -> str:
    """Return the pairs as STRING's protein.links.detailed file: each in both directions, sorted."""
    both = links | {(b, a): scores for (a, b), scores in links.items()}
    rows = [
        " ".join([string_id(a), string_id(b), *map(str, scores)]) for (a, b), scores in sorted(both.items())
    ]
    return "\n".join([" ".join(["protein1", "protein2", *CHANNELS, "combined_score"]), *rows]) + "\n"
