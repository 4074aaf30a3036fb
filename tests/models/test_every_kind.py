"""Models of series, images, vectors, measured values, classes and groups predict elsewhere as their runs did.

Methods of molecules with labels of 0 and 1 are in test_trained_models.py.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import relatask
from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.plugins import load_file
from relatask.core.registry import capabilities, catalogue
from relatask.core.tables import read_table, write_table
from relatask.data.prepared import PreparedDataset
from relatask.data.source_tables import SourceContext, source_tables
from relatask.encoders.resnet import build
from relatask.engine.problem import problems_of
from relatask.methods.few_shot.episodes import evaluated_episodes
from relatask.plan.spec import RunSpec
from relatask.sources.images.coco import coco_tables
from relatask.sources.point_series import series_tables
from tests.helpers.class_layouts import write_omniglot
from tests.helpers.coco_layout import write_layout
from tests.helpers.data_tables import labels_table, prepared_folder, source_of, tasks_table, write_records
from tests.helpers.level_graphs import on_levels, write_levels
from tests.helpers.node_graphs import on_nodes, write_nodes
from tests.helpers.prepared_dataset import is_installed, make_spec, random_labels
from tests.models.molecule_data import SPECS as BINARY
from tests.models.molecule_data import ask_elsewhere, predictions_of, train, write_molecules

FRACTIONS = (0.6, 0.2, 0.2)
SERIES = ("wind (m/s)", "load", "Öl")  # in no alphabetical order, and with names that are no task ids
SERIES_IDS = ("wind_m_s", "load", "Ol")
SCALE = np.array([10.0, 0.1, 3.0])  # of the series, far from that of standardised values
WINDOW, HORIZON = 6, 4
EPISODE = {"ways": 3, "shots": 2, "queries": 4, "evaluated": 3}
RESNET = {"depth": 12, "width": 2, "weights": "", "normalise": False}
CLASSES = ("red", "green", "blue")
MADE_OF = {
    "shared_bottom on nodes": "nodes of one graph",
    "shared_bottom on vectors": "vectors that the source gives",
    "prototypes": "pixels of images",
}
GROUPS = {"gains": "mine", "strategy": "HOA", "rounds": None, "budget": 2, "seed": 0}


def forecaster(tasks: object = "all", **changes: object) -> RunSpec:
    encoder = {"series": 3, "window": WINDOW, "width": 8, "layers": 1, "dropout": 0.1}
    options = {"options": {"horizon": HORIZON}, "encoder_options": encoder}
    return make_spec("forecaster", "series_mlp", split="chronological", tasks=tasks, **options, **changes)


def prototypes(layers: int, pretraining: int = 0) -> RunSpec:
    options = {"layers": layers, "pretraining": pretraining, "episodes": 4}
    return make_spec(
        "prototypes",
        "resnet",
        split="grouped",
        options=options,
        encoder_options=RESNET,
        episodes=EPISODE,
        training={"epochs": 2, "batch_size": 4},
    )


def photographs(method: str, **changes: object) -> RunSpec:
    encoder = {**RESNET, **changes}
    spec = make_spec(method, "resnet", split="given", training={"epochs": 2}, encoder_options=encoder)
    relational = {"setting": "relational", "support": 6} if method == "metalink" else {}
    return replace(spec, method=spec.method.with_options(**relational))


def on_vectors(method: str) -> RunSpec:
    options = {"features": 5, "width": 8, "layers": 1, "dropout": 0.1}
    return make_spec(method, "mlp", split="random", encoder_options=options)


def on_texts(method: str, **changes: object) -> RunSpec:
    options = {"width": 4, "embedding": 3, "max_words": 5, "min_texts": 2, "dropout": 0.1, "vectors": ""}
    return make_spec(method, "lstm", split="random", encoder_options=options, **changes)


# Name -> the kind of data and the run.
RUNS: dict[str, tuple[str, RunSpec]] = {
    "forecaster of all": ("series", forecaster()),
    "forecaster of two": ("series", forecaster(("Ol", "wind_m_s"))),
    "forecaster of groups": ("series", forecaster(groups=GROUPS)),
    "forecaster, an ensemble": ("series", forecaster(ensemble=2)),
    "prototypes": ("drawings", prototypes(0)),
    "prototypes with layers": ("drawings", prototypes(2)),
    "prototypes, pretrained": ("drawings", prototypes(0, 1)),
    "shared_bottom on images": ("photographs", photographs("shared_bottom")),
    "shared_bottom on images from given weights": (
        "photographs",
        photographs("shared_bottom", weights="weights.pt"),
    ),
    "metalink on images from given weights": ("photographs", photographs("metalink", weights="weights.pt")),
    "metalink on images": ("photographs", photographs("metalink")),
    "shared_bottom on vectors": ("vectors", on_vectors("shared_bottom")),
    "metalink on vectors": ("vectors", on_vectors("metalink")),
    "shared_bottom on texts": ("texts", on_texts("shared_bottom")),
    "an ensemble on texts from given vectors": ("texts", on_texts("shared_bottom", ensemble=2)),
    "metalink on texts": ("texts", on_texts("metalink")),
    "shared_bottom on nodes": ("nodes", on_nodes("shared_bottom", "degree")),
    "mitten on nodes": ("nodes", on_nodes("mitten", "random_walk")),
    "single_task on nodes": ("nodes", on_nodes("single_task", "identity")),
    "shared_bottom on nodes with vectors": ("nodes", on_nodes("shared_bottom", "vectors")),
    "metalink on nodes": ("nodes", on_nodes("metalink", "random_walk")),
    "metalink on nodes by identity": ("nodes", on_nodes("metalink", "identity")),
    "shared_bottom on levels": ("levels", on_levels("shared_bottom")),
    "iSAME on levels": ("levels", on_levels("same")),
    "eSAME of nodes on levels": ("levels", on_levels("same", adapts="heads", trains="node")),
    "SAME as released on levels": ("levels", on_levels("same", protocol="released")),
    "joint on levels": ("levels", on_levels("joint")),
    "joint, fine-tuned on levels": ("levels", on_levels("joint", finetuning=0.5)),
    "joint of graphs and pairs, by classifiers": (
        "levels",
        on_levels("joint", trains="graph_pair", reads="linear"),
    ),
    "untrained on levels": ("levels", on_levels("untrained")),
    "attributes on levels": ("levels", on_levels("attributes")),
    "groups": ("groups", make_spec(groups=GROUPS)),
    **{
        f"{method} of values and classes": (
            "mixed",
            make_spec(method, "gin" if capabilities("methods", method).uses_encoder else None),
        )
        for method in ("shared_bottom", "single_task", "random_forest", "gradient_boosting")
    },
    **{
        f"{method} of values and classes": ("mixed", make_spec(method, "gcn"))
        for method in ("mitten", "cross_stitch", "mmoe", "cgc", "dselect_k", "acs")
    },
    "pairwise_kernel of values": (
        "mixed",
        make_spec("pairwise_kernel", None, tasks=("task0", "task1", "task2")),
    ),
}


def test_every_method_and_encoder_is_asked_elsewhere_with_each_kind_of_task_that_it_learns() -> None:
    binary = [(spec.method.name, spec.encoder) for spec in BINARY.values()]
    other = [(spec.method.name, spec.encoder) for _, spec in RUNS.values()]
    named = "add a run of it to RUNS here, or to SPECS of test_trained_models.py"
    lost = {*catalogue("methods")} - {method for method, _ in binary + other}
    assert not lost, f"no model of these methods is asked: {named}"
    encoders = {name for name, one in catalogue("encoders").items() if is_installed(one.extra)}
    lost = encoders - {encoder.name for _, encoder in binary + other if encoder}
    assert not lost, f"no model with these encoders is asked: {named}"
    kinds = {"series": {"real"}, "drawings": {"class"}, "mixed": {"binary", "real", "class"}}
    kinds["levels"] = {"binary", "class"}
    asked = {(method, "binary") for method, _ in binary}
    asked |= {
        (spec.method.name, kind) for data, spec in RUNS.values() for kind in kinds.get(data, {"binary"})
    }
    learned = {(name, kind) for name, one in catalogue("methods").items() for kind in one.kinds}
    assert not learned - asked, f"no model of these methods and kinds is asked: {named}"


def write_series(folder: Path) -> pd.DataFrame:
    """Write a data set of three waves; return what the user's file holds before the test fold."""
    time = np.arange(110)[:, None]
    noise = 0.1 * np.random.default_rng(0).normal(size=(110, 3))
    values = 20 + SCALE * (np.sin(time / np.array([3, 5, 7])) + noise)
    tables = series_tables([str(number) for number in range(110)], SERIES, values, FRACTIONS)
    prepared_folder(folder, tables, ["series"], {"chronological": {"seeds": [0], "fractions": FRACTIONS}})
    write_groups(
        folder.parent / "study", {0: {"Ol": True, "load": False}, 1: {"load": True, "wind_m_s": True}}
    )
    known = pd.DataFrame(values[:88], columns=list(SERIES)).assign(date="some time")
    return known[[*sorted(SERIES), "date"]].rename(columns={"Öl": "Ol"})  # a name or an id, in any order


def write_drawings(folder: Path) -> None:
    source = source_of(
        reader="omniglot", path=str(write_omniglot(folder.with_name("drawings"))), image_size=16
    )
    tables = load_file(source.record).prepare(source, SourceContext("small", schemes=("grouped",)))
    prepared_folder(folder, tables, ["image"], {"grouped": {"seeds": (0,), "fractions": (0.5, 0.25, 0.25)}})


def write_photographs(folder: Path) -> None:
    layout = write_layout(folder.with_name("photographs"), n_drawn=2)
    splits = {"given": {"seeds": (0,), "fractions": (0.8, 0.1, 0.1)}}
    prepared_folder(folder, coco_tables(layout, 32), ["image"], splits)


def write_vectors(folder: Path) -> None:
    labels = random_labels(60, 3)
    item, task = np.nonzero(~np.isnan(labels))
    vectors = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    cells = pd.DataFrame({"item": item, "task": task, "value": labels[item, task]})
    names = pd.DataFrame({"name": [f"task{number}" for number in range(3)]})
    tables = source_tables(pd.DataFrame({"vector": list(vectors)}), names, cells, "node")
    prepared_folder(folder, tables, ["vectors"], {"random": {"seeds": (0,), "fractions": FRACTIONS}})


def write_texts(folder: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abcdefghij"), 1 + item % 7)) for item in range(60)]
    labels = random_labels(60, 3)
    item, task = np.nonzero(~np.isnan(labels))
    cells = pd.DataFrame({"item": item, "task": task, "value": labels[item, task]})
    names = pd.DataFrame({"name": [f"task{number}" for number in range(3)]})
    tables = source_tables(pd.DataFrame({"text": texts}), names, cells, "text")
    prepared_folder(folder, tables, ["words"], {"random": {"seeds": (0,), "fractions": FRACTIONS}})
    (folder.parents[1] / "vectors.txt").write_text("a 1 2 3\nb 4 5 6\n")


def write_mixed(folder: Path) -> None:
    """Write molecules with tasks of all kinds: values with bounds, one that is always the same, classes."""
    write_molecules(folder, 5)
    size = read_table("items", folder / "items.parquet")["smiles"].str.len().to_numpy(float)
    values = random_labels(len(size), 5)
    there = ~np.isnan(values)
    values[:, 1], values[:, 2], values[:, 3], values[:, 4] = 1000 + 50 * size, -7.5, size % 3, 1.0
    item, task = np.nonzero(there)
    bounds = np.where((task == 1) & (item % 7 == 0), ">", "=")
    ids = np.array([f"task{number}" for number in range(5)])
    kinds = ["binary", "real", "real", "class", "class"]
    tasks = tasks_table(
        list(ids), kind=kinds, unit=[None, "nM", "mV", None, None], n_classes=[None, None, None, 3, 3]
    )
    write_table("tasks", tasks, folder / "tasks.parquet")
    write_table(
        "labels", labels_table(item, ids[task], values[item, task], bounds), folder / "labels.parquet"
    )
    names = [(task_id, number, name) for task_id in ids[3:] for number, name in enumerate(CLASSES)]
    classes = pd.DataFrame(names, columns=["task_id", "value", "name"]).astype({"value": np.int32})
    write_table("classes", classes, folder / "classes.parquet")
    write_records(folder)


def write_grouped(folder: Path) -> None:
    write_molecules(folder)
    groups = {0: {"task1": True, "task2": True}, 1: {"task0": True, "task1": False}}
    write_groups(folder.parent / "study", groups)


def write_groups(study: Path, groups: dict[int, dict[str, bool]]) -> None:
    """Write table groups: group -> task -> whether the group serves it."""
    zeros = dict.fromkeys(("estimate", "valid_gain", "test_gain"), 0.0)
    rows = [
        {**GROUPS, "group": group, "task_set_id": "x", "task_id": task, "serves": serves, **zeros}
        for group, members in groups.items()
        for task, serves in members.items()
    ]
    frame = pd.DataFrame(rows).drop(columns="gains").astype({"rounds": "Int32"})
    write_table("groups", frame, study / "groups" / "mine.parquet")


WRITERS: dict[str, Callable[[Path], object]] = {
    "series": write_series,
    "drawings": write_drawings,
    "photographs": write_photographs,
    "vectors": write_vectors,
    "nodes": partial(write_nodes, vectors=5),
    "levels": write_levels,
    "texts": write_texts,
    "mixed": write_mixed,
    "groups": write_grouped,
}


@dataclass(frozen=True)
class Asked:
    """What a model was asked elsewhere, and what its run predicted.

    Attributes:
        folder: with the model, the items, and the answers.
        expected: table "predictions" of the test fold.
        study: of the run, moved away before the model was asked.
    """

    folder: Path
    expected: pd.DataFrame
    study: Path

    def answers(self) -> dict[int, pd.DataFrame]:
        """Pass -> the answer; 0 where the run has one pass."""
        files = sorted(self.folder.glob("answer*.parquet"))
        return {int(file.stem.partition("-")[2] or 0): pd.read_parquet(file) for file in files}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asked]:
    """Train all, move results and images away, and ask the models in another process."""
    found: dict[str, Asked] = {}
    roots = []
    for data, write in WRITERS.items():
        root = tmp_path_factory.mktemp(data)
        roots.append(root)
        written = write(root / "results" / "small")
        weights = root / "weights.pt"
        torch.save(build(12, 2).state_dict(), weights)
        for name, (kind, spec) in RUNS.items():
            if kind != data:
                continue
            if spec.encoder is not None and spec.encoder.options.get("weights"):
                spec = replace(spec, encoder=spec.encoder.with_options(weights=str(weights)))
            if name.endswith("from given vectors"):
                spec = replace(spec, encoder=spec.encoder.with_options(vectors=str(root / "vectors.txt")))
            study = train(root / "results", [spec])
            folder = tmp_path_factory.mktemp("away")
            shutil.copytree(study / "runs" / spec.run_id / "model", folder / "model")
            expected = predictions_of(study, spec)
            ask(folder, study / "runs" / spec.run_id, spec, expected, written)
            found[name] = Asked(folder, expected, root / "gone" / "study")
    for root in roots:
        (root / "results").rename(root / "gone")
        for images in ("drawings", "photographs"):
            shutil.rmtree(root / "results" / images, ignore_errors=True)
            shutil.rmtree(root / "gone" / images, ignore_errors=True)
        (root / "weights.pt").unlink()
        (root / "vectors.txt").unlink(missing_ok=True)
    ask_elsewhere([one.folder for one in found.values()])
    return found


def ask(folder: Path, entry: Path, spec: RunSpec, expected: pd.DataFrame, written: object) -> None:
    """Write the items that a model shall be asked about, and what is known of them, as a user would."""
    if isinstance(written, pd.DataFrame):  # of a forecaster: what was measured before the test fold
        written.to_parquet(folder / "items.parquet")
        return
    items = read_table("items", entry.parents[2] / "small" / "items.parquet").set_index("item_id")
    if spec.episodes:
        write_episode(folder, entry.parents[2] / "small", spec, items)
        return
    ids = expected["item_id"].unique()
    columns = ("level", "parent", "smiles", "vector", "text", "neighbours", "ends", "file", "content", "size")
    chosen = items[[name for name in columns if name in items]]
    of_graph = "neighbours" in items  # a node is known by its graph, so all are asked about, in any order
    chosen = (chosen.sample(frac=1, random_state=0) if of_graph else chosen.loc[ids]).reset_index()
    if "file" in chosen:
        chosen = with_own_images(chosen, folder, spec)
    chosen.to_parquet(folder / "items.parquet")
    known = entry / "known_labels.parquet"
    if known.exists():
        write_known(folder, entry, read_table("known_labels", known), chosen)


def with_own_images(items: pd.DataFrame, folder: Path, spec: RunSpec) -> pd.DataFrame:
    """Return items whose images lie elsewhere: as files, or for MetaLink as contents of a table."""
    if spec.method.name == "metalink":
        contents = [Path(file).read_bytes() for file in items["file"]]
        return items.assign(content=pd.Series(contents, dtype=object), file="gone.jpg")
    files = [shutil.copy(file, folder) for file in items["file"]]
    return items.drop(columns="content").assign(file=files)


def write_known(folder: Path, entry: Path, cells: pd.DataFrame, items: pd.DataFrame) -> None:
    """Write for each pass what the run knew of the test items in it."""
    labels = read_table("labels", entry.parents[2] / "small" / "labels.parquet")
    value_of = labels.astype({"task_id": str}).set_index(["item_id", "task_id"])["value"]
    tasks = read_table("tasks", entry.parents[2] / "small" / "tasks.parquet")["task_id"]
    cells = cells.astype({"task_id": str})
    cells = cells[(cells["fold"] == "test") & cells["item_id"].isin(items["item_id"])]
    for number in sorted(set(cells["predicted_in"]) - {-1}):
        table = pd.DataFrame(np.nan, index=items["item_id"], columns=list(tasks))
        own = cells[cells["known_in"] & (1 << int(number)) != 0]
        for item, task in zip(own["item_id"], own["task_id"], strict=True):
            table.loc[item, task] = value_of[item, task]
        table.reset_index(drop=True).to_parquet(folder / f"known-{number}.parquet")
    cells[cells["predicted_in"] >= 0].to_parquet(folder / "passes.parquet")


def write_episode(folder: Path, dataset: Path, spec: RunSpec, items: pd.DataFrame) -> None:
    """Write the images of the first test episode in an order of their own, and the class of those shown."""
    data = PreparedDataset.load(dataset, "grouped-0", inputs="none")
    (problem,) = problems_of(spec, data, per_task=False)
    episode = data.item_ids[evaluated_episodes(problem, "test")[0]].tolist()
    rows = [(item, f"w{way}") for way, own in enumerate(episode) for item in own[: EPISODE["shots"]]]
    rows += [(item, None) for own in episode for item in own[EPISODE["shots"] :]]
    rows = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
    chosen = items.loc[[item for item, _ in rows], ["file", "content", "turns", "size"]].reset_index()
    assert chosen["content"].notna().all()
    chosen.to_parquet(folder / "items.parquet")
    pd.DataFrame({"class": [name for _, name in rows]}).to_parquet(folder / "known-0.parquet")


def of_data(*kinds: str) -> list[str]:
    return [name for name, (kind, _) in RUNS.items() if kind in kinds]


@pytest.mark.parametrize("name", of_data("series"))
def test_a_forecast_continues_a_table_of_series_in_their_own_units(
    asked: dict[str, Asked], name: str
) -> None:
    one = asked[name]
    (answer,) = one.answers().values()
    assert len(answer) == HORIZON
    assert set(answer.columns) == set(one.expected["task_id"])
    first = sorted(one.expected["item_id"].unique())[:HORIZON]
    values = one.expected.set_index(["task_id", "item_id"])["score"]
    items = pd.read_parquet(one.folder / "items.parquet")
    train_rows = items.iloc[:66]
    for series, task in zip(SERIES, SERIES_IDS, strict=True):
        if task in answer:
            own = train_rows[series if series in items else task].to_numpy()
            expected = values.loc[task].loc[first] * own.std() + own.mean()
            np.testing.assert_allclose(answer[task], expected, rtol=1e-6)


@pytest.mark.parametrize("name", of_data("drawings"))
def test_images_of_an_episode_get_the_classes_that_its_run_gave_them(
    asked: dict[str, Asked], name: str
) -> None:
    one = asked[name]
    (answer,) = one.answers().values()
    ids = pd.read_parquet(one.folder / "items.parquet")["item_id"]
    known = pd.read_parquet(one.folder / "known-0.parquet")["class"]
    own = one.expected[one.expected["task_id"] == "episode00000"].set_index("item_id")["score"]
    assert known.notna().sum() == EPISODE["ways"] * EPISODE["shots"]
    expected = [
        shown if isinstance(shown, str) else f"w{own[item]:.0f}"
        for item, shown in zip(ids, known, strict=True)
    ]
    assert answer["class"].tolist() == expected
    assert answer["reason"].isna().all()


@pytest.mark.parametrize(
    "name", of_data("photographs", "vectors", "nodes", "levels", "texts", "groups", "mixed")
)
def test_items_of_any_kind_get_the_predictions_of_their_run(asked: dict[str, Asked], name: str) -> None:
    one = asked[name]
    answers, passes = one.answers(), one.folder / "passes.parquet"
    pass_of: dict[tuple[int, str], int] = {}
    if passes.exists():
        cells = pd.read_parquet(passes)
        keys = zip(cells["item_id"], cells["task_id"], strict=True)
        pass_of = dict(zip(keys, cells["predicted_in"], strict=True))
    ids = pd.read_parquet(one.folder / "items.parquet")["item_id"]
    tables = {number: answer.set_index(ids) for number, answer in answers.items()}
    found = [
        tables[pass_of.get((row.item_id, row.task_id), 0)].loc[row.item_id, row.task_id]
        for row in one.expected.itertuples()
    ]
    named = ("task3", "task4", "graph_class", "node_class")
    classes = [task for task in named if (one.expected["task_id"] == task).any()]
    of_class = one.expected["task_id"].isin(classes).to_numpy()
    names = [CLASSES[int(score)] for score in one.expected["score"][of_class]]
    assert np.array(found, object)[of_class].tolist() == names
    scores = np.array(found, object)[~of_class].astype(float)
    np.testing.assert_allclose(scores, one.expected["score"][~of_class], rtol=1e-6, atol=1e-6)
    assert len(scores) > 10


@pytest.mark.parametrize("name", of_data("mixed"))
def test_a_value_is_in_the_unit_of_its_task_and_a_bound_is_no_answer(
    asked: dict[str, Asked], name: str
) -> None:
    model = relatask.load(str(asked[name].folder / "model"))
    answer = model.predict(["CCO", "no molecule", "c1ccccc1C(=O)O"])
    assert answer["task1"].dropna().between(1000, 5000).all()
    np.testing.assert_allclose(answer["task2"].dropna(), -7.5, atol=0.3)
    if model.trained.record.learned_alone:  # of a task whose labels are all the same
        assert answer["task4"].tolist() == ["green", None, "green"]
    tasks = model.trained.record.tasks
    assert [task.unit for task in tasks] == [None, "nM", "mV", None, None][: len(tasks)]
    known = pd.DataFrame({"task1": [1200.0, None, None]})
    assert model.predict(["CCO", "CC", "CN"], known)["task1"].iloc[0] == 1200.0
    if "task3" in model.task_ids:
        assert answer["task3"].dropna().isin(CLASSES).all()
        known = pd.DataFrame({"task3": [None, None, "blue"]})
        assert model.predict(["CCO", "CC", "CN"], known)["task3"].iloc[2] == "blue"


def test_groups_predict_their_tasks_in_the_order_of_the_data_set(asked: dict[str, Asked]) -> None:
    model = relatask.load(str(asked["groups"].folder / "model"))
    assert model.task_ids == ["task0", "task1", "task2"]
    assert [member.serves for member in model.trained.record.members] == [("task1", "task2"), ("task0",)]


def test_what_no_forecaster_can_read_is_refused_by_name(asked: dict[str, Asked]) -> None:
    one = asked["forecaster of all"]
    model = relatask.load(str(one.folder / "model"))
    table = pd.read_parquet(one.folder / "items.parquet")
    for items, message in (
        (["1", "2"], "a forecaster reads a table with a column for each series"),
        (table.drop(columns="load"), "the table lacks the series 'load', which the model reads"),
        (table.iloc[:5], "the table has 5 points, the model reads 6; give more"),
        (
            table.assign(load=table["load"].where(table.index != 85)),
            "series 'load', row 86 of 88: 'nan' is no",
        ),
        (table.assign(load="high"), "series 'load', row 83 of 88: 'high' is no number"),
    ):
        with pytest.raises(RelataskError, match=message):
            model.predict(items)
    early = table.assign(load=table["load"].where(table.index != 3))
    pd.testing.assert_frame_equal(model.predict(early), model.predict(table))  # which the model does not read


def test_few_shot_learning_without_shown_images_is_refused(asked: dict[str, Asked]) -> None:
    one = asked["prototypes"]
    model = relatask.load(str(one.folder / "model"))
    items, known = (pd.read_parquet(one.folder / f"{name}.parquet") for name in ("items", "known-0"))
    with pytest.raises(RelataskError, match="few-shot learning needs `known`: one column, the class of"):
        model.predict(items)
    with pytest.raises(RelataskError, match="must show two classes or more, each by the same number"):
        model.predict(items, known.where(known == "w2"))
    with pytest.raises(RelataskError, match="known has 3 rows for 18 items"):
        model.predict(items, known.iloc[:3])


def test_images_without_what_they_are_read_from_are_refused(asked: dict[str, Asked]) -> None:
    one = asked["shared_bottom on images"]
    model = relatask.load(str(one.folder / "model"))
    items = pd.read_parquet(one.folder / "items.parquet")
    with pytest.raises(RelataskError, match="the items have no column 'size'; images need `file`, a path"):
        model.predict(items[["file"]])
    with pytest.raises(RelataskError, match=r"gone\.jpg does not exist"):
        model.predict(items.assign(file="gone.jpg"))


@pytest.mark.parametrize("name", ["shared_bottom on nodes", "shared_bottom on vectors", "prototypes"])
def test_a_plain_list_is_refused_where_items_are_more_than_a_text(
    asked: dict[str, Asked], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = asked[name].folder / "model"
    model = relatask.load(str(folder))
    assert model.column == ""
    with pytest.raises(RelataskError, match=f"the model reads {MADE_OF[name]}.*; give a table of the it"):
        model.predict(["alice", "bob"])
    (tmp_path / "new.csv").write_text("smiles\nCCO\n", encoding="utf-8")
    assert main(["predict", str(folder), str(tmp_path / "new.csv"), "-o", str(tmp_path / "out.csv")]) == 2
    assert "reads more than a column of SMILES or texts; ask it in Python" in capsys.readouterr().err


def test_a_table_without_the_column_that_a_model_reads_is_refused(asked: dict[str, Asked]) -> None:
    model = relatask.load(str(asked["shared_bottom of values and classes"].folder / "model"))
    with pytest.raises(RelataskError, match=r"no column 'smiles', .* reads\. Did you mean 'smile'"):
        model.predict(pd.DataFrame({"smile": ["CCO"]}))


def test_an_item_without_an_id_has_one_of_its_content(asked: dict[str, Asked]) -> None:
    one = asked["metalink on vectors"]
    model = relatask.load(str(one.folder / "model"))
    items = pd.read_parquet(one.folder / "items.parquet")[["vector"]]
    together = model.predict(items)[model.task_ids].to_numpy(float)
    reverse = model.predict(items.iloc[::-1])[model.task_ids].to_numpy(float)
    np.testing.assert_allclose(together, reverse[::-1], atol=1e-6)


@pytest.mark.parametrize("name", of_data("texts"))
def test_texts_are_read_by_the_words_of_the_training_texts(asked: dict[str, Asked], name: str) -> None:
    model = relatask.load(str(asked[name].folder / "model"))
    found = model.predict(["A, b", "a b", " ...", "a never", "a heard"])
    values = found[model.task_ids].to_numpy(float)
    np.testing.assert_allclose(values[0], values[1], atol=1e-6)
    assert found["reason"].tolist() == [None, None, "empty text: it has no word", None, None]
    assert np.isnan(values[2]).all()
    np.testing.assert_allclose(values[3], values[4], atol=1e-6)
    assert not np.allclose(values[1], values[3])
    table = pd.DataFrame({"text": ["a b", None]}, index=[7, 9])
    pd.testing.assert_frame_equal(
        model.predict(table)[model.task_ids].loc[[7]].reset_index(drop=True),
        found[model.task_ids].iloc[[1]].reset_index(drop=True),
    )


def test_a_model_of_texts_without_its_vocabulary_is_refused(asked: dict[str, Asked], tmp_path: Path) -> None:
    folder = shutil.copytree(asked["shared_bottom on texts"].folder / "model", tmp_path / "model")
    (folder / "learned.json").write_text('{"words": ["a"], "n_texts": [1]}')
    with pytest.raises(RelataskError, match=r"learned\.json is damaged; copy the model's whole folder anew"):
        relatask.load(str(folder))
    record = read_json(folder / "model.json")
    del record["files"]["learned.json"]
    write_json(folder / "model.json", record)
    with pytest.raises(RelataskError, match=r"lacks learned\.json, by which it reads items"):
        relatask.load(str(folder)).predict(["a b"])


def test_texts_of_a_file_are_predicted_by_the_command(asked: dict[str, Asked], tmp_path: Path) -> None:
    model = asked["shared_bottom on texts"].folder / "model"
    (tmp_path / "new.csv").write_text("id,Text\n1,a b\n2,...\n", encoding="utf-8")
    command = ["predict", str(model), str(tmp_path / "new.csv"), "-o", str(tmp_path / "out.csv")]
    assert main(command) == 0
    out = pd.read_csv(tmp_path / "out.csv")
    expected = relatask.load(str(model)).predict(["a b"])[["task0", "task1", "task2"]]
    np.testing.assert_allclose(out[expected.columns].iloc[:1], expected, rtol=1e-5)
    assert out["reason"].tolist()[1] == "empty text: it has no word"
    (tmp_path / "new.smi").write_text("CCO\n", encoding="utf-8")
    assert main([*command[:2], str(tmp_path / "new.smi"), *command[3:]]) == 2
