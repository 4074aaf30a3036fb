"""Networks on fingerprints as one ONNX graph, for programs without torch.

The graph reads bits, float32 [molecules, 2048], and gives what `predict` gives: probabilities of label 1,
values in the task's unit, and of a class its place among the classes, each [molecules, T]; of an ensemble the
mean and the spread over members. Fingerprints are the caller's to make; the graph's metadata say how.
"""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from relatask.core.atomic import atomic_path
from relatask.core.errors import RelataskError
from relatask.core.extras import require_extra
from relatask.core.registry import loop_of
from relatask.engine.network import trained_model
from relatask.engine.problem import CONSTANT
from relatask.inputs import ecfp
from relatask.models.ensemble import Ensemble
from relatask.models.new_items import NewItems
from relatask.models.prediction import Model
from relatask.models.trained_model import TrainedModel
from relatask.nn.contract import Encoder

EXAMPLE = pd.DataFrame({"item_id": [0], "smiles": ["CCO"]})  # a molecule, for what a network is built from
log = logging.getLogger(__name__)


class Scores(nn.Module):
    """What one trained run says of bits [n, 2048]: scores [n, T]."""

    def __init__(self, model: TrainedModel):
        """Build its networks, in plain operations of torch.

        Raises:
            RelataskError: it is no network on fingerprints alone.
        """
        super().__init__()
        _require_network(model)
        self.networks = nn.ModuleList()
        self.constants: list[float | None] = []
        with TemporaryDirectory(prefix="relatask-") as folder:
            for problem in model.problems(NewItems(EXAMPLE), Path(folder)):
                weights = dict(model.weights[problem.name])
                constant = weights.get(CONSTANT)
                self.constants.append(None if constant is None else float(constant))
                self.networks.append(
                    nn.Identity() if constant is not None else trained_model(problem, weights)
                )
        for module in self.modules():
            if isinstance(module, Encoder):
                module.plain = True

    def forward(self, bits: Tensor) -> Tensor:
        """Return the scores of each task."""
        found = []
        for network, constant in zip(self.networks, self.constants, strict=True):
            if constant is None:
                found.append(network.scores(network(bits)).float())  # type: ignore[operator]
            else:
                found.append(torch.full_like(bits[:, :1], constant))
        return torch.cat(found, 1)


class Together(nn.Module):
    """The members of an ensemble: mean and standard deviation, of classes the most named one and the rest."""

    def __init__(self, members: Sequence[Scores], n_classes: Sequence[int]):
        super().__init__()
        self.members = nn.ModuleList(members)
        self.n_classes = n_classes  # of each task; 0 for labels and measured values

    def forward(self, bits: Tensor) -> tuple[Tensor, Tensor]:
        """Return predictions and spreads, each [n, T]."""
        said = torch.stack([member(bits) for member in self.members])
        means, spreads = [], []
        for task, n_classes in enumerate(self.n_classes):
            own = said[:, :, task]
            if n_classes:
                votes = nn.functional.one_hot(own.long(), n_classes).sum(0)
                means.append(votes.argmax(1).float())
                spreads.append(1 - votes.amax(1) / len(own))
            else:
                means.append(own.mean(0))
                spreads.append(own.std(0) if len(own) > 1 else own[0] * torch.nan)
        return torch.stack(means, 1), torch.stack(spreads, 1)


def _require_network(model: TrainedModel) -> None:
    """Raise where a model is anything but networks on fingerprints."""
    record = model.record
    if model.members or model.prior or model.support or not loop_of(record.spec.method.name).balances:
        raise RelataskError(
            f"{model.folder} is a model of {record.spec.method.name}, which is no network alone; ONNX is for "
            "networks on fingerprints, such as shared_bottom with fingerprint_mlp."
        )
    if list(record.inputs) != ["ecfp"]:
        raise RelataskError(
            f"{model.folder} reads {' and '.join(record.inputs)}, not fingerprints alone; ONNX is for "
            "networks on fingerprints, such as those with the encoder fingerprint_mlp."
        )


def export_onnx(model: Model | Ensemble, path: Path) -> None:
    """Write a model as ONNX.

    Args:
        model: of `relatask.load`, on the CPU.
        path: of the file.

    Raises:
        RelataskError: the model is no network on fingerprints, or the packages for ONNX are not there.
    """
    graph = graph_of(model).eval()
    require_extra("onnx", "relatask export", "onnxscript")
    names = ["predictions"] if isinstance(model, Model) else ["predictions", "spread"]
    with _quiet():
        program = torch.onnx.export(
            graph,
            (torch.zeros(2, ecfp.BITS),),
            input_names=["bits"],
            output_names=names,
            dynamic_shapes=({0: torch.export.Dim("molecules")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props.update(
        {key: json.dumps(value) for key, value in _facts(model.members[0]).items()}
    )
    with atomic_path(path) as temporary:
        program.save(temporary)
    log.info(
        "%s: %d tasks, %d member%s.",
        path,
        len(model.task_ids),
        len(model.members),
        "s"[: len(model.members) - 1],
    )


def graph_of(model: Model | Ensemble) -> nn.Module:
    """Return a model as a module that reads bits alone.

    Raises:
        RelataskError: it is no network on fingerprints, or its members predict different tasks.
    """
    if isinstance(model, Model):
        return Scores(model.trained)
    first = model.members[0]
    if any(member.task_ids != first.task_ids for member in model.members):
        raise RelataskError(f"members of {model.folder} predict different tasks; export one of them.")
    n_classes = [task.n_classes or 0 for task in first.trained.record.tasks]
    return Together([Scores(member.trained) for member in model.members], n_classes)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter from telling of itself."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _facts(model: Model) -> dict[str, Any]:
    """Return what a reader must know to use the graph."""
    record = model.trained.record
    keys = ("task_id", "name", "kind", "unit", "classes")
    return {
        "tasks": [{key: getattr(task, key) for key in keys} for task in record.tasks],
        "standardised": dict(record.standardised),
        **ecfp.facts(),
    }
