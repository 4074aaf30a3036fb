"""Sequences of proteins: what a FASTA file says, and how similar tasks are by them."""

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from relatask.core.errors import RelataskError
from relatask.data.sequences import read_fasta, task_similarity

FASTA = ">P1 first kinase\nMKVLA\nAGH\n\n>sp|Q2|KIN_HUMAN second\nmkvl\n>P3\n"


@pytest.mark.parametrize("name", ["a.fasta", "a.fasta.gz"])
def test_a_sequence_may_take_several_lines_and_its_header_be_that_of_uniprot(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    with gzip.open(path, "wt") if name.endswith("gz") else path.open("w") as handle:
        handle.write(FASTA)
    assert read_fasta(path) == {"P1": "MKVLAAGH", "Q2": "MKVL", "P3": ""}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("MKV\n", r"line 1: a FASTA file starts with a header"),
        (">P1\nM\n>P1\nK\n", r"line 3: the accession 'P1' stands there twice"),
        (">\nM\n", r"line 1: a header without a name"),
    ],
)
def test_what_is_no_fasta_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.fasta"
    path.write_text(text)
    with pytest.raises(RelataskError, match=said):
        read_fasta(path)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.fasta.gz"
    for content in (None, b">P1\nM", gzip.compress(b">P1\nMKV" * 100)[:-12]):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(RelataskError, match=r"a\.fasta\.gz cannot be read as FASTA"):
            read_fasta(path)


def cosine(one: str, other: str) -> float:
    """Of the counts of all words of three letters, one by one."""
    first, second = (Counter(text[i : i + 3] for i in range(len(text) - 2)) for text in (one, other))
    dot = sum(count * second[word] for word, count in first.items())
    sizes = [sum(count**2 for count in own.values()) for own in (first, second)]
    return dot / (sizes[0] * sizes[1]) ** 0.5


def test_tasks_are_as_similar_as_the_nearest_of_their_proteins_by_words_of_three() -> None:
    rng = np.random.default_rng(0)
    sequences = {name: "".join(rng.choice(list("AKLM"), 30)) for name in "abcd"}
    proteins = [["a"], ["b", "c", "unknown"], [], ["d", "b"], ["unknown"]]
    found = task_similarity(proteins, sequences)
    for i, own in enumerate(proteins):
        for j, others in enumerate(proteins):
            pairs = [
                cosine(sequences[one], sequences[other])
                for one in own
                for other in others
                if {one, other} <= {*sequences}
            ]
            if pairs:
                assert found[i, j] == pytest.approx(max(pairs))
            else:
                assert np.isnan(found[i, j])


def test_a_sequence_without_a_word_is_as_if_it_were_unknown() -> None:
    assert np.isnan(task_similarity([["a"], ["b"]], {"a": "MK", "b": ""})).all()


def test_kinases_of_one_family_are_nearer_than_others(mirror: Path) -> None:
    sequences = read_fasta(mirror / "sequences" / "targets.fasta.gz")
    assert len(sequences) == 1046
    jnk1, jnk2, pim1 = "P45983", "P45984", "P11309"  # MAPK8, MAPK9, PIM1
    similar = task_similarity([[jnk1], [jnk2], [pim1]], sequences)
    assert similar[0, 1] > 0.6 > 0.1 > similar[0, 2]
