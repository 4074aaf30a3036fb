"""A shard runs where there are only torch, pandas, pyarrow, and scikit-learn for its baselines.

Networks also do without torch.compile, whose import takes as long as torch's own.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relatask.files import write_text
from relatask.training.manifest import shard_manifest
from tests.prepared_dataset import make_spec, random_labels, write_dataset

REFUSED = [
    "rdkit",
    "pydantic",
    "duckdb",
    "snakemake",
    "yaml",
    "tqdm",
    "requests",
    "tenacity",
    "matplotlib",
    "torch_geometric",
    "torchjd",
    "cvxpy",
]
RUN = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if any(name == entry or name.startswith(entry + ".") for entry in {refused}):
            raise ImportError(f"REFUSED {{name}}")

sys.meta_path.insert(0, Refuse())
from relatask.__main__ import main
sys.exit(main({arguments}))
"""
NETWORKS = [make_spec("single_task"), make_spec("shared_bottom", "gin", balancing="gradnorm")]
BASELINES = [make_spec("random_forest", None), make_spec("gradient_boosting", None)]


def run(folder: Path, specs: list, refused: list[str]) -> subprocess.CompletedProcess[str]:
    write_dataset(folder / "small", random_labels(40, 2))
    manifest = folder / "study" / "shards" / "00000.json"
    write_text(manifest, shard_manifest(specs, "study"))
    arguments = ["train_shard", "--manifest", str(manifest), "--out", str(folder / "done.json")]
    code = RUN.format(refused=refused, arguments=arguments)
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize(
    ("specs", "refused"), [(NETWORKS, [*REFUSED, "sklearn", "scipy", "torch._dynamo"]), (BASELINES, REFUSED)]
)
def test_a_shard_needs_nothing_that_its_machine_lacks(tmp_path, specs, refused):
    done = run(tmp_path, specs, refused)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 runs trained" in done.stderr
    assert (tmp_path / "done.json").exists()


def test_the_refusal_works(tmp_path):
    done = run(tmp_path, BASELINES, [*REFUSED, "sklearn"])
    assert done.returncode == 2
    assert "2 of 2 runs failed" in done.stderr
    assert "REFUSED sklearn" in done.stderr
