"""Whether two commits give the same numbers: a ruler for changes that shall change none.

    python -m benchmarks.parity HEAD~3 HEAD
    python -m benchmarks.parity HEAD .              # the working tree, as it is
    python -m benchmarks.parity HEAD . --study table --study cells

It trains the small runs of parity_studies.py at both, on this machine, and compares predictions, histories,
metrics, gains, estimates, groups and imputed labels cell by cell. A run is known by what it is (label, data
set, split, seed, tasks), not by its id. The exit status is 1 when a cell differs or is on one side alone.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.parity_sides import fingerprint, names_of, resolve, train
from benchmarks.parity_studies import STUDIES, named_in, without

RENAMED = {"mol_id": "item_id"}  # columns that had another name once
RUN = ["dataset", "split", "seed", "collection", "tasks"]  # what a run is, besides its label
CELL = ["fold", "item_id", "task_id"]
CHOICE = ["strategy", "rounds", "seed"]
UNPLANNED = "not in the plan"
ONE_SIDED = float("inf")  # the difference of a cell that only one side has


@dataclass(frozen=True)
class Form:
    """Which columns of a table name a cell, and which are compared; others, such as seconds, are not."""

    keys: list[str]
    values: list[str]


OF_RUNS = {
    "predictions": Form(CELL, ["label", "score"]),
    "known_labels": Form(CELL, ["predicted_in", "known_in"]),
    "history": Form(["task_id", "epoch"], ["train_loss", "valid_metric"]),
    "metrics": Form(["task_id", "fold", "metric"], ["value", "n", "n_pos", "reason"]),
}
OTHERS = {
    "gains": Form(["task_set", "task_id", "seed", "fold", "metric"], ["alone", "together", "gain"]),
    "affinities": Form(["task_id", "partner"], ["affinity"]),
    "estimates": Form([*CHOICE, "task_set", "task_id"], ["estimate", "trained"]),
    "groups": Form(
        [*CHOICE, "budget", "group", "task_id"],
        ["task_set", "serves", "estimate", "valid_gain", "test_gain"],
    ),
    "groupings": Form([*CHOICE, "budget"], ["n_groups", "n_trained", "estimate", "valid_gain", "test_gain"]),
    "imputed": Form(["item_id", "task_id"], ["score", "spread", "n_known"]),
}


def read(path: Path) -> pd.DataFrame:
    """Return a table with today's names of columns; a task set is named by its tasks."""
    frame = pd.read_parquet(path).rename(columns=RENAMED)
    if "task_set_id" in frame:
        tasks = frame.astype({"task_id": str}).groupby("task_set_id", observed=True)["task_id"]
        names = tasks.agg(lambda own: " ".join(sorted(set(own))))
        frame["task_set"] = frame["task_set_id"].astype(str).map(names.rename(index=str))
    return frame


def planned_runs(folder: Path) -> pd.DataFrame:
    """Return row and name of each run, by run_id, from the plan and from what strategies asked for."""
    paths = [folder / "plan.parquet", *sorted((folder / "selected").rglob("*.parquet"))]
    plan = pd.concat([pd.read_parquet(path) for path in paths]).drop_duplicates("run_id")
    plan["tasks"] = [json.dumps(_parsed(tasks), sort_keys=True) for tasks in plan["tasks"]]
    name = plan[RUN].astype(object).fillna("").astype(str).agg(" | ".join, axis=1)
    return pd.DataFrame({"row": plan["label"], "run": name}).set_index(plan["run_id"])


def _parsed(tasks: str) -> object:
    """Return the content of JSON, or a text that is none."""
    try:
        return json.loads(tasks)
    except ValueError:
        return tasks


def tables_of(folder: Path) -> dict[str, pd.DataFrame]:
    """Return name -> a table of all cells that a study published, with the columns row and keys."""
    runs = planned_runs(folder)
    parts: dict[str, list[pd.DataFrame]] = {"runs": [runs.assign(planned=1)]}
    for path in sorted(folder.rglob("*.parquet")):
        place = path.relative_to(folder).with_suffix("")
        if path.stem in OF_RUNS:
            named = with_runs(read(path), runs)
            if place.parts[0] == "runs":  # what rows are combined from is in no plan
                named = named[named["row"] != UNPLANNED]
            parts.setdefault(path.stem, []).append(named)
        elif place.parts[0] in OTHERS:
            parts.setdefault(place.parts[0], []).append(read(path).assign(row=str(place)))
    return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}


def with_runs(frame: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return a table with row and run in the place of run_id."""
    named = runs.reindex(frame["run_id"].astype(str)).fillna(UNPLANNED)
    return frame.assign(row=named["row"].to_numpy(), run=named["run"].to_numpy())


def form_of(name: str) -> Form:
    """Return the form of a table."""
    if name == "runs":
        return Form(["row", "run"], ["planned"])
    if name in OF_RUNS:
        return Form(["row", "run", *OF_RUNS[name].keys], OF_RUNS[name].values)
    return Form(["row", *OTHERS[name].keys], OTHERS[name].values)


def comparable(frame: pd.DataFrame, form: Form) -> pd.DataFrame:
    """Return the columns of a form as numbers or texts, and `copy`, which counts rows of equal keys."""
    found = pd.DataFrame(index=frame.index)
    for column in [*form.keys, *form.values]:
        if column in frame:
            given = frame[column]
            number = pd.api.types.is_numeric_dtype(given)  # so are truth values
            found[column] = given.astype("float64") if number else given.astype(object).fillna("").astype(str)
    keys = [column for column in form.keys if column in found]
    found["copy"] = found.groupby(keys, dropna=False, sort=False).cumcount()
    return found


def compare(a: pd.DataFrame, b: pd.DataFrame, form: Form, tolerance: float = 0.0) -> pd.DataFrame:
    """Return row -> how many cells there are, how many differ, and by how much at most.

    Args:
        a: a table of the first side.
        b: the same of the second.
        form: of the table.
        tolerance: the greatest difference that passes for none.

    Raises:
        SystemExit: a column is on neither side, so that it must have got another name.
    """
    left, right = comparable(a, form), comparable(b, form)
    if lost := {*form.keys, *form.values} - {*left, *right}:
        raise SystemExit(f"No side has the column {min(lost)!r}; edit the forms of tables in {__file__}.")
    keys = [key for key in [*form.keys, "copy"] if key in left and key in right]
    both = left.merge(right, on=keys, how="outer", suffixes=("_a", "_b"), indicator="side")
    there = both["side"] == "both"
    found = []
    for value in form.values:
        if value in left and value in right:
            differs, size = _differences(both[f"{value}_a"], both[f"{value}_b"], tolerance)
        else:
            differs, size = pd.Series(True, both.index), pd.Series(ONE_SIDED, both.index)
        cells = pd.DataFrame({"row": both["row"], "cells": 1, "different": differs | ~there})
        cells["largest"] = size.where(there, ONE_SIDED).where(cells["different"], 0.0)
        found.append(cells)
    return pd.concat(found).groupby("row").agg({"cells": "sum", "different": "sum", "largest": "max"})


def _differences(a: pd.Series, b: pd.Series, tolerance: float) -> tuple[pd.Series, pd.Series]:
    """Return which cells differ, and by how much; null equals null, and texts differ infinitely."""
    same = (a == b) | (a.isna() & b.isna())
    size = pd.Series(ONE_SIDED, a.index)
    if pd.api.types.is_numeric_dtype(a) and pd.api.types.is_numeric_dtype(b):
        size = (a - b).abs().fillna(ONE_SIDED)
        same |= size <= tolerance
    return ~same, size.where(~same, 0.0)


def compare_studies(a: Path, b: Path, tolerance: float = 0.0) -> pd.DataFrame:
    """Return what `compare` says of each table of a study, with the columns row and table."""
    left, right = tables_of(a), tables_of(b)
    found = []
    for name in dict.fromkeys([*left, *right]):
        own = left.get(name, right.get(name, pd.DataFrame()).iloc[:0])
        other = right.get(name, own.iloc[:0])
        found.append(compare(own, other, form_of(name), tolerance).reset_index().assign(table=name))
    return pd.concat(found, ignore_index=True)


def report(study: str, found: pd.DataFrame) -> None:
    """Print a line for each row of a study, with the tables in which it differs."""
    for row, tables in found.groupby("row", sort=False):
        wrong = tables[tables["different"] > 0]
        size = f"{tables['largest'].max():.3g}" if len(wrong) else "0"
        where = ", ".join(f"{one.table} {one.different:,}" for one in wrong.itertuples())
        counts = f"{tables['cells'].sum():>10,} {tables['different'].sum():>10,} {size:>10}"
        print(f"{study:10} {row!s:34} {counts}  {where}".rstrip())


def compare_sides(a: Path, b: Path, studies: Sequence[str], tolerance: float) -> pd.DataFrame:
    """Compare and report study by study, and return what was found."""
    print(f"{'study':10} {'row':34} {'cells':>10} {'different':>10} {'largest':>10}  where")
    tables = []
    for name in studies:
        tables.append(compare_studies(a / name, b / name, tolerance))
        report(name, tables[-1])
    return pd.concat(tables)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("a", help="a commit, or . for the working tree")
    parser.add_argument("b", help="another")
    parser.add_argument("--study", action="append", choices=[make.__name__ for make in STUDIES])
    parser.add_argument("--tolerance", type=float, default=0.0, help="greatest difference that is none")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    default = Path(tempfile.gettempdir()) / "relatask-parity"
    parser.add_argument("--cache", type=Path, default=default, help="folder of results of commits")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Train both sides, print what differs, and return the exit status."""
    asked, start = arguments(given), time.perf_counter()
    a, b = resolve(asked.a), resolve(asked.b)
    one_sided = named_in(STUDIES) & {
        name for kind in ("methods", "encoders") for name in names_of(a, kind) ^ names_of(b, kind)
    }
    if one_sided:
        print(f"Not compared, because one side lacks them: rows of {', '.join(sorted(one_sided))}")
    makes = [make for make in STUDIES if not asked.study or make.__name__ in asked.study]
    makes = [without(make, one_sided) for make in makes]
    makes = [make for make in makes if make()["methods"]]
    with tempfile.TemporaryDirectory(prefix="parity-results-") as scratch:
        folders = []
        for place, side in enumerate((a, b)):
            # A commit beside itself is trained again, which says whether training repeats itself.
            kept = side.commit is not None and (place == 0 or side.commit != a.commit)
            name = f"{side.commit}-{fingerprint(asked.device, one_sided)}" if kept else str(place)
            folders.append((asked.cache if kept else Path(scratch)) / name)
            train(side, makes, asked.device, folders[-1])
        every = compare_sides(folders[0], folders[1], [make.__name__ for make in makes], asked.tolerance)
    wrong, cells = int(every["different"].sum()), int(every["cells"].sum())
    counts = every.groupby("table", sort=False)["cells"].sum()
    print("Cells of", ", ".join(f"{name} {count:,}" for name, count in counts.items() if name != "runs"))
    verdict = f"differ in {wrong:,} of {cells:,} cells" if wrong else f"are the same in all {cells:,} cells"
    minutes = (time.perf_counter() - start) / 60
    print(f"{asked.a} and {asked.b} {verdict} of {counts['runs']} runs, in {minutes:.1f} minutes.")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
