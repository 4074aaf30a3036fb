# Task sets that a strategy asks for, one after the other: which they are, only their training says.


rule select_sets:
    input:
        unpack(select_inputs),
    output:
        selected="results/{study}/selected/{collection}/{strategy}.parquet",
        estimates="results/{study}/estimates/{collection}/{strategy}.parquet",
    log:
        "results/logs/select_sets/{study}-{collection}-{strategy}.log",
    benchmark:
        "results/benchmarks/select_sets/{study}-{collection}-{strategy}.tsv"
    wildcard_constraints:
        collection=any_of(ASKED),
    retries: 2
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=lambda wildcards, attempt: 720 * attempt,
        gpu=int(wants_gpu()),
    params:
        tasks=lambda wildcards: tasks_of(wildcards.collection),
        task_sets=lambda wildcards: block(COLLECTIONS[wildcards.collection].task_sets),
        strategy=lambda wildcards: block(STRATEGIES[wildcards.strategy]),
        metric=STUDY.metrics[:1],
        pairs=pair_options,
        device=CONFIG.device,
        splits=made_splits(),
        code=lambda wildcards: [code_of("steps/select_sets.py"), code_of_collection(wildcards.collection)],
    shell:
        "python -m relatask select_sets --log {log} --plan {input.plan} --collection {wildcards.collection}"
        " --tasks {params.tasks:q} --task-sets {params.task_sets:q} --strategy {params.strategy:q}"
        " --metric {params.metric} {params.pairs} --device {params.device}"
        " --out-plan {output.selected} --out-estimates {output.estimates}"
