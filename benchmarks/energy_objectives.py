"""Objectives of SGNN-EBM and weights λ of its relations, on a data set that a study has prepared.

For each row: ROC-AUC and calibration error on the test fold (means over tasks), by how much the energies of
noise and of data weigh in the gradient before and after training, and seconds of an epoch. The prior is MTL
on the same split; every row starts from the same weights.

  python -m benchmarks.energy_objectives results/kiba_t100 --split stratified-0 --epochs 30
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from relatask.core.registry import complete_options
from relatask.data.prepared import PreparedDataset
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.epochs import EpochTraining
from relatask.engine.kinds import mean_metric
from relatask.engine.loops import supervised
from relatask.engine.problem import Problem, TrainingResult, problems_of
from relatask.methods.sgnn import contrastive, nce
from relatask.methods.sgnn.nce import label_vectors, log_ratio
from relatask.plan.spec import Component, RunSpec

ENCODER = {"width": 128, "layers": 1, "dropout": 0.5}  # as config/studies/kiba_string.yaml at scale quick
TRAINING = {
    **{"epochs": 200, "batch_size": 32, "learning_rate": 0.002, "weight_decay": 0.0, "evaluate_every": 2},
    **{"patience": 10, "precision": "fp32", "schedule": "constant", "augmentation": "none"},
}
OBJECTIVES = ("paper", "pseudo_likelihood", "nce_log_z", "nce_unnormalised")
WEIGHTS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)


def spec_of(method: str, split: str, epochs: int, **options: Any) -> RunSpec:
    scheme, _, seed = split.rpartition("-")
    encoder = Component("fingerprint_mlp", complete_options("encoders", "fingerprint_mlp", ENCODER))
    own = Component(method, complete_options("methods", method, options))
    return RunSpec("kiba_t100", own, encoder, scheme, int(seed), training=TRAINING | {"epochs": epochs})


def trained(training: EpochTraining) -> TrainingResult:
    """Train from the start, without a checkpoint to go on from."""
    with TemporaryDirectory() as folder:
        return training.fit(Checkpoint(Path(folder) / "none.pt", ""), lambda share, text: None)


@torch.no_grad()
def gradient_weights(training: contrastive.Training) -> tuple[float, float]:
    """Mean weight of the energies of noise and of data over the training items."""
    settings, found = training.contrast, []
    if not settings.has_noise:
        return 0.0, 1.0
    training.model.eval()
    for batch in training.rows.split(64):
        node, edge = training._energies(batch)
        backbone, noise, edges = (
            training.backbone[batch],
            training.noise[batch],
            training.energy_model.edge_index,
        )
        keys = (0, training.items[batch], training.tasks)
        vectors = label_vectors(training.problem.labels(batch), backbone, noise, settings, *keys)
        log_z = training.energy_model.log_z()
        ratios = [log_ratio(node, edge, edges, y, backbone, noise, settings, log_z) for y in vectors]
        found.append(torch.stack([(-ratios[0]).double().sigmoid(), ratios[1].double().sigmoid()]))
    data, of_noise = torch.cat(found, 1).mean((1, 2)).tolist()
    return of_noise, data


def lockstep(problem: Problem) -> None:
    """Train a problem with and without the noise term; print whether weights stay the same, bit by bit."""
    pair = [contrastive.Training(problem) for _ in range(2)]
    whole, greatest = nce.nce_loss, 0.0

    def watched(data: Tensor, noise: Tensor) -> Tensor:
        nonlocal greatest
        greatest = max(greatest, float(noise.detach().double().sigmoid().max()))
        return whole(data, noise)

    def of_data_alone(data: Tensor, noise: Tensor) -> Tensor:
        return softplus(-data).mean(1)

    for epoch in range(1, problem.spec.training["epochs"] + 1):
        greatest = 0.0
        for training, loss in zip(pair, (watched, of_data_alone), strict=True):
            nce.nce_loss = loss
            training.run_epoch(lambda: None)
        states = [training.networks.state_dict().values() for training in pair]
        same = all(torch.equal(one, other) for one, other in zip(*states, strict=True))
        print(f"| {epoch} | {greatest:.0e} | {'yes' if same else 'no'} |", flush=True)
    nce.nce_loss = whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="stratified-0")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--weights", type=float, nargs="*", default=WEIGHTS)
    parser.add_argument("--objectives", nargs="*", default=OBJECTIVES)
    parser.add_argument("--degree", action="store_true", help="λ normalised by degree")
    parser.add_argument("--lockstep", action="store_true", help="`paper` with and without its noise term")
    arguments = parser.parse_args()
    data = PreparedDataset.load(arguments.folder, arguments.split, inputs="ecfp")
    backbone = problems_of(spec_of("shared_bottom", arguments.split, 200), data, False)[0]
    training = supervised.Training(backbone)
    trained(training)
    training.networks.load_weights([training.selections[0].weights])
    prior = training.probabilities(torch.arange(len(data.labels)))
    if arguments.lockstep:
        lockstep(problems_of(spec_of("sgnn_ebm", arguments.split, arguments.epochs), data, False, prior)[0])
        return
    test = backbone.rows("test")
    labels = backbone.labels(test, "test")

    def show(name: str, scores: Tensor, *rest: str) -> None:
        auc, error = (mean_metric(metric, labels, scores) for metric in ("roc_auc", "ece"))
        cells = [name, f"{100 * auc:.2f}", f"{error:.3f}", *rest]
        print("| " + " | ".join(cells) + " |", flush=True)

    show("MTL", prior[test], "", "", "")
    for objective in arguments.objectives:
        for weight in arguments.weights:
            options = {
                "objective": objective,
                "edge_weight": weight,
                "degree_normalised": arguments.degree,
            }
            spec = spec_of("sgnn_ebm", arguments.split, arguments.epochs, **options)
            energy = contrastive.Training(problems_of(spec, data, False, prior)[0])
            before = gradient_weights(energy)
            start = time.perf_counter()
            result = trained(energy)
            seconds = (time.perf_counter() - start) / max(1, len(result.history))
            after = gradient_weights(energy)
            weights = [f"{noise:.0e} / {of_data:.2f}" for noise, of_data in (before, after)]
            show(f"{objective}, λ = {weight:g}", result.scores["test"], *weights, f"{seconds:.2f}")


if __name__ == "__main__":
    main()
