"""Sequences of proteins, and how similar the proteins of tasks are by them."""

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from relatask.core.errors import RelataskError

K = 3  # length of the words that are counted


def read_fasta(path: Path) -> dict[str, str]:
    """Return accession -> sequence of a FASTA file, which may be gzipped.

    The accession is the first word of a header, or of one as UniProt's, ">sp|P11309|PIM1_HUMAN", its middle.

    Raises:
        RelataskError: the file is absent or no FASTA, or an accession stands there twice.
    """
    found: dict[str, list[str]] = {}
    own: list[str] | None = None
    for number, line in enumerate(_lines(path), start=1):
        if line.startswith(">"):
            word = (line[1:].split() or [""])[0]
            name = word.split("|")[1] if word.count("|") > 1 else word
            if not name or name in found:
                what = f"the accession {name!r} stands there twice" if name else "a header without a name"
                raise RelataskError(f"{path}, line {number}: {what}; give each protein once.")
            own = found[name] = []
        elif line and own is None:
            raise RelataskError(f"{path}, line {number}: a FASTA file starts with a header, >ACCESSION.")
        elif line and own is not None:
            own.append(line.upper())
    return {name: "".join(parts) for name, parts in found.items()}


def _lines(path: Path) -> Iterator[str]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as handle
        ):
            for line in handle:
                yield line.strip()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RelataskError(f"{path} cannot be read as FASTA ({error}); get it again.") from None


def task_similarity(proteins: Sequence[Iterable[str]], sequences: Mapping[str, str]) -> np.ndarray:
    """Return how similar the proteins of each two tasks are, float64 [T, T], 0 to 1.

    Two proteins are as similar as the counts of their words of three residues, by the cosine (spectrum
    kernel, Leslie et al. 2002): a measure without alignment, which needs no further package. It is high
    within a family and much the same for all other pairs. Of several proteins of a task the nearest counts.

    Args:
        proteins: accessions of each of the T tasks.
        sequences: accession -> sequence.

    Returns:
        NaN in rows and columns of tasks without a protein of which a word is known.
    """
    known = [[name for name in names if len(sequences.get(name, "")) >= K] for names in proteins]
    names = sorted({name for own in known for name in own})
    found = np.full((len(known), len(known)), np.nan)
    if not names:
        return found
    counts = _word_counts([sequences[name] for name in names])
    lengths = np.sqrt(counts.multiply(counts).sum(1))
    cosine = (counts @ counts.T).toarray() / lengths[:, None] / lengths
    place = {name: number for number, name in enumerate(names)}
    there = [task for task, own in enumerate(known) if own]
    members = np.array([place[name] for task in there for name in known[task]])
    starts = np.cumsum([0, *(len(known[task]) for task in there[:-1])])
    nearest = np.maximum.reduceat(cosine[members], starts, axis=0)
    found[np.ix_(there, there)] = np.maximum.reduceat(nearest[:, members], starts, axis=1)
    return found.clip(max=1)


def _word_counts(sequences: Sequence[str]) -> csr_array:
    """Return how often each word of K residues is in each sequence, [P, words]."""
    codes = [np.frombuffer(text.encode("ascii", "replace"), np.uint8).astype(np.int64) for text in sequences]
    words = [np.lib.stride_tricks.sliding_window_view(own, K) @ 256 ** np.arange(K) for own in codes]
    rows = np.repeat(np.arange(len(words)), [len(own) for own in words])
    _, columns = np.unique(np.concatenate(words), return_inverse=True)
    return csr_array((np.ones(len(rows)), (rows, columns)))
