"""Write a trained model as ONNX, for programs without torch and this package.

For networks on fingerprints. The graph reads the bits of molecules and gives their predictions; its metadata
hold the tasks, and how molecules are standardised and made fingerprints. docs/models.md has a reader in ten
lines.

Examples:
  relatask export --model-path models/assays --onnx assays.onnx
  relatask export --model-path results/demo/runs/0123456789ab --onnx model.onnx
"""

import argparse
from pathlib import Path

from relatask.models.export import export_onnx
from relatask.models.prediction import load


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--model-path", required=True, type=Path, metavar="MODEL", help="folder of a model")
    parser.add_argument("--onnx", required=True, type=Path, metavar="OUT", help="file to write")


def run(arguments: argparse.Namespace) -> None:
    """Load the model and write it."""
    export_onnx(load(arguments.model_path), arguments.onnx)
