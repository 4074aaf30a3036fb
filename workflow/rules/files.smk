# Names of the files that rules read and write, as functions of the study. Nothing runs here.

PLANTED = [
    f"results/raw/planted/{name}" for name in ("molecules.csv", "tasks.csv", "string_links.txt", "truth.json")
]
SOURCE_TABLES = ("items", "rejected", "tasks", "labels", "classes")
DATASET_TABLES = ("items", "rejected", "tasks", "rejected_tasks", "labels", "classes", "relations")
DRAWN_TABLES = ("items", "tasks", "labels", "relations")
MERGED = ("plan", "predictions", "metrics", "summary", "comparisons")
TABLES = STUDY.table_names
TABLE_FORMATS = ("html", "parquet", "csv", "md", "tex")
FIGURES = figure_names(STUDY)
FIGURE_FORMATS = ("png", "svg", "parquet")
# A folder for each scale: what was measured at the paper's must not be lost to a quick run.
PUBLISHED = f"results/published/{STUDY_NAME}/{CONFIG.scale}"


def any_of(names):
    """Pattern of a wildcard that is one of `names`; of none where there are none."""
    return "|".join(names) or "(?!)"


def retrieved(name):
    """Files of a data set of config/datasets.tsv."""
    return [f"results/raw/{name}/{entry.file}" for entry in SHEET[name]]


def raw_folder(source):
    return f"results/raw/{STUDY.sources[source].raw_folder(source)}"


def raw_files(name):
    """What a source is read from."""
    listed = [entry.file for entry in SHEET.get(name, [])]
    related = any(entry.relations for entry in STUDY.datasets.values() if entry.source == name)
    return STUDY.sources[name].raw_files(name, listed, related)


def source_options(name):
    """What a source is prepared with besides its block: columns that splits read, and splits if it reads them."""
    splits = STUDY.splits
    columns = f"--columns {' '.join(map(shlex.quote, splits.columns))}" if splits.columns else ""
    if not STUDY.sources[name].record.reads_splits:
        return columns
    return (
        f"{columns} --schemes {' '.join(splits.schemes)} --fractions {' '.join(map(str, splits.fractions))}"
    )


def record_of_dataset(dataset):
    """What the source of a data set says of itself."""
    return STUDY.sources[STUDY.datasets[dataset].source].record


def relation_inputs(wildcards):
    """Tasks, protein interactions, and where STRING was asked how it calls the proteins."""
    dataset = STUDY.datasets[wildcards.dataset]
    files = {"tasks": f"results/sources/{dataset.source}/tasks.parquet"}
    if dataset.relations.source == "planted":
        return {**files, "interactions": "results/raw/planted/string_links.txt"}
    if dataset.relations.source == "string_live":
        live = f"results/raw/string_live/{dataset.source}"
        return {**files, "interactions": f"{live}.tsv", "proteins": f"{live}.parquet"}
    return {**files, "interactions": retrieved(dataset.relations.source)}


def source_tables(wildcards):
    """Tables of the source of a data set and, where it has them, the relations."""
    dataset = STUDY.datasets[wildcards.dataset]
    files = {f"source_{name}": f"results/sources/{dataset.source}/{name}.parquet" for name in SOURCE_TABLES}
    files["counts"] = f"results/sources/{dataset.source}/counts.json"
    if dataset.relations is not None:
        files["relations"] = f"results/{wildcards.dataset}/raw_relations.parquet"
        files["report"] = f"results/{wildcards.dataset}/raw_relations.json"
    return files


def training_files(dataset):
    """All that training reads of a data set; the arrays of its inputs are named by their record."""
    folder = f"results/{dataset}"
    tables = [f"{folder}/{name}.parquet" for name in ("items", "tasks", "labels", "classes", "relations")]
    splits = [f"{folder}/splits/{scheme}-{seed}.parquet" for scheme in STUDY.splits.schemes for seed in SEEDS]
    return [*tables, f"{folder}/features/features.json", *splits]


def arrays_of(dataset):
    """The arrays of the inputs of a data set that was featurised."""
    record = Path(f"results/{dataset}/features/features.json")
    return [record.with_name(name) for name in read_json(record)["files"]] if record.exists() else []


def shards_of(collection):
    """Names of the shards that train for a collection of gains, or with None for the tables."""
    return [name for name, shard in SHARDS.items() if shard.collection == collection]


def collection_option(wildcards):
    """Which runs a step reads: those of a collection where it is one's."""
    return f"--collection {wildcards.collection}" if "collection" in wildcards.keys() else ""


@lru_cache
def shard_of_run():
    """run_id -> name of its shard, for runs that others may start from."""
    named = {run.spec.prior for shard in SHARDS.values() for run in shard.runs} - {None}
    if not named:
        return {}
    return {
        run.spec.run_id: name
        for name, shard in SHARDS.items()
        for run in shard.runs
        if run.spec.run_id in named
    }


def prior_shards(wildcards):
    """The shards that train what the runs of a shard start from."""
    priors = {run.spec.prior for run in SHARDS[wildcards.shard].runs} - {None}
    return sorted({shard_of_run()[prior] for prior in priors})


def shard_inputs(wildcards):
    """Manifest and data set of a shard.

    The small records hold the digests of the big files. That the big files and the splits exist, one marker
    says: with each of them as an input, a dry-run of thousands of shards would take minutes. The marker
    makes no shard run again; what a split is made from is among the params of the shard.
    """
    dataset, groups = SHARDS[wildcards.shard].dataset, SHARDS[wildcards.shard].groups
    return {
        "manifest": f"results/{wildcards.study}/shards/{wildcards.shard}.json",
        "dataset": f"results/{dataset}/dataset.json",
        "features": f"results/{dataset}/features/features.json",
        "prepared": ancient(f"results/{wildcards.study}/prepared/{dataset}"),
        "priors": [f"results/{wildcards.study}/shards/{name}.done.json" for name in prior_shards(wildcards)],
        "groups": [f"results/{wildcards.study}/groups/{groups}.parquet"] if groups else [],
    }


def dataset_records():
    """Counts and digest of each data set of the study."""
    return [f"results/{dataset}/dataset.json" for dataset in STUDY.datasets]


def feature_records():
    """Counts and digest of the features of each data set."""
    return [f"results/{dataset}/features/features.json" for dataset in STUDY.datasets]


def split_files(suffix="parquet"):
    """Folds, or their records, of each data set, scheme and seed of the study."""
    return [
        f"results/{dataset}/splits/{scheme}-{seed}.{suffix}"
        for dataset in STUDY.datasets
        for scheme in STUDY.splits.schemes
        for seed in SEEDS
    ]


def study_files(folder, names, formats):
    """Files of the study's tables or figures."""
    return [f"results/{STUDY_NAME}/{folder}/{name}.{suffix}" for name in names for suffix in formats]


def small_files():
    """Tables and figures that are meant to be committed: all but those that the study calls large."""
    tables = [name for name in [*TABLES, *GROUPING_TABLES] if name not in STUDY.unpublished]
    figures = [name for name in [*FIGURES, *GROUPING_FIGURES] if name not in STUDY.unpublished]
    return study_files("tables", tables, ["csv", "md"]) + study_files("figures", figures, ["png"])


def published_files():
    """The copies of these."""
    return [f"{PUBLISHED}/{Path(file).name}" for file in small_files()]


def environment_files():
    """The files that pin packages; a copy of the workflow alone has no lock file."""
    named = [ROOT / "requirements.lock", *sorted((ROOT / "envs").glob("*.yaml"))]
    return [str(path) for path in named if path.is_file()]


def imputed_files():
    """A table for each data set and each row of `imputation`."""
    return [
        f"results/{STUDY_NAME}/imputed/{dataset}-{label}.parquet"
        for dataset in STUDY.datasets
        for label in STUDY.imputation
    ]
