"""KIBA with STRING's experimental channel has the published size; docs/kiba_counts.md explains it."""

import numpy as np
import pandas as pd
import pytest

from relatask.config import DensifyConfig, RelationsConfig
from relatask.data.dataset import Dataset, make_dataset
from relatask.data.interactions import read_interactions
from relatask.data.merge import standardise_source
from relatask.data.raw_table import RawTable
from relatask.data.relations import relate_tasks
from relatask.data.standardise import Limits
from relatask.sources.molecules import read_source
from tests.helpers.data_tables import items_table, source_of

# tau -> molecules, tasks, edges, labels; with every row a molecule, and after the molecule filters
UNFILTERED = {10: (2275, 246, 862, 124705), 50: (973, 223, 690, 100907), 100: (566, 140, 406, 66232)}
FILTERED = {10: (2235, 246, 862, 124207), 50: (973, 223, 690, 100909), 100: (566, 140, 406, 66233)}
SHARE = {10: 0.225909, 50: 0.465063, 100: 0.835853}  # of cells that are labelled, after the filters
WITHOUT_EDGE = {10: 9, 50: 11, 100: 12}

Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def raw(mirror) -> RawTable:
    return read_source(source_of(reader="kiba"), "kiba", mirror / "kiba")


@pytest.fixture(scope="module")
def filtered(raw) -> Tables:
    limits = Limits(neutralise=False, fragments="largest")
    source = standardise_source(raw, limits, "kiba", replicates="labels")
    return {name: getattr(source, name) for name in ("items", "rejected", "tasks", "labels", "classes")}


@pytest.fixture(scope="module")
def unfiltered(raw, filtered) -> Tables:
    """The source as it would be if every row were a molecule."""
    labels = pd.DataFrame(
        {
            "item_id": raw.labels["row_position"],
            "task_id": filtered["tasks"]["task_id"].to_numpy()[raw.labels["task"]],
            "value": (raw.labels["value"] <= 3.0).astype("float32"),
            "bound": "=",
        }
    )
    items = items_table(np.arange(len(raw.smiles)), smiles=raw.smiles, source_id=raw.source_ids)
    return filtered | {"items": items, "labels": labels, "rejected": filtered["rejected"].iloc[:0]}


@pytest.fixture(scope="module")
def relations(mirror, filtered) -> tuple[pd.DataFrame, dict]:
    links = read_interactions([mirror / "string" / "string_v9.1_human_edges_ge400.tsv.gz"], "experimental")
    return relate_tasks(filtered["tasks"], links, RelationsConfig(source="string_v9"))


def sizes(dataset: Dataset) -> tuple[int, ...]:
    return tuple(dataset.counts[key] for key in ("items", "tasks", "edges", "labels"))


def test_all_tasks_and_edges_before_densification(relations, raw):
    edges, report = relations
    assert (len(raw.smiles), len(raw.tasks), len(raw.labels)) == (4075, 467, 161013)
    assert (len(edges), report["tasks_related"], len(report["tasks_without_string_id"])) == (1554, 374, 11)
    assert report["tasks_unknown_to_interactions"] == []


@pytest.mark.parametrize("tau", [10, 50, 100])
def test_every_row_as_a_molecule_gives_the_expected_size(unfiltered, relations, tau):
    dataset = make_dataset(unfiltered, relations[0], DensifyConfig(tau=tau), "kiba")
    assert sizes(dataset) == UNFILTERED[tau]


@pytest.mark.parametrize("tau", [10, 50, 100])
def test_molecule_filters_change_molecules_but_neither_tasks_nor_edges(filtered, relations, tau):
    dataset = make_dataset(filtered, relations[0], DensifyConfig(tau=tau), "kiba")
    assert sizes(dataset) == FILTERED[tau]
    assert FILTERED[tau][1:3] == UNFILTERED[tau][1:3]
    assert dataset.counts["labelled_share"] == SHARE[tau]
    assert dataset.counts["tasks_without_edge"] == WITHOUT_EDGE[tau]


def test_every_molecule_and_task_left_out_is_accounted_for(filtered, relations):
    counts = make_dataset(filtered, relations[0], DensifyConfig(tau=50), "kiba").counts
    assert counts["items_left_out"] == {"fewer than 50 labels": 4004 - 973}
    assert counts["tasks_left_out"] == {
        "fewer than 10 positive labels": 94,
        "fewer than 50 labels": 57,
        "isolated: no relation to another task": 93,
    }
    assert sum(counts["tasks_left_out"].values()) == 467 - 223
    assert counts["positive_rate"] == 0.193273
