# Metrics from the saved predictions, what they say about the methods, and scores of cells without a label.


rule evaluate_runs:
    input:
        plan="results/{study}/plan.parquet",
        predictions="results/{study}/predictions.parquet",
    output:
        metrics="results/{study}/metrics.parquet",
    log:
        "results/logs/evaluate_runs/{study}.log",
    benchmark:
        "results/benchmarks/evaluate_runs/{study}.tsv"
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
        " --plan {input.plan} --predictions {input.predictions} --metrics-list {params.metrics}"
        " {params.of} --out {output.metrics}"


use rule evaluate_runs as evaluate_collection with:
    input:
        plan=lambda wildcards: plan_of(wildcards.collection),
        predictions="results/{study}/collections/{collection}/predictions.parquet",
    output:
        metrics="results/{study}/collections/{collection}/metrics.parquet",
    log:
        "results/logs/evaluate_runs/{study}-{collection}.log",
    benchmark:
        "results/benchmarks/evaluate_runs/{study}-{collection}.tsv"
    params:
        metrics=STUDY.metrics[:1],
        of=collection_option,
        code=code_of("steps/evaluate_runs.py"),


rule compare_methods:
    input:
        plan="results/{study}/plan.parquet",
        metrics="results/{study}/metrics.parquet",
    output:
        summary="results/{study}/summary.parquet",
        comparisons="results/{study}/comparisons.parquet",
    log:
        "results/logs/compare_methods/{study}.log",
    benchmark:
        "results/benchmarks/compare_methods/{study}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        baseline=STUDY.baseline,
        contrasts=json.dumps(STUDY.contrasts),
        code=code_of("steps/compare_methods.py"),
    shell:
        "python -m relatask compare_methods --log {log}"
        " --plan {input.plan} --metrics {input.metrics} --baseline {params.baseline}"
        " --contrasts {params.contrasts:q}"
        " --out-summary {output.summary} --out-comparisons {output.comparisons}"


rule impute_labels:
    input:
        plan="results/{study}/plan.parquet",
        dataset="results/{dataset}/dataset.json",
        features="results/{dataset}/features/features.json",
        prepared=lambda wildcards: ancient(f"results/{wildcards.study}/prepared/{wildcards.dataset}"),
        done=[f"results/{STUDY_NAME}/shards/{name}.done.json" for name in shards_of(None)],
    output:
        imputed="results/{study}/imputed/{dataset}-{label}.parquet",
    log:
        "results/logs/impute_labels/{study}-{dataset}-{label}.log",
    benchmark:
        "results/benchmarks/impute_labels/{study}-{dataset}-{label}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.datasets),
        label=any_of(STUDY.imputation),
    conda:
        TRAINING_ENV
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=60,
        gpu=int(wants_gpu()),
    params:
        device=CONFIG.device,
        code=code_of("steps/impute_labels.py"),
    shell:
        "python -m relatask impute_labels --log {log} --plan {input.plan} --dataset {wildcards.dataset}"
        " --label {wildcards.label:q} --device {params.device} --out {output.imputed}"
