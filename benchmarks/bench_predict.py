"""`relatask predict` of a long file: time, memory and what its steps cost; run by `make bench`.

    python -m benchmarks.bench_predict [--rows 1000000] [--chemprop PYTHON] [--figure FILE]

Models of 12 tasks with random labels are trained for an epoch on 20,000 molecules, as what is measured does
not depend on weights: an MLP on fingerprints and the GIN of 5 layers, 300 wide. Each is an ensemble of one
member, so that it also says the nearest training molecule. The file holds molecules of the mirror, each row
written in another order of atoms, so that no result is remembered. With a Python that has chemprop 2.3.1 and
its compiled featuriser (`pip install chemprop==2.3.1` in an environment of its own, since it pins another
RDKit), `chemprop predict` reads the same file by a network that was trained on the same table.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from rdkit import Chem, rdBase

import relatask
from benchmarks.bench_prepare import MIRROR
from benchmarks.children import Cost
from benchmarks.common import kept_or_scratch
from relatask.core.processes import usable_cores
from relatask.data.nearest import NearestKnown
from relatask.data.standardise import Limits, Molecule, standardise_all
from relatask.inputs.arrays import featurise
from relatask.models.ensemble_folder import write_ensemble

KNOWN = 20_000  # molecules to which the nearest one is searched
SIZES = (10_000, 30_000, 100_000)  # of the line of time against rows; --rows adds one
N_TASKS, TABLE = 12, "table.csv"
STUDY = """
title: Models to be timed
sources:
  table: {{reader: table, path: {table}, min_heavy_atoms: 1, min_weight: 0, max_weight: 100000}}
datasets:
  table: {{source: table, size: {{items: 25000, tasks: 12}}}}
splits: {{schemes: [random], fractions: [0.8, 0.1, 0.1]}}
training: {{epochs: 1, batch_size: 128}}
methods:
  - {{label: MLP, method: shared_bottom, encoder: fingerprint_mlp}}
  - {{label: GIN, method: shared_bottom, encoder: gin, encoder_options: {{width: 300, layers: 5}}}}
baseline: MLP
scales: {{quick: {{seeds: [0]}}}}
"""


def pool() -> pd.Series:
    """SMILES of real molecules."""
    pools = [
        pd.read_csv(MIRROR / "kinase200" / "kinase200.csv.gz", usecols=["SMILES"])["SMILES"],
        pd.read_csv(MIRROR / "chembl" / "chembl_5thresh_time_train_valid.csv.gz", usecols=["smiles"])[
            "smiles"
        ],
        pd.read_csv(MIRROR / "moleculenet" / "tox21.csv", usecols=["smiles"])["smiles"],
    ]
    return pd.concat(pools).drop_duplicates()


def molecules(rows: int) -> list[str]:
    """SMILES of real molecules, in random orders of their atoms."""
    texts = pool().sample(rows, replace=True, random_state=0)
    rdBase.SeedRandomNumberGenerator(0)
    with rdBase.BlockLogs():
        parsed = (Chem.MolFromSmiles(text) for text in texts)
        return [
            text if molecule is None else Chem.MolToSmiles(molecule, doRandom=True)
            for text, molecule in zip(texts, parsed, strict=True)
        ]


def models(folder: Path) -> dict[str, Path]:
    """Name -> folder of a model."""
    study, table = folder / "timed.yaml", folder / TABLE
    labels = np.random.default_rng(0).integers(0, 2, (KNOWN * 5 // 4, N_TASKS))
    frame = pd.DataFrame(labels, columns=[f"task_{n:02d}" for n in range(N_TASKS)])
    frame.insert(0, "smiles", pool().sample(len(labels), random_state=1).to_numpy())
    frame.to_csv(table, index=False)
    study.write_text(STUDY.format(table=table))
    if not (folder / "results" / "timed" / "predictions.parquet").is_file():
        snakefile = Path(relatask.__file__).parents[2] / "Snakefile"
        command = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--cores", "2", "train_all"]
        subprocess.run(
            [*map(str, command), "--config", f"study={study}"], cwd=folder, check=True, capture_output=True
        )
    plan = pd.read_parquet(folder / "results" / "timed" / "plan.parquet")
    found = {}
    for label, run in zip(plan["label"], plan["run_id"], strict=True):
        found[label] = folder / "models" / label
        write_ensemble(found[label], [folder / "results" / "timed" / "runs" / run / "model"], {})
    return found


def tree_megabytes(process: int) -> float:
    """Resident memory of a process and its children; pages that they share count for each."""
    total, parents = 0.0, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = (int(fields[1]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
    own = {process}
    while more := {child for child, (parent, _) in parents.items() if parent in own} - own:
        own |= more
    for one in own:
        total += parents.get(one, (0, 0.0))[1]
    return total


def timed(command: list[str]) -> Cost:
    """Return what a command and its children cost, their memory in sum."""
    before, start, most = os.times(), time.perf_counter(), 0.0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None:
        most = max(most, tree_megabytes(process.pid))
        time.sleep(0.2)
    after = os.times()
    if process.returncode:
        assert process.stderr is not None
        raise SystemExit(f"{' '.join(command)} failed:\n{process.stderr.read().decode()[-3000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(cpu, time.perf_counter() - start, most)


def per_molecule(what: str, count: int, work: Callable[[], Any]) -> Any:
    """Print the CPU time that a step takes of a molecule."""
    start = time.process_time()
    found = work()
    print(f"  {what:44} {(time.process_time() - start) / count * 1e6:7.0f} us")
    return found


def steps(texts: list[str], folders: dict[str, Path]) -> None:
    """Time the steps by themselves, on one thread."""
    torch.set_num_threads(1)
    count = len(texts)
    print(f"CPU time a molecule of the steps, {count} molecules:")
    found = per_molecule(
        "standardise", count, lambda: list(standardise_all(texts, Limits(min_heavy_atoms=1), scaffold=False))
    )
    kept = [one.smiles for _, one in found if isinstance(one, Molecule)]
    table = pd.DataFrame({"item_id": range(len(kept)), "smiles": kept, "canonical": True})
    chunks = [table.iloc[start : start + 256] for start in range(0, len(table), 256)]
    parts = per_molecule("fingerprints", count, lambda: [featurise(chunk, ["ecfp"]) for chunk in chunks])
    per_molecule("graphs", count, lambda: [featurise(chunk, ["graph"]) for chunk in chunks])
    packed = np.concatenate([part.arrays["ecfp"]["ecfp4"] for part in parts])
    known = NearestKnown(np.resize(packed, (KNOWN, packed.shape[1])))
    per_molecule(f"nearest of {KNOWN:,} (this set, repeated)", count, lambda: known.of(packed))
    for name, folder in folders.items():
        model = relatask.load(str(folder))
        model.predict(texts[:100])
        per_molecule(f"{name}: all, without files", count, partial(model.predict, texts))


def main() -> None:
    """Train, write the file, predict it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--chemprop", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--folder", type=Path, help="keeps models and files for the next time")
    arguments = parser.parse_args()
    if not MIRROR.is_dir():
        print(f"skipped: {MIRROR} is not there")
        return
    with kept_or_scratch(arguments.folder) as folder:
        sizes = sorted({*SIZES, *([arguments.rows] if arguments.rows else [])})
        file = folder / f"molecules-{sizes[-1]}.csv"
        if not file.is_file():
            pd.DataFrame({"smiles": molecules(sizes[-1])}).to_csv(file, index=False)
        texts = pd.read_csv(file)["smiles"]
        folders = models(folder)
        steps(texts[:4000].tolist(), folders)
        commands = {
            name: [sys.executable, "-m", "relatask", "predict", "--model-path", str(model)]
            for name, model in folders.items()
        }
        if arguments.chemprop:
            commands["chemprop"] = chemprop(folder, str(arguments.chemprop))
        rows = []
        print(f"{usable_cores()} cores; wall and CPU seconds, MB of all processes:")
        for size in sizes:
            part, out = folder / f"first-{size}.csv", folder / "out.csv"
            texts.head(size).to_frame().to_csv(part, index=False)
            for name, command in commands.items():
                found = timed([*command, "-i", str(part), "-o", str(out)])
                rows.append({"size": size, "name": name, "wall": found.wall})
                said = f"{found.wall:7.1f} s, {found.cpu:7.1f} CPU-s, {found.megabytes:6.0f} MB"
                print(f"  {name:10} {size:9,} rows: {said}", flush=True)
        if arguments.figure:
            draw(pd.DataFrame(rows), arguments.figure)


def chemprop(folder: Path, python: str) -> list[str]:
    """Train chemprop's default network for an epoch and return the command that predicts by it."""
    program = [python, "-c", "from chemprop.cli.main import main; main()"]
    saved = folder / "chemprop"
    if not saved.is_dir():
        table = str(folder / TABLE)
        train = [*program, "train", "-i", table, "-s", "smiles", "--target-columns"]
        tasks = pd.read_csv(table, nrows=0).columns[1:].tolist()
        kind = ["-t", "classification", "--epochs", "1", "--accelerator", "cpu", "-o", str(saved)]
        timed([*train, *tasks, *kind])
    (model,) = saved.rglob("best.pt")
    return [
        *program,
        "predict",
        "--model-paths",
        str(model),
        "--accelerator",
        "cpu",
        "--smiles-columns",
        "smiles",
    ]


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Draw time against rows."""
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    for name, own in rows.groupby("name", sort=False):
        axes.plot(own["size"], own["wall"], marker="o", label=str(name))
    axes.set(xscale="log", yscale="log", xlabel="molecules", ylabel=f"seconds on {usable_cores()} cores")
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
