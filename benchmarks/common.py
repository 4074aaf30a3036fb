"""What the benchmarks share: molecules, interleaved timing on a machine that may be busy, memory."""

import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).parents[1]
SIDER = ROOT.parent / "shared" / "data" / "moleculenet" / "sider.csv"
CLOCK = ("wall", "CPU")  # by whether there is one thread; its CPU time is what neighbours disturb least
QUIET = 0.9  # a round counts when the machine ran at least this share of its best rate before and after


@contextmanager
def kept_or_scratch(folder: Path | None) -> Iterator[Path]:
    """Make and yield a folder that is kept for the next time, or one for this time alone."""
    with tempfile.TemporaryDirectory() as scratch:
        chosen = (folder or Path(scratch)).absolute()
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen


def molecules(sizes: Sequence[int] | np.ndarray, seed: int = 0) -> dict[str, Any]:
    """Random molecule-like graphs: chains with branches and six-rings, about 1.08 bonds per atom."""
    rng = np.random.default_rng(seed)
    index, bonds, bond_offsets = [], [], [0]
    for size in sizes:
        pairs = {(max(0, i - int(rng.integers(1, 4))), i) for i in range(1, size)}
        pairs |= {(i, i + 5) for i in range(0, size - 5, 9)}
        for pair in sorted(pairs):
            kind = (int(rng.choice(4, p=[0.5, 0.1, 0.02, 0.38])), 0)
            index += [pair, pair[::-1]]
            bonds += [kind, kind]
        bond_offsets.append(len(bonds))
    n_atoms = int(np.sum(sizes))
    numbers = rng.choice([5, 6, 7, 8, 15, 16], n_atoms, p=[0.75, 0.1, 0.1, 0.02, 0.02, 0.01])
    chirality = rng.choice(3, n_atoms, p=[0.94, 0.03, 0.03])
    return {
        "atoms": np.stack([numbers, chirality], axis=1).astype(np.uint8),
        "atom_offsets": np.concatenate([[0], np.cumsum(sizes)]),
        "bond_index": np.array(index, np.int32).reshape(-1, 2),
        "bonds": np.array(bonds, np.uint8).reshape(-1, 2),
        "bond_offsets": np.array(bond_offsets),
    }


def masked_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over tasks of the mean binary cross-entropy over labelled cells; labels [B, T] with NaN."""
    known = ~labels.isnan()
    cells = torch.nn.functional.binary_cross_entropy_with_logits(
        logits.float(), labels.nan_to_num(0), reduction="none"
    )
    return ((cells * known).sum(0) / known.sum(0).clamp(min=1)).mean()


def random_labels(n_molecules: int, n_tasks: int) -> torch.Tensor:
    """Labels of which 30 % are active and 60 % missing."""
    labels = (torch.rand(n_molecules, n_tasks) < 0.3).float()
    labels[torch.rand(n_molecules, n_tasks) < 0.6] = torch.nan
    return labels


def seconds(action: Callable[[], object]) -> float:
    """Time of one call: wall time, or CPU time with one thread, which neighbours disturb less."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    action()
    return clock() - start


def square_rate(size: int = 1024) -> Callable[[], float]:
    """A gauge of the machine: GFLOP/s of one fp32 product of square matrices."""
    a = torch.randn(size, size)
    return lambda: 2 * size**3 / seconds(lambda: a @ a) / 1e9


@dataclass(frozen=True)
class Measured:
    """Medians over the rounds that were quiet, and the best of all rounds."""

    seconds: dict[str, float]
    best: dict[str, float]
    gauge: float  # GFLOP/s of the square product beside the quiet ones
    best_gauge: float
    quiet: int
    rounds: int


def interleaved(actions: Mapping[str, Callable[[], object]], rounds: int) -> Measured:
    """Time the actions in turn, round by round, and keep what was timed while the machine was quiet.

    Before and after each call a gauge runs; a call counts when both gauges reached 90 % of the best
    gauge, so a neighbour's burst spoils single calls and not the medians.
    """
    gauge = square_rate()
    for action in actions.values():
        action()
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for _ in range(rounds):
        before = gauge()
        for name, action in actions.items():
            taken = seconds(action)
            after = gauge()
            samples[name].append((min(before, after), taken))
            before = after
    best = max(rate for timed in samples.values() for rate, _ in timed)
    quiet = {
        name: [taken for rate, taken in timed if rate >= QUIET * best] for name, timed in samples.items()
    }
    if not all(quiet.values()):
        print(f"! never quiet for {[n for n, q in quiet.items() if not q]}: medians over all rounds instead")
        quiet = {name: quiet[name] or [taken for _, taken in timed] for name, timed in samples.items()}
    return Measured(
        {name: statistics.median(taken) for name, taken in quiet.items()},
        {name: min(taken for _, taken in timed) for name, timed in samples.items()},
        statistics.median(rate for timed in samples.values() for rate, _ in timed if rate >= QUIET * best),
        best,
        min(len(taken) for taken in quiet.values()),
        rounds,
    )


def peak_megabytes() -> float:
    """Largest resident set of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_megabytes() -> float:
    """Resident set of this process now, MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
