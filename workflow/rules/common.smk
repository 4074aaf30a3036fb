# What the rules share: the study, its shards, and how a step is started. Nothing runs here.
import hashlib
import json
import os
import shlex
from functools import lru_cache

from snakemake.exceptions import WorkflowError
from snakemake.io import contains_wildcard
from snakemake.settings.types import DeploymentMethod

# These need pydantic and PyYAML, which Snakemake itself depends on, and nothing else.
from relatask.config import NAME as NAME_PATTERN
from relatask.config import (
    Block,
    StudyAtScale,
    encoded_strategy,
    figure_names,
    load_config,
    table_names,
    table_record,
)
from relatask.core import layout
from relatask.core.errors import RelataskError
from relatask.core.outputs import figure_of
from relatask.core.files import canonical_json, read_json, source_digest
from relatask.core.layout import study_file
from relatask.core.plugins import input_records, scheme_records
from relatask.core.registry import saved_tables
from relatask.core.records import suggest
from relatask.core.source_block import TASK_SHEET
from relatask.core.source_code import code_of
from relatask.core.gpu import has_driver
from relatask.journal.digests import code_of_run, initial_files
from relatask.plan.inputs import inputs_made
from relatask.plan.plan import make_shards, plan_runs
from relatask.plan.search import key_of, searches_of
from relatask.sources.dataset_sheet import conversion_files, read_sheet, retrieval_of
from relatask.sources.table_files import containers

ROOT = Path(workflow.basedir)
PACKAGE = code_at_start.PACKAGE
NAME = NAME_PATTERN.strip("^$")


def load_study():
    """Config, study name, study, shards by name, data set sheet.

    A mistake of the user stops Snakemake with its one sentence.
    """
    try:
        require_plain_path("the project", ROOT)
        settings, name, study = load_config(config, ROOT)
        shards = make_shards(plan_runs(study, settings.scale), settings.shard_minutes, settings.max_shards)
        sheet = read_sheet(ROOT / "config" / "datasets.tsv")
        for source, entry in study.sources.items():
            require_files(f"sources.{source}", entry.own_files())
        for split in study.splits.schemes:
            require_files("splits", {"path": file for file in study.splits.files_of(split)})
        for key, data_set in study.in_sheet():
            require_data_set(data_set, sheet, key)
        made = [*table_names(study), *figure_names(study)]
        for entry in study.unpublished:
            if entry not in made:
                raise RelataskError(
                    f"study: unpublished: there is no table or figure {entry!r}.{suggest(entry, made)}"
                )
    except RelataskError as error:
        raise WorkflowError(str(error)) from None
    return settings, name, study, {shard.name: shard for shard in shards}, sheet


def require_files(where, files):
    for key, file in files.items():
        if not Path(file).exists():
            raise RelataskError(
                f"study: {where}.{key}: there is no file {file}; give its full path, or one from "
                f"{Path.cwd()}."
            )
        require_plain_path(f"study: {where}.{key}", file)


def require_plain_path(what, path):
    if contains_wildcard(str(path)):
        raise RelataskError(
            f"{what}: Snakemake takes the braces in {path} for a wildcard; rename the folder or file, or give a "
            "link to it."
        )


def require_data_set(name, sheet, key):
    if name not in sheet:
        raise RelataskError(
            f"study: {key}: {name!r} is not in config/datasets.tsv; "
            f"give the `path` of a file of yours or a name that is there.{suggest(name, sheet)}"
        )


def place(*keys):
    """A block of the study as the JSON argument of a step: where it stands in the file of the study.

    A command line holds at most 128 KiB in one piece, and a study may be longer. Rules name it by a function of
    their output, which is not compared: the same block of another study makes the same.
    """
    return f"{at('study')}#/{Path('study', *keys).as_posix()}"


def digest_of(*values):
    """Digest of values and blocks of the study that a rule reads, for its params.

    Keys keep their order, which is that of runs and shards. It is no text, as Snakemake takes braces in params
    for wildcards, and prints params into its report, where no file of the user's may be named.
    """
    plain = [value.model_dump(mode="json") if isinstance(value, Block) else value for value in values]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()[:16]


def study_digest(*without):
    """Digest of the study but for some keys, with the scale."""
    return digest_of(CONFIG.scale, STUDY.model_dump(mode="json", exclude=set(without)))


def sheet_entry(wildcards):
    """Row of config/datasets.tsv of one raw file with those it is converted from, as JSON."""
    try:
        return canonical_json(retrieval_of(SHEET, wildcards.source, wildcards.file))
    except RelataskError as error:
        raise WorkflowError(str(error)) from None


def code_of_retrieval(wildcards):
    """Digest of what retrieves a raw file and converts it."""
    entry = next(entry for entry in SHEET[wildcards.source] if entry.file == wildcards.file)
    return code_of("steps/retrieve_files.py", *conversion_files(SHEET, entry))


def shard_code(wildcards):
    """Digests of what trains a shard: the step, and what the journal calls the code of its runs."""
    return code_of_specs([run.spec for run in SHARDS[wildcards.shard].runs])


def code_of_collection(collection):
    """Digests of what trains the runs of a collection of gains."""
    return code_of_specs([run.spec for run in SHARDS[shards_of(collection)[0]].runs[:1]])


@lru_cache
def code_of_training():
    return code_of("steps/train_shard.py")


def code_of_specs(specs):
    trained = {code_of_run(*spec.names) for spec in specs}
    return [code_of_training(), *sorted(trained)]


@lru_cache
def code_of_source(name):
    """Digest of what prepares a source, with the kinds of files that its tables are found in by name."""
    return code_of("steps/prepare_items.py", STUDY.sources[name].record.file, *CONTAINERS)


@lru_cache
def code_of_inputs(dataset):
    """Digest of what makes the inputs of a data set."""
    files = [input_records()[name].file for name in inputs_made(STUDY, dataset)]
    return code_of("steps/featurise_items.py", *files)


@lru_cache
def code_of_scheme(scheme):
    """Digest of what splits items by a scheme, with the kinds of files where it reads one of the user's."""
    record = scheme_records()[scheme]
    return code_of("steps/split_items.py", record.file, *(CONTAINERS if record.files else []))


def growing(megabytes):
    """Memory of a rule: more at each attempt, as a job may have died of too little."""
    return lambda wildcards, attempt: megabytes * attempt


def holding(dataset_of):
    """Memory of a step with all labels of a data set: measured, at most 8 bytes a cell and 2 GB besides."""

    def megabytes(wildcards, attempt):
        size = STUDY.datasets[dataset_of(wildcards)].size
        return max(3000, 2000 + size.items * size.tasks * 8 // 1_000_000) * attempt

    return megabytes


def shard_minutes(wildcards, attempt):
    """Minutes asked of a scheduler: ten times the prediction, a quarter hour at least, more after a failure."""
    return max(15, int(10 * SHARDS[wildcards.shard].minutes)) * attempt


def wants_gpu():
    """Whether networks are trained on a GPU: on cuda, or on auto where there is a driver of NVIDIA."""
    return CONFIG.device == "cuda" or (CONFIG.device == "auto" and has_driver())


def search_minutes(wildcards, attempt):
    """Minutes asked of a scheduler for the trials of a row, as those of a shard."""
    return max(15, int(10 * search_of(wildcards).minutes)) * attempt


def search_of(wildcards):
    """The search that a file of trials is of."""
    return SEARCHES[wildcards.dataset, wildcards.label, wildcards.scheme, int(wildcards.seed)]


def shard_gpus(wildcards):
    """GPUs of a shard: one if it trains a network on one."""
    return int(wants_gpu() and any(run.spec.encoder for run in SHARDS[wildcards.shard].runs))


def command_prefix():
    """Shell code before every command: where the package is, the mirror, and the Python that runs Snakemake.

    It is a prefix and not a part of the commands, so that another folder or Python re-runs nothing.
    Conda drops PYTHONPATH and brings its own Python, so the first is set here and the last left out.
    Without PYTHONSAFEPATH, `python -m` would import a pandas.py that lies where the workflow runs.
    """
    with_conda = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
    if with_conda and not CLONE.is_dir():  # beside an installed package lie those of another Python
        raise WorkflowError("--use-conda needs a clone of relatask: an installed one runs its own Python.")
    mirror = str(Path(CONFIG.mirror).absolute()) if CONFIG.mirror else ""
    prefix = f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(PACKAGE.parent))}; "
    prefix += "export PYTHONSAFEPATH=1; "
    prefix += f"export RELATASK_MIRROR={shlex.quote(mirror)}; "
    if not with_conda:
        prefix += f'python() {{ {shlex.quote(sys.executable)} "$@"; }}; '
    return prefix.replace("{", "{{").replace("}", "}}")


def pass_addresses():
    """Give the steps the addresses of the live services, and return them without login and token.

    Snakemake prints commands and records them, so the addresses with their secrets are in the environment.
    """
    for name in ("chembl", "string"):
        os.environ[f"RELATASK_{name.upper()}"] = getattr(CONFIG.services, name)
    return CONFIG.services.model_dump()


def reader_command():
    """What a reader types to publish the same."""
    mirror = " mirror=FOLDER" if CONFIG.mirror else ""
    study = "FILE" if Path(CONFIG.study).suffix else STUDY_NAME
    return f"snakemake --cores all publish --config study={study} scale={CONFIG.scale}{mirror}"


def where_results_are():
    """The last line that a person reads."""
    if CONFIG.model:
        return f"Done. Predictions: {predictions_file()}"
    places = {
        "tables": at("table", name=TABLES[0], suffix="md") if TABLES else "",
        "figures": at("figures"),
    }
    if published_are_current():
        places["published copies"] = f"results/{layout.published_folder(STUDY_NAME, CONFIG.scale)}/"
    found = [f"{what} {place}" for what, place in places.items() if place and Path(place).exists()]
    return f"Done. Results: {', '.join(found) or 'results/'}"


CONFIG, STUDY_NAME, STUDY, SHARDS, SHEET = load_study()
SEARCHES = searches_of((run.spec for shard in SHARDS.values() for run in shard.runs), STUDY)
CONTAINERS = [record.file for record in containers().values()]
SEEDS = STUDY.scales[CONFIG.scale].seeds
TRAINING_ENV = "../../envs/torch-cuda.yaml" if CONFIG.device == "cuda" else "../../envs/torch-cpu.yaml"
SERVICES = pass_addresses()
shell.prefix(command_prefix())
