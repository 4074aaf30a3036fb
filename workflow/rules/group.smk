# Task sets to gains, gains to estimates, estimates to groups.


include: "group_files.smk"
include: "select_sets.smk"
include: "publish_groups.smk"


wildcard_constraints:
    strategy=NAME,


rule collect_gains:
    input:
        plan=lambda wildcards: plan_of(wildcards.collection),
        metrics="results/{study}/collections/{collection}/metrics.parquet",
    output:
        gains="results/{study}/gains/{collection}.parquet",
    log:
        "results/logs/collect_gains/{study}-{collection}.log",
    benchmark:
        "results/benchmarks/collect_gains/{study}-{collection}.tsv"
    wildcard_constraints:
        collection=any_of(COLLECTED),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        metric=STUDY.metrics[0],
        code=code_of("steps/collect_gains.py"),
    shell:
        "python -m relatask collect_gains --log {log} --plan {input.plan} --metrics {input.metrics}"
        " --collection {wildcards.collection} --metric {params.metric} --out {output.gains}"


rule collect_affinities:
    input:
        plan="results/{study}/plan.parquet",
        dataset=lambda wildcards: f"results/{COLLECTIONS[wildcards.collection].dataset}/dataset.json",
        features=lambda wildcards: (
            f"results/{COLLECTIONS[wildcards.collection].dataset}/features/features.json"
        ),
        prepared=lambda wildcards: ancient(
            f"results/{wildcards.study}/prepared/{COLLECTIONS[wildcards.collection].dataset}"
        ),
    output:
        affinities="results/{study}/affinities/{collection}.parquet",
    log:
        "results/logs/collect_affinities/{study}-{collection}.log",
    benchmark:
        "results/benchmarks/collect_affinities/{study}-{collection}.tsv"
    wildcard_constraints:
        collection=any_of(COLLECTED),
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=240,
        gpu=int(wants_gpu()),
    params:
        device=CONFIG.device,
        splits=made_splits(),
        code=code_of("steps/collect_affinities.py"),
        training=lambda wildcards: code_of_collection(wildcards.collection),
    shell:
        "python -m relatask collect_affinities --log {log} --plan {input.plan}"
        " --collection {wildcards.collection} --device {params.device} --out {output.affinities}"


rule read_gains:
    input:
        published_gain_files,
    output:
        gains="results/{study}/gains/{collection}.parquet",
        affinities="results/{study}/affinities/{collection}.parquet",
    log:
        "results/logs/read_gains/{study}-{collection}.log",
    benchmark:
        "results/benchmarks/read_gains/{study}-{collection}.tsv"
    wildcard_constraints:
        collection=any_of(COLLECTED_BY_OTHERS),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        folder=lambda wildcards, input: Path(input[0]).parent,
        published=lambda wildcards: STUDY.grouping.gains[wildcards.collection].published,
        code=code_of("steps/read_gains.py"),
    shell:
        "python -m relatask read_gains --log {log} --folder {params.folder} --collection {params.published}"
        " --out-gains {output.gains} --out-affinities {output.affinities}"


rule estimate_gains:
    input:
        unpack(estimate_inputs),
    output:
        estimates="results/{study}/estimates/{collection}/{strategy}.parquet",
    log:
        "results/logs/estimate_gains/{study}-{collection}-{strategy}.log",
    benchmark:
        "results/benchmarks/estimate_gains/{study}-{collection}-{strategy}.tsv"
    wildcard_constraints:
        collection=any_of(REPLAYED),
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=240,
    params:
        tasks=lambda wildcards: tasks_of(wildcards.collection),
        strategy=lambda wildcards: block(STRATEGIES[wildcards.strategy]),
        seeds=STUDY.grouping.seeds if STUDY.grouping else [],
        pairs=pair_options,
        code=code_of("steps/estimate_gains.py"),
    shell:
        "python -m relatask estimate_gains --log {log} --gains {input.gains} --tasks {params.tasks:q}"
        " --strategy {params.strategy:q} --seeds {params.seeds} {params.pairs}"
        " --threads {threads} --out {output.estimates}"


rule select_groups:
    input:
        gains="results/{study}/gains/{collection}.parquet",
        estimates=lambda wildcards: [
            f"results/{wildcards.study}/estimates/{wildcards.collection}/{strategy}.parquet"
            for strategy in estimated(wildcards.collection)
        ],
    output:
        groups="results/{study}/groups/{collection}.parquet",
        groupings="results/{study}/groupings/{collection}.parquet",
    log:
        "results/logs/select_groups/{study}-{collection}.log",
    benchmark:
        "results/benchmarks/select_groups/{study}-{collection}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=120,
    params:
        tasks=lambda wildcards: tasks_of(wildcards.collection),
        options=lambda wildcards: select_options(wildcards.collection),
        code=code_of("steps/select_groups.py"),
    shell:
        "python -m relatask select_groups --log {log} --gains {input.gains} --tasks {params.tasks:q}"
        " --estimates {input.estimates} {params.options}"
        " --out-groups {output.groups} --out-groupings {output.groupings}"


rule encode_sets:
    input:
        unpack(encode_inputs),
    output:
        "results/{study}/encodings/{collection}.parquet",
    log:
        "results/logs/encode_sets/{study}-{collection}.log",
    benchmark:
        "results/benchmarks/encode_sets/{study}-{collection}.tsv"
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=120,
    params:
        tasks=lambda wildcards: tasks_of(wildcards.collection),
        strategy=lambda wildcards: block(encoded_strategy(STUDY, wildcards.collection)),
        seed=STUDY.grouping.seeds[0] if STUDY.grouping else 0,
        pairs=pair_options,
        code=code_of("steps/encode_sets.py"),
    shell:
        "python -m relatask encode_sets --log {log} --gains {input.gains} --tasks {params.tasks:q}"
        " --strategy {params.strategy:q} --seed {params.seed} {params.pairs} --out {output}"
