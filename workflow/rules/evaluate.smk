# Metrics from the saved predictions, what they say about the methods, leaks of splits, and scores of cells without
# a label.


rule evaluate_runs:
    input:
        plan=at("plan"),
        predictions=at("predictions"),
        tasks=task_tables(),
    output:
        metrics=at("metrics"),
    log:
        f"results/logs/evaluate_runs/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/evaluate_runs/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        metrics=STUDY.metrics,
        of=collection_option,
        code=code_of("steps/evaluate_runs.py"),
    shell:
        "python -m relatask evaluate_runs --log {log}"
        " --plan {input.plan} --predictions {input.predictions} --tasks {input.tasks}"
        " --metrics-list {params.metrics}"
        " {params.of} --out {output.metrics}"


use rule evaluate_runs as evaluate_collection with:
    input:
        plan=lambda wildcards: plan_of(wildcards.collection),
        predictions=at("collection_predictions"),
        tasks=task_tables(),
    output:
        metrics=at("collection_metrics"),
    log:
        f"results/logs/evaluate_runs/{STUDY_NAME}-{{collection}}.log",
    benchmark:
        f"results/benchmarks/evaluate_runs/{STUDY_NAME}-{{collection}}.tsv"
    params:
        metrics=STUDY.metrics[:1],
        of=collection_option,
        code=code_of("steps/evaluate_runs.py"),


rule describe_predictions:
    input:
        plan=at("plan"),
        predictions=at("predictions"),
        rows=of_dataset("items"),
        tasks=of_dataset("tasks"),
    output:
        [at("described_predictions", suffix=suffix) for suffix in PREDICTION_FORMATS],
    log:
        f"results/logs/describe_predictions/{STUDY_NAME}-{{dataset}}.log",
    benchmark:
        f"results/benchmarks/describe_predictions/{STUDY_NAME}-{{dataset}}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.datasets),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        study=lambda wildcards, input: Path(input.plan).parent,
        code=code_of("steps/describe_predictions.py"),
    shell:
        "python -m relatask describe_predictions --log {log} --study {params.study}"
        " --dataset {wildcards.dataset} --out {output}"


rule check_leaks:
    input:
        rows=lambda wildcards: of_dataset("items", wildcards.dataset),
        labels=lambda wildcards: of_dataset("labels", wildcards.dataset),
        features=lambda wildcards: of_dataset("feature_record", wildcards.dataset),
        splits=lambda wildcards: splits_of(wildcards.dataset),
    output:
        leaks=at("leaks"),
        similarity=at("similarity"),
    log:
        f"results/logs/check_leaks/{STUDY_NAME}-{{dataset}}.log",
    benchmark:
        f"results/benchmarks/check_leaks/{STUDY_NAME}-{{dataset}}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.datasets),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=120,
    params:
        features=lambda wildcards, input: Path(input.features).parent,
        code=code_of("steps/check_leaks.py"),
    shell:
        "python -m relatask check_leaks --log {log} --dataset {wildcards.dataset}"
        " --items {input.rows} --labels {input.labels} --features {params.features} --splits {input.splits}"
        " --out {output.leaks} --similarity {output.similarity}"


rule compare_methods:
    input:
        plan=at("plan"),
        metrics=at("metrics"),
        tasks=task_tables(),
        splits=split_files(),
    output:
        summary=at("summary"),
        comparisons=at("comparisons"),
        cells=at("cells"),
    log:
        f"results/logs/compare_methods/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/compare_methods/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        study=lambda wildcards, input: Path(input.plan).parent,
        content=digest_of([STUDY.baseline, STUDY.pairs, STUDY.margins]),
        code=code_of("steps/compare_methods.py"),
    shell:
        "python -m relatask compare_methods --log {log} --study {params.study}"
        " --out-summary {output.summary} --out-comparisons {output.comparisons} --out-cells {output.cells}"


rule resample_items:
    input:
        plan=at("plan"),
        predictions=at("predictions"),
        tasks=task_tables(),
    output:
        intervals=at("item_intervals"),
    log:
        f"results/logs/resample_items/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/resample_items/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(6000),
        runtime=120,
    params:
        study=lambda wildcards, input: Path(input.plan).parent,
        content=digest_of([STUDY.baseline, STUDY.pairs, STUDY.metrics]),
        code=code_of("steps/resample_items.py"),
    shell:
        "python -m relatask resample_items --log {log} --study {params.study} --out {output.intervals}"


rule impute_labels:
    input:
        plan=at("plan"),
        dataset=of_dataset("dataset"),
        features=of_dataset("feature_record"),
        prepared=at("prepared"),
        done=done_files(None),
    output:
        imputed=at("imputed"),
    log:
        f"results/logs/impute_labels/{STUDY_NAME}-{{dataset}}-{{label}}.log",
    benchmark:
        f"results/benchmarks/impute_labels/{STUDY_NAME}-{{dataset}}-{{label}}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.datasets),
        label=any_of(STUDY.imputation),
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=holding(lambda wildcards: wildcards.dataset),
        runtime=60,
        gpu=int(wants_gpu()),
    params:
        device=CONFIG.device,
        code=code_of("steps/impute_labels.py"),
    shell:
        "python -m relatask impute_labels --log {log} --plan {input.plan} --dataset {wildcards.dataset}"
        " --label {wildcards.label:q} --device {params.device} --out {output.imputed}"
