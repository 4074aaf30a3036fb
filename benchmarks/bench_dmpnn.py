"""A training step of D-MPNN, 300 wide and 3 deep, beside chemprop's own on the same molecules.

Ours: rows of flat arrays become a batch, then forward, loss, backward, Adam. Chemprop's: its data set with
graphs that are made once (`cache`), its loader and its MPNN, of whose steps the loss is taken; Lightning's
trainer and its logging are not in the time. What featurising costs is apart. One thread, batch 64.
Needs the extra chemprop. Run: `python -m benchmarks.bench_dmpnn [--rounds 15] [--batch 64]`.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch
from torch import nn

from benchmarks.common import SIDER, interleaved, masked_loss, random_labels
from benchmarks.parity_data import smiles
from relatask.core.registry import capabilities, load
from relatask.inputs.arrays import CHUNK, load_input, write_features

TASKS = 12


def molecules() -> list[str]:
    """SIDER's molecules where they lie on this machine, else made ones; those that RDKit reads."""
    from rdkit import Chem, rdBase

    texts = pd.read_csv(SIDER).iloc[:, 0].tolist() if SIDER.is_file() else smiles()
    with rdBase.BlockLogs():
        return [text for text in texts if (found := Chem.MolFromSmiles(text)) and found.GetNumAtoms()]


def ours(texts: list[str], labels: torch.Tensor, batch: int) -> tuple[Callable[[], object], float]:
    """Return our step, and how many molecules a second are featurised."""
    items = pd.DataFrame({"item_id": range(len(texts)), "smiles": texts})
    with TemporaryDirectory() as folder:
        start = time.process_time()
        write_features(
            (items[row : row + CHUNK] for row in range(0, len(items), CHUNK)), ["bond_graph"], Path(folder)
        )
        speed = len(texts) / (time.process_time() - start)
        graphs = load_input(Path(folder), "bond_graph")
    encoder = load("encoders", "dmpnn").build(**capabilities("encoders", "dmpnn").options)
    head = nn.Linear(encoder.width, TASKS)
    adam = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 1e-3)

    def rows() -> Iterator[torch.Tensor]:
        while True:
            yield from torch.randperm(len(texts)).split(batch)[:-1]

    drawn = rows()

    def step() -> None:
        own = next(drawn)
        loss = masked_loss(head(encoder(graphs.batch(own))), labels[own])
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step, speed


def chemprops(texts: list[str], labels: torch.Tensor, batch: int) -> tuple[Callable[[], object], float]:
    """Return chemprop's step, and how many molecules a second its Python featuriser makes."""
    from chemprop.data import MoleculeDatapoint, MoleculeDataset, build_dataloader
    from chemprop.models import MPNN
    from chemprop.nn import BinaryClassificationFFN, BondMessagePassing, MeanAggregation

    start = time.process_time()
    points = [MoleculeDatapoint.from_smi(text, own) for text, own in zip(texts, labels.numpy(), strict=True)]
    data = MoleculeDataset(points)
    data.cache = True
    speed = len(texts) / (time.process_time() - start)
    loader = build_dataloader(data, batch_size=batch, num_workers=0, shuffle=True)
    # as ours: a linear head
    model = MPNN(BondMessagePassing(), MeanAggregation(), BinaryClassificationFFN(n_tasks=TASKS, n_layers=0))
    adam = torch.optim.Adam(model.parameters(), 1e-3)

    def batches() -> Iterator[Any]:
        while True:
            yield from (found for found in loader if len(found.Y) == batch)

    drawn = batches()

    def step() -> None:
        bmg, atoms, items, targets, weights, below, above = next(drawn)
        known = targets.isfinite()
        scores = model.predictor.train_step(model.fingerprint(bmg, atoms, items))
        loss = model.criterion(scores, targets.nan_to_num(0.0), known, weights, below, above)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step, speed


def main() -> None:
    """Print steps of both, in milliseconds and molecules a second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    if find_spec("chemprop") is None:
        print("skipped: chemprop is not installed (pip install 'relatask[chemprop]').")
        return
    torch.set_num_threads(1)
    torch.manual_seed(0)
    texts = molecules()
    labels = random_labels(len(texts), TASKS)
    steps, featurised = {}, {}
    for name, make in (("relatask", ours), ("chemprop", chemprops)):
        steps[name], featurised[name] = make(texts, labels, arguments.batch)
    measured = interleaved(steps, arguments.rounds)
    print(f"{len(texts)} molecules, batch {arguments.batch}, one thread, CPU time")
    for name, took in measured.seconds.items():
        print(
            f"{name}: {1e3 * took:.0f} ms a step, {arguments.batch / took:.0f} molecules a second; from "
            f"SMILES to graphs {featurised[name]:.0f} a second"
        )


if __name__ == "__main__":
    main()
