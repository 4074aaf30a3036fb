"""What a person, a kill, a copy or another folder may do to a small study between two runs of it."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import yaml

from relatask.freshness.ledger import FOLDER
from relatask.freshness.locks import LOCKS, Locks
from tests.helpers.workflow import snakemake_command

TAILS, HEADS = ("", "C", "CC", "CCC", "O", "N", "Cl", "F"), ("C", "CC", "CCC", "OC", "NC", "ClC", "FC", "CCO")
SMILES = [f"{head}c1ccc(C{tail})cc1" for tail, head in product(TAILS, HEADS)]
KEYS = {  # key -> its values; the first is where a folder starts
    "title": ("One", "Two"),
    "threshold": (0.5, 0.8),
    "fractions": ([0.8, 0.1, 0.1], [0.5, 0.2, 0.3]),
    "trees": (3, 4),
}
CODE = {  # file -> what is replaced in it: what trains, what makes inputs, what is shown
    "methods/random_forest.py": ("        random_state=seed,\n", "        random_state=seed + 100,\n"),
    "inputs/ecfp.py": ("RADIUS, BITS = 2, 2048", "RADIUS, BITS = 1, 2048"),
    "core/columns/runs.py": ("", "\n# another comment\n"),
    "publishing/tables/main.py": ("the best mean of a column is bold", "bold is the best mean of a column"),
}
DATA = 3  # variants of the user's table
SEEDS = [0, 1]
SHOWN = (
    "my/tables/*",
    "my/figures/*.parquet",
    "my/predictions.parquet",
    "my/metrics.parquet",
    "my/data/assays/*.parquet",
)
MEASURED = ("costs", "learning_curves")  # hold seconds


def study(config: dict[str, object]) -> dict:
    """The study that a folder's config stands for."""
    return {
        "title": config["title"],
        "sources": {
            "mine": {"reader": "table", "path": "data.csv", "active": {"at_least": config["threshold"]}}
        },
        "datasets": {"assays": {"source": "mine"}},
        "splits": {"schemes": ["random"], "fractions": config["fractions"]},
        "methods": [{"label": "RF", "method": "random_forest", "options": {"n_estimators": config["trees"]}}],
        "baseline": "RF",
        "scales": {"quick": {"seeds": SEEDS}},
    }


def table(variant: int) -> str:
    """A user's table of 64 molecules and two assays; the values of variants differ, their sizes do not."""
    rows = [
        f"{smiles},{((row * 7 + variant * row * row) % 10) / 10},{((row * 3 + variant) % 10) / 10}"
        for row, smiles in enumerate(SMILES)
    ]
    return "\n".join(["smiles,a,b", *rows]) + "\n"


@dataclass
class Place:
    """A folder where a person works."""

    path: Path
    config: dict[str, object] = field(
        default_factory=lambda: {key: values[0] for key, values in KEYS.items()}
    )
    data: int = 0

    @property
    def results(self) -> Path:
        """Its results, or a link to another folder's."""
        return self.path / "results"

    def write(self) -> None:
        """Write the user's files as they stand."""
        self.path.mkdir(exist_ok=True)
        (self.path / "data.csv").write_text(table(self.data))
        self.write_study()

    def write_study(self) -> None:
        """Write the study as it stands."""
        (self.path / "my.yaml").write_text(yaml.safe_dump(study(self.config), sort_keys=False))

    def files(self) -> list[Path]:
        """Files and folders of the results, in an order that is the same wherever they lie."""
        found = self.results.rglob("*") if self.results.is_dir() else []
        return sorted(
            path for path in found if path.relative_to(self.results).parts[0] not in ("logs", "benchmarks")
        )

    def trained(self) -> dict[str, int]:
        """Run -> inode of its record in the journal."""
        return {path.parent.name: path.stat().st_ino for path in self.results.glob("my/runs/*/run.json")}


class World:
    """Two folders where people work, a copy of the project at `root`, and clean folders to compare with."""

    def __init__(self, folder: Path, root: Path, clean: Path, python: Path):
        self.folder, self.root, self.clean, self.python = folder, root, clean, python
        self.code: dict[str, bool] = dict.fromkeys(CODE, False)
        self.here, self.there = Place(folder / "here"), Place(folder / "there", data=1)
        self.known: dict[
            str, object
        ] = {}  # run -> what it was last trained from, while nobody touched the journal
        for place in (self.here, self.there):
            place.write()

    def finish(self) -> None:
        """Run both folders to their ends."""
        for place in (self.there, self.here):
            self.run(place)

    def start_from(self, finished: Path) -> None:
        """Start with two folders that were run to their ends elsewhere."""
        shutil.rmtree(self.folder)
        shutil.copytree(finished, self.folder)
        self.known = dict.fromkeys(self.here.trained(), self.state(self.here))

    def edit_code(self, file: str) -> None:
        """Change a file of the package, or take the change back."""
        old, new = CODE[file][:: -1 if self.code[file] else 1]
        path = self.root / "src" / "relatask" / file
        text = path.read_text()
        if CODE[file][0]:
            assert old in text, f"{file} does not hold {old!r}"
            path.write_text(text.replace(old, new))
        else:
            path.write_text(text + new if new else text.removesuffix(old))
        self.code[file] = not self.code[file]

    def end(self) -> None:
        """Take all edits of the code back, and remove the folders."""
        for file, edited in self.code.items():
            if edited:
                self.edit_code(file)
        shutil.rmtree(self.folder)

    def start(self, place: Place, *arguments: str) -> subprocess.Popen[str]:
        """Start the workflow in a folder."""
        settings = [*arguments, "--config", "study=my.yaml"]
        with (place.path / "said.txt").open("a") as said:
            return subprocess.Popen(
                snakemake_command(place.path, *settings, root=self.root, python=self.python),
                stdout=said,
                stderr=said,
                text=True,
                cwd=place.path,
                env={**os.environ, "PYTHONPATH": str(self.root / "src")},
            )

    def run_part(self, place: Place, target: str) -> None:
        """Run what a target needs and no more; it may meet damage that only a whole run makes good."""
        before = place.trained()
        self.start(place, target).wait(300)
        self._count(place, before)

    def run(self, place: Place) -> None:
        """Run to the end; what a step found damaged is made again by the next start."""
        for _ in range(3):
            (place.path / "said.txt").unlink(missing_ok=True)
            before = place.trained()
            code = self.start(place).wait(300)
            self._count(place, before)
            said = (place.path / "said.txt").read_text()
            if code == 0:
                return
            assert "again" in said, said[-6000:]
            self.known.clear()
        raise AssertionError(said[-6000:])

    def _count(self, place: Place, before: dict[str, int]) -> None:
        """No run may be trained again that was last trained from the same data, options and code."""
        made_from = self.state(place)
        after = place.trained()
        for run, inode in after.items():
            if before.get(run) != inode:
                assert self.known.get(run) != made_from, f"run {run} was trained again"
        self.known = {
            run: made_from if before.get(run) != inode else self.known.get(run)
            for run, inode in after.items()
        }

    def state(self, place: Place) -> str:
        """What decides the numbers that a folder's study must show."""
        changed = [file for file in CODE if CODE[file][0] and self.code[file] and "publishing" not in file]
        deciding = {key: value for key, value in place.config.items() if key != "title"}
        return json.dumps([deciding, place.data, changed])

    def kill(self, place: Place, after: float) -> None:
        """Start, and kill all processes after some seconds."""
        process = self.start(place)
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        process.send_signal(signal.SIGKILL)
        process.wait()
        locks = Locks(place.results / FOLDER / LOCKS)
        until = time.monotonic() + 60
        while list(locks.of_others()):  # until its fork is gone too
            assert time.monotonic() < until, "the workflow outlived its kill"
            time.sleep(0.05)
        self.known.clear()

    def expected(self, place: Place) -> dict[str, bytes]:
        """What a clean folder shows; one is run for each state that occurs."""
        shown = [file for file in CODE if CODE[file][0] and self.code[file]]
        key = json.dumps([place.config, place.data, shown])
        names = self.clean / "states.json"
        known = json.loads(names.read_text()) if names.exists() else {}
        if key not in known:
            fresh = Place(self.clean / f"state{len(known)}", place.config, place.data)
            shutil.rmtree(fresh.path, ignore_errors=True)
            fresh.write()
            process = self.start(fresh)
            assert process.wait(300) == 0, (fresh.path / "said.txt").read_text()[-6000:]
            names.write_text(json.dumps({**known, key: fresh.path.name}))
            known[key] = fresh.path.name
        return outcome(self.clean / known[key] / "results")


def outcome(results: Path) -> dict[str, bytes]:
    """The files that show a study's numbers, and the tables that these are made from."""
    paths = [path for pattern in SHOWN for path in results.glob(pattern)]
    assert not paths or any(path.name == "labels.parquet" for path in paths), "a pattern finds nothing"
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in paths
        if not any(name in path.name for name in MEASURED)
    }


@dataclass(frozen=True)
class Act:
    """Something that is done to the world; `text` says what."""

    text: str
    do: Callable[[World], None]

    def __repr__(self) -> str:
        return self.text


def edit_config(key: str, choice: int) -> Act:
    """Another value of a key of the study."""

    def do(world: World) -> None:
        world.here.config = {**world.here.config, key: KEYS[key][choice]}
        world.here.write_study()

    return Act(f"set {key} to {KEYS[key][choice]}", do)


def replace_data(variant: int, days: int | None) -> Act:
    """Put another table in the place of the user's, of the same date, an older one, or new."""

    def do(world: World) -> None:
        path = world.here.path / "data.csv"
        date = path.stat().st_mtime if days is not None else time.time()
        other = path.with_name("other.csv")
        other.write_text(table(variant))
        moment = date - 86400 * (days or 0)
        os.utime(other, (moment, moment))
        other.replace(path)
        world.here.data = variant

    return Act(f"replace data.csv by variant {variant}, {days} days older", do)


def edit_code(file: str) -> Act:
    """Change a line of the package, or change it back."""
    return Act(f"edit {file}", lambda world: world.edit_code(file))


def redate(number: int, days: float) -> Act:
    """Date a file of the results, or all, otherwise."""

    def do(world: World) -> None:
        files = world.here.files()
        moment = time.time() + 86400 * days
        for path in files if number == 0 else files[number % len(files) :][:1] if files else []:
            if path.exists():
                os.utime(path, (moment, moment))

    return Act(f"date file {number} to {days} days from now", do)


def delete(number: int) -> Act:
    """Delete a file or a folder of the results."""

    def do(world: World) -> None:
        if files := world.here.files():
            remove(files[number % len(files)])
            world.known.clear()

    return Act(f"delete file {number}", do)


def copy(number: int) -> Act:
    """Take a file or a folder from the other folder's results."""

    def do(world: World) -> None:
        if (files := world.there.files()) and not world.here.results.is_symlink():
            path = files[number % len(files)]
            place = world.here.results / path.relative_to(world.there.results)
            if ".locks" in place.parts:
                return
            remove(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, place, copy_function=shutil.copy2)
            else:
                shutil.copy2(path, place)
            world.known.clear()

    return Act(f"copy file {number} from the other folder", do)


def alter(number: int) -> Act:
    """Write a wrong byte into a file of the results, and set its date back."""

    def do(world: World) -> None:
        files = [path for path in world.here.files() if path.is_file()]
        if files:
            path = files[number % len(files)]
            date = path.stat()
            path.write_bytes(path.read_bytes() + b"\n")
            os.utime(path, ns=(date.st_atime_ns, date.st_mtime_ns))
            world.known.clear()

    return Act(f"alter file {number}", do)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _forget_snakemake(world: World) -> None:
    remove(world.here.path / ".snakemake")


def _swap_results(world: World) -> None:
    """The two folders of results change places."""
    if world.here.results.is_symlink() or world.there.results.is_symlink():
        return
    for place in (world.here, world.there):
        place.results.mkdir(exist_ok=True)
    spare = world.folder / "spare"
    world.here.results.rename(spare)
    world.there.results.rename(world.here.results)
    spare.rename(world.there.results)
    world.known.clear()


def _link_results(world: World) -> None:
    """The two folders share one folder of results from now on."""
    if world.here.results.is_symlink() or world.there.results.is_symlink():
        return
    world.there.results.mkdir(exist_ok=True)
    remove(world.here.results)
    world.here.results.symlink_to(world.there.results)
    world.known.clear()


def _copy_results(world: World) -> None:
    """All results of the other folder come in the place of these, with new dates."""
    if (
        world.here.results.is_symlink()
        or world.there.results.is_symlink()
        or not world.there.results.is_dir()
    ):
        return
    remove(world.here.results)
    shutil.copytree(world.there.results, world.here.results, copy_function=shutil.copy)
    world.known.clear()


def _run_there(world: World) -> None:
    shared = world.here.results.is_symlink() or world.there.results.is_symlink()
    known, world.known = world.known, world.known if shared else {}
    world.run(world.there)
    world.known = world.known if shared else known


FORGET = Act("delete .snakemake", _forget_snakemake)
SWAP = Act("swap the results of the folders", _swap_results)
LINK = Act("share the results of the other folder", _link_results)
COPY_ALL = Act("copy all results of the other folder", _copy_results)
RUN = Act("run", lambda world: world.run(world.here))
RUN_THERE = Act("run in the other folder", _run_there)


def run_part(target: str) -> Act:
    """Run a part of the workflow."""
    return Act(f"run {target}", lambda world: world.run_part(world.here, target))


def kill(after: float) -> Act:
    """Run, and kill all after some seconds."""
    return Act(f"kill after {after:.1f} s", lambda world: world.kill(world.here, after))
