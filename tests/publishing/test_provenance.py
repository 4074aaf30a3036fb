"""Published files come with the facts that a reader needs and none that are nobody's business."""

import getpass
import json
import socket
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.core.files import sha256_of, write_json, write_text
from relatask.core.tables import write_table
from relatask.publishing.provenance import commit, data_digests, hardware, packages, scrub
from tests.helpers.study_tables import make_plan, write_study

STUDY = {
    "title": "Toy",
    "sources": {"toy": {"reader": "table", "path": "toy.csv"}},
    "datasets": {"toy": {"source": "toy"}},
    "methods": [{"label": "STL", "method": "single_task"}],
    "baseline": "STL",
    "scales": {"quick": {"seeds": [0, 1, 2], "reduced": ["3 seeds instead of 5"]}},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "snakemake --cores 2 --config mirror=../shared/data",
            "snakemake --cores 2 --config mirror=../shared/data",
        ),
        ("HF_TOKEN=abc123 make run", "HF_TOKEN=[removed] make run"),
        ("tool --api-key s3cr3t --cores 2", "tool --api-key [removed] --cores 2"),
        ("get https://me:pw@example.org/x", "get https://example.org/x"),
        ("snakemake --config mirror=/scratch/alice/data", "snakemake --config mirror=…/data"),
        ("run ROOT/config.yaml", "run config.yaml"),
        ("run ~/studies/mine.yaml", "run …/mine.yaml"),
        ("PATH=bin:/srv/bob/bin see file:///srv/bob/x", "PATH=bin:…/bin see …/x"),
        ("results/published/demo", "results/published/demo"),
        ("study='/data/alice/my assays/mine.yaml' n=2", "study='…/mine.yaml' n=2"),
        ('{"path":"/data/alice/my assays/x.csv","n":2}', '{"path":"…/x.csv","n":2}'),
    ],
)
def test_commands_are_scrubbed_of_paths_and_secrets(text: str, expected: str, tmp_path) -> None:
    assert scrub(text.replace("ROOT", str(tmp_path.resolve())), tmp_path) == expected


def test_home_user_and_host_names_disappear(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setattr(getpass, "getuser", lambda: "alice")
    monkeypatch.setattr(socket, "gethostname", lambda: "labbox7")
    text = scrub("ssh alice@labbox7 cat /home/alice/x.csv /data/alice.csv malice", tmp_path)
    assert text == "ssh [user]@[host] cat …/x.csv …/[user].csv malice"


def test_hardware_and_packages_are_named(monkeypatch) -> None:
    facts = hardware()
    assert facts["cores"] >= 1
    assert facts["cpu"]
    assert socket.gethostname() not in json.dumps(facts)
    assert packages()["numpy"] == __import__("numpy").__version__


def repository(folder: Path) -> Path:
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True)

    folder.mkdir()
    git("init", "-q")
    (folder / "code.py").write_text("x = 1\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return folder


def test_the_commit_and_whether_files_differ_from_it(tmp_path) -> None:
    folder = repository(tmp_path / "repo")
    found = commit(folder)
    assert len(found["commit"]) == 40
    assert found["dirty"] is False
    (folder / "results" / "published").mkdir(parents=True)
    (folder / "results" / "published" / "main.md").write_text("table")
    assert commit(folder)["dirty"] is False
    (folder / "code.py").write_text("x = 2\n")
    assert commit(folder)["dirty"] is True


def test_without_git_there_is_no_commit(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert commit(tmp_path) == {"commit": None, "dirty": None}


def test_data_digests_are_those_that_the_records_state(tmp_path) -> None:
    write_json(tmp_path / "toy" / "dataset.json", {"digest": "abc"})
    write_text(tmp_path / "toy" / "raw.csv", "x")
    digests = data_digests([tmp_path / "toy" / "raw.csv", tmp_path / "toy" / "dataset.json"], tmp_path)
    assert digests == {"toy/dataset.json": "abc", "toy/raw.csv": sha256_of(tmp_path / "toy" / "raw.csv")}


@pytest.fixture
def arguments(tmp_path) -> list[str]:
    plan = make_plan(methods=["STL"])
    write_table("plan", plan, tmp_path / "plan.parquet")
    costs = pd.DataFrame(
        {"run_id": plan["run_id"], "seconds": 1.5, "peak_rss_mb": 9.0, "device": "cpu", "host": "hidden-host"}
    )
    costs["libraries"] = ['{"numpy":"2.4.6","torch":"2.12.0"}', '{"numpy":"2.4.6","torch":"2.13.0"}', None]
    costs["finished"] = [f"2026-12-01T03:00:{second}Z" for second in ("02", "10", "04")]
    write_table("costs", costs, tmp_path / "costs.parquet")
    toy = tmp_path / "toy_study" / "data" / "toy"
    write_json(toy / "dataset.json", {"digest": "abc"})
    write_json(toy / "features" / "features.json", {"digest": "def", "rdkit": "2026.9.1"})
    for seed in STUDY["scales"]["quick"]["seeds"]:
        write_json(toy / "splits" / f"scaffold-{seed}.json", {"digest": f"split {seed}"})
    for name in ("main.csv", "main.md", "overview.png"):
        write_text(tmp_path / "made" / name, name)
    return [
        "publish_study",
        *("--study", str(write_study(tmp_path, STUDY, "toy_study"))),
        *("--plan", str(tmp_path / "plan.parquet"), "--costs", str(tmp_path / "costs.parquet")),
        *("--results", str(tmp_path)),
        *("--command", f"make run MIRROR={tmp_path}/data", "--out-dir", str(tmp_path / "published")),
        *("--files", *(str(tmp_path / "made" / name) for name in ("main.csv", "main.md", "overview.png"))),
    ]


def test_a_publication_is_copies_and_their_record(arguments: list[str], tmp_path) -> None:
    assert main(arguments) == 0
    published = tmp_path / "published"
    assert sorted(path.name for path in published.iterdir()) == [
        "main.csv",
        "main.md",
        "overview.png",
        "provenance.json",
    ]
    record = json.loads((published / "provenance.json").read_text())
    assert record["seeds"] == [0, 1, 2]
    assert record["reduced"] == ["3 seeds instead of 5"]
    duration = {"devices": ["cpu"], "n_runs": 3, "run_seconds": 4.5, "wall_seconds": 9.5}
    assert record["duration"] == duration  # from 1.5 s before 03:00:02 to 03:00:10
    given = {"dataset": "abc", "features/features": "def"}
    given |= {f"splits/scaffold-{seed}": f"split {seed}" for seed in range(3)}
    assert record["data"] == {f"toy_study/data/toy/{name}.json": value for name, value in given.items()}
    assert record["files"]["main.md"] == sha256_of(published / "main.md")
    assert record["command"] == "make run MIRROR=…/data"
    text = (published / "provenance.json").read_text()
    for private in ("hidden-host", str(tmp_path), str(Path.home()) + "/", socket.gethostname()):
        assert private not in text


def test_the_versions_that_made_the_numbers_are_named_and_a_mixture_is_told(
    arguments: list[str], tmp_path, capsys
) -> None:
    assert main(arguments) == 0
    record = json.loads((tmp_path / "published" / "provenance.json").read_text())
    assert record["made_with"] == {
        "numpy": {"2.4.6": 2, "unknown": 1},
        "rdkit": {"2026.9.1": 3},
        "scikit-learn": {"unknown": 3},
        "torch": {"2.12.0": 1, "2.13.0": 1, "unknown": 1},
    }
    told = [line for line in capsys.readouterr().err.splitlines() if "Several versions" in line]
    assert len(told) == 2
    assert told[1].startswith(
        "Several versions of torch made these numbers: 2.12.0 (1 run), 2.13.0 (1 run), unknown (1 run); "
    )
    assert told[1].endswith("/toy_study/shards/*.done.json and run again to have all from one.")


def test_what_is_too_large_is_named(arguments: list[str], tmp_path) -> None:
    write_study(tmp_path, {**STUDY, "unpublished": ["per_task"]}, "toy_study")
    assert main(arguments) == 0
    assert json.loads((tmp_path / "published/provenance.json").read_text())["unpublished"] == ["per_task"]


def test_only_small_readable_kinds_are_published(arguments: list[str], tmp_path, capsys) -> None:
    model = tmp_path / "made" / "weights.safetensors"
    model.write_bytes(b"x")
    assert main([*arguments, str(model)]) == 2
    said = capsys.readouterr().err
    assert "weights.safetensors is not published; only .csv, .md, .png and cells.parquet are" in said
    assert not (tmp_path / "published").exists()
    assert main([*arguments, str(tmp_path / "made" / "absent.md")]) == 2
    write_text(tmp_path / "other" / "main.md", "other")
    assert main([*arguments, str(tmp_path / "other" / "main.md")]) == 2
    assert "two files are called main.md" in capsys.readouterr().err


def test_a_file_of_an_earlier_publication_is_reported(arguments: list[str], tmp_path, capsys) -> None:
    write_text(tmp_path / "published" / "old.md", "old")
    assert main(arguments) == 0
    assert "old.md is of an earlier publication" in capsys.readouterr().err
