# Tables and figures, their copies with provenance, and the digests of everything.


rule write_tables:
    input:
        plan=f"results/{STUDY_NAME}/plan.parquet",
        metrics=f"results/{STUDY_NAME}/metrics.parquet",
        summary=f"results/{STUDY_NAME}/summary.parquet",
        comparisons=f"results/{STUDY_NAME}/comparisons.parquet",
        costs=f"results/{STUDY_NAME}/costs.parquet",
        datasets=dataset_records(),
        splits=split_files(),
        published=workflow.source_path("../../config/published.csv"),
    output:
        [
            report(
                f"results/{STUDY_NAME}/tables/{name}.html",
                caption=f"../report/table_{name}.rst",
                category="Tables",
                labels={"Table": name},
            )
            for name in TABLES
        ],
        study_files("tables", TABLES, "parquet", "csv", "md", "tex"),
    log:
        f"results/logs/write_tables/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/write_tables/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        study=STUDY_NAME,
        config=block(STUDY),
        scale=CONFIG.scale,
        results=lambda wildcards, input: Path(input.plan).parents[1],
        folder=lambda wildcards, output: Path(output[0]).parent,
        code=code_of("steps/write_tables.py"),
    shell:
        "python -m relatask write_tables --log {log} --plan {input.plan} --metrics {input.metrics}"
        " --summary {input.summary} --comparisons {input.comparisons} --costs {input.costs}"
        " --study-config {params.config:q} --study {params.study} --scale {params.scale}"
        " --published {input.published:q} --results {params.results} --out-dir {params.folder}"


rule draw_figures:
    input:
        plan=f"results/{STUDY_NAME}/plan.parquet",
        metrics=f"results/{STUDY_NAME}/metrics.parquet",
        history=f"results/{STUDY_NAME}/history.parquet",
        datasets=dataset_records(),
        tables=ancient(
            [
                f"results/{dataset}/{name}.parquet"
                for dataset in STUDY.datasets
                for name in ("molecules", "tasks", "labels", "relations")
            ]
        ),
    output:
        [
            report(
                f"results/{STUDY_NAME}/figures/{name}.png",
                caption=f"../report/{name.split('-')[0]}.rst",
                **report_entry(name),
            )
            for name in FIGURES
        ],
        study_files("figures", FIGURES, "svg", "parquet"),
    log:
        f"results/logs/draw_figures/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/draw_figures/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        results=lambda wildcards, input: Path(input.plan).parents[1],
        datasets=list(STUDY.datasets),
        baseline=STUDY.baseline,
        metric=STUDY.metrics[0],
        figures=FIGURES,
        folder=lambda wildcards, output: Path(output[0]).parent,
        code=code_of("steps/draw_figures.py"),
    shell:
        "python -m relatask draw_figures --log {log}"
        " --plan {input.plan} --metrics {input.metrics} --history {input.history}"
        " --results {params.results} --datasets {params.datasets} --baseline {params.baseline}"
        " --metric {params.metric} --figures {params.figures} --out-dir {params.folder}"
