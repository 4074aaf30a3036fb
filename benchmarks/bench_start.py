"""What comparing the content of everything with the records costs when a workflow starts.

    python -m benchmarks.bench_start

A finished study of 1,000 and of 100,000 runs: records of shards are read, and the states of their files and
of the journal are compared. Nothing was touched since, as when nothing is to be done; then after a copy,
when all that is small is read once.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

from relatask.freshness.ledger import Files, Ledger, Record, check, states_of

SHARDS = 1000  # at most, see config.yaml
OPTIONS = {name: "0123456789abcdef" for name in ("code", "command", "device", "splits")}


def make(results: Path, n_runs: int) -> dict[str, Files]:
    """Write the files of a finished study; return those of each shard by its first output."""
    (results / "data").mkdir(parents=True)
    shared = [results / "data" / name for name in ("dataset.json", "features.json", "prepared")]
    for path in shared:
        path.write_text("{}")
    jobs = {}
    count = min(SHARDS, n_runs)
    for shard in range(count):
        folder = results / "s" / "shards"
        folder.mkdir(parents=True, exist_ok=True)
        manifest, done = folder / f"{shard:05d}.json", folder / f"{shard:05d}.done.json"
        manifest.write_text(str(shard))
        done.write_text("{}")
        entries = []
        for run in range(shard, n_runs, count):
            path = results / "s" / "runs" / f"{run:016x}" / "run.json"
            path.parent.mkdir(parents=True)
            path.write_text(f"{run}" * 100)
            entries.append(str(path))
        inputs = {str(path): [str(path)] for path in (manifest, *shared)}
        jobs[str(done)] = Files(inputs, {str(done): [str(done)], "runs": entries})
    return jobs


def reasons(ledger: Ledger, jobs: dict[str, Files]) -> int:
    """Compare every shard; return how many must run."""
    return sum(bool(check(ledger.read(output), OPTIONS, files)[0]) for output, files in jobs.items())


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    os.fsync = lambda handle: None  # type: ignore[assignment]  # this only makes the input
    for n_runs in (1_000, 100_000):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            jobs = make(Path("results"), n_runs)
            ledger = Ledger(Path("results"))
            for output, files in jobs.items():
                record = Record(OPTIONS, states_of(files.inputs, {}), states_of(files.outputs, {}))
                ledger.write(output, record)
            for what in ("untouched", "copied"):
                if what == "copied":
                    shutil.copytree("results", "copy")
                    shutil.rmtree("results")
                    Path("copy").rename("results")
                start = time.process_time()
                assert reasons(ledger, jobs) == 0
                print(f"{n_runs:7,} runs, {what:9} {time.process_time() - start:6.2f} CPU-s", flush=True)
            (Path(output).parents[1] / "runs" / f"{0:016x}" / "run.json").unlink()
            assert reasons(ledger, jobs) == 1
            os.chdir("/")


if __name__ == "__main__":
    main()
