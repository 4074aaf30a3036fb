"""The tables of a study hold what all its runs predicted, in the plan's order, and lose nothing silently."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
import torch

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, read_json, sha256_of, write_json
from relatask.core.tables import read_table, write_table
from relatask.journal import merge
from relatask.journal.merge import merge_runs
from relatask.plan.spec import RunSpec
from relatask.shards.shard import Shard, ShardData
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset

SPECS = [make_spec("shared_bottom", seed=1), make_spec("random_forest", None), make_spec("single_task")]
NAMES = ("predictions", "history", "costs")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    written = write_dataset(folder / "study" / "data" / "small", random_labels(60, 3), seeds=(0, 1))
    data = ShardData(written, torch.device("cpu"))
    Shard("00000", folder / "study", data, "none").train(SPECS)
    return folder / "study" / "runs"


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    """Journal entries that a test may damage."""
    return Path(shutil.copytree(trained, tmp_path / "study" / "runs"))


def plan(specs: list[RunSpec] = SPECS) -> pd.DataFrame:
    rows = [
        {"run_id": s.run_id, "label": s.label, "dataset": s.dataset, "seed": s.seed, "shard": number}
        for number, s in enumerate(specs)
    ]
    return pd.DataFrame(rows)


def seal(entry: Path) -> None:
    """Let an entry that the test changed count as undamaged."""
    record = read_json(entry / "run.json")
    write_json(entry / "run.json", record | {"files": {n: sha256_of(entry / n) for n in record["files"]}})


def merged(runs: Path, specs: list[RunSpec] = SPECS) -> dict[str, pd.DataFrame]:
    out = {name: runs.parent / f"{name}.parquet" for name in NAMES}
    merge_runs(plan(specs), runs, out)
    return {name: read_table(name, path) for name, path in out.items()}


@pytest.mark.parametrize("rows", [7, 1_000_000])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_the_tables_are_the_entries_one_after_the_other(runs, monkeypatch, rows, order):
    monkeypatch.setattr(merge, "ROWS", rows)
    specs = [SPECS[number] for number in order]
    found = merged(runs, specs)
    for name in ("predictions", "history"):
        parts = [read_table(name, runs / spec.run_id / f"{name}.parquet") for spec in specs]
        columns = [c for c in parts[0] if isinstance(parts[0][c].dtype, pd.CategoricalDtype)]
        expected = pd.concat(
            [part.astype(dict.fromkeys(columns, object)) for part in parts], ignore_index=True
        )
        assert len(expected) >= 12
        pd.testing.assert_frame_equal(
            found[name].astype(dict.fromkeys(columns, object)), expected, check_dtype=False
        )
    assert found["costs"]["run_id"].tolist() == [spec.run_id for spec in specs]
    assert (found["costs"]["seconds"] > 0).all()
    assert (found["costs"]["peak_rss_mb"] > 50).all()


def test_costs_name_the_libraries_that_trained_each_run_whatever_is_installed_now(runs):
    record = read_json(runs / SPECS[0].run_id / "run.json")
    assert record["measured"]["libraries"]["torch"] == version("torch")
    record["measured"]["libraries"] = {"torch": "2.12.0"}
    write_json(runs / SPECS[0].run_id / "run.json", record)
    of_old = read_json(runs / SPECS[1].run_id / "run.json")
    del of_old["measured"]["libraries"]
    write_json(runs / SPECS[1].run_id / "run.json", of_old)
    told = merged(runs)["costs"]["libraries"]
    assert told[0] == '{"torch":"2.12.0"}'
    assert pd.isna(told[1])
    assert json.loads(told[2]) == {name: version(name) for name in ("numpy", "scikit-learn", "torch")}


def test_merging_twice_gives_the_same_bytes(runs):
    merged(runs)
    first = [(runs.parent / f"{name}.parquet").read_bytes() for name in NAMES]
    merged(runs)
    assert [(runs.parent / f"{name}.parquet").read_bytes() for name in NAMES] == first


def test_a_missing_run_is_named_with_its_row_data_set_and_seed(runs):
    shutil.rmtree(runs / SPECS[0].run_id)
    failed = runs.parent / "failed" / f"{SPECS[0].run_id}.json"
    failed.parent.mkdir()
    failed.write_text(json.dumps({"reason": "it diverged."}))
    with pytest.raises(RelataskError) as raised:
        merged(runs)
    assert (
        f"1 of 3 planned runs are missing or damaged: {SPECS[0].run_id} (SHARED_BOTTOM, small, seed 1)"
        in str(raised.value)
    )
    assert f"{SPECS[0].run_id} failed: it diverged." in str(raised.value)
    assert not (runs.parent / "predictions.parquet").exists()


def test_many_missing_runs_are_counted(runs):
    absent = [make_spec("shared_bottom", seed=seed) for seed in range(10, 20)]
    with pytest.raises(RelataskError, match=r"10 of 13 planned runs are missing or damaged: .* and 5 more"):
        merged(runs, SPECS + absent)


def test_a_run_without_predictions_is_named(runs):
    path = runs / SPECS[1].run_id / "predictions.parquet"
    write_table("predictions", read_table("predictions", path).iloc[:0], path)
    seal(path.parent)
    with pytest.raises(RelataskError, match=rf"1 of 3 runs have no predictions: {SPECS[1].run_id} "):
        merged(runs)
    assert not (runs.parent / "predictions.parquet").exists()


def test_rows_of_another_run_in_an_entry_are_refused(runs):
    source, target = (runs / spec.run_id / "predictions.parquet" for spec in (SPECS[1], SPECS[2]))
    path = runs / SPECS[2].run_id / "history.parquet"
    shutil.copy(runs / SPECS[0].run_id / "history.parquet", path)
    seal(path.parent)
    with pytest.raises(RelataskError, match="rows of other runs"):
        merged(runs)
    shutil.copy(source, target)
    seal(path.parent)
    with pytest.raises(RelataskError, match="rows of other runs"):
        merged(runs)


@pytest.mark.parametrize("name", ["predictions.parquet", "history.parquet", "run.json"])
@pytest.mark.parametrize("damage", ["truncated", "a bit flipped", "removed"])
def test_a_damaged_run_is_named_and_its_shard_counts_as_unfinished(runs, name, damage):
    shards = runs.parent / "shards"
    shards.mkdir()
    for number in range(3):
        (shards / f"{number:05d}.done.json").write_text("{}")
    path = runs / SPECS[1].run_id / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x80
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(content if damage == "a bit flipped" else content[: len(content) // 2])
    with pytest.raises(
        RelataskError, match=f"1 of 3 planned runs are missing or damaged: {SPECS[1].run_id} "
    ):
        merged(runs)
    assert sorted(path.name for path in shards.iterdir()) == ["00000.done.json", "00002.done.json"]


def test_runs_that_the_plan_does_not_know_stay_out(runs):
    assert set(merged(runs, SPECS[:1])["predictions"]["run_id"]) == {SPECS[0].run_id}


def with_spec(specs: list[RunSpec] = SPECS) -> pd.DataFrame:
    return plan(specs).assign(spec=[canonical_json(spec.as_dict()) for spec in specs])


def merge_with_data(runs: Path, study: Path) -> None:
    out = {name: runs.parent / f"{name}.parquet" for name in NAMES}
    merge_runs(with_spec(), runs, out, None, study)


@pytest.mark.parametrize("digest", ["code", "data"])
def test_entries_of_other_code_or_data_than_now_are_no_runs_of_the_plan(runs, trained, digest):
    """As those of another folder's study, copied into this one: the same runs by name."""
    study = trained.parent
    merge_with_data(runs, study)
    record = read_json(runs / SPECS[2].run_id / "run.json")
    record["digests"][digest] = "another"
    write_json(runs / SPECS[2].run_id / "run.json", record)
    done = runs.parent / "shards" / "00002.done.json"
    write_json(done, {})
    said = f"1 of 3 planned runs are of other code or data than now: {SPECS[2].run_id} "
    with pytest.raises(RelataskError, match=said):
        merge_with_data(runs, study)
    assert not done.exists(), "so that the workflow trains it"


def test_an_entry_in_the_place_of_another_run_is_none(runs, trained):
    one, other = (runs / spec.run_id for spec in SPECS[:2])
    spare = one.rename(runs / "spare")
    other.rename(one)
    spare.rename(other)
    with pytest.raises(RelataskError, match="2 of 3 planned runs are of other code or data than now"):
        merge_with_data(runs, trained.parent)
