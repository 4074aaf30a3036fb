"""Words of held-out texts decide nothing: what they are, and which of them no training text has."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.core.tables import read_table, write_table
from relatask.data.prepared import PreparedDataset
from relatask.data.source_tables import source_tables
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.run import RunResult, train_run
from relatask.plan.spec import RunSpec
from tests.helpers.changed_data import scores, trace
from tests.helpers.data_tables import prepared_folder, write_records
from tests.helpers.prepared_dataset import make_spec, random_labels

ITEMS = 40
WORDS = [f"w{number}" for number in range(30)]
LSTM = {"width": 4, "embedding": 5, "max_words": 200, "min_texts": 1, "dropout": 0.1, "vectors": ""}
Change = Callable[[int, list[str]], list[str]]


def spec_of(method: str) -> RunSpec:
    return make_spec(method, "lstm", split="random", encoder_options=LSTM, training={"epochs": 2})


def write_texts(folder: Path, change: Change = lambda item, words: words) -> Path:
    """Write a data set of random texts, changed item by item; a few words stand in one text alone."""
    rng = np.random.default_rng(0)
    texts = []
    for item in range(ITEMS):
        words = [*rng.choice(WORDS, 2 + item % 7), f"own{item}"]
        texts.append(" ".join(change(item, words)))
    labels = random_labels(ITEMS, 3)
    item, task = np.nonzero(~np.isnan(labels))
    cells = pd.DataFrame({"item": item, "task": task, "value": labels[item, task]})
    names = pd.DataFrame({"name": ["a", "b", "c"]})
    tables = source_tables(pd.DataFrame({"text": texts}), names, cells, "text")
    splits = {"random": {"seeds": (0, 1), "fractions": (0.6, 0.2, 0.2)}}
    return prepared_folder(folder, tables, ["words"], splits)


def loaded(folder: Path, split: str = "random-0") -> PreparedDataset:
    return PreparedDataset.load(folder, split, inputs="words")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    return loaded(write_texts(tmp_path_factory.mktemp("plain")))


def trained(spec: RunSpec, data: PreparedDataset) -> RunResult:
    return train_run(spec, data, Checkpoint(Path("none.pt"), ""), lambda share, text: None, keep_weights=True)


def held_out(data: PreparedDataset, fold: str) -> set[int]:
    return set(data.folds[fold].tolist())


@pytest.mark.parametrize("method", ["shared_bottom", "single_task"])
def test_words_that_no_training_text_has_change_no_weight_and_no_score_of_others(method, plain, tmp_path):
    test = held_out(plain, "test")
    other = loaded(
        write_texts(
            tmp_path, lambda item, words: ["aardvark", *words[1:], "zebra"] if item in test else words
        )
    )
    first, second = (trained(spec_of(method), data) for data in (plain, other))
    assert tensor_bytes(first.weights) == tensor_bytes(second.weights)
    assert trace(first).equals(trace(second))
    assert scores(first, "valid").equals(scores(second, "valid"))
    assert not scores(first, "test").equals(scores(second, "test"))


def test_an_unknown_word_is_like_any_other_unknown_one(plain, tmp_path):
    held = held_out(plain, "test") | held_out(plain, "valid")
    other = loaded(
        write_texts(
            tmp_path, lambda item, words: [*words[:-1], f"another{item % 2}"] if item in held else words
        )
    )
    assert {*other.inputs.names} != {*plain.inputs.names}
    first, second = (trained(spec_of("shared_bottom"), data) for data in (plain, other))
    assert scores(first).equals(scores(second))
    assert tensor_bytes(first.weights) == tensor_bytes(second.weights)


def test_each_split_has_the_words_of_its_own_training_texts(plain, tmp_path):
    folder = write_texts(tmp_path)
    vocabularies = []
    for split in ("random-0", "random-1"):
        data = loaded(folder, split)
        known = set(data.inputs.vocabulary.words)
        own = {f"own{item}" for item in held_out(data, "train")}
        assert {word for word in known if word.startswith("own")} == own
        assert plain.with_split(folder, split).inputs.learned == data.inputs.learned
        vocabularies.append(known)
    assert vocabularies[0] != vocabularies[1]


def test_a_training_text_without_a_label_that_may_be_read_teaches_no_word(tmp_path):
    folder = write_texts(tmp_path)
    training = loaded(folder).folds["train"].tolist()
    labels = read_table("labels", folder / "labels.parquet").astype({"task_id": str})
    n_labels = labels["item_id"].value_counts()
    gone, part = [item for item in training if n_labels[item] > 1][:2]
    first = ~labels.duplicated("item_id")
    hidden = labels[(labels["item_id"] == gone) | ((labels["item_id"] == part) & first)]
    cells = hidden[["item_id", "task_id"]].assign(fold="hidden")
    path = folder / "splits" / "random-0.parquet"
    split = read_table("split", path).astype(object)
    write_table("split", pd.concat([split, cells], ignore_index=True), path)
    write_records(folder)
    data = loaded(folder)
    assert data.labels[gone].isnan().all()
    assert int((~data.labels[part].isnan()).sum()) == n_labels[part] - 1
    assert f"own{gone}" not in data.inputs.vocabulary.words
    assert f"own{part}" in data.inputs.vocabulary.words
