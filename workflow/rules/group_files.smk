# Names of the files of task groups, as functions of the study. Nothing runs here.

COLLECTIONS = STUDY.grouping.gains if STUDY.grouping else {}
COLLECTED_BY_OTHERS = [name for name, gains in COLLECTIONS.items() if gains.published]
COLLECTED = [name for name in COLLECTIONS if name not in COLLECTED_BY_OTHERS]
REPLAYED = STUDY.grouping.replayed if STUDY.grouping else []
ASKED = {name: gains.asked_by for name, gains in COLLECTIONS.items() if gains.asked_by}
STRATEGIES = {strategy.label: strategy for strategy in STUDY.grouping.strategies} if STUDY.grouping else {}
GROUPING_TABLES = grouping_table_names(STUDY)
GROUPING_FIGURES = grouping_figure_names(STUDY)


def tasks_of(collection):
    return COLLECTIONS[collection].task_ids


def estimated(collection):
    """Strategies that estimate the gains of a collection; random groups need none."""
    chosen = STUDY.grouping.strategies_of(collection)
    return [strategy.label for strategy in chosen if strategy.estimator != "random"]


def published_gain_files(wildcards):
    """What the authors of MTG-Net published, in their sheet's order."""
    return retrieved("mtg_net")


def strategy_inputs(collection, strategy):
    """Gains of a collection and, for strategies that read them, affinities or relations of its tasks."""
    files = {"gains": f"results/{STUDY_NAME}/gains/{collection}.parquet"}
    if strategy.estimator == "tag":
        files["affinities"] = f"results/{STUDY_NAME}/affinities/{collection}.parquet"
    return files | relations_of(collection, strategy)


def relations_of(collection, strategy):
    if strategy.relations == "none":
        return {}
    return {"relations": f"results/{COLLECTIONS[collection].dataset}/relations.parquet"}


def plan_of(collection):
    """The plan that names the runs of a collection: of its own where a strategy asked for some."""
    if collection in ASKED:
        return f"results/{STUDY_NAME}/selected/{collection}/{ASKED[collection]}.parquet"
    return f"results/{STUDY_NAME}/plan.parquet"


def select_inputs(wildcards):
    """Plan, the runs of single tasks and of all tasks, the data set, and relations where they are read."""
    collection = wildcards.collection
    dataset = COLLECTIONS[collection].dataset
    return {
        "plan": f"results/{STUDY_NAME}/plan.parquet",
        "done": [f"results/{STUDY_NAME}/shards/{name}.done.json" for name in shards_of(collection)],
        "dataset": f"results/{dataset}/dataset.json",
        "features": f"results/{dataset}/features/features.json",
        "prepared": ancient(f"results/{STUDY_NAME}/prepared/{dataset}"),
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
    return [f"results/{STUDY_NAME}/encodings/{name}.parquet" for name in names]


def select_options(collection):
    """Budgets, limits and the strategies that need no estimate, as options of select_groups."""
    options = f"--budgets {STUDY.grouping.budgets} --search {COLLECTIONS[collection].search}"
    options += " --more-sets" if collection in ASKED else ""
    if STUDY.grouping.max_group_size:
        options += f" --max-size {STUDY.grouping.max_group_size}"
    if STUDY.grouping.max_cost:
        options += f" --max-cost {STUDY.grouping.max_cost}"
        options += f" --task-costs {shlex.quote(canonical_json(STUDY.grouping.task_costs))}"
    chosen = STUDY.grouping.strategies_of(collection)
    drawn = [strategy.label for strategy in chosen if strategy.estimator == "random"]
    return options + (f" --random {' '.join(drawn)}" if drawn else "")


def collection_files(folder):
    return [f"results/{STUDY_NAME}/{folder}/{name}.parquet" for name in COLLECTIONS]


def cost_files():
    """What all runs cost: those of the tables, and those that gains are made of."""
    folders = [*(f"collections/{name}/" for name in COLLECTED), *([""] if shards_of(None) else [])]
    return [f"results/{STUDY_NAME}/{folder}costs.parquet" for folder in folders]


def estimate_files():
    """Estimates of all collections by all strategies."""
    return [
        f"results/{STUDY_NAME}/estimates/{collection}/{strategy}.parquet"
        for collection in COLLECTIONS
        for strategy in estimated(collection)
    ]
