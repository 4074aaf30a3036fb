"""Networks train without torch.compile, whose import takes as long as torch's own, and without scikit-learn.

What else a shard must not import is a contract in pyproject.toml; this is no import of ours, so it is tried.
"""

import os
import subprocess
import sys

from relatask.core.files import write_text
from relatask.plan.manifest import shard_manifest
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

NETWORKS = [make_spec("single_task"), make_spec("shared_bottom", "gin", balancing="gradnorm")]
CODE = """
import sys
from relatask.__main__ import main
assert main({arguments}) == 0
print({{"torch._dynamo", "sklearn"}} & set(sys.modules))
"""


def test_a_shard_of_networks_imports_neither_torch_compile_nor_scikit_learn(tmp_path):
    write_dataset(tmp_path / "study" / "data" / "small", random_labels(40, 2))
    manifest = tmp_path / "study" / "shards" / "00000.json"
    write_text(manifest, shard_manifest(NETWORKS, "study"))
    arguments = ["train_shard", "--manifest", str(manifest), "--out", str(tmp_path / "done.json")]
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(arguments=arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "set()"
