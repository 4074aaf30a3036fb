"""What an outer step of SAME costs, beside a deep copy of a model of torch-geometric's layers for each task.

    python -m benchmarks.bench_same [--threads 2]

A batch of 16 graphs of 33 nodes and 62 edges, 3 tasks, width 256, second order, as the released settings have
it. Both sides are given the same episodes. Then the peak memory of a process that makes one step.
"""

import argparse
import multiprocessing
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.common import CLOCK, interleaved
from relatask.encoders import residual_gcn
from relatask.engine.adam import Adam
from relatask.inputs.parts_batch import GRAPH, NODE, PAIR, GraphParts, PartsBatch
from relatask.methods.same.adaptation import Inner, target_loss
from relatask.methods.same.episodes import Asked, Drawer, Episode, LevelLabels
from relatask.methods.same.meta import blocks
from relatask.methods.same.network import LevelNetwork, Nodes
from relatask.nn.kinds import TaskKinds
from tests.oracles.same import copied_step

GRAPHS, NODES, DEGREE, FEATURES, WIDTH, CLASSES = 16, 33, 4, 18, 256, (6, 3)
STEP_SIZE = 0.04


def random_parts() -> GraphParts:
    """Return graphs of one size, with random edges."""
    generator = torch.Generator().manual_seed(0)
    n = GRAPHS * NODES
    first = torch.arange(n).repeat_interleave(DEGREE // 2)
    second = first // NODES * NODES + torch.randint(NODES, (len(first),), generator=generator)
    first, second = first[first != second], second[first != second]
    keys = torch.cat([first * n + second, second * n + first]).unique()
    receiver, source = keys // n, keys % n
    return GraphParts(
        level=torch.zeros(0, dtype=torch.int64),
        place=torch.zeros(0, dtype=torch.int64),
        node_offsets=torch.arange(GRAPHS + 1) * NODES,
        vectors=torch.rand(n, FEATURES, generator=generator),
        neighbour_offsets=torch.searchsorted(receiver, torch.arange(n + 1)),
        neighbours=source,
        is_item=torch.zeros(len(source), dtype=torch.bool),
        ends=torch.zeros(0, 2, dtype=torch.int64),
    )


def random_drawer() -> Drawer:
    """Return what draws episodes of random labels."""
    generator = torch.Generator().manual_seed(1)
    graphs = torch.randint(CLASSES[0], (GRAPHS, 1), generator=generator).float()
    nodes = torch.randint(CLASSES[1], (GRAPHS * NODES, 1), generator=generator).float()
    return Drawer(random_parts(), LevelLabels(graphs, nodes, nodes[:, 0].long()))


def drawn(drawer: Drawer, seed: int) -> list[Episode]:
    """Return the episodes of one step."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(GRAPHS, generator=generator)
    levels = zip((GRAPH, NODE, PAIR), blocks(order, 3), strict=True)
    found = [drawer.draw(level, graphs, generator) for level, graphs in levels]
    return [episode for episode in found if episode is not None]


def network() -> LevelNetwork:
    """Return our network."""
    torch.manual_seed(0)
    encoder = residual_gcn.build(FEATURES, WIDTH)
    kinds = TaskKinds(("class", "class", "binary"), (*CLASSES, 1), torch.zeros(3), torch.ones(3))
    return LevelNetwork(("graph", "node", "pair"), kinds, Nodes(encoder), released=False)


class PygModel(nn.Module):
    """The same network on torch-geometric's layers, as the released code has it."""

    def __init__(self) -> None:
        super().__init__()
        from torch_geometric.nn import GCNConv

        sizes = (FEATURES, WIDTH, WIDTH)
        self.layers = nn.ModuleList(GCNConv(size, WIDTH) for size in sizes)
        self.graph_inner, self.graph_outer = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES[0])
        self.node_outer = nn.Linear(WIDTH, CLASSES[1])
        self.pair_inner, self.pair_outer = nn.Linear(WIDTH, WIDTH), nn.Linear(2 * WIDTH, 1)

    def forward(self, x: PartsBatch, level: int) -> Tensor:
        """Return the outputs of what is asked."""
        from torch_geometric.nn import global_add_pool

        states = x.vectors / x.vectors.sum(1, keepdim=True).clamp(min=1)
        edges = torch.stack([x.source, x.receiver])
        for number, layer in enumerate(self.layers):
            out = layer(states, edges).relu()
            states = F.normalize(out + states if number else out, dim=1)
        if level == GRAPH:
            outputs: Tensor = self.graph_outer(global_add_pool(self.graph_inner(states).relu(), x.graph))
        elif level == NODE:
            outputs = self.node_outer(states[x.parts[:, 0]])
        else:
            inner = self.pair_inner(states)
            outputs = self.pair_outer(torch.cat([inner[x.parts[:, 0]], inner[x.parts[:, 1]]], 1))
        return outputs

    def loss(self, asked: Asked, level: int) -> Tensor:
        """Return the loss of what is asked."""
        outputs, labels = self(asked.x, level), asked.labels[:, 0]
        if level == PAIR:
            return F.binary_cross_entropy_with_logits(outputs[:, 0], labels)
        return F.cross_entropy(outputs, labels.long())


def our_step(heads_alone: bool = False) -> Callable[[], None]:
    """Return an outer step of ours, with its draws and Adam."""
    model, drawer, seeds = network(), random_drawer(), iter(range(10**9))
    adam, inner = Adam(model.parameters(), 5e-4, 0.0), Inner(heads_alone, STEP_SIZE)

    def run() -> None:
        losses = [target_loss(model, episode, inner) for episode in drawn(drawer, next(seeds))]
        adam.clear()
        torch.stack(losses).sum().backward()
        adam.step()

    return run


def copied() -> Callable[[], None]:
    """Return an outer step by deep copies, with the same draws and torch's Adam."""
    torch.manual_seed(0)
    model, drawer, seeds = PygModel(), random_drawer(), iter(range(10**9))
    adam = torch.optim.Adam(model.parameters(), 5e-4)

    def run() -> None:
        losses = []
        for episode in drawn(drawer, next(seeds)):

            def support(own: Any, episode: Episode = episode) -> Tensor:
                found: Tensor = own.loss(episode.support, episode.level)
                return found

            def target(own: Any, episode: Episode = episode) -> Tensor:
                found: Tensor = own.loss(episode.target, episode.level)
                return found

            losses.append((support, target))
        gradient = copied_step(model, losses, STEP_SIZE)
        for value, own in zip(model.parameters(), gradient, strict=True):
            value.grad = own
        adam.step()

    return run


STEPS: dict[str, Callable[[], Callable[[], None]]] = {
    "iSAME": our_step,
    "eSAME": lambda: our_step(heads_alone=True),
    "deep copies": copied,
}


def peak(name: str, threads: int, answer: Any) -> None:
    """Put the peak memory of this process, MB, once it has made a step."""
    torch.set_num_threads(threads)
    STEPS[name]()()
    status = Path("/proc/self/status").read_text()  # getrusage would count the process that started this one
    answer.put(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=30)
    arguments, _ = parser.parse_known_args()
    torch.set_num_threads(arguments.threads)
    measured = interleaved({name: make() for name, make in STEPS.items()}, arguments.rounds)
    clock = CLOCK[arguments.threads == 1]
    print(f"an outer step, {arguments.threads} threads ({clock} time), torch {torch.__version__}")
    print(f"{measured.quiet} of {measured.rounds} rounds were quiet")
    context = multiprocessing.get_context("spawn")
    for name in STEPS:
        answer = context.Queue()
        process = context.Process(target=peak, args=(name, arguments.threads, answer))
        process.start()
        memory = answer.get()
        process.join()
        ratio = measured.seconds["deep copies"] / measured.seconds[name]
        best = measured.best["deep copies"] / measured.best[name]
        print(
            f"  {name:12s} {1e3 * measured.seconds[name]:6.1f} ms, best {1e3 * measured.best[name]:6.1f}; "
            f"{ratio:.1f} x as fast as deep copies (best {best:.1f} x); {memory:.0f} MB"
        )


if __name__ == "__main__":
    main()
