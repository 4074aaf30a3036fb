"""The study of a table of a user's own: rows, folds and epochs by its size, and the text of its file."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from relatask.commands._table import OwnTable
from relatask.config import StudyConfig, parse
from relatask.config.study import KIND_SAID
from relatask.core.errors import RelataskError
from relatask.core.kinds import DEFAULT_METRICS, KINDS, Kind
from relatask.core.layout import WORKFLOW_FOLDERS
from relatask.core.registry import capabilities
from relatask.plan.plan import plan_runs, planned_minutes

# Of one core that training may take as predicted, so that two cores need ten for all of it.
MINUTES = 14.0
FOLDS = 5
LEAST_MOLECULES = 10
PAIRS = 3e8  # of molecules whose similarities the kernel may hold
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./ -]*[A-Za-z0-9_]|[A-Za-z]")  # needs no quotation marks in YAML
WIDTH = 100  # characters of a line


@dataclass(frozen=True)
class Row:
    """A row of the tables and what it is, for the comment beside it."""

    label: str
    method: str
    said: str
    encoder: str | None = None


FOREST = Row("RF", "random_forest", "a random forest for each task")
ALONE = Row("MLP_alone", "single_task", "a network on fingerprints for each task", "fingerprint_mlp")
SHARED = Row("MLP_shared", "shared_bottom", "one network on fingerprints for all tasks", "fingerprint_mlp")
GRAPHS = Row("GIN_shared", "shared_bottom", "one network on molecular graphs for all tasks", "gin")
KERNEL = Row("Kernel", "pairwise_kernel", "kernel ridge regression on molecules x tasks")
# Of a table with one task.
SINGLE = {
    FOREST: replace(FOREST, said="a random forest"),
    SHARED: replace(SHARED, label="MLP", said="a network on fingerprints"),
    GRAPHS: replace(GRAPHS, label="GIN", said="a network on molecular graphs"),
    KERNEL: replace(KERNEL, said="kernel ridge regression"),
}


@dataclass(frozen=True)
class Spending:
    """How much is spent: the rows, so many of the folds, epochs and trees."""

    rows: tuple[Row, ...]
    folds: int
    epochs: int
    trees: int


ALL = (FOREST, ALONE, SHARED, GRAPHS, KERNEL)
# The first that is predicted to take at most MINUTES is taken, else the last.
SPENDINGS = (
    Spending(ALL, 5, 60, 300),
    Spending(ALL, 5, 30, 100),
    Spending(ALL, 3, 30, 100),
    Spending((FOREST, ALONE, SHARED, GRAPHS), 3, 15, 100),
    Spending((FOREST, ALONE, SHARED), 3, 10, 50),
    Spending((FOREST, SHARED), 3, 10, 50),
    Spending((FOREST, SHARED), 2, 5, 20),
)


def study_name(path: Path) -> str:
    """Return the name of the study of a table: that of the file in letters, digits and _."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", path.name.split(".")[0]).strip("_")[:50] or "table"
    return f"{name}_study" if name in WORKFLOW_FOLDERS else name


def study_text(
    table: OwnTable,
    splits_file: Path | None = None,
    minutes: float | None = None,
    tiny: bool = False,
    trials: int | None = None,
) -> str:
    """Return the content of the study file that fits a table.

    Args:
        table: what the file holds.
        splits_file: which rows are in which fold, if wanted.
        minutes: of one core that training may be predicted to take, trials included; None: `MINUTES` without
            the trials, so that a search changes neither rows nor folds.
        tiny: as little as there can be, to try whether a file works.
        trials: by which the settings of each row are searched, if wanted.

    Raises:
        RelataskError: there are too few molecules.
    """
    if table.n_rows < LEAST_MOLECULES:
        raise RelataskError(
            f"{table.path} has {table.n_rows} rows, and {LEAST_MOLECULES} are needed to train and test on."
        )
    text = ""
    for spending in SPENDINGS if not tiny else [Spending((FOREST, ALONE, SHARED), 3, 3, 5)]:
        text = _text(table, spending, splits_file, trials)
        study = _read(text, table)
        counted = study if minutes is not None else study.model_copy(update={"search": None})
        if tiny or planned_minutes(plan_runs(counted, "quick"), counted) <= (minutes or MINUTES):
            break
    return text


def _read(text: str, table: OwnTable) -> StudyConfig:
    return parse(StudyConfig, yaml.safe_load(text), f"the study of {table.path}")


def _rows(table: OwnTable, spending: Spending) -> list[Row]:
    """Return the rows that learn labels of the kinds of a table and fit into memory."""
    kinds = set(table.tasks.values())
    rows = [row for row in spending.rows if kinds <= set(capabilities("methods", row.method).kinds)]
    if table.n_rows**2 > PAIRS:
        rows = [row for row in rows if row != KERNEL]
    if len(table.tasks) == 1:  # alone and shared are one
        rows = [SINGLE.get(row, row) for row in rows if row != ALONE]
    return rows


def _text(table: OwnTable, spending: Spending, splits_file: Path | None, trials: int | None) -> str:
    """Return the study file, with a comment wherever a reader may want another value."""
    name, rows = study_name(table.path), _rows(table, spending)
    counts = Counter(table.tasks.values())
    leading = max(KINDS, key=lambda kind: counts[kind])
    kinds = [leading, *(kind for kind in KINDS if counts[kind] and kind != leading)]
    others = {task: kind for task, kind in table.tasks.items() if kind != leading}
    labels_per_task = max(1, round(table.n_labels / len(table.tasks)))
    lines = [
        f"# {table.n_rows:,} rows, {_tasks_said(counts)}, {table.n_labels:,} cells with a value.",
        f"# Change what you like and run it: relatask train {name}.yaml",
        f"title: {_word(', '.join([table.path.name, *(path.name for path, _ in table.more)]))}",
        "",
        "sources:",
        f"  {name}:",
        f"    reader: {'measurements' if table.long else 'table'}",
        f"    path: {_one_or_list([str(table.path), *(str(path) for path, _ in table.more)])}",
        *_test_path(table),
        *(f"    {key}: {_word(value)}" for key, value in vars(table.reading).items() if value),
        f"    smiles_column: {_one_or_list(_smiles_columns(table))}",
        *([f"    id_column: {_word(table.id_column)}"] if table.id_column else []),
        *_tasks(table, leading, others),
        "    # All molecules stay, also small and large ones.",
        "    min_heavy_atoms: 1",
        "    min_weight: 0",
        "    max_weight: 100000",
        *(
            f"    # Left out: {_said(column)} ({_said(why)})"
            for column, why in (table.left_out or {}).items()
        ),
        "",
        "datasets:",
        f"  {name}:",
        f"    source: {name}",
        "    # Only for the prediction of time:",
        f"    size: {{items: {table.n_rows}, tasks: {len(table.tasks)}, labels_per_task: {labels_per_task}}}",
        "",
        *_splits(table, spending, splits_file),
        "",
        "methods:",
        *_methods(rows),
        *(_search(trials) if trials else []),
        "baseline: RF",
        *(["contrasts: [[MLP_shared, MLP_alone]]"] if ALONE in rows else []),
        f"metrics: [{', '.join(metric for kind in kinds for metric in DEFAULT_METRICS[kind])}]",
        "uncertainty: true  # a table and figures of how well calibrated probabilities and intervals hold",
        "",
        "scales:",
        "  quick:",
        f"    seeds: {list(range(spending.folds))}",
        *_settings(rows, spending),
    ]
    return "\n".join(lines) + "\n"


def _test_path(table: OwnTable) -> list[str]:
    said = "  # tested, never trained on"
    return [f"    test_path: {_word(str(table.tested[0]))}{said}"] if table.tested else []


def _smiles_columns(table: OwnTable) -> list[str]:
    files = [*table.more, *([table.tested] if table.tested else [])]
    return [table.smiles_column, *(column for _, column in files)]


def _tasks(table: OwnTable, leading: Kind, others: dict[str, Kind]) -> list[str]:
    """Return where labels stand and what they are."""
    values = f"    values: {leading}  # {KIND_SAID[leading]}"
    if table.long is None:
        kinds = [f"    kinds: {_mapping(others)}"] if others else []
        return [*_listed("    task_columns: ", table.tasks), values, *kinds, *_units(table)]
    named = ((key, column) for key, column in vars(table.long).items() if column)
    return [*(f"    {key}: {_word(column)}" for key, column in named), values, *_p_values(table, "true")]


def _units(table: OwnTable) -> list[str]:
    """Return the units that names of columns give, and which concentrations become p-values."""
    molar = table.concentrations
    as_they_are = {name: unit for name, unit in table.units.items() if not table.has_p_values(name)}
    lines = [f"    units: {_mapping(as_they_are)}"] if as_they_are else []
    return [*lines, *_p_values(table, _mapping(molar))]


def _p_values(table: OwnTable, said: str) -> list[str]:
    return [f"    p_values: {said}  # concentrations become -log10(mol/L)"] if table.p_values else []


def _tasks_said(counts: Counter[Kind]) -> str:
    total = sum(counts.values())
    parts = ", ".join(f"{counts[kind]} of {KIND_SAID[kind]}" for kind in KINDS if counts[kind])
    return f"{total} task{'s' if total != 1 else ''} ({parts})"


def _splits(table: OwnTable, spending: Spending, splits_file: Path | None) -> list[str]:
    if table.splits_column:
        return [
            "# The folds of your column: of numbers, seed s tests the s-th fold; words are the same for all",
            "# seeds, which then differ in random numbers, and in validation where your column names none.",
            f"splits: {{schemes: [column], column: {_word(table.splits_column)}}}",
        ]
    if table.tested:
        return [
            "# The test file is tested. Seeds differ in random numbers and in the molecules for validation.",
            "splits: {schemes: [given]}",
        ]
    if splits_file:
        return [
            "# The folds of your file; of several splits in it, seed s takes the s-th.",
            f"splits: {{schemes: [rows], path: {_word(str(splits_file))}}}",
        ]
    tested = "all of them" if spending.folds == FOLDS else f"{spending.folds} of them"
    return [
        f"# Cross-validation: seed s tests fold s of {FOLDS}, and {tested} are tested. Molecules unlike",
        "# those of training are harder to predict than a random fold says: schemes: [scaffold].",
        f"splits: {{schemes: [cross_validation], n_folds: {FOLDS}}}",
    ]


def _methods(rows: Sequence[Row]) -> list[str]:
    entries = []
    for row in rows:
        encoder = f", encoder: {row.encoder}" if row.encoder else ""
        entries.append((f"  - {{label: {row.label}, method: {row.method}{encoder}}}", row.said))
    width = max(len(entry) for entry, _ in entries)
    return [f"{entry:{width}}  # {said}" for entry, said in entries]


def _search(trials: int) -> list[str]:
    return [
        f"# Settings of each row are chosen in {trials} trials on the validation fold of each split:",
        "# docs/search.md.",
        f"search: {{trials: {trials}}}",
    ]


def _settings(rows: Sequence[Row], spending: Spending) -> list[str]:
    """Return what the rows are trained with, after the study moleculenet."""
    encoders = {row.encoder for row in rows if row.encoder}
    patience = max(3, spending.epochs // 4)
    training = f"epochs: {spending.epochs}, batch_size: 64, learning_rate: 0.002, patience: {patience}"
    sizes = {"fingerprint_mlp": "width: 256, layers: 1, dropout: 0.5", "gin": "width: 64, layers: 3"}
    return [
        f"    training: {{{training}}}",
        "    encoders:",
        *(f"      {name}: {{{size}}}" for name, size in sizes.items() if name in encoders),
        "    methods:",
        f"      random_forest: {{n_estimators: {spending.trees}}}",
    ]


def _quoted(text: str) -> str:
    """Return a text in quotation marks, as YAML reads it; what is no visible character is escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in quoted)


def _said(text: str) -> str:
    """Return a text for a comment, which ends with its line."""
    return text if text.isprintable() else _quoted(text)


def _word(text: str) -> str:
    """Return a text as YAML, also inside brackets."""
    plain = PLAIN.fullmatch(text) and isinstance(yaml.safe_load(text), str)
    return text if plain else _quoted(text)


def _one_or_list(texts: Sequence[str]) -> str:
    words = [_word(text) for text in dict.fromkeys(texts)]
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"


def _mapping(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_word(key)}: {_word(value)}" for key, value in values.items()) + "}"


def _listed(key: str, names: Iterable[str]) -> list[str]:
    """Return a list in brackets on as few lines as fit."""
    lines, line = [], f"{key}["
    words = [_word(name) for name in names]
    for place, word in enumerate(words):
        word += "]" if place == len(words) - 1 else ", "
        if len(line) + len(word.rstrip()) > WIDTH and not line.endswith("["):
            lines.append(line.rstrip())
            line = " " * (len(key) + 1)
        line += word
    return [*lines, line]
