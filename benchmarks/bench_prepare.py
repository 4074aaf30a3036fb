"""Molecules per second and core of standardising and featurising; run by `make bench`.

    python benchmarks/bench_prepare.py [FOLDER WITH THE REAL DATA]

CPU time is measured, so that other work on the machine counts little. Without the real data a few
drugs are repeated: the rate is then that of molecules of 25 heavy atoms.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from relatask.data.splits import split_items
from relatask.data.standardise import Limits, Molecule, standardise_all
from relatask.inputs.arrays import CHUNK, write_features

MIRROR = Path(__file__).parents[2] / "shared" / "data"
DRUGS = [
    "CC(=O)Nc1ccc(cc1)O",
    "CN1CCN(CC1)Cc1ccc(cc1)C(=O)Nc1ccc(C)c(c1)Nc1nccc(n1)-c1cccnc1",
    "CC(C)c1c(C(=O)Nc2ccccc2)c(-c2ccccc2)c(-c2ccc(F)cc2)n1CC[C@@H](O)C[C@@H](O)CC(=O)O",
    "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1",
    "C[C@]12CC[C@H]3[C@@H](CCC4=CC(=O)CC[C@]34C)[C@@H]1CC[C@@H]2O",
]


def sources(mirror: Path) -> dict[str, list[str]]:
    """Return name -> SMILES of the sets to be timed."""
    if not mirror.is_dir():
        return {"drugs, repeated": DRUGS * 600}
    kiba = pd.read_csv(mirror / "kiba" / "molecules.csv").smiles.dropna().tolist()
    return {"kiba": kiba, "tox21": pd.read_csv(mirror / "moleculenet" / "tox21.csv").smiles.tolist()}


def bench(name: str, smiles: list[str]) -> None:
    """Time both steps on one set, once after a short warm-up."""
    list(standardise_all(smiles[:100], Limits()))
    start = time.process_time()
    kept = [result for _, result in standardise_all(smiles, Limits()) if isinstance(result, Molecule)]
    standardised = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        items = pd.DataFrame({"item_id": range(len(kept)), "smiles": [molecule.smiles for molecule in kept]})
        chunks = (items.iloc[row : row + CHUNK] for row in range(0, len(items), CHUNK))
        record = write_features(chunks, ["graph", "ecfp"], Path(folder))
        featurised = time.process_time() - start
    frame = pd.DataFrame({"item_id": range(len(kept)), "scaffold": [molecule.scaffold for molecule in kept]})
    start = time.process_time()
    split_items(frame, pd.DataFrame(), "scaffold", 0, (0.8, 0.1, 0.1))
    split = time.process_time() - start
    both = standardised / len(smiles) + featurised / len(kept)
    print(
        f"{name:16} {len(smiles):6d} molecules, {record['directed_bonds'] / len(kept) / 2:4.1f} bonds each | "
        f"standardise {len(smiles) / standardised:6.0f}/s | featurise {len(kept) / featurised:6.0f}/s | "
        f"both {1 / both:6.0f}/s per core | scaffold split {split * 1000:.0f} ms"
    )


if __name__ == "__main__":
    for set_name, set_smiles in sources(Path(sys.argv[1]) if len(sys.argv) > 1 else MIRROR).items():
        bench(set_name, set_smiles)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
