"""`relatask train` from Python."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from relatask.core.errors import RelataskError
from relatask.models.ensemble import Ensemble, load_ensemble


@dataclass(frozen=True)
class Trained:
    """What came of a comparison of methods on a table.

    Attributes:
        sentence: which method is best, by how much, and whether learning together helped.
        model: the best method's models of all splits, together.
        table: the main table, as text.
        study: the file that says what was done; change it and run it again by `relatask train`.
    """

    sentence: str
    model: Ensemble
    table: pd.DataFrame
    study: Path


def train(
    frame: pd.DataFrame,
    name: str = "table",
    folder: str | Path = ".",
    smiles: str | None = None,
    targets: Sequence[str] | None = None,
    options: Sequence[str] = (),
) -> Trained:
    """Compare methods on a table of molecules x assays, and keep the best one as a model.

    The table is written into the folder and `relatask train` is run on it there, in a process of its own, so
    what it says goes to the terminal. What was done before is not done again.

    Args:
        frame: a column of SMILES, and one for each assay.
        name: of the study, the file and the model.
        folder: gets the table, the study file, `results` and `models`.
        smiles: column of SMILES; None: found by its name.
        targets: columns of assays; None: all with numbers or a few words.
        options: further ones of the command, e.g. ``["--minutes", "30", "--cores", "4"]``.

    Raises:
        RelataskError: it failed; the command has said why.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(place / f"{name}.parquet", index=False)
    command = [sys.executable, "-m", "relatask", "train", f"{name}.parquet", "-o", f"models/{name}", *options]
    command += ["--smiles-columns", smiles] if smiles else []
    command += ["--target-columns", *targets] if targets else []
    done = subprocess.run(command, cwd=place, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RelataskError(f"relatask train failed in {place.absolute()}; it has said why.")
    sentence = done.stdout.strip().splitlines()[-1]
    table = pd.read_csv(place / "results" / name / "tables" / "main.csv")
    return Trained(sentence, load_ensemble(place / "models" / name), table, place / f"{name}.yaml")
