"""The inner and outer loop of SAME against its algorithm, and the episodes that they learn from."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from relatask.encoders import residual_gcn
from relatask.inputs.parts_batch import GRAPH, NODE, PAIR, GraphParts, PartsBatch
from relatask.methods.same.adaptation import Inner, adapted, target_loss
from relatask.methods.same.episodes import Asked, Drawer, Episode, LevelLabels
from relatask.methods.same.meta import blocks
from relatask.methods.same.network import NAMES, LevelNetwork, Nodes
from relatask.nn.kinds import TaskKinds
from tests.helpers.level_graphs import label_table, parts_of, random_graphs
from tests.oracles import same as oracle

LAYERS, WIDTH, CLASSES = 3, 16, 3
WEIGHTS = {"graph": 1.0, "node": 0.5, "pair": 2.0}


@pytest.fixture(scope="module")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Drawer:
    tables = random_graphs(n_graphs=12)
    parts = parts_of(tables, tmp_path_factory.mktemp("parts"))
    nodes = label_table(tables, "node", len(parts.vectors))
    labels = LevelLabels(label_table(tables, "graph", 12), nodes, nodes[:, 0].long())
    return Drawer(parts, labels)


def network(parts: GraphParts, released: bool = False) -> LevelNetwork:
    """A small network in float64; its biases keep rows from being 0, where their length has no derivative."""
    torch.manual_seed(0)
    encoder = residual_gcn.build(parts.n_features, WIDTH, LAYERS)
    for layer in encoder.layers:
        nn.init.uniform_(layer.bias, 0.1, 0.5)
    kinds = TaskKinds(("class", "class", "binary"), (CLASSES, CLASSES, 1), torch.zeros(3), torch.ones(3))
    model = LevelNetwork(("graph", "node", "pair"), kinds, Nodes(encoder), released)
    return model.double()


def episodes(drawer: Drawer, n_graphs: int = 12, seed: int = 0) -> list[Episode]:
    """One episode of each level."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for level, graphs in zip((GRAPH, NODE, PAIR), blocks(torch.arange(n_graphs), 3), strict=True):
        episode = drawer.draw(level, graphs, generator)
        assert episode is not None
        # torch computes the cross-entropy of 0 and 1 in the type of the labels
        support, target = (
            replace(own, labels=own.labels.double()) for own in (episode.support, episode.target)
        )
        found.append(Episode(level, support, target, episode.same_graphs))
    return found


def questions(asked: Asked) -> list[oracle.Question]:
    """What is asked, graph by graph, for the oracle."""
    found, x = [], asked.x
    dense = torch.zeros(len(x.vectors), len(x.vectors), dtype=torch.float64)
    dense[x.receiver, x.source] = 1
    for graph in range(x.n_graphs):
        first, last = int(x.node_offsets[graph]), int(x.node_offsets[graph + 1])
        things: list[tuple[int, ...]] = []
        labels = []
        for level, ends, label in zip(
            x.level.tolist(), x.parts.tolist(), asked.labels[:, 0].tolist(), strict=True
        ):
            if level == GRAPH and ends[0] == graph:
                things.append(())
            elif level == NODE and first <= ends[0] < last:
                things.append((ends[0] - first,))
            elif level == PAIR and first <= ends[0] < last:
                things.append((ends[0] - first, ends[1] - first))
            else:
                continue
            labels.append(label)
        part = slice(first, last)
        found.append(oracle.Question(dense[part, part], x.vectors[part].double(), things, labels))
    return found


def outer_loss(model: LevelNetwork, found: list[Episode], inner: Inner) -> Tensor:
    """The sum that Algorithm 1 minimises, by the code."""
    return torch.stack([WEIGHTS[NAMES[own.level]] * target_loss(model, own, inner) for own in found]).sum()


@pytest.mark.parametrize("heads_alone", [False, True])
@pytest.mark.parametrize("steps", [1, 2])
def test_the_outer_loss_and_its_gradient_are_those_of_the_algorithm(
    drawer: Drawer, heads_alone: bool, steps: int
) -> None:
    model, found = network(drawer.parts), episodes(drawer)
    ours = outer_loss(model, found, Inner(heads_alone, 0.3, steps))
    encoder = dict(model.nodes.named_parameters())
    heads = {NAMES[level]: dict(model.head(level).named_parameters()) for level in (GRAPH, NODE, PAIR)}
    asked = {NAMES[own.level]: (questions(own.support), questions(own.target)) for own in found}
    right = oracle.outer_loss(encoder, heads, asked, 0.3, steps, heads_alone, LAYERS, WEIGHTS)
    torch.testing.assert_close(ours, right, rtol=1e-6, atol=1e-8)
    values = [value for value in model.parameters() if value.requires_grad]
    for own, gradient in zip(
        torch.autograd.grad(ours, values), torch.autograd.grad(right, values), strict=True
    ):
        torch.testing.assert_close(own, gradient, rtol=1e-5, atol=1e-8)
        assert gradient.abs().max() > 1e-6


@pytest.mark.parametrize("heads_alone", [False, True])
def test_the_meta_gradient_is_that_of_finite_differences(drawer: Drawer, heads_alone: bool) -> None:
    model, found = network(drawer.parts), episodes(drawer)
    inner = Inner(heads_alone, 0.3)
    values = [*model.parameters()]
    gradients = torch.autograd.grad(outer_loss(model, found, inner), values)
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):  # along random directions of all parameters
        direction = [torch.randn(value.shape, generator=generator, dtype=torch.float64) for value in values]
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                for value, way in zip(values, direction, strict=True):
                    value += sign * 1e-6 * way
            ends.append(float(outer_loss(model, found, inner).detach()))
            with torch.no_grad():
                for value, way in zip(values, direction, strict=True):
                    value -= sign * 1e-6 * way
        slope = sum(float((own * way).sum()) for own, way in zip(gradients, direction, strict=True))
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(slope, rel=1e-4)


def test_esame_moves_heads_alone_and_isame_everything(drawer: Drawer) -> None:
    model = network(drawer.parts)
    for episode in episodes(drawer):
        start = dict(model.nodes.named_parameters())
        first_head = dict(model.head(episode.level).named_parameters())
        encoder, head, _ = adapted(model, episode, Inner(heads_alone=True, step_size=0.3))
        assert all(encoder[name] is value for name, value in start.items())
        assert all((head[name] != value).any() for name, value in first_head.items())
        encoder, head, _ = adapted(model, episode, Inner(heads_alone=False, step_size=0.3))
        assert all((encoder[name] != value).any() for name, value in start.items())
        assert all((head[name] != value).any() for name, value in first_head.items())


def test_first_order_is_the_gradient_at_adapted_parameters_held_fixed(drawer: Drawer) -> None:
    model = network(drawer.parts)
    for episode in episodes(drawer):
        values = [*model.nodes.parameters(), *model.head(episode.level).parameters()]
        found = torch.autograd.grad(
            target_loss(model, episode, Inner(False, 0.3, second_order=False)), values
        )
        encoder, head, _ = adapted(model, episode, Inner(False, 0.3))
        moved = network(drawer.parts)
        with torch.no_grad():
            for module, own in ((moved.nodes, encoder), (moved.head(episode.level), head)):
                for name, value in module.named_parameters():
                    value.copy_(own[name])
        outputs = moved.head(episode.level)(moved.nodes(episode.target.x), episode.target.x)
        loss = moved.loss(episode.level, outputs, episode.target.labels)
        right = torch.autograd.grad(
            loss, [*moved.nodes.parameters(), *moved.head(episode.level).parameters()]
        )
        second = torch.autograd.grad(target_loss(model, episode, Inner(False, 0.3)), values)
        for own, gradient, other in zip(found, right, second, strict=True):
            torch.testing.assert_close(own, gradient)
            assert not torch.allclose(own, other)


def test_a_copy_for_each_task_has_the_same_gradient(drawer: Drawer) -> None:
    model, found = network(drawer.parts), episodes(drawer)

    def loss_of(episode: Episode, asked: Asked) -> object:
        def loss(copied: LevelNetwork) -> Tensor:
            outputs = copied.head(episode.level)(copied.nodes(asked.x), asked.x)
            return WEIGHTS[NAMES[episode.level]] ** 0 * copied.loss(episode.level, outputs, asked.labels)

        return loss

    losses = [(loss_of(own, own.support), loss_of(own, own.target)) for own in found]
    copied = oracle.copied_step(model, losses, 0.3)  # type: ignore[arg-type]
    total = torch.stack([target_loss(model, own, Inner(False, 0.3)) for own in found]).sum()
    ours = torch.autograd.grad(total, [*model.parameters()])
    for own, gradient in zip(ours, copied, strict=True):
        torch.testing.assert_close(own, gradient, rtol=1e-6, atol=1e-9)


def test_at_real_width_gradients_are_finite_and_of_one_scale(drawer: Drawer) -> None:
    torch.manual_seed(0)
    encoder = residual_gcn.build(drawer.parts.n_features, 256, LAYERS)
    kinds = TaskKinds(("class", "class", "binary"), (CLASSES, CLASSES, 1), torch.zeros(3), torch.ones(3))
    model = LevelNetwork(("graph", "node", "pair"), kinds, Nodes(encoder), released=False).double()
    outer_loss(model, episodes(drawer), Inner(False)).backward()
    sizes = [float(value.grad.norm()) for value in model.parameters() if value.grad is not None]
    assert len(sizes) == len([*model.parameters()])
    assert all(1e-5 < size < 100 for size in sizes)


def edges_of(x: PartsBatch) -> set[tuple[int, int]]:
    """The edges that carry messages, each once."""
    return {(min(ends), max(ends)) for ends in zip(x.source.tolist(), x.receiver.tolist(), strict=True)}


@pytest.mark.parametrize("first", [False, True])
def test_support_and_target_are_apart_and_of_the_released_shares(drawer: Drawer, first: bool) -> None:
    drawing = Drawer(drawer.parts, drawer.labels, first)
    graphs, generator = torch.tensor([7, 2, 5, 1]), torch.Generator().manual_seed(0)
    whole = drawing.draw(GRAPH, graphs, generator)
    assert whole is not None
    assert (whole.support.x.n_graphs, whole.target.x.n_graphs) == (2, 2)  # 0.6 of 4, rounded down
    assert torch.equal(whole.support.labels, drawer.labels.graphs[[7, 2]])

    nodes = drawing.draw(NODE, graphs, generator)
    assert nodes is not None
    x = nodes.support.x
    asked = [own.x.parts[:, 0].tolist() for own in (nodes.support, nodes.target)]
    assert sorted(asked[0] + asked[1]) == list(range(len(x.vectors)))
    true = torch.cat([drawer.labels.strata[drawer.nodes_of(graphs[[k]])] for k in range(4)])
    for graph in range(4):
        for kind in range(CLASSES):
            of_class = ((x.graph == graph) & (true == kind)).nonzero()[:, 0].tolist()
            chosen = [node for node in of_class if node in asked[0]]
            assert len(chosen) == int(0.3 * len(of_class) + 1e-9)
            assert not first or chosen == of_class[: len(chosen)]
    assert torch.equal(nodes.target.labels[:, 0].long(), true[asked[1]])

    pairs = drawing.draw(PAIR, graphs, generator)
    assert pairs is not None
    every = edges_of(drawer.parts.graphs(graphs))
    parts = {}
    for name, own in (("support", pairs.support), ("target", pairs.target)):
        ends = [tuple(pair) for pair in own.x.parts.tolist()]
        is_edge = own.labels[:, 0].tolist()
        parts[name] = (
            {pair for pair, edge in zip(ends, is_edge, strict=True) if edge},
            {pair for pair, edge in zip(ends, is_edge, strict=True) if not edge},
        )
        assert len(set(ends)) == len(ends)
        assert parts[name][0] <= every
        assert not parts[name][1] & every
    assert parts["support"][0] | parts["target"][0] == every
    assert not parts["support"][0] & parts["target"][0]
    assert not parts["support"][1] & parts["target"][1]
    # Only the support's edges carry messages, for both.
    assert edges_of(pairs.support.x) == edges_of(pairs.target.x) == parts["support"][0]


def test_episodes_follow_from_the_seed_and_differ_by_it(drawer: Drawer) -> None:
    one, again, other = (episodes(drawer, seed=seed)[1:] for seed in (0, 0, 1))
    for a, b, c in zip(one, again, other, strict=True):
        assert torch.equal(a.support.x.parts, b.support.x.parts)
        assert not torch.equal(a.support.x.parts, c.support.x.parts)


def test_each_graph_of_a_batch_serves_one_level() -> None:
    parts = blocks(torch.arange(16), 3)
    assert [len(own) for own in parts] == [6, 5, 5]
    assert torch.cat(parts).sort().values.tolist() == list(range(16))
    assert [len(own) for own in blocks(torch.arange(2), 3)] == [1, 1, 0]


def test_an_episode_that_would_be_empty_is_none(drawer: Drawer) -> None:
    generator = torch.Generator()
    assert drawer.draw(GRAPH, torch.tensor([3]), generator) is None
    assert drawer.draw(PAIR, torch.tensor([], dtype=torch.int64), generator) is None
