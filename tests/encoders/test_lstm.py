"""The LSTM of words: the paper's equations, several encoders in one pass, known words, given vectors."""

import gzip
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.core.registry import complete_options
from relatask.encoders.lstm import LSTM, build, together
from relatask.inputs.word_batch import Vocabulary, Words
from tests.helpers.word_batches import random_words
from tests.oracles import lstm as oracle

SMALL = {"width": 3, "embedding": 4, "min_texts": 1, "dropout": 0.0}
LENGTHS = [4, 1, 6, 1, 3]  # several as long as each other, and texts of one word


def encoder(texts: Words, seed: int = 0, **options: Any) -> LSTM:
    torch.manual_seed(seed)
    chosen = complete_options("encoders", "lstm", {**SMALL, **options})
    return build(texts.vocabulary, texts.lengths, **chosen)


def gradients(embeddings: Tensor, parameters: list[Tensor]) -> list[Tensor]:
    weights = torch.linspace(-1, 1, embeddings.numel()).view_as(embeddings)
    return list(torch.autograd.grad((embeddings * weights).sum(), parameters))


@pytest.mark.parametrize("lengths", [LENGTHS, [1], [5]], ids=str)
def test_embeddings_and_gradients_equal_the_papers_equations(lengths):
    texts = random_words(lengths)
    model = encoder(texts)
    rows = torch.arange(len(lengths)).flip(0)
    table = model.words.weight
    entry, recurrent, *biases = model.lstm.all_weights[0]
    words = [[table[word] for word in texts.batch(row[None]).words] for row in rows]
    states = oracle.lstm(words, entry, recurrent, biases[0] + biases[1])
    expected = torch.stack([oracle.attention(own) for own in states])
    batch = texts.batch(rows)
    torch.testing.assert_close(
        model.states(batch), torch.cat([torch.stack(own) for own in states]), rtol=1e-5, atol=1e-5
    )
    torch.testing.assert_close(model(batch), expected, rtol=1e-5, atol=1e-5)
    parameters = list(model.parameters())
    for mine, theirs in zip(
        gradients(model(batch), parameters), gradients(expected, parameters), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)
    assert expected.abs().min() > 0


def test_states_equal_those_of_torchs_lstm():
    texts = random_words([20])
    model, batch = encoder(texts, width=8), texts.batch(torch.tensor([0]))
    expected = model.lstm(model.words(batch.words)[:, None])[0][:, 0]
    torch.testing.assert_close(model.states(batch), expected, rtol=1e-5, atol=1e-6)


def test_several_encoders_in_one_pass_equal_each_alone():
    texts = random_words(LENGTHS)
    encoders = [encoder(texts, seed, max_words=5) for seed in range(3)]
    batch, stacked = texts.batch(torch.arange(5)), together(encoders)
    alone = torch.stack([one(batch) for one in encoders], 1)
    torch.testing.assert_close(stacked(batch), alone, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(
        stacked.states(batch), torch.stack([one.states(batch) for one in encoders], 1), rtol=1e-5, atol=1e-6
    )
    names = ("words", "entry", "recurrent", "bias")
    found = gradients(stacked(batch), [getattr(stacked, name) for name in names])
    of_alone = [
        gradients(alone, [one.words.weight, *one.lstm.all_weights[0][:2], one.lstm.all_weights[0][2]])
        for one in encoders
    ]
    expected = [
        torch.cat([own[0] for own in of_alone], 1),
        *(torch.stack([own[place].mT for own in of_alone]) for place in (1, 2)),
        torch.stack([own[3] for own in of_alone]),
    ]
    for name, mine, theirs in zip(names, found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5, msg=name)


def test_states_may_be_changed_between_encoding_and_pooling():
    texts = random_words(LENGTHS)
    stacked, batch = together([encoder(texts, seed) for seed in range(2)]), texts.batch(torch.arange(5))
    asked = []

    def swapped(layer: int, states: Tensor) -> Tensor:
        asked.append((layer, states.shape))
        return states.flip(1)

    states = stacked.states(batch, swapped)
    assert asked == [(0, (15, 2, 3))]
    torch.testing.assert_close(stacked.pool(states, batch), stacked(batch).flip(1))


def test_bfloat16_leaves_the_recurrence_and_the_pooling_in_full_precision():
    texts = random_words(LENGTHS)
    stacked, batch = together([encoder(texts, seed) for seed in range(2)]), texts.batch(torch.arange(5))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = stacked(batch)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, stacked(batch), rtol=0.05, atol=0.01)
    assert not torch.equal(found, stacked(batch))


def test_dropout_is_drawn_for_each_encoder_and_in_training_alone():
    texts = random_words(LENGTHS)
    stacked, batch = together([encoder(texts, dropout=0.5)] * 2), texts.batch(torch.arange(5))
    one, other = stacked(batch).unbind(1)
    assert not torch.equal(one, other)
    one, other = stacked.eval()(batch).unbind(1)
    torch.testing.assert_close(one, other)


def test_a_text_is_encoded_alike_whichever_stand_beside_it():
    texts = random_words(LENGTHS)
    model = encoder(texts, width=8)
    alone = torch.cat([model(texts.batch(torch.tensor([row]))) for row in range(5)])
    torch.testing.assert_close(model(texts.batch(torch.arange(5))), alone, rtol=1e-5, atol=1e-6)


def test_only_the_first_words_of_a_long_text_are_read_and_it_is_said(caplog):
    caplog.set_level("INFO")
    texts = random_words([7, 3, 12])
    model = encoder(texts, max_words=5)
    assert "2 of 3 texts have more than 5 words; of these the first are read." in caplog.text
    batch = texts.batch(torch.tensor([2, 1]))
    assert model.states(batch).shape == (8, 3)
    torch.testing.assert_close(model(batch), model(batch.first(5)))
    assert not torch.allclose(model(batch), encoder(texts, max_words=12)(batch))


def test_a_batch_without_texts_has_no_embeddings():
    texts = random_words(LENGTHS)
    encoders = [encoder(texts, seed) for seed in range(2)]
    batch = texts.batch(torch.arange(0))
    assert encoders[0](batch).shape == (0, 3)
    assert together(encoders)(batch).shape == (0, 2, 3)


def test_words_of_too_few_training_texts_are_unknown():
    vocabulary = Vocabulary(("the", "cat", "dog"), (3, 2, 1))
    options = complete_options("encoders", "lstm", {**SMALL, "min_texts": 2})
    model = build(vocabulary, torch.tensor([2]), **options)
    assert model.words.weight.shape == (3, 4)
    texts = Words(torch.tensor([0, 2], dtype=torch.int32), torch.tensor([0, 2]), ("the", "never", "dog"))
    texts = texts.with_learned({"words": list(vocabulary.words), "n_texts": list(vocabulary.n_texts)})
    never = Words(torch.tensor([0, 1], dtype=torch.int32), texts.offsets, texts.names, vocabulary, texts.ids)
    row = torch.tensor([0])
    assert texts.batch(row).words.tolist() == [1, 3]
    assert never.batch(row).words.tolist() == [1, 0]
    assert torch.equal(model(texts.batch(row)), model(never.batch(row)))
    knows_all = build(vocabulary, torch.tensor([2]), **{**options, "min_texts": 1})
    with torch.no_grad():
        knows_all.words.weight[:3] = model.words.weight
        knows_all.lstm.load_state_dict(model.lstm.state_dict())
    assert knows_all.words.weight.shape == (4, 4)
    assert torch.equal(knows_all(never.batch(row)), model(never.batch(row)))
    assert not torch.equal(knows_all(texts.batch(row)), model(texts.batch(row)))


def test_no_known_word_is_no_mistake():
    texts = random_words([3, 2], training=[])
    batch = texts.batch(torch.tensor([0, 1]))
    assert batch.words.tolist() == [0] * 5
    assert encoder(texts)(batch).shape == (2, 3)


def written(path: Path, lines: list[str]) -> str:
    text = "".join(f"{line}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


VECTORS = ["w1 1 2 3 4", "never 9 9 9 9", "w3 -1e-2 0 0.5 7", "w1 5 5 5 5", ". . 1 1 1 1"]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("v.txt", VECTORS),
        ("v.vec", ["5 4", *VECTORS]),
        ("v.txt.gz", VECTORS),
        ("tabs.txt", [line.replace(" ", "\t") for line in VECTORS]),
        ("spaces.txt", [*(f"{line.replace(' ', '  ')} \r" for line in VECTORS), ""]),
        ("no_break.txt", [*VECTORS, "a\xa01 2 2 2 2", "\x85 1 1 1 1", "w\u30001 1 1 1 1"]),
    ],
)
def test_words_start_from_the_vectors_of_a_file(tmp_path, caplog, name, lines):
    caplog.set_level("INFO")
    texts = random_words([30])
    path = written(tmp_path / name, lines)
    model, random = encoder(texts, vectors=path), encoder(texts)
    row = {word: number for number, word in enumerate(texts.vocabulary.words, start=1)}
    assert model.words.weight[row["w1"]].tolist() == [1, 2, 3, 4]
    torch.testing.assert_close(model.words.weight[row["w3"]], torch.tensor([-0.01, 0, 0.5, 7]))
    others = [number for word, number in row.items() if word not in {"w1", "w3"}]
    assert torch.equal(model.words.weight[[0, *others]], random.words.weight[[0, *others]])
    assert f"vectors of 2 of {len(row)} words; the others start from random" in caplog.text


GOOD = ["a 1 2 3 4", "b 1 2 3 4"]  # of words that no text has


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (None, r"vectors: .*v\.txt does not exist; leave the option out for random ones"),
        (["w1 1 2 3"], "line 1 of .* has 3 numbers behind its word, and `embedding` is 4; set embedding"),
        (["1 3", "w1 1 2 3"], "line 2 of .* has 3 numbers behind its word"),
        (["", "x"], "line 2 of .* has 0 numbers"),
        (["w1 1", "w2 1 2 3 4"], "line 1 of .* has 1 numbers"),
        ([*GOOD, "w1 1 2", "w2 3 4"], "line 3 of .* has 2 numbers"),  # together as many as one vector
        ([*GOOD, "w1 1 2 3 4", "w2 1 2"], "line 4 of .* has 2 numbers"),
        ([*GOOD, "w1 1 2 3 4 5"], "line 3 of .* has 5 numbers"),
        ([*GOOD, "other 1 2"], "line 3 of .* has 2 numbers"),
        (["w1 1 2 3 4", "w2 1 2 x 4"], "line 2 of .* holds what is no finite number"),
        ([*GOOD, "w1 1 2 3 nan"], "line 3 of .* holds what is no finite number"),
        ([*GOOD, "w1 1 2 3 1e39"], "line 3 of .* holds what is no finite number of 32 bits"),
        (GOOD, r"v\.txt has a vector of none of the \d+ words of the training texts"),
    ],
)
def test_a_file_without_fitting_vectors_is_refused(tmp_path, lines, said):
    path = tmp_path / "v.txt"
    if lines is not None:
        written(path, lines)
    with pytest.raises(RelataskError, match=said):
        encoder(random_words([30]), vectors=str(path))
