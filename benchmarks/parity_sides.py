"""One side of parity: the source tree of a commit, the studies trained with it, and a cache of the results.

Nothing of the package is imported: a side is a folder of source files in which Snakemake is started.
"""

import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.parity_data import write_data
from benchmarks.parity_studies import Study, in_words_of

ROOT = Path(__file__).parents[1]
HERE = "."  # the working tree as it is
DECIDING = ("parity_data.py", "parity_sides.py", "parity_studies.py")  # what cached results depend on
PACKAGES = ("numpy", "pandas", "rdkit", "scikit-learn", "scipy", "torch", "torchjd")
SOURCE = "src/relatask"
LARGE = "results"  # tracked copies of published tables, of no use to training
MADE = ("figures", "prepared", "shards", "tables")  # folders of results that hold no predictions
Make = Callable[[], Study]


@dataclass(frozen=True)
class Side:
    """What is trained: `commit` is None for the working tree."""

    name: str  # as it was asked for
    commit: str | None


def resolve(name: str) -> Side:
    """Return the side that a command line names.

    Raises:
        SystemExit: there is no such commit.
    """
    if name == HERE:
        return Side(name, None)
    command: list[str | Path] = ["git", "-C", ROOT, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} is no commit of {ROOT}; give a commit, or . for the working tree.")
    return Side(name, done.stdout.strip())


def names_of(side: Side, kind: str) -> set[str]:
    """Return the names of the files of a side's `methods` or `encoders`, entries and helpers alike."""
    if side.commit is None:
        paths = [path.as_posix() for path in (ROOT / SOURCE / kind).rglob("*.py")]
    else:
        folder = f"{side.commit}:{SOURCE}/{kind}"
        command: list[str | Path] = ["git", "-C", ROOT, "ls-tree", "-r", "--name-only", folder]
        paths = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return {Path(path).stem for path in paths if not Path(path).name.startswith("_")}


def train(side: Side, makes: Sequence[Make], device: str, out: Path) -> None:
    """Write what the studies published to `out`, a folder each, and train those that it lacks.

    Args:
        side: what is trained.
        makes: functions that return a study and have its name.
        device: that trains.
        out: folder of the results, and of earlier ones of the same side.

    Raises:
        SystemExit: a study failed, with what Snakemake said.
    """
    missing = [make for make in makes if not (out / make.__name__).is_dir()]
    for make in makes:
        if make not in missing:
            print(f"{side.name}: {make.__name__} was trained before", flush=True)
    if missing:
        with tempfile.TemporaryDirectory(prefix="parity-") as name:
            source, work = Path(name, "source"), Path(name, "work")
            export(side, source)
            write_data(work)
            for make in missing:
                start = time.perf_counter()
                print(f"{side.name}: {make.__name__} ...", end=" ", flush=True)
                publish(make, source, work, device, out)
                print(f"{time.perf_counter() - start:.0f} s", flush=True)


def fingerprint(device: str, left_out: Collection[str] = ()) -> str:
    """Return a digest of what results depend on besides the commit: the runs, packages, processor, device.

    Args:
        device: that trains.
        left_out: encoders whose rows are not trained.
    """
    parts = [Path(__file__).with_name(name).read_bytes() for name in DECIDING]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    machine = [platform.python_version(), platform.machine(), _processor(), device, *sorted(left_out)]
    parts += [text.encode() for text in (*versions, *machine)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _processor() -> str:
    """Return the model of the processor, as Linux names it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line for line in lines if line.startswith("model name")), platform.processor())


def export(side: Side, folder: Path) -> None:
    """Write the source tree of a side; of the working tree all files that git does not ignore."""
    folder.mkdir(parents=True)
    without = f":(exclude){LARGE}"
    if side.commit is not None:
        archive = folder.with_suffix(".tar")
        tree = [side.commit, "--", ".", without]
        subprocess.run(["git", "-C", str(ROOT), "archive", "-o", str(archive), *tree], check=True)
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
        return
    listing = ["git", "-C", str(ROOT), "ls-files", "-coz", "--exclude-standard", "--", ".", without]
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # else it was removed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def publish(make: Make, source: Path, work: Path, device: str, out: Path) -> None:
    """Train one study in `work` and copy its tables to a folder of `out`, which appears when complete."""
    name, study = make.__name__, make()
    (work / f"{name}.yaml").write_text(yaml.safe_dump(in_words_of(source, study), sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--directory", work, *targets(name, study)]
    command += ["--config", f"study={name}.yaml", f"device={device}", "shard_minutes=1000"]
    own = {"PYTHONPATH": str(source / "src"), "XDG_CACHE_HOME": str(work / "cache")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=source,
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"failed:\n{done.stdout[-6000:]}")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix="part-") as part:
        copy_tables(work / "results" / name, Path(part, name))
        Path(part, name).rename(out / name)


def targets(name: str, study: Study) -> list[str]:
    """Return the last files of a study that hold numbers; all others are made on the way to them."""
    files = ["history", "metrics"]
    files += [f"groupings/{gains}" for gains in study.get("grouping", {}).get("gains", ())]
    files += [f"imputed/{data}-{row}" for data in study["datasets"] for row in study.get("imputation", ())]
    return [f"results/{name}/{file}.parquet" for file in files]


def copy_tables(results: Path, out: Path) -> None:
    """Copy all tables but those that repeat others: of single runs, only what was known is in no other."""
    for path in sorted(results.rglob("*.parquet")):
        place = path.relative_to(results)
        if place.parts[0] not in MADE and (place.parts[0] != "runs" or path.stem == "known_labels"):
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, out / place)
