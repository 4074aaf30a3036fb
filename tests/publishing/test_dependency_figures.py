"""Figures of a learned dependency: what they show is what methods saved."""

from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from relatask.config import StudyConfig, figure_names
from relatask.publishing import style
from relatask.publishing.dependency import Learned, learned
from relatask.publishing.figures import item_dependency, task_dependency
from tests.helpers.learned_dependency import inputs_of, let_save, long, weights
from tests.helpers.study_tables import HOSTILE, TASKS, study_of


@pytest.fixture
def saving(monkeypatch: pytest.MonkeyPatch) -> None:
    let_save(monkeypatch)


def texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def names_of(*methods: str) -> set[str]:
    """Figures of a dependency that a study of these methods has."""
    rows = [{"label": method, "method": method, "encoder": "gin"} for method in methods]
    study = StudyConfig.model_validate({**study_of(), "methods": rows, "baseline": methods[0]})
    return {name for name in figure_names(study) if "dependency" in name}


def test_only_a_study_whose_method_saves_a_dependency_has_the_figures(saving) -> None:
    assert names_of("single_task", "shared_bottom") == {"task_dependency-toy", "item_dependency-toy"}
    assert not names_of("single_task")


def test_a_table_of_that_name_without_the_columns_makes_no_figure(monkeypatch) -> None:
    let_save(monkeypatch, {"dependency": {"task_id": "category", "weight": "float32"}})
    assert not names_of("single_task", "shared_bottom")


def test_each_cell_is_the_mean_weight_over_seeds_of_a_source_for_a_target(tmp_path, saving) -> None:
    with style.styled():
        drawn, figure = task_dependency.draw(inputs_of(tmp_path, weights), "toy")
    assert len(drawn) == len(TASKS) ** 2
    both = np.stack([weights(0), weights(1)])
    place = {task: number for number, task in enumerate(TASKS)}
    for row in drawn.itertuples():
        cell = both[:, place[row.source], place[row.target]]
        assert row.weight == pytest.approx(cell.mean())
        assert row.std == pytest.approx(cell.std(ddof=1))
        assert (row.source_name, row.target_name) == (HOSTILE[place[row.source]], HOSTILE[place[row.target]])
    (image,) = [one for axes in figure.axes for one in axes.images]
    np.testing.assert_allclose(image.get_array(), drawn["weight"].to_numpy(float).reshape(7, 7))
    assert style.shorten(HOSTILE[0]) in texts(figure)


def test_the_tree_joins_first_the_tasks_that_take_most_from_each_other(tmp_path, saving) -> None:
    matrix = np.full((7, 7), 0.01)
    matrix[1, 4], matrix[4, 1] = 0.9, 0.1  # 1 gives much to 4, 4 gives little back: mean 0.5
    matrix[2, 6] = matrix[6, 2] = 0.4
    drawn, figure = task_dependency.draw(inputs_of(tmp_path, lambda seed: matrix), "toy")
    order = drawn["target"].iloc[:7].tolist()
    assert abs(order.index("t1") - order.index("t4")) == 1
    assert abs(order.index("t2") - order.index("t6")) == 1
    assert task_dependency.tree(matrix)[:2, :2].tolist() == [[1, 4], [2, 6]]
    branches = figure.axes[0].lines
    assert len(branches) == 6
    first = sorted({float(y) for y in branches[0].get_ydata()})
    assert first == sorted([order.index("t1"), order.index("t4")])


def test_colours_tell_other_tasks_apart_and_the_table_names_what_is_not_drawn() -> None:
    matrix = weights(0) + 9 * np.eye(7)
    drawn = task_dependency.table(
        [Learned("MTL", split, [0], TASKS, matrix[None]) for split in ("random", "all_10")],
        {task: task for task in TASKS},
    )
    figure = task_dependency.plot(drawn, "toy")
    (image,) = [one for axes in figure.axes for one in axes.images]
    off = matrix[~np.eye(7, dtype=bool)]
    assert image.get_clim() == pytest.approx((off.min(), off.max()))
    assert drawn["split"].unique().tolist() == ["random", "all_10"]
    assert "has 1 more, of other methods or splits" in " ".join(texts(figure)).replace("\n", " ")


def test_a_dependency_keeps_the_order_of_tasks_and_what_is_no_pair_is_absent(tmp_path, saving) -> None:
    inputs = inputs_of(tmp_path, weights)
    table = inputs.known["saved dependency"]
    inputs.known["saved dependency"] = table[table["source"] != table["target"]].sample(
        frac=1, random_state=0
    )
    (found,) = learned(inputs, "toy")
    assert (found.method, found.split, found.seeds, found.tasks) == ("MTL", "random", [0, 1], TASKS)
    assert np.isnan(found.weights[:, range(7), range(7)]).all()
    expected = np.stack([weights(0), weights(1)])
    off = ~np.eye(7, dtype=bool)
    np.testing.assert_allclose(found.weights[:, off], expected[:, off])
    with style.styled():
        drawn, _ = task_dependency.draw(inputs, "toy")
    assert drawn["weight"].isna().sum() == 7


def test_forty_tasks_keep_their_names_and_one_task_has_no_tree() -> None:
    for n, shown in ((40, True), (1, True), (70, False)):
        tasks = [f"t{number}" for number in range(n)]
        rows = long("r", weights(0, n), tasks).assign(method="M", split="random", std=0.0, n_seeds=1)
        rows = rows.assign(
            source_name=rows["source"], target_name=[f"assay {name}" for name in rows["target"]]
        )
        figure = task_dependency.plot(rows, "toy")
        assert (f"assay t{n - 1}" in texts(figure)) == shown
        assert len(figure.axes[0].lines) == n - 1


def test_items_are_clustered_by_their_weights_and_each_cluster_shows_its_mean(tmp_path, saving) -> None:
    rng = np.random.default_rng(0)
    centres = [weights(seed) for seed in (10, 11, 12)]
    kind = np.repeat([0, 1, 2], [8, 5, 3])
    matrices = {item: centres[k] + 0.001 * rng.normal(size=(7, 7)) for item, k in enumerate(kind)}
    with style.styled():
        drawn, figure = item_dependency.draw(inputs_of(tmp_path, weights, matrices), "toy")
    items, means = drawn[drawn["item_id"].notna()], drawn[drawn["item_id"].isna()]
    assert items.sort_values("item_id")["cluster"].tolist() == kind.tolist()  # the largest first
    for cluster in range(3):
        own = means[means["cluster"] == cluster].pivot(index="source", columns="target", values="weight")
        expected = np.mean([matrices[item] for item in np.flatnonzero(kind == cluster)], axis=0)
        np.testing.assert_allclose(own.loc[TASKS, TASKS].to_numpy(float), expected)
    assert {"mean of 8 items", "mean of 5 items", "mean of 3 items"} <= {*texts(figure)}
    distance = items[["x", "y"]].to_numpy(float)
    whole = np.stack([matrices[item].ravel() for item in items["item_id"]])
    whole = whole - whole.mean(0)
    assert np.linalg.norm(distance) == pytest.approx(
        np.linalg.norm(whole), rel=0.01
    )  # two axes tell nearly all


def test_the_figure_of_items_says_how_far_seeds_agree(tmp_path, saving) -> None:
    first, second = weights(0), weights(0)
    off = np.triu_indices(7, 1)
    second[off] = second.T[off] = (7 - first.T[off] - first[off]) / 2  # the opposite order of pairs
    said = {}
    for name, items in (("alike", {8: first}), ("opposite", {8: second}), ("one seed", None)):
        inputs = inputs_of(tmp_path / name, weights, {3: 0.5 * first, 5: 1.5 * first}, items_of_seed_1=items)
        with style.styled():
            _, figure = item_dependency.draw(inputs, "toy")
        said[name] = " ".join(texts(figure)).replace("\n", " ")
    assert "Agreement of 2 seeds about the mean over items: ρ = +1.00." in said["alike"]
    assert "ρ = −1.00." in said["opposite"]
    assert "There is one seed" in said["one seed"]


def test_items_that_are_all_alike_are_one_cluster(tmp_path, saving) -> None:
    drawn, _ = item_dependency.draw(inputs_of(tmp_path, weights, {3: weights(0), 5: weights(0)}), "toy")
    assert drawn["cluster"].unique().tolist() == [0]
    assert drawn["x"].dropna().abs().max() == pytest.approx(0)


def test_a_data_set_without_saved_weights_is_one_sentence(tmp_path, saving) -> None:
    inputs = inputs_of(tmp_path, weights, {3: weights(0)})
    for name, module in (("dependency", task_dependency), ("item_dependency", item_dependency)):
        inputs.known[f"saved {name}"] = inputs.known[f"saved {name}"].iloc[:0]
        drawn, figure = module.draw(inputs, "toy")
        assert drawn.empty
        assert any("saved" in text for text in texts(figure))
