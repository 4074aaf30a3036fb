# Metrics from the saved predictions, and what they say about the methods.


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
