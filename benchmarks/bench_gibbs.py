"""One Gibbs sweep of SGNN-EBM: all tasks of a colour at once, against one task after the other.

Shapes of ChEMBL-STRING at τ = 10: 32 molecules, 382 tasks, 3,571 related pairs. The sequential sweep does
what the authors' code does: for each task, find its edges, gather their states, softmax, draw. Two graphs:
pairs at random, and proteins in families, whose cliques need more colours. Run:
`python -m benchmarks.bench_gibbs [--threads 1] [--rounds 15] [--batch 32]`.
"""

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmarks.common import CLOCK, interleaved
from relatask.methods.sgnn.colouring import Schedule
from relatask.methods.sgnn.energy import log_softmax_factors
from relatask.methods.sgnn.gibbs import Chains, gibbs_marginals
from relatask.nn.draws import uniforms
from tests.helpers.contrast_settings import contrast_settings

TASKS, PAIRS, WEIGHT = 382, 3571, 0.1


def random_pairs(seed: int = 0) -> Tensor:
    """PAIRS pairs of TASKS tasks, [2, PAIRS]."""
    first, second = np.triu_indices(TASKS, 1)
    chosen = np.random.default_rng(seed).choice(len(first), PAIRS, replace=False)
    return torch.from_numpy(np.stack([first[chosen], second[chosen]]))


def families(seed: int = 0, size: int = 30) -> Tensor:
    """As many pairs, half of them within families of `size` tasks, so that there are large cliques."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(TASKS, 1)
    within = np.flatnonzero((first // size == second // size) & (first < 5 * size))
    within = within[: PAIRS // 2]
    others = rng.choice(np.setdiff1d(np.arange(len(first)), within), PAIRS - len(within), replace=False)
    chosen = np.r_[within, others]
    return torch.from_numpy(np.stack([first[chosen], second[chosen]]))


def sequential(node: Tensor, edge: Tensor, edge_index: Tensor, backbone: Tensor) -> Callable[[], object]:
    """Return a sweep over tasks in random order, eq. 14 for one task at a time."""
    both = torch.cat([edge_index, edge_index.flip(0)], 1)
    edge = torch.cat([edge, edge.transpose(-1, -2)], 1).flatten(-2)
    prior = torch.stack([1 - backbone, backbone], -1).log()
    y = (torch.rand_like(backbone) < backbone).long()

    def run() -> None:
        for task in torch.randperm(TASKS).tolist():
            mine = (both[0] == task).nonzero().squeeze(1)
            states, labels = edge[:, mine], y[:, both[1][mine]].unsqueeze(2)
            sums = [states.gather(2, label * 2 + labels).sum(1) for label in (0, 1)]
            scores = node[:, task] + WEIGHT * torch.cat(sums, 1) + prior[:, task]
            y[:, task] = (torch.rand(len(y)) < scores.softmax(-1)[:, 1]).long()

    return run


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=32)
    arguments, _ = parser.parse_known_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    molecules, tasks = torch.arange(arguments.batch), torch.arange(TASKS)
    settings = contrast_settings(edge_weight=WEIGHT)
    clock = CLOCK[arguments.threads == 1]
    print(f"Gibbs sweep, {arguments.batch} molecules, {TASKS} tasks, {PAIRS} pairs, {clock} time")
    for name, edge_index in (("random", random_pairs()), ("families", families())):
        node, edge = log_softmax_factors(
            torch.randn(arguments.batch, TASKS, 2), torch.randn(arguments.batch, PAIRS, 2, 2)
        )
        backbone = torch.rand(arguments.batch, TASKS) * 0.9 + 0.05
        schedule = Schedule.of(edge_index, TASKS)
        model = (node, edge, edge_index, backbone)
        chains = Chains(schedule, *model, settings)
        draws = uniforms(0, molecules, tasks[:, None])
        states = chains.start(draws)
        actions: dict[str, Callable[[], object]] = {
            "sequential": sequential(*model),
            "by colour": partial(chains.sweep, states, draws),
            "its draws": lambda: uniforms(0, 1, molecules, tasks[:, None]),
            "set up": partial(Chains, schedule, *model, settings=settings),
            "marginals": partial(gibbs_marginals, chains, settings, 0, molecules, tasks),
        }
        measured = interleaved(actions, arguments.rounds)
        quiet = f"{measured.quiet} of {measured.rounds} rounds were quiet"
        print(f"{name}: {len(schedule.colours)} colours; {quiet}")
        for kind, taken in (("median of quiet", measured.seconds), ("best", measured.best)):
            sweep = taken["by colour"] + taken["its draws"]
            told = ", ".join(f"{action} {1e3 * seconds:.2f} ms" for action, seconds in taken.items())
            print(f"  {kind:15s} {told}; sweep with draws {taken['sequential'] / sweep:.1f} x faster")


if __name__ == "__main__":
    main()
