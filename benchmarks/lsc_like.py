"""A source like LSC (Mayr et al., 2018) of any size, and interactions like STRING's of human proteins.

    python -m benchmarks.lsc_like FOLDER MOLECULES

Writes the pickles of LSC, a task sheet and an interaction table. 1,310 assays; labels per molecule and per
assay are as unequal as there: 4.7 million at 456,331 molecules.
"""

import pickle
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from scipy.sparse import csr_matrix

from relatask.sources.lsc.tables import LABELS, SMILES
from relatask.sources.planted.molecules import SCAFFOLDS

ASSAYS, LABELS_PER_MOLECULE, POSITIVE = 1310, 10.3, 0.3
PROTEINS, PAIRS = 19_566, 5_969_249  # STRING 12, human; each pair stands in the table twice

STARTS = [
    "C",
    "CC",
    "CCC",
    "CC(C)",
    "COC",
    "O=C(O)C",
    "CN(C)C",
    "N#CC",
    "FC(F)(F)C",
    "CS(=O)(=O)C",
    "c9ccccc9",
    "C1CC1",
]
LINKS = ["", "C", "CC", "OC", "NC", "C(=O)N"]
CHAINS = ["C{}", "CC{}", "CCC{}", "C(C){}", "COC{}", "Cc8ccc({})cc8", "Cc8cccc({})c8", "C(=O)N{}"]
ENDS = [
    "C",
    "CC",
    "C(C)C",
    "O",
    "OC",
    "F",
    "Cl",
    "Br",
    "C#N",
    "C(F)(F)F",
    "N(C)C",
    "C(N)=O",
    "C(=O)OC",
    "c7ccccc7",
    "c7ccncc7",
    "c7cccs7",
    "C7CC7",
]
ENDS += ["N7CCOCC7", "N7CCCCC7", "S(C)(=O)=O", "c7ccc(F)cc7", "c7ccc(Cl)cc7", "c7ccc(OC)cc7", "C7CCCCC7"]


def smiles(count: int) -> list[str]:
    """Return `count` different molecules: every scaffold of the planted data with every two groups."""
    found: dict[str, None] = {}
    firsts = [start + link for start, link in product(STARTS, LINKS)]
    seconds = [chain.format(end) for chain, end in product(CHAINS, ENDS)]
    for scaffold in SCAFFOLDS.values():
        core = scaffold.removeprefix("[*:1]").replace("([*:8])", "(C)").replace("[*:8]", "C")
        if "[*:2]" not in core:
            core = scaffold.removeprefix("[*:1]").replace("([*:8])", "([*:2])").replace("[*:8]", "([*:2])")
        found.update(dict.fromkeys(f"{a}{core.replace('[*:2]', b)}" for a, b in product(firsts, seconds)))
    texts = np.random.default_rng(0).permutation(np.array(list(found), dtype=object))
    if len(texts) < count:
        raise SystemExit(f"only {len(texts)} molecules can be made")
    return texts[:count].tolist()


def labels(count: int) -> csr_matrix:
    """Return +1 and -1 [count, 1310], with a few popular assays and a few molecules that are in many."""
    rng = np.random.default_rng(1)
    assay = 1.0 / np.arange(1, ASSAYS + 1) ** 0.8
    molecule = 1.0 / np.arange(1, count + 1) ** 0.3
    cells = np.array([], dtype=np.int64)
    wanted = min(round(LABELS_PER_MOLECULE * count), count * ASSAYS // 4)
    while len(cells) < wanted:
        draws = 2 * (wanted - len(cells)) + 1000
        row = rng.choice(count, draws, p=molecule / molecule.sum())
        column = rng.choice(ASSAYS, draws, p=assay / assay.sum())
        cells = np.unique(np.concatenate([cells, row * ASSAYS + column]))
    cells = np.sort(rng.permutation(cells)[:wanted])
    values = np.where(rng.random(wanted) < POSITIVE, 1, -1).astype(np.int8)
    return csr_matrix((values, (cells // ASSAYS, cells % ASSAYS)), shape=(count, ASSAYS))


def write_source(folder: Path, count: int) -> None:
    """Write the pickles of LSC and a sheet that gives each assay one or two proteins."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"CHEMBL{1_000_000 + assay}" for assay in range(ASSAYS)]
    (folder / SMILES).write_bytes(pickle.dumps(smiles(count)))
    parts = (labels(count), pd.Series(range(count)), pd.Series(range(ASSAYS), index=names))
    (folder / LABELS).write_bytes(b"".join(pickle.dumps(part) for part in parts))
    rng = np.random.default_rng(2)
    sheet = pd.DataFrame({"task": names, "uniprot": ""})
    proteins = [rng.choice(800, 1 + int(rng.random() < 0.2), replace=False) for _ in names]
    sheet["string_id"] = [";".join(f"9606.ENSP{p:011d}" for p in some) for some in proteins]
    sheet.to_csv(folder / "task_sheet.csv", index=False)


def write_interactions(path: Path) -> None:
    """Write a table of the form and the size of STRING's protein.links.detailed for human."""
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, PROTEINS, (2, PAIRS))
    scores = {name: rng.integers(0, 1000, PAIRS) for name in ("experimental", "combined_score")}
    names = np.array([f"9606.ENSP{p:011d}" for p in range(PROTEINS)])
    both = [np.r_[first, second], np.r_[second, first]]
    table = {f"protein{k + 1}": pa.DictionaryArray.from_arrays(ends, names).cast(pa.string())
             for k, ends in enumerate(both)}  # fmt: skip
    table |= {name: pa.array(np.r_[values, values]) for name, values in scores.items()}
    options = pa.csv.WriteOptions(delimiter=" ", quoting_style="none", include_header=False)
    with path.open("wb") as file:
        file.write(" ".join(table).encode() + b"\n")  # pyarrow would quote the names
        pa.csv.write_csv(pa.table(table), file, options)


if __name__ == "__main__":
    write_source(Path(sys.argv[1]), int(sys.argv[2]))
