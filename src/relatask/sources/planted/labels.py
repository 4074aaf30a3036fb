"""Labels of the planted data: activity rules that protein families share, noise, and who was measured."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from relatask.sources.planted.rules import PATTERNS, Rule, describe, draw_rule

if TYPE_CHECKING:
    import numpy as np

    from relatask.sources.planted.molecules import PlantedMolecules

FAMILIES, PROTEINS_PER_FAMILY = 6, 4
ASSAYS = ("binding", "cellular")  # of every protein
# parts of the variance of a molecule's activity in an assay
FAMILY_PART, PROTEIN_PART, ASSAY_PART = 0.85, 0.1, 0.05
CLIFF_NOISE = 0.35  # standard deviation of what a family's proteins share beyond the rules
ASSAY_NOISE = 0.5  # of one measurement; activity itself has 1
LABELLED_SHARE = 0.4
FEW_LABELS = (40, 80)  # of the tasks whose relatives have many
RARE_RATES, RATES = (0.05, 0.1), (0.15, 0.6)  # share of positives


@dataclass(frozen=True)
class PlantedTask:
    """One assay."""

    name: str
    family: int
    protein: int  # over all families
    assay: str  # one of ASSAYS
    labels: int  # how many molecules are measured
    positive_rate: float


@dataclass(frozen=True)
class PlantedLabels:
    """The label table and the truth behind it."""

    tasks: list[PlantedTask]
    labels: "np.ndarray"  # float64 [M, T]; 1, 0, NaN where not measured
    activity: "np.ndarray"  # float64 [M, T], without noise
    flipped: "np.ndarray"  # bool [M, T], measured labels that noise turned over
    rules: dict[str, Any]
    parts: dict[str, float]  # of the variance of activity: family, protein, assay


def make_labels(
    molecules: "PlantedMolecules",
    rng: "np.random.Generator",
    family_part: float = FAMILY_PART,
    unrelated: bool = False,
) -> PlantedLabels:
    """Draw rules, activities, noise and missingness.

    The activity of a molecule in an assay is a sum of the scores of its family's, its protein's and its
    own rule (variances `FAMILY_PART`, `PROTEIN_PART`, `ASSAY_PART`). A measurement adds noise that the
    family shares (activity cliffs) and noise of its own; the most active measured molecules are positive.

    Args:
        molecules: M of them.
        rng: of all draws.
        family_part: part of the variance that a family's proteins share, from 0 to 1; protein and assay have
            the rest, in the proportion of `PROTEIN_PART` and `ASSAY_PART`.
        unrelated: the negative control: labels follow families that part the proteins otherwise, so that no
            two proteins of one family share a rule; what is true of proteins says nothing of labels.
    """
    import numpy as np

    features = describe(molecules.smiles)
    tasks = _draw_tasks(len(molecules.smiles), rng)
    rules = _draw_rules(tasks, rng)
    scores = {name: rule.score(features) for name, rule in rules.items()}
    rest = (1 - family_part) / (1 - FAMILY_PART)  # exactly 1 for the default
    parts = {"family": family_part, "protein": rest * PROTEIN_PART, "assay": rest * ASSAY_PART}
    families = [_family_of_labels(task, unrelated) for task in tasks]
    activity = np.column_stack(
        [
            parts["family"] ** 0.5 * scores[f"F{family + 1}"]
            + parts["protein"] ** 0.5 * scores[task.name.split("_")[0]]
            + parts["assay"] ** 0.5 * scores[task.name]
            for task, family in zip(tasks, families, strict=True)
        ]
    )
    cliffs = rng.normal(0, CLIFF_NOISE, (len(features.patterns), FAMILIES))
    measured = activity + cliffs[:, families]
    measured += rng.normal(0, ASSAY_NOISE, activity.shape)
    labels = np.full(activity.shape, np.nan)
    flipped = np.zeros(activity.shape, dtype=bool)
    for column, rows in enumerate(_draw_measured(molecules, tasks, rng)):
        positives = round(tasks[column].positive_rate * len(rows))
        labels[rows, column] = _highest(measured[rows, column], positives)
        flipped[rows, column] = labels[rows, column] != _highest(activity[rows, column], positives)
    written = {name: asdict(rule) for name, rule in rules.items()}
    return PlantedLabels(tasks, labels, activity, flipped, written, parts)


def _family_of_labels(task: PlantedTask, unrelated: bool) -> int:
    """Whose rule the labels of a task follow: its family's, or that of one with no relative of the task."""
    member = task.protein % PROTEINS_PER_FAMILY
    return (task.family + member) % FAMILIES if unrelated else task.family


def _highest(values: "np.ndarray", count: int) -> "np.ndarray":
    """Return 1 for the `count` highest values, else 0."""
    import numpy as np

    chosen = np.zeros(len(values))
    chosen[np.argsort(-values, kind="stable")[:count]] = 1
    return chosen


def _draw_tasks(n_molecules: int, rng: "np.random.Generator") -> list[PlantedTask]:
    """Draw how many molecules each assay measures and how many of them are active.

    Two or three of a family's eight assays have few labels; the others fill up the labelled share.
    """
    import numpy as np

    per_family = PROTEINS_PER_FAMILY * len(ASSAYS)
    total = FAMILIES * per_family
    few = np.zeros(total, dtype=bool)
    for family in range(FAMILIES):
        few[family * per_family + rng.choice(per_family, 2 + family % 2, replace=False)] = True
    counts = np.minimum(rng.integers(FEW_LABELS[0], FEW_LABELS[1] + 1, total), n_molecules // 4)
    weights = rng.uniform(0.6, 1.4, (~few).sum())
    rest = LABELLED_SHARE * n_molecules * total - counts[few].sum()
    counts[~few] = np.rint(rest * weights / weights.sum()).astype(int)
    counts = np.minimum(counts, int(0.9 * n_molecules))
    rates = rng.uniform(*RATES, total)
    rates[few] = rng.uniform(0.25, 0.55, few.sum())
    rare = rng.choice(np.flatnonzero(~few), FAMILIES, replace=False)
    rates[rare] = rng.uniform(*RARE_RATES, len(rare))
    tasks = []
    for index in range(total):
        protein, assay = divmod(index, len(ASSAYS))
        family, member = divmod(protein, PROTEINS_PER_FAMILY)
        name = f"F{family + 1}P{member + 1}_{ASSAYS[assay]}"
        tasks.append(
            PlantedTask(name, family, protein, ASSAYS[assay], int(counts[index]), round(rates[index], 3))
        )
    return tasks


def _draw_rules(tasks: list[PlantedTask], rng: "np.random.Generator") -> dict[str, Rule]:
    """Draw a rule per family, protein and assay.

    Families have different substructures in favour, and each dislikes some that another one favours:
    what is learned from a stranger misleads.
    """
    names = list(PATTERNS)
    order = [names[index] for index in rng.permutation(len(names))]
    each = len(order) // FAMILIES
    rules: dict[str, Rule] = {}
    for family in range(FAMILIES):
        liked = order[each * family : each * (family + 1)]
        others = [name for name in order[: each * FAMILIES] if name not in liked]
        disliked = [others[index] for index in rng.choice(len(others), 3, replace=False)]
        rules[f"F{family + 1}"] = draw_rule(liked, disliked, rng)
    keys = dict.fromkeys(key for task in tasks for key in (task.name.split("_")[0], task.name))
    for key in keys:
        picked = [names[index] for index in rng.choice(len(names), 4, replace=False)]
        rules[key] = draw_rule(picked[:2], picked[2:], rng)
    return rules


def _draw_measured(
    molecules: "PlantedMolecules", tasks: list[PlantedTask], rng: "np.random.Generator"
) -> "list[np.ndarray]":
    """Return the rows that each task measures, ascending.

    A family's project works on some chemical series more than on others, and its assays take largely the
    same molecules; each assay also has a choice of its own.
    """
    import numpy as np

    series = {name: index for index, name in enumerate(dict.fromkeys(molecules.scaffold))}
    codes = np.array([series[name] for name in molecules.scaffold])
    preference = rng.normal(0, 0.8, (FAMILIES, len(series)))
    picked = rng.normal(0, 0.8, (FAMILIES, len(codes)))
    rows = []
    for task in tasks:
        key = preference[task.family, codes] + picked[task.family] + rng.gumbel(size=len(codes))
        rows.append(np.sort(np.argsort(-key, kind="stable")[: task.labels]))
    return rows
