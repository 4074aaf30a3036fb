"""Figures show the numbers of the tables, all of them or saying which not, and the same bytes each time."""

import hashlib
import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from relatask.__main__ import main
from relatask.config import StudyConfig, figure_names, parse
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table
from relatask.evaluation.aggregate import join_plan, summarise
from relatask.publishing import style
from relatask.publishing.figures import label_density, learning_curves, overview, per_task, relation_graph
from relatask.publishing.inputs import Inputs
from relatask.publishing.outputs import draw_figures
from tests.helpers.report_study import HOSTILE, STUDY, TASKS, report_study, write_report_study
from tests.helpers.study_tables import make_metrics, make_plan, write_study

KINDS = ("per_task-toy", "learning_curves-toy", "label_density-toy", "relation_graph-toy")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_report_study(tmp_path)
    return tmp_path


def command(results: Path, out: Path, *more: str) -> list[str]:
    arguments = ["draw_figures", "--study", results / "study" / "study.json", "--out-dir", out]
    return [str(part) for part in (*arguments, "--figures", "overview", *KINDS, *more)]


def study(**changes: object) -> StudyConfig:
    values = {
        "title": "t",
        "sources": {"s": {"reader": "planted"}},
        "datasets": {"a": {"source": "s", "relations": {"source": "planted"}}, "b": {"source": "s"}},
        "methods": [{"label": "STL", "method": "single_task", "encoder": "gin"}],
        "baseline": "STL",
        "scales": {"quick": {}},
    }
    return parse(StudyConfig, {**values, **changes}, "study")


def tasks_table(n: int) -> pd.DataFrame:
    return pd.DataFrame({"task_id": [f"t{i}" for i in range(n)], "name": [f"assay {i}" for i in range(n)]})


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


def test_the_names_of_figures_follow_from_the_config_alone():
    assert figure_names(study()) == [
        "label_density-a", "label_density-b", "learning_curves-a", "learning_curves-b", "overview",
        "per_task-a", "per_task-b", "relation_graph-a",
    ]  # fmt: skip
    forest = study(methods=[{"label": "RF", "method": "random_forest"}], baseline="RF")
    assert "learning_curves-a" not in figure_names(forest)


@pytest.mark.parametrize(
    ("options", "drawn"),
    [
        ({"known_ratio": 0.5}, True),
        ({"known_ratio": 0.5, "layers": 2}, True),  # as many as the other has
        ({"known_ratio": 0.5, "layers": 3}, False),
        ({"known_ratio": 0.2, "layers": 3}, False),
        ({"known_ratio": 0.5, "setting": "standard"}, False),
    ],
)
def test_the_ratio_of_known_labels_is_drawn_where_rows_differ_in_it_alone(options, drawn):
    rows = [{"label": "A"}, {"label": "B", "options": options}]
    methods = [{**row, "method": "metalink", "encoder": "gin"} for row in rows]
    names = figure_names(study(methods=methods, baseline="A"))
    assert ("known_ratio" in names) == drawn


def test_naming_figures_imports_neither_matplotlib_nor_pandas():
    script = "import sys, relatask.config; print({'matplotlib', 'pandas', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


ROWS = {  # of the tables behind figures of 3 methods, 3 seeds, 12 tasks, 60 items, 8 epochs and 5 relations
    "overview": 3 * 3,
    "per_task-toy": 3 * 12,
    "learning_curves-toy": 2 * 8,  # a forest has no epochs
    "label_density-toy": 12 * 60,
    "relation_graph-toy": 12 + 5,
}


def test_each_figure_is_drawn_as_png_svg_and_the_table_behind_it(results: Path):
    assert main(command(results, results / "out")) == 0
    rows = {}
    for name in ("overview", *KINDS):
        path = results / "out" / "figures" / name
        with Image.open(path.with_suffix(".png")) as image:
            assert len(set(image.convert("RGB").resize((200, 100)).get_flattened_data())) > 20, (
                f"{name} is blank"
            )
        drawn = ElementTree.parse(path.with_suffix(".svg")).getroot()
        assert "toy" in " ".join(drawn.itertext()).lower(), name
        rows[name] = len(read_table(f"figure_{name.removesuffix('-toy')}", path.with_suffix(".parquet")))
    assert rows == ROWS


def test_the_same_tables_give_the_same_bytes_in_any_process(results: Path):
    digests = []
    for seed in ("1", "2"):  # of the order in which Python's sets hand out strings
        out = results / f"figures{seed}"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(
            [sys.executable, "-m", "relatask", *command(results, out)], check=True, env=environment
        )
        digests.append(
            {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (out / "figures").iterdir()}
        )
    assert len(digests[0]) == 15
    assert digests[0] == digests[1]


def test_hostile_names_stay_text(results: Path):
    assert main(command(results, results / "out")) == 0
    for kind in ("per_task-toy", "label_density-toy"):
        root = ElementTree.parse(results / "out" / "figures" / f"{kind}.svg").getroot()
        texts = {
            "".join(element.itertext()).strip() for element in root.iter("{http://www.w3.org/2000/svg}text")
        }
        assert {*HOSTILE[:3], "a$b_{c}$ & d"} <= texts  # the bell character is gone: SVG may not hold it
        assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_drawing_leaves_matplotlib_as_it_was(results: Path):
    before = dict(matplotlib.rcParams)
    assert main(command(results, results / "out", "--figures", "overview")) == 0
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not matplotlib.pyplot.get_fignums()


@pytest.mark.parametrize("name", ["overview", *KINDS])
def test_no_text_is_cut_off_or_covered_by_other_text(
    results: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    figures, drawn = [], {}
    monkeypatch.setattr(style, "save", lambda figure, path: figures.append(figure))
    draw_figures(Inputs(report_study(), "quick", results), [name], results / "out")
    figure = figures[0]
    draw = Text.draw
    monkeypatch.setattr(
        Text, "draw", lambda text, renderer: (drawn.update({id(text): text}), draw(text, renderer))
    )
    figure.savefig(io.BytesIO(), format="png")  # only what is drawn counts, not ticks outside the axis
    texts = [text for text in drawn.values() if text.get_text().strip()]
    boxes = [text.get_window_extent() for text in texts]
    assert len(texts) > 10
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in zip(texts, boxes, strict=True):
        assert box.x0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= height + 1, text
    for i, box in enumerate(boxes):
        for j in range(i):
            across = min(box.x1, boxes[j].x1) - max(box.x0, boxes[j].x0)
            down = min(box.y1, boxes[j].y1) - max(box.y0, boxes[j].y0)
            assert across < 3 or down < 3, (texts[i], texts[j])


def test_the_overview_shows_the_numbers_of_the_summary():
    plan = make_plan(methods=("STL", "MTL"), datasets=("x", "y"), parts={"STL": 2})
    values = np.random.default_rng(0)
    metrics = make_metrics(
        plan,
        TASKS,
        lambda *key: np.nan if key[3] == "task-3" else values.uniform(0.4, 0.9),
        metrics=("roc_auc",),
    )
    drawn = overview.table(plan, metrics, "roc_auc").drop_duplicates(["dataset", "method"])
    summary = summarise(join_plan(plan, metrics), "STL")
    expected = summary.assign(method=summary["method"].astype(str)).set_index(["dataset", "method"])
    assert len(drawn) == 4
    for row in drawn.itertuples():
        cell = expected.loc[row.dataset, row.method]
        assert (row.mean, row.std, row.n_tasks) == pytest.approx((cell["mean"], cell["std"], 11))


def test_tasks_are_sorted_by_the_gain_over_the_baseline():
    plan = make_plan(methods=("STL", "MTL"), seeds=(0, 1))
    gain = {"t0": 0.01, "t1": 0.2, "t2": -0.1}
    metrics = make_metrics(
        plan,
        list(gain),
        lambda _, method, seed, task: 0.6 + (gain[task] if method == "MTL" else 0) + seed / 10,
    )
    drawn = per_task.table(plan, metrics, tasks_table(3), "toy", "STL", "roc_auc")
    assert list(drawn["task_id"].unique()) == ["t1", "t0", "t2"]
    best = drawn.query("task_id == 't1' and method == 'MTL'").iloc[0]
    assert best[["mean", "std", "difference"]].tolist() == pytest.approx([0.85, np.sqrt(0.005), 0.2])
    assert best["name"] == "assay 1"


def test_for_a_metric_that_should_be_low_the_gain_is_a_fall():
    plan = make_plan(methods=("STL", "MTL"))
    value = {"t0": 0.3, "t1": 0.1}
    metrics = make_metrics(
        plan,
        ["t0", "t1"],
        lambda _, method, seed, task: value[task] if method == "MTL" else 0.2,
        metrics=["brier"],
    )
    drawn = per_task.table(plan, metrics, tasks_table(2), "toy", "STL", "brier")
    assert list(drawn["task_id"].unique()) == ["t1", "t0"]


@pytest.mark.parametrize(("n_tasks", "named"), [(60, 60), (61, 30)])
def test_many_tasks_are_summed_up_and_the_most_different_named(n_tasks: int, named: int):
    plan = make_plan(methods=("STL", "MTL"))
    tasks = tasks_table(n_tasks)
    metrics = make_metrics(
        plan,
        list(tasks["task_id"]),
        lambda _, method, seed, task: 0.5 + int(task[1:]) / 500 * (method == "MTL"),
    )
    drawn = per_task.table(plan, metrics, tasks, "toy", "STL", "roc_auc")
    with style.styled():
        figure = per_task.plot(drawn, ["STL", "MTL"], "STL", "roc_auc", "toy", n_tasks)
    labels = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
    assert len(labels) == named
    assert labels[0] == f"assay {n_tasks - 1}"
    assert ("better on 60 of 61" in words(figure)) == (n_tasks > 60)
    assert ("the 30 tasks where MTL and STL differ most" in words(figure)) == (n_tasks > 60)


def test_tasks_without_a_defined_value_are_counted_not_drawn():
    plan = make_plan(methods=("STL", "MTL"))
    metrics = make_metrics(plan, ["t0", "t1"], lambda *key: np.nan if key[3] == "t1" else 0.7)
    drawn = per_task.table(plan, metrics, tasks_table(2), "toy", "STL", "roc_auc")
    with style.styled():
        figure = per_task.plot(drawn, ["STL", "MTL"], "STL", "roc_auc", "toy", 2)
        nothing = per_task.plot(drawn.iloc[:0], ["STL", "MTL"], "STL", "roc_auc", "toy", 2)
    assert "1 of 2 tasks are not shown" in words(figure)
    assert "assay 1" not in words(figure)
    assert "No seed has a defined ROC-AUC for any of the 2 tasks" in words(nothing)


@given(st.lists(st.floats(0, 1), max_size=5))
def test_an_axis_of_roc_auc_holds_chance_and_every_value(values: list[float]):
    low, high = style.value_limits(values, "roc_auc")
    assert all(low <= value <= high for value in [*values, 0.5])
    assert style.value_limits([0.2], "brier")[0] <= 0


def test_a_curve_that_stopped_early_keeps_its_last_value():
    plan = make_plan(methods=("STL",), seeds=(0, 1))
    first, second = plan["run_id"]
    rows = [(first, "t0", e, 0.5 + e / 10) for e in (1, 2)] + [
        (first, "t1", e, 0.5 + e / 10) for e in (1, 2, 3, 4)
    ]
    rows += [(second, "t0", e, 0.8) for e in (1, 2, 3, 4)]
    history = pd.DataFrame(rows, columns=["run_id", "task_id", "epoch", "valid_metric"])
    drawn = learning_curves.table(plan, history, "toy")
    assert drawn["mean"].tolist() == pytest.approx([0.7, 0.75, (0.75 + 0.8) / 2, 0.8])
    assert drawn["std"].tolist() == pytest.approx(np.sqrt(2) * np.array([0.1, 0.05, 0.025, 0.0]))
    assert drawn["still_training"].tolist() == pytest.approx([1, 1, 2 / 3, 2 / 3])


def test_epochs_without_a_validation_are_not_zero():
    plan = make_plan(methods=("STL",), seeds=(0,))
    values = [None, 0.6, None, 0.7]
    history = pd.DataFrame(
        {"run_id": plan["run_id"].iloc[0], "task_id": None, "epoch": range(1, 5), "valid_metric": values}
    )
    drawn = learning_curves.table(plan, history.astype({"valid_metric": float}), "toy")
    assert drawn[["epoch", "mean"]].to_numpy().tolist() == [[2, 0.6], [4, 0.7]]
    assert drawn["std"].isna().all()


@settings(max_examples=25)
@given(st.integers(1, 300), st.integers(1, 6), st.randoms(use_true_random=False))
def test_the_density_map_counts_every_label_once(n_molecules: int, n_tasks: int, random):
    cells = [
        (m, t, random.random() < 0.3)
        for m in range(n_molecules)
        for t in range(n_tasks)
        if random.random() < 0.4
    ]
    labels = pd.DataFrame(
        {
            "item_id": [7 * m for m, _, _ in cells],
            "task_id": [f"t{t}" for _, t, _ in cells],
            "value": np.array([float(y) for _, _, y in cells], np.float32),
        }
    )
    molecules = pd.DataFrame({"item_id": [7 * m for m in range(n_molecules)]})
    drawn = label_density.table(tasks_table(n_tasks), labels, molecules)
    assert drawn["n_labels"].sum() == len(cells)
    assert drawn["n_pos"].sum() == labels["value"].sum()
    assert (drawn["n_labels"] <= drawn["n_molecules"]).all()
    per_task = drawn.groupby("task_id", sort=False)
    assert (per_task["n_molecules"].sum() == n_molecules).all()
    assert per_task["n_labels"].sum().is_monotonic_decreasing


def relations(pairs: list[tuple[int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame([(f"t{i}", f"t{j}", 0.9) for i, j in pairs], columns=["task_i", "task_j", "score"])
    return frame.astype({"score": np.float32})


def test_families_of_the_relation_graph_are_its_dense_parts():
    tasks = tasks_table(9).assign(n_labels=10)
    cliques = [(i, j) for group in ((0, 1, 2, 3), (4, 5, 6)) for i in group for j in group if i < j]
    drawn = relation_graph.table(tasks, relations([*cliques, (3, 4)]))
    nodes = drawn[drawn["task_j"].isna()]
    assert nodes["family"].tolist() == [0, 0, 0, 0, 1, 1, 1, -1, -1]
    assert len(drawn) - len(nodes) == 10
    positions = nodes[["x", "y"]].to_numpy()
    gaps = np.linalg.norm(positions[:, None] - positions[None], axis=-1)[np.triu_indices(9, 1)]
    assert gaps.min() > 0.1


@pytest.mark.parametrize(("n_tasks", "named"), [(80, True), (81, False)])
def test_names_of_tasks_stand_in_graphs_of_up_to_80(n_tasks: int, named: bool):
    tasks = tasks_table(n_tasks).assign(n_labels=10)
    drawn = relation_graph.table(tasks, relations([(0, 1)]))
    with style.styled():
        figure = relation_graph.plot(drawn, "toy")
    assert ("assay 17" in words(figure)) == named
    assert f"1 relation between 2 of {n_tasks} tasks" in words(figure)


def test_a_graph_without_relations_says_so():
    drawn = relation_graph.table(tasks_table(3).assign(n_labels=10), relations([]))
    with style.styled():
        figure = relation_graph.plot(drawn, "toy")
    assert "No two tasks of this data set are related" in words(figure)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"methods": [{"label": "XTL", "method": "random_forest"}], "baseline": "XTL"},
            "no method with the label 'XTL', only STL, MTL, RF",
        ),
        ({"metrics": ["ece"]}, "hold no 'ece' of a test fold, only roc_auc"),
        (["--figures", "pie-toy"], "there is no figure 'pie-toy'"),
        (["--figures", "per_task-nowhere"], "nowhere/dataset.json does not exist"),
    ],
)
def test_a_mistake_is_one_sentence(
    results: Path, wrong: dict | list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    arguments = wrong if isinstance(wrong, list) else []
    if isinstance(wrong, dict):
        write_study(results, {**STUDY, **wrong})
    assert main(command(results, results / "out", *arguments)) == 2
    assert message in capsys.readouterr().err
    assert not list(results.glob("out/figures/*.png"))


def test_a_run_that_is_not_in_the_plan_is_named():
    plan = make_plan(methods=("STL",), seeds=(0,))
    history = pd.DataFrame({"run_id": ["lost"], "task_id": [None], "epoch": [1], "valid_metric": [0.5]})
    with pytest.raises(RelataskError, match="run 'lost' has results but is not in the plan"):
        learning_curves.table(plan, history, "toy")


@given(st.text(max_size=120), st.integers(8, 40))
def test_a_shortened_name_is_one_printable_line(name: str, length: int):
    short = style.shorten(name, length)
    assert len(short) <= length
    assert short.isprintable()
    if name.isprintable() and len(name) <= length and name == " ".join(name.split()):
        assert short == name
