"""Figure `item_dependency`: items by how their tasks depend on each other (L2T-MITTEN, figures 4b and 4c)."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from relatask.publishing import style
from relatask.publishing.dependency import Learned, between_seeds, learned
from relatask.publishing.figure_data import with_plan
from relatask.publishing.formatting import signed
from relatask.publishing.inputs import Inputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = {
    "title": "Dependency by item",
    "category": "Task relations",
    "caption": (
        "How the tasks of single items depend on each other: the attention weights of L2T-MITTEN of "
        "held-out items, mean over positions. Left: items by their weights, on the two axes along which they "
        "differ most (PCA), coloured by cluster (k-means); figure 4b of the paper. Right: the mean weights "
        "of each cluster, of the source task (row) for the target task (column); figure 4c.\n\n"
        "One run is drawn: the first seed of the first split and method. Below it stands how far seeds agree "
        "about the mean over items, as Spearman's correlation over pairs of tasks: where it is near 0, "
        "another seed shows other tasks."
    ),
    "columns": {
        "cluster": "int32",  # from 0, the largest first
        "item_id": "float64?",  # of the row of an item; null in a row of a cluster's mean
        "x": "float64?",
        "y": "float64?",
        "source": "string?",
        "target": "string?",
        "source_name": "string?",
        "target_name": "string?",
        "weight": "float64?",
    },
    "each": "dataset",
    "when": ("tasks",),
    "needs": ("plan", "dataset"),
    "saved": {"item_dependency": ("item_id", "source", "target", "weight")},
}
# The paper does not say how many it has. Each is one more map of all pairs of tasks: three fit a page.
CLUSTERS = 3
NAMED = 40  # more task names than this would overlap


def clusters(vectors: np.ndarray) -> np.ndarray:
    """Return the cluster of each item, int64 [n], the largest first, by k-means from a fixed seed.

    Args:
        vectors: float64 [n, d]; of fewer different ones than `CLUSTERS`, each is a cluster.
    """
    from sklearn.cluster import KMeans

    n_clusters = min(CLUSTERS, len(np.unique(vectors, axis=0)))
    found = KMeans(n_clusters, n_init=10, random_state=0).fit_predict(vectors)
    sizes = np.bincount(found, minlength=n_clusters)
    return np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")[found]


def plane(vectors: np.ndarray) -> np.ndarray:
    """Return n vectors [n, d] on their first two principal axes, [n, 2]; 0 where there is no second one.

    The greatest entry of each axis is positive, so that the picture is the same on any machine.
    """
    centred = vectors - vectors.mean(0)
    axes = np.zeros((2, vectors.shape[1]))
    found = np.linalg.svd(centred, full_matrices=False)[2][:2]
    axes[: len(found)] = found
    greatest = np.abs(axes).argmax(1)
    return centred @ (axes * np.where(axes[[0, 1], greatest] < 0, -1, 1)[:, None]).T


def table(rows: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure shows: table `figure_item_dependency`, a row per item, then the clusters' means.

    Args:
        rows: item_id, source, target and weight of one run.
        tasks: table "tasks".
    """
    rows = rows.astype({"source": str, "target": str})
    grid = rows.pivot(index="item_id", columns=["source", "target"], values="weight").astype(float)
    vectors = grid.fillna(0.0).to_numpy()  # a pair without a weight transfers nothing
    cluster, xy = clusters(vectors), plane(vectors)
    place = {"item_id": grid.index.to_numpy(float), "x": xy[:, 0], "y": xy[:, 1]}
    names = dict(zip(tasks["task_id"], tasks["name"], strict=True))
    order = [task for task in names if task in {*rows["source"], *rows["target"]}]
    pairs = pd.MultiIndex.from_product([order, order], names=["source", "target"])
    means = grid.groupby(cluster).mean().reindex(columns=pairs)
    ends = pairs.to_frame(index=False)
    named = ends.assign(source_name=ends["source"].map(names), target_name=ends["target"].map(names))
    parts = [pd.DataFrame({"cluster": cluster, **place})]
    parts += [named.assign(cluster=number, weight=mean) for number, mean in enumerate(means.to_numpy())]
    return pd.concat(parts, ignore_index=True)[list(FIGURE["columns"])]


def plot(drawn: pd.DataFrame, dataset: str, of: str, seeds: str) -> "Figure":
    """Draw table `figure_item_dependency`; `of` says which run it is of, `seeds` how far seeds agree."""
    items, means = drawn[drawn["item_id"].notna()], drawn[drawn["item_id"].isna()]
    sizes = items["cluster"].value_counts().sort_index()
    n = means["source"].nunique()
    side = min(max(0.105 * n, 2.2), 4.4)
    figure = style.new_figure((side + 0.3) * (1 + len(sizes)) + (2.2 if n <= NAMED else 0.8), side + 2.4)
    axes, *maps = figure.subplots(1, 1 + len(sizes))
    for cluster in range(len(sizes)):
        rows = items[items["cluster"] == cluster]
        axes.scatter(rows["x"], rows["y"], s=14, color=style.PALETTE[cluster], linewidths=0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("first principal axis")
    axes.set_ylabel("second")
    axes.set_title("items")
    low, high = means["weight"].min(), means["weight"].max()
    for cluster, panel in enumerate(maps):
        own = means[means["cluster"] == cluster]
        grid = own["weight"].to_numpy(float).reshape(n, n)
        panel.set_facecolor("#C8C8C8")
        image = panel.imshow(grid, cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
        panel.set_title(f"mean of {sizes[cluster]} items", color=style.PALETTE[cluster])
        panel.tick_params(length=0, labelsize=5.5)
        names = [style.shorten(name, 20) for name in own["target_name"].iloc[:n]] if n <= NAMED else []
        panel.set_xticks(range(len(names)), names, rotation=90)
        panel.set_yticks(range(len(names)), names if cluster == 0 else [""] * len(names))
    figure.colorbar(image, ax=maps, fraction=0.03, pad=0.02).set_label("weight of the source (row)")
    style.heading(
        figure,
        f"{dataset}: how the tasks of single items depend on each other",
        f"{of}; {style.counted(len(items), 'held-out item')}, of each the mean over its positions. Colours: "
        f"clusters by k-means, which always finds some; axes have no unit. Columns are target tasks. {seeds}",
    )
    return figure


def agreement_of_seeds(one: Learned) -> str:
    """Say how far the mean over items is the same in each seed."""
    if len(one.seeds) == 1:
        return "There is one seed: whether another would show the same is unknown."
    rho = between_seeds(one.weights)
    if np.isnan(rho):
        return "Whether seeds agree is undefined: too few pairs of tasks, or all alike."
    return f"Agreement of {len(one.seeds)} seeds about the mean over items: ρ = {signed(rho)}."


def draw(inputs: Inputs, dataset: str) -> "tuple[pd.DataFrame, Figure]":
    """Return the table of the figure of a data set and the figure."""
    rows = with_plan(inputs.saved("item_dependency"), inputs.plan)
    rows = rows[rows["dataset"] == dataset]
    if rows.empty:
        title = f"{dataset}: how the tasks of single items depend on each other"
        return pd.DataFrame(columns=list(FIGURE["columns"])), style.empty(title, "No run saved it.")
    places = {name: place for place, name in enumerate([*inputs.study.splits.schemes, *inputs.methods])}
    runs = rows[["split", "method", "seed"]].drop_duplicates().astype({"split": str, "method": str})
    first = runs.sort_values(["split", "method", "seed"], key=lambda column: column.replace(places)).iloc[0]
    own = rows[(rows[["split", "method", "seed"]].astype(object) == first).all(axis=1)]
    drawn = table(own[["item_id", "source", "target", "weight"]], inputs.of_dataset(dataset, "tasks"))
    every = learned(inputs, dataset, "item_dependency")
    one = next(one for one in every if (one.split, one.method) == (first["split"], first["method"]))
    of = f"{one.method}, {one.split} split, seed {first['seed']}"
    return drawn, plot(drawn, dataset, of, agreement_of_seeds(one))
