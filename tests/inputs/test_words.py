"""Texts become words, known are those of the training texts alone, and a batch holds what its texts hold."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.inputs.arrays import load_input, write_features
from relatask.inputs.word_batch import Words
from relatask.inputs.words import featurise, unusable, words_of

TEXTS = ["the cat sat", "The dog; the CAT!", "a bird", "the the the"]


def words_in(folder, texts=TEXTS) -> Words:
    items = pd.DataFrame({"item_id": range(10, 10 + len(texts)), "text": texts})
    chunks = (items.iloc[row : row + 3] for row in range(0, len(items), 3))
    write_features(chunks, ["words"], folder)
    return load_input(folder, "words")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't panic: it's 1984!", ["don't", "panic", "it's", "1984"]),
        ("Don’t", ["don't"]),
        ("'quoted' and rock'n'roll", ["quoted", "and", "rock'n'roll"]),
        ("snake_case-and-dash", ["snake", "case", "and", "dash"]),
        ("ÜBER Straße, Ἀθῆναι", ["über", "straße", "ἀθῆναι"]),
        ("cafe\u0301 café", ["café", "café"]),
        ("映画は楽しい。", ["映画は楽しい"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("ภาษาไทย กำลัง", ["ภาษาไทย", "กำลัง"]),
        ("தமிழ்-மொழி", ["தமிழ்", "மொழி"]),
        ("عَرَبِيّ", ["عَرَبِيّ"]),
        ("İstanbul'da", ["i\u0307stanbul'da"]),
        ("q\u0301x \u0301", ["q\u0301x"]),  # a letter that has no form with its accent, and an accent alone
        (" \n…!' ", []),
    ],
)
def test_words_are_runs_of_letters_and_digits_in_lower_case(text, words):
    assert words_of(text) == words


def test_the_arrays_hold_each_word_once_and_each_text_in_its_order(tmp_path):
    found = words_in(tmp_path)
    listed = [found.names[word] for word in found.words.tolist()]
    expected = [word for text in TEXTS for word in words_of(text)]
    assert listed == expected
    assert found.offsets.tolist() == [0, 3, 7, 9, 12]
    assert sorted(found.names) == sorted(set(expected))
    record = json.loads((tmp_path / "features.json").read_text())
    assert record["inputs"]["words"]["arrays"] == ["words", "word_offsets", "word_list"]
    assert (record["words_of_texts"], record["different_words"]) == (12, 6)


def test_only_words_of_training_texts_are_known_those_of_most_texts_first(tmp_path, caplog):
    caplog.set_level("INFO")
    found = words_in(tmp_path).fitted(torch.tensor([3, 1]))
    assert found.vocabulary.words == ("the", "cat", "dog")
    assert found.vocabulary.n_texts == (2, 1, 1)  # a text that repeats a word counts once
    assert found.vocabulary.known(2) == ("the",)
    assert "2 training texts have 3 different words; of 5 words of the other 2 texts 3 are" in caplog.text
    batch = found.batch(torch.tensor([2, 0, 1]))
    assert batch.words.tolist() == [0, 0, 1, 2, 0, 1, 3, 1, 2]
    assert batch.texts.tolist() == [0, 0, 1, 1, 1, 2, 2, 2, 2]
    assert batch.offsets.tolist() == [0, 2, 5, 9]
    assert found.lengths.tolist() == [3, 4, 2, 3]


def test_the_vocabulary_depends_on_no_other_text(tmp_path):
    rows = torch.tensor([3, 1])
    first = words_in(tmp_path / "a").fitted(rows)
    other = words_in(tmp_path / "b", ["zebras sat", TEXTS[1], "aardvarks", TEXTS[3]]).fitted(rows)
    assert other.learned == first.learned
    for text in rows:
        assert torch.equal(first.batch(text[None]).words, other.batch(text[None]).words)


def test_what_was_learned_reads_other_texts_in_the_same_way(tmp_path):
    learned = words_in(tmp_path / "a").fitted(torch.tensor([3, 1])).learned
    assert json.loads(json.dumps(learned)) == learned
    other = words_in(tmp_path / "b", ["dog the unheard"]).with_learned(learned)
    assert other.batch(torch.tensor([0])).words.tolist() == [3, 1, 0]
    with pytest.raises(RelataskError, match="a vocabulary lists `words`"):
        other.with_learned({"words": ["the"], "n_texts": []})


def test_a_packing_holds_all_first_words_then_all_second_ones(tmp_path):
    batch = words_in(tmp_path).fitted(torch.arange(4)).batch(torch.tensor([2, 1, 0]))
    order, sizes = batch.packing.order.tolist(), batch.packing.sizes.tolist()
    assert sizes == [3, 3, 2, 1]
    # of the text with 4 words (2 ... 5 of the batch), with 3 (6, 7, 8) and with 2 (0, 1)
    assert order == [2, 6, 0, 3, 7, 1, 4, 8, 5]


def test_the_first_words_of_texts_are_left_when_the_others_are_cut(tmp_path):
    batch = words_in(tmp_path).fitted(torch.arange(4)).batch(torch.tensor([1, 2, 0]))
    assert batch.first(4) is batch
    cut = batch.first(2)
    assert cut.offsets.tolist() == [0, 2, 4, 6]
    assert cut.texts.tolist() == [0, 0, 1, 1, 2, 2]
    assert cut.words.tolist() == [*batch.words[:2], *batch.words[4:6], *batch.words[6:8]]
    assert cut.longest == 2


def test_texts_that_have_no_word_are_named():
    items = pd.DataFrame({"item_id": [3, 4], "text": ["a word", "..."]})
    with pytest.raises(RelataskError, match="the text of the item 4 has no word"):
        featurise(items)
    with pytest.raises(RelataskError, match="the items have no column `text`"):
        featurise(items.drop(columns="text"))
    assert unusable(items) == [None, "empty text: it has no word"]
    assert unusable(pd.DataFrame({"text": [None, float("nan"), "x"]})) == [
        *["empty text: it has no word"] * 2,
        None,
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"words": [0, 1, 9]}, "names words that word_list.npy lacks"),
        ({"offsets": [0, 3, 3]}, "does not cut"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(tmp_path, monkeypatch, changed, said):
    arrays = {"words": [0, 1, 0], "offsets": [0, 2, 3], "list": list(b"a\nb\n"), **changed}
    values = iter(np.array(arrays[name], np.uint8 if name == "list" else np.int64) for name in arrays)
    monkeypatch.setattr("relatask.inputs.words.read_array", lambda path: next(values))
    from relatask.inputs.words import load

    with pytest.raises(RelataskError, match=said):
        load(tmp_path)
