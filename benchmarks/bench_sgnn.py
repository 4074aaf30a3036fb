"""Steps of SGNN and SGNN-EBM at the shapes of ChEMBL-STRING, each in a fresh process, and how they scale.

`wide` is the authors' function: an edge MLP of 1024 and 512 hidden units; `narrow` our default. The public
figures were measured once on two cores with a public implementation (issue 3 of the project). Run:
`python -m benchmarks.bench_sgnn [--threads 2] [--steps 3] [--plain] [--figure scaling.pdf] [--only scaling]`.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.children import cost_of

SHAPES = {
    "tau 100": ["--tasks=132", "--pairs=604", "--batch=128", "--labelled=0.9287"],
    "tau 10": ["--tasks=382", "--pairs=3571", "--batch=32", "--labelled=0.0576"],
}
PUBLIC = {"sgnn tau 100": 27.5, "sgnn tau 10": 24.4, "ebm tau 10": 63.0, "single_task tau 10": 9430.0}
CASES = [
    ("wide_t100", "tau 100", "fp32", "sgnn", 3),
    ("wide_t100", "tau 100", "bf16", "sgnn", 8),
    ("wide_t10", "tau 10", "fp32", "sgnn", 3),
    ("wide_t10", "tau 10", "bf16", "sgnn", 8),
    ("narrow", "tau 100", "fp32", "sgnn", 30),
    ("narrow", "tau 100", "bf16", "sgnn", 30),
    ("narrow", "tau 10", "fp32", "sgnn", 30),
    ("mtl", "tau 10", "fp32", "", 0),
    ("ebm", "tau 10", "fp32", "ebm", 0),
    ("ebm", "tau 10", "bf16", "ebm", 0),
]
SCALE = [(164, 1147), (328, 2293), (655, 4586), (1310, 9172)]  # tasks and pairs, up to all of ChEMBL-STRING


@dataclass(frozen=True)
class Timed:
    """The least of some steps, and the largest resident set."""

    wall: float
    cpu: float
    megabytes: float


def measure(case: str, options: list[str], common: list[str]) -> Timed:
    """Run one case in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "seconds.json"
        command = [sys.executable, "-m", "benchmarks.sgnn_steps", case, str(out), *options, *common]
        cost = cost_of(command)
        seconds = json.loads(out.read_text(encoding="utf-8"))
    return Timed(seconds["wall"], seconds["cpu"], cost.megabytes)


def shapes(common: list[str], threads: int) -> None:
    """The table of steps against the public figures; CPU time over threads is what an idle machine takes."""
    print(f"{'case':10s} {'shape':8s} {'type':5s} {'wall s':>7s} {'CPU s':>7s} {'MB':>6s}  x public (by CPU)")
    for case, shape, precision, family, target in CASES:
        taken = measure(case, [*SHAPES[shape], f"--precision={precision}"], common)
        told = ""
        if family:
            times = (
                PUBLIC[f"{family} {shape}"] / taken.wall,
                PUBLIC[f"{family} {shape}"] / taken.cpu * threads,
            )
            told = f"{times[0]:.1f} ({times[1]:.1f})" + (f", target {target}" if target else "")
        numbers = f"{taken.wall:7.2f} {taken.cpu:7.2f} {taken.megabytes:6.0f}"
        print(f"{case:10s} {shape:8s} {precision:5s} {numbers}  {told}", flush=True)


def plain(common: list[str]) -> None:
    """The same function written out, on this machine; it needs some 16 GB."""
    for case, shape in (("wide_t100", "tau 100"), ("wide_t10", "tau 10")):
        taken = measure(case, [*SHAPES[shape], "--plain"], [*common, "--steps=1"])
        print(
            f"written out {shape}: {taken.wall:.1f} s, CPU {taken.cpu:.1f} s, {taken.megabytes:.0f} MB",
            flush=True,
        )


def single_tasks(common: list[str]) -> None:
    """An epoch over all tasks, each on its labelled molecules, from a few of them."""
    taken = measure("single_task", [*SHAPES["tau 10"], "--batch=128"], [*common, "--steps=8"])
    public = PUBLIC["single_task tau 10"]
    print(
        f"single tasks at tau 10, epoch of 382 tasks on 13,004 molecules: {taken.wall:.0f} s, "
        f"CPU {taken.cpu:.0f} s, {taken.megabytes:.0f} MB; {public / taken.wall:.1f} x public, target 10"
    )


def scaling(common: list[str], figure: Path | None) -> None:
    """Seconds and memory against the number of relations, with the same number of relations per task."""
    rows: dict[str, list[Timed]] = {}
    for case in ("narrow", "ebm", "mtl"):
        for tasks, pairs in SCALE:
            taken = measure(case, [f"--tasks={tasks}", f"--pairs={pairs}", "--batch=32"], common)
            rows.setdefault(case, []).append(taken)
            each = 1e6 * taken.cpu / pairs
            print(
                f"{case:8s} T {tasks:5d} E {pairs:5d}: {taken.wall:6.2f} s, CPU {taken.cpu:6.2f} s "
                f"({each:.0f} us/relation), {taken.megabytes:5.0f} MB",
                flush=True,
            )
    if figure is not None:
        draw(rows, figure)


def draw(rows: dict[str, list[Timed]], path: Path) -> None:
    """CPU seconds and memory of a step against E; a straight line through the origin is linear cost."""
    import matplotlib.pyplot as plt

    names = {"narrow": "SGNN", "ebm": "SGNN-EBM", "mtl": "MTL"}
    pairs = [pairs for _, pairs in SCALE]
    drawing, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
    for case, timed in rows.items():
        left.plot(pairs, [t.cpu for t in timed], marker="o", label=names[case])
        right.plot(pairs, [t.megabytes / 1024 for t in timed], marker="o", label=names[case])
    left.set(
        xlabel="related pairs E (T = E / 7)", ylabel="CPU seconds of a step", xlim=(0, None), ylim=(0, None)
    )
    right.set(
        xlabel="related pairs E (T = E / 7)", ylabel="peak memory (GiB)", xlim=(0, None), ylim=(0, None)
    )
    left.legend(frameon=False)
    drawing.savefig(path)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--plain", action="store_true", help="also the same function written out")
    parser.add_argument("--figure", type=Path, help="write the scaling figure here")
    parser.add_argument("--only", choices=["shapes", "single", "scaling"])
    arguments, _ = parser.parse_known_args()
    common = [f"--threads={arguments.threads}", f"--steps={arguments.steps}"]
    if arguments.only in (None, "shapes"):
        shapes(common, arguments.threads)
    if arguments.plain:
        plain(common)
    if arguments.only in (None, "single"):
        single_tasks(common)
    if arguments.only in (None, "scaling"):
        scaling(common, arguments.figure)


if __name__ == "__main__":
    main()
