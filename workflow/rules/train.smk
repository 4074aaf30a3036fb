# The plan, its shards, and merged tables of what the runs predicted, those of each collection of gains apart.


wildcard_constraints:
    collection=NAME,


rule plan_runs:
    output:
        plan=at("plan"),
        manifests=[at("shard_manifest", shard=name) for name in SHARDS],
    log:
        f"results/logs/plan_runs/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/plan_runs/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        study=at("study"),
        content=study_digest("title", "paper", "contrasts", "tables", "unpublished", "search_space"),
        shard_minutes=CONFIG.shard_minutes,
        max_shards=CONFIG.max_shards,
        code=code_of("steps/plan_runs.py"),
    shell:
        "python -m relatask plan_runs --log {log} --study {params.study}"
        " --shard-minutes {params.shard_minutes} --max-shards {params.max_shards}"
        " --out {output.plan}"


rule train_shard:
    input:
        unpack(shard_inputs),
    output:
        done=at("shard_done"),
    log:
        f"results/logs/train_shard/{STUDY_NAME}-{{shard}}.log",
    benchmark:
        f"results/benchmarks/train_shard/{STUDY_NAME}-{{shard}}.tsv"
    retries: 2
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=holding(lambda wildcards: SHARDS[wildcards.shard].dataset),
        runtime=shard_minutes,
        gpu=shard_gpus,
    params:
        device=CONFIG.device,
        # Snakemake keeps no record of a function of the output: another value trains nothing again.
        keep_models=lambda wildcards, output: CONFIG.keep_models,
        code=shard_code,
    shell:
        "python -m relatask train_shard --log {log}"
        " --manifest {input.manifest} --device {params.device} --keep-models {params.keep_models}"
        " --out {output.done}"


rule search_settings:
    input:
        unpack(search_inputs),
    output:
        trials=at("trials"),
    log:
        f"results/logs/search_settings/{STUDY_NAME}-{{dataset}}-{{label}}-{{scheme}}-{{seed}}.log",
    benchmark:
        f"results/benchmarks/search_settings/{STUDY_NAME}-{{dataset}}-{{label}}-{{scheme}}-{{seed}}.tsv"
    wildcard_constraints:
        label=any_of([method.label for method in STUDY.methods]),
    retries: 2
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=holding(lambda wildcards: wildcards.dataset),
        runtime=search_minutes,
        gpu=lambda wildcards: int(wants_gpu() and search_of(wildcards).spec.encoder is not None),
    params:
        device=CONFIG.device,
        code=lambda wildcards: [
            code_of("steps/search_settings.py"),
            *code_of_specs([search_of(wildcards).spec]),
        ],
    shell:
        "python -m relatask search_settings --log {log} --manifest {input.manifest}"
        " --label {wildcards.label:q} --split {wildcards.scheme} --seed {wildcards.seed}"
        " --device {params.device} --out {output.trials}"


rule merge_runs:
    input:
        plan=at("plan"),
        done=done_files(None),
    output:
        predictions=at("predictions"),
        history=at("history"),
        costs=at("costs"),
        saved=[at("saved", name=name) for name in SAVED],
    log:
        f"results/logs/merge_runs/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/merge_runs/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        runs=at("runs"),
        of=collection_option,
        saved=saved_option,
        code=code_of("steps/merge_runs.py"),
    shell:
        "python -m relatask merge_runs --log {log} --plan {input.plan} --runs {params.runs} {params.of}"
        " --out-predictions {output.predictions} --out-history {output.history} --out-costs {output.costs}"
        " {params.saved}"


rule write_saved_tables:
    input:
        plan=at("plan"),
        saved=[at("saved", name=name) for name in SAVED],
    output:
        saved_table_files(),
    log:
        f"results/logs/write_saved_tables/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/write_saved_tables/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        names=list(SAVED),
        saved=lambda wildcards, input: Path(input.saved[0]).parent if SAVED else "",
        folder=lambda wildcards, output: Path(output[0]).parent,
        code=code_of("steps/write_saved_tables.py"),
    shell:
        "python -m relatask write_saved_tables --log {log} --plan {input.plan} --saved {params.saved}"
        " --names {params.names} --out-dir {params.folder}"


use rule merge_runs as merge_collection with:
    input:
        plan=lambda wildcards: plan_of(wildcards.collection),
        done=lambda wildcards: done_files(wildcards.collection),
    output:
        predictions=at("collection_predictions"),
        history=at("collection_history"),
        costs=at("collection_costs"),
    log:
        f"results/logs/merge_runs/{STUDY_NAME}-{{collection}}.log",
    benchmark:
        f"results/benchmarks/merge_runs/{STUDY_NAME}-{{collection}}.tsv"
