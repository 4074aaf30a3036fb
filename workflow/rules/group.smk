# Task sets to gains, gains to estimates, estimates to groups.


wildcard_constraints:
    strategy=NAME,


rule collect_gains:
    input:
        plan=lambda wildcards: plan_of(wildcards.collection),
        metrics=at("collection_metrics"),
    output:
        gains=at("gains"),
    log:
        f"results/logs/collect_gains/{STUDY_NAME}-{{collection}}.log",
    benchmark:
        f"results/benchmarks/collect_gains/{STUDY_NAME}-{{collection}}.tsv"
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
        plan=at("plan"),
        dataset=lambda wildcards: of_dataset("dataset", COLLECTIONS[wildcards.collection].dataset),
        features=lambda wildcards: (of_dataset("feature_record", COLLECTIONS[wildcards.collection].dataset)),
        prepared=lambda wildcards: at("prepared", dataset=COLLECTIONS[wildcards.collection].dataset),
    output:
        affinities=at("affinities"),
    log:
        f"results/logs/collect_affinities/{STUDY_NAME}-{{collection}}.log",
    benchmark:
        f"results/benchmarks/collect_affinities/{STUDY_NAME}-{{collection}}.tsv"
    wildcard_constraints:
        collection=any_of(COLLECTED),
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=holding(lambda wildcards: COLLECTIONS[wildcards.collection].dataset),
        runtime=240,
        gpu=int(wants_gpu()),
    params:
        device=CONFIG.device,
        code=code_of("steps/collect_affinities.py"),
        training=lambda wildcards: code_of_collection(wildcards.collection),
    shell:
        "python -m relatask collect_affinities --log {log} --plan {input.plan}"
        " --collection {wildcards.collection} --device {params.device} --out {output.affinities}"


rule read_gains:
    input:
        published_gain_files,
    output:
        gains=at("gains"),
        affinities=at("affinities"),
    log:
        f"results/logs/read_gains/{STUDY_NAME}-{{collection}}.log",
    benchmark:
        f"results/benchmarks/read_gains/{STUDY_NAME}-{{collection}}.tsv"
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
        estimates=at("estimates"),
    log:
        f"results/logs/estimate_gains/{STUDY_NAME}-{{collection}}-{{strategy}}.log",
    benchmark:
        f"results/benchmarks/estimate_gains/{STUDY_NAME}-{{collection}}-{{strategy}}.tsv"
    wildcard_constraints:
        collection=any_of(REPLAYED),
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=240,
    params:
        study=at("study"),
        content=lambda wildcards: digest_of(
            CONFIG.scale,
            tasks_of(wildcards.collection),
            STRATEGIES[wildcards.strategy],
            STUDY.grouping.seeds,
            STUDY.grouping.held_out,
        ),
        pairs=pair_options,
        code=lambda wildcards: code_of_strategy("estimate_gains", STRATEGIES[wildcards.strategy]),
    shell:
        "python -m relatask estimate_gains --log {log} --study {params.study}"
        " --collection {wildcards.collection} --strategy {wildcards.strategy} --gains {input.gains}"
        " {params.pairs} --threads {threads} --out {output.estimates}"


rule select_sets:
    input:
        unpack(select_inputs),
    output:
        selected=at("selected"),
        estimates=at("estimates"),
    log:
        f"results/logs/select_sets/{STUDY_NAME}-{{collection}}-{{strategy}}.log",
    benchmark:
        f"results/benchmarks/select_sets/{STUDY_NAME}-{{collection}}-{{strategy}}.tsv"
    wildcard_constraints:
        collection=any_of(ASKED),
    retries: 2
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=holding(lambda wildcards: COLLECTIONS[wildcards.collection].dataset),
        runtime=lambda wildcards, attempt: 720 * attempt,
        gpu=int(wants_gpu()),
    params:
        study=at("study"),
        content=lambda wildcards: digest_of(
            CONFIG.scale,
            tasks_of(wildcards.collection),
            COLLECTIONS[wildcards.collection].task_sets,
            STRATEGIES[wildcards.strategy],
            STUDY.metrics[:1],
        ),
        pairs=pair_options,
        device=CONFIG.device,
        code=lambda wildcards: [
            code_of_strategy("select_sets", STRATEGIES[wildcards.strategy]),
            code_of_collection(wildcards.collection),
        ],
    shell:
        "python -m relatask select_sets --log {log} --study {params.study}"
        " --collection {wildcards.collection} --plan {input.plan} {params.pairs} --device {params.device}"
        " --out-plan {output.selected} --out-estimates {output.estimates}"


rule select_groups:
    input:
        gains=at("gains"),
        estimates=lambda wildcards: [
            at("estimates", collection=wildcards.collection, strategy=strategy)
            for strategy in estimated(wildcards.collection)
        ],
    output:
        groups=at("groups"),
        groupings=at("groupings"),
    log:
        f"results/logs/select_groups/{STUDY_NAME}-{{collection}}.log",
    benchmark:
        f"results/benchmarks/select_groups/{STUDY_NAME}-{{collection}}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=120,
    params:
        study=at("study"),
        content=lambda wildcards: digest_of(
            CONFIG.scale, tasks_of(wildcards.collection), *choices_of(wildcards.collection)
        ),
        code=lambda wildcards: code_of_choice(wildcards.collection),
    shell:
        "python -m relatask select_groups --log {log} --study {params.study}"
        " --collection {wildcards.collection} --gains {input.gains} --estimates {input.estimates}"
        " --out-groups {output.groups} --out-groupings {output.groupings}"


rule encode_sets:
    input:
        unpack(encode_inputs),
    output:
        at("encodings"),
    log:
        f"results/logs/encode_sets/{STUDY_NAME}-{{collection}}.log",
    benchmark:
        f"results/benchmarks/encode_sets/{STUDY_NAME}-{{collection}}.tsv"
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=120,
    params:
        study=at("study"),
        content=lambda wildcards: digest_of(
            CONFIG.scale,
            tasks_of(wildcards.collection),
            encoded_strategy(STUDY, wildcards.collection),
            STUDY.grouping.seeds[:1],
            STUDY.grouping.held_out,
        ),
        pairs=pair_options,
        code=lambda wildcards: code_of_strategy("encode_sets", encoded_strategy(STUDY, wildcards.collection)),
    shell:
        "python -m relatask encode_sets --log {log} --study {params.study}"
        " --collection {wildcards.collection} --gains {input.gains} {params.pairs} --out {output}"
