# What the rules share: the study, names of files, and how a step is started. Nothing runs here.
import shlex
from functools import lru_cache

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

from relatask.config import NAME as NAME_PATTERN
from relatask.config import load_config
from relatask.data.dataset_sheet import read_sheet
from relatask.errors import RelataskError
from relatask.files import canonical_json
from relatask.publishing.figures import figure_names, report_entry
from relatask.registry import capabilities, suggest
from relatask.source_code import code_of
from relatask.training.plan import make_shards, plan_runs

ROOT = Path(workflow.basedir)
NAME = NAME_PATTERN.strip("^$")
PLANTED = [
    f"results/raw/planted/{file}" for file in ("molecules.csv", "tasks.csv", "string_links.txt", "truth.json")
]
DATASET_TABLES = ("molecules", "rejected", "tasks", "rejected_tasks", "labels", "relations")
FEATURES = ("atoms", "atom_offsets", "bond_index", "bonds", "bond_offsets", "ecfp4")


def load_study():
    """Config, study name, study, shards by name; a mistake of the user stops Snakemake with its sentence."""
    try:
        settings, name, study = load_config(config, ROOT)
        shards = make_shards(plan_runs(study, settings.scale), settings.shard_minutes)
        sheet = read_sheet(ROOT / "config" / "datasets.tsv")
        for source, entry in study.sources.items():
            if entry.path is None and entry.reader not in {"planted", "chembl_activities"}:
                require_data_set(source, sheet, f"sources.{source}")
        for dataset, entry in study.datasets.items():
            if entry.relations and entry.relations.source not in {"planted", "string_live"}:
                require_data_set(entry.relations.source, sheet, f"datasets.{dataset}.relations.source")
    except RelataskError as error:
        raise WorkflowError(str(error)) from None
    return settings, name, study, {shard.name: shard for shard in shards}, sheet


def require_data_set(name, sheet, key):
    if name not in sheet:
        raise RelataskError(
            f"study: {key}: {name!r} is not in config/datasets.tsv; "
            f"give the `path` of a file of yours or a name that is there.{suggest(name, sheet)}"
        )


def block(model):
    """A block of the config as the JSON argument of a step.

    Snakemake prints params into the report's script as they are, so no text may end that script.
    """
    return "null" if model is None else canonical_json(model.model_dump(mode="json")).replace("<", r"\u003c")


def raw_folder(source):
    return f"results/raw/{'planted' if STUDY.sources[source].reader == 'planted' else source}"


def raw_files(wildcards):
    """What a source is read from."""
    source = STUDY.sources[wildcards.source]
    sheet = [source.task_sheet] if source.task_sheet else []
    if source.path is not None:
        return [source.path, *sheet]
    if source.reader == "planted":
        return PLANTED
    if source.reader == "chembl_activities":
        return [f"results/raw/{wildcards.source}/activities.json", *sheet]
    return [f"results/raw/{wildcards.source}/{entry.file}" for entry in SHEET[wildcards.source]] + sheet


def sheet_entry(wildcards):
    """Row of config/datasets.tsv of one raw file, as JSON."""
    entries = {entry.file: entry for entry in SHEET.get(wildcards.source, [])}
    if wildcards.file not in entries:
        raise WorkflowError(f"config/datasets.tsv has no file {wildcards.file} of {wildcards.source}.")
    return canonical_json(entries[wildcards.file].as_dict())


def interaction_files(wildcards):
    """Protein interactions that relate the tasks of a data set."""
    dataset = STUDY.datasets[wildcards.dataset]
    if dataset.relations.source == "planted":
        return "results/raw/planted/string_links.txt"
    if dataset.relations.source == "string_live":
        return f"results/raw/string_live/{dataset.source}.tsv"
    return [f"results/raw/{dataset.relations.source}/{entry.file}" for entry in SHEET[dataset.relations.source]]


def source_tables(wildcards):
    """Tables of the source of a data set and, where it has them, the relations."""
    dataset = STUDY.datasets[wildcards.dataset]
    files = {
        name: f"results/sources/{dataset.source}/{name}.parquet" for name in DATASET_TABLES[:3] + ("labels",)
    }
    files["counts"] = f"results/sources/{dataset.source}/counts.json"
    if dataset.relations is not None:
        files["relations"] = f"results/{wildcards.dataset}/raw_relations.parquet"
        files["report"] = f"results/{wildcards.dataset}/raw_relations.json"
    return files


def shard_inputs(wildcards):
    """Manifest, prepared data and splits of a shard.

    Big files must exist, but only the small ones, which hold their digests, make a shard run again.
    """
    shard = SHARDS[wildcards.shard]
    folder = f"results/{shard.dataset}"
    splits = sorted({f"{run.spec.split}-{run.spec.seed}" for run in shard.runs})
    return {
        "manifest": f"results/{wildcards.study}/shards/{wildcards.shard}.json",
        "dataset": f"{folder}/dataset.json",
        "features": f"{folder}/features/features.json",
        "tables": ancient([f"{folder}/{name}.parquet" for name in ("tasks", "labels", "relations")]),
        "arrays": ancient([f"{folder}/features/{name}.npy" for name in FEATURES]),
        "splits": [f"{folder}/splits/{split}.parquet" for split in splits],
    }


@lru_cache
def code_of_training(*modules):
    return code_of("steps/train_shard.py", *modules)


def shard_code(wildcards):
    """Digest of what trains a shard: the step, and the methods, loops and encoders of its runs."""
    specs = [run.spec for run in SHARDS[wildcards.shard].runs]
    modules = {f"methods/{spec.method}.py" for spec in specs}
    modules |= {f"training/loops/{capabilities('methods', spec.method).loop}.py" for spec in specs}
    modules |= {f"encoders/{spec.encoder}.py" for spec in specs if spec.encoder}
    return code_of_training(*sorted(modules))


def shard_minutes(wildcards, attempt):
    """Minutes asked of a scheduler: ten times the prediction, more after a failure, a quarter hour at least."""
    return max(15, int(10 * SHARDS[wildcards.shard].minutes)) * attempt


def dataset_records():
    """Counts and digest of each data set of the study."""
    return [f"results/{dataset}/dataset.json" for dataset in STUDY.datasets]


def split_files():
    """Folds of each data set, scheme and seed of the study."""
    return [
        f"results/{dataset}/splits/{scheme}-{seed}.parquet"
        for dataset in STUDY.datasets
        for scheme in STUDY.splits.schemes
        for seed in SEEDS
    ]


def feature_records():
    """Counts and digest of the features of each data set."""
    return [f"results/{dataset}/features/features.json" for dataset in STUDY.datasets]


def command_prefix():
    """Shell code before every command: the package's source, and the Python that runs Snakemake.

    It is a prefix and not a part of the commands, so that another folder or Python re-runs nothing.
    Conda drops PYTHONPATH and brings its own Python, so the first is set here and the second left out.
    """
    prefix = f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(ROOT / 'src'))}; "
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        prefix += f'python() {{ {shlex.quote(sys.executable)} "$@"; }}; '
    return prefix.replace("{", "{{").replace("}", "}}")


CONFIG, STUDY_NAME, STUDY, SHARDS, SHEET = load_study()
SEEDS = STUDY.scales[CONFIG.scale].seeds
TRAINING_ENV = "../../envs/torch-cuda.yaml" if CONFIG.device == "cuda" else "../../envs/torch-cpu.yaml"
shell.prefix(command_prefix())
TABLES = ("main", "all_metrics", "per_task", "significance", "statistics", "splits", "costs")
FIGURES = figure_names(STUDY)


def study_files(folder, names, *suffixes):
    """Files of the study's tables or figures."""
    return [f"results/{STUDY_NAME}/{folder}/{name}.{suffix}" for name in names for suffix in suffixes]


def where_results_are():
    """The last line that a person reads."""
    return f"Done. Tables: results/{STUDY_NAME}/tables/  figures: results/{STUDY_NAME}/figures/"
