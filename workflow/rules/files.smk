# Names of the files that rules read and write, as functions of the study. Nothing runs here.

RETRIEVING = ("retrieve_files", "plant_data", "query_activities", "query_assay_targets", "query_string")
MERGED = ("plan", "predictions", "metrics", "summary", "comparisons", "cells", "item_intervals")
TABLES = table_names(STUDY)
MEASURED = [name for name in TABLES if table_record(STUDY, name).measured]
FIGURES = figure_names(STUDY)


def at(file, /, **wildcards):
    """A file of the study, see core/layout.py; what is not given stays a wildcard."""
    return f"results/{study_file(file, STUDY_NAME, **wildcards)}"


def of_dataset(file, dataset="{dataset}", /, **wildcards):
    """A file of a data set."""
    return f"results/{layout.dataset_file(file, STUDY_NAME, dataset, **wildcards)}"


def of_source(file, source="{source}"):
    """A file of a prepared source."""
    return f"results/{layout.source_file(file, STUDY_NAME, source)}"


def raw(file, /, **wildcards):
    """A raw file."""
    return f"results/{layout.raw_file(file, **wildcards)}"


def any_of(names):
    """Pattern of a wildcard that is one of `names`; of none where there are none."""
    return "|".join(names) or "(?!)"


def retrieved(name):
    """Files of a data set of config/datasets.tsv."""
    return [raw("file", source=name, file=entry.file) for entry in SHEET[name]]


def raw_folder(source):
    return f"results/{STUDY.sources[source].raw_folder(source, STUDY_NAME)}"


def item_files(dataset):
    """Files of the user's that inputs read besides the table of items; what they hold counts, and not their dates."""
    return [ancient(file) for file in STUDY.sources[STUDY.datasets[dataset].source].item_files()]


def raw_files(name):
    """What a source is read from."""
    listed = [entry.file for entry in SHEET.get(name, [])]
    files = STUDY.sources[name].raw_files(name, STUDY_NAME, listed, STUDY.reads_proteins(name))
    return [file if file.startswith("results/") else ancient(file) for file in files]


def source_options(name):
    """What a source is prepared with besides its block: columns that splits or weights read, and splits if it reads them."""
    splits, named = STUDY.splits, STUDY.columns_of(name)
    columns = f"--columns {' '.join(map(shlex.quote, named))}" if named else ""
    if TASK_SHEET in [entry.file for entry in SHEET.get(name, [])] and not STUDY.reads_proteins(name):
        columns = f"--without-sheet {columns}"
    if not STUDY.sources[name].record.reads_splits:
        return columns
    return f"{columns} --schemes {' '.join(splits.used)} --fractions {' '.join(map(str, splits.fractions))}"


def record_of_dataset(dataset):
    """What the source of a data set says of itself."""
    return STUDY.sources[STUDY.datasets[dataset].source].record


def relation_inputs(wildcards):
    """Tasks, protein interactions, and where STRING was asked how it calls the proteins."""
    dataset = STUDY.datasets[wildcards.dataset]
    files = {"tasks": of_source("tasks", dataset.source)}
    if dataset.relations.source == "planted":
        return {**files, "interactions": raw("planted", name=layout.PLANTED_LINKS)}
    if dataset.relations.source == "string_live":
        return files | {name: at(name, source=dataset.source) for name in ("interactions", "proteins")}
    return files | {
        key: retrieved(name)
        for key, name in zip(("interactions", "aliases"), dataset.relations.in_sheet, strict=False)
    }


def source_tables(wildcards):
    """Tables of the source of a data set and, where it has them, the relations."""
    dataset = STUDY.datasets[wildcards.dataset]
    files = {f"source_{name}": of_source(name, dataset.source) for name in layout.SOURCE_TABLES}
    files["counts"] = of_source("counts", dataset.source)
    if dataset.relations is not None:
        files["relations"] = of_dataset("raw_relations", wildcards.dataset)
        files["report"] = of_dataset("relations_report", wildcards.dataset)
    return files


PREDICTION_FORMATS = ["parquet", "csv"] if STUDY.csv_predictions else ["parquet"]


def described_predictions():
    """The predictions of the study's rows with names instead of numbers, a table for each data set."""
    predicted = {run.spec.dataset for name in shards_of(None) for run in SHARDS[name].runs}
    return [
        at("described_predictions", dataset=dataset, suffix=suffix)
        for dataset in STUDY.datasets
        if dataset in predicted
        for suffix in PREDICTION_FORMATS
    ]


def task_tables():
    """Tables of the tasks of all data sets, which say what their labels are."""
    return [of_dataset("tasks", dataset) for dataset in STUDY.datasets]


SAVED = saved_tables({row.method for row in STUDY.methods})  # by methods, besides predictions


def saved_option(wildcards):
    """Where a merge puts the tables that methods save; those of a collection stay in the journal."""
    return f"--out-saved results/{STUDY_NAME}/saved" if SAVED and "collection" not in wildcards.keys() else ""


def saved_table_files():
    """Tables that methods save besides predictions, as they are read."""
    formats = layout.PUBLISHED_TABLE_FORMATS
    return [at("saved_table", name=name, suffix=suffix) for name in SAVED for suffix in formats]


def training_files(dataset):
    """All that training reads of a data set; the arrays of its inputs are named by their record."""
    return [*(of_dataset(name, dataset) for name in layout.TRAINED_ON), *splits_of(dataset)]


def splits_of(dataset):
    """Folds of a data set for each scheme and seed of the study."""
    pairs = [(scheme, seed) for scheme in STUDY.splits.schemes for seed in SEEDS]
    return [of_dataset("split", dataset, scheme=scheme, seed=str(seed)) for scheme, seed in pairs]


def split_inputs(wildcards):
    """What a split is made of: items and labels, and where its scheme reads them rows of the source, files, clusters."""
    dataset, split = wildcards.dataset, wildcards.scheme
    files = {"rows": of_dataset("items", dataset), "labels": of_dataset("labels", dataset)}
    if "rows" in scheme_records()[STUDY.splits.scheme_of(split)].reads:
        files["source_rows"] = of_source("rows", STUDY.datasets[dataset].source)
    if (cutoff := STUDY.splits.cutoff_of(split)) is not None:
        files["clusters"] = of_dataset("clusters", dataset, cutoff=str(cutoff))
    return {**files, "own": [ancient(file) for file in STUDY.splits.files_of(split)]}


def split_options(wildcards, input):
    """What a scheme reads besides items and labels, as options of its step."""
    named = {"rows": "source_rows", "clusters": "clusters"}
    return [f"--{option} {input[name]}" for option, name in named.items() if name in input.keys()]


def leak_files():
    """What the splits of each data set share between test and training."""
    return [at("leaks", dataset=dataset) for dataset in STUDY.datasets]


def similarity_files():
    """How near test molecules are to training, of studies of molecules."""
    if STUDY.items != "molecules":
        return []
    return [at("similarity", dataset=dataset) for dataset in STUDY.datasets]


def arrays_of(dataset):
    """The arrays of the inputs of a data set that was featurised."""
    record = Path(of_dataset("feature_record", dataset))
    return [str(record.with_name(name)) for name in read_json(record)["files"]] if record.exists() else []


def written_besides(job):
    """Files that a job writes besides its outputs, by the names under which they are compared."""
    if job.rule.name == "featurise_items":
        return {path: [path] for path in arrays_of(job.wildcards.dataset)}
    if job.rule.name == "train_shard":
        runs = SHARDS[job.wildcards.shard].runs
        return {f"{at('runs')} of its shard": [f"{at('runs')}/{run.spec.run_id}/run.json" for run in runs]}
    return {}


def shards_of(collection):
    """Names of the shards that train for a collection of gains, or with None for the tables."""
    return [name for name, shard in SHARDS.items() if shard.collection == collection]


def done_files(collection):
    """What says that the shards of a collection, or with None those of the tables, are done."""
    return [at("shard_done", shard=name) for name in shards_of(collection)]


def collection_option(wildcards):
    """Which runs a step reads: those of a collection where it is one's."""
    return f"--collection {wildcards.collection}" if "collection" in wildcards.keys() else ""


def trial_files(keys=SEARCHES):
    """What searches tried, those of all rows or some."""
    return [
        at("trials", dataset=dataset, label=label, scheme=split, seed=str(seed))
        for dataset, label, split, seed in keys
    ]


def search_inputs(wildcards):
    """What the trials of a row read: a manifest that names a run of it, and what a shard of this run reads."""
    spec = search_of(wildcards).spec
    name = next(name for name, shard in SHARDS.items() if any(run.spec is spec for run in shard.runs))
    return trained_from(name, [spec])


@lru_cache
def shard_of_run():
    """run_id -> name of its shard, for runs that others may start from."""
    named = {run_id for shard in SHARDS.values() for run in shard.runs for run_id in run.spec.waits_for}
    if not named:
        return {}
    return {
        run.spec.run_id: name
        for name, shard in SHARDS.items()
        for run in shard.runs
        if run.spec.run_id in named
    }


def shard_inputs(wildcards):
    """Manifest and data set of a shard, and what its runs wait for."""
    shard = SHARDS[wildcards.shard]
    specs = [run.spec for run in shard.runs]
    searches = dict.fromkeys(key_of(spec) for spec in specs if spec.search)
    return {
        **trained_from(wildcards.shard, specs),
        "groups": [at("groups", collection=shard.groups)] if shard.groups else [],
        "searches": trial_files(searches),
    }


def trained_from(shard, specs):
    """What runs of a shard are trained from: its manifest, the data set, and the runs that they start from.

    The small records hold the digests of the big files. For these and the splits one marker stands: with each of
    them as an input, a dry-run of thousands of shards would take minutes. It is not `ancient`, as no file is that
    a job makes: Snakemake asks nothing of a job below one that runs, and would not run it either.
    """
    dataset = SHARDS[shard].dataset
    priors = sorted({shard_of_run()[run_id] for spec in specs for run_id in spec.waits_for})
    return {
        "manifest": at("shard_manifest", shard=shard),
        "dataset": of_dataset("dataset", dataset),
        "features": of_dataset("feature_record", dataset),
        "prepared": at("prepared", dataset=dataset),
        "priors": [at("shard_done", shard=name) for name in priors],
        "initial": initial_weights(specs),
    }


def initial_weights(specs):
    """Files of the user's that weights of encoders start from."""
    encoders = [spec.encoder for spec in specs if spec.encoder]
    files = {file for encoder in encoders for file in initial_files(encoder.name, encoder.options)}
    return [ancient(file) for file in sorted(files)]


def dataset_records():
    """Counts and digest of each data set of the study."""
    return [of_dataset("dataset", dataset) for dataset in STUDY.datasets]


def feature_records():
    """Counts and digest of the features of each data set."""
    return [of_dataset("feature_record", dataset) for dataset in STUDY.datasets]


def split_files():
    """Folds of each data set, scheme and seed of the study."""
    return [path for dataset in STUDY.datasets for path in splits_of(dataset)]


def data_records():
    """Records of all data sets, inputs and splits; their steps find them by the study, as they may be many."""
    return [f"results/{name}" for name in StudyAtScale(STUDY_NAME, CONFIG.scale, STUDY).data_records()]


def table_files(names, formats):
    """Files of the study's tables."""
    return [at("table", name=name, suffix=suffix) for name in names for suffix in formats]


def figure_files(names, formats):
    """Files of the study's figures."""
    return [at("figure", name=name, suffix=suffix) for name in names for suffix in formats]


def caption_files(names):
    """What the report says about tables or figures."""
    return [at("caption", name=name) for name in names]


def shown(file, name, category, **labels):
    """A file for the report, in a category and with its caption."""
    caption = Path(at("caption", name=name)).absolute()  # relative, it would be looked for beside the rules
    return report(file, caption=str(caption), category=category, labels=labels)


def shown_tables():
    """The tables' pages for the report."""
    first = layout.TABLE_FORMATS[0]
    return [
        shown(at("table", name=name, suffix=first), name, table_record(STUDY, name).category, Table=name)
        for name in TABLES
    ]


def shown_figures():
    """The figures for the report.

    A figure of the study has no label "Data set", not even "all": where one of two values stands on half of a
    category's results, the report turns it into a switch and fails for the result that has no counterpart.
    """
    found = []
    for name in FIGURES:
        record, of = figure_of(name)
        labels = {"Figure": record.title} | ({"Data set": of} if of else {})
        found.append(
            shown(at("figure", name=name, suffix=layout.FIGURE_FORMATS[0]), name, record.category, **labels)
        )
    return found


def needed(records):
    """What tables or figures are made from, as their files say."""
    needs = {need for record in records for need in record.needs}
    if strange := sorted(needs - set(layout.NEEDS)):
        raise WorkflowError(
            f"`needs` of a table or figure: {strange[0]!r} is none of {', '.join(layout.NEEDS)}."
        )
    files = [at(need) for need in layout.NEEDS_OF_STUDY if need in needs]
    files += [
        at("saved", name=name) for name in sorted({name for record in records for name in record.saved})
    ]
    if needs & set(layout.NEEDS_OF_DATASETS):
        files += [*dataset_records(), *dataset_tables()]
    if "splits" in needs:
        files += split_files()
    if "features" in needs:
        files += feature_records()
    if "trials" in needs:
        files += trial_files()
    if "leaks" in needs:
        files += leak_files()
    if "similarity" in needs:
        files += similarity_files()
    if "sequences" in needs:
        files += [
            file
            for entry in STUDY.datasets.values()
            if entry.sequences
            for file in retrieved(entry.sequences)
        ]
    if "estimates" in needs:
        files += estimate_files()
    if "encodings" in needs:
        files += encoding_files()
    return files + [
        file for need in ("gains", "groups", "groupings") if need in needs for file in collection_files(need)
    ]


def code_of_outputs(step, records):
    """Digest of the code of a step and of the tables or figures that it makes, which it finds by name."""
    return code_of(f"steps/{step}.py", *sorted({record.file for record in records}))


def dataset_tables():
    """Tables of the data sets that tables and figures look into."""
    return [of_dataset(name, dataset) for dataset in STUDY.datasets for name in layout.DRAWN]


def small_files():
    """Tables and figures that are meant to be committed: all but those that the study calls large."""
    tables = [name for name in TABLES if name not in STUDY.unpublished]
    figures = [name for name in FIGURES if name not in STUDY.unpublished]
    return [
        *table_files(tables, layout.PUBLISHED_TABLE_FORMATS),
        *figure_files(figures, layout.PUBLISHED_FIGURE_FORMATS),
        *([at("cells")] if STUDY.methods else []),
    ]


def published_files():
    """The copies of these."""
    return [f"results/{layout.published_copy(STUDY_NAME, CONFIG.scale, file)}" for file in small_files()]


def published_are_current():
    """Whether all copies are there and of this run."""
    pairs = [(Path(file), Path(copy)) for file, copy in zip(small_files(), published_files())]
    there = all(file.is_file() and copy.is_file() for file, copy in pairs)
    return bool(pairs) and there and all(file.read_bytes() == copy.read_bytes() for file, copy in pairs)


def environment_files():
    """The files that pin packages; a copy of the workflow alone has no lock file."""
    named = [ROOT / "requirements.lock", *sorted((ROOT / "envs").glob("*.yaml"))]
    return [ancient(str(path)) for path in named if path.is_file()]


def imputed_files():
    """A table for each data set and each row of `imputation`."""
    return [
        at("imputed", dataset=dataset, label=label)
        for dataset in STUDY.datasets
        for label in STUDY.imputation
    ]


# Task groups.
COLLECTIONS = STUDY.grouping.gains if STUDY.grouping else {}
COLLECTED_BY_OTHERS = [name for name, gains in COLLECTIONS.items() if gains.published]
COLLECTED = [name for name in COLLECTIONS if name not in COLLECTED_BY_OTHERS]
REPLAYED = STUDY.grouping.replayed if STUDY.grouping else []
ASKED = {name: gains.asked_by for name, gains in COLLECTIONS.items() if gains.asked_by}
STRATEGIES = {strategy.label: strategy for strategy in STUDY.grouping.strategies} if STUDY.grouping else {}


def tasks_of(collection):
    return COLLECTIONS[collection].task_ids


def estimated(collection):
    """Strategies that estimate the gains of a collection; others choose groups without."""
    chosen = STUDY.grouping.strategies_of(collection)
    return [strategy.label for strategy in chosen if strategy.record.estimates]


def published_gain_files(wildcards):
    """What the authors of MTG-Net published, in their sheet's order."""
    return retrieved("mtg_net")


def strategy_inputs(collection, strategy):
    """Gains of a collection and, for strategies that read them, affinities or relations of its tasks."""
    files = {"gains": at("gains", collection=collection)}
    if "affinities" in strategy.record.reads:
        files["affinities"] = at("affinities", collection=collection)
    return files | relations_of(collection, strategy)


def relations_of(collection, strategy):
    if not strategy.reads_relations:
        return {}
    return {"relations": of_dataset("relations", COLLECTIONS[collection].dataset)}


def plan_of(collection):
    """The plan that names the runs of a collection: of its own where a strategy asked for some."""
    if collection in ASKED:
        return at("selected", collection=collection, strategy=ASKED[collection])
    return at("plan")


def select_inputs(wildcards):
    """Plan, the runs of single tasks and of all tasks, the data set, and relations where they are read."""
    collection = wildcards.collection
    dataset = COLLECTIONS[collection].dataset
    return {
        "plan": at("plan"),
        "done": done_files(collection),
        "dataset": of_dataset("dataset", dataset),
        "features": of_dataset("feature_record", dataset),
        "prepared": at("prepared", dataset=dataset),
        **relations_of(collection, STRATEGIES[ASKED[collection]]),
    }


def pair_options(wildcards, input):
    """What a strategy reads of pairs of tasks, as options of a step."""
    return [f"--{name} {input[name]}" for name in ("affinities", "relations") if name in input.keys()]


def estimate_inputs(wildcards):
    return strategy_inputs(wildcards.collection, STRATEGIES[wildcards.strategy])


def encode_inputs(wildcards):
    return strategy_inputs(wildcards.collection, encoded_strategy(STUDY, wildcards.collection))


def encoding_files():
    names = [name for name in COLLECTIONS if encoded_strategy(STUDY, name)]
    return [at("encodings", collection=name) for name in names]


def code_of_strategy(step, strategy):
    """Digest of the code of a step and of the estimator of a strategy, which it finds by name."""
    return code_of(f"steps/{step}.py", strategy.record.file)


def code_of_choice(collection):
    """Digest of the code that chooses groups by the estimates of a collection, or without any."""
    chosen = STUDY.grouping.strategies_of(collection)
    files = {strategy.record.file for strategy in chosen if not strategy.record.estimates}
    return code_of("steps/select_groups.py", *sorted(files))


def choices_of(collection):
    """What the choice of groups depends on in the study, for `digest_of`."""
    grouping = STUDY.grouping
    limits = [grouping.budgets, grouping.max_group_size, grouping.max_cost, grouping.task_costs]
    labels = [[strategy.label, strategy.estimator] for strategy in grouping.strategies_of(collection)]
    return [*limits, COLLECTIONS[collection].search, ASKED.get(collection), labels]


def collection_files(file):
    return [at(file, collection=name) for name in COLLECTIONS]


def cost_files():
    """What all runs cost: those of the tables, and those that gains are made of."""
    own = [at("costs")] if shards_of(None) else []
    return [*(at("collection_costs", collection=name) for name in COLLECTED), *own]


def estimate_files():
    """Estimates of all collections by all strategies."""
    return [
        at("estimates", collection=collection, strategy=strategy)
        for collection in COLLECTIONS
        for strategy in estimated(collection)
    ]
