"""The workflow itself: what it plans, how fast it starts, and what it says to mistakes."""

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from relatask.config import load_study
from relatask.plan.plan import make_shards, plan_runs
from tests.helpers.paths import ROOT
from tests.helpers.workflow import jobs_of, run_warm, write_study

HEAVY = (
    "torch",
    "torch_geometric",
    "pandas",
    "pyarrow",
    "numpy",
    "rdkit",
    "sklearn",
    "scipy",
    "matplotlib",
    "duckdb",
)


def cpu_seconds(folder: Path, *arguments: str) -> float:
    """CPU time of one start of Snakemake; the wall clock would measure who else is on the machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_warm(folder, *arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("study", "retrieved", "datasets", "splits", "planted"),
    [
        ("demo", 0, 1, 4, 1),
        ("kiba_string", 4, 2, 6, 0),
        ("moleculenet", 2, 2, 12, 0),
        ("toxcast_string", 3, 1, 3, 0),
        ("chembl_string", 2, 3, 9, 0),
        ("kiba_edge_mlp", 4, 1, 3, 0),
        ("kiba_groups", 4, 1, 3, 0),
        ("mtg_molecules", 6, 3, 9, 0),
        ("metalink", 3, 3, 9, 0),
        ("metalink_meta", 3, 3, 9, 0),
        ("imputation", 3, 2, 6, 0),
        ("imputation_cells", 3, 2, 6, 0),
        ("mtg_ettm1", 15, 1, 3, 0),
    ],
)
def test_each_study_plans_every_job(
    tmp_path: Path, study: str, retrieved: int, datasets: int, splits: int, planted: int
) -> None:
    done = run_warm(tmp_path, "--dry-run", "--config", f"study={study}")
    jobs = jobs_of(done.stdout + done.stderr)
    assert jobs.get("retrieve_files", 0) == retrieved
    assert jobs.get("plant_data", 0) == planted
    assert jobs.get("densify_dataset", 0) == jobs.get("featurise_items", 0)
    assert jobs["densify_dataset"] == datasets == jobs["prepare_dataset"]
    assert jobs.get("split_items", 0) == splits
    assert jobs["train_shard"] >= 2  # more than one job, or two cores would be of no use
    for once in [
        "plan_runs",
        "merge_runs",
        "evaluate_runs",
        "compare_methods",
        "resample_items",
        "write_tables",
        "draw_figures",
    ]:
        assert jobs[once] == 1
    assert not (tmp_path / "results").exists()


def test_a_users_table_is_read_where_it_lies(tmp_path: Path, tiny_study: dict) -> None:
    table = tmp_path / "my assays.csv"
    table.write_text("smiles,a\nCCO,1\n")
    study = {
        **tiny_study,
        "sources": {"mine": {"reader": "table", "path": str(table)}},
        "datasets": {"mine": {"source": "mine"}},
    }
    done = run_warm(tmp_path, "--dry-run", "--config", f"study={write_study(tmp_path, study)}")
    jobs = jobs_of(done.stdout + done.stderr)
    assert jobs["prepare_items"] == 1
    assert not {"retrieve_files", "plant_data", "relate_tasks"} & set(jobs)


def test_live_services_are_asked_only_for_what_the_study_needs(tmp_path: Path, tiny_study: dict) -> None:
    live = {"source": "string_live"}
    study = {
        **tiny_study,
        "sources": {
            "egfr": {"reader": "chembl_activities", "targets": ["CHEMBL203"], "active": {"at_least": 6.5}},
            "lsc": {"reader": "lsc"},
        },
        "datasets": {
            "egfr": {"source": "egfr"},
            "chembl": {"source": "lsc", "relations": live, "densify": {"tau": 10}},
        },
    }
    arguments = ["--dry-run", "--config", f"study={write_study(tmp_path, study)}"]
    jobs = jobs_of(run_warm(tmp_path, *arguments).stdout)
    assert jobs["query_activities"] == jobs["query_assay_targets"] == jobs["query_string"] == 1
    assert jobs["retrieve_files"] == 2
    study["datasets"]["chembl"] = {"source": "lsc", "densify": {"tau": 10}}
    arguments = ["--dry-run", "--config", f"study={write_study(tmp_path, study)}"]
    jobs = jobs_of(run_warm(tmp_path, *arguments).stdout)
    assert not {"query_assay_targets", "query_string", "relate_tasks"} & set(jobs)


def test_shards_are_those_that_the_parse_planned(tmp_path: Path, tiny_study: dict) -> None:
    dataset = next(iter(tiny_study["datasets"].values()))
    study = {**tiny_study, "title": "</script> & 'quotes'", "datasets": {"second": dataset, "first": dataset}}
    path = write_study(tmp_path, study)
    run_warm(tmp_path, "results/tiny/plan.parquet", "--config", f"study={path}", "shard_minutes=0.3")
    manifests = sorted((tmp_path / "results" / "tiny" / "shards").glob("*.json"))
    found = [json.loads(manifest.read_text())["dataset"] for manifest in manifests]
    planned = make_shards(plan_runs(load_study(path), "quick"), 0.3, 1000)
    assert found == [shard.dataset for shard in planned]
    assert found[0] == "second"
    assert len(found) >= 2


@pytest.mark.parametrize("target", ["prepare_all", "train_all", "tables", "figures"])
def test_a_named_target_stops_where_it_says(tmp_path: Path, target: str) -> None:
    jobs = jobs_of(run_warm(tmp_path, "--dry-run", target).stdout)
    assert ("train_shard" in jobs) == (target != "prepare_all")
    assert ("evaluate_runs" in jobs) == (target in {"tables", "figures"})
    assert ("write_tables" in jobs) == (target == "tables")
    assert ("draw_figures" in jobs) == (target == "figures")


def test_accessions_ask_for_the_names_that_string_has_for_them(tmp_path: Path, tiny_study: dict) -> None:
    relations = {"source": "string_v12", "channel": "combined", "proteins": "uniprot"}
    sets = {"assays": {"source": "tox21", "relations": relations}}
    study = {**tiny_study, "sources": {"tox21": {"reader": "table"}}, "datasets": sets}
    done = run_warm(tmp_path, "--dry-run", "--config", f"study={write_study(tmp_path, study)}")
    assert jobs_of(done.stdout)["retrieve_files"] == 3  # molecules, interactions, names
    relations["source"] = "string_v12_info"  # which has no row of aliases
    done = run_warm(tmp_path, "--dry-run", "--config", f"study={write_study(tmp_path, study)}", check=False)
    assert (
        "datasets.assays.relations.proteins: 'string_v12_info_aliases' is not in" in done.stdout + done.stderr
    )


@pytest.fixture(scope="module")
def big_study(tmp_path_factory: pytest.TempPathFactory, tiny_study: dict) -> Path:
    """10,000 runs: 20 methods, 500 seeds."""
    methods = [
        {**tiny_study["methods"][1], "label": f"M{width}", "encoder_options": {"width": width}}
        for width in range(16, 36)
    ]
    scales = {"quick": {"seeds": list(range(500))}}
    study = {**tiny_study, "methods": methods, "baseline": "M16", "scales": scales}
    return write_study(tmp_path_factory.mktemp("big"), study, name="big")


def test_ten_thousand_runs_are_planned_in_seconds(big_study: Path) -> None:
    arguments = ["--dry-run", "--config", f"study={big_study}"]
    assert min(cpu_seconds(big_study.parent, *arguments) for _ in range(2)) < 5
    shards = jobs_of(run_warm(big_study.parent, *arguments).stdout)["train_shard"]
    assert 100 < shards < 1000  # of 10,000 runs: many runs in a job


def test_the_workflow_is_parsed_in_no_time(tmp_path: Path) -> None:
    start = min(cpu_seconds(tmp_path, "--version") for _ in range(2))
    assert min(cpu_seconds(tmp_path, "--list-rules") for _ in range(3)) - start < 1


def test_parsing_imports_nothing_heavy() -> None:
    text = "\n".join(path.read_text() for path in [ROOT / "Snakefile", *ROOT.glob("workflow/rules/*.smk")])
    found = re.findall(r"^from relatask\S* import (?:\([^)]*\)|[^(\n]+)$", text, re.MULTILINE)
    imports = "\n".join(line for line in found if "freshness" not in line)  # which imports Snakemake itself
    assert "plan_runs" in imports
    code = f"import sys\n{imports}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "[]"


def test_parsing_a_study_does_not_import_torch(tmp_path: Path) -> None:
    arguments = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path), "--dry-run", "-c1"]
    heavy = ("torch", "rdkit", "sklearn", "matplotlib", "duckdb")
    code = (
        "import sys; from snakemake.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


MISTAKES = {
    "a key of the config": (["scal=paper"], {}, "config.yaml: unknown key 'scal'. Did you mean 'scale'?"),
    "an unknown study": (["study=dem"], {}, "there is no file"),
    "a wrong value": (["device=gpu"], {}, "config.yaml: device: "),
    "a key of the study": ([], {"splts": {}}, "unknown key 'splts'. Did you mean 'splits'?"),
    "an unknown method": (
        [],
        {"methods": [{"label": "STL", "method": "singel_task", "encoder": "gin"}]},
        "there is no method 'singel_task' in relatask.methods. Did you mean 'single_task'?",
    ),
    "a data set that nobody lists": (
        [],
        {"sources": {"tox12": {"reader": "table"}}, "datasets": {"tox12": {"source": "tox12"}}},
        "sources.tox12: 'tox12' is not in config/datasets.tsv",
    ),
    "a wrong tau": (
        [],
        {"datasets": {"d": {"source": "planted", "densify": {"tau": 0}}}},
        "datasets.d.densify.tau: ",
    ),
    "a scale that the study lacks": (["scale=paper"], {"title": "x"}, "has no scale 'paper'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(name: str, tmp_path: Path, tiny_study: dict) -> None:
    overrides, changes, sentence = MISTAKES[name]
    if changes:
        overrides = [*overrides, f"study={write_study(tmp_path, {**tiny_study, **changes})}"]
    done = run_warm(tmp_path, "--dry-run", "--config", *overrides, check=False)
    message = done.stdout + done.stderr
    assert done.returncode != 0
    assert sentence in message
    assert "Traceback" not in message
    assert not (tmp_path / "results").exists()


def test_every_key_stands_in_the_default_config(root: Path) -> None:
    from relatask.config import Config, ServicesConfig, parse

    values = yaml.safe_load((root / "config.yaml").read_text())
    assert set(values) == set(Config.model_fields)
    assert parse(Config, values, "config.yaml").services == ServicesConfig()


def test_a_gpu_is_asked_of_the_scheduler_where_the_config_or_the_machine_does(tmp_path: Path) -> None:
    said = {}
    for device in ["auto", "cuda"]:
        done = run_warm(tmp_path, "--dry-run", "--verbose", "--quiet", "host", "--config", f"device={device}")
        said[device] = len(re.findall(r"resources: .*\bgpu=1\b", done.stdout + done.stderr))
    assert (said["auto"] >= 1) == any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg"))
    assert said["cuda"] >= 1


def test_a_shard_of_a_large_data_set_asks_for_the_memory_of_its_labels(
    tmp_path: Path, tiny_study: dict
) -> None:
    """456,331 molecules in 1,310 assays: 2.4 GB of numbers, of which a split by cells holds two kinds."""
    large = tiny_study["datasets"]["tiny_planted"] | {"size": {"items": 456_331, "tasks": 1_310}}
    asked = {}
    for name, dataset in {"small": tiny_study["datasets"]["tiny_planted"], "large": large}.items():
        study = write_study(tmp_path, {**tiny_study, "datasets": {"tiny_planted": dataset}}, name)
        done = run_warm(tmp_path, "--dry-run", "--quiet", "host", "--config", f"study={study}")
        shard = (done.stdout + done.stderr).split("train_shard:")[1]
        asked[name] = int(re.search(r"mem_mb=(\d+)", shard)[1])
    assert asked["small"] == 3000
    assert 6000 < asked["large"] < 8000
