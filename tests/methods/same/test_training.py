"""The loops of SAME and of its baselines: what they learn from, where they part, what they refuse."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.data.prepared import PreparedDataset
from relatask.data.source_tables import SourceTables
from relatask.encoders import residual_gcn
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, train_run
from relatask.inputs.parts_batch import GRAPH, NODE
from relatask.methods.same import classical, scoring
from relatask.methods.same.episodes import Drawer, LevelLabels
from relatask.methods.same.network import LevelNetwork, Nodes, features
from relatask.nn.kinds import TaskKinds
from relatask.plan.spec import RunSpec
from relatask.sources.graph_parts.tables import GraphSet, LevelTask, Links, graph_tables
from tests.helpers.changed_data import scores, shuffled, trace, with_labels
from tests.helpers.data_tables import prepared_folder
from tests.helpers.level_graphs import label_table, on_levels, parts_of, random_graphs, write_levels
from tests.helpers.training_results import Killed, learned

SPLITS = {"random": {"seeds": (0,), "fractions": (0.6, 0.2, 0.2)}}
ROWS = [
    ("same", {}),
    ("same", {"adapts": "heads"}),
    ("same", {"protocol": "released"}),
    ("joint", {}),
    ("joint", {"finetuning": 0.5}),
    ("untrained", {}),
    ("attributes", {}),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    folder = tmp_path_factory.mktemp("levels")
    write_levels(folder, 20)
    return loaded(folder)


def loaded(folder: Path) -> PreparedDataset:
    return PreparedDataset.load(folder, "random-0", inputs="graph_parts")


def prepared(tables: SourceTables, folder: Path) -> PreparedDataset:
    return loaded(prepared_folder(folder, tables, ["graph_parts"], SPLITS))


def spec_of(method: str, options: dict[str, Any], **training: Any) -> RunSpec:
    spec = on_levels(method, **options)
    return replace(spec, training={**spec.training, **training}) if spec.encoder else spec


def train(spec: RunSpec, data: PreparedDataset, checkpoint: Checkpoint | None = None) -> RunResult:
    kept = checkpoint or Unsaved(Path("none.pt"), "")
    return train_run(spec, data, kept, lambda share, text: None, keep_weights=True)


class Unsaved(Checkpoint):
    """A checkpoint that is never written."""

    def due(self) -> bool:
        return False


def some_graphs(
    tasks: Callable[[np.random.Generator, int, int], list[LevelTask]], links: float = 0.3, chords: bool = True
) -> SourceTables:
    """Twenty graphs of six nodes in a ring; `tasks` draws labels of 20 graphs and 120 nodes."""
    rng, node = np.random.default_rng(0), np.arange(120)
    ring = np.sort(np.stack([node, node // 6 * 6 + (node + 1) % 6], 1), axis=1)
    edges = ring[np.lexsort(ring.T[::-1])] if chords else np.empty((0, 2), np.int64)
    vectors = rng.random((120, 3)).astype(np.float32)
    graphs = GraphSet([f"graph {number}" for number in range(20)], node // 6, vectors, edges)
    return graph_tables(graphs, tasks(rng, 20, 120), Links(links), {"source": "rings"})


def class_of_graph(rng: np.random.Generator, n_graphs: int, n_nodes: int) -> list[LevelTask]:
    return [LevelTask("graph class", "graph", rng.integers(2, size=n_graphs).astype(float), ("a", "b"))]


def rare_class(rng: np.random.Generator, n_graphs: int, n_nodes: int) -> list[LevelTask]:
    """Classes of nodes, of which one has a single node, and graphs of which half have no label."""
    labels = rng.integers(2, size=n_nodes).astype(float)
    labels[7] = 2
    (own,) = class_of_graph(rng, n_graphs, n_nodes)
    own.labels[::2] = np.nan
    return [own, LevelTask("node class", "node", labels, ("a", "b", "rare"))]


@pytest.mark.parametrize(
    "tables",
    [
        pytest.param(lambda: some_graphs(class_of_graph), id="no labels of nodes"),
        pytest.param(lambda: some_graphs(class_of_graph, 0), id="no links"),
        pytest.param(lambda: some_graphs(lambda *_: []), id="links alone"),
        pytest.param(lambda: some_graphs(rare_class), id="a class of one node, graphs without a label"),
        pytest.param(lambda: some_graphs(rare_class, 0, chords=False), id="no edge at all"),
    ],
)
def test_data_that_lack_something_are_learned_from(
    tables: Callable[[], SourceTables], tmp_path: Path
) -> None:
    own = prepared(tables(), tmp_path)
    for method, options in ROWS:
        result = train(spec_of(method, options), own)
        assert np.isfinite(result.predictions["score"]).all()
        if len(result.history):
            assert (result.history["train_loss"] > 0).all()
            assert result.history["valid_metric"].notna().all()


def test_a_node_that_is_alone_in_its_class_is_asked_and_never_shown(tmp_path: Path) -> None:
    tables = some_graphs(rare_class)
    nodes = label_table(tables, "node", 120)
    drawer = Drawer(parts_of(tables, tmp_path), LevelLabels(nodes[:20], nodes, nodes[:, 0].long()))
    for seed in range(5):
        episode = drawer.draw(NODE, torch.arange(20), torch.Generator().manual_seed(seed))
        assert episode is not None
        assert (2 in episode.support.labels, 2 in episode.target.labels) == (False, True)


def test_nodes_without_a_label_of_the_first_task_are_learned_from_by_the_others(tmp_path: Path) -> None:
    tables = some_graphs(rare_class)
    labels = torch.full((120, 2), torch.nan)
    labels[:60, 0] = 1  # of the first ten graphs
    labels[30:90, 1] = 0  # of ten others, five of them the same
    strata = labels[:, 0].nan_to_num(-1).long()
    drawer = Drawer(parts_of(tables, tmp_path), LevelLabels(labels[:20], labels, strata))
    for graph, asked in ((0, True), (7, True), (12, True), (17, False)):
        episode = drawer.draw(NODE, torch.tensor([graph]), torch.Generator().manual_seed(0))
        assert (episode is not None) == asked
        if episode is not None:
            assert (len(episode.support.labels), len(episode.target.labels)) == (1, 5)
            assert not torch.cat([episode.support.labels, episode.target.labels]).isnan().all(1).any()


@pytest.mark.parametrize(("method", "options"), ROWS)
def test_labels_of_held_out_graphs_and_of_their_parts_change_nothing(
    method: str, options: dict[str, Any], data: PreparedDataset
) -> None:
    spec = spec_of(method, options)
    first, tested = train(spec, data), train(spec, with_labels(data, "test", shuffled))
    assert tensor_bytes(first.weights) == tensor_bytes(tested.weights)
    assert scores(first).equals(scores(tested))
    assert trace(first).equals(trace(tested))
    validated = train(spec, with_labels(data, "valid", shuffled))
    assert first.history["train_loss"].tolist() == validated.history["train_loss"].tolist()
    learned_from = train(spec, with_labels(data, "train", shuffled))
    assert tensor_bytes(first.weights) != tensor_bytes(learned_from.weights)


@pytest.mark.parametrize(("method", "options"), ROWS)
def test_a_seed_gives_the_same_bytes_and_another_one_others(
    method: str, options: dict[str, Any], data: PreparedDataset
) -> None:
    spec = spec_of(method, options)
    first, second = train(spec, data), train(spec, data)
    assert tensor_bytes(first.weights) == tensor_bytes(second.weights)
    assert scores(first).equals(scores(second))
    if method != "attributes":  # which draws nothing
        assert tensor_bytes(first.weights) != tensor_bytes(train(replace(spec, seed=1), data).weights)


@pytest.mark.parametrize(
    ("method", "options"), [("same", {}), ("same", {"adapts": "heads"}), ("joint", {}), ("attributes", {})]
)
def test_what_attributes_tell_of_nodes_is_learned(
    method: str, options: dict[str, Any], data: PreparedDataset
) -> None:
    result = train(spec_of(method, options, epochs=20), data)
    nodes = result.predictions.query("task_id == 'node_class'")
    known = data.labels[:, [task.task_id for task in data.tasks].index("node_class")].numpy()
    place = {item: row for row, item in enumerate(data.item_ids.tolist())}
    true = known[[place[item] for item in nodes["item_id"]]]
    assert (nodes["score"].to_numpy() == true).mean() > 0.6  # of three classes


class Killing(Checkpoint):
    """A checkpoint after whose n-th save the process is killed."""

    def __init__(self, path: Path, saves: int):
        super().__init__(path, "digests")
        self.left = saves

    def save(self, in_flight: dict[str, Any] | None) -> None:
        super().save(in_flight)
        self.left -= 1
        if not self.left:
            raise Killed


# 12 training graphs in batches of 6 are two steps an epoch: the 4th ends the last epoch before encoders part,
# the 8th the last epoch of all.
@pytest.mark.parametrize("saves", [1, 4, 6, 8])
@pytest.mark.parametrize(("method", "options"), [("same", {}), ("joint", {}), ("joint", {"finetuning": 0.5})])
def test_a_killed_training_goes_on_to_the_same_bytes(
    method: str,
    options: dict[str, Any],
    saves: int,
    data: PreparedDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("relatask.engine.checkpoint.SECONDS", 0.0)
    monkeypatch.setattr("relatask.engine.checkpoint.LEAST_WORK", 0)
    spec, path = spec_of(method, options, epochs=4, batch_size=6), tmp_path / "run.pt"
    undisturbed = train(spec, data)
    with pytest.raises(Killed):
        train(spec, data, Killing(path, saves))
    assert Checkpoint(path, "digests").in_flight is not None
    again = train(spec, data, Checkpoint(path, "digests"))
    assert learned(again) == learned(undisturbed)
    assert again.predictions.equals(undisturbed.predictions)


def test_fine_tuning_starts_where_joint_training_ends_and_gives_each_level_its_encoder(
    data: PreparedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunSpec, "random_seed", RunSpec.data_seed)  # the same draws for both
    joint = train(spec_of("joint", {}, epochs=4), data)
    tuned = train(spec_of("joint", {"finetuning": 0.5}, epochs=4), data)
    both = [result.history["train_loss"].tolist() for result in (joint, tuned)]
    assert both[0][:2] == both[1][:2]
    assert both[0][3] != both[1][3]
    assert joint.weights is not None
    assert tuned.weights is not None
    assert not any(name.startswith("own.") for name in joint.weights)
    name = "encoder.layers.0.weight"
    shared = tuned.weights[f"nodes.{name}"]
    own = [tuned.weights[f"own.{level}.{name}"] for level in ("graph", "node", "pair")]
    for place, value in enumerate(own):
        assert not torch.equal(value, shared)
        assert not any(torch.equal(value, other) for other in own[:place])


@pytest.mark.parametrize(("epochs", "finetuning"), [(1, 0.5), (4, 0.01), (2, 0.99)])
def test_encoders_part_before_the_last_epoch_however_few_there_are(
    epochs: int, finetuning: float, data: PreparedDataset
) -> None:
    spec = spec_of("joint", {"finetuning": finetuning}, epochs=epochs)
    result = train(spec, data)
    assert result.weights is not None
    name = "encoder.layers.0.weight"
    assert not torch.equal(result.weights[f"nodes.{name}"], result.weights[f"own.graph.{name}"])
    # The trained model, which always reads own encoders, scores as the training did.
    (problem,) = problems_of(spec, data, False)
    found = classical.predictor(problem, result.weights)(problem.rows("test"))
    saved = result.predictions.query("fold == 'test'").pivot(
        index="item_id", columns="task_id", values="score"
    )
    ids = data.item_ids[problem.rows("test")].tolist()
    for column, task in enumerate(problem.task_ids):
        right = saved[task].reindex(ids).to_numpy()
        known = ~np.isnan(right)
        np.testing.assert_allclose(found[:, column].numpy()[known], right[known], rtol=1e-6)


def test_what_no_step_can_learn_from_is_refused(data: PreparedDataset, tmp_path: Path) -> None:
    said = (
        "a step has 3 graphs, too few for an episode of each of 3 levels; set training.batch_size to 4 or mo"
    )
    with pytest.raises(RelataskError, match=said):
        train(spec_of("same", {}, batch_size=3), data)
    assert len(train(spec_of("same", {}, batch_size=4, epochs=1), data).history)
    train(spec_of("same", {"trains": "pair"}, batch_size=1, epochs=1), data)
    without = prepared(some_graphs(class_of_graph, 0), tmp_path)
    for method in ("same", "joint"):
        for trains, level in (("node", "node"), ("graph_pair", "pair")):
            said = f"option trains is '{trains}', but there is no task of level {level}; choose another"
            with pytest.raises(RelataskError, match=said):
                train(spec_of(method, {"trains": trains}), without)


def test_tasks_that_same_does_not_know_are_refused() -> None:
    encoder = Nodes(residual_gcn.build(3, 4, 1))
    kinds = TaskKinds.binary(2)
    with pytest.raises(RelataskError, match="there is one of level 'molecule'; use a source that has these"):
        LevelNetwork(("graph", "molecule"), kinds, encoder, released=False)
    with pytest.raises(RelataskError, match="SAME has one task of pairs: whether there is an edge"):
        LevelNetwork(("pair", "pair"), kinds, encoder, released=False)


@pytest.mark.parametrize(("method", "options"), ROWS[:5])
def test_half_precision_and_patience_end_with_finite_scores(
    method: str, options: dict[str, Any], data: PreparedDataset
) -> None:
    spec = spec_of(method, options, precision="bf16", patience=1, epochs=12)
    result = train(spec, data)
    assert np.isfinite(result.predictions["score"]).all()
    assert result.history["valid_metric"].notna().all()
    assert len(result.history) < 12
    assert (
        result.history["train_loss"].tolist()
        != train(replace(spec, training={**spec.training, "precision": "fp32"}), data)
        .history["train_loss"]
        .tolist()
    )


def test_scores_do_not_depend_on_how_many_nodes_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(random_graphs(), tmp_path)
    rows = torch.randperm(len(parts), generator=torch.Generator().manual_seed(0))[:90]
    torch.manual_seed(0)
    encoder = residual_gcn.build(parts.n_features, 8, 2).double()
    sizes = parts.node_offsets.diff()

    def read() -> tuple[list[int], dict[int, Tensor]]:
        with torch.inference_mode():
            found = scoring.by_level(parts, rows, lambda x, _: encoder.states(x), features)
        together = {level: values[places.argsort()] for level, (places, values) in found.items()}
        return scoring.runs_of(sizes), together

    (whole, once), parted = read(), {}
    assert whole == [20]
    for nodes in (1, 17, 40):
        monkeypatch.setattr(scoring, "NODES", nodes)
        parted, several = read()
        assert sum(parted) == 20
        assert nodes > 1 or parted == [1] * 20
        starts = np.cumsum([0, *parted])
        for first, last in pairwise(starts):
            assert int(sizes[first:last].sum()) <= nodes + int(sizes.max())
        for level, values in once.items():
            torch.testing.assert_close(several[level], values)
    assert scoring.runs_of(torch.tensor([0, 0, 3, 0])) == [4]  # graphs without a node
    assert GRAPH in once
