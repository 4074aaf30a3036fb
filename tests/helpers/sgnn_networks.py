"""A small relation graph, and SGNN on it as the loops of its oracle."""

import torch

from relatask.nn.contract import TaskContext
from tests.oracles import sgnn as oracle

N_TASKS, WIDTH, BATCH = 6, 5, 4
EDGES = ((0, 3), (1, 2), (2, 3), (1, 3), (3, 5))  # task 4 has none
SMALL = {
    "layers": 2,
    "state_width": 3,
    "task_width": 4,
    "task_layers": 2,
    "task_pretraining": 0,
    "node_width": 3,
    "edge_width": 4,
    "readout_width": 3,
    "dropout": 0.0,
    "batch_norm": True,
    "least_score": 0.1,
}


class NoEncoder(torch.nn.Module):
    width = WIDTH

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def context(edges=EDGES, scores=None, n_tasks: int = N_TASKS, without_graph: bool = False) -> TaskContext:
    index = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).t()
    scores = torch.ones(len(edges)) if scores is None else torch.tensor(scores)
    names = [f"task{i}" for i in range(n_tasks)]

    def seed_of(task: str, purpose: str = "head") -> int:
        return int(task[4:])

    return TaskContext(names, index, scores, seed_of, without_graph=without_graph)


def move_norms(model):
    """Batch norms that are not at their start, so that nothing of them can be left out."""
    for name, value in model.state_dict().items():
        if name.endswith(("weight", "bias", "running_mean")) and "norm" in name:
            value.normal_()
        if name.endswith("running_var"):
            value.uniform_(0.5, 2)
    return model


def slow(model, edges=EDGES) -> oracle.Network:
    own = {**dict(model.sgnn.named_parameters()), **dict(model.sgnn.named_buffers())}
    heads = {name: p for name, p in model.named_parameters() if "readout" in name}
    before = {name: value.clone() if "running" in name else value for name, value in own.items()}
    settings = model.sgnn.settings
    sizes = (settings.layers, settings.task_layers, settings.batch_norm, model.training)
    return oracle.Network({**before, **heads}, N_TASKS, edges, *sizes)
